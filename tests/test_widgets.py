"""The scale explorer follows its slider, uses the learner's softmax, and has a static picture."""

import base64
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from illustrated_attention.figures.words import percent
from illustrated_attention.widgets.self_attention import FACTORS, STATIC_FACTORS, scale_explorer

WORDS = ["robot", "must", "obey", "orders"]
SCORES = np.array([0.81, 0.86, 0.38, 0.90])  # the article's numbers for "orders"


def softmax(scores):
    powers = np.exp(scores - scores.max())
    return powers / powers.sum()


def bar_heights(svg):
    root = ElementTree.fromstring(svg)
    return [float(bar.get("height")) for bar in root.iter() if bar.get("class") == "bar"]


def label(svg):
    return ElementTree.fromstring(svg).get("aria-label")


def static_svg(explorer):
    page = explorer._repr_mimebundle_()["text/html"]
    (data,) = re.findall(r"data:image/svg\+xml;base64,([^\"]+)", page)
    return base64.b64decode(data).decode("utf-8")


def test_the_bars_are_the_softmax_of_the_scores_times_the_factor():
    explorer = scale_explorer(WORDS, SCORES, softmax)
    for factor in FACTORS:
        explorer.slider.value = factor
        heights = np.array(bar_heights(explorer.picture.value))
        assert heights / heights.sum() == pytest.approx(softmax(SCORES * factor), abs=1e-4)


def test_the_picture_says_the_same_numbers_in_words():
    explorer = scale_explorer(WORDS, SCORES, softmax)
    explorer.slider.value = 5
    weights = softmax(SCORES * 5)
    for token, weight in zip(WORDS, weights, strict=True):
        assert f"'{token}' {percent(weight)}" in label(explorer.picture.value)
        assert percent(weight) in explorer.picture.value.replace("&lt;", "<")


def test_it_starts_with_the_scores_as_they_are():
    explorer = scale_explorer(WORDS, SCORES, softmax)
    assert explorer.slider.value == 1
    assert "Scores times 1:" in label(explorer.picture.value)


def test_the_learners_own_softmax_is_used():
    explorer = scale_explorer(WORDS, SCORES, lambda scores: np.full(4, 0.25))
    explorer.slider.value = 20
    assert len(set(bar_heights(explorer.picture.value))) == 1


def test_a_softmax_that_changes_its_argument_does_not_spoil_the_next_picture():
    def careless(scores):
        scores -= scores.max()
        np.exp(scores, out=scores)
        scores /= scores.sum()
        return scores

    explorer = scale_explorer(WORDS, SCORES, careless)
    explorer.slider.value = 20
    explorer.slider.value = 1
    assert explorer.picture.value == scale_explorer(WORDS, SCORES, softmax).picture.value


def test_without_a_kernel_there_is_a_static_picture_of_four_factors():
    explorer = scale_explorer(WORDS, SCORES, softmax)
    bundle = explorer._repr_mimebundle_()
    assert bundle["text/html"].count("<img alt=") == 1
    heights = np.array(bar_heights(static_svg(explorer))).reshape(len(STATIC_FACTORS), 4)
    for row, factor in zip(heights, STATIC_FACTORS, strict=True):
        assert row / row.sum() == pytest.approx(softmax(SCORES * factor), abs=1e-4)


def test_the_plain_text_form_tells_the_numbers():
    text = scale_explorer(WORDS, SCORES, softmax)._repr_mimebundle_()["text/plain"]
    assert text == label(static_svg(scale_explorer(WORDS, SCORES, softmax)))
    assert "Scores times 20:" in text


def test_tokens_are_escaped():
    svg = scale_explorer(['<b>"', "&"], [1.0, 2.0], softmax).picture.value
    assert "<b>" not in svg
    assert '<b>"' in label(svg)


def test_wrong_arguments_are_told():
    with pytest.raises(ValueError, match=r"scores must have shape \(4,\)"):
        scale_explorer(WORDS, np.zeros((4, 4)), softmax)
    with pytest.raises(ValueError, match=r"what softmax returns is None.*return"):
        scale_explorer(WORDS, SCORES, lambda scores: None)
    with pytest.raises(ValueError, match=r"what softmax returns must have shape \(4,\)"):
        scale_explorer(WORDS, SCORES, lambda scores: 1.0)


def test_a_softmax_that_overflows_is_drawn_and_not_hidden():
    def overflowing(scores):
        powers = np.exp(scores * 100)
        return powers / powers.sum()

    with np.errstate(all="ignore"):
        explorer = scale_explorer(WORDS, SCORES, overflowing)
        explorer.slider.value = 20
    assert "nan" in explorer.picture.value
