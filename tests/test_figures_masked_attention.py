"""Figures and widgets of lesson 02 draw the learner's own results, and say the same in words."""

import numpy as np
import pytest
from drawn import texts
from matplotlib.colors import to_rgba

from illustrated_attention.figures.masked_attention import (
    changed_rows,
    compare_tables,
    mask_and_softmax,
    next_token_table,
    scores_of_all,
)
from illustrated_attention.figures.palette import QUERY_COLOUR
from illustrated_attention.figures.words import MINUS, TIMES

WORDS = ["robot", "must", "obey", "orders"]
TRIANGLE = np.tri(4, dtype=bool)
SCORES = np.array(  # the article's numbers
    [
        [0.11, 0.00, 0.81, 0.79],
        [0.19, 0.50, 0.30, 0.48],
        [0.53, 0.98, 0.95, 0.14],
        [0.81, 0.86, 0.38, 0.90],
    ]
)
TABLE = np.array(
    [[1, 0, 0, 0], [0.48, 0.52, 0, 0], [0.31, 0.35, 0.34, 0], [0.25, 0.26, 0.23, 0.26]]
)


def masked_softmax(scores, mask):
    powers = np.exp(scores) * mask
    return powers / powers.sum(axis=-1, keepdims=True)


def hatched(ax):
    return sum(patch.get_hatch() is not None for patch in ax.patches)


def frames(figure):
    left = figure.axes[0]
    marked = to_rgba(QUERY_COLOUR)
    return sum(patch.get_edgecolor() == marked and not patch.get_fill() for patch in left.patches)


def test_the_table_of_predictions_follows_the_mask():
    figure = next_token_table(WORDS, TRIANGLE, ["must", "obey", "orders", "given"])
    assert hatched(figure.axes[0]) == 6
    assert texts(figure).count("robot") == 4
    assert texts(figure).count("obey") == 2 + 1  # read twice, target once
    assert "Prediction 1: may read 'robot', 'must'; target 'obey'." in figure.alt_text
    inverted = next_token_table(WORDS, ~TRIANGLE, ["must", "obey", "orders", "given"])
    assert hatched(inverted.axes[0]) == 10
    assert "Prediction 3: may read nothing" in inverted.alt_text


def test_the_product_of_all_queries_and_keys_shows_its_shapes():
    q, k = np.arange(12.0).reshape(4, 3), np.ones((4, 3))
    figure = scores_of_all(q, k, q @ k.T / 3**0.5, WORDS)
    assert [text for text in texts(figure) if text.startswith(("q:", "kᵀ:", "scores:"))] == [
        f"q: 4 {TIMES} 3",
        f"kᵀ: 3 {TIMES} 4",
        f"scores: 4 {TIMES} 4",
    ]
    assert "q (4, 3) times the transposed k (3, 4)" in figure.alt_text


def test_mask_and_softmax_draws_minus_infinity_where_the_mask_is_false():
    figure = mask_and_softmax(WORDS, SCORES, TRIANGLE, masked_softmax(SCORES / 4, TRIANGLE))
    assert texts(figure).count(MINUS + "∞") == 6
    assert f"must: 0.19, 0.50, {MINUS}∞, {MINUS}∞." in figure.alt_text
    assert "must: 0.48, 0.52, 0.00, 0.00." in figure.alt_text


@pytest.mark.parametrize(("divisor", "wrong"), [(1, 9), (3.62, 0), (4, 0), (4.51, 0)])
def test_cells_that_differ_from_the_article_are_framed_and_counted(divisor, wrong):
    weights = masked_softmax(SCORES / divisor, TRIANGLE)
    figure = compare_tables(WORDS, weights, TABLE, "yours")
    assert frames(figure) == wrong
    assert figure.title.endswith(f": {wrong} of 16")
    assert figure.alt_text.startswith(f"Cells that differ: {wrong} of 16.")


def test_the_results_that_moved_are_drawn_and_counted():
    before = np.zeros((4, 2))
    after = np.array([[0, 0], [0.5, -0.25], [1, 0], [0, 2]])
    figure = changed_rows(WORDS, before, after, changed=2)
    assert {"result", "moves by"} <= set(texts(figure))
    assert [bar.get_height() for bar in figure.axes[0].patches] == [0, 0.5, 1, 2]
    assert "1 of 2 earlier results move" in figure.title
    assert "'must' 0.50" in figure.alt_text


def test_wrong_arguments_are_told():
    with pytest.raises(ValueError, match=r"mask must have shape \(4, 4\)"):
        next_token_table(WORDS, np.tri(3), WORDS)
    with pytest.raises(ValueError, match="one target for each token: 4 tokens, 1 targets"):
        next_token_table(WORDS, TRIANGLE, ["must"])
    with pytest.raises(ValueError, match=r"weights is None.*return"):
        compare_tables(WORDS, None, TABLE)
    with pytest.raises(ValueError, match=r"after must have shape \(4, 2\)"):
        changed_rows(WORDS, np.zeros((4, 2)), np.zeros((4, 3)), 1)
