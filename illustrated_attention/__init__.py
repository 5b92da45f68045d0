"""Illustrated Attention: what the course's notebooks import.

``check(f)`` tries your function, ``hint(f)`` helps you on, ``answer(id, letter)`` checks your
answer to a question, ``case(name, number)`` gives you the input of a case to try by hand,
``bring_along()`` uses your functions of earlier lessons, ``progress()`` shows what you have built.
"""

from illustrated_attention.brought_along import bring_along
from illustrated_attention.checking import CheckFailed, answer, case, check, hint
from illustrated_attention.notebook_state import watch
from illustrated_attention.progress import progress
from illustrated_attention.undefined import explain_undefined_functions

__all__ = ["CheckFailed", "answer", "bring_along", "case", "check", "hint", "progress"]

explain_undefined_functions()
watch()
