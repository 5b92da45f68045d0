"""What a function did on its cases, laid out so that a cause can be looked for.

A result is taken apart into its arrays; each is put beside the one that was expected.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from illustrated_attention.answer_keys import AnswerKey, Signature
from illustrated_attention.comparing import ATOL, RTOL, Problem, compare
from illustrated_attention.outcomes import Case, Outcome, parameter_name


@dataclass(frozen=True)
class Cause:
    """Why a result is wrong: an id that can be counted, and a sentence for the learner."""

    id: str
    sentence: str


@dataclass(frozen=True)
class Tried:
    """One case that was run, what came of it, what was expected, and what is wrong with it."""

    case: Case
    outcome: Outcome
    expected: object
    problem: Problem | None  # None: right


@dataclass(frozen=True)
class Pair:
    """An array that was returned beside the one that was expected, and where it came from."""

    case: Case
    part: int  # which of several returned values, 0 for the first
    got: np.ndarray
    expected: np.ndarray

    @cached_property
    def right(self) -> bool:
        return same(self.got, self.expected)


class Evidence:
    """All that was seen of one function.

    Parameters
    ----------
    function : callable
        The function, or a stand-in for it.
    key : AnswerKey
        The cases with what was expected.
    signature : Signature
        What the function did on the cases.
    problems : list
        For every case that was run what is wrong, None if nothing is.
    """

    def __init__(self, function: Callable, key: AnswerKey, signature: Signature, problems: list):
        self.function, self.key = function, key
        rows = zip(key.cases, signature.outcomes, key.expected, problems, strict=False)
        self.all = [Tried(*row) for row in rows]
        # Input that must be refused is a question of its own.
        self.tried = [one for one in self.all if not one.case.raises]
        self.wrong = [one for one in self.tried if one.problem]
        self.right = [one for one in self.tried if not one.problem]

    @cached_property
    def pairs(self) -> list[Pair]:
        """Every number that was returned, where the structure of the result is right."""
        return [
            Pair(one.case, part, got, expected)
            for one in self.tried
            if one.outcome.returned
            for part, got, expected in _leaves(one.outcome.value, one.expected)
        ]

    @cached_property
    def parts(self) -> list[int]:
        """The returned values that are wrong somewhere."""
        return sorted({pair.part for pair in self.pairs if not pair.right})

    @cached_property
    def all_parts(self) -> list[int]:
        return sorted({pair.part for pair in self.pairs})

    @cached_property
    def only_numbers_differ(self) -> bool:
        """True when every case came back in its right structure (shapes may differ)."""
        return bool(self.wrong) and all(
            one.problem and one.problem.kind in ("value", "shape", "not_finite")
            for one in self.wrong
        )

    def name_of(self, position: int) -> str:
        return parameter_name(self.function, position, self.key.parameters)


def same(a: np.ndarray | float, b: np.ndarray | float) -> bool:
    """The course's one tolerance; nan is like nan."""
    a, b = np.asarray(a), np.asarray(b)
    with np.errstate(all="ignore"):
        return a.shape == b.shape and bool(
            np.allclose(a.astype(float), b.astype(float), RTOL, ATOL, equal_nan=True)
        )


def _leaves(got, expected) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    if isinstance(expected, (tuple, list)):
        stacked = isinstance(got, np.ndarray) and got.ndim > 0
        if not (stacked or isinstance(got, (tuple, list))) or len(got) != len(expected):
            return
        for i, (g, e) in enumerate(zip(got, expected, strict=True)):
            for _part, a, b in _leaves(g, e):
                yield i, a, b
        return
    difference = compare(got, expected)
    if difference is None or difference.kind in ("value", "shape", "not_finite"):
        a, b = np.asarray(got), np.asarray(expected)
        if a.dtype.kind in "biuf" and b.dtype.kind in "biuf":
            yield 0, a, b
