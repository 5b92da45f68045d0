"""Causes that show in the numbers: what would have to be done to the right result to get yours.

Every finding holds on all that is wrong, and is also consistent with all that is right.
"""

from collections.abc import Callable, Iterator

import numpy as np

from illustrated_attention.causes.cells import cause_in_cells
from illustrated_attention.causes.counts import beyond_32_bits, differs_by_a_product
from illustrated_attention.causes.evidence import Cause, Evidence, Pair, same
from illustrated_attention.causes.influence import arrays_in
from illustrated_attention.causes.order import (
    in_another_order,
    values_all_the_same,
    values_exchanged,
)
from illustrated_attention.causes.rearranged import another_axis, cause_in_shape
from illustrated_attention.causes.rules import all_become, applied, enough
from illustrated_attention.causes.sizes import sizes
from illustrated_attention.causes.truth import cause_in_truth, on_one_side
from illustrated_attention.comparing import ATOL
from illustrated_attention.language import _, later, together
from illustrated_attention.problems import as_number

NEAR = 0.03  # of the largest number: what is closer may come from a constant that is a little off


def cause_in_numbers(evidence: Evidence) -> Cause | None:
    """Return what has to be done to the right result to get the wrong one, if it is one thing."""
    if not evidence.only_numbers_differ:
        return None
    cause = _from_what_was_searched(evidence) or values_all_the_same(evidence)
    cause = cause or values_exchanged(evidence) or _of_all_parts(_what_was_done, evidence)
    return _of_what_came_back(cause, evidence)


def cause_in_patterns(evidence: Evidence) -> Cause | None:
    """Return what the wrong numbers have in common, if nothing tells how they came about."""
    if not evidence.only_numbers_differ:
        return None
    cause = _beside_what_was_searched(evidence) or _of_all_parts(_what_is_seen, evidence)
    return _of_what_came_back(cause, evidence)


def _of_what_came_back(cause: Cause | None, evidence: Evidence) -> Cause | None:
    """Say that some cases stopped, if so: nothing is known of their numbers."""
    if cause is None or not evidence.stopped:
        return cause
    text = _("{cause} (So it is where your function returns something; in other cases it stops.)")
    return Cause(cause.id, text.format(cause=cause.sentence))


def _of_all_parts(find: Callable, evidence: Evidence) -> Cause | None:
    """Put together what is found for each of the returned values that are wrong."""
    found = {}
    for part in evidence.parts:
        pairs = [pair for pair in evidence.pairs if pair.part == part]
        if cause := find(pairs, evidence):
            found[part] = cause
    if not found:
        return None
    wrong, every = evidence.parts, evidence.all_parts
    causes = list(found.values())
    if len(found) == len(wrong) and len(set(causes)) == 1:
        if len(every) == 1 or wrong == every:
            return causes[0]
        numbers = _(" and ").join(str(part + 1) for part in wrong)
        where = _("Of the returned values numbers {numbers} are wrong.")
        if len(wrong) == 1:
            where = _("Of the returned values only number {numbers} is wrong.")
        words = together(where.format(numbers=numbers), causes[0].sentence)
        return Cause(causes[0].id, words)
    told = [
        _("Returned value {number}: {cause}").format(number=part + 1, cause=cause.sentence)
        for part, cause in found.items()
    ]
    if len(found) < len(wrong):
        others = _(" and ").join(str(part + 1) for part in wrong if part not in found)
        told.append(_("Wrong as well: value {numbers}.").format(numbers=others))
    return Cause("+".join(dict.fromkeys(cause.id for cause in causes)), together(*told))


def _what_was_done(pairs: list[Pair], evidence: Evidence) -> Cause | None:
    wrong, right = _wrong_and_right(pairs)
    if any(pair.got.shape != pair.expected.shape for pair in wrong):
        return cause_in_shape(wrong, right, evidence)
    if any(pair.expected.dtype == bool for pair in wrong):
        return cause_in_truth(wrong, right)
    if any(isinstance(one.expected, list) for one in evidence.tried):
        return in_another_order(wrong, right, evidence)  # ids are names: not large or small
    for find in (
        _scaled,
        beyond_32_bits,
        differs_by_a_product,
        _argument_added,
        _moved,
        _changed_after,
        in_another_order,
    ):
        if cause := find(wrong, right, evidence):
            return cause
    return None


