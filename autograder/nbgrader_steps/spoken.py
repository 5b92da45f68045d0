"""Which language a notebook speaks: the one that its first cells choose.

That is read in the cells and not in the notebook's metadata: the line is what makes the notebook
speak on every platform, whoever writes it sees it there, and some platforms keep no metadata. Who
has deleted the line is answered in the language of the text around it.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from nbformat.notebooknode import NotebookNode

from autograder.nbgrader_steps.notebook_file import text_of
from illustrated_attention.language import ENGLISH, known

_CHOOSES = re.compile(r"""^language\.use\((["'])(\w{1,20})\1\)""", re.MULTILINE)
_SPOKEN = "spoken_language"  # in the metadata of a notebook that we have rebuilt


def language_of(notebook: Mapping[str, Any]) -> str:
    """Return the language in which a notebook's owner is told what came of it.

    Of a hand-in this is asked after `note_language`: its metadata is ours then.
    """
    return _chosen(notebook) or notebook["metadata"].get(_SPOKEN, ENGLISH)


def language_handed_in(
    notebook: Mapping[str, Any], released: Iterable[Mapping[str, Any] | None]
) -> str:
    """Return the language of a hand-in as it came.

    A stranger wrote it. All that it can do is choose one of the languages that there are: any other
    word means English. Where it chooses none, it has the language of the released notebook whose
    text is in it.
    """
    texts = _texts(notebook)
    of_texts = (language_of(its) for its in released if its and texts & _texts(its))
    return _chosen(notebook) or next(of_texts, ENGLISH)


def note_language(
    rebuilt: NotebookNode, handed_in: Mapping[str, Any], released: Mapping[str, Any]
) -> None:
    """Note in a hand-in that was rebuilt what language it has, where its cells no longer say it."""
    language = language_handed_in(handed_in, [released])
    if language != ENGLISH and not _chosen(rebuilt):
        rebuilt.metadata[_SPOKEN] = language


def language_of_class(released: Iterable[NotebookNode | None]) -> str:
    """Return the language of what a class was given; for when a hand-in cannot be read."""
    return next((language_of(notebook) for notebook in released if notebook), ENGLISH)


def _chosen(notebook: Mapping[str, Any]) -> str | None:
    """Return the language that a cell chooses, the first that does; None if none does."""
    code = (text_of(cell) for cell in notebook["cells"] if cell["cell_type"] == "code")
    chosen = next(filter(None, map(_CHOOSES.search, code)), None)
    if chosen is None:
        return None
    return chosen[2] if chosen[2] in known() else ENGLISH


def _texts(notebook: Mapping[str, Any]) -> set[str]:
    """Return the texts between the code."""
    cells = (cell for cell in notebook["cells"] if cell["cell_type"] == "markdown")
    return {text_of(cell).strip() for cell in cells} - {""}
