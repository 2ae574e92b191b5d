"""What a user's sensor gives may be anything: then it fails by name, and no other sensor does."""

import itertools
import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.exporters.stepping import Scripted, make_bench
from wattmark_core.catalogue import Domain
from wattmark_core.errors import ConfigurationError, SensorFailed
from wattmark_core.exporter_api import ExporterClient, SensorReport, SensorState
from wattmark_core.line_protocol import decode_lines
from wattmark_core.report_json import report_json
from wattmark_core.testing import FakeClock
from wattmark_exporters import metrics
from wattmark_exporters.own_sensor import OwnSensor
from wattmark_exporters.readings import Counter, LeftOut, Lost, Power, Reading, Traits, Values
from wattmark_exporters.wire import Packer, Unpacker, decode, encode

ODD: list[Any] = [
    None, "abc", "", -1, 0, 10**400, math.nan, math.inf, 1e308, True, [], {}, "x" * 100_000,
    "\x1b[31m", "\udce9", "\u202e", "a\nb", 1e-320,
]  # fmt: skip
GOOD = Traits(update_period_seconds=0.05, limit_watts=500.0)
NUMBERS = ("update_period_seconds", "averaging_seconds", "coverage_ratio", "limit_watts")


def damaged(odd: Any) -> Iterable[Reading]:
    """Readings of which one part is ``odd``."""
    for part in ("domain", "device", "joules", "traits", "method"):
        yield Counter(Domain.PACKAGE, "a", 3.0, GOOD)._replace(**{part: odd})
    for part in ("domain", "device", "watts", "traits", "integrate"):
        yield Power(Domain.GPU, "a", 3.0, GOOD)._replace(**{part: odd})
    for name in (*NUMBERS, "wrap_joules", "label", "note"):
        if not isinstance(odd, list | dict):
            yield Counter(Domain.CORE, name, 3.0, Traits(**{name: odd}))
            yield Power(Domain.GPU, name, 3.0, Traits(**{name: odd}), integrate=True)
    for measurement in ("room", "cpu", "gpu"):
        for part in ("measurement", "tags", "fields"):
            values = Values(measurement, {"place": "a"}, {"celsius": 1.0})
            yield values._replace(**{part: odd})
        yield Values(measurement, {"place": odd}, {"busy_seconds": odd, "celsius": odd})
    if isinstance(odd, str):
        yield Values("room", {odd: "a"}, {"celsius": 1.0})
        yield Values("room", {"place": "a"}, {odd: 1.0})
    yield Lost(Domain.PACKAGE, "a", odd)
    yield Lost(odd, odd, odd)
    yield LeftOut(odd, odd)


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: repr(odd)[:20])
def test_whatever_it_gives_reports_stay_whole(clock: FakeClock, odd: Any) -> None:
    """Of valid JSON, printable, of bounded size, and lines that a store takes."""
    packer, unpacker = Packer(), Unpacker()

    def through(reading: Reading) -> list[Reading]:
        return unpacker.unpack(decode(encode(packer.pack([reading]))))

    given = list(damaged(odd))
    sensors = [Scripted(f"own{n}", lambda r=r: through(r)) for n, r in enumerate(given)]  # type: ignore[misc]
    good = Scripted("good", lambda: [Counter(Domain.PSYS, "wall", clock.now_ns / 1e8, GOOD)])
    box = make_bench(clock, *sensors, good)
    box.run(6.0)
    box.sampler.arm(2.0)
    box.run(2.0)
    report = box.sampler.report("h", "boot", "1")
    text = json.dumps(report_json(report, ""), allow_nan=False, ensure_ascii=False)
    lines = box.sampler.samples("").text()
    page = metrics.render(box.sampler.latest).decode()
    for shown in (text, lines.replace("\n", ""), page.replace("\n", "")):
        assert shown.isprintable()
    assert len(text) < 5_000 * len(sensors)
    assert [s for s in decode_lines(lines) if s.tag.get("source") == "good"]
    states = {sensor.name: sensor.state for sensor in report.sensors}
    assert states["good"] is SensorState.OK


