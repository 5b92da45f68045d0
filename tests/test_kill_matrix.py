"""The course's central promise, through the test cells that students and graders run."""

import itertools
import re

import numpy as np
import pytest
from classroom import ROOT, graded_cells, read_solution

from autograder.authoring.fuzz import converted
from autograder.authoring.kill_matrix import kill_matrix, run_cell, write_table
from autograder.exercises import LESSONS, all_exercises
from autograder.exercises.making_keys import full_key
from autograder.exercises.reference import reference
from illustrated_attention.comparing import ATOL, RTOL

NAMES = [exercise.name for exercise in all_exercises()]


@pytest.fixture(scope="module")
def matrix():
    return {rows.exercise.name: rows for rows in kill_matrix()}


def test_every_exercise_is_in_it(matrix):
    assert list(matrix) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_solution_gets_all_points_and_the_blank_stub_none(matrix, name):
    rows = matrix[name]
    assert rows.possible == 3
    assert (rows.solution.check, rows.solution.hidden) == (1, 2)
    assert rows.blank.total == 0


@pytest.mark.parametrize("name", NAMES)
def test_every_mistake_loses_all_points_and_gets_its_own_message(matrix, name):
    rows = matrix[name]
    assert len(rows.mistakes) >= 8
    for id in rows.mistakes:
        assert rows.killed(id), id
        assert rows.named(id), id


@pytest.mark.parametrize("name", NAMES)
def test_every_unusual_but_right_variant_gets_all_points(matrix, name):
    rows = matrix[name]
    assert len(rows.right) >= 3
    for id, marks in rows.right.items():
        assert marks.total == rows.possible, id


def test_check_and_judge_agree(matrix):
    for rows in matrix.values():
        for marks in itertools.chain(rows.right.values(), *rows.mistakes.values()):
            assert marks.named_by_check == marks.named_by_judge
            assert (marks.check == 0) == (marks.hidden == 0)


def off(value, expected):
    """How much of the tolerance a result takes up where it is farthest off."""
    if isinstance(expected, (list, tuple)):
        return max(map(off, value, expected), default=0)
    value, expected = np.asarray(value, float), np.asarray(expected, float)
    with np.errstate(all="ignore"):
        parts = np.abs(value - expected) / (ATOL + RTOL * np.abs(expected))
    return float(np.where(value == expected, 0, parts).max(initial=0))


@pytest.mark.parametrize("name", NAMES)
def test_no_case_is_too_delicate_for_float32(matrix, name):
    """Another processor may round more coarsely: there must be room."""
    key, solution = full_key(name), reference(name)
    for case, expected in zip(key.cases, key.expected, strict=True):
        if not (case.raises or case.within):
            result = solution(*converted(case.args, np.float32, name))
            assert off(result, expected) < 0.6, case.title


def a_cell():
    return graded_cells(read_solution("01_self_attention"))["softmax_check"]


@pytest.mark.parametrize(
    ("source", "points"),
    [
        ("softmax", 1),
        ("raise ValueError", 0),
        ("import sys; print('oh', file=sys.stderr)", 0),
        ("sotfmax", 0),
        ("raise SystemExit", 0),
    ],
)
def test_a_cell_is_scored_as_nbgrader_scores_it(source, points):
    cell = a_cell()
    cell.source = source
    assert run_cell(cell, "softmax", reference("softmax"))[0] == points


def test_the_table_is_fresh_and_says_what_was_counted(matrix, tmp_path):
    write_table(list(matrix.values()), tmp_path / "table.md")
    text = (tmp_path / "table.md").read_text(encoding="utf-8")
    assert text == (ROOT / "docs" / "kill_matrix.md").read_text(encoding="utf-8")
    mistakes = sum(len(exercise.mistakes) for exercise in all_exercises())
    right = sum(len(exercise.right) for exercise in all_exercises())
    assert f"| known mistakes rejected | {mistakes} of {mistakes} |" in text
    assert f"| of these named by their own message | {mistakes} of {mistakes} |" in text
    assert f"full marks | {right} of {right} |" in text
    assert len(re.findall(r"^\| `\w+` \|", text, re.MULTILINE)) == mistakes


def test_every_lesson_has_its_points():
    for lesson, exercises in LESSONS.items():
        points = [c.metadata.nbgrader.points for c in graded_cells(read_solution(lesson)).values()]
        assert sum(points) == 3 * len(exercises)
