"""Measured windows whose power and CPU time a test sets, read at 10 Hz and once a second."""

from collections.abc import Callable, Mapping

from wattmark_core.catalogue import Domain, Method
from wattmark_core.exporter_api import EnergySeries
from wattmark_core.results import Boundary, Phase, Window
from wattmark_scoring.arrays import CounterData, GaugeData
from wattmark_scoring.measured import MeasuredWindow, energies, measure
from wattmark_scoring.window_data import CounterSamples, FieldSeries, WindowData

S = 1_000_000_000
MARGIN = 3.0
"""Samples begin so long before the window, which begins at 0 s, and end so long after it, s."""
Watts = Callable[[float], float]
GPU = EnergySeries(Domain.GPU, "GPU-1", "nvml", Method.COUNTER, 0.02)


def package(method: Method = Method.COUNTER) -> EnergySeries:
    """A package, measured or estimated."""
    source = "estimate" if method is Method.ESTIMATED else "rapl"
    return EnergySeries(Domain.PACKAGE, "socket0", source, method, 0.001)


def counter(series: EnergySeries, watts: Watts, seconds: float) -> CounterSamples:
    """Its joules; the power between two reads is that in their middle."""
    count = round((seconds + 2 * MARGIN) / 0.1)
    times = [0.1 * number - MARGIN for number in range(count + 1)]
    joules = [0.0]
    for time in times[:-1]:
        joules.append(joules[-1] + 0.1 * watts(time + 0.05))
    data = CounterData.of([at(t) for t in times], joules, [1] * len(times), [0.0] * len(times))
    return CounterSamples(series, data)


def at(seconds: float) -> int:
    """An instant, Unix ns."""
    return 1_700_000_000 * S + round(seconds * S)


def measured(
    watts: Watts | Mapping[EnergySeries, Watts],
    *,
    seconds: float = 10.0,
    boundary: Boundary = Boundary.CPU,
    own: float | None = 9.0,
    busy: Watts = lambda _: 1.0,
    stolen: float | None = 0.0,
    cpus: int = 4,
    inferences: int | None = 1000,
) -> MeasuredWindow:
    """A window from 0 to ``seconds``. ``busy``: cores in use at a time; ``own``: CPU seconds of the
    work; ``stolen``: cores that the hypervisor takes, None: it does not say."""
    window = Window("w", "h", Phase.INFERENCE, at(0.0), at(seconds), inferences=inferences,
                    cpu_seconds=own)  # fmt: skip
    powers = watts if isinstance(watts, Mapping) else {package(): watts}
    times = [float(second) - MARGIN for second in range(round(seconds + 2 * MARGIN) + 1)]
    total = [0.0]
    for time in times[:-1]:
        total.append(total[-1] + busy(time + 0.5))
    fields = {"busy_seconds": total, "cpus": [float(cpus)] * len(times)}
    if stolen is not None:
        fields["steal_seconds"] = [stolen * time for time in times]
    data = WindowData(
        window,
        tuple(counter(series, power, seconds) for series, power in powers.items()),
        (
            _series("cpu", times, fields),
            _series("exporter", times, {"cpu_seconds": [0.0] * len(times)}),
        ),
    )  # fmt: skip
    gpus = [series.device for series in powers if series.domain is Domain.GPU]
    return measure(data, energies(data), boundary, gpus=gpus)


def _series(measurement: str, times: list[float], fields: dict[str, list[float]]) -> FieldSeries:
    instants = [at(time) for time in times]
    return FieldSeries(
        measurement,
        {"host": "h"},
        {name: GaugeData.of(instants, values) for name, values in fields.items()},
    )
