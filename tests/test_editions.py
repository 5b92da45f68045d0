"""Editions in other languages are true to the English one: nothing missing, nothing old."""

import re
import unicodedata
import warnings
from collections import Counter

import nbformat
import numpy as np
import pytest
from classroom import ROOT, graded_cells, nbgrader_data
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from autograder.authoring import catalogues, documents, editions
from autograder.authoring.lesson_texts import COLUMNS, texts, with_texts
from autograder.exercises import LESSONS
from illustrated_attention import CheckFailed, check
from illustrated_attention import language as languages
from illustrated_attention.figures.key import colour_key
from illustrated_attention.figures.words import has_glyph

LANGUAGES = catalogues.languages()


@pytest.fixture(scope="module")
def sources():
    return {domain: dict(editions.source_sentences(domain)) for domain in catalogues.DOMAINS}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("domain", catalogues.DOMAINS)
def test_every_sentence_is_translated_and_none_is_left_over(language, domain, sources):
    entries = [entry for entry in catalogues.read_catalogue(language, domain) if entry.id]
    assert not [entry.id for entry in entries if not entry.string or entry.fuzzy]
    assert {entry.id for entry in entries} == set(sources[domain])


def fields(text):
    return sorted(re.findall(r"(?<!\{)\{[^{}]*\}(?!\})", text))


def code(text):
    return sorted(re.findall(r"``[^`]+``|`[^`]+`", text))


def links(text):
    return sorted(re.findall(r"\]\(([^)]*)\)", text))


def numbers(text):
    plain = re.sub(r"`[^`]+`|\{[^{}]*\}", "", text)
    return Counter(re.findall(r"\d+(?:[.,]\d+)*", plain))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("domain", catalogues.DOMAINS)
def test_a_translation_keeps_what_is_no_language(language, domain):
    """Names in braces, code, links, emphasis and numbers are those of the English sentence."""
    wrong = []
    for entry in catalogues.read_catalogue(language, domain):
        if not entry.id:
            continue
        english, other = str(entry.id), str(entry.string)
        kept = all(part(english) == part(other) for part in (fields, code, links))
        kept = kept and english.count("**") == other.count("**")
        # "two" may be written 2, and -1 billion is not written with a 1 everywhere.
        lost = numbers(english) - numbers(other)
        if not kept or (lost and not re.search("billion", english)):
            wrong.append((english, other))
    assert wrong == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("lesson", LESSONS)
def test_the_edition_has_the_english_cells_and_code(language, lesson):
    english = nbformat.read(ROOT / "notebooks" / lesson / f"{lesson}.ipynb", as_version=4)
    path = ROOT / f"notebooks-{language}" / lesson / f"{lesson}.ipynb"
    other = nbformat.read(path, as_version=4)
    assert [cell.id for cell in english.cells] == [cell.id for cell in other.cells]
    assert [nbgrader_data(cell) for cell in english.cells] == [
        nbgrader_data(cell) | checksum_of(one)
        for cell, one in zip(other.cells, english.cells, strict=True)
    ]
    assert list(graded_cells(english)) == list(graded_cells(other))
    plain = [[without_texts(cell) for cell in notebook.cells] for notebook in (english, other)]
    first = next(i for i, cell in enumerate(english.cells) if cell.cell_type == "code")
    chooses = editions.CHOOSES.format(language=language)
    assert plain[1][first] == chooses + plain[0][first]
    assert plain[1][:first] + plain[1][first + 1 :] == plain[0][:first] + plain[0][first + 1 :]


def checksum_of(cell):
    """nbgrader's checksum follows the words of a cell; it is the one thing that may differ."""
    return {k: v for k, v in nbgrader_data(cell).items() if k == "checksum"}


def without_texts(cell):
    """The code of a cell without its sentences; nothing of a cell that is text."""
    (bare,) = with_texts(nbformat.v4.new_notebook(cells=[cell]), lambda text: "").cells
    return bare.source if bare.cell_type == "code" else ""


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("lesson", LESSONS)
def test_a_class_of_the_edition_has_the_english_tests(language, lesson):
    """nbgrader releases it from a source of its own, hidden tests and all."""
    sources = [
        nbformat.read(ROOT / f"solutions{ending}" / lesson / f"{lesson}.ipynb", as_version=4)
        for ending in ("", f"-{language}")
    ]
    english, other = (
        {name: without_texts(cell) for name, cell in graded_cells(notebook).items()}
        for notebook in sources
    )
    assert english == other and english


