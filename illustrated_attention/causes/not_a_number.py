"""Where nan comes from: the first operation that makes one of plain numbers."""

import functools

import numpy as np

from illustrated_attention.causes.evidence import Cause, Evidence
from illustrated_attention.language import _
from illustrated_attention.outcomes import call


def _operations() -> dict[str, str]:
    """Words in NumPy's message, with what makes nan there."""
    return {
        "sqrt": _("a root is taken of a number below 0"),
        "log": _("a logarithm is taken of a number below 0"),
        "power": _("a number below 0 has an exponent that is no whole number"),
        "divide": _("0 is divided by 0, or infinity by infinity"),
        "subtract": _("infinity is subtracted from infinity"),
        "multiply": _("0 is multiplied by infinity"),
        "matmul": _("a product meets infinity: 0 times it, or one infinity less another"),
    }


def origin_of_nan(evidence: Evidence) -> Cause | None:
    """Return the line in which nan first arises, in the smallest case that ends with it.

    Not for the judge: the line may be one of many, each for another input.
    """
    wrong = [one for one in evidence.wrong if one.problem and one.problem.kind == "not_finite"]
    if not wrong or evidence.key.hidden:
        return None

    @functools.wraps(evidence.function)
    def strict(*args):
        with np.errstate(invalid="raise"):
            return evidence.function(*args)

    outcome = call(strict, min(wrong, key=lambda one: one.case.size()).case)
    if outcome.error != "FloatingPointError" or not outcome.line:
        return None
    words = [words for name, words in _operations().items() if name in outcome.message]
    if len(words) != 1:
        return None
    text = _("In your line `{line}` nan arises: {reason}.")
    if outcome.inside:
        text = _("Your line `{calling}` leads to `{inside}`, where nan arises: {reason}.")
    where = {"line": outcome.line, "inside": outcome.inside, "calling": outcome.calling}
    return Cause("nan_arises", text.format(reason=words[0], **where))
