"""The benchmarks compare like with like, and their model counts what it says that it counts."""

import ast
import shutil
import textwrap
from pathlib import Path

import nbformat
import pytest

from benchmarks import otter_grader
from benchmarks.scale import PARTS, Model, Run, model_of

ROOT = Path(__file__).resolve().parents[1]
LESSON = "01_self_attention"


@pytest.fixture(scope="module")
def assignment(tmp_path_factory):
    """The folder that otter-grader gets, made of a course with one hand-in."""
    course = tmp_path_factory.mktemp("course")
    for source, place in (("solutions", "source"), ("notebooks", "submitted/ann")):
        (course / place / LESSON).mkdir(parents=True)
        shutil.copy(ROOT / source / LESSON / f"{LESSON}.ipynb", course / place / LESSON)
    return otter_grader.make_assignment(course, LESSON)


def code_of(notebook, **marks):
    """The code cells of a notebook whose nbgrader metadata has these marks."""
    return [
        cell
        for cell in notebook.cells
        if cell.cell_type == "code"
        and all(
            cell.metadata.get("nbgrader", {}).get(key, False) == is_ for key, is_ in marks.items()
        )
    ]


def test_otter_is_given_the_same_test_cells_with_the_same_points(assignment):
    lesson = nbformat.read(ROOT / "solutions" / LESSON / f"{LESSON}.ipynb", 4)
    expected = {
        about["grade_id"]: (about["points"], "_hidden" in about["grade_id"], cell.source)
        for cell in code_of(lesson, grade=True)
        for about in [cell.metadata["nbgrader"]]
    }
    found = {}
    for path in (assignment / "tests").glob("*.py"):
        text = path.read_text(encoding="utf-8")
        for case in ast.parse(text).body:
            if isinstance(case, ast.FunctionDef):
                assert [argument.arg for argument in case.args.args] == [path.stem]
                (decorator,) = case.decorator_list
                said = {word.arg: ast.literal_eval(word.value) for word in decorator.keywords}
                lines = text.splitlines()[case.lineno : case.end_lineno]
                source = textwrap.dedent("\n".join(lines))
                found[case.name] = (said["points"], said["hidden"], source)
    assert found.keys() == expected.keys() and len(found) == 10
    for name, (points, hidden, source) in expected.items():
        assert found[name][:2] == (points, hidden), name
        assert source.startswith(found[name][2]), name  # comments at the end are no statements


def test_otter_runs_the_same_cells_and_each_test_where_it_stood(assignment):
    original = nbformat.read(ROOT / "notebooks" / LESSON / f"{LESSON}.ipynb", 4)
    handed_in = nbformat.read(assignment / "hand_ins" / "ann.ipynb", 4)
    ours, theirs = code_of(original, grade=False), code_of(handed_in)
    assert [cell.source for cell in theirs] == [cell.source for cell in ours]
    tested = {cell.source.split("(")[0][4:]: cell.metadata.get("otter") for cell in theirs}
    names = [cell.metadata["nbgrader"]["grade_id"] for cell in code_of(original, solution=True)]
    assert {name for name, otter in tested.items() if otter} == set(names)
    assert all(tested[name] == {"tests": [name]} for name in names)


REAL = Model(
    start={"workers": 4.0, "scheduler": 2.0, "command": 1.5, "database": 0.5},
    each={"workers": 0.4, "scheduler": 0.01, "command": 0.002, "database": 0.05},
)


def graded_as_real(hand_ins, workers):
    return Run(hand_ins, workers, 0.0, {part: REAL.part(part, hand_ins, workers) for part in PARTS})


def test_the_model_finds_what_each_part_takes_from_three_small_classes():
    small = [graded_as_real(20, 1), graded_as_real(20, 4), graded_as_real(200, 4)]
    found = model_of(*small)
    assert found.start == pytest.approx(REAL.start) and found.each == pytest.approx(REAL.each)
    assert found.cpu(1000, 4) == pytest.approx(4 * 4 + 2 + 1.5 + 0.5 + 1000 * 0.462)


def test_by_the_clock_the_slowest_part_is_waited_for():
    assert REAL.wall(100_000, 1) == pytest.approx(1.5 + 200 + 4 + 100_000 * 0.4 / 16)
    # However many machines there are: one scheduler tells all their workers what to do.
    assert REAL.wall(100_000, 64) == pytest.approx(1.5 + 200 + 2 + 1000)


def test_what_takes_next_to_nothing_is_never_less_than_nothing():
    small = [graded_as_real(20, 1), graded_as_real(20, 4), graded_as_real(200, 4)]
    small[-1].cpu["command"] = small[0].cpu["command"] - 0.3  # as it comes on a busy machine
    assert model_of(*small).each["command"] == 0
