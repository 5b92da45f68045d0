"""What is known of a notebook from the instructor alone: its tests, and what its code tells."""

import functools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from autograder.nbgrader_steps.gradebook import looking
from autograder.nbgrader_steps.names import printable
from autograder.nbgrader_steps.notebook_file import text_of
from autograder.nbgrader_steps.problem import Problem
from autograder.sandbox import instructors_code
from autograder.sandbox.instructors_code import LOCKED, OPEN, SOLUTION, TEST, Setting, Source
from autograder.sandbox.running_tests import Cell
from illustrated_attention.language import _


@dataclass(frozen=True)
class Trusted:
    """A notebook as the instructor made it."""

    tests: dict[str, Cell]  # by grade_id, as the gradebook has them
    names: frozenset[str]  # what they may ask of a student
    setting: Setting


def course_of(step: Any) -> CourseDirectory:
    """Return the course that one of nbgrader's steps works on."""
    while not hasattr(step, "coursedir"):
        step = step.parent
    return step.coursedir


def trusted_notebook(names: dict, course: CourseDirectory, inside: Sequence[str] = ()) -> Trusted:
    """Read a notebook's tests from the gradebook, and the code of the cells between them.

    That code is the instructor's own: of the source with its solutions, where that is there, and
    of the released notebook.

    Parameters
    ----------
    names : dict
        nbgrader's names of the notebook and its assignment, and the gradebook's address.
    inside : sequence of str
        Tests that run in the student's process: assignment/notebook/grade_id.
    """
    assignment, notebook = names["assignment"], names["notebook"]
    with looking(names["db_url"], course.course_id) as gradebook:
        marked = gradebook.cells(notebook, assignment)
        kept = gradebook.sources(notebook, assignment)
    points = {name: row.max_score for (kind, name), row in marked.items() if kind == "GradeCell"}
    solutions = {name for kind, name in marked if kind == "SolutionCell"}
    sources = [(name, row.source) for name, row in kept.items() if row.cell_type == "code"]
    tests = {name: text for name, text in sources if name in points and name not in solutions}
    within = {name for name in tests if f"{assignment}/{notebook}/{name}" in inside}
    folder = Path(course.format_path(course.source_directory, ".", assignment))
    paths = [
        folder / f"{notebook}.ipynb",
        Path(course.format_path(course.release_directory, ".", assignment), f"{notebook}.ipynb"),
    ]
    cells = [cell for path in paths if path.is_file() for cell in _code(path, path.stat().st_mtime)]
    cells += [(name, text, SOLUTION) for name, text in sources if name in solutions]
    others = tuple(
        dict.fromkeys(Source(text, kind) for name, text, kind in cells if name not in tests)
    )
    outside = tuple(Source(tests[name], TEST) for name in sorted(tests.keys() - within))
    does = instructors_code.operations((*others, *outside))
    known = instructors_code.setting(others, str(folder.resolve()) if folder.is_dir() else None)
    return Trusted(
        {
            name: Cell(
                text,
                test=True,
                points=points[name],
                inside=name in within,
                operations=tuple(sorted(does.get(text, ()))),
            )
            for name, text in tests.items()
        },
        instructors_code.bound_names(tuple(source.text for source in others)) - known.own.keys(),
        known,
    )


def runs_inside(config: Config, assignment: str) -> list[str]:
    """The tests of an assignment that run in the student's process: assignment/notebook/grade_id.

    nbgrader_config.py says so. The student's code can forge their marks.
    """
    listed = config.ConfinedExecute.get("inside", [])
    return [path for path in listed if path.startswith(f"{assignment}/")]


def need_python(notebook: Any, name: str) -> None:
    """Raise `Problem` if a notebook is for another language's kernel."""
    kernel = notebook["metadata"].get("kernelspec", {})
    info = notebook["metadata"].get("language_info", {})
    language = kernel.get("language") or info.get("name") or "python"
    if language.lower() not in ("python", "ipython"):
        text = _(
            "{name} is written in {language}. Only notebooks in Python can be graded confined: "
            "take it out of this assignment, and grade it with a stock nbgrader of its own."
        )
        raise Problem(text.format(name=name, language=printable(str(language))[:40]))


@functools.lru_cache(maxsize=64)
def _code(path: Path, _changed: float) -> list[tuple[str, str, str]]:
    """The code cells of a notebook: their grade_ids, or '', their texts and their kinds."""
    found = []
    for cell in json.loads(path.read_bytes())["cells"]:
        meta = cell["metadata"].get("nbgrader", {})
        kind = SOLUTION if meta.get("solution") else LOCKED if meta.get("locked") else OPEN
        if cell["cell_type"] == "code":
            found.append((meta.get("grade_id", ""), text_of(cell), kind))
    return found
