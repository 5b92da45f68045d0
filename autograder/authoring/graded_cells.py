"""The graded cells of an exercise in a lesson: its solution and its two tests, marked for nbgrader.

In `solutions/NN/NN.py` stand only what people write: a cell ``# %% solution="softmax"`` with the
function, and a cell ``# %% tests="softmax"`` with a comment that says what hidden tests try.
"""

import nbformat
from nbformat.v4 import new_code_cell

CHECK_POINTS, HIDDEN_POINTS = 1, 2

_CHECK = """\
from illustrated_attention import check

check({name}, "{name}")"""
_HIDDEN = """\
{comment}
### BEGIN HIDDEN TESTS
from autograder import judge

verdict = judge({name}, "{name}")
assert verdict.passed, verdict.message
### END HIDDEN TESTS"""


def with_graded_cells(cells: list[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    """Return a lesson's cells with those of its exercises as nbgrader wants them."""
    made = []
    for cell in cells:
        if name := cell.metadata.pop("solution", None):
            cell.metadata["nbgrader"] = _metadata(name, solution=True)
            made.append(cell)
        elif name := cell.metadata.pop("tests", None):
            made.append(_test(f"{name}_check", _CHECK.format(name=name), CHECK_POINTS))
            hidden = _HIDDEN.format(name=name, comment=cell.source)
            made.append(_test(f"{name}_hidden", hidden, HIDDEN_POINTS))
        else:
            made.append(cell)
    return made


def _test(grade_id: str, source: str, points: int) -> nbformat.NotebookNode:
    return new_code_cell(source, metadata={"nbgrader": _metadata(grade_id, points=points)})


def _metadata(grade_id: str, points: int | None = None, solution: bool = False) -> dict:
    return {
        "grade": points is not None,
        "grade_id": grade_id,
        "locked": points is not None,
        **({} if points is None else {"points": points}),
        "schema_version": 3,
        "solution": solution,
        "task": False,
    }
