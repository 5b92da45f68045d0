"""Lesson 03: what is special about a cache is found by values alone, not by looking at memory."""

import numpy as np
import pytest

from autograder.exercises import attend_with_cache as page
from autograder.exercises.kit import rough
from illustrated_attention import properties

CHUNKS = [4, 1, 3, 1]


def qkv(n_tokens, seed):
    return tuple(rough(n_tokens, size, seed=seed + size) for size in (3, 3, 2))


def right(q_new, k_new, v_new, cache):
    """Attention with a cache, one query after the other."""
    past_k, past_v = (k_new[:0], v_new[:0]) if cache is None else cache
    k, v = np.concatenate([past_k, k_new]), np.concatenate([past_v, v_new])
    rows = []
    for i, query in enumerate(q_new):
        seen = len(past_k) + i + 1
        weights = np.exp(k[:seen] @ query / np.sqrt(len(query)))
        rows.append(weights / weights.sum() @ v[:seen])
    return np.array(rows), (k, v)


def test_the_properties_hold_for_a_right_function():
    beginning, first, second = qkv(4, 1), qkv(2, 2), qkv(3, 3)
    _out, cache = right(*beginning, None)
    assert properties.every_chunking_is_one_pass(right, *qkv(9, 4), CHUNKS, [9], [1] * 9)
    assert properties.cache_is_used(right, *first, cache)
    assert properties.continuations_stay_apart(right, beginning, first, second)
    assert properties.same_after_another_call(right, (*first, cache), (*second, cache))


@pytest.mark.parametrize("part", [0, 1])
def test_a_function_that_does_not_use_the_cached_keys_or_values_is_found(part):
    own = qkv(4, 5)

    def forgetful(q_new, k_new, v_new, cache):
        cache = list(cache)
        cache[part] = own[part + 1]  # as if computed again from the old tokens
        return right(q_new, k_new, v_new, cache)

    assert not properties.cache_is_used(forgetful, *qkv(2, 6), own[1:])


def test_a_step_that_forgets_is_found_from_the_third_chunk_on():
    def only_new(q_new, k_new, v_new, cache):
        return right(q_new, k_new, v_new, cache)[0], (k_new, v_new)

    text = qkv(9, 7)
    assert properties.every_chunking_is_one_pass(only_new, *text, [4, 5])
    assert not properties.every_chunking_is_one_pass(only_new, *text, CHUNKS)


def test_a_function_that_remembers_the_first_continuation_is_found():
    caches = {}

    def remembering(q_new, k_new, v_new, cache):
        """Keeps one growing cache for each beginning instead of returning new ones."""
        if cache is None:
            out, cache = right(q_new, k_new, v_new, None)
            caches[cache[0][0, 0]] = cache
            return out, cache
        name = cache[0][0, 0]
        out, caches[name] = right(q_new, k_new, v_new, caches[name])
        return out, caches[name]

    beginning, first, second = qkv(4, 8), qkv(2, 9), qkv(3, 10)
    assert properties.every_chunking_is_one_pass(remembering, *qkv(9, 11), CHUNKS)
    assert not properties.continuations_stay_apart(remembering, beginning, first, second)
    _out, cache = remembering(*beginning, None)
    assert not properties.same_after_another_call(remembering, (*first, cache), (*second, cache))


def test_a_reordered_past_shows_in_the_cache_and_in_no_output():
    reordered = page.attending(kept=page._past_reordered)
    text = qkv(9, 12)
    cache = fine = None
    for start, stop in ((0, 4), (4, 5), (5, 8), (8, 9)):
        chunk = [array[start:stop] for array in text]
        out, cache = reordered(*chunk, cache)
        right_out, fine = right(*chunk, fine)
        assert np.allclose(out, right_out)
    assert not np.allclose(cache[0], fine[0])


def test_new_tokens_in_front_show_only_in_chunks_of_several():
    new_first = page.with_append(page.new_first)
    text = qkv(5, 13)
    assert properties.every_chunking_is_one_pass(new_first, *text, [4, 1])
    assert not properties.every_chunking_is_one_pass(new_first, *text, [3, 2])
