"""Rebuild a hand-in on the notebook that was released, so that what is graded is ours again.

Students split cells, copy them, delete them, move them and change their type; a forger changes
points and locks. The learner's cells run as they stand in the learner's notebook, from top to
bottom. Ours among them, which are those that nbgrader knows by a grade_id, get our type, metadata
and, where they are locked, our source.
"""

import ast
import copy
import re
import textwrap
import warnings
from collections import defaultdict
from pathlib import Path

from nbformat.notebooknode import NotebookNode, from_dict
from nbgrader.preprocessors import NbGraderPreprocessor

from autograder.nbgrader_steps.release import is_as_released, read_released, written_in_release
from autograder.nbgrader_steps.spoken import note_language
from autograder.nbgrader_steps.strangers_notebook import new_cell, new_id
from autograder.nbgrader_steps.trusted import course_of, need_python
from illustrated_attention.language import _

# Characters of code, in all, that are compiled to see whether a cell was split: a stranger's code
# can take a compiler time that grows with its square.
MAX_COMPILED = 20_000


def transplant(handed_in: NotebookNode, released: NotebookNode) -> NotebookNode:
    """Return the hand-in as it is graded: every cell of ours once, where the learner has it.

    Of several copies of one of ours, one is ours and the others stay where they are as the
    learner's own, as in stock nbgrader. A test that was deleted comes back behind what it came
    after, a solution cell that was deleted comes back empty, and so do deleted imports.
    """
    ours = _ours(released)
    cells, names = _join_split(handed_in.cells, _names(handed_in.cells, ours), ours)
    rebuilt = NotebookNode({**released, "metadata": copy.deepcopy(released.metadata)})
    if not any(names) and not any(cell.cell_type == "code" for cell in cells):
        # Nothing of the lesson is there: a refusal, or an empty notebook.
        rebuilt.cells = [*map(_own, cells), *copy.deepcopy(released.cells)]
    else:
        chosen = _choose(cells, names, ours)
        placed = [
            (name, _restored(ours[name], cell))
            if name is not None and chosen[name] == place
            else (None, _own(cell))
            for place, (cell, name) in enumerate(zip(cells, names, strict=True))
        ]
        _put_back_missing(placed, ours)
        rebuilt.cells = [*_missing_imports(cells, released), *(cell for _name, cell in placed)]
    _make_ids_unique(rebuilt.cells)
    note_language(rebuilt, handed_in, released)
    return rebuilt


def is_untouched(handed_in: NotebookNode, released: NotebookNode) -> bool:
    """Are all solution cells there, and as they were released?"""
    ours = _ours(released)
    return _stubs(ours).items() <= _solutions(handed_in, ours).items()


def has_work(handed_in: NotebookNode, released: NotebookNode) -> bool:
    """Has the learner written in a solution cell?"""
    ours = _ours(released)
    return not _solutions(handed_in, ours).items() <= _stubs(ours).items()


def _stubs(ours: dict[str, NotebookNode]) -> dict[str, str]:
    return {name: _code(cell) for name, cell in ours.items() if _is_solution(cell)}


def _solutions(handed_in: NotebookNode, ours: dict[str, NotebookNode]) -> dict[str, str]:
    cells = handed_in.cells
    chosen = _choose(cells, _names(cells, ours), ours)
    return {name: _code(cells[place]) for name, place in chosen.items() if _is_solution(ours[name])}


def _ours(released: NotebookNode) -> dict[str, NotebookNode]:
    """The graded cells of a released notebook, by grade_id."""
    return {name: cell for cell in released.cells if (name := _grade_id(cell))}


def _names(cells: list, ours: dict[str, NotebookNode]) -> list[str | None]:
    """For each handed-in cell, the grade_id of the cell of ours that it was, or None.

    A cell's own id tells first: a copy gets a new one, while its grade_id is copied. Old editors
    drop ids and some tools drop metadata: then the text tells, if it is unchanged.
    """
    by_id = {(cell.id, cell.cell_type): name for name, cell in ours.items()}
    names = []
    for cell in cells:
        name = _grade_id(cell)
        names.append(by_id.get((cell.id, cell.cell_type), name if name in ours else None))
    missing = defaultdict(list)
    for name in ours:
        if name not in names:
            missing[ours[name].cell_type, ours[name].source].append(name)
    for place, cell in enumerate(cells):
        alike = missing.get((cell.cell_type, cell.source))
        if names[place] is None and alike:
            names[place] = alike.pop(0)
    return names


def _choose(cells: list, names: list[str | None], ours: dict) -> dict[str, int]:
    """For each cell of ours that was handed in, the place of the copy that is taken for it.

    It is the last one, as in stock nbgrader, but no untouched copy of a cell to be written in.
    """
    chosen: dict[str, int] = {}
    for place, name in enumerate(names):
        if name is None:
            continue
        original = ours[name]
        untouched = _is_solution(original) and _same(cells[place], original)
        if name not in chosen or not untouched or _same(cells[chosen[name]], original):
            chosen[name] = place
    return chosen


def _same(one: NotebookNode, other: NotebookNode) -> bool:
    return _code(one) == _code(other)


# A docstring or a comment: in another language, they are other ones.
_WORDS = re.compile(r'"""[\s\S]*?"""|#.*')


def _code(cell: NotebookNode) -> str:
    """Return what is written in a cell to be written in, apart from its words for people."""
    if cell.cell_type != "code":
        return cell.source.strip()
    return " ".join(_WORDS.sub("", cell.source).split())


