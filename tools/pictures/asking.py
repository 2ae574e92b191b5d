"""Variables and queries of a dashboard, asked of an InfluxDB as Grafana asks them."""

import base64
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from tools.pictures.library import Json, Library, Span, Variable

ALL: Final = "$__all"
OWN: Final = "wattmark-"
LEAST: Final = "100ms"
"""``timeInterval`` of the stack's data sources."""


class ServerError(Exception):
    """InfluxDB cannot be reached, or takes no demo data."""


@dataclass(frozen=True, slots=True)
class Server:
    """An InfluxDB with its InfluxQL interface; ``user`` and ``password`` may be empty."""

    url: str
    user: str = ""
    password: str = ""

    def ask(self, database: str, query: str) -> Json:
        """The first statement's result, times in ms; ``error`` in it says what is wrong.

        Raises ``ServerError``.
        """
        body = urlencode({"db": database, "q": query, "epoch": "ms"}).encode()
        status, text = self._post("/query", body)
        if status != HTTPStatus.OK:
            return {"error": text.decode(errors="replace")[:500]}
        results: Sequence[Json] = json.loads(text).get("results") or [{}]
        return results[0]

    def write(self, database: str, lines: Sequence[str]) -> None:
        """Write lines of line protocol, times in ns. Raises ``ServerError``."""
        status, text = self._post(f"/write?db={database}", "\n".join(lines).encode())
        if status != HTTPStatus.NO_CONTENT:
            raise ServerError(f"InfluxDB refused demo data: {text.decode(errors='replace')[:500]}")

    def _post(self, path: str, body: bytes) -> tuple[int, bytes]:
        headers = {}
        if self.user:
            both = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
            headers["Authorization"] = f"Basic {both}"
        request = Request(self.url + path, body, headers)  # noqa: S310 - the user's own
        try:
            with urlopen(request, timeout=120.0) as answer:  # noqa: S310
                return answer.status, answer.read()
        except HTTPError as error:
            return error.code, error.read()
        except (URLError, OSError) as error:
            raise ServerError(f"InfluxDB does not answer at {self.url}: {error}") from error


def database_of(source: object, variables: Mapping[str, Variable]) -> str:
    """The database behind a panel's data source; the stack's sources are called by it."""
    uid = str(source.get("uid", "")) if isinstance(source, Mapping) else str(source or "")
    named = re.fullmatch(r"\$\{?(\w+)\}?", uid)
    if named is not None and named[1] in variables:
        uid = "".join(variables[named[1]].values)
    return uid.removeprefix(OWN).replace("-", "_")


