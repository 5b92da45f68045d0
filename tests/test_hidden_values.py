"""What a hidden test gives to a function stays with it, whatever the function answers.

Each exercise's hidden test, as it stands in its lesson, meets functions that answer with a number
and a name of their own choice in every way in which a value can travel, and functions that are
right up to some size. What a student gets to read of it (the page is made of this and nothing else)
is made of the course's own sentences.
"""

import json
import re

import pytest
from classroom import graded_cells, read_solution

from autograder.exercises import LESSONS, all_exercises
from autograder.exercises.making_keys import full_key
from autograder.exercises.reference import SOLUTIONS, solution_cells
from autograder.sandbox.inside.shell import make_shell
from autograder.sandbox.namespace import Namespace, run_cell
from autograder.sandbox.running_tests import Cell, run_test
from autograder.sandbox.student_process import StudentProcess, Zygote

pytestmark = pytest.mark.usefixtures("confined")

PRELUDE = '''
N, NAN = 731.25, 0x7FF8000000000731
speaks = {"__repr__": lambda self: "Spill731" * 1000}
speaks["__str__"] = speaks["__format__"] = speaks["__repr__"]
Array, Number, Whole, Text = [
    type("Spill731", (kind,), speaks) for kind in (np.ndarray, float, int, str)
]
class Spill731(Exception):
    pass
def Spill731_function(Spill731):
    return N
def each(change, value):
    """The same result with its arrays changed."""
    if isinstance(value, (tuple, list)):
        return type(value)(each(change, item) for item in value)
    return change(np.asarray(value))
def full(value, dtype=None):
    return lambda array: np.full(array.shape, value, dtype)
def first(number):
    return lambda array: np.append(number, array.flat[1:]).reshape(array.shape)
def large(values, limit):
    """Is a whole number or a length above the limit?"""
    lengths = [len(v) for v in values if isinstance(v, list)]
    lengths += [v.shape[max(-2, -v.ndim)] for v in values if isinstance(v, np.ndarray) and v.ndim]
    return max([*lengths, *(v for v in values if type(v) is int)], default=0) > limit
def wrong_beyond(limit, args):
    return each(np.zeros_like, right(*args)) if large(args, limit) else right(*args)
def stop(error, cause=None):
    raise error from cause
'''
# What a function returns that is called with `args` and should return `right(*args)`: numbers that
# say something only when all of them are changed in one way,
IN_ONE_WAY = {
    "one number beyond a float": "each(first(np.longdouble(1e300) ** 9 * N), right(*args))",
    "one nan with a payload": "each(first(np.uint64(NAN).view(float)), right(*args))",
    "a factor": "each(lambda a: a * N, right(*args))",
    "an offset": "each(lambda a: a + N, right(*args))",
    "an upper limit": "each(lambda a: np.minimum(a, N / 1e4), right(*args))",
    "a lower limit": "each(lambda a: np.maximum(a, N / 1e4), right(*args))",
    "other numbers": "each(full(N), right(*args))",
    "complex numbers": "each(lambda a: a + N * 1j, right(*args))",
    "an odd dtype": "each(lambda a: (a * N).astype('>f2'), right(*args))",
    "a class of arrays": "each(lambda a: (a + N).view(Array), right(*args))",
    "an error": "stop(ValueError('Spill731' * 10_000))",
    "right up to 3": "wrong_beyond(3, args)",
    "right up to 6": "wrong_beyond(6, args)",
    "right up to 10": "wrong_beyond(10, args)",
}
# and these in turn, another one in each call.
IN_TURN = [
    *("each(full(np.inf), right(*args))", "each(full('Spill731'), right(*args))"),
    *("np.zeros((731, 1, 3))", "np.zeros(3, [('Spill731', 'f8')])", "np.datetime64('0731-07-31')"),
    *("np.array([Spill731_function, {'Spill731': 731}], object)", "{'Spill731': 731}"),
    *("Number(N)", "Whole(731)", "Text('Spill731')", "731 ** 400", "731 ** 4000", "[731] * 731"),
    *("Spill731", "Spill731_function", "Spill731('Spill731')", "print('Spill731', args)"),
    *("'Spill731' * 10_000", "N * 1j", "b'Spill731'", "stop(Spill731('Spill731' * 10_000))"),
    *("stop(AssertionError('Spill731'))", "stop(KeyError('Spill731'), Spill731('Spill731'))"),
    *("stop(SystemExit('Spill731'))", "np.zeros(731) + np.zeros(732)", "Spill731_missing"),
]

NUMBER = re.compile(r"(?<![\w.])\d[\d.,e+-]*")
# The only numbers that sentences count by themselves: returned values, axes, decimals.
COUNTED = re.compile(
    r"\(returned value \d\)|\(number \d+ in the list\)|number \d is wrong|numbers [\d and]+ are wr"
    r"|the right number [\d, ]+\.|\(right: \([\d, ]+\), yours: \([\d, ]+\)\)|to \d decimals"
)


def numbers(text: str) -> set[str]:
    return {number.rstrip(".,") for number in NUMBER.findall(COUNTED.sub("", text))}


def own_numbers(name: str) -> set[str]:
    """The numbers in the sentences of an exercise and in the titles of its cases."""
    key = full_key(name)
    told = [thing.title for thing in (*key.cases, *key.properties)]
    told += [mistake.message for mistake in key.mistakes]
    told += key.combined.sentences.values() if key.combined else []
    return set().union(*map(numbers, told))


@pytest.fixture(scope="module")
def student():
    """A process of a student who has solved everything, in a hidden run."""
    with Zygote() as zygote, StudentProcess(zygote) as student:
        run_cell(student, "import numpy as np")
        for notebook in sorted(SOLUTIONS.glob("*/*.ipynb")):
            for source in solution_cells(notebook):
                assert run_cell(student, source) == []
        assert run_cell(student, PRELUDE) == []
        student.discreet = True
        yield student


@pytest.fixture(scope="module")
def hidden_tests():
    return {
        id.removesuffix("_hidden"): cell.source
        for lesson in LESSONS
        for id, cell in graded_cells(read_solution(lesson)).items()
        if id.endswith("_hidden")
    }


NAMES = [exercise.name for exercise in all_exercises()]


def hostile(name: str) -> dict[str, str]:
    """The bodies of functions that answer what they should not, by a word for each."""
    bodies = {how: f"return {answer}" for how, answer in IN_ONE_WAY.items()}
    for start in (2 * NAMES.index(name), 2 * NAMES.index(name) + 13):
        answers = ", ".join(f"lambda args: {answer}" for answer in IN_TURN)
        bodies[f"in turn from {start}"] = (
            f"turn.append(0)\n    return [{answers}][({start} + len(turn)) % {len(IN_TURN)}](args)"
        )
    return bodies


@pytest.mark.parametrize("name", NAMES)
def test_nothing_of_a_hidden_test_is_told(student, hidden_tests, name):
    cell = Cell(hidden_tests[name], test=True, points=2)
    shell, namespace, known = make_shell(pictures=False), Namespace({name}), own_numbers(name)
    run_cell(student, f"right = {name}")
    for how, body in hostile(name).items():
        assert run_cell(student, f"turn = []\ndef {name}(*args):\n    {body}") == []
        told = json.dumps(run_test(cell, namespace, lambda: student, shell), ensure_ascii=False)
        assert "spill" not in told.lower() and "731" not in told, how
        assert numbers(told) <= known, (how, told)
    run_cell(student, f"{name} = right")
    assert run_test(cell, namespace, lambda: student, shell) == []
