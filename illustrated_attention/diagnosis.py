"""Name the mistake in a function that is wrong: a known one, or a cause that fits what is seen."""

from collections.abc import Callable

import numpy as np

from illustrated_attention.answer_keys import AnswerKey, Signature
from illustrated_attention.causes import (
    Cause,
    find_cause,
    find_certain_cause,
    one_or_the_other,
)
from illustrated_attention.comparing import Problem, alike
from illustrated_attention.language import _
from illustrated_attention.messages import Failure
from illustrated_attention.outcomes import call
from illustrated_attention.same_behaviour import same_behaviour, same_outcome

# What is seen in these is the cause itself. For each, the id under which it is counted.
SELF_EXPLAINING = {
    "unwritten": "not_written",
    "timeout": "no_end",
    "did_not_raise": "bad_input_accepted",
    "changed": "argument_changed",
    "overwrote": "result_overwritten",
    "none": "returned_none",
    "type": "wrong_type",
    "property": "property_broken",
}
CALLED_AGAIN = 3  # wrong cases that are called again, to see whether the result stays


def diagnose(
    function: Callable,
    key: AnswerKey,
    signature: Signature,
    problems: list[Problem | None],
    failure: Failure,
) -> tuple[str | None, str, bool]:
    """Return the mistake's id, what is told of it, and whether it gives exactly what came back.

    Parameters
    ----------
    function : callable
        A function that did not pass.
    key : AnswerKey
    signature : Signature
        What it did on the cases.
    problems : list of Problem or None
        For each case that was run, what is wrong with its outcome.
    failure : Failure
        The case that is shown. Where no cause is found its sentence is told, under no id.
    """
    known = name_mistake(signature, problems, key)
    certain = find_certain_cause(function, key, signature, problems)
    if certain:
        return certain.id, certain.sentence, False
    if known and "|" not in known.id:
        return known.id, known.sentence, True
    if _differs_each_time(function, key, signature, problems):
        text = _(
            "{name} returns something else each time, for the same input. Is something in it drawn "
            "at random, never filled (np.empty), or kept from earlier calls?"
        )
        return "different_each_time", text.format(name=key.exercise), False
    if failure.kind in SELF_EXPLAINING:
        return SELF_EXPLAINING[failure.kind], failure.sentence, False
    if cause := find_cause(function, key, signature, problems):
        return cause.id, cause.sentence, cause.explains
    if known:
        return known.id, known.sentence, True
    return None, failure.sentence, False


def name_mistake(signature: Signature, problems: list, key: AnswerKey) -> Cause | None:
    """Return the known mistake that behaves the same on all cases and properties, if any.

    Input that must be refused counts only when all the rest is right: a learner often writes
    that part last, and the mistake before it should be named all the same.
    """
    refusals_count = not any(
        p for p, case in zip(problems, key.cases, strict=False) if not case.raises
    )
    compared = [i for i, case in enumerate(key.cases) if refusals_count or not case.raises]
    for mistake in key.mistakes:
        for known in mistake.signatures:
            if same_behaviour(signature, known, key.cases, compared):
                return Cause(mistake.id, _(mistake.message))
    return _mistake_before_it_stops(signature, problems, key)


def _mistake_before_it_stops(signature: Signature, problems: list, key: AnswerKey) -> Cause | None:
    """Return the one known mistake in all that came back, when other cases stopped with an error.

    A function that fails for a batch often has a mistake for one sentence as well. That is the
    one to mend first. Nothing is named when more than two mistakes come into question.
    """
    returned = [i for i, outcome in enumerate(signature.outcomes) if outcome.returned]
    wrong = [i for i in returned if problems[i] and not key.cases[i].raises]
    compared = [i for i in returned if not key.cases[i].raises]
    stopped = any(
        o.error for o, case in zip(signature.outcomes, key.cases, strict=False) if not case.raises
    )
    tried = len(signature.outcomes)
    if not wrong or not stopped or tried < sum(not case.late for case in key.cases):
        return None
    if all(_nothing_but_nan(problems[i]) for i in wrong):
        return None  # one nan is like another: too little to tell a mistake by
    fitting = [
        mistake
        for mistake in key.mistakes
        if any(
            len(known.outcomes) == tried
            and all(
                same_outcome(signature.outcomes[i], known.outcomes[i], key.cases[i])
                for i in compared
            )
            for known in mistake.signatures
        )
    ]
    return one_or_the_other([Cause(mistake.id, _(mistake.message)) for mistake in fitting])


def _nothing_but_nan(problem: Problem) -> bool:
    """True when no number came out wrong, only what is no number."""
    if problem.kind != "not_finite":
        return False
    return problem.wrong == np.count_nonzero(~np.isfinite(problem.got))


def _differs_each_time(
    function: Callable, key: AnswerKey, signature: Signature, problems: list
) -> bool:
    """True when a wrong result is another one when the function is called again."""
    outcomes = signature.outcomes
    wrong = [
        (outcomes[i].value, key.cases[i])
        for i, problem in enumerate(problems)
        # What is no plain data is not even like itself.
        if problem and outcomes[i].returned and alike(outcomes[i].value, outcomes[i].value)
    ]
    for before, case in wrong[:CALLED_AGAIN]:
        again = call(function, case)
        if again.returned and not alike(again.value, before):
            return True
    return False
