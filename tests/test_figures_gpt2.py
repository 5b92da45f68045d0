"""Figures of lesson 06 draw the learner's own results, and say the same in words."""

import matplotlib
import numpy as np
import pytest
from drawn import cells, svg, texts

from illustrated_attention.figures.gpt2 import (
    activation,
    block_flow,
    every_head_off,
    next_words,
    normalised,
    parameter_counter,
)
from illustrated_attention.figures.words import TIMES, number
from illustrated_attention.gpt2_files import parameter_shapes

SMALL = {"n_layer": 12, "n_embd": 768, "vocab_size": 50257, "n_positions": 1024}
X = np.array([[1.0, 3.0, 5.0, 7.0], [10.0, 30.0, 50.0, 70.0]])
OUT = (X - X.mean(-1, keepdims=True)) / X.std(-1, keepdims=True)


def block_params(width=8, inner=32):
    shapes = {
        "attn.c_attn.weight": (width, 3 * width),
        "attn.c_proj.weight": (width, width),
        "mlp.c_fc.weight": (width, inner),
        "mlp.c_proj.weight": (inner, width),
    }
    return {name: np.zeros(shape) for name, shape in shapes.items()}


def test_layer_norm_is_drawn_with_the_measures_of_what_the_learner_computed():
    wrong = OUT + 1
    figure = normalised(X, wrong, ["small", "large"])
    assert "large: mean 40.00 and variance 500.00 before, 1.00 and 1.00 after." in figure.alt_text
    assert number(wrong[0, 0]) in texts(figure)


def test_the_curve_goes_through_the_learners_numbers():
    x = np.linspace(-3, 3, 61)
    y = x / (1 + np.exp(-x))
    figure = activation(x, y)
    lines = [line.get_xydata() for line in figure.axes[0].lines]
    assert any(
        len(line) == 61 and np.array_equal(line, np.stack([x, y], axis=-1)) for line in lines
    )
    assert number(y.min()) in figure.alt_text


def test_the_flow_of_a_block_shows_the_real_shapes():
    figure = block_flow(block_params(), n_tokens=5, n_head=2)
    shown = texts(figure)
    for text in ("@ 8*24", "@ 8*8", "@ 8*32", "@ 32*8", "5*24", "5*32", "2 heads", "2*5*5 weights"):
        text = text.replace("*", TIMES)
        assert text in shown
        assert text in figure.alt_text
    assert shown.count("+") == 2  # both residual sums
    assert figure.alt_text.count("The result is added to x.") == 2


def test_the_flow_says_that_it_needs_one_block():
    with pytest.raises(ValueError, match=r"holds no attn.c_attn.weight.*one block"):
        block_flow({"h.0.attn.c_attn.weight": np.zeros((8, 24))}, 5, 2)


def test_next_words_have_a_strip_for_each_version_on_one_scale():
    on, off = np.array([0.6, 0.3, 0.0]), np.array([0.05, 0.0, 0.4])
    figure = next_words(["beeped", "hummed", "mooed"], {"all heads": on, "head off": off})
    heights = [[bar.get_height() for bar in ax.patches] for ax in figure.axes]
    assert heights == [pytest.approx([*on, 0.1]), pytest.approx([*off, 0.55])]
    assert all(ax.patches[-1].get_hatch() for ax in figure.axes)  # the others are no word
    assert len({ax.get_ylim() for ax in figure.axes}) == 1
    assert "all heads: 'beeped' 60%" in figure.alt_text
    told = "head off: 'beeped' 5.0%, 'hummed' 0%, 'mooed' 40%, 'others' 55%."
    assert told in figure.alt_text


def test_next_words_refuses_a_row_of_another_length():
    with pytest.raises(ValueError, match="all heads must have shape"):
        next_words(["beeped", "hummed"], {"all heads": np.ones(3)})


def test_the_grid_of_heads_frames_and_names_the_lowest():
    chances = np.full((2, 3), 0.97)
    chances[1, 2] = 0.03
    figure = every_head_off(chances, 0.99)
    assert "layer 1: 97%, 97%, 3.0%." in figure.alt_text
    assert "The lowest is layer 1, head 2." in figure.alt_text
    assert "□ lowest: layer 1, head 2" in texts(figure)
    np.testing.assert_array_equal(cells(figure.axes[0]), chances)


def test_the_counter_of_gpt2_small_adds_up_and_agrees_with_a_right_count():
    figure = parameter_counter(parameter_shapes(SMALL), 124_439_808)
    widths = [bar.get_width() for bar in figure.axes[0].patches]
    assert sum(widths) == 124_439_808
    assert widths[0] == 50257 * 768
    assert "✓ your count is the same: 124,439,808" in texts(figure)


def test_the_counter_shows_a_count_that_differs():
    figure = parameter_counter(parameter_shapes(SMALL), 124_410_624)
    assert "✗ your count is 124,410,624" in texts(figure)
    assert "✗ your count is 124,410,624." in figure.alt_text


def test_the_counter_refuses_what_is_no_part_of_gpt2():
    with pytest.raises(ValueError, match=r"head\.weight is not a parameter of GPT-2"):
        parameter_counter({"head.weight": (3, 4)}, 12)


@pytest.mark.parametrize(
    "draw",
    [
        lambda: normalised(X, OUT, ["small", "large"]),
        lambda: activation(np.linspace(-2, 2, 9), np.linspace(-2, 2, 9)),
        lambda: block_flow(block_params(768, 3072), 9, 12),
        lambda: next_words(["a"], {"all heads": np.ones(1)}),
        lambda: every_head_off(np.full((12, 12), 0.5), 0.9),
        lambda: parameter_counter(parameter_shapes(SMALL), 1),
    ],
)
def test_every_figure_can_be_shown_and_has_alt_text(draw):
    figure = draw()
    assert figure.alt_text
    assert svg(figure._repr_html_()).get("width") == "720"
    box = figure.bbox
    for text in figure.findobj(matplotlib.text.Text):
        if text.get_text() and text.get_visible():
            extent = text.get_window_extent()
            assert extent.x0 >= 0 and extent.x1 <= box.x1 + 1, text.get_text()
