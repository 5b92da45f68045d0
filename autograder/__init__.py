"""The instructor's side of Illustrated Attention: exercises, judge, build and grader.

Nothing of this package is installed with the student's wheel.
"""

__all__ = ["judge"]


def __getattr__(name: str):
    # Looked up late: a confined process that runs student code imports modules of this package,
    # and must never have the exercises with their hidden cases in its memory.
    if name == "judge":
        from autograder.exercises.judging import judge

        return judge
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
