"""Is this notebook being graded? Then no file of a learner is read and none is written."""

import os

in_sandbox = False  # set by the sandbox, before a student's code runs


def being_graded() -> bool:
    """Return True in the sandbox, and where nbgrader itself runs a notebook."""
    return in_sandbox or "NBGRADER_EXECUTION" in os.environ
