"""`find_leak`, lesson 02. Find the attention that looks into the future."""

import numpy as np

from autograder.exercises.kit import (
    Case,
    Exercise,
    late,
)
from autograder.exercises.pieces import attend_causally
from illustrated_attention import attentions

_A = attentions

FIND_LEAK = Exercise(
    name="find_leak",
    lesson="02_masked_attention",
    can="You can now prove of any attention whether it leaks.",
    visible=(
        Case("no mask at all", (_A.everything, 4, 3)),
        Case("only back, with exact zeros for the future", (_A.past_times_zero, 5, 2)),
        Case("only back", (_A.past_by_closeness, 4, 3)),
        Case("only itself", (_A.only_itself, 3, 2)),
        Case("only the last three", (_A.last_three, 6, 2)),
        Case("one token too many", (_A.one_ahead, 4, 3)),
        Case("pairs of tokens see each other", (_A.pairs, 5, 2)),
        Case("all see the last token", (_A.last_for_all, 5, 3)),
        Case("the first sees the last", (_A.first_sees_last, 5, 2)),
        Case("one in the middle sees the next", (_A.middle_sees_next, 6, 3)),
        Case("a mask for four tokens, four tokens", (_A.mask_for_four, 4, 2)),
        Case("a mask for four tokens, seven tokens", (_A.mask_for_four, 7, 2)),
        Case("the future has a little weight", (_A.weakly_hidden, 4, 3)),
        Case("hidden after sharing out", (_A.hidden_too_late, 4, 3)),
        Case("equal parts of everything", (_A.everything_in_equal_parts, 4, 2)),
        Case("a mean over all values", (_A.mean_removed, 4, 2)),
        Case("a mean over all queries", (_A.queries_centred, 4, 3)),
        Case("the first half sees itself", (_A.first_half_together, 5, 2)),
        Case("clean weights, another result", (_A.clean_weights, 4, 3)),
    ),
    hidden=(
        Case("only back, in equal parts", (_A.past_in_equal_parts, 5, 3)),
        Case("only back, in float32", (_A.past_in_float32, 5, 4)),
        Case("the first token and itself", (_A.first_and_itself, 6, 2)),
        Case("only the tokens before", (_A.strictly_past, 4, 3)),
        Case("only back, one number in a vector", (_A.past_by_closeness, 4, 1)),
        Case("only the future", (_A.future_only, 5, 3)),
        Case("the first half sees itself", (_A.first_half_together, 6, 3)),
        Case("a leak at one place only", (_A.middle_sees_next, 8, 2)),
        Case("a leak between two tokens far apart", (_A.first_sees_last, 8, 3)),
        Case("a leak that needs a long text", (_A.mask_for_four, 6, 3)),
        Case("a short text for that one", (_A.mask_for_four, 3, 2)),
        Case("a leak past the weights", (_A.clean_weights, 5, 2)),
        Case("a leak through the queries", (_A.queries_centred, 7, 2)),
        Case("a leak through the values", (_A.mean_removed, 6, 3)),
        Case("a weak leak", (_A.weakly_hidden, 7, 2)),
        Case("a leak through the keys", (_A.hidden_too_late, 6, 2)),
        late("a leak in the middle of a long text", (_A.middle_sees_next, 40, 2)),
        late("the first of many sees the last", (_A.first_sees_last, 40, 2)),
        late("only back in a long text", (_A.past_by_closeness, 40, 2)),
        late("two tokens that see only back", (_A.past_by_closeness, 2, 3)),
        late("two tokens that see each other", (_A.everything, 2, 3)),
    ),
    promises=(),
    hints=(
        "Two calls: one with some tokens, one with a later token changed. If nobody sees the "
        "future, which rows of `out` must be the same in both?",
        "Make random q, k and v of the shape (n, d). For each t from 1 to n - 1: copy all three, "
        "change row t in each copy, call `attention` again. Rows 0 to t - 1 of `out` must not "
        "move.",
        "For each t, `after, _ = attention(q2, k2, v2)`; if not `np.allclose(after[:t], "
        "before[:t])`, return True. After the loop, return False.",
    ),
)


