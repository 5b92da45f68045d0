"""`python -m autograder grade`: what it says and what it returns. See test_batch.py as well."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import nbformat
import pytest
from classroom import surroundings
from nbgrader.converters import GenerateAssignment
from small_course import ASSIGNMENT, FULL, NOTEBOOK, SmallCourse, source_notebook

from autograder.__main__ import main
from autograder.class_run.grade import Progress
from autograder.sandbox.inside import confine

pytestmark = pytest.mark.usefixtures("confined", "at_work")

# An honest hand-in that takes its time, so that there is a middle in which to have an accident.
SLOW = "import time\n\ntime.sleep(0.4)\n\n\ndef double(x):\n    return 2 * x\n"


@pytest.fixture
def temporary(tmp_path):
    """Where a command that a test has begun puts its temporary files."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    return folder


def begin(course, temporary, *options: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "autograder", "grade", ASSIGNMENT, *options],
        cwd=course.root,
        env=surroundings() | {"TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.usefixtures("in_this_process")  # the second time
def test_ctrl_c_says_what_is_left_and_the_same_command_does_exactly_that(course, capsys, temporary):
    students = [f"student{n}" for n in range(8)]
    for student in students:
        course.hand_in(student, double=SLOW)
    run = begin(course, temporary, "--jobs", "2")
    first = run.stdout.readline()
    run.send_signal(signal.SIGINT)
    said = first + run.communicate(timeout=120)[0]
    assert run.returncode == 130
    assert os.listdir(temporary) == []
    before = when_graded(course)
    assert set(re.findall(r"\d+/\d+ (\w+): graded", first)) <= set(before) < set(students)
    left = len(students) - len(before)
    assert f"Stopped. {left} of 8 still to do: run the same command again." in said

    assert main(["grade", ASSIGNMENT, "--jobs", "2"]) == 0
    said = capsys.readouterr().out
    assert set(re.findall(r"\d+/\d+ (\w+): graded", said)) == set(students) - set(before)
    assert f"{len(before)} graded before" in said
    after = when_graded(course)
    assert sorted(after) == students and after.items() >= before.items()
    for student in students:
        assert course.scores(student) == FULL
    assert list((course.root / ".grading").glob("*-*")) == []


@pytest.mark.parametrize("which", [["--jobs", "1"], ["--student", "ada"]])
def test_ctrl_c_a_second_time_ends_at_once(course, temporary, which):
    folders = course.root / ".grading"
    course.hand_in("ada", double=SLOW.replace("0.4", "40"))
    run = begin(course, temporary, *which)
    end = time.monotonic() + 60
    while not list(folders.glob("*-*")) and time.monotonic() < end:
        time.sleep(0.05)
    try:
        for _ in range(2):
            time.sleep(0.5)
            run.send_signal(signal.SIGINT)
        assert run.wait(timeout=15) == -signal.SIGINT
    finally:
        run.kill()
    while os.listdir(temporary) and time.monotonic() < end:
        time.sleep(0.05)
    assert os.listdir(temporary) == [] and course.graded_students() == set()


def when_graded(course) -> dict[str, int]:
    folders = (course.root / "autograded").glob(f"*/{ASSIGNMENT}")
    return {folder.parent.name: folder.stat().st_mtime_ns for folder in folders}


@pytest.mark.usefixtures("in_this_process")
def test_only_what_is_missing_or_newer_is_graded(course, capsys):
    course.hand_in("ada")
    course.hand_in("bob")
    assert main(["grade", ASSIGNMENT, "--student", "ada", "--jobs", "1"]) == 0
    assert course.graded_students() == {"ada"}

    time.sleep(1)  # the timestamp of a hand-in counts seconds
    course.hand_in("ada", double="def double(x):\n    return 3 * x\n")
    capsys.readouterr()
    assert main(["grade", ASSIGNMENT, "--jobs", "1"]) == 0
    said = capsys.readouterr().out
    assert "ada: graded" in said and "bob: graded" in said
    assert course.total("ada") < course.total("bob")

    assert main(["grade", ASSIGNMENT, "--jobs", "1"]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"{ASSIGNMENT}: 0 graded") and "2 graded before" in said


@pytest.mark.usefixtures("in_this_process")
def test_another_hand_in_is_graded_whatever_its_date_and_the_same_is_not(course, capsys):
    folder = course.hand_in("ada", double="def double(x):\n    return 3 * x\n")
    (folder / "timestamp.txt").unlink()
    assert main(["grade", ASSIGNMENT, "--jobs", "1"]) == 0
    low = course.total("ada")
    folder = course.hand_in("ada")
    (folder / "timestamp.txt").unlink()
    os.utime(folder / f"{ASSIGNMENT}.ipynb", (1, 1))  # as copied from an archive
    assert main(["grade", ASSIGNMENT, "--jobs", "1"]) == 0
    assert course.total("ada") > low
    os.utime(folder / f"{ASSIGNMENT}.ipynb")
    capsys.readouterr()

    # Other tests or points are noticed, and said, and change a mark when they are asked to.
    path = course.root / "source" / ASSIGNMENT / f"{NOTEBOOK}.ipynb"
    source = nbformat.read(path, 4)
    [cell] = [cell for cell in source.cells if cell.id == "double_check"]
    cell.metadata.nbgrader.points = 5
    nbformat.write(source, path)
    GenerateAssignment(coursedir=course.course, config=course.config, force=True).start()
    folder.parent.parent.joinpath("<b>").mkdir()
    folder.parent.parent.joinpath("<b>", ASSIGNMENT).mkdir()
    assert main(["grade", ASSIGNMENT, "--jobs", "1"]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"{ASSIGNMENT}: 0 graded") and "1 graded before" in said
    assert "1 results were reached with other tests or points than there are now" in said
    assert "Left out, because the folder's name is no student's: <b>" in said
    assert main(["grade", ASSIGNMENT, "--jobs", "1", "--force"]) == 0
    assert course.scores("ada")["double_check"] == 5
    assert "other tests" not in capsys.readouterr().out


@pytest.mark.usefixtures("in_this_process")
def test_a_notebook_that_is_missing_does_not_cost_the_other_one(tmp_path, monkeypatch, capsys):
    course = SmallCourse(tmp_path)
    course.release({NOTEBOOK: source_notebook(), "more": source_notebook()})
    course.write_settings()
    monkeypatch.chdir(course.root)
    course.hand_in("ada")
    assert main(["grade", ASSIGNMENT, "--jobs", "1"]) == 0
    assert "refused, no points: more.ipynb is missing" in capsys.readouterr().out
    assert course.scores("ada") == FULL
    assert sum(course.scores("ada", "more").values()) == 0
    page = course.root / "autograded" / "ada" / ASSIGNMENT / "more.ipynb"
    assert "more.ipynb is missing" in page.read_text()


def test_where_one_may_not_write_the_command_says_so(course, capsys, monkeypatch):
    course.hand_in("ada")

    def forbidden(self, *args, **kwargs):
        raise PermissionError(13, "Permission denied", str(course.root / ".grading" / "x.lock"))

    monkeypatch.setattr("filelock.FileLock.acquire", forbidden)
    assert main(["grade", ASSIGNMENT]) == 2
    assert f"You may not write into {course.root / '.grading'}" in capsys.readouterr().err
    monkeypatch.setattr("pathlib.Path.write_text", forbidden)
    assert main(["report", ASSIGNMENT]) == 2
    assert f"You may not write into {course.root / '.grading'}" in capsys.readouterr().err


@pytest.mark.usefixtures("in_this_process")
def test_a_broken_hand_in_gets_a_line_with_the_reason_and_the_others_are_graded(course, capsys):
    course.hand_in("ada")
    (course.hand_in("eve") / f"{ASSIGNMENT}.ipynb").write_text("no notebook")
    assert main(["grade", ASSIGNMENT, "--jobs", "1"]) == 0
    said = capsys.readouterr().out
    assert re.search(r"/2 eve: refused, no points: The file is no notebook", said)
    assert "1 of them refused" in said
    assert course.scores("ada") == FULL


ESCAPE = "\x1b]0;yours\x07\x1b[2J\x9b2J"


def test_nothing_of_a_hand_in_reaches_the_terminal_as_an_escape(course, capfd):
    """Whichever process says it: its stderr is the instructor's terminal too."""
    shown = repr(ESCAPE)
    named = f"E = type('E', (BaseException,), {{'__str__': lambda self: {shown}}})\n"
    for student, double in {
        "error": f"{named}def double(x):\n    raise E\n",
        "output": f"import os, sys\nos.write(2, {shown}.encode())\nsys.__stderr__.write({shown})\n",
        "shell": f"get_ipython().run_cell = None\nraise ValueError({shown})\n",
        "forged": f"import os\nos.write(3, {shown}.encode() * 99)\n",
        "warning": f"import warnings\nwarnings.warn({shown})\nraise SystemExit({shown})\n",
    }.items():
        course.hand_in(student, double=double)
    (course.hand_in("files") / f"{ESCAPE}.py").write_text("x = 1")
    (course.hand_in("format") / f"{NOTEBOOK}.ipynb").write_text(
        json.dumps({"nbformat": ESCAPE, "cells": []})
    )
    folder = course.hand_in("renamed")
    (folder / f"{NOTEBOOK}.ipynb").rename(folder / f"{ESCAPE}.ipynb")
    (folder / "refused.txt").write_text(ESCAPE)
    assert main(["grade", ASSIGNMENT, "--jobs", "1"]) == 0
    said = "".join(capfd.readouterr())
    assert "8 graded" in said
    assert not {"\x1b", "\x07", "\x9b"} & set(said)


@pytest.mark.usefixtures("in_this_process")
def test_what_could_not_be_graded_is_said_and_is_in_the_exit_code(course, capsys):
    course.hand_in("ada")
    (course.root / "release" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb").unlink()
    assert main(["grade", ASSIGNMENT, "--jobs", "1"]) == 1
    said = capsys.readouterr().out
    assert "ada: NOT GRADED: " in said and "generate_assignment" in said
    assert "1 NOT graded; they are tried again next time" in said


@pytest.mark.parametrize(
    "options, why",
    [
        (["weak"], "The gradebook does not know weak. Enter it first: nbgrader generate"),
        ([ASSIGNMENT, "--student", "nobody"], "There is no hand-in of nobody"),
        ([ASSIGNMENT, "--db", "gradebook"], "gradebook is no gradebook's address"),
        ([ASSIGNMENT, "--db", "postgresql://me@127.0.0.1:1/x"], "cannot be opened: "),
        ([ASSIGNMENT, "--dask", "tcp://127.0.0.1:1"], "No Dask scheduler answers at tcp://127"),
    ],
)
def test_a_run_that_cannot_begin_says_why(course, capsys, options, why):
    course.hand_in("ada")
    if "--dask" in options:
        pytest.importorskip("distributed")
    assert main(["grade", *options]) == 2
    assert why in capsys.readouterr().err


def test_for_one_hand_in_a_single_judge_starts_and_at_once(course, capsys, tmp_path, monkeypatch):
    from autograder.sandbox.grader import Grader

    course.hand_in("ada")
    started, start = tmp_path / "started", Grader._start

    def note(self):
        with open(started, "a") as file:
            print(os.getpid(), file=file)
        start(self)

    monkeypatch.setattr(Grader, "_start", note)
    assert main(["grade", ASSIGNMENT, "--student", "ada"]) == 0
    assert "ada: graded" in capsys.readouterr().out and course.scores("ada") == FULL
    assert started.read_text() == f"{os.getpid()}\n"  # and none in the process that grades


def test_ctrl_c_before_anything_is_graded_shows_no_traceback(course, temporary):
    run = begin(course, temporary, "--student", "nobody")
    end = time.monotonic() + 60
    while not os.listdir(temporary) and time.monotonic() < end:  # the judge has just started
        time.sleep(0.02)
    run.send_signal(signal.SIGINT)
    assert run.communicate(timeout=60)[1] == "" and run.returncode == 130
    assert os.listdir(temporary) == []


def test_a_judge_that_nobody_needs_leaves_nothing_behind(course, temporary):
    run = begin(course, temporary, "--student", "nobody")
    said = f"There is no hand-in of nobody for {ASSIGNMENT}.\n"
    assert run.communicate(timeout=120) == ("", said) and run.returncode == 2
    assert os.listdir(temporary) == []


def test_outside_a_course_the_command_says_where_it_belongs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path))
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", str(tmp_path))
    assert main(["grade", ASSIGNMENT]) == 2
    assert "There is no nbgrader_config.py here." in capsys.readouterr().err


