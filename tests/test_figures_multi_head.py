"""Figures of lesson 04 draw the learner's own arrays, and tell wrong heads from right ones."""

import numpy as np
import pytest
from drawn import cells, lies_on_its_page, strips, texts

from illustrated_attention.figures.multi_head import (
    concatenation,
    head_results,
    head_rows,
    index_map,
    qkv_slices,
    shape_flow,
)

WORDS = ["robot", "must", "obey", "orders"]
SENTENCE = ["<|endoftext|>", "A", "robot", "must", "obey", "the", "orders", "given", "it"]
NUMBERS = np.arange(24).reshape(4, 6)
SLICES = np.stack([NUMBERS[:, :3], NUMBERS[:, 3:]])


def causal_weights(n_head, n_tokens):
    weights = np.tril(np.random.default_rng(n_head).uniform(0.1, 1, (n_head, n_tokens, n_tokens)))
    return weights / weights.sum(axis=-1, keepdims=True)


# --- shapes -----------------------------------------------------------------------------------


def test_shapes_are_those_of_the_arrays():
    figure = shape_flow(
        [
            ("", {"x": np.ones((9, 128))}),
            ("split", {"q": np.ones((4, 9, 32)), "k": np.ones((4, 9, 31))}),
        ]
    )
    sizes = " \N{MULTIPLICATION SIGN} "
    shown = texts(figure)
    assert {"x", "q", "k", "split"} <= set(shown)
    assert f"9{sizes}128" in shown
    assert f"4{sizes}9{sizes}31" in shown
    assert "x (9, 128); then split: q (4, 9, 32), k (4, 9, 31)" in figure.alt_text


def test_one_row_is_cut_into_query_key_and_value():
    row = np.arange(-6.0, 6.0)
    figure = qkv_slices(row, "it")
    assert strips(figure)[0].tolist() == row.tolist()
    shown = texts(figure)
    for text in ("query", "key", "value", "0", "4", "8", "12"):
        assert text in shown
    assert "Numbers 4 to 7: key, from \N{MINUS SIGN}2.00 to 1.00." in figure.alt_text


# --- where every number goes --------------------------------------------------------------------


def test_right_heads_have_no_wrong_row():
    figure = index_map(WORDS, NUMBERS, {"slices": SLICES})
    assert texts(figure).count("✓") == 8
    assert not any("✗" in text for text in texts(figure))
    assert "wrong" not in figure.alt_text


def test_a_reshape_alone_shows_which_rows_hold_other_tokens():
    figure = index_map(WORDS, NUMBERS, {"reshape": NUMBERS.reshape(2, 4, 3)})
    wrong = [text for text in texts(figure) if "✗" in text]
    assert wrong == [
        "✗ from robot",
        "✗ from must",
        "✗ from must",
        "✗ from obey",
        "✗ from obey",
        "✗ from orders",
    ]
    assert "head 0, 'robot' 0, 1, 2; 'must' 3, 4, 5;" in figure.alt_text
    assert "wrong rows: 'must' from robot, 'obey' from must, 'orders' from must." in figure.alt_text


def test_other_mistakes_of_a_split_are_told_apart():
    interleaved = np.stack([NUMBERS[:, ::2], NUMBERS[:, 1::2]])
    assert "✗ other features" in texts(index_map(WORDS, NUMBERS, {"every second": interleaved}))
    foreign = texts(index_map(WORDS, NUMBERS, {"foreign": SLICES + 0.5}))
    assert foreign.count("✗ unknown numbers") == 8


