"""``make stack`` and ``make stack-down``."""

import re
import time
from typing import Any, Final

from tools.stack import images, secret_files, smoke, users
from tools.stack.compose import ROOT, Compose, StackError, say
from tools.stack.settings import setting

HEALTHY_SECONDS: Final = 300.0
TURN_SECONDS: Final = 2.0
LOG_LINES: Final = "20"
RESTARTS: Final = 3
BACK_FILL: Final = (
    "back-fill", "--store=influxdb://collector@influxdb:8086",
    "--store-password-file=/run/secrets/influxdb-collector-password",
)  # fmt: skip
NEW: Final = re.compile(r"database (\w+): new")
DYING: Final = "ending again and again"
ENDED: Final = frozenset({"exited", "unhealthy", DYING})


def up(compose: Compose) -> None:
    """Make secrets, build, start, wait, test, and say where everything is."""
    if made := secret_files.make_missing():
        say(f"made {', '.join(made)} in {secret_files.folder()}")
    say("NVIDIA runtime found: GPUs for exporter and runner" if compose.has_gpu else "no NVIDIA"
        " runtime: CPU only")  # fmt: skip
    check_targets()
    compose = images.complete(compose)
    compose.run("build")
    start(compose)
    smoke.test(compose)
    say_addresses(compose)


def start(compose: Compose) -> None:
    """Start all, InfluxDB first, with its databases, users and rights. Where the databases of ready
    power are new and samples are not, the power of the past is worked out."""
    compose.run("up", "-d", "--remove-orphans", "influxdb")
    await_healthy(compose, "influxdb")
    new = make_databases(compose)
    compose.run("up", "-d", "--remove-orphans")
    await_healthy(compose)
    back_fill(compose, new)


def make_databases(compose: Compose) -> set[str]:
    """Databases, users and rights as they are to be; the databases that were not there."""
    lines = users.server(compose).make()
    for line in lines:
        say(line)
    return {found[1] for line in lines if (found := NEW.match(line))}


def back_fill(compose: Compose, new: set[str]) -> None:
    """Where the databases of ready power are ``new`` and the samples are not: work out the past."""
    if not any(name.startswith("power_") for name in new) or "telemetry_1m" in new:
        return
    say("working out the power of the past; with years of many hosts this takes a while")
    compose.run("run", "--rm", "--no-deps", "-T", "collector", *BACK_FILL)


def check_targets() -> None:
    """A target file of one's own must send the exporter's token. Raises ``StackError``."""
    file = ROOT / setting("WATTMARK_TARGETS", "collector/stack") / "targets.yml"
    if not file.is_file():
        raise StackError(f"{file} is missing; WATTMARK_TARGETS names the folder that has it")
    text = file.read_text(encoding="utf-8")
    if "exporter:9109" in text and secret_files.EXPORTER_TOKEN not in text:
        raise StackError(
            f"{file}: the stack's exporter wants its token; add to its job the line"
            f" `authorization: {{credentials_file: /run/secrets/{secret_files.EXPORTER_TOKEN}}}`"
        )


def down(compose: Compose) -> None:
    """Stop and remove the containers. Volumes, and with them the data, stay."""
    compose.run("down", "--remove-orphans")
    say("the data stays in its volumes; `make stack` brings it back")


def await_healthy(compose: Compose, *services: str) -> None:
    """Wait until every container, or those of ``services``, says that it is well; one without a
    health check need only run. Raises ``StackError``, with its log."""
    deadline, told = time.monotonic() + HEALTHY_SECONDS, ""
    while True:
        states = {
            name: _state(known) for name, known in compose.containers().items()
            if not services or name in services
        }  # fmt: skip
        waiting = {name: state for name, state in states.items() if state != "healthy"}
        if states and not waiting:
            say("all healthy: " + ", ".join(states))
            return
        now = ", ".join(f"{name} {state}" for name, state in waiting.items())
        if now != told:
            say(f"waiting for {now}")
            told = now
        ended = [name for name, state in waiting.items() if state in ENDED]
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
    if known["RestartCount"] >= RESTARTS:
        return DYING
    return str(state.get("Health", {"Status": "healthy"})["Status"] if state["Running"]
               else state["Status"])  # fmt: skip
