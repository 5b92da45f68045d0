"""Times as people read them. nbgrader keeps all times in UTC; a class has a clock on its wall.

Which clock, `c.CourseTime.zone = "Europe/Berlin"` in nbgrader_config.py says; else it is the
machine's.
"""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from traitlets.config import Config

from autograder.nbgrader_steps.problem import Problem
from illustrated_attention.language import _


def course_zone(config: Config) -> ZoneInfo | None:
    """Return the class's time zone; None is the machine's.

    Raises
    ------
    Problem
        If the setting names none.
    """
    name = config.CourseTime.get("zone", "")
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        text = _(
            "{name} is no time zone. Write c.CourseTime.zone as in the tz database: Europe/Berlin"
        )
        raise Problem(text.format(name=name)) from None


def to_utc(wall: datetime, zone: ZoneInfo | None) -> datetime:
    """Return in UTC, as nbgrader keeps it, what a clock on the wall shows.

    Of an hour that comes twice, when clocks are put back, it is the first, unless `wall.fold` is 1.
    """
    return wall.replace(tzinfo=zone).astimezone(UTC).replace(tzinfo=None)


def on_the_wall(utc: datetime, zone: ZoneInfo | None) -> datetime:
    """Return what the clock on the wall shows at a time that nbgrader keeps; it knows its zone."""
    return utc.replace(tzinfo=UTC).astimezone(zone)


def shown(utc: datetime, zone: ZoneInfo | None) -> str:
    """Write a time that nbgrader keeps for people: 2027-03-01 23:59 CET."""
    return on_the_wall(utc, zone).strftime("%Y-%m-%d %H:%M %Z")
