"""What is recorded of the machine."""

from pathlib import Path

import pytest

from wattmark_core.machine import about_machine, wattmark_version

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
    assert facts.get("wattmark", "") == wattmark_version()


def test_a_machine_without_proc_is_recorded_without_its_facts(tmp_path: Path) -> None:
    """A fact that cannot be read is left out, and the others are recorded."""
    facts = about_machine(tmp_path / "nowhere")
    assert not {"cpu_model", "nvidia_driver"} & facts.keys()
    assert facts["python"]
    assert facts["cpus_visible"]


def test_what_changes_a_frameworks_speed_is_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Variables of TensorFlow, PyTorch and JAX by their whole names; no other is, for records are
    published and it may be a secret."""
    (tmp_path / "cpuinfo").write_text("model name : Test CPU\n")
    relevant = (
        "JAX_DEFAULT_MATMUL_PRECISION", "JAX_PLATFORMS", "KERAS_TORCH_DEVICE",
        "TF_ENABLE_ONEDNN_OPTS", "XLA_FLAGS", "XLA_PYTHON_CLIENT_PREALLOCATE",
    )  # fmt: skip
    for name in (*relevant, "JAX_COORDINATOR_PASSPHRASE"):
        monkeypatch.setenv(name, "set")
    facts = about_machine(tmp_path)
    assert {f"env {name}" for name in relevant} <= facts.keys()
    assert "env JAX_COORDINATOR_PASSPHRASE" not in facts
