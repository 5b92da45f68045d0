"""One guarded call of a student's function: what is seen, and what cannot get out."""

import functools
import itertools
import os
import signal
import subprocess
import sys
import threading
import time
import warnings

import numpy as np
import pytest
from classroom import surroundings
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from illustrated_attention import outcomes
from illustrated_attention.outcomes import Case, call, copy_data, identical, named, nameless

X = np.array([[1.0, 2.0], [3.0, 4.0]])
CASE = Case("a case", (X,))


def test_a_result_comes_back():
    outcome = call(lambda x: x + 1, CASE)
    assert outcome.returned
    np.testing.assert_array_equal(outcome.value, X + 1)


def test_the_argument_is_a_copy_and_a_change_is_seen():
    def change(x, y):
        y[0, 0] = 7
        return x

    case = Case("two", (X, X.copy()))
    outcome = call(change, case)
    assert outcome.changed == (1,)
    assert case.args[1][0, 0] == 1.0


@pytest.mark.parametrize(
    ("args", "change"),
    [
        ([1, 2], lambda a: a.append(3)),
        ([1, 2], lambda a: a.__setitem__(0, np.zeros(3))),
        ([X, X], lambda a: a[0].fill(0)),
        ({"w": X}, lambda a: a["w"].fill(0)),
        ({"w": X}, lambda a: a.pop("w")),
        (X, lambda a: setattr(a, "shape", (4,))),
        ((X, [X]), lambda a: a[1][0].fill(0)),
    ],
)
def test_a_change_inside_any_container_is_seen(args, change):
    case = Case("a container", (args,))
    assert call(change, case).changed == (0,)
    assert call(lambda a: None, case).changed == ()


def test_a_change_is_seen_even_when_the_function_raises():
    def change_and_raise(x):
        x += 1
        raise KeyError("k")

    assert call(change_and_raise, CASE).changed == (0,)


def test_a_function_among_the_arguments_comes_without_its_name_and_is_no_change():
    def leaks(x, scale=1):
        """Sees the future."""
        return x * scale

    seen = []

    def look(function, x):
        seen.append((function.__name__, function.__doc__, function.__qualname__, vars(function)))
        return function(x, scale=2)

    def stays(x):
        return x

    outcome = call(look, Case("functions", (leaks, X)))
    np.testing.assert_array_equal(outcome.value, 2 * X)
    assert outcome.changed == ()
    call(look, Case("functions", (lambda x, scale: x, X)))
    assert seen[0] == seen[1]
    assert "leaks" not in str(seen)
    assert "future" not in str(seen)
    assert named(nameless(stays)) is stays
    assert named(stays) is stays


def test_changing_the_result_later_does_not_change_the_outcome():
    kept = np.zeros(3)
    outcome = call(lambda x: kept, CASE)
    kept += 1
    assert outcome.value.sum() == 0


def test_an_exception_is_told_with_the_students_own_line():
    def softmax(x):
        return np.zeros((2, 3)) @ np.zeros((2, 3))  # my line

    outcome = call(softmax, CASE)
    assert outcome.error == "ValueError"
    assert "matmul" in outcome.message
    assert outcome.line == "return np.zeros((2, 3)) @ np.zeros((2, 3))  # my line"


def test_what_is_raised_in_a_librarys_python_is_told_with_the_students_line_too():
    def split(x):
        return np.split(np.zeros(3), 2)  # NumPy's own function raises some calls deeper

    outcome = call(split, CASE)
    assert outcome.error == "ValueError" and not outcome.inside
    assert outcome.line.startswith("return np.split(np.zeros(3), 2)")


def test_an_exception_from_another_process_brings_the_students_line():
    def raises():
        error = ValueError("too long")
        error.student_line = "return x[7]"
        raise error

    assert call(raises, Case("", ())).line == "return x[7]"


def test_exit_does_not_end_the_notebook():
    assert call(lambda x: sys.exit(), CASE).error == "SystemExit"


def test_endless_recursion_is_an_error_like_any_other():
    def softmax(x):
        return softmax(x)

    assert call(softmax, CASE).error == "RecursionError"


def test_an_exception_that_cannot_speak_is_still_told():
    class Mute(Exception):
        def __str__(self):
            raise RuntimeError

    def softmax(x):
        raise Mute

    outcome = call(softmax, CASE)
    assert (outcome.error, outcome.message) == ("Mute", "")


def test_prints_and_warnings_do_not_get_out(capfd):
    def softmax(x):
        print("scores", x.shape)
        print("oh", file=sys.stderr)
        warnings.warn("careful", stacklevel=2)
        return np.exp(x * 1e9) / np.array(0.0)

    outcome = call(softmax, CASE)
    assert outcome.printed == "scores (2, 2)\noh\n"
    assert capfd.readouterr() == ("", "")


def test_endless_printing_fills_no_memory(monkeypatch):
    monkeypatch.setattr(outcomes, "SECONDS_PER_CALL", 0.2)

    def softmax(x):
        while True:
            print("x" * 100_000)

    outcome = call(softmax, CASE)
    assert outcome.timed_out
    assert len(outcome.printed) == outcomes.PRINTED_CHARACTERS


# --- time ------------------------------------------------------------------------------------


def endless(x):
    while True:
        pass


