"""The answer of ``GET /sensors``, for readers of today and of the first version."""

from dataclasses import fields, is_dataclass
from typing import Any

from wattmark_core.codec import to_json
from wattmark_core.exporter_api import ALL_KEYS, HostReport


def report_json(report: HostReport, accept: str) -> Any:
    """The report as JSON for a reader whose header ``Accept`` is given."""
    return to_json(report) if accept == ALL_KEYS else _first_keys(report)


def _first_keys(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        first = (one for one in fields(value) if not one.metadata.get("added"))
        return {one.name: _first_keys(getattr(value, one.name)) for one in first}
    return [_first_keys(one) for one in value] if isinstance(value, tuple) else to_json(value)
