"""The card that a learner sees: the same facts as HTML and as text, for everybody."""

import html
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from illustrated_attention.answer_keys import find_key
from illustrated_attention.cards import Card, paragraph, verdict_card
from illustrated_attention.contents import exercise_names
from illustrated_attention.examine import examine


def card_of(function, exercise="softmax"):
    return verdict_card(examine(function, find_key(exercise)))


def right_softmax(scores):
    exp = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return exp / exp.sum(axis=-1, keepdims=True)


class Page(HTMLParser):
    """Reads HTML strictly: every tag closed in its turn. Keeps the words and the elements."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.elements, self.words = [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    def tags(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


def page_of(card):
    return Page(card._repr_html_())


WRONG = {
    "value": lambda s: right_softmax(s) + 1e-3,
    "batch only": lambda s: right_softmax(s) + (np.arange(s.shape[-1]) == 2) * (s.ndim > 2),
    "nan": lambda s: s * np.nan,
    "shape": lambda s: right_softmax(s)[..., None],
    "list": lambda s: right_softmax(s).tolist(),
    "none": lambda s: None,
    "raise": lambda s: s.maximum(),
    "mistake": lambda s: np.exp(s),
    "stub": lambda s: (_ for _ in ()).throw(NotImplementedError),
    "empty": lambda s: np.zeros((3, 0)),
    "bool": lambda s: s > 0,
}


@pytest.fixture(params=WRONG, scope="module")
def card(request):
    return card_of(WRONG[request.param])


def test_the_html_is_well_formed_and_a_labelled_region(card):
    page = page_of(card)
    [section] = page.tags("section")
    assert section["role"] == "status"
    assert section["aria-label"] == card.title == "✗ softmax: not yet"


def test_the_html_says_the_same_words_as_the_text(card):
    words = page_of(card).text
    for line in str(card).splitlines():
        if "  " in line.strip() or "[" in line:
            continue  # a drawn row of numbers
        assert " ".join(line.replace("`", " ").split()).split(":")[0] in words.replace("`", " ")


def test_the_text_is_plain(card):
    assert not re.search(r"</?\w+[^>]*>|&\w+;", str(card))
    assert str(card).splitlines()[0] == "✗ softmax: not yet"


def test_every_table_has_a_caption(card):
    page = page_of(card)
    assert len(page.tags("caption")) == len(page.tags("table"))


def test_all_checks_are_listed_in_words_not_only_in_colour(card):
    words = page_of(card).text
    for title in [case.title for case in find_key("softmax").cases]:
        assert re.search(re.escape(f"{title}: ") + "(passed|not yet|not tried)", words)


def test_the_first_wrong_cell_is_boxed_in_both():
    card = card_of(WRONG["batch only"])
    cells = [a for a in page_of(card).tags("td") if "aria-label" in a]
    [cell] = cells
    assert cell["aria-label"].startswith("first wrong cell: ")
    assert "border:3px" in cell["style"]
    lines = str(card).splitlines()
    mine = lines[lines.index("yours, shape (2, 2, 3, 4), at [0, 0]") + 1]
    assert re.fullmatch(r" +\d\S* +\d\S* +\[1\.\d+\] +\d\S* *", mine)
    theirs = lines[lines.index("expected, shape (2, 2, 3, 4), at [0, 0]") + 1]
    assert re.fullmatch(r" +\d\S* +\d\S* +\[0\.\d+\] +\d\S* *", theirs)


def test_the_columns_of_the_text_line_up():
    card = card_of(lambda s: right_softmax(s) * (1 + 1e4 * (s == s.max())))
    lines = str(card).splitlines()
    start = lines.index(next(line for line in lines if line.startswith("yours, ")))
    rows = lines[start + 1 : lines.index(next(x for x in lines if x.startswith("expected, ")))]
    assert len({len(row) for row in rows}) == 1


def table_of(card, title):
    """The rows of the table with this title in the text, as words."""
    lines = str(card).splitlines()
    start = lines.index(title) + 1
    rows = []
    for line in lines[start:]:
        if not line.startswith("  "):
            break
        rows.append(line.replace("[", " ").replace("]", " ").split())
    return rows


def test_beside_yours_and_expected_stands_how_far_they_are_apart():
    card = card_of(lambda s: right_softmax(s) + 0.25 * (s == s.max(-1, keepdims=True)))
    yours, expected, apart = (
        np.array(table_of(card, f"{name}, shape (3,)"), float)
        for name in ("yours", "expected", "yours - expected")
    )
    np.testing.assert_allclose(yours - expected, apart, atol=1e-4)
    np.testing.assert_array_equal(apart, [[0, 0, 0.25]])
    assert len(page_of(card).tags("table")) == 3


def test_it_is_said_when_a_named_mistake_gives_exactly_these_numbers():
    def half_as_large(merged, w, b):
        return merged @ w - b

    assert "This mistake gives exactly your result." in str(card_of(half_as_large, "project"))
    unknown = card_of(lambda s: right_softmax(s) + np.arange(s.shape[-1]) ** 2)
    assert "This mistake" not in str(unknown)


def test_masks_are_told_as_true_and_false():
    card = card_of(lambda n: np.tri(n) == 0, "causal_mask")
    assert "yours False, expected True" in str(card)
    assert table_of(card, "expected, shape (4, 4)")[0] == ["True", "False", "False", "False"]
    assert "yours - expected" not in str(card)


def test_lists_stand_side_by_side_item_by_item():
    card = card_of(
        lambda ids: [(list(ids[:i]), ids[i]) for i in range(1, len(ids) - 1)], "next_token_pairs"
    )
    said = str(card)
    assert "([1, 2], 3)   ([1, 2], 3)" in said
    assert re.search(r"\[3\] +\[\(none\)\] +\[\(\[1, 2, 3\], 5\)\]", said)
    page = page_of(card)
    [cell] = [attributes for attributes in page.tags("td") if "aria-label" in attributes]
    assert cell["aria-label"] == "first wrong item: (none)"
    assert [header["scope"] for header in page.tags("th")] == ["col"] * 3


def test_numbers_of_a_table_have_as_many_decimals():
    card = card_of(lambda s: right_softmax(s) + 0.5)
    for name in ("yours", "expected"):
        [words] = table_of(card, f"{name}, shape (3,)")
        assert {len(word.partition(".")[2]) for word in words} == {4}


def test_inputs_are_named_with_shapes_and_small_ones_with_numbers():
    assert "`s = [1.0, 2.0, 3.0]`" in str(card_of(lambda s: right_softmax(s) + 1))
    said = str(card_of(lambda q, k: (q @ np.swapaxes(k, -1, -2)) * 1.234, "scaled_scores"))
    assert re.search(r"`q = \[\[.*`, `k = \[\[", said)
    said = str(card_of(lambda x, *w: (x @ w[0], x @ w[1], x @ w[2] + 1), "make_qkv"))
    assert re.search(r"`x = \[\[.*`, `w` of shape \(4, 2\)", said)


def test_the_smallest_failing_case_is_shown():
    assert "Smallest case that shows it: one row" in str(card_of(lambda s: right_softmax(s) + 1))


def test_a_wide_result_is_drawn_around_the_wrong_cell():
    def wide(ids, wte, wpe, start=0):
        return np.zeros((200, 300))

    page = page_of(card_of(wide, "embed"))
    assert len(page.tags("td")) <= 2 * 8 * 8


EVIL = "<script>alert('1')</script>\"><img src=x onerror=alert(2)>&lt;`${7*7}`"


def test_a_students_exception_cannot_write_html():
    def softmax(scores):
        raise ValueError(EVIL)

    def named(scores):
        raise type(EVIL, (Exception,), {})(EVIL)

    for function in (softmax, named):
        card = card_of(function)
        page = page_of(card)
        assert not page.tags("script") and not page.tags("img")
        assert "alert('1')" in page.text


def test_a_students_type_or_parameter_cannot_write_html():
    class Evil:
        pass

    Evil.__name__ = EVIL
    assert not page_of(card_of(lambda s: Evil())).tags("script")


@given(st.text())
@settings(max_examples=200)
def test_any_paragraph_is_well_formed_and_keeps_its_words(text):
    plain, marked = paragraph(text)
    assert plain == text
    page = Page(marked)
    assert {name for name, _attributes in page.elements} <= {"p", "code", "br"}
    assert "<script" not in marked.lower() or "<script" not in text.lower()


@given(
    arrays.arrays(
        st.sampled_from(["f8", "f4", "f2", "i4", "u1", "?", "g"]),
        arrays.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=10),
    )
)
@settings(max_examples=150, deadline=None)
def test_a_card_can_be_drawn_of_any_array(array):
    card = card_of(lambda s: array)
    page_of(card)
    assert str(card)


def test_a_good_card_says_passed_in_words():
    card = card_of(right_softmax)
    assert card.good is True
    assert card.title == "✓ softmax: passed"
    assert page_of(card).tags("section")[0]["aria-label"] == "✓ softmax: passed"


def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("good", [True, False, None])
@pytest.mark.parametrize("background", ["#ffffff", "#111111"])
def test_the_border_can_be_seen_on_light_and_dark(good, background):
    colour = re.search(r"border:1px solid (#\w{6})", Card("t", good, [])._repr_html_())[1]
    light, dark = sorted([luminance(colour), luminance(background)], reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 3  # WCAG 2.2, 1.4.11: graphics


@pytest.mark.parametrize("exercise", exercise_names())
def test_every_mistakes_message_is_words_only(exercise):
    key = find_key(exercise)
    for mistake in key.mistakes:
        message = mistake.message
        assert message == message.strip()
        assert message.endswith((".", "?", ")", "`."))
        assert message.count("`") % 2 == 0
        assert html.unescape(message) == message
        assert 20 <= len(message) <= 400, mistake.id
        # No solution code: a message never holds a whole return line or a definition.
        assert "def " not in message


def test_a_mask_of_numbers_passes_with_a_friendly_remark():
    from dataclasses import replace

    key = find_key("softmax")
    mask = np.tri(3, dtype=bool)
    asks_for_a_mask = replace(
        key, cases=key.cases[:1], expected=(mask,), properties=(), mistakes=()
    )
    verdict = examine(lambda scores: mask.astype(int), asks_for_a_mask)
    assert verdict.passed
    assert "Your mask holds numbers." in str(verdict_card(verdict))
    assert examine(lambda scores: mask, asks_for_a_mask).remarks == ()
