"""What comes in from students: refuse what is no hand-in, and keep of a notebook what counts.

A reason for a refusal is written for the student: what is wrong and what to do.
"""

import hashlib
import json
import os
import re
import shutil
import stat
import uuid
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat.notebooknode import NotebookNode, from_dict
from nbformat.v4 import new_markdown_cell, new_notebook

from autograder.nbgrader_steps.names import file_name, is_left_by_system, notebook_name, shown
from autograder.sandbox.pictures import pixels
from illustrated_attention.language import _

MAX_NOTEBOOK = 64 << 20  # bytes, with all outputs
MAX_TEXT = 16 << 20  # bytes without them
MAX_BRACKETS = 5_000_000  # in the outputs of a notebook
MAX_CELLS = 500
MAX_SOURCE = 200_000  # characters of one cell
MAX_SOURCES = 1_000_000  # characters of all cells
MAX_ENTRIES = 20_000  # files and folders that are looked at
MAX_DEPTH = 8  # folders in folders

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_VERSION = re.compile(r"\d{1,3}\.\d{1,3}(\.\w{1,10})?")
# What programs make beside somebody's work, large and of no use to it.
_OF_PROGRAMS = {".git", ".hg", ".svn", ".venv", "venv", "node_modules", ".idea", ".vscode"}
_OF_PROGRAMS |= {".cache", ".pytest_cache", ".ruff_cache", ".mypy_cache", ".virtual_documents"}


class Refused(Exception):
    """A hand-in cannot be graded. The text is the reason, for its owner."""


@dataclass(frozen=True)
class Sizes:
    """How much of a hand-in is copied: how many files, and bytes of one and of all."""

    files: int
    file: int
    total: int


COLLECTED = Sizes(files=2_000, file=100 << 20, total=100 << 20)  # as much as nbgrader submits
GRADED = Sizes(files=100, file=10 << 20, total=100 << 20)


def copy_folder(
    source: str | os.PathLike, target: str | os.PathLike, limits: Sizes = GRADED
) -> list[str]:
    """Copy a hand-in within limits, notebooks and Python files first, and return what was left out.

    No link is ever followed, and nothing is read beyond the limits, whatever the owner changes
    meanwhile. A hand-in with a link or another thing that is no file is `Refused`.

    Returns
    -------
    list of str
        For the owner: a sentence for each reason for which files were left out.
    """
    left_out: defaultdict[str, list[tuple[str, ...]]] = defaultdict(list)
    Path(target).mkdir(parents=True, exist_ok=True)
    room, files = limits.total, 0
    for parts, size in sorted(_files(source, left_out), key=_importance):
        is_notebook = len(parts) == 1 and notebook_name(parts[0])
        most = MAX_NOTEBOOK if is_notebook else limits.file
        if size > most:
            left_out[_("larger than {most} MB").format(most=most >> 20)].append(parts)
        elif files == limits.files or size > room:
            left_out[_("more than is taken")].append(parts)
        elif (data := _read(source, parts, size)) is None:
            left_out[_("cannot be opened")].append(parts)
        else:
            path = Path(target, *parts)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            room, files = room - len(data), files + 1
    return [_left_out(reason, names) for reason, names in left_out.items()]


def digest(folder: str | os.PathLike) -> str:
    """Return a word for all that was handed in: another one for other files or other content."""
    made = hashlib.sha256()
    room = COLLECTED.total
    for parts, size in sorted(_files(folder, defaultdict(list), refuse=False)):
        if parts != ("submission_secret.txt",):  # it goes with the hand-in and is no part of it
            data = _read(folder, parts, size, refuse=False) if size <= room else None
            room -= len(data or b"")
            made.update(repr((parts, size, hashlib.sha256(data or b"").hexdigest())).encode())
    return made.hexdigest()


def _importance(found: tuple[tuple[str, ...], int]) -> tuple:
    parts, size = found
    is_notebook = len(parts) == 1 and bool(notebook_name(parts[0]))
    hidden = any(part.startswith(".") for part in parts)
    return not is_notebook, hidden, not parts[-1].endswith(".py"), size, parts


def _left_out(reason: str, names: list[tuple[str, ...]]) -> str:
    listed = ", ".join(shown("/".join(parts)) for parts in names[:5])
    if len(names) > 5:
        listed = _("{names} and {count} more").format(names=listed, count=len(names) - 5)
    return _("Left out ({reason}): {names}.").format(reason=reason, names=listed)


