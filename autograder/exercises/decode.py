"""`decode`, lesson 03. A text token by token, with the cache."""

import numpy as np

from autograder.exercises.append_kv import new_first
from autograder.exercises.attend_with_cache import (
    attend_prefix_loops,
    attend_token_by_token,
    attending,
    new_qkv,
    with_append,
)
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
)
from autograder.exercises.pieces import (
    append,
    attend_rows,
    attend_with_past,
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
    SHARES,
    attention,
    same,
)
from illustrated_attention.language import later as _

_DQKV = new_qkv(5, seed=700)

_HDQKV = new_qkv(9, d=6, dv=4, seed=720, make=rough)

DECODE = Exercise(
    name="decode",
    lesson="03_kv_cache",
    can="You can now read a text in chunks of any size, with the result of one pass.",
    visible=(
        Case("three chunks", (*_DQKV, [2, 1, 2])),
        Case("one token at a time", (*_DQKV, [1, 1, 1, 1, 1])),
        Case("all at once", (*_DQKV, [5])),
        Case("four tokens, then one", (*_DQKV, [4, 1])),
        Case("chunks of equal size", (*new_qkv(4, d=3, seed=704), [2, 2])),
        Case("two sentences at once", (*new_qkv(4, 2, dv=3, seed=708), [1, 2, 1])),
        Case(
            "must refuse: the sizes say one token too many",
            (*_DQKV, [2, 2, 2]),
            raises="ValueError",
        ),
        Case("must refuse: the sizes leave tokens over", (*_DQKV, [2, 1]), raises="ValueError"),
    ),
    hidden=(
        Case("four chunks of several sizes", (*_HDQKV, [4, 1, 3, 1])),
        Case("a growing size", (*_HDQKV, [1, 3, 5])),
        Case("chunks of equal size in a longer text", (*_HDQKV, [3, 3, 3])),
        Case(
            "a batch with heads", (*new_qkv(7, 2, 3, d=6, dv=4, seed=730, make=rough), [3, 2, 1, 1])
        ),
        Case(
            "as many tokens as sentences",
            (*new_qkv(3, 3, d=3, dv=3, seed=740, make=rough), [1, 1, 1]),
        ),
        Case("sizes for far too many tokens", (*_HDQKV, [9, 9]), raises="ValueError"),
        Case("sizes for far too few tokens", (*_HDQKV, [3]), raises="ValueError"),
        Case(
            "wrong sizes for a batch, right for another axis",
            (*new_qkv(5, 3, d=6, dv=4, seed=750, make=rough), [1, 2]),
            raises="ValueError",
        ),
        late(
            "a later token with a far higher score",
            (*far_ahead(n_tokens=6, d=4, seed=780), rough(6, 3, seed=781), [3, 1, 2]),
        ),
        late("values wider than keys", (*new_qkv(6, d=2, dv=7, seed=782, make=rough), [1, 3, 2])),
        late(
            "a long text",
            (*new_qkv(FAR, d=1, dv=1, seed=785, make=rough), [LONG, 1, FAR - LONG - 3, 2]),
        ),
        late(
            "many small chunks", (*new_qkv(70, d=2, dv=2, seed=788, make=rough), [1] * 60 + [2] * 5)
        ),
        late("many features", (*new_qkv(4, d=WIDE, dv=WIDE, seed=791, make=rough), [3, 1])),
        late("all sizes equal", (*new_qkv(4, 4, 4, d=4, dv=4, seed=794, make=rough), [1, 2, 1])),
        late("one token", (*new_qkv(1, 2, d=3, dv=2, seed=797, make=rough), [1])),
    ),
    promises=(
        Promise(
            "every sentence of a batch gives what it gives alone",
            "every_example_alone",
            (3, *new_qkv(4, 2, dv=3, seed=708), [1, 2, 1]),
            (3, *new_qkv(6, 3, d=6, dv=4, seed=770, make=rough), [1, 3, 2]),
        ),
        Promise(
            "the first token counts to the end of a long text",
            "the_first_token_counts",
            (LONG, _DQKV, ([LONG - 3, 1, 2],)),
            (LONG, _HDQKV, ([1, LONG - 1],)),
        ),
    ),
    hints=(
        "Walk through the chunks with a loop. What has to be carried from one round to the next?",
        "Three things change from round to round: where the chunk starts, the cache, and the list "
        "of results. Cut with `q[..., start:end, :]`, so that leading axes stay whole.",
        "First compare `sum(chunk_sizes)` with `q.shape[-2]`. In the loop: `end = start + size`, "
        "then `out, cache = attend_with_cache(...)` with the three slices and the cache, which "
        "is None at first. At the end join the list with `np.concatenate(outs, axis=-2)`.",
    ),
)


