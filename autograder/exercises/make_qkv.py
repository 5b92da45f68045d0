"""`make_qkv`, lesson 01. Queries, keys and values from the same tokens."""

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
from autograder.exercises.steps import Steps
from autograder.exercises.ways import INPUTS, ORDERS, OUTPUTS, TURNS, same

_X, _W_Q, _W_K, _W_V = (
    tidy(3, 4, seed=10),
    tidy(4, 3, seed=11),
    tidy(4, 3, seed=12),
    tidy(4, 2, seed=13),
)

_HX, _HW_Q, _HW_K, _HW_V = (
    rough(5, 18, seed=20),
    rough(18, 6, seed=21),
    rough(18, 6, seed=22),
    rough(18, 4, seed=23),
)

MAKE_QKV = Exercise(
    name="make_qkv",
    lesson="01_self_attention",
    can="You can now give every token its query, its key and its value.",
    visible=(
        Case("three tokens", (_X, _W_Q, _W_K, _W_V)),
        Case(
            "one token",
            (_X[:1], tidy(4, 2, seed=35), tidy(4, 2, seed=36), tidy(4, 2, seed=37)),
        ),
        Case(
            "square matrices",
            (tidy(3, 3, seed=14), tidy(3, 3, seed=15), tidy(3, 3, seed=16), tidy(3, 3, seed=17)),
        ),
        Case("two sentences at once", (tidy(2, 3, 4, seed=18), _W_Q, _W_K, _W_V)),
        late(
            "whole numbers",
            (
                np.array([[1, 0, 2, -1], [0, 3, 1, 1]]),
                tidy(4, 2, seed=33),
                tidy(4, 2, seed=34),
                np.arange(8).reshape(4, 2),
            ),
        ),
    ),
    hidden=(
        Case("a wider model", (_HX, _HW_Q, _HW_K, _HW_V)),
        Case(
            "square matrices of another size",
            (
                rough(4, 4, seed=24),
                rough(4, 4, seed=25),
                rough(4, 4, seed=26),
                rough(4, 4, seed=27),
            ),
        ),
        Case("a grid of sentences", (rough(2, 3, 5, 18, seed=28), _HW_Q, _HW_K, _HW_V)),
        Case("one token in a wider model", (rough(1, 18, seed=29), _HW_Q, _HW_K, _HW_V)),
        late(
            "many features, values wider than keys",
            (
                rough(3, WIDE, seed=32),
                rough(WIDE, 7, seed=33),
                rough(WIDE, 7, seed=34),
                rough(WIDE, 11, seed=35),
            ),
        ),
        late(
            "a long text",
            (
                rough(FAR, 3, seed=36),
                rough(3, 2, seed=37),
                rough(3, 2, seed=38),
                rough(3, 1, seed=39),
            ),
        ),
        late(
            "all sizes equal",
            (rough(4, 4, 4, seed=24), *(rough(4, 4, seed=25 + i) for i in (0, 1, 2))),
        ),
    ),
    promises=(
        Promise(
            "every sentence of a batch gives what it gives alone",
            "every_example_alone",
            (1, tidy(2, 3, 4, seed=30), _W_Q, _W_K, _W_V),
            (1, rough(3, 5, 18, seed=31), _HW_Q, _HW_K, _HW_V),
        ),
        Promise(
            "shuffled tokens give shuffled queries",
            "tokens_in_any_order",
            (_X, np.array([2, 0, 1]), _W_Q, _W_K, _W_V),
            (_HX, np.array([3, 1, 4, 0, 2]), _HW_Q, _HW_K, _HW_V),
        ),
    ),
    hints=(
        "Look at the shapes: `x` is [T, D] and `w_q` is [D, d]. Which product gives [T, d]?",
        "The matrix product `@` takes each row of `x` and multiplies it with every column of the "
        "matrix. It works in the same way for any leading axes. You need it three times, always "
        "with the same `x`.",
        "The queries are `x @ w_q`. The keys and the values are made in the same way with their "
        "own matrices. Return the three in the order q, k, v.",
    ),
)


# --- known mistakes ------------------------------------------------------------------------------

MAKE_QKV.mistake(
    "weights_transposed",
    "You multiply with the transposed matrices. A token is a row of `x`, and each weight "
    "matrix has the shape [in, out]: a row of 4 times a 4 x 3 matrix is a row of 3. No "
    "transpose is needed.",
    lambda x, w_q, w_k, w_v: (x @ w_q.T, x @ w_k.T, x @ w_v.T),
)

