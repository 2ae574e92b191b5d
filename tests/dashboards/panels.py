"""The panels of a generated dashboard."""

from collections.abc import Iterator
from typing import Any


def every_panel(board: Any) -> Iterator[Any]:
    """Its panels, also those in closed rows; not the rows themselves."""
    for panel in board["panels"]:
        if panel["type"] == "row":
            yield from panel["panels"]
        else:
            yield panel
