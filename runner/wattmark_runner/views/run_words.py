"""A run as texts: its windows, and how it was run."""

import json
from dataclasses import dataclass
from typing import Any

from wattmark_core import labels
from wattmark_core.catalogue import Method
from wattmark_core.exporter_api import EnergySeries
from wattmark_core.figures import (
    JOULES,
    MISSING,
    SECONDS,
    WATTS,
    count,
    exact,
    figure,
    moment,
    plain,
)  # fmt: skip
from wattmark_core.results import Window
from wattmark_runner.records.model import RunRecord

Facts = tuple[tuple[str, str], ...]
"""Names and values, in the order in which they are shown."""


@dataclass(frozen=True, slots=True)
class WindowTexts:
    """A window: ``energy`` and ``power`` with their digits, ``notes`` on what spoils it."""

    name: str
    length: str
    energy: str
    power: str
    inferences: str
    correct: str
    method: str
    notes: str


def window_texts(window: Window) -> WindowTexts:
    """All texts of a window."""
    estimated = window.method is Method.ESTIMATED
    watts = None
    if window.joules is not None and window.seconds > 0.0:
        watts = window.joules / window.seconds
    spoilt = {
        "a lower bound": not window.complete,
        "shares its time": window.overlapping,
        "client's clock": window.clock == "client",
    }
    return WindowTexts(
        labels.window(window.phase, window.repeat), figure(window.seconds, unit=SECONDS),
        window_energy(window), figure(watts, unit=WATTS, estimated=estimated),
        count(window.inferences), count(window.correct), labels.method(window.method) or MISSING,
        ", ".join(note for note, applies in spoilt.items() if applies),
    )  # fmt: skip


def window_energy(window: Window) -> str:
    """With its interval: ``204 ± 3 J``."""
    estimated = window.method is Method.ESTIMATED
    return figure(window.joules, window.joules_low, window.joules_high, JOULES, estimated=estimated)


def source_text(series: EnergySeries) -> str:
    """Where a counter's energy comes from: ``counter from rapl, PKG``."""
    label = f", {series.label}" if series.label else ""
    method = labels.ESTIMATED if series.method is Method.ESTIMATED else series.method
    return f"{method} from {series.source}{label}"


def run_facts(record: RunRecord) -> Facts:
    """What was asked for, what was run, and the constants behind its numbers."""
    request = record.request
    before = exact(request.idle_before_seconds, SECONDS)
    after = exact(request.idle_after_seconds, SECONDS)
    least = "as the sensor needs" if request.seconds is None else exact(request.seconds, SECONDS)
    facts: dict[str, str] = {
        "run": record.run_id,
        "host, boot": f"{record.host or MISSING}, {record.boot_id or MISSING}",
        "state": f"{record.state}{': ' + record.reason if record.reason else ''}",
        "started": moment(record.started_ns or None),
        "ended": moment(record.ended_ns),
        "workload": f"{request.workload}, {count(record.test_images)} test images",
        "device": request.gpu or "CPU",
        "repeats": str(request.repeats),
        "least window": least,
        "warm-up": exact(request.warmup_seconds, SECONDS),
        "own idle baselines": f"{before} before, {after} after",
        **{name.replace("_", " "): str(value) for name, value in request.parameters.items()},
        "parameters": count(record.parameters),
        "MACs": count(record.macs),
        **{labels.counter(s.domain, s.device): source_text(s) for s in record.series},
        **{name: plain(value) for name, value in record.constants.items()},
        **{name: _shown(value) for name, value in record.definition.items()},
    }
    return tuple(facts.items())


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
