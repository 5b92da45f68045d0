"""Figures of all heads of a model at once."""

import numpy as np

from illustrated_attention.figures.cells import (
    SMALLEST_TEXT,
    colour_bar,
    coloured,
    framed_cells,
    hatched,
    plain_names,
)
from illustrated_attention.figures.needs import axes, need_array, need_tokens
from illustrated_attention.figures.page import MARGIN, ROOM, TITLE_SPACE, LessonFigure, drawn
from illustrated_attention.figures.palette import DARK_VERMILION, GREY, INK
from illustrated_attention.figures.words import fit_text, percent, text_width, token_label
from illustrated_attention.language import _, labelled, listed, parted

GAP = 0.14  # inches between two maps
HEAD_TITLE, CAPTION = 0.24, 0.52  # inches above and under a map


@drawn
def attention_maps(tokens, weights):
    """Draw the attention weights of every head, a row of maps for each layer.

    Each map has a row for each query and a column for each key. Where there is room for words, the
    last query's row is framed, and under each map stands where that query looks most.

    Parameters
    ----------
    tokens : list of str, length T
    weights : ndarray, [L, H, T, T] or [H, T, T]
        The weights of all layers, or of one layer (then the layers are not numbered).

    Returns
    -------
    LessonFigure

    Raises
    ------
    ValueError
        If the shape of `weights` does not fit.
    """
    tokens = need_tokens(tokens)
    n = len(tokens)
    one_layer = axes(weights) == 3
    if one_layer:
        weights = need_array(weights, "weights", ("H", n, n), "multi_head_attention")[None]
    else:
        weights = need_array(weights, "weights", ("L", "H", n, n), "multi_head_attention")
    n_layer, n_head = weights.shape[:2]
    labels = [token_label(token) for token in tokens]
    names = max(text_width(label, 9) for label in labels) + 0.12
    size = min(2.2, (ROOM - names - GAP * (n_head - 1)) / n_head)
    label_size = min(9, 72 * 0.9 * size / n)
    large = label_size >= SMALLEST_TEXT  # room for the tokens beside each map
    row_height = (HEAD_TITLE + size + CAPTION) if large else size + GAP
    causal = n > 1 and not weights[:, :, *np.triu_indices(n, 1)].any()
    looks = np.nan_to_num(weights[:, :, -1], nan=-1)
    captions = [[(labels[row.argmax()], percent(row.max())) for row in layer] for layer in looks]
    title_space = TITLE_SPACE + (0 if large else HEAD_TITLE)
    figure = LessonFigure(
        _("Where every head looks: one map a head, one row a query"),
        height=title_space + row_height * n_layer + (names if large else 0.1) + 0.55,
    )
    said = []
    for layer in range(n_layer):
        for head in range(n_head):
            left = MARGIN + names + head * (size + GAP)
            top = title_space + layer * row_height + (HEAD_TITLE if large else 0)
            ax = figure.axes_at(left, top, size, size)
            _draw_map(ax, weights[layer, head], causal, hatch=large)
            short = _("head {head}").format(head=head)
            name = (
                short
                if one_layer
                else _("layer {layer}, head {head}").format(layer=layer, head=head)
            )
            said.append(labelled(name, " ".join(captions[layer][head])))
            middle = left + size / 2
            if large:
                _write_tokens(ax, labels, label_size, head == 0, layer == n_layer - 1)
                framed_cells(ax, 0, n - 1, n)
                _write_to_fit(figure, middle, top - 0.11, name, size, fontweight="bold")
                most = left + (looks[layer, head].argmax() + 0.5) * size / n
                below = top + size
                _write_where_it_looks(figure, most, middle, below, captions[layer][head], size)
            elif layer == 0:
                _write_to_fit(figure, middle, top - 0.11, short, size, fontweight="bold")
        if not large and not one_layer:
            figure.write(
                MARGIN + names - 0.12,
                top + size / 2,
                _("layer {layer}").format(layer=layer),
                ha="right",
                fontsize=9,
                fontweight="bold",
            )
    height = figure.get_size_inches()[1]
    bar = figure.axes_at(MARGIN + names, height - 0.42, 2.2, 0.12)
    colour_bar(bar, "weights", 1.0)
    notes = [_("weight")]
    if large:
        notes = [_("▲ and frame: where “{token}” looks most").format(token=labels[-1])]
    if causal:
        notes.append(_("hatched: later tokens, hidden"))
    for line, note in enumerate(notes):
        place = (MARGIN + names + 2.5, height - 0.44 + 0.2 * line)
        figure.write(*place, note, fontsize=9, color=INK)
    figure.alt_text = _(
        "Attention weights over the tokens {tokens}. Number of heads: {heads}. "
        "Where the last token, '{token}', looks most: {looks}."
    ).format(heads=n_layer * n_head, tokens=listed(labels), token=labels[-1], looks=parted(said))
    return figure


def _draw_map(ax, weights, causal, hatch):
    """Draw one head's weights [T, T]; of a causal one, what lies after each query is hidden."""
    n = len(weights)
    shown = weights.copy()
    if causal:  # later tokens cannot be seen: not the same as a weight of 0
        shown[np.triu_indices(n, 1)] = np.nan
    coloured(ax, shown, "weights")
    for row in range(n - 1 if causal and hatch else 0):
        hatched(ax, row + 0.5, row - 0.5, n - 1 - row)
    ax.spines[:].set(visible=True, color=GREY, linewidth=0.8)


def _write_where_it_looks(figure, most, middle, top, caption, width):
    """Mark under a map the column of the largest weight, and write its token and its share."""
    mark = {"ha": "center", "fontsize": 9, "color": DARK_VERMILION}
    figure.write(most, top + 0.09, "▲", **mark)
    for line, text in enumerate(caption):
        place = top + 0.24 + 0.16 * line
        _write_to_fit(figure, middle, place, text, width, color=DARK_VERMILION)


def _write_tokens(ax, labels, size, beside, under):
    """Label the rows and columns of a map with the tokens."""
    if beside:
        ax.set_yticks(range(len(labels)), labels)
    if under:
        ax.set_xticks(range(len(labels)), labels, rotation=90)
        ax.tick_params(axis="x", pad=72 * CAPTION)
    ax.tick_params(labelsize=size, labelcolor=INK)
    plain_names(ax)


def _write_to_fit(figure, left, top, text, width, **style):
    figure.write(left, top, text, ha="center", fontsize=fit_text([text], width, 9), **style)
