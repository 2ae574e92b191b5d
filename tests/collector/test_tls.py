"""A target behind TLS and a token, for real: its certificate is checked and the token is sent."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wattmark_store.sqlite import SqliteStore


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for 127.0.0.1, its key and a token beside it."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "1",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", str(tmp_path / "key.pem"), "-out", str(tmp_path / "cert.pem")],
        check=True, capture_output=True,
    )  # fmt: skip
    (tmp_path / "token").write_text("a-token-of-the-tests\n")
    (tmp_path / "token").chmod(0o600)
    (tmp_path / "wrong").write_text("guess\n")
    return tmp_path / "cert.pem"


@pytest.fixture
def address(certificate: Path, run_module: Callable[..., Any]) -> str:
    """An exporter that talks TLS only, to those who know the token."""
    folder = certificate.parent
    exporter = run_module(
        "wattmark_exporters", "--listen", "127.0.0.1:0", "--host-name", "h1",
        "--tls-cert", str(certificate), "--tls-key", str(folder / "key.pem"),
        "--token-file", str(folder / "token"),
    )  # fmt: skip
    return str(exporter.ready).removeprefix("READY https://")


def job(address: str, path: str, trust: str, credentials: str) -> str:
    """A target file, polled ten times a second."""
    return (
        "scrape_configs:\n- job_name: t\n  scrape_interval: 100ms\n  scheme: https\n"
        f"  metrics_path: {path}\n  authorization: {{credentials_file: {credentials}}}\n{trust}"
        f"  static_configs: [{{targets: ['{address}']}}]\n"
    )


TRUST = "  tls_config: {ca_file: cert.pem}\n"


@pytest.mark.parametrize("path", ["/samples", "/metrics"])
@pytest.mark.parametrize(
    ("trust", "credentials", "up", "logged"),
    [
        (TRUST, "token", 1, ""),
        ("", "token", 0, "CERTIFICATE_VERIFY_FAILED"),
        (TRUST, "wrong", 0, "answered 401"),
    ],
)
def test_tls_and_token(
    address: str, path: str, trust: str, credentials: str, up: int, logged: str,
    run_collector: Callable[[str], Any], tmp_path: Path,
) -> None:  # fmt: skip
    """Up with both; a certificate that nobody signed, or a wrong token, is down and says why."""
    collector = run_collector(job(address, path, trust, credentials))
    assert collector.stop() == 0
    store = SqliteStore(tmp_path / "s.sqlite")
    (data,) = store.series("target", 0, 2**62, {"target": f"https://{address}{path}"})
    store.close()
    assert set(data.fields["up"]) == {up}
    assert logged in collector.errors
