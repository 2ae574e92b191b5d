"""``make stack-rotate``: new passwords and keys everywhere, while the stack runs.

A new secret is on disk beside the old one before a server hears of it: whatever breaks, the
password in force is in one of the two files.
"""

from typing import Final

from tools.stack import databases, secret_files, smoke, users
from tools.stack.compose import Compose, StackError, say
from tools.stack.up import await_healthy

INFLUXDB: Final = {f"influxdb-{user}-password": user for user in ("admin", *databases.USERS)}
READERS: Final = ("exporter", "collector", "runner", "grafana")


def rotate(compose: Compose) -> None:
    """Change all, restart who reads them, test. The collector spools meanwhile."""
    running = compose.containers()
    if "influxdb" not in running:
        raise StackError("the stack is not running; `make stack` starts it")
    server = users.server(compose)
    for name, user in INFLUXDB.items():
        server.set_password(user, secret_files.prepare(name))
        secret_files.commit(name)
    if "grafana" in running:
        _grafana(compose)
    for name in (secret_files.RUNNER_KEYS, secret_files.EXPORTER_TOKEN):
        secret_files.prepare(name)
        secret_files.commit(name)
    readers = [service for service in READERS if service in running]
    compose.run("up", "-d", "--no-deps", "--force-recreate", *readers)
    await_healthy(compose)
    smoke.test(compose)
    say(f"new secrets are in {secret_files.folder()}; the old ones open nothing any more")
    say("not changed: InfluxDB's operator token, which no service here uses (docs/stack.md)")


def _grafana(compose: Compose) -> None:
    """Its own command keeps the password in its database; the file only counts on an empty one."""
    name = "grafana-admin-password"
    password = secret_files.prepare(name)
    compose.execute(
        "grafana", "grafana", "cli", "admin", "reset-admin-password", "--password-from-stdin",
        stdin=f"{password}\n",
    )  # fmt: skip
    secret_files.commit(name)
