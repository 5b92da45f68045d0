"""Causes that show in the numbers: what would have to be done to the right result to get yours.

Every finding holds on all that is wrong, and is also consistent with all that is right.
"""

from collections.abc import Callable, Iterator
from itertools import permutations

import numpy as np

from illustrated_attention.causes.evidence import Cause, Evidence, Pair, same
from illustrated_attention.comparing import ATOL
from illustrated_attention.language import _

LEAST_NUMBERS = 4  # fewer wrong numbers fit almost anything


def cause_in_numbers(evidence: Evidence) -> Cause | None:
    """Return what the wrong numbers have in common, if it is one thing."""
    if not evidence.only_numbers_differ:
        return None
    exchanged = _values_exchanged(evidence)
    if exchanged:
        return exchanged
    found = []
    for part in evidence.parts:
        pairs = [pair for pair in evidence.pairs if pair.part == part]
        cause = _cause_of(pairs, evidence)
        if cause is None:
            return None
        found.append(cause)
    if not found or len({cause.id for cause in found}) > 1:
        return None
    where = _which_values(evidence)
    return Cause(found[0].id, f"{where} {found[0].sentence}".strip())


def _which_values(evidence: Evidence) -> str:
    """Say which of several returned values are wrong, when some are right."""
    wrong, every = evidence.parts, evidence.all_parts
    if len(every) == 1 or wrong == every:
        return ""
    numbers = _(" and ").join(str(part + 1) for part in wrong)
    if len(wrong) == 1:
        return _("Of the returned values only number {numbers} is wrong.").format(numbers=numbers)
    return _("Of the returned values numbers {numbers} are wrong.").format(numbers=numbers)


def _cause_of(pairs: list[Pair], evidence: Evidence) -> Cause | None:
    wrong = [pair for pair in pairs if not pair.right]
    right = [pair for pair in pairs if pair.right]
    if any(pair.got.shape != pair.expected.shape for pair in wrong):
        return _cause_in_shape(wrong, right, evidence)
    if any(pair.expected.dtype == bool for pair in wrong):
        return _cause_in_mask(wrong, right)
    for find in (_scaled, _moved, _changed_after, _in_another_order, _sums):
        cause = find(wrong, right, evidence)
        if cause:
            return cause
    return None


def _enough(wrong: list[Pair]) -> bool:
    """True when the numbers that differ are so many that chance cannot explain a rule."""
    return sum(_differing(pair) for pair in wrong) >= LEAST_NUMBERS


def _differing(pair: Pair) -> int:
    if pair.got.shape != pair.expected.shape:
        return pair.got.size
    with np.errstate(all="ignore"):
        return int((~np.isclose(pair.got.astype(float), pair.expected.astype(float))).sum())


def _all_become(change: Callable, wrong: list[Pair], right: list[Pair]) -> bool:
    """True when `change` makes what was returned of what was expected, everywhere."""
    with np.errstate(all="ignore"):
        return all(_applied(change, pair) for pair in (*wrong, *right))


def _applied(change: Callable, pair: Pair) -> bool:
    try:
        return same(change(pair.expected.astype(float)), pair.got)
    except (ValueError, IndexError, ZeroDivisionError):
        return False


# --- a factor, an offset, a sign -----------------------------------------------------------------


def _scaled(wrong: list[Pair], right: list[Pair], evidence: Evidence) -> Cause | None:
    factors = [factor for pair in wrong if (factor := _factor(pair)) is not None]
    if len(factors) < len(wrong) or not (_enough(wrong) or len(wrong) > 2):
        return None
    if all(same(factor, -1.0) for factor in factors) and not any(p.expected.any() for p in right):
        return Cause("sign", _("Every number has the wrong sign: it is -1 times the right one."))
    factors_of_all = [*factors, *(1.0 for _pair in right)]
    tried = [t for t in zip((*wrong, *right), factors_of_all, strict=True) if t[0].expected.any()]
    name = _size_that_explains(tried, evidence)
    if name:
        sentence = _("Every number is {factor} times the right one.")
        return Cause("factor", sentence.format(factor=name))
    if all(same(factor, factors[0]) for factor in factors) and _spread(right):
        if evidence.key.hidden:
            return Cause("factor", _("All numbers are wrong by one and the same factor."))
        sentence = _("Every number is {factor:.4g} times the right one.")
        return Cause("factor", sentence.format(factor=factors[0]))
    if not right and len(factors) > 1 and all(np.count_nonzero(p.expected) > 1 for p in wrong):
        sentence = _(
            "In each case all numbers are wrong by one and the same factor, "
            "which changes from case to case: what do you divide or multiply by?"
        )
        return Cause("factor", sentence)
    return None


