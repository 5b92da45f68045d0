"""Whether what a hidden test would find has changed since."""

import builtins
import decimal
import json
import os
import random
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from classroom import ROOT

from autograder.sandbox.inside import written
from autograder.sandbox.inside.shell import make_shell
from autograder.sandbox.inside.state import State, Unknown
from autograder.sandbox.instructors_code import OPEN, Source, asked_by, bound_names, setting
from autograder.sandbox.running_tests import BEGIN_HIDDEN, Cell, hold
from autograder.sandbox.student_process import StudentProcess, Zygote
from autograder.sandbox.time_limits import Limits

SOLUTIONS = sorted((ROOT / "solutions").glob("*/*.ipynb"))


def state(source: str, names: str) -> tuple[State, dict]:
    notebook = {"__name__": "notebook"}
    exec(source, notebook)
    return State(names.split(), notebook), notebook


F = "import numpy as np\nseen, factors = [], {'two': 2}\ndef helper(x): return factors['two'] * x\n"
F += "def f(x, most=np.array([9.0])): return np.minimum(helper(x), most)\n"
WITHIN = "from contextlib import contextmanager\ndef helper(): return 0\n"
PLT = "import matplotlib.pyplot as plt\ndef f(x): return x"
SCANNER = "import json\njson.decoder.scanner = json.JSONDecoder.decode = None"
LINES = "import io, sys\nsys.stdin = io.StringIO('1\\n2\\n')\n"
THIS_ONE = "import sys, types\nsys.modules['this_one'] = types.ModuleType('this_one')"
C = "class C:\n    two = 2\n    def __init__(self): self.own = [1]\n    def times(self, x): "
C += "return self.two * f(x)\ndef f(x): return x\nc = C()\n"


@pytest.mark.parametrize(
    ("source", "later"),
    [
        (F, "def f(x): return x"),
        (F, "def helper(x): return x"),
        (F, "factors['two'] = 3"),
        (F, "f.__defaults__[0][0] = 1"),
        (F, "f.__defaults__ = None"),
        (F, "f.__code__ = helper.__code__"),
        (F, "f.calls = 1"),
        (F, "np = None"),
        (F, "del helper"),
        (F + "import colorsys as np\nnp.minimum = min", "np.minimum = max"),
        (F, "f = 2**20000"),
        ("import json\ndef f(x): return json.decoder.scanner.NUMBER_RE", SCANNER),
        ("from json import JSONDecoder as J\ndef f(x): return J().decode(x)", SCANNER),
        ("import json\ndef f(x): return json.JSONDecoder.decode", SCANNER),
        (F, "minimum = 1"),  # an attribute of that name: nobody knows better
        ("def f(x): return sum(x)", "def sum(x): return 0"),
        ("def f(x): return [later(v) for v in x]", "def later(v): return v"),
        ("f = lambda x: x", "f = lambda x: x"),
        ("from functools import partial\nf = partial(pow, 2)", "f = partial(pow, 3)"),
        ("def make(n):\n    return lambda x: n * x\nf = make(2)", "f = make(3)"),
        ("def make():\n    n = [0]\n    return lambda: n.append(1)\nf = make()", "f()"),
        ("f = [float('nan'), {1: (2, {3})}]", "f[1][1][1].add(4)"),
        ("f = 0.0", "f = -0.0"),
        ("f = 1", "f = True"),
        ("import random\ndef f(): return random.random()", "random.random()"),
        ("import random as r\ndef f(): return r.choice([1])", "r.random()"),
        ("def f(table): return table.sample(3)", "import random\nrandom.random()"),
        ("def f(x): return str(x)", "import numpy as np\nnp.set_printoptions(precision=3)"),
        ("def f(x): return x", "import os\nos.environ['SET'] = 'by a later cell'"),
        ("def f(x): return x", "import decimal\ndecimal.getcontext().prec = 5"),
        ("def f(x): return x", "import sys\nsys.setrecursionlimit(sys.getrecursionlimit() + 1)"),
        ("def f(): print(1)", "import sys, io\nsys.stdout = io.StringIO()"),
        ("def f(x): return x", "import builtins\nbuiltins.input = lambda: 7"),
        (LINES + "def f(): return input()", "sys.stdin = io.StringIO('1')"),
        (LINES + "def f(): return input()", "sys.stdin.readline()"),
        ("def f(x): return x", "open('a.txt', 'w').close()"),
        ("def f(x): return x", "f.__doc__ = 'words'"),
        ("def f(x: int): return x", "f.__annotations__['x'] = float"),
        (C + "f = c", "C.__doc__ = 'words'"),
        (PLT, "plt.rcParams['lines.marker'] = 'o'"),
        (PLT, "plt.plot([1])"),
        ("def f(x):\n    import this_one as m\n    return m.x", THIS_ONE),
        (WITHIN + "@contextmanager\ndef f(): yield helper()", "def helper(): return 1"),
        ("import numpy as np\nf = np.zeros(1)", "f.flags.writeable = False"),
        ("import numpy as np\na = np.zeros(2)\nb = a[:1]\ndef f(): return a, b", "b = b.copy()"),
        ("seen = []\nadd = seen.append\ndef f(x): add(x)", "f(1)"),
        ("import numpy as np\ndef f(): return np.random.normal()", "np.random.normal()"),
        (C + "f = c", "c.own.append(2)"),
        (C + "f = c", "C.two = 3"),
        (C + "f = c", "C.times = None"),
        (C + "class D(C): pass\nf = D()", "C.two = 3"),
        (C + "f = c.times", "c.own = 1"),
        (C + "g = c.times\ndef f(x): return g(x)", "C.two = 3"),
    ],
)
def test_a_change_is_seen(source, later):
    before, notebook = state(source, "f")
    exec(later, notebook)
    assert not before.is_unchanged()


