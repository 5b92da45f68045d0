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
    return language_chosen(cell.source for cell in notebook.cells if cell.cell_type == "code")


def language_chosen(sources: Iterable[str]) -> str:
    """Return the language that the first of these sources chooses which chooses one."""
    chosen = next(filter(None, map(_CHOOSES.search, sources)), None)
    return chosen[2] if chosen and chosen[2] in known() else ENGLISH


def language_of_class(released: Iterable[NotebookNode | None]) -> str:
    """Return the language of what a class was given; for when a hand-in cannot be read."""
    return next((language_of(notebook) for notebook in released if notebook), ENGLISH)
