"""What is graded of a folder that was handed in: which notebook, which files, and what is told."""

import contextlib
import copy
import json
import sqlite3
import sys

import nbformat
import pytest
import sqlalchemy
from classroom import ROOT
from nbformat.v4 import new_code_cell
from nbgrader.auth import Authenticator
from nbgrader.exchange import ExchangeFactory
from small_course import ASSIGNMENT, DOUBLE, FULL, NOTEBOOK, SOFTMAX, source_notebook
from traitlets.config import Config, PyFileConfigLoader

from autograder.class_run import batch
from autograder.nbgrader_steps import hand_in, refused_files

STUB = "def {name}(x):\n    raise NotImplementedError"


@pytest.fixture
def original():
    """The notebook as it was released."""
    notebook = source_notebook()
    for cell in notebook.cells:
        if cell.id in ("softmax", "double"):
            cell.source = STUB.format(name=cell.id)
    return notebook


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "handed-in").mkdir()
    return tmp_path / "handed-in"


def solved(original, double=DOUBLE):
    notebook = copy.deepcopy(original)
    for cell in notebook.cells:
        cell.source = {"softmax": SOFTMAX, "double": double}.get(cell.id, cell.source)
    return notebook


def write(notebook, path):
    path.write_text(json.dumps(notebook), encoding="utf-8")


def taken(folder, original, names=(NOTEBOOK,)):
    target = folder.parent / "taken"
    come = hand_in.take_in(folder, target, dict.fromkeys(names, original))
    return target, come


def sources(target):
    notebook = nbformat.read(target / f"{NOTEBOOK}.ipynb", as_version=4)
    return [cell.source for cell in notebook.cells]


@pytest.mark.parametrize(
    "name",
    ["week.IPYNB", "week.ipynb.json", "week.ipynb.txt", "week (1).ipynb", "jose\u0301.ipynb"],
)
def test_the_one_notebook_is_graded_whatever_it_is_called_and_that_is_told(folder, original, name):
    write(solved(original), folder / name)
    (folder / "._week.ipynb").write_bytes(b"\0\5\x16\7")
    target, come = taken(folder, original)
    assert [path.name for path in target.iterdir()] == [f"{NOTEBOOK}.ipynb"]
    assert DOUBLE in sources(target)
    assert come.refused == ""
    assert "was graded as week.ipynb" in come.notes[0]
    assert come.notes[0] in sources(target)[0]


def test_what_is_as_it_should_be_needs_no_words(folder, original):
    write(solved(original), folder / f"{NOTEBOOK}.ipynb")
    write(new_scratch(), folder / "scratch.ipynb")
    target, come = taken(folder, original)
    assert come == hand_in.Taken()
    assert sources(target) == [cell.source for cell in solved(original).cells]


def new_scratch():
    return nbformat.v4.new_notebook(cells=[new_code_cell("1 + 1")])


def test_work_in_a_copy_beside_the_untouched_notebook_is_graded_and_that_is_told(folder, original):
    write(original, folder / f"{NOTEBOOK}.ipynb")
    write(solved(original), folder / f"{NOTEBOOK}-Copy1.ipynb")
    write(new_scratch(), folder / "scratch.ipynb")
    target, come = taken(folder, original)
    assert DOUBLE in sources(target)
    assert "week-Copy1.ipynb was graded" in come.notes[0]
    assert come.notes[0] in sources(target)[0]


def test_of_several_copies_none_is_chosen_and_that_is_told(folder, original):
    write(original, folder / f"{NOTEBOOK}.ipynb")
    for number in (1, 2):
        write(solved(original), folder / f"{NOTEBOOK}-Copy{number}.ipynb")
    target, come = taken(folder, original)
    assert STUB.format(name="double") in sources(target)
    assert "week.ipynb is untouched" in come.notes[0]
    assert "week-Copy1.ipynb, week-Copy2.ipynb" in come.notes[0]


def test_a_copy_does_not_replace_work(folder, original):
    write(solved(original, "double = abs"), folder / f"{NOTEBOOK}.ipynb")
    write(solved(original), folder / f"{NOTEBOOK}-Copy1.ipynb")
    target, come = taken(folder, original)
    assert "double = abs" in sources(target)
    assert come.notes == []


@pytest.mark.parametrize("names", [[], ["notes.txt"], ["a.ipynb", "b.ipynb"]])
def test_a_missing_notebook_is_refused_by_its_name(folder, original, names):
    for name in names:
        write(new_scratch(), folder / name)
    target, come = taken(folder, original)
    assert come.refused == "week.ipynb is missing. Hand it in under this name."
    assert come.refused in sources(target)[0]


def test_a_notebook_that_is_too_large_is_refused_with_that_reason(folder, original):
    with open(folder / f"{NOTEBOOK}.ipynb", "wb") as file:
        file.truncate(refused_files.MAX_NOTEBOOK + 1)
    _target, come = taken(folder, original)
    assert "larger than 64 MB" in come.refused


def test_another_python_is_told(folder, original):
    notebook = solved(original)
    notebook.metadata.language_info = {"name": "python", "version": "3.7.1"}
    write(notebook, folder / f"{NOTEBOOK}.ipynb")
    _target, come = taken(folder, original)
    assert "run with Python 3.7 and graded with Python 3." in come.notes[0]
    notebook.metadata.language_info.version = "{}.{}.99".format(*sys.version_info)
    write(notebook, folder / f"{NOTEBOOK}.ipynb")
    _target, come = taken(folder, original)
    assert come.notes == []


HELPED = """\
import helpers
from tools.shapes import twice

with open("factor.csv") as file:
    factor = float(file.read().split(",")[1])
with open("notes.txt") as file:
    notes = file.read()

def double(x):
    return helpers.same(twice(x)) * factor * len(notes)
"""
FILES = {
    "helpers.py": "def same(x):\n    return x\n",
    "tools/__init__.py": "",
    "tools/shapes.py": "def twice(x):\n    return 2 * x\n",
    "factor.csv": "factor,1.0\n",
    "notes.txt": "!",
    "scan.pdf": "0" * (refused_files.GRADED.file + 1),
}


@pytest.mark.usefixtures("confined")
def test_files_beside_a_notebook_travel_from_submit_to_grade(course, tmp_path, monkeypatch):
    """With this course's own settings. What does not travel is its sources, to students."""
    monkeypatch.delenv("ILLUSTRATED_ATTENTION_EXCHANGE", raising=False)
    clone = tmp_path / "clone"
    (clone / "solutions" / ASSIGNMENT).mkdir(parents=True)
    (clone / "nbgrader_config.py").write_bytes((ROOT / "nbgrader_config.py").read_bytes())
    ours = PyFileConfigLoader("nbgrader_config.py", path=str(clone)).load_config()
    inbound = course.root / "exchange" / "small" / "inbound"
    released = course.root / "exchange" / "small" / "outbound" / ASSIGNMENT
    for folder in (inbound, released):
        folder.mkdir(parents=True)
        folder.chmod(0o777)
    (course.root / "exchange").chmod(0o777)
    config = course.config
    more = Config(
        {
            "CourseDirectory": {"ignore": ours.CourseDirectory.ignore, "student_id": "ada"},
            "Exchange": {"root": str(course.root / "exchange"), "cache": str(tmp_path / "cache")},
            "ExchangeFactory": {"collect": "autograder.nbgrader_steps.collect.Collect"},
            "ExchangeCollect": {"check_owner": False},
        }
    )
    config.merge(more)
    config.Exchange.assignment_dir = str(tmp_path / "students")
    place = tmp_path / "students" / ASSIGNMENT
    course.hand_in("ada", double=HELPED).rename(tmp_path / "handed-in")
    place.parent.mkdir()
    (tmp_path / "handed-in").rename(place)
    for name, text in FILES.items():
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).write_text(text)
    factory = ExchangeFactory(config=config)
    directory = type(course.course)(config=config)
    factory.Submit(directory, Authenticator(config=config), config=config).start()
    config.CourseDirectory.student_id = "*"
    directory = type(course.course)(config=config)
    factory.Collect(coursedir=directory, config=config).start()
    result = batch.grade_student(config, ASSIGNMENT, "ada")
    assert result.graded, result.why
    assert course.scores("ada") == FULL
    assert "scan.pdf" in result.notes
    assert "scan.pdf" in course.graded("ada").cells[0].source
    for name, text in FILES.items():
        graded = course.root / "autograded" / "ada" / ASSIGNMENT / name
        assert graded.is_file() == (name != "scan.pdf")
        assert not graded.is_file() or graded.read_text() == text
    assert f"{ASSIGNMENT}.py" in ours.CourseDirectory.ignore


def test_a_hand_in_is_entered_in_one_go(course):
    """nbgrader asks for each cell by itself and commits after each: some forty times."""
    for student in ("ada", "bob"):
        course.hand_in(student)
    assert batch.grade_student(course.config, ASSIGNMENT, "ada").graded
    asked, commits = [], []

    def ask(connection, cursor, statement, parameters, *_):
        asked.append((statement, parameters))

    def commit(connection):
        commits.append(connection)

    listeners = (("before_cursor_execute", ask), ("commit", commit))
    for name, listener in listeners:
        sqlalchemy.event.listen(sqlalchemy.Engine, name, listener)
    try:
        assert batch.grade_student(course.config, ASSIGNMENT, "bob").graded
    finally:
        for name, listener in listeners:
            sqlalchemy.event.remove(sqlalchemy.Engine, name, listener)
    assert course.scores("bob") == FULL
    assert len(commits) <= 3  # who hands in; what is looked at before it runs; its marks
    assert sum(statement.startswith("UPDATE") for statement, _parameters in asked) <= 4
    questions = [question for question in asked if question[0].startswith("SELECT")]
    assert len(questions) <= 15
    assert not looked_through(course, questions) & OF_STUDENTS


# The tables of nbgrader that grow with a class.
OF_STUDENTS = {"student", "submitted_assignment", "submitted_notebook", "grade", "comment"}


def looked_through(course, questions):
    """The tables of which SQLite reads each row to answer one of these questions."""
    with contextlib.closing(sqlite3.connect(course.root / "gradebook.db")) as gradebook:
        plans = [
            step
            for question, parameters in questions
            for *_, step in gradebook.execute(f"EXPLAIN QUERY PLAN {question}", parameters)
        ]
    return {step.split()[1] for step in plans if step.startswith("SCAN")}
