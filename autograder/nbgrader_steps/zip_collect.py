"""Files that came by mail or from a learning platform, for `nbgrader zip_collect`.

Students name their file ``ada+01_self_attention.ipynb``. Platforms put something in front of the
name, browsers something behind it, and pack many files into one archive. Whatever lies in
``archive/`` is looked through here; for each student the newest notebook is written to
``extracted/`` under its plain name, from where nbgrader collects it. Everything that is left out is
said, and stops nobody else.
"""

import io
import lzma
import re
import tarfile
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from nbgrader.plugins import ExtractorPlugin, FileNameCollectorPlugin

from autograder.nbgrader_steps import names
from autograder.nbgrader_steps.hand_in import timestamp
from autograder.nbgrader_steps.intake import MAX_NOTEBOOK
from illustrated_attention.language import _

MAX_MEMBERS = 20_000  # files in one archive
MAX_DEPTH = 2  # an archive in an archive; one deeper is left out
PACKED = 30  # an archive may unpack to so many times its size, and
ROOM = 200 << 20  # bytes more

# What platforms put in front of a file's name, or call the folder that it is in.
_MOODLE = re.compile(r"(?P<owner>.+?)_(?P<number>\d+)_assignsubmission_file_*(?P<rest>.*)", re.S)
_CANVAS = re.compile(r"(?P<owner>[^_+]+?)(_LATE)?_(?P<number>\d+)_\d+_(?P<rest>.+)", re.S)
# What browsers and platforms put behind the name of a file that comes a second time.
_AGAIN = re.compile(r"(?P<name>.+?)(?: ?\((?P<a>\d+)\)|-Copy(?P<b>\d*)|-(?P<c>\d{1,3}))?", re.S)


@dataclass(frozen=True)
class Found:
    """One notebook among what came in."""

    student: str
    owner: str  # who handed it in, as the platform says; "" if nobody says
    place: str  # for messages
    notebook: str
    when: datetime
    again: int
    read: Callable[[], bytes]


class Unreadable(Exception):
    """A file or archive cannot be used. The text says why."""


# What damaged archives raise, with a password, an unknown method or an impossible date.
UNREADABLE = (
    *(Unreadable, OSError, EOFError, RuntimeError, ValueError, KeyError, OverflowError),
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError),
)


class Extractor(ExtractorPlugin):
    """Looks through the archive and writes one file for each student."""

    def extract(self, archive_path, extracted_path):
        assignment = Path(archive_path).parent.name
        others = self._lessons() - {assignment.casefold()}
        by_student = defaultdict(list)
        for path in sorted(Path(archive_path).rglob("*")):
            if path.is_file() and not path.is_symlink():
                for found in self._look_into(path, Path(archive_path)):
                    if found.notebook.casefold() in others:
                        self._leave_out(found.place, _("it is another lesson's"))
                    else:
                        by_student[found.student].append(found)
        taken = 0
        for student, files in sorted(by_student.items()):
            taken += self._take(student, files, Path(extracted_path), assignment)
        text = _("Notebooks of {count} students are taken.")
        self.log.info(text.format(count=taken))

    def _lessons(self) -> set[str]:
        """The notebooks of all assignments."""
        course = self.parent.coursedir
        folder = Path(course.format_path(course.source_directory, ".", "."))
        return {path.stem.casefold() for path in folder.glob("*/*.ipynb")}

    def _look_into(self, path: Path, root: Path) -> list[Found]:
        place = str(path.relative_to(root))
        try:
            return list(self._notebooks(path, place, path.stat().st_size * PACKED + ROOM))
        except UNREADABLE as problem:
            self._leave_out(place, str(problem))
            return []

    def _notebooks(self, path: Path, place: str, room: int) -> Iterator[Found]:
        for name, when, read in _files(path, place, room):
            parts = [part for part in PurePosixPath(name.replace("\\", "/")).parts if part != "/"]
            if any(names.is_left_by_system(part) for part in parts) or parts[-1:] == [".."]:
                continue
            notebook = names.notebook_name(parts[-1]) if parts else None
            if notebook is None:
                self._leave_out(name, _("it is no notebook"))
                continue
            student, owner, stem, number = _whose(parts[:-1], notebook)
            if student is None:
                text = _("its name does not say whose it is: ada+lesson.ipynb is ada's")
                self._leave_out(name, text)
                continue
            yield Found(student, owner, name, stem, when, number, read)

    def _take(self, student: str, files: list[Found], target: Path, assignment: str) -> bool:
        owners = {found.owner for found in files}
        if len(owners) > 1:
            places = ", ".join(names.printable(found.place) for found in files)
            text = _("{student} is left out: these files come from different people: {places}")
            self.log.warning(text.format(student=student, places=places))
            return False
        files = sorted(files, key=lambda found: (found.when, found.again, found.place))
        *others, newest = files
        course = self.parent.coursedir
        before = Path(course.format_path(course.submitted_directory, student, assignment))
        handed_in = timestamp(before)  # through the exchange: files have none
        if handed_in and handed_in > newest.when:
            self._leave_out(newest.place, _("there is a later hand-in from the exchange"))
            return False
        try:
            content = newest.read()
        except UNREADABLE as problem:
            self._leave_out(newest.place, str(problem))
            return False
        for other in others:
            place = names.printable(newest.place)
            self._leave_out(other.place, _("{place} is newer").format(place=place))
        (target / f"{student}+{assignment}.ipynb").write_bytes(content)
        return True

    def _leave_out(self, place: str, why: str) -> None:
        text = _("{place} is left out: {why}")
        self.log.warning(text.format(place=names.printable(place), why=names.printable(why)))


