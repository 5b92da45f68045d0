"""The course that a command works on: nbgrader's settings, found where nbgrader finds them."""

import functools
import traceback
from pathlib import Path

import nbgrader
from alembic.script import ScriptDirectory
from nbgrader import api
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.apps import NbGrader
from nbgrader.coursedir import CourseDirectory
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from traitlets import TraitError
from traitlets.config import Config

from autograder.nbgrader_steps.late import LatePenalty
from autograder.nbgrader_steps.problem import Problem
from autograder.nbgrader_steps.times import course_zone
from illustrated_attention.language import _, listed


def read_config(db: str | None = None) -> Config:
    """Return the settings of nbgrader_config.py, with another gradebook if `db` names one.

    Parameters
    ----------
    db : str, optional
        The gradebook's address, as SQLAlchemy writes it: ``postgresql://user@host/name``.

    Raises
    ------
    Problem
        If there is no such file, or if something in it is wrong.
    """
    make_gradebooks_quickly()
    app = NbGrader()
    app.raise_config_file_errors = True  # nbgrader itself goes on without the course's settings
    try:
        app.load_config_file()
    except Exception as error:  # whatever a line of the instructor's raises
        text = _("Line {line} of nbgrader_config.py is wrong: {reason}")
        raise Problem(text.format(line=_line(error), reason=error)) from None
    config = app.config
    if "root" not in config.CourseDirectory:
        raise Problem(_("There is no nbgrader_config.py here. Run this in the course's folder."))
    _need_valid_settings(config)
    config.CourseDirectory.db_url = _address(db or CourseDirectory(config=config).db_url)
    return config


def _line(error: Exception) -> int | None:
    """The line of nbgrader_config.py at which it stopped."""
    if isinstance(error, SyntaxError):
        return error.lineno
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if Path(frame.filename).name == "nbgrader_config.py"]
    return lines[-1] if lines else None


def _need_valid_settings(config: Config) -> None:
    """Raise `Problem` if a setting of ours has a name or a value that it cannot have.

    Nobody asks for a setting of another name: the class would be graded as if it were not there.
    """
    known = {
        "LatePenalty": LatePenalty.class_trait_names(config=True),
        "CourseTime": ["zone"],
        "ClassReport": ["anonymous"],
    }
    for owner, names in known.items():
        for name in sorted(set(config.get(owner, {})) - set(names)):
            text = _("nbgrader_config.py sets {name}, which is no setting. There are: {names}.")
            there_are = listed([f"{owner}.{known_name}" for known_name in sorted(names)])
            raise Problem(text.format(name=f"{owner}.{name}", names=there_are))
    course_zone(config)
    try:
        LatePenalty(config=config)
    except TraitError as error:
        text = _("nbgrader_config.py sets a value that cannot be: {reason}")
        raise Problem(text.format(reason=error)) from None


def make_gradebooks_quickly() -> None:
    """Let nbgrader know which version a new gradebook has.

    It asks the command `alembic`, which takes seconds, and which it finds only where that is on the
    path.
    """
    api.get_alembic_version = _newest_version


@functools.cache
def _newest_version() -> str:
    folder = Path(nbgrader.__file__).with_name("alembic")
    return ScriptDirectory(str(folder)).get_current_head() or ""


def _address(db: str) -> str:
    try:
        url = make_url(db)
    except ArgumentError:
        text = _(
            "{db} is no gradebook's address. Write sqlite:////srv/course/gradebook.db or "
            "postgresql://user@host/name."
        )
        raise Problem(text.format(db=db)) from None
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    return url.render_as_string(hide_password=False)


def need_assignment(config: Config, assignment: str) -> None:
    """Raise `Problem` unless the gradebook can be reached and knows the assignment."""
    course = CourseDirectory(config=config)
    try:
        with Gradebook(course.db_url, course.course_id) as gradebook:
            gradebook.find_assignment(assignment)
    except MissingEntry:
        text = _(
            "The gradebook does not know {assignment}. Enter it first: "
            "nbgrader generate_assignment {assignment}"
        )
        raise Problem(text.format(assignment=assignment)) from None
    except ModuleNotFoundError as error:
        text = _("The package {name} is missing. Install the extra: pip install -e '.[cluster]'")
        raise Problem(text.format(name=error.name)) from None
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        where = make_url(course.db_url).render_as_string(hide_password=True)
        text = _("The gradebook {where} cannot be opened: {reason}")
        raise Problem(text.format(where=where, reason=reason)) from None


def unknown_lesson(course: CourseDirectory, assignment: str) -> str | None:
    """Say it if the course has no such assignment, neither a source of it nor in the gradebook."""
    sources = Path(course.format_path(course.source_directory, ".", "."))
    known = {path.parent.name for path in sources.glob("*/*.ipynb")}
    with Gradebook(course.db_url, course.course_id) as gradebook:
        known.update(its.name for its in gradebook.assignments)
    if assignment in known:
        return None
    text = _("There is no lesson {lesson}. The lessons are: {lessons}.")
    return text.format(lesson=assignment, lessons=listed(sorted(known)))


def notebooks(course: CourseDirectory, assignment: str) -> list[str]:
    """The names of an assignment's notebooks, as the gradebook knows them."""
    with Gradebook(course.db_url, course.course_id) as gradebook:
        return [notebook.name for notebook in gradebook.find_assignment(assignment).notebooks]
