"""What people take away from here is there whole, or as it was before."""

import os
import resource

import pytest
from nbgrader.api import Gradebook
from small_course import ASSIGNMENT, NOTEBOOK

from autograder.__main__ import main
from autograder.nbgrader_steps.tables import CsvExport

WORK = {
    "report": ["report", ASSIGNMENT],
    "marks": ["marks", ASSIGNMENT, "--into", "export.csv"],
    "feedback-zip": ["feedback-zip", ASSIGNMENT],
}
MADE = ["reports/week.html", "reports/week.csv", "export-marks.csv", "reports/week-feedback.zip"]


@pytest.fixture
def no_room(course, monkeypatch):
    """A class with pages and marks to take away; no file may become larger than 20 bytes."""
    course.write_settings()
    monkeypatch.chdir(course.root)
    with Gradebook(course.config.CourseDirectory.db_url, "small") as gradebook:
        gradebook.add_student("ada", email="ada@example.org")
    (course.root / "export.csv").write_text("Email address,week\nada@example.org,\n")
    page = course.root / "feedback" / "ada" / ASSIGNMENT / f"{NOTEBOOK}.html"
    page.parent.mkdir(parents=True)
    page.write_bytes(os.urandom(1000))  # a zip makes it no smaller
    (course.root / "reports").mkdir()
    for name in MADE:
        (course.root / name).write_text("what was there before")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20, limits[1]))
    yield course
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.parametrize("name", WORK)
def test_where_there_is_no_room_it_is_said_and_what_was_there_stays(no_room, capsys, name):
    files = sorted(no_room.root.rglob("*"))
    assert main(WORK[name]) == 2
    said = capsys.readouterr().err
    assert "is not written: File too large." in said and "Traceback" not in said
    for path in MADE:
        assert (no_room.root / path).read_text() == "what was there before"
    assert sorted(no_room.root.rglob("*")) == files  # nothing half done lies about


def test_an_export_into_no_folder_is_said(course, tmp_path):
    with (
        Gradebook(course.config.CourseDirectory.db_url, "small") as gradebook,
        pytest.raises(SystemExit, match=r"nowhere/grades\.csv is not written: No such file"),
    ):
        CsvExport(to=str(tmp_path / "nowhere" / "grades.csv")).export(gradebook)
