"""The reference functions: what the solution cells of the course's notebooks define."""

import functools
import json
import linecache
from collections.abc import Callable
from pathlib import Path

SOLUTIONS = Path(__file__).parents[2] / "solutions"


def reference(name: str) -> Callable:
    """Return the reference implementation of an exercise.

    Raises
    ------
    KeyError
        If no solution cell defines it.
    """
    return _namespace()[name]


def solution_cells(notebook: Path) -> list[str]:
    """Return the sources of a notebook's solution cells, in order."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return [
        "".join(cell["source"])
        for cell in cells
        if cell["cell_type"] == "code" and cell["metadata"].get("nbgrader", {}).get("solution")
    ]


@functools.cache
def _namespace() -> dict:
    """Run all solution cells in the course's order. Later ones use the earlier ones."""
    namespace: dict = {"__name__": "solutions"}
    exec("import numpy as np", namespace)
    for notebook in sorted(SOLUTIONS.glob("*/*.ipynb")):
        for number, source in enumerate(solution_cells(notebook)):
            # Its lines can be read in a traceback, as those of a notebook's cell can.
            name = f"<solution {number} of {notebook.stem}>"
            linecache.cache[name] = (len(source), None, source.splitlines(True), name)
            exec(compile(source, name, "exec"), namespace)
    return namespace
