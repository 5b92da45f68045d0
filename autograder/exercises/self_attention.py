"""Exercises of lesson 01: self-attention without a mask."""

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

LESSON = "01_self_attention"


# --- right pieces, from which wrong and unusual implementations are put together ---------------


def _softmax(scores):
    exp = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return exp / exp.sum(axis=-1, keepdims=True)


def _naive_softmax(scores):
    exp = np.exp(scores)
    return exp / exp.sum(axis=-1, keepdims=True)


def _flip(k):
    return np.swapaxes(k, -1, -2)


def _dot(q, k):
    return q @ _flip(k)


def _attend(q, k, v):
    weights = _softmax(_dot(q, k) / np.sqrt(q.shape[-1]))
    return weights @ v, weights


# --- make_qkv ---------------------------------------------------------------------------------


def _qkv_by_hand(x, w_q, w_k, w_v):
    def times(w):
        out = np.zeros((*x.shape[:-1], w.shape[1]))
        for index in np.ndindex(*x.shape[:-1]):
            for column in range(w.shape[1]):
                for i in range(w.shape[0]):
                    out[index][column] += x[index][i] * w[i, column]
        return out

    return times(w_q), times(w_k), times(w_v)


def _qkv_one_product(x, w_q, w_k, w_v):
    together = x @ np.concatenate([w_q, w_k, w_v], axis=1)
    ends = np.cumsum([w_q.shape[1], w_k.shape[1]])
    return np.split(together, ends, axis=-1)


