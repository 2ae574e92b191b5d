"""The HTTP contract, on a real exporter in a child process."""

import http.client
import json
import random
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import pairwise
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import pytest
from prometheus_client.parser import text_string_to_metric_families

from wattmark_core.catalogue import BY_NAME
from wattmark_core.errors import ExporterError
from wattmark_core.exporter_api import ExporterClient, HostReport, SensorState
from wattmark_core.line_protocol import decode_lines
from wattmark_core.sample import Sample
from wattmark_core.testing import FakeClock
from wattmark_core.time_base_clock import TimeBaseClock
from wattmark_exporters.line_format import LineFormat
from wattmark_exporters.ring import Ring
from wattmark_exporters.sampler import Sampler
from wattmark_exporters.security import Security
from wattmark_exporters.server import Backend, ExporterServer

Start = Callable[..., Any]
Wait = Callable[[Callable[[], bool]], None]

SENSORS = '''
import time

from wattmark_core.catalogue import Domain
from wattmark_exporters import Counter, Power, Sensor, Traits, Values

TICKING = Traits(update_period_seconds=0.05, ticking=True, limit_watts=500.0)


class Meter(Sensor):
    """100 W, in ticks of 50 ms."""

    name = "meter"

    def read(self):
        yield Counter(Domain.PACKAGE, "socket0", 5.0 * (time.monotonic_ns() // 50_000_000), TICKING)
        yield Power(Domain.PACKAGE, "socket0", 100.0, TICKING)
        yield Values("room", {"place": "a lab, south"}, {"value": 21.5})


class Broken(Sensor):
    name = "broken"

    def read(self):
        raise RuntimeError("no answer\\nfrom the meter")
'''


@pytest.fixture
def meter(tmp_path: Path, exporter: Start) -> Start:
    """Start an exporter with the sensor above."""
    (tmp_path / "bench_sensors.py").write_text(SENSORS)

    def start(*arguments: str) -> Any:
        return exporter("--sensor", "bench_sensors:Meter", *arguments)

    return start


def request(
    url: str,
    method: str,
    path: str,
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
) -> tuple[int, str, dict[str, str]]:  # fmt: skip
    """One raw request: status, body, headers."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    connection = http.client.HTTPConnection(parts.hostname, parts.port or 0, timeout=20)
    try:
        connection.request(method, path, body=body, headers=headers or {})
        response = connection.getresponse()
        return response.status, response.read().decode(), dict(response.headers)
    finally:
        connection.close()


def samples_of(text: str, measurement: str) -> list[Sample]:
    """Samples of one measurement on a page."""
    return [sample for sample in decode_lines(text) if sample.measurement == measurement]


def test_cursor_goes_on(meter: Start, wait_until: Wait) -> None:
    """Pages fetched with the cursor join without a gap or a repeat, and carry the load's power."""
    client = meter().client
    energy: list[Sample] = []
    cursor = ""

    def fetch() -> bool:
        nonlocal cursor
        page = client.samples(cursor)
        cursor = page.cursor
        assert page.lost == 0
        energy.extend(samples_of(page.text, "energy"))
        return len(energy) >= 20

    wait_until(fetch)
    whole = samples_of(client.samples("").text, "energy")[: len(energy)]
    assert energy == whole
    assert all(b.time_ns > a.time_ns for a, b in pairwise(energy))
    joules = energy[-1].fields["joules"] - energy[0].fields["joules"]
    seconds = (energy[-1].time_ns - energy[0].time_ns) / 1e9
    doubt = energy[-1].fields["uncertainty_seconds"] + energy[0].fields["uncertainty_seconds"]
    assert joules == pytest.approx(100.0 * seconds, abs=100.0 * doubt)
    assert whole[0].tag["host"] == "test-host"


def test_unknown_instance_gets_the_ring(meter: Start, wait_until: Wait) -> None:
    """A cursor of another instance gets the whole ring, from the first sample on."""
    client = meter().client
    wait_until(lambda: bool(samples_of(client.samples().text, "energy")))
    first = client.samples("").text.splitlines()[0]
    assert client.samples("somebody-else:17").text.splitlines()[0] == first


def test_forced_sample(meter: Start) -> None:
    """``POST /sample`` reads now: power stamped after the call began is in the very next page."""
    client = meter().client
    report = client.sensors()
    cursor = client.samples().cursor
    start_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME) + report.offset_ns
    time.sleep(0.021)
    base = client.sample_now()
    assert (base.boot_id, base.instance) == (report.boot_id, report.instance)
    assert base.offset_ns == report.offset_ns
    power = samples_of(client.samples(cursor).text, "power")
    assert power[-1].time_ns > start_ns


def test_forced_sample_is_quick(meter: Start) -> None:
    """The goal is 2 ms at the median over a kept connection; a loaded machine gets ten times."""
    client = meter().client
    took = []
    for _ in range(50):
        start = time.perf_counter()
        client.sample_now()
        took.append(time.perf_counter() - start)
        time.sleep(0.021)
    assert statistics.median(took) < 0.020


