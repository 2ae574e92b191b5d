"""``python3 -m tools.stack up|down|update|rotate|backup|restore``: ``make stack`` and its like."""

import argparse
import sys
from pathlib import Path

from tools.stack import backup, images, rotate, up, update
from tools.stack.compose import Compose, StackError


def main() -> int:
    """The exit status; one line on stderr where something is wrong."""
    options = _parser().parse_args()
    try:
        plain = Compose.find(tuple(options.file))
        compose = images.locked(plain)
        match options.command:
            case "up":
                up.up(plain)
            case "update":
                update.update(plain, options.folder, show=options.show)
            case "down":
                up.down(compose)
            case "rotate":
                rotate.rotate(compose)
            case "backup":
                backup.backup(compose, options.folder)
            case "restore":
                backup.restore(compose, options.folder)
    except StackError as error:
        sys.stderr.write(f"stack: {error}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tools.stack", description=__doc__)
    parser.add_argument(
        "--file", action="append", default=[], type=Path, metavar="YML",
        help="a compose file on top of docker-compose.yml; may be repeated",
    )  # fmt: skip
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="build, start, wait until healthy, test, print the addresses")
    commands.add_parser("down", help="stop; the data stays")
    newer = commands.add_parser("update", help="newer images, databases, rights; back on failure")
    newer.add_argument("folder", nargs="?", type=Path, metavar="DIR", help="for the copy of before")
    newer.add_argument("--show", action="store_true", help="print what would change, and end")
    commands.add_parser("rotate", help="change every secret of a running stack")
    for name, text in (("backup", "copy the data out"), ("restore", "put a copy back")):
        command = commands.add_parser(name, help=text)
        command.add_argument("folder", type=Path, metavar="DIR")
    return parser


if __name__ == "__main__":
    sys.exit(main())