class Collector(FileNameCollectorPlugin):
    """Reads the names that `Extractor` wrote."""

    def collect(self, submitted_file):
        student, _plus, assignment = Path(submitted_file).stem.partition("+")
        return {"student_id": student, "file_id": assignment}


def _whose(folders: list[str], notebook: str) -> tuple[str | None, str, str, int]:
    """Return student, the platform's owner, the notebook's name, and how often it came before."""
    owner = ""
    for part in folders:  # Moodle makes a folder for each student
        if match := _MOODLE.fullmatch(part):
            owner = f"{match['owner']}_{match['number']}"
            name = match["owner"]
    for pattern in (_MOODLE, _CANVAS):
        match = pattern.fullmatch(notebook)
        if match and match["rest"]:
            owner, name = f"{match['owner']}_{match['number']}", match["owner"]
            notebook = match["rest"]
            break
    student, plus, rest = notebook.partition("+")
    if plus:
        notebook = rest
    elif owner:
        student = "_".join(name.split())
    else:
        return None, "", notebook, 0
    match = _AGAIN.fullmatch(notebook)
    if match is None:  # `ada+.ipynb`: of no lesson
        return None, "", notebook, 0
    number = match["a"] or match["b"] or match["c"] or ("1" if match["b"] == "" else "0")
    stem = match["name"]
    return names.student_id(student.strip()), owner, stem, int(number)


def _files(file: Path | io.BytesIO, place: str, room: int, depth: int = 0) -> Iterator:
    """Go through a file, or through all files of an archive: name, date, and how to read it."""
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
        elif depth < MAX_DEPTH:
            yield from _files(io.BytesIO(read()), inside, room, depth + 1)


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
        yield member.filename, when, lambda member=member: _limited(archive.open(member))


def _members_of_tar(file: Path | io.BytesIO, room: int) -> Iterator:
    opened = {"fileobj": file} if isinstance(file, io.BytesIO) else {"name": file}
    with tarfile.open(mode="r:*", **opened) as archive:
        for member in archive:
            room -= member.size
            if room < 0:
                raise Unreadable(_("it would unpack to far more than a class's work"))
            if member.isreg():
                content = _limited(archive.extractfile(member))
                yield member.name, _utc(member.mtime), lambda content=content: content


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)


def _limited(file) -> bytes:
    """Read a file, of which nobody knows how much it unpacks to, and close it."""
    with file:
        content = file.read(MAX_NOTEBOOK + 1)
    if len(content) > MAX_NOTEBOOK:
        text = _("it is larger than {most} MB")
        raise Unreadable(text.format(most=MAX_NOTEBOOK >> 20))
    return content
