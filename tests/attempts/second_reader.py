"""Wrong attempts of a second reader, who knew names and signatures only: some of each kind.

What is told of them is found on the spot; the catalogue of known mistakes has none of them.
"""
# ruff: noqa: B007, F841, RUF059

import math

import numpy as np
from attempts.kit import attempt, right

softmax = right("softmax")
masked_softmax = right("masked_softmax")
causal_mask = right("causal_mask")
scaled_scores = right("scaled_scores")
causal_attention = right("causal_attention")
cached_causal_mask = right("cached_causal_mask")
append_kv = right("append_kv")
attend_with_cache = right("attend_with_cache")
split_heads = right("split_heads")
merge_heads = right("merge_heads")
qkv_projection = right("qkv_projection")
project = right("project")
gpt2 = right("gpt2")
d, D, n_head = 6, 12, 4  # the notebook's


@attempt("embed", "refused_in_another_way")
def refused_with_assert(token_ids, wte, wpe, start=0):
    T = token_ids.shape[-1]
    assert start + T <= wpe.shape[0]
    return wte[token_ids] + wpe[start : start + T]


@attempt("make_qkv", "wrong_name")
def values_of_keys(x, w_q, w_k, w_v):
    q = x @ w_q
    k = x @ w_k
    v = k @ w_v
    return (q, k, v)


@attempt("make_qkv", "number_of_values")
def values_not_returned(x, w_q, w_k, w_v):
    q = x @ w_q
    k = x @ w_k
    v = x @ w_v
    return (q, k)


@attempt("scaled_scores", "root_of_products|root_of_scores")
def root_of_all(q, k):
    d = q.shape[-1]
    return np.sqrt(q @ np.swapaxes(k, -1, -2) / d)


@attempt("scaled_scores", "scaled_by_number_of_queries|scaled_by_first_axis")
def loop_over_queries(q, k):
    out = np.zeros((len(q), len(k)))
    for i in range(len(q)):
        for j in range(len(k)):
            out[i, j] = q[i] @ k[j] / math.sqrt(len(q))
    return out


@attempt("softmax", "divided_by_mean")
def mean_for_sum(scores):
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return e / e.mean(axis=-1, keepdims=True)


@attempt("softmax", "number_for_a_list")
def loop_over_rows(scores):
    out = []
    for row in scores:
        e = np.exp(row - max(row))
        out.append(e / sum(e))
    return np.array(out)


@attempt("weighted_sum", "do_not_broadcast")
def cell_by_cell(weights, v):
    return (weights * v).sum(axis=-1)


@attempt("weighted_sum", "axis_length")
def as_many_rows_as_values(weights, v):
    out = np.zeros_like(v)
    for i in range(weights.shape[-2]):
        for j in range(v.shape[-2]):
            out[..., i, :] += weights[..., i, j, None] * v[..., j, :]
    return out


@attempt("causal_mask", "shape_as_two_numbers")
def ones_n_n(n):
    return np.tril(np.ones(n, n))


@attempt("masked_softmax", "selected_by_a_mask")
def chosen_by_mask(scores, mask):
    return softmax(scores[mask])


@attempt("masked_softmax", "pytorch_word")
def filled(scores, mask):
    return softmax(scores.masked_fill(mask == 0, -np.inf))


@attempt("causal_attention", "wrong_order")
def mask_first(q, k, v):
    w = masked_softmax(causal_mask(q.shape[-2]), scaled_scores(q, k))
    return (w @ v, w)


@attempt("causal_attention", "notebook_name")
def notebooks_d(q, k, v):
    scores = q @ np.swapaxes(k, -1, -2) / np.sqrt(d)
    w = masked_softmax(scores, causal_mask(q.shape[-2]))
    return (w @ v, w)


@attempt("recover_divisor", "multiplied")
def multiplied_while_searching(scores, table):
    mask = causal_mask(len(scores))
    best = None
    for n in np.arange(0.1, 20, 0.1):
        if np.array_equal(np.round(masked_softmax(scores * n, mask), 2), table):
            best = n
    return best


@attempt("recover_divisor", "wrong_type")
def all_that_fit(scores, table):
    mask = causal_mask(len(scores))
    return [
        n
        for n in np.arange(0.1, 20, 0.1)
        if np.array_equal(np.round(masked_softmax(scores / n, mask), 2), table)
    ]


