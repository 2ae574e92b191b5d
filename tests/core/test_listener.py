"""What a listener bears of those who have shown nothing yet, and who gives way to whom."""

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Thread

import pytest

from tests.certificates import make
from tests.hostile import answered, connected, status_of
from wattmark_core import http_connection, listener
from wattmark_core.http_connection import HttpConnection
from wattmark_core.http_guard import Guard
from wattmark_core.http_limits import BACKLOG
from wattmark_core.http_request import Request, Response
from wattmark_core.listener import Listener, Places
from wattmark_core.seldom import Seldom
from wattmark_core.tls import ServedCertificate

GET = b"GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Server(Listener):
    program = "echo"


class Echo(HttpConnection):
    """Answers with the path; refuses ``/refused``."""

    def respond(self, request: Request) -> Response:
        if request.path == "/refused":
            return self.refuse(401, "a bearer token is needed")
        return Response(200, request.path.encode())


@contextmanager
def serving(
    certificate: ServedCertificate | None = None, connections: int = 64
) -> Iterator[Server]:
    """A server on loopback."""
    server = Server("127.0.0.1", 0, Echo, Guard(), certificate, connections=connections)
    thread = Thread(target=server.serve)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join()


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a second where the program waits ten or thirty."""
    for name in ("HEAD_SECONDS", "BODY_SECONDS", "HANDSHAKE_SECONDS", "IDLE_SECONDS"):
        monkeypatch.setattr(http_connection, name, 0.5)


def until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait for what is to come."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"", 0),
        (b"G", 408),
        (b"GET /a HTTP/1.1\r\nHost: loc", 408),
        (b"POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n", 408),
        (b"POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n12", 408),
    ],
)
def test_who_does_not_go_on_is_let_go(sent: bytes, status: int) -> None:
    """With 408, or without a word where nothing was said."""
    with serving() as server, connected(server.url) as client:
        client.sendall(sent)
        start = time.monotonic()
        assert status_of(answered(client)) == status
        assert 0.3 < time.monotonic() - start < 10


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize(
    "sent", [b"GET /a HTTP/1.1\r\nX: ", GET + b"GET /a HTTP/1.1\r\nX: ",
             b"POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999\r\n\r\n"],
)  # fmt: skip
def test_drops_do_not_prolong_the_time(sent: bytes) -> None:
    """A byte now and then, in a first request, a later one or a body, is not going on."""
    with serving() as server, connected(server.url) as client:
        client.sendall(sent)
        start, data = time.monotonic(), b""
        client.settimeout(0.05)
        while time.monotonic() - start < 15:
            try:
                part = client.recv(4096)
            except TimeoutError:
                client.sendall(b"x")
                continue
            data += part
            if b" 408 " in data:
                break
        assert b" 408 Request Timeout" in data
        assert time.monotonic() - start < 10


@pytest.mark.usefixtures("hasty")
def test_a_handshake_that_never_ends_is_ended(tmp_path: Path) -> None:
    """Silence in TLS, or a part of its first message, frees its thread."""
    certificate = ServedCertificate(*make(tmp_path))
    with serving(certificate) as server:
        for sent in (b"", b"\x16\x03\x01\x02\x00\x01"):
            with connected(server.url) as client:
                client.sendall(sent)
                assert answered(client) == b""


@pytest.mark.usefixtures("hasty")
def test_an_idle_connection_is_closed_and_an_active_one_kept() -> None:
    """Between two requests it may be silent for a while, and then is closed without a word."""
    with serving() as server, connected(server.url) as client:
        for _ in range(3):
            client.sendall(GET)
            assert b"/a" in client.recv(4096)
            time.sleep(0.2)
        assert answered(client) == b""


def test_a_silent_connection_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """When all places are taken the one that waited longest without a good answer goes first."""
    monkeypatch.setattr(listener, "UNKNOWN_GIVES_WAY_SECONDS", 0.2)
    with serving(connections=3) as server, ExitStack() as stack:
        kept, silent, refused = (
            stack.enter_context(connected(server.url)) for _ in range(3)
        )  # fmt: skip
        kept.sendall(GET)
        assert status_of(kept.recv(4096)) == 200
        refused.sendall(b"GET /refused HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert status_of(refused.recv(4096)) == 401
        time.sleep(0.4)
        for loser in (silent, refused):
            other = stack.enter_context(connected(server.url))
            other.sendall(GET)
            assert status_of(other.recv(4096)) == 200
            assert answered(loser) == b""
        kept.sendall(GET)
        assert status_of(kept.recv(4096)) == 200


def test_who_comes_while_strangers_hold_all_places_waits_for_one() -> None:
    """They give way after a second each, and so all others are answered, one after the other."""
    with serving(connections=2) as server, ExitStack() as stack:
        for _ in range(8):  # six of them wait to be accepted
            stack.enter_context(connected(server.url))
        start = time.monotonic()
        client = stack.enter_context(connected(server.url))
        client.sendall(GET)
        assert status_of(client.recv(4096)) == 200
        assert 0.5 < time.monotonic() - start < 20


def test_one_too_many_is_turned_away() -> None:
    """With 503 while all others were just answered; the log says so once."""
    with serving(connections=2) as server, ExitStack() as stack:
        for _ in range(2):
            client = stack.enter_context(connected(server.url))
            client.sendall(GET)
            assert status_of(client.recv(4096)) == 200
        data = answered(stack.enter_context(connected(server.url)))
        head, _, body = data.partition(b"\r\n\r\n")
        assert status_of(data) == 503
        assert f"Content-Length: {len(body)}".encode() in head
        until(lambda: threading.active_count() < 20)


def test_places_are_free_again_once_connections_have_ended() -> None:
    """However they ended."""
    with serving(connections=2) as server:
        for _ in range(10):
            with connected(server.url) as client:
                client.sendall(GET)
                assert status_of(client.recv(4096)) == 200
            until(lambda: not server.places._taken)


def test_a_connection_that_has_given_way_can_leave() -> None:
    """Once, and without harm to who came after it."""
    places = Places(1)
    first, second = socket.socketpair()
    with first, second:
        assert places.take(first)
        assert not places.take(second)
        places.leave(first)
        assert places.take(second)
        places.leave(first)
        assert places.of(second).connection is second


def test_the_kernel_keeps_128_connections() -> None:
    """Until they are accepted: a burst of clients is not refused."""
    assert BACKLOG == 128
    with ExitStack() as stack:
        server = Server("127.0.0.1", 0, Echo, Guard())
        stack.callback(server.server_close)
        for _ in range(120):
            stack.enter_context(connected(server.url))


def test_what_strangers_cause_is_logged_at_a_rate(caplog: pytest.LogCaptureFixture) -> None:
    """Malformed and refused requests fill no log, show no escape sequence, and are counted."""
    caplog.set_level(logging.WARNING)
    with serving() as server:
        for _ in range(50):
            for sent in (b"\x1b[31mrubbish\r\n\r\n", b"GET /refused HTTP/1.1\r\nHost: ::1\r\n\r\n"):
                with connected(server.url) as client:
                    client.sendall(sent)
                    client.recv(4096)
    assert 1 <= sum("sent what is not answered" in one for one in caplog.messages) <= 5
    assert 1 <= sum("is refused with 421" in one for one in caplog.messages) <= 5
    assert all("127.0.0.1" in one and one.isprintable() for one in caplog.messages)


def test_lines_that_were_left_out_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    """The first one after the time says how many more there were."""
    now = [0.0]
    seldom = Seldom(logging.getLogger("test"), seconds=60.0, most=2, now=lambda: now[0])
    for _ in range(7):
        seldom.warning("%s is refused", "192.0.2.1")
    now[0] = 61.0
    seldom.warning("%s is refused", "192.0.2.1")
    seldom.warning("%s is refused", "192.0.2.1")
    assert caplog.messages == [
        "192.0.2.1 is refused", "192.0.2.1 is refused",
        "192.0.2.1 is refused (and 5 more like it before, which were not logged)",
        "192.0.2.1 is refused",
    ]  # fmt: skip
