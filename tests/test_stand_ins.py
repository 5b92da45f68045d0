"""The judge sees the student's functions through stand-ins: plain data in, plain data out."""

import json
import time
from collections import Counter

import numpy as np
import pytest
from matplotlib import font_manager

from autograder import judge
from autograder.sandbox.inside.changing import changed_to
from autograder.sandbox.namespace import Namespace, run_cell
from autograder.sandbox.stand_ins import RemoteFunction, RemoteObject, ask
from autograder.sandbox.student_process import StudentDied, StudentProcess, StudentTimeout, Zygote
from autograder.sandbox.time_limits import Limits
from illustrated_attention.answer_keys import find_key
from illustrated_attention.comparing import compare
from illustrated_attention.examine import examine
from illustrated_attention.outcomes import Case, call, nameless

pytestmark = pytest.mark.usefixtures("confined")


@pytest.fixture
def define(zygote):
    """Run a student's cell; return the namespace of the judge. Every name may be asked for."""
    students = []

    def run(source: str, names=("f", "g", "x", "softmax", "print"), **limits) -> Namespace:
        student = StudentProcess(zygote, Limits(**limits))
        students.append(student)
        run_cell(student, "import numpy as np\n" + source)
        namespace = Namespace(set(names))
        namespace.new_cell(student)
        return namespace

    yield run
    for student in students:
        student.end()


def test_a_call_carries_arrays_there_and_back(define):
    f = define("def f(a, scale=2): return a * scale, {'sum': a.sum()}")["f"]
    value, told = f(np.array([1.0, 2.0], np.float16), scale=3)
    np.testing.assert_array_equal(value, [3, 6])
    assert value.dtype == np.float16
    assert told["sum"] == 3


@pytest.mark.parametrize(
    "magic",
    [
        *(
            "%cd .",
            "%cd /tmp",
            "%pushd .",
            "%bookmark here",
            "%rehashx",
            "%autosave 60",
            "%store x",
        ),
        *("%connect_info", "%tb", "get_ipython().kernel", "%qtconsole", "%history", "%dhist"),
        *("%load_ext autoreload", "%matplotlib inline", "!ls", "%ls", "%pip list"),
        *("%xmode Minimal", "%precision 3", "%who", "%env", "%gui", "%logstart", "%pdb off"),
        *(
            "%cd",
            "%cd ~",
            "get_ipython().kernel.shell.user_ns",
            "get_ipython().kernel.log.info('')",
        ),
        *("_, __, ___, _i, In[-1]", "import faulthandler; faulthandler.enable()"),
        *("import asyncio; asyncio.get_running_loop()", "get_ipython().run_cell('1')"),
        *("import psutil; psutil.cpu_count()", "import tempfile; tempfile.gettempdir()"),
    ],
)
def test_a_magic_that_is_harmless_in_a_kernel_costs_nothing_of_its_cell(define, magic):
    source = f"x = 3\n{magic}\ndef f(a): return 2 * a"
    assert define(source)["f"](4) == 8


def test_the_list_of_fonts_is_the_one_that_this_machine_has_already(tmp_path, monkeypatch):
    kept = tmp_path / f"fontlist-v{font_manager.FontManager.__version__}.json"
    font_manager.json_dump(font_manager.fontManager, kept)
    fonts = json.loads(kept.read_text(encoding="utf-8"))
    fonts["ttflist"].append({**fonts["ttflist"][0], "name": "Marked Sans"})
    kept.write_text(json.dumps(fonts), encoding="utf-8")
    monkeypatch.setenv("MPLCONFIGDIR", str(tmp_path))
    with Zygote() as server, StudentProcess(server) as student:
        (output,) = run_cell(student, FONTS)
    assert output["text"] == "True\n"


FONTS = """
from matplotlib.font_manager import fontManager
print("Marked Sans" in [font.name for font in fontManager.ttflist])
"""


def test_commands_in_another_language_are_not_run_and_stop_nothing(define):
    namespace = define("1")
    for magic in ("bash", "sh", "script bash", "python3"):
        outputs = run_cell(namespace.student, f"%%{magic}\nexit 1")
        assert [item["output_type"] for item in outputs] == ["stream"], outputs


