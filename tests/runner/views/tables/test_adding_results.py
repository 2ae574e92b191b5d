"""docs/adding-results.md as it stands there: a table, and a field of a score."""

import csv
import io
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

import wattmark_cli
import wattmark_client
import wattmark_core
import wattmark_runner
import wattmark_store
from tests.influxdb.servers import Server

PAGE = (Path(__file__).parents[4] / "docs/adding-results.md").read_text(encoding="utf-8")
MODULE, LINE, FIELD, VALUE, CLIENT_FIELD = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
BY_CLIENT = """
import sys
from wattmark_client import Client

with Client(sys.argv[1]) as client:
    with client.window(workload="counted", model=sys.argv[2]) as window:
        window.record(inferences=10, correct=9)
    client.wait(window.run_id)
    print({getattr(score, "asked_repeats", "no") for score in client.score(window.run_id)})
"""
INTO_INFLUXDB = """
import sys
from pathlib import Path
from wattmark_runner.records.database import RunDatabase
from wattmark_store import open_store

store = open_store(sys.argv[1], Path(sys.argv[2]))
for record in RunDatabase(Path(sys.argv[3])).list():
    for score in record.scores:
        store.put_score(score)
print(sorted({(score.model, score.asked_repeats) for score in store.scores()}, key=str))
store.close()
"""


def insert(path: Path, before: str, new: str) -> None:
    """Put lines before a place that the file has once."""
    text = path.read_text(encoding="utf-8")
    assert text.count(before) == 1, path
    path.write_text(text.replace(before, new + before), encoding="utf-8")


@pytest.fixture
def patched(tmp_path: Path) -> Path:
    """A folder of copies of the packages with all that the page says."""
    for package in (wattmark_core, wattmark_store, wattmark_runner, wattmark_client, wattmark_cli):
        (source,) = package.__path__
        shutil.copytree(source, tmp_path / package.__name__,
                        ignore=shutil.ignore_patterns("__pycache__"))  # fmt: skip
    tables = tmp_path / "wattmark_runner/views/tables"
    (tables / "table4.py").write_text(MODULE, encoding="utf-8")
    insert(tables / "__init__.py", ')\n"""A module of this package', LINE)
    insert(tmp_path / "wattmark_core/results.py", "\n    @property\n    def variant", FIELD)
    anchor = "        settings=record.settings,\n"
    (scoring,) = [path for path in (tmp_path / "wattmark_runner/scoring").glob("*.py")
                  if anchor in path.read_text(encoding="utf-8")]  # fmt: skip
    insert(scoring, anchor, VALUE)
    models = tmp_path / "wattmark_client/models.py"
    text = models.read_text(encoding="utf-8")
    before, last, after = text.partition("    test_images: int | None = None\n")
    assert last
    models.write_text(before + last + CLIENT_FIELD + after, encoding="utf-8")
    return tmp_path


def run(*arguments: str) -> str:
    """What a program prints."""
    done = subprocess.run([sys.executable, *arguments], text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def rows(text: str) -> list[dict[str, str]]:
    """Of a CSV."""
    return list(csv.DictReader(io.StringIO(text)))


def test_the_page_is_two_files_for_a_table_and_three_for_a_field() -> None:
    """As it says: one file and one line, and one line in each of three."""
    assert LINE.count("\n") == FIELD.count("\n") == VALUE.count("\n") == 1
    assert CLIENT_FIELD.count("\n") == 1


@pytest.mark.slow
def test_what_the_page_adds_is_there(
    patched: Path, make_rooms: Callable[..., Any], influx: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The field in files of before, too: it is scored, in the run records and both stores, over
    REST and in its document, for the client and in exports. The table in every format."""
    rooms = make_rooms()
    time.sleep(2.5)
    assert run("-c", BY_CLIENT, rooms.url, "before") == "{'no'}\n"
    rooms.end("wattmark_runner")
    paths = filter(None, [str(patched), os.environ.get("PYTHONPATH", "")])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    rooms.start_runner()
    assert run("-c", BY_CLIENT, rooms.url, "after") == "{1}\n"

    api = httpx.Client(base_url=rooms.url, timeout=30.0)
    known = {"before": "", "after": "1"}
    called = rows(api.get("/api/v1/scores", params={"format": "csv"}).text)
    exported = rows(run("-m", "wattmark_cli", "export", "--data", str(rooms.data)))
    for scores in (called, exported):  # of the run records, and of the store
        assert {score["model"]: score["asked_repeats"] for score in scores} == known
    described = api.get("/openapi.json").json()["components"]["schemas"]["Score"]["properties"]
    assert described["asked_repeats"]["description"] == "measured windows asked for"
    address, secret = influx.url("admin"), influx.password_file("admin")
    read = run("-c", INTO_INFLUXDB, address, str(secret), str(rooms.data / "runner.sqlite"))
    assert read == "[('after', 1), ('before', None)]\n"

    (table,) = api.get("/api/v1/tables/4").json()["tables"]
    assert table["title"].startswith("Table IV: counted")
    assert [row[0] for row in table["rows"]] == ["after", "before"]
    assert all(row[-1] > 0.0 for row in table["rows"])
    shown = run("-m", "wattmark_cli", "table4", "--data", str(rooms.data), "--format", "latex")
    assert "CPU time per inference (s)" in shown
    assert "table4" in run("-m", "wattmark_cli", "--help")
    assert (
        "Table IV: CPU time of an inference."
        in (
            api.get("/openapi.json").json()["paths"]["/api/v1/tables/{number}"]["get"][
                "description"
            ]
        )
    )
    api.close()
