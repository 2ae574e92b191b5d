"""Foreign text made fit for records, answers, logs and terminals.

What a system names (interfaces, control groups, GPUs, mounts, files) is bytes and need not be
UTF-8; what a page or a program says may hold escape sequences, NUL, or controls that turn the
direction of writing. Wherever such text comes in it passes through here; names that people choose
are refused instead, by ``unprintable``.
"""

from typing import Any, Final

MOST_CHARACTERS: Final = 200
"""Of foreign text in a message."""
_BYTES: Final = range(0xDC80, 0xDD00)
"""Lone surrogates that stand for bytes that are not UTF-8 (PEP 383, ``surrogateescape``)."""
_SPACES: Final = frozenset("\u00a0\u1680\u202f\u205f\u3000") | {
    chr(c) for c in range(0x2000, 0x200B)
}
"""Category Zs, of which ``str.isprintable`` takes the plain space alone."""
_ONE_BYTE: Final = 0x100
_FOUR_DIGITS: Final = 0x10000


def printable(text: str | bytes) -> str:
    r"""``text`` with each character that cannot be printed, and each byte that is not UTF-8, as its
    escape: ``eth\xe9``, ``\x1b[31m``, ``\u202e``. Always encodable; printable text stays as it is,
    with all its spaces: those that do not break, and thin ones, stand in our own figures.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8", "surrogateescape")
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() or character in _SPACES else _escaped(character)
        for character in text
    )


def printable_document(value: Any) -> Any:
    """What was read from JSON with all its texts printable: JSON can escape what no store, and no
    answer, can encode."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {printable(name): printable_document(one) for name, one in value.items()}
    return [printable_document(one) for one in value] if isinstance(value, list) else value


def quoted(text: str | bytes, most: int = MOST_CHARACTERS) -> str:
    """The beginning of foreign text, printable and in quotes, for a message."""
    shown = printable(text[: most + 1])
    return f"'{shown}'" if len(shown) <= most else f"'{shown[:most]}…'"


def unprintable(name: str) -> str | None:
    """The first character of a name that cannot be printed, as ``U+202E``; None if all can."""
    return next((f"U+{ord(c):04X}" for c in name if not c.isprintable()), None)


def _escaped(character: str) -> str:
    code = ord(character)
    if code in _BYTES:
        return f"\\x{code - 0xDC00:02x}"
    if code < _ONE_BYTE:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < _FOUR_DIGITS else f"\\U{code:08x}"
