"""A run as it is asked for: its request is checked once, and its record made once."""

import re
import time
import uuid
from dataclasses import replace
from datetime import UTC, datetime

from wattmark_core.errors import ConfigurationError
from wattmark_runner.records.model import RunRecord, RunRequest, RunState
from wattmark_runner.workloads import Workload
from wattmark_runner.workloads.pretrained import require_weights


def check_request(request: RunRequest, workload: Workload) -> RunRequest:
    """The request with all its parameters. Raises ``ConfigurationError``."""
    if request.repeats < 1:
        raise ConfigurationError("a run needs at least one repeat")
    lengths = (request.warmup_seconds, request.idle_before_seconds, request.idle_after_seconds)
    if min(lengths) < 0 or (request.seconds is not None and request.seconds <= 0):
        raise ConfigurationError("windows, warm-up and baselines cannot have negative lengths")
    parameters = workload.check(request.model, request.parameters)
    require_weights(workload, request.model, parameters)
    return replace(request, parameters=parameters)


def new_run(request: RunRequest) -> RunRecord:
    """The record of a checked request, queued; host and counters are known when it starts."""
    now = time.time_ns()
    return RunRecord(
        new_run_id(request.model), request, RunState.QUEUED, host="", boot_id="",
        exporter_instance="", offset_ns=0, started_ns=now, created_ns=now,
    )  # fmt: skip


def new_run_id(model: str) -> str:
    """A name that sorts by time, says what it is about, and can stand in a URL and a file name."""
    slug = re.sub(r"[^A-Za-z0-9.]+", "-", model).strip("-.")[:40] or "run"
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{slug}-{uuid.uuid4().hex[:6]}"
