"""Capabilities of root with which a program gets around Landlock: given up for good.

Root that may watch performance counters reads the environment of any process, for example, and root
that may search any folder opens files by their handles, whatever is mounted over them.
Sources: capabilities(7), open_by_handle_at(2), Linux include/uapi/linux/capability.h,
``may_access_mm`` in kernel/fork.c.
"""

import ctypes
import struct
from collections.abc import Iterable
from typing import Final

_VERSION_3: Final = 0x20080522
GIVEN_UP: Final = {
    "CAP_DAC_READ_SEARCH": 2,
    "CAP_SYS_MODULE": 16,
    "CAP_SYS_RAWIO": 17,
    "CAP_SYS_PTRACE": 19,
    "CAP_SYS_ADMIN": 21,
    "CAP_MKNOD": 27,
    "CAP_PERFMON": 38,
    "CAP_BPF": 39,
    "CAP_CHECKPOINT_RESTORE": 40,
}


ALL: Final = range(64)


def give_up(numbers: Iterable[int] = GIVEN_UP.values()) -> None:
    """Of the calling thread and all that it starts once it may gain no new rights. Without effect
    on a process that has none of them."""
    halves = [0, 0]
    for number in numbers:
        halves[number // 32] |= 1 << (number % 32)
    kept = [word & ~halves[place // 3] for place, word in enumerate(_sets())]
    ctypes.CDLL(None).capset(_header(), struct.pack("=6I", *kept))


def held() -> bool:
    """Whether the calling thread may use any."""
    return any(_sets()[::3])


def _sets() -> tuple[int, ...]:
    """Effective, permitted, inheritable; twice, 32 bits each."""
    sets = ctypes.create_string_buffer(24)
    ctypes.CDLL(None).capget(_header(), sets)
    return struct.unpack("=6I", sets.raw)


def _header() -> bytes:
    return struct.pack("=Ii", _VERSION_3, 0)
