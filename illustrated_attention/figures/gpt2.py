"""Figures of lessons 06 and 07: the parts of a block, what a head is for, and the parameters."""

import math

import numpy as np
from matplotlib.patches import FancyBboxPatch, PathPatch, Rectangle
from matplotlib.path import Path

from illustrated_attention.figures.cells import (
    bars,
    framed_cells,
    heatmap,
    largest_size,
    numbered,
    token_axis_height,
)
from illustrated_attention.figures.equations import CELL_HEIGHT, Grid
from illustrated_attention.figures.needs import (
    NotDrawn,
    need_array,
    need_dict,
    need_finite,
    need_heads,
    need_tokens,
)
from illustrated_attention.figures.page import (
    MARGIN,
    ROOM,
    TITLE_SPACE,
    WIDTH,
    LessonFigure,
    drawn,
    name_line,
)
from illustrated_attention.figures.palette import (
    AMBER,
    BLUE,
    DARK_BLUE,
    DARK_GREEN,
    DARK_VERMILION,
    GREEN,
    GREY,
    INK,
    PAGE,
    PALE,
    SKY,
    VERMILION,
)
from illustrated_attention.figures.words import (
    TIMES,
    describe_array,
    fit_text,
    number,
    percent,
    text_width,
    token_label,
)
from illustrated_attention.language import _, listed, quoted, together

UNCOLOURED = 1e9  # a colour scale that ends so far away that all cells stay white


# --- layer norm and GELU ----------------------------------------------------------------------


@drawn
def normalised(x, out, tokens):
    """Draw tokens before and after layer norm, with the mean and the variance of each.

    Parameters
    ----------
    x, out : ndarray, [T, D]
    tokens : list of str, length T

    Returns
    -------
    LessonFigure

    Raises
    ------
    ValueError
        If a shape does not fit.
    """
    tokens = need_tokens(tokens)
    x = need_array(x, "x", (len(tokens), "D"))
    out = need_array(out, "out", x.shape, "layer_norm")

    def measures(array):
        return np.stack([array.mean(axis=-1), array.var(axis=-1)], axis=-1)

    names = [_("mean"), _("variance")]
    labels = MARGIN + Grid(x, "", tokens).label_width()
    columns = x.shape[1] + 3  # the array, a gap, two measures
    cell = min(0.7, (WIDTH - MARGIN - labels) / columns)
    panel = 0.5 + CELL_HEIGHT * len(tokens)
    figure = LessonFigure(
        _("Layer norm: mean and variance of each token, before and after"),
        height=TITLE_SPACE + 2 * panel + 0.1,
    )
    for place, (name, array) in enumerate(((_("before"), x), (_("after"), out))):
        top, height = TITLE_SPACE + panel * place + 0.28, CELL_HEIGHT * len(tokens)
        heatmap(figure.axes_at(labels, top, cell * x.shape[1], height), array, tokens, name=name)
        start = labels + cell * (x.shape[1] + 1)
        ax = figure.axes_at(start, top, cell * 2, height)
        numbered(ax, measures(array), limit=UNCOLOURED)
        for column, measure in enumerate(names):
            middle = start + cell * (column + 0.5)
            size = fit_text(names, 0.95 * cell)
            figure.write(middle, top - 0.12, measure, ha="center", fontsize=size)
    sentence = _("{token}: mean {mean} and variance {variance} before, {now} and {after} after.")
    figure.alt_text = together(
        describe_array(_("Before"), x, tokens),
        describe_array(_("After"), out, tokens),
        *(
            sentence.format(
                token=token,
                mean=number(before[0]),
                variance=number(before[1]),
                now=number(after[0]),
                after=number(after[1]),
            )
            for token, before, after in zip(tokens, measures(x), measures(out), strict=True)
        ),
    )
    return figure