SET = [(sys, "stdin"), (sys, "stdout"), (builtins, "input")]
SET += [(json.decoder, "scanner"), (json.JSONDecoder, "decode")]


@pytest.fixture(autouse=True)
def _settings(monkeypatch, tmp_path):
    """What cells set for all that comes after them ends with each test."""
    for place, name in SET:
        monkeypatch.setattr(place, name, vars(place)[name])
    monkeypatch.chdir(tmp_path)
    state, limit, environ = random.getstate(), sys.getrecursionlimit(), dict(os.environ)
    with np.printoptions(), decimal.localcontext(), plt.rc_context():
        yield
    plt.close("all")
    random.setstate(state)
    sys.setrecursionlimit(limit)
    os.environ.clear()
    os.environ.update(environ)
    sys.modules.pop("this_one", None)
    sys.modules.pop("colorsys", None)


def test_a_file_that_was_written_since_is_seen(monkeypatch):
    before, _notebook = state("def f(): return open('a.txt').read()", "f")
    monkeypatch.setitem(written._written, "a.txt", b"1")
    assert not before.is_unchanged()


@pytest.mark.parametrize(
    ("source", "later"),
    [
        (F, "f(1), helper(2)"),
        (F, "other = 1\nseen.append(1)\ndef g(): return f(1)"),
        (F, "factors = {'two': 2}"),  # the same value
        ("f = [float('nan'), {1: (2, {'b', 'a'})}]\nf.append(f)", "f[0] = float('nan')"),
        (C + "h = c.times(1)\nf = c", "C()"),
        ("def f(x): return x if x < 2 else f(x - 1) + f(x - 2)", "f(9)"),
        ("import numpy as np\nf = np.float64(1)", "import numpy as np"),
    ],
)
def test_what_stays_the_same_is_seen_to(source, later):
    before, notebook = state(source, "f missing")
    exec(later, notebook)
    assert before.is_unchanged()


@pytest.mark.parametrize(
    "source",
    [
        "f = iter([1])",
        "f = open('/dev/null')",
        "class Stack(list): pass\nf = Stack([1])",
        "class E(Exception): pass\nf = E('words')",
        "import functools\n@functools.singledispatch\ndef f(x): return 0",
        "import numpy as np\nf = np.frompyfunc(lambda x: x, 1, 1)",
        "def f(x): return globals()['helper'](x)",
        "def f(x): return eval('helper(x)')",
        "class C: pass\ndef f(): return len(C.__subclasses__())",
        "import sys\ndef f(x): return sys.modules['__main__'].helper(x)",
        "import types\nf = types.ModuleType('math')",
        "names = {}\nexec('def f(x): return x', names)\nf = names['f']",
        "f = list(range(10**6))",
        "f = {2**20000}",
        "class C:\n    __module__ = []\nf = C",
        "class C:\n    __class__ = property(lambda self: 1 / 0)\nC.__module__ = 7\nf = C()",
        "class C:\n    __slots__ = ('a',)\nf = C()",
        "class M(type): pass\nclass C(metaclass=M): pass\nf = C()",
        "import numpy as np\nf = np.random.default_rng(0)",
        "from random import randint\ndef f(): return randint(1, 6)",
        "from numpy.random import normal\ndef f(): return normal()",
        "f = 'a' * (5 << 20)",
        "f = [[i] for i in range(9999)]",
        "f = []\nfor _ in range(5000): f = [f]",
    ],
)
def test_of_what_cannot_be_compared_nothing_is_said(source):
    with pytest.raises(Unknown):
        state(source, "f")


