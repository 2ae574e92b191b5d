"""``wattmark-collector``: poll the targets of a file into a store."""

import argparse
import gc
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import Event
from typing import Final

from wattmark_collector import back_fill
from wattmark_collector.collector import Collector
from wattmark_collector.config import load_targets
from wattmark_collector.health import Health
from wattmark_collector.options import parse
from wattmark_collector.self_metrics import self_cpu, self_sample
from wattmark_collector.sink import DirectStore, Sink
from wattmark_collector.spool import SpooledStore
from wattmark_collector.status_metrics import CollectorState
from wattmark_collector.status_server import StatusServer, check_address
from wattmark_core import healthcheck
from wattmark_core.clock import Clock, SystemClock, boot_id
from wattmark_core.errors import WattmarkError
from wattmark_core.host_name import own_host
from wattmark_core.logs import log_to_stderr, tell_error
from wattmark_store import open_store

GARBAGE_THRESHOLD: Final = 20_000
"""New objects until Python looks for cycles among them. The lines of a batch are many objects, of
which none is in a cycle: with Python's own 700, a third of the time of reading went into that."""
HEALTH_URL: Final = "http://127.0.0.1:9110/healthz"


def main(arguments: list[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT; the exit status. Prints READY after the first round."""
    words = sys.argv[1:] if arguments is None else arguments
    if words[:1] == [healthcheck.COMMAND]:
        return healthcheck.main(words[1:], "wattmark-collector", HEALTH_URL)
    gc.set_threshold(GARBAGE_THRESHOLD)
    log_to_stderr("wattmark-collector")
    stop = Event()
    try:
        if words[:1] == [back_fill.COMMAND]:
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # it may be stopped anywhere
            return back_fill.main(words[1:], SystemClock())
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        options = parse(words)
        _check(options)
        with _running(options) as (collector, address):
            return _collect(collector, address, stop, once=options.once)
    except WattmarkError as error:
        tell_error("wattmark-collector", error)
        return error.exit_status


def _check(options: argparse.Namespace) -> None:
    """Raise ``ConfigurationError`` for files and addresses that cannot be used, before a store is
    opened or a spool made."""
    load_targets(options.config)
    if options.listen is not None:
        check_address(options.listen, insecure_network=options.insecure_network)


def _collect(collector: Collector, address: str, stop: Event, *, once: bool) -> int:
    if once:
        return 0 if collector.once(stop) else 1
    try:
        collector.start(stop)
        sys.stdout.write(f"READY {address}".rstrip() + "\n")
        sys.stdout.flush()
        collector.run(stop)
    finally:
        collector.stop()
    return 0


@contextmanager
def _running(options: argparse.Namespace) -> Iterator[tuple[Collector, str]]:
    """The collector on its store, and the URL of its status server; empty without one."""
    health, clock = Health(), SystemClock()
    with ExitStack() as stack:
        sink, state = _sink(options, health, clock)
        stack.callback(sink.close)
        address = ""
        if options.listen is not None:
            server = StatusServer(
                options.listen, state, insecure_network=options.insecure_network,
                allowed_hosts=options.allowed_host,
            )  # fmt: skip
            stack.callback(server.stop)
            server.start()
            address = server.url
        yield Collector(options.config, sink, health, clock, state.sample), address


def _sink(options: argparse.Namespace, health: Health, clock: Clock) -> tuple[Sink, CollectorState]:
    """Where samples go, and what is to be known of it."""
    store = open_store(options.store, options.store_password_file, options.store_ca)
    try:
        make = self_sample(own_host(), clock, boot_id())
        if options.spool is None:
            direct = DirectStore(store, health)
            return direct, CollectorState(
                health, clock, lambda: {**self_cpu(), **direct.fields, **health.counts}, make
            )
        spooled = SpooledStore(store, options.spool, health, clock, make, options.spool_bytes)
    except WattmarkError:
        store.close()
        raise
    spooled.start()
    return spooled, CollectorState(
        health, clock, lambda: {**self_cpu(), **spooled.fields, **health.counts}, make,
        away=lambda: spooled.away, is_sending=lambda: spooled.is_sending,
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
