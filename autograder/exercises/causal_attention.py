"""`causal_attention`, lesson 02. One head with the mask."""

import numpy as np

from autograder.exercises.kit import (
    FAR,
    LONG,
    WIDE,
    Case,
    Exercise,
    Promise,
    far_ahead,
    late,
    rough,
    tidy,
)
from autograder.exercises.masked_softmax import (
    exp_times_mask_below_the_largest_of_all,
    hidden_after_and_shared_again,
)
from autograder.exercises.pieces import (
    attend_causally,
    flip,
    scaled,
    softmax,
    softmax_of_visible,
    triangle,
)
from autograder.exercises.steps import Steps
from autograder.exercises.ways import (
    _RETURNED,
    BLENDS,
    HIDES,
    MASKS,
    OUTPUTS,
    RIGHT_BLEND,
    RIGHT_HIDE,
    RIGHT_MASK,
    RIGHT_SCALE,
    RIGHT_SCORES,
    RIGHT_SHARES,
    SCALES,
    SCORES,
    SHARES,
    WEIGHTS_ALONE,
    attention,
    same,
)

_CQ, _CK, _CV = tidy(4, 3, seed=230), tidy(4, 3, seed=231), tidy(4, 2, seed=232)

_HCQ, _HCK, _HCV = rough(5, 6, seed=240), rough(5, 6, seed=241), rough(5, 4, seed=242)

CAUSAL_ATTENTION = Exercise(
    name="causal_attention",
    lesson="02_masked_attention",
    can="You can now run attention that does not see the future.",
    visible=(
        Case("four tokens", (_CQ, _CK, _CV)),
        Case("one token", (_CQ[:1], _CK[:1], _CV[:1])),
        Case(
            "as many tokens as numbers in a vector",
            (tidy(3, 3, seed=233), tidy(3, 3, seed=234), tidy(3, 3, seed=235)),
        ),
        Case(
            "two sentences at once",
            (tidy(2, 3, 5, seed=236), tidy(2, 3, 5, seed=237), tidy(2, 3, 2, seed=238)),
        ),
        late(
            "a later token with a far higher score",
            (*far_ahead(n_tokens=3, d=2, seed=233), tidy(3, 2, seed=234)),
        ),
        late(
            "whole numbers",
            (
                np.array([[1, 0], [2, -1]]),
                np.array([[1, 1], [0, 2]]),
                np.array([[3, 4], [5, 6]]),
            ),
        ),
        late("queries of zeros", (np.zeros((3, 2)), tidy(3, 2, seed=236), tidy(3, 2, seed=237))),
    ),
    hidden=(
        Case("five tokens", (_HCQ, _HCK, _HCV)),
        Case(
            "sentences with heads",
            (rough(2, 3, 5, 6, seed=243), rough(2, 3, 5, 6, seed=244), rough(2, 3, 5, 4, seed=245)),
        ),
        Case(
            "as many tokens as numbers in a vector",
            (rough(6, 6, seed=246), rough(6, 6, seed=247), rough(6, 6, seed=248)),
        ),
        Case(
            "64 numbers in a vector",
            (rough(7, 64, seed=249), rough(7, 64, seed=250), rough(7, 64, seed=251)),
        ),
        Case(
            "whole numbers",
            (
                np.array([[1, 2], [0, -1], [2, 0]]),
                np.array([[1, 0], [2, 1], [-1, 1]]),
                np.array([[3], [1], [2]]),
            ),
        ),
        late(
            "a later token with a far higher score",
            (*far_ahead(2, n_tokens=5, d=4, seed=250), rough(2, 5, 3, seed=251)),
        ),
        late("values wider than keys", (_HCQ, _HCK, rough(5, 9, seed=252))),
        late(
            "a long text",
            (
                rough(FAR, 1, seed=253),
                rough(FAR, 1, seed=254),
                rough(FAR, 1, seed=255),
            ),
        ),
        late(
            "many features",
            (rough(3, WIDE, seed=256), rough(3, WIDE, seed=257), rough(3, LONG, seed=258)),
        ),
        late(
            "all sizes equal",
            (rough(4, 4, 4, 4, seed=259), rough(4, 4, 4, 4, seed=260), rough(4, 4, 4, 4, seed=261)),
        ),
        late("one number in a vector", (_HCQ[:, :1], _HCK[:, :1], _HCV)),
        late("one token in a batch", (_HCQ[:, None], _HCK[:, None], _HCV[:, None])),
    ),
    promises=(
        Promise(
            "changing a token leaves the results of earlier tokens as they are",
            "the_future_does_not_matter",
            (_CQ, _CK, _CV),
            (_HCQ, _HCK, _HCV),
        ),
        Promise(
            "every row of weights is not negative and sums to 1",
            "rows_sum_to_one",
            (_CQ, _CK, _CV),
            (_HCQ, _HCK, _HCV),
        ),
        Promise(
            "the first token counts to the end of a long text",
            "the_first_token_counts",
            (LONG, (_CQ, _CK, _CV), ()),
            (LONG, (_HCQ, _HCK, _HCV), ()),
        ),
        Promise(
            "every sentence of a batch gives what it gives alone",
            "every_example_alone",
            (3, tidy(2, 3, 5, seed=236), tidy(2, 3, 5, seed=237), tidy(2, 3, 2, seed=238)),
            (3, rough(3, 4, 5, seed=253), rough(3, 4, 5, seed=254), rough(3, 4, 2, seed=255)),
        ),
    ),
    hints=(
        "Score, scale, mask, softmax, sum: you have a function for each of these steps. Which of "
        "them needs to know the number of tokens?",
        "scaled_scores takes the queries and the keys. causal_mask takes the number of tokens, "
        "which is the second axis from the end. masked_softmax needs both results, and "
        "weighted_sum comes last.",
        "`weights = masked_softmax(scaled_scores(q, k), causal_mask(q.shape[-2]))`. Return the "
        "weighted sum of `v` together with `weights`.",
    ),
)


