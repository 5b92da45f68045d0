"""Interactive pictures, one module a lesson: a slider that the arrow keys move, and its picture.

Where no kernel runs, each shows a static picture of the same numbers.
"""
