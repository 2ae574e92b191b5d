"""From a real exporter through the collector and its spool into a real InfluxDB."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Any
from urllib.request import urlopen

import pytest

from tests.influxdb.servers import Server, write
from wattmark_collector.health import Health
from wattmark_collector.self_metrics import self_sample
from wattmark_collector.spool import SpooledStore
from wattmark_core.clock import SystemClock
from wattmark_core.exporter_api import ExporterClient
from wattmark_core.line_protocol import decode_lines
from wattmark_core.sample import Sample, make_tags
from wattmark_store import open_store

pytest.importorskip("influxdb_client", reason="needs the extra influxdb")
WaitFor = Callable[[Callable[[], object]], None]
Key = tuple[str, tuple[tuple[str, str], ...], int]
OWN = {"target", "collector"}


class Reader(Thread):
    """Reads ``/samples`` of an exporter on its own, all the time."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self.seen: set[Key] = set()
        self._client = ExporterClient(f"http://{address}")
        self._cursor = ""
        self._stopping = Event()

    def run(self) -> None:
        while not self._stopping.wait(0.1):
            self.read()

    def read(self) -> None:
        page = self._client.samples(self._cursor)
        assert page.lost == 0
        self._cursor = page.cursor
        samples = decode_lines(page.text)
        self.seen = self.seen | {(s.measurement, s.tags, s.time_ns) for s in samples}

    def stop(self) -> None:
        """Look once more, then end."""
        self._stopping.set()
        self.join()
        self.read()
        self._client.close()


def stored(each_influx: Server) -> set[Key]:
    """Series and time of all that is in the store, but for what the collector says of itself."""
    answer = each_influx.query("telemetry", "SELECT * FROM /.*/ GROUP BY *").get("series", [])
    return {
        (series["name"], make_tags(series.get("tags", {})), row[0])
        for series in answer
        if series["name"] not in OWN
        for row in series["values"]
    }


def test_kills_and_an_outage_lose_and_add_nothing(
    run_exporter: Callable[[], str], run_module: Callable[..., Any], each_influx: Server,
    wait_for: WaitFor, tmp_path: Path,
) -> None:  # fmt: skip
    """SIGKILL before, during and after the outage: the set of series and times in the store is
    that which an independent reader of the exporter saw."""
    address = run_exporter()
    reader = Reader(address)
    reader.start()
    (tmp_path / "targets.yml").write_text(
        "scrape_configs:\n- job_name: t\n  scrape_interval: 100ms\n"
        f"  metrics_path: /samples\n  static_configs: [{{targets: ['{address}']}}]\n"
    )

    def collector() -> Any:
        return run_module(
            "wattmark_collector", "--config", str(tmp_path / "targets.yml"),
            "--store", each_influx.url("collector"),
            "--store-password-file", str(each_influx.password_file("collector")),
            "--spool", str(tmp_path / "spool"), "--listen", "127.0.0.1:0",
        )  # fmt: skip

    def kill(running: Any) -> None:
        running.process.kill()
        running.process.wait()

    for pause_seconds in (0.0, 0.25):
        running = collector()
        time.sleep(pause_seconds)  # a different place in the round each time
        kill(running)
    running = collector()
    wait_for(lambda: stored(each_influx))
    each_influx.stop()
    try:
        wait_for(lambda: "samples wait in spool" in running.errors)
        status = urlopen(f"{running.ready.removeprefix('READY ')}/healthz")
        assert json.load(status)["status"] == "degraded"
        status.close()
        kill(running)
        kill(collector())
        running = collector()
        time.sleep(0.5)
    finally:
        each_influx.start()
    seen = set(reader.seen)
    wait_for(lambda: stored(each_influx) >= seen)
    own = "SELECT * FROM collector GROUP BY *"
    wait_for(lambda: "series" in each_influx.query("telemetry", own))
    assert running.stop() == 0
    found = stored(each_influx)
    reader.stop()
    assert seen <= found <= reader.seen
    assert each_influx.password_file("collector").read_text() not in running.errors
    (series,) = each_influx.query("telemetry", own)["series"]
    assert series["tags"]["host"]
    fields = {"spool_bytes", "spool_limit_bytes", "spool_oldest_seconds", "lost", "refused"}
    assert fields <= set(series["columns"])
    lag = each_influx.query("telemetry", "SELECT last(lag_seconds) FROM target")["series"][0]
    assert lag["values"][0][1] >= 0


