"""Lock the current process up for good, before a student's code runs in it.

Three layers, none of which needs root: limits (memory, CPU time, files), Landlock (which files),
and a filter of system calls. Bubblewrap goes round them where it works.
"""

import ctypes
import os
import shutil
import struct
import subprocess
import sys
from dataclasses import dataclass

from autograder.sandbox.inside import landlock, seccomp

if sys.platform == "linux":
    import resource

MiB = 1 << 20
MEMORY = 1024 * MiB  # what a student's process may add to what it has after the fork
CPU_SECONDS = 120
OPEN_FILES = 64

_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
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


def bubblewrap_works() -> bool:
    """True when bwrap is installed and may make namespaces here."""
    if sys.platform != "linux" or not shutil.which("bwrap"):
        return False
    trial = ["bwrap", "--unshare-all", "--ro-bind", "/", "/", "true"]
    return subprocess.run(trial, capture_output=True).returncode == 0


def readable_paths() -> list[str]:
    """Python, its packages and the system's libraries and fonts: what student code must read."""
    # Not the whole of a prefix: under /usr/local, say, the course itself may lie.
    parts = ("bin", "lib", "lib64", "pyvenv.cfg")
    prefixes = {os.path.realpath(p) for p in (sys.prefix, sys.base_prefix)} | {sys.prefix}
    return [
        *(os.path.join(prefix, part) for prefix in sorted(prefixes) for part in parts),
        *package_folders(),
        *("/usr/lib", "/usr/lib64", "/lib", "/lib64", "/usr/share/fonts", "/usr/share/zoneinfo"),
        *("/etc/ld.so.cache", "/etc/localtime", "/etc/fonts", "/dev/urandom", "/dev/zero"),
    ]


def package_folders() -> list[str]:
    """Where this Python has its packages: below its prefix, of the user's own, or elsewhere."""
    return [p for p in sys.path if os.path.basename(p) in ("site-packages", "dist-packages")]


def bubblewrap_command(read: list[str], scratch: list[str]) -> list[str]:
    """The command that goes before another one: its own small file system, processes, network.

    `read` can be read, `scratch` are empty folders that the fork server itself may write.
    """
    command = ["bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    command += ["--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp"]
    for path in [*readable_paths(), *read]:
        if not path.startswith("/dev/"):
            command += ["--ro-bind-try", path, path]
    for path in scratch:
        command += ["--tmpfs", path]
    return command


def confine(with_layers: Layers, read: list[str], memory: int = MEMORY) -> None:
    """Lock this process up. A layer that was asked for and does not hold is an OSError."""
    die_with_parent()
    _be_the_first_to_go_when_memory_runs_out()
    with open("/proc/self/statm") as statm:
        present = int(statm.read().split()[0]) * resource.getpagesize()
    for limit, value in [
        (resource.RLIMIT_AS, present + memory),
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
    if _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "no_new_privs was refused")
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


def _be_the_first_to_go_when_memory_runs_out() -> None:
    with open("/proc/self/oom_score_adj", "w") as score:
        score.write("1000")
