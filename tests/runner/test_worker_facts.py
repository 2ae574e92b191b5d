"""What is recorded of the machine."""

from pathlib import Path

import pytest

from wattmark_runner.worker.facts import about_machine

LINE = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.86.15  Release Build\n"


@pytest.mark.parametrize(
    ("text", "driver"), [(LINE, "570.86.15"), ("something else\n", "something else"), (None, None)]
)
def test_the_gpu_driver_is_recorded(tmp_path: Path, text: str | None, driver: str | None) -> None:
    """As the kernel module says it; left out where there is none."""
    (tmp_path / "cpuinfo").write_text("model name : Test CPU\n")
    if text is not None:
        (tmp_path / "driver/nvidia").mkdir(parents=True)
        (tmp_path / "driver/nvidia/version").write_text(text)
    facts = about_machine(tmp_path)
    assert facts.get("nvidia_driver") == driver
    assert facts["cpu_model"] == "Test CPU"
    assert facts["wattmark"]
