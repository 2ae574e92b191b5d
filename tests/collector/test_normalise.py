"""Pages of real exporters become samples in base units."""

import logging
import re
from collections.abc import Callable

import pytest

from wattmark_collector.normalise import Normaliser
from wattmark_core.errors import ExporterError
from wattmark_core.sample import Sample

ReadPage = Callable[..., str]
SECOND = 1_000_000_000
GPU0, GPU1 = "GPU-604ac76c-d9cf-fef3-62e9-d92044ab6e52", "GPU-0a3b7e55-2f0c-4c1d-9a55-1d5a8c3f7b21"


def of(samples: list[Sample], measurement: str, **tags: str) -> list[Sample]:
    """The samples of a measurement with these tags."""
    return [
        sample for sample in samples
        if sample.measurement == measurement and tags.items() <= sample.tag.items()
    ]  # fmt: skip


def test_dcgm_gives_energy_power_and_load_by_uuid(page: ReadPage) -> None:
    """mJ, percent, MiB and MHz become base units, the profiling fields are kept; the container's
    name is not the host's."""
    normaliser = Normaliser("u", "node1")
    assert normaliser.take(page("dcgm"), 10 * SECOND) == []
    moved = page("dcgm", {"1782731458291": "1782731519639", "1790042118034": "1790042516805"})
    normaliser.take(moved, 11 * SECOND)
    moved = page("dcgm", {"1782731458291": "1782731580987", "1790042118034": "1790042915576",
                          "61.348000": "61.5", "97": "98"})  # fmt: skip
    samples = normaliser.take(moved, 12 * SECOND)
    (energy,) = of(samples, "energy", device=GPU0)
    assert energy.tag == {"host": "node1", "domain": "gpu", "device": GPU0, "source": "dcgm",
                          "method": "counter"}  # fmt: skip
    assert energy.fields["joules"] == pytest.approx(61.348)
    assert energy.fields["epoch"] == 10_500
    assert energy.fields["uncertainty_seconds"] == 0.5
    assert energy.time_ns == 11_500_000_000
    (power,) = of(samples, "power", device=GPU0)
    assert (power.tags, power.fields) == (energy.tags, {"watts": 61.5})
    (gpu,) = of(samples, "gpu", device=GPU1)
    assert gpu.tag == {"host": "node1", "device": GPU1, "gpu": "1",
                       "model": "NVIDIA A100-SXM4-80GB"}  # fmt: skip
    assert gpu.fields == {
        "utilization_ratio": 0.98, "memory_used_bytes": 40537 * 2**20, "sm_clock_hertz": 1.41e9,
        "sm_active_ratio": 0.871002, "dram_active_ratio": 0.563981,
        "tensor_active_ratio": 0.412377,
    }  # fmt: skip
    assert len(samples) == 6


def test_dcgms_cached_values_are_not_served_again(page: ReadPage) -> None:
    """A device whose values are those of the scrape before yields nothing, the other goes on."""
    normaliser = Normaliser("u", "node1")
    normaliser.take(page("dcgm"), 1 * SECOND)
    assert normaliser.take(page("dcgm"), 2 * SECOND) == []
    samples = normaliser.take(page("dcgm", {"1790042118034": "1790042516805"}), 3 * SECOND)
    assert {sample.tag["device"] for sample in samples} == {GPU1}
    assert [sample.measurement for sample in samples] == ["energy", "power", "gpu"]


def test_a_device_that_dcgm_blanks_out_is_missing(page: ReadPage) -> None:
    """Its sentinels are never numbers."""
    normaliser = Normaliser("u", "node1")
    blank = {"1790042118034": "9223372036854775794", "398.771000": "140737488355328.000000"}
    normaliser.take(page("dcgm"), 1 * SECOND)
    samples = normaliser.take(page("dcgm", blank), 2 * SECOND)
    assert [(s.measurement, s.tag["device"]) for s in samples] == [("gpu", GPU1)]


def test_mig_slices_stand_for_their_board(page: ReadPage) -> None:
    """Energy and power once, memory and use of a slice not at all."""
    normaliser = Normaliser("u", "node7")
    for second, millijoules in enumerate(("5000", "6000", "7000")):
        samples = normaliser.take(page("dcgm_mig", {"5000": millijoules}), (second + 1) * SECOND)
    assert [(s.measurement, dict(s.fields)) for s in samples] == [
        ("energy", {"joules": 1.0, "epoch": 1500, "uncertainty_seconds": 0.5}),
        ("power", {"watts": 412.5}),
    ]


