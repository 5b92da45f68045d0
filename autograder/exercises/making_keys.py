"""Answer keys are made here: of each exercise, from its page and the solution.

`visible_key` is what learners get; `make build` writes it to `data/answers/`. `full_key` is the
judge's, with the hidden cases.
"""

import functools
import inspect
import warnings
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from autograder.exercises import find_exercise, pieces
from autograder.exercises.kit import Exercise
from autograder.exercises.reference import reference
from autograder.exercises.variations import variations
from illustrated_attention.answer_keys import (
    AnswerKey,
    KnownMistake,
    Property,
    Signature,
    find_key,
)
from illustrated_attention.examine import observe
from illustrated_attention.fingerprints import Combined, fingerprint, matching
from illustrated_attention.outcomes import Case, Outcome, call, copy_data
from illustrated_attention.same_behaviour import raised_on_purpose


class ExerciseError(Exception):
    """An exercise is declared wrongly; the message says which and how."""


@functools.cache
def visible_key(name: str) -> AnswerKey:
    """The answer key that students get: visible cases only."""
    exercise = find_exercise(name)
    key = _make_key(exercise, exercise.visible, [p.visible for p in exercise.promises])
    return replace(key, combined=_combined(key))


@functools.cache
def full_key(name: str) -> AnswerKey:
    """The judge's key: visible and hidden cases, and the properties on hidden arguments."""
    exercise = find_exercise(name)
    cases = (*exercise.visible, *exercise.hidden, *variations(exercise))
    key = _make_key(exercise, cases, [p.hidden for p in exercise.promises])
    students = find_key(name)  # the table of two mistakes at once is made by `make build`
    parameters = tuple(inspect.signature(reference(name)).parameters)
    combined = students.combined if students else None
    return replace(key, combined=combined, hidden=True, parameters=parameters)


def _make_key(exercise: Exercise, cases: tuple[Case, ...], arguments: list[tuple]) -> AnswerKey:
    solution = reference(exercise.name)
    cases = tuple(sorted(cases, key=lambda case: case.late))
    key = AnswerKey(
        exercise=exercise.name,
        lesson=exercise.lesson,
        cases=cases,
        expected=tuple(_expected(exercise, solution, case) for case in cases),
        properties=tuple(
            Property(promise.title, promise.property, args)
            for promise, args in zip(exercise.promises, arguments, strict=True)
        ),
        mistakes=(),
        hints=exercise.hints,
        can=exercise.can,
    )
    mistakes = tuple(
        KnownMistake(m.id, m.message, tuple(_behaviour(f, key) for f in m.implementations))
        for m in exercise.mistakes
    )
    return replace(key, mistakes=mistakes)


def _combined(key: AnswerKey) -> Combined | None:
    """The table of all implementations with one or two wrong steps that are told apart by it."""
    steps = find_exercise(key.exercise).steps
    if steps is None:
        return None
    cases = [case for case in key.cases if not (case.raises or case.late)]
    exact = all(_is_exact(value) for value in key.expected)
    right = _fingerprints(reference(key.exercise), cases)
    known = [
        [fingerprint(o) for o, case in zip(s.outcomes, key.cases, strict=False) if case in cases]
        for mistake in key.mistakes
        for s in mistake.signatures
    ]
    found: list[tuple[tuple[str, ...], list]] = []
    sentences: dict[str, str] = {}
    for wrong, function in steps.variants():
        prints = _fingerprints(function, cases)
        sentences.update((step.id, step.sentence) for step in wrong)
        found.append((tuple(step.id for step in wrong), prints))
    table = Combined(
        sentences, tuple(ids for ids, _p in found), np.array([p for _i, p in found]), exact
    )
    taken = {
        ids
        for prints in (right, *(k for k in known if len(k) == len(right)))
        for ids in matching(table, prints)
    }
    kept = [(ids, prints) for ids, prints in found if ids not in taken]
    return Combined(
        sentences, tuple(ids for ids, _p in kept), np.array([p for _i, p in kept]), exact
    )


def _fingerprints(function: Callable, cases: list[Case]) -> list[float]:
    """What a function of ours gives on each case. It prints nothing and comes to an end, so it needs
    none of the care of `call`, which takes longer than the function.
    """
    prints = []
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for case in cases:
            try:
                outcome = Outcome(function(*copy_data(case.args)))
            except Exception as error:
                outcome = Outcome(error=type(error).__name__)
            prints.append(fingerprint(outcome))
    return prints


def _is_exact(value: object) -> bool:
    """Whole numbers, True or False, and lists of them; nothing where input must be refused."""
    if isinstance(value, list):
        return all(map(_is_exact, value))
    return value is None or type(value) in (int, bool)


def _behaviour(implementation: Callable, key: AnswerKey) -> Signature:
    """How a wrong implementation behaves. The words of its own errors are no part of that."""
    signature, _problems = observe(implementation, key)
    return replace(signature, outcomes=tuple(map(_without_words, signature.outcomes)))


def _without_words(outcome: Outcome) -> Outcome:
    """Leave of an error of its own only whether a function of another exercise raised it."""
    if not raised_on_purpose(outcome):
        return replace(outcome, inside="", calling="")
    called = outcome.inside if hasattr(pieces, outcome.inside) else ""
    return replace(outcome, message="", line="", inside=called, calling="")


def _expected(exercise: Exercise, solution: Callable, case: Case) -> object:
    outcome = call(solution, case)
    if outcome.error != case.raises or outcome.timed_out:
        told = outcome.error or ("no end" if outcome.timed_out else "a value")
        raise ExerciseError(
            f"{exercise.name}, case «{case.title}»: the solution gave {told}"
            f" ({outcome.message}), expected {case.raises or 'a value'}"
        )
    return outcome.value
