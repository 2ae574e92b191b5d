"""Fifty clients: most look, some open windows, one starts runs. What they were told is kept."""

import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from tests.soak.parts import House

WINDOW_CLIENTS: Final = 8
RUN_CLIENTS: Final = 2
ALL_CLIENTS: Final = 50
MAX_SECONDS: Final = 20.0
"""After so long the service abandons a window whose client has gone."""
LOOKS: Final = (
    "/api/v1/runs", "/api/v1/ranking", "/api/v1/scores", "/api/v1/windows?limit=20",
    "/api/v1/sensors", "/api/v1/workloads", "/metrics", "/", "/healthz", "/readyz",
)  # fmt: skip
EXPECTED: Final = frozenset({200, 201, 202, 409, 503})
"""503: something that the soak took away is away."""


@dataclass(slots=True)
class Told:
    """What the service has answered: it must hold to it."""

    runs: set[str] = field(default_factory=set)
    opened: set[str] = field(default_factory=set)
    closed: set[str] = field(default_factory=set)
    answers: Counter[int] = field(default_factory=Counter)
    unexpected: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, answer: httpx.Response) -> Any:
        """Its JSON if it succeeded, else None; counted."""
        with self.lock:
            self.answers[answer.status_code] += 1
            if answer.status_code not in EXPECTED and len(self.unexpected) < 50:
                self.unexpected.append(
                    f"{answer.status_code} {answer.request.method} {answer.request.url.path}"
                    f" {answer.text[:200]!r}"
                )
        good = answer.is_success and answer.headers.get("content-type", "").startswith(
            "application/json"
        )
        return answer.json() if good else None


def start(house: House, told: Told, stop: threading.Event) -> list[threading.Thread]:
    """All clients, until ``stop`` is set."""
    kinds = [*[_runs] * RUN_CLIENTS, *[_windows] * WINDOW_CLIENTS]
    kinds += [_looks] * (ALL_CLIENTS - len(kinds))
    threads = [
        threading.Thread(target=_until, args=(kind, number, house, told, stop), daemon=True)
        for number, kind in enumerate(kinds)
    ]
    for thread in threads:
        thread.start()
    return threads


def _until(kind: Any, number: int, house: House, told: Told, stop: threading.Event) -> None:
    dice = random.Random(number)  # noqa: S311 - no secret
    while not stop.is_set():
        try:
            with httpx.Client(base_url=house.runner_url, timeout=30.0) as client:
                while not stop.is_set():
                    kind(client, number, told, dice, stop)
        except (httpx.HTTPError, ValueError):  # it is away, or was killed in the middle
            stop.wait(0.5)


def _looks(
    client: httpx.Client, number: int, told: Told, dice: random.Random, stop: threading.Event
) -> None:
    told.take(client.get(dice.choice(LOOKS)))
    stop.wait(dice.uniform(0.5, 4.0))


def _windows(
    client: httpx.Client, number: int, told: Told, dice: random.Random, stop: threading.Event
) -> None:
    body = {"workload": "elsewhere", "model": f"client-{number}", "max_seconds": MAX_SECONDS}
    window = told.take(client.post("/api/v1/windows", json=body))
    if window is None:
        stop.wait(1.0)
        return
    with told.lock:
        told.opened.add(window["window_id"])
    time.sleep(dice.uniform(0.5, 4.0))
    path = f"/api/v1/windows/{window['window_id']}"
    if told.take(client.patch(path, json={"inferences": 100, "correct": 90})) is not None:
        with told.lock:
            told.closed.add(window["window_id"])
    stop.wait(dice.uniform(0.0, 8.0))


def _runs(
    client: httpx.Client, number: int, told: Told, dice: random.Random, stop: threading.Event
) -> None:
    body = {
        "workload": "soak", "model": dice.choice("abc"), "repeats": 2, "seconds": 1.0,
        "idle_before_seconds": 1.0, "idle_after_seconds": 1.0,
    }  # fmt: skip
    run = told.take(client.post("/api/v1/runs", json=body))
    if run is None:
        stop.wait(2.0)
        return
    with told.lock:
        told.runs.add(run["run_id"])
    if dice.random() < 0.1:
        told.take(client.post(f"/api/v1/runs/{run['run_id']}/cancel"))
    stop.wait(dice.uniform(10.0, 30.0))
