"""Runs over REST."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import PlainTextResponse, StreamingResponse

from wattmark_core.printable import printable
from wattmark_runner.records.database import Listing, RunEvent
from wattmark_runner.records.model import RunSource, RunState
from wattmark_runner.scoring.reading import read_curves
from wattmark_runner.service.api.caller import Caller, run_key
from wattmark_runner.service.api.headers import IDEMPOTENT
from wattmark_runner.service.api.paging import Cursor, Limit, next_cursor
from wattmark_runner.service.api.problems import ApiError, FieldError
from wattmark_runner.service.api.schemas.runs import (
    CurveItem,
    PhaseItem,
    Power,
    Run,
    RunCreate,
    RunDetail,
    RunsPage,
)
from wattmark_runner.service.api.schemas.scores import RunScores
from wattmark_runner.service.api.shown import ShownRun
from wattmark_runner.service.services import Services, services
from wattmark_runner.views.charts import NO_SAMPLES, NO_SAMPLES_YET, power_chart
from wattmark_runner.views.power import own_windows, power_curve

router = APIRouter(tags=["runs"])

POLL_SECONDS: Final = 2.0
"""How late an event may reach a follower; looking costs the runner CPU time while it measures."""
BEAT_SECONDS: Final = 15.0
"""Between lines of comment, by which a dead connection is noticed."""
MOST_LABELS: Final = 32
"""In one question; each is looked for in every run."""
LOG_BYTES: Final = 1_000_000
"""The length of the end of a log that is shown."""
EVENT_SCHEMA: Final = {
    "type": "object",
    "required": ["id", "event", "data"],
    "properties": {
        "id": {"type": "string", "pattern": "^[0-9]+$"},
        "event": {"type": "string", "enum": ["state", "progress", "window", "notice"]},
        "data": {"type": "string", "description": "JSON"},
    },
}
Service = Annotated[Services, Depends(services)]


@router.post("/runs", status_code=202, openapi_extra=IDEMPOTENT)
def create_run(
    body: RunCreate, service: Service, by: Caller, request: Request, response: Response
) -> Run:
    """Queue a run. It starts when those before it are over; one is measured at a time."""
    row = service.queue.submit(body.request(), by)
    response.headers["Location"] = f"{request.url.path}/{row.run_id}"
    return _run(service, row.run_id)


@router.get("/runs")
def list_runs(
    service: Service,
    state: RunState | None = None,
    workload: str = "",
    model: str = "",
    owner: str = "",
    source: RunSource | None = None,
    label: Annotated[
        list[str], Query(max_length=MOST_LABELS, description="NAME:VALUE; may be repeated")
    ] = [],  # noqa: B006 - FastAPI copies it
    limit: Limit = 50,
    cursor: Cursor = None,
) -> RunsPage:
    """Runs, newest first."""
    equal = {"state": state, "workload": workload, "model": model, "owner": owner, "source": source}
    page = Listing(
        limit + 1, None if cursor is None else int(cursor),
        {name: str(value) for name, value in equal.items() if value}, _labels(label),
    )  # fmt: skip
    rows = service.context.database.rows(page)
    waiting = _waiting(service)
    acts = service.context.database.acts(row.run_id for row in rows[:limit])
    runs = [
        Run.of(
            row, waiting.get(row.run_id), service.queue.progress(row.run_id),
            acts.get(row.run_id, {}),
        )
        for row in rows[:limit]
    ]  # fmt: skip
    return RunsPage(runs=runs, next=next_cursor([row.seq for row in rows], limit))


@router.get("/runs/{run_id}")
def show_run(run_id: str, service: Service) -> RunDetail:
    """A run with its whole record: enough to repeat it."""
    run = _run(service, run_id)
    record = service.record(run_id)
    return RunDetail(**dict(run), record=record, shown=ShownRun.of(record))


@router.post("/runs/{run_id}/cancel", openapi_extra=IDEMPOTENT)
def cancel_run(run_id: str, service: Service, by: Caller) -> Run:
    """Cancel a run that waits or is under way; what it has measured is kept."""
    row = service.context.database.row(run_id)
    if row.source is RunSource.EXTERNAL:
        service.external.cancel(run_id, by)
    else:
        service.queue.cancel(run_id, by)
    return _run(service, run_id)


@router.get(
    "/runs/{run_id}/events",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {"schema": EVENT_SCHEMA}}}},
)
def follow_run(
    run_id: str,
    service: Service,
    follow: Annotated[bool, Query(description="false: only what has happened so far")] = True,
    last_event_id: Annotated[str, Header(pattern=r"^\d{0,18}$")] = "",
) -> StreamingResponse:
    """What happens in a run, as server-sent events, from the first or after ``Last-Event-ID``.

    `state` {state, reason, final}; `progress` {stage, fraction, seconds_left}; `window`, a window
    that is over; `notice` {text}. The stream ends when the run does.
    """
    service.context.database.row(run_id)
    stream = _events(service, run_id, int(last_event_id or 0), follow=follow)
    return StreamingResponse(stream, media_type="text/event-stream")


@router.get("/runs/{run_id}/log", response_class=PlainTextResponse, dependencies=[Depends(run_key)])
def show_log(run_id: str, service: Service) -> str:
    """What the run's worker printed, its end, printable; of a line that a progress bar has written
    over and over, what stands on the screen. It is for run keys."""
    service.context.database.row(run_id)
    return _tail(service.context.log_of(run_id))


@router.get("/runs/{run_id}/power")
def show_power(
    run_id: str, service: Service, points: Annotated[int, Query(ge=2, le=10_000)] = 600
) -> Power:
    """Power over the run, a curve per counter, with the run's windows."""
    record = service.record(run_id)
    windows = own_windows(record)
    power = [
        power_curve(series, data)
        for series, data in read_curves(record, windows, service.context.store, points)
    ]
    curves = [
        CurveItem(
            name=curve.name, label=curve.label, domain=curve.series.domain,
            device=curve.series.device, source=curve.series.source, method=curve.series.method,
            points=[None if p is None else (p[0] / 1e6, p[1]) for p in curve.points],
        )
        for curve in power
    ]  # fmt: skip
    phases = [
        PhaseItem(
            phase=window.phase, repeat=window.repeat,
            start_ms=window.start_ns / 1e6, end_ms=window.end_ns / 1e6,
        )
        for window in windows
    ]  # fmt: skip
    picture = power_chart(
        power, windows, empty=NO_SAMPLES if record.state.final else NO_SAMPLES_YET
    )
    return Power(curves=curves, windows=phases, picture=picture)


