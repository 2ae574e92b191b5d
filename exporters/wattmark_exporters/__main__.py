"""``wattmark-exporter``: wires sensors, sampler, ring and server together."""

import argparse
import gc
import random
import signal
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from threading import Event, Thread
from typing import Final

from wattmark_core.clock import SystemClock, boot_id
from wattmark_core.errors import ConfigurationError, WattmarkError
from wattmark_core.exporter_api import DEFAULT_PORT, HostReport
from wattmark_core.logs import log_to_stderr, tell_error
from wattmark_core.net import host_port
from wattmark_core.printable import quoted, unprintable
from wattmark_core.time_base_clock import TimeBaseClock
from wattmark_exporters.choice import (
    Kind,
    built_in,
    choose,
    load,
    own_names,
    own_sensors,
    page,
)
from wattmark_exporters.command_line import parser
from wattmark_exporters.readings import Sensor
from wattmark_exporters.ring import Ring
from wattmark_exporters.running_sensor import RunningSensor
from wattmark_exporters.sampler import Sampler
from wattmark_exporters.schedule import Schedule
from wattmark_exporters.security import Security
from wattmark_exporters.server import Backend, ExporterServer

HEALTH_URL: Final = f"http://127.0.0.1:{DEFAULT_PORT}/healthz"
GARBAGE_OBJECTS: Final = 20_000
"""Between two collections: what is thrown away here has no circles, and looking costs."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT. Returns the exit status."""
    words = sys.argv[1:] if arguments is None else arguments
    if words[:1] == ["healthcheck"]:
        from wattmark_core import healthcheck  # 3 MiB, for this command alone

        return healthcheck.main(words[1:], "wattmark-exporter", HEALTH_URL)
    if words[:1] == ["sensors"]:
        sys.stdout.write(page(built_in()))
        return 0
    log_to_stderr("wattmark-exporter")
    try:
        return run(_options(words, own_sensors(words)))
    except WattmarkError as error:
        tell_error("wattmark-exporter", error)
        return error.exit_status


def run(options: argparse.Namespace) -> int:
    """Listen, start the sensors, print READY, and wait for a signal."""
    _check_host(options.host_name)
    chosen = _choose(options)
    security = Security(
        options.tls_cert,
        options.tls_key,
        options.token_file,
        options.insecure_network,
        tuple(options.allowed_host),
    )
    server = ExporterServer(*host_port(options.listen), security)
    clock = SystemClock()
    time_base, jitter, stop, crashed = TimeBaseClock(clock), random.Random(), Event(), Event()  # noqa: S311 - jitter, not secrets
    ring = Ring()
    sensors = [
        RunningSensor(
            s,
            options.host_name,
            clock,
            Schedule(s.interval_seconds, 0, jitter, loose=not s.energy),
            ring,
        )
        for s in chosen
    ]

    def on_crash() -> None:
        crashed.set()
        stop.set()

    sampler = Sampler(
        sensors, time_base, clock, ring, options.host_name, jitter=jitter, on_crash=on_crash
    )
    boot = _boot_id(options.procfs)

    def report() -> HostReport:
        return sampler.report(options.host_name, boot, _version())

    server.backend = Backend(sampler, report, lambda: sampler.base(boot))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    sampler.start()
    sampler.settle()
    gc.freeze()  # what is there now is there to stay: collections need not look at it
    gc.set_threshold(GARBAGE_OBJECTS)
    Thread(target=server.serve, name="server", daemon=True).start()
    sys.stdout.write(f"READY {server.url}\n")
    sys.stdout.flush()
    stop.wait()
    server.stop()
    sampler.stop()
    return 1 if crashed.is_set() else 0


def _check_host(name: str) -> None:
    if character := unprintable(name):
        raise ConfigurationError(
            f"the host name {quoted(name)} is not UTF-8, or holds what cannot be printed"
            f" ({character}); give another with --host-name or WATTMARK_HOST"
        )


def check(arguments: Sequence[str]) -> None:
    """Raise ``ConfigurationError`` for options of sensors that cannot be carried out, before
    anything is started."""
    own = [load(name) for name in own_names(arguments)]  # in this process: nothing runs yet
    _choose(_options(arguments, own))


def _options(words: Sequence[str], own: Sequence[Kind]) -> argparse.Namespace:
    """With the user's own sensors as ``own``."""
    options = parser(own).parse_args(words)
    options.own = own
    return options


def _choose(options: argparse.Namespace) -> list[Sensor]:
    """The sensors that are asked for. Raises ``ConfigurationError``, too for a folder that is
    none: every sensor would be absent."""
    for name, root in (("sysfs", options.sysfs), ("procfs", options.procfs)):
        if not root.is_dir():
            raise ConfigurationError(
                f"--{name} {root}: no such folder; name the one where {name} is mounted"
            )
    return choose(options)


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
