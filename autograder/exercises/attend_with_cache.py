"""`attend_with_cache`, lesson 03. New tokens attend to the past and to themselves."""

from functools import partial

import numpy as np

from autograder.exercises.append_kv import appending, new_first
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
from autograder.exercises.pieces import (
    append,
    attend_rows,
    attend_with_past,
    blend_of_visible,
    flip,
    join,
    mask_with_past,
    rows_of,
    scaled,
    softmax,
)
from autograder.exercises.steps import Steps, Wrong
from autograder.exercises.ways import (
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
from illustrated_attention.language import later as _


def new_qkv(n_new, *leading, d=2, dv=2, seed, make=tidy):
    return (
        make(*leading, n_new, d, seed=seed),
        make(*leading, n_new, d, seed=seed + 1),
        make(*leading, n_new, dv, seed=seed + 2),
    )


def _attend_args(n_past, n_new, *leading, d=2, dv=2, seed, make=tidy):
    """Arguments of attend_with_cache: n_new tokens, and a cache of n_past."""
    new = new_qkv(n_new, *leading, d=d, dv=dv, seed=seed, make=make)
    if n_past == 0:
        return *new, None
    return *new, new_qkv(n_past, *leading, d=d, dv=dv, seed=seed + 3, make=make)[1:]


ATTEND_WITH_CACHE = Exercise(
    name="attend_with_cache",
    lesson="03_kv_cache",
    can="You can now let new tokens attend without computing old ones again.",
    visible=(
        Case("three tokens, no cache yet", _attend_args(0, 3, seed=450)),
        Case("one new token after three", _attend_args(3, 1, seed=460)),
        Case("two new tokens after two", _attend_args(2, 2, d=3, dv=3, seed=470)),
        Case("three new tokens after one, values of another size", _attend_args(1, 3, seed=480)),
        Case("two sentences at once", _attend_args(4, 3, 2, dv=3, seed=490)),
        late(
            "a later token with a far higher score",
            (*far_ahead(n_tokens=3, d=2, seed=495), tidy(3, 2, seed=496), None),
        ),
        late(
            "old tokens are whole numbers, new ones are not",
            (*new_qkv(1, seed=497), (np.array([[1, 0], [2, -1]]), np.array([[3, 4], [0, 1]]))),
        ),
    ),
    hidden=(
        Case("a first chunk", _attend_args(0, 5, d=6, dv=4, seed=500, make=rough)),
        Case("one token after a long past", _attend_args(7, 1, d=6, dv=4, seed=510, make=rough)),
        Case("several tokens after a past", _attend_args(4, 3, d=6, dv=4, seed=520, make=rough)),
        Case("a batch with heads", _attend_args(2, 5, 2, 3, d=6, dv=4, seed=530, make=rough)),
        Case("many equal sizes", _attend_args(3, 3, 3, d=3, dv=3, seed=540, make=rough)),
        Case(
            "whole numbers",
            (
                np.array([[1, 0], [2, -1]]),
                np.array([[1, 1], [0, 2]]),
                np.array([[3, 4], [5, 6]]),
                (np.array([[2, 0]]), np.array([[7, 8]])),
            ),
        ),
        late(
            "a later token with a far higher score",
            (
                *far_ahead(2, n_tokens=4, d=4, seed=541),
                rough(2, 4, 3, seed=542),
                (rough(2, 3, 4, seed=543), rough(2, 3, 3, seed=544)),
            ),
        ),
        late("values wider than keys", _attend_args(3, 2, d=2, dv=7, seed=545, make=rough)),
        late(
            "values wider than keys, no cache", _attend_args(0, 3, d=2, dv=7, seed=546, make=rough)
        ),
        late("a very long past", _attend_args(FAR, 2, d=2, dv=3, seed=547, make=rough)),
        late("a long first chunk", _attend_args(0, LONG, d=2, dv=1, seed=548, make=rough)),
        late(
            "a long chunk after a short past",
            _attend_args(2, LONG, d=2, dv=1, seed=549, make=rough),
        ),
        late("many features", _attend_args(2, 3, d=WIDE, dv=WIDE + 6, seed=550, make=rough)),
        late("all sizes equal", _attend_args(4, 4, 4, 4, d=4, dv=4, seed=551, make=rough)),
        late("one token after one", _attend_args(1, 1, 1, d=1, dv=1, seed=552, make=rough)),
        late(
            "old tokens are whole numbers, new ones are not",
            (
                *new_qkv(2, dv=3, seed=553, make=rough),
                (np.arange(6).reshape(3, 2) - 2, np.arange(9).reshape(3, 3)),
            ),
        ),
    ),
    promises=(
        Promise(
            "every way to cut the tokens into chunks gives what one pass gives",
            "every_chunking_is_one_pass",
            (*new_qkv(4, seed=550), [3, 1], [1, 1, 2], [1, 1, 1, 1]),
            (*new_qkv(9, 2, d=6, dv=4, seed=560, make=rough), [4, 1, 3, 1], [1] * 9, [2, 7]),
        ),
        Promise(
            "other keys or values in the cache give another result: nothing old is computed again",
            "cache_is_used",
            _attend_args(3, 2, seed=570),
            _attend_args(5, 2, 3, d=6, dv=4, seed=580, make=rough),
        ),
        Promise(
            "two continuations of one beginning do not touch each other",
            "continuations_stay_apart",
            (new_qkv(2, seed=590), new_qkv(2, seed=600), new_qkv(1, seed=610)),
            (
                new_qkv(4, 3, d=6, dv=4, seed=620, make=rough),
                new_qkv(2, 3, d=6, dv=4, seed=630, make=rough),
                new_qkv(3, 3, d=6, dv=4, seed=640, make=rough),
            ),
        ),
        Promise(
            "every sentence of a batch gives what it gives alone",
            "every_example_alone",
            (3, *new_qkv(3, 2, seed=650), None),
            (3, *new_qkv(4, 3, d=6, dv=4, seed=660, make=rough), None),
        ),
        Promise(
            "the first token counts to the end of a long text",
            "the_first_token_counts",
            (LONG, new_qkv(3, seed=650), (None,)),
            (LONG, new_qkv(4, 3, d=6, dv=4, seed=660, make=rough), (None,)),
        ),
    ),
    hints=(
        "Which arrays come from the new tokens alone, and which from the past and the new tokens "
        "together? Write down the shape of the scores: how many rows, how many columns?",
        "First append: that gives all keys and values. Score the new queries with all keys, make "
        "the mask, apply masked_softmax, sum the values. The number of old tokens is the number "
        "of all keys minus the number of new queries.",
        "Write `k, v = append_kv(cache, k_new, v_new)`, then `n_new = q_new.shape[-2]` and "
        "`mask = cached_causal_mask(n_new, k.shape[-2] - n_new)`. The weights are "
        "`masked_softmax(scaled_scores(q_new, k), mask)`. Return their weighted sum of `v`, and "
        "`(k, v)`.",
    ),
    of_one_kind=True,
)


# --- known mistakes ------------------------------------------------------------------------------


def attending(seen=append, mask=mask_with_past, blend=blend_of_visible, kept=append):
    """Attention whose keys, mask, blend or returned cache are made in another way."""

    def attend_with_cache(q_new, k_new, v_new, cache):
        k, v = seen(cache, k_new, v_new)
        n_new = q_new.shape[-2]
        out = blend(q_new, k, v, mask(n_new, k.shape[-2] - n_new))
        return out, kept(cache, k_new, v_new)

    return attend_with_cache


ATTEND_WITH_CACHE.mistake(
    "past_not_seen",
    "Your new tokens look at each other only: whatever the cache holds, the result is the "
    "same. Queries are new; keys and values are those of the past as well, and no mask "
    "hides the past.",
    lambda q, k, v, cache: (
        blend_of_visible(q, k, v, mask_with_past(q.shape[-2], 0)),
        append(cache, k, v),
    ),
    lambda q, k, v, cache: attend_with_past(q, k, v, None),
    attending(mask=lambda n, p: np.hstack([np.zeros((n, p), bool), np.tri(n) > 0])),
)


def _past_only(cache, k_new, v_new):
    return (k_new, v_new) if cache is None else cache


@ATTEND_WITH_CACHE.mistake(
    "new_not_seen",
    "Your new tokens see the past, but not themselves. Append the new keys and values "
    "first, then attend.",
)
def _past_not_itself(q_new, k_new, v_new, cache):
    k, v = _past_only(cache, k_new, v_new)
    mask = True if cache is not None else mask_with_past(q_new.shape[-2], 0)
    return blend_of_visible(q_new, k, v, mask), append(cache, k_new, v_new)


def with_append(append):
    """Attention with another append_kv, both for what is seen and for what is kept."""
    return attending(seen=append, kept=append)


ATTEND_WITH_CACHE.mistake(
    "new_first",
    "Your new tokens stand in front of the past. For a single new token the result is "
    "the same, for two it is not. Append at the end.",
    with_append(new_first),
    attending(seen=new_first),
    attending(kept=new_first),
)


def _past_reordered(cache, k_new, v_new):
    if cache is None:
        return k_new, v_new
    return join(cache[0][..., ::-1, :], k_new), join(cache[1][..., ::-1, :], v_new)


ATTEND_WITH_CACHE.mistake(
    "past_reordered",
    "Your results are right, but the old tokens in your cache have changed their order. "
    "No output shows that. The cache must keep the order of the sentence.",
    attending(kept=_past_reordered),
    with_append(_past_reordered),
)

ATTEND_WITH_CACHE.mistake(
    "mask_top_left",
    "Your mask starts in the upper left corner: of several new tokens the first sees only the "
    "first old one. How many columns come before the new ones?",
    attending(mask=lambda n, p: np.tri(n, p + n, dtype=bool)),
    attending(mask=lambda n, p: np.tri(n, p + n, dtype=bool) if n > 1 else True),
)

ATTEND_WITH_CACHE.mistake(
    "nothing_hidden",
    "Your new tokens see new tokens that come after them. With one new token there is "
    "nothing to hide; with several the mask is needed.",
    attending(mask=lambda n, p: True),
    attending(mask=lambda n, p: np.ones((n, p + n), bool) if p else mask_with_past(n, p)),
)

ATTEND_WITH_CACHE.mistake(
    "mask_without_past",
    "Your mask has columns for the new tokens only, the scores have them for the past as "
    "well. Use your cached_causal_mask.",
    attending(mask=lambda n, p: np.tri(n, dtype=bool)),
)


def _square_mask(q_new, k_new, v_new, cache):
    k, v = append(cache, k_new, v_new)
    return blend_of_visible(q_new, k, v, np.tri(k.shape[-2], dtype=bool)), (k, v)


ATTEND_WITH_CACHE.mistake(
    "mask_of_all_keys",
    "Your mask has a row for every key. It has one for each new query only: the causal_mask of "
    "lesson 02 fits while there is no cache. Use your cached_causal_mask.",
    _square_mask,
)

ATTEND_WITH_CACHE.mistake(
    "mask_numbers_exchanged",
    "Your mask has the wrong shape: the numbers of new and old tokens have changed "
    "places. cached_causal_mask takes the new ones first.",
    attending(mask=lambda n, p: mask_with_past(p, n)),
)


def _counted_with_len(q_new, k_new, v_new, cache):
    k, v = append(cache, k_new, v_new)
    return blend_of_visible(q_new, k, v, mask_with_past(len(q_new), len(k))), (k, v)


ATTEND_WITH_CACHE.mistake(
    "past_counted_twice",
    "You count too many old tokens: after appending, the keys hold the new ones as well. "
    "How many of them are old?",
    attending(mask=lambda n, p: mask_with_past(n, p + n)),
    _counted_with_len,
)


@ATTEND_WITH_CACHE.mistake(
    "pair_counted",
    "You count two old tokens, however many there are: `len(cache)` counts the arrays of "
    "the pair. Count the rows of the keys.",
)
def _pair_counted(q_new, k_new, v_new, cache):
    k, v = append(cache, k_new, v_new)
    n_past = 0 if cache is None else len(cache)
    return blend_of_visible(q_new, k, v, mask_with_past(q_new.shape[-2], n_past)), (k, v)


def _masked_by(mask_of):
    """Attention whose mask is made from the new queries, all keys and the old cache."""

    def attend_with_cache(q_new, k_new, v_new, cache):
        k, v = append(cache, k_new, v_new)
        return blend_of_visible(q_new, k, v, mask_of(q_new, k, cache)), (k, v)

    return attend_with_cache


_counting_first_axis = (
    _masked_by(lambda q, k, cache: mask_with_past(len(q), len(k) - len(q))),
    _masked_by(lambda q, k, cache: mask_with_past(len(q), k.shape[-2] - len(q))),
    _masked_by(lambda q, k, cache: mask_with_past(len(q), k.shape[-2] - q.shape[-2])),
    _masked_by(lambda q, k, cache: mask_with_past(len(q), 0 if cache is None else len(cache[0]))),
    _masked_by(
        lambda q, k, cache: mask_with_past(q.shape[-2], 0 if cache is None else len(cache[0]))
    ),
)

ATTEND_WITH_CACHE.mistake(
    "sentences_counted",
    "Right for one sentence, not for a batch: `len` and `shape[0]` give the size of the "
    "first axis, which then counts sentences. Tokens are on the axis before the last.",
    *_counting_first_axis,
)

ATTEND_WITH_CACHE.mistake(
    "mask_inverted",
    "Your tokens see only what they should not see. In the mask True means: may look.",
    attending(mask=lambda n, p: ~mask_with_past(n, p)),
)

ATTEND_WITH_CACHE.mistake(
    "not_itself",
    "Your tokens do not see themselves. The very first token then sees nothing at all: its row "
    "becomes nan, or the mean of all values.",
    attending(mask=lambda n, p: np.tri(n, p + n, p - 1, dtype=bool)),
    attending(
        mask=lambda n, p: np.tri(n, p + n, p - 1, dtype=bool),
        blend=partial(blend_of_visible, hidden=-1e9),
    ),
)

ATTEND_WITH_CACHE.mistake(
    "one_too_many",
    "Each of your tokens sees its successor. Its last visible column is its own.",
    attending(mask=lambda n, p: np.tri(n, p + n, p + 1, dtype=bool)),
)

ATTEND_WITH_CACHE.mistake(
    "new_tokens_apart",
    "Your new tokens do not see the new tokens before them. Append all of them first; the "
    "mask then hides only later ones.",
    attending(mask=lambda n, p: np.hstack([np.ones((n, p), bool), np.eye(n) > 0])),
)

ATTEND_WITH_CACHE.mistake(
    "only_new_kept",
    "Your cache holds the new tokens only. OpenAI's code returns that and joins "
    "elsewhere; here the returned cache holds the past and the new tokens.",
    attending(kept=lambda cache, k, v: (k, v)),
)

ATTEND_WITH_CACHE.mistake(
    "not_updated",
    "You return the cache that you were given. The next token needs it with the new keys "
    "and values.",
    attending(kept=lambda cache, k, v: cache),
    attending(kept=_past_only),
)

ATTEND_WITH_CACHE.mistake(
    "appended_twice",
    "Your new tokens are in the cache twice. Append them once and use that cache for "
    "both: to attend and to return.",
    attending(kept=lambda cache, k, v: append(append(cache, k, v), k, v)),
)

ATTEND_WITH_CACHE.mistake(
    "appended_twice_and_seen",
    "Your new tokens are in the cache twice, and are seen twice. Append them once.",
    with_append(lambda cache, k, v: append(append(cache, k, v), k, v)),
)

ATTEND_WITH_CACHE.mistake(
    "newest_lost",
    "The newest token is missing in the cache that you return. It must be seen next time too.",
    attending(kept=lambda c, k, v: tuple(a[..., :-1, :] for a in append(c, k, v))),
)


def _scaled_once(cache, k_new, v_new):
    return append(cache, k_new / k_new.shape[-1] ** 0.5, v_new)


ATTEND_WITH_CACHE.mistake(
    "keys_kept_scaled",
    "Your cache holds keys that are divided by the root of d already. Keep keys as they come: "
    "the scale belongs to the scores.",
    attending(kept=_scaled_once),
    attending(
        seen=_scaled_once,
        blend=lambda q, k, v, mask: softmax(np.where(mask, q @ flip(k), -np.inf)) @ v,
        kept=_scaled_once,
    ),
)

ATTEND_WITH_CACHE.mistake(
    "parts_exchanged",
    "Your results are right, but your cache holds the values first. It is `(k, v)`.",
    attending(kept=lambda cache, k, v: append(cache, k, v)[::-1]),
)

ATTEND_WITH_CACHE.mistake(
    "keys_twice",
    "Your results are right, but your cache holds the keys twice. Its second array should "
    "hold the values.",
    attending(kept=lambda cache, k, v: (append(cache, k, v)[0],) * 2),
)


@ATTEND_WITH_CACHE.mistake(
    "queries_cached",
    "Your cache holds three arrays: the queries too. An old query has done its work and "
    "is never used again.",
)
def _queries_cached(q_new, k_new, v_new, cache):
    out, (k, v) = attend_with_past(q_new, k_new, v_new, cache)
    return out, (q_new, k, v)


def _outputs_cached(q_new, k_new, v_new, cache):
    out, (k, _v) = attend_with_past(q_new, k_new, v_new, cache)
    return out, (k, out if cache is None else join(cache[1], out))


def _outputs_as_third(q_new, k_new, v_new, cache):
    out, (k, v) = attend_with_past(q_new, k_new, v_new, cache)
    return out, (k, v, out)


ATTEND_WITH_CACHE.mistake(
    "outputs_cached",
    "Your cache holds results. A later token blends the old values anew, with weights of "
    "its own, so it needs the values themselves.",
    _outputs_cached,
    _outputs_as_third,
)


def _hide(scores, mask):
    return np.where(mask, scores, -np.inf)


def _weights_returned(q_new, k_new, v_new, cache):
    k, v = append(cache, k_new, v_new)
    n_new = q_new.shape[-2]
    weights = softmax(_hide(scaled(q_new, k), mask_with_past(n_new, k.shape[-2] - n_new)))
    return weights @ v, weights


ATTEND_WITH_CACHE.mistake(
    "weights_returned",
    "Your second value holds the weights. Return the cache; weights are not needed again.",
    _weights_returned,
)


def _weights_as_third(q_new, k_new, v_new, cache):
    out, weights = _weights_returned(q_new, k_new, v_new, cache)
    return out, weights, append(cache, k_new, v_new)


ATTEND_WITH_CACHE.mistake(
    "three_returned",
    "You return three values. Return the result and the cache: `return out, cache`.",
    _weights_as_third,
    lambda *args: (attend_with_past(*args)[0], *attend_with_past(*args)[1]),
)

ATTEND_WITH_CACHE.mistake(
    "cache_not_returned",
    "You return only the result. Return the new cache as well: `return out, cache`.",
    lambda *args: attend_with_past(*args)[0],
)

ATTEND_WITH_CACHE.mistake(
    "returned_in_wrong_order",
    "You return the cache first. Return the result first, then the cache.",
    lambda *args: attend_with_past(*args)[::-1],
)

ATTEND_WITH_CACHE.mistake(
    "last_result_only",
    "You return the result of the last token only. Every new token has a row.",
    lambda *args: (attend_with_past(*args)[0][..., -1:, :], attend_with_past(*args)[1]),
    lambda *args: (attend_with_past(*args)[0][..., -1, :], attend_with_past(*args)[1]),
)


def _scaling(scale):
    return attending(
        blend=lambda q, k, v, mask: softmax(np.where(mask, q @ flip(k) * scale(q, k), -np.inf)) @ v
    )


ATTEND_WITH_CACHE.mistake(
    "not_scaled",
    "Your weights are too sharp: the scores are not divided by sqrt(d). Use your scaled_scores.",
    _scaling(lambda q, k: 1.0),
)

ATTEND_WITH_CACHE.mistake(
    "scaled_twice",
    "Your weights are too flat: the scores are divided by sqrt(d) twice. scaled_scores "
    "has done it already.",
    _scaling(lambda q, k: 1 / q.shape[-1]),
)

ATTEND_WITH_CACHE.mistake(
    "scaled_by_tokens",
    "You scale by a number of tokens. d is the size of one query: the last axis.",
    _scaling(lambda q, k: k.shape[-2] ** -0.5),
    _scaling(lambda q, k: q.shape[-2] ** -0.5),
)


def _scaled_keys_kept(cache, k_new, v_new):
    k, v = append(cache, k_new, v_new)
    return k / np.sqrt(k.shape[-1]), v


ATTEND_WITH_CACHE.mistake(
    "scaled_keys_kept",
    "Your result is right, but you keep the keys divided by sqrt(d). At the next step "
    "they would be divided again. Keep the keys as they come.",
    attending(kept=_scaled_keys_kept),
)


def _weighing(weights_of):
    """Attention with another formula for the weights, from masked scores."""
    return attending(blend=lambda q, k, v, mask: weights_of(scaled(q, k), mask) @ v)


ATTEND_WITH_CACHE.mistake(
    "hidden_scores_zero",
    "Your hidden tokens still get weight: a score of 0 is an ordinary score. Use your "
    "masked_softmax.",
    _weighing(lambda scores, mask: softmax(np.where(mask, scores, 0.0))),
)

ATTEND_WITH_CACHE.mistake(
    "masked_after_softmax",
    "Rows of your weights do not sum to 1: you hide tokens after softmax. Hide before it, "
    "as masked_softmax does.",
    _weighing(lambda scores, mask: softmax(scores) * mask),
)


def _shared_again(scores, mask):
    weights = softmax(scores) * mask
    return weights / weights.sum(axis=-1, keepdims=True)


ATTEND_WITH_CACHE.mistake(
    "hidden_too_late",
    "Right until a later token's score is far above the others: it takes all the weight "
    "before you hide it, and 0 divided by 0 is nan. Hide before softmax, as "
    "masked_softmax does.",
    _weighing(_shared_again),
)

ATTEND_WITH_CACHE.mistake(
    "no_softmax",
    "You blend the values with the scores themselves. masked_softmax comes between the two.",
    _weighing(lambda scores, mask: np.where(mask, scores, 0.0)),
)

ATTEND_WITH_CACHE.mistake(
    "softmax_over_queries",
    "The columns of your weights sum to 1 instead of the rows. Softmax runs over the "
    "keys: the last axis.",
    _weighing(lambda scores, mask: flip(softmax(flip(_hide(scores, mask))))),
)

ATTEND_WITH_CACHE.mistake(
    "keys_as_values",
    "You blend the keys. Keys are for matching; the values carry the content.",
    attending(blend=lambda q, k, v, mask: blend_of_visible(q, k, k, mask)),
)

ATTEND_WITH_CACHE.mistake(
    "keys_as_queries",
    "You compare the new keys with all keys. The scores come from the new queries.",
    lambda q, k, v, cache: attend_with_past(k, k, v, cache),
)

ATTEND_WITH_CACHE.mistake(
    "axis_0",
    "Right for one sentence, not for a batch: you join along axis 0. Use your append_kv, "
    "or count the axis from the end.",
    with_append(appending(lambda past, new: np.concatenate([past, new], axis=0))),
)

ATTEND_WITH_CACHE.mistake(
    "axis_1",
    "You join along axis 1, which is the sequence only in a batch. Use your append_kv, or "
    "count the axis from the end.",
    with_append(appending(lambda past, new: np.concatenate([past, new], axis=1))),
)


def _none_in_attend(q_new, k_new, v_new, cache):
    k_past, v_past = cache
    k, v = join(k_past, k_new), join(v_past, v_new)
    n_new = q_new.shape[-2]
    return blend_of_visible(q_new, k, v, mask_with_past(n_new, k_past.shape[-2])), (k, v)


def _past_counted_from_none(q_new, k_new, v_new, cache):
    k, v = append(cache, k_new, v_new)
    mask = mask_with_past(q_new.shape[-2], cache[0].shape[-2])
    return blend_of_visible(q_new, k, v, mask), (k, v)


ATTEND_WITH_CACHE.mistake(
    "none_not_handled",
    "The first call has no cache: then `cache` is None and cannot be taken apart. Let "
    "append_kv deal with that, and count the old tokens from the keys it returns.",
    _none_in_attend,
    _past_counted_from_none,
)


class _Remembering:
    """Keeps its own cache from call to call and does not look at the one that it is given."""

    def __init__(self):
        self.cache = None

    def __call__(self, q_new, k_new, v_new, cache):
        if cache is None:
            self.cache = None
        out, self.cache = attend_with_past(q_new, k_new, v_new, self.cache)
        return out, self.cache


ATTEND_WITH_CACHE.mistake(
    "remembers_by_itself",
    "Your function keeps a cache of its own from call to call and does not use the one it "
    "is given. Two texts would then mix. Everything it needs comes in as an argument.",
    _Remembering(),
)


@ATTEND_WITH_CACHE.mistake(
    "cache_changed",
    "The results are right, but the cache that you were given is different after the "
    "call. Its owner may still need it. Build a new one.",
)
def _changes_cache(q_new, k_new, v_new, cache):
    out, kept = attend_with_past(q_new, k_new, v_new, cache)
    if cache is not None:
        cache[0][..., -1, :] = k_new[..., -1, :]
    return out, kept


@ATTEND_WITH_CACHE.mistake(
    "queries_changed",
    "The results are right, but `q_new` is different after the call: `/=` writes into the "
    "caller's array. Make a new one.",
)
def _changes_queries(q_new, k_new, v_new, cache):
    scale = np.sqrt(q_new.shape[-1])
    q_new /= scale
    return attend_with_past(q_new * scale, k_new, v_new, cache)


def _half(cache, k_new, v_new):
    return tuple(part.astype("f2") for part in append(cache, k_new, v_new))


def _half_out(q_new, k_new, v_new, cache):
    out, kept = attend_with_past(q_new, k_new, v_new, cache)
    return out.astype("f2"), kept


ATTEND_WITH_CACHE.mistake(
    "half_precision",
    "The numbers are too coarse: they went through float16. Keep the type of the input.",
    attending(kept=_half),
    with_append(_half),
    _half_out,
)

# --- unusual, and right --------------------------------------------------------------------------


def attend_token_by_token(q_new, k_new, v_new, cache):
    rows = []
    for t in range(q_new.shape[-2]):
        out, cache = attend_rows(q_new, k_new, v_new, t, t + 1, cache)
        rows.append(out)
    return np.concatenate(rows, axis=-2), cache


ATTEND_WITH_CACHE.also_right("one token at a time", attend_token_by_token)


@ATTEND_WITH_CACHE.also_right("a loop over visible beginnings, a list as cache")
def attend_prefix_loops(q_new, k_new, v_new, cache):
    k, v = append(cache, k_new, v_new)
    n_past = k.shape[-2] - q_new.shape[-2]
    rows = []
    for i in range(q_new.shape[-2]):
        visible = n_past + i + 1
        weights = softmax(scaled(rows_of(q_new, i, i + 1), rows_of(k, 0, visible)))
        rows.append(weights @ rows_of(v, 0, visible))
    return np.concatenate(rows, axis=-2), [k, v]


@ATTEND_WITH_CACHE.also_right("past and new tokens apart")
def _attend_two_parts(q_new, k_new, v_new, cache):
    """Past and new tokens apart: two sums over one common denominator."""
    mask = mask_with_past(q_new.shape[-2], 0)
    new = _hide(scaled(q_new, k_new), mask)
    if cache is None:
        return softmax(new) @ v_new, (k_new, v_new)
    old = scaled(q_new, cache[0])
    top = np.maximum(old.max(axis=-1, keepdims=True), new.max(axis=-1, keepdims=True))
    old, new = np.exp(old - top), np.exp(new - top)
    total = old.sum(axis=-1, keepdims=True) + new.sum(axis=-1, keepdims=True)
    return (old @ cache[1] + new @ v_new) / total, append(cache, k_new, v_new)


@ATTEND_WITH_CACHE.also_right("einsum, masked after exp, with new row sums")
def _attend_einsum(q_new, k_new, v_new, cache):
    k, v = append(cache, k_new, v_new)
    scores = np.einsum("...id,...jd->...ij", q_new, k) * q_new.shape[-1] ** -0.5
    mask = np.tri(k.shape[-2], dtype=bool)[-q_new.shape[-2] :]
    top = np.where(mask, scores, -np.inf).max(axis=-1, keepdims=True)
    weights = np.exp(np.minimum(scores - top, 0)) * mask
    weights /= weights.sum(axis=-1, keepdims=True)
    return np.einsum("...ij,...jd->...id", weights, v), (k, v)


@ATTEND_WITH_CACHE.also_right("float32")
def _attend_float32(q_new, k_new, v_new, cache):
    q, k, v = (part.astype("f4") for part in (q_new, k_new, v_new))
    return attend_with_past(q, k, v, cache and tuple(part.astype("f4") for part in cache))


ATTEND_WITH_CACHE.also_right(
    "-1e10 for hidden scores", _weighing(lambda s, m: softmax(np.where(m, s, -1e10)))
)

ATTEND_WITH_CACHE.also_right(
    "an additive mask",
    _weighing(lambda s, m: softmax(s + np.where(m, 0.0, -np.inf))),
)

ATTEND_WITH_CACHE.also_right(
    "a list of the result and a list",
    lambda *a: [attend_with_past(*a)[0], [*attend_with_past(*a)[1]]],
)

ATTEND_WITH_CACHE.also_right(
    "queries scaled first",
    lambda q, k, v, cache: _scaling(lambda a, b: 1.0)(q / np.sqrt(q.shape[-1]), k, v, cache),
)

# --- its steps, and how each of them goes wrong --------------------------------------------------


def _build(order, scale, scores, mask, hide, shares, blend, out, kept):
    def attend_with_cache(q_new, k_new, v_new, cache):
        k, v = k_new, v_new
        if cache is not None:
            pairs = [(cache[0], k_new), (cache[1], v_new)]
            k, v = (np.concatenate(p[::order], axis=-2) for p in pairs)
        z, _w = attention(q_new, k, v, scale, scores, mask, hide, shares, blend)
        return out(z), kept(k, v, k_new, v_new, cache)

    return attend_with_cache


ATTEND_WITH_CACHE.steps = Steps(
    _build,
    {"order": 1, "scale": RIGHT_SCALE, "scores": RIGHT_SCORES, "mask": RIGHT_MASK, "hide": RIGHT_HIDE, "shares": RIGHT_SHARES, "blend": RIGHT_BLEND, "out": same, "kept": lambda k, v, *r: (k, v)},
    {
        "order": (Wrong("new_first", _("The new keys and values stand before those of the cache."), -1),),
        "scale": SCALES, "scores": SCORES[1:], "mask": MASKS, "hide": HIDES, "shares": SHARES, "blend": (*BLENDS[:5], WEIGHTS_ALONE), "out": OUTPUTS,
        "kept": (
            Wrong("only_new_kept", _("The returned cache holds the new keys and values only."), lambda k, v, kn, vn, c: (kn, vn)),
            Wrong("not_updated", _("The returned cache is the old one."), lambda k, v, kn, vn, c: c if c is not None else (kn, vn)),
            Wrong("parts_exchanged", _("In the returned cache values stand first, keys second."), lambda k, v, *r: (v, k)),
            Wrong("keys_twice", _("The returned cache holds the keys twice."), lambda k, v, *r: (k, k)),
            Wrong("oldest_dropped", _("In the returned cache the oldest token is missing."), lambda k, v, *r: (k[..., 1:, :], v[..., 1:, :])),
        ),
    },
)  # fmt: skip
