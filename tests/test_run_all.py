"""Run All comes to the last cell, whatever a learner has or has not written."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbgrader.utils import determine_grade

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def blank_after_run_all():
    """Lesson 01 as released, run from top to bottom as JupyterLab does: an error ends the run."""
    path = ROOT / "notebooks" / "01_self_attention" / "01_self_attention.ipynb"
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, resources={"metadata": {"path": str(path.parent)}}).execute()
    return notebook


def test_the_run_reaches_the_last_cell_although_nothing_is_written(blank_after_run_all):
    code = [cell for cell in blank_after_run_all.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in code if cell.source)
    shown = "".join(str(cell.outputs) for cell in code)
    assert "softmax: not yet" in shown


def test_a_failing_check_is_still_an_error_and_gets_no_points(blank_after_run_all):
    visible = [
        cell
        for cell in blank_after_run_all.cells
        if cell.metadata.get("nbgrader", {}).get("grade_id", "").endswith("_check")
    ]
    assert len(visible) == 5
    assert [determine_grade(cell)[0] for cell in visible] == [0] * 5
