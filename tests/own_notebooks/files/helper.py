"""What the course gives to students beside a notebook."""

COLOURS = ["red", "green", "blue"]


def mix(one, other):
    return "-".join(sorted([one, other]))


def close(a, b):
    return abs(a - b) < 1e-9