# --- known mistakes ------------------------------------------------------------------------------

FIND_LEAK.mistake(
    "always_false",
    "Your test never finds a leak. Do you change a copy of the arrays before the second "
    "call, and by enough to be seen?",
    lambda attention, n, d: False,
)


def _try_tokens(
    attention,
    n,
    d,
    *,
    changed="qkv",
    tokens=None,
    rows=lambda out, t: out[..., :t, :],
    what=0,
    add=3.0,
    same=np.allclose,
    lead=(),
    base=None,
):
    """The ordinary test, in parts that a mistake can replace."""
    rng = np.random.default_rng(7)
    plain = {name: rng.standard_normal((*lead, n, d)) for name in "qkv"}
    if base is not None:
        plain = {name: np.full((*lead, n, d), base) for name in "qkv"}
    before = attention(**plain)[what]
    for t in range(1, n) if tokens is None else tokens(n):
        other = {name: array.copy() for name, array in plain.items()}
        for name in changed:
            other[name][..., t, :] += add
        after = attention(**other)[what]
        if not same(rows(after, t), rows(before, t)):
            return True
    return False


def _test(**parts):
    return lambda attention, n, d: _try_tokens(attention, n, d, **parts)


def _against_own(attention, n, d):
    q, k, v = np.random.default_rng(11).standard_normal((3, n, d))
    return not np.allclose(attention(q, k, v)[0], attend_causally(q, k, v)[0])


FIND_LEAK.mistake(
    "always_true",
    "Your test reports a leak everywhere. Perhaps it compares the changed token's own row as "
    "well, or later ones, or earlier tokens get other numbers, too, or it compares weights, or "
    "with your causal_attention. A right attention may compute its weights in another way: compare "
    "it with itself.",
    lambda attention, n, d: True,
    _test(rows=lambda out, t: out),
    _against_own,
)

FIND_LEAK.mistake(
    "turned_round",
    "Your answers are the wrong way round: True must mean that there IS a leak.",
    lambda attention, n, d: not _try_tokens(attention, n, d),
)

FIND_LEAK.mistake(
    "later_rows_compared",
    "You look at rows AFTER the changed token. These may change: they may look back. A "
    "leak shows in the rows before.",
    _test(tokens=lambda n: range(n - 1), rows=lambda out, t: out[..., t + 1 :, :]),
    _test(tokens=lambda n: [0], rows=lambda out, t: out[..., 1:, :]),
)

FIND_LEAK.mistake(
    "only_the_last_token",
    "Your answers are those of a test that changes the last token only. Two tokens in the middle "
    "can leak to each other all the same: change every token in turn.",
    _test(tokens=lambda n: [n - 1]),
)

FIND_LEAK.mistake(
    "only_the_second_token",
    "Your answers are those of a test that changes token 1 only and looks at row 0. A leak can be "
    "anywhere: change every token in turn, and look at all rows before it.",
    _test(tokens=lambda n: [1]),
)

FIND_LEAK.mistake(
    "only_the_first_row",
    "Your answers are those of a test that looks at row 0 only. A leak can be in any row before "
    "the changed token.",
    _test(rows=lambda out, t: out[..., :1, :]),
    _test(tokens=lambda n: [n - 1], rows=lambda out, t: out[..., :1, :]),
)

FIND_LEAK.mistake(
    "only_the_row_before",
    "Your answers are those of a test that looks at one row only, the one just before the changed "
    "token. Rows further up can leak as well.",
    _test(rows=lambda out, t: out[..., t - 1, :]),
)


@FIND_LEAK.mistake(
    "only_the_second_half",
    "Your answers are those of a test that changes one half of the text and looks at the other. A "
    "leak within a half stays unseen: change every token in turn.",
)
def _second_half(attention, n, d):
    q, k, v = np.random.default_rng(12).standard_normal((3, n, d))
    before, half = attention(q, k, v)[0], n // 2
    q2, k2, v2 = q.copy(), k.copy(), v.copy()
    for array in (q2, k2, v2):
        array[half:] += 3
    return not np.allclose(attention(q2, k2, v2)[0][:half], before[:half])


