"""A store that keeps no cursors, behind a spool: what was written once is never fetched again."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from wattmark_collector.health import Health
from wattmark_collector.sink import Origin
from wattmark_collector.spool.record import Record
from wattmark_collector.spool.refused import Refused
from wattmark_collector.spool.sender import MOST_LINES, PARTING_SECONDS, Sender
from wattmark_collector.spool.spool import DEFAULT_BYTES, Spool
from wattmark_collector.spool.upkeep import SpoolUpkeep
from wattmark_core.clock import Clock
from wattmark_core.sample import AnySample, Sample
from wattmark_core.series_lines import LineWriter, PlainLine
from wattmark_core.units import ns_to_seconds
from wattmark_store import Maintained, Store
from wattmark_store.storable import parted


class SpooledStore:
    """``Sink``: samples go to the disk, and from there into ``store`` when it takes them.

    ``self_sample`` makes a sample of the collector itself from ``fields``. Raises
    ``ConfigurationError`` if the folder cannot be used.
    """

    def __init__(
        self, store: Store, folder: Path, health: Health, clock: Clock,
        self_sample: Callable[[dict[str, float | int]], Sample], limit_bytes: int = DEFAULT_BYTES,
    ) -> None:  # fmt: skip
        self._store = store
        self._health = health
        self._clock = clock
        self._self_sample = self_sample
        self._lines = LineWriter()
        self._spool = Spool(folder, limit_bytes)
        self._refused = Refused(folder)
        self._upkeep = SpoolUpkeep(self._spool, store)
        self._sender = Sender(
            self._spool, self._refused, health, store.write, self._probe, self._upkeep.do
        )

    def start(self) -> None:
        """Start the thread that sends."""
        self._sender.start()

    def write(
        self, samples: Iterable[AnySample], *, target: str = "", cursor: str = "",
        origin: Origin | None = None,
    ) -> int:  # fmt: skip
        """See ``Sink``. Samples without a finite value are left out."""
        batch = list(samples)
        try:
            return self._append(batch, target, cursor, origin)
        except UnicodeEncodeError:
            kept, refused = parted(batch)
            if not refused:
                raise
            self._refused.never(refused)
            return self._append(kept, target, cursor, origin)

    def _append(
        self, samples: list[AnySample], target: str, cursor: str, origin: Origin | None
    ) -> int:
        lines = [
            (
                sample.text if isinstance(sample, PlainLine) else self._lines.line(sample),
                sample.time_ns,
            )
            for sample in samples
        ]
        batch = [(line, time_ns) for line, time_ns in lines if line]
        for record in self._records(batch, target, cursor, origin):
            self._spool.append([record])
        return len(batch)

    def cursor(self, target: str) -> str:
        """See ``Sink``."""
        return self._spool.cursor(target)

    def roll_up(self, now_ns: int) -> int:
        """Ask the sender to do it; segments go when the minutes that they touched are made."""
        self._upkeep.ask(now_ns)
        self._spool.wake()
        return 0

    def prune(self, now_ns: int) -> int:
        """See ``Sink``."""
        return self._store.prune(now_ns) if isinstance(self._store, Maintained) else 0

    def close(self) -> None:
        """One last try to send; what is not sent stays for the next start."""
        self._sender.stop()
        self._sender.join(PARTING_SECONDS)
        self._spool.close()
        if not self._sender.is_alive():
            self._store.close()

    @property
    def fields(self) -> dict[str, float | int]:
        """Fields of the measurement ``collector``."""
        since_ns = self._spool.waiting_since_ns
        oldest_ns = 0 if since_ns is None else max(0, self._clock.realtime_ns() - since_ns)
        return {
            "spool_bytes": float(self._spool.waiting_bytes),
            "spool_limit_bytes": float(self._spool.limit_bytes),
            "spool_oldest_seconds": ns_to_seconds(oldest_ns),
            "spool_damaged_bytes": float(self._spool.damaged_bytes),
            "lost": self._spool.loss.lost,
            "refused": self._refused.count,
            "power_age_seconds": self._upkeep.age_seconds,
        }

    @property
    def away(self) -> str | None:
        """Why the store takes nothing, or nothing can be made of what it took; None while all is
        well."""
        return self._sender.away or self._upkeep.failure

    @property
    def is_sending(self) -> bool:
        """Whether the thread that sends is alive."""
        return self._sender.is_alive()

    def _records(
        self, batch: list[tuple[str, int]], target: str, cursor: str, origin: Origin | None
    ) -> Iterator[Record]:
        """Parts that the sender can hand over as they are, and that the spool can hold; the last
        carries the cursor: if one is not on the disk all are fetched again."""
        at_ns = self._clock.realtime_ns()
        for part, last in _parts(batch, self._spool.segment_bytes):
            times_ns = [time_ns for _, time_ns in part]
            yield Record(
                lines=tuple(line for line, _ in part),
                at_ns=at_ns, oldest_ns=min(times_ns), latest_ns=max(times_ns),
                target=target if last else "", cursor=cursor if last else "",
                source=origin.url if last and origin is not None else "",
                newest_ns=origin.newest_ns if last and origin is not None else None,
            )  # fmt: skip

    def _probe(self) -> Sample:
        return self._self_sample(self.fields)


def _parts(
    batch: list[tuple[str, int]], most_bytes: int
) -> Iterator[tuple[list[tuple[str, int]], bool]]:
    """The lines in order, a part at a time, and whether it is the last."""
    part: list[tuple[str, int]] = []
    size = 0
    for line, time_ns in batch:
        if part and (len(part) >= MOST_LINES or size + len(line) > most_bytes):
            yield part, False
            part, size = [], 0
        part.append((line, time_ns))
        size += len(line) + 1
    if part:
        yield part, True
