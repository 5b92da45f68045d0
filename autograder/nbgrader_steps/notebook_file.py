"""Notebooks that are made here: built and written without asking anew whether they are any.

nbformat copies and validates a notebook whenever it makes, reads or writes one. A hand-in is
validated once, when everything is done to it.
"""

import json
from pathlib import Path

from nbformat import v4
from nbformat.notebooknode import NotebookNode


def made_of(cells: list[NotebookNode]) -> NotebookNode:
    """Return a notebook of these cells."""
    form = {"nbformat": v4.nbformat, "nbformat_minor": v4.nbformat_minor}
    return NotebookNode(cells=cells, metadata=NotebookNode(), **form)


def as_text(notebook: NotebookNode) -> str:
    """Return a notebook as a file holds it, a cell a line."""
    cells = ",\n".join(json.dumps(cell, ensure_ascii=False) for cell in notebook["cells"])
    rest = {key: value for key, value in notebook.items() if key != "cells"}
    return f'{{"cells": [\n{cells}\n],\n{json.dumps(rest, ensure_ascii=False)[1:]}\n'


def write(notebook: NotebookNode, path: Path) -> None:
    """Write a notebook to a file."""
    path.write_text(as_text(notebook), encoding="utf-8")