def _spread(right: list[Pair]) -> bool:
    """True when nothing that is right contradicts a constant factor."""
    return not any(pair.expected.any() for pair in right)


def _factor(pair: Pair) -> float | None:
    """The one number by which everything expected must be multiplied, None if there is none."""
    got, expected = pair.got.astype(float), pair.expected.astype(float)
    if not np.isfinite(got).all() or not np.isfinite(expected).all():
        return None
    norm = float((expected * expected).sum())
    if norm < ATOL:
        return None
    factor = float((got * expected).sum()) / norm
    return factor if abs(factor) > 1e-9 and same(factor * expected, got) else None


def _size_that_explains(tried: list[tuple[Pair, float]], evidence: Evidence) -> str | None:
    """Name the size of the input whose root, itself or inverse is the factor in all cases."""
    if len({round(factor, 6) for _pair, factor in tried}) < 2:
        return None  # a constant explains it as well
    fitting = [
        name
        for name, value in _candidates(evidence)
        if all(_is(value(pair.case), factor) for pair, factor in tried)
    ]
    return fitting[0] if fitting else None


def _is(value: float | None, factor: float) -> bool:
    return value is not None and bool(np.isclose(value, factor, rtol=1e-4))


def _candidates(evidence: Evidence) -> Iterator[tuple[str, Callable]]:
    forms = [
        (_("the root of {size}"), lambda n: n**0.5),
        (_("1 / the root of {size}"), lambda n: n**-0.5),
        ("{size}", lambda n: n),
        (_("1 / {size}"), lambda n: 1 / n),
    ]
    for form, formula in forms:
        for name, size in _sizes(evidence):
            yield form.format(size=name), lambda case, f=formula, s=size: _value(f, s(case))


def _value(formula: Callable, size: float | None) -> float | None:
    return formula(size) if size else None


def _sizes(evidence: Evidence) -> Iterator[tuple[str, Callable]]:
    """The sizes of the input by name: lengths of axes, and whole numbers among the arguments."""
    width = max((len(one.case.args) for one in evidence.tried), default=0)
    for position in range(width):
        name = evidence.name_of(position)
        for axis, words in (
            (-1, _("the last axis of `{name}`")),
            (-2, _("the last axis but one of `{name}`")),
            (-3, _("the third axis from the end of `{name}`")),
        ):
            yield (
                words.format(name=name),
                lambda case, p=position, a=axis: _length(case, p, a),
            )
        yield f"`{name}`", lambda case, p=position: _whole(case, p)


def _length(case, position: int, axis: int) -> int | None:
    arg = case.args[position] if position < len(case.args) else None
    return arg.shape[axis] if isinstance(arg, np.ndarray) and arg.ndim >= -axis else None


def _whole(case, position: int) -> int | None:
    arg = case.args[position] if position < len(case.args) else None
    return arg if type(arg) is int and arg > 0 else None


# --- numbers that were changed after they were right ---------------------------------------------


def _moved(wrong: list[Pair], right: list[Pair], evidence: Evidence) -> Cause | None:
    offsets = []
    for pair in wrong:
        difference = pair.got.astype(float) - pair.expected.astype(float)
        if not np.isfinite(difference).all() or not same(
            difference, difference.mean() + 0 * difference
        ):
            return None
        offsets.append(float(difference.mean()))
    if right or not _enough(wrong) or not all(same(o, offsets[0]) for o in offsets):
        return None
    if evidence.key.hidden:
        return Cause("offset", _("Every number is wrong by the same amount."))
    sentence = _("Every number is wrong by the same amount: {offset:+.4g}.")
    return Cause("offset", sentence.format(offset=offsets[0]))