MAKE_QKV.mistake(
    "weights_reshaped",
    "The shapes fit, the numbers do not: you reshape the weight matrices. Reshaping "
    "puts the numbers into other places. Which product of `x` and the matrix needs no "
    "change of either?",
    lambda x, w_q, w_k, w_v: tuple(x @ w.reshape(w.shape[::-1]).T for w in (w_q, w_k, w_v)),
)

MAKE_QKV.mistake(
    "sides_swapped",
    "You put the matrix on the left. Tokens are rows here, so `x` stands on the left "
    "of `@` and the matrix on the right.",
    lambda x, w_q, w_k, w_v: (w_q @ x, w_k @ x, w_v @ x),
)

MAKE_QKV.mistake(
    "sides_swapped_and_transposed",
    "You put the transposed matrix on the left. That treats tokens as columns; here they "
    "are the rows of `x`. Put `x` on the left of `@`.",
    lambda x, w_q, w_k, w_v: (w_q.T @ x, w_k.T @ x, w_v.T @ x),
)

MAKE_QKV.mistake(
    "result_transposed",
    "Each of your results has its two axes swapped. A row belongs to a token: the shape is [T, d].",
    lambda x, w_q, w_k, w_v: (flip(x @ w_q), flip(x @ w_k), flip(x @ w_v)),
    lambda x, w_q, w_k, w_v: ((x @ w_q).T, (x @ w_k).T, (x @ w_v).T),
)

MAKE_QKV.mistake(
    "x_transposed",
    "You transpose `x`. Its rows are tokens and its columns features: the features must "
    "meet the rows of the matrix, and no transpose is needed.",
    lambda x, w_q, w_k, w_v: (x.T @ w_q, x.T @ w_k, x.T @ w_v),
)

MAKE_QKV.mistake(
    "order_kqv",
    "Your first result holds the keys and your second the queries. Return the queries "
    "first, then keys, then values.",
    lambda x, w_q, w_k, w_v: (x @ w_k, x @ w_q, x @ w_v),
)

MAKE_QKV.mistake(
    "order_vkq",
    "Queries and values have changed places. Return the queries first, then keys, then values.",
    lambda x, w_q, w_k, w_v: (x @ w_v, x @ w_k, x @ w_q),
)

MAKE_QKV.mistake(
    "order_qvk",
    "Keys and values have changed places. Return the queries first, then keys, then values.",
    lambda x, w_q, w_k, w_v: (x @ w_q, x @ w_v, x @ w_k),
)

MAKE_QKV.mistake(
    "order_kvq",
    "You return keys, values, queries. Return the queries first, then keys, then values.",
    lambda x, w_q, w_k, w_v: (x @ w_k, x @ w_v, x @ w_q),
)

MAKE_QKV.mistake(
    "order_vqk",
    "You return values, queries, keys. Return the queries first, then keys, then values.",
    lambda x, w_q, w_k, w_v: (x @ w_v, x @ w_q, x @ w_k),
)

MAKE_QKV.mistake(
    "w_q_for_all",
    "All three results come from `w_q`. Each has a matrix of its own: that is what lets a "
    "token ask for one thing and offer another.",
    lambda x, w_q, w_k, w_v: (x @ w_q, x @ w_q, x @ w_q),
)

MAKE_QKV.mistake(
    "w_q_for_keys",
    "Your keys are made with `w_q`. Keys have a matrix of their own, `w_k`.",
    lambda x, w_q, w_k, w_v: (x @ w_q, x @ w_q, x @ w_v),
)

MAKE_QKV.mistake(
    "w_k_for_values",
    "Your values are made with `w_k`. Values have a matrix of their own, `w_v`.",
    lambda x, w_q, w_k, w_v: (x @ w_q, x @ w_k, x @ w_k),
)

MAKE_QKV.mistake(
    "values_are_x",
    "Your values are the tokens themselves. Values are `x` times `w_v`, just as queries "
    "are `x` times `w_q`.",
    lambda x, w_q, w_k, w_v: (x @ w_q, x @ w_k, x),
)

MAKE_QKV.mistake(
    "chained",
    "You make keys from queries. Queries, keys and values are all made from the same `x`.",
    lambda x, w_q, w_k, w_v: (x @ w_q, x @ w_q @ w_k, x @ w_q @ w_v),
)

