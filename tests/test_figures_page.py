"""What every figure promises: alt text, faithful colours, readable numbers, clear errors."""

import html
import re
import subprocess
import sys
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from drawn import svg, texts
from matplotlib.colors import to_hex

from autograder.sandbox.outputs import pictures
from illustrated_attention.figures import cells, page, palette, themed, words
from illustrated_attention.figures.cells import bars, heatmap
from illustrated_attention.figures.equations import Grid, equation, equation_height
from illustrated_attention.figures.page import LessonFigure, drawn
from illustrated_attention.figures.palette import readable_on
from illustrated_attention.figures.renderer import CSS_PIXELS, SvgRenderer
from illustrated_attention.figures.self_attention import attention_row
from illustrated_attention.figures.words import number, percent, token_label

SVG = "{http://www.w3.org/2000/svg}"
WORDS = ["robot", "must", "obey", "orders"]


def draw_heatmap(array, width=4.0, height=2.0, **keywords):
    figure = LessonFigure("A title", height=3)
    heatmap(figure.axes_at(1, 0.8, width, height), array, **keywords)
    return figure


def draw_strip(array):
    figure = LessonFigure(height=3)
    cells.strip(figure.axes_at(1, 0.8, 4, 1), array.ravel(), 1.0)
    return figure


def test_a_figure_is_shown_as_one_image_with_its_alt_text():
    figure = LessonFigure("A title")
    figure.alt_text = '"it" looks at <robot> & others'
    shown = figure._repr_html_()
    (alt,) = re.findall(r'<img alt="([^"]*)"', shown)
    assert html.unescape(alt) == figure.alt_text
    picture = svg(shown)
    assert (picture.get("width"), picture.get("height")) == ("720", "288")
    assert [text.text for text in picture.iter(f"{SVG}text")] == ["A title"]


def test_a_figure_follows_the_theme_of_the_page_and_not_that_of_the_system():
    shown = draw_heatmap(np.eye(2))._repr_html_()
    assert ".themed{color-scheme:light}" in shown
    assert ":is([data-jp-theme-light='false']," in shown
    picture = svg(shown)
    (style,) = (element.text for element in picture.iter(f"{SVG}style"))
    light, dark = style.split("@media(prefers-color-scheme:dark)")
    used = set(re.findall(r"var\(--(\w+)\)", style))
    assert used == set(re.findall(r"--(\w+):", light)) == set(re.findall(r"--(\w+):#", dark))
    assert not re.search(r"#[0-9A-F]{6}", dark.split("}}", 1)[1])  # no colour without a partner


def test_the_graders_pages_show_figures_as_they_are():
    for draw in (draw_heatmap, draw_strip):
        shown = draw(np.array([[0.5, -0.25], [1.0, 0.0]]))._repr_html_()
        ((words, mime, _data),) = pictures(shown)
        assert (words, mime) == ("", "image/svg+xml")


def test_text_is_never_much_smaller_than_10_pixels_however_narrow_the_page():
    figure = LessonFigure(height=3)
    figure.write(1, 1, "small", fontsize=7.5)
    figure.write(1, 2, "smaller", fontsize=6)
    (narrowest,) = re.findall(r"min-width:(\d+)px", figure._repr_html_())
    assert int(narrowest) == 720  # 6 points are 8 pixels: not made smaller still
    assert min(cells.SMALLEST_TEXT, 7.5) * 96 / 72 >= 10


