"""`merge_heads`, lesson 04. The heads into one wide vector."""

import numpy as np

from autograder.exercises.kit import (
    FAR,
    WIDE,
    Case,
    Exercise,
    Promise,
    late,
    rough,
    tidy,
)
from autograder.exercises.pieces import flip, merge, merged_shape, split
from autograder.exercises.small_models import numbered
from autograder.exercises.steps import Steps, Wrong
from autograder.exercises.ways import _HEAD_AXES, MERGES, OUTPUTS, join_heads, same
from illustrated_attention.language import later as _

MERGE_HEADS = Exercise(
    name="merge_heads",
    lesson="04_multi_head",
    can="You can now put heads together again.",
    visible=(
        Case("numbered cells, two heads", (split(numbered(2, 6), 2),)),
        Case("three heads", (tidy(3, 4, 2, seed=451),)),
        Case("one token", (tidy(3, 1, 2, seed=452),)),
        Case("one head", (tidy(1, 4, 3, seed=453),)),
        Case("two sentences at once", (tidy(2, 3, 4, 2, seed=454),)),
    ),
    hidden=(
        Case("other sizes", (rough(3, 5, 6, seed=461),)),
        Case("four axes", (rough(2, 3, 5, 6, seed=462),)),
        Case("a grid of sentences", (rough(2, 4, 3, 5, 6, seed=463),)),
        Case("one token", (rough(4, 1, 6, seed=464),)),
        Case("whole numbers", (np.arange(24).reshape(2, 4, 3),)),
        Case("the sizes of GPT-2 small", (rough(12, 3, 64, seed=465),)),
        late("all sizes equal", (rough(3, 3, 3, 3, seed=490),)),
        late("as many heads as tokens", (rough(4, 4, 2, seed=491),)),
        late("as many heads as features in each", (rough(4, 2, 4, seed=492),)),
        late("as many tokens as features in a head", (rough(2, 4, 4, seed=493),)),
        late("many heads", (rough(2, 37, 3, 11, seed=494),)),
        late("a long text", (rough(2, FAR, 2, seed=495),)),
        late("one feature", (rough(1, 4, 1, seed=496),)),
        late("many features in each head", (rough(2, 3, WIDE, seed=497),)),
    ),
    promises=(
        Promise(
            "every number of x comes exactly once",
            "only_moves_numbers",
            (split(numbered(4, 6), 3),),
            (rough(2, 3, 5, 6, seed=466),),
        ),
        Promise(
            "shuffled tokens give shuffled rows",
            "tokens_in_any_order",
            (tidy(2, 4, 3, seed=467), np.array([2, 0, 3, 1])),
            (rough(2, 3, 5, 6, seed=468), np.array([3, 1, 4, 0, 2])),
        ),
        Promise(
            "every sentence of a batch gives what it gives alone",
            "every_example_alone",
            (1, tidy(2, 2, 3, 4, seed=469)),
            (1, rough(3, 3, 5, 6, seed=470)),
        ),
    ),
    hints=(
        "It is the way back. Write down the two shapes for 2 heads, four tokens and d = 3. What "
        "did split_heads do last?",
        "First heads and tokens change places, so that the heads of one token lie together: "
        "[..., T, H, d]. Then a reshape makes one axis of the last two.",
        "With `x.swapaxes(-2, -3)` the shape is [..., T, H, d]. Reshape that to "
        "(*leading axes, T, H * d); the sizes are in `x.shape`.",
    ),
)


# --- known mistakes ------------------------------------------------------------------------------

MERGE_HEADS.mistake(
    "reshaped_only",
    "The shape is right, but a row now holds numbers of several tokens. The reshape reads "
    "head after head. First bring the heads of one token together: tokens in front of "
    "heads. (A wrong split can hide this: the two may undo each other.)",
    lambda x: x.reshape(merged_shape(x)),
)

MERGE_HEADS.mistake(
    "summed",
    "You add the heads up. They are put side by side: 3 heads of 6 numbers give 18, so "
    "that nothing is lost.",
    lambda x: x.sum(axis=-3),
)

MERGE_HEADS.mistake(
    "averaged",
    "You take the mean of the heads. They are put side by side: 3 heads of 6 numbers give "
    "18, so that nothing is lost.",
    lambda x: x.mean(axis=-3),
)