def test_the_editions_are_fresh(tmp_path):
    for path in editions.build_editions(tmp_path):
        assert path.read_bytes() == (ROOT / path.relative_to(tmp_path)).read_bytes(), path


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_notebook_chooses_its_language_for_all_that_is_said(language, monkeypatch):
    monkeypatch.setattr(languages, "_catalogue", languages._catalogue)
    languages.use(language)
    assert languages._("passed") != "passed"
    languages.use("en")
    assert languages._("passed") == "passed"


def test_sentences_are_put_side_by_side_as_the_language_does_it(monkeypatch):
    monkeypatch.setattr(languages, "_catalogue", languages._catalogue)
    languages.use("en")
    assert languages.together("One.", "Two.", "Three.") == "One. Two. Three."
    languages.use("zh_CN")
    assert languages.together("一。", "二。", "三。") == "一。二。三。"


def card_of(function, exercise):
    with pytest.raises(CheckFailed) as failure:
        check(function, exercise)
    return str(failure.value)


def test_two_sentences_stand_on_a_chinese_card_without_a_space(monkeypatch):
    monkeypatch.setattr(languages, "_catalogue", languages._catalogue)
    languages.use("zh_CN")

    def squeezed(token_ids, wte, wpe, start=0):
        if start + token_ids.shape[-1] > len(wpe):
            raise ValueError("too long")
        return np.squeeze(wte[token_ids] + wpe[start : start + token_ids.shape[-1]])

    card = card_of(squeezed, "embed")
    assert "这样的例子都是错的" in card and "`squeeze`" in card  # which cases, and why
    assert "。 " not in card


def test_a_table_on_a_chinese_card_has_its_columns_one_under_the_other(monkeypatch):
    monkeypatch.setattr(languages, "_catalogue", languages._catalogue)
    languages.use("zh_CN")
    pairs = [([1], 2), ([1, 2], 3)]  # one is missing: a word stands in its place
    lines = card_of(lambda token_ids: pairs, "next_token_pairs").splitlines()
    head = next(at for at, line in enumerate(lines) if "预期的" in line and "序号" in line)
    starts = [line[: line.rindex("(")] for line in lines[head + 1 : head + 4]]
    wide = [len(s) + sum(letter > "\u2e80" for letter in s) for s in starts]
    before = lines[head].removesuffix("预期的")
    assert set(wide) == {len(before) + sum(letter > "\u2e80" for letter in before)}


TEXT = """# A heading
Two lines
of a paragraph with `code`.

```
plain text
```
1. one
2. two
   goes on

| a | b |
|---|---|
| c |   |"""
CODE = '''def f(x):
    """One line."""
    # a comment
    # goes on
    y = 1  # beside
    # noqa: E501
    return "text"


def g(x):
    """First line
    goes on.

    Parameters
    ----------
    x : ndarray
        What it is.
            More.
    """
print("said so", x)'''


def test_what_is_a_sentence_is_translated_and_nothing_else():
    codes = (CODE, "%matplotlib inline\nx = 1  # a magic", 'print("open')
    cells = [new_markdown_cell(TEXT), *map(new_code_cell, codes)]
    text, code, *not_python = with_texts(new_notebook(cells=cells), str.upper).cells
    assert text.source.splitlines() == [
        *("# A HEADING", "TWO LINES OF A PARAGRAPH WITH `CODE`.", ""),
        *("```", "plain text", "```", "1. ONE", "2. TWO GOES ON", ""),
        *("| A | B |", "|---|---|", "| C |  |"),
    ]
    assert code.source.splitlines() == [
        *("def f(x):", '    """ONE LINE."""', "    # A COMMENT GOES ON", "    y = 1  # BESIDE"),
        *("    # noqa: E501", '    return "text"', "", "", "def g(x):"),
        *('    """FIRST LINE GOES ON.', "", "    Parameters", "    ----------"),
        *("    x : ndarray", "        WHAT IT IS.", "            MORE.", '    """'),
        'print("SAID SO", x)',
    ]
    assert [cell.source for cell in not_python] == [
        "%matplotlib inline\nx = 1  # A MAGIC",
        codes[2],
    ]


def test_a_catalogue_keeps_what_was_translated_and_guesses_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(catalogues, "LOCALE", tmp_path)
    assert catalogues.update("de", "messages", [("One.", "a.py"), ("Two.", "b.py")]) == 2
    path = catalogues.catalogue_path("de", "messages")
    text = path.read_text().replace('msgid "One."\nmsgstr ""', 'msgid "One."\nmsgstr "Eins."')
    path.write_text(text)
    sentences = [("One.", "c.py"), ("One and two.", "b.py")]
    assert catalogues.update("de", "messages", sentences) == 1
    found = {e.id: e.string for e in catalogues.read_catalogue("de", "messages") if e.id}
    assert found == {"One.": "Eins.", "One and two.": ""}
    written = path.read_bytes()
    assert catalogues.update("de", "messages", sentences) == 1
    assert path.read_bytes() == written
    assert catalogues.languages() == ["de"]


