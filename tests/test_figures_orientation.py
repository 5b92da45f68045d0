"""Figures of lesson 00 draw the arrays they are given."""

import numpy as np
import pytest
from drawn import lies_on_its_page, texts

from illustrated_attention.figures.orientation import axes_of, embedding_sum, token_positions
from illustrated_attention.figures.words import number

WORDS = ["robot", "must", "obey", "orders"]


def random(*shape):
    return np.random.default_rng(0).normal(size=shape)


def test_positions_are_counted_from_0_and_from_1():
    shown = texts(token_positions(WORDS))
    assert [shown.count(str(n)) for n in range(6)] == [1, 2, 2, 2, 1, 0]
    assert set(WORDS) <= set(shown)


def test_positions_alt_text_gives_each_token_its_index():
    assert "0 'robot', 1 'must', 2 'obey', 3 'orders'." in token_positions(WORDS).alt_text


def test_a_long_sentence_breaks_into_lines():
    short, long = token_positions(WORDS * 2), token_positions(WORDS * 6)
    assert long.get_size_inches()[1] > short.get_size_inches()[1]
    assert long.get_size_inches()[0] == short.get_size_inches()[0]


def test_the_sum_shows_all_three_arrays():
    token_vectors, position_vectors = random(4, 3), random(4, 3) * 2
    x = token_vectors + position_vectors
    figure = embedding_sum(WORDS, token_vectors, position_vectors, x)
    drawn = [[text.get_text() for text in ax.texts if "." in text.get_text()] for ax in figure.axes]
    for cells, array in zip(drawn, (token_vectors, position_vectors, x), strict=True):
        assert cells[: array.size] == [number(value) for value in array.flat]
    assert {"+", "="} <= set(texts(figure))
    assert number(x[3, 2]) in figure.alt_text


def test_what_is_not_the_sum_is_refused():
    with pytest.raises(ValueError, match=r"position vectors = x, but yours is not so.*embed"):
        embedding_sum(WORDS, random(4, 3), random(4, 3), np.full((4, 3), 9.75))


def test_wide_vectors_are_cut_and_the_figure_says_so():
    figure = embedding_sum(WORDS, random(4, 8), random(4, 8), 2 * random(4, 8))
    note = "The first 6 of 8 columns are drawn."
    assert note in texts(figure)
    assert note in figure.alt_text


def test_arrays_of_a_sum_must_have_one_shape():
    with pytest.raises(ValueError, match=r"position_vectors must have shape \(4, 3\)"):
        embedding_sum(WORDS, random(4, 3), random(9, 3), random(4, 3))
    with pytest.raises(ValueError, match=r"token_vectors must have shape \(4, D\)"):
        embedding_sum(WORDS, random(3, 3), random(4, 3), random(4, 3))


@pytest.mark.parametrize(
    ("shape", "names"),
    [((5,), ["features"]), ((4, 3), ["tokens", "features"]), ((2, 4, 3), ["batch", "T", "D"])],
)
def test_each_axis_has_its_name_and_size(shape, names):
    figure = axes_of(random(*shape), names)
    labels = [
        f"axis {i}: {name}, size {n}" for i, (name, n) in enumerate(zip(names, shape, strict=True))
    ]
    assert set(labels) <= set(texts(figure))
    assert all(label in figure.alt_text for label in labels)
    assert str(shape) in figure.alt_text


def test_no_sheet_of_three_axes_hides_another():
    array = random(2, 4, 3)
    figure = axes_of(array, ["batch", "tokens", "features"])
    assert {number(value) for value in array.flat} | {"[0]", "[1]"} <= set(texts(figure))
    first, second = (ax.get_position() for ax in figure.axes[:2])
    assert first.x1 < second.x0


def test_more_sheets_than_fit_are_told():
    figure = axes_of(random(30, 4, 3), ["batch", "tokens", "features"])
    shown = sum(text.startswith("[") for text in texts(figure))
    assert 1 < shown < 30
    assert f"axis 0: batch, size 30 (the first {shown} are drawn)" in texts(figure)
    assert lies_on_its_page(figure)


def test_every_token_is_written_in_full_size():
    sizes = [
        text.get_fontsize()
        for ax in token_positions(["<|endoftext|>", *WORDS]).axes
        for text in ax.texts
        if text.get_text() in ("<|endoftext|>", *WORDS)
    ]
    assert sizes == [10.5] * 5


def test_axes_of_says_what_it_cannot_draw():
    with pytest.raises(ValueError, match="1, 2 or 3 axes, but yours has 4"):
        axes_of(random(1, 2, 3, 4), list("abcd"))
    with pytest.raises(ValueError, match="one name for each axis: your array has 2"):
        axes_of(random(2, 3), ["tokens"])
    with pytest.raises(ValueError, match="but yours has 0"):
        axes_of(3.0, [])
