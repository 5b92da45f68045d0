"""Wrong attempts at lesson 04, written without a look at known ones."""

import numpy as np
from attempts.kit import attempt, right

softmax, causal_attention = right("softmax"), right("causal_attention")
split_heads, merge_heads = right("split_heads"), right("merge_heads")
n_head = 4  # the notebook's


@attempt("qkv_projection", "no_bias")
def bias_forgotten(x, w, b):
    return np.split(x @ w, 3, axis=-1)


@attempt("qkv_projection", "tokens_cut")
def split_along_tokens(x, w, b):
    return np.split(x @ w + b, 3)


@attempt("qkv_projection", "pytorch_word")
def chunked(x, w, b):
    return (x @ w + b).chunk(3, dim=-1)


@attempt("qkv_projection", "do_not_broadcast")
def thirds_of_rows(x, w, b):
    d = x.shape[-1]
    return x @ w[:d] + b[:d], x @ w[d : 2 * d] + b[d : 2 * d], x @ w[2 * d :] + b[2 * d :]


@attempt("qkv_projection", "last_missing")
def off_by_one_slice(x, w, b):
    d = x.shape[-1]
    y = x @ w + b
    return y[..., :d], y[..., d : 2 * d], y[..., 2 * d : -1]


@attempt("split_heads", "notebook_name")
def notebooks_heads(x, heads):
    *leading, t, width = x.shape
    if width % n_head:
        raise ValueError("heads")
    return np.swapaxes(x.reshape(*leading, t, n_head, width // n_head), -2, -3)


@attempt("split_heads", "not_transposed")
def no_swap(x, n_head):
    if x.shape[-1] % n_head:
        raise ValueError("heads")
    return x.reshape(*x.shape[:-1], n_head, x.shape[-1] // n_head)


@attempt("split_heads", "reshaped_only")
def straight(x, n_head):
    *leading, t, width = x.shape
    if width % n_head:
        raise ValueError("heads")
    return x.reshape(*leading, n_head, t, width // n_head)


@attempt("split_heads", "wrong_operator")
def with_a_slash(x, n_head):
    *leading, t, width = x.shape
    if width % n_head:
        raise ValueError("heads")
    return np.swapaxes(x.reshape(*leading, t, n_head, width / n_head), -2, -3)


@attempt("split_heads", "count_and_size_exchanged")
def head_size_for_count(x, n_head):
    *leading, t, width = x.shape
    if width % n_head:
        raise ValueError("heads")
    return np.swapaxes(x.reshape(*leading, t, width // n_head, n_head), -2, -3)


@attempt("split_heads", "axes_counted_from_the_front")
def two_axes(x, n_head):
    t, width = x.shape
    if width % n_head:
        raise ValueError("heads")
    return x.reshape(t, n_head, width // n_head).transpose(1, 0, 2)


@attempt("split_heads", "pytorch_word")
def permuted(x, n_head):
    *leading, t, width = x.shape
    if width % n_head:
        raise ValueError("heads")
    return x.reshape(*leading, t, n_head, width // n_head).permute(1, 0, 2)


@attempt("merge_heads", "reshaped_only")
def not_swapped(x):
    *leading, h, t, d = x.shape
    return x.reshape(*leading, t, h * d)


@attempt("merge_heads", "all_axes_reversed")
def reversed_axes(x):
    *leading, h, t, d = x.shape
    return x.T.reshape(*leading, t, h * d)


@attempt("merge_heads", "wrong_axes_swapped")
def last_two_swapped(x):
    *leading, h, t, d = x.shape
    return np.swapaxes(x, -1, -2).reshape(*leading, t, h * d)


@attempt("merge_heads", "averaged")
def averaged(x):
    return x.mean(axis=-3)


@attempt("multi_head_attention", "one_wide_head")
def never_split(q, k, v, n_head):
    return causal_attention(q, k, v)


@attempt("multi_head_attention", "not_merged")
def never_merged(q, k, v, n_head):
    return causal_attention(*(split_heads(a, n_head) for a in (q, k, v)))


@attempt("multi_head_attention", "not_causal")
def without_mask(q, k, v, n_head):
    q, k, v = (split_heads(a, n_head) for a in (q, k, v))
    weights = softmax(q @ np.swapaxes(k, -1, -2) / np.sqrt(q.shape[-1]))
    return merge_heads(weights @ v), weights


@attempt("multi_head_attention", "scaled_by_model_width")
def scaled_by_the_model(q, k, v, n_head):
    width, t = q.shape[-1], q.shape[-2]
    q, k, v = (split_heads(a, n_head) for a in (q, k, v))
    scores = q @ np.swapaxes(k, -1, -2) / np.sqrt(width)
    weights = softmax(np.where(np.tri(t, dtype=bool), scores, -np.inf))
    return merge_heads(weights @ v), weights


@attempt("multi_head_attention", "axis_too_many")
def values_not_split(q, k, v, n_head):
    q, k = (split_heads(a, n_head) for a in (q, k))
    return causal_attention(q, k, v)


@attempt("multi_head_attention", "wrong_name")
def queries_split_thrice(q, k, v, n_head):
    q, k, v = (split_heads(q, n_head) for _ in (q, k, v))
    out, weights = causal_attention(q, k, v)
    return merge_heads(out), weights


@attempt("split_heads", "breaks_by_accident")
def size_from_a_table(x, n_head):
    size = {0: x.shape[-1] // n_head}[x.shape[-1] % n_head]
    return np.swapaxes(x.reshape(*x.shape[:-1], n_head, size), -3, -2)


@attempt("multi_head_attention", "whole_numbers")
def filled_head_by_head(q, k, v, n_head):
    merged, weights = right("multi_head_attention")(q, k, v, n_head)
    result = np.zeros_like(v)
    result[...] = merged
    return result, weights


@attempt("merge_heads", "order")
def rows_as_they_come(x):
    return x.reshape(x.shape[1], -1)