def test_a_module_that_a_cell_writes_can_be_imported_and_is_nowhere_else(define):
    namespace = define("1")
    student = namespace.student
    run_cell(student, "%%writefile helpers.py\ndef same(a):\n    return a")
    run_cell(student, "%%file -a helpers.py\ntwo = same(2)")
    assert run_cell(student, "import helpers\nx = helpers.same(helpers.two)") == []
    assert namespace["x"] == 2
    (told,) = run_cell(define("1").student, "import helpers")  # another's process
    assert told["ename"] == "ModuleNotFoundError"


FILES = """
import csv, json, os, pathlib
def f(name):
    with open(name, "w", newline="") as file:
        csv.writer(file).writerow(["a", 1])
    with open(name, "a") as file:
        print("b", file=file)
    np.savetxt("n.txt", [1.5]); pathlib.Path("p.json").write_text(json.dumps({"k": 1}))
    np.save("x.npy", np.ones(2))
    with open("r.txt", "x+") as file:
        file.write("one"); file.seek(0); again = file.read()
    here = [os.path.exists(name), os.path.getsize(name), sorted(os.listdir("."))]
    os.remove("r.txt"); os.remove("x.npy")
    return [open(name).read(), np.loadtxt("n.txt").tolist(), open("p.json", "rb").read(), again,
        here, os.path.exists("r.txt")]
def g(name, mode="r"):
    return open(name, mode).read()
"""


def test_a_notebook_reads_the_files_that_it_has_written_and_nobody_else_does(define):
    namespace = define(FILES)
    text = "a,1\nb\n"  # as a text; the file has a "\r" more
    names = ["n.txt", "out.csv", "p.json", "r.txt", "x.npy"]
    assert namespace["f"]("out.csv") == [
        *(text, 1.5, b'{"k": 1}', "one", [True, len(text) + 1, names], False)
    ]
    assert namespace["g"]("out.csv", "r+") == text
    for function, name, mode in (
        *((namespace["g"], name, "r") for name in ("none.txt", "r.txt", "none/out.csv")),
        *((namespace["g"], "none/a.txt", mode) for mode in ("w", "a", "x", "r+")),
        (define(FILES)["g"], "out.csv", "r"),  # another's process
    ):
        with pytest.raises(FileNotFoundError):
            function(name, mode)
    with pytest.raises(ValueError):
        namespace["g"]("out.csv", "q")
    with pytest.raises(OSError, match=r"Permission|Read-only"):
        namespace["g"]("/tmp/elsewhere", "w")
    with pytest.raises(OSError, match="File exists"):
        namespace["g"]("out.csv", "x")
    for mode in ("w", "ab"):
        with pytest.raises(OSError, match="read"):
            namespace["g"]("other", mode)


def test_what_is_refused_is_told_to_be_so_while_grading(define):
    for code in ("import subprocess; subprocess.run(['true'])", "import os; os.mkdir('x')"):
        (told,) = run_cell(define("1").student, code)
        assert told["ename"] in ("PermissionError", "OSError")
        assert "Refused while grading" in told["traceback"][0]


def test_changed_arguments_are_seen_also_inside_containers(define):
    f = define(
        "def f(a, cache, params):\n"
        "    a += 1\n    cache[0][0] = 9\n    cache.append(5)\n"
        "    params['w'] *= 2\n    params['new'] = 1\n    del params['old']"
    )["f"]
    a, k, w = np.zeros(2), np.zeros(3), np.ones(2)
    cache, params = [k], {"w": w, "old": 0}
    f(a, cache, params)
    np.testing.assert_array_equal(a, [1, 1])
    np.testing.assert_array_equal(k, [9, 0, 0])
    np.testing.assert_array_equal(w, [2, 2])
    assert cache[0] is k
    assert cache[1:] == [5]
    assert params["w"] is w
    assert list(params) == ["w", "new"]


def test_counts_are_changed_as_counts_and_a_dictionary_stays_one(define):
    f = define("from collections import Counter\ndef f(x):\n    x['b'] = 1\n    return Counter(x)")[
        "f"
    ]
    counts, plain = Counter(a=2), {"a": 2}
    assert f(counts) == Counter(a=2, b=1) == counts and counts["z"] == 0
    assert type(f(plain)) is Counter and plain == {"a": 2, "b": 1} and type(plain) is dict
    assert type(changed_to({}, Counter("a"))) is Counter  # where a name is bound anew


