"""Landlock: a process gives up the file system, except for some folders it may read.

No root is needed, and the rules also hold for root. Once given up, nothing comes back.
"""

import ctypes
import os
import stat
import struct
import sys
from collections.abc import Sequence

# The same numbers on every architecture.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 1, 1 << 2, 1 << 3
# How many kinds of access to files each version of the interface (ABI) knows; from 5 on all 16.
_FILE_ACCESSES = {1: 13, 2: 14, 3: 15, 4: 15}

if sys.platform == "linux":
    _libc = ctypes.CDLL(None, use_errno=True)


def version() -> int:
    """Return the version of Landlock in this kernel; 0 means that it is missing or switched off."""
    if sys.platform != "linux":
        return 0
    return max(0, _libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(1)))


def restrict(read: Sequence[str], write: Sequence[str] = ()) -> None:
    """Allow this process to read what lies under `read`, to write the files `write`, no more.

    Where the kernel can (ABI 4 and 6), TCP, abstract sockets and signals to processes outside
    are given up too. Paths that do not exist are passed over.
    """
    abi = version()
    if not abi:
        raise OSError("Landlock is not available in this kernel")
    files = (1 << _FILE_ACCESSES.get(abi, 16)) - 1
    network = 0b11 if abi >= 4 else 0  # bind and connect TCP
    scopes = 0b11 if abi >= 6 else 0  # abstract unix sockets, signals
    size = 8 if abi < 4 else 16 if abi < 6 else 24
    attributes = struct.pack("QQQ", files, network, scopes)[:size]
    rules = _call(_CREATE_RULESET, attributes, ctypes.c_size_t(size), ctypes.c_uint32(0))
    reading = _READ_FILE | _READ_DIR
    for path, access in [(p, reading) for p in read] + [(p, reading | _WRITE_FILE) for p in write]:
        try:
            fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            continue
        try:
            if not stat.S_ISDIR(os.fstat(fd).st_mode):
                access &= ~_READ_DIR
            _call(_ADD_RULE, rules, 1, struct.pack("=Qi", access, fd), 0)
        finally:
            os.close(fd)
    _call(_RESTRICT_SELF, rules, 0)
    os.close(rules)


def _call(number: int, *arguments) -> int:
    result = _libc.syscall(number, *arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), f"Landlock: {os.strerror(ctypes.get_errno())}")
    return result
