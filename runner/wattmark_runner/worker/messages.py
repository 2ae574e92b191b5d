"""What a worker says passes through here: made printable, and completed with throttled time."""

import os
from dataclasses import replace
from pathlib import Path

from wattmark_core.printable import printable
from wattmark_runner.worker.limits import cpu_quotas, throttled_seconds
from wattmark_runner.worker.protocol import (
    CPU_QUOTA,
    EdgeReached,
    Failed,
    Loaded,
    Notice,
    PhaseEnd,
    WorkerMessage,
    encode,
)


class Messages:
    """Writes each message to ``descriptor`` at once. ``environment``: further facts for the record.

    ``root``: where /proc and /sys lie.
    """

    def __init__(
        self, descriptor: int, environment: dict[str, str], root: Path = Path("/")
    ) -> None:
        self._descriptor = descriptor
        self._quotas = cpu_quotas(root)
        self._environment = dict(environment)
        if self._quotas:
            quota = min(self._quotas, key=lambda quota: quota.cores)
            self._environment[CPU_QUOTA] = f"{quota.cores:g} cores"
        self._throttled: dict[tuple[str, int, bool], float | None] = {}

    def emit(self, message: WorkerMessage) -> None:
        """Send a message: an edge before anything else is done about it."""
        os.write(self._descriptor, encode(self._completed(message)))
        if isinstance(message, EdgeReached) and self._quotas:
            edge = message.phase, message.repeat, message.opening
            self._throttled[edge] = throttled_seconds(self._quotas)

    def _completed(self, message: WorkerMessage) -> WorkerMessage:
        match message:
            case PhaseEnd():
                return replace(message, throttled_seconds=self._grown(message))
            case Loaded(environment=facts):
                facts = {printable(k): printable(v) for k, v in facts.items()}
                return replace(message, environment={**facts, **self._environment})
            case Notice(text=text):
                return Notice(printable(text))
            case Failed(reason=reason):
                return Failed(printable(reason))
        return message

    def _grown(self, ended: PhaseEnd) -> float | None:
        opening, closing = (
            self._throttled.pop((ended.phase, ended.repeat, edge), None) for edge in (True, False)
        )
        if opening is None or closing is None or closing < opening:
            return None
        return closing - opening
