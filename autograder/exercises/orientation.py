"""Exercises of lesson 00: tokens become vectors."""

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
    late,
    rough,
    tidy,
)

LESSON = "00_orientation"

_WTE, _WPE = tidy(6, 4, seed=1), tidy(5, 4, seed=2)
_HIDDEN_WTE, _HIDDEN_WPE = rough(9, 6, seed=3), rough(7, 6, seed=4)


def _many_ids(*shape, n_vocab, seed):
    """Ids of a long text; the first and the last of the vocabulary are among them."""
    ids = np.random.default_rng(seed).integers(0, n_vocab, shape)
    ids[..., 1], ids[..., -2] = 0, n_vocab - 1
    return ids


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


def _changes_table(token_ids, wte, wpe, start=0):
    _refuse_past_the_end(token_ids, wpe, start)
    wte[token_ids] += wpe[_positions(token_ids, start)]
    return wte[token_ids]


def _one_long_sentence(token_ids, wte, wpe, start=0):
    _refuse_past_the_end(token_ids.ravel(), wpe, start)
    return wte[token_ids.ravel()] + wpe[_positions(token_ids.ravel(), start)]


def _counts_along_first_axis(token_ids, wte, wpe, start=0):
    if start + len(token_ids) > len(wpe):
        raise ValueError("there are not enough positions")
    positions = np.arange(start, start + len(token_ids))
    return wte[token_ids] + wpe[positions].reshape(
        (len(token_ids),) + (1,) * (np.ndim(token_ids) - 1) + (-1,)
    )


def _starts_over_at_the_end(token_ids, wte, wpe, start=0):
    return wte[token_ids] + wpe[_positions(token_ids, start) % len(wpe)]


def _stays_at_the_end(token_ids, wte, wpe, start=0):
    return wte[token_ids] + wpe[np.minimum(_positions(token_ids, start), len(wpe) - 1)]


def _slices_without_looking(token_ids, wte, wpe, start=0):
    return wte[token_ids] + wpe[start : start + np.shape(token_ids)[-1]]


def _index_error(token_ids, wte, wpe, start=0):
    return wte[token_ids] + wpe[_positions(token_ids, start)]


def _refuses_last_position(token_ids, wte, wpe, start=0):
    if start + np.shape(token_ids)[-1] >= len(wpe):
        raise ValueError("there are not enough positions")
    return wte[token_ids] + wpe[_positions(token_ids, start)]


def _one_hot(token_ids, wte, wpe, start=0):
    _refuse_past_the_end(token_ids, wpe, start)
    tokens = np.eye(len(wte))[token_ids] @ wte
    return tokens + np.eye(len(wpe))[_positions(token_ids, start)] @ wpe


def _token_by_token(token_ids, wte, wpe, start=0):
    _refuse_past_the_end(token_ids, wpe, start)
    x = np.empty((*np.shape(token_ids), wte.shape[1]))
    for index in np.ndindex(*np.shape(token_ids)):
        x[index] = wte[token_ids[index]] + wpe[start + index[-1]]
    return x


def _raises_from_slice(token_ids, wte, wpe, start=0):
    rows = wpe[start : start + np.shape(token_ids)[-1]]
    if rows.shape[0] != np.shape(token_ids)[-1]:
        raise ValueError("positions run out")
    return np.add(np.take(wte, token_ids, axis=0), rows)


