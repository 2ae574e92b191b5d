"""What tables and ranking take of many runs, in 9ca66c9 and today, over the same file."""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from benchmarks.before import COMMIT, before, today
from benchmarks.processes import ROOT
from benchmarks.report import Goal, Row, Section

PROGRAM: Final = ROOT / "tests/runner/records/either_version.py"
GOAL: Final = Goal(0.3)
CALLS: Final = {
    "Table I": "/tables/1", "Table II": "/tables/2", "Table III": "/tables/3",
    "Table I, CSV": "/tables/1?format=csv", "Table II, Markdown": "/tables/2?format=markdown",
    "Table III, LaTeX": "/tables/3?format=latex",
    "ranking": "/ranking", "ranking, CSV": "/ranking?format=csv",
}  # fmt: skip


def measure(runs: int, models: int, repeats: int) -> Section:
    """CPU time of a call over ``runs`` runs of ``models`` models, medians of ``repeats`` calls."""
    with tempfile.TemporaryDirectory(prefix="wattmark-bench-") as name, before() as older:
        path = Path(name) / "runner.sqlite"
        _run(older, "fill", path, runs, models, 0)
        copy = Path(shutil.copy(path, path.with_name("today.sqlite")))
        then = json.loads(_run(older, "time", path, repeats, *CALLS.values()))
        now = json.loads(_run(today(), "time", copy, repeats, *CALLS.values()))
    rows = [
        Row(what, "CPU s", one, GOAL, other / one, f"{COMMIT}: {other:.2f} CPU s")
        for what, one, other in zip(CALLS, now, then, strict=False)
    ]
    rows.append(Row("peak of memory, all calls", "MiB", now[-1], None, then[-1] / now[-1],
                    f"{COMMIT}: {then[-1]:.0f} MiB"))  # fmt: skip
    note = (
        f"{runs:,} runs of {models} models, {repeats} calls each. Ratio: how many times as fast, or"
        f" as small, as {COMMIT} in the same minutes. Today's file is {COMMIT}'s, opened before."
    )
    return Section("Tables and ranking", rows, note=note)


def _run(environment: Mapping[str, str], *arguments: object) -> str:
    command = [sys.executable, str(PROGRAM), *map(str, arguments)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return done.stdout