def test_arm(meter: Start, wait_until: Wait) -> None:
    """An armed exporter stamps ticks several times better."""
    client = meter().client
    cursor = client.samples().cursor
    client.arm(60)

    def well_known() -> bool:
        energy = samples_of(client.samples(cursor).text, "energy")
        close = [s for s in energy if s.fields["uncertainty_seconds"] < 0.012]
        return len(close) >= 5

    wait_until(well_known)


def test_leases(clock: FakeClock) -> None:
    """Each client ends its own lease only; the report names who holds one, as sent; a name that
    cannot be kept is refused in one line, and so is one lease too many."""
    with serving(clock, Ring()) as server, closing(ExporterClient(server.url)) as client:
        client.arm(100, lease="a 1&", holder="run é of 2+2")
        client.arm(50, lease="b", holder="somebody")
        client.arm(10)
        client.arm(0, lease="b")
        now_ns = clock.realtime_ns()
        leases = {lease.lease: lease for lease in client.sensors().leases}
        assert {name: lease.holder for name, lease in leases.items()} == {
            "a 1&": "run é of 2+2", "b": "somebody", "": "",
        }  # fmt: skip
        assert leases["a 1&"].end_ns == now_ns + 100 * 10**9
        assert leases["b"].end_ns == now_ns
        status, text, _ = request(server.url, "POST", "/arm?seconds=1&lease=%00")
        assert (status, text.count("\n")) == (400, 1)
        for number in range(62):
            client.arm(1, lease=str(number))
        with pytest.raises(ExporterError, match="503"):
            client.arm(1, lease="one more")


def test_sensors(meter: Start, wait_until: Wait) -> None:
    """``/sensors`` has host, boot, time base and every sensor's state, with reason and remedy."""
    client = meter("--sensor", "bench_sensors:Broken").client
    wait_until(lambda: any(s.moving for s in client.sensors().sensors if s.name == "meter"))
    report = client.sensors()
    by_name = {sensor.name: sensor for sensor in report.sensors}
    assert report.host == "test-host"
    assert report.boot_id == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    wall_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME) + report.offset_ns
    assert wall_ns == pytest.approx(time.time_ns(), abs=50_000_000)
    assert report.instance == client.samples().cursor.partition(":")[0]
    assert by_name["meter"].state is SensorState.OK
    assert [s.device for s in by_name["meter"].energy] == ["socket0"]
    assert (by_name["broken"].state, by_name["broken"].reason) == (
        SensorState.FAILED, "RuntimeError: no answer from the meter",
    )  # fmt: skip
    assert by_name["rapl"].state is SensorState.ABSENT
    assert by_name["rapl"].remedy
    assert by_name["estimate"].state is SensorState.ABSENT
    assert "meter measures the package" in by_name["estimate"].reason


def test_metrics(meter: Start, wait_until: Wait) -> None:
    """``/metrics`` parses, uses the catalogue's names, kinds and tags, and keeps a user's own."""
    running = meter()

    def has_energy() -> bool:
        return "wattmark_energy_joules_total{" in request(running.url, "GET", "/metrics")[1]

    wait_until(has_energy)
    status, text, headers = request(running.url, "GET", "/metrics")
    assert status == 200
    assert headers["Content-Type"].startswith("text/plain")
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found[sample.name] = (family.type, sample.labels)
    kind, labels = found["wattmark_energy_joules_total"]
    assert kind == "counter"
    assert labels == {
        "domain": "package", "device": "socket0", "source": "meter", "method": "counter",
    }  # fmt: skip
    assert found.pop("room") == ("gauge", {"place": "a lab, south"})
    for name, (kind, labels) in found.items():
        assert kind == BY_NAME[name].kind
        assert set(labels) == set(BY_NAME[name].tags)


def test_health(meter: Start) -> None:
    """``/healthz`` says ok while the sampler runs."""
    assert request(meter().url, "GET", "/healthz")[:2] == (200, "ok\n")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404), ("GET", "/sample", 405), ("POST", "/samples", 405),
        ("POST", "/arm", 400), ("POST", "/arm?seconds=many", 400), ("POST", "/arm?seconds=-1", 400),
        ("POST", "/arm?seconds=nan", 400), ("PUT", "/sample", 501), ("DELETE", "/samples", 501),
    ],
)  # fmt: skip
def test_refusals_are_one_line(refuser: str, method: str, path: str, status: int) -> None:
    """What cannot be answered gets its status and one line of text."""
    got, text, headers = request(refuser, method, path)
    assert got == status
    assert text.count("\n") == 1
    assert headers["Content-Type"].startswith("text/plain")


