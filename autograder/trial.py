"""One notebook, from its first cell to its last: the student's cells there, the test cells here.

The cells run in the notebook's order. A student's process that dies is replaced: what had run
before runs again in a new one, and only the cell that it died in loses its marks.
"""

import ast
import contextlib
import functools
import io
import numbers
import symtable
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from autograder.outputs import clean
from autograder.proxies import Namespace, run_cell
from autograder.session import GraderFailure, Student, StudentDied
from autograder.student import Outputs, Shell, Stream
from illustrated_attention.examine import Verdict

BEGIN_HIDDEN = "### BEGIN HIDDEN TESTS"


@dataclass(frozen=True)
class Cell:
    """A code cell: the student's, or a test cell as the instructor wrote it."""

    source: str
    test: bool = False
    points: float = 0.0

    @property
    def hidden(self) -> bool:
        """True for a test cell of which the student sees nothing but the verdict's words."""
        return self.test and BEGIN_HIDDEN in self.source


@functools.cache
def names_to_define(solution_cells: tuple[str, ...]) -> frozenset[str]:
    """The names that solution cells, as released, bind at their top level."""
    names = set()
    for source in solution_cells:
        for node in ast.parse(source).body:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                names.add(node.name)
            elif isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
                stored = (n for n in ast.walk(node) if isinstance(n, ast.Name))
                names.update(n.id for n in stored if isinstance(n.ctx, ast.Store))
    return frozenset(names)


def hold(
    cells: list[Cell],
    names: set[str],
    start: Callable[[], Student],
    shell: Shell,
    hidden: bool,
    skip: frozenset[int] = frozenset(),
    postpone: bool = False,
    starting: Callable[[int], None] = lambda index: None,
) -> Iterator[tuple[int, list[dict]]]:
    """Run a notebook's cells and yield (index, outputs) for those whose outputs count.

    What a student's function sees in a hidden test it can keep and print later. So what students
    get to read, the outputs of their cells and of visible tests, is collected before any hidden
    test runs. With `postpone`, hidden tests come last, on the functions as they were in the hidden
    test's place. Where a later cell may have changed what these do, or the process has died, they
    are left out, and a run of their own (`hidden` True), in which every test has its place and
    only the outcome of hidden tests counts, has to decide.

    `skip` are test cells not to run; `starting` is told the index of each test cell before it
    runs.
    """
    if hidden:  # what comes after the last hidden test cannot change its outcome
        cells = cells[: max(i for i, cell in enumerate(cells) if cell.hidden) + 1]
    namespace = Namespace(names)
    student, worked, postponed = None, [], []

    def alive() -> Student:
        nonlocal student
        while student is None or not student.alive:
            student = start()
            for source in worked.copy():
                try:
                    run_cell(student, source, pictures=False)
                except StudentDied:
                    worked.remove(source)
                    break
        return student

    try:
        for index, cell in enumerate(cells):
            if not cell.test:
                try:
                    outputs = run_cell(alive(), cell.source, pictures=not hidden)
                    worked.append(cell.source)
                except StudentDied as error:
                    outputs = [_error(error, f"This cell was stopped: {error}.")]
                if not hidden:
                    yield index, clean(outputs)
            elif index in skip:
                continue
            elif hidden or not cell.hidden:
                starting(index)
                outputs = run_test(cell, namespace, alive, shell)
                if cell.hidden == hidden:
                    yield index, outputs
            elif postpone and _keep_their_meaning(cells, index):
                namespace.new_cell(alive())
                values = namespace.look_up(_names_in(cell.source))
                if values is not None:
                    postponed.append((index, student, values, namespace.own()))
        before = {}
        for index, then, values, own in postponed:
            if then is not student or not student.alive:
                break
            starting(index)
            namespace.update((k, v) for k, v in own.items() if before.get(k, k) is not v)
            before, namespace.fixed = own, values
            yield index, run_test(cells[index], namespace, lambda: student, shell)
    finally:
        if student is not None:
            student.end()


def _keep_their_meaning(cells: list[Cell], index: int) -> bool:
    """True if the functions defined above a cell do the same when all cells below have run.

    That is so if no cell below binds a global name that they use. Code that is not plain Python,
    as IPython's commands are, may do anything.
    """
    above = [cell.source for cell in cells[:index] if not cell.test]
    below = [cell.source for cell in cells[index + 1 :] if not cell.test]
    try:
        used = set().union(*(_uses_and_binds(source)[0] for source in above))
        bound = set().union(*(_uses_and_binds(source)[1] for source in below))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return "*" not in bound and not used & bound


