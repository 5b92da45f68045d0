"""Files that came by mail or from a learning platform, for `nbgrader zip_collect`.

Students name their file ``ada+01_self_attention.ipynb``. Platforms put a label of their own on the
file or on a folder (`labels.py`), browsers something behind the name, and many files come in one
archive. Whatever lies in ``archive/`` is looked through here; for each student the newest notebook
is written to ``extracted/`` under its plain name, from where nbgrader collects it. Everything that
is left out is said, and stops nobody else.
"""

import contextlib
import functools
import io
import lzma
import re
import sys
import tarfile
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from zoneinfo import ZoneInfo

from nbgrader.coursedir import CourseDirectory
from nbgrader.plugins import ExtractorPlugin, FileNameCollectorPlugin

from autograder.nbgrader_steps import names, times
from autograder.nbgrader_steps.course import unknown_lesson
from autograder.nbgrader_steps.hand_in import timestamp
from autograder.nbgrader_steps.labels import Label, label
from autograder.nbgrader_steps.refused_files import MAX_NOTEBOOK
from autograder.nbgrader_steps.roster import Unknown, key, participants, read_roster
from illustrated_attention.language import _, listed

MAX_MEMBERS = 20_000  # files in one archive
MAX_DEPTH = 2  # archives around an archive; one deeper is left out
PACKED = 30  # an archive may unpack to so many times its size, and
ROOM = 200 << 20  # bytes more

# What browsers and platforms put behind the name of a file that comes a second time.
_AGAIN = re.compile(r"(?P<name>.+?)(?: ?\((?P<a>\d+)\)|-Copy(?P<b>\d*)|-(?P<c>\d{1,3}))?", re.S)
_STAMP = "%Y%m%dT%H%M%SZ"  # how the time of a hand-in stands in the names of extracted files


@dataclass(frozen=True)
class Found:
    """One notebook among what came in."""

    student: str
    owner: str  # who handed it in, as the platform says; "" if nobody says
    place: str  # for messages
    notebook: str
    when: datetime  # in UTC
    again: int
    read: Callable[[], bytes]
    label: Label | None = None
    labelled: str = ""  # the part of the path that bears the label


class Unreadable(Exception):
    """A file or archive cannot be used. The text says why."""


# What damaged archives raise, with a password, an unknown method or an impossible date.
UNREADABLE = (
    *(Unreadable, OSError, EOFError, RuntimeError, ValueError, KeyError, OverflowError),
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError),
)


