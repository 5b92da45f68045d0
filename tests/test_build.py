"""What is derived is fresh, the same on every run, and holds nothing that students must not see.

That docs/kill_matrix.md is fresh is in test_kill_matrix.py, which runs the matrix anyway.
"""

import ast
import builtins
import json
import subprocess
import sys

import nbformat
import pytest
from classroom import (
    ROOT,
    exercise_names,
    graded_cells,
    nbgrader_data,
    on_stderr,
    outputs,
    read_release,
    read_solution,
    run_notebook,
    solution_sources,
    surroundings,
)
from nbformat.v4 import new_markdown_cell

from autograder.authoring import build as building
from autograder.authoring.build import build_lessons, built_so_far, cell_ids
from autograder.authoring.catalogues import languages
from autograder.exercises import LESSONS

every_lesson = pytest.mark.parametrize("lesson", LESSONS)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    out = tmp_path_factory.mktemp("built")
    return out, build_lessons(out)


def test_what_is_committed_is_what_the_build_makes(built):
    out, files = built
    for path in files:
        committed = ROOT / path.relative_to(out)
        assert path.read_bytes() == committed.read_bytes(), committed


# Kernels of OpenBLAS, and features that NumPy is told not to use: one machine is many. What the
# machine has at its best is what `built` ran with.
PROCESSORS = [
    {"OPENBLAS_CORETYPE": "Haswell", "NPY_DISABLE_CPU_FEATURES": "X86_V4"},
    {"OPENBLAS_CORETYPE": "Prescott", "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4"},
]


@pytest.mark.parametrize("processor", PROCESSORS, ids=lambda p: p["OPENBLAS_CORETYPE"])
def test_the_answer_keys_are_the_same_on_every_processor(processor, tmp_path):
    code = "import sys; from autograder.authoring.build import *; write_keys(Path(sys.argv[1]))"
    quiet = {"PYTHONWARNINGS": "ignore"}  # NumPy warns of features that it does not know
    environment = surroundings(**processor, **quiet)
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], env=environment, check=True)
    for made in sorted(tmp_path.iterdir()):
        committed = ROOT / "data" / "answers" / made.name
        assert made.read_bytes() == committed.read_bytes(), committed


def test_the_build_writes_all_of_the_lessons_that_is_derived_and_nothing_else(built):
    out, files = built
    assert sorted(files) == sorted(path for path in out.rglob("*") if path.is_file())
    names = {str(path.relative_to(out)) for path in files}
    for lesson in LESSONS:
        assert f"solutions/{lesson}/{lesson}.ipynb" in names
        assert f"notebooks/{lesson}/{lesson}.ipynb" in names
        assert {f"data/answers/{lesson}.json", f"data/answers/{lesson}.npz"} <= names


def test_nothing_is_left_over_of_a_lesson_or_language_that_went():
    folders = [path for name in ("solutions*", "notebooks*") for path in ROOT.glob(name)]
    assert len(folders) == 2 + 2 * len(languages())
    for folder in folders:
        found = {path.stem for path in folder.glob("*/*.ipynb") if path.parent.name != "kept"}
        assert found == set(LESSONS), folder
    assert {path.stem for path in (ROOT / "data" / "answers").iterdir()} == set(LESSONS)
    assert [path.name for path in (ROOT / "data" / "locale").iterdir()] == languages()


def test_earlier_functions_come_from_earlier_solutions(monkeypatch):
    source = built_so_far("01_self_attention", ["embed"])
    namespace = {}
    exec(source, namespace)
    assert callable(namespace["embed"])
    assert "###" not in source
    with pytest.raises(ValueError, match="no earlier lesson solves softmax"):
        built_so_far("01_self_attention", ["softmax"])


_MARKED_BY_A_PERSON = {
    "grade": True,
    "grade_id": "essay",
    "locked": False,
    "points": 4,
    "schema_version": 3,
    "solution": True,
    "task": False,
}
A_TEXT_WITH_MARKS = f"""

# %% [markdown] nbgrader={json.dumps(_MARKED_BY_A_PERSON)}
# Say in your own words what `embed` does (it is not "just adding").
"""


