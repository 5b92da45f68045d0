"""Stand-ins, in the judge's process, for what the student defined.

A call of a stand-in ships its arguments to the student's process and brings plain data back. What
is not plain data comes back as a stand-in too. Its attributes are asked for, its methods can be
called; it is never equal to anything, never true, and never turns into a number or an array.
"""

import builtins
import importlib
import inspect
import sys
from typing import Any

import numpy as np

from autograder.sandbox.inside import hook
from autograder.sandbox.inside.hook import translate as _
from autograder.sandbox.inside.wire import WireError
from autograder.sandbox.student_process import StudentDied


class RemoteObject:
    """Something in the student's process that is not plain data."""

    __slots__ = ("_name", "_number", "_overwrote", "_parameters", "_student")

    def __init__(self, student, number: int, name: str, parameters: list[str] | None):
        self._student, self._number, self._name = student, number, name
        self._parameters = parameters
        self._overwrote = False

    def __repr__(self) -> str:
        return f"<the student's {type(self).__name__} {self._name}>".replace(" >", ">")

    def __getattr__(self, name: str):
        """What the student's object has under this name, a method say; nothing of Python's own."""
        if name.startswith("_"):
            raise AttributeError(name)
        return _only(_ask(self._student, "attribute", self, name), self._student)

    def _refuse(self, *_args):
        raise TypeError(f"the student's {type(self).__name__} is no plain data")

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __bool__ = __contains__ = _refuse
    __float__ = __int__ = __complex__ = __index__ = __reduce_ex__ = _refuse


class RemoteFunction(RemoteObject):
    """Something in the student's process that can be called."""

    __slots__ = ()

    @property
    def __name__(self) -> str:
        return self._name

    @property
    def __signature__(self) -> inspect.Signature:
        if self._parameters is None:
            raise TypeError(f"{self._name} does not tell its parameters")
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        return inspect.Signature([inspect.Parameter(name, kind) for name in self._parameters])

    @property
    def overwrote(self) -> bool:
        """Did the last call change what an earlier one returned? The student's process tells."""
        return self._overwrote

    def time_limit(self, seconds: float):
        """Within this context a call is stopped in the student's process, by its CPU time."""
        return self._student.within(seconds)

    def __call__(self, *args, **kwargs):
        reply = _ask(self._student, "call", self, list(args), kwargs)
        match reply:
            case [value, None | [list(), dict()] as changed, str(printed), bool(overwrote)]:
                pass
            case _:
                raise _nonsense(self._student)
        if changed:  # the caller sees it, as if the call had run in this process
            _updated([list(args), kwargs], changed)
        sys.stdout.write(printed)
        object.__setattr__(self, "_overwrote", overwrote)
        return value


class Namespace(dict):
    """The names of the test cells: their own, and those that the student was to define.

    `names` are the latter. They are looked up in the student's process when a cell asks for them,
    anew in every cell, because a student may define a function again.
    """

    def __init__(self, names: set[str]):
        super().__init__(__name__="__main__", __builtins__=builtins)
        self.student = None
        self._names = frozenset(names)
        self._fetched: dict = {}

    def new_cell(self, student) -> None:
        """Forget what the last cell fetched; from now on `student` is asked."""
        for name, value in self._fetched.items():
            if self.get(name) is value:
                del self[name]
        self._fetched.clear()
        self.student = student

    def __missing__(self, name: str):
        if name not in self._names or hasattr(builtins, name):
            raise KeyError(name)
        try:
            reply = _ask(self.student, "get", name)
        except KeyError:
            raise NameError(f"name '{name}' is not defined") from None
        value = _only(reply, self.student)
        if isinstance(value, RemoteObject):
            # Not what the student's object says of itself: `check` finds the exercise by it.
            object.__setattr__(value, "_name", name)
        self._fetched[name] = self[name] = value
        return value


def run_cell(student, source: str, pictures: bool = True) -> list:
    """Run a cell in the student's process; return its outputs, as they come: not to be believed."""
    return _only(_ask(student, "run", source, pictures), student)


