"""The lab's runs as the runner keeps them: windows, checks and scores, made by the product's own
functions of what the lab draws."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from tools.pictures.demo.lab import HOSTS, IDLE_S, NETWORKS, WARMUP_S, Host, Meter, Run, S, drawn
from wattmark_core.catalogue import Domain, Method
from wattmark_core.exporter_api import EnergySeries
from wattmark_core.results import (
    ACCURACY_PER_PARAMETER,
    ENERGY_SCORE,
    NETSCORE,
    Boundary,
    Check,
    Phase,
    Score,
    Verdict,
    Window,
)
from wattmark_runner.records.model import RunRecord, RunRequest, RunState
from wattmark_scoring import checks, scores
from wattmark_scoring.boundary import BoundaryEnergy, boundary_energy, of_boundary
from wattmark_scoring.checks import (
    complete,
    counted,
    deviation,
    duration,
    exclusive,
    foreign_cpu,
    foreign_gpu_processes,
    idle,
    method,
    repeats,
    sampler_cost,
    steady,
    steal,
    throttling,
    warm_up,
)
from wattmark_scoring.energy import SeriesEnergy
from wattmark_scoring.interval import repeated
from wattmark_scoring.sampling import Spread

PERIODS: Final = {"nvml": 0.1, "rapl": 0.001, "estimate": 0.01}
"""Of a source's sensors, s."""


def host_of(run: Run) -> Host:
    """The host that a run was on."""
    return next(host for host in HOSTS if host.name == run.host)


def power(run: Run, window: Window, meter: Meter, ago_s: float) -> float:
    """What a device draws in a window of a run ``ago_s`` seconds before the end, W."""
    idle = window.phase is Phase.IDLE
    again = run.idle_ratio if idle and window.repeat else 1.0
    return again * drawn(meter, ago_s, None if idle else run.gpu)


def record_of(run: Run, end_s: int) -> RunRecord:
    """A run that was scored."""
    network = NETWORKS[run.model]
    request = RunRequest(network.workload, run.model, boundary=Boundary(run.boundary), gpu=run.gpu)
    record = RunRecord(
        run.run_id(end_s), request, RunState.DONE, run.host, "", "", 0, (end_s - run.ago_s) * S,
        series=tuple(_series(meter) for meter in host_of(run).meters),
        test_images=network.test_images, parameters=network.parameters, macs=network.macs,
        accuracy=None if run.missing == "accuracy" else network.accuracy,
    )  # fmt: skip
    energies = {window.window_id: _energy(run, window, end_s) for window in _windows(run, end_s)}
    record.windows = [
        _measured(run, window, energies[window.window_id]) for window in _windows(run, end_s)
    ]
    record.checks = _checks(run, record, energies)
    record.scores = tuple(_scores(run, record))
    return record


def _series(meter: Meter) -> EnergySeries:
    return EnergySeries(
        Domain(meter.domain), meter.device, meter.source, Method(meter.method),
        PERIODS[meter.source],
    )  # fmt: skip


def _windows(run: Run, end_s: int) -> list[Window]:
    """Two idle ones (numbers 0 and 1), a warm-up, and the repeats with a guard behind each."""
    first = IDLE_S + WARMUP_S
    spans = [(Phase.IDLE, 0, IDLE_S, 0), (Phase.WARMUP, IDLE_S, first, 0)]
    for repeat in range(len(run.factors)):
        begin = first + repeat * (run.seconds + 1)
        spans += [(Phase.INFERENCE, begin, begin + run.seconds, repeat),
                  (Phase.GUARD, begin + run.seconds, begin + run.seconds + 1, repeat)]  # fmt: skip
    spans.append((Phase.IDLE, run.length_s - IDLE_S, run.length_s, 1))
    run_id, start = run.run_id(end_s), end_s - run.ago_s
    return [
        Window(f"{run_id}-{n}", run.host, phase, (start + begin) * S, (start + end) * S,
               run.model if phase is Phase.INFERENCE else "",
               NETWORKS[run.model].workload if phase is Phase.INFERENCE else "", run_id, repeat,
               overlapping=run.shared)
        for n, (phase, begin, end, repeat) in enumerate(spans)
    ]  # fmt: skip


def _energy(run: Run, window: Window, end_s: int) -> BoundaryEnergy:
    """Within the run's boundary; a sensor that was away says nothing."""
    boundary = Boundary(run.boundary)
    meters = {_series(meter): meter for meter in host_of(run).meters}
    parts = []
    for series in of_boundary(list(meters), boundary, [run.gpu]):
        joules = sum(
            power(run, window, meters[series], end_s - at_ns / S)
            for at_ns in range(window.start_ns, window.end_ns, S)
        )
        away = run.missing == "energy" and series.domain is Domain.GPU
        parts.append(
            SeriesEnergy(series, None, False, "no samples: the sensor was away") if away else
            SeriesEnergy(series, joules, True, spread=Spread(0.001 * joules, 0.0))
        )  # fmt: skip
    return boundary_energy(boundary, parts)


