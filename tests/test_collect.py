"""`nbgrader collect` takes in what strangers wrote into the exchange."""

import os
import sys

import pytest
from nbgrader.apps.api import NbGraderAPI
from nbgrader.exchange import ExchangeFactory
from small_course import ASSIGNMENT, FULL, NOTEBOOK

from autograder import confine
from autograder.settings import configure_grading

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="nbgrader has no exchange there")


@pytest.fixture
def inbound(course):
    folder = course.root / "exchange" / "small" / "inbound"
    folder.mkdir(parents=True)
    return folder


def submit(course, inbound, student, when="2026-01-01 10:00:00 UTC+abc", name=ASSIGNMENT):
    """Put what a student handed in where `nbgrader submit` would put it."""
    folder = inbound / f"{student}+{name}+{when}"
    course.hand_in(student).rename(folder)
    (folder / "timestamp.txt").write_text(when.split("+")[0])
    return folder


def settings(course):
    config = course.config
    configure_grading(config)
    config.Exchange.root = str(course.root / "exchange")
    config.ExchangeCollect.check_owner = False
    return config


def collect(course, **options):
    config = settings(course)
    config.Collect.update(options)
    ExchangeFactory(config=config).Collect(coursedir=course.course, config=config).start()
    return {path.parent.name for path in (course.root / "submitted").glob(f"*/{ASSIGNMENT}")}


def test_a_link_is_not_followed_and_its_owner_reads_why(course, inbound, tmp_path):
    (tmp_path / "secret").write_text("the instructor's")
    submit(course, inbound, "ada")
    (submit(course, inbound, "file") / "data.txt").symlink_to(tmp_path / "secret")
    (submit(course, inbound, "folder") / "data").symlink_to(tmp_path)
    notebook = submit(course, inbound, "notebook") / f"{NOTEBOOK}.ipynb"
    notebook.unlink()
    notebook.symlink_to(course.root / "source" / ASSIGNMENT / notebook.name)
    os.mkfifo(submit(course, inbound, "pipe") / "pipe")
    assert collect(course) == {"ada", "file", "folder", "notebook", "pipe"}
    for student in ("file", "folder", "notebook", "pipe"):
        files = {path.name: path for path in course.submitted(student).iterdir()}
        assert set(files) == {f"{NOTEBOOK}.ipynb", "timestamp.txt"}
        assert files["timestamp.txt"].read_text() == "2026-01-01 10:00:00 UTC\n"
        assert "link or no ordinary file" in files[f"{NOTEBOOK}.ipynb"].read_text()
    assert (inbound / "file+week+2026-01-01 10:00:00 UTC+abc" / "data.txt").is_symlink()


@pytest.mark.skipif(not confine.layers().safe, reason="needs confinement, see doctor")
def test_what_was_refused_is_graded_as_blank_and_the_rest_as_always(course, inbound):
    submit(course, inbound, "ada")
    (submit(course, inbound, "eve") / "data").symlink_to("/etc")
    collect(course)
    course.autograde()
    assert course.scores("ada") == FULL
    assert course.total("eve") == 0
    assert "link or no ordinary file" in course.graded("eve").cells[0].source


def test_names_that_nbgrader_did_not_give_stop_nobody(course, inbound, tmp_path):
    submit(course, inbound, "ada")
    submit(course, inbound, "bob", when="garbage")
    submit(course, inbound, "bob", when="9" * 40)
    submit(course, inbound, "cleo", when="a+b+c")
    folder = submit(course, inbound, "dan")
    folder.rename(inbound / f"..+{ASSIGNMENT}+2026-01-01 10:00:00 UTC")
    (inbound / f"eve+{ASSIGNMENT}+2026-01-01 10:00:00 UTC").symlink_to(tmp_path / "nowhere")
    (inbound / f"fred+{ASSIGNMENT}+2026-01-01 10:00:00 UTC").write_text("no folder")
    (course.root / "submitted").mkdir(exist_ok=True)
    before = set(course.root.iterdir())
    assert {"ada", "bob"} <= collect(course) <= {"ada", "bob", "cleo"}
    assert set(course.root.iterdir()) == before
    assert (course.submitted("bob") / "timestamp.txt").read_text() == "1970-01-01 00:00:00 UTC\n"


def test_a_false_timestamp_does_not_stop_the_next_collection(course, inbound):
    folder = submit(course, inbound, "ada")
    (folder / "timestamp.txt").write_text("noon")
    collect(course)
    assert (course.submitted("ada") / "timestamp.txt").read_text() == "2026-01-01 10:00:00 UTC\n"
    submit(course, inbound, "ada", when="2026-01-02 10:00:00 UTC")
    collect(course, update=True)
    assert (course.submitted("ada") / "timestamp.txt").read_text() == "2026-01-02 10:00:00 UTC"


def test_the_formgraders_button_collects_in_the_same_way(course, inbound):
    (submit(course, inbound, "eve") / "data").symlink_to("/etc")
    result = NbGraderAPI(course.course, config=settings(course)).collect(ASSIGNMENT)
    assert result["success"]
    assert not (course.submitted("eve") / "data").exists()
