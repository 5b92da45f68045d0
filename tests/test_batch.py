"""A class is graded hand-in by hand-in; whatever dies on the way, a rerun does exactly the rest."""

import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
import weakref
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest
from nbgrader.api import Gradebook
from small_course import ASSIGNMENT, FULL, NOTEBOOK, SOFTMAX

from autograder.__main__ import main
from autograder.class_run import batch
from autograder.nbgrader_steps.converter import InOneGo
from autograder.sandbox.grader import Grader
from autograder.sandbox.student_process import PutOff
from autograder.sandbox.time_limits import NOTEBOOK_SECONDS, QUICK

pytestmark = pytest.mark.usefixtures("confined")


class Here(Executor):
    """Grades in this process. `dies` are the students at whom it dies, `once` or always."""

    def __init__(self, dies=(), once=False):
        self.dies, self.once, self.broken, self.given = set(dies), once, False, []

    def __call__(self):
        self.broken = False
        return self

    def submit(self, function, config, assignment, student):
        self.given.append(student)
        future = Future()
        if student in self.dies:
            self.broken = True
            if self.once:
                self.dies.remove(student)
        if self.broken:
            future.set_exception(BrokenProcessPool("a process was killed"))
        else:
            future.set_result(function(config, assignment, student))
        return future


def grade(course, students=None, executor=None):
    students = students or batch.pending(course.course, ASSIGNMENT)
    results = batch.grade_class(course.config, ASSIGNMENT, students, executor or Here())
    return {result.student: result for result in results}


def test_every_hand_in_is_graded_or_has_a_reason(course, tmp_path):
    course.hand_in("ada")
    course.hand_in("link").joinpath("secret").symlink_to("/etc/passwd")
    (course.hand_in("damaged") / f"{NOTEBOOK}.ipynb").write_text("{")
    os.mkfifo(course.hand_in("pipe") / "pipe")
    folder = course.hand_in("renamed")
    (folder / f"{NOTEBOOK}.ipynb").rename(folder / f"{NOTEBOOK} (1).ipynb")
    folder = course.hand_in("nothing")
    (folder / f"{NOTEBOOK}.ipynb").unlink()
    (course.hand_in("when") / "timestamp.txt").write_text("9" * 50)
    (course.hand_in("where") / "timestamp.txt").unlink()
    (course.submitted("where") / "timestamp.txt").mkdir()
    folder = course.hand_in("mac")
    (folder / f"{NOTEBOOK}.ipynb").rename(folder / f"{NOTEBOOK} (1).ipynb")
    (folder / f"._{NOTEBOOK}.ipynb").write_bytes(b"\0" * 100)
    folder = course.hand_in("protected")
    (folder / f"{NOTEBOOK}.ipynb").chmod(0o444)
    folder.chmod(0o555)
    results = grade(course)
    assert all(result.graded for result in results.values())
    reasons = {s: r.why for s, r in results.items() if r.why}
    assert set(reasons) == {"link", "damaged", "pipe", "nothing"}
    assert "link" in reasons["link"]
    assert "damaged" in reasons["damaged"]
    assert f"{NOTEBOOK}.ipynb is missing" in reasons["nothing"]
    for student in ("ada", "renamed", "when", "where", "mac", "protected"):
        assert course.scores(student) == FULL, student
    for student, why in reasons.items():
        assert course.total(student) == 0
        assert why in course.graded(student).cells[0].source
    assert not (course.root / "autograded" / "link" / ASSIGNMENT / "secret").exists()
    assert batch.pending(course.course, ASSIGNMENT) == []
    assert list((course.root / ".grading").glob("*-*")) == []


def test_only_what_is_missing_or_another_is_pending(course):
    for student in ("ada", "bob", "cleo", "dan"):
        course.hand_in(student)
    (course.submitted("cleo") / "timestamp.txt").unlink()
    (course.submitted("dan") / "timestamp.txt").unlink()
    assert batch.pending(course.course, ASSIGNMENT) == ["ada", "bob", "cleo", "dan"]
    grade(course, ["ada", "bob", "cleo", "dan"])
    assert batch.pending(course.course, ASSIGNMENT) == []
    later = time.time() + 5
    for student in ("ada", "cleo"):  # touched, and the same work
        os.utime(course.submitted(student) / f"{NOTEBOOK}.ipynb", (later, later))
    (course.submitted("bob") / "timestamp.txt").write_text("2099-01-01 00:00:00 UTC")
    replaced = course.hand_in("dan", double="double = abs") / f"{NOTEBOOK}.ipynb"
    (course.submitted("dan") / "timestamp.txt").unlink()
    os.utime(replaced, (0, 0))  # other work, from a camera or a zip with an older date
    assert batch.pending(course.course, ASSIGNMENT) == ["bob", "dan"]


