"""The lessons as they are read: the released notebooks with the outputs of their solutions."""

import hashlib
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from traitlets.config import Config

from illustrated_attention.language import _
from website.settings import BUILD, ROOT

SECONDS_A_CELL = 600
HIDDEN = "### BEGIN HIDDEN TESTS"
MADE_OF = ("illustrated_attention", "data", "autograder/exercises")


def with_outputs(lesson: str) -> nbformat.NotebookNode:
    """Return a lesson as students get it, with what each cell shows when the solutions are in.

    Outputs are taken over, sources never: no solution and no hidden test is in it.
    """
    outputs = {cell.id: cell.outputs for cell in _solved(lesson).cells if cell.cell_type == "code"}
    notebook = nbformat.read(ROOT / "notebooks" / lesson / f"{lesson}.ipynb", 4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [o for o in outputs.get(cell.id, []) if not _asks_for_an_answer(o)]
    return notebook


def _asks_for_an_answer(output) -> bool:
    """A question that is left open has a card which says no more than that."""
    return output.get("data", {}).get("text/plain", "").startswith(_("Your answer, please"))


def _solved(lesson: str) -> nbformat.NotebookNode:
    """Run the solutions as any front end does, by plain ipykernel; once for each state of them."""
    source = ROOT / "solutions" / lesson / f"{lesson}.ipynb"
    kept = BUILD / "executed" / f"{lesson}-{_fingerprint(source)}.ipynb"
    if not kept.exists():
        for old in kept.parent.glob(f"{lesson}-*.ipynb"):
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
            ).execute()
        kept.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, kept)
    return nbformat.read(kept, 4)


def _fingerprint(source: Path) -> str:
    digest = hashlib.sha256(source.read_bytes())
    for folder in MADE_OF:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and path.suffix in (".py", ".json", ".npz", ".safetensors"):
                digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
