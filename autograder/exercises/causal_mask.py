"""`causal_mask`, lesson 02. Which tokens a token may look at."""

import numpy as np

from autograder.exercises.kit import (
    FAR,
    LONG,
    Case,
    Exercise,
    Promise,
    late,
)
from autograder.exercises.pieces import triangle
from autograder.exercises.steps import Steps, Wrong
from autograder.exercises.ways import MASKS, RIGHT_MASK, same
from illustrated_attention.language import later as _

CAUSAL_MASK = Exercise(
    name="causal_mask",
    lesson="02_masked_attention",
    can="You can now say who may look at whom.",
    visible=(Case("four tokens", (4,)), Case("three tokens", (3,)), Case("one token", (1,))),
    hidden=(
        Case("more tokens", (7,)),
        Case("two tokens", (2,)),
        Case("one token", (1,)),
        Case("many tokens", (40,)),
        late("more tokens than GPT-2 takes", (FAR,)),
    ),
    promises=(
        Promise(
            "of many tokens the last sees all, and the first only itself",
            "the_last_of_many_sees_all",
            (5, LONG),
            (6, LONG + 6),
        ),
    ),
    hints=(
        "Row i is the token at position i, which looks. Column j is the token that is looked at. "
        "For which j is the answer yes?",
        "Row i is True in the columns 0 to i. You can fill the rows in a loop, compare row "
        "numbers with column numbers, or look for a NumPy function that makes triangles.",
        "`np.tri(n)` has ones on and below the diagonal. With `dtype=bool` these are True and the "
        "rest is False.",
    ),
)


# --- known mistakes ------------------------------------------------------------------------------

CAUSAL_MASK.mistake(
    "inverted",
    "Your mask says the opposite: it is True where a token may NOT look. In this course "
    "True means 'may look'. What should the diagonal be?",
    lambda n: ~triangle(n),
    lambda n: (~triangle(n)).astype(int),
    lambda n: np.triu(np.ones((n, n)), 1),
)

CAUSAL_MASK.mistake(
    "upper_triangle",
    "Your first row is all True: the first token would see the whole future. Rows are "
    "the tokens that look, columns those that are looked at. Which triangle is the past?",
    lambda n: np.triu(np.ones((n, n), bool)),
    lambda n: np.triu(np.ones((n, n))),
)

CAUSAL_MASK.mistake(
    "diagonal_missing",
    "Your diagonal is False: no token sees itself, and the first one sees nothing at "
    "all. Softmax would give nan there. A token may look at its own key.",
    lambda n: np.tri(n, k=-1, dtype=bool),
    lambda n: np.tri(n, k=-1),
)

CAUSAL_MASK.mistake(
    "one_too_many",
    "Each of your tokens sees one token of the future: the next one, just what it should "
    "predict. Move the border back by one.",
    lambda n: np.tri(n, k=1, dtype=bool),
    lambda n: np.tri(n, k=1),
)

CAUSAL_MASK.mistake(
    "all_true",
    "Your mask hides nothing. A token may look at itself and back, not forward.",
    lambda n: np.ones((n, n), dtype=bool),
    lambda n: np.ones((n, n)),
)

CAUSAL_MASK.mistake(
    "all_false",
    "Your mask hides everything. Where is it set to True?",
    lambda n: np.zeros((n, n), dtype=bool),
    lambda n: np.zeros((n, n)),
)

CAUSAL_MASK.mistake(
    "only_the_diagonal",
    "Each of your tokens sees itself alone. It may see all the tokens before it, too.",
    lambda n: np.eye(n, dtype=bool),
    lambda n: np.eye(n),
)

CAUSAL_MASK.mistake(
    "only_the_last_two",
    "Each of your tokens sees itself and one token back. The whole past may be seen.",
    lambda n: np.tri(n, dtype=bool) & ~np.tri(n, k=-2, dtype=bool),
)

CAUSAL_MASK.mistake(
    "minus_infinity_in_the_mask",
    "You return numbers to add to the scores, 0 and a very negative one. That is another "
    "way to mask. Here return True where a token may look, else False.",
    lambda n: np.where(triangle(n), 0, -np.inf),
    lambda n: np.where(triangle(n), 0.0, -1e9),
    lambda n: np.where(triangle(n), 0.0, -1e10),
)

CAUSAL_MASK.mistake(
    "ones_and_minus_infinity",
    "You mark hidden places with minus infinity. A mask answers a yes-or-no question: "
    "may row i look at column j? Return True or False.",
    lambda n: np.where(triangle(n), 1, -np.inf),
    lambda n: np.where(triangle(n), 1.0, np.nan),
)

CAUSAL_MASK.mistake(
    "shared_out",
    "The rows of your mask sum to 1: these are weights. A mask only says where a token "
    "may look: True or False.",
    lambda n: triangle(n) / np.arange(1, n + 1)[:, None],
)

CAUSAL_MASK.mistake(
    "always_four",
    "Your mask is always 4 by 4. Read the size from `n`.",
    lambda n: triangle(4),
    lambda n: np.tri(4),
)