@pytest.fixture
def spooled(each_influx: Server, tmp_path: Path) -> Iterator[SpooledStore]:
    """A spool before the running InfluxDB."""
    clock = SystemClock()
    store = open_store(each_influx.url("collector"), each_influx.password_file("collector"))
    made = SpooledStore(store, tmp_path / "spool", Health(), clock, self_sample("h1", clock))
    made.start()
    yield made
    made.close()


def sample(measurement: str, value: float, time_ns: int) -> Sample:
    """One value."""
    return Sample(measurement, make_tags({"host": "h1"}), {"value": value}, time_ns)


def test_a_field_of_another_type_stops_nothing(
    spooled: SpooledStore, each_influx: Server, wait_for: WaitFor, tmp_path: Path
) -> None:
    """The first writer of a field decides its type; the others are counted and kept."""
    now_ns = time.time_ns()
    write(each_influx, f"a,host=other value=1i {now_ns}")
    batch = [sample(name, 1.5, now_ns + n) for n in range(1, 2000) for name in ("a", "b")]
    spooled.write(batch)
    wait_for(lambda: spooled.fields["refused"] == 1999)
    wait_for(lambda: spooled.fields["spool_bytes"] == 0)
    assert len(stored(each_influx)) == 2000
    assert spooled.away is None
    refused_lines = (tmp_path / "spool" / "refused-new.lp").read_text().splitlines()
    assert len(refused_lines) == 1999


def test_a_line_that_cannot_be_parsed_stops_nothing(
    spooled: SpooledStore, each_influx: Server, wait_for: WaitFor, tmp_path: Path
) -> None:
    """Whether the server then stores the rest of the batch, as 1.x, or nothing of it, as 2.7: the
    bad ones are counted and kept, all others arrive."""
    now_ns, bad = time.time_ns(), {*range(0, 2000, 9)}
    batch = [
        Sample("a", make_tags({"host": "h1"}), {"end_ns": 1e300 if n in bad else 1.0}, now_ns + n)
        for n in range(2000)
    ]
    spooled.write([*batch, sample("b", 1.5, now_ns)])
    wait_for(lambda: spooled.fields["refused"] == len(bad))
    wait_for(lambda: spooled.fields["spool_bytes"] == 0)
    assert len(stored(each_influx)) == 2001 - len(bad)
    refused_lines = (tmp_path / "spool" / "refused-new.lp").read_text().splitlines()
    assert {int(line.rpartition(" ")[2]) - now_ns for line in refused_lines} == bad


def test_a_missing_database_is_waited_for(
    spooled: SpooledStore, each_influx: Server, wait_for: WaitFor
) -> None:
    """Nothing is thrown away; when it is made the samples arrive."""
    each_influx.drop("telemetry")
    spooled.write([sample("a", 1.5, time.time_ns())])
    wait_for(lambda: spooled.away)
    assert "make its databases" in str(spooled.away)
    each_influx.make_databases()
    wait_for(lambda: len(stored(each_influx)) == 1)
    assert spooled.fields["refused"] == spooled.fields["lost"] == 0


def test_a_wrong_password_is_waited_for(
    each_influx: Server, tmp_path: Path, wait_for: WaitFor
) -> None:
    """The samples wait for the next start with the right one."""
    (tmp_path / "wrong").write_text("guess")
    for password in (tmp_path / "wrong", each_influx.password_file("collector")):
        clock = SystemClock()
        store = open_store(each_influx.url("collector"), password)
        spooled = SpooledStore(store, tmp_path / "spool", Health(), clock, self_sample("h1", clock))
        if password.name == "wrong":
            spooled.write([sample("a", 1.5, time.time_ns())])
        spooled.start()
        wait_for(lambda each=spooled: each.away or stored(each_influx))  # type: ignore[misc] # a default
        assert (spooled.away is None) == (password.name != "wrong")
        spooled.close()
    assert len(stored(each_influx)) == 1


def test_minutes_are_rolled_up_before_segments_go(
    spooled: SpooledStore, each_influx: Server, wait_for: WaitFor
) -> None:
    """One value per minute in the one-minute database."""
    start_ns = (time.time_ns() // 60_000_000_000 - 5) * 60_000_000_000
    spooled.write([sample("a", float(n), start_ns + n * 1_000_000_000) for n in range(180)])
    wait_for(lambda: len(stored(each_influx)) == 180)
    wait_for(lambda: spooled.fields["spool_bytes"] == 0)
    spooled.roll_up(time.time_ns())

    def minutes() -> list[float]:
        answer = each_influx.query("telemetry_1m", "SELECT value FROM a")
        return [row[1] for series in answer.get("series", []) for row in series["values"]]

    wait_for(lambda: len(minutes()) == 3)
    assert minutes() == [29.5, 89.5, 149.5]
