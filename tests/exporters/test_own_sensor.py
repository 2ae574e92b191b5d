"""A user's sensor runs in a process of its own: what befalls it there befalls no other."""

import logging
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from wattmark_core.catalogue import Domain, Method
from wattmark_core.errors import ConfigurationError, SensorAbsent, SensorFailed
from wattmark_core.exporter_api import SensorReport, SensorState
from wattmark_core.line_protocol import decode_lines
from wattmark_exporters.own_sensor import OwnSensor
from wattmark_exporters.readings import Counter, LeftOut, Lost, Power, Reading, Traits, Values
from wattmark_exporters.wire import Packer, Unpacker, decode, encode

Start = Callable[..., Any]
Wait = Callable[[Callable[[], bool]], None]

MODULE = """
import ctypes
import os
import sys
import time
from pathlib import Path

from wattmark_core.catalogue import Domain
from wattmark_core.errors import SensorAbsent
from wattmark_exporters import Counter, Power, Sensor, Traits, Values

TRAITS = Traits(update_period_seconds=0.05, limit_watts=500.0, label="wall")


class Good(Sensor):
    name = "good"

    def read(self):
        return [Counter(Domain.PSYS, "wall", 100.0 * time.monotonic(), TRAITS)]

    def constants(self):
        return {"volts": 230.0}

    def note(self):
        return f"process {os.getpid()}"


class Generating(Good):
    name = "generating"

    def read(self):
        time.sleep(0.02)
        yield from super().read()
        time.sleep(0.02)


class Segfault(Good):
    name = "segfault"
    reads = 0

    def read(self):
        self.reads += 1
        if self.reads > 3:
            ctypes.string_at(0)
        return super().read()


class Leaves(Good):
    name = "leaves"

    def read(self):
        os._exit(3)


class Exits(Good):
    name = "exits"

    def read(self):
        sys.exit("enough")


class Endless(Good):
    name = "endless"

    def read(self):
        while True:
            pass


class Hog(Good):
    name = "hog"

    def start(self):
        self.hoard = []

    def read(self):
        while True:
            self.hoard.append(bytearray(256 << 20))


class Flood(Good):
    name = "flood"

    def read(self):
        print("\\x1b[31mred" + "x" * 10_000)
        for _ in range(2_000):
            print("flood", file=sys.stderr)
        return super().read()


class Rude(Good):
    name = "rude"

    def read(self):
        for number in range(3, 20):
            try:
                os.write(number, b"no JSON\\n")
            except OSError:
                pass
        return super().read()


class Sleeper(Good):
    name = "sleeper"

    def start(self):
        time.sleep(600)


class Nowhere(Good):
    name = "nowhere"

    def start(self):
        raise SensorAbsent("no meter \\udce9", "plug one in")
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a module of sensors, in the working directory."""
    (tmp_path / "meters.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    return "meters"


@contextmanager
def own(name: str) -> Iterator[OwnSensor]:
    """A sensor that is made, in its process."""
    sensor = OwnSensor(name, ["--sensor", name])
    try:
        assert sensor.wanted()
        yield sensor
    finally:
        sensor.close()


def test_it_says_what_it_is_and_reads(module: str) -> None:
    """As if it were in this process, with stamps of its own."""
    with own(f"{module}:Generating") as sensor:
        assert (sensor.name, sensor.interval_seconds, sensor.energy) == ("generating", 0.1, True)
        sensor.start()
        assert sensor.constants() == {"volts": 230.0}
        assert sensor.note().startswith("process ")
        assert sensor.note() != f"process {os.getpid()}"
        before_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        stamped = sensor.take()
        after_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        assert before_ns < stamped.start_ns < stamped.end_ns - 0.03e9 < after_ns
        (first,), (second,) = sensor.readings(stamped.taken), sensor.read()
        assert first[:2] == ("psys", "wall")
        assert isinstance(first, Counter)
        assert isinstance(second, Counter)
        assert first.traits is second.traits


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("Segfault", "its process was ended by SIGSEGV"),
        ("Leaves", "its process has ended with status 3"),
        ("Exits", "SystemExit: enough"),
        ("Hog", "MemoryError"),
        ("Rude", "its process does not answer in JSON"),
    ],
)
def test_what_befalls_it_is_named_and_a_new_start_helps(module: str, kind: str, words: str) -> None:
    """Its process alone is hit; the next start makes another one."""
    with own(f"{module}:{kind}") as sensor:
        sensor.start()
        deadline = time.monotonic() + 30.0  # what it has written may come a read later
        with pytest.raises(SensorFailed, match=words):
            [sensor.take() for _ in iter(lambda: time.monotonic() < deadline, False)]
        first = sensor.note()
        sensor.start()
        if kind in {"Segfault", "Leaves", "Rude"}:
            assert sensor.note() != first


def test_an_absent_one_has_its_remedy(module: str) -> None:
    """And its words are printable wherever they are shown."""
    with own(f"{module}:Nowhere") as sensor:
        with pytest.raises(SensorAbsent) as absent:
            sensor.start()
        assert absent.value.remedy == "plug one in"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import sys\nsys.exit(5)", "SystemExit: 5"),
        ("import os\nos._exit(5)", "its process has ended with status 5"),
        ("import ctypes\nctypes.string_at(0)", "its process was ended by SIGSEGV"),
        ("raise ValueError('broken')", "ValueError: broken"),
    ],
)
def test_a_module_that_cannot_be_imported_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, words: str
) -> None:
    """Whatever it does to its process."""
    (tmp_path / "broken.py").write_text(text)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError, match=f"--sensor broken:X: {words}"):
        OwnSensor("broken:X", [])


