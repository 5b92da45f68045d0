"""The widget of lesson 04: the heads of one layer, one at a time."""

from illustrated_attention.figures.heads import attention_maps
from illustrated_attention.figures.multi_head import one_head
from illustrated_attention.figures.needs import need_array, need_tokens
from illustrated_attention.language import _
from illustrated_attention.widgets.picture_slider import PictureSlider, static_figures


def head_switch(tokens, weights, query):
    """Return a slider over the heads, and the attention of the chosen one.

    Without a running kernel, the maps of all heads are shown side by side.

    Parameters
    ----------
    tokens : list of str, length T
    weights : ndarray, [H, T, T]
        The weights of all heads, from the learner's own function.
    query : int
        The position of the token whose row is drawn as bars, from 0.

    Returns
    -------
    PictureSlider

    Raises
    ------
    ValueError
        If the shape or the position does not fit.
    """
    tokens = need_tokens(tokens)
    shape = ("H", len(tokens), len(tokens))
    weights = need_array(weights, "weights", shape, "multi_head_attention")
    overview = attention_maps(tokens, weights)
    pages = {
        head: one_head(tokens, weights, query, head)._repr_html_() for head in range(len(weights))
    }
    return PictureSlider(_("head"), pages, 0, static_figures([overview]))
