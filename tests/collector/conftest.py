"""Fixtures for the collector: pages of real exporters, a target that serves them, processes."""

import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

PATIENCE_SECONDS = 30.0
WaitFor = Callable[[Callable[[], object]], None]
ReadPage = Callable[..., str]
SENSOR = '''
import itertools
from wattmark_core.catalogue import Domain
from wattmark_exporters import Counter, Sensor, Traits


class Meter(Sensor):
    """A counter that goes up by one joule at each read."""

    name = "meter"
    interval_seconds = 0.02
    traits = Traits()

    def start(self):
        self.joules = itertools.count()

    def read(self):
        yield Counter(Domain.PSYS, "plug", float(next(self.joules)), self.traits)
'''


@dataclass
class Served:
    """A Prometheus target: what it answers can be changed at any time."""

    address: str
    text: str = ""
    status: int = 200
    delay_seconds: float = 0.0
    authorizations: list[str] = field(default_factory=list)


@pytest.fixture
def page() -> ReadPage:
    """``page(name, old=new, …)``: a stored page with values replaced."""

    def read(name: str, replace: dict[str, str] | None = None) -> str:
        text = (Path(__file__).parent / "pages" / f"{name}.prom").read_text()
        for old, new in (replace or {}).items():
            assert re.search(rf" {re.escape(old)}$", text, re.MULTILINE), f"{old} is not in {name}"
            text = re.sub(rf" {re.escape(old)}$", f" {new}", text, flags=re.MULTILINE)
        return text

    return read


@pytest.fixture
def wait_for() -> WaitFor:
    """Poll until something is true; a failure after half a minute."""

    def wait(condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert time.monotonic() < deadline, "waited in vain"
            time.sleep(0.05)

    return wait


@pytest.fixture
def serve() -> Iterator[Callable[[str], Served]]:
    """Starts targets on loopback."""
    with ExitStack() as stack:
        yield lambda text: _serve(stack, text)


def _serve(stack: ExitStack, text: str) -> Served:
    server = stack.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler))
    served = Served(f"127.0.0.1:{server.server_port}", text)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.authorizations.append(self.headers.get("Authorization", ""))
            time.sleep(served.delay_seconds)
            self.send_response(served.status)
            self.end_headers()
            self.wfile.write(served.text.encode())

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server.RequestHandlerClass = Handler
    server.daemon_threads = True
    server.block_on_close = False
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    stack.callback(thread.join)
    stack.callback(server.shutdown)
    return served


@dataclass
class Program:
    """A running program; ``errors`` is what it has written to stderr so far."""

    process: subprocess.Popen[str]
    log: Path
    ready: str = ""

    @property
    def errors(self) -> str:
        return self.log.read_text()

    def stop(self) -> int:
        """SIGTERM; the exit status."""
        self.process.terminate()
        return self.process.wait(timeout=PATIENCE_SECONDS)


Run = Callable[..., Program]


@pytest.fixture
def run_module(tmp_path: Path) -> Iterator[Run]:
    """``run_module(module, *arguments)`` starts ``python -m module`` and waits for READY."""
    with ExitStack() as stack:

        def run(module: str, *arguments: str) -> Program:
            log = tmp_path / f"{module}-{time.monotonic_ns()}.log"
            with log.open("w") as errors:
                process = stack.enter_context(
                    subprocess.Popen(
                        [sys.executable, "-W", "error", "-m", module, *arguments],
                        stdout=subprocess.PIPE, stderr=errors, text=True, cwd=tmp_path,
                    )
                )  # fmt: skip
            stack.callback(process.kill)
            assert process.stdout is not None
            ready = process.stdout.readline().strip()
            assert ready.startswith("READY"), log.read_text()
            return Program(process, log, ready)

        yield run


@pytest.fixture
def run_collector(run_module: Run, tmp_path: Path) -> Callable[[str], Program]:
    """Starts the collector on a target file of the given text, at ``tmp_path/s.sqlite``."""

    def run(text: str) -> Program:
        config = tmp_path / "targets.yml"
        config.write_text(text)
        store = f"sqlite:///{tmp_path / 's.sqlite'}"
        return run_module("wattmark_collector", "--config", str(config), "--store", store)

    return run


@pytest.fixture
def run_exporter(run_module: Run, tmp_path: Path) -> Callable[[], str]:
    """Starts an exporter of host ``h1`` with the meter alone; its address."""
    (tmp_path / "meter.py").write_text(SENSOR)

    def run() -> str:
        program = run_module(
            "wattmark_exporters", "--listen", "127.0.0.1:0", "--sensor", "meter:Meter",
            "--no-estimate", "--host-name", "h1", "--sysfs", str(tmp_path),
        )  # fmt: skip
        return str(program.ready).removeprefix("READY http://")

    return run
