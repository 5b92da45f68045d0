"""One guarded call of a student's function: what it returned, raised, printed or changed.

Nothing that student code does in such a call reaches the notebook by accident: arguments are
copies, prints and warnings are caught, a call that does not end is stopped.
"""

import contextlib
import copy
import inspect
import io
import linecache
import signal
import sys
import threading
import time
import traceback
import types
import warnings
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

SECONDS_PER_CALL = 3.0  # of CPU time
_WAITING = 4  # times as long by the clock: the machine may be busy with other work
PRINTED_CHARACTERS = 2_000
MESSAGE_CHARACTERS = 500
_SECONDS_UNTIL_NEXT_RING = 0.1


@dataclass(frozen=True)
class Case:
    """One call: a short title for people, and the arguments."""

    title: str
    args: tuple
    raises: str | None = None  # the name of the exception that is the right answer
    within: tuple[float, float] | None = None  # any number from the first to the second is right
    late: bool = False  # tried only when all others came out right, so it takes no part in naming

    def size(self) -> int:
        """How many numbers the arguments hold: small cases are shown first."""
        return sum(np.size(array) for array in _arrays(self.args))

    def axes(self) -> int:
        """How many axes the first array has: it carries the leading axes of the others too."""
        return next((array.ndim for array in _arrays(self.args)), 0)


@dataclass(frozen=True)
class Outcome:
    """What one call did. Exactly one of `value`, `error` and `timed_out` tells how it ended."""

    value: Any = None
    error: str | None = None  # the exception's type
    message: str = ""  # and what it said
    line: str = ""  # the student's own line that raised
    inside: str = ""  # the function it stands in, where that is not the one that was called
    calling: str = ""  # then the line of the function that was called
    timed_out: bool = False
    changed: tuple[int, ...] = ()  # positions of the arguments that the call changed
    overwrote: bool = False  # an array that an earlier call had returned is another one now
    printed: str = ""

    @property
    def returned(self) -> bool:
        return self.error is None and not self.timed_out


@dataclass(frozen=True)
class Where:
    """Where a student's call stopped: see `Outcome`, which has these, too."""

    line: str = ""
    inside: str = ""
    calling: str = ""


_NOWHERE = Where()


class _TimeUp(BaseException):
    """Raised inside a student's call. Not an Exception, so that ``except Exception`` misses it.

    A bare ``except:`` in an endless loop swallows it. So it carries something that is deleted when
    it is forgotten, which is right after the ``except`` block, outside the ``try``: there the call
    is traced, and the next line of it raises again.
    """

    def __init__(self, trace):
        super().__init__()
        self.again = _Again(trace)


class _Again:
    """Traces the call when it is deleted."""

    def __init__(self, trace):
        self.trace = trace

    def __del__(self):
        frames = _frames_of_the_call(sys._getframe().f_back)
        for frame in frames:
            frame.f_trace = self.trace
        if frames:
            sys.settrace(self.trace)


def call(
    function: Callable,
    case: Case,
    seconds: float | None = None,
    returned: "Returned | None" = None,
) -> Outcome:
    """Call `function` with copies of the case's arguments and return what happened.

    `returned` holds what earlier calls returned, and gets what this one does.

    Functions among the arguments come without their names. The call is stopped after `seconds` of
    CPU time, `SECONDS_PER_CALL` if None, or when it has waited several times as long. A function
    that runs in another process brings its own way to be stopped, `time_limit`: an alarm here
    would fall into the talk with that process. It warns and exits nobody here, and that process
    tells whether it `overwrote` what an earlier call had returned.
    """
    given = tuple([nameless(a) if isinstance(a, types.FunctionType) else a for a in case.args])
    args = copy_data(given)
    printed = _Beginning()
    value = result = error = None
    message, timed_out, where = "", False, _NOWHERE
    elsewhere = hasattr(function, "time_limit")
    quiet = contextlib.redirect_stdout if elsewhere else _quiet
    time_limit = getattr(function, "time_limit", _time_limit)
    with quiet(printed), time_limit(SECONDS_PER_CALL if seconds is None else seconds):
        try:
            value = _run(function, args)
            result = value if elsewhere else copy_data(value)  # nobody else has what arrives
        except _TimeUp:
            timed_out = True
        except (Exception, SystemExit) as e:
            if getattr(e, "out_of_time", False):
                timed_out = True
            else:
                error, message = _error_name(e, case.raises), _message(e)
                where = _where(e, function)
    pairs = enumerate(zip(args, given, strict=True))
    changed = tuple([i for i, (a, b) in pairs if not identical(a, b)])
    overwrote = False
    if returned is not None and elsewhere:  # here are only copies
        overwrote = bool(getattr(function, "overwrote", False))
    elif returned is not None:
        overwrote = returned.changed()
        if error is None:
            returned.add(value)
    return Outcome(
        value=result,
        error=error,
        message=message,
        line=where.line,
        inside=where.inside,
        calling=where.calling,
        timed_out=timed_out,
        changed=changed,
        overwrote=overwrote,
        printed=printed.text,
    )


