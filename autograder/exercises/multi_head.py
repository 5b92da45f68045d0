"""Exercises of lesson 04: one projection for q, k and v, and several heads."""

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
    far_ahead,
    late,
    rough,
    tidy,
)

LESSON = "04_multi_head"


# --- right pieces, from which wrong and unusual implementations are put together ---------------


def _softmax(scores):
    exp = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return exp / exp.sum(axis=-1, keepdims=True)


def _flip(a):
    return np.swapaxes(a, -1, -2)


def _may_look(scores):
    return np.tri(*scores.shape[-2:], dtype=bool)


def _split(x, n_head):
    d = x.shape[-1] // n_head
    return x.reshape(*x.shape[:-1], n_head, d).swapaxes(-2, -3)


def _merge(x):
    *leading, n_head, n_tokens, d = x.shape
    return x.swapaxes(-2, -3).reshape(*leading, n_tokens, n_head * d)


# --- qkv_projection ---------------------------------------------------------------------------


def _thirds(together):
    return np.split(together, 3, axis=-1)


def _cut(together):
    """q, k and v as a tuple, the way most people return them."""
    return tuple(_thirds(together))


def _cut_at(together, width):
    """Slices of the second axis, in one's own words: the last one goes to the end."""
    return together[:, :width], together[:, width : 2 * width], together[:, 2 * width :]


def _with_biases(rule):
    """Right products, but each part gets the bias that `rule` makes of (b_q, b_k, b_v)."""

    def qkv_projection(x, w, b):
        biases = rule(*_thirds(b))
        return tuple(part + bias for part, bias in zip(_thirds(x @ w), biases, strict=True))

    return qkv_projection


def _in_order(*order):
    def qkv_projection(x, w, b):
        parts = _thirds(x @ w + b)
        return tuple(parts[i] for i in order)

    return qkv_projection


def _weight_blocks(block):
    """Three products, each with its own part of b, and with what `block` makes of w."""

    def qkv_projection(x, w, b):
        return tuple(x @ block(w, i) + b_i for i, b_i in enumerate(_thirds(b)))

    return qkv_projection


def _qkv_changes_x(x, w, b):
    parts = _cut(x @ w + b)
    x -= x.mean(axis=-1, keepdims=True).astype(x.dtype)
    return parts


def _qkv_changes_w(x, w, b):
    w += b.astype(w.dtype)
    return _cut(x @ w)


