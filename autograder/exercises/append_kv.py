"""`append_kv`, lesson 03. The cache grows by the new keys and values."""

import numpy as np

from autograder.exercises.kit import (
    FAR,
    LONG,
    WIDE,
    Case,
    Exercise,
    Promise,
    late,
    rough,
    tidy,
)
from autograder.exercises.pieces import append, flip, join
from autograder.exercises.steps import Steps, Wrong
from illustrated_attention.language import later as _


def _kv(n_past, n_new, *leading, d=2, dv=2, seed, make=tidy):
    """Arguments of append_kv: a cache of n_past tokens, and n_new tokens."""
    new = make(*leading, n_new, d, seed=seed), make(*leading, n_new, dv, seed=seed + 1)
    if n_past == 0:
        return None, *new
    past = make(*leading, n_past, d, seed=seed + 2), make(*leading, n_past, dv, seed=seed + 3)
    return past, *new


APPEND_KV = Exercise(
    name="append_kv",
    lesson="03_kv_cache",
    can="You can now keep keys and values for the tokens to come.",
    visible=(
        Case("the first tokens: no cache yet", _kv(0, 2, seed=300)),
        Case("one new token after three", _kv(3, 1, d=3, seed=310)),
        Case("three new tokens after two, values of another size", _kv(2, 3, dv=1, seed=320)),
        Case("two new tokens after two", _kv(2, 2, seed=330)),
        Case("two sentences at once", _kv(3, 2, 2, dv=3, seed=340)),
        Case("two sentences, two old and two new tokens", _kv(2, 2, 2, seed=350)),
        late(
            "old tokens are whole numbers, new ones are not",
            (
                (np.array([[1, 0], [2, -1]]), np.array([[3, 4], [0, 1]])),
                tidy(1, 2, seed=352),
                tidy(1, 2, seed=353),
            ),
        ),
        late(
            "the last token once more",
            (_kv(2, 1, seed=354)[0], *(a[-1:] for a in _kv(2, 1, seed=354)[0])),
        ),
        late("a batch of one", _kv(2, 1, 1, d=3, seed=355)),
    ),
    hidden=(
        Case("a first chunk, values of another size", _kv(0, 5, d=6, dv=4, seed=360, make=rough)),
        Case("a long past", _kv(7, 2, d=6, dv=4, seed=370, make=rough)),
        Case("a batch with heads", _kv(5, 1, 2, 3, d=6, dv=4, seed=380, make=rough)),
        Case("many equal sizes", _kv(3, 3, 3, 3, d=3, dv=3, seed=390, make=rough)),
        Case("a batch with heads and no cache yet", _kv(0, 2, 2, 3, d=6, dv=4, seed=400)),
        Case(
            "whole numbers",
            (
                (np.arange(6).reshape(3, 2), np.arange(10, 16).reshape(3, 2)),
                np.array([[20, 21]]),
                np.array([[30, 31]]),
            ),
        ),
        late("a very long past", _kv(FAR, 2, d=2, dv=1, seed=445, make=rough)),
        late("a long first chunk", _kv(0, FAR, d=2, dv=3, seed=446, make=rough)),
        late("a long chunk after a short past", _kv(1, FAR, d=1, dv=2, seed=447, make=rough)),
        late("values wider than keys", _kv(4, 3, 2, d=2, dv=7, seed=448, make=rough)),
        late("many features", _kv(2, 3, d=WIDE, dv=LONG, seed=449, make=rough)),
        late(
            "one token after one, in a batch of one", _kv(1, 1, 1, d=1, dv=1, seed=450, make=rough)
        ),
        late(
            "old tokens are whole numbers, new ones are not",
            (
                (np.arange(6).reshape(3, 2), np.arange(9).reshape(3, 3)),
                rough(2, 2, seed=452),
                rough(2, 3, seed=453),
            ),
        ),
        late(
            "the last token once more",
            (
                _kv(4, 1, 2, seed=454, make=rough)[0],
                *(a[..., -1:, :] for a in _kv(4, 1, 2, seed=454, make=rough)[0]),
            ),
        ),
    ),
    promises=(
        Promise(
            "a second continuation of one cache is not touched by the first",
            "same_after_another_call",
            (_kv(2, 1, seed=410), (_kv(2, 1, seed=410)[0], *_kv(0, 2, seed=420)[1:])),
            (
                _kv(4, 2, 3, d=6, dv=4, seed=430, make=rough),
                (
                    _kv(4, 2, 3, d=6, dv=4, seed=430, make=rough)[0],
                    *_kv(0, 3, 3, d=6, dv=4, seed=440, make=rough)[1:],
                ),
            ),
        ),
        Promise(
            "after many tokens, one by one, the cache holds all of them",
            "every_token_is_kept",
            (LONG, _kv(3, 1, seed=310)[0]),
            (LONG, _kv(2, 1, d=3, dv=3, seed=451, make=rough)[0]),
        ),
    ),
    hints=(
        "Think of the shapes: old keys `[..., 3, d]` and new keys `[..., 1, d]` become "
        "`[..., 4, d]`. Which axis grows, counted from the end?",
        "`np.concatenate` joins a list of arrays along the axis that you name. The order in the "
        "list is the order in the result. And when `cache` is None there is nothing to join.",
        "If `cache` is None, return copies of `k_new` and `v_new`. Else take `k, v` out of "
        "`cache` and return `np.concatenate([k, k_new], axis=-2)`, and the same for the values.",
    ),
    of_one_kind=True,
)