@pytest.mark.parametrize(
    "source", ["import mine as f", "from mine import f", "from mine import C as f"]
)
def test_of_modules_that_were_handed_in_nothing_is_said(source, tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text("seen = []\ndef f(x): seen.append(x)\nclass C: pass\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "mine", raising=False)
    with pytest.raises(Unknown):
        state(source, "f")


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("from autograder import judge\nverdict = judge(f, 'f')\nassert verdict.passed", "f"),
        ("x = 1\nassert f(x) == y", "f y"),
        ("assert x == 1\nx = 2", "x"),
        ("if a:\n    x = 1\nassert x", "a x"),
        ("def g(v): return f(v)\nassert g(1)", "f v"),
        ("x += 1", "x"),
        ("del f", "f"),
        ("for i in items: assert i", "items i"),
    ],
)
def test_what_a_test_finds_is_what_it_does_not_bind_before(cell, names):
    assert asked_by(cell) == set(names.split())


def test_what_may_ask_for_any_name_is_not_known():
    assert asked_by("assert 'f' in globals()") is None


@pytest.mark.skipif(sys.platform != "linux", reason="confinement needs Linux")
class TestOneRun:
    """In one process, because nothing changes what a hidden test asks for."""

    def test_is_enough_for_each_lesson(self, zygote):
        for path in SOLUTIONS:
            cells = list(code_cells(path))
            sources = tuple(Source(cell.source, OPEN) for cell in cells if not cell.test)
            known = setting(sources)
            names = set(bound_names(tuple(source.text for source in sources)) - known.own.keys())
            cells = [asks_only(cell, names) if cell.test else cell for cell in cells]
            need_one_run(zygote, cells, names, known)

    def test_is_enough_where_tests_import_what_the_notebook_does(self, zygote):
        cells = [
            Cell("import numpy as np\ndef f(x): return np.sum(x)"),
            Cell("import numpy as np\nassert f(np.ones(2)) == 2", test=True),
            Cell(f"{BEGIN_HIDDEN}\nimport numpy as np\nassert f(np.ones(3)) == 3", test=True),
            Cell("import numpy as np\nassert f(np.ones(4)) == 4", test=True),
            Cell(f"{BEGIN_HIDDEN}\nimport numpy as np\nassert f(np.ones(5)) == 5", test=True),
        ]
        need_one_run(zygote, cells, {"f"}, setting((Source(cells[0].source, OPEN),)))


@pytest.fixture(scope="module")
def zygote():
    with Zygote() as zygote:
        yield zygote


def need_one_run(zygote, cells, names, known) -> None:
    told, started = [], []

    def start(limits):
        started.append(StudentProcess(zygote, limits))
        return started[-1]

    def tell(*what):
        told.append(what)

    nothing: frozenset = frozenset()
    shell = make_shell(pictures=False)
    hold(cells, names, known, start, Limits(), shell, False, nothing, nothing, tell)
    assert len(started) == 1
    of_hidden = [w[2] for w in told if w[0] == "outputs" and cells[w[1]].hidden]
    assert of_hidden == [[]] * sum(cell.hidden for cell in cells) != []


def code_cells(path: Path):
    for cell in json.loads(path.read_bytes())["cells"]:
        if cell["cell_type"] == "code":
            meta = cell["metadata"].get("nbgrader", {})
            test = bool(meta.get("grade") and not meta.get("solution"))
            yield Cell("".join(cell["source"]), test=test)


def asks_only(test: Cell, names: set[str]) -> Cell:
    """A test in place of another one: it asks for the same, and judges nothing."""
    asked = ", ".join(sorted(asked_by(test.source) & names))
    return Cell(f"{BEGIN_HIDDEN if test.hidden else ''}\nfound = [{asked}]", test=True)
