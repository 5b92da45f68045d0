"""Figures of lesson 03 draw the learner's own caches, masks and counts, and tell them in words."""

import re

import numpy as np
import pytest
from drawn import lies_on_its_page, texts
from matplotlib.colors import to_rgba

from illustrated_attention.figures.kv_cache import (
    cache_memory,
    cache_step,
    cached_mask,
    projection_curve,
)

WORDS = ["robot", "must", "obey", "orders"]
SENTENCE = ["<|endoftext|>", "A", "robot", "must", "obey", "the", "orders", "given", "it"]


def layers_for(tokens, n_layer=2, d=3, dv=2):
    rng = np.random.default_rng(1)
    shapes = ((len(tokens), d), (len(tokens), d), (len(tokens), dv))
    return [tuple(rng.normal(size=shape) for shape in shapes) for _layer in range(n_layer)]


def states(figure, name):
    """The state of every strip of this name, layer by layer: new, kept, dropped or empty."""
    gids = [patch.get_gid() for patch in figure.axes[0].patches if patch.get_gid()]
    return [gid.split()[1] for gid in gids if gid.startswith(name)]


def test_at_each_step_only_the_newest_token_has_a_query():
    layers = layers_for(WORDS, n_layer=1)
    assert states(cache_step(WORDS, layers, 0), "q") == ["new", "empty", "empty", "empty"]
    assert states(cache_step(WORDS, layers, 2), "q") == ["dropped", "dropped", "new", "empty"]


def test_old_keys_and_values_are_kept_in_every_layer():
    figure = cache_step(WORDS, layers_for(WORDS, n_layer=2), 2)
    one_layer = ["kept", "kept", "new", "empty"]
    assert states(figure, "k") == one_layer * 2
    assert states(figure, "v") == one_layer * 2


def test_old_queries_are_crossed_out():
    layers = layers_for(WORDS, n_layer=1)
    crosses = [len(cache_step(WORDS, layers, step).axes[0].lines) for step in range(4)]
    # One zero line, of what is new and what is kept, more or less; two strokes for each old query.
    assert np.diff(crosses).tolist() == [2 + 2, 2 + 2, 2 + 2]


def test_the_strips_show_the_numbers_of_the_cache():
    [(q, k, v)] = layers_for(WORDS, n_layer=1)
    other_k = k.copy()
    other_k[0] += 5
    plain = cache_step(WORDS, [(q, k, v)], 1)
    other = cache_step(WORDS, [(q, other_k, v)], 1, [(other_k[:2], v[:2])])
    assert plain._repr_html_() != other._repr_html_()


def test_a_cache_that_lost_or_shuffled_tokens_is_refused_in_one_sentence():
    [(q, k, v)] = layers_for(WORDS, n_layer=1)
    for cache, words in (
        ((k[3:], v[3:]), r"there must be 4 rows of the keys .* your append_kv left 1"),
        ((k[[1, 0, 2, 3]], v), "Row 0 of the keys .* 'robot', .* append_kv made it that of 'must'"),
        ((k, v + 1), "Row 0 of the values in the cache must be that of 'robot'.*no token's"),
    ):
        with pytest.raises(ValueError, match=words):
            cache_step(WORDS, [(q, k, v)], 3, [cache])


def test_the_squares_are_the_projections_of_every_step():
    figure = cache_step(WORDS, layers_for(WORDS), 3)
    squares = figure.axes[1].patches
    hatched = [square for square in squares if square.get_hatch()]
    assert (len(squares) - len(hatched), len(squares)) == (4, 10)
    assert {"with a cache: 4", "without a cache: 10"} <= set(texts(figure))
    assert "4 with a cache, 10 without" in figure.alt_text


def test_pictures_of_all_steps_have_one_size_so_that_nothing_jumps():
    layers = layers_for(SENTENCE)
    sizes = {tuple(cache_step(SENTENCE, layers, step).get_size_inches()) for step in range(9)}
    assert len(sizes) == 1


def test_the_mask_is_drawn_as_it_is():
    mask = np.array([[True, True, False, True], [False, True, True, False]])
    figure = cached_mask(WORDS, mask, n_past=2)
    cells = figure.axes[0].patches
    assert [cell.get_hatch() is None for cell in cells] == mask.ravel().tolist()
    assert sum(text == "✓" for text in texts(figure)) == 5 + 1  # one in the key below
    assert "'obey' may look at 'robot', 'must', 'orders'." in figure.alt_text


