"""What names stand for, with all that it depends on: is it later still the same?

A function depends on its code, its defaults, and the names that it asks of its notebook, which may
stand for functions again. Data is compared by its value. What any function may use that has no
name in the notebook belongs to it too: random numbers, settings, files. Of what may change unseen
nothing is said. Then the notebook runs twice, which costs time and nobody a mark.
"""

import builtins
import decimal
import functools
import io
import locale
import os
import random
import sys
import types
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from autograder.sandbox.inside import written

# What may ask for a name that stands nowhere in the code.
ANY_NAME = frozenset(
    {"exec", "eval", "globals", "locals", "vars", "dir", "get_ipython", "__import__"}
)
_BEHIND_NAMES = ANY_NAME | {"__main__", "__globals__", "f_globals", "modules", "import_module"}
_BEHIND_NAMES |= {"__subclasses__", "get_objects"}
_MOST, _DEEPEST = 5000, 100  # things that are looked at, one within the other
_MOST_BYTES = 4 << 20  # of arrays and text
_SIMPLE = (bool, int, type(None), type(...))
_FLOATS = (float, complex)
_BUILTIN = (types.BuiltinFunctionType, types.MethodDescriptorType, type(np.mean))
_PYTHON = sys.prefix, sys.base_prefix  # below which libraries are
_WRAPPERS = (staticmethod, classmethod)
_PYTHONS = {"__dict__", "__weakref__", "__annotations__"}  # of classes, made by Python


class Unknown(Exception):
    """There is something of which nobody can tell whether it has changed."""


class State:
    """What some names stand for now.

    Parameters
    ----------
    names : iterable of str
        The names that are asked for.
    of : dict
        The namespace of a notebook.

    Raises
    ------
    Unknown
        If they depend on anything but functions, classes, modules and plain data, or on too much.
    """

    def __init__(self, names: Iterable[str], of: dict[str, Any]):
        self.names, self._of = sorted(names), of
        self._kept: list[object] = []  # so that nothing else gets their ids
        self._numbers: dict[int, int] = {}  # of what has been looked at, by ids
        self._libraries: dict[int, types.ModuleType | type] = {}  # modules, and classes in them
        self.asked: set[str] = set()  # every name that functions among it ask for
        self._things = self._bytes = self._depth = 0
        try:
            found = [self._name(name) for name in self.names]
            self.found = (found, self._of_libraries(), _around())
        except Unknown:
            raise
        except Exception as error:  # odd things raise whatever they like when they are looked at
            raise Unknown(type(error).__name__) from None

    def is_unchanged(self) -> bool:
        """Do the names stand for the same now?"""
        try:
            return State(self.names, self._of).found == self.found
        except Unknown:
            return False

    def _name(self, name: str) -> object:
        if name in self._of:
            return name, self._look(self._of[name])
        return name, self._id(getattr(builtins, name, None))

    def _look(self, thing: Any) -> object:
        """What a thing is, so that two of these are equal only if it has not changed."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise Unknown("too deep")
        try:
            return self._seen(thing)
        finally:
            self._depth -= 1

    def _seen(self, thing: Any) -> object:
        kind = type(thing)
        self._count(sys.getsizeof(thing) if kind in (str, bytes, int) else 0)
        if kind in (str, bytes) or kind in _SIMPLE:
            return kind, thing
        if kind in _FLOATS or (issubclass(kind, np.number | np.bool_) and _is_of_numpy(kind)):
            return kind, repr(thing)  # not itself: nan is not equal to nan
        if id(thing) in self._numbers:
            return "again", self._numbers[id(thing)]
        self._numbers[id(thing)] = len(self._numbers)
        if kind is np.ndarray and not thing.dtype.hasobject:
            self._count(thing.nbytes)
            place = thing.__array_interface__["data"]  # others may be views of the same numbers
            return kind, repr(thing.dtype), thing.shape, place, hash(thing.tobytes())
        if kind in (list, tuple):
            return kind, [self._look(item) for item in thing]
        if kind in (set, frozenset):
            return kind, sorted(repr(self._look(item)) for item in thing)
        if kind is dict:
            return kind, self._items(thing)
        if kind is types.ModuleType:
            self._need_library(vars(thing))
            self._libraries[id(thing)] = thing
            return self._id(thing)
        if kind is types.FunctionType:
            return self._id(thing), self._of_function(thing)
        if kind is types.BuiltinFunctionType and not _is_of_module(thing):
            return kind, thing.__name__, self._look(thing.__self__)  # a method, [].append say
        if kind in _BUILTIN or (kind is np.ufunc and getattr(np, thing.__name__, None) is thing):
            return self._id(thing)
        if isinstance(thing, type):
            return self._id(thing), self._of_class(thing)
        if kind in _WRAPPERS:
            return kind, self._look(thing.__func__)
        if kind is types.MethodType:
            return kind, self._look(thing.__func__), self._look(thing.__self__)
        if kind is property:
            return kind, [self._look(part) for part in (thing.fget, thing.fset, thing.fdel)]
        if kind is functools.partial:
            return kind, [self._look(part) for part in (thing.func, thing.args, thing.keywords)]
        if self._tells_all(kind):
            return self._look(kind), self._items(vars(thing))
        raise Unknown(kind.__name__)

    def _items(self, things: Mapping) -> list:
        return [(self._look(key), self._look(value)) for key, value in things.items()]

    def _of_function(self, function: types.FunctionType) -> object:
        code = function.__code__
        if function.__globals__ is not self._of:
            self._need_library(function.__globals__)
            return self._id(code), self._items(vars(function))  # it may be wrapped around ours
        defaults = self._look(function.__defaults__), self._look(function.__kwdefaults__)
        try:
            closure = [self._look(cell.cell_contents) for cell in function.__closure__ or ()]
        except ValueError:  # a cell in which there is nothing yet
            raise Unknown("closure") from None
        asked = sorted(_names(code))
        if not _BEHIND_NAMES.isdisjoint(asked):
            raise Unknown("any name")
        self.asked.update(asked)
        known = [self._name(name) for name in asked if name in self._of or hasattr(builtins, name)]
        imported = [self._look(sys.modules[name]) for name in asked if name in sys.modules]
        told = function.__doc__, repr(function.__annotations__)  # a test may look at these
        return self._id(code), defaults, closure, self._items(vars(function)), known, imported, told

    def _of_class(self, kind: type) -> object:
        if not self._is_here(kind):
            self._need_library(vars(sys.modules.get(kind.__module__, builtins)))
            self._libraries[id(kind)] = kind
            return None
        if type(kind) is not type or _has_slots(kind):
            raise Unknown(kind.__name__)
        own = {name: thing for name, thing in vars(kind).items() if name not in _PYTHONS}
        return [self._look(base) for base in kind.__bases__], self._items(own)

    def _tells_all(self, kind: type) -> bool:
        """Is all that is in an object of this class in its `__dict__`? A list has items, say."""
        ours = all(base is object or self._is_here(base) for base in kind.__mro__)
        return ours and not _has_slots(kind)

    def _is_here(self, kind: type) -> bool:
        """Is a class one of the notebook's own?"""
        return kind.__module__ == self._of.get("__name__", "__main__")

    def _need_library(self, names: Mapping) -> None:
        """A module that was handed in, or what is none, may keep anything to itself."""
        if vars(sys.modules.get(str(names.get("__name__")), types)) is not names:
            raise Unknown("no module")
        file = str(names.get("__file__"))
        if file.startswith(written.folder()) and not file.startswith(_PYTHON):
            raise Unknown(file)

    def _of_libraries(self) -> list:
        """What any of the names is in any of the libraries, and in what of these it stands for."""
        found, waiting = [], list(self._libraries.values())
        while waiting:
            names = vars(waiting.pop())
            for name in self.asked.intersection(names):
                thing = names[name]
                found.append((name, self._id(thing)))
                if isinstance(thing, (types.ModuleType, type)) and id(thing) not in self._libraries:
                    self._libraries[id(thing)] = thing
                    waiting.append(thing)
        return sorted(found)

    def _id(self, thing: object) -> int:
        self._kept.append(thing)
        return id(thing)

    def _count(self, size: int) -> None:
        self._things, self._bytes = self._things + 1, self._bytes + size
        if self._things > _MOST or self._bytes > _MOST_BYTES:
            raise Unknown("too much")


