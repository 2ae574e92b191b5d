"""What is chosen at the top of a dashboard: hosts, runs, workloads; data sources are hidden."""

from dashboards.panels import RESULTS, TELEMETRY, Json


def source_variable(name: str, label: str, ending: str, database: str) -> Json:
    """Which data source: one whose name ends so, at first the stack's own of a database. Hidden,
    because there is rarely a choice."""
    own = {"text": f"Wattmark {database}", "value": f"wattmark-{database}"}
    return {
        "name": name, "label": label, "type": "datasource", "query": "influxdb",
        "regex": f"/{ending}$/i", "refresh": 1, "hide": 2, "multi": False, "includeAll": False,
        "options": [], "current": own,
    }  # fmt: skip


def telemetry_variable() -> Json:
    """Samples; power that is stored ready and one-minute values are asked by the database's name
    through the same."""
    return source_variable(TELEMETRY, "Samples", "telemetry", "telemetry")


def results_variable() -> Json:
    """Windows and scores."""
    return source_variable(RESULTS, "Results", "results", "results")


def runner_variable() -> Json:
    """Where people reach the runner's page. Hidden: ``?var-runner=`` names another."""
    address = "http://localhost:8080"
    return {
        "name": "runner", "label": "Runner's page", "type": "textbox", "query": address, "hide": 2,
        "current": {"text": address, "value": address},
        "options": [{"text": address, "value": address, "selected": True}],
    }  # fmt: skip


def query_variable(
    name: str, label: str, source: str, query: str, *, multi: bool = False,
    everything: bool = False, hide: bool = False, newest_first: bool = False, first: str = "",
) -> Json:  # fmt: skip
    """Its values come from the database, again when the time changes. ``newest_first``: of names
    that begin with a date. ``first``: the value that it opens on, else the first in order."""
    made: Json = {
        "name": name, "label": label, "type": "query", "query": query, "definition": query,
        "datasource": {"type": "influxdb", "uid": f"${{{source}}}"}, "refresh": 2,
        "sort": 2 if newest_first else 1, "hide": 2 if hide else 0, "multi": multi,
        "includeAll": everything, "regex": "", "options": [], "current": {},
    }  # fmt: skip
    if everything:
        made |= {"allValue": ".*", "current": {"text": "All", "value": "$__all"}}
    if first:
        made["current"] = {"text": first, "value": first, "selected": True}
    return made
