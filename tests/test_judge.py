"""`judge`: right is right, wrong is wrong, and a known mistake is known however it is written.

That every known implementation gets its points and its message, from `check` and from `judge`, is
in test_kill_matrix.py.
"""

import ast
import functools
import linecache

import numpy as np
import pytest

import autograder
from autograder import judge
from autograder.exercises import all_exercises
from autograder.exercises.making_keys import ExerciseError, _make_key, full_key, visible_key
from illustrated_attention.comparing import compare
from illustrated_attention.examine import examine
from illustrated_attention.outcomes import Case
from illustrated_attention.same_behaviour import same_behaviour

EXERCISES = all_exercises()
ids = {"ids": lambda exercise: exercise.name}


@pytest.mark.parametrize("key_of", [visible_key, full_key])
@pytest.mark.parametrize("exercise", EXERCISES, **ids)
def test_two_mistakes_never_look_the_same(exercise, key_of):
    """Whoever makes one gets its own message, not that of another."""
    key = key_of(exercise.name)
    everywhere = list(range(len(key.cases)))
    without_refusals = [i for i in everywhere if not key.cases[i].raises]
    for i, one in enumerate(key.mistakes):
        for other in key.mistakes[i + 1 :]:
            for a in one.signatures:
                for b in other.signatures:
                    assert not same_behaviour(a, b, key.cases, everywhere), (one.id, other.id)
                    # Two that differ only in what they refuse must both be right elsewhere.
                    if same_behaviour(a, b, key.cases, without_refusals):
                        assert right_without_refusals(key, a), (one.id, other.id)


def right_without_refusals(key, signature):
    return all(
        outcome.returned and compare(outcome.value, expected) is None
        for case, outcome, expected in zip(
            key.cases, signature.outcomes, key.expected, strict=False
        )
        if not case.raises
    )


@pytest.mark.parametrize("exercise", EXERCISES, **ids)
def test_ids_titles_and_messages_are_unique(exercise):
    assert len({m.id for m in exercise.mistakes}) == len(exercise.mistakes)
    assert len({m.message for m in exercise.mistakes}) == len(exercise.mistakes)
    visible = [case.title for case in exercise.visible]
    assert len(set(visible)) == len(visible)


def flat(value):
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from flat(item)
    else:
        yield value


@pytest.mark.parametrize("exercise", EXERCISES, **ids)
def test_hidden_cases_use_other_numbers_than_visible_ones(exercise):
    """Remembering the visible answers is worth nothing."""

    def numbers(case):
        return repr([a.tobytes() if isinstance(a, np.ndarray) else a for a in flat(case.args)])

    shown = [numbers(case) for case in exercise.visible]
    new = [case for case in exercise.hidden if numbers(case) not in shown]
    assert len(new) >= len(exercise.hidden) / 2  # one token is one token in both


@pytest.mark.parametrize("exercise", EXERCISES, **ids)
def test_a_function_that_remembers_the_visible_cases_fails(exercise):
    key = visible_key(exercise.name)

    def parrot(*args):
        for case, expected in zip(key.cases, key.expected, strict=True):
            if len(args) == len(case.args) and all(
                np.array_equal(a, b) for a, b in zip(args, case.args, strict=True)
            ):
                if case.raises:
                    raise ValueError
                return expected
        return None

    assert not judge(parrot, exercise.name).passed


@pytest.mark.parametrize("exercise", EXERCISES, **ids)
def test_a_message_for_the_feedback_holds_no_hidden_number(exercise):
    key = full_key(exercise.name)
    hidden = {
        f"{number:.4g}"
        for case, expected in zip(key.cases, key.expected, strict=True)
        if any(case is hidden for hidden in exercise.hidden)
        for array in [*case.args, *(expected if isinstance(expected, tuple) else [expected])]
        if isinstance(array, np.ndarray) and array.dtype.kind == "f"
        for number in array.ravel()
        if np.isfinite(number) and float(f"{number:.4g}") % 1
    }
    for wrong in (lambda *a: None, lambda *a: np.full((3, 3), 0.123), lambda *a: a[0] * 1.7):
        message = judge(wrong, exercise.name).message
        assert not hidden & set(message.replace(",", " ").split())
    assert "0.123" not in judge(lambda *a: np.full((3, 3), 0.123), exercise.name).message


