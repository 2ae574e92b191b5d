"""What Grafana reads at its start fits the dashboards, the compose file and the secrets."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboards.generate import DASHBOARDS

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "grafana/provisioning"
BOARDS: dict[str, Any] = {name: make() for name, make in DASHBOARDS.items()}
CHOICES = [
    pytest.param(variable, id=f"{name}: {variable['name']}")
    for name, board in BOARDS.items() for variable in board["templating"]["list"]
    if variable["type"] == "datasource"
]  # fmt: skip


def read(path: str) -> Any:
    """A file of the folder."""
    return yaml.safe_load((FOLDER / path).read_text(encoding="utf-8"))


def sources() -> dict[str, Any]:
    """Data sources by uid."""
    return {source["uid"]: source for source in read("datasources/wattmark.yml")["datasources"]}


def test_data_sources_read_with_a_secret_from_a_file() -> None:
    """Three databases of the stack's InfluxDB, over the v1 API, as the user who only reads."""
    found = sources()
    databases = {source["jsonData"]["dbName"] for source in found.values()}
    assert databases == {"telemetry", "telemetry_1m", "results"}
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    for source in found.values():
        assert source["url"] == "http://influxdb:8086"
        assert source["user"] == "grafana"
        assert source["database"] == source["jsonData"]["dbName"]
        assert source["jsonData"]["version"] == "InfluxQL"
        assert source["jsonData"]["httpMode"] == "POST"
        secret = re.fullmatch(
            r"\$__file\{/run/secrets/([\w-]+)\}", source["secureJsonData"]["password"]
        )
        assert secret
        assert secret[1] in compose["services"]["grafana"]["secrets"]
    assert [source["uid"] for source in found.values() if source["isDefault"]] == [
        "wattmark-telemetry"
    ]
    assert found["wattmark-telemetry"]["jsonData"]["timeInterval"] == "100ms"


@pytest.mark.parametrize("variable", CHOICES)
def test_a_dashboard_opens_on_the_stacks_own_source(variable: Any) -> None:
    """Its uid and name are those of a provisioned one, which the variable's pattern lets in."""
    own = sources()[variable["current"]["value"]]
    assert own["name"] == variable["current"]["text"]
    assert re.search(variable["regex"].removeprefix("/").removesuffix("/i"), own["name"])


def test_dashboards_are_read_where_they_are_mounted() -> None:
    """And nobody changes them in the browser."""
    provider = read("dashboards/wattmark.yml")["providers"][0]
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    grafana, folder = compose["services"]["grafana"], provider["options"]["path"]
    for name in DASHBOARDS:
        assert f"./dashboards/json/{name}.json:{folder}/{name}.json:ro" in grafana["volumes"]
    home = grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert home == f"{folder}/home.json"
    assert not [volume for volume in grafana["volumes"] if "prometheus" in volume]
    assert provider["allowUiUpdates"] is False


def test_four_alerts_say_what_to_do() -> None:
    """Each asks a provisioned source, reduces, compares, and has a summary and a remedy."""
    rules = read("alerting/wattmark.yml")["groups"][0]["rules"]
    assert [rule["title"] for rule in rules] == [
        "Target down", "Collector lag", "Spool filling", "Sensor failed",
    ]  # fmt: skip
    assert len({rule["uid"] for rule in rules}) == len(rules)
    for rule in rules:
        samples, reduced, compared = rule["data"]
        assert samples["datasourceUid"] in sources()
        assert reduced["datasourceUid"] == compared["datasourceUid"] == "__expr__"
        assert reduced["model"]["expression"] == samples["refId"]
        assert compared["model"]["expression"] == reduced["refId"]
        assert rule["condition"] == compared["refId"]
        assert rule["annotations"]["summary"]
        assert rule["annotations"]["description"].endswith(".")
