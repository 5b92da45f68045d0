"""The colours of all figures and cards. They stand nowhere else; cards load no matplotlib."""

# Okabe & Ito's palette, made to be told apart with any kind of colour vision
# (https://jfly.uni-koeln.de/color/). Categories also differ in shape, hatch or text.
BLUE = "#0072B2"
VERMILION = "#D55E00"
GREEN = "#009E73"
SKY = "#56B4E9"
AMBER = "#E69F00"
INK = "#1F2933"
GREY = "#5B6770"
PALE = "#EEF1F3"
MISSING = "#D5DADD"
HAIRLINE = "#B6BEC5"
# The same hues, dark enough for small text, or pale enough behind it.
DARK_BLUE = "#00527F"
DARK_VERMILION = "#A84A00"
DARK_GREEN = "#00664B"
PALE_GREEN = "#CDEBE1"
# One for each token; the label in a cell says which it is.
TOKEN_TINTS = ("#CFE3F2", "#FBE3B8", "#CDEBE1", "#F6D3BF", "#E2DCF0", "#E4E4DA")
# The marker of "the token we ask about" in every figure; always drawn with the word "query".
QUERY_COLOUR = VERMILION
# Lightness falls evenly from nearly white (0) to nearly black (the largest value).
WEIGHT_COLOURS = ("#F5FAF8", GREEN, "#00382B")
# Negative numbers orange, positive ones blue, zero white; both ends equally dark.
SIGNED_COLOURS = ("#B84A00", "#E9955A", "#FBFBFB", "#5BA3D0", "#00619A")
# The lines of a card; the words "passed" and "not yet" say the same without colour.
CARD_GOOD, CARD_BAD, CARD_NEUTRAL, CARD_CELL = "#2A7D4F", "#B4530A", "#5A6B7B", "#9AA5B1"

# Of drawings that follow the theme: on a light page, and on a dark one, where hues are lighter.
THEMED = {
    "ink": (INK, "#E6EAED"),
    "soft": (GREY, "#A9B4BC"),
    "line": ("#8A949C", "#76818A"),
    "band": (TOKEN_TINTS[1], "#5A4312"),
    "query": (DARK_VERMILION, "#FF9A4D"),
    "weight": ("#00805D", "#2FBF95"),
    "plus": (BLUE, SKY),
    "minus": (SIGNED_COLOURS[0], "#FF8A3C"),
}


def readable_on(colour):
    """Return black or white, whichever stands out more on `colour` (contrast at least 4.5)."""
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour[:3]
    )
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return "white" if (1.05 / (luminance + 0.05)) > ((luminance + 0.05) / 0.05) else "black"
