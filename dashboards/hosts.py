"""All hosts in one table, and what they come to together."""

from typing import Final

from dashboards.columns import column, hidden, method_column, narrow, to_host
from dashboards.panels import (
    Json,
    Panel,
    alarm,
    joined,
    ordered,
    sorted_by,
    stat,
    table,
    tables,
    words,
)
from dashboards.power import COVERED, NO_POWER
from dashboards.queries import HOST, TOTAL, energy, latest, parts_missing, per_host, power_now
from dashboards.spans import SUMS, each

TARGETS: Final = latest(
    "target", {"up": "up", "lag": "lag_seconds", "clock": "clock_offset_seconds", "lost": "lost"},
    ("host", "target"),
)  # fmt: skip
SENSORS: Final = latest("sensor", {"up": "up"}, ("host", "sensor"))
FAILED_UP: Final = 'count("up") - sum("up")'
ANSWERS: Final = {"0": ("✗ silent", "red"), "1": ("✓ answers", "green")}
NO_TARGET: Final = "The collector reported no target in the last five minutes: is it running?"
NO_HOST: Final = "No host in this time: is an exporter running, and a target of the collector?"


def hosts_answering() -> Panel:
    """How many hosts answer."""
    query = f'SELECT sum("up") AS "hosts" FROM ({_up()})'
    return stat("Hosts that answer", "Of which every target was reached by the collector's last"
                " scrape.", "none", tables([query]), width=4, field="hosts",
                empty=NO_TARGET)  # fmt: skip


def hosts_silent() -> Panel:
    """How many hosts do not."""
    query = f'SELECT {FAILED_UP} AS "hosts" FROM ({_up()})'
    return stat("Hosts silent", "With a target that the collector's last scrape did not reach; the"
                " table says which.", "none", tables([query]), width=4, field="hosts",
                defaults=alarm(1), empty=NO_TARGET)  # fmt: skip


def power_of_all() -> Panel:
    """What all hosts draw now."""
    query = f'SELECT sum("now") AS "now" FROM ({power_now(HOST)})'
    return stat("Power now", "Of all hosts that reported in the last two minutes, the newest ten"
                " seconds of each." + COVERED, "watt", tables([query]), width=4, field="now",
                empty="No host reported in the last two minutes: the table says which"
                " answer.")  # fmt: skip


def energy_of_all(title: str) -> Panel:
    """What all hosts took in the shown time."""
    return stat(title, "What was not seen is missing." + COVERED, "watth",
                tables(each(SUMS, lambda span: energy(span, TOTAL, HOST))), width=4,
                field="watt_hours", empty=NO_POWER)  # fmt: skip


def hosts_table(*, width: int, height: int, whole: bool = False) -> Panel:
    """A row for each host, those in trouble first. ``whole``: with gaps, clock and losses."""
    seen = {"answers": 'min("up")', "lag": 'max("lag")'}
    more = {"clock": 'max("clock")', "lost": 'sum("lost")'} if whole else {}
    parts = each(SUMS, lambda span: parts_missing(span, TOTAL, HOST)) if whole else []
    queries = [
        per_host(TARGETS, {**seen, **more}),
        per_host(SENSORS, {"failed": FAILED_UP}),
        power_now(HOST),
        *each(SUMS, lambda span: energy(span, TOTAL, HOST, by=("host",))),
        *parts,
    ]
    order = ("host", "answers", "now", "method", "watts", "watt_hours", "known", "missing",
             "failed", "lag", "clock", "lost", "joules")  # fmt: skip
    return table(
        "Hosts", "Silent ones first; a host's name leads to it. Mean, energy and known are of the"
        " shown time. Counters missing: how many that were once heard of were not at some time, and"
        " are not in the total then." + COVERED, tables(queries), width=width, height=height,
        transformations=[
            *joined("host"), sorted_by("answers", down=False), ordered(*order),
        ],
        overrides=_columns(), empty=NO_HOST,
    )  # fmt: skip


def _columns() -> list[Json]:
    color = {"custom.cellOptions": {"type": "color-text"}}
    return [
        column("host", links=[to_host()], **narrow(150)),
        column("answers", "state", mappings=[words(ANSWERS)], **color, **narrow(100)),
        column("now", "now", unit="watt", **narrow(90)), method_column(**narrow(150)),
        column("watts", "mean", unit="watt", **narrow(90)),
        column("watt_hours", "energy", unit="watth", **narrow(100)),
        column("known", "known", unit="percentunit", decimals=1, **narrow(80)),
        column("missing", "counters missing", **alarm(1), **color, **narrow(135)),
        column("failed", "sensors failed", **alarm(1), **color, **narrow(120)),
        column("lag", "newest sample", unit="s", **narrow(120)),
        column("clock", "clock ahead", unit="s", **narrow(110)),
        column("lost", "samples lost", **alarm(1), **color, **narrow(110)),
        *hidden("joules"),
    ]  # fmt: skip


def _up() -> str:
    return per_host(TARGETS, {"up": 'min("up")'})
