"""What a sandbox that runs this course's notebooks asks of it: the grader's `inside/hook.py`."""

import contextlib
import importlib
import pkgutil
import re
import string
from pathlib import Path

import illustrated_attention
from illustrated_attention import being_graded
from illustrated_attention.data import data_path
from illustrated_attention.examine import Verdict
from illustrated_attention.language import _ as translate
from illustrated_attention.language import use
from illustrated_attention.outcomes import named, nameless

__all__ = ["Verdict", "folders", "named", "nameless", "translate"]
__all__ += ["use", "warm_up", "without_checks"]

_CHECKS_AT_THE_END = re.compile(r"(?:^check\(\w+(?:, *\"\w+\")?\)\s*)+\Z", re.MULTILINE)


def folders() -> dict[str, Path]:
    """Return what code of a notebook must be able to read, by the name under which it looks."""
    package = Path(illustrated_attention.__file__).resolve().parent
    data = data_path().resolve()
    found = {package.name: package}
    if package not in data.parents:  # in a clone it lies beside the package
        found[data.name] = data
    return found


def without_checks(source: str) -> str:
    """Return a test cell without the checks at its end: what they find out is known already."""
    return _CHECKS_AT_THE_END.sub("", source)


def warm_up() -> None:
    """Import the whole package, do once what each notebook would do anew, and draw nothing."""
    for module in pkgutil.walk_packages(illustrated_attention.__path__, "illustrated_attention."):
        importlib.import_module(module.name)
    from illustrated_attention.answer_keys import read_words
    from illustrated_attention.contents import lessons
    from illustrated_attention.figures import page
    from illustrated_attention.figures.words import text_width
    from illustrated_attention.gpt2_files import robot_sentence

    for lesson in lessons():  # in which the questions are, too
        read_words(data_path("answers"), lesson)
    with contextlib.suppress(FileNotFoundError):  # a course of one's own may have none
        robot_sentence()
    text_width(string.printable.strip() + "\N{OPEN BOX}\N{MINUS SIGN}", 1)
    page.drawing = False
    being_graded.in_sandbox = True
