"""The private parts of nbgrader that we use: all of them, each with the reason.

nbgrader has no public way to these, and a new version of it may take them away. No other module
reaches for what is not public; `tests/test_borders.py` holds that.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from nbformat.notebooknode import NotebookNode


def steps(exporter: Any) -> list[Callable]:
    """The steps that an exporter takes a notebook through, which it has made."""
    return exporter._preprocessors


def set_steps(exporter: Any, classes: Iterable) -> None:
    """Let an exporter have these steps and no others: there is only a way to add some."""
    exporter._preprocessors = []
    for step in classes:
        exporter.register_preprocessor(step)


def destination(autograde: Any, names: dict) -> str:
    """Return the folder in which a graded hand-in is being made.

    All files but the notebooks are there before the first notebook is run.
    """
    return autograde._format_dest(names["assignment"], names["student"])


def source(autograde: Any, assignment: str, student: str) -> Path:
    """Return the folder from which nbgrader takes a hand-in, which is a copy of it here."""
    return Path(autograde._format_source(assignment, student))


def read_hand_ins_from(autograde: Any, folder: Callable[..., str]) -> Callable[..., str]:
    """Let a step ask `folder` where a hand-in lies, and return what it asked before.

    Before it converts, nbgrader copies what lies beside the notebook, wherever a link may lead.
    Where it asks for the folder is the only place at which a hand-in can be taken in first.
    """
    before = autograde._format_source
    autograde._format_source = folder
    return before


def remove_hidden_tests(clear: Any, cell: NotebookNode) -> None:
    """Take the hidden tests out of one cell.

    The public way goes through a whole notebook and stops with an error at cells that are none of
    nbgrader's, which a hand-in may hold.
    """
    clear._remove_hidden_test_region(cell)
