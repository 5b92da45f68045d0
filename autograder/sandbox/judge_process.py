"""The judge's process: runs the trusted test cells, apart from the gradebook, within limits.

It is started as ``python -m autograder.sandbox.judge_process FD UNSAFE``, holds the fork server for
students, and forks for each run of a notebook a judge that may take only so much memory and time:
a value that is made to overwhelm a test costs that test and nothing else.
"""

import contextlib
import functools
import gc
import importlib
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from multiprocessing.connection import Connection

import numpy as np

from autograder.sandbox.inside import confine, hook
from autograder.sandbox.inside.hook import translate as _
from autograder.sandbox.inside.shell import make_shell
from autograder.sandbox.instructors_code import Setting, asked_by, sets_attributes
from autograder.sandbox.namespace import Namespace
from autograder.sandbox.quiet_pipe import QuietPipe
from autograder.sandbox.running_tests import Cell, hold, run_test
from autograder.sandbox.student_process import GraderFailure, PutOff, StudentProcess, Unsafe, Zygote
from autograder.sandbox.time_limits import Budget, Limits

MEMORY = 1024 * confine.MiB  # what a judge may add to what it has after the fork
MAX_OUTPUTS = 10 * confine.MiB  # of all a student's cells, as JSON
_OWN_FAULT = 3  # with this status a judge ends that failed by itself
_URGENT = ("stopped", "slow")  # what a judge tells that may end the run
_GRACE = 1.0  # seconds: a judge ends a notebook itself when its time is over


def main(argv: list[str]) -> None:
    control = Connection(int(argv[0]))
    try:
        server = Server(control, unsafe=bool(int(argv[1])))
    except Unsafe as error:
        send(control, {"unsafe": str(error)})
        return
    try:
        send(control, {"ready": str(server.zygote.layers)})
        while (request := receive(control)) is not None:
            try:
                send(control, {"outputs": server.grade(**request)})
            except PutOff as put_off:
                send(control, {"put_off": put_off.args[0]})
            except GraderFailure as failure:
                send(control, {"failure": str(failure)})
    finally:
        server.close()


class Server:
    """The warm process that forks judges."""

    def __init__(self, control: Connection, unsafe: bool):
        self.control = control
        self.unsafe = unsafe
        self.zygote = self._new_zygote(wait=False)  # there is enough to do meanwhile
        self.shell = make_shell(pictures=False)
        self.warm: set[str] = set()
        self.folder: str | None = None  # whose files are copied to
        self._scratch = tempfile.TemporaryDirectory(prefix="judging-")
        self.files = os.path.join(self._scratch.name, "files")
        self._before = os.getcwd()
        os.mkdir(self.files)
        os.chdir(self.files)
        self._copied = _files_in(self.files)
        sys.path.insert(0, self.files)

    def close(self) -> None:
        self.zygote.close()
        with contextlib.suppress(FileNotFoundError):  # doctor's is removed by now
            os.chdir(self._before)
        sys.path.remove(self.files)
        self._scratch.cleanup()

    def grade(
        self,
        cells: list,
        names: list,
        folder: str | None,
        limits: dict,
        seconds: float,
        test: float,
        quick: bool = False,
        setting: dict | None = None,
        language: str = "en",
    ) -> dict[int, list]:
        """Run a notebook; return the outputs of its cells by index. See `grader.Grader.grade`."""
        hook.speak(language)
        cells = [Cell(*cell) for cell in cells]
        known = Setting.of(setting or {})
        self._go_to(known.folder)
        self._warm_up(cells, names, known)
        for again in (False, True):
            try:
                self.zygote.ready()  # before the notebook's time begins, and a judge is forked
                run = _Run(self, cells, set(names), known, Limits(**limits), seconds, test)
                run.again, run.quick = again, quick
                self.zygote.fill(folder)
                return run.hold()
            except (GraderFailure, OSError, ValueError) as failure:
                self.restart_zygote()  # whatever it was, nobody after this one meets it
                last = failure
        raise GraderFailure(str(last)) from last

    def restart_zygote(self) -> None:
        with contextlib.suppress(OSError):  # what is left of it is in the way of nothing
            self.zygote.close()
        self.zygote = self._new_zygote()

    def _new_zygote(self, wait: bool = True) -> Zygote:
        try:
            return Zygote(unsafe=self.unsafe, wait=wait)
        except (GraderFailure, OSError):  # an accident does not happen twice
            return Zygote(unsafe=self.unsafe)

    def _go_to(self, folder: str | None) -> None:
        """Work where copies of an assignment's own files are: tests import and read them.

        Never where a hand-in is: a module in it would be the student's code.
        """
        if folder == self.folder:
            return
        for name, module in list(sys.modules.items()):
            if (getattr(module, "__file__", None) or "").startswith(self.files + os.sep):
                del sys.modules[name]  # another assignment may have one of the same name
        self.folder = folder
        self.warm.clear()
        self._copy_files()

    def _copy_files(self) -> None:
        shutil.rmtree(self.files, ignore_errors=True)
        if self.folder:
            ignored = shutil.ignore_patterns("*.ipynb", "__pycache__", ".*")
            shutil.copytree(self.folder, self.files, ignore=ignored)
        else:
            os.mkdir(self.files)
        os.chdir(self.files)
        importlib.invalidate_caches()
        self._copied = _files_in(self.files)

    def tidy(self) -> None:
        """Take away what tests have written into the folder: each run finds it as it was."""
        if _files_in(self.files) != self._copied:
            self._copy_files()
        os.chdir(self.files)

    def _warm_up(self, cells: list[Cell], names: list[str], setting: Setting) -> None:
        """Run each test once on unwritten functions, before any student's value is there.

        What the tests import and work out for themselves, answers of hidden cases above all, is
        then in the memory that all judges share. What else they do must not be: no test runs here
        that may put something of its own into a module and then meet an unwritten function.
        """
        namespace = Namespace(set(), setting)
        namespace.update((name, _unwritten(name)) for name in names)
        tests = [cell for cell in cells if cell.test and not cell.inside]
        cold = [c for c in tests if c.source not in self.warm and not sets_attributes(c.source)]
        if not cold:
            return
        gc.disable()  # what is loaded now stays
        with np.printoptions(), np.errstate():
            for cell in cold:
                self.warm.add(cell.source)
                asked_by(cell.source)
                run_test(cell, namespace, None, self.shell)
        gc.freeze()
        gc.enable()


