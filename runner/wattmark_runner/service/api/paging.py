"""Pages of a list: a cursor is the place of the last entry that was shown."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import Query

Limit = Annotated[int, Query(ge=1, le=1000, description="entries on a page")]
Cursor = Annotated[
    str | None, Query(pattern=r"^\d{1,18}$", description="`next` of the page before")
]


def next_cursor(places: Sequence[int], limit: int) -> str | None:
    """The cursor of the next page, of the places of ``limit`` entries and perhaps one more."""
    return str(places[limit - 1]) if len(places) > limit else None
