"""What an instructor's own notebook tells about its names, before any student's code is seen.

In stock nbgrader, tests and the student's code share one namespace. Here they live apart, and what
crosses the border is decided by trusted code alone: which names a test may ask of a student, which
modules it means, which of its own names the student's code sees, and what the objects that it gets
may do.
"""

import ast
import builtins
import functools
import symtable
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from IPython.core.inputtransformer2 import TransformerManager

from autograder.sandbox.inside.operations import OPERATIONS, is_among
from autograder.sandbox.inside.state import ANY_NAME

# That objects are equal to themselves, true, and have a hash: of a notebook that has objects.
IDENTITY = "identity"
_LAZY = {"map", "zip", "filter", "enumerate", "reversed", "iter", "range"}
_ITERATION = frozenset({"__iter__", "__next__"})
# Libraries of which a notebook has objects, and what these do: a match of `re` is true, the rows of
# a database are looped over, what Matplotlib draws with stands in lists.
_OF_DRAWINGS = _ITERATION | {IDENTITY, "__len__", "__getitem__"}
_OF_LIBRARIES: dict[str, frozenset[str]] = {
    **dict.fromkeys(("matplotlib", "pylab", "seaborn", "enum", "pandas"), _OF_DRAWINGS),
    **{"re": frozenset({IDENTITY}), "sqlite3": _ITERATION | {IDENTITY}},
}
_ORDER = frozenset({"__lt__", "__le__", "__gt__", "__ge__"})


SOLUTION, LOCKED, OPEN, TEST = "solution", "locked", "open", "test"


@dataclass(frozen=True)
class Source:
    """A code cell of an instructor's notebook.

    Its `kind`: a cell in which students write; one that they cannot change, and one that they can;
    a test that runs in the judge's process.
    """

    text: str
    kind: str = OPEN


@dataclass(frozen=True)
class Setting:
    """What is known of a notebook's names, for all its tests.

    Attributes
    ----------
    imports : dict
        The modules and what is taken from them in cells that students have, each as the line that
        imports it, by its name. A test that asks for one gets the judge's own.
    stars : tuple of str
        Lines that import all of a module.
    own : dict
        What cells that no student writes in define for tests, as source text by its name: helper
        functions, and in locked cells values. The judge has its own of each.
    shared : frozenset of str
        What functions of the notebook ask of the namespace: if a test defines or deletes one of
        these, the student's code sees it.
    shown : frozenset of str
        What cells ask of the namespace outside of functions: the same, of tests that are visible.
    folder : str, optional
        The instructor's own folder of the assignment: the modules and the data in it.
    """

    imports: dict[str, str] = field(default_factory=dict)
    stars: tuple[str, ...] = ()
    own: dict[str, str] = field(default_factory=dict)
    shared: frozenset[str] = frozenset()
    shown: frozenset[str] = frozenset()
    folder: str | None = None

    @classmethod
    def of(cls, data: dict[str, Any]) -> "Setting":
        """Make one of what `as_json` gave."""
        kinds: dict[str, Callable] = {"stars": tuple, "shared": frozenset, "shown": frozenset}
        return cls(**{name: kinds.get(name, lambda v: v)(value) for name, value in data.items()})

    def as_json(self) -> dict:
        """Return what `of` reads, in JSON's own kinds of values."""
        sets = {"shared": sorted(self.shared), "shown": sorted(self.shown)}
        others = {"own": self.own, "stars": list(self.stars), "folder": self.folder}
        return {"imports": self.imports} | others | sets


@functools.cache
def bound_names(cells: tuple[str, ...]) -> frozenset[str]:
    """The names that cells bind at their top level, modules aside."""
    statements = [statement for cell in cells for statement in parse(cell)]
    return frozenset(
        name
        for statement in statements
        for name in _bound(statement)
        if not isinstance(statement, (ast.Import, ast.ImportFrom))
    )


