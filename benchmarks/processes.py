"""Processes under measurement: starting them, what CPU and memory they take, ending them."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

import psutil

from benchmarks import powercap

ROOT: Final = Path(__file__).parent.parent
START_SECONDS: Final = 60.0
_CPUCLOCK_SCHED: Final = 2


class NotRun(Exception):
    """Why something could not be measured here, in one line."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Of a process and its descendants: CPU seconds so far, resident bytes, how many they are.

    Memory that several of them share counts once for each.
    """

    cpu_seconds: float
    resident_bytes: int
    processes: int


def usage(pid: int) -> Usage:
    """Of ``pid`` and its descendants now."""
    root = psutil.Process(pid)
    seconds, resident, count = 0.0, 0, 0
    for process in [root, *root.children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess, OSError):
            ended = process.cpu_times()
            seconds += _cpu_seconds(process.pid) + ended.children_user + ended.children_system
            resident += process.memory_info().rss
            count += 1
    return Usage(seconds, resident, count)


def _cpu_seconds(pid: int) -> float:
    """To the ns, of all threads, ended ones too; /proc/PID/stat knows 10 ms.

    The clock is the one that clock_getcpuclockid(3) gives (linux/posix-timers.h).
    """
    return time.clock_gettime((~pid << 3) | _CPUCLOCK_SCHED)


@contextmanager
def started(
    arguments: Sequence[str],
    *,
    mount: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run a program until the block ends; gives it and its line ``READY …`` without that word.

    ``mount``: the program sees ``mount/class`` as /sys/class, in a mount namespace of its own.
    Raises ``NotRun`` with its last line if it ends or is not ready within a minute.
    """
    if mount is not None:
        script = 'mount --bind "$0" /sys/class && exec "$@"'
        arguments = ["unshare", "-m", "sh", "-c", script, str(mount / "class"), *arguments]
    with tempfile.TemporaryFile("w+", encoding="utf-8") as log:
        process = subprocess.Popen(
            arguments, stdout=subprocess.PIPE, stderr=log, text=True, cwd=ROOT,
            start_new_session=True, env=environment,
        )  # fmt: skip
        try:
            yield process, _await_ready(process, log)
        finally:
            _end(process)


def _await_ready(process: subprocess.Popen[str], log: IO[str]) -> str:
    assert process.stdout is not None
    watchdog = threading.Timer(START_SECONDS, process.kill)
    watchdog.start()
    try:
        for line in process.stdout:
            if line.startswith("READY"):
                return line.removeprefix("READY").strip()
    finally:
        watchdog.cancel()
    log.seek(0)
    lines = log.read().strip().splitlines()
    raise NotRun(lines[-1][:120] if lines else "it ended without a word")


def finish(process: subprocess.Popen[str]) -> str:
    """Terminate it; what it wrote last to its standard output."""
    process.terminate()
    return process.communicate(timeout=20)[0]


def _end(process: subprocess.Popen[str]) -> None:
    """Terminate it, then whatever is left of its process group."""
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    if process.stdout is not None:
        process.stdout.close()


@contextmanager
def exporter(
    sysfs: Path, *more: str, environment: Mapping[str, str] | None = None
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The real exporter on the tree ``sysfs`` and this host's procfs; gives it and its URL.

    ``environment``: that of another version; None: of what is installed.
    """
    command = [
        sys.executable, "-m", "wattmark_exporters", "--listen", "127.0.0.1:0",
        "--sysfs", str(sysfs), "--procfs", "/proc", *more,
    ]  # fmt: skip
    with started(command, environment=environment) as (process, url):
        yield process, url


@contextmanager
def moving_tree() -> Iterator[Path]:
    """A powercap tree whose counters move; its root."""
    with tempfile.TemporaryDirectory(prefix="wattmark-bench-") as folder:
        sysfs = Path(folder) / "sys"
        powercap.build(sysfs)
        mover = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.powercap", str(sysfs)], cwd=ROOT
        )
        try:
            yield sysfs
        finally:
            mover.terminate()
            mover.wait()
