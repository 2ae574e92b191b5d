"""Runs whose newest state could not be written: kept until it can be."""

import copy
import logging
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from wattmark_core.errors import StoreError
from wattmark_runner.records.listing import Listing
from wattmark_runner.records.model import RunRecord, RunState
from wattmark_runner.records.runs import RunRow, Runs

log = logging.getLogger(__name__)


class KeptRuns(Runs):
    """``keep`` a record instead of saving it, and nothing of it is lost to a full disk: it is read
    from here until ``save_kept`` has written it. Any thread may call."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.something_kept = threading.Event()
        """Set while there is something for ``save_kept``."""
        self._kept: dict[str, RunRecord] = {}
        self._kept_lock = threading.RLock()

    @property
    def kept(self) -> Sequence[str]:
        """The runs whose state in the file is not their newest."""
        return list(self._kept)

    def keep(self, record: RunRecord) -> bool:
        """Save a record, now or as soon as it can be; False: not yet."""
        with self._kept_lock:
            try:
                self.save(record)
            except StoreError as error:
                if not self._kept:
                    log.error("%s; the states of runs are kept until they can be written", error)
                self._kept[record.run_id] = copy.deepcopy(record)
                self.something_kept.set()
                return False
            if self._kept.pop(record.run_id, None) is not None and not self._kept:
                self.something_kept.clear()
                log.warning("the states of all runs are written again")
            return True

    def save_kept(self) -> bool:
        """Write what was kept, as far as that goes; is all written?"""
        with self._kept_lock:
            written = [self.keep(record) for record in list(self._kept.values())]
            return all(written)

    def load(self, run_id: str) -> RunRecord:
        """See ``Runs``."""
        kept = self._kept.get(run_id)
        return super().load(run_id) if kept is None else copy.deepcopy(kept)

    def rows(self, listing: Listing) -> Sequence[RunRow]:
        """See ``Runs``."""
        rows = super().rows(listing)
        if not self._kept:
            return rows
        state = listing.equal.get("state")
        newest = [self._newest(row) for row in rows]
        return [row for row in newest if state in {None, str(row.state)}]

    def in_state(self, *states: RunState) -> Sequence[str]:
        """See ``Runs``."""
        found = super().in_state(*states)
        kept = dict(self._kept)
        if not kept:
            return found
        others = [run_id for run_id in found if run_id not in kept]
        return [*others, *(run_id for run_id, record in kept.items() if record.state in states)]

    def counts(self) -> dict[RunState, int]:
        """See ``Runs``."""
        counts = super().counts()
        for run_id, record in dict(self._kept).items():
            for row in super().rows(Listing(1, equal={"run_id": run_id})):
                counts[row.state] -= 1
                counts[record.state] += 1
        return counts

    def _newest(self, row: RunRow) -> RunRow:
        kept = self._kept.get(row.run_id)
        if kept is None:
            return row
        return replace(
            row, state=kept.state, reason=kept.reason, host=kept.host,
            started_ns=kept.started_ns, ended_ns=kept.ended_ns,
        )  # fmt: skip