@drawn
def activation(x, y):
    """Draw the curve of an activation function beside ReLU's.

    Parameters
    ----------
    x : ndarray, [n]
        Rising numbers.
    y : ndarray, [n]
        What the function makes of them.

    Returns
    -------
    LessonFigure

    Raises
    ------
    ValueError
        If a shape does not fit.
    """
    x = need_finite(x, "x", ("n",))
    y = need_finite(y, "y", x.shape, "gelu")
    figure = LessonFigure(_("GELU: large numbers pass, far negative ones are stopped"), height=3.5)
    ax = figure.axes_at(MARGIN + 0.5, TITLE_SPACE, 5.6, 2.35)
    ax.axhline(0, color=GREY, linewidth=1)
    ax.axvline(0, color=PALE, linewidth=1.2, zorder=0)
    relu = np.maximum(x, 0)
    for values, colour, line, width, name, shift in (
        (relu, VERMILION, "--", 1.8, "ReLU", -10),
        (y, BLUE, "-", 2.6, "GELU", 10),
    ):
        ax.plot(x, values, line, color=colour, linewidth=width)
        name_line(ax, name, (x[-1], values[-1]), colour, (8, shift))
    lowest = int(np.nanargmin(y))
    ax.plot(x[lowest], y[lowest], "o", color=BLUE, markersize=7, markeredgecolor=PAGE)
    ax.annotate(
        _("lowest: {y} at {x}").format(y=number(y[lowest]), x=number(x[lowest])),
        (x[lowest], y[lowest]),
        (0, -9),
        textcoords="offset points",
        ha="right" if lowest > len(x) / 3 else "left",
        va="top",
        fontsize=9.5,
        color=DARK_BLUE,
        fontweight="bold",
    )
    ax.set_xlim(x[0], x[-1])
    ax.set_ylim(min(np.nanmin(y), 0) - 0.5, max(np.nanmax(y), relu[-1]) + 0.1)
    ax.tick_params(labelcolor=INK)
    ax.grid(axis="y", color=PALE, linewidth=1.2)
    ax.set_axisbelow(True)
    ax.set_xlabel(_("a number that comes out of c_fc"))
    ends = _("GELU makes {first} of {x_first} and {last} of {x_last}; its lowest value is {low}.")
    figure.alt_text = together(
        _("Two curves, GELU and ReLU."),
        ends.format(
            first=number(y[0]),
            x_first=number(x[0]),
            last=number(y[-1]),
            x_last=number(x[-1]),
            low=_("{y} at {x}").format(y=number(y[lowest]), x=number(x[lowest])),
        ),
        _("ReLU is 0 for all negative numbers."),
    )
    return figure


# --- the block --------------------------------------------------------------------------------

STEP_HEIGHT, LANE = 0.62, 1.5  # inches: a box, and one half of the block
FIRST_BOX, BOX, SPACE = 0.72, 1.04, 0.475


