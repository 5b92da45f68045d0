"""`recover_divisor`, lesson 02. Find out by which number the article's scores were divided."""

from dataclasses import replace

import numpy as np

from autograder.exercises.kit import (
    Case,
    Exercise,
)
from autograder.exercises.masked_softmax import ARTICLE_SCORES
from autograder.exercises.pieces import softmax, softmax_of_visible, triangle

ARTICLE_TABLE = np.array(
    [[1, 0, 0, 0], [0.48, 0.52, 0, 0], [0.31, 0.35, 0.34, 0], [0.25, 0.26, 0.23, 0.26]]
)


def _tables(scores, divisors):
    """The causal weights for each divisor: [number of divisors, n, n]."""
    return softmax_of_visible(scores / np.asarray(divisors)[:, None, None], triangle(len(scores)))


def _fitting(scores, table, divisors):
    """The divisors that give this table. The last row has most numbers: few divisors are left."""
    for row in reversed(range(len(scores))):
        rounded = np.round(softmax(scores[row, : row + 1] / divisors[:, None]), 2)
        divisors = divisors[(np.abs(rounded - table[row, : row + 1]) <= 1e-9).all(axis=1)]
    return divisors


def fitting_interval(scores, table):
    """Return the smallest and the largest divisor that gives this table, and a hair more.

    A search on a grid may stop just before the true end: the grid's neighbours are returned.
    """
    grid = np.geomspace(0.5, 40, 20_001)
    fitting = _fitting(scores, table, grid)
    step = grid[1] / grid[0]
    return float(fitting[0] / step), float(fitting[-1] * step)


def _divided(title, scores, divisor):
    """A case made from a known divisor: any that gives the same table is right."""
    table = np.round(_tables(scores, [divisor])[0], 2)
    return Case(title, (scores, table), within=fitting_interval(scores, table))


def _wide(n, seed, size):
    """Scores that are not scaled yet: the more numbers in a query, the larger they are."""
    return np.round(np.random.default_rng(seed).uniform(-2, 2, (n, n)) * size, 1)


RECOVER_DIVISOR = Exercise(
    name="recover_divisor",
    lesson="02_masked_attention",
    can="You can now find out from a printed table what its author left out.",
    visible=(
        Case(
            "the article's scores and table",
            (ARTICLE_SCORES, ARTICLE_TABLE),
            within=fitting_interval(ARTICLE_SCORES, ARTICLE_TABLE),
        ),
        _divided("three tokens", _wide(3, 351, 1.5), 6**0.5),
        _divided("large scores", _wide(5, 340, 6), 128**0.5),
        _divided("scores that were not divided at all", _wide(4, 379, 1), 1.0),
        replace(_divided("the root of no whole number", _wide(3, 300, 1), 2.55), late=True),
    ),
    hidden=(
        _divided("queries of 64 numbers", _wide(5, 306, 4), 8.0),
        _divided("queries of 3 numbers", _wide(6, 314, 1), 3**0.5),
        _divided("three tokens", _wide(3, 312, 2), 12**0.5),
        _divided("very large scores", _wide(4, 300, 8), 16.0),
        replace(_divided("the root of no whole number", _wide(3, 306, 1), 2.55), late=True),
        replace(_divided("a divisor near 20", _wide(5, 418, 8), 19.5), late=True),
    ),
    promises=(),
    hints=(
        "You can test whether a divisor is right: divide, mask, softmax, round, compare. So try "
        "many.",
        "Go through the numbers from 1 to 20 in steps of 0.01 (`np.arange`). For each, "
        "`np.round(masked_softmax(...), 2)` must equal the table in every cell "
        "(`np.array_equal`). The mask is your causal_mask.",
        "In the loop: `weights = masked_softmax(scores / divisor, causal_mask(len(scores)))`; if "
        "`np.array_equal(np.round(weights, 2), table)`, return `float(divisor)`.",
    ),
)


# --- known mistakes ------------------------------------------------------------------------------

RECOVER_DIVISOR.mistake(
    "always_4",
    "You always return 4. It fits the article's numbers, but other scores and tables have "
    "other divisors: search for one.",
    lambda scores, table: 4.0,
)

