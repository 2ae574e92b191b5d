"""Errors of the exporter beside those of ``wattmark_core.errors``."""


class BadRequest(Exception):
    """A request that cannot be answered: the connection ends after ``status`` and one line."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
