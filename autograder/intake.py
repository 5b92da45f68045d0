"""What comes in from students: refuse what is no hand-in, and keep of a notebook what counts.

A reason for a refusal is written for the student: what is wrong and what to do.
"""

import json
import os
import re
import shutil
import stat
import uuid
from pathlib import Path
from typing import NoReturn

import nbformat
from nbformat.notebooknode import NotebookNode, from_dict
from nbformat.v4 import new_markdown_cell, new_notebook

from autograder.outputs import is_bitmap
from illustrated_attention.language import _

MAX_NOTEBOOK = 16 << 20  # bytes
MAX_FILE = 5 << 20
MAX_FILES = 50
MAX_CELLS = 500
MAX_SOURCE = 200_000  # characters of one cell
MAX_SOURCES = 1_000_000  # characters of all cells

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Refused(Exception):
    """A hand-in cannot be graded. The text is the reason, for its owner."""


def check_folder(folder: str | os.PathLike) -> None:
    """Refuse a hand-in that holds anything but a few ordinary files.

    Nothing is opened and no link is followed. Call it before anything else touches the folder.
    """
    count = 0
    if os.path.islink(folder):
        raise Refused(_("The hand-in is a link to somewhere else. Hand in the files themselves."))
    for base, folders, files in os.walk(folder, followlinks=False):
        for name in folders + files:
            path = Path(base, name)
            shown = _shown(path.relative_to(folder))
            status = path.lstat()
            count += 1
            if count > MAX_FILES:
                text = _("The hand-in has more than {count} files. Hand in your notebook only.")
                raise Refused(text.format(count=MAX_FILES))
            if stat.S_ISDIR(status.st_mode):
                continue
            if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
                text = _("{name} is a link or no ordinary file. Hand in the file itself.")
                raise Refused(text.format(name=shown))
            largest = MAX_NOTEBOOK if path.suffix == ".ipynb" else MAX_FILE
            if status.st_size > largest:
                text = _(
                    "{name} is larger than {most} MB. Clear all outputs, save, and hand in again."
                )
                raise Refused(text.format(name=shown, most=largest >> 20))


def copy_folder(source: str | os.PathLike, target: str | os.PathLike) -> None:
    """Copy a hand-in, or refuse it. Its owner may change it meanwhile: no link is ever followed."""
    check_folder(source)
    if hasattr(os, "fwalk"):
        for folder, _folders, files, fd in os.fwalk(source, onerror=_refuse):
            copy = Path(target, os.path.relpath(folder, source))
            copy.mkdir(parents=True, exist_ok=True)
            for name in files:
                (copy / name).write_bytes(_read_file(name, fd))
    else:  # Windows, where students have no exchange to write into
        shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
    check_folder(target)


def _read_file(name: str, folder: int) -> bytes:
    """Read an ordinary file in an open folder, and nothing that was put in its place."""
    try:
        fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
        with open(fd, "rb") as file:
            status = os.fstat(fd)
            if stat.S_ISREG(status.st_mode) and status.st_nlink == 1:
                return file.read(MAX_NOTEBOOK + 1)
    except OSError as error:
        _refuse(error)
    text = _("{name} is a link or no ordinary file. Hand in the file itself.")
    raise Refused(text.format(name=_shown(Path(name))))


def _refuse(error: OSError) -> NoReturn:
    raise Refused(
        _("A file of the hand-in cannot be read. Look at its permissions, and hand in again.")
    ) from error


def read_notebook(text: str | bytes) -> NotebookNode:
    """Read a notebook written by a stranger.

    Returns
    -------
    NotebookNode
        With cells that have a type, a source, an id, in the metadata at most a grade_id, and in
        text cells the attached bitmaps. Everything else is left behind.
    """
    if len(text) > MAX_NOTEBOOK:
        text = _("The notebook is larger than {most} MB. Clear all outputs, save, hand in again.")
        raise Refused(text.format(most=MAX_NOTEBOOK >> 20))
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise Refused(
            _(
                "The file is no notebook, or it is damaged. Open it in JupyterLab, save it, and "
                "hand in again."
            )
        ) from None
    if not isinstance(document, dict) or document.get("nbformat") != 4:
        raise Refused(_("The file is no notebook of format 4. Open and save it in JupyterLab."))
    cells = document.get("cells")
    if not isinstance(cells, list) or not all(isinstance(cell, dict) for cell in cells):
        raise Refused(_("The notebook has no list of cells: it is damaged. Hand in another copy."))
    if len(cells) > MAX_CELLS:
        text = _("The notebook has {count} cells; {most} is the limit. Remove what is not needed.")
        raise Refused(text.format(count=len(cells), most=MAX_CELLS))
    notebook = new_notebook(cells=[_read_cell(cell, n + 1) for n, cell in enumerate(cells)])
    if sum(len(cell.source) for cell in notebook.cells) > MAX_SOURCES:
        text = _("The notebook's cells hold more than {most} characters. Shorten it.")
        raise Refused(text.format(most=MAX_SOURCES))
    return notebook


def refusal(reason: str) -> NotebookNode:
    """Return a notebook that takes the place of a refused hand-in and tells its owner why."""
    text = _("**This hand-in could not be graded.** {reason}").format(reason=reason)
    return new_notebook(cells=[new_markdown_cell(text)])


def write_refusal(reason: str, folder: str | os.PathLike, notebooks: list[str]) -> None:
    """Make `folder` a hand-in of notebooks with these names, in which is nothing but the reason."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    for name in notebooks:
        nbformat.write(refusal(reason), Path(folder, f"{name}.ipynb"))


def _read_cell(cell: dict, number: int) -> NotebookNode:
    source = cell.get("source", "")
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(source, str):
        raise Refused(_("Cell {number} has no text: it is damaged.").format(number=number))
    if len(source) > MAX_SOURCE:
        text = _("Cell {number} is longer than {most} characters. Shorten it and hand in again.")
        raise Refused(text.format(number=number, most=MAX_SOURCE))
    source = source.encode("utf-8", "replace").decode()  # half characters cannot be saved
    made = _new_cell("code" if cell.get("cell_type") == "code" else "markdown", source)
    if cell.get("cell_type") == "raw":  # a page would show it unchanged, as HTML
        made.source = "\n".join("    " + line for line in source.splitlines())
    if isinstance(cell.get("id"), str) and _ID.fullmatch(cell["id"]):
        made.id = cell["id"]
    if made.cell_type == "markdown" and (kept := _bitmaps(cell.get("attachments"))):
        made.attachments = kept
    metadata = cell.get("metadata")
    nbgrader = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    grade_id = nbgrader.get("grade_id") if isinstance(nbgrader, dict) else None
    if isinstance(grade_id, str):
        made.metadata.nbgrader = {"grade_id": grade_id}
    return made


def _new_cell(cell_type: str, source: str) -> NotebookNode:
    """Make a cell without looking whether it is one, as nbformat's own functions do each time."""
    cell = {"cell_type": cell_type, "id": uuid.uuid4().hex[:8], "metadata": {}, "source": source}
    if cell_type == "code":
        cell |= {"execution_count": None, "outputs": []}
    return from_dict(cell)


def _bitmaps(attachments: object) -> dict:
    kept = {}
    for name, bundle in attachments.items() if isinstance(attachments, dict) else ():
        good = bundle.items() if isinstance(bundle, dict) else ()
        pictures = {mime: data for mime, data in good if is_bitmap(mime, data)}
        if pictures:
            kept[name] = pictures
    return kept


def _shown(path: Path) -> str:
    """A file's name for a message: it may hold anything."""
    return re.sub(r"[^\w ./()+-]", "?", str(path))[:100]
