"""`projection_counts`, lesson 03. How often tokens are projected, with and without a cache."""

import numpy as np

from autograder.exercises.kit import (
    LONG,
    Case,
    Exercise,
    late,
)
from autograder.exercises.steps import Steps, Wrong
from autograder.exercises.ways import same
from illustrated_attention.language import later as _

PROJECTION_COUNTS = Exercise(
    name="projection_counts",
    lesson="03_kv_cache",
    can="You can now say what a cache saves.",
    visible=(
        Case("one token", (1,)),
        Case("two tokens", (2,)),
        Case("four tokens", (4,)),
        Case("nine tokens", (9,)),
        Case("fifty tokens", (50,)),
    ),
    hidden=(
        Case("another even number", (12,)),
        Case("another odd number", (25,)),
        Case("a longer text", (60,)),
        late("more than a small counter holds", (2 * LONG,)),
    ),
    promises=(),
    hints=(
        "Write down for 4 tokens how many are projected at step 1, 2, 3 and 4: once without a "
        "cache, once with one.",
        "Without a cache, step t projects all t tokens so far: 1 + 2 + ... + n in all. With a "
        "cache, every step projects one token.",
        "The sum 1 + 2 + ... + n is `n * (n + 1) // 2`; `sum(range(1, n + 1))` gives the same. "
        "The second number is n.",
    ),
)


# --- known mistakes ------------------------------------------------------------------------------


def _triangle(n):
    return n * (n + 1) // 2


PROJECTION_COUNTS.mistake(
    "exchanged",
    "The two counts have changed places. Without a cache there is more work: that number "
    "comes first.",
    lambda n: (n, _triangle(n)),
)

PROJECTION_COUNTS.mistake(
    "square",
    "You count n tokens at every step. At the first step there is only one token, at the "
    "second there are two. Add up what is there.",
    lambda n: (n * n, n),
)

