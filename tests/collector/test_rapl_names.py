"""node_exporter's names for RAPL zones, of every version and of sockets with several dies."""

import logging
import time

import pytest

from wattmark_collector.normalise import Normaliser
from wattmark_core.sample import Sample

SECOND = 1_000_000_000
Names = dict[str, tuple[float, float]]
"""A zone as it stands on the page: its counter, J, and what it draws, W."""


def scraped(zones: Names, scrapes: int = 6) -> tuple[dict[tuple[str, str], float], Normaliser]:
    """The joules of each counter between the second scrape and the last, by domain and device."""
    normaliser, last = Normaliser("u", "node1"), list[Sample]()
    for second in range(1, scrapes + 1):
        page = "".join(
            f"{name} {joules + watts * second:.6f}\n" for name, (joules, watts) in zones.items()
        )
        last = normaliser.take(page, second * SECOND)
    assert {sample.tag["source"] for sample in last} <= {"node_exporter"}
    energy = {(s.tag["domain"], s.tag["device"]): float(s.fields["joules"]) for s in last}
    return energy, normaliser


def zone(name: str, index: int | None = None, folder: str = "") -> str:
    """As node_exporter 1.2.0 to 1.9 name it; without the label ``path`` before."""
    labels = [] if index is None else [f'index="{index}"']
    labels += [f'path="/host/sys/class/powercap/{folder}"'] if folder else []
    return f"node_rapl_{name}_joules_total" + (f"{{{','.join(labels)}}}" if labels else "")


def test_dies_with_counters_of_their_own() -> None:
    """Two dies of one socket, each with its dram: all of them count, each under its die."""
    energy, normaliser = scraped({
        zone("package_0_die_0", 0, "intel-rapl:0"): (1000.0, 100.0),
        zone("package_0_die_1", 0, "intel-rapl:1"): (5000.0, 120.0),
        zone("dram", 0, "intel-rapl:0:0"): (200.0, 10.0),
        zone("dram", 1, "intel-rapl:1:0"): (900.0, 12.0),
    })  # fmt: skip
    assert energy == {
        ("package", "socket0-die0"): pytest.approx(400.0),
        ("package", "socket0-die1"): pytest.approx(480.0),
        ("dram", "socket0-die0"): pytest.approx(40.0),
        ("dram", "socket0-die1"): pytest.approx(48.0),
    }
    assert normaliser.dropped == 0


def test_dies_that_mirror_one_counter_count_once() -> None:
    """Four dies of an EPYC show the socket's counter, read a few ms apart: 180 W, not 720 W."""
    energy, normaliser = scraped({
        zone(f"package_{socket}_die_{die}", 0, f"intel-rapl:{4 * socket + die}"): (
            10_000.0 + 7000 * socket + 0.4 * die, 180.0,
        )
        for socket in (0, 1) for die in range(4)
    })  # fmt: skip
    assert energy == {
        ("package", "socket0"): pytest.approx(720.0), ("package", "socket1"): pytest.approx(720.0),
    }  # fmt: skip
    assert normaliser.dropped == 0


@pytest.mark.parametrize("lost", range(8))
def test_a_line_that_is_lost_once_changes_no_mirror(lost: int) -> None:
    """The others show the same counter; no energy is booked twice or lost."""
    normaliser, joules = Normaliser("u", "node1"), list[tuple[str, float, float]]()
    for second in range(1, 13):
        lines = [
            f"{zone(f'package_0_die_{die}', 0, f'intel-rapl:{die}')} {10_000 + 180 * second}"
            for die in (0, 1)
        ]
        if second == lost:
            lines[0] = "?" + lines[0]
        for sample in normaliser.take("\n".join(lines) + "\n", second * SECOND):
            fields = sample.fields
            joules.append((sample.tag["device"], float(fields["epoch"]), float(fields["joules"])))
    assert {device for device, _, _ in joules} == {"socket0"}
    assert joules[-1][2] == pytest.approx(180.0 * 10)


