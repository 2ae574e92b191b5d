"""The wheel of an earlier version, for benchmarks that run it beside today's in the same run."""

import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks.processes import ROOT

COMMIT: Final = "9ca66c9"
"""The last one before the rooms were put in order (27 November 2026)."""


@contextmanager
def before() -> Iterator[dict[str, str]]:
    """The environment in which ``python -m wattmark_…`` is that version's, with the packages that
    are installed here."""
    (wheel,) = (ROOT / "tests/versions" / COMMIT).glob("wattmark-*.whl")
    with TemporaryDirectory(prefix="wattmark-before-") as folder:
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)
        yield {**os.environ, "PYTHONPATH": folder}


def today() -> dict[str, str]:
    """The environment of this version's programs: of the checkout that the benchmark runs from."""
    rooms = ("core", "exporters", "collector", "runner", "client", "cli")
    return {**os.environ, "PYTHONPATH": os.pathsep.join(str(ROOT / room) for room in rooms)}
