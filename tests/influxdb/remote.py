"""Somebody's real InfluxDB: what the tests need is made on it, and removed at the end.

On 2.x that is an organization of its own, by an operator's token; on 1.x databases and users, by an
administrator, where there are none of those names.
"""

import json
import os
import secrets
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.influxdb.gate import Gate
from tests.influxdb.servers import Server, ask
from wattmark_store.databases import DATABASES, READS, WRITES

USERS: Final = ("admin", *READS)
TAKEN: Final = frozenset({409, 422})
"""Statuses for a name that there is already."""


@contextmanager
def connected(url: str, folder: Path) -> Iterator[Server]:
    """The server at ``url``, with databases and users for the tests."""
    with urlopen(f"{url}/ping", timeout=10.0) as answer:
        version = answer.headers["X-Influxdb-Version"]
    server: Remote = (Remote1 if version.startswith("1.") else Remote2)(url, version, folder)
    try:
        server.make()
        yield server
    finally:
        server.remove()


class Remote(ABC):
    """What both have in common; calls of tests pass a gate, so that it can be shut."""

    databases: tuple[str, ...] = DATABASES
    token = ""

    def __init__(self, url: str, version: str, folder: Path) -> None:
        self.real_address = url.rstrip("/")
        self.version = version
        self._folder = folder
        self._gate = Gate(self.real_address)
        self._names = {user: user for user in USERS}
        for user in USERS:
            self.password_file(user).write_text(secrets.token_hex(16))

    @property
    def address(self) -> str:
        """See ``Server``."""
        return f"http://127.0.0.1:{self._gate.port}"

    def url(self, user: str) -> str:
        """See ``Server``."""
        return self._gate.url(self.name(user))

    def name(self, user: str) -> str:
        """See ``Server``."""
        return self._names[user]

    def password_file(self, user: str) -> Path:
        """See ``Server``."""
        return self._folder / f"{user}-password"

    def authorization(self, user: str) -> str:
        """See ``Server``."""
        return ""

    def query(self, database: str, statement: str, user: str = "admin") -> Any:
        """See ``Server``."""
        credentials = f"{self.name(user)}:{self.password_file(user).read_text()}"
        return ask(self.real_address, credentials, database, statement)

    def start(self) -> None:
        """See ``Server``."""
        self._gate.start()

    def stop(self) -> None:
        """See ``Server``."""
        self._gate.stop()

    @abstractmethod
    def make(self) -> None:
        """Make what is needed."""

    def remove(self) -> None:
        """Remove what was made."""
        self._gate.stop()

    @abstractmethod
    def make_databases(self) -> None:
        """See ``Server``."""

    @abstractmethod
    def drop(self, database: str) -> None:
        """See ``Server``."""


class Remote1(Remote):
    """1.x, as the administrator whom the environment names."""

    _is_ours = False
    """Only what was made here is removed."""

    def make(self) -> None:
        """Users without rights."""
        self._names["admin"] = os.environ.get("WATTMARK_INFLUXDB_USER", "admin")
        self.password_file("admin").write_text(_required("WATTMARK_INFLUXDB_PASSWORD"))
        existing = {*self._shown("SHOW DATABASES"), *self._shown("SHOW USERS")}
        if taken := sorted(existing & {*self.databases, *READS}):
            self._gate.stop()
            pytest.exit(f"{self.real_address} has {', '.join(taken)}: name an empty InfluxDB", 2)
        self._is_ours = True
        for user in READS:
            password = self.password_file(user).read_text()
            self.query("", f"CREATE USER {user} WITH PASSWORD '{password}'")

    def remove(self) -> None:
        """See ``Remote``."""
        super().remove()
        if self._is_ours:
            for name in self.databases:
                self.drop(name)
            for user in READS:
                self.query("", f"DROP USER {user}")

    def make_databases(self) -> None:
        """See ``Server``."""
        for name in self.databases:
            self.drop(name)
            self.query("", f"CREATE DATABASE {name}")
        for user in READS:
            for name in READS[user]:
                right = "ALL" if name in WRITES[user] else "READ"
                self.query("", f"GRANT {right} ON {name} TO {user}")

    def drop(self, database: str) -> None:
        """See ``Server``."""
        self.query("", f"DROP DATABASE {database}")

    def _shown(self, statement: str) -> Iterator[str]:
        for series in self.query("", statement).get("series", []):
            yield from (row[0] for row in series.get("values", []))