@pytest.fixture(scope="module")
def refuser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One exporter for all refusals."""
    process = subprocess.Popen(
        [sys.executable, "-m", "wattmark_exporters", "--listen", "127.0.0.1:0"],
        cwd=tmp_path_factory.mktemp("refuser"), stdout=subprocess.PIPE, text=True,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdout is not None
    yield process.stdout.readline().split()[1]
    process.kill()
    process.wait()
    process.stdout.close()


def test_bodies(refuser: str) -> None:
    """A small body is ignored, a large one refused."""
    assert request(refuser, "POST", "/sample", b"x" * 100)[0] == 204
    assert request(refuser, "POST", "/sample", headers={"Content-Length": "5000"})[0] == 413
    assert request(refuser, "POST", "/sample", headers={"Transfer-Encoding": "chunked"})[0] == 400


@contextmanager
def serving(
    clock: FakeClock, ring: Ring, report: Callable[[], HostReport] | None = None
) -> Iterator[ExporterServer]:
    """A server of a ring and no sensor; ``report`` is its answer to ``/sensors``."""
    jitter = random.Random(1)  # noqa: S311 - jitter, not secrets
    sampler = Sampler([], TimeBaseClock(clock), clock, ring, "box", jitter=jitter)
    server = ExporterServer("127.0.0.1", 0, Security())
    server.backend = Backend(
        sampler, report or (lambda: sampler.report("box", "boot", "1")),
        lambda: sampler.base("boot"),
    )  # fmt: skip
    thread = Thread(target=server.serve)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join()


def test_losses_are_in_a_header(clock: FakeClock) -> None:
    """A client that comes too late gets the number of lines that it lost, in a header."""
    ring, line = Ring(most_lines=3), LineFormat("a", [("v", False)])
    with serving(clock, ring) as server, closing(ExporterClient(server.url)) as client:
        ring.append(line, line.pack(1.0, 1), 1, 0)
        cursor = client.samples().cursor
        for number in range(5):
            ring.append(line, line.pack(1.0, number), 1, 0)
        page = client.samples(cursor)
    assert page.lost == 2
    assert len(page.text.splitlines()) == 3


def test_a_fault_is_logged_and_answered(clock: FakeClock, caplog: pytest.LogCaptureFixture) -> None:
    """Where an answer cannot be made the client gets 500 and one line, the log the fault."""

    def fault() -> HostReport:
        raise ValueError("a fault")

    with serving(clock, Ring(), fault) as server:
        status, text, headers = request(server.url, "GET", "/sensors")
        wait_end = time.monotonic() + 20
        while not caplog.records and time.monotonic() < wait_end:
            time.sleep(0.01)
    assert (status, text.count("\n")) == (500, 1)
    assert "X-Wattmark-Time" in headers
    assert "a fault" in caplog.text


def test_a_full_ring_arrives_whole(clock: FakeClock) -> None:
    """In pieces, as text of known length; the connection goes on."""
    ring, line = Ring(), LineFormat("a", [("v", False)])
    with serving(clock, ring) as server, closing(ExporterClient(server.url)) as client:
        for number in range(50_000):
            ring.append(line, line.pack(1.0, number), 1, 0)
        page = client.samples()
        assert [int(text.split()[-1]) for text in page.text.splitlines()] == list(range(50_000))
        assert client.samples(page.cursor).text == ""


def test_token(meter: Start, tmp_path: Path) -> None:
    """With a token file only its bearer is served."""
    token = tmp_path / "token"
    token.write_text("a-token-of-the-tests\n")
    token.chmod(0o600)
    running = meter("--token-file", str(token))
    assert running.client.sensors().host == "test-host"
    bare = {"Authorization": "a-token-of-the-tests"}
    for headers in ({}, {"Authorization": "Bearer wrong"}, bare):
        status, text, _ = request(running.url, "GET", "/sensors", headers=headers)
        assert status == 401
        assert "token" in text


def test_tls(meter: Start, tmp_path: Path) -> None:
    """With a certificate the exporter talks HTTPS, to a client that trusts it."""
    certificate, key, token = tmp_path / "cert.pem", tmp_path / "key.pem", tmp_path / "token"
    token.write_text("a-token-of-the-tests")
    token.chmod(0o600)
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    running = meter(
        "--tls-cert", str(certificate), "--tls-key", str(key), "--token-file", str(token)
    )
    assert re.fullmatch(r"https://127\.0\.0\.1:\d+", running.url)
    client = ExporterClient(running.url, token_file=token, ca_file=certificate)
    assert client.sensors().host == "test-host"
    client.close()
    stranger = ExporterClient(running.url, token_file=token)
    with pytest.raises(ExporterError, match="CERTIFICATE_VERIFY_FAILED"):
        stranger.sensors()
    stranger.close()


def test_report_is_plain_json(meter: Start) -> None:
    """``/sensors`` is JSON that any tool can read."""
    body = json.loads(request(meter().url, "GET", "/sensors")[1])
    assert {sensor["name"] for sensor in body["sensors"]} >= {"rapl", "host", "meter", "estimate"}
