"""`cached_causal_mask`, lesson 03. The mask for new tokens behind a past."""

import numpy as np

from autograder.exercises.kit import (
    FAR,
    LONG,
    Case,
    Exercise,
    Promise,
    late,
)
from autograder.exercises.pieces import mask_with_past
from autograder.exercises.steps import Steps, Wrong
from autograder.exercises.ways import MASKS, RIGHT_MASK, same
from illustrated_attention.language import later as _

CACHED_CAUSAL_MASK = Exercise(
    name="cached_causal_mask",
    lesson="03_kv_cache",
    can="You can now mask new tokens that follow a past.",
    visible=(
        Case("two new tokens after three old ones", (2, 3)),
        Case("one new token after four old ones", (1, 4)),
        Case("three new tokens after one old one", (3, 1)),
        Case("three tokens and nothing in the cache", (3, 0)),
        Case("the very first token", (1, 0)),
    ),
    hidden=(
        Case("more old tokens than new ones", (3, 5)),
        Case("more new tokens than old ones", (5, 2)),
        Case("as many of both", (4, 4)),
        Case("one token after a long past", (1, 9)),
        Case("a long first chunk", (7, 0)),
        late("a very long past", (3, FAR)),
        late("a long first chunk", (LONG, 0)),
        late("a long chunk after a long past", (LONG, LONG + 6)),
        late("one token after one", (1, 1)),
    ),
    promises=(
        Promise(
            "one more old token is one more column, on the left, that all may see",
            "one_more_old_token_is_seen_by_all",
            (2, 3, LONG),
            (4, 5, LONG + 6),
        ),
    ),
    hints=(
        "Rows are the new tokens, columns are all keys: first the past, then the new ones. How "
        "many columns does the first new token see, itself included?",
        "New token i stands at position `n_past + i`. It may look at column j if j is not larger "
        "than that position. So the triangle is the usual one, moved to the right by `n_past`.",
        "`np.tri(rows, columns, k, dtype=bool)` makes a triangle that is moved to the right by "
        "`k` columns. Which of your two numbers is `k`, and what are `rows` and `columns`?",
    ),
)


# --- known mistakes ------------------------------------------------------------------------------


def _wrong_mask(id, message, *masks):
    """Add a mistake in a mask, whether it is made of True and False or of 1 and 0."""
    numbers = [lambda n, p, mask=mask: mask(n, p).astype(float) for mask in masks]
    CACHED_CAUSAL_MASK.mistake(id, message, *masks, *numbers)


_wrong_mask(
    "top_left",
    "Your triangle starts in the upper left corner, so the first new token sees only the "
    "first old one. The columns hold the past first: a new token sees all of it. By how "
    "many columns must the triangle move?",
    lambda n, p: np.tri(n, p + n, dtype=bool),
)

_wrong_mask(
    "shifted_the_wrong_way",
    "Your triangle is shifted to the wrong side: the past makes your new tokens see "
    "less. It must make them see more.",
    lambda n, p: np.tri(n, p + n, -p, dtype=bool),
)

_wrong_mask(
    "all_visible",
    "Your mask hides nothing when there is a past. That is right for one new token. With "
    "several, the first of them must not see the ones after it.",
    lambda n, p: np.ones((n, p + n), dtype=bool),
    lambda n, p: np.ones((n, p + n), dtype=bool) if p else np.tri(n, dtype=bool),
)

_wrong_mask(
    "new_tokens_only",
    "Your mask has columns for the new tokens only. The keys of the past stand in front "
    "of them, and each needs a column too.",
    lambda n, p: np.tri(n, dtype=bool),
)

_wrong_mask(
    "rows_for_old_tokens",
    "Your mask has rows for the old tokens as well. Rows are queries, and only new tokens "
    "bring one.",
    lambda n, p: np.tri(n + p, dtype=bool),
)

_wrong_mask(
    "transposed",
    "Rows and columns are swapped. A row belongs to a new token's query, a column to a key.",
    lambda n, p: mask_with_past(n, p).T,
)

_wrong_mask(
    "inverted",
    "Your mask says True where a token must not look. Here True means: may look.",
    lambda n, p: ~mask_with_past(n, p),
)

_wrong_mask(
    "upper_triangle",
    "Your mask lets each new token see itself and what comes after it. It should see "
    "itself and what came before.",
    lambda n, p: np.triu(np.ones((n, p + n), dtype=bool), p),
)

