"""Which part of the code may know which: imports point downwards only."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
COURSE = "illustrated_attention"
# What each room may import from, besides itself and illustrated_attention.
BELOW = {
    COURSE: set(),
    "autograder.exercises": set(),
    "autograder.sandbox.inside": set(),
    "autograder.sandbox": {"autograder.sandbox.inside"},
    "autograder.nbgrader_steps": {"autograder.exercises", "autograder.sandbox"},
    "autograder.class_run": {"autograder.nbgrader_steps", "autograder.sandbox"},
    "autograder.authoring": {
        "autograder.exercises",
        "autograder.nbgrader_steps",
        "autograder.sandbox",
    },
}


def imported(path: Path) -> set[str]:
    """The modules of this project that a module imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return {name for name in names if name.split(".")[0] in (COURSE, "autograder")}


def room_of(name: str) -> str | None:
    fitting = [room for room in BELOW if (name + ".").startswith(room + ".")]
    return max(fitting, key=len, default=None)


@pytest.mark.parametrize("room", BELOW)
def test_imports_point_downwards_only(room):
    for path in sorted(ROOT.glob(f"{room.replace('.', '/')}/**/*.py")):
        own = room_of(".".join(path.relative_to(ROOT).with_suffix("").parts))
        for name in imported(path) if own == room else ():
            to = room_of(name)
            allowed = BELOW[room] | {room, COURSE}
            assert to and (to in allowed or any(to.startswith(a + ".") for a in allowed)), (
                f"{path.relative_to(ROOT)} imports {name}"
            )


def test_nobody_but_the_hook_ties_the_sandbox_to_the_course_or_to_nbgrader():
    for path in (ROOT / "autograder" / "sandbox").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert not any(name.startswith(COURSE) for name in imported(path)), path
        assert "import nbgrader" not in text and "from nbgrader" not in text, path
        assert (COURSE in text) == (path.name == "hook.py"), path


def test_every_room_says_in_its_first_sentence_what_it_is_for():
    for room in BELOW:
        text = (ROOT / room.replace(".", "/") / "__init__.py").read_text(encoding="utf-8")
        assert ast.get_docstring(ast.parse(text)), room


def test_what_is_private_to_nbgrader_is_asked_for_in_one_module_only():
    rooms = ("nbgrader_steps", "class_run", "authoring")
    for path in [path for room in rooms for path in ROOT.glob(f"autograder/{room}/*.py")]:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        own = {n.name for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.ClassDef))}
        attributes = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
        own |= {node.attr for node in attributes if isinstance(node.ctx, ast.Store)}
        private = {node.attr for node in attributes if node.attr[0] == "_" != node.attr[1]}
        others = private - own - {"_repr_html_"}
        assert not others or path.name == "private.py", f"{path.name}: {others}"


ABSENT = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "illustrated_attention":
            raise ModuleNotFoundError(f"No module named {name!r}", name="illustrated_attention")

sys.meta_path.insert(0, Absent())
"""
WITHOUT_THE_COURSE = """
import multiprocessing
import os
import re

import sitecustomize

from autograder.sandbox import student_process
from autograder.sandbox.judge_process import Server

environment = student_process._environment

def without_the_course(*args):
    given = environment(*args)
    here = os.path.dirname(sitecustomize.__file__)
    return given | {"PYTHONPATH": here + os.pathsep + given["PYTHONPATH"]}

student_process._environment = without_the_course
USES_IT = '''
try:
    from illustrated_attention import check
except ImportError:
    print("absent")
'''
cells = [
    ["def double(x): return 2 * x", False, 0],
    ["assert double(4) == 8", True, 1],
    ["### BEGIN HIDDEN TESTS\\nassert double(5) == 11\\n### END HIDDEN TESTS", True, 1],
    [USES_IT, False, 0],
]
control, _grader = multiprocessing.Pipe()
server = Server(control, unsafe=False)
outputs = server.grade(cells, ["double"], None, {"cpu": 5.0, "wall": 5.0}, 20.0, 10.0)
server.close()
print([bool(outputs[i]) for i in (1, 2)], outputs[3][0]["text"])
"""


@pytest.mark.usefixtures("confined")
def test_the_sandbox_grades_any_notebook_where_the_course_is_absent(tmp_path):
    (tmp_path / "sitecustomize.py").write_text(ABSENT)
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_THE_COURSE],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout.strip() == "[False, True] absent", done.stderr[-2000:]


def test_scripts_beside_the_project_find_what_they_ask_for():
    """Collections of implementations that are kept elsewhere are tried under these names."""
    from autograder import judge, judging
    from illustrated_attention import answer_keys, answers

    assert judging.judge is judge and judging.full_key("softmax").hidden
    assert answers.find_key is answer_keys.find_key


def test_the_map_names_every_module():
    """But for the exercises, figures and widgets, whose names say which one they are."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = set(re.findall(r"(\w+)\.py", text))
    rooms = ("exercises", "figures", "widgets")
    for package in ("autograder", COURSE):
        for path in (ROOT / package).rglob("[a-z]*.py"):
            assert path.parent.name in rooms or path.stem in named, path