def test_of_what_was_graded_without_us_the_dates_tell(course):
    course.hand_in("ada")
    grade(course)
    (course.root / "autograded" / "ada" / ASSIGNMENT / batch.DIGEST).unlink()
    assert batch.pending(course.course, ASSIGNMENT) == []
    (course.submitted("ada") / "timestamp.txt").write_text("2099-01-01 00:00:00 UTC")
    assert batch.pending(course.course, ASSIGNMENT) == ["ada"]


def test_a_hand_in_again_is_graded_again_and_comments_stay(course):
    course.hand_in("ada", softmax="def softmax(s): return s")
    grade(course)
    assert course.total("ada") == 5
    with Gradebook(course.config.CourseDirectory.db_url) as gradebook:
        comment = gradebook.find_comment("essay", NOTEBOOK, ASSIGNMENT, "ada")
        comment.manual_comment = "See me."
        gradebook.db.commit()
    course.hand_in("ada")
    (course.submitted("ada") / "timestamp.txt").write_text("2099-01-01 00:00:00 UTC")
    grade(course)
    assert course.scores("ada") == FULL
    with Gradebook(course.config.CourseDirectory.db_url) as gradebook:
        comment = gradebook.find_comment("essay", NOTEBOOK, ASSIGNMENT, "ada")
        assert comment.manual_comment == "See me."


def test_what_is_removed_while_it_is_graded_costs_no_marks(course, monkeypatch):
    """What a cluster grades once more, because a worker died, may lose its copy in the end."""
    course.hand_in("ada")
    grade(course)
    begin = InOneGo.init_assignment

    def begin_too_late(self, assignment, student):
        shutil.rmtree(Path(self.coursedir.submitted_directory, student, assignment))
        begin(self, assignment, student)

    monkeypatch.setattr(InOneGo, "init_assignment", begin_too_late)
    result = grade(course, ["ada"])["ada"]
    assert not result.graded and "was removed meanwhile" in result.why
    assert course.scores("ada") == FULL


def test_a_result_that_has_arrived_is_kept_by_nobody(course):
    """Dask grades again what a dead worker had graded, as long as somebody keeps it."""
    kept = []

    class Watched(Here):
        def submit(self, *given):
            future = super().submit(*given)
            kept.append(weakref.ref(future))
            return future

    for student in ("ada", "ben", "eve"):
        course.hand_in(student)
    alive = []
    tell = lambda _result: alive.append(sum(future() is not None for future in kept))  # noqa: E731
    batch.grade_class(course.config, ASSIGNMENT, ["ada", "ben", "eve"], Watched(), tell)
    assert alive == [2, 1, 0]


def test_a_failure_of_the_grader_leaves_no_marks_and_is_told(course, monkeypatch):
    from autograder.nbgrader_steps import execute
    from autograder.sandbox.student_process import GraderFailure

    def fail(*args):
        raise GraderFailure("out of order\n[where]\n(More of this elsewhere)")  # a database

    course.hand_in("ada")
    monkeypatch.setattr(execute, "_warm_grader", fail)
    result = grade(course)["ada"]
    assert not result.graded
    assert result.why.endswith("out of order")
    assert batch.pending(course.course, ASSIGNMENT) == ["ada"]
    monkeypatch.undo()
    assert grade(course)["ada"].graded
    assert course.scores("ada") == FULL


def test_a_process_that_dies_is_replaced_and_nobody_is_lost(course):
    for student in ("ada", "bob", "cleo"):
        course.hand_in(student)
    results = grade(course, executor=Here(dies={"bob"}, once=True))
    assert all(result.graded for result in results.values())


def test_a_hand_in_at_which_processes_always_die_does_not_stop_the_class(course):
    for student in ("ada", "bob", "cleo"):
        course.hand_in(student)
    results = grade(course, executor=Here(dies={"bob"}))
    assert {s: r.graded for s, r in results.items()} == {"ada": True, "bob": False, "cleo": True}
    assert "died each time" in results["bob"].why
    assert batch.pending(course.course, ASSIGNMENT) == ["bob"]


