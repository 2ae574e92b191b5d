"""``docs/adding-a-sensor.md``, carried out: its two changes are all that a new sensor needs."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from wattmark_core.exporter_api import ExporterClient, SensorState
from wattmark_core.line_protocol import decode_lines
from wattmark_store import open_store

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/adding-a-sensor.md").read_text(encoding="utf-8")
ROOMS = ("core", "exporters", "collector", "runner", "client", "cli")
MICROWATTS = 12_500_000


@dataclass(frozen=True)
class Patched:
    """A copy of the exporter's room with the page's changes, and a laptop's sysfs."""

    folder: Path
    sysfs: Path

    @property
    def environment(self) -> dict[str, str]:
        """In which the copy is the exporter that is imported."""
        paths = [str(self.folder / "exporters"), *(str(ROOT / room) for room in ROOMS)]
        return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}

    def run(self, *arguments: str) -> str:
        """What a program of the copy writes."""
        return subprocess.run(
            [sys.executable, *arguments], cwd=self.folder, env=self.environment, check=True,
            capture_output=True, text=True,
        ).stdout  # fmt: skip


def git(folder: Path, *arguments: str, text: str | None = None) -> str:
    """Run git there, whatever the user's configuration."""
    identity = ("-c", "user.name=test", "-c", "user.email=test@localhost")
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, input=text, text=True, check=True,
        capture_output=True,
    )  # fmt: skip
    return done.stdout


