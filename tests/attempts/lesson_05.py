"""Wrong attempts at lesson 05, written without a look at known ones."""

import numpy as np
from attempts.kit import attempt, right

attend_with_cache, qkv_projection = right("attend_with_cache"), right("qkv_projection")
split_heads, merge_heads, project = right("split_heads"), right("merge_heads"), right("project")


@attempt("project", "weights_transposed")
def turned(merged, w, b):
    return merged @ w.T + b


@attempt("project", "no_bias")
def without_bias(merged, w, b):
    return merged @ w


@attempt("project", "bias_before_the_product")
def bias_inside(merged, w, b):
    return (merged + b) @ w


@attempt("project", "sides_swapped")
def weights_first(merged, w, b):
    return w @ merged + b


@attempt("project", "residual_added")
def residual_added(merged, w, b):
    return merged + merged @ w + b


@attempt("head_contributions", "does_not_fit")
def whole_matrix(z, w):
    return z @ w


@attempt("head_contributions", "first_rows_for_all")
def same_block(z, w):
    return z @ w[: z.shape[-1]]


@attempt("head_contributions", "summed")
def merged_at_once(z, w):
    return merge_heads(z) @ w


@attempt("head_contributions", "first_axis_taken_for_heads")
def loop_over_first(z, w):
    d = z.shape[-1]
    return np.stack([z[h] @ w[h * d : (h + 1) * d] for h in range(len(z))])


@attempt("head_contributions", "whole_for_every_head+factor")
def shared_equally(z, w):
    y = merge_heads(z) @ w
    return np.stack([y / z.shape[-3]] * z.shape[-3], axis=-3)


def steps(x, params, n_head):
    parts = qkv_projection(x, params["c_attn.weight"], params["c_attn.bias"])
    return (split_heads(part, n_head) for part in parts)


@attempt("gpt2_attention", "past_not_used")
def past_not_handed_on(x, params, n_head, past=None):
    out, present = attend_with_cache(*steps(x, params, n_head), None)
    out = project(merge_heads(out), params["c_proj.weight"], params["c_proj.bias"])
    return out, present


@attempt("gpt2_attention", "not_projected")
def not_projected(x, params, n_head, past=None):
    out, present = attend_with_cache(*steps(x, params, n_head), past)
    return merge_heads(out), present


@attempt("gpt2_attention", "not_merged")
def heads_not_merged(x, params, n_head, past=None):
    out, present = attend_with_cache(*steps(x, params, n_head), past)
    return project(out, params["c_proj.weight"], params["c_proj.bias"]), present


@attempt("gpt2_attention", "result_not_taken_apart")
def tuple_split(x, params, n_head, past=None):
    qkv = qkv_projection(x, params["c_attn.weight"], params["c_attn.bias"])
    out, present = attend_with_cache(*split_heads(qkv, n_head), past)
    return project(merge_heads(out), params["c_proj.weight"], params["c_proj.bias"]), present


@attempt("gpt2_attention", "qkv_order")
def values_and_keys(x, params, n_head, past=None):
    q, k, v = steps(x, params, n_head)
    out, present = attend_with_cache(q, v, k, past)
    return project(merge_heads(out), params["c_proj.weight"], params["c_proj.bias"]), present


@attempt("gpt2_attention", "past_returned")
def old_past_returned(x, params, n_head, past=None):
    out, _ = attend_with_cache(*steps(x, params, n_head), past)
    return project(merge_heads(out), params["c_proj.weight"], params["c_proj.bias"]), past


@attempt("head_contributions", "whole_numbers")
def filled_with_the_type_of_z(z, w):
    written = right("head_contributions")(z, w)
    result = np.empty(written.shape, dtype=z.dtype)
    result[...] = written
    return result


@attempt("gpt2_attention", "not_defined")
def with_a_function_of_lesson_02(x, params, n_head, past=None):
    q, k, v = qkv_projection(x, params["c_attn.weight"], params["c_attn.bias"])
    out, _ = causal_attention(*(split_heads(part, n_head) for part in (q, k, v)))  # noqa: F821
    return project(merge_heads(out), params["c_proj.weight"], params["c_proj.bias"]), (k, v)