# --- known mistakes ------------------------------------------------------------------------------


def _refuse_wrong_sizes(q, chunk_sizes):
    if sum(chunk_sizes) != q.shape[-2]:
        raise ValueError("the chunk sizes do not add up to the number of tokens")


def _join_outs(outs):
    return np.concatenate(outs, axis=-2)


def _decoding(
    step=attend_with_past,
    join=_join_outs,
    cut=rows_of,
    refuse=_refuse_wrong_sizes,
    keep=lambda old, new: new,
):
    """Decoding whose step, cutting, joining, refusal or care for the cache is another."""

    def decode(q, k, v, chunk_sizes):
        refuse(q, chunk_sizes)
        cache, outs, start = None, [], 0
        for size in chunk_sizes:
            chunk = [cut(array, start, start + size) for array in (q, k, v)]
            out, new_cache = step(*chunk, cache)
            cache = keep(cache, new_cache)
            outs.append(out)
            start += size
        return join(outs)

    return decode


def _keeping(kept):
    return _decoding(step=attending(kept=kept))


DECODE.mistake(
    "only_last_chunk_kept",
    "Right for two chunks, wrong from the third on: your cache holds only the latest "
    "chunk. Step 3 no longer sees step 1.",
    _keeping(lambda cache, k, v: (k, v)),
)

DECODE.mistake(
    "cache_never_updated",
    "Right for two chunks, wrong from the third on: your cache stays what it was after "
    "the first chunk. Each step returns a new one for the next step.",
    _decoding(keep=lambda old, new: new if old is None else old),
)

DECODE.mistake(
    "cache_not_passed",
    "Every chunk starts without a past, so it sees only itself. Give each step the cache "
    "that the step before returned.",
    _decoding(keep=lambda old, new: None),
)

DECODE.mistake(
    "appended_twice",
    "Each chunk is in the cache twice from the second step on. attend_with_cache has "
    "appended it already.",
    _keeping(lambda cache, k, v: append(append(cache, k, v), k, v)),
    _decoding(step=with_append(lambda cache, k, v: append(append(cache, k, v), k, v))),
)


def _old_keys_passed_again(n_past):
    """Each step gets all keys and values so far; `n_past` says how many of them are old."""

    def decode(q, k, v, chunk_sizes):
        _refuse_wrong_sizes(q, chunk_sizes)
        cache, outs, end = None, [], 0
        for size in chunk_sizes:
            start, end = end, end + size
            queries = q[..., start:end, :]
            old = 0 if cache is None else cache[0].shape[-2]
            cache = append(cache, k[..., :end, :], v[..., :end, :])
            keys, values = cache
            mask = np.tri(size, keys.shape[-2], n_past(old, size, keys.shape[-2]), dtype=bool)
            scores = np.where(mask, scaled(queries, keys), -np.inf)
            outs.append(softmax(scores) @ values)
        return _join_outs(outs)

    return decode


def _whole_text_passed(q, k, v, chunk_sizes):
    _refuse_wrong_sizes(q, chunk_sizes)
    cache, outs, start = None, [], 0
    for size in chunk_sizes:
        out, cache = attend_with_past(rows_of(q, start, start + size), k, v, cache)
        outs.append(out)
        start += size
    return _join_outs(outs)


DECODE.mistake(
    "old_keys_passed_again",
    "From the second chunk on, old keys and values are in the cache twice: you pass those of all "
    "tokens so far. Pass those of the chunk; the cache holds the others.",
    _old_keys_passed_again(lambda old, size, n_keys: n_keys - size),
    _old_keys_passed_again(lambda old, size, n_keys: old),
)

DECODE.mistake(
    "whole_text_passed",
    "You give every step the keys and values of the whole text. Only those of the chunk are new: "
    "cut `k` and `v` as you cut `q`.",
    _whole_text_passed,
)

DECODE.mistake(
    "newest_lost",
    "From the second chunk on, the last token of each earlier chunk is missing. It must "
    "stay in the cache.",
    _keeping(lambda c, k, v: tuple(a[..., :-1, :] for a in append(c, k, v))),
)

