"""The class of `benchmarks.grading` for otter-grader, which has no part in this course.

    OTTERS_PYTHON -m benchmarks.otter_grader FOLDER

grades the hand-ins in a folder that `make_assignment` has filled, in a Python that has
otter-grader (docs/grading.md tells how to make one): one after the other in one process, without a
container, as `otter run` does with a single one.
"""

import json
import os
import sys
import textwrap
from pathlib import Path

import nbformat

TEST_FILE = """\
from otter.test_files import test_case

OK_FORMAT = False
name = {name!r}
"""
TEST = """

@test_case(points={points}, hidden={hidden})
def {grade_id}({name}):
{source}
"""


def make_assignment(course: Path, lesson: str) -> Path:
    """Make an assignment and hand-ins for otter of a course folder that was made for nbgrader.

    The hand-ins are the same notebooks without test cells. The code of the test cells is in test
    files, and is run in the same places: behind the cell of the function that they try.

    Returns
    -------
    Path
        A folder with `tests/` and `hand_ins/`. What is missing is autograder.zip, which
        `otter generate` makes.
    """
    folder = course / "otter"
    tests, hand_ins = folder / "tests", folder / "hand_ins"
    tests.mkdir(parents=True)
    hand_ins.mkdir()
    source = nbformat.read(course / "source" / lesson / f"{lesson}.ipynb", 4)
    names = [about(cell)["grade_id"] for cell in source.cells if about(cell).get("solution")]
    for name in names:
        of_name = [cell for cell in source.cells if tested_by(cell, names) == name]
        text = TEST_FILE.format(name=name) + "".join(test_case(cell, name) for cell in of_name)
        (tests / f"{name}.py").write_text(text, encoding="utf-8")
    for path in sorted(course.glob(f"submitted/*/{lesson}/{lesson}.ipynb")):
        notebook = nbformat.read(path, 4)
        notebook.cells = [cell for cell in notebook.cells if not about(cell).get("grade")]
        for cell in notebook.cells:
            if about(cell).get("solution"):
                cell.metadata["otter"] = {"tests": [about(cell)["grade_id"]]}
        nbformat.write(notebook, hand_ins / f"{path.parts[-3]}.ipynb")
    return folder


def about(cell: nbformat.NotebookNode) -> dict:
    return cell.metadata.get("nbgrader", {})


def tested_by(cell: nbformat.NotebookNode, names: list[str]) -> str:
    """Return the name of the function that a test cell tries, "" if it is no test cell."""
    if not about(cell).get("grade"):
        return ""
    return max((n for n in names if about(cell)["grade_id"].startswith(n)), key=len)


def test_case(cell: nbformat.NotebookNode, name: str) -> str:
    """Return a test cell's code as a test case of otter's: what fails, raises."""
    return TEST.format(
        points=about(cell)["points"],
        hidden="HIDDEN TESTS" in cell.source,
        grade_id=about(cell)["grade_id"],
        name=name,
        source=textwrap.indent(cell.source, "    "),
    )


def main(folder: Path) -> None:
    """Grade each hand-in, and write the marks: {student: points}."""
    from otter.api import grade_submission

    os.environ["NBGRADER_EXECUTION"] = "autograde"  # the course neither reads nor writes progress
    zipped = str(folder / "autograder.zip")
    marks = {}
    for path in sorted((folder / "hand_ins").glob("*.ipynb")):
        marks[path.stem] = grade_submission(str(path), zipped, quiet=True).total
    (folder / "marks.json").write_text(json.dumps(marks), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
