"""Hand-ins that are alike are worth a look; what chance or the lesson makes alike is not."""

import random
import time

import pytest

from autograder.class_run.alike import TEXT, find_alike, traits_in
from autograder.class_run.built import built

SOFTMAX = """
def softmax(scores):
    \"\"\"Shares.\"\"\"
    top = scores.max(axis=-1, keepdims=True)
    size = len(scores)
    powers = np.exp(scores - top)  # no overflow
    return powers / powers.sum(axis=-1, keepdims=True) / size
"""
DISGUISED = """
def softmax(a: "array") -> "array":
    d: int = len(a)
    b = a.max(keepdims=True,
              axis=-1)
    c = np.exp(a - b)
    e, f = c / c.sum(axis=-1, keepdims=True), d
    e /= f
    return e
"""
LOOP = """
def total(rows):
    result, seen = 0, []
    for row in rows:
        if row.any():
            result += row.sum() * {what}
            seen.append(result)
    return result, [{kept} for one in seen]
"""


def test_names_texts_order_layout_and_steps_in_between_are_no_difference():
    assert built(SOFTMAX) == built(DISGUISED) != ""
    loop = LOOP.format(what="2", kept="one")
    other = loop.replace("result", "r").replace("row", "line").replace("one", "it")
    assert built(loop) == built(other)
    pair = "def f(x):\n    return x + 1, x"
    assert built(pair) == built("def f(x):\n    both = (x + 1, x)\n    return both")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        *((SOFTMAX, SOFTMAX.replace(*pair)) for pair in (("max", "min"), ("- top", "- size"))),
        (SOFTMAX, SOFTMAX.replace("scores - top", "top - scores")),
        (SOFTMAX, "import numpy as np\n" + SOFTMAX),
        (LOOP.format(what="2", kept="one"), LOOP.format(what="3", kept="one")),
        (LOOP.format(what="2", kept="one"), LOOP.format(what="2", kept="one + 1")),
        ("f = lambda a, b: a - b", "f = lambda a, b: b - a"),
        ("x = 1\nx = x + 1", "x = 1\nx = x + 2"),
        ("def f(x):\n    x[0] = 1\n    return x", "def f(x):\n    x[0] = 2\n    return x"),
    ],
)
def test_what_is_done_is_a_difference(before, after):
    assert built(before) != built(after)


@pytest.mark.parametrize(
    "code",
    [
        *("def f(:", "\0", "x = " + "-" * 9_000 + "1", SOFTMAX * 80, "(" * 5_000),
        *("not " * 2_400 + "1", "a" + "()" * 4_900, "lambda:" * 1_400 + "1"),
    ],
)
def test_what_is_long_or_deep_or_no_code_is_built_in_no_way(code):
    assert built(code) == ""


def cell(name, source=SOFTMAX, kind="code", **about):
    meta = {"nbgrader": {"grade_id": name, **about}} if name else {}
    return {"cell_type": kind, "source": source, "metadata": meta}


def test_functions_replies_and_own_words_are_traits():
    cells = [
        *(cell("f", solution=True), cell("g", grade=True), cell("h", solution=True)),
        cell("", 'answer("01-it", "c")  # and why\nanswer("01-weight", "?")'),
        cell("", "I  think that this is why it is divided.\nShort.", kind="markdown"),
        cell("", SOFTMAX.replace("no overflow", "so that nothing ever overflows")),
    ]
    found = traits_in({"": cells})
    assert found.keys() == {"f", "h", "reply 01-it", TEXT}
    assert found["reply 01-it"] == {"c"}
    assert "I think that this is why it is divided." in found[TEXT]
    assert not any("answer(" in line for line in found[TEXT])  # it counts as a reply
    assert traits_in({"one: ": cells[:1], "two: ": cells[:1]}).keys() == {"one: f", "two: f"}


LESSON = ("a", "b", "c", "d", "e")


def a_class(size, ways=25):
    """Everybody writes each function in one of some ways, by chance."""
    chance = random.Random(3)
    return {
        f"student{n}": {name: frozenset([f"{name}{chance.randrange(ways)}"]) for name in LESSON}
        for n in range(size)
    }


def each(text, **more):
    return {name: frozenset([more.get(name, f"{text} {name}")]) for name in LESSON}


def test_whoever_has_written_nearly_everything_like_somebody_else_is_shown():
    students = a_class(40) | {"one": each("own"), "other": each("own", e="e0")}
    [pair] = find_alike(students)
    assert ((pair.one, pair.other), pair.exercises) == (("one", "other"), ("a", "b", "c", "d"))


@pytest.mark.parametrize("size", [10, 30, 100, 300])
def test_a_copy_is_shown_though_each_function_is_written_so_by_others_too(size):
    students = a_class(size)
    students["copy"] = students["student5"]
    assert [(pair.one, pair.other) for pair in find_alike(students)] == [("copy", "student5")]


def test_the_solution_what_was_released_and_what_is_alike_in_part_are_not_shown():
    others = a_class(30)
    students = others | {"one": each("solved"), "other": each("solved")}
    assert find_alike(students) != [] and find_alike(students, solution=each("solved")) == []
    assert find_alike(students, released=each("solved")) == []
    students["other"] = each("solved", c="c0", d="d0")
    assert find_alike(students) == []


def test_a_way_to_write_that_several_have_in_common_is_not_shown():
    school = {f"school{n}": each("style", **{LESSON[n % 5]: f"own{n}"}) for n in range(5)}
    assert find_alike(a_class(60) | school) == []


def test_of_two_solutions_the_same_words_of_ones_own_are_worth_a_look():
    solved = {name: frozenset([f"{name} as usual"]) for name in LESSON}
    words = {name: frozenset([f"{name} as usual", f"{name} in the same words"]) for name in LESSON}
    text = {TEXT: frozenset(["exp first, or the sum overflows"])}
    students = a_class(30) | {"one": words | text, "other": words | text, "third": solved}
    [pair] = find_alike(students, solution=solved)
    assert (pair.one, pair.other, pair.text) == ("one", "other", True)


def test_in_a_class_of_a_thousand_nobody_is_shown_by_chance_and_it_takes_no_time():
    students = a_class(1_000)
    start = time.process_time()
    assert find_alike(students) == []
    assert time.process_time() - start < 4
