"""Which host needs somebody, and what does each cost: all hosts over days."""

from typing import Final

from dashboards.board import dashboard, link_to
from dashboards.hosts import (
    TARGETS,
    energy_of_all,
    hosts_answering,
    hosts_silent,
    hosts_table,
    power_of_all,
)  # fmt: skip
from dashboards.live_host import runs_table
from dashboards.panels import (
    TELEMETRY,
    WIDTH,
    Closed,
    Panel,
    alarm,
    lines,
    shares,
    stat,
    states,
    tables,
    target,
    words,
)  # fmt: skip
from dashboards.power import host_lines
from dashboards.queries import HOST, TOTAL, energy, gauge, largest, reads, tag_values
from dashboards.spans import GAPS, SAMPLES, each
from dashboards.variables import query_variable, results_variable, telemetry_variable

WHOLE: Final = 0.98
UP: Final = [
    words({"0": ("not reached", "red"), "1": ("reached", "green")}),
    # The mean of a minute, in the one-minute values.
    {"type": "range", "options": {
        "from": 0.0, "to": 1.0,
        "result": {"text": "reached at times", "color": "orange", "index": 2},
    }},
]  # fmt: skip


def make() -> dict[str, object]:
    """The dashboard."""
    return dashboard(
        "fleet", "Wattmark: fleet", "Which host needs somebody, and what does each cost?",
        [
            [hosts_answering(), hosts_silent(), energy_of_all("Energy"), power_of_all(), _gappy(),
             _lost()],
            [hosts_table(width=WIDTH, height=10, whole=True)],
            [host_lines(HOST, width=WIDTH, height=10)],
            Closed("Targets: reached, lag, clock", [[_up(), _lag()], [_clock(), _gaps()]]),
            Closed("Collectors: spool, samples lost", [[_spool(), _losses()]]),
            Closed("Runs", [[runs_table(HOST)]]),
        ],
        [
            telemetry_variable(), results_variable(),
            query_variable("host", "Hosts", TELEMETRY, tag_values("energy", "host"), multi=True,
                           everything=True),
        ],
        links=[link_to("home", "Home"), link_to("live", "Live host"),
               link_to("ranking", "Ranking")],
        since="now-7d", refresh="5m",
    )  # fmt: skip


def _gappy() -> Panel:
    whole = f'floor("known" / {WHOLE})'  # 1 or 0, as no host is known for twice the time
    queries = each(GAPS, lambda span: (
        f'SELECT count("whole") - sum("whole") AS "hosts" FROM (SELECT {whole} AS "whole"'
        f' FROM ({energy(span, TOTAL, HOST, by=("host",))}))'
    ))  # fmt: skip
    return stat("Hosts with gaps", f"Of which the energy is known for less than {WHOLE:.0%} of the"
                " shown time.", "none", tables(queries), field="hosts", defaults=alarm(1),
                empty="Shown for two hours and more.")  # fmt: skip


def _lost() -> Panel:
    return stat("Samples lost", "That left an exporter's ring before the collector came, since each"
                " collector's start.", "short",
                tables([f'SELECT sum("lost") AS "lost" FROM ({TARGETS})']), field="lost",
                defaults=alarm(1), empty="The collector reported nothing in the last five"
                " minutes: is it running?")  # fmt: skip


def _up() -> Panel:
    queries = each(SAMPLES, lambda s: gauge("target", "up", ("host", "target"), s, function="min"))
    return states("Targets", "What the collector reached; orange where some scrapes of a minute"
                  " failed, red where all did, empty where nobody scraped.",
                  [target(query, "$tag_host $tag_target") for query in queries], UP, least="1m",
                  legend=True)  # fmt: skip


def _lag() -> Panel:
    query = largest("target", "lag_seconds", ("host", "target"))
    return lines("Lag", "Age of the newest sample that is in InfluxDB, at its worst.", "s",
                 [target(query, "$tag_host $tag_target")], least="1m")  # fmt: skip


def _clock() -> Panel:
    queries = each(
        SAMPLES, lambda s: gauge("target", "clock_offset_seconds", ("host", "target"), s)
    )
    return lines("Clock offset", "The target's clock less the collector's. Beyond 0.05 s windows"
                 " stamped elsewhere do not fit its samples: see to NTP.", "s",
                 [target(query, "$tag_host $tag_target") for query in queries],
                 defaults={"min": None}, least="1m")  # fmt: skip


def _gaps() -> Panel:
    queries = each(SAMPLES, lambda s: reads('1 - "taken" / "due"', ("host", "sensor"), s))
    return shares("Gaps", "Share of the reads due in each interval that were not taken. A host that"
                  " was off has no line.",
                  [target(query, "$tag_host $tag_sensor") for query in queries],
                  least="1m")  # fmt: skip


def _spool() -> Panel:
    query = largest("collector", "spool_bytes", ("host",))
    return lines("Spool", "What waits on the collectors' disks because InfluxDB was away.", "bytes",
                 [target(query, "$tag_host")], least="1m")  # fmt: skip


def _losses() -> Panel:
    rings = each(SAMPLES, lambda s: gauge("target", "lost", ("host", "target"), s, function="max"))
    spools = each(SAMPLES, lambda s: gauge("collector", "lost", ("host",), s, function="max"))
    return lines("Samples lost", "That left an exporter's ring before the collector came, or a full"
                 " spool; since the collector's start.", "short",
                 [*(target(query, "$tag_host $tag_target") for query in rings),
                  *(target(query, "spool of $tag_host") for query in spools)],
                 least="1m")  # fmt: skip
