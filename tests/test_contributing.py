"""CONTRIBUTING's steps for a new lesson are all that it takes: they are walked here."""

import shutil
import subprocess
import sys

import nbformat
import pytest
from classroom import ROOT, surroundings
from nbgrader.api import Gradebook

PAGE = '''"""`double`, lesson 99. A small exercise."""

from autograder.exercises.kit import Case, Exercise, rough, tidy

DOUBLE = Exercise(
    name="double",
    lesson="99_small",
    visible=(Case("three numbers", (tidy(3, seed=1),)), Case("a table", (tidy(2, 3, seed=2),))),
    hidden=(Case("five numbers", (rough(5, seed=3),)), Case("axes", (rough(2, 3, 4, seed=4),))),
    promises=(),
    hints=("How many times?", "Twice.", "`2 * x`"),
)

DOUBLE.mistake("squared", "You square. Double means: two times.", lambda x: x**2)


@DOUBLE.mistake("half", "You halve. Double means: two times.")
def _half(x):
    return x / 2


DOUBLE.also_right("sum", lambda x: x + x)
'''
LESSON = '''# %% [markdown]
# # 99 A small lesson

# %%
import numpy as np

# %% solution="double"
def double(x):
    """Twice as much.

    Parameters
    ----------
    x : ndarray
    """
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION


# %% tests="double"
# Hidden tests run here when your work is graded. They try other shapes.
'''


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of the project without its lessons, with a new one: by CONTRIBUTING's steps."""
    root = tmp_path_factory.mktemp("project") / "course"
    skipped = shutil.ignore_patterns("__pycache__", "*.db", "submitted", "autograded", "feedback")
    for folder in ("autograder", "illustrated_attention"):
        shutil.copytree(ROOT / folder, root / folder, ignore=skipped)
    (root / "data" / "answers").mkdir(parents=True)
    shutil.copy(ROOT / "nbgrader_config.py", root)
    exercises = root / "autograder" / "exercises"
    (exercises / "double.py").write_text(PAGE)
    replace(exercises / "__init__.py", "LESSONS: dict[str, tuple[Exercise, ...]] = {", END)
    replace(
        exercises / "questions.py",
        "QUESTIONS: dict[str, tuple[Question, ...]] = {",
        '    "99_small": (),',
    )
    (root / "solutions" / "99_small").mkdir(parents=True)
    (root / "solutions" / "99_small" / "99_small.py").write_text(LESSON)
    run(root, "-m", "autograder", "build")
    return root


END = '    "99_small": (DOUBLE,),'


def replace(path, opening, line):
    """Leave of a table only this line; and import what it names."""
    before, _opening, after = path.read_text().partition(opening)
    after = after.partition("\n}\n")[2]
    text = f"{before}{opening}\n{line}\n}}\n{after}"
    if "DOUBLE" in line:
        text = text.replace("\nfrom ", "\nfrom autograder.exercises.double import DOUBLE\nfrom ", 1)
    path.write_text(text)


def run(root, *command):
    environment = surroundings(PYTHONPATH=str(root))
    environment.pop("ILLUSTRATED_ATTENTION_EXCHANGE", None)
    done = subprocess.run(
        [sys.executable, *command], cwd=root, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    return done.stdout


def test_the_build_makes_its_notebooks_with_their_tests_and_its_keys(project):
    notebook = nbformat.read(project / "notebooks" / "99_small" / "99_small.ipynb", as_version=4)
    graded = [c.metadata.get("nbgrader", {}).get("grade_id") for c in notebook.cells]
    assert graded[-3:] == ["double", "double_check", "double_hidden"]
    assert "return 2 * x" not in "".join(cell.source for cell in notebook.cells)
    assert (project / "data" / "answers" / "99_small.json").is_file()
    matrix = (project / "docs" / "kill_matrix.md").read_text()
    assert "| of these named by their own message | 2 of 2 |" in matrix


@pytest.mark.usefixtures("confined")
def test_it_is_released_and_a_hand_in_of_it_graded(project):
    run(project, "-m", "nbgrader", "generate_assignment", "99_small", "--force")
    run(project, "-m", "nbgrader", "release_assignment", "99_small")
    notebook = nbformat.read(project / "notebooks" / "99_small" / "99_small.ipynb", as_version=4)
    for student, body in {"ada": "2 * x", "bob": "x**2"}.items():
        notebook.cells[-3].source = f"def double(x):\n    return {body}"
        folder = project / "autograder" / "submitted" / student / "99_small"
        folder.mkdir(parents=True)
        nbformat.write(notebook, folder / "99_small.ipynb")
    run(project, "-m", "autograder", "grade", "99_small", "--jobs", "1")
    url = f"sqlite:///{project / 'autograder' / 'gradebook.db'}"
    with Gradebook(url, "illustrated-attention") as gradebook:
        found = {s.student.id: s.score for s in gradebook.assignment_submissions("99_small")}
    assert found == {"ada": 3, "bob": 0}
