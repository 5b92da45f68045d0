"""`self_attention`, lesson 01. One head without a mask, from tokens to results."""

import numpy as np

from autograder.exercises.kit import (
    LONG,
    WIDE,
    Case,
    Exercise,
    Promise,
    late,
    rough,
    tidy,
)
from autograder.exercises.make_qkv import qkv_by_one_product
from autograder.exercises.pieces import dot, flip, softmax
from autograder.exercises.steps import Steps
from autograder.exercises.ways import (
    _RETURNED,
    BLENDS,
    INPUTS,
    ORDERS,
    OUTPUTS,
    RIGHT_BLEND,
    RIGHT_SCALE,
    RIGHT_SCORES,
    RIGHT_SHARES,
    SCALES,
    SCORES,
    SHARES,
    WEIGHTS_ALONE,
    attention,
    same,
)

_SX, _SW_Q, _SW_K, _SW_V = (
    tidy(4, 4, seed=110) / 2,
    tidy(4, 3, seed=111),
    tidy(4, 3, seed=112),
    tidy(4, 2, seed=113),
)

_SHX, _SHW_Q, _SHW_K, _SHW_V = (
    rough(5, 18, seed=120),
    rough(18, 6, seed=121) / 4,
    rough(18, 6, seed=122) / 4,
    rough(18, 4, seed=123),
)

# Whole numbers: float32 computes these scores exactly.
_SX_LARGE = np.array([[20.0, 0.0, 8.0, -4.0], [-20.0, 12.0, 0.0, 4.0]])

_SW_Q_LARGE = np.eye(4)[:, :3] * 2

SELF_ATTENTION = Exercise(
    name="self_attention",
    lesson="01_self_attention",
    can="You can now run self-attention, the heart of GPT-2, on any sentence.",
    visible=(
        Case("four tokens", (_SX, _SW_Q, _SW_K, _SW_V)),
        Case("one token", (_SX[:1], _SW_Q, _SW_K, _SW_V)),
        Case(
            "square matrices",
            (
                tidy(3, 3, seed=114) / 2,
                tidy(3, 3, seed=115),
                tidy(3, 3, seed=116),
                tidy(3, 3, seed=117),
            ),
        ),
        Case("two sentences at once", (tidy(2, 3, 4, seed=118) / 2, _SW_Q, _SW_K, _SW_V)),
        Case("two numbers in a query", (_SX, _SW_Q[:, :2], _SW_K[:, :2], _SW_V)),
        Case("scores near 1000", (_SX_LARGE, _SW_Q_LARGE, _SW_Q_LARGE, _SW_V)),
        late("whole numbers", (np.array([[1, 0, 2, -1], [0, 1, 1, 1]]), _SW_Q, _SW_K, _SW_V)),
    ),
    hidden=(
        Case("a wider model", (_SHX, _SHW_Q, _SHW_K, _SHW_V)),
        Case("a grid of sentences", (rough(2, 3, 5, 18, seed=124), _SHW_Q, _SHW_K, _SHW_V)),
        Case(
            "square matrices of another size",
            (
                rough(4, 4, seed=125),
                rough(4, 4, seed=126) / 2,
                rough(4, 4, seed=127) / 2,
                rough(4, 4, seed=128),
            ),
        ),
        Case("scores of several hundreds", (rough(3, 18, seed=129) * 30, _SHW_Q, _SHW_K, _SHW_V)),
        late("values wider than keys", (_SHX, _SHW_Q, _SHW_K, rough(18, 11, seed=130))),
        late(
            "many features",
            (
                rough(4, WIDE, seed=131),
                rough(WIDE, 3, seed=132) / 16,
                rough(WIDE, 3, seed=133) / 16,
                rough(WIDE, 2, seed=134),
            ),
        ),
        late(
            "a long text",
            (
                rough(2 * LONG, 3, seed=135),
                rough(3, 2, seed=136),
                rough(3, 2, seed=137),
                rough(3, 1, seed=138),
            ),
        ),
        late(
            "all sizes equal",
            (rough(4, 4, 4, seed=139), *(rough(4, 4, seed=125 + i) / 2 for i in (0, 1, 2))),
        ),
        late(
            "one number in a query",
            (
                rough(3, 4, seed=125),
                rough(4, 1, seed=126),
                rough(4, 1, seed=127),
                rough(4, 4, seed=128),
            ),
        ),
    ),
    promises=(
        Promise(
            "shuffled tokens give shuffled results",
            "tokens_in_any_order",
            (_SX, np.array([2, 0, 3, 1]), _SW_Q, _SW_K, _SW_V),
            (_SHX, np.array([3, 1, 4, 0, 2]), _SHW_Q, _SHW_K, _SHW_V),
        ),
        Promise(
            "every row of weights is positive and sums to 1",
            "rows_sum_to_one",
            (_SX, _SW_Q, _SW_K, _SW_V),
            (_SHX, _SHW_Q, _SHW_K, _SHW_V),
        ),
        Promise(
            "every sentence of a batch gives what it gives alone",
            "every_example_alone",
            (1, tidy(2, 3, 4, seed=118) / 2, _SW_Q, _SW_K, _SW_V),
            (1, rough(3, 5, _SHX.shape[-1], seed=160), _SHW_Q, _SHW_K, _SHW_V),
        ),
    ),
    hints=(
        "You have a function for every step already: make_qkv, scaled_scores, softmax, weighted_sum. "
        "Which of them makes what the next one needs?",
        "make_qkv gives three arrays. scaled_scores takes two of them. softmax turns scores into "
        "weights, and weighted_sum needs the weights and the third array.",
        "Write `q, k, v = make_qkv(x, w_q, w_k, w_v)`, then `weights = "
        "softmax(scaled_scores(q, k))`, and return `weighted_sum(weights, v)` together with "
        "`weights`.",
    ),
)


