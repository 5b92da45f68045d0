"""What sets the wrong cases apart from the right ones, when it is one thing about their input."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from illustrated_attention.answer_keys import find_key
from illustrated_attention.causes.evidence import Cause, Evidence
from illustrated_attention.comparing import compare
from illustrated_attention.language import _
from illustrated_attention.outcomes import call, identical


def cause_in_conditions(evidence: Evidence) -> Cause | None:
    """Return the one property of the input that all wrong cases have, and no right one."""
    if not evidence.right or not evidence.wrong:
        return None
    fitting = [
        (id, sentence)
        for id, holds, sentence in _conditions(evidence)
        if all(holds(one.case) for one in evidence.wrong)
        and not any(holds(one.case) for one in evidence.right)
    ]
    if not fitting or len(evidence.tried) < 3:
        return None
    [*told] = dict.fromkeys(fitting)
    if len(told) != 1 or told[0][0] == "unclear":
        return None  # several things set them apart: which one it is, nobody can say
    [(id, sentence)] = told
    if id == "leading_axes" and not _right_alone(evidence):
        return None  # what these cases have in common may well be something else
    text = _("Every case where {condition} is wrong; all others are right.")
    return Cause(id, text.format(condition=sentence))


def right_where_shown(evidence: Evidence) -> Cause | None:
    """Return that all cases which `check` shows are right, and most of the others wrong."""
    shown = find_key(evidence.key.exercise) if evidence.key.hidden else None
    if shown is None:
        return None
    others = [
        one
        for one in evidence.tried
        if not any(identical(one.case.args, case.args) for case in shown.cases)
    ]
    wrong = [one for one in others if one.problem]
    if len(wrong) < len(evidence.wrong) or len(wrong) <= len(others) / 2:
        return None
    text = _(
        "Every case that `check` shows is right, most others are wrong. Does your function look up "
        "results, or count on what only those cases have?"
    )
    return Cause("right_where_shown", text)


def _right_alone(evidence: Evidence) -> bool:
    """True when the first and the last item of each wrong batch come out right by themselves."""
    fewest = max(min(one.case.axes() for one in evidence.tried), 2)
    for one in evidence.wrong:
        first = next((arg for arg in one.case.args if isinstance(arg, np.ndarray)), None)
        if first is None or not first.size:
            return False
        leading = max(first.ndim - fewest, 1)
        for item in ((0,) * leading, (-1,) * leading):
            case = replace(one.case, args=_item(one.case.args, item, first))
            outcome = call(evidence.function, case)
            if not outcome.returned or compare(outcome.value, _all_at(one.expected, item)):
                return False
    return True


def _item(value, item: tuple[int, ...], first: np.ndarray):
    """One item of a batch: of every array that has the first one's leading axes."""
    if isinstance(value, (list, tuple)):
        return type(value)(_item(part, item, first) for part in value)
    leading = len(item)
    batched = (
        isinstance(value, np.ndarray)
        and value.ndim >= first.ndim
        and value.shape[:leading] == first.shape[:leading]
    )
    return value[item] if batched else value


def _all_at(value, item: tuple[int, ...]):
    if isinstance(value, (list, tuple)):
        return type(value)(_all_at(part, item) for part in value)
    return value[item]


def _conditions(evidence: Evidence) -> Iterator[tuple[str, Callable, str]]:
    fewest = min(one.case.axes() for one in evidence.tried)
    yield (
        "leading_axes",
        lambda case: case.axes() > max(fewest, 2) or case.axes() > fewest > 0,
        _("there are more leading axes"),
    )
    yield "only_leading_axes", lambda case: case.axes() == fewest, _("there are no leading axes")
    yield "axis_of_one", _has_axis_of_one, _("an axis has length 1")
    yield "whole_number_input", _has_whole_numbers, _("an array holds whole numbers")
    yield "negative_infinity", lambda case: _any(case, np.isneginf), _("a number is minus infinity")
    yield "large_numbers", lambda case: _any(case, lambda a: np.abs(a) > 50), _("numbers are large")
    yield "unclear", _not_square, _("an array has not as many rows as columns")
    yield (
        "unclear",
        lambda case: not _not_square(case),
        _("every array has as many rows as columns"),
    )
    width = max(len(one.case.args) for one in evidence.tried)
    for position in range(width):
        name = evidence.name_of(position)
        yield from _of_argument(position, name, evidence)


