"""Which language a notebook speaks: the one that its first cells choose.

That is read in the cells and not in the notebook's metadata: the line is what makes the notebook
speak on every platform, whoever writes it sees it there, and some platforms keep no metadata.
"""

import re
from collections.abc import Iterable

from nbformat.notebooknode import NotebookNode

from illustrated_attention.language import ENGLISH, known

_CHOOSES = re.compile(r"""^language\.use\((["'])(\w{1,20})\1\)""", re.MULTILINE)


def language_of(notebook: NotebookNode) -> str:
    """Return the language in which a notebook's owner is told what came of it.

    A stranger wrote the notebook. All that it can do is choose one of the languages that there
    are: any other word means English.
    """
    for cell in notebook.cells:
        chosen = _CHOOSES.search(cell.source) if cell.cell_type == "code" else None
        if chosen:
            return chosen[2] if chosen[2] in known() else ENGLISH
    return ENGLISH


def language_of_class(released: Iterable[NotebookNode | None]) -> str:
    """Return the language of what a class was given; for when a hand-in cannot be read."""
    return next((language_of(notebook) for notebook in released if notebook), ENGLISH)
