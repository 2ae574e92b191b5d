"""Windows of code that runs elsewhere, over REST."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response

from wattmark_runner.errors import Invalid
from wattmark_runner.records.database import Listing, WindowRow
from wattmark_runner.service.api.caller import Caller
from wattmark_runner.service.api.headers import IDEMPOTENT
from wattmark_runner.service.api.paging import Cursor, Limit, next_cursor
from wattmark_runner.service.api.schemas.fields import Owner
from wattmark_runner.service.api.schemas.windows import (
    WindowClose,
    WindowCreate,
    WindowItem,
    WindowsPage,
)
from wattmark_runner.service.services import Services, services

router = APIRouter(tags=["windows"])
Service = Annotated[Services, Depends(services)]


@router.post("/windows", status_code=201, openapi_extra=IDEMPOTENT)
def open_window(
    body: WindowCreate, service: Service, by: Caller, request: Request, response: Response
) -> WindowItem:
    """Open a window now; or, with both times, post one that is over.

    The service stamps an open window. Times of the client's cannot be checked and give a warning.
    """
    if body.whole:
        row = service.external.post(
            body.request(), body.start_ns or 0, body.end_ns or 0, body.results(), by
        )
    else:
        _refuse_results(body)
        row = service.external.open(body.request(), by)
    response.headers["Location"] = f"{request.url.path}/{row.window.window_id}"
    return _item(service, row)


@router.patch("/windows/{window_id}")
def close_window(window_id: str, body: WindowClose, service: Service, by: Caller) -> WindowItem:
    """Close a window now. Its run is scored when no window of it is open any more."""
    return _item(service, service.external.close(window_id, body.results(), by))


@router.delete("/windows/{window_id}")
def withdraw_window(
    window_id: str, service: Service, by: Caller,
    owner: Annotated[Owner, Query(description="whom the window's run names, if anybody")] = "",
) -> WindowItem:  # fmt: skip
    """Take a window back: who made it may, by key and owner. It and the marks that others have of
    it are gone, and what is left is scored again."""
    return _item(service, service.external.withdraw(window_id, owner, by))


@router.get("/windows")
def list_windows(
    service: Service,
    run_id: str = "",
    state: Literal["open", "closed", "abandoned", "withdrawn", ""] = "",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> WindowsPage:
    """Windows from elsewhere, newest first."""
    equal = {name: value for name, value in (("run_id", run_id), ("state", state)) if value}
    rows = service.context.database.windows(
        Listing(limit + 1, None if cursor is None else int(cursor), equal)
    )
    acts = service.context.database.acts(row.window.window_id for row in rows[:limit])
    return WindowsPage(
        windows=[WindowItem.of(row, acts.get(row.window.window_id, {})) for row in rows[:limit]],
        next=next_cursor([row.seq for row in rows], limit),
    )


@router.get("/windows/{window_id}")
def show_window(window_id: str, service: Service) -> WindowItem:
    """One window."""
    return _item(service, service.context.database.window(window_id))


def _item(service: Services, row: WindowRow) -> WindowItem:
    window_id = row.window.window_id
    return WindowItem.of(row, service.context.database.acts([window_id]).get(window_id, {}))


def _refuse_results(body: WindowCreate) -> None:
    """An open window has no results yet; half a whole one is a mistake."""
    if (body.start_ns is None) != (body.end_ns is None):
        missing = "start_ns" if body.start_ns is None else "end_ns"
        message = "is needed beside the other time; leave out both to open a window now"
        raise Invalid(message, missing)
    for name in ("inferences", "correct", "cpu_seconds"):
        if getattr(body, name) is not None:
            message = "is not known while a window is open; give it when you close it"
            raise Invalid(message, name)
