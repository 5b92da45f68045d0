"""Who is in the class, and under which names learning platforms know them.

The roster is `autograder/students.csv`, the same file that `nbgrader db student import` reads.
Where there is none, everybody is taken under the name that a platform gives.
"""

import contextlib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from nbgrader.coursedir import CourseDirectory

from autograder.nbgrader_steps.tables import read_table
from illustrated_attention.language import _, listed

NAMES = ("id", "email", "name", "login")  # columns with one name of a student each
NUMBERS = ("number", "lms_user_id")

# Letters that have no accent to take away, as they are written where they cannot be typed.
_PLAIN = str.maketrans({"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th"})
_GERMAN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})


class Unknown(Exception):
    """It cannot be told which student is meant. The text says why."""


class Roster:
    """The students of a class.

    Parameters
    ----------
    students : iterable of mapping
        For each student a row with the columns of `NAMES` and `NUMBERS`, ``first_name`` and
        ``last_name``; all but ``id`` may be missing.
    """

    def __init__(self, students: Iterable[Mapping[str, str]]):
        self.ids: list[str] = []
        self._names: defaultdict[str, set[str]] = defaultdict(set)
        self._loosely: defaultdict[str, set[str]] = defaultdict(set)
        self._numbers: defaultdict[str, set[str]] = defaultdict(set)
        for row in students:
            student = (row.get("id") or "").strip()
            if not student:
                continue
            self.ids.append(student)
            first, last = row.get("first_name") or "", row.get("last_name") or ""
            full = [first + last, last + first] if first and last else []
            for name in [*(row.get(column) or "" for column in NAMES), *full]:
                if exact := key(name):
                    self._names[exact].add(student)
                for loose in _loose_keys(name):
                    self._loosely[loose].add(student)
            for column in NUMBERS:
                if number := _bare(row.get(column) or ""):
                    self._numbers[number].add(student)

    def whose(self, names: Iterable[str], number: str = "") -> str:
        """Return the id of the student who is called so.

        Parameters
        ----------
        names : iterable of str
            What the student may be called: an id, an address, a login, a full name in any order.
        number : str
            The platform's number of the student, if it has one: it decides among those of one name.

        Raises
        ------
        Unknown
            If that is nobody, or may be several.
        """
        names = [name for name in names if name]
        by_number = self._numbers.get(_bare(number), set())
        by_name: set[str] = set()
        for name in names:
            by_name |= self._names.get(key(name), set())
        for loose in [] if by_name else [loose for name in names for loose in _loose_keys(name)]:
            by_name |= self._loosely.get(loose, set())
        if by_number and by_name and not by_number & by_name:
            text = _("its number is that of {number}, and its name that of {name}")
            raise Unknown(text.format(number=_listed(by_number), name=_listed(by_name)))
        found = by_number & by_name or by_number or by_name
        if not found:
            text = _("nobody in the roster is called {name}")
            raise Unknown(text.format(name=names[0] if names else number))
        if len(found) > 1:
            text = _("several in the roster are called {name}: {students}")
            raise Unknown(text.format(name=names[0], students=_listed(found)))
        return found.pop()


def read_roster(course: CourseDirectory) -> Roster | None:
    """Return the class's roster, or None where there is none."""
    path = roster_path(course)
    return Roster(read_table(path).dicts()) if path.is_file() else None


def participants(roster: Roster, worksheet: Path) -> dict[str, str]:
    """Return whose Moodle's numbers are, by `key` of a full name with the number behind it.

    Moodle writes no more than these two on a hand-in, which does not tell apart two of one name.
    Its worksheet of the assignment has the address beside them.
    """
    found: dict[str, str] = {}
    for first, *others in read_table(worksheet).rows[1:]:
        whose = set()
        for cell in others:
            with contextlib.suppress(Unknown):
                whose.add(roster.whose([cell]))
        if (number := re.fullmatch(r"\D*(\d+)", first)) and len(whose) == 1:
            student = whose.pop()
            found |= {key(cell + number[1]): student for cell in others if key(cell)}
    return found


def roster_path(course: CourseDirectory) -> Path:
    """Where the roster is: beside the folder of what was handed in."""
    submitted = Path(course.format_path(course.submitted_directory, ".", "."))
    return submitted.parent / "students.csv"


def key(name: str) -> str:
    """Write a name so that spaces, signs, case and the way of typing an accent do not count."""
    return "".join(c for c in unicodedata.normalize("NFKC", name).casefold() if c.isalnum())


def _loose_keys(name: str) -> set[str]:
    """The same without accents, in the ways in which they are left out."""
    exact = key(name)
    without = unicodedata.normalize("NFKD", exact.translate(_PLAIN))
    bare = "".join(c for c in without if not unicodedata.combining(c))
    return {bare, exact.translate(_GERMAN)} - {""}


def _bare(number: str) -> str:
    return number.strip().lstrip("#")  # Brightspace writes #123, so that no zero in front is lost


def _listed(students: set[str]) -> str:
    return listed(sorted(students))
