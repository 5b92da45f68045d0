"""Notebooks that are made here: built, written and read without asking whether they are any.

nbformat copies and validates a notebook whenever it makes, reads or writes one. A hand-in is
validated once, when everything is done to it.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nbformat import v4
from nbformat.notebooknode import NotebookNode, from_dict


def made_of(cells: list[NotebookNode]) -> NotebookNode:
    """Return a notebook of these cells."""
    form = {"nbformat": v4.nbformat, "nbformat_minor": v4.nbformat_minor}
    return NotebookNode(cells=cells, metadata=NotebookNode(), **form)


def as_text(notebook: Mapping[str, Any]) -> str:
    """Return a notebook as a file holds it, a cell a line."""
    cells = ",\n".join(json.dumps(cell, ensure_ascii=False) for cell in notebook["cells"])
    rest = {key: value for key, value in notebook.items() if key != "cells"}
    return f'{{"cells": [\n{cells}\n],\n{json.dumps(rest, ensure_ascii=False)[1:]}\n'


def write(notebook: Mapping[str, Any], path: Path) -> None:
    """Write a notebook to a file."""
    path.write_text(as_text(notebook), encoding="utf-8")


def read(path: Path) -> NotebookNode:
    """Read a notebook that `write` wrote."""
    return from_dict(json.loads(path.read_bytes()))


def text_of(cell: Mapping[str, Any]) -> str:
    """Return what stands in a cell. Some programs keep it as a list of lines."""
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)
