"""``wattmark exec -- COMMAND``: the energy of any command in any language.

The command gets our standard streams, its exit status becomes ours, and nothing that goes wrong
with measuring changes either. What it cost is written to standard error.
"""

import argparse
import json
import logging
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from wattmark_cli.command import Ended, run_command
from wattmark_cli.embedded import Rooms
from wattmark_cli.options import (
    Subparsers,
    add_command,
    add_rooms,
    check_numbers,
    check_rooms,
    rooms,
)
from wattmark_core import labels
from wattmark_core.catalogue import Domain, Method
from wattmark_core.errors import ConfigurationError, WattmarkError
from wattmark_core.exporter_api import EnergySeries
from wattmark_core.figures import JOULES, SECONDS, WATTS, figure
from wattmark_core.printable import printable
from wattmark_core.results import Boundary, Phase, Window
from wattmark_runner.execution.baseline import measure_idle
from wattmark_runner.scoring.await_samples import await_window
from wattmark_runner.scoring.overhead import RATIO, added, spent
from wattmark_runner.scoring.reading import read_window
from wattmark_runner.views.advice import HOW_TO_MEASURE
from wattmark_runner.windows.recorder import OpenWindow, Recorder
from wattmark_scoring.boundary import of_boundary, pin_sources
from wattmark_scoring.measured import MeasuredWindow, energies, measure

SAMPLES_SECONDS: Final = 10.0
OVERHEAD_SECONDS: Final = 5.0
COUNTING_SECONDS: Final = 1.0
"""Until every counter has moved once, and the exporter's own start is over."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a command cost within one boundary; joules gross, and net of an idle baseline."""

    boundary: Boundary
    method: Method | None
    joules: float | None
    low: float | None
    high: float | None
    net_joules: float | None
    mean_watts: float | None
    complete: bool
    reason: str


def add_parser(subparsers: Subparsers) -> None:
    """The command's options."""
    parser = add_command(
        subparsers, "exec",
        "wattmark exec --idle-seconds 30 -- python train.py --epochs 3", run,
    )  # fmt: skip
    add = parser.add_argument
    add("--idle-seconds", type=float, default=0.0,
        help="length of an idle baseline before the command (default: none)")  # fmt: skip
    add("--label", default="", help="name of the window (default: the command)")
    add("-o", "--output", type=Path, metavar="FILE",
        help="file for the result (default: standard error)")  # fmt: skip
    add_rooms(parser)
    add("command", nargs=argparse.REMAINDER, metavar="-- COMMAND",
        help="the command to run, with its arguments")  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """The command's own exit status, whatever becomes of the measuring."""
    command = arguments.command[1:] if arguments.command[:1] == ["--"] else arguments.command
    if not command:
        raise ConfigurationError("exec needs a command: wattmark exec -- COMMAND")
    ended: list[Ended] = []
    if arguments.json and arguments.output is None:
        logging.disable(logging.WARNING)  # standard error is to hold the document alone
    try:
        _check(arguments)
        with rooms(arguments, join=True, folder=False) as opened:
            _measured(arguments, command, opened, ended)
    except (WattmarkError, OSError) as error:
        sys.stderr.write(f"wattmark: not measured: {error}\n")
    if not ended:
        ended.append(run_command(command))
    if ended[0].error:
        sys.stderr.write(f"wattmark: {ended[0].error}\n")
    return ended[0].status


def _check(arguments: argparse.Namespace) -> None:
    """Raise ``ConfigurationError`` for what could not be measured or written, before a room is
    started or the command runs."""
    check_numbers(arguments, not_below_zero=("idle_seconds",))
    output: Path | None = arguments.output
    if output is not None:
        place = output if output.exists() else output.parent
        if output.is_dir() or not os.access(place, os.W_OK):
            raise ConfigurationError(f"cannot write {output}; name another file with -o")
    check_rooms(arguments, folder=not arguments.exporter)


def _measured(
    arguments: argparse.Namespace, command: Sequence[str], opened: Rooms, ended: list[Ended]
) -> None:
    with closing(opened.exporter.client()) as client:
        report = client.sensors()
    idle: Window | None = None
    if arguments.idle_seconds > 0:
        idle = measure_idle(
            arguments.idle_seconds, exporter_url=opened.exporter, store=opened.store
        )
    else:
        time.sleep(COUNTING_SECONDS)
    with Recorder(opened.exporter, opened.store) as recorder:
        cpu_ns = time.process_time_ns()
        label = printable(arguments.label or command[0])
        with recorder.window(phase=Phase.INFERENCE, label=label) as window:
            ended.append(_run(command, window))
        cpu_ns = time.process_time_ns() - cpu_ns
        time.sleep(0.2)  # a sample beyond the end
    (window_done,) = recorder.windows
    if not ended[0].error:
        series = pin_sources(report.energy)
        costs = _costs(window_done, idle, series, opened)
        constants = _overhead(window_done, cpu_ns, opened, report.boot_id) if arguments.json else {}
        _report(arguments, window_done, costs, ended[0], constants)