def report(client: Any, name: str) -> SensorReport:
    """One sensor's report."""
    found: SensorReport = next(s for s in client.sensors().sensors if s.name == name)
    return found


def test_others_go_on_beside_them(exporter: Start, wait_until: Wait, tmp_path: Path) -> None:
    """One that crashes, one that computes for ever, one that prints without end: each is failed or
    read, by name, and the good one has no gap. What they print is in the log, some lines of it,
    printable."""
    (tmp_path / "meters.py").write_text(MODULE)
    names = ("Good", "Segfault", "Endless", "Flood")
    words = [word for name in names for word in ("--sensor", f"meters:{name}")]
    running = exporter(*words)
    client = running.client
    wait_until(lambda: report(client, "segfault").state is SensorState.FAILED)
    wait_until(lambda: report(client, "endless").state is SensorState.FAILED)
    assert report(client, "segfault").reason == "its process was ended by SIGSEGV"
    assert report(client, "endless").reason.startswith("endless has not returned from a read for ")
    wait_until(lambda: "source=flood" in client.samples().text)
    assert report(client, "good").state is SensorState.OK
    energy = [s for s in decode_lines(client.samples().text) if s.tag.get("source") == "good"]
    assert len(energy) > 10
    assert len({s.fields["epoch"] for s in energy}) == 1
    log = running.log.read_text()
    assert "sensor flood writes: flood" in log.replace("meters:Flood", "flood")
    assert "\x1b" not in log
    assert "\\x1b[31mred" in log
    assert log.count("writes: flood") <= 60


def test_a_start_that_hangs_is_bounded(exporter: Start, tmp_path: Path) -> None:
    """The exporter is ready and names it, and it ends at once when told to."""
    (tmp_path / "meters.py").write_text(MODULE)
    began = time.monotonic()
    running = exporter("--sensor", "meters:Sleeper", "--sensor", "meters:Good")
    assert time.monotonic() - began < 15.0
    sleeper = report(running.client, "sleeper")
    assert sleeper.state is SensorState.FAILED
    assert sleeper.reason.startswith("sleeper has not returned from its start for ")
    assert "source=good" in running.client.samples().text
    began = time.monotonic()
    running.process.terminate()
    assert running.process.wait(20) == 0
    assert time.monotonic() - began < 10.0


def test_its_process_ends_with_the_exporter(
    exporter: Start, wait_until: Wait, tmp_path: Path
) -> None:
    """Even where both are in the middle of something, and the exporter is killed."""
    (tmp_path / "meters.py").write_text(MODULE)
    running = exporter("--sensor", "meters:Endless", "--sensor", "meters:Good")
    wait_until(lambda: report(running.client, "good").note != "")
    children = Path(f"/proc/{running.process.pid}/task/{running.process.pid}/children")
    pids = [int(pid) for pid in children.read_text().split()]
    assert len(pids) == 2
    running.process.send_signal(signal.SIGKILL)
    running.process.wait()
    wait_until(lambda: not any(_runs(pid) for pid in pids))


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_readings_come_through_as_they_are() -> None:
    """Of every kind; numbers of other libraries as floats, bytes that are not UTF-8 escaped."""

    class Number:
        def __float__(self) -> float:
            return 1.5

    traits = Traits(0.1, ticking=True, wrap_joules=5.0, label="é", note="n")
    readings: list[Reading] = [
        Counter(Domain.PACKAGE, "p\\xe9", 1.25, traits, Method.ESTIMATED),
        Power(Domain.GPU, "g", 2.0, traits, integrate=True),
        Values("room", {"place": "a b"}, {"x": 1, "y": float("inf"), "z_ns": 2**70}),
        Lost(Domain.GPU, "g", "gone"),
        LeftOut("bond0:1", "odd"),
    ]
    packer, unpacker = Packer(), Unpacker()
    for _ in range(2):
        assert unpacker.unpack(decode(encode(packer.pack(readings)))) == readings
    named: list[Reading] = [readings[0]._replace(device="p\udce9")]  # type: ignore[call-arg]
    assert unpacker.unpack(decode(encode(packer.pack(named)))) == readings[:1]
    number: Any = Number()
    (power,) = unpacker.unpack(
        decode(encode(packer.pack([Power(Domain.GPU, "g", number, traits)])))
    )
    assert isinstance(power, Power)
    assert power.watts == 1.5
    with pytest.raises(SensorFailed, match="gave a str, not a reading"):
        packer.pack(["text"])  # type: ignore[list-item]
    with pytest.raises(SensorFailed, match="cannot be read"):
        unpacker.unpack(
            {"traits": [], "readings": [["counter", "package", "p", 1.0, 99, "counter"]]}
        )


def test_its_log_is_quiet_when_it_is(module: str, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is written of a sensor that writes nothing."""
    with caplog.at_level(logging.INFO), own(f"{module}:Good") as sensor:
        sensor.start()
        sensor.take()
    assert not [r for r in caplog.records if "writes" in r.getMessage()]
