"""A learner's own functions come along into later lessons; while grading, the course's are used."""

import json
import sys

import nbformat
import pytest
from IPython.core.interactiveshell import InteractiveShell
from nbformat.v4 import new_code_cell, new_notebook

from autograder.exercises.reference import reference
from illustrated_attention import being_graded, bring_along, progress
from illustrated_attention.outcomes import Case, call

SOFTMAX = """\
def softmax(scores):
    exp = lowered_exp(scores)
    return exp / exp.sum(axis=-1, keepdims=True)"""
HELPER = """\
import numpy as np


def lowered_exp(scores):
    return np.exp(scores - scores.max(axis=-1, keepdims=True))"""


@pytest.fixture
def shell(tmp_path, monkeypatch):
    """A notebook of lesson 02 that holds the course's functions, in a folder of lessons."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])  # a shell puts its own
    shell = InteractiveShell.instance()
    for name in ("softmax", "weighted_sum"):
        shell.user_ns[name] = reference(name)
    here = tmp_path / "02_masked_attention"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    yield shell
    shell.reset()
    InteractiveShell.clear_instance()


def lesson_01(tmp_path, *sources):
    notebook = new_notebook(cells=[new_code_cell(source) for source in sources])
    folder = tmp_path / "01_self_attention"
    folder.mkdir()
    nbformat.write(notebook, folder / "01_self_attention.ipynb")


def test_a_function_that_passes_is_used_with_the_helpers_of_other_cells(shell, tmp_path, capsys):
    lesson_01(tmp_path, HELPER, SOFTMAX, "softmax([1, 2")
    bring_along()
    assert shell.user_ns["softmax"].__code__.co_filename == "<your softmax>"
    assert capsys.readouterr().out == (
        "Yours: softmax.\nThe course's, until yours pass their check: weighted_sum.\n"
    )
    assert progress().passed == {"softmax"}
    # A card can quote its lines, and those of its helpers.
    outcome = call(shell.user_ns["softmax"], Case("", ("no array",)))
    assert outcome.error == "AttributeError" and outcome.calling == "exp = lowered_exp(scores)"
    assert outcome.line == "return np.exp(scores - scores.max(axis=-1, keepdims=True))"


@pytest.mark.parametrize(
    "source",
    [
        "def softmax(scores):\n    raise NotImplementedError()",
        "def softmax(scores):\n    return scores",
        "def softmax(scores, once=no_such_name):\n    return scores",
    ],
)
def test_a_function_that_does_not_pass_is_not_used_and_that_is_told(
    shell, tmp_path, capsys, source
):
    lesson_01(tmp_path, SOFTMAX.replace("softmax", "weighted_sum"), source)
    before = dict(shell.user_ns)
    bring_along()
    assert shell.user_ns["softmax"] is reference("softmax")
    assert set(shell.user_ns) - set(before) <= {"__builtins__"}
    assert "until yours pass their check: softmax, weighted_sum." in capsys.readouterr().out


def test_what_this_notebook_writes_stays_when_the_cell_is_run_again(shell, tmp_path, capsys):
    lesson_01(tmp_path, HELPER, SOFTMAX)
    saved = new_code_cell("import numpy as np\n\n\ndef causal_mask(n):\n    return np.tri(n) > 0")
    nbformat.write(
        new_notebook(cells=[saved]), tmp_path / "02_masked_attention" / "02_masked_attention.ipynb"
    )
    shell.user_ns["causal_mask"] = written_since = lambda n: None
    bring_along()
    assert shell.user_ns["causal_mask"] is written_since
    assert "causal_mask" not in capsys.readouterr().out


@pytest.mark.parametrize("content", [None, "no notebook", json.dumps({"cells": [{}]})])
def test_without_an_earlier_notebook_the_courses_are_used(shell, tmp_path, capsys, content):
    if content is not None:
        lesson_01(tmp_path)
        (tmp_path / "01_self_attention" / "01_self_attention.ipynb").write_text(content)
    bring_along()
    assert shell.user_ns["softmax"] is reference("softmax")
    assert "the course's are used" in capsys.readouterr().out


@pytest.mark.parametrize("grader", ["sandbox", "nbgrader"])
def test_while_grading_no_other_notebook_is_read(shell, tmp_path, capsys, monkeypatch, grader):
    lesson_01(tmp_path, HELPER, SOFTMAX)
    if grader == "sandbox":
        monkeypatch.setattr(being_graded, "in_sandbox", True)
    else:
        monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    bring_along()
    assert shell.user_ns["softmax"] is reference("softmax")
    assert "graded" in capsys.readouterr().out
