"""The card that a learner sees: as HTML in a notebook, as plain text anywhere else."""

import html
from collections.abc import Callable, Sequence
from unicodedata import east_asian_width

import numpy as np

from illustrated_attention.comparing import ATOL, RTOL, Problem, compare
from illustrated_attention.examine import Verdict
from illustrated_attention.figures.palette import CARD_BAD, CARD_CELL, CARD_GOOD, CARD_NEUTRAL
from illustrated_attention.language import _, labelled, together
from illustrated_attention.messages import Failure

MOST_ROWS, MOST_COLUMNS = 8, 8  # of a drawn difference
MOST_NUMBERS = 6  # of an input that is written out
LONGEST_ITEM = 40  # characters of an item of a list


class Card:
    """A titled box of short paragraphs. Shows as HTML in a notebook and prints as text.

    Parameters
    ----------
    title : str
        The heading.
    good : bool or None
        Green, orange, or (None) neutral. The title must say the same in words.
    parts : list of (text, html)
        The body, each part once as text and once as HTML.
    """

    def __init__(self, title: str, good: bool | None, parts: list[tuple[str, str]]):
        self.title, self.good, self.parts = title, good, parts

    def __str__(self) -> str:
        return "\n".join([self.title, *(text for text, _html in self.parts if text)])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        colour = {True: CARD_GOOD, False: CARD_BAD, None: CARD_NEUTRAL}[self.good]
        title = html.escape(self.title)
        body = "".join(part for _text, part in self.parts)
        return (
            f'<section role="status" aria-label="{title}" style="border:1px solid {colour};'
            f"border-left:6px solid {colour};border-radius:4px;padding:0.6em 1em;margin:0.3em 0;"
            f'max-width:52em;line-height:1.5">'
            f'<p style="margin:0 0 0.3em;font-weight:600">{title}</p>{body}</section>'
        )


def marked(text: str) -> str:
    """Return a text as HTML. What stands between backticks is shown as code."""
    pieces = html.escape(text).split("`")
    return "".join(f"<code>{p}</code>" if i % 2 else p for i, p in enumerate(pieces))


def paragraph(text: str) -> tuple[str, str]:
    """Return a paragraph as a card's part. Text between backticks is shown as code."""
    lines = marked(text).replace("\n", "<br>")
    return text, f'<p style="margin:0.3em 0">{lines}</p>'


@np.errstate(all="ignore")  # also when the learner asked NumPy to raise or to warn
def verdict_card(verdict: Verdict, can: str = "") -> Card:
    """Return the card of a `check`.

    Parameters
    ----------
    verdict : Verdict
    can : str
        What the learner can do, once the function passes.
    """
    name = verdict.exercise
    if verdict.failure is None:
        title = _("✓ {name}: passed").format(name=name)
        parts = [paragraph(_(can))] if can else []
    else:
        title = _("✗ {name}: not yet").format(name=name)
        parts = [paragraph(verdict.message), *_failure_parts(verdict, verdict.failure)]
    parts += [paragraph(remark) for remark in verdict.remarks]
    parts.append(_list_of_results(verdict))
    if verdict.passed:  # not graded yet: it must not look as if it were
        parts.append(paragraph(_("Hidden tests, with other inputs, run when the work is graded.")))
    else:
        parts.append(paragraph(_("Stuck? `hint({name})` gives a hint.").format(name=name)))
    return Card(title, verdict.passed, parts)


def _failure_parts(verdict: Verdict, failure: Failure) -> list[tuple[str, str]]:
    parts = []
    if verdict.mistake and failure.sentence != verdict.message:  # else it stands there already
        seen = _("What was seen: {what}").format(what=failure.sentence)
        searched = failure.case is not None and failure.case.within  # then only about the same
        if verdict.explained and failure.kind == "value" and not searched:
            seen = together(seen, _("This mistake gives exactly your result."))
        parts.append(paragraph(seen))
    if failure.case is not None:
        where = _("Smallest case that shows it: {title}; {inputs}.")
        inputs = _(", ").join(map(_describe_input, failure.parameters, failure.case.args))
        parts.append(paragraph(where.format(title=_(failure.title), inputs=inputs)))
        parts.append(paragraph(_to_try_it(verdict.exercise, failure)))
    if failure.detail:
        parts.append(paragraph(failure.detail))
    if isinstance(failure.expected, list) and isinstance(failure.returned, (list, tuple)):
        parts.append(_listed(failure.returned, failure.expected))
    elif failure.difference is not None:
        parts += _drawn_difference(failure.difference)
    return parts


def _to_try_it(exercise: str, failure: Failure) -> str:
    """Lines to paste that load the case."""
    names = [name if name.isidentifier() else "_" for name in failure.parameters]
    load = f'{", ".join(names)} = case("{exercise}", {failure.number})'
    text = _("To try it by hand: `from illustrated_attention import case; {load}`")
    return text.format(load=load)