# --- known mistakes ------------------------------------------------------------------------------


def _sa_with(weights_of):
    """Self-attention whose weights come from a wrong formula of q and k."""

    def self_attention(x, w_q, w_k, w_v):
        weights = weights_of(x @ w_q, x @ w_k)
        return weights @ (x @ w_v), weights

    return self_attention


SELF_ATTENTION.mistake(
    "not_scaled",
    "Your weights are too sharp: the scores are not divided by sqrt(d). Use your scaled_scores.",
    _sa_with(lambda q, k: softmax(dot(q, k))),
)

SELF_ATTENTION.mistake(
    "scaled_twice",
    "Your weights are too flat: the scores are scaled twice (or divided by d). "
    "scaled_scores has done it already.",
    _sa_with(lambda q, k: softmax(dot(q, k) / q.shape[-1])),
)


def _naive_softmax(scores):
    exp = np.exp(scores)
    return exp / exp.sum(axis=-1, keepdims=True)


SELF_ATTENTION.mistake(
    "no_max_subtracted",
    "Right on small scores, nan for large ones: your own exp overflows. Your `softmax` "
    "subtracts the largest score of each row first: use it.",
    _sa_with(lambda q, k: _naive_softmax(dot(q, k) / np.sqrt(q.shape[-1]))),
)

SELF_ATTENTION.mistake(
    "scale_of_the_toy",
    "You divide by the root of 3, which is right only for the toy. Use your "
    "scaled_scores, which reads d from the queries.",
    _sa_with(lambda q, k: softmax(dot(q, k) / np.sqrt(3))),
)

SELF_ATTENTION.mistake(
    "scaled_by_model_width",
    "You scale by the width of the model, the last axis of `x`. d is the size of one "
    "query: the last axis of `q`.",
    lambda x, w_q, w_k, w_v: _sa_with(lambda q, k: softmax(dot(q, k) / np.sqrt(x.shape[-1])))(
        x, w_q, w_k, w_v
    ),
)

SELF_ATTENTION.mistake(
    "scaled_by_tokens",
    "You scale by the number of tokens. d is the size of one query: the last axis of `q`.",
    _sa_with(lambda q, k: softmax(dot(q, k) / np.sqrt(q.shape[-2]))),
)

SELF_ATTENTION.mistake(
    "no_softmax",
    "You blend the values with the scores themselves. Softmax comes first: it turns scores "
    "into weights.",
    _sa_with(lambda q, k: dot(q, k) / np.sqrt(q.shape[-1])),
)

SELF_ATTENTION.mistake(
    "softmax_over_queries",
    "The columns of your weights sum to 1 instead of the rows. Softmax runs over the "
    "keys: the last axis.",
    _sa_with(lambda q, k: flip(softmax(flip(dot(q, k) / np.sqrt(q.shape[-1]))))),
)

