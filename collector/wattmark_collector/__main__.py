"""``wattmark-collector``: poll the targets of a file into a store."""

import argparse
import logging
import signal
import sys
from pathlib import Path
from threading import Event

from wattmark_collector.collector import Collector
from wattmark_core.clock import SystemClock
from wattmark_core.errors import WattmarkError
from wattmark_store import open_store

log = logging.getLogger("wattmark_collector")


def main(arguments: list[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT; the exit status. Prints READY after the first round."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(format="wattmark-collector: %(message)s", level=logging.INFO)
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        return _collect(options.config, options.store, once=options.once, stop=stop)
    except WattmarkError as error:
        sys.stderr.write(f"wattmark-collector: {error}\n")
        return error.exit_status


def _collect(config: Path, url: str, *, once: bool, stop: Event) -> int:
    store = open_store(url)
    try:
        collector = Collector(config, store, SystemClock())
        if once:
            return 0 if collector.once(stop) else 1
        try:
            collector.start(stop)
            sys.stdout.write("READY\n")
            sys.stdout.flush()
            collector.run(stop)
        finally:
            collector.stop()
    finally:
        store.close()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="wattmark-collector",
        description="Poll Wattmark exporters and Prometheus targets into a store.",
        epilog="example: wattmark-collector --config targets.yml --store sqlite:///wattmark.sqlite",
    )
    parser.add_argument(
        "--config", type=Path, required=True, metavar="FILE",
        help="targets, in the form of Prometheus's scrape_configs; read again when it changes",
    )  # fmt: skip
    parser.add_argument(
        "--store", required=True, metavar="URL", help="where to write, e.g. sqlite:///PATH"
    )
    parser.add_argument(
        "--once", action="store_true",
        help="poll each target once and end; status 1 if one was down",
    )  # fmt: skip
    return parser


if __name__ == "__main__":
    sys.exit(main())