def _head_list(x):
    return [x[..., h, :, :] for h in range(x.shape[-3])]


MERGE_HEADS.mistake(
    "joined_along_tokens",
    "You put the heads one under the other: H times as many rows. Put them side by side: "
    "each token keeps one row, H times as wide.",
    lambda x: x.reshape(*x.shape[:-3], -1, x.shape[-1]),
    lambda x: np.concatenate(_head_list(x), axis=-2),
)

MERGE_HEADS.mistake(
    "features_interleaved",
    "You take the first number of every head, then the second of every head, and so on. "
    "Keep each head in one piece: all of head 0, then all of head 1.",
    lambda x: np.moveaxis(x, -3, -1).reshape(merged_shape(x)),
)

MERGE_HEADS.mistake(
    "heads_reversed",
    "Your heads are in reverse order. Head 0 comes first: its numbers fill the first d columns.",
    lambda x: merge(x[..., ::-1, :, :]),
)


@MERGE_HEADS.mistake(
    "overlapping_slices",
    "Your heads overlap: each is written one column after the one before. Head h begins at "
    "column h times d.",
)
def _overlapping(x):
    out = np.zeros(merged_shape(x))
    for head in range(x.shape[-3]):
        out[..., head : head + x.shape[-1]] = x[..., head, :, :]
    return out


MERGE_HEADS.mistake(
    "wrong_axes_swapped",
    "The shape is right, but other axes changed places than heads and tokens, so the rows "
    "mix tokens. From [H, T, d] you need [T, H, d] before the reshape.",
    lambda x: flip(x).reshape(merged_shape(x)),
    lambda x: x.swapaxes(-1, -3).reshape(merged_shape(x)),
    lambda x: np.moveaxis(x, -1, -3).reshape(merged_shape(x)),
)

MERGE_HEADS.mistake(
    "all_axes_reversed",
    "`.T` reverses all axes. Only heads and tokens change places; the features stay last, "
    "and leading axes stay where they are.",
    lambda x: x.T.reshape(merged_shape(x)),
)

MERGE_HEADS.mistake(
    "result_transposed",
    "Your result lies on its side: a column for each token. A row belongs to a token: [T, D].",
    lambda x: flip(merge(x)),
)

MERGE_HEADS.mistake(
    "swapped_only",
    "Heads and tokens have changed places, which is right. Now make one axis of the last "
    "two: H times d numbers for each token.",
    lambda x: x.swapaxes(-2, -3).copy(),
)

MERGE_HEADS.mistake(
    "x_unchanged",
    "You return `x` as it came. Put the heads of each token side by side.",
    lambda x: x.copy(),
)

MERGE_HEADS.mistake(
    "flattened",
    "You put everything into one row. Each token keeps a row of its own: the result is "
    "[..., T, H * d].",
    lambda x: x.ravel(),
    lambda x: merge(x).ravel(),
    lambda x: x.reshape(*x.shape[:-3], -1),
    lambda x: merge(x).reshape(*x.shape[:-3], -1),
)


def _three_axes_merged(x):
    n_head, n_tokens, d = x.shape
    return x.transpose(1, 0, 2).reshape(n_tokens, n_head * d)


def _four_axes_merged(x):
    n_examples, n_head, n_tokens, d = x.shape
    return x.transpose(0, 2, 1, 3).reshape(n_examples, n_tokens, n_head * d)


MERGE_HEADS.mistake(
    "axes_counted_from_the_front",
    "Your function works for one sentence or for a batch, but not for both. Count axes "
    "from the back: features -1, tokens -2, heads -3.",
    _three_axes_merged,
    _four_axes_merged,
    lambda x: x.transpose(1, 0, 2).reshape(merged_shape(x)),
    lambda x: x.transpose(0, 2, 1, 3).reshape(merged_shape(x)),
    lambda x: x.swapaxes(0, 1).reshape(merged_shape(x)),
    lambda x: x.swapaxes(1, 2).reshape(merged_shape(x)),
    lambda x: x.swapaxes(0, 1).reshape(x.shape[1], -1),
    lambda x: x.swapaxes(-2, -3).reshape(x.shape[-2], x.shape[-3] * x.shape[-1]),
    lambda x: x.swapaxes(-2, -3).reshape(x.shape[-2], -1),
)

