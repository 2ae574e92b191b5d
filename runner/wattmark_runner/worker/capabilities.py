"""Capabilities of root with which a program gets around Landlock: given up for good.

Root that may watch performance counters reads the environment of any process, for example.
Sources: capabilities(7), Linux include/uapi/linux/capability.h, ``may_access_mm`` in kernel/fork.c.
"""

import ctypes
import struct
from typing import Final

_VERSION_3: Final = 0x20080522
GIVEN_UP: Final = {
    "CAP_SYS_MODULE": 16,
    "CAP_SYS_RAWIO": 17,
    "CAP_SYS_PTRACE": 19,
    "CAP_SYS_ADMIN": 21,
    "CAP_MKNOD": 27,
    "CAP_PERFMON": 38,
    "CAP_BPF": 39,
    "CAP_CHECKPOINT_RESTORE": 40,
}


def give_up() -> None:
    """Of the calling thread and all that it starts once it may gain no new rights. Without effect
    on a process that has none of them."""
    libc = ctypes.CDLL(None, use_errno=True)
    header = struct.pack("=Ii", _VERSION_3, 0)
    sets = ctypes.create_string_buffer(24)  # effective, permitted, inheritable; twice 32 bits
    if libc.capget(header, sets) != 0:
        return
    numbers = GIVEN_UP.values()
    masks = [sum(1 << (n % 32) for n in numbers if n // 32 == half) for half in (0, 1)]
    before = struct.unpack("=6I", sets.raw)
    kept = [word & ~masks[place // 3] for place, word in enumerate(before)]
    libc.capset(header, struct.pack("=6I", *kept))
