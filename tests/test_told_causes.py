"""What check tells of causes that nobody listed is true: of every known mistake, each sentence.

The known mistakes are met here as if nobody knew them. For every id there is a claim, written
without the code that finds the cause: what a sentence with that id says about the numbers.
"""

import functools
import re

import numpy as np
import pytest

from illustrated_attention.answer_keys import find_key
from illustrated_attention.causes.conditions import cause_in_conditions
from illustrated_attention.causes.counts import cause_in_lengths
from illustrated_attention.causes.evidence import Evidence
from illustrated_attention.causes.numbers import cause_in_numbers, cause_in_patterns
from illustrated_attention.contents import exercise_names
from illustrated_attention.problems import find_problem

RTOL, ATOL = 1e-3, 1e-4  # wider than the course's: a claim is about the same numbers, put otherwise


def near(a, b):
    a, b = np.asarray(a, float), np.asarray(b, float)
    return a.shape == b.shape and np.allclose(a, b, RTOL, ATOL, equal_nan=True)


def sorted_numbers(a):
    return np.sort(np.asarray(a, float), axis=None)


def one_factor(got, expected):
    """All cells have the quotient that the largest one has."""
    largest = np.abs(expected).argmax()
    return near(got, expected * (got.flat[largest] / expected.flat[largest]))


def has_all_of(small, large):
    """Every number of the one occurs in the other."""
    return all(np.isclose(large, number, RTOL, ATOL).any() for number in np.ravel(small))


def some_axis(holds, got, expected):
    return any(holds(got, expected, axis) for axis in range(max(got.ndim, expected.ndim)))


def after_sum(got, expected, axis):
    return axis < expected.ndim and near(expected.sum(axis), got)


def after_mean(got, expected, axis):
    return axis < expected.ndim and near(expected.mean(axis), got)


def repeats(a, axis):
    return axis < a.ndim and near(a, np.repeat(np.take(a, [0], axis), a.shape[axis], axis))


def exp_shares(a):
    e = np.exp(a)
    return e / e.sum(-1, keepdims=True)


def shifted_mask(got, expected):
    """One more True in each row that has room, or one less in each that has one."""
    more = got.sum(-1) - expected.sum(-1)
    return set(np.unique(more)) <= {0, 1} or set(np.unique(more)) <= {0, -1}


def one_end(got, expected):
    bad = ~np.isclose(got, expected, RTOL, ATOL)
    return any(
        items[1:].sum() == 0 or items[:-1].sum() == 0 or items[0].sum() == 0
        for items in (np.moveaxis(bad, axis, 0) for axis in range(bad.ndim))
    )


