"""Exercises of lesson 05: the heads are mixed, and attention is complete."""

import numpy as np

from autograder.exercises.kit import (
    FAR,
    LONG,
    WIDE,
    Case,
    Exercise,
    Mistake,
    Promise,
    Question,
    Right,
    late,
    rough,
    tidy,
)

LESSON = "05_projection"


# --- right pieces, from which wrong and unusual implementations are put together ---------------


def _flip(array):
    return np.swapaxes(array, -1, -2)


def _softmax(scores):
    exp = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return exp / exp.sum(axis=-1, keepdims=True)


def _mask(n_new, n_past):
    return np.tri(n_new, n_past + n_new, n_past, dtype=bool)


def _thirds(together):
    return np.split(together, 3, axis=-1)


def _split(x, n_head):
    return x.reshape(*x.shape[:-1], n_head, x.shape[-1] // n_head).swapaxes(-2, -3)


def _merge(z):
    *leading, n_head, n_tokens, d = z.shape
    return z.swapaxes(-2, -3).reshape(*leading, n_tokens, n_head * d)


def _join(past, new):
    return np.concatenate([past, new], axis=-2)


def _append(past, k, v):
    if past is None:
        return k, v
    return _join(past[0], k), _join(past[1], v)


def _blocks(w, n_head):
    """The rows of w, a block for each head: [H, d, D]."""
    return w.reshape(n_head, -1, w.shape[-1])


def _small(*shape, seed):
    """Readable numbers between -1 and 1: scores made with them leave softmax room."""
    return np.round(np.random.default_rng(seed).uniform(-1, 1, shape), 1)


# --- project ----------------------------------------------------------------------------------


def _project(merged, w, b):
    return merged @ w + b


def _project_in_place(merged, w, b):
    merged[...] = (merged @ w + b).astype(merged.dtype)
    return merged


def _project_of_integers(merged, w, b):
    out = np.zeros_like(merged)
    out[...] = merged @ w + b
    return out


def _rows_of_one_sentence(merged, w, b):
    out = np.zeros((len(merged), w.shape[1]))
    for t in range(len(merged)):
        out[t] = merged[t] @ w + b
    return out


def _two_axes(merged, w, b):
    n_tokens, width = merged.shape
    return (merged @ w + b).reshape(n_tokens, width)


def _project_by_hand(merged, w, b):
    out = np.empty((*merged.shape[:-1], w.shape[1]))
    for *row, column in np.ndindex(*out.shape):
        products = [merged[*row, i] * w[i, column] for i in range(len(w))]
        out[*row, column] = b[column] + sum(products)
    return out


def _bias_as_a_row(merged, w, b):
    ones = np.ones((*merged.shape[:-1], 1))
    return np.concatenate([merged, ones], axis=-1) @ np.concatenate([w, b[None]])


_W, _B = tidy(4, 4, seed=701), tidy(4, seed=702)
_HW, _HB = rough(18, 18, seed=703), rough(18, seed=704)

PROJECT = Exercise(
    name="project",
    lesson=LESSON,
    visible=(
        Case("one token", (np.array([[1.0, 0.0, 2.0, -1.0]]), _W, _B)),
        Case("three tokens", (tidy(3, 4, seed=705), _W, _B)),
        Case("as many tokens as features", (tidy(4, 4, seed=706), _W, _B)),
        Case("two sentences at once", (tidy(2, 3, 4, seed=707), _W, _B)),
        Case("whole numbers", (np.array([[1, 2, 0, -1], [0, 1, 3, 1]]), _W, _B)),
    ),
    hidden=(
        Case("other sizes", (rough(5, 18, seed=708), _HW, _HB)),
        Case("one token", (rough(1, 18, seed=709), _HW, _HB)),
        Case("a grid of sentences", (rough(2, 3, 5, 18, seed=710), _HW, _HB)),
        Case("as many tokens as features", (rough(18, 18, seed=711), _HW, _HB)),
        Case("whole numbers", (np.arange(10).reshape(5, 2) - 4, rough(2, 2, seed=712), _HB[:2])),
        late(
            "many features",
            (rough(2, 3, WIDE, seed=715), rough(WIDE, WIDE, seed=716), rough(WIDE, seed=717)),
        ),
        late("a long text", (rough(FAR, 2, seed=718), rough(2, 2, seed=719), rough(2, seed=720))),
        late(
            "all sizes equal", (rough(4, 4, 4, seed=721), rough(4, 4, seed=722), rough(4, seed=723))
        ),
        late("one feature", (rough(3, 1, seed=724), rough(1, 1, seed=725), rough(1, seed=726))),
        late(
            "large numbers",
            (rough(3, 4, seed=727) * 1e4, rough(4, 4, seed=728), rough(4, seed=729) * 1e4),
        ),
    ),
    promises=(
        Promise(
            "shuffled tokens give shuffled rows",
            "tokens_in_any_order",
            (tidy(3, 4, seed=713), np.array([2, 0, 1]), _W, _B),
            (rough(5, 18, seed=714), np.array([3, 1, 4, 0, 2]), _HW, _HB),
        ),
        Promise(
            "every sentence of a batch gives what it gives alone",
            "every_example_alone",
            (1, tidy(2, 3, 4, seed=715), _W, _B),
            (1, rough(3, 5, 18, seed=716), _HW, _HB),
        ),
    ),
    mistakes=(
        Mistake(
            "no_bias",
            "Your result is the product alone. `c_proj` has a bias as well: one learned number "
            "for each column. Add `b` once, after the product.",
            lambda merged, w, b: merged @ w,
        ),
        Mistake(
            "bias_only",
            "You add the bias, but there is no product: the heads still lie side by side and are "
            "not mixed. Which operation lets every number of a row reach every column?",
            lambda merged, w, b: merged + b,
        ),
        Mistake(
            "merged_returned",
            "You return `merged` as it came. The heads lie side by side in it; the matrix `w` is "
            "what mixes them.",
            lambda merged, w, b: merged.copy(),
        ),
        Mistake(
            "weights_transposed",
            "You use the transposed weights. GPT-2 stores `w` as [in, out]: `x @ w` needs no "
            "transpose. (PyTorch's Linear layer stores it the other way round.) A square matrix "
            "gives no error here.",
            lambda merged, w, b: merged @ w.T + b,
        ),
        Mistake(
            "sides_swapped",
            "You multiply with `w` on the left. A token is a row, and a row stands on the left of "
            "the matrix: `merged` first.",
            lambda merged, w, b: w @ merged + b,
        ),
        Mistake(
            "result_on_its_side",
            "Your result lies on its side: a column for each token. A token is a row.",
            lambda merged, w, b: _flip(merged @ w + b),
            lambda merged, w, b: w.T @ _flip(merged) + b[:, None],
        ),
        Mistake(
            "bias_before_the_product",
            "You add the bias to `merged`, before the product. It belongs to the columns of the "
            "result: add it after the product.",
            lambda merged, w, b: (merged + b) @ w,
        ),
        Mistake(
            "bias_on_both_sides",
            "You add the bias before the product and after it. It is added once, after it.",
            lambda merged, w, b: (merged + b) @ w + b,
        ),
        Mistake(
            "bias_added_to_w",
            "You add the bias to the weight matrix. Then each token gets the bias times the sum of "
            "its features. Add `b` to the product, not to `w`.",
            lambda merged, w, b: merged @ (w + b),
        ),
        Mistake(
            "bias_twice",
            "Your result holds the bias twice. Add it once, after the product: every token gets "
            "the same.",
            lambda merged, w, b: merged @ w + 2 * b,
        ),
        Mistake(
            "bias_subtracted",
            "You subtract the bias. It is added: one learned number for each column, the same for "
            "every token.",
            lambda merged, w, b: merged @ w - b,
        ),
        Mistake(
            "bias_multiplied",
            "You multiply by the bias. It is added: one learned number for each column, the same "
            "for every token.",
            lambda merged, w, b: merged @ w * b,
        ),
        Mistake(
            "bias_down_the_rows",
            "You add a number of `b` to each row. It belongs to the columns, so each token gets "
            "all of `b`. NumPy does that by itself when you add `b` as it is.",
            lambda merged, w, b: merged @ w + b[:, None],
        ),
        Mistake(
            "bias_as_one_number",
            "You add the same number everywhere. `b` holds a number for each column: add it as it "
            "is.",
            lambda merged, w, b: merged @ w + b.sum(),
            lambda merged, w, b: merged @ w + b.mean(),
            lambda merged, w, b: merged @ w + b[0],
        ),
        Mistake(
            "weight_and_bias_exchanged",
            "You multiply by `b` and add `w`. `w` is the matrix of the product; `b` holds one "
            "number for each column and is added.",
            lambda merged, w, b: merged @ b + w,
            lambda merged, w, b: b @ merged + w,
        ),
        Mistake(
            "elementwise",
            "You multiply cell by cell. Every number of a row must meet a whole row of `w`: that "
            "is the matrix product, `@`.",
            lambda merged, w, b: merged * w + b,
            lambda merged, w, b: merged * w,
        ),
        Mistake(
            "residual_added",
            "You add `merged` to its own projection. In GPT-2 a sum with a shortcut follows, but "
            "it adds the input of the whole layer, and it is not part of this function.",
            lambda merged, w, b: merged @ w + b + merged,
        ),
        Mistake(
            "projected_twice",
            "You project twice. One product with `w` and one sum with `b` are the whole step.",
            lambda merged, w, b: (merged @ w + b) @ w + b,
            lambda merged, w, b: merged @ w @ w + b,
        ),
        Mistake(
            "scaled",
            "Your product is divided by a square root. Scaling belongs to scores, before softmax; "
            "the projection has none.",
            lambda merged, w, b: merged @ w / np.sqrt(w.shape[0]) + b,
            lambda merged, w, b: (merged @ w + b) / np.sqrt(w.shape[0]),
        ),
        Mistake(
            "softmax_added",
            "You return a softmax: every row sums to 1. The projection is a product and a bias, "
            "and its numbers may be negative.",
            lambda merged, w, b: _softmax(merged @ w + b),
        ),
        Mistake(
            "one_token_only",
            "You return one token. Every token has a row in the result.",
            lambda merged, w, b: merged[..., -1, :] @ w + b,
            lambda merged, w, b: merged[..., -1:, :] @ w + b,
            lambda merged, w, b: merged[..., 0, :] @ w + b,
        ),
        Mistake(
            "one_sentence_only",
            "Your function works for one sentence, but not for a batch: it counts on two axes. "
            "The product works on the last axis, however many come before it.",
            _rows_of_one_sentence,
            _two_axes,
            lambda merged, w, b: np.einsum("ti,io->to", merged, w) + b,
        ),
        Mistake(
            "integer_result",
            "Your result holds whole numbers: an array made with the integer type of `merged` cuts "
            "off what comes behind the point.",
            _project_of_integers,
            lambda merged, w, b: (merged @ w + b).astype(merged.dtype),
        ),
        Mistake(
            "merged_changed",
            "`merged` is different after the call: you write the result into the caller's array. "
            "Make a new one.",
            _project_in_place,
        ),
        Mistake(
            "list_returned",
            "The numbers are right, but you return a list. Return the NumPy array.",
            lambda merged, w, b: (merged @ w + b).tolist(),
            lambda merged, w, b: list(merged @ w + b),
        ),
        Mistake(
            "half_precision",
            "The numbers are too coarse: they went through float16. Keep the type of the input.",
            lambda merged, w, b: (merged @ w + b).astype("f2"),
            lambda merged, w, b: merged.astype("f2") @ w.astype("f2") + b.astype("f2"),
        ),
    ),
    right=(
        Right("einsum", lambda m, w, b: np.einsum("...i,io->...o", m, w) + b),
        Right("np.dot", lambda m, w, b: np.dot(m, w) + b),
        Right("tensordot", lambda m, w, b: np.tensordot(m, w, axes=1) + b),
        Right("the bias as a row of w", _bias_as_a_row),
        Right("number by number", _project_by_hand),
        Right("transposed on both sides", lambda m, w, b: _flip(w.T @ _flip(m)) + b),
        Right("np.add and np.matmul", lambda m, w, b: np.add(np.matmul(m, w), b)),
        Right("float32", lambda m, w, b: m.astype("f4") @ w.astype("f4") + b.astype("f4")),
    ),
    hints=(
        "It is the same kind of step as in `qkv_projection`: what does it do with its matrix and "
        "its bias? Only the cut into three is missing here.",
        "A token is a row, and `w` is [in, out]. One matrix product handles all tokens and all "
        "leading axes. `b` is added to every row.",
        "Multiply `merged` by `w` with `@`, then add `b`.",
    ),
)


# --- head_contributions -----------------------------------------------------------------------


def _contributions(z, w):
    return z @ _blocks(w, z.shape[-3])


def _writing(rows):
    """Contributions with other rows of w: `rows(w, h, H, d)` is what head h multiplies with."""

    def head_contributions(z, w):
        n_head, _n_tokens, d = z.shape[-3:]
        parts = [z[..., h, :, :] @ rows(w, h, n_head, d) for h in range(n_head)]
        return np.stack(parts, axis=-3)

    return head_contributions


def _own_columns_in_zeros(z, w):
    n_head, _n_tokens, d = z.shape[-3:]
    out = np.zeros((*z.shape[:-1], w.shape[1]))
    for h in range(n_head):
        own = slice(h * d, (h + 1) * d)
        out[..., h, :, own] = z[..., h, :, :] @ w[own, own]
    return out


def _merged_apart(z):
    """Each head at its place in a row of zeros: [..., H, T, D]."""
    n_head, _n_tokens, d = z.shape[-3:]
    out = np.zeros((*z.shape[:-1], n_head * d))
    for h in range(n_head):
        out[..., h, :, h * d : (h + 1) * d] = z[..., h, :, :]
    return out


def _silencing_the_others(z, w):
    parts = []
    for h in range(z.shape[-3]):
        for other in range(z.shape[-3]):
            if other != h:
                z[..., other, :, :] = 0
        parts.append(_merge(z) @ w)
    return np.stack(parts, axis=-3)


def _whole_minus_the_rest(z, w):
    whole, parts = _merge(z) @ w, []
    for h in range(z.shape[-3]):
        rest = z.astype(float)
        rest[..., h, :, :] = 0
        parts.append(whole - _merge(rest) @ w)
    return np.stack(parts, axis=-3)


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


def _heads_before_the_batch(z, w):
    n_head, _n_tokens, d = z.shape[-3:]
    return np.stack([z[..., h, :, :] @ w[h * d : (h + 1) * d] for h in range(n_head)])


def _contribution_by_contribution(z, w):
    d = z.shape[-1]
    out = np.zeros((*z.shape[:-1], w.shape[1]))
    for *leading, h, t, i in np.ndindex(*z.shape):
        index = (*leading, h, t)
        out[index] += z[index][i] * w[h * d + i]
    return out


def _heads_in_a_list(z, w):
    d = z.shape[-1]
    return [z[..., h, :, :] @ w[h * d : (h + 1) * d] for h in range(z.shape[-3])]


_Z = tidy(2, 3, 2, seed=731)
_HZ = rough(3, 5, 6, seed=732)

HEAD_CONTRIBUTIONS = Exercise(
    name="head_contributions",
    lesson=LESSON,
    visible=(
        Case("one token, two heads", (np.array([[[1.0, 0.0]], [[2.0, -1.0]]]), _W)),
        Case("three tokens, two heads", (_Z, _W)),
        Case("two tokens, three heads", (tidy(3, 2, 2, seed=733), tidy(6, 6, seed=734))),
        Case("as many tokens as heads", (tidy(2, 2, 3, seed=735), tidy(6, 6, seed=736))),
        Case("one head", (tidy(1, 3, 4, seed=737), _W)),
        Case("two sentences at once", (tidy(2, 2, 3, 2, seed=738), _W)),
        Case("three sentences, two heads", (tidy(3, 2, 2, 2, seed=739), _W)),
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
    mistakes=(
        Mistake(
            "summed",
            "You return the sum over the heads: the whole projection, without its bias. Here the "
            "contributions stay apart, one for each head: [..., H, T, D].",
            lambda z, w: _contributions(z, w).sum(axis=-3),
            lambda z, w: _merge(z) @ w,
        ),
        Mistake(
            "whole_for_every_head",
            "You return the whole projection once for every head. Each head writes only what its "
            "own d rows of `w` make of its own numbers.",
            lambda z, w: np.stack([_merge(z) @ w] * z.shape[-3], axis=-3),
            lambda z, w: np.array([_merge(z) @ w] * z.shape[-3]),
        ),
        Mistake(
            "result_split",
            "You split the whole result into heads. Its numbers belong to no head: each is made "
            "from all of them. Take the product apart instead, by the rows of `w`.",
            lambda z, w: _split(_merge(z) @ w, z.shape[-3]),
        ),
        Mistake(
            "first_rows_for_all",
            "Every head uses the first d rows of `w`. In the merged row, head 1 stands behind "
            "head 0, so it meets the next d rows.",
            _writing(lambda w, h, n_head, d: w[:d]),
        ),
        Mistake(
            "last_rows_for_all",
            "Every head uses the last d rows of `w`. In the merged row each head has its own "
            "place, and meets the rows of that place.",
            _writing(lambda w, h, n_head, d: w[-d:]),
        ),
        Mistake(
            "rows_interleaved",
            "Your heads take every H-th row of `w`. In the merged row a head lies in one piece, so "
            "it meets d rows that follow each other.",
            _writing(lambda w, h, n_head, d: w[h::n_head]),
            lambda z, w: z @ np.moveaxis(w.reshape(z.shape[-1], z.shape[-3], -1), 1, 0),
        ),
        Mistake(
            "heads_reversed",
            "Your heads use the rows of `w` in reverse order. Head 0 stands first in the merged "
            "row, and meets the first rows.",
            _writing(lambda w, h, n_head, d: _blocks(w, n_head)[n_head - 1 - h]),
            lambda z, w: _contributions(z, w)[..., ::-1, :, :],
        ),
        Mistake(
            "next_heads_rows",
            "Each of your heads uses the rows of the head after it. Heads count from 0: where do "
            "the rows of head 0 begin?",
            _writing(lambda w, h, n_head, d: _blocks(w, n_head)[(h + 1) % n_head]),
        ),
        Mistake(
            "block_too_late",
            "Your first head begins at row d, so nothing is left for the last one. Heads count "
            "from 0: where do the rows of head 0 begin?",
            _writing(lambda w, h, n_head, d: w[(h + 1) * d : (h + 2) * d]),
        ),
        Mistake(
            "overlapping_rows",
            "The rows of your heads overlap: head 1 begins at row 1. How many rows belong to head "
            "0?",
            _writing(lambda w, h, n_head, d: w[h : h + d]),
        ),
        Mistake(
            "blocks_of_n_head_rows",
            "You give each head H rows of `w`. A head has d numbers for each token, so it meets d "
            "rows.",
            _writing(lambda w, h, n_head, d: w[h * n_head : (h + 1) * n_head]),
        ),
        Mistake(
            "weights_transposed",
            "You use the columns of `w` (or its transpose) where its rows belong. `w` is [in, "
            "out]: what goes in meets the rows.",
            _writing(lambda w, h, n_head, d: w.T[h * d : (h + 1) * d]),
            _writing(lambda w, h, n_head, d: w[:, h * d : (h + 1) * d].T),
            lambda z, w: z @ _blocks(w.T, z.shape[-3]),
        ),
        Mistake(
            "does_not_fit",
            "A head has d numbers for each token, but the part of `w` that you give it has another "
            "number of rows: all of them, perhaps, or 64. Take d rows and all columns, and read d "
            "from the shape of `z`.",
            lambda z, w: z @ w,
            _writing(lambda w, h, n_head, d: w[:, h * d : (h + 1) * d]),
            _writing(lambda w, h, n_head, d: w[64 * h : 64 * h + 64]),
            lambda z, w: z @ w.reshape(z.shape[-3], w.shape[1], -1),
        ),
        Mistake(
            "own_columns_only",
            "Each of your heads writes into its own d columns only. The projection lets it write "
            "into all D: take its rows of `w` with all their columns.",
            _own_columns_in_zeros,
            _writing(lambda w, h, n_head, d: w[h * d : (h + 1) * d, h * d : (h + 1) * d]),
        ),
        Mistake(
            "not_projected",
            "You lay out the numbers of the heads, but `w` takes no part. A head's contribution is "
            "a product with its rows of `w`.",
            lambda z, w: _merged_apart(z),
            lambda z, w: z.copy(),
            lambda z, w: _merge(z),
        ),
        Mistake(
            "tokens_before_heads",
            "The numbers are right, but tokens come before heads. Return [..., H, T, D].",
            lambda z, w: _contributions(z, w).swapaxes(-2, -3).copy(),
            lambda z, w: np.stack(list(np.moveaxis(_contributions(z, w), -3, 0)), axis=-2),
        ),
        Mistake(
            "features_before_tokens",
            "The last two axes are swapped: a column for each token. Return [..., H, T, D].",
            lambda z, w: _flip(_contributions(z, w)).copy(),
        ),
        Mistake(
            "side_by_side",
            "You put the contributions side by side in one row of H * D numbers. Keep an axis for "
            "the heads: [..., H, T, D].",
            lambda z, w: _merge(_contributions(z, w)),
        ),
        Mistake(
            "one_under_the_other",
            "You put the contributions one under the other. Keep an axis for the heads: "
            "[..., H, T, D].",
            lambda z, w: np.concatenate(_heads_in_a_list(z, w), axis=-2),
        ),
        Mistake(
            "one_head_only",
            "You return the contribution of one head. Return those of all heads: [..., H, T, D].",
            lambda z, w: _contributions(z, w)[..., 0, :, :],
            lambda z, w: _contributions(z, w)[..., -1, :, :],
        ),
        Mistake(
            "divided_by_heads",
            "You divide by the number of heads. The contributions are added up, not averaged.",
            lambda z, w: _contributions(z, w) / z.shape[-3],
        ),
        Mistake(
            "added_up_head_by_head",
            "Each of your contributions holds those of the heads before it as well. A contribution "
            "is one head's alone.",
            lambda z, w: _contributions(z, w).cumsum(axis=-3),
        ),
        Mistake(
            "first_axis_taken_for_heads",
            "With one sentence the result is right. In a batch the first axis holds sentences, and "
            "you take those for heads. The heads are always on axis -3.",
            _first_axis_as_heads,
            _first_axis_filled,
            _first_axis_in_blocks,
            _three_axes_as_heads,
            _three_axes_named,
            _three_axes_counted,
        ),
        Mistake(
            "heads_before_the_batch",
            "With one sentence all is right. In a batch, the axis of the heads stands in front of "
            "the sentences. It belongs right in front of the tokens: [..., H, T, D].",
            _heads_before_the_batch,
        ),
        Mistake(
            "sizes_of_gpt2",
            "You use 12 heads, 64 numbers a head or a width of 768, whatever comes. Those are the "
            "sizes of GPT-2 small. Read them from the shape of `z`.",
            lambda z, w: z @ w.reshape(12, 64, 768),
            lambda z, w: z @ w.reshape(12, 64, -1),
            lambda z, w: z @ w.reshape(12, -1, w.shape[-1]),
            lambda z, w: z @ w.reshape(-1, 64, 768),
            lambda z, w: z @ w.reshape(-1, 64, w.shape[-1]),
        ),
        Mistake(
            "list_returned",
            "The numbers are right, but you return a list with an array for each head. Make one "
            "array of them, with the heads on axis -3.",
            _heads_in_a_list,
            lambda z, w: _contributions(z, w).tolist(),
        ),
        Mistake(
            "z_changed",
            "You silence the other heads inside `z` itself. So `z` is different after the call, "
            "and the heads that you come to later are silent already. Work on a copy, or take the "
            "rows of `w` instead.",
            _silencing_the_others,
        ),
        Mistake(
            "half_precision",
            "The numbers are too coarse: they went through float16. Keep the type of the input.",
            lambda z, w: _contributions(z, w).astype("f2"),
        ),
    ),
    right=(
        Right(
            "slices, stacked",
            _writing(lambda w, h, n_head, d: w[h * d : (h + 1) * d, :]),
        ),
        Right("einsum", lambda z, w: np.einsum("...htd,hdo->...hto", z, _blocks(w, z.shape[-3]))),
        Right("np.split", lambda z, w: z @ np.array(np.split(w, z.shape[-3]))),
        Right("each head in a row of zeros", lambda z, w: _merged_apart(z) @ w),
        Right("the whole minus the rest", _whole_minus_the_rest),
        Right("number by number", _contribution_by_contribution),
        Right(
            "split_heads on the transpose of w",
            lambda z, w: z @ _flip(_split(w.T, z.shape[-3])),
        ),
        Right("float32", lambda z, w: _contributions(z.astype("f4"), w.astype("f4"))),
    ),
    hints=(
        "In the merged row, head h stands in the columns from h * d up to (h + 1) * d. Which rows "
        "of `w` do those columns meet in the product?",
        "Each head needs its d rows of `w`, with all their columns: a block of [d, D]. Cut `w` "
        "into H such blocks, and let every head multiply its own. `z` tells you H and d.",
        "`w.reshape(n_head, d, -1)` cuts the rows into blocks, [H, d, D]. `z @ blocks` then "
        "multiplies head by head, whatever leading axes there are.",
    ),
)


# --- gpt2_attention ---------------------------------------------------------------------------


def _c_attn(x, params):
    return tuple(_thirds(x @ params["c_attn.weight"] + params["c_attn.bias"]))


def _c_proj(merged, params):
    return merged @ params["c_proj.weight"] + params["c_proj.bias"]


def _weights(q, k):
    n_new, n_all = q.shape[-2], k.shape[-2]
    scores = q @ _flip(k) / np.sqrt(q.shape[-1])
    return _softmax(np.where(_mask(n_new, n_all - n_new), scores, -np.inf))


def _whole(
    qkv=_c_attn,
    split=_split,
    seen=_append,
    weights=_weights,
    merge=_merge,
    out=_c_proj,
    kept=_append,
):
    """GPT-2's attention, right where nothing else is said."""

    def gpt2_attention(x, params, n_head, past=None):
        q, k, v = (split(part, n_head) for part in qkv(x, params))
        all_k, all_v = seen(past, k, v)
        merged = merge(weights(q, all_k) @ all_v)
        return out(merged, params), kept(past, k, v)

    return gpt2_attention


_attention = _whole()


def _scaled_by(scale):
    def weights(q, k):
        n_new, n_all = q.shape[-2], k.shape[-2]
        scores = q @ _flip(k) * scale(q, k)
        return _softmax(np.where(_mask(n_new, n_all - n_new), scores, -np.inf))

    return _whole(weights=weights)


def _masked_by(mask):
    """Another mask, from the numbers of new and old tokens."""

    def weights(q, k):
        n_new, n_all = q.shape[-2], k.shape[-2]
        scores = q @ _flip(k) / np.sqrt(q.shape[-1])
        return _softmax(np.where(mask(n_new, n_all - n_new), scores, -np.inf))

    return _whole(weights=weights)


def _weighing(formula):
    """Another formula for the weights, from scaled scores and the right mask."""

    def weights(q, k):
        n_new, n_all = q.shape[-2], k.shape[-2]
        return formula(q @ _flip(k) / np.sqrt(q.shape[-1]), _mask(n_new, n_all - n_new))

    return _whole(weights=weights)


def _appending(append):
    """Another way to append, both for what is seen and for what is returned."""
    return _whole(seen=append, kept=append)


def _biased(rule):
    """The right products, but other biases: `rule` makes them of (b_q, b_k, b_v)."""

    def qkv(x, params):
        biases = rule(*_thirds(params["c_attn.bias"]))
        products = _thirds(x @ params["c_attn.weight"])
        return tuple(part + bias for part, bias in zip(products, biases, strict=True))

    return _whole(qkv=qkv)


def _in_order(*order):
    return _whole(qkv=lambda x, params: tuple(_c_attn(x, params)[i] for i in order))


def _cached_before_bias(x, params, n_head, past=None):
    """The cache gets keys and values without their bias, and nobody adds it later."""
    out, _present = _attention(x, params, n_head, past)
    bare = (_split(part, n_head) for part in _thirds(x @ params["c_attn.weight"]))
    _q, k, v = bare
    return out, _append(past, k, v)


def _not_split_cache(x, params, n_head, past=None):
    """A cache of whole rows [..., T, D], taken apart after appending."""
    q, k, v = _c_attn(x, params)
    k, v = _append(past, k, v)
    z = _weights(_split(q, n_head), _split(k, n_head)) @ _split(v, n_head)
    return _c_proj(_merge(z), params), (k, v)


def _one_wide_head(x, params, n_head, past=None):
    q, k, v = _c_attn(x, params)
    k, v = _append(past, k, v)
    return _c_proj(_weights(q, k) @ v, params), (k, v)


def _by_heads_of(project):
    """Projections head by head: `project(z_h, h, H, params)`, added up."""

    def gpt2_attention(x, params, n_head, past=None):
        q, k, v = (_split(part, n_head) for part in _c_attn(x, params))
        k, v = _append(past, k, v)
        z = _weights(q, k) @ v
        parts = [project(z[..., h, :, :], h, n_head, params) for h in range(n_head)]
        return np.sum(parts, axis=0), (k, v)

    return gpt2_attention


def _rows_of(w, h, d):
    return w[h * d : (h + 1) * d]


def _column_blocks(z, n_head, params):
    """Each head through its own columns only, then side by side."""
    d, w = z.shape[-1], params["c_proj.weight"]
    parts = [z[..., h, :, :] @ w[h * d : (h + 1) * d, h * d : (h + 1) * d] for h in range(n_head)]
    return np.concatenate(parts, axis=-1) + params["c_proj.bias"]


def _own_columns(x, params, n_head, past=None):
    q, k, v = (_split(part, n_head) for part in _c_attn(x, params))
    k, v = _append(past, k, v)
    return _column_blocks(_weights(q, k) @ v, n_head, params), (k, v)


def _reshaped(x, n_head):
    return x.reshape(*x.shape[:-2], n_head, x.shape[-2], x.shape[-1] // n_head)


def _reshaped_back(z):
    return z.reshape(*z.shape[:-3], z.shape[-2], -1)


def _interleaved(x, n_head):
    return np.moveaxis(x.reshape(*x.shape[:-1], -1, n_head), -1, -3)


def _interleaved_back(z):
    return np.moveaxis(z, -3, -1).reshape(*z.shape[:-3], z.shape[-2], -1)


def _over_heads(scores, mask):
    scores = np.moveaxis(np.where(mask, scores, -1e10), -3, -1)
    return np.moveaxis(_softmax(scores), -1, -3) * mask


def _new_first(past, k, v):
    if past is None:
        return k, v
    return _join(k, past[0]), _join(v, past[1])


def _past_only(past, k, v):
    return (k, v) if past is None else past


def _past_not_itself(x, params, n_head, past=None):
    q, k, v = (_split(part, n_head) for part in _c_attn(x, params))
    if past is None:
        return _attention(x, params, n_head)
    old_k, old_v = past
    weights = _softmax(q @ _flip(old_k) / np.sqrt(q.shape[-1]))
    return _c_proj(_merge(weights @ old_v), params), _append(past, k, v)


def _past_reversed(past, k, v):
    if past is None:
        return k, v
    return _join(past[0][..., ::-1, :], k), _join(past[1][..., ::-1, :], v)


def _axis(axis):
    def append(past, k, v):
        if past is None:
            return k, v
        return tuple(np.concatenate(pair, axis=axis) for pair in zip(past, (k, v), strict=True))

    return append


def _added(past, k, v):
    return (k, v) if past is None else (past[0] + k, past[1] + v)


def _counted_on(axis):
    """The past's length read from an axis that holds the tokens only with or without a batch."""

    def gpt2_attention(x, params, n_head, past=None):
        q, k, v = (_split(part, n_head) for part in _c_attn(x, params))
        n_past = 0 if past is None else past[0].shape[axis]
        k, v = _append(past, k, v)
        scores = q @ _flip(k) / np.sqrt(q.shape[-1])
        mask = _mask(q.shape[-2], n_past)
        z = _softmax(np.where(mask, scores, -np.inf)) @ v
        return _c_proj(_merge(z), params), (k, v)

    return gpt2_attention


def _past_forgotten_in_the_mask(x, params, n_head, past=None):
    q, k, v = (_split(part, n_head) for part in _c_attn(x, params))
    k, v = _append(past, k, v)
    scores = q @ _flip(k) / np.sqrt(q.shape[-1])
    z = _softmax(np.where(_mask(q.shape[-2], 0), scores, -np.inf)) @ v
    return _c_proj(_merge(z), params), (k, v)


def _none_not_handled(x, params, n_head, past=None):
    q, k, v = (_split(part, n_head) for part in _c_attn(x, params))
    old_k, old_v = past
    k, v = _join(old_k, k), _join(old_v, v)
    return _c_proj(_merge(_weights(q, k) @ v), params), (k, v)


def _none_indexed(x, params, n_head, past=None):
    q, k, v = (_split(part, n_head) for part in _c_attn(x, params))
    k, v = _join(past[0], k), _join(past[1], v)
    return _c_proj(_merge(_weights(q, k) @ v), params), (k, v)


def _past_required(x, params, n_head, past):
    return _attention(x, params, n_head, past)


def _no_past_accepted(x, params, n_head):
    return _attention(x, params, n_head)


def _returning(change):
    """The right result and present, and something else is made of them on the way out."""
    return lambda x, params, n_head, past=None: change(*_attention(x, params, n_head, past))


def _with_queries(x, params, n_head, past=None):
    out, (k, v) = _attention(x, params, n_head, past)
    return out, (_split(_c_attn(x, params)[0], n_head), k, v)


def _weights_returned(x, params, n_head, past=None):
    out, (k, _v) = _attention(x, params, n_head, past)
    return out, _weights(_split(_c_attn(x, params)[0], n_head), k)


def _weights_as_third(x, params, n_head, past=None):
    out, present = _attention(x, params, n_head, past)
    weights = _weights(_split(_c_attn(x, params)[0], n_head), present[0])
    return out, present, weights


def _results_cached(x, params, n_head, past=None):
    q, k, v = (_split(part, n_head) for part in _c_attn(x, params))
    k, v = _append(past, k, v)
    z = _weights(q, k) @ v
    return _c_proj(_merge(z), params), (k, z if past is None else _join(past[1], z))


def _scaled_keys_kept(past, k, v):
    k, v = _append(past, k, v)
    return k / np.sqrt(k.shape[-1]), v


def _normalised_first(x, params, n_head, past=None):
    centred = x - x.mean(axis=-1, keepdims=True)
    x = centred / np.sqrt(x.var(axis=-1, keepdims=True) + 1e-5)
    return _attention(x, params, n_head, past)


def _residual(x, params, n_head, past=None):
    out, present = _attention(x, params, n_head, past)
    return out + x, present


def _residual_in_place(x, params, n_head, past=None):
    out, present = _attention(x, params, n_head, past)
    x += out.astype(x.dtype)
    return x, present


def _takes_params_apart(x, params, n_head, past=None):
    out, present = _attention(x, params, n_head, past)
    params.pop("c_proj.bias")
    return out, present


def _adds_bias_into_params(x, params, n_head, past=None):
    out, present = _attention(x, params, n_head, past)
    params["c_proj.bias"] += 1
    return out, present


def _writes_into_past(x, params, n_head, past=None):
    out, present = _attention(x, params, n_head, past)
    if past is not None:
        past[0][..., -1, :] = present[0][..., -1, :]
    return out, present


class _Remembering:
    """Keeps a cache of its own from call to call and does not look at the one it is given."""

    def __init__(self):
        self.past = None

    def __call__(self, x, params, n_head, past=None):
        if past is None:
            self.past = None
        out, self.past = _attention(x, params, n_head, self.past)
        return out, self.past


def _named(**renamed):
    """Asks for parameters under other names."""

    def gpt2_attention(x, params, n_head, past=None):
        known = {
            name: params[renamed.get(name.replace(".", "_"), name)]
            for name in ("c_attn.weight", "c_attn.bias", "c_proj.weight", "c_proj.bias")
        }
        return _attention(x, known, n_head, past)

    return gpt2_attention


def _with_prefix(prefix):
    def gpt2_attention(x, params, n_head, past=None):
        names = ("c_attn.weight", "c_attn.bias", "c_proj.weight", "c_proj.bias")
        return _attention(x, {name: params[prefix + name] for name in names}, n_head, past)

    return gpt2_attention


def _contributed(finish):
    """What `finish` makes of the heads' contributions and the bias."""

    def gpt2_attention(x, params, n_head, past=None):
        q, k, v = (_split(part, n_head) for part in _c_attn(x, params))
        k, v = _append(past, k, v)
        parts = _contributions(_weights(q, k) @ v, params["c_proj.weight"])
        return finish(parts, params["c_proj.bias"]), (k, v)

    return gpt2_attention


def _appended_before_the_split(x, params, n_head, past=None):
    q, k, v = _c_attn(x, params)
    q, k, v = (_split(part, n_head) for part in (q, *_append(past, k, v)))
    return _c_proj(_merge(_weights(q, k) @ v), params), (k, v)


def _pair_merged(x, params, n_head, past=None):
    q, k, v = (_split(part, n_head) for part in _c_attn(x, params))
    k, v = _append(past, k, v)
    return _c_proj(_merge((_weights(q, k) @ v, (k, v))), params)


def _half(past, k, v):
    return tuple(part.astype("f2") for part in _append(past, k, v))


def _token_by_token(x, params, n_head, past=None):
    rows = []
    for t in range(x.shape[-2]):
        out, past = _attention(x[..., t : t + 1, :], params, n_head, past)
        rows.append(out)
    return np.concatenate(rows, axis=-2), past


def _head_by_head(x, params, n_head, past=None):
    d = x.shape[-1] // n_head
    w, b = params["c_attn.weight"], params["c_attn.bias"]
    out, keys, values = params["c_proj.bias"], [], []
    for h in range(n_head):
        q, k, v = (
            x @ w[:, c : c + d] + b[c : c + d] for c in range(h * d, 3 * n_head * d, n_head * d)
        )
        old = None if past is None else tuple(part[..., h, :, :] for part in past)
        k, v = _append(old, k, v)
        out = out + _weights(q, k) @ v @ _rows_of(params["c_proj.weight"], h, d)
        keys.append(k)
        values.append(v)
    return out, [np.stack(keys, axis=-3), np.stack(values, axis=-3)]


def _by_einsum(x, params, n_head, past=None):
    width = x.shape[-1]
    w = params["c_attn.weight"].reshape(width, 3, n_head, -1)
    b = params["c_attn.bias"].reshape(3, n_head, 1, -1)
    q, k, v = np.moveaxis(np.einsum("...ti,ipho->...phto", x, w) + b, -4, 0)
    k, v = _append(past, k, v)
    w = params["c_proj.weight"].reshape(n_head, -1, width)
    return np.einsum("...hts,...hsd,hdo->...to", _weights(q, k), v, w) + params["c_proj.bias"], (
        k,
        v,
    )


def _single(x, params, n_head, past=None):
    params = {name: array.astype("f4") for name, array in params.items()}
    past = past and tuple(part.astype("f4") for part in past)
    return _attention(x.astype("f4"), params, n_head, past)


def _from_an_empty_past(x, params, n_head, past=None):
    if past is None:
        empty = np.zeros((*x.shape[:-2], n_head, 0, x.shape[-1] // n_head))
        past = (empty, empty)
    return _attention(x, params, n_head, past)


def _params(width, seed, make=_small):
    return {
        "c_attn.weight": make(width, 3 * width, seed=seed),
        "c_attn.bias": make(3 * width, seed=seed + 1),
        "c_proj.weight": make(width, width, seed=seed + 2),
        "c_proj.bias": make(width, seed=seed + 3),
    }


def _calm(*shape, seed):
    """Weights that keep scores and results near 1, as those of a trained model do."""
    return rough(*shape, seed=seed) / (np.sqrt(shape[0]) if len(shape) > 1 else 2)


def _past(n_head, n_past, d, *leading, seed, make=tidy):
    return (
        make(*leading, n_head, n_past, d, seed=seed),
        make(*leading, n_head, n_past, d, seed=seed + 1),
    )


def _far_below_zero(n_head, seed):
    """Parameters of whole numbers with scores near -20,000: a weak mask leaks there.

    Heads of 4 numbers; two of them are 100 in every query and -200 in every key. The division by
    2 is exact, so float32 gives the same weights.
    """
    random = np.random.default_rng(seed)
    width = 4 * n_head
    c_attn = random.integers(-1, 2, size=(width, 3 * width)).astype(float)
    bias = np.zeros(3 * width)
    loud = np.arange(width) % 4 < 2
    c_attn[:, : 2 * width][:, np.tile(loud, 2)] = 0
    bias[:width][loud], bias[width : 2 * width][loud] = 100, -200
    return {
        "c_attn.weight": c_attn,
        "c_attn.bias": bias,
        "c_proj.weight": tidy(width, width, seed=seed + 1),
        "c_proj.bias": tidy(width, seed=seed + 2),
    }


def _far_ahead(width, seed):
    """Tokens and parameters: the last key's score is above 1,000 for every query.

    All queries are the same. The key of a token is its first number, 1,000 times, and the last
    token alone has one.
    """
    params = _params(width, seed=seed, make=_calm)
    weight, bias = params["c_attn.weight"], params["c_attn.bias"]
    weight[:, : 2 * width], bias[: 2 * width] = 0, 0
    bias[:width], weight[0, width : 2 * width] = 2, 1000
    x = rough(2, 5, width, seed=seed + 4)
    x[..., 0] = [0, 0, 0, 0, 1]
    return x, params


def _small_whole_numbers(*shape, seed):
    return np.random.default_rng(seed).integers(-1, 2, size=shape).astype(float)


_P4, _P6 = _params(4, seed=800), _params(6, seed=810)
_HP = _params(18, seed=820, make=_calm)

_KEYS_THEN_VALUES = "The cache is a pair `(k, v)`: keys first, then values."

GPT2_ATTENTION = Exercise(
    name="gpt2_attention",
    lesson=LESSON,
    visible=(
        Case("two tokens, two heads", (tidy(2, 4, seed=830), _P4, 2)),
        Case("three tokens, three heads, no past", (tidy(3, 6, seed=831), _P6, 3, None)),
        Case(
            "one new token after three",
            (tidy(1, 4, seed=832), _P4, 2, _past(2, 3, 2, seed=833)),
        ),
        Case(
            "two new tokens after two, three heads",
            (tidy(2, 6, seed=835), _P6, 3, _past(3, 2, 2, seed=836)),
        ),
        Case("one head", (tidy(3, 4, seed=838), _P4, 1, _past(1, 2, 4, seed=839))),
        Case(
            "two sentences at once",
            (tidy(2, 3, 6, seed=841), _P6, 2, _past(2, 4, 3, 2, seed=842)),
        ),
        Case(
            "scores near -20,000",
            (_small_whole_numbers(3, 8, seed=844), _far_below_zero(2, seed=845), 2),
        ),
        late("whole numbers", (np.array([[1, 0, 2, -1], [0, 1, 1, 1]]), _P4, 2)),
    ),
    hidden=(
        Case("other sizes", (rough(5, 18, seed=850), _HP, 3)),
        Case(
            "a long past",
            (rough(5, 18, seed=851), _HP, 3, _past(3, 7, 6, seed=852, make=rough)),
        ),
        Case(
            "one token after a past",
            (rough(1, 18, seed=854), _HP, 6, _past(6, 4, 3, seed=855, make=rough)),
        ),
        Case(
            "two sentences with a past",
            (rough(2, 5, 18, seed=858), _HP, 3, _past(3, 7, 6, 2, seed=859, make=rough)),
        ),
        Case(
            "a grid of sentences",
            (rough(2, 4, 3, 18, seed=861), _HP, 3, _past(3, 2, 6, 2, 4, seed=862, make=rough)),
        ),
        Case("one head", (rough(5, 18, seed=864), _HP, 1)),
        Case(
            "as many heads as tokens",
            (rough(3, 18, seed=865), _HP, 3, _past(3, 3, 6, seed=866, make=rough)),
        ),
        Case(
            "scores far below zero",
            (_small_whole_numbers(5, 12, seed=868), _far_below_zero(3, seed=869), 3),
        ),
        Case("whole numbers", (np.arange(12).reshape(3, 4) % 5 - 2, _params(4, seed=805), 2)),
        late("a later token with a far higher score", (*_far_ahead(6, seed=890), 2)),
        *(
            late(
                "the same tokens, another number of heads",
                (rough(3, 18, seed=896), _HP, n, _past(n, 4, 18 // n, seed=897, make=rough)),
            )
            for n in (1, 2, 9, 18)
        ),
        late(
            "a very long past",
            (
                rough(2, 4, seed=900),
                _params(4, seed=901),
                2,
                _past(2, FAR, 2, seed=905, make=rough),
            ),
        ),
        late("a long text", (rough(LONG, 4, seed=907), _params(4, seed=908), 2)),
        late(
            "a long text after a past",
            (
                rough(LONG, 4, seed=912),
                _params(4, seed=913),
                1,
                _past(1, 2, 4, seed=917, make=rough),
            ),
        ),
        late(
            "many features",
            (
                rough(3, 130, seed=919),
                _params(130, seed=920, make=_calm),
                13,
                _past(13, 2, 10, seed=924, make=rough),
            ),
        ),
        late(
            "all sizes equal",
            (
                rough(4, 4, 4, seed=926),
                _params(4, seed=927),
                4,
                _past(4, 4, 1, 4, seed=931, make=rough),
            ),
        ),
        late(
            "as many heads as features in each",
            (rough(3, 4, seed=933), _params(4, seed=934), 2, _past(2, 2, 2, seed=938, make=rough)),
        ),
        late(
            "one token after one",
            (
                rough(1, 1, 2, seed=940),
                _params(2, seed=941),
                1,
                _past(1, 1, 2, 1, seed=945, make=rough),
            ),
        ),
    ),
    promises=(
        Promise(
            "every way to cut a text into pieces gives what one pass gives",
            "every_cut_is_one_pass",
            (-2, tidy(4, 4, seed=870), (_P4, 2), [3, 1], [1, 1, 2], [1, 1, 1, 1]),
            (-2, rough(2, 9, 18, seed=871), (_HP, 3), [4, 1, 3, 1], [1] * 9, [2, 7]),
        ),
        Promise(
            "other keys or values in the past give another result: nothing old is computed again",
            "cache_is_used",
            (tidy(2, 4, seed=872), _P4, 2, _past(2, 3, 2, seed=873)),
            (rough(2, 5, 18, seed=875), _HP, 3, _past(3, 7, 6, 2, seed=876, make=rough)),
        ),
        Promise(
            "changing a token leaves the results before it as they are",
            "the_future_changes_nothing",
            (tidy(4, 4, seed=878), _P4, 2),
            (rough(2, 5, 18, seed=879), _HP, 3, _past(3, 2, 6, 2, seed=880, make=rough)),
        ),
        Promise(
            "every sentence of a batch gives what it gives alone",
            "every_example_alone",
            (1, tidy(2, 3, 4, seed=882), _P4, 2),
            (1, rough(3, 5, 18, seed=883), _HP, 3),
        ),
    ),
    mistakes=(
        # the projection at the end
        Mistake(
            "not_projected",
            "Your result is the merged row: the heads lie side by side and are not mixed. The last "
            "step is your `project`, with `c_proj`.",
            _whole(out=lambda merged, params: merged),
        ),
        Mistake(
            "no_proj_bias",
            "The bias of `c_proj` is missing in your result. Use your `project`.",
            _whole(out=lambda merged, params: merged @ params["c_proj.weight"]),
        ),
        Mistake(
            "proj_transposed",
            "You project with the transposed weights. `c_proj.weight` is [in, out]: your `project` "
            "takes it as it is.",
            _whole(
                out=lambda merged, params: (
                    merged @ params["c_proj.weight"].T + params["c_proj.bias"]
                )
            ),
        ),
        Mistake(
            "proj_bias_first",
            "You add the bias of `c_proj` before the product. It belongs to the result.",
            _whole(
                out=lambda merged, params: (
                    (merged + params["c_proj.bias"]) @ params["c_proj.weight"]
                )
            ),
        ),
        Mistake(
            "proj_bias_for_every_head",
            "Your result holds the bias of `c_proj` once for every head. The contributions of the "
            "heads have none: it is added once, to their sum.",
            _by_heads_of(
                lambda z, h, n_head, params: (
                    z @ _rows_of(params["c_proj.weight"], h, z.shape[-1]) + params["c_proj.bias"]
                )
            ),
        ),
        Mistake(
            "first_rows_for_all_heads",
            "All your heads go through the first d rows of `c_proj.weight`. Each head has rows of "
            "its own. Merging first and projecting then does that by itself.",
            _by_heads_of(
                lambda z, h, n_head, params: (
                    z @ params["c_proj.weight"][: z.shape[-1]] + params["c_proj.bias"] / n_head
                )
            ),
        ),
        Mistake(
            "every_head_by_itself",
            "Each head writes into its own d columns only, so heads are never mixed. Merge first, "
            "then project with the whole of `c_proj.weight`.",
            _own_columns,
        ),
        Mistake(
            "contributions_not_summed",
            "You return the contributions of the heads, side by side or on an axis of their own. "
            "They are added up, and the bias is added once. Your `project` does both.",
            _contributed(lambda parts, bias: _merge(parts)),
            _contributed(lambda parts, bias: _merge(parts + bias)),
            _contributed(lambda parts, bias: parts),
            _contributed(lambda parts, bias: parts + bias),
        ),
        Mistake(
            "contributions_summed_over_axis_0",
            "With one sentence the result is right. In a batch axis 0 holds sentences, and you add "
            "those up. The heads are on axis -3.",
            _contributed(lambda parts, bias: parts.sum(axis=0) + bias),
        ),
        Mistake(
            "projected_with_c_attn",
            "You project with a part of `c_attn`. The projection at the end has weights of its "
            "own: `c_proj`.",
            _whole(
                out=lambda merged, params: (
                    merged @ params["c_attn.weight"][:, : merged.shape[-1]]
                    + params["c_attn.bias"][: merged.shape[-1]]
                )
            ),
        ),
        Mistake(
            "residual_added",
            "You add `x` to the result. In GPT-2 that sum comes after attention, and it adds what "
            "the layer got, before it was normalised. It is not part of this function.",
            _residual,
        ),
        Mistake(
            "normalised_inside",
            "You normalise `x` first. In GPT-2 that step, ln_1, comes before attention and is not "
            "part of this function: take `x` as it is.",
            _normalised_first,
        ),
        # the projection at the beginning
        Mistake(
            "no_qkv_bias",
            "The bias of `c_attn` is missing in your queries, keys and values. Use your "
            "`qkv_projection`: it adds `b` before it cuts.",
            _biased(lambda b_q, b_k, b_v: (0, 0, 0)),
        ),
        Mistake(
            "no_query_bias",
            "The queries have no bias. `c_attn.bias` holds a third for each of the three.",
            _biased(lambda b_q, b_k, b_v: (0, b_k, b_v)),
        ),
        Mistake(
            "no_key_bias",
            "Your keys have no bias. In one pass that never shows in the result, but it does "
            "in `present`, and in every result that uses a past.",
            _biased(lambda b_q, b_k, b_v: (b_q, 0, b_v)),
        ),
        Mistake(
            "no_value_bias",
            "The values have no bias. `c_attn.bias` holds a third for each of the three.",
            _biased(lambda b_q, b_k, b_v: (b_q, b_k, 0)),
        ),
        Mistake(
            "qkv_order",
            "The columns of `c_attn` are queries, then keys, then values; you take them in another "
            "order. Use your `qkv_projection`.",
            _in_order(1, 0, 2),
            _in_order(2, 1, 0),
            _in_order(0, 2, 1),
            _in_order(1, 2, 0),
            _in_order(2, 0, 1),
        ),
        Mistake(
            "every_third_column",
            "You take every third column of `c_attn` for the queries, and so on. They lie in three "
            "blocks. Use your `qkv_projection`.",
            _whole(
                qkv=lambda x, params: tuple(
                    (x @ params["c_attn.weight"] + params["c_attn.bias"])[..., i::3]
                    for i in range(3)
                )
            ),
        ),
        Mistake(
            "x_not_projected",
            "You use `x` itself as queries, keys and values. They come from `c_attn`.",
            _whole(qkv=lambda x, params: (x, x, x)),
        ),
        # heads
        Mistake(
            "one_wide_head",
            "You attend with one head of full width. The shape of the result does not show it. "
            "Split queries, keys and values into `n_head` heads first.",
            _one_wide_head,
            _whole(split=lambda x, n_head: _split(x, 1)),
        ),
        Mistake(
            "n_head_is_12",
            "You always split into 12 heads. That is the number in GPT-2 small. Use `n_head`.",
            _whole(split=lambda x, n_head: _split(x, 12)),
        ),
        Mistake(
            "split_reshaped_only",
            "You cut heads with a reshape alone, so heads hold numbers of several tokens. Use your "
            "`split_heads`.",
            _whole(split=_reshaped),
        ),
        Mistake(
            "merge_reshaped_only",
            "You merge with a reshape alone, so a row holds numbers of several tokens. Use your "
            "`merge_heads`.",
            _whole(merge=_reshaped_back),
        ),
        Mistake(
            "both_reshaped_only",
            "You split and merge with a reshape alone. The two undo each other, but attention in "
            "between works on mixed tokens. Use your `split_heads` and `merge_heads`.",
            _whole(split=_reshaped, merge=_reshaped_back),
        ),
        Mistake(
            "split_interleaved",
            "Your heads take every H-th feature. Head h has d features that follow each other. Use "
            "your `split_heads`.",
            _whole(split=_interleaved),
            _whole(split=_interleaved, merge=_interleaved_back),
        ),
        Mistake(
            "merge_interleaved",
            "You merge number by number: the first of every head, then the second. So the rows of "
            "`c_proj.weight` meet the wrong numbers. Use your `merge_heads`.",
            _whole(merge=_interleaved_back),
        ),
        Mistake(
            "merge_reversed",
            "You merge the heads in reverse order, so they meet the wrong rows of `c_proj.weight`. "
            "Head 0 comes first.",
            _whole(merge=lambda z: _merge(z[..., ::-1, :, :])),
        ),
        Mistake(
            "not_merged",
            "You project the heads before they are merged: a head has d numbers, but "
            "`c_proj.weight` takes in all D. Use your `merge_heads` first.",
            _whole(merge=lambda z: z),
        ),
        Mistake(
            "heads_summed",
            "You add up the heads, or take their mean. They are put side by side: H times d "
            "numbers, as many as `c_proj` takes in.",
            _whole(merge=lambda z: z.sum(axis=-3)),
            _whole(merge=lambda z: z.mean(axis=-3)),
        ),
        # weights
        Mistake(
            "not_scaled",
            "Your weights are too sharp: the scores are not scaled. Use your `attend_with_cache`.",
            _scaled_by(lambda q, k: 1.0),
        ),
        Mistake(
            "scaled_twice",
            "Your weights are too flat: the scores are scaled twice (or divided by d).",
            _scaled_by(lambda q, k: 1 / q.shape[-1]),
        ),
        Mistake(
            "scaled_by_model_width",
            "You scale by the square root of D, the width of the whole model. The scale is the "
            "square root of d, the size of one head.",
            _scaled_by(lambda q, k: (q.shape[-1] * q.shape[-3]) ** -0.5),
        ),
        Mistake(
            "scaled_by_heads",
            "You scale by the square root of the number of heads. The scale is the square root of "
            "d, the size of one head.",
            _scaled_by(lambda q, k: q.shape[-3] ** -0.5),
        ),
        Mistake(
            "scale_is_8",
            "You divide by 8. That is right only for heads of 64 numbers, as in GPT-2.",
            _scaled_by(lambda q, k: 1 / 8),
        ),
        Mistake(
            "scaled_by_tokens",
            "You scale by the square root of a number of tokens. The scale is the square root of "
            "d, the size of one head.",
            _scaled_by(lambda q, k: k.shape[-2] ** -0.5),
            _scaled_by(lambda q, k: q.shape[-2] ** -0.5),
        ),
        Mistake(
            "nothing_hidden",
            "Your tokens see tokens that come after them. Is there a mask, with and without a "
            "past?",
            _masked_by(lambda n, p: True),
            _masked_by(lambda n, p: True if p else _mask(n, p)),
        ),
        Mistake(
            "mask_top_left",
            "With a past your mask starts in the upper left corner: the first new token sees only "
            "the oldest one. How many columns come before the new tokens?",
            _masked_by(lambda n, p: np.tri(n, p + n, dtype=bool)),
        ),
        Mistake(
            "mask_without_past",
            "Your mask has columns for the new tokens only; with a past the scores have more. Use "
            "your `cached_causal_mask`.",
            _past_forgotten_in_the_mask,
        ),
        Mistake(
            "mask_inverted",
            "Your tokens see only what they should not see. In the mask True means: may look.",
            _masked_by(lambda n, p: ~_mask(n, p)),
        ),
        Mistake(
            "not_itself",
            "Your tokens do not see themselves; the very first one then sees nothing, which gives "
            "nan.",
            _masked_by(lambda n, p: np.tri(n, p + n, p - 1, dtype=bool)),
        ),
        Mistake(
            "one_too_many",
            "Each of your tokens sees its successor as well. Its last visible column is its own.",
            _masked_by(lambda n, p: np.tri(n, p + n, p + 1, dtype=bool)),
        ),
        Mistake(
            "hidden_scores_zero",
            "Hidden tokens still get weight: a score of 0 is an ordinary score. Use your "
            "`masked_softmax`.",
            _weighing(lambda scores, mask: _softmax(scores * mask)),
        ),
        Mistake(
            "weak_mask",
            "Your mask puts a number such as -10,000 in place of a score. Here true scores are "
            "lower than that, and the future leaks in. Use minus infinity.",
            _weighing(lambda scores, mask: _softmax(np.where(mask, scores, -1e4))),
            _weighing(lambda scores, mask: _softmax(np.where(mask, scores, -1e3))),
        ),
        Mistake(
            "masked_after_softmax",
            "You hide tokens after softmax, so rows of weights no longer sum to 1. Hide their "
            "scores before softmax.",
            _weighing(lambda scores, mask: _softmax(scores) * mask),
        ),
        Mistake(
            "softmax_over_heads",
            "Your weights sum to 1 over the heads. Each head has rows of its own, and each row "
            "sums to 1 over its keys: the last axis.",
            _weighing(_over_heads),
        ),
        Mistake(
            "no_softmax",
            "You blend the values with the scores themselves. Softmax comes first: it turns scores "
            "into weights.",
            _weighing(lambda scores, mask: scores * mask),
        ),
        Mistake(
            "keys_as_values",
            "You blend the keys. Keys are for matching; the values carry the content.",
            _whole(seen=lambda past, k, v: (_append(past, k, v)[0],) * 2),
        ),
        # the past
        Mistake(
            "past_not_used",
            "Your new tokens see only each other: whatever `past` holds, the result is the same. "
            "Append their keys and values to the past, then attend.",
            _whole(seen=lambda past, k, v: (k, v)),
            lambda x, params, n_head, past=None: _attention(x, params, n_head),
        ),
        Mistake(
            "new_not_seen",
            "Your new tokens see the past, but not themselves. Append first, then attend.",
            _past_not_itself,
        ),
        Mistake(
            "new_first",
            "Your new keys and values stand in front of the past. For one new token the result is "
            "the same, for two it is not. Append at the end.",
            _appending(_new_first),
            _whole(seen=_new_first),
            _whole(kept=_new_first),
        ),
        Mistake(
            "past_reordered",
            "Your results are right, but in `present` the old tokens have changed their order. No "
            "output shows that. Keep the order of the sentence.",
            _whole(kept=_past_reversed),
            _appending(_past_reversed),
        ),
        Mistake(
            "present_of_new_tokens",
            "Your `present` holds the new tokens only. OpenAI's code returns that and joins "
            "elsewhere; here `present` holds the past and the new tokens.",
            _whole(kept=lambda past, k, v: (k, v)),
        ),
        Mistake(
            "past_returned",
            "You return the past as it came. The next call needs it with the new keys and values.",
            _whole(kept=_past_only),
            _whole(kept=lambda past, k, v: past),
        ),
        Mistake(
            "appended_twice",
            "The new tokens are in your `present` twice. Append once, and use the result for both: "
            "to attend and to return.",
            _whole(kept=lambda past, k, v: _append(_append(past, k, v), k, v)),
        ),
        Mistake(
            "appended_twice_and_seen",
            "The new tokens, or the old ones, are in your cache twice, and are seen twice. "
            "`attend_with_cache` appends by itself: hand it the new keys and values alone.",
            _appending(lambda past, k, v: _append(_append(past, k, v), k, v)),
            _appending(lambda past, k, v: _append(past, *_append(past, k, v))),
        ),
        Mistake(
            "appended_before_the_split",
            "You append whole rows of D numbers to a past that is split into heads. Split the new "
            "queries, keys and values first.",
            _appended_before_the_split,
        ),
        Mistake(
            "newest_lost",
            "The newest token is missing in your `present`. Later tokens must see it, too.",
            _whole(kept=lambda past, k, v: tuple(a[..., :-1, :] for a in _append(past, k, v))),
        ),
        Mistake(
            "cached_before_the_bias",
            "Your `present` holds keys and values without their bias. This pass is right; the next "
            "one would use old tokens without bias. Keep them as attention uses them.",
            _cached_before_bias,
        ),
        Mistake(
            "cached_without_heads",
            "Your results are right, but `present` holds whole rows of D numbers. Keep keys and "
            "values as the heads use them: [..., H, T, d].",
            _not_split_cache,
            _returning(lambda out, present: (out, tuple(_merge(part) for part in present))),
        ),
        Mistake(
            "scaled_keys_kept",
            "Your `present` holds keys divided by sqrt(d). At the next step they would be divided "
            "again. Keep the keys as they come.",
            _whole(kept=_scaled_keys_kept),
        ),
        Mistake(
            "present_exchanged",
            "Keys and values have changed places in your `present`. " + _KEYS_THEN_VALUES,
            _returning(lambda out, present: (out, present[::-1])),
        ),
        Mistake(
            "keys_twice",
            "Your `present` holds the keys twice. " + _KEYS_THEN_VALUES,
            _returning(lambda out, present: (out, (present[0], present[0]))),
        ),
        Mistake(
            "queries_cached",
            "Your `present` holds three arrays, the queries too. An old query is never used again. "
            + _KEYS_THEN_VALUES,
            _with_queries,
        ),
        Mistake(
            "results_cached",
            "Your `present` holds results of the heads in place of values. Later tokens blend the "
            "values anew, with weights of their own.",
            _results_cached,
        ),
        Mistake(
            "axis_0",
            "You join past and new tokens along axis 0: those are heads, or sentences. Tokens are "
            "on axis -2.",
            _appending(_axis(0)),
        ),
        Mistake(
            "axes_counted_from_the_front",
            "Your function works for one sentence or for a batch, but not for both: an axis is "
            "counted from the front. In the past the tokens are on axis -2, whatever comes before.",
            _appending(_axis(1)),
            _appending(_axis(2)),
            _counted_on(0),
            _counted_on(1),
            _counted_on(2),
        ),
        Mistake(
            "past_added",
            "You add the new keys to the old ones. Put them behind the old ones: a row for each "
            "token.",
            _appending(_added),
        ),
        Mistake(
            "none_not_handled",
            "The first call has no past: then `past` is None and cannot be taken apart. Let "
            "`append_kv` or `attend_with_cache` deal with that.",
            _none_not_handled,
            _none_indexed,
        ),
        Mistake(
            "past_is_required",
            "Your function cannot be called without `past`. Keep `past=None` in its first line.",
            _past_required,
        ),
        Mistake(
            "past_not_accepted",
            "Your function does not take a `past`. Keep `past=None` in its first line.",
            _no_past_accepted,
        ),
        Mistake(
            "remembers_by_itself",
            "Your function keeps a cache of its own from call to call. Two texts would then mix. "
            "Everything it needs comes in as an argument.",
            _Remembering(),
        ),
        # what is returned, names, and arguments that change
        Mistake(
            "returned_in_wrong_order",
            "You return `present` first. Return the result first and the keys and values second: "
            "`return out, present`.",
            _returning(lambda out, present: (present, out)),
        ),
        Mistake(
            "present_not_returned",
            "You return only the result. Return the keys and values as well: "
            "`return out, present`.",
            _returning(lambda out, present: out),
        ),
        Mistake(
            "weights_returned",
            "Your second value holds the weights. Return `present`, the keys and values: weights "
            "are not needed again.",
            _weights_returned,
        ),
        Mistake(
            "three_returned",
            "You return three values. Return two: the result, and the pair of keys and values.",
            _weights_as_third,
            _returning(lambda out, present: (out, *present)),
        ),
        Mistake(
            "last_row_only",
            "You return the result of the last token only. Every new token has a row.",
            _returning(lambda out, present: (out[..., -1:, :], present)),
            _returning(lambda out, present: (out[..., -1, :], present)),
        ),
        Mistake(
            "result_not_taken_apart",
            "`attend_with_cache` returns two things, the result and the cache. You hand on both as "
            "if they were one array. Give each a name of its own.",
            _pair_merged,
        ),
        Mistake(
            "weight_and_bias_exchanged",
            "You call a function with the bias where the weight belongs. It takes the weight "
            "first, then the bias.",
            _whole(
                out=lambda merged, params: merged @ params["c_proj.bias"] + params["c_proj.weight"]
            ),
            _whole(
                qkv=lambda x, params: _thirds(x @ params["c_attn.bias"] + params["c_attn.weight"])
            ),
        ),
        Mistake(
            "other_names",
            "You look for a parameter under another name. The dictionary has `c_attn.weight`, "
            "`c_attn.bias`, `c_proj.weight` and `c_proj.bias`, without anything in front.",
            _with_prefix("attn."),
            _with_prefix("h.0.attn."),
            _named(c_attn_weight="c_attn"),
            _named(c_attn_weight="c_attn.w"),
            _named(c_attn_weight="c_attn_weight"),
            _named(c_attn_weight="weight"),
        ),
        Mistake(
            "x_changed",
            "`x` is different after the call: `+=` writes into the caller's array. (And the sum "
            "with `x` is not part of this function.)",
            _residual_in_place,
        ),
        Mistake(
            "params_changed",
            "`params` is different after the call: you take an entry out, or write into one. The "
            "caller needs it again for the next token.",
            _takes_params_apart,
            _adds_bias_into_params,
        ),
        Mistake(
            "past_changed",
            "The results are right, but the past that you were given is different after the call. "
            "Its owner may still need it. Build a new one.",
            _writes_into_past,
        ),
        Mistake(
            "half_precision",
            "The numbers are too coarse: they went through float16. Keep the type of the input.",
            _whole(kept=_half),
            _appending(_half),
            _returning(lambda out, present: (out.astype("f2"), present)),
        ),
    ),
    right=(
        Right("token by token", _token_by_token),
        Right("head by head, contributions added up", _head_by_head),
        Right("einsum without split or merge", _by_einsum),
        Right("lists", _returning(lambda out, present: [out, list(present)])),
        Right("a stacked present", _returning(lambda out, present: (out, np.stack(present)))),
        Right("an empty past at first", _from_an_empty_past),
        Right("float32", _single),
        Right("mask of -1e10", _weighing(lambda s, m: _softmax(np.where(m, s, -1e10)))),
        Right("an added mask", _weighing(lambda s, m: _softmax(s + np.where(m, 0.0, -np.inf)))),
        Right(
            "queries scaled first",
            lambda x, params, n_head, past=None: _scaled_queries(x, params, n_head, past),
        ),
        Right(
            "a bias for every head, shared out",
            _by_heads_of(
                lambda z, h, n_head, params: (
                    z @ _rows_of(params["c_proj.weight"], h, z.shape[-1])
                    + params["c_proj.bias"] / n_head
                )
            ),
        ),
    ),
    hints=(
        "Five steps, and you have a function for each: project, split, attend with the cache, "
        "merge, project. Which of them uses `c_attn`, and which uses `c_proj`?",
        "`past` is the cache of all heads: [..., H, T, d]. So split first; your "
        "`attend_with_cache` takes any leading axes, appends, and gives back the new cache. That "
        "is `present`.",
        'Take `q, k, v` from `qkv_projection(x, params["c_attn.weight"], params["c_attn.bias"])`, '
        "split each, and call `z, present = attend_with_cache(q, k, v, past)`. Then `project` what "
        "`merge_heads(z)` gives, with the two parts of `c_proj`.",
    ),
)


def _scaled_queries(x, params, n_head, past):
    q, k, v = (_split(part, n_head) for part in _c_attn(x, params))
    k, v = _append(past, k, v)
    n_new, n_all = q.shape[-2], k.shape[-2]
    scores = q / np.sqrt(q.shape[-1]) @ _flip(k)
    weights = _softmax(np.where(_mask(n_new, n_all - n_new), scores, -np.inf))
    return _c_proj(_merge(weights @ v), params), (k, v)


EXERCISES = (PROJECT, HEAD_CONTRIBUTIONS, GPT2_ATTENTION)

QUESTIONS = (
    Question(
        id="05-mixed",
        right="b",
        replies={
            "a": "In the merged row that is so. But a product with a matrix makes each number of "
            "the result from all 128 numbers of the row. Run the next cell.",
            "b": "Head 0 has 32 places in the merged row. Each number of the product is made from "
            "all 128, so head 0 is in every one of them.",
            "c": "After the product, yes. But in the merged row each head has its own 32 places, "
            "and the others do not know about head 0. Run the next cell.",
        },
    ),
    Question(
        id="05-why-mix",
        right="b",
        replies={
            "a": "It could: its weights say where it looks, and they come before the merge.",
            "b": "Its 32 numbers would always be 0 to 31 of the result. Its rows of `w` have 128 "
            "columns: through them it reaches every number.",
            "c": "Values may be negative, and so may a blend of them. That needs no projection.",
        },
    ),
    Question(
        id="05-rows",
        right=704,
        replies={
            "right": "Eleven heads come before it: 11 times 64. Its rows are 704 to 767.",
            "wrong": "Head 0 has the rows 0 to 63, head 1 begins at 64. How many heads come before "
            "head 11, and how many rows do they have together?",
        },
    ),
    Question(
        id="05-why-bias",
        right=3,
        replies={
            "right": "The sum holds `b` four times, once for each head. It belongs there once. So "
            "contributions have no bias.",
            "wrong": "There are 4 contributions, and each holds `b`. How often is `b` in their "
            "sum, and how often does it belong there?",
        },
    ),
    Question(
        id="05-lengths",
        right="b",
        replies={
            "a": "It would be if all rows pointed the same way. Where one row has a positive "
            "number and another a negative one, they cancel out in part.",
            "b": "Where one head writes a positive number and another a negative one, they cancel "
            "out in part. So the result may be shorter, but never longer.",
            "c": "A sum of rows is never longer than the lengths added up: just as a walk with "
            "corners never ends further away than its steps together.",
        },
    ),
    Question(
        id="05-past",
        right=9,
        replies={
            "right": "Six old tokens and three new ones. `present` holds both: it is the past of "
            "the next call.",
            "wrong": "`present` is what the next call gets as its past. Which tokens must that "
            "call be able to see?",
        },
    ),
    Question(
        id="05-why-cached-bias",
        right="b",
        replies={
            "a": "The first call attends with the bias in place: its result is right. What does it "
            "hand to the second one?",
            "b": "The first call is right. The second one blends old values without their bias, "
            "and compares its queries with old keys that lack theirs.",
            "c": "In lesson 04 a vector missing in ALL keys did not show. Here old keys lack it "
            "and new ones have it, and old values lack theirs as well.",
        },
    ),
    Question(
        id="05-parameters",
        right=2362368,
        replies={
            "right": "768 * 2304 + 2304 in `c_attn`, and 768 * 768 + 768 in `c_proj`. The number "
            "of heads plays no part.",
            "wrong": "`c_attn` has D rows, 3D columns and 3D biases. `c_proj` has D rows, D "
            "columns and D biases. With D = 768, add all of it up.",
        },
    ),
    Question(
        id="05-nothing-written",
        right="b",
        replies={
            "a": "The zeros are added to something. To what?",
            "b": "Zeros are added to what entered, so it passes through as it is. A layer only "
            "writes on top.",
            "c": "No mean is taken. The result is added to what entered the layer, token by token.",
        },
    ),
    Question(
        id="05-recall-values",
        right="c",
        replies={
            "a": "Embeddings enter the layer. What is blended has gone through a matrix first. "
            "Which of the three?",
            "b": "Keys are compared with queries; that gives the weights. What do the weights "
            "multiply?",
            "c": "Queries and keys make the weights; the values are what is blended.",
        },
    ),
    Question(
        id="05-recall-reshape",
        right=1,
        replies={
            "right": "For a single token, its row is simply cut. With two or more, a reshape alone "
            "mixes the tokens, and two axes must be swapped.",
            "wrong": "The article says that splitting is simply reshaping. It follows how many "
            "tokens?",
        },
    ),
)