def test_node_exporter_gives_rapl_by_socket(page: ReadPage) -> None:
    """The socket is that of the package above; psys is the platform's, a mirrored die is left."""
    normaliser = Normaliser("u", "node1")
    assert normaliser.take(page("node_exporter"), 1 * SECOND) == []
    values = {"100321.115": 10.0, "9123.25": 20.0, "8123.5": 30.0, "118297.425": 40.0,
              "97212.0625": 50.0, "250111": 60.0}  # fmt: skip
    for times in (1, 2):
        moved = {old: str(float(old) + times * step) for old, step in values.items()}
        samples = normaliser.take(page("node_exporter", moved), (1 + times) * SECOND)
    assert {(s.tag["domain"], s.tag["device"]): s.fields["joules"] for s in samples} == {
        ("core", "socket0"): 10.0, ("dram", "socket0"): 20.0, ("dram", "socket1"): 30.0,
        ("package", "socket0"): 40.0, ("package", "socket1"): 50.0, ("psys", "platform"): 60.0,
    }  # fmt: skip
    assert {s.tag["source"] for s in samples} == {"node_exporter"}
    assert {s.time_ns for s in samples} == {3 * SECOND}
    assert {s.measurement for s in samples} == {"energy"}


def test_two_counters_of_one_name_are_left_out(page: ReadPage) -> None:
    """AMD's cores, and zones without a path, cannot be told apart."""
    text = (
        'node_rapl_core_joules_total{index="0",path="/sys/class/powercap/intel-rapl:0:0"} 1\n'
        'node_rapl_core_joules_total{index="1",path="/sys/class/powercap/intel-rapl:0:1"} 2\n'
        'node_rapl_package_joules_total{index="0"} 7\n'
        'node_rapl_package_joules_total{index="0",path="/x/intel-rapl-mmio:0"} 7\n'
    )
    normaliser = Normaliser("u", "node1")
    normaliser.take(text, SECOND)
    samples = normaliser.take(re.sub(r"(\d)$", r"\g<1>0", text, flags=re.MULTILINE), 2 * SECOND)
    assert [(s.tag["domain"], s.tag["device"]) for s in samples] == [("package", "socket0")]


def test_a_wrap_opens_an_epoch(page: ReadPage) -> None:
    """node_exporter shows the hardware's counter as it is."""
    normaliser = Normaliser("u", "node1")
    epochs = []
    for second, value in enumerate(("262100.5", "262140.5", "20.25", "60.25", "100.25"), 1):
        samples = normaliser.take(page("node_exporter", {"97212.0625": value}), second * SECOND)
        epochs += [(s.fields["epoch"], s.fields["joules"]) for s in samples]
    assert epochs == [(2000, 0.0), (4000, 0.0), (4000, 40.0)]


@pytest.mark.parametrize(
    ("keep", "expected"),
    [
        (None, set()),
        ("node_load1", {"node_load1"}),
        ("node_.*|go_goroutines", {
            "node_load1", "go_goroutines", "node_cpu_seconds_total", "node_rapl_core_joules_total",
            "node_rapl_dram_joules_total", "node_rapl_package_joules_total",
            "node_rapl_psys_joules_total", "node_rapl_package_0_die_1_joules_total"}),
    ],
)  # fmt: skip
def test_of_known_exporters_only_what_the_target_asks_for(
    page: ReadPage, keep: str | None, expected: set[str]
) -> None:
    """The rule names whole metric names."""
    rule = None if keep is None else re.compile(keep)
    samples = Normaliser("u", "node1", rule).take(page("node_exporter"), SECOND)
    assert {sample.measurement for sample in samples} == expected


def test_unknown_metrics_are_kept_as_they_are(
    page: ReadPage, caplog: pytest.LogCaptureFixture
) -> None:
    """Reserved labels are renamed, times of the page are used, bad values and owned names dropped
    and counted; each refused name is logged once."""
    normaliser = Normaliser("http://plug/metrics", "lab")
    with caplog.at_level(logging.WARNING):
        samples = normaliser.take(page("custom"), 1_700_000_001 * SECOND)
        normaliser.take(page("custom"), 1_700_000_002 * SECOND)
    (plug,) = of(samples, "plug_watts")
    assert plug.fields == {"value": 214.5}
    assert plug.tag == {"host": "lab", "exported_host": "plug-7", "room": "lab 1",
                        "note": 'a"b,c=d e\\'}  # fmt: skip
    (queue,) = of(samples, "queue_depth")
    assert queue.time_ns == 1_700_000_000_123_000_000
    assert queue.tag == {"host": "lab", "exported_time": "now", "exported_value": "x"}
    assert [s.tag.get("le") for s in of(samples, "request_seconds_bucket")] == ["0.1", "+Inf"]
    assert {s.measurement for s in samples} == {
        "plug_watts", "queue_depth", "request_seconds_bucket", "request_seconds_sum",
        "request_seconds_count",
    }  # fmt: skip
    assert normaliser.dropped == 2 * 4
    refused = [record.getMessage() for record in caplog.records]
    assert len(refused) == 2
    assert "metric cpu is refused, the catalogue owns that name" in refused[0]


@pytest.mark.parametrize("text", ["<html>", "a{b=c} 1", "metric one", 'x{a="1"'])
def test_what_is_not_a_page_is_an_error(text: str) -> None:
    """Which names the target."""
    with pytest.raises(ExporterError, match="http://t/metrics does not answer in Prometheus's"):
        Normaliser("http://t/metrics", "h").take(text, SECOND)
