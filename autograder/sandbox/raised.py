"""What a student's code raised, as an exception of the judge's: harmless, under the same name."""

import builtins
from typing import Any

import numpy as np

from autograder.sandbox.inside.hook import translate as _

# Exceptions that may come out of a student's code as what they are. Not StopIteration and its
# kind: in the judge's own loops they would mean "all is well, that was the last one".
_HARMLESS = {
    kind.__name__: kind
    for kind in (
        *(ArithmeticError, AssertionError, AttributeError, BufferError, EOFError, Exception),
        *(FloatingPointError, ImportError, IndexError, KeyError, LookupError, MemoryError),
        *(ModuleNotFoundError, NameError, NotImplementedError, OSError, OverflowError),
        *(FileNotFoundError, PermissionError, RecursionError, ReferenceError, RuntimeError),
        *(SyntaxError, SystemError, TimeoutError, TypeError, UnboundLocalError, UnicodeError),
        *(ValueError, ZeroDivisionError, np.linalg.LinAlgError, np.exceptions.AxisError),
    )
}


_KNOWN = {*_HARMLESS, *(n for n in dir(builtins) if n.endswith(("Error", "Exception", "Exit")))}


class FromStudent:
    """What such an exception says is what it said in the student's process."""

    args: tuple  # it stands before an exception's type
    students: Any = None  # the stand-in for an error of the student's own kind

    def __str__(self) -> str:
        return self.args[0] if self.args else ""

    def __getattr__(self, name: str):
        if self.students is None or name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.students, name)


def make_exception(names: list[str], text: str, line: str, discreet: bool) -> BaseException:
    """Make the exception that a student's call raised, with its `student_line` of code.

    It has the name of the original type and the nearest harmless type as its base. An exit is an
    exit, which every caller must expect; Ctrl-C and the like are ordinary errors here. With
    `discreet` a type that is not Python's or NumPy's has no name.
    """
    name = _name(names, discreet)
    error: Any
    if name == "SystemExit":
        error = SystemExit(text)
    else:
        base = _base(names)
        plain = base.__name__ == name and base is not KeyError
        error = (base if plain else type(name, (FromStudent, base), {}))(text)
    error.student_line = line
    return error


def make_exception_type(
    names: list[str], base: type[Exception] | None, discreet: bool
) -> type[Exception]:
    """Make the type that stands for a student's own kind of exception, which a test can catch.

    It is made of a text, as most are; what the student's type does more, it does not.

    Parameters
    ----------
    names : list of str
        Of the type and of those that it derives from.
    base : type, optional
        What stands for the first of the latter, if that is the student's own too.
    """
    kinds = (base,) if base else (FromStudent, _base(names))
    return type(_name(names, discreet), kinds, {})


def forget_name(kind: type[Exception]) -> None:
    """Take from such a type the name that a student's code has chosen, as for the discreet."""
    if kind.__name__ not in _KNOWN:
        kind.__name__ = _("an error of its own type")


def _base(names: list[str]) -> type[Exception]:
    return next((_HARMLESS[name] for name in names if name in _HARMLESS), Exception)


def _name(names: list[str], discreet: bool) -> str:
    name = names[0][:80] if names and names[0].isidentifier() else "Exception"
    if discreet and name not in _KNOWN:
        return _("an error of its own type")  # stands in a sentence, as other types' names do
    return name