def _softmax(a: np.ndarray, axis: int = -1) -> np.ndarray:
    exp = np.exp(a - a.max(axis=axis, keepdims=True))
    return exp / exp.sum(axis=axis, keepdims=True)


def _whole_changes() -> Iterator[tuple[str, Callable, str]]:
    """Changes of a right result by which wrong ones come about: id, change, sentence."""
    for digits in range(6):
        text = _(
            "Your numbers are the right ones, rounded to {digits} decimals. Return them as they "
            "are."
        )
        yield "rounded", lambda a, n=digits: np.round(a, n), text.format(digits=digits)
    yield (
        "whole_numbers",
        np.trunc,
        _(
            "What stands after the decimal point is lost: your result holds whole numbers. Was "
            "the array for it made with a whole-number dtype?"
        ),
    )
    yield (
        "whole_numbers",
        np.floor,
        _("Your numbers are the right ones, rounded down: `//` divides so."),
    )
    yield "sign_lost", np.abs, _("Your numbers have lost their sign: all are positive.")
    yield (
        "negative_cut",
        lambda a: np.maximum(a, 0),
        _("Where the right number is below 0 you have 0; all others are right."),
    )
    yield "squared", np.square, _("Every number is the square of the right one.")
    yield "root", np.sqrt, _("Every number is the root of the right one.")
    yield "inverse", lambda a: 1 / a, _("Every number is 1 / the right one.")
    yield "exp", np.exp, _("Every number is exp of the right one: one exp too many.")
    yield "log", np.log, _("Every number is the logarithm of the right one.")
    yield (
        "softmax_after",
        _softmax,
        _("Your numbers are softmax of the right result, over its last axis: one step too many."),
    )
    yield (
        "normalised_after",
        lambda a: a / a.sum(axis=-1, keepdims=True),
        _("Your rows are the right ones, divided by their sum: one step too many."),
    )
    yield (
        "centred",
        lambda a: a - a.mean(axis=-1, keepdims=True),
        _("From every row its mean was taken away: one step too many."),
    )
    yield (
        "summed_up",
        lambda a: np.cumsum(a, axis=-2),
        _("Row by row your numbers add up: each row is the sum of all right rows so far."),
    )


def _changed_after(wrong: list[Pair], right: list[Pair], evidence: Evidence) -> Cause | None:
    if not _enough(wrong):
        return None
    for id, change, sentence in _whole_changes():
        if _all_become(change, wrong, right):
            return Cause(id, sentence)
    return (
        _half_precision(wrong, right)
        or _cut(wrong, right, evidence.key.hidden)
        or _missing_step(wrong, right)
    )


def _half_precision(wrong: list[Pair], right: list[Pair]) -> Cause | None:
    close = all(
        np.allclose(pair.got.astype(float), pair.expected.astype(float), rtol=3e-3, atol=3e-3)
        for pair in wrong
    )
    half = all(
        np.array_equal(pair.got.astype(np.float16).astype(float), pair.got.astype(float))
        for pair in (*wrong, *right)
    )
    if close and half:
        text = _("Your numbers are right to about three digits only: they went through float16.")
        return Cause("precision", text)
    return None


def _cut(wrong: list[Pair], right: list[Pair], hidden: bool) -> Cause | None:
    """All wrong numbers are one and the same limit, beyond which the right ones lie."""
    for way, sentence in (
        (1, _("No number of yours is above {limit:.4g}: larger ones were cut off.")),
        (-1, _("No number of yours is below {limit:.4g}: smaller ones were cut off.")),
    ):
        cells = [
            (way * pair.got.astype(float), way * pair.expected.astype(float)) for pair in wrong
        ]
        limits = {float(got.max()) for got, _e in cells}
        if len(limits) != 1:
            continue
        [limit] = limits
        if all(same(np.minimum(expected, limit), got) for got, expected in cells):
            if hidden:
                sentence = _("Your numbers are cut off at a limit.")
            return Cause("cut_off", sentence.format(limit=way * limit))
    return None


