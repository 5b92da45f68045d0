"""What stands in the notebook, and is it what would be tested?

`check` gets a function. Whether it is the one that the learner sees is another question: its cell
may have stopped with an error, may have been changed and not run, or the function may have been
defined in another cell since. IPython's events tell what was run; JupyterLab tells, by the small
extension in ``labextension/``, what stands in the cells now. Where neither is known nothing is
doubted.
"""

import ast
import json
import re
import sys
import textwrap
from collections.abc import Callable
from typing import Any, NamedTuple

from illustrated_attention.contents import exercise_names
from illustrated_attention.language import _


class Run(NamedTuple):
    """One run of a cell: its id and source, and the type of error with which it stopped."""

    number: int
    cell: str | None
    source: str
    error: str | None


_runs: list[Run] = []
_defined: dict[str, tuple[object, Run]] = {}  # by name: what it is, and the run that made it so
_cells: list[list[str]] | None = None  # ids and sources, in order, as the page last told
_current: str | None = None  # the id of the cell that is being run
_trusted: list[Callable] = []  # from other notebooks: no cell of this one defines them


def ipython() -> Any:
    """Return the notebook's IPython shell; None where the code runs in no notebook.

    The one in which nbgrader runs a notebook counts, too.
    """
    # A notebook has imported it before us. To import it elsewhere, as in the instructor's commands,
    # would take half a second to find that there is no shell.
    loaded = sys.modules.get("IPython")
    return loaded.get_ipython() if loaded else None


def watch() -> None:
    """From now on remember what is run. Outside of IPython there is nothing to remember."""
    shell = ipython()
    if shell is not None:
        shell.events.register("pre_run_cell", _cell_begins)
        shell.events.register("post_run_cell", _cell_ended)


def told(cells: str) -> None:
    """The page tells what stands in its code cells: ids and sources, in order, as JSON."""
    global _cells
    _cells = json.loads(cells)


def trust(function: Callable) -> None:
    """Doubt nothing about a function that comes from another notebook."""
    _trusted.append(function)


def doubt(name: str, function: Callable) -> str | None:
    """Say why `function` may not be what stands in the notebook; None if nothing speaks for it.

    Parameters
    ----------
    name : str
        The name under which the exercise knows the function.
    function : callable
        What is about to be tested.
    """
    global _cells
    cells, _cells = _cells, None  # told for this run only
    tested, run = _defined.get(name, (None, None))
    if run is None or tested is not function or function in _trusted:
        return None
    stopped = _stopped_since(name, run)
    if stopped is not None:
        text = _(
            "The cell with your {name} stopped with {error}, so {name} is still the one from "
            "before. Mend that cell and run it (Shift+Enter), then run this one again."
        )
        return text.format(name=name, error=stopped.error)
    if _left_since(name, run):
        text = _(
            "The cell that defined {name} was run again and does not define it any more, so {name} "
            "is still the one from before. Is its name written as here? Mend that cell and run it "
            "(Shift+Enter), then run this one again."
        )
        return text.format(name=name)
    ids = [id for id, _source in cells or ()]
    if cells is None or run.cell is None or _current not in ids:
        return None
    return _doubt_about_the_page(name, run, cells, ids.index(_current))


def _doubt_about_the_page(name: str, run: Run, cells: list[list[str]], here: int) -> str | None:
    sources = dict(cells)
    # From top to bottom the last one above is what counts, also when the work is graded.
    above = [id for id, source in cells[:here] if _defines(source, name)]
    if above and above[-1] != run.cell:
        text = _(
            "The {name} in use comes from another cell than the last one above that defines it. "
            "From top to bottom, as when your work is graded, that one counts: run it "
            "(Shift+Enter), then run this one again."
        )
        return text.format(name=name)
    if run.cell not in sources:
        text = _(
            "The cell that defined {name} is no longer in the notebook. Write {name} in the cell "
            "above, run that cell (Shift+Enter), then run this one again."
        )
        return text.format(name=name)
    if not _same_code(sources[run.cell], run.source):
        text = _(
            "You changed the cell with your {name} and did not run it: {name} is still the one "
            "from before. Run that cell (Shift+Enter), then run this one again."
        )
        return text.format(name=name)
    return None


def _stopped_since(name: str, run: Run) -> Run | None:
    """The last later run that should have defined the name and stopped before it did."""
    later = [
        one
        for one in _runs
        if one.number > run.number
        and (_defines(one.source, name) or (one.error and _is_other_work(one, run)))
    ]
    if not later or later[-1].error is None:
        return None
    last = later[-1]
    mended = [one for one in _runs if one.number > last.number and one.cell == last.cell]
    return None if last.cell is not None and mended else last


def _left_since(name: str, run: Run) -> bool:
    """Was the cell of the definition run again, and then without one?"""
    later = [one for one in _runs if one.number > run.number and one.cell == run.cell]
    return bool(later) and _is_other_work(later[-1], run) and not _defines(later[-1].source, name)


def _is_other_work(one: Run, run: Run) -> bool:
    """Is this a later run of the same cell, with other code?"""
    return run.cell is not None and one.cell == run.cell and not _same_code(one.source, run.source)


def _cell_begins(info) -> None:
    global _current
    _current = getattr(info, "cell_id", None)


def _cell_ended(result) -> None:
    error = result.error_before_exec or result.error_in_exec
    info = result.info
    run = Run(
        number=len(_runs),
        cell=getattr(info, "cell_id", None),
        source=info.raw_cell or "",
        error=type(error).__name__ if error is not None else None,
    )
    _runs.append(run)
    names = ipython().user_ns
    for name in exercise_names():
        if name in names and _defined.get(name, (None,))[0] is not names[name]:
            _defined[name] = names[name], run


def _defines(source: str, name: str) -> bool:
    """True when a cell gives the name a value, as far as its text tells: not inside a function.

    The text may be no Python at all: it is what did not run that is asked for.
    """
    pattern = rf"^([ \t]*)(?:(?:async\s+)?def\s+{name}\b|{name}\s*(?::[^=\n]*)?=(?!=))"
    source = textwrap.dedent(source)
    for found in re.finditer(pattern, source, re.MULTILINE):
        if not found[1]:
            return True
        above = re.findall(r"^[^ \t#@\n].*", source[: found.start()], re.MULTILINE)
        if above and re.match(r"(if|elif|else|try|except|finally|with|for|while)\b", above[-1]):
            return True
    return False


def _same_code(now: str, then: str) -> bool:
    """True when only comments, blank lines or spaces differ."""
    if now.strip() == then.strip():
        return True
    try:
        return ast.dump(ast.parse(now)) == ast.dump(ast.parse(then))
    except SyntaxError:  # or a magic, which is no Python either
        return False
