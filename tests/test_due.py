"""Until when to hand in: by the clock on the class's wall, for the class and for one student."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy
from nbformat.v4 import new_notebook
from nbgrader.api import Gradebook
from nbgrader.preprocessors import AssignLatePenalties
from small_course import ASSIGNMENT, FULL, NOTEBOOK
from traitlets.config import Config

from autograder.__main__ import main
from autograder.class_run.report import write_report
from autograder.class_run.rows import read_class
from autograder.nbgrader_steps.late import days_begun, old_lateness
from autograder.nbgrader_steps.settings import configure_grading

BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
STUDENTS = ("ada", "bob", "cleo", "dan", "eve", "fay")


def utc(text):
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S")


@pytest.mark.parametrize(
    "zone, due, when, days",
    [
        # Due on the 1st, a minute before midnight in Berlin: 22:59 in UTC.
        (BERLIN, "2027-03-01 22:59:00", "2027-03-01 22:59:00", 0),
        (BERLIN, "2027-03-01 22:59:00", "2027-03-01 22:59:01", 1),
        (BERLIN, "2027-03-01 22:59:00", "2027-03-02 22:59:00", 1),
        (BERLIN, "2027-03-01 22:59:00", "2027-03-02 22:59:01", 2),
        # Clocks are put forward on March 28th: that day has 23 hours,
        (BERLIN, "2027-03-27 22:59:00", "2027-03-28 21:59:00", 1),
        (BERLIN, "2027-03-27 22:59:00", "2027-03-28 21:59:01", 2),
        # and back on October 31st: that day has 25.
        (BERLIN, "2027-10-30 21:59:00", "2027-10-31 22:59:00", 1),
        (BERLIN, "2027-10-30 21:59:00", "2027-10-31 22:59:01", 2),
        # Within the hour that comes twice the wall's clock is back before it was due.
        (BERLIN, "2027-10-31 00:50:00", "2027-10-31 01:10:00", 1),
        # In New York clocks are put back a week later.
        (NEW_YORK, "2027-10-30 21:59:00", "2027-10-31 21:59:01", 2),
        (NEW_YORK, "2027-11-07 03:59:00", "2027-11-08 04:59:00", 1),
    ],
)
def test_a_day_is_over_when_the_clock_shows_the_same_time_again(zone, due, when, days):
    assert days_begun(utc(due), utc(when), zone) == days


@pytest.fixture
def course(released, tmp_path, monkeypatch):
    """A class in Berlin, of which nobody has handed in."""
    course = released.copy(tmp_path / "course")
    course.write_settings("c.CourseTime.zone = 'Europe/Berlin'\n")
    monkeypatch.chdir(course.root)
    with Gradebook(course.config.CourseDirectory.db_url, "small") as gradebook:
        for student in STUDENTS:
            gradebook.add_student(student)
    return course


@pytest.fixture
def due(capsys):
    def run(*options):
        code = main(["due", ASSIGNMENT, *options])
        said = capsys.readouterr()
        return code, said.out + said.err

    return run


def test_what_is_set_is_what_the_clock_shows(course, due):
    assert due() == (0, "week may be handed in at any time.\n")
    _code, said = due("2027-03-28 23:59")
    assert said == "week is due 2027-03-28 23:59 CEST (2027-03-28 21:59 UTC).\n"
    _code, said = due("2027-03-27 23:59")
    assert said == "week is due 2027-03-27 23:59 CET (2027-03-27 22:59 UTC).\n"
    # Ada has a day more, which has 23 hours; the class's new date changes nothing for her.
    _code, said = due("2027-03-28 23:59", "--student", "ada")
    assert said.endswith("ada has until 2027-03-28 23:59 CEST.\n")
    _code, said = due("2027-03-26 12:00")
    assert said.endswith("ada has until 2027-03-28 23:59 CEST.\n")
    _code, said = due("never", "--student", "ada")
    assert "ada" not in said
    assert due("never")[1] == "week may be handed in at any time.\n"


def test_what_cannot_be_set_is_said(course, due):
    assert "no due date yet" in due("2027-03-01 12:00", "--student", "ada")[1]
    # An hour that comes twice is over after its second time; one that is left out never comes.
    assert "02:30 CET (2027-10-31 01:30 UTC)" in due("2027-10-31 02:30")[1]
    code, said = due("2027-03-28 02:30")
    assert code == 2 and "does not exist" in said
    for when in ("tomorrow", "2027-03-01", "2027-02-30 12:00", "2027-03-01 12:00 CET"):
        assert "is no time" in due(when)[1]
    assert "does not know zoe" in due("2028-01-01 12:00", "--student", "zoe")[1]
    assert "before the class" in due("2027-01-01 12:00", "--student", "ada")[1]
    assert "02:30 CET" in due()[1]  # nothing of this has changed it


def hand_in(course, student, when):
    """Enter what grading enters: all 8 points, and when it was handed in."""
    with Gradebook(course.config.CourseDirectory.db_url, "small") as gradebook:
        gradebook.update_or_create_submission(ASSIGNMENT, student, timestamp=when)
        for name, points in FULL.items():
            gradebook.find_grade(name, NOTEBOOK, ASSIGNMENT, student).auto_score = points
        gradebook.db.commit()
    for folder in ("submitted", "autograded"):
        (course.root / folder / student / ASSIGNMENT).mkdir(parents=True)


def scores(course, **settings):
    """Let nbgrader's step take off what it takes off; return what is left, and all rows."""
    config = course.config
    config.CourseTime.zone = "Europe/Berlin"
    configure_grading(config)
    config.merge(Config(settings))
    for path in course.root.glob("autograded/*"):
        its = {"notebook": NOTEBOOK, "assignment": ASSIGNMENT, "student": path.name}
        its["db_url"] = config.CourseDirectory.db_url
        AssignLatePenalties(config=config).preprocess(new_notebook(), {"nbgrader": its})
    rows = {row.id: row for row in read_class(course.course, ASSIGNMENT, BERLIN)[0]}
    return {student: row.score for student, row in rows.items() if row.graded}, rows


