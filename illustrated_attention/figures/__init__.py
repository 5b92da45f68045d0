"""Figures of the lessons: arrays in (the learner's own results), a figure with alt text out.

One module a lesson; `page`, `palette`, `cells`, `words`, `needs` and `equations` hold what all of
them share.
"""
