"""A property holds of a function that has it, and not of one that breaks it."""

import inspect

import numpy as np
import pytest

from illustrated_attention import properties

RANDOM = np.random.default_rng(8)
Q, K, V = RANDOM.normal(size=(3, 4, 2))
MASK = np.tri(4, dtype=bool)


def softmax(scores, mask=True):
    powers = np.exp(scores) * mask
    return powers / powers.sum(axis=-1, keepdims=True)


def attention(q, k, v):
    return softmax(q @ k.T) @ v


def causal(q, k, v, cache=None):
    k, v = (
        (k, v)
        if cache is None
        else (np.concatenate(pair) for pair in zip(cache, (k, v), strict=True))
    )
    return softmax(q @ k.T, np.tri(len(q), len(k), len(k) - len(q))) @ v, (k, v)


def of_text(ids, scale, past=None):
    """The mean of the ids so far."""
    whole = ids if past is None else np.concatenate([past, ids])
    means = np.cumsum(whole) / np.arange(1, len(whole) + 1)
    return scale * means[-len(ids) :, None], whole


def joined(cache, k, v):
    return [np.concatenate(parts) for parts in zip(cache, (k, v), strict=True)]


def pairs_of(ids):
    return [(ids[:t], ids[t]) for t in range(1, len(ids))]


def remembering():
    """Attention that keeps what comes in a list of its own, and does not look at the cache."""
    kept = []

    def attend(q, k, v, cache):
        if cache is None:
            kept.clear()
        earlier = [np.concatenate(parts) for parts in zip(*kept, strict=True)] or None
        kept.append((k, v))
        return causal(q, k, v, earlier)

    return attend


class Counting:
    """Each call gives another result."""

    def __init__(self):
        self.calls = 0

    def __call__(self, *args):
        self.calls += 1
        return args[0] * self.calls


def per_head(q, k, v, n_head):
    parts = (np.split(part, n_head, axis=-1) for part in (q, k, v))
    return np.concatenate([attention(*head) for head in zip(*parts, strict=True)], axis=-1)


# The property, a function that has it, one that breaks it, and what it is tried with.
TABLE = [
    ("rows_sum_to_one", softmax, np.exp, (Q,)),
    ("rows_sum_to_one", softmax, lambda x: 2 * softmax(x) - 1 / x.shape[-1], (9 * Q,)),
    ("same_after_adding", softmax, np.exp, (Q, 3.0)),
    (
        "tokens_in_any_order",
        lambda x: attention(x, x, x),
        lambda x: np.cumsum(x, axis=-2),
        (Q, [2, 0, 3, 1]),
    ),
    ("every_example_alone", np.tanh, lambda x: x - x.mean(), (1, np.stack([Q, K]))),
    ("linear_in_last", np.matmul, lambda a, b: a @ b + 1, (MASK, V)),
    ("linear_in_last", np.matmul, lambda a, b: a @ b**2, (MASK, V)),
    ("hidden_keys_get_zero", softmax, lambda s, m: softmax(s), (Q @ K.T, MASK)),
    ("hidden_scores_do_not_matter", softmax, lambda s, m: softmax(s) * m, (Q @ K.T, MASK)),
    ("the_future_does_not_matter", lambda *a: causal(*a)[0], attention, (Q, K, V)),
    ("same_after_another_call", lambda x: 2 * x, Counting(), ((Q,), (K,))),
    ("every_chunking_is_one_pass", causal, lambda *a: causal(*a[:3]), (Q, K, V, (1, 2, 1))),
    (
        "every_cut_is_one_pass",
        of_text,
        lambda ids, scale, past=None: of_text(ids, scale),
        (-1, np.array([3, 1, 4, 1, 5]), (2.0,), (2, 3), (1, 1, 3)),
    ),
    ("cache_is_used", causal, lambda *a: causal(*a[:3]), (Q[2:], K[2:], V[2:], (K[:2], V[:2]))),
    (
        "continuations_stay_apart",
        causal,
        remembering(),
        ((Q[:2], K[:2], V[:2]), (Q, K, V), (V, Q, K)),
    ),
    ("only_moves_numbers", np.transpose, lambda x: np.where(x == x.max(), x.min(), x), (Q,)),
    ("every_head_alone", per_head, lambda q, k, v, n_head: attention(q, k, v), (Q, K, V, 2)),
    (
        "every_head_writes_by_itself",
        lambda z: 2 * z,
        lambda z: z + z.sum(axis=-3, keepdims=True),
        (np.stack([Q, K]),),
    ),
    (
        "the_first_token_counts",
        lambda *qkv: causal(*qkv)[0],
        lambda *qkv: causal(*(array[-40:] for array in qkv))[0],
        (60, (Q, K, V), ()),
    ),
    (
        "the_first_token_counts",
        lambda *qkv: causal(*qkv)[0],
        lambda q, k, v: softmax(q @ k.T, np.tri(len(q)) - np.tri(len(q), k=-40)) @ v,
        (60, (Q, K, V), ()),
    ),
    ("every_token_is_kept", joined, lambda *a: [x[-40:] for x in joined(*a)], (60, (Q, K))),
    ("every_token_is_kept", joined, lambda *a: joined(*a)[::-1], (3, (Q, K))),
    (
        "one_more_adds_the_same",
        lambda n, d, v: n * d * d + v * d,
        lambda n, d, v: n**2 * d + v * d,
        ((2, 3, 5), (0, 2)),
    ),
    (
        "the_last_of_many_sees_all",
        lambda n: np.tri(n, dtype=bool),
        lambda n: np.tri(32, dtype=bool)[:n, :n],
        (5, 60),
    ),
    (
        "the_last_of_many_sees_all",
        lambda n: np.tri(n, dtype=bool),
        lambda n: np.tri(n) - np.tri(n, k=-40),
        (5, 60),
    ),
    (
        "one_more_old_token_is_seen_by_all",
        lambda n, past: np.tri(n, past + n, past),
        lambda n, past: np.tri(n, past + n, min(past, 40)),
        (2, 3, 60),
    ),
    ("every_context_goes_on", pairs_of, lambda ids: pairs_of(ids)[1:], ([3, 1, 3, 4],)),
    (
        "every_context_goes_on",
        pairs_of,
        lambda ids: [(c[-8:], t) for c, t in pairs_of(ids)],
        ([3, 1], list(range(12))),
    ),
    ("every_context_goes_on", pairs_of, lambda ids: pairs_of(ids)[:-1], ([3, 1, 3, 4],)),
    (
        "a_shorter_text_is_the_beginning",
        lambda ids, p, h, n: [*ids, *range(n)],
        lambda ids, p, h, n: [*ids, *range(n)][::-1],
        ([4, 2], {}, 1, 3),
    ),
    (
        "the_future_changes_nothing",
        lambda x, rest: np.cumsum(x, axis=-2),
        lambda x, rest: x - x.mean(axis=-2),
        (Q, None),
    ),
]


@pytest.mark.parametrize(("name", "has_it", "breaks_it", "args"), TABLE)
def test_it_holds_of_what_has_it_and_not_of_what_breaks_it(name, has_it, breaks_it, args):
    holds = getattr(properties, name)
    assert holds(has_it, *args)
    assert not holds(breaks_it, *args)


def test_every_property_is_tried():
    public = {
        name
        for name, function in vars(properties).items()
        if inspect.isfunction(function) and function.__module__ == properties.__name__
    }
    assert {name for name in public if not name.startswith("_")} - {"close"} == {
        row[0] for row in TABLE
    }
