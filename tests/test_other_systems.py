"""On macOS and Windows nothing confines: grading works as stock nbgrader does it, and warns.

The other system is imitated: the modules of Python that Windows lacks cannot be imported, and
Python says that it is no Linux.
"""

import os
import subprocess
import sys

import pytest
from classroom import ROOT, surroundings
from small_course import ASSIGNMENT, FULL

# Read by each Python that starts, but not by the notebooks' kernels, which are Jupyter's own.
ANOTHER_SYSTEM = """\
import sys

if not any("ipykernel" in argument for argument in sys.orig_argv):
    import IPython, concurrent.futures.process, nbclient, nbgrader.api, nbgrader.apps, psutil

    MISSING = {"fcntl", "grp", "pwd", "resource", "termios"}

    class NotHere:
        def find_spec(self, name, path=None, target=None):
            if name in MISSING:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    sys.meta_path.insert(0, NotHere())
    for name in MISSING:
        sys.modules.pop(name, None)
    sys.platform = "another"
"""


@pytest.fixture(scope="module")
def course(released, tmp_path_factory):
    course = released.copy(tmp_path_factory.mktemp("course"))
    course.write_settings("c.KernelManager.transport_encryption = 'auto'\n")
    (course.root / "system").mkdir()
    (course.root / "system" / "sitecustomize.py").write_text(ANOTHER_SYSTEM)
    return course


def run(course, *command):
    path = os.pathsep.join([str(course.root / "system"), str(ROOT)])
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=course.root,
        env=surroundings(PYTHONPATH=path),
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    "command",
    [
        ("autograder", "grade", ASSIGNMENT, "--jobs", "1"),
        ("nbgrader", "autograde", ASSIGNMENT, "--force"),
    ],
    ids=" ".join,
)
def test_grading_gives_the_same_marks_and_warns(course, command):
    course.hand_in("bob", softmax="def softmax(scores):\n    return scores")
    done = run(course, *command)
    assert done.returncode == 0, done.stderr
    assert "UNCONFINED" in done.stderr
    assert course.scores("bob") == {**FULL, "softmax_check": 0, "softmax_hidden": 0}


def test_feedback_and_report_are_written(course):
    for command in (("autograder", "report", ASSIGNMENT), ("autograder", "doctor")):
        done = run(course, *command)
        assert "Traceback" not in done.stderr
    assert "Linux only" in done.stdout
