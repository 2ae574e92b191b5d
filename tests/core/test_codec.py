"""JSON that others wrote: what is unknown is set aside, what is missing is named."""

import logging
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from tests.newer import KNOWN, REPORT, newer
from wattmark_core import codec
from wattmark_core.catalogue import Method
from wattmark_core.codec import from_json, list_from_json, to_json
from wattmark_core.errors import UnknownValue
from wattmark_core.exporter_api import HostReport, SensorReport, SensorState
from wattmark_core.results import Boundary, Check, Phase, Score, Verdict, Window

CHECK = Check("gap", Verdict.WARNED, 0.5, 0.3, "s", "a gap")
SCORE = Score(
    "r", "h", "m", "w", Boundary.CPU, "f", 1, Method.COUNTER, Verdict.VALID, 1.0, 0.9, 1.1,
    checks=(CHECK,),
)  # fmt: skip
WINDOW = Window("w1", "h", Phase.INFERENCE, 1, 2, boundary=Boundary.CPU, method=Method.COUNTER)


@pytest.fixture(autouse=True)
def _fresh_log() -> None:
    codec._log_once.cache_clear()


@pytest.mark.parametrize("value", [REPORT, SCORE, WINDOW, CHECK])
def test_what_was_written_comes_back_equal(value: Any) -> None:
    """Enumerations, tuples of tuples and nested records included, exactly read or not."""
    assert from_json(type(value), to_json(value)) == value
    assert from_json(type(value), to_json(value), exact=True) == value


def test_a_newer_exporters_report_is_read_but_for_what_is_unknown() -> None:
    """Keys at every level are ignored; a series of an unknown domain or method is left out; the
    rest, and the sensors around, are as they were."""
    report = from_json(HostReport, newer())
    rapl, battery = report.sensors
    assert rapl.energy[0] == KNOWN
    assert [series.device for series in rapl.energy] == ["socket0", "socket2"]
    assert replace(rapl, energy=(KNOWN,)) == REPORT.sensors[0]
    assert replace(battery, state=SensorState.OK) == REPORT.sensors[1]
    assert (report.host, report.version) == ("newhost", "9.0")


def test_an_unknown_state_keeps_its_text_and_is_not_ok() -> None:
    """Of a sensor and of a series: shown, written again as it came, equal to none of ours."""
    report = from_json(HostReport, newer())
    states = [report.sensors[1].state, report.sensors[0].energy[1].state]
    assert [str(state) for state in states] == ["asleep", "drifting"]
    for state in states:
        assert state not in set(SensorState)
        assert to_json(state) == str(state)
        assert isinstance(state, SensorState)


@pytest.mark.parametrize("key", ["boundary", "method", "verdict"])
def test_a_score_with_an_unknown_value_is_left_out_of_a_list(
    key: str, caplog: pytest.LogCaptureFixture
) -> None:
    """With one line in the log, however often it comes; alone it is an error that names it."""
    strange = {**to_json(SCORE), key: "strange"}
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert list_from_json(Score, [to_json(SCORE), strange]) == [SCORE]
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith(f"unknown {key} 'strange'")
    with pytest.raises(UnknownValue, match=f"unknown {key} 'strange'"):
        from_json(Score, strange)


@pytest.mark.parametrize("key", ["phase", "boundary", "method"])
def test_a_window_with_an_unknown_value_is_left_out_of_a_list(key: str) -> None:
    """Its joules mean nothing without it."""
    assert list_from_json(Window, [{**to_json(WINDOW), key: "x"}, to_json(WINDOW)]) == [WINDOW]


def test_a_check_with_an_unknown_verdict_is_left_out_of_its_score() -> None:
    """The score has a verdict of its own."""
    body = to_json(SCORE)
    body["checks"].append({**body["checks"][0], "verdict": "doubtful"})
    assert from_json(Score, body) == SCORE


@pytest.mark.parametrize(
    ("kind", "value", "names"),
    [
        (HostReport, REPORT, ("host", "boot_id", "instance", "offset_ns", "sensors")),
        (SensorReport, REPORT.sensors[0], ("name", "state", "interval_seconds")),
        (Score, SCORE, ("run_id", "boundary", "verdict", "value")),
        (Window, WINDOW, ("window_id", "phase", "end_ns")),
    ],
)
def test_a_missing_key_without_default_is_an_error_that_names_it(
    kind: type[Any], value: Any, names: tuple[str, ...]
) -> None:
    """One with a default takes it: an older exporter lacks it."""
    for name in names:
        body = to_json(value)
        del body[name]
        with pytest.raises(TypeError, match=f"{kind.__name__} lacks {name}"):
            from_json(kind, body)
    assert from_json(SensorReport, {"name": "n", "state": "ok", "interval_seconds": 1}).found


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"sensors": None}, "HostReport.sensors: "),
        ({"sensors": ["rapl"]}, "SensorReport is not a JSON object but 'rapl'"),
        ({"sensors": [{"name": "n", "state": "ok", "interval_seconds": "often"}]},
         "SensorReport.interval_seconds: could not convert"),
        ({"sensors": [{"name": "n", "state": 7, "interval_seconds": 1}]}, "unknown sensorstate 7"),
        ({"sensors": [{"name": "n", "state": "ok", "interval_seconds": 1, "constants": [[1]]}]},
         "SensorReport.constants: "),
    ],
)  # fmt: skip
def test_a_value_of_the_wrong_type_is_named(body: dict[str, Any], says: str) -> None:
    """Where it stands, in one line."""
    whole = {**to_json(REPORT), **body}
    if "unknown" in says:
        assert from_json(HostReport, whole).sensors == ()
        return
    with pytest.raises(TypeError, match=says):
        from_json(HostReport, whole)
    with pytest.raises(TypeError, match="is not a JSON object"):
        from_json(HostReport, [])  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Saved:
    """A record of ours, as it is saved."""

    name: str
    checks: tuple[Check, ...] = ()
    labels: dict[str, str] = field(default_factory=dict)
    more: "Saved | None" = None


def test_exactly_read_nothing_is_lost() -> None:
    """What will be saved again refuses unknown keys and values at every level."""
    inner = Saved("inner", (CHECK,), {"a": "b"})
    body = to_json(Saved("outer", (), {}, inner))
    assert from_json(Saved, body, exact=True).more == inner
    with pytest.raises(TypeError, match="Saved has no colour"):
        from_json(Saved, {**body, "more": {**body["more"], "colour": 1}}, exact=True)
    body["more"]["checks"][0]["verdict"] = "doubtful"
    with pytest.raises(UnknownValue, match="unknown verdict 'doubtful'"):
        from_json(Saved, body, exact=True)
    assert from_json(Saved, {**body, "colour": 1}).more == Saved("inner", (), {"a": "b"})
