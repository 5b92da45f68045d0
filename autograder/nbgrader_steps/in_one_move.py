"""Files that people take away from here: each is put into its place when it is whole."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from autograder.nbgrader_steps.problem import Problem
from illustrated_attention.language import _


@contextlib.contextmanager
def in_one_move(path: Path) -> Iterator[Path]:
    """Let a file be written beside its place, and move it there.

    Parameters
    ----------
    path : Path
        The file's place. What is there stays until the new one is whole.

    Yields
    ------
    Path
        Where to write it.

    Raises
    ------
    Problem
        If it cannot be written: there is no room, or no such folder.
    """
    try:
        if path.exists() and not path.is_file():  # /dev/stdout, and other ways out
            yield path
            return
        place = path.resolve()  # what a link leads to is written, not the link
        with tempfile.TemporaryDirectory(prefix=".writing-", dir=place.parent) as folder:
            yield Path(folder, place.name)
            Path(folder, place.name).replace(place)
    except PermissionError:
        raise  # the commands say whose folder it is
    except OSError as error:
        text = _("{path} is not written: {reason}.")
        raise Problem(text.format(path=path, reason=error.strerror or error)) from None
