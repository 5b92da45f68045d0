"""A confined process can compute and nothing else, whichever layers hold it, whoever starts it."""

import mmap
import os
import platform
import pwd
import re
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from small_course import ASSIGNMENT, FULL

from autograder.sandbox import student_process
from autograder.sandbox.inside import confine, landlock, seccomp
from autograder.sandbox.inside.zygote import MAX_STARTED, MAX_THREADS
from autograder.sandbox.namespace import run_cell
from autograder.sandbox.student_process import (
    COMPUTING,
    GraderFailure,
    StudentProcess,
    Unsafe,
    Zygote,
)

linux = pytest.mark.skipif(sys.platform != "linux", reason="confinement is for Linux")
HERE = confine.layers()
PAIRS = {
    "landlock": confine.Layers(HERE.landlock, HERE.seccomp, False),
    "bubblewrap": confine.Layers(0, HERE.seccomp, HERE.bubblewrap),
}
ROOT = Path(__file__).resolve().parents[1]

TRIES = {
    "read the solutions": f"open({str(ROOT / 'solutions')!r} + '/01_self_attention/x')",
    "list the autograder": f"os.listdir({str(ROOT / 'autograder')!r})",
    "list home": "os.listdir(os.path.expanduser('~'))",
    "read the password file": "open('/etc/passwd')",
    "write": "os.open('written', os.O_WRONLY | os.O_CREAT)",
    "write to /tmp": "open('/tmp/written', 'w')",
    "change a mode": "os.chmod('.', 0o777)",
    "fork": "os.fork()",
    "run a program": "subprocess.run(['true'])",
    "a socket": "socket.socket()",
    "a datagram pair": "socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)",
    "signal the parent": "os.kill(os.getppid(), 0)",
    "own a file's signals": "fcntl.fcntl(0, fcntl.F_SETOWN, 1)",
    "drop a file's pages": "os.posix_fadvise(os.open('/dev/zero', 0), 0, 0, 4)",
    "ask for a file's pages": "open_pages()",
    "raise a limit": "resource.setrlimit(resource.RLIMIT_CPU, (9999, 9999))",
    "become another user": "os.setuid(1)",
    "1.5 GB": "bytearray(3 << 29)",
    "list processes": "os.listdir('/proc')",
    "its own memory as a file": "open('/proc/self/mem', 'r+b')",
    "how busy the machine is": "open('/proc/loadavg')",
    "how much memory is free": "sysinfo()",
    "another process's CPU time": "time.clock_gettime((~os.getppid() << 3) | 2)",
    "shared memory": "shared_memory.SharedMemory(create=True, size=8)",
    "System V shared memory": "shmget()",
    "a lock on a file": "fcntl.flock(os.open(np.__file__, 0), fcntl.LOCK_SH)",
    "a lock on a part of a file": "fcntl.lockf(os.open(np.__file__, 0), fcntl.LOCK_SH)",
    "a device": "open('/dev/ptmx', 'r+b')",
}


OPEN_PAGES = """
import ctypes, mmap, time
import numpy as np
from multiprocessing import shared_memory
def call(name, *arguments):
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) < 0:
        raise OSError(ctypes.get_errno(), name)
def sysinfo():
    call("sysinfo", ctypes.create_string_buffer(200))
def shmget():
    call("shmget", 1, 8, 0o1600)
def open_pages():
    page, state = mmap.mmap(-1, 4096), ctypes.c_ubyte()
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mincore(ctypes.c_void_p(address), ctypes.c_size_t(4096), ctypes.byref(state)):
        raise OSError(ctypes.get_errno(), "mincore")
"""


@pytest.fixture(scope="module", params=PAIRS)
def student(request):
    layers = PAIRS[request.param]
    if not layers.safe:
        pytest.skip(f"{request.param} and seccomp do not hold here")
    with Zygote(layers) as zygote, StudentProcess(zygote) as student:
        run_cell(student, "import fcntl, os, resource, socket, subprocess")
        run_cell(student, OPEN_PAGES)
        yield student


CAPTURED = {"capture_output": True, "text": True}


def printed(outputs) -> str:
    return "".join(item.get("text", "") for item in outputs)


@linux
@pytest.mark.parametrize("code", TRIES.values(), ids=TRIES)
def test_what_is_outside_is_refused(student, code):
    source = (
        f"try:\n    {code}\n    print('done')\nexcept Exception as e:\n    print(type(e).__name__)"
    )
    words = ("PermissionError", "FileNotFoundError", "ProcessLookupError", "MemoryError", "OSError")
    assert printed(run_cell(student, source)).strip() in {*words, "ValueError"}


