"""Grade a class: one hand-in after the other with nbgrader's own steps, safe against crashes.

What is graded lies in autograded/STUDENT/ASSIGNMENT, put there in one move when everything is
done. Whoever has no such folder, or has handed in again since, is still to be graded; that is all
the state there is, so a rerun after any accident does exactly what is missing. Only of a hand-in at
which grading processes died is kept that it is not to be tried again unasked.

Whatever takes long or has to be stopped is put off until all others are done: see
`time_limits.QUICK`.
"""

import contextlib
import copy
import hashlib
import json
import logging
import multiprocessing
import os
import pickle
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from multiprocessing.queues import SimpleQueue
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout
from nbgrader.api import Gradebook
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import rmtree
from traitlets.config import Config

from autograder.nbgrader_steps import execute, hand_in, names, refused_files
from autograder.nbgrader_steps.converter import InOneGo
from autograder.nbgrader_steps.hand_in import timestamp
from autograder.nbgrader_steps.notebook_file import text_of
from autograder.nbgrader_steps.settings import configure_grading
from autograder.sandbox.inside import confine
from autograder.sandbox.student_process import PutOff
from illustrated_attention.language import _, together

if TYPE_CHECKING:  # only Linux has all that it imports
    from autograder.sandbox.grader import Grader

# Where grading processes die again and again, whoever was in work is tried alone.
TRIES_ALONE = 2
_PUT_OFF = f"{PutOff.__module__}.{PutOff.__name__}: "  # before the seconds that were spent
DIGEST = "hand_in.sha256"  # the file that tells of a graded folder which hand-in it is of


@dataclass(frozen=True)
class Result:
    """What came of grading one hand-in."""

    student: str
    graded: bool
    why: str = ""  # if it was not graded, or was refused: the reason in words
    seconds: float = 0.0
    notes: str = ""  # if it was graded: what was left out or renamed, in words
    # If it is to be tried after the others: what it has spent of its notebook's time, in seconds.
    put_off: float | None = None
    died: bool = False  # the grading process did, each time it came to this hand-in


def pending(course: CourseDirectory, assignment: str) -> list[str]:
    """The students whose hand-in is not graded, or is another than what is graded."""
    return [s for s in handed_in(course, assignment) if _is_newer(course, assignment, s)]


def handed_in(course: CourseDirectory, assignment: str) -> list[str]:
    """The students who handed in this assignment, in order."""
    return [s for s in _folders(course, assignment) if names.student_id(s) == s]


def graded(course: CourseDirectory, assignment: str) -> set[str]:
    """The students of whom something is graded, whether there is a newer hand-in or not."""
    folder = Path(course.format_path(course.autograded_directory, ".", "."))
    return {path.parent.name for path in folder.glob(f"*/{assignment}")}


def left_out(course: CourseDirectory, assignment: str) -> list[str]:
    """Folders among the hand-ins whose names are no student's, as a terminal may show them."""
    found = _folders(course, assignment)
    return [names.printable(s) for s in found if names.student_id(s) != s]


def _folders(course: CourseDirectory, assignment: str) -> list[str]:
    folder = Path(course.format_path(course.submitted_directory, ".", "."))
    students = os.listdir(folder) if folder.is_dir() else ()
    return sorted(s for s in students if _submitted(course, assignment, s).is_dir())


def graded_with_other_tests(course: CourseDirectory, assignment: str) -> list[str]:
    """The students whose result was reached with other tests or points than there are now."""
    tests = _tests(course, assignment)
    found = []
    for student in handed_in(course, assignment):
        folder = Path(course.format_path(course.autograded_directory, student, assignment))
        for name, now in tests.items():
            path = folder / f"{name}.ipynb"
            if path.is_file() and _tests_in(json.loads(path.read_bytes())) != now:
                found.append(student)
                break
    return found


