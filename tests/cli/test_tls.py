"""``wattmark tls init``: certificates that a strict client accepts, and only those."""

import json
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

Wattmark = Callable[..., subprocess.CompletedProcess[str]]
ROOMS = ("exporter", "collector", "runner")
STRICT = ssl.VERIFY_X509_STRICT


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificates for lab7 and 192.0.2.7, made once."""
    where = tmp_path_factory.mktemp("tls")
    made = where / "certificates"
    subprocess.run(
        [sys.executable, "-m", "wattmark_cli", "tls", "init", made,
         "--host", "Lab7.example", "--host", "192.0.2.7"],
        check=True, cwd=where, capture_output=True,
    )  # fmt: skip
    return made


def handshake(folder: Path, room: str, name: str, ca: Path | None = None) -> str | None:
    """A real TLS handshake with a room's certificate: the protocol. Raises ``ssl.SSLError``."""
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(folder / f"{room}.pem", folder / f"{room}.key")
    asking = ssl.create_default_context(cafile=str(ca or folder / "ca.pem"))
    asking.verify_flags |= STRICT
    here, peer = socket.socketpair()

    def serve() -> None:
        with peer:
            try:
                with serving.wrap_socket(peer, server_side=True) as connection:
                    connection.recv(1)
            except (ssl.SSLError, ConnectionError):
                pass  # the client has gone, as some of the tests want

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        here.settimeout(30)
        with here, asking.wrap_socket(here, server_hostname=name) as connection:
            connection.sendall(b".")
            return connection.version()
    finally:
        thread.join(30)


def certificate(folder: Path, name: str) -> x509.Certificate:
    """One of the certificates."""
    return x509.load_pem_x509_certificate((folder / f"{name}.pem").read_bytes())


@pytest.mark.parametrize("room", ROOMS)
@pytest.mark.parametrize("name", ["lab7.example", "192.0.2.7", "localhost", "127.0.0.1", "::1"])
def test_a_client_that_trusts_the_ca_connects(folder: Path, room: str, name: str) -> None:
    """By every name given and by the loopback ones, checked strictly after RFC 5280."""
    assert handshake(folder, room, name) == "TLSv1.3"


@pytest.mark.parametrize("name", ["lab8.example", "192.0.2.8", "example", "x.lab7.example"])
def test_another_name_is_refused(folder: Path, name: str) -> None:
    """A certificate proves the names in it and no other."""
    with pytest.raises(ssl.SSLCertVerificationError, match=r"mismatch|not valid for"):
        handshake(folder, "runner", name)


def test_another_ca_is_refused(folder: Path, tmp_path: Path, wattmark: Wattmark) -> None:
    """Who trusts another CA does not trust this one, though it has the same name."""
    assert wattmark("tls", "init", "other").returncode == 0
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(folder, "runner", "localhost", tmp_path / "other/ca.pem")


@pytest.mark.parametrize("name", ["ca", *ROOMS])
def test_keys_are_private(folder: Path, name: str) -> None:
    """Each key is on P-256, fits its certificate, and only its owner reads it."""
    path = folder / f"{name}.key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert (folder / f"{name}.pem").stat().st_mode & 0o777 == 0o644
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert isinstance(key.curve, ec.SECP256R1)
    assert key.public_key() == certificate(folder, name).public_key()


def test_what_the_certificates_allow(folder: Path) -> None:
    """The CA only signs certificates; a room's key only signs handshakes, 825 days at most."""
    ca = certificate(folder, "ca")
    constraints = ca.extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.critical
    assert (constraints.value.ca, constraints.value.path_length) == (True, 0)
    usage = ca.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert usage.value.key_cert_sign
    assert not usage.value.digital_signature
    for room in ROOMS:
        leaf = certificate(folder, room)
        leaf.verify_directly_issued_by(ca)
        assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        usage = leaf.extensions.get_extension_for_class(x509.KeyUsage)
        assert usage.value.digital_signature
        assert not usage.value.key_cert_sign
        assert leaf.not_valid_after_utc - leaf.not_valid_before_utc <= timedelta(days=825)
        assert leaf.not_valid_before_utc < datetime.now(UTC) < leaf.not_valid_after_utc


def test_nothing_is_written_over(folder: Path, wattmark: Wattmark) -> None:
    """Files that are there stay, and one line says what to do."""
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    done = wattmark("tls", "init", str(folder))
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "--force" in done.stderr
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_force_keeps_the_ca(tmp_path: Path, wattmark: Wattmark) -> None:
    """New certificates for new names; clients that trust the CA need nothing new."""
    made = tmp_path / "made"
    assert wattmark("tls", "init", "made", "--host", "old").returncode == 0
    before = {path.name: path.read_bytes() for path in made.iterdir()}
    done = wattmark("tls", "init", "made", "--host", "new", "--days", "30", "--force", "--json")
    document = json.loads(done.stdout)
    assert document["ca_kept"] is True
    assert document["hosts"][0] == "new"
    after = {path.name: path.read_bytes() for path in made.iterdir()}
    assert before.keys() == after.keys() == set(document["files"])
    assert {name for name in before if before[name] == after[name]} == {"ca.pem", "ca.key"}
    assert handshake(made, "runner", "new") == "TLSv1.3"
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(made, "runner", "old")
    leaf = certificate(made, "runner")
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc == timedelta(days=30)


