"""Is a result right? And if not: what kind of difference is it, and where does it start?

Right means: the same structure and shape, and every number within `RTOL` and `ATOL` of the
reference. float32 results are well inside; the smallest real mistakes are well outside.
"""

import array
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

RTOL, ATOL = 1e-4, 1e-5

# Plain data. What could become an array, such as another library's tensor, is none of NumPy's yet,
# and no such object leaves the process in which a student's code is graded.
NUMBERS = (np.ndarray, np.generic, bool, int, float)


DIFFERENCES = ("none", "type", "length", "shape", "not_finite", "value")


@dataclass(frozen=True)
class Problem:
    """What is wrong with the outcome of a case.

    `kind` is what happened ("timeout", "unwritten", "raised", "did_not_raise", "changed",
    "overwrote"), or the first way in which the result differs: one of `DIFFERENCES`. Then `part` is
    the position inside a returned tuple or list, outermost first. For "value" and "not_finite",
    `got` and `expected` are arrays of one shape and `where` is the index of the first wrong cell.
    """

    kind: str
    got: Any = None
    expected: Any = None
    part: tuple[int, ...] = ()
    where: tuple[int, ...] = ()
    wrong: int = 0  # how many cells are wrong

    @property
    def in_result(self) -> bool:
        """True where a result came back and differs from the expected one."""
        return self.kind in DIFFERENCES


@np.errstate(all="ignore")  # also when the learner asked NumPy to raise or to warn
def compare(got: object, expected: object) -> Problem | None:
    """Return the first difference between a result and the expected one, or None if it is right.

    Tuples may come as lists or as one stacked array. Where True/False is expected, 0/1 is right.
    """
    return _compare(got, expected, ())


def _compare(got: object, expected: object, part: tuple[int, ...]) -> Problem | None:
    got = _plain(got)
    if got is None and expected is not None:
        return Problem("none", got, expected, part)
    if isinstance(expected, (tuple, list)):
        return _compare_sequence(got, expected, part)
    if type(expected) is int and isinstance(got, (int, np.integer)) and got == expected:
        return None  # as below, but in no time: there are lists of many thousand ids
    if isinstance(expected, (np.ndarray, np.generic, bool, int, float)):
        return _compare_numbers(got, expected, part)
    same = type(got) is type(expected) and got == expected
    return None if same else Problem("value", got, expected, part)


def _compare_sequence(got, expected, part):
    stacked = isinstance(got, np.ndarray) and got.ndim > 0
    if not (stacked or isinstance(got, (tuple, list))):
        return Problem("type", got, expected, part)
    items = tuple(got)  # a class of the learner's may say another length than it has
    if len(items) != len(expected):
        difference: Problem | None = Problem("length", items, expected, part)
    else:
        pairs = enumerate(zip(items, expected, strict=True))
        compared = (_compare(g, e, (*part, i)) for i, (g, e) in pairs)
        difference = next(filter(None, compared), None)
    if difference and stacked and got.ndim != _axes(expected):
        return Problem("type", got, expected, part)  # its rows are no values: it is one value
    return difference


def _plain(value: object) -> object:
    """Return what a value is as plain data: what arrives when it comes from another process."""
    if isinstance(value, np.ndarray) and value.dtype == object and value.ndim:
        return value.tolist()  # of arrays, say: a list in disguise
    if isinstance(value, range):
        return list(value)
    return np.array(value) if isinstance(value, array.array) else value


def _axes(expected) -> int:
    """How many axes an expected value has; a sequence has one more than its first item."""
    if isinstance(expected, (tuple, list)):
        return 1 + (_axes(expected[0]) if expected else 0)
    return np.ndim(expected)


def _compare_numbers(got, expected, part):
    expected = np.asarray(expected)
    if isinstance(got, np.ma.MaskedArray):
        got = got.filled(0)  # a masked weight is a weight of 0
    if not isinstance(got, NUMBERS):
        return Problem("type", got, expected, part)
    numbers = np.asarray(got)
    if numbers.dtype.kind not in "biuf":
        return Problem("type", got, expected, part)
    if numbers.shape != expected.shape:
        return Problem("shape", numbers, expected, part)
    if all_near(_real(numbers), _real(expected)):
        return None
    wrong = ~near(_real(numbers), _real(expected))
    strange = wrong & ~np.isfinite(_real(numbers))
    kind, cells = ("not_finite", strange) if strange.any() else ("value", wrong)
    where = tuple(int(i) for i in np.unravel_index(np.argmax(cells), cells.shape))
    return Problem(kind, numbers, expected, part, where, int(np.count_nonzero(wrong)))


def alike(a: Any, b: Any) -> bool:
    """True when two results are the same for naming a mistake: structure, kind of number, values.

    Stricter than `compare` in structure (a list is not an array, 0/1 is not True/False), equal in
    tolerance, and a nan equals a nan. A tuple may come as a list here, too.
    """
    if isinstance(a, (tuple, list)) or isinstance(b, (tuple, list)):
        both = isinstance(a, (tuple, list)) and isinstance(b, (tuple, list))
        return both and len(a) == len(b) and all(map(alike, a, b))
    if isinstance(a, NUMBERS) and isinstance(b, NUMBERS):
        x, y = np.asarray(a), np.asarray(b)
        if x.dtype.kind in "biuf" and y.dtype.kind in "biuf":
            return _alike_numbers(x, y)
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(alike(a[key], b[key]) for key in a)
    return type(a) is type(b) and (a is None or (isinstance(a, (str, bytes)) and a == b))


def _alike_numbers(a: np.ndarray, b: np.ndarray) -> bool:
    if a.shape != b.shape or (a.dtype.kind == "b") != (b.dtype.kind == "b"):
        return False
    if a.size and _far(float(a.item(0)), float(b.item(0))):  # most that differ do so at once
        return False
    with np.errstate(all="ignore"):
        a, b = _real(a), _real(b)
        return all_near(a, b) or bool((near(a, b) | (np.isnan(a) & np.isnan(b))).all())


def _far(a: float, b: float) -> bool:
    """True for two finite numbers that are not `near`."""
    return ATOL + RTOL * abs(b) < abs(a - b) < math.inf


_PIECE = 1 << 13  # numbers: memory for more of them, fresh again and again, takes longest


def all_near(a: np.ndarray, b: np.ndarray) -> bool:
    """True when all numbers are `near` those in the other array: mostly found in half the steps."""
    if a.size > _PIECE and a.shape == b.shape:
        a, b = a.ravel(), b.ravel()
        places = range(0, a.size, _PIECE)
        return all(all_near(a[i : i + _PIECE], b[i : i + _PIECE]) for i in places)
    nearer = np.abs(a - b) < ATOL + RTOL * np.abs(b)  # for infinite ones this is never so
    return bool(nearer.all()) or bool(near(a, b).all())


def near(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return what `np.isclose` does with the course's tolerance, for numbers of 64 bits.

    There, most of the time goes into finding out what it was given, and an examination compares
    thousands of small arrays.
    """
    return ((np.abs(a - b) <= ATOL + RTOL * np.abs(b)) & np.isfinite(b)) | (a == b)


def _real(numbers: np.ndarray) -> np.ndarray:
    return numbers.astype(np.float64, copy=False)
