"""The runner's own process, and clients that mean ill."""

import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.hostile import (
    GUARD,
    MIB,
    answered,
    connected,
    dripped,
    memory_bytes,
    sent_all,
    status_of,
    ten_megabytes_of_headers,
)

GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = b"POST /api/v1/runs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
WHOLE = (
    b"GET /api/v1/runs?limit=2&label=a:b HTTP/1.1\r\nHost: localhost\r\nIdempotency-Key: 1\r\n\r\n"
    b"POST /api/v1/windows/none HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Sec-Fetch-Site: same-origin\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
)
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


def pid_of(service: Any) -> int:
    """Of the shared runner."""
    pid: int = service.processes["wattmark_runner"].pid
    return pid


@contextmanager
def no_more_memory(service: Any, most: int = 24 * MIB) -> Iterator[None]:
    """The runner's peak does not rise by more."""
    before = memory_bytes(pid_of(service))
    yield
    assert memory_bytes(pid_of(service)) - before < most
    assert httpx.get(f"{service.url}/healthz").text == "ok\n"


def is_problem(data: bytes, status: int) -> None:
    """An answer that is a problem document, and the end of the connection."""
    head, _, body = data.partition(b"\r\n\r\n")
    assert status_of(data) == status, data[:300]
    assert b"content-type: application/problem+json" in head.lower()
    assert b"connection: close" in head.lower()
    assert httpx.Response(status, content=body).json()["status"] == status


def test_ten_megabytes_of_headers_take_no_memory(service: Any) -> None:
    """Before any key is looked at: 431, 414 for the path, or 400 for what is no method."""
    with no_more_memory(service):
        for kind, data in ten_megabytes_of_headers(service.url):
            status = {"the path": 414, "the query": 414, "the method": 400}.get(kind, 431)
            is_problem(data, status)


