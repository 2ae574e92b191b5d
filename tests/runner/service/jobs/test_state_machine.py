"""Any order of create, cancel, open, close, abandon, stop, kill and restart leaves legal states."""

import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, Final

import psutil
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from tests.long import keep_figures, length
from wattmark_runner.errors import Conflict, Invalid, RequestRefused
from wattmark_runner.records.database import Listing, RunDatabase
from wattmark_runner.records.model import FINAL, RunRequest, RunSource, RunState
from wattmark_runner.records.window_request import WindowRequest, WindowResults
from wattmark_runner.service.context import AppContext
from wattmark_runner.service.services import Services
from wattmark_runner.workloads.reading import load_config
from wattmark_store import open_store

Q, R, S = RunState.QUEUED, RunState.RUNNING, RunState.SCORING
DONE, FAILED = RunState.DONE, RunState.FAILED
CANCELLED, INTERRUPTED = RunState.CANCELLED, RunState.INTERRUPTED
OWN: Final = {
    None: {Q},
    Q: {R, FAILED, CANCELLED},
    R: {S, FAILED, CANCELLED, INTERRUPTED},
    S: {DONE, FAILED, CANCELLED},
    DONE: {DONE, FAILED},  # scored again
    FAILED: {DONE, FAILED},
}
"""Which states may follow which, for a run of the runner's own."""
EXTERNAL: Final = {
    None: {R, S},  # S: its first window was posted whole
    R: {R, S, FAILED, CANCELLED, INTERRUPTED},
    S: {S, R, DONE, FAILED},
    DONE: {R, S, DONE, FAILED},
    FAILED: {R, S, DONE, FAILED},
}
"""The same for a run of windows from elsewhere: it takes more windows, and is scored again."""
HISTORIES: Final[Counter[str]] = Counter()
"""What all histories together held."""
ALL: Final = Listing(10_000)
FEW: Final = settings(
    max_examples=length(4, 60), stateful_step_count=length(14, 25), deadline=None,
    database=None, derandomize=True, phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
SHORT: Final = RunRequest(
    "quick", "steady", repeats=1, seconds=0.2, parameters={"how": "idle"}, warmup_seconds=0.0,
    idle_before_seconds=0.0, idle_after_seconds=0.0,
)  # fmt: skip


class Runs(RuleBasedStateMachine):
    """Clients of one service, which is stopped, killed and started again in between."""

    runs: Bundle[str] = Bundle("runs")
    windows: Bundle[str] = Bundle("windows")

    def __init__(self, rooms: Any) -> None:
        super().__init__()
        self.rooms = rooms
        self.folder = tempfile.TemporaryDirectory()
        self.store = open_store(rooms.store_url)
        self.others = children()
        self.starts = 0
        self.made: dict[str, int] = {}
        """Each run with the number of the service that it was made by."""
        self.services = self.started(RunDatabase(self.data("0.sqlite")))
        HISTORIES["histories"] += 1

    def data(self, name: str) -> Path:
        """A file of this machine's own."""
        return Path(self.folder.name) / name

    def started(self, database: RunDatabase) -> Services:
        """A service over a run database."""
        context = AppContext(
            self.rooms.exporter_url, self.store, database, Path(self.folder.name),
            self.rooms.data / "cache", load_config(self.rooms.config),
        )  # fmt: skip
        self.starts += 1
        HISTORIES["starts of the service"] += 1
        services = Services.of(context)
        services.start()
        return services

    @property
    def database(self) -> RunDatabase:
        """What the running service keeps."""
        return self.services.context.database

    # What clients do

    @rule(target=runs)
    def create(self) -> str:
        """Queue a run that takes two or three seconds."""
        return self.noted(self.services.queue.submit(SHORT).run_id)

    @rule(run_id=runs)
    def cancel(self, run_id: str) -> None:
        """Cancel a run, in whatever state it is."""
        allowed(lambda: self.cancelled(run_id))

    @rule(target=windows, limit=st.sampled_from([0.2, 60.0]))
    def open(self, limit: float) -> str:
        """Open a window with a run of its own; some are abandoned soon."""
        return self.opened(limit, None)

    @rule(target=windows, limit=st.sampled_from([0.2, 60.0]), run_id=runs)
    def open_in(self, limit: float, run_id: str) -> Any:
        """Open one more window of a run."""
        found = allowed(lambda: self.opened(limit, run_id))
        return multiple() if found is None else found

    @rule(target=runs, window_id=windows)
    def run_of(self, window_id: str) -> str:
        """Its run may be cancelled, and get more windows."""
        return self.database.window(window_id).window.run_id

    @rule(window_id=windows, correct=st.sampled_from([None, 3, 11]))
    def close(self, window_id: str, correct: int | None) -> None:
        """Close a window; 11 of 10 cannot be correct."""
        allowed(lambda: self.closed(window_id, correct), Conflict, Invalid)

    @rule(target=windows)
    def post(self) -> str:
        """Post a window that is over."""
        now = time.time_ns()
        row = self.services.external.post(
            WindowRequest("w", "m"), now - 500_000_000, now - 100_000_000, WindowResults(10, 9)
        )
        self.noted(row.window.run_id)
        return row.window.window_id

    @rule(window_id=windows)
    def close_and_cancel(self, window_id: str) -> None:
        """Two clients at once: one closes a window, the other cancels its run."""
        run_id = self.database.window(window_id).window.run_id
        with ThreadPoolExecutor(2) as pool:
            closing_it = pool.submit(allowed, lambda: self.closed(window_id, None))
            time.sleep(0.002)
            pool.submit(allowed, lambda: self.cancelled(run_id)).result()
            closing_it.result()

    @rule(run_id=runs)
    def score_again(self, run_id: str) -> None:
        """Score a run once more."""
        allowed(lambda: self.services.scoring.again(run_id))

    @rule(seconds=st.sampled_from([0.3, 1.0, 2.0]))
    def wait(self, seconds: float) -> None:
        """Let things take their course."""
        time.sleep(seconds)

    # What becomes of the service

    @rule()
    def restart(self) -> None:
        """Stop the service in order, and start it again."""
        self.services.stop()
        self.services = self.started(self.database)

    @rule()
    def kill(self) -> None:
        """Go on from what was in the database at one instant, as after SIGKILL."""
        copy = self.data(f"{self.starts}.sqlite")
        with (
            closing(sqlite3.connect(self.database.path)) as ours,
            closing(sqlite3.connect(copy)) as theirs,
        ):
            ours.backup(theirs)
        self.services.stop()
        self.database.close()
        self.services = self.started(RunDatabase(copy))

    # What is always so

    @invariant()
    def nothing_is_lost(self) -> None:
        """Every run that was accepted is there, and no other."""
        assert {row.run_id for row in self.database.rows(ALL)} == set(self.made)

    @invariant()
    def one_run_is_measured(self) -> None:
        """Of the runner's own runs at most one is under way."""
        rows = self.database.rows(ALL)
        assert sum(row.source is RunSource.RUNNER and row.state is R for row in rows) <= 1

    @invariant()
    def open_windows_belong_to_running_runs(self) -> None:
        """A window is open only while its run is running."""
        states = {row.run_id: row.state for row in self.database.rows(ALL)}  # before the windows
        for row in self.database.windows(ALL):
            assert row.state != "open" or states[row.window.run_id] is R

    @invariant()
    def every_step_is_legal(self) -> None:
        """The events of each run hold only steps that exist."""
        for row in self.database.rows(ALL):
            legal = OWN if row.source is RunSource.RUNNER else EXTERNAL
            before = None
            for state in states_in(self.database, row.run_id):
                assert state in legal[before], (row, states_in(self.database, row.run_id))
                before = state
                if state is INTERRUPTED:
                    assert self.made[row.run_id] < self.starts, row

    def teardown(self) -> None:
        """All runs come to an end; the last event of each is what became of it."""
        try:
            self.finish()
            self.judge()
        finally:
            self.services.stop()
            self.database.close()
            self.store.close()
            self.folder.cleanup()
        assert not children() - self.others

    def finish(self) -> None:
        """Cancel what waits, close what is open, and wait for the rest."""
        for run_id in self.database.queue():
            allowed(partial(self.cancelled, run_id))
        for row in self.database.windows(Listing(10_000, equal={"state": "open"})):
            allowed(partial(self.closed, row.window.window_id, None))
        deadline = time.monotonic() + 60.0
        while self.database.in_state(Q, R, S):
            assert time.monotonic() < deadline, self.database.rows(ALL)
            time.sleep(0.1)

    def judge(self) -> None:
        """Each run as a whole."""
        self.every_step_is_legal()
        for row in self.database.rows(ALL):
            assert row.state in FINAL
            assert (row.reason == "") == (row.state is DONE), row
            record = self.database.load(row.run_id)
            assert record.scores or row.state is not DONE, row
            assert states_in(self.database, row.run_id)[-1] is row.state

    # Calls

    def noted(self, run_id: str) -> str:
        HISTORIES["runs"] += run_id not in self.made
        self.made.setdefault(run_id, self.starts)
        return run_id

    def opened(self, limit: float, run_id: str | None) -> str:
        row = self.services.external.open(WindowRequest("w", "m", max_seconds=limit, run_id=run_id))
        self.noted(row.window.run_id)
        return row.window.window_id

    def closed(self, window_id: str, correct: int | None) -> None:
        self.services.external.close(window_id, WindowResults(10, correct))

    def cancelled(self, run_id: str) -> None:
        if self.database.row(run_id).source is RunSource.EXTERNAL:
            self.services.external.cancel(run_id)
        else:
            self.services.queue.cancel(run_id)


def allowed(call: Callable[[], Any], *refusals: type[RequestRefused]) -> Any:
    """What a call gives; None if its refusal is one of these: ``Conflict`` if none is named."""
    try:
        return call()
    except RequestRefused as refusal:
        if not isinstance(refusal, refusals or Conflict):
            raise
        return None


def states_in(database: RunDatabase, run_id: str) -> list[RunState]:
    """The states in a run's events, in order."""
    return [RunState(e.body["state"]) for e in database.events(run_id) if e.kind == "state"]


def children() -> set[int]:
    """The processes that this one has started, and those that they have."""
    return {process.pid for process in psutil.Process().children(recursive=True)}


@pytest.mark.slow
@pytest.mark.long
def test_any_order_leaves_legal_states(service: Any) -> None:
    """Whatever clients and the service's end do to one another, every run's history is legal."""

    class Here(Runs):
        def __init__(self) -> None:
            super().__init__(service)

    HISTORIES.clear()
    run_state_machine_as_test(Here, settings=FEW)
    assert HISTORIES["runs"] > 0
    keep_figures(
        "histories-of-runs",
        "Runs created, cancelled, stopped and killed in any order: all states legal",
        ["of what", "how many"], [[name, f"{count:,}"] for name, count in HISTORIES.items()],
    )  # fmt: skip
