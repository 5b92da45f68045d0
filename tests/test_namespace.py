"""Names and objects cross between a test and a student's code as far as they may, not further."""

import types

import numpy as np
import pytest

from autograder.sandbox.instructors_code import SOLUTION, Source, bound_names, setting
from autograder.sandbox.namespace import Namespace, run_cell
from autograder.sandbox.running_tests import Cell, run_inside, run_test
from autograder.sandbox.student_process import StudentProcess
from autograder.sandbox.time_limits import Limits

pytestmark = pytest.mark.usefixtures("confined")


@pytest.fixture
def course(zygote):
    """Make the namespace of tests: an instructor's solution, and what a student wrote instead."""
    students = []

    def make(solution: str, written: str | None = None, does=(), hidden=False, **limits):
        student = StudentProcess(zygote, Limits(**limits))
        students.append(student)
        assert run_cell(student, solution if written is None else written) == []
        namespace = Namespace(set(bound_names((solution,))), setting((Source(solution, SOLUTION),)))
        namespace.new_cell(student, frozenset(does), hidden)
        return namespace

    yield make
    for student in students:
        student.end()


SQUARES = """
def squares(n): return [i * i for i in range(n)]
def total(n): return sum(squares(n))
log = []
def note(x): log.append(x)
count = 0
def step():
    global count
    count += 1
"""


def test_a_function_that_a_test_deletes_or_replaces_is_so_for_the_students_code(course):
    names = course(SQUARES)
    exec(
        "kept = squares\ndel squares\n"
        "try:\n    total(3)\nexcept NameError:\n    deleted = True\n"
        "def squares(n): return [n, n]\n"
        "replaced = total(5)\nsquares = kept\nback = total(3)",
        names,
    )
    assert (names["deleted"], names["replaced"], names["back"]) == (True, 10, 5)
    with pytest.raises(NameError):
        exec("del nothing", names)


def test_what_functions_keep_in_the_namespace_a_test_sees_and_can_set(course):
    names = course(SQUARES)
    exec("note(1)\nseen = list(log)\nlog.clear()\nnote(2)\nafter = list(log)", names)
    exec("log = ['mine']\nnote(3)\nown = list(log)", names)
    exec("step()\nstep()\none = count\ncount = 10\nstep()\nten = count", names)
    assert (names["seen"], names["after"], names["own"]) == ([1], [2], ["mine", 3])
    assert (names["one"], names["ten"]) == (2, 11)


@pytest.mark.parametrize("hidden", [False, True])
def test_what_a_test_keeps_for_itself_no_students_code_can_read(course, hidden):
    """Whatever a test works with, its expected results above all, stays in the judge's process."""
    spy = "def total(n): return sorted(k for k in globals() if k[0] != '_')\ndef squares(n): pass"
    names = course(SQUARES, spy, hidden=hidden)
    before = set(eval("total(1)", names))
    exec("expected = 731\nresult, n, i = [731], 3, 4\ndef reference(n): return 731", names)
    assert set(eval("total(1)", names)) == before


def test_modules_that_a_test_imports_are_there_for_the_cells_behind_it(course):
    names = course("def f(): return np.ones(2).sum() + len(string.digits)")
    exec("import numpy as np\nimport string", names)
    assert eval("f()", names) == 12


CALLS = """
def call(f, *args): return f(*args)
def loop(items): return [x for x in items]
def text(file): return file.read().upper()
def use(thing): return [thing.size, thing.grow(3), len(thing), thing + 1, thing.name]
def put(thing): thing.size = 9
def get(thing, name): return getattr(thing, name)
def age(): return int(input("How old? "))
"""


def test_functions_and_simple_objects_of_a_test_work_in_the_students_code(course):
    names = course(CALLS)
    exec(
        "import io, math, numpy as np\n"
        "class Tree:\n"
        "    name = 'oak'\n"
        "    def __init__(self): self.size = 1\n"
        "    def grow(self, by): self.size += by; return self.size\n"
        "    def __len__(self): return 5\n"
        "    def __add__(self, other): return self.size + other\n"
        "calls = []\n"
        "def double(x): calls.append(x); return 2 * x\n"
        "tree = Tree()\n",
        names,
    )
    assert eval("call(double, 4), calls", names) == (8, [4])
    assert eval("call(lambda a, b: a + b, 1, 2), call(math.sqrt, 9.0)", names) == (3, 3.0)
    assert eval("call(str.upper, 'a'), call(np.sum, [1, 2]), call(int, '7')", names) == ("A", 3, 7)
    assert eval("call(lambda f: f, double) is double", names)
    assert eval("loop(x * x for x in range(3)), loop(zip('ab', [1, 2]))", names) == (
        [0, 1, 4],
        [("a", 1), ("b", 2)],
    )
    assert eval("text(io.StringIO('ab'))", names) == "AB"
    assert eval("use(tree), tree.size", names) == ([1, 4, 5, 5, "oak"], 4)
    exec("put(tree)", names)
    assert eval("tree.size", names) == 9


