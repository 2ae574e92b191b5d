"""What is InfluxDB's own: names that fight back, a server that is away or refuses, restarts."""

from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.influxdb.servers import Server, write
from tests.serving import serving
from wattmark_core.catalogue import Method
from wattmark_core.errors import ConfigurationError, StoreError, StoreUnavailable
from wattmark_core.results import Boundary, Phase, Score, Verdict, Window
from wattmark_core.sample import Sample, make_tags
from wattmark_store import Store, open_store

pytest.importorskip("influxdb_client", reason="needs the extra influxdb")

S = 1_000_000_000
MINUTE = 60 * S
NASTY = 'a"b,c=d e\\'
NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
SHARED = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def opened(each_influx: Server) -> Iterator[Callable[..., Any]]:
    """A store opened as a user; ``opened("collector")``."""
    stores: list[Store] = []

    def give(user: str = "admin", password_file: Path | None = None) -> Any:
        file = password_file or each_influx.password_file(user)
        stores.append(open_store(each_influx.url(user), file))
        return stores[-1]

    yield give
    for each in stores:
        each.close()


@pytest.fixture
def influx_store(opened: Callable[..., Any]) -> Any:
    """An empty store in InfluxDB."""
    return opened()


@SHARED
@given(name=NAMES, value=NAMES, model=NAMES)
@example(name="time zone", value=NASTY, model=NASTY)
@example(name="a", value="'; DROP DATABASE telemetry; --", model="' OR 'a' = 'a")
@example(name="a", value="\n\r\0␛b", model="\\\\'\"")
def test_every_name_comes_back_as_it_was(
    influx_store: Any, name: str, value: str, model: str
) -> None:
    """In a tag's name and value, a measurement, a model; and picks its own series only."""
    if name == "time" or name.startswith("_"):
        name = f"x{name}"
    tags = make_tags({name: value})
    influx_store.write([
        Sample(f"m{value}", tags, {"value": 1.0}, 5),
        Sample(f"m{value}", make_tags({name: f"{value}+"}), {"value": 2.0}, 5),
    ])  # fmt: skip
    (found,) = influx_store.series(f"m{value}", 0, 9, {name: value})
    assert found.tags == tags
    assert found.fields == {"value": (1.0,)}
    window = Window(value, "h", Phase.INFERENCE, 5, 9, model=model, run_id=value, label=model)
    influx_store.put_window(window)
    influx_store.put_window(Window("other", "h", Phase.INFERENCE, 6, 9, run_id=f"{value}+"))
    assert influx_store.windows(run_id=value) == [window]


@pytest.mark.parametrize("name", ["#hash", "#", "##", "\tname", "h#", "␛#", "#,a =b"])
def test_a_measurement_that_looks_like_a_comment_is_stored(influx_store: Any, name: str) -> None:
    """And comes back by its name, at one minute too, whatever its line begins with."""
    influx_store.write([
        Sample(name, make_tags({"host": "h", "#tag": "#value"}), {"#field": 1.0}, 5),
        Sample("other", make_tags({"host": "h"}), {"value": 2.0}, 5),
    ])  # fmt: skip
    influx_store.roll_up(2 * MINUTE)
    for twin in (name, f"{name}_1m"):
        (found,) = influx_store.series(twin, 0, 9, {"#tag": "#value"})
        assert found.fields["#field"] == (1.0,)
    (other,) = influx_store.series("other", 0, 9, {})
    assert other.fields == {"value": (2.0,)}


def test_a_field_that_is_no_longer_known_is_gone(influx_store: Any) -> None:
    """A score that has lost its value is not shown with the old one."""
    known = Score("r", "h", "m", "w", Boundary.CPU, "paper", 50, Method.COUNTER, Verdict.VALID,
                  1.5, 1.0, 2.0, accuracy=0.9)  # fmt: skip
    unknown = Score("r", "h", "m", "w", Boundary.CPU, "paper", 50, None, Verdict.INVALID, None,
                    None, None)  # fmt: skip
    influx_store.put_score(known)
    influx_store.put_score(unknown)
    assert influx_store.scores() == [unknown]


