"""Whatever one call of one board does, the other boards give what they gave."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wattmark_core.printable import printable
from wattmark_exporters.readings import Counter, LeftOut, Power, Reading
from wattmark_exporters.sensors.nvml import board as nvml_board
from wattmark_exporters.sensors.nvml.device import Board, find
from wattmark_exporters.sensors.nvml.fields import ENERGY_FIELD, INSTANT_FIELD
from wattmark_exporters.sensors.nvml.values import slow_values


class NVMLError(Exception):
    """As the binding's: a code, and words that the driver gives."""

    def __init__(self, value: int) -> None:
        super().__init__(value)
        self.value = value


class Driver:
    """NVML as nvidia-ml-py shows it: handles are the boards' numbers. ``odd``: what one call does
    for one board in the place of its answer."""

    NVMLError = NVMLError
    NVML_CLOCK_SM, NVML_CLOCK_MEM, NVML_TEMPERATURE_GPU = 1, 2, 0

    def __init__(self, board: int = -1, call: str = "", odd: object = None) -> None:
        self._board, self._call, self._odd = board, call, odd
        self._answers: dict[str, Any] = {
            "nvmlDeviceGetUUID": lambda index: f"GPU-{index}",
            "nvmlDeviceGetName": lambda index: "NVIDIA A100",
            "nvmlDeviceGetHandleByIndex": lambda index: index,
            "nvmlDeviceGetHandleByUUID": lambda key: int(key.removeprefix(b"GPU-")),
            "nvmlDeviceGetFieldValues": self._fields,
            "nvmlDeviceGetTotalEnergyConsumption": lambda index: 5000,
            "nvmlDeviceGetPowerUsage": lambda index: 100_000,
            "nvmlDeviceGetEnforcedPowerLimit": lambda index: 400_000,
            "nvmlDeviceGetPowerManagementDefaultLimit": lambda index: 400_000,
            "nvmlDeviceGetArchitecture": lambda index: 7,
            "nvmlDeviceGetCudaComputeCapability": lambda index: (8, 0),
            "nvmlDeviceGetMigMode": lambda index: [0, 0],
            "nvmlDeviceGetUtilizationRates": lambda index: SimpleNamespace(gpu=50),
            "nvmlDeviceGetMemoryInfo": lambda index: SimpleNamespace(total=100, used=50),
            "nvmlDeviceGetTemperatureV": lambda index, sensor: 40,
            "nvmlDeviceGetClockInfo": lambda index, kind: 1500,
            "nvmlDeviceGetComputeRunningProcesses": lambda index: [],
            "nvmlDeviceGetCurrentClocksEventReasons": lambda index: 0,
        }

    CALLS = (
        "nvmlDeviceGetUUID", "nvmlDeviceGetName", "nvmlDeviceGetHandleByIndex",
        "nvmlDeviceGetFieldValues", "nvmlDeviceGetTotalEnergyConsumption",
        "nvmlDeviceGetEnforcedPowerLimit", "nvmlDeviceGetPowerManagementDefaultLimit",
        "nvmlDeviceGetArchitecture", "nvmlDeviceGetCudaComputeCapability", "nvmlDeviceGetMigMode",
        "nvmlDeviceGetUtilizationRates", "nvmlDeviceGetMemoryInfo", "nvmlDeviceGetTemperatureV",
        "nvmlDeviceGetClockInfo", "nvmlDeviceGetComputeRunningProcesses",
        "nvmlDeviceGetCurrentClocksEventReasons",
    )  # fmt: skip

    def __getattr__(self, call: str) -> Any:
        answer = self._answers.get(call)
        if answer is None:
            raise AttributeError(call)

        def asked(handle: Any, *rest: Any) -> Any:
            if (handle, call) != (self._board, self._call):
                return answer(handle, *rest)
            if isinstance(self._odd, bytes):
                return self._odd.decode()
            if isinstance(self._odd, Exception):
                raise self._odd
            return self._odd

        return asked

    @staticmethod
    def _fields(index: int, asked: list[int]) -> list[Any]:
        values = {ENERGY_FIELD: 5000 + index, INSTANT_FIELD: 100_000}
        return [
            SimpleNamespace(fieldId=field, nvmlReturn=0 if field in values else 3, valueType=3,
                            value=SimpleNamespace(ullVal=values.get(field, 0)))
            for field in asked
        ]  # fmt: skip


