"""Each room stands alone: with the packages of its own extra, and no others.

The environments are put together from the packages that are installed here, so they are made in a
second and without network.
"""

import re
import subprocess
import sys
import tomllib
import venv
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
BUILD = PROJECT["tool"]["hatch"]["build"]
TEST_TOOLS = ("pytest", "hypothesis")

Environment = Callable[[Iterable[str]], Path]


def requirements(extras: Iterable[str]) -> Iterator[Requirement]:
    """What extras ask for, with ``wattmark[a,b]`` taken apart."""
    for extra in extras:
        for text in PROJECT["project"]["optional-dependencies"][extra]:
            requirement = Requirement(text)
            if requirement.name == PROJECT["project"]["name"]:
                yield from requirements(requirement.extras)
            else:
                yield requirement


def closure(requirements: Iterable[Requirement]) -> dict[str, Distribution]:
    """The installed distributions that the requirements need, by name."""
    found: dict[str, Distribution] = {}
    left = [(requirement, "") for requirement in requirements]
    while left:
        requirement, extra = left.pop()
        if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
            continue
        try:
            installed = distribution(requirement.name)
        except PackageNotFoundError:
            continue
        extras = {"", *requirement.extras}
        if requirement.name not in found or requirement.extras:
            found[requirement.name] = installed
            inner = [Requirement(text) for text in installed.requires or ()]
            left += [(need, extra) for need in inner for extra in extras]
    return found


def tops(installed: Distribution) -> set[Path]:
    """The files and folders that a distribution has in ``site-packages``."""
    names = {path.parts[0] for path in installed.files or ()} - {"..", "__pycache__"}
    return {Path(str(installed.locate_file(name))) for name in names}


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    """Make an environment with some extras and the test tools; its Python."""

    def make(extras: Iterable[str]) -> Path:
        folder = tmp_path / "venv"
        venv.create(folder, symlinks=True)
        packages = next(folder.glob("lib/python*/site-packages"))
        tools = [Requirement(name) for name in TEST_TOOLS]
        for installed in closure([*requirements(extras), *tools]).values():
            for top in tops(installed):
                if not (packages / top.name).exists():
                    (packages / top.name).symlink_to(top)
        roots = "\n".join(str(ROOT / name) for name in BUILD["dev-mode-dirs"])
        (packages / "rooms.pth").write_text(roots, encoding="utf-8")
        return folder / "bin" / "python"

    return make


IMPORT_ALL = """
import importlib, pkgutil, sys
for name in sys.argv[1:]:
    package = importlib.import_module(name)
    for module in pkgutil.walk_packages(package.__path__, name + "."):
        if ".worker." not in module.name and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
"""

ROOMS = {
    "core": (("influxdb",), ("wattmark_core", "wattmark_store")),
    "exporters": (("exporter",), ("wattmark_exporters",)),
    "collector": (("collector",), ("wattmark_collector",)),
    "scoring": (("scoring",), ("wattmark_scoring",)),
    "runner": (("runner",), ("wattmark_runner",)),
    "client": (("client",), ("wattmark_client",)),
    "cli": (("cli",), ("wattmark_cli",)),
}


@pytest.mark.parametrize("room", ROOMS)
def test_imports_alone(room: str, environment: Environment) -> None:
    """All modules of a room import with its own extra; only the runner's worker needs more."""
    extras, packages = ROOMS[room]
    command = [str(environment(extras)), "-I", "-W", "error", "-c", IMPORT_ALL, *packages]
    done = subprocess.run(command, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_an_extra_too_few_shows(environment: Environment) -> None:
    """The environments are as bare as they should be: scoring does not import without its extra."""
    command = [str(environment(())), "-I", "-c", IMPORT_ALL, "wattmark_scoring"]
    done = subprocess.run(command, text=True, capture_output=True, check=False)
    assert "No module named 'numpy'" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("tests", "extras"),
    [
        ("tests/core", ()),
        ("tests/exporters", ("exporter",)),
        ("tests/collector", ("collector",)),
        ("tests/scoring", ("scoring",)),
    ],
)
def test_passes_its_tests_alone(
    tests: str, extras: tuple[str, ...], environment: Environment, tmp_path: Path
) -> None:
    """A room passes its own tests with its own extra alone."""
    python = environment(extras)
    command = [str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not gpu",
               f"--basetemp={tmp_path / 'inner'}", tests]  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:]
    assert re.search(r"\d+ passed", done.stdout)


def test_arrows_between_rooms_hold() -> None:
    """import-linter finds no import that the design does not allow."""
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [program, "--no-cache"], cwd=ROOT, text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout
