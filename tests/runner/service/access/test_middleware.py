"""The guard around a small app that a real server serves."""

import asyncio
import http.client
import logging
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx
import pytest
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse, StreamingResponse
from starlette.types import Message

from wattmark_runner.service.access.keys import Keys
from wattmark_runner.service.access.middleware import BODY_LIMIT_BYTES, AccessMiddleware
from wattmark_runner.service.api.problems import install

RUN, READ = "a-run-key-of-the-tests", "a-read-key-of-the-tests"
JSON = {"Content-Type": "application/json"}
Client = httpx.Client


def make_app() -> FastAPI:
    """Echoes bodies, streams, and breaks."""
    app = FastAPI()
    install(app)
    released = asyncio.Event()

    @app.api_route("/api/v1/echo", methods=["GET", "POST", "PATCH"])
    async def echo(request: Request) -> PlainTextResponse:
        return PlainTextResponse(await request.body())

    @app.get("/api/v1/events")
    async def events() -> StreamingResponse:
        async def lines() -> AsyncIterator[str]:
            yield "data: first\n\n"
            await released.wait()
            yield "data: second\n\n"

        return StreamingResponse(lines(), media_type="text/event-stream")

    @app.post("/api/v1/release")
    async def release() -> None:
        released.set()

    @app.get("/api/v1/broken")
    async def broken() -> None:
        raise ValueError("the inside")

    for path in ("/", "/healthz", "/readyz", "/static/page.css"):
        app.add_api_route(path, lambda: "open")
    return app


@contextmanager
def serving(guard: AccessMiddleware) -> Iterator[Client]:
    """A server on a free port, and a client of it."""
    server = uvicorn.Server(
        uvicorn.Config(guard, port=0, ws="none", lifespan="off", log_config=None, date_header=False)
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        deadline = time.monotonic() + 30
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        with Client(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """Of a service without keys that is also known as lab7 and 192.0.2.7."""
    with serving(AccessMiddleware(make_app(), hosts=frozenset({"Lab7", "192.0.2.7"}))) as url:
        yield url


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """Of a service with keys."""
    path = tmp_path_factory.mktemp("keys") / "keys"
    path.write_text(f"read {READ}\nrun {RUN}\n", encoding="ascii")
    path.chmod(0o600)
    with serving(AccessMiddleware(make_app(), keys=Keys.read(path))) as url:
        yield url


def bearer(key: str) -> dict[str, str]:
    """The header that carries a key."""
    return {"Authorization": f"Bearer {key}"}


def refused(response: httpx.Response, status: int) -> None:
    """What holds for every refusal: the status, as a problem, with the security headers."""
    assert response.status_code == status
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json()["status"] == status
    assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:80", "127.0.0.1:9", "127.1.2.3", "[::1]", "[::1]:8080", "lab7",
     "LAB7.:8080", "192.0.2.7:1"],
)  # fmt: skip
def test_hosts_of_ours(client: Client, host: str) -> None:
    """Loopback names and addresses, and those it was given, on any port."""
    assert client.get("/api/v1/echo", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "evil.example:8080", "192.0.2.8", "x@localhost",
     "localhost/x", "[::2]", "::1", "", "[", "lab7 evil"],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/api/v1/echo", "/", "/healthz"])
def test_foreign_hosts(client: Client, host: str, path: str) -> None:
    """A name that was made to point here (DNS rebinding) gets nothing, not even the page."""
    refused(client.get(path, headers={"Host": host}), 421)


def test_no_host_at_all(client: Client) -> None:
    """An old request without a Host header is refused."""
    connection = http.client.HTTPConnection(client.base_url.host, client.base_url.port or 0)
    connection._http_vsn_str = "HTTP/1.0"  # type: ignore[attr-defined]  # 1.1 would need a Host
    connection.putrequest("GET", "/api/v1/echo", skip_host=True)
    connection.endheaders()
    assert connection.getresponse().status == 421
    connection.close()


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "http://localhost:1"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://[localhost"},
        {"Origin": "http://lab7:99999999"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://lab7"},
    ],
)
def test_pages_of_other_origins_may_not_write(client: Client, headers: dict[str, str]) -> None:
    """A form or script on another site, or another port, starts nothing."""
    headers = {"Host": "lab7", **headers}
    for method in ("POST", "PATCH", "DELETE"):
        refused(client.request(method, "/api/v1/echo", headers=headers), 403)


@pytest.mark.parametrize(
    ("host", "origin"),
    [("lab7:8080", "http://lab7:8080"), ("lab7", "https://lab7"), ("lab7:443", "https://LAB7"),
     ("[::1]:8080", "http://[::1]:8080")],
)  # fmt: skip
def test_our_own_page_may_write(client: Client, host: str, origin: str) -> None:
    """The page of the same address may, also behind a proxy that ends TLS."""
    headers = {"Host": host, "Origin": origin, "Sec-Fetch-Site": "same-origin"}
    assert client.post("/api/v1/echo", headers=headers).status_code == 200