class Inbox:
    """Looks through what came in for one assignment.

    Parameters
    ----------
    course : CourseDirectory
        The course.
    assignment : str
        The assignment's id.
    zone : ZoneInfo, optional
        In which the platform's clock goes; the machine's if None.
    tell : callable
        Is told, in a sentence, of everything that is left out.
    """

    def __init__(
        self,
        course: CourseDirectory,
        assignment: str,
        zone: ZoneInfo | None,
        tell: Callable[[str], None],
    ):
        self.course, self.assignment, self.zone, self.tell = course, assignment, zone, tell
        self.roster = read_roster(course)
        self.participants: dict[str, str] = {}  # of Moodle, by its worksheets
        self.of_platforms: list[str] = []  # files that platforms add to everybody's

    def newest(self, archive: Path) -> dict[str, Found]:
        """Return the notebook that counts of each student who handed one in."""
        others = self._lessons() - {self.assignment.casefold()}
        by_student = defaultdict(list)
        paths = sorted(archive.rglob("*"))
        paths = [path for path in paths if path.is_file() and not path.is_symlink()]
        worksheets = [path for path in paths if self._is_worksheet(path, archive)]
        for path in paths:
            if path not in worksheets:
                for found in self._look_into(path, archive):
                    if found.notebook.casefold() in others:
                        self._leave_out(found.place, _("it is another lesson's"))
                    else:
                        by_student[found.student].append(found)
        if self.of_platforms:
            text = _("{count} files that the platform adds are left out, such as {place}")
            place = names.printable(self.of_platforms[0])
            self.tell(text.format(count=len(self.of_platforms), place=place))
        chosen = {s: self._choose(s, files) for s, files in sorted(by_student.items())}
        return {student: found for student, found in chosen.items() if found}

    def _is_worksheet(self, path: Path, archive: Path) -> bool:
        """Read whose Moodle's numbers are, if that is what a table tells.

        Only one that the instructor has put beside the archives: what lies deeper, or bears a
        label, came from a student.
        """
        is_table = path.parent == archive and path.suffix.lower() == ".csv"
        if not is_table or self.roster is None or label(path.name):
            return False
        numbers = participants(self.roster, path)
        if numbers:
            text = _("{place} tells whose Moodle's numbers are.")
            self.tell(text.format(place=names.printable(path.name)))
        self.participants |= numbers
        return bool(numbers)

    def _lessons(self) -> set[str]:
        """The notebooks of all assignments."""
        folder = Path(self.course.format_path(self.course.source_directory, ".", "."))
        return {path.stem.casefold() for path in folder.glob("*/*.ipynb")}

    def _look_into(self, path: Path, root: Path) -> list[Found]:
        place = str(path.relative_to(root))
        try:
            return list(self._notebooks(path, place, path.stat().st_size * PACKED + ROOM))
        except UNREADABLE as problem:
            self._leave_out(place, str(problem))
            return []

    def _notebooks(self, path: Path, place: str, room: int) -> Iterator[Found]:
        for name, when, read in _files(path, place, room, self._leave_out):
            parts = [part for part in PurePosixPath(name.replace("\\", "/")).parts if part != "/"]
            if any(names.is_left_by_system(part) for part in parts) or parts[-1:] == [".."]:
                continue
            # The outermost label is the platform's; what is within it, a student may have named.
            labelled, its = next(
                ((part, its) for part in parts if (its := label(part))), ("", None)
            )
            file = its.rest if its and its.rest and labelled == parts[-1] else parts[-1]
            notebook = names.notebook_name(file)
            if notebook is None and _is_of_platform(file, its, labelled == parts[-1]):
                self.of_platforms.append(name)
            elif notebook is None:
                self._leave_out(name, _("it is no notebook"))
            elif (whose := self._whose(name, notebook, its)) is not None:
                student, stem, again = whose
                if its and its.when:
                    when = times.to_utc(its.when, self.zone)
                owner = its.owner if its else ""
                yield Found(student, owner, name, stem, when, again, read, its, labelled)

    def _whose(self, place: str, notebook: str, its: Label | None) -> tuple[str, str, int] | None:
        """Return whose a notebook is, its plain name, and how often it came before.

        A roster believes the platform before the file's name, which a student may choose.
        """
        said, plus, rest = notebook.partition("+")
        match = _AGAIN.fullmatch(rest if plus else notebook)
        said = names.student_id(said.strip()) or "" if plus else ""
        student: str | None = said
        if match is None or (plus and not said) or not (said or its):  # `ada+.ipynb`: of no lesson
            text = _("its name does not say whose it is: ada+lesson.ipynb is ada's")
            self._leave_out(place, text)
            return None
        if self.roster:
            try:
                if its:
                    numbered = (key(name + its.participant) for name in its.names)
                    known = [self.participants[n] for n in numbered if n in self.participants]
                    student = known[0] if known else self.roster.whose(its.names, its.number)
                else:
                    student = self.roster.whose([said])
            except Unknown as problem:
                self._leave_out(place, str(problem))
                return None
            if said and said != student:
                text = _("{place}: its name says {said}, the platform says {student}: taken so")
                self.tell(text.format(place=names.printable(place), said=said, student=student))
        elif not said and its:
            student = names.student_id("_".join(its.names[0].split()))
        if not student:
            self._leave_out(place, _("its name cannot be a student's id"))
            return None
        again = match["a"] or match["b"] or match["c"] or ("1" if match["b"] == "" else "0")
        return student, match["name"], int(again)

    def _choose(self, student: str, files: list[Found]) -> Found | None:
        owners = {found.owner for found in files}
        if len(owners) > 1:
            places = listed(names.printable(found.place) for found in files)
            text = _("{student} is left out: these files come from different people: {places}")
            self.tell(text.format(student=student, places=places))
            return None
        wanted = self.assignment.casefold()
        *others, newest = sorted(
            files,
            key=lambda f: (f.notebook.casefold() == wanted, f.when, f.again, f.place),
        )
        for other in others:
            place = names.printable(newest.place)
            self._leave_out(other.place, _("{place} is taken").format(place=place))
        return newest

    def _leave_out(self, place: str, why: str) -> None:
        text = _("{place} is left out: {why}")
        self.tell(text.format(place=names.printable(place), why=names.printable(why)))


class Extractor(ExtractorPlugin):
    """Looks through the archive and writes one file for each student."""

    def __init__(self, **settings):
        super().__init__(**settings)
        app = self.parent
        course, assignment = app.coursedir, app.coursedir.assignment_id
        archive = Path(course.root, app.downloaded_directory, assignment, app.archive_directory)
        told = unknown_lesson(course, assignment)
        if told is None and not archive.is_dir():
            text = _("There is no folder {folder}: make it, and put the files into it.")
            told = text.format(folder=archive)
        if told:  # nbgrader would only warn, and end as if all were done
            sys.exit(told)

    def extract(self, archive_path, extracted_path):
        course, assignment = self.parent.coursedir, Path(archive_path).parent.name
        inbox = Inbox(course, assignment, times.course_zone(self.config), self.log.warning)
        if inbox.roster is None:
            text = _("There is no roster: everybody is taken under the name that files bear.")
            self.log.info(text)
        chosen = inbox.newest(Path(archive_path))
        taken = [found for found in chosen.values() if self._take(found, Path(extracted_path))]
        text = _("Notebooks of {count} students are taken.")
        self.log.info(text.format(count=len(taken)))
        if late := [found.student for found in taken if found.label and found.label.late]:
            text = _("The platform says that these are late: {students}")
            self.log.warning(text.format(students=listed(late)))

    def _take(self, found: Found, target: Path) -> bool:
        course, assignment = self.parent.coursedir, target.parent.name
        before = Path(course.format_path(course.submitted_directory, found.student, assignment))
        handed_in = timestamp(before)  # through the exchange, or by a platform that told the time
        if handed_in and handed_in > found.when:
            self._leave_out(found, _("there is a later hand-in"))
            return False
        try:
            content = found.read()
        except UNREADABLE as problem:
            self._leave_out(found, str(problem))
            return False
        parts = [found.student, assignment]
        if found.label and found.label.when:
            parts.append(found.when.strftime(_STAMP))
        (target / f"{'+'.join(parts)}.ipynb").write_bytes(content)
        return True

    def _leave_out(self, found: Found, why: str) -> None:
        text = _("{place} is left out: {why}")
        self.log.warning(text.format(place=names.printable(found.place), why=why))


