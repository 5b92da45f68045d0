"""Our steps in nbgrader: taking hand-ins in, grading, feedback; all safe from strangers' files."""
