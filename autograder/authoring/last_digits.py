"""The same answer keys on every machine: known numbers stay where fresh ones say the same.

The last digits of a product of matrices, of an exp or a tanh hang on the processor. What is
derived must not: a fresh number that agrees with the known one to far more digits than anything
in the course looks at gives way to it.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from illustrated_attention.answer_keys import AnswerKey, KnownMistake, Signature
from illustrated_attention.fingerprints import Combined
from illustrated_attention.outcomes import Case

RTOL, ATOL = 1e-9, 1e-12  # of float64; processors differ by less than 1e-12, mistakes by 1e-4
_COARSER_RTOL = {np.dtype(np.float32): 1e-5, np.dtype(np.float16): 1e-2}


def with_known_digits(fresh: AnswerKey, known: AnswerKey | None) -> AnswerKey:
    """Return the fresh key with every number of the known key that says the same."""
    if known is None:
        return fresh
    places = {case.title: place for place, case in enumerate(known.cases)}
    # For every fresh case where it stood in the known key, if it did.
    before = [places.get(case.title) for case in fresh.cases]
    properties = {prop.title: prop for prop in known.properties}
    mistakes = {mistake.id: mistake for mistake in known.mistakes}
    return replace(
        fresh,
        cases=tuple(
            case if i is None else _case(case, known.cases[i])
            for case, i in zip(fresh.cases, before, strict=True)
        ),
        expected=tuple(
            value if i is None else settled(value, known.expected[i], ATOL)
            for value, i in zip(fresh.expected, before, strict=True)
        ),
        properties=tuple(
            replace(prop, args=settled(prop.args, properties[prop.title].args))
            if prop.title in properties
            else prop
            for prop in fresh.properties
        ),
        mistakes=tuple(_mistake(m, mistakes.get(m.id), before) for m in fresh.mistakes),
        combined=_combined(fresh.combined, known.combined),
    )


def _combined(fresh: Combined | None, known: Combined | None) -> Combined | None:
    """Fingerprints one by one: each is a sum, and some implementations make large numbers."""
    if fresh is None or known is None or fresh.steps != known.steps:
        return fresh
    if fresh.prints.shape != known.prints.shape:
        return fresh
    same = np.isclose(fresh.prints, known.prints, rtol=1e-7, atol=1e-9, equal_nan=True)
    return replace(fresh, prints=np.where(same, known.prints, fresh.prints))


def _case(fresh: Case, known: Case) -> Case:
    args, within = settled(fresh.args, known.args), settled(fresh.within, known.within)
    return replace(fresh, args=args, within=within)


def _mistake(
    fresh: KnownMistake, known: KnownMistake | None, before: list[int | None]
) -> KnownMistake:
    if known is None or len(known.signatures) != len(fresh.signatures):
        return fresh
    pairs = zip(fresh.signatures, known.signatures, strict=True)
    return replace(fresh, signatures=tuple(_signature(a, b, before) for a, b in pairs))


def _signature(fresh: Signature, known: Signature, before: list[int | None]) -> Signature:
    outcomes = tuple(
        outcome
        if i is None or i >= len(known.outcomes)
        else replace(outcome, value=settled(outcome.value, known.outcomes[i].value, ATOL))
        for outcome, i in zip(fresh.outcomes, before, strict=False)
    )
    return replace(fresh, outcomes=outcomes)


def settled(fresh: Any, known: Any, atol: float = 0.0) -> Any:
    """Return `fresh` with the known arrays and numbers where they differ in last digits only.

    The digits of an array, and of a list of numbers, are counted from its largest number. With
    `atol` 0, two different small numbers stay two: arguments may be small on purpose.
    """
    if isinstance(fresh, (list, tuple)):
        if type(known) is not type(fresh) or len(known) != len(fresh):
            return fresh
        a, b = _numbers(fresh), _numbers(known)
        if a is not None and b is not None:
            return known if _agree(a, b, atol) else fresh
        return type(fresh)(settled(f, k, atol) for f, k in zip(fresh, known, strict=True))
    if isinstance(fresh, dict) and isinstance(known, dict):
        return {k: settled(v, known[k], atol) if k in known else v for k, v in fresh.items()}
    if isinstance(fresh, float) and isinstance(known, float):
        return known if _agree(np.asarray(fresh), np.asarray(known), atol) else fresh
    if isinstance(fresh, (np.ndarray, np.generic)) and isinstance(known, np.ndarray):
        return known if _agree(np.asarray(fresh), known, atol) else fresh
    return fresh


def _numbers(value: list | tuple) -> np.ndarray | None:
    """Nested lists of floats as an array, or None."""
    if not _are_floats(value):
        return None
    try:
        return np.array(value)
    except ValueError:  # rows of different lengths
        return None


def _are_floats(value: object) -> bool:
    if isinstance(value, (list, tuple)):
        return bool(value) and all(map(_are_floats, value))
    return type(value) is float


@np.errstate(all="ignore")
def _agree(fresh: np.ndarray, known: np.ndarray, atol: float) -> bool:
    if fresh.shape != known.shape or fresh.dtype != known.dtype or fresh.dtype.kind != "f":
        return False
    finite = np.isfinite(known)
    if not np.array_equal(fresh[~finite], known[~finite], equal_nan=True):
        return False
    a, b = fresh[finite].astype(float), known[finite].astype(float)
    largest = np.abs(b).max(initial=0.0)
    rtol = _COARSER_RTOL.get(known.dtype, RTOL)
    return bool((np.abs(a - b) <= atol + rtol * largest).all())
