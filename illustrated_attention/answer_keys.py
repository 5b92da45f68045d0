"""Answer keys: what `check` compares with. Data only; no solution and no hidden case is in them.

A lesson's key is two derived files in ``data/answers/``: ``<lesson>.json`` holds the words and
the structure, ``<lesson>.npz`` the arrays. ``make build`` writes them from the exercises.
"""

import functools
import importlib
import json
import math
from collections import defaultdict
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Literal

import numpy as np

from illustrated_attention.contents import lesson_of_exercise, lesson_of_question
from illustrated_attention.data import data_path
from illustrated_attention.fingerprints import Combined
from illustrated_attention.outcomes import Case, Outcome


@dataclass(frozen=True)
class Property:
    """A promise of the function: a sentence for people, a name in `properties`, its arguments."""

    title: str
    name: str
    args: tuple


@dataclass(frozen=True)
class Signature:
    """How a function behaves: its outcome on every case, and which properties held.

    Properties are tried only if all cases came out right; otherwise `held` is empty.
    """

    outcomes: tuple[Outcome, ...]
    held: tuple[bool, ...] = ()


@dataclass(frozen=True)
class KnownMistake:
    """A known mistake: its message, and how each wrong implementation of it behaves."""

    id: str
    message: str
    signatures: tuple[Signature, ...]


@dataclass(frozen=True)
class AnswerKey:
    """All that is needed to examine one exercise, as data: no solution code."""

    exercise: str
    lesson: str
    cases: tuple[Case, ...]
    expected: tuple[object, ...]
    properties: tuple[Property, ...]
    mistakes: tuple[KnownMistake, ...]
    hints: tuple[str, ...]
    can: str = ""  # what a learner can do whose function passes
    combined: Combined | None = None
    hidden: bool = False  # the judge's: no number of a case or of a result may be told
    parameters: tuple[str, ...] = ()  # the reference's, where a function does not tell its own


@dataclass(frozen=True)
class Question:
    """A predict or recall question of a lesson: the right answer and a reply to each answer.

    `right` is a letter, or a number; then `replies` has the keys "right" and "wrong".
    """

    id: str
    right: str | float
    replies: dict[str, str]


@functools.cache
def find_key(exercise: str) -> AnswerKey | None:
    """Return the answer key of an exercise, or None when there is no such exercise."""
    lesson = lesson_of_exercise(exercise)
    keys = _keys(lesson) if lesson else ()
    return next((key for key in keys if key.exercise == exercise), None)


def find_question(id: str) -> Question | None:
    """Return a question, or None when there is none with this id."""
    lesson = lesson_of_question(id)
    questions = read_words(data_path("answers"), lesson)["questions"] if lesson else ()
    return next((Question(**question) for question in questions if question["id"] == id), None)


@functools.cache
def read_words(folder: Path, lesson: str) -> dict:
    """A lesson's words and structure, read once."""
    return json.loads((folder / f"{lesson}.json").read_text(encoding="utf-8"))


@functools.cache
def _keys(lesson: str) -> tuple[AnswerKey, ...]:
    return read_lesson(data_path("answers"), lesson)


def write_lesson(folder: Path, lesson: str, keys: list[AnswerKey], questions: list[Question]):
    """Write a lesson's answer keys. The same keys give the same files."""
    arrays: list[np.ndarray] = []
    exercises = [_pack_key(key, arrays) for key in keys]
    packed = {
        "exercises": exercises,
        "questions": [asdict(question) for question in questions],
        "arrays": [_form(array) for array in arrays],
    }
    text = json.dumps(packed, indent=1, ensure_ascii=False)
    read_words.cache_clear()
    (folder / f"{lesson}.json").write_text(text + "\n", encoding="utf-8", newline="\n")
    with open(folder / f"{lesson}.npz", "wb") as file:
        # Not compressed: zlib and zlib-ng give different bytes.
        np.savez(file, allow_pickle=False, **_end_to_end(arrays))


def _form(array: np.ndarray) -> str:
    """What is needed to cut an array out of all numbers of its type, such as "float64 C 3 4"."""
    return " ".join(map(str, [array.dtype.name, _order(array), *array.shape]))


def _order(array: np.ndarray) -> Literal["C", "F"]:
    return "F" if array.flags.f_contiguous and not array.flags.c_contiguous else "C"


def _end_to_end(arrays: list[np.ndarray]) -> dict[str, np.ndarray]:
    """Lay arrays end to end, by their types: to read a thousand small files takes long."""
    flat = defaultdict[str, list](list)
    for array in arrays:
        flat[array.dtype.name].append(array.ravel(_order(array)))
    return {name: np.concatenate(parts) for name, parts in flat.items()}


def read_arrays(folder: Path, lesson: str) -> list[np.ndarray]:
    """Read all arrays of a lesson's answer keys."""
    with np.load(folder / f"{lesson}.npz", allow_pickle=False) as file:
        flat = dict(file)
    arrays, ends = [], dict.fromkeys(flat, 0)
    for form in read_words(folder, lesson)["arrays"]:
        name, order, *sizes = form.split()
        shape = [int(size) for size in sizes]
        start, ends[name] = ends[name], ends[name] + math.prod(shape)
        arrays.append(flat[name][start : ends[name]].reshape(shape, order=order))
    return arrays


def read_lesson(folder: Path, lesson: str) -> tuple[AnswerKey, ...]:
    """Read the answer keys of one lesson."""
    arrays = read_arrays(folder, lesson)
    return tuple(_unpack_key(key, arrays) for key in read_words(folder, lesson)["exercises"])


