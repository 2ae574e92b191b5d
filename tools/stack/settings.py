"""Settings as Compose takes them: from the environment, else from ``.env`` beside its files."""

import os
from typing import Final

from tools.stack.compose import ROOT

FILE: Final = ROOT / ".env"


def setting(name: str, default: str = "") -> str:
    """A setting's text; one that is empty counts as not given."""
    return os.environ.get(name) or _file().get(name) or default


def _file() -> dict[str, str]:
    try:
        lines = FILE.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    pairs = [line.partition("=") for line in lines if not line.lstrip().startswith("#")]
    return {name.strip(): text.strip().strip("'\"") for name, equals, text in pairs if equals}
