"""The account at the end: nothing lost, nothing left behind, and every window what it must be."""

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

import httpx
import numpy as np

from tests.soak.clients import Told
from tests.soak.meter import joules
from tests.soak.parts import HOST, House
from wattmark_core.catalogue import Domain, Method
from wattmark_core.exporter_api import EnergySeries
from wattmark_scoring.arrays import CounterData
from wattmark_scoring.energy import counted_energy
from wattmark_store import open_store

SETTLE_SECONDS: Final = 240.0
FINAL: Final = frozenset({"done", "failed", "cancelled", "interrupted"})
LEAST_INSIDE: Final = 0.93
"""Of 95 % intervals: what the tests of intervals demand, too."""
LARGEST_GAP_SECONDS: Final = 1.0
SERIES: Final = EnergySeries(Domain.PACKAGE, "socket0", "soak", Method.COUNTER, 0.001)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the account."""

    good: bool
    what: str
    found: str


def account(house: House, told: Told) -> list[Entry]:
    """Wait until all is quiet, then look."""
    with httpx.Client(base_url=f"{house.runner_url}/api/v1", timeout=60.0) as api:
        states = _settled(api, told)
        windows = {w["window_id"]: w for w in _all(api, "windows")}
        offsets = {run_id: _offset_ns(api, run_id) for run_id in {*states} - {""}}
    return [
        *_kept(told, states, windows),
        *_energies(windows, offsets),
        *_samples(house, windows, offsets),
        *_left_behind(house),
        Entry(not told.unexpected, "answers that should not be",
              "; ".join(told.unexpected[:3]) or "none"),
        *_logs(house),
    ]  # fmt: skip


def _settled(api: httpx.Client, told: Told) -> dict[str, str]:
    """State of every run, once all have ended, or after some minutes."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        states = {run["run_id"]: run["state"] for run in _all(api, "runs")}
        if all(state in FINAL for state in states.values()) or time.monotonic() > deadline:
            return states
        time.sleep(2.0)


def _all(api: httpx.Client, name: str) -> Iterator[dict[str, Any]]:
    cursor: str | None = ""
    while cursor is not None:
        page = api.get(f"/{name}", params={"limit": 500, **({"cursor": cursor} if cursor else {})})
        page.raise_for_status()
        yield from page.json()[name]
        cursor = page.json()["next"]


def _offset_ns(api: httpx.Client, run_id: str) -> int:
    offset: int = api.get(f"/runs/{run_id}").json()["record"]["offset_ns"]
    return offset


def _kept(
    told: Told, states: dict[str, str], windows: dict[str, dict[str, Any]]
) -> Iterator[Entry]:
    lost = told.runs - set(states)
    unfinished = [name for name, state in states.items() if state not in FINAL]
    yield Entry(not lost, "runs that were promised and are gone", f"{len(lost)} of {len(states)}")
    yield Entry(not unfinished, "runs that have not ended", f"{len(unfinished)}")
    gone = told.opened - set(windows)
    yield Entry(not gone, "windows that were promised and are gone", f"{len(gone)}")
    reopened = [w for w in told.closed if windows.get(w, {}).get("state") != "closed"]
    yield Entry(not reopened, "windows that were closed and are not",
                f"{len(reopened)} of {len(told.closed)}")  # fmt: skip
    still_open = [w for w in windows.values() if w["state"] == "open"]
    yield Entry(not still_open, "windows that are still open", f"{len(still_open)}")


def _truth(window: dict[str, Any], offset_ns: int) -> float:
    start, end = ((window[name] - offset_ns) / 1e9 for name in ("start_ns", "end_ns"))
    return joules(end) - joules(start)


def _energies(windows: dict[str, dict[str, Any]], offsets: dict[str, int]) -> Iterator[Entry]:
    counted = [
        w for w in windows.values()
        if w["state"] == "closed" and w["complete"] and w["joules"] is not None
        and w["run_id"] in offsets
    ]  # fmt: skip
    errors = [w["joules"] / _truth(w, offsets[w["run_id"]]) - 1.0 for w in counted]
    inside = [
        w["joules_low"] <= _truth(w, offsets[w["run_id"]]) <= w["joules_high"] for w in counted
    ]
    share = sum(inside) / len(inside) if inside else 0.0
    yield Entry(
        share >= LEAST_INSIDE, "windows whose interval holds the truth",
        f"{share:.1%} of {len(counted)}; largest error {max(map(abs, errors), default=0.0):.2%}",
    )  # fmt: skip


