"""From stored samples to scores: reads what a run's windows need and hands it to the scoring."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from wattmark_core.catalogue import Method
from wattmark_core.exporter_api import EnergySeries
from wattmark_core.results import Boundary, Check, Phase, Score, Verdict, Window
from wattmark_core.units import seconds_to_ns
from wattmark_runner.records.model import RunRecord
from wattmark_runner.scoring.publishing import publish
from wattmark_runner.scoring.usage import usage
from wattmark_scoring import checks, scores
from wattmark_scoring.arrays import CounterData, GaugeData
from wattmark_scoring.boundary import BoundaryEnergy, boundary_energy, of_boundary
from wattmark_scoring.energy import SeriesEnergy, window_energy
from wattmark_scoring.formula import Formula
from wattmark_scoring.interval import Interval, repeated
from wattmark_store import SeriesData, Store

MARGIN_NS = seconds_to_ns(5.0)
"""How far outside a window samples are read for the checks."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one pinned counter says of one window."""

    energy: SeriesEnergy
    counter: CounterData
    power: GaugeData | None
    edges: SeriesData | None


@dataclass(frozen=True, slots=True)
class MeasuredWindow:
    """A window, its energy within one boundary, and the checks that concern it alone."""

    window: Window
    energy: BoundaryEnergy
    checks: tuple[Check, ...]


def read_window(window: Window, series: Sequence[EnergySeries], store: Store) -> list[Reading]:
    """Every counter's energy over the window. Raises ``StoreError``."""
    return [_reading(window, each, store) for each in series]


def measure_window(
    window: Window,
    readings: Sequence[Reading],
    store: Store,
    boundary: Boundary,
    *,
    gpus: Sequence[str] = (),
    iterations: int | None = None,
) -> MeasuredWindow:
    """The window within a boundary, with its checks; ``gpus`` are UUIDs, ``iterations`` batches."""
    wanted = of_boundary([reading.energy.series for reading in readings], boundary, gpus)
    parts = [reading for reading in readings if reading.energy.series in wanted]
    energy = boundary_energy(boundary, [part.energy for part in parts])
    found = [
        checks.duration(window.seconds, wanted),
        checks.energy(energy),
        checks.method(energy),
        checks.overlap(window.overlapping),
        *checks.clock(window.clock),
        *(check for part in parts for check in _series_checks(window, part, iterations)),
        *_host_checks(window, store),
        *(check for gpu in gpus for check in _gpu_checks(window, gpu, store)),
    ]
    measured = replace(
        window,
        joules=energy.joules,
        joules_low=energy.low,
        joules_high=energy.high,
        boundary=boundary,
        method=energy.method,
        complete=energy.complete,
    )
    return MeasuredWindow(measured, energy, tuple(found))


def score_run(record: RunRecord, store: Store, formulas: Sequence[Formula] = ()) -> RunRecord:
    """Measure every window of the run and score it in each boundary that has a counter.

    Writes windows and scores into the store and into the record, which is returned and is
    ``published`` if the store has them all. The record's windows and checks are those of the
    boundary that the request names. ``formulas`` are scores of the owner's own, in each boundary
    too. Raises ``StoreError``.
    """
    record.usage = usage(record.windows, record.request.gpu, store)
    record.formulas = {formula.name: formula.text for formula in formulas}
    gpus = [record.request.gpu] if record.request.gpu else []
    readings = {w.window_id: read_window(w, record.series, store) for w in record.windows}
    record.edges = {
        name: [_edges_json(each.edges) for each in found if each.edges]
        for name, found in readings.items()
    }
    main = record.request.main_boundary
    all_scores: list[Score] = []
    for boundary in _boundaries(record, main):
        measured = [
            measure_window(
                window, readings[window.window_id], store, boundary,
                gpus=gpus, iterations=_iterations(record, window),
            )
            for window in record.windows
        ]  # fmt: skip
        found = _run_checks(measured)
        if boundary is main:
            record.windows = [each.window for each in measured]
            record.checks = found
        score = _energy_score(record, boundary, measured, found)
        all_scores += [score, *(_formula_score(score, formula) for formula in formulas)]
        all_scores += _size_scores(record, boundary)
    record.scores = tuple(all_scores)
    record.published = publish(record, store)
    return record


