"""Grade whole assignments of every student with stock nbgrader and with ours, and compare.

``python tests/own_notebooks/compare.py`` prints each mark that differs, and writes stock
nbgrader's marks into stock_marks.json: with that file, the suite compares without running it.
With names of notebooks behind it, only these are compared, and nothing is written.
"""

import json
import shutil
import sys
import tempfile
from pathlib import Path

import nbformat
import nbgrader
from nbformat.notebooknode import NotebookNode

import notebooks
from autograder.class_run.own_course import OwnCourse
from autograder.nbgrader_steps.course import make_gradebooks_quickly

STOCK = Path(__file__).with_name("stock_marks.json")
# nbgrader's own example course, as `nbgrader quickstart` makes it, and two students of it.
EXAMPLE = Path(nbgrader.__file__).parent / "docs" / "source" / "user_guide"


def own(folder: Path, names: list[str], inside: list[str] | None = None) -> OwnCourse:
    """Release these notebooks of `notebooks` and let every student hand in theirs."""
    (folder / "made").mkdir()
    course = OwnCourse(folder, notebooks.write_assignment(folder / "made", names), inside)
    released = course.released()
    for student in notebooks.STUDENTS:
        work = {name: notebooks.handed_in(name, student, released[name]) for name in names}
        course.hand_in(student, work)
    return course


def example(folder: Path) -> OwnCourse:
    """The same of nbgrader's own course."""
    course = OwnCourse(folder, EXAMPLE / "source" / "ps1")
    course.hand_in("solver", course.sources())
    course.hand_in("blank", course.released())
    for student in ("bitdiddle", "hacker"):
        course.hand_in(student, _read(EXAMPLE / "submitted" / student / "ps1"))
    return course


def _read(folder: Path) -> dict[str, NotebookNode]:
    return {path.stem: nbformat.read(path, 4) for path in sorted(folder.glob("*.ipynb"))}


def students(course: OwnCourse) -> list[str]:
    """Everybody who has handed in."""
    return sorted(path.name for path in (course.folder / "submitted").iterdir())


def marks(course: OwnCourse, student: str) -> dict[str, float | None]:
    """A student's marks, by notebook/cell; None where a person marks."""
    return {"/".join(cell): points for cell, points in sorted(course.marks(student).items())}


def main(names: list[str]) -> int:
    """Compare, and tell; 1 if any mark differs."""
    make_gradebooks_quickly()
    stock: dict[str, dict] = {}
    differ = 0
    with tempfile.TemporaryDirectory() as folder:
        courses = [own(_made(folder, "own"), names or notebooks.NAMES, notebooks.INSIDE)]
        courses += [] if names else [example(_made(folder, "ps1"))]
        for course in courses:
            of_course = stock.setdefault(course.assignment, {})
            for student in students(course):
                course.grade(student)
                ours = marks(course, student)
                shutil.rmtree(course.folder / "autograded" / student)
                course.grade_stock(student)
                of_course[student] = marks(course, student)
                points = sum(filter(None, of_course[student].values()))
                print(f"{course.assignment} {student}: {len(ours)} marks, {points:g} points")
                for cell in ours.keys() | of_course[student].keys():
                    if ours.get(cell) != (theirs := of_course[student].get(cell)):
                        differ += 1
                        print(f"  {cell}: stock {theirs}, ours {ours.get(cell)}", flush=True)
    if not names:
        STOCK.write_text(json.dumps(stock, indent=1) + "\n")
    print(f"{differ} marks differ")
    return 1 if differ else 0


def _made(folder: str, name: str) -> Path:
    made = Path(folder, name)
    made.mkdir()
    return made.resolve()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
