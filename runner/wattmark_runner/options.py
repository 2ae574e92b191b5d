"""What the service's options ask for, checked before anything is started.

``wattmark serve`` checks the same before it starts an exporter and a collector, so nothing here
imports a server or a framework. All functions raise ``ConfigurationError`` with one line.
"""

import argparse
import socket
from dataclasses import dataclass
from pathlib import Path

from wattmark_core.errors import ConfigurationError
from wattmark_core.exporter_api import ExporterAddress
from wattmark_core.http_guard import check_allowed
from wattmark_core.http_limits import BACKLOG
from wattmark_core.net import host_port, listening_error, read_secret
from wattmark_core.tls import ServedCertificate
from wattmark_runner.service.access.exposure import check_exposure
from wattmark_runner.service.access.keys import Keys
from wattmark_runner.workloads.config import RunnerConfig
from wattmark_runner.workloads.reading import load_config
from wattmark_scoring.formula import Formula


@dataclass(frozen=True, slots=True)
class Settings:
    """What the options ask for: where to listen, whom to let in, what may run and be scored."""

    host: str
    port: int
    keys: Keys | None
    certificate: ServedCertificate | None
    config: RunnerConfig
    formulas: tuple[Formula, ...]


def check(options: argparse.Namespace) -> Settings:
    """``listen``, ``key_file``, ``tls_cert``, ``tls_key``, ``insecure_network``, ``allowed_host``
    and ``config``, read and checked."""
    host, port = host_port(options.listen)
    keys = Keys.read(options.key_file) if options.key_file else None
    check_exposure(
        host, has_keys=keys is not None, has_tls=options.tls_cert is not None,
        insecure_network=options.insecure_network,
    )  # fmt: skip
    certificate = _certificate(options.tls_cert, options.tls_key)
    check_allowed(options.allowed_host)
    config = load_config(options.config)
    formulas = tuple(Formula.parse(name, text) for name, text in config.formulas.items())
    return Settings(host, port, keys, certificate, config, formulas)


def check_exporter(exporter: ExporterAddress) -> None:
    """Its URL, token file and CA certificates can be used; whether it answers is not asked."""
    if exporter.token_file is not None:
        read_secret(exporter.token_file, "token file", "the token")
    exporter.client().close()


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens. Raises ``PortInUse`` where another program does."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Without the protocol asyncio would leave Nagle on: 40 ms for every small answer.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise listening_error(error, host, port) from error
    return listener


def _certificate(certificate: Path | None, key: Path | None) -> ServedCertificate | None:
    if (certificate is None) != (key is None):
        raise ConfigurationError("--tls-cert and --tls-key go together: give both, or neither")
    return None if certificate is None else ServedCertificate(certificate, key)