def test_a_wrong_function_without_a_known_mistake_is_told_the_kind_of_case():
    def softmax(scores, longest):
        exp = np.exp(scores - scores.max(-1, keepdims=True))
        right = exp / exp.sum(-1, keepdims=True)
        return right if scores.shape[-1] < longest else np.sin(9 * scores)

    verdict = judge(functools.partial(softmax, longest=7), "softmax")
    assert not verdict.passed and verdict.mistake is None
    assert verdict.message.startswith("On a case of the kind «")


def test_the_judge_needs_an_exercise():
    with pytest.raises(ValueError, match="no exercise named 'sotfmax'"):
        judge(lambda: None, "sotfmax")


def test_an_exercise_that_contradicts_its_solution_is_refused():
    [softmax] = [exercise for exercise in EXERCISES if exercise.name == "softmax"]
    case = Case("must refuse: a row", (np.ones(3),), raises="ValueError")
    with pytest.raises(ExerciseError, match="case «must refuse: a row»: the solution gave a value"):
        _make_key(softmax, (case,), [])


def test_the_package_offers_the_judge_and_nothing_else():
    with pytest.raises(AttributeError, match="no attribute 'jugde'"):
        autograder.jugde  # noqa: B018


# --- written by somebody else -------------------------------------------------------------------
# The same mistakes as in the exercises, but in the words of other programmers: with np.dot, loops,
# einsum, steps and helper functions. check and judge must know them all the same.


def written(source):
    """Read functions from source; each line of comment before one names its mistake."""
    namespace = {"np": np}
    lines = source.splitlines()
    linecache.cache["<written>"] = (
        len(source),
        None,
        source.splitlines(keepends=True),
        "<written>",
    )
    exec(compile(source, "<written>", "exec"), namespace)
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef):
            mistake = lines[node.lineno - 2].removeprefix("# ")
            yield pytest.param(
                node.name.rstrip("_0123456789"),
                mistake,
                namespace[node.name],
                id=f"{node.name} {mistake}",
            )


