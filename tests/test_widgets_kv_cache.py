"""The cache stepper follows its slider, fills the cache with the learner's append_kv, and has a
static picture.
"""

import html
import re

import numpy as np
import pytest

from illustrated_attention.widgets.kv_cache import cache_stepper

WORDS = ["robot", "must", "obey"]
RANDOM = np.random.default_rng(2)
LAYERS = [
    (RANDOM.normal(size=(3, 2)), RANDOM.normal(size=(3, 2)), RANDOM.normal(size=(3, 4)))
    for _layer in range(2)
]


def append_kv(cache, k_new, v_new):
    if cache is None:
        return k_new, v_new
    return np.concatenate([cache[0], k_new]), np.concatenate([cache[1], v_new])


def alt_texts(page):
    return [html.unescape(text) for text in re.findall(r'alt="([^"]*)"', page)]


def test_the_slider_goes_through_all_tokens():
    stepper = cache_stepper(WORDS, LAYERS, append_kv)
    assert list(stepper.slider.options) == [1, 2, 3]
    for step, word in enumerate(WORDS, start=1):
        stepper.slider.value = step
        (alt,) = alt_texts(stepper.picture.value)
        assert f"Step {step}: '{word}' is read." in alt
        assert f"layer 1: keys {step}, values {step}." in alt


def test_the_learners_own_append_kv_fills_the_cache():
    with pytest.raises(
        ValueError, match=r"must be 2 rows of the keys in the cache.*your append_kv left 1"
    ):
        cache_stepper(WORDS, LAYERS, lambda cache, k, v: (k, v))


def test_an_append_kv_that_writes_into_its_arguments_does_not_change_the_layers():
    def careless(cache, k_new, v_new):
        k_new *= 0
        v_new *= 0
        return append_kv(cache, k_new, v_new)

    before = [tuple(array.copy() for array in layer) for layer in LAYERS]
    with pytest.raises(ValueError, match="must be that of 'robot'"):
        cache_stepper(WORDS, LAYERS, careless)
    for layer, old in zip(LAYERS, before, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(layer, old, strict=True))


def test_without_a_kernel_there_are_static_pictures_of_three_steps():
    bundle = cache_stepper(WORDS, LAYERS, append_kv)._repr_mimebundle_()
    starts = [alt.split(":")[0] for alt in alt_texts(bundle["text/html"])]
    assert starts == ["Step 1", "Step 2", "Step 3"]
    assert bundle["text/plain"] == " ".join(alt_texts(bundle["text/html"]))


def test_one_token_alone_is_one_step():
    one = [tuple(array[:1] for array in layer) for layer in LAYERS]
    stepper = cache_stepper(WORDS[:1], one, append_kv)
    assert len(alt_texts(stepper._repr_mimebundle_()["text/html"])) == 1


def test_wrong_results_are_told():
    with pytest.raises(ValueError, match=r"append_kv|returned None"):
        cache_stepper(WORDS, LAYERS, lambda cache, k, v: None)
    with pytest.raises(ValueError, match=r"the values in the cache must have shape \(n, 4\)"):
        cache_stepper(WORDS, LAYERS, lambda cache, k, v: (k, k))
