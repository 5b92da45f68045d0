"""``python -m autograder marks``: fill a column of the gradebook that a learning platform exported.

The file is written anew beside itself, as the platform wrote it and with nothing else changed, so
that the platform takes it back.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from nbgrader.api import Gradebook
from nbgrader.coursedir import CourseDirectory

from autograder.class_run.rows import Row, read_class
from autograder.nbgrader_steps.course import need_assignment, read_config
from autograder.nbgrader_steps.feedback import number
from autograder.nbgrader_steps.late import old_lateness, told_old_lateness
from autograder.nbgrader_steps.names import printable
from autograder.nbgrader_steps.problem import Problem
from autograder.nbgrader_steps.roster import Roster, Unknown, key, roster_path
from autograder.nbgrader_steps.tables import Table, read_table
from illustrated_attention.language import _, listed

# Where platforms say how many points a column has: Brightspace and Blackboard in its name,
_MOST = re.compile(r"(?:MaxPoints:|Total Pts: (?:up to )?)(\d+(?:[.,]\d+)?)")
_CANVAS_MOST = "pointspossible"  # Canvas in a row of its own, and Moodle in a column.
_PARTICIPANT = re.compile(r"\D+ \d+")  # how lines of Moodle's worksheet begin, in any language


@dataclass
class Entered:
    """What came of filling the column."""

    path: Path
    column: str
    filled: int = 0
    changed: int = 0  # of them, cells that held another mark
    scale: str = ""  # if the column has other points than the lesson, in words
    unfilled: dict[str, list[str]] = field(default_factory=dict)  # reasons, and whose cell stays
    missing: list[str] = field(default_factory=list)  # have a mark, and no line in the file
    strangers: list[str] = field(default_factory=list)  # lines of nobody in the class
    several: list[str] = field(default_factory=list)  # have several lines
    old: list[str] = field(default_factory=list)  # from whom too much or too little is taken off

    def lines(self) -> Iterator[str]:
        """Say it, in sentences."""
        text = _("{filled} marks are in the column {column}; {changed} cells held another one.")
        yield text.format(filled=self.filled, column=self.column, changed=self.changed)
        if self.scale:
            yield self.scale
        for reason, students in self.unfilled.items():
            text = _("Left as it was, because {reason}: {students}.")
            yield text.format(reason=reason, students=listed(students))
        for text, who in (
            (_("NOT ENTERED, because the file has no line of theirs: {who}."), self.missing),
            (_("NOT ENTERED, because the file has several lines of theirs: {who}."), self.several),
            (_("Lines of nobody in the class, left as they were: {who}."), self.strangers),
        ):
            if who:
                yield text.format(who=printable(listed(who)))
        yield from told_old_lateness(self.old)


def enter_marks(
    assignment: str, into: Path, column: str | None = None, db: str | None = None
) -> Entered:
    """Write a copy of an exported gradebook in which an assignment's marks stand.

    Parameters
    ----------
    assignment : str
        Its id.
    into : Path
        What the platform exported, as CSV or separated by tabs.
    column : str, optional
        The name of the column, or a part of it that no other column has; if not given, the one that
        bears the assignment's name, or that of Moodle's worksheet.
    db : str, optional
        The gradebook's address, if not that of nbgrader_config.py.

    Raises
    ------
    Problem
        If it cannot be told which column is meant, or which lines are whose.
    """
    config = read_config(db)
    need_assignment(config, assignment)
    course = CourseDirectory(config=config)
    if not into.is_file():
        raise Problem(_("There is no file {path}.").format(path=into))
    table = read_table(into)
    if len(table.rows) < 2:
        raise Problem(_("{path} is no table: it has no lines.").format(path=into))
    at = _column(table, column, assignment)
    rows, _exercises = read_class(course, assignment)
    lines, strangers = _whose_lines(table, _roster(course), at)
    target = into.with_name(f"{into.stem}-marks{into.suffix}")
    old = old_lateness(config, assignment)
    entered = Entered(target, table.rows[0][at], strangers=strangers, old=old)
    _fill(table, at, rows, lines, entered)
    table.write(target)
    return entered


def _column(table: Table, wanted: str | None, assignment: str) -> int:
    """Return the number of the column that the marks go into."""
    columns = table.rows[0]
    keys = [key(column) for column in columns]
    name = wanted or assignment
    # Canvas puts its own number behind the name.
    plain = [re.sub(r" \(\d+\)$", "", column.strip()) for column in columns]
    found = [n for n, column in enumerate(columns) if column.strip() == name]
    found = found or [n for n, column in enumerate(plain) if key(column) == key(name)]
    found = found or [n for n, its in enumerate(keys) if key(name) in its]
    if not (wanted or found) and (most := _moodles_most(table)):
        found = [most - 1]
    if len(found) == 1:
        return found[0]
    text = _("It is not plain which column the marks go into. Name it with --column: {columns}")
    listed = [columns[n] for n in found] or columns
    raise Problem(text.format(columns=printable(" | ".join(listed))))


def _roster(course: CourseDirectory) -> Roster:
    """Everybody in the gradebook, by all names that the gradebook and the roster have."""
    with Gradebook(course.db_url, course.course_id) as gradebook:
        columns = ("id", "first_name", "last_name", "email", "lms_user_id")
        known = [{c: getattr(s, c) or "" for c in columns} for s in gradebook.students]
    path = roster_path(course)
    ids = {row["id"] for row in known}
    more = read_table(path).dicts() if path.is_file() else []
    return Roster([*known, *(row for row in more if row.get("id") in ids)])


def _whose_lines(table: Table, roster: Roster, marks: int) -> tuple[dict[int, str], list[str]]:
    """Return whose the lines are, by their numbers, and what the lines of others begin with.

    Platforms name their columns in many languages. So what identifies students is found by what it
    holds: a column, or two side by side, such as first and last names, most of whose cells the
    roster knows, each time another student.
    """
    width = len(table.rows[0])
    lines = [row + [""] * (width - len(row)) for row in table.rows[1:]]
    clues = [[row[n] for row in lines] for n in range(width) if n != marks]
    clues += [[f"{row[n]} {row[n + 1]}" for row in lines] for n in range(width - 1)]
    found: dict[int, set[str]] = {}
    for cells in clues:
        known = {n: who for n, cell in enumerate(cells) if (who := _known(roster, cell))}
        filled = sum(1 for cell in cells if cell.strip())
        distinct = max(Counter(known.values()).values(), default=0) <= 2  # one line may be doubled
        if known and distinct and 2 * len(known) >= filled:
            for n, who in known.items():
                found.setdefault(n, set()).add(who)
    if not found:
        raise Problem(
            _(
                "The class knows nobody in this file. Add a column with the platform's names or "
                "numbers to autograder/students.csv."
            )
        )
    whose = {n + 1: who.copy().pop() for n, who in found.items() if len(who) == 1}
    strangers = [" ".join(row[:2]).strip() for n, row in enumerate(lines, 1) if n not in whose]
    return whose, [begin for begin in strangers if begin]


def _known(roster: Roster, cell: str) -> str | None:
    try:
        return roster.whose([cell], cell) if cell.strip() else None
    except Unknown:
        return None


def _fill(table: Table, at: int, rows: list[Row], lines: dict[int, str], entered: Entered) -> None:
    most, comma = _most(table, at)
    lessons_most = max((row.most for row in rows if row.graded), default=0.0)
    factor = most / lessons_most if most and lessons_most else 1.0
    if factor != 1:
        text = _("The column has {most} points and the lesson {lesson}: the marks are scaled.")
        entered.scale = text.format(most=number(most), lesson=number(lessons_most))
    count = Counter(lines.values())
    line_of = {who: n for n, who in lines.items()}
    for row in rows:
        reason = _unfinished(row)
        if row.id not in count:
            if reason is None:
                entered.missing.append(row.id)
        elif count[row.id] > 1:
            entered.several.append(row.id)
        elif reason:
            entered.unfilled.setdefault(reason, []).append(row.id)
        else:
            mark = number(row.score * factor)
            cells = table.rows[line_of[row.id]]
            cells += [""] * (at + 1 - len(cells))
            entered.changed += _is_another(cells[at], mark)
            entered.filled += 1
            cells[at] = mark.replace(".", ",") if comma else mark


def _unfinished(row: Row) -> str | None:
    """Say why a student has no mark yet, or None."""
    if not row.handed_in:
        return _("nothing was handed in")
    if not row.graded:
        return _("it is not graded yet")
    if any(work.to_mark for work in row.works.values()):
        return _("it waits for marks by hand")
    return None


def _most(table: Table, at: int) -> tuple[float | None, bool]:
    """Return how many points the column has, if the file says so, and whether it writes 1,5."""
    columns = table.rows[0]
    match = _MOST.search(columns[at])
    said = match[1] if match else ""
    if _moodles_most(table) == at + 1:
        said = table.rows[1][at + 1]
    for row in table.rows[1:]:
        if not said and at < len(row) and key(row[0]) == _CANVAS_MOST:
            said = row[at]
    return _value(said), "," in said


def _moodles_most(table: Table) -> int | None:
    """Return which column of Moodle's worksheet holds the assignment's points; None of other files.

    It stands right of the marks, whatever language its name is in: the last one that has the same
    number in each line.
    """
    lines = table.rows[1:]
    if not all(_PARTICIPANT.fullmatch(row[0]) for row in lines):
        return None
    columns = [set(cells) for cells in zip(*lines, strict=False)]
    same = [n for n, cells in enumerate(columns) if len(cells) == 1 and _value(*cells) is not None]
    return same[-1] if same else None


def _value(text: str) -> float | None:
    try:
        return float(text.strip().replace(",", "."))
    except ValueError:
        return None


def _is_another(cell: str, mark: str) -> bool:
    if not cell.strip() or cell.strip() == "-":
        return False
    value = _value(cell)
    return value is None or abs(value - float(mark)) > 0.005
