"""A warm fork server for students: Python with its libraries loaded once, forked for each student.

It is started as ``python -m autograder.sandbox.inside.zygote FD PROC LANDLOCK SECCOMP BUBBLEWRAP
READABLE...``, with a copy of this package,
and nothing else of the grader's, before any student's code exists,
and never sees a test, a solution or a grade. On the socket FD it gets requests, each as one message
that begins with a number of eight bytes; the answer begins with the same number, so that an answer
to which nobody listens any more is never taken for another's:

* ``F`` with a socket and a folder: fork a student that speaks on that socket. Answer: its pid.
* ``C`` and a pid: how much time has it used? Answer: seconds of CPU, seconds spent waiting for one.
* ``K`` and a pid: end it. Answer: the same two.

After the number stands ``+`` and the answer, or ``-`` and in words why there is none.

PROC is a descriptor of /proc. What the server learns of students, their process numbers and the
time they used, never comes into another student's memory: they are forked from a template, a
process that learns nothing.
"""

import contextlib
import fcntl
import functools
import gc
import io
import os
import random
import select
import shutil
import signal
import socket
import struct
import sys
import tempfile
import threading
from pathlib import Path

import numpy as np
import numpy.fft  # what students may import is loaded before the fork
import numpy.linalg
import numpy.random
import numpy.testing

from autograder.sandbox.inside import confine, hook, seccomp, student, wire
from autograder.sandbox.inside.shell import Outputs, Shell, make_shell

MAX_THREADS = 64  # of a student, at once
MAX_STARTED = 1000  # in all
START_SECONDS = 10.0  # for threads of the warm-up to come to their end
_OWN, _COMMON = b"o", b"c"  # a student's numbers of processes: are they its own?
_TICKS = os.sysconf("SC_CLK_TCK")


def main(argv: list[str]) -> None:
    gc.disable()  # what is loaded now stays: to look through it again and again takes long
    control, proc = socket.socket(fileno=int(argv[0])), int(argv[1])
    layers = confine.Layers(int(argv[2]), bool(int(argv[3])), bool(int(argv[4])))
    cache, readable = os.environ["XDG_CACHE_HOME"], argv[5:]
    for fonts in Path(readable[0]).glob("fontlist-*.json"):
        shutil.copy(fonts, cache)
    shell = _warm_shell()
    for thread in threading.enumerate():
        if thread is not threading.current_thread():
            thread.join(START_SECONDS)  # Matplotlib's timer, cancelled, on a busy machine
    if threading.active_count() != 1:
        raise RuntimeError(f"a fork needs a single thread, here are {threading.enumerate()}")
    sys.dont_write_bytecode = True  # a student can write none
    _empty(cache)
    memory = confine.guard(proc) + confine.MEMORY
    gc.freeze()  # so that the collector does not touch, and copy, what all students share
    gc.enable()
    line, template = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    if os.fork() == 0:
        confine.die_with_parent()
        for stranger in (control.detach(), line.detach(), proc):
            os.close(stranger)
        _be_the_template(template, shell, layers, readable, memory)
    template.close()
    try:
        control.sendall(b"R")
    except BrokenPipeError:  # the grader has hung up meanwhile
        os._exit(0)
    Server(control, line, proc).serve()


