"""The Prometheus text, from values that are known."""

from collections.abc import Iterable

from prometheus_client.parser import text_string_to_metric_families

from wattmark_core.catalogue import CATALOGUE, Kind
from wattmark_exporters.metrics import render
from wattmark_exporters.series import Latest


def scrape(latest: Iterable[Latest]) -> dict[str, list[tuple[str, dict[str, str], float]]]:
    """Metric name to kind, labels and value of each sample."""
    found: dict[str, list[tuple[str, dict[str, str], float]]] = {}
    for family in text_string_to_metric_families(render(lambda: latest).decode()):
        for sample in family.samples:
            entry = (family.type, dict(sample.labels), sample.value)
            found.setdefault(sample.name, []).append(entry)
    return found


def test_every_metric_keeps_its_name() -> None:
    """Every metric of the catalogue comes out under its name, with its kind and its tags."""
    for metric in CATALOGUE:
        tags = {tag: f"some {tag}" for tag in metric.tags}
        page = scrape([Latest(metric.measurement, tags, {metric.field: 3.0})])
        kind = "counter" if metric.kind is Kind.COUNTER else "gauge"
        assert page == {metric.name: [(kind, tags, 3.0)]}


def test_series_share_a_family() -> None:
    """Two devices are two samples of one metric."""
    page = scrape(Latest("power", {"device": name}, {"watts": 1.0}) for name in ("a", "b"))
    assert [labels["device"] for _, labels, _ in page["wattmark_power_watts"]] == ["a", "b"]


def test_users_own() -> None:
    """What the catalogue does not know is a gauge, named after measurement and field."""
    page = scrape([Latest("my-room", {"place": 'a "lab"\n'}, {"value": 1.5, "doors": 2.0})])
    assert page == {
        "my_room": [("gauge", {"place": 'a "lab"\n'}, 1.5)],
        "my_room_doors": [("gauge", {"place": 'a "lab"\n'}, 2.0)],
    }
