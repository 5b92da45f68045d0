"""`project`, lesson 05. The heads' results, mixed by a matrix."""

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
from autograder.exercises.pieces import flip, softmax
from autograder.exercises.steps import Steps, Wrong
from autograder.exercises.ways import BIASES, INPUTS, OUTPUTS, RIGHT_BIAS, TURNS, same
from illustrated_attention.language import later as _

_W, _B = tidy(4, 4, seed=701), tidy(4, seed=702)

_HW, _HB = rough(18, 18, seed=703), rough(18, seed=704)

PROJECT = Exercise(
    name="project",
    lesson="05_projection",
    can="You can now mix what the heads found.",
    visible=(
        Case("one token", (np.array([[1.0, 0.0, 2.0, -1.0]]), _W, _B)),
        Case("three tokens", (tidy(3, 4, seed=705), _W, _B)),
        Case(
            "as many tokens as features",
            (tidy(3, 3, seed=706), tidy(3, 3, seed=731), tidy(3, seed=732)),
        ),
        Case("two sentences at once", (tidy(2, 3, 4, seed=707), _W, _B)),
        Case(
            "whole numbers",
            (np.array([[1, 2, 0], [0, 1, 3]]), tidy(3, 3, seed=729), tidy(3, seed=730)),
        ),
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
    hints=(
        "It is the same kind of step as in `qkv_projection`: what does it do with its matrix and "
        "its bias? Only the cut into three is missing here.",
        "A token is a row, and `w` is [in, out]. One matrix product handles all tokens and all "
        "leading axes. `b` is added to every row.",
        "Multiply `merged` by `w` with `@`, then add `b`.",
    ),
)


# --- known mistakes ------------------------------------------------------------------------------

PROJECT.mistake(
    "no_bias",
    "Your result is the product alone. `c_proj` has a bias as well: one learned number "
    "for each column. Add `b` once, after the product.",
    lambda merged, w, b: merged @ w,
)

PROJECT.mistake(
    "bias_only",
    "You add the bias, but there is no product: the heads still lie side by side and are "
    "not mixed. Which operation lets every number of a row reach every column?",
    lambda merged, w, b: merged + b,
)

PROJECT.mistake(
    "merged_returned",
    "You return `merged` as it came. The heads lie side by side in it; the matrix `w` is "
    "what mixes them.",
    lambda merged, w, b: merged.copy(),
)

PROJECT.mistake(
    "weights_transposed",
    "You use the transposed weights. GPT-2 stores `w` as [in, out]: `x @ w` needs no "
    "transpose. (PyTorch's Linear layer stores it the other way round.) A square matrix "
    "gives no error here.",
    lambda merged, w, b: merged @ w.T + b,
)

PROJECT.mistake(
    "sides_swapped",
    "You multiply with `w` on the left. A token is a row, and a row stands on the left of "
    "the matrix: `merged` first.",
    lambda merged, w, b: w @ merged + b,
)

PROJECT.mistake(
    "result_on_its_side",
    "Your result lies on its side: a column for each token. A token is a row.",
    lambda merged, w, b: flip(merged @ w + b),
    lambda merged, w, b: w.T @ flip(merged) + b[:, None],
)

PROJECT.mistake(
    "bias_before_the_product",
    "You add the bias to `merged`, before the product. It belongs to the columns of the "
    "result: add it after the product.",
    lambda merged, w, b: (merged + b) @ w,
)

PROJECT.mistake(
    "bias_on_both_sides",
    "You add the bias before the product and after it. It is added once, after it.",
    lambda merged, w, b: (merged + b) @ w + b,
)

PROJECT.mistake(
    "bias_added_to_w",
    "You add the bias to the weight matrix. Then each token gets the bias times the sum of "
    "its features. Add `b` to the product, not to `w`.",
    lambda merged, w, b: merged @ (w + b),
)

PROJECT.mistake(
    "bias_twice",
    "Your result holds the bias twice. Add it once, after the product: every token gets the same.",
    lambda merged, w, b: merged @ w + 2 * b,
)

PROJECT.mistake(
    "bias_subtracted",
    "You subtract the bias. It is added: one learned number for each column, the same for "
    "every token.",
    lambda merged, w, b: merged @ w - b,
)

PROJECT.mistake(
    "bias_multiplied",
    "You multiply by the bias. It is added: one learned number for each column, the same "
    "for every token.",
    lambda merged, w, b: merged @ w * b,
)

PROJECT.mistake(
    "bias_down_the_rows",
    "You add a number of `b` to each row. It belongs to the columns, so each token gets "
    "all of `b`. NumPy does that by itself when you add `b` as it is.",
    lambda merged, w, b: merged @ w + b[:, None],
)

PROJECT.mistake(
    "bias_as_one_number",
    "You add the same number everywhere. `b` holds a number for each column: add it as it is.",
    lambda merged, w, b: merged @ w + b.sum(),
    lambda merged, w, b: merged @ w + b.mean(),
    lambda merged, w, b: merged @ w + b[0],
)

PROJECT.mistake(
    "weight_and_bias_exchanged",
    "You multiply by `b` and add `w`. `w` is the matrix of the product; `b` holds one "
    "number for each column and is added.",
    lambda merged, w, b: merged @ b + w,
    lambda merged, w, b: b @ merged + w,
)

PROJECT.mistake(
    "elementwise",
    "You multiply cell by cell. Every number of a row must meet a whole row of `w`: that "
    "is the matrix product, `@`.",
    lambda merged, w, b: merged * w + b,
    lambda merged, w, b: merged * w,
)

PROJECT.mistake(
    "residual_added",
    "You add `merged` to its own projection. In GPT-2 a sum with a shortcut follows, but "
    "it adds the input of the whole layer, and it is not part of this function.",
    lambda merged, w, b: merged @ w + b + merged,
)

PROJECT.mistake(
    "projected_twice",
    "You project twice. One product with `w` and one sum with `b` are the whole step.",
    lambda merged, w, b: (merged @ w + b) @ w + b,
    lambda merged, w, b: merged @ w @ w + b,
)

PROJECT.mistake(
    "scaled",
    "Your product is divided by a square root. Scaling belongs to scores, before softmax; "
    "the projection has none.",
    lambda merged, w, b: merged @ w / np.sqrt(w.shape[0]) + b,
    lambda merged, w, b: (merged @ w + b) / np.sqrt(w.shape[0]),
)

PROJECT.mistake(
    "softmax_added",
    "You return a softmax: every row sums to 1. The projection is a product and a bias, "
    "and its numbers may be negative.",
    lambda merged, w, b: softmax(merged @ w + b),
)

PROJECT.mistake(
    "one_token_only",
    "You return one token. Every token has a row in the result.",
    lambda merged, w, b: merged[..., -1, :] @ w + b,
    lambda merged, w, b: merged[..., -1:, :] @ w + b,
    lambda merged, w, b: merged[..., 0, :] @ w + b,
)


def _rows_of_one_sentence(merged, w, b):
    out = np.zeros((len(merged), w.shape[1]))
    for t in range(len(merged)):
        out[t] = merged[t] @ w + b
    return out


def _two_axes(merged, w, b):
    n_tokens, width = merged.shape
    return (merged @ w + b).reshape(n_tokens, width)


PROJECT.mistake(
    "one_sentence_only",
    "Your function works for one sentence, but not for a batch: it counts on two axes. "
    "The product works on the last axis, however many come before it.",
    _rows_of_one_sentence,
    _two_axes,
    lambda merged, w, b: np.einsum("ti,io->to", merged, w) + b,
)


def _project_of_integers(merged, w, b):
    out = np.zeros_like(merged)
    out[...] = merged @ w + b
    return out


PROJECT.mistake(
    "integer_result",
    "Your result holds whole numbers: an array made with the integer type of `merged` cuts "
    "off what comes behind the point.",
    _project_of_integers,
    lambda merged, w, b: (merged @ w + b).astype(merged.dtype),
)


@PROJECT.mistake(
    "merged_changed",
    "`merged` is different after the call: you write the result into the caller's array. "
    "Make a new one.",
)
def _project_in_place(merged, w, b):
    merged[...] = (merged @ w + b).astype(merged.dtype)
    return merged


PROJECT.mistake(
    "list_returned",
    "The numbers are right, but you return a list. Return the NumPy array.",
    lambda merged, w, b: (merged @ w + b).tolist(),
    lambda merged, w, b: list(merged @ w + b),
)

PROJECT.mistake(
    "half_precision",
    "The numbers are too coarse: they went through float16. Keep the type of the input.",
    lambda merged, w, b: (merged @ w + b).astype("f2"),
    lambda merged, w, b: merged.astype("f2") @ w.astype("f2") + b.astype("f2"),
)

# --- unusual, and right --------------------------------------------------------------------------

PROJECT.also_right("einsum", lambda m, w, b: np.einsum("...i,io->...o", m, w) + b)

PROJECT.also_right("np.dot", lambda m, w, b: np.dot(m, w) + b)

PROJECT.also_right("tensordot", lambda m, w, b: np.tensordot(m, w, axes=1) + b)


@PROJECT.also_right("the bias as a row of w")
def _bias_as_a_row(merged, w, b):
    ones = np.ones((*merged.shape[:-1], 1))
    return np.concatenate([merged, ones], axis=-1) @ np.concatenate([w, b[None]])


@PROJECT.also_right("number by number")
def _project_by_hand(merged, w, b):
    out = np.empty((*merged.shape[:-1], w.shape[1]))
    for *row, column in np.ndindex(*out.shape):
        products = [merged[*row, i] * w[i, column] for i in range(len(w))]
        out[*row, column] = b[column] + sum(products)
    return out


PROJECT.also_right("transposed on both sides", lambda m, w, b: flip(w.T @ flip(m)) + b)

PROJECT.also_right("np.add and np.matmul", lambda m, w, b: np.add(np.matmul(m, w), b))

PROJECT.also_right("float32", lambda m, w, b: m.astype("f4") @ w.astype("f4") + b.astype("f4"))

# --- its steps, and how each of them goes wrong --------------------------------------------------

PROJECT.steps = Steps(
    lambda x_is, turn, bias, out: lambda merged, w, b: out(bias(x_is(merged) @ turn(w), b), merged),
    {"x_is": same, "turn": same, "bias": RIGHT_BIAS, "out": lambda y, x: y},
    {
        "x_is": INPUTS,
        "turn": TURNS,
        "bias": BIASES,
        "out": (
            Wrong("input_added", _("The input is added to the result."), lambda y, x: y + x),
            Wrong("mean_of_axis_0_taken_away", _("The mean along axis 0 is taken away."), lambda y, x: y - y.mean(0, keepdims=True)),
            Wrong("batch_mean_taken_away", _("The mean over the batch is taken away."), lambda y, x: y - y.mean(0, keepdims=True) if y.ndim > 2 else y),
            *(Wrong(w.id, w.sentence, lambda y, x, f=w.way: f(y)) for w in OUTPUTS),
        ),
    },
)  # fmt: skip
