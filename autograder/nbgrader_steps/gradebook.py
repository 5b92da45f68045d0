"""The gradebook as one hand-in needs it: asked few questions, and written in one go.

nbgrader opens it anew for each of its steps, asks for every cell by itself, and commits after each:
for a lesson, ten times, some fifty questions and forty commits a hand-in, a third of all the time.
Within `one_transaction` its steps all get the same gradebook, which answers from what it has
loaded, and commits once.
"""

import contextlib
import functools
import threading
from collections.abc import Iterator

import sqlalchemy
from nbgrader.api import BaseCell, Gradebook, GradeCell, MissingEntry, SolutionCell, TaskCell
from nbgrader.converters import autograde
from nbgrader.preprocessors import latesubmissions, overwritecells, saveautogrades
from sqlalchemy.orm import scoped_session, sessionmaker, with_polymorphic
from sqlalchemy.pool import NullPool

_OPENING = (autograde, latesubmissions, overwritecells, saveautogrades)  # these open a gradebook


class OneLook(Gradebook):
    """A gradebook that loads all cells of a notebook at once, and writes when it is told to.

    What nbgrader commits is entered in the session, and is in the database after `save`.
    """

    def __init__(self, url: str, course_id: str):
        self.engine, self.course_id, self.authenticator = _engine(url, course_id), course_id, None
        self.db = scoped_session(sessionmaker(bind=self.engine))
        self._commit = self.db.commit
        self.db.commit = self._enter  # type: ignore[method-assign]
        self._known: dict[tuple, dict] = {}

    def _enter(self) -> None:
        """Enter what is new now, so that whoever added it learns of an error."""
        if self.db.new:
            self.db.flush()

    def save(self) -> None:
        """Write what was entered, and forget what was loaded: no lock is held from here on."""
        self._commit()
        self._forget()
        self.db.remove()

    def close(self) -> None:
        """A step is done: the next one looks anew, at what is entered by then too."""
        self.db.flush()
        self._forget()

    def _forget(self) -> None:
        self._known.clear()
        self.db.expunge_all()

    def give_up(self) -> None:
        """Leave the database as it is."""
        self.db.remove()

    def find_source_cell(self, name, notebook, assignment):
        """Return a cell's source; `MissingEntry` where there is none."""
        return self._find(("source", notebook, assignment), name)

    def find_graded_cell(self, name, notebook, assignment):
        """Return a cell that has points; `MissingEntry` where there is none."""
        return self._find(("graded", notebook, assignment), name)

    def find_grade(self, grade_cell, notebook, assignment, student):
        """Return a student's grade of a cell; `MissingEntry` where there is none."""
        return self._find(("grades", notebook, assignment, student), grade_cell)

    def find_comment(self, solution_cell, notebook, assignment, student):
        """Return the comment on a student's cell; `MissingEntry` where there is none."""
        return self._find(("comments", notebook, assignment, student), solution_cell)

    def _find(self, kind: tuple, name: str):
        if kind not in self._known:
            self._known[kind] = self._load(*kind)
        try:
            return self._known[kind][name]
        except KeyError:
            raise MissingEntry(f"No such entry: {name} among {kind}") from None

    def _load(self, what: str, notebook: str, assignment: str, student: str | None = None) -> dict:
        its = self.find_notebook(notebook, assignment)
        if what == "source":
            return {cell.name: cell for cell in its.source_cells}
        found = self.db.query(_every_cell()).filter(BaseCell.notebook_id == its.id).all()
        kind = SolutionCell if what == "comments" else GradeCell
        # Where cells of two kinds share a name, nbgrader takes the one that is no task.
        cells = [cell for cls in (TaskCell, kind) for cell in found if type(cell) is cls]
        if what == "graded":
            return {cell.name: cell for cell in cells}
        its = self.find_submission_notebook(notebook, assignment, student)
        entries = {entry.cell_id: entry for entry in getattr(its, what)}
        return {cell.name: entries[cell.id] for cell in cells if cell.id in entries}


@functools.cache
def _every_cell():
    """All columns of each kind at once: else the database is asked for every cell by itself."""
    return with_polymorphic(BaseCell, "*")


@functools.cache
def _engine(url: str, course_id: str) -> sqlalchemy.Engine:
    """Return this process's one engine for a gradebook; it keeps the statements it has compiled."""
    Gradebook(url, course_id).close()  # makes the tables and the course where they are missing
    return sqlalchemy.create_engine(url, poolclass=NullPool)


_lock = threading.RLock()
_open: OneLook | None = None


@contextlib.contextmanager
def one_transaction(url: str, course_id: str) -> Iterator[OneLook]:
    """Let nbgrader's steps share one gradebook; save it in the end, or nothing after an error."""
    global _open
    with _lock:
        book = _open = OneLook(url, course_id)
        for module in _OPENING:
            setattr(module, "Gradebook", lambda *_, **__: book)  # noqa: B010  a name of theirs
        try:
            yield book
            book.save()
        finally:
            for module in _OPENING:
                setattr(module, "Gradebook", Gradebook)  # noqa: B010
            _open = None
            book.give_up()


def save_what_is_open() -> None:
    """Write what was entered so far: running a notebook takes long, and others want to write."""
    if _open is not None:
        _open.save()


@contextlib.contextmanager
def looking(url: str, course_id: str) -> Iterator[Gradebook]:
    """Look into a gradebook: the one that is open, if one is."""
    if _open is not None:
        yield _open
        return
    book = OneLook(url, course_id)
    try:
        yield book
    finally:
        book.give_up()
