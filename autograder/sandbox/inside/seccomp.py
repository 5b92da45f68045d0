"""A system-call filter for the student's process: what is not on the list is refused.

The BPF program is written out here, so that no library is needed. Threads are allowed and new
processes are not; one's own socket pairs are allowed and the network is not.
"""

import ctypes
import errno
import platform
import struct
import sys
from collections.abc import Callable

# Numbers of the allowed calls: x86_64 and aarch64. None: the architecture has no such call.
_CALLS = {
    # reading and writing what is open already; opening is left to Landlock
    "read": (0, 63), "write": (1, 64), "readv": (19, 65), "writev": (20, 66),
    "pread64": (17, 67), "pwrite64": (18, 68), "close": (3, 57), "close_range": (436, 436),
    "lseek": (8, 62), "dup": (32, 23),
    "dup2": (33, None), "dup3": (292, 24), "pipe": (22, None), "pipe2": (293, 59),
    "fsync": (74, 82), "fdatasync": (75, 83),
    # asking about files
    "stat": (4, None), "fstat": (5, 80), "lstat": (6, None), "newfstatat": (262, 79),
    "statx": (332, 291), "statfs": (137, 43), "fstatfs": (138, 44), "access": (21, None),
    "faccessat": (269, 48), "faccessat2": (439, 439), "readlink": (89, None),
    "readlinkat": (267, 78), "getdents": (78, None), "getdents64": (217, 61), "getcwd": (79, 17),
    "chdir": (80, 49), "fchdir": (81, 50), "umask": (95, 166),
    # waiting
    "poll": (7, None), "ppoll": (271, 73), "select": (23, None), "pselect6": (270, 72),
    "epoll_create": (213, None), "epoll_create1": (291, 20), "epoll_ctl": (233, 21),
    "epoll_wait": (232, None), "epoll_pwait": (281, 22), "eventfd2": (290, 19),
    "pause": (34, None), "nanosleep": (35, 101), "restart_syscall": (219, 128),
    # memory
    "mmap": (9, 222), "munmap": (11, 215), "mremap": (25, 216), "mprotect": (10, 226),
    "brk": (12, 214), "msync": (26, 227),
    # threads and locks
    "get_robust_list": (274, 100), "set_robust_list": (273, 99), "rseq": (334, 293),
    "membarrier": (324, 283),
    "set_tid_address": (218, 96), "sched_yield": (24, 124), "sched_getaffinity": (204, 123),
    "sched_getparam": (143, 121), "sched_getscheduler": (145, 120),
    "sched_get_priority_max": (146, 125), "sched_get_priority_min": (147, 126),
    "getcpu": (309, 168), "arch_prctl": (158, None), "exit": (60, 93), "exit_group": (231, 94),
    # who and when am I
    "gettid": (186, 178), "getpid": (39, 172), "getppid": (110, 173), "getuid": (102, 174),
    "geteuid": (107, 175), "getgid": (104, 176), "getegid": (108, 177), "getgroups": (115, 158),
    "getpgrp": (111, None), "getpgid": (121, 155), "getsid": (124, 156), "getresuid": (118, 148),
    "getresgid": (120, 150), "getpriority": (140, 141), "getrlimit": (97, 163),
    "getrusage": (98, 165), "uname": (63, 160), "times": (100, 153),
    "time": (201, None), "gettimeofday": (96, 169), "getrandom": (318, 278),
    # signals to oneself, and timers
    "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135), "rt_sigreturn": (15, 139),
    "rt_sigpending": (127, 136), "rt_sigtimedwait": (128, 137), "sigaltstack": (131, 132),
    "alarm": (37, None), "getitimer": (36, 102), "setitimer": (38, 103),
    # a socket pair of one's own (asyncio wakes itself with one)
    "recvfrom": (45, 207), "getsockopt": (55, 209), "getsockname": (51, 204),
    "getpeername": (52, 205), "shutdown": (48, 210),
}  # fmt: skip

# Calls that are allowed only with certain arguments.
_OPEN, _OPENAT = (2, None), (257, 56)
_CLONE, _CLONE3 = (56, 220), (435, 435)
_SOCKETPAIR, _SENDTO = (53, 199), (44, 206)
_IOCTL, _FCNTL, _PRLIMIT64 = (16, 29), (72, 25), (302, 261)
_KILL, _TGKILL = (62, 129), (234, 131)
_MADVISE, _FUTEX = (28, 233), (202, 98)
_CLOCK_GETTIME, _CLOCK_GETRES, _CLOCK_NANOSLEEP = (228, 113), (229, 114), (230, 115)

