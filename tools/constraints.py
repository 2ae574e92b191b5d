"""Pin and hash what the environments install: ``make constraints``.

Writes ``constraints/NAME.txt`` from ``NAME.in`` and extras of ``pyproject.toml``. Pins stay as they
are unless ``--upgrade``. Run it under the oldest Python that is supported: its choices are tested.
"""

import argparse
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
FOLDER: Final = ROOT / "constraints"


@dataclass(frozen=True, slots=True)
class Environment:
    """A file to write: its name, the extras that it holds beside ``NAME.in``, if there is one, and
    the files whose versions it must keep to."""

    name: str
    extras: tuple[str, ...] = ()
    keep_to: tuple[str, ...] = ()


TESTED: Final = ("run.txt", "dev.txt")
ENVIRONMENTS: Final = (
    Environment("run", ("cli", "tensorflow", "images")),
    Environment("dev", ("influxdb", "efficientnet"), keep_to=("run.txt",)),
    Environment("bench", ("cli", "influxdb", "images"), keep_to=TESTED),
    # The images of the rooms, and what builds Wattmark itself in them:
    Environment("build", keep_to=TESTED),
    Environment("exporter", ("exporter",), keep_to=TESTED),
    Environment("collector", ("collector", "influxdb"), keep_to=TESTED),
    Environment("runner", ("runner", "influxdb", "images", "tensorflow"), keep_to=TESTED),
    Environment("runner-cuda", ("runner", "influxdb", "images", "tensorflow-cuda"), keep_to=TESTED),
)
OPTIONS: Final = (
    "--quiet", "--generate-hashes", "--allow-unsafe", "--strip-extras", "--no-header",
    "--no-emit-index-url", "--no-emit-trusted-host", "--no-emit-find-links", "--no-emit-options",
    "--annotation-style=line",
)  # fmt: skip
HEADER: Final = "# Pinned and hashed by `make constraints`. Do not edit.\n"
FOREIGN: Final = re.compile(r"^\s*-|://| @ |(?<![\w-])/", re.MULTILINE)
"""Option lines, addresses and absolute paths: nothing that this machine has and others have not."""


def requirements(extras: Sequence[str]) -> Iterator[str]:
    """What the extras ask for, with ``wattmark[a,b]`` taken apart."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for extra in extras:
        for requirement in project["optional-dependencies"][extra]:
            inner = re.fullmatch(rf"{project['name']}\[([\w,\s-]+)\]", requirement)
            if inner is None:
                yield requirement
            else:
                yield from requirements([name.strip() for name in inner[1].split(",")])


def clean_environment() -> dict[str, str]:
    """This process's, without places for packages that others may not have.

    A default index of one's own is set with ``PIP_INDEX_URL``.
    """
    local = {"PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"}
    inherited = {name: value for name, value in os.environ.items() if name not in local}
    return {**inherited, "PIP_CONFIG_FILE": os.devnull}


def compile_one(environment: Environment, *, upgrade: bool) -> None:
    """Write ``constraints/NAME.txt``. Raises ``CalledProcessError`` or ``ValueError``."""
    source = FOLDER / f"{environment.name}.in"
    target = FOLDER / f"{environment.name}.txt"
    own = [source.read_text(encoding="utf-8")] if source.exists() else []
    lines = [*own, *requirements(environment.extras)]
    lines += [f"-c {FOLDER / name}" for name in environment.keep_to]
    subprocess.run(
        [sys.executable, "-m", "piptools", "compile", *OPTIONS, *(["--upgrade"] if upgrade else []),
         "--output-file", target.name, "-"],
        input="\n".join(lines), text=True, check=True, cwd=FOLDER, env=clean_environment(),
    )  # fmt: skip
    pins = re.sub(r"^ *(#.*)?\n", "", target.read_text(encoding="utf-8"), flags=re.MULTILINE)
    if foreign := FOREIGN.search(pins.replace("    --hash=", "")):
        raise ValueError(f"{target}: {foreign[0]!r} is an option, an address or a path")
    target.write_text(HEADER + pins.strip() + "\n", encoding="utf-8")


def main() -> int:
    """Compile all environments. Returns the exit status."""
    parser = argparse.ArgumentParser(description="Pin and hash what the environments install.")
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions")
    options = parser.parse_args()
    for environment in ENVIRONMENTS:
        sys.stdout.write(f"constraints/{environment.name}.txt … about a minute\n")
        sys.stdout.flush()
        compile_one(environment, upgrade=options.upgrade)
    return 0


if __name__ == "__main__":
    sys.exit(main())