def test_each_number_keeps_the_colour_of_its_token():
    figure = index_map(WORDS, NUMBERS, {"reshape": NUMBERS.reshape(2, 4, 3)})
    tints = {}
    for ax in figure.axes:
        for patch, text in zip(ax.patches, ax.texts, strict=True):
            tints.setdefault(int(text.get_text()) // 6, set()).add(patch.get_facecolor())
    assert all(len(colours) == 1 for colours in tints.values())
    assert len(set.union(*tints.values())) == 4


# --- one token in all heads -------------------------------------------------------------------


def test_head_rows_draws_the_row_of_the_query_in_every_head():
    weights = causal_weights(3, 4)
    figure = head_rows(WORDS, weights, query=3)
    assert cells(figure.axes[0]) == pytest.approx(weights[:, 3])
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == WORDS
    assert figure.alt_text.count("query 'orders'") == 3


def test_head_results_draws_a_row_for_each_head():
    z = np.random.default_rng(3).normal(size=(3, 4, 5))
    figure = head_results(WORDS, z, query=1)
    assert np.array(strips(figure)) == pytest.approx(z[:, 1])
    assert "Results of 3 heads for 'must', 5 numbers each." in figure.alt_text


def test_concatenation_draws_the_heads_side_by_side_and_nothing_else():
    z = np.random.default_rng(4).normal(size=(3, 4, 5))
    merged = np.concatenate(list(z), axis=-1)
    figure = concatenation(WORDS, z, merged, query=2)
    *heads, row = strips(figure)
    assert np.array(heads) == pytest.approx(z[:, 2])
    assert row == pytest.approx(merged[2])
    assert {"0:5", "5:10", "10:15", "15"} <= set(texts(figure))
    assert "It holds the heads one after the other." in figure.alt_text
    with pytest.raises(ValueError, match="side by side, but yours is not so"):
        concatenation(WORDS, z, z.reshape(4, 15), query=2)


# --- all of them --------------------------------------------------------------------------------


@pytest.mark.parametrize(("tokens", "n_head"), [(WORDS, 2), (SENTENCE, 4), (SENTENCE, 12)])
def test_nothing_leaves_the_page(tokens, n_head):
    n, d = len(tokens), 8
    weights, z = causal_weights(n_head, n), np.random.default_rng(5).normal(size=(n_head, n, d))
    merged = np.concatenate(list(z), axis=-1)
    numbers = np.arange(n * 6).reshape(n, 6)
    figures = [
        shape_flow(
            [
                ("", {"x": merged}),
                ("project", {"q": merged, "k": merged, "v": merged}),
                ("split", {"q": z, "k": z, "v": z}),
                ("attend", {"weights": weights, "z": z}),
                ("merge", {"merged": merged}),
            ]
        ),
        qkv_slices(np.concatenate([merged[0]] * 3), tokens[0]),
        index_map(tokens, numbers, {"reshape": numbers.reshape(2, n, 3)}),
        head_rows(tokens, weights, n - 1),
        head_results(tokens, z, n - 1),
        concatenation(tokens, z, merged, 1),
    ]
    for figure in figures:
        assert lies_on_its_page(figure), figure.title
        assert figure.alt_text


def test_wrong_arguments_are_named():
    weights, z = causal_weights(2, 4), np.ones((2, 4, 3))
    with pytest.raises(ValueError, match="two stages or more"):
        shape_flow([("", {"x": z})])
    with pytest.raises(ValueError, match="k is None"):
        shape_flow([("", {"x": z}), ("split", {"k": None})])
    with pytest.raises(ValueError, match=r"row must have shape \(3D,\)"):
        qkv_slices(np.ones((2, 6)), "it")
    with pytest.raises(ValueError, match="multiple of 3, but yours has 7"):
        qkv_slices(np.ones(7), "it")
    with pytest.raises(ValueError, match="must all be different"):
        index_map(WORDS, NUMBERS // 2, {"slices": SLICES})
    with pytest.raises(ValueError, match=r"slices must have shape \(H, 4, d\)"):
        index_map(WORDS, NUMBERS, {"slices": SLICES[:, :3]})
    with pytest.raises(ValueError, match=r"share out 6 features.*\(2, 4, 2\)"):
        index_map(WORDS, NUMBERS, {"slices": SLICES[..., :2]})
    with pytest.raises(ValueError, match="results must be a dictionary"):
        index_map(WORDS, NUMBERS, {})
    with pytest.raises(ValueError, match=r"weights must have shape \(H, 4, 4\)"):
        head_rows(WORDS, weights[0], 3)
    with pytest.raises(ValueError, match="query must be a whole number from 0 to 3"):
        head_results(WORDS, z, 4)
    with pytest.raises(ValueError, match=r"merged must have shape \(4, 6\)"):
        concatenation(WORDS, z, np.ones((2, 4, 3)), 0)
