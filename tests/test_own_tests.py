"""`doctor ASSIGNMENT` names each test that would get another mark here, before the class does."""

import subprocess
import sys

import pytest
from classroom import surroundings
from nbformat.v4 import new_code_cell, new_notebook
from nbgrader.api import Gradebook
from small_course import ASSIGNMENT, NOTEBOOK, SmallCourse
from sqlalchemy import create_engine, text

from autograder.__main__ import main
from autograder.nbgrader_steps.problem import Problem
from autograder.nbgrader_steps.trusted import need_python

confined = pytest.mark.usefixtures("confined")
DOUBLE = "def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION"
TESTS = {
    "fine": "assert double(2) == 4",
    "looks": "assert double.__code__.co_argcount == 1",
    "within": "assert 'double' in globals()['double'].__code__.co_name",
    "lenient": "double(3) == 7",  # stock nbgrader gives points for any last line but an error
}


def cell(name: str, source: str, test: bool):
    meta = {"grade_id": name, "schema_version": 3, "task": False}
    meta |= {"grade": test, "solution": not test, "locked": test} | ({"points": 2} if test else {})
    return new_code_cell(source, metadata={"nbgrader": meta})


def notebook(language: str = "python"):
    kernel = {"name": "python3", "display_name": "A kernel", "language": language}
    cells = [cell("double", DOUBLE, False), *(cell(n, s, True) for n, s in TESTS.items())]
    return new_notebook(cells=cells, metadata={"kernelspec": kernel})


def test_a_new_gradebook_has_the_version_that_nbgrader_gives_it(tmp_path):
    url = f"sqlite:///{tmp_path / 'gradebook.db'}"
    Gradebook(url, "small").close()  # no command is asked: small_course has said so
    asked = "from nbgrader import api; print(api.get_alembic_version())"
    told = subprocess.run(
        [sys.executable, "-c", asked], env=surroundings(), stdout=subprocess.PIPE, text=True
    )
    with create_engine(url).connect() as connection:
        [version] = connection.execute(text("SELECT version_num FROM alembic_version")).scalars()
    assert version == told.stdout.strip() != ""


@confined
@pytest.mark.usefixtures("in_this_process")
def test_an_assignments_own_tests_are_tried_and_the_class_is_told_what_can_be_forged(
    tmp_path, monkeypatch, capfd
):
    course = SmallCourse(tmp_path)
    course.release({NOTEBOOK: notebook()})
    within = f"{ASSIGNMENT}/{NOTEBOOK}/within"
    course.write_settings(f"c.ConfinedExecute.inside = [{within!r}]\n")
    monkeypatch.chdir(tmp_path)
    assert main(["doctor", ASSIGNMENT]) == 1
    out, err = capfd.readouterr()
    assert "Traceback" not in err  # nor from processes whose folder goes
    path = f"{ASSIGNMENT}/{NOTEBOOK}"
    assert f"{path}/looks: the solution gets 0.0 here and 2.0 from stock nbgrader" in out
    assert "__code__" in out
    assert f"c.ConfinedExecute.inside = ['{path}/looks', '{within}']" in out
    assert f"{path}/lenient: the solution gets 0.0 here" in out
    assert "have other marks inside, too" in out
    assert f"{path}/fine" not in out
    assert f"{within} runs inside the locked process: its marks can be forged." in out

    course.hand_in("ada", notebook())
    assert main(["grade", ASSIGNMENT, "--jobs", "1"]) == 0
    told = capfd.readouterr().out
    assert f"can be forged, because they ran beside the student's code: {within}" in told
    assert course.scores("ada") == {"fine": 2, "looks": 0, "within": 2, "lenient": 0}
    main(["report", ASSIGNMENT])
    page = (tmp_path / "reports" / f"{ASSIGNMENT}.html").read_text()
    assert "These marks can be forged: week/within." in page


@confined
def test_what_is_no_test_is_not_let_inside_without_a_word(tmp_path, monkeypatch, capsys):
    course = SmallCourse(tmp_path)
    course.release({NOTEBOOK: notebook()})
    course.write_settings(f"c.ConfinedExecute.inside = ['{ASSIGNMENT}/{NOTEBOOK}/wihtin']\n")
    monkeypatch.chdir(tmp_path)
    assert main(["doctor", ASSIGNMENT]) == 2
    assert "wihtin" in capsys.readouterr().err
    assert main(["doctor", "nothing"]) == 2


def test_a_notebook_in_another_language_is_refused_in_words():
    need_python(notebook(), "a.ipynb")
    need_python(new_notebook(), "a.ipynb")
    with pytest.raises(Problem, match=r"a\.ipynb is written in R\. Only notebooks in Python"):
        need_python(notebook("R"), "a.ipynb")
