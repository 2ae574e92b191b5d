"""``wattmark serve``: exporter, collector and runner on this machine, until it is stopped."""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from wattmark_cli.child import Child
from wattmark_cli.embedded import running_runner
from wattmark_cli.options import (
    Subparsers,
    add_command,
    add_rooms,
    check_numbers,
    check_rooms,
    rooms,
)
from wattmark_cli.remote import print_json
from wattmark_runner.records.data_folder import alone, check_folder

LOOK_SECONDS: Final = 2.0
"""How often it looks whether all rooms still run."""
PASSED_ON: Final = (
    "listen", "config", "key_file", "tls_cert", "tls_key", "keep_logs", "keep_runs",
)  # fmt: skip


def add_parser(subparsers: Subparsers) -> None:
    """The command's options."""
    parser = add_command(
        subparsers, "serve", "wattmark serve --config workloads.toml", run,
    )  # fmt: skip
    add = parser.add_argument
    add("--listen", metavar="HOST:PORT", default="127.0.0.1:8080",
        help="address of page and API (default: %(default)s)")  # fmt: skip
    add("--config", type=Path, metavar="FILE",
        help="workloads.toml: what may run (default: the built-in)")  # fmt: skip
    add("--key-file", type=Path, metavar="FILE", help="file of lines 'read KEY' and 'run KEY'")
    add("--tls-cert", type=Path, metavar="FILE", help="the server's certificate chain, PEM")
    add("--tls-key", type=Path, metavar="FILE", help="the certificate's private key, PEM")
    add("--insecure-network", action="store_true",
        help="listen off loopback without TLS, on a private network")  # fmt: skip
    add("--allowed-host", action="append", default=[], metavar="NAME",
        help="a name that clients use for this machine; may be repeated")  # fmt: skip
    add("--keep-logs", type=float, metavar="DAYS",
        help="age at which logs and events of runs are deleted (default: 90)")  # fmt: skip
    add("--keep-runs", type=float, metavar="DAYS",
        help="age at which runs are deleted with their scores (default: none is)")  # fmt: skip
    add_rooms(parser)


def run(arguments: argparse.Namespace) -> int:
    """Start the rooms and wait; Ctrl-C and SIGTERM end them in order."""
    check(arguments)
    with (
        alone(arguments.data),
        rooms(arguments) as opened,
        running_runner(opened, _options(arguments)) as served,
    ):
        if arguments.json:
            print_json({"page": f"{served.ready}/", "api": f"{served.ready}/api/v1"})
        else:
            sys.stdout.write(
                f"page     {served.ready}/\n"
                f"API      {served.ready}/api/v1 (described at {served.ready}/openapi.json)\n"
                f"data     {opened.data}\n"
            )
        sys.stdout.flush()
        _watch((*opened.children, served))
    return 0


def check(arguments: argparse.Namespace) -> None:
    """Raise ``WattmarkError`` for whatever exporter, store or runner would refuse, before any of
    them is started."""
    from wattmark_runner import options as runner_options  # pydantic: not for the help

    check_numbers(arguments, above_zero=("keep_logs", "keep_runs"), not_below_zero=())
    check_rooms(arguments)
    settings = runner_options.check(arguments)
    check_folder(arguments.data)
    runner_options.listening(settings.host, settings.port).close()


def _options(arguments: argparse.Namespace) -> list[str]:
    options: list[str] = []
    for name in PASSED_ON:
        value = getattr(arguments, name)
        if value is not None:
            options += [f"--{name.replace('_', '-')}", str(value)]
    for name in arguments.allowed_host:
        options += ["--allowed-host", name]
    if arguments.insecure_network:
        options.append("--insecure-network")
    return options


def _watch(children: Sequence[Child]) -> None:
    """Until Ctrl-C. Raises ``RunError`` when a room has ended."""
    try:
        while True:
            for child in children:
                child.check()
            time.sleep(LOOK_SECONDS)
    except KeyboardInterrupt:
        sys.stderr.write("wattmark: stopping; what waits in the queue goes on next time\n")
