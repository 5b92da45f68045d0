"""The gradebook as one hand-in needs it: asked few questions, and written in one go.

nbgrader opens it anew for each of its steps, asks for every cell by itself, and commits after each:
for a lesson, ten times, some fifty questions and forty commits a hand-in, a third of all the time.
Within `one_transaction` its steps all get the same gradebook, which asks for all cells of a
notebook at once and for nothing twice, and commits once.
"""

import contextlib
import functools
import threading
from collections.abc import Callable, Hashable, Iterator
from typing import Any

import sqlalchemy
from nbgrader.api import (
    Assignment,
    BaseCell,
    Comment,
    Grade,
    Gradebook,
    GradeCell,
    MissingEntry,
    Notebook,
    SolutionCell,
    SourceCell,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
    TaskCell,
)
from nbgrader.converters import autograde
from nbgrader.preprocessors import latesubmissions, overwritecells, saveautogrades
from sqlalchemy import Row, Select, bindparam, func, select
from sqlalchemy.orm import (
    contains_eager,
    defer,
    joinedload,
    load_only,
    scoped_session,
    sessionmaker,
)
from sqlalchemy.pool import NullPool

_OPENING = (autograde, latesubmissions, overwritecells, saveautogrades)  # these open a gradebook


class OneLook(Gradebook):
    """A gradebook that loads all cells of a notebook at once, and writes when it is told to.

    What nbgrader commits is entered in the session, and is in the database after `save`. Until then
    nothing is loaded twice. Cells come as rows, with what grading asks of them.
    """

    def __init__(self, url: str, course_id: str):
        self.engine, self.course_id, self.authenticator = _engine(url, course_id), course_id, None
        self.db = scoped_session(sessionmaker(bind=self.engine))
        self._commit = self.db.commit
        self.db.commit = self._enter  # type: ignore[method-assign]
        self._known: dict[Hashable, Any] = {}

    def _enter(self) -> None:
        """Enter what is new now, so that whoever added it learns of an error."""
        if self.db.new:
            self.db.flush()

    def save(self) -> None:
        """Write what was entered, and forget what was loaded: no lock is held from here on."""
        self._commit()
        self._known.clear()
        self.db.remove()

    def close(self) -> None:
        """A step is done: enter what it did, for the sums that the next one asks for."""
        self.db.flush()

    def give_up(self) -> None:
        """Leave the database as it is."""
        self.db.remove()

    def find_student(self, student_id):
        """Return a student; `MissingEntry` where there is none."""
        return _there(self.db.get(Student, student_id), student_id)

    def find_assignment(self, name):
        """Return an assignment with its notebooks; `MissingEntry` where there is none."""

        def load():
            found = self.db.scalars(_ASSIGNMENT, {"assignment": name}).unique().first()
            return _there(found, name)

        return self._once(("assignment", name), load)

    def find_notebook(self, name, assignment):
        """Return an assignment's notebook; `MissingEntry` where there is none."""
        its = {notebook.name: notebook for notebook in self.find_assignment(assignment).notebooks}
        return _there(its.get(name), assignment, name)

    def find_submission(self, assignment, student):
        """Return a hand-in with its assignment; `MissingEntry` where there is none."""
        its = {"assignment": assignment, "student": student}
        return _there(self.db.scalars(_SUBMISSION, its).first(), assignment, student)

    def find_submission_notebook(self, notebook, assignment, student):
        """Return a hand-in's notebook; `MissingEntry` where there is none."""
        its = {"notebook": notebook, "assignment": assignment, "student": student}
        return _there(self.db.scalars(_SUBMITTED, its).first(), assignment, notebook, student)

    def sources(self, notebook: str, assignment: str) -> dict[str, Row]:
        """Return by name the cells that nbgrader knows, as they were released."""
        its = {"notebook": notebook, "assignment": assignment}
        return self._once(
            ("sources", notebook, assignment),
            lambda: {row.name: row for row in self.db.execute(_SOURCES, its)},
        )

    def cells(self, notebook: str, assignment: str) -> dict[tuple[str, str], Row]:
        """Return by kind and name the cells that have points or are written in."""
        its = {"notebook": notebook, "assignment": assignment}
        return self._once(
            ("cells", notebook, assignment),
            lambda: {(row.type, row.name): row for row in self.db.execute(_CELLS, its)},
        )

    def find_source_cell(self, name, notebook, assignment):
        """Return a cell as it was released; `MissingEntry` where there is none."""
        return _there(self.sources(notebook, assignment).get(name), assignment, notebook, name)

    def find_graded_cell(self, name, notebook, assignment):
        """Return a cell that has points; `MissingEntry` where there is none."""
        return either(GradeCell, name, self.cells(notebook, assignment))

    def find_grade(self, grade_cell, notebook, assignment, student):
        """Return a student's grade of a cell; `MissingEntry` where there is none."""
        return either(GradeCell, grade_cell, self._entries(notebook, assignment, student)[Grade])

    def find_comment(self, solution_cell, notebook, assignment, student):
        """Return the comment on a student's cell; `MissingEntry` where there is none."""
        entries = self._entries(notebook, assignment, student)[Comment]
        return either(SolutionCell, solution_cell, entries)

    def _entries(self, notebook: str, assignment: str, student: str) -> dict[type, dict]:
        """Return a student's grades and comments, by kind and name of their cells."""
        its = {"notebook": notebook, "assignment": assignment, "student": student}
        return self._once(
            ("entries", notebook, assignment, student),
            lambda: {
                entry: {(kind, name): found for kind, name, found in self.db.execute(asked, its)}
                for entry, asked in _ENTRIES.items()
            },
        )

    def points(self, notebook: str, assignment: str, student: str) -> dict[tuple[str, str], Row]:
        """Return by kind and name of their cells what a student's grades are: score, max_score."""
        return self._told(Grade, notebook, assignment, student)

    def comments(self, notebook: str, assignment: str, student: str) -> dict[tuple[str, str], Row]:
        """Return by kind and name of their cells what a student is told: comment."""
        return self._told(Comment, notebook, assignment, student)

    def _told(self, kind: type, notebook: str, assignment: str, student: str) -> dict:
        its = {"notebook": notebook, "assignment": assignment, "student": student}
        return {(row.type, row.name): row for row in self.db.execute(_TOLD[kind], its)}

    def _once(self, what: Hashable, load: Callable[[], Any]) -> Any:
        if what not in self._known:
            self._known[what] = load()
        return self._known[what]


