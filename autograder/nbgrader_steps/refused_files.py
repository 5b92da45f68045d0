"""Which files of a hand-in are refused or left out: links, what is no file, what is too large.

What is left is copied. A reason for a refusal is written for the student: what is wrong and what
to do.
"""

import hashlib
import os
import shutil
import stat
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nbformat.notebooknode import NotebookNode
from nbformat.v4 import new_markdown_cell

from autograder.nbgrader_steps import notebook_file
from autograder.nbgrader_steps.names import file_name, is_left_by_system, notebook_name, shown
from illustrated_attention.language import _, listed

MAX_NOTEBOOK = 64 << 20  # bytes, with all outputs
MAX_ENTRIES = 20_000  # files and folders that are looked at
MAX_DEPTH = 8  # folders in folders

# What programs make beside somebody's work, large and of no use to it.
_OF_PROGRAMS = {".git", ".hg", ".svn", ".venv", "venv", "node_modules", ".idea", ".vscode"}
_OF_PROGRAMS |= {".cache", ".pytest_cache", ".ruff_cache", ".mypy_cache", ".virtual_documents"}


class Refused(Exception):
    """A hand-in cannot be graded. The text is the reason, for its owner."""


@dataclass(frozen=True)
class Sizes:
    """How much of a hand-in is copied: how many files, and bytes of one and of all."""

    files: int
    file: int
    total: int


COLLECTED = Sizes(files=2_000, file=100 << 20, total=100 << 20)  # as much as nbgrader submits
GRADED = Sizes(files=100, file=10 << 20, total=100 << 20)


def copy_folder(
    source: str | os.PathLike, target: str | os.PathLike, limits: Sizes = GRADED
) -> list[str]:
    """Copy a hand-in within limits, notebooks and Python files first, and return what was left out.

    No link is ever followed, and nothing is read beyond the limits, whatever the owner changes
    meanwhile. A hand-in with a link or another thing that is no file is `Refused`.

    Returns
    -------
    list of str
        For the owner: a sentence for each reason for which files were left out.
    """
    left_out: defaultdict[str, list[tuple[str, ...]]] = defaultdict(list)
    Path(target).mkdir(parents=True, exist_ok=True)
    room, files = limits.total, 0
    for parts, size in sorted(_files(source, left_out), key=_importance):
        is_notebook = len(parts) == 1 and notebook_name(parts[0])
        most = MAX_NOTEBOOK if is_notebook else limits.file
        if size > most:
            left_out[_("larger than {most} MB").format(most=most >> 20)].append(parts)
        elif files == limits.files or size > room:
            left_out[_("more than is taken")].append(parts)
        elif (data := _read(source, parts, size)) is None:
            left_out[_("cannot be opened")].append(parts)
        else:
            path = Path(target, *parts)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            room, files = room - len(data), files + 1
    return [_left_out(reason, names) for reason, names in left_out.items()]


def digest(folder: str | os.PathLike) -> str:
    """Return a word for all that was handed in: another one for other files or other content."""
    made = hashlib.sha256()
    room = COLLECTED.total
    for parts, size in sorted(_files(folder, defaultdict(list), refuse=False)):
        if parts != ("submission_secret.txt",):  # it goes with the hand-in and is no part of it
            data = _read(folder, parts, size, refuse=False) if size <= room else None
            room -= len(data or b"")
            made.update(repr((parts, size, hashlib.sha256(data or b"").hexdigest())).encode())
    return made.hexdigest()


def _importance(found: tuple[tuple[str, ...], int]) -> tuple:
    parts, size = found
    is_notebook = len(parts) == 1 and bool(notebook_name(parts[0]))
    hidden = any(part.startswith(".") for part in parts)
    return not is_notebook, hidden, not parts[-1].endswith(".py"), size, parts


def _left_out(reason: str, names: list[tuple[str, ...]]) -> str:
    said = listed(shown("/".join(parts)) for parts in names[:5])
    if len(names) > 5:
        said = _("{names} and {count} more").format(names=said, count=len(names) - 5)
    return _("Left out ({reason}): {names}.").format(reason=reason, names=said)