def _files_in(folder: str) -> dict[str, int]:
    """What is in a folder: when each file was changed, and that each folder is there."""
    found: dict[str, int] = {}
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name != "__pycache__"]
        paths = [os.path.join(place, name) for name in files]
        found |= {place: 0} | {path: os.lstat(path).st_mtime_ns for path in paths}
    return found


def _unwritten(name: str):
    def function(*args, **kwargs):
        raise NotImplementedError

    function.__name__ = name
    return function


class _Run:
    """One notebook in work."""

    again = False  # is it the second try, after the grader has failed?
    quick = False  # is it put off as soon as anything has to be stopped?

    def __init__(self, server, cells, names, setting, limits, seconds, test_seconds):
        self.server, self.cells, self.names, self.setting = server, cells, names, setting
        self.limits, self.test_seconds = limits, test_seconds
        self.budget = Budget(seconds)
        self.outputs: dict[int, list] = {}
        self.sizes: dict[int, int] = {}
        self.stopped: set[int] = set()  # cells in which a process has ended: not tried again
        self.slow: set[str] = set()  # functions that run long to no good end

    def hold(self) -> dict[int, list]:
        """Let judges run the notebook until every test has its outcome."""
        self._complete(hidden=False)
        if any(cell.hidden and index not in self.outputs for index, cell in enumerate(self.cells)):
            self._complete(hidden=True)
        for index, cell in enumerate(self.cells):
            if cell.test:  # no outcome would be a pass
                self.outputs.setdefault(index, [_stopped()])
        return self.outputs

    def _complete(self, hidden: bool) -> None:
        """Let judges do one kind of run until one comes to its end; see `running_tests.hold`.

        A judge that does not come to its end was overwhelmed by what the student's process
        answered in the cell in work. That cell has its outcome then, and the next judge goes on
        without it: so there is an end, and it is nobody's fault but the cell's. Where it ended
        between two cells, what the first of them left behind did it if it happens again. Tests that
        have their outcome run again and keep it: later ones may use what they define.
        """
        while self.budget.left() > 0:
            last, ended = self._judge(hidden, frozenset(self.stopped))
            if ended == "over":
                return
            self.server.restart_zygote()  # its students are to end, too
            if self.quick:
                raise self._put_off(hidden or ended == "complete")
            if ended == "complete" or self.budget.left() <= 0:  # wherever that was: it had its time
                return
            if last is None or (ended == "done" and not self.again):
                raise GraderFailure("the judge has ended outside of any cell")
            self.stopped.add(last)
            self.outputs.setdefault(last, [_stopped()])
        if self.quick:  # its time was over between two cells
            raise self._put_off(hidden)

    def _judge(self, hidden: bool, skip: frozenset[int]) -> tuple[int | None, str]:
        """Fork a judge and collect what it tells.

        Returns the last cell that it began, and how it ended: "starting", which is in that cell,
        "done", which is after it, "complete", which is in a hidden test after all cells, or "over".
        """
        self.server.zygote.skip_numbers()
        self.server.tidy()
        pipe = QuietPipe()
        pid = os.fork()
        if pid == 0:
            pipe.close_reading()
            self._be_the_judge(pipe, hidden, skip)
        pipe.close_writing()
        last, ended = None, "done"
        try:
            for line in self._lines(pipe, pid):
                kind, *told = json.loads(line)
                if self.quick and kind in _URGENT:  # the process has ended
                    raise self._put_off(hidden or ended == "complete")
                if kind in ("starting", "done", "complete", "over"):
                    last, ended = told[0] if told else last, kind
                elif kind == "stopped":
                    self.stopped.add(told[0])
                elif kind == "slow":
                    self.slow.update(told[0])
                elif kind == "outputs":
                    index, items = told
                    self._keep(index, items, len(line))
        finally:
            pipe.close_reading()
            os.kill(pid, signal.SIGKILL)
            _pid, status = os.waitpid(pid, 0)
            self.budget.next_judge()
        if os.WIFEXITED(status) and os.WEXITSTATUS(status) == _OWN_FAULT:
            raise GraderFailure("the judge could not go on")
        return last, ended

    def _put_off(self, hidden: bool) -> PutOff:
        """For how long a hidden test ran must not show in what time is left for the next try."""
        return PutOff(self.budget.seconds if hidden else self.budget.spent())

    def _keep(self, index: int, items: list, size: int) -> None:
        """Keep a cell's outputs; of a student's own cells only as long as there is room."""
        if self.cells[index].test and index in self.outputs:
            return
        self.sizes[index] = 0 if self.cells[index].test else size
        if sum(self.sizes.values()) > MAX_OUTPUTS:
            self.sizes[index] = 0
            text = _("The output of this cell is left out: the notebook has too much of it.")
            items = [{"output_type": "stream", "name": "stderr", "text": text}]
        self.outputs[index] = items

    def _lines(self, pipe: QuietPipe, judge: int) -> Iterator[bytes]:
        """Yield the judge's lines until it ends, is silent for too long, or time is over."""
        longest = max(self.test_seconds, self.limits.wall * 2)
        buffer, since, before = b"", time.monotonic(), self.budget.delayed
        while True:
            self.budget.delay_judge(_delayed(judge))
            delay = self.budget.delayed
            silent = time.monotonic() - since - (delay - before)
            left = min(longest - silent, self.budget.left() + _GRACE)
            if left <= 0:
                return
            data, more = pipe.read(min(left, 1.0), self.server.control)
            if data is None:
                self.server.close()
                os._exit(1)  # nothing is asked meanwhile: the grader has gone, so do we
            if data:
                since, before = time.monotonic(), delay
                *whole, buffer = (buffer + data).split(b"\n")
                yield from whole
            if not more:
                return

    def _be_the_judge(self, pipe: QuietPipe, hidden: bool, skip: frozenset[int]) -> None:
        """The forked judge: run the notebook, tell every outcome at once, and end."""

        def tell(*what) -> None:
            # Half characters, which cannot be written to a file, become question marks.
            text = json.dumps(what, ensure_ascii=False)
            try:
                pipe.write(text.encode("utf-8", "replace") + b"\n", urgent=what[0] in _URGENT)
            except OSError as error:
                raise GraderFailure(f"the judge cannot be heard: {error}") from None

        try:
            confine.die_with_parent()
            gc.set_threshold(50_000)  # a judge lives for seconds: it has better things to do
            _limit_memory()
            self.server.control.close()
            shell, zygote = self.server.shell, self.server.zygote
            start = functools.partial(StudentProcess, zygote, budget=self.budget)
            slow = frozenset(self.slow)
            known = self.cells, self.names, self.setting
            hold(*known, start, self.limits, shell, hidden, skip, slow, tell)
            tell("over")
        except (GraderFailure, OSError) as failure:  # of a student's doing none comes so far
            sys.stderr.write(ascii(failure) + "\n")
            os._exit(_OWN_FAULT)
        except BaseException:  # a student's words may be in it, and escapes for a terminal in them
            sys.stderr.write(ascii(traceback.format_exc()) + "\n")
        finally:
            os._exit(0)


def _delayed(pid: int) -> float:
    """For how many seconds a process wanted to run and others did, as far as the kernel tells."""
    try:
        with open(f"/proc/{pid}/schedstat") as stat:
            return int(stat.read().split()[1]) / 1e9
    except (OSError, IndexError):
        return 0.0


def _stopped() -> dict:
    text = _("This test did not come to an end within its limits of time and memory.")
    return {"output_type": "error", "ename": "TestStopped", "evalue": text, "traceback": [text]}


def _limit_memory() -> None:
    with open("/proc/self/statm") as statm:
        present = int(statm.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (present + MEMORY, present + MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def send(control: Connection, message: dict) -> None:
    """Send a message, as JSON: a pickle could hold code."""
    control.send_bytes(json.dumps(message).encode())


def receive(control: Connection) -> dict | None:
    """Return the next message, None when the other side has closed."""
    try:
        return json.loads(control.recv_bytes())
    except (EOFError, ConnectionResetError):  # the second: with something of ours unread
        return None


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):  # nobody waits for it any more
        main(sys.argv[1:])
