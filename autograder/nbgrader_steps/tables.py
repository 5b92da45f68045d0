"""Tables for a spreadsheet, nbgrader's export among them: nothing that a stranger wrote is run."""

import csv
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from nbgrader.api import MissingEntry
from nbgrader.plugins import ExportPlugin

from illustrated_attention.language import _

COLUMNS = [
    *("assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email"),
    *("raw_score", "late_submission_penalty", "score", "max_score"),
]


def write_table(path: Path, rows: Iterable[Iterable]) -> None:
    """Write rows as CSV that spreadsheets read as UTF-8, with every text inert."""
    # With the mark at the beginning Excel reads the file as UTF-8.
    with open(path, "w", newline="", encoding="utf-8-sig", errors="replace") as file:
        csv.writer(file).writerows([inert(value) for value in row] for row in rows)


def inert(value: object) -> object:
    """Return a value that a spreadsheet shows: it runs what begins like a formula."""
    if not isinstance(value, str):
        return "" if value is None else value
    value = "".join(c if c.isprintable() else " " for c in value)
    begins = unicodedata.normalize("NFKC", value).lstrip()[:1]  # wide signs too
    return "'" + value if begins in tuple("=+-@") else value


class CsvExport(ExportPlugin):
    """nbgrader's columns, for `nbgrader export`."""

    def export(self, gradebook):
        target = Path(self.to or "grades.csv")
        write_table(target, [COLUMNS, *self._rows(gradebook)])
        self.log.info(_("Exported the marks to {path}").format(path=target))

    def _rows(self, gradebook):
        students = [str(student) for student in self.student]
        assignments = [str(assignment) for assignment in self.assignment]
        for assignment in gradebook.assignments:
            if assignments and assignment.name not in assignments:
                continue
            for student in gradebook.students:
                if not students or student.id in students:
                    yield self._row(gradebook, assignment, student)

    def _row(self, gradebook, assignment, student):
        when, raw, penalty = "", 0.0, 0.0  # of whoever has handed in nothing
        try:
            submission = gradebook.find_submission(assignment.name, student.id)
            when, raw = submission.timestamp, submission.score
            penalty = submission.late_submission_penalty
        except MissingEntry:
            pass
        who = (student.id, student.last_name, student.first_name, student.email)
        marks = (raw, penalty, max(0.0, raw - penalty), assignment.max_score)
        return [assignment.name, assignment.duedate, when, *who, *marks]
