"""Results and one-minute values that replace others in InfluxDB: nothing is lost on the way."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.influxdb.gate import Gate
from tests.influxdb.servers import Server
from wattmark_core.catalogue import Method
from wattmark_core.errors import StoreError, StoreUnavailable
from wattmark_core.results import Boundary, Phase, Score, Verdict, Window
from wattmark_core.sample import Sample, make_tags
from wattmark_store import open_store
from wattmark_store.protocol import ViewPoint

pytest.importorskip("influxdb_client", reason="needs the extra influxdb")

S = 1_000_000_000
MINUTE = 60 * S
OLD = Window("w", "h", Phase.IDLE, 5, 9, joules=3.0)
SCORE = Score("r", "h", "m", "w", Boundary.CPU, "paper", 50, Method.COUNTER, Verdict.VALID,
              1.5, 1.0, 2.0)  # fmt: skip


@pytest.fixture
def gate(each_influx: Server) -> Iterator[Gate]:
    """A gate before each InfluxDB."""
    made = Gate(each_influx.address)
    yield made
    made.stop()


@pytest.fixture
def store(gate: Gate, each_influx: Server) -> Iterator[Any]:
    """A store behind the gate."""
    opened = open_store(gate.url(each_influx.name("runner")), each_influx.password_file("runner"))
    yield opened
    opened.close()


def keep_back(beginning: str) -> Callable[[str], bool]:
    """Carry out what begins so, and let nobody know."""
    return lambda what: not what.startswith(beginning)


def test_what_has_other_tags_is_written_before_the_old_goes(store: Any, gate: Gate) -> None:
    """Broken off at any call, the store has the new window or the old one; the next time puts all
    right."""
    store.put_window(OLD)
    new = replace(OLD, phase=Phase.GUARD)
    for call, left in (("SELECT", [OLD]), ("write", [OLD, new]), ("DELETE", [new])):
        store.put_window(OLD)
        gate.passed = keep_back(call)
        with pytest.raises(StoreUnavailable):
            store.put_window(new)
        gate.passed = lambda _: True
        assert sorted(store.windows(), key=lambda window: str(window.phase), reverse=True) == left
    store.put_window(new)
    assert store.windows() == [new]


def test_a_field_less_is_unwritten_until_it_is_written(store: Any, gate: Gate) -> None:
    """Broken off after the deletion, the writer gets an error, and writes again."""
    store.put_window(OLD)
    new = replace(OLD, joules=None)
    gate.passed = keep_back("DELETE")
    with pytest.raises(StoreUnavailable):
        store.put_window(new)
    gate.passed = lambda _: True
    assert store.windows() == []
    store.put_window(new)
    assert store.windows() == [new]


def test_a_longer_list_of_tags_is_not_deleted_with_a_shorter(store: Any) -> None:
    """A score that gets a tag more replaces the one without it, and nothing else."""
    store.put_score(SCORE)
    other = replace(SCORE, formula="other")
    store.put_score(other)
    changed = replace(SCORE, settings="batch_size=1", gpu="GPU-0123")
    store.put_score(changed)
    assert store.scores() == [other, changed]
    store.put_score(SCORE)
    assert store.scores() == [other, SCORE]


def test_what_is_shown_with_a_tag_more_stays(store: Any) -> None:
    """The series without it goes alone."""
    own = {"run_id": "r", "host": "h"}
    for more in ({}, {"variant": "v"}, {"variant": "v", "place": "p"}):
        tags = make_tags({**own, **more})
        store.show("repeat", {"run_id": "r"}, [ViewPoint("repeat", tags, {"watts": 1.0}, 5)])
        (found,) = store.ask("results", ['SELECT "watts" FROM "repeat" GROUP BY *'])
        assert [row.tags for row in found] == [tags]


def test_marking_anothers_window_deletes_nothing(store: Any, gate: Gate) -> None:
    """Who reads a window and writes it with a mark may be killed at any time: nobody else has it.
    Fields of another version stay."""
    store.put_window(replace(OLD, inferences=7, correct=3))
    store._send("results", ["window,host=h,phase=idle later_field=1 5"])
    (read,) = store.windows()
    gate.calls.clear()
    store.put_window(replace(read, overlapping=True))
    assert [call for call in gate.calls if call.startswith("DELETE")] == []
    assert store.windows() == [replace(read, overlapping=True)]


def test_results_of_statements_are_kept_apart(store: Any) -> None:
    """Also where some of them have none: InfluxDB 2.7 leaves those of deletions out."""
    store.put_window(OLD)
    delete, select = 'DELETE FROM "window" WHERE "host" = \'x\'', 'SELECT "end_ns" FROM "window"'
    for statements in ([delete], [delete, select], [select, delete, select], [delete, delete]):
        found = store.ask("results", statements)
        assert [len(rows) for rows in found] == [
            int(statement == select) for statement in statements
        ]


def test_late_samples_leave_one_row_of_each_series(each_influx: Server) -> None:
    """The overtaken row goes after the new one is there, and takes no other series' row of the
    same time with it."""
    gate = Gate(each_influx.address)
    collector = open_store(
        gate.url(each_influx.name("collector")), each_influx.password_file("collector")
    )
    host, device = make_tags({"host": "h"}), make_tags({"host": "h", "device": "d"})

    def rows() -> set[tuple[Any, int]]:
        return {(series.tags, time_ns) for series in collector.series("power_1m", 0, 9 * MINUTE, {})
                for time_ns in series.times_ns}  # fmt: skip

    collector.write([Sample("power", tags, {"watts": 1.0}, MINUTE) for tags in (host, device)])
    collector.roll_up(9 * MINUTE)  # type: ignore[attr-defined] # an InfluxDB's has it
    collector.write([Sample("power", host, {"watts": 1.0}, MINUTE + S)])
    gate.passed = lambda what: what != "write" and not what.startswith("DELETE FROM")
    with pytest.raises(StoreUnavailable):
        collector.roll_up(9 * MINUTE)  # type: ignore[attr-defined] # as above
    gate.passed = lambda _: True
    assert rows() == {(host, MINUTE), (device, MINUTE), (host, MINUTE + S)}
    collector.roll_up(9 * MINUTE)  # type: ignore[attr-defined] # as above
    collector.write([Sample("power", host, {"watts": 1.0}, MINUTE + S)])
    collector.roll_up(9 * MINUTE)  # type: ignore[attr-defined] # as above
    assert rows() == {(device, MINUTE), (host, MINUTE + S)}
    collector.close()
    gate.stop()


def test_a_line_that_cannot_be_parsed_takes_no_other_with_it(each_influx: Server) -> None:
    """Nor a batch of them; each is named, and all others are stored."""
    opened = open_store(each_influx.url("collector"), each_influx.password_file("collector"))
    bad = {3, 40, 41, 300}
    batch = [
        Sample("odd name", make_tags({"host": "a b,c"}), {"v_ns": 1e300 if n in bad else n}, n)
        for n in range(1, 400)
    ]
    with pytest.raises(StoreError, match="unable to parse") as caught:
        opened.write(batch)
    assert not isinstance(caught.value, StoreUnavailable)
    (data,) = opened.series("odd name", 0, 400, {})
    assert set(data.times_ns) == set(range(1, 400)) - bad
    opened.close()
