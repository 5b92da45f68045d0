"""All that the sandbox knows of the course whose notebooks it runs: it is named here alone.

Without that course it runs any notebook: nothing is shared, nothing is translated.
"""

import importlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TypeGuard

COURSE = "illustrated_attention"

_HOOK = f"{COURSE}.for_the_sandbox"

try:
    _course: ModuleType | None = importlib.import_module(_HOOK)
except ModuleNotFoundError as missing:
    if missing.name not in (COURSE, _HOOK):
        raise
    _course = None


def translate(sentence: str) -> str:
    """Return a sentence in the reader's language."""
    return _course.translate(sentence) if _course else sentence


def later(sentence: str) -> str:
    """Return a sentence as it is; whoever says it passes it through `translate`."""
    return sentence


def speak(language: str) -> None:
    """Say everything in this language from now on."""
    if _course:
        _course.use(language)


def folders() -> dict[str, Path]:
    """Return the folders that a notebook's code may read, by the names under which it looks."""
    return _course.folders() if _course else {}


def warm_up() -> None:
    """Load what the first cell of a notebook would otherwise wait for."""
    if _course:
        _course.warm_up()


def is_shared(module: object) -> TypeGuard[str]:
    """True for a module whose functions may be passed to a notebook's code by their names."""
    return bool(_course) and isinstance(module, str) and module.split(".")[0] == COURSE


def nameless(function: Callable) -> Callable:
    """Return a shared function that does not tell its name."""
    return _course.nameless(function) if _course else function


def named(function: Callable) -> Callable:
    """Return the function behind one that `nameless` made; any other function as it is."""
    return _course.named(function) if _course else function


def without_checks(source: str) -> str:
    """Return a test cell without the examinations at its end, which do nothing to its names."""
    return _course.without_checks(source) if _course else source


def is_verdict(value: object) -> bool:
    """True for what came of an examination: exercise, known mistake and message."""
    return _course is not None and isinstance(value, _course.Verdict)
