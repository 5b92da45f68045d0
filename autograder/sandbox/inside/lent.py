"""What a test passes to the student's code and is no plain data: it stays with the test.

A function of a test, or an object of one of its classes, is lent: here stands something in its
place, and to call it is to ask the other side.
"""

import builtins
from collections.abc import Callable
from typing import Any

from autograder.sandbox.inside.operations import OPERATIONS


class Lent:
    """Something on the other side."""

    __slots__ = ("_lent",)

    def __getattr__(self, name: str):
        if name.startswith("_"):
            raise AttributeError(name)
        return self._lent[1]("attribute", self, name)

    def __setattr__(self, name: str, value):
        self._lent[1]("set_attribute", self, name, value)


def make_lent(
    back: Callable, number: int, kind: str, name: str, doc: str | None, does: list, calls: bool
) -> Lent:
    """Make what stands for a thing that is lent.

    Parameters
    ----------
    back : callable
        Asks the other side.
    number : int
        By which it knows the thing.
    kind, name : str
        Of the thing's type, and its own.
    doc : str, optional
        Its docstring.
    does : list of str
        The operations that it has a method for.
    calls : bool
        Can it be called?
    """
    methods: dict[str, Any] = {"__slots__": (), "__doc__": property(lambda self: doc)}
    for operation in does:
        methods[operation] = _operation(back, operation)
    if calls:
        methods["__call__"] = lambda self, *args, **kwargs: back("call", self, list(args), kwargs)
        methods["__name__"] = property(lambda self: name)
    lent = type(kind, (Lent,), methods)()
    object.__setattr__(lent, "_lent", (number, back))
    return lent


def number_of(thing: object) -> int | None:
    """The number of a thing that is lent; None if it is none."""
    return thing._lent[0] if isinstance(thing, Lent) else None


def _operation(back: Callable, name: str) -> Callable:
    assert name in OPERATIONS
    return lambda self, *args: back("operate", name, self, list(args))


def raised(names: list[str], text: str) -> BaseException:
    """Make the exception that a function of the other side raised."""
    kinds = (getattr(builtins, name, None) for name in names)
    base = next((k for k in kinds if isinstance(k, type) and issubclass(k, Exception)), Exception)
    try:
        return base(text)
    except TypeError:  # one that is made of more than a text
        return Exception(text)
