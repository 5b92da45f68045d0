"""``python -m autograder grade``: grade what is missing or newer, and tell what came of it."""

import contextlib
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from nbgrader.coursedir import CourseDirectory

from autograder.class_run import batch
from autograder.class_run.batch import Result
from autograder.nbgrader_steps.course import need_assignment, notebooks, read_config
from autograder.nbgrader_steps.execute import WITHOUT_CONFINEMENT
from autograder.nbgrader_steps.late import old_lateness, told_old_lateness
from autograder.nbgrader_steps.names import printable
from autograder.nbgrader_steps.problem import Problem
from autograder.nbgrader_steps.release import written_in_release
from autograder.nbgrader_steps.stamp import fits_stamp
from autograder.nbgrader_steps.trusted import need_python, runs_inside
from autograder.sandbox.inside import confine
from illustrated_attention.language import _, listed, together

if TYPE_CHECKING:  # only Linux has all that it imports
    from autograder.sandbox.grader import Grader

STOPPED = 130  # the exit code after Ctrl-C, as shells have it


def grade(
    assignment: str,
    jobs: int | None = None,
    dask: str | None = None,
    db: str | None = None,
    student: str | None = None,
    retry: bool = False,
    unsafe: bool = False,
    force: bool = False,
    grader: "Grader | None" = None,
) -> int:
    """Grade the hand-ins of an assignment that are not graded yet, or newer than what is graded.

    Parameters
    ----------
    assignment : str
        Its id.
    jobs : int, optional
        Grading processes on this machine; as many as it has processors if not given.
    dask : str, optional
        The address of a Dask scheduler whose workers grade instead.
    db : str, optional
        The gradebook's address, if not that of nbgrader_config.py.
    student : str, optional
        Only this student's hand-in.
    retry : bool
        Try hand-ins again at which grading processes died before.
    unsafe : bool
        Grade even where student code cannot be confined.
    force : bool
        Grade again what is graded.
    grader : Grader, optional
        One that was started before, for a single hand-in.

    Returns
    -------
    int
        The exit code: 0 when everything is graded, 1 when something could not be.

    Raises
    ------
    Problem
        If grading cannot begin.
    """
    jobs = 1 if grader else jobs or os.cpu_count() or 1
    config = read_config(db)
    _need_confinement(unsafe or config.ConfinedExecute.get("unsafe", False), dask)
    if unsafe:
        config.ConfinedExecute.unsafe = True
    need_assignment(config, assignment)
    course = CourseDirectory(config=config)
    _need_usable_release(course, assignment)
    handed_in = batch.handed_in(course, assignment)
    if student is not None and student not in handed_in:
        text = _("There is no hand-in of {student} for {assignment}.")
        raise Problem(text.format(student=student, assignment=assignment))
    wanted = [s for s in handed_in if student in (None, s)]
    with contextlib.ExitStack() as stack:
        make_executor = (
            stack.enter_context(_cluster(dask)) if dask else batch.processes(jobs, grader)
        )
        try:
            stack.enter_context(batch.only_one(course, assignment))
        except RuntimeError as busy:
            raise Problem(str(busy)) from None
        stack.enter_context(_ctrl_c_again_ends_at_once())
        pending = wanted
        if not force:
            pending = [s for s in batch.pending(course, assignment) if s in wanted]
        died = [] if retry or student else batch.died_before(course, assignment, pending)
        pending = [s for s in pending if s not in died]
        progress = Progress(len(pending), sys.stdout)
        try:
            batch.grade_class(
                config, assignment, pending, make_executor, progress.tell, in_work=jobs + 2
            )
        except KeyboardInterrupt:
            progress.close()
            left = len([s for s in batch.pending(course, assignment) if s in wanted])
            text = _("Stopped. {left} of {all} still to do: run the same command again.")
            print(text.format(left=left, all=len(wanted)))
            return STOPPED
    progress.close()
    print(progress.summary(assignment, already=len(wanted) - len(pending) - len(died)))
    if not handed_in:
        print(_("Nothing is collected yet: nbgrader collect {name}").format(name=assignment))
    if died:
        text = _("Not tried again, because grading processes died each time: {names}.")
        print(text.format(names=listed(map(printable, died))))
        print(_("To try them again: --retry."))
    _tell_what_else(course, assignment)
    for sentence in told_old_lateness(old_lateness(config, assignment)):
        print(sentence)
    if inside := runs_inside(config, assignment):
        text = _(
            "The marks of these tests can be forged, because they ran beside the student's code: "
            "{cells}"
        )
        print(text.format(cells=listed(inside)))
    return 1 if progress.failed or died else 0


