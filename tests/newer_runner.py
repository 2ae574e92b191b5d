"""A runner of a version to come: keys and values that nobody knows yet, at every level."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any, Final

from tests.serving import serving

API: Final = "/api/v1"
CHECK: Final = {
    "name": "gap", "verdict": "warned", "value": 0.5, "limit": 0.3, "unit": "s",
    "message": "a gap", "since": 3,
}  # fmt: skip
SCORE: Final = {
    "run_id": "r1", "host": "lab1", "model": "cnn-small", "workload": "digits", "boundary": "cpu",
    "formula": "accuracy^2/energy", "time_ns": 1_700_000_000_000_000_000, "method": "counter",
    "verdict": "warned", "value": 50.0, "low": 45.0, "high": 55.0, "accuracy": 0.9,
    "joules_per_inference": 0.06, "checks": [CHECK, {**CHECK, "name": "odd", "verdict": "odd"}],
    "carbon_grams": 1.5,
}  # fmt: skip
ODD: Final = [
    {**SCORE, "model": "odd-boundary", "boundary": "node"},
    {**SCORE, "model": "odd-method", "method": "guessed"},
    {**SCORE, "model": "odd-verdict", "verdict": "doubtful"},
]
GROUP: Final = {
    "workload": "digits", "boundary": "cpu", "formula": "accuracy^2/energy", "estimated": False,
    "ranked": [SCORE, *ODD], "unranked": [], "host": "", "season": "winter",
}  # fmt: skip
RUN: Final = {
    "run_id": "r1", "state": "parked", "reason": "", "source": "robot", "workload": "digits",
    "model": "cnn-small", "parameters": {"batch_size": 32}, "owner": "", "labels": {},
    "host": "lab1", "created_at": "2026-01-31T12:00:00Z", "started_at": None, "ended_at": None,
    "queue_position": None, "progress": None, "score": SCORE, "site": {"rack": 4},
}  # fmt: skip
PAGES: Final[Mapping[str, Any]] = {
    f"{API}/ranking": {
        "groups": [GROUP, {**GROUP, "boundary": "node", "ranked": []}], "page": {"of": 1},
    },
    f"{API}/runs/r1/score": {
        "run_id": "r1", "scores": [SCORE, *ODD],
        "checks": [CHECK, {**CHECK, "verdict": "odd"}], "hint": "",
    },
    f"{API}/runs": {"runs": [RUN], "next": None, "total": 1},
}  # fmt: skip


@contextmanager
def answering(pages: Mapping[str, Any]) -> Iterator[str]:
    """A server's URL: JSON for each path, bytes as they are; 404 for any other."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            page = pages.get(self.path.partition("?")[0])
            body = page if isinstance(page, bytes) else json.dumps(page).encode()
            self.send_response(404 if page is None else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    with serving(Handler) as address:
        yield address
