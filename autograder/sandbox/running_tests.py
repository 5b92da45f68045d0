"""One notebook, from its first cell to its last: the student's cells there, the test cells here.

The cells run in the notebook's order. A student's process that dies is replaced: what had run
before runs again in a new one, and only the cell that it died in loses its marks.
"""

import ast
import builtins
import contextlib
import functools
import io
import numbers
import re
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from autograder.sandbox.inside import hook
from autograder.sandbox.inside.hook import translate as _
from autograder.sandbox.inside.shell import Outputs, Shell, Stream
from autograder.sandbox.instructors_code import Setting, asked_by
from autograder.sandbox.namespace import Namespace, Place, run_cell
from autograder.sandbox.namespace import tell as tell_names
from autograder.sandbox.outputs import clean
from autograder.sandbox.raised import FromStudent
from autograder.sandbox.student_process import GraderFailure, StudentDied, StudentProcess
from autograder.sandbox.time_limits import HURRIED, SLOW, SLOW_AGAIN, Limits

BEGIN_HIDDEN = "### BEGIN HIDDEN TESTS"


@dataclass(frozen=True)
class Cell:
    """A code cell: the student's, or a test cell as the instructor wrote it.

    Attributes
    ----------
    inside : bool
        Does this test run in the student's process, because it cannot be judged from outside?
        The student's code can forge its outcome then.
    operations : tuple of str
        What objects of the student's may do in this test: `instructors_code.operations`.
    """

    source: str
    test: bool = False
    points: float = 0.0
    inside: bool = False
    operations: tuple[str, ...] = ()

    @property
    def hidden(self) -> bool:
        """True for a test cell of which the student sees nothing but the verdict's words."""
        return self.test and BEGIN_HIDDEN in self.source


# Not parsed: that can take long itself, and here the source is a stranger's.
_NAME = re.compile(r"[^\W\d]\w*")
_FUNCTION = re.compile(r"^(?:def +|(?=\w+ *= *lambda\b))([^\W\d]\w*)", re.MULTILINE)


def hold(
    cells: list[Cell],
    names: set[str],
    setting: Setting,
    start: Callable[[Limits], StudentProcess],
    limits: Limits,
    shell: Shell,
    hidden: bool,
    skip: frozenset[int],
    slow: frozenset[str],
    tell: Callable[..., None],
) -> None:
    """Run a notebook's cells from first to last, and tell what came of them.

    What a student's function sees in a hidden test it can keep and print later. So a notebook
    runs without hidden tests first: the outputs of its cells and of visible tests are what the
    student gets to read. When all of these are told, the hidden tests run in the same process, if
    each of them finds there what it would have found at its place. For those of which nothing is
    told so, the notebook must run once more, with `hidden`, where only their outcomes count.

    Parameters
    ----------
    names : set of str
        What test cells may ask of the student.
    setting : Setting
        What else is known of the notebook's names.
    start : callable
        Starts a new process for the student's code, with these limits for a cell or a call.
    skip : frozenset of int
        The cells not to run, because they were stopped.
    slow : frozenset of str
        Functions that run long to no good end: cells that name one get little time.
    tell : callable
        Called with ("starting", index) before a cell, ("done", index) when it has come to its
        end, ("stopped", index) after a student cell in which the process ended, ("slow", names)
        when more functions are found to be, and ("outputs", index, outputs) for each cell that
        counts. A visible test in which the process ended is told as stopped, too. ("complete",)
        when all but hidden tests have been told.
    """
    if hidden:  # what comes after the last hidden test cannot change its outcome
        cells = cells[: max(i for i, cell in enumerate(cells) if cell.hidden) + 1]
    way = _Way(Namespace(names, setting), names, start, limits, shell, hidden, slow, tell)
    try:
        for index, cell in enumerate(cells):
            if index not in skip:
                way.go_on(index, cell)
        if not hidden:
            tell("complete")
            for index in way.places:
                if not way.run_hidden_test(index, cells[index]):
                    break
    finally:
        way.end()


