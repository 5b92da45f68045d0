"""The sizes of the input by name: lengths of axes and of lists, whole numbers."""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from illustrated_attention.causes.evidence import Evidence
from illustrated_attention.language import _
from illustrated_attention.outcomes import Case

Size = Callable[[Case], int | None]


def sizes(evidence: Evidence) -> Iterator[tuple[str, Size]]:
    """Yield each size of the input: what it is called, and a function that reads it from a case."""
    width = max((len(one.case.args) for one in evidence.tried), default=0)
    for position in range(width):
        name = evidence.name_of(position)
        for axis, words in (
            (-1, _("the last axis of `{name}`")),
            (-2, _("the last axis but one of `{name}`")),
            (-3, _("the third axis from the end of `{name}`")),
        ):
            yield words.format(name=name), partial(_length, position=position, axis=axis)
        yield f"`{name}`", partial(whole_number, position=position)


def whole_number(case: Case, position: int) -> int | None:
    """Return an argument that is a whole number above 0; None if it is anything else."""
    arg = case.args[position] if position < len(case.args) else None
    return arg if type(arg) is int and arg > 0 else None


def _length(case: Case, position: int, axis: int) -> int | None:
    arg = case.args[position] if position < len(case.args) else None
    return arg.shape[axis] if isinstance(arg, np.ndarray) and arg.ndim >= -axis else None
