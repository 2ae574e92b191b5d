"""Panels over Prometheus: those of the other dashboards, with another data source."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from dashboards import panels
from dashboards.panels import Json, Panel

NO_ANSWER: Final = (
    "No samples in this time: choose another exporter at the top, or add this one to Prometheus's"
    " scrape_configs."
)


def line(pattern: str, **properties: Any) -> Json:
    """How the series whose name matches are shown."""
    return {
        "matcher": {"id": "byRegexp", "options": f"/{pattern}/"},
        "properties": [{"id": key, "value": value} for key, value in properties.items()],
    }


def fixed(color: str) -> Json:
    """One colour, whatever the value."""
    return {"mode": "fixed", "fixedColor": color}


def lines(title: str, description: str, unit: str, queries: Sequence[Json], **more: Any) -> Panel:
    """Lines over time from zero."""
    more.setdefault("empty", NO_ANSWER)
    return panels.lines(title, description, unit, queries, server="prometheus", **more)


def shares(title: str, description: str, queries: Sequence[Json], **more: Any) -> Panel:
    """Lines of shares of a whole."""
    more.setdefault("empty", NO_ANSWER)
    return panels.shares(title, description, queries, server="prometheus", **more)


def stat(
    title: str, description: str, unit: str, queries: Sequence[Json], empty: str = NO_ANSWER
) -> Panel:  # fmt: skip
    """Numbers, each with its name; an estimate stands out."""
    made = panels.stat(
        title, description, unit, queries, width=6, server="prometheus", empty=empty,
        overrides=[line("in Wh", unit="watth"), line("ESTIMATED", color=fixed("orange"))],
    )  # fmt: skip
    return replace(made, options={**made.options, "textMode": "value_and_name"})
