"""The runner over TLS: a renewed certificate, one that ends soon, handshakes that never do."""

import re
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.certificates import make
from tests.hostile import answered, connected, status_of

GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
DAY = 86_400


@pytest.fixture
def rooms(tmp_path: Path, make_rooms: Callable[[], Any]) -> Any:
    """A runner that shows a certificate of a few days."""
    certificate, key = make(tmp_path / "tls", days=3)
    rooms = make_rooms()
    rooms.end("wattmark_runner")
    rooms.start_runner("--tls-cert", str(certificate), "--tls-key", str(key))
    return rooms


def shown(url: str, *, name: bool) -> bytes:
    """The certificate that a new connection sees, with or without a name in its handshake."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with connected(url) as bare:
        client = context.wrap_socket(bare, server_hostname="localhost" if name else None)
        client.sendall(GET)
        assert status_of(answered(client)) == 200
        certificate = client.getpeercert(binary_form=True)
        client.close()
    return certificate or b""


def test_it_is_renewed_without_a_restart(rooms: Any, tmp_path: Path) -> None:
    """A kept connection goes on, new ones see the new one; its end is a metric; logs say so."""
    folder, url = tmp_path / "tls", rooms.url
    trusting = ssl.create_default_context(cafile=folder / "server.pem")
    with httpx.Client(base_url=url, verify=trusting) as kept:
        assert kept.get("/healthz").status_code == 200
        first = shown(url, name=True)
        assert first == shown(url, name=False)
        assert expiry_of(kept) == pytest.approx(time.time() + 3 * DAY, abs=600)
        make(folder, days=200)
        second = ssl.PEM_cert_to_DER_cert((folder / "server.pem").read_text())
        deadline = time.monotonic() + 20
        while shown(url, name=True) != second:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        assert shown(url, name=False) == second
        assert kept.get("/healthz").status_code == 200
        assert expiry_of(kept) == pytest.approx(time.time() + 200 * DAY, abs=600)
    log = (rooms.data / "wattmark_runner.log").read_text()
    assert f"TLS certificate {folder / 'server.pem'} expires on" in log
    assert "was read again; it ends on" in log
    start = time.monotonic()
    with connected(url) as silent, connected(url) as half:
        half.sendall(b"\x16\x03\x01\x02\x00\x01")
        with connected(url) as plain:  # who speaks no TLS is let go at once
            plain.sendall(GET)
            assert status_of(answered(plain)) == 0
        for client in (silent, half):
            answered(client, 20.0)
    assert 8.0 < time.monotonic() - start < 16.0
    log = (rooms.data / "wattmark_runner.log").read_text()
    assert re.search(r"127\.0\.0\.1: no connection came about: \S", log)  # who it was, and why


def expiry_of(client: httpx.Client) -> float:
    """As /metrics has it."""
    for family in text_string_to_metric_families(client.get("/metrics").text):
        if family.name == "wattmark_runner_tls_certificate_expiry_seconds":
            return family.samples[0].value
    raise AssertionError("no such metric")