def _there(found: Any, *names: str) -> Any:
    if found is None:
        raise MissingEntry(f"No such entry: {'/'.join(names)}")
    return found


def either(kind: type, name: str, found: dict[tuple[str, str], Any]) -> Any:
    """Return the cell of this kind, or else the task: where two share a name, as nbgrader does."""
    task = found.get((TaskCell.__name__, name))
    return _there(found.get((kind.__name__, name), task), name)


def _of_assignment(query: Select) -> Select:
    """Limit a query in which assignments are to one."""
    return query.where(Assignment.name == bindparam("assignment"))


def _of_notebook(query: Select) -> Select:
    """Limit a query in which notebooks are to one."""
    query = query.join(Assignment, Assignment.id == Notebook.assignment_id)
    return _of_assignment(query.where(Notebook.name == bindparam("notebook")))


def _of_student(query: Select) -> Select:
    """Limit a query in which hand-ins and their assignments are to one student's."""
    its_assignment = SubmittedAssignment.assignment_id == Assignment.id
    return query.where(its_assignment, SubmittedAssignment.student_id == bindparam("student"))


def _of_submitted_notebook(query: Select) -> Select:
    """Limit a query in which handed-in notebooks are to one."""
    query = query.join(Notebook, Notebook.id == SubmittedNotebook.notebook_id)
    hand_in = SubmittedAssignment.id == SubmittedNotebook.assignment_id
    return _of_student(_of_notebook(query).join(SubmittedAssignment, hand_in))


def _entries_of(kind: type[Grade] | type[Comment], *wanted) -> Select:
    """What is wanted of all entries of one kind on a student's notebook, with their cells."""
    query = select(BaseCell.type, BaseCell.name, *wanted).select_from(kind)
    query = query.join(BaseCell, BaseCell.id == kind.cell_id)
    query = query.join(SubmittedNotebook, SubmittedNotebook.id == kind.notebook_id)
    # There is an index by the cell, and none by the notebook.
    cells = select(BaseCell.id).where(BaseCell.notebook_id == Notebook.id)
    return _of_submitted_notebook(query).where(kind.cell_id.in_(cells.correlate(Notebook)))


# Made once: SQLAlchemy takes longer to put a query together than the database to answer it. Nothing
# is asked for which a database would look through the whole class.
_ASSIGNMENT = _of_assignment(
    select(Assignment).options(
        defer(Assignment.max_score), joinedload(Assignment.notebooks).defer(Notebook.max_score)
    )
)
_SUBMISSION = _of_student(
    _of_assignment(
        select(SubmittedAssignment)
        .join(SubmittedAssignment.assignment)
        .options(contains_eager(SubmittedAssignment.assignment).defer(Assignment.max_score))
    )
)
_SUBMITTED = _of_submitted_notebook(select(SubmittedNotebook))
_ENTRIES = {
    Grade: _entries_of(Grade, Grade).options(
        load_only(Grade.auto_score, Grade.manual_score, Grade.needs_manual_grade)
    ),
    Comment: _entries_of(Comment, Comment).options(load_only(Comment.auto_comment)),
}
_TOLD = {
    Grade: _entries_of(Grade, Grade.score, Grade.max_score),
    Comment: _entries_of(Comment, Comment.comment),
}
_source, _cell = SourceCell.__table__.c, BaseCell.__table__.c
_points, _task = GradeCell.__table__.c, TaskCell.__table__.c
_SOURCES = _of_notebook(
    select(_source.name, _source.cell_type, _source.locked, _source.source, _source.checksum)
    .select_from(SourceCell.__table__)
    .join(Notebook.__table__, Notebook.id == _source.notebook_id)
)
_CELLS = _of_notebook(
    select(
        _cell.type, _cell.name, func.coalesce(_points.max_score, _task.max_score).label("max_score")
    )
    .select_from(BaseCell.__table__)
    .outerjoin(GradeCell.__table__, _points.id == _cell.id)
    .outerjoin(TaskCell.__table__, _task.id == _cell.id)
    .join(Notebook.__table__, Notebook.id == _cell.notebook_id)
)


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
def looking(url: str, course_id: str) -> Iterator[OneLook]:
    """Look into a gradebook: the one that is open, if one is."""
    if _open is not None:
        yield _open
        return
    book = OneLook(url, course_id)
    try:
        yield book
    finally:
        book.give_up()
