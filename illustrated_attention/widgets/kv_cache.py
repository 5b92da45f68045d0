"""The widget of lesson 03: what the cache holds, token by token."""

from illustrated_attention.figures.kv_cache import cache_step, need_layers
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
    layers = need_layers(layers, len(tokens))
    append_kv = learned(append_kv)
    figures, caches = [], [None] * len(layers)
    for step in range(len(tokens)):
        caches = [
            append_kv(cache, k[step : step + 1].copy(), v[step : step + 1].copy())
            for cache, (_q, k, v) in zip(caches, layers, strict=True)
        ]
        figures.append(cache_step(tokens, layers, step, caches))
    shown = sorted({0, min(1, len(tokens) - 1), len(tokens) - 1})
    return PictureSlider(
        _("step"),
        {step: figure._repr_html_() for step, figure in enumerate(figures, 1)},
        0,
        static_figures([figures[step] for step in shown]),
    )