@contextlib.contextmanager
def _ctrl_c_again_ends_at_once() -> Iterator[None]:
    """The first one waits for what is in work; who presses it again wants to wait no longer.

    Python's own handler would interrupt that wait and hang for ever at the end (seen with 3.11: a
    thread that is waited for counts as ended then). To be killed does no harm here.
    """

    def stop(*_):
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        raise KeyboardInterrupt

    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield  # switched off, as in the background of a shell
        return
    signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _tell_what_else(course: CourseDirectory, assignment: str) -> None:
    if old := batch.graded_with_other_tests(course, assignment):
        text = _(
            "{count} results were reached with other tests or points than there are now: grade "
            "them again with --force. {students}"
        )
        print(text.format(count=len(old), students=listed(old)))
    if odd := batch.left_out(course, assignment):
        text = _("Left out, because the folder's name is no student's: {names}")
        print(text.format(names=listed(odd)))


class Progress:
    """Shows how far it is: a bar on a terminal, else a line for each hand-in.

    Problems have a line of their own in both.
    """

    def __init__(self, total: int, out: TextIO):
        self.total, self.out = total, out
        self.done = self.failed = self.died = self.refused = 0
        self.start = time.monotonic()
        self.bar = out.isatty()
        self._draw()

    def tell(self, result: Result) -> None:
        """Take in one result."""
        self.done += 1
        self.failed += not result.graded
        self.died += result.died
        self.refused += result.graded and bool(result.why)
        if result.notes or result.why or not self.bar:
            text = _("{done}/{all} {student}: {what}")
            who = printable(result.student)
            what = self._what_came_of(result)
            self._line(text.format(done=self.done, all=self.total, student=who, what=what))
        self._draw()

    def _what_came_of(self, result: Result) -> str:
        if not result.graded:
            return _("NOT GRADED: {reason}").format(reason=printable(result.why))
        if result.why:
            return _("refused, no points: {reason}").format(reason=printable(result.why))
        graded = _("graded in {seconds:.1f} s.").format(seconds=result.seconds)
        return together(graded, printable(result.notes)) if result.notes else graded

    def close(self) -> None:
        """Leave the bar's line."""
        if self.bar:
            self._write("\r\x1b[K")

    def summary(self, assignment: str, already: int) -> str:
        """Return what there is to say in the end."""
        graded = self.done - self.failed
        seconds = time.monotonic() - self.start
        text = _("{assignment}: {count} graded in {seconds:.1f} s.")
        said = [text.format(assignment=assignment, count=graded, seconds=seconds)]
        for count, text in (
            (self.refused, _("{count} of them refused, with the reason as feedback.")),
            (already, _("{count} graded before.")),
            (self.failed - self.died, _("{count} NOT graded; they are tried again next time.")),
            (self.died, _("{count} NOT graded; they are tried again with --retry only.")),
        ):
            if count:
                said.append(text.format(count=count))
        return together(*said)

    def _line(self, text: str) -> None:
        self._write(("\r\x1b[K" if self.bar else "") + text + "\n")

    def _draw(self) -> None:
        if not self.bar or not self.total:
            return
        width = max(10, min(40, shutil.get_terminal_size().columns - 40))
        full = width * self.done // self.total
        left = ""
        if self.done:
            seconds = (time.monotonic() - self.start) * (self.total - self.done) / self.done
            clock = f"{int(seconds) // 60}:{int(seconds) % 60:02}"
            left = _(", {time} left").format(time=clock)
        bar = "#" * full + "." * (width - full)
        self._write(f"\r\x1b[K[{bar}] {self.done}/{self.total}{left}")

    def _write(self, text: str) -> None:
        self.out.write(text)
        self.out.flush()


def _need_confinement(unsafe: bool, dask: str | None) -> None:
    if unsafe or sys.platform != "linux":
        print(_(WITHOUT_CONFINEMENT), file=sys.stderr)
    elif not dask and not confine.layers().safe:
        raise Problem(
            _(
                "Student code cannot be confined on this machine, so nothing is graded. "
                "`python -m autograder doctor` tells what is missing."
            )
        )


def _need_usable_release(course: CourseDirectory, assignment: str) -> None:
    folder = Path(course.format_path(course.release_directory, ".", assignment))
    for name in notebooks(course, assignment):
        path = folder / f"{name}.ipynb"
        if not path.is_file():
            continue
        released = json.loads(path.read_bytes())
        need_python(released, path.name)
        if fits_stamp(released) is False:
            raise Problem(written_in_release(path, assignment))


@contextlib.contextmanager
def _cluster(address: str) -> Iterator[Callable[[], Executor]]:
    try:
        from distributed import Client
    except ModuleNotFoundError:
        text = _("The package {name} is missing. Install the extra: pip install -e '.[cluster]'")
        raise Problem(text.format(name="distributed")) from None
    try:
        client = Client(address, timeout=10)
    except (OSError, ValueError) as error:
        text = _("No Dask scheduler answers at {address}: {error}")
        raise Problem(text.format(address=address, error=error)) from None
    with client:
        yield lambda: client.get_executor(pure=False)
