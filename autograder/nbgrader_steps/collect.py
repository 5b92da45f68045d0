"""Collect hand-ins from nbgrader's exchange as what they are: folders that strangers wrote."""

import datetime
import os
import stat
import tempfile
from collections import defaultdict
from pathlib import Path

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.exchange.default import ExchangeCollect
from nbgrader.utils import parse_utc, rmtree

from autograder.nbgrader_steps import hand_in, names, refused_files, small_files
from autograder.nbgrader_steps.course import notebooks, unknown_lesson
from autograder.nbgrader_steps.exchange import warn
from autograder.nbgrader_steps.small_files import REFUSED, SECRET, TIMESTAMP
from illustrated_attention.language import _, labelled, together


class Collect(ExchangeCollect):
    """nbgrader's `collect`, which follows no link, and in which no hand-in stops another.

    A folder that is refused stays in the exchange. In its place is collected a notebook that says
    why, for its owner to read in the feedback. What is not named as `nbgrader submit` names it is
    left out.
    """

    def init_src(self):
        if unknown := unknown_lesson(self.coursedir, self.coursedir.assignment_id):
            self.fail(unknown)
        warn(self)
        wanted = self.coursedir.student_id
        self.coursedir.student_id = "no such student"  # the folders are looked through below
        try:
            super().init_src()
        finally:
            self.coursedir.student_id = wanted
        self.src_records = []
        for student, records in sorted(self._records().items()):
            if wanted in ("", "*", student):
                self.src_records.append(self._the_one_that_counts(records))

    def _records(self) -> dict[str, list[dict]]:
        """All hand-ins of the assignment by student."""
        found = defaultdict(list)
        for name in os.listdir(self.inbound_path):
            _student, *rest = name.rsplit("+", 3)
            if self.coursedir.assignment_id not in rest[:1] or len(rest) < 2:
                continue
            record = self._record(name)
            if record is None:
                text = _("{name} is left out: it is no folder that `nbgrader submit` made")
                self.log.warning(text.format(name=names.printable(name)))
            else:
                found[record["username"]].append(record)
        return found

    def _record(self, name: str) -> dict | None:
        """What nbgrader wants to know of a folder in the exchange, or None if it is no hand-in."""
        owner, _assignment, when, *_random = name.rsplit("+", 3)
        student = names.student_id(owner)
        try:
            status = os.lstat(os.path.join(self.inbound_path, name))
        except OSError:  # it is gone again
            return None
        if student is None or names.file_name(name) is None or not stat.S_ISDIR(status.st_mode):
            return None
        return {"username": student, "filename": name, "timestamp": _parsed(when)}

    def _the_one_that_counts(self, records: list[dict]) -> dict:
        records = sorted(records, key=lambda record: record["timestamp"], reverse=True)
        if self.duedate and self.before_duedate:
            due = self.duedate + self._extension(records[0]["username"])
            in_time = [record for record in records if record["timestamp"] <= due]
            records = in_time or records
        return records[0]

    def _extension(self, student: str) -> datetime.timedelta:
        """How much longer than the class a student has."""
        course = self.coursedir
        with Gradebook(course.db_url, course.course_id) as gradebook:
            try:
                hand_in = gradebook.find_submission(course.assignment_id, student)
            except MissingEntry:
                return datetime.timedelta()
            return hand_in.extension or datetime.timedelta()

    def copy_files(self):
        """Take in each hand-in by itself."""
        records, taken = self.src_records, 0
        for record in records:
            try:
                taken += self._take(record)
            except OSError as error:  # of this hand-in: it came and went, the disk is full
                reason = names.printable(str(error))
                text = _("{student} is left out: {reason}")
                self.log.warning(text.format(student=record["username"], reason=reason))
        text = _("{taken} hand-ins of {assignment} are new, of {count} in the exchange.")
        assignment = self.coursedir.assignment_id
        self.log.info(text.format(taken=taken, assignment=assignment, count=len(records)))

    def _take(self, record: dict) -> bool:
        """Take in one hand-in. Returns False if there is no need to."""
        student, source = record["username"], Path(self.inbound_path, record["filename"])
        if self.check_owner:
            self._look_who_owns(source, student)
        course = self.coursedir
        target = Path(course.format_path(course.submitted_directory, student, course.assignment_id))
        if target.is_dir():
            old = hand_in.timestamp(target)
            newer = old is None or record["timestamp"] > old
            other = self.before_duedate and record["timestamp"] != old
            if not (self.update and newer) and not other:
                if newer:
                    text = _("{student} has handed in again: take it with --update.")
                    self.log.warning(text.format(student=student))
                return False
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".collecting-", dir=target.parent) as scratch:
            new = Path(scratch, "new")
            self.do_copy(source, new)
            if target.is_dir():
                target.rename(Path(scratch, "old"))
            new.rename(target)
        self.log.info(_("Collected: {student}").format(student=student))
        return True

    def _look_who_owns(self, folder: Path, student: str) -> None:
        import pwd  # there is no exchange on Windows

        try:
            owner = pwd.getpwuid(folder.lstat().st_uid).pw_name
        except KeyError:
            owner = _("nobody known")
        if owner != student:
            text = _("{name} says that it is {student}'s, and its owner is {owner}. Ask them.")
            self.log.warning(text.format(name=folder.name, student=student, owner=owner))

    def do_copy(self, src, dest, log=None):
        secret, refused = small_files.read(Path(src), SECRET), None
        with tempfile.TemporaryDirectory(prefix="collect-") as scratch:
            folder = Path(scratch, "hand-in")
            try:
                left_out = refused_files.copy_folder(src, folder, refused_files.COLLECTED)
                super().do_copy(folder, dest, log)
                if left_out:
                    notes, name = names.printable(together(*left_out)), Path(src).name
                    self.log.warning(labelled(names.printable(name), notes))
                    Path(dest, hand_in.LEFT_OUT).write_text("\n".join(left_out), encoding="utf-8")
            # nbgrader raises a RuntimeError for what is too large.
            except (refused_files.Refused, OSError, RuntimeError) as reason:
                if not os.path.isdir(src):
                    raise FileNotFoundError(_("its folder is gone again")) from None
                why = str(reason)
                if not isinstance(reason, refused_files.Refused):
                    why = _("It cannot be copied. Look at its files, and hand in again.")
                text = _("{name} is refused: {reason}")
                self.log.warning(
                    text.format(name=names.printable(Path(src).name), reason=names.printable(why))
                )
                if os.path.isdir(dest):
                    rmtree(dest)
                refused = why
                refused_files.write_refusal(refused, dest, self._notebooks(Path(src)))
        small_files.write(Path(dest), SECRET, secret)
        small_files.write(Path(dest), REFUSED, refused)
        if hand_in.timestamp(Path(dest)) is None:
            handed_in = _parsed(Path(src).name.rsplit("+", 3)[2])
            small_files.write(Path(dest), TIMESTAMP, f"{handed_in} UTC\n")

    def _notebooks(self, source: Path) -> list[str]:
        """The names under which a refusal is written: the student's own, to find the feedback."""
        assignment = self.coursedir.assignment_id
        try:
            expected = notebooks(self.coursedir, assignment)
        except MissingEntry:  # it can be collected before the gradebook knows it
            expected = [assignment]
        try:
            found = list(filter(None, map(names.notebook_name, os.listdir(source))))
        except OSError:
            found = []
        return found if len(found) == len(expected) == 1 else expected


def _parsed(when: str) -> datetime.datetime:
    """When something was handed in, as `nbgrader submit` writes it; long ago if it is not so."""
    try:
        return parse_utc(when)
    except (ValueError, OverflowError, TypeError, AttributeError):
        return datetime.datetime(1970, 1, 1)