def everything(driver: Driver) -> list[list[object]]:
    """All that is found and read of four boards."""
    nvml = cast(Any, driver)
    given: list[list[object]] = []
    for index in range(4):
        found = find(nvml, index)
        if isinstance(found, LeftOut):
            given.append([found])
            continue
        found.traits = nvml_board.describe(nvml, found.handle, found.access, 0.1)
        given.append([*found.read(nvml, 0), *_slow(nvml, found)])
    return given


def _slow(nvml: Any, board: Board) -> list[object]:
    board.throttle.look(nvml, board.handle, 0)
    return [slow_values(nvml, board.handle), board.throttle.seconds]


SOUND = everything(Driver())
ERRORS = st.one_of(
    st.integers(0, 999).map(NVMLError),
    st.sampled_from([OSError(5, "I/O"), TypeError("x"), AttributeError("no such call")]),
)
INTEGERS = st.one_of(st.integers(-(2**63), 2**64 - 1), st.sampled_from([2**32 - 1, 2**63 - 14]))
ODD = {
    "nvmlDeviceGetUUID": st.binary(max_size=30), "nvmlDeviceGetName": st.binary(max_size=30),
    "nvmlDeviceGetFieldValues": st.just([]),
    "nvmlDeviceGetCudaComputeCapability": st.tuples(INTEGERS, INTEGERS),
    "nvmlDeviceGetMigMode": st.lists(INTEGERS, min_size=2, max_size=2),
    "nvmlDeviceGetUtilizationRates": st.builds(SimpleNamespace, gpu=INTEGERS),
    "nvmlDeviceGetMemoryInfo": st.builds(SimpleNamespace, total=INTEGERS, used=INTEGERS),
    "nvmlDeviceGetComputeRunningProcesses": st.lists(st.none(), max_size=3),
}  # fmt: skip
"""What each call may answer, where it is not a number."""


@settings(max_examples=400)
@given(board=st.integers(0, 3), call=st.sampled_from(Driver.CALLS), data=st.data())
def test_an_odd_answer_changes_nothing_of_the_other_boards(
    board: int, call: str, data: st.DataObject
) -> None:
    """Bytes that are not UTF-8, numbers beyond reason, errors of any kind: nothing raises."""
    odd = data.draw(st.one_of(ODD.get(call, INTEGERS), ERRORS))
    given_now = everything(Driver(board, call, odd))
    assert [one for i, one in enumerate(given_now) if i != board] == [
        one for i, one in enumerate(SOUND) if i != board
    ]


@pytest.mark.parametrize("limit", [2**31 - 1, 20_000_001, 0, 1])
def test_a_power_limit_that_cannot_be_bounds_nothing(limit: int) -> None:
    """2 MW would let any power pass, 1 mW none."""
    driver = cast(Any, Driver(0, "nvmlDeviceGetEnforcedPowerLimit", limit))
    assert nvml_board.limit_watts(driver, 0) == 400.0
    assert "power_limit_watts" not in slow_values(driver, 0)
    assert slow_values(driver, 1)["power_limit_watts"] == 400.0


def test_a_clock_that_cannot_be_is_left_out() -> None:
    """2 PHz."""
    fields = slow_values(cast(Any, Driver(0, "nvmlDeviceGetClockInfo", 2_000_000_000)), 0)
    assert not [name for name in fields if name.endswith("clock_hertz")]
    assert slow_values(cast(Any, Driver()), 0)["sm_clock_hertz"] == 1.5e9


@pytest.mark.parametrize("uuid", [b"", b" "])
def test_a_board_that_says_no_uuid_is_left_out_by_name(uuid: bytes) -> None:
    """Its series would be nobody's."""
    assert find(cast(Any, Driver(0, "nvmlDeviceGetUUID", uuid)), 0) == LeftOut(
        "GPU 0", "it has no UUID"
    )


@given(st.binary(max_size=64))
def test_a_name_is_printable_whatever_it_is(raw: bytes) -> None:
    """And the board is measured under it."""
    driver = Driver(1, "nvmlDeviceGetName", raw)
    (counter, *_) = cast(list[Reading], everything(driver)[1])
    assert isinstance(counter, Counter)
    assert counter.traits.label == (printable(raw) or "NVIDIA GPU")
    assert counter.traits.label.isprintable()


def test_the_boards_are_read() -> None:
    """Energy and power of each, and its slow values."""
    for index, (counter, power, slow, _) in enumerate(SOUND):
        assert isinstance(counter, Counter)
        assert isinstance(power, Power)
        assert (counter.device, counter.joules, power.watts) == (
            f"GPU-{index}", (5000 + index) / 1e3, 100.0,
        )  # fmt: skip
        assert cast(dict[str, float], slow)["temperature_celsius"] == 40
