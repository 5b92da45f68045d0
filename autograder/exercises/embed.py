"""`embed`, lesson 00. Words and positions into vectors."""

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
from autograder.exercises.steps import Steps, Wrong
from autograder.exercises.ways import OUTPUTS, same
from illustrated_attention.language import later as _

_WTE, _WPE = tidy(6, 4, seed=1), tidy(5, 4, seed=2)

_HIDDEN_WTE, _HIDDEN_WPE = rough(9, 6, seed=3), rough(7, 6, seed=4)


def _many_ids(*shape, n_vocab, seed):
    """Ids of a long text; the first and the last of the vocabulary are among them."""
    ids = np.random.default_rng(seed).integers(0, n_vocab, shape)
    ids[..., 1], ids[..., -2] = 0, n_vocab - 1
    return ids


EMBED = Exercise(
    name="embed",
    lesson="00_orientation",
    can="You can now turn tokens into the vectors that GPT-2 works on.",
    visible=(
        Case("three tokens", (np.array([2, 0, 5]), _WTE, _WPE)),
        Case("one token", (np.array([3]), tidy(6, 3, seed=5), tidy(5, 3, seed=6))),
        Case("the same token twice", (np.array([1, 1, 4]), _WTE, _WPE)),
        Case("three tokens that start at position 2", (np.array([4, 1, 0]), _WTE, _WPE, 2)),
        Case("two sentences at once", (np.array([[0, 1, 2], [3, 4, 5]]), _WTE, _WPE, 1)),
        Case(
            "must refuse: only one position is left for three tokens",
            (np.array([2, 0, 5]), _WTE, _WPE, 4),
            raises="ValueError",
        ),
        Case(
            "must refuse: no position is left", (np.array([2]), _WTE, _WPE, 5), raises="ValueError"
        ),
        late(
            "tables of whole numbers",
            (np.array([1, 0]), np.arange(6).reshape(2, 3), np.arange(9).reshape(3, 3), 1),
        ),
    ),
    hidden=(
        Case("a longer sentence", (np.array([8, 3, 3, 0, 6]), _HIDDEN_WTE, _HIDDEN_WPE)),
        Case("a later start", (np.array([7, 2, 2]), _HIDDEN_WTE, _HIDDEN_WPE, 4)),
        Case(
            "sentences in a grid",
            (
                np.array([[[1, 8], [0, 5], [2, 2]], [[4, 3], [6, 1], [7, 0]]]),
                _HIDDEN_WTE,
                _HIDDEN_WPE,
            ),
        ),
        Case(
            "a table of whole numbers",
            (np.array([1, 0]), np.arange(12).reshape(3, 4), np.arange(12, 24).reshape(3, 4), 1),
        ),
        Case(
            "past the last position",
            (np.array([1, 2, 3, 4]), _HIDDEN_WTE, _HIDDEN_WPE, 6),
            raises="ValueError",
        ),
        Case("far past it", (np.array([1]), _HIDDEN_WTE, _HIDDEN_WPE, 9), raises="ValueError"),
        late(
            "a long text",
            (
                _many_ids(FAR, n_vocab=1033, seed=5),
                rough(1033, 3, seed=6),
                rough(FAR, 3, seed=7),
            ),
        ),
        late(
            "new tokens after a long text",
            (
                _many_ids(2, 5, n_vocab=LONG, seed=8),
                rough(LONG, 3, seed=9),
                rough(FAR + 6, 3, seed=10),
                FAR,
            ),
        ),
        late(
            "past the end of a long table",
            (_many_ids(5, n_vocab=9, seed=11), _HIDDEN_WTE, rough(FAR, 6, seed=12), FAR - 4),
            raises="ValueError",
        ),
        late(
            "many features", (np.array([0, 6, 0]), rough(7, WIDE, seed=13), rough(4, WIDE, seed=14))
        ),
        late(
            "all sizes equal",
            (_many_ids(4, 4, n_vocab=4, seed=15), rough(4, 4, seed=16), rough(4, 4, seed=17)),
        ),
        late("ids in a small type", (np.array([8, 0, 1], np.int8), _HIDDEN_WTE, _HIDDEN_WPE, 3)),
    ),
    promises=(
        Promise(
            "every sentence of a batch gives what it gives alone",
            "every_example_alone",
            (1, np.array([[0, 1, 2], [3, 4, 5]]), _WTE, _WPE, 1),
            (1, np.array([[8, 1], [2, 2], [0, 7]]), _HIDDEN_WTE, _HIDDEN_WPE),
        ),
    ),
    hints=(
        "Two tables, two look-ups. `wte` is indexed with the token ids. What is `wpe` indexed "
        "with?",
        "An array of ids can index a table: `wte[token_ids]` has a row for every id, and keeps "
        "leading axes. The positions of T tokens are T rows of `wpe` that follow each other, "
        "beginning at `start`. T is the size of the last axis of `token_ids`.",
        "First compare `start + T` with `len(wpe)` and raise `ValueError` if it is larger. Then "
        "add `wte[token_ids]` and `wpe[start:start + T]`: the rows of positions are repeated for "
        "every sentence of a batch by themselves.",
    ),
    of_one_kind=True,
)