# --- known mistakes ------------------------------------------------------------------------------


def appending(join, first=lambda new: new):
    """A wrong way to join past and new, used for keys and values alike."""

    def append_kv(cache, k_new, v_new):
        if cache is None:
            return first(k_new), first(v_new)
        return join(cache[0], k_new), join(cache[1], v_new)

    return append_kv


APPEND_KV.mistake(
    "new_first",
    "Your new tokens stand in front of the old ones. They come after them: rows of the "
    "cache are in the order of the sentence.",
    appending(lambda past, new: join(new, past)),
)

APPEND_KV.mistake(
    "past_reordered",
    "The old tokens have changed their order. No output would ever show that; the rows "
    "still must stay in the order of the sentence.",
    appending(lambda past, new: join(past[..., ::-1, :], new)),
)

APPEND_KV.mistake(
    "axis_0",
    "You join along axis 0. For one sentence that is the sequence; for a batch it is the "
    "sentences. Which number, counted from the end, is the sequence axis always?",
    appending(lambda past, new: np.concatenate([past, new], axis=0)),
    appending(lambda past, new: np.vstack([past, new])),
)

APPEND_KV.mistake(
    "axis_1",
    "You join along axis 1. For one sentence those are the features; the sequence is axis "
    "1 only in a batch. Count the axes from the end.",
    appending(lambda past, new: np.concatenate([past, new], axis=1)),
    appending(lambda past, new: np.hstack([past, new])),
)

APPEND_KV.mistake(
    "axis_2",
    "You join along axis 2, which exists only when there are leading axes. Count from the "
    "end: which axis holds the sequence in every case?",
    appending(lambda past, new: np.concatenate([past, new], axis=2)),
)

APPEND_KV.mistake(
    "last_axis",
    "You join along the last axis, so vectors get longer. The cache should get more rows: "
    "the sequence is the axis before the last.",
    appending(lambda past, new: np.concatenate([past, new], axis=-1)),
)

APPEND_KV.mistake(
    "flat",
    "Your cache is one long line of numbers: `np.append` without an axis forgets the "
    "shape. Name the sequence axis.",
    appending(lambda past, new: np.append(past, new)),
)


def _flat_and_reshaped(past, new):
    shape = list(past.shape)
    shape[-2] += new.shape[-2]
    return np.append(past, new).reshape(shape)


APPEND_KV.mistake(
    "flat_then_reshaped",
    "Right for one sentence, but in a batch numbers move from one sentence to another: "
    "you join everything in one line and reshape it. Join along the sequence axis.",
    appending(_flat_and_reshaped),
)

APPEND_KV.mistake(
    "stacked",
    "`np.stack` makes a new axis. The new rows belong on the sequence axis that is there already.",
    appending(lambda past, new: np.stack([past, new])),
    appending(lambda past, new: np.array([past, new])),
    appending(lambda past, new: np.stack([past, new], axis=-2)),
)

APPEND_KV.mistake(
    "added",
    "You add the new numbers to the old ones. Nothing old may change: put the new rows after them.",
    appending(lambda past, new: past + new),
)