@pytest.fixture(scope="module")
def patched(tmp_path_factory: pytest.TempPathFactory) -> Patched:
    """The page's file and its line, put into a copy under git."""
    folder = tmp_path_factory.mktemp("patched")
    shutil.copytree(
        ROOT / "exporters", folder / "exporters", ignore=shutil.ignore_patterns("__pycache__")
    )
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "before")
    file = re.search(r"^`(\S+\.py)`:\n\n```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    line = re.search(r"^```diff\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    assert file is not None
    assert line is not None
    (folder / file[1]).write_text(file[2], encoding="utf-8")
    git(folder, "apply", "--unidiff-zero", "-", text=line[1])
    git(folder, "add", "-A")
    battery = folder / "sys/class/power_supply/BAT0"
    battery.mkdir(parents=True)
    (battery / "power_now").write_text(f"{MICROWATTS}\n")
    (battery / "status").write_text("Discharging\n")
    return Patched(folder, folder / "sys")


@pytest.fixture(scope="module")
def client(patched: Patched) -> Iterator[ExporterClient]:
    """Of the patched exporter on the laptop."""
    process = subprocess.Popen(
        [sys.executable, "-m", "wattmark_exporters", "--listen", "127.0.0.1:0",
         "--sysfs", str(patched.sysfs)],
        cwd=patched.folder, env=patched.environment, stdout=subprocess.PIPE, text=True,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdout is not None
    client = ExporterClient(process.stdout.readline().split()[1])
    yield client
    client.close()
    process.kill()
    process.wait()
    process.stdout.close()


def test_the_patch_is_two_files_and_one_of_them_one_line(patched: Patched) -> None:
    """As ``git diff --stat`` counts."""
    lines = git(patched.folder, "diff", "--cached", "--numstat").splitlines()
    added = {line.split("\t")[2].rpartition("/")[2]: line.split("\t")[:2] for line in lines}
    assert set(added) == {"battery.py", "__init__.py"}
    assert added["__init__.py"] == ["1", "0"]
    assert " 2 files changed" in git(patched.folder, "diff", "--cached", "--stat")


def test_it_is_in_the_report_and_its_energy_is_the_integral_of_its_power(
    client: ExporterClient, wait_until: object
) -> None:
    """``GET /sensors`` lists it as ok, and the samples carry its power over time."""
    wait_until(lambda: client.samples().text.count("source=battery") >= 8)  # type: ignore[operator]
    report = next(sensor for sensor in client.sensors().sensors if sensor.name == "battery")
    assert report.state is SensorState.OK
    assert [(series.domain, series.label) for series in report.energy] == [("psys", "battery")]
    samples = [s for s in decode_lines(client.samples().text) if s.tag.get("source") == "battery"]
    energy = [sample for sample in samples if sample.measurement == "energy"]
    joules = energy[-1].fields["joules"] - energy[0].fields["joules"]
    seconds = (energy[-1].time_ns - energy[0].time_ns) / 1e9
    assert joules == pytest.approx(MICROWATTS / 1e6 * seconds)


def test_the_command_line_shows_it(patched: Patched, tmp_path: Path) -> None:
    """``wattmark sensors`` starts the patched exporter and finds the battery readable and moving,
    and counts it for its device."""
    pytest.importorskip("rich", reason="the command line is not installed in this room alone")
    text = patched.run(
        "-m", "wattmark_cli", "sensors", "--json", "--data", str(tmp_path),
        "--sysfs", str(patched.sysfs),
    )  # fmt: skip
    sensor = next(
        candidate for candidate in json.loads(text)["sensors"] if candidate["sensor"] == "battery"
    )
    assert (sensor["found"], sensor["readable"], sensor["moving"], sensor["chosen"]) == (
        True, True, True, True,
    )  # fmt: skip


def test_the_table_of_sensors_lists_it(patched: Patched) -> None:
    """``wattmark-exporter sensors`` makes the table of what each sensor says of itself."""
    row = "| `battery` | the whole laptop, while it runs on its battery |"
    assert row in patched.run("-m", "wattmark_exporters", "sensors")


def test_where_there_is_no_battery_it_says_so(patched: Patched, tmp_path: Path) -> None:
    """It is absent, with a reason and a remedy."""
    code = (
        "import sys; from pathlib import Path\n"
        "from wattmark_core.errors import SensorAbsent\n"
        "from wattmark_exporters.sensors.battery import Battery\n"
        "try: Battery(Path(sys.argv[1])).start()\n"
        "except SensorAbsent as error: print(error.reason, '-', error.remedy)"
    )
    text = patched.run("-c", code, str(tmp_path))
    assert re.search(r"power_now cannot be read - measure on a laptop", text)


def test_the_pages_own_test_passes(patched: Patched, tmp_path: Path) -> None:
    """The test that the page shows as it stands, on the file that it shows."""
    snippets = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    (snippet,) = [text for text in snippets if "\ndef test_" in text]
    test = tmp_path / "test_battery.py"
    test.write_text(snippet)
    output = patched.run("-m", "pytest", "-q", "-p", "no:cacheprovider", str(test))
    assert "1 passed" in output


def test_the_readmes_table_is_what_the_sensors_say(patched: Patched) -> None:
    """Each row of the exporter's README is a row of the table, its options left out."""
    readme = (ROOT / "exporters/README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(?:rapl|nvml|host|estimate)` \|.*\|$", readme, re.MULTILINE)
    page = patched.run("-m", "wattmark_exporters", "sensors")
    assert len(rows) == 4
    assert [row for row in rows if row not in page] == []


def test_the_runner_counts_on_it(client: ExporterClient) -> None:
    """Windows and guards are long enough for its update period of 1 s, and the advice before a run
    names it."""
    pinning = pytest.importorskip(
        "wattmark_runner.scoring.pinning", reason="the runner is not installed in this room alone"
    )
    advice = pytest.importorskip("wattmark_runner.views.advice")
    boundary = pytest.importorskip("wattmark_scoring.boundary")
    report = client.sensors()
    battery = [s for s in boundary.pin_sources(report.energy) if s.source == "battery"]
    assert pinning.window_seconds(battery) == 100.0
    assert pinning.guard_seconds(battery) >= 2.0
    assert "whole platform BAT0: integrated from battery, battery" in advice.about_sources(report)


def test_the_dashboards_show_its_power(
    client: ExporterClient, wait_until: Callable[[Callable[[], bool]], None],
    request: pytest.FixtureRequest,
) -> None:  # fmt: skip
    """Live host draws it as a whole platform's, of the points that the exporter gave and the
    collector's power made of them; it lies around the other counters, so no total holds it."""
    pytest.importorskip("influxdb_client", reason="needs the extra influxdb")
    from dashboards.generate import DASHBOARDS  # with all that the other rooms need
    from dashboards.grafana import Shown, expand
    from tests.dashboards.panels import every_panel

    influx = request.getfixturevalue("influx")
    wait_until(lambda: client.samples().text.count("source=battery") >= 16)
    samples = [s for s in decode_lines(client.samples().text) if s.measurement == "energy"]
    with closing(open_store(influx.url("admin"), influx.password_file("admin"))) as store:
        store.write(samples)
        end_ns = samples[-1].time_ns + 120 * 10**9
        store.roll_up(end_ns)  # type: ignore[attr-defined]
    end_ms, host = end_ns // 10**6, samples[-1].tag["host"]
    shown = Shown(end_ms - 700_000, end_ms, {"host:regex": host, "place:regex": host})
    (panel,) = [p for p in every_panel(DASHBOARDS["live-host"]()) if p["title"] == "Power"]
    found = {
        series["tags"]["domain"]: [row[1] for row in series["values"] if row[1] is not None]
        for target in panel["targets"]
        for series in influx.query(
            "telemetry", expand(target["query"], shown, "10s"), user="grafana"
        ).get("series", [])
    }
    watts = found["psys"]
    assert watts
    assert watts == pytest.approx([MICROWATTS / 1e6] * len(watts))
    sources = [s.tag["source"] for s in samples if s.tag["domain"] in {"package", "dram", "gpu"}]
    assert ("total" in found) == bool(sources)
