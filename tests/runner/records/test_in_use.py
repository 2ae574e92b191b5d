"""What stands in ``service.json`` may be damaged: then nobody is said to be there."""

import json
from pathlib import Path

import pytest

from wattmark_runner.records.folder_lock import PUBLISHED
from wattmark_runner.records.in_use import read_in_use


@pytest.mark.parametrize("text", ["", "no JSON", "[]", '{"pid": "one"}', "[" * 100_000, "\0"])
def test_what_cannot_be_read_says_nothing(tmp_path: Path, text: str) -> None:
    """Whatever it is."""
    (tmp_path / PUBLISHED).write_text(text)
    assert read_in_use(tmp_path) is None


def test_a_process_number_that_none_can_have_is_nobodys(tmp_path: Path) -> None:
    """Too large for the kernel."""
    said = {"pid": 10**30, "exporter": "http://127.0.0.1:9", "store": "sqlite:///s"}
    (tmp_path / PUBLISHED).write_text(json.dumps(said))
    found = read_in_use(tmp_path)
    assert found is not None
    assert not found.runs
