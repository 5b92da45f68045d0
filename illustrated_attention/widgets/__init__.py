"""Interactive pictures: the explorer of most lessons, and lesson 03's slider over the cache.

Where no kernel runs, each shows a static picture of the same numbers.
"""
