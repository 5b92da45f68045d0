"""Which numbers are wrong, and what they have in common: their place, their sign, their input."""

from collections.abc import Callable, Iterator

import numpy as np

from illustrated_attention.causes.evidence import Cause, Evidence, Pair, same
from illustrated_attention.causes.rules import LEAST_NUMBERS, enough, wrong_cells
from illustrated_attention.comparing import ATOL
from illustrated_attention.language import _, later


def cause_in_cells(wrong: list[Pair], right: list[Pair], evidence: Evidence) -> Cause | None:
    """Return what the wrong cells have in common and the right ones do not."""
    if not enough(wrong):
        return None
    for find in (_all_one_number, _sums, _same_along_an_axis, _shared_out, _at_one_end, _by_value):
        cause = find(wrong, right, evidence)
        if cause:
            return cause
    return None


def _all_one_number(wrong: list[Pair], right: list[Pair], evidence: Evidence) -> Cause | None:
    flat = [pair for pair in wrong if pair.got.size > 1]
    if len(flat) < 2 or not all(_alike(pair.got) for pair in flat):
        return None
    if all(np.isnan(pair.got.astype(float)).all() for pair in wrong):
        text = _(
            "Where your result is wrong, all of it is nan. That comes of 0 / 0, of infinity minus "
            "infinity, of 0 times infinity, and of the root or logarithm of a negative number."
        )
        return Cause("all_nan", text)
    if right:
        text = _("Where your result is wrong, all its numbers are the same number.")
        return Cause("all_one_number", text)
    if not any(pair.got.any() for pair in wrong):
        text = _("All your numbers are 0: is the array that you made ever filled?")
        return Cause("all_zero", text)
    return Cause("all_one_number", _("All numbers of your result are the same number."))


def _sums(wrong: list[Pair], right: list[Pair], evidence: Evidence) -> Cause | None:
    """Rows that should sum to 1 and do not; columns that do instead."""
    if not all(_rows_are_shares(pair.expected) for pair in (*wrong, *right)):
        return None
    wide = [pair for pair in wrong if pair.got.ndim >= 2 and min(pair.got.shape[-2:]) > 1]
    if (
        wide
        and all(_rows_are_shares(np.swapaxes(pair.got, -1, -2)) for pair in wide)
        and not any(_rows_are_shares(pair.got) for pair in wide)
    ):
        text = _(
            "Your columns sum to 1, not your rows: the sum runs along another axis than it should."
        )
        return Cause("other_axis", text)
    if (
        wide
        and all(same(pair.got.sum(), 1.0) for pair in wide)
        and all(pair.expected.size > pair.expected.shape[-1] for pair in wide)
    ):
        return Cause(
            "other_axis", _("All your numbers together sum to 1; each row should, by itself.")
        )
    return None


def _rows_are_shares(a: np.ndarray) -> bool:
    return (
        a.ndim > 0
        and a.dtype.kind == "f"
        and bool((a >= -ATOL).all())
        and same(a.sum(axis=-1), np.ones(a.shape[:-1]))
    )


_AXES = {
    -1: later("the last axis"),
    -2: later("the last axis but one"),
    -3: later("the third axis from the end"),
}


def _same_along_an_axis(wrong: list[Pair], right: list[Pair], evidence: Evidence) -> Cause | None:
    """Rows that should differ are all the same."""
    for axis, name in _AXES.items():
        long = [pair for pair in wrong if pair.got.ndim >= -axis and pair.got.shape[axis] > 1]
        if (
            len(long) > 1
            and all(_alike_along(pair.got, axis) for pair in long)
            and not any(_alike_along(pair.expected, axis) for pair in long)
            and all(pair.got.ndim < -axis or _alike_along(pair.expected, axis) for pair in right)
        ):
            text = _("Along {axis} all you return is the same; the right numbers differ there.")
            return Cause("same_along_an_axis", text.format(axis=_(name)))
    return None


def _alike(a: np.ndarray) -> bool:
    return same(a, np.full(a.shape, a.flat[0]))


def _alike_along(a: np.ndarray, axis: int) -> bool:
    return same(a, np.broadcast_to(np.take(a, [0], axis), a.shape))