@linux
@pytest.mark.parametrize(
    "code",
    [
        "import numpy as np; print((np.ones((200, 200)) @ np.ones((200, 200)))[0, 0])",
        "import matplotlib.pyplot as plt; plt.plot([1, 2]); plt.show(); print('drawn')",
        "import threading; t = threading.Thread(target=print); t.start(); t.join(); print(1)",
        "import asyncio; print(await asyncio.sleep(0, 'awake'))",
        "import random, time, json, collections, fractions, statistics; print(time.time() > 0)",
        "import illustrated_attention; print('course')",
        "!echo hello",
        "%timeit -n1 -r1 1 + 1",
    ],
)
def test_ordinary_work_goes_on(student, code):
    outputs = run_cell(student, code)
    assert printed(outputs)
    assert not [item for item in outputs if item["output_type"] == "error"]


@linux
def test_the_environment_holds_nothing_of_the_graders(student):
    names = printed(run_cell(student, "print(*os.environ)")).split()
    mine = {"PATH", "HOME", "LANG", "USER", "MPLBACKEND", "PYTHONDONTWRITEBYTECODE"}
    known = (
        {"PWD", "LC_CTYPE"}
        | mine
        | COMPUTING.keys()
        | {"CLICOLOR", "CLICOLOR_FORCE", "FORCE_COLOR", "GIT_PAGER", "PAGER"}
    )
    assert not [name for name in names if name not in known and not name.startswith("MPL")]


@linux
def test_nothing_of_the_graders_is_in_memory(student):
    source = (
        "import sys; print(*(m for m in sys.modules if m.startswith(('autograder', 'nbgrader'))))"
    )
    modules = set(printed(run_cell(student, source)).split())
    inside = {path.stem for path in (ROOT / "autograder" / "sandbox" / "inside").glob("[a-z]*.py")}
    assert modules <= {
        *("autograder", "autograder.sandbox", "autograder.sandbox.inside"),
        *(f"autograder.sandbox.inside.{name}" for name in inside - {"zygote"}),
    }


@linux
def test_only_the_line_to_the_grader_is_open(student):
    source = """
import os
def is_open(n):
    try:
        return bool(os.fstat(n))
    except OSError:
        return False
print([n for n in range(200) if is_open(n)])
"""
    with StudentProcess(student.zygote) as fresh:
        assert printed(run_cell(fresh, source)).strip() == "[0, 1, 2, 3]"


SWARM = """
import threading
ended, started = threading.Event(), []
try:
    while True:
        threading.Thread(target=ended.wait, daemon=True).start()
        started.append(1)
except RuntimeError:
    print(len(started))
ended.set()
"""
ONE_BY_ONE = """
import threading
started = 0
try:
    while started < 5000:
        thread = threading.Thread(target=int)
        thread.start()
        thread.join()
        started += 1
except RuntimeError:
    print(started)
"""


@linux
def test_threads_have_a_limit_from_the_first_on(student):
    with StudentProcess(student.zygote) as fresh:
        run_cell(fresh, "import threading; threading.stack_size(1 << 16)")
        assert int(printed(run_cell(fresh, SWARM))) == MAX_THREADS - 1  # and the first itself
    with StudentProcess(student.zygote) as fresh:
        assert int(printed(run_cell(fresh, ONE_BY_ONE))) == MAX_STARTED


@linux
def test_without_a_safe_pair_nothing_starts():
    for layers in [
        confine.Layers(),
        confine.Layers(seccomp=True),
        confine.Layers(landlock=7, bubblewrap=True),
    ]:
        with pytest.raises(Unsafe, match="doctor"):
            Zygote(layers)


@linux
def test_a_layer_that_does_not_hold_is_noticed(monkeypatch):
    """Landlock is asked for in a version that this kernel has, but the kernel refuses the rules."""
    broken = "import autograder.sandbox.inside.landlock as l\nl.version = lambda: 0\n"
    with Zygote(PAIRS["landlock"]) as zygote:
        assert StudentProcess(zygote).alive
    lay_out = student_process._lay_out

    def lay_out_broken(folder):
        readable = lay_out(folder)
        with open(folder / "autograder" / "sandbox" / "inside" / "zygote.py", "r+") as module:
            text = module.read()
            module.seek(0)
            module.write(text.replace("import contextlib\n", "import contextlib\n" + broken, 1))
        return readable

    monkeypatch.setattr(student_process, "_lay_out", lay_out_broken)
    with Zygote(PAIRS["landlock"]) as zygote, pytest.raises(GraderFailure, match="Landlock"):
        StudentProcess(zygote)