def _boundaries(record: RunRecord, main: Boundary) -> list[Boundary]:
    """The main one, and every other that has counters of its own; without a GPU host is cpu.

    A run on a GPU is scored within ``cpu`` only if that is asked for: beside networks that ran on
    the CPU it would look as if its GPU were free.
    """
    gpu, found = record.request.gpu, {main}
    if not gpu and of_boundary(record.series, Boundary.CPU):
        found |= {Boundary.CPU}
    if gpu and of_boundary(record.series, Boundary.GPU, [gpu]):
        found |= {Boundary.GPU, Boundary.HOST}
    return [boundary for boundary in Boundary if boundary in found]


def _reading(window: Window, series: EnergySeries, store: Store) -> Reading:
    tags = {"host": window.host, **series.tags}
    start, end = window.start_ns, window.end_ns
    around = (start - MARGIN_NS, end + MARGIN_NS)
    edges = next(iter(store.edges("energy", start, end, tags)), None)
    every = next(iter(store.series("energy", *around, tags)), None)
    # Power may be read with another method than the energy beside it.
    place = {name: tags[name] for name in ("host", "domain", "device", "source")}
    watts = next(iter(store.series("power", *around, place)), None)
    power = None if watts is None else GaugeData.of(watts.times_ns, _column(watts, "watts"))
    interior = _counter(every)
    needs_interior = series.coverage_ratio < 1.0 or series.method is Method.INTEGRATED
    counter = interior if needs_interior else _counter(edges)
    return Reading(window_energy(series, counter, start, end, power), interior, power, edges)


def _counter(data: SeriesData | None) -> CounterData:
    if data is None:
        return CounterData.of([], [], [], [])
    epochs = [None if epoch is None else int(epoch) for epoch in _column(data, "epoch")]
    return CounterData.of(
        data.times_ns, _column(data, "joules"), epochs, _column(data, "uncertainty_seconds")
    )


def _column(data: SeriesData, name: str) -> Sequence[float | None]:
    """A field's values; None for each where the store holds none."""
    return data.fields.get(name, [None] * len(data.times_ns))


def _series_checks(window: Window, part: Reading, iterations: int | None) -> list[Check]:
    series, start, end = part.energy.series, window.start_ns, window.end_ns
    joules = part.energy.joules
    agreement = checks.agreement(series, joules, part.power, start, end)
    return [
        checks.samples(series, part.power, start, end),
        checks.gap(series, part.counter, start, end),
        checks.edges(series, part.counter, start, end),
        *([agreement] if agreement else []),
        checks.plausible(series, joules, window.seconds),
        checks.zero_samples(series, part.power, start, end),
        checks.steady(*_halves(window, part)),
        *checks.coverage(series, window.seconds, iterations),
    ]


def _halves(window: Window, part: Reading) -> tuple[float | None, float | None]:
    """Mean power of the window's halves, W."""
    middle = (window.start_ns + window.end_ns) // 2
    series, counter, power = part.energy.series, part.counter, part.power
    first = window_energy(series, counter, window.start_ns, middle, power)
    second = window_energy(series, counter, middle, window.end_ns, power)
    if first.joules is None or second.joules is None:
        return None, None
    if not (first.complete and second.complete):
        return None, None
    return 2.0 * first.joules / window.seconds, 2.0 * second.joules / window.seconds


def _host_checks(window: Window, store: Store) -> list[Check]:
    busy = _gauge(window, store, "cpu", "busy_seconds")
    stolen = _gauge(window, store, "cpu", "steal_seconds")
    cpus = _gauge(window, store, "cpu", "cpus")
    exporter = _gauge(window, store, "exporter", "cpu_seconds")
    sampler = _growth(exporter, window)
    own = None
    if window.cpu_seconds is not None and sampler is not None:
        own = window.cpu_seconds + sampler
    count = cpus.at(window.start_ns) if cpus else None
    return [
        checks.foreign_cpu(_growth(busy, window), own, window.seconds),
        checks.steal(_growth(stolen, window), window.seconds, count),
        checks.own_cost(sampler, window.seconds),
    ]


