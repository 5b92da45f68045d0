"""CONTRIBUTING's steps for a new lesson and a new figure are all that it takes.

They are walked here, in a copy of the project.
"""

import re
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
#
# **Time:** 5 minutes

# %%
import numpy as np

from illustrated_attention.figures import small as draw

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

# %%
draw.doubled(["it"], double(np.ones((1, 2))))
'''
CONTRACT = """

@case
def double(draw):
    return (draw(arrays((*draw(leading), draw(sizes)), real)),)
"""
FIGURE = '''"""The figure of lesson 99: what is doubled."""

from illustrated_attention.figures.cells import heatmap
from illustrated_attention.figures.needs import need_array, need_tokens
from illustrated_attention.figures.page import LessonFigure, drawn
from illustrated_attention.figures.words import describe_array
from illustrated_attention.language import _


@drawn
def doubled(tokens, x):
    """Draw the rows that a learner's function has doubled.

    Parameters
    ----------
    tokens : list of str, length T
    x : ndarray, [T, D]

    Returns
    -------
    LessonFigure
    """
    tokens = need_tokens(tokens)
    x = need_array(x, "x", (len(tokens), "D"), "double")
    figure = LessonFigure(_("Twice as much"), height=3)
    heatmap(figure.axes_at(left=1, top=1, width=3, height=1.5), x, tokens, name="x")
    figure.alt_text = describe_array("x", x, tokens)
    return figure
'''


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of the project without its lessons, with a new one: by CONTRIBUTING's steps.

    What a step changes is named here as the list of steps names it.
    """
    root = tmp_path_factory.mktemp("project") / "course"
    skipped = shutil.ignore_patterns("__pycache__", "*.db", "submitted", "autograded", "feedback")
    for folder in ("autograder", "illustrated_attention", "tests"):
        shutil.copytree(ROOT / folder, root / folder, ignore=skipped)
    (root / "data" / "answers").mkdir(parents=True)
    for file in ("nbgrader_config.py", "pyproject.toml"):
        shutil.copy(ROOT / file, root)
    # Add an exercise
    (root / named("autograder/exercises/the_name.py", the_name="double")).write_text(PAGE)
    replace(
        root / named("autograder/exercises/__init__.py"),
        "LESSONS: dict[str, tuple[Exercise, ...]] = {",
        '    "99_small": (DOUBLE,),',
    )
    lesson = root / named("solutions/NN_name/NN_name.py", NN_name="99_small")
    lesson.parent.mkdir(parents=True)
    lesson.write_text(LESSON)
    with open(root / named("autograder/authoring/contracts.py"), "a") as contracts:
        contracts.write(CONTRACT)
    # Add a lesson
    replace(
        root / named("autograder/exercises/questions.py"),
        "QUESTIONS: dict[str, tuple[Question, ...]] = {",
        '    "99_small": (),',
    )
    (root / named("README")).with_suffix(".md").write_text("| 99_small | A small lesson | 5 |\n")
    replace(
        root / named("illustrated_attention/progress.py"),
        "PARTS = (",
        '    (later("Double"), ("double",)),',
        end=")",
    )
    # Add a figure
    (root / named("illustrated_attention/figures/") / "small.py").write_text(FIGURE)
    tried = root / named("tests/test_figures_needs.py")
    text = tried.read_text().replace(
        "    self_attention,\n", "    self_attention,\n    small,\n", 1
    )
    tried.write_text(text.replace("DRAWN = [\n", "DRAWN = [\n    (small.doubled, [WORDS, X]),\n"))
    run(root, "-m", "autograder", "build")
    return root


STEPS = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


EXAMPLES = {
    *("autograder/exercises/the_name.py", "solutions/NN_name/NN_name.py", "scripts/de/"),
    *("locale/de/LC_MESSAGES/", "notebooks/kept/", "inside/"),
}


def test_every_file_that_the_page_names_is_there():
    paths = set(re.findall(r"`([\w*./-]+/[\w*./-]*)`", STEPS))
    assert len(paths) > 50
    assert {path for path in paths if not list(ROOT.glob(path.rstrip("/")))} == EXAMPLES


def named(path, **names):
    """A path that CONTRIBUTING names, with names of ours in the place of its examples."""
    assert path in STEPS
    for example, name in names.items():
        path = path.replace(example, name)
    return path


def replace(path, opening, line, end="}"):
    """Leave of a table only this line; and import what it names."""
    before, _opening, after = path.read_text().partition(opening)
    after = after.partition(f"\n{end}\n")[2]
    text = f"{before}{opening}\n{line}\n{end}\n{after}"
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
    assert [name for name in graded if name] == ["double", "double_check", "double_hidden"]
    assert "return 2 * x" not in "".join(cell.source for cell in notebook.cells)
    assert (project / "data" / "answers" / "99_small.json").is_file()
    matrix = (project / "docs" / "kill_matrix.md").read_text()
    assert "| of these named by their own message | 2 of 2 |" in matrix


def test_the_tests_hold_what_the_steps_ask_for(project):
    """Time and README, the place on the map, the contract, the figure."""
    files = ("minutes", "progress", "fuzz", "figures_needs")
    chosen = "the_time or its_place or agrees_double or (small and refused) or drawing_function"
    said = run(
        project,
        *("-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", chosen),
        *(f"tests/test_{name}.py" for name in files),
    )
    assert re.search(r"^5 passed, \d+ deselected", said, re.MULTILINE), said


@pytest.mark.usefixtures("confined")
def test_it_is_released_and_a_hand_in_of_it_graded(project):
    run(project, "-m", "nbgrader", "generate_assignment", "99_small", "--force")
    run(project, "-m", "nbgrader", "release_assignment", "99_small")
    notebook = nbformat.read(project / "notebooks" / "99_small" / "99_small.ipynb", as_version=4)
    for student, body in {"ada": "2 * x", "bob": "x**2"}.items():
        solved = next(cell for cell in notebook.cells if cell.id == "double")
        solved.source = f"def double(x):\n    return {body}"
        folder = project / "autograder" / "submitted" / student / "99_small"
        folder.mkdir(parents=True)
        nbformat.write(notebook, folder / "99_small.ipynb")
    run(project, "-m", "autograder", "grade", "99_small", "--jobs", "1")
    url = f"sqlite:///{project / 'autograder' / 'gradebook.db'}"
    with Gradebook(url, "illustrated-attention") as gradebook:
        found = {s.student.id: s.score for s in gradebook.assignment_submissions("99_small")}
    assert found == {"ada": 3, "bob": 0}