def test_what_processes_died_of_is_not_tried_again_unasked(course, capsys, at_work, monkeypatch):
    monkeypatch.setattr(batch, "processes", lambda jobs, grader: Here())
    for student in ("ada", "bob"):
        course.hand_in(student)
    grade(course, executor=Here(dies={"bob"}))
    assert main(["grade", ASSIGNMENT, "--jobs", "1"]) == 1
    said = capsys.readouterr().out
    assert "0 graded" in said and "died each time: bob." in said and "--retry" in said
    assert main(["grade", ASSIGNMENT, "--jobs", "1", "--retry"]) == 0
    assert course.scores("bob") == FULL
    course.hand_in("bob", essay="Once more.")  # another hand-in has not died yet
    assert batch.died_before(course.course, ASSIGNMENT, ["ada", "bob"]) == []


def test_what_has_to_be_stopped_is_graded_after_all_others(course):
    leaves = "import os\ndef double(x):\n    os._exit(0)"
    for student in ("ada", "bob", "cleo", "dora"):
        course.hand_in(student, **({"double": leaves} if student in ("ada", "cleo") else {}))
    begun, told = Here(), []
    students = batch.pending(course.course, ASSIGNMENT)
    batch.grade_class(course.config, ASSIGNMENT, students, begun, tell=told.append)
    assert {result.student for result in told[:2]} == {"bob", "dora"}
    assert begun.given[:4] == ["ada", "bob", "cleo", "dora"]
    assert sorted(begun.given[4:]) == ["ada", "cleo"]
    assert all(result.graded for result in told)
    assert course.scores("bob") == course.scores("dora") == FULL
    of_softmax = {name: full for name, full in FULL.items() if name.startswith("softmax")}
    assert {n: s for n, s in course.scores("ada").items() if s} == of_softmax


def test_a_hand_in_has_its_notebooks_time_once_however_often_it_is_tried(course, monkeypatch):
    tried, grade_notebook = [], Grader.grade

    def put_off(self, cells, names, folder, limits, seconds, *, quick, **known):
        tried.append((quick, seconds))
        if quick:
            raise PutOff(QUICK.wall + 3.25)
        return grade_notebook(self, cells, names, folder, limits, seconds, **known)

    monkeypatch.setattr(Grader, "grade", put_off)
    for student in ("ada", "bob"):
        course.hand_in(student)
    results = grade(course)
    first, then = (True, NOTEBOOK_SECONDS), (False, NOTEBOOK_SECONDS - 3.25)
    assert tried == [first, first, then, then]
    assert course.scores("ada") == course.scores("bob") == FULL
    assert all(result.put_off is None for result in results.values())


# Right, and slow the first time: on a quiet machine it is far from the 3 seconds of a call.
SLOW_SOFTMAX = f"""\
import time

slow = [True]


{SOFTMAX}

quick_softmax = softmax


def softmax(scores):
    until = time.process_time() + 1.5 * slow.pop() if slow else 0.0
    while time.process_time() < until:
        pass
    return quick_softmax(scores)
"""


@pytest.fixture
def busy_machine():
    """Twice as many busy processes as there are processors."""
    busy = "import os\nparent = os.getppid()\nwhile os.getppid() == parent: sum(range(10**6))"
    command = [sys.executable, "-c", busy]  # they end with us, however we end
    others = [subprocess.Popen(command) for _ in range(2 * (os.cpu_count() or 1))]
    yield
    for other in others:
        other.kill()
        other.wait()


def test_a_busy_machine_costs_nobody_a_mark(course, busy_machine):
    """As many rounds as ROUNDS says."""
    for _ in range(int(os.environ.get("ROUNDS", "1"))):
        course.hand_in("ada")
        course.hand_in("bob", softmax=SLOW_SOFTMAX)
        course.hand_in("mallory", double="import os\ndef double(x):\n    os._exit(0)")
        grade(course, students=["mallory", "ada", "bob"])
        assert course.scores("ada") == course.scores("bob") == FULL
        assert 0 < course.total("mallory") < sum(FULL.values())


def test_two_runs_at_once_are_refused(course):
    with batch.only_one(course.course, ASSIGNMENT):
        again = batch.only_one(course.course, ASSIGNMENT)
        with pytest.raises(RuntimeError, match="being graded"), again:
            pass
        with batch.only_one(course.course, "another"):
            pass
    with batch.only_one(course.course, ASSIGNMENT):
        pass