# What holds of every wrong result of which this is told: of what was returned and expected.
CLAIMS = {
    "factor": one_factor,
    "sign": lambda g, e: near(g, -e),
    "offset": lambda g, e: np.ptp(g - e) < 1e-3,
    "rounded": lambda g, e: (np.abs(g - e) <= 0.501).all() and near(g * 1e5, np.rint(g * 1e5)),
    "whole_numbers": lambda g, e: near(g, np.rint(g)) and (np.abs(g - e) < 1).all(),
    "precision": lambda g, e: near(g, g.astype(np.float16)) and np.allclose(g, e, 1e-2, 1e-2),
    "squared": lambda g, e: near(g, e * e),
    "root": lambda g, e: near(g * g, e),
    "inverse": lambda g, e: near(g * e, np.ones_like(e)),
    "exp": lambda g, e: near(np.log(g), e),
    "log": lambda g, e: near(np.exp(g), e),
    "negative_cut": lambda g, e: (g >= 0).all() and near(g[e > 0], e[e > 0]),
    "sign_lost": lambda g, e: near(g * g, e * e) and (g >= 0).all(),
    "softmax_after": lambda g, e: near(g, exp_shares(e)),
    "normalised_after": lambda g, e: near(g.sum(-1), np.ones(g.shape[:-1])),
    "centred": lambda g, e: near(g.sum(-1), np.zeros(g.shape[:-1])),
    "summed_up": lambda g, e: near(np.diff(g, axis=-2), e[..., 1:, :]),
    "not_softmaxed": lambda g, e: near(exp_shares(g - g.max(-1, keepdims=True)), e),
    "not_normalised": lambda g, e: near(g, e * g.sum(-1, keepdims=True)),
    "cut_off": lambda g, e: has_all_of(g[g != e], [g.max(), g.min()]),
    "reversed": lambda g, e: near(sorted_numbers(g), sorted_numbers(e)),
    "order": lambda g, e: near(sorted_numbers(g), sorted_numbers(e)),
    "axes_exchanged": lambda g, e: (
        sorted(g.shape) == sorted(e.shape) and near(sorted_numbers(g), sorted_numbers(e))
    ),
    "transposed": lambda g, e: near(g, np.swapaxes(e, -1, -2)),
    "axes_flattened": lambda g, e: near(g.ravel(), e.ravel()),
    "axis_of_one_lost": lambda g, e: g.ndim < e.ndim and near(g.ravel(), e.ravel()),
    "axis_too_many": lambda g, e: g.ndim == e.ndim + 1,
    "axis_missing": lambda g, e: g.ndim == e.ndim - 1,
    "axis_length": lambda g, e: sum(m != n for m, n in zip(g.shape, e.shape, strict=True)) == 1,
    "part_only": lambda g, e: 0 < g.size < e.size and has_all_of(g, e),
    "first_missing": lambda g, e: g.size < e.size and has_all_of(g, e),
    "last_missing": lambda g, e: g.size < e.size and has_all_of(g, e),
    "one_too_many": lambda g, e: g.size > e.size and has_all_of(e, g),
    "first_only": lambda g, e: g.ndim < e.ndim and has_all_of(g, e),
    "last_only": lambda g, e: g.ndim < e.ndim and has_all_of(g, e),
    "largest_only": lambda g, e: g.size < e.size and has_all_of(g, e) and g.max() == e.max(),
    "summed_away": functools.partial(some_axis, after_sum),
    "averaged_away": functools.partial(some_axis, after_mean),
    "empty": lambda g, e: 0 in g.shape,
    "selected_by_a_mask": lambda g, e: g.ndim == 1 < e.ndim,
    "inverted": lambda g, e: (g.astype(bool) != e).all(),
    "shifted": shifted_mask,
    "opposite": lambda g, e: bool(g) != bool(e),
    "truth_as_number": lambda g, e: g.dtype != bool and bool(g) == bool(e),
    "false_too_often": lambda g, e: not (g.astype(bool) > e).any(),
    "true_too_often": lambda g, e: not (e > g.astype(bool)).any(),
    "length_of_one": lambda g, e: near((g * g).sum(-1), np.ones(g.shape[:-1])),
    "factor_of_each_row": lambda g, e: near(
        g * np.abs(e).max(-1, keepdims=True), e * np.abs(g).max(-1, keepdims=True)
    ),
    "too_long": lambda g, e: g.size > e.size and has_all_of(e, g),
    "beyond_32_bits": lambda g, e: int(g - e) % 2**32 == 0 and abs(int(e)) >= 2**31,
    "all_one_number": lambda g, e: near(g.min(), g.max()),
    "all_zero": lambda g, e: not g.any(),
    "all_nan": lambda g, e: np.isnan(g).all(),
    "other_axis": lambda g, e: not near(g.sum(-1), np.ones(g.shape[:-1])),
    "same_along_an_axis": lambda g, e: (
        any(repeats(g, axis) and not repeats(e, axis) for axis in range(g.ndim)) or 1 in g.shape
    ),
    "shared_out": lambda g, e: any(
        near(g.sum(axis), e.sum(axis)) and not near(g, e) for axis in range(g.ndim)
    ),
    "at_one_end": one_end,
    "some_values": lambda g, e: not near(g, e),
    "nearly": lambda g, e: np.abs(g - e).max() <= 0.031 * np.abs(e).max(),
    "off_by_a_product": lambda g, e: float(2 * (g - e)).is_integer() and g != e,
    "argument_added": lambda g, e: g.shape == e.shape,  # see the test of its own
    "values_exchanged": lambda g, e: True,  # see the test of its own
    "values_all_the_same": lambda g, e: True,  # as before, in test_causes.py
    **dict.fromkeys(
        (
            "one_that_fits_rounded",
            "inverse_of_one_that_fits",
            "square_of_one_that_fits",
            "too_small",
            "too_large",
        ),
        lambda g, e: True,  # several fit; in test_causes.py, too
    ),
}


def plain(value):
    """The same as lists and numbers of Python, whatever holds it."""
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value


LISTS = {
    "list_ends_wrong": lambda g, e: plain(g)[: len(e)] == plain(e)[: len(g)],
    "list_length": lambda g, e: len(g) != len(e),
    "number_of_values": lambda g, e: len(g) != len(e),
}


def met_as_if_unknown():
    """All known mistakes, with what was seen of each: nothing is run, what is kept is read."""
    for name in exercise_names():
        key = find_key(name)
        for mistake in key.mistakes:
            for signature in mistake.signatures:
                rows = zip(signature.outcomes, key.cases, key.expected, strict=False)
                problems = [find_problem(*row) for row in rows]
                evidence = Evidence(lambda *args: None, key, signature, problems)
                if evidence.wrong:
                    yield f"{name}, {mistake.id}", evidence


@pytest.fixture(scope="module")
def told():
    """Every cause in numbers that is told of a known mistake: of what, from what, the cause."""
    finders = (cause_in_numbers, cause_in_patterns, cause_in_lengths)
    found = ((who, seen, find(seen)) for who, seen in met_as_if_unknown() for find in finders)
    with np.errstate(all="ignore"):
        return [one for one in found if one[2]]


