"""What is chosen at the top of a dashboard: data sources, hosts, runs, intervals."""

from dashboards.panels import MINUTES, RESULTS, TELEMETRY, Json


def source_variable(name: str, label: str, ending: str, database: str) -> Json:
    """Which data source: one whose name ends so, at first the stack's own of a database."""
    own = {"text": f"Wattmark {database.replace('_', ' ')}",
           "value": f"wattmark-{database.replace('_', '-')}"}  # fmt: skip
    return {
        "name": name, "label": label, "type": "datasource", "query": "influxdb",
        "regex": f"/{ending}$/i", "refresh": 1, "hide": 0, "multi": False, "includeAll": False,
        "options": [], "current": own,
    }  # fmt: skip


def samples_variable() -> Json:
    """Raw samples or one-minute values."""
    return source_variable(
        TELEMETRY, "Samples (1m: for over 6 hours)", "telemetry( 1m)?", "telemetry"
    )


def minutes_variable() -> Json:
    """One-minute values."""
    return source_variable(MINUTES, "One-minute samples", "telemetry 1m", "telemetry_1m")


def results_variable() -> Json:
    """Windows and scores."""
    return source_variable(RESULTS, "Results", "results", "results")


def query_variable(
    name: str, label: str, source: str, query: str, *, multi: bool = False,
    everything: bool = False, hide: bool = False, newest_first: bool = False,
) -> Json:  # fmt: skip
    """Its values come from the database, anew when the time changes. ``newest_first``: of names
    that begin with a date."""
    made: Json = {
        "name": name, "label": label, "type": "query", "query": query, "definition": query,
        "datasource": {"type": "influxdb", "uid": f"${{{source}}}"}, "refresh": 2,
        "sort": 2 if newest_first else 1, "hide": 2 if hide else 0, "multi": multi,
        "includeAll": everything, "regex": "", "options": [], "current": {},
    }  # fmt: skip
    if everything:
        made |= {"allValue": ".*", "current": {"text": "All", "value": "$__all"}}
    return made


def interval_variable(least: str) -> Json:
    """Time between points: by the panel's width, or chosen."""
    return {
        "name": "interval", "label": "Interval", "type": "interval",
        "query": "1s,10s,1m,10m,1h,6h", "auto": True, "auto_count": 300, "auto_min": least,
        "refresh": 2, "hide": 0, "options": [],
        "current": {"text": "auto", "value": "$__auto_interval_interval"},
    }  # fmt: skip
