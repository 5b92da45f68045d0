"""What goes out through nbgrader's exchange: lessons, and feedback for each student by itself."""

import contextlib
import os
import shutil
import stat
from pathlib import Path

from nbgrader.exchange.default import ExchangeReleaseAssignment, ExchangeReleaseFeedback
from nbgrader.utils import notebook_hash

from autograder.nbgrader_steps import names, small_files
from autograder.nbgrader_steps.course import unknown_lesson
from autograder.nbgrader_steps.small_files import SECRET
from illustrated_attention.language import _, listed


def whose_exchange(root: str) -> str | None:
    """Say it if the exchange is one person's, because nobody has named another; else None."""
    if os.environ.get("ILLUSTRATED_ATTENTION_EXCHANGE"):
        return None
    text = _(
        "ILLUSTRATED_ATTENTION_EXCHANGE is not set: {root} is the exchange of this clone, for one "
        "person. For a class, set it to the class's exchange."
    )
    return text.format(root=root)


class ReleaseAssignment(ExchangeReleaseAssignment):
    """nbgrader's, which makes the exchange so that no student can rename a folder of another's."""

    def ensure_root(self):
        super().ensure_root()
        with contextlib.suppress(PermissionError):  # then its owner is told to
            os.chmod(self.root, os.stat(self.root).st_mode | stat.S_ISVTX)
        warn(self)


def warn(step) -> None:
    """Warn, in one of nbgrader's steps, of an exchange that is not the class's alone."""
    root = Path(step.root)
    problem = exchange_problem(root) if root.is_dir() else None
    for text in filter(None, (whose_exchange(step.root), problem)):
        step.log.warning(text)


def exchange_problem(folder: Path) -> str | None:
    """Say what is wrong with the exchange's folder, or None.

    Where everybody may write and the sticky bit is not set, everybody may rename what belongs to
    others: a student can put a course of their own in the place of the instructor's. Or be there
    first: the folder of a course belongs to who teaches it.
    """
    status = folder.stat()
    if status.st_mode & stat.S_IWOTH and not status.st_mode & stat.S_ISVTX:
        text = _("A student can take over the exchange. Its owner must run: chmod 1777 {folder}")
        return text.format(folder=folder)
    known = {0, os.getuid(), status.st_uid}
    for course in sorted(folder.iterdir()):
        if course.lstat().st_uid not in known:
            text = _("{folder} belongs to {owner}. Remove it, unless {owner} teaches with you.")
            return text.format(folder=names.printable(str(course)), owner=_owner(course))
    return None


def _owner(path: Path) -> str:
    try:
        return path.owner()
    except KeyError:
        return str(path.lstat().st_uid)


class ReleaseFeedback(ExchangeReleaseFeedback):
    """nbgrader's, in which no student's page stops another's.

    A page is found by whoever has the secret that came with the hand-in, under the name of a
    notebook in it. Where there is none, as with files that did not come through the exchange or
    are called `.ipynb.txt`, the instructor is told to give the page.
    """

    def copy_files(self):
        course = self.coursedir
        if unknown := unknown_lesson(course, course.assignment_id):
            self.fail(unknown)
        warn(self)
        left_out = set(course.student_id_exclude.split(","))
        root = Path(course.format_path(course.feedback_directory, ".", "."))
        released, without = 0, []
        for student in sorted(filter(None, map(names.student_id, _files(root)))):
            folder = Path(
                course.format_path(course.feedback_directory, student, course.assignment_id)
            )
            if student in left_out or course.student_id not in ("", "*", student):
                continue
            try:
                pages = sorted(folder.glob("[!.]*.html"))
                if pages and self._release(student, folder, pages):
                    released += 1
                elif pages:
                    without.append(student)
            except OSError as error:
                text = _("The feedback for {student} is not released: {reason}")
                reason = names.printable(str(error))
                self.log.error(text.format(student=student, reason=reason))
        text = _("Feedback is released for {count} students.")
        self.log.info(text.format(count=released))
        if without:
            text = _(
                "These handed in without nbgrader's secret, or no file that ends in .ipynb, and "
                "cannot fetch their feedback. Give them their pages from {folder}: {students}"
            )
            self.log.warning(text.format(folder=root, students=listed(without)))

    def _release(self, student: str, folder: Path, pages: list[Path]) -> bool:
        """Release a student's pages. Returns False if the student has no way to find them."""
        course = self.coursedir
        handed_in = Path(
            course.format_path(course.submitted_directory, student, course.assignment_id)
        )
        secret = small_files.read(folder, SECRET) or small_files.read(handed_in, SECRET)
        if secret is None:
            return False
        files = _files(handed_in)
        own_names = [name for name in map(names.notebook_name, files) if name]
        if own_names and not any(file.endswith(".ipynb") for file in files):
            return False
        for page in pages:
            # A student who renamed the notebook looks for the feedback under that name.
            also = own_names if len(own_names) == len(pages) == 1 else []
            for name in {page.stem, *also}:
                self._publish(page, notebook_hash(secret=secret, notebook_id=name))
        return True

    def _publish(self, page: Path, code: str) -> None:
        new = Path(self.dest_path, f"{code}-tmp.html")
        shutil.copy(page, new)
        os.replace(new, Path(self.dest_path, f"{code}.html"))


def _files(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []
