"""One rule for what is a notebook, and one for the names of files that are taken."""

import pytest

from autograder.nbgrader_steps.names import file_name, is_left_by_system, notebook_name, shown


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("week.ipynb", "week"),
        ("week.IPYNB", "week"),
        ("week.ipynb.json", "week"),
        ("week.ipynb.txt", "week"),
        ("week.ipynb.ipynb", "week"),
        ("ada/week.ipynb", "week"),
        ("jose\u0301+week.ipynb", "josé+week"),
        ("week (1).ipynb", "week (1)"),
        ("week.v2.ipynb", "week.v2"),
        ("._week.ipynb", None),
        (".week.ipynb", None),
        (".ipynb", None),
        ("..ipynb", None),
        (".ipynb_checkpoints/week-checkpoint.ipynb", None),
        ("__MACOSX/ada/week.ipynb", None),
        ("week.json", None),
        ("week.ipynb.zip", None),
        ("ipynb", None),
        ("", None),
        ("caf\udce9.ipynb", None),
        ("a\nb.ipynb", None),
    ],
)
def test_what_is_a_notebook(path, name):
    assert notebook_name(path) == name


@pytest.mark.parametrize("name", ["helpers.py", "Übung 1.csv", "data", "a'b.txt", "图.png"])
def test_ordinary_names_are_taken_as_they_are(name):
    assert file_name(name) == name


def test_a_name_is_taken_in_its_composed_form():
    assert file_name("jose\u0301.py") == "josé.py"


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "a\\b", "a\x1b[2J", "a\0", "caf\udce9", "x" * 201, "é" * 101]
)
def test_names_that_are_refused(name):
    assert file_name(name) is None


@pytest.mark.parametrize("name", ["._x.py", ".DS_Store", "__MACOSX", "__pycache__", "Thumbs.db"])
def test_what_systems_leave_is_known(name):
    assert is_left_by_system(name)
    assert not is_left_by_system("my" + name)


def test_what_is_shown_of_a_name_is_plain():
    assert shown("a\x1b[2J<b>é" + "x" * 200) == "a??2J?b?é" + "x" * 91
