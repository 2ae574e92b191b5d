"""A fit on a data folder that a service works on: its queue carries out the runs.

Two that measure at once on one machine would disturb each other, so these runs wait for their turn.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from wattmark_client import Client, ClientError, Event, Run
from wattmark_core.codec import from_json, to_json
from wattmark_core.errors import ConfigurationError, RunError
from wattmark_runner.execution.progress import Progress
from wattmark_runner.records.in_use import InUse
from wattmark_runner.records.model import RunRecord, RunRequest

Report = Callable[[int, Progress], None]
LEFT_OUT = frozenset({"owner", "labels"})


def require_queue(data: Path, joined: InUse) -> None:
    """Raise ``ConfigurationError`` if who works on the folder takes no runs."""
    if not joined.url:
        raise ConfigurationError(
            f"another wattmark command (process {joined.pid}) measures with {data}; wait for its"
            " end, or name another folder with --data"
        )


def measure_in_queue(
    joined: InUse, requests: Sequence[RunRequest], idle_seconds: float, report: Report,
    keep: Callable[[RunRecord], None],
) -> None:  # fmt: skip
    """Have the service carry out the runs, each between baselines of ``idle_seconds`` of its own,
    and ``keep`` their records one after the other. What has not ended is cancelled if this is
    interrupted. Raises ``RunError``."""
    with _client(joined) as client:
        waiting = [_start(client, _alone(request, idle_seconds)) for request in requests]
        try:
            for number, run_id in enumerate(list(waiting)):
                run = client.wait(run_id, partial(_follow, number, report))
                keep(_record(run))
                waiting.remove(run_id)
        except BaseException:
            for run_id in waiting:
                with suppress(ClientError):
                    client.cancel(run_id)
            raise


@contextmanager
def _client(joined: InUse) -> Iterator[Client]:
    """Its errors become one line; the key is that of $WATTMARK_KEY_FILE."""
    try:
        with Client(joined.local_url) as client:
            yield client
    except ClientError as error:
        raise RunError(f"the service that works on the data folder: {error}") from error


def _alone(request: RunRequest, idle_seconds: float) -> RunRequest:
    return replace(request, idle_before_seconds=idle_seconds, idle_after_seconds=idle_seconds)


def _start(client: Client, request: RunRequest) -> str:
    body = {name: value for name, value in to_json(request).items() if name not in LEFT_OUT}
    return client.start_run(body.pop("workload"), body.pop("model"), **body).run_id


def _record(run: Run) -> RunRecord:
    try:
        return from_json(RunRecord, run.record or {})
    except (ValueError, TypeError) as error:
        raise RunError(f"the record of run {run.run_id} cannot be read: {error}") from error


def _follow(number: int, report: Report, event: Event) -> None:
    if event.kind == "progress":
        body = event.body
        report(number, Progress(body["stage"], body["fraction"], body["seconds_left"]))
