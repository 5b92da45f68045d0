"""Promises that are special to lesson 02: any fitting divisor is right, functions as arguments."""

import inspect

import numpy as np
import pytest

from autograder.exercises.find_leak import FIND_LEAK
from autograder.exercises.judging import judge
from autograder.exercises.making_keys import full_key
from autograder.exercises.recover_divisor import RECOVER_DIVISOR
from autograder.exercises.reference import reference
from illustrated_attention import CheckFailed, attentions, check
from illustrated_attention.answer_keys import AnswerKey, KnownMistake, read_lesson, write_lesson
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
    known = KnownMistake("inverted", "You return one over the root.", (observe(wrong, key)[0],))
    return AnswerKey(**{**vars(key), "mistakes": (known,)})


def test_a_mistake_is_named_for_numbers_as_far_apart_as_right_ones_may_be():
    key = with_mistake(lambda n: 1 / n**0.5)
    assert verdict(lambda n: 1 / (n**0.5 * 1.04), key).mistake == "inverted"
    assert verdict(lambda n: 1 / (n**0.5 * 2), key).mistake != "inverted"
    assert verdict(lambda n: -1 / n**0.5, key).mistake != "inverted"
    assert verdict(lambda n: 0.0, key).mistake != "inverted"


def test_a_right_number_is_never_taken_for_a_wrong_one_close_by():
    key = with_mistake(lambda n: 2.11 if n == 4 else 4.0)
    assert verdict(lambda n: 2.09 if n == 4 else 4.0, key).mistake != "inverted"


def test_the_interval_travels_with_the_answer_key(tmp_path):
    write_lesson(tmp_path, "02", [SQUARES], [])
    (read,) = read_lesson(tmp_path, "02")
    assert read.cases == SQUARES.cases


# --- the attentions that find_leak is tried on --------------------------------------------------

SEE_ONLY_BACK = {
    attentions.past_by_closeness,
    attentions.past_in_equal_parts,
    attentions.past_in_float32,
    attentions.past_times_zero,
    attentions.last_three,
    attentions.first_and_itself,
    attentions.only_itself,
    attentions.strictly_past,
}
ALL = [
    function
    for name, function in inspect.getmembers(attentions, inspect.isfunction)
    if not name.startswith("_")
]


def moves_an_earlier_result(attention, n, d, lead=()):
    """Independent of the exercise: a slope of an earlier result against any later number."""
    q, k, v = np.random.default_rng(1).standard_normal((3, *lead, n, d))
    before = attention(q, k, v)[0]
    for array in (q, k, v):
        for t in range(1, n):
            array[..., t, :] += 0.7
            if not np.array_equal(attention(q, k, v)[0][..., :t, :], before[..., :t, :]):
                return True
            array[..., t, :] -= 0.7
            before = attention(q, k, v)[0]  # adding and taking away may leave a rounding error
    return False


@pytest.mark.parametrize("attention", ALL)
@pytest.mark.parametrize("n", [6, 9])
def test_an_attention_sees_the_future_or_exactly_not(attention, n):
    expected = attention not in SEE_ONLY_BACK
    assert moves_an_earlier_result(attention, n, 3) == expected
    assert moves_an_earlier_result(attention, n, 2, lead=(2,)) == expected


def test_the_mask_for_four_leaks_only_when_there_are_more():
    assert not moves_an_earlier_result(attentions.mask_for_four, 4, 3)
    assert moves_an_earlier_result(attentions.mask_for_four, 5, 3)


def test_every_case_of_find_leak_expects_what_is_true():
    find_leak = reference("find_leak")
    for case in (*FIND_LEAK.visible, *FIND_LEAK.hidden):
        attention, n, d = case.args
        assert find_leak(*case.args) == moves_an_earlier_result(attention, n, d), case.title


def test_every_attention_is_tried():
    tried = {case.args[0] for case in (*FIND_LEAK.visible, *FIND_LEAK.hidden)}
    assert tried == set(ALL)


NAMES_OF = {
    "the name": lambda function: function.__name__,
    "the full name": lambda function: f"{function.__module__}.{function.__qualname__}",
    "the docstring": lambda function: function.__doc__,
    "the function itself": lambda function: function,
    "the code": lambda function: function.__code__.co_code + function.__code__.co_name.encode(),
}


@pytest.mark.parametrize("read", NAMES_OF.values(), ids=NAMES_OF)
def test_a_test_that_reads_the_attentions_name_gets_no_marks(read):
    leaks = {read(attention) for attention in ALL if attention not in SEE_ONLY_BACK}
    for_four = read(attentions.mask_for_four)

    def find_leak(attention, n, d):
        return read(attention) in leaks and (read(attention) != for_four or n > 4)

    key = full_key("find_leak")
    assert all(
        find_leak(*c.args) == right for c, right in zip(key.cases, key.expected, strict=True)
    )
    with pytest.raises(CheckFailed):
        check(find_leak, "find_leak")
    verdict = judge(find_leak, "find_leak")
    assert not verdict.passed
    assert verdict.mistake in ("always_false", "always_true")


def test_rows_of_weights_and_results_have_the_promised_shapes():
    q, k, v = np.ones((2, 5, 3)), np.ones((2, 5, 3)), np.ones((2, 5, 4))
    for attention in ALL:
        out, weights = attention(q, k, v)
        assert out.shape == (2, 5, 4)
        assert weights.shape == (2, 5, 5)


# --- the divisors of recover_divisor ------------------------------------------------------------


@pytest.mark.parametrize("case", (*RECOVER_DIVISOR.visible, *RECOVER_DIVISOR.hidden))
def test_the_fitting_divisors_are_one_interval_wide_enough_for_steps_of_a_hundredth(case):
    scores, table = case.args
    low, high = case.within
    assert high - low > 0.04
    assert high >= 1 and low <= 20
    inside = np.linspace(low * 1.001, high / 1.001, 500)
    outside = np.concatenate([np.linspace(0.6, low / 1.001, 2000), np.geomspace(high * 1.001, 39)])
    for divisors, fits in ((inside, True), (outside, False)):
        hidden = ~np.tri(len(scores), dtype=bool)
        exp = np.where(hidden, 0, np.exp((scores - scores.max()) / divisors[:, None, None]))
        rounded = np.round(exp / exp.sum(axis=-1, keepdims=True), 2)
        assert ((np.abs(rounded - table) < 1e-9).all(axis=(1, 2)) == fits).all()


def test_the_articles_numbers_fit_from_3_62_to_4_51():
    low, high = RECOVER_DIVISOR.visible[0].within
    assert 3.61 < low <= 3.62
    assert 4.51 <= high < 4.52