@drawn
def block_flow(params, n_tokens, n_head):
    """Draw one block as a flow of boxes with the shapes of all arrays.

    Parameters
    ----------
    params : dict of str to ndarray
        The weights of one block: ``ln_1.weight``, ``attn.c_attn.weight`` and so on.
    n_tokens : int
    n_head : int

    Returns
    -------
    LessonFigure

    Raises
    ------
    ValueError
        If a weight matrix is missing.
    """
    params, shapes = need_dict(params, "params"), {}
    for name in ("attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj"):
        if f"{name}.weight" not in params:
            raise NotDrawn(
                _(
                    "params holds no {name}.weight. It must hold the weights of one block: "
                    'part(params, "h.0.") for the first.'
                ).format(name=name)
            )
        weight = need_array(params[f"{name}.weight"], f"{name}.weight", ("n", "m"))
        shapes[name] = weight.shape
    width = shapes["attn.c_attn"][0]
    d = need_heads(n_head, width)

    def by(*sizes):
        return TIMES.join(str(size) for size in sizes)

    def product(name, shown):
        return shown, f"@ {by(*shapes[name])}"

    stream, wide = by(n_tokens, width), by(n_tokens, shapes["mlp.c_fc"][1])
    lanes = [
        (
            _("First half: tokens look at each other"),
            [
                ("ln_1", _("each token"), SKY),
                (*product("attn.c_attn", "c_attn"), AMBER),
                (
                    _("{n} heads").format(n=n_head),
                    _("{weights} weights").format(weights=by(n_head, n_tokens, n_tokens)),
                    GREEN,
                ),
                (*product("attn.c_proj", "c_proj"), AMBER),
            ],
            [stream, by(n_tokens, shapes["attn.c_attn"][1]), stream, stream],
        ),
        (
            _("Second half: each token by itself"),
            [
                ("ln_2", _("each token"), SKY),
                (*product("mlp.c_fc", "c_fc"), AMBER),
                ("GELU", _("each number"), SKY),
                (*product("mlp.c_proj", "c_proj"), AMBER),
            ],
            [stream, wide, wide, stream],
        ),
    ]
    figure = LessonFigure(
        _("One block: each half adds its result to what came in"),
        height=TITLE_SPACE + 2 * LANE,
    )
    ax = figure.whole_page()
    said = []
    for row, (name, boxes, between) in enumerate(lanes):
        top = TITLE_SPACE + row * LANE
        middle = top + 0.62 + STEP_HEIGHT / 2
        figure.write(MARGIN, top + 0.12, name, fontsize=10.5, fontweight="bold", color=DARK_BLUE)
        figure.write(MARGIN, middle, "x", fontsize=13, fontweight="bold")
        figure.write(MARGIN, middle + 0.22, stream, fontsize=9, color=GREY)
        left = FIRST_BOX
        figure.arrow((MARGIN + 0.22, middle), (left, middle))
        for place, ((label, note, colour), shape) in enumerate(zip(boxes, between, strict=True)):
            _step(ax, left, middle - STEP_HEIGHT / 2, label, note, colour)
            left += BOX
            figure.arrow((left, middle), (left + SPACE, middle))
            text = figure.write(left + SPACE / 2, middle - 0.13, shape, ha="center", color=GREY)
            text.set_fontsize(fit_text([shape], 0.9 * SPACE, 9))
            left += SPACE
            text = _("{label} ({note}): {shape};") if place < 3 else _("{label} ({note}): {shape}.")
            said.append(text.format(label=label, note=note, shape=shape))
        _sum(ax, figure, left + 0.15, middle, branch=MARGIN + 0.34, over=top + 0.42)
        figure.arrow((left + 0.3, middle), (left + 0.47, middle))
        figure.write(left + 0.5, middle, "x", fontsize=13, fontweight="bold")
        said.append(_("The result is added to x."))
    figure.alt_text = together(
        _("Flow of one block. x has the shape {shape}; a head has {d} numbers.").format(
            shape=stream, d=d
        ),
        _("{name}:").format(name=lanes[0][0]),
        *said[:5],
        _("{name}:").format(name=lanes[1][0]),
        *said[5:],
    )
    return figure


def _step(ax, left, top, label, note, colour):
    """Draw one box of the flow, in inches."""
    ax.add_patch(
        FancyBboxPatch(
            (left + 0.05, top + 0.05),
            BOX - 0.1,
            STEP_HEIGHT - 0.1,
            boxstyle="round,pad=0.05",
            facecolor=PAGE,
            edgecolor=colour,
            linewidth=2,
        )
    )
    ax.add_patch(Rectangle((left + 0.03, top + 0.04), BOX - 0.06, 0.05, facecolor=colour))
    middle = left + BOX / 2
    ax.text(
        middle, top + 0.25, label, ha="center", va="center", fontsize=10.5, fontweight="bold"
    ).set_parse_math(False)
    size = fit_text([note], 0.97 * BOX, 9)
    ax.text(
        middle, top + 0.46, note, ha="center", va="center", fontsize=size, color=INK
    ).set_parse_math(False)


def _sum(ax, figure, centre, middle, branch, over):
    """Draw the sum at the end of a half, and the way round the half that leads to it."""
    radius = 0.15
    path = Path(
        [(branch, middle), (branch, over), (centre, over), (centre, middle - radius)],
        [Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO],
    )
    ax.add_patch(PathPatch(path, fill=False, edgecolor=BLUE, linewidth=2.6))
    figure.arrow((centre, middle - radius - 0.12), (centre, middle - radius), color=BLUE)
    box = FancyBboxPatch(
        (centre - 0.06, middle - 0.06),
        0.12,
        0.12,
        boxstyle="round,pad=0.09",
        facecolor=PAGE,
        edgecolor=BLUE,
        linewidth=2,
    )
    ax.add_patch(box)
    ax.text(centre, middle, "+", ha="center", va="center", fontsize=13, fontweight="bold")
    ax.text(
        (branch + centre) / 2,
        over,
        _("x goes round, unchanged"),
        ha="center",
        va="center",
        fontsize=9,
        color=DARK_BLUE,
        bbox={"facecolor": PAGE, "edgecolor": "none", "pad": 1.5},
    )


