"""``influxdb/init.sh`` against the administration of InfluxDB 2.7, as its sources describe it."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.stack.influx_2 import ADMIN, COMMAND, TOKEN, Influx2, Server
from tools.stack.databases import DATABASES, READS, USERS, WRITES, hours, retentions

SCRIPT = Path(__file__).parents[2] / "influxdb/init.sh"
PASSWORDS = {user: f'the "{user}" \\ password' for user in (*USERS, "admin")}
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def influx() -> Influx2:
    """A server on an empty volume, as the image's entry point has set it up."""
    return Influx2()


@pytest.fixture
def run(influx: Influx2, tmp_path: Path) -> Iterator[Run]:
    """The script in an image of its own: ``influx``, ``curl`` that notes its arguments, a
    configuration with the operator's token."""
    server = Server(influx)
    programs = tmp_path / "bin"
    programs.mkdir()
    curl = shutil.which("curl")
    assert curl is not None
    _program(programs / "influx", COMMAND.format(curl=curl))
    _program(programs / "curl", f'printf "%s\\n" "$@" >>"{tmp_path / "curl"}"; exec {curl} "$@"')
    configs = tmp_path / "influx-configs"
    configs.write_text(
        f'[default]\n  url = "{server.url}"\n  token = "{TOKEN}"\n  org = "wattmark"\n'
        '  active = true\n#\n# [eu]\n#   token = "XXX"\n'
    )

    def call(*arguments: str, given: bool = True, **environment: str) -> "_Done":
        words = " ".join(f"[{user}]='{text}'" for user, text in PASSWORDS.items())
        head = f"declare -A passwords=({words})\n" if given else ""
        return subprocess.run(
            ["bash", "-s", "--", *arguments], input=head + SCRIPT.read_text(), text=True,
            capture_output=True, check=False, timeout=60,
            env={**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", **environment,
                 "INFLUX_HOST": server.url, "INFLUX_CONFIGS_PATH": str(configs)},
        )  # fmt: skip

    yield call
    server.close()
    configured = (tmp_path / "curl").read_text() if (tmp_path / "curl").exists() else ""
    arguments = configured + repr(influx.asked)
    for secret in (TOKEN, *PASSWORDS.values()):
        assert secret not in arguments, "a secret was an argument of a process"


_Done = subprocess.CompletedProcess[str]


def test_an_empty_volume_gets_databases_users_and_their_rights(influx: Influx2, run: Run) -> None:
    """As ``tools/stack/databases.py`` names them, which 1.x and the smoke test go by."""
    done = run()
    assert (done.returncode, done.stderr) == (0, "")
    assert {name: every for name, (_, every) in influx.buckets.items() if name != "_monitoring"} \
        == {name: hours(text) for name, text in retentions().items()}  # fmt: skip
    for user in USERS:
        rights = {f"read {name}" for name in READS[user]}
        assert influx.may(user) == rights | {f"write {name}" for name in WRITES[user]}
        assert influx.password(user) == PASSWORDS[user]


def test_what_is_right_is_left_alone(influx: Influx2, run: Run) -> None:
    """A second call says nothing and changes nothing."""
    run()
    before = (dict(influx.buckets), dict(influx.rights), dict(influx.passwords))
    done = run()
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (influx.buckets, influx.rights, influx.passwords) == before


def test_a_stack_that_exists_gets_what_it_lacks(influx: Influx2, run: Run) -> None:
    """Three databases and their users become seven, and every password stays."""
    _as_before(influx, run)
    shown = run("show", given=False)
    assert influx.buckets.keys() == {"telemetry", "telemetry_1m", "results", "_monitoring"}
    done = run()
    assert done.stdout == shown.stdout
    assert done.stdout.splitlines()[:2] == [
        "database telemetry_1m: kept 730d, was 17472h0m0s", "database power_10s: new, kept 14d",
    ]  # fmt: skip
    assert "user collector: now reads telemetry, telemetry_1m, power_10s" in done.stdout
    assert "user runner" not in done.stdout
    assert influx.buckets.keys() == {*DATABASES, "_monitoring"}
    assert "write power_1h" in influx.may("collector")
    assert influx.password("collector") == PASSWORDS["collector"]


def test_rights_beyond_ones_own_are_taken(influx: Influx2, run: Run) -> None:
    """Grafana's user, once given more by hand, only reads again."""
    run()
    results, _ = influx.buckets["results"]
    influx.rights["grafana"][1].append(f"write:orgs/x/buckets/{results}")
    assert "write results" in influx.may("grafana")
    run()
    assert "write results" not in influx.may("grafana")


@pytest.mark.parametrize(("text", "every"), [("8w", 1344), ("0", 0), ("9000h", 9000)])
def test_retention_is_one_setting(influx: Influx2, run: Run, text: str, every: int) -> None:
    """It holds for what is kept long, before and after; the raw samples and the results stay."""
    run()
    run(WATTMARK_RETENTION=text)
    assert {name for name, (_, duration) in influx.buckets.items() if duration == every} >= {
        "telemetry_1m", "power_1m", "power_10m", "power_1h",
    }  # fmt: skip
    assert influx.buckets["telemetry"][1] == influx.buckets["power_10s"][1] == 336
    assert influx.buckets["results"][1] == 0
    assert run(WATTMARK_RETENTION=text).stdout == ""


def test_a_retention_that_is_no_time_is_one_line(influx: Influx2, run: Run) -> None:
    """And nothing is changed."""
    done = run(WATTMARK_RETENTION="two years")
    assert done.returncode == 2
    assert done.stderr == (
        "WATTMARK_RETENTION=two years is no time like 730d (h, d or w; 0 keeps for ever)\n"
    )
    assert not influx.asked


def test_a_user_whose_password_cannot_be_set_is_made_again_later(influx: Influx2, run: Run) -> None:
    """It does not stay behind without one, as if it were done."""
    influx.refuses_passwords = True
    assert run().returncode != 0
    assert "collector" not in influx.rights
    influx.refuses_passwords = False
    assert run().returncode == 0
    assert influx.password("grafana") == PASSWORDS["grafana"]


def test_a_password_is_changed(influx: Influx2, run: Run) -> None:
    """Of a user of the v1 API, and of the administrator; rights and all else stay."""
    run()
    before = dict(influx.rights)
    influx.passwords.clear()
    for user in ("runner", "admin"):
        assert run("password", user).returncode == 0
    assert influx.passwords == {
        influx.rights["runner"][0]: PASSWORDS["runner"], ADMIN: PASSWORDS["admin"],
    }  # fmt: skip
    assert influx.rights == before


def _as_before(influx: Influx2, run: Run) -> None:
    """What the first version's script made."""
    influx.run(["bucket", "create", "--name", "telemetry_1m", "--retention", "104w"])
    influx.run(["bucket", "create", "--name", "results", "--retention", "0"])
    ids = {name: key for name, (key, _) in influx.buckets.items()}
    for user in USERS:
        rights = [
            word for verb, names in (("read", READS[user]), ("write", WRITES[user]))
            for name in names if name in ids for word in (f"--{verb}-bucket", ids[name])
        ]  # fmt: skip
        influx.run(["v1", "auth", "create", "--username", user, "--no-password", *rights])
        assert run("password", user).returncode == 0
    assert influx.may("runner") == {"read telemetry", "read telemetry_1m", "read results",
                                    "write results"}  # fmt: skip


def _program(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/bash\n{text}\n")
    path.chmod(0o755)
