"""The exercises of the course, one module per lesson."""

from autograder.exercises import (
    gpt2,
    kv_cache,
    masked_attention,
    multi_head,
    orientation,
    projection,
    self_attention,
)
from autograder.exercises.kit import Exercise, Question

LESSONS = {
    "00_orientation": orientation,
    "01_self_attention": self_attention,
    "02_masked_attention": masked_attention,
    "03_kv_cache": kv_cache,
    "04_multi_head": multi_head,
    "05_projection": projection,
    "06_gpt2": gpt2,
}


def all_exercises() -> list[Exercise]:
    """Return the exercises of all lessons in the course's order."""
    return [exercise for module in LESSONS.values() for exercise in module.EXERCISES]


def find_exercise(name: str) -> Exercise:
    """Return the exercise with this name.

    Raises
    ------
    ValueError
        If there is none.
    """
    for exercise in all_exercises():
        if exercise.name == name:
            return exercise
    known = ", ".join(exercise.name for exercise in all_exercises())
    raise ValueError(f"there is no exercise named {name!r}; there are: {known}")


def questions(lesson: str) -> list[Question]:
    """Return the predict and recall questions of a lesson."""
    return list(LESSONS[lesson].QUESTIONS)
