"""A hand-in is rebuilt on the released notebook: whatever befell its cells, the work counts."""

import copy
import json
import textwrap
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from small_course import DOUBLE, SOFTMAX, source_notebook

from autograder.authoring.build import cell_ids
from autograder.nbgrader_steps.strangers_notebook import read_notebook
from autograder.nbgrader_steps.transplant import transplant


@pytest.fixture
def released():
    """The notebook as students get it: nothing is solved."""
    notebook = source_notebook()
    for cell in notebook.cells:
        if cell.id in ("softmax", "double"):
            head = cell.source.splitlines()[0]
            cell.source = f"{head}\n    # YOUR CODE HERE\n    raise NotImplementedError()"
    return notebook


@pytest.fixture
def solved(released):
    """The hand-in of a student who solved all, as it is read."""
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


def sources(notebook):
    return [cell.source for cell in notebook.cells]


def assert_like_released(rebuilt, released):
    """Every released cell is there once, in order, with our metadata; tests as released."""
    kept = [cell.id for cell in rebuilt.cells if cell.id in ids(released)]
    assert ids(released) == kept
    assert_ours(rebuilt, released)


def assert_ours(rebuilt, released):
    """Every released cell is there once, with our metadata; tests as released."""
    kept = {cell.id: cell for cell in rebuilt.cells if cell.id in ids(released)}
    assert len(kept) == len(released.cells)
    for original in released.cells:
        cell = kept[original.id]
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
    assert DOUBLE in sources(rebuilt)[: position(rebuilt, "double_check")]
    solved.cells = [new_code_cell(c.source) for c in solved.cells]
    assert sources(transplant(solved, released)).count(DOUBLE) == 1


def test_an_empty_hand_in_becomes_the_released_notebook(released, solved):
    solved.cells = []
    assert ids(transplant(solved, released)) == ids(released)


def test_moved_cells_stay_where_the_learner_put_them(released, solved):
    solved.cells.reverse()
    rebuilt = transplant(solved, released)
    assert ids(rebuilt) == ids(released)[::-1]
    assert_ours(rebuilt, released)
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
    assert ids(rebuilt)[1:] == ids(released)[1:]
    assert sources(rebuilt)[0] == "import numpy as np"
    assert source(rebuilt, "softmax") == SOFTMAX


def test_an_id_alone_does_not_make_prose_code(released, solved):
    """Ids of an earlier release may be those of other cells now."""
    solved.cells.insert(0, new_markdown_cell("What attention is.", id="double"))
    solved.cells[position(solved, "double")].id = "02"
    rebuilt = transplant(solved, released)
    assert rebuilt.cells[0].cell_type == "markdown"
    assert source(rebuilt, "double") == DOUBLE


def test_without_metadata_and_ids_unchanged_tests_are_found_in_their_order(released, solved):
    solved.cells = [new_code_cell(cell.source) for cell in solved.cells[:-1]]
    rebuilt = transplant(solved, released)
    kept = [cell.id for cell in rebuilt.cells if "_" in cell.id]
    assert kept == [i for i in ids(released) if "_" in i]


def test_copies_at_the_end_do_not_come_before_the_tests(released, solved):
    """A variant and the untouched stub, copied with their metadata, at the notebook's end."""
    for variant in ("def softmax(x):\n    return 0 * x", released.cells[5].source):
        copied = copy.deepcopy(solved.cells[position(solved, "softmax")])
        copied.id, copied.source = f"copy{len(solved.cells)}", variant
        solved.cells.append(copied)
    rebuilt = transplant(solved, released)
    order = sources(rebuilt)
    tests = position(rebuilt, "softmax_hidden")
    assert order.index(SOFTMAX) < tests < order.index("def softmax(x):\n    return 0 * x")


def test_an_untouched_copy_of_what_is_marked_by_hand_does_not_replace_the_work(released, solved):
    solved.cells[-1].source = "Because order does not matter."
    copied = copy.deepcopy(released.cells[-1])
    copied.id = "copy"
    solved.cells.append(copied)
    assert source(transplant(solved, released), "essay") == "Because order does not matter."


def test_a_bomb_for_the_compiler_costs_nothing(released, solved):
    bomb = "f'" + "{0:" * 50_000
    for _ in range(2):
        part = copy.deepcopy(solved.cells[position(solved, "softmax")])
        part.id, part.source = f"part{len(solved.cells)}", bomb
        solved.cells.append(part)
    start = time.process_time()
    assert bomb in sources(transplant(solved, released))
    assert time.process_time() - start < 1


