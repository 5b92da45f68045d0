"""What the explorer shows of one query: scores to result, a map of all weights, next words."""

from dataclasses import dataclass

import numpy as np

from illustrated_attention.figures.words import MINUS, TIMES, number, percent, token_label
from illustrated_attention.language import _, listed, quoted, together
from illustrated_attention.widgets.attention_steps import Steps
from illustrated_attention.widgets.drawing import Drawing, box, write

ROW, HEAD = 24, 46  # pixels
COLUMN, NAMES, BAR, STRIP = 54, 92, 46, 132
CELL, MAP_NAMES = 20, 96
FEW = 4  # values with so many numbers are written out


@dataclass(frozen=True)
class Scene:
    """All that one picture shows.

    Attributes
    ----------
    tokens : list of str
    steps : Steps
    query, key : int
        The pair that is lit.
    cached : bool
        Old keys and values come from a cache.
    words : list of (str, float, float)
        Next words, their probabilities now, and with all switches on.
    printed : ndarray, [T, T], or None
        A printed table of weights to compare with.
    off : str
        Which heads are off, in words.
    silent : bool
        This head is one of them: its result is not added.
    """

    tokens: list
    steps: Steps
    query: int
    key: int
    cached: bool
    words: list
    printed: np.ndarray | None
    off: str = ""
    silent: bool = False


def drawings(scene):
    """Return the drawings of a scene: chain, next words where there are any, map."""
    pieces = [_chain(scene)]
    if scene.words:
        pieces.append(_next_words(scene))
    if not scene.cached:
        pieces.append(_map(scene))
    return pieces


def in_words(scene):
    """Return what the picture shows, for who hears it."""
    steps, query, key = scene.steps, scene.query, scene.key
    names = {"query": scene.tokens[query], "key": scene.tokens[key]}
    said = [_("Query '{query}', key '{key}':").format(**names)]
    if scene.cached and key > query:
        said.append(_("not read yet."))
    elif not steps.mask[query, key]:
        said.append(_("hidden by the mask, weight 0."))
    else:
        said.append(
            _("score {score}, scaled {scaled}, exp {exp}, weight {weight}.").format(
                score=number(steps.scores[query, key]),
                scaled=number(steps.scaled[query, key]),
                exp=_power(steps.scaled[query, key]),
                weight=percent(steps.weights[query, key]),
            )
        )
    order = np.argsort(-steps.weights[query], kind="stable")[:3]
    largest = listed(
        f"{quoted(scene.tokens[i])} {percent(steps.weights[query, i])}"
        for i in order
        if steps.weights[query, i]
    )
    said.append(_("Largest weights: {largest}.").format(largest=largest))
    if steps.out is not None and steps.out.shape[1] <= FEW:
        result = listed(number(value) for value in steps.out[query])
        said.append(_("Result: {result}.").format(result=result))
    if scene.cached:
        said.append(_cache_words(query))
    if scene.printed is not None:
        said.append(_fit_words(scene))
    if scene.words:
        words = listed(f"{word} {percent(now)}" for word, now, _before in scene.words)
        said.append(_("Next words: {words}.").format(words=words))
    if scene.off:
        said.append(scene.off)
    return together(*said)


