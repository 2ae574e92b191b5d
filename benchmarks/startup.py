"""How long it takes until a command answers that has nothing to measure, beside the version before.

Of whole processes, the interpreter's own start included, in turn with the other version's. What
only imports is held against its goal in CPU time, which is the wall time of a machine that does
nothing else; what starts other processes and waits for them in wall time. The first round of each,
in which Python compiles, does not count.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from typing import Final

from benchmarks.before import COMMIT, before, today
from benchmarks.report import Goal, Row, Section

HELP_SECONDS: Final = 0.15
CLI: Final = ("-m", "wattmark_cli")
SLOW_ROUNDS: Final = 2
"""A wrong option was refused once an exporter and a collector ran."""
QUICK: Final = {
    "import wattmark_client": ("-c", "import wattmark_client"),
    "wattmark --help": (*CLI, "--help"),
    "wattmark fit --help": (*CLI, "fit", "--help"),
    "wattmark run --help": (*CLI, "run", "--help"),
}
REFUSED: Final = {
    "wattmark serve with a wrong --config": (
        *CLI, "serve", "--listen", "127.0.0.1:0", "--config", "nowhere.toml",
    ),
    "wattmark serve off loopback without keys": (*CLI, "serve", "--listen", "0.0.0.0:0"),
}  # fmt: skip
GOALS: Final = {
    "import wattmark_client": Goal(HELP_SECONDS), "wattmark --help": Goal(HELP_SECONDS),
}  # fmt: skip


def measure(rounds: int) -> Section:
    """The fastest of ``rounds`` of each, of two of what was slow."""
    rows = []
    with before() as old, tempfile.TemporaryDirectory(prefix="wattmark-bench-") as folder:
        for commands, times, unit in (
            (QUICK, rounds, "CPU s"), (REFUSED, SLOW_ROUNDS, "s"),
        ):  # fmt: skip
            for name, command in commands.items():
                rows += _compared(name, command, old, folder, times, unit)
    return Section(
        "Start-up", rows, ratio_of="today's",
        note=f"The fastest of {rounds} processes each, in turn with those of {COMMIT};"
        f" of {SLOW_ROUNDS} where an option is refused, in wall time.",
    )  # fmt: skip


def _compared(
    name: str, command: Sequence[str], old: dict[str, str], folder: str, rounds: int, unit: str
) -> list[Row]:
    seconds: dict[str, list[float]] = {"old": [], "new": []}
    for _ in range(rounds + 1):
        for version, environment in (("old", old), ("new", today())):
            seconds[version].append(_seconds(command, environment, folder, unit))
    was, is_now = (min(seconds[version][1:]) for version in ("old", "new"))
    return [
        Row(name, unit, is_now, GOALS.get(name), 1.0, f"{was / is_now:.3g} × as fast as {COMMIT}"),
        Row(f"{name}, {COMMIT}", unit, was, ratio=was / is_now),
    ]


def _seconds(command: Sequence[str], environment: dict[str, str], folder: str, unit: str) -> float:
    begin = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *command], env=environment, cwd=folder, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if unit == "s":
        return time.perf_counter() - begin
    return usage.ru_utime + usage.ru_stime
