"""What learning platforms write into the names of files and folders, to say whose they are.

Moodle       Ada Lovelace_77_assignsubmission_file/week.ipynb
Canvas       lovelaceada_LATE_12345_678_week-1.ipynb
Brightspace  39786-640693 - Ada Lovelace - Oct 10, 2025 1022 AM/week.ipynb
Blackboard   Week 1_ada_attempt_2025-10-10-10-22-05_week.ipynb
"""

import re
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Label:
    """What the name of a file or a folder says of a hand-in."""

    platform: str
    names: tuple[str, ...]  # what its owner may be called; the likeliest first
    number: str  # the platform's number of its owner, the same in every lesson; "" if there is none
    owner: str  # one word for its owner, another one for everybody else
    rest: str  # the file's own name; "" if the label is a folder's
    when: datetime | None = None  # when it was handed in, by the platform's clock on the wall
    late: bool = False  # the platform says that it is late
    participant: str = ""  # Moodle's number of its owner, another one in every lesson


# Characters. No file system has longer names; in an archive that a student made they may be.
MOST = 255

_MOODLE = re.compile(
    r"(?P<name>[^_]+)_(?P<number>\d+)_assignsubmission_(?:file|onlinetext)_*(?P<rest>.*)", re.S
)
# Without a name where hand-ins are anonymous. A link or a text in the place of a file has no
# second number.
_CANVAS = re.compile(
    r"(?:(?P<name>[^_+]+?)_)??(?P<late>LATE_)?(?P<number>\d+|anon_[^\W_]+)_(?:\d+_(?P<rest>.+)|"
    r"(?P<kind>text|link)\.html)",
    re.S,
)
_BRIGHTSPACE = re.compile(
    r"(?P<number>\d+)-\d+ - (?P<name>.+?) - (?P<when>(?:(?! - ).)*\b\d{4}\b(?:(?! - ).)*)"
    r"(?: - (?P<rest>.+))?",
    re.S,
)
_BRIGHTSPACE_TIMES = ("%b %d, %Y %I%M %p", "%B %d, %Y %I%M %p", "%d %B, %Y %I%M %p")
_BLACKBOARD = re.compile(
    r"(?P<name>.+?)_attempt_(?P<when>\d{4}(?:-\d{2}){5})(?:_(?P<rest>.+)|\.txt)", re.S
)


def label(name: str) -> Label | None:
    """Read one name, of a file or of a folder; None if no platform wrote it.

    Parameters
    ----------
    name : str
        One part of a path.
    """
    if len(name) > MOST:
        return None
    if match := _MOODLE.fullmatch(name):
        person = match["name"]
        # Where there are groups, the group's name and a hyphen stand in front.
        names = (person, *(person[at + 1 :] for at, c in enumerate(person) if c == "-"))
        number = match["number"]
        owner = f"{person}_{number}"
        return Label("Moodle", names, "", owner, match["rest"], participant=number)
    if match := _BRIGHTSPACE.fullmatch(name):
        # 1:05 stands there as 105, in which strptime sees the hour 10.
        clock = re.sub(r"\b(\d)(\d\d) (?=[AP]M)", r"0\1\2 ", match["when"])
        person, when = match["name"], _parsed(clock, *_BRIGHTSPACE_TIMES)
        owner = f"{person}_{match['number']}"
        return Label("Brightspace", (person,), match["number"], owner, match["rest"] or "", when)
    if match := _BLACKBOARD.fullmatch(name):
        # The lesson's name in front, and a login, may hold a _ themselves.
        parts = match["name"].split("_")
        names = tuple("_".join(parts[at:]) for at in range(len(parts) - 1, -1, -1))
        when = _parsed(match["when"], "%Y-%m-%d-%H-%M-%S")
        return Label("Blackboard", names, "", match["name"], match["rest"] or "", when)
    if match := _CANVAS.fullmatch(name):
        number, anonymous = match["number"], match["number"].startswith("anon_")
        if not (match["name"] or anonymous):
            return None
        names = (match["name"],) if match["name"] else (number,)
        owner = "_".join(filter(None, (match["name"], number)))
        late = bool(match["late"])
        rest = match["rest"] or ""
        return Label("Canvas", names, "" if anonymous else number, owner, rest, late=late)
    return None


def _parsed(text: str, *forms: str) -> datetime | None:
    for form in forms:
        try:
            return datetime.strptime(text.strip(), form)
        except ValueError:
            continue
    return None
