"""Figures of lesson 01 draw the learner's own results, and say the same in words."""

import numpy as np
import pytest
from drawn import lies_on_its_page, texts

from illustrated_attention.figures.self_attention import (
    attention_row,
    pipeline,
    projections,
    saturation,
    scores_and_weights,
    weighted_values,
)
from illustrated_attention.figures.words import number

WORDS = ["robot", "must", "obey", "orders"]
SENTENCE = ["<|endoftext|>", "A", "robot", "must", "obey", "the", "orders", "given", "it"]


def softmax(scores):
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def example(tokens, d_model=4, d=3):
    rng = np.random.default_rng(1)
    x = rng.normal(size=(len(tokens), d_model))
    w_q, w_k, w_v = rng.normal(size=(3, d_model, d))
    q, k, v = x @ w_q, x @ w_k, x @ w_v
    scores = q @ k.T / np.sqrt(d)
    weights = softmax(scores)
    return {
        "x": x,
        "w_q": w_q,
        "w_k": w_k,
        "w_v": w_v,
        "q": q,
        "k": k,
        "v": v,
        "scores": scores,
        "weights": weights,
        "out": weights @ v,
    }


def pick(arrays, names):
    return [arrays[name] for name in names.split()]


def heights(ax):
    return [bar.get_height() for bar in ax.patches]


WEIGHTS = np.array([[1, 0, 0, 0], [0.5, 0.5, 0, 0], [0.2, 0.1, 0.4, 0.3], [0.7, 0.1, 0.15, 0.05]])


def test_attention_row_draws_the_row_of_the_query():
    figure = attention_row(WORDS, WEIGHTS, 3)
    assert heights(figure.axes[0]) == pytest.approx(WEIGHTS[3])
    assert {"70%", "10%", "15%", "5.0%"} <= set(texts(figure))


def test_attention_row_takes_one_row_alone():
    one, all_rows = attention_row(WORDS, WEIGHTS[3], 3), attention_row(WORDS, WEIGHTS, 3)
    assert one._repr_html_() == all_rows._repr_html_()


def test_attention_row_says_the_largest_weights_in_order():
    alt = attention_row(WORDS, WEIGHTS, 2).alt_text
    assert alt == (
        "Attention weights of the query 'obey'. "
        "Largest: 'obey' 40%, 'orders' 30%, 'robot' 20%, 'must' 10%."
    )


def test_attention_row_tells_a_sum_that_is_not_one():
    assert any("180%" in text for text in texts(attention_row(WORDS, WEIGHTS[3] * 1.8, 3)))


def test_projections_draw_every_number_of_every_array():
    arrays = example(WORDS)
    figure = projections(*pick(arrays, "x w_q w_k w_v q k v"), WORDS)
    shown = texts(figure)
    for name in ("x", "w_q", "w_k", "w_v", "q", "k", "v"):
        assert {number(value) for value in arrays[name].flat} <= set(shown), name
    sizes = "\u00d7"
    assert {f"x: 4 {sizes} 4", f"w_q: 4 {sizes} 3", f"queries q: 4 {sizes} 3"} <= set(shown)
    assert number(arrays["k"][2, 1]) in figure.alt_text


def test_scores_and_weights_are_aligned():
    arrays = example(WORDS)
    figure = scores_and_weights(WORDS, arrays["scores"], arrays["weights"], 1)
    upper, lower = figure.axes
    assert heights(upper) == pytest.approx(arrays["scores"][1])
    assert heights(lower) == pytest.approx(arrays["weights"][1])
    assert upper.get_position().x0 == lower.get_position().x0
    assert upper.get_position().x1 == lower.get_position().x1
    named = [[label.get_text() for label in ax.get_xticklabels()] for ax in (upper, lower)]
    assert named == [[], WORDS]  # the tokens stand once, under both
    assert number(arrays["scores"][1, 0]) in figure.alt_text
    assert "'must'" in figure.alt_text


