"""Wrong attempts at lesson 03, written without a look at known ones."""

import numpy as np
from attempts.kit import attempt, right

softmax, cached_causal_mask = right("softmax"), right("cached_causal_mask")
attend_with_cache, append_kv = right("attend_with_cache"), right("append_kv")
masked_softmax, scaled_scores = right("masked_softmax"), right("scaled_scores")
flip = lambda a: np.swapaxes(a, -1, -2)  # noqa: E731


def attend(q, k, v, mask):
    return softmax(np.where(mask, q @ flip(k) / np.sqrt(q.shape[-1]), -np.inf)) @ v


def cut(part, *arrays):
    return [array[..., part, :] for array in arrays]


def join(a, b):
    return np.concatenate([a, b], axis=-2)


@attempt("append_kv", "axis_0")
def along_the_first_axis(cache, k_new, v_new):
    if cache is None:
        return k_new, v_new
    return np.concatenate([cache[0], k_new]), np.concatenate([cache[1], v_new])


@attempt("append_kv", "new_first")
def new_ones_first(cache, k_new, v_new):
    if cache is None:
        return k_new, v_new
    return join(k_new, cache[0]), join(v_new, cache[1])


@attempt("append_kv", "none_not_handled")
def no_test_for_none(cache, k_new, v_new):
    k, v = cache
    return join(k, k_new), join(v, v_new)


@attempt("append_kv", "wrong_number")
def old_keys_before_the_values(cache, k_new, v_new):
    if cache is None:
        return k_new, v_new
    return join(cache[0], k_new), join(cache[0], v_new)


@attempt("append_kv", "one_list_of_arrays")
def two_arrays_to_concatenate(cache, k_new, v_new):
    if cache is None:
        return k_new, v_new
    return np.concatenate(cache[0], k_new, axis=-2), np.concatenate(cache[1], v_new, axis=-2)


@attempt("append_kv", "list_append")
def list_append(cache, k_new, v_new):
    if cache is None:
        return k_new, v_new
    return cache[0].append(k_new), cache[1].append(v_new)


@attempt("append_kv", "flat")
def flat_append(cache, k_new, v_new):
    if cache is None:
        return k_new, v_new
    return np.append(cache[0], k_new), np.append(cache[1], v_new)


@attempt("append_kv", "axis_0")
def stacked(cache, k_new, v_new):
    if cache is None:
        return k_new, v_new
    return np.vstack([cache[0], k_new]), np.vstack([cache[1], v_new])


@attempt("cached_causal_mask", "new_tokens_only")
def square_only(n_new, n_past):
    return np.tri(n_new, dtype=bool)


@attempt("cached_causal_mask", "top_left")
def left_aligned(n_new, n_past):
    return np.tri(n_new, n_past + n_new, dtype=bool)


@attempt("cached_causal_mask", "arguments_exchanged")
def exchanged_arguments(n_new, n_past):
    return np.tri(n_past, n_new + n_past, n_new, dtype=bool)


@attempt("cached_causal_mask", "rows_for_old_tokens")
def whole_triangle(n_new, n_past):
    return np.tri(n_new + n_past, dtype=bool)


@attempt("cached_causal_mask", "one_too_many")
def past_shifted(n_new, n_past):
    return np.tri(n_new, n_past + n_new, n_past + 1, dtype=bool)


@attempt("attend_with_cache", "past_not_seen")
def forgets_the_past(q_new, k_new, v_new, cache):
    n = q_new.shape[-2]
    return attend(q_new, k_new, v_new, np.tri(n, dtype=bool)), (k_new, v_new)


@attempt("attend_with_cache", "not_updated")
def old_cache_returned(q_new, k_new, v_new, cache):
    k, v = (k_new, v_new) if cache is None else (join(cache[0], k_new), join(cache[1], v_new))
    n = q_new.shape[-2]
    return attend(q_new, k, v, cached_causal_mask(n, k.shape[-2] - n)), cache


@attempt("attend_with_cache", "mask_of_all_keys")
def mask_of_all_keys(q_new, k_new, v_new, cache):
    k, v = (k_new, v_new) if cache is None else (join(cache[0], k_new), join(cache[1], v_new))
    return attend(q_new, k, v, np.tri(k.shape[-2], dtype=bool)), (k, v)


