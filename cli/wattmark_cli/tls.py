"""``wattmark tls init``: a small certificate authority, and certificates for the rooms.

For networks without an authority of their own. A client that trusts ``ca.pem`` trusts all that
``ca.key`` signs, so that file is best moved off the machine once the certificates are made.
"""

import argparse
import datetime
import ipaddress
import json
import os
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from wattmark_cli.options import Subparsers, add_command
from wattmark_core.errors import ConfigurationError

ROOMS: Final = ("exporter", "collector", "runner")
ALWAYS: Final = ("localhost", "127.0.0.1", "::1")
LONGEST_DAYS: Final = 825
"""More than this, and Apple's systems refuse a certificate, even from a public CA."""
CA_DAYS: Final = 3650
CLOCK_SLACK: Final = datetime.timedelta(hours=1)
"""Certificates are valid from this long ago on, for machines whose clock is behind."""
PURPOSES: Final = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)
NAME: Final = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*")
LONGEST_NAME: Final = 253
PUBLIC, PRIVATE = 0o644, 0o600


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its private key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def add_parser(subparsers: Subparsers) -> None:
    """The command's options."""
    parser = add_command(
        subparsers, "tls", "wattmark tls init certificates --host lab7 --host 192.0.2.7", run,
    )  # fmt: skip
    add = parser.add_argument
    add("action", choices=("init",), help="make a small CA and certificates signed by it")
    add("folder", type=Path, metavar="DIR", help="folder that they are written into")
    add("--host", action="append", default=[], metavar="NAME_OR_IP",
        help="name or address that clients use for a machine; may be repeated")  # fmt: skip
    add("--days", type=int, default=LONGEST_DAYS, metavar="N",
        help="days of validity, 1 to %(default)s (default: %(default)s)")  # fmt: skip
    add("--force", action="store_true",
        help="replace certificates that exist; an existing CA is kept")  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """Make the files and print how to use them. Raises ``ConfigurationError``."""
    folder: Path = arguments.folder
    hosts = tuple(dict.fromkeys([*map(_host, arguments.host), *ALWAYS]))
    if not 1 <= arguments.days <= LONGEST_DAYS:
        raise ConfigurationError(f"--days {arguments.days}: give 1 to {LONGEST_DAYS}")
    if not arguments.force:
        _refuse_existing(folder)
    existing = _read_ca(folder)
    ca = existing or _make_ca()
    pairs = {room: _make_certificate(ca, room, hosts, arguments.days) for room in ROOMS}
    if existing is None:
        pairs = {"ca": ca, **pairs}
    _write_all(folder, pairs)
    _report(arguments, hosts, pairs[ROOMS[0]].certificate, ca_kept=existing is not None)
    return 0


def _host(text: str) -> str:
    """An address, or a name in ASCII as certificates hold it."""
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        if len(text) <= LONGEST_NAME and NAME.fullmatch(text):
            return text.lower()
    raise ConfigurationError(
        f"--host {text!r}: give a host name or an address, without port or URL"
    )


def _refuse_existing(folder: Path) -> None:
    for path in _files(folder, ("ca", *ROOMS)):
        if path.exists():
            raise ConfigurationError(
                f"{path} is there already; --force keeps the CA and writes new certificates"
            )


def _files(folder: Path, names: Sequence[str]) -> Iterator[Path]:
    for name in names:
        yield folder / f"{name}.pem"
        yield folder / f"{name}.key"


def _read_ca(folder: Path) -> Pair | None:
    """The CA in the folder, None if it has none. Half a CA, or an expired one, is an error."""
    certificate_path, key_path = _files(folder, ("ca",))
    if not certificate_path.exists() and not key_path.exists():
        return None
    try:
        certificate = x509.load_pem_x509_certificate(certificate_path.read_bytes())
        key = serialization.load_pem_private_key(key_path.read_bytes(), password=None)
    except OSError as error:
        raise ConfigurationError(
            f"{error.filename}: {error.strerror}; a CA needs both ca.pem and ca.key"
        ) from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ConfigurationError(f"the CA in {folder} cannot be read; move it away") from error
    if (
        not isinstance(key, ec.EllipticCurvePrivateKey)
        or key.public_key() != certificate.public_key()
    ):
        raise ConfigurationError(f"{key_path} is not the key of {certificate_path}")
    if certificate.not_valid_after_utc <= _now():
        raise ConfigurationError(f"{certificate_path} has expired; move it and its key away")
    return Pair(certificate, key)


