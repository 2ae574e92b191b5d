"""The store in one SQLite file, for the embedded default.

WAL, ``synchronous=NORMAL``: a power cut may cost the last commits, cursor included, never the
file. Several processes may open the same file; in each, one thread writes.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from wattmark_core.errors import StoreError, StoreUnavailable
from wattmark_core.results import Phase, Score, Window
from wattmark_core.sample import AnySample
from wattmark_store import queries, result_tables, retention
from wattmark_store.connections import (
    ReadPool,
    Writer,
    check_store_sound,
    check_versions,
    open_writer,
)
from wattmark_store.location import check_location
from wattmark_store.protocol import Aggregate, SeriesData
from wattmark_store.sample_batches import SampleWriter, sort
from wattmark_store.sample_tables import SeriesKey
from wattmark_store.selection import Selection
from wattmark_store.storable import parted, refusal
from wattmark_store.vacuum import give_back


def check_file(path: Path, *, procfs: Path = Path("/proc")) -> None:
    """Raise ``StoreError`` where ``SqliteStore(path)`` would, for the place of the file and what it
    holds, and make and change nothing."""
    check_location(path, procfs)
    check_store_sound(path)
    if path.exists():
        check_versions(path)


class SqliteStore:
    """``protocol.Store`` on the file ``path``, which is made if it does not exist.

    ``procfs``: where to look up the file system that holds it. Raises ``StoreError`` when the file
    is not a store, lies on a network file system or cannot be written. Threads may share it.
    """

    def __init__(self, path: Path, *, procfs: Path = Path("/proc")) -> None:
        check_location(path, procfs)
        check_store_sound(path)
        self.path = path
        self._writer = Writer(path, open_writer(path))
        self._readers = ReadPool(path)
        self._samples = SampleWriter()

    def write(self, samples: Iterable[AnySample], *, target: str = "", cursor: str = "") -> int:
        """See the protocol. All but the samples that are refused are written."""
        held = list(samples)
        try:
            return self._write(held, target, cursor)
        except StoreUnavailable:
            raise
        except StoreError:
            kept, refused = parted(held)
            if not refused:
                raise
        self._write(kept, target, cursor)
        raise refusal(f"store {self.path}", refused)

    def _write(self, samples: Sequence[AnySample], target: str, cursor: str) -> int:
        batch = sort(samples)

        def job(connection: sqlite3.Connection) -> dict[SeriesKey, int]:
            if target:
                connection.execute("INSERT OR REPLACE INTO cursor VALUES(?,?)", (target, cursor))
            return self._samples.write(connection, batch)

        self._samples.remember(self._writer.run(job))
        return batch.count

    def cursor(self, target: str) -> str:
        """See the protocol."""
        with self._readers.connection() as connection:
            row = connection.execute(
                "SELECT cursor FROM cursor WHERE target=?", (target,)
            ).fetchone()
        return "" if row is None else str(row[0])

    def edges(
        self, measurement: str, start_ns: int, end_ns: int, tags: Mapping[str, str],
        *, neighbours: int = 8,
    ) -> list[SeriesData]:  # fmt: skip
        """See the protocol."""
        with self._readers.connection() as connection:
            return queries.edges(connection, measurement, start_ns, end_ns, tags, neighbours)

    def aggregate(
        self, measurement: str, field: str, start_ns: int, end_ns: int, tags: Mapping[str, str]
    ) -> list[Aggregate]:
        """See the protocol. A series without a value in the window is left out."""
        with self._readers.connection() as connection:
            return queries.aggregate(connection, measurement, field, start_ns, end_ns, tags)

    def series(
        self, measurement: str, start_ns: int, end_ns: int, tags: Mapping[str, str],
        *, points: int | None = None,
    ) -> list[SeriesData]:  # fmt: skip
        """See the protocol. ``NAME_1m``: the one-minute values of NAME."""
        with self._readers.connection() as connection:
            return queries.series(connection, measurement, start_ns, end_ns, tags, points)

    def select(self, selections: Sequence[Selection]) -> list[list[SeriesData]]:
        """See the protocol."""
        with self._readers.connection() as connection:
            return [
                queries.series(connection, s.measurement, s.start_ns, s.end_ns, s.tags, None)
                for s in selections
            ]

    def put_window(self, window: Window) -> None:
        """See the protocol."""
        self._writer.run(lambda connection: result_tables.put(connection, "window", window))

    def put_score(self, score: Score) -> None:
        """See the protocol."""
        self._writer.run(lambda connection: result_tables.put(connection, "score", score))

    def keep_scores(self, run_id: str, scores: Sequence[Score]) -> None:
        """See the protocol."""
        self._writer.run(lambda connection: result_tables.keep_scores(connection, run_id, scores))

    def windows(
        self, *, start_ns: int | None = None, end_ns: int | None = None, host: str = "",
        run_id: str = "", phase: Phase | None = None,
    ) -> list[Window]:  # fmt: skip
        """See the protocol."""
        filters = {"host": host, "run_id": run_id, "phase": "" if phase is None else str(phase)}
        with self._readers.connection() as connection:
            return result_tables.windows(connection, start_ns, end_ns, _without_empty(filters))

    def scores(self, *, host: str = "", run_id: str = "", workload: str = "") -> list[Score]:
        """See the protocol."""
        filters = {"host": host, "run_id": run_id, "workload": workload}
        with self._readers.connection() as connection:
            return result_tables.scores(connection, _without_empty(filters))

    def roll_up(self, now_ns: int) -> int:
        """Make the one-minute rows of the minutes written since the last call; how many.

        The minute that contains ``now_ns`` waits for its end. After late samples their minute is
        made again.
        """
        return self._until_done(lambda connection: retention.roll_up(connection, now_ns))

    def rolling_up(self, now_ns: int) -> Iterator[int]:
        """See the protocol; all of it is one step."""
        yield self.roll_up(now_ns)

    def prune(self, now_ns: int) -> int:
        """Forget samples after 14 days and one-minute rows after 2 years; how many. The pages that
        become free are given back to the disk."""
        forgotten = self._until_done(lambda connection: retention.prune(connection, now_ns))
        self._until_done(give_back)
        return forgotten

    def close(self) -> None:
        """See the protocol. A second call does nothing; any other method then refuses."""
        self._writer.close()
        self._readers.close()

    def _until_done(self, job: Callable[[sqlite3.Connection], int]) -> int:
        """In transactions short enough that writers get their turn in between."""
        total = 0
        while done := self._writer.run(job):
            total += done
        return total


def _without_empty(filters: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in filters.items() if value}