def test_an_error_of_a_tests_function_passes_through_the_students_code(course):
    names = course(CALLS)
    exec("def broken(): raise ZeroDivisionError('never')", names)
    with pytest.raises(ZeroDivisionError, match="never"):
        eval("call(broken)", names)


def test_input_asks_the_test_that_has_replaced_it(course):
    names = course(CALLS)
    exec(
        "from unittest.mock import patch\n"
        "with patch('builtins.input', return_value='41') as asked:\n    answer = age()",
        names,
    )
    assert names["answer"] == 41
    names["asked"].assert_called_once_with("How old? ")
    with pytest.raises((EOFError, OSError)):  # nobody types anything while grading
        eval("age()", names)


# -- by one who tries ---------------------------------------------------------------------------

PRIVATE = "import os, sys, io, pathlib, subprocess, functools\nclass Own:\n    secret = os\n"
PRIVATE += "    def __init__(self):\n        self._hidden, self.file = 731, sys.stdout\n"
PRIVATE += "    def work(self): return 1\nown = Own()\nhelper = lambda x: x"


@pytest.mark.parametrize(
    "name",
    [
        *("_hidden", "__class__", "__dict__", "__globals__", "__init__", "file"),
        *("__reduce__", "__getattribute__", "_lent", "nothing"),
    ],
)
def test_nothing_behind_an_object_that_is_lent_can_be_reached(course, name):
    grab = (
        "def get(thing, name): return thing._lent[1]('attribute', thing, name)\n"
        "def call(f, *args): pass"
    )
    names = course(CALLS, grab)
    exec(PRIVATE, names)
    for thing in ("own", "own.work", "helper"):
        with pytest.raises((AttributeError, TypeError)):
            eval(f"get({thing}, {name!r})", names)


def test_a_module_that_an_object_holds_is_the_locked_process_own(course):
    grab = "def get(thing, name):\n    import os\n    return thing.secret is os\ndef call(): pass"
    names = course(CALLS, grab)
    exec(PRIVATE, names)
    assert eval("get(own, '')", names) is True


@pytest.mark.parametrize(
    "thing",
    [
        *("sys.stdout", "functools.partial(open)", "sys._getframe()", "subprocess.Popen"),
        *(
            "open",
            "exec",
            "pathlib.Path",
            "object()",
            "(x for x in [1]).gi_frame",
            "helper.__code__",
        ),
    ],
)
def test_what_leads_to_the_judges_process_is_not_lent(course, thing):
    """It is refused, or it is what the locked process imports under that name."""
    names = course(CALLS, "def call(f): return '_lent' in dir(f)\ndef get(): pass")
    exec(PRIVATE, names)
    try:
        lent = eval(f"call({thing})", names)
    except TypeError as error:
        assert "cannot be passed" in str(error)
    else:
        assert not lent


def test_methods_of_an_object_that_is_lent_cannot_be_replaced(course):
    put = "def put(thing):\n    thing.work = None\ndef call(): pass"
    names = course(CALLS, put)
    exec(PRIVATE, names)
    with pytest.raises(AttributeError):
        eval("put(own)", names)
    assert eval("own.work()", names) == 1


@pytest.mark.parametrize(
    "request_",
    [
        *("'call', [1]", "'call', 7, [], {}", "'operate', '__add__', 3, [4]", "'input', 5"),
        *("'operate', '__len__', own, [], 1", "'operate', 'grow', own, []", "'set_attribute'"),
        *("'attribute', own, 5", "'open', 'x'", ""),
    ],
)
def test_a_malformed_request_is_an_error_of_the_students_code(course, request_):
    forge = (
        "import gc\nstudent = next(o for o in gc.get_objects() if type(o).__name__ == 'Student')\n"
        f"def use(own): return student.back({request_})\ndef call(): pass"
    )
    names = course(CALLS, forge)
    exec(PRIVATE, names)
    with pytest.raises((AttributeError, TypeError)):
        eval("use(own)", names)
    assert callable(eval("use", names))  # the two still talk


