"""Answers of True and False that are wrong: masks and tests that were turned round or shifted."""

import numpy as np

from illustrated_attention.causes.evidence import Cause, Pair, same
from illustrated_attention.causes.rules import all_become, wrong_cells
from illustrated_attention.language import _


def cause_in_truth(wrong: list[Pair], right: list[Pair]) -> Cause | None:
    """Return what makes the right answers, True or False, of those that were returned."""
    if all(pair.expected.ndim == 0 for pair in (*wrong, *right)):
        return _cause_in_answers(wrong, right)
    return _cause_in_mask(wrong, right)


def _cause_in_answers(wrong: list[Pair], right: list[Pair]) -> Cause | None:
    if len(wrong) < 2:
        return None
    both_answers = {bool(pair.expected) for pair in wrong} == {True, False}
    if not right and both_answers and all(bool(p.got) != bool(p.expected) for p in wrong):
        text = _("Each of your answers is the opposite of the right one: True for False.")
        return Cause("opposite", text)
    if all(bool(pair.got) == bool(pair.expected) for pair in (*wrong, *right)):
        text = _(
            "True or False is asked for. You return numbers: not 0 where True is right, 0 where "
            "False is."
        )
        return Cause("truth_as_number", text)
    return None


def on_one_side(wrong: list[Pair]) -> Cause | None:
    """Return that all wrong answers, or all wrong cells of masks, are wrong in the same way."""
    if any(pair.got.shape != pair.expected.shape for pair in wrong):
        return None
    differing = [pair.expected[wrong_cells(pair)] for pair in wrong]
    masks = all(pair.expected.ndim == 2 for pair in wrong)
    if len(wrong) < 2 or not (masks or all(pair.expected.ndim == 0 for pair in wrong)):
        return None
    if all(right.all() for right in differing):
        text = _("Wherever you are wrong you answer False, and True is right: what is overlooked?")
        if masks:
            text = _(
                "Your mask hides too much: every wrong cell of it is False, and True is right."
            )
        return Cause("false_too_often", text)
    if not any(right.any() for right in differing):
        text = _("Wherever you are wrong you answer True, and False is right: what is not needed?")
        if masks:
            text = _(
                "Your mask shows too much: every wrong cell of it is True, and False is right."
            )
        return Cause("true_too_often", text)
    return None


def _cause_in_mask(wrong: list[Pair], right: list[Pair]) -> Cause | None:
    changes = (
        (
            "inverted",
            np.logical_not,
            _("Your mask is exactly inverted: True must mean that a token may look."),
        ),
        (
            "transposed",
            lambda a: np.swapaxes(a, -1, -2),
            _("Your mask is transposed: rows are queries, columns are keys."),
        ),
        ("reversed", lambda a: np.flip(a, -1), _("Your mask runs backwards along the keys.")),
        ("reversed", lambda a: np.flip(a, -2), _("Your mask runs backwards along the queries.")),
    )
    for id, change, sentence in changes:
        if all_become(lambda a, c=change: c(a.astype(bool)), wrong, right):
            return Cause(id, sentence)
    for step, id, text in (
        (1, "shifted", _("Every token may look at one key more than it should.")),
        (-1, "shifted", _("Every token may look at one key less than it should.")),
    ):
        if all(
            pair.expected.ndim == 2 and _diagonal_moved(pair, step) for pair in (*wrong, *right)
        ):
            return Cause(id, text)
    return None


def _diagonal_moved(pair: Pair, by: int) -> bool:
    rows, columns = pair.expected.shape
    past = columns - rows
    return same(pair.got, np.tri(rows, columns, past + by, dtype=bool))