def _tests(course: CourseDirectory, assignment: str) -> dict[str, dict]:
    """For each notebook, what the gradebook says of its test cells: text and points by grade_id."""
    with Gradebook(course.db_url, course.course_id) as gradebook:
        return {
            notebook.name: {
                cell.name: (sources[cell.name], cell.max_score)
                for sources in [{c.name: c.source for c in notebook.source_cells}]
                for cell in notebook.grade_cells
                if cell.name in sources
                and cell.name not in {solution.name for solution in notebook.solution_cells}
            }
            for notebook in gradebook.find_assignment(assignment).notebooks
        }


def _tests_in(notebook: dict) -> dict:
    """The same of a graded notebook, which holds the tests that it was graded with."""
    found = {}
    for cell in notebook["cells"]:
        meta = cell["metadata"].get("nbgrader", {})
        if meta.get("grade") and not meta.get("solution"):
            found[meta["grade_id"]] = (text_of(cell), float(meta["points"]))
    return found


def grade_student(config: Config, assignment: str, student: str) -> Result:
    """Grade one hand-in with nbgrader's converter and put the result in its place.

    Parameters
    ----------
    config : Config
        nbgrader's configuration, as nbgrader_config.py makes it.
    assignment, student : str
        Their ids.
    """
    start = time.perf_counter()
    course, converter = _prepared(config)
    scratch = _scratch(course)
    work = Path(tempfile.mkdtemp(prefix=_prefix(assignment), dir=scratch))
    try:
        source = _submitted(course, assignment, student)
        digest = refused_files.digest(source)  # before it is read: what comes later is newer
        released = hand_in.released_notebooks(course, assignment)
        taken = hand_in.take_in(source, work / "in" / student / assignment, released)
        failure = _autograde(converter, assignment, student, work)
        if failure:
            seconds, put_off = time.perf_counter() - start, None
            if failure.startswith(_PUT_OFF):
                put_off = float(failure.removeprefix(_PUT_OFF))
            return Result(student, False, failure, seconds, put_off=put_off)
        target = Path(course.format_path(course.autograded_directory, student, assignment))
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            target.rename(work / "old")
        graded = work / "out" / student / assignment
        (graded / DIGEST).write_text(digest)
        graded.rename(target)
        seconds = time.perf_counter() - start
        return Result(student, True, taken.refused, seconds, together(*taken.notes))
    finally:
        _remove(work)


def grade_class(
    config: Config,
    assignment: str,
    students: list[str],
    make_executor: Callable[[], Executor],
    tell: Callable[[Result], None] = lambda result: None,
    in_work: int = 4,
) -> list[Result]:
    """Grade these students' hand-ins on any executor of concurrent.futures.

    Parameters
    ----------
    make_executor : callable
        Makes an executor: processes on this machine, or a cluster. It is called again when the
        executor broke because a grading process died.
    tell : callable
        Called with each result as it comes.
    in_work : int
        How many hand-ins the executor may have begun at a time.
    """
    results: dict[str, Result] = {}

    def grade(group: list[str]) -> list[str]:
        for result in _grade_group(config, assignment, group, make_executor):
            results[result.student] = result
            tell(result)
        _clear_scratch(CourseDirectory(config=config), assignment)
        return [student for student in group if student not in results]

    waiting = grade(students)
    if waiting:  # by chance, or through the fault of one of them: again shows it
        waiting = grade(waiting)
    while waiting:
        # Executors begin in order, so whoever was in work is among the first. Alone, it shows
        # who is at fault.
        suspects, waiting = waiting[:in_work], waiting[in_work:]
        for student in suspects:
            if not any(not grade([student]) for _ in range(TRIES_ALONE)):
                why = _("the grading process died each time it came to this hand-in")
                results[student] = Result(student, False, why, died=True)
                _remember_death(CourseDirectory(config=config), assignment, student)
                tell(results[student])
        waiting = grade(waiting) if waiting else []
    return [results[student] for student in students]


def died_before(course: CourseDirectory, assignment: str, students: list[str]) -> list[str]:
    """Those of the students at whose present hand-in grading processes died, however often."""
    died = _deaths(course, assignment)
    return [
        s
        for s in students
        if s in died and died[s] == refused_files.digest(_submitted(course, assignment, s))
    ]


