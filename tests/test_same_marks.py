"""Honest work gets the marks that stock nbgrader gives, whatever implementation it is.

For each lesson there is a notebook that holds the two test cells of its exercises once for each of
their known implementations, wrong and right. Two students hand in the same: one is graded by
stock nbgrader in a kernel, the other by ours. With SAME_MARKS=all every known implementation is in
it, which takes ten minutes; else one in ten, wrong and right, others in each exercise. (What each
of them gets from the test cells is in tests/test_kill_matrix.py, all of them.)
"""

import os
import shutil

import nbformat
import pytest
from classroom import QUIET, ROOT, graded_cells, read_solution
from nbformat.v4 import new_code_cell, new_notebook
from small_course import SmallCourse

from autograder.exercises import all_exercises

EXERCISES = {exercise.name: exercise for exercise in all_exercises()}
EVERY = 10
# The exercises travel with the hand-in: a confined process cannot read the autograder's.
FIND_BANK = """\
import autograder

autograder.__path__.append("autograder")
from autograder.exercises import find_exercise"""


def implementations(exercise) -> dict[str, str]:
    """An expression for each implementation that is tried, by an id of its own."""
    find = f"find_exercise({exercise.name!r})"
    wrong = {
        f"wrong_{m}_{i}": f"{find}.mistakes[{m}].implementations[{i}]"
        for m, mistake in enumerate(exercise.mistakes)
        for i in range(len(mistake.implementations))
    }
    right = {f"right_{r}": f"{find}.right[{r}].implementation" for r in range(len(exercise.right))}
    if os.environ.get("SAME_MARKS") == "all":
        return wrong | right
    first = list(EXERCISES).index(exercise.name) % EVERY
    return dict([*wrong.items()][first::EVERY] + [*right.items()][first % len(right) :: EVERY])


def notebook(lesson: str, written) -> nbformat.NotebookNode:
    """The cells of a lesson's exercises, once for each implementation.

    `written` gives the source of a solution cell, for an exercise and the id of its implementation.
    """
    graded = graded_cells(read_solution(lesson))
    cells = [new_code_cell(FIND_BANK, id="bank")]
    for exercise in EXERCISES.values():
        if exercise.lesson != lesson:
            continue
        tests = [(graded[f"{exercise.name}_{kind}"], kind) for kind in ("check", "hidden")]
        for name in implementations(exercise):
            id = f"{exercise.name}-{name}"
            cells.append(_cell(id, written(exercise, name), solution=True))
            cells += [
                _cell(f"{id}_{kind}", test.source, points=test.metadata.nbgrader.points)
                for test, kind in tests
            ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return new_notebook(cells=cells, metadata={"kernelspec": kernel})


def _cell(name: str, source: str, points: int = 0, solution: bool = False):
    meta = {"grade_id": name, "schema_version": 3, "task": False, "cell_type": "code"}
    meta |= {"grade": not solution, "solution": solution, "locked": not solution}
    meta |= {} if solution else {"points": points}
    return new_code_cell(source, id=name, metadata={"nbgrader": meta})


def stub(exercise, _name) -> str:
    return f"def {exercise.name}(*args):\n    ### BEGIN SOLUTION\n    ...\n    ### END SOLUTION"


def implemented(exercise, name) -> str:
    return f"{exercise.name} = {implementations(exercise)[name]}"


@pytest.fixture(scope="module")
def scores(tmp_path_factory):
    """The score of every test cell by lesson: as stock nbgrader gives it, and as ours does."""
    course = SmallCourse(tmp_path_factory.mktemp("course"))
    lessons = {exercise.lesson for exercise in EXERCISES.values()}
    course.release({lesson: notebook(lesson, stub) for lesson in lessons})
    for student in ("stock", "ours"):
        folder = course.submitted(student)
        bank = ROOT / "autograder" / "exercises"
        shutil.copytree(bank, folder / "autograder" / "exercises")
        for lesson in lessons:
            nbformat.write(notebook(lesson, implemented), folder / f"{lesson}.ipynb")
        course.autograde(student, stock=student == "stock", **QUIET)
    return {
        lesson: [course.scores(student, lesson) for student in ("stock", "ours")]
        for lesson in lessons
    }


def of(exercise: str, scores: dict) -> dict:
    return {cell: points for cell, points in scores.items() if cell.split("-")[0] == exercise}


@pytest.mark.parametrize("name", EXERCISES)
def test_known_implementations_get_the_marks_that_stock_nbgrader_gives(scores, name):
    stock, ours = (of(name, marks) for marks in scores[EXERCISES[name].lesson])
    assert len(stock) == 2 * len(implementations(EXERCISES[name]))
    assert ours == stock


@pytest.mark.parametrize("name", EXERCISES)
def test_the_marks_compared_are_those_of_wrong_and_right_work(scores, name):
    _stock, ours = scores[EXERCISES[name].lesson]
    for cell, points in of(name, ours).items():
        assert bool(points) == cell.split("-")[1].startswith("right_"), cell
