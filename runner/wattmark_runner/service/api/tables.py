"""The paper's tables over this runner's runs."""

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Query, Response

from wattmark_core.results import Boundary
from wattmark_runner.service.api.schemas.scores import Tables
from wattmark_runner.service.services import Services, services
from wattmark_runner.views.tables import TABLES, Choice
from wattmark_runner.views.tables.text import FORMATS
from wattmark_scoring.scores import ENERGY_SCORE

router = APIRouter(tags=["scores"])
Service = Annotated[Services, Depends(services)]
Format = Annotated[
    Literal["json", "csv", "markdown", "latex"], Query(description="how the tables are written")
]
TEXTS: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "content": {
            kind.partition(";")[0]: {"schema": {"type": "string"}} for kind, _ in FORMATS.values()
        }
    }
}


@router.get("/tables/{number}", responses=TEXTS, response_model=Tables)
def show_table(
    service: Service,
    number: Literal["1", "2", "3"],
    workload: str = "",
    host: str = "",
    boundary: Boundary | None = None,
    baseline: str = "",
    paper: bool = False,
    format: Format = "json",
) -> Tables | Response:
    """Table I (accuracy, time, power, energy, use), II (scores, ranks) or III (hosts, ratios).

    A table for each workload and boundary, estimated energy apart from measured; the newest run of
    each host and model. ``baseline``: the host that ratios of Table III divide by; ``paper``: the
    paper's hosts beside one's own.
    """
    choice = Choice(workload, host, boundary, baseline, paper)
    database = service.context.database
    equal = {"formula": ENERGY_SCORE, "workload": workload, "boundary": boundary}
    scores = database.compared({name: str(value) for name, value in equal.items() if value})
    runs = dict.fromkeys(score.run_id for score in scores)
    tables = TABLES[number](map(database.load, runs), choice)
    if format == "json":
        return Tables(tables=tables)
    kind, write = FORMATS[format]
    return Response(write(tables), media_type=kind)
