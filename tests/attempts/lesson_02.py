"""Wrong attempts at lesson 02, written without a look at known ones."""

import numpy as np
from attempts.kit import attempt, right

softmax = right("softmax")
flip = lambda a: np.swapaxes(a, -1, -2)  # noqa: E731


@attempt("next_token_pairs", "target_is_last_seen")
def same_token(token_ids):
    return [(token_ids[:i], token_ids[i - 1]) for i in range(1, len(token_ids))]


@attempt("next_token_pairs", "pairs_of_neighbours")
def one_before_only(token_ids):
    return [(token_ids[i], token_ids[i + 1]) for i in range(len(token_ids) - 1)]


@attempt("next_token_pairs", "empty_context")
def empty_context_too(token_ids):
    return [(token_ids[:i], token_ids[i]) for i in range(len(token_ids))]


@attempt("next_token_pairs", "rest_as_target")
def rest_as_target(token_ids):
    return [(token_ids[:i], token_ids[i:]) for i in range(1, len(token_ids))]


@attempt("next_token_pairs", "target_first")
def target_first(token_ids):
    return [(token_ids[i], token_ids[:i]) for i in range(1, len(token_ids))]


@attempt("next_token_pairs", "longest_context_each_time")
def grown_list(token_ids):
    context, pairs = [], []
    for i in range(len(token_ids) - 1):
        context.append(token_ids[i])
        pairs.append((context, token_ids[i + 1]))
    return pairs


@attempt("causal_mask", "upper_triangle")
def upper(n):
    return np.triu(np.ones((n, n), dtype=bool))


@attempt("causal_mask", "diagonal_missing")
def strictly_lower(n):
    return np.tril(np.ones((n, n), dtype=bool), -1)


@attempt("causal_mask", "shape_as_two_numbers")
def two_numbers(n):
    return np.tril(np.ones(n, n))


@attempt("causal_mask", "always_four")
def for_four(n):
    return np.tri(4, dtype=bool)


@attempt("causal_mask", "inverted")
def less_than(n):
    return np.arange(n)[:, None] < np.arange(n)


@attempt("masked_softmax", "score_zero")
def zeros_for_hidden(scores, mask):
    return softmax(scores * mask)


@attempt("masked_softmax", "hidden_after_softmax")
def after_softmax(scores, mask):
    return softmax(scores) * mask


@attempt("masked_softmax", "mask_inverted")
def other_way_round(scores, mask):
    return softmax(np.where(mask, -np.inf, scores))


@attempt("masked_softmax", "own_triangle")
def own_triangle(scores, mask):
    own = np.tri(scores.shape[-1], dtype=bool)
    return softmax(np.where(own, scores, -np.inf))


@attempt("masked_softmax", "not_low_enough")
def minus_hundred(scores, mask):
    return softmax(np.where(mask, scores, -100.0))


@attempt("masked_softmax", "scores_changed")
def written_into(scores, mask):
    scores[~mask] = -np.inf
    return softmax(scores)


@attempt("masked_softmax", "pytorch_word")
def filled(scores, mask):
    return softmax(scores.masked_fill(~mask, float("-inf")))


@attempt("masked_softmax", "selected_by_a_mask")
def only_visible(scores, mask):
    return softmax(scores[mask])


@attempt("masked_softmax", "whole_numbers")
def filled_in_later(scores, mask):
    weights = np.zeros_like(scores)
    weights[...] = softmax(np.where(mask, scores, -np.inf))
    return weights


@attempt("causal_attention", "not_scaled")
def unscaled(q, k, v):
    scores = q @ flip(k)
    weights = softmax(np.where(np.tri(q.shape[-2], dtype=bool), scores, -np.inf))
    return weights @ v, weights


@attempt("causal_attention", "mask_of_first_axis")
def triangle_of_len(q, k, v):
    scores = q @ flip(k) / np.sqrt(q.shape[-1])
    weights = softmax(np.where(np.tri(len(q), dtype=bool), scores, -np.inf))
    return weights @ v, weights


@attempt("causal_attention", "mask_of_vector_size")
def wide_triangle(q, k, v):
    scores = q @ flip(k) / np.sqrt(q.shape[-1])
    weights = softmax(np.where(np.tri(q.shape[-1], dtype=bool), scores, -np.inf))
    return weights @ v, weights


@attempt("causal_attention", "score_zero")
def triangle_times_scores(q, k, v):
    weights = softmax(np.tril(q @ flip(k) / np.sqrt(q.shape[-1])))
    return weights @ v, weights


@attempt("causal_attention", "not_scaled+no_mask")
def unmasked_and_unscaled(q, k, v):
    weights = softmax(q @ flip(k))
    return weights @ v, weights


@attempt("find_leak", "always_true")
def changes_the_first(attention, n, d):
    rng = np.random.default_rng(0)
    q, k, v = rng.normal(size=(3, n, d))
    before = attention(q, k, v)[0]
    k[0] += 1
    v[0] += 1
    return not np.allclose(before, attention(q, k, v)[0])


@attempt("find_leak", "always_true")
def compares_all_rows(attention, n, d):
    rng = np.random.default_rng(0)
    q, k, v = rng.normal(size=(3, n, d))
    before = attention(q, k, v)[0]
    q2, k2, v2 = q.copy(), k.copy(), v.copy()
    for a in (q2, k2, v2):
        a[-1] += 1
    return not np.allclose(before, attention(q2, k2, v2)[0])


@attempt("find_leak", "only_the_last_token+opposite")
def tells_the_opposite(attention, n, d):
    rng = np.random.default_rng(0)
    q, k, v = rng.normal(size=(3, n, d))
    before = attention(q, k, v)[0][:-1]
    q, k, v = q.copy(), k.copy(), v.copy()
    for a in (q, k, v):
        a[-1] += 1
    return np.allclose(before, attention(q, k, v)[0][:-1])


@attempt("recover_divisor", "always_4")
def always_four(scores, table):
    return 4.0


@attempt("masked_softmax", "step_too_many")
def mask_times_scores(scores, mask):
    return softmax(scores + np.where(mask, 0, -np.inf) @ scores)
