"""Make of what a student handed in the folder that nbgrader grades, and say what was done to it."""

import contextlib
import itertools
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from nbformat.notebooknode import NotebookNode
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import parse_utc

from autograder.nbgrader_steps import notebook_file, refused_files, small_files, strangers_notebook
from autograder.nbgrader_steps.gradebook import looking
from autograder.nbgrader_steps.names import notebook_name, shown
from autograder.nbgrader_steps.release import read_released
from autograder.nbgrader_steps.small_files import REFUSED, SECRET, TIMESTAMP
from autograder.nbgrader_steps.spoken import language_handed_in, language_of_class
from autograder.nbgrader_steps.transplant import has_work, is_untouched
from illustrated_attention.language import _, speaking

LEFT_OUT = "left_out.txt"  # what collecting left out, for its owner to be told when it is graded
MOST_NOTEBOOKS = 10  # in a hand-in, that are looked at


@dataclass(frozen=True)
class Taken:
    """What came of taking a hand-in in."""

    refused: str = ""  # why there is nothing to grade
    notes: list[str] = field(default_factory=list)  # what its owner and the instructor must know


def take_in(source: Path, target: Path, released: dict[str, NotebookNode | None]) -> Taken:
    """Copy a hand-in to `target` as what is graded: clean notebooks under their names, and files.

    A refused hand-in is graded like a blank one, with a note on top, so that the reason reaches
    its owner with the feedback. So do notes on what was left out or renamed. They are in the
    hand-in's language; as long as it is not read, in the class's.

    Parameters
    ----------
    released : dict
        The assignment's notebooks by name, as they were released (None where that is missing).
    """
    of_class = language_of_class(released.values())
    with speaking(of_class):
        try:
            notes = refused_files.copy_folder(source, target)
            told = small_files.read(source, REFUSED)
            with speaking(_language(_notebooks(target), released) or of_class):
                taken = _take_notebooks(target, released, notes, told)
        except refused_files.Refused as reason:
            refused_files.write_refusal(str(reason), target, list(released))
            taken = Taken(str(reason))
    when = timestamp(source)
    small_files.write(target, TIMESTAMP, f"{when} UTC\n" if when else None)
    small_files.write(target, SECRET, small_files.read(source, SECRET))
    small_files.write(target, REFUSED, taken.refused[:1000] or None)
    return taken


def _take_notebooks(
    folder: Path, released: dict[str, NotebookNode | None], notes: list[str], told: str | None
) -> Taken:
    """Put in the place of a copied hand-in's notebooks those that are graded."""
    left_out = folder / LEFT_OUT
    if left_out.is_file():
        notes += left_out.read_text(encoding="utf-8", errors="replace")[:2000].splitlines()
        left_out.unlink()
    found = _notebooks(folder)
    chosen, refused = _chosen(released, found, notes, told)
    for path in found:
        path.unlink()
    for name, notebook in chosen.items():
        _add_note_on_python(notebook, notes)
        if notes:
            notebook.cells.insert(0, note(notes))
        notebook_file.write(notebook, folder / f"{name}.ipynb")
    for name, why in refused.items():
        notebook_file.write(refused_files.refusal(why), folder / f"{name}.ipynb")
    return Taken(" ".join(refused.values()), notes)


def _language(found: Iterable[Path], released: dict[str, NotebookNode | None]) -> str | None:
    """Return the language of the first of these notebooks in which there is code, if any is."""
    for path in itertools.islice(found, MOST_NOTEBOOKS):
        with contextlib.suppress(refused_files.Refused):  # it is told when it is chosen
            notebook = strangers_notebook.read_notebook(path.read_bytes())
            if any(cell.cell_type == "code" for cell in notebook.cells):
                return language_handed_in(notebook, released.values())
    return None


def _chosen(
    released: dict[str, NotebookNode | None],
    found: dict[Path, str],
    notes: list[str],
    told: str | None,
) -> tuple[dict[str, NotebookNode], dict[str, str]]:
    """Return the notebooks that are graded, and of the others why not: each for itself.

    `told` is why `collect` refused the hand-in. Then there is a note that says so, and nothing
    else, in the notebook's place; where there is more, a stranger wrote it.
    """
    chosen, refused = {}, {}
    for name, original in released.items():
        try:
            # What bears another notebook's name is that one.
            its = {path: its for path, its in found.items() if its == name or its not in released}
            notebook = _choose(name, original, its, notes)
            said = [cell.source for cell in notebook.cells]
            if told and said == [cell.source for cell in refused_files.refusal(told).cells]:
                raise refused_files.Refused(told)
            chosen[name] = notebook
        except refused_files.Refused as reason:
            refused[name] = str(reason)
    return chosen, refused


