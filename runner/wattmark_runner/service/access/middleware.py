"""What every request must pass before the app sees it, and what every answer carries.

Pure ASGI, so that streams are passed on as they come. Put it around the whole app:
``uvicorn.run(AccessMiddleware(app, …))``; then answers to unforeseen errors carry the headers too.
"""

import re
from collections.abc import Iterable
from email.utils import formatdate
from typing import Final
from urllib.parse import SplitResult, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wattmark_core.net import HOST_NAME, is_loopback
from wattmark_runner.errors import BodyTooLarge
from wattmark_runner.service.access.body import BODY, read_body
from wattmark_runner.service.access.keys import Keys, Role
from wattmark_runner.service.api.problems import ApiError, problem_response

JSON: Final = "application/json"
BODY_LIMIT_BYTES: Final = 65_536
READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
OPEN_PATHS: Final = frozenset({"/", "/healthz", "/readyz"})
"""Nothing to protect in them, nor under ``/static/``: the page asks for a key itself."""
OF_RUN_KEYS: Final = re.compile(r".*/runs/.+/log/?")
"""What a program printed may be anything: it is for those who may start programs."""
DEFAULT_PORTS: Final = {"http": 80, "https": 443}
SECURITY_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self';"
    " frame-ancestors 'none'; object-src 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
HOST: Final = re.compile(rf"({HOST_NAME})(:[0-9]*)?")
"""Name or address, and port."""
POLICY_VIOLATION: Final = 1008


class AccessMiddleware:
    """Host, origin, key and body of each request are checked, in this order.

    ``hosts``: names and addresses, beside the loopback ones, that clients know this machine by;
    any other in a ``Host`` header is somebody else's name that was made to point here.
    ``keys`` None: no key is needed.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        hosts: Iterable[str] = (),
        keys: Keys | None = None,
    ) -> None:
        self._app = app
        self._hosts = frozenset(_plain(host) for host in hosts)
        self._keys = keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check one connection's requests before the app gets them."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": POLICY_VIOLATION})
        elif scope["type"] == "http":
            await self._request(scope, receive, _with_headers(scope["path"], send))
        else:
            await self._app(scope, receive, send)

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            headers = Headers(scope=scope)
            self._check_host(headers)
            _check_origin(scope["method"], headers)
            self._check_key(scope["method"], scope["path"], headers)
            checked = await self._checked_body(headers, scope, receive)
        except ApiError as error:
            answer = problem_response(
                error.status, error.detail, scope["path"], headers=error.headers
            )
            await answer(scope, receive, send)
        else:
            await self._app(scope, checked, send)

    def _check_host(self, headers: Headers) -> None:
        hosts = headers.getlist("host")
        match = HOST.fullmatch(hosts[0]) if len(hosts) == 1 else None
        name = _plain(match[1]) if match else ""
        if not (is_loopback(name) or name in self._hosts):
            raise ApiError(
                421, "the Host header names another machine; use a name the service was given"
            )

    def _check_key(self, method: str, path: str, headers: Headers) -> None:
        if self._keys is None or (method in READING and _is_open(path)):
            return
        authorization = headers.get("authorization")
        role = self._keys.role(authorization)
        if role is None:
            challenge = 'Bearer realm="wattmark"'
            if authorization is None:
                detail = "a key is needed: send Authorization: Bearer KEY"
            else:
                detail, challenge = "the key is wrong", f'{challenge}, error="invalid_token"'
            raise ApiError(401, detail, headers={"WWW-Authenticate": challenge})
        if role is not Role.RUN and (method not in READING or OF_RUN_KEYS.fullmatch(path)):
            raise ApiError(403, "the key may only read; use a run key")

    async def _checked_body(self, headers: Headers, scope: Scope, receive: Receive) -> Receive:
        """What hands the app its body: read here, so that its size is known before it starts."""
        scope[BODY] = b""
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > BODY_LIMIT_BYTES:
            raise self._too_large()
        if int(length) == 0 and "transfer-encoding" not in headers:
            return receive
        try:
            replayed = await read_body(scope, receive, BODY_LIMIT_BYTES)
        except BodyTooLarge:
            raise self._too_large() from None
        if (
            scope[BODY]
            and headers.get("content-type", "").partition(";")[0].strip().lower() != JSON
        ):
            raise ApiError(415, f"the body must be JSON: send Content-Type: {JSON}")
        return replayed

    def _too_large(self) -> ApiError:
        return ApiError(413, f"the body has more than {BODY_LIMIT_BYTES} bytes")


def _check_origin(method: str, headers: Headers) -> None:
    """A page of another origin may not write, even in the browser of somebody who may."""
    if method in READING:
        return
    origin = headers.get("origin")
    if headers.get("sec-fetch-site") == "cross-site" or (
        origin is not None and not _same_origin(origin, headers["host"])
    ):
        raise ApiError(403, "a page of another origin may not do this")


def _same_origin(origin: str, host: str) -> bool:
    """Whether an origin is at the address of a Host header.

    Its scheme is not compared: behind a proxy that ends TLS, the service does not know its own.
    """
    theirs = _split(origin)
    ours = _split(f"{theirs.scheme}://{host}")
    return theirs.hostname is not None and _address(theirs) == _address(ours)


def _address(url: SplitResult) -> tuple[str, int | None]:
    try:
        port = url.port
    except ValueError:
        port = -1
    return _plain(url.hostname or ""), port or DEFAULT_PORTS.get(url.scheme)


def _split(url: str) -> SplitResult:
    """The parts of a URL; none at all of what is no URL."""
    try:
        return urlsplit(url)
    except ValueError:
        return urlsplit("")


def _plain(host: str) -> str:
    return host.lower().removesuffix(".").strip("[]")


def _is_open(path: str) -> bool:
    return path in OPEN_PATHS or path.startswith("/static/")


def _with_headers(path: str, send: Send) -> Send:
    """Adds the security headers and the time; what is behind a key is never stored by a cache."""

    async def adding(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.update(SECURITY_HEADERS)
            headers["Date"] = formatdate(usegmt=True)
            if not _is_open(path):
                headers["Cache-Control"] = "no-store"
        await send(message)

    return adding
