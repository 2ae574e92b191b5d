"""``wattmark runs``, on a terminal and of runners of other versions."""

import re
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from tests.newer_runner import API, RUN, SCORE, answering

Wattmark = Callable[..., subprocess.CompletedProcess[str]]
OLDER: dict[str, Any] = {
    **RUN, "run_id": "20260131-120000-efficientnet-lite0-a1b2c3", "state": "done",
    "workload": "fashion-mnist", "model": "efficientnet-lite0",
    "score": {**SCORE, "method": "estimated", "value": 2.2e6, "low": 1.1e6, "high": 4.4e6},
}  # fmt: skip
"""Done, and as 9ca66c9 answers it: the score's numbers, and no texts."""
TEXTS = {"score": "≈ 2 M (1–4 M) /mWh", "verdict": "! warned"}
RUNNING: dict[str, Any] = {
    **OLDER, "run_id": "20260131-120100-cnn-small-a1b2c4", "state": "running", "score": None,
    "progress": {"stage": "idle", "fraction": 0.19, "seconds_left": 20.0},
}  # fmt: skip


def pages(*runs: dict[str, Any]) -> dict[str, Any]:
    """The answers of a runner with these runs."""
    return {f"{API}/runs": {"runs": runs, "next": None}}


@pytest.mark.parametrize("texts", [{}, {"score_texts": TEXTS}], ids=["9ca66c9", "today"])
def test_a_done_run_has_its_score_and_verdict(wattmark: Wattmark, texts: dict[str, Any]) -> None:
    """With the texts of its runner, or where that gives none with the same digits made of its
    numbers."""
    with answering(pages({**OLDER, **texts})) as url:
        done = wattmark("runs", "--runner", url)
    (row,) = [line for line in done.stdout.splitlines() if OLDER["run_id"] in line]
    assert "≈ 2" in row
    assert row.split("≈")[1].count("–") <= 1
    assert "M" in row
    assert row.rstrip().endswith("! warned")


def test_at_80_columns_nothing_is_broken(wattmark: Wattmark) -> None:
    """Each heading and value stands whole on a line; no run takes more than three."""
    with answering(pages(OLDER, RUNNING)) as url:
        done = wattmark("runs", "--runner", url, env={"FORCE_COLOR": "1", "COLUMNS": "80"})
    shown = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout)
    lines = shown.splitlines()
    assert max(map(len, lines)) <= 80
    words = shown.split()
    for whole in ("run", "state", "workload", "model", "score", "verdict", "fashion-mnist", "19%"):
        assert whole in words
    for run in (OLDER, RUNNING):
        assert 1 <= sum(run["run_id"] in line for line in lines) <= 3
    tables = sum(line.lstrip().startswith("run ") for line in lines)
    rows = [line for line in lines if line.strip() and "──" not in line]
    assert len(rows) == 1 + tables * 3  # title; headings and two runs


def test_at_80_columns_state_and_score_stand_beside_the_longest_run(wattmark: Wattmark) -> None:
    """Its name is broken into lines, and all of it is there; no state or score is cut off."""
    long = {
        **OLDER, "run_id": "20260131-120000-mobilenet-v3-large-minimalistic-0.75x-by-us-a1b2c3",
        "state": "interrupted", "score_texts": {**TEXTS, "score": "≈ 2.345 M (1.234–4.567 M) /mWh"},
    }  # fmt: skip
    with answering(pages(long, RUNNING)) as url:
        done = wattmark("runs", "--runner", url, env={"FORCE_COLOR": "1", "COLUMNS": "80"})
    lines = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout).splitlines()
    assert max(map(len, lines)) <= 80
    first = next(line for line in lines if "interrupted" in line)
    assert "≈ 2.345 M (1.234–4.567 M) /mWh" in first
    at = lines.index(first)
    parts = [line.split()[0] for line in lines[at : at + 3] if line.strip()]
    assert "".join(parts).startswith(long["run_id"])
    assert any("running 19%" in line for line in lines)
