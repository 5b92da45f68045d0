"""`qkv_projection`, lesson 04. Queries, keys and values from one matrix."""

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
from autograder.exercises.pieces import flip
from autograder.exercises.steps import Steps, Wrong
from autograder.exercises.ways import (
    BIASES,
    INPUTS,
    ORDERS,
    OUTPUTS,
    RIGHT_BIAS,
    same,
    softmax_over,
)
from illustrated_attention.language import later as _

_X, _W, _B = tidy(3, 4, seed=401), tidy(4, 12, seed=402), tidy(12, seed=403)

_HX, _HW, _HB = rough(5, 18, seed=404), rough(18, 54, seed=405), rough(54, seed=406)

QKV_PROJECTION = Exercise(
    name="qkv_projection",
    lesson="04_multi_head",
    can="You can now make q, k and v with one product, as GPT-2 does.",
    visible=(
        Case("three tokens", (_X, _W, _B)),
        Case("one token, two features", (tidy(1, 2, seed=407), tidy(2, 6, seed=408), _B[:6])),
        Case("two sentences at once", (tidy(2, 3, 4, seed=409), _W, _B)),
        late("whole numbers", (np.array([[1, 0, 2, -1], [0, 3, 1, 1]]), _W, _B)),
        late("a batch of one", (tidy(1, 2, 4, seed=463), _W, _B)),
    ),
    hidden=(
        Case("a wider model", (_HX, _HW, _HB)),
        Case("one token", (_HX[:1], _HW, _HB)),
        Case("a grid of sentences", (rough(2, 3, 5, 18, seed=410), _HW, _HB)),
        Case("three tokens of a wider model", (rough(3, 18, seed=411), _HW, _HB)),
        Case(
            "whole numbers",
            (np.arange(10).reshape(5, 2), np.arange(12).reshape(2, 6) - 5, np.arange(6) + 1),
        ),
        late(
            "many features",
            (rough(2, WIDE, seed=410), rough(WIDE, 3 * WIDE, seed=411), rough(3 * WIDE, seed=412)),
        ),
        late("a long text", (rough(FAR, 2, seed=413), rough(2, 6, seed=414), rough(6, seed=415))),
        late("one feature", (rough(5, 1, seed=416), rough(1, 3, seed=417), rough(3, seed=418))),
        late(
            "all sizes equal", (rough(3, 3, 3, seed=419), rough(3, 9, seed=420), rough(9, seed=421))
        ),
        late(
            "as many tokens as columns",
            (rough(12, 4, seed=422), rough(4, 12, seed=423), rough(12, seed=424)),
        ),
        late("a batch of one", (rough(1, 5, 18, seed=462), _HW, _HB)),
    ),
    promises=(
        Promise(
            "shuffled tokens give shuffled queries",
            "tokens_in_any_order",
            (_X, np.array([2, 0, 1]), _W, _B),
            (_HX, np.array([3, 1, 4, 0, 2]), _HW, _HB),
        ),
    ),
    hints=(
        "One product gives everything: which two arrays fit, and what is the shape of the result? "
        "Then `b` has one number for each of its columns.",
        "`x @ w` has the shape [..., T, 3D]. Add `b` (NumPy adds it to every row), then cut the "
        "last axis into three equal parts. `np.split` can cut along any axis.",
        "With `together = x @ w + b`, the three parts are `np.split(together, 3, axis=-1)`. They "
        "come in the order q, k, v.",
    ),
)


# --- known mistakes ------------------------------------------------------------------------------


def _thirds(together):
    return np.split(together, 3, axis=-1)


def _with_biases(rule):
    """Right products, but each part gets the bias that `rule` makes of (b_q, b_k, b_v)."""

    def qkv_projection(x, w, b):
        biases = rule(*_thirds(b))
        return tuple(part + bias for part, bias in zip(_thirds(x @ w), biases, strict=True))

    return qkv_projection


QKV_PROJECTION.mistake(
    "no_bias",
    "Your results are the product alone. GPT-2 adds a learned number to each column: the "
    "bias `b`. The article has it in a caption only, and it is easy to miss. Add it before "
    "you cut.",
    _with_biases(lambda b_q, b_k, b_v: (0, 0, 0)),
)