def _what_is_seen(pairs: list[Pair], evidence: Evidence) -> Cause | None:
    wrong, right = _wrong_and_right(pairs)
    if any(pair.got.shape != pair.expected.shape for pair in wrong):
        return another_axis(wrong, evidence)
    if any(isinstance(one.expected, list) for one in evidence.tried):
        return None
    seen = _row_by_row(wrong, evidence) or cause_in_cells(wrong, right, evidence)
    if all(pair.expected.dtype == bool for pair in wrong):
        return seen or on_one_side(wrong)
    return seen or _nearly(wrong, right, evidence)


def _wrong_and_right(pairs: list[Pair]) -> tuple[list[Pair], list[Pair]]:
    return [pair for pair in pairs if not pair.right], [pair for pair in pairs if pair.right]


def _nearly(wrong: list[Pair], right: list[Pair], evidence: Evidence) -> Cause | None:
    """All is near, and much of it a little off: no cell is quite another one."""
    cells = [
        (pair.got.astype(float), pair.expected.astype(float)) for pair in wrong if pair.got.size
    ]
    if not enough(wrong) or not all(np.isfinite(got).all() for got, _e in cells):
        return None
    if all(
        np.abs(got - expected).max() <= NEAR * np.abs(expected).max() for got, expected in cells
    ):
        text = _(
            "Your numbers are close to the right ones, but not close enough. Is a constant "
            "mistyped or rounded, or a small term missing?"
        )
        return Cause("nearly", text)
    return None


# --- a number that was searched for, of which several are right -----------------------------------

_HAIR = 1.01  # a search in steps ends a little beside the number itself


def _from_what_was_searched(evidence: Evidence) -> Cause | None:
    """Return what was done to a right number, when that is so in every case."""
    found = _searched(evidence)
    for id, is_so, sentence in _after_a_search():
        if found and all(is_so(number, *within) for number, within in found):
            return Cause(id, sentence)
    return None


def _beside_what_was_searched(evidence: Evidence) -> Cause | None:
    """Return on which side of the right numbers all wrong ones are."""
    wrong = [(y, low, high) for y, (low, high) in _searched(evidence) if not low <= y <= high]
    if wrong and all(y < low for y, low, _high in wrong):
        text = _(
            "Your numbers are too small wherever they are wrong: divided by so little, the weights "
            "lie further apart than in the table."
        )
        return Cause("too_small", text)
    if wrong and all(y > high for y, _low, high in wrong):
        text = _(
            "Your numbers are too large wherever they are wrong: divided by so much, the weights "
            "lie closer together than in the table."
        )
        return Cause("too_large", text)
    return None


def _searched(evidence: Evidence) -> list[tuple[float, tuple[float, float]]]:
    """What was found in each case, and between which numbers it should be; of nothing else."""
    found = [(as_number(one.outcome.value), one.case.within) for one in evidence.tried]
    searched = [(y, within) for y, within in found if within and y is not None and y > 0]
    return searched if len(searched) == len(found) else []


def _after_a_search() -> Iterator[tuple[str, Callable, str]]:
    """Changes of a right number: id, whether this number may come of it, sentence."""

    def becomes(back):
        return lambda y, low, high: low / _HAIR <= back(y) <= high * _HAIR

    for digits in (0, 1):
        text = _(
            "Each of your numbers is one that fits, rounded (decimals that are left: {digits}). "
            "Return it as it is."
        )
        yield (
            "one_that_fits_rounded",
            lambda y, low, high, n=digits: (
                round(low, n) <= y <= round(high, n) and round(y, n) == y
            ),
            text.format(digits=digits),
        )
    yield (
        "inverse_of_one_that_fits",
        becomes(lambda y: 1 / y),
        _("Each of your numbers is 1 / one that fits."),
    )
    yield (
        "square_of_one_that_fits",
        becomes(lambda y: y**0.5),
        _("Each of your numbers is the square of one that fits."),
    )


