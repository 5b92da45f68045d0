"""Collect every sentence that learners read in code, so that the course can be translated.

The result is a gettext template (.pot). A translation of it becomes
``data/locale/<language>/LC_MESSAGES/illustrated_attention.mo``.
"""

from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import write_po

from autograder.exercises import LESSONS, questions

ROOT = Path(__file__).parents[2]


def write_template(path: Path) -> int:
    """Write the template to `path` and return how many sentences are in it."""
    catalogue = Catalog(project="Illustrated Attention", charset="utf-8", fuzzy=False)
    for text, origin in sentences():
        catalogue.add(text, locations=[(origin, 0)])
    with open(path, "wb") as file:
        write_po(file, catalogue, width=100, include_lineno=False)
    return len(catalogue)


def sentences() -> Iterator[tuple[str, str]]:
    """Yield every sentence and where it stands: in ``_("...")``, or in an exercise."""
    packages = ("illustrated_attention", "autograder")
    sources = [path for package in packages for path in ROOT.glob(f"{package}/**/*.py")]
    for source in sorted(sources):
        for _line, text, _comments, _context in extract_from_file("python", source, {"_": None}):
            assert isinstance(text, str)  # it is one argument
            yield text, source.relative_to(ROOT).as_posix()
    for lesson, exercises in LESSONS.items():
        for exercise in exercises:
            origin = f"{lesson}:{exercise.name}"
            for case in (*exercise.visible, *exercise.hidden):
                yield case.title, origin
            for promise in exercise.promises:
                yield promise.title, origin
            for mistake in exercise.mistakes:
                yield mistake.message, origin
            for text in (*exercise.hints, exercise.can):
                yield text, origin
        for question in questions(lesson):
            for reply in question.replies.values():
                yield reply, f"{lesson}:{question.id}"