# --- known mistakes ------------------------------------------------------------------------------


def _positions(token_ids, start):
    return np.arange(start, start + np.shape(token_ids)[-1])


def _refuse_past_the_end(token_ids, wpe, start):
    if start + np.shape(token_ids)[-1] > len(wpe):
        raise ValueError("there are not enough positions")


def _checked(formula):
    """A wrong formula behind the right refusal: only the formula is the mistake."""

    def embed(token_ids, wte, wpe, start=0):
        _refuse_past_the_end(token_ids, wpe, start)
        return formula(token_ids, wte, wpe, start)

    return embed


EMBED.mistake(
    "one_based_positions",
    "Your positions start at 1. In the code the first token has position 0: its row in "
    "`wpe` is `wpe[0]`. Only the article's drawing counts from 1.",
    _checked(lambda ids, wte, wpe, s: wte[ids] + wpe[(_positions(ids, s) + 1) % len(wpe)]),
    lambda ids, wte, wpe, start=0: wte[ids] + wpe[_positions(ids, start) + 1],
)

EMBED.mistake(
    "no_positions",
    "Your vectors hold the tokens, but not their positions. Without the position vector "
    "the same word would look the same wherever it stands. What is still to be added?",
    _checked(lambda ids, wte, wpe, s: wte[ids]),
)

EMBED.mistake(
    "only_positions",
    "Your vectors hold the positions, but not the tokens. Every sentence would look the "
    "same. Which table holds a vector for each token?",
    _checked(
        lambda ids, wte, wpe, s: np.broadcast_to(
            wpe[_positions(ids, s)], (*np.shape(ids), wpe.shape[1])
        ).copy()
    ),
)

EMBED.mistake(
    "start_ignored",
    "The result is right for start = 0 only. Where does the first of the new tokens stand "
    "when `start` tokens came before it?",
    _checked(lambda ids, wte, wpe, s: wte[ids] + wpe[_positions(ids, 0)]),
)

EMBED.mistake(
    "position_is_token_id",
    "You look up the position table with the token ids. A position is where the token "
    "stands in the sentence, not which token it is.",
    _checked(lambda ids, wte, wpe, s: wte[ids] + wpe[ids]),
    _checked(lambda ids, wte, wpe, s: wte[ids] + wpe[np.minimum(ids, len(wpe) - 1)]),
)

EMBED.mistake(
    "one_position_for_all",
    "All your tokens get the position of the first one. Each token needs a position of "
    "its own: start, start + 1, start + 2 and so on.",
    _checked(lambda ids, wte, wpe, s: wte[ids] + wpe[s]),
)

EMBED.mistake(
    "slice_ends_at_t",
    "You cut the positions up to T. That is right only for start = 0: T tokens from "
    "`start` on end at `start + T`.",
    _checked(lambda ids, wte, wpe, s: wte[ids] + wpe[s : np.shape(ids)[-1]]),
)

EMBED.mistake(
    "positions_backwards",
    "Your positions run backwards: the last token gets the first position.",
    _checked(lambda ids, wte, wpe, s: wte[ids] + wpe[_positions(ids, s)][::-1]),
)

EMBED.mistake(
    "concatenated",
    "You put the two vectors side by side, so each token is twice as wide. GPT-2 adds "
    "them: the width stays D.",
    _checked(
        lambda ids, wte, wpe, s: np.concatenate(
            [
                wte[ids],
                np.broadcast_to(wpe[_positions(ids, s)], (*np.shape(ids), wpe.shape[1])),
            ],
            axis=-1,
        )
    ),
)

EMBED.mistake(
    "multiplied",
    "You multiply the token vector and the position vector. GPT-2 adds them.",
    _checked(lambda ids, wte, wpe, s: wte[ids] * wpe[_positions(ids, s)]),
)

EMBED.mistake(
    "subtracted",
    "You subtract the position vector. GPT-2 adds it.",
    _checked(lambda ids, wte, wpe, s: wte[ids] - wpe[_positions(ids, s)]),
)

EMBED.mistake(
    "averaged",
    "Your vectors are half as long as they should be: you take the mean of the token "
    "vector and the position vector. GPT-2 takes their sum.",
    _checked(lambda ids, wte, wpe, s: (wte[ids] + wpe[_positions(ids, s)]) / 2),
)