def test_a_notebook_stores_each_picture_once_even_after_pyplot():
    code = """
from IPython.testing.globalipapp import start_ipython
shell = start_ipython()
import matplotlib
matplotlib.use("module://matplotlib_inline.backend_inline")
import matplotlib.pyplot
from IPython.utils.capture import capture_output
from illustrated_attention.figures.page import LessonFigure
with capture_output() as captured:
    shell.run_cell("import illustrated_attention.figures.page as s\\n"
                   "figure = s.LessonFigure('t')\\n"
                   "figure.alt_text = 'what it shows'\\n"
                   "figure")
(output,) = captured.outputs
assert sorted(output.data) == ["text/html", "text/plain"], list(output.data)
assert output.data["text/plain"] == "what it shows"
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_figures_never_open_pyplot():
    code = (
        "import sys\n"
        "from illustrated_attention.figures import orientation, self_attention\n"
        "from illustrated_attention.figures.orientation import token_positions\n"
        "token_positions(['a', 'b'])._repr_html_()\n"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_learners_matplotlib_settings_neither_reach_the_figures_nor_change():
    array = np.arange(6.0).reshape(2, 3)
    plain = drawn(draw_heatmap)(array)._repr_html_()
    with matplotlib.rc_context({"text.color": "red", "font.size": 30, "font.weight": "bold"}):
        assert drawn(draw_heatmap)(array)._repr_html_() == plain
        assert matplotlib.rcParams["font.size"] == 30


def test_the_picture_has_every_cell_in_its_colour():
    array = np.random.default_rng(0).normal(size=(5, 7))
    picture = svg(draw_heatmap(array, fmt=None)._repr_html_())
    (style,) = (element.text for element in picture.iter(f"{SVG}style"))
    colours = dict(re.findall(r"--(\w+):(#\w+)", style.split("@media")[0]))
    fills = dict(re.findall(r"\.(\w+)\{fill:var\(--(\w+)\);stroke", style))
    found = {}
    for path in picture.iter(f"{SVG}path"):
        shade = colours.get(fills.get(path.get("class")))
        for x, y in re.findall(r"M([\d.]+) ([\d.]+)H", path.get("d")) if shade else ():
            found[float(y), float(x)] = shade
    by_place = [found[place] for place in sorted(found)][:35]
    limit = np.abs(array).max()
    shades = np.array(palette.SIGNED_SHADES)
    nearest = np.clip(((array / limit + 1) / 2 * 65).astype(int), 0, 64)
    assert by_place == shades[nearest].ravel().tolist()


def test_text_is_text_and_stands_where_it_belongs_in_any_font():
    figure = LessonFigure(height=3)
    for place, side in enumerate(("left", "center", "right")):
        figure.write(3, 1 + 0.5 * place, f"{side} <&>", ha=side)
    found = list(svg(figure._repr_html_()).iter(f"{SVG}text"))
    assert [text.text for text in found] == ["left <&>", "center <&>", "right <&>"]
    assert [float(text.get("x")) for text in found] == pytest.approx([288] * 3, abs=1)
    assert [float(text.get("y")) for text in found] == pytest.approx([99.5, 147.5, 195.5], abs=2)


def test_a_chinese_word_is_as_wide_as_its_squares_and_on_one_line_with_others():
    figure = LessonFigure(height=3)
    for align in ("top", "center", "bottom"):
        for word in ("query", "查询", "查询 q"):
            figure.write(3, 1, word, va=align, fontsize=36)
    heights = [float(text.get("y")) for text in svg(figure._repr_html_()).iter(f"{SVG}text")]
    assert heights[0::3] == heights[1::3] == heights[2::3]
    assert words.text_width("查询", 36) == 1
    q = words.text_width(" q", 36)
    assert words.text_width("查询 q", 36) == pytest.approx(1 + q)
    drawn_on = SvgRenderer(720, 288)
    for text in figure.texts:
        measured = text.get_window_extent(drawn_on).width / CSS_PIXELS
        assert measured == pytest.approx(words.text_width(text.get_text(), 36), abs=0.05)


def test_a_heatmap_writes_its_numbers_and_its_shape():
    array = np.array([[0.25, -1.5, 2.0], [-0.001, 7.25, 10.0]])
    shown = texts(draw_heatmap(array, row_labels=["a", "b"], name="Q"))
    minus = words.MINUS
    wanted = ("0.25", minus + "1.50", "2.00", "0.00", "7.25", "10.00", "a", "b", "Q: 2 \u00d7 3")
    assert set(wanted) <= set(shown)


def test_numbers_too_small_to_read_give_way_to_a_colour_bar():
    figure = draw_heatmap(np.ones((4, 40)) * 0.25, width=4)
    assert "0.25" not in [text.get_text() for text in figure.axes[0].texts]
    assert len(figure.findobj(matplotlib.collections.QuadMesh)) == 2


def test_infinity_and_nan_can_be_drawn():
    shown = texts(draw_heatmap(np.array([[-np.inf, np.nan, 1.0]])))
    assert {words.MINUS + "\u221e", "nan", "1.00"} <= set(shown)


@pytest.mark.parametrize("dark", [False, True])
def test_numbers_stand_out_from_every_colour_behind_them(dark):
    shade = themed.on_dark if dark else str
    grounds = (*palette.WEIGHT_SHADES, *palette.SIGNED_SHADES, palette.MISSING)
    for colour in grounds:
        assert contrast(shade(colour), shade(readable_on(colour))) >= 4.5
    for ground in (palette.PAGE, palette.PALE, palette.PALE_GREEN, *palette.TOKEN_TINTS):
        assert contrast(shade(ground), shade(palette.INK)) >= 4.5
    for text in ("GREY", "DARK_BLUE", "DARK_GREEN", "DARK_VERMILION"):
        assert contrast(shade(palette.PAGE), shade(vars(palette)[text])) >= 4.5


@pytest.mark.parametrize("dark", [False, True])
def test_marks_stand_out_from_the_page(dark):
    shade = themed.on_dark if dark else str
    for mark in ("BLUE", "VERMILION", "GREEN", "WEIGHT", "INK", "GREY", "HAIRLINE", "QUERY_COLOUR"):
        assert contrast(shade(palette.PAGE), shade(vars(palette)[mark])) >= 3, mark
    for shades in (palette.WEIGHT_SHADES[-1:], palette.SIGNED_SHADES[:1]):
        assert contrast(shade(palette.PAGE), shade(shades[0])) >= 3


def test_each_colour_has_one_partner():
    shades = {**dict.fromkeys(palette.WEIGHT_SHADES), **dict.fromkeys(palette.SIGNED_SHADES)}
    named = {
        value
        for name, value in vars(palette).items()
        if re.fullmatch("[A-Z_]+", name) and isinstance(value, str) and not name.startswith("CARD")
    }
    assert len(shades) == 130
    assert not named & set(shades)
    assert named | set(shades) <= set(palette.ON_DARK)


def test_a_frame_is_set_off_from_the_colours_around_it():
    figure = draw_heatmap(np.eye(2), colours="weights")
    cells.framed_cells(figure.axes[0], 0, 1)
    seam, frame = figure.axes[0].patches[-2:]
    assert seam.get_linewidth() > frame.get_linewidth() + 2
    for shade in (str, themed.on_dark):
        assert contrast(shade(palette.PAGE), shade(palette.QUERY_COLOUR)) >= 3


def test_each_number_is_readable_on_its_own_cell():
    figure = draw_heatmap(np.array([[0.0, 1.0, -1.0], [0.5, -0.5, 0.9]]))
    (mesh,) = figure.axes[0].collections
    for text in figure.axes[0].texts:
        if "." in text.get_text():
            column, row = text.get_position()
            behind = to_hex(mesh.cmap(mesh.norm(mesh.get_array()[row, column]))).upper()
            assert text.get_color() == readable_on(behind)


def test_weights_get_darker_evenly():
    light = [lightness(colour) for colour in palette.WEIGHT_SHADES[::6]]
    steps = -np.diff(light)
    assert steps.min() > 0
    assert steps.max() < 2 * steps.min()


def test_the_same_size_has_the_same_darkness_on_both_sides_of_zero():
    for size in (0.25, 0.5, 0.75, 1.0):
        low, high = (
            lightness(palette.SIGNED_SHADES[32 + int(sign * 32 * size)]) for sign in (-1, 1)
        )
        assert abs(low - high) < 8


def test_bars_are_as_tall_as_the_numbers_and_the_query_is_named():
    weights = np.array([0.5, 0.25, 0.2, 0.05])
    figure = LessonFigure(height=3)
    ax = figure.axes_at(1, 0.8, 5, 1.5)
    bars(ax, weights, WORDS, query=2)
    assert [bar.get_height() for bar in ax.patches] == pytest.approx(weights)
    assert {"50%", "25%", "20%", "5.0%"} <= set(texts(figure))
    framed = [label.get_text() for label in ax.get_xticklabels() if label.get_bbox_patch()]
    assert framed == ["obey"]
    assert any("query" in text for text in texts(figure))


def test_cells_of_an_equation_have_one_size_and_stay_on_the_page():
    parts = [
        Grid(np.ones((4, 8)), "x", WORDS),
        "@",
        Grid(np.ones((8, 3)), "w"),
        "=",
        Grid(np.ones((4, 3)), "q", WORDS),
    ]
    figure = LessonFigure("t", height=1 + equation_height(parts))
    axes = equation(figure, page.MARGIN, page.TITLE_SPACE, parts)
    widths = [ax.get_position().width / n for ax, n in zip(axes, (8, 3, 3), strict=True)]
    heights = [ax.get_position().height / n for ax, n in zip(axes, (4, 8, 4), strict=True)]
    assert np.ptp(widths) < 1e-9
    assert np.ptp(heights) < 1e-9
    assert all(ax.get_position().x1 <= 1 and ax.get_position().y0 >= 0 for ax in axes)


def test_a_token_with_a_dollar_sign_is_not_read_as_mathematics():
    figure = LessonFigure("$\\frac$", height=3)
    bars(figure.axes_at(1, 0.8, 5, 1.5), np.array([0.5, 0.5]), ["$x^$", "$\\frac"], query=0)
    written = [text.text for text in svg(figure._repr_html_()).iter(f"{SVG}text")]
    assert {"$\\frac$", "$x^$", "$\\frac"} <= set(written)


@pytest.mark.parametrize(
    ("token", "label"), [(" robot", "␣robot"), ("Ġrobot", "␣robot"), ("a", "a"), ("\n", "\\n")]
)
def test_leading_spaces_and_line_breaks_of_tokens_are_visible(token, label):
    assert token_label(token) == label


@pytest.mark.parametrize(
    ("weight", "text"),
    [(0, "0%"), (0.0001, "<0.1%"), (0.004, "0.4%"), (0.0996, "10%"), (0.42, "42%"), (1, "100%")],
)
def test_only_a_true_zero_is_called_zero_percent(weight, text):
    assert percent(weight) == text


def test_a_rounded_zero_has_no_sign():
    assert number(-0.0001) == "0.00"


def contrast(first, second):
    dark, light = sorted((palette.luminance(first), palette.luminance(second)))
    return (light + 0.05) / (dark + 0.05)


def lightness(colour):
    """CIE L*, 0 to 100."""
    y = palette.luminance(colour)
    return 116 * y ** (1 / 3) - 16 if y > 0.008856 else 903.3 * y


def test_while_grading_a_figure_checks_its_arrays_and_says_where_it_is_drawn(monkeypatch):
    monkeypatch.setattr(page, "drawing", False)
    figure = attention_row(WORDS, np.full(4, 0.25), query=2)
    assert isinstance(figure, LessonFigure)
    assert figure.alt_text == "This figure is drawn in your notebook."
    assert figure._repr_html_() == f"<p>{figure.alt_text}</p>"
    with pytest.raises(ValueError, match="weights must have shape"):
        attention_row(WORDS, np.full(3, 0.25), query=2)


def test_an_undrawn_figure_can_be_used_as_a_figure(monkeypatch, tmp_path):
    monkeypatch.setattr(page, "drawing", False)
    figure = attention_row(WORDS, np.full(4, 0.25), query=2)
    figure.savefig(tmp_path / "mine.png")
    assert figure.write(1, 0.5, "mine").get_text() == "mine"


def test_every_colour_stands_in_the_palette():
    root = Path(__file__).parent.parent
    sources = [*root.glob("illustrated_attention/**/*.py"), *root.glob("autograder/**/*.py")]
    found = [
        f"{source.name}: {colour}"
        for source in sources
        if source.name != "palette.py"
        for colour in re.findall(
            r"(?<!&)#(?!\d{1,5}\b)[0-9a-fA-F]{3,8}\b", source.read_text(encoding="utf-8")
        )
    ]
    assert not found


def test_cards_take_their_colours_from_the_palette_without_loading_matplotlib():
    code = "import sys, illustrated_attention; assert 'matplotlib' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
