"""Make of what a student handed in the folder that nbgrader grades, and say what was done to it."""

import contextlib
import functools
import sys
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
from illustrated_attention.language import _, listed, speaking, together

LEFT_OUT = "left_out.txt"  # what collecting left out, for its owner to be told when it is graded
MOST_NOTEBOOKS = 10  # in a hand-in, that are looked at


@dataclass(frozen=True)
class Taken:
    """What came of taking a hand-in in."""

    refused: str = ""  # why there is nothing to grade
    notes: list[str] = field(default_factory=list)  # what its owner and the instructor must know


@dataclass
class Found:
    """A file of a hand-in that holds a notebook, and the name that the notebook has."""

    path: Path
    name: str

    @functools.cached_property
    def notebook(self) -> NotebookNode:
        """What it holds; `Refused` if that cannot be graded."""
        return strangers_notebook.read_notebook(self.path.read_bytes())


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
            found = _notebooks(target)
            with speaking(_language(found, released) or of_class):
                taken = _take_notebooks(target, found, released, notes, told)
        except refused_files.Refused as reason:
            refused_files.write_refusal(str(reason), target, list(released))
            taken = Taken(str(reason))
    when = timestamp(source)
    small_files.write(target, TIMESTAMP, f"{when} UTC\n" if when else None)
    small_files.write(target, SECRET, small_files.read(source, SECRET))
    small_files.write(target, REFUSED, taken.refused[:1000] or None)
    return taken


def _take_notebooks(
    folder: Path,
    found: list[Found],
    released: dict[str, NotebookNode | None],
    notes: list[str],
    told: str | None,
) -> Taken:
    """Put in the place of a copied hand-in's notebooks those that are graded."""
    left_out = folder / LEFT_OUT
    if left_out.is_file():
        notes += left_out.read_text(encoding="utf-8", errors="replace")[:2000].splitlines()
        left_out.unlink()
    chosen, refused = _chosen(released, found, notes, told)
    for its in found:
        its.path.unlink()
    for name, notebook in chosen.items():
        _add_note_on_python(notebook, notes)
        cells = [note(notes), *notebook.cells] if notes else notebook.cells
        notebook_file.write({**notebook, "cells": cells}, folder / f"{name}.ipynb")
    for name, why in refused.items():
        notebook_file.write(refused_files.refusal(why), folder / f"{name}.ipynb")
    return Taken(together(*refused.values()), notes)


def _language(found: list[Found], released: dict[str, NotebookNode | None]) -> str | None:
    """Return the language of the first of these notebooks in which there is code, if any is."""
    for its in found[:MOST_NOTEBOOKS]:
        with contextlib.suppress(refused_files.Refused):  # it is told when it is chosen
            if any(cell.cell_type == "code" for cell in its.notebook.cells):
                return language_handed_in(its.notebook, released.values())
    return None


def _chosen(
    released: dict[str, NotebookNode | None],
    found: list[Found],
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
            its = [one for one in found if one.name == name or one.name not in released]
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


def _notebooks(folder: Path) -> list[Found]:
    """Return the files in a folder that hold a notebook."""
    files = sorted(path for path in folder.iterdir() if path.is_file())
    return [Found(path, name) for path in files if (name := notebook_name(path.name))]


def _choose(
    name: str, original: NotebookNode | None, found: list[Found], notes: list[str]
) -> NotebookNode:
    """Return the notebook that is graded under this name; a note says so if it has another one."""
    named = [its for its in found if its.name == name]
    exact = next((its for its in named if its.path.name == f"{name}.ipynb"), None)
    taken = exact or next(iter(named), None)
    others = [its for its in found if its is not taken][:MOST_NOTEBOOKS]
    if taken is None and len(found) == 1:
        taken = others.pop()
    notebook = taken.notebook if taken else None
    worked = _worked_on(others, original) if not notebook or _is_blank(notebook, original) else []
    if len(worked) == 1:
        (work,) = worked
        text = _("{file} was graded, in which you had worked, and not {name}.")
        if taken is None:
            text = _("{file} was graded as {name}. Hand it in under this name.")
        notes.append(text.format(file=shown(work.path.name), name=f"{shown(name)}.ipynb"))
        return work.notebook
    if taken is None or notebook is None:
        reason = _("{name} is missing. Hand it in under this name.").format(name=f"{name}.ipynb")
        raise refused_files.Refused(together(reason, *notes))
    if worked:
        files = listed(shown(its.path.name) for its in worked)
        text = _("{name} is untouched and was graded. You worked in {files}: hand in one of them.")
        notes.append(text.format(name=shown(taken.path.name), files=files))
    if taken != exact:
        text = _("{file} was graded as {name}. Hand it in under this name.")
        notes.append(text.format(file=shown(taken.path.name), name=f"{shown(name)}.ipynb"))
    return notebook


def _is_blank(notebook: NotebookNode, original: NotebookNode | None) -> bool:
    return original is not None and is_untouched(notebook, original)


def _worked_on(found: list[Found], original: NotebookNode | None) -> list[Found]:
    """Return those notebooks in which somebody worked on this one's cells."""
    worked: list[Found] = []
    if original is None:
        return worked
    for its in found:
        with contextlib.suppress(refused_files.Refused):
            if has_work(its.notebook, original):
                worked.append(its)
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
