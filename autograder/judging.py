"""Another address of `exercises.judging`, by which scripts beside this project ask the judge."""

from autograder.exercises.judging import full_key, judge

__all__ = ["full_key", "judge"]
