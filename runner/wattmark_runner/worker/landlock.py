"""Landlock, by which a process gives up rights to files for good, for itself and all it starts.

It needs no privilege, and so works in containers, too. What is not granted by a rule is refused; a
rule holds for a file, or for a folder and all beneath. A confined process also cannot look into one
that is not confined in the same way (``/proc/PID/environ``, ``fd``, ``mem``, ptrace), nor, from
version 6 on, send it signals; it cannot mount, and programs gain no rights from set-user-ID bits.
Sources: Linux, Documentation/userspace-api/landlock.rst and include/uapi/linux/landlock.h.
"""

import ctypes
import errno
import os
import stat
import struct
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

_CREATE_RULESET: Final = 444
_ADD_RULE: Final = 445
_RESTRICT_SELF: Final = 446
"""The same on every architecture that Python runs on but for Alpha (include/uapi/asm-generic)."""
_PR_SET_NO_NEW_PRIVS: Final = 38
_CREATE_RULESET_VERSION: Final = 1
_RULE_PATH_BENEATH: Final = 1
_O_PATH: Final = 0o10000000

EXECUTE: Final = 1 << 0
WRITE_FILE: Final = 1 << 1
READ_FILE: Final = 1 << 2
READ_DIR: Final = 1 << 3
MAKE_CHAR: Final = 1 << 6
MAKE_BLOCK: Final = 1 << 11
REFER: Final = 1 << 13
TRUNCATE: Final = 1 << 14
IOCTL_DEV: Final = 1 << 15
SCOPE_SIGNAL: Final = 1 << 1
ALL_OF_VERSION_1: Final = (1 << 13) - 1
DEVICE_NODES: Final = MAKE_CHAR | MAKE_BLOCK
"""Making one is a way around every rule, for root."""
OF_FILES: Final = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV
"""The rights that a rule for something other than a folder can hold."""

Syscall = Callable[..., int]
"""A system call by its number; -1 or below is an error, the number of which is negative."""


class NotConfined(Exception):
    """The kernel refuses; the message says why, in words for a record."""


def system_call(number: int, *arguments: object) -> int:
    """The real one: its result, or the negative number of its error."""
    libc = ctypes.CDLL(None, use_errno=True)
    result = int(libc.syscall(ctypes.c_long(number), *arguments))
    return -ctypes.get_errno() if result < 0 else result


def version(syscall: Syscall = system_call) -> int:
    """Of the kernel's Landlock. Raises ``NotConfined`` where there is none."""
    found = syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(1))
    if found > 0:
        return found
    reasons = {
        errno.ENOSYS: "kernel without Landlock",
        errno.EOPNOTSUPP: "Landlock is not enabled in this kernel (lsm=)",
        errno.EPERM: "Landlock is not allowed here, perhaps by a container's seccomp profile",
    }
    raise NotConfined(reasons.get(-found, f"Landlock: {os.strerror(-found)}"))


def handled(abi: int) -> int:
    """The rights to files that a version knows, all of which are given up."""
    later = (REFER if abi >= 2 else 0, TRUNCATE if abi >= 3 else 0, IOCTL_DEV if abi >= 5 else 0)
    return ALL_OF_VERSION_1 | sum(later)


def attributes(abi: int) -> bytes:
    """``struct landlock_ruleset_attr``: rights to files, to the network (none is given up), and
    what stays within the process's own kind."""
    fields = [handled(abi), 0, SCOPE_SIGNAL]
    count = 3 if abi >= 6 else 2 if abi >= 4 else 1
    return struct.pack(f"={count}Q", *fields[:count])


def restrict(
    abi: int, folders_listed: Iterable[Path], granted: Iterable[Path],
    syscall: Syscall = system_call,
) -> None:  # fmt: skip
    """Confine the calling thread, and all that it starts from now on.

    ``folders_listed`` may be listed, and so may all beneath; ``granted`` and all beneath may be
    used in every way but for making device nodes. What cannot be opened is left out. Raises
    ``NotConfined``; then nothing is confined.
    """
    body = attributes(abi)
    ruleset = _checked(syscall(_CREATE_RULESET, body, ctypes.c_size_t(len(body)),
                               ctypes.c_uint32(0)))  # fmt: skip
    try:
        for path in folders_listed:
            _add(ruleset, path, READ_DIR, syscall)
        everything = handled(abi) & ~DEVICE_NODES
        for path in granted:
            _add(ruleset, path, everything, syscall)
        if ctypes.CDLL(None).prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
            raise NotConfined("the kernel does not let a process give up new rights")
        _checked(syscall(_RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint32(0)))
    finally:
        os.close(ruleset)


def _add(ruleset: int, path: Path, rights: int, syscall: Syscall) -> None:
    try:
        opened = os.open(path, _O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return  # gone, or out of reach: for the confined process it is no other
    try:
        if not stat.S_ISDIR(os.fstat(opened).st_mode):
            rights &= OF_FILES
        # struct landlock_path_beneath_attr, packed
        rule = struct.pack("=Qi", rights, opened)
        added = syscall(_ADD_RULE, ctypes.c_int(ruleset), ctypes.c_int(_RULE_PATH_BENEATH), rule,
                        ctypes.c_uint32(0))  # fmt: skip
        if added < 0 and -added not in {errno.EINVAL, errno.EBADFD}:  # a link, a pipe: no file
            _checked(added)
    finally:
        os.close(opened)


def _checked(result: int) -> int:
    if result < 0:
        raise NotConfined(f"Landlock: {os.strerror(-result)}")
    return result
