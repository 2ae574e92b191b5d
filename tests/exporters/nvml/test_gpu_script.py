"""``make test-gpu`` on a stub of the driver, and where there is no GPU."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]


def run(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """The script, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "tests.gpu", *arguments], cwd=ROOT, capture_output=True, text=True,
        check=False, timeout=120, env={**os.environ, **environment},
    )  # fmt: skip


@pytest.mark.slow
def test_each_measurement_of_a_board_stands_alone(nvml_stub: Any, tmp_path: Path) -> None:
    """T, gain and overhead are measured; what needs PyTorch is skipped, and says why."""
    output = tmp_path / "gpu.json"
    nvml_stub.set(period_ms=100)
    done = run(nvml_stub.env, "--seconds", "3", "--output", str(output))
    assert done.returncode == 0, done.stderr
    report = json.loads(output.read_text(encoding="utf-8"))
    assert report == json.loads(done.stdout)
    assert report["board"]["name"] == "NVIDIA Stub"
    found = report["measurements"]
    assert found["update_period"]["energy"]["median_milliseconds"] == pytest.approx(100, rel=0.2)
    assert found["gain"]["as_it_is"]["ratio"] == pytest.approx(1.0, abs=0.2)
    assert 0.0 < found["overhead"]["cpu_ratio"] < 1.0
    assert found["overhead"]["sensor"] == "ok"
    if importlib.util.find_spec("torch") is None:
        for name in ("step", "duty_cycle", "score"):
            assert found[name]["state"] == "skipped"
            assert found[name]["reason"] == "PyTorch is missing: pip install torch"


def test_one_that_fails_is_named_and_the_others_go_on(nvml_stub: Any) -> None:
    """A counter that does not move has no gain; its period is told all the same."""
    nvml_stub.set(period_ms=1_000_000)
    done = run(nvml_stub.env, "--seconds", "0.3", "--only", "gain,update_period")
    assert done.returncode == 1
    found = json.loads(done.stdout)["measurements"]
    assert found["gain"]["state"] == "failed"
    assert found["gain"]["reason"] == "ValueError: the counter moved 0 times"
    assert found["update_period"]["energy"] == {"ticks": 0}


def test_without_a_gpu_it_says_so_in_one_line() -> None:
    """And is no success."""
    done = run({"LD_LIBRARY_PATH": "", "CUDA_VISIBLE_DEVICES": ""})
    if done.returncode != 2:
        pytest.skip("there is a GPU here")
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("no NVIDIA GPU to test: ")


def test_a_measurement_that_there_is_not_is_refused(nvml_stub: Any) -> None:
    """With the names of those that there are."""
    done = run(nvml_stub.env, "--only", "speed")
    assert done.returncode == 64
    assert "no measurement 'speed'; there are update_period, gain" in done.stderr