def spoil_nothing(folder: Path) -> None:
    """Leave the CA as it is."""


def lose_key(folder: Path) -> None:
    """A CA without its key."""
    (folder / "ca.key").unlink()


def break_certificate(folder: Path) -> None:
    """A CA that is none."""
    (folder / "ca.pem").write_text("no certificate")


def swap_key(folder: Path) -> None:
    """A CA with the key of a room."""
    (folder / "ca.key").write_bytes((folder / "runner.key").read_bytes())


def rsa_key(folder: Path) -> None:
    """A CA with a key of another kind."""
    key = rsa.generate_private_key(65537, 2048)
    (folder / "ca.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                          serialization.NoEncryption())
    )  # fmt: skip


@pytest.mark.parametrize(
    ("spoil", "options", "says"),
    [
        (lose_key, (), "ca.key: No such file"),
        (break_certificate, (), "cannot be read"),
        (swap_key, (), "is not the key of"),
        (rsa_key, (), "is not the key of"),
        (spoil_nothing, ("--host", "https://lab7"), "--host 'https://lab7'"),
        (spoil_nothing, ("--host", "lab7:8080"), "without port"),
        (spoil_nothing, ("--host", "*.example"), "give a host name"),
        (spoil_nothing, ("--host", "büro"), "give a host name"),
        (spoil_nothing, ("--host", ""), "give a host name"),
        (spoil_nothing, ("--days", "826"), "1 to 825"),
        (spoil_nothing, ("--days", "0"), "1 to 825"),
    ],
)
def test_what_cannot_be_is_one_line(
    folder: Path, tmp_path: Path, wattmark: Wattmark,
    spoil: Callable[[Path], None], options: tuple[str, ...], says: str,
) -> None:  # fmt: skip
    """Half a CA, a foreign key, or a name that no certificate holds: nothing is written."""
    made = tmp_path / "made"
    made.mkdir()
    for path in folder.iterdir():
        (made / path.name).write_bytes(path.read_bytes())
    spoil(made)
    before = {path.name: path.read_bytes() for path in made.iterdir()}
    done = wattmark("tls", "init", "made", "--force", *options)
    assert done.returncode == 2
    assert done.stderr.startswith("wattmark: ")
    assert done.stderr.count("\n") == 1
    assert says in done.stderr
    assert {path.name: path.read_bytes() for path in made.iterdir()} == before


def test_it_says_how_to_use_them(wattmark: Wattmark) -> None:
    """Three lines: for the rooms, for their clients, and about the CA's key."""
    done = wattmark("tls", "init", "made", "--host", "[2001:db8::7]")
    lines = done.stdout.splitlines()
    assert len(lines) == 3
    assert "--tls-cert made/ROOM.pem" in lines[0]
    assert "--cacert made/ca.pem https://[2001:db8::7]:PORT/" in lines[1]
    assert "made/ca.key" in lines[2]


def test_a_folder_that_cannot_be(tmp_path: Path, wattmark: Wattmark) -> None:
    """A file in the place of the folder is one line."""
    (tmp_path / "file").write_text("")
    done = wattmark("tls", "init", "file/made")
    assert done.returncode == 2
    assert done.stderr.startswith("wattmark: cannot write")


def test_a_runner_reaches_its_exporter_over_tls(folder: Path, make_rooms: Any) -> None:
    """With the exporter's CA and token; without the token it says what is refused."""
    rooms = make_rooms()
    for module in ("wattmark_runner", "wattmark_collector", "wattmark_exporters"):
        rooms.end(module)
    token = rooms.data / "token"
    token.write_text("a-token-of-the-tests")
    token.chmod(0o600)
    rooms.exporter_url = rooms.start(
        "wattmark_exporters", "--listen", "127.0.0.1:0", "--token-file", str(token),
        "--tls-cert", str(folder / "exporter.pem"), "--tls-key", str(folder / "exporter.key"),
    )  # fmt: skip
    ca = ("--exporter-ca", str(folder / "ca.pem"))
    let_in = rooms.start_runner(*ca, "--exporter-token-file", str(token))
    assert httpx.get(f"{let_in}/api/v1/sensors").json()["host"] == "testhost"
    rooms.end("wattmark_runner")
    refused = httpx.get(f"{rooms.start_runner(*ca)}/api/v1/sensors")
    assert refused.status_code == 503
    assert "401" in refused.json()["detail"]


def test_an_encrypted_key_is_refused(folder: Path, tmp_path: Path, wattmark: Wattmark) -> None:
    """A service has nobody who could type its password."""
    key = serialization.load_pem_private_key((folder / "runner.key").read_bytes(), None)
    encrypted = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )  # fmt: skip
    (tmp_path / "locked.key").write_bytes(encrypted)
    done = wattmark(
        "serve", "--listen", "127.0.0.1:0", "--tls-cert", str(folder / "runner.pem"),
        "--tls-key", str(tmp_path / "locked.key"),
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "locked.key is encrypted; give one without a password" in done.stderr