# --- what the model predicts ------------------------------------------------------------------


@drawn
def next_words(words, probabilities):
    """Draw the probabilities of some next words, a strip of bars for each version of a model.

    A hatched bar stands for all other words, so that the bars of a strip make 100 %.

    Parameters
    ----------
    words : list of str, length n
    probabilities : dict of str to ndarray [n]
        By the name of the version, such as ``"all heads"``.

    Returns
    -------
    LessonFigure

    Raises
    ------
    ValueError
        If a shape does not fit, or `probabilities` is empty.
    """
    words = need_tokens(words)
    probabilities = need_dict(probabilities, "probabilities")
    rows = {name: need_array(p, name, (len(words),), "gpt2") for name, p in probabilities.items()}
    rest = _("others")
    rows = {name: np.append(row, max(0.0, 1 - row.sum())) for name, row in rows.items()}
    words = [*words, rest]
    names = MARGIN + max(text_width(name, 10) for name in rows) * 1.12 + 0.25
    width = WIDTH - MARGIN - names
    below = token_axis_height(words, width / len(words))
    figure = LessonFigure(
        _("Probability of the next word"), height=TITLE_SPACE + 1.15 * len(rows) + below
    )
    highest = max(largest_size(row) for row in rows.values())
    for place, (name, row) in enumerate(rows.items()):
        top = TITLE_SPACE + 1.15 * place
        ax = figure.axes_at(names, top, width, 1.05)
        bars(ax, row, words, limits=(0, 1.24 * highest), colour=BLUE if place == 0 else GREEN)
        ax.patches[-1].set(facecolor=PALE, hatch="////")
        if place < len(rows) - 1:
            ax.set_xticks([])
        figure.write(MARGIN, top + 0.75, name, fontweight="bold", fontsize=10)
    figure.alt_text = together(
        *(
            _("{name}: {values}.").format(
                name=name,
                values=listed(
                    f"{quoted(token_label(word))} {percent(p)}"
                    for word, p in zip(words, row, strict=True)
                ),
            )
            for name, row in rows.items()
        )
    )
    return figure


@drawn
def every_head_off(probabilities, before):
    """Draw what becomes of a probability when each head alone is switched off.

    Parameters
    ----------
    probabilities : ndarray, [L, H]
        With the head of this layer and this place switched off.
    before : float
        With all heads on.

    Returns
    -------
    LessonFigure

    Raises
    ------
    ValueError
        If the shape does not fit.
    """
    probabilities = need_finite(probabilities, "probabilities", ("L", "H"), "gpt2")
    before = float(need_array(before, "before", (), "gpt2"))
    n_layer, n_head = probabilities.shape
    layers = [_("layer {layer}").format(layer=layer) for layer in range(n_layer)]
    heads = [_("head {head}").format(head=head) for head in range(n_head)]
    cell = min(0.9, (ROOM - 1) / n_head)
    figure = LessonFigure(
        _("One head off at a time: {before} with all heads on").format(before=percent(before)),
        height=TITLE_SPACE + 0.5 + 0.36 * n_layer + 0.45,
    )
    ax = figure.axes_at(MARGIN + 0.8, TITLE_SPACE + 0.5, cell * n_head, 0.36 * n_layer)
    heatmap(ax, probabilities, layers, heads, fmt=".0%", colours="weights", limit=1.0)
    ax.set_title("")
    for text in ax.texts:
        if TIMES in text.get_text():
            text.set_text(_("probability, that head off"))
    lowest = np.unravel_index(np.nanargmin(probabilities), probabilities.shape)
    framed_cells(ax, lowest[1], lowest[0])
    name = _("layer {layer}, head {head}").format(layer=lowest[0], head=lowest[1])
    figure.write(
        MARGIN + 0.8,
        TITLE_SPACE + 0.5 + 0.36 * n_layer + 0.2,
        "□ " + _("lowest: {name}").format(name=name),
        fontweight="bold",
        color=DARK_VERMILION,
    )
    figure.alt_text = together(
        _("The probability is {before} with all heads on.").format(before=percent(before)),
        _("With one head off it is, by layer:"),
        *(
            _("{label}: {values}.").format(label=layer, values=listed(map(percent, row)))
            for layer, row in zip(layers, probabilities, strict=True)
        ),
        _("The lowest is {name}.").format(name=name),
    )
    return figure