SELF_ATTENTION.mistake(
    "softmax_twice",
    "Your weights are nearly equal: softmax is applied twice.",
    _sa_with(lambda q, k: softmax(softmax(dot(q, k) / np.sqrt(q.shape[-1])))),
)


def _attend(q, k, v):
    weights = softmax(dot(q, k) / np.sqrt(q.shape[-1]))
    return weights @ v, weights


def _sa(x, w_q, w_k, w_v):
    return _attend(x @ w_q, x @ w_k, x @ w_v)


SELF_ATTENTION.mistake(
    "values_are_keys",
    "You blend the keys. Keys are for matching; the values carry the content.",
    lambda x, w_q, w_k, w_v: (_sa(x, w_q, w_k, w_k)[0], _sa(x, w_q, w_k, w_v)[1]),
)

SELF_ATTENTION.mistake(
    "values_are_x",
    "You blend the tokens themselves. Blend the values, `x` times `w_v`.",
    lambda x, w_q, w_k, w_v: (_sa(x, w_q, w_k, w_v)[1] @ x, _sa(x, w_q, w_k, w_v)[1]),
)

SELF_ATTENTION.mistake(
    "q_with_q",
    "You compare the queries with themselves, or your keys are made with `w_q`. Keys are made "
    "with `w_k`, and queries are compared with them.",
    _sa_with(lambda q, k: softmax(dot(q, q) / np.sqrt(q.shape[-1]))),
)

SELF_ATTENTION.mistake(
    "k_with_k",
    "You compare the keys with themselves, or your queries are made with `w_k`. Queries are "
    "made with `w_q`, and are compared with the keys.",
    _sa_with(lambda q, k: softmax(dot(k, k) / np.sqrt(q.shape[-1]))),
)

SELF_ATTENTION.mistake(
    "x_with_x",
    "You compare the tokens themselves. Make queries and keys first.",
    lambda x, w_q, w_k, w_v: (
        _attend(x, x, x @ w_v)[0],
        _attend(x, x, x @ w_v)[1],
    ),
)

SELF_ATTENTION.mistake(
    "queries_and_keys_swapped",
    "Queries and keys have changed places. Check the order in which make_qkv returns them, "
    "and that the query stands first in scaled_scores.",
    _sa_with(lambda q, k: softmax(dot(k, q) / np.sqrt(q.shape[-1]))),
)

SELF_ATTENTION.mistake(
    "weights_transposed_in_sum",
    "The weights are right, but in the sum you use their columns. Row i of the weights "
    "mixes the values for token i.",
    lambda x, w_q, w_k, w_v: (
        flip(_sa(x, w_q, w_k, w_v)[1]) @ (x @ w_v),
        _sa(x, w_q, w_k, w_v)[1],
    ),
)

SELF_ATTENTION.mistake(
    "weight_matrices_transposed",
    "You multiply with transposed matrices. Each has the shape [in, out]: `x @ w_q` needs "
    "no transpose.",
    lambda x, w_q, w_k, w_v: _attend(x @ w_q.T, x @ w_k.T, x @ w_v.T),
)

SELF_ATTENTION.mistake(
    "returned_in_wrong_order",
    "You return the weights first. Return the result first, then the weights.",
    lambda x, w_q, w_k, w_v: _sa(x, w_q, w_k, w_v)[::-1],
)

SELF_ATTENTION.mistake(
    "weights_not_returned",
    "You return only the result. Return the weights as well: `return out, weights`.",
    lambda x, w_q, w_k, w_v: _sa(x, w_q, w_k, w_v)[0],
)

SELF_ATTENTION.mistake(
    "scores_returned",
    "Your second value holds the scores. Return the weights: what softmax makes of them.",
    lambda x, w_q, w_k, w_v: (
        _sa(x, w_q, w_k, w_v)[0],
        dot(x @ w_q, x @ w_k) / np.sqrt(w_q.shape[1]),
    ),
)


