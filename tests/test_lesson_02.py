"""Promises that are special to lesson 02: any fitting divisor is right, functions as arguments."""

import numpy as np
import pytest

from illustrated_attention.answers import AnswerKey, Mistake, read_lesson, write_lesson
from illustrated_attention.examine import examine, observe
from illustrated_attention.outcomes import Case

SQUARES = AnswerKey(
    exercise="near_root",
    lesson="02_masked_attention",
    cases=(
        Case("four", (4.0,), within=(1.9, 2.1)),
        Case("nine", (9.0,), within=(2.8, 3.2)),
    ),
    expected=(2.0, 3.0),
    properties=(),
    mistakes=(),
    hints=("", "", ""),
)


def verdict(function, key=SQUARES):
    return examine(function, key)


@pytest.mark.parametrize("factor", [0.96, 1.0, 1.04])
def test_any_number_in_the_interval_is_right(factor):
    assert verdict(lambda n: n**0.5 * factor).passed
    assert verdict(lambda n: np.float32(n**0.5 * factor)).passed


@pytest.mark.parametrize("factor", [0.9, 1.1, -1.0, np.nan, np.inf])
def test_a_number_outside_is_wrong(factor):
    assert not verdict(lambda n: n**0.5 * factor).passed


@pytest.mark.parametrize("result", [None, "2", [2.0], np.array([2.0, 2.0]), {}])
def test_what_is_no_number_is_wrong_and_not_an_accident(result):
    assert not verdict(lambda n: result).passed


def with_mistake(wrong, key=SQUARES):
    known = Mistake("inverted", "You return one over the root.", (observe(wrong, key)[0],))
    return AnswerKey(**{**vars(key), "mistakes": (known,)})


def test_a_mistake_is_named_for_numbers_as_far_apart_as_right_ones_may_be():
    key = with_mistake(lambda n: 1 / n**0.5)
    assert verdict(lambda n: 1 / (n**0.5 * 1.04), key).mistake == "inverted"
    assert verdict(lambda n: 1 / (n**0.5 * 2), key).mistake is None
    assert verdict(lambda n: -1 / n**0.5, key).mistake is None
    assert verdict(lambda n: 0.0, key).mistake is None


def test_a_right_number_is_never_taken_for_a_wrong_one_close_by():
    key = with_mistake(lambda n: 2.11 if n == 4 else 4.0)
    assert verdict(lambda n: 2.09 if n == 4 else 4.0, key).mistake is None


def test_the_interval_travels_with_the_answer_key(tmp_path):
    write_lesson(tmp_path, "02", [SQUARES], [])
    (read,) = read_lesson(tmp_path, "02")
    assert read.cases == SQUARES.cases
