"""What crosses between tests and a student's code is decided by the instructor's code alone."""

import json

from autograder.sandbox.instructors_code import (
    IDENTITY,
    LOCKED,
    OPEN,
    SOLUTION,
    TEST,
    Setting,
    Source,
    bound_names,
    operations,
    setting,
)

VECTOR = """
class Vector:
    def __init__(self, x): self.x = x
    def __add__(self, other): return Vector(self.x + other.x)
    def __eq__(self, other): return self.x == other.x
"""
STEPS = "def steps(n):\n    yield from range(n)"
DOUBLE = "def double(x):\n    result = 2 * x\n    return result * SCALE"


def does(test: str, *cells: str) -> frozenset[str]:
    sources = [Source(cell, SOLUTION) for cell in cells]
    return operations((*sources, Source(test, TEST)))[test]


def test_names_to_ask_for_are_those_that_cells_bind():
    cells = ("def f(): pass\nclass C: pass", "x, y = 1, 2\nz: int = 3", "import os\nf()")
    assert bound_names(cells) == {"f", "C", "x", "y", "z"}
    assert bound_names(("%matplotlib inline\nfor i in 'ab': n = i", "def broken(:")) == {"i", "n"}


def test_objects_do_in_a_test_what_the_classes_behind_it_do():
    assert {"__add__", "__radd__", "__eq__", "__ne__", IDENTITY} <= does("Vector(1)", VECTOR)
    made = "def make(): return Vector(3)\norigin = make()"
    assert "__eq__" in does("assert origin == make()", VECTOR, made)
    assert does("list(steps(3))", STEPS) == {"__iter__", "__next__"}
    dataclass = "@dataclass(order=True)\nclass Point:\n    x: int"
    assert {"__eq__", "__lt__", "__ge__", "__repr__"} <= does("Point(1)", dataclass)
    assert "__getitem__" in does("ax.lines[0]", "import matplotlib.pyplot as plt\nax = plt.gca()")


def test_elsewhere_they_do_nothing():
    """An object that is equal to everything gains nothing in a test of functions."""
    assert does("assert double(2) == 4", VECTOR, STEPS, DOUBLE) == frozenset()
    assert "__eq__" not in does("assert list(steps(2)) == [0, 1]", VECTOR, STEPS, DOUBLE)


def test_a_students_code_sees_of_a_tests_names_what_functions_look_up_and_no_local_of_them():
    known = setting((Source(DOUBLE, SOLUTION), Source("print(total)", OPEN)))
    assert known.shared >= {"double", "SCALE"}
    assert not {"result", "x"} & known.shared
    assert "total" in known.shown and "total" not in known.shared


def test_a_test_gets_the_judges_own_modules_helpers_and_locked_values():
    locked = (
        "import numpy as np, os.path\nfrom helper import *\nTOLERANCE = 1e-9\n"
        "data = np.ones(3)\nseen = []\nanswer = double(2)\n"
        "def close(a, b):\n    return abs(a - b) < TOLERANCE\n"
        "class Shape: pass\nclass Tool: pass"
    )
    solution = "def double(x):\n    seen.append(x)\n\nclass Square(Shape): pass"
    known = setting(
        (Source(locked, LOCKED), Source(solution, SOLUTION), Source("free = 3", OPEN)), "/course"
    )
    assert known.imports == {"np": "import numpy as np", "os": "import os.path"}
    assert known.stars == ("from helper import *",)
    assert known.own.keys() == {"TOLERANCE", "data", "close", "Tool"}
    assert Setting.of(json.loads(json.dumps(known.as_json()))) == known


def test_what_a_solution_defines_too_is_the_students():
    helper = Source("def f(): pass\nx = 1\nlimit = 2", LOCKED)
    for solution in ("def f(): return 2\nx = 2", "x, f = 1, 2", "import f\nx += 1"):
        assert not {"f", "x"} & setting((helper, Source(solution, SOLUTION))).own.keys()
    counting = Source("def count():\n    global limit\n    limit += 1", SOLUTION)
    assert "limit" not in setting((helper, counting)).own