EMBED.mistake(
    "times_sqrt_width",
    "You multiply the token vectors by the square root of D. The first Transformer did "
    "that; GPT-2 does not.",
    _checked(lambda ids, wte, wpe, s: wte[ids] * np.sqrt(wte.shape[1]) + wpe[_positions(ids, s)]),
)

EMBED.mistake(
    "summed_over_tokens",
    "You add up all tokens of the sentence. Each token keeps a vector of its own: the "
    "result has one row for each token.",
    _checked(lambda ids, wte, wpe, s: (wte[ids] + wpe[_positions(ids, s)]).sum(axis=-2)),
)


def _counts_along_first_axis(token_ids, wte, wpe, start=0):
    if start + len(token_ids) > len(wpe):
        raise ValueError("there are not enough positions")
    positions = np.arange(start, start + len(token_ids))
    return wte[token_ids] + wpe[positions].reshape(
        (len(token_ids),) + (1,) * (np.ndim(token_ids) - 1) + (-1,)
    )


EMBED.mistake(
    "counts_along_the_first_axis",
    "The positions count along the first axis. With one sentence that is right; with a "
    "batch the tokens are on the last axis of `token_ids`.",
    _counts_along_first_axis,
    _checked(lambda ids, wte, wpe, s: wte[ids] + wpe[s : s + len(ids)]),
)


def _one_long_sentence(token_ids, wte, wpe, start=0):
    _refuse_past_the_end(token_ids.ravel(), wpe, start)
    return wte[token_ids.ravel()] + wpe[_positions(token_ids.ravel(), start)]


EMBED.mistake(
    "one_sentence_only",
    "A batch of sentences is taken for one long sentence. Keep the axes of `token_ids`, "
    "and count positions inside each sentence.",
    _checked(
        lambda ids, wte, wpe, s: (wte[ids] + wpe[_positions(ids, s)]).reshape(-1, wte.shape[1])
    ),
    _one_long_sentence,
)

EMBED.mistake(
    "tables_swapped",
    "You look up token ids in `wpe` and positions in `wte`. `wte` is the table of tokens, "
    "`wpe` the table of positions.",
    _checked(lambda ids, wte, wpe, s: wpe[ids % len(wpe)] + wte[_positions(ids, s) % len(wte)]),
    _checked(lambda ids, wte, wpe, s: wpe[ids] + wte[_positions(ids, s)]),
)


@EMBED.mistake(
    "table_changed",
    "You write into `wte`: the model's table is different after the call. Build a new "
    "array for the result.",
)
def _changes_table(token_ids, wte, wpe, start=0):
    _refuse_past_the_end(token_ids, wpe, start)
    wte[token_ids] += wpe[_positions(token_ids, start)]
    return wte[token_ids]


@EMBED.mistake(
    "refusal_missing",
    "When the positions run out, your function returns something, or breaks by accident. "
    "A slice that is too short does not complain in NumPy: one row that is left over is "
    "silently used for every token. Compare start + T with the number of positions "
    "first, and raise a ValueError with a clear message.",
)
def _slices_without_looking(token_ids, wte, wpe, start=0):
    return wte[token_ids] + wpe[start : start + np.shape(token_ids)[-1]]


@EMBED.mistake(
    "positions_start_over",
    "When the positions run out, yours start again at 0. GPT-2 has no position for such a "
    "token: raise a ValueError.",
)
def _starts_over_at_the_end(token_ids, wte, wpe, start=0):
    return wte[token_ids] + wpe[_positions(token_ids, start) % len(wpe)]


@EMBED.mistake(
    "last_position_repeated",
    "When the positions run out, you use the last one again and again. GPT-2 has no "
    "position for such a token: raise a ValueError.",
)
def _stays_at_the_end(token_ids, wte, wpe, start=0):
    return wte[token_ids] + wpe[np.minimum(_positions(token_ids, start), len(wpe) - 1)]


@EMBED.mistake(
    "index_error_instead",
    "When the positions run out, NumPy stops with an IndexError. Say it yourself and "
    "earlier: compare start + T with the number of positions, and raise a ValueError "
    "with a clear message.",
)
def _index_error(token_ids, wte, wpe, start=0):
    return wte[token_ids] + wpe[_positions(token_ids, start)]


def _refuses_beyond(most):
    """Right, but for how far a sentence may reach: less than the positions of `wpe`."""

    def embed(token_ids, wte, wpe, start=0):
        if start + np.shape(token_ids)[-1] > most(wpe):
            raise ValueError("there are not enough positions")
        return wte[token_ids] + wpe[_positions(token_ids, start)]

    return embed


EMBED.mistake(
    "last_position_refused",
    "You refuse a sentence that just fits. N is the number of rows of `wpe`, not of its columns, "
    "and start + T may be N, but not more.",
    _refuses_beyond(lambda wpe: len(wpe) - 1),
    _refuses_beyond(lambda wpe: wpe.shape[-1]),
)


