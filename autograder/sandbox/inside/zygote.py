"""A warm fork server for students: Python with its libraries loaded once, forked for each student.

It is started as ``python -m autograder.sandbox.inside.zygote FD LANDLOCK SECCOMP READABLE...``
with a copy of this package, and nothing else of the grader's, before any student's code exists,
and never sees a test, a solution or a grade. On the socket FD it gets requests, each as one message
that begins with a number of eight bytes; the answer begins with the same number, so that an answer
to which nobody listens any more is never taken for another's:

* ``F`` with a socket and a folder: fork a student that speaks on that socket. Answer: its pid.
* ``C`` and a pid: how much time has it used? Answer: seconds of CPU, seconds spent waiting for one.
* ``K`` and a pid: end it. Answer: the same two.

After the number stands ``+`` and the answer, or ``-`` and in words why there is none.
"""

import contextlib
import gc
import io
import os
import random
import select
import signal
import socket
import struct
import sys
import threading

import numpy as np
import numpy.fft  # what students may import is loaded before the fork
import numpy.linalg
import numpy.random
import numpy.testing

from autograder.sandbox.inside import confine, hook, student, wire
from autograder.sandbox.inside.shell import Outputs, Shell, make_shell

MAX_THREADS = 64
START_SECONDS = 10.0  # for threads of the warm-up to come to their end
WATCH_EVERY = 0.1  # seconds
_TICKS = os.sysconf("SC_CLK_TCK")


def main(argv: list[str]) -> None:
    control = socket.socket(fileno=int(argv[0]))
    layers = confine.Layers(landlock=int(argv[1]), seccomp=bool(int(argv[2])))
    readable = argv[3:]
    shell = _warm_shell()
    for thread in threading.enumerate():
        if thread is not threading.current_thread():
            thread.join(START_SECONDS)  # Matplotlib's timer, cancelled, on a busy machine
    if threading.active_count() != 1:
        raise RuntimeError(f"a fork needs a single thread, here are {threading.enumerate()}")
    gc.collect()
    gc.freeze()  # so that the collector does not touch, and copy, what all students share
    control.sendall(b"R")
    children: set[int] = set()
    while True:
        while not select.select([control], [], [], WATCH_EVERY if children else None)[0]:
            for pid in children:
                _end_if_out_of_bounds(pid)
        message, sockets, *_ = socket.recv_fds(control, 4096, 1)
        if not message:  # the grader has hung up
            os._exit(0)
        number, request, rest = message[:8], message[8:9], message[9:]
        try:
            if request == b"F":
                pid = os.fork()
                if pid == 0:
                    _child(socket.socket(fileno=sockets[0]), shell, layers, readable, rest.decode())
                children.add(pid)
                answer = struct.pack(">i", pid)
            elif request == b"C":
                answer = struct.pack(">dd", *_seconds(*struct.unpack(">i", rest)))
            elif request == b"K":
                (pid,) = struct.unpack(">i", rest)
                answer = struct.pack(">dd", *_end(pid))
                children.discard(pid)
            else:
                raise ValueError(f"unknown request {request!r}")
        except (OSError, ValueError, struct.error) as error:  # no memory for a fork, say
            control.sendall(number + b"-" + ascii(error).encode()[:200])
        else:
            control.sendall(number + b"+" + answer)
        finally:
            for fd in sockets:
                os.close(fd)


def _warm_shell() -> Shell:
    """Load and use once whatever the first cell of a student would otherwise wait for."""
    import matplotlib.pyplot as plt

    hook.warm_up()
    shell = make_shell()
    figure = plt.figure(figsize=(1, 1))
    figure.gca().text(0, 0, "$x$ a")
    figure.savefig(io.BytesIO())
    plt.close("all")
    shell.outputs = Outputs()
    shell.run_cell("raise ValueError", store_history=False)
    shell.outputs = None
    shell.reset(new_session=False)
    return shell


def _child(sock, shell, layers, readable, folder) -> None:
    """Become a student's process: nothing open but the socket, nothing allowed, then serve."""
    try:
        sock = _only(sock)
        for name in ("PYTHONPATH", "XDG_CACHE_HOME", "MPLCONFIGDIR", "IPYTHONDIR"):
            del os.environ[name]
        sys.path[:] = [folder, *filter(None, sys.path)]  # as in a kernel: helpers come first
        os.chdir(folder)
        random.seed(0)
        np.random.seed(0)  # noqa: NPY002  for code that uses the old generator
        confine.confine(layers, [*readable, folder])
        sock.sendall(wire.encode("ready"))
        student.Student(shell).serve(sock)
    except BaseException as error:
        with contextlib.suppress(OSError):
            sock.sendall(wire.encode(f"{type(error).__name__}: {error}"[:500]))
    finally:
        os._exit(0)


def _only(sock: socket.socket) -> socket.socket:
    """Close every file but this socket, which becomes number 3; input and output are empty."""
    kept = os.dup(sock.detach())
    null = os.open("/dev/null", os.O_RDWR)
    kept = os.dup(kept) if kept <= 3 else kept
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    os.dup2(kept, 3)
    os.closerange(4, os.sysconf("SC_OPEN_MAX"))
    return socket.socket(fileno=3)


def _seconds(pid: int) -> tuple[float, float]:
    """CPU time of a child so far, and for how long it wanted to run and others did. In seconds.

    Of one that has ended: all it used.
    """
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    used = (int(fields[11]) + int(fields[12])) / _TICKS
    try:
        with open(f"/proc/{pid}/schedstat") as stat:
            delayed = int(stat.read().split()[1]) / 1e9
    except (OSError, IndexError):  # a kernel that does not count it
        delayed = 0.0
    return used, delayed


def _end(pid: int) -> tuple[float, float]:
    """End a child; return its `_seconds`."""
    used = _seconds(pid)  # not yet waited for, so the number is still its own
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return used


def _end_if_out_of_bounds(pid: int) -> None:
    """End a child that makes threads without end: no limit of the kernel's counts them alone."""
    with open(f"/proc/{pid}/status") as status:
        threads = [line for line in status if line.startswith("Threads:")]
    if threads and int(threads[0].split()[1]) > MAX_THREADS:
        os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1:])
