"""Long versions of tests: ``make test-long`` runs what is marked ``long`` at its full length.

What it found is written into ``docs/figures``, to be committed; ``make test`` runs a short version
of the same tests, with the same limits, and writes nothing.
"""

import os
import platform
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

LONG: Final = os.environ.get("WATTMARK_LONG") == "1"
FIGURES: Final = Path(__file__).parents[1] / "docs/figures"


def length(short: int, long: int) -> int:
    """How many examples, windows or rounds a test takes."""
    return long if LONG else short


def keep_figures(
    name: str, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]
) -> None:
    """Write a table into ``docs/figures/NAME.md`` if this is the long version, else nothing."""
    if not LONG:
        return
    conditions = (
        f"{time.strftime('%Y-%m-%d', time.gmtime())}, `make test-long`; {os.cpu_count()} CPUs,"
        f" Linux {platform.release()}, Python {platform.python_version()}."
    )
    table = [columns, ["---"] * len(columns), *rows]
    lines = ["| " + " | ".join(row) + " |" for row in table]
    FIGURES.mkdir(exist_ok=True)
    (FIGURES / f"{name}.md").write_text(
        "\n".join([f"# {title}", "", conditions, "", *lines, ""]), encoding="utf-8"
    )
