"""Which exercises and questions there are, and in which lesson.

``data/contents.json`` tells, a small derived file: each notebook asks after its first cell already,
and the answer keys of all lessons are large.
"""

import functools
import json

from illustrated_attention.data import data_path


def lessons() -> list[str]:
    """Return the ids of all lessons, in order."""
    return list(_contents())


def exercise_names() -> list[str]:
    """Return the names of all graded functions, in the course's order."""
    return [name for lesson in _contents().values() for name in lesson["exercises"]]


def lesson_of_exercise(name: str) -> str | None:
    """Return the lesson of an exercise, None if there is no such exercise."""
    return next((lesson for lesson, has in _contents().items() if name in has["exercises"]), None)


def lesson_of_question(id: str) -> str | None:
    """Return the lesson of a question, None if there is none with this id."""
    return next((lesson for lesson, has in _contents().items() if id in has["questions"]), None)


@functools.cache
def data_names_of(lesson: str) -> frozenset[str]:
    """Return the names of the data that a lesson's notebook works with, outside of functions."""
    return frozenset(_contents()[lesson]["data"]) if lesson in _contents() else frozenset()


@functools.cache
def _contents() -> dict[str, dict[str, list[str]]]:
    return json.loads(data_path("contents.json").read_text(encoding="utf-8"))