@dataclass(frozen=True, slots=True)
class Asker:
    """Asks for one dashboard. ``span``: its time."""

    server: Server
    library: Library
    span: Span

    def choose(self, listed: Sequence[Json], chosen: Mapping[str, str]) -> dict[str, Variable]:
        """What each variable is at first, or what was ``chosen`` for it."""
        made: dict[str, Variable] = {}
        for variable in listed:
            name = str(variable["name"])
            if name in chosen:
                made[name] = Variable((chosen[name],), bool(variable.get("multi")))
            else:
                made[name] = self._first(variable, made)
        return made

    def result(
        self, panel: Json, target: Json, variables: Mapping[str, Variable], span: Span, points: int
    ) -> Json:
        """The answer to one of a panel's targets."""
        if target.get("hide"):
            return {}
        source = target.get("datasource") or panel.get("datasource")
        least = str(panel.get("interval") or LEAST)
        text, interval_ms = self.library.interval(span, points, least)
        macros = self._macros(span) | {
            "__interval": Variable((text,)), "__interval_ms": Variable((str(interval_ms),)),
            "interval": Variable((text,)),
        }  # fmt: skip
        query = self._filled(str(target.get("query", "")), {**macros, **variables}, span)
        return self.server.ask(database_of(source, variables), query)

    def _macros(self, span: Span) -> dict[str, Variable]:
        shown = f"time >= {span.start_ms}ms and time <= {span.end_ms}ms"
        range_ms = span.end_ms - span.start_ms
        return {
            "timeFilter": Variable((shown,)), "__timeFilter": Variable((shown,)),
            "__range": Variable((f"{range_ms // 1000}s",)),
            "__range_s": Variable((str(range_ms // 1000),)),
            "__range_ms": Variable((str(range_ms),)),
        }  # fmt: skip

    def _filled(self, query: str, variables: Mapping[str, Variable], span: Span) -> str:
        return self.library.filled([query], variables, queries=True, span=span)[0]

    def _first(self, listed: Json, known: Mapping[str, Variable]) -> Variable:
        current = (listed.get("current") or {}).get("value", "")
        match listed["type"]:
            case "query":
                return self._of_query(listed, current, known)
            case "interval":
                return self._interval(listed, current)
            case "custom":
                options = [option.split(" : ")[-1].strip() for option in listed["query"].split(",")]
                return _selected(listed, options, current)
            case "constant" | "textbox":
                return Variable((str(listed.get("query") or current),))
        return Variable((str(current),))

    def _interval(self, listed: Json, current: object) -> Variable:
        if not str(current).startswith("$__auto"):
            return Variable((str(current or listed["query"].split(",")[0]),))
        least = str(listed.get("auto_min") or LEAST)
        return Variable(
            (self.library.interval(self.span, listed.get("auto_count") or 30, least)[0],)
        )

    def _of_query(self, listed: Json, current: object, known: Mapping[str, Variable]) -> Variable:
        query = listed["query"]
        text = str(query.get("query", "") if isinstance(query, Mapping) else query)
        filled = self._filled(text, {**self._macros(self.span), **known}, self.span)
        answer = self.server.ask(database_of(listed.get("datasource"), known), filled)
        values = _filtered(_values(answer), str(listed.get("regex") or ""))
        order = int(listed.get("sort") or 0)
        if order:
            numeric = order in {3, 4}
            values.sort(key=_number if numeric else str.casefold, reverse=order % 2 == 0)
        return _selected(listed, values, current)


def _selected(listed: Json, options: Sequence[str], current: object) -> Variable:
    several = bool(listed.get("multi"))
    if current in (ALL, [ALL]) and listed.get("includeAll"):
        return Variable(tuple(options), True, str(listed.get("allValue") or ""))
    chosen = [str(value) for value in (current if isinstance(current, list) else [current])]
    valid = tuple(value for value in chosen if value in options) or tuple(options[:1])
    return Variable(valid, several)


def _values(answer: Json) -> list[str]:
    """As Grafana takes a variable's values: a series' first column of texts, else of anything."""
    values: dict[str, None] = {}
    for series in answer.get("series", []):
        columns = [n for n, name in enumerate(series["columns"]) if name != "time"]
        if series["columns"][:2] == ["key", "value"]:
            columns = [1]
        rows = series.get("values", [])
        texts = [n for n in columns if any(isinstance(row[n], str) for row in rows)]
        for at in (texts or columns)[:1]:
            values |= {str(row[at]): None for row in rows if row[at] is not None}
    return list(values)


def _filtered(values: Sequence[str], pattern: str) -> list[str]:
    bare = re.fullmatch(r"/(.*)/(\w*)", pattern, re.DOTALL)
    if not pattern:
        return list(values)
    text, flags = (bare[1], bare[2]) if bare else (pattern, "")
    regex = re.compile(text.replace("(?<", "(?P<"), re.IGNORECASE if "i" in flags else 0)
    filtered: dict[str, None] = {}
    for value in values:
        match = regex.search(value)
        if match is not None:
            named: dict[str, Any] = match.groupdict()
            filtered[str(named.get("value") or (match[1] if match.groups() else value))] = None
    return list(filtered)


def _number(text: str) -> float:
    match = re.search(r"-?\d+(\.\d+)?", text)
    return float(match[0]) if match else 0.0
