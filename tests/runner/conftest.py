"""The real parts, started as they are in use: exporter and collector are processes of their own."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from wattmark_store import Store, open_store

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start_process() -> Iterator[Start]:
    """Start a module of ours; all that still run at the end are killed."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str, host: str = "testhost") -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            stdout=subprocess.PIPE, text=True, env={**os.environ, "WATTMARK_HOST": host},
        )  # fmt: skip
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


@pytest.fixture
def start_exporter(start_process: Start) -> Callable[..., tuple[subprocess.Popen[str], str]]:
    """Start an exporter, on a port of its own unless one is given: its process and URL."""

    def start(port: str = "0") -> tuple[subprocess.Popen[str], str]:
        process = start_process("wattmark_exporters", "--listen", f"127.0.0.1:{port}")
        assert process.stdout is not None
        ready = process.stdout.readline().split()
        assert ready[:1] == ["READY"]
        return process, ready[1]

    return start


@pytest.fixture
def exporter_url(
    start_exporter: Callable[..., tuple[subprocess.Popen[str], str]],
) -> str:
    """A running exporter."""
    return start_exporter()[1]


@pytest.fixture
def store_url(tmp_path: Path) -> str:
    """Where the test's store lies."""
    return f"sqlite:///{tmp_path / 'store.sqlite'}"


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """An open store."""
    opened = open_store(store_url)
    yield opened
    opened.close()


@pytest.fixture
def start_collector(
    start_process: Start, store_url: str, tmp_path: Path
) -> Callable[[str], subprocess.Popen[str]]:
    """Start a collector that polls one exporter into the test's store."""

    def start(exporter_url: str) -> subprocess.Popen[str]:
        config = tmp_path / "targets.yml"
        address = exporter_url.removeprefix("http://")
        config.write_text(
            "scrape_configs:\n"
            "  - job_name: wattmark\n"
            "    metrics_path: /samples\n"
            f"    static_configs: [{{targets: ['{address}']}}]\n",
            encoding="utf-8",
        )
        return start_process("wattmark_collector", "--config", str(config), "--store", store_url)

    return start


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Trained weights, shared by all tests so that each network is trained once."""
    return tmp_path_factory.mktemp("cache")