def _cache_words(query):
    n = query + 1
    text = _(
        "Tokens whose keys and values come from the cache: {old}; new: 1. Projected so far: "
        "{with_cache}; without a cache: {without}."
    )
    return text.format(old=query, with_cache=n, without=n * (n + 1) // 2)


def _fit_words(scene):
    seen = scene.steps.mask
    fit = np.round(scene.steps.weights, 2) == scene.printed
    return _("Visible cells that are as printed: {fit} of {all}.").format(
        fit=int((fit & seen).sum()), all=int(seen.sum())
    )


def _power(score):
    """Return exp of a score as it is written: never wider than its column."""
    if score > 700:
        return "∞"
    value = float(np.exp(score))
    if 0.005 <= value < 10_000:
        return number(value) if value < 1000 else f"{value:.0f}"
    if value == 0:
        return "0"
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def _columns(scene):
    """Return (heading, what stands below it, one text for each key) of the numbers' columns."""
    steps, query = scene.steps, scene.query
    shown = steps.mask[query]
    hidden = MINUS + "∞"
    columns = [
        (_("score"), _("q · k"), [number(s) for s in steps.scores[query]]),
        (_("scaled"), f"÷ {number(steps.divisor)}", [number(s) for s in steps.scaled[query]]),
    ]
    if not steps.mask.all() and not scene.cached:  # for every query: the picture keeps its width
        masked = [
            number(s) if seen else hidden
            for s, seen in zip(steps.scaled[query], shown, strict=True)
        ]
        columns.append((_("masked"), "", masked))
    powers = [
        _power(s) if seen else "0" for s, seen in zip(steps.scaled[query], shown, strict=True)
    ]
    columns.append(("exp", "", powers))
    return columns


def _chain(scene):
    """The chain of one query: a row for each key, a column for each step."""
    steps, query, n = scene.steps, scene.query, len(scene.tokens)
    columns = _columns(scene)
    weights = steps.weights[query]
    left_of_bar = NAMES + COLUMN * len(columns) + 12
    left_of_values = left_of_bar + BAR + 58
    end = left_of_values - 8 + COLUMN
    values = steps.v is not None
    width = left_of_values + STRIP + 4 if values else end + 8
    if scene.printed is not None:
        width = end + COLUMN
    title = _("query: {token}").format(token=token_label(scene.tokens[query]))
    body = [
        write(4, 16, title, "query", bold=True),
        write(4, 36, _("key"), "soft"),
        write(left_of_bar, 18, _("weight")),
        write(left_of_bar, 34, _("exp ÷ sum"), "soft", size=11),
    ]
    for place, (name, below, _texts) in enumerate(columns, 1):
        x = NAMES + COLUMN * place
        body += [write(x, 18, name, anchor="end"), write(x, 34, below, "soft", "end", 11)]
    if values:
        body.append(write(left_of_values, 18, _("weight {times} value").format(times=TIMES)))
    else:  # where the chain ends at the weights, the question is how they move
        body += [
            write(end - 6, 18, _("gradient"), anchor="end"),
            write(end - 6, 34, f"w {TIMES} (1{MINUS}w)", "soft", "end", 11),
        ]
    if scene.printed is not None:
        body.append(write(end + COLUMN - 6, 18, _("printed"), anchor="end"))
    largest = (
        0.0 if steps.v is None else float(np.abs(steps.v[: query + 1 if scene.cached else n]).max())
    )
    for key, token in enumerate(scene.tokens):
        top = HEAD + ROW * key
        middle = top + 16
        unread = scene.cached and key > query
        lit = " lit" if key == scene.key else ""
        row = [box(1, top, width - 2, ROW, "band")]
        row.append(write(8, middle, _short(token, NAMES - 8), "query" if key == query else ""))
        if unread:
            row.append(write(NAMES + 20, middle, _("not read yet"), "soft"))
        else:
            for place, (_name, _below, texts) in enumerate(columns, 1):
                row.append(write(NAMES + COLUMN * place, middle, texts[key], anchor="end"))
            weight = float(np.clip(np.nan_to_num(weights[key]), 0, 1))
            row += [
                box(left_of_bar, top + 5, BAR, ROW - 10, "line"),
                box(left_of_bar, top + 5, BAR * weight, ROW - 10, "weight"),
                write(left_of_bar + BAR + 5, middle, percent(weights[key]), bold=True),
            ]
            if values:
                part = weights[key] * steps.v[key]
                row.append(_strip(left_of_values, top, part, largest))
            else:
                row.append(write(end - 6, middle, number(weight * (1 - weight)), anchor="end"))
            if scene.printed is not None:
                row.append(_printed(scene, key, end + COLUMN - 6, middle))
        body.append(f'<g class="here{lit}" data-key="{key}">{"".join(row)}</g>')
    bottom = HEAD + ROW * n
    body.append(box(1, bottom, width - 2, 1, "line"))
    shown = steps.mask[query]
    total = float(np.exp(np.minimum(steps.scaled[query][shown], 700)).sum())
    summed = _power(np.log(total)) if total else "0"
    body += [
        write(8, bottom + 18, _("sum"), bold=True),
        write(NAMES + COLUMN * len(columns), bottom + 18, summed, anchor="end"),
        write(left_of_bar + BAR + 5, bottom + 18, percent(weights.sum()), bold=True),
    ]
    height = bottom + 26
    if values:
        if scene.silent:
            result, name = 0 * steps.out[query], _("off: adds nothing")
        else:
            result, name = steps.out[query], _("result")
        body.append(_strip(left_of_values, bottom + 1, result, largest))
        body.append(write(left_of_values, height + 10, name, "soft", size=11))
        height += 16
    for line in _lines(scene.off, width):
        body.append(write(8, height + 14, line, "soft", size=11))
        height += 18
    if scene.printed is not None:
        body.append(write(8, height + 14, _fit_words(scene), bold=True))
        height += 20
    return Drawing(width, height + 4, "".join(body))


def _lines(text, width):
    """Cut a sentence, or none, into lines of about this width."""
    lines: list[str] = []
    for word in text.split():
        if not lines or len(lines[-1]) + len(word) > width / 6.2:
            lines.append(word)
        else:
            lines[-1] += f" {word}"
    return lines


def _printed(scene, key, x, y):
    """The printed weight beside the learner's, with a sign that says whether they agree."""
    printed = scene.printed[scene.query, key]
    same = np.round(scene.steps.weights[scene.query, key], 2) == printed
    return write(x, y, f"{number(printed)} {'=' if same else '≠'}", anchor="end", bold=not same)


def _strip(left, top, values, largest):
    """A vector: written out where it is short, else as a strip of cells, orange below 0."""
    if len(values) <= FEW:
        step = STRIP / len(values)
        return "".join(
            write(left + step * (place + 1) - 4, top + 16, number(value), anchor="end")
            for place, value in enumerate(values)
        )
    step, cells = STRIP / len(values), ""
    for place, value in enumerate(values):
        part = min(1.0, abs(float(value)) / largest) if largest else 0.0
        if part > 0.02:  # fainter ones cannot be seen
            kind = "plus" if value > 0 else "minus"
            cells += box(left + step * place, top + 4, step, ROW - 8, kind, part)
    return cells + box(left, top + 4, STRIP, ROW - 8, "line")


def _map(scene):
    """The weights of all queries: rows look, columns are looked at."""
    n, weights = len(scene.tokens), scene.steps.weights
    top, body = 66, []
    body.append(write(4, 14, _("weights: rows are queries"), bold=True))
    for key, token in enumerate(scene.tokens):
        x = MAP_NAMES + CELL * key + 14
        label = _short(token, 56, 10)
        body.append(
            f'<g transform="translate({x:g} {top - 4}) rotate(-45)">'
            f"{write(0, 0, label, size=10)}</g>"
        )
    for query, token in enumerate(scene.tokens):
        y = top + CELL * query
        own = query == scene.query
        body.append(
            write(
                MAP_NAMES - 6,
                y + 14,
                _short(token, MAP_NAMES - 10, 11),
                "query" if own else "",
                "end",
                11,
                own,
            )
        )
        for key in range(n):
            x = MAP_NAMES + CELL * key
            if scene.steps.mask[query, key]:
                part = float(np.clip(np.nan_to_num(weights[query, key]), 0, 1))
                cell = box(x + 1, y + 1, CELL - 2, CELL - 2, "weight", part)
                cell += box(x + 1, y + 1, CELL - 2, CELL - 2, "line")
            else:
                cell = box(x + 1, y + 1, CELL - 2, CELL - 2, "soft", 0.01)
                cell += write(x + CELL / 2, y + 14, TIMES, "soft", "middle", 10)
            here = "here" if own else ""
            lit = " lit" if own and key == scene.key else ""
            body.append(
                f'<g class="{here}{lit}" data-query="{query}" data-key="{key}">{cell}'
                f"{box(x + 1, y + 1, CELL - 2, CELL - 2, 'frame')}</g>"
            )
    height = top + CELL * n + 6
    if not scene.steps.mask.all():
        body.append(
            write(
                4, height + 12, _("{sign}: hidden by the mask").format(sign=TIMES), "soft", size=11
            )
        )
        height += 20
    return Drawing(max(MAP_NAMES + CELL * n + 44, 230), height, "".join(body))


def _next_words(scene):
    """The likeliest next words: bars now, and a line where each was with all switches on."""
    token = token_label(scene.tokens[scene.query])
    body = [write(4, 14, _("next word after {token}").format(token=_short(token, 110)), bold=True)]
    top = 26
    for place, (word, now, before) in enumerate(scene.words):
        y = top + 22 * place
        body += [
            write(92, y + 15, _short(word, 86), anchor="end"),
            write(138, y + 15, percent(now), anchor="end", bold=True),
            box(144, y + 4, 100 * now, 14, "weight"),
        ]
        if abs(now - before) > 0.0005:
            body.append(box(143 + 100 * before, y + 1, 2.5, 20, "query"))
    height = top + 22 * len(scene.words) + 4
    if any(abs(now - before) > 0.0005 for _word, now, before in scene.words):
        body.append(box(8, height + 2, 2.5, 14, "query"))
        body.append(write(16, height + 13, _("as the model was"), "soft", size=11))
        height += 20
    return Drawing(252, height, "".join(body))


def _short(token, width, size=12):
    """Return a token's label, cut where it would be wider than `width` pixels."""
    label = token_label(token)
    most = int(width / (size * 0.62))
    return label if len(label) <= most else label[: most - 1] + "…"
