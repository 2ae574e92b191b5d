"""The table of workloads."""

import pytest

from wattmark_core.errors import ConfigurationError
from wattmark_runner.workloads import BUILT_IN, find_workload


def test_unknown_workload_names_the_known_ones() -> None:
    """A workload that does not exist is refused, with those that do."""
    with pytest.raises(ConfigurationError, match="'imagenet'; known are fashion-mnist, digits"):
        find_workload("imagenet")


def test_unknown_model_names_the_known_ones() -> None:
    """A model that a workload lacks is refused, with those that it has."""
    with pytest.raises(ConfigurationError, match=r"no model 'vgg'; it has mlp-small, mlp-wide"):
        find_workload("digits").require("vgg")


def test_every_workload_has_at_least_four_models() -> None:
    """A ranking needs several networks; the stand-in test set has the same ones."""
    assert all(len(workload.models) >= 4 for workload in BUILT_IN.workloads)
    assert len({workload.models for workload in BUILT_IN.workloads if workload.builtin}) == 1


def test_workloads_are_known_without_a_framework() -> None:
    """Listing the workloads, and all that the parent does, imports no framework."""
    import subprocess
    import sys

    code = "import sys, wattmark_runner.execution.run; print(*(n for n in sys.modules))"
    listed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    assert not {b"tensorflow", b"keras", b"sklearn"} & set(listed.stdout.split())


def test_a_worker_reads_no_configuration() -> None:
    """What it imports before its command holds no pydantic, which takes a tenth of a second."""
    import subprocess
    import sys

    names = "wattmark_runner.worker.__main__, wattmark_runner.workloads"
    code = f"import sys, {names}; print(*sys.modules)"
    listed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    assert not {b"pydantic", b"fastapi", b"numpy"} & set(listed.stdout.split())
