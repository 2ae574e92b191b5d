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
from pathlib import Path
from typing import Any, Final

from benchmarks.processes import NotRun

PROGRAM: Final = "influxd"
START_SECONDS: Final = 30.0
SETTLE_SECONDS: Final = 8.0
"""After much was written at once: until it is on disk, as what came in over a day would be."""
DATABASES: Final = ("telemetry", "telemetry_1m", "results")
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
[http]
bind-address = "127.0.0.1:{port}"
log-enabled = false
[monitor]
store-enabled = false
"""


@contextmanager
def running() -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The process and its HOST:PORT. Raises ``NotRun`` where it is not installed."""
    program = shutil.which(PROGRAM)
    if program is None:
        raise NotRun("influxd is not installed: apt install influxdb")
    with tempfile.TemporaryDirectory(prefix="wattmark-influxd-") as folder:
        port, rpc = free_port(), free_port()
        config = Path(folder) / "influxdb.conf"
        config.write_text(CONFIG.format(folder=folder, port=port, rpc=rpc), encoding="utf-8")
        process = subprocess.Popen(
            [program, "-config", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            address = f"127.0.0.1:{port}"
            _await(address)
            for name in DATABASES:
                query(address, f"CREATE DATABASE {name}")
            yield process, address
        finally:
            process.terminate()
            process.wait()


def query(address: str, statement: str, database: str = "") -> Any:
    """The first result of one statement."""
    body = urllib.parse.urlencode({"q": statement, "db": database}).encode()
    with urllib.request.urlopen(f"http://{address}/query", body, timeout=60.0) as answer:
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
