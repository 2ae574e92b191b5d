"""dcgm-exporter's numbers are believed within what a board can draw, and once for each board."""

import logging

import pytest

from wattmark_collector.normalise import Normaliser
from wattmark_core.sample import Sample

SECOND = 1_000_000_000
GPU = "GPU-5fd4f087-86f3-7a43-b711-4771313afc50"


def page(millijoules: object = None, watts: object = None, gpu: str = GPU, labels: str = "") -> str:
    """Lines of one board; ``labels`` of a slice of it."""
    named = f'{{gpu="0",UUID="{gpu}",modelName="NVIDIA H100"{labels}}}'
    energy = f"DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION{named} {millijoules}\n"
    power = f"DCGM_FI_DEV_POWER_USAGE{named} {watts}\n"
    return ("" if millijoules is None else energy) + ("" if watts is None else power)


def of(samples: list[Sample], measurement: str, field: str) -> list[float]:
    """The values of a field."""
    return [float(s.fields[field]) for s in samples if s.measurement == measurement]


def slices(first: int, second: int, watts: float = 400.0) -> str:
    """Two MIG slices of a board, which dcgm-exporter read one after the other."""
    return page(first, watts, labels=',GPU_I_ID="1",GPU_I_PROFILE="3g.40gb"') + page(
        second, watts, labels=',GPU_I_ID="2",GPU_I_PROFILE="3g.40gb"'
    )


def test_slices_that_do_not_agree_are_one_counter() -> None:
    """The largest is the newest; no epoch opens for a change of which it is."""
    normaliser, epochs, joules = Normaliser("u", "h"), set(), []
    for second in range(1, 12):
        newest, older = 400_000 * second, 400_000 * second - 35_000
        pair = (newest, older) if second % 2 else (older, newest)
        samples = normaliser.take(slices(*pair, 400.0 + second), second * SECOND)
        joules += of(samples, "energy", "joules")
        epochs |= set(of(samples, "energy", "epoch"))
        assert len([s for s in samples if s.measurement == "power"]) == (1 if second > 1 else 0)
    assert len(epochs) == 1
    assert joules == [400.0 * n for n in range(10)]
    assert normaliser.dropped == 0


def test_a_slice_whose_line_is_lost_opens_no_epoch() -> None:
    """The other one is a little older: that is a fall, and is not believed."""
    normaliser, epochs = Normaliser("u", "h"), set()
    for second in range(1, 12):
        text = slices(90_000_000 + 400_000 * second, 90_000_000 + 400_000 * second - 500_000)
        if second == 6:
            text = "?" + text
        samples = normaliser.take(text, second * SECOND)
        epochs |= set(of(samples, "energy", "epoch"))
    assert len(epochs) == 1
    assert of(samples, "energy", "joules") == [400.0 * 9]


@pytest.mark.parametrize(
    ("watts", "limit", "taken"),
    [("350.5", None, True), ("2000", None, True), ("2000.5", None, False), ("1e9", None, False),
     ("-3", None, False), ("0.1", None, False), ("0", None, False), ("9.5", None, True),
     ("2500", 3000.0, True), ("700", 600.0, False), ("NaN", None, False),
     ("+Inf", None, False), ("9223372036854775794", None, False), ("2147483632", None, False),
     ("140737488355328.000000", None, False)],
)  # fmt: skip
def test_power_is_bounded(watts: str, limit: float | None, taken: bool) -> None:
    """By 2 kW, or by ``max_watts`` of the target; a board that answers draws half a watt or more;
    DCGM's blanks are no power."""
    normaliser = Normaliser("u", "h", max_watts=limit)
    normaliser.take(page(1000, "1"), SECOND)
    samples = normaliser.take(page(2000, watts), 2 * SECOND)
    assert of(samples, "power", "watts") == ([float(watts)] if taken else [])
    assert of(samples, "energy", "joules") == [0.0]