def _describe_input(name: str, arg) -> str:
    """Name an argument with its shape, and with its numbers if they are few.

    A parameter that the function does not have has a number for a name.
    """
    if name.isdigit():
        name = _("argument {number}").format(number=name)
    if isinstance(arg, np.ndarray):
        if 0 < arg.size <= MOST_NUMBERS:
            return f"`{name} = {arg.tolist()}`"
        return _("`{name}` of shape {shape}").format(name=name, shape=arg.shape)
    if isinstance(arg, (list, tuple)) and any(isinstance(a, np.ndarray) for a in arg):
        parts = (_describe_input(f"{name}[{i}]", item) for i, item in enumerate(arg))
        return _(", ").join(parts)
    if isinstance(arg, (list, tuple)) and any(isinstance(a, (list, tuple, dict)) for a in arg):
        return _("`{name}` of length {count}").format(name=name, count=len(arg))
    if isinstance(arg, dict):
        return _("`{name}`, a dictionary of {count} arrays").format(name=name, count=len(arg))
    return f"`{name} = {getattr(arg, '__name__', None) or repr(arg)[:80]}`"


def _list_of_results(verdict: Verdict) -> tuple[str, str]:
    words = {True: _("passed"), False: _("not yet"), None: _("not tried")}
    marks = {True: "✓", False: "✗", None: "·"}
    text = _("{mark} {title}: {result}")
    lines = [
        text.format(mark=marks[ok], title=_(title), result=words[ok])
        for title, ok in verdict.results
    ]
    count = sum(ok is True for _title, ok in verdict.results)
    summary = _("{count} of {all} checks passed").format(count=count, all=len(lines))
    items = "".join(f"<li>{html.escape(line)}</li>" for line in lines)
    return (
        "\n".join([summary, *("  " + line for line in lines)]),
        f'<details style="margin:0.3em 0"><summary>{html.escape(summary)}</summary>'
        f'<ul style="margin:0.2em 0;list-style:none;padding-left:1em">{items}</ul></details>',
    )


