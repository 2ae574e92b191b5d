"""What Grafana asks when a dashboard opens, as its own source has it."""

import pytest

from dashboards.grafana import Shown, expand, interval_of, queries
from dashboards.panels import Json

SHOWN = Shown(1_000, 3_601_000, {"host:regex": "(a|b)", "host": "a", "run_id": "r1"})


def test_macros_and_variables_are_filled_in() -> None:
    """In any of their spellings; a regular expression's end is none of them."""
    query = (
        'SELECT x FROM "power_1h".."power" WHERE $timeFilter AND "host" =~ /^${host:regex}$/ AND'
        " ${__to} - ${__from} < 3600001 AND r = '${run_id:raw}' GROUP BY time($__interval)"
    )
    assert expand(query, SHOWN, "10s") == (
        'SELECT x FROM "power_1h".."power" WHERE time >= 1000ms and time <= 3601000ms AND'
        " \"host\" =~ /^(a|b)$/ AND 3601000 - 1000 < 3600001 AND r = 'r1' GROUP BY time(10s)"
    )
    assert expand("${__interval_ms} $__interval_ms", SHOWN, "2m") == "120000 120000"


def test_a_variable_without_a_value_is_an_error() -> None:
    """And not asked as it stands."""
    with pytest.raises(KeyError, match="boundary"):
        expand("${boundary:raw}", SHOWN, "1s")


@pytest.mark.parametrize(
    ("days", "points", "least", "interval"),
    [
        (7, 300, "1m", "30m"), (30, 1600, "1m", "30m"), (730, 1600, "1m", "12h"),
        (1 / 24, 1600, "100ms", "2s"), (1 / 24, 1600, "10s", "10s"),
        (1 / 1440, 1600, "100ms", "100ms"),
        (730, 300, "1h", "1d"),
    ],
)  # fmt: skip
def test_intervals_are_rounded_as_grafana_rounds(
    days: float, points: int, least: str, interval: str
) -> None:
    """By the time that is shown, the width of the panel, and the shortest that it may be."""
    assert interval_of(round(days * 86_400_000), points, least) == interval


def panel(title: str, *, width: int = 24, **more: object) -> Json:
    """A panel with one query."""
    return {
        "title": title, "gridPos": {"w": width}, "datasource": {"uid": "${datasource}"},
        "targets": [{"query": f"SELECT {title} $__interval"}], **more,
    }  # fmt: skip


def test_a_collapsed_row_asks_nothing() -> None:
    """Until somebody opens it; nor does a target that is switched off."""
    board: Json = {
        "templating": {"list": []},
        "annotations": {"list": [
            {"name": "runs", "enable": True, "query": "note", "datasource": {"uid": "${results}"}},
            {"name": "built in", "enable": True, "type": "dashboard"},
        ]},
        "panels": [
            panel("a"),
            {"type": "row", "title": "open", "collapsed": False, "gridPos": {"w": 24}},
            panel("b", width=6, interval="10s"),
            panel("off", targets=[{"query": "off", "hide": True}]),
            {"type": "row", "title": "shut", "collapsed": True, "gridPos": {"w": 24},
             "panels": [panel("c")]},
        ],
    }  # fmt: skip
    found = list(queries(board, 3_600_000, {"${datasource}": "100ms"}))
    assert [(query.title, query.source, query.interval) for query in found] == [
        ("a", "${datasource}", "2s"), ("b", "${datasource}", "10s"),
        ("annotation runs", "${results}", "2s"),
    ]  # fmt: skip