def test_a_line_divides_the_past_from_the_new_keys():
    figure = cached_mask(WORDS, np.tri(1, 4, 3), n_past=3)
    assert figure.axes[0].lines[0].get_xdata()[0] == 3
    assert {"keys from the cache", "new keys"} <= set(texts(figure))


def test_a_mask_that_hides_everything_says_so():
    assert "'orders' may look at nothing." in cached_mask(WORDS, np.zeros((1, 4)), 3).alt_text


def test_the_curve_shows_the_counts_given():
    figure = projection_curve([1, 2, 3], [1, 3, 6], [1, 2, 3])
    without, kept = figure.axes[0].lines
    assert without.get_ydata().tolist() == [1, 3, 6]
    assert kept.get_ydata().tolist() == [1, 2, 3]
    assert without.get_marker() != kept.get_marker()
    assert without.get_linestyle() != kept.get_linestyle()
    assert "Length 3: 6 without a cache, 3 with one." in figure.alt_text


def test_one_of_something_is_told_as_well_as_many():
    told = [
        cache_step(WORDS, layers_for(WORDS, n_layer=1), step=0),
        projection_curve([1, 2], [1, 3], [1, 2]),
        cached_mask(["robot", "must"], np.ones((1, 2)), 1),
    ]
    for figure in told:
        assert re.search(r"\b1\b", figure.alt_text)
        assert not re.search(r"\b1 (new |old |cached )?[a-z]+s\b", figure.alt_text)


def test_memory_is_told_in_mebibytes():
    figure = cache_memory(["GPT-2 small", "GPT-2 XL"], [75_497_472, 629_145_600])
    assert [bar.get_width() for bar in figure.axes[0].patches] == [75_497_472, 629_145_600]
    assert {"72 MiB", "600 MiB"} <= set(texts(figure))
    assert "GPT-2 small 72 MiB, GPT-2 XL 600 MiB" in figure.alt_text


@pytest.mark.parametrize("tokens", [WORDS[:1], WORDS, SENTENCE])
def test_nothing_leaves_the_page(tokens):
    n = len(tokens)
    for figure in (
        cache_step(tokens, layers_for(tokens, n_layer=3), n - 1),
        cached_mask(tokens, np.tri(n), 0),
        cached_mask(tokens, np.ones((1, n)), n - 1),
        projection_curve(list(range(1, n + 1)), list(range(1, n + 1)), list(range(1, n + 1))),
        cache_memory(tokens, np.arange(n) * 2**22),
    ):
        assert lies_on_its_page(figure), figure.title
        assert figure.alt_text


def test_the_two_counts_differ_in_more_than_colour():
    figure = cache_step(WORDS, layers_for(WORDS), 1)
    needed, again = figure.axes[1].patches[0], figure.axes[1].patches[1]
    assert needed.get_hatch() != again.get_hatch()
    assert needed.get_facecolor() != again.get_facecolor() == to_rgba("white")


def test_wrong_arguments_are_told():
    [(q, k, v)] = layers_for(WORDS, n_layer=1)
    with pytest.raises(ValueError, match="step must be a whole number from 0 to 3"):
        cache_step(WORDS, [(q, k, v)], 4)
    with pytest.raises(ValueError, match=r"k must have shape \(4, 3\), but yours .*\(3, 3\)"):
        cache_step(WORDS, [(q, k[:3], v)], 0)
    with pytest.raises(ValueError, match="append_kv returned None"):
        cache_step(WORDS, [(q, k, v)], 0, [None])
    with pytest.raises(ValueError, match=r"the keys in the cache must have shape \(n, 3\)"):
        cache_step(WORDS, [(q, k, v)], 0, [(v, v)])
    with pytest.raises(ValueError, match=r"mask must have shape \(2, 4\)"):
        cached_mask(WORDS, np.tri(4), 2)
    with pytest.raises(ValueError, match="n_past must be a whole number from 0 to 3"):
        cached_mask(WORDS, np.tri(4), 4)
    with pytest.raises(ValueError, match=r"with_cache must have shape \(2,\)"):
        projection_curve([1, 2], [1, 3], [1])
    with pytest.raises(ValueError, match=r"sizes must have shape \(1,\)"):
        cache_memory(["GPT-2"], [1, 2])
