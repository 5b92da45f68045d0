"""Why is it wrong? Causes that nobody listed, found in the numbers, the source and the errors."""

from collections.abc import Callable

import numpy as np

from illustrated_attention.answer_keys import AnswerKey, Signature
from illustrated_attention.causes.conditions import cause_in_conditions
from illustrated_attention.causes.errors import cause_in_errors
from illustrated_attention.causes.evidence import Cause, Evidence
from illustrated_attention.causes.numbers import cause_in_numbers
from illustrated_attention.causes.source import (
    cause_in_source,
    certain_cause_in_source,
    unused_argument,
)
from illustrated_attention.causes.steps import cause_in_steps

__all__ = ["Cause", "find_cause", "find_certain_cause"]


@np.errstate(all="ignore")
def find_certain_cause(
    function: Callable, key: AnswerKey, signature: Signature, problems: list
) -> Cause | None:
    """Return a cause that comes before any known mistake, if there is one."""
    return certain_cause_in_source(Evidence(function, key, signature, problems))


@np.errstate(all="ignore")  # also when the learner asked NumPy to raise or to warn
def find_cause(
    function: Callable, key: AnswerKey, signature: Signature, problems: list
) -> Cause | None:
    """Return why the function is wrong, None when only the difference can be told."""
    evidence = Evidence(function, key, signature, problems)
    if not evidence.wrong:
        return None
    for find in (
        cause_in_source,
        cause_in_steps,
        _in_numbers_under_a_condition,
        cause_in_errors,
        unused_argument,
    ):
        cause = find(evidence)
        if cause:
            return cause
    return cause_in_conditions(evidence)


def _in_numbers_under_a_condition(evidence: Evidence) -> Cause | None:
    cause, where = cause_in_numbers(evidence), cause_in_conditions(evidence)
    return Cause(cause.id, f"{where.sentence} {cause.sentence}") if cause and where else cause
