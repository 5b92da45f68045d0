"""Put a released notebook in its place, and never over what somebody has written in one.

The folder of released notebooks is also the one in which a learner works. So what
`generate_assignment` and `make build` write is finished elsewhere first, and a notebook in which
somebody has written something is moved to `notebooks/kept/` before another takes its name.
"""

import functools
import json
import os
import tempfile
import time
from pathlib import Path

import nbformat
from nbconvert.exporters import NotebookExporter
from nbformat.notebooknode import NotebookNode
from nbgrader.converters import GenerateAssignment

from autograder.nbgrader_steps.stamp import STAMP, fingerprint, fits_stamp
from illustrated_attention.language import _


def write_release(notebook: NotebookNode, path: Path) -> Path | None:
    """Write a released notebook; return where the one that it replaces was put, if work is in it.

    Parameters
    ----------
    notebook : NotebookNode
        The student's version.
    path : Path
        Where students open it: ``notebooks/LESSON/NAME.ipynb``.
    """
    notebook.metadata[STAMP] = {"released": fingerprint(notebook)}
    kept = None
    if path.exists() and is_written_in(path):
        kept = _free_name(path)
        kept.parent.mkdir(parents=True, exist_ok=True)
        path.rename(kept)
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    nbformat.write(notebook, new)
    os.replace(new, path)
    return kept


def read_released(path: Path) -> NotebookNode:
    """Read a released notebook. Where its format has no ids for cells, they get some.

    Instructors' own notebooks are often of format 4.4 or older, in which a cell has none. The same
    object is returned each time: nobody may change it.
    """
    return _look_at_released(path)[0]


def is_as_released(path: Path) -> bool | None:
    """Does a released notebook hold what was released? None if that cannot be told."""
    return _look_at_released(path)[1]


def _look_at_released(path: Path) -> tuple[NotebookNode, bool | None]:
    status = path.stat()
    return _released(path, status.st_mtime_ns, status.st_size)


@functools.lru_cache(maxsize=16)
def _released(path: Path, _changed: int, _size: int) -> tuple[NotebookNode, bool | None]:
    notebook = nbformat.read(path, as_version=4)
    for number, cell in enumerate(notebook.cells):
        cell.setdefault("id", f"released-{number}")
    notebook.nbformat_minor = max(notebook.nbformat_minor, 5)  # the first that allows ids
    return notebook, fits_stamp(notebook)


def is_written_in(path: Path) -> bool:
    """Does a notebook hold anything but what was released? If that cannot be told, it does."""
    try:
        return fits_stamp(json.loads(path.read_bytes())) is not True
    except (ValueError, KeyError, TypeError, RecursionError):
        return True


def written_in_release(path: Path, assignment: str) -> str:
    """Say why nothing can be graded on a released notebook: its solutions would be graded too."""
    text = _(
        "Somebody has written in {path}, and hand-ins are graded on it. Run `nbgrader "
        "generate_assignment {assignment} --force`: it keeps that notebook under another name."
    )
    return text.format(path=path, assignment=assignment)


def _free_name(path: Path) -> Path:
    """Where to keep a notebook: under today's date, deep enough to be no lesson of its own."""
    folder = path.parent.parent / "kept" / path.parent.name
    name = f"{path.stem}_{time.strftime('%Y-%m-%d_%H-%M-%S')}"
    for number in range(1, 1000):
        kept = folder / f"{name}{f'_{number}' if number > 1 else ''}.ipynb"
        if not kept.exists():
            return kept
    raise FileExistsError(_("{folder} is full").format(folder=folder))


class ReleaseExporter(NotebookExporter):
    """Makes a GenerateAssignment careful: of that step, nbgrader lets us choose the exporter only.

    It is made when the step has found its notebooks and has not touched anything yet.
    """

    def __init__(self, parent=None, **kwargs):
        super().__init__(parent=parent, **kwargs)
        if type(parent) is GenerateAssignment:
            parent.__class__ = CarefulGenerateAssignment


class CarefulGenerateAssignment(GenerateAssignment):
    """nbgrader's, which removes no folder: it writes elsewhere, then the notebooks change places.

    When it fails, everything is as before. Whatever else lies beside a notebook stays.
    """

    def convert_notebooks(self):
        release = self.coursedir.release_directory
        with tempfile.TemporaryDirectory(prefix="release-") as scratch:
            self.coursedir.release_directory = scratch
            try:
                super().convert_notebooks()
            finally:
                self.coursedir.release_directory = release
            assignments = {Path(source).name for source in self.assignments}
            for assignment in sorted(assignments):
                made = Path(self.coursedir.format_path(scratch, ".", assignment))
                target = Path(self.coursedir.format_path(release, ".", assignment))
                for path in sorted(made.rglob("*")):
                    if path.is_file():
                        self._put_in_place(path, target / path.relative_to(made))

    def _put_in_place(self, made: Path, target: Path) -> None:
        if made.suffix != ".ipynb":
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(made.read_bytes())
        elif target.exists() and is_written_in(target) and not self.force:
            text = _(
                "{path} stays as it is: somebody has written in it. The gradebook knows the "
                "assignment now. To write the notebook anew, add --force: the one with the work "
                "is kept then, under another name."
            )
            self.log.warning(text.format(path=target))
        elif kept := write_release(nbformat.read(made, as_version=4), target):
            text = _("Somebody has written in {path}. That notebook is kept: it is {kept} now.")
            self.log.warning(text.format(path=target, kept=kept))