class _Way:
    """One way through a notebook: the student's process, and what is known up to the cell in work.

    Attributes
    ----------
    worked : list
        The cells that have come to their end, and what tests did to names: what a new process has
        to go through.
    slow : set of str
        Functions that run long to no good end.
    named : set of str
        The words of the cell in work.
    places : dict
        What hidden tests would have found at their places, by their indices; None where that is
        not known.
    """

    def __init__(self, namespace, names, start, limits, shell, hidden, slow, tell):
        self.namespace, self.names, self.start, self.limits = namespace, names, start, limits
        self.shell, self.hidden, self.tell = shell, hidden, tell
        self.student: StudentProcess | None = None
        self.allowed, self.hurry = limits, SLOW
        self.slow, self.named = set(slow), set[str]()
        self.worked: list[str | dict] = []
        self.places: dict[int, Place | None] = {}

    def alive(self) -> StudentProcess:
        """Return the student's process; a new one that has done the same if the last has ended."""
        student = self.student
        while student is None or not student.alive:
            if student is not None:
                self.allowed = self.limits.at_most(HURRIED)
            # What has worked may take as long again.
            self.student = student = self.start(self.limits)
            student.discreet = self.hidden
            for source in self.worked.copy():
                try:
                    if isinstance(source, dict):
                        tell_names(student, source)
                    else:
                        run_cell(student, source, pictures=False)
                except GraderFailure:
                    raise
                except Exception:  # whatever it is: the process no longer does what it is asked
                    student.end()
                    self.worked.remove(source)
                    break
        hurried = self.slow & self.named
        student.limits = self.allowed.at_most(self.hurry) if hurried else self.allowed
        return student

    def end(self) -> None:
        if self.student is not None:
            self.student.end()

    def _has_ended(self) -> bool:
        return self.student is not None and not self.student.alive

    def go_on(self, index: int, cell: Cell) -> None:
        """Run the next cell, and tell what came of it."""
        self.tell("starting", index)
        self.named, began = set(_NAME.findall(cell.source)), time.monotonic()
        if cell.inside:
            outputs = self._run_inside(index, cell)
        elif cell.test:
            outputs = self._run_test(index, cell)
        else:
            outputs = self._run_students_cell(index, cell)
        self._find_slow(outputs, time.monotonic() - began)
        self.tell("done", index)

    def _run_inside(self, index: int, cell: Cell) -> list[dict]:
        source = cell.source if self.hidden else cell.source.partition(BEGIN_HIDDEN)[0]
        outputs, lived = run_inside(replace(cell, source=source), self.alive)
        if lived:
            self.worked.append(source)
        else:
            self.tell("stopped", index)
        if cell.hidden == self.hidden:
            self.tell("outputs", index, outputs)
        elif cell.hidden:
            self.places[index] = None
        return outputs

    def _run_students_cell(self, index: int, cell: Cell) -> list[dict]:
        if self.slow & self.named:  # what uses a slow function is one itself
            self.slow.update(_FUNCTION.findall(cell.source))
        if self.hidden:  # it came to its end before, and may take as long again
            self.named = set()
        try:
            outputs = clean(run_cell(self.alive(), cell.source, pictures=not self.hidden))
            self.worked.append(cell.source)
            self.namespace.students_cell(cell.source)
        except GraderFailure:
            raise
        except BaseException as error:  # whatever its process answered, it is the cell's
            self.end()
            outputs = [_stopped(error)]
            self.tell("stopped", index)
        if not self.hidden:
            self.tell("outputs", index, outputs)
        return outputs

    def _run_test(self, index: int, cell: Cell) -> list[dict]:
        counts = cell.hidden == self.hidden
        if cell.hidden and not counts:  # the lines above its hidden tests may define names
            self.places[index] = self._find_place(index, cell)
            cell = replace(cell, source=cell.source.partition(BEGIN_HIDDEN)[0])
        elif not counts:  # its outcome is known, what it does to names counts
            cell = replace(cell, source=hook.without_checks(cell.source))
        outputs = run_test(cell, self.namespace, self.alive, self.shell)
        if counts:
            self.tell("outputs", index, outputs)
            if not self.hidden and self._has_ended():
                self.tell("stopped", index)  # to the second run it would be nothing but a wait
        if done := self.namespace.done():
            self.worked.append(done)
        return outputs

    def _find_place(self, index: int, cell: Cell) -> Place | None:
        try:
            return self.namespace.place(self.alive(), index, cell.source)
        except StudentDied:  # the notebook's time is over
            return None

    def _find_slow(self, outputs: list[dict], seconds: float) -> None:
        ended = self._has_ended()
        if ended and self.slow & self.named:
            self.hurry = SLOW_AGAIN
        failed = any(output["output_type"] == "error" for output in outputs)
        if ended or (failed and seconds > HURRIED.cpu):
            self.slow.update(self.names & self.named)
            self.tell("slow", sorted(self.slow))

    def run_hidden_test(self, index: int, cell: Cell) -> bool:
        """Run a hidden test after all others; return whether the next one may run, too.

        Its outcome counts if it found what was at its place. And then it must have left all as it
        was, for the cells up to the next one.
        """
        place, student = self.places[index], self.student
        if place is None or student is None or place.student is not student:
            return False
        if not self.namespace.is_at(place):
            return False
        student.be_discreet()
        began = time.monotonic()
        self.named = set(_NAME.findall(cell.source))
        outputs = run_test(cell, self.namespace, self.alive, self.shell)
        if not self.namespace.was_at(place) or _wants_room(outputs):
            return False
        self.tell("outputs", index, outputs)
        self._find_slow(outputs, time.monotonic() - began)
        return student.alive and index != max(self.places) and self.namespace.is_at(place)


