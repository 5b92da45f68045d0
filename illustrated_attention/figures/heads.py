"""Figures of all heads of a model at once."""

import numpy as np
from matplotlib.colors import Normalize

from illustrated_attention.figures.style import (
    GREY,
    INK,
    MARGIN,
    SMALLEST_TEXT,
    TITLE_SPACE,
    WEIGHTS_MAP,
    WIDTH,
    LessonFigure,
    drawn,
    fit_text,
    need_array,
    need_tokens,
    outline_row,
    percent,
    text_width,
    token_label,
)
from illustrated_attention.language import _

GAP = 0.14  # inches between two maps
HEAD_TITLE, CAPTION = 0.24, 0.26  # inches above and under a map


@drawn
def attention_maps(tokens, weights):
    """Draw the attention weights of every head, a row of maps for each layer.

    Each map has a row for each query and a column for each key. The last query's row is framed,
    and under each map stands where that query looks most.

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
    one_layer = np.ndim(weights) == 3
    if one_layer:
        weights = need_array(weights, "weights", ("H", n, n))[None]
    else:
        weights = need_array(weights, "weights", ("L", "H", n, n))
    n_layer, n_head = weights.shape[:2]
    labels = [token_label(token) for token in tokens]
    names = max(text_width(label, 8.5) for label in labels) + 0.12
    size = min(2.2, (WIDTH - 2 * MARGIN - names - GAP * (n_head - 1)) / n_head)
    label_size = min(8.5, 72 * 0.9 * size / n)
    named = label_size >= SMALLEST_TEXT
    row_height = HEAD_TITLE + size + CAPTION
    bottom = names if named else 0.1
    figure = LessonFigure(
        _("Where every head looks: one map a head, one row a query"),
        height=TITLE_SPACE + row_height * n_layer + bottom + 0.55,
    )
    said = []
    for layer in range(n_layer):
        for head in range(n_head):
            left = MARGIN + names + head * (size + GAP)
            top = TITLE_SPACE + layer * row_height + HEAD_TITLE
            ax = figure.axes_at(left, top, size, size)
            image = ax.imshow(
                weights[layer, head],
                cmap=WEIGHTS_MAP,
                norm=Normalize(0, 1),
                aspect="auto",
                interpolation="nearest",
            )
            ax.spines[:].set(visible=True, color=GREY, linewidth=0.8)
            ax.set(xticks=[], yticks=[])
            if named and head == 0:
                ax.set_yticks(range(n), labels)
            if named and layer == n_layer - 1:
                ax.set_xticks(range(n), labels, rotation=90)
                ax.tick_params(axis="x", pad=72 * CAPTION)
            ax.tick_params(labelsize=label_size, labelcolor=INK)
            for label in (*ax.get_xticklabels(), *ax.get_yticklabels()):
                label.set_parse_math(False)
            outline_row(ax, n - 1)
            name = (_("head {head}") if one_layer else _("layer {layer}, head {head}")).format(
                layer=layer, head=head
            )
            key = int(np.nan_to_num(weights[layer, head, -1], nan=-1).argmax())
            look = f"{labels[key]} {percent(weights[layer, head, -1, key])}"
            said.append(f"{name}: {look}")
            for text, above, style in (
                (name, top - 0.11, {"fontweight": "bold"}),
                (f"▲ {look}", top + size + 0.13, {"color": "#A84A00"}),
            ):
                points = fit_text([text], size, 9)
                if points >= 4.5:
                    figure.write(
                        left + size / 2, above, text, ha="center", fontsize=points, **style
                    )
    height = figure.get_size_inches()[1]
    bar = figure.axes_at(MARGIN + names, height - 0.42, 2.2, 0.12)
    figure.colorbar(image, cax=bar, orientation="horizontal", ticks=[0, 0.5, 1])
    bar.tick_params(labelsize=8, labelcolor=INK)
    figure.write(
        MARGIN + names + 2.5,
        height - 0.36,
        _("weight; ▲ and frame: where the last token, “{token}”, looks most").format(
            token=labels[-1]
        ),
        fontsize=9,
        color=INK,
    )
    figure.alt_text = _(
        "Attention weights of {heads} heads over the tokens {tokens}. "
        "Where the last token, '{token}', looks most: {looks}."
    ).format(
        heads=n_layer * n_head, tokens=", ".join(labels), token=labels[-1], looks="; ".join(said)
    )
    return figure
