"""Whole numbers that are counted, and how many values or items there are."""

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np

from illustrated_attention.causes.evidence import Cause, Evidence, Pair, Tried
from illustrated_attention.comparing import alike
from illustrated_attention.language import _

LEAST_CASES = 3  # fewer fit almost any product
LARGEST_FACTOR = 64


def cause_in_lengths(evidence: Evidence) -> Cause | None:
    """Return what the wrong lengths of lists have in common, or that there are too few values."""
    wrong = [one for one in evidence.wrong if one.problem and one.problem.kind == "length"]
    if not wrong or len(wrong) < len(evidence.wrong):
        return None
    if any(one.problem.part for one in wrong if one.problem):
        return None  # a list inside of another
    return _number_of_values(wrong, evidence.key.hidden) or _length_of_list(wrong, evidence)


def _number_of_values(wrong: list[Tried], hidden: bool) -> Cause | None:
    if not all(isinstance(one.expected, tuple) for one in wrong):
        return None
    counts = {(len(one.outcome.value), len(one.expected)) for one in wrong}
    if len(counts) > 1:
        return None
    [(got, expected)] = counts
    text = _("You return {got} values; {expected} are asked for.")
    if hidden:  # a function may choose how many it returns
        text = _("You return more values than are asked for, or fewer.")
    return Cause("number_of_values", text.format(got=got, expected=expected))


def _length_of_list(wrong: list[Tried], evidence: Evidence) -> Cause | None:
    if not all(isinstance(one.expected, list) for one in wrong) or len(wrong) < 2:
        return None
    shorter = {len(one.outcome.value) < len(one.expected) for one in wrong}
    if len(shorter) == 1 and all(_begin_alike(one.outcome.value, one.expected) for one in wrong):
        text = _("What is in your list is right, and then it ends too early.")
        if shorter == {False}:
            text = _("Your list begins right, and then goes on too long.")
        return Cause("list_ends_wrong", text)
    differences = {len(one.outcome.value) - len(one.expected) for one in wrong}
    if len(differences) > 1 or evidence.right or evidence.key.hidden:
        return None
    [difference] = differences
    text = _("Your list is always {count} too short.")
    if difference > 0:
        text = _("Your list is always {count} too long.")
    return Cause("list_length", text.format(count=abs(difference)))


def _begin_alike(got: Any, expected: list) -> bool:
    """True when one is the other one, and more after it."""
    both = min(len(got), len(expected))
    return alike(list(got)[:both], expected[:both])


def beyond_32_bits(wrong: list[Pair], right: list[Pair], evidence: Evidence) -> Cause | None:
    """A count that is right but for whole turns of 2 to the 32: it did not fit into its type."""
    if any(pair.expected.ndim or pair.expected.dtype.kind not in "iu" for pair in wrong):
        return None
    if not all(
        abs(int(pair.expected)) >= 2**31
        and pair.got.dtype.kind in "iu"
        and (int(pair.got) - int(pair.expected)) % 2**32 == 0
        for pair in wrong
    ):
        return None
    text = _(
        "The number is too large for a whole number of 32 bits, and what does not fit is lost. "
        "Python's own whole numbers have no end."
    )
    return Cause("beyond_32_bits", text)


def differs_by_a_product(wrong: list[Pair], right: list[Pair], evidence: Evidence) -> Cause | None:
    """A count that is too large or too small by a product of the arguments, in every case."""
    pairs = [*wrong, *right]
    names = _counted(pairs, evidence)
    if names is None or len(pairs) < LEAST_CASES:
        return None
    sizes = np.array([pair.case.args[: len(names)] for pair in pairs], float)
    difference = np.array([float(pair.got) - float(pair.expected) for pair in pairs])
    for powers in _powers(len(names)):
        products = (sizes ** np.array(powers)).prod(axis=1)
        if not products.any():
            continue
        factor = float(difference[products > 0][0] / products[products > 0][0])
        if not _is_simple(factor) or not np.allclose(difference, factor * products, rtol=1e-9):
            continue
        product_of = _written(powers, names, abs(factor), evidence.key.hidden)
        text = _("Your number is too small by {product} in every case.")
        if factor > 0:
            text = _("Your number is too large by {product} in every case.")
        return Cause("off_by_a_product", text.format(product=product_of))
    return None


def _counted(pairs: list[Pair], evidence: Evidence) -> list[str] | None:
    """The names of the arguments where all are whole numbers and so is the result."""
    for pair in pairs:
        if pair.expected.ndim or pair.expected.dtype.kind not in "iu" or not np.isfinite(pair.got):
            return None
        if not all(type(arg) is int and arg >= 0 for arg in pair.case.args):
            return None
    return [evidence.name_of(i) for i in range(min(len(pair.case.args) for pair in pairs))]


def _powers(count: int) -> Iterator[tuple[int, ...]]:
    """Powers of each argument, low ones first."""
    return iter(sorted(product(range(3), repeat=count), key=sum))


def _is_simple(factor: float) -> bool:
    return 0.4 < abs(factor) <= LARGEST_FACTOR and float(2 * factor).is_integer()


def _written(powers: tuple, names: list[str], factor: float, hidden: bool) -> str:
    """Write a product; the judge leaves its factor out, which a function could have chosen."""
    parts = [
        f"`{name}`" + ("²" if power == 2 else "")
        for power, name in zip(powers, names, strict=True)
        if power
    ]
    if hidden:
        return _("a multiple of {product}").format(product=" · ".join(parts) or "1")
    if factor != 1 or not parts:
        parts.insert(0, f"{factor:g}")
    return " · ".join(parts)
