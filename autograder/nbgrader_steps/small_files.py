"""Small text files beside a hand-in; a stranger may have put anything in their place."""

import os
import stat
from pathlib import Path

from nbgrader.utils import rmtree

TIMESTAMP = "timestamp.txt"  # nbgrader's: when it was handed in
SECRET = "submission_secret.txt"  # nbgrader's: with it a student finds the feedback
REFUSED = "refused.txt"  # ours: why nothing could be graded

MOST = {TIMESTAMP: 100, SECRET: 1000, REFUSED: 4000}  # bytes


def read(folder: Path, name: str) -> str | None:
    """Read one of these files; None where there is none.

    A link, a folder, a file that is too large and one that is no text are none.
    """
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        with open(os.open(folder / name, flags), "rb") as file:
            ordinary = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
            text = file.read(MOST[name] + 1) if ordinary else b""
        return text.decode() if 0 < len(text) <= MOST[name] else None
    except (OSError, UnicodeDecodeError):
        return None


def write(folder: Path, name: str, text: str | None) -> None:
    """Write one of these files in the place of whatever is there; None leaves nothing there."""
    path = folder / name
    if path.is_dir() and not path.is_symlink():
        rmtree(path)
    path.unlink(missing_ok=True)
    if text is not None:
        path.write_text(text, encoding="utf-8")
