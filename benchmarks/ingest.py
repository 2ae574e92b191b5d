"""How many lines a second go into the store."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.lines import samples
from benchmarks.report import Row, Section
from wattmark_core.line_protocol import decode_lines, encode
from wattmark_store.sqlite import SqliteStore

BATCH_LINES: Final = 5_000


def measure(batches: int) -> Section:
    """``batches`` batches each way, in turn, the median; both ways into one store each."""
    with tempfile.TemporaryDirectory(prefix="wattmark-bench-") as folder:
        plain = SqliteStore(Path(folder) / "plain.sqlite")
        whole = SqliteStore(Path(folder) / "whole.sqlite")
        try:
            taken = _time(plain, whole, batches)
        finally:
            plain.close()
            whole.close()
    rates = {name: BATCH_LINES / median(values) for name, values in taken.items()}
    first = next(iter(rates.values()))
    return Section(
        "Lines into SQLite",
        [Row(name, "lines/s", rate, ratio=rate / first) for name, rate in rates.items()],
        ratio_of="decode and write",
        note=f"Median of {batches} batches of {BATCH_LINES:,} lines, a transaction each.",
    )


def _time(plain: SqliteStore, whole: SqliteStore, batches: int) -> dict[str, list[float]]:
    taken: dict[str, list[float]] = {"decode and write": [], "write": [], "decode": []}
    for number in range(batches):
        batch = list(samples(BATCH_LINES // 2, number * BATCH_LINES // 2))
        text = "\n".join(map(encode, batch))
        steps: dict[str, Callable[[], object]] = {
            "decode and write": lambda text=text: whole.write(decode_lines(text)),  # type: ignore[misc]
            "write": lambda batch=batch: plain.write(batch),  # type: ignore[misc]
            "decode": lambda text=text: list(decode_lines(text)),  # type: ignore[misc]
        }
        for name, step in steps.items():
            begin = time.perf_counter()
            step()
            taken[name].append(time.perf_counter() - begin)
    return taken
