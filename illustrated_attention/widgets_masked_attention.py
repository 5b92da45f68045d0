"""The widgets of lesson 02: what each query sees, and what the missing divisor does."""

import ipywidgets

from illustrated_attention.figures.masked_attention import compare_tables, masked_row
from illustrated_attention.figures.style import VERMILION, need_array, need_tokens
from illustrated_attention.language import _

DIVISORS = (1, 2, 3, 3.5, 3.62, 4, 4.51, 4.6, 8)  # 3.62 to 4.51 fit the article's table
STATIC_DIVISORS = (1, 4)

# JupyterLab draws no ring around a slider's handle, so a keyboard user would not see the focus.
FOCUS_RING = (
    "<style>.picture-slider .noUi-handle:focus-visible "
    f"{{outline: 3px solid {VERMILION}; outline-offset: 2px}}</style>"
)


def query_explorer(tokens, scores, mask, masked_softmax):
    """Return a slider over the queries, and what the mask lets each of them see.

    Parameters
    ----------
    tokens : list of str, length T
    scores : ndarray, [T, T]
    mask : bool ndarray, [T, T]
        From the learner's `causal_mask`.
    masked_softmax : callable
        The learner's own function, from scores and mask to weights.

    Returns
    -------
    PictureSlider

    Raises
    ------
    ValueError
        If a shape does not fit.
    """
    tokens = need_tokens(tokens)
    square = (len(tokens), len(tokens))
    scores, mask = need_array(scores, "scores", square), need_array(mask, "mask", square)
    weights = need_array(
        masked_softmax(scores.copy(), mask.astype(bool)), _("what masked_softmax returns"), square
    )
    figures = {
        token: masked_row(tokens, scores, mask, weights, query)
        for query, token in enumerate(_distinct(tokens))
    }
    return PictureSlider(_("query"), figures, first=1 % len(tokens), static=figures)


def divisor_explorer(tokens, scores, table, mask, masked_softmax):
    """Return a slider over divisors of the scores, and the weights beside the printed table.

    Parameters
    ----------
    tokens : list of str, length T
    scores, table : ndarray, [T, T]
    mask : bool ndarray, [T, T]
    masked_softmax : callable
        The learner's own function, from scores and mask to weights.

    Returns
    -------
    PictureSlider

    Raises
    ------
    ValueError
        If a shape does not fit.
    """
    tokens = need_tokens(tokens)
    square = (len(tokens), len(tokens))
    scores, mask = need_array(scores, "scores", square), need_array(mask, "mask", square)
    figures = {}
    for divisor in DIVISORS:
        weights = masked_softmax(scores / divisor, mask.astype(bool))
        weights = need_array(weights, _("what masked_softmax returns"), square)
        name = _("scores / {divisor}").format(divisor=divisor)
        figures[str(divisor)] = compare_tables(tokens, weights, table, name)
    return PictureSlider(
        _("divisor"), figures, first=0, static={str(d): figures[str(d)] for d in STATIC_DIVISORS}
    )


class PictureSlider(ipywidgets.VBox):
    """A slider and one figure for each of its places; the arrow keys move it.

    Where no kernel runs (a page made by nbconvert, feedback, a web preview), the output shows
    the figures of `static` one under the other instead.
    """

    def __init__(self, name, figures, first, static):
        self.static = list(static.values())
        # All are drawn now: the slider then only changes which one is shown, without delay.
        self.pages = {place: figure._repr_html_() for place, figure in figures.items()}
        self.slider = ipywidgets.SelectionSlider(
            options=list(self.pages),
            index=first,
            description=name,
            continuous_update=True,
            layout=ipywidgets.Layout(width="480px", max_width="100%"),
        )
        self.picture = ipywidgets.HTML()
        self.slider.observe(self._draw, names="value")
        self._draw()
        focus_ring = ipywidgets.HTML(FOCUS_RING, layout=ipywidgets.Layout(display="none"))
        super().__init__([self.slider, self.picture, focus_ring])
        self.add_class("picture-slider")

    def _draw(self, _change=None):
        self.picture.value = self.pages[self.slider.value]

    def _repr_mimebundle_(self, **kwargs):
        bundle = super()._repr_mimebundle_(**kwargs)
        bundle["text/html"] = "<br>".join(figure._repr_html_() for figure in self.static)
        bundle["text/plain"] = " ".join(figure.alt_text for figure in self.static)
        return bundle


def _distinct(tokens):
    """Return the tokens, numbered where one comes twice: a slider's places need own names."""
    return [
        f"{token} ({position})" if tokens.count(token) > 1 else token
        for position, token in enumerate(tokens)
    ]