@pytest.mark.parametrize(
    "sent",
    [
        CHUNKED + b"0\r\n" + b"X: y\r\n" * (2 * MIB),
        CHUNKED + b"0\r\nX: " + b"x" * (10 * MIB),
        CHUNKED + b"1;" + b"x" * (10 * MIB),
        CHUNKED + b"1" * (10 * MIB),
        CHUNKED + b"a00000\r\n" + b"x" * (10 * MIB),
        POST + b"Content-Length: 10485760\r\n\r\n" + b"x" * (10 * MIB),
        b"\r\n" * (5 * MIB),
        GET * (10 * MIB // len(GET)),
    ],
    ids=["trailers", "a trailer", "an extension", "a chunk's length", "a chunk", "a body",
         "empty lines", "requests at once"],
)  # fmt: skip
def test_other_megabytes_take_none_either(service: Any, sent: bytes) -> None:
    """Behind the headers, before them, and as many requests as fit."""
    with no_more_memory(service), connected(service.url) as client:
        client.setblocking(False)
        end, view = time.monotonic() + 3.0, memoryview(sent)
        while view and time.monotonic() < end:  # an answer is taken when it comes
            with suppress(BlockingIOError):
                view = view[client.send(view[: 1 << 16]) :]
            with suppress(BlockingIOError):
                if not client.recv(1 << 16):
                    break


def test_requests_without_end_take_none(service: Any) -> None:
    """Sent without waiting for answers, while these are taken: they wait in the kernel."""
    with no_more_memory(service), connected(service.url) as client:
        sender = Thread(target=sent_all, args=(client, GET * (20 * MIB // len(GET)), 3.0))
        sender.start()
        answers = 0
        with suppress(OSError):
            while sender.is_alive() and (part := client.recv(1 << 16)):
                answers += part.count(b"HTTP/1.1 200")
        client.close()
        sender.join()
        assert answers > 100


def test_the_headers_limit_is_32_kib(service: Any) -> None:
    """Just below it a request is answered, just above refused; so with the path, at 8 KiB."""
    for path, size, status in (
        ("/healthz", 32_000, 200), ("/healthz", 33_000, 431),
        ("/healthz?" + "x" * 8_000, 10, 200), ("/healthz?" + "x" * 8_200, 10, 414),
    ):  # fmt: skip
        answer = httpx.get(f"{service.url}{path}", headers={"X": "x" * size})
        assert answer.status_code == status
        assert (answer.headers["content-type"] == "application/problem+json") == (status != 200)


def test_dripping_headers_end_after_ten_seconds(service: Any) -> None:
    """A byte each half second does not hold a connection, nor does silence."""
    with connected(service.url) as silent:
        seconds, data = dripped(service.url, b"GET /healthz HTTP/1.1\r\nX: ", 25.0)
        is_problem(data, 408)
        assert 8.0 < seconds < 16.0
        assert answered(silent, 10.0) == b""


def test_half_a_body_is_none(service: Any) -> None:
    """Who goes in the middle of a body has asked for nothing."""
    runs = f"{service.url}/api/v1/runs"
    before = httpx.get(runs).json()["runs"]
    body = b'{"workload": "quick", "model": "steady"}'
    with connected(service.url) as client:
        client.sendall(POST + f"Content-Length: {len(body) + 1}\r\n\r\n".encode() + body)
        time.sleep(0.3)
        client.shutdown(socket.SHUT_WR)
        assert status_of(answered(client, 10.0)) in {0, 400}
    assert httpx.get(runs).json()["runs"] == before


@pytest.mark.parametrize(("method", "headers", "status"), GUARD)
def test_a_page_of_a_stranger_gets_nothing(
    service: Any, method: str, headers: dict[str, str], status: int
) -> None:
    """By a name made to point here, or from another origin."""
    answer = httpx.request(method, f"{service.url}/api/v1/runs", headers=headers)
    assert answer.status_code == status


def test_a_link_to_here_may_be_followed(service: Any) -> None:
    """From a page elsewhere, by its reader."""
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert httpx.get(f"{service.url}/", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "path", ["/", "/healthz", "/readyz", "/metrics", "/openapi.json", "/static/page.css",
             "/api/v1/runs", "/api/v1/runs?label=nonsense", "/api/v1/runs/none", "/api/v1/scores",
             "/api/v1/windows", "/api/v1/host", "/api/v1/nothing", "/nothing"],
)  # fmt: skip
def test_head_answers_as_get_does(service: Any, path: str) -> None:
    """Status and headers, without the body; the connection goes on."""
    changing = {"date", "etag", "last-modified"}
    if path == "/metrics":  # it counts its own time
        changing.add("content-length")
    with httpx.Client(base_url=service.url, timeout=30) as client:
        head, get = client.head(path), client.get(path)
    assert head.status_code == get.status_code
    assert head.content == b""
    assert {name: value for name, value in head.headers.items() if name not in changing} == {
        name: value for name, value in get.headers.items() if name not in changing
    }


def test_head_of_what_never_ends_does(service: Any) -> None:
    """The events of a run that waits are a stream; their HEAD is over at once."""
    with httpx.Client(base_url=f"{service.url}/api/v1", timeout=20) as client:
        body = {"workload": "elsewhere", "model": "mine"}
        window = client.post("/windows", json=body).json()
        answer = client.head(f"/runs/{window['run_id']}/events")
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert client.post(f"/runs/{window['run_id']}/cancel").status_code == 200


def test_an_upgrade_is_answered_as_a_request_and_ends(service: Any) -> None:
    """There is no other protocol here."""
    with connected(service.url) as client:
        client.sendall(
            b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"
            b"Upgrade: websocket\r\n\r\n" + b"x" * 1000
        )
        data = answered(client, 10.0)
        assert status_of(data) == 200
        assert data.endswith(b"ok\n")


def test_labels_are_at_most_32(service: Any) -> None:
    """Of a question; more are refused as a problem."""
    for count, status in ((32, 200), (33, 422), (5_000 // 8, 422)):
        query = "&".join(f"label=a:{number}" for number in range(count))
        answer = httpx.get(f"{service.url}/api/v1/runs?{query}")
        assert answer.status_code == status


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"rubbish\r\n\r\n", 400),
        (b"\x1b[31mGET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b"GET /api/v1/nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 404),
        (b"DELETE /api/v1/runs HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 405),
        (b"BREW /api/v1/runs HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 400),
        (b"GET /%00%1b%ff HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 404),
        (b"GET / HTTP/1.1\r\nHost: evil\r\nConnection: close\r\n\r\n", 421),
    ],
)
def test_every_error_is_a_problem(service: Any, sent: bytes, status: int) -> None:
    """Also that of what is no request; and nothing of what came is printed raw."""
    with connected(service.url) as client:
        client.sendall(sent)
        data = answered(client)
    is_problem(data, status)
    assert data.partition(b"\r\n\r\n")[2].decode("ascii").isprintable()


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(at=st.integers(0, len(WHOLE)), taken=st.integers(0, 20), put=st.binary(max_size=20))
def test_a_damaged_request_is_answered_or_refused(
    service: Any, at: int, taken: int, put: bytes
) -> None:
    """Whatever stands in the place of some bytes is no fault of the service."""
    with connected(service.url) as client:
        client.sendall(WHOLE[:at] + put + WHOLE[at + taken :])
        client.shutdown(socket.SHUT_WR)
        data = answered(client)
    statuses = re.findall(rb"HTTP/1\.1 ([0-9]{3}) ", data)
    assert all(status < b"500" for status in statuses), data


def test_places_are_limited_and_a_silent_connection_gives_way(service: Any) -> None:
    """Three hundred that say nothing keep nobody out."""
    parts = urlsplit(service.url)
    with ExitStack() as stack:
        for _ in range(300):
            with suppress(OSError):
                made = socket.create_connection((parts.hostname or "", parts.port or 0), 10)
                stack.enter_context(made)
        start = time.monotonic()
        assert httpx.get(f"{service.url}/healthz", timeout=20).status_code == 200
        assert time.monotonic() - start < 9  # before the silent ones are let go for their silence


def test_nothing_is_logged_for_each_of_many(service: Any) -> None:
    """Of what strangers send; a few lines say what it is."""
    log = service.data / "wattmark_runner.log"
    before = len(log.read_text().splitlines())
    for _ in range(200):
        with connected(service.url) as client:
            sent_all(client, b"\x1b[31mrubbish\r\n\r\n")
    lines = log.read_text().splitlines()[before:]
    assert len(lines) < 20
    assert all(line.isprintable() for line in lines)


def test_the_record_has_whose_key_it_was_and_the_log_who_was_refused(
    make_rooms: Callable[[], Any], api_of: Callable[..., Any]
) -> None:
    """By the key's name. The log has addresses, at a rate, and no key."""
    rooms = make_rooms()
    rooms.end("wattmark_runner")
    keys = rooms.data / "keys"
    keys.write_text("read a-read-key-of-the-tests\nrun a-run-key-of-the-tests alice\n")
    keys.chmod(0o600)
    url = rooms.start_runner("--key-file", str(keys))
    for _ in range(30):
        wrong = {"Authorization": "Bearer not-a-key-of-the-tests"}
        assert httpx.get(f"{url}/api/v1/runs", headers=wrong).status_code == 401
    reader = {"Authorization": "Bearer a-read-key-of-the-tests"}
    assert httpx.post(f"{url}/api/v1/windows", headers=reader).status_code == 403
    _acts_are_named(api_of(url, headers={"Authorization": "Bearer a-run-key-of-the-tests"}), rooms)
    run_id = httpx.get(f"{url}/api/v1/runs", headers=reader).json()["runs"][0]["run_id"]
    for path, status in ((f"/runs/{run_id}", 200), (f"/runs/{run_id}/log", 403)):
        assert httpx.get(f"{url}/api/v1{path}", headers=reader).status_code == status
    running = {"Authorization": "Bearer a-run-key-of-the-tests"}
    assert httpx.get(f"{url}/api/v1/runs/{run_id}/log", headers=running).status_code == 200
    log = (rooms.data / "wattmark_runner.log").read_text()
    assert 1 <= log.count("127.0.0.1 is refused with 401: the key is wrong") <= 5
    assert "not-a-key" not in log
    assert "a-run-key" not in log


def _acts_are_named(api: Any, rooms: Any) -> None:
    """A run, its cancelling, a window and its closing each say by whose key."""
    run = api.post("/runs", {**rooms.quick, "seconds": 60.0})
    assert (run["requested_by"], run["cancelled_by"]) == ("alice", "")
    assert api.post(f"/runs/{run['run_id']}/cancel")["cancelled_by"] == "alice"
    window = api.post("/windows", {"workload": "elsewhere", "model": "mine"})
    assert (window["requested_by"], window["closed_by"]) == ("alice", "")
    assert api.close_window(window)["closed_by"] == "alice"
    assert {one["requested_by"] for one in api.get("/runs")["runs"]} == {"alice"}
    assert {one["closed_by"] for one in api.get("/windows")["windows"]} == {"alice"}
    assert "requested_by" not in api.get(f"/runs/{run['run_id']}")["record"]
    assert "alice: POST '/api/v1/runs'" in (rooms.data / "wattmark_runner.log").read_text()
