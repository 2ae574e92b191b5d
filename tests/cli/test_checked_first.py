"""A wrong option is refused in one line before anything is started: no room, no framework."""

import json
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
VERSIONS = ROOT / "tests/versions/9ca66c9"
SENSOR = "from wattmark_exporters import Sensor\n\n\nclass Nameless(Sensor):\n    pass\n"
ROOMS = [
    (("--exporter", "http://127.0.0.1:9"), "--exporter and --store go together"),
    (("--store", "sqlite:///s.sqlite"), "--exporter and --store go together"),
    (("--exporter", "nonsense", "--store", "sqlite:///s.sqlite"), "is not http://HOST:PORT"),
    (("--exporter", "http://127.0.0.1:9", "--store", "mysql://x"), "is neither sqlite:///PATH nor"),
    (("--exporter", "http://127.0.0.1:9", "--store", "sqlite:///nowhere/s"), "no directory"),
    (("--exporter", "http://127.0.0.1:9", "--store", "sqlite:///diary"), "is not an SQLite"),
    (("--exporter", "http://127.0.0.1:9", "--store", "influxdb://u@h:1"), "--store-password-file"),
    (("--exporter", "http://127.0.0.1:9", "--store", "influxdb://u@h:1",
      "--store-password-file", "nowhere"), "password file nowhere"),
    (("--exporter", "http://127.0.0.1:9", "--store", "influxdbs://h:1", "--store-ca", "nowhere"),
     "CA certificate nowhere"),
    (("--exporter", "http://127.0.0.1:9", "--store", "sqlite:///s.sqlite", "--without", "rapl"),
     "--without is for an exporter of our own"),
    (("--sensor", "nowhere"), "--sensor nowhere: not of the form"),
    (("--sensor", "nowhere:Meter"), "--sensor nowhere:Meter: ModuleNotFoundError"),
    (("--sensor", "nameless:Nameless"), "--sensor nameless:Nameless:"),
    (("--without", "nothing"), "--without nothing: no such sensor"),
    (("--tdp-watts", "-5"), "a TDP of -5 W is not possible"),
    (("--tdp-watts", "nan"), "a TDP of nan W is not possible"),
    (("--tdp-watts", "x"), "--tdp-watts x: not a number of watts"),
    (("--sysfs", "nowhere"), "--sysfs nowhere: no such folder"),
    (("--procfs", "diary"), "--procfs diary: no such folder"),
    (("--store-password-file", "keys"), "--store-password-file is for a store of --store"),
    (("--store-ca", "text.pem"), "--store-ca is for a store of --store"),
    (("--data", "diary"), "data folder diary: "),
    (("--data", "/proc/nowhere"), "data folder /proc/nowhere: "),
]  # fmt: skip
NEWER = (("--data", "newer"), "runner.sqlite")
SERVE = [
    NEWER,
    (("--listen", "8080"), "--listen 8080: not of the form HOST:PORT"),
    (("--listen", "127.0.0.1:70000"), "not of the form HOST:PORT"),
    (("--listen", "192.0.2.1:0", "--key-file", "keys", "--insecure-network"), "cannot listen on"),
    (("--listen", "0.0.0.0:0"), "is not loopback: give --key-file"),
    (("--listen", "0.0.0.0:0", "--key-file", "keys"), "give --tls-cert and --tls-key"),
    (("--config", "nowhere.toml"), "nowhere.toml: No such file"),
    (("--config", "diary"), "diary is not TOML"),
    (("--config", "workloads.toml"), "needs exactly one of builtin"),
    (("--config", "scores.toml"), "a"),
    (("--key-file", "nowhere"), "key file nowhere: No such file"),
    (("--key-file", "open-keys"), "others can read key file open-keys"),
    (("--key-file", "diary"), "key file diary"),
    (("--tls-cert", "text.pem"), "--tls-cert and --tls-key go together"),
    (("--tls-key", "text.pem"), "--tls-cert and --tls-key go together"),
    (("--tls-cert", "nowhere", "--tls-key", "nowhere"), "TLS certificate nowhere"),
    (("--tls-cert", "text.pem", "--tls-key", "text.pem"), "TLS certificate text.pem"),
    (("--allowed-host", "http://lab7:80"), "--allowed-host 'http://lab7:80'"),
    (("--allowed-host", ""), "--allowed-host ''"),
    (("--allowed-host", "''"), "--allowed-host "),
    (("--allowed-host", '"lab7"'), "--allowed-host "),
]
FIT = [
    NEWER,
    (("--workload", "nothing"), "unknown workload 'nothing'"),
    (("--models", "nothing"), "has no model 'nothing'"),
    (("--repeats", "0"), "--repeats 0: give above 0"),
    (("--seconds", "0"), "--seconds 0: give above 0"),
    (("--seconds", "nan"), "--seconds nan: give above 0"),
    (("--batch-size", "0"), "batch_size"),
    (("--idle-seconds", "-1"), "--idle-seconds -1: give 0 or more"),
    (("--between-seconds", "inf"), "--between-seconds inf: give 0 or more"),
]


