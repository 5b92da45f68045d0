"""Inside the confined process: run the student's cells, then answer calls of their functions.

Nothing here is a safeguard. The student's code can change all of it; what matters is that this
process is locked up and that the other side believes nothing but plain data.
"""

import importlib
import inspect
import linecache
import os
import socket
import sys
import traceback
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from autograder.sandbox.inside import hook, wire
from autograder.sandbox.inside.shell import KEPT, MAX_TEXT, Outputs, Shell, Stream, text_of

MAX_ARRAY = 1 << 16  # bytes of a returned array that is looked at again


class Student:
    """The shell and the objects that the grader knows by number."""

    def __init__(self, shell: Shell):
        self.shell = shell
        self.objects: list = []
        self.stdout, self.stderr = Stream("stdout"), Stream("stderr")
        self.called = None  # the function that was called last, and
        self.returned: list[tuple[np.ndarray, bytes]] = []  # the arrays that it gave, as they were

    def serve(self, sock: socket.socket) -> None:
        """Answer requests until the grader hangs up."""
        sys.stdout, sys.stderr = self.stdout, self.stderr
        self.shell.begin(os.getcwd())
        answers: dict[str, Callable[..., list]] = {
            "run": self.run,
            "get": self.get,
            "attribute": self.attribute,
            "call": self.call,
        }
        while True:
            try:
                request, *args = wire.receive(sock, resolve=self.resolve)
            except EOFError:
                return
            try:
                reply = wire.encode(["ok", *answers[request](*args)], self.refer)
            except BaseException as error:  # exit() and Ctrl-C of the student's are answers too
                reply = wire.encode(["error", *_describe(error)])
            sock.sendall(reply)

    def run(self, source: str, pictures: bool) -> list:
        """Run a cell; return its outputs. `pictures`: whether figures are drawn."""
        outputs = Outputs()
        formatter: Any = self.shell.display_formatter
        formatter.active_types = list(KEPT if pictures else KEPT[:1])
        formatter.ipython_display_formatter.enabled = pictures  # with it objects draw themselves
        self.shell.outputs = self.stdout.outputs = self.stderr.outputs = outputs
        try:
            self.shell.run_cell(source, store_history=False)
        finally:
            self.shell.outputs = self.stdout.outputs = self.stderr.outputs = None
        return [outputs.items]

    def get(self, name: str) -> list:
        """Return a value of the notebook by its name."""
        return [self.shell.user_ns[name]]

    def attribute(self, thing, name: str) -> list:
        """Return an attribute of an object: a value, or a method."""
        return [getattr(thing, name)]

    def call(self, function, args: list, kwargs: dict) -> list:
        """Call a function; return the value and what else is to be known about the call.

        That is: the arguments if the call changed them, what was printed, and whether an array
        that an earlier call returned is another one now.
        """
        outputs = Outputs()
        before = wire.encode([args, kwargs], self.refer)
        self.stdout.outputs = self.stderr.outputs = outputs
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                value = function(*args, **kwargs)
        finally:
            self.stdout.outputs = self.stderr.outputs = None
        changed = wire.encode([args, kwargs], self.refer) != before
        printed = "".join(item["text"] for item in outputs.items if "text" in item)
        if function is not self.called:
            self.called, self.returned = function, []
        overwrote = any(array.tobytes() != before for array, before in self.returned)
        small = [array for array in _arrays(value) if array.nbytes <= MAX_ARRAY]
        self.returned = [*self.returned, *((array, array.tobytes()) for array in small)][-16:]
        return [value, [args, kwargs] if changed else None, printed[:MAX_TEXT], overwrote]

    def refer(self, thing) -> list:
        """Make the grader's reference to an object: its number, and what may be told about it."""
        number = next((i for i, known in enumerate(self.objects) if known is thing), None)
        if number is None:
            number = len(self.objects)
            self.objects.append(thing)
        name = getattr(thing, "__name__", "")
        name = name if type(name) is str else ""
        parameters = _parameters(thing) if callable(thing) else None
        return [number, type(thing).__name__[:80], name[:80], parameters]

    def resolve(self, kind: str, *parts):
        """Return what the grader refers to: an object of the student's, or a shared function.

        Of a shared function the student's code gets what it does, but not its name.
        """
        if kind == "object":
            return self.objects[parts[0]]
        module, name = parts
        if not hook.is_shared(module):
            raise wire.WireError("only functions of the student's package have names")
        return hook.nameless(getattr(importlib.import_module(module), name))


def _parameters(function) -> list[str]:
    """The names of a function's parameters, for messages."""
    try:
        return [name[:80] for name in inspect.signature(function).parameters][:20]
    except (TypeError, ValueError):
        return []


def _describe(error: BaseException) -> list:
    """Type, types it derives from, message, and the student's own line."""
    names = [kind.__name__[:80] for kind in type(error).__mro__[:20]]
    return [names, text_of(error), _line(error)]


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
