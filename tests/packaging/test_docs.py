"""The pages: what they name is there, and what is there is named."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from wattmark_exporters.sensors.rapl.absent import UDEV_RULE
from wattmark_scoring.checks import FAMILIES

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    path for path in ROOT.rglob("*.md")
    if not any(part.startswith(".") or part == "node_modules"
               for part in path.relative_to(ROOT).parts)
)  # fmt: skip
README = (ROOT / "README.md").read_text(encoding="utf-8")
MODULES = {
    "wattmark": "wattmark_cli",
    "wattmark-exporter": "wattmark_exporters",
    "wattmark-collector": "wattmark_collector",
    "wattmark-runner": "wattmark_runner",
}
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
CODE = "\n".join(text for language, text in BLOCKS if language in {"", "sh", "console"})
COMMANDS = sorted(
    set(re.findall(r"^\$? ?(wattmark(?:-\w+)?)((?: [a-z]+[0-9]?)?)", CODE, re.MULTILINE))
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link and picture of a page is there."""
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
    local = [link for link in links if "://" not in link and not link.startswith("mailto:")]
    assert [link for link in local if not (page.parent / link).exists()] == []


def test_readme_shows_every_command() -> None:
    """The README has an example of each ``wattmark`` command."""
    named = {command.strip() for program, command in COMMANDS if program == "wattmark"}
    assert named == {
        "cancel", "exec", "export", "fit", "paper", "ranking", "report", "republish", "run",
        "runs", "score", "sensors", "serve", "table1", "table2", "table3", "tls",
    }  # fmt: skip


@pytest.mark.parametrize(("program", "command"), COMMANDS)
def test_readme_commands_exist(program: str, command: str) -> None:
    """What the README says to type answers ``--help`` and shows an example."""
    arguments = [sys.executable, "-m", MODULES[program], *command.split(), "--help"]
    done = subprocess.run(arguments, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "example" in done.stdout.lower()


def test_make_targets_exist() -> None:
    """Every ``make`` target that a page names is in the Makefile."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    for page in PAGES:
        named = re.findall(r"(?:`|^ {4})make ([a-z-]+)", page.read_text(encoding="utf-8"), re.M)
        assert set(named) <= targets, page


def test_readme_has_the_rule_that_sensors_names() -> None:
    """README and ``wattmark sensors`` give one and the same line for udev."""
    assert UDEV_RULE in README


def test_changelog_has_this_version() -> None:
    """The newest entry of the change log is the version that is built."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    entries = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.M)
    assert entries[0] == project["version"]


def test_every_room_has_a_page() -> None:
    """Each room documents itself."""
    rooms = sorted({path.parent.parent for path in ROOT.glob("*/wattmark_*/__init__.py")})
    assert [room.name for room in rooms if not (room / "README.md").is_file()] == []


def test_decisions_are_listed() -> None:
    """Every decision record is in the list, and says its status, problem and choice."""
    folder = ROOT / "docs" / "decisions"
    listed = (folder / "README.md").read_text(encoding="utf-8")
    for record in sorted(folder.glob("[0-9]*.md")):
        text = record.read_text(encoding="utf-8")
        assert f"({record.name})" in listed
        parts = ("\nStatus: ", "\n## Problem\n", "\n## Choice\n", "\n## Not chosen\n")
        assert all(part in text for part in parts), record


def test_every_check_is_explained() -> None:
    """The page on measuring has each check that a score can show, with the limits that its file
    states, in the order of findings; and each row names checks of that file."""
    page = (ROOT / "docs/measuring.md").read_text(encoding="utf-8")
    limits = [limit for family in FAMILIES for limit in family.limits]
    rows = [
        f"| {limit.names} | {limit.limit} | {limit.fails}".rstrip() + " |\n" for limit in limits
    ]
    assert "|---|---|---|\n" + "".join(rows) in page
    for family in FAMILIES:
        explained = ", ".join(limit.names for limit in family.limits)
        assert [name for name in family.words if name.split()[-1] not in explained] == []
