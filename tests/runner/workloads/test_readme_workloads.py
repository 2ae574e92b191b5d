"""The workloads of the README, configured, run and scored as they stand there."""

import re
from collections.abc import Callable
from pathlib import Path
from subprocess import Popen

import pytest

from wattmark_core.results import ENERGY_SCORE, Phase
from wattmark_runner.execution.run import execute
from wattmark_runner.records.model import RunRecord, RunRequest, RunState
from wattmark_runner.workloads.reading import load_config
from wattmark_scoring.formula import Formula
from wattmark_store import Store

ROOM = Path(__file__).parents[3] / "runner"
SECTION = (
    (ROOM / "README.md").read_text().partition("\n## Workloads\n")[2].partition("\n## ")[0]
)  # fmt: skip
SAMPLE = (ROOM / "workloads.toml").read_text()
TOML = re.findall(r"```toml\n(.*?)```", SECTION, re.DOTALL)
PROGRAMS = re.findall(r"`(\w+\.py)`:\n```python\n(.*?)```", SECTION, re.DOTALL)

StartCollector = Callable[[str], Popen[str]]
Carry = Callable[[RunRequest], RunRecord]


@pytest.fixture
def carry_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exporter_url: str, store: Store,
    start_collector: StartCollector,
) -> Carry:  # fmt: skip
    """Run something of the README's in the folder where its files lie."""
    start_collector(exporter_url)
    for name, text in PROGRAMS:
        (tmp_path / name).write_text(text)
    (tmp_path / "workloads.toml").write_text(TOML[0])
    monkeypatch.chdir(tmp_path)
    config = load_config(Path("workloads.toml"))
    for name, text in config.formulas.items():
        Formula.parse(name, text)

    def run(request: RunRequest) -> RunRecord:
        return execute(
            request, exporter_url=exporter_url, store=store, cache=tmp_path,
            log=tmp_path / "log", progress=lambda _: None, workload=config.find(request.workload),
        )  # fmt: skip

    return run


def request(workload: str, model: str, **parameters: int) -> RunRequest:
    """A short run."""
    return RunRequest(
        workload, model, repeats=2, seconds=1.0, parameters=dict(parameters),
        warmup_seconds=0.2, idle_before_seconds=0.0, idle_after_seconds=0.0,
    )  # fmt: skip


def check(record: RunRecord) -> None:
    """It was measured and scored whole."""
    assert (record.state, record.reason) == (RunState.DONE, "")
    assert [window.phase for window in record.windows] == [
        Phase.WARMUP, Phase.INFERENCE, Phase.INFERENCE,
    ]  # fmt: skip
    counted = record.windows[1:]
    for window in counted:
        assert window.end_ns - window.start_ns >= 1e9
        assert window.cpu_seconds is not None
        assert window.cpu_seconds > 0.1
    inferences = sum(window.inferences or 0 for window in counted)
    assert record.accuracy == sum(window.correct or 0 for window in counted) / inferences
    assert 0.9 < record.accuracy < 1.0
    (score,) = (score for score in record.scores if score.formula == ENERGY_SCORE)
    assert score.value is not None


def test_the_entry_point_of_the_readme(carry_out: Carry) -> None:
    """It is measured with guards; its parameters are completed and kept."""
    record = carry_out(request("neighbours", "three-points"))
    check(record)
    assert record.test_images == 200
    assert record.request.parameters == {"known": 500}
    assert record.definition["entry_point"] == "neighbours:load"
    assert record.windows[2].start_ns - record.windows[1].end_ns >= 0.5e9


@pytest.mark.alone
def test_the_command_of_the_readme(carry_out: Carry) -> None:
    """It marks its own windows, and a notice says what that means."""
    record = carry_out(request("primes", "fermat", size=3000))
    check(record)
    assert record.definition["command"] == ["python3", "primes.py", "{model}", "{size}"]
    assert any("marks its own windows" in notice for notice in record.notices)
    assert record.windows[2].start_ns - record.windows[1].end_ns >= 0.4e9


def test_the_sample_holds_the_built_in_workloads_and_the_readme(tmp_path: Path) -> None:
    """As it is, it changes nothing; what is commented out works, and is what the README shows."""
    sample = load_config(ROOM / "workloads.toml")
    assert sample == load_config(None)
    commented = re.sub(r"^# ?", "", SAMPLE, flags=re.MULTILINE)
    assert TOML[0] in commented
    small = commented[commented.index("[workloads.small]") : commented.index("\n\nWorkloads of")]
    path = tmp_path / "workloads.toml"
    path.write_text(small + "\n" + TOML[0])
    names = [workload.name for workload in load_config(path).workloads]
    assert names == ["small", "neighbours", "primes"]
