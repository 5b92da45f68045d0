"""What became of the shape: an axis too many, summed away, too short, as long as another one."""

from collections.abc import Callable

import numpy as np

from illustrated_attention.causes.evidence import Cause, Evidence, Pair, same
from illustrated_attention.causes.rules import applied, distinct, same_numbers
from illustrated_attention.causes.sizes import sizes
from illustrated_attention.language import _, later


def cause_in_shape(wrong: list[Pair], right: list[Pair], evidence: Evidence) -> Cause | None:
    """Return what became of the shape, where it is another one than it should be."""
    odd = _of_another_shape(wrong)
    if all(same_numbers(pair) and distinct(pair) for pair in wrong) and len(odd) < len(wrong):
        return Cause("order", _("You return the right numbers, but in another order."))
    return _only_there(_what_became_of_it(wrong, odd, evidence), wrong, odd)


def _of_another_shape(wrong: list[Pair]) -> list[Pair]:
    return [pair for pair in wrong if pair.got.shape != pair.expected.shape]


def _only_there(cause: Cause | None, wrong: list[Pair], odd: list[Pair]) -> Cause | None:
    """Say that other results are wrong in the right shape, if so: the card may show one of them."""
    if cause is None or len(odd) == len(wrong):
        return cause
    text = _("Where your result has the wrong shape: {cause}")
    return Cause(cause.id, text.format(cause=cause.sentence))


def _what_became_of_it(wrong: list[Pair], odd: list[Pair], evidence: Evidence) -> Cause | None:
    if all(pair.got.size == 0 for pair in odd):
        text = _(
            "Your result is empty: an axis has length 0. A slice that ends where it begins, such "
            "as `a[n:n]`, takes nothing."
        )
        return Cause("empty", text)
    if selected := _selected_by_a_mask(odd, evidence):
        return selected
    if len(odd) == len(wrong) and all(applied(np.squeeze, pair) for pair in odd):
        text = _(
            "Axes of length 1 are gone from your result: `squeeze` or an index takes them away."
        )
        return Cause("axis_of_one_lost", text)
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
            applied(_transposing(order), pair) for pair in odd
        ):
            if len(order) == 2:
                return Cause(
                    "transposed", _("Your numbers are right, but rows and columns are exchanged.")
                )
            return Cause(
                "axes_exchanged", _("Your numbers are right, but the axes stand in another order.")
            )
    if all(same_numbers(pair) and distinct(pair) for pair in odd):
        return Cause("order", _("You return the right numbers, but in another shape and order."))
    return _too_short(odd) or _summed_away(odd) or _a_part(odd)


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


def _a_part(odd: list[Pair]) -> Cause | None:
    """The first or the last items along an axis, and no others."""
    beginning = _("Your result is only the beginning of the right one along {axis}.")
    end = _("Your result is only the end of the right one along {axis}.")
    return _one_is_part("part_only", [(p.got, p.expected) for p in odd], beginning, end)


def _too_long(odd: list[Pair]) -> Cause | None:
    """All that is right, and more of it along an axis."""
    beginning = _("Along {axis} your result begins right and then goes on too long.")
    end = _("Along {axis} your result ends right; what stands before that is too much.")
    return _one_is_part("too_long", [(p.expected, p.got) for p in odd], beginning, end)


def _one_is_part(
    id: str, pairs: list[tuple[np.ndarray, np.ndarray]], beginning: str, end: str
) -> Cause | None:
    """Tell of a part and a whole in every pair where in the whole the part stands."""
    for axis, name in _NAMES.items():
        for text, at_the_end in ((beginning, False), (end, True)):
            if all(_is_part(part, whole, axis, at_the_end) for part, whole in pairs):
                return Cause(id, text.format(axis=_(name)))
    return None


def _is_part(part: np.ndarray, whole: np.ndarray, axis: int, at_the_end: bool) -> bool:
    if part.ndim != whole.ndim or part.ndim < -axis:
        return False
    count = part.shape[axis]
    if not 0 < count < whole.shape[axis]:
        return False
    indices = np.arange(whole.shape[axis])
    kept = indices[-count:] if at_the_end else indices[:count]
    return same(np.take(whole, kept, axis), part)


def _cut_alike(pair: Pair, axis: int, ours: slice, theirs: slice) -> bool:
    if pair.got.ndim != pair.expected.ndim or pair.got.ndim < -axis:
        return False

    def cut(a, piece):
        return np.moveaxis(np.moveaxis(a, axis, 0)[piece], 0, axis)

    a, b = cut(pair.got, ours), cut(pair.expected, theirs)
    return a.size > 0 and same(a, b)


