"""Documents in other languages: people write them, and each notes of which English text it is.

The note is the first line of a translation. When the English text changes, it no longer fits, and
somebody looks at both and notes it anew: ``python -m autograder looked-at docs/zh_CN/learners.md``.
"""

import hashlib
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
_NOTE = re.compile(r"<!-- Made from (\S+) as of (\w+)\. .*-->\n\n")


def translations() -> list[Path]:
    """Return the documents in other languages, as paths from the top of the clone."""
    found = [*ROOT.glob("README.*.md"), *ROOT.glob("docs/*/*.md")]
    return sorted(path.relative_to(ROOT) for path in found)


def english_of(document: Path) -> Path:
    """Return the English document that a translation is of."""
    return Path("README.md") if document.name.startswith("README") else Path("docs", document.name)


def stale() -> list[Path]:
    """Return the translations whose English text is another one than when they were looked at."""
    return [path for path in translations() if _noted(path) != _digest(english_of(path))]


def note_looked_at(document: Path) -> None:
    """Write on top of a translation that it says what the English text says now."""
    document = document.resolve().relative_to(ROOT)
    english = english_of(document)
    made_from = f"Made from {english.as_posix()} as of {_digest(english)}."
    command = f"python -m autograder looked-at {document.as_posix()}"
    note = f"<!-- {made_from} If that changes: {command} -->"
    text = _NOTE.sub("", (ROOT / document).read_text(encoding="utf-8"), count=1)
    (ROOT / document).write_text(f"{note}\n\n{text}", encoding="utf-8")


def _noted(document: Path) -> str | None:
    found = _NOTE.match((ROOT / document).read_text(encoding="utf-8"))
    return found[2] if found else None


def _digest(document: Path) -> str:
    return hashlib.sha256((ROOT / document).read_bytes()).hexdigest()[:12]