QKV_PROJECTION.mistake(
    "bias_for_queries_only",
    "Your queries are right, but keys and values have no bias. `b` has 3D numbers: a third "
    "for each of the three.",
    _with_biases(lambda b_q, b_k, b_v: (b_q, 0, 0)),
)

QKV_PROJECTION.mistake(
    "no_query_bias",
    "Your queries have no bias; keys and values have theirs. `b` has 3D numbers: a third "
    "for each of the three, the first one for the queries.",
    _with_biases(lambda b_q, b_k, b_v: (0, b_k, b_v)),
)

QKV_PROJECTION.mistake(
    "no_key_bias",
    "Your keys have no bias; queries and values have theirs. Attention would never show "
    "it: softmax takes no notice of a missing key bias. So the keys are compared here. "
    "Which part of `b` belongs to them?",
    _with_biases(lambda b_q, b_k, b_v: (b_q, 0, b_v)),
)

QKV_PROJECTION.mistake(
    "no_value_bias",
    "Your values have no bias; queries and keys have theirs. `b` has 3D numbers: a third "
    "for each of the three, the last one for the values.",
    _with_biases(lambda b_q, b_k, b_v: (b_q, b_k, 0)),
)

QKV_PROJECTION.mistake(
    "query_bias_for_all",
    "You add the first third of `b` to all three. Each third of `b` belongs to its own "
    "third of the columns: cut after you have added.",
    _with_biases(lambda b_q, b_k, b_v: (b_q, b_q, b_q)),
)

QKV_PROJECTION.mistake(
    "bias_of_another_part",
    "A part has the bias of another part: queries, keys and values each have a third of `b` of "
    "their own. Was a line copied, and a number in it not changed?",
    _with_biases(lambda b_q, b_k, b_v: (b_q, b_k, b_k)),
    _with_biases(lambda b_q, b_k, b_v: (b_q, b_q, b_v)),
    _with_biases(lambda b_q, b_k, b_v: (b_q, b_k, b_q)),
    _with_biases(lambda b_q, b_k, b_v: (b_q, b_v, b_v)),
    _with_biases(lambda b_q, b_k, b_v: (b_q, b_v, b_k)),
)

QKV_PROJECTION.mistake(
    "bias_twice",
    "Your results hold the bias twice. Is it added before the cut and once more after it?",
    _with_biases(lambda b_q, b_k, b_v: (2 * b_q, 2 * b_k, 2 * b_v)),
)

QKV_PROJECTION.mistake(
    "bias_subtracted",
    "You subtract the bias. It is added: one learned number for each column, the same for "
    "every token.",
    _with_biases(lambda b_q, b_k, b_v: (-b_q, -b_k, -b_v)),
)


def _cut(together):
    """q, k and v as a tuple, the way most people return them."""
    return tuple(_thirds(together))


QKV_PROJECTION.mistake(
    "bias_multiplied",
    "You multiply by the bias. It is added: one number to each column, the same for every token.",
    lambda x, w, b: _cut(x @ w * b),
)

QKV_PROJECTION.mistake(
    "bias_before_the_product",
    "You add a part of the bias to `x`, before the product. `b` has 3D numbers, one for "
    "each column of the result: add it after the product.",
    lambda x, w, b: _cut((x + b[: x.shape[-1]]) @ w),
)

QKV_PROJECTION.mistake(
    "bias_does_not_fit",
    "You add all of `b`, 3D numbers, to something with D columns: to `x`, or to one of the "
    "three parts. Which array has 3D columns?",
    lambda x, w, b: _cut((x + b) @ w),
    lambda x, w, b: tuple(part + b for part in _thirds(x @ w)),
    lambda x, w, b: _cut(np.split(x @ w, 3, axis=-1) + b),
)

QKV_PROJECTION.mistake(
    "bias_added_to_w",
    "You add the bias to the weight matrix. Then each token gets the bias times the sum "
    "of its features. Add `b` to the product, not to `w`.",
    lambda x, w, b: _cut(x @ (w + b)),
)


def _in_order(*order):
    def qkv_projection(x, w, b):
        parts = _thirds(x @ w + b)
        return tuple(parts[i] for i in order)

    return qkv_projection


_Q_K_V = "The columns of `w` are the queries first, then the keys, then the values."

QKV_PROJECTION.mistake(
    "order_kqv",
    f"Your first result holds the keys and your second the queries. {_Q_K_V}",
    _in_order(1, 0, 2),
)

