"""``wattmark-exporter``: wires sensors, sampler, ring and server together."""

import argparse
import gc
import importlib
import logging
import os
import random
import signal
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from threading import Event, Thread
from typing import Final

from wattmark_core.catalogue import Domain
from wattmark_core.clock import Clock, SystemClock, boot_id
from wattmark_core.errors import ConfigurationError, WattmarkError
from wattmark_core.exporter_api import DEFAULT_PORT, HostReport, SensorState
from wattmark_core.host_name import own_host
from wattmark_exporters.readings import Sensor
from wattmark_exporters.ring import Ring
from wattmark_exporters.running_sensor import RunningSensor
from wattmark_exporters.sampler import Sampler
from wattmark_exporters.schedule import Schedule
from wattmark_exporters.sensors.estimate import Estimate
from wattmark_exporters.sensors.host import Host
from wattmark_exporters.sensors.nvml.sensor import Nvml
from wattmark_exporters.sensors.rapl.sensor import Rapl
from wattmark_exporters.security import Security
from wattmark_exporters.server import Backend, ExporterServer
from wattmark_exporters.timebase import Timebase

EXAMPLE: Final = """example:
  wattmark-exporter --listen 127.0.0.1:9109 --sensor mymeter:Plug
  curl http://127.0.0.1:9109/sensors
"""
HEALTH_URL: Final = f"http://127.0.0.1:{DEFAULT_PORT}/healthz"
PROBES: Final = 3
PROBE_SECONDS: Final = 0.02


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT. Returns the exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    if given[:1] == ["healthcheck"]:
        from wattmark_core import healthcheck  # 3 MiB, for this command alone

        return healthcheck.main(given[1:], "wattmark-exporter", HEALTH_URL)
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="wattmark-exporter: %(message)s"
    )
    try:
        return run(_parser().parse_args(given))
    except WattmarkError as error:
        sys.stderr.write(f"wattmark-exporter: {error}\n")
        return error.exit_status


def run(options: argparse.Namespace) -> int:
    """Listen, start the sensors, say READY, and wait for a signal."""
    sensors = choose(options)
    security = Security(
        options.tls_cert, options.tls_key, options.token_file, options.insecure_network
    )
    server = ExporterServer(*_address(options.listen), security)
    clock = SystemClock()
    timebase, jitter, stop, crashed = Timebase(clock), random.Random(), Event(), Event()  # noqa: S311 - jitter, not secrets
    ring = Ring()
    stations = [
        RunningSensor(
            s, options.host_name, clock,
            Schedule(s.interval_seconds, 0, jitter, loose=not s.energy), ring,
        )
        for s in sensors
    ]
    start_sensors(stations, timebase, clock)

    def on_crash() -> None:
        crashed.set()
        stop.set()

    sampler = Sampler(
        stations, timebase, clock, ring, options.host_name, jitter=jitter, on_crash=on_crash
    )
    boot = _boot_id(options.procfs)

    def report() -> HostReport:
        return sampler.report(options.host_name, boot, _version())

    server.backend = Backend(sampler, report, lambda: sampler.base(boot))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    gc.freeze()  # what is there now is there to stay: collections need not look at it
    sampler.start()
    Thread(target=server.serve, name="server", daemon=True).start()
    sys.stdout.write(f"READY {server.url}\n")
    sys.stdout.flush()
    stop.wait()
    server.stop()
    sampler.stop()
    return 1 if crashed.is_set() else 0


def choose(options: argparse.Namespace) -> list[Sensor]:
    """The sensors asked for. Raises ``ConfigurationError`` for a name that is none of them."""
    sensors: list[Sensor] = [
        Rapl(options.sysfs, options.procfs),
        Nvml(),
        Host(options.procfs, options.sysfs),
        *(load(name) for name in options.sensor),
        Estimate(options.procfs, options.tdp_watts),
    ]
    names = [sensor.name for sensor in sensors]
    for name in names:
        if names.count(name) > 1:
            raise ConfigurationError(f"two sensors are called {name!r}; give each its own name")
    unwanted = {*options.without, *(["estimate"] if options.no_estimate else [])}
    if unknown := sorted(unwanted.difference(names)):
        raise ConfigurationError(
            f"--without {unknown[0]}: no such sensor; there are {', '.join(names)}"
        )
    return [sensor for sensor in sensors if sensor.name not in unwanted]


