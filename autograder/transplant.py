"""Rebuild a hand-in on the notebook that was released, so that its structure is ours again.

Students split cells, copy them, delete them, move them and change their type; a forger changes
points and locks. Of a hand-in only the sources of cells count that a student may write in.
"""

import ast
import copy
from collections import defaultdict
from pathlib import Path

import nbformat
from nbformat.notebooknode import NotebookNode
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import NbGraderPreprocessor

from autograder.release import fits_stamp, written_in_release


def transplant(handed_in: NotebookNode, released: NotebookNode) -> NotebookNode:
    """Return the released notebook with the sources that the student wrote.

    Cells are found by cell id, by grade_id, or by their unchanged text. Test cells and locked
    cells stay as released. Cells that the student added come where the student put them. A
    solution cell that comes in several parts keeps them as cells, the last being the graded one;
    parts that are Python only when joined are joined. One that was deleted comes back empty.
    """
    places = _places(handed_in.cells, released.cells)
    parts, added = defaultdict(list), defaultdict(list)
    anchor = -1
    for cell, place in zip(handed_in.cells, places, strict=True):
        if place is None:
            added[anchor].append(_plain(cell))
        else:
            parts[place].append(cell)
            anchor = max(anchor, place)
    has_code = any(cell.cell_type == "code" for cell in handed_in.cells)
    cells = added[-1]
    for place, original in enumerate(released.cells):
        cell = copy.deepcopy(original)
        before = []
        is_code = cell.cell_type == "code"
        if is_code and _is_solution(original) and has_code and not parts[place]:
            cell.source = ""  # the function may be in another cell: the stub would undo it
        if parts[place] and _is_students(original):
            *before, cell.source = _joined([part.source for part in parts[place]], cell.cell_type)
            if cell.cell_type == "markdown" and "attachments" in parts[place][-1]:
                cell.attachments = parts[place][-1].attachments
        make = nbformat.v4.new_code_cell if is_code else _markdown
        if is_code:
            cell.outputs, cell.execution_count = [], None
        cells += [*(make(source) for source in before), cell, *added[place]]
    _make_ids_unique(cells)
    rebuilt = copy.deepcopy(released)
    rebuilt.cells = cells
    return rebuilt


def _places(cells: list, released: list) -> list[int | None]:
    """For each handed-in cell, the index of the released cell that it was, or None."""
    by_id = {cell.id: i for i, cell in enumerate(released)}
    by_grade_id = {_grade_id(cell): i for i, cell in enumerate(released) if _grade_id(cell)}
    # The id first: a copy of a cell gets a new one, while its grade_id is copied.
    places = [by_id.get(cell.id, by_grade_id.get(_grade_id(cell))) for cell in cells]
    # Old editors drop ids and some tools drop metadata: then the text tells, if it is unchanged.
    free = defaultdict(list)
    for i, cell in enumerate(released):
        if i not in places:
            free[cell.cell_type, cell.source].append(i)
    for n, cell in enumerate(cells):
        if places[n] is None and free[cell.cell_type, cell.source]:
            places[n] = free[cell.cell_type, cell.source].pop(0)
    return places


def _grade_id(cell: NotebookNode) -> str | None:
    return cell.metadata.get("nbgrader", {}).get("grade_id")


def _is_solution(cell: NotebookNode) -> bool:
    return bool(cell.metadata.get("nbgrader", {}).get("solution"))


def _is_students(cell: NotebookNode) -> bool:
    """May a student write in this released cell?"""
    meta = cell.metadata.get("nbgrader", {})
    return _is_solution(cell) or not (meta.get("grade") or meta.get("locked"))


def _joined(sources: list[str], cell_type: str) -> list[str]:
    """Return the parts of a cell as they are, or as one if only together they are Python."""
    whole = "\n".join(sources)
    if cell_type == "code" and not all(map(_is_python, sources)) and _is_python(whole):
        return [whole]
    return sources


def _is_python(source: str) -> bool:
    try:
        ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _plain(cell: NotebookNode) -> NotebookNode:
    made = _markdown(cell.source)
    if cell.cell_type == "code":
        made = nbformat.v4.new_code_cell(cell.source)
    elif "attachments" in cell:
        made.attachments = cell.attachments
    return made


def _markdown(source: str) -> NotebookNode:
    return nbformat.v4.new_markdown_cell(source)


def _make_ids_unique(cells: list[NotebookNode]) -> None:
    seen = set()
    for cell in cells:
        if cell.id in seen:
            cell.id = nbformat.v4.new_code_cell().id
        seen.add(cell.id)


class Transplant(NbGraderPreprocessor):
    """nbgrader's step that does it: the first of Autograde's `sanitize_preprocessors`."""

    def preprocess(self, nb, resources):
        course, names = self._course(), resources["nbgrader"]
        folder = course.format_path(course.release_directory, ".", names["assignment"])
        path = Path(folder, names["notebook"] + ".ipynb")
        if not path.exists():
            raise FileNotFoundError(
                f"{path} is missing: hand-ins are graded on the released notebook. Run "
                f"`nbgrader generate_assignment {names['assignment']}` first."
            )
        released = nbformat.read(path, as_version=4)
        if fits_stamp(released) is False:
            raise ValueError(written_in_release(path, names["assignment"]))
        return transplant(nb, released), resources

    def _course(self) -> CourseDirectory:
        parent = self.parent
        while not hasattr(parent, "coursedir"):
            parent = parent.parent
        return parent.coursedir
