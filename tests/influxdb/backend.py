"""The InfluxDB 1.6 behind the stand-in: its administrator's calls, and whom it knows."""

import base64
import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any, Final
from urllib.parse import urlencode

NOBODY: Final = "nobody"
"""A user without rights, whose queries are parsed and go no further."""
SCRATCH: Final = "parsed"
"""A database for lines of which only it is wanted whether they can be parsed."""


@dataclass(frozen=True, slots=True)
class Rights:
    """What a user may."""

    reads: frozenset[str] = frozenset()
    writes: frozenset[str] = frozenset()

    def any(self, database: str) -> bool:
        """May the user do something there?"""
        return database in self.reads | self.writes


class Backend:
    """Calls to the server at HOST:PORT; threads may share it."""

    def __init__(self, address: str, admin: str, password: str) -> None:
        self._address = address
        self._admin = f"{admin}:{password}"
        self._admin_name = admin
        self._idle: deque[HTTPConnection] = deque()
        self.result("", f"CREATE USER {NOBODY} WITH PASSWORD 'nothing'")
        self.result("", f"CREATE DATABASE {SCRATCH}")

    def call(
        self, path: str, query: dict[str, str], body: bytes, credentials: str = "",
        headers: dict[str, str] | None = None,
    ) -> tuple[int, bytes]:  # fmt: skip
        """Status and body of a POST; as the administrator unless ``credentials`` are given."""
        encoded = base64.b64encode((credentials or self._admin).encode()).decode()
        sent = {"Authorization": f"Basic {encoded}", **(headers or {})}
        address = f"{path}?{urlencode(query)}"
        while True:
            idle = self._idle.pop() if self._idle else None
            connection = idle or HTTPConnection(self._address, timeout=60.0)
            try:
                connection.request("POST", address, body, sent)
                answer = connection.getresponse()
                found = answer.status, answer.read()
            except OSError:
                connection.close()
                if idle is None:  # else the server may have closed it since
                    raise
            else:
                self._idle.append(connection)
                return found

    def close(self) -> None:
        """Close the kept connections."""
        while self._idle:
            self._idle.pop().close()

    def query(
        self, text: str, options: dict[str, str], credentials: str = "", accept: str = ""
    ) -> tuple[int, bytes]:
        """A query's answer."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if accept:
            headers["Accept"] = accept
        return self.call("/query", options, urlencode({"q": text}).encode(), credentials, headers)

    def result(self, database: str, text: str) -> dict[str, Any]:
        """The first result of a query."""
        _, answer = self.query(text, {"db": database, "epoch": "ns"})
        found: dict[str, Any] = json.loads(answer)["results"][0]
        return found

    def knows(self, credentials: str) -> bool:
        """Is it a user's name and password?"""
        return self.query("SHOW DATABASES", {}, credentials)[0] == 200

    def syntax_error(self, text: str) -> str:
        """What is wrong with a query; empty if it can be parsed. Nothing is carried out."""
        status, answer = self.query(text, {}, f"{NOBODY}:nothing")
        return str(json.loads(answer)["error"]) if status == 400 else ""

    def rights(self, user: str) -> Rights:
        """A user's rights on the databases that there are; the administrator's are all."""
        databases = frozenset(self._values("SHOW DATABASES")) - {SCRATCH, "_internal"}
        if user == self._admin_name:
            return Rights(databases, databases)
        granted = self.result("", f'SHOW GRANTS FOR "{user}"').get("series", [])
        rows = [row for series in granted for row in series.get("values", [])]
        return Rights(*(
            databases & {name for name, right in rows if right in {kind, "ALL PRIVILEGES"}}
            for kind in ("READ", "WRITE")
        ))  # fmt: skip

    def days(self, database: str) -> str:
        """How long a database keeps its samples, as Go writes a duration."""
        (series,) = self.result(database, "SHOW RETENTION POLICIES")["series"]
        return str(series["values"][0][1])

    def _values(self, text: str) -> Iterator[str]:
        for series in self.result("", text).get("series", []):
            yield from (row[0] for row in series.get("values", []))
