"""A learner's own functions of earlier lessons, used in a later one."""

import ast
import json
import linecache
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from illustrated_attention.being_graded import being_graded
from illustrated_attention.contents import exercise_names
from illustrated_attention.language import _, listed
from illustrated_attention.notebook_state import ipython, trust
from illustrated_attention.progress import remember


def bring_along() -> None:
    """Use your own functions of earlier notebooks where they pass their check.

    Looks for the notebooks beside this one. For each function that the cell above holds, your own
    takes its place if it passes its check. Says which were used. While the notebook is graded, the
    course's are used.
    """
    # Here, because the first cell of every lesson imports this module and would wait for these.
    from illustrated_attention.answer_keys import find_key
    from illustrated_attention.examine import examine

    shell = ipython()
    if shell is None:
        raise RuntimeError(_("bring_along() is for a cell of a notebook."))
    if being_graded():
        print(_("While a notebook is graded, the course's functions are used."))
        return
    namespace = shell.user_ns
    yours, courses, found = [], [], False
    for name in [name for name in exercise_names() if callable(namespace.get(name))]:
        key = find_key(name)
        assert key is not None  # it was found by its name
        if key.lesson == Path.cwd().name:
            continue  # it is written here: when the cell is run again, what is saved may be older
        cells = code_cells(Path.cwd().parent / key.lesson / f"{key.lesson}.ipynb")
        if not any(name in cell for cell in cells):
            courses.append(name)
            continue
        found, before = True, dict(namespace)
        if _take(name, cells, namespace) and examine(namespace[name], key).passed:
            trust(namespace[name])
            remember(name, passed=True)
            yours.append(name)
        else:
            for changed in [n for n in namespace if namespace[n] is not before.get(n, namespace)]:
                del namespace[changed]
            namespace.update(before)
            courses.append(name)
    if not found:
        print(
            _("There are no notebooks of earlier lessons beside this one: the course's are used.")
        )
        return
    if yours:
        print(_("Yours: {names}.").format(names=listed(yours)))
    if courses:
        text = _("The course's, until yours pass their check: {names}.")
        print(text.format(names=listed(courses)))


class Definition(NamedTuple):
    """A function, class or import of a notebook: its source, and the names in it."""

    source: str
    names: frozenset[str]


def code_cells(path: Path) -> list[dict[str, Definition]]:
    """Return what each code cell of a notebook defines, by name.

    Cells that are no Python define nothing, and a file that is no notebook has no cells.
    """
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        sources = ["".join(c["source"]) for c in cells if c["cell_type"] == "code"]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return [dict(_definitions(source)) for source in sources]


def _definitions(source: str) -> Iterator[tuple[str, Definition]]:
    try:
        statements = ast.parse(source).body
    except (SyntaxError, ValueError):
        return
    for statement in statements:
        if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
            bound = [statement.name]
            first = min([statement.lineno, *(d.lineno for d in statement.decorator_list)])
        elif isinstance(statement, (ast.Import, ast.ImportFrom)):
            bound = [(a.asname or a.name).partition(".")[0] for a in statement.names]
            first = statement.lineno
        else:
            continue
        lines = source.splitlines()[first - 1 : statement.end_lineno]
        names = frozenset(node.id for node in ast.walk(statement) if isinstance(node, ast.Name))
        for name in bound:
            yield name, Definition("\n".join(lines), names)


def _take(name: str, cells: list[dict[str, Definition]], namespace: dict) -> bool:
    """Define a function as its last cell does, with the helpers that it needs from other cells."""
    every = {key: definition for cell in cells for key, definition in cell.items()}
    wanted = list(next(cell for cell in reversed(cells) if name in cell))
    sources: list[str] = []
    while wanted:
        source, names = every[wanted.pop()]
        if source not in sources:
            sources.insert(0, source)
            wanted += [n for n in names & every.keys() if n not in namespace]
    source = "\n\n\n".join(sources)
    file = f"<your {name}>"
    # So that a card can quote the learner's line.
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    try:
        exec(compile(source, file, "exec"), namespace)
    except Exception:
        return False  # a definition of the learner's stops: it is not used, and that is told
    return callable(namespace.get(name))
