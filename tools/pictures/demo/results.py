"""Results of the lab's runs, and what Grafana shows of them, as lines."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from tools.pictures.demo.lab import HOSTS, RUNS, Run, S, watts
from wattmark_core.catalogue import Method
from wattmark_core.results import Boundary, Phase, Score, Verdict, Window
from wattmark_core.sample import make_tags
from wattmark_scoring.scores import ACCURACY_PER_PARAMETER, ENERGY_SCORE, NETSCORE
from wattmark_store.influx_lines import Point, score_point, window_point
from wattmark_store.influx_views import phase_points

JOULES_PER_MWH: Final = 3.6
REPEATS: Final = 5
CHECKS: Final = (
    ("steady", "valid", "0.8 %", "5 %", "Power within a repeat was even."),
    ("foreign CPU", "warned", "0.90 cores", "0.05 cores",
     "Other programs used the CPU in repeat 1, so that it cost 28 % more."),
    ("drift", "warned", "−3.1 %", "2 %", "Energy per inference fell over the repeats."),
    ("sensor", "valid", "0.05 %", "1 %", "The counter's step is small against a repeat's energy."),
    ("idle agreement", "valid", "1.2 %", "5 %", "Idle power before and after agreed."),
    ("throttling", "valid", "0 s", "0 s", "No clock was held down."),
    ("repeats", "valid", "5", "5", "As many repeats as a result needs."),
)  # fmt: skip


def lines(end_s: int) -> Iterator[str]:
    """Windows, scores, and the points beside them, of all runs; lines of equal score."""
    for run in RUNS:
        for window in _windows(run, end_s):
            yield window_point(window).line()
            yield from (point.line() for point in phase_points(window))
            yield from _curve(run, window, end_s)
        yield from _scores(run, end_s)
        yield from (point.line() for point in _checks(run, end_s))
        yield from (point.line() for point in _repeats(run, end_s))
    yield from _equal_scores()


def _windows(run: Run, end_s: int) -> Iterator[Window]:
    start = end_s - run.ago_s
    spans = [(Phase.IDLE, 0, 15), (Phase.WARMUP, 15, 20)]
    for n in range(REPEATS):
        begin = 20 + n * (run.seconds + 1)
        spans += [(Phase.INFERENCE, begin, begin + run.seconds),
                  (Phase.GUARD, begin + run.seconds, begin + run.seconds + 1)]  # fmt: skip
    spans.append((Phase.IDLE, run.length_s - 20, run.length_s - 5))
    for n, (phase, first, last) in enumerate(spans):
        works = phase is Phase.INFERENCE
        repeat = (n - 2) // 2 if works else 0
        count = round(run.seconds * 100 / run.joules) if works else None
        joules = (
            (count or 0) * run.joules * _factor(run, repeat) if works else 30.0 * (last - first)
        )
        yield Window(
            f"{run.run_id(end_s)}-{n}", run.host, phase, (start + first) * S, (start + last) * S,
            run.model if works else "", run.workload if works else "", run.run_id(end_s), repeat,
            inferences=count, correct=round((count or 0) * run.accuracy) if works else None,
            joules=joules, joules_low=joules * (1 - run.spread),
            joules_high=joules * (1 + run.spread),
            boundary=Boundary(run.boundary), method=Method(run.method),
        )  # fmt: skip


def _factor(run: Run, repeat: int) -> float:
    """What a repeat cost of the run's mean: in a warned run, the first cost more."""
    if run.verdict == "warned" and repeat == 0:
        return 1.28
    return 1.0 + 0.004 * (repeat - 2)


def _curve(run: Run, window: Window, end_s: int) -> Iterator[str]:
    host = next(each for each in HOSTS if each.name == run.host)
    for meter in host.meters:
        tags = {"run_id": run.run_id(end_s), "host": run.host, "window_id": window.window_id,
                "phase": window.phase.value, "domain": meter.domain, "device": meter.device,
                "method": meter.method}  # fmt: skip
        for time_ns in range(window.start_ns, window.end_ns + 1, S):
            fields = {"watts": watts(host, meter, end_s - time_ns / S),
                      "seconds": (time_ns - window.start_ns) / S}  # fmt: skip
            yield Point("window_power", make_tags(tags), fields, time_ns).line()


