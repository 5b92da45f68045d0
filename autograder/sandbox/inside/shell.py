"""The IPython shell in which a notebook's cells run, and what becomes of their outputs."""

import ast
import asyncio
import base64
import errno
import fnmatch
import inspect
import io
import linecache
import logging
import os
import re
import sys
import traceback
import warnings
from types import TracebackType
from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.inputtransformer2 import TransformerManager
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, cell_magic, magics_class
from IPython.utils.text import SList
from traitlets import Type
from traitlets.config import Config

from autograder.sandbox.inside import hook, written
from autograder.sandbox.inside.hook import translate as _

MAX_TEXT = 20_000  # characters of one output
MAX_OUTPUT = 2 << 20  # bytes of all outputs of a cell
REFUSED = hook.later(
    "Refused while grading, where this may well work in your own notebook: there, nothing is "
    "written but files beside the notebook, no programs are started, there is no network, and "
    "nothing can be seen of the machine but the files that were handed in."
)
KEPT = ("text/plain", "text/html", "image/png", "image/jpeg")


class Outputs:
    """The outputs of one cell, in order, in the form that a notebook keeps them.

    Where nobody reads them, `read` is false: then only errors, without tracebacks, which take long,
    and the value of the last line are kept.
    """

    def __init__(self, read: bool = True):
        self.read = read
        self.items: list[dict] = []
        self.room = MAX_OUTPUT

    def stream(self, name: str, text: str) -> None:
        if not text or not self.read:
            return
        last = self.items[-1] if self.items else {}
        if last.get("name") == name:
            last["text"] = (last["text"] + text[:MAX_TEXT])[:MAX_TEXT]
        else:
            self._add({"output_type": "stream", "name": name, "text": text[:MAX_TEXT]})

    def rich(self, output_type: str, data: dict) -> None:
        if output_type == "display_data" and not self.read:
            return
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

    def fileno(self) -> int:
        return {"stdout": 1, "stderr": 2}[self.name]  # which lead to nothing

    def writable(self) -> bool:
        return True

    def write(self, text) -> int:
        if self.outputs is not None:
            self.outputs.stream(self.name, str(text))
        return len(text)


class Hook(DisplayHook):
    """The value of a cell's last line."""

    shell: Any  # the `Shell` that made it

    def __call__(self, value=None):
        if value is not None and self.shell.outputs is not None:
            names = self.shell.user_ns
            names["___"], names["__"], names["_"] = names.get("__"), names.get("_"), value
            data, _ = self.shell.display_formatter.format(value)
            self.shell.outputs.rich("execute_result", data)


class Publisher(DisplayPublisher):
    """What display() is given: figures, tables, cards."""

    shell: Any  # the `Shell` that made it

    def publish(self, data, metadata=None, *args, **kwargs):
        if self.shell.outputs is not None:
            self.shell.outputs.rich("display_data", data)

    def clear_output(self, wait=False):
        if self.shell.outputs is not None:
            self.shell.outputs.items.clear()


class Database(dict):
    """IPython's store for `%cd`, `%bookmark` and `%store`; it ends with the process."""

    def keys(self, pattern="*"):
        return [key for key in self if fnmatch.fnmatch(key, pattern)]

    def __delitem__(self, key):
        self.pop(key, None)


class Nothing:
    """Something of which whatever is asked for is there, and whatever is called does nothing."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Nothing()

    def __call__(self, *args, **kwargs):
        return None


class Kernel(Nothing):
    """Stands for a notebook's kernel where code asks for it."""

    log = logging.getLogger("kernel")

    def __init__(self, shell: InteractiveShell):
        self.shell = shell


# The magics that a notebook's kernel has beyond IPython's own: they need a page.
_OF_A_PAGE = (
    *("autosave", "connect_info", "edit", "less", "man", "more", "notebook", "qtconsole"),
    "subshell",
)


@magics_class
class FileMagics(Magics):
    """The magic that writes a cell to a file: here to memory, for `import`."""

    @cell_magic
    def writefile(self, line, cell):
        options, name = self.parse_options(line, "a", mode="string")
        name = name.strip("'\"")
        written.write(name, cell, append="a" in options)
        text = _("{name} is not written to a file while grading. `import` finds it.")
        print(text.format(name=name))