def _ask(student, request: str, *args) -> list:
    """Ask the student's process; raise what it raised."""
    reply = student.ask(
        request,
        *args,
        refer=lambda thing: _refer(student, thing),
        resolve=lambda *parts: _stand_in(student, *parts),
    )
    match reply:
        case ["ok", *values]:
            return values
        case ["error", [*names], str(text), str(line)] if all(type(n) is str for n in names):
            raise _exception(names, text, line, student.discreet)
    raise _nonsense(student)


def _only(reply: list, student):
    if len(reply) != 1:
        raise _nonsense(student)
    return reply[0]


def _nonsense(student) -> StudentDied:
    student.end()
    return StudentDied("the student's process answered nonsense")


def _refer(student, thing) -> list:
    """Refer to something that is not plain data: the student's own, or a shared function."""
    if isinstance(thing, RemoteObject):
        if thing._student is not student:
            raise StudentDied("the student's process that had this object has ended")
        return ["object", thing._number]
    function = hook.named(thing) if inspect.isfunction(thing) else thing
    module, name = getattr(function, "__module__", None), getattr(function, "__qualname__", "")
    if hook.is_shared(module) and getattr(importlib.import_module(module), name, None) is function:
        return ["function", module, name]
    raise TypeError(
        f"a {type(thing).__name__} cannot be passed to the student's code: only plain data, "
        f"arrays and functions that {hook.COURSE} defines"
    )


def _stand_in(student, *parts) -> RemoteObject:
    """Make the stand-in for a reference; its type has the name of the type it stands for.

    Of a discreet student's object the names that its process chose are left out.
    """
    match parts:
        case [int(number), str(kind), str(name), None]:
            base, parameters = RemoteObject, None
        case [int(number), str(kind), str(name), [*parameters]]:
            base = RemoteFunction
            if not all(type(p) is str for p in parameters):
                raise WireError("malformed reference")
            parameters = list(dict.fromkeys(filter(str.isidentifier, parameters)))
        case _:
            raise WireError("malformed reference")
    if student.discreet:
        kind, name = ("object" if base is RemoteObject else "function"), ""
        parameters = None if parameters is None else []
    kind = kind[:80] if kind.isidentifier() else base.__name__
    return type(kind, (base,), {"__slots__": ()})(student, number, name[:80], parameters)


def _updated(old, new):
    """Return `old`, changed in place to look like `new`, or `new` where that cannot be."""
    match old, new:
        case np.ndarray(), np.ndarray():
            if old.size == new.size and old.dtype == new.dtype and old.flags.writeable:
                if old.shape != new.shape and old.flags.forc:
                    old.resize(new.shape, refcheck=False)  # as `x.shape = ...` did there
                if old.shape == new.shape:
                    old[...] = new
                    return old
        case list(), list():
            old[:] = [*map(_updated, old, new), *new[len(old) :]]
            return old
        case dict(), dict():
            values = {key: _updated(old.get(key), value) for key, value in new.items()}
            old.clear()
            old.update(values)
            return old
        case tuple(), tuple():
            items = tuple(map(_updated, old, new))
            if len(old) == len(new) and all(a is b for a, b in zip(old, items, strict=True)):
                return old
    return new


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


class _FromStudent:
    """What such an exception says is what it said in the student's process."""

    args: tuple  # it stands before an exception's type

    def __str__(self) -> str:
        return self.args[0] if self.args else ""


def _exception(names: list[str], text: str, line: str, discreet: bool) -> BaseException:
    """Make the exception that a student's call raised, with its `student_line` of code.

    It has the name of the original type and the nearest harmless type as its base. An exit is an
    exit, which every caller must expect; Ctrl-C and the like are ordinary errors here. With
    `discreet` a type that is not Python's or NumPy's has no name.
    """
    name = names[0][:80] if names and names[0].isidentifier() else "Exception"
    if discreet and name not in _KNOWN:
        name = _("an error of its own type")  # stands in a sentence, as other types' names do
    error: Any
    if name == "SystemExit":
        error = SystemExit(text)
    else:
        base = next((_HARMLESS[n] for n in names if n in _HARMLESS), Exception)
        plain = base.__name__ == name and base is not KeyError
        error = (base if plain else type(name, (_FromStudent, base), {}))(text)
    error.student_line = line
    return error