def _around() -> list:
    """What functions of libraries use without being given it, and what cells may set."""
    loaded = sys.modules.get
    of_numpy: Any = np.random.get_state()  # noqa: NPY002
    plots: Any = loaded("matplotlib.pyplot")
    if plots and plots.get_fignums():
        raise Unknown("figures")  # that are open: what is drawn next goes into the last of them
    tables: Any = loaded("pandas")
    return [
        random.getstate(),
        (of_numpy[1].tobytes(), of_numpy[2:]),
        written.files(),
        sorted((file.name, file.stat().st_mtime_ns) for file in os.scandir()),
        [sys.stdin, sys.stdout, sys.stderr, builtins.input],
        isinstance(sys.stdin, io.StringIO) and sys.stdin.tell(),
        dict(os.environ),
        os.getcwd(),
        list(sys.path),
        sys.getrecursionlimit(),
        sys.get_int_max_str_digits(),
        np.get_printoptions(),
        np.geterr(),
        repr(decimal.getcontext()),
        locale.setlocale(locale.LC_ALL),
        plots and list(dict.values(plots.rcParams)),
        tables and repr(tables.options.d),
    ]


def _names(code: types.CodeType) -> set[str]:
    """The names that a function asks for, or those within it; attributes are among them."""
    inner = [const for const in code.co_consts if isinstance(const, types.CodeType)]
    return set(code.co_names).union(*map(_names, inner))


def _is_of_module(function: types.BuiltinFunctionType) -> bool:
    return function.__self__ is None or isinstance(function.__self__, types.ModuleType)


def _is_of_numpy(kind: type) -> bool:
    return kind.__module__ == "numpy"


def _has_slots(kind: type) -> bool:
    return any("__slots__" in vars(base) for base in kind.__mro__)