def _missing_step(wrong: list[Pair], right: list[Pair]) -> Cause | None:
    """What would have to be done to yours to make it right."""
    steps = (
        (
            "not_softmaxed",
            _softmax,
            _("Softmax over the last axis would make your result right: that step is missing."),
        ),
        (
            "not_normalised",
            lambda a: a / a.sum(axis=-1, keepdims=True),
            _("Your rows do not sum to 1; divided by their sum they are right."),
        ),
    )
    for id, step, sentence in steps:
        with np.errstate(all="ignore"):
            if all(
                pair.got.ndim and same(step(pair.got.astype(float)), pair.expected)
                for pair in wrong
            ):
                return Cause(id, sentence)
    return None


# --- right numbers in wrong places ---------------------------------------------------------------


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


def _in_another_order(wrong: list[Pair], right: list[Pair], evidence: Evidence) -> Cause | None:
    axes = min(pair.expected.ndim for pair in wrong)
    if not axes or not _enough(wrong):
        return None
    for id, change, sentence in _orders(min(axes, 3)):
        if _all_become(change, wrong, right):
            return Cause(id, sentence)
    if all(_same_numbers(pair) for pair in wrong) and all(_distinct(pair) for pair in wrong):
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


def _distinct(pair: Pair) -> bool:
    values = np.sort(pair.expected.astype(float), axis=None)
    return values.size > 2 and bool((np.diff(values) > 1e-6).mean() > 0.5)


def _same_numbers(pair: Pair) -> bool:
    if pair.got.size != pair.expected.size:
        return False
    return same(np.sort(pair.got, axis=None), np.sort(pair.expected, axis=None))


def _same_slices(pair: Pair, axis: int) -> bool:
    if pair.got.ndim < -axis:
        return False

    def slices(a):
        rows = np.moveaxis(a.astype(float), axis, 0).reshape(a.shape[axis], -1)
        return rows[np.lexsort(np.round(rows, 4).T[::-1])]

    return same(slices(pair.got), slices(pair.expected))


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


# --- shapes --------------------------------------------------------------------------------------


def _cause_in_shape(wrong: list[Pair], right: list[Pair], evidence: Evidence) -> Cause | None:
    odd = [pair for pair in wrong if pair.got.shape != pair.expected.shape]
    changes = (
        (
            "axis_of_one_lost",
            np.squeeze,
            _("Axes of length 1 are gone from your result: `squeeze` or an index takes them away."),
        ),
    )
    for id, change, sentence in changes:
        if all(_applied(change, pair) for pair in odd) and len(odd) == len(wrong):
            return Cause(id, sentence)
    if all(same(np.squeeze(pair.got), np.squeeze(pair.expected)) for pair in odd):
        if all(pair.got.ndim > pair.expected.ndim for pair in odd):
            return Cause(
                "axis_too_many",
                _("Your numbers are right, but your result has an extra axis of length 1."),
            )
        if all(pair.got.ndim < pair.expected.ndim for pair in odd):
            return Cause(
                "axis_of_one_lost",
                _("Axes of length 1 are gone from your result; its numbers are right."),
            )
    if all(same(pair.got.ravel(), pair.expected.ravel()) for pair in odd):
        if all(pair.got.ndim < pair.expected.ndim for pair in odd):
            text = _(
                "Your numbers are right, but leading axes were flattened into one and not "
                "brought back."
            )
            return Cause("axes_flattened", text)
        return Cause(
            "axes_flattened",
            _("Your numbers are right and in the right order, but the shape is another one."),
        )
    for order in ((-1, -2), (-2, -1, -3), (-1, -3, -2), (-3, -1, -2), (-2, -3, -1), (-1, -2, -3)):
        if all(pair.expected.ndim >= len(order) for pair in odd) and all(
            _applied(_transposing(order), pair) for pair in odd
        ):
            if len(order) == 2:
                return Cause(
                    "transposed", _("Your numbers are right, but rows and columns are exchanged.")
                )
            return Cause(
                "axes_exchanged", _("Your numbers are right, but the axes stand in another order.")
            )
    if all(_same_numbers(pair) and _distinct(pair) for pair in odd):
        return Cause("order", _("You return the right numbers, but in another shape and order."))
    return _too_short(odd) or _summed_away(odd)


def _transposing(order: tuple[int, ...]) -> Callable:
    return lambda a: np.transpose(a, (*range(a.ndim - len(order)), *(a.ndim + i for i in order)))


