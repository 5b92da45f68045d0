"""Illustrated Attention: what the course's notebooks import.

``check(f)`` tries your function, ``hint(f)`` helps you on, ``answer(id, letter)`` checks your
answer to a question, ``case(name, number)`` gives you the input of a case to try by hand.
"""

from illustrated_attention.checking import CheckFailed, answer, case, check, hint
from illustrated_attention.notebook_state import watch
from illustrated_attention.undefined import explain_undefined_functions

__all__ = ["CheckFailed", "answer", "case", "check", "hint"]

explain_undefined_functions()
watch()