class Returned:
    """Arrays that earlier calls of a function returned: a later call must not change them."""

    MOST, LARGEST = 16, 1 << 16  # how many of the last ones are looked at, of how many bytes

    def __init__(self):
        self._arrays: list[tuple[np.ndarray, bytes]] = []

    def add(self, value: object) -> None:
        small = [array for array in _arrays(value) if array.nbytes <= self.LARGEST]
        self._arrays += [(array, array.tobytes()) for array in small]
        del self._arrays[: -self.MOST]

    def changed(self) -> bool:
        return any(array.tobytes() != before for array, before in self._arrays)


def _run(function: Callable, args: tuple) -> object:
    """Call the function. While this frame is on the stack, a call that takes too long is ended."""
    return function(*args)


def nameless(function: Callable) -> Callable:
    """Return a function that does the same and does not tell its name or its docstring.

    An exercise whose arguments are functions asks what they do, not what they are called.
    """

    def unnamed(*args, **kwargs):
        return function(*args, **kwargs)

    _named[unnamed] = function
    return unnamed


_named: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()


def named(function: Callable) -> Callable:
    """Return the function behind one that `nameless` made; any other function as it is."""
    return _named.get(function, function)


def copy_data(value: Any) -> Any:
    """Copy arrays and containers. Functions and other objects stay what they are.

    A copy of an array that lies in memory column by column does so, too.
    """
    if isinstance(value, np.ndarray):
        return value.copy(order="A")
    if type(value) in (tuple, list):
        return type(value)([copy_data(item) for item in value])
    if isinstance(value, dict):
        return {key: copy_data(item) for key, item in value.items()}
    if isinstance(value, (bytearray, set)):
        return copy.copy(value)
    return value


