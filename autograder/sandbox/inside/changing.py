"""Change a list, a dictionary, an array and the like in place, to what it is on the other side."""

import sys

import numpy as np


def changed_to(old, new):
    """Return `old`, changed in place to look like `new`, or `new` where that cannot be."""
    match old, new:
        case np.ndarray(), np.ndarray():
            if old.size == new.size and old.dtype == new.dtype and old.flags.writeable:
                if old.shape != new.shape and old.flags.forc:
                    old.resize(new.shape, refcheck=False)  # as `x.shape = ...` did there
                if old.shape == new.shape:
                    old[...] = new
                    return old
        case list(), list():
            old[:] = [*map(changed_to, old, new), *new[len(old) :]]
            return old
        case dict(), dict() if type(new) in (dict, type(old)):  # no dict becomes a Counter
            values = {key: changed_to(old.get(key), value) for key, value in new.items()}
            old.clear()
            old.update(values)
            return old
        case set(), set():
            old.clear()
            old.update(new)
            return old
        case tuple(), tuple():
            items = tuple(map(changed_to, old, new))
            if len(old) == len(new) and all(a is b for a, b in zip(old, items, strict=True)):
                return old
        case _ if _is_table(old) and type(new) is type(old):
            old.__init__(new)  # pandas has nothing else that changes all of a table
            return old
    return new


def _is_table(value: object) -> bool:
    pandas = sys.modules.get("pandas")
    return pandas is not None and type(value) in (pandas.DataFrame, pandas.Series)