def _scores(run: Run, end_s: int) -> Iterator[str]:
    value = run.accuracy**2 / run.joules * JOULES_PER_MWH
    watts = 8.4 if run.method == "estimated" else 196.0
    score = Score(
        run.run_id(end_s), run.host, run.model, run.workload, Boundary(run.boundary), ENERGY_SCORE,
        (end_s - run.ago_s) * S, Method(run.method), Verdict(run.verdict), value,
        value * 0.9, value * 1.1, value * 0.85, value * 1.15, run.accuracy, run.joules,
        run.joules * (1 - run.spread / 2), run.joules * (1 + run.spread),
        watts, watts / run.joules, test_images=360, settings=run.settings, gpu=run.gpu,
        cpu_utilization_ratio=0.32, memory_used_bytes=4.2e10, parameters=2_223_720,
        gpu_utilization_ratio=0.9 if run.gpu else None,
        gpu_memory_used_bytes=2.1e10 if run.gpu else None,
    )  # fmt: skip
    if run.missing == "accuracy":
        score = replace(score, accuracy=None)
    if run.missing == "energy":
        score = _without_energy(score)
    point = score_point(_without_value(score) if run.missing or run.verdict == "invalid" else score)
    energy, accuracy, shown = run.texts
    start_ms, length_ms = (end_s - run.ago_s) * 1000, run.length_s * 1000
    more = {"energy_text": energy, "accuracy_text": accuracy, "score_text": shown,
            "findings": run.findings, "previous_text": run.previous, "main": 1,
            "from_ms": start_ms - length_ms // 20,
            "to_ms": start_ms + length_ms + length_ms // 20}  # fmt: skip
    held = {**point.fields, **{name: text for name, text in more.items() if text}}
    yield replace(point, fields=held).line()
    sized = replace(_without_energy(score), method=None)
    if score.accuracy is not None:
        for formula, size in ((NETSCORE, 51.0), (ACCURACY_PER_PARAMETER, 0.42)):
            whole = replace(sized, formula=formula, value=size, low=size, high=size)
            yield score_point(whole).line()


def _without_energy(score: Score) -> Score:
    return replace(
        score, joules_per_inference=None, joules_per_inference_low=None,
        joules_per_inference_high=None, watts=None, inferences_per_second=None,
    )  # fmt: skip


def _without_value(score: Score) -> Score:
    return replace(
        score, value=None, low=None, high=None, population_low=None, population_high=None
    )


def _checks(run: Run, end_s: int) -> Iterator[Point]:
    ranks = {"invalid": 0, "warned": 1, "valid": 2}
    for name, verdict, found, allowed, meaning in CHECKS:
        verdict = "valid" if run.verdict == "valid" else verdict
        fields: dict[str, bool | int | float | str] = {
            "verdict": verdict, "rank": ranks[verdict], "found": found, "allowed": allowed,
            "meaning": meaning,
        }  # fmt: skip
        tags = {"run_id": run.run_id(end_s), "host": run.host, "boundary": run.boundary,
                "check": name}  # fmt: skip
        yield Point("check", make_tags(tags), fields, (end_s - run.ago_s) * S)


def _repeats(run: Run, end_s: int) -> Iterator[Point]:
    variant = f"{run.model} {run.settings}".rstrip()
    tags = {"run_id": run.run_id(end_s), "host": run.host, "model": run.model,
            "workload": run.workload, "variant": variant, "boundary": run.boundary,
            "place": f"{run.host} {run.gpu[:12]}".rstrip(), "phase": "inference"}  # fmt: skip
    for window in _windows(run, end_s):
        if window.phase is not Phase.INFERENCE:
            continue
        factor = _factor(run, window.repeat)
        each = run.joules * factor
        fields: dict[str, bool | int | float | str] = {
            "repeat": window.repeat + 1, "joules_per_inference": each,
            "joules_per_inference_low": each * 0.98, "joules_per_inference_high": each * 1.02,
            "energy_text": f"{each * 1e3:.3g} ± {each * 2e1:.1g} mJ", "deviation_ratio": factor - 1,
            "watts": 196.0 * factor, "seconds": window.seconds,
            "inferences": int(window.inferences or 0), "start_ms": window.start_ns // 1_000_000,
            "end_ms": window.end_ns // 1_000_000,
        }  # fmt: skip
        if factor > 1.05:
            fields["outlier"] = f"outlier: {100 * (factor - 1):.0f} % above the median"
        yield Point("repeat", make_tags(tags), fields, window.start_ns)


def _equal_scores() -> Iterator[str]:
    """E = 3.6 J · a² / s, for the scores s that span each workload's."""
    lines_of: Mapping[tuple[str, str], tuple[int, ...]] = {
        ("digits", "host"): (300, 1000, 3000, 10_000), ("ilsvrc2012", "gpu"): (30, 100, 300),
        ("digits", "cpu"): (300, 1000, 3000, 10_000, 30_000, 100_000),
    }  # fmt: skip
    for (workload, boundary), scores in lines_of.items():
        for score in scores:
            estimated = score > 30_000
            tags = {"workload": workload, "boundary": boundary, "line": f"{score} /mWh",
                    "energy": "estimated" if estimated else "measured"}  # fmt: skip
            for n in range(12):
                accuracy = 0.70 + 0.30 * n / 11
                fields = {"accuracy": accuracy,
                          "joules_per_inference": JOULES_PER_MWH * accuracy**2 / score}  # fmt: skip
                yield Point("isoline", make_tags(tags), fields, n).line()
