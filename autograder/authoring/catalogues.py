"""The translations, as people edit them: locale/<language>/LC_MESSAGES/lessons.po and messages.po.

`lessons.po` holds the text of the lessons, `messages.po` every sentence that code says.
"""

from collections.abc import Iterable
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

LOCALE = Path(__file__).parents[2] / "locale"
DOMAINS = ("lessons", "messages")


def languages() -> list[str]:
    """Return the languages into which the course is translated, such as ``zh_CN``."""
    return sorted(path.parent.name for path in LOCALE.glob("*/LC_MESSAGES"))


def catalogue_path(language: str, domain: str) -> Path:
    """Return where a catalogue lies; `domain` is ``lessons`` or ``messages``."""
    return LOCALE / language / "LC_MESSAGES" / f"{domain}.po"


def read_catalogue(language: str, domain: str) -> Catalog:
    """Return a catalogue as it stands; an empty one where there is none yet."""
    path = catalogue_path(language, domain)
    if not path.exists():
        return Catalog(locale=language)
    with open(path, "rb") as file:
        return read_po(file, locale=language)


def update(language: str, domain: str, sentences: Iterable[tuple[str, str]]) -> int:
    """Bring a catalogue up to date: new sentences come in empty, those that are no more go.

    Nothing is guessed: what was translated stays, and no entry is marked fuzzy.

    Parameters
    ----------
    language, domain : str
    sentences : iterable of (str, str)
        Each sentence, and where it stands.

    Returns
    -------
    int
        How many sentences have no translation.
    """
    known = read_catalogue(language, domain)
    new = Catalog(
        locale=language,
        project="Illustrated Attention",
        version="1",
        copyright_holder="the Illustrated Attention authors",
        msgid_bugs_address="",
        last_translator="",
        language_team="",
        charset="utf-8",
        fuzzy=False,
        creation_date=known.creation_date,  # else each run would change the file
        revision_date=known.creation_date,
    )
    for text, origin in sentences:
        old = known.get(text)
        new.add(text, old.string if old else "", locations=[(origin, 0)])
    path = catalogue_path(language, domain)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as file:
        write_po(file, new, width=100, include_lineno=False)
    return sum(not entry.string for entry in new if entry.id)


def compile_messages(language: str, folder: Path) -> Path:
    """Write what the package reads, a .mo file, into `folder`, and return its path."""
    path = folder / language / "LC_MESSAGES" / "illustrated_attention.mo"
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as file:
        write_mo(file, read_catalogue(language, "messages"))
    return path
