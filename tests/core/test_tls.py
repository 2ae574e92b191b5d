"""A certificate that is renewed, and one that has expired."""

import logging
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from tests.certificates import make
from tests.hostile import connected, status_of
from wattmark_core.errors import ConfigurationError
from wattmark_core.http_connection import HttpConnection
from wattmark_core.http_guard import Guard
from wattmark_core.http_request import Request, Response
from wattmark_core.listener import Listener
from wattmark_core.tls import ServedCertificate, expiry

GET = b"GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n"
DAY = 86_400


class Server(Listener):
    program = "echo"


class Echo(HttpConnection):
    def respond(self, request: Request) -> Response:
        return Response(200, request.path.encode())


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Certificate and key."""
    return make(tmp_path)


@pytest.fixture
def server(files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """One that looks at its files at each handshake."""
    monkeypatch.setattr("wattmark_core.tls.LOOK_SECONDS", 0.0)
    server = Server("127.0.0.1", 0, Echo, Guard(), ServedCertificate(*files))
    thread = Thread(target=server.serve)
    thread.start()
    yield server
    server.stop()
    thread.join()


def shown(server: Server) -> bytes:
    """The certificate that a new connection sees, which is answered."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with connected(server.url, context) as client:
        assert isinstance(client, ssl.SSLSocket)
        client.sendall(GET)
        assert status_of(client.recv(4096)) == 200
        return client.getpeercert(binary_form=True) or b""


def test_a_renewed_certificate_is_shown_at_the_next_handshake(
    server: Server, files: tuple[Path, Path], caplog: pytest.LogCaptureFixture
) -> None:
    """Certificate and key come one after the other; in between the old ones stay."""
    caplog.set_level(logging.INFO)
    first = shown(server)
    new, new_key = make(files[0].parent / "new", days=300)
    files[0].write_bytes(new.read_bytes())
    assert shown(server) == first
    assert "the certificate is not renewed, the one before it stays" in caplog.text
    files[1].write_bytes(new_key.read_bytes())
    second = shown(server)
    assert second == ssl.PEM_cert_to_DER_cert(new.read_text())
    assert f"TLS certificate {files[0]} was read again; it ends on" in caplog.text
    assert server.certificate is not None
    assert server.certificate.expires == pytest.approx(time.time() + 300 * DAY, abs=600)


@pytest.mark.parametrize("spoil", ["cut", "empty", "gone", "shared"])
def test_a_broken_renewal_leaves_the_certificate_as_it_was(
    server: Server, files: tuple[Path, Path], caplog: pytest.LogCaptureFixture, spoil: str
) -> None:
    """Said once, however many clients come."""
    first = shown(server)
    certificate, key = files
    match spoil:
        case "cut":
            certificate.write_bytes(certificate.read_bytes()[:100])
        case "empty":
            key.write_bytes(b"")
        case "gone":
            certificate.unlink()
        case "shared":
            key.write_bytes(key.read_bytes() + b"\n")
            key.chmod(0o644)
    assert [shown(server) for _ in range(3)] == [first] * 3
    assert len(caplog.messages) == 1
    assert "the one before it stays" in caplog.messages[0]


@pytest.mark.parametrize(
    ("days", "says"),
    [(-1, "has expired on"), (3, "expires on"), (300, "")],
)
def test_an_end_that_is_near_or_past_is_told(
    tmp_path: Path, days: int, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Once a day, not at each handshake."""
    certificate = ServedCertificate(*make(tmp_path, days=days))
    for _ in range(3):
        certificate.context()
    assert [says in one for one in caplog.messages] == ([True] if says else [])
    assert certificate.expires == pytest.approx(time.time() + days * DAY, abs=600)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
def test_a_key_that_others_can_read_is_refused(files: tuple[Path, Path], mode: int) -> None:
    """With the command that mends it."""
    files[1].chmod(mode)
    with pytest.raises(
        ConfigurationError, match=f"others can read TLS key .*; chmod 600 {files[1]}"
    ):
        ServedCertificate(*files)


def test_a_key_in_the_certificates_file_is_one_too(files: tuple[Path, Path]) -> None:
    """Then it is that file that nobody else may read."""
    both = files[0].with_name("both.pem")
    both.write_bytes(files[0].read_bytes() + files[1].read_bytes())
    both.chmod(0o644)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        ServedCertificate(both, None)
    both.chmod(0o600)
    ServedCertificate(both, None).context()


@pytest.mark.parametrize(
    "text", ["", "no PEM", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_what_is_no_certificate(text: str) -> None:
    """Is a ValueError."""
    with pytest.raises(ValueError, match="certificate"):
        expiry(text)


def test_ends_are_read_as_openssl_reads_them(tmp_path: Path) -> None:
    """Also those after 2049, which are written in another way."""
    for days in (1, 9_000, 20_000):
        certificate, _ = make(tmp_path, days=days)
        done = subprocess.run(
            ["openssl", "x509", "-in", str(certificate), "-noout", "-enddate"],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        written = done.stdout.strip().partition("=")[2]
        assert expiry(certificate.read_text()) == ssl.cert_time_to_seconds(written)