@pytest.mark.parametrize(
    ("zones", "devices"),
    [
        ([zone("package_0_die_0", 0), zone("package_1_die_0", 0), zone("dram", 0),
          zone("dram", 1)],
         ["package socket0", "package socket1", "dram socket0", "dram socket1"]),
        (["node_rapl_package_joules_total", "node_rapl_dram_joules_total"],
         ["package socket0", "dram socket0"]),
        ([zone("package", 1), zone("package", 0), zone("dram", 0), zone("dram", 1),
          zone("core", 0), zone("core", 1)],
         ["package socket1", "package socket0", "dram socket0", "dram socket1", "core socket0",
          "core socket1"]),
        (['{"node_rapl_package-0-die-0_joules_total",index="0"}',
          '{"node_rapl_package-0-die-1_joules_total",index="0"}'],
         ["package socket0-die0", "package socket0-die1"]),
        (['node_rapl_joules_total{index="0",path="/sys/class/powercap/intel-rapl:0",'
          'rapl_zone="package"}',
          'node_rapl_joules_total{index="1",path="/sys/class/powercap/intel-rapl:1",'
          'rapl_zone="package"}',
          'node_rapl_joules_total{index="1",path="/sys/class/powercap/intel-rapl:1:0",'
          'rapl_zone="dram"}',
          'node_rapl_joules_total{index="0",path="/sys/class/powercap/intel-rapl:2",'
          'rapl_zone="psys"}',
          ], ["package socket0", "package socket1", "dram socket1", "psys platform"]),
        (['node_rapl_joules_total{index="0",path="/x/intel-rapl:0",rapl_zone="package-0-die-0"}',
          'node_rapl_joules_total{index="0",path="/x/intel-rapl:1",rapl_zone="package-0-die-1"}'],
         ["package socket0-die0", "package socket0-die1"]),
        ([zone("psys", 0), zone("psys_1"), zone("package_1")],
         ["psys platform", "psys platform1", "package socket1"]),
        ([zone("package", 0, "intel-rapl:0"), zone("package", 0, "intel-rapl-mmio:0"),
          zone("uncore", 0, "intel-rapl:0:1")], ["package socket0", "uncore socket0"]),
        ([zone("package", 0, "intel-rapl-mmio:0")], ["package socket0"]),
    ],
    ids=["one die a socket, without paths", "no labels", "before 1.2.0", "names in quotes",
         "zone label", "zone label, dies", "psys", "copies by mmio", "mmio alone"],
)  # fmt: skip
def test_names_of_all_versions(zones: list[str], devices: list[str]) -> None:
    """What each one covers; nothing is left out."""
    given = {name: (1000.0 + 500 * n, 50.0 + n) for n, name in enumerate(zones)}
    energy, normaliser = scraped(given)
    found = {f"{domain} {device}": joules for (domain, device), joules in energy.items()}
    order = [name for name in zones if "mmio:0" not in name or len(zones) == 1]
    assert found == {
        device: pytest.approx(4 * given[name][1])
        for name, device in zip(order, devices, strict=True)
    }
    assert normaliser.dropped == 0


@pytest.mark.parametrize(
    ("zones", "told"),
    [
        ([zone("core", 0, "intel-rapl:0:0"), zone("core", 1, "intel-rapl:0:1")],
         "RAPL core of socket0 stands 2 times, and none of them is its whole and is left out"),
        ([zone("gpu", 0)], "RAPL zone 'gpu' is not known and is left out"),
        ([zone("package", 0), zone("package", 1), "node_rapl_dram_joules_total"],
         "RAPL zone dram says of no socket that it is its own and is left out"),
    ],
)  # fmt: skip
def test_what_cannot_be_told_apart_is_told_once(
    zones: list[str], told: str, caplog: pytest.LogCaptureFixture
) -> None:
    """By name; the others are taken."""
    given = {name: (1000.0 * n, 50.0) for n, name in enumerate([*zones, zone("package", 9)], 1)}
    with caplog.at_level(logging.WARNING):
        energy, normaliser = scraped(given)
    assert ("package", "socket9") in energy
    assert [record.getMessage() for record in caplog.records] == [f"target u: {told}"]
    assert normaliser.dropped > 0


def test_a_zone_that_stands_still_gives_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """In a virtual machine: it is named once, after two minutes, and another source counts."""
    zones = {zone("package", 0): (0.0, 0.0), zone("dram", 0): (0.0, 3.0)}
    energy, normaliser = scraped(zones, 120)
    assert [*energy] == [("dram", "socket0")]
    assert not caplog.records
    scraped(zones, 130)
    (record,) = caplog.records
    assert record.getMessage() == (
        "target u: RAPL package of socket0 has stood at 0 J for over 120 s: it does not count, or"
        " its exporter reads no more; another source counts in its place"
    )
    assert normaliser.dropped == 0


@pytest.mark.parametrize("part", ["package", "dram", "psys"])
def test_an_index_of_thousands_of_digits_costs_no_other_zone(part: str) -> None:
    """Python reads no number of more than 4,300 digits; the page is foreign."""
    text = f'node_rapl_{part}_joules_total{{index="{"9" * 5000}"}} %d\n'
    normaliser, last = Normaliser("u", "node1"), list[Sample]()
    for second in range(1, 4):
        page = f'node_rapl_package_joules_total{{index="0"}} {100 * second}\nmine 1\n'
        page += f"node_rapl_dram_joules_total {10 * second}\n" + text % (7 * second)
        last = normaliser.take(page, second * SECOND)
    energy = {(s.tag.get("domain"), s.tag.get("device")): s.fields for s in last}
    assert energy["package", "socket0"]["joules"] == 100.0
    assert [sample.fields for sample in last if sample.measurement == "mine"] == [{"value": 1.0}]


@pytest.mark.parametrize("name", ["package_7_die_{}", "package_9{}", "dram_{}", "psys_{}"])
def test_made_up_zones_cost_no_time(name: str, caplog: pytest.LogCaptureFixture) -> None:
    """Each would be compared with all others, while other targets wait."""
    normaliser = Normaliser("u", "node1")
    text = "".join(zone(name.format(n)) + f" {1000 * n}\n" for n in range(5000))
    started = time.process_time()
    normaliser.take(zone("package", 0) + " 5\n" + text, SECOND)
    samples = normaliser.take(zone("package", 0) + " 9\n" + text, 2 * SECOND)
    assert time.process_time() - started < 5.0
    assert [sample.tag["device"] for sample in samples if sample.fields["joules"] == 0.0][:1] == [
        "socket0"
    ]
    assert normaliser.dropped >= 2 * (5001 - 256)
    assert "target u: over 256 RAPL zones; further ones are left out" in caplog.messages
