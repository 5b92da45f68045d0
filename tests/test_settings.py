"""Where our steps cannot be loaded nbgrader stops, and does not fall back to its own."""

import os
import subprocess
import sys

import pytest
from classroom import ROOT, surroundings
from small_course import ASSIGNMENT

from autograder.__main__ import main

BROKEN = """\
import sys

class Broken:
    def find_spec(self, name, path=None, target=None):
        if name == "autograder.nbgrader_steps.cleaning":
            raise ImportError("broken")

sys.meta_path.insert(0, Broken())
"""


def test_with_a_broken_autograder_nothing_is_run_and_nothing_hidden_is_shown(course, tmp_path):
    course.write_settings("settings.configure_feedback(c)\n")
    course.hand_in("ada", double=f"open({str(tmp_path / 'ran')!r}, 'w')")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "sitecustomize.py").write_text(BROKEN)
    path = os.pathsep.join([str(tmp_path / "broken"), str(ROOT)])
    for command in ("autograde", "generate_feedback"):
        done = subprocess.run(
            [sys.executable, "-m", "nbgrader", command, ASSIGNMENT],
            cwd=course.root,
            env=surroundings(PYTHONPATH=path),
            capture_output=True,
            text=True,
        )
        assert done.returncode != 0
        assert "autograder." in done.stderr
    assert not (tmp_path / "ran").exists()
    assert not list(course.root.glob("autograded/*/*/*.ipynb"))
    assert not list(course.root.glob("feedback/*/*/*.html"))


@pytest.mark.parametrize(
    "line, told",
    [
        ("c.LatePenalty.percent_a_day = ten", "of nbgrader_config.py is wrong: name 'ten'"),
        ("c.LatePenalty.percent_a_day =", "of nbgrader_config.py is wrong: invalid syntax"),
        ("c.LatePenalty.percent_a_day = 'ten'", "a value that cannot be: The 'percent_a_day'"),
        ("c.LatePenalty.percentage = 10", "sets LatePenalty.percentage, which is no setting."),
        ("c.ClassReport.anonymus = True", "There are: ClassReport.anonymous."),
        ("c.CourseTime.zone = 'Berlin'", "Berlin is no time zone."),
    ],
)
def test_a_wrong_line_of_the_instructors_is_told_and_nothing_is_done(
    course, monkeypatch, capsys, line, told
):
    course.write_settings(f"{line}\n")
    course.hand_in("ada")
    monkeypatch.chdir(course.root)
    assert main(["grade", ASSIGNMENT]) == 2
    said = capsys.readouterr().err
    assert told in said and "Traceback" not in said
    if "is wrong" in told:
        lines = (course.root / "nbgrader_config.py").read_text().splitlines()
        assert said.startswith(f"Line {lines.index(line) + 1} of")
    assert not course.graded_students()