# --- known mistakes ------------------------------------------------------------------------------


def _ca_with(weights_of):
    """Causal attention whose weights come from a wrong formula of q and k."""

    def causal_attention(q, k, v):
        weights = weights_of(q, k)
        return weights @ v, weights

    return causal_attention


CAUSAL_ATTENTION.mistake(
    "no_mask",
    "Your tokens see the future: nothing is masked. Which mask belongs between the scores "
    "and softmax?",
    _ca_with(lambda q, k: softmax(scaled(q, k))),
)


def _ca_scaled_by(number):
    return _ca_with(lambda q, k: softmax_of_visible(q @ flip(k) / number(q), triangle(q.shape[-2])))


CAUSAL_ATTENTION.mistake(
    "not_scaled",
    "Your weights are too sharp: the scores are not divided by sqrt(d). That is the very "
    "step which the article's table gave away. Use your scaled_scores.",
    _ca_scaled_by(lambda q: 1),
)

CAUSAL_ATTENTION.mistake(
    "scaled_twice",
    "Your weights are too flat: the scores are scaled twice (or divided by d). "
    "scaled_scores has done it already.",
    _ca_scaled_by(lambda q: q.shape[-1]),
)

CAUSAL_ATTENTION.mistake(
    "divided_by_4",
    "You divide by 4. That fits the article's numbers, where d seems to be 16. Here d is "
    "the size of the queries you are given.",
    _ca_scaled_by(lambda q: 4),
    _ca_scaled_by(lambda q: 4 * np.sqrt(q.shape[-1])),
)

CAUSAL_ATTENTION.mistake(
    "scaled_by_8",
    "You divide by 8. That is right for GPT-2, where d is 64. Read d from the queries.",
    _ca_scaled_by(lambda q: 8),
)

CAUSAL_ATTENTION.mistake(
    "scaled_by_tokens",
    "You scale by the number of tokens. d is the size of one query: the last axis of `q`.",
    _ca_scaled_by(lambda q: np.sqrt(q.shape[-2])),
)


def _ca_masked_by(mask_for):
    return _ca_with(lambda q, k: softmax_of_visible(scaled(q, k), mask_for(q.shape[-2])))


CAUSAL_ATTENTION.mistake(
    "mask_inverted",
    "Your tokens see the future and not the past: the mask is turned round. True must "
    "mean 'may look'.",
    _ca_masked_by(lambda n: ~triangle(n)),
    _ca_with(lambda q, k: softmax(np.where(triangle(q.shape[-2]), -1e10, scaled(q, k)))),
)

CAUSAL_ATTENTION.mistake(
    "mask_transposed",
    "Your first token sees everything and your last one only itself: the mask is the "
    "upper triangle. Rows are the tokens that look.",
    _ca_masked_by(lambda n: triangle(n).T),
)

CAUSAL_ATTENTION.mistake(
    "not_itself",
    "Your tokens do not see themselves, and the first one sees nothing. A token's own key "
    "takes part.",
    _ca_masked_by(lambda n: np.tri(n, k=-1, dtype=bool)),
    _ca_with(
        lambda q, k: softmax(np.where(np.tri(q.shape[-2], k=-1, dtype=bool), scaled(q, k), -1e10))
    ),
)

