"""The collector's own pages: what they show, and to whom."""

import http.client
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from prometheus_client.parser import text_string_to_metric_families

from wattmark_collector.health import Health, TargetHealth
from wattmark_collector.self_metrics import self_sample
from wattmark_collector.status_metrics import CollectorState
from wattmark_collector.status_server import StatusServer
from wattmark_core.catalogue import BY_NAME, MEASUREMENTS
from wattmark_core.errors import ConfigurationError, PortInUse
from wattmark_core.testing import FakeClock

WaitFor = Callable[[Callable[[], object]], None]
SPOOL: dict[str, float | int] = {"spool_bytes": 5.0, "spool_limit_bytes": 100.0, "lost": 3}
URL = "http://h:9109/samples"


class Changing:
    """A state whose parts a test sets."""

    def __init__(self) -> None:
        self.health = Health()
        self.clock = FakeClock()
        self.fields = dict(SPOOL)
        self.away: str | None = None
        self.sending = True
        self.state = CollectorState(
            self.health, self.clock, lambda: self.fields, self_sample("h", self.clock),
            away=lambda: self.away, is_sending=lambda: self.sending,
        )  # fmt: skip


@pytest.fixture
def changing() -> Changing:
    """A healthy collector."""
    return Changing()


@pytest.fixture
def server(changing: Changing) -> Iterator[StatusServer]:
    """Its pages, on loopback."""
    made = StatusServer("127.0.0.1:0", changing.state, insecure_network=False)
    made.start()
    yield made
    made.stop()