_ANYTHING = 0  # a mask under which all values are equal
_O_CREATE = 0o100 | 0o1000 | 0o20000000  # O_CREAT, O_TRUNC, O_TMPFILE
_CLONE_THREAD = 0x00010000
_CLONE_NEW_NAMESPACES = 0x7E020080  # every CLONE_NEW* flag
_AF_UNIX, _SOCK_STREAM, _SOCK_TYPE_MASK = 1, 1, 0xF
_IOCTLS = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)  # TCGETS WINSZ FIONREAD NBIO NCLEX CLEX
# F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC, F_GETPIPE_SZ. Not F_SETOWN and
# F_SETSIG: with them the kernel sends signals on behalf of the student.
_FCNTLS = (0, 1, 2, 3, 4, 1030, 1032)
# MADV_DONTNEED, FREE, HUGEPAGE, NOHUGEPAGE. Which pages of a file are in memory can neither be
# asked (mincore) nor chosen (fadvise): it would be a message to the next run, or student. How long
# a page takes to come still tells something: docs/grading.md.
_MADVICE = (4, 8, 14, 15)
# The clocks of the system and one's own. Another process's CPU time, the fork server's say, has a
# negative number.
_CLOCKS = 0xFFFFFFF0  # the bits that are 0 in their numbers
# Futexes of one's own. Of those that several processes may share, over a file that all can read,
# only waiting, with which a thread's end is awaited: who wakes counts who waits.
_FUTEX_CLOCK = 0x100  # it says by which clock, and may stand with any operation
_FUTEXES = (*(0x80 | operation for operation in range(14)), 0, 9)

_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}  # column, AUDIT_ARCH
_SECCOMP_CALL = (317, 277)
_SET_FILTER, _ACTION_AVAILABLE, _NEW_LISTENER = 1, 2, 8
# What the one who listens reads and answers (struct seccomp_notif, seccomp_notif_resp).
_NOTIF_RECV, _NOTIF_SEND, _NOTIF_BYTES = 0xC0502100, 0xC0182101, 80
_GO_ON, _FULL = 1, errno.EAGAIN

_ALLOW, _ASK, _REFUSE = 0x7FFF0000, 0x7FC00000, 0x00050000
_LOAD, _JUMP_EQUAL, _JUMP_GREATER_EQUAL, _AND, _RETURN = 0x20, 0x15, 0x35, 0x54, 0x06
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data

if sys.platform == "linux":
    import fcntl

    _libc = ctypes.CDLL(None, use_errno=True)


def available() -> bool:
    """True when this kernel and processor can filter system calls, and ask about some."""
    if sys.platform != "linux" or platform.machine() not in _MACHINES:
        return False
    call = _SECCOMP_CALL[_MACHINES[platform.machine()][0]]
    actions = [ctypes.c_uint32(action) for action in (_REFUSE, _ASK)]
    return all(_libc.syscall(call, _ACTION_AVAILABLE, 0, ctypes.byref(a)) == 0 for a in actions)


def install(pid: int, may_create: bool) -> None:
    """Filter the system calls of this process, `pid`, for good. Needs no_new_privs.

    `may_create`: leave it to Landlock which files may be made. Without Landlock, none: a file in
    an empty folder would be a message to the next student.
    """
    _install(assemble(pid, may_create), 0)


def watch_threads() -> int:
    """Let this process start a thread only when it may: return the descriptor that is asked.

    `answer` is for those who have the descriptor. Needs no_new_privs.
    """
    column, _architecture = _MACHINES[platform.machine()]
    ask = [_jump(_JUMP_EQUAL, _CLONE[column], 0, 1), _statement(_RETURN, _ASK)]
    code = [_statement(_LOAD, _NUMBER), *ask, _statement(_RETURN, _ALLOW)]
    return _install(b"".join(code), _NEW_LISTENER)


def answer(listener: int, may: Callable[[], bool]) -> None:
    """Answer a process that wants to start a thread. It may have ended in the meantime."""
    try:
        asked = fcntl.ioctl(listener, _NOTIF_RECV, bytes(_NOTIF_BYTES))
        number = asked[:8]
        reply = struct.pack("=qiI", 0, 0, _GO_ON) if may() else struct.pack("=qiI", 0, -_FULL, 0)
        fcntl.ioctl(listener, _NOTIF_SEND, number + reply)
    except FileNotFoundError:
        return