@functools.cache
def setting(sources: tuple[Source, ...], folder: str | None = None) -> Setting:
    """Read the cells of a notebook that run in the student's process, as the instructor wrote them.

    Parameters
    ----------
    sources : tuple of Source
        All but test cells, with the solutions where they are known.
    folder : str, optional
        The assignment's folder.
    """
    cells = tuple(source.text for source in sources)
    imports: dict[str, str] = {}
    stars: list[str] = []
    shared, shown = set[str](), set[str]()
    for statement in (statement for cell in cells for statement in parse(cell)):
        for node in _at_top(statement):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    name = alias.asname or alias.name.partition(".")[0]
                    imports[name] = ast.unparse(ast.Import([alias]))
            elif isinstance(node, ast.ImportFrom) and not node.level:
                for alias in node.names:
                    line = ast.unparse(ast.ImportFrom(node.module, [alias], 0))
                    if alias.name == "*":
                        stars.append(line)
                    else:
                        imports[alias.asname or alias.name] = line
            elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                shared.add(node.name)
    for cell in cells:
        if parse(cell):
            table = symtable.symtable(_python(cell), "<cell>", "exec")
            shown |= {symbol.get_name() for symbol in table.get_symbols() if symbol.is_referenced()}
            shared |= _globals(table)
    ours = bound_names(cells)
    imports = {name: line for name, line in imports.items() if name not in ours}
    own = _own(sources, set(imports))
    return Setting(imports, tuple(stars), own, frozenset(shared), frozenset(shown), folder)


def _own(sources: tuple[Source, ...], imports: set[str]) -> dict[str, str]:
    """What the judge can define by itself, because no student's code has a part in it."""
    of_students = [s for source in sources if source.kind == SOLUTION for s in parse(source.text)]
    theirs = set().union(*map(_bound, of_students), *map(_changed, of_students))
    mentioned = set().union(*map(_loaded, of_students))
    ours = [(s, source.kind) for source in sources for s in parse(source.text)]
    ours = [(statement, kind) for statement, kind in ours if kind in (LOCKED, OPEN)]
    theirs |= set().union(*(_changed(statement) for statement, _kind in ours))
    count = Counter(name for statement, _kind in ours for name in _bound(statement))
    own: dict[str, str] = {}
    known = imports | set(dir(builtins))
    for statement, kind in ours:
        names = _bound(statement)
        if names & theirs or any(count[name] > 1 for name in names):
            continue
        value = getattr(statement, "value", None)
        if (
            isinstance(statement, ast.FunctionDef)
            or (isinstance(statement, ast.ClassDef) and not names & mentioned)
            or (
                kind == LOCKED
                and isinstance(statement, (ast.Assign, ast.AnnAssign))
                and value is not None
                and _loaded(value) <= known
            )
        ):
            own.update(dict.fromkeys(names, ast.unparse(statement)))
            known |= names
    return own


def _changed(statement: ast.stmt) -> set[str]:
    """The names of what code changes in place, or may: `x[0] = 1`, `x.sort()`, `fill(x)`."""
    changed = set[str]()
    for node in ast.walk(statement):
        if isinstance(node, (ast.Global, ast.Nonlocal)):
            changed.update(node.names)
        elif isinstance(node, (ast.Subscript, ast.Attribute)) and not isinstance(
            node.ctx, ast.Load
        ):
            changed |= _loaded(node.value)
        elif isinstance(node, ast.AugAssign):
            changed |= _bound(node)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            called = node.value.func
            changed |= _loaded(called.value) if isinstance(called, ast.Attribute) else set()
            changed |= set().union(*map(_loaded, node.value.args))
    return changed


@functools.cache
def operations(cells: tuple[Source, ...]) -> dict[str, frozenset[str]]:
    """Return for each test cell's text what objects of the student's may do in it.

    That is what the classes do, in the instructor's own code, that the cell names, or that is
    behind what it names. Everywhere else an object that claims to be equal to all is refused.
    """
    does: dict[str, set[str]] = {}
    names: dict[str, set[str]] = {}
    for cell in cells:
        for statement in parse(cell.text):
            for name in _bound(statement):
                does.setdefault(name, set()).update(_done_by(statement))
                names.setdefault(name, set()).update(_loaded(statement))
    return {
        cell.text: frozenset().union(*(does.get(name, set()) for name in _reached(cell, names)))
        for cell in cells
        if cell.kind == TEST
    }


@functools.cache
def asked_by(cell: str) -> frozenset[str] | None:
    """The names that a test cell must find when it begins: it does not bind them itself before.

    None if that cannot be known.
    """
    asked, bound = set[str](), set[str]()
    for statement in parse(cell):
        asked |= _asked(statement) - bound
        if isinstance(statement, _BINDERS):
            bound |= _bound(statement)
    return None if asked & ANY_NAME else frozenset(asked)