EMBED.mistake(
    "ids_cut_at_start",
    "You cut the ids at `start`. It says where in the text the first of these ids stands; all of "
    "them get a row.",
    lambda ids, wte, wpe, start=0: wte[ids[..., start:]] + wpe[start : ids.shape[-1]],
    lambda ids, wte, wpe, start=0: wte[ids[..., start:]] + wpe[: ids[..., start:].shape[-1]],
)


# --- unusual, and right --------------------------------------------------------------------------


@EMBED.also_right("one-hot rows times the tables")
def _one_hot(token_ids, wte, wpe, start=0):
    _refuse_past_the_end(token_ids, wpe, start)
    tokens = np.eye(len(wte))[token_ids] @ wte
    return tokens + np.eye(len(wpe))[_positions(token_ids, start)] @ wpe


@EMBED.also_right("token by token")
def _token_by_token(token_ids, wte, wpe, start=0):
    _refuse_past_the_end(token_ids, wpe, start)
    x = np.empty((*np.shape(token_ids), wte.shape[1]))
    for index in np.ndindex(*np.shape(token_ids)):
        x[index] = wte[token_ids[index]] + wpe[start + index[-1]]
    return x


@EMBED.also_right("np.take and a length check after slicing")
def _raises_from_slice(token_ids, wte, wpe, start=0):
    rows = wpe[start : start + np.shape(token_ids)[-1]]
    if rows.shape[0] != np.shape(token_ids)[-1]:
        raise ValueError("positions run out")
    return np.add(np.take(wte, token_ids, axis=0), rows)


EMBED.also_right(
    "float32",
    _checked(lambda ids, wte, wpe, s: wte.astype("f4")[ids] + wpe.astype("f4")[_positions(ids, s)]),
)

EMBED.also_right(
    "position rows by fancy index",
    _checked(lambda ids, wte, wpe, s: wpe[_positions(ids, s)] + wte[ids]),
)

# --- its steps, and how each of them goes wrong --------------------------------------------------


def _build(words, positions, start, out):
    def embed(token_ids, wte, wpe, start_at=0, **kw):
        ids = np.asarray(token_ids)
        n, first = ids.shape[-1], kw.get("start", start_at)
        if first + n > len(wpe):
            raise ValueError
        at = start(first, n, len(wpe))
        rows = np.clip(at, 0, len(wpe) - 1)
        return out(words(wte[ids], ids) + positions(wpe[rows], ids))

    return embed


EMBED.steps = Steps(
    _build,
    {"words": lambda w, ids: w, "positions": lambda p, ids: p, "start": lambda s, n, m: np.arange(s, s + n), "out": same},
    {
        "words": (
            Wrong("words_scaled", _("The words' vectors are multiplied by the root of D."), lambda w, ids: w * w.shape[-1] ** 0.5),
            Wrong("words_missing", _("The words' vectors are not added."), lambda w, ids: 0 * w),
            Wrong("padding_zero", _("Token 0 is taken for padding: its word vector is left out."), lambda w, ids: w * (ids != 0)[..., None]),
        ),
        "positions": (
            Wrong("positions_missing", _("The positions' vectors are not added."), lambda p, ids: 0 * p),
            Wrong("positions_subtracted", _("The positions' vectors are subtracted."), lambda p, ids: -p),
            Wrong("padding_without_position", _("Token 0 is taken for padding and gets no position."), lambda p, ids: p * (ids != 0)[..., None]),
        ),
        "start": (
            Wrong("positions_from_one", _("Positions are counted from 1."), lambda s, n, m: np.arange(s + 1, s + n + 1)),
            Wrong("start_one_less", _("`start` is taken as one less, where it is not 0."), lambda s, n, m: np.arange(max(s - 1, 0), max(s - 1, 0) + n)),
            Wrong("start_ignored", _("`start` is not used: positions begin at 0."), lambda s, n, m: np.arange(n)),
            Wrong("always_from_one", _("`start` is not used: positions begin at 1."), lambda s, n, m: np.arange(1, n + 1)),
            Wrong("start_zero_is_one", _("Where `start` is 0, positions begin at 1."), lambda s, n, m: np.arange(s or 1, (s or 1) + n)),
            Wrong("one_position", _("All tokens get the first position."), lambda s, n, m: np.full(n, s)),
            Wrong("positions_backwards", _("Positions run backwards."), lambda s, n, m: np.arange(s, s + n)[::-1]),
            Wrong("last_positions", _("The last rows of wpe are taken."), lambda s, n, m: np.arange(m - n, m)),
        ),
        "out": OUTPUTS,
    },
)  # fmt: skip