def _of_argument(position: int, name: str, evidence: Evidence):
    def arg(case):
        return case.args[position] if position < len(case.args) else None

    given = [len(one.case.args) > position for one in evidence.tried]
    if not all(given):
        yield (
            "with_argument",
            lambda case: position < len(case.args),
            _("`{name}` is given").format(name=name),
        )
    values = [arg(one.case) for one in evidence.tried]
    if any(value is None for value in values) and any(value is not None for value in values):
        yield (
            "with_argument",
            lambda case: arg(case) is not None,
            (_("`{name}` is not None") if all(given) else _("`{name}` is given")).format(name=name),
        )
        yield (
            "without_argument",
            lambda case: arg(case) is None,
            (_("`{name}` is None") if all(given) else _("`{name}` is not given")).format(name=name),
        )
    yield (
        "repeated_number",
        lambda case: _has_a_number_twice(arg(case)),
        _("a number comes twice in `{name}`").format(name=name),
    )
    whole = [value for value in values if type(value) is int]
    if whole:
        for edge in (0, 1):
            yield (
                "value_of_argument",
                lambda case, e=edge: type(arg(case)) is int and arg(case) == e,
                _("`{name}` is {value}").format(name=name, value=edge),
            )
            yield (
                "unclear",  # true of almost every case
                lambda case, e=edge: type(arg(case)) is int and arg(case) > e,
                _("`{name}` is greater than {value}").format(name=name, value=edge),
            )
        largest = max(  # what is wrong beyond a small size is as a rule wrong in another way
            (arg(one.case) for one in evidence.right if type(arg(one.case)) is int), default=None
        )
        if largest is not None and largest > 1:
            yield (
                "beyond_a_size" if largest > 4 else "unclear",
                lambda case: type(arg(case)) is int and arg(case) > largest,
                _large(name, largest, evidence.key.hidden),
            )
    lengths = [_length(value) for value in values]
    if any(lengths):
        largest = max((_length(arg(one.case)) for one in evidence.right), default=0)
        if largest > 1:
            yield (
                "beyond_a_size" if largest > 4 else "unclear",
                lambda case: _length(arg(case)) > largest,
                _long(name, largest, evidence.key.hidden),
            )


def _large(name: str, largest: int, hidden: bool) -> str:
    if hidden:
        return _("`{name}` is large").format(name=name)
    return _("`{name}` is greater than {value}").format(name=name, value=largest)


def _long(name: str, longest: int, hidden: bool) -> str:
    if hidden:
        return _("`{name}` is long").format(name=name)
    return _("`{name}` is longer than {value}").format(name=name, value=longest)


def _length(value) -> int:
    if isinstance(value, np.ndarray) and value.ndim:
        return value.shape[-2] if value.ndim > 1 else value.shape[0]
    return len(value) if isinstance(value, (list, tuple)) else 0


def _has_a_number_twice(value) -> bool:
    """Ids or sizes in a list, or in an array of one axis."""
    if isinstance(value, np.ndarray):
        value = value.tolist() if value.ndim == 1 and value.dtype.kind in "iu" else None
    whole = isinstance(value, list) and all(type(item) is int for item in value)
    return whole and len(set(value)) < len(value)


def _arrays(case) -> list[np.ndarray]:
    found = []
    for arg in case.args:
        items = (
            arg
            if isinstance(arg, (list, tuple))
            else arg.values()
            if isinstance(arg, dict)
            else [arg]
        )
        found += [item for item in items if isinstance(item, np.ndarray)]
    return found


def _any(case, test: Callable) -> bool:
    with np.errstate(all="ignore"):
        return any(
            bool(test(a.astype(float)).any()) for a in _arrays(case) if a.dtype.kind in "biuf"
        )


def _has_axis_of_one(case) -> bool:
    return any(1 in a.shape for a in _arrays(case))


def _has_whole_numbers(case) -> bool:
    return any(a.dtype.kind in "iu" for a in _arrays(case))


def _not_square(case) -> bool:
    return any(a.ndim >= 2 and a.shape[-1] != a.shape[-2] for a in _arrays(case))
