"""What panels over Prometheus show of answers, by Grafana's own library."""

from typing import Any

import pytest

from dashboards import prometheus_host
from tests.dashboards.panels import every_panel
from tools.pictures.library import LibraryMissing, Shown, Span, shown

NOW_MS = 1_764_000_000_000


def show(title: str, kind: str, *answers: Any) -> Shown:
    """A panel with an answer to each of its queries, which are one ``kind`` of frame."""
    (panel,) = (
        candidate
        for candidate in every_panel(prometheus_host.make())
        if candidate["title"] == title
    )
    targets = [
        {**target, "resultFormat": kind, "alias": target["legendFormat"]}
        for target in panel["targets"]
    ]
    try:
        return shown({**panel, "targets": targets}, answers, Span(NOW_MS - 1, NOW_MS))
    except LibraryMissing as error:
        pytest.skip(str(error))


def of_sensors(column: str, values: dict[str, float]) -> Any:
    """A table of Prometheus: the labels are columns."""
    rows = [[NOW_MS, sensor, value] for sensor, value in values.items()]
    return {"series": [{"name": "", "columns": ["time", "sensor", column], "values": rows}]}


def a_number(value: float) -> Any:
    """One series with one value."""
    return {"series": [{"name": "", "columns": ["time", "value"], "values": [[NOW_MS, value]]}]}


def test_sensors_stand_in_words() -> None:
    """Each in a row with its state, also an absent one, whose reads are a dash."""
    state: dict[str, float] = {"rapl": 1, "nvml": 12, "host": 0, "estimate": 14, "plug": 2}
    shown = show("Sensors", "table", of_sensors("Value #A", state),
                 of_sensors("Value #B", {"rapl": 0.997, "host": 1.0}))  # fmt: skip
    assert shown.heads == ["sensor", "state", "reads"]
    rapl, nvml, host, estimate, plug = shown.rows
    assert rapl == {"sensor": "rapl: CPU packages and memory", "state": "ok", "reads": "99.7%"}
    assert nvml["state"] == "absent: no NVIDIA driver, or no GPU"
    assert nvml["reads"] == "–"
    assert host["state"] == "failed"
    assert estimate["state"].startswith("not used: the CPU's energy is measured")
    assert plug == {"sensor": "plug", "state": "absent", "reads": "–"}
    (column,) = (field for field in shown.frames[0].columns if field.title == "state")
    colors = dict(zip(state, column.colors, strict=True))
    assert colors["nvml"] == colors["plug"]
    assert len({colors[sensor] for sensor in ("rapl", "nvml", "host")}) == 3


@pytest.mark.parametrize(("estimated", "name"), [(False, "total"), (True, "total ≈ ESTIMATED")])
def test_energy_stands_in_joules_and_watt_hours(estimated: bool, name: str) -> None:
    """Each called what it is; an estimate in orange, what is measured in the text's colour."""
    joules, hours = a_number(294_000.0), a_number(294_000.0 / 3600)
    answers = [{}, joules, {}, hours] if estimated else [joules, {}, hours, {}]
    shown = show("Energy in the shown time", "time_series", *answers)
    assert [number.text for number in shown.numbers] == ["294 kJ", "81.7 Wh"]
    assert [number.title for number in shown.numbers] == [name, name.replace("total", "in Wh")]
    assert all((number.color == "#FF9830") is estimated for number in shown.numbers)


def test_the_total_is_a_line_over_the_parts() -> None:
    """It is not stacked onto what it adds up; each part has its own colour."""
    (panel,) = (
        candidate
        for candidate in every_panel(prometheus_host.make())
        if candidate["title"] == "Power"
    )
    colors = []
    for name in ("GPU 0 NVIDIA A100", "GPU 1 NVIDIA A100", "GPU GPU-8f2a", "memory socket0",
                 "CPU package ≈ ESTIMATED", "total", "total ≈ ESTIMATED"):  # fmt: skip
        one = {**panel, "targets": [{"refId": "A", "resultFormat": "time_series", "alias": name}]}
        try:
            frame = shown(one, [a_number(100.0)], Span(NOW_MS - 1, NOW_MS)).frames[0]
        except LibraryMissing as error:
            pytest.skip(str(error))
        assert frame.fields[1].title == name
        stacked = frame.fields[1].custom["stacking"]["mode"]
        assert stacked == ("none" if name.startswith("total") else "normal")
        colors.append(frame.fields[1].color)
    assert colors[0] == colors[2] == "#0072B2" != colors[1]
    assert len(set(colors)) == 5
