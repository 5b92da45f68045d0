"""The head switch follows its slider, shows the learner's weights, and has a static picture."""

import numpy as np
import pytest

from illustrated_attention.figures.heads import attention_maps
from illustrated_attention.figures.multi_head import one_head
from illustrated_attention.widgets.multi_head import head_switch

WORDS = ["robot", "must", "obey", "orders"]


@pytest.fixture
def weights():
    table = np.tril(np.random.default_rng(1).uniform(0.1, 1, (3, 4, 4)))
    return table / table.sum(axis=-1, keepdims=True)


def test_the_picture_is_that_of_the_chosen_head(weights):
    switch = head_switch(WORDS, weights, query=3)
    assert list(switch.pages) == [0, 1, 2]
    for head in (0, 2, 1):
        switch.slider.value = head
        assert switch.picture.value == one_head(WORDS, weights, 3, head)._repr_html_()


def test_the_heads_differ_and_say_so_in_words(weights):
    switch = head_switch(WORDS, weights, query=3)
    assert len(set(switch.pages.values())) == 3
    for head, page in switch.pages.items():
        assert f'alt="head {head}: Attention weights of the query' in page


def test_without_a_kernel_all_heads_are_shown_at_once(weights):
    bundle = head_switch(WORDS, weights, query=3)._repr_mimebundle_()
    overview = attention_maps(WORDS, weights)
    assert bundle["text/html"].endswith(overview._repr_html_())
    assert bundle["text/plain"] == overview.alt_text


def test_the_slider_shows_its_keyboard_focus(weights):
    switch = head_switch(WORDS, weights, query=3)
    (ring,) = [child.value for child in switch.children if "<style>" in str(child.value)]
    assert ":focus-visible" in ring
    assert "picture-slider" in switch._dom_classes
    assert "picture-slider" in ring


def test_wrong_arguments_are_told(weights):
    with pytest.raises(ValueError, match=r"weights must have shape \(H, 4, 4\)"):
        head_switch(WORDS, weights[..., :3], query=3)
    with pytest.raises(ValueError, match="weights is None"):
        head_switch(WORDS, None, query=3)
    with pytest.raises(ValueError, match="query must be a whole number from 0 to 3"):
        head_switch(WORDS, weights, query=-1)