MAKE_QKV.mistake(
    "elementwise",
    "You multiply cell by cell with `*`. A matrix product, `@`, multiplies a row with a "
    "column and adds up.",
    lambda x, w_q, w_k, w_v: (x * w_q, x * w_k, x * w_v),
)

MAKE_QKV.mistake(
    "scaled_too_early",
    "Your results are divided by the square root of their width. The scale belongs to the "
    "scores, in the next exercise.",
    lambda x, w_q, w_k, w_v: tuple(x @ w / np.sqrt(w.shape[1]) for w in (w_q, w_k, w_v)),
    lambda x, w_q, w_k, w_v: (x @ w_q / np.sqrt(w_q.shape[1]), x @ w_k, x @ w_v),
)

MAKE_QKV.mistake(
    "x_added",
    "Your results hold `x` as well. The sum with `x` comes later in the model, after "
    "attention; here it is only the product.",
    lambda x, w_q, w_k, w_v: (x + x @ w_q, x + x @ w_k, x + x @ w_v),
)

MAKE_QKV.mistake(
    "first_token_only",
    "You return the vectors of one token only. Every token has a query, a key and a value.",
    lambda x, w_q, w_k, w_v: (x[..., 0, :] @ w_q, x[..., 0, :] @ w_k, x[..., 0, :] @ w_v),
)

MAKE_QKV.mistake(
    "one_array",
    "You return one array with everything side by side. Return three: `return q, k, v`.",
    lambda x, w_q, w_k, w_v: np.concatenate([x @ w_q, x @ w_k, x @ w_v], axis=-1),
)

MAKE_QKV.mistake(
    "a_dictionary",
    "You return a dictionary. Return three arrays: `return q, k, v`.",
    lambda x, w_q, w_k, w_v: {"q": x @ w_q, "k": x @ w_k, "v": x @ w_v},
)


@MAKE_QKV.mistake(
    "x_changed",
    "The results are right, but `x` is different after the call. Somewhere you write into "
    "it, perhaps with `-=`, `*=` or `x[...] =`. Make a new array instead.",
)
def _qkv_changes_x(x, w_q, w_k, w_v):
    q, k, v = x @ w_q, x @ w_k, x @ w_v
    x -= x.mean(axis=-1, keepdims=True).astype(x.dtype)
    return q, k, v


# --- unusual, and right --------------------------------------------------------------------------

MAKE_QKV.also_right("np.dot", lambda x, *w: tuple(np.dot(x, m) for m in w))

MAKE_QKV.also_right("einsum", lambda x, *w: tuple(np.einsum("...i,io->...o", x, m) for m in w))


@MAKE_QKV.also_right("one product, then split: a list")
def qkv_by_one_product(x, w_q, w_k, w_v):
    together = x @ np.concatenate([w_q, w_k, w_v], axis=1)
    ends = np.cumsum([w_q.shape[1], w_k.shape[1]])
    return np.split(together, ends, axis=-1)


@MAKE_QKV.also_right("loops")
def _qkv_by_hand(x, w_q, w_k, w_v):
    def times(w):
        out = np.zeros((*x.shape[:-1], w.shape[1]))
        for index in np.ndindex(*x.shape[:-1]):
            for column in range(w.shape[1]):
                for i in range(w.shape[0]):
                    out[index][column] += x[index][i] * w[i, column]
        return out

    return times(w_q), times(w_k), times(w_v)


MAKE_QKV.also_right("tensordot", lambda x, *w: [np.tensordot(x, m, axes=1) for m in w])

MAKE_QKV.also_right("float32", lambda x, *w: tuple(x.astype("f4") @ m.astype("f4") for m in w))

MAKE_QKV.also_right(
    "transposed twice",
    lambda x, *w: tuple(np.matmul(m.T, x[..., None])[..., 0] for m in w),
)

# --- its steps, and how each of them goes wrong --------------------------------------------------


def _build(x_is, turn, order, out):
    def make_qkv(x, w_q, w_k, w_v):
        parts = [out(x_is(x) @ turn(w)) for w in (w_q, w_k, w_v)]
        return tuple(parts[i] for i in order)

    return make_qkv


MAKE_QKV.steps = Steps(
    _build,
    {"x_is": same, "turn": same, "order": (0, 1, 2), "out": same},
    {"x_is": INPUTS, "turn": TURNS, "order": ORDERS, "out": OUTPUTS},
)
