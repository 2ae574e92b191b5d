"""Power in buckets, by the load's own formula."""

import random
from collections.abc import Callable, Sequence

import pytest

from wattmark_core.catalogue import Domain, Method
from wattmark_store.power_buckets import Counter, Part, powers, spread, unknown

S = 1_000_000_000
WIDTH = 10 * S
START = 1_700_000_000 * S
FIRST = START // WIDTH
Rows = list[tuple[int, float, int]]


def counted(
    joules: Callable[[float], float], at: Sequence[float], epoch: int = 7, zero: float = 0.0
) -> Rows:
    """Samples of a counter that stood at ``joules`` of the seconds since START; from ``zero``."""
    return [(START + round(t * S), joules(t) - joules(zero), epoch) for t in at]


def made(rows: Rows) -> dict[int, Part]:
    """Its buckets, numbered from START's own."""
    found = spread(rows, WIDTH, FIRST, FIRST + 1000)
    return {bucket - FIRST: part for bucket, part in found.items()}


def ticks(end: float, step: float = 0.1, offset: float = 0.037) -> list[float]:
    """Instants from ``offset`` on, none of them at a bucket's edge."""
    return [offset + n * step for n in range(int(end / step))]


def test_a_constant_load_is_its_watts_in_every_bucket() -> None:
    """And the first and last bucket say how much of them was seen."""
    found = made(counted(lambda t: 35.0 * t, ticks(35.0)))
    assert sorted(found) == [0, 1, 2, 3]
    assert [part.joules / part.seconds for part in found.values()] == pytest.approx([35.0] * 4)
    assert [part.seconds for part in found.values()] == pytest.approx([9.963, 10, 10, 4.937])


def test_a_changing_load_is_its_mean_in_every_bucket() -> None:
    """P(t) = 40 + 2 t, so that bucket n has a mean of 50 + 20 n."""
    found = made(counted(lambda t: 40.0 * t + t * t, ticks(61.0)))
    means = [found[n].joules / found[n].seconds for n in range(1, 6)]
    assert means == pytest.approx([50.0 + 20.0 * n for n in range(1, 6)], rel=1e-4)


def test_energy_between_two_samples_is_cut_at_the_edges_by_time() -> None:
    """30 J from 5 s to 20 s: 2 W in the half of one bucket and in all of the next."""
    assert made([(START + 5 * S, 0.0, 7), (START + 20 * S, 30.0, 7)]) == {
        0: Part(10.0, 5.0), 1: Part(20.0, 10.0),
    }  # fmt: skip


def test_no_energy_is_lost_at_edges_whatever_the_rhythm() -> None:
    """All buckets together hold what the counter grew, over the time from first to last sample."""
    dice = random.Random(1)  # noqa: S311 - times, not secrets
    at = sorted(dice.uniform(0.0, 900.0) for _ in range(400))
    total, rows = 0.0, []
    for t in at:
        total += dice.uniform(0.0, 50.0)
        rows.append((START + round(t * S), total, 7))
    found = made(rows)
    assert sum(part.joules for part in found.values()) == pytest.approx(total - rows[0][1])
    covered = (rows[-1][0] - rows[0][0]) / S
    assert sum(part.seconds for part in found.values()) == pytest.approx(covered)
    assert all(0.0 < part.seconds <= 10.0 for part in found.values())


def test_between_two_epochs_nothing_is_known() -> None:
    """100 W until 4.5 s, 50 W from a new epoch on: 4 s and 4 s are covered of the bucket."""
    old = counted(lambda t: 100.0 * t, [0.5 * n for n in range(10)])
    new = counted(lambda t: 50.0 * t, [6.0, 7.0, 8.0, 9.0, 10.0], epoch=8, zero=6.0)
    (found,) = made(old + new).values()
    assert found == pytest.approx((450.0 + 200.0, 8.5))


def test_a_counter_that_fell_is_passed_over() -> None:
    """Also within what it calls the same epoch; a counter that stands is 0 W, not unknown."""
    rows = [(START + n * S, joules, 7) for n, joules in enumerate((10.0, 20.0, 5.0, 15.0, 15.0))]
    assert made(rows) == {0: Part(20.0, 3.0)}


def test_a_silence_of_over_300_seconds_is_a_gap() -> None:
    """Of 300 s the energy is known and spread, of more it is not."""
    assert len(made(counted(lambda t: t, [0.0, 300.0]))) == 30
    assert made(counted(lambda t: t, [0.0, 300.001])) == {}