def test_integers_come_back_to_the_last_bit(influx_store: Any) -> None:
    """An epoch stays an integer, a whole float a float."""
    big = 2**62 + 1
    influx_store.write([Sample("energy", (), {"joules": 3.0, "epoch": big}, 5)])
    (data,) = influx_store.series("energy", 0, 9, {})
    assert repr(dict(sorted(data.fields.items()))) == repr({"epoch": (big,), "joules": (3.0,)})


def test_the_mean_of_an_integer_gauge_is_not_cut(influx_store: Any) -> None:
    """Two processes and one are 1.5 in a minute."""
    influx_store.write(
        Sample("gpu", (("device", "g"),), {"processes": n}, t * S) for t, n in ((1, 2), (2, 1))
    )
    influx_store.roll_up(2 * MINUTE)
    (data,) = influx_store.series("gpu_1m", 0, MINUTE, {})
    assert data.fields == {"processes": (1.5,), "processes_max": (2.0,)}


def test_a_new_collector_makes_the_minutes_that_the_old_one_did_not(
    opened: Callable[..., Any],
) -> None:
    """From the newest one-minute value, less the exporters' ring, on; at first from the start."""
    now = 10_000 * MINUTE

    def minutes(store: Any) -> set[int]:
        data = store.series("power_1m", 0, now, {})
        return {time_ns // MINUTE for series in data for time_ns in series.times_ns}

    def at(minute: int) -> Sample:
        return Sample("power", (("host", "h"),), {"watts": 1.0}, minute * MINUTE + S)

    first = opened("collector")
    first.write(at(minute) for minute in (9_900, 9_980))
    second = opened("collector")
    assert second.roll_up(now) == 2
    opened("admin").write([at(9_901), at(9_975), at(9_990)])
    third = opened("collector")
    assert third.roll_up(now) == 3  # 9,975 and 9,990, and 9,980 once more
    assert minutes(third) == {9_900, 9_975, 9_980, 9_990}


def test_users_may_do_their_work_and_no_more(opened: Callable[..., Any]) -> None:
    """The collector writes samples, the runner reads them and writes results."""
    sample = Sample("power", (("host", "h"),), {"watts": 1.0}, 61 * S)
    window = Window("w", "h", Phase.IDLE, 5, 9)
    collector, runner = opened("collector"), opened("runner")
    collector.write([sample])
    assert collector.roll_up(5 * MINUTE) == 1
    assert len(runner.series("power", 0, 99 * S, {})) == 1
    runner.put_window(window)
    runner.put_window(Window("w", "h", Phase.GUARD, 5, 9))
    assert [window.phase for window in runner.windows()] == [Phase.GUARD]
    calls: list[Callable[[], object]] = [
        lambda: collector.put_window(window), lambda: runner.write([sample]),
    ]  # fmt: skip
    for refused in calls:
        with pytest.raises(
            StoreUnavailable, match=r"refuses user \w+ .*; correct|let user \w+ use them"
        ):
            refused()


def test_a_wrong_password_is_refused_and_not_repeated(
    opened: Callable[..., Any], tmp_path: Path
) -> None:
    """One line that says what to correct. Nothing is lost: the same call may succeed later."""
    file = tmp_path / "password"
    file.write_text("sw0rdfish\n")
    store = opened("collector", file)
    with pytest.raises(StoreUnavailable, match="correct --store-password-file") as caught:
        store.write([Sample("power", (), {"watts": 1.0}, 1)])
    assert "sw0rdfish" not in f"{caught.value!r} {store.location} {vars(store)}"
    assert "\n" not in str(caught.value)


def test_a_server_that_is_away_is_not_one_that_refuses(each_influx: Server) -> None:
    """A stopped server is worth another try, a value of the wrong type is not."""
    store = open_store(each_influx.url("admin"), each_influx.password_file("admin"))
    each_influx.query("telemetry", "SHOW MEASUREMENTS")
    each_influx.stop()
    try:
        with pytest.raises(
            StoreUnavailable, match=r"no InfluxDB answers at http://127.0.0.1:\d+ \("
        ) as e:
            store.write([Sample("power", (), {"watts": 1.0}, 1)])
        assert "\n" not in str(e.value)
    finally:
        each_influx.start()
    store.write([Sample("power", (), {"watts": 1.0}, 1)])
    write(each_influx, 'odd value="text" 1')
    with pytest.raises(StoreError, match=r"field type conflict.*value.*odd") as conflict:
        store.write([Sample("odd", (), {"value": 1.0}, 2)])
    assert not isinstance(conflict.value, StoreUnavailable)
    each_influx.drop("telemetry")
    with pytest.raises(StoreUnavailable, match="make its databases and let user"):
        store.write([Sample("power", (), {"watts": 1.0}, 1)])
    store.close()


def test_a_refused_line_is_not_a_refused_user_and_harms_no_other(
    influx_store: Any, each_influx: Server
) -> None:
    """Whatever it is called; what was written beside it gets its one-minute values."""
    influx_store.roll_up(2 * MINUTE)
    name = "authorization: database not found"
    write(each_influx, name.replace(" ", r"\ ") + ' value="text" 1')
    with pytest.raises(StoreError, match="field type conflict") as caught:
        influx_store.write([Sample(name, (), {"value": 1.0}, 2),
                            Sample("power", (), {"watts": 1.0}, 2)])  # fmt: skip
    assert not isinstance(caught.value, StoreUnavailable)
    influx_store.roll_up(2 * MINUTE)
    assert len(influx_store.series("power_1m", 0, MINUTE, {})) == 1


def test_a_measurement_of_any_name_gets_its_minutes(influx_store: Any) -> None:
    """Also one that line protocol cannot hold."""
    influx_store.write([Sample(NASTY, (), {"value": 1.0}, 5)])
    assert influx_store.roll_up(2 * MINUTE) == 1
    assert len(influx_store.series(f"{NASTY}_1m", 0, MINUTE, {})) == 1


@pytest.fixture(params=[b"<html>log in</html>", b'{"error": "odd"}', b"[]", b"\xff"])
def other_server(request: pytest.FixtureRequest) -> Iterator[str]:
    """The store's URL of a server that says yes to everything and is no InfluxDB."""

    class Yes(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", str(len(request.param)))
            self.end_headers()
            self.wfile.write(request.param)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    with serving(Yes) as url:
        yield url.replace("http", "influxdb")


def test_another_server_is_not_taken_for_an_influxdb(other_server: str) -> None:
    """What it says yes to is not taken for written, nor its page for an answer."""
    with closing(open_store(other_server)) as store:
        calls: list[Callable[[], object]] = [
            store.windows, lambda: store.write([Sample("power", (), {"watts": 1.0}, 1)]),
        ]  # fmt: skip
        for call in calls:
            with pytest.raises(StoreUnavailable, match="is not an InfluxDB; correct --store"):
                call()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("influxdb://me:secret@h:8086", "holds a password"),
        ("influxdb://me@", "is not influxdb://"),
        ("influxdb://me@h:8086/telemetry", "is not influxdb://"),
        ("influxdb://me@h:port", "cannot be read"),
        ("influxdb://me@h", "give --store-password-file for user me"),
    ],
)
def test_a_url_that_is_none_is_refused(url: str, message: str) -> None:
    """Before anybody is asked; a password in it is not repeated."""
    with pytest.raises(ConfigurationError, match=message) as caught:
        open_store(url)
    assert "secret" not in str(caught.value)


def test_an_empty_or_missing_password_file_is_refused(tmp_path: Path) -> None:
    """By its name."""
    empty = tmp_path / "empty"
    empty.write_text("\n")
    for file in (empty, tmp_path / "none"):
        with pytest.raises(ConfigurationError, match=str(file)):
            open_store("influxdb://me@h", file)
