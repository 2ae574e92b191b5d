"""Tables over REST, and through the command line."""

import json
import subprocess
import sys
import time
from typing import Any

import pytest


@pytest.fixture
def scored(api: Any) -> str:
    """A scored window of a workload of its own; its name."""
    window = api.post("/windows", {"workload": "tabled", "model": "m"})
    time.sleep(2.5)  # two samples of the host, on a busy machine, too
    api.close_window(window, inferences=100, correct=90)
    api.ended(window["run_id"])
    return "tabled"


def test_tables_come_in_every_format(api: Any, scored: str, service: Any) -> None:
    """JSON as the document says, CSV, Markdown and LaTeX by their media type; the use of the
    machine is kept with the run."""
    (table,) = api.get("/tables/1", workload=scored)["tables"]
    row = dict(zip([c["name"] for c in table["columns"]], table["rows"][0], strict=True))
    assert row["model"] == "m"
    assert row["accuracy_percent"] == pytest.approx(90.0)
    assert row["memory_gibibytes"] > 0
    assert "ESTIMATED" in table["title"]
    for name, kind in (("csv", "text/csv"), ("markdown", "text/markdown"),
                       ("latex", "application/x-latex")):  # fmt: skip
        answer = api.http.get("/tables/2", params={"workload": scored, "format": name})
        assert answer.headers["content-type"].startswith(kind)
        assert "accuracy" in answer.text
    command = [sys.executable, "-m", "wattmark_cli", "table3", "--runner", service.url,
               "--workload", scored]  # fmt: skip
    text = subprocess.run(command, text=True, capture_output=True, check=True)
    assert "Table III: tabled" in text.stdout
    as_json = subprocess.run([*command, "--json"], text=True, capture_output=True, check=True)
    assert json.loads(as_json.stdout)["tables"][0]["name"] == "3"


def test_no_such_table_is_a_problem(api: Any) -> None:
    """That names the field; and a workload without runs has no tables."""
    answer = api.http.get("/tables/4")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert "number" in answer.text
    assert api.get("/tables/3", workload="nobody ran this")["tables"] == []
