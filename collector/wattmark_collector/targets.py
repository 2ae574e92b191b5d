"""What to poll: one frozen value per target, so that a reload finds what changed."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

SERIES_LIMIT: Final = 20_000
EXPORTER_PATH: Final = "/samples"
"""The metrics path that marks a Wattmark exporter."""


@dataclass(frozen=True, slots=True)
class Target:
    """One endpoint. ``host``: the label of the target file, empty if it gives none.

    ``keep``: which metrics the target asks for beside those that are normalised; None: all but
    those of known exporters. ``max_watts``: the most that one of its devices draws, where the
    target file says it. ``series_limit``: how many series it may have within an hour.
    """

    job: str
    url: str
    interval_seconds: float
    timeout_seconds: float
    host: str = ""
    credentials_file: Path | None = None
    ca_file: Path | None = None
    keep: re.Pattern[str] | None = None
    max_watts: float | None = None
    series_limit: int = SERIES_LIMIT

    @property
    def is_exporter(self) -> bool:
        """Is it a Wattmark exporter?"""
        return urlsplit(self.url).path == EXPORTER_PATH

    @property
    def base_url(self) -> str:
        """The URL without its path."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def host_name(self) -> str:
        """The host's name in the URL."""
        return urlsplit(self.url).hostname or ""
