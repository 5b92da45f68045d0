"""The one door through which every sentence for learners passes, so that it can be translated.

Write ``_("The row {row} sums to {total}.").format(row=..., total=...)``. A translation is a
gettext catalogue at ``data/locale/<language>/LC_MESSAGES/illustrated_attention.mo``. A notebook
chooses it with `use`; else the environment does (``LANGUAGE``, ``LANG``). Without one, the English
text is shown.
"""

import contextlib
import gettext
from collections.abc import Iterable, Iterator

from illustrated_attention.data import data_path

DOMAIN = "illustrated_attention"
ENGLISH = "en"


def _(text: str) -> str:
    """Return `text` in the learner's language."""
    return _catalogue.gettext(text)


def together(*sentences: str) -> str:
    """Put whole sentences side by side, as the language does it: Chinese has no space there."""
    said, *rest = sentences or ("",)
    for sentence in rest:
        said = _("{one} {other}").format(one=said, other=sentence)
    return said


def later(text: str) -> str:
    """Return `text` as it is: translators get it, and whoever says it passes it through `_`.

    For sentences that stand outside of functions. When they are read, nobody has chosen a
    language yet.
    """
    return text


_catalogue = gettext.translation(DOMAIN, data_path("locale"), fallback=True)


def quoted(word: str) -> str:
    """Return a word in the language's quotation marks."""
    return _("'{word}'").format(word=word)


def listed(words: Iterable[str]) -> str:
    """Return words one after the other, with the language's commas between them."""
    said, *rest = [*words] or [""]
    for word in rest:
        said = _("{one}, {other}").format(one=said, other=word)
    return said


def labelled(name: str, what: object) -> str:
    """Return a name and what is told of it, with the language's colon between them."""
    return _("{name}: {what}").format(name=name, what=what)


def parted(words: Iterable[str]) -> str:
    """Return groups of words one after the other, with the language's semicolons between them."""
    return _("; ").join(words)


def known() -> list[str]:
    """Return the languages that there are, such as ``zh_CN``; English is the first."""
    found = data_path("locale").glob(f"*/LC_MESSAGES/{DOMAIN}.mo")
    return [ENGLISH, *sorted(path.parts[-3] for path in found)]


def current() -> str:
    """Return the language in which everything is said now, such as ``zh_CN``."""
    return _catalogue.info().get("language", ENGLISH)


def use(language: str) -> None:
    """Say everything in this language from now on.

    Parameters
    ----------
    language : str
        Such as ``zh_CN``. Where a sentence has no translation, it stays English.
    """
    global _catalogue
    _catalogue = gettext.translation(DOMAIN, data_path("locale"), [language], fallback=True)


@contextlib.contextmanager
def speaking(language: str) -> Iterator[None]:
    """Within this context everything is said in this language; after it, as it was before."""
    global _catalogue
    before = _catalogue
    use(language)
    try:
        yield
    finally:
        _catalogue = before
