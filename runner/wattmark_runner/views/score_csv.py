"""Results as rows of a table."""

from dataclasses import fields

from wattmark_core.codec import to_json
from wattmark_core.results import Score
from wattmark_runner.views.csv_rows import Row


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
