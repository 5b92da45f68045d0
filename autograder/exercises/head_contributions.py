"""`head_contributions`, lesson 05. What each head adds to the projection."""

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
from autograder.exercises.pieces import blocks_of_rows, contributions, flip, merge, split
from autograder.exercises.steps import Steps, Wrong
from autograder.exercises.ways import OUTPUTS, TURNS, same
from illustrated_attention.language import later as _

_W, _B = tidy(4, 4, seed=701), tidy(4, seed=702)

_HW, _HB = rough(18, 18, seed=703), rough(18, seed=704)

_Z = tidy(2, 3, 2, seed=731)

_HZ = rough(3, 5, 6, seed=732)

HEAD_CONTRIBUTIONS = Exercise(
    name="head_contributions",
    lesson="05_projection",
    can="You can now say what each head adds to a token.",
    visible=(
        Case("one token, two heads", (np.array([[[1.0, 0.0]], [[2.0, -1.0]]]), _W)),
        Case("three tokens, two heads", (_Z, _W)),
        Case("two tokens, three heads", (tidy(3, 2, 2, seed=733), tidy(6, 6, seed=734))),
        Case("as many tokens as heads", (tidy(2, 2, 3, seed=735), tidy(6, 6, seed=736))),
        Case("one head", (tidy(1, 3, 4, seed=737), _W)),
        Case("two sentences at once", (tidy(2, 2, 3, 2, seed=738), _W)),
        Case("three sentences, two heads", (tidy(3, 2, 2, 2, seed=739), _W)),
        late("whole numbers", (np.array([[[1, 0], [2, -1]], [[0, 3], [1, 1]]]), _W)),
    ),
    hidden=(
        Case("other sizes", (_HZ, _HW)),
        Case("two sentences of other sizes", (rough(2, 3, 5, 6, seed=740), _HW)),
        Case("a grid of sentences", (rough(2, 4, 3, 5, 6, seed=741), _HW)),
        Case("one token", (rough(3, 1, 6, seed=742), _HW)),
        Case("one head", (rough(1, 5, 18, seed=743), _HW)),
        Case("more heads than features in each", (rough(6, 5, 3, seed=744), _HW)),
        Case("heads of one number", (rough(4, 3, 1, seed=745), rough(4, 4, seed=746))),
        Case("whole numbers", (np.arange(12).reshape(2, 3, 2) - 5, np.arange(16).reshape(4, 4))),
        late("all sizes equal", (rough(3, 3, 3, 3, seed=755), rough(9, 9, seed=756))),
        late(
            "as many heads as features in each", (rough(4, 5, 4, seed=757), rough(16, 16, seed=758))
        ),
        late(
            "as many tokens as features in a head",
            (rough(2, 4, 4, seed=759), rough(8, 8, seed=760)),
        ),
        late("many heads", (rough(2, 13, 3, 11, seed=761), rough(143, 143, seed=762))),
        late(
            "many features in each head",
            (rough(2, 3, WIDE, seed=763), rough(2 * WIDE, 2 * WIDE, seed=764)),
        ),
        late("a long text", (rough(2, FAR, 2, seed=765), rough(4, 4, seed=766))),
    ),
    promises=(
        Promise(
            "a head that is switched off writes nothing, and the others write what they wrote",
            "every_head_writes_by_itself",
            (_Z, _W),
            (rough(2, 3, 5, 6, seed=747), _HW),
        ),
        Promise(
            "twice the weights give twice the contributions",
            "linear_in_last",
            (_Z, _W),
            (_HZ, _HW),
        ),
        Promise(
            "every sentence of a batch gives what it gives alone",
            "every_example_alone",
            (1, tidy(2, 2, 3, 2, seed=748), _W),
            (1, rough(3, 3, 5, 6, seed=749), _HW),
        ),
    ),
    hints=(
        "In the merged row, head h stands in the columns from h * d to (h + 1) * d - 1. Which rows "
        "of `w` do those columns meet in the product?",
        "Each head needs its d rows of `w`, with all their columns: a block of [d, D]. Cut `w` "
        "into H such blocks, and let every head multiply its own. `z` tells you H and d.",
        "With H and d from the end of `z.shape`, `w.reshape(H, d, -1)` cuts the rows into blocks, "
        "[H, d, D]. `z @ blocks` then multiplies head by head, whatever leading axes there are.",
    ),
)