def run_test(
    cell: Cell, namespace: Namespace, student: Callable[[], StudentProcess] | None, shell: Shell
) -> list[dict]:
    """Run a test cell in this process; return its outputs. An error among them means no points.

    As in nbgrader, a number in the last line is the points. What is neither a number of points
    nor a truth nor None is an error here: no verdict, no points. Of a hidden test the outputs
    are only the judge's own words: no value, no traceback, nothing the student's code printed.
    The error of a failed test has a `verdict`: exercise, known mistake and, if hidden, words.
    """
    outputs = Outputs()
    stream = Stream("stdout")
    shell.outputs = stream.outputs = outputs
    value = None
    try:
        with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(io.StringIO()):
            does = frozenset(cell.operations)
            namespace.new_cell(student and student(), does, cell.hidden, "seed" in cell.source)
            if student and asked_by(cell.source) is None:
                namespace.fetch_all()
            body, last = _compile(cell.source)
            exec(body, namespace)
            value = eval(last, namespace) if last else None
        if not _is_mark(value, cell.points):
            raise ValueError(_(_NO_MARK))
    except GraderFailure:
        raise
    except BaseException as error:  # exit() in a student's function must not end the judge
        if cell.hidden:
            words = _words(error)
            return [{**_error(error, words), "verdict": _verdict(error, namespace, words)}]
        verdict = _verdict(error, namespace, "")
        return [*outputs.items, {**_error(error, _told(error)), "verdict": verdict}]
    finally:
        vars(builtins).update(_PYTHONS)  # all here uses them
        shell.outputs = stream.outputs = None
        sys.stdout.flush()
    kept = [] if cell.hidden else outputs.items
    if isinstance(value, numbers.Real) and not isinstance(value, (bool, np.bool_)):
        kept = [*kept, _points(float(value))]
    return kept


_FILE = "<test cell>"
# What a test that fails may leave replaced; `input` is asked by students' code, see `Lending`.
_PYTHONS = {name: thing for name, thing in vars(builtins).items() if name not in ("input", "_")}


@functools.cache  # what is compiled in the warm-up is there for all judges
def _compile(source: str):
    """Compile a cell as its lines but the last expression, and that expression."""
    tree = ast.parse(source, _FILE)
    last = None
    if tree.body and isinstance(statement := tree.body[-1], ast.Expr):
        del tree.body[-1]
        last = compile(ast.Expression(statement.value), _FILE, "eval")
    return compile(tree, _FILE, "exec"), last


def _is_mark(value, points: float) -> bool:
    if value is None:
        return True
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    return isinstance(value, numbers.Real) and 0 <= float(value) <= points


