"""``python -m autograder report``: how a class did, on one page without scripts, and as a table.

What it tells of each student is a row of `rows.py`.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean, median

import jinja2
from markupsafe import Markup
from nbgrader.coursedir import CourseDirectory

from autograder.class_run.alike import Alike, find_alike
from autograder.class_run.replies import count_replies
from autograder.class_run.rows import Row, read_class, traits_of_the_lesson, without_names
from autograder.nbgrader_steps import times
from autograder.nbgrader_steps.course import need_assignment, read_config
from autograder.nbgrader_steps.feedback import breakable, html_language, known_words, number
from autograder.nbgrader_steps.in_one_move import in_one_move
from autograder.nbgrader_steps.late import old_lateness
from autograder.nbgrader_steps.seen import Seen, label
from autograder.nbgrader_steps.tables import write_table
from autograder.nbgrader_steps.trusted import runs_inside
from illustrated_attention.cards import marked
from illustrated_attention.language import _, current, listed, parted, together

MOST_ALIKE = 30  # pairs that are shown


@dataclass(frozen=True)
class Finding:
    """What went wrong in an exercise, and for how many."""

    sign: str
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
    old = set(old_lateness(config, assignment))
    for row in rows:
        row.old_lateness = row.id in old
    graded = Path(course.format_path(course.autograded_directory, ".", "."))
    folder = graded.parent / "reports"
    folder.mkdir(exist_ok=True)
    page, spreadsheet = folder / f"{assignment}.html", folder / f"{assignment}.csv"
    if config.ClassReport.get("anonymous", False):
        rows = without_names(course, assignment, rows)
    released, solution = (
        traits_of_the_lesson(course, folder, assignment)
        for folder in (course.release_directory, course.source_directory)
    )
    alike = find_alike({row.id: row.traits for row in rows if row.traits}, released, solution)
    html = make_page(assignment, rows, exercises, runs_inside(config, assignment), alike)
    with in_one_move(page) as new:
        new.write_text(html, encoding="utf-8", errors="replace")
    write_table(spreadsheet, table(rows, exercises))
    return [page, spreadsheet]


def findings(rows: list[Row], exercise: str) -> list[Finding]:
    """Return what went wrong in an exercise, the most frequent first, in parts of all hand-ins."""
    works = [(row.works[exercise], row.language) for row in rows if row.graded]
    # A cause is told each student with a line or a name of theirs: its id is counted. Where there
    # is none, what was seen is.
    told: dict[tuple, Counter] = defaultdict(Counter)
    readable = set()  # in the reader's language: told rather than others
    for work, language in works:
        seen = work.shown
        if seen.kind in ("right", "to_mark", "refused"):
            continue
        cause = seen.mistake if seen.kind == "cause" else seen.after
        words = seen.message if seen.kind in ("unknown", "stopped") else None
        known = _known_to_reader(seen, exercise, language)
        told[seen.sign, cause, words][known or seen] += 1
        if known:
            readable.add(known)
    found = []
    for (sign, *_cause), all_seen in told.items():
        best = max(all_seen.items(), key=lambda one: (one[0] in readable, one[1]))[0]
        count = all_seen.total()
        percent = round(100 * count / len(works))
        found.append(Finding(sign, best.words, best.message, count, percent))
    return sorted(found, key=lambda one: (-one.count, one.sign, one.what, one.message))


def _known_to_reader(seen: Seen, exercise: str, language: str) -> Seen | None:
    """Tell what was seen in the reader's language; None if only the hand-in's has words for it."""
    words = known_words(exercise.split(": ")[-1], seen.mistake) if seen.kind == "cause" else ""
    if words or language == current():
        return replace(seen, message=words or seen.message)
    return None


def _shortly(seen: Seen, exercise: str, language: str) -> str:
    """Write what was seen of one student's work into a cell of the table."""
    return (_known_to_reader(seen, exercise, language) or replace(seen, message="")).words


def make_page(
    assignment: str,
    rows: list[Row],
    exercises: list[str],
    inside: Sequence[str] = (),
    alike: Sequence[Alike] = (),
) -> str:
    """Return the report as one HTML page.

    Parameters
    ----------
    inside : sequence of str
        The tests whose marks can be forged.
    alike : sequence of Alike
        Students whose functions are built alike; the first of them are shown.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(_=_, language=html_language, label=label)
    environment.globals.update(listed=listed, parted=parted, together=together)
    environment.globals.update(shortly=_shortly)
    environment.filters["number"] = number
    environment.filters["breakable"] = breakable
    environment.filters["marked"] = lambda text: Markup(marked(text))
    graded = [row for row in rows if row.graded]
    scores = [row.score for row in graded]
    kinds = {work.shown.kind for row in graded for work in row.works.values()}
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
        signs=parted(" ".join(label(kind)) for kind in sorted(kinds)),
        refused=sum(bool(row.refused) for row in graded),
        questions=count_replies(row.replies for row in graded),
        alike=alike[:MOST_ALIKE],
        all_alike=len(alike),
        name_of={row.id: row.name for row in rows},
        inside=[path.partition("/")[2] for path in inside],
    )


def _in_table(seen: Seen) -> str:
    """The id of a cause; else its kind, but nothing of what is right."""
    if seen.kind == "cause":
        return seen.mistake or ""
    return "" if seen.kind == "right" else seen.words


def table(rows: list[Row], exercises: list[str]) -> Iterator[list[str]]:
    """A line for each student, for a spreadsheet."""
    columns = [f"{name}{part}" for name in exercises for part in (" points", " seen")]
    yield ["student_id", "name", "handed_in", "points", "of", "late", "attention", *columns]
    for row in rows:
        line = [row.id, row.name, row.when or ("yes" if row.handed_in else "no")]
        points = [number(row.score), number(row.most), number(row.penalty)]
        line += [*(points if row.graded else ["", "", ""]), parted(row.reasons)]
        for name in exercises:
            work = row.works.get(name)
            line += [number(work.score), _in_table(work.shown)] if work else ["", ""]
        yield line
