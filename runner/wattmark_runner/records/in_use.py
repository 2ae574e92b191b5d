"""What the program that works on a data folder serves, for others that are to join it.

A small file in the folder, ``service.json``, which is there while its lock is held.
"""

import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from wattmark_core.codec import from_json
from wattmark_core.exporter_api import ExporterAddress
from wattmark_runner.records.folder_lock import PUBLISHED

log = logging.getLogger(__name__)
UNSPECIFIED: Final = {"://0.0.0.0:": "://127.0.0.1:", "://[::]:": "://[::1]:"}


@dataclass(frozen=True, slots=True)
class InUse:
    """Who works on a folder: its exporter, the store of its samples, and the URL of its API; empty:
    it has none, for it measures one thing and ends. Files are named, what is in them is not."""

    pid: int
    exporter: str
    store: str
    url: str = ""
    exporter_token_file: str = ""
    exporter_ca: str = ""
    store_password_file: str = ""
    store_ca: str = ""

    @property
    def exporter_address(self) -> ExporterAddress:
        """Its exporter, with what it takes to be let in."""
        token, ca = self.exporter_token_file, self.exporter_ca
        return ExporterAddress(
            self.exporter, Path(token) if token else None, Path(ca) if ca else None
        )

    @property
    def local_url(self) -> str:
        """The URL as this machine reaches it."""
        url = self.url
        for everywhere, here in UNSPECIFIED.items():
            url = url.replace(everywhere, here)
        return url

    @property
    def runs(self) -> bool:
        """Is its process still there?"""
        try:
            os.kill(self.pid, 0)
        except (ProcessLookupError, OverflowError):  # a file that is damaged may name any number
            return False
        except PermissionError:
            return True
        return True

    def __str__(self) -> str:
        return f"process {self.pid}" + (f", {self.url}/" if self.url else "")


@contextmanager
def published(folder: Path, in_use: InUse) -> Iterator[None]:
    """Say so in the folder, whose lock is held, as long as the context lasts. A disk without room
    is logged and stops nothing."""
    file, made = folder / PUBLISHED, folder / f".{PUBLISHED}.{os.getpid()}"
    try:
        made.write_text(json.dumps(asdict(in_use), indent=2) + "\n", encoding="utf-8")
        made.replace(file)
    except OSError as error:
        made.unlink(missing_ok=True)
        log.warning("%s cannot be written (%s): nobody can join", file, error.strerror)
    try:
        yield
    finally:
        if read_in_use(folder) == in_use:
            file.unlink(missing_ok=True)


def read_in_use(folder: Path) -> InUse | None:
    """What is said in the folder; None if nothing is, or nothing that can be read."""
    try:
        text = (folder / PUBLISHED).read_text(encoding="utf-8")
        return from_json(InUse, json.loads(text))
    except (OSError, ValueError, TypeError, RecursionError):
        return None
