"""Scores and ranking over REST."""

import io
import json
from collections.abc import Iterable
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Query, Response
from pydantic import TypeAdapter

from wattmark_core.results import ENERGY_SCORE, Boundary, Score, Verdict
from wattmark_runner.records.database import Listing, score_of
from wattmark_runner.service.api.paging import Cursor, Limit, next_cursor
from wattmark_runner.service.api.schemas.scores import Ranking, ScoresPage
from wattmark_runner.service.api.shown import ShownGroup
from wattmark_runner.service.services import Services, services
from wattmark_runner.views.csv_rows import write_csv
from wattmark_runner.views.score_csv import score_row
from wattmark_scoring.ranking import rank

router = APIRouter(tags=["scores"])
Service = Annotated[Services, Depends(services)]
Format = Annotated[Literal["json", "csv"], Query(description="csv: one line per score")]
SCORES: Final[dict[int | str, dict[str, Any]]] = {
    200: {"model": ScoresPage, "content": {"text/csv": {"schema": {"type": "string"}}}}
}
CSV: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"text/csv": {"schema": {"type": "string"}}}}
}
SCORES_JSON: Final = TypeAdapter(list[Score])
"""Decodes many scores at once, ten times as fast as ``score_of`` one by one."""


@router.get("/scores", responses=SCORES)
def list_scores(
    service: Service,
    run_id: str = "",
    host: str = "",
    model: str = "",
    workload: str = "",
    boundary: Boundary | None = None,
    formula: str = "",
    verdict: Verdict | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
    format: Format = "json",
) -> Response:
    """Scores of all runs, last scored first."""
    equal = {
        "run_id": run_id, "host": host, "model": model, "workload": workload,
        "boundary": boundary, "formula": formula, "verdict": verdict,
    }  # fmt: skip
    listing = Listing(
        limit + 1, None if cursor is None else int(cursor),
        {name: str(value) for name, value in equal.items() if value}, place="id",
    )  # fmt: skip
    rows = service.context.database.scores(listing)
    bodies = [body for _, body in rows[:limit]]
    if format == "csv":
        return _csv(score_of(body) for body in bodies)
    cursor = next_cursor([place for place, _ in rows], limit)
    text = f'{{"scores":[{",".join(bodies)}],"next":{json.dumps(cursor)}}}'
    return Response(text, media_type="application/json")


@router.get("/ranking", responses=CSV, response_model=Ranking)
def show_ranking(
    service: Service,
    workload: str = "",
    host: str = "",
    boundary: Boundary | None = None,
    formula: str = ENERGY_SCORE,
    format: Format = "json",
    shown: Annotated[bool, Query(description="also titles, ranks, texts and pictures")] = False,
) -> Ranking | Response:
    """The newest score of each host and model, with the same GPU and settings, ranked among those
    that may be compared.

    Only one workload, boundary and formula are compared, and estimated energy is never ranked
    together with measured. Warned scores rank; invalid ones are listed apart, unranked.
    """
    equal = {"workload": workload, "host": host, "boundary": boundary, "formula": formula}
    bodies = service.context.database.compared({n: str(v) for n, v in equal.items() if v})
    groups = rank(SCORES_JSON.validate_json(f"[{','.join(bodies)}]"))
    if format == "csv":
        return _csv(score for group in groups for score in (*group.ranked, *group.unranked))
    return Ranking(
        groups=list(groups), shown=[ShownGroup.of(group) for group in groups] if shown else []
    )


def _csv(scores: Iterable[Score]) -> Response:
    """One line per score; an empty cell is a missing value."""
    text = io.StringIO()
    write_csv(text, [score_row(score) for score in scores])
    return Response(text.getvalue(), media_type="text/csv; charset=utf-8")