@functools.cache
def sets_attributes(cell: str) -> bool:
    """Does a test cell put something into a module or an object, as `builtins.sum = None` does?"""
    nodes = [node for statement in parse(cell) for node in ast.walk(statement)]
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    attributes = [node for node in nodes if isinstance(node, ast.Attribute)]
    set_here = any(not isinstance(attribute.ctx, ast.Load) for attribute in attributes)
    return set_here or not names.isdisjoint({"setattr", "delattr"})


# Statements that bind their names whatever happens.
_BINDERS = (ast.Import, ast.ImportFrom, ast.Assign, ast.FunctionDef, ast.ClassDef)


def _asked(statement: ast.stmt) -> set[str]:
    nodes = list(ast.walk(statement))
    names = [node for node in nodes if isinstance(node, ast.Name)]
    added = {
        n.target.id
        for n in nodes
        if isinstance(n, ast.AugAssign) and isinstance(n.target, ast.Name)
    }
    return added | {name.id for name in names if not isinstance(name.ctx, ast.Store)}


def _globals(table: symtable.SymbolTable) -> set[str]:
    """The names that the functions and classes of a scope look up in the namespace."""
    found = set[str]()
    for inner in table.get_children():
        found |= {symbol.get_name() for symbol in inner.get_symbols() if symbol.is_global()}
        found |= _globals(inner)
    return found


def _reached(cell: Source, names: dict[str, set[str]]) -> set[str]:
    """Every name in a cell, and what is behind it."""
    waiting = [name for statement in parse(cell.text) for name in _loaded(statement)]
    reached = set[str]()
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += names.get(name, ())
    return reached


def _done_by(statement: ast.stmt) -> set[str]:
    done = set[str]()
    for node in ast.walk(statement):
        if isinstance(node, ast.ClassDef):
            done.add(IDENTITY)
            methods = {n.name for n in node.body if isinstance(n, ast.FunctionDef)}
            done |= {name for name in OPERATIONS if is_among(name, frozenset(methods))}
            done |= _ITERATION if methods & {"__iter__", "__getitem__"} else set()
            words = {ast.unparse(decorator) for decorator in node.decorator_list}
            if any("dataclass" in word for word in words):
                done |= {"__eq__", "__repr__", "__str__", "__hash__"}
                done |= _ORDER if any("order" in word for word in words) else set()
            if any("total_ordering" in word for word in words):
                done |= _ORDER
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            modules = {alias.name for alias in node.names}
            modules = modules if isinstance(node, ast.Import) else {node.module or ""}
            for module in modules:
                done |= _OF_LIBRARIES.get(module.partition(".")[0], frozenset())
        elif isinstance(node, (ast.Yield, ast.YieldFrom)) or (
            isinstance(node, (ast.Return, ast.Assign))
            and any(map(_is_lazy, getattr(node.value, "elts", [node.value])))
        ):
            done |= _ITERATION
    return done


def _is_lazy(value: ast.expr | None) -> bool:
    return isinstance(value, ast.GeneratorExp) or (
        isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id in _LAZY
    )


@functools.cache
def parse(cell: str) -> tuple[ast.stmt, ...]:
    """The statements of a cell, magics as the calls that IPython makes of them; none if it cannot
    be read.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a "\d" in an instructor's text
            return tuple(ast.parse(_python(cell)).body)
    except (SyntaxError, ValueError):  # it is to fail when it runs, and say so
        return ()


def _python(cell: str) -> str:
    return TransformerManager().transform_cell(cell)


_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


def _at_top(node: ast.AST) -> Iterator[ast.AST]:
    """Walk through what a statement does itself, not into functions and classes."""
    yield node
    if isinstance(node, _SCOPES):
        inner: Iterable[ast.AST] = getattr(node, "decorator_list", ())
    else:
        inner = ast.iter_child_nodes(node)
    for child in inner:
        yield from _at_top(child)


def _bound(statement: ast.stmt) -> set[str]:
    """The names that a statement binds in the namespace."""
    bound = set[str]()
    for node in _at_top(statement):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            bound.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            bound.add(node.id)
        elif isinstance(node, ast.alias):
            bound.add(node.asname or node.name.partition(".")[0])
    return bound


def _loaded(node: ast.AST) -> set[str]:
    return {
        inner.id
        for inner in ast.walk(node)
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Load)
    }
