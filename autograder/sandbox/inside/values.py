"""Values that are made of plain data: how each is taken apart for the wire, and made again.

Sets, fractions, dates, arrays of text, and pandas' tables, where pandas is there. What arrives is
checked as plain data first; only then is one of these few kinds made of it, by its own constructor.
"""

import datetime
import functools
import keyword
import re
import sys
from collections import Counter, deque, namedtuple
from collections.abc import Callable, Iterable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path, PosixPath
from typing import Any

import numpy as np

MAX_ALIKE = 64  # keys with one hash: more would make a set or a dictionary take its time
MAX_FIELDS = 50  # of a named tuple
MAX_EXPONENT = 100_000  # of a Decimal
_TIMES = re.compile(r"<[mM]8\[(Y|M|W|D|h|m|s|ms|us|ns)\]")
_PANDAS = {"object", "str", "string", "category", "boolean", "Int64", "Float64"}


def take_apart(value: Any) -> tuple[str, list] | None:
    """Return the kind of a value and the plain data that it is made of; None if it is no such."""
    try:
        return _take_apart(value)
    except ValueError:  # something else is in it
        return None


def _take_apart(value: Any) -> tuple[str, list] | None:
    kind = type(value)
    if kind in _APART:
        return kind.__name__, _APART[kind](value)
    if isinstance(value, np.ndarray) and value.dtype.kind == "U":
        return "texts", [list(value.shape), value.ravel().tolist(), value.dtype.itemsize // 4]
    if isinstance(value, (np.ndarray, np.generic)) and _TIMES.fullmatch(value.dtype.str):
        return "times", [
            value.dtype.str,
            isinstance(value, np.generic),
            np.asarray(value).view("i8"),
        ]
    pandas = sys.modules.get("pandas")
    if pandas is not None:
        for name, apart in _TABLES.items():
            if kind is getattr(pandas, name, None):
                return name, apart(value)
    return None


def put_together(kind: str, parts: list) -> Any:
    """Make a value of the plain data that it was taken apart into.

    Raises
    ------
    ValueError, TypeError, ArithmeticError, LookupError
        If it is made of anything else.
    """
    return _TOGETHER[kind](*parts)


def field_names(value: tuple) -> list[str] | None:
    """The names of a named tuple's fields; None if it is another tuple."""
    names = getattr(type(value), "_fields", None)
    if type(names) is not tuple or len(names) != tuple.__len__(value) or not names:
        return None
    good = all(type(n) is str and n.isidentifier() and n[0] != "_" for n in names)
    good = good and len(set(names)) == len(names) and not any(map(keyword.iskeyword, names))
    return list(names) if good and len(names) <= MAX_FIELDS else None


@functools.lru_cache(maxsize=256)
def named_tuple(name: str, *fields: str) -> type[tuple]:
    """Make the type of a named tuple. ValueError if its names are none."""
    if len(fields) > MAX_FIELDS or max(map(len, (name, *fields))) > 80:
        raise ValueError("too large")
    return namedtuple(name if name.isidentifier() else "tuple", fields)


def is_key(value: object) -> bool:
    """Is it plain data that never changes, with a hash of Python's own?"""
    if type(value) in (tuple, frozenset):
        return all(map(is_key, value))  # type: ignore[call-overload]
    return type(value) in _KEYS or (isinstance(value, np.generic) and value.dtype.kind in "biufc")


_KEYS = {type(None), bool, int, float, complex, str, bytes}
_KEYS |= {Fraction, Decimal, datetime.date, datetime.datetime, datetime.timedelta}


def checked_keys(keys: Iterable) -> list:
    """Return keys of a set or a dictionary; ValueError if they are made to slow it down."""
    keys = _keys(keys)
    alike = Counter(map(hash, keys))
    if alike and max(alike.values()) > MAX_ALIKE:
        raise ValueError("too many keys have the same hash")
    return keys


def _keys(items: Iterable) -> list:
    """Return items as a list if all are keys; ValueError if not."""
    items = list(items)
    if not all(map(is_key, items)):
        raise ValueError("other things than plain data")
    return items


def _counter(keys: list, counts: list) -> Counter:
    made: Counter = Counter()
    dict.update(made, zip(checked_keys(keys), _keys(counts), strict=True))
    return made


def _decimal(text: str) -> Decimal:
    value = Decimal(text)
    if value.is_finite() and abs(value.adjusted()) > MAX_EXPONENT:
        raise ValueError("exponent too large")
    return value


def _texts(shape: list[int], texts: list[str], width: int) -> np.ndarray:
    if not all(type(text) is str and len(text) <= width for text in texts):
        raise ValueError("texts expected")
    if width * max(1, len(texts)) > 1 << 22:
        raise ValueError("too large")
    return np.array(texts, f"U{width}").reshape(shape)


def _times(dtype: str, scalar: bool, numbers: np.ndarray) -> Any:
    if not _TIMES.fullmatch(dtype) or numbers.dtype != np.int64:
        raise ValueError("no times")
    made = numbers.view(dtype)
    return made[()] if scalar and not made.ndim else made


def _no_zone(value: Any) -> list:
    if value.tzinfo is not None:
        raise ValueError("a time with a zone")
    return [value.hour, value.minute, value.second, value.microsecond]


_APART: dict[type, Callable[[Any], list]] = {
    set: lambda v: [_keys(v)],
    frozenset: lambda v: [_keys(v)],
    deque: lambda v: [_keys(v), v.maxlen],
    Counter: lambda v: [_keys(v), _keys(v.values())],
    slice: lambda v: _keys([v.start, v.stop, v.step]),
    Fraction: lambda v: [v.numerator, v.denominator],
    Decimal: lambda v: [str(v)],
    PosixPath: lambda v: [str(v)],
    datetime.date: lambda v: [v.year, v.month, v.day],
    datetime.time: _no_zone,
    datetime.datetime: lambda v: [v.year, v.month, v.day, *_no_zone(v)],
    datetime.timedelta: lambda v: [v.days, v.seconds, v.microseconds],
}
_TOGETHER: dict[str, Callable[..., Any]] = {
    "set": lambda items: set(checked_keys(items)),
    "frozenset": lambda items: frozenset(checked_keys(items)),
    "deque": deque,
    "Counter": _counter,
    "slice": slice,
    "Fraction": Fraction,
    "Decimal": _decimal,
    "PosixPath": Path,
    "date": datetime.date,
    "time": datetime.time,
    "datetime": datetime.datetime,
    "timedelta": datetime.timedelta,
    "texts": _texts,
    "times": _times,
}


# -- pandas: only where whoever reads has it loaded already ------------------------------------


def _column(series: Any) -> list:
    """A column or an index: its type's name, and its values as an array or as a list."""
    if isinstance(series.dtype, np.dtype) and series.dtype.kind in "biufcmM":
        return [str(series.dtype), np.array(series)]
    if str(series.dtype) not in _PANDAS or getattr(series.dtype, "ordered", False):
        raise ValueError(f"a column of type {series.dtype}")
    absent = series.isna()
    values = [None if gone else value for value, gone in zip(series, absent, strict=True)]
    return [str(series.dtype), _keys(values)]


def _of_column(dtype: str, values: Any) -> Any:
    pandas = sys.modules["pandas"]
    if isinstance(values, np.ndarray):
        return pandas.Series(values)
    if dtype not in _PANDAS or type(values) is not list:
        raise ValueError("no column")
    return pandas.Series(values, dtype=dtype)


def _index(index: Any) -> list:
    pandas = sys.modules["pandas"]
    if type(index) is pandas.RangeIndex:
        return ["range", [index.start, index.stop, index.step], _keys(index.names)]
    if isinstance(index, pandas.MultiIndex):
        return [
            "multi",
            [_column(level.to_series()) for level in _levels(index)],
            _keys(index.names),
        ]
    return ["plain", _column(index.to_series()), _keys(index.names)]


def _levels(index: Any) -> list:
    return [index.get_level_values(number) for number in range(index.nlevels)]


def _of_index(kind: str, parts: list, names: list) -> Any:
    pandas = sys.modules["pandas"]
    if kind == "range":
        made = pandas.RangeIndex(*parts)
    elif kind == "multi":
        made = pandas.MultiIndex.from_arrays([_of_column(*part) for part in parts])
    else:
        made = pandas.Index(_of_column(*parts))
    return made.set_names(names)


def _frame(columns: list, labels: list, index: list) -> Any:
    pandas = sys.modules["pandas"]
    made = pandas.concat([_of_column(*c) for c in columns], axis=1) if columns else None
    made = pandas.DataFrame() if made is None else made
    if len(made) != len(rows := _of_index(*index)) and columns:
        raise ValueError("columns and index disagree")
    made.index = rows if columns else made.index
    made.columns = _of_index(*labels)
    return made


def _series(column: list, name: object, index: list) -> Any:
    made = _of_column(*column)
    made.index, made.name = _of_index(*index), name
    return made


def _moment(text: str) -> Any:
    return sys.modules["pandas"].Timestamp(text)


_TABLES: dict[str, Callable[[Any], list]] = {
    "DataFrame": lambda v: [
        [_column(v.iloc[:, place]) for place in range(v.shape[1])],
        _index(v.columns),
        _index(v.index),
    ],
    "Series": lambda v: [_column(v), *_keys([v.name]), _index(v.index)],
    "Index": lambda v: [_index(v)],
    "RangeIndex": lambda v: [_index(v)],
    "DatetimeIndex": lambda v: [_index(v)],
    "MultiIndex": lambda v: [_index(v)],
    "Timestamp": lambda v: [v.isoformat()],
}
_TOGETHER |= {
    "DataFrame": _frame,
    "Series": _series,
    **dict.fromkeys(
        ("Index", "RangeIndex", "DatetimeIndex", "MultiIndex"), lambda i: _of_index(*i)
    ),
    "Timestamp": _moment,
}
