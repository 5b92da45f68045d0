"""Arguments without effect: whatever they hold, the result is the same."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations, islice

import numpy as np

from illustrated_attention.causes.evidence import Cause, Evidence, Tried
from illustrated_attention.comparing import alike
from illustrated_attention.language import _, listed
from illustrated_attention.outcomes import Case, call, identical
from illustrated_attention.problems import find_problem

CASES = 2  # on which it has to be seen
MOST_CALLS = 24
MOST_EXCHANGED = 40  # pairs of entries: those of a block
MOST_NAMED = 3


def argument_without_effect(evidence: Evidence) -> Cause | None:
    """Return that other numbers in an argument change nothing, where they should change all.

    Only arrays are changed, and only where the result is an array of numbers with a decimal point:
    ids, counts, answers and what was searched for may well be the same for other input.
    """
    arrays = [pair.expected for pair in evidence.pairs]
    if not arrays or any(a.dtype.kind != "f" or not a.ndim for a in arrays):
        return None
    if evidence.nothing_finite:  # nan is like nan, whatever it came of
        return None
    telling = [one for one in evidence.wrong if one.outcome.returned and _is_telling(one.case)]
    telling = sorted(telling, key=lambda one: one.case.size())[-CASES:]
    if len(telling) < CASES:
        return None
    # Where a result is right it mostly shows at once that the argument counts.
    others = [one for one in evidence.right if not one.case.late and _is_telling(one.case)]
    without = []
    for name, changed in islice(_with_other_numbers(telling[-1].case, evidence), MOST_CALLS):
        if _is_the_same(evidence, telling[-1], changed) and all(
            _is_the_same(evidence, one, dict(_with_other_numbers(one.case, evidence)).get(name))
            for one in (*others, *telling[:-1])
        ):
            without.append(f"`{name}`")
    if not without:
        return None
    text = _(
        "Your result stays the same whatever numbers are in {names}. Is that used, and in time?"
    )
    names = _(" and ").join(without)
    if len(without) > MOST_NAMED:
        names = _("{names} and others").format(names=listed(without[:MOST_NAMED]))
    return Cause("no_effect", text.format(names=names))


def arguments_exchanged(evidence: Evidence) -> Cause | None:
    """Return which two arguments have to be exchanged for every case to come out right."""
    most = max((len(one.case.args) for one in evidence.tried), default=0)
    for pair in combinations(range(most), 2):
        if _may_be_exchanged(evidence, *pair) and all(
            _is_right_exchanged(evidence, one, *pair) for one in evidence.tried
        ):
            a, b = (evidence.name_of(position) for position in pair)
            text = _(
                "`{a}` and `{b}` have changed places: with the two exchanged in the call every "
                "case comes out right. Compare your `def` line with the exercise's."
            )
            return Cause("arguments_exchanged", text.format(a=a, b=b))
    return _entries_exchanged(evidence)


def _entries_exchanged(evidence: Evidence) -> Cause | None:
    """Return which two entries of a dictionary have to be exchanged for all to come out right."""
    for position, name, entries in _dictionaries(evidence):
        for a, b in islice(_alike_in_kind(entries), MOST_EXCHANGED):
            swapped = {a: b, b: a}

            def with_exchanged(*args, at=position, swapped=swapped):
                old = args[at]
                new = {key: old[swapped.get(key, key)] for key in old}
                return evidence.function(*args[:at], new, *args[at + 1 :])

            if evidence.all_right_with(with_exchanged):
                text = _(
                    '`{name}["{a}"]` and `{name}["{b}"]` have changed places in your function: '
                    "with the two exchanged every case comes out right."
                )
                return Cause("entries_exchanged", text.format(name=name, a=a, b=b))
    return None


def _dictionaries(evidence: Evidence) -> Iterator[tuple[int, str, list[str]]]:
    """Yield the arguments that are dictionaries with the same entries in every case."""
    for position, arg in enumerate(evidence.tried[0].case.args if evidence.tried else ()):
        if isinstance(arg, dict) and all(
            len(one.case.args) > position and list(one.case.args[position]) == list(arg)
            for one in evidence.tried
        ):
            yield position, evidence.name_of(position), list(arg)


def _alike_in_kind(entries: list[str]) -> Iterator[tuple[str, str]]:
    """Yield two entries whose names end alike, such as two biases, or begin alike."""
    for a, b in combinations(entries, 2):
        if a.split(".")[-1] == b.split(".")[-1] or a.split(".")[:-1] == b.split(".")[:-1]:
            yield a, b


def _may_be_exchanged(evidence: Evidence, first: int, second: int) -> bool:
    """False where other cases are right with the two as they are, though both are always given.

    What is made of a product comes out right with any two exchanged.
    """
    if any(len(one.case.args) <= second for one in evidence.tried):
        return True
    given = [one.case.args for one in evidence.right]
    return all(
        type(args[first]) is type(args[second]) and identical(args[first], args[second])
        for args in given
    )


def _is_right_exchanged(evidence: Evidence, one: Tried, first: int, second: int) -> bool:
    """True when a case comes out right with two of its arguments exchanged."""
    args = one.case.args
    if first >= len(args):
        return one.problem is None
    if second < len(args):
        order = list(args)
        order[first], order[second] = args[second], args[first]
        again = call(evidence.function, replace(one.case, args=tuple(order)))
    elif first == len(args) - 1:  # the other one is not given: this one goes in its place, by name
        name = evidence.name_of(second)

        def by_name(*given):
            return evidence.function(*given[:-1], **{name: given[-1]})

        again = call(by_name, one.case)
    else:
        return False
    return find_problem(again, one.case, one.expected) is None


def _is_telling(case: Case) -> bool:
    """False where an axis of length 1 may make an argument count for nothing."""
    return all(1 not in a.shape[-2:] for arg in case.args for _n, a in arrays_in("", arg))


def _is_the_same(evidence: Evidence, one: Tried, changed: Case | None) -> bool:
    if changed is None:
        return False
    again = call(evidence.function, changed)
    return again.returned and alike(again.value, one.outcome.value)


def _with_other_numbers(case: Case, evidence: Evidence) -> Iterator[tuple[str, Case]]:
    """Yield the case with other numbers in one array, for each array that it holds."""
    for position, arg in enumerate(case.args):
        for name, array in arrays_in(evidence.name_of(position), arg):
            args = list(case.args)
            args[position] = _exchanged(arg, array, _others(array))
            yield name, replace(case, args=tuple(args))


def arrays_in(name: str, arg: object) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the arrays of an argument, each with what it is called in the learner's code."""
    if isinstance(arg, np.ndarray):
        yield name, arg
    elif isinstance(arg, dict):
        for key, value in arg.items():
            if isinstance(value, np.ndarray):
                yield f'{name}["{key}"]', value
    elif isinstance(arg, tuple):
        for i, value in enumerate(arg):
            if isinstance(value, np.ndarray):
                yield f"{name}[{i}]", value


def _exchanged(arg, old: np.ndarray, new: np.ndarray):
    if arg is old:
        return new
    if isinstance(arg, dict):
        return {key: new if value is old else value for key, value in arg.items()}
    return tuple(new if value is old else value for value in arg)


def _others(array: np.ndarray) -> np.ndarray:
    """Return other numbers of the same kind; ids stay ids that exist."""
    if array.dtype == bool:
        return ~array
    if array.dtype.kind in "iu":
        return np.where(array > 0, array - 1, array + 1).astype(array.dtype)
    waves = np.cos(1 + 1.7 * np.arange(array.size)).reshape(array.shape)
    return (array * 1.1 + 0.5 * waves).astype(array.dtype)
