"""What goes wrong between client and runner."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field of a request."""

    field: str
    message: str


class ClientError(Exception):
    """The runner refused, could not be reached, or answered what is no answer of a runner;
    ``str(error)`` is one line.

    ``status``: the HTTP status of a refusal, else None. ``errors``: the fields to blame.
    """

    def __init__(
        self, message: str, status: int | None = None, errors: tuple[FieldError, ...] = ()
    ) -> None:
        super().__init__(message)
        self.status = status
        self.errors = errors


def refusal(response: "httpx.Response") -> ClientError:
    """The error for an answer of status 400 and above."""
    body = _json(response)
    blamed = body.get("errors") or []
    errors = tuple(FieldError(str(e.get("field")), str(e.get("message"))) for e in blamed)
    text = body.get("detail") or f"the runner answered {response.status_code}"
    return ClientError(str(text), response.status_code, errors)


def unreachable(url: str, error: Exception) -> ClientError:
    """The error for no answer."""
    return ClientError(f"no runner answers at {url} ({error}); start one with `wattmark serve`")


def _json(response: "httpx.Response") -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
