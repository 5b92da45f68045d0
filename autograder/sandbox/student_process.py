"""The grader's side of a student's process: start it, ask it, end it."""

import contextlib
import dataclasses
import functools
import os
import secrets
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ParamSpec, TypeVar

from autograder.sandbox.inside import confine, hook, wire
from autograder.sandbox.inside.hook import translate as _
from autograder.sandbox.lending import Lending
from autograder.sandbox.raised import forget_name
from autograder.sandbox.time_limits import LONGEST_DELAY, Budget, Limits

# All that a student's process gets of this package: a copy in a folder of its own, so that neither
# exercises nor solutions lie where it can read.
INSIDE = Path(__file__).with_name("inside")
_START_SECONDS = 60.0
# For processes that compute: a single thread, and the memory of middle-sized arrays is kept for the
# next ones. To get it anew from the system takes longer than to compute with it.
COMPUTING = {
    **dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    **{"MALLOC_MMAP_THRESHOLD_": str(16 << 20), "MALLOC_TRIM_THRESHOLD_": str(64 << 20)},
}
_LOOKS_UP = 0.1  # seconds until somebody who waits for an answer looks at the clock
_TIME_OVER = hook.later("the notebook's time is over")


class Unsafe(Exception):
    """Student code cannot be confined on this machine."""


class GraderFailure(BaseException):
    """The grader's own machinery has failed. It is nobody's mistake and must cost nobody points.

    Not an Exception, so that no test cell can take it for one of a student's.
    """


class PutOff(Exception):
    """A hand-in takes its time, or had to be stopped. It is to be tried after the others.

    Its argument: the seconds that it has spent of the notebook's time.
    """


class StudentDied(Exception):
    """The student's process has ended: it was killed, it left, or it answered nonsense."""

    student_line = ""  # no line of theirs raised it


class StudentTimeout(StudentDied):
    """The student's process did not answer in time and was ended."""

    out_of_time = True  # for those who only know that something was called


# A student reads these names in a traceback and on a card: `softmax stopped with ProcessEnded.`
StudentDied.__name__ = StudentDied.__qualname__ = "ProcessEnded"
StudentTimeout.__name__ = StudentTimeout.__qualname__ = "TookTooLong"


class Zygote:
    """The fork server, and with it the way to new student processes (about 15 ms each).

    It takes a second to start: without `wait`, that is waited for by the first request.
    """

    def __init__(
        self, layers: confine.Layers | None = None, unsafe: bool = False, wait: bool = True
    ):
        self.layers = layers or confine.layers()
        if not (self.layers.safe or unsafe):
            raise Unsafe(
                f"Student code cannot be confined here: this machine has {self.layers}. Needed are "
                "seccomp and Landlock, or seccomp and bubblewrap. `python -m autograder doctor` "
                "tells more."
            )
        self._folder = tempfile.TemporaryDirectory(prefix="grading-")
        root = Path(self._folder.name)
        self.work, cache, home = root / "work", root / "cache", root / "home"
        for folder in (self.work, cache):
            folder.mkdir()
        readable = _lay_out(home)
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        proc = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY)
        command = [sys.executable, "-s", "-P", "-m", "autograder.sandbox.inside.zygote"]
        command += [str(int(v)) for v in (theirs.fileno(), proc, *dataclasses.astuple(self.layers))]
        command += readable
        if self.layers.bubblewrap:
            bind = [*readable, str(self.work)]
            command = confine.bubblewrap_command(bind, [str(cache)]) + command
        self.skip_numbers()
        self._process = subprocess.Popen(
            command,
            pass_fds=[theirs.fileno(), proc],
            env=_environment(str(home), str(cache)),
            cwd="/",
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C at the terminal is for the grader
        )
        theirs.close()
        os.close(proc)
        self._control.settimeout(_START_SECONDS)
        self._started = False
        if wait:
            self.ready()

    def ready(self) -> None:
        """Wait until it can be asked; only the process that has started it may."""
        if self._started:
            return
        try:
            self._started = self._control.recv(1) == b"R"
        except OSError:
            self._started = False
        if not self._started:
            self.close()
            raise GraderFailure("the fork server for student code did not start")

    def skip_numbers(self) -> None:
        """Before a process is started whose number students can see: without bubblewrap, all."""
        if not self.layers.bubblewrap:
            confine.skip_numbers()

    def request(self, kind: bytes, data: bytes, answer: str, *sockets: socket.socket) -> tuple:
        """Ask the fork server and return the fields of its answer.

        Requests are numbered: an answer that somebody before did not wait for is passed over.
        """
        self.ready()
        number = secrets.token_bytes(8)
        try:
            socket.send_fds(self._control, [number + kind + data], [s.fileno() for s in sockets])
            while True:
                message = self._control.recv(512)
                if not message:
                    raise EOFError("hung up")
                if message[:8] == number:
                    break
            if message[8:9] != b"+":
                raise OSError(message[9:].decode("ascii", "replace"))
            return struct.unpack(answer, message[9:])
        except (OSError, EOFError, struct.error) as error:
            raise GraderFailure(f"the fork server for student code: {error}") from None

    def fill(self, folder: str | os.PathLike | None) -> None:
        """Put copies of a hand-in's files, except notebooks, where the student may read them."""
        for old in self.work.iterdir():
            shutil.rmtree(old) if old.is_dir() and not old.is_symlink() else old.unlink()
        if folder:
            ignored = shutil.ignore_patterns("*.ipynb", ".ipynb_checkpoints")
            shutil.copytree(folder, self.work, symlinks=True, dirs_exist_ok=True, ignore=ignored)

    def close(self) -> None:
        self._control.close()
        try:
            self._process.wait(2)  # it ends by itself, and the students with it
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()