def _qkv_changes_x(x, w_q, w_k, w_v):
    q, k, v = x @ w_q, x @ w_k, x @ w_v
    x -= x.mean(axis=-1, keepdims=True).astype(x.dtype)
    return q, k, v


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
    lesson=LESSON,
    visible=(
        Case("three tokens", (_X, _W_Q, _W_K, _W_V)),
        Case("one token", (_X[:1], _W_Q, _W_K, _W_V)),
        Case(
            "square matrices",
            (tidy(3, 3, seed=14), tidy(3, 3, seed=15), tidy(3, 3, seed=16), tidy(3, 3, seed=17)),
        ),
        Case("two sentences at once", (tidy(2, 3, 4, seed=18), _W_Q, _W_K, _W_V)),
        late(
            "whole numbers",
            (np.array([[1, 0, 2, -1], [0, 3, 1, 1]]), _W_Q, _W_K, np.arange(8).reshape(4, 2)),
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
    mistakes=(
        Mistake(
            "weights_transposed",
            "You multiply with the transposed matrices. A token is a row of `x`, and each weight "
            "matrix has the shape [in, out]: a row of 4 times a 4 x 3 matrix is a row of 3. No "
            "transpose is needed.",
            lambda x, w_q, w_k, w_v: (x @ w_q.T, x @ w_k.T, x @ w_v.T),
        ),
        Mistake(
            "weights_reshaped",
            "The shapes fit, the numbers do not: you reshape the weight matrices. Reshaping "
            "puts the numbers into other places. Which product of `x` and the matrix needs no "
            "change of either?",
            lambda x, w_q, w_k, w_v: tuple(x @ w.reshape(w.shape[::-1]).T for w in (w_q, w_k, w_v)),
        ),
        Mistake(
            "sides_swapped",
            "You put the matrix on the left. Tokens are rows here, so `x` stands on the left "
            "of `@` and the matrix on the right.",
            lambda x, w_q, w_k, w_v: (w_q @ x, w_k @ x, w_v @ x),
        ),
        Mistake(
            "sides_swapped_and_transposed",
            "You put the transposed matrix on the left. That treats tokens as columns; here they "
            "are the rows of `x`. Put `x` on the left of `@`.",
            lambda x, w_q, w_k, w_v: (w_q.T @ x, w_k.T @ x, w_v.T @ x),
        ),
        Mistake(
            "result_transposed",
            "Each of your results has its two axes swapped. A row belongs to a token: the shape "
            "is [T, d].",
            lambda x, w_q, w_k, w_v: (_flip2(x @ w_q), _flip2(x @ w_k), _flip2(x @ w_v)),
            lambda x, w_q, w_k, w_v: ((x @ w_q).T, (x @ w_k).T, (x @ w_v).T),
        ),
        Mistake(
            "x_transposed",
            "You transpose `x`. Its rows are tokens and its columns features: the features must "
            "meet the rows of the matrix, and no transpose is needed.",
            lambda x, w_q, w_k, w_v: (x.T @ w_q, x.T @ w_k, x.T @ w_v),
        ),
        Mistake(
            "order_kqv",
            "Your first result holds the keys and your second the queries. Return the queries "
            "first, then keys, then values.",
            lambda x, w_q, w_k, w_v: (x @ w_k, x @ w_q, x @ w_v),
        ),
        Mistake(
            "order_vkq",
            "Queries and values have changed places. Return the queries first, then keys, then "
            "values.",
            lambda x, w_q, w_k, w_v: (x @ w_v, x @ w_k, x @ w_q),
        ),
        Mistake(
            "order_qvk",
            "Keys and values have changed places. Return the queries first, then keys, then "
            "values.",
            lambda x, w_q, w_k, w_v: (x @ w_q, x @ w_v, x @ w_k),
        ),
        Mistake(
            "order_kvq",
            "You return keys, values, queries. Return the queries first, then keys, then values.",
            lambda x, w_q, w_k, w_v: (x @ w_k, x @ w_v, x @ w_q),
        ),
        Mistake(
            "order_vqk",
            "You return values, queries, keys. Return the queries first, then keys, then values.",
            lambda x, w_q, w_k, w_v: (x @ w_v, x @ w_q, x @ w_k),
        ),
        Mistake(
            "w_q_for_all",
            "All three results come from `w_q`. Each has a matrix of its own: that is what lets a "
            "token ask for one thing and offer another.",
            lambda x, w_q, w_k, w_v: (x @ w_q, x @ w_q, x @ w_q),
        ),
        Mistake(
            "w_q_for_keys",
            "Your keys are made with `w_q`. Keys have a matrix of their own, `w_k`.",
            lambda x, w_q, w_k, w_v: (x @ w_q, x @ w_q, x @ w_v),
        ),
        Mistake(
            "w_k_for_values",
            "Your values are made with `w_k`. Values have a matrix of their own, `w_v`.",
            lambda x, w_q, w_k, w_v: (x @ w_q, x @ w_k, x @ w_k),
        ),
        Mistake(
            "values_are_x",
            "Your values are the tokens themselves. Values are `x` times `w_v`, just as queries "
            "are `x` times `w_q`.",
            lambda x, w_q, w_k, w_v: (x @ w_q, x @ w_k, x),
        ),
        Mistake(
            "chained",
            "You make keys from queries. Queries, keys and values are all made from the same `x`.",
            lambda x, w_q, w_k, w_v: (x @ w_q, x @ w_q @ w_k, x @ w_q @ w_v),
        ),
        Mistake(
            "elementwise",
            "You multiply cell by cell with `*`. A matrix product, `@`, multiplies a row with a "
            "column and adds up.",
            lambda x, w_q, w_k, w_v: (x * w_q, x * w_k, x * w_v),
        ),
        Mistake(
            "scaled_too_early",
            "Your results are divided by the square root of their width. The scale belongs to the "
            "scores, in the next exercise.",
            lambda x, w_q, w_k, w_v: tuple(x @ w / np.sqrt(w.shape[1]) for w in (w_q, w_k, w_v)),
            lambda x, w_q, w_k, w_v: (x @ w_q / np.sqrt(w_q.shape[1]), x @ w_k, x @ w_v),
        ),
        Mistake(
            "x_added",
            "Your results hold `x` as well. The sum with `x` comes later in the model, after "
            "attention; here it is only the product.",
            lambda x, w_q, w_k, w_v: (x + x @ w_q, x + x @ w_k, x + x @ w_v),
        ),
        Mistake(
            "first_token_only",
            "You return the vectors of one token only. Every token has a query, a key and a value.",
            lambda x, w_q, w_k, w_v: (x[..., 0, :] @ w_q, x[..., 0, :] @ w_k, x[..., 0, :] @ w_v),
        ),
        Mistake(
            "one_array",
            "You return one array with everything side by side. Return three: `return q, k, v`.",
            lambda x, w_q, w_k, w_v: np.concatenate([x @ w_q, x @ w_k, x @ w_v], axis=-1),
        ),
        Mistake(
            "a_dictionary",
            "You return a dictionary. Return three arrays: `return q, k, v`.",
            lambda x, w_q, w_k, w_v: {"q": x @ w_q, "k": x @ w_k, "v": x @ w_v},
        ),
        Mistake(
            "x_changed",
            "The results are right, but `x` is different after the call. Somewhere you write into "
            "it, perhaps with `-=`, `*=` or `x[...] =`. Make a new array instead.",
            _qkv_changes_x,
        ),
    ),
    right=(
        Right("np.dot", lambda x, *w: tuple(np.dot(x, m) for m in w)),
        Right("einsum", lambda x, *w: tuple(np.einsum("...i,io->...o", x, m) for m in w)),
        Right("one product, then split: a list", _qkv_one_product),
        Right("loops", _qkv_by_hand),
        Right("tensordot", lambda x, *w: [np.tensordot(x, m, axes=1) for m in w]),
        Right("float32", lambda x, *w: tuple(x.astype("f4") @ m.astype("f4") for m in w)),
        Right(
            "transposed twice",
            lambda x, *w: tuple(np.matmul(m.T, x[..., None])[..., 0] for m in w),
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


def _flip2(a):
    return np.swapaxes(a, -1, -2)


# --- scaled_scores ----------------------------------------------------------------------------


def _scores_by_hand(q, k):
    out = np.zeros((*q.shape[:-1], k.shape[-2]))
    for index in np.ndindex(*q.shape[:-1]):
        for j in range(k.shape[-2]):
            out[index][j] = sum(a * b for a, b in zip(q[index], k[*index[:-1], j], strict=True))
    return out / q.shape[-1] ** 0.5


def _cosine(q, k):
    unit_q = q / np.linalg.norm(q, axis=-1, keepdims=True)
    unit_k = k / np.linalg.norm(k, axis=-1, keepdims=True)
    return _dot(unit_q, unit_k)


def _distance(q, k):
    return -np.linalg.norm(q[..., :, None, :] - k[..., None, :, :], axis=-1)


def _q_changed(q, k):
    q /= np.sqrt(q.shape[-1])
    return _dot(q, k)


def _q_centred_in_place(q, k):
    result = _dot(q, k) / np.sqrt(q.shape[-1])
    q *= 0
    return result


_Q, _K = tidy(3, 3, seed=40), tidy(4, 3, seed=41)
_HQ, _HK = rough(5, 6, seed=42), rough(7, 6, seed=43)

SCALED_SCORES = Exercise(
    name="scaled_scores",
    lesson=LESSON,
    visible=(
        Case("three queries, four keys", (_Q, _K)),
        Case("one query, two keys", (tidy(1, 2, seed=44), tidy(2, 2, seed=45))),
        Case("as many keys as numbers in a key", (tidy(2, 4, seed=256), tidy(4, 4, seed=257))),
        Case("a batch with two heads", (tidy(2, 2, 3, 5, seed=48), tidy(2, 2, 4, 5, seed=49))),
        Case("eight numbers in a vector", (tidy(2, 8, seed=50), tidy(2, 8, seed=51))),
        late(
            "whole numbers among others",
            (np.array([[1, 0, 2], [0, -1, 1]]), _K),
        ),
    ),
    hidden=(
        Case("more keys than queries", (_HQ, _HK)),
        Case("other sizes in four axes", (rough(2, 3, 5, 6, seed=52), rough(2, 3, 7, 6, seed=53))),
        Case("64 numbers in a vector", (rough(3, 64, seed=54), rough(4, 64, seed=55))),
        Case("as many keys as numbers", (rough(3, 6, seed=56), rough(6, 6, seed=57))),
        Case("one number in a vector", (rough(3, 1, seed=58), rough(2, 1, seed=59))),
        Case("whole numbers", (np.array([[1, 2, 3]]), np.array([[3, -1, 0], [2, 2, 2]]))),
        late("many keys", (rough(2, 3, seed=64), rough(FAR, 3, seed=65))),
        late("many queries", (rough(FAR, 3, seed=66), rough(2, 3, seed=67))),
        late("many numbers in a vector", (rough(3, LONG, seed=68), rough(2, LONG, seed=69))),
        late("all sizes equal", (rough(3, 3, 3, 3, seed=40), rough(3, 3, 3, 3, seed=41))),
        late("one query, one key", (rough(2, 1, 5, seed=42), rough(2, 1, 5, seed=43))),
        late("large numbers", (rough(3, 5, seed=44) * 1e4, rough(4, 5, seed=45) * 1e4)),
    ),
    promises=(
        Promise(
            "every example of a batch gives what it gives alone",
            "every_example_alone",
            (2, tidy(2, 3, 4, seed=60), tidy(2, 2, 4, seed=61)),
            (2, rough(3, 4, 5, seed=62), rough(3, 6, 5, seed=63)),
        ),
        Promise(
            "the scores grow in proportion to the keys",
            "linear_in_last",
            (_Q, _K),
            (_HQ, _HK),
        ),
    ),
    mistakes=(
        Mistake(
            "not_scaled",
            "Your scores are too big by the factor sqrt(d): they are not scaled. With 64 numbers "
            "in a vector, softmax would give nearly everything to one key.",
            _dot,
        ),
        Mistake(
            "divided_by_d",
            "You divide by d. Divide by its square root, and only once (two divisions by "
            "sqrt(d) give the same as one by d).",
            lambda q, k: _dot(q, k) / q.shape[-1],
            lambda q, k: _dot(q / np.sqrt(q.shape[-1]), k / np.sqrt(k.shape[-1])),
        ),
        Mistake(
            "times_sqrt_d",
            "You multiply by sqrt(d). The scores should become smaller: divide.",
            lambda q, k: _dot(q, k) * np.sqrt(q.shape[-1]),
        ),
        Mistake(
            "scaled_by_number_of_keys",
            "You divide by the square root of the number of keys. The scale comes from the size "
            "of one vector, d, not from the length of the sentence.",
            lambda q, k: _dot(q, k) / np.sqrt(k.shape[-2]),
        ),
        Mistake(
            "scaled_by_number_of_queries",
            "You divide by the square root of the number of queries. The scale comes from the "
            "size of one vector, d, not from the length of the sentence.",
            lambda q, k: _dot(q, k) / np.sqrt(q.shape[-2]),
        ),
        Mistake(
            "scaled_by_first_axis",
            "You divide by the square root of the first axis of `q`. In a batch that is the "
            "number of examples. d is the size of the last axis.",
            lambda q, k: _dot(q, k) / np.sqrt(len(q)),
        ),
        Mistake(
            "scaled_by_model_width",
            "You divide by the square root of the heads' widths together. d is the size of ONE "
            "query vector: the last axis of `q`.",
            lambda q, k: _dot(q, k) / np.sqrt(q.shape[-1] * (q.shape[1] if q.ndim > 2 else 1)),
            lambda q, k: _dot(q, k) / np.sqrt(q[0].size if q.ndim > 2 else q.shape[-1]),
        ),
        Mistake(
            "scale_is_8",
            "You divide by 8. That is right only for vectors of 64 numbers, as in GPT-2. Read d "
            "from the shape of `q`.",
            lambda q, k: _dot(q, k) / 8,
        ),
        Mistake(
            "scale_of_the_toy",
            "You divide by the root of 3. That is right only for vectors of 3 numbers, as in the "
            "worked example. Read d from the shape of `q`.",
            lambda q, k: _dot(q, k) / np.sqrt(3),
        ),
        Mistake(
            "half_of_d",
            "You divide by d / 2: Python reads `d ** 1 / 2` as `(d ** 1) / 2`. Write `np.sqrt(d)` "
            "or `d ** 0.5`.",
            lambda q, k: _dot(q, k) / (q.shape[-1] / 2),
        ),
        Mistake(
            "scaled_by_axis_1",
            "You divide by the square root of axis 1 of `q`. That is d only when there are no "
            "leading axes. d is the size of the last axis: `q.shape[-1]`.",
            lambda q, k: _dot(q, k) / np.sqrt(q.shape[1]),
        ),
        Mistake(
            "scale_rounded",
            "You round sqrt(d) to a whole number. Keep it as it is.",
            lambda q, k: _dot(q, k) / int(np.sqrt(q.shape[-1])),
        ),
        Mistake(
            "one_root_too_many",
            "You divide by the fourth root of d: the square root is taken twice, or only one of "
            "`q` and `k` is scaled by it. Divide the scores by sqrt(d).",
            lambda q, k: _dot(q, k) / q.shape[-1] ** 0.25,
        ),
        Mistake(
            "k_not_transposed",
            "You multiply `q` with `k` as it is. The rows of `k` are keys; for a score, the two "
            "last axes of `k` must be swapped first. (With as many keys as numbers in a key, "
            "NumPy does not complain.)",
            lambda q, k: q @ k / np.sqrt(q.shape[-1]),
        ),
        Mistake(
            "queries_and_keys_swapped",
            "Your rows belong to keys and your columns to queries. A row of scores belongs to a "
            "query: `q` stands on the left.",
            lambda q, k: _dot(k, q) / np.sqrt(q.shape[-1]),
        ),
        Mistake(
            "all_axes_reversed",
            "`.T` reverses all axes. That is the same as swapping the last two only when there "
            "are no others. In a batch, swap the last two and leave the rest.",
            lambda q, k: q @ k.T / np.sqrt(q.shape[-1]),
        ),
        Mistake(
            "dot_for_batches",
            "The result has too many axes: `np.dot` combines every example of a batch with every "
            "other. `@` keeps the examples apart.",
            lambda q, k: np.dot(q, _flip(k)) / np.sqrt(q.shape[-1]),
        ),
        Mistake(
            "reshaped_not_transposed",
            "The shape is right, the numbers are not: you reshape `k`. Reshaping cuts the numbers "
            "into rows of another length; swapping axes turns rows into columns.",
            lambda q, k: (
                q @ k.reshape(*k.shape[:-2], k.shape[-1], k.shape[-2]) / np.sqrt(q.shape[-1])
            ),
        ),
        Mistake(
            "elementwise",
            "You multiply cell by cell. Each query meets EVERY key: for 3 queries and 4 keys "
            "there are 12 scores.",
            lambda q, k: q * k / np.sqrt(q.shape[-1]),
            lambda q, k: (q * k).sum(axis=-1) / np.sqrt(q.shape[-1]),
        ),
        Mistake(
            "cosine",
            "You bring all vectors to length 1 first (cosine). Attention uses the dot product "
            "itself: a longer key gets a larger score.",
            _cosine,
        ),
        Mistake(
            "distance",
            "You measure distances. Attention uses the dot product: it is large when two "
            "vectors point the same way.",
            _distance,
            lambda q, k: -_distance(q, k),
        ),
        Mistake(
            "q_with_q",
            "You compare the queries with themselves. Compare every query with every key.",
            lambda q, k: _dot(q, q) / np.sqrt(q.shape[-1]),
        ),
        Mistake(
            "k_with_k",
            "You compare the keys with themselves. Compare every query with every key.",
            lambda q, k: _dot(k, k) / np.sqrt(q.shape[-1]),
        ),
        Mistake(
            "softmax_inside",
            "Your rows sum to 1: these are weights already. Return the scores; softmax is the "
            "next exercise.",
            lambda q, k: _softmax(_dot(q, k) / np.sqrt(q.shape[-1])),
            lambda q, k: _softmax(_dot(q, k)),
        ),
        Mistake(
            "sign_turned",
            "All your scores have the wrong sign. A query and a key that point the same way get "
            "a large positive score.",
            lambda q, k: -_dot(q, k) / np.sqrt(q.shape[-1]),
        ),
        Mistake(
            "rounded",
            "Your scores are rounded. Round when you print, never in what you return.",
            lambda q, k: np.round(_dot(q, k) / np.sqrt(q.shape[-1]), 2),
        ),
        Mistake(
            "half_precision",
            "The numbers are too coarse: they went through float16. Keep the type of the input.",
            lambda q, k: _dot(q, k).astype(np.float16) / np.float16(np.sqrt(q.shape[-1])),
            lambda q, k: (_dot(q, k) / np.sqrt(q.shape[-1])).astype(np.float16),
        ),
        Mistake(
            "list_returned",
            "The numbers are right, but you return a list. Return the NumPy array.",
            lambda q, k: (_dot(q, k) / np.sqrt(q.shape[-1])).tolist(),
        ),
        Mistake(
            "q_changed",
            "`q` is different after the call: `/=` and `*=` write into the caller's array. Make "
            "a new one, for example with `q / ...`.",
            _q_changed,
            _q_centred_in_place,
        ),
    ),
    right=(
        Right("einsum", lambda q, k: np.einsum("...id,...jd->...ij", q, k) / q.shape[-1] ** 0.5),
        Right("three loops", _scores_by_hand),
        Right("scale the queries first", lambda q, k: (q / np.sqrt(q.shape[-1])) @ _flip(k)),
        Right(
            "fourth root on both sides",
            lambda q, k: (q / q.shape[-1] ** 0.25) @ _flip(k / k.shape[-1] ** 0.25),
        ),
        Right(
            "broadcast and sum",
            lambda q, k: (q[..., :, None, :] * k[..., None, :, :]).sum(-1) * q.shape[-1] ** -0.5,
        ),
        Right("moveaxis", lambda q, k: q @ np.moveaxis(k, -1, -2) / np.sqrt(q.shape[-1])),
        Right(
            "transpose with a tuple of axes",
            lambda q, k: (
                q @ k.transpose(*range(k.ndim - 2), k.ndim - 1, k.ndim - 2) / np.sqrt(k.shape[-1])
            ),
        ),
        Right(
            "keys times queries, then swapped",
            lambda q, k: _flip(k @ _flip(q)) / np.sqrt(q.shape[-1]),
        ),
        Right(
            "float32",
            lambda q, k: _dot(q.astype("f4"), k.astype("f4")) / np.float32(np.sqrt(q.shape[-1])),
        ),
        Right("np.inner row by row", lambda q, k: _inner(q, k)),
    ),
    hints=(
        "Which axis of `q` and which axis of `k` hold the numbers of one vector? Those two must "
        "meet in the product; the result has a row for each query and a column for each key.",
        "For `@` the keys must stand as columns: swap the last two axes of `k`, and only these. "
        "`np.swapaxes(k, -1, -2)` does it for any number of leading axes. Then scale: d is "
        "`q.shape[-1]`.",
        "The unscaled scores are `q @ np.swapaxes(k, -1, -2)`. Divide them by "
        "`np.sqrt(q.shape[-1])` and return the result.",
    ),
)


def _inner(q, k):
    if q.ndim == 2:
        return np.inner(q, k) / np.sqrt(q.shape[-1])
    return np.stack([_inner(a, b) for a, b in zip(q, k, strict=True)])


# --- softmax ----------------------------------------------------------------------------------


def _exp_shifted(scores):
    return np.exp(scores - scores.max(axis=-1, keepdims=True))


def _sum(array):
    return array.sum(axis=-1, keepdims=True)


def _changed_in_place(scores):
    scores -= scores.max(axis=-1, keepdims=True)
    exp = np.exp(scores)
    return exp / exp.sum(axis=-1, keepdims=True)


def _minus_inf_written(scores):
    weights = _softmax(scores)
    scores[...] = np.exp(_exp_shifted(scores)).astype(scores.dtype)
    return weights


def _into_integers(scores):
    weights = np.zeros_like(scores)
    weights[...] = _softmax(scores)
    return weights


def _over_axis_1(scores):
    exp = np.exp(scores - scores.max(axis=1, keepdims=True))
    return exp / exp.sum(axis=1, keepdims=True)


def _row_loop_2d(scores):
    rows = [np.exp(row - row.max()) for row in scores]
    return np.array([row / row.sum() for row in rows])


def _rows_written_2d(scores):
    weights = np.zeros_like(scores)
    for i, row in enumerate(_row_loop_2d(scores)):
        weights[i] = row
    return weights


def _nan_replaced(scores):
    exp = np.exp(scores)
    return np.nan_to_num(exp / exp.sum(axis=-1, keepdims=True))


def _clipped(scores):
    exp = np.exp(np.clip(scores, -50, 50))
    return exp / exp.sum(axis=-1, keepdims=True)


def _l1(scores):
    return np.abs(scores) / np.abs(scores).sum(axis=-1, keepdims=True)


def _min_max(scores):
    low, high = scores.min(axis=-1, keepdims=True), scores.max(axis=-1, keepdims=True)
    return (scores - low) / (high - low)


def _exp_normalised(scores, exp):
    return exp / exp.sum(axis=-1, keepdims=True)


def _without_keepdims_in_max(scores):
    return _exp_normalised(scores, np.exp(scores - scores.max(axis=-1)))


def _without_keepdims_in_sum(scores):
    exp = _exp_shifted(scores)
    return exp / exp.sum(axis=-1)


def _without_any_keepdims(scores):
    exp = np.exp(scores - scores.max(axis=-1))
    return exp / exp.sum(axis=-1)


def _recursive(scores):
    if scores.ndim > 1:
        return np.stack([_recursive(part) for part in scores])
    exp = [float(np.exp(s - max(scores))) for s in scores]
    return np.array([e / sum(exp) for e in exp])


def _log_sum_exp(scores):
    top = scores.max(axis=-1, keepdims=True)
    total = top + np.log(np.exp(scores - top).sum(axis=-1, keepdims=True))
    return np.exp(scores - total)


def _global_shift(scores):
    exp = np.exp(scores - scores.max())
    return exp / exp.sum(axis=-1, keepdims=True)


def _quarters(*shape, seed):
    """Multiples of 1/4: float32 holds them exactly even when a large number is added."""
    return np.round(rough(*shape, seed=seed) * 12) / 4


_INF = np.inf

SOFTMAX = Exercise(
    name="softmax",
    lesson=LESSON,
    visible=(
        Case("one row", (np.array([1.0, 2.0, 3.0]),)),
        Case("three queries, four keys", (tidy(3, 4, seed=70),)),
        Case("as many queries as keys", (tidy(3, 3, seed=71),)),
        Case(
            "scores near 1000",
            (np.array([[1000.0, 1001.0, 1002.0], [999.0, 1000.5, 998.0]]),),
        ),
        Case("a score of minus infinity", (np.array([[0.5, -_INF, 1.5], [-_INF, -_INF, 2.0]]),)),
        Case("whole numbers", (np.array([[1, 2, 0], [3, 3, 1]]),)),
        Case("a batch with two heads", (tidy(2, 2, 3, 4, seed=72),)),
        Case("a row of zeros and a row of equal scores", (np.array([[0.0, 0.0], [1.5, 1.5]]),)),
        Case("one score far above the others", (np.array([[1.0, 0.0, 2.0, 900.0]]),)),
        Case(
            "one row far below the other",
            (np.array([[-1000.0, -1001.0, -1002.0], [1000.0, 1001.0, 1002.0]]),),
        ),
    ),
    hidden=(
        Case("other sizes in two axes", (rough(5, 7, seed=73),)),
        Case("four axes", (rough(2, 3, 5, 7, seed=74),)),
        Case("as many queries as keys", (rough(6, 6, seed=75),)),
        Case(
            "very large and very small scores",
            (_quarters(4, 5, seed=76) + np.array([[1e3], [-1e3], [5e4], [0]]),),
        ),
        Case("one score far above the others", (np.array([[0.0, 1.0, -2.0, 1.5, 800.0, 0.5]]),)),
        Case("minus infinity", (np.where(np.tri(5, dtype=bool), rough(5, 5, seed=77), -_INF),)),
        Case("whole numbers", (np.array([[7, -3, 0, 2], [1, 1, 5, 4]]),)),
        Case("one row", (rough(9, seed=78),)),
        Case("one key", (rough(3, 1, seed=79),)),
        late("many keys", (rough(2, FAR, seed=84),)),
        late("many queries", (rough(FAR, 2, seed=85),)),
        late("all sizes equal", (rough(4, 4, 4, 4, seed=86),)),
        late("one key in a batch", (rough(2, 3, 1, 1, seed=87) * 1e4,)),
        late("equal scores", (np.full((2, 3, 5), -700.0),)),
        late(
            "a weight near the smallest float",
            (np.array([[0.0, -700.0, -750.0], [1e5, 1e5, -1e5]]),),
        ),
    ),
    promises=(
        Promise(
            "every row is positive and sums to 1",
            "rows_sum_to_one",
            (tidy(3, 5, seed=80),),
            (rough(2, 4, 6, seed=81) * 30,),
        ),
        Promise(
            "adding the same number to all scores changes nothing",
            "same_after_adding",
            (tidy(2, 3, seed=82), 100.0),
            (_quarters(3, 4, seed=83), -2e4),
        ),
    ),
    mistakes=(
        Mistake(
            "over_axis_0",
            "Your columns sum to 1, your rows do not. Each query's row must sum to 1. Which axis "
            "runs over the keys?",
            lambda s: np.exp(s - s.max(axis=0)) / np.exp(s - s.max(axis=0)).sum(axis=0),
            lambda s: np.exp(s - s.max()) / np.exp(s - s.max()).sum(axis=0),
            lambda s: _exp_shifted(s) / _exp_shifted(s).sum(axis=0),
            lambda s: np.exp(s) / np.exp(s).sum(axis=0),
        ),
        Mistake(
            "over_axis_1",
            "You normalise over axis 1. With one row or a batch, the keys are on another axis. "
            "They are always on the last one: -1.",
            _over_axis_1,
            lambda s: np.exp(s - s.max()) / np.exp(s - s.max()).sum(axis=1, keepdims=True),
            lambda s: np.exp(s) / np.exp(s).sum(axis=1, keepdims=True),
        ),
        Mistake(
            "over_everything",
            "All your cells together sum to 1. Normalise each row by itself.",
            lambda s: np.exp(s - s.max()) / np.exp(s - s.max()).sum(),
            lambda s: _exp_shifted(s) / _exp_shifted(s).sum(),
            lambda s: np.exp(s) / np.exp(s).sum(),
        ),
        Mistake(
            "no_max_subtracted",
            "Right on small scores, but exp(1000) is too large for any float (the limit is near "
            "709 in float64, 88 in float32). Subtract the row's largest score first: the result "
            "does not change.",
            lambda s: np.exp(s) / np.exp(s).sum(axis=-1, keepdims=True),
            lambda s: np.exp(s) / (np.exp(s).sum(axis=-1, keepdims=True) + 1e-9),
        ),
        Mistake(
            "min_subtracted",
            "You subtract the smallest score of the row. With a score of minus infinity that "
            "gives nan, and large scores can still overflow. Subtract the largest.",
            lambda s: _exp_normalised(s, np.exp(s - s.min(axis=-1, keepdims=True))),
        ),
        Mistake(
            "mean_subtracted",
            "You subtract the mean of the row. A score of minus infinity makes the mean minus "
            "infinity too, and then everything is nan. Subtract the largest score.",
            lambda s: _exp_normalised(s, np.exp(s - s.mean(axis=-1, keepdims=True))),
        ),
        Mistake(
            "one_max_for_all",
            "You subtract the largest score of the whole array. A row far below it comes out as "
            "nan: each of its exp is 0. Subtract from each row its own largest score.",
            _global_shift,
        ),
        Mistake(
            "absolute_max_subtracted",
            "You subtract the largest absolute value of the row. In a row of very low scores, or "
            "with minus infinity, nothing is left for the sum. Subtract the largest score, with "
            "its sign.",
            lambda s: _exp_normalised(s, np.exp(s - np.abs(s).max(axis=-1, keepdims=True))),
        ),
        Mistake(
            "constant_subtracted",
            "You subtract the same number from every row, whatever its scores are. Ordinary "
            "scores then come out as nan. Subtract from each row its own largest score.",
            lambda s: _exp_normalised(s, np.exp(s - 1000)),
        ),
        Mistake(
            "max_per_column",
            "You subtract the largest score of each column. Within a row, every score must be "
            "lowered by the same number: the largest of that row.",
            lambda s: _exp_normalised(s, np.exp(s - s.max(axis=0))),
        ),
        Mistake(
            "overflow_hidden",
            "You replace nan by numbers. Rows with large scores come out as zeros. Avoid the "
            "overflow instead: subtract the row's largest score before exp.",
            _nan_replaced,
        ),
        Mistake(
            "clipped",
            "You cut large scores off. Then 1000 and 1002 come out the same. Subtract the row's "
            "largest score instead: nothing is lost.",
            _clipped,
        ),
        Mistake(
            "unshifted_denominator",
            "You subtract the largest score above the fraction bar, but not below. Use the same "
            "exp in both places.",
            lambda s: _exp_shifted(s) / np.exp(s).sum(axis=-1, keepdims=True),
        ),
        Mistake(
            "keepdims_missing",
            "The largest score or the sum has lost its axis, so that it no longer lines up with "
            "its row. On square input NumPy does not even complain. Keep the axis: keepdims=True.",
            _without_keepdims_in_max,
            _without_keepdims_in_sum,
            _without_any_keepdims,
            lambda s: np.exp(s) / np.exp(s).sum(axis=-1),
            lambda s: np.exp(s - s.max()) / np.exp(s - s.max()).sum(axis=-1),
        ),
        Mistake(
            "no_exp",
            "You divide the scores by their sum, without exp. Weights are then negative for "
            "negative scores. Where is exp?",
            lambda s: s / s.sum(axis=-1, keepdims=True),
        ),
        Mistake(
            "absolute_values",
            "You divide absolute values by their sum. A strongly negative score then gets a large "
            "weight. Use exp: it is always positive and keeps the order.",
            _l1,
        ),
        Mistake(
            "min_max",
            "You stretch each row from 0 to 1. Softmax never gives exactly 0 for a finite score, "
            "and its rows sum to 1.",
            _min_max,
        ),
        Mistake(
            "log_softmax",
            "Your values are negative: these are the logarithms of the weights. Return the "
            "weights.",
            lambda s: np.log(_softmax(s)),
            lambda s: s - s.max(axis=-1, keepdims=True) - np.log(_sum(_exp_shifted(s))),
            lambda s: s - np.log(_sum(np.exp(s))),
            lambda s: np.log(np.exp(s) / _sum(np.exp(s))),
        ),
        Mistake(
            "not_normalised",
            "The largest value of each row is 1, and the rows do not sum to 1. Divide each row "
            "by its sum.",
            _exp_shifted,
        ),
        Mistake(
            "only_exp",
            "You return exp of the scores. Divide each row by its sum.",
            lambda s: np.exp(s),
        ),
        Mistake(
            "divided_by_max",
            "You divide by the largest value of the row. Divide by the sum of the row.",
            lambda s: np.exp(s) / np.exp(s).max(axis=-1, keepdims=True),
        ),
        Mistake(
            "divided_by_count",
            "You divide by the number of keys. Divide by the sum of the row.",
            lambda s: _exp_shifted(s) / s.shape[-1],
            lambda s: np.exp(s) / s.shape[-1],
        ),
        Mistake(
            "sigmoid",
            "Each of your cells depends on its own score only (sigmoid). In softmax the cells of "
            "a row compete: if one gets more, the others get less.",
            lambda s: 1 / (1 + np.exp(-s)),
            lambda s: np.exp(s) / (1 + np.exp(s)),
        ),
        Mistake(
            "base_2",
            "Your rows sum to 1, but they are too flat: you use powers of 2. Softmax uses exp, "
            "powers of e.",
            lambda s: _exp_normalised(s, 2.0 ** (s - s.max(axis=-1, keepdims=True))),
            lambda s: 2.0**s / _sum(2.0**s),
        ),
        Mistake(
            "epsilon_added",
            "Your rows sum to a little less than 1: a small number is added to the sum. After "
            "subtracting the largest score the sum is at least 1, so nothing needs to be added.",
            lambda s: _exp_shifted(s) / (_exp_shifted(s).sum(axis=-1, keepdims=True) + 1e-2),
            lambda s: _exp_shifted(s) / (_exp_shifted(s).sum(axis=-1, keepdims=True) + 1e-3),
        ),
        Mistake(
            "hard_max",
            "The largest score gets everything. Softmax is soft: every key with a finite score "
            "gets a share.",
            lambda s: np.eye(s.shape[-1])[s.argmax(axis=-1)],
            lambda s: (s == s.max(axis=-1, keepdims=True)).astype(float),
            lambda s: (s == s.max(axis=-1, keepdims=True)).astype(int),
        ),
        Mistake(
            "softmin",
            "The order is turned round: your smallest score gets the largest weight. Look for a "
            "minus sign.",
            lambda s: _exp_normalised(-s, np.exp(-s - (-s).max(axis=-1, keepdims=True))),
            lambda s: np.exp(-s) / _sum(np.exp(-s)),
        ),
        Mistake(
            "softmax_twice",
            "Your weights are nearly equal: softmax is applied twice.",
            lambda s: _softmax(_softmax(s)),
            lambda s: _softmax(np.exp(s) / _sum(np.exp(s))),
        ),
        Mistake(
            "scores_changed",
            "The weights are right, but `scores` is different after the call: `-=` writes into "
            "the caller's array. Write `scores - ...` and give the result a new name.",
            _changed_in_place,
            _minus_inf_written,
        ),
        Mistake(
            "rows_of_two_axes_only",
            "Right with two axes only. You go through the first axis and treat what you find as "
            "one row. With leading axes a row is the LAST axis: use axis=-1 instead of a loop.",
            _row_loop_2d,
            _rows_written_2d,
            lambda s: np.array([np.exp(row) / np.exp(row).sum() for row in s]),
        ),
        Mistake(
            "list_returned",
            "The numbers are right, but you return a list. Return the NumPy array.",
            lambda s: _softmax(s).tolist(),
            lambda s: (np.exp(s) / np.exp(s).sum(axis=-1, keepdims=True)).tolist(),
        ),
        Mistake(
            "whole_number_result",
            "For whole numbers your weights are all 0 or 1: your result array has an integer "
            "type, which cuts off the decimals. `np.zeros_like` copies the type of its input.",
            _into_integers,
        ),
        Mistake(
            "rounded",
            "Your weights are rounded. Round when you print, never in what you return.",
            lambda s: np.round(_softmax(s), 2),
            lambda s: np.round(_softmax(s), 3),
        ),
        Mistake(
            "half_precision",
            "The numbers are too coarse: they went through float16. Keep the type of the input.",
            lambda s: _softmax(s).astype(np.float16),
        ),
    ),
    right=(
        Right("log-sum-exp", _log_sum_exp),
        Right(
            "logaddexp",
            lambda s: np.exp(s - np.logaddexp.reduce(s.astype(float), axis=-1, keepdims=True)),
        ),
        Right("apply_along_axis", lambda s: np.apply_along_axis(_recursive, -1, s)),
        Right("loops by recursion", _recursive),
        Right(
            "rows in a comprehension",
            lambda s: np.array([_softmax(r) for r in s.reshape(-1, s.shape[-1])]).reshape(s.shape),
        ),
        Right("float32", lambda s: _softmax(s.astype(np.float32))),
        Right("longdouble", lambda s: _softmax(s.astype(np.longdouble))),
        Right(
            "times the reciprocal",
            lambda s: _exp_shifted(s) * (1 / _exp_shifted(s).sum(axis=-1, keepdims=True)),
        ),
        Right(
            "max with newaxis",
            lambda s: _exp_normalised(s, np.exp(s - np.max(s, axis=-1)[..., None])),
        ),
        Right(
            "last axis moved to the front",
            lambda s: np.moveaxis(_front_softmax(np.moveaxis(s, -1, 0)), 0, -1),
        ),
    ),
    hints=(
        "A row belongs to one query, and its cells are the keys. On which axis do the keys lie, "
        "so that each row sums to 1?",
        "Three steps: make every number positive with `np.exp`, sum each row, divide. exp of "
        "1000 is too large for a float; but a row in which the largest score was subtracted "
        "from all gives the same weights.",
        "First `scores - scores.max(axis=-1, keepdims=True)`, then `np.exp` of it, then divide "
        "that by its own `.sum(axis=-1, keepdims=True)`. keepdims keeps the axis, so that "
        "every row lines up with its own number.",
    ),
)


def _front_softmax(scores):
    exp = np.exp(scores - scores.max(axis=0))
    return exp / exp.sum(axis=0)


# --- weighted_sum -----------------------------------------------------------------------------


def _sum_by_hand(weights, v):
    out = np.zeros((*weights.shape[:-1], v.shape[-1]))
    for index in np.ndindex(*weights.shape[:-1]):
        for j in range(v.shape[-2]):
            out[index] += weights[index][j] * v[*index[:-1], j]
    return out


def _pick_best(weights, v):
    best = weights.argmax(axis=-1)
    return np.take_along_axis(v, best[..., None], axis=-2)


def _first_row_only(weights, v):
    out = weights @ v
    out[..., 1:, :] = 0
    return out


def _weights_changed(weights, v):
    weights /= weights.sum(axis=-1, keepdims=True)
    return weights @ v


_WEIGHTS = np.array([[0.2, 0.1, 0.5, 0.2], [0.7, 0.1, 0.1, 0.1], [0.1, 0.2, 0.3, 0.4]])
# No result lies between two tenths: processors would round it to different ones.
_VALUES = tidy(4, 2, seed=211)
_NOT_ONE = np.array([[0.001, 0.3, 0.5, 0.2], [0.4, 0.1, 0.2, 0.1]])
_HW, _HV = _softmax(rough(5, 7, seed=91)), rough(7, 4, seed=92)

WEIGHTED_SUM = Exercise(
    name="weighted_sum",
    lesson=LESSON,
    visible=(
        Case("three queries, four keys", (_WEIGHTS, _VALUES)),
        Case("one query", (np.array([[0.2, 0.1, 0.5, 0.2]]), tidy(4, 3, seed=93))),
        Case(
            "as many queries as keys", (_softmax(tidy(3, 3, seed=98)).round(1), tidy(3, 3, seed=99))
        ),
        Case("weights that do not sum to 1", (_NOT_ONE, _VALUES)),
        Case(
            "a batch with two heads",
            (_softmax(tidy(2, 2, 3, 4, seed=168)).round(1), tidy(2, 2, 4, 2, seed=169)),
        ),
        late(
            "values that are whole numbers",
            (_WEIGHTS, np.array([[1, 0], [2, 3], [0, -1], [4, 4]])),
        ),
    ),
    hidden=(
        Case("other sizes", (_HW, _HV)),
        Case(
            "other sizes in four axes",
            (_softmax(rough(2, 3, 5, 7, seed=98)), rough(2, 3, 7, 4, seed=99)),
        ),
        Case(
            "weights that do not sum to 1", (np.abs(rough(3, 4, seed=100)), rough(4, 5, seed=101))
        ),
        Case("as many queries as keys", (_softmax(rough(6, 6, seed=102)), rough(6, 6, seed=103))),
        Case("whole numbers", (np.array([[1, 0, 2]]), np.array([[1, 2], [3, 4], [5, 6]]))),
        late(
            "values wider than the weights",
            (_softmax(rough(3, 4, seed=108)), rough(4, 9, seed=109)),
        ),
        late("many keys", (_softmax(rough(2, FAR, seed=90)), rough(FAR, 3, seed=91))),
        late("many queries", (_softmax(rough(FAR, 2, seed=92)), rough(2, 3, seed=93))),
        late("many features", (_softmax(rough(3, 2, seed=94)), rough(2, LONG, seed=95))),
        late("all sizes equal", (_softmax(rough(3, 3, 3, 3, seed=96)), rough(3, 3, 3, 3, seed=97))),
        late(
            "tiny weights on large values",
            (np.array([[1e-6, 2e-7, 1.0], [0.0, 1.0, 1e-9]]), rough(3, 4, seed=98) * 1e7),
        ),
        late("negative and large weights", (rough(3, 4, seed=99) * 1e4, rough(4, 2, seed=100))),
        late("one query, one key", (np.full((2, 1, 1), 0.5), rough(2, 1, 3, seed=101))),
    ),
    promises=(
        Promise(
            "the result grows in proportion to the values",
            "linear_in_last",
            (_WEIGHTS, _VALUES),
            (_HW, _HV),
        ),
        Promise(
            "every example of a batch gives what it gives alone",
            "every_example_alone",
            (2, _softmax(tidy(2, 3, 4, seed=104)), tidy(2, 4, 3, seed=105)),
            (2, _softmax(rough(3, 2, 5, seed=106)), rough(3, 5, 4, seed=107)),
        ),
    ),
    mistakes=(
        Mistake(
            "weights_transposed",
            "You use the columns of the weights. Row i of the weights mixes the values for "
            "query i.",
            lambda w, v: _flip(w) @ v,
        ),
        Mistake(
            "divided_by_keys",
            "Your result is too small by the number of keys: you take a mean. The weights already "
            "sum to 1; only add up.",
            lambda w, v: w @ v / w.shape[-1],
            lambda w, v: (w[..., None] * v[..., None, :, :]).mean(axis=-2),
        ),
        Mistake(
            "divided_by_queries",
            "You divide by the number of queries. The weights already sum to 1; only add up.",
            lambda w, v: w @ v / w.shape[-2],
        ),
        Mistake(
            "plain_mean",
            "Every query gets the plain mean of the values. Where do the weights come in?",
            lambda w, v: np.broadcast_to(
                v.mean(axis=-2, keepdims=True), (*w.shape[:-1], v.shape[-1])
            ).copy(),
        ),
        Mistake(
            "not_summed",
            "You multiply each value by its weight, but do not add up: there is an axis too many. "
            "Sum over the keys.",
            lambda w, v: w[..., None] * v[..., None, :, :],
        ),
        Mistake(
            "summed_over_queries",
            "You sum over the queries. Each query keeps a row of its own; sum over the keys.",
            lambda w, v: (w[..., None] * v[..., None, :, :]).sum(axis=-3),
        ),
        Mistake(
            "summed_over_everything",
            "You sum over queries and keys. Each query keeps a row of its own; sum over the keys "
            "only.",
            lambda w, v: (w @ v).sum(axis=-2),
        ),
        Mistake(
            "last_key_only",
            "Only the value of the last key is left in your result. Does each step of a loop "
            "overwrite the one before? Add up with `+=`.",
            lambda w, v: w[..., -1:] * v[..., -1:, :],
        ),
        Mistake(
            "first_row_only",
            "Only the first row of your result is filled. Does a `return` stand inside the loop?",
            _first_row_only,
        ),
        Mistake(
            "best_only",
            "You take the value with the largest weight. The result is a blend of all values.",
            _pick_best,
        ),
        Mistake(
            "result_transposed",
            "The last two axes of your result are swapped. A row belongs to a query.",
            lambda w, v: _flip(w @ v),
        ),
        Mistake(
            "first_query_only",
            "You return the result of the first query only. Every query has a row.",
            lambda w, v: w[..., 0, :] @ v,
        ),
        Mistake(
            "elementwise",
            "You multiply cell by cell with `*`. A matrix product, `@`, multiplies and adds up.",
            lambda w, v: w * v,
        ),
        Mistake(
            "sides_swapped",
            "You put the values on the left. Row i of the weights meets the columns of `v`: the "
            "weights stand on the left of `@`.",
            lambda w, v: v @ w,
        ),
        Mistake(
            "values_transposed",
            "You transpose the values. A row of `v` is the value of one token; it stays a row.",
            lambda w, v: w @ _flip(v),
        ),
        Mistake(
            "normalised_again",
            "You bring the weights to a sum of 1 first. Use them as they are given.",
            lambda w, v: w @ v / w.sum(axis=-1, keepdims=True),
        ),
        Mistake(
            "softmax_again",
            "You apply softmax to the weights. They are weights already; use them as given.",
            lambda w, v: _softmax(w) @ v,
        ),
        Mistake(
            "dot_for_batches",
            "The result has too many axes: `np.dot` combines every example of a batch with every "
            "other. `@` keeps the examples apart.",
            lambda w, v: np.dot(w, v),
        ),
        Mistake(
            "weights_squared",
            "The weights come in twice. Multiply each value by its weight once.",
            lambda w, v: (w * w) @ v,
        ),
        Mistake(
            "rounded",
            "Your numbers are rounded. Round when you print, never in what you return.",
            lambda w, v: np.round(w @ v, 1),
            lambda w, v: np.round(w @ v, 2) if w.ndim != 2 else np.round(w @ v, 1),
        ),
        Mistake(
            "half_precision",
            "The numbers are too coarse: they went through float16. Keep the type of the input.",
            lambda w, v: (w @ v).astype(np.float16),
        ),
        Mistake(
            "list_returned",
            "The numbers are right, but you return a list. Return the NumPy array.",
            lambda w, v: (w @ v).tolist(),
        ),
        Mistake(
            "weights_changed",
            "`weights` is different after the call: `/=` writes into the caller's array. And the "
            "weights should be used as they are given.",
            _weights_changed,
        ),
    ),
    right=(
        Right("einsum", lambda w, v: np.einsum("...ij,...jd->...id", w, v)),
        Right("broadcast and sum", lambda w, v: (w[..., None] * v[..., None, :, :]).sum(axis=-2)),
        Right("loops", _sum_by_hand),
        Right("transposed on both sides", lambda w, v: _flip(_flip(v) @ _flip(w))),
        Right("float32", lambda w, v: w.astype("f4") @ v.astype("f4")),
        Right("np.matmul into an array", lambda w, v: _matmul_out(w, v)),
    ),
    hints=(
        "For one query: each value row times its weight, then all rows added. Which axis of "
        "`weights` runs over the values?",
        "A row of `weights` and a column of `v` have the same length, one number for each key. "
        "Multiplying them pairwise and adding up is what a matrix product does.",
        "The whole sum, for all queries and any leading axes, is `weights @ v`.",
    ),
)


def _matmul_out(weights, v):
    out = np.empty((*weights.shape[:-1], v.shape[-1]))
    np.matmul(weights, v, out=out)
    return out


# --- self_attention ---------------------------------------------------------------------------


def _sa(x, w_q, w_k, w_v):
    return _attend(x @ w_q, x @ w_k, x @ w_v)


def _sa_with(weights_of):
    """Self-attention whose weights come from a wrong formula of q and k."""

    def self_attention(x, w_q, w_k, w_v):
        weights = weights_of(x @ w_q, x @ w_k)
        return weights @ (x @ w_v), weights

    return self_attention


def _sa_causal(x, w_q, w_k, w_v):
    q, k, v = x @ w_q, x @ w_k, x @ w_v
    scores = _dot(q, k) / np.sqrt(q.shape[-1])
    weights = _softmax(np.where(np.tri(*scores.shape[-2:], dtype=bool), scores, -np.inf))
    return weights @ v, weights


def _sa_not_itself(x, w_q, w_k, w_v):
    q, k, v = x @ w_q, x @ w_k, x @ w_v
    scores = _dot(q, k) / np.sqrt(q.shape[-1])
    weights = _softmax(np.where(np.eye(scores.shape[-1], dtype=bool), -1e10, scores))
    return weights @ v, weights


def _sa_token_by_token(x, w_q, w_k, w_v):
    if x.ndim > 2:
        parts = [_sa_token_by_token(part, w_q, w_k, w_v) for part in x]
        return np.stack([p[0] for p in parts]), np.stack([p[1] for p in parts])
    k, v = x @ w_k, x @ w_v
    rows = [_softmax(np.array([t @ w_q @ key for key in k]) / np.sqrt(w_q.shape[1])) for t in x]
    return np.stack([row @ v for row in rows]), np.stack(rows)


def _sa_x_changed(x, w_q, w_k, w_v):
    out, weights = _sa(x, w_q, w_k, w_v)
    x += 1
    return out, weights


def _sa_einsum(x, w_q, w_k, w_v):
    scores = np.einsum("...ia,ad,bd,...jb->...ij", x, w_q, w_k, x) / w_q.shape[1] ** 0.5
    weights = _softmax(scores)
    return np.einsum("...ij,...ja,av->...iv", weights, x, w_v), weights


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
    lesson=LESSON,
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
    ),
    mistakes=(
        Mistake(
            "not_scaled",
            "Your weights are too sharp: the scores are not divided by sqrt(d). Use your "
            "scaled_scores.",
            _sa_with(lambda q, k: _softmax(_dot(q, k))),
        ),
        Mistake(
            "scaled_twice",
            "Your weights are too flat: the scores are scaled twice (or divided by d). "
            "scaled_scores has done it already.",
            _sa_with(lambda q, k: _softmax(_dot(q, k) / q.shape[-1])),
        ),
        Mistake(
            "no_max_subtracted",
            "Right on small scores, nan for large ones: your own exp overflows. Your `softmax` "
            "subtracts the largest score of each row first: use it.",
            _sa_with(lambda q, k: _naive_softmax(_dot(q, k) / np.sqrt(q.shape[-1]))),
        ),
        Mistake(
            "scale_of_the_toy",
            "You divide by the root of 3, which is right only for the toy. Use your "
            "scaled_scores, which reads d from the queries.",
            _sa_with(lambda q, k: _softmax(_dot(q, k) / np.sqrt(3))),
        ),
        Mistake(
            "scaled_by_model_width",
            "You scale by the width of the model, the last axis of `x`. d is the size of one "
            "query: the last axis of `q`.",
            lambda x, w_q, w_k, w_v: _sa_with(
                lambda q, k: _softmax(_dot(q, k) / np.sqrt(x.shape[-1]))
            )(x, w_q, w_k, w_v),
        ),
        Mistake(
            "scaled_by_tokens",
            "You scale by the number of tokens. d is the size of one query: the last axis of `q`.",
            _sa_with(lambda q, k: _softmax(_dot(q, k) / np.sqrt(q.shape[-2]))),
        ),
        Mistake(
            "no_softmax",
            "You blend the values with the scores themselves. Softmax comes first: it turns scores "
            "into weights.",
            _sa_with(lambda q, k: _dot(q, k) / np.sqrt(q.shape[-1])),
        ),
        Mistake(
            "softmax_over_queries",
            "The columns of your weights sum to 1 instead of the rows. Softmax runs over the "
            "keys: the last axis.",
            _sa_with(lambda q, k: _flip(_softmax(_flip(_dot(q, k) / np.sqrt(q.shape[-1]))))),
        ),
        Mistake(
            "softmax_twice",
            "Your weights are nearly equal: softmax is applied twice.",
            _sa_with(lambda q, k: _softmax(_softmax(_dot(q, k) / np.sqrt(q.shape[-1])))),
        ),
        Mistake(
            "values_are_keys",
            "You blend the keys. Keys are for matching; the values carry the content.",
            lambda x, w_q, w_k, w_v: (_sa(x, w_q, w_k, w_k)[0], _sa(x, w_q, w_k, w_v)[1]),
        ),
        Mistake(
            "values_are_x",
            "You blend the tokens themselves. Blend the values, `x` times `w_v`.",
            lambda x, w_q, w_k, w_v: (_sa(x, w_q, w_k, w_v)[1] @ x, _sa(x, w_q, w_k, w_v)[1]),
        ),
        Mistake(
            "q_with_q",
            "You compare the queries with themselves. Compare queries with keys.",
            _sa_with(lambda q, k: _softmax(_dot(q, q) / np.sqrt(q.shape[-1]))),
        ),
        Mistake(
            "k_with_k",
            "You compare the keys with themselves. Compare queries with keys.",
            _sa_with(lambda q, k: _softmax(_dot(k, k) / np.sqrt(q.shape[-1]))),
        ),
        Mistake(
            "x_with_x",
            "You compare the tokens themselves. Make queries and keys first.",
            lambda x, w_q, w_k, w_v: (
                _attend(x, x, x @ w_v)[0],
                _attend(x, x, x @ w_v)[1],
            ),
        ),
        Mistake(
            "queries_and_keys_swapped",
            "Queries and keys have changed places. Check the order in which make_qkv returns them, "
            "and that the query stands first in scaled_scores.",
            _sa_with(lambda q, k: _softmax(_dot(k, q) / np.sqrt(q.shape[-1]))),
        ),
        Mistake(
            "weights_transposed_in_sum",
            "The weights are right, but in the sum you use their columns. Row i of the weights "
            "mixes the values for token i.",
            lambda x, w_q, w_k, w_v: (
                _flip(_sa(x, w_q, w_k, w_v)[1]) @ (x @ w_v),
                _sa(x, w_q, w_k, w_v)[1],
            ),
        ),
        Mistake(
            "weight_matrices_transposed",
            "You multiply with transposed matrices. Each has the shape [in, out]: `x @ w_q` needs "
            "no transpose.",
            lambda x, w_q, w_k, w_v: _attend(x @ w_q.T, x @ w_k.T, x @ w_v.T),
        ),
        Mistake(
            "returned_in_wrong_order",
            "You return the weights first. Return the result first, then the weights.",
            lambda x, w_q, w_k, w_v: _sa(x, w_q, w_k, w_v)[::-1],
        ),
        Mistake(
            "weights_not_returned",
            "You return only the result. Return the weights as well: `return out, weights`.",
            lambda x, w_q, w_k, w_v: _sa(x, w_q, w_k, w_v)[0],
        ),
        Mistake(
            "scores_returned",
            "Your second value holds the scores. Return the weights: what softmax makes of them.",
            lambda x, w_q, w_k, w_v: (
                _sa(x, w_q, w_k, w_v)[0],
                _dot(x @ w_q, x @ w_k) / np.sqrt(w_q.shape[1]),
            ),
        ),
        Mistake(
            "future_hidden",
            "Your tokens do not see those after them. That mask is the next lesson; here every "
            "token sees all tokens.",
            _sa_causal,
        ),
        Mistake(
            "not_itself",
            "Your tokens do not look at themselves. In self-attention a token's own key takes "
            "part like all others.",
            _sa_not_itself,
        ),
        Mistake(
            "x_added",
            "Your result holds `x` @ `w_v` as well. The sum with the token comes later in the "
            "model; here it is only the blend of the values.",
            lambda x, w_q, w_k, w_v: (
                _sa(x, w_q, w_k, w_v)[0] + x @ w_v,
                _sa(x, w_q, w_k, w_v)[1],
            ),
        ),
        Mistake(
            "values_not_blended",
            "Your result holds each token's own value. Blend all values with the weights.",
            lambda x, w_q, w_k, w_v: (x @ w_v, _sa(x, w_q, w_k, w_v)[1]),
        ),
        Mistake(
            "x_changed",
            "The results are right, but `x` is different after the call. Somewhere you write into "
            "it. Make a new array instead.",
            _sa_x_changed,
        ),
    ),
    right=(
        Right("one token at a time", _sa_token_by_token),
        Right("einsum without queries and keys", _sa_einsum),
        Right("a list of two", lambda *args: list(_sa(*args))),
        Right("float32", lambda *args: _sa(*(a.astype("f4") for a in args))),
        Right(
            "weights matrices joined",
            lambda x, w_q, w_k, w_v: _attend(*_qkv_one_product(x, w_q, w_k, w_v)),
        ),
    ),
    hints=(
        "You have written all three steps already: Project, Score with softmax, Sum. Which "
        "function makes what the next one needs?",
        "make_qkv gives three arrays. scaled_scores takes two of them. softmax turns scores into "
        "weights, and weighted_sum needs the weights and the third array.",
        "Write `q, k, v = make_qkv(x, w_q, w_k, w_v)`, then `weights = "
        "softmax(scaled_scores(q, k))`, and return `weighted_sum(weights, v)` together with "
        "`weights`.",
    ),
)

EXERCISES = (MAKE_QKV, SCALED_SCORES, SOFTMAX, WEIGHTED_SUM, SELF_ATTENTION)

QUESTIONS = (
    Question(
        id="01-it",
        right="c",
        replies={
            "a": "The orders are what is given. They are given to something: to what?",
            "b": "'given' says what happens. 'it' stands for a thing: for which one?",
            "c": "The orders are given to the robot, so that is where 'it' should look.",
            "d": "'it' alone could be anything. Which word before it says what is meant?",
        },
    ),
    Question(
        id="01-query",
        right=0.5,
        replies={
            "right": "2 times 0.5, minus 0.5.",
            "wrong": "Take the middle numbers of the two rows: 2 times 0.5, minus 0.5.",
        },
    ),
    Question(
        id="01-why-three",
        right="d",
        replies={
            "a": "They would fit: queries and keys have the same size anyway.",
            "b": "Different tokens would still have different vectors, and so different scores.",
            "c": "It could, and its score would tend to be high: a vector fits itself well.",
            "d": "A dot product is the same both ways round. With two matrices a token can look "
            "at another one that does not look back.",
        },
    ),
    Question(
        id="01-score",
        right=1.1547,
        replies={
            "right": "2 divided by 1.732 is about 1.15. The next cell does it for all keys.",
            "wrong": "Divide the dot product, 2.0, by the root, 1.732.",
        },
    ),
    Question(
        id="01-why-row",
        right="a",
        replies={
            "a": "The first index is the row, the token that asks. The second is the column, the "
            "token that is asked.",
            "b": "It is the other way round: the row is the query. Row 3 is 'orders'.",
            "c": "Compare `scores[3, 0]` with `scores[0, 3]`: they differ, because queries and "
            "keys come from different matrices.",
        },
    ),
    Question(
        id="01-weight",
        right=0.0829,
        replies={
            "right": "0.49 of 5.86 is about 0.083, that is 8 %.",
            "wrong": "'robot' comes first: divide 0.49 by the sum, 5.86. Give a number between 0 "
            "and 1, such as 0.54, not a percentage.",
        },
    ),
    Question(
        id="01-shift",
        right="b",
        replies={
            "a": "Each exp becomes smaller, but so does their sum. Run the next cell.",
            "b": "Each exp is divided by the same number, exp(2), and so is their sum. Only "
            "differences between scores matter.",
            "c": "That happens when all scores are multiplied by a number above 1. Here the "
            "differences stay as they are.",
        },
    ),
    Question(
        id="01-why-exp",
        right="c",
        replies={
            "a": "With positive scores it still would. The trouble starts with scores below 0, and "
            "'robot' and 'must' have such scores here.",
            "b": "Dividing by the sum makes them sum to 1. But could you still call each of them a "
            "share?",
            "c": "Here 'robot' would get a negative share. exp makes every number positive and "
            "keeps the order.",
            "d": "It would be faster. But look at the scores of 'robot' and 'must'.",
        },
    ),
    Question(
        id="01-saturation",
        right="d",
        replies={
            "a": "Equal shares come out when all scores are close together. Without scaling they "
            "are far apart. Run the next cell.",
            "b": "That is what scaling gives, for any d. Run the next cell and look at the "
            "lower line.",
            "c": "It is more than that. Run the next cell.",
            "d": "The spread of the scores grows like the square root of d. For d = 512 it is "
            "about 23, so the largest score takes nearly all.",
        },
    ),
    Question(
        id="01-why-scale",
        right="a",
        replies={
            "a": "Training follows small changes. Where softmax is saturated they have next to no "
            "effect, and the tokens with tiny weights are hardly heard.",
            "b": "They always sum to 1, also when one of them takes nearly everything.",
            "c": "It does not: your softmax subtracts the largest score first. The trouble is "
            "another one.",
            "d": "Without scaling they get too large, not too small.",
        },
    ),
    Question(
        id="01-zero",
        right=0.25,
        replies={
            "right": "All scores come close to 0, so every key gets nearly the same share: 1 / 4.",
            "wrong": "When all four scores are close to 0 they are nearly equal. What is an equal "
            "share of 1 among four? Try the smallest factor in the next cell.",
        },
    ),
    Question(
        id="01-sum",
        right=0.568,
        replies={
            "right": "Most of it comes from 'obey' itself, whose value begins with 3. 'orders' has "
            "the largest weight, but its value begins with 0.",
            "wrong": "Multiply first, then add up: -0.04, -0.07, 0.68 and 0.",
        },
    ),
    Question(
        id="01-why-blend",
        right="c",
        replies={
            "a": "Large scores move the weight to one key. Then the result comes close to that "
            "key's value, at most 3 here.",
            "b": "More tokens share the same 1. The result stays between the smallest and the "
            "largest of their values.",
            "c": "So the result lies between the smallest and the largest: a blend.",
        },
    ),
    Question(
        id="01-order",
        right="a",
        replies={
            "a": "Each token meets the same keys and values, and a sum does not depend on the "
            "order. So each keeps its result and takes it along to its new place.",
            "b": "Each token meets the same keys and values as before, only in another order. "
            "Does the order of a sum matter?",
            "c": "Row 0 is now 'orders', which asks with another query than 'robot'.",
        },
    ),
    Question(
        id="01-recall-position",
        right=0,
        replies={
            "right": "Positions start at 0.",
            "wrong": "In code positions start at 0, as all indices in Python do.",
        },
    ),
    Question(
        id="01-recall-axes",
        right="c",
        replies={
            "a": "That is one example. The batch has two, and its leading axis stays.",
            "b": "The 6 numbers of a query meet the 6 numbers of a key, and they disappear.",
            "c": "The leading axis stays; then a row for each of the 5 queries and a column for "
            "each of the 7 keys.",
            "d": "Rows are queries, columns are keys.",
        },
    ),
)
