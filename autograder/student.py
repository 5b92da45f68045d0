"""Inside the confined process: run the student's cells, then answer calls of their functions.

Nothing here is a safeguard. The student's code can change all of it; what matters is that this
process is locked up and that the other side believes nothing but plain data.
"""

import base64
import fnmatch
import importlib
import inspect
import io
import linecache
import socket
import sys
import traceback
import warnings

import numpy as np
from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, line_magic, magics_class
from IPython.utils.text import SList
from traitlets import Type
from traitlets.config import Config

from autograder import wire
from illustrated_attention.outcomes import nameless

MAX_TEXT = 20_000  # characters of one output
MAX_OUTPUT = 2 << 20  # bytes of all outputs of a cell
KEPT = ("text/plain", "text/html", "image/png", "image/jpeg")
SHARED_PACKAGE = "illustrated_attention"  # functions of it may be passed to a student by name


class Outputs:
    """The outputs of one cell, in order, in the form that a notebook keeps them."""

    def __init__(self):
        self.items: list[dict] = []
        self.room = MAX_OUTPUT

    def stream(self, name: str, text: str) -> None:
        if not text:
            return
        last = self.items[-1] if self.items else {}
        if last.get("name") == name:
            last["text"] = (last["text"] + text[:MAX_TEXT])[:MAX_TEXT]
        else:
            self._add({"output_type": "stream", "name": name, "text": text[:MAX_TEXT]})

    def rich(self, output_type: str, data: dict) -> None:
        kept = {}
        for mime in KEPT:
            value = data.get(mime)
            if isinstance(value, bytes):
                value = base64.b64encode(value).decode()
            if isinstance(value, str):
                kept[mime] = value[:MAX_TEXT] if mime == "text/plain" else value
        if kept:
            self._add({"output_type": output_type, "data": kept})

    def error(self, name: str, message: str, text: str) -> None:
        item = {"output_type": "error", "ename": name, "evalue": message[:2000]}
        self.items.append({**item, "traceback": [text[-MAX_TEXT:]]})

    def _add(self, item: dict) -> None:
        self.room -= len(str(item))
        if self.room >= 0:
            self.items.append(item)


class Stream(io.TextIOBase):
    """sys.stdout or sys.stderr: writes into the outputs of the cell or call that runs now."""

    encoding = "utf-8"

    def __init__(self, name: str):
        self.name = name
        self.outputs: Outputs | None = None

    def writable(self) -> bool:
        return True

    def write(self, text) -> int:
        if self.outputs is not None:
            self.outputs.stream(self.name, str(text))
        return len(text)


class Hook(DisplayHook):
    """The value of a cell's last line."""

    def __call__(self, value=None):
        if value is not None and self.shell.outputs is not None:
            self.shell.user_ns["_"] = value
            data, _ = self.shell.display_formatter.format(value)
            self.shell.outputs.rich("execute_result", data)


class Publisher(DisplayPublisher):
    """What display() is given: figures, tables, cards."""

    def publish(self, data, metadata=None, **kwargs):
        if self.shell.outputs is not None:
            self.shell.outputs.rich("display_data", data)

    def clear_output(self, wait=False):
        if self.shell.outputs is not None:
            self.shell.outputs.items.clear()


class Database(dict):
    """IPython's store for `%cd`, `%bookmark` and `%store`; it ends with the process."""

    def hget(self, table, key, default=None):
        return self.get(f"{table}/{key}", default)

    def hset(self, table, key, value):
        self[f"{table}/{key}"] = value

    def hdict(self, table):
        begin = f"{table}/"
        return {key[len(begin) :]: value for key, value in self.items() if key.startswith(begin)}

    def keys(self, pattern="*"):
        return [key for key in self if fnmatch.fnmatch(key, pattern)]

    def __delitem__(self, key):
        self.pop(key, None)


