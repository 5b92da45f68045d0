"""Honest work gets the marks that stock nbgrader gives, whatever implementation it is.

A notebook holds the two test cells of every exercise once for each of its known implementations,
wrong and right. Two students hand in the same: one is graded by stock nbgrader in a kernel, the
other by ours. With SAME_MARKS=all every known implementation is tried, in several notebooks, which
takes ten minutes; else one in fifteen, wrong and right, others in each exercise. (What each of them
gets from the test cells is in tests/test_kill_matrix.py, all of them.)
"""

import os
import shutil

import nbformat
import pytest
from classroom import QUIET, ROOT, graded_cells, read_solution
from nbformat.v4 import new_code_cell, new_notebook
from small_course import SmallCourse

from autograder.exercises import LESSONS, all_exercises

EXERCISES = {exercise.name: exercise for exercise in all_exercises()}
GRADED = {
    id: cell for lesson in LESSONS for id, cell in graded_cells(read_solution(lesson)).items()
}
EVERY = 15
IN_A_NOTEBOOK = 150  # implementations; a hand-in has at most 500 cells
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


def notebooks(written) -> dict[str, nbformat.NotebookNode]:
    """The cells of all exercises, once for each implementation, in as many notebooks as it takes.

    `written` gives the source of a solution cell, for an exercise and the id of its implementation.
    """
    tried = [
        (exercise, name) for exercise in EXERCISES.values() for name in implementations(exercise)
    ]
    parts = [tried[n : n + IN_A_NOTEBOOK] for n in range(0, len(tried), IN_A_NOTEBOOK)]
    return {f"part{n}": notebook(part, written) for n, part in enumerate(parts)}


def notebook(tried, written) -> nbformat.NotebookNode:
    cells = [new_code_cell(FIND_BANK, id="bank")]
    for exercise, name in tried:
        id = f"{exercise.name}-{name}"
        cells.append(_cell(id, written(exercise, name), solution=True))
        for kind in ("check", "hidden"):
            test = GRADED[f"{exercise.name}_{kind}"]
            points = test.metadata.nbgrader.points
            cells.append(_cell(f"{id}_{kind}", test.source, points=points))
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
    """The score of every test cell: as stock nbgrader gives it, and as ours does."""
    course = SmallCourse(tmp_path_factory.mktemp("course"))
    course.release(notebooks(stub))
    written = notebooks(implemented)
    time = {"ConfinedExecute": {"notebook_seconds": 600.0}}
    for student in ("stock", "ours"):
        folder = course.submitted(student)
        bank = ROOT / "autograder" / "exercises"
        shutil.copytree(bank, folder / "autograder" / "exercises")
        for name, notebook in written.items():
            nbformat.write(notebook, folder / f"{name}.ipynb")
        course.autograde(student, stock=student == "stock", **QUIET, **time)
    return [
        {cell: points for name in written for cell, points in course.scores(student, name).items()}
        for student in ("stock", "ours")
    ]


def of(exercise: str, scores: dict) -> dict:
    return {cell: points for cell, points in scores.items() if cell.split("-")[0] == exercise}


@pytest.mark.parametrize("name", EXERCISES)
def test_known_implementations_get_the_marks_that_stock_nbgrader_gives(scores, name):
    stock, ours = (of(name, marks) for marks in scores)
    assert len(stock) == 2 * len(implementations(EXERCISES[name]))
    assert ours == stock


@pytest.mark.parametrize("name", EXERCISES)
def test_the_marks_compared_are_those_of_wrong_and_right_work(scores, name):
    _stock, ours = scores
    for cell, points in of(name, ours).items():
        assert bool(points) == cell.split("-")[1].startswith("right_"), cell