def _pack_key(key: AnswerKey, arrays: list[np.ndarray]) -> dict:
    def pack(value):
        return _pack(value, arrays)

    combined = {}
    if key.combined:
        # All of them take some bytes: the ids as numbers, and the fingerprints in one array.
        ids = list(key.combined.sentences)
        pairs = [[ids.index(id) for id in (*steps, steps[0])[:2]] for steps in key.combined.steps]
        combined["combined"] = {
            "sentences": key.combined.sentences,
            "steps": pack(np.array(pairs, np.int16)),
            "prints": pack(key.combined.prints),
            "exact": key.combined.exact,
        }
    return {
        **combined,
        "exercise": key.exercise,
        "lesson": key.lesson,
        "hints": list(key.hints),
        **({"can": key.can} if key.can else {}),
        "cases": [
            {
                "title": c.title,
                "args": pack(c.args),
                "raises": c.raises,
                "expected": pack(e),
                **({"within": pack(c.within)} if c.within else {}),
                **({"late": True} if c.late else {}),
            }
            for c, e in zip(key.cases, key.expected, strict=True)
        ],
        "properties": [
            {"title": p.title, "name": p.name, "args": pack(p.args)} for p in key.properties
        ],
        "mistakes": [
            {
                "id": mistake.id,
                "message": mistake.message,
                "signatures": [_pack_signature(s, key, pack) for s in mistake.signatures],
            }
            for mistake in key.mistakes
        ],
    }


def _pack_signature(signature: Signature, key: AnswerKey, pack) -> dict:
    outcomes = []
    for outcome, expected in zip(signature.outcomes, key.expected, strict=False):
        changes = {
            field.name: pack(getattr(outcome, field.name))
            for field in fields(Outcome)
            if field.name in ("error", "message", "inside", "timed_out", "changed")
            and getattr(outcome, field.name) != field.default
        }
        if outcome.returned:
            # Most mistakes are right on most cases: their results are not stored twice.
            right = _same_array(outcome.value, expected)
            changes["value"] = {"expected": True} if right else pack(outcome.value)
        outcomes.append(changes)
    return {"outcomes": outcomes, "held": list(signature.held)}


def _unpack_key(packed: dict, arrays: list[np.ndarray]) -> AnswerKey:
    def unpack(value):
        return _unpack(value, arrays)

    expected = tuple(unpack(case["expected"]) for case in packed["cases"])

    def signature(entry: dict) -> Signature:
        outcomes = []
        for outcome, right in zip(entry["outcomes"], expected, strict=False):
            values = {name: unpack(v) for name, v in outcome.items() if v != {"expected": True}}
            if outcome.get("value") == {"expected": True}:
                values["value"] = right
            outcomes.append(Outcome(**values))
        return Signature(tuple(outcomes), tuple(entry["held"]))

    combined = None
    if table := packed.get("combined"):
        ids = list(table["sentences"])
        steps = tuple(
            (ids[a],) if a == b else (ids[a], ids[b]) for a, b in unpack(table["steps"]).tolist()
        )
        combined = Combined(table["sentences"], steps, unpack(table["prints"]), table["exact"])
    return AnswerKey(
        combined=combined,
        exercise=packed["exercise"],
        lesson=packed["lesson"],
        cases=tuple(
            Case(
                c["title"],
                unpack(c["args"]),
                c["raises"],
                unpack(c.get("within")),
                c.get("late", False),
            )
            for c in packed["cases"]
        ),
        expected=expected,
        properties=tuple(
            Property(p["title"], p["name"], unpack(p["args"])) for p in packed["properties"]
        ),
        mistakes=tuple(
            KnownMistake(m["id"], m["message"], tuple(signature(s) for s in m["signatures"]))
            for m in packed["mistakes"]
        ),
        hints=tuple(packed["hints"]),
        can=packed.get("can", ""),
    )


def _pack(value, arrays: list[np.ndarray]):
    """Turn a value into JSON; arrays go into `arrays` and leave their number behind."""
    if isinstance(value, (np.ndarray, np.generic)):
        array = np.asarray(value)
        for number, known in enumerate(arrays):
            if _same_array(array, known):
                return {"array": number}
        arrays.append(array)
        return {"array": len(arrays) - 1}
    if isinstance(value, tuple):
        return {"tuple": [_pack(item, arrays) for item in value]}
    if isinstance(value, list):
        return [_pack(item, arrays) for item in value]
    if isinstance(value, dict):
        return {"dict": {key: _pack(item, arrays) for key, item in value.items()}}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if callable(value) and value.__module__.startswith("illustrated_attention."):
        return {"function": f"{value.__module__}:{value.__qualname__}"}
    raise TypeError(f"an answer key cannot hold a {type(value).__name__}")


def _unpack(value, arrays: list[np.ndarray]):
    if isinstance(value, list):
        return [_unpack(item, arrays) for item in value]
    if not isinstance(value, dict):
        return value
    [(kind, content)] = value.items()
    if kind == "array":
        return arrays[content]
    if kind == "tuple":
        return tuple(_unpack(item, arrays) for item in content)
    if kind == "dict":
        return {key: _unpack(item, arrays) for key, item in content.items()}
    if kind == "function":
        module, name = content.split(":")
        return getattr(importlib.import_module(module), name)
    raise ValueError(f"unknown kind {kind!r} in an answer key")


def _same_array(a, b) -> bool:
    return (
        isinstance(a, np.ndarray)
        and isinstance(b, np.ndarray)
        and a.shape == b.shape
        and a.dtype == b.dtype
        and a.tobytes() == b.tobytes()
    )
