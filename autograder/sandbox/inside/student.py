"""Inside the confined process: run the student's cells, then answer calls of their functions.

Nothing here is a safeguard. The student's code can change all of it; what matters is that this
process is locked up and that the other side believes nothing but plain data.
"""

import builtins
import contextlib
import importlib
import inspect
import linecache
import os
import random
import socket
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograder.sandbox.inside import hook, lent, wire, written
from autograder.sandbox.inside.changing import changed_to
from autograder.sandbox.inside.hook import translate as _
from autograder.sandbox.inside.operations import OPERATIONS, is_drawing, operations_of
from autograder.sandbox.inside.shell import KEPT, MAX_TEXT, Outputs, Shell, Stream, text_of
from autograder.sandbox.inside.state import State, Unknown
from autograder.sandbox.inside.values import is_key

MAX_ARRAY = 1 << 16  # bytes of a returned array that is looked at again


class Student:
    """The shell and the objects that the grader knows by number."""

    sock: socket.socket
    calls = 0  # of a test's, in work: one within the other

    def __init__(self, shell: Shell):
        self.shell = shell
        self.objects: list = []
        self.numbers: dict[int, int] = {}  # of each object, by its id: it stays alive in the list
        self.stdout, self.stderr = Stream("stdout"), Stream("stderr")
        self.called = None  # the function that was called last, and
        self.returned: list[tuple[np.ndarray, bytes]] = []  # the arrays that it gave, as they were
        self.states: dict[int, State] = {}  # what the grader wants to compare later
        self.answers: dict[str, Callable[..., list]] = {
            "run": self.run,
            "remember": self.remember,
            "is_unchanged": self.is_unchanged,
            "get": self.get,
            "get_all": self.get_all,
            "seed": self.seed,
            "bind": self.bind,
            "attribute": self.attribute,
            "set_attribute": self.set_attribute,
            "operate": self.operate,
            "is_a": self.is_a,
            "call": self.call,
        }

    def serve(self, sock: socket.socket) -> None:
        """Answer requests until the grader hangs up."""
        self.sock = sock
        sys.stdout, sys.stderr = self.stdout, self.stderr
        builtins.input = self.input
        written.keep_files(os.getcwd())
        self.shell.begin(os.getcwd())
        self.shell.user_ns["open"] = builtins.open  # IPython has put one of its own there
        while True:
            try:
                self.answer(*self.receive())
            except EOFError:
                return

    def receive(self) -> list:
        try:
            return wire.receive(self.sock, resolve=self.resolve)
        except wire.WireError as error:  # a function of a module that is not here
            return ["refuse", str(error)]

    def answer(self, request: str, *args) -> None:
        """Answer one request."""
        try:
            if request == "refuse":
                raise TypeError(*args)
            reply = wire.encode(["ok", *self.answers[request](*args)], self.refer)
        except BaseException as error:  # exit() and Ctrl-C of the student's are answers too
            reply = wire.encode(["error", *self.describe(error)])
        self.sock.sendall(reply)

    def back(self, request: str, *args):
        """Ask the grader for what a test has lent; answer what it asks meanwhile."""
        self.sock.sendall(wire.encode(["back", request, *args], self.refer))
        while True:
            kind, *told = self.receive()
            if kind == "value":
                return told[0]
            if kind == "raised":
                raise lent.raised(*told)
            self.answer(kind, *told)

    def input(self, prompt: object = "") -> str:
        """Python's `input`, which a test may have replaced."""
        if self.stdout.outputs is None or not self.calls:
            raise EOFError(_("input() has nobody to ask while grading"))
        return self.back("input", str(prompt))

    def run(self, source: str, pictures: bool) -> list:
        """Run a cell; return its outputs. `pictures`: are they read, so that figures are drawn?"""
        outputs = Outputs(read=pictures)
        formatter: Any = self.shell.display_formatter
        kinds = list(KEPT if pictures else KEPT[:1])
        if formatter.active_types != kinds:  # to set them takes longer than a small cell
            formatter.active_types = kinds
            # With it, objects draw themselves.
            formatter.ipython_display_formatter.enabled = pictures
        self.shell.outputs = self.stdout.outputs = self.stderr.outputs = outputs
        try:
            self.shell.run_cell(source, store_history=False)
        finally:
            self.shell.outputs = self.stdout.outputs = self.stderr.outputs = None
        return [outputs.items]

    def get(self, name: str) -> list:
        """Return a value of the notebook by its name."""
        return [self.shell.user_ns[name]]

    def get_all(self, names: list[str]) -> list:
        """Return values by their names, of those that there are."""
        return [{name: self.shell.user_ns[name] for name in names if name in self.shell.user_ns}]

    def remember(self, number: int, names: list[str]) -> list:
        """Keep in mind what names stand for now; return whether that can be compared later."""
        try:
            self.states[number] = State(names, self.shell.user_ns)
        except Unknown:
            return [False]
        return [True]

    def is_unchanged(self, number: int) -> list:
        """Do the names that were remembered stand for the same as then?"""
        return [self.states[number].is_unchanged()]

    def seed(self, of_python: tuple, of_numpy: tuple) -> list:
        """Take over the state of the random numbers that a test has set."""
        random.setstate(of_python)
        np.random.set_state(of_numpy)  # noqa: NPY002
        return []

    def bind(self, values: dict, deleted: list[str], imported: list[list[str]]) -> list:
        """Take over what a test has done to names: new values, none, or something imported."""
        names = self.shell.user_ns
        for name, value in values.items():
            names[name] = changed_to(names.get(name), value)
        for name in deleted:
            names.pop(name, None)
        for name, module, attribute in imported:
            with contextlib.suppress(ImportError, AttributeError):  # the test's own affair
                names[name] = _imported(module, attribute)
        return []

    def attribute(self, thing, name: str) -> list:
        """Return an attribute of an object: a value, or a method."""
        return [getattr(thing, name)]

    def set_attribute(self, thing, name: str, value) -> list:
        setattr(thing, name, value)
        return []

    def operate(self, name: str, args: list) -> list:
        """Return what one of Python's operators makes of objects."""
        with _quiet():
            return [OPERATIONS[name](*args)]

    def is_a(self, thing, kind: type, subclass: bool) -> list:
        """Is a thing an instance, or a class a subclass, of a class of the student's?"""
        return [issubclass(thing, kind) if subclass else isinstance(thing, kind)]

    def call(self, function, args: list, kwargs: dict) -> list:
        """Call a function; return the value and what else is to be known about the call.

        That is: the arguments if the call changed them, what was printed, whether an array that
        an earlier call returned is another one now, and which argument the value is, if it is one.
        """
        outputs = Outputs()
        given = [*args, *kwargs.values()]
        before = [self.as_it_is(value) for value in given]
        around = self.stdout.outputs  # of the call in which a test's function makes this one
        self.stdout.outputs = self.stderr.outputs = outputs
        self.calls += 1
        try:
            with _quiet():
                value = function(*args, **kwargs)
        finally:
            self.calls -= 1
            self.stdout.outputs = self.stderr.outputs = around
        changed = [self.as_it_is(value) for value in given] != before
        printed = "".join(item["text"] for item in outputs.items if "text" in item)
        if function is not self.called:
            self.called, self.returned = function, []
        overwrote = any(array.tobytes() != before for array, before in self.returned)
        small = [array for array in _arrays(value) if array.nbytes <= MAX_ARRAY]
        self.returned = [*self.returned, *((array, array.tobytes()) for array in small)][-16:]
        told = _Itself(value) if _is_own_container(function, value) else value
        same = next((place for place, arg in enumerate(args) if arg is value), None)
        after = [args, kwargs] if changed else None
        return [told, after, printed[:MAX_TEXT], overwrote, same]

    def as_it_is(self, value) -> object:
        """What a value is now, as far as a call can change it: to be compared later."""
        if type(value) is np.ndarray and value.dtype.kind in "biufc":  # most arguments
            return value.dtype, value.shape, value.flags.fnc, value.tobytes()
        return None if is_key(value) else wire.encode(value, self.refer)

    def refer(self, thing) -> list:
        """Make the grader's reference to an object: its number, and what may be told about it."""
        if isinstance(thing, _Itself):
            thing = thing.thing
        if (number := lent.number_of(thing)) is not None:
            return ["lent", number]
        number = self.number(thing)
        name = getattr(thing, "__name__", "")
        name = name if type(name) is str else ""
        parameters = _parameters(thing) if callable(thing) else None
        bases = self.bases(thing) if isinstance(thing, type) else []
        does = operations_of(type(thing))
        return ["object", number, _kind(type(thing))[:80], name[:80], parameters, bases, does]

    def number(self, thing) -> int:
        """The number by which the grader knows an object from now on."""
        if id(thing) not in self.numbers:
            self.numbers[id(thing)] = len(self.objects)
            self.objects.append(thing)
        return self.numbers[id(thing)]

    def bases(self, kind: type) -> list[list]:
        """A type and those that it derives from: their names, and numbers where they are errors
        of the notebook's own.
        """
        return [
            [base.__name__[:80], self.number(base) if _is_own_error(base) else None]
            for base in _mro(kind)[:20]
        ]

    def resolve(self, kind: str, *parts):
        """Return what the grader refers to: an object of the student's, something to import, or
        what stands for a thing that is lent.

        Of a shared function the student's code gets what it does, but not its name.
        """
        if kind == "object":
            return self.objects[parts[0]]
        if kind == "lent":
            return lent.make_lent(self.back, *parts)
        try:
            thing = _imported(*parts)
        except (ImportError, AttributeError) as error:
            text = _("{name} is not here: {reason}")
            raise wire.WireError(text.format(name=".".join(parts), reason=error)) from None
        return hook.nameless(thing) if kind == "shared" else thing

    def describe(self, error: BaseException) -> list:
        """Its type with those that it derives from, its message, and the student's own line.

        And the number of an error of the notebook's own kind, which may have attributes.
        """
        number = self.number(error) if _is_own_error(type(error)) else None
        return [self.bases(type(error)), text_of(error), _line(error), number]