class Shell(InteractiveShell):
    """IPython without terminal, history or a window system; commands of the system do nothing."""

    displayhook_class = Type(Hook)
    display_pub_class = Type(Publisher)
    outputs: Outputs | None = None

    @property
    def kernel(self) -> Kernel:
        return Kernel(self)

    def begin(self, home: str) -> None:
        """Begin a notebook whose files lie in this folder, to which `%cd` goes home."""
        self.home_dir = home
        self.user_ns.update(dict.fromkeys(("_", "__", "___", "_i", "_ii", "_iii"), ""))

    def should_run_async(self, raw_cell, **kwargs):
        """A cell that speaks of asyncio runs in an event loop. In a kernel, every cell does."""
        if "async" not in raw_cell and "await" not in raw_cell:
            return False  # IPython would compile it to know
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return "asyncio" in raw_cell or super().should_run_async(raw_cell, **kwargs)
        return super().should_run_async(raw_cell, **kwargs)  # a cell runs this one

    def init_virtualenv(self):
        """The packages are those of this Python, also where another environment is active."""

    def enable_gui(self, gui=None):
        """There is no event loop to enable."""

    def ask_exit(self):
        """What exit() and quit() do in IPython."""
        raise SystemExit

    def system(self, command):
        print(_("Commands of the system are not run while grading."))

    system_raw = system_piped = system

    def getoutput(self, command, split=True, depth=0):
        """What ``files = !ls`` calls."""
        self.system(command)
        return SList() if split else ""

    def showtraceback(self, *args, **kwargs):
        kind, error, trace = sys.exc_info()
        if kind is None or error is None:  # `%tb` shows the last one once more
            print(_("No traceback available to show."))
            return
        if self.outputs is not None and not self.outputs.read:
            self.outputs.error(kind.__name__, text_of(error), "")
            return
        _tell_where_cells_are(trace)
        try:
            text = self.InteractiveTB.text(kind, error, trace)
        except Exception:
            text = "".join(traceback.format_exception_only(kind, error))
        if getattr(error, "errno", None) in (errno.EACCES, errno.EPERM, errno.EROFS):
            text += "\n" + _(REFUSED)
        if self.outputs is not None:
            self.outputs.error(kind.__name__, text_of(error), text)

    showsyntaxerror = showindentationerror = showtraceback


def _tell_where_cells_are(trace: TracebackType | None) -> None:
    """Tell `inspect` that cells belong to the notebook.

    It would look for each of them through all modules that are loaded, and again and again, because
    it finds them in none: that takes longer than all the rest of a traceback.
    """
    for frame, _line in traceback.walk_tb(trace):
        name = frame.f_code.co_filename
        if name in linecache.cache and frame.f_globals.get("__name__") == "__main__":
            for path in (name, os.path.normcase(os.path.abspath(name))):
                inspect.modulesbyfile.setdefault(path, "__main__")


# What IPython understands beyond Python begins with one of these, or a line does.
_BEYOND_PYTHON = re.compile(r"[%!?]|^\s*[,;/]", re.MULTILINE)


class Transformers(TransformerManager):
    """IPython's, which takes every cell apart to look for what is not Python: here few are."""

    def do_token_transforms(self, lines):
        cell = "".join(lines)
        if not _BEYOND_PYTHON.search(cell) or _is_python(cell):
            return lines
        return super().do_token_transforms(lines)


def _is_python(cell: str) -> bool:
    """True for Python, in which there is nothing to transform."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they are told when the cell runs
        try:
            ast.parse(cell)
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            return False
    return True


def make_shell(pictures: bool = True) -> Shell:
    """Make the shell that every student starts with. Called once, before the first fork."""
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    config.InteractiveShell.cache_size = 0
    shell = Shell.instance(config=config)
    shell.input_transformer_manager = Transformers()
    shell.db = Database()
    written.find_written()
    shell.register_magics(FileMagics)
    magics: Any = shell.magics_manager
    magics.register_alias("file", "writefile", "cell")
    for name in ("script", "bash", "sh", "perl", "ruby", "python", "python2", "python3", "pypy"):
        magics.register_function(lambda line, cell: shell.system(cell), "cell", name)
    for name in _OF_A_PAGE:
        magics.register_function(
            lambda line: print(_("This is not done while grading.")), "line", name
        )
    extensions: Any = shell.extension_manager
    extensions.load_extension("storemagic")  # as in every kernel
    if pictures:
        shell.enable_matplotlib("inline")
    return shell


def text_of(error: BaseException) -> str:
    """An error's message, as far as it can be had."""
    try:
        return str(error)[:2000]
    except BaseException:  # __str__ is the student's too
        return ""
