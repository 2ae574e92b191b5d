"""The options of ``wattmark-exporter``."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from wattmark_core.exporter_api import DEFAULT_PORT
from wattmark_core.host_name import own_host
from wattmark_exporters.choice import Kind, add_sensor_options

EXAMPLE: Final = """example:
  wattmark-exporter --listen 127.0.0.1:9109 --sensor mymeter:Plug
  curl http://127.0.0.1:9109/sensors
  wattmark-exporter sensors
"""


def parser(own: Sequence[Kind]) -> argparse.ArgumentParser:
    """Of a command line, with the options of the user's ``own`` sensors."""
    made = argparse.ArgumentParser(
        prog="wattmark-exporter", epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Read the energy sensors of this host and serve their samples over HTTP.",
    )  # fmt: skip
    add, env = made.add_argument, os.environ
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
        help="name of a sensor to leave out; may be repeated")  # fmt: skip
    add_sensor_options(made, own)
    add("--tls-cert", metavar="FILE", type=Path, help="the server's certificate chain, PEM")
    add("--tls-key", metavar="FILE", type=Path, help="the certificate's private key, PEM")
    add("--token-file", metavar="FILE", type=Path,
        help="file with the bearer token that clients must send")  # fmt: skip
    add("--allowed-host", metavar="NAME", action="append", default=[],
        help="a name that clients use for this machine; may be repeated")  # fmt: skip
    add("--insecure-network", action="store_true",
        help="listen off loopback without TLS and token, on a private network")  # fmt: skip
    return made
