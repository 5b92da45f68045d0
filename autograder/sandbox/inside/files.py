"""What a notebook's code writes to files: nothing reaches a disk, and it is there when it is read.

The walls refuse every file that is opened for writing. Honest code does that all the same: it
saves a figure or an array, or writes its helpers with `%%writefile` and imports them. So what was
refused is kept in this process's memory, for the `open` and the `import` of the same notebook.
"""

import builtins
import errno
import importlib.abc
import importlib.machinery
import importlib.util
import io
import os
import sys
import tempfile

from IPython.core import interactiveshell

_open, _mkdir = io.open, os.mkdir
_written: dict[str, bytes] = {}  # by absolute path
_folders: set[str] = set()  # that were to be made
_REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS)


class _Written(io.BytesIO):
    """A file open for writing. What is in it counts from the moment at which it is flushed."""

    def __init__(self, path: str, name: str, content: bytes):
        super().__init__(content)
        self.path, self.name = path, name
        _written[path] = content

    def flush(self) -> None:
        super().flush()
        _written[self.path] = self.getvalue()

    def close(self) -> None:
        if not self.closed:
            self.flush()
        super().close()


def open_kept(file, mode="r", buffering=-1, encoding=None, errors=None, newline=None, **more):
    """Do what `open` does, with files in memory where none can be written."""
    by_name = isinstance(file, (str, bytes, os.PathLike)) and not more.get("opener")
    path = os.path.abspath(os.fsdecode(file)) if by_name else None
    writes = by_name and not set(mode).isdisjoint("wax+")
    if path not in _written:
        try:
            return _open(file, mode, buffering, encoding, errors, newline, **more)
        except OSError as error:
            made = error.errno == errno.ENOENT and os.path.dirname(path or "") in _folders
            if not writes or not (made or error.errno in _REFUSED):
                raise
            content = b"" if made or "w" in mode or "x" in mode else _content(path)
    elif "x" in mode:
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), file)
    else:
        content = b"" if "w" in mode else _written[path]
    kept = _Written(path, os.fsdecode(file), content) if writes else io.BytesIO(content)
    kept.seek(len(content) if "a" in mode else 0)
    if "b" in mode:
        return kept
    return io.TextIOWrapper(kept, encoding or "utf-8", errors, newline, write_through=True)


def make_folder(path, mode=0o777, **more):
    """Do what `os.mkdir` does, and where no folder can be made, remember that it was wanted."""
    try:
        _mkdir(path, mode, **more)
    except OSError as error:
        if error.errno not in _REFUSED or more:
            raise
        _folders.add(os.path.abspath(os.fsdecode(path)))


def _content(path: str) -> bytes:
    try:
        with _open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:  # it is to be appended to
        return b""


class _Finder(importlib.abc.MetaPathFinder):
    """Finds the modules that the notebook has written, before those of the same names elsewhere."""

    def find_spec(self, name, path=None, _target=None):
        for folder in path or ["."]:
            file = os.path.abspath(os.path.join(folder, f"{name.rpartition('.')[2]}.py"))
            if file in _written:
                loader = _Loader(name, file)
                return importlib.util.spec_from_file_location(name, file, loader=loader)
        return None


class _Loader(importlib.machinery.SourceFileLoader):
    def get_data(self, path):
        with open_kept(path, "rb") as file:
            return file.read()

    def path_stats(self, path):
        raise OSError(path)  # so that no compiled module is looked for


def keep_in_memory() -> None:
    """From now on, keep what cannot be written. Called once, before the first fork."""
    builtins.open = io.open = interactiveshell.io_open = open_kept
    os.mkdir = make_folder
    sys.meta_path.insert(0, _Finder())
    tempfile.tempdir = "/tmp"  # there is none that can be written, and asking for it is no error
