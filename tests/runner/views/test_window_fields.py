"""A window as those who follow a run read it."""

import json

from wattmark_core.results import Boundary, Phase, Window
from wattmark_runner.records.database import WindowRow
from wattmark_runner.service.api.schemas.windows import WindowItem
from wattmark_runner.views.window_fields import row_fields, window_fields

WINDOW = Window(
    "w1", "lab7", Phase.INFERENCE, 5, 9, model="m", workload="w", run_id="r", inferences=10,
    correct=9, cpu_seconds=0.5, joules=2.0, boundary=Boundary.CPU,
)  # fmt: skip


def test_an_event_has_the_fields_of_the_rest_answer() -> None:
    """In the same order, and with the same JSON; an answer also has whose keys were used."""
    for fields in (
        window_fields(WINDOW),
        row_fields(WindowRow(WINDOW, "abandoned", "client", 3600.0, ("late",))),
    ):
        answer = json.loads(WindowItem(**fields).model_dump_json())
        assert (answer.pop("requested_by"), answer.pop("closed_by")) == ("", "")
        assert list(fields) == list(answer)
        assert answer == fields


def test_an_open_window_has_no_end() -> None:
    """It is None until the window is closed."""
    assert row_fields(WindowRow(WINDOW))["end_ns"] is None
    assert window_fields(WINDOW)["end_ns"] == 9
