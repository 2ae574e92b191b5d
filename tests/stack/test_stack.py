"""The compose file, for real: images, health, samples, runs, and servers that are killed."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import httpx
import pytest

from wattmark_core.errors import ExporterError
from wattmark_core.exporter_api import ExporterClient
from wattmark_core.line_protocol import decode

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
S = 1_000_000_000
OUTAGE_SECONDS = 60
SHORT = {"repeats": 2, "seconds": 5.0, "idle_before_seconds": 5.0, "idle_after_seconds": 5.0}


def test_the_stack_comes_up_and_a_sample_and_a_window_are_in_influxdb(stack: Any) -> None:
    """``make stack`` ended well: healthy, each user held to its rights, a sample, a window."""
    written = stack.query("grafana", "results", 'SELECT * FROM "window" ORDER BY time DESC LIMIT 1')
    columns = dict(zip(written[0]["columns"], written[0]["values"][0], strict=True))
    assert columns["workload"] == "stack smoke test"
    assert columns["end_ns"] > columns["time"]
    names = {series["name"] for series in stack.query("grafana", "telemetry", "SHOW MEASUREMENTS")}
    assert names == {"measurements"}
    assert {p.name for p in stack.secrets.iterdir()} >= {"runner-keys", "grafana-admin-password"}
    assert stack.secrets.stat().st_mode & 0o777 == 0o700


def test_host_metrics_inside_equal_those_outside(stack: Any) -> None:
    """The exporter in its container reports the machine, by the machine's own name."""
    before = _outside()
    time.sleep(3.0)  # two samples of the host
    inside: dict[tuple[str, str], float] = {}
    for measurement in ("memory", "cpu", "network"):
        for series in stack.query(
            "grafana", "telemetry", f"SELECT last(*) FROM {measurement} GROUP BY *"
        ):
            row = dict(zip(series["columns"], series["values"][0], strict=True))
            device = series["tags"].get("interface", "")
            inside |= {(f"{measurement}.{name[5:]}", device): value for name, value in row.items()
                       if value is not None and name.startswith("last_")}  # fmt: skip
            assert series["tags"]["host"] == Path("/etc/hostname").read_text().strip()
    after = _outside()
    assert inside["memory.total_bytes", ""] == before["memory.total_bytes", ""]
    assert inside["cpu.cpus", ""] == os.cpu_count()
    compared = [key for key in before if key in inside and key[0] != "memory.total_bytes"]
    assert ("cpu.busy_seconds", "") in compared
    assert any(name == "network.received_bytes" for name, _ in compared)
    for key in compared:
        assert before[key] * 0.999 <= inside[key] <= after[key] * 1.001, key


def test_a_run_is_measured_and_its_windows_and_score_are_in_influxdb(
    stack: Any, until: Callable[..., Any]
) -> None:
    """A run over REST ends done, estimated as such, and InfluxDB has what the runner says."""
    with stack.runner() as api:
        run = _start(api)
        ended = until(lambda: _ended(api, run), 240.0)
        assert ended["state"] == "done", ended
        values = {s["value"] for s in api.get(f"/runs/{run}/score").json()["scores"]}
    text = f"SELECT * FROM score WHERE run_id = '{run}'"
    rows = _rows(stack.query("grafana", "results", text))
    assert {row["method"] for row in rows if row["method"]} == {"estimated"}
    assert {row["value"] for row in rows} == values
    windows = _rows(stack.query(
        "grafana", "results", f"SELECT * FROM \"window\" WHERE run_id = '{run}'"
    ))  # fmt: skip
    assert sorted(row["phase"] for row in windows).count("inference") == 2
    assert all(row["joules"] > 0 for row in windows if row["phase"] == "inference")


