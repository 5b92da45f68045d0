"""Labels, numbers and alt text, in words that fit and can be read aloud."""

import functools

import numpy as np
from matplotlib.font_manager import findfont, get_font

from illustrated_attention.language import _, listed, quoted, together

MINUS = "\N{MINUS SIGN}"
TIMES = "\N{MULTIPLICATION SIGN}"


def token_label(token):
    """Return a token as it is printed in figures: a leading space is made visible."""
    text = token.replace("\n", "\\n")
    return "␣" + text[1:] if text.startswith((" ", "Ġ")) and len(text) > 1 else text


def head_names(n_head):
    return [_("head {head}").format(head=head) for head in range(n_head)]


@functools.cache
def has_glyph(character):
    """Return whether the font of our measures has it; for others the page's own fonts step in."""
    return bool(get_font(findfont("DejaVu Sans")).get_char_index(ord(character)))


@functools.cache
def _character_width(character):
    """Return a character's width in DejaVu Sans, as a part of the type size."""
    font = get_font(findfont("DejaVu Sans"))
    font.set_size(100, 72)
    if not has_glyph(character):
        return 1.0  # another font steps in; East Asian characters are square
    return font.load_char(ord(character)).linearHoriAdvance / 65536 / 100


def text_width(text, size):
    """Return how wide `text` is at `size` points, in inches."""
    return sum(map(_character_width, text)) * size / 72


def fit_text(labels, width, size=9.5):
    """Return the largest type size up to `size` at which every label fits `width` inches."""
    widest = max((text_width(label, 1) for label in labels), default=0)
    return min(size, width / widest) if widest else size


def number(value, fmt=".2f"):
    """Return a number as figures print it: a true minus sign, infinity as a symbol."""
    if np.isposinf(value):
        return "∞"
    if np.isneginf(value):
        return MINUS + "∞"
    text = format(value, fmt)
    if float(text.rstrip("%")) == 0:
        text = text.lstrip("-")  # -0.00 says no more than 0.00
    return text.replace("-", MINUS)


def percent(weight):
    """Return a weight as a percentage of at most three digits; only a true 0 is ``0%``."""
    if not np.isfinite(weight):
        return number(weight)
    if 0 < weight < 0.0005:
        return "<0.1%"
    digits = 0 if abs(weight) >= 0.0995 or weight == 0 else 1
    return number(100 * weight, f".{digits}f") + "%"


def shape_text(array):
    """Return the sizes of the axes with multiplication signs between them."""
    return f" {TIMES} ".join(str(size) for size in np.shape(array))


def describe_array(name, array, row_labels=None):
    """Return alt text for a matrix: its shape and, as far as they are few, its numbers."""
    array = np.atleast_2d(array)
    start = _("{name}. Rows: {rows}, columns: {columns}.").format(
        name=name, rows=array.shape[0], columns=array.shape[1]
    )
    if array.size > 48:
        text = _("Values from {low} to {high}.")
        low, high = number(array.min()), number(array.max())
        return together(start, text.format(low=low, high=high))
    labels = row_labels or [str(row) for row in range(len(array))]
    rows = (
        _("{label}: {values}.").format(label=label, values=listed(map(number, row)))
        for label, row in zip(labels, array, strict=True)
    )
    return together(start, *rows)


def describe_weights(tokens, weights, query, most=4):
    """Return alt text for one row of weights: the query and the largest weights in order."""
    order = np.argsort(-np.nan_to_num(weights, nan=-1), kind="stable")[:most]
    largest = listed(f"{quoted(tokens[i])} {percent(weights[i])}" for i in order)
    return _("Attention weights of the query '{token}'. Largest: {largest}.").format(
        token=tokens[query], largest=largest
    )