def load(name: str) -> Sensor:
    """Make the sensor ``package.module:Class``; the working directory may hold the module."""
    module_name, _, class_name = name.partition(":")
    if not module_name or not class_name:
        raise ConfigurationError(f"--sensor {name}: not of the form package.module:Class")
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        kind = getattr(importlib.import_module(module_name), class_name)
    except Exception as error:
        raise ConfigurationError(f"--sensor {name}: {type(error).__name__}: {error}") from error
    if not (isinstance(kind, type) and issubclass(kind, Sensor)):
        raise ConfigurationError(f"--sensor {name}: not a subclass of wattmark_exporters.Sensor")
    try:
        sensor: Sensor = kind()
        usable = bool(sensor.name) and sensor.interval_seconds > 0
    except Exception as error:
        raise ConfigurationError(f"--sensor {name}: {type(error).__name__}: {error}") from error
    if not usable:
        raise ConfigurationError(f"--sensor {name}: needs a name and an interval above 0 s")
    return sensor


def start_sensors(stations: Sequence[RunningSensor], timebase: Timebase, clock: Clock) -> None:
    """Start every sensor; the estimate only if no other gives the energy of the package.

    Decided once: an estimate that came and went would change what a host's energy means.
    """
    for station in stations:
        if station.sensor.name != Estimate.name:
            station.start()
    measured_by = [s.sensor.name for s in stations if _measures_package(s, timebase, clock)]
    for station in stations:
        if station.sensor.name != Estimate.name:
            continue
        if measured_by:
            station.set_absent(
                f"not needed: {measured_by[0]} measures the package",
                "nothing needs to be done",
                found=True,
            )
        else:
            station.start()


def _measures_package(station: RunningSensor, timebase: Timebase, clock: Clock) -> bool:
    """Does it give package energy? One bad read at the start must not bring in the estimate."""
    if not station.running or not station.sensor.energy or station.sensor.name == Estimate.name:
        return False
    for _ in range(PROBES):
        station.read(timebase.offset_ns)
        if station.state is SensorState.OK and station.domains():
            break
        clock.sleep(PROBE_SECONDS)
    return Domain.PACKAGE in station.domains()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="wattmark-exporter", epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Read the energy sensors of this host and serve their samples over HTTP.",
    )  # fmt: skip
    add, env = parser.add_argument, os.environ
    add("--listen", metavar="HOST:PORT", default=f"127.0.0.1:{DEFAULT_PORT}",
        help="address to listen on; port 0 takes any (default: %(default)s)")  # fmt: skip
    add("--host-name", metavar="NAME", default=own_host(),
        help="the host tag of every sample; also WATTMARK_HOST, or WATTMARK_HOST_FILE, which"
        " holds it (default: %(default)s)")  # fmt: skip
    add("--sysfs", metavar="ROOT", type=Path, default=Path(env.get("WATTMARK_SYSFS") or "/sys"),
        help="where sysfs is mounted; also WATTMARK_SYSFS (default: %(default)s)")  # fmt: skip
    add("--procfs", metavar="ROOT", type=Path, default=Path(env.get("WATTMARK_PROCFS") or "/proc"),
        help="where procfs is mounted; also WATTMARK_PROCFS (default: %(default)s)")  # fmt: skip
    add("--sensor", metavar="MODULE:CLASS", action="append", default=[],
        help="a sensor of your own, importable from here; may be repeated")  # fmt: skip
    add("--without", metavar="NAME", action="append", default=[],
        help="leave a sensor out; may be repeated")  # fmt: skip
    add("--no-estimate", action="store_true",
        help="never estimate CPU energy from CPU time")  # fmt: skip
    add("--tdp-watts", metavar="W", type=float,
        help="the CPU's rated power, for the estimate (default: 5 W per visible CPU)")  # fmt: skip
    add("--tls-cert", metavar="FILE", type=Path, help="certificate chain, PEM")
    add("--tls-key", metavar="FILE", type=Path, help="its private key, PEM")
    add("--token-file", metavar="FILE", type=Path,
        help="clients must send this file's content as bearer token")  # fmt: skip
    add("--insecure-network", action="store_true",
        help="listen off loopback without TLS and token, on a private network")  # fmt: skip
    return parser


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not (port.isascii() and port.isdigit()) or int(port) > 65535:
        raise ConfigurationError(f"--listen {text}: not of the form HOST:PORT")
    return host.strip("[]"), int(port)


def _boot_id(procfs: Path) -> str:
    """Of the kernel that runs us, whatever tree the sensors read."""
    try:
        return boot_id(procfs)
    except OSError:
        return boot_id()


@cache
def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version  # 3 MiB, for /sensors alone

    try:
        return version("wattmark")
    except PackageNotFoundError:
        return ""


if __name__ == "__main__":
    sys.exit(main())