def test_ids_are_unique(released, solved):
    solved.cells += [new_code_cell("1", id="mine"), new_code_cell("2", id="mine")]
    rebuilt = ids(transplant(solved, released))
    assert len(rebuilt) == len(set(rebuilt))


# -- whatever is done to its cells, a notebook gets stock nbgrader's marks -------------------------

STUB = "def {name}(x):\n    # YOUR CODE HERE\n    raise NotImplementedError()"
KINDS = {
    "intro": ("text", "# A lesson"),
    "imports": ("plain", "import math"),
    "factor": ("plain", "factor = 2"),
    "double": ("solution", STUB.format(name="double")),
    "double_check": ("test", "assert double(2) == 4"),
    "double_hidden": ("test", "# Hidden tests run here.\nassert double(5) == 10"),
    "given": ("locked", "def add(x, y):\n    return x + y"),
    "triple": ("solution", STUB.format(name="triple")),
    "triple_check": ("test", "assert triple(2) == 6"),
    "triple_hidden": ("test", "# Hidden tests run here.\nassert triple(5) == 15"),
    "root": ("solution", STUB.format(name="root")),
    "root_check": ("test", "assert root(4) == 2"),
}
SOLVED = {
    "double": "def double(x):\n    y = factor * x\n    return y",
    "triple": "def triple(x):\n    y = double(x)\n    return add(x, y)",
    "root": "def half(x):\n    return x / 2\n\n"
    "def root(x):\n    return math.exp(half(math.log(x)))",
}
OWN = ["factor = 2", "double = lambda x: 2 * x", "x = (", "# Some notes", "import math", "1 / 0"]


def small_release():
    cells = []
    for name, (kind, text) in KINDS.items():
        make = new_markdown_cell if kind == "text" else new_code_cell
        cell = make(text, id=name)
        if kind not in ("text", "plain"):
            flags = {"solution": kind == "solution", "grade": kind == "test"}
            meta = {"grade_id": name, "schema_version": 3, **flags, "locked": kind != "solution"}
            cell.metadata.nbgrader = {**meta, "task": False, "points": 1}
        cells.append(cell)
    for cell, cell_id in zip(cells, cell_ids(cells), strict=True):
        cell.id = cell_id
    return new_notebook(cells=cells)


RELEASED = small_release()


def marks(cells, tests):
    """Run code cells from top to bottom, as a kernel does; the tests that pass, by name."""
    names, passed = {}, set()
    for cell in cells:
        if cell.cell_type == "code":
            name = cell.metadata.get("nbgrader", {}).get("grade_id")
            try:
                exec(textwrap.dedent(cell.source), names)
            except Exception:  # the cell is red, and the next one runs
                continue
            if name in tests:
                passed.add(name)
    return passed


def solve(notebook):
    solved = copy.deepcopy(notebook)
    for cell in solved.cells:
        cell.source = SOLVED.get(cell.metadata.get("nbgrader", {}).get("grade_id"), cell.source)
    return solved


def by_position(cells):
    """Ids as they were made until 2026-11-25: a number for what is not graded."""
    names = (cell.metadata.get("nbgrader", {}).get("grade_id") for cell in cells)
    return [name or f"01-{place:03d}" for place, name in enumerate(names)]


@pytest.mark.parametrize("ids_now", [by_position, cell_ids])
@pytest.mark.parametrize("ids_then", [by_position, cell_ids])
@pytest.mark.parametrize("added", [new_markdown_cell("What is new."), new_code_cell("1 + 1")])
def test_hand_ins_of_an_earlier_release_lose_nothing(ids_then, ids_now, added):
    """In the new release a cell was put in, taken out, or has another text."""
    handed_in = solve(RELEASED)
    for cell, cell_id in zip(handed_in.cells, ids_then(handed_in.cells), strict=True):
        cell.id = cell_id
    for place in range(len(KINDS)):
        fewer = [c for n, c in enumerate(RELEASED.cells) if n != place or "nbgrader" in c.metadata]
        changed = copy.deepcopy(RELEASED.cells)
        changed[place].source += "\n# Better said."
        for cells in ([*RELEASED.cells[:place], added, *RELEASED.cells[place:]], fewer, changed):
            now = new_notebook(cells=copy.deepcopy(cells))
            for cell, cell_id in zip(now.cells, ids_now(now.cells), strict=True):
                cell.id = cell_id
            rebuilt = transplant(read_notebook(json.dumps(handed_in)), now)
            assert marks(rebuilt.cells, TESTS) == TESTS


