"""The widgets of lesson 02: what each query sees, and what the missing divisor does."""

from illustrated_attention.figures.masked_attention import compare_tables, masked_row
from illustrated_attention.figures.needs import learned, need_array, need_mask, need_tokens
from illustrated_attention.language import _
from illustrated_attention.widgets.picture_slider import PictureSlider, static_figures

DIVISORS = (1, 2, 3, 3.5, 3.62, 4, 4.51, 4.6, 8)  # 3.62 to 4.51 fit the article's table
STATIC_DIVISORS = (1, 4)


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
        If a shape does not fit, or if `masked_softmax` stops with an error.
    """
    tokens = need_tokens(tokens)
    square = (len(tokens), len(tokens))
    scores = need_array(scores, "scores", square, "scaled_scores")
    mask = need_mask(mask, square, "causal_mask")
    weights = learned(masked_softmax)(scores.copy(), mask.copy())
    weights = need_array(weights, _("what masked_softmax returns"), square)
    figures = {
        token: masked_row(tokens, scores, mask, weights, query)
        for query, token in enumerate(_distinct(tokens))
    }
    return PictureSlider(
        _("query"), _pages(figures), 1 % len(tokens), static_figures(figures.values())
    )


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
        If a shape does not fit, or if `masked_softmax` stops with an error.
    """
    tokens = need_tokens(tokens)
    square = (len(tokens), len(tokens))
    scores = need_array(scores, "scores", square)
    mask = need_mask(mask, square, "causal_mask")
    masked_softmax, figures = learned(masked_softmax), {}
    for divisor in DIVISORS:
        weights = masked_softmax(scores / divisor, mask.copy())
        weights = need_array(weights, _("what masked_softmax returns"), square)
        name = _("scores / {divisor}").format(divisor=divisor)
        figures[str(divisor)] = compare_tables(tokens, weights, table, name)
    static = static_figures([figures[str(divisor)] for divisor in STATIC_DIVISORS])
    return PictureSlider(_("divisor"), _pages(figures), 0, static)


def _pages(figures):
    return {place: figure._repr_html_() for place, figure in figures.items()}


def _distinct(tokens):
    """Return the tokens, numbered where one comes twice: a slider's places need own names."""
    return [
        f"{token} ({position})" if tokens.count(token) > 1 else token
        for position, token in enumerate(tokens)
    ]