CAUSAL_ATTENTION.mistake(
    "one_too_many",
    "Changing token t + 1 changes your result for token t: each token sees one token of "
    "the future.",
    _ca_masked_by(lambda n: np.tri(n, k=1, dtype=bool)),
)

CAUSAL_ATTENTION.mistake(
    "mask_of_first_axis",
    "Your mask has the size of the first axis of `q`. In a batch that is the number of "
    "sentences. Count the tokens with `q.shape[-2]`.",
    _ca_with(lambda q, k: softmax_of_visible(scaled(q, k), triangle(len(q)))),
)

CAUSAL_ATTENTION.mistake(
    "mask_of_vector_size",
    "Your mask has the size of a query vector. It needs a row and a column for each "
    "token: `q.shape[-2]`.",
    _ca_with(lambda q, k: softmax_of_visible(scaled(q, k), triangle(q.shape[-1]))),
)

CAUSAL_ATTENTION.mistake(
    "mask_for_four",
    "Your mask is made for four tokens. Make it for as many as there are.",
    _ca_masked_by(lambda n: triangle(4)),
)

CAUSAL_ATTENTION.mistake(
    "score_zero",
    "The future still gets weight: you give hidden keys the score 0, and exp(0) is 1. "
    "Use your masked_softmax.",
    _ca_with(lambda q, k: softmax(scaled(q, k) * triangle(q.shape[-2]))),
)

CAUSAL_ATTENTION.mistake(
    "hidden_after_softmax",
    "Your rows no longer sum to 1: you hide after softmax. Use your masked_softmax.",
    _ca_with(lambda q, k: softmax(scaled(q, k)) * triangle(q.shape[-2])),
)

CAUSAL_ATTENTION.mistake(
    "hidden_too_late",
    "Right until a later token's score is far above the others: it takes all the weight "
    "before you hide it, and 0 divided by 0 is nan. Hide before softmax: masked_softmax "
    "does it.",
    _ca_with(lambda q, k: hidden_after_and_shared_again(scaled(q, k), triangle(q.shape[-2]))),
    _ca_with(
        lambda q, k: exp_times_mask_below_the_largest_of_all(scaled(q, k), triangle(q.shape[-2]))
    ),
)


def _ca_softmax_over_queries(q, k):
    scores = np.where(triangle(q.shape[-2]), scaled(q, k), -np.inf)
    return flip(softmax(flip(scores)))


CAUSAL_ATTENTION.mistake(
    "softmax_over_queries",
    "The columns of your weights sum to 1 instead of the rows. Softmax runs over the "
    "keys: the last axis.",
    _ca_with(_ca_softmax_over_queries),
)

CAUSAL_ATTENTION.mistake(
    "softmax_twice",
    "Hidden keys have weight again: softmax is applied twice. masked_softmax has done it already.",
    _ca_with(lambda q, k: softmax(softmax_of_visible(scaled(q, k), triangle(q.shape[-2])))),
)

CAUSAL_ATTENTION.mistake(
    "softmax_before_the_mask",
    "Your weights are too flat: softmax is applied to the scores, and then again in "
    "masked_softmax. Give masked_softmax the scores themselves.",
    _ca_with(lambda q, k: softmax_of_visible(softmax(scaled(q, k)), triangle(q.shape[-2]))),
)

CAUSAL_ATTENTION.mistake(
    "values_masked_instead",
    "You mask the values, not the scores. Who may see whom is decided between a query "
    "and a key, before softmax.",
    lambda q, k, v: (
        softmax(scaled(q, k)) @ v * np.tri(*v.shape[-2:]),
        softmax(scaled(q, k)),
    ),
)

CAUSAL_ATTENTION.mistake(
    "queries_and_keys_swapped",
    "Queries and keys have changed places. In scaled_scores the queries come first.",
    _ca_with(lambda q, k: softmax_of_visible(scaled(k, q), triangle(q.shape[-2]))),
)

CAUSAL_ATTENTION.mistake(
    "weights_transposed_in_sum",
    "The weights are right, but in the sum you use their columns. Row i of the weights "
    "mixes the values for token i.",
    lambda q, k, v: (flip(attend_causally(q, k, v)[1]) @ v, attend_causally(q, k, v)[1]),
)

CAUSAL_ATTENTION.mistake(
    "keys_blended",
    "You blend the keys. Keys are for matching; the values carry the content.",
    lambda q, k, v: (attend_causally(q, k, k)[0], attend_causally(q, k, v)[1]),
)

