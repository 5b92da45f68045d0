"""Exercises of lesson 03: the key-value cache of one head."""

import numpy as np

from autograder.exercises.kit import (
    FAR,
    LONG,
    WIDE,
    Case,
    Exercise,
    Mistake,
    Promise,
    Question,
    Right,
    far_ahead,
    late,
    rough,
    tidy,
)

LESSON = "03_kv_cache"


# --- right pieces, from which wrong and unusual implementations are put together ---------------


def _flip(array):
    return np.swapaxes(array, -1, -2)


def _softmax(scores):
    exp = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return exp / exp.sum(axis=-1, keepdims=True)


def _mask(n_new, n_past):
    return np.tri(n_new, n_past + n_new, n_past, dtype=bool)


def _join(past, new):
    return np.concatenate([past, new], axis=-2)


def _append(cache, k_new, v_new):
    if cache is None:
        return k_new, v_new
    return _join(cache[0], k_new), _join(cache[1], v_new)


def _scores(q, k):
    return q @ _flip(k) / np.sqrt(q.shape[-1])


def _blend(q, k, v, mask):
    return _softmax(np.where(mask, _scores(q, k), -np.inf)) @ v


def _attend(q_new, k_new, v_new, cache):
    k, v = _append(cache, k_new, v_new)
    n_new = q_new.shape[-2]
    return _blend(q_new, k, v, _mask(n_new, k.shape[-2] - n_new)), (k, v)


def _rows(array, start, stop):
    return array[..., start:stop, :]


# --- cached_causal_mask -----------------------------------------------------------------------


def _mask_loops(n_new, n_past):
    return np.array([[j <= i + n_past for j in range(n_past + n_new)] for i in range(n_new)])


def _mask_by_columns(n_new, n_past):
    mask = np.zeros((n_new, n_past + n_new), dtype=bool)
    for column in range(n_past + n_new):
        mask[max(0, column - n_past) :, column] = True
    return mask


def _wrong_mask(id, message, *masks):
    """A mistake in a mask, whether it is made of True and False or of 1 and 0."""
    numbers = [lambda n, p, mask=mask: mask(n, p).astype(float) for mask in masks]
    return Mistake(id, message, *masks, *numbers)


CACHED_CAUSAL_MASK = Exercise(
    name="cached_causal_mask",
    lesson=LESSON,
    visible=(
        Case("two new tokens after three old ones", (2, 3)),
        Case("one new token after four old ones", (1, 4)),
        Case("three new tokens after one old one", (3, 1)),
        Case("three tokens and nothing in the cache", (3, 0)),
        Case("the very first token", (1, 0)),
    ),
    hidden=(
        Case("more old tokens than new ones", (3, 5)),
        Case("more new tokens than old ones", (5, 2)),
        Case("as many of both", (4, 4)),
        Case("one token after a long past", (1, 9)),
        Case("a long first chunk", (7, 0)),
        late("a very long past", (3, FAR)),
        late("a long first chunk", (LONG, 0)),
        late("a long chunk after a long past", (LONG, LONG + 6)),
        late("one token after one", (1, 1)),
    ),
    promises=(),
    mistakes=(
        _wrong_mask(
            "top_left",
            "Your triangle starts in the upper left corner, so the first new token sees only the "
            "first old one. The columns hold the past first: a new token sees all of it. By how "
            "many columns must the triangle move?",
            lambda n, p: np.tri(n, p + n, dtype=bool),
        ),
        _wrong_mask(
            "shifted_the_wrong_way",
            "Your triangle is shifted to the wrong side: the past makes your new tokens see "
            "less. It must make them see more.",
            lambda n, p: np.tri(n, p + n, -p, dtype=bool),
        ),
        _wrong_mask(
            "all_visible",
            "Your mask hides nothing when there is a past. That is right for one new token. With "
            "several, the first of them must not see the ones after it.",
            lambda n, p: np.ones((n, p + n), dtype=bool),
            lambda n, p: np.ones((n, p + n), dtype=bool) if p else np.tri(n, dtype=bool),
        ),
        _wrong_mask(
            "new_tokens_only",
            "Your mask has columns for the new tokens only. The keys of the past stand in front "
            "of them, and each needs a column too.",
            lambda n, p: np.tri(n, dtype=bool),
        ),
        _wrong_mask(
            "rows_for_old_tokens",
            "Your mask has rows for the old tokens as well. Rows are queries, and only new tokens "
            "bring one.",
            lambda n, p: np.tri(n + p, dtype=bool),
        ),
        _wrong_mask(
            "transposed",
            "Rows and columns are swapped. A row belongs to a new token's query, a column to a "
            "key.",
            lambda n, p: _mask(n, p).T,
        ),
        _wrong_mask(
            "inverted",
            "Your mask says True where a token must not look. Here True means: may look.",
            lambda n, p: ~_mask(n, p),
        ),
        _wrong_mask(
            "upper_triangle",
            "Your mask lets each new token see itself and what comes after it. It should see "
            "itself and what came before.",
            lambda n, p: np.triu(np.ones((n, p + n), dtype=bool), p),
        ),
        _wrong_mask(
            "moved_by_the_new",
            "Your triangle is moved by the number of new tokens. It must move by the number of "
            "old ones: row 0 sees all of them, and itself.",
            lambda n, p: np.tri(n, p + n, n, dtype=bool),
        ),
        _wrong_mask(
            "columns_for_rows",
            "Your rows are all tokens and your columns the new ones. It is the other way round: "
            "rows are the new tokens, columns are the old and the new ones.",
            lambda n, p: np.tri(p + n, dtype=bool)[:, p:],
        ),
        _wrong_mask(
            "not_itself",
            "Your new tokens do not see themselves. Each sees the past, the new tokens before it, "
            "and itself.",
            lambda n, p: np.tri(n, p + n, p - 1, dtype=bool),
        ),
        _wrong_mask(
            "one_too_many",
            "Each of your new tokens sees one token too many: its successor. Where does row 0 "
            "have its last True? Count the past and the token itself.",
            lambda n, p: np.tri(n, p + n, p + 1, dtype=bool),
        ),
        _wrong_mask(
            "past_hidden",
            "Your new tokens see each other, but not the past. The past is what the cache was "
            "kept for: all of it is visible.",
            lambda n, p: np.hstack([np.zeros((n, p), dtype=bool), np.tri(n, dtype=bool)]),
        ),
        _wrong_mask(
            "past_on_the_right",
            "Your columns of the past stand on the right. In the cache the old keys come first, "
            "so they are the columns on the left.",
            lambda n, p: np.hstack([np.tri(n, dtype=bool), np.ones((n, p), dtype=bool)]),
        ),
        _wrong_mask(
            "mirrored",
            "Your triangle is mirrored: the first new token sees the most. The later a token "
            "comes, the more it sees.",
            lambda n, p: _mask(n, p)[::-1],
            lambda n, p: _mask(n, p)[:, ::-1],
        ),
        _wrong_mask(
            "diagonal_only",
            "Each of your new tokens sees only itself. It should also see the past and the new "
            "tokens before it.",
            lambda n, p: np.eye(n, p + n, p, dtype=bool),
        ),
        _wrong_mask(
            "new_tokens_apart",
            "Your new tokens see the past and themselves, but not the new tokens before them. "
            "Among the new tokens the usual triangle holds.",
            lambda n, p: np.hstack([np.ones((n, p), dtype=bool), np.eye(n, dtype=bool)]),
        ),
        _wrong_mask(
            "arguments_exchanged",
            "The two numbers have changed places: you make a row for each old token. Rows are for "
            "the new ones; check the order of the arguments.",
            lambda n, p: _mask(p, n),
        ),
        _wrong_mask(
            "fixed_size",
            "Your mask has the same size for every input. Use `n_new` and `n_past` instead of a "
            "fixed number.",
            lambda n, p: np.tri(4, dtype=bool),
            lambda n, p: _mask(2, 3),
        ),
        _wrong_mask(
            "fixed_past",
            "You have a fixed number of old tokens. `n_past` says how many there are; 0 is "
            "possible too.",
            lambda n, p: _mask(n, 3),
            lambda n, p: _mask(n, 4),
            lambda n, p: _mask(n, 1),
        ),
        _wrong_mask(
            "one_row",
            "You return one row. Every new token needs a row of its own, even if there is only "
            "one new token. (An index such as `[a]` takes one row and drops the axis, a slice "
            "such as `[a:]` takes several.)",
            lambda n, p: _mask(n, p)[-1],
            lambda n, p: _mask(n, p)[0],
            lambda n, p: np.ones(p + n, dtype=bool),
        ),
        _wrong_mask(
            "one_column_short",
            "One column is missing: there are `n_past` old keys and `n_new` new ones.",
            lambda n, p: _mask(n, p)[:, 1:],
            lambda n, p: _mask(n, p)[:, :-1],
        ),
        Mistake(
            "additive_mask",
            "You return 0 and minus infinity, a mask that is added to scores. This exercise asks "
            "for True where a token may look and False elsewhere.",
            lambda n, p: np.where(_mask(n, p), 0.0, -np.inf),
            lambda n, p: np.where(_mask(n, p), 0.0, -1e10),
            lambda n, p: np.where(_mask(n, p), 0.0, -1e9),
        ),
        Mistake(
            "list_returned",
            "The rows are right, but you return a list. Return a NumPy array.",
            lambda n, p: _mask(n, p).tolist(),
        ),
    ),
    right=(
        Right("np.tril of ones", lambda n, p: np.tril(np.ones((n, p + n), dtype=bool), p)),
        Right("not np.triu", lambda n, p: ~np.triu(np.ones((n, p + n), dtype=bool), p + 1)),
        Right("the last rows of a larger triangle", lambda n, p: np.tri(p + n, dtype=bool)[p:]),
        Right(
            "comparing positions",
            lambda n, p: np.arange(p + n) <= np.arange(p, p + n)[:, None],
        ),
        Right(
            "a block of ones beside a triangle",
            lambda n, p: np.hstack([np.ones((n, p), dtype=bool), np.tri(n, dtype=bool)]),
        ),
        Right("loops", _mask_loops),
        Right("column by column", _mask_by_columns),
        Right(
            "np.fromfunction",
            lambda n, p: np.fromfunction(lambda i, j: i >= j - p, (n, p + n)),
        ),
        Right("0 and 1 as integers", lambda n, p: _mask(n, p).astype(int)),
        Right("0 and 1 as floats", lambda n, p: np.tri(n, p + n, p)),
        Right(
            "np.tril_indices",
            lambda n, p: _true_at(np.tril_indices(n, p, p + n), (n, p + n)),
        ),
    ),
    hints=(
        "Rows are the new tokens, columns are all keys: first the past, then the new ones. How "
        "many columns does the first new token see, itself included?",
        "New token i stands at position `n_past + i`. It may look at column j if j is not larger "
        "than that position. So the triangle is the usual one, moved to the right by `n_past`.",
        "`np.tri(rows, columns, k, dtype=bool)` makes a triangle that is moved to the right by "
        "`k` columns. Which of your two numbers is `k`, and what are `rows` and `columns`?",
    ),
)


