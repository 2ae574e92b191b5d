"""What the collector says of itself: the measurement ``collector``."""

import os
import socket
from collections.abc import Callable, Mapping
from pathlib import Path

from wattmark_core.clock import Clock
from wattmark_core.errors import ConfigurationError
from wattmark_core.sample import Sample, make_tags


def pulse(host: str, clock: Clock) -> Callable[[Mapping[str, float | int]], Sample]:
    """Makes samples of the collector on ``host``."""
    tags = make_tags({"host": host})
    return lambda fields: Sample("collector", tags, dict(fields), clock.realtime_ns())


def own_host() -> str:
    """The name of this machine as its exporter gives it: ``WATTMARK_HOST``, else what the file
    ``WATTMARK_HOST_FILE`` holds (for containers), else the hostname."""
    named, file = os.environ.get("WATTMARK_HOST"), os.environ.get("WATTMARK_HOST_FILE")
    if not named and file:
        try:
            named = Path(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(
                f"WATTMARK_HOST_FILE {file}: {error}; set WATTMARK_HOST to the host's name"
            ) from error
    return named or socket.gethostname()
