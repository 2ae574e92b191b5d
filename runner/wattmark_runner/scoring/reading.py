"""What scoring reads of samples: the only file that asks the store for those of a window.

A window is read once, in one call, or two where a counter is read more seldom than usual; what is
made of it are pure functions of that. Nothing is used that may still have been on its way when the
window was first read, so that a score is the same to the last digit whenever it is computed:
samples end where ``await_samples`` waits for them to end.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from wattmark_core.exporter_api import EnergySeries
from wattmark_core.results import Window
from wattmark_core.units import seconds_to_ns
from wattmark_runner.records.model import RunRecord
from wattmark_scoring.arrays import CounterData, GaugeData
from wattmark_scoring.window_data import NEIGHBOURS, CounterSamples, FieldSeries, WindowData
from wattmark_store import Selection, SeriesData, Store

MARGIN_SECONDS: Final = 5.0
"""How far outside a window samples are looked for: those of the machine come once a second."""
OWN_SECONDS: Final = 15.0
"""The same for CPU time of Wattmark's own programs: the collector's may come every 10 s."""
OUTSIDE_SECONDS: Final = 30.0
"""The same for a counter that has no sample nearer to an edge, or three reads of a slower one."""
LEAST_REACH_SECONDS: Final = 0.5
"""The load goes on for so long after a measured window."""


def read_windows(record: RunRecord, store: Store) -> dict[str, WindowData]:
    """All windows of a run, by their ids, with what was noted of them. Raises ``StoreError``."""
    gpus, facts = record.request.gpus, record.facts
    read = [read_window(store, window, record.series, gpus) for window in record.windows]
    return {
        data.window.window_id: replace(data, facts=facts.get(data.window.window_id, data.facts))
        for data in read
    }


def read_window(
    store: Store, window: Window, pinned: Sequence[EnergySeries], gpus: Sequence[str] = ()
) -> WindowData:
    """The window with every pinned counter; ``gpus``: UUIDs of those in use.

    Raises ``StoreError``.
    """
    counters = [_counter_selections(window, series) for series in pinned]
    others = list(_other_selections(window, gpus))
    flat = [selection for pair in counters for selection in pair]
    answers = store.select([*flat, *others])
    energies, powers = answers[: len(flat) : 2], answers[1 : len(flat) : 2]
    samples = [
        _samples(series, window, energy, power)
        for series, energy, power in zip(pinned, energies, powers, strict=True)
    ]
    return WindowData(
        window,
        _looked_further(store, window, samples),
        tuple(_field_series(data) for answer in answers[len(flat) :] for data in answer),
    )


def beyond_ns(series: EnergySeries) -> int:
    """How long after an edge the first sample comes that a sensor's energy needs: one that
    averages lags, by half of the time over which it does."""
    return seconds_to_ns(series.averaging_seconds / 2.0)


def reach_ns(series: EnergySeries) -> int:
    """How long after a window's end samples count: two more reads, whose power shows how sure the
    end's is. Within the guard, so the load goes on."""
    period = max(series.interval_seconds, series.update_period_seconds)
    return beyond_ns(series) + seconds_to_ns(max(LEAST_REACH_SECONDS, 2.0 * period))


def outside_seconds(series: EnergySeries) -> float:
    """How far outside a window a sample of the counter is looked for, s."""
    return max(OUTSIDE_SECONDS, 3.0 * max(series.interval_seconds, series.update_period_seconds))


def energy_tags(host: str, series: EnergySeries) -> dict[str, str]:
    """The tags of a counter's energy samples."""
    return {"host": host, **series.tags}


def power_tags(host: str, series: EnergySeries) -> dict[str, str]:
    """Of the power of the same sensor, which may be read with another method."""
    tags = energy_tags(host, series)
    return {name: tags[name] for name in ("host", "domain", "device", "source")}