RECOVER_DIVISOR.mistake(
    "always_8",
    "You always return 8, the divisor of GPT-2. These tables were made with others: "
    "search for one that fits.",
    lambda scores, table: 8.0,
)

_STEPS = np.arange(1, 20, 0.01)


def _middle(scores, table):
    return float(_fitting(scores, table, _STEPS).mean())


def _then(change):
    """The mistakes of those who find a right divisor and then return something else."""

    def of(choose):
        finer = np.arange(0.5, 25, 0.002)
        return lambda scores, table: float(change(choose(_fitting(scores, table, finer))))

    return map(of, (np.mean, np.min, np.max))


RECOVER_DIVISOR.mistake(
    "a_factor",
    "You return a factor, such as 1/4: right to multiply with. Asked is the number to "
    "divide the scores by.",
    *_then(lambda divisor: 1 / divisor),
)

RECOVER_DIVISOR.mistake(
    "d_returned",
    "You return d, the square of the divisor. Asked is what the scores are divided by: "
    "the root of d.",
    *_then(lambda divisor: divisor**2),
)

RECOVER_DIVISOR.mistake(
    "root_returned",
    "You return the root of the divisor. The number that was searched for is the divisor "
    "itself: take no root of it.",
    *_then(lambda divisor: divisor**0.5),
)

RECOVER_DIVISOR.mistake(
    "number_of_tokens",
    "You return the number of tokens, or its root. For the article's 4 tokens that "
    "happens to fit. The divisor belongs to the size of a query, which is not shown here: "
    "search for it.",
    lambda scores, table: float(len(scores)),
    lambda scores, table: float(len(scores)) ** 0.5,
)

RECOVER_DIVISOR.mistake(
    "multiplied",
    "You multiply the scores. Asked is what they have to be divided by.",
    lambda scores, table: 1.0 if len(_fitting(scores, table, np.array([1.0]))) else None,
)

RECOVER_DIVISOR.mistake(
    "place_returned",
    "You return the place of a divisor among those that you tried. Return the divisor itself.",
    lambda scores, table: round(100 * _fitting(scores, table, _STEPS)[0]) - 100,
    lambda scores, table: round(100 * _fitting(scores, table, _STEPS)[-1]) - 100,
)

RECOVER_DIVISOR.mistake(
    "nothing_found",
    "Your search finds nothing and returns None. Does it divide the scores, hide the "
    "future, round to 2 decimals, and only then compare with the table?",
    lambda scores, table: None,
)

RECOVER_DIVISOR.mistake(
    "first_candidate",
    "You return the first number that you try, whatever the table. Does your comparison "
    "look at all cells? `np.array_equal` does.",
    lambda scores, table: 1.0,
    lambda scores, table: 0.5,
    lambda scores, table: 0.1,
    lambda scores, table: 0.01,
)


def _nearest_of(divisors, error=lambda e: e.max(axis=(1, 2)), tables=_tables):
    """Return the one of these divisors whose table is nearest by this error."""

    def recover_divisor(scores, table):
        divisors_ = np.asarray(divisors, dtype=float)
        return float(divisors_[error(np.abs(tables(scores, divisors_) - table)).argmin()])

    return recover_divisor


def _tables_without_mask(scores, divisors):
    return softmax(scores / np.asarray(divisors)[:, None, None])


RECOVER_DIVISOR.mistake(
    "not_masked",
    "You compare with weights that are not masked. In the table the future has the "
    "weight 0, so no divisor can fit. Use your masked_softmax.",
    _nearest_of(_STEPS, tables=_tables_without_mask),
    _nearest_of(np.arange(0.5, 30, 0.01), tables=_tables_without_mask),
)


def _within(most):
    """Return the first divisor with which no cell differs by more than this."""

    def recover_divisor(scores, table):
        errors = np.abs(_tables(scores, _STEPS) - table).max(axis=(1, 2))
        return float(_STEPS[errors <= most][0])

    return recover_divisor


RECOVER_DIVISOR.mistake(
    "too_lax",
    "Your divisor nearly fits, but some cells differ. Round the weights to 2 decimals, as in the "
    "table; then all cells must be equal.",
    *map(_within, (0.01, 0.02, 0.05, 0.1)),
)