def _future_weights(attention, n, d):
    q, k, v = np.random.default_rng(8).standard_normal((3, n, d))
    return bool(np.triu(attention(q, k, v)[1], 1).any())


FIND_LEAK.mistake(
    "weights_only",
    "Your answers are those of a test that looks at the returned weights. They can be clean while "
    "the result is not: look at `out`, which is what goes on to the next layer.",
    _future_weights,
    _test(what=1),
)

FIND_LEAK.mistake(
    "values_only",
    "Your answers are those of a test that changes values only (or starts from zeros, so that "
    "queries and keys say nothing). A leak can go through the queries and keys: through the "
    "weights.",
    _test(changed="v"),
    _test(base=0.0),
)

FIND_LEAK.mistake(
    "keys_only",
    "Your answers are those of a test that changes keys only. A leak can go through the values or "
    "queries as well.",
    _test(changed="k"),
)

FIND_LEAK.mistake(
    "queries_only",
    "Your answers are those of a test that changes queries only. A future token is seen by its "
    "key and its value.",
    _test(changed="q"),
)

FIND_LEAK.mistake(
    "queries_not_changed",
    "Your test overlooks a leak through the queries of later tokens. Are they changed, too, or "
    "keys and values only? Do your tokens differ, and is the change large enough to be seen?",
    _test(changed="kv"),
    _test(base=1.0),
)

FIND_LEAK.mistake(
    "values_not_changed",
    "Your test overlooks a leak through the values alone. Are they changed, too, or queries and "
    "keys only?",
    _test(changed="qk"),
)


@FIND_LEAK.mistake(
    "poisoned_with_nan",
    "You change the future to nan (or infinity). A right attention may multiply it by the "
    "weight 0, and 0 times nan is nan. Change it to another ordinary number.",
)
def _poisoned_with_nan(attention, n, d):
    q, k, v = np.random.default_rng(10).standard_normal((3, n, d))
    for t in range(1, n):
        q2, k2, v2 = q.copy(), k.copy(), v.copy()
        for array in (q2, k2, v2):
            array[t:] = np.nan
        if np.isnan(attention(q2, k2, v2)[0][:t]).any():
            return True
    return False


@FIND_LEAK.mistake(
    "future_shuffled",
    "Your answers are those of a test that puts the future tokens into another order. Their sum "
    "stays the same, so many leaks cannot be seen. Change their numbers.",
)
def _future_shuffled(attention, n, d):
    q, k, v = np.random.default_rng(9).standard_normal((3, n, d))
    before = attention(q, k, v)[0]
    for t in range(1, n):
        order = [*range(t), *range(n - 1, t - 1, -1)]
        if not np.allclose(attention(q[order], k[order], v[order])[0][:t], before[:t]):
            return True
    return False


FIND_LEAK.mistake(
    "tolerance_too_wide",
    "Your test overlooks small leaks. Does it round, or allow differences as large as 0.1, or "
    "change the tokens by very little? `np.allclose` is fine as it is.",
    _test(same=lambda a, b: np.allclose(a, b, atol=0.1)),
    _test(same=lambda a, b: np.abs(a - b).max() < 0.1),
    _test(same=lambda a, b: np.array_equal(np.round(a), np.round(b))),
    _test(add=1e-6),
)

FIND_LEAK.mistake(
    "n_ignored",
    "Your answers are those of a test with always the same number of tokens. Some leaks need more "
    "tokens, some attentions are right for few. Use `n`.",
    lambda attention, n, d: _try_tokens(attention, 4, d),
    lambda attention, n, d: _try_tokens(attention, 5, d),
    lambda attention, n, d: _try_tokens(attention, 8, d),
)

