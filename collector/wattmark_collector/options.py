"""The command line of ``wattmark-collector``."""

import argparse
from pathlib import Path
from typing import Final

from wattmark_collector.spool import DEFAULT_BYTES
from wattmark_core.errors import ConfigurationError

LEAST_SPOOL_BYTES: Final = 1 << 20
OWN_CURSORS: Final = "sqlite:"
NO_CURSORS: Final = ("influxdb:", "influxdbs:")
"""Which stores keep the cursors in the samples' own transaction, and which do not."""


def parse(arguments: list[str]) -> argparse.Namespace:
    """The options. Raises ``ConfigurationError`` for those that do not go together."""
    options = _parser().parse_args(arguments)
    if options.spool is None and options.store.startswith(NO_CURSORS):
        raise ConfigurationError(
            "an influxdb: store keeps no cursors: give --spool DIR, a folder on a local disk"
        )
    if options.spool is not None and options.store.startswith(OWN_CURSORS):
        raise ConfigurationError("a sqlite: store needs no spool; leave --spool out")
    if options.spool_bytes < LEAST_SPOOL_BYTES:
        raise ConfigurationError(
            f"--spool-bytes {options.spool_bytes} is below {LEAST_SPOOL_BYTES}; give more"
        )
    return options


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="wattmark-collector",
        description="Poll Wattmark exporters and Prometheus targets into a store.",
        epilog="example: wattmark-collector --config targets.yml --store sqlite:///wattmark.sqlite",
    )
    add = parser.add_argument
    add("--config", type=Path, required=True, metavar="FILE",
        help="file of targets, in the form of Prometheus's scrape_configs; read again when it"
        " changes",
        )  # fmt: skip
    add_store(parser)
    add("--spool", type=Path, metavar="DIR",
        help="folder where samples wait for a store that keeps no cursors; required for InfluxDB",
        )  # fmt: skip
    add("--spool-bytes", type=int, metavar="N", default=DEFAULT_BYTES,
        help="most bytes that the spool may hold; when it is full the oldest samples are dropped"
        " and counted (default: %(default)s)")  # fmt: skip
    add("--listen", metavar="HOST:PORT",
        help="address to serve /metrics and /healthz at; port 0 takes any (default:"
        " none)")  # fmt: skip
    add("--allowed-host", metavar="NAME", action="append", default=[],
        help="a name that clients of --listen use for this machine; may be repeated")  # fmt: skip
    add("--insecure-network", action="store_true",
        help="listen off loopback, on a private network")  # fmt: skip
    add("--once", action="store_true",
        help="poll each target once and exit; status 1 if one was down")  # fmt: skip
    return parser


def add_store(parser: argparse.ArgumentParser) -> None:
    """Which store, and how it lets one in."""
    add = parser.add_argument
    add("--store", required=True, metavar="URL",
        help="the store to write into: sqlite:///PATH, influxdb://USER@HOST:PORT or, with TLS,"
        " influxdbs://USER@HOST:PORT")  # fmt: skip
    add("--store-password-file", type=Path, metavar="FILE", help="file with the store's password")
    add("--store-ca", type=Path, metavar="FILE",
        help="the CA certificate(s) to trust for the store, PEM (default: the system's)",
        )  # fmt: skip