def _files(
    folder: str | os.PathLike, left_out: dict[str, list], refuse: bool = True
) -> Iterator[tuple[tuple[str, ...], int]]:
    """Yield the ordinary files of a hand-in, as the parts of their paths, and their sizes."""
    waiting: list[tuple[str, ...]] = [()]
    count = 0
    while waiting:
        parts = waiting.pop()
        try:
            entries = _list(folder, parts)
        except OSError as error:
            if not parts and refuse:
                raise _unreadable(folder) from error
            left_out[_("cannot be opened")].append(parts)
            continue
        for name, status in entries:
            path = (*parts, name)
            count += 1
            if count > MAX_ENTRIES:
                left_out[_("more than is taken")].append(path)
                return
            if is_left_by_system(name):
                continue
            if name in _OF_PROGRAMS:
                left_out[_("not needed for grading")].append(path)
            elif file_name(name) is None:
                left_out[_("its name cannot be used here")].append(path)
            elif stat.S_ISDIR(status.st_mode):
                if len(path) > MAX_DEPTH:
                    left_out[_("too deep in folders")].append(path)
                else:
                    waiting.append(path)
            elif stat.S_ISREG(status.st_mode) and status.st_nlink <= 1:
                yield path, status.st_size
            elif refuse:
                raise _no_file(path)


def _list(folder: str | os.PathLike, parts: tuple[str, ...]) -> list[tuple[str, os.stat_result]]:
    """Return what lies in a folder of a hand-in, up to one more than is looked at."""
    found = []
    flags = os.O_DIRECTORY if _RELATIVE else 0
    with _Opened(folder, parts, flags) as place, os.scandir(place) as entries:
        for entry in entries:
            try:
                found.append((entry.name, entry.stat(follow_symlinks=False)))
            except FileNotFoundError:  # its owner has just removed it
                continue
            if len(found) > MAX_ENTRIES:
                break
    return found


def _read(
    folder: str | os.PathLike, parts: tuple[str, ...], size: int, refuse: bool = True
) -> bytes | None:
    """Read an ordinary file of a hand-in, and nothing that was put in its place.

    A file that has grown since is read as far as it was. None: it is shut, or gone.
    """
    try:
        with _Opened(folder, parts) as place, _open(place) as file:
            status = os.fstat(file.fileno())
            if stat.S_ISREG(status.st_mode) and status.st_nlink <= 1:
                return file.read(size)
    except (PermissionError, FileNotFoundError):  # its owner has just removed it
        return None
    except OSError:
        if not refuse:
            return None
    if refuse:
        raise _no_file(parts)
    return None


_RELATIVE = os.open in os.supports_dir_fd  # not on Windows, where no student shares a folder


class _Opened:
    """A file or folder of a hand-in, opened on a way on which no link is followed."""

    def __init__(self, folder: str | os.PathLike, parts: tuple[str, ...], flags: int = 0):
        self.folder, self.parts, self.flags = folder, parts, flags
        self.fds: list[int] = []

    def __enter__(self) -> int | str:
        if not _RELATIVE:
            return os.path.join(self.folder, *self.parts)
        try:
            at = None
            for place, part in enumerate((self.folder, *self.parts)):
                last = place == len(self.parts)
                flags = self.flags | os.O_NONBLOCK if last else os.O_DIRECTORY
                at = os.open(part, os.O_RDONLY | os.O_NOFOLLOW | flags, dir_fd=at)
                self.fds.append(at)
        except OSError:
            self.__exit__()
            raise
        return self.fds[-1]

    def __exit__(self, *exception):
        while self.fds:
            os.close(self.fds.pop())


def _open(place: int | str):
    return open(place, "rb", closefd=isinstance(place, str))


def _no_file(parts: tuple[str, ...]) -> Refused:
    text = _("{name} is a link or no ordinary file. Hand in the file itself.")
    return Refused(text.format(name=shown("/".join(parts))))


def _unreadable(folder: str | os.PathLike) -> Refused:
    if os.path.islink(folder):
        return Refused(_("The hand-in is a link to somewhere else. Hand in the files themselves."))
    return Refused(_("The hand-in cannot be read. Look at its permissions, and hand in again."))


def refusal(reason: str) -> NotebookNode:
    """Return a notebook that takes the place of a refused hand-in and tells its owner why."""
    text = _("**This hand-in could not be graded.** {reason}").format(reason=reason)
    return notebook_file.made_of([new_markdown_cell(text)])


def write_refusal(reason: str, folder: str | os.PathLike, notebooks: list[str]) -> None:
    """Make `folder` a hand-in of notebooks with these names, in which is nothing but the reason."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    for name in notebooks:
        notebook_file.write(refusal(reason), Path(folder, f"{name}.ipynb"))
