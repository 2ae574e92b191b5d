"""Errors of the runner beside those of ``wattmark_core.errors``; each is one line for the user.

Exception
├── Cancelled                   work that was cancelled while it waited
├── BodyTooLarge                a request's body beyond the limit
├── BodyCutOff                  a client that went in the middle of its request
└── WattmarkError
    ├── RequestRefused
    │   ├── Invalid             the request is wrong, whenever it is sent
    │   └── Conflict            the state of its run or window does not allow it
    └── ConfigurationError
        └── ParameterError      a workload, model or parameter that is not known here
"""

from wattmark_core.errors import ConfigurationError, WattmarkError


class RequestRefused(WattmarkError):
    """A request that is not carried out: ``reason``, and the ``field`` to blame if there is one."""

    def __init__(self, reason: str, field: str = "") -> None:
        super().__init__(f"{field} {reason}" if field else reason)
        self.reason = reason
        self.field = field


class Invalid(RequestRefused):
    """The request is wrong, whenever it is sent."""


class Conflict(RequestRefused):
    """The state of a run or window does not allow it now."""


class ParameterError(ConfigurationError):
    """A request for what the configuration does not have; ``field`` is the part to blame."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class Cancelled(Exception):
    """The work was cancelled: by a user, or because its program ends."""


class BodyCutOff(Exception):
    """The client went before the end of its request's body, or was too slow."""


class BodyTooLarge(Exception):
    """The body of a request is longer than the service reads."""
