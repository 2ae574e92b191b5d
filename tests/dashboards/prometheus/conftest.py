"""Debian's Prometheus that scrapes two real exporters, with the rules and the README's example."""

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
import yaml

from dashboards import prometheus_rules
from dashboards.promql import HOST_POWER
from tests.influxdb.local import free_port

README = Path(__file__).parents[3] / "grafana/README.md"
LOAD = Path(__file__).with_name("known_load.py")
MACHINE = runpy.run_path(str(LOAD))
WINDOW_SECONDS, SCRAPE, DOWN_SECONDS, DEADLINE_SECONDS = 5, "500ms", 1.5, 30.0


@dataclass(frozen=True)
class Prometheus:
    """A Prometheus and what happened: both exporters worked until ``steady``, that of ``measured``
    was killed, silent at ``silent``, ``back``, and had power from ``again`` to ``end``."""

    url: str
    measured: str
    estimated: str
    steady: float = 0.0
    killed: float = 0.0
    silent: float = 0.0
    back: float = 0.0
    again: float = 0.0
    end: float = 0.0

    def ask(self, path: str, **parameters: Any) -> Any:
        """What the API says."""
        query = urlencode(parameters, doseq=True)
        with urlopen(f"{self.url}/api/v1/{path}?{query}", timeout=20) as answer:
            return json.load(answer)["data"]

    def now(self, expression: str, at: float) -> dict[str, float]:
        """Value by labels, those of the scrape left out."""
        found = self.ask("query", query=expression, time=at)["result"]
        return {_words(series["metric"]): float(series["value"][1]) for series in found}

    def over_time(self, expression: str, start: float, end: float) -> dict[str, list[float]]:
        """Values every half second, by labels."""
        found = self.ask("query_range", query=expression, start=start, end=end, step=0.5)["result"]
        return {_words(s["metric"]): [float(v) for _, v in s["values"]] for s in found}

    def fill(self, expression: str, instance: str, shown: int = 6) -> str:
        """Grafana's variables filled in."""
        text = expression.replace("$instance", instance).replace("$__range", f"{shown}s")
        text = text.replace("$__rate_interval", "5s")
        assert "$" not in text
        return text


def _words(labels: dict[str, str]) -> str:
    own = {k: v for k, v in labels.items() if k not in {"job", "instance", "host", "__name__"}}
    return " ".join(f"{name}={own[name]}" for name in sorted(own))


@pytest.fixture(scope="module")
def prometheus(
    tmp_path_factory: pytest.TempPathFactory, nvml_library: Path
) -> Iterator[Prometheus]:
    """What the tests ask, each for its own time: one exporter sees 652 W of known load and is
    killed meanwhile, the other has nothing but CPU time. Takes 20 s."""
    if shutil.which("prometheus") is None:
        pytest.skip("no Prometheus: apt install prometheus")
    folder = tmp_path_factory.mktemp("prometheus")
    MACHINE["make"](folder)
    with ExitStack() as stack:

        def start(*command: str, **env: str) -> subprocess.Popen[str]:
            log = stack.enter_context((folder / "log").open("a"))
            child = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=log, text=True, env={**os.environ, **env}
            )
            stack.callback(_end, child)
            return child

        (folder / "nvml").write_text("boards 2\n")
        libraries = [str(nvml_library.parent), os.environ.get("LD_LIBRARY_PATH", "")]
        env = {"LD_LIBRARY_PATH": ":".join(filter(None, libraries)),
               "WATTMARK_NVML_STUB": str(folder / "nvml")}  # fmt: skip

        def measured(port: str) -> tuple[subprocess.Popen[str], str]:
            child = start(*_exporter(folder / "proc", folder / "sys", port), **env)
            return child, _address(child)

        start(sys.executable, str(LOAD), str(folder), "120")
        first, address = measured("0")
        (folder / "none").mkdir()
        blind = _exporter(folder / "proc", folder / "none", "0")
        guessing = start(*blind, "--without", "nvml", "--tdp-watts", "15")
        server = Prometheus(f"http://127.0.0.1:{free_port()}", address, _address(guessing))
        start(*_server(folder, server))
        _wait_for(server, HOST_POWER, 2)
        time.sleep(WINDOW_SECONDS + 2)
        steady = time.time()
        first.kill()
        first.wait()
        killed = time.time()
        time.sleep(DOWN_SECONDS)
        silent = time.time()
        measured(address.rpartition(":")[2])
        back = time.time()
        _wait_for(server, HOST_POWER, 2)
        again = time.time()
        time.sleep(2)
        yield replace(
            server, steady=steady, killed=killed, silent=silent, back=back, again=again,
            end=time.time(),
        )  # fmt: skip


def _exporter(procfs: Path, sysfs: Path, port: str) -> list[str]:
    return [sys.executable, "-m", "wattmark_exporters", "--listen", f"127.0.0.1:{port}",
            "--procfs", str(procfs), "--sysfs", str(sysfs)]  # fmt: skip


def _address(exporter: subprocess.Popen[str]) -> str:
    assert exporter.stdout is not None
    return exporter.stdout.readline().removeprefix("READY http://").strip()


def _server(folder: Path, server: Prometheus) -> list[str]:
    """The README's configuration, for these exporters and a test's patience."""
    config = readme_config()
    config["global"] = {"scrape_interval": SCRAPE, "evaluation_interval": SCRAPE}
    config["scrape_configs"][0]["static_configs"] = [
        {"targets": [server.measured, server.estimated]}
    ]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    rules = prometheus_rules.text(window=f"{WINDOW_SECONDS}s")
    (folder / config["rule_files"][0]).write_text(rules)
    return ["prometheus", f"--config.file={folder}/prometheus.yml",
            f"--storage.tsdb.path={folder}/data", "--log.level=warn",
            f"--web.listen-address={server.url.removeprefix('http://')}"]  # fmt: skip


def readme_config() -> Any:
    """The configuration that grafana/README.md gives."""
    section = (
        README.read_text(encoding="utf-8").partition("## Without InfluxDB")[2].partition("\n## ")[0]
    )
    match = re.search(r"```yaml\n(.*?)```", section, re.DOTALL)
    assert match is not None
    return yaml.safe_load(match[1])


def _wait_for(server: Prometheus, expression: str, count: int) -> None:
    """Wait until ``count`` series exist."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        try:
            if len(server.ask("query", query=expression)["result"]) == count:
                return
        except OSError:  # it has just been started
            pass
        time.sleep(0.1)
    pytest.fail(f"{expression} has not {count} series after {DEADLINE_SECONDS:g} s")


def _end(child: subprocess.Popen[str]) -> None:
    child.terminate()
    child.wait(20)
    assert child.stdout is not None
    child.stdout.close()