def test_a_lesson_is_the_same_when_its_sentences_are_put_back():
    for lesson in LESSONS:
        notebook = nbformat.read(ROOT / "notebooks" / lesson / f"{lesson}.ipynb", as_version=4)
        once = with_texts(notebook, lambda text: text)
        assert texts(once) == texts(notebook)
        assert with_texts(once, lambda text: text) == once


def test_a_long_comment_or_docstring_is_broken_into_lines_and_loses_nothing():
    said = "它们会试其他大小、`np.array([1, 2])`《弄错轴时看不出来》、以及 token 和特征。" * 4
    source = 'def f(x):\n    """Help.\n\n    More.\n    """\n    # Why.\n    return x  # Why.'
    notebook = new_notebook(cells=[new_code_cell(source)])
    lines = with_texts(notebook, lambda text: said).cells[0].source.splitlines()
    blank, end = lines.index(""), lines.index('    """')
    for start, block in [
        ('    """', lines[1:blank]),
        ("    ", lines[blank + 1 : end]),
        ("    # ", lines[end + 1 : -1]),
    ]:
        assert len(block) > 3 and block[0].startswith(start)
        parts = [line.lstrip('" #') for line in block]
        assert "".join(parts).replace(" ", "") == said.replace(" ", "")
        for line, part in zip(block, parts, strict=True):
            wide = sum(unicodedata.east_asian_width(character) in "WF" for character in line)
            assert len(line) + wide <= COLUMNS
            assert part.count("`") % 2 == 0 and part[0] not in "、。》"
    assert lines[-1] == f"    return x  # {said}"  # beside code there is no other line


@pytest.mark.parametrize("language", LANGUAGES)
def test_figures_are_drawn_in_every_language_without_a_word_on_stderr(language, monkeypatch):
    """The font of our measures lacks East Asian characters: they are taken for squares."""
    monkeypatch.setattr(languages, "_catalogue", languages._catalogue)
    languages.use(language)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        done = colour_key(["numbers", "weights", "hidden", "query"]).in_svg()
    assert languages._("weights, from 0 to 1") in done.body


# -- documents -----------------------------------------------------------------------------------


def test_every_translated_document_was_looked_at_since_the_english_one_changed():
    """If this fails: look at both, mend the translation, then run the command in its first line."""
    assert len(documents.translations()) >= 3
    assert documents.stale() == []


def test_a_changed_english_document_makes_its_translation_stale(tmp_path, monkeypatch):
    monkeypatch.setattr(documents, "ROOT", tmp_path)
    (tmp_path / "docs" / "zh_CN").mkdir(parents=True)
    english, chinese = tmp_path / "docs" / "work.md", tmp_path / "docs" / "zh_CN" / "work.md"
    english.write_text("# Work\n")
    chinese.write_text("# 学习\n", encoding="utf-8")
    assert documents.stale() == [chinese.relative_to(tmp_path)]
    documents.note_looked_at(chinese)
    documents.note_looked_at(chinese)
    assert documents.stale() == []
    assert chinese.read_text(encoding="utf-8").count("<!--") == 1
    english.write_text("# Work hard\n")
    assert documents.stale() == [chinese.relative_to(tmp_path)]


@pytest.mark.parametrize("document", documents.translations(), ids=str)
def test_a_translated_document_has_the_parts_of_the_english_one(document):
    """Headings, rows of tables and blocks of code; and its links lead somewhere."""

    def parts(path):
        lines = (ROOT / path).read_text(encoding="utf-8").splitlines()
        kinds = {line.split(" ")[0] for line in lines if re.match("#+ ", line)} | {"|"}
        return {kind: sum(line.startswith(f"{kind} ") for line in lines) for kind in kinds}

    assert parts(document) == parts(documents.english_of(document))
    text = (ROOT / document).read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in link:
            continue
        path, _hash, anchor = link.partition("#")
        target = (ROOT / document.parent / path) if path else ROOT / document
        assert target.exists(), link
        if anchor:
            headings = re.findall("^#+ (.*)$", target.read_text(encoding="utf-8"), re.M)
            slugs = [re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings]
            assert anchor in slugs, link


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_our_font_lacks_is_square(language):
    """So figures are right in whichever font the browser shows: see docs/figures.md."""
    said = "".join(
        str(entry.string)
        for domain in catalogues.DOMAINS
        for entry in catalogues.read_catalogue(language, domain)
        if entry.id
    )
    others = {character for character in said if character > " " and not has_glyph(character)}
    assert others
    assert {unicodedata.east_asian_width(character) for character in others} <= {"W", "F"}
