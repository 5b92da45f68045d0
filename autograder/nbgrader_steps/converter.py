"""nbgrader's converter, replaced: hand-ins are read with care, each once, and entered in one go.

`settings.configure_grading` names `HandInExporter` as the exporter, the one part of the converter
that nbgrader lets us choose: then `nbgrader autograde`, the formgrader's button and nbgrader's API
all grade in this way.
"""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters import NotebookExporter
from nbconvert.exporters.exporter import ResourcesDict
from nbconvert.writers import FilesWriter
from nbgrader.api import MissingEntry
from nbgrader.converters import Autograde
from nbgrader.converters.base import BaseConverter, NbGraderException
from nbgrader.utils import rmtree

from autograder.nbgrader_steps import gradebook, hand_in, notebook_file, private
from illustrated_attention.language import _


class TakenInExporter(NotebookExporter):
    """Takes a notebook that `hand_in` wrote through all steps. The steps are made once."""

    parent: Any  # nbgrader's converter

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        steps = (*self.parent.sanitize_preprocessors, *self.parent.autograde_preprocessors)
        private.set_steps(self, steps)

    def from_filename(self, filename, resources=None, **kwargs):
        """Take a hand-in through all steps; return its text as it is graded."""
        path = Path(filename)
        notebook = notebook_file.read(path)
        folder = private.destination(self.parent, resources["nbgrader"])
        os.makedirs(folder, exist_ok=True)
        about = ResourcesDict(name=path.stem, path=folder)
        resources = ResourcesDict(**resources, metadata=about, output_extension=self.file_extension)
        for step in private.steps(self):
            notebook, resources = step(notebook, resources)
        # The rest is as it was read, or made here.
        with_outputs = [cell for cell in notebook.cells if cell.get("outputs")]
        nbformat.validate({**notebook, "cells": with_outputs}, relax_add_props=True)
        return notebook_file.as_text(notebook), resources


class HandInExporter(TakenInExporter):
    """Reads a hand-in as a stranger's, from a copy of it that `hand_in` made.

    It is made when the converter has begun, and makes that one an `InOneGo`.
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        if type(self.parent) is Autograde:
            self.parent.__class__ = InOneGo
        self._copy = tempfile.TemporaryDirectory(prefix="hand-in-")
        self._copied = None  # the folder of which the copy is
        self._folder = private.read_hand_ins_from(self.parent, self._safe_source)

    def _safe_source(self, assignment_id, student_id, escape=False):
        folder = self._folder(assignment_id, student_id, escape)
        if escape:
            return folder
        if folder != self._copied:
            self._copied = None
            try:
                released = hand_in.released_notebooks(self.parent.coursedir, assignment_id)
            except MissingEntry:  # nbgrader says so, and stops
                return folder
            rmtree(self._copy.name)
            taken = hand_in.take_in(Path(folder), Path(self._copy.name), released)
            for text in filter(None, [taken.refused, *taken.notes]):
                self.log.warning("%s: %s", folder, text)
            self._copied = folder
        return self._copy.name

    def from_filename(self, filename, resources=None, **kwargs):
        """Take a hand-in's copy through all steps; return its text as it is graded."""
        copied = Path(self._copy.name, Path(filename).name)
        return super().from_filename(copied, resources, **kwargs)


class InOneGo(Autograde):
    """nbgrader's, which converts each notebook twice and the second time what it wrote first.

    Here all steps come one after the other, and nothing is written before the last of them.
    """

    def prepare(self) -> None:
        """Make what `convert` needs, once for many hand-ins that were taken in."""
        self.writer = FilesWriter(parent=self, config=self.config)
        self.exporter = TakenInExporter(parent=self, config=self.config)

    def convert(self) -> None:
        """Convert the hand-in that `coursedir` names; nbgrader's `start` makes all of it anew."""
        self.init_notebooks()
        with contextlib.chdir(self.coursedir.root):
            self.convert_notebooks()

    def init_assignment(self, assignment_id, student_id):
        with gradebook.one_transaction(self.coursedir.db_url, self.coursedir.course_id) as book:
            super().init_assignment(assignment_id, student_id)
            # `hand_in` writes every notebook. Where one is gone, nbgrader has just entered that it
            # has no points, which must not be saved.
            folder = private.source(self, assignment_id, student_id)
            for notebook in book.find_assignment(assignment_id).notebooks:
                if not (folder / f"{notebook.name}.ipynb").is_file():
                    raise NbGraderException(_("The copy that is graded was removed meanwhile."))

    def convert_single_notebook(self, notebook_filename):
        with (
            _told_to_notebooks(),
            gradebook.one_transaction(self.coursedir.db_url, self.coursedir.course_id),
        ):
            BaseConverter.convert_single_notebook(self, notebook_filename)


@contextlib.contextmanager
def _told_to_notebooks() -> Iterator[None]:
    """Set the variable by which a notebook knows that nbgrader runs it.

    nbgrader's own `setenv` leaves it set when a hand-in fails.
    """
    before = os.environ.get("NBGRADER_EXECUTION")
    os.environ["NBGRADER_EXECUTION"] = "autograde"
    try:
        yield
    finally:
        del os.environ["NBGRADER_EXECUTION"]
        if before is not None:
            os.environ["NBGRADER_EXECUTION"] = before
