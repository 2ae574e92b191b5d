"""What the exporter's tests share: a real exporter in a child process, and its user's sensors."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from wattmark_core.exporter_api import ExporterClient
from wattmark_core.testing import FakeClock

DEADLINE_SECONDS = 20.0


@dataclass(frozen=True)
class Exporter:
    """A running ``wattmark-exporter`` and a client of it."""

    process: subprocess.Popen[str]
    url: str
    client: ExporterClient
    log: Path


Start = Callable[..., Exporter]
Wait = Callable[[Callable[[], bool]], None]


@pytest.fixture
def clock() -> FakeClock:
    """Virtual time."""
    return FakeClock()


@pytest.fixture
def wait_until() -> Wait:
    """Poll a condition; fail after a generous deadline."""

    def wait(condition: Callable[[], bool]) -> None:
        end = time.monotonic() + DEADLINE_SECONDS
        while not condition():
            assert time.monotonic() < end, "the condition did not come true in time"
            time.sleep(0.02)

    return wait


@pytest.fixture
def exporter(tmp_path: Path) -> Iterator[Start]:
    """Start exporters with arguments of your own; all are ended with the test.

    They run in ``tmp_path``, so that modules written there can be named with ``--sensor``, and see
    no hardware: ``--sysfs`` and ``--procfs`` name empty folders.
    """
    with ExitStack() as stack:

        def start(*arguments: str) -> Exporter:
            folders = {name: tmp_path / name for name in ("sys", "proc")}
            for folder in folders.values():
                folder.mkdir(exist_ok=True)
            roots = [word for name, path in folders.items() for word in (f"--{name}fs", str(path))]
            log = tmp_path / f"exporter-{time.monotonic_ns()}.log"
            errors = stack.enter_context(log.open("w"))
            process = subprocess.Popen(
                [sys.executable, "-m", "wattmark_exporters", "--listen", "127.0.0.1:0",
                 "--host-name", "test-host", *roots, *arguments],
                cwd=tmp_path, stdout=subprocess.PIPE, stderr=errors, text=True,
            )  # fmt: skip
            stack.callback(_end, process)
            assert process.stdout is not None
            ready = process.stdout.readline().split()
            assert ready[:1] == ["READY"], log.read_text()
            token = tmp_path / "token"
            client = ExporterClient(ready[1], token_file=token if token.exists() else None)
            stack.callback(client.close)
            return Exporter(process, ready[1], client, log)

        yield start


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()
