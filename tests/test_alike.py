"""Hand-ins that are built alike are shown as worth a look; what everybody writes is not."""

import random
import time

import pytest

from autograder.class_run.alike import find_alike, structure, structures_in

SOFTMAX = """
def softmax(scores):
    \"\"\"Shares.\"\"\"
    shifted = scores - scores.max(axis=-1, keepdims=True)
    powers = np.exp(shifted)  # no overflow
    return powers / powers.sum(axis=-1, keepdims=True)
"""
RENAMED = """
def softmax(a: "array") -> "array":
    b = a - a.max(axis=-1,
                  keepdims=True)
    c = np.exp(b)
    return c / c.sum(axis=-1, keepdims=True)
"""


def test_names_texts_and_layout_are_no_difference_and_what_is_done_is_one():
    assert structure(SOFTMAX) == structure(RENAMED) != ""
    assert structure(SOFTMAX.replace("max", "min")) != structure(SOFTMAX)
    assert structure(SOFTMAX.replace("np.exp(shifted)", "np.exp(scores)")) != structure(SOFTMAX)


@pytest.mark.parametrize(
    "code",
    [
        *("def f(x):\n    return x @ x", "def f(:", "\0", "x = " + "-" * 9_000 + "1"),
        *("not " * 2_400 + "1", "a" + "()" * 4_900, "lambda:" * 1_400 + "1", SOFTMAX * 80),
    ],
)
def test_what_is_short_long_or_no_code_has_no_structure(code):
    assert structure(code) == ""


def test_only_solution_cells_count():
    def cell(name, **kind):
        return {
            "cell_type": "code",
            "source": SOFTMAX,
            "metadata": {"nbgrader": {"grade_id": name, **kind}},
        }

    cells = [cell("f", solution=True), cell("g", grade=True), cell("h", solution=True)]
    assert structures_in(cells).keys() == {"f", "h"}


LESSON = ("a", "b", "c", "d")


def a_class(size, ways):
    """Everybody writes each function in one of some ways, by chance."""
    chance = random.Random(3)
    return {
        f"student{n}": {name: f"{name}{chance.randrange(ways)}" for name in LESSON}
        for n in range(size)
    }


def test_whoever_has_built_nearly_everything_like_somebody_else_is_shown():
    students = a_class(40, ways=5)
    students |= {"one": {name: f"own {name}" for name in LESSON}}
    students |= {"other": students["one"] | {"d": "d0"}}
    [pair] = find_alike(students)
    assert ({pair.one, pair.other}, pair.exercises) == ({"one", "other"}, ("a", "b", "c"))


def test_what_is_built_like_the_solution_or_only_in_part_alike_is_not_shown():
    students = {name: {name: name} for name in ("e", "f")}
    students |= {"one": dict.fromkeys(LESSON, "solution")} | {
        "other": dict.fromkeys(LESSON, "solution")
    }
    assert len(find_alike(students)) == 1 and find_alike(students, {"solution"}) == []
    students |= {"other": {"a": "solution", "b": "solution", "c": "else", "d": "else"}}
    assert find_alike(students) == []


def test_in_a_class_of_a_thousand_nobody_is_shown_by_chance_and_it_takes_no_time():
    students = a_class(1_000, ways=15)
    start = time.process_time()
    assert find_alike(students) == []
    assert time.process_time() - start < 2
    everybody_alone = {n: {name: f"{n} {name}" for name in LESSON} for n in students}
    assert find_alike(everybody_alone) == []
