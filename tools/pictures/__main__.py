"""``python -m tools.pictures``: a picture of each dashboard, of demo data or of an InfluxDB."""

import argparse
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks import influxd
from benchmarks.processes import NotRun
from dashboards.generate import DASHBOARDS
from tools.pictures import page
from tools.pictures.asking import Asker, Server, ServerError
from tools.pictures.browser import BrowserError, picture
from tools.pictures.demo.write import DATABASES, write
from tools.pictures.library import Library, LibraryError, LibraryMissing, Span

FOLDER: Final = Path("build/dashboards")
PASSWORD: Final = "WATTMARK_INFLUXDB_PASSWORD"  # noqa: S105 - the name of a variable


def main() -> int:
    """The exit status; one line on stderr where something is wrong."""
    options = _parser().parse_args()
    try:
        with _server(options) as server, Library(Span(0, 1)) as library:
            for name in options.board or DASHBOARDS:
                _draw(name, server, library, options)
    except (BrowserError, LibraryError, LibraryMissing, NotRun, ServerError) as error:
        sys.stderr.write(f"pictures: {error}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="pictures", description=__doc__)
    parser.add_argument("board", nargs="*", help="dashboards, all if none is named")
    parser.add_argument("--url", help="an InfluxDB; without one, demo data in one of its own")
    parser.add_argument("--user", default="", help=f"its user; the password is in ${PASSWORD}")
    parser.add_argument("--since", help="as in now-6h; if not given, the dashboard's own")
    parser.add_argument("--until", default="now", help="as in now or now-1h")
    parser.add_argument("--choose", action="append", default=[], metavar="NAME=VALUE",
                        help="the value of a variable")  # fmt: skip
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the pictures go")
    return parser


@contextmanager
def _server(options: argparse.Namespace) -> Iterator[Server]:
    if options.url:
        yield Server(options.url.rstrip("/"), options.user, os.environ.get(PASSWORD, ""))
        return
    with influxd.running() as (_, address):
        sys.stdout.write("Writing demo data …\n")
        server = Server(f"http://{address}")
        for database in DATABASES:
            server.ask("", f"CREATE DATABASE {database}")
        write(server, int(time.time()))
        yield server


def _draw(name: str, server: Server, library: Library, options: argparse.Namespace) -> None:
    board = DASHBOARDS[name]()
    since = options.since or board["time"]["from"]
    library.span = library.spanned(since, options.until)
    chosen = dict(choice.split("=", 1) for choice in options.choose)
    closed = any(panel.get("panels") for panel in board["panels"])
    options.folder.mkdir(parents=True, exist_ok=True)
    for ending, opened in (("", False), *([("-open", True)] if closed else [])):
        began = time.monotonic()
        made = page.page(board, Asker(server, library, library.span), chosen, open_rows=opened)
        target = options.folder / f"{name}{ending}.png"
        target.with_suffix(".html").write_text(made.html, encoding="utf-8")
        picture(made.html, target, page.WIDTH_PX, made.height)
        took = time.monotonic() - began
        sys.stdout.write(f"{target}: {page.WIDTH_PX} × {made.height} px in {took:.1f} s\n")
        for title, error in made.errors.items():
            sys.stdout.write(f"  {title}: {error}\n")


if __name__ == "__main__":
    sys.exit(main())
