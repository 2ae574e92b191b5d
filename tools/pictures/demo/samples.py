"""Samples of the lab's hosts, their one-minute values, and power stored ready, as lines."""

from collections.abc import Iterator, Mapping
from typing import Final

from tools.pictures.demo.lab import A100, DAY, HOSTS, HOUR, SILENT_S, Host, S, busy, watts
from wattmark_core.catalogue import MEASUREMENTS, Kind
from wattmark_core.sample import Sample, make_tags
from wattmark_store.influx_lines import sample_writer
from wattmark_store.influx_power_points import power_writer

RAW_S: Final = HOUR
BUCKETS: Final = {"power_10s": (10, 3 * HOUR), "power_1m": (60, DAY), "power_10m": (600, 7 * DAY),
                  "power_1h": (3600, 30 * DAY)}  # fmt: skip
"""Database → length of a bucket and of what is kept in the lab, s."""
WEAKEST: Final = {"counter": 0, "integrated": 1, "estimated": 2}


def raw(end_s: int, step_s: int) -> Iterator[str]:
    """An hour, a sample every ``step_s``."""
    for host in HOSTS:
        yield from sample_writer().lines(_samples(host, end_s, RAW_S, step_s))


def minutes(end_s: int, days: int) -> Iterator[str]:
    """Some days at one value a minute; of gauges the largest, too."""
    for host in HOSTS:
        yield from sample_writer().lines(
            _with_largest(sample) for sample in _samples(host, end_s, days * DAY, 60)
        )