def _samples(
    house: House, windows: dict[str, dict[str, Any]], offsets: dict[str, int]
) -> Iterator[Entry]:
    """Gaps that no fault of the exporter explains, and the sum over windows and gaps."""
    with closing(open_store(house.influxd.url("runner"),
                            house.influxd.password_file("runner"))) as store:  # fmt: skip
        tags = {"host": HOST, "source": "soak"}
        parts = store.series("energy", 0, time.time_ns(), tags)
    counter = CounterData.of_fields(parts[0].times_ns, parts[0].fields)
    offset_ns = next(iter(offsets.values()))
    away = [
        (began - 1.0, ended + 5.0) for name, began, ended in house.outages if "exporter" in name
    ]
    gaps = [
        (float(a), float(b))
        for a, b in zip(counter.times_ns, counter.times_ns[1:], strict=False)
        if b - a > LARGEST_GAP_SECONDS * 1e9
    ]
    unexplained = [
        gap for gap in gaps
        if not any(began < (gap[0] - offset_ns) / 1e9 < ended for began, ended in away)
    ]  # fmt: skip
    yield Entry(
        not unexplained,
        "gaps in the samples that no outage of the exporter explains",
        f"{len(unexplained)} of {len(gaps)}, in {len(counter.times_ns):,} samples",
    )
    yield _conserved(counter, windows)


def _conserved(counter: CounterData, windows: dict[str, dict[str, Any]]) -> Entry:
    """In each epoch: windows that follow on each other, and the gaps between them, add up to what
    the counter grew by."""
    largest, epochs = 0.0, 0
    for epoch in np.unique(counter.epochs):
        of_epoch = counter.epochs == epoch
        times = counter.times_ns[of_epoch]
        inside = sorted(
            (w for w in windows.values() if w["joules"] is not None and w["complete"]
             and times[0] < w["start_ns"] and (w["end_ns"] or 0) < times[-1]),
            key=lambda w: w["end_ns"],
        )  # fmt: skip
        edge_ns, total = int(times[0]), 0.0
        for window in inside:
            if window["start_ns"] <= edge_ns:
                continue
            gap = counted_energy(SERIES, counter, edge_ns, window["start_ns"])
            total += (gap.joules or 0.0) + window["joules"]
            edge_ns = window["end_ns"]
        whole = counted_energy(SERIES, counter, int(times[0]), edge_ns) if total else None
        if whole is not None and whole.joules:
            largest, epochs = max(largest, abs(total / whole.joules - 1.0)), epochs + 1
    return Entry(
        epochs > 0 and largest < 1e-6,
        "windows and gaps against the counter's total",
        f"differ by {largest:.1e} at most, in {epochs} epochs",
    )


def _left_behind(house: House) -> Iterator[Entry]:
    workers = [
        child
        for part in house.parts.values()
        if (about := part.about())
        for child in about.children(recursive=True)
        if "worker" in " ".join(child.cmdline())
    ]
    yield Entry(not workers, "workers that still run", f"{len(workers)}")
    for part in house.parts.values():
        running = part.about()
        if running is None:
            yield Entry(False, f"{part.name} runs", "no")
            continue
        descriptors, memory = running.num_fds(), running.memory_info().rss / 2**20
        yield Entry(
            descriptors < 200, f"{part.name} at the end",
            f"{descriptors} descriptors, {memory:.0f} MiB, started {part.starts} times",
        )  # fmt: skip


def _logs(house: House) -> Iterator[Entry]:
    for part in house.parts.values():
        text = part.log.read_text(errors="replace")
        yield Entry(
            "Traceback" not in text, f"tracebacks in the {part.name}'s log",
            f"{text.count('Traceback')}, in {len(text.splitlines())} lines",
        )  # fmt: skip