def read_curves(
    record: RunRecord, windows: Sequence[Window], store: Store, points: int
) -> list[tuple[EnergySeries, SeriesData]]:
    """Every pinned counter over the time of ``windows``, a second more on either side, thinned to
    about ``points`` samples. Raises ``StoreError``."""
    if not windows:
        return []
    start_ns = min(window.start_ns for window in windows) - seconds_to_ns(1.0)
    end_ns = max(window.end_ns for window in windows) + seconds_to_ns(1.0)
    return [
        (series, data)
        for series in record.series
        for data in store.series(
            "energy", start_ns, end_ns, energy_tags(record.host, series), points=points
        )
    ]


def _around(measurement: str, window: Window, seconds: float, tags: Mapping[str, str]) -> Selection:
    margin_ns = seconds_to_ns(seconds)
    return Selection(measurement, window.start_ns - margin_ns, window.end_ns + margin_ns, tags)


def _counter_selections(window: Window, series: EnergySeries) -> tuple[Selection, Selection]:
    period = max(series.interval_seconds, series.update_period_seconds)
    most = outside_seconds(series)
    seconds = min(most, max(MARGIN_SECONDS, (NEIGHBOURS + 1) * period))
    return (
        _around("energy", window, seconds, energy_tags(window.host, series)),
        _around("power", window, seconds, power_tags(window.host, series)),
    )


def _other_selections(window: Window, gpus: Sequence[str]) -> Iterator[Selection]:
    host = {"host": window.host}
    yield _around("cpu", window, MARGIN_SECONDS, host)
    yield _around("memory", window, MARGIN_SECONDS, host)
    for gpu in gpus:
        yield _around("gpu", window, MARGIN_SECONDS, {**host, "device": gpu})
    yield _around("exporter", window, OWN_SECONDS, host)
    yield _around("collector", window, OWN_SECONDS, {})


def _looked_further(
    store: Store, window: Window, samples: Sequence[CounterSamples]
) -> tuple[CounterSamples, ...]:
    """Where a counter has no sample beyond an edge, one farther from it is looked for."""
    near = {counter.series: counter for counter in samples}
    far = [counter for counter in samples if not _bracketed(counter, window)]
    if far:
        answers = store.select([
            _around(
                "energy", window, outside_seconds(counter.series),
                energy_tags(window.host, counter.series),
            )
            for counter in far
        ])  # fmt: skip
        for counter, answer in zip(far, answers, strict=True):
            farther = _counter(counter.series, window, answer)
            near[counter.series] = replace(counter, counter=farther)
    return tuple(near.values())


def _bracketed(samples: CounterSamples, window: Window) -> bool:
    times, lag_ns = samples.counter.times_ns, beyond_ns(samples.series)
    return bool(
        len(times) and times[0] <= window.start_ns + lag_ns and times[-1] >= window.end_ns + lag_ns
    )


def _samples(
    series: EnergySeries, window: Window, energy: Sequence[SeriesData], power: Sequence[SeriesData]
) -> CounterSamples:
    watts = next(
        (
            GaugeData.of(data.times_ns, data.fields["watts"])
            for data in power
            if "watts" in data.fields
        ),
        None,
    )
    return CounterSamples(series, _counter(series, window, energy), watts)


def _counter(series: EnergySeries, window: Window, answer: Sequence[SeriesData]) -> CounterData:
    """The samples up to ``reach_ns`` beyond the end, or to the first beyond it if that is later."""
    counters = (CounterData.of_fields(data.times_ns, data.fields) for data in answer)
    counter = next(counters, CounterData.of([], [], [], []))
    after = counter.times_ns[counter.times_ns > window.end_ns + beyond_ns(series)]
    last_ns = window.end_ns + reach_ns(series)
    return counter.until(max(last_ns, int(after[0])) if len(after) else last_ns)


def _field_series(data: SeriesData) -> FieldSeries:
    fields = {name: GaugeData.of(data.times_ns, values) for name, values in data.fields.items()}
    return FieldSeries(data.measurement, data.tag, fields)
