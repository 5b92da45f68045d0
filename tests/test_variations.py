"""Late cases, and those that every exercise gets: what is wrong only now and then gets no marks."""

import numpy as np
import pytest

from autograder import judge
from autograder.exercises import all_exercises
from autograder.exercises.making_keys import full_key
from autograder.exercises.reference import reference
from autograder.exercises.variations import variations
from illustrated_attention.examine import examine

EXERCISES = all_exercises()


def arrays(value):
    if isinstance(value, np.ndarray):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    return [a for item in value for a in arrays(item)] if isinstance(value, (list, tuple)) else []


WITH_FLOATS = [
    exercise.name
    for exercise in EXERCISES
    if any(a.dtype == np.float32 for case in variations(exercise) for a in arrays(case.args))
]


def spoiled(value):
    if isinstance(value, (list, tuple)):
        return type(value)(map(spoiled, value))
    return value + 1


def wrong_when(condition):
    """A function that is right except for arguments in which an array is like this."""

    def make(right):
        def function(*args):
            result = right(*args)
            return spoiled(result) if any(map(condition, arrays(args))) else result

        return function

    return make


def with_memory(part_of):
    """A function that remembers results by one part of what its arguments are."""

    def make(right):
        remembered = {}

        def function(*args):
            numbers = [a for a in args if not arrays(a)]
            key = repr([numbers, [(a.shape, part_of(a)) for a in arrays(args)]])
            if key not in remembered:
                remembered[key] = right(*args)
            return remembered[key]

        return function

    return make


def spoiled_after_many_calls(right):
    calls = []

    def function(*args):
        calls.append(1)
        return right(*args) if len(calls) < 12 else spoiled(right(*args))

    return function


SOMETIMES_WRONG = {
    "float32": wrong_when(lambda a: a.dtype == np.float32),
    "column by column": wrong_when(lambda a: a.flags.fnc),
    "longer than 256": wrong_when(lambda a: a.ndim > 1 and max(a.shape) > 256),
    "wider than 128": wrong_when(lambda a: a.ndim and a.shape[-1] > 128),
    "remembered by shape": with_memory(lambda a: ()),
    "remembered by the first numbers": with_memory(lambda a: a.ravel()[:3].tolist()),
    "remembered by the sum": with_memory(lambda a: round(float(a.sum()), 6)),
    "worn out": spoiled_after_many_calls,
}


@pytest.mark.parametrize("name", WITH_FLOATS)
def test_what_is_only_sometimes_wrong_gets_no_marks(name):
    right = reference(name)
    accepted = [kind for kind, make in SOMETIMES_WRONG.items() if judge(make(right), name).passed]
    assert accepted == []


def test_nearly_every_exercise_has_them():
    assert len(WITH_FLOATS) >= 23


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)
def test_every_exercise_is_called_again_with_what_it_had_before(exercise):
    assert len(variations(exercise)) >= 3
    assert all(case.late for case in variations(exercise))


def test_late_cases_come_last_and_are_not_tried_after_a_wrong_one():
    key = full_key("softmax")
    late = [case.late for case in key.cases]
    assert late == sorted(late)
    calls = []

    def wrong(scores):
        calls.append(scores)
        return scores

    verdict = examine(wrong, key)
    assert len(calls) <= late.count(False) + 3  # some are called again, to see what stays
    assert [right for _title, right in verdict.results].count(None) >= late.count(True)


def test_a_subclass_of_what_must_be_raised_is_right():
    class TooLong(ValueError):
        pass

    def embed(token_ids, wte, wpe, start=0):
        if start + token_ids.shape[-1] > len(wpe):
            raise TooLong
        return reference("embed")(token_ids, wte, wpe, start)

    assert judge(embed, "embed").passed
