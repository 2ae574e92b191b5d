"""The embedded default: exporter and collector as child processes on loopback, a SQLite store.

Children run in sessions of their own, so that Ctrl-C reaches this program alone, which then ends
them in order; should it be killed, the kernel ends them (PR_SET_PDEATHSIG).
"""

import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wattmark_core.errors import ConfigurationError, RunError
from wattmark_core.folders import make_private
from wattmark_store import Store, open_store

READY_SECONDS: Final = 30.0
STOP_SECONDS: Final = 10.0
POLL_SECONDS: Final = 2.0
"""How often samples are fetched. Here the collector shares the machine that is measured, and each
poll costs the two rooms as much as half a second of sampling; the exporter keeps ten minutes."""
_PR_SET_PDEATHSIG: Final = 1
_LIBC: Final = ctypes.CDLL(None)


@dataclass(frozen=True, slots=True)
class Child:
    """A room that runs as a process of ours. ``ready``: the URL that it printed when it was."""

    name: str
    process: subprocess.Popen[str]
    log: Path
    ready: str

    def check(self) -> None:
        """Raise ``RunError`` if it has ended."""
        if self.process.poll() is not None:
            reason = _last_line(self.log) or f"status {self.process.returncode}"
            raise RunError(f"{self.name} has ended: {reason} (log: {self.log})")


@dataclass(frozen=True, slots=True)
class StoreOptions:
    """Password and CA certificates of a store that is a server."""

    password_file: Path | None = None
    ca: Path | None = None

    def arguments(self) -> list[str]:
        """The options of a room that opens the same store."""
        options = {"--store-password-file": self.password_file, "--store-ca": self.ca}
        return [word for name, path in options.items() if path for word in (name, str(path))]


@dataclass(frozen=True, slots=True)
class Rooms:
    """What the commands work with: an exporter, a store that its samples arrive in, a folder.

    ``children``: the rooms that were started for it.
    """

    exporter_url: str
    store_url: str
    store: Store
    data: Path
    children: tuple[Child, ...] = ()
    store_options: StoreOptions = StoreOptions()


@contextmanager
def open_rooms(
    data: Path,
    exporter_options: Sequence[str] = (),
    *,
    exporter_url: str = "",
    store_url: str = "",
    store_options: StoreOptions = StoreOptions(),
) -> Iterator[Rooms]:
    """Start exporter and collector for as long as the context lasts, or use running ones.

    ``exporter_url`` and ``store_url`` go together: both are set where services already run.
    The options are those that ``options.check_rooms`` has let pass. Raises ``ConfigurationError``,
    ``StoreError``, or ``RunError`` if a room does not start.
    """
    url = store_url or store_url_in(data)
    if not store_url:
        make_folder(data)
    store = open_store(url, store_options.password_file, store_options.ca)
    try:
        if exporter_url:
            yield Rooms(exporter_url, url, store, data, store_options=store_options)
            return
        with (
            running_exporter(data, exporter_options) as exporter,
            _collector(data, exporter.ready, url) as collector,
        ):
            yield Rooms(exporter.ready, url, store, data, (exporter, collector))
    finally:
        store.close()


def store_url_in(data: Path) -> str:
    """The store of a data folder."""
    return f"sqlite:///{data.absolute() / 'store.sqlite'}"


def make_folder(data: Path) -> None:
    """The data folder. Raises ``ConfigurationError`` if it cannot be made or written."""
    try:
        make_private(data)
    except OSError as error:
        raise ConfigurationError(
            f"data folder {data}: {error.strerror}; choose another with --data"
        ) from error
    if not os.access(data, os.W_OK | os.X_OK):
        raise ConfigurationError(
            f"data folder {data} cannot be written; change its permissions, or choose another"
            " with --data"
        )


@contextmanager
def running_exporter(data: Path, options: Sequence[str] = ()) -> Iterator[Child]:
    """An exporter on a free port of loopback."""
    command = ["wattmark_exporters", "--listen", "127.0.0.1:0", *options]
    with _child(command, data / "exporter.log") as child:
        yield child


@contextmanager
def running_runner(rooms: Rooms, options: Sequence[str]) -> Iterator[Child]:
    """A runner over the rooms."""
    command = ["wattmark_runner", "--exporter", rooms.exporter_url, "--store", rooms.store_url,
               "--data", str(rooms.data), *rooms.store_options.arguments(),
               *options]  # fmt: skip
    with _child(command, rooms.data / "runner.log") as child:
        yield child


@contextmanager
def _collector(data: Path, address: str, store_url: str) -> Iterator[Child]:
    targets = data / "targets.yml"
    targets.write_text(
        "# made by wattmark at every start\n"
        f"global: {{scrape_interval: {POLL_SECONDS:g}s}}\n"
        "scrape_configs:\n"
        "  - job_name: wattmark\n"
        "    metrics_path: /samples\n"
        "    static_configs:\n"
        f"      - targets: ['{address.removeprefix('http://')}']\n",
        encoding="utf-8",
    )
    command = ["wattmark_collector", "--config", str(targets), "--store", store_url]
    with _child(command, data / "collector.log") as child:
        yield child


@contextmanager
def _child(command: Sequence[str], log: Path) -> Iterator[Child]:
    """A module run as a child process, from its line READY on."""
    with log.open("wb") as log_file:
        process = subprocess.Popen(  # noqa: S603 - our own modules, no shell
            [sys.executable, "-m", *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log_file,
            start_new_session=True,
            preexec_fn=_die_with_parent,
            text=True,
        )
    try:
        yield Child(command[0], process, log, _ready(process, command[0], log))
    finally:
        _stop(process)


def _die_with_parent() -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _ready(process: subprocess.Popen[str], name: str, log: Path) -> str:
    timer = threading.Timer(READY_SECONDS, process.kill)
    timer.start()
    try:
        line = process.stdout.readline() if process.stdout else ""
    finally:
        timer.cancel()
    if not line.startswith("READY"):
        process.wait()
        raise RunError(f"{_last_line(log) or f'{name} did not start'} (log: {log})")
    return line.removeprefix("READY").strip()


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else ""


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout:
        process.stdout.close()
