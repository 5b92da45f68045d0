"""The widget of lesson 04: the heads of one layer, one at a time."""

import ipywidgets

from illustrated_attention.figures.heads import attention_maps
from illustrated_attention.figures.multi_head import one_head
from illustrated_attention.figures.style import VERMILION
from illustrated_attention.language import _

# JupyterLab draws no ring around a slider's handle, so a keyboard user would not see the focus.
FOCUS_RING = (
    "<style>.head-switch .noUi-handle:focus-visible "
    f"{{outline: 3px solid {VERMILION}; outline-offset: 2px}}</style>"
)


def head_switch(tokens, weights, query):
    """Return a slider over the heads, and the attention of the chosen one.

    Parameters
    ----------
    tokens : list of str, length T
    weights : ndarray, [H, T, T]
        The weights of all heads, from the learner's own function.
    query : int
        The position of the token whose row is drawn as bars, from 0.

    Returns
    -------
    HeadSwitch

    Raises
    ------
    ValueError
        If the shape or the position does not fit.
    """
    return HeadSwitch(tokens, weights, query)


class HeadSwitch(ipywidgets.VBox):
    """A slider over the heads and the picture of each; made by `head_switch`.

    Where no kernel runs (a page made by nbconvert, feedback, a web preview), the output shows
    the maps of all heads side by side instead.
    """

    def __init__(self, tokens, weights, query):
        self.overview = attention_maps(tokens, weights)
        # All are drawn now: the slider then only changes which one is shown, without delay.
        self.pages = [
            one_head(tokens, weights, query, head)._repr_html_() for head in range(len(weights))
        ]
        self.slider = ipywidgets.IntSlider(
            value=0,
            min=0,
            max=len(self.pages) - 1,
            description=_("head"),
            continuous_update=True,
            layout=ipywidgets.Layout(width="480px", max_width="100%"),
        )
        self.picture = ipywidgets.HTML()
        self.slider.observe(self._draw, names="value")
        self._draw()
        focus_ring = ipywidgets.HTML(FOCUS_RING, layout=ipywidgets.Layout(display="none"))
        super().__init__([self.slider, self.picture, focus_ring])
        self.add_class("head-switch")

    def _draw(self, _change=None):
        self.picture.value = self.pages[self.slider.value]

    def _repr_mimebundle_(self, **kwargs):
        bundle = super()._repr_mimebundle_(**kwargs)
        bundle["text/html"] = self.overview._repr_html_()
        bundle["text/plain"] = self.overview.alt_text
        return bundle
