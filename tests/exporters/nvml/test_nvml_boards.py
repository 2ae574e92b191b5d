"""Boards of which one is odd, that come late, or whose counter does not count: the sensor alone, on
the stub of the driver's library, told by the test when to read and to look again."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

Stub = Any
PROGRAM = """\
import dataclasses, json, sys
from wattmark_core.clock import SystemClock
from wattmark_exporters.sensors.nvml.sensor import Nvml

class Clock(SystemClock):
    ahead_ns = 0

    def boottime_ns(self):
        return super().boottime_ns() + self.ahead_ns

def shown(value):
    return dataclasses.asdict(value) if dataclasses.is_dataclass(value) else str(value)

clock = Clock()
sensor = Nvml(clock)
for line in sys.stdin:
    command, _, seconds = line.strip().partition(" ")
    try:
        if command == "skip":
            clock.ahead_ns += int(seconds) * 10**9
            answer = None
        else:
            answer = getattr(sensor, command)()
        if command == "read":
            answer = [[type(reading).__name__, *reading] for reading in answer]
    except Exception as error:
        answer = [type(error).__name__, str(error)]
    print(json.dumps(answer, default=shown), flush=True)
"""


class Driven:
    """The sensor in a process of its own, as the library is loaded once for all of one."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def __call__(self, command: str) -> Any:
        """What a method of the sensor answers, or the error that it raises."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(f"{command}\n")
        stdin.flush()
        return json.loads(stdout.readline())

    def read(self, kind: str) -> dict[str, list[Any]]:
        """The readings of a kind in one read, by their device or part."""
        at = 0 if kind == "LeftOut" else 1
        return {one[1 + at]: one[1:] for one in self("read") if one[0] == kind}


@pytest.fixture
def sensor(nvml_stub: Stub) -> Iterator[Callable[..., Driven]]:
    """Set knobs, and have a sensor on the stub."""
    with ExitStack() as stack:

        def start(**knobs: float) -> Driven:
            nvml_stub.set(**knobs)
            process = stack.enter_context(subprocess.Popen(
                [sys.executable, "-c", PROGRAM], env={**os.environ, **nvml_stub.env},
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            ))  # fmt: skip
            stack.callback(process.kill)
            return Driven(process)

        yield start


def test_an_odd_name_takes_no_board_away(sensor: Callable[..., Driven]) -> None:
    """A name that is not UTF-8 is shown with its bytes escaped, as is a UUID."""
    driven = sensor(boards=8, odd_name=3, odd_uuid=5)
    assert driven("start") is None
    counters = driven.read("Counter")
    assert list(counters) == [f"GPU-stub-{i}" + ("\\xe9" if i == 5 else "") for i in range(8)]
    assert counters["GPU-stub-3"][3]["label"] == "NVIDIA \\xe9\\x1b[31m Stub"
    assert counters["GPU-stub-2"][3]["label"] == "NVIDIA Stub"
    assert driven("note") == ""


def test_a_board_with_an_odd_uuid_comes_back(
    sensor: Callable[..., Driven], nvml_stub: Stub
) -> None:
    """The driver is asked for it by the bytes that it gave."""
    driven = sensor(boards=2, odd_uuid=1)
    driven("start")
    nvml_stub.set(lost=1)
    assert list(driven.read("Lost")) == ["GPU-stub-1\\xe9"]
    nvml_stub.set(lost=-1)
    driven("skip 2")
    assert list(driven.read("Counter")) == ["GPU-stub-0", "GPU-stub-1\\xe9"]


@pytest.mark.parametrize("fault", ["hidden", "broken"])
def test_one_board_of_eight_that_fails_is_told(
    sensor: Callable[..., Driven], nvml_stub: Stub, fault: str
) -> None:
    """It has no handle, or every call for it fails; it is there once it answers."""
    driven = sensor(boards=8, **{fault: 2})
    driven("start")
    left_out = driven.read("LeftOut")
    assert list(left_out) == ["GPU 2"]
    assert "GPU-stub-2" not in driven.read("Counter")
    assert driven("note") == "7 of 8 GPUs: GPU 2: Unknown Error"
    nvml_stub.set(**{fault: -1})
    assert len(driven.read("Counter")) == 7
    driven("rescan")
    assert list(driven.read("Counter")) == [f"GPU-stub-{i}" for i in range(8)]
    assert driven("note") == ""
    if fault == "broken":
        nvml_stub.set(broken=6)
        assert list(driven.read("Lost")) == ["GPU-stub-6"]
        driven("rescan")
        assert len(driven.read("Counter")) == 7
        assert driven("note") == "", "that it is lost is said of its series"


def test_boards_and_a_driver_that_come_later(
    sensor: Callable[..., Driven], nvml_stub: Stub
) -> None:
    """A start that failed may be tried again in the same process."""
    driven = sensor(init=9)
    assert driven("start")[0] == "SensorAbsent"
    driven("rescan")
    nvml_stub.set(init=0, boards=0)
    assert driven("start")[0] == "SensorAbsent"
    nvml_stub.set(boards=1)
    assert driven("start") is None
    assert list(driven.read("Counter")) == ["GPU-stub-0"]
    nvml_stub.set(boards=2)
    driven("rescan")
    counters = driven.read("Counter")
    assert list(counters) == ["GPU-stub-0", "GPU-stub-1"]
    assert counters["GPU-stub-1"][3]["update_period_seconds"] == pytest.approx(0.02, rel=0.5)


@pytest.mark.parametrize("no_fields", [0, 1])
def test_a_counter_that_is_zero_at_first_counts_later(
    sensor: Callable[..., Driven], nvml_stub: Stub, no_fields: int
) -> None:
    """So it is for some seconds after the driver loads: power is integrated until the next look,
    and not for ever."""
    driven = sensor(counter=2, no_fields=no_fields)
    driven("start")
    power = driven.read("Power")["GPU-stub-0"]
    assert power[4] is True
    assert "the energy counter stands still: power is integrated" in power[3]["note"]
    nvml_stub.set(counter=1)
    assert driven.read("Counter") == {}
    driven("rescan")
    readings = {one[0]: one[1:] for one in driven("read")}
    assert readings["Power"][4] is False
    assert readings["Counter"][1] == "GPU-stub-0"
    assert "integrated" not in readings["Counter"][3]["note"]


def test_a_counter_that_stands_still_gives_way_to_power(
    sensor: Callable[..., Driven], nvml_stub: Stub
) -> None:
    """A source is chosen for what it has given; it comes back once it agrees with power again."""

    def works() -> None:
        for _ in range(6):
            driven("read")
            time.sleep(0.1)
        driven("skip 30")
        driven("read")

    driven = sensor()
    driven("start")
    assert list(driven.read("Counter")) == ["GPU-stub-0"]
    works()
    driven("rescan")
    assert list(driven.read("Counter")) == ["GPU-stub-0"]
    nvml_stub.set(counter=3)
    works()
    driven("rescan")
    assert list(driven.read("Counter")) == ["GPU-stub-0"], "it is another value than before"
    works()
    driven("rescan")
    power = driven.read("Power")["GPU-stub-0"]
    assert power[4] is True
    assert "the energy counter stands still" in power[3]["note"]
    assert driven.read("Counter") == {}
    nvml_stub.set(counter=1)
    works()
    driven("rescan")
    assert driven.read("Counter") == {}, "a jump is no count"
    works()
    driven("rescan")
    assert list(driven.read("Counter")) == ["GPU-stub-0"]


def test_a_tenth_of_a_watt_is_not_believed(sensor: Callable[..., Driven], nvml_stub: Stub) -> None:
    """No board that answers draws so little: with a counter its power is left out by name; without
    one the board is lost, and says why."""
    driven = sensor(boards=2)
    driven("start")
    nvml_stub.set(only_watts=0.1)
    assert len(driven.read("Counter")) == 2
    left_out = driven.read("LeftOut")
    assert list(left_out) == ["power of GPU 0 (GPU-stub-0)", "power of GPU 1 (GPU-stub-1)"]
    assert left_out["power of GPU 0 (GPU-stub-0)"][1] == (
        "it reads 0.1 W, and such a board draws 0.5 to 800 W"
    )
    driven = sensor(boards=1, counter=0)
    driven("start")
    [driven("read") for _ in range(60)]
    assert driven("read") == [
        "SensorFailed",
        "no GPU can be read any more: its values make no sense: power reads 0.1 W",
    ]
