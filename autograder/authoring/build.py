"""`make build`: derive notebooks and answer keys from what people edit.

solutions/NN/NN.py  ->  solutions/NN/NN.ipynb   (jupytext; cells get lasting ids)
                    ->  data/answers/NN.*       (from autograder/exercises and the solution)
                    ->  notebooks/NN/NN.ipynb   (nbgrader's own generate_assignment)
                    ->  docs/kill_matrix.md     (all known implementations, run through the cells)
"""

import ast
import hashlib
import json
import logging
import shutil
import tempfile
import zipfile
from collections import Counter
from pathlib import Path

import jupytext
import nbformat

from autograder.authoring.graded_cells import with_graded_cells
from autograder.authoring.kill_matrix import kill_matrix, write_table
from autograder.authoring.last_digits import with_known_digits
from autograder.exercises import LESSONS, questions
from autograder.exercises.making_keys import visible_key
from autograder.nbgrader_steps.release import write_release
from illustrated_attention.answer_keys import AnswerKey, read_lesson, write_lesson

ROOT = Path(__file__).parents[2]


def build(out: Path = ROOT) -> list[Path]:
    """Derive everything into `out` (its folders are made) and return the files written."""
    written = build_lessons(out)
    table = out / "docs" / "kill_matrix.md"
    table.parent.mkdir(exist_ok=True)
    write_table(kill_matrix(out / "solutions"), table)
    return [*written, table]


def build_lessons(out: Path) -> list[Path]:
    """Derive the lessons' notebooks and answer keys into `out` and return the files written."""
    written = []
    for lesson in LESSONS:
        path = out / "solutions" / lesson / f"{lesson}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_notebook(solution_notebook(lesson), path)
        written.append(path)
    written += write_keys(out / "data" / "answers")
    written.append(write_contents(out / "data"))
    for lesson in LESSONS:
        path = out / "notebooks" / lesson / f"{lesson}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        kept = release(out / "solutions" / lesson, path)
        written += [path, kept] if kept else [path]
    return written


def write_keys(folder: Path) -> list[Path]:
    """Derive the answer keys of all lessons into `folder` and return the files written.

    The same sources give the same bytes on every processor: where the committed keys say the
    same to the last few digits, their digits are kept.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for lesson, exercises in LESSONS.items():
        known = {key.exercise: key for key in _committed_keys(lesson)}
        keys = [
            with_known_digits(visible_key(exercise.name), known.get(exercise.name))
            for exercise in exercises
        ]
        write_lesson(folder, lesson, keys, questions(lesson))
        written += [folder / f"{lesson}.json", folder / f"{lesson}.npz"]
    return written


def write_contents(folder: Path) -> Path:
    """Write down which exercises, questions and data each lesson has, for `contents.py`."""
    contents = {
        lesson: {
            "exercises": [exercise.name for exercise in exercises],
            "questions": [question.id for question in questions(lesson)],
            "data": _names_of_data(_read_source(lesson)),
        }
        for lesson, exercises in LESSONS.items()
    }
    path = folder / "contents.json"
    text = json.dumps(contents, indent=1) + "\n"
    path.write_text(text, encoding="utf-8", newline="\n")
    return path


def _names_of_data(notebook: nbformat.NotebookNode) -> list[str]:
    """The names that the cells of a notebook give to data: not those inside of functions."""
    names: dict[str, None] = {}
    for cell in notebook.cells:
        todo: list[ast.AST] = [ast.parse(cell.source)] if cell.cell_type == "code" else []
        while todo:
            node = todo.pop(0)
            if isinstance(node, (ast.FunctionDef, ast.Lambda, ast.comprehension)):
                continue  # their names are not the notebook's
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id != "_":
                names[node.id] = None
            todo += ast.iter_child_nodes(node)
    return list(names)


def _committed_keys(lesson: str) -> tuple[AnswerKey, ...]:
    folder = ROOT / "data" / "answers"
    if not (folder / f"{lesson}.json").exists():
        return ()  # a new lesson
    try:
        return read_lesson(folder, lesson)
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"data/answers/{lesson}.json and .npz cannot be read ({error}). Take them back from"
            " git, or delete them, and build again."
        ) from error


def solution_notebook(lesson: str) -> nbformat.NotebookNode:
    """Turn a lesson's source into its solution notebook. The same source gives the same cells."""
    notebook = _read_source(lesson)
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {
                "display_name": "Python 3 (ipykernel)",
                "language": "python",
                "name": "python3",
            },
            "language_info": {"name": "python"},
        }
    )
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for cell in notebook.cells:
        if cell.cell_type == "code" and not cell.metadata.get("nbgrader", {}).get("solution"):
            # A cell of ours that stops with an error is marked, and **Run All** goes on after it.
            cell.metadata["tags"] = ["raises-exception"]
        names = cell.metadata.pop("built_so_far", None)
        if names:
            cell.source = built_so_far(lesson, names)
            cell.metadata["nbgrader"] = _READ_ONLY
            cell.metadata["jupyter"] = {"source_hidden": True}
    for cell, cell_id in zip(notebook.cells, cell_ids(notebook.cells), strict=True):
        cell["id"] = cell_id
    return notebook


