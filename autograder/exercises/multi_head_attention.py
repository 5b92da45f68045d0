"""`multi_head_attention`, lesson 04. Many heads side by side."""

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
from autograder.exercises.pieces import flip, in_heads, merge, merged_shape, scaled, softmax, split
from autograder.exercises.steps import Steps, Wrong
from autograder.exercises.ways import (
    BLENDS,
    HIDES,
    MASKS,
    MERGES,
    OPERANDS,
    OUTPUTS,
    RIGHT_BLEND,
    RIGHT_HIDE,
    RIGHT_MASK,
    RIGHT_SCALE,
    RIGHT_SCORES,
    SCALES,
    SHARES,
    SPLITS,
    WEIGHTS_ALONE,
    attention,
    cut_into_heads,
    join_heads,
    same,
    softmax_over,
)
from illustrated_attention.language import later as _


def _far_below_zero(n_tokens, n_head, seed):
    """Queries and keys of whole numbers with scores near -20,000: a weak mask leaks there.

    Four numbers a head: the division by 2 is exact, so float32 gives the same weights.
    """
    random = np.random.default_rng(seed)
    q, k = random.integers(-2, 3, size=(2, n_tokens, n_head, 4)).astype(float)
    q[..., :2], k[..., :2] = 100, -200
    return q.reshape(n_tokens, -1), k.reshape(n_tokens, -1), tidy(n_tokens, 4 * n_head, seed=seed)


def _three(*shape, seed, make=tidy):
    return tuple(make(*shape, seed=seed + i) for i in range(3))


MULTI_HEAD_ATTENTION = Exercise(
    name="multi_head_attention",
    lesson="04_multi_head",
    can="You can now run attention with any number of heads.",
    visible=(
        Case("two tokens, two heads", (*_three(2, 6, seed=501), 2)),
        Case("four tokens, three heads", (*_three(4, 6, seed=504), 3)),
        Case("four tokens, two heads", (*_three(4, 6, seed=507), 2)),
        Case("one token", (*_three(1, 6, seed=510), 2)),
        Case("one head", (*_three(3, 4, seed=513), 1)),
        Case("two sentences at once", (*_three(2, 4, 6, seed=516), 3)),
        Case("scores near -20,000", (*_far_below_zero(3, 2, seed=519), 2)),
        late(
            "a later token with a far higher score",
            (*far_ahead(n_tokens=3, d=4, seed=530), tidy(3, 4, seed=531), 2),
        ),
        late("whole numbers", (*((2 * a).astype(int) for a in _three(3, 4, seed=523)), 2)),
    ),
    hidden=(
        Case("other sizes", (*_three(5, 18, seed=531, make=rough), 3)),
        Case("two sentences of other sizes", (*_three(2, 5, 18, seed=534, make=rough), 3)),
        Case("a grid of sentences", (*_three(2, 3, 5, 18, seed=537, make=rough), 6)),
        Case("one token", (*_three(1, 18, seed=540, make=rough), 3)),
        Case("one head", (*_three(5, 7, seed=543, make=rough), 1)),
        Case("heads of one number", (*_three(4, 5, seed=546, make=rough), 5)),
        Case("as many heads as tokens", (*_three(4, 12, seed=549, make=rough), 4)),
        Case("scores far below zero", (*_far_below_zero(5, 3, seed=552), 3)),
        Case("whole numbers", (*(a.astype(int) for a in _three(4, 6, seed=555)), 2)),
        late(
            "a later token with a far higher score",
            (*far_ahead(2, n_tokens=5, d=12, seed=560), rough(2, 5, 12, seed=561), 3),
        ),
        *(
            late(
                "the same tokens, another number of heads",
                (*_three(5, 12, seed=562, make=rough), n),
            )
            for n in (1, 2, 4, 6, 12)
        ),
        late("more heads than features in each", (*_three(3, 130, seed=565, make=rough), 13)),
        late("many features in each head", (*_three(3, 2 * WIDE, seed=568, make=rough), 2)),
        late("as many heads as features in each", (*_three(5, 16, seed=571, make=rough), 4)),
        late("all sizes equal", (*_three(4, 4, 4, seed=574, make=rough), 4)),
        late("a long text", (*_three(LONG, 4, seed=577, make=rough), 2)),
        late("a longer text, one head", (*_three(FAR, 1, seed=580, make=rough), 1)),
    ),
    promises=(
        Promise(
            "every head gives what it gives alone",
            "every_head_alone",
            (*_three(3, 12, seed=561), 2),
            (*_three(2, 5, 18, seed=564, make=rough), 3),
        ),
        Promise(
            "every row of weights is positive and sums to 1",
            "rows_sum_to_one",
            (*_three(4, 6, seed=567), 3),
            (*_three(5, 18, seed=570, make=rough), 6),
        ),
        Promise(
            "every sentence of a batch gives what it gives alone",
            "every_example_alone",
            (3, *_three(2, 4, 6, seed=573), 3),
            (3, *_three(3, 5, 18, seed=576, make=rough), 3),
        ),
        Promise(
            "the first token counts to the end of a long text",
            "the_first_token_counts",
            (LONG, _three(4, 6, seed=567), (2,)),
            (LONG, _three(3, 5, 18, seed=576, make=rough), (3,)),
        ),
    ),
    hints=(
        "Each head is attention as in lesson 02, with d features instead of D. Which function "
        "makes the heads, and over which axes does causal_attention work?",
        "Split q, k and v. causal_attention takes any leading axes, so the heads need no loop: "
        "they are one more leading axis. It returns two things; one of them is to be merged.",
        "Call `causal_attention(split_heads(q, n_head), split_heads(k, n_head), "
        "split_heads(v, n_head))`. Return its result merged, and its weights as they are.",
    ),
)