def _too_short(odd: list[Pair]) -> Cause | None:
    """One row or column too many or too few; all others are right."""
    names = {-1: _("columns"), -2: _("rows")}
    for axis, name in names.items():
        for ours, theirs, id, text in (
            (
                slice(None),
                slice(1, None),
                "first_missing",
                _("The first of the {name} is missing; the others are right."),
            ),
            (
                slice(None),
                slice(None, -1),
                "last_missing",
                _("The last of the {name} is missing; the others are right."),
            ),
            (
                slice(1, None),
                slice(None),
                "one_too_many",
                _("Your result has one too many in front of its {name}; the others are right."),
            ),
            (
                slice(None, -1),
                slice(None),
                "one_too_many",
                _("Your result has one too many at the end of its {name}; the others are right."),
            ),
        ):
            if all(_cut_alike(pair, axis, ours, theirs) for pair in odd):
                return Cause(id, text.format(name=name))
    return None


def _cut_alike(pair: Pair, axis: int, ours: slice, theirs: slice) -> bool:
    if pair.got.ndim != pair.expected.ndim or pair.got.ndim < -axis:
        return False

    def cut(a, piece):
        return np.moveaxis(np.moveaxis(a, axis, 0)[piece], 0, axis)

    a, b = cut(pair.got, ours), cut(pair.expected, theirs)
    return a.size > 0 and same(a, b)


def _summed_away(odd: list[Pair]) -> Cause | None:
    """An axis that belongs to the result was summed, averaged, or only its first item taken."""
    ways = (
        (
            "summed_away",
            np.sum,
            _("Your result is the right one summed over {axis}: that axis should stay."),
        ),
        (
            "averaged_away",
            np.mean,
            _("Your result is the right one averaged over {axis}: that axis should stay."),
        ),
        (
            "largest_only",
            np.max,
            _("Your result is the largest along {axis}: that axis should stay."),
        ),
        (
            "first_only",
            lambda a, axis: np.take(a, 0, axis),
            _("Your result is only the first item along {axis}; all should stay."),
        ),
        (
            "last_only",
            lambda a, axis: np.take(a, -1, axis),
            _("Your result is only the last item along {axis}; all should stay."),
        ),
    )
    names = {
        -1: _("the last axis"),
        -2: _("the last axis but one"),
        -3: _("the third axis from the end"),
        0: _("the first axis"),
    }
    for id, way, text in ways:
        for axis, name in names.items():
            if all(pair.expected.ndim > (axis if axis >= 0 else -axis - 1) for pair in odd) and all(
                _applied(lambda a, w=way, x=axis: w(a, axis=x), pair) for pair in odd
            ):
                return Cause(id, text.format(axis=name))
    return None


def _cause_in_mask(wrong: list[Pair], right: list[Pair]) -> Cause | None:
    changes = (
        (
            "inverted",
            np.logical_not,
            _("Your mask is exactly inverted: True must mean that a token may look."),
        ),
        (
            "transposed",
            lambda a: np.swapaxes(a, -1, -2),
            _("Your mask is transposed: rows are queries, columns are keys."),
        ),
        ("reversed", lambda a: np.flip(a, -1), _("Your mask runs backwards along the keys.")),
        ("reversed", lambda a: np.flip(a, -2), _("Your mask runs backwards along the queries.")),
    )
    for id, change, sentence in changes:
        if _all_become(lambda a, c=change: c(a.astype(bool)), wrong, right):
            return Cause(id, sentence)
    for step, id, text in (
        (1, "shifted", _("Every token may look at one key more than it should.")),
        (-1, "shifted", _("Every token may look at one key less than it should.")),
    ):
        if all(
            pair.expected.ndim == 2 and _diagonal_moved(pair, step) for pair in (*wrong, *right)
        ):
            return Cause(id, text)
    return None


def _diagonal_moved(pair: Pair, by: int) -> bool:
    rows, columns = pair.expected.shape
    past = columns - rows
    return same(pair.got, np.tri(rows, columns, past + by, dtype=bool))


def _values_exchanged(evidence: Evidence) -> Cause | None:
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
            words = ", ".join(str(i + 1) for i in order)
            return Cause("values_exchanged", text.format(order=words))
    return None
