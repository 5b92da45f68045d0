"""Why is it wrong? Causes that nobody listed, found in the numbers, the source and the errors."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from illustrated_attention.answer_keys import AnswerKey, Signature
from illustrated_attention.causes.conditions import cause_in_conditions, right_where_shown
from illustrated_attention.causes.counts import cause_in_lengths
from illustrated_attention.causes.errors import cause_in_errors, cause_in_refusals
from illustrated_attention.causes.evidence import Cause, Evidence, one_or_the_other
from illustrated_attention.causes.helpers import wrong_helper
from illustrated_attention.causes.influence import argument_without_effect, arguments_exchanged
from illustrated_attention.causes.not_a_number import origin_of_nan
from illustrated_attention.causes.numbers import cause_in_numbers, cause_in_patterns
from illustrated_attention.causes.one_change import cause_in_one_change
from illustrated_attention.causes.source import (
    cause_in_source,
    certain_cause_in_source,
    unused_argument,
)
from illustrated_attention.causes.steps import cause_in_steps
from illustrated_attention.causes.two_known import known_mistake_and_a_step, two_known_mistakes
from illustrated_attention.language import together

__all__ = ["Cause", "find_cause", "find_certain_cause", "one_or_the_other"]

_ADDED_UP = (two_known_mistakes, known_mistake_and_a_step)


@np.errstate(all="ignore")
def find_certain_cause(
    function: Callable, key: AnswerKey, signature: Signature, problems: list
) -> Cause | None:
    """Return a cause that comes before any known mistake, if there is one.

    What a wrong function of an earlier exercise does looks like a mistake of this one.
    """
    evidence = Evidence(function, key, signature, problems)
    if cause := certain_cause_in_source(evidence):
        return cause
    return wrong_helper(evidence) if evidence.wrong else None


@np.errstate(all="ignore")  # also when the learner asked NumPy to raise or to warn
def find_cause(
    function: Callable, key: AnswerKey, signature: Signature, problems: list
) -> Cause | None:
    """Return why the function is wrong, None when only the difference can be told."""
    evidence = Evidence(function, key, signature, problems)
    if not evidence.wrong:
        return cause_in_refusals(evidence)
    if cause := cause_in_source(evidence):
        return cause
    if not evidence.nothing_finite and (cause := cause_in_steps(evidence)):
        return cause
    # What adds up mistakes looks for numbers that are the ones that came back.
    by_numbers = (cause_in_patterns,) if evidence.nothing_finite else _ADDED_UP
    for find in (
        cause_in_numbers,
        arguments_exchanged,
        cause_in_one_change,
        *by_numbers,
        origin_of_nan,
        _error_and_unused_argument,
        unused_argument,
        argument_without_effect,
        cause_in_patterns,
        cause_in_lengths,
    ):
        if cause := find(evidence):
            return _under_its_condition(cause, evidence)
    return cause_in_conditions(evidence) or right_where_shown(evidence)


def _error_and_unused_argument(evidence: Evidence) -> Cause | None:
    """Return the usual reason of an exception, and which argument the function never uses."""
    cause, unused = cause_in_errors(evidence), unused_argument(evidence)
    if cause is None or unused is None:
        return cause
    return replace(cause, sentence=together(cause.sentence, unused.sentence))


def _under_its_condition(cause: Cause, evidence: Evidence) -> Cause:
    """Say also where it is wrong, when that is one kind of case."""
    where = cause_in_conditions(evidence)
    return replace(cause, sentence=together(where.sentence, cause.sentence)) if where else cause