def stock_marks(handed_in):
    """What stock nbgrader gives: the last cell with a grade_id counts, and is put right."""
    cells, seen = copy.deepcopy(handed_in.cells), set()
    ours = {c.metadata.nbgrader.grade_id: c for c in RELEASED.cells if "nbgrader" in c.metadata}
    for cell in reversed(cells):
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        if name in seen:
            cell.metadata.nbgrader = {}
        elif name:
            seen.add(name)
            cell.cell_type = ours[name].cell_type
            if ours[name].metadata.nbgrader.locked:
                cell.source = ours[name].source
    return marks(cells, TESTS)


TESTS = {name for name, (kind, _text) in KINDS.items() if kind == "test"}
KINDER = {"delete", "merge", "split", "strip", "strip_all", "retype", "retag"}


def befall(cells, edit, random):
    """Do to a notebook's cells what an editor can do to them."""
    here, there = random.randrange(len(cells)), random.randrange(len(cells) + 1)
    cell = cells[here]
    if edit == "copy":
        made = copy.deepcopy(cell)
        made.id = f"copy{random.random()}"[:20].replace(".", "")
        meta = cell.metadata.get("nbgrader", {})
        stub = STUB.format(name=meta.get("grade_id"))
        if meta.get("solution"):
            made.source = random.choice([made.source, stub, stub.replace("raise", "return")])
        cells.insert(there, made)
    elif edit == "drag":
        del cells[here]
        cells.insert(there, cell)
    elif edit == "split" and "\n" in cell.source:
        lines = cell.source.split("\n")
        at = random.randrange(1, len(lines))
        other = copy.deepcopy(cell)
        cell.source, other.source = "\n".join(lines[:at]), "\n".join(lines[at:])
        random.choice([cell, other]).id = f"part{random.random()}"[:20].replace(".", "")
        cells.insert(here + 1, other)
        if random.random() < 0.3:
            cells.insert(here + 1, new_code_cell(random.choice(OWN)))
    elif edit == "merge" and here + 1 < len(cells):
        other = cells[here + 1]
        first, second = random.choice([(cell, other), (other, cell)])
        if first.metadata.get("nbgrader", {}).get("locked") is not True:
            first.source = cell.source + "\n" + other.source
            cells.remove(second)
    elif edit == "insert":
        make = random.choice([new_code_cell, new_markdown_cell])
        cells.insert(there, make(random.choice(OWN)))
    elif edit == "delete":
        del cells[here]
    elif edit == "rename":
        cell.id = f"pasted{random.random()}"[:20].replace(".", "")
    elif edit == "strip":
        cell.metadata = {}
    elif edit == "strip_all":
        for one in cells:
            one.metadata = {}
    elif edit == "retag":
        made = new_code_cell(random.choice(OWN), metadata=copy.deepcopy(cell.metadata))
        cells.insert(there, made)
    elif edit == "retype":
        cell.cell_type = random.choice(["code", "markdown", "raw"])
    elif edit == "write":
        cell.source = random.choice([cell.source + "\n", random.choice(OWN)])
    elif edit == "forget_ids":
        for one in cells:
            del one["id"]
            one.id = f"none{random.random()}"[:20].replace(".", "")


EDITS = ["copy", "drag", "copy", "drag", "insert", "rename", "forget_ids", "write", *KINDER]


@pytest.mark.filterwarnings("ignore::SyntaxWarning")
@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(st.randoms(use_true_random=False), st.lists(st.sampled_from(EDITS), max_size=5))
def test_whatever_befalls_its_cells_honest_work_gets_the_marks_of_stock_nbgrader(random, edits):
    handed_in = solve(RELEASED)
    for edit in edits:
        befall(handed_in.cells, edit, random)
    rebuilt = transplant(read_notebook(json.dumps(handed_in)), RELEASED)
    stock, ours = stock_marks(handed_in), marks(rebuilt.cells, TESTS)
    assert stock <= ours
    assert stock == ours or KINDER & set(edits)
    assert stock == TESTS or edits


def test_the_marks_compared_differ():
    """A solved notebook has all, the released one none, one out of order a part."""
    assert marks(RELEASED.cells, TESTS) == set()
    solved = solve(RELEASED)
    assert stock_marks(solved) == TESTS
    solved.cells.append(solved.cells.pop(position(solved, "double")))
    assert stock_marks(solved) == {"root_check"}