def test_a_text_cell_that_a_person_marks_is_released_and_holds_no_function(tmp_path, monkeypatch):
    for lesson in ("00_orientation", "01_self_attention"):
        (tmp_path / "solutions" / lesson).mkdir(parents=True)
        source = (ROOT / "solutions" / lesson / f"{lesson}.py").read_text(encoding="utf-8")
        path = tmp_path / "solutions" / lesson / f"{lesson}.py"
        path.write_text(source + A_TEXT_WITH_MARKS, encoding="utf-8")
    monkeypatch.setattr(building, "ROOT", tmp_path)
    for lesson in ("00_orientation", "01_self_attention"):  # the second one uses the first
        folder = tmp_path / "solutions" / lesson
        building.write_notebook(building.solution_notebook(lesson), folder / f"{lesson}.ipynb")
    released = tmp_path / "notebooks" / "01_self_attention.ipynb"
    released.parent.mkdir()
    building.release(folder, released)
    cells = nbformat.read(released, as_version=4).cells
    assert cells[-1].cell_type == "markdown" and nbgrader_data(cells[-1])["points"] == 4
    assert "def embed(" in built_so_far("01_self_attention", ["embed"])


@every_lesson
def test_built_so_far_is_up_to_date_in_the_notebook(lesson):
    for cell in read_solution(lesson).cells:
        if nbgrader_data(cell).get("grade_id") == "built_so_far":
            assert nbgrader_data(cell)["locked"]
            names = [n.name for n in ast.parse(cell.source).body if isinstance(n, ast.FunctionDef)]
            assert cell.source == built_so_far(lesson, names)


# --- what students get ---------------------------------------------------------------------------


@every_lesson
def test_a_release_notebook_holds_no_solution_and_no_hidden_test(lesson):
    cells = read_release(lesson).cells
    text = "\n".join(cell.source for cell in cells)
    assert "### BEGIN" not in text and "### END" not in text
    assert "###" not in "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    assert "judge" not in text and "autograder" not in text
    for name, source in solution_sources(lesson).items():
        solved = source.split("### BEGIN SOLUTION")[1].split("### END SOLUTION")[0]
        [released] = [
            c.source for c in read_release(lesson).cells if nbgrader_data(c).get("grade_id") == name
        ]
        assert "raise NotImplementedError()" in released
        for line in solved.splitlines():
            assert len(line.strip()) < 12 or line.strip() not in released, name


@every_lesson
def test_a_release_notebook_has_no_outputs(lesson):
    for cell in read_release(lesson).cells:
        if cell.cell_type == "code":
            assert cell.outputs == [] and cell.execution_count is None


def function_in(source, name):
    """The function of this name in a solution cell; helpers may stand beside it."""
    [function] = [node for node in ast.parse(source).body if getattr(node, "name", "") == name]
    return function


@every_lesson
def test_the_released_stub_keeps_name_parameters_and_docstring(lesson):
    solved = solution_sources(lesson)
    released = {
        nbgrader_data(c)["grade_id"]: c.source
        for c in read_release(lesson).cells
        if c.cell_type == "code" and nbgrader_data(c).get("solution")
    }
    assert list(released) == list(solved)
    assert sorted(solved) == sorted(exercise_names(lesson))
    for name in solved:
        one, other = function_in(solved[name], name), function_in(released[name], name)
        assert ast.dump(one.args) == ast.dump(other.args)
        assert ast.get_docstring(one) == ast.get_docstring(other)
        assert "Parameters" in ast.get_docstring(one) and "Returns" in ast.get_docstring(one)


@every_lesson
def test_a_blank_notebook_raises_nothing_but_what_the_stubs_raise(lesson, tmp_path):
    """A stub's error, its failed check, figures of these, and names that are missing then."""
    notebook = run_notebook(read_release(lesson), tmp_path, allow_errors=True)
    errors = outputs(notebook, "error")
    known = {"NotImplementedError", "CheckFailed", "NameError", "NotDrawn"}
    assert {error.ename for error in errors} <= known
    for cell in notebook.cells:
        for error in (o for o in cell.get("outputs", []) if o.output_type == "error"):
            if error.ename == "CheckFailed":
                assert nbgrader_data(cell)["grade_id"].endswith("_check")
    failed = {
        nbgrader_data(c).get("grade_id")
        for c in notebook.cells
        if any(o.output_type == "error" for o in c.get("outputs", []))
    }
    assert {f"{name}_check" for name in exercise_names(lesson)} <= failed
    assert on_stderr(notebook) == ""