@attempt("find_leak", "weights_only+opposite")
def clean_is_true(attention, n, d):
    rng = np.random.default_rng(0)
    q, k, v = rng.normal(size=(3, n, d))
    out, w = attention(q, k, v)
    return np.allclose(np.triu(w, 1), 0)


@attempt("find_leak", "false_too_often")
def last_value_only(attention, n, d):
    rng = np.random.default_rng(0)
    q, k, v = rng.normal(size=(3, n, d))
    out, _ = attention(q, k, v)
    v2 = v
    v2[-1] += 1
    out2, _ = attention(q, k, v2)
    return not np.allclose(out[:-1], out2[:-1])


@attempt("find_leak", "false_too_often")
def first_row_only(attention, n, d):
    rng = np.random.default_rng(0)
    q, k, v = rng.normal(size=(3, n, d))
    out, _ = attention(q, k, v)
    v[-1] += 1
    out2, _ = attention(q, k, v)
    return not np.allclose(out[0], out2[0])


@attempt("find_leak", "truth_of_array")
def tuples_compared(attention, n, d):
    rng = np.random.default_rng(0)
    q, k, v = rng.normal(size=(3, n, d))
    a_ = attention(q, k, v)
    v[-1] += 1
    b_ = attention(q, k, v)
    return a_ != b_


@attempt("cached_causal_mask", "wrong_name")
def rows_of_the_past(n_new, n_past):
    return np.tri(n_past, n_past + n_new, n_past, dtype=bool)


@attempt("append_kv", "one_list_of_arrays")
def brackets_missing(cache, k_new, v_new):
    if cache is None:
        return (k_new, v_new)
    k, v = cache
    return (np.concatenate(k, k_new), np.concatenate(v, v_new))


@attempt("append_kv", "wrong_name")
def keys_for_values(cache, k_new, v_new):
    if cache is None:
        return (k_new, v_new)
    k, v = cache
    return (np.concatenate([k, k_new], axis=-2), np.concatenate([k, v_new], axis=-2))


@attempt("attend_with_cache", "mask_of_all_keys")
def mask_of_all_keys(q_new, k_new, v_new, cache):
    k, v = append_kv(cache, k_new, v_new)
    mask = causal_mask(k.shape[-2])
    return (masked_softmax(scaled_scores(q_new, k), mask) @ v, (k, v))


@attempt("attend_with_cache", "wrong_name")
def new_values_only(q_new, k_new, v_new, cache):
    n_past = 0
    if cache is not None:
        n_past = cache[0].shape[-2]
    k, v = append_kv(cache, k_new, v_new)
    mask = cached_causal_mask(q_new.shape[-2], n_past)
    w = masked_softmax(scaled_scores(q_new, k), mask)
    return (w @ v_new, (k, v))


@attempt("decode", "right_input_refused")
def first_axis_cut(q, k, v, chunk_sizes):
    if sum(chunk_sizes) != len(q):
        raise ValueError("sizes")
    cache, start, out = (None, 0, [])
    for n in chunk_sizes:
        o, cache = attend_with_cache(
            q[start : start + n], k[start : start + n], v[start : start + n], cache
        )
        out.append(o)
        start += n
    return np.concatenate(out, axis=-2)


@attempt("decode", "old_keys_passed_again")
def old_keys_again(q, k, v, chunk_sizes):
    if sum(chunk_sizes) != q.shape[-2]:
        raise ValueError("sizes")
    cache, start, out = (None, 0, [])
    for n in chunk_sizes:
        o, cache = attend_with_cache(
            q[..., start : start + n, :], k[..., : start + n, :], v[..., : start + n, :], cache
        )
        out.append(o)
        start += n
    return np.concatenate(out, axis=-2)


@attempt("qkv_projection", "notebook_name")
def notebooks_width(x, w, b):
    y = x @ w + b
    return (y[..., :D], y[..., D : 2 * D], y[..., 2 * D :])


@attempt("qkv_projection", "empty")
def empty_slice(x, w, b):
    y = x @ w + b
    n = x.shape[-1]
    return (y[..., :n], y[..., n:n], y[..., 2 * n :])


