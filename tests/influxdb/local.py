"""Debian's InfluxDB 1.6 as a process of the tests' own."""

import contextlib
import random
import shutil
import socket
import subprocess
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from tests.influxdb.servers import ask
from wattmark_store.databases import DATABASES, READS, WRITES

INFLUXD_CONFIG = """\
reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
dir = "{folder}/meta"
[data]
dir = "{folder}/data"
wal-dir = "{folder}/wal"
query-log-enabled = false
[http]
bind-address = "127.0.0.1:{port}"
auth-enabled = true
log-enabled = false
[monitor]
store-enabled = false
"""


@dataclass(frozen=True)
class Influxd:
    """A real InfluxDB on a loopback port, with users, that can be stopped and started again."""

    folder: Path
    port: int
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    users = tuple(READS)
    databases = DATABASES

    version = "1.6"
    token = ""

    @property
    def address(self) -> str:
        """Its own URL."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def real_address(self) -> str:
        """The same."""
        return self.address

    def url(self, user: str) -> str:
        """The store's URL for a user."""
        return f"influxdb://{user}@127.0.0.1:{self.port}"

    def name(self, user: str) -> str:
        """What it is called here."""
        return user

    def authorization(self, user: str) -> str:
        """Of 2.x."""
        return ""

    def password_file(self, user: str) -> Path:
        """Where the user's password is."""
        return self.folder / f"{user}-password"

    def query(self, database: str, statement: str, user: str = "admin") -> Any:
        """The first result of an InfluxQL statement, as JSON."""
        credentials = f"{user}:{self.password_file(user).read_text()}"
        return ask(self.address, credentials, database, statement)

    def start(self) -> None:
        """Start it on its data and wait until it answers."""
        log = (self.folder / "log").open("ab")
        with log:
            self.processes.append(subprocess.Popen(
                [shutil.which("influxd") or "influxd", "-config", str(self.folder / "conf")],
                stdout=log, stderr=log,
            ))  # fmt: skip
        deadline = time.monotonic() + 30.0
        while True:
            try:
                urlopen(f"{self.address}/ping", timeout=2.0).close()
            except OSError:
                assert time.monotonic() < deadline, (self.folder / "log").read_text()[-2000:]
                time.sleep(0.05)
            else:
                return

    def stop(self) -> None:
        """Stop it; its data stays."""
        process = self.processes.pop()
        process.terminate()
        process.wait(30)

    def drop(self, database: str) -> None:
        """Remove a database."""
        self.query("", f"DROP DATABASE {database}")

    def make_databases(self) -> None:
        """Empty databases, and each user's rights on them."""
        for name in self.databases:
            self.drop(name)
            self.query("", f"CREATE DATABASE {name}")
        for user in self.users:
            for name in READS[user]:
                self.query(
                    "", f"GRANT {'ALL' if name in WRITES[user] else 'READ'} ON {name} TO {user}"
                )


def free_port() -> int:
    """A port that nobody listens on, below those that the kernel gives out: of these another
    process may get the same before a server is there."""
    while True:
        port = random.randrange(15_000, 32_000)  # noqa: S311 - no secret
        with socket.socket() as tried:
            try:
                tried.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def running(folder: Path) -> Generator[Influxd, None, None]:
    """A server with users, in a folder, until it is done with."""
    if shutil.which("influxd") is None:
        pytest.skip("InfluxDB is not installed: apt install influxdb")
    port, rpc = free_port(), free_port()
    config = INFLUXD_CONFIG.format(folder=folder, port=port, rpc=rpc)
    (folder / "conf").write_text(config)
    server = Influxd(folder, port)
    server.start()
    try:
        _make_users(server)
        yield server
    finally:
        while server.processes:
            server.stop()


def _make_users(server: Influxd) -> None:
    for user in ("admin", *server.users):
        server.password_file(user).write_text(f"{user}-secret")
    _make_admin(server)
    for user in server.users:
        password = server.password_file(user).read_text()
        server.query("", f"CREATE USER {user} WITH PASSWORD '{password}'")


def _make_admin(server: Influxd) -> None:
    """Until it is there: a server that has just begun may answer and not have made it."""
    password = server.password_file("admin").read_text()
    statement = f"CREATE USER admin WITH PASSWORD '{password}' WITH ALL PRIVILEGES"
    deadline = time.monotonic() + 30.0
    while True:
        with contextlib.suppress(HTTPError):  # 401 once there is one
            urlopen(f"{server.address}/query", urlencode({"q": statement}).encode()).close()
        try:
            server.query("", "SHOW USERS")
        except HTTPError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return
