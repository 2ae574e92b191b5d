"""Columns of tables: names for people, units, colours, and links to other dashboards."""

from typing import Any, Final

from dashboards.colors import ESTIMATED, VERDICTS
from dashboards.panels import Json, words
from wattmark_core.labels import METHODS

HIDDEN: Final = {"custom.hidden": True}
LINKED: Final = ("run_id", "from_ms", "to_ms")
"""Of a score, what a link to its run at its own time needs."""


def column(name: str, called: str = "", /, **properties: Any) -> Json:
    """How one column of a table is shown. ``called``: its head; without one, its own name."""
    named = {"displayName": called} if called else {}
    return {
        "matcher": {"id": "byName", "options": name},
        "properties": [{"id": key, "value": value}
                       for key, value in {**named, **properties}.items()],
    }  # fmt: skip


def hidden(*names: str) -> list[Json]:
    """Columns that links need and nobody reads."""
    return [column(name, **HIDDEN) for name in names]


def narrow(width: int) -> Json:
    """A column's width, px."""
    return {"custom.width": width}


def to_run(title: str, *, time: str, run: str = "${__data.fields.run_id:percentencode}") -> Json:
    """To the run dashboard, at some time."""
    return {"title": title, "url": f"/d/wattmark-run/run?var-run_id={run}&{time}"}


def to_host() -> Json:
    """To one host, at the time that is shown."""
    host = "${__data.fields.host:percentencode}"
    return {
        "title": "Live host",
        "url": f"/d/wattmark-live/live-host?var-host={host}&$__url_time_range",
    }


def to_ranking() -> Json:
    """To the ranking of a workload."""
    workload = "${__data.fields.workload:percentencode}"
    return {"title": "Ranking", "url": f"/d/wattmark-ranking/ranking?var-workload={workload}"}


def between(first: str, last: str) -> str:
    """The time from one column to another, both in ms: as it is, not as it is shown."""
    return f"from=${{__data.fields.{first}.numeric}}&to=${{__data.fields.{last}.numeric}}"


OPEN_RUN: Final = to_run("Open the run", time=between(*LINKED[1:]))
"""From a row that has them."""


def verdict_column(name: str = "verdict", called: str = "verdict", **more: Any) -> Json:
    """The verdict's column: in words and colour."""
    meanings = {str(verdict): meaning for verdict, meaning in VERDICTS.items()}
    return _colored(column(name, called, mappings=[words(meanings)], **more))


def method_column(called: str = "energy is", **more: Any) -> Json:
    """The method's column, in which an estimate stands out."""
    meanings = {
        **{str(method): (label, "text") for method, label in METHODS.items()},
        "estimated": (ESTIMATED, "orange"),
    }
    return _colored(column("method", called, mappings=[words(meanings)], **more))


def _colored(made: Json) -> Json:
    made["properties"] += [{"id": "custom.cellOptions", "value": {"type": "color-text"}}]
    return made