class Collector(FileNameCollectorPlugin):
    """Reads the names that `Extractor` wrote."""

    def collect(self, submitted_file):
        student, assignment, *when = Path(submitted_file).stem.split("+")
        found = {"student_id": student, "file_id": assignment}
        if when:
            found["timestamp"] = str(datetime.strptime(when[0], _STAMP))
        return found


def _is_of_platform(file: str, its: Label | None, labels_file: bool) -> bool:
    """Is it what platforms add: a page about all hand-ins, the text typed beside the files?"""
    if its is None:
        return file == "index.html"  # Brightspace
    if its.platform == "Moodle":
        return file == "onlinetext.html"
    return labels_file and not its.rest  # Blackboard, and Canvas's text or link


def _files(
    file: Path | io.BytesIO, place: str, room: int, leave_out: Callable, depth: int = 0
) -> Iterator:
    """Go through a file, or through all files of an archive: name, date, and how to read it.

    An archive within one is a student's: if it cannot be read, it is left out, and nothing else.
    """
    suffix = "".join(PurePosixPath(place).suffixes[-2:]).lower()
    if suffix.endswith(".zip"):
        members = _members_of_zip(file, room)
    elif suffix.endswith((".tar.gz", ".tgz", ".tar")):
        members = _members_of_tar(file, room)
    else:
        assert isinstance(file, Path)  # in memory are only archives, which other archives held
        yield place, _utc(file.stat().st_mtime), lambda: _limited(file.open("rb"))
        return
    for count, (name, when, read) in enumerate(members):
        if count >= MAX_MEMBERS:
            raise Unreadable(_("it holds more than {n} files").format(n=MAX_MEMBERS))
        inside = f"{place}/{name}"
        if not inside.lower().endswith((".zip", ".tar.gz", ".tgz", ".tar")):
            yield inside, when, read
        elif any(map(names.is_left_by_system, PurePosixPath(name).parts)):
            continue  # no archive, whatever its name
        elif depth < MAX_DEPTH:
            try:
                yield from _files(io.BytesIO(read()), inside, room, leave_out, depth + 1)
            except UNREADABLE as problem:
                leave_out(inside, str(problem))
        else:
            leave_out(inside, _("it is an archive too deep in others"))


def _members_of_zip(file: Path | io.BytesIO, room: int) -> Iterator:
    archive = zipfile.ZipFile(file)
    members = [member for member in archive.infolist() if not member.is_dir()]
    if sum(member.file_size for member in members) > room:
        raise Unreadable(_("it would unpack to far more than a class's work"))
    for member in members:
        try:
            when = datetime(*member.date_time)
        except ValueError:
            when = datetime(1980, 1, 1)
        yield _name_in_zip(member), when, lambda member=member: _limited(archive.open(member))


def _name_in_zip(member: zipfile.ZipInfo) -> str:
    """The name of a file in an archive; many programs write UTF-8 and do not say so.

    In China, Windows writes GB 2312, of which no two bytes are likely in a Western name.
    """
    for encoding in () if member.flag_bits & 0x800 else ("utf-8", "gb2312"):
        with contextlib.suppress(UnicodeError):
            return member.filename.encode("cp437").decode(encoding)
    return member.filename


def _members_of_tar(file: Path | io.BytesIO, room: int) -> Iterator:
    place = {"fileobj": file} if isinstance(file, io.BytesIO) else {"name": file}
    with tarfile.open(mode="r:*", **place) as archive:
        for member in archive:
            room -= member.size
            if room < 0:
                raise Unreadable(_("it would unpack to far more than a class's work"))
            if opened := archive.extractfile(member) if member.isreg() else None:
                with opened:  # it is closed with the archive, before anybody reads what it holds
                    content = opened.read(MAX_NOTEBOOK + 1)
                read = functools.partial(_limited, io.BytesIO(content))
                yield member.name, _utc(member.mtime), read


def _utc(seconds: float) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
    except (OverflowError, ValueError, OSError):  # no date: then it is the oldest
        return datetime(1970, 1, 1)


def _limited(file) -> bytes:
    """Read a file, of which nobody knows how much it unpacks to, and close it."""
    with file:
        content = file.read(MAX_NOTEBOOK + 1)
    if len(content) > MAX_NOTEBOOK:
        text = _("it is larger than {most} MB")
        raise Unreadable(text.format(most=MAX_NOTEBOOK >> 20))
    return content