def _true_at(indices, shape):
    mask = np.zeros(shape, dtype=bool)
    mask[indices] = True
    return mask


# --- append_kv --------------------------------------------------------------------------------


def _appending(join, first=lambda new: new):
    """A wrong way to join past and new, used for keys and values alike."""

    def append_kv(cache, k_new, v_new):
        if cache is None:
            return first(k_new), first(v_new)
        return join(cache[0], k_new), join(cache[1], v_new)

    return append_kv


def _none_unpacked(cache, k_new, v_new):
    k, v = cache
    return _join(k, k_new), _join(v, v_new)


def _none_indexed(cache, k_new, v_new):
    return _join(cache[0], k_new), _join(cache[1], v_new)


def _none_unpacked_axis_0(cache, k_new, v_new):
    k, v = cache
    return np.concatenate([k, k_new]), np.concatenate([v, v_new])


def _none_indexed_axis_0(cache, k_new, v_new):
    return np.concatenate([cache[0], k_new]), np.concatenate([cache[1], v_new])


def _zero_row(new):
    return _join(np.zeros_like(new[..., :1, :]), new)


def _parts_swapped(cache, k_new, v_new):
    k, v = _append(cache, k_new, v_new)
    return v, k


def _new_parts_swapped(cache, k_new, v_new):
    return _append(cache, v_new, k_new)


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


def _assigns_to_cache(cache, k_new, v_new):
    if cache is None:
        return k_new, v_new
    cache[0] = _join(cache[0], k_new)
    cache[1] = _join(cache[1], v_new)
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


def _chunks_in_a_list(cache, k_new, v_new):
    if cache is None:
        return [k_new], [v_new]
    return [cache[0], k_new], [cache[1], v_new]


def _as_dictionary(cache, k_new, v_new):
    k, v = _append(cache, k_new, v_new)
    return {"k": k, "v": v}


def _flat_and_reshaped(past, new):
    shape = list(past.shape)
    shape[-2] += new.shape[-2]
    return np.append(past, new).reshape(shape)


def _preallocated(past, new):
    n_past, n_new = past.shape[-2], new.shape[-2]
    both = np.empty((*past.shape[:-2], n_past + n_new, past.shape[-1]))
    both[..., :n_past, :] = past
    both[..., n_past:, :] = new
    return both


def _by_examples(past, new):
    if past.ndim == 2:
        return np.array([*past, *new])
    return np.stack([_by_examples(p, n) for p, n in zip(past, new, strict=True)])


def _padded(past, new):
    widths = [(0, 0)] * past.ndim
    after, before = widths.copy(), widths.copy()
    after[-2], before[-2] = (0, new.shape[-2]), (past.shape[-2], 0)
    return np.pad(past, after) + np.pad(new, before)


def _from_an_empty_cache(cache, k_new, v_new):
    past_k, past_v = cache or (k_new[..., :0, :], v_new[..., :0, :])
    return _join(past_k, k_new), _join(past_v, v_new)


def _kv(n_past, n_new, *leading, d=2, dv=2, seed, make=tidy):
    """Arguments of append_kv: a cache of n_past tokens, and n_new tokens."""
    new = make(*leading, n_new, d, seed=seed), make(*leading, n_new, dv, seed=seed + 1)
    if n_past == 0:
        return None, *new
    past = make(*leading, n_past, d, seed=seed + 2), make(*leading, n_past, dv, seed=seed + 3)
    return past, *new