def test_calls_back_and_forth_without_end_come_to_an_end(course):
    again = "def call(f):\n    return f(f)\ndef use(): pass"
    names = course(CALLS, again, cpu=2.0, wall=4.0)
    exec("def back(f): return call(back)", names)
    with pytest.raises(RecursionError):
        eval("call(back)", names)
    names = course(CALLS, "def call(f):\n    while True: f(1)", cpu=1.0, wall=2.0)
    exec("def same(x): return x", names)
    with pytest.raises(Exception, match="no answer in time"):
        eval("call(same)", names)


FORGED = """
class Equal:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __bool__(self): return True
    def __len__(self): return 3
    def __iter__(self): return iter([1])
    def __contains__(self, item): return True
    def __abs__(self): return 0
    def __sub__(self, other): return 0
    def __getitem__(self, i): return i
    def __float__(self): return 4.0
def double(x): return Equal()
"""


@pytest.mark.parametrize(
    "test",
    [
        *("assert double(2) == 4", "assert 4 == double(2)", "assert not double(2) != 4"),
        *("assert double(2)", "assert len(double(2)) == 3", "assert 4 in double(2)", "double(2)"),
        *(
            "assert abs(double(2) - 4) < 1",
            "assert list(double(2)) == [1]",
            "assert double(2)[4] == 4",
        ),
        *("assert float(double(2)) == 4", "import numpy as np\nassert np.allclose(double(2), 4)"),
    ],
)
def test_an_object_that_claims_to_be_right_is_not_where_no_class_is_asked_for(course, test):
    names = course("def double(x): return 2 * x", FORGED)
    (told,) = run_test(Cell(test, test=True, points=1), names, lambda: names.student, SHELL)
    assert told["output_type"] == "error"


def test_where_an_object_may_be_looped_over_what_is_in_it_is_not_for_it_to_say(course):
    names = course("def double(x): yield 2 * x", FORGED, does=("__iter__", "__next__"))
    exec("assert 1 in double(2)", names)
    with pytest.raises(AssertionError):
        exec("assert 4 in double(2)", names)


def test_an_error_of_the_students_own_kind_does_not_say_what_is_known_of_the_test(course):
    own = "class Own(Exception): mistake = exercise = 'forged'\ndef f(): raise Own"
    names = course(own)
    (told,) = run_test(Cell("f()", test=True, points=1), names, lambda: names.student, SHELL)
    assert (told["verdict"]["exercise"], told["verdict"]["mistake"]) == (None, None)


def test_a_mock_of_a_test_is_called_and_nothing_else_is_done_to_it(course):
    names = course(MOCKED)
    exec(
        "from unittest.mock import Mock\nsend = Mock(return_value=3)\nrefused = f(send)\n"
        "send.assert_called_once_with('a', subject='b')\nassert refused == [True] * 4",
        names,
    )


MOCKED = """
def is_refused(act):
    try: act()
    except Exception: return True
def f(send):
    assert send("a", subject="b") == 3
    return [
        is_refused(lambda: send.configure_mock(assert_called_once_with=print)),
        is_refused(lambda: send.reset_mock()),
        is_refused(lambda: setattr(send, "called", False)),
        is_refused(lambda: send.call_args_list),
    ]
"""


SHELL = types.SimpleNamespace(outputs=None)
SHAPES = """
class TooSmall(ValueError): pass
class Shape:
    def __init__(self, side):
        if side < 0: raise TooSmall("below 0")
        self._side = side
    @property
    def area(self): return self._side ** 2
    def __eq__(self, other): return self._side == other._side
    def __iter__(self): return iter([self._side])
class Square(Shape):
    "A square."
class Stack(list):
    def push(self, item): self.append(item)
def steps(n):
    for i in range(n): yield i
"""


def test_classes_exceptions_and_generators_work_as_in_one_process(course):
    names = course(SHAPES, does=("__eq__", "__ne__", "__iter__", "__next__"))
    exec(
        "square = Square(3)\n"
        "assert square.area == 9 and square == Square(3) and square != Square(4)\n"
        "assert isinstance(square, Shape) and issubclass(Square, Shape)\n"
        "assert not isinstance(3, Shape) and not isinstance(Shape(1), Square)\n"
        "assert [*square] == [3] and Square.__doc__ == 'A square.'\n"
        "square._side = 5\nassert square.area == 25 and square.__dict__ == {'_side': 5}\n"
        "try:\n    Square(-1)\nexcept TooSmall as error:\n    assert str(error) == 'below 0'\n"
        "assert issubclass(TooSmall, ValueError)\n"
        "stack = Stack('ab')\nstack.push('c')\n"
        "assert stack.pop() == 'c' and [*stack] == ['a', 'b']\n"
        "made = steps(2)\nassert next(made) == 0 and [*made] == [1] and next(made, 7) == 7\n",
        names,
    )
    assert isinstance(names["made"], types.GeneratorType)
    with pytest.raises(AttributeError):
        exec("square.area = 3", names)