def _first_of(divisors):
    """Return the first of these divisors that fits, None if there is none."""

    def recover_divisor(scores, table):
        fitting = _fitting(scores, table, np.asarray(divisors, dtype=float))
        return float(fitting[0]) if len(fitting) else None

    return recover_divisor


RECOVER_DIVISOR.mistake(
    "steps_too_coarse",
    "You try only a few numbers, such as whole ones, or the roots of usual sizes. Other "
    "sizes are possible: take everything from 1 to 20 in steps of 0.01.",
    _first_of(range(1, 21)),
    _nearest_of(range(1, 21)),
    _first_of(np.arange(1, 20, 0.5)),
    _nearest_of(np.arange(1, 20, 0.5)),
    _first_of(np.sqrt([1, 2, 4, 8, 16, 32, 64, 256])),
    _nearest_of(np.sqrt([1, 2, 4, 8, 16, 32, 64, 256])),
)

RECOVER_DIVISOR.mistake(
    "search_stops_early",
    "Your search stops before it reaches the divisor. Look from 1 to 20.",
    _first_of(np.arange(1, 10, 0.01)),
    _nearest_of(np.arange(1, 10, 0.01)),
    _nearest_of(np.arange(1, 5, 0.01)),
    _nearest_of(np.arange(1, 8, 0.01)),
    _first_of(np.arange(1, 5, 0.01)),
)

RECOVER_DIVISOR.mistake(
    "search_starts_late",
    "Your search starts above 1. Scores that were not divided at all have the divisor 1.",
    _first_of(np.arange(2, 20, 0.01)),
    _nearest_of(np.arange(2, 20, 0.01)),
    _first_of(np.arange(1.1, 20, 0.01)),
)


@RECOVER_DIVISOR.mistake(
    "from_one_cell",
    "You compute the divisor from one pair of weights. These are rounded, so the result "
    "is only near. All cells of the table together tell it better.",
)
def _from_one_cell(scores, table):
    return (scores[1, 1] - scores[1, 0]) / np.log(table[1, 1] / table[1, 0])


RECOVER_DIVISOR.mistake(
    "all_that_fit",
    "You return all divisors that fit. One of them is enough.",
    lambda scores, table: _fitting(scores, table, _STEPS),
    lambda scores, table: list(map(float, _fitting(scores, table, _STEPS))),
    lambda scores, table: tuple(map(float, _fitting(scores, table, _STEPS)[[0, -1]])),
)

RECOVER_DIVISOR.mistake(
    "weights_returned",
    "You return a table of weights. Return the divisor that gives it, one number.",
    lambda scores, table: _tables(scores, [_middle(scores, table)])[0],
    lambda scores, table: table.copy(),
    lambda scores, table: _tables(scores, [1.0])[0],
)

# --- unusual, and right --------------------------------------------------------------------------

RECOVER_DIVISOR.also_right("the middle of all that fit", _middle)

RECOVER_DIVISOR.also_right("the first that fits", _first_of(_STEPS))

RECOVER_DIVISOR.also_right("the last that fits", _first_of(_STEPS[::-1]))

RECOVER_DIVISOR.also_right("finer steps from 0.5 on", _first_of(np.arange(0.5, 25, 0.001)))

RECOVER_DIVISOR.also_right("smallest largest error", _nearest_of(_STEPS))


def _rounded_tables(scores, divisors):
    return np.round(_tables(scores, divisors), 2)


def _mean_error(errors):
    return errors.mean(axis=(1, 2))


RECOVER_DIVISOR.also_right("smallest mean error", _nearest_of(_STEPS, _mean_error, _rounded_tables))


def _squared_error(errors):
    return (errors**2).sum(axis=(1, 2))


RECOVER_DIVISOR.also_right("least squares", _nearest_of(_STEPS, _squared_error, _rounded_tables))


@RECOVER_DIVISOR.also_right("search by thirds")
def _by_halving(scores, table):
    low, high = 1.0, 20.0
    for _ in range(60):
        thirds = np.array([low + (high - low) / 3, high - (high - low) / 3])
        near, far = np.abs(_tables(scores, thirds) - table).max(axis=(1, 2))
        low, high = (low, thirds[1]) if near < far else (thirds[0], high)
    return low


RECOVER_DIVISOR.also_right(
    "NumPy's float", lambda scores, table: np.float32(_middle(scores, table))
)
