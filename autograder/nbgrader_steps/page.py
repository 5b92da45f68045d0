"""How much of a stranger's work one page shows, so that no hand-in overwhelms who opens it.

`Bounded` is a step of the exporters that make pages: feedback, and formgrader's. What it leaves is
short, small and harmless, and the templates need not look again. With `settings.FILTERS` they make
HTML by the `Page` that it leaves them. The instructor's own text and
tests are shown in full, and so is what the judge says, whatever a hand-in holds beside them.
"""

import functools
import re
import unicodedata
from collections.abc import Iterable
from html import escape, unescape
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import nbformat
from jinja2 import pass_context
from nbconvert.filters import strip_ansi
from nbconvert.preprocessors import Preprocessor
from nbformat.notebooknode import NotebookNode, from_dict
from nbgrader.coursedir import CourseDirectory
from traitlets import List

from autograder.nbgrader_steps import cleaning, markup
from autograder.sandbox import outputs
from autograder.sandbox.pictures import pixels
from illustrated_attention.language import _

# Of one cell.
SOURCE = (20_000, 400)  # characters and lines
PRINTED = (10_000, 100)
MAX_ITEMS = 40  # outputs
MAX_MARKDOWN = 10_000  # characters: longer text is shown as it was typed
MAX_CODE = 5_000  # characters: longer code is not highlighted
MAX_CARD = 200_000  # characters
SECONDS = 1.0  # of CPU time, to make HTML of one text; honest ones take a hundredth of it
WIDTH = 100  # characters that make a line, where there are no line breaks
MAX_PILE = 4  # marks above and below one letter

# Where a hand-in lay while it was graded: its owner knows no such folder.
_TEMPORARY = re.compile(r"/(?:[\w.-]+/){0,6}(?:grading|hand-in)-\w{1,20}(?:/work)?(/?)")
METADATA = ("nbgrader", "illustrated_attention")  # what is kept of a cell's


class Page:
    """What may still be put on one page of what strangers made."""

    seconds = 2.0  # of CPU time, for what strangers wrote
    seconds_for_cards = 2.0
    outputs = 300
    pictures, pixels, bytes = 100, 100_000_000, 12 << 20
    highlighted = 60_000  # characters of code

    def __init__(self, ours: Iterable[tuple[str, str]] = ()):
        self.ours = ours  # type and source of the cells that the instructor released
        self.source, self.printed = Room(200_000, 3_000), Room(100_000, 1_000)

    def markdown(self, source: str, attachments: dict | None = None) -> str:
        """Return a text cell as HTML: what a stranger wrote within limits, without its own tags."""
        if ("markdown", source.strip()) in self.ours:
            return cleaning.trusted_markdown(source)
        html = self._render("markdown", source) if len(source) <= MAX_MARKDOWN else None
        if html is None:
            return f"<pre>{escape(source)}</pre>"
        return self._with_pictures(cleaning.without_tex_commands(html), attachments or {})

    def code(self, source: str) -> str:
        """Return code as HTML, highlighted if it is short enough."""
        html = None
        if ("code", source.strip()) in self.ours:
            html = _trusted_code(source)
        elif len(source) <= min(MAX_CODE, self.highlighted):
            self.highlighted -= len(source)
            html = self._render("code", source)
        return html or f'<div class="highlight"><pre>{escape(source)}</pre></div>'

    def card(self, source: str) -> str | None:
        """Return a card's HTML without what does not belong into one; None if it is none."""
        limit = min(SECONDS, self.seconds_for_cards)
        if len(source) > MAX_CARD or limit <= 0:
            return None
        html, took = markup.render("card", source, limit)
        self.seconds_for_cards -= took
        return html

    def picture(self, mime: str, data: str, words: str) -> str:
        """Return a picture as HTML, or its words where it cannot be shown."""
        words = words[:2_000]
        data = re.sub(r"\s", "", data)
        drawn = pixels(mime, data)
        if not drawn or not self.pictures or drawn > self.pixels or len(data) > self.bytes:
            return escape(_("[a picture that is not shown here: {words}]").format(words=words))
        self.pictures -= 1
        self.pixels -= drawn
        self.bytes -= len(data)
        style = "max-width:100%;max-height:60rem;color-scheme:light"  # as the page
        return (
            f'<img alt="{escape(words)}" style="{style}" decoding="async" '
            f'src="data:{mime};base64,{data}">'
        )

    def _render(self, kind: str, source: str) -> str | None:
        limit = min(SECONDS, self.seconds)
        if limit <= 0:
            return None
        html, took = markup.render(kind, source, limit)
        self.seconds -= took
        return html

    def _with_pictures(self, html: str, attachments: dict) -> str:
        shown = set()

        def put(match: re.Match) -> str:
            words, name = unescape(match[1]), unescape(match[2])
            bundle = attachments.get(name) or attachments.get(unquote(name)) or {}
            if name in shown:
                return escape(_("[the picture above again: {words}]").format(words=words))
            shown.add(name)
            mime, data = next(iter(bundle.items()), ("", ""))
            return self.picture(mime, str(data), words)

        return re.sub(r'<img alt="([^"]*)" src="attachment:([^"]*)">', put, html)


