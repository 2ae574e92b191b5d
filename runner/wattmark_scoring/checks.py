"""Is a window fit to be scored? Each check shows the measured value beside its limit.

VALID is a pass. Warned scores rank, marked; a failed check makes the score invalid. A value that
cannot be measured warns: an unknown is not a pass. Limits are those of ``docs/measuring.md``.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from wattmark_core.catalogue import Method
from wattmark_core.exporter_api import EnergySeries
from wattmark_core.results import Check, Verdict
from wattmark_scoring.arrays import CounterData, GaugeData
from wattmark_scoring.boundary import BoundaryEnergy

STRICT_SECONDS: Final = 60.0
LEAST_SECONDS: Final = 1.0
"""RAPL: with the energy filter (or SGX) on, differences below 1 s are noise (INTEL-SA-00389)."""
IDLE_SECONDS: Final = 30.0
BAD_THROTTLING: Final = ("hw_slowdown", "sw_thermal", "hw_thermal", "power_brake")


def _check(
    name: str,
    value: float | None,
    limit: float,
    unit: str,
    message: str,
    *,
    fail: float | None = None,
    at_least: bool = False,
) -> Check:
    """A limit and, beyond it, perhaps a fail level; ``at_least``: the value must reach them."""
    if value is None:
        return Check(name, Verdict.WARNED, None, limit, unit, f"{message}: not measurable here")
    sign = -1.0 if at_least else 1.0
    verdict = Verdict.VALID
    if sign * value > sign * limit:
        verdict = Verdict.WARNED
    if fail is not None and sign * value > sign * fail:
        verdict = Verdict.INVALID
    return Check(name, verdict, float(value), limit, unit, message)


def duration(seconds: float, series: Sequence[EnergySeries], *, strict: bool = False) -> Check:
    """Long enough for the slowest sensor: 100·T, fail below 20·T; at least 1 s."""
    period = max((each.update_period_seconds for each in series), default=0.0)
    limit = STRICT_SECONDS if strict else max(LEAST_SECONDS, 100.0 * period)
    fail = max(0.2 * LEAST_SECONDS, 20.0 * period)
    return _check("duration", seconds, limit, "s", "length of the window", fail=fail, at_least=True)


def energy(window: BoundaryEnergy) -> Check:
    """All counters of the boundary speak for the whole window, within one epoch each."""
    verdict = Verdict.VALID if window.complete else Verdict.INVALID
    message = window.reason or "every counter covers the window within one epoch"
    return Check("complete", verdict, window.joules, None, "J", message)


def method(window: BoundaryEnergy) -> Check:
    """Estimated energy is never better than warned."""
    estimated = window.method is Method.ESTIMATED
    verdict = Verdict.WARNED if estimated else Verdict.VALID
    text = "energy is estimated: relative only" if estimated else f"method {window.method}"
    return Check("method", verdict, None, None, "", text)


def overlap(overlapping: bool) -> Check:
    """Another window of the host shares the time: measured, but not attributable."""
    verdict = Verdict.INVALID if overlapping else Verdict.VALID
    text = "another window shares its time" if overlapping else "no other window shares its time"
    return Check("exclusive", verdict, float(overlapping), 0.0, "", text)


def clock(name: str) -> list[Check]:
    """Times that a client gave cannot be checked: its clock may be off, or its stamps late."""
    if name != "client":
        return []
    text = "the client gave the window's times; let the runner stamp them (open, then close)"
    return [Check("clock", Verdict.WARNED, None, None, "", text)]


def samples(series: EnergySeries, power: GaugeData | None, start_ns: int, end_ns: int) -> Check:
    """Integrated power needs ≥ 100 samples, fail below 30; counters need their edges only."""
    if series.method is not Method.INTEGRATED:
        return Check("samples", Verdict.VALID, None, None, "", "a counter needs its edges only")
    count = None if power is None else float(len(power.inside(start_ns, end_ns).values))
    message = f"power samples of {series.device}"
    return _check("samples", count, 100.0, "", message, fail=30.0, at_least=True)


def gap(series: EnergySeries, counter: CounterData, start_ns: int, end_ns: int) -> Check:
    """Largest gap between samples: 3 reads; for integrated power also 2 % of the window. Fails.

    A counter loses nothing between two reads, so the share of the window limits it not.
    """
    inside = counter.inside(start_ns, end_ns).times_ns
    times = np.concatenate(([start_ns], inside, [end_ns]))
    limit = 3.0 * max(series.interval_seconds, series.update_period_seconds)
    if series.method is Method.INTEGRATED:
        limit = min(limit, max(0.06, 0.02 * (end_ns - start_ns) / 1e9))
    value = float(np.diff(times).max()) / 1e9
    message = f"largest gap between samples of {series.domain} {series.device}"
    return _check("gap", value, limit, "s", message, fail=limit)


def edges(series: EnergySeries, counter: CounterData, start_ns: int, end_ns: int) -> Check:
    """A sample within two reads outside each edge."""
    before = counter.times_ns[counter.times_ns <= start_ns]
    after = counter.times_ns[counter.times_ns >= end_ns]
    value = None
    if len(before) and len(after):
        value = float(max(start_ns - before[-1], after[0] - end_ns)) / 1e9
    limit = 2.0 * max(series.interval_seconds, series.update_period_seconds)
    message = f"nearest sample outside the edges, {series.domain} {series.device}"
    return _check("edges", value, limit, "s", message)


def agreement(
    series: EnergySeries,
    joules: float | None,
    power: GaugeData | None,
    start_ns: int,
    end_ns: int,
) -> Check | None:
    """Counter against the integral of the sensor's own power: warn above 2 %, fail above 5 %.

    None where the sensor gives only one of the two.
    """
    if series.method is not Method.COUNTER or power is None or joules is None:
        return None
    inside = power.inside(start_ns, end_ns)
    first, last = power.at(start_ns), power.at(end_ns)
    if first is None or last is None or len(inside.values) < 10:
        return None
    seconds = (np.concatenate(([start_ns], inside.times_ns, [end_ns])) - start_ns) / 1e9
    watts = np.concatenate(([first], inside.values, [last]))
    integral = float(np.trapezoid(watts, seconds))
    value = abs(joules / integral - 1.0) if integral > 0 else None
    message = f"counter against integrated power, {series.device}"
    return _check("agreement", value, 0.02, "ratio", message, fail=0.05)


def plausible(series: EnergySeries, joules: float | None, seconds: float) -> Check:
    """More than nothing and at most 1.1 × the device's limit, else it fails."""
    message = f"mean power of {series.domain} {series.device}"
    if joules is None or joules <= 0.0:
        return Check("plausible", Verdict.INVALID, joules, 0.0, "W", f"{message}: no energy")
    watts = joules / seconds
    if series.limit_watts is None:
        return Check("plausible", Verdict.VALID, watts, None, "W", f"{message}; limit not known")
    limit = 1.1 * series.limit_watts
    return _check("plausible", watts, limit, "W", message, fail=limit)