# --- known mistakes ------------------------------------------------------------------------------

HEAD_CONTRIBUTIONS.mistake(
    "summed",
    "You return the sum over the heads: the whole projection, without its bias. Here the "
    "contributions stay apart, one for each head: [..., H, T, D].",
    lambda z, w: contributions(z, w).sum(axis=-3),
    lambda z, w: merge(z) @ w,
)


@HEAD_CONTRIBUTIONS.mistake(
    "all_but_the_head",
    "For each head you return what all the others write together. A head's contribution is what "
    "it writes itself.",
)
def _all_but_the_head(z, w):
    each = contributions(z, w)
    return each.sum(axis=-3, keepdims=True) - each


HEAD_CONTRIBUTIONS.mistake(
    "whole_for_every_head",
    "You return the whole projection once for every head. Each head writes only what its "
    "own d rows of `w` make of its own numbers.",
    lambda z, w: np.stack([merge(z) @ w] * z.shape[-3], axis=-3),
    lambda z, w: np.array([merge(z) @ w] * z.shape[-3]),
)

HEAD_CONTRIBUTIONS.mistake(
    "result_split",
    "You split the whole result into heads. Its numbers belong to no head: each is made "
    "from all of them. Take the product apart instead, by the rows of `w`.",
    lambda z, w: split(merge(z) @ w, z.shape[-3]),
)


def _writing(rows):
    """Contributions with other rows of w: `rows(w, h, H, d)` is what head h multiplies with."""

    def head_contributions(z, w):
        n_head, _n_tokens, d = z.shape[-3:]
        parts = [z[..., h, :, :] @ rows(w, h, n_head, d) for h in range(n_head)]
        return np.stack(parts, axis=-3)

    return head_contributions


HEAD_CONTRIBUTIONS.mistake(
    "first_rows_for_all",
    "Every head uses the first d rows of `w`. In the merged row, head 1 stands behind "
    "head 0, so it meets the next d rows.",
    _writing(lambda w, h, n_head, d: w[:d]),
)

HEAD_CONTRIBUTIONS.mistake(
    "last_rows_for_all",
    "Every head uses the last d rows of `w`. In the merged row each head has its own "
    "place, and meets the rows of that place.",
    _writing(lambda w, h, n_head, d: w[-d:]),
)

HEAD_CONTRIBUTIONS.mistake(
    "rows_interleaved",
    "Your heads take every H-th row of `w`. In the merged row a head lies in one piece, so "
    "it meets d rows that follow each other.",
    _writing(lambda w, h, n_head, d: w[h::n_head]),
    lambda z, w: z @ np.moveaxis(w.reshape(z.shape[-1], z.shape[-3], -1), 1, 0),
)

HEAD_CONTRIBUTIONS.mistake(
    "heads_reversed",
    "Your heads use the rows of `w` in reverse order. Head 0 stands first in the merged "
    "row, and meets the first rows.",
    _writing(lambda w, h, n_head, d: blocks_of_rows(w, n_head)[n_head - 1 - h]),
    lambda z, w: contributions(z, w)[..., ::-1, :, :],
)

HEAD_CONTRIBUTIONS.mistake(
    "next_heads_rows",
    "Each of your heads uses the rows of the head after it. Heads count from 0: where do "
    "the rows of head 0 begin?",
    _writing(lambda w, h, n_head, d: blocks_of_rows(w, n_head)[(h + 1) % n_head]),
)

HEAD_CONTRIBUTIONS.mistake(
    "block_too_late",
    "Your first head begins at row d, so nothing is left for the last one. Heads count "
    "from 0: where do the rows of head 0 begin?",
    _writing(lambda w, h, n_head, d: w[(h + 1) * d : (h + 2) * d]),
)

HEAD_CONTRIBUTIONS.mistake(
    "overlapping_rows",
    "The rows of your heads overlap: head 1 begins at row 1. How many rows belong to head 0?",
    _writing(lambda w, h, n_head, d: w[h : h + d]),
)

