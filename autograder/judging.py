"""Another address of `exercises.judging`, by which scripts beside this project ask the judge."""

from autograder.exercises.judging import judge
from autograder.exercises.making_keys import full_key

__all__ = ["full_key", "judge"]
