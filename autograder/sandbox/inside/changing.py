"""Change a list, a dictionary, a set or an array in place, to what it is on the other side."""

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
    return new
