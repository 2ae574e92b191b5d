"""Windows of code that runs elsewhere, over REST."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request, Response

from wattmark_runner.records.database import Listing
from wattmark_runner.service.access.idempotency import DESCRIBED
from wattmark_runner.service.api.paging import Cursor, Limit, next_cursor
from wattmark_runner.service.api.problems import ApiError, FieldError
from wattmark_runner.service.api.schemas import WindowClose, WindowCreate, WindowItem, WindowsPage
from wattmark_runner.service.services import Services, parts

router = APIRouter(tags=["windows"])
Service = Annotated[Services, Depends(parts)]


@router.post("/windows", status_code=201, openapi_extra=DESCRIBED)
def open_window(
    wanted: WindowCreate, service: Service, request: Request, response: Response
) -> WindowItem:
    """Open a window now; or, with both times, post one that is over.

    The service stamps an open window. Times of the client's cannot be checked and give a warning.
    """
    if wanted.whole:
        row = service.annotations.post(wanted)
    else:
        _refuse_results(wanted)
        row = service.annotations.open(wanted)
    response.headers["Location"] = f"{request.url.path}/{row.window.window_id}"
    return WindowItem.of(row)


@router.patch("/windows/{window_id}")
def close_window(window_id: str, known: WindowClose, service: Service) -> WindowItem:
    """Close a window now. Its run is scored when no window of it is open any more."""
    return WindowItem.of(service.annotations.close(window_id, known))


@router.get("/windows")
def list_windows(
    service: Service,
    run_id: str = "",
    state: Literal["open", "closed", "abandoned", ""] = "",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> WindowsPage:
    """Windows from elsewhere, newest first."""
    equal = {name: value for name, value in (("run_id", run_id), ("state", state)) if value}
    rows = service.context.database.windows(
        Listing(limit + 1, None if cursor is None else int(cursor), equal)
    )
    return WindowsPage(
        windows=[WindowItem.of(row) for row in rows[:limit]],
        next=next_cursor([row.seq for row in rows], limit),
    )


@router.get("/windows/{window_id}")
def show_window(window_id: str, service: Service) -> WindowItem:
    """One window."""
    return WindowItem.of(service.context.database.window(window_id))


def _refuse_results(wanted: WindowCreate) -> None:
    """An open window has no results yet; half a whole one is a mistake."""
    if (wanted.start_ns is None) != (wanted.end_ns is None):
        missing = "start_ns" if wanted.start_ns is None else "end_ns"
        message = "is needed beside the other time; leave out both to open a window now"
        raise ApiError(422, f"{missing} {message}", [FieldError(missing, message)])
    for name in ("inferences", "correct", "cpu_seconds"):
        if getattr(wanted, name) is not None:
            message = "is not known while a window is open; give it when you close it"
            raise ApiError(422, f"{name} {message}", [FieldError(name, message)])
