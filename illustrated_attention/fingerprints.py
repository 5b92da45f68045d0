"""Fingerprints: one number for what a function returned on a case, to find it again in a table.

The table holds what every implementation with one or two wrong steps returns (`Combined`). It is
made by ``make build``; results themselves would be a hundred times larger.
"""

from dataclasses import dataclass

import numpy as np

from illustrated_attention.outcomes import Outcome

RTOL, ATOL = 2e-4, 1e-4
_NO_RESULT = -1e9


@dataclass(frozen=True)
class Combined:
    """Implementations with one or two wrong steps: which, and their fingerprints.

    `sentences` has a sentence for each wrong step; `steps` has for each implementation the ids of
    its wrong steps, and `prints` one row of fingerprints: one for each case that is not to be
    refused. `exact` is for results that are whole numbers: they are compared to the last digit.
    """

    sentences: dict[str, str]
    steps: tuple[tuple[str, ...], ...]
    prints: np.ndarray
    exact: bool = False


def fingerprint(outcome: Outcome) -> float:
    """One number that stands for a result: its structure, its shapes and all its numbers."""
    if not outcome.returned:
        return _NO_RESULT - sum(map(ord, outcome.error or "time"))
    with np.errstate(all="ignore"):
        return float(sum(map(_of_leaf, range(1000), _leaves(outcome.value))))


def _leaves(value) -> list[np.ndarray]:
    if isinstance(value, (list, tuple)):
        return [leaf for item in value for leaf in _leaves(item)][:1000]
    if not isinstance(value, (np.ndarray, np.generic, bool, int, float)):
        return [np.array(np.nan)]
    array = np.asarray(value)
    return [array.astype(float) if array.dtype.kind in "biuf" else np.array(np.nan)]


def _of_leaf(position: int, array: np.ndarray) -> float:
    # The shape turns the weights, so that no constant blurs the numbers.
    shape = sum((axis + 1.7) * length for axis, length in enumerate(array.shape))
    if array.size <= 1:
        return float(array.sum()) * (1 + 0.3 * position + 0.01 * shape) + 1e-3 * array.ndim
    weights = np.cos(1 + 0.7 * position + 0.37 * shape + 2.399963 * np.arange(array.size))
    return float((array.ravel() * weights).sum()) / array.size**0.5


def matching(combined: Combined, prints: list[float]) -> list[tuple[str, ...]]:
    """The wrong steps of all implementations that have these fingerprints."""
    rtol, atol = (1e-9, 1e-9) if combined.exact else (RTOL, ATOL)
    close = np.isclose(combined.prints, prints, rtol, atol, equal_nan=True).all(axis=1)
    return [combined.steps[i] for i in np.flatnonzero(close)]