class Server:
    """What is asked of the fork server, and what it knows of the students that are there.

    Nothing of it is in a student's memory: they are forked from the template, which knows nothing.
    """

    def __init__(self, control: socket.socket, template: socket.socket, proc: int):
        self.control, self.template, self.proc = control, template, proc
        self.started: dict[int, int] = {}  # how many threads each student has started so far
        self.listeners: dict[int, int] = {}  # which student asks here whether it may start one
        self.poll = select.poll()
        self.poll.register(control, select.POLLIN)

    def serve(self) -> None:
        answers = {b"F": self.fork, b"C": self.count, b"K": self.kill}
        while True:
            for fd, event in self.poll.poll():
                if fd == self.control.fileno():
                    self._answer(answers)
                elif event & select.POLLIN and fd in self.listeners:
                    seccomp.answer(fd, functools.partial(self._may_start, self.listeners[fd]))
                elif fd in self.listeners:  # it has ended
                    self._forget(fd)

    def _answer(self, answers: dict) -> None:
        try:
            message, sockets = _receive(self.control, 4096, 1)
        except ConnectionResetError:  # it has hung up with an answer of ours unread
            message = b""
        if not message:  # the grader has hung up
            os._exit(0)
        number, request, rest = message[:8], message[8:9], message[9:]
        try:
            answer = answers[request](rest, sockets)
        except (OSError, KeyError, struct.error) as error:  # no memory for a fork, say
            self.control.sendall(number + b"-" + ascii(error).encode()[:200])
        else:
            self.control.sendall(number + b"+" + answer)
        finally:
            for fd in sockets:
                os.close(fd)

    def fork(self, folder: bytes, sockets: list[int]) -> bytes:
        """Have a student forked, wait until it is apart from us, and let it go on."""
        mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with mine:
            with theirs:
                socket.send_fds(self.template, [folder], [theirs.fileno(), *sockets])
            if numbers := mine.recv(1):
                if numbers != _OWN:
                    confine.skip_numbers()
                mine.sendall(b"g")
            if not self.template.recv(1):
                os._exit(1)  # without it there are no more students
            (pid,) = struct.unpack(">i", mine.recv(4, socket.MSG_DONTWAIT))  # now or never
            self.started[pid] = 0
            mine.sendall(b"g")
            _message, listeners = _receive(mine, 1, 1)
        for listener in listeners:
            self.listeners[listener] = pid
            self.poll.register(listener, select.POLLIN)
        return struct.pack(">i", pid)

    def count(self, pid: bytes, _sockets: list[int]) -> bytes:
        return struct.pack(">dd", *self._seconds(*struct.unpack(">i", pid)))

    def kill(self, pid: bytes, _sockets: list[int]) -> bytes:
        """End a child; return its `_seconds`."""
        (number,) = struct.unpack(">i", pid)
        used = self._seconds(number)  # not yet waited for, so the number is still its own
        os.kill(number, signal.SIGKILL)
        os.waitpid(number, 0)
        del self.started[number]
        for listener in [fd for fd, of in self.listeners.items() if of == number]:
            self._forget(listener)
        return struct.pack(">dd", *used)

    def _forget(self, listener: int) -> None:
        del self.listeners[listener]
        self.poll.unregister(listener)
        os.close(listener)

    def _may_start(self, pid: int) -> bool:
        """May this student start one more thread?"""
        self.started[pid] += 1
        with self._open(f"{pid}/status") as status:
            threads = next(line for line in status if line.startswith("Threads:"))
        return int(threads.split()[1]) < MAX_THREADS and self.started[pid] <= MAX_STARTED

    def _seconds(self, pid: int) -> tuple[float, float]:
        """CPU time of a child so far, and for how long it wanted to run and others did. In seconds.

        Of one that has ended: all it used.
        """
        with self._open(f"{pid}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
        used = (int(fields[11]) + int(fields[12])) / _TICKS
        try:
            with self._open(f"{pid}/schedstat") as stat:
                delayed = int(stat.read().split()[1]) / 1e9
        except (OSError, IndexError):  # a kernel that does not count it
            delayed = 0.0
        return used, delayed

    def _open(self, path: str):
        """Open a file of /proc, which is not there by its name."""
        return open(os.open(path, os.O_RDONLY, dir_fd=self.proc))


def _receive(sock: socket.socket, size: int, most: int) -> tuple[bytes, list[int]]:
    """Receive a message and the files that come with it.

    As `socket.recv_fds` does, which keeps a piece of memory for ever: what each student has at
    which address would tell how many there were before.
    """
    number = struct.Struct("i")
    message, control, *_ = sock.recvmsg(size, socket.CMSG_LEN(most * number.size))
    files = [
        fd
        for level, kind, data in control
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS)
        for (fd,) in number.iter_unpack(data[: len(data) - len(data) % number.size])
    ]
    return message, files