def _read_source(lesson: str) -> nbformat.NotebookNode:
    """Return what people edit as a notebook, with the test cells of its exercises."""
    notebook = jupytext.read(ROOT / "solutions" / lesson / f"{lesson}.py", fmt="py:percent")
    notebook.cells = with_graded_cells(notebook.cells)
    return notebook


def cell_ids(cells: list[nbformat.NotebookNode]) -> list[str]:
    """Return an id for each cell: its grade_id, or else one that follows its content.

    A cell that is put in, taken out or moved changes no other cell's id.
    """
    seen: Counter[str] = Counter()
    ids = []
    for cell in cells:
        content = f"{cell.cell_type}\n{cell.source}".encode()
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
        made = grade_id or hashlib.sha256(content).hexdigest()[:12]
        seen[made] += 1
        ids.append(made if seen[made] == 1 else f"{made}-{seen[made]}")
    return ids


_READ_ONLY = {
    "grade": False,
    "grade_id": "built_so_far",
    "locked": True,
    "schema_version": 3,
    "solution": False,
    "task": False,
}


def built_so_far(lesson: str, names: list[str]) -> str:
    """Return the source of functions that earlier lessons solved, without nbgrader's marks."""
    sources = {}
    for earlier in LESSONS:
        if earlier >= lesson:
            break
        for cell in _read_source(earlier).cells:
            if cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("solution"):
                for node in ast.parse(cell.source).body:
                    if isinstance(node, ast.FunctionDef):
                        sources[node.name] = ast.get_source_segment(cell.source, node) or ""
    missing = [name for name in names if name not in sources]
    if missing:
        raise ValueError(f"{lesson}: no earlier lesson solves {', '.join(missing)}")
    lines = "\n\n\n".join(sources[name] for name in names).split("\n")
    kept = [line for line in lines if "### BEGIN SOLUTION" not in line and "### END" not in line]
    return "\n".join(["import numpy as np", "", "", *kept])


def release(source: Path, destination: Path) -> Path | None:
    """Make the student's notebook with nbgrader's generate_assignment, in a course of its own.

    Returns
    -------
    Path or None
        Where the notebook that it replaces was put, if somebody had written in it.
    """
    from nbgrader.converters import GenerateAssignment
    from nbgrader.coursedir import CourseDirectory
    from traitlets.config import Config

    lesson = source.name
    with tempfile.TemporaryDirectory(prefix="build-") as folder:
        course = Path(folder)
        (course / "source" / lesson).mkdir(parents=True)
        shutil.copy(source / f"{lesson}.ipynb", course / "source" / lesson)
        config = Config()
        config.CourseDirectory.root = folder
        config.CourseDirectory.assignment_id = lesson
        # Without a gradebook: making one would call the `alembic` command, and be slow.
        config.GenerateAssignment.no_database = True
        config.SaveCells.enabled = False
        converter = GenerateAssignment(coursedir=CourseDirectory(config=config), config=config)
        converter.log.setLevel(logging.WARNING)
        converter.start()
        notebook = nbformat.read(course / "release" / lesson / f"{lesson}.ipynb", as_version=4)
    nbformat.validate(notebook)
    return write_release(notebook, destination)


def write_notebook(notebook: nbformat.NotebookNode, path: Path) -> None:
    nbformat.validate(notebook)
    nbformat.write(notebook, path)
