"""What a run fixes when it starts: sources, window lengths, guards."""

import pytest

from wattmark_core.catalogue import Domain, Method
from wattmark_core.errors import ConfigurationError
from wattmark_core.exporter_api import EnergySeries
from wattmark_core.results import Boundary
from wattmark_runner.execution.progress import Plan, Progress
from wattmark_runner.records.model import RunRequest
from wattmark_runner.scoring.pinning import counted, guard_seconds, window_seconds

GPU = EnergySeries(
    Domain.GPU, "GPU-1", "nvml", Method.COUNTER, 0.1, averaging_seconds=0.025, coverage_ratio=0.25
)  # fmt: skip
OTHER_GPU = EnergySeries(Domain.GPU, "GPU-2", "nvml", Method.COUNTER, 0.1)
DCGM = EnergySeries(Domain.GPU, "GPU-1", "dcgm", Method.COUNTER, 1.0)
RAPL = EnergySeries(Domain.PACKAGE, "socket0", "rapl", Method.COUNTER, 0.001)
DRAM = EnergySeries(Domain.DRAM, "socket0", "rapl", Method.COUNTER, 0.001)
PSYS = EnergySeries(Domain.PSYS, "meter", "meter", Method.COUNTER, 1.0)
ESTIMATE = EnergySeries(Domain.PACKAGE, "socket0", "estimate", Method.ESTIMATED, 0.01)


def request(gpu: str = "", boundary: Boundary | None = None) -> RunRequest:
    return RunRequest("digits", "mlp-small", gpu=gpu, boundary=boundary)


def test_a_run_on_the_cpu_counts_package_and_dram() -> None:
    """psys and the GPUs are shown beside a run on the CPU and not counted."""
    assert counted((GPU, RAPL, DRAM, PSYS), request()) == (RAPL, DRAM)


def test_a_run_on_a_gpu_counts_that_gpu_or_the_whole_host() -> None:
    """Boundary gpu counts the run's GPU alone, boundary host every GPU and the CPU."""
    assert counted((GPU, OTHER_GPU, RAPL), request("GPU-1")) == (GPU, OTHER_GPU, RAPL)
    assert counted((GPU, OTHER_GPU, RAPL), request("GPU-1", Boundary.GPU)) == (GPU,)


@pytest.mark.parametrize(
    ("series", "run_request", "message"),
    [
        ((), request(), "neither measured nor estimated"),
        ((RAPL,), request("GPU-1"), "no energy counter of GPU 'GPU-1'"),
        ((GPU,), request("GPU-1"), "neither measured nor estimated"),
        ((OTHER_GPU, RAPL), request("GPU-1"), "no energy counter of GPU 'GPU-1'"),
        ((GPU, RAPL), request(boundary=Boundary.GPU), "needs a GPU to run on"),
    ],
)
def test_a_boundary_without_its_counter_is_refused(
    series: tuple[EnergySeries, ...], run_request: RunRequest, message: str
) -> None:
    """No run starts whose score would lack a part of its boundary."""
    with pytest.raises(ConfigurationError, match=message):
        counted(series, run_request)


@pytest.mark.parametrize(
    ("series", "seconds", "guard"),
    [
        ((RAPL, DRAM), 3.0, 0.5),
        ((ESTIMATE,), 3.0, 0.5),
        ((GPU, RAPL), 10.0, 0.5),
        ((DCGM,), 100.0, 2.0),
        ((EnergySeries(Domain.GPU, "g", "nvml", Method.COUNTER, 0.1, 1.0, 0.25),), 10.0, 1.2),
    ],
)
def test_the_slowest_counter_sets_the_lengths(
    series: tuple[EnergySeries, ...], seconds: float, guard: float
) -> None:
    """100 update periods a window with the floors of each source; w + 2T a guard."""
    assert window_seconds(series) == pytest.approx(seconds)
    assert guard_seconds(series) == pytest.approx(guard)


def test_progress_never_goes_back_and_ends_at_one() -> None:
    """Stages add up by their expected length, and the time left falls to nothing."""
    reported: list[Progress] = []
    plan = Plan({"a": 10.0, "b": 30.0}, reported.append)
    for name, fraction in (("a", 0.5), ("b", 0.5), ("b", 0.2), ("b", 1.0)):
        plan.at(name, fraction, name)
    assert [progress.fraction for progress in reported] == [0.125, 0.625, 0.625, 1.0]
    assert [progress.seconds_left for progress in reported] == [35.0, 15.0, 15.0, 0.0]