def _empty(folder: str) -> None:
    """Take out of a folder what the warm-up has left there, and leave it so."""
    for entry in os.scandir(folder):
        shutil.rmtree(entry) if entry.is_dir(follow_symlinks=False) else os.unlink(entry)
    os.chmod(folder, 0o500)


def _warm_shell() -> Shell:
    """Load and use once whatever the first cell of a student would otherwise wait for."""
    import matplotlib.pyplot as plt

    hook.warm_up()
    shell = make_shell()
    tempfile.tempdir = "/tmp"  # none can be written: whoever asks for one is no error yet
    figure = plt.figure(figsize=(1, 1))
    figure.gca().text(0, 0, "$x$ a")
    figure.savefig(io.BytesIO())
    plt.close("all")
    shell.outputs = Outputs()
    shell.run_cell("raise ValueError", store_history=False)
    shell.outputs = None
    shell.reset(new_session=False)
    return shell


def _be_the_template(line: socket.socket, *of_student) -> None:
    """Fork students that know nothing of one another.

    Each comes from a process between, which sets it apart and ends. Then it is the server's child.
    """
    while True:
        folder, sockets = _receive(line, 4096, 2)
        if not folder:
            os._exit(0)
        told, sock = (socket.socket(fileno=fd) for fd in sockets)
        with told, sock:
            between = os.fork()
            if between == 0:
                line.close()
                _fork_apart(told, sock, folder.decode(), *of_student)
            os.waitpid(between, 0)
        line.sendall(b".")


def _fork_apart(told: socket.socket, sock: socket.socket, folder, shell, layers, *limits) -> None:
    """Fork a student, if it can be with process numbers of its own, and tell its number here."""
    try:
        told.sendall(_OWN if layers.bubblewrap and confine.apart() else _COMMON)
        if not told.recv(1):  # the server has ended
            return
        pid = os.fork()
        if pid == 0:
            _be_a_student(told, sock, folder, shell, layers, *limits)
        told.sendall(struct.pack(">i", pid))
    finally:
        os._exit(0)


def _be_a_student(told, sock, folder, shell, layers, readable, memory) -> None:
    """Become a student's process: nothing open but the socket, nothing allowed, then serve."""
    try:
        sock, told = _only(sock, told)
        if not told.recv(1):  # the server has ended
            os._exit(0)
        confine.die_with_parent()
        if layers.seccomp:
            confine.give_up_privileges()
            listener = seccomp.watch_threads()
            socket.send_fds(told, [b"w"], [listener])
            os.close(listener)
        told.close()
        for name in ("PYTHONPATH", "XDG_CACHE_HOME", "MPLCONFIGDIR", "IPYTHONDIR"):
            del os.environ[name]
        sys.path[:] = [folder, *filter(None, sys.path)]  # as in a kernel: helpers come first
        os.chdir(folder)
        random.seed(0)
        np.random.seed(0)  # noqa: NPY002  for code that uses the old generator
        confine.confine(layers, [*readable, folder], memory)
        sock.sendall(wire.encode("ready"))
        student.Student(shell).serve(sock)
    except BaseException as error:
        with contextlib.suppress(OSError):
            sock.sendall(wire.encode(f"{type(error).__name__}: {error}"[:500]))
    finally:
        os._exit(0)


def _only(*sockets: socket.socket) -> list[socket.socket]:
    """Close every file but these, which become numbers 3 and on; input and output are empty."""
    null = os.open("/dev/null", os.O_RDWR)
    first, beyond = 3, 3 + len(sockets)
    kept = [fcntl.fcntl(sock.detach(), fcntl.F_DUPFD, beyond) for sock in sockets]
    for fd in range(first):
        os.dup2(null, fd)
    for fd, number in zip(kept, range(first, beyond), strict=True):
        os.dup2(fd, number)
    os.closerange(beyond, os.sysconf("SC_OPEN_MAX"))
    return [socket.socket(fileno=number) for number in range(first, beyond)]


if __name__ == "__main__":
    main(sys.argv[1:])