HEAD_CONTRIBUTIONS.mistake(
    "blocks_of_n_head_rows",
    "You give each head H rows of `w`. A head has d numbers for each token, so it meets d rows.",
    _writing(lambda w, h, n_head, d: w[h * n_head : (h + 1) * n_head]),
)

HEAD_CONTRIBUTIONS.mistake(
    "weights_transposed",
    "You use the columns of `w` (or its transpose) where its rows belong. `w` is [in, "
    "out]: what goes in meets the rows.",
    _writing(lambda w, h, n_head, d: w.T[h * d : (h + 1) * d]),
    _writing(lambda w, h, n_head, d: w[:, h * d : (h + 1) * d].T),
    lambda z, w: z @ blocks_of_rows(w.T, z.shape[-3]),
)

HEAD_CONTRIBUTIONS.mistake(
    "does_not_fit",
    "A head has d numbers for each token, but the part of `w` that you give it has another "
    "number of rows: all of them, perhaps, or 64. Take d rows and all columns, and read d "
    "from the shape of `z`.",
    lambda z, w: z @ w,
    _writing(lambda w, h, n_head, d: w[:, h * d : (h + 1) * d]),
    _writing(lambda w, h, n_head, d: w[64 * h : 64 * h + 64]),
    lambda z, w: z @ w.reshape(z.shape[-3], w.shape[1], -1),
)


def _own_columns_in_zeros(z, w):
    n_head, _n_tokens, d = z.shape[-3:]
    out = np.zeros((*z.shape[:-1], w.shape[1]))
    for h in range(n_head):
        own = slice(h * d, (h + 1) * d)
        out[..., h, :, own] = z[..., h, :, :] @ w[own, own]
    return out


HEAD_CONTRIBUTIONS.mistake(
    "own_columns_only",
    "Each of your heads writes into its own d columns only. The projection lets it write "
    "into all D: take its rows of `w` with all their columns.",
    _own_columns_in_zeros,
    _writing(lambda w, h, n_head, d: w[h * d : (h + 1) * d, h * d : (h + 1) * d]),
)


def _merged_apart(z):
    """Each head at its place in a row of zeros: [..., H, T, D]."""
    n_head, _n_tokens, d = z.shape[-3:]
    out = np.zeros((*z.shape[:-1], n_head * d))
    for h in range(n_head):
        out[..., h, :, h * d : (h + 1) * d] = z[..., h, :, :]
    return out


HEAD_CONTRIBUTIONS.mistake(
    "not_projected",
    "You lay out the numbers of the heads, but `w` takes no part. A head's contribution is "
    "a product with its rows of `w`.",
    lambda z, w: _merged_apart(z),
    lambda z, w: z.copy(),
    lambda z, w: merge(z),
)

HEAD_CONTRIBUTIONS.mistake(
    "tokens_before_heads",
    "The numbers are right, but tokens come before heads. Return [..., H, T, D].",
    lambda z, w: contributions(z, w).swapaxes(-2, -3).copy(),
    lambda z, w: np.stack(list(np.moveaxis(contributions(z, w), -3, 0)), axis=-2),
)

HEAD_CONTRIBUTIONS.mistake(
    "features_before_tokens",
    "The last two axes are swapped: a column for each token. Return [..., H, T, D].",
    lambda z, w: flip(contributions(z, w)).copy(),
)

HEAD_CONTRIBUTIONS.mistake(
    "side_by_side",
    "You put the contributions side by side in one row of H * D numbers. Keep an axis for "
    "the heads: [..., H, T, D].",
    lambda z, w: merge(contributions(z, w)),
)


def _heads_in_a_list(z, w):
    d = z.shape[-1]
    return [z[..., h, :, :] @ w[h * d : (h + 1) * d] for h in range(z.shape[-3])]


HEAD_CONTRIBUTIONS.mistake(
    "one_under_the_other",
    "You put the contributions one under the other. Keep an axis for the heads: [..., H, T, D].",
    lambda z, w: np.concatenate(_heads_in_a_list(z, w), axis=-2),
)

HEAD_CONTRIBUTIONS.mistake(
    "one_head_only",
    "You return the contribution of one head. Return those of all heads: [..., H, T, D].",
    lambda z, w: contributions(z, w)[..., 0, :, :],
    lambda z, w: contributions(z, w)[..., -1, :, :],
)

