"""What is told of fresh wrong attempts: those in the files of `tests/attempts/`."""

import importlib
import inspect
import re
from pathlib import Path

import pytest
from attempts.kit import ATTEMPTS

from illustrated_attention.answer_keys import find_key
from illustrated_attention.examine import examine

for path in sorted(Path(__file__).with_name("attempts").glob("*.py")):
    importlib.import_module(f"attempts.{path.stem}")


@pytest.mark.parametrize("one", ATTEMPTS, ids=lambda one: f"{one.exercise}-{one.function.__name__}")
def test_an_attempt_is_told_its_cause(one):
    verdict = examine(one.function, find_key(one.exercise))
    assert not verdict.passed
    assert verdict.mistake == one.cause, verdict.message
    # No line is quoted that is not the learner's own.
    lines = {line.strip() for line in inspect.getsource(one.function).splitlines()}
    for quoted in re.findall(r"your line `(.*?)`(?=[:,. ])", verdict.message):
        assert any(quoted.removesuffix(" …") in line for line in lines), quoted


def test_of_most_attempts_the_cause_is_told():
    named = sum(one.cause is not None for one in ATTEMPTS)
    assert len(ATTEMPTS) >= 100
    assert named >= 0.75 * len(ATTEMPTS)
