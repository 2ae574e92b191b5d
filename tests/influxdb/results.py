"""What stands in the database ``results``."""

from typing import Any


def rows(influx: Any, statement: str) -> list[dict[str, Any]]:
    """What Grafana's user reads, by the columns' names, without empty cells."""
    answer = influx.query("results", statement, user="grafana").get("series", [])
    return [
        {name: v for name, v in zip(series["columns"], row, strict=True) if v not in {None, ""}}
        for series in answer
        for row in series["values"]
    ]
