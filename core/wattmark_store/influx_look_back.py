"""What a collector before this one wrote and may not have worked up, found without reading it."""

from collections.abc import Callable, Iterator
from typing import Final

ALL_SEEN: Final = 1 << 62
"""Later than any bucket of time."""


def pieces(
    start: int, end: int, size: int, first: Callable[[int, int], int | None]
) -> Iterator[range]:
    """Of start..end the stretches of ``size`` at most in which there are samples, oldest first; a
    gap is skipped, however long. ``first(start, end)``: the first number that has any."""
    while start < end:
        stop = min(start + size, end)
        found = first(start, stop)
        if found is None and stop < end:
            found = first(stop, end)
        if found is None:
            return
        start = min(found + size, end)
        yield range(found, start)
