"""What every request must pass before the app sees it, and what every answer carries.

Pure ASGI, so that streams are passed on as they come. Put it around the whole app:
``uvicorn.run(AccessMiddleware(app, …))``; then answers to unforeseen errors carry the headers too.
"""

import logging
from collections.abc import Iterable
from email.utils import formatdate
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wattmark_core.http_guard import READING, Guard, plain
from wattmark_core.printable import printable, quoted
from wattmark_core.seldom import Seldom
from wattmark_runner.errors import BodyCutOff, BodyTooLarge
from wattmark_runner.service.access.body import BODY, read_body
from wattmark_runner.service.access.head import as_get
from wattmark_runner.service.access.keys import Keys, Role
from wattmark_runner.service.access.protocol import TRUSTED
from wattmark_runner.service.api.caller import KEY_NAME, ONLY_READS
from wattmark_runner.service.api.problems import ApiError, problem_response, refusal

log = logging.getLogger(__name__)

JSON: Final = "application/json"
BODY_LIMIT_BYTES: Final = 65_536
OPEN_PATHS: Final = frozenset({"/", "/healthz", "/readyz"})
"""Nothing to protect in them, nor under ``/static/``: the page asks for a key itself."""
SECURITY_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self';"
    " frame-ancestors 'none'; object-src 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
POLICY_VIOLATION: Final = 1008
TOLD: Final = frozenset({401, 403, 421})
"""Refusals that show that somebody tries what they may not."""
LONGEST_LENGTH: Final = 18
"""Digits of a Content-Length that are looked at."""


class AccessMiddleware:
    """Host, origin, key and body of each request are checked, in this order.

    ``hosts``: names and addresses, beside the loopback ones, that clients know this machine by;
    any other in a ``Host`` header is somebody else's name that was made to point here.
    ``keys`` None: no key is needed.
    """

    def __init__(
        self, app: ASGIApp, *, hosts: Iterable[str] = (), keys: Keys | None = None
    ) -> None:
        self._app = app
        self._guard = Guard(frozenset(plain(host) for host in hosts))
        self._keys = keys
        self._refused = Seldom(log)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check one connection's requests before the app gets them."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": POLICY_VIOLATION})
        elif scope["type"] == "http":
            await self._request(scope, receive, _with_headers(scope["path"], send))
        else:
            await self._app(scope, receive, send)

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = _Answer(send)
        try:
            headers = Headers(scope=scope)
            self._check_host_and_origin(scope["method"], headers)
            self._check_key(scope, headers)
            scope[TRUSTED] = True
            checked = await self._checked_body(headers, scope, receive)
            if scope["method"] == "HEAD":
                await as_get(self._app, scope, checked, answer.send)
            else:
                await self._app(scope, checked, answer.send)
        except BodyCutOff:  # there is nobody left to answer
            return
        except ApiError as error:
            self._tell(scope, error)
            await _problem(error, scope, receive, send)
        except Exception as error:
            if not answer.begun:
                await _problem(refusal(error), scope, receive, send)
            raise

    def _tell(self, scope: Scope, error: ApiError) -> None:
        """The log has who was refused, at a rate, and never a key."""
        if error.status in TOLD:
            client = scope.get("client") or ("somebody",)
            self._refused.warning(
                "%s is refused with %d: %s", printable(client[0]), error.status, error.detail
            )

    def _check_host_and_origin(self, method: str, headers: Headers) -> None:
        hosts = headers.getlist("host")
        refused = self._guard.refusal(
            method, hosts[0] if len(hosts) == 1 else None, headers.get("origin"),
            headers.get("sec-fetch-site"), headers.get("sec-fetch-mode"),
        )  # fmt: skip
        if refused is not None:
            raise ApiError(*refused)

    def _check_key(self, scope: Scope, headers: Headers) -> None:
        method = scope["method"]
        if self._keys is None or (method in READING and _is_open(scope["path"])):
            return
        authorization = headers.get("authorization")
        key = self._keys.of(authorization)
        if key is None:
            challenge = 'Bearer realm="wattmark"'
            if authorization is None:
                detail = "a key is needed: send Authorization: Bearer KEY"
            else:
                detail, challenge = "the key is wrong", f'{challenge}, error="invalid_token"'
            raise ApiError(401, detail, headers={"WWW-Authenticate": challenge})
        if key.role is not Role.RUN and method not in READING:
            raise ApiError(403, f"the key may only read; use a run key ({key.name})")
        scope[KEY_NAME] = key.name
        scope[ONLY_READS] = key.role is not Role.RUN
        if method not in READING:
            log.info("%s: %s %s", key.name, method, quoted(scope["path"]))

    async def _checked_body(self, headers: Headers, scope: Scope, receive: Receive) -> Receive:
        """What hands the app its body: read here, so that its size is known before it starts."""
        scope[BODY] = b""
        length = headers.get("content-length", "0")
        if not (length.isdecimal() and len(length) <= LONGEST_LENGTH):
            raise self._too_large()
        if int(length) > BODY_LIMIT_BYTES:
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


class _Answer:
    """Whether an answer has begun."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.begun = False

    async def send(self, message: Message) -> None:
        """See ASGI."""
        self.begun = True
        await self._send(message)


async def _problem(error: ApiError, scope: Scope, receive: Receive, send: Send) -> None:
    answer = problem_response(error.status, error.detail, scope["path"], headers=error.headers)
    await answer(scope, receive, send)


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