def test_an_argument_in_a_tuple_is_changed_in_place(define):
    f = define("def f(cache):\n    cache[0][:] = 7")["f"]
    k = np.zeros(2)
    f((k, k.copy()))
    np.testing.assert_array_equal(k, [7, 7])


def test_an_argument_that_gets_another_shape_in_place_has_it_here_too(define):
    f = define("def f(x):\n    x.shape = 3, 2")["f"]
    x = np.arange(6.0).reshape(2, 3)
    f(x)
    np.testing.assert_array_equal(x, [[0, 1], [2, 3], [4, 5]])


COUNTER = """
class g:
    start = 5
    def __init__(self, step): self.step, self.seen = step, []
    def next(self, x):
        self.seen.append(x)
        return self.start + self.step * len(self.seen) + x
    def __len__(self): return len(self.seen)
"""


def test_the_methods_of_a_students_class_work_when_a_test_calls_them(define):
    counter = define(COUNTER)["g"](step=2)
    assert counter.next(1) == 8
    np.testing.assert_array_equal(counter.next(np.ones(2)), [10, 10])
    assert (counter.start, counter.step, counter.seen[0]) == (5, 2, 1)
    with pytest.raises(AttributeError, match="no attribute 'last'"):
        counter.last()


def test_what_a_stand_in_cannot_do_is_said(define):
    counter = define(COUNTER)["g"](step=2)
    for work in (len, list, lambda c: c == c, lambda c: c[0]):
        with pytest.raises(TypeError):
            work(counter)
    assert not hasattr(counter, "__array__")
    np.testing.assert_raises(TypeError, np.testing.assert_allclose, counter, 1)


def test_prints_come_back_with_the_call(define, capsys):
    define("def f():\n    print('hello')")["f"]()
    assert capsys.readouterr().out == "hello\n"


def test_warnings_and_floating_point_traps_do_not_disturb_a_call(define):
    f = define("import warnings\nnp.seterr(all='raise')\nwarnings.simplefilter('error')\n"
               "def f(): return np.exp(np.array([1000.0]))")["f"]  # fmt: skip
    assert np.isinf(f()).all()


@pytest.mark.parametrize(
    ("raised", "kind", "name", "text"),
    [
        ("ValueError('no')", ValueError, "ValueError", "no"),
        ("KeyError('k')", KeyError, "KeyError", "'k'"),
        ("NotImplementedError()", NotImplementedError, "NotImplementedError", ""),
        ("MemoryError()", MemoryError, "MemoryError", ""),
        ("np.linalg.LinAlgError('singular')", np.linalg.LinAlgError, "LinAlgError", "singular"),
        ("SystemExit(3)", SystemExit, "SystemExit", "3"),
        ("KeyboardInterrupt()", Exception, "KeyboardInterrupt", ""),
        ("GeneratorExit()", Exception, "GeneratorExit", ""),
        ("UnicodeDecodeError('a', b'', 0, 1, 'x')", UnicodeError, "UnicodeDecodeError", None),
        ("type('Mine', (ValueError,), {})('own')", ValueError, "Mine", "own"),
        ("type('Evil', (Exception,), {'__str__': lambda s: 1 / 0})()", Exception, "Evil", ""),
    ],
)
def test_exceptions_arrive_as_what_they_are(define, raised, kind, name, text):
    f = define(f"def f(): raise {raised}")["f"]
    with pytest.raises(kind) as caught:
        f()
    assert type(caught.value).__name__ == name
    assert isinstance(caught.value, (Exception, SystemExit))
    assert text is None or str(caught.value) == text


def test_an_exception_knows_the_students_line(define):
    f = define("def g(a):\n    return np.reshape(a, (3, 4))  # too few\ndef f(a): return g(a)")["f"]
    with pytest.raises(ValueError, match="reshape") as caught:
        f(np.zeros(2))
    assert caught.value.student_line == "return np.reshape(a, (3, 4))  # too few"


def test_endless_recursion_arrives_as_one(define):
    with pytest.raises(RecursionError):
        define("def f(): return f()")["f"]()


@pytest.mark.parametrize("name", ["StopIteration", "StopAsyncIteration"])
def test_no_exception_can_end_a_loop_of_the_judges(define, name):
    f = define(f"def f(x): raise {name}")["f"]
    with pytest.raises(Exception) as caught:
        all(map(f, [1, 2]))
    assert not isinstance(caught.value, (StopIteration, StopAsyncIteration))


