"""Another address of `answer_keys`, by which scripts beside this project ask for a key."""

from illustrated_attention.answer_keys import find_key

__all__ = ["find_key"]
