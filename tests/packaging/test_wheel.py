"""What people install: the wheel."""

import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Mapping
from email.parser import Parser
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("core", "exporters", "collector", "runner", "client", "cli")


def settings() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, bytes]:
    """The files of a wheel built from this tree, without network."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packages() -> set[str]:
    """The packages that lie in the rooms."""
    packages = (path.parent for room in ROOMS for path in (ROOT / room).glob("*/__init__.py"))
    return {package.name for package in packages if package.name.startswith("wattmark_")}


def test_holds_every_room(wheel: Mapping[str, bytes]) -> None:
    """The wheel holds the rooms' packages, all of them, and nothing else."""
    tops = {name.split("/")[0] for name in wheel if ".dist-info/" not in name}
    assert tops == packages()
    assert {"wattmark_core", "wattmark_store", "wattmark_exporters", "wattmark_collector",
            "wattmark_scoring", "wattmark_runner", "wattmark_cli"} <= tops  # fmt: skip


def test_holds_every_module(wheel: Mapping[str, bytes]) -> None:
    """Every file of a room's package is in the wheel, templates and ``py.typed`` too."""
    listed = settings()["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    missing = [
        path.relative_to((ROOT / entry).parent).as_posix()
        for entry in listed
        for path in (ROOT / entry).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
        if path.relative_to((ROOT / entry).parent).as_posix() not in wheel
    ]
    assert not missing
    assert {f"{package}/py.typed" for package in packages()} <= set(wheel)


def test_names_what_it_needs(wheel: Mapping[str, bytes]) -> None:
    """Nothing is required unless an extra asks for it; licence, Python and commands are named."""
    name = next(name for name in wheel if name.endswith(".dist-info/METADATA"))
    metadata = Parser().parsestr(wheel[name].decode())
    assert all("extra ==" in line for line in metadata.get_all("Requires-Dist", []))
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"] == ">=3.11"
    scripts = next(text for path, text in wheel.items() if path.endswith("entry_points.txt"))
    for command in ("wattmark", "wattmark-exporter", "wattmark-collector"):
        assert f"{command} = " in scripts.decode()


def test_editable_install_names_every_root() -> None:
    """An editable install looks into each folder that the wheel is made of."""
    build = settings()["tool"]["hatch"]["build"]
    roots = {Path(entry).parent.as_posix() for entry in build["targets"]["wheel"]["packages"]}
    assert roots == set(build["dev-mode-dirs"])