# --- known mistakes ------------------------------------------------------------------------------


def _may_look(scores):
    return np.tri(*scores.shape[-2:], dtype=bool)


def _causal(scores, hidden=-np.inf):
    return softmax(np.where(_may_look(scores), scores, hidden))


def _attend(q, k, v):
    weights = _causal(scaled(q, k))
    return weights @ v, weights


def _mha_cut(split, merge):
    """Right attention between a split and a merge of which at least one is wrong."""

    def multi_head_attention(q, k, v, n_head):
        out, weights = _attend(split(q, n_head), split(k, n_head), split(v, n_head))
        return merge(out), weights

    return multi_head_attention


def _mha(q, k, v, n_head):
    return _mha_cut(split, merge)(q, k, v, n_head)


def _one_wide_head(q, k, v, n_head):
    return _attend(q, k, v)


def _one_wide_head_copied(q, k, v, n_head):
    out, weights = _attend(q, k, v)
    return out, np.stack([weights] * n_head, axis=-3)


MULTI_HEAD_ATTENTION.mistake(
    "one_wide_head",
    "You attend once, with all D features. Then there is only one table of weights. Split "
    "q, k and v first, so that every head has a table of its own.",
    _one_wide_head,
    lambda q, k, v, n_head: _mha(q, k, v, 1),
    _one_wide_head_copied,
)


