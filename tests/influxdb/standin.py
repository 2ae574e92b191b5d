"""A stand-in for InfluxDB 2.7's v1 API: HTTP before an InfluxDB 1.6, which keeps the data and
carries out InfluxQL.

Statuses, bodies and rights are as recorded from 2.7.12 and 2.9.1 (``recorded.json``). Users are
those of the server behind, with its grants as their rights on buckets.
"""

import base64
import binascii
import json
from collections.abc import Iterator
from itertools import groupby
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from tests.influxdb import answers, points, statements
from tests.influxdb.administration import administer, is_administration
from tests.influxdb.answers import (
    AUTOGEN,
    NO_MAPPING,
    POLICIES,
    UNKNOWN,
    Refused,
    error,
    results,
    series,
)
from tests.influxdb.backend import Backend, Rights
from tests.influxdb.listening import Handler, Listening
from tests.influxdb.statements import Kind

VERSION: Final = "v2.7.12"
COMMITS: Final = {"v2.7.12": "ec9dcde", "v2.9.1": "none"}
FIELD_CONDITION: Final = "fields not supported in WHERE clause during deletion"
EMPTY: Final = "{}\n"
BUCKET: Final = "52af0bf8779ba415"


class StandIn:
    """Answers on a port of loopback from ``start`` to ``stop``, and again."""

    def __init__(self, backend: Backend, version: str = VERSION, port: int = 0) -> None:
        self.backend = backend
        self.version = version
        self.port = port
        self._listening: Listening | None = None

    def start(self) -> None:
        """Listen."""
        standin = self

        class Own(_Handler):
            owner = standin

        self._listening = Listening(Own, self.port)
        self.port = self._listening.server_port

    def stop(self) -> None:
        """Nobody is answered any more."""
        if self._listening is not None:
            self._listening.stop()
        self._listening = None

    def write(self, user: str, options: dict[str, str], lines: bytes) -> None:
        """Take a batch. Raises ``Refused``."""
        if not (database := options.get("db", "")):
            raise Refused(400, "invalid", "missing db")
        rights = self.backend.rights(user)
        if not rights.any(database):
            raise NO_MAPPING
        if database not in rights.writes:
            raise Refused(403, "forbidden", "insufficient permissions for write")
        if wrong := list(points.unparsed(lines, self.backend, options)):
            raise Refused(400, "invalid", "\n".join(wrong))
        status, answer = self.backend.call("/write", options, points.renamed(lines))
        if status == 400:
            days, error = self.backend.days(database), json.loads(answer)["error"]
            message = points.refusal(error, lines, days, BUCKET)
            raise Refused(422, "unprocessable entity", message)

    def query(self, user: str, options: dict[str, str], text: str, accept: str) -> str:
        """The body of an answer. Raises ``Refused``."""
        if not text:
            return EMPTY
        if wrong := self.backend.syntax_error(text):
            message = wrong.replace("error parsing query", "failed to parse query", 1)
            raise Refused(400, "invalid", message)
        queries = statements.split(text)
        results = list(
            _Query(self.backend, self.backend.rights(user), options, accept).run(queries)
        )
        if accept == "application/csv":
            return "".join(results)
        return f'{{"results":[{",".join(results)}]}}\n' if results else EMPTY