QKV_PROJECTION.mistake(
    "order_vkq",
    f"Queries and values have changed places. {_Q_K_V}",
    _in_order(2, 1, 0),
)

QKV_PROJECTION.mistake(
    "order_qvk",
    f"Keys and values have changed places. {_Q_K_V}",
    _in_order(0, 2, 1),
)

QKV_PROJECTION.mistake(
    "order_kvq",
    f"You return keys, values, queries. {_Q_K_V}",
    _in_order(1, 2, 0),
)

QKV_PROJECTION.mistake(
    "order_vqk",
    f"You return values, queries, keys. {_Q_K_V}",
    _in_order(2, 0, 1),
)

QKV_PROJECTION.mistake(
    "keys_for_values",
    "Your values are the keys once more. The values are the last third of the columns.",
    _in_order(0, 1, 1),
)

QKV_PROJECTION.mistake(
    "queries_three_times",
    "All three results are the queries. Keys are the second third of the columns, values "
    "the last third.",
    _in_order(0, 0, 0),
)

QKV_PROJECTION.mistake(
    "every_third_column",
    "You take every third column. GPT-2 stores the columns in three blocks: all of the "
    "queries, then all of the keys, then all of the values. Take each block in one piece.",
    lambda x, w, b: tuple((x @ w + b)[..., i::3] for i in range(3)),
    lambda x, w, b: tuple(
        np.moveaxis((x @ w + b).reshape(*x.shape[:-1], -1, 3), -1, 0),
    ),
)

QKV_PROJECTION.mistake(
    "cut_inside_each_head",
    "You take q, k and v out of each head in turn. Some other models store their columns "
    "so. In GPT-2 all queries come first, then all keys, then all values; heads come "
    "later.",
    lambda x, w, b: tuple(
        (x @ w + b).reshape(*x.shape[:-1], 2, 3, -1)[..., i, :].reshape(x.shape) for i in range(3)
    ),
)

QKV_PROJECTION.mistake(
    "tokens_cut",
    "You cut the tokens (or the batch) into three parts, not the columns. Every token has "
    "a query, a key and a value: cut along the last axis.",
    lambda x, w, b: tuple(np.split(x @ w + b, 3, axis=-2)),
    lambda x, w, b: tuple(np.split(x @ w + b, 3)),
    lambda x, w, b: tuple((x @ w + b)[i * len(w) : (i + 1) * len(w)] for i in range(3)),
)


def _cut_at(together, width):
    """Slices of the second axis, in one's own words: the last one goes to the end."""
    return together[:, :width], together[:, width : 2 * width], together[:, 2 * width :]


