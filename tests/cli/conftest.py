"""Running the real command."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Wattmark = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def wattmark(tmp_path: Path) -> Wattmark:
    """Runs ``wattmark …`` in a folder of its own; ``cwd`` and ``env`` may be given."""

    def run(
        *arguments: str, cwd: Path = tmp_path, env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "wattmark_cli", *arguments],
            cwd=cwd,
            env={**os.environ, **(env or {})},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    return run
