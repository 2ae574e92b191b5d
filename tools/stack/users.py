"""InfluxDB's databases, users and their passwords, on 2.7 and later and on 1.x."""

import json
import shlex
from dataclasses import dataclass
from typing import Any, Final, Protocol

from tools.stack import secret_files, smoke
from tools.stack.compose import ROOT, Compose, StackError
from tools.stack.databases import DATABASES, READS, USERS, WRITES, hours, retention, retentions

SCRIPT: Final = ROOT / "influxdb/init.sh"


class Server(Protocol):
    """What the commands ask of an InfluxDB."""

    def changes(self) -> list[str]:
        """What ``make`` would do, a line each; nothing is changed."""
        ...

    def make(self) -> list[str]:
        """Databases, how long they keep, users and rights as they are to be; what it did."""
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
    """2.7 and later, through the script that its image runs on an empty volume.

    The script and the passwords go in through standard input: what a container that runs has
    mounted may be older.
    """

    compose: Compose

    def changes(self) -> list[str]:
        """See ``Server``."""
        return self._run(["show"], {})

    def make(self) -> list[str]:
        """See ``Server``."""
        passwords = {user: secret_files.read(f"influxdb-{user}-password") for user in USERS}
        return self._run([], passwords)

    def set_password(self, user: str, password: str) -> None:
        """See ``Server``."""
        self._run(["password", user], {user: password})

    def _run(self, arguments: list[str], passwords: dict[str, str]) -> list[str]:
        words = " ".join(f"[{user}]={shlex.quote(text)}" for user, text in passwords.items())
        head = f"declare -A passwords=({words})\nWATTMARK_RETENTION={retention()}\n"
        script = head + SCRIPT.read_text(encoding="utf-8")
        return self.compose.execute(
            "influxdb", "bash", "-s", "--", *arguments, stdin=script
        ).splitlines()


@dataclass(frozen=True, slots=True)
class InfluxDB1:
    """1.x over HTTP, as its administrator, whom the first call makes."""

    url: str

    def changes(self) -> list[str]:
        """See ``Server``."""
        return [line for line, _ in self._steps()]

    def make(self) -> list[str]:
        """See ``Server``."""
        admin = secret_files.read("influxdb-admin-password")
        # Without any user, 1.x lets this one statement through, and no other.
        first = f"CREATE USER admin WITH PASSWORD '{admin}' WITH ALL PRIVILEGES"
        smoke.request(f"{self.url}/query", smoke.form(first), smoke.FORM)
        steps = self._steps()
        for _, statements in steps:
            for statement in statements:
                self._ask(statement)
        return [line for line, _ in steps]

    def set_password(self, user: str, password: str) -> None:
        """See ``Server``."""
        self._ask(f"SET PASSWORD FOR {user} = '{password}'")

    def _steps(self) -> list[tuple[str, list[str]]]:
        """Of each change its line and its statements."""
        databases = {row[0] for row in self._rows("SHOW DATABASES")}
        steps = []
        for name, length in retentions().items():
            duration = "INF" if length == "0" else length
            if name not in databases:
                create = f"CREATE DATABASE {name} WITH DURATION {duration}"
                steps.append((f"database {name}: new, kept {_words(length)}", [create]))
            elif length == retention() and (before := self._retention_hours(name)) != hours(length):
                alter = f"ALTER RETENTION POLICY autogen ON {name} DURATION {duration}"
                steps.append((
                    f"database {name}: kept {_words(length)}, was {before} h", [alter]
                ))  # fmt: skip
        users = {row[0] for row in self._rows("SHOW USERS")}
        return steps + [step for user in USERS if (step := self._user(user, users)) is not None]

    def _user(self, user: str, users: set[str]) -> tuple[str, list[str]] | None:
        rights = {name: right for name in DATABASES if (right := _right(user, name))}
        has: dict[str, str] = {}
        statements = []
        if user in users:
            rows = self._rows(f"SHOW GRANTS FOR {user}")
            has = {row[0]: row[1] for row in rows if row[1] != "NO PRIVILEGES"}
        else:
            password = secret_files.read(f"influxdb-{user}-password")
            statements.append(f"CREATE USER {user} WITH PASSWORD '{password}'")
        statements += [
            f"GRANT {right.split()[0]} ON {name} TO {user}"
            for name, right in rights.items() if has.get(name) != right
        ]  # fmt: skip
        statements += [
            f"REVOKE ALL ON {name} FROM {user}" for name in has if name not in rights
        ]  # fmt: skip
        return (f"user {user}: {_rights(user)}", statements) if statements else None

    def _retention_hours(self, database: str) -> int:
        rows = self._rows(f"SHOW RETENTION POLICIES ON {database}")
        return next(hours(row[1]) for row in rows if row[0] == "autogen")

    def _rows(self, statement: str) -> list[list[Any]]:
        series = json.loads(self._ask(statement))["results"][0].get("series", [])
        return [row for table in series for row in table.get("values", [])]

    def _ask(self, statement: str) -> str:
        answer = smoke.request(
            f"{self.url}/query", smoke.form(statement), {**smoke.FORM, **smoke.basic("admin")}
        )
        if answer.status != 200 or "error" in answer.json["results"][0]:
            raise StackError(f"InfluxDB refuses {statement.split(' WITH')[0]}: {answer.text[:200]}")
        return answer.text


def _right(user: str, database: str) -> str:
    """As ``SHOW GRANTS`` calls it; empty for none."""
    reads, writes = database in READS[user], database in WRITES[user]
    return "ALL PRIVILEGES" if reads and writes else "READ" if reads else "WRITE" if writes else ""


def _rights(user: str) -> str:
    writes = f"; writes {', '.join(WRITES[user])}" if WRITES[user] else ""
    return f"reads {', '.join(READS[user])}{writes}"


def _words(length: str) -> str:
    return "for ever" if length == "0" else length
