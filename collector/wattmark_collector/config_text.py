"""The text of a target file as YAML nodes, which know their lines."""

from pathlib import Path
from typing import Final

import yaml

from wattmark_core.errors import ConfigurationError
from wattmark_core.printable import printable

MOST_BYTES: Final = 4 * 1024 * 1024
_MOST_WORDS: Final = 300


def read_nodes(path: Path) -> yaml.Node:
    """The file's root. Raises ``ConfigurationError`` with one line, which names the line of the
    file where there is one."""
    where = f"target file {printable(str(path))}"
    try:
        body = path.read_bytes()
    except (OSError, ValueError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or "its name holds a NUL"
        raise ConfigurationError(f"{where} cannot be read: {reason}") from error
    if len(body) > MOST_BYTES:
        raise ConfigurationError(f"{where} has over {MOST_BYTES} bytes; split it with"
                                 " scrape_config_files")  # fmt: skip
    text = _text(body, where)
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ConfigurationError(
            f"{where} is not YAML: line {line} holds U+{ord(text[error.position]):04X}, which"
            " cannot be printed; take it out"
        ) from error
    except yaml.YAMLError as error:
        reason = printable(" ".join(str(error).split()))[:_MOST_WORDS]
        raise ConfigurationError(f"{where} is not YAML: {reason}; correct it there") from error
    except RecursionError as error:
        raise ConfigurationError(f"{where} is nested too deeply; it needs four levels") from error
    except (ValueError, OverflowError) as error:  # an escape such as \UFFFFFFFF
        words = printable(str(error))[:80]
        raise ConfigurationError(
            f"{where} is not YAML: an escape is no character ({words})"
        ) from error
    if root is None:
        raise ConfigurationError(f"{where} is empty; it needs scrape_configs")
    return root


def _text(body: bytes, where: str) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        raise ConfigurationError(
            f"{where} cannot be read: it is not UTF-8 text in line {line}"
            f" (byte 0x{body[error.start]:02X}); save it as UTF-8"
        ) from error
