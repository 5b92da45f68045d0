"""Nothing that one hand-in's code has seen can be read by the next one's.

Each channel has a sender, which knows 64 bits, and a receiver, which runs in the next process of
the same fork server and says what it finds. The sender runs with two messages in turn. Where the
receiver says the same each time, nothing has come through.
"""

import itertools
import multiprocessing
import os
import socket
import sys
import threading

import pytest

from autograder.sandbox.inside import confine
from autograder.sandbox.inside.zygote import _receive
from autograder.sandbox.judge_process import Server
from autograder.sandbox.namespace import run_cell
from autograder.sandbox.student_process import StudentProcess, Zygote

HERE = confine.layers()
pytestmark = pytest.mark.usefixtures("confined")

MESSAGES = (0x0123456789ABCDEF, 0xFEDCBA9876543210)
PAIRS = {
    "all": HERE,
    "bubblewrap": confine.Layers(0, HERE.seccomp, HERE.bubblewrap),
    "landlock": confine.Layers(HERE.landlock, HERE.seccomp, False),
}
# What a sender and a receiver find: `message`, and `tries`, which lets a refusal be the answer.
PRELUDE = """
import ctypes, fcntl, glob, mmap, os, random, resource, socket, sys, tempfile, threading, time
import numpy as np
libc = ctypes.CDLL(None, use_errno=True)
message = {message}
text = format(message, "064b")
def tries(function, *arguments):
    try:
        return function(*arguments)
    except Exception as error:
        return type(error).__name__
def call(name, *arguments):
    return getattr(libc, name)(*arguments), ctypes.get_errno()
def threads(count):
    for _ in range(count):
        thread = threading.Thread(target=int)
        thread.start()
        thread.join()
def read(path, count=8):
    with open(path, "rb") as file:
        return file.read(count)
def files():
    return sorted(glob.glob(os.path.dirname(np.__file__) + "/**/*.py", recursive=True))[:64]
def each_bit(function, *arguments):
    for bit, *argument in zip(text, *arguments):
        if bit == "1":
            tries(function, *argument)
def write(path):
    with open(path, "wb") as file:
        file.write(text.encode())
def lock(path):
    fcntl.flock(os.open(path, os.O_RDONLY), fcntl.LOCK_EX | fcntl.LOCK_NB)
def shared(path):
    file = os.open(path, os.O_RDWR)
    mmap.mmap(file, 0)[:64] = text.encode()
"""

