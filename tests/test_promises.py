"""What docs/grading.md promises is held by tests, and they are the ones that it names."""

import ast
import re

from classroom import ROOT

GRADING = (ROOT / "docs" / "grading.md").read_text(encoding="utf-8")
TABLE = GRADING.partition("## Which test holds which promise")[2].partition("\n## ")[0]


def functions_of(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_promise_has_its_tests_and_they_exist():
    rows = [line for line in TABLE.splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 20
    for row in rows:
        named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", row)
        assert named, row
        for path, test in named:
            assert test in functions_of(path), f"{path} has no {test}"


def test_every_file_of_tests_that_the_page_names_exists():
    for path in re.findall(r"tests/[\w/]+(?:\.py)?", GRADING):
        assert (ROOT / path).exists(), path
