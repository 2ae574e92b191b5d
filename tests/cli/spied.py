"""Runs commands of ``wattmark`` one after the other in this interpreter and writes down, of each,
status, output and every process that it made; at the end which slow packages were imported.

Standard input is a JSON list of argument lists. ``python -m tests.cli.spied`` from the repository.
"""

import contextlib
import io
import json
import sys
from typing import Any, Final

from wattmark_cli.__main__ import main

STARTING: Final = {"subprocess.Popen", "os.fork", "os.exec", "os.posix_spawn", "os.system"}
SLOW: Final = {"tensorflow", "torch", "jax", "keras", "fastapi", "uvicorn", "pandas"}
started: list[list[str]] = []


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if event in STARTING:
        started.append([str(word) for word in arguments[1]] if len(arguments) > 1 else [event])


def _run(arguments: list[str]) -> dict[str, Any]:
    started.clear()
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = main(arguments)
        except SystemExit as end:
            status = int(end.code or 0)
    return {
        "status": status, "out": out.getvalue(), "err": err.getvalue(), "started": list(started),
    }  # fmt: skip


if __name__ == "__main__":
    sys.addaudithook(_hook)
    results = [_run(arguments) for arguments in json.load(sys.stdin)]
    imported = sorted(SLOW & sys.modules.keys())
    sys.stdout.write(json.dumps({"results": results, "imported": imported}))
