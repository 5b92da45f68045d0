"""The course in other languages, derived: solutions- and notebooks-<language>/, and data/locale/.

An edition has the English notebooks' cells, ids and code; only its sentences are other ones, and
its first code cell chooses the language of everything that is said. What is translated stands in
locale/ (see catalogues.py).
"""

from collections.abc import Iterator
from pathlib import Path

import nbformat

from autograder.authoring.build import ROOT, release, solution_notebook, write_notebook
from autograder.authoring.catalogues import (
    DOMAINS,
    compile_messages,
    languages,
    read_catalogue,
    update,
)
from autograder.authoring.code_sentences import code_sentences
from autograder.authoring.lesson_texts import texts, with_texts
from autograder.exercises import LESSONS

CHOOSES = 'from illustrated_attention import language\n\nlanguage.use("{language}")\n\n'


def source_sentences(domain: str) -> Iterator[tuple[str, str]]:
    """Yield every sentence of a domain, ``lessons`` or ``messages``, and where it stands."""
    if domain == "messages":
        yield from code_sentences()
        return
    for lesson in LESSONS:
        for text in texts(solution_notebook(lesson)):
            yield text, lesson


def update_catalogues() -> dict[str, int]:
    """Bring all catalogues up to date; return how many sentences wait for a translation.

    Returns
    -------
    dict of str to int
        By the name of the catalogue, such as ``zh_CN/lessons``.
    """
    return {
        f"{language}/{domain}": update(language, domain, source_sentences(domain))
        for language in languages()
        for domain in DOMAINS
    }


def build_editions(out: Path = ROOT) -> list[Path]:
    """Derive the editions into `out` and return the files written."""
    written = []
    for language in languages():
        written.append(compile_messages(language, out / "data" / "locale"))
        for lesson in LESSONS:
            source = out / f"solutions-{language}" / lesson / f"{lesson}.ipynb"
            path = out / f"notebooks-{language}" / lesson / f"{lesson}.ipynb"
            for file in (source, path):
                file.parent.mkdir(parents=True, exist_ok=True)
            write_notebook(edition(lesson, language), source)
            kept = release(source.parent, path)
            written += [source, path, kept] if kept else [source, path]
    return written


def edition(lesson: str, language: str) -> nbformat.NotebookNode:
    """Return a lesson's solution notebook in a language: same cells, ids and code."""
    catalogue = read_catalogue(language, "lessons")

    def translate(text: str) -> str:
        entry = catalogue.get(text)
        return str(entry.string) if entry and entry.string else text

    notebook = with_texts(solution_notebook(lesson), translate)
    first = next(cell for cell in notebook.cells if cell.cell_type == "code")
    first.source = CHOOSES.format(language=language) + first.source
    return notebook