def get(url: str, path: str) -> tuple[int, str]:
    """Status and body."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    connection.request("GET", path)
    response = connection.getresponse()
    body = response.read().decode()
    connection.close()
    return response.status, body


def metrics(text: str) -> dict[tuple[str, str], float]:
    """Value by name and target; each is what the catalogue says it is."""
    found: dict[tuple[str, str], float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            assert family.type == BY_NAME[sample.name].kind
            assert family.documentation == BY_NAME[sample.name].meaning
            found[sample.name, sample.labels.get("target", "")] = sample.value
    return found


def test_metrics_are_those_of_the_catalogue(changing: Changing, server: StatusServer) -> None:
    """What is not known is left out; lag is the age of what is in the store."""
    changing.health.polled(URL, TargetHealth("h1", True, 0.25, 1, 2), 1.0)
    changing.health.polled("http://other", TargetHealth("h2", False, 0.5, 0, 0, -1.5), 1.0)
    changing.health.stored(URL, changing.clock.realtime_ns() - 4_000_000_000)
    status, text = get(server.url, "/metrics")
    assert status == 200
    assert metrics(text) == {
        ("up", URL): 1, ("scrape_duration_seconds", URL): 0.25,
        ("wattmark_target_dropped_total", URL): 1, ("wattmark_target_lost_total", URL): 2,
        ("wattmark_target_lag_seconds", URL): 4.0,
        ("up", "http://other"): 0, ("scrape_duration_seconds", "http://other"): 0.5,
        ("wattmark_target_dropped_total", "http://other"): 0,
        ("wattmark_target_lost_total", "http://other"): 0,
        ("wattmark_target_clock_offset_seconds", "http://other"): -1.5,
        ("wattmark_collector_spool_bytes", ""): 5, ("wattmark_collector_lost_total", ""): 3,
        ("wattmark_collector_spool_limit_bytes", ""): 100,
    }  # fmt: skip
    changing.health.forget(URL)
    assert URL not in get(server.url, "/metrics")[1]


def test_health_is_ok_degraded_or_failed(changing: Changing, server: StatusServer) -> None:
    """A store that is away degrades: a restart of the collector would not help it."""

    def healthz() -> tuple[int, Any]:
        status, body = get(server.url, "/healthz")
        return status, json.loads(body)

    assert healthz() == (200, {"status": "ok"})
    changing.away = "store: nobody answers"
    assert healthz() == (200, {"status": "degraded", "reasons": ["store: nobody answers"]})
    changing.fields["spool_bytes"] = 91.0
    reasons = ["the spool is over 90% full", "store: nobody answers"]
    assert healthz() == (503, {"status": "failed", "reasons": reasons})
    changing.fields, changing.away, changing.sending = {}, None, False
    reasons = ["the sender has ended; restart the collector"]
    assert healthz() == (503, {"status": "failed", "reasons": reasons})


def test_no_poll_for_long_is_ill(changing: Changing, monkeypatch: pytest.MonkeyPatch) -> None:
    """A collector whose pollers all hang; long intervals are not."""
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 200)
    assert changing.state.status().failures == ["every poll is overdue by 200 s"]
    changing.health.polled(URL, TargetHealth("h1", False, 5.0, 0, 0), 300.0)
    monkeypatch.setattr(time, "monotonic", lambda: now + 600)
    assert changing.state.status().failures == []
    monkeypatch.setattr(time, "monotonic", lambda: now + 700)
    assert changing.state.status().failures == ["every poll is overdue by 200 s"]


def test_other_pages_are_not_there(server: StatusServer) -> None:
    """404 says which are."""
    assert get(server.url, "/samples") == (404, "no such page; there are /metrics /healthz\n")


def test_it_listens_on_loopback_unless_set(changing: Changing, server: StatusServer) -> None:
    """And on an address that is one, and free."""
    with pytest.raises(ConfigurationError, match="is not loopback"):
        StatusServer("0.0.0.0:0", changing.state, insecure_network=False)
    StatusServer("0.0.0.0:0", changing.state, insecure_network=True).stop()
    with pytest.raises(ConfigurationError, match="not of the form HOST:PORT"):
        StatusServer("9110", changing.state, insecure_network=False)
    with pytest.raises(PortInUse, match="choose another with --listen"):
        StatusServer(urlsplit(server.url).netloc, changing.state, insecure_network=False)


def check(url: str) -> tuple[int, str]:
    """What ``healthcheck`` says of it."""
    done = subprocess.run(
        [sys.executable, "-m", "wattmark_collector", "healthcheck", "--url", f"{url}/healthz"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    return done.returncode, done.stdout


def test_a_running_collector_is_well(
    serve: Callable[[str], Any], run_module: Callable[..., Any], tmp_path: Path, wait_for: WaitFor
) -> None:
    """READY names the address; ``healthcheck`` ends with 0, and with 1 when nobody is there."""
    target = serve("a 1\n")
    config = tmp_path / "targets.yml"
    config.write_text(f"scrape_configs:\n- job_name: a\n  scrape_interval: 100ms\n"
                      f"  static_configs: [{{targets: ['{target.address}']}}]\n")  # fmt: skip
    collector = run_module(
        "wattmark_collector", "--config", str(config), "--store",
        f"sqlite:///{tmp_path / 's.sqlite'}", "--listen", "127.0.0.1:0",
    )  # fmt: skip
    url = collector.ready.removeprefix("READY ")
    assert check(url) == (0, f"{url}/healthz: ok\n")
    found = metrics(get(url, "/metrics")[1])
    name = f"http://{target.address}/metrics"
    assert found["up", name] == 1
    wait_for(lambda: "wattmark_target_lag_seconds" in get(url, "/metrics")[1])
    assert 0 <= metrics(get(url, "/metrics")[1])["wattmark_target_lag_seconds", name] < 20
    assert found["wattmark_collector_written_total", ""] >= 2
    assert not [metric for metric, _ in found if "spool" in metric]
    assert collector.stop() == 0
    status, text = check(url)
    assert status == 1
    assert len(text.splitlines()) == 1
    assert "does not answer" in text


def test_the_catalogue_has_what_the_collector_says_of_itself() -> None:
    """Dashboards and alerts build on these names."""
    fields = {metric.field: metric.name for metric in MEASUREMENTS["collector"]}
    assert fields["spool_oldest_seconds"] == "wattmark_collector_spool_oldest_seconds"
    assert all(metric.tags == () for metric in MEASUREMENTS["collector"])
