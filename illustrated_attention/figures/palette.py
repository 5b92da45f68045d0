"""The colours of all figures and cards. They stand nowhere else; cards load no matplotlib.

Figures are drawn in the colours of a light page. Each of these has its partner on a dark one: the
picture holds both, and the page that shows it chooses (`figures.themed`).
"""

# Okabe & Ito's palette, made to be told apart with any kind of colour vision
# (https://jfly.uni-koeln.de/color/). Categories also differ in shape, hatch or text.
BLUE = "#0072B2"
VERMILION = "#D55E00"
GREEN = "#009E73"
WEIGHT = "#00805D"
SKY = "#56B4E9"
AMBER = "#E69F00"
PAGE = "#FFFFFF"  # what figures stand on; matplotlib's "white"
INK = "#1F2933"
GREY = "#5B6770"
PALE = "#EEF1F3"
MISSING = "#D5DADD"
HAIRLINE = "#8A949C"
# The same hues, dark enough for small text, or pale enough behind it.
DARK_BLUE = "#00527F"
DARK_VERMILION = "#A84A00"
DARK_GREEN = "#00664B"
PALE_GREEN = "#CDEBE1"
# One for each token; the label in a cell says which it is.
TOKEN_TINTS = ("#CFE3F2", "#FBE3B8", "#C6E9DC", "#F6D3BF", "#E2DCF0", "#E4E4DA")
# The marker of "the token we ask about" in every figure; always drawn with the word "query".
QUERY_COLOUR = VERMILION
# The lines of a card; the words "passed" and "not yet" say the same without colour.
CARD_GOOD, CARD_BAD, CARD_NEUTRAL, CARD_CELL = "#2A7D4F", "#B4530A", "#5A6B7B", "#9AA5B1"


def _between(colours, steps):
    """Return `steps` colours that lead evenly from the first of `colours` to the last."""
    stops = [[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in colours]
    shades = []
    for step in range(steps):
        place = step * (len(stops) - 1) / (steps - 1)
        first = min(int(place), len(stops) - 2)
        part = place - first
        mixed = (a + part * (b - a) for a, b in zip(stops[first], stops[first + 1], strict=True))
        shades.append("#" + "".join(f"{round(channel):02X}" for channel in mixed))
    return tuple(shades)


# Of weights, from 0 to the largest: evenly darker, or brighter on a dark page.
WEIGHT_SHADES = _between(("#F5FAF8", "#02A077", "#00382B"), 65)
_WEIGHT_SHADES_DARK = _between(("#17211D", "#17805D", "#C8F7E4"), 65)
# Negative numbers orange, positive ones blue, zero like the page; both ends equally strong.
SIGNED_SHADES = _between(("#B84A00", "#E9955A", "#FBFBFB", "#5BA3D0", "#00619A"), 65)
_SIGNED_SHADES_DARK = _between(("#FFAB70", "#9A4F1D", "#191B1D", "#1F6796", "#7CCBFF"), 65)
# Of numbers in cells: black or white on a light page, and on a dark one.
_ON_CELLS = {
    ("black", "white"): "#000000",
    ("black", "black"): "#000001",
    ("white", "black"): "#FFFFFE",
    ("white", "white"): "#FFFEFE",
}

ON_DARK = {
    BLUE: "#4698DA",
    VERMILION: "#FF8A3C",
    GREEN: "#2FBF95",
    WEIGHT: "#2FBF95",
    SKY: "#8FD0F7",
    AMBER: "#F2B83B",
    PAGE: "#111111",  # JupyterLab's
    INK: "#E6EAED",
    GREY: "#A9B4BC",
    PALE: "#262C31",
    MISSING: "#3A4147",
    HAIRLINE: "#76818A",
    DARK_BLUE: "#8CC8F2",
    DARK_VERMILION: "#FF9A4D",
    DARK_GREEN: "#5FD6B0",
    PALE_GREEN: "#14432F",
    **dict(
        zip(
            TOKEN_TINTS,
            ("#1D4666", "#5A4312", "#1B5541", "#6B3419", "#463B6B", "#4A4A36"),
            strict=True,
        )
    ),
    **dict(zip(WEIGHT_SHADES, _WEIGHT_SHADES_DARK, strict=True)),
    **dict(zip(SIGNED_SHADES, _SIGNED_SHADES_DARK, strict=True)),
    **{
        colour: {"black": "#000000", "white": "#FFFFFF"}[dark]
        for (_light, dark), colour in _ON_CELLS.items()
    },
}

# Of the explorer's drawings, by name.
THEMED = {
    "page": PAGE,
    "ink": INK,
    "soft": GREY,
    "line": HAIRLINE,
    "band": TOKEN_TINTS[1],
    "query": DARK_VERMILION,
    "weight": WEIGHT,
    "plus": BLUE,
    "minus": SIGNED_SHADES[0],
}


def readable_on(colour):
    """Return the colour of text that stands out on `colour` (contrast at least 4.5).

    Parameters
    ----------
    colour : str
        One of this module's, as ``"#RRGGBB"``: its partner on a dark page is looked at as well.
    """
    return _ON_CELLS[_black_or_white(colour), _black_or_white(ON_DARK.get(colour, colour))]


def luminance(colour):
    """Return the relative luminance of ``"#RRGGBB"``, from 0 to 1, as WCAG defines it."""
    channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _black_or_white(behind):
    light = luminance(behind) + 0.05
    return "white" if 1.05 / light > light / 0.05 else "black"
