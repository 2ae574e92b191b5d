"""Who makes a request, by the name of its key, and what that key is for."""

from typing import Annotated, Final

from fastapi import Depends, Request

from wattmark_runner.service.api.problems import ApiError

KEY_NAME: Final = "wattmark.key"
"""The key of the scope under which the middleware says whose key a request bears."""
ONLY_READS: Final = "wattmark.only-reads"
"""The same, true of a key that may only read."""


def caller(request: Request) -> str:
    """The name of the request's key; empty where the service has no keys."""
    name: str = request.scope.get(KEY_NAME, "")
    return name


def run_key(request: Request) -> None:
    """Refuse a key that may only read: what a program printed may hold anything."""
    if request.scope.get(ONLY_READS, False):
        raise ApiError(403, "logs are for run keys; this one may only read")


Caller = Annotated[str, Depends(caller)]
