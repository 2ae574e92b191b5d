"""Writing: merged, idempotent, whole or not at all, from many threads and processes."""

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wattmark_core.catalogue import Method
from wattmark_core.errors import ConfigurationError, SamplesRefused, StoreError
from wattmark_core.results import Boundary, Check, Phase, Score, Verdict, Window
from wattmark_core.sample import Sample
from wattmark_store import Maintained, Store, open_store
from wattmark_store.schema import TABLES
from wattmark_store.sqlite import SqliteStore

MakeEnergy = Callable[..., Sample]
OWN_TABLES = {"series", "other", "cursor", "touched", "window", "score"}


def test_the_store_is_opened_by_url(tmp_path: Path) -> None:
    """And is what the protocols say."""
    opened: Store = open_store(f"sqlite:///{tmp_path / 'a b.sqlite'}")
    assert isinstance(opened, Maintained)
    opened.close()
    for url in ("sqlite:///", "/tmp/x", "mysql:///x", ""):  # noqa: S108 - never opened
        with pytest.raises(ConfigurationError, match="sqlite:///PATH"):
            open_store(url)


def test_integers_stay_integers_and_floats_floats(sqlite_store: SqliteStore) -> None:
    """In the catalogue's tables as the catalogue says, elsewhere as written; to the last bit."""
    big = 2**63 - 1
    sqlite_store.write([
        Sample("energy", (), {"joules": 0.1 + 0.2, "epoch": 1_700_000_000_123}, big),
        Sample("other_thing", (), {"n": big, "x": 3.0, "y": 0.1 + 0.2}, -5),
    ])  # fmt: skip
    (energy,) = sqlite_store.series("energy", 0, big, {})
    assert repr(dict(energy.fields)) == repr(
        {"joules": (0.1 + 0.2,), "epoch": (1_700_000_000_123,)}
    )
    (other,) = sqlite_store.series("other_thing", -9, 9, {})
    assert repr(dict(sorted(other.fields.items()))) == repr(
        {"n": (big,), "x": (3.0,), "y": (0.1 + 0.2,)}
    )


FIELDS = st.dictionaries(st.sampled_from(["joules", "uncertainty_seconds", "odd"]),
                         st.floats(0, 1e6), min_size=1)  # fmt: skip


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(st.integers(0, 5), FIELDS), min_size=1, max_size=12))
def test_writing_twice_changes_nothing_and_fields_merge(
    empty_store: Callable[[], Store], rows: list[tuple[int, dict[str, float]]]
) -> None:
    """A later sample of the same instant adds fields and replaces those it has."""
    store = empty_store()
    samples = [Sample("energy", (("host", "h"),), fields, t) for t, fields in rows]
    assert store.write(samples) == len(samples)
    once = store.series("energy", 0, 9, {})
    store.write(samples)
    assert store.series("energy", 0, 9, {}) == once
    expected: dict[int, dict[str, float]] = {}
    for t, fields in rows:
        expected.setdefault(t, {}).update(fields)
    (data,) = once
    found = {
        t: {name: column[i] for name, column in data.fields.items() if column[i] is not None}
        for i, t in enumerate(data.times_ns)
    }
    assert found == expected


def test_values_that_are_not_finite_are_left_out(store: Store) -> None:
    """And a sample of nothing else leaves no trace."""
    store.write([
        Sample("power", (), {"watts": float("nan")}, 1),
        Sample("odd", (), {"a": float("inf"), "b": 1.0}, 2),
    ])  # fmt: skip
    assert store.series("power", 0, 9, {}) == []
    (odd,) = store.series("odd", 0, 9, {})
    assert odd.fields == {"b": (1.0,)}


def test_a_cursor_goes_with_its_samples(sqlite_store: SqliteStore, energy: MakeEnergy) -> None:
    """In one transaction, also where a sample is refused: the others and the cursor are there."""
    assert sqlite_store.cursor("t") == ""
    sqlite_store.write([energy(1, 1.0)], target="t", cursor="i:1")
    with pytest.raises(SamplesRefused, match="64 bits"):
        sqlite_store.write(
            [energy(2, 2.0, device="new"), energy(2**63, 1.0)], target="t", cursor="i:3"
        )
    assert sqlite_store.cursor("t") == "i:3"
    assert [list(d.times_ns) for d in sqlite_store.series("energy", 0, 9, {})] == [[2], [1]]
    assert len(sqlite_store.series("energy", 0, 9, {"device": "new"})) == 1


def test_the_store_closes_once_and_then_refuses(tmp_path: Path, energy: MakeEnergy) -> None:
    """A second close does nothing; the samples are there when it is opened again."""
    store = SqliteStore(tmp_path / "s.sqlite")
    store.write([energy(1, 1.0)])
    store.close()
    store.close()
    with pytest.raises(StoreError, match="is closed"):
        store.write([energy(2, 1.0)])
    with pytest.raises(StoreError, match="is closed"):
        store.cursor("t")
    again = SqliteStore(tmp_path / "s.sqlite")
    assert len(again.series("energy", 0, 9, {})) == 1
    again.close()


