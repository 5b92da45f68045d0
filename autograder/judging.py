"""Another address of `autograder.exercises.judging`, by which scripts beside this project ask it."""

from autograder.exercises.judging import full_key, judge

__all__ = ["full_key", "judge"]
