"""What scoring reads: once, and nothing that may still have been on its way."""

import threading
from collections.abc import Iterator, Sequence
from copy import deepcopy
from pathlib import Path

import pytest

from tests.influxdb.servers import KINDS, server_of
from wattmark_core.catalogue import Method
from wattmark_core.results import Verdict
from wattmark_core.sample import Sample
from wattmark_runner.records.model import RunRecord
from wattmark_runner.scoring import await_samples
from wattmark_runner.scoring.overhead import RATIO
from wattmark_runner.scoring.reading import read_window
from wattmark_runner.scoring.run import score_run, score_when_sampled
from wattmark_store import Store, open_store
from wattmark_store.sqlite import SqliteStore
from wattmark_store.testing import CountingStore

CALLS_A_WINDOW = 5
"""The most calls that read samples."""
S = 1_000_000_000


@pytest.fixture(params=["sqlite", *KINDS])
def store(request: pytest.FixtureRequest, tmp_path: Path, samples: list[Sample]) -> Iterator[Store]:
    """Each kind of store, with all samples."""
    if request.param == "sqlite":
        opened: Store = SqliteStore(tmp_path / "store.sqlite")
    else:
        pytest.importorskip("influxdb_client", reason="needs the extra influxdb")
        server = server_of(request)
        server.make_databases()
        opened = open_store(server.url("admin"), server.password_file("admin"))
    opened.write(samples)
    yield opened
    opened.close()


def test_a_window_is_read_in_a_few_calls(store: Store, run: RunRecord) -> None:
    """Counted are the store's methods that return samples, called from reading the first window
    to the last thing that is shown of it. Not counted are those that write windows and scores, or
    read these."""
    counting = CountingStore(store)
    score_run(run, counting.store)
    assert len(run.windows) == 8
    assert 0 < counting.reads <= CALLS_A_WINDOW * len(run.windows)
    assert counting.calls["select"] == counting.reads
    failed = [check for check in run.checks if check.verdict is Verdict.INVALID]
    assert failed == []
    assert run.constants[RATIO] > 0.0


def test_stores_give_the_same_scores(
    store: Store, run: RunRecord, samples: list[Sample], tmp_path: Path
) -> None:
    """To the last digit, whatever they are kept in."""
    other = SqliteStore(tmp_path / "other.sqlite")
    other.write(samples)
    again = deepcopy(run)
    assert score_run(run, store).scores == score_run(again, other).scores
    assert (run.edges, run.usage, run.checks) == (again.edges, again.usage, again.checks)
    other.close()


class Arriving(threading.Event):
    """While scoring waits, the samples of some milliseconds more arrive in the store."""

    def __init__(
        self, store: Store, samples: Sequence[Sample], until_ns: int, step_ns: int
    ) -> None:
        super().__init__()
        self._store, self._coming = store, list(samples)
        self._until_ns, self._step_ns = until_ns, step_ns
        self.arrive(until_ns)

    def wait(self, timeout: float | None = None) -> bool:
        """Never cancelled."""
        self._until_ns += self._step_ns
        self.arrive(self._until_ns)
        return False

    def arrive(self, until_ns: float) -> None:
        """All until a time."""
        self._store.write(sample for sample in self._coming if sample.time_ns <= until_ns)
        self._coming = [sample for sample in self._coming if sample.time_ns > until_ns]


@pytest.mark.parametrize("step_ms", [40, 170, 990])
@pytest.mark.parametrize("machine", [True, False], ids=["all", "counters"])
def test_a_score_is_the_same_whenever_it_is_computed(
    run: RunRecord, samples: list[Sample], machine: bool, step_ms: int, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Whether as soon as its samples are there or when many more have come: to the last digit,
    with its checks, its means, the overhead and the samples that it keeps."""
    monkeypatch.setattr(await_samples, "POLL_SECONDS", 0.001)
    if not machine:  # nothing else is waited for
        samples = [sample for sample in samples if sample.measurement in {"energy", "power"}]
    run.windows.pop()  # it ends with a measured one
    end_ns = run.windows[-1].end_ns
    store = SqliteStore(tmp_path / "store.sqlite")
    arriving = Arriving(store, samples, end_ns - S, step_ms * 1_000_000)
    later = deepcopy(run)
    score_when_sampled(run, store, cancel=arriving)
    seen = store.series("energy", end_ns, end_ns + 60 * S, {"host": "h"})
    assert max(data.times_ns[-1] for data in seen) < end_ns + 12 * S  # not all had come
    arriving.arrive(float("inf"))
    score_run(later, store)
    assert later.scores == run.scores
    assert later.windows == run.windows
    assert (later.checks, later.usage, later.edges) == (run.checks, run.usage, run.edges)
    assert later.constants == run.constants
    assert later.reason == run.reason == ""
    assert (RATIO in run.constants) is machine
    store.close()


def test_a_counter_that_is_read_seldom_is_looked_for_farther_away(
    run: RunRecord, samples: list[Sample], tmp_path: Path
) -> None:
    """Without a sample within some seconds of an edge, one within half a minute is used; that
    takes a second call, and no third."""
    store = SqliteStore(tmp_path / "store.sqlite")
    gone = (run.windows[3].end_ns, run.windows[3].end_ns + 20 * S)
    store.write(s for s in samples if not gone[0] <= s.time_ns <= gone[1])
    counting = CountingStore(store)
    data = read_window(counting.store, run.windows[3], run.series)
    assert counting.calls == {"select": 2}
    for samples_of in data.counters:
        times, end_ns = samples_of.counter.times_ns, run.windows[3].end_ns
        if samples_of.series.method is Method.COUNTER:
            assert gone[1] < times[-1] < gone[1] + S
            assert times[times > end_ns].tolist() == [times[-1]]
    store.close()
