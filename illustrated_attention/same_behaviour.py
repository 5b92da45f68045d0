"""Did two functions do the same? So a known mistake is recognised."""

import re

import numpy as np

from illustrated_attention.answer_keys import Signature
from illustrated_attention.comparing import alike
from illustrated_attention.outcomes import Case, Outcome
from illustrated_attention.problems import as_number


def same_behaviour(
    a: Signature, b: Signature, cases: tuple[Case, ...], compared: list[int]
) -> bool:
    """True when two functions did the same on the cases with these indices, and in properties."""
    tried = len(a.outcomes)
    if a.held != b.held or len(b.outcomes) != tried:
        return False
    return all(same_outcome(a.outcomes[i], b.outcomes[i], cases[i]) for i in compared if i < tried)


def same_outcome(a: Outcome, b: Outcome, case: Case) -> bool:
    """True when a learner's function and a known one did the same on a case."""
    if (a.error, a.timed_out, a.changed, a.overwrote) != (
        b.error,
        b.timed_out,
        b.changed,
        b.overwrote,
    ):
        return False
    if a.error:
        # The known one was refused by a function that it calls; this one refuses by itself.
        refuses_itself = raised_on_purpose(a) and not a.inside and b.inside
        return not refuses_itself and _what_it_says(a) == _what_it_says(b)
    if case.within:
        x, y = as_number(a.value), as_number(b.value)
        if x is not None and y is not None:
            return _found_alike(x, y, case.within)
    if _is_count(a.value) and _is_count(b.value):
        return a.value == b.value  # of a large model, one that is near is of another mistake
    return alike(a.value, b.value)


def _is_count(value: object) -> bool:
    if isinstance(value, np.ndarray):
        value = value[()] if value.ndim == 0 else None
    if isinstance(value, (int, np.integer)):  # as large as it likes: no float need hold it
        return True
    return isinstance(value, (float, np.floating)) and float(value).is_integer()


def _what_it_says(outcome: Outcome) -> object:
    """What an error says; nothing when it was raised on purpose: its words are free."""
    return "" if raised_on_purpose(outcome) else _sizes_at_odds(outcome.message)


def _sizes_at_odds(message: str) -> object:
    """What NumPy's ``@``, matmul and dot say about shapes that do not fit, each in its own words.

    The two sizes that do not agree, the left array's first; for any other message, the message.
    """
    found = _MATMUL_SAYS.search(message) or _DOT_SAYS.search(message)
    return (found["left"], found["right"]) if found else message


_MATMUL_SAYS = re.compile(r"\(size (?P<right>\d+) is different from (?P<left>\d+)\)")
_DOT_SAYS = re.compile(r"not aligned: (?P<left>\d+) \(dim \d+\) != (?P<right>\d+) \(dim \d+\)")


def _found_alike(x: float, y: float, within: tuple[float, float]) -> bool:
    """Numbers that were searched for are alike when right ones may be as far apart.

    Their ratio counts: 1 / 3.7 and 1 / 4.2 are the same mistake where 3.7 and 4.2 are right.
    """
    low, high = within
    if (low <= x <= high) != (low <= y <= high):
        return False
    return x == y or (x * y > 0 and max(x / y, y / x) <= high / low)


def raised_on_purpose(outcome: Outcome) -> bool:
    """True when the line that stopped is the learner's own ``raise`` or ``assert``."""
    return re.search(r"(^|: *)(raise|assert)\b", outcome.line) is not None