QKV_PROJECTION.mistake(
    "axes_counted_from_the_front",
    "With one sentence the result is right. In a batch your second axis is the tokens, and "
    "you cut those. The columns are always on the last axis: `[..., a:b]` or `axis=-1`.",
    lambda x, w, b: tuple(np.split(x @ w + b, 3, axis=1)),
    lambda x, w, b: tuple((x @ w + b)[:, i * len(w) : (i + 1) * len(w)] for i in range(3)),
    lambda x, w, b: _cut_at(x @ w + b, x.shape[1]),
    lambda x, w, b: _cut_at(x @ w + b, (x @ w).shape[1] // 3),
)

QKV_PROJECTION.mistake(
    "reshaped_to_three",
    "The shapes are right, the numbers are not: a reshape to three parts reads row after "
    "row, so one token's numbers end up in several parts. With one token you cannot see "
    "it. Cut along the last axis.",
    lambda x, w, b: tuple((x @ w + b).reshape(3, *x.shape)),
    lambda x, w, b: (x @ w + b).reshape(3, *x.shape),
)

QKV_PROJECTION.mistake(
    "first_three_tokens",
    "After your reshape the parts lie on an axis in the middle, but you take them apart "
    "along the first axis: you return three tokens (or sentences). Which axis has size 3 "
    "for q, k and v?",
    lambda x, w, b: tuple((x @ w + b).reshape(*x.shape[:-1], 3, x.shape[-1])[:3]),
    lambda x, w, b: tuple((x @ w + b).reshape(*x.shape[:-1], 3, x.shape[-1])),
    lambda x, w, b: (x @ w + b).reshape(*x.shape[:-1], 3, x.shape[-1]),
)


def _weight_blocks(block):
    """Three products, each with its own part of b, and with what `block` makes of w."""

    def qkv_projection(x, w, b):
        return tuple(x @ block(w, i) + b_i for i, b_i in enumerate(_thirds(b)))

    return qkv_projection


QKV_PROJECTION.mistake(
    "weights_transposed",
    "You use transposed weights. GPT-2 stores `w` as [in, out]: `x @ w` needs no "
    "transpose. (PyTorch's Linear layer stores it the other way round.)",
    lambda x, w, b: _cut(x @ w.T + b),
    _weight_blocks(lambda w, i: _thirds(w)[i].T),
)

QKV_PROJECTION.mistake(
    "weights_reshaped",
    "The shapes fit, the numbers do not: you reshape `w` into three matrices. Reshape "
    "reads row after row and tears the columns apart. Take columns 0 to D, D to 2D and "
    "2D to 3D instead.",
    _weight_blocks(lambda w, i: w.reshape(3, len(w), len(w))[i]),
    lambda x, w, b: _cut(x @ w.reshape(w.shape[::-1]).T + b),
)

QKV_PROJECTION.mistake(
    "sides_swapped",
    "You put the matrix on the left. Tokens are rows here, so `x` stands on the left of `@`.",
    lambda x, w, b: _cut(w @ x + b),
    lambda x, w, b: _cut(w.T @ x + b),
)

QKV_PROJECTION.mistake(
    "not_cut",
    "You return one array with everything side by side. Cut its last axis into three and "
    "return `q, k, v`.",
    lambda x, w, b: x @ w + b,
)


def _cut_from_to(qkv, *places):
    return tuple(qkv[..., start:end] for start, end in places)


QKV_PROJECTION.mistake(
    "wrong_places_cut",
    "You cut in the wrong places. The three parts have equal size: the columns 0 to D, D "
    "to 2D, and 2D to 3D. A slice `a:b` holds index a, and ends before index b.",
    lambda x, w, b: tuple(np.split(x @ w + b, [len(w), len(w)], axis=-1)),
    lambda x, w, b: tuple(np.split(x @ w + b, [len(w)] * 3, axis=-1)),
    lambda x, w, b: tuple((x @ w + b)[..., i * (len(w) + 1) :][..., : len(w)] for i in range(3)),
    lambda x, w, b: tuple(
        (x @ w + b)[..., start : start + len(w) - 1] for start in (0, len(w), 2 * len(w))
    ),
    lambda x, w, b: _cut_from_to(x @ w + b, (0, len(w)), (len(w), 2 * len(w)), (len(w), None)),
    lambda x, w, b: _cut_from_to(x @ w + b, (0, len(w)), (len(w), None), (2 * len(w), None)),
)

QKV_PROJECTION.mistake(
    "width_is_768",
    "Your cuts are at fixed places, such as 128 or 768. That is the width of one model "
    "only. Read D from the shape of `x`.",
    lambda x, w, b: _cut_at(x @ w + b, 128),
    lambda x, w, b: tuple((x @ w + b)[..., start : start + 768] for start in (0, 768, 1536)),
    lambda x, w, b: tuple(np.split(x @ w + b, [768, 1536], axis=-1)),
)

QKV_PROJECTION.mistake(
    "last_token_only",
    "You return one token only. The article follows its token number 9, but every token "
    "has a query, a key and a value.",
    lambda x, w, b: tuple(part[..., -1, :] for part in _thirds(x @ w + b)),
)

QKV_PROJECTION.mistake(
    "results_transposed",
    "Each of your results has its two last axes swapped. A row belongs to a token: the "
    "shape is [T, D].",
    lambda x, w, b: tuple(flip(part) for part in _thirds(x @ w + b)),
)

QKV_PROJECTION.mistake(
    "x_added",
    "Your results hold `x` as well. The sum with `x` comes after attention; here it is "
    "`x @ w + b` only.",
    lambda x, w, b: tuple(part + x for part in _thirds(x @ w + b)),
)

QKV_PROJECTION.mistake(
    "queries_scaled",
    "Your queries are divided by the square root of their width. The scale belongs to the "
    "scores, later, and it comes from the size of one head.",
    lambda x, w, b: (
        _thirds(x @ w + b)[0] / np.sqrt(x.shape[-1]),
        *_thirds(x @ w + b)[1:],
    ),
)

QKV_PROJECTION.mistake(
    "a_dictionary",
    "You return a dictionary. Return three arrays, in the order queries, keys, values: "
    "`return q, k, v`.",
    lambda x, w, b: dict(zip("qkv", _thirds(x @ w + b), strict=True)),
)

QKV_PROJECTION.mistake(
    "half_precision",
    "The numbers are too coarse: they went through float16. Keep the type of the input.",
    lambda x, w, b: _cut((x @ w + b).astype(np.float16)),
)


def _qkv_changes_x(x, w, b):
    parts = _cut(x @ w + b)
    x -= x.mean(axis=-1, keepdims=True).astype(x.dtype)
    return parts


def _qkv_changes_w(x, w, b):
    w += b.astype(w.dtype)
    return _cut(x @ w)


QKV_PROJECTION.mistake(
    "argument_changed",
    "`x` or `w` is different after the call. Somewhere you write into it, perhaps with "
    "`+=` or `-=`. Make a new array instead.",
    _qkv_changes_x,
    _qkv_changes_w,
)

# --- unusual, and right --------------------------------------------------------------------------

QKV_PROJECTION.also_right(
    "slices",
    lambda x, w, b: tuple((x @ w + b)[..., i * len(w) : (i + 1) * len(w)] for i in range(3)),
)

QKV_PROJECTION.also_right("np.split: a list", lambda x, w, b: _thirds(x @ w + b))

QKV_PROJECTION.also_right(
    "np.array_split", lambda x, w, b: np.array_split(np.dot(x, w) + b, 3, axis=-1)
)

QKV_PROJECTION.also_right("three products", _weight_blocks(lambda w, i: _thirds(w)[i]))


@QKV_PROJECTION.also_right("bias as one more row of w")
def _bias_as_a_row_of_w(x, w, b):
    ones = np.ones((*x.shape[:-1], 1))
    return _cut(np.concatenate([x, ones], axis=-1) @ np.concatenate([w, b[None]]))


QKV_PROJECTION.also_right(
    "one stacked array",
    lambda x, w, b: np.moveaxis((x @ w + b).reshape(*x.shape[:-1], 3, len(w)), -2, 0),
)

QKV_PROJECTION.also_right(
    "einsum with three matrices",
    lambda x, w, b: tuple(
        np.einsum("...i,ipo->p...o", x, w.reshape(len(w), 3, len(w)))
        + b.reshape(3, *(1,) * (x.ndim - 1), len(w))
    ),
)


@QKV_PROJECTION.also_right("loops")
def _qkv_by_hand(x, w, b):
    n_out = w.shape[1] // 3
    parts = [np.zeros((*x.shape[:-1], n_out)) for _ in range(3)]
    for index in np.ndindex(*x.shape[:-1]):
        for column in range(w.shape[1]):
            total = b[column] + sum(x[index][i] * w[i, column] for i in range(w.shape[0]))
            parts[column // n_out][index][column % n_out] = total
    return parts


QKV_PROJECTION.also_right(
    "float32", lambda x, w, b: _cut(x.astype("f4") @ w.astype("f4") + b.astype("f4"))
)

QKV_PROJECTION.also_right("bias cut apart", _with_biases(lambda b_q, b_k, b_v: (b_q, b_k, b_v)))

# --- its steps, and how each of them goes wrong --------------------------------------------------


def _build(x_is, turn, bias, cut, order, out):
    def qkv_projection(x, w, b):
        y = bias(x_is(x) @ turn(w), b)
        parts = [out(part) for part in cut(y)]
        return tuple(parts[i] for i in order)

    return qkv_projection


QKV_PROJECTION.steps = Steps(
    _build,
    {"x_is": same, "turn": same, "bias": RIGHT_BIAS, "cut": lambda y: np.split(y, 3, -1), "order": (0, 1, 2), "out": same},
    {
        "x_is": INPUTS,
        "turn": (Wrong("weights_softmaxed", _("Softmax is applied to the weight matrix."), softmax_over(-1)),),
        "bias": BIASES,
        "cut": (
            Wrong("every_third_column", _("Every third column is taken, not three blocks of columns."), lambda y: [y[..., i::3] for i in range(3)]),
            Wrong("first_block_thrice", _("The first block of columns is taken three times."), lambda y: [np.split(y, 3, -1)[0]] * 3),
        ),
        "order": ORDERS,
        "out": OUTPUTS,
    },
)  # fmt: skip