OTHERS_WORDS = """
# over_axis_0
def softmax_1(scores):
    e = np.exp(scores - np.max(scores, axis=0))
    return e / np.sum(e, axis=0)

# over_everything
def softmax_2(scores):
    e = np.exp(scores - np.max(scores))
    return e / e.sum()

# no_max_subtracted
def softmax_3(scores):
    result = np.zeros(scores.shape)
    for index in np.ndindex(scores.shape[:-1]):
        row = [np.exp(s) for s in scores[index]]
        result[index] = np.array(row) / sum(row)
    return result

# keepdims_missing
def softmax_4(x):
    m = np.max(x, axis=-1)
    e = np.exp(x - m)
    s = np.sum(e, axis=-1)
    return e / s

# log_softmax
def softmax_5(x):
    x = x - x.max(axis=-1, keepdims=True)
    return x - np.log(np.exp(x).sum(axis=-1, keepdims=True))

# scores_changed
def softmax_6(x):
    np.subtract(x, x.max(axis=-1, keepdims=True), out=x)
    e = np.exp(x)
    return e / e.sum(axis=-1, keepdims=True)

# sigmoid
def softmax_7(x):
    return np.exp(x) / (1 + np.exp(x))

# softmin
def softmax_8(x):
    x = x.min(axis=-1, keepdims=True) - x
    e = np.exp(x)
    return e / e.sum(axis=-1, keepdims=True)

# hard_max
def softmax_9(x):
    return (x == x.max(axis=-1, keepdims=True)).astype(float)

# rows_of_two_axes_only
def softmax_10(x):
    out = []
    for row in x:
        e = np.exp(row - np.max(row))
        out.append(e / np.sum(e))
    return np.array(out)

# not_scaled
def scaled_scores_1(q, k):
    return np.einsum("...id,...jd->...ij", q, k)

# divided_by_d
def scaled_scores_2(q, k):
    d = q.shape[-1]
    return np.matmul(q / d, np.swapaxes(k, -1, -2))

# scaled_by_number_of_keys
def scaled_scores_3(q, k):
    t = k.shape[-2]
    return np.matmul(q, k.swapaxes(-1, -2)) * t ** -0.5

# k_not_transposed
def scaled_scores_4(q, k):
    return np.matmul(q, k) / np.sqrt(k.shape[-1])

# all_axes_reversed
def scaled_scores_5(q, k):
    return np.matmul(q, np.transpose(k)) / np.sqrt(q.shape[-1])

# all_axes_reversed
def scaled_scores_6(query, key):
    d_k = query.shape[-1]
    scores = query @ key.transpose()
    scores = scores / (d_k ** 0.5)
    return scores

# queries_and_keys_swapped
def scaled_scores_7(q, k):
    return np.einsum("...id,...jd->...ji", q, k) / np.sqrt(q.shape[-1])

# dot_for_batches
def scaled_scores_8(q, k):
    return np.dot(q, np.swapaxes(k, -1, -2)) / np.sqrt(q.shape[-1])

# scale_is_8
def scaled_scores_9(q, k):
    return q @ np.swapaxes(k, -1, -2) / np.sqrt(64)

# weights_transposed
def make_qkv_1(x, w_q, w_k, w_v):
    return np.dot(x, w_q.T), np.dot(x, w_k.T), np.dot(x, w_v.T)

# weights_transposed
def make_qkv_2(x, w_q, w_k, w_v):
    q = np.matmul(x, np.transpose(w_q))
    k = np.matmul(x, np.transpose(w_k))
    v = np.matmul(x, np.transpose(w_v))
    return q, k, v

# sides_swapped
def make_qkv_3(x, w_q, w_k, w_v):
    return np.dot(w_q, x), np.dot(w_k, x), np.dot(w_v, x)

# order_kqv
def make_qkv_4(x, w_q, w_k, w_v):
    q = x @ w_q
    k = x @ w_k
    v = x @ w_v
    return k, q, v

# w_q_for_keys
def make_qkv_5(x, w_q, w_k, w_v):
    q = np.dot(x, w_q)
    k = np.dot(x, w_q)
    v = np.dot(x, w_v)
    return [q, k, v]

# one_array
def make_qkv_6(x, w_q, w_k, w_v):
    return x @ np.concatenate((w_q, w_k, w_v), axis=1)

# weights_transposed
def weighted_sum_1(weights, v):
    return np.matmul(np.swapaxes(weights, -1, -2), v)

# sides_swapped
def weighted_sum_2(weights, v):
    return np.matmul(v, weights)

# dot_for_batches
def weighted_sum_3(weights, v):
    return np.dot(weights, v)

# normalised_again
def weighted_sum_4(weights, v):
    weights = weights / weights.sum(axis=-1, keepdims=True)
    return weights @ v

# elementwise
def weighted_sum_5(weights, v):
    return np.multiply(weights, v)

# one_based_positions
def embed_1(token_ids, wte, wpe, start=0):
    T = token_ids.shape[-1]
    if start + T > len(wpe):
        raise ValueError("too long")
    return wte[token_ids] + wpe[np.arange(start + 1, start + T + 1)]

# start_ignored
def embed_2(token_ids, wte, wpe, start=0):
    T = token_ids.shape[-1]
    if start + T > wpe.shape[0]:
        raise ValueError(f"{start + T}")
    return wte[token_ids] + wpe[:T]

# start_ignored
def embed_3(token_ids, wte, wpe, start=0):
    return wte[token_ids] + wpe[np.arange(token_ids.shape[-1])]

# concatenated
def embed_4(token_ids, wte, wpe, start=0):
    p = wpe[start:start + token_ids.shape[-1]]
    p = np.broadcast_to(p, wte[token_ids].shape)
    return np.concatenate((wte[token_ids], p), axis=-1)

# refusal_missing
def embed_5(token_ids, wte, wpe, start=0):
    T = token_ids.shape[-1]
    positions = wpe[start:start + T]
    return positions + wte[token_ids]

# softmax_over_queries
def self_attention_1(x, w_q, w_k, w_v):
    q, k, v = x @ w_q, x @ w_k, x @ w_v
    s = q @ np.swapaxes(k, -1, -2) / np.sqrt(q.shape[-1])
    e = np.exp(s - s.max(axis=-2, keepdims=True))
    w = e / e.sum(axis=-2, keepdims=True)
    return w @ v, w

# not_scaled
def self_attention_2(x, w_q, w_k, w_v):
    q, k, v = np.dot(x, w_q), np.dot(x, w_k), np.dot(x, w_v)
    s = np.einsum("...id,...jd->...ij", q, k)
    e = np.exp(s - s.max(axis=-1, keepdims=True))
    w = e / e.sum(axis=-1, keepdims=True)
    return w @ v, w

# returned_in_wrong_order
def self_attention_3(x, w_q, w_k, w_v):
    q, k, v = x @ w_q, x @ w_k, x @ w_v
    s = q @ np.swapaxes(k, -1, -2) / np.sqrt(q.shape[-1])
    e = np.exp(s - s.max(axis=-1, keepdims=True))
    w = e / e.sum(axis=-1, keepdims=True)
    return w, w @ v

# start_ignored
def embed_6(token_ids, wte, wpe, start=0):
    T = len(token_ids)
    return wte[token_ids] + wpe[:T]

# last_position_refused
def embed_7(token_ids, wte, wpe, start=0):
    T = token_ids.shape[-1]
    if start + T >= len(wpe):
        raise ValueError("words that no one else would choose")
    return wte[token_ids] + wpe[start:start + T]

# not_scaled
def scaled_scores_20(q, k):
    return q @ k.T

# scale_of_the_toy
def scaled_scores_21(q, k):
    return q @ k.T / 1.732

# half_of_d
def scaled_scores_22(q, k):
    return q @ np.swapaxes(k, -1, -2) / (q.shape[-1] ** 1/2)

# one_max_for_all
def softmax_20(scores):
    e = np.exp(scores - np.max(scores))
    return e / np.sum(e, axis=-1, keepdims=True)

# rows_of_two_axes_only
def softmax_21(scores):
    out = np.zeros_like(scores)
    for i in range(scores.shape[0]):
        e = np.exp(scores[i] - scores[i].max())
        out[i] = e / e.sum()
    return out

# weights_transposed
def weighted_sum_20(weights, v):
    return weights.T @ v

# last_key_only
def weighted_sum_21(weights, v):
    out = np.zeros((weights.shape[0], v.shape[1]))
    for i in range(len(weights)):
        for j in range(len(v)):
            out[i] = weights[i, j] * v[j]
    return out

# return_in_loop
def weighted_sum_22(weights, v):
    out = np.zeros((weights.shape[0], v.shape[1]))
    for i in range(len(weights)):
        for j in range(len(v)):
            out[i] += weights[i, j] * v[j]
        return out

# no_max_subtracted
def self_attention_20(x, w_q, w_k, w_v):
    q, k, v = x @ w_q, x @ w_k, x @ w_v
    e = np.exp(q @ np.swapaxes(k, -1, -2) / np.sqrt(q.shape[-1]))
    w = e / e.sum(axis=-1, keepdims=True)
    return w @ v, w

# two_lists
def next_token_pairs_20(token_ids):
    contexts, targets = [], []
    for i in range(1, len(token_ids)):
        contexts.append(list(token_ids[:i]))
        targets.append(token_ids[i])
    return contexts, targets

# return_in_loop
def next_token_pairs_21(token_ids):
    pairs = []
    for i in range(1, len(token_ids)):
        pairs.append((list(token_ids[:i]), token_ids[i]))
        return pairs

# score_zero
def masked_softmax_20(scores, mask):
    s = scores.copy()
    s[mask == False] = 0
    e = np.exp(s - s.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)

# one_row
def cached_causal_mask_20(n_new, n_past):
    return np.tri(n_new + n_past, dtype=bool)[-n_new]

# reshaped_only
def split_heads_20(x, n_head):
    T, D = x.shape
    return x.reshape(n_head, T, D // n_head)

# reshaped_only
def merge_heads_20(x):
    H, T, d = x.shape
    return x.reshape(T, H * d)
"""


@pytest.mark.parametrize("key_of", [visible_key, full_key], ids=["check", "judge"])
@pytest.mark.parametrize(("exercise", "mistake", "function"), list(written(OTHERS_WORDS)))
def test_a_mistake_is_known_in_other_words(exercise, mistake, function, key_of):
    assert examine(function, key_of(exercise)).mistake == mistake
