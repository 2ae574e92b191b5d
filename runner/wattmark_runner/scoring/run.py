"""From a run's windows to its scores: reads them all, then computes, then publishes."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from wattmark_core.errors import StoreUnavailable
from wattmark_core.results import (
    ACCURACY_PER_PARAMETER,
    NETSCORE,
    Boundary,
    Check,
    Score,
    Verdict,
    Window,
)
from wattmark_runner.records.model import RunRecord
from wattmark_runner.scoring.await_samples import SAMPLES_SECONDS, await_samples
from wattmark_runner.scoring.overhead import add_overhead
from wattmark_runner.scoring.publishing import publish
from wattmark_runner.scoring.reading import read_windows
from wattmark_runner.scoring.run_scores import run_scores
from wattmark_runner.scoring.throttled import held_back
from wattmark_runner.scoring.usage import usage
from wattmark_runner.windows.overlap import Whose, claims, marked, whose_run
from wattmark_runner.windows.waiting import pause
from wattmark_scoring import checks
from wattmark_scoring.arrays import CounterData
from wattmark_scoring.boundary import of_boundary
from wattmark_scoring.checks.interrupted import LATE, interrupted, late
from wattmark_scoring.formula import Formula
from wattmark_scoring.measured import MeasuredRun, MeasuredWindow, energies, measure
from wattmark_scoring.window_data import WindowData
from wattmark_scoring.window_facts import WindowFacts
from wattmark_store import Store

AWAY_SECONDS: Final = 300.0
"""How long scoring waits for a store whose server does not answer."""
AWAY_TURN_SECONDS: Final = 2.0


def score_when_sampled(
    record: RunRecord,
    store: Store,
    *,
    limit_seconds: float = SAMPLES_SECONDS,
    cancel: threading.Event | None = None,
    open_windows: Callable[[], Sequence[Window]] = tuple,
    formulas: Sequence[Formula] = (),
    whose: Whose = whose_run,
) -> None:
    """Score a run once the samples beyond its end are there; ``reason`` says afterwards why it is
    not whole.

    ``open_windows``: those of other programs that have not closed yet; ``whose`` a window is, in
    words. A reason that is there already stays, unless it was that samples came late: they may be
    here now. A store that is away is waited for. Raises ``StoreError``, and ``Cancelled`` when
    ``cancel`` is set; the record is then not ``published``: a result of before may be gone from the
    store. Nor is it where the store went away when it had the scores and not all that is shown of
    them.
    """
    record.published = False
    reason, deadline = record.reason, time.monotonic() + AWAY_SECONDS
    while True:
        try:
            failed = _await_samples(record, store, limit_seconds, cancel)
            # Another program's window may have closed, and marked ours, in the meantime.
            note_others(record, store, open_windows(), whose)
            _score(record, store, formulas, failed)
        except StoreUnavailable as error:
            record.reason = reason
            if time.monotonic() > deadline:
                record.checks = (*record.checks, late(str(error)))  # scoring again clears it
                raise
            pause(AWAY_TURN_SECONDS, lambda _: None, cancel)
        else:
            return


def _await_samples(
    record: RunRecord, store: Store, limit_seconds: float, cancel: threading.Event | None
) -> Callable[[str], Check]:
    """Wait for the samples, unless the run is not whole already; the check that a reason makes."""
    if any(check.name == LATE for check in record.checks):
        record.reason = ""
    failed = interrupted
    if not record.reason:
        record.reason = await_samples(record, store, limit_seconds, cancel)
        failed = late
    return failed


def note_others(
    record: RunRecord, store: Store, still_open: Sequence[Window], whose: Whose = whose_run
) -> None:
    """Mark the run's windows that share time with others, and note which are said to. Raises
    ``StoreError``."""
    record.windows = marked(record.windows, store, still_open)
    for window in record.windows:
        facts = record.facts.get(window.window_id, WindowFacts())
        found = claims(window, store, still_open, whose)
        if found != facts.claims:
            record.facts[window.window_id] = replace(facts, claims=found)


def _score(
    record: RunRecord, store: Store, formulas: Sequence[Formula], failed: Callable[[str], Check]
) -> None:
    whole = {window.window_id: window.complete for window in record.windows}
    data = read_windows(record, store)
    compute_scores(record, data, formulas)
    if record.reason:
        _invalidate(record, failed(record.reason), whole)
    record.published = publish(record, store, data)


def score_run(record: RunRecord, store: Store, formulas: Sequence[Formula] = ()) -> RunRecord:
    """Score a run whose samples are there: see ``compute_scores``.

    Writes windows and scores into the store and into the record, which is returned and is
    ``published`` if the store has them all. Raises ``StoreError``.
    """
    data = read_windows(record, store)
    compute_scores(record, data, formulas)
    record.published = publish(record, store, data)
    return record


def compute_scores(
    record: RunRecord, data: Mapping[str, WindowData], formulas: Sequence[Formula] = ()
) -> None:
    """Measure every window of the run and score it in each boundary that has a counter.

    ``data``: what was read of the windows, by their ids. Windows and checks are afterwards those of
    the boundary that the request names. ``formulas``: scores of the owner's own, in each boundary
    too. Also completes means, overhead, and the counters' samples that the run keeps.
    """
    windows = [data[window.window_id] for window in record.windows]
    add_overhead(record, windows)
    record.usage = usage(windows, record.request.gpu)
    record.formulas = {formula.name: formula.text for formula in formulas}
    record.edges = {data.window.window_id: _kept_edges(data) for data in windows}
    main = record.request.main_boundary
    scores: list[Score] = []
    for boundary, run in _measured_runs(record, windows, main):
        of_run = checks.of_run(run)
        if boundary is main:
            record.windows = [measured.window for measured in run.windows]
            record.checks = of_run
        scores += run_scores(record, boundary, run, of_run, formulas)
    record.scores = tuple(scores)


def _measured_runs(
    record: RunRecord, windows: Sequence[WindowData], main: Boundary
) -> list[tuple[Boundary, MeasuredRun]]:
    iterations = [_iterations(record, data.window) for data in windows]
    counters = [energies(data, count) for data, count in zip(windows, iterations, strict=True)]

    def measured(boundary: Boundary) -> tuple[MeasuredWindow, ...]:
        return tuple(
            measure(
                data, counted, boundary,
                gpus=record.request.gpus, iterations=count,
                held_back=held_back(record, data.window),
            )
            for data, counted, count in zip(windows, counters, iterations, strict=True)
        )  # fmt: skip

    return [(boundary, MeasuredRun(measured(boundary))) for boundary in _boundaries(record, main)]


def _boundaries(record: RunRecord, main: Boundary) -> list[Boundary]:
    """The main one, and every other that has counters of its own; without a GPU host is cpu.

    A run on a GPU is scored within ``cpu`` only if that is asked for: beside networks that ran on
    the CPU it would look as if its GPU were free.
    """
    gpu, scored = record.request.gpu, {main}
    if not gpu and of_boundary(record.series, Boundary.CPU):
        scored |= {Boundary.CPU}
    if gpu and of_boundary(record.series, Boundary.GPU, [gpu]):
        scored |= {Boundary.GPU, Boundary.HOST}
    return [boundary for boundary in Boundary if boundary in scored]


def _iterations(record: RunRecord, window: Window) -> int | None:
    """How many batches a window held: of whole passes, each with its last batch, however small."""
    size, images = record.request.batch_size, record.test_images
    if window.inferences is None or not size:
        return None
    if images and window.inferences % images == 0:
        return window.inferences // images * -(-images // size)
    return -(-window.inferences // size)


def _kept_edges(data: WindowData) -> list[dict[str, object]]:
    """Of each counter that has samples, those around both edges."""
    around = [(samples.series, samples.edges(data.window)) for samples in data.counters]
    return [
        {
            "tags": {"host": data.window.host, **series.tags},
            "times_ns": edges.times_ns.tolist(),
            "fields": _fields(edges),
        }
        for series, edges in around
        if len(edges.times_ns)
    ]


def _fields(counter: CounterData) -> dict[str, list[float]]:
    return {
        "joules": counter.joules.tolist(),
        "epoch": counter.epochs.tolist(),
        "uncertainty_seconds": counter.uncertainty_seconds.tolist(),
    }


def _invalidate(record: RunRecord, check: Check, whole: Mapping[str, bool]) -> None:
    """A run whose samples were interrupted is never scored as if whole."""
    record.checks = (*record.checks, check)
    record.scores = tuple(_invalidated(score, check) for score in record.scores)
    record.windows = [
        replace(window, complete=window.complete and whole[window.window_id])
        for window in record.windows
    ]


def _invalidated(score: Score, check: Check) -> Score:
    if score.formula in {ACCURACY_PER_PARAMETER, NETSCORE}:
        return score  # they rest on no energy
    return replace(score, verdict=Verdict.INVALID, checks=(*score.checks, check))
