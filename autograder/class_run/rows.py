"""A row for each student of a class: marks from the gradebook, and what was seen in the notebooks.

The report shows the rows, and a learning platform takes the marks in them back.
"""

import json
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from nbgrader.api import Grade, Gradebook, SubmittedAssignment, SubmittedNotebook
from nbgrader.coursedir import CourseDirectory
from sqlalchemy import func

from autograder.class_run import batch
from autograder.class_run.alike import Traits, traits_in
from autograder.class_run.replies import replies_in
from autograder.nbgrader_steps import names, small_files, times
from autograder.nbgrader_steps.feedback import number
from autograder.nbgrader_steps.seen import Seen, look, why_refused
from autograder.nbgrader_steps.seen import exercise_of as exercise_of_cell
from autograder.nbgrader_steps.small_files import REFUSED
from autograder.nbgrader_steps.spoken import language_of
from illustrated_attention.language import ENGLISH, _, listed

LITTLE = 0.5  # who has less than this part of the points needs attention


@dataclass
class Work:
    """What one student has in one exercise."""

    score: float = 0.0
    most: float = 0.0
    seen: Seen | None = None  # if a test was not right
    to_mark: bool = False  # waits for a person

    @property
    def right(self) -> bool:
        return self.score >= self.most

    @property
    def shown(self) -> Seen:
        """What to tell of it, with a sign and a word."""
        if self.to_mark:
            return Seen("to_mark")
        return Seen("right") if self.right else self.seen or Seen("unknown")


@dataclass
class Row:
    """One student."""

    id: str
    name: str
    handed_in: bool = False
    graded: bool = False
    when: str = ""
    refused: str = ""
    newer: bool = False
    other_tests: bool = False
    old_lateness: bool = False  # what was taken off for it
    late: bool = False
    penalty: float = 0.0
    language: str = ENGLISH  # the hand-in's
    works: dict[str, Work] = field(default_factory=dict)
    replies: dict[str, str] = field(default_factory=dict)  # to the lesson's questions
    traits: Traits = field(default_factory=dict)  # what its parts are like

    @property
    def score(self) -> float:
        """What counts: the points less what was taken off for being late."""
        return max(0.0, sum(work.score for work in self.works.values()) - self.penalty)

    @property
    def most(self) -> float:
        return sum(work.most for work in self.works.values())

    @property
    def reasons(self) -> list[str]:
        """Why somebody should look at this student, most urgent first."""
        if not self.handed_in:
            return [_("has not handed in")]
        if not self.graded:
            return [_("is not graded yet")]
        reasons = []
        if self.refused:
            reason = self.refused.rstrip(".。")  # more may follow
            reasons.append(_("was refused: {reason}").format(reason=reason))
        if self.newer:
            reasons.append(_("handed in again since"))
        if self.other_tests:
            reasons.append(_("was graded with other tests or points: grade again with --force"))
        if self.penalty:
            text = _("handed in late: {points} points less")
            reasons.append(text.format(points=number(self.penalty)))
        elif self.late:
            reasons.append(_("handed in late"))
        if self.old_lateness:
            reasons.append(_("what was taken off for lateness is old: grade again with --force"))
        waiting = [name for name, work in self.works.items() if work.to_mark]
        if waiting:
            text = _("waits for marks by hand: {exercises}")
            reasons.append(text.format(exercises=listed(waiting)))
        if self.most and self.score < LITTLE * self.most:
            text = _("has {points} of {most} points")
            reasons.append(text.format(points=number(self.score), most=number(self.most)))
        return reasons


def read_class(
    course: CourseDirectory, assignment: str, zone: ZoneInfo | None = None
) -> tuple[list[Row], list[str]]:
    """Return a row for each student, in order of their names, and the exercises' names.

    Parameters
    ----------
    course : CourseDirectory
        The course.
    assignment : str
        Its id.
    zone : ZoneInfo, optional
        In which times are written; the machine's if None.
    """
    graded = batch.graded(course, assignment)
    wrong: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    with Gradebook(course.db_url, course.course_id) as gradebook:
        rows = {s.id: Row(s.id, _full_name(s)) for s in gradebook.students}
        found = gradebook.find_assignment(assignment)
        several = len(found.notebooks) > 1
        cells = _cells(found.notebooks, several)
        exercises = list(dict.fromkeys(cell.exercise for cell in cells.values()))
        for student, when, extension, cell_id, score, by_hand, to_mark in _grades(gradebook, found):
            cell, row = cells[cell_id], rows[student]
            if student not in graded:  # has an extension, and nothing more
                continue
            row.graded = row.handed_in = True
            row.when = times.shown(when, zone) if when else ""
            due = found.duedate and found.duedate + (extension or timedelta())
            row.late = bool(when and due and when > due)
            row.works = row.works or {name: Work() for name in exercises}
            work = row.works[cell.exercise]
            work.score += score
            work.most += cell.most
            work.to_mark |= bool(to_mark)
            if score < cell.most and cell.is_test:
                wrong[student, cell.notebook].add(cell.name)
            elif score < cell.most:  # an answer that is as it was released has 0 points by itself
                work.seen = Seen("not_written" if by_hand is None else "by_hand")
        for student, penalty in _penalties(gradebook, found):
            rows[student].penalty = penalty or 0.0
    exercise_of = {(cell.notebook, cell.name): cell.exercise for cell in cells.values()}
    for student in batch.handed_in(course, assignment):
        rows.setdefault(student, Row(student, student)).handed_in = True
    for student in batch.pending(course, assignment):
        rows[student].newer = rows[student].graded
    for student in batch.graded_with_other_tests(course, assignment):
        rows[student].other_tests = rows[student].graded
    for row in rows.values():
        if row.graded:
            _read_notebooks(course, assignment, row, exercise_of, wrong)
    return sorted(rows.values(), key=lambda row: (row.name.casefold(), row.id)), exercises


