"""Wrong attempts at lesson 01, written without a look at known ones."""

import numpy as np
from attempts.kit import attempt, right

softmax = right("softmax")
flip = lambda a: np.swapaxes(a, -1, -2)  # noqa: E731


@attempt("make_qkv", "sides_swapped")
def weight_first(x, w_q, w_k, w_v):
    return w_q @ x, w_k @ x, w_v @ x


@attempt("make_qkv", "elementwise")
def cell_by_cell(x, w_q, w_k, w_v):
    return x * w_q, x * w_k, x * w_v


@attempt("make_qkv", "w_q_for_all")
def query_three_times(x, w_q, w_k, w_v):
    return x @ w_q, x @ w_q, x @ w_q


@attempt("make_qkv", "values_are_x")
def values_of_the_input(x, w_q, w_k, w_v):
    return x @ w_q, x @ w_k, x


@attempt("make_qkv", "sizes_do_not_fit")
def chained(x, w_q, w_k, w_v):
    q = x @ w_q
    k = q @ w_k
    return q, k, k @ w_v


@attempt("make_qkv", "a_dictionary")
def a_dictionary(x, w_q, w_k, w_v):
    return {"q": x @ w_q, "k": x @ w_k, "v": x @ w_v}


@attempt("make_qkv", "one_array")
def joined(x, w_q, w_k, w_v):
    return np.concatenate([x @ w_q, x @ w_k, x @ w_v], axis=-1)


@attempt("make_qkv", "all_axes_transposed")
def dot_turned(x, w_q, w_k, w_v):
    return tuple(np.dot(w.T, x.T).T for w in (w_q, w_k, w_v))


@attempt("scaled_scores", "factor")
def root_of_all(q, k):
    return q @ flip(k) / np.sqrt(q.size)


@attempt("scaled_scores", "scaled_by_first_axis")
def length_of_q(q, k):
    return q @ flip(k) / np.sqrt(len(q))


@attempt("scaled_scores", "factor")
def squared(q, k):
    return q @ flip(k) / q.shape[-1] ** 2


@attempt("scaled_scores", "divided_by_d")
def root_on_both(q, k):
    return (q / np.sqrt(q.shape[-1])) @ flip(k / np.sqrt(k.shape[-1]))


@attempt("scaled_scores", "sizes_do_not_fit")
def swapped_front_axes(q, k):
    return q @ np.swapaxes(k, 0, 1) / np.sqrt(q.shape[-1])


@attempt("scaled_scores", "elementwise")
def summed_product(q, k):
    return (q * k).sum(-1) / np.sqrt(q.shape[-1])


@attempt("scaled_scores", "fixed_axes")
def two_shapes(q, k):
    n, d = q.shape
    assert n
    return q @ flip(k) / d**0.5


@attempt("scaled_scores", "dot_for_batches")
def inner(q, k):
    return np.inner(q, k) / np.sqrt(q.shape[-1])


@attempt("scaled_scores", "precedence")
def minus_half_slip(q, k):
    return q @ flip(k) * q.shape[-1] ** -1 / 2


@attempt("scaled_scores", "softmax_inside")
def weights_at_once(q, k):
    return softmax(q @ flip(k) / np.sqrt(q.shape[-1]))


@attempt("softmax", "over_everything")
def without_axis(scores):
    e = np.exp(scores - np.max(scores))
    return e / np.sum(e)


@attempt("softmax", "keepdims_missing")
def sum_without_keepdims(scores):
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1)


@attempt("softmax", "no_max_subtracted")
def raw(scores):
    return np.exp(scores) / np.exp(scores).sum(axis=-1, keepdims=True)


@attempt("softmax", "over_axis_0")
def first_axis(scores):
    e = np.exp(scores - scores.max(axis=0))
    return e / e.sum(axis=0)


@attempt("softmax", "divided_by_mean")
def mean_below(scores):
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return e / e.mean(axis=-1, keepdims=True)


