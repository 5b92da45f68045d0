"""The sentences of a lesson, one by one: to collect them for translators, and to put theirs in.

One walk serves both: `with_texts` gives each sentence to a function and puts in its place what
comes back. A sentence is a heading, a paragraph, a list item or a table's cell, with its lines
joined; in code cells a comment, or a paragraph of a docstring, and in cells that are given a label
of what is drawn or printed. Code and names stay.
"""

import ast
import copy
import io
import re
import tokenize
import unicodedata
from collections.abc import Callable, Iterator

import nbformat

Translate = Callable[[str], str]

# What stands before a text and is not the translators': "## ", "- ", "1. ", "> ", spaces.
_MARKER = re.compile(r"^(\s*(?:#{1,6} |[-*] |\d+\. |> )?)(.*)$")
# A number other than 1 begins a list's item only after another item: "... exactly / 0. A score".
_BEGINS = re.compile(r"^\s*(?:#{1,6} |[-*] |1\. |> )")
_NUMBERED = re.compile(r"^\s*\d+\. ")
_FENCE = re.compile(r"^\s*```")
_TABLE_RULE = re.compile(r"^\s*\|?[\s:|-]+\|?\s*$")
_KEPT_COMMENT = re.compile(r"^#\s*(?:YOUR CODE HERE|%%|noqa|type:)|^###")
_WORD = re.compile(r"[a-z]{2}|[^\x00-\x7f]")  # no single letter: it names an array
COLUMNS = 92  # of a line of code; JupyterLab breaks none
# What is not broken: code, a word, or a Chinese character, with the marks that belong to it.
_WIDE = "\u3000-\u9fff\uff00-\uffef"
_OPENING = "\uff08\u300a\u201c"
_CLOSING = "\uff0c\u3002\u3001\uff1b\uff1a\uff1f\uff01\uff09\u300b\u201d"
_PIECE = re.compile(
    rf"\s*[{_OPENING}]*(?:`+[^`]+`+|[^\s{_WIDE}`\u201c]+|[{_WIDE}`\u201c])[{_CLOSING}]*"
)
# A line of a NumPy docstring that only names things: a section, its rule, or "x : ndarray, [T, D]".
_NAMES = re.compile(
    r"^\s*(?:[A-Z][a-z]+|-+|[\w, *()]+ : .*|\w*Error"
    r"|(?:bool|int|float|str|list|tuple|dict|ndarray)\b.*)$"
)