PROJECTION_COUNTS.mistake(
    "one_step_short",
    "Without a cache your last step is missing: at step n all n tokens are projected. "
    "Does your sum include n?",
    lambda n: (n * (n - 1) // 2, n),
)

PROJECTION_COUNTS.mistake(
    "one_step_too_many",
    "You count one step too many: n tokens take n steps, with 1, 2, ... n tokens.",
    lambda n: (_triangle(n + 1), n),
    lambda n: (_triangle(n + 1), n + 1),
)

PROJECTION_COUNTS.mistake(
    "not_halved",
    "Your first count is twice as large as it should be. 1 + 2 + ... + n is half of n (n + 1).",
    lambda n: (n * (n + 1), n),
)

PROJECTION_COUNTS.mistake(
    "halved_too_early",
    "For odd numbers your first count is too small: you halve and round before you "
    "multiply. Halve at the end.",
    lambda n: (n // 2 * (n + 1), n),
)

PROJECTION_COUNTS.mistake(
    "halved_square",
    "You take half of n times n. Half of the square leaves out half of the diagonal: "
    "write down 1 + 2 + 3 for three tokens.",
    lambda n: (n * n / 2, n),
    lambda n: (n * n // 2, n),
)

PROJECTION_COUNTS.mistake(
    "brackets_missing",
    "Brackets are missing: multiplication and division come before addition. What has to "
    "be added up first?",
    lambda n: (n * n + 1 / 2, n),
    lambda n: (n * (n + 1 / 2), n),
)

PROJECTION_COUNTS.mistake(
    "one_with_cache",
    "With a cache you count one projection. That is one step; there are n of them.",
    lambda n: (_triangle(n), 1),
)

PROJECTION_COUNTS.mistake(
    "both_grow",
    "With a cache you still count the old tokens. Each token is projected once, at its own step.",
    lambda n: (_triangle(n), _triangle(n)),
    lambda n: (_triangle(n), n * n),
)

PROJECTION_COUNTS.mistake(
    "no_difference",
    "Without a cache you count each token once. But at every step all tokens so far are "
    "projected again.",
    lambda n: (n, n),
)

PROJECTION_COUNTS.mistake(
    "last_step_only",
    "You count the last step alone. Each of the n steps projects tokens; add up all of them.",
    lambda n: (n, 1),
)

PROJECTION_COUNTS.mistake(
    "three_each",
    "You count three for each token: query, key and value. Here one count is one token "
    "that goes through all three.",
    lambda n: (3 * _triangle(n), 3 * n),
    lambda n: (3 * _triangle(n), 2 * n),
    lambda n: (3 * _triangle(n), n),
)

PROJECTION_COUNTS.mistake(
    "one_more_with_cache",
    "With a cache you count one token too many. Each of the n tokens is projected once; "
    "nothing else is.",
    lambda n: (_triangle(n), n + 1),
)

PROJECTION_COUNTS.mistake(
    "first_token_not_counted",
    "You leave out the first token. It finds no cache, but it must be projected like all others.",
    lambda n: (_triangle(n), n - 1),
    lambda n: (_triangle(n) - 1, n - 1),
)

PROJECTION_COUNTS.mistake(
    "squares_added",
    "You add up squares: that counts the scores of every step. Step t projects t tokens, "
    "not t times t.",
    lambda n: (n * (n + 1) * (2 * n + 1) // 6, n),
    lambda n: (n * (n + 1) * (2 * n + 1) // 6, _triangle(n)),
)

PROJECTION_COUNTS.mistake(
    "layers_counted",
    "You multiply by the 12 layers of GPT-2 small. Here one layer is counted: a token "
    "that is projected once counts 1.",
    lambda n: (12 * _triangle(n), 12 * n),
)

PROJECTION_COUNTS.mistake(
    "doubling",
    "Your first count doubles with every token. Each step adds one token to the work, "
    "not twice the work.",
    lambda n: (2**n, n),
    lambda n: (2**n - 1, n),
)

PROJECTION_COUNTS.mistake(
    "steps_listed",
    "You return the counts of every step. Return two numbers: the sums.",
    lambda n: (list(range(1, n + 1)), [1] * n),
    lambda n: (np.arange(1, n + 1), np.ones(n, int)),
)

PROJECTION_COUNTS.mistake(
    "ratio_returned",
    "You return one number. Return both counts: without a cache, then with one.",
    lambda n: _triangle(n) / n,
    lambda n: _triangle(n) - n,
    lambda n: _triangle(n),
)

PROJECTION_COUNTS.mistake(
    "difference",
    "Your first number is what the cache saves. Return what is counted without a cache.",
    lambda n: (_triangle(n) - n, _triangle(n)),
)

# --- unusual, and right --------------------------------------------------------------------------


@PROJECTION_COUNTS.also_right("counted in a loop")
def _counted(n):
    without = with_cache = 0
    for step in range(1, n + 1):
        without += step
        with_cache += 1
    return without, with_cache


PROJECTION_COUNTS.also_right("sum of a range", lambda n: (sum(range(n + 1)), n))

PROJECTION_COUNTS.also_right("floats", lambda n: (n * (n + 1) / 2, float(n)))

PROJECTION_COUNTS.also_right("a list", lambda n: [_triangle(n), n])

PROJECTION_COUNTS.also_right("an array", lambda n: np.array([_triangle(n), n]))

PROJECTION_COUNTS.also_right("cells of a triangle", lambda n: (int(np.tri(n).sum()), n))

# --- its steps, and how each of them goes wrong --------------------------------------------------


def _build(without, with_cache, order):
    return lambda n_tokens: (without(n_tokens), with_cache(n_tokens))[::order]


PROJECTION_COUNTS.steps = Steps(
    _build,
    {"without": lambda n: n * (n + 1) // 2, "with_cache": same, "order": 1},
    {
        "without": (
            Wrong("without_square", _("Without a cache: each step counts n tokens, but early steps have fewer."), lambda n: n * n),
            Wrong("without_one_short", _("Without a cache: the sum ends one step early, or starts at 0."), lambda n: n * (n - 1) // 2),
            Wrong("without_one_more", _("Without a cache: the sum goes one step too far."), lambda n: (n + 1) * (n + 2) // 2),
            Wrong("without_first_missing", _("Without a cache: the first token is not counted."), lambda n: n * (n + 1) // 2 - 1),
            Wrong("without_one_added", _("Without a cache: one is counted too much."), lambda n: n * (n + 1) // 2 + 1),
            Wrong("without_doubled", _("Without a cache: the sum is not halved."), lambda n: n * (n + 1)),
            Wrong("without_half_square", _("Without a cache: half of the square is taken, without the diagonal."), lambda n: n * n // 2),
            Wrong("without_tripled", _("Without a cache: queries, keys and values are counted each."), lambda n: 3 * n * (n + 1) // 2),
            Wrong("without_last_step", _("Without a cache: only the last step is counted."), same),
            Wrong("without_cubed", _("Without a cache: squares are added up."), lambda n: n * (n + 1) * (2 * n + 1) // 6),
        ),
        "with_cache": (
            Wrong("with_one_short", _("With the cache: one token too few is counted."), lambda n: n - 1),
            Wrong("with_one_more", _("With the cache: one token too many is counted."), lambda n: n + 1),
            Wrong("with_one", _("With the cache: only the last step is counted; all steps are asked for."), lambda n: 1),
            Wrong("with_tripled", _("With the cache: queries, keys and values are counted each."), lambda n: 3 * n),
            Wrong("with_doubled", _("With the cache: keys and values are counted each."), lambda n: 2 * n),
            Wrong("with_sum", _("With the cache: old tokens are counted again."), lambda n: n * (n + 1) // 2),
        ),
        "order": (Wrong("exchanged", _("The two numbers are exchanged."), -1),),
    },
)  # fmt: skip