FOLDERS = '("/tmp", "/dev/shm", "/dev/mqueue", "/var/tmp", "/run", "/run/lock", ".", "/", "/proc")'
CHANNELS = {
    "a file in a folder of temporary files": (
        f"for f in {FOLDERS}: tries(write, f + '/message')",
        f"[tries(read, f + '/message') for f in {FOLDERS}], tries(tempfile.mkdtemp)",
    ),
    "a name of a file": (
        f"for f in {FOLDERS}: tries(os.mkdir, f + '/' + text); tries(os.symlink, text, f + '/m')",
        f"[tries(os.listdir, f) for f in {FOLDERS} if f != '/proc'], tries(os.readlink, '/tmp/m')",
    ),
    "POSIX shared memory": (
        "for i in range(64): tries(call, 'shm_open', b'/m%d' % i, 0o102 if text[i] == '1' else 0)",
        "[call('shm_open', b'/m%d' % i, 0)[0] for i in range(64)]",
    ),
    "System V shared memory": (
        "each_bit(lambda i: call('shmget', i + 1, 8, 0o1666), range(64))",
        "[call('shmget', i + 1, 8, 0) for i in range(64)]",
    ),
    "System V semaphores": (
        "each_bit(lambda i: call('semget', i + 1, 1, 0o1666), range(64))",
        "[call('semget', i + 1, 1, 0) for i in range(64)]",
    ),
    "System V messages": (
        "each_bit(lambda i: call('msgget', i + 1, 0o1666), range(64))",
        "[call('msgget', i + 1, 0) for i in range(64)]",
    ),
    "POSIX queues": (
        "each_bit(lambda i: call('mq_open', b'/m%d' % i, 0o102, 0o666, None), range(64))",
        "[call('mq_open', b'/m%d' % i, 0) for i in range(64)]",
    ),
    "named semaphores": (
        "each_bit(lambda i: call('sem_open', b'/m%d' % i, 0o100, 0o666, 1), range(64))",
        "[tries(os.stat, '/dev/shm/sem.m%d' % i) for i in range(64)]",
    ),
    "abstract sockets": (
        "sockets = tries(lambda: [socket.socket(socket.AF_UNIX).bind('\\0' + text)])",
        "tries(lambda: socket.socket(socket.AF_UNIX).connect('\\0'))",
    ),
    "ports": (
        "tries(lambda: socket.socket().bind(('127.0.0.1', 2**15 + message % 2**14)))",
        "tries(lambda: socket.socket().getsockname())",
    ),
    "the kernel's keys": (
        "call('syscall', 248, b'user', text.encode(), text.encode(), 64, -3)",
        "call('syscall', 249, b'user', b'0', 0, -3)",
    ),
    "locks on files": ("each_bit(lock, files())", "[tries(lock, f) for f in files()]"),
    "locks on parts of a file": (
        "file = os.open(np.__file__, os.O_RDONLY)\n"
        "each_bit(lambda i: fcntl.lockf(file, fcntl.LOCK_SH, 1, i), range(64))",
        "tries(lambda: fcntl.lockf(os.open(np.__file__, 0), fcntl.LOCK_SH))",
    ),
    "what a readable file holds": (
        "for f in files(): tries(shared, f)\n"
        "for f in glob.glob(sys.path[0] + '/*'): tries(shared, f)",
        "[tries(read, f) for f in files()]",
    ),
    "a file's modes and times": (
        "each_bit(lambda f: os.utime(f, (message % 2**31,) * 2), files())\n"
        "each_bit(lambda f: os.chmod(f, 0o777), files())",
        "[(os.stat(f).st_mode, os.stat(f).st_mtime, os.stat(f).st_ctime) for f in files()]",
    ),
    "extended attributes": (
        "each_bit(lambda f: os.setxattr(f, 'user.m', text.encode()), files())",
        "[tries(os.listxattr, f) for f in files()]",
    ),
    "when a file was read": ("each_bit(read, files())", "[os.stat(f).st_atime for f in files()]"),
    "room on the disk": (
        "tries(write, '/tmp/m')\n"
        "tries(lambda: tempfile.TemporaryFile().write(bytes(message % 2**24)))",
        "[tries(lambda: os.statvfs(f).f_files) for f in ('/', '/tmp', '.')]",
    ),
    "the environment": (
        "os.environ['M'] = text; call('setenv', b'N', text.encode(), 1)",
        "sorted(os.environ.items()), ctypes.c_char_p(libc.getenv(b'N')).value",
    ),
    "descriptors": (
        "for n in range(int(text[:5], 2)): os.dup(3)",
        "[tries(lambda: os.fstat(n).st_mode) for n in range(64)]",
    ),
    "a message to the next on an inherited descriptor": (
        "for fd in (0, 1, 2, 4, 5): tries(os.write, fd, text.encode())",
        "[tries(os.read, fd, 8) for fd in (0, 4, 5)]",
    ),
    "random numbers": (
        "random.seed(message); np.random.seed(message % 2**32); threads(3)",
        "random.random(), np.random.rand()",
    ),
    "the names of modules and of the shell": (
        "np.message = sys.message = message\nimport builtins; builtins.message = message\n"
        "get_ipython().db['message'] = message; sys.path.append(text)",
        "getattr(np, 'message', 0), getattr(sys, 'message', 0),"
        " dict(get_ipython().db), sys.path[1:]",
    ),
    "memory that NumPy gives back": (
        "for _ in range(9): np.full(8, message, np.uint64), np.full(1 << 20, message, np.uint64)",
        "MESSAGES & {int(n) for size in (8, 1 << 20) for _ in range(9)"
        " for n in np.empty(size, 'u8')}",
    ),
    "what lies at which address": (
        "kept = [bytes(n) for n in range(message % 1000)]; threads(message % 50)",
        "id(b'x' * 999), id(get_ipython()), id(np.zeros(999)) >> 20",
    ),
    "limits": (
        "tries(resource.setrlimit, resource.RLIMIT_CPU, (9, 9)); call('nice', message % 16)",
        "[resource.getrlimit(n) for n in range(16) if n != resource.RLIMIT_AS],"
        " os.getpriority(os.PRIO_PROCESS, 0)",
    ),
    "the time of a parent": (
        "threads(message % 100)",
        "tries(time.clock_gettime, (~os.getppid() << 3) | 2)",
    ),
    "how busy the machine is": (
        "threads(message % 100)",
        "tries(os.getloadavg) if os.path.exists('/proc') else 'OSError',"
        " call('sysinfo', bytes(200))[0]",
    ),
    "how much memory is free": (
        "kept = np.ones(message % 2**24)",
        "call('sysinfo', bytes(200)), tries(read, '/proc/meminfo') in ('FileNotFoundError',"
        " 'PermissionError')",
    ),
    "terminals": (
        "each_bit(lambda i: os.open('/dev/ptmx', os.O_RDWR), range(64))",
        "tries(os.openpty), tries(os.listdir, '/dev/pts')",
    ),
    "the name of the process": (
        "call('prctl', 15, text[:15].encode(), 0, 0, 0)",
        "tries(read, '/proc/self/comm') in ('FileNotFoundError', 'PermissionError')",
    ),
    "processes that stay": (
        "tries(os.fork); call('daemon', 0, 0)",
        "tries(os.waitpid, -1, os.WNOHANG)",
    ),
    "signals that wait": (
        "each_bit(lambda n: os.kill(os.getppid() or 1, n), range(34, 64))",
        "sorted(tries(lambda: __import__('signal').sigpending()))",
    ),
    "process numbers": (
        "threads(message % 300)",
        "os.getpid(), os.getppid(), (lambda t: (t.start(), t.join(), t.native_id)[2])"
        "(threading.Thread(target=int))",
    ),
}
# Without bubblewrap little can be done about these; docs/grading.md names them.
ONLY_WITH_BUBBLEWRAP = {"when a file was read", "process numbers", "the time of a parent"}