CAUSAL_MASK.mistake(
    "one_row",
    "You return one row. The mask is a table: a row for each token that looks, a column "
    "for each token that is looked at.",
    lambda n: np.ones(n, dtype=bool),
    lambda n: np.arange(n) <= np.arange(n),
)

CAUSAL_MASK.mistake(
    "anti_diagonal",
    "Your triangle leans the wrong way: it has a right angle in the wrong corner. Row 0 "
    "must be True at column 0 only.",
    lambda n: triangle(n)[::-1],
    lambda n: triangle(n)[:, ::-1],
)

CAUSAL_MASK.mistake(
    "lists_returned",
    "The values are right, but you return lists. Return a NumPy array: "
    "`np.array(...)` makes one of them.",
    lambda n: triangle(n).tolist(),
    lambda n: triangle(n).astype(int).tolist(),
)

CAUSAL_MASK.mistake(
    "indices_returned",
    "You return the positions of the triangle's cells. Return the table itself, with "
    "True in these cells.",
    lambda n: np.tril_indices(n),
)

CAUSAL_MASK.mistake(
    "numbers_of_columns",
    "Your table holds other numbers than 0 and 1. Compare rows with columns: the answer "
    "of a comparison is True or False.",
    lambda n: np.tril(np.arange(n * n).reshape(n, n)),
    lambda n: np.arange(n)[:, None] - np.arange(n),
)

# --- unusual, and right --------------------------------------------------------------------------

CAUSAL_MASK.also_right("np.tri", triangle)

CAUSAL_MASK.also_right("np.tril of ones", lambda n: np.tril(np.ones((n, n), dtype=bool)))

CAUSAL_MASK.also_right("not np.triu", lambda n: ~np.triu(np.ones((n, n), dtype=bool), 1))

CAUSAL_MASK.also_right("not np.triu, equal to 0", lambda n: np.triu(np.ones((n, n)), k=1) == 0)

CAUSAL_MASK.also_right("a comparison", lambda n: np.arange(n)[:, None] >= np.arange(n))

CAUSAL_MASK.also_right("fromfunction", lambda n: np.fromfunction(lambda i, j: j <= i, (n, n)))

CAUSAL_MASK.also_right(
    "a comprehension", lambda n: np.array([[j <= i for j in range(n)] for i in range(n)])
)


@CAUSAL_MASK.also_right("rows filled in a loop")
def _mask_loops(n):
    mask = np.zeros((n, n), dtype=bool)
    for i in range(n):
        mask[i, : i + 1] = True
    return mask


@CAUSAL_MASK.also_right("hidden cells by index")
def _mask_without_indices(n):
    mask = np.ones((n, n), dtype=bool)
    mask[np.triu_indices(n, 1)] = False
    return mask


CAUSAL_MASK.also_right("the corner of a larger triangle", lambda n: triangle(n + 5)[5:, 5:])

CAUSAL_MASK.also_right("0 and 1 as int", lambda n: np.tri(n, dtype=int))

CAUSAL_MASK.also_right("0 and 1 as float", lambda n: np.tri(n))

CAUSAL_MASK.also_right("cumulative or", lambda n: np.logical_or.accumulate(np.eye(n, dtype=bool)))

# --- its steps, and how each of them goes wrong --------------------------------------------------


def _build(mask, out):
    return lambda n: out(mask(n))


CAUSAL_MASK.steps = Steps(
    _build,
    {"mask": lambda n: RIGHT_MASK(n), "out": same},
    {
        "mask": (
            *MASKS,
            Wrong("two_too_many", _("A token sees two tokens of the future."), lambda n: np.tri(n, n, 2, dtype=bool)),
            Wrong("only_itself", _("A token sees only itself."), lambda n: np.eye(n, dtype=bool)),
            Wrong("window_of_two", _("A token sees only itself and the one before."), lambda n: np.tri(n, dtype=bool) & ~np.tri(n, n, -2, dtype=bool)),
            Wrong("first_always", _("The first token is always seen, also where it should not be."), lambda n: np.tri(n, dtype=bool) | (np.arange(n) == 0)),
            Wrong("last_row_only", _("Only the last token sees all others."), lambda n: np.eye(n, dtype=bool) | (np.arange(n) == n - 1)[:, None]),
        ),
        "out": (
            Wrong("one_size_too_large", _("One row and one column too many: the size is n + 1."), lambda m: np.tri(len(m) + 1, dtype=bool)),
            Wrong("one_size_too_small", _("One row and one column are missing: the size is n - 1."), lambda m: m[:-1, :-1]),
            Wrong("minus_infinity", _("The mask holds 0 and minus infinity, to be added; True and False are asked for."), lambda m: np.where(m, 0.0, -np.inf)),
            Wrong("turned_round", _("The mask is turned round along the keys."), lambda m: m[:, ::-1]),
        ),
    },
)  # fmt: skip