def run_inside(cell: Cell, student: Callable[[], StudentProcess]) -> tuple[list[dict], bool]:
    """Run a test cell in the student's process; return its outputs, and whether that lived on.

    The outcome is to be believed no more than the student's code: that can forge it.
    """
    process = None
    try:
        process = student()
        items = clean(run_cell(process, cell.source, pictures=not cell.hidden))
    except GraderFailure:
        raise
    except BaseException as error:  # whatever its process answered
        if process is not None:
            process.end()
        return [_stopped(error)], False
    failed = next((item for item in items if item["output_type"] == "error"), None)
    results = [item["data"] for item in items if item["output_type"] == "execute_result"]
    shown = results[-1].get("text/plain") if results else None
    number = _SHOWN_NUMBER.fullmatch(shown or "")
    points = float(number[1]) if number else None
    if failed and cell.hidden:
        failed = _failed(_("A hidden test failed."))  # its own words may be the student's
    if not failed and not _is_mark(
        points if number else shown in (None, "None", "True"), cell.points
    ):
        failed = _failed(_(_NO_MARK))
    # What is on stderr would mean no points to nbgrader; errors and points are told below.
    kept = [i for i in items if i["output_type"] == "display_data" or i.get("name") == "stdout"]
    kept = [] if cell.hidden else kept
    if failed:
        return [*kept, failed], True
    return [*kept, *([] if points is None else [_points(points)])], True


# As Python shows it, or NumPy: 0.5, np.float64(0.5), np.int64(1)
_SHOWN_NUMBER = re.compile(r"(?:np\.\w+\()?(-?\d{1,9}(?:\.\d{1,20})?)\)?")
_NO_MARK = hook.later("the last line of this test cell is neither points nor a verdict")


def _wants_room(outputs: list[dict]) -> bool:
    """Did a test end as it may where the rest of the notebook has left it too little memory?"""
    return any(item.get("ename") in ("MemoryError", StudentDied.__name__) for item in outputs)


def _failed(text: str) -> dict:
    return {"output_type": "error", "ename": "TestFailed", "evalue": text, "traceback": [text]}


def _points(points: float) -> dict:
    return {"output_type": "execute_result", "data": {"text/plain": repr(points)}}


def _stopped(error: BaseException) -> dict:
    """The output of a student's cell that did not come to its end."""
    text = _("This cell was stopped: the process in which it ran no longer answered as it should.")
    if isinstance(error, StudentDied):
        text = _("This cell was stopped: {reason}.").format(reason=error)
    return {"output_type": "error", "ename": "Stopped", "evalue": text, "traceback": [text]}


def _words(error: BaseException) -> str:
    """What may be told of a hidden test that failed: an assertion's own message, else the type."""
    if isinstance(error, StudentDied):
        return _("A hidden test was stopped: {reason}.").format(reason=error)
    last = traceback.extract_tb(error.__traceback__)[-1:]
    if isinstance(error, AssertionError) and last and last[0].filename == _FILE and str(error):
        return str(error)
    return _("A hidden test failed with {error}.").format(error=type(error).__name__)


def _verdict(error: BaseException, namespace: Namespace, words: str) -> dict:
    """What is known of a failed test beyond its words: the exercise and the known mistake."""
    given = (value for value in namespace.values() if hook.is_verdict(value))
    about = next((verdict for verdict in given if verdict.message == str(error)), error)
    about = None if isinstance(about, FromStudent) else about  # a stranger says what it has
    ended = namespace.student is not None and not namespace.student.alive
    kind = "stopped" if ended else None
    kind = next((id for type, id in _OF_ERRORS.items() if isinstance(error, type)), kind)
    mistake = getattr(about, "mistake", None) or kind
    return {"exercise": getattr(about, "exercise", None), "mistake": mistake, "message": words}


# Under which id it is counted where a test ends with such an error and nobody says more.
_OF_ERRORS: dict[type[BaseException], str] = {
    StudentDied: "stopped",
    NotImplementedError: "not_written",
    NameError: "not_defined",
}


def _told(error: BaseException) -> str:
    """What is told of a visible test that failed; `check` has shown a card and has its own way."""
    if isinstance(error, StudentDied):
        return _("This test was stopped: {reason}.").format(reason=error)
    if hasattr(error, "_render_traceback_"):
        return "\n".join(error._render_traceback_())
    return "".join(traceback.format_exception_only(error)).strip()


def _error(error: BaseException, text: str) -> dict:
    name = type(error).__name__
    return {
        "output_type": "error",
        "ename": name,
        "evalue": text[:2000],
        "traceback": [text[:20000]],
    }