def test_two_runs_do_not_grade_the_same_assignment_at_once(course, capsys):
    from autograder.class_run import batch

    course.hand_in("ada")
    with batch.only_one(course.course, ASSIGNMENT):
        assert main(["grade", ASSIGNMENT]) == 2
    assert "is being graded by another process" in capsys.readouterr().err


def test_where_nothing_confines_grading_does_not_start_unless_told(course, capsys, monkeypatch):
    course.hand_in("ada")
    monkeypatch.setattr(confine, "layers", lambda: confine.Layers(0, False, False))
    assert main(["grade", ASSIGNMENT]) == 2
    assert "nothing is graded" in capsys.readouterr().err
    assert course.graded_students() == set()


def test_on_a_terminal_there_is_a_bar_and_problems_keep_their_lines():
    from io import StringIO

    from autograder.class_run.batch import Result

    class Terminal(StringIO):
        def isatty(self):
            return True

    out = Terminal()
    progress = Progress(2, out)
    progress.tell(Result("ada", True, seconds=0.2))
    progress.tell(Result("e\x1b[2Jve", False, "it\nbroke"))
    progress.close()
    said = out.getvalue()
    assert "] 1/2" in said and "] 2/2" in said
    assert "2/2 e?[2Jve: NOT GRADED: it?broke\n" in said  # a name cannot steer the terminal
    assert "ada" not in said
