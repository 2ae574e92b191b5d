"""All hosts at a glance over days, from the one-minute values."""

from dashboards.panels import (
    MINUTES,
    RESULTS,
    WIDTH,
    Json,
    Panel,
    column,
    dashboard,
    interval_variable,
    lines,
    query_variable,
    source_variable,
    states,
    table,
    target,
)  # fmt: skip
from dashboards.queries import (
    HOST,
    field,
    gauge,
    host_power,
    last_scores,
    results,
    tag_values,
)  # fmt: skip
from dashboards.ranking import MERGE, RUN_LINK

WHOLE = f"{HOST} AND (\"domain\" = 'package' OR \"domain\" = 'dram' OR \"domain\" = 'gpu')"


def make() -> Json:
    """The dashboard."""
    return dashboard(
        "wattmark-fleet", "Wattmark: fleet", "All hosts over days: power, scores, lag, gaps.",
        [
            [_power()],
            [_up(), _lag()],
            [_clock(), _gaps()],
            [_spool(), _lost()],
            [_last_scores()],
            [_runs()],
        ],
        [
            source_variable(MINUTES, "One-minute samples", "telemetry 1m"),
            source_variable(RESULTS, "Results", "results"),
            query_variable("host", "Hosts", MINUTES, tag_values("energy", "host"), multi=True,
                           everything=True),
            interval_variable("1m"),
        ],
        since="now-7d", refresh="1m",
    )  # fmt: skip


def _power() -> Panel:
    return lines(
        "Power of each host", "Package, dram and GPU by source; devices are added, sources never:"
        " where two see the same device, the first of nvml, dcgm, rapl, node_exporter counts in"
        " scores. Estimated power says so in its name.", "watt",
        [target(host_power(WHOLE), "$tag_host $tag_domain ($tag_source, $tag_method)")],
        source=MINUTES, width=WIDTH, height=10,
    )  # fmt: skip


def _up() -> Panel:
    query = gauge("target", "up", ("host", "target"), function="min")
    return states("Targets", "What the collector reached; red in a minute in which one scrape"
                  " failed.", [target(query, "$tag_host $tag_target")], source=MINUTES)  # fmt: skip


def _lag() -> Panel:
    query = gauge("target", "lag_seconds", ("host", "target"), function="max")
    return lines("Lag", "Age of the newest sample that is in InfluxDB.", "s",
                 [target(query, "$tag_host $tag_target")], source=MINUTES)  # fmt: skip


def _clock() -> Panel:
    query = gauge("target", "clock_offset_seconds", ("host", "target"))
    return lines("Clock offset", "The target's clock less the collector's. Beyond 0.05 s windows"
                 " stamped elsewhere do not fit its samples: see to NTP.", "s",
                 [target(query, "$tag_host $tag_target")], source=MINUTES)  # fmt: skip


def _gaps() -> Panel:
    query = (
        f"SELECT 1 - last({field('sensor', 'taken')}) / last({field('sensor', 'due')})"
        f' FROM "sensor" WHERE $timeFilter AND {HOST} GROUP BY time($interval),'
        f" {field('sensor', 'host')}, {field('sensor', 'sensor')} fill(none)"
    )
    return lines("Gaps", "Share of the reads due not taken, since the exporter's start.",
                 "percentunit", [target(query, "$tag_host $tag_sensor")],
                 source=MINUTES)  # fmt: skip


def _spool() -> Panel:
    query = gauge("collector", "spool_bytes", ("host",), function="max")
    return lines("Spool", "What waits on the collectors' disks because InfluxDB was away.", "bytes",
                 [target(query, "$tag_host")], source=MINUTES)  # fmt: skip


def _lost() -> Panel:
    rings = gauge("target", "lost", ("host", "target"), function="max")
    spools = gauge("collector", "lost", ("host",), function="max")
    return lines("Samples lost", "That left an exporter's ring before the collector came, or a full"
                 " spool; since the collector's start.", "short",
                 [target(rings, "$tag_host $tag_target"),
                  target(spools, "spool of $tag_host", ref="B")], source=MINUTES)  # fmt: skip


def _last_scores() -> Panel:
    names = ("value", "low", "high", "accuracy", "joules_per_inference", "method", "verdict")
    query = last_scores(names, HOST, by=("host", "workload", "model", "boundary", "formula",
                                         "run_id"))  # fmt: skip
    return table("Last scores", "The newest of each model on each host in the shown time, with"
                 " boundary and method. Estimated and invalid ones are here too, and called so.",
                 "none", [target(query, table=True)], source=RESULTS, height=9,
                 transformations=[MERGE],
                 overrides=[column("run_id", links=[RUN_LINK]),
                            column("accuracy", unit="percentunit"),
                            column("joules_per_inference", unit="joule")],
                 empty="no run in this time: start one on a runner's page")  # fmt: skip


def _runs() -> Panel:
    names = ("start_ms", "end_ms", "host", "run_id", "model", "workload", "joules", "method",
             "boundary")  # fmt: skip
    link = {**RUN_LINK, "url": f"{RUN_LINK['url']}&from=${{__data.fields.start_ms}}"
            "&to=${__data.fields.end_ms}"}  # fmt: skip
    return table("Measured windows", "Inference of all hosts in the shown time.", "none",
                 [target(results("window", names, HOST, "\"phase\" = 'inference'"), table=True)],
                 source=RESULTS, height=9,
                 overrides=[column("run_id", links=[link]), column("joules", unit="joule"),
                            column("start_ms", unit="dateTimeAsIso"),
                            column("end_ms", unit="dateTimeAsIso")],
                 empty="no run in this time: start one on a runner's page")  # fmt: skip
