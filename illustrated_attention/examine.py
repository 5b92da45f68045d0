"""Run a function on its cases and decide: right or wrong, and if wrong, let the cause be named.

`check` does this in the notebook with the visible cases, the judge with the hidden ones too.
Student code runs here only through `outcomes.call`, with plain data.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any

import numpy as np

from illustrated_attention import properties
from illustrated_attention.answer_keys import AnswerKey, Property, Signature
from illustrated_attention.comparing import Problem
from illustrated_attention.language import _
from illustrated_attention.messages import Failure, describe
from illustrated_attention.outcomes import (
    Case,
    Outcome,
    Returned,
    call,
    copy_data,
)
from illustrated_attention.problems import find_problem

SECONDS_PER_LATE_CALL = 10.0  # for a long text: a loop over all pairs of tokens is right, too


@dataclass(frozen=True)
class Verdict:
    """What came of an examination.

    `message` is safe to show anywhere: it holds words, never a value of a hidden case.
    """

    exercise: str
    passed: bool
    mistake: str | None
    message: str
    results: tuple[tuple[str, bool | None], ...]  # title and outcome; None: not tried
    failure: Failure | None  # `mistake` is a known one, or the id of a general cause
    remarks: tuple[str, ...]
    explained: bool = False  # what was told gives exactly the numbers that came back


def examine(function: Callable, key: AnswerKey) -> Verdict:
    """Examine `function` against `key`."""
    signature, problems = observe(function, key)
    titles = [case.title for case in key.cases] + [p.title for p in key.properties]
    right = [problem is None for problem in problems] + list(signature.held)
    results = tuple(zip_longest(titles, right))
    remarks = _remarks(signature.outcomes, problems, key)
    if all(right) and len(right) == len(titles):
        message = _("All {count} checks passed.").format(count=len(titles))
        return Verdict(key.exercise, True, None, message, results, None, remarks)
    failure = describe(function, key, signature, problems)
    # Most checks pass, and what knows all mistakes is slow to import.
    from illustrated_attention.diagnosis import diagnose

    id, message, explained = diagnose(function, key, signature, problems, failure)
    return Verdict(key.exercise, False, id, message, results, failure, remarks, explained)


def observe(function: Callable, key: AnswerKey) -> tuple[Signature, list[Problem | None]]:
    """Run all cases, and the properties if the cases came out right.

    Returns the signature and for every case that was run its problem, None if it was right.
    Nothing more is run after a call that had to be stopped. Late cases, which are the last ones,
    are run if all before them came out right.
    """
    outcomes: list[Outcome] = []
    problems: list[Problem | None] = []
    returned = Returned()
    wrong_early = False
    for case, expected in zip(key.cases, key.expected, strict=True):
        if case.late and wrong_early:
            break
        seconds = SECONDS_PER_LATE_CALL if case.late else None
        outcome = call(function, case, seconds, returned)
        if case.raises and outcome.error == case.raises:
            outcome = replace(outcome, message="")  # how a refusal is worded is free
        outcomes.append(outcome)
        problem = find_problem(outcome, case, expected)
        problems.append(problem)
        wrong_early = wrong_early or (problem is not None and not case.late)
        if outcome.timed_out or outcome.error == "NotImplementedError":
            break
    held = () if any(problems) else tuple(_holds(function, p) for p in key.properties)
    return Signature(tuple(outcomes), held), problems


def _holds(function: Callable, prop: Property) -> bool:
    def guarded(*args):
        outcome = call(function, Case(prop.title, args))
        if not outcome.returned:
            raise _Failed
        return outcome.value

    try:
        return bool(getattr(properties, prop.name)(guarded, *copy_data(prop.args)))
    except _Failed:
        return False
    except (ValueError, TypeError, IndexError, AttributeError):
        return False  # the results do not even fit together


class _Failed(Exception):
    """A call inside a property did not return."""


def _remarks(outcomes: tuple[Outcome, ...], problems: list, key: AnswerKey) -> tuple[str, ...]:
    """Friendly words about things that cost nothing."""
    remarks = []
    if any(outcome.printed for outcome in outcomes):
        remarks.append(_("Your function prints. That costs nothing; remove it when you are done."))
    numbers_for_truth = any(
        isinstance(expected, np.ndarray)
        and expected.dtype == bool
        and outcome.returned
        and isinstance(outcome.value, np.ndarray)
        and outcome.value.dtype != bool
        for outcome, expected in zip(outcomes, key.expected, strict=False)
    )
    if numbers_for_truth:
        text = _(
            "Your mask holds numbers. Here 0 and 1 pass, but the next exercises use masks, and "
            "there `~mask` and `scores[mask]` need True and False. `mask.astype(bool)`, or a "
            "comparison such as `a <= b`, gives them."
        )
        remarks.append(text)
    if any(
        problem is None and _whole_numbers_with_a_point(outcome.value, expected)
        for outcome, problem, expected in zip(outcomes, problems, key.expected, strict=False)
    ):
        text = _(
            "Your whole numbers come back as floats, such as 2.0. Here they pass, but ids have to "
            "be whole numbers where they are used next: `wte[ids]` refuses floats."
        )
        remarks.append(text)
    return tuple(remarks)


def _whole_numbers_with_a_point(value: Any, expected: Any) -> bool:
    """True when floats stand in a result where a list of ids is expected."""
    if isinstance(expected, list) and expected and all(type(item) is int for item in expected):
        return any(np.asarray(item).dtype.kind == "f" for item in value)
    if isinstance(expected, (list, tuple)):
        return any(map(_whole_numbers_with_a_point, value, expected))
    return False
