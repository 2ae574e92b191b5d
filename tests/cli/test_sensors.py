"""``wattmark sensors``: what is there, and what keeps the rest from working."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

Wattmark = Callable[..., subprocess.CompletedProcess[str]]


def powercap(root: Path) -> Path:
    """A one-socket machine whose counter stands still."""
    zone = root / "class/powercap/intel-rapl:0"
    zone.mkdir(parents=True)
    for name, text in (("name", "package-0"), ("enabled", "1"), ("energy_uj", "5000000"),
                       ("max_energy_range_uj", "262143328850")):  # fmt: skip
        (zone / name).write_text(f"{text}\n")
    return root


def test_every_sensor_is_listed_with_what_to_do(wattmark: Wattmark, tmp_path: Path) -> None:
    """Where there is no RAPL the table says so, says why, and shows the estimate as chosen."""
    (tmp_path / "empty").mkdir()
    done = wattmark("sensors", "--sysfs", str(tmp_path / "empty"))
    assert done.returncode == 0
    assert "no RAPL zone" in done.stdout
    assert "modprobe" in " ".join(done.stdout.split())
    assert "estimate   yes     yes        yes      yes" in done.stdout
    assert "CPU package ≈ ESTIMATED" in done.stdout


def test_json_has_the_five_columns(wattmark: Wattmark, tmp_path: Path) -> None:
    """RAPL that is readable and stands still is called not moving, and the estimate is chosen in
    its place; RAPL's advice says so."""
    tree = powercap(tmp_path / "sys")
    done = wattmark("sensors", "--json", "--sysfs", str(tree))
    sensors = {sensor["sensor"]: sensor for sensor in json.loads(done.stdout)["sensors"]}
    rapl = sensors["rapl"]
    assert (rapl["found"], rapl["readable"], rapl["moving"], rapl["chosen"]) == (
        True, True, False, False,
    )  # fmt: skip
    assert sensors["estimate"]["chosen"] is True
    assert rapl["remedy"].startswith("package socket0 stands still at ")
    assert rapl["remedy"].endswith("; the estimate counts in its place")
    assert sensors["host"]["chosen"] is None


def test_no_energy_sensor_is_a_failure(wattmark: Wattmark, tmp_path: Path) -> None:
    """A machine without any energy has status 1."""
    (tmp_path / "empty").mkdir()
    done = wattmark("sensors", "--no-estimate", "--sysfs", str(tmp_path / "empty"))
    assert done.returncode == 1


def test_an_unknown_sensor_is_one_line(wattmark: Wattmark) -> None:
    """The exporter's own line, and where its log is."""
    done = wattmark("sensors", "--sensor", "no_such_module:Meter")
    assert done.returncode != 0
    assert done.stderr.count("\n") == 1
    assert "no_such_module" in done.stderr
    assert done.stdout == ""