def _install(program: bytes, flags: int) -> int:
    code = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code))
    call = _SECCOMP_CALL[_MACHINES[platform.machine()][0]]
    result = _libc.syscall(call, _SET_FILTER, flags, header)
    if result < 0:
        raise OSError(ctypes.get_errno(), "the system-call filter could not be installed")
    return result


def assemble(pid: int, may_create: bool, machine: str | None = None) -> bytes:
    """Return the filter as BPF code: a list of allowed calls, everything else is refused."""
    column, architecture = _MACHINES[machine or platform.machine()]
    code = [
        _statement(_LOAD, _ARCHITECTURE),
        _jump(_JUMP_EQUAL, architecture, 1, 0),
        _refuse(errno.EPERM),
        _statement(_LOAD, _NUMBER),
        _jump(_JUMP_GREATER_EQUAL, 0x40000000, 0, 1),  # the x32 twin of a call
        _refuse(errno.EPERM),
    ]
    for numbers in _CALLS.values():
        number = numbers[column]
        if number is not None:
            code += [_jump(_JUMP_EQUAL, number, 0, 1), _statement(_RETURN, _ALLOW)]
    # glibc asks for clone3 first, whose arguments a filter cannot read, and falls back to clone.
    code += [_jump(_JUMP_EQUAL, _CLONE3[column], 0, 1), _refuse(errno.ENOSYS)]
    creation = _ANYTHING if may_create else _O_CREATE
    only: list[tuple[tuple[int, int | None], list]] = [
        (_OPEN, [(1, creation, [0])]),
        (_OPENAT, [(2, creation, [0])]),
        (_CLONE, [(0, _CLONE_THREAD | _CLONE_NEW_NAMESPACES, [_CLONE_THREAD])]),
        (_SOCKETPAIR, [(0, None, [_AF_UNIX]), (1, _SOCK_TYPE_MASK, [_SOCK_STREAM])]),
        (_SENDTO, [(4, "null", [0])]),  # to the other end only, never to an address
        (_IOCTL, [(1, None, _IOCTLS)]),
        (_FCNTL, [(1, None, _FCNTLS)]),
        (_MADVISE, [(2, None, _MADVICE)]),
        (_PRLIMIT64, [(2, "null", [0])]),  # reading limits
        (_FUTEX, [(1, 0xFFFFFFFF ^ _FUTEX_CLOCK, _FUTEXES)]),
        *((clock, [(0, _CLOCKS, [0])]) for clock in (_CLOCK_GETTIME, _CLOCK_GETRES)),
        (_CLOCK_NANOSLEEP, [(0, _CLOCKS, [0])]),
        (_KILL, [(0, None, [pid])]),
        (_TGKILL, [(0, None, [pid])]),
    ]
    for numbers, conditions in only:
        number = numbers[column]
        if number is None:
            continue
        body = _conditions(conditions)
        code += [_jump(_JUMP_EQUAL, number, 0, len(body)), *body]
    return b"".join([*code, _refuse(errno.EPERM)])


def _conditions(conditions: list) -> list[bytes]:
    """Allow when every condition (argument, mask, allowed values) holds, else refuse.

    Only the lower half of an argument is looked at, as the kernel itself does for int arguments;
    mask "null" looks at both halves, for pointers.
    """
    code = []
    for argument, mask, values in conditions:
        offset = _ARGUMENTS + 8 * argument  # both architectures are little-endian
        if mask == "null":
            code += [_statement(_LOAD, offset + 4), _jump(_JUMP_EQUAL, 0, 1, 0)]
            code += [_refuse(errno.EPERM)]
        code.append(_statement(_LOAD, offset))
        if isinstance(mask, int):
            code.append(_statement(_AND, mask))
        for i, value in enumerate(values):
            code.append(_jump(_JUMP_EQUAL, value, len(values) - i, 0))
        code.append(_refuse(errno.EPERM))
    return [*code, _statement(_RETURN, _ALLOW)]


def _statement(operation: int, value: int) -> bytes:
    return struct.pack("HBBI", operation, 0, 0, value)


def _jump(operation: int, value: int, if_true: int, if_false: int) -> bytes:
    return struct.pack("HBBI", operation, if_true, if_false, value & 0xFFFFFFFF)


def _refuse(error: int) -> bytes:
    return _statement(_RETURN, _REFUSE | error)