@pytest.mark.parametrize(
    ("metric", "wrong", "right", "field", "kept"),
    [("DEV_GPU_UTIL", "9999", "97", "utilization_ratio", 0.97),
     ("DEV_GPU_UTIL", "100.5", "100", "utilization_ratio", 1.0),
     ("PROF_SM_ACTIVE", "37", "0.37", "sm_active_ratio", 0.37),
     ("PROF_DRAM_ACTIVE", "1e6", "1.000011", "dram_active_ratio", 1.000011),
     ("PROF_PIPE_TENSOR_ACTIVE", "-1", "0", "tensor_active_ratio", 0.0),
     ("DEV_FB_USED", "1e15", "81559", "memory_used_bytes", 81559.0 * 1024 * 1024),
     ("DEV_GPU_TEMP", "1e9", "-5", "temperature_celsius", -5.0),
     ("DEV_SM_CLOCK", "1e12", "1980", "sm_clock_hertz", 1.98e9),
     ("DEV_MEM_CLOCK", "-2", "2619", "memory_clock_hertz", 2.619e9)],
)  # fmt: skip
def test_gauges_are_bounded(metric: str, wrong: str, right: str, field: str, kept: float) -> None:
    """What no board can have is left out and counted; the board's other values stay."""
    normaliser = Normaliser("u", "h")
    line = f'DCGM_FI_{metric}{{gpu="0",UUID="{GPU}"}} '
    normaliser.take(page(1000, 101) + line + wrong, SECOND)
    samples = normaliser.take(page(2000, 102) + line + wrong, 2 * SECOND)
    assert (of(samples, "power", "watts"), of(samples, "energy", "joules")) == ([102.0], [0.0])
    assert not [sample for sample in samples if field in sample.fields]
    assert normaliser.dropped == 2
    samples = normaliser.take(page(3000, 103) + line + right, 3 * SECOND)
    assert of(samples, "gpu", field) == [pytest.approx(kept)]


def test_what_is_out_of_bounds_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """By metric and board."""
    normaliser = Normaliser("http://t/metrics", "h")
    with caplog.at_level(logging.WARNING):
        for second in range(1, 4):
            normaliser.take(page(1000 * second, 1e9), second * SECOND)
    (record,) = caplog.records
    assert record.getMessage() == (
        f"target http://t/metrics: DCGM_FI_DEV_POWER_USAGE of {GPU} cannot be 1e+09 and is left"
        " out; max_watts sets its bound"
    )
    assert normaliser.dropped == 3


@pytest.mark.parametrize("wrong", ["0", "1000763000", "9223372036854775794", "NaN", "-5", "?"])
def test_energy_that_reads_wrong_once_books_nothing(wrong: str) -> None:
    """A jump is held back, a blank or a bad line passed over; the epoch goes on."""
    normaliser, booked = Normaliser("u", "h"), []
    for second in range(1, 8):
        shown = wrong if second == 4 else str(90_000_000_000 + 300_000 * second)
        for sample in normaliser.take(page(shown, 300 + second), second * SECOND):
            if sample.measurement == "energy":
                booked.append((sample.fields["epoch"], sample.fields["joules"]))
    assert len({epoch for epoch, _ in booked}) == 1
    assert [joules for _, joules in booked] == [0.0, 300.0, 900.0, 1200.0, 1500.0]


def test_a_gpu_without_a_name_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """Energy of which nobody can say whose it is."""
    normaliser = Normaliser("u", "h")
    for second in range(1, 4):
        samples = normaliser.take('DCGM_FI_DEV_POWER_USAGE{gpu="0"} 300\n', second * SECOND)
        assert samples == []
    (record,) = caplog.records
    assert (
        "DCGM_FI_DEV_POWER_USAGE names no GPU (label UUID) and is left out" in record.getMessage()
    )


def test_a_gpu_without_energy_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """A counters file without that field, or a board without a counter: it cannot be scored."""
    normaliser = Normaliser("u", "h")
    for second in range(1, 5):
        normaliser.take(page("9223372036854775794", 100 + second), second * SECOND)
    (record,) = caplog.records
    assert record.getMessage() == (
        f"target u: {GPU} has power and no energy; let dcgm-exporter give"
        " DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION"
    )
    assert normaliser.dropped == 0


def test_a_time_of_the_page_is_the_samples() -> None:
    """A federated value is of its own time, not of the scrape's; the same one is no tick."""
    normaliser, energy = Normaliser("u", "h"), list[Sample]()
    for second in range(1, 7):
        stamp_ms = 1000 * (1000 + 2 * (second // 2))
        text = page(f"{400_000 * (second // 2)} {stamp_ms}", None)
        samples = normaliser.take(text, (1005 + second) * SECOND)
        energy += [s for s in samples if s.measurement == "energy"]
    assert [(s.fields["joules"], s.time_ns / SECOND) for s in energy] == [
        (0.0, 1001.0), (400.0, 1003.0), (800.0, 1005.0),
    ]  # fmt: skip


def test_made_up_boards_are_bounded(caplog: pytest.LogCaptureFixture) -> None:
    """A page cannot fill the collector's memory with them."""
    normaliser = Normaliser("u", "h")
    for second in (1, 2):
        text = "".join(page(None, 100 + second, f"GPU-{n}") for n in range(1200))
        samples = normaliser.take(text, second * SECOND)
    assert len(samples) == 1024
    assert "over 1024 GPUs; further ones are left out" in caplog.text