def _files(
    folder: str | os.PathLike, left_out: dict[str, list], refuse: bool = True
) -> Iterator[tuple[tuple[str, ...], int]]:
    """Yield the ordinary files of a hand-in, as the parts of their paths, and their sizes."""
    waiting: list[tuple[str, ...]] = [()]
    count = 0
    while waiting:
        parts = waiting.pop()
        try:
            entries = _list(folder, parts)
        except OSError as error:
            if not parts and refuse:
                raise _unreadable(folder) from error
            left_out[_("cannot be opened")].append(parts)
            continue
        for name, status in entries:
            path = (*parts, name)
            count += 1
            if count > MAX_ENTRIES:
                left_out[_("more than is taken")].append(path)
                return
            if is_left_by_system(name):
                continue
            if name in _OF_PROGRAMS:
                left_out[_("not needed for grading")].append(path)
            elif file_name(name) is None:
                left_out[_("its name cannot be used here")].append(path)
            elif stat.S_ISDIR(status.st_mode):
                if len(path) > MAX_DEPTH:
                    left_out[_("too deep in folders")].append(path)
                else:
                    waiting.append(path)
            elif stat.S_ISREG(status.st_mode) and status.st_nlink <= 1:
                yield path, status.st_size
            elif refuse:
                raise _no_file(path)


def _list(folder: str | os.PathLike, parts: tuple[str, ...]) -> list[tuple[str, os.stat_result]]:
    """Return what lies in a folder of a hand-in, up to one more than is looked at."""
    found = []
    flags = os.O_DIRECTORY if _RELATIVE else 0
    with _Opened(folder, parts, flags) as place, os.scandir(place) as entries:
        for entry in entries:
            try:
                found.append((entry.name, entry.stat(follow_symlinks=False)))
            except FileNotFoundError:  # its owner has just removed it
                continue
            if len(found) > MAX_ENTRIES:
                break
    return found


def _read(
    folder: str | os.PathLike, parts: tuple[str, ...], size: int, refuse: bool = True
) -> bytes | None:
    """Read an ordinary file of a hand-in, and nothing that was put in its place.

    A file that has grown since is read as far as it was. None: it is shut, or gone.
    """
    try:
        with _Opened(folder, parts) as place, _open(place) as file:
            status = os.fstat(file.fileno())
            if stat.S_ISREG(status.st_mode) and status.st_nlink <= 1:
                return file.read(size)
    except (PermissionError, FileNotFoundError):  # its owner has just removed it
        return None
    except OSError:
        if not refuse:
            return None
    if refuse:
        raise _no_file(parts)
    return None


_RELATIVE = os.open in os.supports_dir_fd  # not on Windows, where no student shares a folder


class _Opened:
    """A file or folder of a hand-in, opened on a way on which no link is followed."""

    def __init__(self, folder: str | os.PathLike, parts: tuple[str, ...], flags: int = 0):
        self.folder, self.parts, self.flags = folder, parts, flags
        self.fds: list[int] = []

    def __enter__(self) -> int | str:
        if not _RELATIVE:
            return os.path.join(self.folder, *self.parts)
        try:
            at = None
            for place, part in enumerate((self.folder, *self.parts)):
                last = place == len(self.parts)
                flags = self.flags | os.O_NONBLOCK if last else os.O_DIRECTORY
                at = os.open(part, os.O_RDONLY | os.O_NOFOLLOW | flags, dir_fd=at)
                self.fds.append(at)
        except OSError:
            self.__exit__()
            raise
        return self.fds[-1]

    def __exit__(self, *exception):
        while self.fds:
            os.close(self.fds.pop())


def _open(place: int | str):
    return open(place, "rb", closefd=isinstance(place, str))


def _no_file(parts: tuple[str, ...]) -> Refused:
    text = _("{name} is a link or no ordinary file. Hand in the file itself.")
    return Refused(text.format(name=shown("/".join(parts))))


def _unreadable(folder: str | os.PathLike) -> Refused:
    if os.path.islink(folder):
        return Refused(_("The hand-in is a link to somewhere else. Hand in the files themselves."))
    return Refused(_("The hand-in cannot be read. Look at its permissions, and hand in again."))


def read_notebook(text: str | bytes) -> NotebookNode:
    """Read a notebook written by a stranger.

    Returns
    -------
    NotebookNode
        With cells that have a type, a source, an id, in the metadata at most a grade_id, and in
        text cells the attached bitmaps; and with the version of Python that ran it. Everything
        else is left behind.
    """
    text = without_outputs(text.encode() if isinstance(text, str) else text)
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise Refused(
            _(
                "The file is no notebook, or it is damaged. Open it in JupyterLab, save it, and "
                "hand in again."
            )
        ) from None
    if isinstance(document, dict) and document.get("nbformat") in (2, 3):
        document = _upgraded(document)
    if not isinstance(document, dict) or document.get("nbformat") != 4:
        raise Refused(_("The file is no notebook of format 4. Open and save it in JupyterLab."))
    cells = document.get("cells")
    if not isinstance(cells, list) or not all(isinstance(cell, dict) for cell in cells):
        raise Refused(_("The notebook has no list of cells: it is damaged. Hand in another copy."))
    if len(cells) > MAX_CELLS:
        text = _("The notebook has {count} cells; {most} is the limit. Remove what is not needed.")
        raise Refused(text.format(count=len(cells), most=MAX_CELLS))
    notebook = new_notebook(cells=[_read_cell(cell, n + 1) for n, cell in enumerate(cells)])
    if version := _python_version(document):
        notebook.metadata.language_info = {"name": "python", "version": version}
    if sum(len(cell.source) for cell in notebook.cells) > MAX_SOURCES:
        text = _("The notebook's cells hold more than {most} characters. Shorten it.")
        raise Refused(text.format(most=MAX_SOURCES))
    return notebook


