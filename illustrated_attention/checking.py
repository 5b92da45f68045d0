"""`check`, `hint`, `case` and `answer`: what a learner calls.

What each of them needs is imported when it is called: the first cell of a lesson, which imports
this module, does not wait for it.
"""

import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from illustrated_attention.contents import exercise_names
from illustrated_attention.language import _, listed
from illustrated_attention.notebook_state import doubt, ipython
from illustrated_attention.progress import remember

if TYPE_CHECKING:
    from illustrated_attention.answer_keys import AnswerKey
    from illustrated_attention.cards import Card


class CheckFailed(AssertionError):
    """Raised by `check` when the function is not right yet.

    Attributes
    ----------
    exercise : str
        The exercise's name.
    mistake : str or None
        The id of the mistake or of the general cause that was told, if one was.
    """

    def __init__(self, exercise: str, mistake: str | None, text: str):
        super().__init__(text)
        self.exercise, self.mistake = exercise, mistake

    def _render_traceback_(self) -> list[str]:
        # A notebook shows the card; a traceback through our own files would only hide it.
        return [_("{name} is not right yet: see the card above.").format(name=self.exercise)]


class NotChecked(CheckFailed):
    """Raised by `check` when the function is not the one that stands in the notebook."""

    def _render_traceback_(self) -> list[str]:
        return [_("{name} was not checked: see the card above.").format(name=self.exercise)]


def check(function: Callable, exercise: str | None = None) -> None:
    """Try a function on the visible cases of its exercise and show a card.

    Parameters
    ----------
    function : callable
        Your function.
    exercise : str, optional
        The exercise's name, if the function has another one.

    Raises
    ------
    CheckFailed
        If the function is not right yet.
    NotChecked
        If it is not the one that stands in the notebook.
    ValueError
        If there is no such exercise.
    TypeError
        If `function` cannot be called.
    """
    from illustrated_attention.cards import Card, paragraph, verdict_card
    from illustrated_attention.examine import examine

    if not callable(function):
        raise TypeError(
            _("check() needs your function itself: write check(softmax), not check(softmax(x)).")
        )
    key = _key_for(function, exercise, sys._getframe(1).f_globals)
    if reason := doubt(key.exercise, function):
        card = Card(
            _("✗ {name}: not checked").format(name=key.exercise), False, [paragraph(reason)]
        )
        _show(card)
        raise NotChecked(key.exercise, None, str(card))
    verdict = examine(function, key)
    card = verdict_card(verdict, key.can)
    if ipython() is not None:
        remember(key.exercise, verdict.passed)
        _show(card)
    elif verdict.passed:
        print(card)
    if not verdict.passed:
        raise CheckFailed(key.exercise, verdict.mistake, str(card))


_hints_given: dict[str, int] = {}


def hint(function: Callable | str) -> None:
    """Show the next hint for an exercise: there are three, each says more.

    Parameters
    ----------
    function : callable or str
        Your function, or the exercise's name.
    """
    from illustrated_attention.cards import Card, paragraph

    name = function if isinstance(function, str) else None
    key = _key_for(function, name, sys._getframe(1).f_globals)
    given = _hints_given.get(key.exercise, 0)
    number = min(given, len(key.hints) - 1)
    _hints_given[key.exercise] = given + 1
    title = _("Hint {number} of {all} for {name}")
    parts = [paragraph(_(key.hints[number]))]
    if given >= len(key.hints):
        text = _("This was the last hint. Try the smallest case by hand, on paper if need be.")
        parts.append(paragraph(text))
    _show(Card(title.format(number=number + 1, all=len(key.hints), name=key.exercise), None, parts))


def case(exercise: str, number: int) -> object:
    """Return the input of a case, to try it by hand; the card of `check` names its number.

    Parameters
    ----------
    exercise : str
        The exercise's name, such as "softmax".
    number : int
        Which case, counted from 1.

    Returns
    -------
    tuple
        Copies of the arguments; a single argument comes by itself.

    Raises
    ------
    ValueError
        If there is no such exercise or no such case.
    """
    from illustrated_attention.outcomes import copy_data

    key = _key_for(None, exercise, {})
    if type(number) is not int or not 1 <= number <= len(key.cases):
        text = _("{name} has the cases 1 to {count}.")
        raise ValueError(text.format(name=exercise, count=len(key.cases)))
    args = copy_data(key.cases[number - 1].args)
    return args if len(args) > 1 else args[0]


def answer(question: str, *reply: str | float) -> None:
    """Check your answer to a question of the lesson. Nothing is graded.

    Parameters
    ----------
    question : str
        The question's id, as printed beside it.
    reply : str or number
        A letter such as "b", or a number: 2362368, "2,362,368", "0,33", "about 8 %" and "1/3" will
        all do.
    """
    from illustrated_attention.questions import reply_card

    _show(reply_card(question, reply))


def _key_for(function, exercise: str | None, namespace: Mapping) -> "AnswerKey":
    from illustrated_attention.answer_keys import find_key

    name = exercise or _exercise_of(function, namespace)
    key = find_key(name) if name else None
    if key is None:
        known = listed(exercise_names())
        text = _("There is no exercise named {name!r}. The exercises are: {known}.")
        raise ValueError(text.format(name=name, known=known))
    return key


def _exercise_of(function, namespace: Mapping) -> str | None:
    """Find the exercise by the function's name, or by the name under which the caller has it.

    A function made with lambda, functools.partial or np.vectorize does not know its name.
    """
    own_name = getattr(function, "__name__", None)
    bound = [name for name in exercise_names() if namespace.get(name) is function]
    return bound[0] if bound and own_name not in bound else own_name


def _show(card: "Card") -> None:
    if ipython() is not None:
        from IPython.display import display

        display(card)
    else:
        print(card)
