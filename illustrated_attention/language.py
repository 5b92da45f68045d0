"""The one door through which every sentence for learners passes, so that it can be translated.

Write ``_("The row {row} sums to {total}.").format(row=..., total=...)``. A translation is a
gettext catalogue at ``data/locale/<language>/LC_MESSAGES/illustrated_attention.mo``. A notebook
chooses it with `use`; else the environment does (``LANGUAGE``, ``LANG``). Without one, the English
text is shown.
"""

import gettext

from illustrated_attention.data import data_path


def _(text: str) -> str:
    """Return `text` in the learner's language."""
    return _catalogue.gettext(text)


_catalogue = gettext.translation("illustrated_attention", data_path("locale"), fallback=True)


def use(language: str) -> None:
    """Say everything in this language from now on.

    Parameters
    ----------
    language : str
        Such as ``zh_CN``. Where a sentence has no translation, it stays English.
    """
    global _catalogue
    _catalogue = gettext.translation(
        "illustrated_attention", data_path("locale"), [language], fallback=True
    )
