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
        number = first(start, stop)
        if number is None and stop < end:
            number = first(stop, end)
        if number is None:
            return
        start = min(number + size, end)
        yield range(number, start)