def _mro(kind: type) -> tuple[type, ...]:
    return type.__getattribute__(kind, "__mro__")  # whatever a metaclass says


class _Itself:
    """Marks what is not to be sent as the plain data that it holds."""

    def __init__(self, thing):
        self.thing = thing


def _is_own_container(function, value) -> bool:
    """Has a class of the notebook, `class Stack(list)`, made an object of its own?"""
    return (
        isinstance(function, type)
        and type(value) is function
        and isinstance(value, (list, dict, set))
        and function.__module__ == "__main__"
    )


def _is_own_error(kind: type) -> bool:
    return issubclass(kind, Exception) and kind.__module__ == "__main__"


def _kind(kind: type) -> str:
    """The name of a type; of what Matplotlib draws, with its module."""
    module = kind.__module__
    drawing = isinstance(module, str) and is_drawing(module)
    return f"{module}.{kind.__name__}" if drawing else kind.__name__


def _imported(module: str, attribute: str):
    """Return a module, or what stands in it under a name with dots."""
    thing = importlib.import_module(module)
    for name in filter(None, attribute.split(".")):
        thing = getattr(thing, name)
    return thing


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """No warning ends a call, and none is told."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


def _parameters(function) -> list[str]:
    """The names of a function's parameters, for messages."""
    try:
        return [name[:80] for name in inspect.signature(function).parameters][:20]
    except (TypeError, ValueError):
        return []


def _line(error: BaseException) -> str:
    """The last line of the student's own code that the error passed."""
    line = ""
    for frame, number in traceback.walk_tb(error.__traceback__):
        if frame.f_globals.get("__name__") == "__main__":
            line = linecache.getline(frame.f_code.co_filename, number).strip() or line
    return line[:500]


def _arrays(value) -> list[np.ndarray]:
    if isinstance(value, np.ndarray):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return [array for item in value for array in _arrays(item)]
    return []
