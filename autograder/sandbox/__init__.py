"""Runs a notebook of a stranger's beside tests of ours: the way in is `grader.Grader`.

It knows neither this course (but for `inside.hook`) nor nbgrader.
"""
