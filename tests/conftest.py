"""What several rooms' tests share: an NVML library without a GPU, made from C."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent / "exporters/nvml/nvml_stub.c"
LOW_WATTS, HIGH_WATTS, HALF_SECONDS = 60.0, 300.0, 0.3


class NvmlStub:
    """Hardware under a test's control: ``env`` for the program that is to see it."""

    def __init__(self, library: Path, knobs: Path) -> None:
        paths = [str(library.parent), os.environ.get("LD_LIBRARY_PATH", "")]
        self.env = {
            "LD_LIBRARY_PATH": ":".join(filter(None, paths)),
            "WATTMARK_NVML_STUB": str(knobs),
        }
        self._file = knobs
        self._knobs: dict[str, float] = {}
        self.set()

    def set(self, **knobs: float) -> None:
        """Change knobs, named at the top of the C source; a running program sees it at once."""
        self._knobs.update(knobs)
        text = "".join(f"{name} {float(value)}\n" for name, value in self._knobs.items())
        new = self._file.with_suffix(".new")
        new.write_text(text)
        new.replace(self._file)

    @staticmethod
    def joules(seconds: float) -> float:
        """Energy of board 0 from boot to ``seconds`` of CLOCK_BOOTTIME; board i draws i + 1 times
        as much."""
        cycles, rest = divmod(seconds, 2 * HALF_SECONDS)
        low = min(rest, HALF_SECONDS)
        return cycles * (LOW_WATTS + HIGH_WATTS) * HALF_SECONDS + (
            low * LOW_WATTS + (rest - low) * HIGH_WATTS
        )


@pytest.fixture(scope="session")
def nvml_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stub, compiled."""
    gcc = shutil.which("gcc")
    if gcc is None:
        pytest.fail("gcc is missing: the NVML tests compile a stub; apt-get install gcc libc6-dev")
    library = tmp_path_factory.mktemp("nvml") / "libnvidia-ml.so.1"
    subprocess.run([gcc, "-O1", "-shared", "-fPIC", "-o", library, SOURCE], check=True)
    return library


@pytest.fixture
def nvml_stub(nvml_library: Path, tmp_path: Path) -> NvmlStub:
    """One board: 60 W and 300 W in turns of 0.3 s, counter every 20 ms, limit 400 W."""
    return NvmlStub(nvml_library, tmp_path / "nvml-stub")
