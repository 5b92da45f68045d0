"""Lesson 04: what attention itself would never show is found all the same, and named."""

import numpy as np
import pytest

from autograder import judge
from autograder.exercises.kit import rough
from autograder.exercises.reference import reference
from illustrated_attention.gpt2_files import load_pocket, robot_sentence

X = rough(5, 18, seed=1)


def reshaped_split(x, n_head):
    """A reshape alone."""
    if x.shape[-1] % n_head:
        raise ValueError("the features cannot be shared out evenly")
    return x.reshape(*x.shape[:-2], n_head, x.shape[-2], x.shape[-1] // n_head)


def reshaped_merge(x):
    """A reshape alone."""
    return x.reshape(*x.shape[:-3], x.shape[-2], x.shape[-3] * x.shape[-1])


def reshaped_attention(q, k, v, n_head):
    z, weights = reference("causal_attention")(*(reshaped_split(a, n_head) for a in (q, k, v)))
    return reshaped_merge(z), weights


def test_split_and_merge_that_only_reshape_undo_each_other():
    np.testing.assert_array_equal(reshaped_merge(reshaped_split(X, 3)), X)


def test_each_of_them_is_named_and_both_together_too():
    assert judge(reshaped_split, "split_heads").mistake == "reshaped_only"
    assert judge(reshaped_merge, "merge_heads").mistake == "reshaped_only"
    assert judge(reshaped_attention, "multi_head_attention").mistake == "both_reshaped_only"


def test_simply_reshaping_is_right_for_one_token_and_for_no_more():
    split = reference("split_heads")
    np.testing.assert_array_equal(reshaped_split(X[:1], 3), split(X[:1], 3))
    for n_tokens in (2, 3, 4, 5):
        assert not np.array_equal(reshaped_split(X[:n_tokens], 3), split(X[:n_tokens], 3))


def without_bias(*parts):
    """A projection without the bias of some of its parts: 0 queries, 1 keys, 2 values."""

    def qkv_projection(x, w, b):
        b = b.copy()
        for part in parts:
            b[part * w.shape[0] : (part + 1) * w.shape[0]] = 0
        return reference("qkv_projection")(x, w, b)

    return qkv_projection


def test_a_missing_key_bias_changes_no_result_and_is_named():
    w, b = rough(18, 54, seed=2) / 4, rough(54, seed=3)
    attention = reference("multi_head_attention")
    right = attention(*reference("qkv_projection")(X, w, b), 3)
    keyless = attention(*without_bias(1)(X, w, b), 3)
    for array, other in zip(right, keyless, strict=True):
        np.testing.assert_allclose(array, other, atol=1e-12)
    assert judge(without_bias(1), "qkv_projection").mistake == "no_key_bias"


@pytest.mark.parametrize("part", [0, 2])
def test_the_other_biases_do_change_the_result(part):
    w, b = rough(18, 54, seed=2) / 4, rough(54, seed=3)
    attention = reference("multi_head_attention")
    right, _weights = attention(*reference("qkv_projection")(X, w, b), 3)
    without, _weights = attention(*without_bias(part)(X, w, b), 3)
    assert np.abs(right - without).max() > 0.01


def test_the_learners_functions_give_the_weights_that_the_pocket_model_recorded():
    pocket, sentence = load_pocket(), robot_sentence()
    layer = f"h.{sentence.layer}.attn.c_attn"
    w, b = pocket.params[f"{layer}.weight"], pocket.params[f"{layer}.bias"]
    q, k, v = reference("qkv_projection")(sentence.normed, w, b)
    n_head = pocket.config["n_head"]
    merged, weights = reference("multi_head_attention")(q, k, v, n_head)
    np.testing.assert_allclose(weights, sentence.all_weights[sentence.layer], atol=1e-4)
    split = reference("split_heads")
    np.testing.assert_allclose(split(q, n_head)[sentence.head], sentence.q, atol=1e-4)
    z = sentence.weights @ sentence.v
    np.testing.assert_allclose(split(merged, n_head)[sentence.head], z, atol=1e-4)


def test_it_looks_at_the_robot_in_the_lessons_figure():
    sentence = robot_sentence()
    row = sentence.all_weights[sentence.layer, sentence.head, 8]
    assert sentence.tokens[8] == "it"
    assert sentence.tokens[row.argmax()] == "robot"
