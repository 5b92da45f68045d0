"""``python -m autograder mine``: grade one's own notebook, alone, as a class's would be graded.

Everything happens in a course of its own in a temporary folder, with a gradebook of its own. The
notebook is only read; the one thing that stays is the feedback page.
"""

import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nbgrader.api import Gradebook
from nbgrader.converters import GenerateAssignment, GenerateFeedback
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from autograder.class_run import batch
from autograder.nbgrader_steps import execute
from autograder.nbgrader_steps.course import read_config
from autograder.nbgrader_steps.in_one_move import in_one_move
from autograder.nbgrader_steps.problem import Problem
from autograder.nbgrader_steps.settings import configure_feedback, configure_grading
from autograder.sandbox.inside import confine
from illustrated_attention.language import _, listed

if TYPE_CHECKING:  # only Linux has all that it imports
    from autograder.sandbox.grader import Grader

ME = "me"


@dataclass(frozen=True)
class Outcome:
    """What one's own work is worth."""

    score: float
    most: float
    page: Path
    refused: str = ""  # why nothing could be graded, if so


def grade_mine(
    lesson: str, notebook: Path | None = None, grader: "Grader | None" = None
) -> Outcome:
    """Grade a lesson's notebook and write its feedback page.

    Parameters
    ----------
    lesson : str
        Its id, such as 01_self_attention.
    notebook : Path, optional
        The notebook; the lesson's own in notebooks/ if not given.
    grader : Grader, optional
        One that was started before.

    Raises
    ------
    Problem
        If there is no such lesson or notebook, or if grading failed.
    """
    if grader:
        execute.use(grader)
    course = CourseDirectory(config=read_config())
    sources = Path(course.format_path(course.source_directory, ".", "."))
    source = sources / lesson
    if not (source / f"{lesson}.ipynb").is_file():
        lessons = sorted(path.stem for path in sources.glob("*/*.ipynb"))
        text = _("There is no lesson {lesson}. The lessons are: {lessons}.")
        raise Problem(text.format(lesson=lesson, lessons=listed(lessons)))
    released = Path(course.format_path(course.release_directory, ".", lesson))
    notebook = notebook or released / f"{lesson}.ipynb"
    if not notebook.is_file():
        raise Problem(_("{path} is not there.").format(path=notebook))
    graded = Path(course.format_path(course.autograded_directory, ".", "."))
    page = graded.parent / "mine" / f"{lesson}.html"
    with tempfile.TemporaryDirectory(prefix="mine-") as folder:
        try:
            return _grade(Path(folder).resolve(), source, notebook, page)
        finally:
            execute.close_grader()  # before its folder goes


def _grade(folder: Path, source: Path, notebook: Path, page: Path) -> Outcome:
    lesson = source.name
    config = _settings(folder, lesson)
    (folder / "source" / lesson).mkdir(parents=True)
    shutil.copy(source / f"{lesson}.ipynb", folder / "source" / lesson)
    GenerateAssignment(coursedir=CourseDirectory(config=config), config=config).start()
    (folder / "submitted" / ME / lesson).mkdir(parents=True)
    shutil.copy(notebook, folder / "submitted" / ME / lesson / f"{lesson}.ipynb")
    result = batch.grade_student(config, lesson, ME)
    if not result.graded:
        raise Problem(_("The notebook could not be graded: {why}").format(why=result.why))
    config.CourseDirectory.student_id = ME
    GenerateFeedback(coursedir=CourseDirectory(config=config), config=config).start()
    page.parent.mkdir(parents=True, exist_ok=True)
    with in_one_move(page) as new:
        shutil.copy(folder / "feedback" / ME / lesson / f"{lesson}.html", new)
    with Gradebook(config.CourseDirectory.db_url) as gradebook:
        submission = gradebook.find_submission(lesson, ME)
        return Outcome(submission.score, submission.max_score, page, result.why)


def _settings(folder: Path, lesson: str) -> Config:
    config = Config()
    config.CourseDirectory.update(
        root=str(folder),
        course_id="mine",
        db_url=f"sqlite:///{folder / 'gradebook.db'}",
        assignment_id=lesson,
    )
    configure_grading(config)
    configure_feedback(config)
    # One's own code needs no walls. Where there are some, they are used: marks are then the same.
    config.ConfinedExecute.unsafe = sys.platform == "linux" and not confine.layers().safe
    return config