FIND_LEAK.mistake(
    "n_and_d_swapped",
    "You make arrays of the shape (d, n). Tokens are rows: (n, d).",
    lambda attention, n, d: _try_tokens(attention, d, n),
)


@FIND_LEAK.mistake(
    "tuple_compared",
    "An attention returns two things, `(out, weights)`. Take the first before you compare.",
)
def _tuple_compared(attention, n, d):
    q, k, v = np.random.default_rng(13).standard_normal((3, n, d))
    return bool(np.abs(attention(q, k, v) - attention(q + 1, k, v)).max() > 0)


@FIND_LEAK.mistake(
    "asserts",
    "Your test stops with an error when it finds a leak, and says nothing when it finds "
    "none. Here it should return True or False.",
)
def _asserts(attention, n, d):
    assert not _try_tokens(attention, n, d)


FIND_LEAK.mistake(
    "returns_nothing",
    "Your test returns None. Printing does not count: return True or False.",
    lambda attention, n, d: None,
)

FIND_LEAK.mistake(
    "returns_words",
    "Your test returns a text. Return True or False.",
    lambda attention, n, d: "leak" if _try_tokens(attention, n, d) else "no leak",
)

# --- unusual, and right --------------------------------------------------------------------------

FIND_LEAK.also_right("change every token in turn", _test())

FIND_LEAK.also_right("compared exactly", _test(same=np.array_equal))

FIND_LEAK.also_right("a small change", _test(add=1e-2))

FIND_LEAK.also_right("a huge change", _test(add=1e6))

FIND_LEAK.also_right("a batch with heads", _test(lead=(2, 3)))


def _rest_at_once(attention, n, d, add=3.0, same=np.allclose):
    """Change everything from token t on, for every t."""
    rng = np.random.default_rng(3)
    q, k, v = rng.standard_normal((3, n, d))
    before = attention(q, k, v)[0]
    for t in range(1, n):
        q2, k2, v2 = q.copy(), k.copy(), v.copy()
        for array in (q2, k2, v2):
            array[t:] = add * rng.standard_normal((n - t, d))
        if not same(attention(q2, k2, v2)[0][:t], before[:t]):
            return True
    return False


FIND_LEAK.also_right("everything after, in turn", _rest_at_once)

FIND_LEAK.also_right(
    "everything after set to zero", lambda a, n, d: _rest_at_once(a, n, d, add=0.0)
)


@FIND_LEAK.also_right("the beginning of the text alone")
def _prefixes(attention, n, d):
    q, k, v = np.random.default_rng(4).standard_normal((3, n, d))
    whole = attention(q, k, v)[0]
    return not all(np.allclose(attention(q[:t], k[:t], v[:t])[0], whole[:t]) for t in range(1, n))


@FIND_LEAK.also_right("slopes, one number at a time")
def _slopes(attention, n, d):
    """Does any output have a slope against a later input? One number at a time."""
    q, k, v = np.random.default_rng(5).standard_normal((3, n, d))
    before = attention(q, k, v)[0]
    for array in (q, k, v):
        for t in range(1, n):
            array[t, 0] += 0.5
            if np.abs(attention(q, k, v)[0] - before)[:t].max() > 1e-9:
                return True
            array[t, 0] -= 0.5
    return False


@FIND_LEAK.also_right("one x for all, weights too, NumPy's True")
def _one_x_for_all(attention, n, d):
    x = np.random.default_rng(6).standard_normal((n, d))
    before, weights = attention(x, x, x)
    for t in range(n - 1):
        x2 = np.concatenate([x[: t + 1], x[t + 1 :][::-1] * -2 - 1])
        after, weights2 = attention(x2, x2, x2)
        if not np.allclose(before[: t + 1], after[: t + 1]):
            return np.True_
        if not np.allclose(weights[: t + 1], weights2[: t + 1]):
            return np.True_
    return np.False_


FIND_LEAK.also_right("1 and 0", lambda attention, n, d: int(_try_tokens(attention, n, d)))
