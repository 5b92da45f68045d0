"""Two known mistakes at once, or a known one and one step more: from what each does alone."""

from collections.abc import Callable, Iterator
from itertools import combinations
from typing import TypeAlias

import numpy as np

from illustrated_attention.answer_keys import KnownMistake
from illustrated_attention.causes.evidence import Cause, Evidence, Pair, one_or_the_other
from illustrated_attention.causes.numbers import factor_in_words, softmax
from illustrated_attention.causes.rules import all_become
from illustrated_attention.comparing import NUMBERS, alike
from illustrated_attention.language import _
from illustrated_attention.outcomes import Outcome
from illustrated_attention.problems import find_problem
from illustrated_attention.same_behaviour import same_outcome

_Numbers: TypeAlias = tuple[np.ndarray, list]

MOST_UNSEEN = 0.5  # of the wrong cases: there both are wrong at once, and give something new


def two_known_mistakes(evidence: Evidence) -> Cause | None:
    """Return the two known mistakes that each show alone in some cases, and explain all others."""
    if len(evidence.wrong) < 2 or _only_true_or_false(evidence):
        return None
    rows = [(m, row) for m, known in _behaviours(evidence) if (row := _row(known, evidence))]
    is_right = np.array([one.problem is None for one in evidence.tried])
    fitting = {}
    for (a, row_a), (b, row_b) in combinations(rows, 2):
        if a.id != b.id and _explain(row_a, row_b, is_right):
            fitting[frozenset((a.id, b.id))] = (a, b)
    text = _("Two things at once. {one} {other}")
    return one_or_the_other(
        [
            Cause(f"{a.id}+{b.id}", text.format(one=_(a.message), other=_(b.message)))
            for a, b in fitting.values()
        ]
    )


def _only_true_or_false(evidence: Evidence) -> bool:
    """Answers of one bit each: any two mistakes explain many of them."""
    return all(isinstance(one.expected, (bool, np.bool_)) for one in evidence.tried)


def known_mistake_and_a_step(evidence: Evidence) -> Cause | None:
    """Return the known mistake whose results, changed in one simple way, are those that came."""
    came = [numbers for one in evidence.tried if (numbers := _numbers(one.outcome))]
    if len(came) < len(evidence.tried):
        return None
    fitting = {}
    steps = list(_steps())
    for mistake, known in _behaviours(evidence):
        pairs = _beside(known, came, evidence)
        if not pairs or all(pair.right for pair in pairs):
            continue
        for id, change, sentence in steps:
            if all_become(change, [], pairs):
                fitting[mistake.id, id] = (mistake.message, sentence)
        if factor := factor_in_words(pairs, evidence):
            text = _("Besides, every number is {factor} times what that alone would give.")
            fitting[mistake.id, "factor"] = (mistake.message, text.format(factor=factor))
    text = _("Two things at once. {one} {other}")
    return one_or_the_other(
        [
            Cause(f"{mistake}+{step}", text.format(one=_(message), other=sentence))
            for (mistake, step), (message, sentence) in fitting.items()
        ]
    )


def _steps() -> Iterator[tuple[str, Callable, str]]:
    """What can be done to a result besides: id, change, sentence."""
    yield (
        "softmax_after",
        softmax,
        _("Besides, softmax is applied to the result: one step too many."),
    )
    yield (
        "opposite",
        lambda a: 1 - a if a.ndim == 0 else np.nan,
        _("Besides, each of your answers is turned round: True for False."),
    )
    yield "sign", np.negative, _("Besides, all signs are turned round.")
    yield (
        "transposed",
        lambda a: np.swapaxes(a, -1, -2),
        _("Besides, rows and columns changed places."),
    )
    yield "squared", np.square, _("Besides, every number is squared.")
    yield "root", np.sqrt, _("Besides, the root of every number is taken.")


def _beside(known: list[Outcome], came: list[_Numbers], evidence: Evidence) -> list[Pair]:
    """What came, beside what a known mistake gives; nothing where other values differ, too.

    Of several returned values only the first is looked at: all others have to be alike.
    """
    pairs = []
    for outcome, (got, rest), one in zip(known, came, evidence.tried, strict=True):
        numbers = _numbers(outcome)
        if numbers is None or not alike(rest, numbers[1]):
            return []
        pairs.append(Pair(one.case, 0, got, numbers[0]))
    return pairs if len(pairs) > 1 else []


def _numbers(outcome: Outcome) -> _Numbers | None:
    """The first of the values that were returned, if it is one of numbers, and all others."""
    if not outcome.returned:
        return None
    value = outcome.value
    first, *rest = value if isinstance(value, tuple) and value else [value]
    if not isinstance(first, NUMBERS) or np.asarray(first).dtype.kind not in "biuf":
        return None
    return np.asarray(first), rest


def _behaviours(evidence: Evidence) -> Iterator[tuple[KnownMistake, list[Outcome]]]:
    """Every known mistake with what it does on each case that was tried."""
    indices = [i for i, one in enumerate(evidence.all) if not one.case.raises]
    for mistake in evidence.key.mistakes:
        for signature in mistake.signatures:
            if len(signature.outcomes) >= len(evidence.all):
                yield mistake, [signature.outcomes[i] for i in indices]


def _row(known: list[Outcome], evidence: Evidence) -> tuple[np.ndarray, np.ndarray] | None:
    """For each case: is the known mistake wrong there, and is what it does what came?

    None where it never shows by itself, so that it cannot be one of two.
    """
    rows = list(zip(known, evidence.tried, strict=True))
    came = np.array(
        [bool(one.problem) and same_outcome(one.outcome, o, one.case) for o, one in rows]
    )
    if not came.any():
        return None
    return np.array([bool(find_problem(o, one.case, one.expected)) for o, one in rows]), came


def _explain(a: tuple, b: tuple, is_right: np.ndarray) -> bool:
    """True when one of two mistakes is what is seen wherever the other one does not show."""
    (wrong_a, alike_a), (wrong_b, alike_b) = a, b
    only_a, only_b, both = wrong_a & ~wrong_b, wrong_b & ~wrong_a, wrong_a & wrong_b
    neither = ~(wrong_a | wrong_b)
    unseen = both & ~alike_a & ~alike_b
    return bool(
        only_a.any()
        and only_b.any()
        and alike_a[only_a].all()
        and alike_b[only_b].all()
        and is_right[neither].all()
        and not is_right[both].any()
        and unseen.sum() <= MOST_UNSEEN * (~is_right).sum()
    )
