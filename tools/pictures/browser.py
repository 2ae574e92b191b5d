"""A page as a picture, by Debian's chromium."""

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

SECONDS: Final = 120.0
VIRTUAL_MS: Final = 5000


class BrowserError(Exception):
    """There is no picture; the message says why."""


def picture(html: str, path: Path, width: int, height: int) -> None:
    """Write the page to ``path``, a PNG of ``width`` × ``height``. Raises ``BrowserError``."""
    program = shutil.which("chromium")
    if program is None:
        raise BrowserError("chromium is not installed: apt install chromium")
    with tempfile.TemporaryDirectory(prefix="wattmark-picture-") as folder:
        source = Path(folder) / "page.html"
        source.write_text(html, encoding="utf-8")
        command = [
            program, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
            "--allow-file-access-from-files", f"--user-data-dir={folder}/profile",
            f"--window-size={width},{height}", f"--virtual-time-budget={VIRTUAL_MS}",
            f"--screenshot={path.resolve()}", source.as_uri(),
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, timeout=SECONDS, check=False)
    if done.returncode or not path.exists():
        raise BrowserError(f"chromium made no picture: {done.stderr.decode()[-500:]}")
