"""What a function did on its cases, laid out so that a cause can be looked for.

A result is taken apart into its arrays; each is put beside the one that was expected.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from illustrated_attention.answer_keys import AnswerKey, Signature
from illustrated_attention.comparing import Problem, alike, compare, near
from illustrated_attention.language import _
from illustrated_attention.outcomes import Case, Outcome, call, parameter_name
from illustrated_attention.problems import find_problem


@dataclass(frozen=True)
class Cause:
    """Why a result is wrong: an id that can be counted, and a sentence for the learner.

    Two at once have the id `a+b`; where one of two fits and nobody can say which, it is `a|b`.
    """

    id: str
    sentence: str
    explains: bool = False  # this alone gives exactly the numbers that came back


def one_or_the_other(causes: list[Cause]) -> Cause | None:
    """Return the cause; of two that fit equally well, both with an "or"; of more, none."""
    if not causes or len(causes) > 2:
        return None
    if len(causes) == 1:
        return causes[0]
    one, other = causes
    text = _("{one} Or: {other}").format(one=one.sentence, other=other.sentence)
    id = one.id if one.id == other.id else f"{one.id}|{other.id}"
    return Cause(id, text, one.explains and other.explains)


@dataclass(frozen=True)
class Tried:
    """One case that was run, what came of it, what was expected, and what is wrong with it."""

    case: Case
    outcome: Outcome
    expected: Any
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
    def nothing_finite(self) -> bool:
        """True when no wrong number is finite: many mistakes end so, and no two are told by it."""
        wrong = [pair for pair in self.pairs if not pair.right]
        return bool(wrong) and not any(map(_finite_and_wrong, wrong))

    @cached_property
    def parts(self) -> list[int]:
        """The returned values that are wrong somewhere."""
        return sorted({pair.part for pair in self.pairs if not pair.right})

    @cached_property
    def all_parts(self) -> list[int]:
        return sorted({pair.part for pair in self.pairs})

    @cached_property
    def stopped(self) -> list[Tried]:
        """The wrong cases that ended with an error."""
        return [one for one in self.wrong if one.outcome.error]

    @cached_property
    def only_numbers_differ(self) -> bool:
        """True when all that came back has its right structure (shapes may differ).

        Where some cases stopped, that is so of two others at least.
        """
        back = [one.problem.kind for one in self.wrong if one.problem and one.outcome.returned]
        return (
            all(kind in ("value", "shape", "not_finite") for kind in back)
            and len(back) + len(self.stopped) == len(self.wrong)
            and len(back) > (1 if self.stopped else 0)
        )

    def all_right_with(self, function: Callable) -> bool:
        """True when another function comes out right in every case that was tried."""
        return all(
            find_problem(call(function, one.case), one.case, one.expected) is None
            for one in self.tried
        )

    def name_of(self, position: int) -> str:
        name = parameter_name(self.function, position, self.key.parameters)
        return _("argument {number}").format(number=name) if name.isdigit() else name


def same(a: np.ndarray | float, b: np.ndarray | float) -> bool:
    """The course's one tolerance; nan is like nan."""
    a, b = np.asarray(a), np.asarray(b)
    a, b = a.astype(float, copy=False), b.astype(float, copy=False)
    return a.shape == b.shape and alike(a, b)


def _finite_and_wrong(pair: Pair) -> bool:
    """Whether a wrong number is there, and not only nan or infinity among right numbers."""
    got = pair.got.astype(float)
    finite = np.isfinite(got)
    if got.shape == pair.expected.shape:
        finite &= ~near(got, pair.expected.astype(float))
    return bool(finite.any())


def _leaves(got, expected) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    if isinstance(expected, list):
        yield from _of_ids(got, expected)
    elif isinstance(expected, tuple):
        stacked = isinstance(got, np.ndarray) and got.ndim > 0
        if not (stacked or isinstance(got, (tuple, list))) or len(got) != len(expected):
            return
        for i, (g, e) in enumerate(zip(got, expected, strict=True)):
            for _part, a, b in _leaves(g, e):
                yield i, a, b
    else:
        difference = compare(got, expected)
        if difference is None or difference.kind in ("value", "shape", "not_finite"):
            a, b = np.asarray(got), np.asarray(expected)
            if a.dtype.kind in "biuf" and b.dtype.kind in "biuf":
                yield 0, a, b


def _of_ids(got, expected: list) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """A list of ids is one array; other lists hold no numbers that belong together."""
    if not (isinstance(got, (list, tuple, np.ndarray)) and len(got) == len(expected)):
        return
    if all(isinstance(item, (int, float, np.number)) for item in (*got, *expected)):
        a = np.asarray(got)
        if a.dtype.kind in "iuf":
            yield 0, a, np.asarray(expected, int)