def _chunks_in_a_list(cache, k_new, v_new):
    if cache is None:
        return [k_new], [v_new]
    return [cache[0], k_new], [cache[1], v_new]


APPEND_KV.mistake(
    "chunks_in_a_list",
    "You keep the chunks in a list. Join them to one array with a row for each token.",
    _chunks_in_a_list,
    appending(lambda past, new: [past, new]),
    appending(lambda past, new: (past, new)),
)

APPEND_KV.mistake(
    "four_arrays",
    "You join the two tuples, not the arrays in them: your cache holds four arrays. It "
    "should stay a pair, with longer arrays.",
    lambda cache, k, v: (k, v) if cache is None else (*cache, k, v),
)


@APPEND_KV.mistake(
    "parts_exchanged", "You return the values first. The cache is `(k, v)`: keys first."
)
def _parts_swapped(cache, k_new, v_new):
    k, v = append(cache, k_new, v_new)
    return v, k


@APPEND_KV.mistake(
    "new_parts_exchanged",
    "The new keys go to the old values, and the new values to the old keys. Keys belong to keys.",
)
def _new_parts_swapped(cache, k_new, v_new):
    return append(cache, v_new, k_new)


APPEND_KV.mistake(
    "keys_twice",
    "The second array of your cache holds the keys again. It should hold the values.",
    lambda cache, k, v: (append(cache, k, v)[0],) * 2,
)

APPEND_KV.mistake(
    "only_new",
    "Your cache holds the new tokens only. OpenAI's code returns that and joins "
    "elsewhere; here the returned cache holds the past and the new tokens.",
    lambda cache, k, v: (k, v),
)

APPEND_KV.mistake(
    "not_updated",
    "The cache comes back as it was, without the new tokens. The next step would not know of them.",
    lambda cache, k, v: (k, v) if cache is None else cache,
)

APPEND_KV.mistake(
    "values_not_updated",
    "Your keys grow, your values do not. Each key needs the value of the same token.",
    lambda cache, k, v: (append(cache, k, v)[0], v if cache is None else cache[1]),
    lambda cache, k, v: (append(cache, k, v)[0], v),
)

APPEND_KV.mistake(
    "appended_twice",
    "Your new tokens are in the cache twice. Each token gets one row.",
    appending(lambda past, new: join(join(past, new), new)),
    appending(lambda past, new: join(join(past, new), new), lambda new: join(new, new)),
)

APPEND_KV.mistake(
    "newest_lost",
    "The newest token is missing. The tokens after it must see it, so it needs its row too.",
    appending(lambda past, new: join(past, new)[..., :-1, :]),
    appending(lambda past, new: join(past, new)[..., :-1, :], lambda new: new[..., :-1, :]),
)

APPEND_KV.mistake(
    "oldest_dropped",
    "Your cache keeps its size: for every new token an old one is dropped. It should grow.",
    appending(lambda past, new: join(past, new)[..., -past.shape[-2] :, :]),
    appending(lambda past, new: join(past, new)[..., new.shape[-2] :, :]),
    appending(lambda past, new: join(past[..., 1:, :], new)),
)

APPEND_KV.mistake(
    "only_last_new",
    "Of several new tokens you keep only the last. All of them belong into the cache.",
    appending(lambda past, new: join(past, new[..., -1:, :])),
    appending(lambda past, new: join(past, new[..., -1:, :]), lambda n: n[..., -1:, :]),
)

APPEND_KV.mistake(
    "only_first_new",
    "Of several new tokens you keep only the first. All of them belong into the cache.",
    appending(lambda past, new: join(past, new[..., :1, :])),
    appending(lambda past, new: join(past, new[..., :1, :]), lambda n: n[..., :1, :]),
)


def _none_unpacked(cache, k_new, v_new):
    k, v = cache
    return join(k, k_new), join(v, v_new)


def _none_indexed(cache, k_new, v_new):
    return join(cache[0], k_new), join(cache[1], v_new)


def _none_unpacked_axis_0(cache, k_new, v_new):
    k, v = cache
    return np.concatenate([k, k_new]), np.concatenate([v, v_new])


def _none_indexed_axis_0(cache, k_new, v_new):
    return np.concatenate([cache[0], k_new]), np.concatenate([cache[1], v_new])