@functools.lru_cache(maxsize=1000)  # the same on every student's page
def _trusted_code(source: str) -> str:
    return markup.code(source)


@pass_context
def markdown2html(context, source: str) -> str:
    """Turn a text cell into HTML that shows text, pictures of the cell itself, and nothing else."""
    attachments = context.get("cell", {}).get("attachments", {})
    return _page(context).markdown(source, attachments)


@pass_context
def highlight_code(context, source: str, language=None, metadata=None) -> str:
    """Turn a code cell into HTML."""
    return _page(context).code(source)


def _page(context) -> Page:
    return context.get("resources", {}).get("page") or Page()


class Room:
    """How much text may still be shown."""

    def __init__(self, characters: int, lines: int):
        self.characters, self.lines = characters, lines

    def take(self, text: str, most: tuple[int, int], tail: float = 0) -> str:
        """Return a text as far as there is room for it. A line tells if something is missing.

        Parameters
        ----------
        most : tuple
            Characters and lines that this text may take.
        tail : float
            The part of them that the text's end gets.
        """
        characters, lines = min(most[0], self.characters), min(most[1], self.lines)
        rows = text[: characters + 1].split("\n")
        if len(text) > characters or _height(rows) > lines:
            head = _fitting(rows, characters * (1 - tail), lines * (1 - tail))
            end = reversed(text[-characters - 1 :].split("\n")) if tail else []
            end = _fitting(end, characters * tail, lines * tail)[::-1]
            left = len(text) - sum(map(len, head + end))
            note = _("[… {count} characters are not shown here …]").format(count=f"{left:,}")
            rows = [*head, note, *end]
        self.characters = max(0, self.characters - sum(map(len, rows)))
        self.lines = max(0, self.lines - _height(rows))
        return _without_piles("\n".join(rows))


def _height(rows: list[str]) -> int:
    return sum(map(_lines, rows))


def _lines(row: str) -> int:
    """How many lines a row takes where it is wrapped, and where it has line breaks of HTML."""
    return 1 + len(row) // WIDTH + row.count("<br") + row.count("<BR")


def _fitting(rows: Iterable[str], characters: float, lines: float) -> list[str]:
    """Return the rows that there is room for, and of a first one that is too long its beginning."""
    most = int(min(characters, lines * WIDTH))
    kept: list[str] = []
    for row in rows:
        characters -= len(row)
        lines -= _lines(row)
        if characters < 0 or lines < 0:
            return kept or ([row[:most]] if most else [])
        kept.append(row)
    return kept


def _without_piles(text: str) -> str:
    """Leave out accents that are piled so high that they lie over what stands around."""
    if text.isascii():
        return text
    kept, pile = [], 0
    for character in text:
        pile = pile + 1 if unicodedata.category(character) in ("Mn", "Me") else 0
        if pile <= MAX_PILE:
            kept.append(character)
    return "".join(kept)


