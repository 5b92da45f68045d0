"""What is wrong with the outcome of a case."""

from typing import Any

from illustrated_attention.comparing import Problem, compare
from illustrated_attention.outcomes import Case, Outcome


def find_problem(outcome: Outcome, case: Case, expected: Any) -> Problem | None:
    """Return what is wrong with an outcome, None if it is right."""
    if outcome.timed_out:
        return Problem("timeout")
    if outcome.error == "NotImplementedError":
        return Problem("unwritten")
    if outcome.error:
        if outcome.changed:
            return Problem("changed")
        return None if outcome.error == case.raises else Problem("raised")
    if case.raises:
        return Problem("did_not_raise")
    difference = compare(outcome.value, expected)
    if difference and case.within and _is_within(outcome.value, case.within):
        difference = None
    if difference and difference.kind != "value":
        return difference
    if outcome.changed:
        return Problem("changed")
    return difference or (Problem("overwrote") if outcome.overwrote else None)


def as_number(value: Any) -> float | None:
    """Return a result as a number, None if it is none."""
    difference = compare(value, 0.0)
    return None if difference and difference.kind != "value" else float(value)


def _is_within(value: Any, within: tuple[float, float]) -> bool:
    number = as_number(value)
    return number is not None and within[0] <= number <= within[1]
