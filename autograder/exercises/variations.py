"""Hidden cases that every exercise gets, made from one of its own: the same call in other forms.

They are late cases: what goes wrong in them is how the arguments were given or what was called
before, not what the exercise is about.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from autograder.exercises.kit import Case, Exercise
from illustrated_attention.outcomes import identical

MOST_ARRAYS = 40  # a case with more is not varied: it would take too long
CALLED_AGAIN = 3
LARGE = "large numbers"


def variations(exercise: Exercise) -> list[Case]:
    """Return the cases, in an order that counts: what one call leaves behind meets the next.

    - some hidden cases once more, backwards;
    - the same shapes with other numbers: in one array after the other, then in all;
    - whole numbers for floats: in one array after the other, then in all;
    - large numbers, float32, and arrays that lie in memory column by column.
    """
    again = [
        replace(case, title="the same input after other calls", late=True)
        for case in reversed([case for case in exercise.hidden if not case.late][:CALLED_AGAIN])
    ]
    base = _richest(exercise)
    if base is None:
        return again
    # Where large numbers could cancel, an exercise has a case of its own, right in float32 too.
    own = {case.title for case in exercise.hidden} & {LARGE}
    return again + [case for case in _of(base, exercise.of_one_kind) if case.title not in own]


def _of(base: Case, of_one_kind: bool) -> list[Case]:
    places = list(_places(base.args))

    def case(title: str, change: Callable, where: list[tuple] = places) -> list[Case]:
        args = _changed(base.args, where, change)
        return [] if identical(args, base.args) else [Case(title, args, late=True)]

    def one_by_one(title: str, change: Callable, where: list[tuple]) -> list[Case]:
        return [c for place in where for c in case(title, change, [place])]

    floats = [place for place in places if _is_float(_at(base.args, place))]
    first = replace(base, title="a first call", late=True)
    given = [p for p in floats if len(p) == 1 or isinstance(p[1], str)]  # not computed before
    alone = [] if of_one_kind else given
    # Whole numbers stay exact in float32, however large; a weak mask is what other cases are for.
    large = [
        replace(c, title=LARGE, args=_changed(c.args, floats[:1], lambda a: a * 1e3))
        for c in case("", lambda array: _whole(array).astype(float), floats)
    ]
    return [
        first,
        *one_by_one("other numbers in the same shapes", _other_numbers, places),
        *case("other numbers in the same shapes", _other_numbers),
        replace(first, title="the first call again"),
        *one_by_one("whole numbers", _whole, alone),
        *case("whole numbers", _whole, floats),
        *large,
        *case("float32", lambda array: array.astype(np.float32), floats),
        Case(
            "arrays that lie in memory column by column",
            _changed(base.args, floats, np.asfortranarray),
            late=True,
        ),
    ]


def _richest(exercise: Exercise) -> Case | None:
    """The case with the most arrays, and of these the one with the most axes."""
    cases = [
        case
        for case in (*exercise.hidden, *exercise.visible)
        if not (case.raises or case.within or case.late)
        and 0 < len(list(_places(case.args))) <= MOST_ARRAYS
    ]
    return max(cases, key=lambda c: (len(list(_places(c.args))), c.axes(), -c.size()), default=None)


def _places(value: object, place: tuple = ()) -> Iterator[tuple]:
    """Where arrays, and lists of ids, are in arguments that may be nested."""
    if isinstance(value, np.ndarray) or _is_ids(value):
        yield place
    elif isinstance(value, (list, tuple, dict)):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            yield from _places(item, (*place, key))


def _is_ids(value: object) -> bool:
    return type(value) is list and len(value) > 0 and all(type(item) is int for item in value)


def _at(value: Any, place: tuple) -> Any:
    for key in place:
        value = value[key]
    return value


def _changed(value: Any, places: list[tuple], change: Callable) -> Any:
    """Return the arguments with what is at these places changed."""
    if () in places:
        return change(value)

    def below(key, item):
        return _changed(item, [place[1:] for place in places if place[:1] == (key,)], change)

    if isinstance(value, dict):
        return {key: below(key, item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(below(i, item) for i, item in enumerate(value))
    return value


def _is_float(value: object) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"


def _other_numbers(value: Any) -> Any:
    """The same numbers in other places. The first and the last stay, as do sum and largest."""
    if isinstance(value, list):
        return _other_numbers(np.array(value)).tolist()
    if value.dtype == bool:
        return value[..., ::-1]  # every row keeps what may be seen
    if value.size < 3:
        return value
    changed = value.flatten()
    for start in (value.size // 2, 1):  # the first rows stay, too, if that is possible
        changed[start:-1] = np.roll(changed[start:-1], 1)
        if (changed != value.ravel()).any():
            break
    return changed.reshape(value.shape)


def _whole(array: np.ndarray) -> np.ndarray:
    """Whole numbers like these, as small as they can be with the rows still different."""
    finite = np.isfinite(array)
    largest = np.abs(array[finite]).max(initial=1e-9)
    rows = array.reshape(-1, array.shape[-1])
    for size in (1.5, 3, 6, 12):
        whole = np.where(finite, np.round(size * array / largest), -size).astype(int)
        if len(np.unique(whole.reshape(rows.shape), axis=0)) == len(np.unique(rows, axis=0)):
            break
    return whole
