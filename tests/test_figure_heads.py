"""The figure of all heads shows each head, and says in words where the last token looks."""

import numpy as np
import pytest
from drawn import all_cells, lies_on_its_page

from illustrated_attention.figures.heads import attention_maps

TOKENS = ["A", "robot", "obeys", "it"]


def causal_weights(*leading):
    weights = np.tril(np.random.default_rng(0).random((*leading, 4, 4)))
    return weights / weights.sum(-1, keepdims=True)


def test_every_head_gets_a_map_of_its_own_weights():
    weights = causal_weights(2, 3)
    figure = attention_maps(TOKENS, weights)
    drawn = [array for array in all_cells(figure) if array.shape == (4, 4)]
    seen = np.tri(4, dtype=bool)
    np.testing.assert_allclose(np.array(drawn)[:, seen], weights.reshape(6, 4, 4)[:, seen])


def test_what_no_head_may_see_is_not_drawn_like_a_weight_of_0():
    hidden = ~np.tri(4, dtype=bool)
    maps = [
        array for array in all_cells(attention_maps(TOKENS, causal_weights(2))) if len(array) > 1
    ]
    assert np.isnan(np.array(maps)[:, hidden]).all()
    full = np.full((2, 4, 4), 0.25)
    full[0] = np.eye(4)  # one head's zeros are no mask
    maps = [array for array in all_cells(attention_maps(TOKENS, full)) if len(array) > 1]
    assert not np.isnan(maps).any()


def test_the_triangle_points_at_the_column_where_the_last_token_looks_most():
    figure = attention_maps(TOKENS, causal_weights(1))
    (mark,) = (text for text in figure.texts if text.get_text() == "▲")
    box = figure.axes[0].get_position()
    column = (mark.get_position()[0] - box.x0) / box.width * 4
    assert int(column) == causal_weights(1)[0, -1].argmax()


def test_the_alt_text_names_where_the_last_token_looks_in_each_head():
    weights = np.zeros((1, 2, 4, 4))
    weights[..., 0] = 1
    weights[0, 1, -1] = [0.1, 0.9, 0, 0]
    alt = attention_maps(TOKENS, weights).alt_text
    assert "layer 0, head 0: A 100%" in alt
    assert "layer 0, head 1: robot 90%" in alt
    assert "'it'" in alt


def test_one_layer_alone_can_be_drawn():
    assert "head 2: " in attention_maps(TOKENS, causal_weights(3)).alt_text


def test_the_large_model_can_be_drawn():
    weights = np.full((12, 12, 4, 4), 0.25)
    figure = attention_maps(TOKENS, weights)
    assert sum(array.shape == (4, 4) for array in all_cells(figure)) == 144
    assert lies_on_its_page(figure)


@pytest.mark.parametrize("shape", [(4, 4), (2, 3, 4, 5), (2, 3, 5, 5)])
def test_weights_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match="weights must have shape"):
        attention_maps(TOKENS, np.zeros(shape))
