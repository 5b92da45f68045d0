"""What check doubts, and what it does not, when cells are run in all kinds of orders."""

import json
import subprocess
import sys
from types import SimpleNamespace

import pytest
from classroom import read_release, surroundings

from autograder.exercises import LESSONS
from illustrated_attention import notebook_state

GOOD = "def softmax(scores):\n    return scores"
OTHER = "def softmax(scores):\n    return 2 * scores"


class Page:
    """A notebook whose cells are run by hand; `shown` is what stands in them, by id."""

    def __init__(self, monkeypatch):
        for name in ("_runs", "_defined"):
            monkeypatch.setattr(notebook_state, name, type(getattr(notebook_state, name))())
        monkeypatch.setattr("IPython.get_ipython", lambda: SimpleNamespace(user_ns=self.names))
        self.names: dict = {}
        self.shown: dict[str, str] = {}

    def run(self, cell: str, source: str) -> None:
        self.shown[cell] = source
        result = SimpleNamespace(
            info=SimpleNamespace(raw_cell=source, cell_id=cell),
            error_before_exec=None,
            error_in_exec=None,
        )
        notebook_state._cell_begins(result.info)
        try:
            code = compile(source, cell, "exec")
        except SyntaxError as error:
            result.error_before_exec = error
        else:
            try:
                exec(code, self.names)
            except Exception as error:
                result.error_in_exec = error
        notebook_state._cell_ended(result)

    def doubt(self, page_tells: bool = True) -> str | None:
        """What `check(softmax)` in the cell "check", between "home" and "below", doubts."""
        if page_tells:
            order = ["above", "home", "variant", "check", "below"]
            cells = [[id, self.shown.get(id, "")] for id in order if id in self.shown]
            here = sum(order.index(id) < order.index("check") for id, _s in cells)
            cells.insert(here, ["check", "check(softmax)"])
            notebook_state.told(json.dumps(cells))
        notebook_state._cell_begins(SimpleNamespace(cell_id="check"))
        return notebook_state.doubt("softmax", self.names["softmax"])


@pytest.fixture
def page(monkeypatch):
    return Page(monkeypatch)


def test_a_cell_that_did_not_run_is_told_also_where_the_page_tells_nothing(page):
    page.run("home", GOOD)
    page.run("home", "def softmax(scores:\n    return 1")
    assert "stopped with SyntaxError" in page.doubt(page_tells=False)
    page.run("home", "1 / 0\n" + OTHER)
    assert "stopped with ZeroDivisionError" in page.doubt()
    page.run("home", OTHER)
    assert page.doubt() is None


def test_a_cell_that_stopped_in_an_indented_definition_is_told(page):
    page.run("home", GOOD)
    page.run("variant", "if True:\n    def softmax(scores):\n        return scores +")
    assert "stopped with SyntaxError" in page.doubt(page_tells=False)
    page.run("home", "    def softmax(scores):\n        return scores +")
    assert "stopped with IndentationError" in page.doubt(page_tells=False)


def test_a_function_that_its_cell_defines_no_more_is_told(page):
    page.run("home", GOOD)
    page.run("home", GOOD.replace("softmax", "sofmax"))
    for page_tells in (True, False):
        assert "does not define it any more" in page.doubt(page_tells)
    page.run("home", "def sofmax(")
    assert "stopped with SyntaxError" in page.doubt(page_tells=False)
    page.run("home", GOOD)
    assert page.doubt() is None


def test_a_cell_that_was_changed_and_not_run_is_told(page):
    page.run("home", GOOD)
    page.shown["home"] = OTHER
    assert "You changed the cell" in page.doubt()
    assert page.doubt(page_tells=False) is None  # it cannot be known
    page.shown["home"] = "def softmax("
    assert "You changed the cell" in page.doubt()


def test_a_definition_from_elsewhere_is_told(page):
    page.run("home", GOOD)
    page.run("below", OTHER)
    assert "comes from another cell" in page.doubt()
    page.run("home", GOOD)
    assert page.doubt() is None


def test_a_cell_that_was_deleted_is_told(page):
    page.run("home", GOOD)
    page.run("below", "x = 1")
    page.shown["home"] = ""
    assert "You changed the cell" in page.doubt()
    del page.shown["home"]
    assert "no longer in the notebook" in page.doubt()


@pytest.mark.parametrize(
    "runs",
    [
        [("home", GOOD), ("variant", OTHER)],  # the last one above the check counts
        [("home", GOOD), ("home", GOOD)],
        [("home", "softmax = abs")],
        [("home", "import math\nsoftmax = math.exp  # a name")],
        [("above", "def helper(x): return x"), ("home", "def softmax(s): return helper(s)")],
        [("home", GOOD + "\nsoftmax(1)\n1 / 0")],  # it stands there, whatever came after
        [("above", "1 / 0"), ("home", GOOD)],
        [("home", "from math import exp as softmax"), ("home", "from math import exp as softmax")],
        [("home", GOOD), ("below", "class A:\n    def softmax(self): return 1 +")],
        [("home", "def softmax("), ("home", GOOD)],
        [("home", GOOD), ("below", "softmax_of_rows = 1")],
        [("home", GOOD), ("below", "if softmax == 3: pass")],
    ],
)
def test_honest_ways_are_not_doubted(page, runs):
    for cell, source in runs:
        page.run(cell, source)
    assert page.doubt() is None
    assert page.doubt(page_tells=False) is None


def test_a_comment_or_a_space_is_no_change(page):
    page.run("home", GOOD)
    page.shown["home"] = "# mine\n" + GOOD + "\n\n"
    assert page.doubt() is None


def test_outside_of_a_notebook_nothing_is_doubted():
    assert notebook_state.doubt("softmax", abs) is None


def test_the_first_cell_of_a_lesson_waits_for_nothing_that_only_check_and_answer_need():
    """No answer key is read after it either, where what it has defined is noted."""
    cells = [
        next(cell.source for cell in read_release(lesson).cells if cell.cell_type == "code")
        for lesson in LESSONS
    ]
    later = {"answer_keys", "byte_pairs", "cards", "examine", "outcomes", "safetensors_file"}
    program = (
        "import sys\nfrom IPython.core.interactiveshell import InteractiveShell\n"
        "opened, shell = [], InteractiveShell.instance()\n"
        "sys.addaudithook(lambda event, args: event == 'open' and opened.append(str(args[0])))\n"
        f"for cell in {cells!r}:\n"
        "    shell.run_cell(cell.rpartition('\\ncolour_key(')[0] or cell).raise_error()\n"
        "print(*(name.partition('.')[2] for name in sys.modules if 'illustrated' in name))\n"
        "print(*(path for path in opened if 'answers' in path))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=surroundings(), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    *_said, modules, read = done.stdout.split("\n")[:-1]
    assert {"checking", "contents", "figures.self_attention"} <= set(modules.split())
    assert later.isdisjoint(modules.split()) and read == ""
