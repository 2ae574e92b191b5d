"""Certificates for 127.0.0.1 that sign themselves, made by ``openssl``."""

import subprocess
from pathlib import Path


def make(folder: Path, name: str = "server", *, days: int = 30) -> tuple[Path, Path]:
    """Certificate and key, made anew where they are there; negative ``days``: it has expired."""
    folder.mkdir(exist_ok=True)
    certificate, key, request = (folder / f"{name}.{end}" for end in ("pem", "key", "csr"))
    run(
        "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
        "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost",
        "-keyout", str(key), "-out", str(request),
    )  # fmt: skip
    run(
        "x509", "-req", "-in", str(request), "-signkey", str(key), "-days", str(days),
        "-copy_extensions", "copy", "-out", str(certificate),
    )  # fmt: skip
    key.chmod(0o600)
    return certificate, key


def run(*arguments: str) -> None:
    """One call of ``openssl``."""
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)
