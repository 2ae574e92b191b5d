"""Export: every row with what it takes to read it."""

import csv
import io
import json
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from wattmark_cli.export import write_results_json, write_scores_csv
from wattmark_core.codec import from_json
from wattmark_core.sample import Sample, make_tags
from wattmark_runner.records.database import RunDatabase
from wattmark_runner.records.model import RunRecord
from wattmark_store.sqlite import SqliteStore

Wattmark = Callable[..., subprocess.CompletedProcess[str]]


def rows_of(text: str) -> list[dict[str, str]]:
    """CSV as dictionaries."""
    return list(csv.DictReader(io.StringIO(text)))


def test_scores_carry_method_verdict_and_interval(wattmark: Wattmark, data: Path) -> None:
    """A missing value is an empty cell; the name comes back intact."""
    done = wattmark("export", "--data", str(data))
    rows = {row["model"]: row for row in rows_of(done.stdout)}
    assert set(rows) == {'<b>&"quoted"[/x]', "broken", "guessed"}
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


def test_a_run_s_samples_are_those_of_its_host(wattmark: Wattmark, data: Path) -> None:
    """What another machine drew at the same time is not part of the run."""
    tags = make_tags({"host": "host2", "domain": "package", "device": "socket0",
                      "source": "rapl", "method": "counter"})  # fmt: skip
    with closing(SqliteStore(data / "store.sqlite")) as store:
        store.write([Sample("energy", tags, {"joules": 1.0, "epoch": 1}, 1_700_000_002 * 10**9)])
    samples = ("export", "--data", str(data), "--what", "samples")
    assert "host2" in wattmark(*samples).stdout
    assert "host2" not in wattmark(*samples, "--run", "run-guessed").stdout


def test_a_metric_of_one_s_own(wattmark: Wattmark, data: Path) -> None:
    """Metrics that the catalogue does not know are exported as they are kept."""
    sample = Sample(
        "fan_rpm", make_tags({"host": "host1"}), {"value": 900.0}, 1_700_000_002 * 10**9
    )
    with closing(SqliteStore(data / "store.sqlite")) as store:
        store.write([sample])
    done = wattmark("export", "--data", str(data), "--what", "samples", "--measurement", "fan_rpm")
    assert [(row["host"], row["value"]) for row in rows_of(done.stdout)] == [("host1", "900.0")]


def test_results_and_scores_of_a_fit_come_back(data: Path, tmp_path: Path) -> None:
    """The records read from JSON are equal to those saved; the CSV has a line per score."""
    records = RunDatabase(data / "runner.sqlite").list()
    write_results_json(tmp_path / "results.json", records)
    bodies = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert tuple(from_json(RunRecord, body) for body in bodies) == records
    write_scores_csv(tmp_path / "scores.csv", [s for r in records for s in r.scores])
    rows = rows_of((tmp_path / "scores.csv").read_text(encoding="utf-8"))
    assert {row["verdict"] for row in rows} == {"warned", "invalid"}
    assert len(rows) == 3


@pytest.mark.parametrize("what", ["scores", "windows", "samples"])
def test_an_empty_store_is_one_line(wattmark: Wattmark, tmp_path: Path, what: str) -> None:
    """There is nothing to export, and no file is left behind."""
    empty = tmp_path / "empty"
    empty.mkdir()
    SqliteStore(empty / "store.sqlite").close()
    done = wattmark("export", "--data", str(empty), "--what", what, "-o", "x.csv")
    assert done.returncode == 2
    assert done.stderr == f"wattmark: no {what} in {empty} for what was asked\n"
    assert not (tmp_path / "x.csv").exists()


def test_windows(wattmark: Wattmark, data: Path) -> None:
    """Windows with their counts and joules."""
    done = wattmark("export", "--data", str(data), "--what", "windows", "--format", "json")
    windows = json.loads(done.stdout)
    assert [window["inferences"] for window in windows] == [4000, 4000, 4000]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--from", "yesterday"), "neither ISO 8601"),
        (("--from", "inf"), "neither ISO 8601"),
        (("--to", "1700000000000"), "outside the years"),
        (("-o", "/dev/full"), "cannot write /dev/full: No space left on device"),
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