MERGE_HEADS.mistake(
    "sentences_taken_for_heads",
    "With one sentence the result is right. In a batch you join the sentences instead of "
    "the heads: the first axis is then the batch. The heads are always on axis -3.",
    lambda x: np.hstack(list(x)) if x.ndim == 3 else np.concatenate(list(x), axis=-1),
    lambda x: np.hstack(list(x)),
    lambda x: np.concatenate([x[h] for h in range(x.shape[-3])], axis=-1),
    lambda x: np.concatenate([x[h] for h in range(x.shape[-3])], axis=1),
)

MERGE_HEADS.mistake(
    "always_a_batch",
    "You make all leading axes into one, or add one where there is none. Leading axes must "
    "come out as they went in.",
    lambda x: merge(x).reshape(-1, *merged_shape(x)[-2:]),
)

MERGE_HEADS.mistake(
    "first_head_only",
    "You return one head. Put all of them side by side: the numbers of every head are needed.",
    lambda x: x[..., 0, :, :].copy(),
    lambda x: x[..., -1, :, :].copy(),
)

MERGE_HEADS.mistake(
    "one_head_repeated",
    "You put the same head side by side H times. Every head goes in once.",
    lambda x: np.concatenate([x[..., 0, :, :]] * x.shape[-3], axis=-1),
)

MERGE_HEADS.mistake(
    "list_returned",
    "The numbers are right, but you return a list of lists. Return the NumPy array that "
    "they came from.",
    lambda x: merge(x).tolist(),
)

MERGE_HEADS.mistake(
    "width_is_768",
    "You use the width 768 or 12 heads of 64, whatever comes. Those are the sizes of "
    "GPT-2 small. Read H and d from the shape of `x`.",
    lambda x: x.swapaxes(-2, -3).reshape(*x.shape[:-3], x.shape[-2], 768),
    lambda x: x.swapaxes(-2, -3).reshape(*x.shape[:-3], -1, 768),
    lambda x: x.swapaxes(-2, -3).reshape(*x.shape[:-3], x.shape[-2], 12 * 64),
)


@MERGE_HEADS.mistake(
    "x_changed",
    "`x` has another shape after the call: assigning to `x.shape` changes the caller's "
    "array. `x.reshape(...)` leaves `x` alone.",
)
def _merge_in_place(x):
    result = merge(x)
    x.shape = (*x.shape[:-3], x.shape[-2], x.shape[-3] * x.shape[-1])
    return result


# --- unusual, and right --------------------------------------------------------------------------

MERGE_HEADS.also_right("heads concatenated", lambda x: np.concatenate(_head_list(x), axis=-1))

MERGE_HEADS.also_right("moveaxis", lambda x: np.moveaxis(x, -3, -2).reshape(merged_shape(x)))

MERGE_HEADS.also_right(
    "transpose with a tuple of axes",
    lambda x: x.transpose(*range(x.ndim - 3), x.ndim - 2, x.ndim - 3, x.ndim - 1).reshape(
        merged_shape(x)
    ),
)

MERGE_HEADS.also_right("einsum", lambda x: np.einsum("...htd->...thd", x).reshape(merged_shape(x)))

MERGE_HEADS.also_right(
    "on its side and back",
    lambda x: flip(flip(x).reshape(*x.shape[:-3], -1, x.shape[-2])),
)


@MERGE_HEADS.also_right("cell by cell")
def _merged_cell_by_cell(x):
    out = np.empty(merged_shape(x))
    for *leading, head, token, feature in np.ndindex(*x.shape):
        out[(*leading, token, head * x.shape[-1] + feature)] = x[(*leading, head, token, feature)]
    return out


MERGE_HEADS.also_right("float32", lambda x: merge(x.astype("f4")))

# --- its steps, and how each of them goes wrong --------------------------------------------------

MERGE_HEADS.steps = Steps(
    lambda x_is, merge, out: lambda x: out(merge(x_is(x))),
    {"x_is": same, "merge": join_heads, "out": same},
    {"x_is": _HEAD_AXES[1:], "merge": MERGES, "out": (*OUTPUTS, Wrong("tokens_averaged", _("The tokens are averaged."), lambda y: y.mean(-2)))},
)  # fmt: skip
