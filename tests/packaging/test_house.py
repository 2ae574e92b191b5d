"""The house: its picture says what the code says, and no file is longer than a reader takes in."""

import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

from tools import house

ROOT: Final = Path(__file__).resolve().parents[2]
ROOMS: Final = (
    "core", "exporters", "collector", "runner", "client", "cli", "dashboards", "benchmarks",
    "tools",
)  # fmt: skip
CODE: Final = frozenset({".py", ".js", ".css", ".html", ".j2", ".sh"})
LINES: Final = 300
LONGER: Final[dict[str, str]] = {}
"""At most three files that are longer, each with the reason."""


def lines_of_code() -> dict[str, int]:
    """The lines of every file of code in the rooms; tests have their own measure."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: the files of the project are not known")
    command = [git, "ls-files", "-z", *ROOMS]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout
    paths = [ROOT / name for name in listed.decode().split("\0") if name]
    return {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for path in paths
        if path.suffix in CODE and path.is_file()
    }


def test_no_file_is_longer_than_it_may_be() -> None:
    """300 lines, but for the few whose reason is listed; the list names no file that is shorter."""
    lines = lines_of_code()
    assert len(lines) > 200
    assert {path for path, count in lines.items() if count > LINES} == LONGER.keys()
    assert len(LONGER) <= 3
    assert all(LONGER.values())


def test_the_picture_is_that_of_the_imports() -> None:
    """docs/images/house.svg as `python -m tools.house` draws it: every import goes down."""
    arrows = house.imports()
    level = house.floors(arrows)
    assert all(level[name] > level[to] for name in arrows for to in arrows[name])
    assert house.PICTURE.read_text(encoding="utf-8") == house.draw(arrows)


def test_a_circle_is_not_drawn() -> None:
    """The error names the way around."""
    with pytest.raises(ValueError, match="a → b → a"):
        house.floors({"a": {"b"}, "b": {"a"}})