def zero_samples(series: EnergySeries, power: GaugeData | None, start: int, end: int) -> Check:
    """A 0 W or negative power sample inside fails."""
    bad = 0 if power is None else int((power.inside(start, end).values <= 0.0).sum())
    message = f"power samples of 0 W or less, {series.device}"
    return _check("zero power", float(bad), 0.0, "", message, fail=0.0)


def steady(first_watts: float | None, second_watts: float | None) -> Check:
    """Mean power of the window's halves differs by ≤ 2 %."""
    value = None
    if first_watts is not None and second_watts is not None and first_watts + second_watts > 0:
        value = 2.0 * abs(first_watts - second_watts) / (first_watts + second_watts)
    return _check("steady", value, 0.02, "ratio", "mean power of the halves, difference")


def throttling(seconds_by_reason: dict[str, float | None]) -> list[Check]:
    """Heat, slowdown or brake fail; the power cap is recorded."""
    checks = [
        _check(f"throttled {reason}", seconds_by_reason[reason], 0.0, "s",
               f"GPU clock held down by {reason.replace('_', ' ')}", fail=0.0)
        for reason in BAD_THROTTLING
        if reason in seconds_by_reason
    ]  # fmt: skip
    cap = seconds_by_reason.get("power_cap")
    if cap is not None:
        text = "GPU at its power cap (recorded)"
        checks.append(Check("power cap", Verdict.VALID, cap, None, "s", text))
    return checks


def foreign_gpu_processes(processes: float | None) -> Check:
    """No process on the GPU but the worker."""
    value = None if processes is None else max(0.0, processes - 1.0)
    return _check("foreign GPU processes", value, 0.0, "", "other processes on the GPU")


def foreign_cpu(busy_seconds: float | None, own_seconds: float | None, seconds: float) -> Check:
    """CPU time of other programs: ≤ 5 % of one core."""
    value = None
    if busy_seconds is not None and own_seconds is not None:
        value = max(0.0, busy_seconds - own_seconds) / seconds
    return _check("foreign CPU", value, 0.05, "cores", "CPU time of other programs")


def steal(steal_seconds: float | None, seconds: float, cpus: float | None) -> Check:
    """Time taken by the hypervisor: ≤ 1 % of the CPUs' time."""
    value = None if steal_seconds is None or not cpus else steal_seconds / (seconds * cpus)
    return _check("steal", value, 0.01, "ratio", "CPU time taken by the hypervisor")


def own_cost(exporter_cpu_seconds: float | None, seconds: float) -> Check:
    """The exporter's own CPU time: ≤ 1 % of a core."""
    value = None if exporter_cpu_seconds is None else exporter_cpu_seconds / seconds
    return _check("sampler cost", value, 0.01, "cores", "CPU time of the exporter itself")