def test_threads_share_a_store(store: Store, energy: MakeEnergy) -> None:
    """Writers and readers at once; nothing is lost."""

    def work(n: int) -> int:
        for t in range(50):
            store.write([energy(t, float(t), device=f"d{n}")])
            store.edges("energy", 0, 50, {"device": f"d{n}"})
        return n

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(work, range(4))) == [0, 1, 2, 3]
    assert [len(d.times_ns) for d in store.series("energy", 0, 50, {})] == [50] * 4


WRITER = """
import sys
from pathlib import Path
from wattmark_core.sample import Sample, make_tags
from wattmark_store.sqlite import SqliteStore
path, name = Path(sys.argv[1]), sys.argv[2]
store = SqliteStore(path)
tags = make_tags({"host": name})
seen = 0
for t in range(200):
    store.write([Sample("energy", tags, {"joules": t * 1.0}, t)], target=name, cursor=str(t))
    found = store.edges("energy", 0, 200, {}, neighbours=300)
    count = sum(len(data.times_ns) for data in found)
    assert count >= seen, "samples vanished"
    seen = count
store.close()
"""


def test_processes_share_a_file(tmp_path: Path) -> None:
    """Three that open a new file at once, write and read; each sees all that is there."""
    path = tmp_path / "s.sqlite"
    with ExitStack() as stack:
        processes = [
            stack.enter_context(subprocess.Popen(
                [sys.executable, "-W", "error", "-c", WRITER, str(path), f"h{n}"],
                stderr=subprocess.PIPE, text=True,
            ))
            for n in range(3)
        ]  # fmt: skip
        ended = [(process.communicate(timeout=60)[1], process.returncode) for process in processes]
    assert ended == [("", 0)] * 3
    store = SqliteStore(path)
    assert [len(d.times_ns) for d in store.series("energy", 0, 200, {})] == [200] * 3
    assert [store.cursor(f"h{n}") for n in range(3)] == ["199"] * 3
    store.close()


def test_no_measurement_has_the_name_of_another_table() -> None:
    """The catalogue may not grow into the store's own tables."""
    assert not OWN_TABLES & set(TABLES)


WINDOW = Window(
    "w1", "h1", Phase.INFERENCE, 100, 200, model="m", workload="digits", run_id="r1", repeat=2,
    label="x", inferences=1000, correct=900, cpu_seconds=1.5, joules=12.5, joules_low=12.0,
    joules_high=13.0, boundary=Boundary.CPU, method=Method.ESTIMATED, complete=False,
    overlapping=True,
)  # fmt: skip
CHECKS = (
    Check("duration", Verdict.WARNED, 3.0, 10.0, "s", "short"),
    Check("gap", Verdict.INVALID, None, None, "s", 'not "measured"'),
)
SCORE = Score(
    "r1", "h1", "m", "digits", Boundary.CPU, "paper", 50, Method.COUNTER, Verdict.WARNED, 1.5,
    1.0, 2.0, accuracy=0.9, parameters=2**40, checks=CHECKS,
)  # fmt: skip


def test_windows_come_back_as_they_were(store: Store) -> None:
    """With what is not known still unknown."""
    idle = Window("w0", "h2", Phase.IDLE, 10, 20)
    store.put_window(WINDOW)
    store.put_window(idle)
    assert store.windows() == [idle, WINDOW]
    store.put_window(Window("w1", "h1", Phase.WARMUP, 100, 200))
    assert store.windows(phase=Phase.INFERENCE) == []
    assert len(store.windows()) == 2


@pytest.mark.parametrize(
    ("start", "end", "found"),
    [(None, None, 1), (200, None, 1), (201, None, 0), (None, 100, 1), (None, 99, 0), (120, 130, 1)],
)
def test_windows_are_found_when_they_touch(
    store: Store, start: int | None, end: int | None, found: int
) -> None:
    """The bounds count as inside."""
    store.put_window(WINDOW)
    assert len(store.windows(start_ns=start, end_ns=end, host="h1", run_id="r1")) == found
    assert store.windows(start_ns=start, end_ns=end, host="other") == []


def test_scores_come_back_newest_run_first(store: Store) -> None:
    """Checks included; the same run, model, boundary and formula again replace a score."""
    newer = Score("r2", "h1", "m", "digits", Boundary.CPU, "paper", 60, None, Verdict.INVALID,
                  None, None, None)  # fmt: skip
    for score in (SCORE, newer, SCORE):
        store.put_score(score)
    assert store.scores() == [newer, SCORE]
    assert store.scores(run_id="r1", host="h1", workload="digits") == [SCORE]
    assert store.scores(workload="other") == []


def test_a_store_of_an_older_catalogue_grows(tmp_path: Path, energy: MakeEnergy) -> None:
    """Columns that a later version added are added to the file, the rest stays."""
    path = tmp_path / "s.sqlite"
    store = SqliteStore(path)
    store.write([energy(1, 1.0)])
    store.put_window(WINDOW)
    store.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("ALTER TABLE energy DROP COLUMN uncertainty_seconds")
        connection.execute('ALTER TABLE "window" DROP COLUMN complete')
        connection.commit()
    store = SqliteStore(path)
    store.write([energy(2, 2.0)])
    (data,) = store.series("energy", 0, 9, {})
    assert data.fields["uncertainty_seconds"] == (None, 0.001)
    assert store.windows()[0].complete is True
    store.close()
