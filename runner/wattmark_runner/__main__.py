"""``wattmark-runner``: the runner as a service."""

import argparse
import ipaddress
import math
import os
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

from wattmark_core import healthcheck
from wattmark_core.errors import WattmarkError
from wattmark_core.exporter_api import ExporterAddress
from wattmark_core.logs import log_to_stderr, tell_error
from wattmark_core.net import in_url
from wattmark_runner.execution.worker_places import of_service
from wattmark_runner.options import check, check_exporter, listening
from wattmark_runner.records import migration
from wattmark_runner.records.data_folder import alone
from wattmark_runner.records.database import RunDatabase
from wattmark_runner.records.in_use import InUse, published
from wattmark_runner.service.access.server import Server
from wattmark_runner.service.app import Access, make_app
from wattmark_runner.service.context import AppContext
from wattmark_runner.service.jobs.upkeep import KEEP_LOGS_DAYS, Ages
from wattmark_runner.service.services import Services
from wattmark_store import absolute_url, open_store, store_folders

DEFAULT_LISTEN: Final = "127.0.0.1:8080"
HEALTH_URL: Final = f"http://{DEFAULT_LISTEN}/healthz"
SWITCH_SECONDS: Final = 0.0005
"""Opening a window must not wait Python's 5 ms for the thread that scores another run."""
EXAMPLE: Final = """\
example:
  wattmark-runner --exporter http://127.0.0.1:9109 --store sqlite:///wattmark.sqlite --data data
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; the exit status. Prints READY and its URL."""
    words = sys.argv[1:] if arguments is None else arguments
    if words[:1] == [healthcheck.COMMAND]:
        return healthcheck.main(words[1:], "wattmark-runner", HEALTH_URL)
    options = _parser().parse_args(words)
    sys.setswitchinterval(SWITCH_SECONDS)
    log_to_stderr("wattmark-runner")
    try:
        return _serve(options)
    except WattmarkError as error:
        tell_error("wattmark-runner", error)
        return error.exit_status


def _serve(options: argparse.Namespace) -> int:
    settings = check(options)
    exporter = ExporterAddress(options.exporter, options.exporter_token_file, options.exporter_ca)
    check_exporter(exporter)
    records = options.data / "runner.sqlite"
    migration.check(records)  # before another file is changed
    with (
        alone(options.data),  # first of all: what follows changes what is there
        closing(listening(settings.host, settings.port)) as listener,
        closing(open_store(options.store, options.store_password_file, options.store_ca)) as store,
        closing(RunDatabase(records)) as database,
    ):
        database.counts()  # a file of an older version is changed now, or ends it in one line
        context = AppContext(
            exporter, store, database, options.data,
            options.cache, settings.config, settings.formulas,
            of_service(
                options.data, options.key_file, options.tls_key, options.exporter_token_file,
                options.store_password_file,
            ),
            store_folders(options.store),
        )  # fmt: skip
        hosts = frozenset({*options.allowed_host, *_names(settings.host)})
        services = Services.of(context, Ages(options.keep_logs, options.keep_runs))
        scheme = "https" if settings.certificate else "http"
        url = f"{scheme}://{in_url(settings.host)}:{listener.getsockname()[1]}"
        app = make_app(services, Access(hosts, settings.keys, settings.certificate))
        server = Server(app, services, url, settings.certificate)
        with published(options.data, _in_use(options, url)):
            server.run(sockets=[listener])
    return 0 if server.started else 1


def _in_use(options: argparse.Namespace, url: str) -> InUse:
    """What others find who want to work with the same data folder."""
    files = ("exporter_token_file", "exporter_ca", "store_password_file", "store_ca")
    named = {name: getattr(options, name) for name in files}
    return InUse(
        os.getpid(), options.exporter, absolute_url(options.store), url,
        **{name: str(path.absolute()) if path else "" for name, path in named.items()},
    )  # fmt: skip


def _names(host: str) -> Iterator[str]:
    """The names that clients know this machine by, if it listens to more than itself."""
    yield host
    try:
        everywhere = ipaddress.ip_address(host).is_unspecified
    except ValueError:
        everywhere = not host
    if everywhere:
        yield socket.gethostname()
        yield socket.getfqdn()


def _cache() -> Path:
    named = os.environ.get("WATTMARK_CACHE")
    return Path(named) if named else Path.home() / ".cache" / "wattmark"


def _days(text: str) -> float:
    days = float(text)
    if not 0.0 < days < math.inf:
        raise ValueError(text)
    return days


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="wattmark-runner", epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Start runs, annotate windows and read scores over REST.",
    )  # fmt: skip
    add = parser.add_argument
    add("--listen", metavar="HOST:PORT", default=DEFAULT_LISTEN,
        help="address to listen on; port 0 takes any (default: %(default)s)")  # fmt: skip
    add("--exporter", metavar="URL", default="http://127.0.0.1:9109",
        help="this machine's exporter (default: %(default)s)")  # fmt: skip
    add(
        "--exporter-token-file",
        metavar="FILE",
        type=Path,
        help="file with the bearer token that the exporter requires",
    )
    add(
        "--exporter-ca",
        metavar="FILE",
        type=Path,
        help="the CA certificate(s) to trust for the exporter, PEM",
    )
    add("--store", metavar="URL", required=True,
        help="where its samples arrive: sqlite:///PATH or influxdb://USER@HOST:8086")  # fmt: skip
    add("--store-password-file", metavar="FILE", type=Path, help="InfluxDB's password")
    add(
        "--store-ca",
        metavar="FILE",
        type=Path,
        help="the CA certificate(s) to trust for InfluxDB, PEM",
    )
    add("--data", metavar="DIR", type=Path, default=Path("wattmark-data"),
        help="folder of runs and logs (default: %(default)s)")  # fmt: skip
    add("--cache", metavar="DIR", type=Path, default=_cache(),
        help="folder of trained weights; also WATTMARK_CACHE (default: %(default)s)")  # fmt: skip
    add("--config", metavar="FILE", type=Path,
        help="workloads.toml: what may run, and own scores (default: the built-in)")  # fmt: skip
    add("--keep-logs", metavar="DAYS", type=_days, default=KEEP_LOGS_DAYS,
        help="age at which logs and events of runs are deleted (default: %(default)g)")  # fmt: skip
    add("--keep-runs", metavar="DAYS", type=_days,
        help="age at which runs are deleted with their scores (default: none is)")  # fmt: skip
    add("--key-file", metavar="FILE", type=Path,
        help="lines 'read KEY NAME', 'run KEY NAME'; clients send KEY as bearer token")  # fmt: skip
    add("--tls-cert", metavar="FILE", type=Path, help="certificate chain, PEM")
    add("--tls-key", metavar="FILE", type=Path, help="its private key, PEM")
    add("--insecure-network", action="store_true",
        help="listen off loopback without TLS, on a private network")  # fmt: skip
    add("--allowed-host", metavar="NAME", action="append", default=[],
        help="a name that clients use for this machine; may be repeated")  # fmt: skip
    return parser


if __name__ == "__main__":
    sys.exit(main())
