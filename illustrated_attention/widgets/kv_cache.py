"""The widget of lesson 03: what the cache holds, token by token."""

import functools

from illustrated_attention.figures.kv_cache import cache_step, need_caches, need_layers
from illustrated_attention.figures.needs import learned, need_tokens
from illustrated_attention.language import _


def cache_stepper(tokens, layers, append_kv):
    """Return a slider over the tokens of a text, and what the learner's cache holds after each.

    Without a running kernel, the first, the second and the last step are shown.

    Parameters
    ----------
    tokens : list of str, length T
    layers : list of (q, k, v)
        For each layer the queries and keys [T, d] and the values [T, dv] of all tokens.
    append_kv : callable
        The learner's own function: from a cache, new keys and new values to the next cache.

    Returns
    -------
    PictureSlider

    Raises
    ------
    ValueError
        If a shape does not fit, if `append_kv` stops with an error, or if a cache does not hold the
        keys and values of the tokens so far, in their order.
    """
    # As with the explorer: ipywidgets waits for the widget.
    from illustrated_attention.widgets.picture_slider import PictureSlider, static_figures

    tokens = need_tokens(tokens)
    layers = [tuple(part.copy() for part in layer) for layer in need_layers(layers, len(tokens))]
    append_kv = learned(append_kv)
    # All steps are taken now, so that a function that fails does so in the cell. A picture is drawn
    # when its step is shown.
    kept, caches = [], [None] * len(layers)
    for step in range(len(tokens)):
        caches = [
            append_kv(cache, k[step : step + 1].copy(), v[step : step + 1].copy())
            for cache, (_q, k, v) in zip(caches, layers, strict=True)
        ]
        kept.append(need_caches(caches, layers, tokens, step))

    @functools.cache
    def figure(number):
        return cache_step(tokens, layers, number - 1, kept[number - 1])

    numbers = range(1, len(tokens) + 1)
    shown = sorted({1, min(2, len(tokens)), len(tokens)})
    return PictureSlider(
        _("step"),
        numbers,
        lambda number: figure(number)._repr_html_(),
        static_figures([figure(number) for number in shown]),
    )
