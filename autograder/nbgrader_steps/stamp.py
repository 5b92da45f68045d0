"""The stamp of a released notebook: with it one can tell whether somebody has written in it."""

import hashlib
import json

from autograder.nbgrader_steps.notebook_file import text_of

STAMP = "illustrated_attention"  # in a notebook's metadata: what its cells held at release


def fits_stamp(notebook: dict) -> bool | None:
    """Are all cells' texts as released? None if the notebook was released without a stamp."""
    stamp = notebook["metadata"].get(STAMP, {}).get("released")
    return None if stamp is None else stamp == fingerprint(notebook)


def fingerprint(notebook: dict) -> str:
    """A number for the texts of all cells; outputs, ids and metadata do not count."""
    cells = [[cell["cell_type"], text_of(cell)] for cell in notebook["cells"]]
    return hashlib.sha256(json.dumps(cells).encode()).hexdigest()[:32]
