"""The lessons as they are read: the released notebooks with the outputs of their solutions."""

import hashlib
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from traitlets.config import Config

from illustrated_attention.language import _, speaking
from website.editions import Edition, editions
from website.settings import BUILD, ROOT, lessons

SECONDS_A_CELL = 600
HIDDEN = "### BEGIN HIDDEN TESTS"
MADE_OF = ("illustrated_attention", "data", "autograder/exercises")


def run_solutions() -> None:
    """Run the solutions of all lessons in all languages, as many at once as there are cores."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        asked = [(lesson, edition) for lesson in lessons() for edition in editions()]
        list(pool.map(lambda one: _solved(*one), asked))


def with_outputs(lesson: str, edition: Edition) -> nbformat.NotebookNode:
    """Return a lesson as students get it, with what each cell shows when the solutions are in.

    Outputs are taken over, sources never: no solution and no hidden test is in it. A map of the
    learner's progress is not taken over either: who reads has none.
    """
    solved = _solved(lesson, edition)
    outputs = {cell.id: cell.outputs for cell in solved.cells if cell.cell_type == "code"}
    notebook = nbformat.read(ROOT / edition.notebook(lesson), 4)
    with speaking(edition.language):
        left_open = _("Your answer, please")
    for cell in notebook.cells:
        if cell.cell_type == "code" and cell.source != "progress()":
            cell.outputs = [o for o in outputs.get(cell.id, []) if not _says(o, left_open)]
    return notebook


def _says(output, start) -> bool:
    """A question that is left open has a card which says no more than that."""
    return output.get("data", {}).get("text/plain", "").startswith(start)


def _solved(lesson: str, edition: Edition) -> nbformat.NotebookNode:
    """Run the solutions as any front end does, by plain ipykernel; once for each state of them."""
    source = ROOT / edition.notebook(lesson, "solutions")
    name = f"{lesson}-{edition.language}"
    kept = BUILD / "executed" / f"{name}-{_fingerprint(source)}.ipynb"
    if not kept.exists():
        for old in kept.parent.glob(f"{name}-*.ipynb"):
            old.unlink()
        notebook = nbformat.read(source, 4)
        notebook.cells = [cell for cell in notebook.cells if HIDDEN not in cell.source]
        with tempfile.TemporaryDirectory() as scratch:
            NotebookClient(
                notebook,
                timeout=SECONDS_A_CELL,
                kernel_name="python3",
                store_widget_state=False,
                coalesce_streams=True,  # as JupyterLab shows what is printed word by word
                # as in nbgrader_config.py: without it each kernel warns that others could listen in
                config=Config({"KernelManager": {"transport_encryption": "auto"}}),
                resources={"metadata": {"path": scratch}},
            ).execute(env={**os.environ, "XDG_DATA_HOME": scratch})  # not in this user's progress
        kept.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, kept)
    return nbformat.read(kept, 4)


def _fingerprint(source: Path) -> str:
    digest = hashlib.sha256(source.read_bytes())
    for folder in MADE_OF:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and path.suffix in (".py", ".mo", ".json", ".npz", ".safetensors"):
                digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
