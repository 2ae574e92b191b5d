"""How samples of one series stand in the ring, packed, and become lines when somebody asks."""

from collections.abc import Sequence
from struct import Struct
from typing import Final, Self

from wattmark_core.errors import SensorFailed
from wattmark_core.line_protocol import escape

INTEGER_LIMIT: Final = 2**63
"""Integers have 64 bits with a sign, in the ring as in line protocol."""


class LineFormat:
    """The samples of one series that have the same fields: 8 bytes per number instead of text.

    ``prefix``: measurement and tags as in line protocol; ``fields``: names, and whether each is an
    integer. ``pack(*values, time_ns)`` gives the bytes of one sample. Raises ``SensorFailed`` for
    text that is not UTF-8.
    """

    __slots__ = ("_codes", "_template", "_unpack", "pack")

    def __init__(self, prefix: str, fields: Sequence[tuple[str, bool]]) -> None:
        names = ((escape(name).replace("%", "%%"), integer) for name, integer in fields)
        texts = ",".join(f"{name}=%di" if integer else f"{name}=%r" for name, integer in names)
        codes = "".join("q" if integer else "d" for _, integer in fields) + "q"
        self._set(f"{prefix.replace('%', '%%')} {texts} %d\n", codes)
        try:
            self._template.encode()
        except UnicodeEncodeError as error:
            raise SensorFailed(f"a name or tag is not UTF-8: {prefix!a} {texts!a}") from error

    @classmethod
    def joined(cls, formats: Sequence[Self]) -> Self:
        """Of a sample of each of them, in turn."""
        whole = cls.__new__(cls)
        whole._set(
            "".join([part._template for part in formats]),
            "".join([part._codes for part in formats]),
        )
        return whole

    def lines(self, data: bytes) -> str:
        """The lines of packed samples, each with its line feed."""
        template = self._template
        return "".join([template % values for values in self._unpack(data)])

    def _set(self, template: str, codes: str) -> None:
        struct = Struct(f"<{codes}")
        self.pack = struct.pack
        self._unpack = struct.iter_unpack
        self._template, self._codes = template, codes