@every_lesson
def test_a_solution_notebook_runs_from_top_to_bottom(lesson, tmp_path):
    notebook = run_notebook(read_solution(lesson), tmp_path)
    assert outputs(notebook, "error") == []
    assert on_stderr(notebook) == ""
    cards = [o.data.get("text/plain", "") for o in outputs(notebook, "display_data")]
    for name in exercise_names(lesson):
        assert any(card.startswith(f"✓ {name}: passed") for card in cards)


# --- rules for graded cells (nbgrader's scoring fails open) ---------------------------------------


@every_lesson
def test_every_exercise_has_its_three_cells_in_order(lesson):
    ids = [
        nbgrader_data(cell)["grade_id"]
        for cell in read_solution(lesson).cells
        if cell.cell_type == "code"
        and nbgrader_data(cell).get("grade_id") not in (None, "built_so_far")
    ]
    assert sorted(ids[::3]) == sorted(exercise_names(lesson))
    assert ids == [id for name in ids[::3] for id in (name, f"{name}_check", f"{name}_hidden")]


@every_lesson
def test_ids_of_cells_last_and_are_unique(lesson):
    for notebook in (read_solution(lesson), read_release(lesson)):
        ids = [cell.id for cell in notebook.cells]
        assert len(set(ids)) == len(ids)
        for cell in notebook.cells:
            assert nbgrader_data(cell).get("grade_id", cell.id) == cell.id
    assert [c.id for c in read_solution(lesson).cells] == [c.id for c in read_release(lesson).cells]


def test_an_added_cell_changes_no_other_cells_id():
    cells = read_solution("01_self_attention").cells
    ids = cell_ids(cells)
    for place in (0, 3, len(cells)):
        more = [*cells[:place], new_markdown_cell("Something new."), *cells[place:]]
        assert [i for n, i in enumerate(cell_ids(more)) if n != place] == ids
    assert len(set(cell_ids([new_markdown_cell("twice")] * 3))) == 3


@every_lesson
def test_graded_cells_are_locked_and_give_whole_points(lesson):
    for cell in graded_cells(read_solution(lesson)).values():
        data = nbgrader_data(cell)
        assert data["locked"] and not data["solution"]
        assert type(data["points"]) is int and data["points"] > 0


def names_read_and_made(source):
    """Names that a cell reads before making them, and names that it makes."""
    tree = ast.parse(source)
    made = {
        (alias.asname or alias.name).split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
    } | {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    read = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    return read - made - set(dir(builtins)), made


@every_lesson
def test_graded_cells_touch_only_what_the_student_wrote(lesson):
    for id, cell in graded_cells(read_solution(lesson)).items():
        read, made = names_read_and_made(cell.source)
        assert read == {id.rsplit("_", 1)[0]}, id
        assert not made & set(exercise_names(lesson)), id


@every_lesson
def test_graded_cells_never_end_in_a_value(lesson):
    """nbgrader takes a last value for the score: False or np.float64(0) would be full marks."""
    for id, cell in graded_cells(read_solution(lesson)).items():
        last = ast.parse(cell.source).body[-1]
        name = id.rsplit("_", 1)[0]
        is_check = ast.unparse(last) == f"check({name}, {name!r})"  # returns None
        assert is_check or isinstance(last, ast.Assert), id


@every_lesson
def test_a_hidden_cell_says_what_kind_of_things_it_tries(lesson):
    for id, cell in graded_cells(read_release(lesson)).items():
        if id.endswith("_hidden"):
            assert cell.source.startswith("# Hidden tests run here when your work is graded.")
            assert len(cell.source.split()) > 15
            assert all(line.startswith("#") for line in cell.source.splitlines() if line.strip())


def test_a_lesson_out_of_order_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(building, "LESSONS", {})
    with pytest.raises(ValueError, match="no earlier lesson solves embed"):
        built_so_far("01_self_attention", ["embed"])