_Given = ParamSpec("_Given")
_Answer = TypeVar("_Answer")


def _undisturbed(talk: Callable[_Given, _Answer]) -> Callable[_Given, _Answer]:
    """Let an alarm wait that a test cell may have set, until nobody is in the middle of a talk.

    Blocking the signal would not do: the system then gives it to another thread, and Python runs
    the handler in the main thread all the same.
    """

    @functools.wraps(talk)
    def undisturbed(*args: _Given.args, **kwargs: _Given.kwargs) -> _Answer:
        handler = signal.getsignal(signal.SIGALRM)
        if not callable(handler) or threading.current_thread() is not threading.main_thread():
            return talk(*args, **kwargs)  # here no handler runs
        rung = []
        signal.signal(signal.SIGALRM, lambda *_: rung.append(True))
        try:
            return talk(*args, **kwargs)
        finally:
            signal.signal(signal.SIGALRM, handler)
            if rung:
                signal.raise_signal(signal.SIGALRM)

    return undisturbed


class StudentProcess:
    """One confined process. `ask` is the only way to talk to it.

    While it is `discreet`, the names that its code gives to types and parameters are not repeated:
    what a hidden test gave to a function must not come out as one.
    """

    discreet = False
    sync: Callable[[], None] | None = None  # called before each request,
    refresh: Callable[[], None] | None = None  # and after each call
    written: Callable[[str], str] | None = None  # the text of the cell that defines a name
    beside: Callable[[str], object] | None = None  # what the notebook has under a name
    nested = 0  # calls of what a test has lent, in work

    @_undisturbed
    def __init__(self, zygote: Zygote, limits: Limits | None = None, budget: Budget | None = None):
        budget = budget or Budget()
        if budget.left() <= 0:
            raise StudentTimeout(_(_TIME_OVER))
        self.zygote = zygote
        self.limits, self.budget = Limits(_START_SECONDS, _START_SECONDS), Budget()
        self._started = time.monotonic()
        self.lending = Lending()
        self.operations: frozenset[str] = frozenset()  # what objects may do in the cell in work
        self.exceptions: dict[int, type[Exception]] = {}  # stand for the student's, by number
        self.stand_ins: weakref.WeakValueDictionary = weakref.WeakValueDictionary()  # for objects
        self._sock, theirs = socket.socketpair()
        self._sock.settimeout(_LOOKS_UP)
        with theirs:
            (self.pid,) = zygote.request(b"F", str(zygote.work).encode(), ">i", theirs)
        self.alive = True
        self._asked = time.monotonic()
        self._used = self._delayed = 0.0  # seconds of CPU, and of waiting for one, when last asked
        try:
            ready = self._exchange(None, None, self._patience())
        except StudentDied as error:
            raise GraderFailure(f"a student's process did not start: {error}") from None
        if ready != "ready":
            self.end()
            raise GraderFailure(f"student code could not be confined: {ready}")
        self.limits, self.budget = limits or Limits(), budget

    def ask(self, request: str, *args, refer=None, resolve=None, answer=None) -> object:
        """Send a request and return what comes back, as plain data.

        Before it answers, the student's code may ask for what a test has lent to it: `answer` is
        called with such a request and returns the frame to send. All of it takes its time from
        the one limit.

        StudentTimeout or StudentDied: there is no answer and the process is gone.
        """
        frame = wire.encode([request, *args], refer)
        self._need_alive()
        patience = self._patience()
        while True:
            reply = self._exchange(frame, resolve, patience)
            if answer is None or type(reply) is not list or reply[:1] != ["back"]:
                return reply
            frame = answer(reply[1:])

    def be_discreet(self) -> None:
        """From now on repeat no name that its code chose; those of its exceptions are known."""
        self.discreet = True
        for kind in self.exceptions.values():
            forget_name(kind)

    @_undisturbed
    def _exchange(self, frame: bytes | None, resolve, patience: Callable[[], None]) -> object:
        self._need_alive()
        try:
            if frame is not None:
                wire.send(self._sock, frame, patience)
            return wire.receive(self._sock, patience, resolve)
        except TimeoutError:
            self.end()
            raise StudentTimeout(_("there was no answer in time")) from None
        except (EOFError, BrokenPipeError, ConnectionResetError):
            self.end()
            raise StudentDied(_("the process in which the notebook ran has ended")) from None
        except wire.WireError as error:
            self.end()
            text = _("the process in which the notebook ran answered: {what}")
            raise StudentDied(text.format(what=error)) from None
        except OSError as error:  # nothing that the other side could bring about
            self.end()
            raise GraderFailure(f"talking to a student's process: {error}") from None
        except BaseException:  # no memory, say: half an answer may be on its way
            self.end()
            raise

    def _need_alive(self) -> None:
        if not self.alive:
            raise StudentDied(_("the process in which the notebook ran has ended"))

    def _patience(self) -> Callable[[], None]:
        """Return the function that raises when one answer is waited for too long; see `Limits`."""
        start, limits = time.monotonic(), self.limits
        if start - self._asked > 1:  # no more often: it takes as long as a small call
            self._asked = start
            self._used, self._delayed = self._seconds()
        used, delayed = self._used, self._delayed

        def patience() -> None:
            passed = time.monotonic() - start
            if passed < limits.cpu and passed < limits.wall and self.budget.left() > 0:
                return
            cpu, delay = self._seconds()  # by the clock; was it at work, and was it let?
            own = max(passed - (delay - delayed), cpu - used)
            left = min(
                limits.cpu - (cpu - used),
                limits.wall - own,
                limits.wall * LONGEST_DELAY - passed,
                self.budget.left(),
            )
            if left <= 0:
                raise TimeoutError

        return patience

    @_undisturbed
    def _seconds(self) -> tuple[float, float]:
        """Return the CPU time used so far, and for how long others kept the process from more."""
        answer = self.zygote.request(b"C", struct.pack(">i", self.pid), ">dd")
        return answer[0], self._delayed_by_others(*answer)

    def _delayed_by_others(self, used: float, delayed: float) -> float:
        """Tell the budget for how long the first thread wanted to run and other processes did.

        What the process's own threads do meanwhile is work of its own: with some that take all
        processors, the first one waits for ever, and so would we.
        """
        by_others = min(delayed, max(0.0, time.monotonic() - self._started - used))
        self.budget.delay(by_others)
        return by_others

    @contextlib.contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Within this context a call may take so much CPU time, and twice as long if it waits."""
        before = self.limits
        self.limits = before.at_most(Limits(cpu=seconds, wall=2 * seconds))
        try:
            yield
        finally:
            self.limits = before

    @_undisturbed
    def end(self) -> None:
        """Kill the process."""
        if self.alive:
            self.alive = False
            self._sock.close()
            self._delayed_by_others(*self.zygote.request(b"K", struct.pack(">i", self.pid), ">dd"))
            self.budget.next_process()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.end()


def _lay_out(home: Path) -> list[str]:
    """Make the folder that a student's process imports from; return all it must read for that."""
    package = home / "autograder" / "sandbox"
    package.mkdir(parents=True)
    for folder in (package.parent, package):
        (folder / "__init__.py").touch()
    shutil.copytree(INSIDE, package / "inside")  # with its bytecode
    _bring_fonts(home)
    shared = hook.folders()
    for name, folder in shared.items():
        (home / name).symlink_to(folder)
    return [str(home), *map(str, shared.values())]


def _bring_fonts(home: Path) -> None:
    """Copy the list of this machine's fonts that Matplotlib keeps for us.

    To look through all fonts anew takes up to seconds.
    """
    caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    kept = os.environ.get("MPLCONFIGDIR") or Path(caches, "matplotlib")
    with contextlib.suppress(OSError):  # what may not be read is as if it were not there
        for fonts in Path(kept).glob("fontlist-*.json"):
            shutil.copyfile(fonts, home / fonts.name)


def _environment(home: str, cache: str) -> dict[str, str]:
    """Nothing of the grader's own environment: it may hold passwords and paths."""
    caches = dict.fromkeys(("XDG_CACHE_HOME", "MPLCONFIGDIR", "IPYTHONDIR"), cache)
    return {
        **{"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "LANG": "C.UTF-8"},
        **{"USER": "student"},
        **{"PYTHONPATH": os.pathsep.join([home, *confine.package_folders()])},
        "MPLBACKEND": "agg",
        **COMPUTING,
        **caches,
    }
