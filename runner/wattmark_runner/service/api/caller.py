"""Who makes a request, by the name of its key."""

from typing import Annotated, Final

from fastapi import Depends, Request

KEY_NAME: Final = "wattmark.key"
"""The key of the scope under which the middleware says so."""


def caller(request: Request) -> str:
    """The name of the request's key; empty where the service has no keys."""
    name: str = request.scope.get(KEY_NAME, "")
    return name


Caller = Annotated[str, Depends(caller)]