def _listed(got: Sequence, expected: list) -> tuple[str, str]:
    """Draw two lists side by side, item by item, around the first item that differs."""
    count = max(len(got), len(expected))
    first = next((i for i in range(count) if not _is_right_item(got, expected, i)), 0)
    top = max(0, min(first - MOST_ROWS // 2, count - MOST_ROWS))
    shown = range(top, min(top + MOST_ROWS, count))
    title = _("your list and the expected one, item by item")
    names = [_("number"), _("yours"), _("expected")]
    rows = [[str(i + 1), _item(got, i), _item(expected, i)] for i in shown]

    words = [[f" {name} " for name in names]]
    for i, row in zip(shown, rows, strict=True):
        words.append([f"[{word}]" if i == first else f" {word} " for word in row])
    widths = [max(map(_columns, column)) for column in zip(*words, strict=True)]
    lines = ["  " + " ".join(map(_filled, row, widths)).rstrip() for row in words]

    label = _("first wrong item")
    body = ""
    for i, row in zip(shown, rows, strict=True):
        boxed = i == first
        cells = [
            _cell(word, boxed, label if boxed and j == 1 else "") for j, word in enumerate(row)
        ]
        body += f"<tr>{''.join(cells)}</tr>"
    style = 'scope="col" style="text-align:right;padding:0 0.5em;font-weight:600"'
    head = "".join(f"<th {style}>{html.escape(name)}</th>" for name in names)
    return "\n".join([title, *lines]), _table(title, f"<thead><tr>{head}</tr></thead>", body)


def _columns(text: str) -> int:
    """How many columns a text takes where all letters are equally wide: a Chinese one takes two."""
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)


def _filled(text: str, width: int) -> str:
    return text + " " * (width - _columns(text))


def _cell(word: str, boxed: bool, label: str = "", bold: bool = False) -> str:
    """A cell of a table; `label` is said before its number to those who cannot see its box."""
    word = html.escape(word)
    said = f' aria-label="{labelled(html.escape(label), word)}"' if label else ""
    border = f"3px solid {CARD_BAD}" if boxed else f"1px solid {CARD_CELL}"
    return (
        f'<td{said} style="border:{border};font-weight:{700 if bold else 400};'
        f'padding:0.15em 0.5em;text-align:right;font-family:monospace">{word}</td>'
    )


def _item(values: Sequence, i: int) -> str:
    if i >= len(values):
        return _("(none)")
    text = repr(_as_lists(values[i]))
    return text if len(text) <= LONGEST_ITEM else text[:LONGEST_ITEM] + " …"


def _as_lists(value: object) -> object:
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    if isinstance(value, (list, tuple)):
        items = [_as_lists(item) for item in value]
        return tuple(items) if isinstance(value, tuple) else items
    return value


def _is_right_item(got: Sequence, expected: list, i: int) -> bool:
    return i < len(got) and i < len(expected) and compare(got[i], expected[i]) is None


def _drawn_difference(difference: Problem) -> list[tuple[str, str]]:
    """Yours, expected and how far they are apart, side by side, the first wrong cell boxed."""
    got, expected = difference.got, difference.expected
    drawable = all(isinstance(a, np.ndarray) and a.size for a in (got, expected))
    if difference.kind not in ("value", "not_finite", "shape") or not drawable:
        return []
    if got.ndim == expected.ndim == 0:
        return []  # two single numbers: the sentence has them already
    if expected.dtype == bool and set(np.unique(got)) <= {0, 1}:
        got = got.astype(bool)  # 1 beside True would look like another mistake
    index = difference.where if difference.kind != "shape" else ()
    wrong = _wrong_cells(got, expected)
    tables = [
        _window(_("yours"), got, index, wrong),
        _window(_("expected"), expected, index, None),
    ]
    if wrong is not None and expected.dtype != bool:
        apart = _apart(got, expected, wrong)
        tables.append(_window(_("yours - expected"), apart, index, None))
    text = "\n".join(text for text, _html in tables)
    pictures = "".join(picture for _text, picture in tables)
    style = "display:flex;flex-wrap:wrap;gap:0.3em 1.5em;align-items:flex-start"
    return [(text, f'<div style="{style}">{pictures}</div>')]


def _apart(got: np.ndarray, expected: np.ndarray, wrong: np.ndarray) -> np.ndarray:
    """How much too large each number is; 0 where it is right."""
    with np.errstate(all="ignore"):
        return np.where(wrong, got.astype(float) - expected.astype(float), 0.0)


def _wrong_cells(got: np.ndarray, expected: np.ndarray) -> np.ndarray | None:
    if got.shape != expected.shape:
        return None
    with np.errstate(all="ignore"):
        return ~np.isclose(got.astype(float), expected.astype(float), rtol=RTOL, atol=ATOL)


def _window(name: str, array: np.ndarray, index: tuple, wrong) -> tuple[str, str]:
    """Draw the last two axes of an array around the cell `index`, at most 8 x 8 cells."""
    lead = index[:-2] if array.ndim > 2 and index else (0,) * max(0, array.ndim - 2)
    plane = np.atleast_2d(array[lead])
    bad = np.atleast_2d(wrong[lead]) if wrong is not None else np.zeros(plane.shape, bool)
    row, column = (index[-2] if len(index) > 1 else 0, index[-1] if index else 0)
    top = max(0, min(row - MOST_ROWS // 2, plane.shape[0] - MOST_ROWS))
    left = max(0, min(column - MOST_COLUMNS // 2, plane.shape[1] - MOST_COLUMNS))
    rows = range(top, min(top + MOST_ROWS, plane.shape[0]))
    columns = range(left, min(left + MOST_COLUMNS, plane.shape[1]))

    title = _("{name}, shape {shape}").format(name=name, shape=array.shape)
    if array.ndim > 2:
        title += _(", at {index}").format(index=list(lead))
    boxed = (row, column) if index else None
    write = _writer(plane[np.ix_(rows, columns)])
    words = [
        [
            f"[{write(plane[r, c])}]" if boxed == (r, c) else f" {write(plane[r, c])} "
            for c in columns
        ]
        for r in rows
    ]
    width = max((len(word) for line in words for word in line), default=0)
    text_lines = [title, *("  " + " ".join(word.rjust(width) for word in line) for line in words)]
    html_rows = []
    first_wrong = _("first wrong cell")
    for r in rows:
        cells = []
        for c in columns:
            is_boxed = boxed == (r, c)
            label = first_wrong if is_boxed and bad[r, c] else ""
            cells.append(_cell(write(plane[r, c]), is_boxed, label, bad[r, c]))
        html_rows.append("<tr>" + "".join(cells) + "</tr>")
    return "\n".join(text_lines), _table(title, "", "".join(html_rows))


def _table(title: str, head: str, body: str) -> str:
    return (
        f'<table style="border-collapse:collapse;margin:0.4em 0">'
        f'<caption style="text-align:left;caption-side:top;white-space:nowrap">'
        f"{html.escape(title)}</caption>{head}<tbody>{body}</tbody></table>"
    )


def _writer(numbers: np.ndarray) -> Callable:
    """Return how to write these numbers: all with as many decimals, so that they line up."""
    if numbers.dtype == bool:
        return lambda value: str(bool(value))
    if numbers.dtype.kind in "iu":
        return lambda value: str(int(value))
    sizes = np.abs(numbers.astype(float))
    if not ((sizes == 0) | ((sizes >= 1e-3) & (sizes < 1e5))).all():
        return lambda value: f"{float(value):.4g}"  # tiny, huge, infinite or nan
    decimals = next(n for n in range(5) if n == 4 or (sizes.round(n) == sizes.round(4)).all())
    return lambda value: f"{float(value) + 0.0:.{decimals}f}"