DECODE.mistake(
    "new_first",
    "Within a chunk of several tokens the results are wrong: new tokens stand in front of "
    "the past. They belong after it.",
    _decoding(step=with_append(new_first)),
)


def _masking(mask):
    return _decoding(step=attending(mask=mask))


DECODE.mistake(
    "mask_top_left",
    "The first chunk is right; later ones hide the past: the mask starts in the upper "
    "left corner. Move it to the right by the number of old tokens.",
    _masking(lambda n, p: np.tri(n, p + n, dtype=bool)),
)

DECODE.mistake(
    "nothing_hidden",
    "In chunks of several tokens your tokens see later ones of the same chunk. One token "
    "at a time hides this. Is the mask used in every step?",
    _masking(lambda n, p: True),
    _masking(lambda n, p: np.ones((n, p + n), bool) if p else mask_with_past(n, p)),
)


@DECODE.mistake(
    "everything_seen",
    "You attend to all tokens at once, without a mask: every token sees the future. Cut "
    "into chunks and let attend_with_cache hide what comes later.",
)
def _decode_unmasked(q, k, v, chunk_sizes):
    _refuse_wrong_sizes(q, chunk_sizes)
    return softmax(scaled(q, k)) @ v


def _decoding_from_to(places):
    """Decoding that cuts its chunks at wrong places: start, end and the next start."""

    def decode(q, k, v, chunk_sizes):
        _refuse_wrong_sizes(q, chunk_sizes)
        cache, outs, following = None, [], 0
        for size in chunk_sizes:
            start, end, following = places(following, size)
            out, cache = attend_rows(q, k, v, start, end, cache)
            outs.append(out)
        return _join_outs(outs)

    return decode


DECODE.mistake(
    "end_is_the_size",
    "You cut up to the chunk's size. That is a length, not a place: a chunk that begins "
    "at `start` ends at `start + size`.",
    _decoding_from_to(lambda start, size: (start, size, start + size)),
)

DECODE.mistake(
    "start_is_the_last_size",
    "Right for two chunks. From the third on yours begins in the wrong place: the next "
    "start is the old start plus the size, not the size alone.",
    _decoding_from_to(lambda start, size: (start, start + size, size)),
)

DECODE.mistake(
    "last_chunk_only",
    "You return the result of the last chunk only. Collect the results of all chunks and "
    "join them.",
    _decoding(join=lambda outs: outs[-1]),
)

DECODE.mistake(
    "first_chunk_only",
    "You return the result of the first chunk only. Is the `return` inside the loop?",
    _decoding(join=lambda outs: outs[0]),
)

DECODE.mistake(
    "last_of_each_chunk",
    "You keep one result for each chunk. Every token of a chunk has a result.",
    _decoding(join=lambda outs: _join_outs([out[..., -1:, :] for out in outs])),
)

DECODE.mistake(
    "list_of_chunks",
    "You return a list with the result of each chunk. Join them along the sequence axis "
    "to one array.",
    _decoding(join=lambda outs: outs),
    _decoding(join=tuple),
)

DECODE.mistake(
    "stacked",
    "`np.stack` and `np.array` put the chunks on a new axis, and fail when their sizes "
    "differ. Join them along the sequence axis.",
    _decoding(join=np.stack),
    _decoding(join=np.array),
)

DECODE.mistake(
    "joined_along_axis_0",
    "Right for one sentence, not for a batch: you join the results along axis 0. Count "
    "the sequence axis from the end.",
    _decoding(join=lambda outs: np.concatenate(outs)),
)

DECODE.mistake(
    "joined_along_features",
    "You join the results along the last axis, so rows get longer. There should be more "
    "rows: the sequence is the axis before the last.",
    _decoding(join=lambda outs: np.concatenate(outs, axis=-1)),
)

DECODE.mistake(
    "summed",
    "You add up the results of the chunks. Each chunk has tokens of its own: put their "
    "rows one after the other.",
    _decoding(join=lambda outs: sum(outs)),
)

DECODE.mistake(
    "chunks_backwards",
    "The chunks of your result stand in reverse order. The first chunk comes first.",
    _decoding(join=lambda outs: _join_outs(outs[::-1])),
)


