"""What figures and widgets need of the learner's results, and what is said when it is not there.

A picture of something else than it says would teach something wrong. So each figure looks at what
it is given; the sentence names the learner's function that it should come from.
"""

import functools
import types
from collections.abc import Callable

import numpy as np

from illustrated_attention.language import _, listed, together


class NotDrawn(ValueError):
    """Raised instead of a figure: one sentence that says what is wrong with what it was given."""

    def _render_traceback_(self) -> list[str]:
        # A notebook shows the learner's own lines; ours after them would only hide these.
        from IPython import get_ipython

        shown = get_ipython().InteractiveTB
        told = ValueError(str(self))
        return shown.structured_traceback(ValueError, told, _own_frames(self.__traceback__))


def _own_frames(trace: types.TracebackType | None) -> types.TracebackType | None:
    """The frames of the notebook's cells that come first, without IPython's and ours."""
    frames = []
    while trace is not None:
        if trace.tb_frame.f_globals.get("__name__") == "__main__":
            frames.append(trace)
        trace = trace.tb_next
    own = None
    for frame in reversed(frames):
        own = types.TracebackType(own, frame.tb_frame, frame.tb_lasti, frame.tb_lineno)
    return own


def learned(function: Callable) -> Callable:
    """Return a function of the learner's for a widget: an error in it is told in one sentence."""
    name = getattr(function, "__name__", None) or _("function")
    if not callable(function):
        raise NotDrawn(
            _("A widget needs your function itself, without brackets, but it got {what}.").format(
                what=type(function).__name__
            )
        )

    @functools.wraps(function, updated=())
    def call(*args):
        try:
            return function(*args)
        except NotImplementedError:
            raise NotDrawn(_("{name} is not written yet.").format(name=name)) from None
        except Exception as error:
            text = _("Your {name} stopped with {kind}: {message}. Run check({name}): it says more.")
            told = NotDrawn(
                text.format(name=name, kind=type(error).__name__, message=str(error).rstrip("."))
            )
            raise told.with_traceback(error.__traceback__) from None

    return call


def need_array(value, name, shape, made_by=None):
    """Return `value` as a float array of this shape, or say clearly what is wrong with it.

    Parameters
    ----------
    value : array_like
    name : str
        What the learner calls it.
    shape : tuple of int or str
        A number must match; a name such as ``"d"`` stands for any size and is shown in the message.
    made_by : str or None
        The learner's function that it comes from.

    Raises
    ------
    NotDrawn
    """
    expected = "(" + listed(str(size) for size in shape) + ("," if len(shape) == 1 else "") + ")"
    function = _("your {name}").format(name=made_by) if made_by else _("your function")
    if value is None or _holds_none(value):
        text = _("{name} is None. Does {function} end with `return`?")
        raise NotDrawn(text.format(name=name, function=function))
    try:
        array = np.asarray(value)
        numbers = array.astype(float) if array.dtype.kind in "biufO" else None
    except (TypeError, ValueError):
        numbers = None
    if numbers is None:
        text = _("{name} must be an array of numbers with shape {expected}.")
        raise NotDrawn(_with_origin(text.format(name=name, expected=expected), made_by))
    fits = numbers.ndim == len(shape) and all(
        isinstance(wanted, str) or wanted == size
        for wanted, size in zip(shape, numbers.shape, strict=True)
    )
    if not fits:
        text = _("{name} must have shape {expected}, but yours has shape {shape}.")
        text = text.format(name=name, expected=expected, shape=numbers.shape)
        raise NotDrawn(_with_origin(text, made_by))
    if numbers.size == 0:
        text = _("{name} is empty: there is nothing to draw.").format(name=name)
        raise NotDrawn(_with_origin(text, made_by))
    return numbers


def need_finite(value, name, shape, made_by=None):
    """Return `value` as `need_array` does, but refuse nan and infinity: no axis can show them.

    Raises
    ------
    NotDrawn
    """
    array = need_array(value, name, shape, made_by)
    if not np.isfinite(array).all():
        text = _("{name} holds nan or infinity, which cannot be drawn here.").format(name=name)
        raise NotDrawn(_with_origin(text, made_by))
    return array


