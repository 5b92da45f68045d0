"""A notebook that a stranger wrote is read: of its file, what counts, and nothing else."""

import json
import re
import uuid

import nbformat
from nbformat.notebooknode import NotebookNode, from_dict

from autograder.nbgrader_steps.notebook_file import made_of
from autograder.nbgrader_steps.refused_files import MAX_NOTEBOOK, Refused
from autograder.sandbox.pictures import pixels
from illustrated_attention.language import _

MAX_TEXT = 16 << 20  # bytes without the outputs
MAX_BRACKETS = 5_000_000  # in the outputs of a notebook
MAX_OPENED = 300_000  # brackets outside of the outputs: an empty object takes 500 bytes
MAX_CELLS = 500
MAX_SOURCE = 200_000  # characters of one cell
MAX_SOURCES = 1_000_000  # characters of all cells

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_VERSION = re.compile(r"\d{1,3}\.\d{1,3}(\.\w{1,10})?")


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
    notebook = made_of([_read_cell(cell, n + 1) for n, cell in enumerate(cells)])
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
    if len(made) > MAX_TEXT or made.count(b"[") + made.count(b"{") > MAX_OPENED:
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
    cell = NotebookNode(cell_type=cell_type, id=cell_id, metadata=NotebookNode(), source=source)
    if cell_type == "code":
        cell.update(execution_count=None, outputs=[])
    return cell


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