APPEND_KV.mistake(
    "none_not_handled",
    "The first call has no cache: then `cache` is None and cannot be taken apart. What "
    "should the cache hold after the first tokens?",
    _none_unpacked,
    _none_indexed,
    _none_unpacked_axis_0,
    _none_indexed_axis_0,
)


def _zero_row(new):
    return join(np.zeros_like(new[..., :1, :]), new)


APPEND_KV.mistake(
    "starts_with_zeros",
    "Your cache begins with a row of zeros. That is a token that never was; without a "
    "cache, the new rows are all there is.",
    appending(join, _zero_row),
)

APPEND_KV.mistake(
    "first_tokens_lost",
    "After the first call your cache is empty. It should hold the first tokens.",
    appending(join, lambda new: new[..., :0, :]),
    lambda cache, k, v: None if cache is None else append(cache, k, v),
)


def _overwrites_the_end(cache, k_new, v_new):
    if cache is None:
        return k_new, v_new
    for past, new in zip(cache, (k_new, v_new), strict=True):
        n = new.shape[-2]
        past[..., -n:, :] = new
    return cache


def _overwrites_round_robin(cache, k_new, v_new):
    if cache is None:
        return k_new, v_new
    for past, new in zip(cache, (k_new, v_new), strict=True):
        for i in range(new.shape[-2]):
            past[..., i % past.shape[-2], :] = new[..., i, :]
    return cache


APPEND_KV.mistake(
    "written_into_cache",
    "You write the new rows over old ones in the caller's cache. Make a new, longer array "
    "and leave the old cache as it was.",
    _overwrites_the_end,
    _overwrites_round_robin,
)


@APPEND_KV.mistake(
    "assigned_to_cache",
    "You put the new arrays into the cache you were given. It is a tuple, which refuses "
    "that, and the caller may still need it as it was. Return a new pair.",
)
def _assigns_to_cache(cache, k_new, v_new):
    if cache is None:
        return k_new, v_new
    cache[0] = join(cache[0], k_new)
    cache[1] = join(cache[1], v_new)
    return cache


def _appends_to_tuple(cache, k_new, v_new):
    if cache is None:
        return k_new, v_new
    cache.append((k_new, v_new))
    return cache


def _appends_to_arrays(cache, k_new, v_new):
    if cache is None:
        return k_new, v_new
    k, v = cache
    k.append(k_new)
    v.append(v_new)
    return k, v


APPEND_KV.mistake(
    "list_append",
    "`append` is for lists; the cache is a pair of arrays. Which NumPy function joins two "
    "arrays to a longer one?",
    _appends_to_tuple,
    _appends_to_arrays,
)

APPEND_KV.mistake(
    "keys_transposed",
    "You keep the keys transposed. Keep them as they come, a row for each token; the "
    "transpose belongs to the scores.",
    lambda cache, k, v: (flip(append(cache, k, v)[0]), append(cache, k, v)[1]),
)


@APPEND_KV.mistake(
    "list_of_pairs",
    "You collect pairs in a list, one for each call. The cache is one pair `(k, v)`: its two "
    "arrays grow with the text.",
)
def _as_list_of_pairs(cache, k_new, v_new):
    return [*(cache or ()), (k_new, v_new)]


@APPEND_KV.mistake(
    "dictionary_returned",
    "You return a dictionary. The next step takes the cache apart as a pair. Return `(k, v)`.",
)
def _as_dictionary(cache, k_new, v_new):
    k, v = append(cache, k_new, v_new)
    return {"k": k, "v": v}


APPEND_KV.mistake(
    "half_precision",
    "The numbers are too coarse: they went through float16. Keep the type of the input.",
    appending(lambda p, n: join(p, n).astype("f2"), lambda n: n.astype("f2")),
    appending(lambda p, n: join(p, n).astype("f2")),
)

# --- unusual, and right --------------------------------------------------------------------------

APPEND_KV.also_right("np.append with an axis", appending(lambda p, n: np.append(p, n, axis=-2)))

APPEND_KV.also_right("a list of two", lambda cache, k, v: list(append(cache, k, v)))