def identical(a: Any, b: Any) -> bool:
    """True when two arguments hold the same data, bit for bit (a nan equals itself)."""
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes()
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(identical, a, b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(identical(a[key], b[key]) for key in a)
    return a is b or (type(a) is type(b) and a == b)


def parameter_name(function: Callable, position: int, otherwise: tuple[str, ...] = ()) -> str:
    """Return the name of a parameter; where the signature cannot be read, the one in `otherwise`.

    Without any it is the parameter's number.
    """
    names: tuple[str, ...] = ()
    with contextlib.suppress(ValueError, TypeError):
        names = tuple(inspect.signature(function).parameters)
    return next((n[position] for n in (names, otherwise) if position < len(n)), str(position + 1))


def _arrays(value: object) -> Iterator[np.ndarray]:
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _arrays(item)
    elif isinstance(value, dict):
        yield from _arrays(list(value.values()))


def _error_name(exception: BaseException, wanted: str | None) -> str:
    """The name of its type; the name that is wanted where that type is one of its bases."""
    names = [kind.__name__ for kind in type(exception).__mro__]
    return wanted if wanted in names else names[0]


def _message(exception: BaseException) -> str:
    """What an exception says, cut to a length that one can read."""
    try:
        return str(exception)[:MESSAGE_CHARACTERS]
    except Exception:  # a student's own exception class may fail at this, too
        return ""


def _where(exception: BaseException, function: Callable) -> Where:
    """Find the last line of the student's own code in a traceback (not NumPy's, not ours).

    When the student's code runs in another process, the exception brings the line along.
    """
    brought = getattr(exception, "student_line", None)
    if isinstance(brought, str):
        return Where(brought)
    lines = []
    for frame, number in traceback.walk_tb(exception.__traceback__):
        name = frame.f_code.co_filename
        ours = name == __file__ or "site-packages" in name
        if not ours and (line := linecache.getline(name, number).strip()):
            lines.append((line, frame.f_code))
    if not lines:
        return _NOWHERE
    line, code = lines[-1]
    called = _codes(getattr(inspect.unwrap(named(function)), "__code__", None))
    calling = [line for line, code in lines if code in called]
    if code in called or not calling:
        return Where(line)
    return Where(line, code.co_name, calling[-1])


def _codes(code: types.CodeType | None) -> list[types.CodeType]:
    """A function's code and that of all functions that are defined inside it."""
    if code is None:
        return []
    inner = [const for const in code.co_consts if isinstance(const, types.CodeType)]
    return [code, *(deeper for one in inner for deeper in _codes(one))]


class _Beginning(io.TextIOBase):
    """Keeps the beginning of what is printed: a loop that prints for seconds fills no memory."""

    text = ""

    def write(self, text: str) -> int:
        if len(self.text) < PRINTED_CHARACTERS:
            self.text = (self.text + text)[:PRINTED_CHARACTERS]
        return len(text)


@contextlib.contextmanager
def _quiet(printed: io.TextIOBase) -> Iterator[None]:
    """Catch prints and warnings: nbgrader takes all marks from a cell that writes to stderr."""
    with (
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(printed),
        warnings.catch_warnings(),
        np.errstate(all="ignore"),
        _exit_raises(),
    ):
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def _exit_raises() -> Iterator[None]:
    """Let exit() raise SystemExit in a notebook, too: there it would stop the kernel."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if shell is None:
        yield
        return
    shell.ask_exit = sys.exit
    try:
        yield
    finally:
        del shell.ask_exit  # the one of its class is back


@contextlib.contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Stop `_run` after some seconds of CPU time, in any thread and on any system."""
    used, start = time.process_time(), time.monotonic()

    def over() -> bool:
        waited = time.monotonic() - start
        if waited < 0.9 * seconds:  # the clocks tick differently
            return False
        return time.process_time() - used >= 0.9 * seconds or waited >= _WAITING * seconds

    def trace(frame, _event, _arg):
        if over() and _frames_of_the_call(frame):
            raise _TimeUp(trace)
        return trace

    # An alarm reaches the main thread only; Windows and Python in a browser have none.
    here = threading.current_thread() is threading.main_thread()
    stop = _by_alarm if here and hasattr(signal, "setitimer") else _by_tracing
    debugger = sys.gettrace()
    try:
        with stop(seconds, trace):
            yield
    finally:
        sys.settrace(debugger)


@contextlib.contextmanager
def _by_alarm(seconds: float, trace) -> Iterator[None]:
    """Let the system ring, again and again. This ends ``sleep``, too."""
    before = signal.signal(signal.SIGALRM, lambda _signum, frame: trace(frame, "alarm", None))
    signal.setitimer(signal.ITIMER_REAL, seconds, _SECONDS_UNTIL_NEXT_RING)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def _by_tracing(_seconds: float, trace) -> Iterator[None]:
    """Let Python look at the clock at every line.

    A loop in Python then takes several times as long. A single long step inside NumPy, and
    ``sleep``, end before the call is stopped.
    """
    sys.settrace(trace)
    yield


def _frames_of_the_call(frame) -> list:
    """Return the frames from this one up to the student's call; empty if it is in our own code."""
    frames = []
    while frame is not None and frame.f_code is not _run.__code__:
        frames.append(frame)
        frame = frame.f_back
    return frames if frame is not None else []