RUN = [
    (("--key-file", "nowhere"), "key file nowhere"),
    (("--ca", "nowhere"), "CA certificate nowhere: "),
    (("--ca", "text.pem"), "CA certificate text.pem: "),
    (("--parameter", "size"), "--parameter size: not of the form NAME=VALUE"),
    (("--label", "size"), "--label size: not of the form NAME=VALUE"),
    (("--runner", "nonsense://x"), "runner nonsense://x is not http://HOST:PORT"),
    (("--runner", "lab7:8080"), "runner lab7:8080 is not http://HOST:PORT"),
]
EXEC = [
    (("--idle-seconds", "-1"), "--idle-seconds -1: give 0 or more"),
    (("-o", "nowhere/result.json"), "cannot write nowhere/result.json"),
    (("-o", "."), "cannot write ."),
]
FOLDERS = [
    *((("older", *options), says) for options, says in ROOMS if "--store" in options),
    (("empty", "--exporter", "http://127.0.0.1:9", "--store", "mysql://x"), "is neither sqlite"),
    (("newer-store",), "update it"),
    (("other-store",), "another program's SQLite database"),
]
COMMAND = ["sh", "-c", "exit 7"]


def command_line(command: str, options: tuple[str, ...], taken: str) -> list[str]:
    """The command with a wrong option, and with what it needs beside it."""
    match command:
        case "serve":
            needs = [] if "--listen" in options else ["--listen", "127.0.0.1:0"]
        case "fit":
            needs = [] if "--workload" in options else ["--workload", "digits"]
        case "exec":
            return ["exec", *options, "--", *COMMAND]
        case _:
            needs = ["digits", "cnn-small", "--runner", f"http://{taken}"]
    return [command, *needs, *options]


CASES = [
    *(("serve", options, says) for options, says in [*ROOMS, *SERVE]),
    *(("fit", options, says) for options, says in [*ROOMS, *FIT]),
    *(("exec", options, says) for options, says in [*ROOMS, *EXEC]),
    *(("run", options, says) for options, says in RUN),
]
"""Each option of exporter, store, runner, workload and windows that can be wrong."""


