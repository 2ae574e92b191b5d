"""Results as rows of a table."""

import csv
from collections.abc import Iterable
from dataclasses import fields
from typing import Any, TextIO

from wattmark_core.codec import to_json
from wattmark_core.results import Score

Row = dict[str, Any]


def score_row(score: Score) -> Row:
    """A score; of its checks the names of those that did not pass."""
    return {
        field.name: (
            _failed(score) if field.name == "checks" else to_json(getattr(score, field.name))
        )
        for field in fields(score)
    }


def _failed(score: Score) -> str:
    return " ".join(
        f"{check.name.replace(' ', '_')}={check.verdict}"
        for check in score.checks
        if check.verdict is not check.verdict.VALID
    )


def write_csv(stream: TextIO, rows: Iterable[Row]) -> None:
    """An empty cell is a missing value; columns are those of all rows, in order of appearance."""
    rows = list(rows)
    columns = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(stream, columns, restval="")
    writer.writeheader()
    writer.writerows(rows)
