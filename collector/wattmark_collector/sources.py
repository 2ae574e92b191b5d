"""The two kinds of target: what one poll of each brings."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from wattmark_core.sample import AnySample


@dataclass(frozen=True, slots=True)
class Batch:
    """What a poll brought. ``cursor``: where to go on once the batch is in the store."""

    samples: Sequence[AnySample]
    cursor: str = ""


class Source(Protocol):
    """A target that can be polled, by one thread."""

    @property
    def host(self) -> str:
        """The host of its samples; empty while unknown."""
        ...

    @property
    def dropped(self) -> int:
        """Samples that could not be taken, since the start."""
        ...

    @property
    def lost(self) -> int:
        """Samples that were gone before they were fetched, since the start."""
        ...

    @property
    def clock_offset_seconds(self) -> float | None:
        """The target's wall clock less ours; None where that is unknown."""
        ...

    def read(self) -> Batch:
        """Poll once. Raises ``WattmarkError``, or whatever a strange answer leads to."""
        ...

    def committed(self, batch: Batch) -> None:
        """The batch is in the store."""
        ...

    def close(self) -> None:
        """Let go of the connection and of the hosts that the target owned."""
        ...