def test_a_table_of_pandas_arrives_as_one(course):
    pandas = pytest.importorskip("pandas")
    names = course("import pandas as pd\ndef same(x): return x\ndef rows(t): return t[t.a > 1]")
    table = pandas.DataFrame(
        {"a": [1, 2, 3], "b": ["x", None, "z"], "c": pandas.to_datetime(["2024-02-29"] * 3)},
        index=[7, 8, 9],
    )
    table["d"] = [0.5, np.nan, -1]
    same = names["same"]
    pandas.testing.assert_frame_equal(same(table), table)
    pandas.testing.assert_frame_equal(names["rows"](table), table[table.a > 1])
    for value in (table.c, table.groupby("a").d.mean(), table.set_index(["a", "b"]).d):
        pandas.testing.assert_series_equal(same(value), value)
    assert same(table.c[7]) == table.c[7]
    pandas.testing.assert_index_equal(same(table.columns), table.columns)
    table["e"] = pandas.Categorical(["u", None, "u"], ["v", "u"], ordered=True)
    table["f"] = pandas.Series([table.c[7], np.nan, "x"], dtype=object).to_numpy()
    table.index = pandas.date_range("2024-01-01", periods=3, freq="2D")
    pandas.testing.assert_frame_equal(same(table), table)
    pandas.testing.assert_series_equal(same(table.iloc[0]), table.iloc[0])
    with pytest.raises(TypeError, match="cannot be passed"):
        same(table.c.dt.tz_localize("UTC"))


def test_a_table_of_pandas_that_a_function_changes_is_changed_for_the_test(course):
    pandas = pytest.importorskip("pandas")
    names = course(
        "import pandas\n"
        "def change(t, s):\n    t['b'] = t.pop('a') * 2\n    s.sort_values(inplace=True)"
    )
    table, series = pandas.DataFrame({"a": [1, 2]}), pandas.Series([3, 1], name="s")
    names["change"](table, series)
    pandas.testing.assert_frame_equal(table, pandas.DataFrame({"b": [2, 4]}))
    pandas.testing.assert_series_equal(series, pandas.Series([1, 3], [1, 0], name="s"))


# -- tests that run inside ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("test", "passes", "points"),
    [
        *(("assert f.__code__.co_argcount == 1", True, None), ("assert f(1) == 3", False, None)),
        *(
            ("0.5", True, 0.5),
            ("np.float64(2)", True, 2.0),
            ("3", False, None),
            ("-1", False, None),
        ),
        *(("None", True, None), ("f(1) == 2", True, None), ("f(1) == 3", False, None)),
        *(("'good'", False, None), ("import sys; print(1, file=sys.stderr)", True, None)),
        *(("### BEGIN HIDDEN TESTS\nassert f(1) == 3, '731'", False, None), ("1 +", False, None)),
    ],
)
def test_a_test_that_runs_inside_gives_what_it_gives_outside(course, test, passes, points):
    names = course("import numpy as np\ndef f(x): return 2 * x")
    cell = Cell(test, test=True, points=2, inside=True)
    outputs, lives = run_inside(cell, lambda: names.student)
    assert lives
    assert all(output["output_type"] != "error" for output in outputs) == passes
    assert "731" not in str(outputs) and "stderr" not in str(outputs)
    told = [o["data"]["text/plain"] for o in outputs if o["output_type"] == "execute_result"]
    assert told == ([] if points is None else [repr(points)])


def test_only_a_visible_test_that_runs_inside_shows_what_it_prints(course):
    names = course("def f(x):\n    print('given', x)\n    return 2 * x")
    for source, shown in (("f(731)", True), ("### BEGIN HIDDEN TESTS\nf(731)", False)):
        cell = Cell(f"{source}\nNone", test=True, points=2, inside=True)
        outputs, _lives = run_inside(cell, lambda: names.student)
        assert ("given 731" in str(outputs)) == shown


@pytest.mark.parametrize("later", ["f(1)", "f (1)", "f.calls = 0", "f[0] = 1", "ff = 2", "g = f"])
def test_a_function_is_written_where_it_was_bound_last(later):
    """A cell that tries it out below is not its text: a cause is looked for in that."""
    namespace = Namespace({"f"})
    for source in ("f = 1", "def f(x): return x", later):
        namespace.students_cell(source)
    assert namespace.written("f") == "def f(x): return x"
    namespace.students_cell("f = abs")
    assert namespace.written("f") == "f = abs"