def need_mask(value, shape, made_by=None):
    """Return a mask as a bool array of this shape, or say what is wrong.

    Raises
    ------
    NotDrawn
    """
    mask = need_array(value, "mask", shape, made_by)
    if not np.isin(mask, (0, 1)).all():
        text = _("mask must hold True and False only, True where a key may be seen.")
        raise NotDrawn(_with_origin(text, made_by))
    return mask.astype(bool)


def need_equal(array, right, said, made_by):
    """Refuse an array that is not what the figure says that it is, such as ``"x @ w_q = q"``.

    Raises
    ------
    NotDrawn
    """
    if np.allclose(array, right, rtol=1e-3, atol=1e-4, equal_nan=True):
        return
    text = _("The figure says {said}, but yours is not so. Run check({function}): it says more.")
    raise NotDrawn(text.format(said=said, function=made_by))


def need_pair(value, made_by):
    """Return what a function that must return two things returned, or say what is wrong.

    Raises
    ------
    NotDrawn
    """
    if value is None:
        text = _("Your {name} returned None. Does it end with `return`?")
        raise NotDrawn(text.format(name=made_by))
    if not isinstance(value, (tuple, list, np.ndarray)) or len(value) != 2:
        text = _("Your {name} must return a pair: keys and values.")
        raise NotDrawn(text.format(name=made_by))
    return value


def need_dict(value, name):
    """Return a dictionary that holds something, or say what is wrong.

    Raises
    ------
    NotDrawn
    """
    if not isinstance(value, dict) or not value:
        raise NotDrawn(_("{name} must be a dictionary with one entry or more.").format(name=name))
    return value


def need_tokens(tokens):
    """Return the tokens as a list of str, or say what is wrong.

    Raises
    ------
    NotDrawn
    """
    words = list(tokens) if isinstance(tokens, (list, tuple, np.ndarray)) else []
    if not words or not all(isinstance(word, str) for word in words):
        raise NotDrawn(
            _('tokens must be a list of words, such as ["robot", "must", "obey", "orders"].')
        )
    return words


def need_position(value, name, count):
    """Return a position from 0 to `count` - 1 as int, or say what is wrong.

    Raises
    ------
    NotDrawn
    """
    if not isinstance(value, (int, np.integer)) or not 0 <= value < count:
        text = _("{name} must be a whole number from 0 to {last}, but yours is {value!r}.")
        raise NotDrawn(text.format(name=name, last=count - 1, value=value))
    return int(value)


def need_heads(n_head, width):
    """Return how many of `width` features each head gets, or say why they cannot be shared out.

    Raises
    ------
    NotDrawn
    """
    if not isinstance(n_head, (int, np.integer)) or n_head < 1 or width % n_head:
        text = _("n_head must share out {width} features evenly, but yours is {n_head!r}.")
        raise NotDrawn(text.format(width=width, n_head=n_head))
    return width // n_head


def query_row(value, name, tokens, query, made_by=None):
    """Return the row of the query: `value` is the whole [T, T] array or that row alone.

    Raises
    ------
    NotDrawn
    """
    n = len(tokens)
    if axes(value) == 1:
        return need_array(value, name, (n,), made_by)
    return need_array(value, name, (n, n), made_by)[query]


def axes(value) -> int:
    """Count the axes of what may be no array at all: that has 0."""
    try:
        return np.ndim(value)
    except ValueError:  # rows of different lengths
        return 0


def _holds_none(value) -> bool:
    """NumPy makes nan of the Nones in a list."""
    if isinstance(value, np.ndarray):
        return value.dtype == object and any(item is None for item in value.flat)
    if isinstance(value, (list, tuple)):
        return any(item is None or _holds_none(item) for item in value)
    return False


def _with_origin(text: str, made_by: str | None) -> str:
    if not made_by:
        return text
    return together(text, _("It comes from your {name}.").format(name=made_by))