@pytest.fixture(scope="module")
def taken() -> Iterator[str]:
    """An address that another program listens on, which never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a file for each way to be wrong."""
    folder = tmp_path_factory.mktemp("wrong")
    (folder / "workloads.toml").write_text("[workloads.x]\ncolour = 1\n")
    (folder / "scores.toml").write_text('[workloads.d]\nbuiltin = "digits"\n[scores]\na = "1 +"\n')
    (folder / "keys").write_text("run a-key-of-the-tests\n")
    (folder / "keys").chmod(0o600)
    (folder / "open-keys").write_text("run a-key-of-the-tests\n")
    (folder / "open-keys").chmod(0o644)
    (folder / "text.pem").write_text("not a certificate\n")
    (folder / "diary").write_text("my diary\n" * 100)
    (folder / "nameless.py").write_text(SENSOR)
    (folder / "newer").mkdir()
    with closing(sqlite3.connect(folder / "newer" / "runner.sqlite")) as connection:
        connection.execute("PRAGMA user_version = 9999")
        connection.execute("CREATE TABLE runs (x)")
        connection.commit()
    for name in ("older", "newer-store", "other-store"):
        (folder / name).mkdir()
        shutil.copy(VERSIONS / "runner.sqlite", folder / name)
    (folder / "empty").mkdir()
    shutil.copy(VERSIONS / "store.sqlite", folder / "newer-store")
    for name, change in (
        ("newer-store", "PRAGMA user_version = 9999"),
        ("other-store", "CREATE TABLE x (y)"),
    ):
        with closing(sqlite3.connect(folder / name / "store.sqlite")) as connection:
            connection.execute(change)
    return folder


def contents(folder: Path) -> dict[str, dict[str, bytes]]:
    """The files of each data folder."""
    names = {name for (name, *_), _ in FOLDERS}
    return {
        name: {path.name: path.read_bytes() for path in sorted((folder / name).iterdir())}
        for name in names
    }


@pytest.fixture(scope="module")
def spied(folder: Path, taken: str) -> dict[str, Any]:
    """All cases, one after the other in one interpreter, and one with the port in use."""
    lines = [command_line(command, options, taken) for command, options, _ in CASES]
    lines += [["serve", "--listen", "127.0.0.1:0", "--data", *words] for words, _ in FOLDERS]
    lines += [["serve", "--listen", taken]]
    before = contents(folder)
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r});"
         " import runpy; runpy.run_module('tests.cli.spied', run_name='__main__')"],
        input=json.dumps(lines), cwd=folder, capture_output=True, text=True, timeout=240,
        check=True,
    )  # fmt: skip
    body: dict[str, Any] = json.loads(done.stdout)
    return {**body, "before": before, "folders": contents(folder)}


@pytest.mark.parametrize("number", range(len(CASES)), ids=[" ".join([c, *o]) for c, o, _ in CASES])
def test_a_wrong_option_is_refused_before_anything_is_started(
    spied: dict[str, Any], number: int
) -> None:
    """One line, a non-zero status, no process. ``exec`` alone runs its command all the same, not
    measured, and has its status."""
    command, _, says = CASES[number]
    result = spied["results"][number]
    assert result["out"] == ""
    assert result["err"].startswith("wattmark: ")
    assert result["err"].count("\n") == 1
    assert says in result["err"]
    if command == "exec":
        assert result["err"].startswith("wattmark: not measured: ")
        assert result["status"] == 7
        assert result["started"] == [COMMAND]
    else:
        assert result["status"] in {1, 2}
        assert result["started"] == []


@pytest.mark.parametrize("number", range(len(FOLDERS)), ids=[" ".join(o) for o, _ in FOLDERS])
def test_a_wrong_store_leaves_the_data_folder_as_it_is(spied: dict[str, Any], number: int) -> None:
    """An older version's runs are not changed for a service that does not start, nor does an empty
    folder get a file."""
    (name, *_), says = FOLDERS[number]
    result = spied["results"][len(CASES) + number]
    assert says in result["err"]
    assert (result["started"], result["status"] in {1, 2}) == ([], True)
    assert spied["folders"][name] == spied["before"][name]


def test_a_port_in_use_is_refused_at_once(spied: dict[str, Any], taken: str) -> None:
    """It is named, with the option that chooses another."""
    result = spied["results"][-1]
    assert f"another program listens on {taken}; choose another with --listen" in result["err"]
    assert (result["status"], result["started"]) == (1, [])


def test_no_framework_and_no_server_is_imported_for_it(spied: dict[str, Any]) -> None:
    """By none of the cases."""
    assert spied["imported"] == []
