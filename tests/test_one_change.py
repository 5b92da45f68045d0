"""check finds the place where one change makes all right, and does not say what to write there."""

import numpy as np
import pytest

from autograder.exercises.reference import reference
from illustrated_attention.answer_keys import find_key
from illustrated_attention.causes.evidence import Evidence
from illustrated_attention.causes.one_change import cause_in_one_change
from illustrated_attention.examine import examine, observe
from illustrated_attention.outcomes import Outcome

masked_softmax, causal_mask = reference("masked_softmax"), reference("causal_mask")
append_kv, cached_causal_mask = reference("append_kv"), reference("cached_causal_mask")
attend_with_cache = reference("attend_with_cache")


def keys_for_values(cache, k_new, v_new):
    if cache is None:
        return k_new, v_new
    k, v = cache
    assert len(v)
    return np.concatenate([k, k_new], axis=-2), np.concatenate([k, v_new], axis=-2)


def brackets_missing(x, g, b, eps=1e-5):
    mean, variance = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    return g * x - mean / np.sqrt(variance + eps) + b


def plus_for_times(x):
    return 0.5 * x + (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def small_weights_dropped(weights, v):
    return np.where(weights < 0.15, 0, weights) @ v


def special_case(token_ids, wte, wpe, start=0):
    n_tokens = np.shape(token_ids)[-1]
    if start + n_tokens > len(wpe):
        raise ValueError("too long")
    if start == 2:
        start = 1
    return wte[token_ids] + wpe[start : start + n_tokens]


def sides_exchanged(q, k, v):
    scores = q @ np.swapaxes(k, -1, -2) / np.sqrt(q.shape[-1])
    weights = masked_softmax(causal_mask(q.shape[-2]), scores)
    return weights @ v, weights


def bracket_closes_too_late(x):
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi * (x + 0.044715 * x**3))))


def bracket_closes_too_early(n_layer, d_model, n_vocab, n_positions):
    D = d_model
    attention, mlp = 4 * D * D + 4 * D, 8 * D * D + 5 * D
    return (n_vocab + n_positions) * D + n_layer * (attention + mlp) + 4 * D + 2 * D


def bracket_missing_in_a_long_sum(n_layer, d_model, n_vocab, n_positions):
    D = d_model
    attention = D * 3 * D + 3 * D + D * D + D
    mlp = D * 4 * D + 4 * D + 4 * D * D + D
    return (n_vocab + n_positions) * D + n_layer * attention + mlp + 4 * D + 2 * D


def taken_apart_the_wrong_way(q_new, k_new, v_new, cache):
    v, k = append_kv(cache, k_new, v_new)
    mask = cached_causal_mask(q_new.shape[-2], k.shape[-2] - q_new.shape[-2])
    scores = q_new @ np.swapaxes(k, -1, -2) / q_new.shape[-1] ** 0.5
    return masked_softmax(scores, mask) @ v, (k, v)


def cache_given_last(q_new, k_new, v_new, cache):
    k, v = append_kv(k_new, v_new, cache)
    mask = cached_causal_mask(q_new.shape[-2], k.shape[-2] - q_new.shape[-2])
    scores = q_new @ np.swapaxes(k, -1, -2) / q_new.shape[-1] ** 0.5
    return masked_softmax(scores, mask) @ v, (k, v)


def next_start_too_late(q, k, v, chunk_sizes):
    if sum(chunk_sizes) != q.shape[-2]:
        raise ValueError("the sizes do not add up")
    cache, outs, start = None, [], 0
    for size in chunk_sizes:
        end = start + size
        chunk = (array[..., start:end, :] for array in (q, k, v))
        out, cache = attend_with_cache(*chunk, cache)
        outs.append(out)
        start = end + 1
    return np.concatenate(outs, axis=-2)


def mask_for_four(scores, table):
    mask = causal_mask(4)
    for divisor in np.arange(1, 20, 0.01):
        if np.array_equal(np.round(masked_softmax(scores / divisor, mask), 2), table):
            return float(divisor)


FOUND = [
    (bracket_closes_too_late, "gelu", "wrong_brackets", "where do the brackets belong"),
    (bracket_closes_too_early, "count_parameters", "wrong_brackets", "n_layer * (attention + mlp)"),
    (bracket_missing_in_a_long_sum, "count_parameters", "wrong_brackets", "n_layer * attention"),
    (taken_apart_the_wrong_way, "attend_with_cache", "wrong_order", "`(v, k)`"),
    (cache_given_last, "attend_with_cache", "wrong_order", "append_kv(k_new, v_new, cache)"),
    (next_start_too_late, "decode", "step_too_many", "`start = end + 1`"),
    (mask_for_four, "recover_divisor", "wrong_name", "Look at `mask` in your line"),
    (keys_for_values, "append_kv", "wrong_name", "`k`"),
    (brackets_missing, "layer_norm", "wrong_brackets", "where do the brackets belong"),
    (plus_for_times, "gelu", "wrong_operator", "`+`"),
    (small_weights_dropped, "weighted_sum", "step_too_many", "is this step needed"),
    (special_case, "embed", "wrong_condition|wrong_number", "`if start == 2:`"),
    (sides_exchanged, "causal_attention", "wrong_order", "what comes first"),
]


@pytest.mark.parametrize(("function", "exercise", "id", "words"), FOUND)
def test_the_place_is_told_with_the_learners_line(function, exercise, id, words):
    verdict = examine(function, find_key(exercise))
    assert verdict.mistake == id
    assert words in verdict.message
    assert "every case comes out right" in verdict.message


def evidence_of(function, exercise):
    key = find_key(exercise)
    return Evidence(function, key, *observe(function, key))


def bias_subtracted(merged, w, b):
    return merged @ w - b


def that_opens_a_file(merged, w, b):
    if b is None:
        open("weights.txt").close()
    return merged @ w - b


def that_loops_until(merged, w, b):
    while b is None:
        pass
    return merged @ w - b


def test_what_reaches_outside_or_might_not_end_is_not_called_with_changes():
    assert cause_in_one_change(evidence_of(bias_subtracted, "project")).id == "wrong_operator"
    assert cause_in_one_change(evidence_of(that_opens_a_file, "project")) is None
    assert cause_in_one_change(evidence_of(that_loops_until, "project")) is None


def test_a_changed_function_that_does_not_end_ends_the_search(monkeypatch):
    seconds = []

    def timed_out(function, case, limit):
        seconds.append(limit)
        return Outcome(timed_out=True)

    evidence = evidence_of(bias_subtracted, "project")
    monkeypatch.setattr("illustrated_attention.causes.one_change.call", timed_out)
    assert cause_in_one_change(evidence) is None
    [limit] = seconds
    assert limit < 1


def test_a_slow_function_is_not_called_a_hundred_times(monkeypatch):
    evidence = evidence_of(bias_subtracted, "project")
    monkeypatch.setattr("illustrated_attention.causes.one_change.SECONDS_IN_ALL", -1.0)
    assert cause_in_one_change(evidence) is None


def test_the_learners_function_stays_what_it_is():
    code, before = plus_for_times.__code__, plus_for_times(np.array([1.0, -2.0]))
    examine(plus_for_times, find_key("gelu"))
    assert plus_for_times.__code__ is code
    np.testing.assert_array_equal(plus_for_times(np.array([1.0, -2.0])), before)


def test_names_of_the_notebook_and_of_an_outer_function_are_there():
    shift = 1.0

    def project(merged, w, b):
        return merged @ w + b * b * shift

    assert examine(project, find_key("project")).mistake == "step_too_many"
