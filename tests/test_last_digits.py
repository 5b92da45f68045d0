"""Fresh numbers give way to known ones that say the same, and to no others."""

from dataclasses import replace

import numpy as np
import pytest

from autograder.authoring.last_digits import settled, with_known_digits
from autograder.exercises.making_keys import visible_key
from illustrated_attention.outcomes import Case

X = np.array([[1.0, -3.0], [1e-13, 0.25]])


@pytest.mark.parametrize("known", [X, X.tolist(), tuple(X.ravel().tolist()), 3.7, {"w": X}, [X]])
def test_the_last_digit_of_the_known_number_stays(known):
    def shifted(value):
        if isinstance(value, dict):
            return {name: shifted(item) for name, item in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value)(map(shifted, value))
        return value + 4e-16

    assert str(settled(shifted(known), known)) == str(known)


@pytest.mark.parametrize(
    "fresh",
    [
        X + 1e-8,
        X.astype(np.float32),
        X[:, :1],
        X.ravel(),
        X.tolist(),
        np.where(X == 0.25, np.nan, X),
        np.where(X == 0.25, np.inf, X),
        "words",
        None,
    ],
)
def test_what_says_something_else_is_new(fresh):
    assert settled(fresh, X) is fresh


def test_nan_and_infinity_are_kept_where_they_stand():
    known = np.array([np.nan, np.inf, -np.inf, 2.0])
    assert settled(known + 4e-16, known) is known
    assert settled(-known, known) is not known


def test_small_arguments_stay_as_small_as_they_are():
    tiny, other = np.array([1e-20, 2e-20]), np.array([1e-20, 3e-20])
    assert settled(other, tiny) is other
    assert settled(other, tiny, atol=1e-12) is tiny  # as results they are both 0


def test_a_case_put_in_leaves_the_digits_of_the_others():
    known = visible_key("weighted_sum")

    def nudged(value):
        return value + 1e-15 if isinstance(value, np.ndarray) else value

    fresh = replace(
        known,
        cases=(Case("a new case", known.cases[0].args), *known.cases),
        expected=(known.expected[0] + 1, *map(nudged, known.expected)),
        mistakes=tuple(
            replace(
                mistake,
                signatures=tuple(
                    replace(s, outcomes=(s.outcomes[0], *s.outcomes)) for s in mistake.signatures
                ),
            )
            for mistake in reversed(known.mistakes)
        ),
    )
    key = with_known_digits(fresh, known)
    assert [case.title for case in key.cases] == ["a new case", *(c.title for c in known.cases)]
    assert key.expected[0] is fresh.expected[0]
    assert all(a is b for a, b in zip(key.expected[1:], known.expected, strict=True))
    assert [m.id for m in key.mistakes] == [m.id for m in reversed(known.mistakes)]
    assert with_known_digits(known, None) is known
