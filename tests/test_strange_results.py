"""check says something of whatever a function returns; strange results stop no card."""

import numpy as np
import pytest

from autograder.exercises.reference import reference
from illustrated_attention.answer_keys import find_key
from illustrated_attention.cards import verdict_card
from illustrated_attention.examine import examine

# One for each kind of result: arrays, several, masks, answers, numbers, lists, and what holds all.
EXERCISES = (
    *("softmax", "make_qkv", "causal_mask", "find_leak", "kv_cache_bytes", "projection_counts"),
    *("next_token_pairs", "generate", "attend_with_cache", "gpt2"),
)


def each(change):
    """Change every array of a result."""

    def changed(value):
        if isinstance(value, (tuple, list)):
            return type(value)(map(changed, value))
        return change(np.asarray(value))

    return changed


def holding_itself(_right):
    result = []
    result.append(result)
    return result


STRANGE = {
    "ragged lists": lambda right: [[1, 2], [3]],
    "ragged values": lambda right: ([1], [2, 3], np.zeros((2, 2))),
    "objects": lambda right: np.array([1, "a", None], object),
    "arrays in an array": lambda right: np.array([np.zeros(2), np.zeros(3)], object),
    "a text": lambda right: "abc",
    "a dictionary": lambda right: {"a": 1},
    "a set": lambda right: {1, 2},
    "a generator": lambda right: (number for number in [1]),
    "complex numbers": each(lambda a: a + 1j),
    "texts": each(lambda a: a.astype(str)),
    "a huge number": lambda right: 10**400,
    "beyond a float": each(lambda a: a.astype(np.longdouble) * np.longdouble(1e300) ** 9),
    "nan": each(lambda a: a * np.nan),
    "truth": each(lambda a: a > 0),
    "small whole numbers": each(lambda a: a.astype("u1")),
    "nothing": lambda right: np.zeros((0,)),
    "an empty list": lambda right: [],
    "no values": lambda right: (),
    "one number": lambda right: np.array(3.0),
    "a record": lambda right: np.zeros(3, [("a", "f8")]),
    "a date": lambda right: np.datetime64("2020-01-01"),
    "nested": lambda right: ((right,),),
    "five of it": lambda right: (right,) * 5,
    "half of it": each(lambda a: a[..., : a.shape[-1] // 2] if a.ndim else a),
    "turned round": each(lambda a: a.T),
    "an axis more": each(lambda a: a[None]),
    "ids in arrays": lambda right: [np.array([1])] * 4,
    "a list that holds itself": holding_itself,
}


@pytest.mark.parametrize("exercise", EXERCISES)
def test_a_verdict_and_a_card_come_of_any_result(exercise):
    solution, key = reference(exercise), find_key(exercise)
    for how, change in STRANGE.items():
        verdict = examine(lambda *args, c=change: c(solution(*args)), key)
        assert verdict.message, how
        card = verdict_card(verdict)
        assert str(card) and card._repr_html_(), how
