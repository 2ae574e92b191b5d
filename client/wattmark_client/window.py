"""A window around code of one's own."""

import logging
import time
from collections.abc import Mapping
from typing import Any, Final, Protocol, Self

from wattmark_client.errors import ClientError
from wattmark_client.models import Run, Score, WindowItem

log = logging.getLogger(__name__)

POLL_SECONDS: Final = 0.5
MOST_A_SECOND: Final = 1e9
"""Inferences that a runner believes."""


class Calls(Protocol):
    """The calls of a client that a window makes; see ``client.Client``."""

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any: ...
    def run(self, run_id: str) -> Run: ...
    def score(self, run_id: str) -> list[Score]: ...
    def withdraw_window(self, window_id: str, owner: str = "") -> WindowItem: ...


class ClientWindow:
    """``with`` it. The runner stamps where the body begins and ends.

    Measuring never harms the body: what goes wrong is logged, and is in ``failure``.
    """

    def __init__(self, client: Calls, facts: dict[str, Any]) -> None:
        self._client = client
        self._facts = {name: value for name, value in facts.items() if value not in ("", None)}
        self._inferences: int | None = None
        self._correct: int | None = None
        self._cpu_ns = 0
        self._start = 0.0
        self.window_id = ""
        self.run_id = ""
        self.failure = ""

    def __enter__(self) -> Self:
        try:
            opened = self._client.call("POST", "/windows", self._facts)
            self.window_id, self.run_id = opened["window_id"], opened["run_id"]
        except (ClientError, ValueError, KeyError) as error:
            self._fail(f"the window is not measured: {error}")
        self._start = time.monotonic()
        self._cpu_ns = time.process_time_ns()
        return self

    def __exit__(self, *_: object) -> None:
        cpu_seconds = (time.process_time_ns() - self._cpu_ns) / 1e9
        if not self.window_id:
            return
        if wrong := _why_impossible(
            self._inferences, self._correct, time.monotonic() - self._start
        ):
            self._fail(f"window {self.window_id} is closed without its counts: {wrong}")
            self._inferences = self._correct = None
        result = {
            "inferences": self._inferences, "correct": self._correct, "cpu_seconds": cpu_seconds,
        }  # fmt: skip
        try:
            self._client.call("PATCH", f"/windows/{self.window_id}", result)
        except (ClientError, ValueError) as error:
            self._fail(f"window {self.window_id} could not be closed: {error}")

    def _fail(self, problem: str) -> None:
        self.failure = problem
        log.warning("%s", problem)

    def record(self, *, inferences: int, correct: int | None = None) -> None:
        """Add inferences done in the window, and how many of them were right, where known."""
        self._inferences = (self._inferences or 0) + inferences
        if correct is not None:
            self._correct = (self._correct or 0) + correct

    def withdraw(self) -> None:
        """Take the window back, with the marks that others have of it. Raises ``ClientError``."""
        if not self.window_id:
            raise ClientError(self.failure or "the window has not been opened")
        self._client.withdraw_window(self.window_id, str(self._facts.get("owner", "")))

    def score(self, timeout_seconds: float = 60.0) -> list[Score]:
        """The scores of the window's run, as soon as there are some. Raises ``ClientError``."""
        if not self.run_id:
            raise ClientError(self.failure or "the window has not been opened")
        deadline = time.monotonic() + timeout_seconds
        while True:
            run = self._client.run(self.run_id)
            if run.ended:
                return self._client.score(self.run_id)
            if time.monotonic() > deadline:
                raise ClientError(f"run {self.run_id} is {run.state} after {timeout_seconds:g} s")
            time.sleep(POLL_SECONDS)


def _why_impossible(inferences: int | None, correct: int | None, seconds: float) -> str:
    """What a runner would refuse; empty if nothing."""
    if inferences is None:
        return ""
    if inferences < 0 or (correct is not None and correct < 0):
        return "a count is below zero"
    if correct is not None and correct > inferences:
        return f"correct is more than inferences: {correct} of {inferences}"
    if inferences > MOST_A_SECOND * seconds:
        return f"inferences is more than 1e9 a second: {inferences} in {seconds:.3g} s"
    return ""
