"""``wattmark``: what a neural network costs in energy, from the command line."""

import argparse
import importlib
import logging
import signal
import sys
from collections.abc import Sequence
from typing import Any

from wattmark_cli.commands import COMMANDS
from wattmark_core.errors import WattmarkError
from wattmark_core.logs import log_to_stderr, tell_error


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status. Errors are one line on standard error."""
    words = sys.argv[1:] if arguments is None else arguments
    called = next((word for word in words if not word.startswith("-")), "")
    options = parser(called).parse_args(words)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # both end it in order
    log_to_stderr("wattmark", logging.WARNING)
    try:
        status: int = options.run(options)
    except WattmarkError as error:
        tell_error("wattmark", error)
        return error.exit_status
    except KeyboardInterrupt:
        sys.stderr.write("wattmark: interrupted; what was measured until then is kept\n")
        return 130
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output has gone; so may we
        return 141
    return status


class _Version(argparse.Action):
    """Prints the version; looking it up takes longer than all else that the help needs."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from importlib.metadata import version

        sys.stdout.write(f"wattmark {version('wattmark')}\n")
        parser.exit()


def parser(called: str) -> argparse.ArgumentParser:
    """The parser: with the options of the command ``called``, and the summary of all others."""
    top = argparse.ArgumentParser(
        prog="wattmark",
        description="Measure what neural networks cost in energy, and rank them by"
        " accuracy² / energy per inference.",
        epilog="example:\n  wattmark fit --workload digits\n  wattmark exec -- python train.py",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    commands = top.add_subparsers(title="commands", required=True, metavar="COMMAND")
    module = COMMANDS[called].module if called in COMMANDS else ""
    if module:
        importlib.import_module(f"wattmark_cli.{module}").add_parser(commands)
    for name, command in COMMANDS.items():
        if command.module != module:
            commands.add_parser(name, help=command.summary)
    return top


if __name__ == "__main__":
    sys.exit(main())
