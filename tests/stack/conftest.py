"""The stack on a real Docker engine: built, started and taken down once for all its tests."""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

ROOT = Path(__file__).parents[2]
OVERRIDE = Path(__file__).parent / "docker-compose.test.yml"
TEST_INFLUXDB = "wattmark-test/influxdb:1.6"


@dataclass(frozen=True)
class Stack:
    """A running stack."""

    environment: dict[str, str]
    files: tuple[Path, ...]
    secrets: Path
    main: Path = ROOT / "docker-compose.yml"

    def tool(self, *arguments: str, status: int = 0) -> str:
        """``python3 -m tools.stack``, and what it prints."""
        files = [word for file in self.files for word in ("--file", str(file))]
        command = [sys.executable, "-m", "tools.stack", *files, *arguments]
        done = subprocess.run(
            command, check=False, cwd=ROOT, env=self.environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=900,
        )  # fmt: skip
        assert done.returncode == status, done.stdout[-4000:]
        return done.stdout

    def compose(self, *arguments: str) -> str:
        """``docker compose`` on the same files."""
        from tools.stack.compose import Compose

        files = [word for file in (self.main, *self.files)
                 for word in ("-f", str(file))]  # fmt: skip
        program = Compose.find().program
        done = subprocess.run(
            [*program, *files, *arguments], check=False, cwd=ROOT, env=self.environment, text=True,
            capture_output=True, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-4000:]
        return done.stdout

    def address(self, service: str, port: int) -> str:
        """Where a service is published."""
        return self.compose("port", service, str(port)).strip()

    def health(self, service: str) -> str:
        """What its health check says."""
        return str(self.inspect(service)["State"]["Health"]["Status"])

    def inspect(self, service: str) -> Any:
        """What the engine knows of its container."""
        container = self.compose("ps", "-q", service).strip()
        done = subprocess.run(
            ["docker", "inspect", container], check=True, text=True, capture_output=True
        )
        return json.loads(done.stdout)[0]

    def inside(self, service: str, port: int) -> str:
        """Where a service listens on one of the stack's own networks."""
        networks = self.inspect(service)["NetworkSettings"]["Networks"]
        return f"{next(iter(networks.values()))['IPAddress']}:{port}"

    def secret(self, name: str) -> str:
        """A secret's text."""
        return (self.secrets / name).read_text().strip()

    def query(self, user: str, database: str, text: str) -> list[dict[str, Any]]:
        """The series of one InfluxQL statement; ``admin`` may ask too."""
        answer = httpx.post(
            f"http://{self.address('influxdb', 8086)}/query",
            params={"db": database, "epoch": "ns"}, data={"q": text},
            auth=(user, self.secret(f"influxdb-{user}-password")), timeout=60.0,
        )  # fmt: skip
        assert answer.status_code == 200, answer.text
        result = answer.json()["results"][0]
        assert "error" not in result, result
        return list(result.get("series", []))

    def runner(self) -> httpx.Client:
        """The runner's API, with the key that may start runs."""
        keys = dict(line.split() for line in self.secret("runner-keys").splitlines())
        return httpx.Client(
            base_url=f"http://{self.address('runner', 8080)}/api/v1", timeout=30.0,
            headers={"Authorization": f"Bearer {keys['run']}"},
        )  # fmt: skip


@pytest.fixture(scope="session")
def engine() -> None:
    """A Docker engine; WATTMARK_ENGINE names a script that starts one where there is none, and
    makes base images where none can be pulled (``SCRIPT up``)."""
    script = os.environ.get("WATTMARK_ENGINE", "")
    if script:
        subprocess.run([script, "up"], check=True, timeout=600)
    if not _answers():
        pytest.skip("no Docker engine answers, and WATTMARK_ENGINE names no script to start one")


@pytest.fixture(scope="session")
def stack(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The stack, up and tested by ``make stack`` itself. Its volumes go with it."""
    place = tmp_path_factory.mktemp("stack")
    targets = place / "targets"
    shutil.copytree(ROOT / "collector" / "stack", targets)
    targets.chmod(0o755)
    environment = {
        **os.environ,
        "COMPOSE_PROJECT_NAME": f"wattmark-test-{secrets.token_hex(3)}",
        "DOCKER_BUILDKIT": "0" if _classic_only() else "1",
        "WATTMARK_SECRETS": str(place / "secrets"),
        "WATTMARK_TARGETS": str(targets),
        "WATTMARK_IMAGES_LOCK": str(place / "images.lock"),
        "WATTMARK_INFLUXDB_PORT": str(_free_port()),
        "WATTMARK_GRAFANA_PORT": str(_free_port()),
        "WATTMARK_RUNNER_PORT": str(_free_port()),
    }
    files = (OVERRIDE,) if _has_image(TEST_INFLUXDB) else ()
    stack = Stack(environment, files, place / "secrets")
    try:
        stack.tool("up")
        yield stack
    finally:
        stack.compose("down", "--volumes", "--remove-orphans", "--timeout", "5")


@pytest.fixture
def until() -> Any:
    """Waits until something comes about."""

    def wait(found: Any, seconds: float = 60.0) -> Any:
        deadline = time.monotonic() + seconds
        while not (result := found()):
            assert time.monotonic() < deadline, "it did not come about"
            time.sleep(0.5)
        return result

    return wait


def _answers() -> bool:
    try:
        return subprocess.run(["docker", "info"], check=False, capture_output=True).returncode == 0
    except OSError:
        return False


def _classic_only() -> bool:
    done = subprocess.run(["docker", "buildx", "version"], check=False, capture_output=True)
    return done.returncode != 0


def _has_image(name: str) -> bool:
    done = subprocess.run(["docker", "image", "inspect", name], check=False, capture_output=True)
    return done.returncode == 0


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
