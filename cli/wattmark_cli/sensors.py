"""``wattmark sensors``: per sensor found, readable, moving, chosen, and what to do otherwise."""

import argparse
import json
import sys
import time
from contextlib import closing
from typing import Final

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from wattmark_cli.options import Subparsers, add_command, add_rooms, exporter_of
from wattmark_cli.output import say
from wattmark_core import labels
from wattmark_core.catalogue import Method
from wattmark_core.codec import to_json
from wattmark_core.exporter_api import (
    EnergySeries,
    ExporterAddress,
    HostReport,
    SensorReport,
    SensorState,
)
from wattmark_core.printable import printable
from wattmark_core.sources import pin
from wattmark_scoring.boundary import pin_sources

WATCH_SECONDS: Final = 10.0


def add_parser(subparsers: Subparsers) -> None:
    """The command's options."""
    parser = add_command(
        subparsers, "sensors", "wattmark sensors --json", run,
    )  # fmt: skip
    add_rooms(parser)


def run(arguments: argparse.Namespace) -> int:
    """Show the table. 1 if no sensor gives energy."""
    with exporter_of(arguments) as exporter:
        report = _watch(exporter)
    if arguments.json:
        document = {
            "host": report.host,
            "sensors": [
                {**_facts(sensor, report), "report": to_json(sensor)} for sensor in report.sensors
            ],
        }
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
    else:
        Console().print(_table(report))
        for sensor in report.sensors:
            if advice := _advice(sensor):
                say(f"{sensor.name}: {advice}")
    return 0 if pin_sources(report.energy) else 1


def _watch(exporter: ExporterAddress) -> HostReport:
    """Look until it is known of every sensor whether it moves, and another counts in the place of
    one that does not, some seconds at most."""
    deadline = time.monotonic() + WATCH_SECONDS
    with closing(exporter.client()) as client:
        while True:
            report = client.sensors()
            unknown = [s for s in report.sensors if s.state is SensorState.OK and s.moving is None]
            working = (series for series in report.energy if series.state is SensorState.OK)
            still = [series for series in pin(working) if series.moving is False]
            if not (unknown or still) or time.monotonic() > deadline:
                return report
            time.sleep(0.25)


def _facts(sensor: SensorReport, report: HostReport) -> dict[str, bool | str | None]:
    """``moving`` None: not known; ``chosen`` None: the sensor does not count energy."""
    readable = sensor.state is SensorState.OK
    pinned = {series.source for series in pin_sources(report.energy)}
    counts = bool(sensor.energy) or not readable
    return {
        "sensor": sensor.name,
        "found": sensor.found,
        "readable": readable,
        "moving": sensor.moving if readable else None,
        "chosen": sensor.name in pinned if counts else None,
        "remedy": _advice(sensor),
    }


def _advice(sensor: SensorReport) -> str:
    if sensor.state is not SensorState.OK:
        return "; ".join(text for text in (sensor.reason, sensor.remedy) if text)
    notes = dict.fromkeys([sensor.note, *(series.note for series in sensor.energy)])
    return "; ".join(filter(None, notes))


def _table(report: HostReport) -> Table:
    title = Text(printable(f"sensors of {report.host}"))
    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    for name in ("sensor", "found", "readable", "moving", "chosen"):
        table.add_column(name, no_wrap=True)
    table.add_column("energy of", ratio=1)
    for sensor in report.sensors:
        facts = _facts(sensor, report)
        energy = ", ".join(map(_counter, sensor.energy))
        table.add_row(
            Text(printable(sensor.name)),
            *(_word(facts[name]) for name in ("found", "readable", "moving", "chosen")),
            Text(printable(energy)),
        )
    return table


def _counter(series: EnergySeries) -> str:
    """By its name, and whether it is measured."""
    name = labels.counter(series.domain, series.device, series.method)
    return name if series.method is Method.ESTIMATED else f"{name} ({labels.method(series.method)})"


def _word(value: object) -> str:
    if value is None:
        return "–"
    return "[green]yes[/]" if value else "[red]no[/]"
