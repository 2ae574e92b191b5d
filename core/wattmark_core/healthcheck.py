"""``python -m ROOM healthcheck``: does the room answer? For containers, which have no curl."""

import argparse
import ssl
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from wattmark_core.errors import ConfigurationError
from wattmark_core.net import read_token

COMMAND: Final = "healthcheck"
TIMEOUT_SECONDS: Final = 3.0
MOST_BYTES: Final = 2000


def main(arguments: Sequence[str], program: str, default_url: str) -> int:
    """Ask ``/healthz``: exit status 0 if it answers 200, else 1, and one line with the reason."""
    parser = argparse.ArgumentParser(
        prog=f"{program} {COMMAND}", description="Ask the service whether it is well."
    )
    add = parser.add_argument
    add("--url", default=default_url, help="address to ask (default: %(default)s)")
    add("--ca", type=Path, metavar="FILE", help="the CA certificate(s) to trust, PEM")
    add("--token-file", type=Path, metavar="FILE", help="file with the bearer token to send")
    options = parser.parse_args(arguments)
    if not options.url.startswith(("http://", "https://")):
        parser.error(f"--url {options.url} is not http:// or https://")
    problem = _problem(options.url, options.ca, options.token_file)
    sys.stdout.write(f"{options.url}: {problem or 'ok'}\n")
    return 1 if problem else 0


def _problem(url: str, ca: Path | None, token_file: Path | None) -> str:
    """Why it is not well; empty if it is."""
    request = urllib.request.Request(url)  # noqa: S310 - the scheme was checked
    try:
        if token_file is not None:
            token = read_token(token_file, "token file")
            request.add_header("Authorization", f"Bearer {token}")
        context = ssl.create_default_context(cafile=ca) if url.startswith("https") else None
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS, context=context):  # noqa: S310
            return ""
    except urllib.error.HTTPError as error:
        text = error.read(MOST_BYTES).decode("utf-8", "replace")
        return f"{error.code} {' '.join(text.split())}"
    except ConfigurationError as error:
        return str(error)
    except OSError as error:
        return f"does not answer ({error})"