def _gpu_checks(window: Window, gpu: str, store: Store) -> list[Check]:
    reasons = (*checks.BAD_THROTTLING, "power_cap")
    throttled = {
        reason: _growth(_gauge(window, store, "gpu", f"throttled_{reason}_seconds", gpu), window)
        for reason in reasons
    }
    processes = _gauge(window, store, "gpu", "processes", gpu)
    most = None
    if processes is not None:
        inside = processes.inside(window.start_ns, window.end_ns).values
        most = float(inside.max()) if len(inside) else None
    return [*checks.throttling(throttled), checks.foreign_gpu_processes(most)]


def _gauge(
    window: Window, store: Store, measurement: str, field: str, device: str = ""
) -> GaugeData | None:
    tags = {"host": window.host} | ({"device": device} if device else {})
    around = (window.start_ns - MARGIN_NS, window.end_ns + MARGIN_NS)
    for data in store.series(measurement, *around, tags):
        if field in data.fields:
            return GaugeData.of(data.times_ns, data.fields[field])
    return None


def _growth(gauge: GaugeData | None, window: Window) -> float | None:
    return None if gauge is None else gauge.growth(window.start_ns, window.end_ns)


def _iterations(record: RunRecord, window: Window) -> int | None:
    if window.inferences is None or not record.request.batch_size:
        return None
    return -(-window.inferences // record.request.batch_size)


def _of_phase(measured: Sequence[MeasuredWindow], phase: Phase) -> list[MeasuredWindow]:
    return [each for each in measured if each.window.phase is phase]


def _run_checks(measured: Sequence[MeasuredWindow]) -> tuple[Check, ...]:
    """Checks of the measured windows, the worst of each, and those of the run as a whole."""
    counted = _of_phase(measured, Phase.INFERENCE)
    warm = _of_phase(measured, Phase.WARMUP)
    before, after = _baselines(measured)
    per_window = [
        (*each.checks, checks.counted(each.window.inferences, each.window.correct))
        for each in counted
    ]
    return (
        *checks.worst(per_window),
        checks.warmup(sum(w.window.seconds for w in warm) if warm else None),
        *checks.repeats(_joules_per_inference(counted)),
        *checks.idle(
            before.window.seconds if before else None,
            after.window.seconds if after else None,
            _watts(before),
            _watts(after),
        ),
    )


def _baselines(
    measured: Sequence[MeasuredWindow],
) -> tuple[MeasuredWindow | None, MeasuredWindow | None]:
    """The idle windows before the first and after the last measured window.

    The nearest that are long enough for a baseline, else the nearest.
    """
    counted = _of_phase(measured, Phase.INFERENCE)
    if not counted:
        return None, None
    first = min(each.window.start_ns for each in counted)
    last = max(each.window.end_ns for each in counted)
    idle = sorted(_of_phase(measured, Phase.IDLE), key=lambda each: each.window.start_ns)
    before = [each for each in idle if each.window.end_ns <= first]
    after = [each for each in idle if each.window.start_ns >= last]
    return _baseline(before[::-1]), _baseline(after)


def _baseline(nearest_first: Sequence[MeasuredWindow]) -> MeasuredWindow | None:
    long = (w for w in nearest_first if w.window.seconds >= checks.IDLE_SECONDS)
    return next(long, next(iter(nearest_first), None))


def _watts(measured: MeasuredWindow | None) -> float | None:
    """Mean power of an idle window, W; None if it is not whole or shares its time with work."""
    if measured is None or measured.energy.joules is None:
        return None
    if not measured.energy.complete or measured.window.overlapping:
        return None
    return measured.energy.joules / measured.window.seconds


def _joules_per_inference(counted: Sequence[MeasuredWindow]) -> list[float]:
    return [
        each.energy.joules / each.window.inferences
        for each in counted
        if each.energy.joules and each.energy.complete and each.window.inferences
    ]


def _energy_score(
    record: RunRecord,
    boundary: Boundary,
    measured: Sequence[MeasuredWindow],
    found: tuple[Check, ...],
) -> Score:
    counted = _of_phase(measured, Phase.INFERENCE)
    per_inference = _joules_per_inference(counted)
    blank = _blank_score(record, boundary, scores.ENERGY_SCORE, counted, found)
    if not counted or len(per_inference) < len(counted):
        return replace(blank, verdict=Verdict.INVALID)  # never scored as if whole
    energy = _energy_interval(counted, per_inference)
    score = replace(
        blank,
        joules_per_inference=energy.value,
        joules_per_inference_low=energy.low,
        joules_per_inference_high=energy.high,
        net_joules_per_inference=_net(measured, counted),
    )
    if record.accuracy is None:
        return score
    value = scores.energy_score_interval(record.accuracy, energy)
    score = replace(score, value=value.value, low=value.low, high=value.high)
    if not record.test_images:  # not known of windows from elsewhere
        return score
    population = scores.population_interval(value, record.accuracy, record.test_images)
    return replace(score, population_low=population.low, population_high=population.high)


def _formula_score(energy: Score, formula: Formula) -> Score:
    """A formula over all that the energy score of the same boundary holds."""
    value, low, high = formula.evaluate(energy)
    return replace(
        energy,
        formula=formula.name,
        verdict=Verdict.INVALID if value is None else energy.verdict,
        value=value,
        low=low,
        high=high,
        population_low=None,
        population_high=None,
    )


def _energy_interval(counted: Sequence[MeasuredWindow], values: Sequence[float]) -> Interval:
    energies = [each.energy for each in counted]
    estimated = any(energy.method is Method.ESTIMATED for energy in energies)
    return repeated(
        values,
        [e.random_joules / e.joules for e in energies if e.joules],
        [e.alias_joules / e.joules for e in energies if e.joules],
        estimated_share=1.0 if estimated else 0.0,
    )


def _blank_score(
    record: RunRecord,
    boundary: Boundary,
    formula: str,
    counted: Sequence[MeasuredWindow],
    found: tuple[Check, ...],
) -> Score:
    """A score without value: everything that holds whatever the formula says."""
    seconds = sum(each.window.seconds for each in counted)
    inferences = sum(each.window.inferences or 0 for each in counted)
    joules = [each.energy.joules for each in counted if each.energy.complete]
    whole = [value for value in joules if value is not None]
    cpu = [each.window.cpu_seconds for each in counted]
    own = [value for value in cpu if value is not None]
    return Score(
        run_id=record.run_id,
        host=record.host,
        model=record.request.model,
        workload=record.request.workload,
        boundary=boundary,
        formula=formula,
        time_ns=record.started_ns,
        method=counted[0].energy.method if counted else None,
        verdict=checks.verdict(found),
        value=None,
        low=None,
        high=None,
        accuracy=record.accuracy,
        watts=sum(whole) / seconds if counted and len(whole) == len(counted) else None,
        inferences_per_second=inferences / seconds if inferences and seconds else None,
        cpu_seconds_per_inference=(
            sum(own) / inferences if inferences and len(own) == len(counted) else None
        ),
        parameters=record.parameters,
        macs=record.macs,
        checks=found,
        settings=record.settings,
        gpu=record.request.gpu,
        test_images=record.test_images,
        **record.usage,
    )


def _net(measured: Sequence[MeasuredWindow], counted: Sequence[MeasuredWindow]) -> float | None:
    """Joules per inference above the idle baselines; None without both baselines."""
    idle = [_watts(each) for each in _baselines(measured)]
    if idle[0] is None or idle[1] is None:
        return None
    baseline = (idle[0] + idle[1]) / 2.0
    net = [(e.energy.joules or 0.0) - baseline * e.window.seconds for e in counted]
    return sum(net) / sum(each.window.inferences or 0 for each in counted)


def _size_scores(record: RunRecord, boundary: Boundary) -> list[Score]:
    """The paper's two scores that need no energy: the same in every boundary."""
    accuracy, parameters, macs = record.accuracy, record.parameters, record.macs
    if accuracy is None or not parameters:
        return []
    blank = _blank_score(record, boundary, "", [], ())
    values = {scores.ACCURACY_PER_PARAMETER: scores.accuracy_per_parameter(accuracy, parameters)}
    if macs and accuracy > 0:
        values[scores.NETSCORE] = scores.netscore(accuracy, parameters, macs)
    return [
        replace(blank, formula=name, value=value, low=value, high=value)
        for name, value in values.items()
    ]


def _edges_json(edges: SeriesData) -> dict[str, object]:
    return {
        "tags": dict(edges.tags),
        "times_ns": list(edges.times_ns),
        "fields": {name: list(values) for name, values in edges.fields.items()},
    }