def test_foreign_pages_get_no_leave_to_read(client: Client) -> None:
    """There is no CORS: no answer and no preflight allows another origin anything."""
    headers = {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
    for method in ("GET", "OPTIONS"):
        response = client.request(method, "/api/v1/echo", headers=headers)
        assert not [name for name in response.headers if name.startswith("access-control")]


def chunks(total: int) -> Iterator[bytes]:
    """A body whose length is not announced."""
    for _ in range(total // 1024):
        yield b"x" * 1024


def test_bodies_up_to_the_limit(client: Client) -> None:
    """A body of the limit's length arrives whole, announced or in chunks."""
    for content in (b"x" * BODY_LIMIT_BYTES, chunks(BODY_LIMIT_BYTES)):
        response = client.post("/api/v1/echo", content=content, headers=JSON)
        assert response.content == b"x" * BODY_LIMIT_BYTES


@pytest.mark.parametrize("method", ["POST", "PATCH", "GET"])
def test_bodies_beyond_the_limit(client: Client, method: str) -> None:
    """One byte more, or megabytes, announced or in chunks, is too large."""
    for total in (BODY_LIMIT_BYTES + 1024, 5_000_000):
        for content in (b"x" * total, chunks(total)):
            refused(client.request(method, "/api/v1/echo", content=content, headers=JSON), 413)


@pytest.mark.parametrize(
    "content_type",
    [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
     "application/jsonx"],
)  # fmt: skip
def test_bodies_that_are_no_json(client: Client, content_type: str | None) -> None:
    """Forms and text, which a page may send anywhere unasked, are refused."""
    headers = {} if content_type is None else {"Content-Type": content_type}
    for method in ("POST", "PATCH"):
        for content in (b"{}", chunks(1024)):
            refused(client.request(method, "/api/v1/echo", content=content, headers=headers), 415)


def test_json_and_no_body_pass(client: Client) -> None:
    """JSON in any spelling of its type passes, and so does a request without a body."""
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}
    assert client.post("/api/v1/echo", content=b"{}", headers=headers).text == "{}"
    assert client.post("/api/v1/echo").status_code == 200
    assert client.post("/api/v1/echo", content=iter([])).status_code == 200


def test_keys_are_asked_for(locked: Client) -> None:
    """Without a key or with a wrong one there is no answer, and no hint of what exists."""
    for path in ("/api/v1/echo", "/api/v1/nothing", "/openapi.json", "/metrics", "/static"):
        for headers in ({}, bearer("z" * 20), {"Authorization": "Basic eA=="}):
            response = locked.get(path, headers=headers)
            refused(response, 401)
            assert response.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_read_key_reads(locked: Client) -> None:
    """A read key may read and not write; a run key may both."""
    assert locked.get("/api/v1/echo", headers=bearer(READ)).status_code == 200
    refused(locked.post("/api/v1/echo", headers=bearer(READ)), 403)
    assert locked.get("/api/v1/echo", headers=bearer(RUN)).status_code == 200
    assert locked.post("/api/v1/echo", headers=bearer(RUN)).status_code == 200


def test_a_body_is_not_read_without_a_key(locked: Client) -> None:
    """A stranger's megabytes are refused for the missing key."""
    refused(locked.post("/api/v1/echo", content=b"x" * 5_000_000, headers=JSON), 401)


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz", "/static/page.css"])
def test_open_paths(locked: Client, path: str) -> None:
    """The page and the health calls hold nothing, and need no key to be read."""
    assert locked.get(path).status_code == 200
    refused(locked.post(path), 401)


def test_security_headers(client: Client) -> None:
    """Every answer has them; only what holds data may not be stored."""
    for path in ("/", "/api/v1/echo", "/api/v1/nothing", "/api/v1/broken"):
        headers = client.get(path).headers
        assert "default-src 'self'" in headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        age = datetime.now(UTC) - parsedate_to_datetime(headers["Date"])
        assert timedelta(0) <= age < timedelta(seconds=30)
        assert headers.get("Cache-Control") == (None if path == "/" else "no-store")


def test_faults_are_logged(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    """The client learns nothing of an unforeseen error, the log all."""
    with caplog.at_level(logging.ERROR):
        response = client.get("/api/v1/broken")
    refused(response, 500)
    assert "the inside" not in response.text
    deadline = time.monotonic() + 10  # the server logs once the client has its answer
    while not caplog.records and time.monotonic() < deadline:
        time.sleep(0.01)
    assert any(record.exc_info and "the inside" in str(record.exc_info[1])
               for record in caplog.records)  # fmt: skip


def test_streams_are_not_held_back(client: Client) -> None:
    """The first event arrives while the second does not exist yet."""
    with client.stream("GET", "/api/v1/events") as response:
        events = response.iter_text()
        assert next(events) == "data: first\n\n"
        assert client.post("/api/v1/release").status_code == 200
        assert next(events) == "data: second\n\n"


def test_websockets_are_closed() -> None:
    """There are none, and an upgrade never reaches the app."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    asyncio.run(AccessMiddleware(make_app())({"type": "websocket", "path": "/"}, receive, send))
    assert [message["type"] for message in sent] == ["websocket.close"]