def test_nothing_is_lost_while_influxdb_is_away_and_the_collector_is_killed(
    stack: Any, until: Callable[..., Any]
) -> None:
    """InfluxDB stops for a minute during a run, the collector is killed and started again; then
    the store holds exactly the (series, time) that an independent reader of the exporter saw, and
    the run is scored."""
    with stack.runner() as api, Reader(stack) as reader:
        run = _start(api)
        until(lambda: api.get(f"/runs/{run}").json()["state"] == "running")
        stack.compose("stop", "influxdb")
        stopped = time.monotonic()
        time.sleep(OUTAGE_SECONDS / 3)
        collector = stack.compose("ps", "-q", "collector").strip()
        subprocess.run(["docker", "kill", "--signal", "KILL", collector], check=True)
        stack.compose("up", "-d", "--no-deps", "collector")
        time.sleep(max(0.0, stopped + OUTAGE_SECONDS - time.monotonic()))
        stack.compose("start", "influxdb")
        ended = until(lambda: _ended(api, run), 300.0)
        assert ended["state"] == "done", ended
        end_ns = reader.newest_ns()
    seen = {key for key in reader.seen if key[1] <= end_ns}
    start_ns = min(time_ns for _, time_ns in seen)
    assert (end_ns - start_ns) / S > OUTAGE_SECONDS
    until(lambda: _stored(stack, end_ns, end_ns + 30 * S), 90.0)
    stored = _stored(stack, start_ns, end_ns)
    assert seen - stored == set()
    assert stored - seen == set()


def test_secrets_are_changed_while_it_runs(stack: Any) -> None:
    """After ``make stack-rotate`` the old passwords and keys open nothing, the new ones all."""
    names = ("influxdb-grafana-password", "influxdb-collector-password", "runner-keys",
             "exporter-token")  # fmt: skip
    old = {name: stack.secret(name) for name in names}
    stack.tool("rotate")
    assert all(stack.secret(name) != old[name] for name in names)
    answer = httpx.get(
        f"http://{stack.address('influxdb', 8086)}/query",
        params={"db": "results", "q": "SHOW SERIES"},
        auth=("grafana", old["influxdb-grafana-password"]),
    )  # fmt: skip
    assert answer.status_code == 401
    key = old["runner-keys"].split()[-1]
    address = stack.address("runner", 8080)
    headers = {"Authorization": f"Bearer {key}"}
    assert httpx.get(f"http://{address}/api/v1/runs", headers=headers).status_code == 401
    headers = {"Authorization": f"Bearer {old['exporter-token']}"}
    exporter = stack.inside("exporter", 9109)
    assert httpx.get(f"http://{exporter}/samples", headers=headers).status_code == 401


def test_a_backup_brings_everything_back(stack: Any, tmp_path: Path) -> None:
    """What was written after the backup is gone after the restore; what was there before is there,
    in InfluxDB and in the runner, and the stack works."""
    with stack.runner() as api:
        before = {run["run_id"] for run in api.get("/runs").json()["runs"]}
    windows = len(_rows(stack.query("grafana", "results", 'SELECT * FROM "window"')))
    assert before
    assert windows
    stack.tool("backup", str(tmp_path / "copy"))
    with stack.runner() as api:
        window_body = {"workload": "after the backup", "model": "none"}
        window = api.post("/windows", json=window_body).json()
        later = window["run_id"]
        time.sleep(1.0)
        api.patch(f"/windows/{window['window_id']}", json={"inferences": 1}).raise_for_status()
    stack.tool("restore", str(tmp_path / "copy"))
    with stack.runner() as api:
        after = {run["run_id"] for run in api.get("/runs").json()["runs"]}
    assert later not in after
    assert before <= after
    assert len(_rows(stack.query("grafana", "results", 'SELECT * FROM "window"'))) >= windows


def test_a_second_host_is_one_file_and_a_certificate(
    stack: Any, tmp_path: Path, until: Callable[..., Any]
) -> None:
    """Its exporter comes up healthy over TLS, answers with the token, and to nobody without."""
    certificates = tmp_path / "certificates"
    make = [sys.executable, "-m", "wattmark_cli", "tls", "init", str(certificates)]
    subprocess.run(make, check=True, capture_output=True)
    (certificates / "token").write_text("a-token-of-the-tests")
    (certificates / "token").chmod(0o600)
    override = tmp_path / "build.yml"
    override.write_text("services: {exporter: {build: {network: host}}}\n")
    more = {"COMPOSE_PROJECT_NAME": f"wattmark-second-{os.getpid()}",
            "WATTMARK_CERTIFICATES": str(certificates), "WATTMARK_BIND": "127.0.0.1",
            "WATTMARK_EXPORTER_PORT": "0"}  # fmt: skip
    second = replace(
        stack, main=ROOT / "exporters/docker-compose.yml", files=(override,) if stack.files else (),
        environment={**stack.environment, **more},
    )  # fmt: skip
    try:
        second.compose("up", "-d")
        until(lambda: second.health("exporter") == "healthy", 90.0)
        url = f"https://{second.address('exporter', 9109)}"
        ca, token = certificates / "ca.pem", certificates / "token"
        client = ExporterClient(url, ca_file=ca, token_file=token)
        assert client.sensors().host == Path("/etc/hostname").read_text().strip()
        client.close()
        stranger = ExporterClient(url, ca_file=ca)
        with pytest.raises(ExporterError, match="401"):
            stranger.samples()
        stranger.close()
    finally:
        second.compose("down", "--timeout", "5")