def _preallocated(past, new):
    n_past, n_new = past.shape[-2], new.shape[-2]
    both = np.empty((*past.shape[:-2], n_past + n_new, past.shape[-1]))
    both[..., :n_past, :] = past
    both[..., n_past:, :] = new
    return both


APPEND_KV.also_right("an array that is filled", appending(_preallocated))


@APPEND_KV.also_right("an empty cache at first")
def _from_an_empty_cache(cache, k_new, v_new):
    past_k, past_v = cache or (k_new[..., :0, :], v_new[..., :0, :])
    return join(past_k, k_new), join(past_v, v_new)


APPEND_KV.also_right(
    "np.insert at the end",
    appending(
        lambda p, n: np.insert(p.astype(float), [p.shape[-2]] * n.shape[-2], n, axis=-2),
    ),
)


def _by_examples(past, new):
    if past.ndim == 2:
        return np.array([*past, *new])
    return np.stack([_by_examples(p, n) for p, n in zip(past, new, strict=True)])


APPEND_KV.also_right("sentence by sentence", appending(_by_examples))


def _padded(past, new):
    widths = [(0, 0)] * past.ndim
    after, before = widths.copy(), widths.copy()
    after[-2], before[-2] = (0, new.shape[-2]), (past.shape[-2], 0)
    return np.pad(past, after) + np.pad(new, before)


APPEND_KV.also_right("padded and added", appending(_padded))

APPEND_KV.also_right(
    "transposed and joined along the last axis",
    appending(lambda p, n: flip(np.concatenate([flip(p), flip(n)], axis=-1))),
)

APPEND_KV.also_right(
    "the axis counted from the front",
    appending(lambda p, n: np.concatenate((p, n), axis=p.ndim - 2)),
)

APPEND_KV.also_right("float32", appending(lambda p, n: join(p.astype("f4"), n.astype("f4"))))


def new_first(cache, k_new, v_new):
    if cache is None:
        return k_new, v_new
    return join(k_new, cache[0]), join(v_new, cache[1])


# --- its steps, and how each of them goes wrong --------------------------------------------------


def _build(order, axis, keys, values, out):
    def append_kv(cache, k_new, v_new):
        if cache is None:
            return out(k_new, v_new)
        k, v = cache
        pair = [keys(k, k_new), values(v, v_new)]
        joined = [np.concatenate(p if order == 1 else p[::-1], axis=axis) for p in pair]
        return out(*joined)

    return append_kv


_PARTS = (
    Wrong("old_twice", "The old ones are joined with themselves.", lambda a, b: (a, a)),
    Wrong("new_twice", "The new ones are joined with themselves.", lambda a, b: (b, b)),
    Wrong(
        "old_backwards",
        "The old ones stand in reverse order.",
        lambda a, b: (a[..., ::-1, :], b),
    ),
    Wrong("oldest_dropped", "The oldest is dropped.", lambda a, b: (a[..., 1:, :], b)),
    Wrong(
        "only_last_new",
        "Only the last of the new ones is kept.",
        lambda a, b: (a, b[..., -1:, :]),
    ),
    Wrong(
        "only_first_new",
        "Only the first of the new ones is kept.",
        lambda a, b: (a, b[..., :1, :]),
    ),
)


APPEND_KV.steps = Steps(
    _build,
    {"order": 1, "axis": -2, "keys": lambda a, b: (a, b), "values": lambda a, b: (a, b), "out": lambda k, v: (k, v)},
    {
        "order": (Wrong("new_first", _("The new ones stand before the old ones."), -1),),
        "axis": (
            Wrong("joined_along_features", _("They are joined along the last axis, not along the tokens."), -1),
            Wrong("joined_along_axis_0", _("They are joined along axis 0, whatever that is."), 0),
        ),
        "keys": tuple(Wrong(f"keys_{w.id}", f"Keys: {w.sentence}", w.way) for w in _PARTS),
        "values": tuple(Wrong(f"values_{w.id}", f"Values: {w.sentence}", w.way) for w in _PARTS),
        "out": (
            Wrong("parts_exchanged", _("Values are returned first, keys second."), lambda k, v: (v, k)),
            Wrong("keys_twice", _("The keys are returned twice."), lambda k, v: (k, k)),
            Wrong("values_twice", _("The values are returned twice."), lambda k, v: (v, v)),
        ),
    },
)  # fmt: skip
