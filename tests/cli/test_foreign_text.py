"""Names of others in reports and on terminals: escaped, wherever they come from."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.conftest import make_record, make_score
from wattmark_cli import grid, output, tables
from wattmark_cli.report import write_report
from wattmark_core.catalogue import Method
from wattmark_core.results import Verdict
from wattmark_scoring.ranking import rank
from wattmark_store.sqlite import SqliteStore

EVIL = "net\x1b[31m\x00\u202egpj.exe\udce9"
SHOWN = "net\\x1b[31m\\x00\\u202egpj.exe\\xe9"
UNFIT = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def test_a_report_holds_no_control_characters(tmp_path: Path) -> None:
    """In tables, pictures, facts and titles; the name can still be read."""
    record = make_record(make_score(EVIL, 5.0, Verdict.VALID, Method.COUNTER))
    record.environment["cpu_model"] = f"{EVIL} CPU"
    record = replace(record, host=EVIL)
    store = SqliteStore(tmp_path / "s.sqlite")
    write_report(tmp_path / "r.html", [record], store, title=EVIL)
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert UNFIT.findall(page) == []
    assert page.count(SHOWN) >= 6


def test_a_terminal_gets_no_escape_sequences(capsys: pytest.CaptureFixture[str]) -> None:
    """In lists, rankings and lines."""
    grid.show(EVIL, [EVIL, "b"], [[EVIL, "1"]], keys=1, left=[0])
    tables.show(rank([make_score(EVIL, 5.0, Verdict.VALID, Method.COUNTER)]))
    output.say(f"run {EVIL}")
    output.remark(f"run {EVIL}")
    shown = capsys.readouterr()
    assert UNFIT.findall(shown.out + shown.err) == []
    assert shown.err == f"run {SHOWN}\n"
    assert shown.out.endswith(f"run {SHOWN}\n")
