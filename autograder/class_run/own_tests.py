"""``python -m autograder doctor ASSIGNMENT``: do an assignment's own tests give their marks here?

The instructor's solution and the blank notebook are graded twice: confined, as hand-ins are, and by
stock nbgrader. Where a mark differs, the class is not to find out first.
"""

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from nbformat.notebooknode import NotebookNode
from nbgrader.coursedir import CourseDirectory

from autograder.class_run.own_course import Marks, OwnCourse
from autograder.nbgrader_steps import execute
from autograder.nbgrader_steps.course import read_config
from autograder.nbgrader_steps.names import printable
from autograder.nbgrader_steps.problem import Problem
from autograder.nbgrader_steps.spoken import language_of
from autograder.nbgrader_steps.trusted import need_python, runs_inside
from autograder.sandbox.inside.shell import REFUSED
from illustrated_attention.language import _, labelled, listed, parted, speaking

SOLUTION, BLANK = "solution", "blank"


@dataclass(frozen=True)
class Difference:
    """A test cell with another mark than in stock nbgrader."""

    cell: str  # assignment/notebook/grade_id
    work: str  # of which of the two notebooks
    stock: float | None
    ours: float | None
    why: str
    helps: bool = False  # does it have stock nbgrader's mark if it runs inside?


@dataclass(frozen=True)
class Findings:
    """What came of trying an assignment."""

    compared: int
    differences: list[Difference]
    inside: list[str]  # the tests that run in the student's process


def examine(assignment: str) -> Findings:
    """Grade an assignment's own solution and its blank notebook in both ways.

    Raises
    ------
    Problem
        If there is no such assignment, or if it cannot be graded at all.
    """
    config = read_config()
    course = CourseDirectory(config=config)
    source = Path(course.format_path(course.source_directory, ".", assignment))
    if not any(source.glob("*.ipynb")):
        text = _("There is no assignment {assignment}: {folder} holds no notebook.")
        raise Problem(text.format(assignment=assignment, folder=source))
    inside = runs_inside(config, assignment)
    with tempfile.TemporaryDirectory(prefix="doctor-") as folder:
        try:
            return _try_out(Path(folder).resolve(), source, inside, course.ignore)
        finally:
            execute.close_grader()  # before its folder goes


def _try_out(folder: Path, source: Path, inside: list[str], ignore: list[str]) -> Findings:
    ours = OwnCourse(folder / "ours", source, inside, ignore)
    for name, notebook in ours.sources().items():
        need_python(notebook, name)
    unknown = [cell for cell in inside if not _has_test(ours, cell)]
    if unknown:
        text = _("ConfinedExecute.inside names what is no test: {cells}")
        raise Problem(text.format(cells=listed(unknown)))
    works = {SOLUTION: ours.sources(), BLANK: ours.released()}
    stock, confined = {}, {}
    for name, notebooks in works.items():
        ours.hand_in(name, notebooks)
        ours.grade(name)
        confined[name] = ours.marks(name), ours.graded(name)
    for name in works:
        ours.grade_stock(name)
        stock[name] = ours.marks(name), ours.graded(name)
    found = [
        (name, cell)
        for name in works
        for cell, mark in stock[name][0].items()
        if confined[name][0].get(cell) != mark
    ]
    wanted = [_path(source.name, cell) for _name, cell in found]
    ours.inside = sorted({*inside, *wanted})
    again: dict[str, Marks] = {}
    for name in dict.fromkeys(name for name, _cell in found):
        ours.grade(name)
        again[name] = ours.marks(name)
    cured = {
        cell: all(again[name][cell] == stock[name][0][cell] for name in again)
        for _name, cell in found
    }
    differences = [
        Difference(
            cell=_path(source.name, cell),
            work=name,
            stock=stock[name][0][cell],
            ours=confined[name][0].get(cell),
            why=_why(cell, confined[name][1], stock[name][1]),
            helps=cured[cell] and _path(source.name, cell) not in inside,
        )
        for name, cell in found
    ]
    return Findings(sum(len(marks) for marks, _graded in stock.values()), differences, inside)


def _path(assignment: str, cell: tuple[str, str]) -> str:
    return "/".join((assignment, *cell))


def _has_test(course: OwnCourse, path: str) -> bool:
    _assignment, name, grade_id = (*path.split("/", 2), "", "")[:3]
    notebook = course.released().get(name)
    return notebook is not None and _cell(notebook, grade_id) is not None


def _cell(notebook: NotebookNode, grade_id: str) -> NotebookNode | None:
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == grade_id:
            return cell
    return None


def _why(cell: tuple[str, str], ours: dict, stock: dict) -> str:
    """What the two ways of grading say of a test, where they say something."""
    name, grade_id = cell
    said = []
    for who, notebooks in ((_("confined"), ours), (_("stock nbgrader"), stock)):
        graded = _cell(notebooks[name], grade_id)
        told = _said(graded) if graded is not None else ""
        if told:
            said.append(labelled(who, told))
    with speaking(language_of(ours[name])):
        refused = _(REFUSED)
    if any(refused in text for cell in ours[name].cells for text in _tracebacks(cell)):
        said.append(_("a cell before it does what is refused while grading"))
    return parted(said) or _("the last line of the test gives other points")


def _said(cell: NotebookNode) -> str:
    for output in cell.get("outputs", []):
        if output.output_type == "error":
            name, text = output.ename, output.evalue
            return printable(text if text.startswith(name) else f"{name}: {text}")[:300]
        if output.output_type == "stream" and output.name == "stderr":
            return _("it writes to stderr: {text}").format(
                text=printable(output.text.strip())[:200]
            )
    return ""


def _tracebacks(cell: NotebookNode) -> list[str]:
    return [text for output in cell.get("outputs", []) for text in output.get("traceback", [])]


def main(assignment: str) -> int:
    """Examine an assignment and print what was found; return 0 if all marks are equal, else 1."""
    if sys.platform != "linux":
        print(_("Here nbgrader's own way of running notebooks is used: all marks are its marks."))
        return 0
    findings = examine(assignment)
    for one in findings.differences:
        work = _("the solution") if one.work == SOLUTION else _("the blank notebook")
        text = _("{cell}: {work} gets {ours} here and {stock} from stock nbgrader.")
        print(text.format(cell=one.cell, work=work, ours=one.ours, stock=one.stock))
        print("   ", one.why)
    helped = sorted({one.cell for one in findings.differences if one.helps})
    if helped:
        print(_("Change these tests so that they look at values alone, or let them run inside the"))
        print(_("locked process, where a hand-in can forge their marks. In nbgrader_config.py:"))
        print(f"    c.ConfinedExecute.inside = {sorted({*findings.inside, *helped})}")
    if any(not one.helps for one in findings.differences):
        print(_("The others have other marks inside, too: change the tests. See docs/grading.md."))
    for cell in findings.inside:
        print(
            _("{cell} runs inside the locked process: its marks can be forged.").format(cell=cell)
        )
    if findings.differences:
        return 1
    text = _("{assignment}: all {count} marks of its solution and of the blank notebook are equal.")
    print(text.format(assignment=assignment, count=findings.compared))
    return 0