class Kernel:
    """Stands for a notebook's kernel where code asks for it: whatever is called does nothing."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *args, **kwargs: None


@magics_class
class KernelMagics(Magics):
    """The magics that a notebook's kernel has beyond IPython's own: they need a page."""

    def _nothing(self, line):
        print("This is not done while grading.")

    autosave = line_magic("autosave")(_nothing)
    connect_info = line_magic("connect_info")(_nothing)
    edit = line_magic("edit")(_nothing)
    less = line_magic("less")(_nothing)
    man = line_magic("man")(_nothing)
    more = line_magic("more")(_nothing)
    notebook = line_magic("notebook")(_nothing)
    qtconsole = line_magic("qtconsole")(_nothing)
    subshell = line_magic("subshell")(_nothing)


class Shell(InteractiveShell):
    """IPython without terminal, history or a window system; commands of the system do nothing."""

    displayhook_class = Type(Hook)
    display_pub_class = Type(Publisher)
    outputs: Outputs | None = None
    kernel = Kernel()

    def enable_gui(self, gui=None):
        """There is no event loop to enable."""

    def ask_exit(self):
        """What exit() and quit() do in IPython."""
        raise SystemExit

    def system(self, command):
        print("Commands of the system are not run while grading.")

    system_raw = system_piped = system

    def getoutput(self, command, split=True, depth=0):
        """What ``files = !ls`` calls."""
        self.system(command)
        return SList() if split else ""

    def showtraceback(self, *args, **kwargs):
        kind, error, trace = sys.exc_info()
        if kind is None:  # `%tb` shows the last one once more
            print("No traceback available to show.")
            return
        try:
            text = self.InteractiveTB.text(kind, error, trace)
        except Exception:
            text = "".join(traceback.format_exception_only(kind, error))
        self.outputs.error(kind.__name__, _text(error), text)

    showsyntaxerror = showindentationerror = showtraceback


def make_shell(pictures: bool = True) -> Shell:
    """Make the shell that every student starts with. Called once, before the first fork."""
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    config.InteractiveShell.cache_size = 0
    shell = Shell.instance(config=config)
    shell.db = Database()
    shell.register_magics(KernelMagics)
    for name in ("script", "bash", "sh", "perl", "ruby", "python", "python2", "python3", "pypy"):
        shell.register_magic_function(lambda line, cell: shell.system(cell), "cell", name)
    shell.extension_manager.load_extension("storemagic")  # as in every kernel
    if pictures:
        shell.enable_matplotlib("inline")
    return shell


class Student:
    """The shell and the objects that the grader knows by number."""

    def __init__(self, shell: Shell):
        self.shell = shell
        self.objects: list = []
        self.stdout, self.stderr = Stream("stdout"), Stream("stderr")
        self.returned: list[np.ndarray] = []  # arrays of earlier calls, to see memory shared

    def serve(self, sock: socket.socket) -> None:
        """Answer requests until the grader hangs up."""
        sys.stdout, sys.stderr = self.stdout, self.stderr
        answers = {"run": self.run, "get": self.get, "call": self.call}
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
        formatter = self.shell.display_formatter
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

    def call(self, function, args: list, kwargs: dict) -> list:
        """Call a function; return the value and what else is to be known about the call.

        That is: the arguments if the call changed them, what was printed, the positions of the
        arguments whose memory the value shares, and whether it shares memory with arrays that
        earlier calls returned.
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
        arrays = _arrays(value)
        shared = [i for i, arg in enumerate(args) if _share(arrays, _arrays(arg))]
        again = _share(arrays, self.returned)
        self.returned = [*self.returned, *arrays][-16:]
        return [value, [args, kwargs] if changed else None, printed[:MAX_TEXT], shared, again]

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
        if module.split(".")[0] != SHARED_PACKAGE:
            raise wire.WireError("only functions of the student's package have names")
        return nameless(getattr(importlib.import_module(module), name))


def _parameters(function) -> list[str]:
    """The names of a function's parameters, for messages."""
    try:
        return [name[:80] for name in inspect.signature(function).parameters][:20]
    except (TypeError, ValueError):
        return []


def _describe(error: BaseException) -> list:
    """Type, types it derives from, message, and the student's own line."""
    names = [kind.__name__[:80] for kind in type(error).__mro__[:20]]
    return [names, _text(error), _line(error)]


def _text(error: BaseException) -> str:
    try:
        return str(error)[:2000]
    except BaseException:  # __str__ is the student's too
        return ""


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


def _share(some: list[np.ndarray], others: list[np.ndarray]) -> bool:
    def overlap(a, b):
        try:
            return np.shares_memory(a, b, max_work=10_000)
        except np.exceptions.TooHardError:
            return True

    return any(overlap(a, b) for a in some for b in others)