def with_texts(notebook: nbformat.NotebookNode, translate: Translate) -> nbformat.NotebookNode:
    """Return a copy of a notebook in which `translate` has replaced every sentence."""
    notebook = copy.deepcopy(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = _markdown(cell.source, translate)
        elif cell.cell_type == "code":
            cell.source = _code(cell.source, translate, labels=not _is_graded(cell))
    return notebook


def _is_graded(cell: nbformat.NotebookNode) -> bool:
    about = cell.metadata.get("nbgrader", {})
    return bool(about.get("grade") or about.get("solution"))


def texts(notebook: nbformat.NotebookNode) -> list[str]:
    """Return every sentence of a notebook once, in its order."""
    found: dict[str, None] = {}

    def note(text: str) -> str:
        found.setdefault(text)
        return text

    with_texts(notebook, note)
    return list(found)


def _markdown(source: str, translate: Translate) -> str:
    lines: list[str] = []
    for block in _blocks(source.splitlines()):
        first = block[0]
        if not first.strip() or _FENCE.match(first):
            lines += block
        elif first.lstrip().startswith("|"):
            lines += [_table_row(line, translate) for line in block]
        else:
            match = _MARKER.match(first)
            assert match is not None  # it matches any line
            marker, text = match.groups()
            whole = " ".join([text.strip(), *(line.strip() for line in block[1:])])
            lines.append(marker + translate(whole))
    return "\n".join(lines)


def _blocks(lines: list[str]) -> Iterator[list[str]]:
    """Yield blank lines, fenced code, tables, headings, items and paragraphs."""
    block: list[str] = []
    fenced = False
    for line in lines:
        fence = bool(_FENCE.match(line))
        if fenced:
            block.append(line)
            if fence:
                fenced = False
                yield block
                block = []
            continue
        table = line.lstrip().startswith("|")
        begins = fence or not line.strip() or bool(_BEGINS.match(line))
        if block and _NUMBERED.match(block[0]) and _NUMBERED.match(line):
            begins = True
        in_table = bool(block) and block[0].lstrip().startswith("|")
        if block and (begins or table != in_table or re.match(r"^\s*#{1,6} ", block[0])):
            yield block
            block = []
        block.append(line)
        fenced = fence
        if not line.strip():
            yield block
            block = []
    if block:
        yield block


def _table_row(line: str, translate: Translate) -> str:
    if _TABLE_RULE.match(line):
        return line
    cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
    return "| " + " | ".join(translate(cell) if cell else "" for cell in cells) + " |"


def _code(source: str, translate: Translate, labels: bool) -> str:
    """Translate comments, docstrings and labels; a cell that is no Python stays as it is."""
    source = _labels(source, translate) if labels else source
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    except (tokenize.TokenError, SyntaxError):
        return source
    lines = source.splitlines()
    edits: list[tuple[int, int, list[str]]] = []  # first line, last line, what stands there then
    comments = [token for token in tokens if token.type == tokenize.COMMENT]
    for run in _runs(comments, lines):
        first, last = run[0].start[0], run[-1].start[0]
        before = lines[first - 1][: run[0].start[1]]
        text = " ".join(token.string.lstrip("#").strip() for token in run)
        said = translate(text)
        parts = _filled(said, len(before) + 2) if not before.strip() else [said]
        edits.append((first, last, [f"{before}# {part}" for part in parts]))
    previous = None
    for token in tokens:
        if token.type == tokenize.STRING and previous == tokenize.INDENT:
            edits.append(_docstring(token, lines, translate))
        if token.type not in (tokenize.NL, tokenize.COMMENT):
            previous = token.type
    for first, last, new in sorted(edits, reverse=True):
        lines[first - 1 : last] = new
    return "\n".join(lines)


def _filled(text: str, indent: int) -> list[str]:
    """Break a text of a code cell into lines: at spaces, and between Chinese characters."""
    lines, room = [""], COLUMNS - indent
    for piece in _PIECE.findall(text):
        if lines[-1] and _columns(lines[-1] + piece) > room:
            lines.append("")
        lines[-1] += piece if lines[-1] else piece.lstrip()
    return lines


def _columns(text: str) -> int:
    """How wide a text is in a fixed-width font, in which a Chinese character takes two columns."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _labels(source: str, translate: Translate) -> str:
    """Translate the labels that a cell gives to what it draws or prints."""
    try:
        tree = ast.parse(source)
    except SyntaxError:  # a magic
        return source
    lines = [line.encode() for line in source.splitlines()]  # ast counts bytes
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and _shows(node))
    found = [label for call in calls for argument in _arguments(call) for label in _plain(argument)]
    for label, words in sorted(found, key=lambda one: one[0].col_offset, reverse=True):
        line = lines[label.lineno - 1]
        quote = line[label.col_offset : label.col_offset + 1]
        said = words.replace(words.strip(), translate(words.strip())).encode()
        before, after = line[: label.col_offset], line[label.end_col_offset :]
        lines[label.lineno - 1] = before + quote + said + quote + after
    return "\n".join(line.decode() for line in lines)


def _shows(call: ast.Call) -> bool:
    name = ast.unparse(call.func)
    return name in ("print", "shape_flow") or name.startswith("draw.")


def _arguments(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *(keyword.value for keyword in call.keywords)]


def _plain(node: ast.AST) -> Iterator[tuple[ast.Constant, str]]:
    """Yield the words in an argument: no key of other data, nothing that is put into a string."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        if _WORD.search(node.value):
            yield node, node.value
    elif not isinstance(node, (ast.Call, ast.Subscript, ast.JoinedStr)):
        for child in ast.iter_child_nodes(node):
            yield from _plain(child)


def _runs(comments: list, lines: list[str]) -> Iterator[list]:
    """Yield comments together that stand on lines of their own, one under the other."""
    run: list = []
    for token in comments:
        if _KEPT_COMMENT.match(token.string):
            continue
        row, column = token.start
        alone = not lines[row - 1][:column].strip()
        joins = run and alone and run[-1].start == (row - 1, column)
        if joins and not lines[row - 2][:column].strip():
            run.append(token)
            continue
        if run:
            yield run
        run = [token]
    if run:
        yield run


def _docstring(token, lines: list[str], translate: Translate) -> tuple[int, int, list[str]]:
    first, last = token.start[0], token.end[0]
    body = lines[first - 1 : last]
    if first == last:
        match = re.match(r'^(\s*""")(.*)(""".*)$', body[0])
        assert match is not None  # docstrings of the course are of this kind
        return first, last, [match[1] + translate(match[2]) + match[3]]
    new: list[str] = []
    paragraph: list[str] = []

    def close() -> None:
        if paragraph:
            opening = re.match(r'^(\s*(?:""")?)(.*)$', paragraph[0])
            assert opening is not None
            text = " ".join([opening[2].strip(), *(line.strip() for line in paragraph[1:])])
            parts = _filled(translate(text), len(opening[1])) if text else [""]
            indent = re.match(r" *", opening[1])
            assert indent is not None  # it matches any line
            new.extend([opening[1] + parts[0], *(indent[0] + part for part in parts[1:])])
            paragraph.clear()

    for line in body:
        indent = len(line) - len(line.lstrip())
        if not line.strip() or line.strip() == '"""' or _NAMES.match(line):
            close()
            new.append(line)
        else:
            if paragraph and indent != len(paragraph[0]) - len(paragraph[0].lstrip()):
                close()
            paragraph.append(line)
    close()
    return first, last, new