def _join_split(cells: list, names: list[str | None], ours: dict) -> tuple[list, list[str | None]]:
    """Join the parts of a solution cell that stand together and are Python only when joined."""
    joined, kept, left, start = [], [], MAX_COMPILED, 0
    while start < len(cells):
        end = start + 1
        while end < len(cells) and names[end] is not None and names[end] == names[start]:
            end += 1
        parts = cells[start:end]
        if len(parts) > 1 and _is_solution(ours[names[start]]) and _are_code(parts):
            length = sum(len(part.source) for part in parts)
            left -= length
            if left >= 0 and _run_only_together([part.source for part in parts]):
                last = copy.deepcopy(parts[-1])
                last.source = "\n".join(part.source for part in parts)
                parts = [last]
        joined += parts
        kept += [names[start]] * len(parts)
        start = end
    return joined, kept


def _are_code(cells: list) -> bool:
    return all(cell.cell_type == "code" for cell in cells)


def _run_only_together(sources: list[str]) -> bool:
    return _runs("\n".join(sources)) and not all(map(_runs, sources))


def _runs(source: str) -> bool:
    """Can this be a cell? IPython lets a cell begin with spaces."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(textwrap.dedent(source), "<cell>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
        return False
    return True


def _restored(original: NotebookNode, cell: NotebookNode) -> NotebookNode:
    """Return our cell, with what the learner wrote if it is one to be written in."""
    made = _cleared(original)
    if _is_solution(original):
        made.source = cell.source
        if made.cell_type == "markdown" and "attachments" in cell:
            made.attachments = cell.attachments
    return made


def _cleared(original: NotebookNode) -> NotebookNode:
    made = from_dict(original)  # a copy of all that is in it
    if made.cell_type == "code":
        made.outputs, made.execution_count = [], None
    return made


def _put_back_missing(placed: list, ours: dict) -> None:
    """Put cells of ours that are missing among (name or None, cell), in place.

    Tests come as late as they can, so that what they test has run before; others that are locked
    as early, so that they undo nothing.
    """
    present = {name for name, _cell in placed}
    order = list(ours)
    for rank, name in enumerate(order):
        if name in present:
            continue
        original = ours[name]
        made = _cleared(original)
        if _is_solution(original):
            if original.cell_type == "code":
                made.source = ""  # the function may be in another cell: the stub would undo it
            place = _behind(placed, order[:rank])
        elif _is_grade(original):
            place = _behind(placed, order[:rank])
            while place < len(placed) and placed[place][0] is None:
                place += 1
        else:
            later = set(order[rank + 1 :])
            place = next((i for i, (n, _c) in enumerate(placed) if n in later), len(placed))
        placed.insert(place, (name, made))
        present.add(name)


def _behind(placed: list, earlier: list[str]) -> int:
    """Return the place behind the last of these cells."""
    return max((place + 1 for place, (name, _c) in enumerate(placed) if name in earlier), default=0)


def _missing_imports(cells: list, released: NotebookNode) -> list[NotebookNode]:
    """Return the released cells of imports that are not handed in."""
    code = [cell for cell in cells if cell.cell_type == "code"]
    ids, sources = {cell.id for cell in code}, {cell.source.strip() for cell in code}
    return [
        _cleared(cell)
        for cell in released.cells
        if cell.cell_type == "code" and not _grade_id(cell)
        if cell.id not in ids and cell.source.strip() not in sources and _is_imports(cell.source)
    ]


def _is_imports(source: str) -> bool:
    try:
        body = ast.parse(source).body
    except SyntaxError:  # a magic
        return False
    return bool(body) and all(isinstance(node, (ast.Import, ast.ImportFrom)) for node in body)


def _own(cell: NotebookNode) -> NotebookNode:
    """Return a cell that is the learner's own, with nothing but what was written in it."""
    if cell.cell_type == "raw":  # a page would show it unchanged, as HTML
        return new_cell("markdown", textwrap.indent(cell.source, "    "), cell.id)
    made = new_cell(cell.cell_type, cell.source, cell.id)
    if made.cell_type == "markdown" and "attachments" in cell:
        made.attachments = cell.attachments
    return made


def _grade_id(cell: NotebookNode) -> str | None:
    return cell["metadata"].get("nbgrader", {}).get("grade_id")


def _is_solution(cell: NotebookNode) -> bool:
    return bool(cell["metadata"].get("nbgrader", {}).get("solution"))


def _is_grade(cell: NotebookNode) -> bool:
    meta = cell.metadata.get("nbgrader", {})
    return bool(meta.get("grade") or meta.get("task"))


def _make_ids_unique(cells: list[NotebookNode]) -> None:
    """Give new ids to the learner's cells that have one of ours, or one that another has."""
    seen = {cell.id for cell in cells if _grade_id(cell)}
    for cell in cells:
        if not _grade_id(cell):
            if cell.id in seen:
                cell.id = new_id()
            seen.add(cell.id)


class Transplant(NbGraderPreprocessor):
    """nbgrader's step that does it: the first of Autograde's `sanitize_preprocessors`."""

    def preprocess(self, nb, resources):
        course, names = course_of(self), resources["nbgrader"]
        folder = course.format_path(course.release_directory, ".", names["assignment"])
        path = Path(folder, names["notebook"] + ".ipynb")
        if not path.exists():
            text = _(
                "{path} is missing: hand-ins are graded on the released notebook. Run `nbgrader "
                "generate_assignment {assignment}` first."
            )
            raise FileNotFoundError(text.format(path=path, assignment=names["assignment"]))
        released = read_released(path)
        need_python(released, path.name)
        if is_as_released(path) is False:
            raise ValueError(written_in_release(path, names["assignment"]))
        return transplant(nb, released), resources
