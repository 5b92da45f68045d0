"""Modules that a notebook writes with `%%writefile`: kept in memory, for its own `import`.

The walls let nothing be written to a file. `open` says so; the magic, which makes a module of what
stands in a cell, needs no file to do it.
"""

import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys

_written: dict[str, str] = {}  # what is in a file, by its absolute path


def write(name: str, text: str, append: bool) -> None:
    """Keep a file in memory, in place of one of this name or at its end."""
    path = os.path.abspath(os.path.expanduser(name))
    if append and path not in _written and os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            _written[path] = file.read()
    _written[path] = (_written.get(path, "") if append else "") + text
    importlib.invalidate_caches()


def find_written() -> None:
    """From now on, `import` finds what was written. Called once, before the first fork."""
    sys.meta_path.insert(0, _Finder())


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
        return _written[path].encode()

    def path_stats(self, path):
        raise OSError(path)  # so that no compiled module is looked for
