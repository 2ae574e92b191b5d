"""Results, the conditions they were taken under, and how both are shown and kept."""

import json
import os
import platform
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True)
class Goal:
    """A limit in the row's unit: at most it, or at least it if ``least``."""

    limit: float
    least: bool = False

    def met(self, value: float) -> bool:
        return value >= self.limit if self.least else value <= self.limit

    def __str__(self) -> str:
        return f"{'≥' if self.least else '≤'} {self.limit:g}"


@dataclass(frozen=True, slots=True)
class Row:
    """One measured number. ``value`` None: not run, and ``note`` says why."""

    what: str
    unit: str
    value: float | None
    goal: Goal | None = None
    ratio: float | None = None
    note: str = ""

    @property
    def verdict(self) -> str:
        """Met, not met, or nothing to meet."""
        if self.value is None:
            return "not run"
        if self.goal is None:
            return ""
        return "met" if self.goal.met(self.value) else "not met"


@dataclass(frozen=True, slots=True)
class Section:
    """The rows of one benchmark. ``ratio_of``: what the ratio column divides by."""

    title: str
    rows: Sequence[Row]
    ratio_of: str = ""
    note: str = ""


def conditions() -> dict[str, str]:
    """What the numbers hold for."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpu": _cpu_model(),
        "cores": str(os.cpu_count()),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load average": " ".join(f"{load:.2f}" for load in os.getloadavg()),
    }


def show(section: Section, console: Console) -> None:
    """Print one section as a table."""
    table = Table(title=section.title, title_justify="left", caption=section.note or None,
                  caption_justify="left")  # fmt: skip
    table.add_column("what")
    table.add_column("goal", justify="right")
    table.add_column("measured", justify="right")
    table.add_column("unit")
    table.add_column(f"÷ {section.ratio_of}" if section.ratio_of else "ratio", justify="right")
    table.add_column("verdict")
    table.add_column("note")
    for row in section.rows:
        table.add_row(
            row.what, "" if row.goal is None else str(row.goal), number(row.value), row.unit,
            number(row.ratio), row.verdict, row.note,
        )  # fmt: skip
    console.print(table)


def number(value: float | None) -> str:
    """Three significant digits."""
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def keep(sections: Sequence[Section], held: dict[str, str]) -> Path:
    """Write conditions and sections as JSON; returns the file."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / time.strftime("%Y-%m-%dT%H%M%SZ.json", time.gmtime())
    body = {
        "conditions": held,
        "sections": [
            {**asdict(section),
             "rows": [{**asdict(row), "verdict": row.verdict} for row in section.rows]}
            for section in sections
        ],
    }  # fmt: skip
    path.write_text(json.dumps(body, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()
