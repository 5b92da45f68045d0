"""Illustrated Attention: what the course's notebooks import.

``check(f)`` tries your function, ``hint(f)`` helps you on, ``answer(id, letter)`` checks your
answer to a question.
"""

from illustrated_attention.checking import CheckFailed, answer, check, hint
from illustrated_attention.notebook_state import watch
from illustrated_attention.undefined import explain_undefined_functions

__all__ = ["CheckFailed", "answer", "check", "hint"]

explain_undefined_functions()
watch()