def _deaths(course: CourseDirectory, assignment: str) -> dict[str, str]:
    """At which hand-ins processes died: their digests by student."""
    path = _scratch(course) / f"{assignment}.died.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _remember_death(course: CourseDirectory, assignment: str, student: str) -> None:
    died = _deaths(course, assignment)
    died[student] = refused_files.digest(_submitted(course, assignment, student))
    new = _scratch(course) / f"{assignment}.died.json.new"
    new.write_text(json.dumps(died), encoding="utf-8")
    new.replace(new.with_suffix(""))


def _grade_group(config, assignment, students, make_executor) -> Iterator[Result]:
    """Grade students' hand-ins; those that are put off after all the others."""
    quick = _with(config, quick=len(students) > 1)
    with make_executor() as executor:
        put_off = {}
        for result in _grade_all(executor, assignment, dict.fromkeys(students, quick)):
            if result.put_off is None:
                yield result
            else:
                put_off[result.student] = result
        full = {student: _with(config, spent=first.put_off) for student, first in put_off.items()}
        for result in _grade_all(executor, assignment, full):
            yield replace(result, seconds=put_off[result.student].seconds + result.seconds)


def _with(config: Config, **settings) -> Config:
    """A copy in which notebooks are run with these settings."""
    config = copy.deepcopy(config)
    config.ConfinedExecute.update(settings)
    return config


def _grade_all(executor, assignment, configs: dict[str, Config]) -> Iterator[Result]:
    """Grade these students' hand-ins, each with its configuration."""
    futures = {}
    with contextlib.suppress(BrokenExecutor):  # a process died meanwhile
        for student, config in configs.items():
            futures[executor.submit(grade_student, config, assignment, student)] = student
    try:
        for future in as_completed(futures):
            student, error = futures.pop(future), future.exception()
            if error is None:
                result = future.result()
            elif _process_died(error):
                continue
            else:
                result = Result(student, False, f"{type(error).__name__}: {error}")
            del future  # what is kept, Dask grades again when the worker that graded it dies
            yield result
    except BaseException:  # Ctrl-C: what is in work is finished, what waits is not begun
        for future in futures:
            future.cancel()
        raise


def _process_died(error: BaseException) -> bool:
    """A pool's process was killed, or a cluster's worker: every executor has its own word."""
    return type(error).__name__ in ("BrokenProcessPool", "KilledWorker", "CancelledError")


@contextlib.contextmanager
def only_one(course: CourseDirectory, assignment: str) -> Iterator[None]:
    """Keep two runs from grading the same assignment at once. Ends with the process, however."""
    try:
        held = FileLock(_scratch(course) / f"{assignment}.lock").acquire(blocking=False)
    except Timeout:
        text = _("{assignment} is being graded by another process already")
        raise RuntimeError(text.format(assignment=assignment)) from None
    with held:
        _clear_scratch(course, assignment)
        yield


def processes(jobs: int, grader: "Grader | None" = None) -> Callable[[], Executor]:
    """Return what makes executors of that many processes on this machine.

    `grader` was started before, for the single process of the first of them.

    Where they can, they are forked: all that grading imports is there at once. Where there is one
    for each processor, each stays on its own, with its judge and its students: they work in turns,
    and to go on elsewhere after each word takes longer.
    """
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")

    def make() -> Executor:
        processors = context.SimpleQueue()
        if sys.platform == "linux" and jobs == len(os.sched_getaffinity(0)):
            for processor in os.sched_getaffinity(0):
                processors.put(processor)
        ready = None if grader is None or grader.closed else grader
        own = (processors, ready)
        executor = ProcessPoolExecutor(jobs, context, initializer=_worker_starts, initargs=own)
        if ready:
            with contextlib.suppress(BrokenExecutor):  # told by what is graded next
                executor.submit(os.getpid).result()
            ready.leave()
        return executor

    return make


def _worker_starts(processors: SimpleQueue, grader: "Grader | None") -> None:
    """Let Ctrl-C end the coordinator only: a worker finishes the hand-in it has.

    A coordinator that was killed takes its workers along; they would wait for it for ever.
    """
    confine.die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if not processors.empty():
        os.sched_setaffinity(0, {processors.get()})
    if grader:
        execute.use(grader)