class _Query:
    """The statements of one request of one user."""

    def __init__(
        self, backend: Backend, rights: Rights, options: dict[str, str], accept: str
    ) -> None:
        self._backend = backend
        self._rights = rights
        self._options = options
        self._accept = accept

    def run(self, queries: list[str]) -> Iterator[str]:
        """The result of each statement that has one, up to the first error."""
        plain = groupby(enumerate(queries), lambda each: self._plain(each[1]))
        for forwarded, group in plain:
            numbered = list(group)
            results = (
                self._forward(numbered) if forwarded
                else (self._own(n, each) for n, each in numbered)
            )  # fmt: skip
            for result in results:
                if result:
                    yield result
                if '"error":' in result[:40]:
                    return

    def _plain(self, statement: str) -> bool:
        """May the server behind answer it as it is?"""
        return (
            not statements.not_implemented(statement)
            and statements.kind(statement) in {Kind.SELECT, Kind.MEASUREMENTS, Kind.TAG}
            and not self._unreadable(statement)
        )

    def _unreadable(self, statement: str) -> str:
        database = self._options.get("db", "")
        names = statements.databases(statement, database)
        return next((name for name in names if name not in self._rights.reads), "")

    def _forward(self, numbered: list[tuple[int, str]]) -> Iterator[str]:
        text = ";".join(each for _, each in numbered)
        _, answer = self._backend.query(text, self._options, accept=self._accept)
        decoded = answer.decode()
        if self._accept == "application/csv":
            yield decoded
            return
        for (number, _), result in zip(numbered, results(decoded), strict=False):
            yield answers.numbered(number, result)

    def _own(self, number: int, statement: str) -> str:
        """The result of what 2.7 does in its own way; empty: none."""
        name = statements.not_implemented(statement)
        if name:
            return error(number, f"not implemented: {name}")
        unreadable = self._unreadable(statement)
        match statements.kind(statement):
            case Kind.DATABASES:
                rows = ",".join(f'["{each}"]' for each in sorted(self._rights.reads))
                values = f',"values":[{rows}]' if rows else ""
                return series(number, f'"name":"databases","columns":["name"]{values}')
            case Kind.RETENTION_POLICIES:
                return series(number, POLICIES + ("" if unreadable else AUTOGEN))
            case Kind.MEASUREMENTS:
                return f'{{"statement_id":{number}}}'
            case Kind.TAG:
                return error(number, f"default retention policy not set for: {unreadable}")
            case Kind.DELETION:
                return self._delete(number, statement)
        return error(number, f"database not found: {unreadable}")

    def _delete(self, number: int, statement: str) -> str:
        database = self._options.get("db", "")
        if not self._rights.any(database):
            return error(number, f"default retention policy not set for: {database}")
        if database not in self._rights.writes:
            return error(number, "insufficient permissions")
        wrong = self._backend.result(database, statement).get("error", "")
        return "" if not wrong or FIELD_CONDITION in wrong else error(number, wrong)


class _Handler(Handler):
    owner: StandIn

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path == "/ping":
            self._answer(204, "", "")
        elif path == "/health":
            version = self.owner.version
            self._answer(
                200, "application/json; charset=utf-8",
                '{"name":"influxdb", "message":"ready for queries and writes", "status":"pass",'
                f' "checks":[], "version": "{version}", "commit": "{COMMITS[version]}"}}\n',
            )  # fmt: skip
        elif path == "/query":
            self._guarded()
        else:
            self._answer(404, "text/plain; charset=utf-8", "no assets included in binary\n")

    def do_POST(self) -> None:
        if is_administration(self.path) or urlsplit(self.path).path in {"/query", "/write"}:
            self._guarded()
        else:
            self.do_GET()

    def do_DELETE(self) -> None:
        self.do_POST()

    def _guarded(self) -> None:
        try:
            self._called(self.body())
        except Refused as error:
            self._answer(error.status, "application/json; charset=utf-8", error.body)
        except OSError:  # the server behind is away, and so is this one
            self.close_connection = True

    def _called(self, body: bytes) -> None:
        if is_administration(self.path):
            token = self.headers.get("Authorization", "").removeprefix("Token ")
            status, text = administer(self.owner.backend, token, self.command, self.path, body)
            self._answer(status, "application/json; charset=utf-8", text)
            return
        address = urlsplit(self.path)
        options = dict(parse_qsl(address.query))
        user = self._user(options)
        if address.path == "/write":
            self.owner.write(user, options, body)
            self._answer(204, "", "")
            return
        if self.headers.get("Content-Type", "").startswith("application/x-www-form"):
            options |= dict(parse_qsl(body.decode()))
        accept = self.headers.get("Accept", "")
        text = self.owner.query(user, options, options.pop("q", ""), accept)
        csv = accept == "application/csv"
        self._answer(200, "application/csv" if csv else "application/json", text)

    def _user(self, options: dict[str, str]) -> str:
        """Who asks. Raises ``Refused``."""
        scheme, _, encoded = self.headers.get("Authorization", "").partition(" ")
        credentials = f"{options.pop('u', '')}:{options.pop('p', '')}"
        if scheme == "Basic":
            try:
                credentials = base64.b64decode(encoded, validate=True).decode()
            except (binascii.Error, UnicodeDecodeError):
                raise UNKNOWN from None
        elif scheme == "Token":
            credentials = encoded
        if credentials == ":":
            raise Refused(401, "unauthorized", "unauthorized access")
        if not self.owner.backend.knows(credentials):
            raise UNKNOWN
        return credentials.partition(":")[0]

    def _answer(self, status: int, kind: str, text: str) -> None:
        headers = {"Content-Type": kind} if kind else {}
        headers |= {"X-Influxdb-Build": "OSS", "X-Influxdb-Version": self.owner.version}
        self.answer(status, headers, text.encode())
