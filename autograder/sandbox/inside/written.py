"""Files that a notebook writes: kept in memory, for itself, and gone with its process.

The walls let nothing be written to a file. So `open` and what is made of it write here, and read
here first; the magic `%%writefile` does too, and `import` finds the modules among them.
"""

import builtins
import functools
import importlib.abc
import importlib.machinery
import importlib.util
import io
import os
import stat
import sys
import time
from typing import Any

from numpy.lib import _datasource

_folder: list[str] = []  # the notebook's own
_written: dict[str, bytes] = {}  # what is in a file, by its absolute path


def write(name: str, text: str, append: bool) -> None:
    """Keep a file in memory, in place of one of this name or at its end."""
    path = _path(name)
    before = _content(path) if append else None
    _written[path] = (before or b"") + text.encode()
    importlib.invalidate_caches()


def files() -> dict[str, bytes]:
    """What has been written until now, by absolute paths."""
    return dict(_written)


def folder() -> str:
    """The notebook's own folder, with a slash at its end."""
    return _folder[0] if _folder else os.path.join(os.getcwd(), "")


def find_written() -> None:
    """From now on, `import` finds what was written. Called once, before the first fork."""
    sys.meta_path.insert(0, _Finder())


def keep_files(folder: str) -> None:
    """From now on, files in a folder are written here, and everywhere else refused as ever.

    Called in a student's process, which ends with them.
    """
    _folder.append(os.path.join(folder, ""))
    builtins.open = io.open = functools.wraps(open)(_open)
    of_numpy: Any = _datasource
    of_numpy._file_openers._file_openers[None] = _open  # np.savetxt took it when it was loaded
    os.stat = functools.wraps(os.stat)(_stat)
    os.listdir = functools.wraps(os.listdir)(_listdir)
    os.remove = functools.wraps(os.remove)(_remove)
    os.unlink = functools.wraps(os.unlink)(_remove)


_real_open, _real_stat, _real_listdir, _real_remove = open, os.stat, os.listdir, os.remove


def _path(name: Any) -> str:
    return os.path.abspath(os.path.expanduser(os.fsdecode(name)))


def _content(path: str) -> bytes | None:
    """What is in a file, written here or handed in; None if there is none."""
    if path in _written:
        return _written[path]
    try:
        with _real_open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None


class _File(io.BytesIO):
    """A file that is open: what stands in it is kept each time that it is flushed or closed."""

    def __init__(self, path: str, data: bytes, mode: str):
        super().__init__(data)
        self.name, self.append = path, "a" in mode
        self.reads, self.writes = "r" in mode or "+" in mode, mode.strip("rbt") != ""
        if self.append:
            self.seek(0, os.SEEK_END)
        self.flush()

    def readable(self) -> bool:
        return self.reads

    def writable(self) -> bool:
        return self.writes

    def read(self, size=-1) -> bytes:
        if not self.reads:
            raise io.UnsupportedOperation("not readable")
        return super().read(size)

    def write(self, data) -> int:
        if not self.writes:
            raise io.UnsupportedOperation("not writable")
        if self.append:
            self.seek(0, os.SEEK_END)
        return super().write(data)

    def flush(self) -> None:
        super().flush()
        if self.writes:
            _written[self.name] = self.getvalue()

    def close(self) -> None:
        if not self.closed:
            self.flush()
        super().close()


def _open(
    file,
    mode="r",
    buffering=-1,
    encoding=None,
    errors=None,
    newline=None,
    closefd=True,
    opener=None,
):
    """As Python's `open`, with files that are written in memory."""
    writes = isinstance(mode, str) and not set(mode).isdisjoint("wax+")
    if isinstance(file, int) or opener or not (_is_ours(file) if writes else _is_kept(file)):
        return _real_open(file, mode, buffering, encoding, errors, newline, closefd, opener)
    path = _path(file)
    _real_open(os.devnull, mode.replace("x", "w"), encoding=encoding, newline=newline).close()
    there = _content(path)
    if there is None and "r" in mode:
        raise FileNotFoundError(2, os.strerror(2), file)
    if there is not None and "x" in mode:
        raise FileExistsError(17, os.strerror(17), file)
    if not os.path.isdir(os.path.dirname(path)):
        raise FileNotFoundError(2, os.strerror(2), file)
    raw = _File(path, b"" if "w" in mode else there or b"", mode)
    if "b" in mode:
        return raw
    return io.TextIOWrapper(raw, encoding or "utf-8", errors, newline)


def _is_ours(name: Any) -> bool:
    return _path(name).startswith(_folder[0])


def _is_kept(name: Any) -> bool:
    return _path(name) in _written


def _stat(path, *args, **kwargs):
    if not isinstance(path, int) and (where := _path(path)) in _written:
        now, size = int(time.time()), len(_written[where])
        return os.stat_result((stat.S_IFREG | 0o644, 0, 0, 1, os.getuid(), 0, size, now, now, now))
    return _real_stat(path, *args, **kwargs)


def _listdir(path="."):
    found = _real_listdir(path)
    folder = None if isinstance(path, int) else _path(path)
    own = {os.path.basename(name) for name in _written if os.path.dirname(name) == folder}
    return [*found, *sorted(own.difference(found))]


def _remove(path, *args, **kwargs):
    if _written.pop(_path(path), None) is None:
        _real_remove(path, *args, **kwargs)


class _Finder(importlib.abc.MetaPathFinder):
    """Finds such modules before those of the same names elsewhere, as a folder's own come first."""

    def find_spec(self, name, path=None, _target=None):
        for folder in path or ["."]:
            file = os.path.abspath(os.path.join(folder, f"{name.rpartition('.')[2]}.py"))
            if file in _written:
                loader = _Loader(name, file)
                return importlib.util.spec_from_file_location(name, file, loader=loader)
        return None


class _Loader(importlib.machinery.SourceFileLoader):
    def get_data(self, path):
        return _written[path]

    def path_stats(self, path):
        raise OSError(path)  # so that no compiled module is looked for