@router.get("/runs/{run_id}/score")
def show_score(run_id: str, service: Service) -> RunScores:
    """The scores of a run, and the checks that they rest on."""
    record = service.context.database.load(run_id)
    if not record.scores:
        raise ApiError(409, f"the run is {record.state} and has no score")
    return RunScores(run_id=run_id, scores=list(record.scores), checks=list(record.checks))


@router.post("/runs/{run_id}/score", openapi_extra=IDEMPOTENT)
def score_again(run_id: str, service: Service) -> RunScores:
    """Score a run once more from the samples that are kept of it."""
    record = service.scoring.again(run_id)
    return RunScores(run_id=run_id, scores=list(record.scores), checks=list(record.checks))


def _run(service: Services, run_id: str) -> Run:
    row = service.context.database.row(run_id)
    position = _waiting(service).get(run_id) if row.state is RunState.QUEUED else None
    acts = service.context.database.acts([run_id])
    return Run.of(row, position, service.queue.progress(run_id), acts.get(run_id, {}))


def _waiting(service: Services) -> dict[str, int]:
    """The place of each run that waits."""
    return {run_id: place for place, run_id in enumerate(service.context.database.queue())}


def _labels(texts: list[str]) -> dict[str, str]:
    labels = {}
    for text in texts:
        name, colon, value = text.partition(":")
        if not colon or not name:
            message = f"{text!r} is not of the form NAME:VALUE"
            raise ApiError(422, f"label: {message}", [FieldError("label", message)])
        labels[name] = value
    return labels


async def _events(
    service: Services, run_id: str, after: int, *, follow: bool
) -> AsyncIterator[str]:
    """The text of the stream; its reader may go away at any time."""
    database = service.context.database
    silent = 0.0
    # The state is read before the events: a final one is an event, too.
    ended = (await asyncio.to_thread(database.row, run_id)).state.final
    while True:
        for event in await asyncio.to_thread(database.events, run_id, after):
            after, silent = event.id, 0.0
            if event.kind == "state":
                ended = RunState(event.body["state"]).final
            yield _event_text(event)
        if not follow or ended or service.stopping.is_set():
            return
        await asyncio.sleep(POLL_SECONDS)
        silent += POLL_SECONDS
        if silent >= BEAT_SECONDS:
            silent = 0.0
            yield ": still here\n\n"


def _event_text(event: RunEvent) -> str:
    body: dict[str, Any] = event.body
    if event.kind == "state":
        body = {**body, "final": RunState(body["state"]).final}
    return f"id: {event.id}\nevent: {event.kind}\ndata: {json.dumps(body)}\n\n"


def _tail(path: Path) -> str:
    if not path.exists():
        return ""
    with path.open("rb") as stream:
        size = stream.seek(0, 2)
        stream.seek(max(0, size - LOG_BYTES))
        return "\n".join(map(_on_screen, stream.read().split(b"\n")))


def _on_screen(line: bytes) -> str:
    return printable(line.rstrip(b"\r").rpartition(b"\r")[2].expandtabs())