class Bounded(Preprocessor):
    """Leaves of a graded notebook what a page can show; `resources["page"]` makes HTML of it."""

    # nbgrader's and nbconvert's exporters set it for all their parts.
    display_data_priority: List[Any] = List().tag(config=True)

    def preprocess(self, nb, resources):
        if "page" in resources:
            return nb, resources
        resources["page"] = page = Page(self._released(resources))
        nb.metadata = from_dict({"language_info": {"name": "python"}})
        for cell in nb.cells:
            kept = {key: cell.metadata[key] for key in METADATA if key in cell.metadata}
            cell.metadata = from_dict(kept)
            if cell.cell_type == "raw":  # a page would show it unchanged, as HTML
                cell.cell_type = "markdown"
                cell.source = re.sub("(?m)^", "    ", cell.source)
            ours = (cell.cell_type, cell.source.strip()) in page.ours
            if not (ours or is_test(cell)):
                cell.source = page.source.take(cell.source, SOURCE)
            if cell.cell_type == "code":
                cell.execution_count = None
                bound = _of_test if is_test(cell) else _of_stranger
                cell.outputs = [from_dict(output) for output in bound(cell.outputs, page)]
        return nb, resources

    def _released(self, resources) -> frozenset[tuple[str, str]]:
        """Type and source of the cells of the notebook that was released."""
        names = resources.get("nbgrader", resources)
        course = CourseDirectory(config=self.config)
        assignment = names.get("assignment") or names.get("assignment_id")
        notebook = names.get("notebook") or names.get("notebook_id")
        if not assignment or not notebook:
            return frozenset()
        folder = course.format_path(course.release_directory, ".", assignment)
        path = Path(folder, f"{notebook}.ipynb")
        return _cells(path, path.stat().st_mtime_ns) if path.is_file() else frozenset()


@functools.lru_cache(maxsize=8)
def _cells(path: Path, _changed: int) -> frozenset[tuple[str, str]]:
    notebook = nbformat.read(path, as_version=4)
    return frozenset((cell.cell_type, cell.source.strip()) for cell in notebook.cells)


def is_test(cell: NotebookNode) -> bool:
    """Is this cell one of the instructor's that gives points? Its outputs are the judge's words."""
    meta = cell.metadata.get("nbgrader", {})
    return cell.cell_type == "code" and bool(meta.get("grade")) and not meta.get("solution")


def _of_stranger(given: list, page: Page) -> list[dict]:
    """Return the outputs of a cell that a student wrote: text, pictures, and no more than fits."""
    kept, room = [], Room(*PRINTED)
    cleaned = outputs.clean(_with_plain_lists(given))
    for item in cleaned[:MAX_ITEMS]:
        if not page.outputs or not room.lines or not page.printed.lines:
            break
        page.outputs -= 1
        kept.append(_bounded(item, page, room, page.printed))
    if len(kept) < len(given):
        note = _("[… more that this cell put out is not shown here …]")
        kept.append({"output_type": "stream", "name": "stdout", "text": note})
    return kept


def _of_test(given: list, page: Page) -> list[dict]:
    kept, room = [], Room(*PRINTED)
    for item in _with_plain_lists(given)[:MAX_ITEMS]:
        card = item.get("data", {}).get("text/html")
        card = page.card(card) if isinstance(card, str) else None
        if card:
            words = "".join(item["data"].get("text/plain", ""))
            data = {"text/html": card, "text/plain": words[: PRINTED[0]]}
            kept.append({"output_type": "display_data", "metadata": {}, "data": data})
        else:
            kept += [_bounded(output, page, room, room) for output in outputs.clean([item])]
    return kept


def _with_plain_lists(given: list) -> list[dict]:
    """Outputs as `outputs.clean` reads them, which nbformat keeps in another form."""
    made = []
    for output in given:
        item = dict(output)
        if item.get("output_type") == "error":
            item["traceback"] = ["\n".join(map(str, item.get("traceback", [])))]
        if isinstance(item.get("data"), dict):
            item["data"] = dict(item["data"])
        made.append(item)
    return made


def _bounded(item: dict, page: Page, room: Room, total: Room) -> dict:
    """Return an output as far as there is room, of this cell's and of the page's."""

    def excerpt(text: str) -> str:
        text = _TEMPORARY.sub(lambda found: "" if found[1] else ".", strip_ansi(text))
        text = room.take(text, (total.characters, total.lines), tail=0.3)
        return text if room is total else total.take(text, (len(text), PRINTED[1] + 1))

    if item["output_type"] == "stream":
        return {**item, "text": excerpt(item["text"])}
    if item["output_type"] == "error":
        return {**item, "evalue": "", "traceback": [excerpt(item["traceback"][0])]}
    data, words = item["data"], item["data"].get("text/plain", "")
    found = outputs.pictures(data.get("text/html", "")) or [
        (words, mime, value) for mime, value in data.items() if mime.startswith("image/")
    ]
    shown = {**item, "metadata": {}}
    if item["output_type"] == "execute_result":
        shown["execution_count"] = None
    if found:
        shown["data"] = {"text/html": "<br>".join(page.picture(m, d, w) for w, m, d in found)}
    else:
        shown["data"] = {"text/plain": words[: PRINTED[0]]}
    return shown
