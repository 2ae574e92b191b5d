"""InfluxDB's databases, users and their passwords, on 2.7 and on 1.x.

2.7 makes its own with ``influxdb/init.sh``, once, on an empty volume. 1.x has no such script, so
they are made here; that takes the administrator whom the first call makes.
"""

import json
from dataclasses import dataclass
from typing import Final, Protocol

from tools.stack import secret_files, smoke
from tools.stack.compose import Compose, StackError

USERS: Final = tuple(smoke.READS)
KEPT: Final = {"telemetry": "14d", "telemetry_1m": "104w", "results": "INF"}


class Server(Protocol):
    """What the commands ask of an InfluxDB."""

    def make_users(self) -> None:
        """Databases and users that are not there yet."""
        ...

    def set_password(self, user: str, password: str) -> None:
        """A user's new password; ``admin`` is one of them."""
        ...


def server(compose: Compose) -> Server:
    """The running InfluxDB, asked for its version."""
    if compose.execute("influxdb", "influxd", "version").startswith("InfluxDB v1"):
        return InfluxDB1(f"http://{smoke.address(compose, 'influxdb')}")
    return InfluxDB2(compose)


@dataclass(frozen=True, slots=True)
class InfluxDB2:
    """2.7, through its own command line, which its image has set up with the operator's token."""

    compose: Compose

    def make_users(self) -> None:
        """Its init script has."""

    def set_password(self, user: str, password: str) -> None:
        """See ``Server``. The password goes through the container's standard input."""
        command = (
            "influx user password --name admin --password" if user == "admin" else
            f"influx v1 auth set-password --username {user} --password"
        )  # fmt: skip
        script = f'read -r password; {command} "$password" >/dev/null'
        self.compose.execute("influxdb", "bash", "-c", script, given=f"{password}\n")


@dataclass(frozen=True, slots=True)
class InfluxDB1:
    """1.x over HTTP, as its administrator."""

    url: str

    def make_users(self) -> None:
        """See ``Server``."""
        admin = secret_files.read("influxdb-admin-password")
        # Without any user, 1.x lets this one statement through, and no other.
        first = f"CREATE USER admin WITH PASSWORD '{admin}' WITH ALL PRIVILEGES"
        smoke.request(f"{self.url}/query", smoke.form(first), smoke.FORM)
        there = self._names("SHOW USERS")
        for name, kept in KEPT.items():
            self._ask(f"CREATE DATABASE {name} WITH DURATION {kept}")
        for user in USERS:
            if user in there:
                continue
            password = secret_files.read(f"influxdb-{user}-password")
            self._ask(f"CREATE USER {user} WITH PASSWORD '{password}'")
            for database in KEPT:
                reads = database in smoke.READS[user]
                writes = database in smoke.WRITES[user]
                right = "ALL" if reads and writes else "READ" if reads else "WRITE"
                if reads or writes:
                    self._ask(f"GRANT {right} ON {database} TO {user}")

    def set_password(self, user: str, password: str) -> None:
        """See ``Server``."""
        self._ask(f"SET PASSWORD FOR {user} = '{password}'")

    def _names(self, statement: str) -> set[str]:
        series = json.loads(self._ask(statement))["results"][0].get("series", [])
        return {row[0] for each in series for row in each.get("values", [])}

    def _ask(self, statement: str) -> str:
        answer = smoke.request(
            f"{self.url}/query", smoke.form(statement), {**smoke.FORM, **smoke.basic("admin")}
        )
        if answer.status != 200 or "error" in answer.json["results"][0]:
            raise StackError(f"InfluxDB refuses {statement.split(' WITH')[0]}: {answer.text[:200]}")
        return answer.text