APPEND_KV = Exercise(
    name="append_kv",
    lesson=LESSON,
    visible=(
        Case("the first tokens: no cache yet", _kv(0, 2, seed=300)),
        Case("one new token after three", _kv(3, 1, seed=310)),
        Case("three new tokens after two, values of another size", _kv(2, 3, dv=1, seed=320)),
        Case("two new tokens after two", _kv(2, 2, seed=330)),
        Case("two sentences at once", _kv(3, 2, 2, dv=3, seed=340)),
        Case("two sentences, two old and two new tokens", _kv(2, 2, 2, seed=350)),
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
    ),
    mistakes=(
        Mistake(
            "new_first",
            "Your new tokens stand in front of the old ones. They come after them: rows of the "
            "cache are in the order of the sentence.",
            _appending(lambda past, new: _join(new, past)),
        ),
        Mistake(
            "past_reordered",
            "The old tokens have changed their order. No output would ever show that; the rows "
            "still must stay in the order of the sentence.",
            _appending(lambda past, new: _join(past[..., ::-1, :], new)),
        ),
        Mistake(
            "axis_0",
            "You join along axis 0. For one sentence that is the sequence; for a batch it is the "
            "sentences. Which number, counted from the end, is the sequence axis always?",
            _appending(lambda past, new: np.concatenate([past, new], axis=0)),
            _appending(lambda past, new: np.vstack([past, new])),
        ),
        Mistake(
            "axis_1",
            "You join along axis 1. For one sentence those are the features; the sequence is axis "
            "1 only in a batch. Count the axes from the end.",
            _appending(lambda past, new: np.concatenate([past, new], axis=1)),
            _appending(lambda past, new: np.hstack([past, new])),
        ),
        Mistake(
            "axis_2",
            "You join along axis 2, which exists only when there are leading axes. Count from the "
            "end: which axis holds the sequence in every case?",
            _appending(lambda past, new: np.concatenate([past, new], axis=2)),
        ),
        Mistake(
            "last_axis",
            "You join along the last axis, so vectors get longer. The cache should get more rows: "
            "the sequence is the axis before the last.",
            _appending(lambda past, new: np.concatenate([past, new], axis=-1)),
        ),
        Mistake(
            "flat",
            "Your cache is one long line of numbers: `np.append` without an axis forgets the "
            "shape. Name the sequence axis.",
            _appending(lambda past, new: np.append(past, new)),
        ),
        Mistake(
            "flat_then_reshaped",
            "Right for one sentence, but in a batch numbers move from one sentence to another: "
            "you join everything in one line and reshape it. Join along the sequence axis.",
            _appending(_flat_and_reshaped),
        ),
        Mistake(
            "stacked",
            "`np.stack` makes a new axis. The new rows belong on the sequence axis that is there "
            "already.",
            _appending(lambda past, new: np.stack([past, new])),
            _appending(lambda past, new: np.array([past, new])),
            _appending(lambda past, new: np.stack([past, new], axis=-2)),
        ),
        Mistake(
            "added",
            "You add the new numbers to the old ones. Nothing old may change: put the new rows "
            "after them.",
            _appending(lambda past, new: past + new),
        ),
        Mistake(
            "chunks_in_a_list",
            "You keep the chunks in a list. Join them to one array with a row for each token.",
            _chunks_in_a_list,
            _appending(lambda past, new: [past, new]),
            _appending(lambda past, new: (past, new)),
        ),
        Mistake(
            "four_arrays",
            "You join the two tuples, not the arrays in them: your cache holds four arrays. It "
            "should stay a pair, with longer arrays.",
            lambda cache, k, v: (k, v) if cache is None else (*cache, k, v),
        ),
        Mistake(
            "parts_exchanged",
            "You return the values first. The cache is `(k, v)`: keys first.",
            _parts_swapped,
        ),
        Mistake(
            "new_parts_exchanged",
            "The new keys go to the old values, and the new values to the old keys. Keys belong "
            "to keys.",
            _new_parts_swapped,
        ),
        Mistake(
            "keys_twice",
            "The second array of your cache holds the keys again. It should hold the values.",
            lambda cache, k, v: (_append(cache, k, v)[0],) * 2,
        ),
        Mistake(
            "only_new",
            "Your cache holds the new tokens only. OpenAI's code returns that and joins "
            "elsewhere; here the returned cache holds the past and the new tokens.",
            lambda cache, k, v: (k, v),
        ),
        Mistake(
            "not_updated",
            "The cache comes back as it was, without the new tokens. The next step would not know "
            "of them.",
            lambda cache, k, v: (k, v) if cache is None else cache,
        ),
        Mistake(
            "values_not_updated",
            "Your keys grow, your values do not. Each key needs the value of the same token.",
            lambda cache, k, v: (_append(cache, k, v)[0], v if cache is None else cache[1]),
            lambda cache, k, v: (_append(cache, k, v)[0], v),
        ),
        Mistake(
            "appended_twice",
            "Your new tokens are in the cache twice. Each token gets one row.",
            _appending(lambda past, new: _join(_join(past, new), new)),
            _appending(lambda past, new: _join(_join(past, new), new), lambda new: _join(new, new)),
        ),
        Mistake(
            "newest_lost",
            "The newest token is missing. The tokens after it must see it, so it needs its row "
            "too.",
            _appending(lambda past, new: _join(past, new)[..., :-1, :]),
            _appending(
                lambda past, new: _join(past, new)[..., :-1, :], lambda new: new[..., :-1, :]
            ),
        ),
        Mistake(
            "oldest_dropped",
            "Your cache keeps its size: for every new token an old one is dropped. It should grow.",
            _appending(lambda past, new: _join(past, new)[..., -past.shape[-2] :, :]),
            _appending(lambda past, new: _join(past, new)[..., new.shape[-2] :, :]),
            _appending(lambda past, new: _join(past[..., 1:, :], new)),
        ),
        Mistake(
            "only_last_new",
            "Of several new tokens you keep only the last. All of them belong into the cache.",
            _appending(lambda past, new: _join(past, new[..., -1:, :])),
            _appending(lambda past, new: _join(past, new[..., -1:, :]), lambda n: n[..., -1:, :]),
        ),
        Mistake(
            "only_first_new",
            "Of several new tokens you keep only the first. All of them belong into the cache.",
            _appending(lambda past, new: _join(past, new[..., :1, :])),
            _appending(lambda past, new: _join(past, new[..., :1, :]), lambda n: n[..., :1, :]),
        ),
        Mistake(
            "none_not_handled",
            "The first call has no cache: then `cache` is None and cannot be taken apart. What "
            "should the cache hold after the first tokens?",
            _none_unpacked,
            _none_indexed,
            _none_unpacked_axis_0,
            _none_indexed_axis_0,
        ),
        Mistake(
            "starts_with_zeros",
            "Your cache begins with a row of zeros. That is a token that never was; without a "
            "cache, the new rows are all there is.",
            _appending(_join, _zero_row),
        ),
        Mistake(
            "first_tokens_lost",
            "After the first call your cache is empty. It should hold the first tokens.",
            _appending(_join, lambda new: new[..., :0, :]),
            lambda cache, k, v: None if cache is None else _append(cache, k, v),
        ),
        Mistake(
            "written_into_cache",
            "You write the new rows over old ones in the caller's cache. Make a new, longer array "
            "and leave the old cache as it was.",
            _overwrites_the_end,
            _overwrites_round_robin,
        ),
        Mistake(
            "assigned_to_cache",
            "You put the new arrays into the cache you were given. It is a tuple, which refuses "
            "that, and the caller may still need it as it was. Return a new pair.",
            _assigns_to_cache,
        ),
        Mistake(
            "list_append",
            "`append` is for lists; the cache is a pair of arrays. Which NumPy function joins two "
            "arrays to a longer one?",
            _appends_to_tuple,
            _appends_to_arrays,
        ),
        Mistake(
            "keys_transposed",
            "You keep the keys transposed. Keep them as they come, a row for each token; the "
            "transpose belongs to the scores.",
            lambda cache, k, v: (_flip(_append(cache, k, v)[0]), _append(cache, k, v)[1]),
        ),
        Mistake(
            "dictionary_returned",
            "You return a dictionary. The next step takes the cache apart as a pair. Return "
            "`(k, v)`.",
            _as_dictionary,
        ),
        Mistake(
            "half_precision",
            "The numbers are too coarse: they went through float16. Keep the type of the input.",
            _appending(lambda p, n: _join(p, n).astype("f2"), lambda n: n.astype("f2")),
            _appending(lambda p, n: _join(p, n).astype("f2")),
        ),
    ),
    right=(
        Right("np.append with an axis", _appending(lambda p, n: np.append(p, n, axis=-2))),
        Right("a list of two", lambda cache, k, v: list(_append(cache, k, v))),
        Right("an array that is filled", _appending(_preallocated)),
        Right("an empty cache at first", _from_an_empty_cache),
        Right(
            "np.insert at the end",
            _appending(
                lambda p, n: np.insert(p, [p.shape[-2]] * n.shape[-2], n, axis=-2),
            ),
        ),
        Right("sentence by sentence", _appending(_by_examples)),
        Right("padded and added", _appending(_padded)),
        Right(
            "transposed and joined along the last axis",
            _appending(lambda p, n: _flip(np.concatenate([_flip(p), _flip(n)], axis=-1))),
        ),
        Right(
            "the axis counted from the front",
            _appending(lambda p, n: np.concatenate((p, n), axis=p.ndim - 2)),
        ),
        Right("float32", _appending(lambda p, n: _join(p.astype("f4"), n.astype("f4")))),
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


# --- attend_with_cache ------------------------------------------------------------------------


def _attending(seen=_append, mask=_mask, blend=_blend, kept=_append):
    """Attention whose keys, mask, blend or returned cache are made in another way."""

    def attend_with_cache(q_new, k_new, v_new, cache):
        k, v = seen(cache, k_new, v_new)
        n_new = q_new.shape[-2]
        out = blend(q_new, k, v, mask(n_new, k.shape[-2] - n_new))
        return out, kept(cache, k_new, v_new)

    return attend_with_cache


def _with_append(append):
    """Attention with another append_kv, both for what is seen and for what is kept."""
    return _attending(seen=append, kept=append)


def _weighing(weights_of):
    """Attention with another formula for the weights, from masked scores."""
    return _attending(blend=lambda q, k, v, mask: weights_of(_scores(q, k), mask) @ v)


def _scaling(scale):
    return _attending(
        blend=lambda q, k, v, mask: (
            _softmax(np.where(mask, q @ _flip(k) * scale(q, k), -np.inf)) @ v
        )
    )


def _hide(scores, mask):
    return np.where(mask, scores, -np.inf)


def _new_first(cache, k_new, v_new):
    if cache is None:
        return k_new, v_new
    return _join(k_new, cache[0]), _join(v_new, cache[1])


def _past_only(cache, k_new, v_new):
    return (k_new, v_new) if cache is None else cache


def _past_not_itself(q_new, k_new, v_new, cache):
    k, v = _past_only(cache, k_new, v_new)
    mask = True if cache is not None else _mask(q_new.shape[-2], 0)
    return _blend(q_new, k, v, mask), _append(cache, k_new, v_new)


def _past_reordered(cache, k_new, v_new):
    if cache is None:
        return k_new, v_new
    return _join(cache[0][..., ::-1, :], k_new), _join(cache[1][..., ::-1, :], v_new)


def _queries_cached(q_new, k_new, v_new, cache):
    out, (k, v) = _attend(q_new, k_new, v_new, cache)
    return out, (q_new, k, v)


def _outputs_cached(q_new, k_new, v_new, cache):
    out, (k, _v) = _attend(q_new, k_new, v_new, cache)
    return out, (k, out if cache is None else _join(cache[1], out))


def _outputs_as_third(q_new, k_new, v_new, cache):
    out, (k, v) = _attend(q_new, k_new, v_new, cache)
    return out, (k, v, out)


def _weights_returned(q_new, k_new, v_new, cache):
    k, v = _append(cache, k_new, v_new)
    n_new = q_new.shape[-2]
    weights = _softmax(_hide(_scores(q_new, k), _mask(n_new, k.shape[-2] - n_new)))
    return weights @ v, weights


def _weights_as_third(q_new, k_new, v_new, cache):
    out, weights = _weights_returned(q_new, k_new, v_new, cache)
    return out, weights, _append(cache, k_new, v_new)


def _masked_by(mask_of):
    """Attention whose mask is made from the new queries, all keys and the old cache."""

    def attend_with_cache(q_new, k_new, v_new, cache):
        k, v = _append(cache, k_new, v_new)
        return _blend(q_new, k, v, mask_of(q_new, k, cache)), (k, v)

    return attend_with_cache


_counting_first_axis = (
    _masked_by(lambda q, k, cache: _mask(len(q), len(k) - len(q))),
    _masked_by(lambda q, k, cache: _mask(len(q), k.shape[-2] - len(q))),
    _masked_by(lambda q, k, cache: _mask(len(q), k.shape[-2] - q.shape[-2])),
    _masked_by(lambda q, k, cache: _mask(len(q), 0 if cache is None else len(cache[0]))),
    _masked_by(lambda q, k, cache: _mask(q.shape[-2], 0 if cache is None else len(cache[0]))),
)


def _scaled_keys_kept(cache, k_new, v_new):
    k, v = _append(cache, k_new, v_new)
    return k / np.sqrt(k.shape[-1]), v


def _half(cache, k_new, v_new):
    return tuple(part.astype("f2") for part in _append(cache, k_new, v_new))


def _half_out(q_new, k_new, v_new, cache):
    out, kept = _attend(q_new, k_new, v_new, cache)
    return out.astype("f2"), kept


def _none_in_attend(q_new, k_new, v_new, cache):
    k_past, v_past = cache
    k, v = _join(k_past, k_new), _join(v_past, v_new)
    n_new = q_new.shape[-2]
    return _blend(q_new, k, v, _mask(n_new, k_past.shape[-2])), (k, v)


def _past_counted_from_none(q_new, k_new, v_new, cache):
    k, v = _append(cache, k_new, v_new)
    mask = _mask(q_new.shape[-2], cache[0].shape[-2])
    return _blend(q_new, k, v, mask), (k, v)


class _Remembering:
    """Keeps its own cache from call to call and does not look at the one that it is given."""

    def __init__(self):
        self.cache = None

    def __call__(self, q_new, k_new, v_new, cache):
        if cache is None:
            self.cache = None
        out, self.cache = _attend(q_new, k_new, v_new, self.cache)
        return out, self.cache


def _changes_cache(q_new, k_new, v_new, cache):
    out, kept = _attend(q_new, k_new, v_new, cache)
    if cache is not None:
        cache[0][..., -1, :] = k_new[..., -1, :]
    return out, kept


def _changes_queries(q_new, k_new, v_new, cache):
    scale = np.sqrt(q_new.shape[-1])
    q_new /= scale
    return _attend(q_new * scale, k_new, v_new, cache)


def _pair_counted(q_new, k_new, v_new, cache):
    k, v = _append(cache, k_new, v_new)
    n_past = 0 if cache is None else len(cache)
    return _blend(q_new, k, v, _mask(q_new.shape[-2], n_past)), (k, v)


def _attend_token_by_token(q_new, k_new, v_new, cache):
    rows = []
    for t in range(q_new.shape[-2]):
        one = (_rows(array, t, t + 1) for array in (q_new, k_new, v_new))
        out, cache = _attend(*one, cache)
        rows.append(out)
    return np.concatenate(rows, axis=-2), cache


def _attend_prefix_loops(q_new, k_new, v_new, cache):
    k, v = _append(cache, k_new, v_new)
    n_past = k.shape[-2] - q_new.shape[-2]
    rows = []
    for i in range(q_new.shape[-2]):
        visible = n_past + i + 1
        weights = _softmax(_scores(_rows(q_new, i, i + 1), _rows(k, 0, visible)))
        rows.append(weights @ _rows(v, 0, visible))
    return np.concatenate(rows, axis=-2), [k, v]


def _attend_two_parts(q_new, k_new, v_new, cache):
    """Past and new tokens apart: two sums over one common denominator."""
    mask = _mask(q_new.shape[-2], 0)
    new = _hide(_scores(q_new, k_new), mask)
    if cache is None:
        return _softmax(new) @ v_new, (k_new, v_new)
    old = _scores(q_new, cache[0])
    top = np.maximum(old.max(axis=-1, keepdims=True), new.max(axis=-1, keepdims=True))
    old, new = np.exp(old - top), np.exp(new - top)
    total = old.sum(axis=-1, keepdims=True) + new.sum(axis=-1, keepdims=True)
    return (old @ cache[1] + new @ v_new) / total, _append(cache, k_new, v_new)


def _attend_einsum(q_new, k_new, v_new, cache):
    k, v = _append(cache, k_new, v_new)
    scores = np.einsum("...id,...jd->...ij", q_new, k) * q_new.shape[-1] ** -0.5
    mask = np.tri(k.shape[-2], dtype=bool)[-q_new.shape[-2] :]
    top = np.where(mask, scores, -np.inf).max(axis=-1, keepdims=True)
    weights = np.exp(np.minimum(scores - top, 0)) * mask
    weights /= weights.sum(axis=-1, keepdims=True)
    return np.einsum("...ij,...jd->...id", weights, v), (k, v)


def _shared_again(scores, mask):
    weights = _softmax(scores) * mask
    return weights / weights.sum(axis=-1, keepdims=True)


def _attend_float32(q_new, k_new, v_new, cache):
    single = (part.astype("f4") for part in (q_new, k_new, v_new))
    return _attend(*single, cache and tuple(part.astype("f4") for part in cache))


def _qkv(n_new, *leading, d=2, dv=2, seed, make=tidy):
    return (
        make(*leading, n_new, d, seed=seed),
        make(*leading, n_new, d, seed=seed + 1),
        make(*leading, n_new, dv, seed=seed + 2),
    )


def _attend_args(n_past, n_new, *leading, d=2, dv=2, seed, make=tidy):
    """Arguments of attend_with_cache: n_new tokens, and a cache of n_past."""
    new = _qkv(n_new, *leading, d=d, dv=dv, seed=seed, make=make)
    if n_past == 0:
        return *new, None
    return *new, _qkv(n_past, *leading, d=d, dv=dv, seed=seed + 3, make=make)[1:]


ATTEND_WITH_CACHE = Exercise(
    name="attend_with_cache",
    lesson=LESSON,
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
    ),
    promises=(
        Promise(
            "every way to cut the tokens into chunks gives what one pass gives",
            "every_chunking_is_one_pass",
            (*_qkv(4, seed=550), [3, 1], [1, 1, 2], [1, 1, 1, 1]),
            (*_qkv(9, 2, d=6, dv=4, seed=560, make=rough), [4, 1, 3, 1], [1] * 9, [2, 7]),
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
            (_qkv(2, seed=590), _qkv(2, seed=600), _qkv(1, seed=610)),
            (
                _qkv(4, 3, d=6, dv=4, seed=620, make=rough),
                _qkv(2, 3, d=6, dv=4, seed=630, make=rough),
                _qkv(3, 3, d=6, dv=4, seed=640, make=rough),
            ),
        ),
        Promise(
            "every sentence of a batch gives what it gives alone",
            "every_example_alone",
            (3, *_qkv(3, 2, seed=650), None),
            (3, *_qkv(4, 3, d=6, dv=4, seed=660, make=rough), None),
        ),
    ),
    mistakes=(
        Mistake(
            "past_not_seen",
            "Your new tokens look at each other only: whatever the cache holds, the result is the "
            "same. Queries are new; keys and values are those of the past as well, and no mask "
            "hides the past.",
            lambda q, k, v, cache: (
                _blend(q, k, v, _mask(q.shape[-2], 0)),
                _append(cache, k, v),
            ),
            lambda q, k, v, cache: _attend(q, k, v, None),
            _attending(mask=lambda n, p: np.hstack([np.zeros((n, p), bool), np.tri(n) > 0])),
        ),
        Mistake(
            "new_not_seen",
            "Your new tokens see the past, but not themselves. Append the new keys and values "
            "first, then attend.",
            _past_not_itself,
        ),
        Mistake(
            "new_first",
            "Your new tokens stand in front of the past. For a single new token the result is "
            "the same, for two it is not. Append at the end.",
            _with_append(_new_first),
            _attending(seen=_new_first),
            _attending(kept=_new_first),
        ),
        Mistake(
            "past_reordered",
            "Your results are right, but the old tokens in your cache have changed their order. "
            "No output shows that. The cache must keep the order of the sentence.",
            _attending(kept=_past_reordered),
            _with_append(_past_reordered),
        ),
        Mistake(
            "mask_top_left",
            "Your mask starts in the upper left corner: the first new token sees only the first "
            "old one. How many columns come before the new ones?",
            _attending(mask=lambda n, p: np.tri(n, p + n, dtype=bool)),
        ),
        Mistake(
            "nothing_hidden",
            "Your new tokens see new tokens that come after them. With one new token there is "
            "nothing to hide; with several the mask is needed.",
            _attending(mask=lambda n, p: True),
            _attending(mask=lambda n, p: np.ones((n, p + n), bool) if p else _mask(n, p)),
        ),
        Mistake(
            "mask_without_past",
            "Your mask has columns for the new tokens only, the scores have them for the past as "
            "well. Use your cached_causal_mask.",
            _attending(mask=lambda n, p: np.tri(n, dtype=bool)),
        ),
        Mistake(
            "mask_numbers_exchanged",
            "Your mask has the wrong shape: the numbers of new and old tokens have changed "
            "places. cached_causal_mask takes the new ones first.",
            _attending(mask=lambda n, p: _mask(p, n)),
        ),
        Mistake(
            "past_counted_twice",
            "You count too many old tokens: after appending, the keys hold the new ones as well. "
            "How many of them are old?",
            _attending(mask=lambda n, p: _mask(n, p + n)),
        ),
        Mistake(
            "pair_counted",
            "You count two old tokens, however many there are: `len(cache)` counts the arrays of "
            "the pair. Count the rows of the keys.",
            _pair_counted,
        ),
        Mistake(
            "sentences_counted",
            "Right for one sentence, not for a batch: `len` and `shape[0]` give the size of the "
            "first axis, which then counts sentences. Tokens are on the axis before the last.",
            *_counting_first_axis,
        ),
        Mistake(
            "mask_inverted",
            "Your tokens see only what they should not see. In the mask True means: may look.",
            _attending(mask=lambda n, p: ~_mask(n, p)),
        ),
        Mistake(
            "not_itself",
            "Your tokens do not see themselves. The very first token then sees nothing at all, "
            "which gives nan.",
            _attending(mask=lambda n, p: np.tri(n, p + n, p - 1, dtype=bool)),
        ),
        Mistake(
            "one_too_many",
            "Each of your tokens sees its successor. Its last visible column is its own.",
            _attending(mask=lambda n, p: np.tri(n, p + n, p + 1, dtype=bool)),
        ),
        Mistake(
            "new_tokens_apart",
            "Your new tokens do not see the new tokens before them. Append all of them first; the "
            "mask then hides only later ones.",
            _attending(mask=lambda n, p: np.hstack([np.ones((n, p), bool), np.eye(n) > 0])),
        ),
        Mistake(
            "only_new_kept",
            "Your cache holds the new tokens only. OpenAI's code returns that and joins "
            "elsewhere; here the returned cache holds the past and the new tokens.",
            _attending(kept=lambda cache, k, v: (k, v)),
        ),
        Mistake(
            "not_updated",
            "You return the cache that you were given. The next token needs it with the new keys "
            "and values.",
            _attending(kept=lambda cache, k, v: cache),
            _attending(kept=_past_only),
        ),
        Mistake(
            "appended_twice",
            "Your new tokens are in the cache twice. Append them once and use that cache for "
            "both: to attend and to return.",
            _attending(kept=lambda cache, k, v: _append(_append(cache, k, v), k, v)),
        ),
        Mistake(
            "appended_twice_and_seen",
            "Your new tokens are in the cache twice, and are seen twice. Append them once.",
            _with_append(lambda cache, k, v: _append(_append(cache, k, v), k, v)),
        ),
        Mistake(
            "newest_lost",
            "The newest token is missing in the cache that you return. It must be seen next time "
            "too.",
            _attending(kept=lambda c, k, v: tuple(a[..., :-1, :] for a in _append(c, k, v))),
        ),
        Mistake(
            "parts_exchanged",
            "Your results are right, but your cache holds the values first. It is `(k, v)`.",
            _attending(kept=lambda cache, k, v: _append(cache, k, v)[::-1]),
        ),
        Mistake(
            "keys_twice",
            "Your results are right, but your cache holds the keys twice. Its second array should "
            "hold the values.",
            _attending(kept=lambda cache, k, v: (_append(cache, k, v)[0],) * 2),
        ),
        Mistake(
            "queries_cached",
            "Your cache holds three arrays: the queries too. An old query has done its work and "
            "is never used again.",
            _queries_cached,
        ),
        Mistake(
            "outputs_cached",
            "Your cache holds results. A later token blends the old values anew, with weights of "
            "its own, so it needs the values themselves.",
            _outputs_cached,
            _outputs_as_third,
        ),
        Mistake(
            "weights_returned",
            "Your second value holds the weights. Return the cache; weights are not needed again.",
            _weights_returned,
        ),
        Mistake(
            "three_returned",
            "You return three values. Return the result and the cache: `return out, cache`.",
            _weights_as_third,
            lambda *args: (_attend(*args)[0], *_attend(*args)[1]),
        ),
        Mistake(
            "cache_not_returned",
            "You return only the result. Return the new cache as well: `return out, cache`.",
            lambda *args: _attend(*args)[0],
        ),
        Mistake(
            "returned_in_wrong_order",
            "You return the cache first. Return the result first, then the cache.",
            lambda *args: _attend(*args)[::-1],
        ),
        Mistake(
            "last_result_only",
            "You return the result of the last token only. Every new token has a row.",
            lambda *args: (_attend(*args)[0][..., -1:, :], _attend(*args)[1]),
            lambda *args: (_attend(*args)[0][..., -1, :], _attend(*args)[1]),
        ),
        Mistake(
            "not_scaled",
            "Your weights are too sharp: the scores are not divided by sqrt(d). Use your "
            "scaled_scores.",
            _scaling(lambda q, k: 1.0),
        ),
        Mistake(
            "scaled_twice",
            "Your weights are too flat: the scores are divided by sqrt(d) twice. scaled_scores "
            "has done it already.",
            _scaling(lambda q, k: 1 / q.shape[-1]),
        ),
        Mistake(
            "scaled_by_tokens",
            "You scale by a number of tokens. d is the size of one query: the last axis.",
            _scaling(lambda q, k: k.shape[-2] ** -0.5),
            _scaling(lambda q, k: q.shape[-2] ** -0.5),
        ),
        Mistake(
            "scaled_keys_kept",
            "Your result is right, but you keep the keys divided by sqrt(d). At the next step "
            "they would be divided again. Keep the keys as they come.",
            _attending(kept=_scaled_keys_kept),
        ),
        Mistake(
            "hidden_scores_zero",
            "Your hidden tokens still get weight: a score of 0 is an ordinary score. Use your "
            "masked_softmax.",
            _weighing(lambda scores, mask: _softmax(np.where(mask, scores, 0.0))),
        ),
        Mistake(
            "masked_after_softmax",
            "Rows of your weights do not sum to 1: you hide tokens after softmax. Hide before it, "
            "as masked_softmax does.",
            _weighing(lambda scores, mask: _softmax(scores) * mask),
        ),
        Mistake(
            "hidden_too_late",
            "Right until a later token's score is far above the others: it takes all the weight "
            "before you hide it, and 0 divided by 0 is nan. Hide before softmax, as "
            "masked_softmax does.",
            _weighing(_shared_again),
        ),
        Mistake(
            "no_softmax",
            "You blend the values with the scores themselves. masked_softmax comes between the "
            "two.",
            _weighing(lambda scores, mask: np.where(mask, scores, 0.0)),
        ),
        Mistake(
            "softmax_over_queries",
            "The columns of your weights sum to 1 instead of the rows. Softmax runs over the "
            "keys: the last axis.",
            _weighing(lambda scores, mask: _flip(_softmax(_flip(_hide(scores, mask))))),
        ),
        Mistake(
            "keys_as_values",
            "You blend the keys. Keys are for matching; the values carry the content.",
            _attending(blend=lambda q, k, v, mask: _blend(q, k, k, mask)),
        ),
        Mistake(
            "keys_as_queries",
            "You compare the new keys with all keys. The scores come from the new queries.",
            lambda q, k, v, cache: _attend(k, k, v, cache),
        ),
        Mistake(
            "axis_0",
            "Right for one sentence, not for a batch: you join along axis 0. Use your append_kv, "
            "or count the axis from the end.",
            _with_append(_appending(lambda past, new: np.concatenate([past, new], axis=0))),
        ),
        Mistake(
            "axis_1",
            "You join along axis 1, which is the sequence only in a batch. Use your append_kv, or "
            "count the axis from the end.",
            _with_append(_appending(lambda past, new: np.concatenate([past, new], axis=1))),
        ),
        Mistake(
            "none_not_handled",
            "The first call has no cache: then `cache` is None and cannot be taken apart. Let "
            "append_kv deal with that, and count the old tokens from the keys it returns.",
            _none_in_attend,
            _past_counted_from_none,
        ),
        Mistake(
            "remembers_by_itself",
            "Your function keeps a cache of its own from call to call and does not use the one it "
            "is given. Two texts would then mix. Everything it needs comes in as an argument.",
            _Remembering(),
        ),
        Mistake(
            "cache_changed",
            "The results are right, but the cache that you were given is different after the "
            "call. Its owner may still need it. Build a new one.",
            _changes_cache,
        ),
        Mistake(
            "queries_changed",
            "The results are right, but `q_new` is different after the call: `/=` writes into the "
            "caller's array. Make a new one.",
            _changes_queries,
        ),
        Mistake(
            "half_precision",
            "The numbers are too coarse: they went through float16. Keep the type of the input.",
            _attending(kept=_half),
            _with_append(_half),
            _half_out,
        ),
    ),
    right=(
        Right("one token at a time", _attend_token_by_token),
        Right("a loop over visible beginnings, a list as cache", _attend_prefix_loops),
        Right("past and new tokens apart", _attend_two_parts),
        Right("einsum, masked after exp, with new row sums", _attend_einsum),
        Right("float32", _attend_float32),
        Right("-1e10 for hidden scores", _weighing(lambda s, m: _softmax(np.where(m, s, -1e10)))),
        Right(
            "an additive mask",
            _weighing(lambda s, m: _softmax(s + np.where(m, 0.0, -np.inf))),
        ),
        Right("a list of the result and a list", lambda *a: [_attend(*a)[0], [*_attend(*a)[1]]]),
        Right(
            "queries scaled first",
            lambda q, k, v, cache: _scaling(lambda a, b: 1.0)(
                q / np.sqrt(q.shape[-1]), k, v, cache
            ),
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


# --- decode -----------------------------------------------------------------------------------


def _refuse_wrong_sizes(q, chunk_sizes):
    if sum(chunk_sizes) != q.shape[-2]:
        raise ValueError("the chunk sizes do not add up to the number of tokens")


def _join_outs(outs):
    return np.concatenate(outs, axis=-2)


def _decoding(
    step=_attend, join=_join_outs, cut=_rows, refuse=_refuse_wrong_sizes, keep=lambda old, new: new
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


def _decoding_from_to(places):
    """Decoding that cuts its chunks at wrong places: start, end and the next start."""

    def decode(q, k, v, chunk_sizes):
        _refuse_wrong_sizes(q, chunk_sizes)
        cache, outs, following = None, [], 0
        for size in chunk_sizes:
            start, end, following = places(following, size)
            out, cache = _attend(*(_rows(array, start, end) for array in (q, k, v)), cache)
            outs.append(out)
        return _join_outs(outs)

    return decode


def _keeping(kept):
    return _decoding(step=_attending(kept=kept))


def _masking(mask):
    return _decoding(step=_attending(mask=mask))


def _start_moved_by(steps):
    def decode(q, k, v, chunk_sizes):
        _refuse_wrong_sizes(q, chunk_sizes)
        cache, outs, start = None, [], 0
        for size in chunk_sizes:
            chunk = (_rows(array, start, start + size) for array in (q, k, v))
            out, cache = _attend(*chunk, cache)
            outs.append(out)
            start += steps
        return _join_outs(outs)

    return decode


def _sizes_as_ends(q, k, v, chunk_sizes):
    _refuse_wrong_sizes(q, chunk_sizes)
    cache, outs, start = None, [], 0
    for end in chunk_sizes:
        out, cache = _attend(*(_rows(array, start, end) for array in (q, k, v)), cache)
        outs.append(out)
        start = end
    return _join_outs(outs)


def _refuse_too_large(q, chunk_sizes):
    if sum(chunk_sizes) > q.shape[-2]:
        raise ValueError("too many tokens")


def _refuse_too_small(q, chunk_sizes):
    if sum(chunk_sizes) < q.shape[-2]:
        raise ValueError("too few tokens")


def _assert_sizes(q, chunk_sizes):
    assert sum(chunk_sizes) == q.shape[-2]


def _none_for_wrong_sizes(q, k, v, chunk_sizes):
    if sum(chunk_sizes) != q.shape[-2]:
        return None
    return _decoding()(q, k, v, chunk_sizes)


def _last_size_mended(q, k, v, chunk_sizes):
    sizes = [*chunk_sizes[:-1], q.shape[-2] - sum(chunk_sizes[:-1])]
    return _decoding()(q, k, v, sizes)


def _one_pass(q, k, v, chunk_sizes):
    _refuse_wrong_sizes(q, chunk_sizes)
    return _attend(q, k, v, None)[0]


def _decode_unmasked(q, k, v, chunk_sizes):
    _refuse_wrong_sizes(q, chunk_sizes)
    return _softmax(_scores(q, k)) @ v


def _queries_of_all(q, k, v, chunk_sizes):
    """Attends with all queries so far at every chunk, and joins all of it."""
    _refuse_wrong_sizes(q, chunk_sizes)
    ends = np.cumsum(chunk_sizes)
    return _join_outs([_attend(*(_rows(a, 0, e) for a in (q, k, v)), None)[0] for e in ends])


def _decode_token_by_token(q, k, v, chunk_sizes):
    _refuse_wrong_sizes(q, chunk_sizes)
    return _attend_token_by_token(q, k, v, None)[0]


def _decode_into_array(q, k, v, chunk_sizes):
    if sum(chunk_sizes) != q.shape[-2]:
        raise ValueError(f"{chunk_sizes} is not {q.shape[-2]} tokens")
    result = np.empty((*q.shape[:-1], v.shape[-1]))
    cache, end = None, 0
    for size in chunk_sizes:
        start, end = end, end + size
        result[..., start:end, :], cache = _attend(
            q[..., start:end, :], k[..., start:end, :], v[..., start:end, :], cache
        )
    return result


def _decode_np_split(q, k, v, chunk_sizes):
    ends = np.cumsum(chunk_sizes)
    if ends[-1] != q.shape[-2]:
        raise ValueError("sizes")
    cache, outs = None, []
    chunks = (np.split(array, ends[:-1], axis=-2) for array in (q, k, v))
    for chunk in zip(*chunks, strict=True):
        out, cache = _attend(*chunk, cache)
        outs.append(out)
    return np.concatenate(outs, -2)


def _decode_prefixes(q, k, v, chunk_sizes):
    """Without a cache: every chunk attends to all keys up to its end."""
    _refuse_wrong_sizes(q, chunk_sizes)
    outs, start = [], 0
    for size in chunk_sizes:
        end = start + size
        whole = _attend(_rows(q, 0, end), _rows(k, 0, end), _rows(v, 0, end), None)[0]
        outs.append(_rows(whole, start, end))
        start = end
    return _join_outs(outs)


def _decode_recursive(q, k, v, chunk_sizes, cache=None):
    _refuse_wrong_sizes(q, chunk_sizes)
    size, *rest = chunk_sizes
    out, cache = _attend(*(_rows(a, 0, size) for a in (q, k, v)), cache)
    if not rest:
        return out
    after = (a[..., size:, :] for a in (q, k, v))
    return np.concatenate([out, _decode_recursive(*after, rest, cache)], axis=-2)


_DQKV = _qkv(5, seed=700)
_HDQKV = _qkv(9, d=6, dv=4, seed=720, make=rough)

DECODE = Exercise(
    name="decode",
    lesson=LESSON,
    visible=(
        Case("three chunks", (*_DQKV, [2, 1, 2])),
        Case("one token at a time", (*_DQKV, [1, 1, 1, 1, 1])),
        Case("all at once", (*_DQKV, [5])),
        Case("four tokens, then one", (*_DQKV, [4, 1])),
        Case("chunks of equal size", (*_qkv(4, seed=704), [2, 2])),
        Case("two sentences at once", (*_qkv(4, 2, dv=3, seed=708), [1, 2, 1])),
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
        Case("a batch with heads", (*_qkv(7, 2, 3, d=6, dv=4, seed=730, make=rough), [3, 2, 1, 1])),
        Case(
            "as many tokens as sentences",
            (*_qkv(3, 3, d=3, dv=3, seed=740, make=rough), [1, 1, 1]),
        ),
        Case("sizes for far too many tokens", (*_HDQKV, [9, 9]), raises="ValueError"),
        Case("sizes for far too few tokens", (*_HDQKV, [3]), raises="ValueError"),
        Case(
            "wrong sizes for a batch, right for another axis",
            (*_qkv(5, 3, d=6, dv=4, seed=750, make=rough), [1, 2]),
            raises="ValueError",
        ),
        late(
            "a later token with a far higher score",
            (*far_ahead(n_tokens=6, d=4, seed=780), rough(6, 3, seed=781), [3, 1, 2]),
        ),
        late("values wider than keys", (*_qkv(6, d=2, dv=7, seed=782, make=rough), [1, 3, 2])),
        late(
            "a long text",
            (*_qkv(FAR, d=1, dv=1, seed=785, make=rough), [LONG, 1, FAR - LONG - 3, 2]),
        ),
        late("many small chunks", (*_qkv(70, d=2, dv=2, seed=788, make=rough), [1] * 60 + [2] * 5)),
        late("many features", (*_qkv(4, d=WIDE, dv=WIDE, seed=791, make=rough), [3, 1])),
        late("all sizes equal", (*_qkv(4, 4, 4, d=4, dv=4, seed=794, make=rough), [1, 2, 1])),
        late("one token", (*_qkv(1, 2, d=3, dv=2, seed=797, make=rough), [1])),
    ),
    promises=(
        Promise(
            "every sentence of a batch gives what it gives alone",
            "every_example_alone",
            (3, *_qkv(4, 2, seed=760), [2, 1, 1]),
            (3, *_qkv(6, 3, d=6, dv=4, seed=770, make=rough), [1, 3, 2]),
        ),
    ),
    mistakes=(
        Mistake(
            "only_last_chunk_kept",
            "Right for two chunks, wrong from the third on: your cache holds only the latest "
            "chunk. Step 3 no longer sees step 1.",
            _keeping(lambda cache, k, v: (k, v)),
        ),
        Mistake(
            "cache_never_updated",
            "Right for two chunks, wrong from the third on: your cache stays what it was after "
            "the first chunk. Each step returns a new one for the next step.",
            _decoding(keep=lambda old, new: new if old is None else old),
        ),
        Mistake(
            "cache_not_passed",
            "Every chunk starts without a past, so it sees only itself. Give each step the cache "
            "that the step before returned.",
            _decoding(keep=lambda old, new: None),
        ),
        Mistake(
            "appended_twice",
            "Each chunk is in the cache twice from the second step on. attend_with_cache has "
            "appended it already.",
            _keeping(lambda cache, k, v: _append(_append(cache, k, v), k, v)),
            _decoding(step=_with_append(lambda cache, k, v: _append(_append(cache, k, v), k, v))),
        ),
        Mistake(
            "newest_lost",
            "From the second chunk on, the last token of each earlier chunk is missing. It must "
            "stay in the cache.",
            _keeping(lambda c, k, v: tuple(a[..., :-1, :] for a in _append(c, k, v))),
        ),
        Mistake(
            "new_first",
            "Within a chunk of several tokens the results are wrong: new tokens stand in front of "
            "the past. They belong after it.",
            _decoding(step=_with_append(_new_first)),
        ),
        Mistake(
            "mask_top_left",
            "The first chunk is right; later ones hide the past: the mask starts in the upper "
            "left corner. Move it to the right by the number of old tokens.",
            _masking(lambda n, p: np.tri(n, p + n, dtype=bool)),
        ),
        Mistake(
            "nothing_hidden",
            "In chunks of several tokens your tokens see later ones of the same chunk. One token "
            "at a time hides this. Is the mask used in every step?",
            _masking(lambda n, p: True),
            _masking(lambda n, p: np.ones((n, p + n), bool) if p else _mask(n, p)),
        ),
        Mistake(
            "everything_seen",
            "You attend to all tokens at once, without a mask: every token sees the future. Cut "
            "into chunks and let attend_with_cache hide what comes later.",
            _decode_unmasked,
        ),
        Mistake(
            "end_is_the_size",
            "You cut up to the chunk's size. That is a length, not a place: a chunk that begins "
            "at `start` ends at `start + size`.",
            _decoding_from_to(lambda start, size: (start, size, start + size)),
        ),
        Mistake(
            "start_is_the_last_size",
            "Right for two chunks. From the third on yours begins in the wrong place: the next "
            "start is the old start plus the size, not the size alone.",
            _decoding_from_to(lambda start, size: (start, start + size, size)),
        ),
        Mistake(
            "last_chunk_only",
            "You return the result of the last chunk only. Collect the results of all chunks and "
            "join them.",
            _decoding(join=lambda outs: outs[-1]),
        ),
        Mistake(
            "first_chunk_only",
            "You return the result of the first chunk only. Is the `return` inside the loop?",
            _decoding(join=lambda outs: outs[0]),
        ),
        Mistake(
            "last_of_each_chunk",
            "You keep one result for each chunk. Every token of a chunk has a result.",
            _decoding(join=lambda outs: _join_outs([out[..., -1:, :] for out in outs])),
        ),
        Mistake(
            "list_of_chunks",
            "You return a list with the result of each chunk. Join them along the sequence axis "
            "to one array.",
            _decoding(join=lambda outs: outs),
            _decoding(join=tuple),
        ),
        Mistake(
            "stacked",
            "`np.stack` and `np.array` put the chunks on a new axis, and fail when their sizes "
            "differ. Join them along the sequence axis.",
            _decoding(join=np.stack),
            _decoding(join=np.array),
        ),
        Mistake(
            "joined_along_axis_0",
            "Right for one sentence, not for a batch: you join the results along axis 0. Count "
            "the sequence axis from the end.",
            _decoding(join=lambda outs: np.concatenate(outs)),
        ),
        Mistake(
            "joined_along_features",
            "You join the results along the last axis, so rows get longer. There should be more "
            "rows: the sequence is the axis before the last.",
            _decoding(join=lambda outs: np.concatenate(outs, axis=-1)),
        ),
        Mistake(
            "summed",
            "You add up the results of the chunks. Each chunk has tokens of its own: put their "
            "rows one after the other.",
            _decoding(join=lambda outs: sum(outs)),
        ),
        Mistake(
            "chunks_backwards",
            "The chunks of your result stand in reverse order. The first chunk comes first.",
            _decoding(join=lambda outs: _join_outs(outs[::-1])),
        ),
        Mistake(
            "earlier_results_repeated",
            "Your result has too many rows: every step gives the results of earlier tokens again. "
            "Pass only the new queries.",
            _queries_of_all,
        ),
        Mistake(
            "cut_along_axis_0",
            "Right for one sentence, not for a batch: you cut along axis 0. The sequence is the "
            "axis before the last, for cutting and for joining.",
            _decoding(cut=lambda array, start, stop: array[start:stop]),
            _decoding(cut=lambda array, start, stop: array[start:stop], join=np.concatenate),
        ),
        Mistake(
            "start_stands_still",
            "Every chunk is cut from the beginning of the sentence. Where does a chunk start when "
            "others came before it?",
            _start_moved_by(0),
        ),
        Mistake(
            "start_moves_by_one",
            "After each chunk you move on by one token. Move on by the size of the chunk.",
            _start_moved_by(1),
        ),
        Mistake(
            "sizes_as_ends",
            "You take the numbers in `chunk_sizes` for positions at which chunks end. They are "
            "sizes; a chunk ends at its start plus its size.",
            _sizes_as_ends,
        ),
        Mistake(
            "sizes_not_checked",
            "The results are right. But sizes that do not add up to the number of tokens must be "
            "refused with a `ValueError`, too many and too few alike.",
            _decoding(refuse=lambda q, sizes: None),
            _none_for_wrong_sizes,
            _last_size_mended,
        ),
        Mistake(
            "too_few_accepted",
            "You refuse sizes that are too large together, but not sizes that leave tokens over. "
            "Refuse both.",
            _decoding(refuse=_refuse_too_large),
        ),
        Mistake(
            "too_many_accepted",
            "You refuse sizes that leave tokens over, but not sizes that are too large together. "
            "Refuse both.",
            _decoding(refuse=_refuse_too_small),
        ),
        Mistake(
            "assert_instead",
            "You refuse wrong sizes with `assert`, which raises AssertionError. Raise a "
            "`ValueError` with a sentence that says what is wrong.",
            _decoding(refuse=_assert_sizes),
        ),
        Mistake(
            "cache_returned_too",
            "You return the cache as well. It has done its work when the last chunk is read: "
            "`decode` returns only the results.",
            lambda *args: (_decoding()(*args), tuple(args[1:3])),
        ),
    ),
    right=(
        Right("one token at a time", _decode_token_by_token),
        Right("one pass", _one_pass),
        Right("no cache, but every chunk's whole past", _decode_prefixes),
        Right("into an array made beforehand", _decode_into_array),
        Right("np.split", _decode_np_split),
        Right("recursive", _decode_recursive),
        Right(
            "float32",
            lambda q, k, v, sizes: _decoding()(*(a.astype("f4") for a in (q, k, v)), sizes),
        ),
        Right("another step, a list as cache", _decoding(step=_attend_prefix_loops)),
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


# --- projection_counts ------------------------------------------------------------------------


def _triangle(n):
    return n * (n + 1) // 2


def _counted(n):
    without = with_cache = 0
    for step in range(1, n + 1):
        without += step
        with_cache += 1
    return without, with_cache


PROJECTION_COUNTS = Exercise(
    name="projection_counts",
    lesson=LESSON,
    visible=(
        Case("one token", (1,)),
        Case("two tokens", (2,)),
        Case("four tokens", (4,)),
        Case("nine tokens", (9,)),
        Case("fifty tokens", (50,)),
    ),
    hidden=(
        Case("another even number", (12,)),
        Case("another odd number", (25,)),
        Case("a longer text", (60,)),
        late("more than a small counter holds", (2 * LONG,)),
    ),
    promises=(),
    mistakes=(
        Mistake(
            "exchanged",
            "The two counts have changed places. Without a cache there is more work: that number "
            "comes first.",
            lambda n: (n, _triangle(n)),
        ),
        Mistake(
            "square",
            "You count n tokens at every step. At the first step there is only one token, at the "
            "second there are two. Add up what is there.",
            lambda n: (n * n, n),
        ),
        Mistake(
            "one_step_short",
            "Without a cache your last step is missing: at step n all n tokens are projected. "
            "Does your sum include n?",
            lambda n: (n * (n - 1) // 2, n),
        ),
        Mistake(
            "one_step_too_many",
            "You count one step too many: n tokens take n steps, with 1, 2, ... n tokens.",
            lambda n: (_triangle(n + 1), n),
            lambda n: (_triangle(n + 1), n + 1),
        ),
        Mistake(
            "not_halved",
            "Your first count is twice as large as it should be. 1 + 2 + ... + n is half of "
            "n (n + 1).",
            lambda n: (n * (n + 1), n),
        ),
        Mistake(
            "halved_too_early",
            "For odd numbers your first count is too small: you halve and round before you "
            "multiply. Halve at the end.",
            lambda n: (n // 2 * (n + 1), n),
        ),
        Mistake(
            "halved_square",
            "You take half of n times n. Half of the square leaves out half of the diagonal: "
            "write down 1 + 2 + 3 for three tokens.",
            lambda n: (n * n / 2, n),
            lambda n: (n * n // 2, n),
        ),
        Mistake(
            "brackets_missing",
            "Brackets are missing: multiplication and division come before addition. What has to "
            "be added up first?",
            lambda n: (n * n + 1 / 2, n),
            lambda n: (n * (n + 1 / 2), n),
        ),
        Mistake(
            "one_with_cache",
            "With a cache you count one projection. That is one step; there are n of them.",
            lambda n: (_triangle(n), 1),
        ),
        Mistake(
            "both_grow",
            "With a cache you still count the old tokens. Each token is projected once, at its "
            "own step.",
            lambda n: (_triangle(n), _triangle(n)),
            lambda n: (_triangle(n), n * n),
        ),
        Mistake(
            "no_difference",
            "Without a cache you count each token once. But at every step all tokens so far are "
            "projected again.",
            lambda n: (n, n),
        ),
        Mistake(
            "last_step_only",
            "You count the last step alone. Each of the n steps projects tokens; add up all of "
            "them.",
            lambda n: (n, 1),
        ),
        Mistake(
            "three_each",
            "You count three for each token: query, key and value. Here one count is one token "
            "that goes through all three.",
            lambda n: (3 * _triangle(n), 3 * n),
            lambda n: (3 * _triangle(n), 2 * n),
            lambda n: (3 * _triangle(n), n),
        ),
        Mistake(
            "one_more_with_cache",
            "With a cache you count one token too many. Each of the n tokens is projected once; "
            "nothing else is.",
            lambda n: (_triangle(n), n + 1),
        ),
        Mistake(
            "first_token_not_counted",
            "You leave out the first token. It finds no cache, but it must be projected like all "
            "others.",
            lambda n: (_triangle(n), n - 1),
            lambda n: (_triangle(n) - 1, n - 1),
        ),
        Mistake(
            "squares_added",
            "You add up squares: that counts the scores of every step. Step t projects t tokens, "
            "not t times t.",
            lambda n: (n * (n + 1) * (2 * n + 1) // 6, n),
            lambda n: (n * (n + 1) * (2 * n + 1) // 6, _triangle(n)),
        ),
        Mistake(
            "layers_counted",
            "You multiply by the 12 layers of GPT-2 small. Here one layer is counted: a token "
            "that is projected once counts 1.",
            lambda n: (12 * _triangle(n), 12 * n),
        ),
        Mistake(
            "doubling",
            "Your first count doubles with every token. Each step adds one token to the work, "
            "not twice the work.",
            lambda n: (2**n, n),
            lambda n: (2**n - 1, n),
        ),
        Mistake(
            "steps_listed",
            "You return the counts of every step. Return two numbers: the sums.",
            lambda n: (list(range(1, n + 1)), [1] * n),
            lambda n: (np.arange(1, n + 1), np.ones(n, int)),
        ),
        Mistake(
            "ratio_returned",
            "You return one number. Return both counts: without a cache, then with one.",
            lambda n: _triangle(n) / n,
            lambda n: _triangle(n) - n,
            lambda n: _triangle(n),
        ),
        Mistake(
            "difference",
            "Your first number is what the cache saves. Return what is counted without a cache.",
            lambda n: (_triangle(n) - n, _triangle(n)),
        ),
    ),
    right=(
        Right("counted in a loop", _counted),
        Right("sum of a range", lambda n: (sum(range(n + 1)), n)),
        Right("floats", lambda n: (n * (n + 1) / 2, float(n))),
        Right("a list", lambda n: [_triangle(n), n]),
        Right("an array", lambda n: np.array([_triangle(n), n])),
        Right("cells of a triangle", lambda n: (int(np.tri(n).sum()), n)),
    ),
    hints=(
        "Write down for 4 tokens how many are projected at step 1, 2, 3 and 4: once without a "
        "cache, once with one.",
        "Without a cache, step t projects all t tokens so far: 1 + 2 + ... + n in all. With a "
        "cache, every step projects one token.",
        "The sum 1 + 2 + ... + n is `n * (n + 1) // 2`; `sum(range(1, n + 1))` gives the same. "
        "The second number is n.",
    ),
)


# --- kv_cache_bytes ---------------------------------------------------------------------------


def _bytes(n_layer, n_head, d_head, n_tokens, batch=1, itemsize=4):
    return 2 * n_layer * n_head * d_head * n_tokens * batch * itemsize


def _bytes_added_up(n_layer, n_head, d_head, n_tokens, batch=1, itemsize=4):
    total = 0
    for _layer in range(n_layer):
        for _part in ("k", "v"):
            total += batch * n_head * n_tokens * d_head * itemsize
    return total


def _bytes_of_arrays(n_layer, n_head, d_head, n_tokens, batch=1, itemsize=4):
    one = np.broadcast_to(np.zeros(1, f"V{itemsize}"), (batch, n_head, n_tokens, d_head))
    return 2 * n_layer * one.nbytes


KV_CACHE_BYTES = Exercise(
    name="kv_cache_bytes",
    lesson=LESSON,
    visible=(
        Case("GPT-2 small, one token", (12, 12, 64, 1)),
        Case("GPT-2 small, a full context", (12, 12, 64, 1024)),
        Case("a small model, three texts at once", (2, 5, 7, 11, 3)),
        Case("a small model in float16", (2, 5, 7, 11, 1, 2)),
        Case("a small model, three texts in float64", (2, 5, 7, 11, 3, 8)),
        late("a large model, 32 texts at once", (96, 96, 128, 2048, 32, 2)),
    ),
    hidden=(
        Case("GPT-2 medium", (24, 16, 64, 1024)),
        Case("GPT-2 XL in float16", (48, 25, 64, 1000, 1, 2)),
        Case("several texts", (3, 7, 5, 13, 17, 8)),
        Case("one layer, one head", (1, 1, 6, 7, 2, 1)),
        late("just over 2 GiB", (16, 32, 128, 4097, 4, 4)),
        late("just over 4 GiB", (32, 32, 128, 4099, 4, 4)),
        late("a large model, a long text", (97, 101, 131, 1_000_003, 67, 8)),
        late("a single number", (1, 1, 1, 1, 1, 1)),
    ),
    promises=(),
    mistakes=(
        Mistake(
            "one_array",
            "Your number is half of the right one. Each layer keeps two arrays: keys and values.",
            lambda L, H, d, n, b=1, i=4: L * H * d * n * b * i,
        ),
        Mistake(
            "queries_too",
            "You count three arrays. Queries are not kept: only keys and values.",
            lambda L, H, d, n, b=1, i=4: 3 * L * H * d * n * b * i,
        ),
        Mistake(
            "batch_ignored",
            "Right for one text only. Every text of a batch has a cache of its own.",
            lambda L, H, d, n, b=1, i=4: 2 * L * H * d * n * i,
        ),
        Mistake(
            "itemsize_ignored",
            "You always count 4 bytes a number. `itemsize` says how many bytes one number takes.",
            lambda L, H, d, n, b=1, i=4: 2 * L * H * d * n * b * 4,
        ),
        Mistake(
            "fixed_itemsize",
            "Your numbers have a fixed size, and it is not that of float32. `itemsize` says how "
            "many bytes one number takes.",
            lambda L, H, d, n, b=1, i=4: 2 * L * H * d * n * b * 8,
            lambda L, H, d, n, b=1, i=4: 2 * L * H * d * n * b * 2,
        ),
        Mistake(
            "one_layer_more",
            "You count one layer too many. The embedding keeps nothing: only layers with "
            "attention have keys and values.",
            lambda L, H, d, n, b=1, i=4: _bytes(L + 1, H, d, n, b, i),
        ),
        Mistake(
            "batch_and_itemsize_ignored",
            "Right for one text in float32 only: `batch` and `itemsize` are not used.",
            lambda L, H, d, n, b=1, i=4: 2 * L * H * d * n * 4,
        ),
        Mistake(
            "numbers_not_bytes",
            "You count numbers, not bytes. Each number takes `itemsize` bytes: 4 in float32, 2 in "
            "float16.",
            lambda L, H, d, n, b=1, i=4: 2 * L * H * d * n * b,
        ),
        Mistake(
            "bits",
            "Your number is 8 times too large. `itemsize` counts bytes already, not bits.",
            lambda L, H, d, n, b=1, i=4: 8 * _bytes(L, H, d, n, b, i),
        ),
        Mistake(
            "layers_missing",
            "You count one layer. Each layer keeps its own keys and values.",
            lambda L, H, d, n, b=1, i=4: 2 * H * d * n * b * i,
        ),
        Mistake(
            "heads_missing",
            "You count one head. Each head keeps its own keys and values.",
            lambda L, H, d, n, b=1, i=4: 2 * L * d * n * b * i,
        ),
        Mistake(
            "head_size_missing",
            "You count one number for each head. A key has `d_head` numbers, a value too.",
            lambda L, H, d, n, b=1, i=4: 2 * L * H * n * b * i,
        ),
        Mistake(
            "tokens_missing",
            "You count one token. The cache has a row for every token.",
            lambda L, H, d, n, b=1, i=4: 2 * L * H * d * b * i,
        ),
        Mistake(
            "one_token_less",
            "One token is missing: the newest one is in the cache too.",
            lambda L, H, d, n, b=1, i=4: 2 * L * H * d * (n - 1) * b * i,
        ),
        Mistake(
            "tokens_squared",
            "Your number grows with the square of the tokens. That is the table of weights; the "
            "cache has one row a token.",
            lambda L, H, d, n, b=1, i=4: 2 * L * H * d * n * n * b * i,
            lambda L, H, d, n, b=1, i=4: 2 * L * H * n * n * b * i,
            lambda L, H, d, n, b=1, i=4: L * H * n * n * b * i,
        ),
        Mistake(
            "heads_squared",
            "The heads come in twice. `d_head` is the size of one head; all heads together have "
            "`n_head` times that.",
            lambda L, H, d, n, b=1, i=4: 2 * L * H * H * d * n * b * i,
        ),
        Mistake(
            "added_up",
            "You add the sizes. The number of cells of an array is the product of its sizes.",
            lambda L, H, d, n, b=1, i=4: 2 * (L + H + d + n) * b * i,
            lambda L, H, d, n, b=1, i=4: L + H + d + n + b + i,
            lambda L, H, d, n, b=1, i=4: 2 * L * (H + d) * n * b * i,
        ),
        Mistake(
            "mebibytes",
            "You return a larger unit, such as KiB or MiB. The exercise asks for bytes.",
            lambda L, H, d, n, b=1, i=4: _bytes(L, H, d, n, b, i) / 2**20,
            lambda L, H, d, n, b=1, i=4: _bytes(L, H, d, n, b, i) / 2**10,
            lambda L, H, d, n, b=1, i=4: _bytes(L, H, d, n, b, i) / 1e6,
            lambda L, H, d, n, b=1, i=4: _bytes(L, H, d, n, b, i) // 2**20,
            lambda L, H, d, n, b=1, i=4: _bytes(L, H, d, n, b, i) // 2**10,
        ),
        Mistake(
            "gpt2_fixed",
            "Right for GPT-2 small only: its numbers are fixed in your formula. Use the arguments.",
            lambda L, H, d, n, b=1, i=4: 73_728 * n * b * i // 4,
            lambda L, H, d, n, b=1, i=4: 73_728 * n,
            lambda L, H, d, n, b=1, i=4: 2 * L * 768 * n * b * i,
            lambda L, H, d, n, b=1, i=4: 2 * 12 * H * d * n * b * i,
            lambda L, H, d, n, b=1, i=4: 2 * L * H * 64 * n * b * i,
        ),
        Mistake(
            "batch_added",
            "You add the batch where it multiplies: every text has a whole cache of its own.",
            lambda L, H, d, n, b=1, i=4: 2 * L * H * d * (n + b - 1) * i,
            lambda L, H, d, n, b=1, i=4: 2 * L * H * d * n * i + (b - 1),
        ),
        Mistake(
            "text_returned",
            "You return a text. Return the number of bytes, without a unit.",
            lambda L, H, d, n, b=1, i=4: f"{_bytes(L, H, d, n, b, i):,}",
            lambda L, H, d, n, b=1, i=4: str(_bytes(L, H, d, n, b, i)),
            lambda L, H, d, n, b=1, i=4: f"{_bytes(L, H, d, n, b, i)} bytes",
        ),
    ),
    right=(
        Right("layer by layer", _bytes_added_up),
        Right("size of an array", _bytes_of_arrays),
        Right("a float", lambda *a: float(_bytes(*a))),
        Right("a NumPy number", lambda *a: np.int64(_bytes(*a))),
        Right(
            "the model width first",
            lambda L, H, d, n, b=1, i=4: b * n * (H * d) * L * (i + i),
        ),
    ),
    hints=(
        "How many numbers does one token leave behind in one head of one layer? Mind that two "
        "vectors are kept.",
        "One head of one layer keeps a key and a value for each token: 2 times `d_head` numbers. "
        "Multiply by all that there are several of, and by the bytes of one number.",
        "It is one product of 2 and all six arguments.",
    ),
)

EXERCISES = (
    APPEND_KV,
    CACHED_CAUSAL_MASK,
    ATTEND_WITH_CACHE,
    DECODE,
    PROJECTION_COUNTS,
    KV_CACHE_BYTES,
)

QUESTIONS = (
    Question(
        id="03-same-rows",
        right=0,
        replies={
            "right": "Each row of `k` is a row of `x` times `w_k`. A new row of `x` adds a row and "
            "changes none.",
            "wrong": "Row 0 of `k` is row 0 of `x` times `w_k`. Does the new row 3 of `x` take "
            "part in that?",
        },
    ),
    Question(
        id="03-needed",
        right="d",
        replies={
            "a": "With its own key and value alone, the token could look only at itself.",
            "b": "That is enough, but too much. Row 3 of the scores is made from one query. Which?",
            "c": "A query belongs to the token that asks. Here only 'orders' asks, and it may look "
            "at all tokens.",
            "d": "One query meets all keys, and the weights blend all values.",
        },
    ),
    Question(
        id="03-layer-1",
        right="a",
        replies={
            "a": "An old token's result depends on itself and the tokens before it. The next cell "
            "shows both cases.",
            "b": "Without a mask, 'robot' would look at 'orders' too, so its result would change, "
            "and its key in layer 1 with it. Run the next cell.",
            "c": "The key of 'robot' in layer 1 is made from its result in layer 0. May 'robot' "
            "look at 'orders'?",
        },
    ),
    Question(
        id="03-steps",
        right=10,
        replies={
            "right": "1 + 2 + 3 + 4. With a cache it is one a step: 4. Now step through it.",
            "wrong": "Step 3 projects three tokens and step 4 four. Add up all four steps.",
        },
    ),
    Question(
        id="03-why-no-queries",
        right="b",
        replies={
            "a": "A query has just as many numbers as a key; otherwise they could not be "
            "multiplied.",
            "b": "A query is used for its own token's row and no other. The mask makes sure that "
            "this row stays as it is.",
            "c": "Queries come from `x` and `w_q`; the keys do not tell them.",
        },
    ),
    Question(
        id="03-true",
        right=11,
        replies={
            "right": "'given' sees 5 tokens, 'it' sees all 6.",
            "wrong": "'given' sees the four old tokens and itself. 'it' sees one token more. Add "
            "the two rows.",
        },
    ),
    Question(
        id="03-why-corner",
        right="c",
        replies={
            "a": "Its own key is the last column. Where is the only True of `np.tri(1, 5)`?",
            "b": "That is what it should see. `np.tri(1, 5)` has one True only.",
            "c": "Row 0 of a triangle in the upper left corner has True in column 0 only, and "
            "column 0 is the oldest key. Real libraries have had this bug.",
            "d": "One True is there: `np.tri(1, 5)` begins with it. Which key is in column 0?",
        },
    ),
    Question(
        id="03-tamper",
        right="a",
        replies={
            "a": "The result blends the old values, so it changes with them. In which order they "
            "stand makes no difference to a sum.",
            "b": "Other old values give another blend: that must show. And does a sum depend on "
            "the order of its parts?",
            "c": "The other values show. But the exchanged tokens keep their keys, so each keeps "
            "its weight and its value. Does the order of a sum matter?",
            "d": "The result is a blend of old and new values. If old values change, it changes.",
        },
    ),
    Question(
        id="03-why-order",
        right="c",
        replies={
            "a": "The output of the next token does not change. But a cache is also cut, to go on "
            "from an earlier place in the text.",
            "b": "They still sum to 1: the same weights, in another order.",
            "c": "The order of the rows is all that tells which token a row belongs to.",
        },
    ),
    Question(
        id="03-why-chunks",
        right="b",
        replies={
            "a": "Step 3 would get a cache with the second token only, and miss the first.",
            "b": "With two chunks, the cache of the first step holds all there is. From the third "
            "chunk on, the first is missing. So test with three chunks or more.",
            "c": "The third chunk would get a cache with the second chunk only, and miss the first "
            "token.",
            "d": "The second chunk needs what the first left behind, and that is there. When does "
            "something go missing?",
        },
    ),
    Question(
        id="03-nine",
        right=45,
        replies={
            "right": "1 + 2 + ... + 9. With a cache it is 9.",
            "wrong": "At every step all tokens so far are projected: 1, then 2, and so on up to 9. "
            "Add them up.",
        },
    ),
    Question(
        id="03-why-still",
        right="c",
        replies={
            "a": "One projection, yes. But what does its query meet?",
            "b": "With a cache only the new token is projected, whatever the length of the text.",
            "c": "The 1000th token has 1000 scores and blends 1000 values. That part of the work "
            "the cache does not save.",
        },
    ),
    Question(
        id="03-bytes",
        right=72,
        replies={
            "right": "1,536 numbers times 12 layers times 4 bytes are 73,728 bytes, or 72 KiB.",
            "wrong": "Multiply 1,536 by the 12 layers and by 4 bytes, then divide by 1,024.",
        },
    ),
    Question(
        id="03-why-linear",
        right="a",
        replies={
            "a": "Every token leaves the same number of bytes, however many came before it.",
            "b": "The table of weights has a row and a column for each token. The cache has only "
            "a row.",
            "c": "Nothing is replaced: a new token may look at all old ones.",
        },
    ),
    Question(
        id="03-recall-start",
        right=7,
        replies={
            "right": "Positions 0 to 6 are taken. If the new token started at 0 again, its result "
            "would be wrong, and no shape would tell.",
            "wrong": "Seven tokens stand at positions 0 to 6. Which position comes next?",
        },
    ),
    Question(
        id="03-recall-zero",
        right="d",
        replies={
            "a": "`exp(0)` is 1, not 0.",
            "b": "Softmax never gives a negative weight.",
            "c": "A nan comes from a row with no visible token, or from infinity minus infinity.",
            "d": "`exp(0)` is 1: zero is an ordinary score. Only minus infinity gives weight 0.",
        },
    ),
)