def power(database: str, end_s: int) -> Iterator[str]:
    """Buckets of power of every host, with its total."""
    bucket_s, kept_s = BUCKETS[database]
    lines = power_writer()
    for host in HOSTS:
        last = end_s - (SILENT_S if host.silent else 0)
        for start_s in range((end_s - kept_s) // bucket_s * bucket_s, last - bucket_s, bucket_s):
            yield from lines.lines(_bucket(host, start_s, bucket_s, end_s))


def _bucket(host: Host, start_s: int, bucket_s: int, end_s: int) -> Iterator[Sample]:
    sums: dict[tuple[str, str, str], float] = {}
    step = max(bucket_s // 60, 1)
    for meter in host.meters:
        times = range(start_s, start_s + bucket_s, step)
        mean = sum(watts(host, meter, end_s - at) for at in times) / len(times)
        key = meter.domain, meter.source, meter.method
        sums[key] = sums.get(key, 0.0) + mean
    weakest = max((method for _, _, method in sums), key=lambda method: WEAKEST[method])
    total = sum(mean for (domain, _, _), mean in sums.items() if domain != "core")
    counted = [((domain, "", method), mean) for (domain, _, method), mean in sums.items()
               if domain != "core"]  # fmt: skip
    for (domain, source, method), mean in [
        *sums.items(), *counted, (("total", "", weakest), total),
    ]:  # fmt: skip
        tags = {"domain": domain, "host": host.name, "method": method, "source": source}
        fields = {"watts": mean, "seconds": float(bucket_s), "joules": mean * bucket_s}
        parts = {} if source else {"parts": 1}
        yield Sample("power", make_tags(tags), fields | parts, start_s * S)


def _with_largest(sample: Sample) -> Sample:
    gauges = {metric.field for metric in MEASUREMENTS.get(sample.measurement, ())
              if metric.kind is Kind.GAUGE}  # fmt: skip
    largest = {f"{name}_max": value for name, value in sample.fields.items() if name in gauges}
    return Sample(sample.measurement, sample.tags, {**sample.fields, **largest}, sample.time_ns)


def _samples(host: Host, end_s: int, length_s: int, step_s: int) -> Iterator[Sample]:
    joules = dict.fromkeys(range(len(host.meters)), 0.0)
    counters = dict.fromkeys(("busy", "read", "written", "received", "sent"), 0.0)
    epoch = (end_s - length_s) * 1000
    last = end_s - (SILENT_S if host.silent else 0)
    for time_s in range((end_s - length_s) // step_s * step_s, last, step_s):
        ago_s, time_ns = end_s - time_s, time_s * S
        for n, meter in enumerate(host.meters):
            joules[n] += watts(host, meter, ago_s) * step_s
            tags = {"host": host.name, "domain": meter.domain, "device": meter.device,
                    "source": meter.source, "method": meter.method}  # fmt: skip
            fields = {"joules": joules[n], "epoch": epoch, "uncertainty_seconds": 5e-4}
            yield Sample("energy", make_tags(tags), fields, time_ns)
        works = busy(host.name, ago_s)
        counters["busy"] += (0.32 * host.cpus if works else 0.02 * host.cpus) * step_s
        counters["read"] += (4e6 if works else 2e4) * step_s
        counters["written"] += 3e5 * step_s
        counters["received"] += (9e5 if works else 6e3) * step_s
        counters["sent"] += 2e5 * step_s
        since_s = time_s - (end_s - length_s)
        yield from _machine(host, counters, since_s, time_ns, works=works)
        for n, gpu in enumerate(host.gpus):
            yield _gpu(host, gpu, n, since_s, time_ns, works=works and n == 0)
    for time_s in range(last, end_s, step_s):  # what the collector has to say of a silent one
        fields = {"up": 0, "lag_seconds": float(time_s - last), "lost": 0, "dropped": 0}
        yield _target(host, fields, time_s * S)


def _target(host: Host, fields: Mapping[str, float | int], at_ns: int) -> Sample:
    return _sample("target", host, fields, at_ns, target=f"{host.name}:9478")


def _sample(
    measurement: str, host: Host, fields: Mapping[str, float | int], at_ns: int, **tags: str
) -> Sample:
    return Sample(measurement, make_tags({"host": host.name, **tags}), fields, at_ns)


def _machine(
    host: Host, counters: Mapping[str, float], since_s: int, at_ns: int, *, works: bool
) -> Iterator[Sample]:
    done = counters["busy"]
    yield _sample("cpu", host, {
        "busy_seconds": done, "user_seconds": 0.8 * done, "system_seconds": 0.15 * done,
        "irq_seconds": 0.01 * done, "softirq_seconds": 0.04 * done, "iowait_seconds": 0.002 * done,
        "nice_seconds": 0.0, "steal_seconds": 0.0, "guest_seconds": 0.0,
        "idle_seconds": host.cpus * since_s - done, "cpus": host.cpus,
        "utilization_ratio": 0.32 if works else 0.02,
    }, at_ns)  # fmt: skip
    used = host.memory_bytes * (0.18 if works else 0.12)
    yield _sample("memory", host, {"used_bytes": used, "total_bytes": host.memory_bytes,
                                   "available_bytes": host.memory_bytes - used}, at_ns)  # fmt: skip
    disk = {"read_bytes": counters["read"], "written_bytes": counters["written"]}
    yield _sample("disk", host, disk, at_ns, device="nvme0n1")
    for n, interface in enumerate(host.interfaces):
        part = {"received_bytes": counters["received"] / (n + 1), "sent_bytes": counters["sent"]}
        yield _sample("network", host, part, at_ns, interface=interface)
    for sensor in host.sensors:
        due = 10 * since_s
        yield _sample("sensor", host, {"up": 1, "state": 1, "read_seconds": 2e-4, "due": due,
                                       "taken": due - since_s // 40, "dropped": 0},
                      at_ns, sensor=sensor)  # fmt: skip
    yield _sample("sensor", host, {"state": 2}, at_ns, sensor="psys")
    yield _sample("exporter", host, {"cpu_seconds": 0.008 * since_s, "clock_shift_seconds": 0.0},
                  at_ns)  # fmt: skip
    yield _target(host, {
        "up": 1, "scrape_duration_seconds": 0.004, "dropped": 0, "lost": 0, "lag_seconds": 1.0,
        "clock_offset_seconds": 2e-4,
    }, at_ns)  # fmt: skip
    if host.name == "lab-a100":
        yield _sample("collector", host, {
            "spool_bytes": 0.0, "spool_limit_bytes": 1e9, "spool_oldest_seconds": 0.0, "lost": 0,
            "spool_damaged_bytes": 0.0, "refused": 0, "power_age_seconds": 30.0,
            "written": 200 * since_s, "write_errors": 0,
        }, at_ns)  # fmt: skip


def _gpu(host: Host, gpu: str, n: int, since_s: int, at_ns: int, *, works: bool) -> Sample:
    return _sample("gpu", host, {
        "utilization_ratio": 0.93 if works else 0.0, "memory_used_bytes": 21e9 if works else 5e8,
        "sm_active_ratio": 0.81 if works else 0.0, "dram_active_ratio": 0.4 if works else 0.0,
        "tensor_active_ratio": 0.3 if works else 0.0,
        "memory_total_bytes": 42.9e9, "temperature_celsius": 61.0 if works else 34.0 + n,
        "sm_clock_hertz": 1.41e9 if works else 2.1e8, "memory_clock_hertz": 1.215e9,
        "power_limit_watts": 400.0, "processes": int(works), "counter_to_integral_ratio": 1.001,
        "throttled_power_cap_seconds": 0.002 * since_s, "throttled_hw_slowdown_seconds": 0.0,
        "throttled_sw_thermal_seconds": 0.0, "throttled_hw_thermal_seconds": 0.0,
        "throttled_power_brake_seconds": 0.0,
    }, at_ns, device=gpu, gpu=str(n), model=A100)  # fmt: skip
