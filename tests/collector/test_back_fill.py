"""Power of a time before a collector made it: as the roll-up would have made it, and once."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wattmark_core.catalogue import Method
from wattmark_core.sample import Sample, make_tags
from wattmark_store import open_store

pytest.importorskip("influxdb_client", reason="needs the extra influxdb")

S = 1_000_000_000
DAY = 86_400 * S
NOON = time.time_ns() // DAY * DAY - 2 * DAY + DAY // 2  # two days ago
COARSE = ("power_1m", "power_10m", "power_1h")
Points = dict[tuple[str, int], tuple[float, float]]
BackFill = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def back_fill(influx: Any) -> BackFill:
    """The program, as the collector's user."""

    def run(*options: str) -> subprocess.CompletedProcess[str]:
        file = influx.password_file("collector")
        command = [sys.executable, "-m", "wattmark_collector", "back-fill", "--store",
                   influx.url("collector"), "--store-password-file", str(file)]  # fmt: skip
        return subprocess.run([*command, *options], capture_output=True, text=True, check=False)

    return run


def energy(
    name: str, watts: Callable[[float], float], start_ns: int, seconds: int, *, device: str = "d",
    method: Method = Method.COUNTER,
) -> list[Sample]:  # fmt: skip
    """A counter at 1 Hz, 10 ms after the second, whose load changes: "host domain source"."""
    host, domain, source = name.split()
    tags = make_tags({"host": host, "domain": domain, "device": device, "source": source,
                      "method": method})  # fmt: skip
    joules, found = 0.0, []
    for second in range(seconds):
        fields = {"joules": joules, "epoch": start_ns // 1_000_000}
        found.append(Sample("energy", tags, fields, start_ns + second * S + 10_000_000))
        joules += watts(second)
    return found


def make(influx: Any, samples: list[Sample], now_ns: int) -> None:
    """What a collector makes of samples, one-minute values and power."""
    store: Any = open_store(influx.url("collector"), influx.password_file("collector"))
    store.write(samples)
    store.roll_up(now_ns)
    store.close()


def forget_power(influx: Any, *databases: str) -> None:
    """As before the update that brought it."""
    for name in databases:
        influx.query(name, "DROP SERIES FROM power")


def points(influx: Any, database: str) -> Points:
    """Watts and seconds by series and start."""
    found: Points = {}
    for row in influx.query(database, "SELECT * FROM power GROUP BY *").get("series", []):
        name = " ".join(value for _, value in sorted(row["tags"].items()) if value)
        for time_ns, *values in row["values"]:
            point = dict(zip(row["columns"][1:], values, strict=True))
            found[name, time_ns] = point["watts"], point["seconds"]
    return found


def fleet(start_ns: int = NOON, seconds: int = 2400) -> list[Sample]:
    """Two hosts with a package, one with a GPU."""
    return [
        *energy("a package rapl", lambda t: 30.0 + t % 90, start_ns, seconds),
        *energy("a gpu nvml", lambda t: 200.0 + 0.1 * t, start_ns + 300 * S, seconds - 300),
        *energy("b package rapl", lambda _: 55.0, start_ns, seconds),
    ]


def test_it_is_what_the_roll_up_would_have_made(influx: Any, back_fill: BackFill) -> None:
    """The same points; watts as near as counters once a minute can be."""
    make(influx, fleet(), NOON + 2500 * S)
    rolled_up = {name: points(influx, name) for name in COARSE}
    forget_power(influx, *COARSE)
    done = back_fill()
    assert (done.returncode, done.stderr) == (0, "")
    for name in COARSE:
        filled = points(influx, name)
        assert set(filled) <= set(rolled_up[name])
        assert len(filled) >= len(rolled_up[name]) - 5  # before each counter's first minute's end
        for key, (watts, seconds) in filled.items():
            if seconds > 0.99 * rolled_up[name][key][1]:
                assert watts == pytest.approx(rolled_up[name][key][0], rel=0.02)
    filled, hour = points(influx, "power_1h"), NOON
    assert filled["total b counter", hour][0] == pytest.approx(55.0)
    assert filled["total b counter", hour][1] == pytest.approx(2340.0)


def test_a_board_that_two_sources_see_counts_once_there_too(
    influx: Any, back_fill: BackFill
) -> None:
    """200 W by NVML, 210 W by DCGM, another board by DCGM alone at 90 W, an estimated package at
    70 W: the same series as of the roll-up, the same watts, and as many parts."""
    make(influx, [
        *energy("a gpu nvml", lambda _: 200.0, NOON, 2400),
        *energy("a gpu dcgm", lambda _: 210.0, NOON, 2400),
        *energy("a gpu dcgm", lambda _: 90.0, NOON, 2400, device="e"),
        *energy("a package estimate", lambda _: 70.0, NOON, 2400, method=Method.ESTIMATED),
    ], NOON + 2500 * S)  # fmt: skip
    query = "SELECT watts, parts FROM power WHERE source = '' GROUP BY *"
    rolled_up = {name: series(influx.query(name, query)) for name in COARSE}
    forget_power(influx, *COARSE)
    back_fill()
    for name in COARSE:
        assert series(influx.query(name, query)) == rolled_up[name] == {
            "a gpu counter": (290.0, 2), "a package estimated": (70.0, 1),
            "a total estimated": (360.0, 3),
        }  # fmt: skip


def series(answer: dict[str, Any]) -> dict[str, tuple[float, int]]:
    """Watts and parts of "host domain method", which are the same in all buckets."""
    found = {}
    for row in answer["series"]:
        tags = row["tags"]
        (held,) = {(round(watts, 6), parts) for _, watts, parts in row["values"]}
        found[f"{tags['host']} {tags['domain']} {tags['method']}"] = held
    return found


def test_it_prints_how_far_it_is(influx: Any, back_fill: BackFill) -> None:
    """A line for each day, newest first, and a last one; today has nothing."""
    make(influx, fleet(), NOON + 2500 * S)
    forget_power(influx, *COARSE)
    lines = back_fill().stdout.splitlines()
    assert len(lines) == 4
    assert lines[0].endswith(": 0 minutes were missing; day 1 of 3")
    assert lines[2].startswith(time.strftime("%Y-%m-%d: ", time.gmtime(NOON // S)))
    assert lines[2].endswith(" minutes were missing; day 3 of 3")
    assert lines[3].startswith("power is there: ")


def test_done_again_it_changes_nothing(influx: Any, back_fill: BackFill) -> None:
    """What is there stays to the last bit."""
    make(influx, fleet(), NOON + 2500 * S)
    forget_power(influx, *COARSE)
    back_fill()
    before = {name: points(influx, name) for name in COARSE}
    done = back_fill()
    assert {name: points(influx, name) for name in COARSE} == before
    assert "power is there: 0 minutes made" in done.stdout


def test_stopped_in_the_middle_it_goes_on(influx: Any, back_fill: BackFill) -> None:
    """A day that is done, one of which the minutes are there and not yet the hours."""
    make(influx, [*fleet(), *fleet(NOON + DAY)], NOON + DAY + 2500 * S)
    forget_power(influx, *COARSE)
    back_fill()
    whole = {name: points(influx, name) for name in COARSE}
    influx.query("power_1h", f"DELETE FROM power WHERE time < {NOON + DAY // 2}")
    influx.query("power_10m", f"DELETE FROM power WHERE time < {NOON + DAY // 2}")
    influx.query("power_1m", f"DELETE FROM power WHERE time < {NOON + 1200 * S} AND host = 'a'")
    assert {name: points(influx, name) for name in COARSE} != whole
    back_fill()
    assert {name: points(influx, name) for name in COARSE} == whole


def test_older_ends_what_was_stopped_and_leaves_the_rest_alone(
    influx: Any, back_fill: BackFill
) -> None:
    """As each start of the stack does: today, after the first day with power, is not read
    again, and nothing is where power begins no later than the counters."""
    make(influx, [*fleet(NOON - DAY), *fleet(), *fleet(NOON + DAY)], NOON + DAY + 2500 * S)
    forget_power(influx, *COARSE)
    back_fill()
    whole = {name: points(influx, name) for name in COARSE}
    assert back_fill("--older").stdout == "power is there: 0 minutes made in 0 s\n"
    for name in COARSE:
        influx.query(name, f"DELETE FROM power WHERE time < {NOON + 1200 * S}")
    lines = back_fill("--older").stdout.splitlines()
    assert [line.split(": ")[0] for line in lines[:-1]] == [
        time.strftime("%Y-%m-%d", time.gmtime(at // S)) for at in (NOON + DAY, NOON, NOON - DAY)
    ]
    assert {name: points(influx, name) for name in COARSE} == whole
    forget_power(influx, *COARSE)
    back_fill("--older")
    assert {name: points(influx, name) for name in COARSE} == whole


def test_what_was_made_of_finer_samples_stays(influx: Any, back_fill: BackFill) -> None:
    """And hours of which a part was made, since the update, become whole."""
    make(influx, fleet(), NOON + 2500 * S)
    finer = points(influx, "power_1m")
    updated = NOON + 1200 * S
    for name in COARSE:
        influx.query(name, f"DELETE FROM power WHERE time < {updated}")
    back_fill()
    found = points(influx, "power_1m")
    unchanged = {key: value for key, value in finer.items() if key[1] >= updated}
    assert unchanged.items() <= found.items()
    watts, seconds = points(influx, "power_1h")["total b counter", NOON]
    assert (watts, seconds) == pytest.approx((55.0, 2399.0 - 59.0), abs=1.5)


def test_late_samples_of_that_time_do_not_cost_the_rest_of_their_minute(
    influx: Any, back_fill: BackFill
) -> None:
    """The minute was made of one-minute values; it is made of samples now, for every host."""
    make(influx, fleet(), NOON + 2500 * S)
    forget_power(influx, "power_10s", *COARSE)
    back_fill()
    before = points(influx, "power_1h")
    late = energy("a package rapl", lambda t: 30.0 + t % 90, NOON, 2400)[905:910]
    make(influx, late, NOON + 2 * 3600 * S)  # nothing else is of the hour before
    assert {time_ns for _, time_ns in points(influx, "power_10s")} == {
        NOON + second * S for second in range(840, 960, 10)
    }
    for name in ("total a counter", "total b counter"):
        assert points(influx, "power_1m")[name, NOON + 900 * S][1] == pytest.approx(60.0)
        assert points(influx, "power_1h")[name, NOON] == pytest.approx(before[name, NOON], rel=0.01)


def test_a_total_of_another_method_is_not_counted_twice(influx: Any, back_fill: BackFill) -> None:
    """A minute that was half estimated and half counted, made of samples, stays as it is."""
    estimate = [
        Sample("energy", make_tags({**sample.tag, "source": "estimate", "method": "estimated",
                                    "device": "cpu"}), sample.fields, sample.time_ns)
        for sample in energy("a package rapl", lambda _: 70.0, NOON, 600)
    ]  # fmt: skip
    counter = energy("a package rapl", lambda _: 50.0, NOON + 330 * S, 270)
    make(influx, [*estimate, *counter], NOON + 700 * S)
    before = points(influx, "power_1m")
    assert before["total a estimated", NOON + 300 * S][1] == pytest.approx(30.0, abs=10.1)
    back_fill()
    assert points(influx, "power_1m") == before


def test_since_leaves_out_what_was_before(influx: Any, back_fill: BackFill) -> None:
    """A date in UTC; what is none is one line."""
    make(influx, [*fleet(), *fleet(NOON + DAY)], NOON + DAY + 2500 * S)
    forget_power(influx, *COARSE)
    back_fill("--since", time.strftime("%Y-%m-%d", time.gmtime((NOON + DAY) // S)))
    assert {time_ns for _, time_ns in points(influx, "power_1h")} == {NOON + DAY}
    done = back_fill("--since", "yesterday")
    assert done.returncode == 2
    assert done.stderr == (
        "wattmark-collector: --since 'yesterday' is not a date such as 2026-11-30\n"
    )


def test_an_empty_store_has_nothing_to_fill(influx: Any, back_fill: BackFill) -> None:
    """Which is no error."""
    done = back_fill()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("power is there: 0 minutes made")


def test_sqlite_holds_no_power(tmp_path: Path) -> None:
    """Dashboards are InfluxDB's."""
    command = [sys.executable, "-m", "wattmark_collector", "back-fill", "--store",
               f"sqlite:///{tmp_path / 's.sqlite'}"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.endswith("holds no power; only InfluxDB's does\n")
    assert done.stderr.count("\n") == 1


def test_without_its_databases_it_says_where_they_are_described(
    influx: Any, back_fill: BackFill
) -> None:
    """And ends with status 1."""
    make(influx, fleet(), NOON + 2500 * S)
    influx.query("", "DROP DATABASE power_1m")
    done = back_fill()
    assert done.returncode == 1
    assert done.stderr.startswith("wattmark-collector: InfluxDB at ")
    assert "power_1m" in done.stderr
    assert done.stderr.count("\n") == 1