CAUSAL_ATTENTION.mistake(
    "other_weights_returned",
    "The result is right, but the weights you return are those without the mask. Return "
    "the ones that you used.",
    lambda q, k, v: (attend_causally(q, k, v)[0], softmax(scaled(q, k))),
)

CAUSAL_ATTENTION.mistake(
    "leaks_into_the_result",
    "The weights are right, but the result is blended with weights without the mask.",
    lambda q, k, v: (softmax(scaled(q, k)) @ v, attend_causally(q, k, v)[1]),
)

CAUSAL_ATTENTION.mistake(
    "scores_returned",
    "Your second value holds scores. Return the weights: what softmax makes of them.",
    lambda q, k, v: (attend_causally(q, k, v)[0], scaled(q, k)),
    lambda q, k, v: (
        attend_causally(q, k, v)[0],
        np.where(triangle(q.shape[-2]), scaled(q, k), -np.inf),
    ),
)

CAUSAL_ATTENTION.mistake(
    "returned_in_wrong_order",
    "You return the weights first. Return the result first, then the weights.",
    lambda q, k, v: attend_causally(q, k, v)[::-1],
)

CAUSAL_ATTENTION.mistake(
    "weights_not_returned",
    "You return only the result. Return the weights as well: `return out, weights`.",
    lambda q, k, v: attend_causally(q, k, v)[0],
)

CAUSAL_ATTENTION.mistake(
    "result_not_returned",
    "You return only the weights. The result is the weighted sum of the values.",
    lambda q, k, v: attend_causally(q, k, v)[1],
)


@CAUSAL_ATTENTION.mistake(
    "q_changed",
    "The results are right, but `q` is different after the call: `/=` writes into the "
    "caller's array.",
)
def _ca_q_changed(q, k, v):
    out, weights = attend_causally(q, k, v)
    q /= np.sqrt(q.shape[-1])
    return out, weights


# --- unusual, and right --------------------------------------------------------------------------

CAUSAL_ATTENTION.also_right("the steps of the lesson", attend_causally)


@CAUSAL_ATTENTION.also_right("token by token on what came before")
def _ca_prefixes(q, k, v):
    out, weights = np.zeros(v.shape), np.zeros((*q.shape[:-1], q.shape[-2]))
    for t in range(q.shape[-2]):
        row = softmax(scaled(q[..., t : t + 1, :], k[..., : t + 1, :]))
        out[..., t : t + 1, :] = row @ v[..., : t + 1, :]
        weights[..., t, : t + 1] = row[..., 0, :]
    return out, weights


@CAUSAL_ATTENTION.also_right("einsum, a list of two")
def _ca_einsum(q, k, v):
    scores = np.einsum("...id,...jd->...ij", q, k) * q.shape[-1] ** -0.5
    weights = softmax_of_visible(scores, np.arange(q.shape[-2])[:, None] >= np.arange(q.shape[-2]))
    return [np.einsum("...ij,...jd->...id", weights, v), weights]


@CAUSAL_ATTENTION.also_right("one example after the other")
def _ca_examples_one_by_one(q, k, v):
    if q.ndim == 2:
        return attend_causally(q, k, v)
    parts = [_ca_examples_one_by_one(*arrays) for arrays in zip(q, k, v, strict=True)]
    return np.stack([p[0] for p in parts]), np.stack([p[1] for p in parts])


CAUSAL_ATTENTION.also_right("float32", lambda *qkv: attend_causally(*(a.astype("f4") for a in qkv)))

CAUSAL_ATTENTION.also_right(
    "minus ten billion",
    _ca_with(lambda q, k: softmax(np.where(triangle(q.shape[-2]), scaled(q, k), -1e10))),
)

# --- its steps, and how each of them goes wrong --------------------------------------------------


def _build(scale, scores, mask, hide, shares, blend, out, returned):
    def causal_attention(q, k, v):
        z, w = attention(q, k, v, scale, scores, mask, hide, shares, blend)
        return returned(out(z), w, v)

    return causal_attention


CAUSAL_ATTENTION.steps = Steps(
    _build,
    {"scale": RIGHT_SCALE, "scores": RIGHT_SCORES, "mask": RIGHT_MASK, "hide": RIGHT_HIDE, "shares": RIGHT_SHARES, "blend": RIGHT_BLEND, "out": same, "returned": lambda z, w, v: (z, w)},
    {"scale": SCALES, "scores": SCORES, "mask": MASKS, "hide": HIDES, "shares": SHARES, "blend": (*BLENDS, WEIGHTS_ALONE), "out": OUTPUTS, "returned": _RETURNED},
)  # fmt: skip