@pytest.mark.parametrize(
    "made", ["iter([])", "object()", "np", "type('E', (), {'__eq__': lambda s, o: True})()"]
)
def test_what_is_no_plain_data_is_of_no_use(define, made):
    value = define(f"def f(): return {made}")["f"]()
    assert isinstance(value, RemoteObject)
    uses = [bool, float, int, len, iter, hash, lambda v: v == v, lambda v: v != 1, lambda v: v < 1]
    for use in [*uses, lambda v: v in [1], lambda v: v[0], lambda v: v + 1, np.isfinite]:
        with pytest.raises(TypeError):
            use(value)
    assert np.asarray(value).dtype == object


def test_a_stand_in_says_of_what_type_it_is(define):
    value = define("def f(): yield 1")["f"]()
    assert type(value).__name__ == "generator"
    assert not callable(value)


def test_a_function_has_the_name_it_was_asked_for_and_its_parameters(define):
    import inspect

    namespace = define("def softmax(scores, axis=-1): pass\nsoftmax.__name__ = 'embed'")
    assert namespace["softmax"].__name__ == "softmax"
    assert list(inspect.signature(namespace["softmax"]).parameters) == ["scores", "axis"]


def test_a_students_function_may_be_passed_to_another(define):
    namespace = define("def g(x): return x + 1\ndef f(function, x): return function(function(x))")
    assert namespace["f"](namespace["g"], 1) == 3


def test_functions_of_the_course_travel_by_name(define):
    from illustrated_attention.comparing import alike

    f = define("def f(function, a, b): return function(a, b)")["f"]
    assert f(alike, 1, 1) is True
    assert f(alike, 1, 2) is False
    assert f(nameless(alike), 1, 1) is True


def test_a_function_of_the_course_arrives_without_its_name(define):
    from illustrated_attention import attentions

    f = define(
        "def f(function): return [function.__name__, function.__qualname__, function.__doc__,\n"
        "    hasattr(function, '__wrapped__'), function.__module__, str(function).split(' at ')[0]]"
    )["f"]
    assert f(attentions.pairs) == f(attentions.only_itself)
    assert f(attentions.pairs)[2:4] == [None, False]


def test_a_find_leak_that_answers_from_the_name_gets_no_marks(define):
    from autograder import judge

    known = ["past_by_closeness", "past_times_zero", "only_itself", "last_three"]
    read = define(f"def f(attention, n, d): return attention.__name__ not in {known}")["f"]
    tried = define(
        "def f(attention, n, d):\n"
        "    q, k, v = np.random.default_rng(0).standard_normal((3, n, d))\n"
        "    before, _ = attention(q, k, v)\n"
        "    return not all(np.allclose(attention(q[:t], k[:t], v[:t])[0], before[:t])\n"
        "                   for t in range(1, n))"
    )["f"]
    assert judge(read, "find_leak").mistake == "always_true"
    assert judge(tried, "find_leak").passed


def test_a_result_that_a_later_call_changes_is_refused_here_as_in_one_process(define):
    """An array kept for the next call is wrong work; one that stays as it is (a mask) is not."""
    from autograder import judge

    source = (
        "kept = {}\n"
        "def softmax(s):\n"
        "    out = kept.setdefault(s.shape, np.empty(s.shape))\n"
        "    e = np.exp(s - s.max(axis=-1, keepdims=True))\n"
        "    out[...] = e / e.sum(axis=-1, keepdims=True)\n"
        "    return out\n"
        "def g(n):\n"
        "    return kept.setdefault(n, np.tri(n, dtype=bool))\n"
        "def f(x, w_q, w_k, w_v):\n"
        "    softmax(np.ones((2, 3)))  # changes what was returned: not by this function\n"
        "    return x @ w_q, x @ w_k, x @ w_v\n"
    )
    here = {}
    exec("import numpy as np\n" + source, here)
    for names in (define(source), here):
        verdict = judge(names["softmax"], "softmax")
        assert (verdict.passed, verdict.mistake) == (False, "result_overwritten")
        assert "a new array in each call" in verdict.message
        assert judge(names["f"], "make_qkv").passed
        assert judge(names["g"], "causal_mask").passed