def _summed_away(odd: list[Pair]) -> Cause | None:
    """An axis that belongs to the result was summed, averaged, or only its first item taken."""
    ways: tuple = (
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
    if any(pair.expected.dtype == bool for pair in odd):
        ways = ways[-2:]  # of True and False any of the others is soon right by chance
    for id, way, text in ways:
        for axis, name in names.items():
            if all(pair.expected.ndim > (axis if axis >= 0 else -axis - 1) for pair in odd) and all(
                applied(lambda a, w=way, x=axis: w(a, axis=x), pair) for pair in odd
            ):
                return Cause(id, text.format(axis=name))
    return None


def _selected_by_a_mask(odd: list[Pair], evidence: Evidence) -> Cause | None:
    """A flat row of as many numbers as a mask has True."""
    for position in range(min(len(pair.case.args) for pair in odd)):
        masks = [pair.case.args[position] for pair in odd]
        if all(
            isinstance(mask, np.ndarray)
            and mask.dtype == bool
            and mask.ndim > 1
            and pair.got.shape == (np.count_nonzero(mask),)
            for mask, pair in zip(masks, odd, strict=True)
        ):
            text = _(
                "Your result is one flat row of as many numbers as `{mask}` has True. An index "
                "with a mask, `a[{mask}]`, takes numbers out and forgets where they stood."
            )
            return Cause("selected_by_a_mask", text.format(mask=evidence.name_of(position)))
    return None


_NAMES = {
    -1: later("the last axis"),
    -2: later("the last axis but one"),
    -3: later("the third axis from the end"),
    -4: later("the fourth axis from the end"),
}


def another_axis(wrong: list[Pair], evidence: Evidence) -> Cause | None:
    """Return that there is an axis too many or too few, or one of another length."""
    odd = _of_another_shape(wrong)
    return _only_there(_axes_of(odd, evidence), wrong, odd)


def _axes_of(odd: list[Pair], evidence: Evidence) -> Cause | None:
    more = {pair.got.ndim - pair.expected.ndim for pair in odd}
    if more == {1}:
        return _axis_too_many(odd, evidence)
    if more == {-1}:
        for axis, name in _NAMES.items():
            if all(_without(pair.expected.shape, axis) == pair.got.shape for pair in odd):
                text = _("Your result has one axis too few: {axis} is missing.")
                return Cause("axis_missing", text.format(axis=_(name)))
        return None
    if more == {0}:
        return _as_long_as_another(odd, evidence) or _too_long(odd)
    return None


def _without(shape: tuple, axis: int) -> tuple | None:
    if len(shape) < -axis:
        return None
    return tuple(n for i, n in enumerate(shape) if i != len(shape) + axis)


def _axis_too_many(odd: list[Pair], evidence: Evidence) -> Cause | None:
    for axis in _NAMES:
        if all(_without(pair.got.shape, axis) == pair.expected.shape for pair in odd):
            lengths = [pair.got.shape[axis] for pair in odd]
            names = _called(lengths, odd, evidence)
            text = _("Your result has one axis too many.")
            if names:
                text = _("Your result has one axis too many, as long as {name}.")
                text = text.format(name=names)
            return Cause("axis_too_many", text)
    return None


def _as_long_as_another(odd: list[Pair], evidence: Evidence) -> Cause | None:
    for axis, name in _NAMES.items():
        if not all(pair.got.ndim >= -axis for pair in odd):
            break
        others = [
            (_without(pair.got.shape, axis), _without(pair.expected.shape, axis)) for pair in odd
        ]
        if any(got != expected for got, expected in others):
            continue  # more than this one axis differs
        yours = _called([pair.got.shape[axis] for pair in odd], odd, evidence)
        right = _called([pair.expected.shape[axis] for pair in odd], odd, evidence)
        if yours and right and len(odd) > 1:
            text = _(
                "In your result {axis} is as long as {yours}; it should be as long as {right}."
            )
            return Cause("axis_length", text.format(axis=_(name), yours=yours, right=right))
    return None


def _called(lengths: list[int], pairs: list[Pair], evidence: Evidence) -> str:
    """The first size of the input that has these lengths in all cases; nothing if none has."""
    fitting = (
        name for name, size in sizes(evidence) if [size(pair.case) for pair in pairs] == lengths
    )
    return next(fitting, "")
