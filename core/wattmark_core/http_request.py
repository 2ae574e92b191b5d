"""A request as it comes in, and the answer to it."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple
from urllib.parse import unquote_plus

TEXT: Final = "text/plain; charset=utf-8"
_FIELD_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_ABSOLUTE: Final = re.compile(r"https?://[^/?#]*", re.IGNORECASE)


class BadRequest(Exception):
    """A request that cannot be answered: the connection ends after ``status`` and one line."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Request(NamedTuple):
    """``query``: the last value of each parameter; ``headers`` by their names in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]


class Response(NamedTuple):
    """``body`` is left out where ``status`` is 204. ``pieces`` makes a large one anew at each call,
    piece by piece, so that it is never in memory whole: it is called to count, and to send."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = {}
    content_type: str = TEXT
    pieces: Callable[[], Iterable[bytes]] | None = None


def origin_form(target: str) -> str:
    """A target in absolute form, with several slashes or with a fragment as most are."""
    target = _ABSOLUTE.sub("", target, count=1) if target[0] != "/" else target
    return "/" + target.partition("#")[0].lstrip("/") if target[:1] in {"", "/"} else target


def headers_of(fields: bytes) -> dict[str, str]:
    """By their names in lower case. Raises ``BadRequest``."""
    headers: dict[str, str] = {}
    for field in fields.decode("latin-1").split("\n") if fields.strip() else ():
        name, colon, value = field.partition(":")
        if not colon:
            raise BadRequest(400, "a header without a colon")
        if _FIELD_NAME.fullmatch(name) is None:
            raise BadRequest(400, "a header's name has characters that it may not have")
        name, value = name.lower(), value.strip()
        if _CONTROL.search(value):
            raise BadRequest(400, "a header's value has characters that it may not have")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def parameters_of(query: str) -> dict[str, str]:
    """Of a query; the last value of each name."""
    parameters = {}
    for pair in query.split("&") if query else ():
        name, _, value = pair.partition("=")
        value = value.replace("%3A", ":")  # all that is quoted in a cursor
        parameters[name] = unquote_plus(value) if "%" in value or "+" in value else value
    return parameters
