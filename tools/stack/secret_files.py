"""The stack's secrets: a folder that only its owner may enter, with a file for each.

The files themselves are readable by all: Compose hands them to containers with the mode that they
have, and Grafana, collector and runner are users of their own there. The folder keeps others out.
"""

import os
import secrets
from pathlib import Path
from typing import Final

from tools.stack.compose import ROOT
from tools.stack.settings import setting

EXPORTER_TOKEN: Final = "exporter-token"  # noqa: S105 - its name
PASSWORDS: Final = (
    "influxdb-admin-password", "influxdb-admin-token", "influxdb-collector-password",
    "influxdb-runner-password", "influxdb-grafana-password", "grafana-admin-password",
    EXPORTER_TOKEN,
)  # fmt: skip
RUNNER_KEYS: Final = "runner-keys"
BYTES: Final = 24


def folder() -> Path:
    """``secrets/``, or what WATTMARK_SECRETS names."""
    return (ROOT / setting("WATTMARK_SECRETS", "secrets")).resolve()


def make_missing() -> list[str]:
    """Make what is not there; the names of what was made."""
    place = folder()
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    place.chmod(0o700)
    missing = [name for name in (*PASSWORDS, RUNNER_KEYS) if not (place / name).exists()]
    for name in missing:
        prepare(name)
        commit(name)
    return missing


def new(name: str) -> str:
    """A new secret of 192 random bits; the runner's file has a key for each role."""
    if name == RUNNER_KEYS:
        return f"read {secrets.token_hex(BYTES)}\nrun {secrets.token_hex(BYTES)}\n"
    return secrets.token_hex(BYTES)


def prepare(name: str) -> str:
    """A new secret, on disk beside the one in force."""
    text = new(name)
    descriptor = os.open(_partial(name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o444)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)
        os.fchmod(descriptor, 0o444)
        file.flush()
        os.fsync(descriptor)
    return text


def commit(name: str) -> None:
    """The prepared secret is in force now."""
    _partial(name).replace(folder() / name)


def read(name: str) -> str:
    """A secret without the end of its line."""
    return (folder() / name).read_text(encoding="ascii").strip()


def runner_key(role: str) -> str:
    """The runner's key for ``read`` or ``run``."""
    keys = dict(line.split() for line in read(RUNNER_KEYS).splitlines())
    return keys[role]


def _partial(name: str) -> Path:
    return folder() / f".{name}.new"
