"""Foreign text is made printable, whatever it holds."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattmark_core.printable import printable, quoted, unprintable

CASES = [
    (b"eth\xe9", "eth\\xe9"),
    ("eth\udce9", "eth\\xe9"),
    (b"caf\xc3\xa9", "café"),
    ("red \x1b[31m", "red \\x1b[31m"),
    ("a\x00b", "a\\x00b"),
    ("gpj.\u202eexe", "gpj.\\u202eexe"),
    ("\U000e0001", "\\U000e0001"),
    ("\ud800", "\\ud800"),
    ("two\nlines", "two\\x0alines"),
    ("Tesla V100 ∞ 日本", "Tesla V100 ∞ 日本"),
    ("2\u2009223\u00a0720", "2\u2009223\u00a0720"),
]


@pytest.mark.parametrize(("raw", "shown"), CASES)
def test_what_cannot_be_printed_is_escaped(raw: str | bytes, shown: str) -> None:
    """Bytes that are not UTF-8, controls, bidi controls, lone surrogates; the rest stays."""
    assert printable(raw) == shown


@given(st.one_of(st.text(), st.binary()))
def test_the_result_can_be_printed_and_encoded(raw: str | bytes) -> None:
    """For any text and any bytes, and twice is once."""
    shown = printable(raw)
    assert not {unicodedata.category(c) for c in shown} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert shown.encode().decode() == shown
    assert printable(shown) == shown


def test_a_quotation_is_short_and_says_that_it_was_cut() -> None:
    """A message does not become a page."""
    assert quoted(b"\x1f\x8b\x08") == "'\\x1f\\x8b\\x08'"
    assert quoted("x" * 300, 10) == "'xxxxxxxxxx…'"


def test_a_name_that_cannot_be_printed_is_told_by_its_character() -> None:
    """So that a message can say which."""
    assert unprintable("resnet-50 bÄtch") is None
    assert unprintable("exe.\u202egpj") == "U+202E"