def _patient(config: Config) -> Config:
    """Let writers of an SQLite gradebook wait for each other, a minute if need be."""
    config = copy.deepcopy(config)
    url = CourseDirectory(config=config).db_url
    if url.startswith("sqlite:") and "?" not in url:
        config.CourseDirectory.db_url = url + "?timeout=60"
    return config


def _scratch(course: CourseDirectory) -> Path:
    """Beside what is graded, so that the last step is one move within a file system."""
    graded = Path(course.format_path(course.autograded_directory, ".", "."))
    folder = graded.parent / ".grading"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _clear_scratch(course: CourseDirectory, assignment: str) -> None:
    """Remove what grading processes of this machine left that were killed."""
    for folder in _scratch(course).glob(_prefix(assignment) + "*"):
        _remove(folder)


def _remove(folder: Path) -> None:
    with contextlib.suppress(OSError):
        rmtree(folder)  # nbgrader's, which on Windows also removes what is read-only


def _prefix(assignment: str) -> str:
    """How this machine's folders of work for an assignment begin.

    A number, because nbgrader takes the names of folders above a hand-in for regular expressions.
    """
    return hashlib.sha256(f"{socket.gethostname()} {assignment}".encode()).hexdigest()[:16] + "-"


def _submitted(course: CourseDirectory, assignment: str, student: str) -> Path:
    return Path(course.format_path(course.submitted_directory, student, assignment))


def _is_newer(course: CourseDirectory, assignment: str, student: str) -> bool:
    """Is it another hand-in than the one that is graded, whatever its files' dates are?

    Of what was graded without us, only timestamps tell, or else the files' own times.
    """
    submitted = _submitted(course, assignment, student)
    graded = Path(course.format_path(course.autograded_directory, student, assignment))
    if not graded.is_dir():
        return True
    if (graded / DIGEST).is_file():
        return (graded / DIGEST).read_text() != refused_files.digest(submitted)
    new, old = timestamp(submitted), timestamp(graded)
    if new and old:
        return new > old
    return _newest(submitted) > graded.stat().st_mtime


def _newest(folder: Path) -> float:
    with os.scandir(folder) as entries:
        return max((entry.stat(follow_symlinks=False).st_mtime for entry in entries), default=0.0)


_kept = threading.local()


def _prepared(config: Config) -> tuple[CourseDirectory, InOneGo]:
    """Return the course and a converter for hand-ins in it, which are made once for all of them."""
    key = pickle.dumps(config)
    if getattr(_kept, "key", None) != key:
        config = _patient(config)
        configure_grading(config)
        config.CourseDirectory.notebook_id = "*"
        converter = InOneGo(coursedir=CourseDirectory(config=config), config=config)
        converter.prepare()
        _kept.made, _kept.key = (CourseDirectory(config=config), converter), key
    return _kept.made


def _autograde(converter: InOneGo, assignment: str, student: str, work: Path) -> str:
    """Run nbgrader's converter inside `work`. Return what went wrong, if anything did."""
    course = converter.coursedir
    course.assignment_id, course.student_id = assignment, student
    course.submitted_directory, course.autograded_directory = str(work / "in"), str(work / "out")
    problems = _Problems()
    converter.log.addHandler(problems)
    try:
        converter.convert()
    except (NbGraderException, SystemExit) as error:
        return problems.last or str(error)
    finally:
        converter.log.removeHandler(problems)
    return ""


class _Problems(logging.Handler):
    """Remembers the last error in a line: nbgrader logs the reason and raises another."""

    def __init__(self):
        super().__init__(logging.ERROR)
        self.last = ""

    def emit(self, record):
        if record.getMessage().startswith("Traceback"):
            # After the calls, which are indented; more lines may follow, as from a database.
            lines = record.getMessage().strip().splitlines()
            calls = [number for number, line in enumerate(lines) if line.startswith("  File ")]
            rest = lines[calls[-1] + 1 :] if calls else lines
            self.last = next((line for line in rest if line[:1].strip()), lines[-1])
