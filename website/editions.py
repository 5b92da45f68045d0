"""The website's editions: English, and one for each language that the lessons are translated into.

An edition's pages lie side by side with those of the others: ``docs/learners.html`` is there in
Chinese as ``zh_CN/docs/learners.html``.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from babel import Locale

from illustrated_attention.language import ENGLISH, known
from website.settings import ROOT

DOCUMENTS = (
    *("docs/learners.md", "docs/anywhere.md", "docs/instructors.md", "docs/hub.md"),
    *("docs/grading.md", "docs/attacks.md", "docs/architecture.md", "docs/figures.md"),
    *("docs/kill_matrix.md", "docs/glossary.md", "CONTRIBUTING.md"),
    *("data/pocket_gpt2/README.md", "training/README.md"),
)


@dataclass(frozen=True)
class Edition:
    """What is read in one language, such as ``en`` or ``zh_CN``."""

    language: str

    @property
    def name(self) -> str:
        """The language's name in itself, such as 中文."""
        return Locale.parse(self.language).get_language_name() or self.language

    @property
    def folder(self) -> str:
        """The folder of its pages on the website, and of its lessons in the place to work."""
        return "" if self.language == ENGLISH else f"{self.language}/"

    @property
    def up(self) -> str:
        """The way from its first page to the first page of the website."""
        return "../" * self.folder.count("/")

    def notebook(self, lesson: str, folder: str = "notebooks") -> str:
        """Return the file of a lesson in the repository; `folder` may be ``solutions``."""
        of_its_own = "" if self.language == ENGLISH else f"-{self.language}"
        return f"{folder}{of_its_own}/{lesson}/{lesson}.ipynb"

    def pages(self, lessons: Iterable[str]) -> dict[str, str]:
        """Return which files of the repository are a page, and the page: both with their ends."""
        found = {self.notebook(name): f"notebooks/{name}/{name}.ipynb" for name in lessons}
        if self.language == ENGLISH:
            return found | {path: path for path in DOCUMENTS} | {"README.md": "index.md"}
        translated = sorted((ROOT / "docs" / self.language).glob("*.md"))
        found |= {path.relative_to(ROOT).as_posix(): f"docs/{path.name}" for path in translated}
        return found | {f"README.{self.language.replace('_', '-')}.md": "index.md"}


def editions() -> list[Edition]:
    """Return all editions; the English one is the first."""
    return [Edition(language) for language in known()]
