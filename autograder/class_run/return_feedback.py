"""``python -m autograder feedback-zip``: the feedback pages as learning platforms take them back.

Each page gets the label with which the hand-in came: Moodle and Brightspace know by a folder's name
whose it is, Canvas by the file's.
"""

import zipfile
from dataclasses import dataclass, field
from pathlib import Path

from nbgrader.coursedir import CourseDirectory

from autograder.nbgrader_steps import names, times
from autograder.nbgrader_steps.course import need_assignment, read_config
from autograder.nbgrader_steps.in_one_move import in_one_move
from autograder.nbgrader_steps.problem import Problem
from autograder.nbgrader_steps.zip_collect import Found, Inbox
from illustrated_attention.language import _


@dataclass
class Packed:
    """What came of packing."""

    path: Path
    count: int = 0
    otherwise: list[str] = field(default_factory=list)  # did not hand in through a platform
    without: list[str] = field(default_factory=list)  # handed in through it, and have no page


def pack_feedback(assignment: str) -> Packed:
    """Write the feedback pages of an assignment into one zip.

    Raises
    ------
    Problem
        If there are no pages.
    """
    config = read_config()
    need_assignment(config, assignment)
    course = CourseDirectory(config=config)
    root = Path(course.format_path(course.feedback_directory, ".", "."))
    pages = {
        path.name: sorted((path / assignment).glob("[!.]*.html"))
        for path in (sorted(root.iterdir()) if root.is_dir() else ())
        if names.student_id(path.name) == path.name
    }
    pages = {student: its for student, its in pages.items() if its}
    if not pages:
        text = _("There are no pages yet: nbgrader generate_feedback {assignment}")
        raise Problem(text.format(assignment=assignment))
    downloaded = config.ZipCollectApp.get("downloaded_directory", "downloaded")
    archive = Path(course.root, downloaded, assignment, "archive")
    inbox = Inbox(course, assignment, times.course_zone(config), _nothing_to_tell)
    came = inbox.newest(archive) if archive.is_dir() else {}
    folder = root.parent / "reports"
    folder.mkdir(exist_ok=True)
    packed = Packed(folder / f"{assignment}-feedback.zip")
    with (
        in_one_move(packed.path) as new,
        zipfile.ZipFile(new, "w", zipfile.ZIP_DEFLATED) as archive_out,
    ):
        for student, its in pages.items():
            found = came.get(student)
            if found is None or found.label is None:
                packed.otherwise.append(student)
            for page in its:
                archive_out.write(page, _place(student, found, page.name))
            packed.count += 1
    packed.without = sorted(set(came) - set(pages))
    return packed


def _place(student: str, found: Found | None, page: str) -> str:
    """Where a page stands in the zip: under the label, of a folder or of a file."""
    if found is None or found.label is None:
        return f"{student}/{page}"
    if found.label.rest:
        return found.labelled.removesuffix(found.label.rest) + page
    return f"{found.labelled}/{page}"


def _nothing_to_tell(sentence: str) -> None:
    """What is left out of the archive was told when it was collected."""