def _reshaped(x, n_head):
    return x.reshape(*x.shape[:-2], n_head, x.shape[-2], x.shape[-1] // n_head)


MULTI_HEAD_ATTENTION.mistake(
    "split_reshaped_only",
    "The shapes are right, but your heads mix tokens: in the split, a reshape straight to "
    "(H, T, d). Is it your split_heads that is used here?",
    _mha_cut(_reshaped, merge),
)


def _reshaped_back(x):
    return x.reshape(merged_shape(x))


MULTI_HEAD_ATTENTION.mistake(
    "merge_reshaped_only",
    "The weights are right; in the merged result the rows mix tokens: a reshape without a "
    "swap of axes. Is it your merge_heads that is used here?",
    _mha_cut(split, _reshaped_back),
)

MULTI_HEAD_ATTENTION.mistake(
    "both_reshaped_only",
    "Split and merge both reshape without swapping axes. They undo each other, so the "
    "shapes fit, but in between each head holds a few tokens only, and the others are out "
    "of its sight. Use your split_heads and merge_heads.",
    _mha_cut(_reshaped, _reshaped_back),
)


def _among_heads(q, k, v, n_head):
    out, weights = _attend(in_heads(q, n_head), in_heads(k, n_head), in_heads(v, n_head))
    return out.reshape(q.shape), weights


def _among_heads_all(q, k, v, n_head):
    q, k, v = (in_heads(part, n_head) for part in (q, k, v))
    weights = softmax(scaled(q, k))
    return (weights @ v).reshape(*q.shape[:-2], -1), weights


MULTI_HEAD_ATTENTION.mistake(
    "heads_attend_to_heads",
    "Your weights are [T, H, H]: within each token, the heads look at each other. The last "
    "two axes must be tokens and features before you attend: swap heads and tokens after "
    "the reshape.",
    _among_heads,
    _among_heads_all,
)


def _interleaved(x, n_head):
    return np.moveaxis(x.reshape(*x.shape[:-1], -1, n_head), -1, -3)


def _interleaved_back(x):
    return np.moveaxis(x, -3, -1).reshape(merged_shape(x))


MULTI_HEAD_ATTENTION.mistake(
    "features_interleaved",
    "Head 0 gets every H-th feature in your split. A head's features lie side by side. Use "
    "your split_heads and merge_heads.",
    _mha_cut(_interleaved, _interleaved_back),
    _mha_cut(_interleaved, merge),
)


def _tokens_shared_out(x, n_head):
    return x.reshape(*x.shape[:-2], n_head, x.shape[-2] // n_head, x.shape[-1])


MULTI_HEAD_ATTENTION.mistake(
    "tokens_split",
    "You share out the tokens: each head sees some of them only. Every head sees all "
    "tokens, with a part of the features.",
    _mha_cut(_tokens_shared_out, lambda x: x.reshape(*x.shape[:-3], -1, x.shape[-1])),
)


def _first_axis_as_heads(q, k, v, n_head):
    q, k, v = (split(part, n_head) for part in (q, k, v))
    heads = [_attend(q[h], k[h], v[h]) for h in range(n_head)]
    return merge(np.stack([out for out, _ in heads])), np.stack([weights for _, weights in heads])


MULTI_HEAD_ATTENTION.mistake(
    "first_axis_taken_for_heads",
    "With one sentence the result is right. In a batch the first axis holds sentences, and "
    "you take those for heads. The heads are always on axis -3.",
    _first_axis_as_heads,
)

MULTI_HEAD_ATTENTION.mistake(
    "not_merged",
    "Your first value still has an axis for the heads. Put them side by side again: the "
    "last step is your merge_heads.",
    _mha_cut(split, lambda x: x.copy()),
)

MULTI_HEAD_ATTENTION.mistake(
    "heads_summed",
    "You add up the heads, or take their mean. Put them side by side: the width is D "
    "again, and nothing is lost.",
    _mha_cut(split, lambda x: x.sum(axis=-3)),
    _mha_cut(split, lambda x: x.mean(axis=-3)),
)

MULTI_HEAD_ATTENTION.mistake(
    "joined_along_tokens",
    "You put the heads one under the other. Each token keeps one row: put its heads side by side.",
    _mha_cut(split, lambda x: x.reshape(*x.shape[:-3], -1, x.shape[-1])),
)

MULTI_HEAD_ATTENTION.mistake(
    "heads_reversed",
    "The heads come back in reverse order: head 0 must end up in the first d columns.",
    _mha_cut(split, lambda x: merge(x[..., ::-1, :, :])),
)


def _mha_with(weights_of):
    """Right split and merge; the weights come from a wrong formula of one head's q and k."""

    def multi_head_attention(q, k, v, n_head):
        weights = weights_of(split(q, n_head), split(k, n_head))
        return merge(weights @ split(v, n_head)), weights

    return multi_head_attention


def _mha_of_scores(weights_of):
    """The same for a wrong formula of the scaled scores."""
    return _mha_with(lambda q, k: weights_of(scaled(q, k)))


def _over_heads(scores):
    return np.moveaxis(softmax(np.moveaxis(scores, -3, -1)), -1, -3)


def _over_heads_masked(scores):
    return _over_heads(np.where(_may_look(scores), scores, -1e10)) * _may_look(scores)


MULTI_HEAD_ATTENTION.mistake(
    "softmax_over_heads",
    "Your softmax runs over the heads: the weights of one query and one key sum to 1 over "
    "all heads. Heads do not compete. Each row of each head sums to 1, over its keys.",
    _mha_of_scores(_over_heads),
    _mha_of_scores(_over_heads_masked),
    _mha_of_scores(lambda s: _over_heads(np.where(_may_look(s), s, -1e9))),
)

MULTI_HEAD_ATTENTION.mistake(
    "softmax_over_queries",
    "The columns of your weights sum to 1 instead of the rows. Softmax runs over the "
    "keys: the last axis.",
    _mha_of_scores(lambda s: flip(softmax(flip(np.where(_may_look(s), s, -np.inf))))),
)


def _normalised(exp):
    return exp / exp.sum(axis=-1, keepdims=True)


def _naive_softmax(scores):
    return _normalised(np.exp(scores))


MULTI_HEAD_ATTENTION.mistake(
    "not_causal",
    "Your tokens see those after them. Every head is masked as in lesson 02: use your "
    "causal_attention.",
    _mha_of_scores(softmax),
    _mha_of_scores(_naive_softmax),
)

MULTI_HEAD_ATTENTION.mistake(
    "no_max_subtracted",
    "Right on ordinary scores, but at -20,000 every exp is 0, and 0 / 0 is nan. Your "
    "softmax of lesson 01 subtracts the row's largest score first: use it, or "
    "causal_attention.",
    _mha_of_scores(lambda s: _naive_softmax(np.where(_may_look(s), s, -np.inf))),
    _mha_of_scores(lambda s: _normalised(np.exp(s) * _may_look(s))),
)

MULTI_HEAD_ATTENTION.mistake(
    "mask_inverted",
    "Your mask is upside down: tokens see only what comes at or after their own place. "
    "True means that a token may look.",
    _mha_of_scores(lambda s: softmax(np.where(flip(_may_look(s)), s, -np.inf))),
)

MULTI_HEAD_ATTENTION.mistake(
    "not_itself",
    "Your tokens do not see themselves, so that the first one sees nothing at all: its row "
    "becomes nan, or the mean of all values. A token sees itself and all before it.",
    *(
        _mha_of_scores(
            lambda s, hidden=hidden: softmax(
                np.where(np.tri(s.shape[-2], s.shape[-1], -1, dtype=bool), s, hidden)
            )
        )
        for hidden in (-np.inf, -1e9)
    ),
)

MULTI_HEAD_ATTENTION.mistake(
    "one_token_leaks",
    "Each token sees one token too many: the next one. The mask ends at the token itself.",
    _mha_of_scores(
        lambda s: softmax(np.where(np.tri(s.shape[-2], s.shape[-1], 1, dtype=bool), s, -np.inf))
    ),
)

MULTI_HEAD_ATTENTION.mistake(
    "future_scored_zero",
    "You set the scores of later tokens to 0. But exp(0) is 1: zero is an ordinary score. "
    "Set them to minus infinity, so that their weight becomes 0.",
    _mha_of_scores(lambda s: softmax(s * _may_look(s))),
    _mha_of_scores(lambda s: _causal(s, 1e-10)),
)

MULTI_HEAD_ATTENTION.mistake(
    "weak_mask",
    "Your mask puts a number such as -10,000 in place of a score. Here the true scores are "
    "lower than that, and the future leaks in. Use minus infinity.",
    _mha_of_scores(lambda s: _causal(s, -1e4)),
    _mha_of_scores(lambda s: _causal(s, -1e3)),
)


def _mask_after(q, k):
    weights = softmax(scaled(q, k))
    return weights * _may_look(weights)


MULTI_HEAD_ATTENTION.mistake(
    "masked_after_softmax",
    "You hide later tokens after softmax, so the rows no longer sum to 1. Hide their "
    "scores before softmax.",
    _mha_with(_mask_after),
)


def _softmax_masked_renormalised(scores):
    weights = softmax(scores) * _may_look(scores)
    return weights / weights.sum(axis=-1, keepdims=True)


MULTI_HEAD_ATTENTION.mistake(
    "hidden_too_late",
    "Right until a later token's score is far above the others: it takes all the weight "
    "before you hide it, and 0 divided by 0 is nan. Hide before softmax: your "
    "causal_attention does it.",
    _mha_of_scores(_softmax_masked_renormalised),
)

MULTI_HEAD_ATTENTION.mistake(
    "not_scaled",
    "Your scores are not scaled, so the weights are too sharp. Use your causal_attention, "
    "which scales by the size of a head.",
    _mha_with(lambda q, k: _causal(q @ flip(k))),
)

MULTI_HEAD_ATTENTION.mistake(
    "scaled_by_model_width",
    "You scale by the square root of D, the width of the whole model. Each head works with "
    "d = D / H numbers: the scale is the square root of d.",
    _mha_with(lambda q, k: _causal(q @ flip(k) / np.sqrt(q.shape[-1] * q.shape[-3]))),
)

MULTI_HEAD_ATTENTION.mistake(
    "scaled_by_heads",
    "You scale by the square root of the number of heads. The scale is the square root of "
    "d, the size of one head.",
    _mha_with(lambda q, k: _causal(q @ flip(k) / np.sqrt(q.shape[-3]))),
)

MULTI_HEAD_ATTENTION.mistake(
    "scaled_by_tokens",
    "You scale by the square root of the number of tokens. The scale is the square root "
    "of d, the size of one head.",
    _mha_with(lambda q, k: _causal(q @ flip(k) / np.sqrt(q.shape[-2]))),
)

MULTI_HEAD_ATTENTION.mistake(
    "scaled_twice",
    "Your weights are too flat: the scores are scaled twice (or divided by d). "
    "causal_attention has done it already.",
    _mha_with(lambda q, k: _causal(q @ flip(k) / q.shape[-1])),
)

MULTI_HEAD_ATTENTION.mistake(
    "scale_is_8",
    "You divide by 8. That is right only for heads of 64 numbers, as in GPT-2. Read d from "
    "the shape of the split queries.",
    _mha_with(lambda q, k: _causal(q @ flip(k) / 8)),
)

MULTI_HEAD_ATTENTION.mistake(
    "no_softmax",
    "You blend the values with the scores themselves. Softmax comes first: it turns scores "
    "into weights.",
    _mha_of_scores(lambda s: s * _may_look(s)),
)

MULTI_HEAD_ATTENTION.mistake(
    "softmax_twice",
    "Softmax is applied twice: the weights are too flat, and later tokens get some. "
    "causal_attention has done it already.",
    _mha_of_scores(lambda s: softmax(_causal(s))),
    _mha_of_scores(lambda s: _causal(_causal(s))),
)


@MULTI_HEAD_ATTENTION.mistake(
    "first_heads_weights_for_all",
    "All heads use the weights of head 0. Every head has weights of its own: that is what "
    "several heads are for.",
)
def _first_heads_weights(q, k, v, n_head):
    weights = _causal(scaled(split(q, n_head), split(k, n_head)))
    weights = np.broadcast_to(weights[..., :1, :, :], weights.shape).copy()
    return merge(weights @ split(v, n_head)), weights


@MULTI_HEAD_ATTENTION.mistake(
    "mean_weights_for_all",
    "All heads use the mean of the weights. Every head blends its values with weights of its own.",
)
def _mean_weights(q, k, v, n_head):
    weights = _causal(scaled(split(q, n_head), split(k, n_head)))
    weights = np.broadcast_to(weights.mean(axis=-3, keepdims=True), weights.shape).copy()
    return merge(weights @ split(v, n_head)), weights


def _weights_changed(change):
    """The right result, with weights that were changed on the way out."""

    def multi_head_attention(q, k, v, n_head):
        out, weights = _mha(q, k, v, n_head)
        return out, change(weights)

    return multi_head_attention


MULTI_HEAD_ATTENTION.mistake(
    "weights_averaged",
    "The result is right, but your weights are the mean (or sum) over the heads. Return "
    "those of every head: [..., H, T, T].",
    _weights_changed(lambda weights: weights.mean(axis=-3)),
    _weights_changed(lambda weights: weights.sum(axis=-3)),
)

MULTI_HEAD_ATTENTION.mistake(
    "one_heads_weights_returned",
    "The result is right, but you return the weights of one head only. Return those of "
    "every head: [..., H, T, T].",
    _weights_changed(lambda weights: weights[..., 0, :, :]),
    _weights_changed(lambda weights: weights[..., -1, :, :]),
)

MULTI_HEAD_ATTENTION.mistake(
    "weights_merged",
    "The result is right, but you merge the weights, too. They stay apart: a table "
    "for each head, [..., H, T, T].",
    _weights_changed(merge),
)

MULTI_HEAD_ATTENTION.mistake(
    "weights_axes_swapped",
    "The result is right, but the axes of your weights are in another order. Return them "
    "as [..., H, T, T]: heads, queries, keys.",
    _weights_changed(lambda weights: weights.swapaxes(-2, -3)),
    _weights_changed(flip),
)


@MULTI_HEAD_ATTENTION.mistake(
    "v_not_split",
    "The values were not split: every head blends all D features, and the result is H "
    "times as wide as it should be. Split q, k and v alike.",
)
def _v_not_split(q, k, v, n_head):
    weights = _causal(scaled(split(q, n_head), split(k, n_head)))
    return merge(weights @ v[..., None, :, :]), weights


MULTI_HEAD_ATTENTION.mistake(
    "queries_and_keys_swapped",
    "Queries and keys have changed places. The rows of a table of weights belong to queries.",
    lambda q, k, v, n_head: _mha(k, q, v, n_head),
)

MULTI_HEAD_ATTENTION.mistake(
    "queries_as_keys",
    "You compare the queries with themselves. Compare queries with keys: is each of the "
    "three split from its own array?",
    lambda q, k, v, n_head: _mha_cut(split, merge)(q, q, v, n_head),
)


@MULTI_HEAD_ATTENTION.mistake(
    "sentences_taken_for_heads",
    "With one sentence the result is right. In a batch your loop goes through the "
    "sentences: the first axis is then the batch, the heads are on axis -3. No loop is "
    "needed: causal_attention takes all heads at once.",
)
def _first_axis_in_a_loop(q, k, v, n_head):
    heads = [
        _attend(*one) for one in zip(*(split(a, n_head)[:n_head] for a in (q, k, v)), strict=True)
    ]
    return np.concatenate([out for out, _ in heads], axis=-1), np.stack([w for _, w in heads])


def _values_of(pick):
    def multi_head_attention(q, k, v, n_head):
        return _mha(q, k, pick(q, k, v), n_head)

    return multi_head_attention


MULTI_HEAD_ATTENTION.mistake(
    "keys_as_values",
    "You blend the keys. Keys are for matching; the values carry the content. Which of the "
    "three arrays do the weights multiply?",
    _values_of(lambda q, k, v: k),
)

MULTI_HEAD_ATTENTION.mistake(
    "queries_as_values",
    "You blend the queries. Queries only ask; the values carry the content. Which of the "
    "three arrays do the weights multiply?",
    _values_of(lambda q, k, v: q),
)

MULTI_HEAD_ATTENTION.mistake(
    "queries_added",
    "Your result holds the queries or the values of the token itself on top. Here it is "
    "only the blend of the values; sums come later in the model.",
    lambda q, k, v, n_head: (_mha(q, k, v, n_head)[0] + q, _mha(q, k, v, n_head)[1]),
    lambda q, k, v, n_head: (_mha(q, k, v, n_head)[0] + v, _mha(q, k, v, n_head)[1]),
)

MULTI_HEAD_ATTENTION.mistake(
    "weights_first",
    "You return the weights first. Return the merged result first, then the weights: "
    "`return merged, weights`.",
    lambda q, k, v, n_head: _mha(q, k, v, n_head)[::-1],
)

MULTI_HEAD_ATTENTION.mistake(
    "weights_not_returned",
    "You return only the merged result. Return the weights of all heads as well: "
    "`return merged, weights`.",
    lambda q, k, v, n_head: _mha(q, k, v, n_head)[0],
)

MULTI_HEAD_ATTENTION.mistake(
    "scores_returned",
    "Your second value holds scores. Return the weights: what softmax makes of them, once "
    "the later tokens are hidden.",
    lambda q, k, v, n_head: (
        _mha(q, k, v, n_head)[0],
        scaled(split(q, n_head), split(k, n_head)),
    ),
)

MULTI_HEAD_ATTENTION.mistake(
    "n_head_is_12",
    "You always split into 12 heads. That is the number in GPT-2 small. Use `n_head`.",
    lambda q, k, v, n_head: _mha(q, k, v, 12),
)


def _two_axes_attention(q, k, v, n_head):
    n_tokens, width = q.shape
    q, k, v = (a.reshape(n_tokens, n_head, width // n_head).swapaxes(0, 1) for a in (q, k, v))
    out, weights = _attend(q, k, v)
    return out.swapaxes(0, 1).reshape(n_tokens, width), weights


def _three_axes_attention(q, k, v, n_head):
    n_examples, n_tokens, width = q.shape
    shape = (n_examples, n_tokens, n_head, width // n_head)
    out, weights = _attend(*(a.reshape(shape).transpose(0, 2, 1, 3) for a in (q, k, v)))
    return out.transpose(0, 2, 1, 3).reshape(q.shape), weights


def _transposed_for_batches(q, k, v, n_head):
    q, k, v = (in_heads(a, n_head).transpose(0, 2, 1, 3) for a in (q, k, v))
    out, weights = _attend(q, k, v)
    return out.transpose(0, 2, 1, 3).reshape(*out.shape[:-3], out.shape[-2], -1), weights


def _head_after_head(q, k, v, n_head, join=-1, stack=-3):
    d = q.shape[-1] // n_head
    heads = [_attend(*(a[..., h * d : (h + 1) * d] for a in (q, k, v))) for h in range(n_head)]
    merged = np.concatenate([out for out, _weights in heads], axis=join)
    return merged, np.stack([weights for _out, weights in heads], axis=stack)


def _second_axis_attention(q, k, v, n_head):
    d = q.shape[1] // n_head
    heads = [_attend(*(a[:, h * d : (h + 1) * d] for a in (q, k, v))) for h in range(n_head)]
    return np.concatenate([out for out, _ in heads], axis=1), np.stack([w for _, w in heads])


MULTI_HEAD_ATTENTION.mistake(
    "axes_counted_from_the_front",
    "Your function works for one sentence or for a batch, but not for both. split_heads "
    "and merge_heads take care of any leading axes: use them.",
    _two_axes_attention,
    _three_axes_attention,
    _transposed_for_batches,
    _second_axis_attention,
    lambda q, k, v, n_head: _head_after_head(q, k, v, n_head, join=1),
    lambda q, k, v, n_head: _head_after_head(q, k, v, n_head, join=1, stack=0),
)

MULTI_HEAD_ATTENTION.mistake(
    "weights_heads_before_the_batch",
    "With one sentence all is right. In a batch, the axis of the heads stands in front of "
    "the sentences in your weights. It belongs right in front of the queries: "
    "[..., H, T, T].",
    lambda q, k, v, n_head: _head_after_head(q, k, v, n_head, stack=0),
)

MULTI_HEAD_ATTENTION.mistake(
    "half_precision",
    "The numbers are too coarse: they went through float16. Keep the type of the input.",
    lambda q, k, v, n_head: tuple(a.astype(np.float16) for a in _mha(q, k, v, n_head)),
)


@MULTI_HEAD_ATTENTION.mistake(
    "q_changed",
    "`q` is different after the call: `/=` writes into the caller's array. Make a new one.",
)
def _q_changed(q, k, v, n_head):
    q /= np.sqrt(q.shape[-1] // n_head)
    weights = _causal(split(q, n_head) @ flip(split(k, n_head)))
    return merge(weights @ split(v, n_head)), weights


# --- unusual, and right --------------------------------------------------------------------------

MULTI_HEAD_ATTENTION.also_right("head after head", _head_after_head)


@MULTI_HEAD_ATTENTION.also_right("token after token")
def _token_after_token(q, k, v, n_head):
    q, k, v = (split(a, n_head) for a in (q, k, v))
    weights = np.zeros((*q.shape[:-1], q.shape[-2]))
    for t in range(q.shape[-2]):
        scores = q[..., t : t + 1, :] @ flip(k[..., : t + 1, :]) / q.shape[-1] ** 0.5
        weights[..., t, : t + 1] = softmax(scores)[..., 0, :]
    return merge(weights @ v), weights


@MULTI_HEAD_ATTENTION.also_right("einsum without swaps")
def _by_einsum(q, k, v, n_head):
    q, k, v = (in_heads(a, n_head) for a in (q, k, v))
    scores = np.einsum("...ihd,...jhd->...hij", q, k) / q.shape[-1] ** 0.5
    weights = _causal(scores)
    out = np.einsum("...hij,...jhd->...ihd", weights, v)
    return out.reshape(*out.shape[:-2], -1), weights


MULTI_HEAD_ATTENTION.also_right("a list of two", lambda *args: list(_mha(*args)))

MULTI_HEAD_ATTENTION.also_right(
    "float32", lambda q, k, v, n: _mha(q.astype("f4"), k.astype("f4"), v.astype("f4"), n)
)

MULTI_HEAD_ATTENTION.also_right(
    "lowest float as mask", _mha_of_scores(lambda s: _causal(s, np.finfo(float).min))
)

MULTI_HEAD_ATTENTION.also_right("mask of -1e10", _mha_of_scores(lambda s: _causal(s, -1e10)))

MULTI_HEAD_ATTENTION.also_right(
    "queries scaled first",
    _mha_with(lambda q, k: _causal(q / np.sqrt(q.shape[-1]) @ flip(k))),
)

# --- its steps, and how each of them goes wrong --------------------------------------------------


def _build(split, scale, scores, mask, hide, shares, blend, merge, out, operands, returned):
    def multi_head_attention(q, k, v, n_head):
        q, k, v = operands(*(split(a, n_head) for a in (q, k, v)))
        z, w = attention(q, k, v, scale, scores, mask, hide, shares, blend, q.shape[-1] * n_head)
        return returned(out(merge(z)), w)

    return multi_head_attention


_WEIGHTS_OUT = (
    Wrong(
        "weights_averaged",
        _("The returned weights are averaged over the heads."),
        lambda z, w: (z, w.mean(-3)),
    ),
    Wrong(
        "first_heads_weights",
        _("Only the first head's weights are returned."),
        lambda z, w: (z, w[..., 0, :, :]),
    ),
    Wrong(
        "weights_transposed_out",
        _("The returned weights are transposed."),
        lambda z, w: (z, flip(w)),
    ),
)


MULTI_HEAD_ATTENTION.steps = Steps(
    _build,
    {"split": cut_into_heads, "scale": RIGHT_SCALE, "scores": RIGHT_SCORES, "mask": RIGHT_MASK, "hide": RIGHT_HIDE, "shares": (lambda s: softmax_over(-1)(s)), "blend": RIGHT_BLEND, "merge": join_heads, "out": same, "operands": lambda *a: a, "returned": lambda z, w: (z, w)},
    {
        "split": SPLITS, "scale": SCALES, "mask": MASKS, "hide": HIDES, "merge": MERGES, "out": OUTPUTS, "operands": OPERANDS, "returned": _WEIGHTS_OUT,
        "shares": (*SHARES, Wrong("softmax_over_heads", _("Softmax runs over the heads."), softmax_over(-3))),
        "blend": (*BLENDS[:4], WEIGHTS_ALONE),
    },
)  # fmt: skip
