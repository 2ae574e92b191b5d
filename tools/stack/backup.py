"""``make stack-backup`` and ``make stack-restore``: the data of InfluxDB, runner and Grafana, and
the secrets that open them.

Cold copies of whole volumes: they hold users and settings too, and need no tool of any version.
While InfluxDB is copied the collector spools, so that no sample is missing afterwards.
"""

import shutil
import subprocess
import time
from pathlib import Path
from typing import Final

from tools.stack import secret_files, smoke
from tools.stack.compose import Compose, StackError, say
from tools.stack.up import await_healthy, back_fill, make_databases

FOLDERS: Final = {
    "runner": "/var/lib/wattmark",
    "grafana": "/var/lib/grafana",
    "influxdb": "/var/lib/influxdb2",
}
SECRETS: Final = "secrets"
SCORING_SECONDS: Final = 400.0
TURN_SECONDS: Final = 5.0


def backup(compose: Compose, place: Path) -> None:
    """Copy everything into the new folder ``place``, and go on. Raises ``StackError``."""
    services = list(_containers(compose))
    try:
        copy(compose, place)
    finally:
        compose.run("start", *services)
    await_healthy(compose)
    say(f"all copied to {place}; keep it as safe as the secrets in it")


def copy(compose: Compose, place: Path) -> None:
    """Copy everything into the new folder ``place``; who has data stands still from then on.

    Raises ``StackError``.
    """
    containers = _containers(compose)
    _await_idle(compose)
    try:
        place.mkdir(mode=0o700, parents=True)
    except FileExistsError as error:
        raise StackError(f"{place} is there already; name a new folder") from error
    shutil.copytree(secret_files.folder(), place / SECRETS)
    compose.run("stop", *containers)
    for service, (container, path) in containers.items():
        say(f"copying {service}")
        with (place / f"{service}.tar").open("wb") as file:
            _docker_cp(f"{container}:{path}/.", "-", output=file.fileno())


def restore(compose: Compose, place: Path) -> None:
    """Put a backup in the place of what there is. Raises ``StackError``."""
    containers = _containers(compose)
    for service in containers:
        if not (place / f"{service}.tar").is_file():
            raise StackError(f"{place} is no backup of this stack: it has no {service}.tar")
    _await_idle(compose)
    put_back(compose, place)
    back_fill(compose, make_databases(compose))
    smoke.test(compose)
    say(f"restored from {place}")


def put_back(compose: Compose, place: Path) -> None:
    """Data and secrets of a backup in the place of what there is, whatever state that is in; then
    start, and wait until all is healthy. Raises ``StackError``."""
    compose.run("stop")
    compose.run("up", "--no-start", "--force-recreate")
    for service, (container, path) in _containers(compose).items():
        say(f"restoring {service}")
        empty = f"find {path} -mindepth 1 -delete"
        compose.read("run", "--rm", "--no-deps", "-T", "--entrypoint", "sh", service, "-c", empty)
        with (place / f"{service}.tar").open("rb") as file:
            _docker_cp("-", f"{container}:{path}", given=file.fileno())
    for secret in (place / SECRETS).iterdir():
        (secret_files.folder() / secret.name).unlink(missing_ok=True)
        shutil.copy2(secret, secret_files.folder())
    compose.run("up", "-d", "--force-recreate")
    await_healthy(compose)


def _containers(compose: Compose) -> dict[str, tuple[str, str]]:
    """Of each service with data: its container and the folder in it."""
    running = compose.containers()
    if "influxdb" not in running:
        raise StackError("the stack is not running; `make stack` starts it")
    found = {}
    for service, path in FOLDERS.items():
        if service in running:
            mounts = {mount["Destination"] for mount in running[service]["Mounts"]}
            # 1.x keeps its data in another folder than 2.7
            known = path if path in mounts else path.removesuffix("2")
            found[service] = (str(running[service]["Id"]), known)
    return found


def _await_idle(compose: Compose) -> None:
    """A run under way would be interrupted; one that is only being scored is waited for."""
    deadline = time.monotonic() + SCORING_SECONDS
    if running := _runs(compose, "running"):
        raise StackError(f"run {running[0]} is under way; wait for its end, or cancel it")
    while scoring := _runs(compose, "scoring"):
        if time.monotonic() > deadline:
            raise StackError(f"run {scoring[0]} is still being scored; try again later")
        say(f"waiting for run {scoring[0]}, which is being scored")
        time.sleep(TURN_SECONDS)


def _runs(compose: Compose, state: str) -> list[str]:
    headers = {"Authorization": f"Bearer {secret_files.runner_key('read')}"}
    url = f"http://{smoke.address(compose, 'runner')}/api/v1/runs?state={state}"
    answer = smoke.request(url, None, headers)
    if answer.status != 200:
        raise StackError(f"the runner does not tell its runs: {answer.status} {answer.text[:200]}")
    return [run["run_id"] for run in answer.json["runs"]]


def _docker_cp(
    source: str, target: str, *, given: int | None = None, output: int | None = None
) -> None:
    done = subprocess.run(
        ["docker", "cp", source, target],
        check=False, stdin=given, stdout=output, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    if done.returncode:
        raise StackError(f"docker cp {source} {target}: {done.stderr.strip()}")
