"""The paper's tables over this runner's runs."""

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Query, Response

from wattmark_core.results import ENERGY_SCORE, Boundary
from wattmark_runner.service.api.schemas.scores import Tables
from wattmark_runner.service.services import Services, services
from wattmark_runner.views.tables import TABLES, Choice
from wattmark_runner.views.tables.text import FORMATS

if TYPE_CHECKING:
    Name = str
else:
    Name = Literal[tuple(TABLES)]

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


ABOUT: Final = f"""\
{" ".join(f"{table.title}: {table.meaning}" for table in TABLES.values())}

A table for each workload and boundary, estimated energy apart from measured; the newest run of
each host and model. Where hosts are compared (table \
{", ".join(table.name for table in TABLES.values() if table.compares_hosts)}), `baseline` is the \
host that ratios divide by, and `paper` puts the paper's hosts beside one's own."""


@router.get("/tables/{number}", responses=TEXTS, response_model=Tables, description=ABOUT)
def show_table(
    service: Service,
    number: Name,
    workload: str = "",
    host: str = "",
    boundary: Boundary | None = None,
    baseline: str = "",
    paper: bool = False,
    format: Format = "json",
) -> Tables | Response:
    """One of ``TABLES`` over the newest runs, made of the scores' columns alone."""
    choice = Choice(workload, host, boundary, baseline, paper)
    equal = {"formula": ENERGY_SCORE, "workload": workload, "boundary": boundary}
    runs = service.context.database.compared_runs(
        {name: str(value) for name, value in equal.items() if value}
    )
    tables = TABLES[number].make(runs, choice)
    if format == "json":
        return Tables(tables=tables)
    kind, write = FORMATS[format]
    return Response(write(tables), media_type=kind)
