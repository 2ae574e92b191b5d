"""CSV that may be opened in a spreadsheet."""

import csv
import io

import pytest

from wattmark_runner.views.csv_rows import write_csv


def written(*rows: dict[str, object]) -> list[dict[str, str]]:
    """The rows as a reader of CSV sees them."""
    stream = io.StringIO()
    write_csv(stream, rows)
    return list(csv.DictReader(io.StringIO(stream.getvalue())))


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "＝", "  =", "\n="])
def test_text_that_a_spreadsheet_would_compute_stays_text(sign: str) -> None:
    """In cells and in headings: an apostrophe stands before it."""
    (row,) = written({f"{sign}x": f"{sign}cmd|' /C calc'!A0"})
    assert row == {f"'{sign}x": f"'{sign}cmd|' /C calc'!A0"}


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "＝"])
def test_a_semicolon_begins_no_cell_that_is_computed(sign: str) -> None:
    """Where a comma stands in numbers, spreadsheets split such files there."""
    (row,) = written({"name": f"a;{sign}cmd|' /C calc'!A0", "note": "a; b;c"})
    assert row == {"name": f"a;'{sign}cmd|' /C calc'!A0", "note": "a; b;c"}


def test_numbers_stay_numbers_and_missing_stays_empty() -> None:
    """A negative number is no formula."""
    rows = written({"a": -1.5, "b": None}, {"a": -3, "b": True, "c": "x"})
    assert rows == [{"a": "-1.5", "b": "", "c": ""}, {"a": "-3", "b": "True", "c": "x"}]


def test_controls_are_escaped_and_lines_kept() -> None:
    """NUL, ESC, a tab before a formula, controls of direction."""
    (row,) = written({"name": "\t=1\x00\x1b[31m\u202eexe", "note": "two\nlines"})
    assert row == {"name": "\\x09=1\\x00\\x1b[31m\\u202eexe", "note": "two\nlines"}
