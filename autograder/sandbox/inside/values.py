"""Values that are made of plain data: how each is taken apart for the wire, and made again.

Sets, fractions, dates, types, arrays of text, and pandas' tables, where pandas is there. What
arrives is checked as plain data first; only then is one of these few kinds made of it, by its own
constructor.
"""

import datetime
import functools
import keyword
import re
import sys
from collections import Counter, OrderedDict, deque, namedtuple
from collections.abc import Callable, Iterable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path, PosixPath
from typing import Any

import numpy as np

MAX_ALIKE = 64  # keys with one hash: more would make a set or a dictionary take its time
MAX_FIELDS = 50  # of a named tuple
MAX_EXPONENT = 100_000  # of a Decimal
MAX_RANGE = 1 << 20  # steps of a range
_TIMES = re.compile(r"<[mM]8\[(Y|M|W|D|h|m|s|ms|us|ns)\]")
_PANDAS = {"object", "str", "string", "boolean", "Int64", "Float64"}


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
    if isinstance(value, np.ndarray) and value.dtype.names:
        return "records", [list(value.dtype.names), _fields(value)]
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
    if isinstance(value, np.generic):
        return value.dtype.kind in "biufcU"
    return type(value) in _KEYS or _is_moment(value)


_KEYS = {type(None), bool, int, float, complex, str, bytes}
_KEYS |= {Fraction, Decimal, datetime.date, datetime.datetime, datetime.timedelta}
# Types that a notebook may ask about, by their names. Whoever gets one may call it: none that gives
# memory as it finds it, as `np.ndarray(5)` does.
_TYPES = {kind.__name__: kind for kind in (*_KEYS, list, tuple, dict, set, frozenset, range)}
_TYPES |= {kind.__name__: kind for kind in (bytearray, Counter, OrderedDict, deque)}


def _type_name(kind: type) -> str:
    if _TYPES.get(kind.__name__) is not kind:
        raise ValueError("another type")
    return kind.__name__


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


def _pairs(items: list) -> Iterable[tuple]:
    keys, its = [key for key, _item in items], [item for _key, item in items]
    return zip(checked_keys(keys), _keys(its), strict=True)


def _counter(keys: list, counts: list) -> Counter:
    made: Counter = Counter()
    dict.update(made, zip(checked_keys(keys), _keys(counts), strict=True))
    return made


def _decimal(text: str) -> Decimal:
    value = Decimal(text)
    if value.is_finite() and abs(value.adjusted()) > MAX_EXPONENT:
        raise ValueError("exponent too large")
    return value


def _steps(value: range) -> list[int]:
    if value[MAX_RANGE:]:
        raise ValueError("too long")
    return [value.start, value.stop, value.step]


def _range(*steps: int) -> range:
    made = range(*steps)
    _steps(made)
    return made


def _fields(value: np.ndarray) -> list:
    """The columns of an array that has names for them: arrays of plain numbers or of text."""
    names = value.dtype.names or ()
    columns = [np.array(np.ndarray.__getitem__(value, name)) for name in names[: MAX_FIELDS + 1]]
    if len(names) > MAX_FIELDS or any(c.dtype.kind not in "biufcU" for c in columns):
        raise ValueError("other things than plain data")
    return columns


def _records(names: list[str], columns: list[np.ndarray]) -> np.ndarray:
    shapes = {column.shape for column in columns}
    if len(columns) > MAX_FIELDS or len(shapes) != 1 or not all(type(n) is str for n in names):
        raise ValueError("no columns")
    kinds = [(name, column.dtype) for name, column in zip(names, columns, strict=True)]
    made = np.empty(shapes.pop(), kinds)
    for name, column in zip(names, columns, strict=True):
        made[name] = column
    return made


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
    type: lambda v: [_type_name(v)],
    range: _steps,
    bytearray: lambda v: [bytes(v)],
    OrderedDict: lambda v: [_keys(v.items())],
    type({}.keys()): lambda v: [_keys(v)],
    type({}.values()): lambda v: [_keys(v)],
    type({}.items()): lambda v: [_keys(v)],
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
    "type": _TYPES.__getitem__,
    "range": _range,
    "bytearray": bytearray,
    "OrderedDict": lambda items: OrderedDict(_pairs(items)),
    "dict_keys": lambda keys: dict.fromkeys(checked_keys(keys)).keys(),
    "dict_values": lambda values: dict(enumerate(_keys(values))).values(),
    "dict_items": lambda items: dict(_pairs(items)).items(),
    "records": _records,
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


def _is_moment(value: Any) -> bool:
    pandas = sys.modules.get("pandas")
    return pandas is not None and type(value) is pandas.Timestamp and value.tz is None


def _column(series: Any) -> list:
    """A column or an index: its type's name, and its values as an array or as a list.

    Of one with categories: these, and where each value is among them.
    """
    if isinstance(series.dtype, sys.modules["pandas"].CategoricalDtype):
        categories = series.dtype.categories.to_series()
        of_categories = [_column(categories), bool(series.dtype.ordered)]
        return ["category", np.array(series.cat.codes), *of_categories]
    if isinstance(series.dtype, np.dtype) and series.dtype.kind in "biufcmM":
        return [str(series.dtype), np.array(series)]
    if str(series.dtype) not in _PANDAS:
        raise ValueError(f"a column of type {series.dtype}")
    absent = series.isna()
    values = [
        None if gone and type(value) is not float else value
        for value, gone in zip(series, absent, strict=True)
    ]
    return [str(series.dtype), _keys(values)]


def _of_column(dtype: str, values: Any, categories: Any = None, ordered: bool = False) -> Any:
    pandas = sys.modules["pandas"]
    if dtype == "category":
        kinds = pandas.CategoricalDtype(pandas.Index(_of_column(*categories)), bool(ordered))
        return pandas.Series(pandas.Categorical.from_codes(values, dtype=kinds))
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
    freq = getattr(index, "freqstr", None)  # of dates: how far apart they are
    return ["plain", _column(index.to_series()), _keys(index.names), freq]


def _levels(index: Any) -> list:
    return [index.get_level_values(number) for number in range(index.nlevels)]


def _of_index(kind: str, parts: list, names: list, freq: str | None = None) -> Any:
    pandas = sys.modules["pandas"]
    if kind == "range":
        made = pandas.RangeIndex(*parts)
    elif kind == "multi":
        made = pandas.MultiIndex.from_arrays([_of_column(*part) for part in parts])
    else:
        made = pandas.Index(_of_column(*parts))
        if freq is not None:
            made.freq = freq
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
