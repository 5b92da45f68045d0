"""The names of files that strangers hand in: which are taken, and which is a notebook's."""

import re
import unicodedata
from pathlib import PurePath

LONGEST = 200  # bytes of one name

# What systems leave beside files: folders and files that are nobody's work.
_LEFT_BY_SYSTEMS = re.compile(
    r"\.ipynb_checkpoints|__pycache__|__MACOSX|\._.*|\.DS_Store|Thumbs\.db|desktop\.ini", re.I
)
_NOTEBOOK = re.compile(r"(?P<name>.*?[^.])(\.ipynb)+(\.json|\.txt)?", re.I | re.S)


def file_name(name: str) -> str | None:
    """Return one name, of a file or a folder, as it may be used; None if it may not.

    Letters of all languages are in their composed form, as they are typed on Linux and Windows;
    macOS hands over ``e`` and an accent for an ``é``.
    """
    name = unicodedata.normalize("NFC", name)
    try:
        length = len(name.encode())
    except UnicodeEncodeError:  # bytes that are no text
        return None
    if name in ("", ".", "..") or length > LONGEST or not name.isprintable():
        return None
    return None if "/" in name or "\\" in name else name


def is_left_by_system(name: str) -> bool:
    """Is a file or folder of this name something that a system made for itself?"""
    return bool(_LEFT_BY_SYSTEMS.fullmatch(name))


def notebook_name(path: str | PurePath) -> str | None:
    """Return what the notebook is called that a file holds, or None if it holds none.

    It is the one rule for what is a notebook: ``week.ipynb`` is, and what browsers and mail
    programs make of it, ``week.IPYNB``, ``week.ipynb.json`` and ``week.ipynb.txt``. What is
    hidden is none: ``._week.ipynb`` is left by macOS, ``.ipynb_checkpoints`` by Jupyter.
    """
    *folders, last = PurePath(path).parts or ("",)
    if any(name.startswith(".") or is_left_by_system(name) for name in (*folders, last)):
        return None
    name = file_name(last)
    match = _NOTEBOOK.fullmatch(name) if name else None
    return match["name"] if match else None


def shown(name: str) -> str:
    """Write a stranger's file name for a message: it may hold anything."""
    composed = unicodedata.normalize("NFC", name)
    return re.sub(r"[^\w ./()+-]", "?", composed)[:100]


def student_id(name: str) -> str | None:
    """Return a student's id as it may be used, in composed form; None if it may not be one.

    An id becomes a folder, a line in a table and a word in a page: it is made of letters of all
    languages, digits, and ``. _ - @``, and begins with a letter, a digit or ``_``.
    """
    id = file_name(name)
    if id is None or not (id[0] == "_" or id[0].isalnum()):
        return None
    allowed = all(c in "._-@" or unicodedata.category(c)[0] in "LM" or c.isdecimal() for c in id)
    return id if allowed else None


def printable(text: str) -> str:
    """Write a stranger's text for a terminal or a log: nothing in it steers the terminal."""
    return "".join(c if c.isprintable() else "?" for c in text)
