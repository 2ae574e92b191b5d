"""What is imported for an answer that needs no computing: little. A benchmark times it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

COMPUTING = {"numpy", "scipy", "pandas", "tensorflow", "torch", "jax"}
SERVING = {"fastapi", "starlette", "uvicorn", "pydantic"}
SHOWING = {"rich", "jinja2", "cryptography", "httpx", "psutil", "prometheus_client", "yaml"}


def imported(code: str) -> set[str]:
    """The top-level packages that an interpreter has after ``code``."""
    program = f"""
import sys
try:
    {code}
except SystemExit:
    pass
import json
sys.stderr.write(json.dumps(sorted(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    return {name.partition(".")[0] for name in json.loads(done.stderr)}


def of_help(*arguments: str) -> str:
    """Code that shows a help."""
    return f"from wattmark_cli.__main__ import main; main({[*arguments, '--help']!r})"


def test_the_client_brings_nothing() -> None:
    """httpx comes with the first ``Client``."""
    assert not imported("import wattmark_client") & (COMPUTING | SERVING | SHOWING)


def test_the_help_brings_nothing() -> None:
    """No command's room, no store; of the runner only the list of tables."""
    names = imported(of_help())
    assert not names & (COMPUTING | SERVING | SHOWING | {"sqlite3", "wattmark_store"})


@pytest.mark.parametrize("command", ["run", "runs", "cancel", "score", "ranking", "tls"])
def test_what_only_asks_does_not_bring_what_computes(command: str) -> None:
    """It talks to a runner, which has all that on its own machine. A check's words stand beside its
    arithmetic: what shows a score has numpy, and no more than that."""
    words = {"numpy"} if command in {"run", "score", "ranking"} else set()
    assert not imported(of_help(command)) & ((COMPUTING | SERVING) - words)


@pytest.mark.parametrize(
    "command", ["fit", "sensors", "exec", "export", "report", "republish", "serve", "table1"]
)
def test_no_command_brings_a_server_or_a_framework(command: str) -> None:
    """Those belong to the rooms that it starts."""
    names = imported(of_help(command))
    assert not names & (SERVING | {"pandas", "tensorflow", "torch", "jax"})


def test_a_store_in_influxdb_does_not_bring_pandas(tmp_path: Path) -> None:
    """Also where it is installed."""
    (tmp_path / "pandas.py").write_text("")
    names = imported(f"sys.path.insert(0, {str(tmp_path)!r}); import wattmark_store.influx")
    assert "influxdb_client" in names
    assert "pandas" not in names
