"""``make stack`` and ``make stack-down``."""

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
    "--store-password-file=/run/secrets/influxdb-collector-password", "--older",
)  # fmt: skip
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
    """Start all, InfluxDB first, with its databases, users and rights, and the power of the
    past."""
    compose.run("up", "-d", "--remove-orphans", "influxdb")
    await_healthy(compose, "influxdb")
    make_databases(compose)
    compose.run("up", "-d", "--remove-orphans")
    await_healthy(compose)
    back_fill(compose)


def make_databases(compose: Compose) -> None:
    """Databases, users and rights as they are to be."""
    for line in users.server(compose).make():
        say(line)


def back_fill(compose: Compose) -> None:
    """Work out the power of samples from before it was stored, or go on with that where it was
    stopped."""
    say("working out what is missing of the power of the past; where that is years of many hosts"
        " it takes a while")  # fmt: skip
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
    deadline, shown = time.monotonic() + HEALTHY_SECONDS, ""
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
        if now != shown:
            say(f"waiting for {now}")
            shown = now
        ended = [name for name, state in waiting.items() if state in ENDED]
        if ended or time.monotonic() > deadline:
            late = (ended or list(waiting) or ["containers that did not start"])[0]
            compose.run("logs", "--tail", LOG_LINES, late)
            raise StackError(
                f"{late} is {waiting.get(late, 'missing')}{_last_check(compose, late)};"
                " its log stands above"
            )
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


def _last_check(compose: Compose, service: str) -> str:
    """What the last health check said, in brackets."""
    log = compose.containers().get(service, {}).get("State", {}).get("Health", {}).get("Log")
    text = " ".join(str(log[-1]["Output"]).split()) if log else ""
    return f" ({text[-200:]})" if text else ""


def _state(known: dict[str, Any]) -> str:
    state = known["State"]
    if known["RestartCount"] >= RESTARTS:
        return DYING
    return str(state.get("Health", {"Status": "healthy"})["Status"] if state["Running"]
               else state["Status"])  # fmt: skip