class _Cell(NamedTuple):
    """A cell that gives points."""

    notebook: str
    name: str
    exercise: str
    most: float
    is_test: bool


def _cells(notebooks: list, several: bool) -> dict[str, _Cell]:
    """Return an assignment's cells by their ids; of several notebooks, exercises name theirs."""
    cells = {}
    for notebook in notebooks:
        solutions = [cell.name for cell in notebook.solution_cells]
        for cell in (*notebook.grade_cells, *notebook.task_cells):
            # Two notebooks may have cells of the same name.
            exercise = exercise_of_cell(cell.name, solutions)
            cells[cell.id] = _Cell(
                notebook.name,
                cell.name,
                f"{notebook.name}: {exercise}" if several else exercise,
                cell.max_score,
                is_test=cell.name not in solutions and cell not in notebook.task_cells,
            )
    return cells


def _grades(gradebook: Gradebook, assignment):
    """Ask once for all grades: nbgrader's own properties ask the database anew for every cell."""
    return (
        gradebook.db.query(
            SubmittedAssignment.student_id,
            SubmittedAssignment.timestamp,
            SubmittedAssignment.extension,
            Grade.cell_id,
            Grade.score,
            Grade.manual_score,
            Grade.needs_manual_grade,
        )
        .select_from(Grade)
        .join(SubmittedNotebook, Grade.notebook_id == SubmittedNotebook.id)
        .join(SubmittedAssignment, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .filter(SubmittedAssignment.assignment_id == assignment.id)
    )


def _penalties(gradebook: Gradebook, assignment):
    """Ask for each student's points that were taken off for being late."""
    return (
        gradebook.db.query(
            SubmittedAssignment.student_id, func.sum(SubmittedNotebook.late_submission_penalty)
        )
        .join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .filter(SubmittedAssignment.assignment_id == assignment.id)
        .group_by(SubmittedAssignment.student_id)
    )


def _full_name(student) -> str:
    return ", ".join(filter(None, [student.last_name, student.first_name])) or student.id


def _read_notebooks(
    course: CourseDirectory,
    assignment: str,
    row: Row,
    exercise_of: dict,
    wrong: dict,
) -> None:
    """Read in a student's graded notebooks what was seen of each exercise, and the replies."""
    folder = Path(course.format_path(course.autograded_directory, row.id, assignment))
    told = small_files.read(folder, REFUSED)
    row.refused = names.printable(told or "")
    paths = sorted(path for path in folder.glob("*") if names.notebook_name(path.name))
    notebooks = {path: _read(path) for path in paths}
    refused = False
    for path, notebook in notebooks.items():
        cells, row.language = notebook["cells"], language_of(notebook)
        seen = look(cells, wrong[row.id, path.stem])
        if why_refused(cells, told):
            refused = True
            seen = {part: Seen("refused", message=row.refused) for part in seen}
        else:
            row.replies |= replies_in(cells)
        for part, its in seen.items():
            work = row.works[exercise_of[path.stem, part]]
            # `check` and the hidden test say the same, or the hidden test says more.
            more = work.seen is None or its.message or its.mistake
            work.seen = its if more else work.seen
    row.traits = {} if refused else traits_in(_by_name(notebooks))


def _read(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


def _by_name(notebooks: dict[Path, dict]) -> dict[str, list[dict]]:
    """Their cells, by what stands before the names of their exercises if there are several."""
    several = len(notebooks) > 1
    return {f"{p.stem}: " if several else "": its["cells"] for p, its in notebooks.items()}


def traits_of_the_lesson(course: CourseDirectory, kind: str, assignment: str) -> Traits:
    """Return what the parts of the lesson itself are like, as released or with its solutions.

    Parameters
    ----------
    kind : str
        The release directory or the source directory, as nbgrader's settings name it.
    """
    folder = Path(course.format_path(kind, ".", assignment))
    paths = sorted(folder.glob("*.ipynb"))
    return traits_in(_by_name({path: _read(path) for path in paths}))


def without_names(course: CourseDirectory, assignment: str, rows: list[Row]) -> list[Row]:
    """Return the rows with the numbers that formgrader gives, in their order; others behind."""
    with Gradebook(course.db_url, course.course_id) as gradebook:
        notebook = gradebook.find_assignment(assignment).notebooks[0].name
        found = gradebook.notebook_submissions(notebook, assignment)
        place = {one.student.id: one.id for one in found}
    with_number = sorted((r for r in rows if r.graded), key=lambda row: place.get(row.id, ""))
    others = [row for row in rows if not row.graded]
    name = _("Submission #{number}")
    return [
        *(replace(r, id=f"#{n}", name=name.format(number=n)) for n, r in enumerate(with_number, 1)),
        *(replace(r, id="", name=_("not graded")) for r in others),
    ]