@attempt("split_heads", "features_interleaved+tokens_and_features_exchanged")
def features_first(x, n_head):
    if x.shape[-1] % n_head:
        raise ValueError("no")
    d = x.shape[-1] // n_head
    return np.swapaxes(x.reshape(*x.shape[:-1], d, n_head), -1, -3)


@attempt("split_heads", "fixed_axes")
def turned_round(x, n_head):
    if x.shape[-1] % n_head:
        raise ValueError("no")
    T, D = x.shape
    return x.reshape(T, n_head, D // n_head).T


@attempt("merge_heads", "thrown_away")
def swap_not_kept(x):
    np.swapaxes(x, -2, -3)
    *b, h, t, d = x.shape
    return x.reshape(*b, t, h * d)


@attempt("multi_head_attention", "order")
def weights_merged(q, k, v, n_head):
    q, k, v = (split_heads(t, n_head) for t in (q, k, v))
    out, w = causal_attention(q, k, v)
    return (out, merge_heads(w))


@attempt("multi_head_attention", "part_only")
def first_head(q, k, v, n_head):
    q, k, v = (split_heads(t, n_head) for t in (q, k, v))
    out, w = causal_attention(q, k, v)
    return (out[..., 0, :, :], w)


@attempt("multi_head_attention", "list_for_array")
def pair_merged(q, k, v, n_head):
    q, k, v = (split_heads(t, n_head) for t in (q, k, v))
    return merge_heads(causal_attention(q, k, v))


@attempt("multi_head_attention", "notebook_name")
def notebooks_heads(q, k, v, heads):
    q, k, v = (split_heads(t, n_head) for t in (q, k, v))
    out, w = causal_attention(q, k, v)
    return (merge_heads(out), w)


@attempt("head_contributions", "whole_for_every_head+factor")
def equal_shares(z, w):
    h = z.shape[-3]
    y = merge_heads(z) @ w
    return np.stack([y / h] * h, axis=-3)


@attempt("gpt2_attention", "unknown_key")
def weights_for_weight(x, params, n_head, past=None):
    q, k, v = qkv_projection(x, params["c_attn.weights"], params["c_attn.bias"])
    q, k, v = (split_heads(t, n_head) for t in (q, k, v))
    out, present = attend_with_cache(q, k, v, past)
    return (project(merge_heads(out), params["c_proj.weight"], params["c_proj.bias"]), present)


@attempt("gpt2_attention", "notebook_name")
def notebooks_heads_again(x, params, heads, past=None):
    q, k, v = qkv_projection(x, params["c_attn.weight"], params["c_attn.bias"])
    q, k, v = (split_heads(t, n_head) for t in (q, k, v))
    out, present = attend_with_cache(q, k, v, past)
    return (project(merge_heads(out), params["c_proj.weight"], params["c_proj.bias"]), present)


@attempt("layer_norm", "wrong_brackets")
def brackets_around_x(x, g, b, eps=1e-05):
    return g * x - x.mean(-1, keepdims=True) / np.sqrt(x.var(-1, keepdims=True) + eps) + b


@attempt("gelu", "xor_for_power")
def power_of_c(x):
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x ^ 3)))


@attempt("gelu", "wrong_operator")
def plus_for_times(x):
    return 0.5 * x + (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


@attempt("generate", "list_ends_wrong")
def stops_at_n_new(token_ids, params, n_head, n_new):
    ids = list(token_ids)
    while len(ids) < n_new:
        logits, _p = gpt2(np.array(ids), params, n_head)
        ids.append(int(logits[-1].argmax()))
    return ids


@attempt("generate", "different_each_time")
def drawn_at_random(token_ids, params, n_head, n_new):
    rng = np.random.default_rng()
    ids = list(token_ids)
    for i in range(n_new):
        logits, _p = gpt2(np.array(ids), params, n_head)
        p = softmax(logits[-1])
        ids.append(int(rng.choice(len(p), p=p)))
    return ids


@attempt("count_parameters", "off_by_a_product")
def one_d_squared_for_four(n_layer, d_model, n_vocab, n_positions):
    D = d_model
    return (
        n_vocab * D
        + n_positions * D
        + n_layer * (3 * D * D + 3 * D + D * D + D + 4 * D * D + 4 * D + D * D + D + 4 * D)
        + 2 * D
    )
