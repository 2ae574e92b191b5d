"""Scores, ranking and tables over the wire: the fields of a score are those of its dataclass."""

from pydantic import BaseModel, ConfigDict, Field

from wattmark_core.results import Check, Score
from wattmark_runner.service.api import examples
from wattmark_runner.service.api.shown import ShownGroup
from wattmark_runner.views.tables import Table
from wattmark_scoring.ranking import RankedGroup


class RunScores(BaseModel):
    """The scores of one run with the checks of its own boundary."""

    model_config = ConfigDict(
        json_schema_extra=examples.shown(
            run_id=examples.RUN_ID, scores=[examples.SCORE], checks=[examples.CHECK]
        )
    )

    run_id: str
    scores: list[Score]
    checks: list[Check]


class ScoresPage(BaseModel):
    """Scores, last scored first."""

    model_config = ConfigDict(json_schema_extra=examples.shown(scores=[examples.SCORE], next="17"))

    scores: list[Score]
    next: str | None


class Ranking(BaseModel):
    """Groups of scores that may be compared."""

    model_config = ConfigDict(
        json_schema_extra=examples.shown(groups=[examples.GROUP], shown=[examples.SHOWN_GROUP])
    )

    groups: list[RankedGroup]
    shown: list[ShownGroup] = Field(
        default=[], description="the groups as people read them, in their order, where asked for"
    )


class Tables(BaseModel):
    """The paper's tables over one's own runs. A cell is a number, a text, or null: not known."""

    model_config = ConfigDict(json_schema_extra=examples.shown(tables=[examples.TABLE]))

    tables: list[Table]