@pytest.fixture(scope="module", params=PAIRS)
def zygote(request):
    layers = PAIRS[request.param]
    if not layers.safe or (request.param == "bubblewrap" and not HERE.bubblewrap):
        pytest.skip(f"{request.param} and seccomp do not hold here")
    with Zygote(layers) as zygote:
        yield zygote


def _found(zygote, send: str, receive: str) -> list[str]:
    """What the next one finds after each of the messages."""
    found = []
    for message in MESSAGES:
        with StudentProcess(zygote) as student:
            run_cell(student, PRELUDE.replace("{message}", str(message)))
            run_cell(student, send)
        with StudentProcess(zygote) as student:
            prelude = PRELUDE.replace("{message}", "0") + f"MESSAGES = {set(MESSAGES)}\n"
            run_cell(student, prelude)
            outputs = run_cell(student, f"print({receive})")
        assert [item["output_type"] for item in outputs] == ["stream"], outputs
        found.append(outputs[0]["text"])
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="confinement is for Linux")
@pytest.mark.parametrize("channel", CHANNELS)
def test_nothing_comes_through(zygote, channel):
    if channel in ONLY_WITH_BUBBLEWRAP and not zygote.layers.bubblewrap:
        pytest.skip("needs bubblewrap")
    # The heap moves a little from one student to the next. With the message it would each time.
    tries = 3 if channel == "what lies at which address" else 1
    found = (_found(zygote, *CHANNELS[channel]) for _ in range(tries))
    assert any(first == second for first, second in found)


def test_the_template_keeps_no_memory_for_each_student():
    """Or the next one could count by its own how many there were before."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    blocks = []
    with ours, theirs:
        for _ in range(50):
            socket.send_fds(ours, [b"/work"], [ours.fileno(), theirs.fileno()])
            message, files = _receive(theirs, 4096, 2)
            assert message == b"/work"
            for fd in files:
                os.close(fd)
            blocks.append(sys.getallocatedblocks())
    assert len(files) == 2
    assert blocks[-1] - blocks[10] <= len(blocks) - 10 + 5  # the numbers in the list, and no more


@pytest.mark.skipif(not PAIRS["landlock"].safe, reason="Landlock and seccomp do not hold here")
def test_where_numbers_can_be_seen_some_are_skipped_before_each_new_one(monkeypatch):
    """The fork server's, each judge's, and (in the fork server) each student's."""
    skipped = []
    monkeypatch.setattr(confine, "layers", lambda: PAIRS["landlock"])
    monkeypatch.setattr(confine, "skip_numbers", lambda: skipped.append(True))
    control, _grader = multiprocessing.Pipe()
    server = Server(control, unsafe=False)
    limits = {"cpu": 3.0, "wall": 6.0}
    server.grade([["x = 1", False, 0], ["x", True, 1]], ["x"], None, limits, 20.0, 10.0)
    server.close()
    assert len(skipped) == 2


def test_how_many_numbers_are_skipped_is_random():
    numbers = []
    for _ in range(6):
        confine.skip_numbers()
        thread = threading.Thread(target=int)
        thread.start()
        numbers.append(thread.native_id)
        thread.join()
    assert max(b - a for a, b in itertools.pairwise(numbers)) > 10
