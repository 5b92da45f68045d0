"""What the judge lends to a student's code: functions and objects of a test.

They stay here. The student's code asks for a call, an attribute, an operation, in plain data, and
gets plain data or another thing that may be lent. What may be is on a short list: nothing in it
leads to the judge's own state, to its files or to its modules.
"""

import builtins
import collections
import functools
import importlib
import inspect
import io
import sys
import types

from autograder.sandbox.inside import hook
from autograder.sandbox.inside.hook import translate as _
from autograder.sandbox.inside.operations import OPERATIONS, operations_of

MAX_LENT = 200_000
_OF_TESTS = "__main__"  # the module of what test cells define
_OWNERS = (list, dict, set, str, collections.deque, io.StringIO, io.BytesIO)  # of methods lent
_FILES = (io.StringIO, io.BytesIO)
# Iterators of Python's own, over what a test has.
_ITERATORS = ("builtins", "itertools")


class Lending:
    """What one student's process was lent, by number."""

    def __init__(self):
        self.things: list = []
        self.numbers: dict[int, int] = {}

    def refer(self, thing: object) -> list:
        """Make a reference to something that is not plain data.

        Raises
        ------
        TypeError
            If it may not be lent.
        """
        if imported := importable(thing):
            return imported
        calls = _is_function(thing) or _is_class(thing) or _is_mock(thing)
        calls = calls or _is_callable_object(thing)
        if not calls and not _is_object(thing):
            text = _(
                "a {type} cannot be passed to the student's code: only plain data, arrays, "
                "functions, and objects of classes that a test defines"
            )
            raise TypeError(text.format(type=type(thing).__name__))
        number = self.numbers.get(id(thing))
        if number is None:
            if len(self.things) == MAX_LENT:
                raise TypeError(_("too many things are lent to the student's code"))
            number = self.numbers[id(thing)] = len(self.things)
            self.things.append(thing)
        name = getattr(thing, "__name__", "")
        name = name if isinstance(name, str) else ""
        does = operations_of(type(thing)) if _is_object(thing) else []
        doc = getattr(thing, "__doc__", None) if _is_defined(thing) else None
        doc = doc if isinstance(doc, str) else None
        return ["lent", number, type(thing).__name__, name, doc, does, calls]

    def thing(self, number: object) -> object:
        """Return what was lent under a number."""
        if type(number) is not int or not 0 <= number < len(self.things):
            raise TypeError("nothing is lent under this number")
        return self.things[number]

    def answer(self, request: list) -> object:
        """Do what the student's code asks for with something lent; return what comes of it."""
        match request:
            case ["input", str(prompt)]:
                return builtins.input(prompt)
            case ["call", thing, list(args), dict(kwargs)] if self._has(thing) and callable(thing):
                return thing(*args, **kwargs)
            case ["attribute", thing, str(name)] if self._has(thing) and not name.startswith("_"):
                if not _is_function(thing) or _is_defined(thing):
                    value = getattr(thing, name)
                    # A mock's methods would tell it what to say of itself.
                    if not _is_mock(thing) or _is_mock(value):
                        return value
            case ["set_attribute", thing, str(name), value] if self._has(thing):
                if _may_be_set(thing, name):
                    setattr(thing, name, value)
                    return None
            case ["operate", str(name), thing, list(args)] if self._has(thing):
                if _is_object(thing) and name in operations_of(type(thing)):
                    return OPERATIONS[name](thing, *args)
        raise AttributeError("this is not lent")

    def _has(self, thing: object) -> bool:
        return id(thing) in self.numbers


def importable(thing: object) -> list | None:
    """Return a reference to what both sides can import, each for itself: its kind, module, name."""
    function = hook.named(thing) if inspect.isfunction(thing) else thing
    module, name = getattr(function, "__module__", None), getattr(function, "__qualname__", "")
    if isinstance(thing, types.MethodDescriptorType):  # str.upper
        module = thing.__objclass__.__module__
    if isinstance(thing, types.ModuleType):
        module, name, function = thing.__name__, "", thing
    if isinstance(module, str) and isinstance(name, str) and _found(module, name) is function:
        if hook.is_shared(module):
            return ["shared", module, name]
        if module.partition(".")[0] not in (_OF_TESTS, __name__.partition(".")[0]):
            return ["import", module, name]
    return None


def _found(module: str, name: str) -> object:
    thing: object = sys.modules.get(module)
    if thing is None and hook.is_shared(module):
        thing = importlib.import_module(module)
    for part in filter(None, name.split(".")):
        thing = getattr(thing, part, None)
    return thing


def _is_function(thing: object) -> bool:
    if isinstance(thing, functools.partial):
        return _is_function(thing.func)  # no other: it could be `open`
    owner = getattr(thing, "__self__", None)
    if isinstance(thing, types.MethodType):
        return _is_object(owner) or _is_class(owner)
    if isinstance(thing, types.BuiltinFunctionType):
        return type(owner) in _OWNERS or _is_object(owner)
    return _is_defined(thing)


def _is_defined(thing: object) -> bool:
    """A function that a test defines: what it has beside its code, somebody has put there."""
    return isinstance(thing, types.FunctionType) and thing.__module__ == _OF_TESTS


def _is_mock(thing: object) -> bool:
    mock = sys.modules.get("unittest.mock")
    return mock is not None and isinstance(thing, mock.NonCallableMock)


def _is_class(thing: object) -> bool:
    return isinstance(thing, type) and thing.__module__ == _OF_TESTS


def _is_object(thing: object) -> bool:
    """An object of a class that a test defines, a file in memory, or an iterator of Python's."""
    kind = type(thing)
    return (
        _is_class(kind)
        or kind in _FILES
        or (kind.__module__ in _ITERATORS and hasattr(kind, "__next__"))
    )


def _is_callable_object(thing: object) -> bool:
    return _is_class(type(thing)) and callable(thing)


def _may_be_set(thing: object, name: str) -> bool:
    """May student code set an attribute? Of an object's own state; no method is replaced."""
    if name.startswith("_"):
        return False
    method = getattr(type(thing), name, None)
    return _is_defined(thing) or (_is_class(type(thing)) and not callable(method))
