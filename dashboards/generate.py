"""``python -m dashboards.generate``: write the JSON of every dashboard."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from dashboards import (
    alerts,
    fleet,
    home,
    live_host,
    prometheus_host,
    prometheus_rules,
    ranking,
    run,
)  # fmt: skip
from dashboards.panels import Json

FOLDER: Final = Path(__file__).parent / "json"
ALERTS: Final = Path(__file__).parents[1] / "grafana/provisioning/alerting/wattmark.yml"
DASHBOARDS: Final[dict[str, Callable[[], Json]]] = {
    "home": home.make, "live-host": live_host.make, "run": run.make,
    "ranking": ranking.make, "fleet": fleet.make,
}  # fmt: skip
PROMETHEUS_DASHBOARDS: Final[dict[str, Callable[[], Json]]] = {
    "prometheus-host": prometheus_host.make,
}
RULES: Final = Path(__file__).parent / "prometheus/wattmark.rules.yml"


def files() -> dict[Path, str]:
    """Every file that is made, and what stands in it."""
    made = {
        FOLDER / f"{name}.json": json.dumps(make(), indent=1, ensure_ascii=False) + "\n"
        for name, make in {**DASHBOARDS, **PROMETHEUS_DASHBOARDS}.items()
    }
    return {**made, ALERTS: alerts.text(), RULES: prometheus_rules.text()}


def main() -> int:
    """Write all, and print which changed. Returns the exit status."""
    for path, new in files().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        changed = not path.exists() or path.read_text(encoding="utf-8") != new
        path.write_text(new, encoding="utf-8")
        sys.stdout.write(f"{path.name}: {'written' if changed else 'as it was'}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
