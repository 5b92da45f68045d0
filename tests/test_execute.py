"""nbgrader's own commands grade with confined students and an outside judge."""

import copy
import json
import logging
import os
import shutil
import subprocess
import sys
import warnings

import nbformat
import pytest
from nbformat.v4 import new_code_cell
from nbgrader.api import Gradebook
from pictures import make_png
from small_course import ASSIGNMENT, CELLS, FULL, NOTEBOOK, SECRET, SOFTMAX

from autograder.nbgrader_steps import execute
from autograder.sandbox import running_tests
from autograder.sandbox.grader import Grader
from autograder.sandbox.inside import confine, hook
from autograder.sandbox.inside.shell import make_shell
from autograder.sandbox.instructors_code import Setting
from autograder.sandbox.running_tests import Cell
from autograder.sandbox.student_process import GraderFailure, PutOff, StudentTimeout
from autograder.sandbox.time_limits import QUICK, SLOW, SLOW_AGAIN, Budget, Limits, seconds_after

pytestmark = pytest.mark.usefixtures("confined")


@pytest.fixture(scope="module")
def grader():
    with Grader() as grader:
        yield grader


def test_marks_are_those_of_stock_nbgrader(course, monkeypatch):
    """Honest work of several kinds, graded by both."""
    hand_ins = {
        "solved": {},
        "wrong": {"softmax": "def softmax(s):\n    return s", "double": "double = abs"},
        "partly": {"double": "def double(x):\n    return 2 * x if np.ndim(x) else 5.5"},
        "noisy": {"softmax": "print(1)\n" + SOFTMAX.replace("):", "):\n    print(2)")},
        "broken": {"softmax": "def softmax(:"},
        "essay": {"essay": "Because order does not matter."},
    }
    for student, cells in hand_ins.items():
        course.hand_in(student, **cells)
    for student, befall in {"copied": _copy_solutions, "dragged": _drag_a_solution}.items():
        course.hand_in(student, befall(course.released()))
        hand_ins[student] = {}
    blank = course.hand_in("blank")
    nbformat.write(course.released(), blank / f"{NOTEBOOK}.ipynb")
    students = [*hand_ins, "blank"]
    course.autograde()
    ours = {student: course.scores(student) for student in students}
    copied = ours.pop("copied")  # this stops stock nbgrader
    shutil.rmtree(course.submitted("copied").parent)
    root = os.path.dirname(os.path.dirname(os.path.abspath(execute.__file__)))
    monkeypatch.setenv("PYTHONPATH", root)  # stock kernels import the judge
    course.autograde(stock=True)
    assert ours == {student: course.scores(student) for student in ours}
    assert ours["solved"] == ours["dragged"] == copied == FULL
    assert sum(ours["blank"].values()) == 0


def _copy_solutions(notebook):
    """Copies of solution cells at the end, with their metadata: the untouched stub, a variant."""
    for cell in [cell for cell in notebook.cells if cell.id in ("double", "softmax")]:
        copied = copy.deepcopy(cell)
        copied.id = f"{cell.id}-copy"
        copied.source = copied.source if cell.id == "double" else "def softmax(x):\n    return x"
        notebook.cells.append(copied)
    return notebook


def _drag_a_solution(notebook):
    """A solution cell and a cell of one's own behind it, on top."""
    own = new_code_cell("import numpy as np", id="own")
    softmax = next(cell for cell in notebook.cells if cell.id == "softmax")
    notebook.cells = [softmax, own, *(c for c in notebook.cells if c.id != "softmax")]
    del notebook.cells[2]  # the released imports
    return notebook