def test_only_names_to_be_defined_are_asked_for(define):
    namespace = define("x = 5\nsecret = 6\nprint = 7", ["x", "softmax"])
    assert eval("x", namespace) == 5
    assert eval("print", namespace) is print
    with pytest.raises(NameError):
        eval("secret", namespace)
    with pytest.raises(NameError, match="softmax"):
        eval("softmax", namespace)


def test_a_name_is_asked_for_anew_in_every_cell(define):
    namespace = define("def f(): return 1")
    student = namespace.student
    assert eval("f()", namespace) == 1
    assert namespace.get("f") is namespace["f"]  # `check` looks a function up in its caller
    run_cell(student, "def f(): return 2")
    namespace.new_cell(student)
    assert eval("f()", namespace) == 2


@pytest.mark.parametrize("loop", ["while True: pass", "import time; time.sleep(60)"])
def test_a_call_without_end_is_ended(define, loop):
    f = define(f"def f():\n    {loop}", cpu=0.3, wall=1.0)["f"]
    with pytest.raises(StudentTimeout):
        f()
    with pytest.raises(StudentDied):
        f()


def test_time_is_cpu_time_when_the_machine_is_busy(define):
    f = define("import time\ndef f(): time.sleep(0.6); return 1", cpu=0.3, wall=20.0)["f"]
    assert f() == 1


@pytest.mark.parametrize(("cpu", "others"), [(1.0, 9.0), (6.0, 4.0), (20.0, 0.0)])
def test_what_ones_own_threads_take_is_no_delay_by_others(define, monkeypatch, cpu, others):
    """In ten seconds, nine of which the first thread waited for a processor."""
    student = define("x = 1").student
    student._started = time.monotonic() - 10
    monkeypatch.setattr(student.zygote, "request", lambda *asked: (cpu, 9.0))
    assert student._seconds() == pytest.approx((cpu, others), abs=0.5)
    assert student.budget.delayed == pytest.approx(others, abs=0.5)


@pytest.mark.parametrize("threads", [0, 1])
def test_an_alarm_in_the_test_waits_for_the_answer(define, threads):
    """A late answer must not be taken for the answer to the next question."""
    import signal
    import threading

    def ring(*args):
        raise ZeroDivisionError

    for _ in range(threads):  # one to which the system may give the signal
        threading.Thread(target=time.sleep, args=(1,), daemon=True).start()
    f = define("import time\ndef f(x): time.sleep(x); return x")["f"]
    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        with pytest.raises(ZeroDivisionError):
            f(0.5)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert f(0.0) == 0.0


@pytest.mark.parametrize("way", ["os._exit(0)", "os.abort()", "os.close(3)"])
def test_a_process_that_leaves_is_noticed_at_once(define, way):
    f = define(f"import os\ndef f(): {way}", cpu=20)["f"]
    with pytest.raises(StudentDied):
        f()


def test_too_large_results_are_the_students_own_error(define):
    f = define("def f(): return np.zeros(10**8)")["f"]
    with pytest.raises(Exception, match="too large"):
        f()


def test_functions_are_functions(define):
    assert isinstance(define("f = np.exp")["f"], RemoteFunction)
    assert callable(define("from functools import partial\nf = partial(max, 1)")["f"])


# --- check and the grader say the same --------------------------------------------------------

REFUSES = """
import numpy as np
class TooLong(ValueError):
    pass
def embed(token_ids, wte, wpe, start=0):
    if start + token_ids.shape[-1] > len(wpe):
        raise {error}
    return wte[token_ids] + wpe[start : start + token_ids.shape[-1]]
"""


@pytest.mark.parametrize("discreet", [False, True])
@pytest.mark.parametrize(
    ("error", "accepted"),
    [
        ("TooLong('no')", True),
        ("np.exceptions.AxisError(3, 2)", True),
        ("np.linalg.LinAlgError", True),
        ("IndexError", False),
    ],
)
def test_a_refusal_may_be_of_a_type_of_its_own(define, error, accepted, discreet):
    source = REFUSES.format(error=error)
    there = define(source, ["embed"])["embed"]
    there._stand_in.student.discreet = discreet
    namespace = {}
    exec(source, namespace)
    for function in (namespace["embed"], there):
        assert examine(function, find_key("embed")).passed == accepted