def test_what_killed_processes_left_is_cleared_and_nothing_else(course, monkeypatch):
    course.hand_in("ada")
    left = []
    monkeypatch.setattr(batch, "rmtree", left.append)
    batch.grade_student(course.config, ASSIGNMENT, "ada")
    monkeypatch.undo()
    assert [folder.exists() for folder in left] == [True]
    with batch.only_one(course.course, "another"):
        assert left[0].exists()
    with monkeypatch.context() as patch, batch.only_one(course.course, "another"):
        patch.setattr(batch.socket, "gethostname", lambda: "elsewhere")
        with batch.only_one(course.course, ASSIGNMENT):
            assert left[0].exists()
    with batch.only_one(course.course, ASSIGNMENT):
        assert not left[0].exists()


RUN = """\
    import sys
    sys.path[:0] = {path!r}
    from small_course import ASSIGNMENT, SmallCourse
    from autograder.class_run import batch

    if __name__ == "__main__":
        from pathlib import Path
        course = SmallCourse(Path({root!r}))
        with batch.only_one(course.course, ASSIGNMENT):
            students = batch.pending(course.course, ASSIGNMENT)
            tell = lambda result: print(result.student, result.graded, flush=True)
            batch.grade_class(course.config, ASSIGNMENT, students, batch.processes(2), tell)
"""


class Run:
    """`grade_class` in a process of its own, with two workers."""

    def __init__(self, course):
        script = course.root / "run.py"
        tests = str(Path(__file__).parent)
        path = [tests, str(Path(tests).parent)]
        text = textwrap.dedent(RUN).format(path=path, root=str(course.root))
        script.write_text(text)
        self.process = subprocess.Popen(
            [sys.executable, str(script)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path)},
        )

    def until_graded(self, count: int) -> list[str]:
        return [self.process.stdout.readline().split()[0] for _ in range(count)]

    def workers(self) -> list[int]:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in children.read_text().split()]

    def rest(self) -> list[str]:
        return [line.split()[0] for line in self.process.communicate(timeout=120)[0].splitlines()]


def graded(course) -> dict[str, float]:
    """When each hand-in was graded."""
    folders = (course.root / "autograded").glob(f"*/{ASSIGNMENT}")
    return {folder.parent.name: folder.stat().st_mtime_ns for folder in folders}


CLASS = [f"student{n}" for n in range(6)]


# A third one, Ctrl-C, is in test_grade_command.py.
@pytest.mark.parametrize("accident", ["worker killed", "coordinator killed"])
def test_no_accident_loses_anything(course, accident):
    for student in CLASS:
        course.hand_in(student)
    run = Run(course)
    first = run.until_graded(2)
    if accident == "worker killed":
        os.kill(run.workers()[0], signal.SIGKILL)
        assert sorted(set(first + run.rest())) == CLASS
    else:
        workers = run.workers()
        os.kill(run.process.pid, signal.SIGKILL)
        run.rest()
        _wait_for_the_end_of(workers)
        before = graded(course)
        assert set(first) <= set(before)
        assert len(before) < len(CLASS)
        missing = batch.pending(course.course, ASSIGNMENT)
        assert set(missing) == set(CLASS) - set(before)
        assert sorted(grade(course)) == missing
        assert {s: t for s, t in graded(course).items() if s in before} == before
    assert sorted(graded(course)) == CLASS
    assert all(course.scores(student) == FULL for student in CLASS)
    assert list((course.root / ".grading").glob("*-*")) == []


def _wait_for_the_end_of(pids: list[int]) -> None:
    """Workers whose coordinator was killed end with it."""
    end = time.monotonic() + 30
    while any(Path(f"/proc/{pid}").exists() for pid in pids) and time.monotonic() < end:
        time.sleep(0.1)


def test_a_judge_that_had_started_is_used_once_though_its_process_dies(course):
    course.hand_in("ada")
    with Grader(wait=False) as grader:
        make = batch.processes(1, grader)
        with make() as executor, pytest.raises(BrokenProcessPool):
            executor.submit(os._exit, 1).result()
        [result] = batch.grade_class(course.config, ASSIGNMENT, ["ada"], make)
    assert result.graded and course.scores("ada") == FULL


@pytest.mark.skipif(
    sys.platform != "linux", reason="elsewhere processes have no place of their own"
)
def test_one_process_for_each_processor_stays_on_its_own():
    processors = os.sched_getaffinity(0)

    def places(jobs: int) -> list[set]:
        with batch.processes(jobs)() as executor:
            waiting = [executor.submit(os.sched_getaffinity, 0) for _ in range(20)]
            return [future.result() for future in waiting]

    assert {len(place) for place in places(len(processors))} == {1}
    assert places(len(processors) + 1) == [processors] * 20
