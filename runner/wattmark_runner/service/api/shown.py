"""Answers as people read them: texts, titles, ranks and pictures beside the numbers.

They stand beside what other programs read, never in it: a command line of another version decodes
scores and groups field by field.
"""

from typing import Self

from pydantic import BaseModel, Field

from wattmark_core import labels
from wattmark_core.results import Check, Score, Verdict
from wattmark_runner.records.model import RunRecord
from wattmark_runner.views.charts import score_chart
from wattmark_runner.views.run_words import WindowTexts, run_facts, window_texts
from wattmark_scoring.ranking import RankedGroup
from wattmark_scoring.score_words import (
    CheckTexts,
    ScoreTexts,
    check_texts,
    score_texts,
)  # fmt: skip
from wattmark_scoring.words import worst_first


class ShownScore(BaseModel):
    """A score in words; ``rank`` counts from 1, null: it is not ranked."""

    run_id: str
    model: str
    settings: str
    rank: int | None
    verdict: Verdict
    texts: ScoreTexts

    @classmethod
    def of(cls, score: Score, rank: int | None = None) -> Self:
        """From the score."""
        return cls(
            run_id=score.run_id, model=score.model, settings=score.settings, rank=rank,
            verdict=score.verdict, texts=score_texts(score),
        )  # fmt: skip


class ShownGroup(BaseModel):
    """Scores that may be compared, best first, those without a rank last."""

    title: str
    formula: str
    scores: list[ShownScore]
    picture: str = Field(description="HTML with an inline SVG; empty: nothing can be drawn")

    @classmethod
    def of(cls, group: RankedGroup) -> Self:
        """From the group."""
        ranked = [ShownScore.of(score, rank) for rank, score in enumerate(group.ranked, start=1)]
        unranked = [ShownScore.of(score) for score in group.unranked]
        picture = score_chart(group.ranked, f"scores with 95 % intervals: {group.title}")
        return cls(
            title=group.title, formula=labels.formula(group.formula), scores=ranked + unranked,
            picture=picture,
        )  # fmt: skip


class ShownCheck(BaseModel):
    """A check in words."""

    verdict: Verdict
    texts: CheckTexts

    @classmethod
    def of(cls, check: Check) -> Self:
        """From the check."""
        return cls(verdict=check.verdict, texts=check_texts(check))


class ShownWindow(BaseModel):
    """A window in words; ``start_ms`` is Unix ms, for pages that know the reader's time zone."""

    start_ms: float
    texts: WindowTexts


class ShownRun(BaseModel):
    """What is kept of a run, in words. ``checks``: what did not pass first; ``facts`` and
    ``environment``: names and values."""

    scores: list[ShownScore]
    checks: list[ShownCheck]
    windows: list[ShownWindow]
    facts: list[tuple[str, str]]
    environment: list[tuple[str, str]]

    @classmethod
    def of(cls, record: RunRecord) -> Self:
        """From the record."""
        return cls(
            scores=[ShownScore.of(score) for score in record.scores],
            checks=[ShownCheck.of(check) for check in worst_first(record.checks)],
            windows=[
                ShownWindow(start_ms=window.start_ns / 1e6, texts=window_texts(window))
                for window in record.windows
            ],
            facts=list(run_facts(record)),
            environment=[(name, str(value)) for name, value in record.environment.items()],
        )  # fmt: skip