# The key of what a notebook shows, which is no part of the work, wherever it stands outside of
# strings. Possessive: a long notebook costs no memory for ways back.
_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_SHOWN = rb'"(?:outputs|widgets)"\s*+:\s*+(?=[\[{])'
_UP_TO_SHOWN = re.compile(rb"(?:[^\"]++|(?!" + _SHOWN + rb")" + _STRING + rb")*+", re.S)
_KEY = re.compile(_SHOWN)
_BRACKET = re.compile(_STRING + rb"|[\[\]{}]", re.S)


def without_outputs(text: bytes) -> bytes:
    """Return a notebook's text without its outputs and the state of its widgets.

    They are cut out of the text: what they would take as objects, many times their size, is never
    made.
    """
    if len(text) > MAX_NOTEBOOK:
        raise Refused(_too_large(MAX_NOTEBOOK))
    kept, place, brackets = [], 0, 0
    while place < len(text):
        shown = _UP_TO_SHOWN.match(text, place)
        assert shown is not None  # it matches anything, and nothing
        end = shown.end()
        kept.append(text[place:end])
        key = _KEY.match(text, end)
        if not key:  # the end, or a string without one: not ours to mend
            kept.append(text[end:])
            break
        kept.append(key[0] + (b"[]" if text[key.end() : key.end() + 1] == b"[" else b"{}"))
        depth, place = 0, len(text)
        for found in _BRACKET.finditer(text, key.end()):
            first = text[found.start()]
            if first != ord('"'):
                brackets += 1
                depth += 1 if first in b"[{" else -1
            if depth == 0:
                place = found.end()
                break
            if brackets > MAX_BRACKETS:
                raise Refused(_too_large(MAX_TEXT))
    made = b"".join(kept)
    if len(made) > MAX_TEXT:
        raise Refused(_too_large(MAX_TEXT))
    return made


def _too_large(most: int) -> str:
    text = _("The notebook is larger than {most} MB. Clear all outputs, save, hand in again.")
    return text.format(most=most >> 20)


def _upgraded(document: dict) -> dict:
    """Bring a notebook of an old format to format 4, as JupyterLab does when it opens one."""
    try:
        return nbformat.convert(from_dict({"metadata": {}, "nbformat_minor": 0} | document), 4)
    except Exception:  # whatever a stranger's file does to it
        raise Refused(
            _("The notebook's format is old, and it is damaged. Open and save it in JupyterLab.")
        ) from None


def _python_version(document: dict) -> str | None:
    """Return the version of the Python that ran a notebook, if it says so."""
    info = document.get("metadata")
    info = info.get("language_info") if isinstance(info, dict) else None
    version = info.get("version") if isinstance(info, dict) else None
    return version if isinstance(version, str) and _VERSION.fullmatch(version) else None


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
    kind = cell["cell_type"] if cell.get("cell_type") in ("code", "raw") else "markdown"
    own_id = isinstance(cell.get("id"), str) and _ID.fullmatch(cell["id"])
    made = new_cell(kind, source, cell["id"] if own_id else new_id())
    if made.cell_type == "markdown" and (kept := _pictures(cell.get("attachments"))):
        made.attachments = kept
    metadata = cell.get("metadata")
    nbgrader = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    grade_id = nbgrader.get("grade_id") if isinstance(nbgrader, dict) else None
    if isinstance(grade_id, str):
        made.metadata.nbgrader = {"grade_id": grade_id}
    return made


def new_cell(cell_type: str, source: str, cell_id: str) -> NotebookNode:
    """Make a cell without looking whether it is one, as nbformat's own functions do each time."""
    cell: dict[str, Any] = {"cell_type": cell_type, "id": cell_id, "metadata": {}, "source": source}
    if cell_type == "code":
        cell |= {"execution_count": None, "outputs": []}
    return from_dict(cell)


def new_id() -> str:
    return uuid.uuid4().hex[:8]


def _pictures(attachments: object) -> dict:
    kept = {}
    for name, bundle in attachments.items() if isinstance(attachments, dict) else ():
        good = bundle.items() if isinstance(bundle, dict) else ()
        pictures = {mime: data for mime, data in good if pixels(mime, data)}
        if pictures:
            kept[name] = pictures
    return kept