@SELF_ATTENTION.mistake(
    "future_hidden",
    "Your tokens do not see those after them. That mask is the next lesson; here every "
    "token sees all tokens.",
)
def _sa_causal(x, w_q, w_k, w_v):
    q, k, v = x @ w_q, x @ w_k, x @ w_v
    scores = dot(q, k) / np.sqrt(q.shape[-1])
    weights = softmax(
        np.where(np.tri(scores.shape[-2], scores.shape[-1], dtype=bool), scores, -np.inf)
    )
    return weights @ v, weights


@SELF_ATTENTION.mistake(
    "not_itself",
    "Your tokens do not look at themselves. In self-attention a token's own key takes "
    "part like all others.",
)
def _sa_not_itself(x, w_q, w_k, w_v):
    q, k, v = x @ w_q, x @ w_k, x @ w_v
    scores = dot(q, k) / np.sqrt(q.shape[-1])
    weights = softmax(np.where(np.eye(scores.shape[-1], dtype=bool), -1e10, scores))
    return weights @ v, weights


SELF_ATTENTION.mistake(
    "x_added",
    "Your result holds `x` @ `w_v` as well. The sum with the token comes later in the "
    "model; here it is only the blend of the values.",
    lambda x, w_q, w_k, w_v: (
        _sa(x, w_q, w_k, w_v)[0] + x @ w_v,
        _sa(x, w_q, w_k, w_v)[1],
    ),
)

SELF_ATTENTION.mistake(
    "values_not_blended",
    "Your result holds each token's own value. Blend all values with the weights.",
    lambda x, w_q, w_k, w_v: (x @ w_v, _sa(x, w_q, w_k, w_v)[1]),
)


@SELF_ATTENTION.mistake(
    "x_changed",
    "The results are right, but `x` is different after the call. Somewhere you write into "
    "it. Make a new array instead.",
)
def _sa_x_changed(x, w_q, w_k, w_v):
    out, weights = _sa(x, w_q, w_k, w_v)
    x += 1
    return out, weights


# --- unusual, and right --------------------------------------------------------------------------


@SELF_ATTENTION.also_right("one token at a time")
def _sa_token_by_token(x, w_q, w_k, w_v):
    if x.ndim > 2:
        parts = [_sa_token_by_token(part, w_q, w_k, w_v) for part in x]
        return np.stack([p[0] for p in parts]), np.stack([p[1] for p in parts])
    k, v = x @ w_k, x @ w_v
    rows = [softmax(np.array([t @ w_q @ key for key in k]) / np.sqrt(w_q.shape[1])) for t in x]
    return np.stack([row @ v for row in rows]), np.stack(rows)


@SELF_ATTENTION.also_right("einsum without queries and keys")
def _sa_einsum(x, w_q, w_k, w_v):
    scores = np.einsum("...ia,ad,bd,...jb->...ij", x, w_q, w_k, x) / w_q.shape[1] ** 0.5
    weights = softmax(scores)
    return np.einsum("...ij,...ja,av->...iv", weights, x, w_v), weights


SELF_ATTENTION.also_right("a list of two", lambda *args: list(_sa(*args)))

SELF_ATTENTION.also_right("float32", lambda *args: _sa(*(a.astype("f4") for a in args)))

SELF_ATTENTION.also_right(
    "weights matrices joined",
    lambda x, w_q, w_k, w_v: _attend(*qkv_by_one_product(x, w_q, w_k, w_v)),
)

# --- its steps, and how each of them goes wrong --------------------------------------------------


def _build(x_is, order, scale, scores, shares, blend, out, returned):
    def self_attention(x, w_q, w_k, w_v):
        x = x_is(x)
        parts = [x @ w for w in (w_q, w_k, w_v)]
        q, k, v = (parts[i] for i in order)
        z, w = attention(q, k, v, scale, scores, None, None, shares, blend, x.shape[-1])
        return returned(out(z), w, v)

    return self_attention


SELF_ATTENTION.steps = Steps(
    _build,
    {"x_is": same, "order": (0, 1, 2), "scale": RIGHT_SCALE, "scores": RIGHT_SCORES, "shares": RIGHT_SHARES, "blend": RIGHT_BLEND, "out": same, "returned": lambda z, w, v: (z, w)},
    {"x_is": INPUTS, "order": ORDERS, "scale": SCALES, "scores": SCORES, "shares": SHARES, "blend": (*BLENDS, WEIGHTS_ALONE), "out": OUTPUTS, "returned": _RETURNED},
)  # fmt: skip