@DECODE.mistake(
    "earlier_results_repeated",
    "Your result has too many rows: every step gives the results of earlier tokens again. "
    "Pass only the new queries.",
)
def _queries_of_all(q, k, v, chunk_sizes):
    """Attends with all queries so far at every chunk, and joins all of it."""
    _refuse_wrong_sizes(q, chunk_sizes)
    ends = np.cumsum(chunk_sizes)
    return _join_outs([attend_rows(q, k, v, 0, end, None)[0] for end in ends])


DECODE.mistake(
    "cut_along_axis_0",
    "Right for one sentence, not for a batch: you cut along axis 0. The sequence is the "
    "axis before the last, for cutting and for joining.",
    _decoding(cut=lambda array, start, stop: array[start:stop]),
    _decoding(cut=lambda array, start, stop: array[start:stop], join=np.concatenate),
)


def _start_moved_by(steps):
    def decode(q, k, v, chunk_sizes):
        _refuse_wrong_sizes(q, chunk_sizes)
        cache, outs, start = None, [], 0
        for size in chunk_sizes:
            out, cache = attend_rows(q, k, v, start, start + size, cache)
            outs.append(out)
            start += steps
        return _join_outs(outs)

    return decode


DECODE.mistake(
    "start_stands_still",
    "Every chunk is cut from the beginning of the sentence. Where does a chunk start when "
    "others came before it?",
    _start_moved_by(0),
)

DECODE.mistake(
    "start_moves_by_one",
    "After each chunk you move on by one token. Move on by the size of the chunk.",
    _start_moved_by(1),
)


@DECODE.mistake(
    "sizes_as_ends",
    "You take the numbers in `chunk_sizes` for positions at which chunks end. They are "
    "sizes; a chunk ends at its start plus its size.",
)
def _sizes_as_ends(q, k, v, chunk_sizes):
    _refuse_wrong_sizes(q, chunk_sizes)
    cache, outs, start = None, [], 0
    for end in chunk_sizes:
        out, cache = attend_rows(q, k, v, start, end, cache)
        outs.append(out)
        start = end
    return _join_outs(outs)


def _none_for_wrong_sizes(q, k, v, chunk_sizes):
    if sum(chunk_sizes) != q.shape[-2]:
        return None
    return _decoding()(q, k, v, chunk_sizes)


def _last_size_mended(q, k, v, chunk_sizes):
    sizes = [*chunk_sizes[:-1], q.shape[-2] - sum(chunk_sizes[:-1])]
    return _decoding()(q, k, v, sizes)


DECODE.mistake(
    "sizes_not_checked",
    "The results are right. But sizes that do not add up to the number of tokens must be "
    "refused with a `ValueError`, too many and too few alike.",
    _decoding(refuse=lambda q, sizes: None),
    _none_for_wrong_sizes,
    _last_size_mended,
)


def _refuse_too_large(q, chunk_sizes):
    if sum(chunk_sizes) > q.shape[-2]:
        raise ValueError("too many tokens")


DECODE.mistake(
    "too_few_accepted",
    "You refuse sizes that are too large together, but not sizes that leave tokens over. "
    "Refuse both.",
    _decoding(refuse=_refuse_too_large),
)


def _refuse_too_small(q, chunk_sizes):
    if sum(chunk_sizes) < q.shape[-2]:
        raise ValueError("too few tokens")


DECODE.mistake(
    "too_many_accepted",
    "You refuse sizes that leave tokens over, but not sizes that are too large together. "
    "Refuse both.",
    _decoding(refuse=_refuse_too_small),
)


def _assert_sizes(q, chunk_sizes):
    assert sum(chunk_sizes) == q.shape[-2]


DECODE.mistake(
    "assert_instead",
    "You refuse wrong sizes with `assert`, which raises AssertionError. Raise a "
    "`ValueError` with a sentence that says what is wrong.",
    _decoding(refuse=_assert_sizes),
)

DECODE.mistake(
    "cache_returned_too",
    "You return the cache as well. It has done its work when the last chunk is read: "
    "`decode` returns only the results.",
    lambda *args: (_decoding()(*args), tuple(args[1:3])),
)

# --- unusual, and right --------------------------------------------------------------------------


@DECODE.also_right("one token at a time")
def _decode_token_by_token(q, k, v, chunk_sizes):
    _refuse_wrong_sizes(q, chunk_sizes)
    return attend_token_by_token(q, k, v, None)[0]