def coverage(series: EnergySeries, seconds: float, iterations: int | None) -> list[Check]:
    """Part-time sensors: ≥ 32 iterations, ≥ 5 s, and not in step with the sensor's period.

    In step: the iteration's period lies within 5 % of a multiple or a fraction (up to 10) of T.
    """
    if series.coverage_ratio >= 1.0:
        return []
    name, text = "coverage", f"{series.device} sees {series.coverage_ratio:.0%} of the time"
    checks = [_check(f"{name} length", seconds, 5.0, "s", text, at_least=True)]
    count = None if iterations is None else float(iterations)
    checks.append(_check(f"{name} iterations", count, 32.0, "", text, at_least=True))
    if iterations:
        ratio = seconds / iterations / series.update_period_seconds
        ratio = max(ratio, 1.0 / ratio)
        distance = abs(ratio - round(ratio)) / round(ratio) if ratio <= 10.5 else 1.0
        message = "distance of the iteration's period from a multiple or fraction of T"
        checks.append(_check(f"{name} step", distance, 0.05, "ratio", message, at_least=True))
    return checks


def counted(inferences: int | None, correct: int | None) -> Check:
    """The inferences counted are those whose predictions give the accuracy.

    Without an accuracy there is no score, and the energy is as good as ever.
    """
    if not inferences or (correct is not None and correct > inferences):
        text = "inferences and correct predictions were not both counted"
        return Check("counted", Verdict.INVALID, inferences, None, "", text)
    if correct is None:
        text = "correct predictions were not counted: energy without accuracy, and no score"
        return Check("counted", Verdict.WARNED, float(inferences), None, "", text)
    text = "accuracy comes from the predictions that were measured"
    return Check("counted", Verdict.VALID, float(inferences), None, "", text)


def warmup(seconds: float | None) -> Check:
    """Warm-up left out of the windows: ≥ 3 s."""
    return _check("warm-up", seconds, 3.0, "s", "warm-up before the first window", at_least=True)


def repeats(joules_per_inference: Sequence[float]) -> list[Check]:
    """≥ 3 repeats; mean |deviation| ≤ 2 %, largest ≤ 5 %, drift ≤ 2 %."""
    count = len(joules_per_inference)
    checks = [_check("repeats", float(count), 3.0, "", "measured windows", at_least=True)]
    if count < 2:
        return checks
    values = np.asarray(joules_per_inference) / float(np.mean(joules_per_inference))
    away = np.abs(values - 1.0)
    slope = float(np.polyfit(np.arange(count), values, 1)[0])
    text = "of energy per inference over the repeats"
    return [
        *checks,
        _check("deviation", float(away.mean()), 0.02, "ratio", f"mean deviation {text}"),
        _check("largest deviation", float(away.max()), 0.05, "ratio", f"largest deviation {text}"),
        _check("drift", abs(slope) * (count - 1), 0.02, "ratio", f"drift {text}"),
    ]


def idle(
    before_seconds: float | None,
    after_seconds: float | None,
    before_watts: float | None,
    after_watts: float | None,
) -> list[Check]:
    """Idle baselines of ≥ 30 s before and after that agree within 2 %."""
    shortest, difference = None, None
    if before_seconds is not None and after_seconds is not None:
        shortest = min(before_seconds, after_seconds)
    if before_watts is not None and after_watts is not None and before_watts + after_watts > 0:
        difference = 2.0 * abs(before_watts - after_watts) / (before_watts + after_watts)
    return [
        _check("idle length", shortest, IDLE_SECONDS, "s", "shorter idle baseline", at_least=True),
        _check("idle agreement", difference, 0.02, "ratio", "idle power before and after"),
    ]


def worst(per_window: Iterable[Sequence[Check]]) -> tuple[Check, ...]:
    """One check per name: the worst over all windows, its message naming the window (from 1)."""
    found: dict[str, Check] = {}
    for number, checks in enumerate(per_window, start=1):
        for check in checks:
            named = replace(check, message=f"{check.message} (window {number})")
            kept = found.get(check.name)
            if kept is None or _badness(check) > _badness(kept):
                found[check.name] = check if check.verdict is Verdict.VALID else named
    return tuple(found.values())


def verdict(checks: Iterable[Check]) -> Verdict:
    """The worst verdict of all checks."""
    return max((check.verdict for check in checks), key=_ORDER.index, default=Verdict.VALID)


_ORDER: Final = (Verdict.VALID, Verdict.WARNED, Verdict.INVALID)


def _badness(check: Check) -> tuple[int, float]:
    """Verdict first, then how far the value stands from its limit."""
    if check.value is None or not check.limit:
        return _ORDER.index(check.verdict), check.value or 0.0
    ratio = check.value / check.limit
    return _ORDER.index(check.verdict), max(ratio, 1.0 / ratio if ratio > 0 else 0.0)