def _make_ca() -> Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(f"Wattmark CA {_now():%Y-%m-%d}")
    builder = (
        _builder(name, name, key.public_key(), _now() + datetime.timedelta(days=CA_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
    )
    return Pair(builder.sign(key, hashes.SHA256()), key)


def _make_certificate(ca: Pair, room: str, hosts: Sequence[str], days: int) -> Pair:
    """For both ends of a connection: a room that serves, and one that asks."""
    key = ec.generate_private_key(ec.SECP256R1())
    until = min(_now() + datetime.timedelta(days=days), ca.certificate.not_valid_after_utc)
    issuer = ca.certificate.subject
    builder = (
        _builder(_name(f"wattmark-{room}"), issuer, key.public_key(), until)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage(PURPOSES), critical=False
        )
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(ca.key.public_key()), critical=False
        )
        .add_extension(x509.SubjectAlternativeName(map(_general_name, hosts)), critical=False)
    )  # fmt: skip
    return Pair(builder.sign(ca.key, hashes.SHA256()), key)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey,
    until: datetime.datetime,
) -> x509.CertificateBuilder:  # fmt: skip
    """What all certificates share."""
    return x509.CertificateBuilder(
        issuer, subject, key, x509.random_serial_number(), _now() - CLOCK_SLACK, until - CLOCK_SLACK
    ).add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    """A CA signs certificates and nothing else; the others sign handshakes (EC keys do no more)."""
    return x509.KeyUsage(
        digital_signature=not signs_certificates, key_cert_sign=signs_certificates,
        crl_sign=signs_certificates, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def _write_all(folder: Path, pairs: dict[str, Pair]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, pair in pairs.items():
            key = pair.key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            _write(folder / f"{name}.key", key, PRIVATE)
            certificate = pair.certificate.public_bytes(serialization.Encoding.PEM)
            _write(folder / f"{name}.pem", certificate, PUBLIC)
    except OSError as error:
        raise ConfigurationError(f"cannot write {error.filename}: {error.strerror}") from error


def _write(path: Path, content: bytes, mode: int) -> None:
    """Whole or not at all, and never readable by others meanwhile."""
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
    with open(descriptor, "wb") as stream:  # noqa: PTH123  # a descriptor has no path
        stream.write(content)
        os.fchmod(stream.fileno(), mode)
    new.replace(path)


def _report(
    arguments: argparse.Namespace, hosts: Sequence[str], certificate: x509.Certificate, *,
    ca_kept: bool,
) -> None:  # fmt: skip
    folder: Path = arguments.folder
    until = certificate.not_valid_after_utc
    host = f"[{hosts[0]}]" if ":" in hosts[0] else hosts[0]
    if arguments.json:
        document = {
            "folder": str(folder), "hosts": list(hosts), "valid_until": until.isoformat(),
            "ca_kept": ca_kept, "files": [path.name for path in _files(folder, ("ca", *ROOMS))],
        }  # fmt: skip
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
        return
    sys.stdout.write(
        f"Until {until:%Y-%m-%d}, start ROOM (exporter, runner) with --tls-cert {folder}/ROOM.pem"
        f" --tls-key {folder}/ROOM.key.\n"
        f"Give clients ca.pem: curl --cacert {folder}/ca.pem https://{host}:PORT/ and, in the"
        f" collector's targets, tls_config: {{ca_file: {folder}/ca.pem}}.\n"
        f"Keep {folder}/ca.key away from the machines: its holder can pose as any of them.\n"
    )