def parts_told(cause):
    """Each returned value that is spoken of, None for all that are wrong, with the ids told."""
    numbers = re.findall(r"Returned value (\d):", cause.sentence)
    ids = cause.id.split("+")
    if not numbers:
        return [(None, ids)]
    return [(int(number) - 1, ids) for number in numbers]


def test_what_is_told_of_the_numbers_is_true_of_all_that_are_wrong(told):
    untrue = []
    for who, seen, cause in told:
        if cause.id in LISTS or cause.id == "values_exchanged":
            continue
        for part, ids in parts_told(cause):
            ids = [ids] if isinstance(ids, str) else ids
            wrong = [p for p in seen.pairs if not p.right and part in (None, p.part)]
            odd = [p for p in wrong if p.got.shape != p.expected.shape] or wrong
            with np.errstate(all="ignore"):
                holds = any(all(CLAIMS[id](p.got, p.expected) for p in odd) for id in ids)
            if not holds:
                untrue.append((who, cause))
    assert untrue == []


def test_what_is_told_of_lists_is_true(told):
    for who, seen, cause in told:
        if cause.id in LISTS:
            assert all(LISTS[cause.id](one.outcome.value, one.expected) for one in seen.wrong), who


def test_values_that_are_told_to_be_exchanged_are(told):
    for who, seen, cause in told:
        if cause.id == "values_exchanged":
            order = [int(n) - 1 for n in re.findall(r"\d", cause.sentence.rpartition("number")[2])]
            for one in seen.tried:
                got, expected = one.outcome.value, one.expected
                assert all(near(value, expected[i]) for value, i in zip(got, order, strict=True)), (
                    who
                )


def test_a_value_that_is_told_to_be_the_only_wrong_one_is(told):
    for who, seen, cause in told:
        if match := re.search(r"only number (\d) is wrong", cause.sentence):
            assert seen.parts == [int(match[1]) - 1], who


def test_a_size_that_is_told_is_the_factor(told):
    """The name of a size is read from the sentence, and its number from each case."""
    axes = {"last axis": -1, "last axis but one": -2, "third axis from the end": -3}
    for who, seen, cause in told:
        pattern = r"^Every number is the root of the (.*?) of `(?:argument (\d)|args)` times"
        for axis, position in re.findall(pattern, cause.sentence):
            for p in seen.pairs:
                size = p.case.args[int(position or 1) - 1].shape[axes[axis]]
                assert near(p.got, p.expected * size**0.5), who


def test_an_argument_that_is_told_to_be_too_much_is_the_difference(told):
    """Its name is read from the sentence, as `argument 3` or `argument 2["c_fc.bias"]`."""
    met = 0
    for who, seen, cause in told:
        named = re.search(r'`argument (\d)(?:\["(.*?)"\])?`', cause.sentence)
        if cause.id != "argument_added" or not named:
            continue
        met += 1
        for pair in seen.pairs:
            array = pair.case.args[int(named[1]) - 1]
            array = array[named[2]] if named[2] else array
            difference = pair.got - pair.expected
            if not pair.right:
                assert one_factor(difference, np.broadcast_to(array, difference.shape)), who
    assert met


CONDITIONS = {
    "there are more leading axes": lambda case, least: case.axes() > least,
    "there are no leading axes": lambda case, least: case.axes() == least,
    "an axis has length 1": lambda case, least: any(1 in a.shape for a in arrays_of(case)),
    "an array holds whole numbers": lambda case, least: any(
        a.dtype.kind in "iu" for a in arrays_of(case)
    ),
    "a number is minus infinity": lambda case, least: any(
        (a == -np.inf).any() for a in arrays_of(case)
    ),
    "numbers are large": lambda case, least: any(
        (np.abs(a[np.isfinite(a)]) > 50).any() or np.isinf(a).any() for a in arrays_of(case)
    ),
}


def arrays_of(case):
    held = []
    for arg in case.args:
        values = arg.values() if isinstance(arg, dict) else arg
        held += values if isinstance(arg, (dict, list, tuple)) else [arg]
    return [value for value in held if isinstance(value, np.ndarray)]


def test_a_condition_that_is_told_sets_the_wrong_cases_apart():
    seen_conditions = set()
    for who, seen in met_as_if_unknown():
        cause = cause_in_conditions(seen)
        condition = cause and re.match(r"Every case where (.*) is wrong; all", cause.sentence)[1]
        if condition not in CONDITIONS:
            continue
        seen_conditions.add(condition)
        least = min(one.case.axes() for one in seen.tried)
        for one in seen.tried:
            assert CONDITIONS[condition](one.case, least) == bool(one.problem), who
    assert len(seen_conditions) >= 4


def test_every_cause_that_is_told_has_a_claim(told):
    ids = {id for _who, _seen, cause in told for id in cause.id.split("+")}
    assert ids <= CLAIMS.keys() | LISTS.keys()
    assert len(ids) >= 35
