"""Lesson 05: heads write side by side into one result, and attention is complete with its cache."""

import numpy as np
import pytest

from autograder import judge
from autograder.exercises.kit import rough
from autograder.exercises.reference import reference
from illustrated_attention.gpt2_files import load_pocket, robot_sentence

N_HEAD = 3
X = rough(5, 18, seed=1)
W, B = rough(18, 18, seed=2), rough(18, seed=3)
Z = rough(N_HEAD, 5, 6, seed=4)
PARAMS = {
    "c_attn.weight": rough(18, 54, seed=5) / 4,
    "c_attn.bias": rough(54, seed=6),
    "c_proj.weight": W / 4,
    "c_proj.bias": B,
}


# --- contributions ----------------------------------------------------------------------------


def test_contributions_and_one_bias_add_up_to_the_projection():
    whole = reference("project")(reference("merge_heads")(Z), W, B)
    parts = reference("head_contributions")(Z, W)
    np.testing.assert_allclose(parts.sum(axis=0) + B, whole)


def test_with_a_bias_in_each_contribution_the_sum_is_off_by_one_less_than_the_heads():
    whole = reference("project")(reference("merge_heads")(Z), W, B)
    parts = reference("head_contributions")(Z, W) + B
    np.testing.assert_allclose(parts.sum(axis=0) - whole, np.tile((N_HEAD - 1) * B, (5, 1)))


def test_the_result_is_never_longer_than_the_lengths_added_up():
    whole = reference("project")(reference("merge_heads")(Z), W, B)
    parts = reference("head_contributions")(Z, W)
    lengths = np.linalg.norm(parts, axis=-1).sum(axis=0) + np.linalg.norm(B)
    assert (np.linalg.norm(whole, axis=-1) <= lengths).all()


# --- attention --------------------------------------------------------------------------------


@pytest.mark.parametrize("sizes", [[5], [4, 1], [1, 4], [2, 1, 2], [1, 1, 1, 1, 1]])
def test_every_cut_of_the_text_gives_one_pass(sizes):
    attention = reference("gpt2_attention")
    whole, present = attention(X, PARAMS, N_HEAD)
    past, outs = None, []
    for piece in np.split(X, np.cumsum(sizes)[:-1]):
        out, past = attention(piece, PARAMS, N_HEAD, past)
        outs.append(out)
    np.testing.assert_allclose(np.concatenate(outs), whole, atol=1e-12)
    for part, other in zip(past, present, strict=True):
        np.testing.assert_allclose(part, other, atol=1e-12)


def test_changing_a_token_leaves_the_results_before_it_exactly_as_they_are():
    attention = reference("gpt2_attention")
    out, _present = attention(X, PARAMS, N_HEAD)
    for token in range(1, 5):
        changed = X.copy()
        changed[token] += 1
        other, _present = attention(changed, PARAMS, N_HEAD)
        np.testing.assert_array_equal(other[:token], out[:token])
        assert not np.allclose(other[token:], out[token:])


def only_new_tokens_kept(x, params, n_head, past=None):
    """The convention of OpenAI's code."""
    out, (k, v) = reference("gpt2_attention")(x, params, n_head, past)
    return out, (k[..., -x.shape[-2] :, :], v[..., -x.shape[-2] :, :])


def bare_keys_and_values_kept(x, params, n_head, past=None):
    """Right in the call itself, but keys and values are kept without their bias."""
    out, (k, v) = reference("gpt2_attention")(x, params, n_head, past)
    split = reference("split_heads")
    bare = [split(part, n_head) for part in np.split(x @ params["c_attn.weight"], 3, axis=-1)[1:]]
    n_new = x.shape[-2]
    return out, tuple(
        np.concatenate([part[..., :-n_new, :], new], axis=-2)
        for part, new in zip((k, v), bare, strict=True)
    )


@pytest.mark.parametrize(
    ("attention", "mistake", "first_wrong"),
    [
        (only_new_tokens_kept, "present_of_new_tokens", 2),
        (bare_keys_and_values_kept, "cached_before_the_bias", 1),
    ],
)
def test_what_is_kept_wrongly_shows_in_later_calls_only_and_is_named(
    attention, mistake, first_wrong
):
    whole, _present = reference("gpt2_attention")(X, PARAMS, N_HEAD)
    past, right = None, []
    for piece in (slice(0, 2), slice(2, 4), slice(4, 5)):
        out, past = attention(X[piece], PARAMS, N_HEAD, past)
        right.append(np.allclose(out, whole[piece]))
    assert right.index(False) == first_wrong
    assert judge(attention, "gpt2_attention").mistake == mistake


def test_an_attention_of_the_smallest_gpt2_has_2_362_368_parameters():
    width = 768
    one_layer = width * 3 * width + 3 * width + width * width + width
    assert one_layer == 2_362_368
    assert 12 * one_layer == 28_348_416 < 124_439_808 / 4


# --- the pocket model -------------------------------------------------------------------------


@pytest.fixture
def pocket():
    model, sentence = load_pocket(), robot_sentence()
    start = f"h.{sentence.layer}.attn."
    params = {
        name.removeprefix(start): array
        for name, array in model.params.items()
        if name.startswith(start)
    }
    return sentence, params, model.config["n_head"]


def test_switching_the_pronoun_head_off_takes_away_what_it_wrote(pocket):
    sentence, params, n_head = pocket
    q, k, v = reference("qkv_projection")(
        sentence.normed, params["c_attn.weight"], params["c_attn.bias"]
    )
    split, merge, project = map(reference, ("split_heads", "merge_heads", "project"))
    q, k, v = (split(part, n_head) for part in (q, k, v))
    z, _cache = reference("attend_with_cache")(q, k, v, None)
    w, b = params["c_proj.weight"], params["c_proj.bias"]
    np.testing.assert_allclose(z[sentence.head], sentence.weights @ sentence.v, atol=1e-4)
    written = reference("head_contributions")(z, w)
    out, _present = reference("gpt2_attention")(sentence.normed, params, n_head)
    np.testing.assert_allclose(written.sum(axis=0) + b, out, atol=1e-4)
    z[sentence.head] = 0
    off = project(merge(z), w, b)
    np.testing.assert_allclose(off, out - written[sentence.head], atol=1e-4)


def test_a_head_has_32_places_in_the_merged_row_and_is_in_every_number_after_the_projection(pocket):
    sentence, params, n_head = pocket
    q, k, v = reference("qkv_projection")(
        sentence.normed, params["c_attn.weight"], params["c_attn.bias"]
    )
    split, merge = reference("split_heads"), reference("merge_heads")
    z, _cache = reference("attend_with_cache")(*(split(a, n_head) for a in (q, k, v)), None)
    off = z.copy()
    off[0] = 0
    row, row_off, w = merge(z)[8], merge(off)[8], params["c_proj.weight"]
    assert np.count_nonzero(row != row_off) == 32
    assert np.count_nonzero(row @ w != row_off @ w) == 128
