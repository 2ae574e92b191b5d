"""Export: every row with what it takes to read it."""

import csv
import io
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Wattmark = Callable[..., subprocess.CompletedProcess[str]]


def rows_of(text: str) -> list[dict[str, str]]:
    """CSV as dictionaries."""
    return list(csv.DictReader(io.StringIO(text)))


def test_scores_carry_method_verdict_and_interval(wattmark: Wattmark, data: Path) -> None:
    """A missing value is an empty cell; the name comes back intact."""
    done = wattmark("export", "--data", str(data))
    rows = {row["model"]: row for row in rows_of(done.stdout)}
    assert set(rows) == {'<b>&"quoted"', "broken", "guessed"}
    assert rows["guessed"]["method"] == "estimated"
    assert rows["broken"]["value"] == ""
    assert rows["broken"]["verdict"] == "invalid"
    assert float(rows["guessed"]["low"]) < float(rows["guessed"]["value"])
    assert rows["guessed"]["checks"] == "idle_length=warned"


def test_csv_and_json_say_the_same(wattmark: Wattmark, data: Path, tmp_path: Path) -> None:
    """Samples both ways: the same series, times and values."""
    what = ("export", "--data", str(data), "--what", "samples", "--run", "run-guessed")
    assert wattmark(*what, "-o", "s.csv").returncode == 0
    from_csv = rows_of((tmp_path / "s.csv").read_text())
    from_json = json.loads(wattmark(*what, "--json").stdout)
    assert len(from_csv) == len(from_json) == 2 * 41  # two series, 4 s at 10 Hz
    for text, value in zip(from_csv, from_json, strict=True):
        assert int(text["time_ns"]) == value["time_ns"]
        assert float(text["joules"]) == value["joules"]
        assert text["method"] == value["method"]


def test_times_select(wattmark: Wattmark, data: Path) -> None:
    """--from and --to take ISO 8601 and Unix seconds."""
    what = ("export", "--data", str(data), "--what", "samples")
    done = wattmark(*what, "--from", "2023-11-14T22:13:20Z", "--to", "1700000001")
    assert len(rows_of(done.stdout)) == 2 * 11


def test_windows(wattmark: Wattmark, data: Path) -> None:
    """Windows with their counts and joules."""
    done = wattmark("export", "--data", str(data), "--what", "windows", "--format", "json")
    windows = json.loads(done.stdout)
    assert [window["inferences"] for window in windows] == [4000, 4000, 4000]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--from", "yesterday"), "neither ISO 8601"),
        (("--what", "samples", "--measurement", "magic"), "no measurement 'magic'; there are"),
        (("--what", "samples", "--run", "nope"), "no run 'nope'"),
        (("--run", "nope"), "no scores in"),
        (("-o", "/no/such/folder/x.csv"), "cannot write /no/such/folder/x.csv"),
    ],
)
def test_bad_requests_are_one_line(
    wattmark: Wattmark, data: Path, arguments: tuple[str, ...], says: str
) -> None:
    """Nothing is written, and the line says what is wrong."""
    done = wattmark("export", "--data", str(data), *arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert says in done.stderr
