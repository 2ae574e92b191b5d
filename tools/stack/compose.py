"""Docker Compose, version 2 or 1, on the project's files."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Self

ROOT: Final = Path(__file__).resolve().parents[2]
MAIN: Final = ROOT / "docker-compose.yml"
GPU: Final = ROOT / "docker-compose.gpu.yml"
LABEL: Final = "com.docker.compose"


class StackError(Exception):
    """One line: what is wrong and what to do."""


@dataclass(frozen=True, slots=True)
class Compose:
    """How to call it: the program and the files."""

    program: tuple[str, ...]
    files: tuple[Path, ...]
    project: str

    @classmethod
    def find(cls, extra: Sequence[Path] = ()) -> Self:
        """The Compose of this machine; with the GPU file where the NVIDIA runtime answers.

        Raises ``StackError`` where there is no engine.
        """
        if shutil.which("docker") is None or not _answers("docker", "info"):
            raise StackError("no Docker engine answers; install and start Docker, then try again")
        if _answers("docker", "compose", "version"):
            program: tuple[str, ...] = ("docker", "compose")
        elif _answers("docker-compose", "version"):
            program = ("docker-compose",)
        else:
            raise StackError("Docker has no Compose; install docker-compose-plugin")
        gpu = (GPU,) if _has_nvidia_runtime() else ()
        project = os.environ.get("COMPOSE_PROJECT_NAME") or "wattmark"
        return cls(program, (MAIN, *gpu, *extra), project)

    def with_file(self, file: Path) -> Self:
        """The same with one compose file more, read last."""
        return replace(self, files=(*self.files, file))

    @property
    def has_gpu(self) -> bool:
        """Are GPUs given to the containers?"""
        return GPU in self.files

    def command(self, *arguments: str) -> list[str]:
        """The whole command line."""
        files = [word for file in self.files for word in ("-f", str(file))]
        return [*self.program, "-p", self.project, *files, *arguments]

    def run(self, *arguments: str) -> None:
        """Run it, its output shown. Raises ``StackError``."""
        sys.stdout.flush()
        if subprocess.run(self.command(*arguments), check=False, cwd=ROOT).returncode:
            raise StackError(f"docker compose {arguments[0]} failed; see above")

    def read(self, *arguments: str, stdin: str | None = None) -> str:
        """Run it and return what it prints. Raises ``StackError`` with its last line."""
        done = subprocess.run(
            self.command(*arguments), check=False, cwd=ROOT, text=True, capture_output=True,
            input=stdin,
        )  # fmt: skip
        if done.returncode:
            raise StackError(f"docker compose {arguments[0]}: {_last_line(done.stderr)}")
        return done.stdout

    def execute(self, service: str, *command: str, stdin: str | None = None) -> str:
        """Run a command in a running container and return what it prints."""
        return self.read("exec", "-T", service, *command, stdin=stdin)

    def containers(self) -> dict[str, dict[str, Any]]:
        """What the engine knows of each service's container, also of one that has stopped."""
        labels = (f"{LABEL}.project={self.project}", f"{LABEL}.oneoff=False")
        filters = [word for label in labels for word in ("--filter", f"label={label}")]
        names = _docker("ps", "-a", "-q", *filters).split()
        inspected = json.loads(_docker("inspect", *names)) if names else []
        return {
            container["Config"]["Labels"][f"{LABEL}.service"]: container for container in inspected
        }


def say(text: str) -> None:
    """Print a line of progress."""
    sys.stdout.write(f"stack: {text}\n")
    sys.stdout.flush()


def _docker(*arguments: str) -> str:
    done = subprocess.run(["docker", *arguments], check=False, text=True, capture_output=True)
    if done.returncode:
        raise StackError(f"docker {arguments[0]}: {_last_line(done.stderr)}")
    return done.stdout


def _answers(*command: str) -> bool:
    try:
        return subprocess.run(command, check=False, capture_output=True).returncode == 0
    except OSError:
        return False


def _has_nvidia_runtime() -> bool:
    done = subprocess.run(
        ["docker", "info", "--format", "{{json .Runtimes}}"],
        check=False, text=True, capture_output=True,
    )  # fmt: skip
    return "nvidia" in done.stdout


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "it failed without a word"
