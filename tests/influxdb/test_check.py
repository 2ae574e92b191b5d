"""``make stack-check``: the tests of the store on somebody's InfluxDB, which is left as it was."""

import os
import subprocess
import sys
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from tests.influxdb.local import Influxd, running
from tests.influxdb.servers import REAL, Influxdb27

ROOT = Path(__file__).parents[2]
CHECKED = ("tests/core/test_store_replacing.py", "-k", "kept_apart")
pytestmark = pytest.mark.skipif(bool(REAL), reason="this is such a check")
Check = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def server(tmp_path: Path) -> Generator[Influxd, None, None]:
    """An InfluxDB 1.6 of somebody's, with an administrator and nothing else."""
    serving = running(tmp_path)
    found = next(serving)
    for user in found.users:
        found.query("", f"DROP USER {user}")
    yield found
    serving.close()


@pytest.fixture
def check(server: Influxd) -> Check:
    """Runs the tests on a server at an address."""

    def run(address: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *CHECKED], cwd=ROOT,
            env={**os.environ, "WATTMARK_INFLUXDB_URL": address, **environment},
            text=True, capture_output=True, check=False, timeout=300,
        )  # fmt: skip

    return run


def shown(server: Influxd, statement: str) -> list[str]:
    """The names in the first column."""
    series = server.query("", statement).get("series", [])
    return [row[0] for table in series for row in table.get("values", [])]


def test_a_server_of_1x_is_left_as_it_was(server: Influxd, check: Check) -> None:
    """Its administrator is all that is needed."""
    password = server.password_file("admin").read_text()
    before = shown(server, "SHOW DATABASES"), shown(server, "SHOW USERS")
    done = check(server.address, WATTMARK_INFLUXDB_PASSWORD=password)
    assert done.returncode == 0, done.stdout
    assert (shown(server, "SHOW DATABASES"), shown(server, "SHOW USERS")) == before


def test_a_server_with_data_is_refused(server: Influxd, check: Check) -> None:
    """Nothing in it is touched; one line says what is there."""
    server.query("", "CREATE DATABASE results")
    password = server.password_file("admin").read_text()
    done = check(server.address, WATTMARK_INFLUXDB_PASSWORD=password)
    assert done.returncode != 0
    assert "has results: name an empty InfluxDB" in done.stdout + done.stderr
    assert shown(server, "SHOW DATABASES") == ["results"]


def test_a_server_of_2x_is_left_as_it_was(server: Influxd, check: Check) -> None:
    """By an operator's token; a user's name that is taken is not used."""
    server.query("", "CREATE USER grafana WITH PASSWORD 'theirs'")
    standin = Influxdb27(server)
    before = shown(server, "SHOW DATABASES"), shown(server, "SHOW USERS")
    token = server.password_file("admin").read_text()
    done = check(standin.address, WATTMARK_INFLUXDB_TOKEN=token)
    standin.close()
    assert done.returncode == 0, done.stdout
    assert (shown(server, "SHOW DATABASES"), shown(server, "SHOW USERS")) == before


def test_what_is_needed_is_named(server: Influxd, check: Check) -> None:
    """In one line."""
    done = check(server.address)
    assert "WATTMARK_INFLUXDB_PASSWORD is not set" in done.stdout + done.stderr