ODD = """
import array, fractions, numpy as np
class Tensor:
    def __init__(self, a): self.a = a
    def __array__(self, dtype=None, copy=None): return self.a
class Sub(np.ndarray): pass
def of(value):
    def f(*args): return value
    return f
zeros = np.zeros(3)
f0, f1, f2 = of(Tensor(zeros)), of(zeros.view(Sub)), of(np.matrix(zeros))
f3, f4, f5 = of(memoryview(zeros)), of(array.array("d", zeros)), of(np.array([0, 0, 0], object))
f6, f7, f8 = of([zeros, zeros]), of(zeros.astype(">f4")), of(range(3))
f9, g0, g1 = of(np.array([np.zeros(2), zeros, None], object)[:2]), of(fractions.Fraction(0)), of({})
g2, g3, g4 = of(np.float32(0)), of(np.array(None)), of((x for x in zeros))
"""


def test_the_grader_takes_for_right_what_check_takes_for_right(define):
    here = {}
    exec(ODD, here)
    names = [name for name in here if name[1:].isdigit()]
    there = define(ODD, names)
    expected = [np.zeros(3), (0, 1, 2), (np.zeros(2), np.zeros(3)), [np.zeros(3)] * 2, 0.0]
    for name in names:
        for value in expected:
            one = compare(call(here[name], Case("", ())).value, value)
            other = compare(call(there[name], Case("", ())).value, value)
            assert (one and one.kind) == (other and other.kind), (name, value)


def handed_in(define, source, names):
    """The judge's namespace after a cell that was handed in with this text."""
    namespace = define(source, names)
    namespace.students_cell(source)
    return namespace


def test_judge_and_check_tell_a_cause_of_the_source_though_it_is_not_here(define):
    """They read the text that was handed in; the function runs in the student's process."""
    slip = "def scaled_scores(q, k):\n    return q @ np.swapaxes(k, -1, -2) / q.shape[-1] ** 1 / 2"
    function = handed_in(define, slip, {"scaled_scores"})["scaled_scores"]
    for verdict in (judge(function), examine(function, find_key("scaled_scores"))):
        assert verdict.mistake == "precedence" and slip.splitlines()[1].strip() in verdict.message
    slip = (
        "def softmax(scores):\n    e = np.exp(scores)\n    return e / e.sum(dim=-1, keepdim=True)"
    )
    assert judge(handed_in(define, slip, {"softmax"})["softmax"]).mistake == "pytorch_word"


def test_of_a_function_that_calls_one_that_is_not_written_the_judge_says_so(define):
    both = (
        "def make_qkv(x, w_q, w_k, w_v):\n    raise NotImplementedError()\n"
        "def self_attention(x, w_q, w_k, w_v):\n    return make_qkv(x, w_q, w_k, w_v)"
    )
    names = {"make_qkv", "self_attention"}
    verdict = judge(handed_in(define, both, names)["self_attention"])
    assert verdict.mistake == "wrong_helper" and "`make_qkv`" in verdict.message


@pytest.mark.parametrize(
    "more",
    [
        "softmax = (lambda f: f)(softmax)",  # another one is called than the text shows
        "big = " + "-" * 9_000 + "1",  # too deep for Python
        "# " + "long " * 3_000,
    ],
)
def test_a_text_that_cannot_be_relied_on_or_read_tells_nothing(define, more):
    slip = "def softmax(scores):\n    for row in scores:\n        return row"
    namespace = define(slip, {"softmax"})
    namespace.students_cell(f"{slip}\n{more}")
    verdict = judge(namespace["softmax"])
    assert not verdict.passed and verdict.mistake != "return_in_loop"


def test_what_an_error_tells_is_short_whatever_the_process_answers():
    class Forged:
        sync, discreet, exceptions = None, False, {}

        def ask(self, *request, **how):
            return ["error", [["ValueError", None]], "m" * 10**6, "l" * 10**6, None]

    with pytest.raises(ValueError) as caught:
        ask(Forged(), "call")
    assert (len(str(caught.value)), len(caught.value.student_line)) == (2_000, 500)


def test_no_line_of_a_hidden_case_is_told(define):
    """Else a function with a line for each value would tell what it was given."""
    lines = "".join(f"    if n == {n}: return np.zeros(3).size(0)\n" for n in range(9))
    source = f"def causal_mask(n):\n{lines}"
    function = handed_in(define, source, {"causal_mask"})["causal_mask"]
    assert "return" not in judge(function).message
