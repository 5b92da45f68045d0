"""Where our steps cannot be loaded nbgrader stops, and does not fall back to its own."""

import os
import subprocess
import sys

from classroom import ROOT, surroundings
from small_course import ASSIGNMENT

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
