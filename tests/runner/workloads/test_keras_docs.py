"""The architecture, data set and framework of docs/adding-workloads.md, as they stand there."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import Popen

import pytest

import wattmark_runner

pytest.importorskip("keras")

PAGE = (Path(__file__).parents[3] / "docs/adding-workloads.md").read_text(encoding="utf-8")
MODULES = re.findall(r"`runner/(\S+\.py)`:\n```python\n(.*?)```", PAGE, re.DOTALL)
LINES = re.findall(r"In `([A-Z]+)`:\n```python\n(.*?)```", PAGE, re.DOTALL)
(CONFIG,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
(PARAMETERS,) = re.findall(r"parameters `(\{.*?\})`", PAGE)

SCRIPT = """
import json, sys
from pathlib import Path
from wattmark_runner.records.model import RunRequest
from wattmark_runner.execution.run import execute
from wattmark_runner.workloads.reading import load_config
from wattmark_store import open_store

exporter, store, folder, parameters = sys.argv[1:]
request = RunRequest(
    "keras:stripes", "two-layers", repeats=2, seconds=0.5, warmup_seconds=0.1,
    idle_before_seconds=0.0, idle_after_seconds=0.0, parameters=json.loads(parameters),
)
record = execute(
    request, exporter_url=exporter, store=open_store(store), cache=Path(folder),
    log=Path(folder) / "log", progress=lambda _: None,
    workload=load_config(Path(folder) / "workloads.toml").find("keras:stripes"),
)
facts = [record.state, record.reason, record.test_images, record.parameters, record.macs]
print(json.dumps([*facts, dict(record.constants), dict(record.environment)]))
"""


def test_the_page_has_one_of_each() -> None:
    """A module and a line for each of the three."""
    assert [name for name, _ in LINES] == ["ARCHITECTURES", "DATASETS", "FRAMEWORKS"]
    assert len(MODULES) == 3
    assert all(line.count("\n") == 1 for _, line in LINES)


def test_what_the_page_adds_is_measured(
    tmp_path: Path, exporter_url: str, start_collector: Callable[[str], Popen[str]], store_url: str
) -> None:
    """One file and one line each, in a copy of the package, and a run of all three together."""
    start_collector(exporter_url)
    (package,) = wattmark_runner.__path__
    shutil.copytree(package, tmp_path / "wattmark_runner")
    for name, text in MODULES:
        assert not (tmp_path / name).exists()
        (tmp_path / name).write_text(text)
    tables = tmp_path / "wattmark_runner/workloads/keras.py"
    for name, line in LINES:
        before, start, after = tables.read_text().partition(f"{name}: Final = {{\n")
        assert start
        tables.write_text(f"{before}{start}    {line}{after}")
    (tmp_path / "workloads.toml").write_text(CONFIG)
    paths = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, exporter_url, store_url, str(tmp_path), PARAMETERS],
        env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    state, reason, images, parameters, macs, constants, environment = json.loads(done.stdout)
    assert (state, reason) == ("done", "")
    assert images == 40
    assert parameters == 3 * 9 * 16 + 16 + 16 * 9 * 32 + 32 + 32 * 2 + 2
    assert macs == 3 * 9 * 16 * 15 * 15 + 16 * 9 * 32 * 7 * 7 + 32 * 2
    assert environment["env KERAS_BACKEND"] == "tensorflow"
    assert 0.0 < constants["overhead.exporter_cpu_seconds"] < constants["overhead.seconds"]
    assert 0.0 < constants["overhead.collector_cpu_seconds"] < constants["overhead.seconds"]
    assert 0.0 < constants["overhead.ratio"] < 0.5
