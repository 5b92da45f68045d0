"""Tables for a spreadsheet, nbgrader's export among them: nothing that a stranger wrote is run."""

import codecs
import csv
import io
import re
import sys
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from nbgrader.api import MissingEntry
from nbgrader.plugins import ExportPlugin

from autograder.nbgrader_steps.in_one_move import in_one_move
from autograder.nbgrader_steps.problem import Problem
from illustrated_attention.language import _

COLUMNS = [
    *("assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email"),
    *("raw_score", "late_submission_penalty", "score", "max_score"),
]


def write_table(path: Path, rows: Iterable[Iterable]) -> None:
    """Write rows as CSV that spreadsheets read as UTF-8, with every text inert."""
    # With the mark at the beginning Excel reads the file as UTF-8.
    with (
        in_one_move(path) as new,
        open(new, "w", newline="", encoding="utf-8-sig", errors="replace") as file,
    ):
        csv.writer(file).writerows([inert(value) for value in row] for row in rows)


def inert(value: object) -> object:
    """Return a value that a spreadsheet shows: it runs what begins like a formula."""
    if not isinstance(value, str):
        return "" if value is None else value
    value = "".join(c if c.isprintable() else " " for c in value)
    return "'" + value if is_formula(value) else value


def is_formula(text: str) -> bool:
    """Does it begin as what a spreadsheet runs?"""
    return unicodedata.normalize("NFKC", text).lstrip()[:1] in tuple("=+-@")  # wide signs too


_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?(?: ?%)?|-")


@dataclass
class Table:
    """A table that another program wrote, and how it did: it is written back in the same way."""

    rows: list[list[str]]  # the names of the columns come first
    encoding: str
    delimiter: str
    newline: str
    quoted: re.Pattern  # what is found in the cells that have quotation marks around them

    def dicts(self) -> list[dict[str, str]]:
        """Each row below the first, by the names of the columns."""
        columns = [column.strip() for column in self.rows[0]] if self.rows else []
        return [dict(zip(columns, row, strict=False)) for row in self.rows[1:]]

    def write(self, path: Path) -> None:
        """Write it as it was, with every text inert."""
        lines = (self.delimiter.join(map(self._written, row)) for row in self.rows)
        text = "".join(line + self.newline for line in lines)
        with in_one_move(path) as new:
            new.write_bytes(text.encode(self.encoding))

    def _written(self, cell: str) -> str:
        cell = "'" + cell if _runs(cell) else cell
        return '"' + cell.replace('"', '""') + '"' if self.quoted.search(cell) else cell


def _runs(cell: str) -> bool:
    """Is it a formula? A number with a sign in front, another program's, stays a number."""
    return is_formula(cell) and not _NUMBER.fullmatch(cell.strip())


def read_table(path: Path) -> Table:
    """Read a table as spreadsheets and learning platforms write it: CSV or separated by tabs."""
    data = path.read_bytes()
    for mark, encoding in (
        *((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16")),
        *((codecs.BOM_UTF16_BE, "utf-16"), (b"", "utf-8"), (b"", "cp1252"), (b"", "latin-1")),
    ):
        try:
            text = data.decode(encoding) if data.startswith(mark) else None
        except UnicodeDecodeError:
            continue
        if text is not None:
            break
    assert text is not None  # latin-1 reads anything
    first = text.partition("\n")[0]
    delimiter = max("\t;,", key=first.count)
    quoted = f'[\r\n"{delimiter}]'
    if first.startswith('"') and first.count('"') >= 2 * (first.count(delimiter) + 1):
        quoted = ""
    elif re.search(f'"[^"{delimiter}]* [^"{delimiter}]*"', first):  # as PHP does, and so Moodle
        quoted = f'[\\s"{delimiter}]'
    return Table(
        rows=[row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if row],
        encoding=encoding,
        delimiter=delimiter,
        newline="\r\n" if "\r\n" in text else "\n",
        quoted=re.compile(quoted),
    )


class CsvExport(ExportPlugin):
    """nbgrader's columns, for `nbgrader export`."""

    def export(self, gradebook):
        target = Path(self.to or "grades.csv")
        try:
            write_table(target, [COLUMNS, *self._rows(gradebook)])
        except (Problem, PermissionError) as problem:
            sys.exit(str(problem))
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