def test_the_command_nbgrader_autograde_grades_so(course):
    course.hand_in("ada", double="import os\nprint('pid', os.getpid())\ndouble = lambda x: 2 * x")
    (course.root / "nbgrader_config.py").write_text(
        "from autograder.nbgrader_steps import settings\n"
        "c = get_config()\nsettings.configure_grading(c)\n"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "nbgrader", "autograde", ASSIGNMENT, "--course=small"]
    run = subprocess.run(command, cwd=course.root, env=env, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert "confined by" in run.stderr
    assert course.scores("ada") == FULL


def test_grading_again_changes_nothing_and_keeps_what_people_wrote(course):
    course.hand_in("ada", essay="Because.")
    course.autograde()
    with Gradebook(course.config.CourseDirectory.db_url) as gradebook:
        grade = gradebook.find_grade("essay", NOTEBOOK, ASSIGNMENT, "ada")
        grade.manual_score, grade.extra_credit = 2.5, 0.5
        comment = gradebook.find_comment("essay", NOTEBOOK, ASSIGNMENT, "ada")
        comment.manual_comment = "Good point."
        gradebook.db.commit()
    before, cells = course.scores("ada"), course.graded("ada").cells
    course.autograde()
    assert course.scores("ada") == before
    assert course.graded("ada").cells == cells
    with Gradebook(course.config.CourseDirectory.db_url) as gradebook:
        grade = gradebook.find_grade("essay", NOTEBOOK, ASSIGNMENT, "ada")
        assert (grade.manual_score, grade.extra_credit) == (2.5, 0.5)
        comment = gradebook.find_comment("essay", NOTEBOOK, ASSIGNMENT, "ada")
        assert comment.manual_comment == "Good point."


def test_a_damaged_hand_in_costs_its_owner_only_and_tells_why(course):
    course.hand_in("ada")
    (course.hand_in("bob") / f"{NOTEBOOK}.ipynb").write_text("{")
    (course.hand_in("cleo") / f"{NOTEBOOK}.ipynb").write_bytes(b"\xff\xfe")
    course.autograde()
    assert course.scores("ada") == FULL
    for student in ("bob", "cleo"):
        assert course.total(student) == 0
        first = course.graded(student).cells[0]
        assert first.cell_type == "markdown"
        assert "could not be graded" in first.source


def test_without_the_released_notebook_nobody_is_graded(course, caplog):
    course.hand_in("ada")
    (course.root / "release" / ASSIGNMENT / f"{NOTEBOOK}.ipynb").unlink()
    with pytest.raises(Exception, match="errors"), caplog.at_level(logging.ERROR):
        course.autograde()
    assert "generate_assignment" in caplog.text


def test_the_student_reads_the_judges_card_and_no_secret(course):
    course.hand_in("ada", softmax=SOFTMAX.replace("axis=-1", "axis=0"), double="double = abs")
    course.autograde()
    card, failure = course.outputs("ada", "softmax_check")
    assert "Which axis runs over the keys?" in card.data["text/html"]
    assert "<section" in card.data["text/html"]
    assert failure.output_type == "error"
    (hidden,) = course.outputs("ada", "double_hidden")
    assert hidden.evalue == "A hidden test failed with AssertionError."
    assert str(SECRET) not in json.dumps([c.get("outputs") for c in course.graded("ada").cells])


def test_figures_and_prints_of_students_are_kept(course):
    course.hand_in(
        "ada",
        double="import matplotlib.pyplot as plt\nprint('hello')\nplt.plot([1, 2])\nplt.show()\n"
        "def double(x):\n    return 2 * x",
    )
    course.autograde()
    said, drawn = course.outputs("ada", "double")
    assert said.text == "hello\n"
    assert drawn.data["image/png"].startswith("iVBOR")


def test_the_courses_own_figures_and_widgets_are_not_drawn_anew(grader):
    source = (
        "from illustrated_attention.figures.self_attention import attention_row\n"
        "from illustrated_attention.widgets.kv_cache import cache_stepper\n"
        "import numpy as np\nones = np.ones((2, 2))\n"
        "keep = lambda cache, k, v: (ones[: len(cache[0]) + 1],) * 2 if cache else (k, v)\n"
        "display(cache_stepper(['a', 'b'], [(ones, ones, ones)], keep))\n"
        "attention_row(['a', 'b'], ones / 2, query=1)"
    )
    (outputs,) = grader.grade([Cell(source)], set())
    told = {"text/plain": "This figure is drawn in your notebook."}
    assert [output["data"] for output in outputs] == [told, told]


def test_a_machine_without_confinement_refuses_unless_told(course, monkeypatch, caplog):
    course.hand_in("ada")
    monkeypatch.setattr(execute, "_grader", None)
    monkeypatch.setenv("PATH", "/nonexistent")  # no bubblewrap

    class WithoutLandlock(Grader):
        def __init__(self, unsafe, wait):
            from autograder.sandbox.student_process import Zygote

            if not unsafe:
                Zygote(confine.Layers(seccomp=True))
            super().__init__(unsafe, wait)

    monkeypatch.setattr("autograder.sandbox.grader.Grader", WithoutLandlock)
    with pytest.raises(Exception, match="errors"), caplog.at_level(logging.ERROR):
        course.autograde()
    assert "cannot be confined here" in caplog.text
    course.autograde(ConfinedExecute={"unsafe": True})
    assert "UNCONFINED" in caplog.text
    assert course.scores("ada") == FULL


def test_nothing_is_copied_of_a_hand_in_with_links_or_pipes(course, tmp_path):
    (tmp_path / "secret").write_text("the instructor's")
    (course.hand_in("link") / "data.txt").symlink_to(tmp_path / "secret")
    (course.hand_in("zero") / "timestamp.txt").unlink()
    (course.submitted("zero") / "timestamp.txt").symlink_to("/dev/zero")
    (course.hand_in("pipe") / f"{NOTEBOOK}.ipynb").unlink()
    os.mkfifo(course.submitted("pipe") / f"{NOTEBOOK}.ipynb")
    course.hand_in("ada")
    course.autograde()
    assert course.scores("ada") == FULL
    for student in ("link", "zero", "pipe"):
        assert course.total(student) == 0
        assert "link or no ordinary file" in course.graded(student).cells[0].source
        graded = course.root / "autograded" / student / ASSIGNMENT
        kept = {path.name for path in graded.iterdir()} - {"timestamp.txt", "refused.txt"}
        assert kept == {f"{NOTEBOOK}.ipynb"}


def test_other_systems_grade_as_stock_does_with_a_warning(course, monkeypatch, caplog):
    course.hand_in("ada")
    monkeypatch.setattr(execute.sys, "platform", "darwin")
    root = os.path.dirname(os.path.dirname(os.path.abspath(execute.__file__)))
    monkeypatch.setenv("PYTHONPATH", root)
    course.autograde()
    assert "UNCONFINED" in caplog.text
    assert course.scores("ada") == FULL


# -- one notebook, without nbgrader ----------------------------------------------------------------

CHECK = "assert f(2) == 4"


HIDDEN = "### BEGIN HIDDEN TESTS\n"


def passed(outputs) -> bool:
    return not any(output["output_type"] == "error" for output in outputs)


def test_a_cell_that_dies_costs_only_its_own_exercise(grader):
    cells = [
        Cell("def g(x): return x + 1"),
        Cell("import os\nos._exit(1)"),
        Cell("assert g(1) == 2", test=True, points=1),
        Cell("def f(x):\n    import os\n    os._exit(1)"),
        Cell(CHECK, test=True, points=1),
        Cell("def f(x): return x + x"),
        Cell(CHECK, test=True, points=1),
    ]
    outcomes = [passed(outputs) for outputs in grader.grade(cells, {"f", "g"})]
    assert outcomes == [True, False, True, True, False, True, True]


@pytest.mark.parametrize(
    ("last", "good"),
    [
        *(("None", True), ("True", True), ("1", True), ("0.5", True), ("0", True)),
        *(("np.float64(1)", True), ("np.True_", True), ("False", False), ("np.False_", False)),
        *(("-1", False), ("2", False), ("float('nan')", False), ("'text'", False), ("[1]", False)),
    ],
)
def test_the_last_line_is_a_number_of_points_or_no_verdict(grader, last, good):
    (outputs,) = grader.grade([Cell(f"import numpy as np\n{last}", test=True, points=1)], set())
    assert passed(outputs) == good
    shown = [o["data"]["text/plain"] for o in outputs if o["output_type"] == "execute_result"]
    is_number = good and last not in ("None", "True", "np.True_")
    assert shown == ([str(float(eval(last.replace("np.float64", ""))))] if is_number else [])


def test_a_value_that_overwhelms_a_test_costs_that_test_only(grader):
    cells = [
        Cell("def f(x): return 1\ndef g(x): return 2"),
        Cell("while f(1): pass", test=True, points=1),
        Cell("x = [0] * (10**12 * f(1))", test=True, points=1),
        Cell("import os\nos.kill(os.getpid(), 9 * f(1))", test=True, points=1),
        Cell("assert g(1) == 2", test=True, points=1),
        Cell("### BEGIN HIDDEN TESTS\nassert g(1) == 2", test=True, points=1),
    ]
    outputs = grader.grade(cells, {"f", "g"}, limits=Limits(0.5, 1.0), test_seconds=2)
    assert [passed(o) for o in outputs] == [True, False, False, False, True, True]


@pytest.mark.parametrize("hidden", ["", HIDDEN])
@pytest.mark.parametrize("ends", ["import os\nos.kill(os.getpid(), 9 * g(1))", "end()"])
def test_what_a_test_has_defined_is_there_whatever_ends_another_one(grader, hidden, ends):
    cells = [
        Cell("import os\ndef f(x): return 2 * x\ndef g(x): return 1\ndef end(): os._exit(1)"),
        Cell(hidden + "expected = 4", test=True),
        Cell(hidden + ends, test=True),
        Cell(HIDDEN + "assert f(2) == expected", test=True),
    ]
    outputs = grader.grade(cells, {"f", "g", "end"})
    assert [passed(o) for o in outputs[1:]] == [True, False, True]


def test_a_new_process_goes_through_what_tests_did_once_and_in_its_place(grader):
    cells = [
        Cell("def f(): return x"),
        Cell("x = 1\nassert f() == 1", test=True),
        Cell("x = 2"),
        Cell("assert x == 2", test=True, inside=True),
        Cell("import os\nos._exit(1)"),
        Cell("assert f() == 2", test=True),
    ]
    setting = Setting(shared=frozenset({"x"}))
    outputs = grader.grade(cells, {"f", "x"}, setting=setting)
    assert [passed(o) for o in outputs] == [True, True, True, True, False, True]


def test_the_notebooks_time_is_limited_and_late_tests_fail(grader):
    sleepy = [Cell("import time\ntime.sleep(0.8)")] * 5
    cells = [*sleepy, Cell("def f(x): return 4"), Cell(CHECK, test=True, points=1)]
    outputs = grader.grade(cells, {"f"}, seconds=1.5)
    assert not passed(outputs[-1])
    assert not passed(outputs[4])  # was not even begun


def test_a_test_without_an_outcome_is_no_pass(grader, monkeypatch):
    monkeypatch.setattr(grader, "_ask", lambda request: {"outputs": {}})
    with pytest.raises(GraderFailure, match="without an outcome"):
        grader.grade([Cell("f(1)", test=True, points=1)], {"f"})


def test_test_cells_share_their_names_and_students_cannot_see_them(grader):
    cells = [
        Cell("def f(x): return x"),
        Cell("limit = 7", test=True),
        Cell("try:\n    limit\nexcept NameError:\n    print('unseen')"),
        Cell("assert f(limit) == 7", test=True),
        Cell("### BEGIN HIDDEN TESTS\nassert f(limit) == 7\n### END HIDDEN TESTS", test=True),
    ]
    outputs = grader.grade(cells, {"f"})
    assert all(map(passed, outputs))
    assert outputs[2][0]["text"] == "unseen\n"


# What a function of the first cell uses, and what a later cell does to it.
CHANGED_LATER = [
    ("def helper(x): return 2 * x\ndef f(x): return helper(x)", later)
    for later in (
        *("def f(x): return -1", "def helper(x): return -1", "from math import exp as helper"),
        *("def change():\n    global helper\n    helper = abs\nchange()", "del helper, f"),
        *("import os\nos._exit(1)", "%time helper = abs", "for helper in [abs]: pass", "def ("),
        *("limit = -1", "import os as other", "print(f(1))", "f.__code__ = (lambda x: 3).__code__"),
        *("globals()['helper'] = abs", "exec('helper = abs')", "import math as helper"),
    )
] + [
    ("factors = {'two': 2}\ndef f(x): return factors['two'] * x", "factors['two'] = 3"),
    ("class C: two = 2\ndef f(x): return C.two * x", "C.two = 5"),
    ("def f(x): return f.two * x\nf.two = 2", "f.two = 3"),
    ("twos = iter([2] * 3)\ndef f(x): return next(twos) * x", "list(twos)"),
    ("import numpy as np\ndef f(x): return np.multiply(2, x)", "np.multiply = None"),
    ("def f(x, seen=[]):\n    seen.append(x)\n    return 2 * x / (len(seen) < 3)", "f(1), f(1)"),
]


@pytest.mark.parametrize(("above", "below"), CHANGED_LATER)
def test_a_hidden_test_sees_the_functions_of_its_own_place(grader, above, below):
    cells = [
        Cell(above),
        Cell("limit = 4", test=True),
        Cell(HIDDEN + "assert f(2) == limit\nlimit = 6", test=True),
        Cell(below),
        Cell("unlimited = 5", test=True),
        Cell("def f(x): return x + 1"),
        Cell("limit = 7", test=True),
        Cell(HIDDEN + "assert f(limit) == 8", test=True),
    ]
    outputs = grader.grade(cells, {"f"})
    assert passed(outputs[2]) and passed(outputs[-1])


def test_a_function_that_is_repaired_only_later_fails_in_its_place(grader):
    for later in ("factors['two'] = 2", "f.__code__ = (lambda x: 2 * x).__code__"):
        cells = [
            Cell("factors = {'two': 3}\ndef f(x): return factors['two'] * x"),
            Cell(HIDDEN + "assert f(2) == 4", test=True),
            Cell(later),
            Cell(HIDDEN + "assert f(2) == 4", test=True),
        ]
        outputs = grader.grade(cells, {"f"})
        assert [passed(outputs[1]), passed(outputs[3])] == [False, True]


def test_a_function_that_gets_its_helper_only_later_fails_in_its_place(grader):
    cells = [
        Cell("def f(x): return helper(x)"),
        Cell(HIDDEN + "assert f(2) == 4", test=True),
        Cell("def helper(x): return 2 * x"),
        Cell(HIDDEN + "assert f(2) == 4", test=True),
    ]
    outputs = grader.grade(cells, {"f"})
    assert [passed(outputs[1]), passed(outputs[3])] == [False, True]


def test_what_a_hidden_test_does_is_done_for_the_cells_below_it(grader):
    cells = [
        Cell("log = []\ndef f(x):\n    log.append(x)\n    return log"),
        Cell(HIDDEN + "assert f(1) == [1]", test=True),
        Cell("last = list(log)"),
        Cell(HIDDEN + "assert last == [1]", test=True),
    ]
    assert all(map(passed, grader.grade(cells, {"f", "last"})))


@pytest.mark.parametrize("lacking", ["raise", "os._exit(1)"])
def test_what_later_cells_keep_in_memory_takes_no_room_from_a_hidden_test(grader, lacking):
    """Some code ends its process where there is no more memory."""
    cells = [
        Cell(
            "import os\nimport numpy as np\ndef f(n):\n    try: return len(np.empty(n))\n"
            f"    except MemoryError: {lacking}"
        ),
        Cell(HIDDEN + "assert f(40_000_000) == 40_000_000", test=True),
        Cell("large = np.empty(110_000_000)"),
    ]
    assert all(map(passed, grader.grade(cells, {"f"})))


def test_a_hidden_test_in_which_the_process_dies_costs_no_other_test(grader):
    cells = [
        Cell("def f(x):\n    import os\n    os._exit(1)"),
        Cell(HIDDEN + "f(1)", test=True),
        Cell("def f(x): return 2 * x"),
        Cell(HIDDEN + "assert f(2) == 4", test=True),
    ]
    outputs = grader.grade(cells, {"f"})
    assert [passed(outputs[1]), passed(outputs[3])] == [False, True]


def test_what_a_function_is_given_in_a_hidden_test_cannot_be_printed(grader):
    cells = [
        Cell("seen = []\ndef f(x):\n    seen.append(x)\n    print(seen)\n    return x"),
        Cell(HIDDEN + "assert f(12345) == 12345", test=True),
        Cell("print(seen)"),
        Cell("f(1)", test=True),
        Cell("print(seen)\ndel f"),
    ]
    outputs = grader.grade(cells, {"f"})
    assert passed(outputs[1])
    assert "12345" not in json.dumps(outputs)


def test_what_a_function_is_given_in_a_hidden_test_chooses_no_name_that_is_told(grader):
    """The names of its kinds of errors are known from a visible test."""
    raising = "kinds = [type(f'Told{i}', (Exception,), {}) for i in range(9)]"
    cells = [
        Cell(raising + "\ndef f(x):\n    if x is None: return kinds\n    raise kinds[x]('words')"),
        Cell("assert len(f(None)) == 9", test=True),
        Cell(HIDDEN + "f(7)", test=True),
        Cell(HIDDEN + "f(8)", test=True),
    ]
    outputs = grader.grade(cells, {"f"})
    told = [o["ename"] for of_cell in outputs for o in of_cell]
    assert passed(outputs[1]) and told == ["an error of its own type"] * 2
    assert "Told" not in json.dumps(outputs)


@pytest.mark.parametrize("given_back", ["del sorted", "from builtins import sorted"])
def test_what_tests_forbid_at_its_place_is_forbidden_in_a_hidden_test(grader, given_back):
    """Whatever the student's process says of itself."""
    says = "import gc\nfrom autograder.sandbox.inside.student import Student\n"
    says += "(it,) = [thing for thing in gc.get_objects() if type(thing) is Student]\n"
    says += "it.answers.update(dict.fromkeys(['remember', 'is_unchanged'], lambda *_: [True]))\n"
    cells = [
        Cell(says + "def arranged(x): return sorted(x)"),
        Cell("def sorted(x): raise AssertionError('write it yourself')", test=True),
        Cell(HIDDEN + "assert arranged([2, 1]) == [1, 2]", test=True),
        Cell(given_back, test=True),
    ]
    assert not passed(grader.grade(cells, {"arranged"})[2])


@pytest.mark.parametrize("hidden", ["", HIDDEN])
@pytest.mark.parametrize("forbid", ["def sum(*args): raise AssertionError", "sum = None"])
def test_a_test_forbids_a_function_of_pythons_own(grader, forbid, hidden):
    """The instructor's own solution does not look it up: that is why it is forbidden."""
    check = "assert total([1, 2]) == 3\ndel sum"
    for total, may in {"sum(x)": False, "x[0] + x[1]": True}.items():
        cells = [
            Cell(f"def total(x): return {total}"),
            Cell("assert total([1, 2]) == 3", test=True),
            Cell(f"{hidden}{forbid}\n{check}", test=True),
        ]
        assert list(map(passed, grader.grade(cells, {"total"}))) == [True, True, may]


def test_what_one_test_leaves_behind_reaches_no_other_hand_in(grader):
    """Nor do its first lines, which are tried before there is any."""
    cells = [
        Cell("def total(x): return x[0] + x[1]"),
        Cell("import numpy as np\nassert str(np.array([0.125])) == '[0.125]'", test=True),
        Cell(
            "import os\nos.mkdir('made')\nos.chdir('made')\nopen('a.txt', 'x').close()", test=True
        ),
        Cell("import numpy as np\nnp.set_printoptions(precision=1)\ntotal([1, 2]) == 3", test=True),
        Cell("import builtins\nbuiltins.sum = None\nassert not total([1, 2])\n", test=True),
        Cell("assert sum([total([1, 2]), 1]) == 4", test=True),
    ]
    for _ in range(2):
        found = [passed(of_cell) for of_cell in grader.grade(cells, {"total"})]
        assert found == [True, True, True, True, False, True]


class Scripted:
    """In place of a student's process: `f` never ends, and what is asked is written down."""

    sync = refresh = None

    def __init__(self, limits, asked):
        self.limits, self.asked, self.alive = limits, asked, True

    def ask(self, request, what, *rest, **how):
        if request == "get":
            return ["ok", lambda x: self.ask("call", f"{what}({x})") if what == "f" else 2 * x]
        self.asked.append((what, self.limits.cpu))
        if what == "f(1)":
            self.alive = False
            raise StudentTimeout("there was no answer in time")
        return ["ok", []]

    def end(self):
        self.alive = False


def test_what_had_to_be_stopped_costs_its_time_once():
    """Endless loops, in a function that others use, must not cost minutes."""
    cells = [
        Cell("def f(x):\n    while True: pass"),
        *[Cell("f(1)")] * 2,
        Cell("assert f(1) == 2", test=True),
        Cell("def g(x): return 2 * x"),
        Cell("assert g(1) == 2", test=True),
        Cell(HIDDEN + "assert g(1) == 2", test=True),
    ]
    asked, told, shell = [], [], make_shell(pictures=False)

    def run(hidden):
        skip = frozenset(what[1] for what in told if what[0] == "stopped")
        slow = frozenset(name for what in told if what[0] == "slow" for name in what[1])
        asked.clear()

        def start(limits):
            return Scripted(limits, asked)

        def tell(*what):
            told.append(what)

        limits = Limits(60.0, 120.0)
        known = cells, {"f", "g"}, Setting()
        running_tests.hold(*known, start, limits, shell, hidden, skip, slow, tell)
        return [cpu for what, cpu in asked if what == "f(1)"]

    assert run(hidden=False) == [60.0, SLOW.cpu, SLOW_AGAIN.cpu]
    assert run(hidden=True) == []  # neither the cells nor the test are run again
    passing = {what[1]: passed(what[2]) for what in told if what[0] == "outputs"}
    assert passing == {0: True, 1: False, 2: False, 3: False, 4: True, 5: True, 6: True}


def test_what_was_found_slow_takes_no_time_from_a_cell_that_had_ended_before():
    """In the second run a cell above may call as long as in the first."""
    cells = [Cell("big = f(1)"), Cell(HIDDEN + "assert big == f(1)", test=True)]
    asked, told = [], []

    def start(limits):
        return Scripted(limits, asked)

    given = cells, {"f", "big"}, Setting(), start, Limits(60.0, 120.0), make_shell(pictures=False)
    running_tests.hold(*given, True, frozenset(), frozenset("f"), lambda *what: told.append(what))
    assert ("big = f(1)", 60.0) in asked and ("f(1)", SLOW.cpu) in asked


def test_an_alarm_of_a_test_cell_does_not_fall_into_the_talk_with_the_student(grader):
    test = (
        "from illustrated_attention.outcomes import Case, call\n"
        "assert call(lambda x: f(x), Case('', (1,)), seconds=0.1).timed_out\n"
        "assert f(2) == 4"
    )
    slow = "import time\ndef f(x):\n    time.sleep(x == 1)\n    return 2 * x"
    outputs = grader.grade([Cell(slow), Cell(test, test=True)], {"f"})
    assert list(map(passed, outputs)) == [True, True], outputs


def test_what_has_worked_is_kept_when_something_else_is_stopped(grader):
    work = "import time\nuntil = time.process_time() + 4\nwhile time.process_time() < until: pass\n"
    cells = [
        Cell(work + "def f(x): return 2 * x"),
        Cell("def g(x):\n    while True: pass"),
        Cell("assert g(1)", test=True),
        Cell("assert f(1) == 2", test=True),
    ]
    outputs = grader.grade(cells, {"f", "g"}, limits=Limits(5.0, 20.0))
    assert [passed(o) for o in outputs] == [True, True, False, True]


def test_both_runs_of_a_notebook_share_its_time(grader):
    slow = "import time\ntime.sleep(2)\ndef f(x): return 4"
    cells = [Cell(slow), Cell(CHECK, test=True), Cell(HIDDEN + CHECK, test=True)]
    assert all(map(passed, grader.grade(cells, {"f"}, seconds=3.5)))  # it needs no second one
    cells.append(Cell("del f"))
    assert all(map(passed, grader.grade(cells, {"f"}, seconds=20)))
    outputs = grader.grade(cells, {"f"}, seconds=3.5)
    assert list(map(passed, outputs)) == [True, True, False, True]
    assert "time is over" in outputs[2][0]["evalue"]


def test_what_a_hidden_test_has_earned_is_kept_when_time_is_over_for_another(grader):
    cells = [
        Cell("import time\ntime.sleep(1.5)\ndef f(x): return 2 * x\ndef g(x): return f(x)"),
        *[Cell(f"{HIDDEN}assert {name}(2) == 4", test=True) for name in "fg"],
        Cell("def g(x): return 0"),
    ]
    outputs = grader.grade(cells, {"f", "g"}, seconds=2.5)
    assert list(map(passed, outputs)) == [True, True, False, True]


def test_a_first_try_whose_time_is_over_between_two_cells_is_put_off(grader):
    """The judge's own time: no cell of the student's has to be stopped."""
    cells = [
        Cell("import time\ntime.sleep(0.5)\ndef f(x): return 2 * x"),
        Cell("import time\nassert f(1) == 2\ntime.sleep(0.8)", test=True),
        Cell(HIDDEN + "assert 'f' in globals() and f(2) == 4", test=True),
    ]
    with pytest.raises(PutOff):
        grader.grade(cells, {"f"}, seconds=1.2, quick=True)


def test_a_first_try_tells_what_it_has_spent(grader):
    cells = [Cell("import time\ntime.sleep(9)"), Cell(CHECK, test=True)]
    with pytest.raises(PutOff) as put_off:
        grader.grade(cells, {"f"}, limits=Limits(0.2, 0.4), quick=True)
    (spent,) = put_off.value.args
    assert 0.3 < spent < 9
    assert seconds_after(30, QUICK.wall + spent) == pytest.approx(30 - spent)
    assert seconds_after(30, QUICK.wall) == 30  # honest work that takes long costs nothing


@pytest.mark.parametrize("later", ["", "del f"])
def test_for_how_long_a_hidden_test_ran_shows_in_no_later_try(grader, later):
    """What time is left for the next try can be seen by how many of its cells run."""
    f = "import time\ndef f(x):\n    time.sleep(x)\n    while not x: pass\n    return x"
    spent = set()
    for seconds in (0.1, 0.6):
        test = f"{HIDDEN}assert f({seconds}) == {seconds}\nf(0)"
        cells = [Cell(f), Cell(test, test=True), Cell(later)]
        with pytest.raises(PutOff) as put_off:
            grader.grade(cells, {"f"}, limits=Limits(0.8, 1.6), quick=True)
        spent.add(put_off.value.args[0])
    assert len(spent) == 1


def test_what_others_take_is_not_taken_from_a_notebooks_time():
    budget = Budget(30)
    budget.start -= 15
    budget.delay(2)
    budget.delay_judge(3)
    assert budget.left() == pytest.approx(20, abs=1)
    budget.next_process()
    budget.delay(4)
    assert budget.left() == pytest.approx(24, abs=1)
    budget.next_judge()  # the next one begins anew
    budget.delay_judge(0)
    assert budget.left() == pytest.approx(24, abs=1)


def test_names_above_the_hidden_tests_are_there_for_visible_ones(grader):
    cells = [
        Cell("def f(x): return x"),
        Cell("import math\nprint(f(5))\n" + HIDDEN + "assert f(1) == 1", test=True),
        Cell("assert f(math.pi) > 3", test=True),
        Cell("import os\n" + HIDDEN + "assert f(1) == 2", test=True),
    ]
    outputs = grader.grade(cells, {"f"})
    assert [passed(o) for o in outputs] == [True, True, True, False]
    assert outputs[1] == []


def test_text_that_no_file_can_hold_costs_nothing(grader):
    cells = [
        Cell("def f(x):\n    print('\\ud800')\n    return 4"),
        Cell(CHECK, test=True, points=1),
    ]
    _, outputs = grader.grade(cells, {"f"})
    assert passed(outputs)
    assert outputs[0]["text"] == "?\n"


def test_the_outputs_of_a_notebook_are_limited(grader):
    start = make_png(before=b"\0\x20\0\0tEXt")[:60]  # of a PNG with a chunk of 2 MB
    flood = (
        "from IPython.display import display\n"
        f"png = {{'image/png': '{start}' + 'AAAA' * 400_000}}\n"
        "display(png, raw=True)"
    )
    cells = [*[Cell(flood)] * 12, Cell("print('small')")]
    outputs = grader.grade(cells, set())
    assert "image/png" in outputs[0][0]["data"]
    assert "too much" in outputs[11][0]["text"]
    assert outputs[12][0]["text"] == "small\n"
    assert len(json.dumps(outputs)) < 11 << 20


def test_commands_of_the_system_are_not_run_and_stop_nothing(grader):
    cells = [Cell("files = !ls /\nnames = [name.upper() for name in files]\ndef f(x): return 4")]
    assert passed(grader.grade([*cells, Cell(CHECK, test=True, points=1)], {"f"})[1])


def test_a_students_files_can_be_read_and_nothing_of_the_last_student(grader, tmp_path):
    (tmp_path / "helper.py").write_text("def f(x): return 2 * x")
    (tmp_path / "notebook.ipynb").write_text("{}")
    cells = [Cell("from helper import f\nimport os\nprint(os.listdir())"), Cell(CHECK, True, 1)]
    first, check = grader.grade(cells, {"f"}, folder=tmp_path)
    assert passed(check)
    assert first[0]["text"] == "['helper.py']\n"
    assert not passed(grader.grade(cells, {"f"})[1])


def test_the_judge_keeps_its_folders_where_temporary_ones_belong(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with Grader():
        assert sorted(name.partition("-")[0] for name in os.listdir(tmp_path)) == [
            "grading",
            "judging",
        ]
    assert os.listdir(tmp_path) == []


def test_the_judge_ends_with_the_grader(grader):
    with Grader() as other:
        pid = other.pid
    assert not os.path.exists(f"/proc/{pid}")


def test_the_small_course_is_as_these_tests_think():
    assert sum(kind for kind, _source in CELLS.values() if isinstance(kind, int)) == 8


def test_another_environment_that_is_active_is_no_warning(monkeypatch):
    monkeypatch.setenv("VIRTUAL_ENV", "/nonexistent/venv")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make_shell(pictures=False)


CHECK_SOFTMAX = 'from illustrated_attention import check\n\ncheck(softmax, "softmax")'


@pytest.mark.parametrize(
    ("source", "left"),
    [
        (CHECK_SOFTMAX, "from illustrated_attention import check\n\n"),
        (
            f"x = 1\ncheck(f)\n{CHECK_SOFTMAX}\n",
            "x = 1\ncheck(f)\nfrom illustrated_attention import check\n\n",
        ),
        (f"{CHECK_SOFTMAX}\nx = 1", f"{CHECK_SOFTMAX}\nx = 1"),
        ("assert f(check)\nif x:\n    check(f)", "assert f(check)\nif x:\n    check(f)"),
    ],
)
def test_in_a_second_run_only_a_check_that_ends_its_cell_is_left_out(source, left):
    assert hook.without_checks(source) == left


def test_what_a_cell_clears_is_gone_and_what_it_stores_comes_back(grader):
    cells = [
        Cell("from IPython.display import clear_output\nprint(1)\nclear_output()\nprint(2)"),
        Cell("x = 731\n%load_ext storemagic\n%store x\ndel x"),
        Cell("%store -r\nprint(x)\n%store -z\n%store"),
    ]
    cleared, _stored, restored = grader.grade(cells, set())
    assert "".join(output["text"] for output in cleared) == "2\n"
    assert restored[0]["text"].startswith("731\n") and "x" not in restored[0]["text"]
