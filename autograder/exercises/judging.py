"""`judge`: is this function right? On the visible cases and on those that students never see."""

from collections.abc import Callable
from dataclasses import replace

from autograder.exercises.making_keys import full_key
from illustrated_attention.examine import Verdict, examine
from illustrated_attention.language import _


def judge(function: Callable, exercise: str | None = None) -> Verdict:
    """Examine a function on the visible and the hidden cases of its exercise.

    Parameters
    ----------
    function : callable
        A student's function, or a stand-in for it that passes plain data on.
    exercise : str, optional
        The exercise's name, if the function has another one.

    Returns
    -------
    Verdict
        `passed`, `mistake` (an id or None) and `message`, which holds no hidden value.
    """
    name = exercise or function.__name__
    verdict = examine(function, full_key(name))
    if verdict.failure is None or verdict.mistake:
        return verdict
    where = _("On a case of the kind «{title}»: {message}")
    message = where.format(title=_(verdict.failure.title), message=verdict.message)
    return replace(verdict, message=message)