def _measured(run: Run, window: Window, energy: BoundaryEnergy) -> Window:
    measured = replace(
        window, joules=energy.joules, joules_low=energy.low, joules_high=energy.high,
        boundary=energy.boundary, method=energy.method, complete=energy.complete,
    )  # fmt: skip
    if window.phase is not Phase.INFERENCE:
        return measured
    joules = run.joules * run.factors[window.repeat]
    inferences = round((energy.joules or run.seconds * 100.0) / joules)
    correct = round(inferences * NETWORKS[run.model].accuracy)
    counted = None if run.missing == "accuracy" else correct
    return replace(measured, inferences=inferences, correct=counted)


def _checks(run: Run, record: RunRecord, energies: dict[str, BoundaryEnergy]) -> tuple[Check, ...]:
    """Of the repeats, and of the run."""
    measured = _counted(record)
    before, after = (w for w in record.windows if w.phase is Phase.IDLE)
    series = of_boundary(record.series, Boundary(run.boundary), [run.gpu])
    per_window = []
    for window in measured:
        foreign = run.foreign_cores if window.repeat == 0 else 0.01
        per_window.append([
            duration.check(window.seconds, series),
            complete.check(energies[window.window_id]),
            method.check(energies[window.window_id]),
            exclusive.check(window.overlapping),
            steady.check(*_halves(window, energies[window.window_id])),
            foreign_cpu.check((0.9 + foreign) * window.seconds, 0.9 * window.seconds,
                               window.seconds),
            steal.check(0.0, window.seconds, host_of(run).cpus),
            sampler_cost.check(0.008 * window.seconds, window.seconds),
            *(throttling.check(dict.fromkeys((*throttling.REASONS, throttling.CAP), 0.0))
              if run.gpu else ()),
            *([foreign_gpu_processes.check(1.0)] if run.gpu else []),
            counted.check(window.inferences, window.correct),
        ])  # fmt: skip
    return (
        *checks.worst(per_window),
        warm_up.check(WARMUP_S),
        repeats.check(len(_costs(measured))),
        *deviation.check(_costs(measured)),
        *idle.check(before.seconds, after.seconds, _watts(before), _watts(after)),
    )


def _halves(window: Window, energy: BoundaryEnergy) -> tuple[float | None, float | None]:
    if energy.joules is None:
        return None, None
    mean = energy.joules / window.seconds
    return 0.998 * mean, 1.002 * mean


def _counted(record: RunRecord) -> list[Window]:
    return [window for window in record.windows if window.phase is Phase.INFERENCE]


def _costs(counted: Sequence[Window]) -> list[float]:
    return [
        window.joules / window.inferences
        for window in counted
        if window.joules and window.inferences
    ]


def _watts(window: Window) -> float | None:
    return None if window.joules is None else window.joules / window.seconds


def _scores(run: Run, record: RunRecord) -> list[Score]:
    """The energy score, and those of size where there is an accuracy."""
    counted, host = _counted(record), host_of(run)
    costs, accuracy = _costs(counted), record.accuracy
    seconds, inferences = (
        sum(window.seconds for window in counted), sum(cost.inferences or 0 for cost in counted)
    )  # fmt: skip
    blank = Score(
        record.run_id, run.host, run.model, record.request.workload, Boundary(run.boundary), "",
        record.started_ns, None, Verdict.VALID, None, None, None, accuracy=accuracy,
        parameters=record.parameters, macs=record.macs, settings=run.settings, gpu=run.gpu,
        test_images=record.test_images, inferences_per_second=inferences / seconds,
        cpu_utilization_ratio=0.32, memory_used_bytes=0.18 * host.memory_bytes,
        gpu_utilization_ratio=0.93 if run.gpu else None,
        gpu_memory_used_bytes=2.1e10 if run.gpu else None,
    )  # fmt: skip
    verdict = checks.verdict(record.checks) if costs else Verdict.INVALID
    energy = replace(blank, formula=ENERGY_SCORE, method=counted[0].method,
                     verdict=verdict, checks=record.checks)  # fmt: skip
    if costs:
        estimated = counted[0].method is Method.ESTIMATED
        cost = repeated(costs, [0.001], estimated_share=1.0 if estimated else 0.0)
        energy = replace(
            energy, joules_per_inference=cost.value, joules_per_inference_low=cost.low,
            joules_per_inference_high=cost.high,
            watts=sum(window.joules or 0.0 for window in counted) / seconds,
        )  # fmt: skip
        if accuracy is not None:
            value = scores.energy_score_interval(accuracy, cost)
            wider = scores.population_interval(value, accuracy, record.test_images or 0)
            energy = replace(
                energy, value=value.value, low=value.low, high=value.high,
                population_low=wider.low, population_high=wider.high,
            )  # fmt: skip
    if accuracy is None or not record.parameters or not record.macs:
        return [energy]
    sizes = {
        NETSCORE: scores.netscore(accuracy, record.parameters, record.macs),
        ACCURACY_PER_PARAMETER: scores.accuracy_per_parameter(accuracy, record.parameters),
    }
    plain = replace(blank, inferences_per_second=None)
    return [energy, *(replace(plain, formula=name, value=value, low=value, high=value)
                      for name, value in sizes.items())]  # fmt: skip
