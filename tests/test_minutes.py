"""The time that a lesson states is the time that it takes, and at most an hour."""

import ast
import re
from pathlib import Path

import jupytext
import pytest

from autograder.exercises import LESSONS

ROOT = Path(__file__).parent.parent
READING = 130  # words a minute: slow, with shapes to think about
QUESTION, FIGURE = 50 / 60, 35 / 60
OWN_CODE = 1.25  # what stands beside an exercise is for somebody who knows NumPy well
STATED = re.compile(r"^\*\*Time:\*\* (\d+) minutes", re.MULTILINE)


def needed(cells):
    """Leave out the sections whose heading says that they are optional, and such paragraphs."""
    optional = False
    for cell in cells:
        headings = re.findall(r"^## (.*)", cell.source, re.MULTILINE)
        if cell.cell_type == "markdown" and (headings or cell.source.startswith("**Hand in.**")):
            optional = bool(headings) and headings[-1].startswith("Optional")
        if not optional:
            yield cell


def minutes(cells):
    """What a lesson takes: reading, questions, figures, exercises; nothing that is optional."""
    cells = list(needed(cells))
    paragraphs = [
        paragraph
        for cell in cells
        if cell.cell_type == "markdown"
        for paragraph in cell.source.split("\n\n")
        if not paragraph.startswith("**Optional")
    ]
    text = "\n\n".join(paragraphs)
    code = [cell.source for cell in cells if cell.cell_type == "code" and is_python(cell.source)]
    calls = [
        node
        for source in code
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
    ]
    names = [call.func.attr if isinstance(call.func, ast.Attribute) else "" for call in calls]
    plain = [call.func.id if isinstance(call.func, ast.Name) else "" for call in calls]
    drawn = sum(
        isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "draw"
        for call in calls
    )
    shown = ("explore", "explore_recorded", "attention_row", "shape_flow", "cache_stepper")
    figures = drawn + sum(name in shown for name in plain + names)
    written = sum(map(int, re.findall(r"^\*(\d+) minutes · ", text, re.MULTILINE)))
    return (
        len(text.split()) / READING
        + QUESTION * plain.count("answer")
        + FIGURE * figures
        + OWN_CODE * written
    )


def is_python(source):
    try:
        ast.parse(source)
    except SyntaxError:
        return False
    return True


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_takes_the_time_that_it_states(lesson):
    cells = jupytext.read(ROOT / "solutions" / lesson / f"{lesson}.py", fmt="py:percent").cells
    stated = int(STATED.search(cells[0].source)[1])
    assert abs(stated - minutes(cells)) <= 10
    assert minutes(cells) <= 60
    row = next(line for line in (ROOT / "README.md").read_text().splitlines() if lesson in line)
    assert row.endswith(f"| {stated} |")
