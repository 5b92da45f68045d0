"""Every sentence that code says, and where it stands: for `messages.po`."""

from collections.abc import Iterator
from pathlib import Path

from babel.messages.extract import extract_from_file

from autograder.exercises import LESSONS, questions

ROOT = Path(__file__).parents[2]
PLACES = ("illustrated_attention/**/", "autograder/**/", "website/**/", "scripts/", "nbgrader_")
# Through these a sentence passes: see illustrated_attention/language.py.
DOORS: dict = {"_": None, "later": None}
KINDS = {"*.py": "python", "*.j2": "jinja2.ext:babel_extract"}


def code_sentences() -> Iterator[tuple[str, str]]:
    """Yield every sentence and where it stands: in ``_("...")``, or in an exercise."""
    for pattern, kind in KINDS.items():
        sources = [path for place in PLACES for path in ROOT.glob(f"{place}{pattern}")]
        for source in sorted(sources):
            for _line, text, _comments, _context in extract_from_file(kind, source, DOORS):
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
            for ways in exercise.steps.wrong.values() if exercise.steps else ():
                for wrong in ways:
                    yield wrong.sentence, origin
            for text in (*exercise.hints, exercise.can):
                yield text, origin
        for question in questions(lesson):
            for reply in question.replies.values():
                yield reply, f"{lesson}:{question.id}"
