"""All hosts at a glance over days, from the one-minute values."""

from typing import Final

from dashboards.board import dashboard
from dashboards.live_host import runs_table
from dashboards.panels import MINUTES, RESULTS, WIDTH, Json, Panel, lines, states, table, target
from dashboards.queries import HOST, gauge, host_power, largest, last_scores, reads, tag_values
from dashboards.ranking import score_columns
from dashboards.variables import (
    interval_variable,
    minutes_variable,
    query_variable,
    results_variable,
)  # fmt: skip

WHOLE: Final = f"{HOST} AND (\"domain\" = 'package' OR \"domain\" = 'dram' OR \"domain\" = 'gpu')"


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
            [runs_table(HOST)],
        ],
        [
            minutes_variable(),
            results_variable(),
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
    return states("Targets", "What the collector reached; orange where some scrapes of a"
                  " minute failed, red where all did, empty where nobody scraped.",
                  [target(query, "$tag_host $tag_target")], source=MINUTES)  # fmt: skip


def _lag() -> Panel:
    query = largest("target", "lag_seconds", ("host", "target"))
    return lines("Lag", "Age of the newest sample that is in InfluxDB, at its worst.", "s",
                 [target(query, "$tag_host $tag_target")], source=MINUTES)  # fmt: skip


def _clock() -> Panel:
    query = gauge("target", "clock_offset_seconds", ("host", "target"))
    return lines("Clock offset", "The target's clock less the collector's. Beyond 0.05 s windows"
                 " stamped elsewhere do not fit its samples: see to NTP.", "s",
                 [target(query, "$tag_host $tag_target")], source=MINUTES)  # fmt: skip


def _gaps() -> Panel:
    query = reads('1 - "taken" / "due"', ("host", "sensor"))
    return lines("Gaps", "Share of the reads due in each interval that were not taken. A host that"
                 " was off has no line.", "percentunit",
                 [target(query, "$tag_host $tag_sensor")], source=MINUTES)  # fmt: skip


def _spool() -> Panel:
    query = largest("collector", "spool_bytes", ("host",))
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
    names = ("low", "high", "accuracy", "joules_per_inference", "method", "verdict", "run_id")
    query = last_scores(names, HOST, by=("place", "workload", "variant", "boundary", "formula"))
    return table("Last scores", "The newest of each model on each host, with the same settings, in"
                 " the shown time, with boundary and method. Estimated and invalid ones are here"
                 " too, and called so.",
                 "none", [target(query, table=True)], source=RESULTS, height=9,
                 overrides=score_columns(),
                 empty="no score in this time: start a run on a runner's page")  # fmt: skip
