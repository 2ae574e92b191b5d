"""Columns of tables: units, colors, and links to the run dashboard."""

from typing import Any

from dashboards.panels import Json


def column(name: str, **properties: Any) -> Json:
    """How one column of a table is shown."""
    return {
        "matcher": {"id": "byName", "options": name},
        "properties": [{"id": key, "value": value} for key, value in properties.items()],
    }


def link(title: str, *, time: str, run: str = "${__data.fields.run_id}") -> Json:
    """To the run dashboard, at some time. ``numeric``: as it is, not as it is shown."""
    return {"title": title, "url": f"/d/wattmark-run/run?var-run_id={run}&{time}"}


def span(first: str, last: str) -> str:
    """The time from one column to another, both in ms."""
    return f"from=${{__data.fields.{first}.numeric}}&to=${{__data.fields.{last}.numeric}}"


def verdict_column() -> Json:
    """In color."""
    colors = {"valid": "green", "warned": "orange", "invalid": "red"}
    mapping = {name: {"color": color, "index": n} for n, (name, color) in enumerate(colors.items())}
    return _colored("verdict", mapping)


def method_column() -> Json:
    """The estimate stands out."""
    return _colored("method", {"estimated": {"text": "ESTIMATED", "color": "orange", "index": 0}})


def _colored(name: str, mapping: Json) -> Json:
    made = column(name, mappings=[{"type": "value", "options": mapping}])
    # Two names of one option: up to 9.4, and since.
    made["properties"] += [
        {"id": "custom.displayMode", "value": "color-text"},
        {"id": "custom.cellOptions", "value": {"type": "color-text"}},
    ]
    return made
