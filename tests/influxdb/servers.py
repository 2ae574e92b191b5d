"""InfluxDB servers as the tests use them."""

import base64
import json
import os
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

from tests.influxdb.backend import Backend
from tests.influxdb.standin import VERSION, StandIn

REAL: Final = os.environ.get("WATTMARK_INFLUXDB_URL", "")
"""A server that the tests are to use in the place of their own."""
_OWN: Final = {"influxdb-1.6": "influxd", "influxdb-2.7": "influxdb27"}
KINDS: Final = ("influxdb-real",) if REAL else tuple(_OWN)


def server_of(request: pytest.FixtureRequest) -> "Server":
    """The server that a fixture's parameter names; the real one stands for all."""
    name = "influxd" if REAL else _OWN[request.param]
    server: Server = request.getfixturevalue(name)
    return server


class Server(Protocol):
    """A server with users and databases, of which ``make_databases`` leaves none with anything in
    it. ``admin`` may read and write all of them."""

    @property
    def version(self) -> str:
        """As it names itself: ``1.6.7``, ``v2.7.12``."""
        ...

    @property
    def token(self) -> str:
        """The operator's on 2.x; empty on 1.x."""
        ...

    @property
    def databases(self) -> tuple[str, ...]:
        """Their names."""
        ...

    @property
    def address(self) -> str:
        """Its URL for calls that are to end while it is stopped."""
        ...

    @property
    def real_address(self) -> str:
        """Its own URL."""
        ...

    def url(self, user: str) -> str:
        """The store's URL for a user."""
        ...

    def name(self, user: str) -> str:
        """What the server calls a user."""
        ...

    def authorization(self, user: str) -> str:
        """The id of a user's v1 authorization on 2.x; empty on 1.x."""
        ...

    def password_file(self, user: str) -> Path:
        """Where the user's password is."""
        ...

    def query(self, database: str, statement: str, user: str = "admin") -> Any:
        """The first result of an InfluxQL statement, as JSON."""
        ...

    def start(self) -> None:
        """Answer again."""
        ...

    def stop(self) -> None:
        """Answer nobody; the data stays."""
        ...

    def make_databases(self) -> None:
        """Empty databases, and each user's rights on them."""
        ...

    def drop(self, database: str) -> None:
        """Remove a database."""
        ...


def ask(url: str, credentials: str, database: str, statement: str) -> Any:
    """The first result of an InfluxQL statement, as JSON; empty where the server gives none."""
    headers = {"Authorization": f"Basic {base64.b64encode(credentials.encode()).decode()}"}
    body = urlencode({"q": statement, "db": database, "epoch": "ns"}).encode()
    with urlopen(Request(f"{url}/query", body, headers), timeout=60.0) as answer:
        result = json.load(answer).get("results", [{}])[0]
    assert "error" not in result, result
    return result


def write(server: Server, lines: str, database: str = "telemetry", user: str = "admin") -> None:
    """What another program writes."""
    credentials = f"{server.name(user)}:{server.password_file(user).read_text()}".encode()
    headers = {"Authorization": f"Basic {base64.b64encode(credentials).decode()}"}
    urlopen(Request(f"{server.address}/write?db={database}", lines.encode(), headers)).close()


class Influxdb27:
    """The stand-in for InfluxDB 2.7 before a real 1.6, whose users and databases it has."""

    def __init__(self, behind: Server, version: str = VERSION) -> None:
        self._behind = behind
        password = behind.password_file("admin").read_text()
        self.token = password
        self.backend = Backend(behind.address.removeprefix("http://"), "admin", password)
        self._standin = StandIn(self.backend, version)
        self._standin.start()

    @property
    def version(self) -> str:
        """See ``Server``."""
        return self._standin.version

    @property
    def databases(self) -> tuple[str, ...]:
        """See ``Server``."""
        return self._behind.databases

    @property
    def address(self) -> str:
        """See ``Server``."""
        return f"http://127.0.0.1:{self._standin.port}"

    @property
    def real_address(self) -> str:
        """See ``Server``."""
        return self.address

    def url(self, user: str) -> str:
        """See ``Server``."""
        return f"influxdb://{user}@127.0.0.1:{self._standin.port}"

    def name(self, user: str) -> str:
        """See ``Server``."""
        return user

    def authorization(self, user: str) -> str:
        """See ``Server``."""
        return user

    def password_file(self, user: str) -> Path:
        """See ``Server``."""
        return self._behind.password_file(user)

    def query(self, database: str, statement: str, user: str = "admin") -> Any:
        """See ``Server``."""
        credentials = f"{user}:{self.password_file(user).read_text()}"
        return ask(self.address, credentials, database, statement)

    def start(self) -> None:
        """See ``Server``."""
        self._standin.start()

    def stop(self) -> None:
        """See ``Server``."""
        self._standin.stop()

    def make_databases(self) -> None:
        """See ``Server``."""
        self._behind.make_databases()

    def drop(self, database: str) -> None:
        """See ``Server``."""
        self._behind.drop(database)

    def close(self) -> None:
        """Let go."""
        self.stop()
        self.backend.close()