@pytest.mark.parametrize(
    ("reading", "words"),
    [
        (Counter(Domain.PSYS, 0, 1.0, GOOD), "device is '0', not a name"),  # type: ignore[arg-type]
        (Counter(Domain.PSYS, "x" * 201, 1.0, GOOD), "device has over 200 characters: 'xxx"),
        (Counter(Domain.PSYS, "a", "9", GOOD), "joules is '9', not a number"),  # type: ignore[arg-type]
        (Counter(Domain.PSYS, "a", 1.0, Traits(coverage_ratio=math.nan)),
         "coverage_ratio is 'nan', not a number from 0 up"),
        (Values("room", {"place": None}, {"c": 1.0}), "tag place is 'None', not a name"),  # type: ignore[dict-item]
        (Values("room", {}, {"": 1.0}), "a field is '', not a name"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(reading: Reading, words: str) -> None:
    """With the value that it has."""
    with pytest.raises(SensorFailed, match=words):
        Unpacker().unpack(decode(encode(Packer().pack([reading]))))


def test_ever_new_names_have_a_bound(clock: FakeClock) -> None:
    """What is beyond it is left out, told and counted, and what was there before goes on; names
    that are no longer used make room for others."""
    names = itertools.count()

    def readings() -> list[Reading]:
        fresh: list[Reading] = [Values("room", {}, {"celsius": 20.0})]
        for _ in range(500):
            name = f"n{next(names)}"
            fresh += [
                Counter(Domain.PSYS, name, 1.0, GOOD),
                Values("room", {"n": name}, {"c": 1.0}),
            ]
        return [*fresh, Values("wide", {}, dict.fromkeys(map(str, range(1001)), 1.0))]

    box = make_bench(clock, Scripted("ramps", readings, interval_seconds=1.0))
    box.run(30.0)
    (sensor,) = box.sampler.report("h", "b", "1").sensors
    assert len(sensor.energy) == 1000
    assert "what is beyond 1000 devices" in sensor.note
    assert "what is beyond 10000 series (give fewer, of lasting names)" in sensor.note
    assert "what is beyond 1000 fields of wide" in sensor.note
    later = box.run(2.0)
    assert [s for s in later if "celsius" in s.fields]
    assert not [s for s in later if s.tag.get("n")]
    clock.advance(800.0)
    assert [s for s in box.run(2.0) if s.tag.get("n")]


MODULE = """
import os
import signal
import time

from wattmark_core.catalogue import Domain
from wattmark_exporters import Counter, Sensor, Traits
from wattmark_exporters.readings import Stamped

TRAITS = Traits(update_period_seconds=0.05, limit_watts=500.0)


class Good(Sensor):
    name = "good"
    reads = 0

    def read(self):
        self.reads += 1
        return [Counter(Domain.PSYS, self.name, 100.0 * time.monotonic(), TRAITS)]


class Never(Good):
    name = "never"

    def read(self):
        self.interval_seconds = 0.0
        return super().read()


class Infinite(Good):
    name = "infinite"

    def read(self):
        self.interval_seconds = float("inf")
        return super().read()


class Constant(Good):
    name = "constant"

    def constants(self):
        return {"watts": float("nan")}


class Stamps(Good):
    name = "stamps"

    def take(self):
        taken = super().take()
        now_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        return Stamped(now_ns, now_ns, taken)


class Liar(Good):
    name = "liar"

    def take(self):
        return Stamped(1, 2, super().take())


class Forks(Good):
    name = "forks"

    def start(self):
        self.child = os.fork()
        if self.child == 0:
            time.sleep(600)

    def note(self):
        return str(self.child)

    def read(self):
        os._exit(4)


class Slow(Good):
    name = "slow"
    interval_seconds = float("inf")


class Named(Good):
    name = "a\\u202eb" * 100


time.sleep(float(os.environ.get("SLEEP", "0")))
"""


@pytest.fixture
def meters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with a module of sensors."""
    (tmp_path / "meters.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def made(kind: str) -> OwnSensor:
    """A sensor that has started."""
    sensor = OwnSensor(f"meters:{kind}", [])
    assert sensor.wanted()
    return sensor


def test_stamps_of_its_own_count_where_they_are_of_the_read(meters: Path) -> None:
    """Others are a failure: they would lie about when energy was spent."""
    sensor = made("Stamps")
    try:
        sensor.start()
        stamped = sensor.take()
        assert stamped.start_ns == stamped.end_ns
        assert len(list(sensor.readings(stamped.taken))) == 1
    finally:
        sensor.close()
    liar = made("Liar")
    try:
        liar.start()
        with pytest.raises(SensorFailed, match="its stamps are not of the read"):
            liar.take()
    finally:
        liar.close()


def test_what_its_process_has_started_ends_with_it(meters: Path, wait_until: Any) -> None:
    """Also where it holds the ends of the pipes: the end of the process is seen all the same."""
    sensor = made("Forks")
    try:
        sensor.start()
        child = Path("/proc", sensor.note())
        assert child.exists()
        with pytest.raises(SensorFailed, match="its process has ended with status 4"):
            sensor.take()
        wait_until(lambda: not child.exists() or " Z " in (child / "stat").read_text())
    finally:
        sensor.close()


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("Slow", "interval_seconds is 'inf', not a number"),
        ("Named", "its name has over 200 characters"),
    ],
)
def test_what_it_says_of_itself_is_checked_first(meters: Path, kind: str, words: str) -> None:
    """Before anything is started with it."""
    with pytest.raises(ConfigurationError, match=f"--sensor meters:{kind}: .*{words}"):
        OwnSensor(f"meters:{kind}", [])


def report(client: ExporterClient, name: str) -> SensorReport:
    """One sensor's report."""
    return next(s for s in client.sensors().sensors if s.name == name)


def test_no_interval_and_no_constant_of_its_own_ends_the_exporter(
    exporter: Any, wait_until: Any, meters: Path
) -> None:
    """They fail by name, and the others go on."""
    kinds = ("Never", "Infinite", "Constant", "Good")
    running = exporter(*(word for kind in kinds for word in ("--sensor", f"meters:{kind}")))
    words = {
        "never": "interval_seconds is 0, not from 0.001 s to a day",
        "infinite": "interval_seconds is 'inf', not a number",
        "constant": "constant watts is 'nan', not a number",
    }
    for name, reason in words.items():
        wait_until(lambda name=name: report(running.client, name).state is SensorState.FAILED)
        assert report(running.client, name).reason == reason
    assert report(running.client, "good").state is SensorState.OK
    assert running.process.poll() is None