def test_only_the_buckets_that_are_asked_for_are_made() -> None:
    """Samples around them give what they lack at the edges."""
    rows = counted(lambda t: 35.0 * t, ticks(60.0))
    found = spread(rows, WIDTH, FIRST + 2, FIRST + 3)
    assert sorted(found) == [FIRST + 2, FIRST + 3]
    assert [tuple(part) for part in found.values()] == [pytest.approx((350.0, 10.0))] * 2


def counter(
    domain: Domain = Domain.PACKAGE, device: str = "socket0", source: str = "rapl",
    method: Method = Method.COUNTER, host: str = "h",
) -> Counter:  # fmt: skip
    """A counter of a host."""
    return Counter(host, domain, device, source, method)


def shown(parts: dict[Counter, dict[int, Part]]) -> dict[str, tuple[float, float]]:
    """Watts and seconds by "domain source method"; a total and its parts have no source."""
    found = {}
    for power in powers(parts, WIDTH):
        tags = dict(power.tags)
        assert power.joules == pytest.approx(power.watts * power.seconds)
        assert tags.pop("host") == "h"
        assert (power.parts is None) == ("source" in tags)
        order = ("domain", "source", "method")
        found[" ".join(tags[name] for name in order if name in tags)] = power.watts, power.seconds
    return found


def counted_in_total(parts: dict[Counter, dict[int, Part]]) -> dict[str, tuple[float, int]]:
    """Watts and number of counters by "domain method" of what has no source. The parts, which all
    cover the same time here, add up to the total."""
    found = {}
    for power in powers(parts, WIDTH):
        tags = dict(power.tags)
        if power.parts is not None:
            found[f"{tags['domain']} {tags['method']}"] = power.watts, power.parts
    total = next(value for name, value in found.items() if name.startswith("total"))
    others = [value for name, value in found.items() if not name.startswith("total")]
    assert total[0] == pytest.approx(sum(watts for watts, _ in others))
    assert total[1] == sum(count for _, count in others)
    return found


def steady(watts: float) -> dict[int, Part]:
    """A whole bucket of it."""
    return {5: Part(10.0 * watts, 10.0)}


def test_two_sockets_are_added() -> None:
    """Over the seconds that both cover, as far as is known."""
    assert shown({
        counter(): {5: Part(100.0, 10.0)},
        counter(device="socket1"): {5: Part(30.0, 2.0)},
    }) == {
        "package rapl counter": (25.0, 2.0), "package counter": (25.0, 2.0),
        "total counter": (25.0, 2.0),
    }  # fmt: skip


def test_of_two_sources_for_one_device_the_better_one_counts() -> None:
    """Both are shown. Another device's only source counts as well."""
    found = shown({
        counter(Domain.GPU, "GPU-1", "dcgm"): {5: Part(310.0, 10.0)},
        counter(Domain.GPU, "GPU-1", "nvml"): {5: Part(300.0, 10.0)},
        counter(Domain.GPU, "GPU-2", "dcgm"): {5: Part(100.0, 10.0)},
        counter(source="node_exporter"): {5: Part(52.0, 10.0)},
        counter(): {5: Part(50.0, 10.0)},
    })  # fmt: skip
    assert found["gpu dcgm counter"] == (41.0, 10.0)
    assert found["gpu nvml counter"] == (30.0, 10.0)
    assert found["total counter"] == (30.0 + 10.0 + 5.0, 10.0)


def test_two_boards_that_two_sources_see_count_once() -> None:
    """NVML and DCGM on one host, 200 W a board by either: 400 W."""
    found = counted_in_total({
        counter(Domain.GPU, device, source): steady(200.0)
        for device in ("GPU-1", "GPU-2") for source in ("dcgm", "nvml")
    })  # fmt: skip
    assert found == {"gpu counter": (400.0, 2), "total counter": (400.0, 2)}


def test_a_board_that_one_source_alone_sees_counts_beside_the_others() -> None:
    """The first by both, at 210 W and 200 W, the second by DCGM alone at 90 W."""
    found = counted_in_total({
        counter(Domain.GPU, "GPU-1", "dcgm"): steady(210.0),
        counter(Domain.GPU, "GPU-1", "nvml", Method.INTEGRATED): steady(200.0),
        counter(Domain.GPU, "GPU-2", "dcgm"): steady(90.0),
        counter(): steady(50.0),
        counter(Domain.DRAM): steady(7.0),
        counter(Domain.CORE): steady(40.0),
    })  # fmt: skip
    assert found == {
        "package counter": (50.0, 1), "dram counter": (7.0, 1), "gpu integrated": (290.0, 2),
        "total integrated": (347.0, 4),
    }  # fmt: skip


