"""The one setting of the website: where the course's repository is."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
BUILD = ROOT / "build"  # git ignores it
_GITHUB = re.compile(r"https://github\.com/([\w.-]+)/([\w.-]+?)/?")


@dataclass(frozen=True)
class Repository:
    """A repository on GitHub, of which GitHub Pages shows the branch ``gh-pages``."""

    owner: str
    name: str
    branch: str

    @property
    def address(self) -> str:
        return f"https://github.com/{self.owner}/{self.name}"

    @property
    def site(self) -> str:
        return f"https://{self.owner.lower()}.github.io/{self.name}/"

    def file(self, path: str) -> str:
        """Return the page that shows a file of the repository."""
        return f"{self.address}/blob/{self.branch}/{path}"

    def places(self, notebook: str, on_site: str) -> dict[str, str]:
        """Return where else a lesson can be worked on: the place's name and its address.

        Parameters
        ----------
        notebook : str
            Its file in the repository.
        on_site : str
            Its file on the website, with the cell that installs the course.
        """
        here = f"{self.owner}/{self.name}"
        in_lab = quote(f"lab/tree/{notebook}")
        colab = "https://colab.research.google.com/github"
        return {
            "Colab": f"{colab}/{here}/blob/gh-pages/{on_site}",
            "Binder": f"https://mybinder.org/v2/gh/{here}/{self.branch}?urlpath={in_lab}",
            "Codespaces": f"https://codespaces.new/{here}?quickstart=1",
        }


def repository() -> Repository | None:
    """Return what settings.toml names; None where it names nothing.

    Raises
    ------
    ValueError
        If it is no repository on GitHub.
    """
    settings = tomllib.loads((HERE / "settings.toml").read_text(encoding="utf-8"))
    return read_repository(settings["repository"], settings["branch"])


def read_repository(address: str, branch: str) -> Repository | None:
    """Return the repository of an address; None for an empty one."""
    if not address:
        return None
    found = _GITHUB.fullmatch(address.removesuffix(".git"))
    if not found:
        raise ValueError(
            f"website/settings.toml: {address!r} is not the address of a repository on GitHub, "
            "such as https://github.com/somebody/illustrated-attention"
        )
    return Repository(found[1], found[2], branch)


def lessons() -> list[str]:
    """Return the names of the lessons, in their order."""
    return sorted(
        path.parent.name
        for path in (ROOT / "notebooks").glob("*/*.ipynb")
        if path.stem == path.parent.name
    )
