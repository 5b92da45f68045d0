"""Figures of the lessons: arrays in (the learner's own results), a figure with alt text out.

One module a lesson; `style` holds what all of them share.
"""