class Remote2(Remote):
    """2.x, in an organization of the tests' own. ``kept``: of each database how many seconds it
    keeps, 0 for ever."""

    def __init__(
        self, url: str, version: str, folder: Path, retentions: Mapping[str, int] | None = None
    ) -> None:
        super().__init__(url, version, folder)
        self._kept = dict.fromkeys(DATABASES, 0) if retentions is None else retentions
        self.databases = tuple(self._kept)
        self.token = _required("WATTMARK_INFLUXDB_TOKEN")
        self._organization = ""
        self._buckets: dict[str, str] = {}
        self._authorizations: dict[str, str] = {}

    def make(self) -> None:
        """An organization with buckets and users."""
        mark = secrets.token_hex(4)
        self._names["admin"] = f"admin_{mark}"
        try:
            made = self._call("POST", "/api/v2/orgs", {"name": f"wattmark-check-{mark}"})
        except HTTPError as error:
            self._gate.stop()
            message = error.read().decode("utf-8", "replace")
            pytest.exit(f"{self.real_address}: {message}: WATTMARK_INFLUXDB_TOKEN must be an"
                        " operator's, which may make an organization", 2)  # fmt: skip
        self._organization = made["id"]
        self._make_buckets()
        try:
            self._authorize()
        except HTTPError as error:
            if error.code not in TAKEN:
                raise
            self._forbid()
            self._names = {user: f"{user}_{mark}" for user in USERS}
            self._authorize()

    def remove(self) -> None:
        """See ``Remote``."""
        super().remove()
        self._forbid()
        for name in list(self._buckets):
            self.drop(name)
        if self._organization:
            self._call("DELETE", f"/api/v2/orgs/{self._organization}")

    def make_databases(self) -> None:
        """See ``Server``."""
        for name in list(self._buckets):
            for measurement in self._measurements(name):
                quoted = measurement.replace("\\", "\\\\").replace('"', '\\"')
                self.query(name, f'DROP MEASUREMENT "{quoted}"')
            if self._measurements(name):
                self.drop(name)
        if set(self._buckets) != set(self.databases):
            self._forbid()
            self._make_buckets()
            self._authorize()

    def _measurements(self, database: str) -> list[str]:
        found = self.query(database, "SHOW MEASUREMENTS").get("series", [])
        return [row[0] for series in found for row in series["values"]]

    def authorization(self, user: str) -> str:
        """See ``Server``."""
        return self._authorizations[user]

    def drop(self, database: str) -> None:
        """See ``Server``."""
        self._call("DELETE", f"/api/v2/buckets/{self._buckets.pop(database)}")

    def _make_buckets(self) -> None:
        for name, seconds in self._kept.items():
            if name not in self._buckets:
                rules = [{"type": "expire", "everySeconds": seconds}] if seconds else []
                bucket = {"orgID": self._organization, "name": name, "retentionRules": rules}
                self._buckets[name] = self._call("POST", "/api/v2/buckets", bucket)["id"]

    def _authorize(self) -> None:
        """Users with their rights, which hold for buckets by their ids."""
        for user in USERS:
            rights = [
                {"action": action,
                 "resource": {"type": "buckets", "id": key, "orgID": self._organization}}
                for action, whose in (("read", READS), ("write", WRITES))
                for name, key in self._buckets.items() if name in whose.get(user, DATABASES)
            ]  # fmt: skip
            authorization = {
                "token": self.name(user), "orgID": self._organization, "permissions": rights,
                "description": "tests of Wattmark",
            }  # fmt: skip
            key = self._call("POST", "/private/legacy/authorizations", authorization)["id"]
            self._authorizations[user] = key
            password = {"password": self.password_file(user).read_text()}
            self._call("POST", f"/private/legacy/authorizations/{key}/password", password)

    def _forbid(self) -> None:
        while self._authorizations:
            _, key = self._authorizations.popitem()
            self._call("DELETE", f"/private/legacy/authorizations/{key}")

    def _call(self, method: str, path: str, json_body: Any = None) -> Any:
        headers = {"Authorization": f"Token {self.token}", "Content-Type": "application/json"}
        body = None if json_body is None else json.dumps(json_body).encode()
        request = Request(self.real_address + path, body, headers, method=method)
        with urlopen(request, timeout=60.0) as answer:
            text = answer.read()
        return json.loads(text) if text else None


def _required(name: str) -> str:
    text = os.environ.get(name, "")
    if not text:
        pytest.exit(f'{name} is not set; see "Any InfluxDB" in docs/stack.md', 2)
    return text
