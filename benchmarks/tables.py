"""Tables that a benchmark writes into docs/grading.md, between the two comments with its name."""

import re
from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "docs" / "grading.md"


def write_table(name: str, lines: list[str]) -> None:
    """Print lines, and put them in the place of those that the benchmark wrote there before."""
    text = "\n".join(lines)
    print(text)
    begin, end = f"<!-- made by python -m {name} -->", f"<!-- end of {name} -->"
    between = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    page, found = between.subn(lambda _: f"{begin}\n{text}\n{end}", PAGE.read_text("utf-8"))
    if found != 1:
        raise ValueError(f"{PAGE} has no place for {name}")
    PAGE.write_text(page, encoding="utf-8")