_wrong_mask(
    "moved_by_the_new",
    "Your triangle is moved by the number of new tokens. It must move by the number of "
    "old ones: row 0 sees all of them, and itself.",
    lambda n, p: np.tri(n, p + n, n, dtype=bool),
)

_wrong_mask(
    "columns_for_rows",
    "Your rows are all tokens and your columns the new ones. It is the other way round: "
    "rows are the new tokens, columns are the old and the new ones.",
    lambda n, p: np.tri(p + n, dtype=bool)[:, p:],
    lambda n, p: np.tri(p + n, n, dtype=bool),
    lambda n, p: np.vstack([np.ones((p, n), bool), np.tri(n, dtype=bool)]),
)

_wrong_mask(
    "not_itself",
    "Your new tokens do not see themselves. Each sees the past, the new tokens before it, "
    "and itself.",
    lambda n, p: np.tri(n, p + n, p - 1, dtype=bool),
)

_wrong_mask(
    "one_too_many",
    "Each of your new tokens sees one token too many: its successor. Where does row 0 "
    "have its last True? Count the past and the token itself.",
    lambda n, p: np.tri(n, p + n, p + 1, dtype=bool),
)

_wrong_mask(
    "past_hidden",
    "Your new tokens see each other, but not the past. The past is what the cache was "
    "kept for: all of it is visible.",
    lambda n, p: np.hstack([np.zeros((n, p), dtype=bool), np.tri(n, dtype=bool)]),
)

_wrong_mask(
    "past_on_the_right",
    "Your columns of the past stand on the right. In the cache the old keys come first, "
    "so they are the columns on the left.",
    lambda n, p: np.hstack([np.tri(n, dtype=bool), np.ones((n, p), dtype=bool)]),
)

_wrong_mask(
    "mirrored",
    "Your triangle is mirrored: the first new token sees the most. The later a token "
    "comes, the more it sees.",
    lambda n, p: mask_with_past(n, p)[::-1],
    lambda n, p: mask_with_past(n, p)[:, ::-1],
)

_wrong_mask(
    "diagonal_only",
    "Each of your new tokens sees only itself. It should also see the past and the new "
    "tokens before it.",
    lambda n, p: np.eye(n, p + n, p, dtype=bool),
)

_wrong_mask(
    "new_tokens_apart",
    "Your new tokens see the past and themselves, but not the new tokens before them. "
    "Among the new tokens the usual triangle holds.",
    lambda n, p: np.hstack([np.ones((n, p), dtype=bool), np.eye(n, dtype=bool)]),
)

_wrong_mask(
    "arguments_exchanged",
    "The two numbers have changed places: you make a row for each old token. Rows are for "
    "the new ones; check the order of the arguments.",
    lambda n, p: mask_with_past(p, n),
)

_wrong_mask(
    "fixed_size",
    "Your mask has the same size for every input. Use `n_new` and `n_past` instead of a "
    "fixed number.",
    lambda n, p: np.tri(4, dtype=bool),
    lambda n, p: mask_with_past(2, 3),
)

_wrong_mask(
    "fixed_past",
    "You have a fixed number of old tokens. `n_past` says how many there are; 0 is possible too.",
    lambda n, p: mask_with_past(n, 3),
    lambda n, p: mask_with_past(n, 4),
    lambda n, p: mask_with_past(n, 1),
)

_wrong_mask(
    "one_row",
    "You return one row. Every new token needs a row of its own, even if there is only "
    "one new token. (An index such as `[a]` takes one row and drops the axis, a slice "
    "such as `[a:]` takes several.)",
    lambda n, p: mask_with_past(n, p)[-1],
    lambda n, p: mask_with_past(n, p)[0],
    lambda n, p: np.ones(p + n, dtype=bool),
)

_wrong_mask(
    "one_column_short",
    "One column is missing: there are `n_past` old keys and `n_new` new ones.",
    lambda n, p: mask_with_past(n, p)[:, 1:],
    lambda n, p: mask_with_past(n, p)[:, :-1],
)

CACHED_CAUSAL_MASK.mistake(
    "additive_mask",
    "You return 0 and minus infinity, a mask that is added to scores. This exercise asks "
    "for True where a token may look and False elsewhere.",
    lambda n, p: np.where(mask_with_past(n, p), 0.0, -np.inf),
    lambda n, p: np.where(mask_with_past(n, p), 0.0, -1e10),
    lambda n, p: np.where(mask_with_past(n, p), 0.0, -1e9),
)

