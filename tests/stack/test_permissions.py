"""What ``make stack`` checks of InfluxDB's users, and the change of their passwords, on both
InfluxDBs."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.influxdb.servers import Server
from tools.stack import secret_files
from tools.stack.compose import StackError
from tools.stack.databases import DATABASES, USERS, WRITES
from tools.stack.smoke import Influx
from tools.stack.users import InfluxDB1, InfluxDB2


@pytest.fixture
def smoke(each_influx: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Influx:
    """The smoke test of each InfluxDB, with its users' passwords."""
    if any(each_influx.name(user) != user for user in USERS):
        pytest.skip("the server has users of the stack's names; it has its own smoke test")
    monkeypatch.setenv("WATTMARK_SECRETS", str(tmp_path))
    for user in ("admin", *USERS):
        shutil.copy(each_influx.password_file(user), tmp_path / f"influxdb-{user}-password")
    return Influx(each_influx.address)


def test_users_with_their_rights_pass(smoke: Influx, each_influx: Server) -> None:
    """On empty databases too; and it leaves nothing in them."""
    smoke.check_permissions()
    for name in DATABASES:
        assert "series" not in each_influx.query(name, "SHOW MEASUREMENTS")


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("GRANT READ ON results TO collector", "collector may read results"),
        ("REVOKE READ ON telemetry FROM runner", "runner cannot read telemetry"),
        ("GRANT ALL ON telemetry TO grafana", "grafana may write telemetry"),
        ("REVOKE WRITE ON results FROM runner", "runner cannot write results"),
        ("DROP DATABASE telemetry_1m", "collector cannot read telemetry_1m"),
    ],
)
def test_a_user_with_other_rights_is_named(
    smoke: Influx, influxd: Server, statement: str, message: str
) -> None:
    """Who, what and where, in one line; also where the database is empty."""
    if influxd.token:
        pytest.skip("rights on 2.x cannot be changed by a statement")
    influxd.query("", statement)
    with pytest.raises(StackError, match=message) as caught:
        smoke.check_permissions()
    assert "\n" not in str(caught.value)


class Container:
    """InfluxDB's container, whose command line is here and which listens at ``url``."""

    def __init__(self, server: Server, folder: Path) -> None:
        programs = folder / "bin"
        programs.mkdir()
        known = "".join(f"{user}) echo {server.authorization(user)};; " for user in USERS)
        (programs / "influx").write_text(f'#!/bin/sh\ncase "$5" in {known}esac\n')
        (programs / "influx").chmod(0o755)
        configs = folder / "configs"
        configs.write_text(f'[default]\n  token = "{server.token}"\n')
        self._environment = {
            **os.environ, "PATH": f"{programs}:{os.environ['PATH']}",
            "INFLUX_HOST": server.real_address, "INFLUX_CONFIGS_PATH": str(configs),
        }  # fmt: skip

    def execute(self, service: str, *command: str, stdin: str) -> str:
        """Run a command in it."""
        assert service == "influxdb"
        done = subprocess.run(
            command, input=stdin, text=True, capture_output=True, env=self._environment, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


def test_a_changed_password_lets_in_and_the_old_one_does_not(
    smoke: Influx, each_influx: Server, tmp_path: Path
) -> None:
    """Each user of the stack; the others keep theirs, and all keep their rights."""
    container: Any = Container(each_influx, tmp_path)
    server = InfluxDB2(container) if each_influx.token else InfluxDB1(each_influx.address)
    try:
        for user in USERS:
            old = secret_files.read(f"influxdb-{user}-password")
            server.set_password(user, secret_files.prepare(f"influxdb-{user}-password"))
            assert smoke.write(user, WRITES["collector"][0], "# nothing").status == 401
            secret_files.commit(f"influxdb-{user}-password")
            assert secret_files.read(f"influxdb-{user}-password") != old
            smoke.check_permissions()
    finally:
        for user in USERS:
            server.set_password(user, each_influx.password_file(user).read_text())