def _run(command: Sequence[str], window: OpenWindow) -> Ended:
    ended = run_command(command)
    window.cpu_seconds = ended.cpu_seconds
    return ended


def _costs(
    window: Window, idle: Window | None, series: Sequence[EnergySeries], opened: Rooms
) -> list[Cost]:
    gpus = [counter.device for counter in series if counter.domain is Domain.GPU]
    await_window(window, series, opened.store, SAMPLES_SECONDS)
    data = [read_window(opened.store, w, series) for w in (window, idle) if w is not None]
    counted = [(read, energies(read)) for read in data]
    return [
        _cost(*(measure(read, counters, boundary, gpus=gpus) for read, counters in counted))
        for boundary in Boundary
        if of_boundary(series, boundary, gpus) and (gpus or boundary is Boundary.CPU)
    ]


def _overhead(window: Window, cpu_ns: int, opened: Rooms, boot_id: str) -> dict[str, float]:
    """What measuring took, once the samples of exporter and collector have arrived, if soon."""
    deadline = time.monotonic() + OVERHEAD_SECONDS
    own = added({}, cpu_ns)
    while True:
        constants = own | spent([read_window(opened.store, window, ())], own, boot_id)
        if RATIO in constants or time.monotonic() > deadline:
            return constants
        time.sleep(0.25)


def _cost(measured: MeasuredWindow, idle: MeasuredWindow | None = None) -> Cost:
    """Of a lower bound there is neither a mean nor what is above idle: both would be wrong."""
    energy, seconds = measured.energy, measured.window.seconds
    whole = energy.joules if energy.complete else None
    net = None
    if idle is not None and idle.energy.complete and idle.energy.joules is not None:
        baseline_watts = idle.energy.joules / idle.window.seconds
        net = None if whole is None else whole - baseline_watts * seconds
    watts = None if whole is None else whole / seconds
    return Cost(
        energy.boundary, energy.method, energy.joules, energy.low, energy.high, net, watts,
        energy.complete, energy.reason,
    )  # fmt: skip


def _report(
    arguments: argparse.Namespace, window: Window, costs: Sequence[Cost], ended: Ended,
    constants: dict[str, float],
) -> None:  # fmt: skip
    if arguments.json:
        document = {
            "seconds": window.seconds,
            "cpu_seconds": ended.cpu_seconds,
            "exit_status": ended.status,
            "window_id": window.window_id,
            "overlapping": window.overlapping,
            "energy": [asdict(cost) for cost in costs],
            "constants": constants,
        }
        text = json.dumps(document, indent=2) + "\n"
    else:
        text = "".join(f"{line}\n" for line in _lines(window, costs, ended))
    if arguments.output is None:
        sys.stderr.write(text)
    else:
        arguments.output.write_text(text, encoding="utf-8")


def _lines(window: Window, costs: Sequence[Cost], ended: Ended) -> Iterator[str]:
    took, cpu = figure(window.seconds, unit=SECONDS), figure(ended.cpu_seconds, unit=SECONDS)
    yield f"wattmark: {took}, CPU {cpu}"
    for cost in costs:
        name = f"energy of {labels.BOUNDARIES[cost.boundary]}"
        if cost.joules is None:
            yield f"wattmark: {name}: none ({cost.reason})"
            continue
        estimated = cost.method is Method.ESTIMATED
        joules = figure(cost.joules, cost.low, cost.high, JOULES, estimated=estimated)
        watts = figure(cost.mean_watts, unit=WATTS, estimated=estimated)
        mean = "" if cost.mean_watts is None else f", mean {watts}"
        bound = "" if cost.complete else f" at least: {cost.reason}"
        above = figure(cost.net_joules, unit=JOULES, estimated=estimated)
        net = "" if cost.net_joules is None else f", of it above idle {above}"
        sure = "" if cost.low is not None else ", no interval"
        how = f"{labels.method(cost.method)}{sure}"
        yield f"wattmark: {name}: {joules}{bound} ({how}){mean}{net}"
    if not costs:
        yield "wattmark: no sensor of energy answers; `wattmark sensors` says why"
    if any(cost.method is Method.ESTIMATED for cost in costs):
        yield f"wattmark: {labels.ESTIMATED}: relative only. {HOW_TO_MEASURE}"
    if len(costs) and window.seconds < 1.0:
        yield "wattmark: too short to measure well; repeat the work for seconds"