HEAD_CONTRIBUTIONS.mistake(
    "divided_by_heads",
    "You divide by the number of heads. The contributions are added up, not averaged.",
    lambda z, w: contributions(z, w) / z.shape[-3],
)

HEAD_CONTRIBUTIONS.mistake(
    "added_up_head_by_head",
    "Each of your contributions holds those of the heads before it as well. A contribution "
    "is one head's alone.",
    lambda z, w: contributions(z, w).cumsum(axis=-3),
)


def _first_axis_as_heads(z, w):
    d = z.shape[-1]
    return np.stack([z[h] @ w[h * d : (h + 1) * d] for h in range(len(z))])


def _three_axes_as_heads(z, w):
    d = z.shape[-1]
    return np.stack([z[h] @ w[h * d : (h + 1) * d] for h in range(z.shape[-3])])


def _first_axis_filled(z, w):
    d = z.shape[-1]
    out = np.zeros((*z.shape[:-1], w.shape[1]))
    for h in range(z.shape[0]):
        out[h] = z[h] @ w[h * d : (h + 1) * d]
    return out


def _three_axes_named(z, w):
    n_head, _n_tokens, d = z.shape
    return z @ w.reshape(n_head, d, -1)


def _three_axes_counted(z, w):
    d = z.shape[2]
    return np.array([z[h] @ w[h * d : (h + 1) * d] for h in range(z.shape[0])])


def _first_axis_in_blocks(z, w):
    return z @ w.reshape(z.shape[0], -1, w.shape[-1])


HEAD_CONTRIBUTIONS.mistake(
    "first_axis_taken_for_heads",
    "With one sentence the result is right. In a batch the first axis holds sentences, and "
    "you take those for heads. The heads are always on axis -3.",
    _first_axis_as_heads,
    _first_axis_filled,
    _first_axis_in_blocks,
    _three_axes_as_heads,
    _three_axes_named,
    _three_axes_counted,
)


@HEAD_CONTRIBUTIONS.mistake(
    "heads_before_the_batch",
    "With one sentence all is right. In a batch, the axis of the heads stands in front of "
    "the sentences. It belongs right in front of the tokens: [..., H, T, D].",
)
def _heads_before_the_batch(z, w):
    n_head, _n_tokens, d = z.shape[-3:]
    return np.stack([z[..., h, :, :] @ w[h * d : (h + 1) * d] for h in range(n_head)])


HEAD_CONTRIBUTIONS.mistake(
    "sizes_of_gpt2",
    "You use 12 heads, 64 numbers a head or a width of 768, whatever comes. Those are the "
    "sizes of GPT-2 small. Read them from the shape of `z`.",
    lambda z, w: z @ w.reshape(12, 64, 768),
    lambda z, w: z @ w.reshape(12, 64, -1),
    lambda z, w: z @ w.reshape(12, -1, w.shape[-1]),
    lambda z, w: z @ w.reshape(-1, 64, 768),
    lambda z, w: z @ w.reshape(-1, 64, w.shape[-1]),
)

HEAD_CONTRIBUTIONS.mistake(
    "list_returned",
    "The numbers are right, but you return a list with an array for each head. Make one "
    "array of them, with the heads on axis -3.",
    _heads_in_a_list,
    lambda z, w: contributions(z, w).tolist(),
)


@HEAD_CONTRIBUTIONS.mistake(
    "z_changed",
    "You silence the other heads inside `z` itself. So `z` is different after the call, "
    "and the heads that you come to later are silent already. Work on a copy, or take the "
    "rows of `w` instead.",
)
def _silencing_the_others(z, w):
    parts = []
    for h in range(z.shape[-3]):
        for other in range(z.shape[-3]):
            if other != h:
                z[..., other, :, :] = 0
        parts.append(merge(z) @ w)
    return np.stack(parts, axis=-3)


HEAD_CONTRIBUTIONS.mistake(
    "half_precision",
    "The numbers are too coarse: they went through float16. Keep the type of the input.",
    lambda z, w: contributions(z, w).astype("f2"),
)

# --- unusual, and right --------------------------------------------------------------------------

HEAD_CONTRIBUTIONS.also_right(
    "slices, stacked",
    _writing(lambda w, h, n_head, d: w[h * d : (h + 1) * d, :]),
)

