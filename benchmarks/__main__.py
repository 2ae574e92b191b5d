"""``python -m benchmarks [--quick]``: runs all, prints a table each, keeps the numbers as JSON."""

import argparse
import sys
from collections.abc import Callable

from rich.console import Console

from benchmarks import edges, exporter_cost, ingest, service, window_cost
from benchmarks.report import Section, conditions, keep, show


def main() -> int:
    """Always 0 once all has run: a missed goal is reported, not punished."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="about a minute and a half; noisier")
    quick = parser.parse_args().quick
    steps: list[Callable[[], Section]] = [
        lambda: exporter_cost.measure(18 if quick else 150),
        lambda: window_cost.measure(40 if quick else 200),
        lambda: edges.measure(50 if quick else 500),
        lambda: ingest.measure(10 if quick else 100),
        lambda: service.measure(*((1000, 100, 20) if quick else (10_000, 1000, 100))),
    ]
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
