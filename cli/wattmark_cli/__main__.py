"""``wattmark``: what a neural network costs in energy, from the command line."""

import argparse
import signal
import sys
from collections.abc import Sequence
from importlib.metadata import version

from wattmark_cli import (
    exec_command,
    export,
    fit,
    paper,
    report,
    republish,
    run_command,
    runs,
    scores,
    sensors,
    serve,
    table_commands,
    tls,
)
from wattmark_core.errors import WattmarkError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status. Errors are one line on standard error."""
    options = parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # both end it in order
    try:
        status: int = options.run(options)
    except WattmarkError as error:
        sys.stderr.write(f"wattmark: {error}\n")
        return error.exit_status
    except KeyboardInterrupt:
        sys.stderr.write("wattmark: interrupted; what was measured until then is kept\n")
        return 130
    except BrokenPipeError:
        sys.stderr.close()  # whoever read our output has gone; so may we
        return 141
    return status


def parser() -> argparse.ArgumentParser:
    """The parser with all commands."""
    top = argparse.ArgumentParser(
        prog="wattmark",
        description="Measure what neural networks cost in energy, and rank them by"
        " accuracy² / energy per inference.",
        epilog="example:\n  wattmark fit --workload digits\n  wattmark exec -- python train.py",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"wattmark {version('wattmark')}")
    commands = top.add_subparsers(title="commands", required=True, metavar="COMMAND")
    local = (fit, sensors, exec_command, export, report, republish, serve)
    for module in (*local, run_command, runs, scores, table_commands, paper, tls):
        module.add_parser(commands)
    return top


if __name__ == "__main__":
    sys.exit(main())
