"""Which rows of a table to list, as SQL."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

MANY: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Listing:
    """At most ``limit`` rows, newest first: those before ``before`` (exclusive) by ``place``.

    ``equal``: column → value; ``labels``: those that a run must have.
    """

    limit: int
    before: int | None = None
    equal: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    place: str = "seq"

    def where(self) -> tuple[str, list[Any]]:
        """Its conditions in SQL with their values; column names are ours, never the caller's."""
        conditions: list[str] = ["1"]
        values: list[Any] = []
        for name, value in self.equal.items():
            conditions.append(f"{name} = ?")
            values.append(value)
        for name, value in self.labels.items():
            conditions.append(
                "EXISTS (SELECT 1 FROM json_each(labels) WHERE key = ? AND value = ?)"
            )
            values += [name, value]
        if self.before is not None:
            conditions.append(f"{self.place} < ?")
            values.append(self.before)
        return " AND ".join(conditions), values
