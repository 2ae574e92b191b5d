"""``python -m benchmarks [--quick]``: runs all, prints a table each, keeps the numbers as JSON."""

import argparse
import sys
from collections.abc import Callable

from rich.console import Console

from benchmarks import (
    collecting,
    edges,
    exporter_cost,
    first_open,
    ingest,
    kept,
    overhead,
    pipeline,
    power,
    sample_way,
    scoring,
    service,
    startup,
    tables,
    window_cost,
)
from benchmarks.report import Section, conditions, keep, show


def main() -> int:
    """Always 0 once all has run: a missed goal is reported, not punished."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="about a minute and a half; noisier")
    parser.add_argument("--soak", action="store_true", help="only 200 exporters for ten minutes")
    parser.add_argument("--dashboards", action="store_true",
                        help="only what opening dashboards costs InfluxDB, and what it keeps;"
                        " well over half an hour")  # fmt: skip
    options = parser.parse_args()
    quick = options.quick
    steps: list[Callable[[], Section]] = [
        lambda: exporter_cost.measure(18 if quick else 150),
        lambda: window_cost.measure(40 if quick else 200),
        lambda: overhead.measure(15 if quick else 60),
        lambda: pipeline.measure(3 if quick else 15),
        lambda: edges.measure(50 if quick else 500),
        lambda: edges.measure_influx(20 if quick else 200, "1 h" if quick else "24 h"),
        lambda: ingest.measure(10 if quick else 100),
        lambda: sample_way.measure(*((20, 1) if quick else (40, 3))),
        lambda: scoring.measure(5 if quick else 25),
        lambda: service.measure(*((1000, 100, 20) if quick else (10_000, 1000, 100))),
        lambda: startup.measure(3 if quick else 10),
        lambda: tables.measure(*((2_000, 500, 1) if quick else (10_000, 500, 5))),
        lambda: collecting.measure(20, 10.0 if quick else 60.0),
        lambda: power.measure(*((4, 1, 1) if quick else (20, 5, 5))),
    ]
    if options.soak:
        steps = [lambda: collecting.soak(200, 60.0 if quick else 600.0)]
    if options.dashboards:
        sizes = (2, 4, 8, 30) if quick else (10, 100, 30, 730)
        steps = [lambda: first_open.measure(*sizes), kept.measure]
    console = Console(width=None if sys.stdout.isatty() else 140)
    held = conditions()
    console.print("\n".join(f"{name}: {value}" for name, value in held.items()), highlight=False)
    sections = []
    for step in steps:
        sections.append(step())
        show(sections[-1], console)
    held["load average after"] = conditions()["load average"]
    console.print(f"kept in {keep(sections, held)}", highlight=False, soft_wrap=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
