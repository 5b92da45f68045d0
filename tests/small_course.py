"""A small course of its own for the grader's tests: one notebook, released by nbgrader itself."""

import copy
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader.api import Gradebook
from nbgrader.converters import Autograde, GenerateAssignment
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from autograder.class_run import batch
from autograder.nbgrader_steps.course import make_gradebooks_quickly
from autograder.nbgrader_steps.settings import configure_grading

make_gradebooks_quickly()

ASSIGNMENT = NOTEBOOK = "week"

SOFTMAX = """\
def softmax(scores):
    shifted = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)
"""
DOUBLE = """\
def double(x):
    return 2 * x
"""
SECRET = 731.25  # a value in a hidden test, which must never be seen

CELLS = {
    "imports": ("plain", "import numpy as np"),
    "double": ("solution", DOUBLE),
    "double_check": (1, "assert double(2) == 4, 'double(2) should be 4'"),
    "double_hidden": (
        2,
        "import numpy as np\n### BEGIN HIDDEN TESTS\n"
        f"np.testing.assert_allclose(double(np.array([{SECRET}, -1.0])), [{2 * SECRET}, -2.0])\n"
        "### END HIDDEN TESTS",
    ),
    "double_partial": (
        2,
        "import numpy as np\n"
        "right = [bool(np.all(double(x) == x + x)) for x in (1, 2.5, np.arange(3.0))]\n"
        "2 * sum(right) / len(right)",
    ),
    "softmax": ("solution", SOFTMAX),
    "softmax_check": (1, "from illustrated_attention import check\n\ncheck(softmax)"),
    "softmax_hidden": (
        2,
        "# Hidden tests run here.\n### BEGIN HIDDEN TESTS\nfrom autograder import judge\n\n"
        'verdict = judge(softmax, "softmax")\nassert verdict.passed, verdict.message\n'
        "### END HIDDEN TESTS",
    ),
    "essay": ("manual", "Why is attention not a list?"),
}


def source_notebook() -> nbformat.NotebookNode:
    """The instructor's notebook."""
    return new_notebook(
        cells=[_cell(name, kind, source) for name, (kind, source) in CELLS.items()],
        metadata={
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
            "language_info": {"name": "python"},
        },
    )


def _cell(name: str, kind: str | int, source: str):
    meta = {"grade_id": name, "schema_version": 3, "task": False}
    if kind == "plain":
        return new_code_cell(source, id=name)
    if kind == "solution":
        head, *body = source.splitlines()
        lines = [head, "    ### BEGIN SOLUTION", *body, "    ### END SOLUTION"]
        meta |= {"grade": False, "solution": True, "locked": False, "cell_type": "code"}
        return new_code_cell("\n".join(lines), id=name, metadata={"nbgrader": meta})
    if kind == "manual":
        meta |= {"grade": True, "solution": True, "locked": False, "cell_type": "markdown"}
        return new_markdown_cell(source, id=name, metadata={"nbgrader": {**meta, "points": 3}})
    meta |= {"grade": True, "solution": False, "locked": True, "cell_type": "code"}
    return new_code_cell(source, id=name, metadata={"nbgrader": {**meta, "points": kind}})


def grade_in_this_process(patch) -> None:
    """Let `grade` start no processes of its own, until the patch is undone."""
    patch.setattr(batch, "processes", lambda jobs, grader: lambda: ThreadPoolExecutor(1))


class SmallCourse:
    """A course folder with a released assignment."""

    def __init__(self, root: Path):
        self.root = root

    @property
    def config(self) -> Config:
        config = Config()
        config.CourseDirectory.update(
            root=str(self.root),
            course_id="small",
            db_url=f"sqlite:///{self.root}/gradebook.db?timeout=60",
            assignment_id=ASSIGNMENT,
        )
        return config

    @property
    def course(self) -> CourseDirectory:
        return CourseDirectory(config=self.config)

    def release(self, notebooks: dict[str, nbformat.NotebookNode] | None = None) -> None:
        """Release the notebooks, by name; the course's own one if none are given."""
        folder = self.root / "source" / ASSIGNMENT
        folder.mkdir(parents=True)
        for name, notebook in (notebooks or {NOTEBOOK: source_notebook()}).items():
            nbformat.write(notebook, folder / f"{name}.ipynb")
        GenerateAssignment(coursedir=self.course, config=self.config).start()

    def write_settings(self, more: str = "") -> None:
        """Write the nbgrader_config.py that nbgrader's commands and ours read."""
        (self.root / "nbgrader_config.py").write_text(
            "from autograder.nbgrader_steps import settings\n\nc = get_config()\n"
            f"c.CourseDirectory.root = {str(self.root)!r}\n"
            "c.CourseDirectory.course_id = 'small'\n"
            "settings.configure_grading(c)\n" + more
        )

    def copy(self, root: Path) -> "SmallCourse":
        shutil.copytree(self.root, root, dirs_exist_ok=True)
        return SmallCourse(root)

    def released(self) -> nbformat.NotebookNode:
        return nbformat.read(self.root / "release" / ASSIGNMENT / f"{NOTEBOOK}.ipynb", 4)

    def submitted(self, student: str) -> Path:
        return self.root / "submitted" / student / ASSIGNMENT

    def hand_in(self, student: str, notebook=None, **sources: str) -> Path:
        """Hand in the solved notebook, or `notebook`, with some cells' sources replaced."""
        notebook = copy.deepcopy(notebook or self.released())
        for cell in notebook.cells:
            solved = {"softmax": SOFTMAX, "double": DOUBLE}
            if cell.id in solved | sources:
                cell.source = (solved | sources)[cell.id]
        folder = self.submitted(student)
        folder.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, folder / f"{NOTEBOOK}.ipynb")
        (folder / "timestamp.txt").write_text(time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()))
        return folder

    def autograde(self, student: str = "*", stock: bool = False, **config) -> Autograde:
        """Grade as `nbgrader autograde --force` does."""
        settings = self.config
        if not stock:
            configure_grading(settings)
        settings.CourseDirectory.student_id = student
        settings.Autograde.force = True
        settings.merge(Config(config))
        converter = Autograde(coursedir=CourseDirectory(config=settings), config=settings)
        converter.start()
        return converter

    def graded(self, student: str) -> nbformat.NotebookNode:
        path = self.root / "autograded" / student / ASSIGNMENT / f"{NOTEBOOK}.ipynb"
        return nbformat.read(path, 4)

    def graded_students(self) -> set[str]:
        return {path.parent.name for path in self.root.glob(f"autograded/*/{ASSIGNMENT}")}

    def scores(self, student: str, notebook: str = NOTEBOOK) -> dict[str, float | None]:
        """What the gradebook says of each graded cell: the automatic score."""
        with Gradebook(self.config.CourseDirectory.db_url) as gradebook:
            grades = gradebook.find_submission_notebook(notebook, ASSIGNMENT, student).grades
            return {grade.name: grade.auto_score for grade in grades}

    def total(self, student: str) -> float:
        return sum(filter(None, self.scores(student).values()))

    def outputs(self, student: str, cell_id: str) -> list:
        (cell,) = (cell for cell in self.graded(student).cells if cell.id == cell_id)
        return cell.outputs


FULL = {
    **{"softmax_check": 1, "softmax_hidden": 2, "double_check": 1, "double_hidden": 2},
    **{"double_partial": 2, "essay": 0},
}
