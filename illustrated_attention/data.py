"""Where the course's data lies: answer keys, the pocket model, recorded numbers, translations."""

from pathlib import Path

_PACKAGE = Path(__file__).parent


def data_path(*parts: str) -> Path:
    """Return the path of a file or folder of the course's data.

    In an installed wheel the folder lies inside the package; in a clone of the repository it
    lies beside it, at the top level.
    """
    inside = _PACKAGE / "data"
    root = inside if inside.is_dir() else _PACKAGE.parent / "data"
    return root.joinpath(*parts)
