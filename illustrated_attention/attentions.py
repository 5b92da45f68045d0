"""Attentions to be tested: in some of them no token sees the future, in others one does.

All take `(q, k, v)`, arrays [..., T, d], [..., T, d] and [..., T, dv], and return
`(out, weights)`, [..., T, dv] and [..., T, T]. None is GPT-2's attention: a weight here is the
closeness of a query and a key, 1 / (1 + squared distance), or simply equal for all. Who sees whom
is what they are about.

They stand in one module under plain names, because answer keys and graders pass them by name. A
learner's function gets them nameless (`outcomes.nameless`): it has to try them.
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
    return _blend(q, k, v, lambda i, j, n: (i - 2 <= j) & (j <= i))


def first_and_itself(q, k, v):
    """Each token sees the first token and itself."""
    return _blend(q, k, v, lambda i, j, n: (j == 0) | (j == i))


def only_itself(q, k, v):
    """Each token sees itself alone."""
    return _blend(q, k, v, lambda i, j, n: i == j)


def strictly_past(q, k, v):
    """Each token sees the tokens before it; the first one, which has none, sees itself."""
    return _blend(q, k, v, lambda i, j, n: (j < i) | ((i == 0) & (j == 0)))


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
    return _blend(q, k, v, lambda i, j, n: (j <= i) | (np.maximum(i, j) < n // 2))


def last_for_all(q, k, v):
    """Each token sees the past, and all see the last token."""
    return _blend(q, k, v, lambda i, j, n: (j <= i) | (j == n - 1))


def first_sees_last(q, k, v):
    """Only the first token sees the future, and of it only the last token."""
    return _blend(q, k, v, lambda i, j, n: (j <= i) | ((i == 0) & (j == n - 1)))


def middle_sees_next(q, k, v):
    """Only the token in the middle sees the future, and of it only the next token."""
    return _blend(q, k, v, lambda i, j, n: (j <= i) | ((i == (n - 1) // 2) & (j == i + 1)))


def mask_for_four(q, k, v):
    """Hides the future from the first four tokens only: its mask was made for four."""
    return _blend(q, k, v, lambda i, j, n: (j <= i) | ((n > 4) & (np.maximum(i, j) >= 4)))


def weakly_hidden(q, k, v):
    """Gives the future a hundredth of its share."""
    return _blend(q, k, v, lambda i, j, n: np.where(j <= i, 1.0, 0.01))


def hidden_too_late(q, k, v):
    """Shares the weights out among all tokens and throws those of the future away afterwards."""
    _out, weights = everything(q, k, v)
    weights = np.tril(weights)
    return weights @ v, weights


def mean_removed(q, k, v):
    """Sees only back, but first subtracts from the values their mean over all tokens."""
    return past_by_closeness(q, k, v - np.mean(v, axis=-2, keepdims=True))


def queries_centred(q, k, v):
    """Sees only back, but first subtracts from the queries their mean over all tokens."""
    return past_by_closeness(q - np.mean(q, axis=-2, keepdims=True), k, v)


def clean_weights(q, k, v):
    """Returns weights that see only back, and a blend of all tokens."""
    return everything(q, k, v)[0], past_by_closeness(q, k, v)[1]


def _closeness(q, k):
    return 1 / (1 + np.sum((q[..., :, None, :] - k[..., None, :, :]) ** 2, axis=-1))


def _equal(q, k):
    return np.ones((*q.shape[:-1], k.shape[-2]), q.dtype)


def _blend(q, k, v, visible, share=_closeness):
    """Blend, row by row, the values that each row sees.

    `visible(i, j, n)` says it for row i and column j of n tokens: True, or a factor. What a row
    does not see takes no part at all: not even a nan in it shows.
    """
    n = q.shape[-2]
    tokens = np.arange(n)
    factors = np.ones((n, n)) * visible(tokens[:, None], tokens, n)
    shares = np.where(factors, share(q, k) * factors, 0)
    weights = np.where(factors, shares / shares.sum(axis=-1, keepdims=True), 0)
    parts = np.where(factors[..., None], weights[..., None] * v[..., None, :, :], 0)
    dtype = np.result_type(q, k, v, np.float32)
    return parts.sum(axis=-2).astype(dtype), weights.astype(dtype)
