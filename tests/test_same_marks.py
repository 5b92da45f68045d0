"""Honest work gets the marks that stock nbgrader gives, whatever implementation it is.

For each exercise there is a notebook that holds the exercise's own two test cells once for each
of its known implementations, wrong and right. Two students hand in the same: one is graded by
stock nbgrader in a kernel, the other by ours. With SAME_MARKS=all every known implementation is in
it, which takes ten minutes; else one in five, wrong and right, others in each exercise. (What each
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
EVERY = 5
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


def notebook(exercise, written) -> nbformat.NotebookNode:
    """The exercise's cells once for each id; `written` gives the source of the solution cell."""
    graded = graded_cells(read_solution(exercise.lesson))
    tests = [(graded[f"{exercise.name}_{kind}"], kind) for kind in ("check", "hidden")]
    cells = [new_code_cell(FIND_BANK, id="bank")]
    for name in implementations(exercise):
        cells.append(_cell(name, written(name), solution=True))
        cells += [
            _cell(f"{name}_{kind}", test.source, points=test.metadata.nbgrader.points)
            for test, kind in tests
        ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return new_notebook(cells=cells, metadata={"kernelspec": kernel})


def _cell(name: str, source: str, points: int = 0, solution: bool = False):
    meta = {"grade_id": name, "schema_version": 3, "task": False, "cell_type": "code"}
    meta |= {"grade": not solution, "solution": solution, "locked": not solution}
    meta |= {} if solution else {"points": points}
    return new_code_cell(source, id=name, metadata={"nbgrader": meta})


def stub(exercise) -> str:
    return f"def {exercise.name}(*args):\n    ### BEGIN SOLUTION\n    ...\n    ### END SOLUTION"


@pytest.fixture(scope="module")
def scores(tmp_path_factory):
    """The score of every test cell by exercise: as stock nbgrader gives it, and as ours does."""
    course = SmallCourse(tmp_path_factory.mktemp("course"))
    course.release({e.name: notebook(e, lambda name, e=e: stub(e)) for e in EXERCISES.values()})
    for student in ("stock", "ours"):
        folder = course.submitted(student)
        bank = ROOT / "autograder" / "exercises"
        shutil.copytree(bank, folder / "autograder" / "exercises")
        for exercise in EXERCISES.values():
            sources = implementations(exercise)
            written = lambda name: f"{exercise.name} = {sources[name]}"  # noqa: B023, E731
            nbformat.write(notebook(exercise, written), folder / f"{exercise.name}.ipynb")
        course.autograde(student, stock=student == "stock", **QUIET)
    return {
        name: [course.scores(student, name) for student in ("stock", "ours")] for name in EXERCISES
    }


@pytest.mark.parametrize("name", EXERCISES)
def test_known_implementations_get_the_marks_that_stock_nbgrader_gives(scores, name):
    stock, ours = scores[name]
    assert len(stock) == 2 * len(implementations(EXERCISES[name]))
    assert ours == stock


@pytest.mark.parametrize("name", EXERCISES)
def test_the_marks_compared_are_those_of_wrong_and_right_work(scores, name):
    _stock, ours = scores[name]
    for cell, points in ours.items():
        assert bool(points) == cell.startswith("right_"), cell