def released_notebooks(course: CourseDirectory, assignment: str) -> dict[str, NotebookNode | None]:
    """Return an assignment's notebooks by the names that the gradebook knows, as released."""
    with looking(course.db_url, course.course_id) as gradebook:
        names = [notebook.name for notebook in gradebook.find_assignment(assignment).notebooks]
    folder = Path(course.format_path(course.release_directory, ".", assignment))
    paths = {name: folder / f"{name}.ipynb" for name in names}
    return {name: read_released(path) if path.is_file() else None for name, path in paths.items()}


def timestamp(folder: Path) -> datetime | None:
    """When a student handed in, as nbgrader's exchange wrote it down; None if it does not say."""
    text = small_files.read(folder, TIMESTAMP)
    try:
        return parse_utc(text.strip()) if text else None
    except (ValueError, OverflowError, TypeError, AttributeError):
        return None


def _notebooks(folder: Path) -> dict[Path, str]:
    """Return the files in a folder that hold a notebook, with the name that it has."""
    files = sorted(path for path in folder.iterdir() if path.is_file())
    return {path: name for path in files if (name := notebook_name(path.name))}


def _choose(
    name: str, original: NotebookNode | None, found: dict[Path, str], notes: list[str]
) -> NotebookNode:
    """Return the notebook that is graded under this name; a note says so if it has another one."""
    named = [path for path, its in found.items() if its == name]
    exact = next((path for path in named if path.name == f"{name}.ipynb"), None)
    taken = exact or next(iter(named), None)
    others = [path for path in found if path != taken][:MOST_NOTEBOOKS]
    if taken is None and len(found) == 1:
        taken = others.pop()
    notebook = strangers_notebook.read_notebook(taken.read_bytes()) if taken else None
    worked = _worked_on(others, original) if not notebook or _is_blank(notebook, original) else {}
    if len(worked) == 1:
        ((path, work),) = worked.items()
        text = _("{file} was graded, in which you had worked, and not {name}.")
        if taken is None:
            text = _("{file} was graded as {name}. Hand it in under this name.")
        notes.append(text.format(file=shown(path.name), name=f"{shown(name)}.ipynb"))
        return work
    if taken is None or notebook is None:
        reason = _("{name} is missing. Hand it in under this name.").format(name=f"{name}.ipynb")
        raise refused_files.Refused(" ".join([reason, *notes]))
    if worked:
        listed = ", ".join(shown(path.name) for path in worked)
        text = _("{name} is untouched and was graded. You worked in {files}: hand in one of them.")
        notes.append(text.format(name=shown(taken.name), files=listed))
    if taken != exact:
        text = _("{file} was graded as {name}. Hand it in under this name.")
        notes.append(text.format(file=shown(taken.name), name=f"{shown(name)}.ipynb"))
    return notebook


def _is_blank(notebook: NotebookNode, original: NotebookNode | None) -> bool:
    return original is not None and is_untouched(notebook, original)


def _worked_on(paths: list[Path], original: NotebookNode | None) -> dict[Path, NotebookNode]:
    """Return those notebooks in which somebody worked on this one's cells."""
    worked: dict[Path, NotebookNode] = {}
    if original is None:
        return worked
    for path in paths:
        try:
            notebook = strangers_notebook.read_notebook(path.read_bytes())
        except refused_files.Refused:
            continue
        if has_work(notebook, original):
            worked[path] = notebook
    return worked


def _add_note_on_python(notebook: NotebookNode, notes: list[str]) -> None:
    version = notebook.metadata.get("language_info", {}).get("version", "")
    theirs, ours = version.split(".")[:2], [str(part) for part in sys.version_info[:2]]
    if version and theirs != ours:
        text = _(
            "It was run with Python {theirs} and graded with Python {ours}: some code differs."
        )
        notes.append(text.format(theirs=".".join(theirs), ours=".".join(ours)))


def note(notes: list[str]) -> NotebookNode:
    """Return the cell on top of a hand-in that tells its owner about it."""
    title = _("**About this hand-in:**")
    return strangers_notebook.new_cell(
        "markdown", "\n".join([title, "", *map("- {}".format, notes)]), "about"
    )
