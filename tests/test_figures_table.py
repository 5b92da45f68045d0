"""docs/figures.md: every figure of the article has a counterpart that a lesson really draws."""

import importlib
import inspect
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TABLE = (ROOT / "docs" / "figures.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in TABLE.splitlines()
    if re.match(r"\| .* \| 0\d \|", line)
]
NAMED = [
    (row[-2], kind.strip() or "figure", module, name)
    for row in ROWS
    for kind, module, name in re.findall(r"(widget )?`(\w+)\.(\w+)`", row[-1])
]


def test_every_figure_of_the_article_has_a_row():
    numbered = " ".join(row[0] for row in ROWS if len(row) == 4)
    assert re.findall(r"F(\d+)", numbered) != []
    assert {int(n) for n in re.findall(r"F(\d+)", numbered)} == set(range(1, 26))


@pytest.mark.parametrize(("lesson", "kind", "module", "name"), NAMED)
def test_a_named_figure_exists_and_its_lesson_draws_it(lesson, kind, module, name):
    package = {"figure": "figures", "widget": "widgets"}[kind]
    assert callable(
        getattr(importlib.import_module(f"illustrated_attention.{package}.{module}"), name)
    )
    [source] = (ROOT / "solutions").glob(f"{lesson}_*/{lesson}_*.py")
    drawn = source.read_text(encoding="utf-8")
    assert f"{name}(" in drawn


def test_every_figure_of_a_lesson_is_in_the_table():
    named = {(module, name) for _lesson, kind, module, name in NAMED if kind == "figure"}
    for path in (ROOT / "illustrated_attention" / "figures").glob("[a-z]*.py"):
        module = importlib.import_module(f"illustrated_attention.figures.{path.stem}")
        drawn = {
            (path.stem, name)
            for name, value in vars(module).items()
            if inspect.isfunction(value)
            and hasattr(value, "__wrapped__")
            and value.__module__ == module.__name__
            and name[0] != "_"
        }
        assert drawn <= named
