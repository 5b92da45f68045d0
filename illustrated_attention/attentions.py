"""Attentions to be tested: in some of them no token sees the future, in others one does.

All take `(q, k, v)`, arrays [..., T, d], [..., T, d] and [..., T, dv], and return
`(out, weights)`, [..., T, dv] and [..., T, T]. None is GPT-2's attention: a weight here is the
closeness of a query and a key, 1 / (1 + squared distance), or simply equal for all. Who sees whom
is what they are about.

They stand in one module under plain names, because answer keys and graders pass them by name.
"""

import numpy as np


def past_by_closeness(q, k, v):
    """Each token sees itself and the tokens before it."""
    return _blend(q, k, v, lambda i, j, n: j <= i)


def past_in_equal_parts(q, k, v):
    """Each token takes the plain mean of itself and the tokens before it."""
    return _blend(q, k, v, lambda i, j, n: j <= i, _equal)


def past_in_float32(q, k, v):
    """Each token sees itself and the tokens before it; computed in float32."""
    q, k, v = (np.asarray(a, dtype=np.float32) for a in (q, k, v))
    return past_by_closeness(q, k, v)


def past_times_zero(q, k, v):
    """Each token sees itself and the tokens before it; later values get the weight 0."""
    _out, weights = past_by_closeness(q, k, v)
    return weights @ v, weights


def last_three(q, k, v):
    """Each token sees itself and the two tokens before it."""
    return _blend(q, k, v, lambda i, j, n: i - 2 <= j <= i)


def first_and_itself(q, k, v):
    """Each token sees the first token and itself."""
    return _blend(q, k, v, lambda i, j, n: j in (0, i))


def only_itself(q, k, v):
    """Each token sees itself alone."""
    return _blend(q, k, v, lambda i, j, n: i == j)


def strictly_past(q, k, v):
    """Each token sees the tokens before it; the first one, which has none, sees itself."""
    return _blend(q, k, v, lambda i, j, n: j < i or i == j == 0)


def everything(q, k, v):
    """Each token sees all tokens by closeness."""
    return _blend(q, k, v, lambda i, j, n: True)


def everything_in_equal_parts(q, k, v):
    """Each token takes the plain mean of all tokens, whatever the queries and keys say."""
    return _blend(q, k, v, lambda i, j, n: True, _equal)


def one_ahead(q, k, v):
    """Each token sees one token too many: the next one."""
    return _blend(q, k, v, lambda i, j, n: j <= i + 1)


def future_only(q, k, v):
    """Each token sees itself and the tokens after it."""
    return _blend(q, k, v, lambda i, j, n: j >= i)


def pairs(q, k, v):
    """Tokens 0 and 1 see each other, tokens 2 and 3, and so on; before that, all is seen."""
    return _blend(q, k, v, lambda i, j, n: j // 2 <= i // 2)


def first_half_together(q, k, v):
    """The tokens of the first half all see each other; the others see only back."""
    return _blend(q, k, v, lambda i, j, n: j <= i or max(i, j) < n // 2)


def last_for_all(q, k, v):
    """Each token sees the past, and all see the last token."""
    return _blend(q, k, v, lambda i, j, n: j <= i or j == n - 1)


def first_sees_last(q, k, v):
    """Only the first token sees the future, and of it only the last token."""
    return _blend(q, k, v, lambda i, j, n: j <= i or (i == 0 and j == n - 1))


def middle_sees_next(q, k, v):
    """Only the token in the middle sees the future, and of it only the next token."""
    return _blend(q, k, v, lambda i, j, n: j <= i or (i == (n - 1) // 2 and j == i + 1))


def mask_for_four(q, k, v):
    """Hides the future from the first four tokens only: its mask was made for four."""
    return _blend(q, k, v, lambda i, j, n: j <= i or n > 4 <= i or n > 4 <= j)


def weakly_hidden(q, k, v):
    """Gives the future a hundredth of its share."""
    return _blend(q, k, v, lambda i, j, n: 1.0 if j <= i else 0.01)


def hidden_too_late(q, k, v):
    """Shares the weights out among all tokens and throws those of the future away afterwards."""
    _out, weights = everything(q, k, v)
    weights = np.tril(weights)
    return weights @ v, weights


def mean_removed(q, k, v):
    """Sees only back, but first takes the mean over all tokens from the values."""
    return past_by_closeness(q, k, v - np.mean(v, axis=-2, keepdims=True))


def queries_centred(q, k, v):
    """Sees only back, but first takes the mean over all tokens from the queries."""
    return past_by_closeness(q - np.mean(q, axis=-2, keepdims=True), k, v)


def clean_weights(q, k, v):
    """Returns weights that see only back, and a blend of all tokens."""
    return everything(q, k, v)[0], past_by_closeness(q, k, v)[1]


def _closeness(q, k):
    return 1 / (1 + np.sum((q[..., :, None, :] - k[..., None, :, :]) ** 2, axis=-1))


def _equal(q, k):
    return np.ones((*q.shape[:-1], k.shape[-2]), q.dtype)


def _blend(q, k, v, visible, share=_closeness):
    """Blend, row by row, the values that `visible(i, j, n)` lets row i see (True, or a factor)."""
    n = q.shape[-2]
    shares = share(q, k)
    out = np.zeros((*q.shape[:-1], v.shape[-1]), np.result_type(q, k, v, np.float32))
    weights = np.zeros((*q.shape[:-1], n), out.dtype)
    for i in range(n):
        factors = [float(visible(i, j, n)) for j in range(n)]
        seen = [j for j in range(n) if factors[j]]
        row = shares[..., i, seen] * [factors[j] for j in seen]
        row = row / row.sum(axis=-1, keepdims=True)
        weights[..., i, seen] = row
        out[..., i, :] = (row[..., None] * v[..., seen, :]).sum(axis=-2)
    return out, weights
