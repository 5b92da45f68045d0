"""Figures of lesson 05 draw the learner's own arrays, and tell a wrong sum from a right one."""

import numpy as np
import pytest
from drawn import all_cells, lies_on_its_page, strips, texts
from matplotlib.patches import FancyArrowPatch, Rectangle

from illustrated_attention.figures.projection import head_writing, mixing
from illustrated_attention.figures.words import number

WORDS = ["robot", "must", "obey", "orders"]
SENTENCE = ["<|endoftext|>", "A", "robot", "must", "obey", "the", "orders", "given", "it"]


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def written(tokens, n_head, d):
    """Contributions, bias and result of heads with d numbers each."""
    contributions = numbers(n_head, len(tokens), n_head * d, seed=n_head)
    bias = numbers(n_head * d, seed=d)
    return contributions, bias, contributions.sum(axis=0) + bias


# --- one product ------------------------------------------------------------------------------


def test_a_short_product_is_drawn_with_the_learners_numbers():
    row, w, b = numbers(4), numbers(4, 4, seed=1), numbers(4, seed=2)
    figure = mixing("it", row, w, b, row @ w + b, n_head=2)
    for drawn, array in zip(all_cells(figure), (row[None], w, b[None], row @ w + b), strict=True):
        assert drawn == pytest.approx(np.atleast_2d(array))
    assert {number(value) for value in (*row, *w.flat, *(row @ w + b))} <= set(texts(figure))
    assert {"@", "+", "="} <= set(texts(figure))
    assert "plus b, is the result." in figure.alt_text


def test_a_long_product_is_drawn_as_parts_that_meet_their_own_rows_of_w():
    row, w, b = numbers(32), numbers(32, 32, seed=1), numbers(32, seed=2)
    figure = mixing("it", row, w, b, row @ w + b, n_head=2)
    for drawn, array in zip(strips(figure), (row, b, row @ w + b), strict=True):
        assert drawn == pytest.approx(array)
    assert {"head 0", "head 1", "rows 0 to 15", "rows 16 to 31", "+", "="} <= set(texts(figure))
    # From each head's part of the row to its rows of w, and from there to the result.
    assert sum(isinstance(part, FancyArrowPatch) for part in figure.artists) == 2 * 2
    assert "plus b, is the result." in figure.alt_text


def test_a_wrong_result_is_drawn_with_another_sign_and_said():
    row, w, b = numbers(6), numbers(6, 6, seed=1), numbers(6, seed=2)
    figure = mixing("it", row, w, b, row @ w, n_head=3)
    assert "≠" in texts(figure)
    assert "=" not in texts(figure)
    assert "plus b, is not this result." in figure.alt_text


def test_each_head_is_named_at_its_part_of_the_row_and_at_its_rows_of_the_matrix():
    row, w, b = numbers(6), numbers(6, 6, seed=1), numbers(6, seed=2)
    figure = mixing("it", row, w, b, row @ w + b, n_head=3)
    names = ["head 0", "head 1", "head 2"]
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == names
    beside = [label.get_text() for label in figure.axes[1].get_yticklabels()]
    assert beside == ["head 0", "", "head 1", "", "head 2", ""]
    assert figure.axes[0].get_xticks() == pytest.approx([0.5, 2.5, 4.5])
    assert "head 1 fills the numbers 2 to 3 of the merged row." in figure.alt_text


# --- what each head writes ----------------------------------------------------------------------


def test_contributions_bias_and_result_are_drawn_with_their_lengths():
    contributions, bias, out = written(WORDS, 3, 2)
    figure = head_writing(WORDS, contributions, bias, out, 1)
    rows = [*contributions[:, 1], bias, out[1]]
    for drawn, row in zip(strips(figure), rows, strict=True):
        assert drawn == pytest.approx(row)
    for label in ("head 0", "head 1", "head 2", "bias", "result"):
        assert label in texts(figure)
    for row in rows:
        assert f"{np.linalg.norm(row):.2f}" in texts(figure)
    assert "add up to the result." in figure.alt_text


def test_a_sum_that_is_not_the_result_gets_another_sign():
    contributions, bias, out = written(WORDS, 3, 2)
    figure = head_writing(WORDS, contributions + bias, bias, out, 1)
    assert "≠" in texts(figure)
    assert "do not add up to the result." in figure.alt_text


def test_the_pronoun_head_is_marked_in_words_and_hatched():
    figure = head_writing(WORDS, *written(WORDS, 3, 2), 1, pronoun_head=2)
    assert "head 2: pronoun head" in texts(figure)
    assert "head 2: pronoun head" in figure.alt_text
    bars = [one for ax in figure.axes for one in ax.patches if isinstance(one, Rectangle)]
    assert [bar.get_hatch() or "" for bar in bars] == ["", "", "///", "", ""]


# --- all of them --------------------------------------------------------------------------------


@pytest.mark.parametrize(("tokens", "n_head", "d"), [(WORDS, 2, 2), (SENTENCE, 4, 32)])
def test_nothing_leaves_the_page(tokens, n_head, d):
    width = n_head * d
    row, w, b = numbers(width), numbers(width, width, seed=1), numbers(width, seed=2)
    figures = [
        mixing(tokens[-1], row, w, b, row @ w + b, n_head),
        head_writing(tokens, *written(tokens, n_head, d), len(tokens) - 1, pronoun_head=0),
    ]
    for figure in figures:
        assert lies_on_its_page(figure), figure.title


def test_a_model_of_twelve_heads_fits_the_page():
    row, w, b = numbers(96), numbers(96, 96, seed=1), numbers(96, seed=2)
    figures = [
        mixing("it", row, w, b, row @ w + b, 12),
        head_writing(WORDS, *written(WORDS, 12, 8), 3, pronoun_head=11),
    ]
    for figure in figures:
        assert lies_on_its_page(figure), figure.title


def test_wrong_arguments_are_named():
    row, w, b = numbers(6), numbers(6, 6, seed=1), numbers(6, seed=2)
    contributions, bias, out = written(WORDS, 3, 2)
    with pytest.raises(ValueError, match=r"row must have shape \(D,\)"):
        mixing("it", w, w, b, row, 2)
    with pytest.raises(ValueError, match=r"w must have shape \(6, 6\)"):
        mixing("it", row, w[:3], b, row, 2)
    with pytest.raises(ValueError, match="out is None"):
        mixing("it", row, w, b, None, 2)
    with pytest.raises(ValueError, match="share out 6 features evenly, but yours is 4"):
        mixing("it", row, w, b, row, 4)
    with pytest.raises(ValueError, match=r"contributions must have shape \(H, 4, D\)"):
        head_writing(WORDS, contributions.sum(axis=0), bias, out, 1)
    with pytest.raises(ValueError, match=r"out must have shape \(4, 6\)"):
        head_writing(WORDS, contributions, bias, contributions, 1)
    with pytest.raises(ValueError, match="query must be a whole number from 0 to 3"):
        head_writing(WORDS, contributions, bias, out, 4)
    with pytest.raises(ValueError, match="pronoun_head must be from 0 to 2, but yours is 3"):
        head_writing(WORDS, contributions, bias, out, 1, pronoun_head=3)