@attempt("attend_with_cache", "with_argument")
def old_and_new_apart(q_new, k_new, v_new, cache):
    n = q_new.shape[-2]
    if cache is None:
        return attend(q_new, k_new, v_new, np.tri(n, dtype=bool)), (k_new, v_new)
    old = attend(q_new, *cache, np.ones((n, cache[0].shape[-2]), dtype=bool))
    new = attend(q_new, k_new, v_new, np.tri(n, dtype=bool))
    return (old + new) / 2, (join(cache[0], k_new), join(cache[1], v_new))


@attempt("attend_with_cache", "past_counted_twice")
def past_counted_wrong(q_new, k_new, v_new, cache):
    k, v = (k_new, v_new) if cache is None else (join(cache[0], k_new), join(cache[1], v_new))
    return attend(q_new, k, v, cached_causal_mask(q_new.shape[-2], k.shape[-2])), (k, v)


@attempt("attend_with_cache", "cache_not_returned")
def only_the_output(q_new, k_new, v_new, cache):
    k, v = (k_new, v_new) if cache is None else (join(cache[0], k_new), join(cache[1], v_new))
    n = q_new.shape[-2]
    return attend(q_new, k, v, cached_causal_mask(n, k.shape[-2] - n))


@attempt("decode", "last_chunk_only")
def last_chunk_only(q, k, v, chunk_sizes):
    if sum(chunk_sizes) != q.shape[-2]:
        raise ValueError("sizes")
    cache, start = None, 0
    for size in chunk_sizes:
        part = slice(start, start + size)
        out, cache = attend_with_cache(*cut(part, q, k, v), cache)
        start += size
    return out


@attempt("decode", "start_stands_still")
def start_never_moves(q, k, v, chunk_sizes):
    if sum(chunk_sizes) != q.shape[-2]:
        raise ValueError("sizes")
    cache, outs = None, []
    for size in chunk_sizes:
        part = slice(0, size)
        out, cache = attend_with_cache(*cut(part, q, k, v), cache)
        outs.append(out)
    return np.concatenate(outs, axis=-2)


@attempt("decode", "cache_not_passed")
def cache_not_kept(q, k, v, chunk_sizes):
    if sum(chunk_sizes) != q.shape[-2]:
        raise ValueError("sizes")
    start, outs = 0, []
    for size in chunk_sizes:
        part = slice(start, start + size)
        out, _ = attend_with_cache(*cut(part, q, k, v), None)
        outs.append(out)
        start += size
    return np.concatenate(outs, axis=-2)


@attempt("decode", "list_of_chunks")
def list_of_chunks(q, k, v, chunk_sizes):
    if sum(chunk_sizes) != q.shape[-2]:
        raise ValueError("sizes")
    cache, start, outs = None, 0, []
    for size in chunk_sizes:
        part = slice(start, start + size)
        out, cache = attend_with_cache(*cut(part, q, k, v), cache)
        outs.append(out)
        start += size
    return outs


@attempt("projection_counts", "not_halved")
def products(n_tokens):
    return n_tokens * (n_tokens + 1), n_tokens


@attempt("projection_counts", None)
def factorial(n_tokens):
    return int(np.prod(np.arange(1, n_tokens + 1))), n_tokens


@attempt("projection_counts", "square+factor")
def cubes(n_tokens):
    return n_tokens**3, n_tokens


@attempt("kv_cache_bytes", "one_array")
def keys_only(n_layer, n_head, d_head, n_tokens, batch=1, itemsize=4):
    return n_layer * n_head * d_head * n_tokens * batch * itemsize


@attempt("kv_cache_bytes", "queries_too")
def three_arrays(n_layer, n_head, d_head, n_tokens, batch=1, itemsize=4):
    return 3 * n_layer * n_head * d_head * n_tokens * batch * itemsize


@attempt("kv_cache_bytes", "itemsize_ignored")
def always_four_bytes(n_layer, n_head, d_head, n_tokens, batch=1, itemsize=4):
    return 2 * n_layer * n_head * d_head * n_tokens * batch * 4


@attempt("kv_cache_bytes", "mebibytes")
def kilobytes(n_layer, n_head, d_head, n_tokens, batch=1, itemsize=4):
    return 2 * n_layer * n_head * d_head * n_tokens * batch * itemsize / 1024


@attempt("attend_with_cache", "weights_alone")
def without_values(q_new, k_new, v_new, cache):
    k, v = append_kv(cache, k_new, v_new)
    mask = cached_causal_mask(q_new.shape[-2], k.shape[-2] - q_new.shape[-2])
    return masked_softmax(scaled_scores(q_new, k), mask), (k, v)