@attempt("softmax", "not_normalised")
def max_below(scores):
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return e / e.max(axis=-1, keepdims=True)


@attempt("softmax", "no_exp")
def no_exp(scores):
    return scores / scores.sum(axis=-1, keepdims=True)


@attempt("softmax", "returned_none")
def nothing_returned(scores):
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    e = e / e.sum(axis=-1, keepdims=True)
    print(e)


@attempt("softmax", "scores_changed")
def in_place(scores):
    scores -= scores.max(axis=-1, keepdims=True)
    e = np.exp(scores)
    return e / e.sum(axis=-1, keepdims=True)


@attempt("softmax", "mean_subtracted")
def mean_taken_away(scores):
    e = np.exp(scores - scores.mean(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


@attempt("softmax", "no_max_subtracted+squares|divided_by_max+squares")
def squares(scores):
    return scores**2 / (scores**2).sum(axis=-1, keepdims=True)


@attempt("weighted_sum", "do_not_broadcast")
def cells_times(weights, v):
    return (weights * v).sum(-1)


@attempt("weighted_sum", "sides_swapped")
def values_first(weights, v):
    return v @ weights


@attempt("weighted_sum", "softmax_again")
def softmaxed_again(weights, v):
    return softmax(weights) @ v


@attempt("weighted_sum", "summed_over_everything")
def summed_over_tokens(weights, v):
    return (weights @ v).sum(axis=-2)


@attempt("weighted_sum", "axis_length")
def only_the_row(weights, v):
    out = np.zeros_like(v)
    for i in range(len(weights)):
        for j in range(len(v)):
            out[i] = weights[i, j] * v[j]
    return out


@attempt("self_attention", "values_are_x")
def values_from_x(x, w_q, w_k, w_v):
    q, k = x @ w_q, x @ w_k
    weights = softmax(q @ flip(k) / np.sqrt(q.shape[-1]))
    return weights @ x, weights


@attempt("self_attention", "weights_not_returned")
def only_the_result(x, w_q, w_k, w_v):
    q, k, v = x @ w_q, x @ w_k, x @ w_v
    return softmax(q @ flip(k) / np.sqrt(q.shape[-1])) @ v


@attempt("self_attention", "scores_returned")
def scores_returned(x, w_q, w_k, w_v):
    q, k, v = x @ w_q, x @ w_k, x @ w_v
    scores = q @ flip(k) / np.sqrt(q.shape[-1])
    return softmax(scores) @ v, scores


@attempt("self_attention", "scaled_by_model_width")
def scaled_by_model(x, w_q, w_k, w_v):
    q, k, v = x @ w_q, x @ w_k, x @ w_v
    weights = softmax(q @ flip(k) / np.sqrt(x.shape[-1]))
    return weights @ v, weights


@attempt("self_attention", "values_are_keys")
def values_are_keys(x, w_q, w_k, w_v):
    q, k, v = x @ w_q, x @ w_k, x @ w_k
    weights = softmax(q @ flip(k) / np.sqrt(q.shape[-1]))
    return weights @ v, weights


@attempt("self_attention", "x_added")
def residual(x, w_q, w_k, w_v):
    q, k, v = x @ w_q, x @ w_k, x @ w_v
    weights = softmax(q @ flip(k) / np.sqrt(q.shape[-1]))
    return weights @ v + v, weights


def rows_of(table):
    if table.ndim != 2:
        raise ValueError("a table has two axes")
    exp = np.exp(table - table.max(axis=-1, keepdims=True))
    return exp / exp.sum(axis=-1, keepdims=True)


@attempt("softmax", "refused_by_another")
def only_tables(scores):
    return rows_of(scores)


@attempt("softmax", "axis_of_one_lost")
def squeezed(scores):
    exp = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.squeeze(exp / exp.sum(axis=-1, keepdims=True))