# --- a factor, an offset, a sign -----------------------------------------------------------------


def _scaled(wrong: list[Pair], right: list[Pair], evidence: Evidence) -> Cause | None:
    factors = [factor for pair in wrong if (factor := _factor(pair)) is not None]
    if len(factors) < len(wrong) or not (enough(wrong) or len(wrong) > 2):
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
    # Where some cases are right and others stop, too little is seen of the factor.
    all_seen = not (right and evidence.stopped)
    if len(factors) > 1 and all_seen and all(np.count_nonzero(p.expected) > 1 for p in wrong):
        sentence = _(
            "In each case all numbers are wrong by one and the same factor, "
            "which changes from case to case: what do you divide or multiply by?"
        )
        if right:
            sentence = _(
                "In each case that is wrong all numbers are wrong by one and the same factor, "
                "which changes from case to case: what do you divide or multiply by?"
            )
        return Cause("factor", sentence)
    return None


def _row_by_row(wrong: list[Pair], evidence: Evidence) -> Cause | None:
    """Every row is the right one times a number of its own."""
    if (
        evidence.stopped
        or not enough(wrong)
        or not all(_rows_are_multiples(pair) for pair in wrong)
    ):
        return None
    if all(same(np.linalg.norm(p.got, axis=-1), np.ones(p.got.shape[:-1])) for p in wrong):
        text = _("Your rows are the right ones, brought to the length 1: one step too many.")
        return Cause("length_of_one", text)
    text = _(
        "Each of your rows is the right one times a factor of its own: what is a row divided or "
        "multiplied by?"
    )
    return Cause("factor_of_each_row", text)


def _rows_are_multiples(pair: Pair) -> bool:
    got, expected = pair.got.astype(float), pair.expected.astype(float)
    if got.ndim < 1 or got.shape[-1] < 2 or not (np.isfinite(got) & np.isfinite(expected)).all():
        return False
    norm = (expected * expected).sum(axis=-1, keepdims=True)
    factor = (got * expected).sum(axis=-1, keepdims=True) / np.maximum(norm, ATOL)
    # One number in a row is always a multiple of the right one.
    several = np.count_nonzero(expected, axis=-1) > 1
    return bool(several.any() and (factor > 1e-9).all()) and same(factor * expected, got)


def factor_in_words(pairs: list[Pair], evidence: Evidence) -> str | None:
    """Name the factor by which all numbers of all pairs differ: by a size, or as one number."""
    factors = []
    for pair in pairs:
        if (factor := _factor(pair)) is None:
            return None
        factors.append(factor)
    if not enough([pair for pair in pairs if not pair.right]):
        return None
    name = _size_that_explains(list(zip(pairs, factors, strict=True)), evidence)
    if name or not all(same(factor, factors[0]) for factor in factors):
        return name
    return None if evidence.key.hidden else f"{factors[0]:.4g}"


def _spread(right: list[Pair]) -> bool:
    """True when nothing that is right contradicts a constant factor."""
    return not any(pair.expected.any() for pair in right)


def _factor(pair: Pair) -> float | None:
    """The one number by which everything expected must be multiplied, None if there is none."""
    got, expected = pair.got.astype(float), pair.expected.astype(float)
    if got.shape != expected.shape:
        return None
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
        for name, size in sizes(evidence):
            yield form.format(size=name), lambda case, f=formula, s=size: _value(f, s(case))


def _value(formula: Callable, size: float | None) -> float | None:
    return formula(size) if size else None


# --- an argument that is added too often, or not at all -------------------------------------------


