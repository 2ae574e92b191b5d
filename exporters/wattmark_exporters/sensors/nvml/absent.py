"""Why no NVIDIA board can be read, and what to do about it."""

from typing import Final

from wattmark_core.errors import SensorAbsent
from wattmark_exporters.sensors.nvml.fields import words

_LIBRARY_NOT_FOUND: Final = 12
_REMEDIES: Final = {
    4: ("NVML may not be used by this user",
        "let the user open /dev/nvidiactl and /dev/nvidia*, or give the container its GPUs"),
    9: ("the NVIDIA driver is not loaded",
        "load it: modprobe nvidia; in a container start it with --gpus all"),
    18: ("library and kernel module of the NVIDIA driver are of different versions",
         "restart the machine, or unload and load the module after the driver's update"),
}  # fmt: skip


def no_library() -> SensorAbsent:
    """The error for a machine without NVML."""
    return SensorAbsent(
        "no NVIDIA driver (libnvidia-ml.so.1 cannot be loaded)",
        "install the NVIDIA driver if there is a GPU; in a container start it with --gpus all",
    )


def no_binding() -> SensorAbsent:
    """There is a driver, and not the Python package."""
    return SensorAbsent(
        "the Python package nvidia-ml-py is missing",
        "install it: pip install nvidia-ml-py",
        found=True,
    )


def no_board(listed: int) -> SensorAbsent:
    """The driver lists no board, or none that can be used."""
    if listed:
        return SensorAbsent(
            f"none of the {listed} GPUs gives its energy or its power",
            "look for Xid errors with dmesg; boards before Kepler have no power sensor",
            found=True,
        )
    return SensorAbsent(
        "the NVIDIA driver finds no GPU",
        "check the board with lspci and dmesg; in a container start it with --gpus all",
    )


def of_error(error: Exception) -> SensorAbsent:
    """The error for NVML that does not start."""
    code = getattr(error, "value", 0)  # of NVMLError; the library has no types
    if code == _LIBRARY_NOT_FOUND:
        return no_library()
    reason, remedy = _REMEDIES.get(
        code, (f"NVML does not start: {words(error)}", "check that nvidia-smi works")
    )
    return SensorAbsent(reason, remedy, found=True)
