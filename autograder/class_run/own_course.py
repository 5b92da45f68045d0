"""A course of its own in a temporary folder, with one assignment: to try out grading there."""

import logging
import shutil
from pathlib import Path

import nbformat
from nbformat.notebooknode import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.converters import Autograde, GenerateAssignment
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import find_all_files
from traitlets.config import Config

from autograder.class_run import batch
from autograder.nbgrader_steps.problem import Problem
from autograder.nbgrader_steps.settings import configure_feedback, configure_grading
from autograder.sandbox.inside import confine
from illustrated_attention.language import _

# The mark of each graded cell, by notebook and grade_id; None where a person marks it.
Marks = dict[tuple[str, str], float | None]


class OwnCourse:
    """A copy of one assignment, released, with a gradebook of its own.

    Parameters
    ----------
    folder : Path
        Where it is made; nothing else is there.
    source : Path
        The assignment's folder, with its notebooks and the files beside them.
    inside : list of str
        The tests that run in the student's process: `ConfinedExecute.inside`.
    ignore : list of str
        Names of files that do not belong to the assignment.
    """

    def __init__(
        self,
        folder: Path,
        source: Path,
        inside: list[str] | None = None,
        ignore: list[str] | None = None,
    ):
        self.folder, self.assignment = folder, source.name
        self.inside = inside or []
        target = folder / "source" / source.name
        for path in map(Path, find_all_files(str(source), ignore or [])):
            copied = target / path.relative_to(source)
            copied.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copied)
        config = self.config()
        GenerateAssignment(coursedir=CourseDirectory(config=config), config=config).start()

    def config(self, stock: bool = False) -> Config:
        """nbgrader's settings for it: ours, or those of stock nbgrader."""
        config = Config()
        config.CourseDirectory.update(
            root=str(self.folder),
            course_id="own",
            db_url=f"sqlite:///{self.folder / 'gradebook.db'}",
            assignment_id=self.assignment,
        )
        if stock:
            config.KernelManager.transport_encryption = "auto"  # else the kernel warns
            return config
        configure_grading(config)
        configure_feedback(config)
        config.ConfinedExecute.inside = self.inside
        # The instructor's own code needs no walls. Where there are some, they are used.
        config.ConfinedExecute.unsafe = not confine.layers().safe
        return config

    def sources(self) -> dict[str, NotebookNode]:
        """The notebooks with their solutions, by name."""
        return _notebooks(self.folder / "source" / self.assignment)

    def released(self) -> dict[str, NotebookNode]:
        """The notebooks as students get them, by name."""
        return _notebooks(self.folder / "release" / self.assignment)

    def hand_in(self, student: str, notebooks: dict[str, NotebookNode]) -> None:
        """Hand in these notebooks, with the files that students get beside them."""
        target = self.folder / "submitted" / student / self.assignment
        ignored = shutil.ignore_patterns("*.ipynb")
        shutil.copytree(self.folder / "release" / self.assignment, target, ignore=ignored)
        for name, notebook in notebooks.items():
            nbformat.write(notebook, target / f"{name}.ipynb")

    def grade(self, student: str) -> batch.Result:
        """Grade a hand-in as `grade` does.

        Raises
        ------
        Problem
            If it could not be graded.
        """
        result = batch.grade_student(self.config(), self.assignment, student)
        if not result.graded:
            raise Problem(_("The notebook could not be graded: {why}").format(why=result.why))
        return result

    def grade_stock(self, student: str) -> None:
        """Grade a hand-in as nbgrader does by itself: in a kernel, unconfined."""
        config = self.config(stock=True)
        config.CourseDirectory.student_id = student
        config.Autograde.force = True
        converter = Autograde(coursedir=CourseDirectory(config=config), config=config)
        before = converter.log.level  # all of nbgrader's steps share this log
        converter.log.setLevel(logging.ERROR)
        try:
            converter.start()
        finally:
            converter.log.setLevel(before)

    def marks(self, student: str) -> Marks:
        """What the gradebook has of a hand-in."""
        with Gradebook(f"sqlite:///{self.folder / 'gradebook.db'}") as gradebook:
            submission = gradebook.find_submission(self.assignment, student)
            return {
                (notebook.name, grade.name): None if grade.needs_manual_grade else grade.auto_score
                for notebook in submission.notebooks
                for grade in notebook.grades
            }

    def graded(self, student: str) -> dict[str, NotebookNode]:
        """The graded notebooks, with their outputs."""
        return _notebooks(self.folder / "autograded" / student / self.assignment)


def _notebooks(folder: Path) -> dict[str, NotebookNode]:
    return {path.stem: nbformat.read(path, 4) for path in sorted(folder.glob("*.ipynb"))}
