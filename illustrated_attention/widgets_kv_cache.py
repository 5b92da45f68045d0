"""The widget of lesson 03: what the cache holds, token by token."""

import ipywidgets

from illustrated_attention.figures.kv_cache import cache_step
from illustrated_attention.figures.style import need_tokens
from illustrated_attention.language import _


def cache_stepper(tokens, layers, append_kv):
    """Return a slider over the tokens of a text, and what the learner's cache holds after each.

    Parameters
    ----------
    tokens : list of str, length T
    layers : list of (q, k, v)
        For each layer the queries and keys [T, d] and the values [T, dv] of all tokens.
    append_kv : callable
        The learner's own function: from a cache, new keys and new values to the next cache.

    Returns
    -------
    CacheStepper

    Raises
    ------
    ValueError
        If a shape does not fit, or if `append_kv` does not return a pair of arrays.
    """
    return CacheStepper(need_tokens(tokens), layers, append_kv)


class CacheStepper(ipywidgets.VBox):
    """A slider over the steps and the picture of each; made by `cache_stepper`.

    Where no kernel runs (a page made by nbconvert, feedback, a web preview), the output shows the
    first, the second and the last step instead.
    """

    def __init__(self, tokens, layers, append_kv):
        # All are drawn now: the slider then only changes which one is shown, without delay.
        self.figures, caches = [], [None] * len(layers)
        for step in range(len(tokens)):
            caches = [
                append_kv(cache, k[step : step + 1].copy(), v[step : step + 1].copy())
                for cache, (_q, k, v) in zip(caches, layers, strict=True)
            ]
            self.figures.append(cache_step(tokens, layers, step, caches))
        self.pages = [figure._repr_html_() for figure in self.figures]
        self.slider = ipywidgets.IntSlider(
            value=1,
            min=1,
            max=len(tokens),
            description=_("step"),
            continuous_update=True,
            layout=ipywidgets.Layout(width="480px", max_width="100%"),
        )
        self.picture = ipywidgets.HTML()
        self.slider.observe(self._draw, names="value")
        self._draw()
        super().__init__([self.slider, self.picture])

    def _draw(self, _change=None):
        self.picture.value = self.pages[self.slider.value - 1]

    def _repr_mimebundle_(self, **kwargs):
        bundle = super()._repr_mimebundle_(**kwargs)
        shown = sorted({0, min(1, len(self.pages) - 1), len(self.pages) - 1})
        bundle["text/html"] = "<br>".join(self.pages[i] for i in shown)
        bundle["text/plain"] = " ".join(self.figures[i].alt_text for i in shown)
        return bundle
