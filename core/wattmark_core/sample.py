"""Samples: what exporters measure, collectors carry and stores keep."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

Tags = tuple[tuple[str, str], ...]


class AnySample(Protocol):
    """What reads as a ``Sample``: one, or the line of one (``series_lines.PlainLine``)."""

    @property
    def measurement(self) -> str:
        """As in ``Sample``."""
        ...

    @property
    def tags(self) -> Tags:
        """As in ``Sample``."""
        ...

    @property
    def fields(self) -> Mapping[str, float | int]:
        """As in ``Sample``."""
        ...

    @property
    def time_ns(self) -> int:
        """As in ``Sample``."""
        ...


@dataclass(frozen=True, slots=True)
class Sample:
    """One reading of one series at one instant.

    ``tags`` are sorted by name; a tag without a value is left out, as in InfluxDB. ``fields`` hold
    base units. ``time_ns`` is Unix time in ns.
    """

    measurement: str
    tags: Tags
    fields: Mapping[str, float | int]
    time_ns: int

    @property
    def tag(self) -> dict[str, str]:
        """The tags as a dictionary."""
        return dict(self.tags)


def make_tags(tags: Mapping[str, str]) -> Tags:
    """Sorted tags without the empty ones."""
    return tuple(sorted((name, value) for name, value in tags.items() if value))