def _shared_out(wrong: list[Pair], right: list[Pair], evidence: Evidence) -> Cause | None:
    """The items of an axis add up to what they should, and each is wrong."""
    for axis in (-3, -2):
        long = [pair for pair in wrong if pair.got.ndim >= -axis and pair.got.shape[axis] > 1]
        if len(long) > 1 and all(
            pair.got.ndim >= -axis
            and same(pair.got.astype(float).sum(axis), pair.expected.astype(float).sum(axis))
            for pair in wrong
        ):
            text = _(
                "Added up along {axis}, your numbers are right; they are shared out wrongly among "
                "its items."
            )
            return Cause("shared_out", text.format(axis=_(_AXES[axis])))
    return None


def _at_one_end(wrong: list[Pair], right: list[Pair], evidence: Evidence) -> Cause | None:
    """Only the first or the last item of an axis is wrong, or only the first head is right."""
    for axis, name in _AXES.items():
        if not all(pair.got.ndim >= -axis and pair.got.shape[axis] > 1 for pair in wrong):
            continue
        if not any(pair.got.shape[axis] > 2 for pair in wrong):
            continue
        bad = [_wrong_items(pair, axis) for pair in wrong]
        if all(not items[1:].any() for items in bad):
            text = _("Only the first item along {axis} is wrong; all others are right.")
        elif all(not items[:-1].any() for items in bad):
            text = _("Only the last item along {axis} is wrong; all others are right.")
        elif axis == -3 and all(not items[0] and items[1:].all() for items in bad):
            text = _("The first item along {axis} is right; all others are wrong.")
        else:
            continue
        return Cause("at_one_end", text.format(axis=_(name)))
    return None


def _wrong_items(pair: Pair, axis: int) -> np.ndarray:
    """For each item of an axis: is anything in it wrong?"""
    items = np.moveaxis(wrong_cells(pair), axis, 0).reshape(pair.got.shape[axis], -1)
    return np.asarray(items.any(axis=1))


def _by_value(wrong: list[Pair], right: list[Pair], evidence: Evidence) -> Cause | None:
    """Wrong are exactly the cells where the right number, or one of the input, is of one kind."""
    pairs = [*wrong, *right]
    bad = [wrong_cells(pair) for pair in pairs]
    mixed = any(cells.any() and not cells.all() for cells in bad)
    if sum(map(np.sum, bad)) < LEAST_NUMBERS or not mixed:
        return None
    for name, values in _values_beside(pairs, evidence):
        for holds, sentence in _kinds(values, bad):
            if all(
                np.array_equal(cells, holds(value))
                for cells, value in zip(bad, values, strict=True)
            ):
                return Cause("some_values", sentence.format(what=name))
    return None


def _values_beside(pairs: list[Pair], evidence: Evidence) -> Iterator[tuple[str, list]]:
    """Yield numbers that lie beside every cell: of the right result, of arguments of its shape."""
    for position in range(max(len(pair.case.args) for pair in pairs)):
        values = [
            pair.case.args[position] if position < len(pair.case.args) else None for pair in pairs
        ]
        if all(
            isinstance(value, np.ndarray) and value.shape == pair.got.shape
            for value, pair in zip(values, pairs, strict=True)
        ):
            yield f"`{evidence.name_of(position)}`", values
    yield _("the right number"), [pair.expected for pair in pairs]


def _kinds(values: list[np.ndarray], bad: list[np.ndarray]) -> Iterator[tuple[Callable, str]]:
    if all(value.dtype == bool for value in values):
        yield np.logical_not, _("Wrong are exactly your numbers where {what} is False.")
        yield np.array, _("Wrong are exactly your numbers where {what} is True.")
        return
    if any((value > 0).any() for value in values) and any((value < 0).any() for value in values):
        yield lambda a: a < 0, _("Wrong are exactly your numbers where {what} is below 0.")
        yield lambda a: a > 0, _("Wrong are exactly your numbers where {what} is above 0.")
    yield lambda a: a == 0, _("Wrong are exactly your numbers where {what} is 0.")
    yield np.isinf, _("Wrong are exactly your numbers where {what} is infinite.")
    with np.errstate(all="ignore"):
        large = [np.abs(value.astype(float)) for value in values]
        limit = max(
            (a[~b].max() for a, b in zip(large, bad, strict=True) if not b.all()), default=np.inf
        )
    if limit >= 1:
        yield (
            lambda a: np.abs(a) > limit,
            _("Wrong are exactly your numbers where {what} is large."),
        )