def test_points_are_taken_off_for_each_day_begun_and_never_within_an_extension(course, due):
    due("2027-10-30 23:59")
    due("2027-11-05 23:59", "--student", "cleo")
    due("2027-11-05 23:59", "--student", "fay")  # and never hands in
    for student, when in {
        "ada": "2027-10-30 21:59:00 UTC",  # to the second
        "bob": "2027-10-30 22:09:00 UTC",  # ten minutes late, and on the next day
        "cleo": "2027-11-05 22:59:00 UTC",
        "dan": "2027-10-31 22:30:00 UTC",  # 24 and a half hours late, on a day of 25
        "eve": "2027-12-31 12:00:00 UTC",
    }.items():
        hand_in(course, student, when)
    left, rows = scores(course)
    assert left == dict.fromkeys(STUDENTS[:5], 8.0)  # nothing is taken off unasked
    assert [student for student, row in rows.items() if row.late] == ["bob", "dan", "eve"]
    assert not rows["fay"].handed_in and rows["dan"].when == "2027-10-31 23:30 CET"
    left, _rows = scores(course, LatePenalty={"percent_a_day": 10.0, "grace_minutes": 10})
    assert left == {"ada": 8.0, "bob": 8.0, "cleo": 8.0, "dan": 7.2, "eve": 0.0}
    left, rows = scores(course, LatePenalty={"percent_a_day": 10.0})
    assert left["bob"] == 7.2 and "handed in late: 0.8 points less" in rows["bob"].reasons
    left, _rows = scores(course, LateSubmissionPlugin={"penalty_method": "zero"})  # nbgrader's own
    assert left == {"ada": 8.0, "bob": 0.0, "cleo": 8.0, "dan": 0.0, "eve": 0.0}


def told_old(due):
    """Whose points off for lateness are old, as `due` tells."""
    return due()[1].partition("grade these again with --force. ")[2].strip()


def test_who_has_old_points_off_is_told_as_long_as_it_is_so(course, due):
    due("2027-10-30 23:59")
    hand_in(course, "bob", "2027-10-30 22:09:00 UTC")
    hand_in(course, "dan", "2027-10-31 22:30:00 UTC")
    scores(course)
    due("2027-10-31 12:00")  # another date: nothing was taken off, and nothing would be
    assert not told_old(due)
    ten = "c.CourseTime.zone = 'Europe/Berlin'\nc.LatePenalty.percent_a_day = 10\n"
    course.write_settings(ten)  # another setting
    assert told_old(due) == "dan"
    assert scores(course, LatePenalty={"percent_a_day": 10.0})[0] == {"bob": 8.0, "dan": 7.2}
    assert not told_old(due)
    due("2027-10-30 23:59")
    assert told_old(due) == "bob"  # dan's first day goes on until midnight: it has 25 hours
    page, _table = write_report(ASSIGNMENT)
    assert page.read_text().count("off for lateness is old: grade again with --force") == 1
    scores(course, LatePenalty={"percent_a_day": 10.0})
    with Gradebook(course.config.CourseDirectory.db_url, "small") as gradebook:  # a score by hand
        gradebook.find_grade("essay", NOTEBOOK, ASSIGNMENT, "dan").manual_score = 2
        gradebook.db.commit()
    assert told_old(due) == "dan"


def test_who_has_old_points_off_takes_as_many_questions_for_a_large_class(course):
    configure_grading(course.config)
    asked = []

    def ask(connection, cursor, statement, *_):
        asked.append(statement)

    hand_in(course, "ada", "2027-10-30 22:09:00 UTC")
    sqlalchemy.event.listen(sqlalchemy.Engine, "before_cursor_execute", ask)
    try:
        old_lateness(course.config, ASSIGNMENT)
        for_one = len(asked)
        for student in ("bob", "cleo", "dan"):
            hand_in(course, student, "2027-10-30 22:09:00 UTC")
        asked.clear()
        old_lateness(course.config, ASSIGNMENT)
    finally:
        sqlalchemy.event.remove(sqlalchemy.Engine, "before_cursor_execute", ask)
    assert len(asked) == for_one > 0


@pytest.mark.usefixtures("confined")
def test_an_extension_that_was_there_before_the_hand_in_is_kept_by_grading(course, due):
    due("2027-10-30 23:59")
    due("2027-10-31 23:59", "--student", "ada")
    for student in ("ada", "bob"):
        folder = course.hand_in(student)
        (folder / "timestamp.txt").write_text("2027-10-31 22:59:00 UTC")
    course.autograde(LatePenalty={"percent_a_day": 50.0}, CourseTime={"zone": "Europe/Berlin"})
    rows = {row.id: row for row in read_class(course.course, ASSIGNMENT, BERLIN)[0]}
    full = sum(FULL.values())
    assert rows["ada"].score == full and rows["bob"].score == full / 2
    assert "ada has until 2027-10-31 23:59 CET.\n" in due()[1]