@DECODE.also_right("one pass")
def _one_pass(q, k, v, chunk_sizes):
    _refuse_wrong_sizes(q, chunk_sizes)
    return attend_with_past(q, k, v, None)[0]


@DECODE.also_right("no cache, but every chunk's whole past")
def _decode_prefixes(q, k, v, chunk_sizes):
    """Without a cache: every chunk attends to all keys up to its end."""
    _refuse_wrong_sizes(q, chunk_sizes)
    outs, start = [], 0
    for size in chunk_sizes:
        end = start + size
        whole = attend_with_past(rows_of(q, 0, end), rows_of(k, 0, end), rows_of(v, 0, end), None)[
            0
        ]
        outs.append(rows_of(whole, start, end))
        start = end
    return _join_outs(outs)


@DECODE.also_right("into an array made beforehand")
def _decode_into_array(q, k, v, chunk_sizes):
    if sum(chunk_sizes) != q.shape[-2]:
        raise ValueError(f"{chunk_sizes} is not {q.shape[-2]} tokens")
    result = np.empty((*q.shape[:-1], v.shape[-1]))
    cache, end = None, 0
    for size in chunk_sizes:
        start, end = end, end + size
        result[..., start:end, :], cache = attend_with_past(
            q[..., start:end, :], k[..., start:end, :], v[..., start:end, :], cache
        )
    return result


@DECODE.also_right("np.split")
def _decode_np_split(q, k, v, chunk_sizes):
    ends = np.cumsum(chunk_sizes)
    if ends[-1] != q.shape[-2]:
        raise ValueError("sizes")
    cache, outs = None, []
    chunks = (np.split(array, ends[:-1], axis=-2) for array in (q, k, v))
    for q_new, k_new, v_new in zip(*chunks, strict=True):
        out, cache = attend_with_past(q_new, k_new, v_new, cache)
        outs.append(out)
    return np.concatenate(outs, -2)


@DECODE.also_right("recursive")
def _decode_recursive(q, k, v, chunk_sizes, cache=None):
    _refuse_wrong_sizes(q, chunk_sizes)
    size, *rest = chunk_sizes
    out, cache = attend_rows(q, k, v, 0, size, cache)
    if not rest:
        return out
    after = (a[..., size:, :] for a in (q, k, v))
    return np.concatenate([out, _decode_recursive(*after, rest, cache)], axis=-2)


DECODE.also_right(
    "float32",
    lambda q, k, v, sizes: _decoding()(*(a.astype("f4") for a in (q, k, v)), sizes),
)

DECODE.also_right("another step, a list as cache", _decoding(step=attend_prefix_loops))

# --- its steps, and how each of them goes wrong --------------------------------------------------


def _build(order, scale, mask, hide, shares, blend, out, keys, chunk):
    def decode(q, k, v, chunk_sizes):
        if sum(chunk_sizes) != q.shape[-2]:
            raise ValueError
        start, rows = 0, []
        for i, size in enumerate(chunk_sizes):
            end = start + size
            a, b = keys(start, end, q.shape[-2])
            z, _w = attention(
                q[..., start:end, :],
                k[..., a:b, :],
                v[..., a:b, :],
                scale,
                RIGHT_SCORES,
                mask,
                hide,
                shares,
                blend,
            )
            rows.append(z)
            start = chunk(start, end, i, chunk_sizes)
        return out(np.concatenate(rows[::order], axis=-2))

    return decode


DECODE.steps = Steps(
    _build,
    {"order": 1, "scale": RIGHT_SCALE, "mask": RIGHT_MASK, "hide": RIGHT_HIDE, "shares": RIGHT_SHARES, "blend": RIGHT_BLEND, "out": same, "keys": lambda a, b, n: (0, b), "chunk": lambda a, b, i, s: b},
    {
        "order": (Wrong("chunks_backwards", _("The chunks are joined in reverse order."), -1),),
        "scale": SCALES, "mask": MASKS, "hide": HIDES, "shares": SHARES, "blend": BLENDS, "out": OUTPUTS,
        "keys": (
            Wrong("chunk_alone", _("A chunk sees only its own keys and values: the cache is not passed on."), lambda a, b, n: (a, b)),
            Wrong("everything_seen", _("A chunk sees the keys and values of all tokens, also later ones."), lambda a, b, n: (0, n)),
        ),
        "chunk": (Wrong("start_stands_still", _("Every chunk begins at token 0."), lambda a, b, i, s: 0),),
    },
)  # fmt: skip