# --- where the parameters are -----------------------------------------------------------------

GROUPS = (
    ("wte", ("wte.",)),
    ("wpe", ("wpe.",)),
    ("attention", (".attn.",)),
    ("MLP", (".mlp.",)),
    ("layer norms", ("ln_",)),
)


@drawn
def parameter_counter(shapes, counted):
    """Draw where the parameters of a model are, and compare their sum with a count.

    Parameters
    ----------
    shapes : dict of str to tuple of int
        The shape of every parameter, under Hugging Face's names.
    counted : int
        What a formula says.

    Returns
    -------
    LessonFigure

    Raises
    ------
    ValueError
        If a parameter belongs to no known part, or `counted` is not a number.
    """
    counted = float(need_array(counted, "counted", (), "count_parameters"))
    shapes = need_dict(shapes, "shapes")
    sums = {name: 0 for name, _marks in GROUPS}
    for parameter, shape in shapes.items():
        found = [name for name, marks in GROUPS if any(mark in parameter for mark in marks)]
        if len(found) != 1:
            raise NotDrawn(
                _("{parameter} is not a parameter of GPT-2.").format(parameter=parameter)
            )
        if not isinstance(shape, tuple):
            raise NotDrawn(_("The shape of {parameter} is missing.").format(parameter=parameter))
        sums[found[0]] += math.prod(shape)
    total = sum(sums.values())
    names = {
        "wte": _("wte: one row a word"),
        "wpe": _("wpe: one row a position"),
        "attention": _("attention, all layers"),
        "MLP": _("MLP, all layers"),
        "layer norms": _("layer norms"),
    }
    row = 0.34
    figure = LessonFigure(
        _("Where the {total} parameters are").format(total=f"{total:,}"),
        height=TITLE_SPACE + row * len(sums) + 0.55,
    )
    left = MARGIN + max(text_width(name, 10) for name in names.values()) + 0.12
    width = WIDTH - MARGIN - 1.75 - left
    ax = figure.axes_at(left, TITLE_SPACE, width, row * len(sums))
    ax.set(xlim=(0, max(*sums.values(), 1)), ylim=(len(sums) - 0.5, -0.5), xticks=[], yticks=[])
    colours = (BLUE, SKY, GREEN, AMBER, GREY)
    ax.barh(
        range(len(sums)), list(sums.values()), 0.66, color=colours, edgecolor=INK, linewidth=0.8
    )
    ax.axvline(0, color=GREY, linewidth=1)
    for place, (name, size) in enumerate(sums.items()):
        top = TITLE_SPACE + row * (place + 0.5)
        figure.write(left - 0.1, top, names[name], ha="right", fontsize=10)
        figure.write(
            left + width * size / max(*sums.values(), 1) + 0.08,
            top,
            f"{size:,}  ({percent(size / total)})",
            fontsize=9,
        )
    same = counted == total
    verdict = (
        _("✓ your count is the same: {counted}") if same else _("✗ your count is {counted}")
    ).format(counted=f"{counted:,.0f}")
    figure.write(
        left,
        TITLE_SPACE + row * len(sums) + 0.25,
        verdict,
        fontweight="bold",
        color=DARK_GREEN if same else DARK_VERMILION,
    )
    figure.alt_text = together(
        _("{total} parameters.").format(total=f"{total:,}"),
        *(
            _("{label}: {size} ({share}).").format(
                label=names[name], size=f"{size:,}", share=percent(size / total)
            )
            for name, size in sums.items()
        ),
        _("{sentence}.").format(sentence=verdict),
    )
    return figure
