"""``python -m autograder due``: until when to hand in, for the class or for one student."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from nbgrader.api import Gradebook, MissingEntry, SubmittedAssignment
from nbgrader.coursedir import CourseDirectory

from autograder.nbgrader_steps import times
from autograder.nbgrader_steps.course import need_assignment, read_config
from autograder.nbgrader_steps.late import old_lateness, told_old_lateness
from autograder.nbgrader_steps.problem import Problem
from illustrated_attention.language import _

FORM = "%Y-%m-%d %H:%M"


def due(
    assignment: str, when: str | None = None, student: str | None = None, db: str | None = None
) -> list[str]:
    """Set until when to hand in, if `when` says it, and return in sentences what holds now.

    Parameters
    ----------
    assignment : str
        Its id.
    when : str, optional
        What the clock on the class's wall shows then: ``2027-03-01 23:59``; or ``never``.
    student : str, optional
        Set it for this student only: an extension. ``never`` takes the extension back.
    db : str, optional
        The gradebook's address, if not that of nbgrader_config.py.

    Raises
    ------
    Problem
        If `when` is no time, or the gradebook does not know the student.
    """
    config = read_config(db)
    need_assignment(config, assignment)
    course = CourseDirectory(config=config)
    zone = times.course_zone(config)
    wall = _wall(when, zone) if when else None
    with Gradebook(course.db_url, course.course_id) as gradebook:
        if when and student:
            _extend(gradebook, assignment, student, wall)
        elif when:
            _set(gradebook, assignment, wall)
        said = list(_what_holds(gradebook, assignment, zone))
    return [*said, *told_old_lateness(old_lateness(config, assignment))]


def _wall(text: str, zone: ZoneInfo | None) -> datetime | None:
    """Read what the clock shows; return it in UTC, None for never."""
    if text.strip() == "never":
        return None
    try:
        wall = datetime.strptime(text.strip(), FORM)
    except ValueError:
        said = _("{text} is no time. Write it as on the class's clock: 2027-03-01 23:59")
        raise Problem(said.format(text=text)) from None
    utc = times.to_utc(wall.replace(fold=1), zone)  # of an hour that comes twice, the second
    if times.on_the_wall(utc, zone).replace(tzinfo=None) != wall:
        said = _("{text} does not exist: clocks are put forward then. Take an hour later.")
        raise Problem(said.format(text=text))
    return utc


def _set(gradebook: Gradebook, assignment: str, utc: datetime | None) -> None:
    """Set the due date; who has an extension keeps it to the minute."""
    its = gradebook.find_assignment(assignment)
    for hand_in in _submissions(gradebook, assignment):
        if hand_in.extension and its.duedate and utc:
            until = its.duedate + hand_in.extension
            hand_in.extension = until - utc if until > utc else None
    its.duedate = utc
    gradebook.db.commit()


def _extend(gradebook: Gradebook, assignment: str, student: str, utc: datetime | None) -> None:
    its = gradebook.find_assignment(assignment)
    if its.duedate is None:
        text = _("{assignment} has no due date yet: nobody needs an extension.")
        raise Problem(text.format(assignment=assignment))
    try:
        gradebook.find_student(student)
    except MissingEntry:
        text = _(
            "The gradebook does not know {student}. Enter the class first: nbgrader db student "
            "import autograder/students.csv"
        )
        raise Problem(text.format(student=student)) from None
    extension = utc - its.duedate if utc else timedelta()
    if extension < timedelta():
        raise Problem(_("That is before the class has to hand in."))
    if extension or student in {s.student_id for s in _submissions(gradebook, assignment)}:
        gradebook.update_or_create_submission(assignment, student, extension=extension or None)


def _submissions(gradebook: Gradebook, assignment: str) -> list[SubmittedAssignment]:
    return gradebook.find_assignment(assignment).submissions


def _what_holds(gradebook: Gradebook, assignment: str, zone: ZoneInfo | None) -> Iterator[str]:
    its = gradebook.find_assignment(assignment)
    if its.duedate is None:
        yield _("{assignment} may be handed in at any time.").format(assignment=assignment)
        return
    text = _("{assignment} is due {when} ({utc} UTC).")
    utc = its.duedate.replace(tzinfo=UTC).strftime(FORM)
    yield text.format(assignment=assignment, when=times.shown(its.duedate, zone), utc=utc)
    for hand_in in sorted(_submissions(gradebook, assignment), key=lambda s: s.student_id):
        if hand_in.extension:
            text = _("{student} has until {when}.")
            when = times.shown(its.duedate + hand_in.extension, zone)
            yield text.format(student=hand_in.student_id, when=when)
