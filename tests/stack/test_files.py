"""The stack's files: where alerts go, what DCGM is asked for, the target files, the lock."""

import re
from pathlib import Path
from string import Template
from typing import Any

import pytest
import yaml

from tools.stack import images, up
from tools.stack.compose import StackError
from tools.stack.images import Image
from wattmark_collector.config import load_targets
from wattmark_collector.dcgm import ENERGY, GPU_FIELDS, POWER

ROOT = Path(__file__).parents[2]
GPU = ROOT / "collector/stack-gpu"
ALERT = {"alertname": "Target down", "grafana_folder": "Wattmark", "host": "h1"}
ADDRESSES = {"WATTMARK_ALERT_WEBHOOK": "https://hooks.example.org/x?key=1",
             "WATTMARK_ALERT_MAIL": "lab@example.org"}  # fmt: skip


def test_without_an_address_every_alert_is_muted() -> None:
    """So none can end in "Notify failed"; and no contact point is empty, or Grafana would not
    start."""
    assert _sent(ALERT, {}) == []
    for point in _alerting({})["contactPoints"]:
        (receiver,) = point["receivers"]
        assert all(receiver["settings"].values())


@pytest.mark.parametrize(
    ("set_names", "sent"),
    [
        (("WATTMARK_ALERT_WEBHOOK",), ["Wattmark webhook"]),
        (("WATTMARK_ALERT_MAIL",), ["Wattmark mail"]),
        (tuple(ADDRESSES), ["Wattmark webhook", "Wattmark mail"]),
    ],
)
def test_one_line_sends_alerts(set_names: tuple[str, ...], sent: list[str]) -> None:
    """Each address that is given gets every alert, and no other does."""
    environment = {name: ADDRESSES[name] for name in set_names}
    assert _sent(ALERT, environment) == sent
    points = {point["name"]: point for point in _alerting(environment)["contactPoints"]}
    settings = [value for name in sent
                for value in points[name]["receivers"][0]["settings"].values()]  # fmt: skip
    assert settings == list(environment.values())


def test_grafana_misses_no_folder_of_provisioning() -> None:
    """A folder that is missing is an error in its log at every start."""
    names = {path.name for path in (ROOT / "grafana/provisioning").iterdir()}
    assert names == {"alerting", "dashboards", "datasources", "notifiers", "plugins"}
    for path in (ROOT / "grafana/provisioning/alerting").iterdir():
        assert path.suffix == ".yml", "another suffix keeps Grafana from starting"


def test_what_dcgm_is_asked_for_is_what_the_collector_knows() -> None:
    """Three columns a line, with the profiling fields."""
    lines = [line for line in (GPU / "dcgm-counters.csv").read_text().splitlines()
             if not line.startswith("#")]  # fmt: skip
    assert all(line.count(",") == 2 for line in lines)
    assert {line.split(",")[0] for line in lines} == {ENERGY, POWER, *GPU_FIELDS}


def test_dcgm_is_read_every_second_as_this_machine() -> None:
    """Under the label that the collector takes for its own host."""
    (target,) = load_targets(GPU / "dcgm.yml")
    assert (target.host, target.interval_seconds) == ("localhost", 1.0)
    compose = yaml.safe_load((ROOT / "docker-compose.gpu.yml").read_text())
    assert compose["services"]["dcgm"]["command"][-2:] == ["-c", "100"]
    main = yaml.safe_load((ROOT / "collector/stack/targets.yml").read_text())
    (pattern,) = main["scrape_config_files"]
    mounted = [volume.split(":")[1] for volume in compose["services"]["collector"]["volumes"]]
    assert [Path(path).match(pattern) for path in mounted] == [True]


def test_a_target_file_of_ones_own_must_send_the_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused in one line, with the line to add; the stack's own passes."""
    text = (ROOT / "collector/stack/targets.yml").read_text()
    monkeypatch.setenv("WATTMARK_TARGETS", str(tmp_path))
    (tmp_path / "targets.yml").write_text(text)
    up.check_targets()
    (tmp_path / "targets.yml").write_text(
        re.sub(r" *authorization: .*exporter-token.*\n", "", text)
    )
    with pytest.raises(StackError, match=r"add to its job the line `authorization: \{cred"):
        up.check_targets()


def test_the_lock_keeps_what_was_resolved(lock: Path) -> None:
    """And is a compose file; without images there is none."""
    images_by_name = {
        "grafana": Image("grafana/grafana:11.6.0", "grafana/grafana@sha256:" + "ab" * 32),
        "influxdb": Image("influxdb:2.7", "sha256:" + "cd" * 32),
    }
    images.write_lock(images_by_name)
    assert images.read_lock() == images_by_name
    services = yaml.safe_load(lock.read_text())["services"]
    assert {name: service["image"] for name, service in services.items()} == {
        name: image.locked for name, image in images_by_name.items()
    }
    images.write_lock({})
    assert not lock.exists()
    assert images.read_lock() == {}


@pytest.fixture
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the lock is for this test."""
    monkeypatch.setenv("WATTMARK_IMAGES_LOCK", str(tmp_path / "images.lock"))
    return tmp_path / "images.lock"


def _alerting(environment: dict[str, str]) -> Any:
    """The file as Grafana reads it: variables of what the compose file sets."""
    service = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["grafana"]
    interpolated = {name: _interpolated(str(text), environment)
             for name, text in service["environment"].items()}  # fmt: skip
    file = ROOT / "grafana/provisioning/alerting/contact-points.yml"
    return _expanded(yaml.safe_load(file.read_text()), interpolated)


def _interpolated(text: str, environment: dict[str, str]) -> str:
    """``${NAME:-default}``, as Compose has it."""
    return re.sub(r"\$\{(\w+):-([^}]*)\}", lambda m: environment.get(m[1]) or m[2], text)


def _expanded(value: Any, environment: dict[str, str]) -> Any:
    match value:
        case str():
            return Template(value).substitute(environment)
        case list():
            return [_expanded(entry, environment) for entry in value]
        case dict():
            return {key: _expanded(entry, environment) for key, entry in value.items()}
    return value


def _sent(labels: dict[str, str], environment: dict[str, str]) -> list[str]:
    """Contact points that an alert is sent to, by the Alertmanager's rules."""
    alerting = _alerting(environment)
    always = {mute["name"] for mute in alerting["muteTimes"]
              if mute["time_intervals"] == [{"times": [{"start_time": "00:00",
                                                        "end_time": "24:00"}]}]}  # fmt: skip
    names = {point["name"] for point in alerting["contactPoints"]}
    (policy,) = alerting["policies"]
    found = [route for route in _routes(policy, labels)
             if not set(route.get("mute_time_intervals", ())) & always]  # fmt: skip
    assert {route["receiver"] for route in _routes(policy, labels)} <= names
    return [route["receiver"] for route in found]


def _routes(route: Any, labels: dict[str, str]) -> list[Any]:
    """The routes that an alert ends in: the deepest that match, the next too after ``continue``.
    A label that an alert has not is empty."""
    for name, operator, value in route.get("object_matchers", ()):
        assert operator == "="
        if labels.get(name, "") != value:
            return []
    found = []
    for child in route.get("routes", ()):
        matched = _routes(child, labels)
        found += matched
        if matched and not child.get("continue"):
            break
    return found or [route]