def test_weighted_values_draw_each_part_and_the_sum():
    v = np.array([[1.0, 2.0], [3.0, -4.0], [5.0, 6.0], [-7.0, 8.0]])
    figure = weighted_values(WORDS, WEIGHTS, v, 3)
    shown = texts(figure)
    parts = WEIGHTS[3][:, None] * v
    assert {number(value) for value in parts.flat} <= set(shown)
    assert {number(value) for value in parts.sum(axis=0)} <= set(shown)
    assert "Their sum is 1.40, 2.30." in figure.alt_text


def test_the_pipeline_names_the_five_steps_and_the_real_shapes():
    arrays = example(SENTENCE, d_model=8, d=4)
    figure = pipeline(*pick(arrays, "x q k v weights out"), SENTENCE)
    shown = " | ".join(texts(figure))
    for stage in ("1  Project", "2  Score", "3  Scale", "4  Softmax", "5  Sum"):
        assert stage in shown
    for title in ("x: 9 \u00d7 8", "q: 9 \u00d7 4", "weights: 9 \u00d7 9", "out: 9 \u00d7 4"):
        assert title in shown
    assert "x (9, 8) gives q (9, 4), k (9, 4) and v (9, 4)" in figure.alt_text


def test_saturation_draws_two_lines_that_differ_in_more_than_colour():
    figure = saturation([4, 16, 64], [0.5, 0.7, 0.9], [0.4, 0.41, 0.42])
    raw, scaled = figure.axes[0].lines
    assert raw.get_ydata().tolist() == [0.5, 0.7, 0.9]
    assert scaled.get_ydata().tolist() == [0.4, 0.41, 0.42]
    assert raw.get_marker() != scaled.get_marker()
    assert raw.get_linestyle() != scaled.get_linestyle()
    assert "d = 64: 90% without scaling, 42% with scaling." in figure.alt_text


@pytest.mark.parametrize("tokens", [WORDS, SENTENCE, SENTENCE * 2])
def test_nothing_leaves_the_page(tokens):
    arrays = example(tokens)
    for figure in (
        attention_row(tokens, arrays["weights"], 0),
        projections(*pick(arrays, "x w_q w_k w_v q k v"), tokens),
        scores_and_weights(tokens, arrays["scores"], arrays["weights"], len(tokens) - 1),
        weighted_values(tokens, arrays["weights"], arrays["v"], 1),
        pipeline(*pick(arrays, "x q k v weights out"), tokens),
    ):
        assert lies_on_its_page(figure), figure.title
        assert figure.alt_text


def test_wrong_shapes_are_named():
    arrays = example(WORDS)
    with pytest.raises(ValueError, match=r"weights must have shape \(4, 4\).*yours .*\(4, 3\)"):
        attention_row(WORDS, WEIGHTS[:, :3], 0)
    with pytest.raises(ValueError, match=r"w_k must have shape \(4, d\).*yours .*\(3, 4\)"):
        projections(*pick(arrays, "x w_q"), arrays["w_k"].T, *pick(arrays, "w_v q k v"), WORDS)
    with pytest.raises(ValueError, match=r"v must have shape \(4, dv\)"):
        weighted_values(WORDS, WEIGHTS, arrays["v"][:3], 0)
    with pytest.raises(ValueError, match="out is None"):
        pipeline(*pick(arrays, "x q k v weights"), None, WORDS)
    with pytest.raises(ValueError, match="scores must have shape"):
        scores_and_weights(WORDS, arrays["scores"][None], WEIGHTS, 0)
    with pytest.raises(ValueError, match="query must be a whole number from 0 to 3"):
        attention_row(WORDS, WEIGHTS, 4)
    with pytest.raises(ValueError, match=r"largest_scaled must have shape \(3,\)"):
        saturation([4, 16, 64], [0.5, 0.7, 0.9], [0.4, 0.4])
