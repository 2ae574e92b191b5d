"""Results of the lab's runs, and what Grafana shows of them, as the runner writes them."""

from collections.abc import Iterator, Sequence

from tools.pictures.demo.lab import RUNS, Run, S
from tools.pictures.demo.runs import host_of, power, record_of
from wattmark_core.results import ENERGY_SCORE, Score, Window
from wattmark_core.sample import make_tags
from wattmark_runner.records.model import RunRecord
from wattmark_runner.views.extras import score_extras
from wattmark_runner.views.isolines import isolines
from wattmark_runner.views.repeats import repeats
from wattmark_runner.views.run_points import checks
from wattmark_store import ViewPoint
from wattmark_store.influx_lines import InfluxPoint, score_point, window_point
from wattmark_store.influx_views import phase_points


def lines(end_s: int) -> Iterator[str]:
    """Windows, scores, and the points beside them, of all runs; lines of equal score."""
    records = [record_of(run, end_s) for run in RUNS]
    known = [s for record in records for s in record.scores if s.formula == ENERGY_SCORE]
    for run, record in zip(RUNS, records, strict=True):
        for window in record.windows:
            yield window_point(window).line()
            yield from (point.line() for point in phase_points(window))
            yield from _curve(run, window, end_s)
        yield from _scores(record, known)
    for workload, boundary in sorted({(s.workload, str(s.boundary)) for s in known}):
        of_both = [s for s in known if (s.workload, str(s.boundary)) == (workload, boundary)]
        owner = {"workload": workload, "boundary": boundary}
        yield from map(_line, isolines(owner, of_both))


def _scores(record: RunRecord, known: Sequence[Score]) -> Iterator[str]:
    same = [score for score in known if score.workload == record.request.workload]
    for score in record.scores:
        yield score_point(score, score_extras(record, score, same)).line()
        if score.formula == ENERGY_SCORE:
            yield from map(_line, checks(score))
            yield from map(_line, repeats(record, score))


def _curve(run: Run, window: Window, end_s: int) -> Iterator[str]:
    for meter in host_of(run).meters:
        tags = {"run_id": window.run_id, "host": run.host, "window_id": window.window_id,
                "phase": window.phase.value, "domain": meter.domain, "device": meter.device,
                "method": meter.method}  # fmt: skip
        for time_ns in range(window.start_ns, window.end_ns + 1, S):
            fields = {"watts": power(run, window, meter, end_s - time_ns / S),
                      "seconds": (time_ns - window.start_ns) / S}  # fmt: skip
            yield InfluxPoint("window_power", make_tags(tags), fields, time_ns).line()


def _line(point: ViewPoint) -> str:
    return InfluxPoint(point.measurement, point.tags, point.fields, point.time_ns).line()
