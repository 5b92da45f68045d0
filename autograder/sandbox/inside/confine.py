"""Lock the current process up for good, before a student's code runs in it.

Three layers, none of which needs root: limits (memory, CPU time, files), Landlock (which files),
and a filter of system calls. Bubblewrap goes round them where it works.
"""

import _thread
import ctypes
import os
import secrets
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

from autograder.sandbox.inside import landlock, seccomp

if sys.platform == "linux":
    import resource

MiB = 1 << 20
MEMORY = 1024 * MiB  # what a student's process may add to what it has after the fork
CPU_SECONDS = 120
OPEN_FILES = 64
SKIPPED = 256  # process numbers before a process that a student can see, at most

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 1, 4, 36, 38
_CLONE_NEWUSER, _CLONE_NEWPID = 0x10000000, 0x20000000
if sys.platform == "linux":
    _libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Layers:
    """Which layers of confinement a machine has."""

    landlock: int = 0  # its version, 0: none
    seccomp: bool = False
    bubblewrap: bool = False

    @property
    def safe(self) -> bool:
        """True when files and system calls are both closed off."""
        return self.seccomp and bool(self.landlock or self.bubblewrap)

    def __str__(self) -> str:
        names = [f"Landlock {self.landlock}" if self.landlock else ""]
        names += ["seccomp" if self.seccomp else "", "bubblewrap" if self.bubblewrap else ""]
        return " + ".join(filter(None, names)) or "nothing"


def layers() -> Layers:
    """Find out which layers hold on this machine."""
    return Layers(landlock.version(), seccomp.available(), bubblewrap_works())


# Not the processes: the fork server and the grader mean the same one by the same number, and each
# student has numbers of their own, see `apart`.
_NAMESPACES = ["--unshare-user-try", "--unshare-ipc", "--unshare-net", "--unshare-uts"]
_NAMESPACES += ["--unshare-cgroup-try"]


def bubblewrap_works() -> bool:
    """True when bwrap is installed and may make namespaces here."""
    if sys.platform != "linux" or not shutil.which("bwrap"):
        return False
    trial = ["bwrap", *_NAMESPACES, "--ro-bind", "/", "/", "true"]
    return subprocess.run(trial, capture_output=True).returncode == 0


_DEVICES = ("/dev/urandom", "/dev/zero")


def readable_paths() -> list[str]:
    """Python, its packages and the system's libraries and fonts: what student code must read."""
    # Not the whole of a prefix: under /usr/local, say, the course itself may lie.
    parts = ("bin", "lib", "lib64", "pyvenv.cfg")
    prefixes = {os.path.realpath(p) for p in (sys.prefix, sys.base_prefix)} | {sys.prefix}
    return [
        *(os.path.join(prefix, part) for prefix in sorted(prefixes) for part in parts),
        *package_folders(),
        *("/usr/lib", "/usr/lib64", "/lib", "/lib64", "/usr/share/fonts", "/usr/share/zoneinfo"),
        *("/etc/ld.so.cache", "/etc/localtime", "/etc/fonts", *_DEVICES),
    ]


def package_folders() -> list[str]:
    """Where this Python has its packages: below its prefix, of the user's own, or elsewhere."""
    return [p for p in sys.path if os.path.basename(p) in ("site-packages", "dist-packages")]


def bubblewrap_command(read: list[str], scratch: list[str]) -> list[str]:
    """The command that goes before another one: its own small file system and no network.

    `read` can be read, `scratch` are empty folders that the fork server itself may write. There is
    no /proc and no place for shared memory or temporary files.
    """
    command = ["bwrap", *_NAMESPACES, "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    for path in [*readable_paths(), *read]:
        if path not in _DEVICES:
            command += ["--ro-bind-try", path, path]
    for path in ("/dev/null", *_DEVICES):
        command += ["--dev-bind", path, path]
    for path in scratch:
        command += ["--tmpfs", path]
    return [*command, "--remount-ro", "/"]


def guard(proc: int) -> int:
    """Close the fork server's own memory to students; return its size in bytes.

    `proc` is a descriptor of /proc, which itself is not there. What is set here, all that is forked
    has from the beginning.
    """
    with open("self/oom_score_adj", "w", opener=_opener(proc)) as score:
        score.write("1000")  # the first to go when memory runs out
    with open("self/statm", opener=_opener(proc)) as statm:
        size = int(statm.read().split()[0]) * resource.getpagesize()
    for option, value in ((_PR_SET_DUMPABLE, 0), (_PR_SET_CHILD_SUBREAPER, 1)):
        if _libc.prctl(option, value, 0, 0, 0):
            raise OSError(ctypes.get_errno(), "the fork server could not be guarded")
    return size


def _opener(folder: int) -> Callable[[str, int], int]:
    return lambda path, flags: os.open(path, flags, dir_fd=folder)


def apart() -> bool:
    """Let the next child count processes and threads from 1, whatever others have started.

    Returns whether that may be had here.
    """
    return _libc.unshare(_CLONE_NEWUSER | _CLONE_NEWPID) == 0


def skip_numbers() -> None:
    """Use up a random number of process numbers, so that they do not count a student's threads."""
    done = _thread.allocate_lock()
    done.acquire()
    for _ in range(secrets.randbelow(SKIPPED)):
        _thread.start_new_thread(done.release, ())
        done.acquire()


def give_up_privileges() -> None:
    """Nothing that this process starts has more rights than itself. A filter needs that."""
    if _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "no_new_privs was refused")


def confine(with_layers: Layers, read: list[str], memory: int) -> None:
    """Lock this process up. A layer that was asked for and does not hold is an OSError.

    `memory` is the most that its address space may have.
    """
    for limit, value in [
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
    ]:
        _, highest = resource.getrlimit(limit)
        if highest != resource.RLIM_INFINITY:
            value = min(value, highest)
        resource.setrlimit(limit, (value, value))
    give_up_privileges()
    if with_layers.landlock:
        landlock.restrict([*readable_paths(), *read], write=["/dev/null"])
    _drop_capabilities()
    if with_layers.seccomp:
        seccomp.install(os.getpid(), may_create=bool(with_layers.landlock))


def die_with_parent() -> None:
    """Ask the kernel to kill this process when the one that started it ends. Linux only."""
    if sys.platform == "linux":
        _libc.prctl(_PR_SET_PDEATHSIG, 9, 0, 0, 0)


def _drop_capabilities() -> None:
    """Root keeps its number, because Python may lie in /root, but loses every privilege."""
    header, nothing = struct.pack("=Ii", 0x20080522, 0), bytes(24)
    if _libc.capset(header, nothing):
        raise OSError(ctypes.get_errno(), "capabilities could not be dropped")