HEADERS = {
    "x86_64": (Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"), r"#define __NR_(\w+) (\d+)"),
    "aarch64": (
        Path("/usr/include/asm-generic/unistd.h"),
        r"#define __NR(?:3264)?_(\w+) (\d+)",
    ),
}


@pytest.mark.parametrize("machine", HEADERS)
def test_the_numbers_of_system_calls_are_the_kernels(machine):
    header, pattern = HEADERS[machine]
    if not header.exists():
        pytest.skip(f"no {header}")
    kernels = {name: int(number) for name, number in re.findall(pattern, header.read_text())}
    if machine == "aarch64":
        kernels["newfstatat"] = kernels.pop("fstatat", 79)
    column = list(HEADERS).index(machine)
    ours = {name: numbers[column] for name, numbers in seccomp._CALLS.items()}
    known = {name: n for name, n in ours.items() if name in kernels or n is not None}
    assert known == {name: kernels.get(name) for name in known}


@pytest.mark.parametrize("machine", HEADERS)
def test_the_filter_allows_what_is_listed_only(machine):
    """The BPF program, run by a small machine of our own."""
    program = seccomp.assemble(pid=77, may_create=False, machine=machine)
    column, architecture = list(HEADERS).index(machine), seccomp._MACHINES[machine][1]

    def allowed(number, *args, arch=architecture):
        return run_filter(program, number, arch, args) == seccomp._ALLOW

    listed = {numbers[column] for numbers in seccomp._CALLS.values()} - {None}
    conditional = {
        numbers[column]
        for name, numbers in vars(seccomp).items()
        if name
        in (
            "_OPEN",
            "_OPENAT",
            "_CLONE",
            "_SOCKETPAIR",
            "_SENDTO",
            "_IOCTL",
            "_FCNTL",
            "_PRLIMIT64",
        )
        or name in ("_KILL", "_TGKILL", "_MADVISE", "_FUTEX")
        or name in ("_CLOCK_GETTIME", "_CLOCK_GETRES", "_CLOCK_NANOSLEEP")
    }
    for number in range(600):
        if number not in conditional:
            assert allowed(number) == (number in listed), number
    assert not any(allowed(n, arch=0x40000003) for n in listed)  # 32-bit calls
    assert not any(allowed(n | 0x40000000) for n in listed)  # x32 calls
    openat = seccomp._OPENAT[column]
    assert allowed(openat, 0, 0, os.O_RDONLY)
    assert not allowed(openat, 0, 0, os.O_WRONLY | os.O_CREAT)
    with_landlock = seccomp.assemble(pid=77, may_create=True, machine=machine)
    flags = os.O_WRONLY | os.O_CREAT
    assert run_filter(with_landlock, openat, architecture, (0, 0, flags)) == seccomp._ALLOW
    kill, clone, fcntl = (getattr(seccomp, n)[column] for n in ("_KILL", "_CLONE", "_FCNTL"))
    assert allowed(kill, 77)
    assert not allowed(kill, 78)
    assert allowed(clone, 0x3D0F00)  # what pthread_create asks for
    assert not allowed(clone, 0x11)  # fork
    assert not allowed(clone, 0x10010000)  # a thread in a new user namespace
    assert allowed(fcntl, 3, 1)
    assert not allowed(fcntl, 3, 8)  # F_SETOWN
    madvise = seccomp._MADVISE[column]
    assert allowed(madvise, 0, 4096, mmap.MADV_DONTNEED)
    assert not allowed(madvise, 0, 4096, 21)  # MADV_PAGEOUT
    futex, clock = seccomp._FUTEX[column], seccomp._CLOCK_GETTIME[column]
    assert allowed(futex, 0, 0x81)  # wake one's own
    assert allowed(futex, 0, 0x109)  # await a thread's end, by the clock of the day
    assert not allowed(futex, 0, 1)  # wake who waits on a file that others have too
    assert not allowed(futex, 0, 3)  # requeue, which counts as well
    assert allowed(clock, 7)
    assert not allowed(clock, (~1234 << 3 | 2) % 2**32)  # another process's CPU time
    sendto, pair = seccomp._SENDTO[column], seccomp._SOCKETPAIR[column]
    assert allowed(sendto, 3, 0, 0, 0, 0)
    assert not allowed(sendto, 3, 0, 0, 0, 1 << 40)  # only the upper half is not null
    assert allowed(pair, 1, 1 | 0o2000000)
    assert not allowed(pair, 1, 2)
    assert not allowed(pair, 2, 1)


def run_filter(program: bytes, number: int, arch: int, args: tuple) -> int:
    """Run classic BPF code on a struct seccomp_data."""
    data = struct.pack("<IIQ6Q", number, arch, 0, *args, *[0] * (6 - len(args)))
    code = [struct.unpack_from("HBBI", program, i) for i in range(0, len(program), 8)]
    accumulator = place = 0
    while True:
        operation, if_true, if_false, value = code[place]
        place += 1
        if operation == seccomp._RETURN:
            return value
        if operation == seccomp._LOAD:
            (accumulator,) = struct.unpack_from("<I", data, value)
        elif operation == seccomp._AND:
            accumulator &= value
        elif operation == seccomp._JUMP_EQUAL:
            place += if_true if accumulator == value else if_false
        elif operation == seccomp._JUMP_GREATER_EQUAL:
            place += if_true if accumulator >= value else if_false
        else:
            raise ValueError(f"unknown operation {operation:#x}")


@linux
@pytest.mark.skipif(os.getuid() != 0, reason="only root can become an ordinary user")
@pytest.mark.skipif(not shutil.which("setpriv"), reason="needs setpriv")
@pytest.mark.usefixtures("confined")
@pytest.mark.parametrize("without", ["nothing", "user namespaces"])
def test_an_ordinary_user_can_grade_too(without, released):
    """The whole of doctor, and a class from hand-in to marks, as nobody."""
    nobody = pwd.getpwnam("nobody")
    become = [f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]
    packages = os.pathsep.join([str(ROOT), *confine.package_folders()])
    folder = Path(tempfile.mkdtemp(prefix="nobody-"))  # pytest's own folders are for root only
    path = "/usr/bin:/bin"
    if without == "user namespaces":  # then bubblewrap is of no use, as if it were not there
        path = str(folder)
        if not HERE.landlock:
            pytest.skip("needs Landlock")
    environment = {"PATH": path, "PYTHONPATH": packages, "HOME": str(folder)}
    ask = "import sys, numpy; print(*sys.version_info[:2], sys.base_prefix)"
    for python in (sys.executable, "/usr/bin/python3"):
        command = [shutil.which("setpriv"), *become, python]
        answer = subprocess.run([*command, "-c", ask], env=environment, **CAPTURED)
        version = " ".join(map(str, sys.version_info[:2]))
        if answer.returncode == 0 and answer.stdout.startswith(version):
            break
    else:
        pytest.skip("an ordinary user may read no Python with these packages")
    if answer.stdout.split()[-1] != sys.base_prefix:  # it found another Python than it was told
        command[-1] = f"/usr/bin/python{sys.version_info.major}"
    doctor = subprocess.run(
        [*command, "-m", "autograder", "doctor"], cwd=ROOT, env=environment, **CAPTURED
    )
    assert doctor.returncode == 0, doctor.stdout + doctor.stderr
    assert "Grading is safe here" in doctor.stdout
    bubblewrap = HERE.bubblewrap and without == "nothing"
    assert ("bubblewrap" in doctor.stdout.splitlines()[-1]) == bubblewrap
    course = released.copy(folder / "course")
    course.write_settings()
    course.hand_in("ada")
    course.hand_in("bob", softmax="def softmax(scores):\n    return scores")
    for path in (folder, *folder.rglob("*")):
        os.chown(path, nobody.pw_uid, nobody.pw_gid)
    grading = subprocess.run(
        [*command, "-m", "autograder", "grade", ASSIGNMENT, "--jobs", "1"],
        cwd=course.root,
        env=environment,
        **CAPTURED,
    )
    assert grading.returncode == 0, grading.stdout + grading.stderr
    assert course.scores("ada") == FULL
    assert course.total("bob") == sum(FULL.values()) - 3
    shutil.rmtree(folder)


def test_landlock_and_seccomp_are_absent_elsewhere(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert landlock.version() == 0
    assert not seccomp.available()
    assert not confine.layers().safe


def test_another_processor_has_no_filter(monkeypatch):
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    assert not seccomp.available()
