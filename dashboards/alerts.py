"""Four alerts for Grafana: target down, collector lag, spool filling, sensor failed."""

from typing import Any, Final

import yaml

from dashboards.panels import Json
from dashboards.queries import field

SOURCE: Final = "wattmark-telemetry"
HEAD: Final = "# Made by `make dashboards` from dashboards/alerts.py. Do not edit.\n"
LAG_SECONDS: Final = 60
FULL_RATIO: Final = 0.8


def make() -> Json:
    """All rules, one group."""
    up, lag = field("target", "up"), field("target", "lag_seconds")
    held, limit = field("collector", "spool_bytes"), field("collector", "spool_limit_bytes")
    rules = [
        _rule("target-down", "Target down", _reached(up), "lt", 0.01, "1m",
              "{{ $labels.target }} of {{ $labels.host }} does not answer",
              "See the collector's log; start the exporter there, or take it out of targets.yml.",
              no_data="Alerting", seconds=3600),
        _rule("collector-lag", "Collector lag", _latest(f"last({lag})", "target",
              ("host", "target")), "gt", LAG_SECONDS, "2m",
              "samples of {{ $labels.host }} arrive over a minute late",
              "InfluxDB may be away or slow: see the log of the collector and its spool."),
        _rule("spool-filling", "Spool filling", _latest(f"last({held}) / last({limit})",
              "collector", ("host",)), "gt", FULL_RATIO, "5m",
              "the spool of {{ $labels.host }}'s collector is over 80 % full",
              "Bring InfluxDB back, or give the collector more with --spool-bytes: when it is full"
              " the oldest samples go."),
        _rule("sensor-failed", "Sensor failed", _latest(f"last({field('sensor', 'up')})",
              "sensor", ("host", "sensor")), "lt", 1, "1m",
              "sensor {{ $labels.sensor }} of {{ $labels.host }} has failed",
              "`wattmark sensors` there says why; runs that need it are not scored meanwhile."),
    ]  # fmt: skip
    group = {"orgId": 1, "name": "Wattmark", "folder": "Wattmark", "interval": "1m", "rules": rules}
    return {"apiVersion": 1, "groups": [group]}


def text() -> str:
    """The file for Grafana's provisioning."""
    return HEAD + str(yaml.safe_dump(make(), sort_keys=False, allow_unicode=True, width=100))


def _latest(value: str, measurement: str, tags: tuple[str, ...]) -> str:
    by = ", ".join(field(measurement, tag) for tag in tags)
    return f'SELECT {value} FROM "{measurement}" WHERE $timeFilter GROUP BY {by}'


def _reached(up: str) -> str:
    """Share of the last three minutes in which a scrape succeeded. A target whose collector fell
    silent counts as down, where the last value would still be 1, for as long as is looked back."""
    by = ", ".join(field("target", tag) for tag in ("host", "target"))
    return (
        f'SELECT moving_average(max({up}), 3) FROM "target" WHERE $timeFilter'
        f" GROUP BY time(1m), {by} fill(0)"
    )


def _rule(
    uid: str, title: str, query: str, comparison: str, limit: float, lasting: str, summary: str,
    remedy: str, *, no_data: str = "OK", seconds: int = 600,
) -> Json:  # fmt: skip
    def expression(ref: str, **model: Any) -> Json:
        return {
            "refId": ref, "datasourceUid": "__expr__", "relativeTimeRange": {"from": 0, "to": 0},
            "model": {"refId": ref, **model},
        }  # fmt: skip

    samples = {
        "refId": "A", "datasourceUid": SOURCE, "relativeTimeRange": {"from": seconds, "to": 0},
        "model": {"refId": "A", "rawQuery": True, "query": query, "resultFormat": "time_series",
                  "intervalMs": 1000, "maxDataPoints": 600},
    }  # fmt: skip
    condition = {"evaluator": {"type": comparison, "params": [limit]}}
    return {
        "uid": f"wattmark-{uid}", "title": title, "condition": "C", "for": lasting,
        "noDataState": no_data, "execErrState": "Error", "labels": {"wattmark": uid},
        "annotations": {"summary": summary, "description": remedy},
        "data": [
            samples, expression("B", type="reduce", reducer="last", expression="A"),
            expression("C", type="threshold", expression="B", conditions=[condition]),
        ],
    }  # fmt: skip