class Reader(threading.Thread):
    """Reads an exporter's samples on its own, as a second collector would."""

    def __init__(self, stack: Any) -> None:
        super().__init__(daemon=True)
        url, token = f"http://{stack.inside('exporter', 9109)}", stack.secrets / "exporter-token"
        self._client = ExporterClient(url, token_file=token)
        self._ended = threading.Event()
        self.seen: set[tuple[tuple[Any, ...], int]] = set()
        self._lock = threading.Lock()
        # From now on: what is in the ring already is older than this reader.
        self._cursor = self._client.samples("").cursor

    def run(self) -> None:
        while not self._ended.wait(0.5):
            page = self._client.samples(self._cursor)
            assert not page.lost
            found = {_key(line) for line in page.text.splitlines() if line}
            with self._lock:
                self.seen |= found
                self._cursor = page.cursor

    def newest_ns(self) -> int:
        """Time of the newest sample; later ones may not all have been read."""
        with self._lock:
            return max(time_ns for _, time_ns in self.seen) - S

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """No longer than the test: then the address is nobody's any more."""
        self._ended.set()
        self.join()
        self._client.close()


def _key(line: str) -> tuple[tuple[Any, ...], int]:
    sample = decode(line)
    tags = tuple(sorted((name, value) for name, value in sample.tag.items() if name != "host"))
    return (sample.measurement, *tags), sample.time_ns


def _stored(stack: Any, start_ns: int, end_ns: int) -> set[tuple[tuple[Any, ...], int]]:
    """What the store holds of the exporter's measurements."""
    found = set()
    names = "energy|power|cpu|memory|disk|network|gpu|sensor|exporter"
    text = f"SELECT * FROM /^({names})$/ WHERE time >= {start_ns} AND time <= {end_ns} GROUP BY *"
    for series in stack.query("grafana", "telemetry", text):
        tags = {name: value for name, value in series["tags"].items() if value and name != "host"}
        key = (series["name"], *sorted(tags.items()))
        found |= {(key, row[0]) for row in series["values"]}
    return found


def _outside() -> dict[tuple[str, str], float]:
    """The machine's own numbers: bytes of memory, busy CPU seconds, bytes received."""
    memory = Path("/proc/meminfo").read_text().split("MemTotal:")[1].split()[0]
    ticks = [int(word) for word in Path("/proc/stat").read_text().splitlines()[0].split()[1:]]
    user, nice, system, _, _, irq, softirq, _, guest, guest_nice = ticks
    busy = user + nice + system + irq + softirq - guest - guest_nice
    found = {
        ("memory.total_bytes", ""): int(memory) * 1024.0,
        ("cpu.busy_seconds", ""): busy / os.sysconf("SC_CLK_TCK"),
    }
    for line in Path("/proc/net/dev").read_text().splitlines()[2:]:
        name, _, numbers = line.partition(":")
        found["network.received_bytes", name.strip()] = float(numbers.split()[0])
    return found


def _start(api: httpx.Client) -> str:
    answer = api.post("/runs", json={"workload": "digits", "model": "mlp-small", **SHORT})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["run_id"])


def _ended(api: httpx.Client, run: str) -> Any:
    answer = api.get(f"/runs/{run}").json()
    return answer if answer["state"] in {"done", "failed", "cancelled", "interrupted"} else None


def _rows(series: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        dict(zip(table["columns"], row, strict=True)) for table in series for row in table["values"]
    ]
