"""Energy and power of one NVIDIA board: which of NVML's ways answer, and their values.

Field values come each with a return code of its own; a value whose code is not 0 is missing.
"""

from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any, Final, NamedTuple

from wattmark_core.catalogue import Domain
from wattmark_core.plausible import LEAST_GPU_WATTS, most_watts
from wattmark_core.printable import printable

ENERGY_FIELD: Final = 83
"""NVML_FI_DEV_TOTAL_ENERGY_CONSUMPTION, mJ since the driver was loaded; Volta and newer."""
AVERAGE_FIELD: Final = 185
"""NVML_FI_DEV_POWER_AVERAGE, mW."""
INSTANT_FIELD: Final = 186
"""NVML_FI_DEV_POWER_INSTANT, mW."""
BLANK_32: Final = 0x7FFFFFF0
BLANK_64: Final = 0x7FFFFFFFFFFFFFF0
"""No value from here up: DCGM's blanks (dcgm_fields.h; 9223372036854775794 is "not supported"),
the largest signed number, all ones."""
LOSS: Final = frozenset({1, 15, 16, 28, 999})
"""Codes of a board that is gone: UNINITIALIZED, GPU_IS_LOST, RESET_REQUIRED, GPU_NOT_FOUND,
UNKNOWN."""
MOST_LIMITS: Final = 2.0
"""Power above this many board limits is garbage."""
_MEMBERS: Final = ("dVal", "uiVal", "ulVal", "ullVal", "sllVal", "siVal", "usVal")
"""Of the value's union, by nvmlValueType_t."""


@dataclass(frozen=True, slots=True)
class Access:
    """How to ask a board. A field of None is asked by its own call, where that answers.

    ``standing``: there is a counter, which reads 0 or stands still, so that it is not asked.
    """

    energy_field: int | None = None
    energy_call: bool = False
    power_field: int | None = None
    power_call: bool = False
    standing: bool = False

    @property
    def counts(self) -> bool:
        """Is there an energy counter?"""
        return self.energy_field is not None or self.energy_call

    @property
    def has_power(self) -> bool:
        """Is there any power reading?"""
        return self.power_field is not None or self.power_call

    @property
    def instant(self) -> bool:
        """Is it the field of instant power?"""
        return self.power_field == INSTANT_FIELD

    def without_counter(self) -> "Access":
        """The same board, asked for its power alone."""
        return replace(self, energy_field=None, energy_call=False, standing=True)

    @property
    def fields(self) -> list[int]:
        """Fields to ask for at every read."""
        return [f for f in (self.energy_field, self.power_field) if f is not None]


class NvmlReading(NamedTuple):
    """One read of a board; None: not answered, or a sentinel. ``code``: why, 0 if all went
    well. ``odd_watts``: a power that was answered and cannot be."""

    joules: float | None
    watts: float | None
    code: int
    odd_watts: float | None = None


def find_access(nvml: ModuleType, handle: object) -> Access:
    """Try every way once. A counter at 0 counts nothing, or nothing yet: then power is integrated
    (NVIDIA/DCGM#58 saw 0 J at 247 W)."""
    asked = query(
        nvml, "nvmlDeviceGetFieldValues", handle, [ENERGY_FIELD, AVERAGE_FIELD, INSTANT_FIELD]
    )
    values = {value.fieldId: number(value) for value in asked or ()}
    answered = [field for field, value in values.items() if value]
    called = query(nvml, "nvmlDeviceGetTotalEnergyConsumption", handle)
    access = Access(standing=values.get(ENERGY_FIELD) == 0 or called == 0)
    if ENERGY_FIELD in answered:
        access = Access(energy_field=ENERGY_FIELD)
    elif called and valid_or_none(called, BLANK_64):
        access = Access(energy_call=True)
    for field in (INSTANT_FIELD, AVERAGE_FIELD):
        if field in answered:
            return replace(access, power_field=field)
    return replace(access, power_call=bool(query(nvml, "nvmlDeviceGetPowerUsage", handle)))


def read(
    nvml: ModuleType, handle: object, access: Access, limit_watts: float | None
) -> NvmlReading:
    """Read once, in one call where the driver can. Raises ``NVMLError``."""
    values: dict[int, float | None] = {}
    code = 0
    if fields := access.fields:
        for value in nvml.nvmlDeviceGetFieldValues(handle, fields):
            code = code or value.nvmlReturn
            values[value.fieldId] = number(value)
    millijoules = values.get(access.energy_field or 0)
    milliwatts = values.get(access.power_field or 0)
    if access.energy_call:
        millijoules = valid_or_none(nvml.nvmlDeviceGetTotalEnergyConsumption(handle), BLANK_64)
    if access.power_call:
        milliwatts = valid_or_none(nvml.nvmlDeviceGetPowerUsage(handle))
    joules = None if millijoules is None else millijoules / 1e3
    watts = None if milliwatts is None else milliwatts / 1e3
    if watts is None or plausible(watts, limit_watts):
        return NvmlReading(joules, watts, code)
    return NvmlReading(joules, None, code, watts)


def plausible(watts: float, limit_watts: float | None) -> bool:
    """Can a board that answers draw this? Not nearly nothing, and not far beyond its limit."""
    return LEAST_GPU_WATTS <= watts <= bound_watts(limit_watts)


def bound_watts(limit_watts: float | None) -> float:
    """The most that a board can be read to draw."""
    return most_watts(Domain.GPU) if limit_watts is None else MOST_LIMITS * limit_watts


def number(value: Any) -> float | None:  # c_nvmlFieldValue_t; the library has no types
    """The value of a field; None if it was not answered or is a sentinel."""
    if value.nvmlReturn != 0 or not 0 <= value.valueType < len(_MEMBERS):
        return None
    member = _MEMBERS[value.valueType]
    blank = BLANK_64 if member in {"dVal", "ulVal", "ullVal", "sllVal"} else BLANK_32
    return valid_or_none(getattr(value.value, member), blank)


def valid_or_none(value: float, blank: int = BLANK_32) -> float | None:
    """The value; None for a negative one and for sentinels from ``blank`` up."""
    return value if 0 <= value < blank else None  # NaN is none either


def limit_or_none(milliwatts: float | None) -> float | None:
    """A power limit, W; None for what can be none: a sentinel, 0, or more than a whole node
    draws, which would let any power pass."""
    watts = 0.0 if milliwatts is None else milliwatts / 1e3
    return watts if LEAST_GPU_WATTS <= watts <= most_watts(Domain.PSYS) else None


def query(nvml: ModuleType, call: str, *arguments: object) -> Any:
    """The call's result; None if board, driver or binding does not support it, or if it fails:
    one call takes nothing else with it."""
    try:
        return getattr(nvml, call)(*arguments)
    except Exception:  # noqa: BLE001 - whatever it is, this value alone is missing
        return None


def name(nvml: ModuleType, call: str, handle: object) -> bytes:
    """What a call gives as text, as the driver has it: nvidia-ml-py decodes it, and raises where
    it is not UTF-8. Raises what the call raises."""
    try:
        text: str = getattr(nvml, call)(handle)
    except UnicodeDecodeError as error:
        return bytes(error.object)
    return text.encode("utf-8", "surrogateescape")


def words(error: Exception) -> str:
    """What an error says; NVML's own asks the driver for the words."""
    try:
        return printable(str(error)) or type(error).__name__
    except UnicodeDecodeError as undecoded:
        return printable(bytes(undecoded.object))
