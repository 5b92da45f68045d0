"""Ordinary notebooks of first-year courses get the marks that stock nbgrader gives.

Its marks stand in stock_marks.json; `compare.py` makes the file, and compares all with all.
"""

import importlib.util
import json

import compare
import pytest

import notebooks
from autograder.nbgrader_steps.course import make_gradebooks_quickly

pytestmark = pytest.mark.usefixtures("confined")
STOCK = json.loads(compare.STOCK.read_text(encoding="utf-8"))
NAMES = [
    name
    for name in notebooks.NAMES
    if name not in notebooks.NEEDS_PANDAS or importlib.util.find_spec("pandas")
]


def graded(course) -> dict[str, dict]:
    for student in compare.students(course):
        course.grade(student)
    return {student: compare.marks(course, student) for student in compare.students(course)}


@pytest.fixture(scope="module")
def outside(tmp_path_factory):
    """Everybody's marks, with every test judged from outside."""
    make_gradebooks_quickly()
    return graded(compare.own(tmp_path_factory.mktemp("outside"), NAMES))


@pytest.fixture(scope="module")
def chosen(tmp_path_factory, outside):
    """The same where those tests run inside that cannot be judged from outside."""
    names = sorted({path.split("/")[1] for path in notebooks.INSIDE})
    again = graded(compare.own(tmp_path_factory.mktemp("inside"), names, notebooks.INSIDE))
    return {student: outside[student] | again[student] for student in outside}


@pytest.mark.parametrize("name", NAMES)
def test_an_ordinary_notebook_gets_the_marks_of_stock_nbgrader(chosen, name):
    for student in notebooks.STUDENTS:
        stock = {cell: mark for cell, mark in STOCK["own"][student].items() if _of(cell) == name}
        ours = {cell: mark for cell, mark in chosen[student].items() if _of(cell) == name}
        assert ours == stock, student


@pytest.mark.parametrize("name", NAMES)
def test_the_students_of_a_notebook_differ(chosen, name):
    """Else equal marks would say little."""
    points = [
        sum(mark or 0 for cell, mark in chosen[student].items() if _of(cell) == name)
        for student in notebooks.STUDENTS
    ]
    assert points[0] > points[1] >= points[2] >= points[3]


def test_where_a_mark_differs_from_outside_the_solution_shows_it(outside):
    """So `doctor`, which tries the solution and the blank notebook, names it before the class."""
    differ = {
        student: {cell for cell, mark in marks.items() if mark != STOCK["own"][student][cell]}
        for student, marks in outside.items()
    }
    listed = {path.partition("/")[2] for path in notebooks.INSIDE}
    assert differ["solver"] | differ["blank"] == listed
    assert differ["half"] | differ["wrong"] <= listed


def test_nbgraders_own_example_course_gets_the_marks_of_stock_nbgrader(tmp_path):
    """Its notebooks have no ids for cells, and one of its tests deletes a student's function."""
    make_gradebooks_quickly()
    assert graded(compare.example(tmp_path)) == STOCK["ps1"]


def _of(cell: str) -> str:
    return cell.partition("/")[0]