def _argument_added(wrong: list[Pair], right: list[Pair], evidence: Evidence) -> Cause | None:
    """The right result and, besides, one of the arguments several times over."""
    times = [_times_added(pair, evidence) for pair in wrong]
    names = [name for name in times[0] if all(name in others for others in times)]
    if right or not enough(wrong) or len(names) != 1:
        return None
    [name] = names
    factors = [found[name] for found in times]
    if evidence.key.hidden:
        text = _("What is too much in your result, or missing, is a multiple of `{name}`.")
    elif not all(same(factor, factors[0]) for factor in factors):
        text = _(
            "What is too much in your result, or missing, is a multiple of `{name}`, another one "
            "in other cases: how often is it added?"
        )
    elif same(factors[0], 1.0):
        text = _("Your result is the right one plus `{name}`.")
    elif same(factors[0], -1.0):
        text = _("Your result is the right one minus `{name}`.")
    else:
        text = _("Your result is the right one plus {factor:.4g} times `{name}`.")
    return Cause("argument_added", text.format(name=name, factor=factors[0]))


def _times_added(pair: Pair, evidence: Evidence) -> dict[str, float]:
    """How often each argument would have to be added to what was expected to give what came."""
    difference = pair.got.astype(float) - pair.expected.astype(float)
    found = {}
    for position, arg in enumerate(pair.case.args):
        for name, array in arrays_in(evidence.name_of(position), arg):
            if array.size < 2 or array.ndim > difference.ndim or not np.isfinite(array).all():
                continue
            lengths = zip(array.shape[::-1], difference.shape[::-1], strict=False)
            if any(own not in (1, length) for own, length in lengths):
                continue
            whole = np.broadcast_to(array.astype(float), difference.shape)
            norm = float((whole * whole).sum())
            factor = float((difference * whole).sum()) / norm if norm > ATOL else 0.0
            if abs(factor) > 1e-3 and same(factor * whole, difference):
                found[name] = factor
    return found


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
    if right or not enough(wrong) or not all(same(o, offsets[0]) for o in offsets):
        return None
    if evidence.key.hidden:
        return Cause("offset", _("Every number is wrong by the same amount."))
    sentence = _("Every number is wrong by the same amount: {offset:+.4g}.")
    return Cause("offset", sentence.format(offset=offsets[0]))


def softmax(a: np.ndarray, axis: int = -1) -> np.ndarray:
    exp = np.exp(a - a.max(axis=axis, keepdims=True))
    return exp / exp.sum(axis=axis, keepdims=True)


_DECIMALS_LOST = later(
    "What stands after the decimal point is lost: your result holds whole numbers. Was the array "
    "for it made with a whole-number dtype?"
)


def _whole_changes() -> Iterator[tuple[str, Callable, str]]:
    """Changes of a right result by which wrong ones come about: id, change, sentence."""
    for digits in range(6):
        text = _(
            "Your numbers are the right ones, rounded (decimals that are left: {digits}). Return "
            "them as they are."
        )
        yield "rounded", lambda a, n=digits: np.round(a, n), text.format(digits=digits)
    yield "whole_numbers", np.trunc, _(_DECIMALS_LOST)
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
        softmax,
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
    if not enough(wrong):
        return None
    if _written_into_whole_numbers(wrong):
        return Cause("whole_numbers", _(_DECIMALS_LOST))
    for id, change, sentence in _whole_changes():
        if all_become(change, wrong, right):
            return Cause(id, sentence)
    return (
        _half_precision(wrong, right)
        or _cut(wrong, right, evidence.key.hidden)
        or _missing_step(wrong, right)
    )


def _written_into_whole_numbers(wrong: list[Pair]) -> bool:
    """True also where only whole-number input is wrong: `np.zeros_like` takes over its dtype."""
    return any(pair.got.any() for pair in wrong) and all(
        pair.got.dtype.kind in "iu" and applied(np.trunc, pair) for pair in wrong
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
        if any(np.isnan(got).any() or (got == limit).all() for got, _e in cells):
            continue  # nothing is left of what lies within the limit
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
            softmax,
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
