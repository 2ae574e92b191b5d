"""The exporter's own process, and clients that mean ill."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.certificates import make
from tests.exporters.test_server import request
from tests.hostile import (
    GUARD,
    MIB,
    answered,
    connected,
    dripped,
    memory_bytes,
    status_of,
    ten_megabytes_of_headers,
)
from wattmark_core.errors import ConfigurationError, ExporterError
from wattmark_core.exporter_api import ExporterClient
from wattmark_exporters.security import Security

Start = Callable[..., Any]
UNIT = Path(__file__).parents[2] / "exporters/wattmark-exporter.service"


class Door(NamedTuple):
    """A process and its address."""

    process: subprocess.Popen[str]
    url: str


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """One exporter for all of them."""
    process = subprocess.Popen(
        [sys.executable, "-m", "wattmark_exporters", "--listen", "127.0.0.1:0"],
        cwd=tmp_path_factory.mktemp("door"), stdout=subprocess.PIPE, text=True,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdout is not None
    yield Door(process, process.stdout.readline().split()[1])
    process.kill()
    process.wait()
    process.stdout.close()


def test_ten_megabytes_of_headers_take_no_memory(door: Door) -> None:
    """431, 414 for the path, or 400 for what is no request; the next one is answered."""
    before = memory_bytes(door.process.pid)
    for kind, data in ten_megabytes_of_headers(door.url):
        assert status_of(data) == (414 if kind in {"the path", "the query", "the method"} else 431)
    assert memory_bytes(door.process.pid) - before < 4 * MIB
    assert request(door.url, "GET", "/healthz")[0] == 200


def test_dripping_headers_end_after_ten_seconds(door: Door) -> None:
    """A byte each half second does not hold a thread, nor does silence."""
    with connected(door.url) as silent:
        seconds, data = dripped(door.url, b"GET /healthz HTTP/1.1\r\nX: ", 25.0)
        assert status_of(data) == 408
        assert 8.0 < seconds < 16.0
        assert answered(silent, 10.0) == b""


@pytest.mark.parametrize(("method", "headers", "status"), GUARD)
@pytest.mark.parametrize("path", ["/sample", "/arm?seconds=9", "/samples", "/metrics", "/sensors"])
def test_a_page_of_a_stranger_gets_nothing(
    door: Door, path: str, method: str, headers: dict[str, str], status: int
) -> None:
    """It neither reads nor samples nor arms, whatever the path takes."""
    got, text, _ = request(door.url, method, path, headers=headers)
    assert got == status
    assert text.count("\n") == (0 if method == "HEAD" else 1)


@pytest.mark.parametrize("path", ["/samples", "/sensors", "/metrics", "/healthz", "/none", "/arm"])
def test_head_answers_as_get_does(door: Door, path: str) -> None:
    """Status and headers, without the body; what GET may not do HEAD may not either."""
    changing = {"Date", "X-Wattmark-Time", "X-Wattmark-Cursor", "Content-Length"}
    (status, _, headers), (head, text, short) = (
        request(door.url, method, path) for method in ("GET", "HEAD")
    )
    assert (head, text) == (status, "")
    assert short.keys() == headers.keys()
    assert {n: v for n, v in short.items() if n not in changing} == {
        n: v for n, v in headers.items() if n not in changing
    }
    assert status == 200 or headers["Content-Length"] == short["Content-Length"]


def test_names_that_are_local_are_ours_off_loopback(exporter: Start) -> None:
    """An address, a name without a dot and the one that was allowed; no other name with a dot."""
    running = exporter(
        "--listen", "0.0.0.0:0", "--insecure-network", "--allowed-host", "Lab7.example.org"
    )
    url = f"http://127.0.0.1:{running.url.rpartition(':')[2]}"
    for host, status in (
        ("exporter:9109", 200), ("192.0.2.7", 200), ("[2001:db8::7]:1", 200),
        ("lab7.example.org:9109", 200), ("evil.example", 421),
        ("lab7.example.org.evil.example", 421),
    ):  # fmt: skip
        assert request(url, "GET", "/healthz", headers={"Host": host})[0] == status


def test_a_certificate_is_shown_with_its_end(exporter: Start, tmp_path: Path) -> None:
    """A metric has it, the log warns of one that is near, and a renewed one needs no restart."""
    certificate, key = make(tmp_path / "tls", days=2)
    running = exporter("--tls-cert", str(certificate), "--tls-key", str(key))
    client = ExporterClient(running.url, ca_file=certificate)
    ends = [_end(client)]
    assert f"TLS certificate {certificate} expires on" in running.log.read_text()
    make(tmp_path / "tls", days=90)
    deadline = time.monotonic() + 20
    while ends[-1] <= ends[0]:
        assert time.monotonic() < deadline
        time.sleep(0.2)
        client.close()
        client = ExporterClient(running.url, ca_file=certificate)
        ends.append(_end(client))
    assert ends[-1] - ends[0] == pytest.approx(88 * 86_400, abs=600)
    client.close()


def _end(client: ExporterClient) -> float:
    try:
        _, body = client._request("GET", "/metrics")
    except ExporterError:  # it is being renewed: the old one is shown, and not trusted
        return 0.0
    for family in text_string_to_metric_families(body.decode()):
        if family.name == "wattmark_exporter_tls_certificate_expiry_seconds":
            return family.samples[0].value
    raise AssertionError("no such metric")


@pytest.mark.parametrize(
    ("token", "mode", "reason"),
    [
        ("x", 0o600, "a key has at least 16 characters; openssl rand"),
        ("x" * 40, 0o600, "different characters"),
        ("a-token-of-the-tests", 0o644, "others can read token file"),
        ("a-token-of-the-tests", 0o640, "chmod 600"),
        ("", 0o600, "is empty"),
    ],
)
def test_a_weak_or_open_token_is_refused(
    tmp_path: Path, token: str, mode: int, reason: str
) -> None:
    """At the start, with one line that never repeats it."""
    path = tmp_path / "token"
    path.write_text(token)
    path.chmod(mode)
    with pytest.raises(ConfigurationError, match=reason) as caught:
        Security(token_file=path).token()
    assert len(token) < 2 or token not in str(caught.value)


def test_who_is_refused_stands_in_the_log_at_a_rate(exporter: Start, tmp_path: Path) -> None:
    """With the address, and never what was sent."""
    token = tmp_path / "token"
    token.write_text("a-token-of-the-tests")
    token.chmod(0o600)
    running = exporter("--token-file", str(token))
    for _ in range(30):
        wrong = {"Authorization": "Bearer not-the-token-of-the-tests"}
        assert request(running.url, "GET", "/sensors", headers=wrong)[0] == 401
    assert request(running.url, "GET", "/sensors")[0] == 401
    log = running.log.read_text()
    assert 1 <= log.count("127.0.0.1 is refused with 401: the bearer token is wrong") <= 5
    assert "not-the-token" not in log


def test_the_packaged_unit_asks_for_a_token(exporter: Start, tmp_path: Path) -> None:
    """It makes one at the first start, that root alone can read, and keeps it."""
    lines = dict(
        line.split("=", 1) for line in UNIT.read_text().splitlines()
        if line.startswith(("ExecStart", "StateDirectory"))
    )  # fmt: skip
    state = tmp_path / "state"
    folder = state / lines["StateDirectory"]
    folder.mkdir(parents=True)
    make_token = lines["ExecStartPre"].replace("%S", str(state)).replace("$$", "$")
    for _ in range(2):
        subprocess.run(["sh", "-c", make_token], check=True)
    token = folder / "token"
    made = token.read_text()
    subprocess.run(["sh", "-c", make_token], check=True)
    assert token.read_text() == made
    assert token.stat().st_mode & 0o777 == 0o600
    words = lines["ExecStart"].replace("%S", str(state)).split()
    running = exporter(*words[words.index("--token-file") :])
    assert request(running.url, "GET", "/sensors")[0] == 401
    client = ExporterClient(running.url, token_file=token)
    assert client.sensors().host == "test-host"
    client.close()
