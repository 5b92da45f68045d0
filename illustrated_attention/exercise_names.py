"""Which exercises there are, and in which lesson: as the words of the answer keys tell."""

import functools
import json
from pathlib import Path

from illustrated_attention.data import data_path


def exercise_names() -> list[str]:
    """The names of all graded functions, in the course's order."""
    return list(_lessons_of_exercises())


def lesson_of(exercise: str) -> str | None:
    """Return the lesson of an exercise, None if there is no such exercise."""
    return _lessons_of_exercises().get(exercise)


def lessons() -> list[str]:
    """The ids of all lessons, in order."""
    return sorted(path.stem for path in data_path("answers").glob("*.json"))


@functools.cache
def read_words(folder: Path, lesson: str) -> dict:
    """A lesson's words and structure, read once."""
    return json.loads((folder / f"{lesson}.json").read_text(encoding="utf-8"))


@functools.cache
def _lessons_of_exercises() -> dict[str, str]:
    return {
        key["exercise"]: lesson
        for lesson in lessons()
        for key in read_words(data_path("answers"), lesson)["exercises"]
    }