def _qkv_by_hand(x, w, b):
    n_out = w.shape[1] // 3
    parts = [np.zeros((*x.shape[:-1], n_out)) for _ in range(3)]
    for index in np.ndindex(*x.shape[:-1]):
        for column in range(w.shape[1]):
            total = b[column] + sum(x[index][i] * w[i, column] for i in range(w.shape[0]))
            parts[column // n_out][index][column % n_out] = total
    return parts


def _bias_as_a_row_of_w(x, w, b):
    ones = np.ones((*x.shape[:-1], 1))
    return _cut(np.concatenate([x, ones], axis=-1) @ np.concatenate([w, b[None]]))


_X, _W, _B = tidy(3, 4, seed=401), tidy(4, 12, seed=402), tidy(12, seed=403)
_HX, _HW, _HB = rough(5, 18, seed=404), rough(18, 54, seed=405), rough(54, seed=406)

_Q_K_V = "The columns of `w` are the queries first, then the keys, then the values."

QKV_PROJECTION = Exercise(
    name="qkv_projection",
    lesson=LESSON,
    visible=(
        Case("three tokens", (_X, _W, _B)),
        Case("one token, two features", (tidy(1, 2, seed=407), tidy(2, 6, seed=408), _B[:6])),
        Case("two sentences at once", (tidy(2, 3, 4, seed=409), _W, _B)),
        late("whole numbers", (np.array([[1, 0, 2, -1], [0, 3, 1, 1]]), _W, _B)),
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
    ),
    promises=(
        Promise(
            "shuffled tokens give shuffled queries",
            "tokens_in_any_order",
            (_X, np.array([2, 0, 1]), _W, _B),
            (_HX, np.array([3, 1, 4, 0, 2]), _HW, _HB),
        ),
    ),
    mistakes=(
        Mistake(
            "no_bias",
            "Your results are the product alone. GPT-2 adds a learned number to each column: the "
            "bias `b`. The article has it in a caption only, and it is easy to miss. Add it before "
            "you cut.",
            _with_biases(lambda b_q, b_k, b_v: (0, 0, 0)),
        ),
        Mistake(
            "bias_for_queries_only",
            "Your queries are right, but keys and values have no bias. `b` has 3D numbers: a third "
            "for each of the three.",
            _with_biases(lambda b_q, b_k, b_v: (b_q, 0, 0)),
        ),
        Mistake(
            "no_query_bias",
            "Your queries have no bias; keys and values have theirs. `b` has 3D numbers: a third "
            "for each of the three, the first one for the queries.",
            _with_biases(lambda b_q, b_k, b_v: (0, b_k, b_v)),
        ),
        Mistake(
            "no_key_bias",
            "Your keys have no bias; queries and values have theirs. Attention would never show "
            "it: softmax takes no notice of a missing key bias. So the keys are compared here. "
            "Which part of `b` belongs to them?",
            _with_biases(lambda b_q, b_k, b_v: (b_q, 0, b_v)),
        ),
        Mistake(
            "no_value_bias",
            "Your values have no bias; queries and keys have theirs. `b` has 3D numbers: a third "
            "for each of the three, the last one for the values.",
            _with_biases(lambda b_q, b_k, b_v: (b_q, b_k, 0)),
        ),
        Mistake(
            "query_bias_for_all",
            "You add the first third of `b` to all three. Each third of `b` belongs to its own "
            "third of the columns: cut after you have added.",
            _with_biases(lambda b_q, b_k, b_v: (b_q, b_q, b_q)),
        ),
        Mistake(
            "bias_twice",
            "Your results hold the bias twice. Is it added before the cut and once more after it?",
            _with_biases(lambda b_q, b_k, b_v: (2 * b_q, 2 * b_k, 2 * b_v)),
        ),
        Mistake(
            "bias_subtracted",
            "You subtract the bias. It is added: one learned number for each column, the same for "
            "every token.",
            _with_biases(lambda b_q, b_k, b_v: (-b_q, -b_k, -b_v)),
        ),
        Mistake(
            "bias_multiplied",
            "You multiply by the bias. It is added: one number to each column, the same for every "
            "token.",
            lambda x, w, b: _cut(x @ w * b),
        ),
        Mistake(
            "bias_before_the_product",
            "You add a part of the bias to `x`, before the product. `b` has 3D numbers, one for "
            "each column of the result: add it after the product.",
            lambda x, w, b: _cut((x + b[: x.shape[-1]]) @ w),
        ),
        Mistake(
            "bias_does_not_fit",
            "You add all of `b`, 3D numbers, to something with D columns: to `x`, or to one of the "
            "three parts. Which array has 3D columns?",
            lambda x, w, b: _cut((x + b) @ w),
            lambda x, w, b: tuple(part + b for part in _thirds(x @ w)),
            lambda x, w, b: _cut(np.split(x @ w, 3, axis=-1) + b),
        ),
        Mistake(
            "bias_added_to_w",
            "You add the bias to the weight matrix. Then each token gets the bias times the sum "
            "of its features. Add `b` to the product, not to `w`.",
            lambda x, w, b: _cut(x @ (w + b)),
        ),
        Mistake(
            "order_kqv",
            f"Your first result holds the keys and your second the queries. {_Q_K_V}",
            _in_order(1, 0, 2),
        ),
        Mistake(
            "order_vkq",
            f"Queries and values have changed places. {_Q_K_V}",
            _in_order(2, 1, 0),
        ),
        Mistake(
            "order_qvk",
            f"Keys and values have changed places. {_Q_K_V}",
            _in_order(0, 2, 1),
        ),
        Mistake(
            "order_kvq",
            f"You return keys, values, queries. {_Q_K_V}",
            _in_order(1, 2, 0),
        ),
        Mistake(
            "order_vqk",
            f"You return values, queries, keys. {_Q_K_V}",
            _in_order(2, 0, 1),
        ),
        Mistake(
            "keys_for_values",
            "Your values are the keys once more. The values are the last third of the columns.",
            _in_order(0, 1, 1),
        ),
        Mistake(
            "queries_three_times",
            "All three results are the queries. Keys are the second third of the columns, values "
            "the last third.",
            _in_order(0, 0, 0),
        ),
        Mistake(
            "every_third_column",
            "You take every third column. GPT-2 stores the columns in three blocks: all of the "
            "queries, then all of the keys, then all of the values. Take each block in one piece.",
            lambda x, w, b: tuple((x @ w + b)[..., i::3] for i in range(3)),
            lambda x, w, b: tuple(
                np.moveaxis((x @ w + b).reshape(*x.shape[:-1], -1, 3), -1, 0),
            ),
        ),
        Mistake(
            "cut_inside_each_head",
            "You take q, k and v out of each head in turn. Some other models store their columns "
            "so. In GPT-2 all queries come first, then all keys, then all values; heads come "
            "later.",
            lambda x, w, b: tuple(
                (x @ w + b).reshape(*x.shape[:-1], 2, 3, -1)[..., i, :].reshape(x.shape)
                for i in range(3)
            ),
        ),
        Mistake(
            "tokens_cut",
            "You cut the tokens (or the batch) into three parts, not the columns. Every token has "
            "a query, a key and a value: cut along the last axis.",
            lambda x, w, b: tuple(np.split(x @ w + b, 3, axis=-2)),
            lambda x, w, b: tuple(np.split(x @ w + b, 3)),
            lambda x, w, b: tuple((x @ w + b)[i * len(w) : (i + 1) * len(w)] for i in range(3)),
        ),
        Mistake(
            "axes_counted_from_the_front",
            "With one sentence the result is right. In a batch your second axis is the tokens, and "
            "you cut those. The columns are always on the last axis: `[..., a:b]` or `axis=-1`.",
            lambda x, w, b: tuple(np.split(x @ w + b, 3, axis=1)),
            lambda x, w, b: tuple((x @ w + b)[:, i * len(w) : (i + 1) * len(w)] for i in range(3)),
            lambda x, w, b: _cut_at(x @ w + b, x.shape[1]),
            lambda x, w, b: _cut_at(x @ w + b, (x @ w).shape[1] // 3),
        ),
        Mistake(
            "reshaped_to_three",
            "The shapes are right, the numbers are not: a reshape to three parts reads row after "
            "row, so one token's numbers end up in several parts. With one token you cannot see "
            "it. Cut along the last axis.",
            lambda x, w, b: tuple((x @ w + b).reshape(3, *x.shape)),
            lambda x, w, b: (x @ w + b).reshape(3, *x.shape),
        ),
        Mistake(
            "first_three_tokens",
            "After your reshape the parts lie on an axis in the middle, but you take them apart "
            "along the first axis: you return three tokens (or sentences). Which axis has size 3 "
            "for q, k and v?",
            lambda x, w, b: tuple((x @ w + b).reshape(*x.shape[:-1], 3, x.shape[-1])[:3]),
            lambda x, w, b: tuple((x @ w + b).reshape(*x.shape[:-1], 3, x.shape[-1])),
            lambda x, w, b: (x @ w + b).reshape(*x.shape[:-1], 3, x.shape[-1]),
        ),
        Mistake(
            "weights_transposed",
            "You use transposed weights. GPT-2 stores `w` as [in, out]: `x @ w` needs no "
            "transpose. (PyTorch's Linear layer stores it the other way round.)",
            lambda x, w, b: _cut(x @ w.T + b),
            _weight_blocks(lambda w, i: _thirds(w)[i].T),
        ),
        Mistake(
            "weights_reshaped",
            "The shapes fit, the numbers do not: you reshape `w` into three matrices. Reshape "
            "reads row after row and tears the columns apart. Take columns 0 to D, D to 2D and "
            "2D to 3D instead.",
            _weight_blocks(lambda w, i: w.reshape(3, len(w), len(w))[i]),
            lambda x, w, b: _cut(x @ w.reshape(w.shape[::-1]).T + b),
        ),
        Mistake(
            "sides_swapped",
            "You put the matrix on the left. Tokens are rows here, so `x` stands on the left of "
            "`@`.",
            lambda x, w, b: _cut(w @ x + b),
            lambda x, w, b: _cut(w.T @ x + b),
        ),
        Mistake(
            "not_cut",
            "You return one array with everything side by side. Cut its last axis into three and "
            "return `q, k, v`.",
            lambda x, w, b: x @ w + b,
        ),
        Mistake(
            "wrong_places_cut",
            "You cut in the wrong places. The three parts have equal size: the columns 0 to D, D "
            "to 2D, and 2D to 3D. A slice `a:b` holds index a, and ends before index b.",
            lambda x, w, b: tuple(np.split(x @ w + b, [len(w), len(w)], axis=-1)),
            lambda x, w, b: tuple(np.split(x @ w + b, [len(w)] * 3, axis=-1)),
            lambda x, w, b: tuple(
                (x @ w + b)[..., i * (len(w) + 1) :][..., : len(w)] for i in range(3)
            ),
            lambda x, w, b: tuple(
                (x @ w + b)[..., start : start + len(w) - 1] for start in (0, len(w), 2 * len(w))
            ),
        ),
        Mistake(
            "width_is_768",
            "Your cuts are at fixed places, such as 768. That is the width of GPT-2 small "
            "only. Read D from the shape of `x`.",
            lambda x, w, b: tuple(
                (x @ w + b)[..., start : start + 768] for start in (0, 768, 1536)
            ),
            lambda x, w, b: tuple(np.split(x @ w + b, [768, 1536], axis=-1)),
        ),
        Mistake(
            "last_token_only",
            "You return one token only. The article follows its token number 9, but every token "
            "has a query, a key and a value.",
            lambda x, w, b: tuple(part[..., -1, :] for part in _thirds(x @ w + b)),
        ),
        Mistake(
            "results_transposed",
            "Each of your results has its two last axes swapped. A row belongs to a token: the "
            "shape is [T, D].",
            lambda x, w, b: tuple(_flip(part) for part in _thirds(x @ w + b)),
        ),
        Mistake(
            "x_added",
            "Your results hold `x` as well. The sum with `x` comes after attention; here it is "
            "`x @ w + b` only.",
            lambda x, w, b: tuple(part + x for part in _thirds(x @ w + b)),
        ),
        Mistake(
            "queries_scaled",
            "Your queries are divided by the square root of their width. The scale belongs to the "
            "scores, later, and it comes from the size of one head.",
            lambda x, w, b: (
                _thirds(x @ w + b)[0] / np.sqrt(x.shape[-1]),
                *_thirds(x @ w + b)[1:],
            ),
        ),
        Mistake(
            "a_dictionary",
            "You return a dictionary. Return three arrays, in the order queries, keys, values: "
            "`return q, k, v`.",
            lambda x, w, b: dict(zip("qkv", _thirds(x @ w + b), strict=True)),
        ),
        Mistake(
            "half_precision",
            "The numbers are too coarse: they went through float16. Keep the type of the input.",
            lambda x, w, b: _cut((x @ w + b).astype(np.float16)),
        ),
        Mistake(
            "argument_changed",
            "`x` or `w` is different after the call. Somewhere you write into it, perhaps with "
            "`+=` or `-=`. Make a new array instead.",
            _qkv_changes_x,
            _qkv_changes_w,
        ),
    ),
    right=(
        Right(
            "slices",
            lambda x, w, b: tuple(
                (x @ w + b)[..., i * len(w) : (i + 1) * len(w)] for i in range(3)
            ),
        ),
        Right("np.split: a list", lambda x, w, b: _thirds(x @ w + b)),
        Right("np.array_split", lambda x, w, b: np.array_split(np.dot(x, w) + b, 3, axis=-1)),
        Right("three products", _weight_blocks(lambda w, i: _thirds(w)[i])),
        Right("bias as one more row of w", _bias_as_a_row_of_w),
        Right(
            "one stacked array",
            lambda x, w, b: np.moveaxis((x @ w + b).reshape(*x.shape[:-1], 3, len(w)), -2, 0),
        ),
        Right(
            "einsum with three matrices",
            lambda x, w, b: tuple(
                np.einsum("...i,ipo->p...o", x, w.reshape(len(w), 3, len(w)))
                + b.reshape(3, *(1,) * (x.ndim - 1), len(w))
            ),
        ),
        Right("loops", _qkv_by_hand),
        Right("float32", lambda x, w, b: _cut(x.astype("f4") @ w.astype("f4") + b.astype("f4"))),
        Right("bias cut apart", _with_biases(lambda b_q, b_k, b_v: (b_q, b_k, b_v))),
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


# --- split_heads ------------------------------------------------------------------------------


def _refuse(x, n_head):
    if x.shape[-1] % n_head:
        raise ValueError("the features cannot be shared out evenly")


def _split_by(formula):
    """A wrong formula behind the right refusal: only the formula is the mistake."""

    def split_heads(x, n_head):
        _refuse(x, n_head)
        return formula(x, n_head, x.shape[-1] // n_head)

    return split_heads


def _in_heads(x, n_head):
    """[..., T, H, d]: cut, but not yet moved."""
    return x.reshape(*x.shape[:-1], n_head, x.shape[-1] // n_head)


def _slices(x, n_head, d):
    return [x[..., h * d : (h + 1) * d] for h in range(n_head)]


def _two_axes_only(x, n_head, d):
    n_tokens, _width = x.shape
    return x.reshape(n_tokens, n_head, d).transpose(1, 0, 2)


def _three_axes_only(x, n_head, d):
    n_examples, n_tokens, _width = x.shape
    return x.reshape(n_examples, n_tokens, n_head, d).transpose(0, 2, 1, 3)


def _split_in_place(x, n_head, d):
    x.shape = (*x.shape[:-1], n_head, d)
    return x.swapaxes(-2, -3).copy()


def _split_asserts(x, n_head):
    assert x.shape[-1] % n_head == 0
    return _split(x, n_head)


def _rest_dropped(x, n_head):
    return np.stack(_slices(x, n_head, x.shape[-1] // n_head), axis=-3)


def _refusal_printed(x, n_head):
    if x.shape[-1] % n_head:
        print("the features cannot be shared out evenly")
        return None
    return _split(x, n_head)


def _cell_by_cell(x, n_head):
    d = x.shape[-1] // n_head
    if d * n_head != x.shape[-1]:
        raise ValueError("D must be a multiple of n_head")
    out = np.empty((*x.shape[:-2], n_head, x.shape[-2], d))
    for *leading, token, feature in np.ndindex(*x.shape):
        out[(*leading, feature // d, token, feature % d)] = x[(*leading, token, feature)]
    return out


def _strided(x, n_head):
    _refuse(x, n_head)
    d, (*leading, row, cell) = x.shape[-1] // n_head, x.strides
    return np.lib.stride_tricks.as_strided(
        x, (*x.shape[:-2], n_head, x.shape[-2], d), (*leading, d * cell, row, cell)
    )


def _fancy_index(x, n_head):
    _refuse(x, n_head)
    columns = np.arange(x.shape[-1]).reshape(n_head, -1)
    return np.moveaxis(x[..., columns], -2, -3)


def _numbered(*shape):
    """0, 1, 2 and so on: each number tells where it came from."""
    return np.arange(float(np.prod(shape))).reshape(shape)


SPLIT_HEADS = Exercise(
    name="split_heads",
    lesson=LESSON,
    visible=(
        Case("numbered cells, two heads", (_numbered(2, 6), 2)),
        Case("four tokens, three heads", (tidy(4, 6, seed=421), 3)),
        Case("four tokens, two heads", (_numbered(4, 6), 2)),
        Case("one token", (tidy(1, 6, seed=422), 3)),
        Case("one head", (tidy(3, 4, seed=423), 1)),
        Case("two sentences at once", (tidy(2, 4, 6, seed=424), 3)),
        Case("must refuse: 6 features, 4 heads", (tidy(2, 6, seed=425), 4), raises="ValueError"),
        Case("must refuse: 4 features, 8 heads", (tidy(2, 4, seed=426), 8), raises="ValueError"),
    ),
    hidden=(
        Case("other sizes", (rough(5, 18, seed=431), 3)),
        Case("other sizes in three axes", (rough(2, 5, 18, seed=432), 3)),
        Case("a grid of sentences", (rough(2, 3, 5, 18, seed=433), 6)),
        Case("two heads", (rough(8, 14, seed=434), 2)),
        Case("one token", (rough(1, 18, seed=435), 6)),
        Case("whole numbers", (np.arange(60).reshape(5, 12), 4)),
        Case("the width of GPT-2 small", (rough(3, 768, seed=436), 12)),
        Case("heads of one number", (rough(3, 5, seed=437), 5)),
        Case("a rest of features", (rough(3, 5, 18, seed=438), 4), raises="ValueError"),
        Case("more heads than features", (rough(3, 6, seed=439), 7), raises="ValueError"),
        late("as many heads as features in each", (rough(5, 16, seed=430), 4)),
        late("all sizes equal", (rough(6, 6, 6, seed=431), 6)),
        late("as many tokens as heads", (rough(3, 12, seed=432), 3)),
        late("as many tokens as features in a head", (rough(2, 4, 12, seed=433), 3)),
        late("25 heads of 64 features, as in GPT-2 XL", (rough(2, 1600, seed=434), 25)),
        late("many heads", (rough(2, 3, 37 * 11, seed=435), 37)),
        late("a long text", (rough(FAR, 4, seed=436), 2)),
        late("one feature", (rough(4, 1, seed=437), 1)),
        late("one feature for two heads", (rough(4, 1, seed=438), 2), raises="ValueError"),
        late("a rest of one feature", (rough(12, 3, 13, seed=439), 12), raises="ValueError"),
    ),
    promises=(
        Promise(
            "every number of x comes exactly once",
            "only_moves_numbers",
            (_numbered(4, 6), 3),
            (rough(2, 5, 18, seed=441), 3),
        ),
        Promise(
            "shuffled tokens give shuffled rows in every head",
            "tokens_in_any_order",
            (_numbered(4, 6), np.array([2, 0, 3, 1]), 2),
            (rough(2, 5, 18, seed=442), np.array([3, 1, 4, 0, 2]), 3),
        ),
        Promise(
            "every sentence of a batch gives what it gives alone",
            "every_example_alone",
            (1, tidy(2, 3, 4, seed=443), 2),
            (1, rough(3, 5, 18, seed=444), 6),
        ),
    ),
    mistakes=(
        Mistake(
            "reshaped_only",
            "The shape is right, but tokens and heads are mixed: a reshape straight to (H, T, d) "
            "reads row after row. Row t of head h must come from row t of `x`. (With one token "
            "nothing shows.) Cut the last axis first, then swap.",
            _split_by(lambda x, n, d: x.reshape(*x.shape[:-2], n, x.shape[-2], d)),
            _split_by(lambda x, n, d: x.reshape(n, x.shape[-2], d)),
            _split_by(lambda x, n, d: x.reshape(n, -1, d)),
            _split_by(lambda x, n, d: x.reshape(n, x.shape[0], -1)),
        ),
        Mistake(
            "not_transposed",
            "The features are cut rightly, but the axes are in the order tokens, heads, features. "
            "Attention works on the last two axes: they must be tokens and features. Move the "
            "heads in front of the tokens.",
            _split_by(lambda x, n, d: _in_heads(x, n)),
        ),
        Mistake(
            "features_interleaved",
            "Your head 0 gets every H-th feature. GPT-2 gives a head features that lie side by "
            "side: head 0 the first d, head 1 the next d, and so on.",
            _split_by(lambda x, n, d: np.moveaxis(x.reshape(*x.shape[:-1], d, n), -1, -3)),
            _split_by(lambda x, n, d: np.stack([x[..., h::n] for h in range(n)], axis=-3)),
            _split_by(
                lambda x, n, d: x.reshape(*x.shape[:-1], n, d, order="F").swapaxes(-2, -3),
            ),
        ),
        Mistake(
            "count_and_size_exchanged",
            "You make d heads of H numbers. It should be H heads of d numbers: in a reshape the "
            "number of heads comes first, then the size of a head.",
            _split_by(lambda x, n, d: x.reshape(*x.shape[:-1], d, n)),
            _split_by(lambda x, n, d: x.reshape(*x.shape[:-1], d, n).swapaxes(-2, -3)),
        ),
        Mistake(
            "all_axes_reversed",
            "`.T` reverses all axes. Only heads and tokens change places here; the features stay "
            "last, and leading axes stay where they are.",
            _split_by(lambda x, n, d: _in_heads(x, n).T),
            _split_by(lambda x, n, d: x.T.reshape(n, x.shape[-2], d)),
        ),
        Mistake(
            "wrong_axes_swapped",
            "Heads and features have changed places. It is heads and tokens that must: from "
            "[T, H, d] to [H, T, d].",
            _split_by(lambda x, n, d: _flip(_in_heads(x, n))),
            _split_by(lambda x, n, d: _in_heads(x, n).swapaxes(-1, -3)),
        ),
        Mistake(
            "heads_transposed",
            "Each head is right, but lies on its side: [d, T]. A row belongs to a token here, "
            "too: [T, d].",
            _split_by(lambda x, n, d: np.moveaxis(_in_heads(x, n), -3, -1)),
        ),
        Mistake(
            "transposed_first",
            "You swap axes first and reshape afterwards. Then the reshape cuts columns that are "
            "no tokens any more. Cut the features first; swap afterwards.",
            _split_by(lambda x, n, d: _flip(x).reshape(*x.shape[:-2], n, x.shape[-2], d)),
        ),
        Mistake(
            "tokens_split",
            "You share out the tokens (or the sentences). Every head sees ALL tokens; the "
            "features are shared out: cut the last axis.",
            lambda x, n_head: np.stack(np.split(x, n_head, axis=-2), axis=-3),
            lambda x, n_head: np.stack(np.split(x, n_head)),
            lambda x, n_head: np.array(np.split(x, n_head)),
            lambda x, n_head: x.reshape(*x.shape[:-2], n_head, x.shape[-2] // n_head, x.shape[-1]),
        ),
        Mistake(
            "list_returned",
            "Your heads are in a list or tuple. Return one array, with an axis for the heads: "
            "`np.stack` can make it.",
            _split_by(lambda x, n, d: _slices(x, n, d)),
            _split_by(lambda x, n, d: tuple(_slices(x, n, d))),
            _split_by(lambda x, n, d: _split(x, n).tolist()),
        ),
        Mistake(
            "heads_before_the_batch",
            "With one sentence the result is right. With several, the heads stand in front of the "
            "sentences. The heads belong right in front of the tokens: [..., H, T, d].",
            _split_by(lambda x, n, d: np.stack(_slices(x, n, d))),
            _split_by(lambda x, n, d: np.moveaxis(_in_heads(x, n), -2, 0)),
            _split_by(lambda x, n, d: np.array(_slices(x, n, d))),
        ),
        Mistake(
            "axes_counted_from_the_front",
            "Your function works for one sentence or for a batch, but not for both. Count axes "
            "from the back: the last is -1, the one before it -2, and so on. Keep all sizes before "
            "them with `*x.shape[:-1]`.",
            _split_by(_two_axes_only),
            _split_by(_three_axes_only),
            _split_by(lambda x, n, d: _in_heads(x, n).transpose(1, 0, 2)),
            _split_by(lambda x, n, d: _in_heads(x, n).transpose(0, 2, 1, 3)),
            _split_by(lambda x, n, d: _in_heads(x, n).swapaxes(0, 1)),
            _split_by(lambda x, n, d: _in_heads(x, n).swapaxes(1, 2)),
            _split_by(lambda x, n, d: x.reshape(x.shape[0], n, d).swapaxes(0, 1)),
            _split_by(lambda x, n, d: x.reshape(*x.shape[:2], n, d).swapaxes(1, 2)),
            _split_by(lambda x, n, d: x.reshape(x.shape[-2], n, d).swapaxes(0, 1)),
            _split_by(lambda x, n, d: np.stack([x[:, h * d : (h + 1) * d] for h in range(n)])),
            _split_by(lambda x, n, d: np.stack(np.split(x, n, axis=1))),
        ),
        Mistake(
            "always_a_batch",
            "You make all leading axes into one, or add one where there is none. Leading axes must "
            "come out as they went in.",
            _split_by(lambda x, n, d: x.reshape(-1, x.shape[-2], n, d).transpose(0, 2, 1, 3)),
        ),
        Mistake(
            "sizes_of_gpt2",
            "You use 12 heads or 64 numbers a head, whatever is asked. Those are the sizes of "
            "GPT-2 small. Use `n_head`, and work out the size of a head from D.",
            lambda x, n_head: x.reshape(*x.shape[:-1], 12, 64).swapaxes(-2, -3),
            lambda x, n_head: x.reshape(*x.shape[:-1], 12, -1).swapaxes(-2, -3),
            lambda x, n_head: x.reshape(*x.shape[:-1], -1, 64).swapaxes(-2, -3),
            _split_by(lambda x, n, d: x.reshape(*x.shape[:-1], n, 64).swapaxes(-2, -3)),
            lambda x, n_head: np.stack(np.split(x, 12, axis=-1), axis=-3),
        ),
        Mistake(
            "heads_reversed",
            "Your heads are reversed. Head 0 gets the first d features of every token, head 1 "
            "the next d.",
            _split_by(lambda x, n, d: _split(x, n)[..., ::-1, :, :]),
        ),
        Mistake(
            "one_head_repeated",
            "All your heads hold the same features. Head h starts at feature h times d.",
            _split_by(lambda x, n, d: np.stack([x[..., :d]] * n, axis=-3)),
            _split_by(lambda x, n, d: np.stack([x[..., -d:]] * n, axis=-3)),
        ),
        Mistake(
            "overlapping_slices",
            "Your heads overlap: each starts one feature after the one before. Head h starts at "
            "feature h times d.",
            _split_by(lambda x, n, d: np.stack([x[..., h : h + d] for h in range(n)], axis=-3)),
        ),
        Mistake(
            "first_head_only",
            "You return one head. Return all of them, with an axis of size H in front of the "
            "tokens.",
            _split_by(lambda x, n, d: x[..., :d]),
        ),
        Mistake(
            "full_width_for_every_head",
            "Every head gets all D features. The features are shared out: each head gets d = D / H "
            "of them. That is why more heads cost nothing.",
            _split_by(lambda x, n, d: np.stack([x] * n, axis=-3)),
        ),
        Mistake(
            "heads_and_tokens_in_one_axis",
            "Heads and tokens lie on one axis. They need two: [..., H, T, d], so that attention "
            "can work on each head by itself.",
            _split_by(lambda x, n, d: _split(x, n).reshape(*x.shape[:-2], -1, d)),
            _split_by(lambda x, n, d: np.concatenate(_slices(x, n, d), axis=-2)),
        ),
        Mistake(
            "x_unchanged",
            "You return `x` as it came. Cut its last axis into H heads of d features.",
            _split_by(lambda x, n, d: x.copy()),
        ),
        Mistake(
            "rest_dropped",
            "When the features cannot be shared out evenly you drop the rest without a word. Then "
            "the model loses information and nobody knows. Raise a `ValueError` that says so.",
            _rest_dropped,
            lambda x, n_head: _split(
                x[..., : x.shape[-1] // n_head * n_head],
                n_head,
            ),
        ),
        Mistake(
            "not_a_value_error",
            "All is right but the refusal: when D cannot be shared out evenly, raise a "
            "`ValueError`. An assert raises an AssertionError, and a printed sentence stops "
            "nobody.",
            _split_asserts,
            _refusal_printed,
        ),
        Mistake(
            "x_changed",
            "`x` has another shape or other numbers after the call: assigning to `x.shape` changes "
            "the caller's array. `x.reshape(...)` gives you a new view and leaves `x` alone.",
            _split_by(_split_in_place),
        ),
    ),
    right=(
        Right("slices, stacked", _split_by(lambda x, n, d: np.stack(_slices(x, n, d), axis=-3))),
        Right(
            "np.split, stacked",
            _split_by(lambda x, n, d: np.stack(np.split(x, n, axis=-1), axis=-3)),
        ),
        Right("moveaxis", _split_by(lambda x, n, d: np.moveaxis(_in_heads(x, n), -2, -3))),
        Right(
            "transpose with a tuple of axes",
            _split_by(
                lambda x, n, d: _in_heads(x, n).transpose(
                    *range(x.ndim - 2), x.ndim - 1, x.ndim - 2, x.ndim
                )
            ),
        ),
        Right(
            "einsum",
            _split_by(lambda x, n, d: np.einsum("...thd->...htd", _in_heads(x, n))),
        ),
        Right(
            "transposed, reshaped, transposed back",
            _split_by(lambda x, n, d: _flip(_flip(x).reshape(*x.shape[:-2], n, d, x.shape[-2]))),
        ),
        Right("fancy index", _fancy_index),
        Right("cell by cell", _cell_by_cell),
        Right("as_strided", _strided),
        Right("contiguous copy", lambda x, n: _refuse(x, n) or np.ascontiguousarray(_split(x, n))),
        Right("NumPy's own refusal", lambda x, n: np.stack(np.split(x, n, axis=-1), axis=-3)),
        Right("float32", lambda x, n: _refuse(x, n) or _split(x.astype("f4"), n)),
    ),
    hints=(
        "First write down two shapes for four tokens, 6 features and 2 heads: the one you have and "
        "the one you need. Which axis is cut, and which axes change places?",
        "Two steps. A reshape cuts the last axis only: from [..., T, D] to [..., T, H, d]. Then "
        "heads and tokens change places: `np.swapaxes` with axes counted from the back. Before "
        "that, refuse what cannot be shared out: `%` gives the rest of a division.",
        "`x.reshape(*x.shape[:-1], n_head, d)` cuts, where d is `x.shape[-1] // n_head`. Then swap "
        "the axes -2 and -3. Before all that, raise a ValueError if `x.shape[-1] % n_head` is not "
        "0.",
    ),
)


# --- merge_heads ------------------------------------------------------------------------------


def _merged_shape(x):
    *leading, n_head, n_tokens, d = x.shape
    return (*leading, n_tokens, n_head * d)


def _head_list(x):
    return [x[..., h, :, :] for h in range(x.shape[-3])]


def _three_axes_merged(x):
    n_head, n_tokens, d = x.shape
    return x.transpose(1, 0, 2).reshape(n_tokens, n_head * d)


def _four_axes_merged(x):
    n_examples, n_head, n_tokens, d = x.shape
    return x.transpose(0, 2, 1, 3).reshape(n_examples, n_tokens, n_head * d)


def _merge_in_place(x):
    result = _merge(x)
    x.shape = (*x.shape[:-3], x.shape[-2], x.shape[-3] * x.shape[-1])
    return result


def _merged_cell_by_cell(x):
    out = np.empty(_merged_shape(x))
    for *leading, head, token, feature in np.ndindex(*x.shape):
        out[(*leading, token, head * x.shape[-1] + feature)] = x[(*leading, head, token, feature)]
    return out


MERGE_HEADS = Exercise(
    name="merge_heads",
    lesson=LESSON,
    visible=(
        Case("numbered cells, two heads", (_split(_numbered(2, 6), 2),)),
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
            (_split(_numbered(4, 6), 3),),
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
    mistakes=(
        Mistake(
            "reshaped_only",
            "The shape is right, but a row now holds numbers of several tokens. The reshape reads "
            "head after head. First bring the heads of one token together: tokens in front of "
            "heads. (A wrong split can hide this: the two may undo each other.)",
            lambda x: x.reshape(_merged_shape(x)),
        ),
        Mistake(
            "summed",
            "You add the heads up. They are put side by side: 3 heads of 6 numbers give 18, so "
            "that nothing is lost.",
            lambda x: x.sum(axis=-3),
        ),
        Mistake(
            "averaged",
            "You take the mean of the heads. They are put side by side: 3 heads of 6 numbers give "
            "18, so that nothing is lost.",
            lambda x: x.mean(axis=-3),
        ),
        Mistake(
            "joined_along_tokens",
            "You put the heads one under the other: H times as many rows. Put them side by side: "
            "each token keeps one row, H times as wide.",
            lambda x: x.reshape(*x.shape[:-3], -1, x.shape[-1]),
            lambda x: np.concatenate(_head_list(x), axis=-2),
        ),
        Mistake(
            "features_interleaved",
            "You take the first number of every head, then the second of every head, and so on. "
            "Keep each head in one piece: all of head 0, then all of head 1.",
            lambda x: np.moveaxis(x, -3, -1).reshape(_merged_shape(x)),
        ),
        Mistake(
            "heads_reversed",
            "Your heads are in reverse order. Head 0 comes first: its numbers fill the first d "
            "columns.",
            lambda x: _merge(x[..., ::-1, :, :]),
        ),
        Mistake(
            "wrong_axes_swapped",
            "The shape is right, but other axes changed places than heads and tokens, so the rows "
            "mix tokens. From [H, T, d] you need [T, H, d] before the reshape.",
            lambda x: _flip(x).reshape(_merged_shape(x)),
            lambda x: x.swapaxes(-1, -3).reshape(_merged_shape(x)),
            lambda x: np.moveaxis(x, -1, -3).reshape(_merged_shape(x)),
        ),
        Mistake(
            "all_axes_reversed",
            "`.T` reverses all axes. Only heads and tokens change places; the features stay last, "
            "and leading axes stay where they are.",
            lambda x: x.T.reshape(_merged_shape(x)),
        ),
        Mistake(
            "result_transposed",
            "Your result lies on its side: a column for each token. A row belongs to a token: "
            "[T, D].",
            lambda x: _flip(_merge(x)),
        ),
        Mistake(
            "swapped_only",
            "Heads and tokens have changed places, which is right. Now make one axis of the last "
            "two: H times d numbers for each token.",
            lambda x: x.swapaxes(-2, -3).copy(),
        ),
        Mistake(
            "x_unchanged",
            "You return `x` as it came. Put the heads of each token side by side.",
            lambda x: x.copy(),
        ),
        Mistake(
            "flattened",
            "You put everything into one row. Each token keeps a row of its own: the result is "
            "[..., T, H * d].",
            lambda x: x.ravel(),
            lambda x: _merge(x).ravel(),
            lambda x: x.reshape(*x.shape[:-3], -1),
            lambda x: _merge(x).reshape(*x.shape[:-3], -1),
        ),
        Mistake(
            "axes_counted_from_the_front",
            "Your function works for one sentence or for a batch, but not for both. Count axes "
            "from the back: features -1, tokens -2, heads -3.",
            _three_axes_merged,
            _four_axes_merged,
            lambda x: x.transpose(1, 0, 2).reshape(_merged_shape(x)),
            lambda x: x.transpose(0, 2, 1, 3).reshape(_merged_shape(x)),
            lambda x: x.swapaxes(0, 1).reshape(_merged_shape(x)),
            lambda x: x.swapaxes(1, 2).reshape(_merged_shape(x)),
            lambda x: x.swapaxes(0, 1).reshape(x.shape[1], -1),
            lambda x: x.swapaxes(-2, -3).reshape(x.shape[-2], x.shape[-3] * x.shape[-1]),
            lambda x: x.swapaxes(-2, -3).reshape(x.shape[-2], -1),
        ),
        Mistake(
            "sentences_taken_for_heads",
            "With one sentence the result is right. In a batch you join the sentences instead of "
            "the heads: the first axis is then the batch. The heads are always on axis -3.",
            lambda x: np.hstack(list(x)) if x.ndim == 3 else np.concatenate(list(x), axis=-1),
            lambda x: np.hstack(list(x)),
            lambda x: np.concatenate([x[h] for h in range(x.shape[-3])], axis=-1),
            lambda x: np.concatenate([x[h] for h in range(x.shape[-3])], axis=1),
        ),
        Mistake(
            "always_a_batch",
            "You make all leading axes into one, or add one where there is none. Leading axes must "
            "come out as they went in.",
            lambda x: _merge(x).reshape(-1, *_merged_shape(x)[-2:]),
        ),
        Mistake(
            "first_head_only",
            "You return one head. Put all of them side by side: the numbers of every head are "
            "needed.",
            lambda x: x[..., 0, :, :].copy(),
            lambda x: x[..., -1, :, :].copy(),
        ),
        Mistake(
            "one_head_repeated",
            "You put the same head side by side H times. Every head goes in once.",
            lambda x: np.concatenate([x[..., 0, :, :]] * x.shape[-3], axis=-1),
        ),
        Mistake(
            "list_returned",
            "The numbers are right, but you return a list of lists. Return the NumPy array that "
            "they came from.",
            lambda x: _merge(x).tolist(),
        ),
        Mistake(
            "width_is_768",
            "You use the width 768 or 12 heads of 64, whatever comes. Those are the sizes of "
            "GPT-2 small. Read H and d from the shape of `x`.",
            lambda x: x.swapaxes(-2, -3).reshape(*x.shape[:-3], x.shape[-2], 768),
            lambda x: x.swapaxes(-2, -3).reshape(*x.shape[:-3], -1, 768),
            lambda x: x.swapaxes(-2, -3).reshape(*x.shape[:-3], x.shape[-2], 12 * 64),
        ),
        Mistake(
            "x_changed",
            "`x` has another shape after the call: assigning to `x.shape` changes the caller's "
            "array. `x.reshape(...)` leaves `x` alone.",
            _merge_in_place,
        ),
    ),
    right=(
        Right("heads concatenated", lambda x: np.concatenate(_head_list(x), axis=-1)),
        Right("moveaxis", lambda x: np.moveaxis(x, -3, -2).reshape(_merged_shape(x))),
        Right(
            "transpose with a tuple of axes",
            lambda x: x.transpose(*range(x.ndim - 3), x.ndim - 2, x.ndim - 3, x.ndim - 1).reshape(
                _merged_shape(x)
            ),
        ),
        Right("einsum", lambda x: np.einsum("...htd->...thd", x).reshape(_merged_shape(x))),
        Right(
            "on its side and back",
            lambda x: _flip(_flip(x).reshape(*x.shape[:-3], -1, x.shape[-2])),
        ),
        Right("cell by cell", _merged_cell_by_cell),
        Right("float32", lambda x: _merge(x.astype("f4"))),
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


# --- multi_head_attention ---------------------------------------------------------------------


def _scaled(q, k):
    return q @ _flip(k) / np.sqrt(q.shape[-1])


def _causal(scores, hidden=-np.inf):
    return _softmax(np.where(_may_look(scores), scores, hidden))


def _attend(q, k, v):
    weights = _causal(_scaled(q, k))
    return weights @ v, weights


def _mha_with(weights_of):
    """Right split and merge; the weights come from a wrong formula of one head's q and k."""

    def multi_head_attention(q, k, v, n_head):
        weights = weights_of(_split(q, n_head), _split(k, n_head))
        return _merge(weights @ _split(v, n_head)), weights

    return multi_head_attention


def _mha_of_scores(weights_of):
    """The same for a wrong formula of the scaled scores."""
    return _mha_with(lambda q, k: weights_of(_scaled(q, k)))


def _mha_cut(split, merge):
    """Right attention between a split and a merge of which at least one is wrong."""

    def multi_head_attention(q, k, v, n_head):
        out, weights = _attend(split(q, n_head), split(k, n_head), split(v, n_head))
        return merge(out), weights

    return multi_head_attention


def _mha(q, k, v, n_head):
    return _mha_cut(_split, _merge)(q, k, v, n_head)


def _reshaped(x, n_head):
    return x.reshape(*x.shape[:-2], n_head, x.shape[-2], x.shape[-1] // n_head)


def _reshaped_back(x):
    return x.reshape(_merged_shape(x))


def _interleaved(x, n_head):
    return np.moveaxis(x.reshape(*x.shape[:-1], -1, n_head), -1, -3)


def _interleaved_back(x):
    return np.moveaxis(x, -3, -1).reshape(_merged_shape(x))


def _normalised(exp):
    return exp / exp.sum(axis=-1, keepdims=True)


def _naive_softmax(scores):
    return _normalised(np.exp(scores))


def _over_heads(scores):
    return np.moveaxis(_softmax(np.moveaxis(scores, -3, -1)), -1, -3)


def _over_heads_masked(scores):
    return _over_heads(np.where(_may_look(scores), scores, -1e10)) * _may_look(scores)


def _among_heads(q, k, v, n_head):
    out, weights = _attend(_in_heads(q, n_head), _in_heads(k, n_head), _in_heads(v, n_head))
    return out.reshape(q.shape), weights


def _among_heads_all(q, k, v, n_head):
    q, k, v = (_in_heads(part, n_head) for part in (q, k, v))
    weights = _softmax(_scaled(q, k))
    return (weights @ v).reshape(*q.shape[:-2], -1), weights


def _one_wide_head(q, k, v, n_head):
    return _attend(q, k, v)


def _one_wide_head_copied(q, k, v, n_head):
    out, weights = _attend(q, k, v)
    return out, np.stack([weights] * n_head, axis=-3)


def _weights_changed(change):
    """The right result, with weights that were changed on the way out."""

    def multi_head_attention(q, k, v, n_head):
        out, weights = _mha(q, k, v, n_head)
        return out, change(weights)

    return multi_head_attention


def _first_heads_weights(q, k, v, n_head):
    weights = _causal(_scaled(_split(q, n_head), _split(k, n_head)))
    weights = np.broadcast_to(weights[..., :1, :, :], weights.shape).copy()
    return _merge(weights @ _split(v, n_head)), weights


def _mean_weights(q, k, v, n_head):
    weights = _causal(_scaled(_split(q, n_head), _split(k, n_head)))
    weights = np.broadcast_to(weights.mean(axis=-3, keepdims=True), weights.shape).copy()
    return _merge(weights @ _split(v, n_head)), weights


def _v_not_split(q, k, v, n_head):
    weights = _causal(_scaled(_split(q, n_head), _split(k, n_head)))
    return _merge(weights @ v[..., None, :, :]), weights


def _values_of(pick):
    def multi_head_attention(q, k, v, n_head):
        return _mha(q, k, pick(q, k, v), n_head)

    return multi_head_attention


def _mask_after(q, k):
    weights = _softmax(_scaled(q, k))
    return weights * _may_look(weights)


def _q_changed(q, k, v, n_head):
    q /= np.sqrt(q.shape[-1] // n_head)
    weights = _causal(_split(q, n_head) @ _flip(_split(k, n_head)))
    return _merge(weights @ _split(v, n_head)), weights


def _two_axes_attention(q, k, v, n_head):
    n_tokens, width = q.shape
    q, k, v = (a.reshape(n_tokens, n_head, width // n_head).swapaxes(0, 1) for a in (q, k, v))
    out, weights = _attend(q, k, v)
    return out.swapaxes(0, 1).reshape(n_tokens, width), weights


def _three_axes_attention(q, k, v, n_head):
    n_examples, n_tokens, width = q.shape
    shape = (n_examples, n_tokens, n_head, width // n_head)
    out, weights = _attend(*(a.reshape(shape).transpose(0, 2, 1, 3) for a in (q, k, v)))
    return out.transpose(0, 2, 1, 3).reshape(q.shape), weights


def _transposed_for_batches(q, k, v, n_head):
    q, k, v = (_in_heads(a, n_head).transpose(0, 2, 1, 3) for a in (q, k, v))
    out, weights = _attend(q, k, v)
    return out.transpose(0, 2, 1, 3).reshape(*out.shape[:-3], out.shape[-2], -1), weights


def _tokens_shared_out(x, n_head):
    return x.reshape(*x.shape[:-2], n_head, x.shape[-2] // n_head, x.shape[-1])


def _head_after_head(q, k, v, n_head, join=-1, stack=-3):
    d = q.shape[-1] // n_head
    heads = [_attend(*(a[..., h * d : (h + 1) * d] for a in (q, k, v))) for h in range(n_head)]
    merged = np.concatenate([out for out, _weights in heads], axis=join)
    return merged, np.stack([weights for _out, weights in heads], axis=stack)


def _first_axis_in_a_loop(q, k, v, n_head):
    heads = [
        _attend(*one) for one in zip(*(_split(a, n_head)[:n_head] for a in (q, k, v)), strict=True)
    ]
    return np.concatenate([out for out, _ in heads], axis=-1), np.stack([w for _, w in heads])


def _second_axis_attention(q, k, v, n_head):
    d = q.shape[1] // n_head
    heads = [_attend(*(a[:, h * d : (h + 1) * d] for a in (q, k, v))) for h in range(n_head)]
    return np.concatenate([out for out, _ in heads], axis=1), np.stack([w for _, w in heads])


def _token_after_token(q, k, v, n_head):
    q, k, v = (_split(a, n_head) for a in (q, k, v))
    weights = np.zeros((*q.shape[:-1], q.shape[-2]))
    for t in range(q.shape[-2]):
        scores = q[..., t : t + 1, :] @ _flip(k[..., : t + 1, :]) / q.shape[-1] ** 0.5
        weights[..., t, : t + 1] = _softmax(scores)[..., 0, :]
    return _merge(weights @ v), weights


def _by_einsum(q, k, v, n_head):
    q, k, v = (_in_heads(a, n_head) for a in (q, k, v))
    scores = np.einsum("...ihd,...jhd->...hij", q, k) / q.shape[-1] ** 0.5
    weights = _causal(scores)
    out = np.einsum("...hij,...jhd->...ihd", weights, v)
    return out.reshape(*out.shape[:-2], -1), weights


def _softmax_masked_renormalised(scores):
    weights = _softmax(scores) * _may_look(scores)
    return weights / weights.sum(axis=-1, keepdims=True)


def _far_below_zero(n_tokens, n_head, seed):
    """Queries and keys of whole numbers with scores near -20,000: a weak mask leaks there.

    Four numbers a head: the division by 2 is exact, so float32 gives the same weights.
    """
    random = np.random.default_rng(seed)
    q, k = random.integers(-2, 3, size=(2, n_tokens, n_head, 4)).astype(float)
    q[..., :2], k[..., :2] = 100, -200
    return q.reshape(n_tokens, -1), k.reshape(n_tokens, -1), tidy(n_tokens, 4 * n_head, seed=seed)


def _three(*shape, seed, make=tidy):
    return tuple(make(*shape, seed=seed + i) for i in range(3))


MULTI_HEAD_ATTENTION = Exercise(
    name="multi_head_attention",
    lesson=LESSON,
    visible=(
        Case("two tokens, two heads", (*_three(2, 6, seed=501), 2)),
        Case("four tokens, three heads", (*_three(4, 6, seed=504), 3)),
        Case("four tokens, two heads", (*_three(4, 6, seed=507), 2)),
        Case("one token", (*_three(1, 6, seed=510), 2)),
        Case("one head", (*_three(3, 4, seed=513), 1)),
        Case("two sentences at once", (*_three(2, 3, 6, seed=516), 2)),
        Case("scores near -20,000", (*_far_below_zero(3, 2, seed=519), 2)),
        late(
            "a later token with a far higher score",
            (*far_ahead(n_tokens=3, d=4, seed=530), tidy(3, 4, seed=531), 2),
        ),
    ),
    hidden=(
        Case("other sizes", (*_three(5, 18, seed=531, make=rough), 3)),
        Case("two sentences of other sizes", (*_three(2, 5, 18, seed=534, make=rough), 3)),
        Case("a grid of sentences", (*_three(2, 3, 5, 18, seed=537, make=rough), 6)),
        Case("one token", (*_three(1, 18, seed=540, make=rough), 3)),
        Case("one head", (*_three(5, 7, seed=543, make=rough), 1)),
        Case("heads of one number", (*_three(4, 5, seed=546, make=rough), 5)),
        Case("as many heads as tokens", (*_three(4, 12, seed=549, make=rough), 4)),
        Case("scores far below zero", (*_far_below_zero(5, 3, seed=552), 3)),
        Case("whole numbers", (*(a.astype(int) for a in _three(4, 6, seed=555)), 2)),
        late(
            "a later token with a far higher score",
            (*far_ahead(2, n_tokens=5, d=12, seed=560), rough(2, 5, 12, seed=561), 3),
        ),
        *(
            late(
                "the same tokens, another number of heads",
                (*_three(5, 12, seed=562, make=rough), n),
            )
            for n in (1, 2, 4, 6, 12)
        ),
        late("more heads than features in each", (*_three(3, 130, seed=565, make=rough), 13)),
        late("many features in each head", (*_three(3, 2 * WIDE, seed=568, make=rough), 2)),
        late("as many heads as features in each", (*_three(5, 16, seed=571, make=rough), 4)),
        late("all sizes equal", (*_three(4, 4, 4, seed=574, make=rough), 4)),
        late("a long text", (*_three(LONG, 4, seed=577, make=rough), 2)),
        late("a longer text, one head", (*_three(FAR, 1, seed=580, make=rough), 1)),
    ),
    promises=(
        Promise(
            "every head gives what it gives alone",
            "every_head_alone",
            (*_three(4, 6, seed=561), 2),
            (*_three(2, 5, 18, seed=564, make=rough), 3),
        ),
        Promise(
            "every row of weights is positive and sums to 1",
            "rows_sum_to_one",
            (*_three(4, 6, seed=567), 3),
            (*_three(5, 18, seed=570, make=rough), 6),
        ),
        Promise(
            "every sentence of a batch gives what it gives alone",
            "every_example_alone",
            (3, *_three(2, 3, 6, seed=573), 2),
            (3, *_three(3, 5, 18, seed=576, make=rough), 3),
        ),
    ),
    mistakes=(
        Mistake(
            "one_wide_head",
            "You attend once, with all D features. Then there is only one table of weights. Split "
            "q, k and v first, so that every head has a table of its own.",
            _one_wide_head,
            lambda q, k, v, n_head: _mha(q, k, v, 1),
            _one_wide_head_copied,
        ),
        Mistake(
            "split_reshaped_only",
            "The shapes are right, but your heads mix tokens: in the split, a reshape straight to "
            "(H, T, d). Is it your split_heads that is used here?",
            _mha_cut(_reshaped, _merge),
        ),
        Mistake(
            "merge_reshaped_only",
            "The weights are right; in the merged result the rows mix tokens: a reshape without a "
            "swap of axes. Is it your merge_heads that is used here?",
            _mha_cut(_split, _reshaped_back),
        ),
        Mistake(
            "both_reshaped_only",
            "Split and merge both reshape without swapping axes. They undo each other, so the "
            "shapes fit, but in between each head holds a few tokens only, and the others are out "
            "of its sight. Use your split_heads and merge_heads.",
            _mha_cut(_reshaped, _reshaped_back),
        ),
        Mistake(
            "heads_attend_to_heads",
            "Your weights are [T, H, H]: within each token, the heads look at each other. The last "
            "two axes must be tokens and features before you attend: swap heads and tokens after "
            "the reshape.",
            _among_heads,
            _among_heads_all,
        ),
        Mistake(
            "features_interleaved",
            "Head 0 gets every H-th feature in your split. A head's features lie side by side. Use "
            "your split_heads and merge_heads.",
            _mha_cut(_interleaved, _interleaved_back),
            _mha_cut(_interleaved, _merge),
        ),
        Mistake(
            "tokens_split",
            "You share out the tokens: each head sees some of them only. Every head sees all "
            "tokens, with a part of the features.",
            _mha_cut(_tokens_shared_out, lambda x: x.reshape(*x.shape[:-3], -1, x.shape[-1])),
        ),
        Mistake(
            "not_merged",
            "Your first value still has an axis for the heads. Put them side by side again: the "
            "last step is your merge_heads.",
            _mha_cut(_split, lambda x: x.copy()),
        ),
        Mistake(
            "heads_summed",
            "You add up the heads, or take their mean. Put them side by side: the width is D "
            "again, and nothing is lost.",
            _mha_cut(_split, lambda x: x.sum(axis=-3)),
            _mha_cut(_split, lambda x: x.mean(axis=-3)),
        ),
        Mistake(
            "joined_along_tokens",
            "You put the heads one under the other. Each token keeps one row: put its heads side "
            "by side.",
            _mha_cut(_split, lambda x: x.reshape(*x.shape[:-3], -1, x.shape[-1])),
        ),
        Mistake(
            "heads_reversed",
            "The heads come back in reverse order: head 0 must end up in the first d columns.",
            _mha_cut(_split, lambda x: _merge(x[..., ::-1, :, :])),
        ),
        Mistake(
            "softmax_over_heads",
            "Your softmax runs over the heads: the weights of one query and one key sum to 1 over "
            "all heads. Heads do not compete. Each row of each head sums to 1, over its keys.",
            _mha_of_scores(_over_heads),
            _mha_of_scores(_over_heads_masked),
        ),
        Mistake(
            "softmax_over_queries",
            "The columns of your weights sum to 1 instead of the rows. Softmax runs over the "
            "keys: the last axis.",
            _mha_of_scores(lambda s: _flip(_softmax(_flip(np.where(_may_look(s), s, -np.inf))))),
        ),
        Mistake(
            "not_causal",
            "Your tokens see those after them. Every head is masked as in lesson 02: use your "
            "causal_attention.",
            _mha_of_scores(_softmax),
            _mha_of_scores(_naive_softmax),
        ),
        Mistake(
            "no_max_subtracted",
            "Right on ordinary scores, but at -20,000 every exp is 0, and 0 / 0 is nan. Your "
            "softmax of lesson 01 subtracts the row's largest score first: use it, or "
            "causal_attention.",
            _mha_of_scores(lambda s: _naive_softmax(np.where(_may_look(s), s, -np.inf))),
            _mha_of_scores(lambda s: _normalised(np.exp(s) * _may_look(s))),
        ),
        Mistake(
            "mask_inverted",
            "Your mask is upside down: tokens see only what comes at or after their own place. "
            "True means that a token may look.",
            _mha_of_scores(lambda s: _softmax(np.where(_flip(_may_look(s)), s, -np.inf))),
        ),
        Mistake(
            "not_itself",
            "Your tokens do not see themselves, so that the first one sees nothing at all and "
            "becomes nan. A token sees itself and all before it.",
            _mha_of_scores(
                lambda s: _softmax(np.where(np.tri(*s.shape[-2:], -1, dtype=bool), s, -np.inf))
            ),
        ),
        Mistake(
            "one_token_leaks",
            "Each token sees one token too many: the next one. The mask ends at the token itself.",
            _mha_of_scores(
                lambda s: _softmax(np.where(np.tri(*s.shape[-2:], 1, dtype=bool), s, -np.inf))
            ),
        ),
        Mistake(
            "future_scored_zero",
            "You set the scores of later tokens to 0. But exp(0) is 1: zero is an ordinary score. "
            "Set them to minus infinity, so that their weight becomes 0.",
            _mha_of_scores(lambda s: _softmax(s * _may_look(s))),
            _mha_of_scores(lambda s: _causal(s, 1e-10)),
        ),
        Mistake(
            "weak_mask",
            "Your mask puts a number such as -10,000 in place of a score. Here the true scores are "
            "lower than that, and the future leaks in. Use minus infinity.",
            _mha_of_scores(lambda s: _causal(s, -1e4)),
            _mha_of_scores(lambda s: _causal(s, -1e3)),
        ),
        Mistake(
            "masked_after_softmax",
            "You hide later tokens after softmax, so the rows no longer sum to 1. Hide their "
            "scores before softmax.",
            _mha_with(_mask_after),
        ),
        Mistake(
            "hidden_too_late",
            "Right until a later token's score is far above the others: it takes all the weight "
            "before you hide it, and 0 divided by 0 is nan. Hide before softmax: your "
            "causal_attention does it.",
            _mha_of_scores(_softmax_masked_renormalised),
        ),
        Mistake(
            "not_scaled",
            "Your scores are not scaled, so the weights are too sharp. Use your causal_attention, "
            "which scales by the size of a head.",
            _mha_with(lambda q, k: _causal(q @ _flip(k))),
        ),
        Mistake(
            "scaled_by_model_width",
            "You scale by the square root of D, the width of the whole model. Each head works with "
            "d = D / H numbers: the scale is the square root of d.",
            _mha_with(lambda q, k: _causal(q @ _flip(k) / np.sqrt(q.shape[-1] * q.shape[-3]))),
        ),
        Mistake(
            "scaled_by_heads",
            "You scale by the square root of the number of heads. The scale is the square root of "
            "d, the size of one head.",
            _mha_with(lambda q, k: _causal(q @ _flip(k) / np.sqrt(q.shape[-3]))),
        ),
        Mistake(
            "scaled_by_tokens",
            "You scale by the square root of the number of tokens. The scale is the square root "
            "of d, the size of one head.",
            _mha_with(lambda q, k: _causal(q @ _flip(k) / np.sqrt(q.shape[-2]))),
        ),
        Mistake(
            "scaled_twice",
            "Your weights are too flat: the scores are scaled twice (or divided by d). "
            "causal_attention has done it already.",
            _mha_with(lambda q, k: _causal(q @ _flip(k) / q.shape[-1])),
        ),
        Mistake(
            "scale_is_8",
            "You divide by 8. That is right only for heads of 64 numbers, as in GPT-2. Read d from "
            "the shape of the split queries.",
            _mha_with(lambda q, k: _causal(q @ _flip(k) / 8)),
        ),
        Mistake(
            "no_softmax",
            "You blend the values with the scores themselves. Softmax comes first: it turns scores "
            "into weights.",
            _mha_of_scores(lambda s: s * _may_look(s)),
        ),
        Mistake(
            "softmax_twice",
            "Softmax is applied twice: the weights are too flat, and later tokens get some. "
            "causal_attention has done it already.",
            _mha_of_scores(lambda s: _softmax(_causal(s))),
            _mha_of_scores(lambda s: _causal(_causal(s))),
        ),
        Mistake(
            "first_heads_weights_for_all",
            "All heads use the weights of head 0. Every head has weights of its own: that is what "
            "several heads are for.",
            _first_heads_weights,
        ),
        Mistake(
            "mean_weights_for_all",
            "All heads use the mean of the weights. Every head blends its values with weights of "
            "its own.",
            _mean_weights,
        ),
        Mistake(
            "weights_averaged",
            "The result is right, but your weights are the mean (or sum) over the heads. Return "
            "those of every head: [..., H, T, T].",
            _weights_changed(lambda weights: weights.mean(axis=-3)),
            _weights_changed(lambda weights: weights.sum(axis=-3)),
        ),
        Mistake(
            "one_heads_weights_returned",
            "The result is right, but you return the weights of one head only. Return those of "
            "every head: [..., H, T, T].",
            _weights_changed(lambda weights: weights[..., 0, :, :]),
            _weights_changed(lambda weights: weights[..., -1, :, :]),
        ),
        Mistake(
            "weights_merged",
            "The result is right, but you merge the weights, too. They stay apart: a table "
            "for each head, [..., H, T, T].",
            _weights_changed(_merge),
        ),
        Mistake(
            "weights_axes_swapped",
            "The result is right, but the axes of your weights are in another order. Return them "
            "as [..., H, T, T]: heads, queries, keys.",
            _weights_changed(lambda weights: weights.swapaxes(-2, -3)),
            _weights_changed(_flip),
        ),
        Mistake(
            "v_not_split",
            "The values were not split: every head blends all D features, and the result is H "
            "times too wide. Split q, k and v alike.",
            _v_not_split,
        ),
        Mistake(
            "queries_and_keys_swapped",
            "Queries and keys have changed places. The rows of a table of weights belong to "
            "queries.",
            lambda q, k, v, n_head: _mha(k, q, v, n_head),
        ),
        Mistake(
            "queries_as_keys",
            "You compare the queries with themselves. Compare queries with keys: is each of the "
            "three split from its own array?",
            lambda q, k, v, n_head: _mha_cut(_split, _merge)(q, q, v, n_head),
        ),
        Mistake(
            "sentences_taken_for_heads",
            "With one sentence the result is right. In a batch your loop goes through the "
            "sentences: the first axis is then the batch, the heads are on axis -3. No loop is "
            "needed: causal_attention takes all heads at once.",
            _first_axis_in_a_loop,
        ),
        Mistake(
            "keys_as_values",
            "You blend the keys. Keys are for matching; the values carry the content. Which of the "
            "three arrays do the weights multiply?",
            _values_of(lambda q, k, v: k),
        ),
        Mistake(
            "queries_as_values",
            "You blend the queries. Queries only ask; the values carry the content. Which of the "
            "three arrays do the weights multiply?",
            _values_of(lambda q, k, v: q),
        ),
        Mistake(
            "queries_added",
            "Your result holds the queries or the values of the token itself on top. Here it is "
            "only the blend of the values; sums come later in the model.",
            lambda q, k, v, n_head: (_mha(q, k, v, n_head)[0] + q, _mha(q, k, v, n_head)[1]),
            lambda q, k, v, n_head: (_mha(q, k, v, n_head)[0] + v, _mha(q, k, v, n_head)[1]),
        ),
        Mistake(
            "weights_first",
            "You return the weights first. Return the merged result first, then the weights: "
            "`return merged, weights`.",
            lambda q, k, v, n_head: _mha(q, k, v, n_head)[::-1],
        ),
        Mistake(
            "weights_not_returned",
            "You return only the merged result. Return the weights of all heads as well: "
            "`return merged, weights`.",
            lambda q, k, v, n_head: _mha(q, k, v, n_head)[0],
        ),
        Mistake(
            "scores_returned",
            "Your second value holds scores. Return the weights: what softmax makes of them, once "
            "the later tokens are hidden.",
            lambda q, k, v, n_head: (
                _mha(q, k, v, n_head)[0],
                _scaled(_split(q, n_head), _split(k, n_head)),
            ),
        ),
        Mistake(
            "n_head_is_12",
            "You always split into 12 heads. That is the number in GPT-2 small. Use `n_head`.",
            lambda q, k, v, n_head: _mha(q, k, v, 12),
        ),
        Mistake(
            "axes_counted_from_the_front",
            "Your function works for one sentence or for a batch, but not for both. split_heads "
            "and merge_heads take care of any leading axes: use them.",
            _two_axes_attention,
            _three_axes_attention,
            _transposed_for_batches,
            _second_axis_attention,
            lambda q, k, v, n_head: _head_after_head(q, k, v, n_head, join=1),
            lambda q, k, v, n_head: _head_after_head(q, k, v, n_head, join=1, stack=0),
        ),
        Mistake(
            "weights_heads_before_the_batch",
            "With one sentence all is right. In a batch, the axis of the heads stands in front of "
            "the sentences in your weights. It belongs right in front of the queries: "
            "[..., H, T, T].",
            lambda q, k, v, n_head: _head_after_head(q, k, v, n_head, stack=0),
        ),
        Mistake(
            "half_precision",
            "The numbers are too coarse: they went through float16. Keep the type of the input.",
            lambda q, k, v, n_head: tuple(a.astype(np.float16) for a in _mha(q, k, v, n_head)),
        ),
        Mistake(
            "q_changed",
            "`q` is different after the call: `/=` writes into the caller's array. Make a new one.",
            _q_changed,
        ),
    ),
    right=(
        Right("head after head", _head_after_head),
        Right("token after token", _token_after_token),
        Right("einsum without swaps", _by_einsum),
        Right("a list of two", lambda *args: list(_mha(*args))),
        Right("float32", lambda q, k, v, n: _mha(*(a.astype("f4") for a in (q, k, v)), n)),
        Right("lowest float as mask", _mha_of_scores(lambda s: _causal(s, np.finfo(float).min))),
        Right("mask of -1e10", _mha_of_scores(lambda s: _causal(s, -1e10))),
        Right(
            "queries scaled first",
            _mha_with(lambda q, k: _causal(q / np.sqrt(q.shape[-1]) @ _flip(k))),
        ),
    ),
    hints=(
        "Each head is attention as in lesson 02, with d features instead of D. Which function "
        "makes the heads, and over which axes does causal_attention work?",
        "Split q, k and v. causal_attention takes any leading axes, so the heads need no loop: "
        "they are one more leading axis. It returns two things; one of them is to be merged.",
        "Call `causal_attention(split_heads(q, n_head), split_heads(k, n_head), "
        "split_heads(v, n_head))`. Return its result merged, and its weights as they are.",
    ),
)

EXERCISES = (QKV_PROJECTION, SPLIT_HEADS, MERGE_HEADS, MULTI_HEAD_ATTENTION)

QUESTIONS = (
    Question(
        id="04-two-places",
        right="c",
        replies={
            "a": "High scores make the weights of others small, but the row still sums to 1. Two "
            "times 90 % is more than that.",
            "b": "The mask only takes tokens away. With or without it, the row sums to 1.",
            "c": "A row sums to 1. Whoever looks in two places looks less at each.",
        },
    ),
    Question(
        id="04-width",
        right=384,
        replies={
            "right": "`w` has 3 times 128 columns: 128 numbers each for query, key and value.",
            "wrong": "`w` has the shape (128, 384). A row of 128 numbers times `w`: how many "
            "columns does the result have?",
        },
    ),
    Question(
        id="04-why-key-bias",
        right="c",
        replies={
            "a": "A row of weights sums to 1: not all can grow. How much does each score of one "
            "query change? Run the next cell.",
            "b": "Every key gets the same vector, the last one too. How much does each score of "
            "one query change? Run the next cell.",
            "c": "Every score of a query grows by the same number, query times vector, and softmax "
            "only sees differences (lesson 01). A change of the queries differs from key to key.",
        },
    ),
    Question(
        id="04-reshape",
        right="b",
        replies={
            "a": "So it should be. But a reshape does not know tokens: it reads 0, 1, 2, 3, 4, 5 "
            "and so on, and starts a new line after every 3. Run the next cell.",
            "b": "A reshape reads row after row and starts a new line after every 3 numbers. So "
            "the row of 'must' holds numbers of 'robot'.",
            "c": "12 is where head 1 begins: after 4 lines of 3 numbers. Which line is row 1 of "
            "head 0? Run the next cell.",
        },
    ),
    Question(
        id="04-why-features",
        right="a",
        replies={
            "a": "The shape is 4 heads, 9 tokens, 32 features. A head sees the whole sentence, "
            "through its own part of the features.",
            "b": "Look at the shape: 4 heads, then 9 tokens. All tokens are in every head.",
            "c": "Look at the last axis of the shape: 32, a quarter of 128.",
        },
    ),
    Question(
        id="04-merge",
        right=64,
        replies={
            "right": "Head 0 fills 0 to 31, head 1 fills 32 to 63, and head 2 begins at 64.",
            "wrong": "Two heads stand before it, with 32 numbers each. Python counts from 0.",
        },
    ),
    Question(
        id="04-undo",
        right="a",
        replies={
            "a": "Neither reshape moves a number, so the numbers come back into their old places. "
            "The test cannot see that the heads in between are wrong.",
            "b": "That would be good: then the bug would show. A reshape never moves a number. "
            "Where is each of them after two reshapes? Run the next cell.",
            "c": "The shapes fit all the way, so NumPy is content. Run the next cell.",
        },
    ),
    Question(
        id="04-why-scale",
        right=8,
        replies={
            "right": "768 / 12 = 64 features a head, and the square root of 64 is 8. Splitting "
            "comes first, so `q.shape[-1]` is the size of one head.",
            "wrong": "The scale is the square root of d, the number of features in ONE head. How "
            "many of the 768 does each of the 12 heads get?",
        },
    ),
    Question(
        id="04-compete",
        right="c",
        replies={
            "a": "Each head's ROW sums to 1, over its tokens. Nothing ties one head to another.",
            "b": "Each head's ROW sums to 1, over its tokens. Two heads may both give nearly all "
            "to 'robot'.",
            "c": "Each row of each head sums to 1, over its tokens. Heads do not compete: all four "
            "may look at 'robot', or none.",
        },
    ),
    Question(
        id="04-parameters",
        right=49536,
        replies={
            "right": "The same. More heads share out the same 384 columns in smaller parts: 8 "
            "heads of 16 features instead of 4 of 32.",
            "wrong": "The shape of `w` is [D, 3D]. Is there an H in it? Heads share out the "
            "features that are there.",
        },
    ),
    Question(
        id="04-recall-mask",
        right="b",
        replies={
            "a": "exp(0) is 1: a score of 0 still gets weight. What score gives a weight of 0?",
            "b": "exp of minus infinity is 0, and the others share the 1.",
            "c": "Then the rows no longer sum to 1. Hide before softmax.",
        },
    ),
    Question(
        id="04-recall-cache",
        right="b",
        replies={
            "a": "A query asks once, in its own step. Later tokens ask with their own queries.",
            "b": "Later tokens compare their queries with its key and take from its value. Its own "
            "query is not needed again.",
            "c": "Its weights are used once, for its own result. What do later tokens need of it?",
        },
    ),
)