def catches_exceptions(x):
    while True:
        try:
            endless(x)
        except Exception:
            continue


def catches_everything(x):
    while True:
        try:
            sum(range(1000))
        except:  # noqa: E722
            continue


def catches_everything_twice(x):
    while True:
        try:
            while True:
                try:
                    sum(range(1000))
                except:  # noqa: E722
                    x += 1
        except:  # noqa: E722
            x += 2


def keeps_the_exception(x):
    try:
        endless(x)
    except BaseException as error:
        x = error
        raise


def loops_in_a_comprehension(x):
    return [x for _ in itertools.count()]


def loops_in_a_generator(x):
    return sum(0 for _ in itertools.count())


def calls_itself_by_a_helper(x):
    def helper(n):
        return helper(n) if n < 0 else None

    while True:
        helper(1)


def in_a_thread(function, *args):
    """Call a function in another thread and return what it returns."""
    found = []
    thread = threading.Thread(target=lambda: found.append(function(*args)), daemon=True)
    thread.start()
    thread.join(timeout=60)
    return found[0]


@pytest.fixture(params=["alarm", "no alarm, as on Windows and in a browser", "in a thread"])
def called(request, monkeypatch):
    """`call`, in each of the ways in which a call can be stopped."""
    monkeypatch.setattr(outcomes, "SECONDS_PER_CALL", 0.2)
    if request.param.startswith("no alarm"):
        monkeypatch.delattr(signal, "setitimer")
        monkeypatch.delattr(signal, "SIGALRM")
    if request.param == "in a thread":
        return functools.partial(in_a_thread, call)
    return call


@pytest.mark.parametrize(
    "function",
    [
        endless,
        catches_exceptions,
        catches_everything,
        catches_everything_twice,
        keeps_the_exception,
        loops_in_a_comprehension,
        loops_in_a_generator,
        calls_itself_by_a_helper,
    ],
)
def test_a_call_that_does_not_end_is_stopped(function, called):
    start = time.process_time()  # of this process: a loop spends it, a busy machine does not
    assert called(function, CASE).timed_out
    assert time.process_time() - start < 2


def test_a_quick_call_is_not_stopped_later(called):
    assert called(lambda x: x, CASE).returned
    time.sleep(0.4)  # an alarm that was left on would ring here


def test_a_debugger_goes_on_after_the_call(called):
    """Debuggers and coverage look at every line too."""

    def line(_frame, _event, _arg):
        return None

    def look():
        sys.settrace(line)
        called(lambda x: x, CASE)
        found = sys.gettrace()
        sys.settrace(before)
        return found

    before = sys.gettrace()
    assert look() is line


def test_sleeping_is_stopped_too(monkeypatch):
    monkeypatch.setattr(outcomes, "SECONDS_PER_CALL", 0.2)
    awake = []
    assert call(lambda x: (time.sleep(30), awake.append(True)), CASE).timed_out
    assert not awake


def test_what_is_kept_from_running_has_longer_by_the_clock(called, monkeypatch):
    """Beside sixty busy threads an honest function of 0.05 s takes seconds."""
    monkeypatch.setattr(outcomes, "SECONDS_PER_CALL", 0.5)
    assert called(lambda x: time.sleep(0.8) or x, CASE).returned


def test_three_seconds_are_allowed():
    assert outcomes.SECONDS_PER_CALL == 3.0


def test_the_learners_own_interrupt_gets_through(monkeypatch):
    def softmax(x):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(5)

    with pytest.raises(KeyboardInterrupt):
        call(softmax, CASE)
    monkeypatch.delattr(signal, "setitimer")
    with pytest.raises(KeyboardInterrupt):
        call(softmax, CASE)


def test_the_signals_are_as_before(called):
    names = (signal.SIGINT, signal.SIGTERM, signal.Signals(14))
    before = [signal.getsignal(name) for name in names]
    called(endless, CASE)
    assert [signal.getsignal(name) for name in names] == before


def test_a_timeout_leaves_no_noise_behind():
    program = (
        "import illustrated_attention.outcomes as o\n"
        "def f(x):\n"
        "    try:\n"
        "        while True: pass\n"
        "    except BaseException as e: kept.append(e); raise\n"
        "kept = []\n"
        "print(o.call(f, o.Case('', (1,)), seconds=0.1).timed_out)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=surroundings()
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "True\n", "")


# --- data ------------------------------------------------------------------------------------

plain = st.recursive(
    st.none()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | arrays.arrays(st.sampled_from(["f8", "f4", "i8", "?"]), arrays.array_shapes(max_dims=3)),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(plain)
def test_a_copy_is_identical(value):
    assert identical(copy_data(value), value)


@given(arrays.arrays("f8", arrays.array_shapes(max_dims=3)))
def test_a_copy_shares_no_memory(array):
    assert not np.shares_memory(copy_data((array,))[0], array)


def test_a_nan_that_stays_a_nan_is_no_change():
    case = Case("nan", (np.array([np.nan, 1.0]),))
    assert call(lambda x: None, case).changed == ()


def test_the_same_numbers_in_another_type_are_a_change():
    assert not identical(np.array([1, 2]), np.array([1.0, 2.0]))
    assert not identical([1, 2], (1, 2))
