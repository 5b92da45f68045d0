"""``python -m autograder report``: how a class did, on one page without scripts, and as a table.

Marks come from the gradebook; the mistakes are what the judge noted in the graded notebooks.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from statistics import mean, median
from zoneinfo import ZoneInfo

import jinja2
from nbgrader.api import Grade, Gradebook, SubmittedAssignment, SubmittedNotebook
from nbgrader.coursedir import CourseDirectory
from sqlalchemy import func

from autograder.class_run import batch
from autograder.nbgrader_steps import names, small_files, times
from autograder.nbgrader_steps.course import need_assignment, read_config
from autograder.nbgrader_steps.execute import VERDICT
from autograder.nbgrader_steps.feedback import cause_in_words, html_language, known_words, number
from autograder.nbgrader_steps.small_files import REFUSED
from autograder.nbgrader_steps.tables import write_table
from autograder.nbgrader_steps.trusted import runs_inside
from illustrated_attention.language import _

LITTLE = 0.5  # who has less than this part of the points needs attention


@dataclass
class Work:
    """What one student has in one exercise."""

    score: float = 0.0
    most: float = 0.0
    mistake: str | None = None  # the id of the cause
    message: str = ""  # what the judge said, if it was not right
    to_mark: bool = False  # waits for a person

    @property
    def right(self) -> bool:
        return self.score >= self.most


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
    late: bool = False
    penalty: float = 0.0
    works: dict[str, Work] = field(default_factory=dict)

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
            reasons.append(_("was refused: {reason}").format(reason=self.refused))
        if self.newer:
            reasons.append(_("handed in again since"))
        if self.other_tests:
            reasons.append(_("was graded with other tests or points: grade again with --force"))
        if self.penalty:
            text = _("handed in late: {points} points less")
            reasons.append(text.format(points=number(self.penalty)))
        elif self.late:
            reasons.append(_("handed in late"))
        waiting = [name for name, work in self.works.items() if work.to_mark]
        if waiting:
            text = _("waits for marks by hand: {exercises}")
            reasons.append(text.format(exercises=", ".join(waiting)))
        if self.most and self.score < LITTLE * self.most:
            text = _("has {points} of {most} points")
            reasons.append(text.format(points=number(self.score), most=number(self.most)))
        return reasons


@dataclass(frozen=True)
class Finding:
    """What went wrong in an exercise, and for how many."""

    what: str
    message: str
    count: int
    percent: int


def write_report(assignment: str, db: str | None = None) -> list[Path]:
    """Write the report of an assignment; return the paths of the page and of the table.

    Raises
    ------
    Problem
        If the gradebook does not know the assignment.
    """
    config = read_config(db)
    need_assignment(config, assignment)
    course = CourseDirectory(config=config)
    rows, exercises = read_class(course, assignment, times.course_zone(config))
    graded = Path(course.format_path(course.autograded_directory, ".", "."))
    folder = graded.parent / "reports"
    folder.mkdir(exist_ok=True)
    page, spreadsheet = folder / f"{assignment}.html", folder / f"{assignment}.csv"
    html = make_page(assignment, rows, exercises, runs_inside(config, assignment))
    page.write_text(html, encoding="utf-8", errors="replace")
    write_table(spreadsheet, table(rows, exercises))
    return [page, spreadsheet]


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
    with Gradebook(course.db_url, course.course_id) as gradebook:
        rows = {s.id: Row(s.id, _full_name(s)) for s in gradebook.students}
        found = gradebook.find_assignment(assignment)
        several = len(found.notebooks) > 1
        cells, exercise_of = {}, {}
        for notebook in found.notebooks:
            solutions = [cell.name for cell in notebook.solution_cells]
            for cell in (*notebook.grade_cells, *notebook.task_cells):
                # Two notebooks may have cells of the same name.
                exercise = _exercise(cell.name, solutions)
                exercise_of[notebook.name, cell.name] = (
                    f"{notebook.name}: {exercise}" if several else exercise
                )
                cells[cell.id] = (notebook.name, cell.name, cell.max_score)
        exercises = list(dict.fromkeys(exercise_of.values()))
        # One query: nbgrader's own properties ask the database anew for every cell.
        grades = (
            gradebook.db.query(
                SubmittedAssignment.student_id,
                SubmittedAssignment.timestamp,
                SubmittedAssignment.extension,
                Grade.cell_id,
                Grade.score,
                Grade.needs_manual_grade,
            )
            .select_from(Grade)
            .join(SubmittedNotebook, Grade.notebook_id == SubmittedNotebook.id)
            .join(SubmittedAssignment, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
            .filter(SubmittedAssignment.assignment_id == found.id)
        )
        for student, when, extension, cell_id, score, to_mark in grades:
            notebook, cell, most = cells[cell_id]
            row = rows[student]
            if student not in graded:  # has an extension, and nothing more
                continue
            row.graded = row.handed_in = True
            row.when = times.shown(when, zone) if when else ""
            due = found.duedate and found.duedate + (extension or timedelta())
            row.late = bool(when and due and when > due)
            row.works = row.works or {name: Work() for name in exercises}
            work = row.works[exercise_of[notebook, cell]]
            work.score += score
            work.most += most
            work.to_mark |= bool(to_mark)
        for student, penalty in (
            gradebook.db.query(
                SubmittedAssignment.student_id, func.sum(SubmittedNotebook.late_submission_penalty)
            )
            .join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
            .filter(SubmittedAssignment.assignment_id == found.id)
            .group_by(SubmittedAssignment.student_id)
        ):
            rows[student].penalty = penalty or 0.0
    for student in batch.handed_in(course, assignment):
        rows.setdefault(student, Row(student, student)).handed_in = True
    for student in batch.pending(course, assignment):
        rows[student].newer = rows[student].graded
    for student in batch.graded_with_other_tests(course, assignment):
        rows[student].other_tests = rows[student].graded
    for row in rows.values():
        if row.graded:
            _read_verdicts(course, assignment, row, exercise_of)
    return sorted(rows.values(), key=lambda row: (row.name.casefold(), row.id)), exercises


def _full_name(student) -> str:
    return ", ".join(filter(None, [student.last_name, student.first_name])) or student.id


def _exercise(cell: str, solutions: list[str]) -> str:
    """The exercise that a graded cell belongs to: softmax_hidden belongs to softmax."""
    fitting = [name for name in solutions if cell == name or cell.startswith(name + "_")]
    return max(fitting, key=len, default=cell)


def _read_verdicts(course: CourseDirectory, assignment: str, row: Row, exercise_of: dict) -> None:
    folder = Path(course.format_path(course.autograded_directory, row.id, assignment))
    row.refused = names.printable(small_files.read(folder, REFUSED) or "")
    for path in sorted(path for path in folder.glob("*") if names.notebook_name(path.name)):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            verdict = cell["metadata"].get(VERDICT)
            grade_id = cell["metadata"].get("nbgrader", {}).get("grade_id")
            exercise = exercise_of.get((path.stem, grade_id))
            if verdict and exercise:
                work = row.works[exercise]
                # `check` and the hidden test say the same, or the hidden test says more.
                work.mistake = verdict.get("mistake") or work.mistake
                work.message = verdict.get("message") or work.message


def findings(rows: list[Row], exercise: str) -> list[Finding]:
    """Return what went wrong in an exercise, the most frequent first, in parts of all hand-ins."""
    works = [row.works[exercise] for row in rows if row.graded]
    wrong = [work for work in works if not work.right and not work.to_mark]
    # A cause is told each student with a line or a name of theirs: its id is counted. Where there
    # is none, what was seen is. The words for a known mistake are the reader's, whatever the
    # languages of the hand-ins are.
    told: dict[tuple, Counter] = defaultdict(Counter)
    for work in wrong:
        told[work.mistake, None if work.mistake else work.message][work.message] += 1
    counted = sorted(told.items(), key=lambda item: (-item[1].total(), str(item[0])))
    return [
        Finding(
            cause_in_words(mistake),
            known_words(exercise.split(": ")[-1], mistake) or messages.most_common(1)[0][0],
            messages.total(),
            round(100 * messages.total() / len(works)),
        )
        for (mistake, _message), messages in counted
    ]


def make_page(
    assignment: str, rows: list[Row], exercises: list[str], inside: Sequence[str] = ()
) -> str:
    """Return the report as one HTML page; `inside` are the tests whose marks can be forged."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(_=_, language=html_language)
    environment.filters["number"] = number
    environment.filters["cause"] = cause_in_words
    graded = [row for row in rows if row.graded]
    scores = [row.score for row in graded]
    attention = sorted(
        (row for row in rows if row.reasons), key=lambda row: (not row.graded, row.score, row.name)
    )
    return environment.get_template("report.html.j2").render(
        assignment=assignment,
        rows=rows,
        graded=graded,
        handed_in=sum(row.handed_in for row in rows),
        exercises=exercises,
        most=max((row.most for row in graded), default=0),
        mean=mean(scores) if scores else 0,
        median=median(scores) if scores else 0,
        right={name: sum(row.works[name].right for row in graded) for name in exercises},
        findings={name: findings(rows, name) for name in exercises},
        attention=attention,
        inside=[path.partition("/")[2] for path in inside],
    )


def table(rows: list[Row], exercises: list[str]) -> Iterator[list[str]]:
    """A line for each student, for a spreadsheet."""
    columns = [f"{name}{part}" for name in exercises for part in (" points", " mistake")]
    yield ["student_id", "name", "handed_in", "points", "of", "late", "attention", *columns]
    for row in rows:
        line = [row.id, row.name, row.when or ("yes" if row.handed_in else "no")]
        points = [number(row.score), number(row.most), number(row.penalty)]
        line += [*(points if row.graded else ["", "", ""]), "; ".join(row.reasons)]
        for name in exercises:
            work = row.works.get(name)
            line += [number(work.score), work.mistake or ""] if work else ["", ""]
        yield line
