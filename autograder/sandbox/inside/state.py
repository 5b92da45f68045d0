"""What names stand for, with all that it depends on: is it later still the same?

A function depends on its code, its defaults, and the names that it asks of its notebook, which may
stand for functions again. Data is compared by its value.
"""

import builtins
import functools
import os
import random
import sys
import types
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

_MOST, _DEEPEST = 2000, 100  # things that are looked at, one within the other
_MOST_BYTES = 4 << 20  # of arrays and text
_NUMBERS = (bool, int, float, complex, type(None), type(...))
_BUILTIN = (types.BuiltinFunctionType, types.MethodDescriptorType, np.ufunc, type(np.mean))
_WRAPPERS = (staticmethod, classmethod)
_PYTHONS = {"__dict__", "__weakref__", "__doc__", "__annotations__"}  # of classes, made by Python


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
        self._modules: dict[int, types.ModuleType] = {}
        self.asked: set[str] = set()  # every name that functions among it ask for
        self._bytes = self._depth = 0
        found = [self._name(name) for name in self.names]
        self.found = (found, self._of_modules(), self._of_random())

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
        if kind in (str, bytes):
            self._count(len(thing))
            return kind, thing
        if kind in _NUMBERS or isinstance(thing, np.generic):
            return kind, repr(thing)  # not itself: nan is not equal to nan
        if id(thing) in self._numbers:
            return "again", self._numbers[id(thing)]
        self._numbers[id(thing)] = len(self._numbers)
        self._count(0)
        if kind is np.ndarray and not thing.dtype.hasobject:
            self._count(thing.nbytes)
            return kind, thing.dtype.str, thing.shape, hash(thing.tobytes())
        if kind in (list, tuple):
            return kind, [self._look(item) for item in thing]
        if kind in (set, frozenset):
            return kind, sorted(repr(self._look(item)) for item in thing)
        if kind is dict:
            return kind, self._items(thing)
        if kind is types.ModuleType:
            self._need_library(vars(thing))
            self._modules[id(thing)] = thing
            return self._id(thing)
        if kind is types.FunctionType:
            return self._id(thing), self._of_function(thing)
        if kind is types.BuiltinFunctionType and not _is_of_module(thing):
            return kind, thing.__name__, self._look(thing.__self__)  # a method, [].append say
        if isinstance(thing, _BUILTIN):
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
        if self._is_here(kind) and kind.__dictoffset__ and not _has_slots(kind):
            return self._look(kind), self._items(vars(thing))
        raise Unknown(kind.__name__)

    def _items(self, things: Mapping) -> list:
        return [(self._look(key), self._look(value)) for key, value in things.items()]

    def _of_function(self, function: types.FunctionType) -> object:
        code = function.__code__
        if function.__globals__ is not self._of:
            self._need_library(function.__globals__)
            return self._id(code)
        defaults = self._look(function.__defaults__), self._look(function.__kwdefaults__)
        try:
            closure = [self._look(cell.cell_contents) for cell in function.__closure__ or ()]
        except ValueError:  # a cell in which there is nothing yet
            raise Unknown("closure") from None
        asked = sorted(_names(code))
        self.asked.update(asked)
        known = [self._name(name) for name in asked if name in self._of or hasattr(builtins, name)]
        return self._id(code), defaults, closure, self._items(vars(function)), known

    def _of_class(self, kind: type) -> object:
        if not self._is_here(kind):
            self._need_library(vars(sys.modules.get(kind.__module__, builtins)))
            return None
        if type(kind) is not type or _has_slots(kind):
            raise Unknown(kind.__name__)
        own = {name: thing for name, thing in vars(kind).items() if name not in _PYTHONS}
        return [self._look(base) for base in kind.__bases__], self._items(own)

    def _is_here(self, kind: type) -> bool:
        """Is a class one of the notebook's own?"""
        return kind.__module__ == self._of.get("__name__", "__main__")

    def _need_library(self, names: Mapping) -> None:
        """A module that was handed in may keep anything to itself."""
        file, name = names.get("__file__"), str(names.get("__name__")).partition(".")[0]
        if isinstance(file, str) and file.startswith(os.path.abspath(name)):
            raise Unknown(file)

    def _of_modules(self) -> list:
        """What any of the names is in any of the modules."""
        modules = [vars(module) for module in self._modules.values()]
        found = [(name, names[name]) for names in modules for name in self.asked if name in names]
        return sorted((name, self._id(thing)) for name, thing in found)

    def _of_random(self) -> object:
        """Where the common random numbers are, if anything may draw some."""
        modules = {module.__name__ for module in self._modules.values()}
        if not any("random" in name for name in modules.union(self.asked, self.names)):
            return None
        return repr(random.getstate()), repr(np.random.get_state())  # noqa: NPY002

    def _id(self, thing: object) -> int:
        self._kept.append(thing)
        return id(thing)

    def _count(self, size: int) -> None:
        self._bytes += size
        if len(self._numbers) > _MOST or self._bytes > _MOST_BYTES:
            raise Unknown("too much")


def _names(code: types.CodeType) -> set[str]:
    """The names that a function asks for, or those within it; attributes are among them."""
    inner = [const for const in code.co_consts if isinstance(const, types.CodeType)]
    return set(code.co_names).union(*map(_names, inner))


def _is_of_module(function: types.BuiltinFunctionType) -> bool:
    return function.__self__ is None or isinstance(function.__self__, types.ModuleType)


def _has_slots(kind: type) -> bool:
    """May there be more in an object of this class than its `__dict__` tells?"""
    return any("__slots__" in vars(base) for base in kind.__mro__)