CACHED_CAUSAL_MASK.mistake(
    "list_returned",
    "The rows are right, but you return a list. Return a NumPy array.",
    lambda n, p: mask_with_past(n, p).tolist(),
)

# --- unusual, and right --------------------------------------------------------------------------

CACHED_CAUSAL_MASK.also_right(
    "np.tril of ones", lambda n, p: np.tril(np.ones((n, p + n), dtype=bool), p)
)

CACHED_CAUSAL_MASK.also_right(
    "not np.triu", lambda n, p: ~np.triu(np.ones((n, p + n), dtype=bool), p + 1)
)

CACHED_CAUSAL_MASK.also_right(
    "the last rows of a larger triangle", lambda n, p: np.tri(p + n, dtype=bool)[p:]
)

CACHED_CAUSAL_MASK.also_right(
    "comparing positions",
    lambda n, p: np.arange(p + n) <= np.arange(p, p + n)[:, None],
)

CACHED_CAUSAL_MASK.also_right(
    "a block of ones beside a triangle",
    lambda n, p: np.hstack([np.ones((n, p), dtype=bool), np.tri(n, dtype=bool)]),
)


@CACHED_CAUSAL_MASK.also_right("loops")
def _mask_loops(n_new, n_past):
    return np.array([[j <= i + n_past for j in range(n_past + n_new)] for i in range(n_new)])


@CACHED_CAUSAL_MASK.also_right("column by column")
def _mask_by_columns(n_new, n_past):
    mask = np.zeros((n_new, n_past + n_new), dtype=bool)
    for column in range(n_past + n_new):
        mask[max(0, column - n_past) :, column] = True
    return mask


CACHED_CAUSAL_MASK.also_right(
    "np.fromfunction",
    lambda n, p: np.fromfunction(lambda i, j: i >= j - p, (n, p + n)),
)

CACHED_CAUSAL_MASK.also_right("0 and 1 as integers", lambda n, p: mask_with_past(n, p).astype(int))

CACHED_CAUSAL_MASK.also_right("0 and 1 as floats", lambda n, p: np.tri(n, p + n, p))


def _true_at(indices, shape):
    mask = np.zeros(shape, dtype=bool)
    mask[indices] = True
    return mask


CACHED_CAUSAL_MASK.also_right(
    "np.tril_indices",
    lambda n, p: _true_at(np.tril_indices(n, p, p + n), (n, p + n)),
)

# --- its steps, and how each of them goes wrong --------------------------------------------------


def _build(mask, out):
    return lambda n_new, n_past: out(mask(n_new, n_past))


CACHED_CAUSAL_MASK.steps = Steps(
    _build,
    {"mask": RIGHT_MASK, "out": same},
    {
        "mask": (
            *(way for way in MASKS if way.id != "mask_inverted"),
            Wrong("past_not_seen", _("The past is hidden."), lambda n, past=0: np.hstack([np.zeros((n, past), bool), np.tri(n, dtype=bool)])),
            Wrong("new_not_seen", _("The new tokens are hidden."), lambda n, past=0: np.hstack([np.ones((n, past), bool), np.zeros((n, n), bool)])),
            Wrong("new_first", _("The new tokens' columns stand before those of the past."), lambda n, past=0: np.hstack([np.tri(n, dtype=bool), np.ones((n, past), bool)])),
            Wrong("all_without_past", _("Without a past nothing is hidden."), lambda n, past=0: RIGHT_MASK(n, past) if past else np.ones((n, n), bool)),
            Wrong("numbers_exchanged", _("The two numbers are exchanged."), lambda n, past=0: np.tri(past, past + n, n, dtype=bool)),
            Wrong("square", _("The mask has as many rows as columns: it holds rows for the past, too."), lambda n, past=0: np.tri(past + n, dtype=bool)),
            Wrong("without_past", _("The columns of the past are missing."), lambda n, past=0: np.tri(n, dtype=bool)),
        ),
        "out": (
            Wrong("minus_infinity", _("The mask holds 0 and minus infinity, to be added; True and False are asked for."), lambda m: np.where(m, 0.0, -np.inf)),
            Wrong("transposed", _("Rows and columns are exchanged."), lambda m: m.T),
            Wrong("mask_inverted", _("The mask is inverted."), lambda m: ~m),
            Wrong("turned_round", _("The mask is turned round along the keys."), lambda m: m[:, ::-1]),
        ),
    },
)  # fmt: skip
