"""Points taken off for handing in late, by the clock on the class's wall.

nbgrader's step `AssignLatePenalties` asks this plugin. nbgrader_config.py sets it:

    c.LatePenalty.percent_a_day = 10   # of the points reached, for each day begun
    c.LatePenalty.grace_minutes = 15   # as late as that is not late
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from nbgrader.api import Gradebook, SubmittedAssignment
from nbgrader.coursedir import CourseDirectory
from nbgrader.plugins import LateSubmissionPlugin
from nbgrader.preprocessors import AssignLatePenalties
from sqlalchemy.orm import selectinload
from traitlets import Float, Integer
from traitlets.config import Config

from autograder.nbgrader_steps.times import course_zone, on_the_wall
from illustrated_attention.language import _, listed


class LatePenalty(LateSubmissionPlugin):
    """Takes off a part for each day begun; nbgrader's `penalty_method` holds too."""

    percent_a_day = Float(
        0, min=0, help="Percent of the points reached that each day begun costs."
    ).tag(config=True)
    grace_minutes = Integer(0, min=0, help="As late as that costs nothing.").tag(config=True)

    def late_submission_penalty(self, student_id, score, total_seconds_late):
        """Return the points to take off, or None."""
        if total_seconds_late <= 60 * self.grace_minutes:
            return None
        if self.penalty_method != "none" or not self.percent_a_day:
            return super().late_submission_penalty(student_id, score, total_seconds_late)
        step = self.parent  # it has the gradebook open
        hand_in = step.gradebook.find_submission(step.assignment_id, student_id)
        days = days_begun(hand_in.duedate, hand_in.timestamp, course_zone(self.config))
        return round(score * min(1.0, days * self.percent_a_day / 100), 9)  # 0.6000000000000001


def old_lateness(config: Config, assignment: str) -> list[str]:
    """Return from whom grading again would take off other points for lateness than were.

    Grading takes them off the points that there are then: a due date, a setting or a score by hand
    that comes later changes nothing by itself.

    Parameters
    ----------
    config : Config
        nbgrader's, as `read_config` returns it.
    assignment : str
        The assignment's id.
    """
    course = CourseDirectory(config=config)
    step = AssignLatePenalties(config=config)
    step.init_plugin()
    old = set()
    with Gradebook(course.db_url, course.course_id) as gradebook:
        step.gradebook, step.assignment_id = gradebook, assignment  # a plugin asks for them
        its = gradebook.find_assignment(assignment)
        hand_ins = gradebook.db.query(SubmittedAssignment).filter_by(assignment=its)
        for hand_in in hand_ins.options(selectinload(SubmittedAssignment.notebooks)):
            student, late = hand_in.student_id, hand_in.total_seconds_late
            for notebook in hand_in.notebooks:
                points = 0.0
                if late > 0:
                    asked = step.plugin_inst.late_submission_penalty(student, notebook.score, late)
                    points = min(max(asked or 0.0, 0.0), notebook.score)
                if abs(points - (notebook.late_submission_penalty or 0.0)) > 1e-6:
                    old.add(student)
    return sorted(old)


def told_old_lateness(students: list[str]) -> list[str]:
    """Say it of these, in one sentence; in none if there is nobody."""
    text = _(
        "The points taken off for lateness are not what date, settings and scores give now: grade "
        "these again with --force. {students}"
    )
    return [text.format(students=listed(students))] if students else []


def days_begun(due: datetime, when: datetime, zone: ZoneInfo | None) -> int:
    """Return how many days late something is: the first begins when it is due.

    A day is over when the clock on the wall shows the same time again. When clocks are changed,
    that is after 23 or 25 hours.

    Parameters
    ----------
    due, when : datetime
        In UTC, as nbgrader keeps them.
    """
    if when <= due:
        return 0
    begins, ends = (on_the_wall(utc, zone).replace(tzinfo=None) for utc in (due, when))
    return max(1, -((begins - ends) // timedelta(days=1)))
