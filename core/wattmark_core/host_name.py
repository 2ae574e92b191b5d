"""What this machine is called in the ``host`` tag."""

import os
import socket
from pathlib import Path

from wattmark_core.errors import ConfigurationError


def own_host() -> str:
    """``WATTMARK_HOST``, else what the file ``WATTMARK_HOST_FILE`` holds (for containers, whose own
    name is an id), else the hostname. Raises ``ConfigurationError``."""
    named, file = os.environ.get("WATTMARK_HOST"), os.environ.get("WATTMARK_HOST_FILE")
    if not named and file:
        try:
            named = Path(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(
                f"WATTMARK_HOST_FILE {file}: {error}; set WATTMARK_HOST to the host's name"
            ) from error
    return named or socket.gethostname()
