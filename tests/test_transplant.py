"""A hand-in is rebuilt on the released notebook: whatever befell its cells, the work counts."""

import copy

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell
from small_course import DOUBLE, SOFTMAX, source_notebook

from autograder.transplant import transplant


@pytest.fixture
def released():
    return source_notebook()


@pytest.fixture
def solved(released):
    """The hand-in of a student who solved all, as intake reads it."""
    notebook = copy.deepcopy(released)
    for cell in notebook.cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
        cell.metadata = {"nbgrader": {"grade_id": grade_id}} if grade_id else {}
        cell.source = {"softmax": SOFTMAX, "double": DOUBLE}.get(cell.id, cell.source)
    return notebook


def ids(notebook):
    return [cell.id for cell in notebook.cells]


def source(notebook, cell_id):
    (cell,) = (cell for cell in notebook.cells if cell.id == cell_id)
    return cell.source


def position(notebook, cell_id):
    return ids(notebook).index(cell_id)


def assert_like_released(rebuilt, released):
    """Every released cell is there once, in order, with our metadata; tests as released."""
    kept = [cell for cell in rebuilt.cells if cell.id in ids(released)]
    assert ids(released) == [cell.id for cell in kept]
    for cell, original in zip(kept, released.cells, strict=True):
        assert cell.metadata == original.metadata
        assert cell.cell_type == original.cell_type
        if original.metadata.get("nbgrader", {}).get("locked"):
            assert cell.source == original.source


def test_an_honest_hand_in_stays_as_it_is(released, solved):
    rebuilt = transplant(solved, released)
    assert_like_released(rebuilt, released)
    assert ids(rebuilt) == ids(released)
    assert source(rebuilt, "softmax") == SOFTMAX


def test_deleted_cells_come_back(released, solved):
    solved.cells = [c for c in solved.cells if c.id in ("softmax", "double_check")]
    rebuilt = transplant(solved, released)
    assert_like_released(rebuilt, released)
    assert source(rebuilt, "softmax") == SOFTMAX
    assert source(rebuilt, "double") == ""


def test_a_function_counts_in_whatever_cell_it_is_written(released, solved):
    deleted = [c for c in solved.cells if c.id != "double"]
    elsewhere = new_code_cell(DOUBLE)
    solved.cells = [deleted[0], elsewhere, *deleted[1:]]
    rebuilt = transplant(solved, released)
    assert source(rebuilt, "double") == ""
    assert rebuilt.cells[1].source == DOUBLE
    solved.cells = [new_code_cell(c.source) for c in solved.cells]
    assert source(transplant(solved, released), "double") == ""


def test_an_empty_hand_in_becomes_the_released_notebook(released, solved):
    solved.cells = []
    assert ids(transplant(solved, released)) == ids(released)


def test_moved_cells_go_back_to_their_place(released, solved):
    solved.cells.reverse()
    rebuilt = transplant(solved, released)
    assert_like_released(rebuilt, released)
    assert source(rebuilt, "double") == DOUBLE


def test_changed_tests_are_ours_again(released, solved):
    for cell in solved.cells:
        if cell.id not in ("softmax", "double"):
            cell.source = "pass"
    assert_like_released(transplant(solved, released), released)


def test_a_cell_that_became_text_is_code_again(released, solved):
    place = position(solved, "softmax")
    metadata = solved.cells[place].metadata
    solved.cells[place] = new_markdown_cell(SOFTMAX, id="softmax", metadata=metadata)
    rebuilt = transplant(solved, released)
    assert_like_released(rebuilt, released)
    assert source(rebuilt, "softmax") == SOFTMAX


def test_added_cells_stay_where_they_were_put(released, solved):
    solved.cells.insert(position(solved, "softmax"), new_code_cell("import math", id="mine"))
    solved.cells.insert(0, new_markdown_cell("my notes", id="notes"))
    rebuilt = transplant(solved, released)
    assert_like_released(rebuilt, released)
    sources = [cell.source for cell in rebuilt.cells]
    assert sources.index("my notes") == 0
    assert sources.index("import math") == position(rebuilt, "softmax") - 1


def test_a_copied_solution_leaves_the_last_one_graded(released, solved):
    place = position(solved, "softmax")
    broken = copy.deepcopy(solved.cells[place])
    broken.id, broken.source = "copy", "def softmax(:"
    solved.cells.insert(place, broken)
    rebuilt = transplant(solved, released)
    assert_like_released(rebuilt, released)
    assert source(rebuilt, "softmax") == SOFTMAX
    assert "def softmax(:" in [cell.source for cell in rebuilt.cells]


def test_a_cell_split_inside_a_function_is_joined(released, solved):
    place = position(solved, "softmax")
    head, *body = SOFTMAX.splitlines()
    first = copy.deepcopy(solved.cells[place])
    first.id, first.source = "first", head
    solved.cells[place].source = "\n".join(body)
    solved.cells.insert(place, first)
    rebuilt = transplant(solved, released)
    assert_like_released(rebuilt, released)
    assert source(rebuilt, "softmax").split() == SOFTMAX.split()


def test_a_cell_split_between_functions_keeps_its_parts(released, solved):
    place = position(solved, "double")
    first = copy.deepcopy(solved.cells[place])
    first.id, first.source = "first", "def helper(x):\n    return x + x"
    solved.cells[place].source = "def double(x):\n    return helper(x)"
    solved.cells.insert(place, first)
    rebuilt = transplant(solved, released)
    assert_like_released(rebuilt, released)
    assert rebuilt.cells[position(rebuilt, "double") - 1].source == first.source


def test_grade_ids_of_other_cells_are_not_believed(released, solved):
    for cell in solved.cells:
        cell.metadata = {"nbgrader": {"grade_id": "double"}}
    rebuilt = transplant(solved, released)
    assert_like_released(rebuilt, released)
    assert source(rebuilt, "softmax") == SOFTMAX
    assert source(rebuilt, "double") == DOUBLE


def test_without_ids_the_grade_ids_and_texts_tell(released, solved):
    for n, cell in enumerate(solved.cells):
        cell.id = f"new{n}"
    rebuilt = transplant(solved, released)
    assert ids(rebuilt) == ids(released)
    assert source(rebuilt, "softmax") == SOFTMAX


def test_ids_are_unique(released, solved):
    solved.cells += [new_code_cell("1", id="mine"), new_code_cell("2", id="mine")]
    rebuilt = ids(transplant(solved, released))
    assert len(rebuilt) == len(set(rebuilt))