@functools.cache
def _uses_and_binds(source: str) -> tuple[set[str], set[str]]:
    """The global names that a cell's functions use, and those that the cell binds."""
    used, bound = set(), set()
    module = symtable.symtable(source, "<cell>", "exec")
    tables = [module]
    while tables:
        table = tables.pop()
        tables += table.get_children()
        for symbol in table.get_symbols():
            if table is not module and symbol.is_global():
                used.add(symbol.get_name())
            is_global = table is module or symbol.is_declared_global()
            if is_global and symbol.is_assigned():
                bound.add(symbol.get_name())
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):  # `import numpy as np` once more changes nothing
            bound.update(alias.asname or alias.name for alias in node.names)
    return used, bound


def _names_in(source: str) -> set[str]:
    return {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}


def run_test(
    cell: Cell, namespace: Namespace, student: Callable[[], Student] | None, shell: Shell
) -> list[dict]:
    """Run a test cell in this process; return its outputs. An error among them means no points.

    As in nbgrader, a number in the last line is the points. What is neither a number of points
    nor a truth nor None is an error here: no verdict, no points. Of a hidden test the outputs
    are only the judge's own words: no value, no traceback, nothing the student's code printed.
    The error of a failed test has a `verdict`: exercise, known mistake and, if hidden, words.
    """
    outputs = Outputs()
    stream = Stream("stdout")
    shell.outputs = stream.outputs = outputs
    value = None
    try:
        with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(io.StringIO()):
            namespace.new_cell(student and student())
            body, last = _compile(cell.source)
            exec(body, namespace)
            value = eval(last, namespace) if last else None
        if not _is_mark(value, cell.points):
            raise ValueError("the last line of this test cell is neither points nor a verdict")
    except GraderFailure:
        raise
    except BaseException as error:  # exit() in a student's function must not end the judge
        if cell.hidden:
            words = _words(error)
            return [{**_error(error, words), "verdict": _verdict(error, namespace, words)}]
        verdict = _verdict(error, namespace, "")
        return [*outputs.items, {**_error(error, _told(error)), "verdict": verdict}]
    finally:
        shell.outputs = stream.outputs = None
        sys.stdout.flush()
    kept = [] if cell.hidden else outputs.items
    if isinstance(value, numbers.Real) and not isinstance(value, (bool, np.bool_)):
        kept = [
            *kept,
            {"output_type": "execute_result", "data": {"text/plain": repr(float(value))}},
        ]
    return kept


_FILE = "<test cell>"


def _compile(source: str):
    """Compile a cell as its lines but the last expression, and that expression."""
    tree = ast.parse(source, _FILE)
    last = None
    if tree.body and isinstance(tree.body[-1], ast.Expr):
        last = compile(ast.Expression(tree.body.pop().value), _FILE, "eval")
    return compile(tree, _FILE, "exec"), last


def _is_mark(value, points: float) -> bool:
    if value is None:
        return True
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    return isinstance(value, numbers.Real) and 0 <= float(value) <= points


def _words(error: BaseException) -> str:
    """What may be told of a hidden test that failed: an assertion's own message, else the type."""
    last = traceback.extract_tb(error.__traceback__)[-1:]
    if isinstance(error, AssertionError) and last and last[0].filename == _FILE and str(error):
        return str(error)
    return f"A hidden test failed with {type(error).__name__}."


def _verdict(error: BaseException, namespace: Namespace, words: str) -> dict:
    """What is known of a failed test beyond its words: the exercise and the known mistake."""
    given = (value for value in namespace.values() if isinstance(value, Verdict))
    about = next((verdict for verdict in given if verdict.message == str(error)), error)
    known = {name: getattr(about, name, None) for name in ("exercise", "mistake")}
    return {**known, "message": words}


def _told(error: BaseException) -> str:
    """What is told of a visible test that failed; `check` has shown a card and has its own way."""
    if hasattr(error, "_render_traceback_"):
        return "\n".join(error._render_traceback_())
    return "".join(traceback.format_exception_only(error)).strip()


def _error(error: BaseException, text: str) -> dict:
    name = type(error).__name__
    return {
        "output_type": "error",
        "ename": name,
        "evalue": text[:2000],
        "traceback": [text[:20000]],
    }
