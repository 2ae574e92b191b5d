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
    "runner": ("runner", "/var/lib/wattmark"),
    "grafana": ("grafana", "/var/lib/grafana"),
    "influxdb": ("influxdb", "/var/lib/influxdb2"),
    "influxdb-config": ("influxdb", "/etc/influxdb2"),
}
"""Of each part of a copy its service and the folder there. InfluxDB's command line has the
operator's token in the last one; copies of the first version are without it."""
OPTIONAL: Final = frozenset({"influxdb-config"})
SECRETS: Final = "secrets"
SCORING_SECONDS: Final = 400.0
TURN_SECONDS: Final = 5.0


def backup(compose: Compose, place: Path) -> None:
    """Copy everything into the new folder ``place``, and go on. Raises ``StackError``."""
    services = _services(compose)
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
    parts = _parts(compose)
    _await_idle(compose)
    try:
        place.mkdir(mode=0o700, parents=True)
    except FileExistsError as error:
        raise StackError(f"{place} is there already; name a new folder") from error
    shutil.copytree(secret_files.folder(), place / SECRETS)
    compose.run("stop", *_services(compose))
    for name, (_, container, path) in parts.items():
        say(f"copying {name}")
        with (place / f"{name}.tar").open("wb") as file:
            _docker_cp(f"{container}:{path}/.", "-", output=file.fileno())


def restore(compose: Compose, place: Path) -> None:
    """Put a backup in the place of what there is. Raises ``StackError``."""
    for name in _parts(compose):
        if name not in OPTIONAL and not (place / f"{name}.tar").is_file():
            raise StackError(f"{place} is no backup of this stack: it has no {name}.tar")
    _await_idle(compose)
    put_back(compose, place)
    make_databases(compose)
    back_fill(compose)
    smoke.test(compose)
    say(f"restored from {place}")


def put_back(compose: Compose, place: Path) -> None:
    """Data and secrets of a backup in the place of what there is, whatever state that is in; then
    start, and wait until all is healthy. Raises ``StackError``."""
    compose.run("stop")
    compose.run("up", "--no-start", "--force-recreate")
    for name, (service, container, path) in _parts(compose).items():
        if not (place / f"{name}.tar").is_file():
            continue
        say(f"restoring {name}")
        empty = f"find {path} -mindepth 1 -delete"
        compose.read("run", "--rm", "--no-deps", "-T", "--entrypoint", "sh", service, "-c", empty)
        with (place / f"{name}.tar").open("rb") as file:
            _docker_cp("-", f"{container}:{path}", stdin=file.fileno())
    for secret in (place / SECRETS).iterdir():
        (secret_files.folder() / secret.name).unlink(missing_ok=True)
        shutil.copy2(secret, secret_files.folder())
    compose.run("up", "-d", "--force-recreate")
    await_healthy(compose)


def _parts(compose: Compose) -> dict[str, tuple[str, str, str]]:
    """Of each part of a copy its service, its container and the folder there."""
    containers = compose.containers()
    if "influxdb" not in containers:
        raise StackError("the stack is not running; `make stack` starts it")
    volumes = {}
    for name, (service, path) in FOLDERS.items():
        if service in containers:
            mounts = {mount["Destination"] for mount in containers[service]["Mounts"]}
            # 1.x keeps its data in another folder than 2.7
            known = path if path in mounts else path.removesuffix("2")
            volumes[name] = (service, str(containers[service]["Id"]), known)
    return volumes


def _services(compose: Compose) -> list[str]:
    return list(dict.fromkeys(service for service, _, _ in _parts(compose).values()))


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
        raise StackError(f"the runner does not list its runs: {answer.status} {answer.text[:200]}")
    return [run["run_id"] for run in answer.json["runs"]]


def _docker_cp(
    source: str, target: str, *, stdin: int | None = None, output: int | None = None
) -> None:
    done = subprocess.run(
        ["docker", "cp", source, target],
        check=False, stdin=stdin, stdout=output, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    if done.returncode:
        raise StackError(f"docker cp {source} {target}: {done.stderr.strip()}")
