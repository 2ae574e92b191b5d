"""Debian's InfluxDB 1.6 on a loopback port, with a folder of its own and without users."""

import json
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from benchmarks.processes import NotRun, usage
from wattmark_store.databases import DATABASES

PROGRAM: Final = "influxd"
START_SECONDS: Final = 30.0
SETTLE_SECONDS: Final = 8.0
"""After much was written at once: until it is on disk, as what came in over a day would be."""
QUIET_SECONDS: Final = 600.0
CONFIG: Final = """\
reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
dir = "{folder}/meta"
[data]
dir = "{folder}/data"
wal-dir = "{folder}/wal"
query-log-enabled = false
cache-snapshot-write-cold-duration = "2s"
compact-full-write-cold-duration = "{compacted}"
[http]
bind-address = "127.0.0.1:{port}"
log-enabled = false
[monitor]
store-enabled = false
"""


@dataclass(slots=True)
class Server:
    """A server on a folder, which can be started again."""

    program: str
    folder: Path
    port: int
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def address(self) -> str:
        """Where it listens, HOST:PORT."""
        return f"127.0.0.1:{self.port}"

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The process that runs, of all that were started."""
        return self.processes[-1]

    def start(self) -> None:
        """Until it answers. Raises ``NotRun``."""
        self.processes.append(subprocess.Popen(
            [self.program, "-config", str(self.folder / "influxdb.conf")],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        ))  # fmt: skip
        _await(self.address)

    def stop(self) -> None:
        """It has written all that it had when this returns."""
        self.process.terminate()
        self.process.wait()

    def rest(self) -> None:
        """Wait until it neither writes nor compacts what it was given."""
        deadline, still = time.monotonic() + QUIET_SECONDS, 0
        while still < 3 and time.monotonic() < deadline:
            before = usage(self.process.pid).cpu_seconds
            time.sleep(1.0)
            still = still + 1 if usage(self.process.pid).cpu_seconds - before < 0.05 else 0


@contextmanager
def running(compacted: str = "4h") -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The process and its HOST:PORT. Raises ``NotRun`` where it is not installed."""
    with serving(compacted) as server:
        yield server.process, server.address


@contextmanager
def serving(compacted: str = "4h") -> Iterator[Server]:
    """A server with empty databases. ``compacted``: how long after the last write a shard is
    compacted whole (default: 4 h). Raises ``NotRun`` where it is not installed."""
    program = shutil.which(PROGRAM)
    if program is None:
        raise NotRun("influxd is not installed: apt install influxdb")
    with tempfile.TemporaryDirectory(prefix="wattmark-influxd-") as folder:
        server = Server(program, Path(folder), free_port())
        (Path(folder) / "influxdb.conf").write_text(
            CONFIG.format(folder=folder, port=server.port, rpc=free_port(), compacted=compacted),
            encoding="utf-8",
        )
        try:
            server.start()
            for name in DATABASES:
                query(server.address, f"CREATE DATABASE {name}")
            yield server
        finally:
            server.stop()


def query(address: str, statement: str, database: str = "") -> Any:
    """The first result of one statement."""
    body = urllib.parse.urlencode({"q": statement, "db": database}).encode()
    with urllib.request.urlopen(f"http://{address}/query", body, timeout=600.0) as answer:
        return json.load(answer)["results"][0]


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _await(address: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            urllib.request.urlopen(f"http://{address}/ping", timeout=1.0).close()
        except OSError as error:
            if time.monotonic() > deadline:
                raise NotRun(f"influxd does not answer: {error}") from error
            time.sleep(0.1)
        else:
            return
