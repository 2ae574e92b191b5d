"""``make stack`` and ``make stack-down``."""

import time
from typing import Any, Final

from tools.stack import secret_files, smoke, users
from tools.stack.compose import Compose, StackError, say

HEALTHY_SECONDS: Final = 300.0
TURN_SECONDS: Final = 2.0
LOG_LINES: Final = "20"


def up(compose: Compose) -> None:
    """Make secrets, build, start, wait, test, and say where everything is."""
    if made := secret_files.make_missing():
        say(f"made {', '.join(made)} in {secret_files.folder()}")
    say("NVIDIA runtime found: GPUs for exporter and runner" if compose.has_gpu else "no NVIDIA"
        " runtime: CPU only")  # fmt: skip
    compose.run("build")
    compose.run("up", "-d", "--remove-orphans", "influxdb")
    await_healthy(compose)
    users.server(compose).make_users()
    compose.run("up", "-d", "--remove-orphans")
    await_healthy(compose)
    smoke.test(compose)
    say_addresses(compose)


def down(compose: Compose) -> None:
    """Stop and remove the containers. Volumes, and with them the data, stay."""
    compose.run("down", "--remove-orphans")
    say("the data stays in its volumes; `make stack` brings it back")


def await_healthy(compose: Compose) -> None:
    """Wait until every container says that it is well. Raises ``StackError``, with its log."""
    deadline, told = time.monotonic() + HEALTHY_SECONDS, ""
    while True:
        states = {name: _state(known) for name, known in compose.containers().items()}
        waiting = {name: state for name, state in states.items() if state != "healthy"}
        if states and not waiting:
            say("all healthy: " + ", ".join(states))
            return
        now = ", ".join(f"{name} {state}" for name, state in waiting.items())
        if now != told:
            say(f"waiting for {now}")
            told = now
        ended = [name for name, state in waiting.items() if state in {"exited", "unhealthy"}]
        if ended or time.monotonic() > deadline:
            late = (ended or list(waiting) or ["containers that did not start"])[0]
            compose.run("logs", "--tail", LOG_LINES, late)
            raise StackError(f"{late} is {waiting.get(late, 'missing')}; its log stands above")
        time.sleep(TURN_SECONDS)


def say_addresses(compose: Compose) -> None:
    """Where a person goes on."""
    secrets = secret_files.folder()
    lines = {
        "grafana": f"user admin, password in {secrets}/grafana-admin-password",
        "runner": f"keys in {secrets}/{secret_files.RUNNER_KEYS}",
        "influxdb": "users collector, runner, grafana",
    }
    for service, text in lines.items():
        if service in compose.containers():
            say(f"{service:9} http://{smoke.address(compose, service)}  {text}")


def _state(known: dict[str, Any]) -> str:
    state = known["State"]
    health = state.get("Health", {}).get("Status", "without health check")
    return str(health if state["Running"] else state["Status"])
