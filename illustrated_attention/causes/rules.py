"""Does a rule make what was returned of what was expected, everywhere?"""

from collections.abc import Callable

import numpy as np

from illustrated_attention.causes.evidence import Pair, same
from illustrated_attention.comparing import near

LEAST_NUMBERS = 4  # fewer wrong numbers fit almost anything


def enough(wrong: list[Pair]) -> bool:
    """True when the numbers that differ are so many that chance cannot explain a rule."""
    return sum(_differing(pair) for pair in wrong) >= LEAST_NUMBERS


def _differing(pair: Pair) -> int:
    if pair.got.shape != pair.expected.shape:
        return pair.got.size
    return int(wrong_cells(pair).sum())


def wrong_cells(pair: Pair) -> np.ndarray:
    """Return True where a cell is wrong. Both arrays have one shape."""
    got, expected = pair.got.astype(float), pair.expected.astype(float)
    return ~(near(got, expected) | (np.isnan(got) & np.isnan(expected)))


def all_become(change: Callable, wrong: list[Pair], right: list[Pair]) -> bool:
    """True when `change` makes what was returned of what was expected, everywhere."""
    return all(applied(change, pair) for pair in (*wrong, *right))


def applied(change: Callable, pair: Pair) -> bool:
    """True when `change` makes what was returned of what was expected."""
    try:
        return same(change(pair.expected.astype(float)), pair.got)
    except (ValueError, IndexError, ZeroDivisionError):
        return False


def distinct(pair: Pair) -> bool:
    """True when most of the expected numbers occur once: then their places can be told apart."""
    values = np.sort(pair.expected.astype(float), axis=None)
    return values.size > 2 and bool((np.diff(values) > 1e-6).mean() > 0.5)


def same_numbers(pair: Pair) -> bool:
    """True when exactly the expected numbers came back, in whatever places."""
    if pair.got.size != pair.expected.size:
        return False
    return same(np.sort(pair.got, axis=None), np.sort(pair.expected, axis=None))