def test_of_three_sources_for_the_package_rapl_counts() -> None:
    """Before node_exporter, and that before an estimate, whatever that calls its device."""
    estimate = counter(device="cpu", source="estimate", method=Method.ESTIMATED)
    theirs = {estimate: steady(70.0), counter(source="node_exporter"): steady(52.0)}
    assert counted_in_total(theirs) == {"package counter": (52.0, 1), "total counter": (52.0, 1)}
    found = counted_in_total({**theirs, counter(): steady(50.0)})
    assert found == {"package counter": (50.0, 1), "total counter": (50.0, 1)}


def test_only_the_part_that_is_estimated_is_called_so() -> None:
    """The package's, and with it the total, not the GPU beside it."""
    found = counted_in_total({
        counter(device="cpu", source="estimate", method=Method.ESTIMATED): steady(70.0),
        counter(Domain.GPU, "GPU-1", "nvml"): steady(200.0),
    })  # fmt: skip
    assert found == {
        "package estimated": (70.0, 1), "gpu counter": (200.0, 1), "total estimated": (270.0, 2),
    }  # fmt: skip


def test_core_uncore_and_psys_are_shown_and_not_added() -> None:
    """They lie inside the package, or around it."""
    domains = (Domain.PACKAGE, Domain.DRAM, Domain.CORE, Domain.UNCORE, Domain.PSYS)
    found = shown({counter(domain): {5: Part(100.0, 10.0)} for domain in domains})
    assert set(found) - {f"{domain} rapl counter" for domain in domains} == {
        "package counter", "dram counter", "total counter",
    }  # fmt: skip
    assert found["total counter"] == (20.0, 10.0)


def test_a_host_with_psys_alone_has_no_total() -> None:
    """A whole platform is not what package, dram and GPU are."""
    assert list(shown({counter(Domain.PSYS): {5: Part(1.0, 1.0)}})) == ["psys rapl counter"]


def test_a_total_is_as_good_as_its_weakest_part() -> None:
    """An estimated package makes an estimated total, beside a measured GPU."""
    found = shown({
        counter(device="cpu", source="estimate", method=Method.ESTIMATED): {5: Part(80.0, 10.0)},
        counter(Domain.GPU, "GPU-1", "nvml", Method.INTEGRATED): {5: Part(100.0, 10.0)},
    })  # fmt: skip
    assert found["total estimated"] == (18.0, 10.0)


def test_an_estimate_beside_a_counter_is_not_in_the_total() -> None:
    """It is the same energy once more."""
    found = shown({
        counter(device="cpu", source="estimate", method=Method.ESTIMATED): {5: Part(80.0, 10.0)},
        counter(): {5: Part(50.0, 10.0)},
    })  # fmt: skip
    assert found["total counter"] == (5.0, 10.0)


def test_a_gpu_that_appears_half_way_counts_from_then_on() -> None:
    """Before, the total is of one counter; in its first bucket it holds for the time of both."""
    rows = counted(lambda t: 200.0 * t, ticks(30.0, offset=15.0), zero=15.0)
    parts = {
        counter(): made(counted(lambda t: 50.0 * t, ticks(60.0, offset=0.0))),
        counter(Domain.GPU, "GPU-1", "nvml"): made(rows),
    }
    totals = {
        power.time_ns // WIDTH: (power.watts, power.seconds, power.parts)
        for power in powers(parts, WIDTH) if ("domain", "total") in power.tags
    }  # fmt: skip
    assert totals[0] == pytest.approx((50.0, 10.0, 1))
    assert totals[1] == pytest.approx((250.0, 5.0, 2))
    assert totals[2] == pytest.approx((250.0, 10.0, 2))


def test_hosts_are_not_mixed() -> None:
    """Each has a total of its own."""
    parts = {
        counter(host=name): {5: Part(joules, 10.0)} for name, joules in (("a", 1.0), ("b", 2.0))
    }
    totals = {dict(p.tags)["host"]: p.joules for p in powers(parts, WIDTH)
              if ("domain", "total") in p.tags}  # fmt: skip
    assert totals == {"a": 1.0, "b": 2.0}


def test_where_a_counter_fell_or_began_again_its_samples_show_that_nothing_is_known() -> None:
    """From one sample to the next; where they are over 300 s apart they show nothing at all."""
    rows = [
        (START + t * S, joules, epoch)
        for t, joules, epoch in (
            (5, 0.0, 7), (25, 9.0, 7), (47, 8.0, 7), (50, 9.0, 7), (60, 1.0, 8), (400, 0.0, 9),
        )
    ]  # fmt: skip
    assert [bucket - FIRST for bucket in unknown(rows, WIDTH, FIRST, FIRST + 99)] == [2, 3, 4, 5]
    assert list(unknown(rows, WIDTH, FIRST + 3, FIRST + 4)) == [FIRST + 3, FIRST + 4]