EMBED = Exercise(
    name="embed",
    lesson=LESSON,
    visible=(
        Case("three tokens", (np.array([2, 0, 5]), _WTE, _WPE)),
        Case("one token", (np.array([3]), _WTE, _WPE)),
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
            (np.array([1, 0]), np.arange(8).reshape(2, 4), np.arange(12).reshape(3, 4), 1),
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
            (1, np.array([[0, 1, 2], [5, 4, 3]]), _WTE, _WPE),
            (1, np.array([[8, 1], [2, 2], [0, 7]]), _HIDDEN_WTE, _HIDDEN_WPE),
        ),
    ),
    mistakes=(
        Mistake(
            "one_based_positions",
            "Your positions start at 1. In the code the first token has position 0: its row in "
            "`wpe` is `wpe[0]`. Only the article's drawing counts from 1.",
            _checked(lambda ids, wte, wpe, s: wte[ids] + wpe[(_positions(ids, s) + 1) % len(wpe)]),
            lambda ids, wte, wpe, start=0: wte[ids] + wpe[_positions(ids, start) + 1],
        ),
        Mistake(
            "no_positions",
            "Your vectors hold the tokens, but not their positions. Without the position vector "
            "the same word would look the same wherever it stands. What is still to be added?",
            _checked(lambda ids, wte, wpe, s: wte[ids]),
        ),
        Mistake(
            "only_positions",
            "Your vectors hold the positions, but not the tokens. Every sentence would look the "
            "same. Which table holds a vector for each token?",
            _checked(
                lambda ids, wte, wpe, s: np.broadcast_to(
                    wpe[_positions(ids, s)], (*np.shape(ids), wpe.shape[1])
                ).copy()
            ),
        ),
        Mistake(
            "start_ignored",
            "The result is right for start = 0 only. Where does the first of the new tokens stand "
            "when `start` tokens came before it?",
            _checked(lambda ids, wte, wpe, s: wte[ids] + wpe[_positions(ids, 0)]),
        ),
        Mistake(
            "position_is_token_id",
            "You look up the position table with the token ids. A position is where the token "
            "stands in the sentence, not which token it is.",
            _checked(lambda ids, wte, wpe, s: wte[ids] + wpe[ids]),
            _checked(lambda ids, wte, wpe, s: wte[ids] + wpe[np.minimum(ids, len(wpe) - 1)]),
        ),
        Mistake(
            "one_position_for_all",
            "All your tokens get the position of the first one. Each token needs a position of "
            "its own: start, start + 1, start + 2 and so on.",
            _checked(lambda ids, wte, wpe, s: wte[ids] + wpe[s]),
        ),
        Mistake(
            "slice_ends_at_t",
            "You cut the positions up to T. That is right only for start = 0: T tokens from "
            "`start` on end at `start + T`.",
            _checked(lambda ids, wte, wpe, s: wte[ids] + wpe[s : np.shape(ids)[-1]]),
        ),
        Mistake(
            "positions_backwards",
            "Your positions run backwards: the last token gets the first position.",
            _checked(lambda ids, wte, wpe, s: wte[ids] + wpe[_positions(ids, s)][::-1]),
        ),
        Mistake(
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
        ),
        Mistake(
            "multiplied",
            "You multiply the token vector and the position vector. GPT-2 adds them.",
            _checked(lambda ids, wte, wpe, s: wte[ids] * wpe[_positions(ids, s)]),
        ),
        Mistake(
            "subtracted",
            "You subtract the position vector. GPT-2 adds it.",
            _checked(lambda ids, wte, wpe, s: wte[ids] - wpe[_positions(ids, s)]),
        ),
        Mistake(
            "averaged",
            "Your vectors are half as long as they should be: you take the mean of the token "
            "vector and the position vector. GPT-2 takes their sum.",
            _checked(lambda ids, wte, wpe, s: (wte[ids] + wpe[_positions(ids, s)]) / 2),
        ),
        Mistake(
            "times_sqrt_width",
            "You multiply the token vectors by the square root of D. The first Transformer did "
            "that; GPT-2 does not.",
            _checked(
                lambda ids, wte, wpe, s: wte[ids] * np.sqrt(wte.shape[1]) + wpe[_positions(ids, s)]
            ),
        ),
        Mistake(
            "summed_over_tokens",
            "You add up all tokens of the sentence. Each token keeps a vector of its own: the "
            "result has one row for each token.",
            _checked(lambda ids, wte, wpe, s: (wte[ids] + wpe[_positions(ids, s)]).sum(axis=-2)),
        ),
        Mistake(
            "counts_along_the_first_axis",
            "The positions count along the first axis. With one sentence that is right; with a "
            "batch the tokens are on the last axis of `token_ids`.",
            _counts_along_first_axis,
            _checked(lambda ids, wte, wpe, s: wte[ids] + wpe[s : s + len(ids)]),
        ),
        Mistake(
            "one_sentence_only",
            "A batch of sentences comes out as one long sentence. Keep the axes of `token_ids`, "
            "and count positions inside each sentence.",
            _checked(
                lambda ids, wte, wpe, s: (wte[ids] + wpe[_positions(ids, s)]).reshape(
                    -1, wte.shape[1]
                )
            ),
            _one_long_sentence,
        ),
        Mistake(
            "tables_swapped",
            "You look up token ids in `wpe` and positions in `wte`. `wte` is the table of tokens, "
            "`wpe` the table of positions.",
            _checked(
                lambda ids, wte, wpe, s: wpe[ids % len(wpe)] + wte[_positions(ids, s) % len(wte)]
            ),
            _checked(lambda ids, wte, wpe, s: wpe[ids] + wte[_positions(ids, s)]),
        ),
        Mistake(
            "table_changed",
            "You write into `wte`: the model's table is different after the call. Build a new "
            "array for the result.",
            _changes_table,
        ),
        Mistake(
            "refusal_missing",
            "When the positions run out, your function returns something, or breaks by accident. "
            "A slice that is too short does not complain in NumPy: one row that is left over is "
            "silently used for every token. Compare start + T with the number of positions "
            "first, and raise a ValueError with a clear message.",
            _slices_without_looking,
        ),
        Mistake(
            "positions_start_over",
            "When the positions run out, yours start again at 0. GPT-2 has no position for such a "
            "token: raise a ValueError.",
            _starts_over_at_the_end,
        ),
        Mistake(
            "last_position_repeated",
            "When the positions run out, you use the last one again and again. GPT-2 has no "
            "position for such a token: raise a ValueError.",
            _stays_at_the_end,
        ),
        Mistake(
            "index_error_instead",
            "When the positions run out, NumPy stops with an IndexError. Say it yourself and "
            "earlier: compare start + T with the number of positions, and raise a ValueError "
            "with a clear message.",
            _index_error,
        ),
        Mistake(
            "last_position_refused",
            "You refuse a sentence that just fits. With N positions, start + T may be N, but not "
            "more.",
            _refuses_last_position,
        ),
    ),
    right=(
        Right("one-hot rows times the tables", _one_hot),
        Right("token by token", _token_by_token),
        Right("np.take and a length check after slicing", _raises_from_slice),
        Right(
            "float32",
            _checked(
                lambda ids, wte, wpe, s: (
                    wte.astype("f4")[ids] + wpe.astype("f4")[_positions(ids, s)]
                )
            ),
        ),
        Right(
            "position rows by fancy index",
            _checked(lambda ids, wte, wpe, s: wpe[_positions(ids, s)] + wte[ids]),
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

EXERCISES = (EMBED,)

QUESTIONS = (
    Question(
        id="00-index",
        right=7,
        replies={
            "right": "Eight tokens, positions 0 to 7. With the article's start token in front it "
            "would be index 8, which is number 9 when you count from 1.",
            "wrong": "Count from 0: 'A' has index 0, 'robot' has index 1. How far do you get at "
            "the eighth token?",
        },
    ),
    Question(
        id="00-sum",
        right="a",
        replies={
            "a": "The last axis, of size 3, disappears. One sum is left for each of the 4 tokens.",
            "b": "(3,) is what is left when axis 0, the tokens, disappears. The last axis holds "
            "the 3 features.",
            "c": "A sum along an axis makes that axis disappear. Which one is the last here?",
            "d": "`x.sum()` without an axis gives one number. With an axis, only that axis "
            "disappears.",
        },
    ),
    Question(
        id="00-leading",
        right="d",
        replies={
            "a": "Axis 0 is the tokens in `x` and the sentences in `batch`. We want to add up "
            "features.",
            "b": "Right for `x` only. In `batch`, axis 1 is the tokens.",
            "c": "Right for `batch` only: `x` has no axis 2, and NumPy would complain.",
            "d": "Counted from the back, the features are the last axis in both. That is why "
            "this course says `axis=-1`.",
        },
    ),
    Question(
        id="00-product",
        right="c",
        replies={
            "a": "That is the result for one sentence. The batch has two, and its leading axis "
            "stays.",
            "b": "The 3 features meet the 3 rows of `w` and disappear. The columns of `w` take "
            "their place.",
            "c": "Each of the two sentences is multiplied on its own: [4, 3] @ [3, 2] is [4, 2], "
            "with the 2 sentences in front.",
            "d": "NumPy accepts it: `@` works on the last two axes and uses the same `w` for "
            "every leading axis.",
        },
    ),
    Question(
        id="00-change",
        right="b",
        replies={
            "a": "`values` and `a` are two names of one array, and `/=` writes into it. Run the "
            "next cell.",
            "b": "`values` and `a` are two names of one array, and `/=` writes into it.",
        },
    ),
    Question(
        id="00-obey",
        right=-1.0,
        replies={
            "right": "-0.8 and -0.2: position by position, the two rows are added.",
            "wrong": "Add the two last numbers, -0.8 and -0.2. Mind the signs.",
        },
    ),
    Question(
        id="00-why-positions",
        right="d",
        replies={
            "a": "They have the same id with `wpe`, too: the id says which token it is, not where "
            "it stands.",
            "b": "The two vectors are added, not put one after the other: there are D numbers, "
            "with `wpe` or without.",
            "c": "The rows are in order, but you will see in lesson 01 that attention by itself "
            "takes no notice of the order of rows.",
            "d": "Same id, same row of `wte`. Only the position vector tells the two apart.",
        },
    ),
    Question(
        id="00-start",
        right=5,
        replies={
            "right": "Positions 0 to 4 are taken, so the new token stands at position 5. Lesson "
            "03 builds on this.",
            "wrong": "Positions 0, 1, 2, 3 and 4 are taken. Which one comes next?",
        },
    ),
    Question(
        id="00-recall-shape",
        right="c",
        replies={
            "a": "That is one sentence. What happens to the leading axis of a batch?",
            "b": "Sentences stay apart: the leading axis is kept.",
            "c": "Leading axes stay, then tokens, then features.",
            "d": "The features come last: [..., T, D].",
        },
    ),
    Question(
        id="00-recall-keepdims",
        right="b",
        replies={
            "a": "Its shape is (5,). NumPy would line it up with the 7 columns and complain.",
            "b": "Its shape is (5, 1): one sum for each row, repeated for all its columns.",
            "c": "That is one sum of everything, not one for each row.",
            "d": "That is one sum for each column.",
        },
    ),
)
