"""``wattmark fit`` from end to end, on small windows."""

import csv
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Wattmark = Callable[..., subprocess.CompletedProcess[str]]
QUICK = (
    "fit", "--workload", "digits", "--models", "mlp-small,cnn-small", "--repeats", "3",
    "--seconds", "1", "--idle-seconds", "2", "--between-seconds", "1",
)  # fmt: skip


@pytest.mark.slow
def test_a_fit_ranks_and_saves_what_it_measured(wattmark: Wattmark, tmp_path: Path) -> None:
    """It says that energy is estimated and what to do, ranks, writes three files; twice the same
    accuracies."""
    env = {"WATTMARK_CACHE": str(tmp_path / "cache"), "COLUMNS": "100"}
    sysfs = ("--sysfs", str(tmp_path / "no-sensor"))
    first = wattmark(*QUICK, *sysfs, env=env)
    assert first.returncode == 0, first.stderr
    assert "ESTIMATED" in first.stderr
    assert "To measure:" in first.stderr
    assert "left" in first.stderr
    assert "boundary cpu · ESTIMATED energy, relative only" in first.stdout
    for name in ("report", "results", "scores"):
        line = next(each for each in first.stdout.splitlines() if each.startswith(name))
        assert (tmp_path / line.split()[1]).stat().st_size > 500
    second = wattmark(*QUICK, *sysfs, "--json", env=env)
    assert second.returncode == 0, second.stderr
    document = json.loads(second.stdout)
    (group,) = document["groups"]
    assert group["estimated"] is True
    assert group["unranked"] == []
    scores = {score["model"]: score for score in group["ranked"]}
    assert set(scores) == {"mlp-small", "cnn-small"}
    for score in scores.values():
        assert score["verdict"] == "warned"
        assert 0 < score["low"] < score["value"] < score["high"]
        assert score["value"] == pytest.approx(
            score["accuracy"] ** 2 / (score["joules_per_inference"] / 3.6)
        )
    saved = sorted((tmp_path / "wattmark-data" / "runs").glob("fit-*/scores.csv"))
    runs = [accuracies(path) for path in saved]
    assert len(runs) == 2
    assert runs[0] == runs[1]


def accuracies(path: Path) -> dict[str, str]:
    """Accuracy by model from a saved table."""
    with path.open(newline="") as stream:
        return {row["model"]: row["accuracy"] for row in csv.DictReader(stream)}