HEAD_CONTRIBUTIONS.also_right(
    "einsum", lambda z, w: np.einsum("...htd,hdo->...hto", z, blocks_of_rows(w, z.shape[-3]))
)

HEAD_CONTRIBUTIONS.also_right("np.split", lambda z, w: z @ np.array(np.split(w, z.shape[-3])))

HEAD_CONTRIBUTIONS.also_right("each head in a row of zeros", lambda z, w: _merged_apart(z) @ w)


@HEAD_CONTRIBUTIONS.also_right("the whole minus the rest")
def _whole_minus_the_rest(z, w):
    whole, parts = merge(z) @ w, []
    for h in range(z.shape[-3]):
        rest = z.astype(float)
        rest[..., h, :, :] = 0
        parts.append(whole - merge(rest) @ w)
    return np.stack(parts, axis=-3)


@HEAD_CONTRIBUTIONS.also_right("number by number")
def _contribution_by_contribution(z, w):
    d = z.shape[-1]
    out = np.zeros((*z.shape[:-1], w.shape[1]))
    for *leading, h, t, i in np.ndindex(*z.shape):
        index = (*leading, h, t)
        out[index] += z[index][i] * w[h * d + i]
    return out


HEAD_CONTRIBUTIONS.also_right(
    "split_heads on the transpose of w",
    lambda z, w: z @ flip(split(w.T, z.shape[-3])),
)

HEAD_CONTRIBUTIONS.also_right("float32", lambda z, w: contributions(z.astype("f4"), w.astype("f4")))

# --- its steps, and how each of them goes wrong --------------------------------------------------


def _build(turn, rows, heads, out):
    def head_contributions(z, w):
        n_head, d = z.shape[-3], z.shape[-1]
        blocks = heads([rows(turn(w), h, d, n_head) for h in range(n_head)])
        return out(np.stack([z[..., h, :, :] @ blocks[h] for h in range(n_head)], axis=-3))

    return head_contributions


HEAD_CONTRIBUTIONS.steps = Steps(
    _build,
    {"turn": same, "rows": lambda w, h, d, n: w[h * d : (h + 1) * d], "heads": same, "out": same},
    {
        "turn": TURNS[:1],
        "rows": (
            Wrong("first_rows_for_all", _("All heads use the first rows of w."), lambda w, h, d, n: w[:d]),
            Wrong("last_rows_for_all", _("All heads use the last rows of w."), lambda w, h, d, n: w[-d:]),
            Wrong("rows_interleaved", _("A head uses every n-th row of w, not a block of rows."), lambda w, h, d, n: w[h::n]),
            Wrong("rows_backwards", _("The rows inside a head's block stand in reverse order."), lambda w, h, d, n: w[h * d : (h + 1) * d][::-1]),
            Wrong("overlapping_rows", _("The blocks of rows overlap: they begin at row h, not at h * d."), lambda w, h, d, n: w[h : h + d]),
            Wrong("own_columns_only", _("A head writes only into its own columns: the rows of w are right, its other columns are lost."), lambda w, h, d, n: w[h * d : (h + 1) * d] * ((np.arange(w.shape[1]) // d) == h)),
            Wrong("columns_for_rows", _("Columns of w are taken, not rows."), lambda w, h, d, n: w[:, h * d : (h + 1) * d].T),
        ),
        "heads": (
            Wrong("heads_reversed", _("The heads' blocks stand in reverse order."), lambda b: b[::-1]),
            Wrong("heads_shifted", _("Each head uses the next head's block."), lambda b: [*b[1:], b[0]]),
        ),
        "out": (
            Wrong("added_up", _("Head h holds the sum of all heads up to h."), lambda y: np.cumsum(y, -3)),
            Wrong("divided_by_heads", _("Every contribution is divided by the number of heads."), lambda y: y / y.shape[-3]),
            Wrong("tokens_added_up", _("The tokens are summed."), lambda y: np.broadcast_to(y.sum(-2, keepdims=True), y.shape)),
            Wrong("lengths", _("The lengths of the contributions are returned, not the contributions."), lambda y: np.linalg.norm(y, axis=-1)),
            *OUTPUTS[:6],
        ),
    },
)  # fmt: skip
