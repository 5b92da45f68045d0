"""What Python's operators do to an object on the other side of the wire, by their methods' names.

Both sides have the same table: a stand-in has those that its object's type has, and asks for what
they do.
"""

import operator
import types
from collections.abc import Callable
from typing import Any

_BINARY = (
    *("add", "sub", "mul", "matmul", "truediv", "floordiv", "mod", "pow"),
    *("and", "or", "xor", "lshift", "rshift"),
)
_COMPARING = ("eq", "ne", "lt", "le", "gt", "ge")


def _function(name: str) -> Callable:
    return getattr(operator, f"{name}_" if name in ("and", "or") else name)


def _reflected(name: str) -> Callable:
    function = _function(name)
    return lambda one, other: function(other, one)


OPERATIONS: dict[str, Callable[..., Any]] = {
    "__len__": len,
    "__iter__": iter,
    "__next__": next,
    "__reversed__": reversed,
    "__contains__": operator.contains,
    "__getitem__": operator.getitem,
    "__setitem__": operator.setitem,
    "__delitem__": operator.delitem,
    "__bool__": bool,
    "__str__": str,
    "__repr__": repr,
    "__format__": format,
    "__hash__": hash,
    "__int__": int,
    "__float__": float,
    "__complex__": complex,
    "__index__": operator.index,
    "__round__": round,
    "__abs__": abs,
    "__neg__": operator.neg,
    "__pos__": operator.pos,
    "__invert__": operator.invert,
    "__enter__": lambda thing: type(thing).__enter__(thing),
    "__exit__": lambda thing, *error: type(thing).__exit__(thing, *error),
    **{f"__{name}__": getattr(operator, name) for name in _COMPARING},
    **{f"__{name}__": _function(name) for name in _BINARY},
    **{f"__r{name}__": _reflected(name) for name in _BINARY},
    **{f"__i{name}__": getattr(operator, f"i{name}") for name in _BINARY},
}

# What also makes an operation work, besides the method of its own name.
_COMES_WITH: dict[str, tuple[str, ...]] = {
    "__ne__": ("__eq__",),
    "__gt__": ("__lt__",),
    "__lt__": ("__gt__",),
    "__ge__": ("__le__",),
    "__le__": ("__ge__",),
    "__str__": ("__repr__",),
    "__format__": ("__str__", "__repr__"),
    "__bool__": ("__len__",),
    "__iter__": ("__getitem__",),
    "__contains__": ("__iter__", "__getitem__"),
    "__reversed__": ("__getitem__",),
    "__int__": ("__index__",),
    "__float__": ("__index__",),
    **{f"__r{name}__": (f"__{name}__",) for name in _BINARY},
    **{f"__{name}__": (f"__r{name}__",) for name in _BINARY},
    **{f"__i{name}__": (f"__{name}__",) for name in _BINARY},
}


def operations_of(kind: type) -> list[str]:
    """Return the operations that objects of a type do in a way of their own."""
    if kind is types.FunctionType:  # asked for again and again
        return list(_OF_FUNCTIONS)
    return [name for name in OPERATIONS if _has(kind, name)]


def _has(kind: type, name: str) -> bool:
    own = {n for n in (name, *_COMES_WITH.get(name, ())) if _differs(kind, n)}
    return bool(own)


def _differs(kind: type, name: str) -> bool:
    method = getattr(kind, name, None)
    return method is not None and method is not getattr(object, name, None)


def is_among(name: str, names: frozenset[str]) -> bool:
    """Is an operation one of these, or does it come with one of them?"""
    return name in names or any(other in names for other in _COMES_WITH.get(name, ()))


def is_drawing(module: str) -> bool:
    """Is it a module of the library that notebooks draw with?"""
    return module.partition(".")[0] == "matplotlib"


_OF_FUNCTIONS = [name for name in OPERATIONS if _has(types.FunctionType, name)]
