"""Notebooks in the style of first-year courses, and what four students write in them.

Each is a text file: its cells after lines that begin with ``%%`` and their kind (`plain`, `text`,
`solution`, `test` with its points, `manual`, `manual-code`, `task`). Behind a cell that is written
in stands what a student writes who has half of it right (`%% half`), and one who is wrong.
"""

import copy
import re
import shutil
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

HERE = Path(__file__).parent
ASSIGNMENT = "own"
NAMES = sorted(path.stem for path in HERE.glob("*.txt"))
NEEDS_PANDAS = ("tables",)
STUDENTS = ("solver", "half", "wrong", "blank")
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}
# The tests that cannot be judged from outside, because they look at more than values: `doctor`
# names them, and they run inside. (tests/test_own_notebooks.py holds it to exactly these.)
INSIDE = [
    f"{ASSIGNMENT}/{cell}"
    for cell in (
        *("files/read_names_other_file", "files/save_makes_a_file", "files/save_can_be_read"),
        *("lists/my_sort_check", "plots/draw_sine_again", "plots/histogram_drawn"),
    )
]

_HEAD = re.compile(r"^%% ?(.*)\n", re.MULTILINE)


def read(name: str) -> list[tuple[str, str]]:
    """The parts of a notebook's file: what stands in a head line, and the text below it."""
    _nothing, *parts = _HEAD.split((HERE / f"{name}.txt").read_text(encoding="utf-8"))
    return [(head, text.strip()) for head, text in zip(parts[::2], parts[1::2], strict=True)]


def source(name: str) -> nbformat.NotebookNode:
    """The instructor's notebook, with its solutions."""
    cells = [
        _cell(head, text, f"{name}-{number}")
        for number, (head, text) in enumerate(read(name))
        if head not in ("half", "wrong")
    ]
    return new_notebook(cells=cells, metadata={"kernelspec": KERNEL})


def _cell(head: str, text: str, cell_id: str):
    kind, *rest = head.split()
    if kind == "text":
        return new_markdown_cell(text, id=cell_id)
    if kind == "plain":
        return new_code_cell(text, id=cell_id)
    name, *points = rest
    meta = {"grade_id": name, "schema_version": 3, "locked": False, "task": kind == "task"}
    meta |= {"grade": kind not in ("solution", "task"), "solution": kind not in ("test", "task")}
    meta |= {"points": float(points[0])} if points else {}
    meta["locked"] = kind in ("test", "task")
    make = new_markdown_cell if kind in ("manual", "task") else new_code_cell
    return make(text, id=cell_id, metadata={"nbgrader": meta})


def handed_in(name: str, student: str, released: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """What a student makes of the released notebook."""
    notebook = copy.deepcopy(released)
    written: dict[str, str] = {}
    grade_id = ""
    for head, text in read(name):
        kind, *rest = head.split()
        if kind in ("solution", "manual", "manual-code"):
            grade_id = rest[0]
            if student == "solver" or (student == "half" and kind == "solution"):
                written[grade_id] = text
        elif kind == student:
            written[grade_id] = text
    for cell in notebook.cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
        cell.source = written.get(grade_id, cell.source)
    return notebook


def write_assignment(folder: Path, names: list[str]) -> Path:
    """Write the assignment's folder, as an instructor has it, and return it."""
    target = folder / ASSIGNMENT
    shutil.copytree(HERE / "files", target)
    for name in names:
        nbformat.write(source(name), target / f"{name}.ipynb")
    return target
