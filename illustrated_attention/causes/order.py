"""Right numbers in wrong places: reversed, shifted, axes exchanged, rows in another order."""

from collections.abc import Callable, Iterator
from itertools import permutations

import numpy as np

from illustrated_attention.causes.evidence import Cause, Evidence, Pair, same
from illustrated_attention.causes.rules import all_become, distinct, enough, same_numbers
from illustrated_attention.comparing import alike
from illustrated_attention.language import _, listed


def _orders(axes: int) -> Iterator[tuple[str, Callable, str]]:
    names = {
        -1: _("the last axis"),
        -2: _("the last axis but one"),
        -3: _("the third axis from the end"),
        -4: _("the fourth axis from the end"),
    }
    for axis in range(-1, -axes - 1, -1):
        name = names.get(axis, str(axis))
        text = _("Your numbers are right, but {axis} runs backwards.")
        yield "reversed", lambda a, x=axis: np.flip(a, x), text.format(axis=name)
        for by in (1, -1):
            text = _("Your numbers are right, but along {axis} all are shifted by one.")
            yield "shifted", lambda a, x=axis, n=by: np.roll(a, n, x), text.format(axis=name)
    for order in permutations(range(-axes, 0)):
        if order != tuple(range(-axes, 0)):
            text = _(
                "Your numbers are right, but axes are exchanged (right: {right}, yours: {yours})."
            )
            words = text.format(right=tuple(range(axes)), yours=tuple(i + axes for i in order))
            yield (
                "axes_exchanged",
                lambda a, o=order: np.transpose(
                    a, (*range(a.ndim - len(o)), *(a.ndim + i for i in o))
                ),
                words,
            )


def in_another_order(wrong: list[Pair], right: list[Pair], evidence: Evidence) -> Cause | None:
    axes = min(pair.expected.ndim for pair in wrong)
    if not axes or not enough(wrong):
        return None
    for id, change, sentence in _orders(min(axes, 3)):
        if all_become(change, wrong, right):
            return Cause(id, sentence)
    if all(same_numbers(pair) for pair in wrong) and all(distinct(pair) for pair in wrong):
        for axis, sentence in (
            (-2, _("Your rows are the right ones, but in another order.")),
            (-1, _("Your columns are the right ones, but in another order.")),
        ):
            if all(_same_slices(pair, axis) for pair in wrong):
                return Cause("order", sentence)
        text = _(
            "You return exactly the right numbers, but in other places: look at reshape and at "
            "the order of the axes."
        )
        return Cause("order", text)
    return None


def _same_slices(pair: Pair, axis: int) -> bool:
    if pair.got.ndim < -axis:
        return False

    def slices(a):
        rows = np.moveaxis(a.astype(float), axis, 0).reshape(a.shape[axis], -1)
        return rows[np.lexsort(np.round(rows, 4).T[::-1])]

    return same(slices(pair.got), slices(pair.expected))


def values_all_the_same(evidence: Evidence) -> Cause | None:
    """Return that the returned values are equal to each other, everywhere, and should not be."""
    back = [one for one in evidence.tried if one.outcome.returned]
    if len(back) < 2 or not all(_are_arrays(one.outcome.value) for one in back):
        return None
    if any(one.problem is None for one in back) or not all(
        alike(value, one.outcome.value[0]) for one in back for value in one.outcome.value[1:]
    ):
        return None
    text = _(
        "All returned values hold the same numbers. Is one name returned several times, or one "
        "array written into again and again?"
    )
    return Cause("values_all_the_same", text)


def _are_arrays(value) -> bool:
    several = isinstance(value, (tuple, list)) and len(value) > 1
    return several and all(isinstance(item, np.ndarray) and item.size for item in value)


def values_exchanged(evidence: Evidence) -> Cause | None:
    """The returned values are the right ones, but in another order."""
    by_case: dict[int, list[Pair]] = {}
    for pair in evidence.pairs:
        by_case.setdefault(id(pair.case), []).append(pair)
    groups = [pairs for pairs in by_case.values() if len({p.part for p in pairs}) == len(pairs) > 1]
    if not groups or len({len(pairs) for pairs in groups}) != 1:
        return None
    count = len(groups[0])
    for order in permutations(range(count)):
        if order == tuple(range(count)):
            continue
        if all(
            same(pairs[i].got, pairs[order[i]].expected) for pairs in groups for i in range(count)
        ):
            text = _(
                "The returned values are right, but in another order: yours are the right number "
                "{order}."
            )
            words = listed(str(i + 1) for i in order)
            return Cause("values_exchanged", text.format(order=words))
    return None
