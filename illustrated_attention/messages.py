"""Say in words what is wrong with a result, and show the smallest case where it is wrong."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from illustrated_attention.answer_keys import AnswerKey, Signature
from illustrated_attention.comparing import Problem
from illustrated_attention.language import _, labelled, together
from illustrated_attention.outcomes import Case, parameter_name


@dataclass(frozen=True)
class Failure:
    """The case to show: what was wrong with it in words, and the numbers for the card."""

    title: str
    kind: str
    sentence: str  # without any value of an input or result
    detail: str = ""  # with values: for visible cases only
    case: Case | None = None
    number: int = 0  # of the case, counted from 1
    parameters: tuple[str, ...] = ()  # the names of the case's arguments
    difference: Problem | None = None
    returned: object = None  # the whole result, and what was expected
    expected: object = None


def describe(function: Callable, key: AnswerKey, signature: Signature, problems: list) -> Failure:
    """Describe the smallest case that came out wrong, or the first property that does not hold."""
    wrong = [i for i, problem in enumerate(problems) if problem]
    if not wrong:
        prop = key.properties[signature.held.index(False)]
        sentence = _("Every number was right, but a property does not hold: {title}.")
        return Failure(prop.title, "property", sentence.format(title=_(prop.title)))
    # Input to refuse comes last: most learners write that part last.
    i = min(wrong, key=lambda i: (key.cases[i].raises is not None, key.cases[i].size()))
    case, problem, outcome = key.cases[i], problems[i], signature.outcomes[i]
    parameters = tuple(parameter_name(function, n, key.parameters) for n in range(len(case.args)))
    sentence, detail = _DESCRIBE[problem.kind](
        name=key.exercise,
        parameters=parameters,
        case=case,
        outcome=outcome,
        problem=problem,
        whole=key.expected[i],
    )
    difference = problem if problem.in_result else None
    shown = (case, i + 1, parameters, difference, outcome.value, key.expected[i])
    return Failure(case.title, problem.kind, sentence, detail, *shown)


def _unwritten(name, **rest):
    text = _(
        "{name} is not written yet. Replace `raise NotImplementedError()` with your own lines, "
        "run that cell, then run this one again."
    )
    return text.format(name=name), ""


def _timeout(name, **rest):
    text = _(
        "{name} was still running after a few seconds and was stopped. Is there a loop that "
        "never ends?"
    )
    return text.format(name=name), ""


def _raised(name, case, outcome, **rest):
    if outcome.error == "SystemExit":
        return _("{name} tried to end the program. Remove exit() or quit().").format(name=name), ""
    if outcome.error == "RecursionError":
        text = _("{name} calls itself without end, or returns a list that holds itself.")
        return text.format(name=name), ""
    sentence = _("{name} stopped with {error}.").format(name=name, error=outcome.error)
    if outcome.error == "TypeError" and "ufunc 'invert'" in outcome.message:
        text = _(
            "`~` turns True and False around, but it was given floats: does your mask hold 0.0 and "
            "1.0? Let the function that makes it return True and False."
        )
        sentence = together(sentence, text)
    if case.raises:
        text = _("{name} should refuse this input with {wanted}, but stopped with {error}.")
        sentence = text.format(name=name, wanted=case.raises, error=outcome.error)
    detail = labelled(outcome.error, outcome.message)
    if outcome.inside:
        text = _("in your line: {calling}\nwhich leads to {inside}, and stops there: {line}")
        detail += "\n" + text.format(
            calling=outcome.calling, inside=outcome.inside, line=outcome.line
        )
    elif outcome.line:
        detail += "\n" + _("in your line: {line}").format(line=outcome.line)
    return sentence, detail


def _did_not_raise(name, case, outcome, **rest):
    if isinstance(outcome.value, BaseException):
        text = _("{name} returns an error where it should raise one: write `raise`, not `return`.")
        return text.format(name=name), ""
    text = _("{name} accepted input that it should refuse. It should raise {error} here.")
    return text.format(name=name, error=case.raises), ""


def _changed(name, parameters, case, outcome, **rest):
    given = case.args[outcome.changed[0]]
    if isinstance(given, np.ndarray):
        text = _(
            "{name} changed its argument {argument}. Work on a new array: `x -= 1`, `x[...] = 0` "
            "and `out=x` write into the caller's; `x = x - 1` and np.where make a new one."
        )
    else:
        text = _(
            "{name} changed its argument {argument}, or what is in it. Whoever called it still "
            "needs that: work on a copy."
        )
    return text.format(name=name, argument=parameters[outcome.changed[0]]), ""


def _overwrote(name, **rest):
    text = _(
        "{name} is right in itself, but each call changes what an earlier call returned: both got "
        "the same array. Whoever kept the first result now holds the second one. Make a new array "
        "in each call."
    )
    return text.format(name=name), ""


def _none(name, problem, whole, **rest):
    if problem.part:
        return _("One of the values that {name} returns is None.").format(name=name), ""
    return _(
        "{name} returned None. Does every way through it end with `return` and a value?"
    ).format(name=name), ""


def _type(name, problem, whole, **rest):
    name, got, expected = _part(name, problem, whole), problem.got, problem.expected
    if isinstance(got, np.ndarray) and isinstance(expected, tuple):
        text = _("{name} returned one array; expected several values, separated by commas.")
        detail = _("number of values: yours 1, an array of shape {got}, expected {wanted}")
        return text.format(name=name), detail.format(got=got.shape, wanted=len(expected))
    text = _("{name} returned {got}; expected {wanted}.")
    sentence = text.format(name=name, got=_kind_of(got), wanted=_kind_of(expected))
    if isinstance(expected, np.ndarray) and _array_would_do(got, expected):
        sentence = together(sentence, _("`np.array(...)` makes an array of it."))
    return sentence, ""


def _array_would_do(got, expected: np.ndarray) -> bool:
    """True for a list of numbers or of rows where an array is expected."""
    if not isinstance(got, (list, tuple)) or not expected.ndim:
        return False
    try:
        array = np.array(got)
    except Exception:  # rows of different lengths, or objects that refuse
        return False
    # A tuple of another shape is rather several values, such as `out, weights`.
    return array.dtype.kind in "biuf" and (type(got) is list or array.shape == expected.shape)


def _length(name, problem, whole, **rest):
    text = _("{name} returned the wrong number of values.")
    detail = _("number of values: yours {got}, expected {wanted}")
    if isinstance(problem.expected, list):
        text = _("{name}: a list of another length than expected.")
        detail = _("length of the list: yours {got}, expected {wanted}")
    try:
        got = len(problem.got)
    except TypeError:
        got = 0
    detail = detail.format(got=got, wanted=len(problem.expected))
    return text.format(name=_part(name, problem, whole)), detail


def _shape(name, problem, whole, **rest):
    text = _("{name} has the wrong shape.")
    detail = _("yours {got}, expected {wanted}").format(
        got=problem.got.shape, wanted=problem.expected.shape
    )
    name = _part(_("The result of {name}").format(name=name), problem, whole)
    return text.format(name=name), detail


def _not_finite(name, problem, whole, **rest):
    text = _("{name} holds {value} where a plain number belongs.")
    value = _strange(problem.got[problem.where])
    name = _part(_("The result of {name}").format(name=name), problem, whole)
    return text.format(name=name, value=value), _cell(problem)


def _strange(number) -> str:
    """One of three words: a number of more digits than a float holds is infinite to us."""
    number = float(number)
    return "nan" if math.isnan(number) else "inf" if number > 0 else "-inf"


def _value(name, problem, case, whole, **rest):
    text = _("{name} has the right shape, but not the right numbers.")
    if np.ndim(problem.got) == 0:
        text = _("{name} is not the right value.")
    name = _part(_("The result of {name}").format(name=name), problem, whole)
    if case.within:
        low, high = case.within
        detail = _("yours {got:.4g}; any number from {low:.4g} to {high:.4g} is right")
        return text.format(name=name), detail.format(got=float(problem.got), low=low, high=high)
    return text.format(name=name), _cell(problem)


def _cell(problem: Problem) -> str:
    if not isinstance(problem.got, np.ndarray):
        return _("yours {got}, expected {wanted}").format(
            got=repr(problem.got)[:200], wanted=repr(problem.expected)
        )
    if problem.expected.ndim == 0 and problem.expected.dtype == bool:
        got = bool(problem.got) if problem.got.dtype == bool else f"{float(problem.got):.6g}"
        return _("yours {got}, expected {wanted}").format(got=got, wanted=bool(problem.expected))
    if problem.got.ndim == 0:
        return _("yours {got:.6g}, expected {wanted:.6g}").format(
            got=float(problem.got), wanted=float(problem.expected)
        )
    text = _(
        "Wrong cells: {wrong} of {all}. The first is at index {where}: yours {got}, expected "
        "{wanted}."
    )
    if problem.kind == "not_finite":  # a wrong number may stand before it
        text = _(
            "Wrong cells: {wrong} of {all}. The first {got} is at index {where}, expected {wanted}."
        )
    got, wanted = problem.got[problem.where], problem.expected[problem.where]
    truth = problem.expected.dtype == bool
    return text.format(
        where=list(problem.where),
        got=str(bool(got)) if truth and got in (0, 1) else f"{float(got):.6g}",
        wanted=str(bool(wanted)) if truth else f"{float(wanted):.6g}",
        wrong=problem.wrong,
        all=problem.got.size,
    )


def _part(name: str, problem: Problem, whole) -> str:
    """Name the value that is meant, when several are returned, or a list."""
    if not problem.part:
        return name
    text = _("{name} (returned value {number})")
    if isinstance(whole, list):
        text = _("{name} (number {number} in the list)")
    return text.format(name=name, number=problem.part[0] + 1)


def _kind_of(value) -> str:
    if isinstance(value, np.ndarray):
        return _("an array of {dtype}").format(dtype=value.dtype) if value.ndim else _("a number")
    words = {
        list: _("a list"),
        tuple: _("a tuple"),
        str: _("a string"),
        dict: _("a dictionary"),
        bool: _("True or False"),
        int: _("a whole number"),
        float: _("a number"),
    }
    return words.get(type(value), _("an object of type {type}").format(type=type(value).__name__))


_DESCRIBE: dict[str, Callable[..., tuple[str, str]]] = {
    "unwritten": _unwritten,
    "timeout": _timeout,
    "raised": _raised,
    "did_not_raise": _did_not_raise,
    "changed": _changed,
    "overwrote": _overwrote,
    "none": _none,
    "type": _type,
    "length": _length,
    "shape": _shape,
    "not_finite": _not_finite,
    "value": _value,
}
