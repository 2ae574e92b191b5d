"""``wattmark republish``: windows and scores of saved runs, once more into a store."""

import argparse
import sys
from contextlib import closing

from wattmark_cli.data import saved_records
from wattmark_cli.embedded import store_url_in
from wattmark_cli.options import (
    Subparsers,
    add_command,
    add_store_options,
    store_options,
)
from wattmark_cli.remote import print_json
from wattmark_runner.scoring.publishing import StoredScores, publish
from wattmark_store import open_store


def add_parser(subparsers: Subparsers) -> None:
    """The command's options."""
    parser = add_command(
        subparsers, "republish", "wattmark republish --store sqlite:///new.sqlite", run,
    )  # fmt: skip
    add = parser.add_argument
    add("--store", default="", metavar="URL",
        help="the store to write into (default: the folder's own)")  # fmt: skip
    add_store_options(parser)
    add("--run", dest="run_ids", action="append", default=[], metavar="RUN",
        help="only this run; may be repeated (default: all)")  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """Write them; what is there already is replaced by the same. 1 if the store went away when it
    had windows and scores and not yet all that it shows of them."""
    records = saved_records(arguments.data, arguments.run_ids)
    url, more = arguments.store or store_url_in(arguments.data), store_options(arguments)
    with closing(open_store(url, more.password_file, more.ca)) as store:
        stored: StoredScores = {}
        written = [publish(record, store, stored=stored) for record in records]
    counts = {
        "runs": len(records),
        "windows": sum(len(record.windows) for record in records),
        "scores": sum(len(record.scores) for record in records),
    }
    if arguments.json:
        print_json(counts)
    else:
        text = ", ".join(f"{count} {name}" for name, count in counts.items())
        sys.stdout.write(f"published {text}\n")
    if not all(written):
        sys.stderr.write(f"{url} went away meanwhile: pictures may be missing; do it again\n")
    return 0 if all(written) else 1
