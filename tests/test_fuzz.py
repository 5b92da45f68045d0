"""On whatever the contracts allow, what is right comes out right: for check and for the judge."""

from dataclasses import replace

import numpy as np
import pytest

from autograder.__main__ import main
from autograder.authoring import fuzz as fuzzing
from autograder.authoring.contracts import CONTRACTS
from autograder.authoring.fuzz import Disagreement, fuzz
from autograder.exercises import all_exercises, find_exercise
from autograder.exercises.kit import Right


def test_every_exercise_has_a_contract():
    assert sorted(CONTRACTS) == sorted(exercise.name for exercise in all_exercises())


@pytest.mark.parametrize("name", CONTRACTS)
def test_all_that_is_right_agrees(name):
    fuzz(name, examples=10)


def softmax(scores):
    exp = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return exp / exp.sum(axis=-1, keepdims=True)


def in_place(scores):
    scores -= scores.max(axis=-1, keepdims=True)
    return softmax(scores)


def kept_type(scores):
    return softmax(scores).astype(scores.dtype)


class Wrapped:
    def __init__(self, data):
        self.data = data

    def __array__(self, dtype=None, copy=None):
        return self.data


@pytest.mark.parametrize(
    "only_nearly_right",
    [
        lambda s: np.exp(s) / np.exp(s).sum(axis=-1, keepdims=True),  # large scores
        kept_type,  # whole numbers
        in_place,
        lambda s: softmax(s.T).T if s.flags.fnc else softmax(s),  # the layout in memory
        lambda s: softmax(np.frombuffer(s.tobytes()).reshape(s.shape)),  # the kind of float
        lambda s: softmax(s.reshape(s.shape[0], -1)).reshape(s.shape),  # leading axes
        lambda s: Wrapped(softmax(s)),  # no plain data
    ],
)
def test_what_is_only_nearly_right_is_found(only_nearly_right, monkeypatch):
    def with_it(name):
        right = (Right("nearly", only_nearly_right),)
        return replace(find_exercise(name), right=right)

    monkeypatch.setattr(fuzzing, "find_exercise", with_it)
    with pytest.raises(Disagreement, match=r"^softmax, «nearly» for (check|the judge): "):
        fuzz("softmax", examples=200)


def test_a_solution_that_is_wrong_for_whole_numbers_is_found(monkeypatch):
    monkeypatch.setattr(fuzzing, "reference", lambda name: kept_type)
    with pytest.raises(Disagreement, match="«the solution» for check"):
        fuzz("softmax", examples=200)


def test_the_command_says_what_it_tried_and_fails_if_anything_disagrees(monkeypatch, capsys):
    monkeypatch.setattr(fuzzing, "EXAMPLES", 2)
    monkeypatch.setattr(fuzzing, "CONTRACTS", {"softmax": CONTRACTS["softmax"]})
    assert main(["fuzz", "--minutes", "0", "--seed", "7"]) == 0
    said = capsys.readouterr().out
    assert "Drawing from seed 7 on." in said
    assert "0 of 1 exercises with a disagreement" in said
    monkeypatch.setattr(fuzzing, "EXAMPLES", 100)
    monkeypatch.setattr(fuzzing, "reference", lambda name: kept_type)
    assert main(["fuzz", "--minutes", "0", "--seed", "7"]) == 1
    said = capsys.readouterr().out
    assert "softmax, «the solution» for check" in said
    assert "1 of 1 exercises with a disagreement" in said
