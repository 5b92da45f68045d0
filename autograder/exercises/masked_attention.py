"""Exercises of lesson 02: attention in which no token sees the future."""

from dataclasses import replace
from itertools import pairwise

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
from illustrated_attention import attentions

LESSON = "02_masked_attention"

# The article's scores before softmax (figure F9) and its weights after it (F11).
ARTICLE_SCORES = np.array(
    [
        [0.11, 0.00, 0.81, 0.79],
        [0.19, 0.50, 0.30, 0.48],
        [0.53, 0.98, 0.95, 0.14],
        [0.81, 0.86, 0.38, 0.90],
    ]
)
ARTICLE_TABLE = np.array(
    [[1, 0, 0, 0], [0.48, 0.52, 0, 0], [0.31, 0.35, 0.34, 0], [0.25, 0.26, 0.23, 0.26]]
)


# --- right pieces, from which wrong and unusual implementations are put together ---------------


def _softmax(scores):
    exp = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return exp / exp.sum(axis=-1, keepdims=True)


def _triangle(n):
    return np.tri(n, dtype=bool)


def _masked(scores, mask):
    return _softmax(np.where(mask, scores, -np.inf))


def _flip(a):
    return np.swapaxes(a, -1, -2)


def _scaled(q, k):
    return q @ _flip(k) / np.sqrt(q.shape[-1])


# --- next_token_pairs -------------------------------------------------------------------------


def _with_lists(pairs):
    """The same mistake made by one who turns the ids into a list first."""
    return pairs, lambda ids: pairs([int(i) for i in ids])


def _pairs_popped(ids):
    rest, pairs = list(ids), []
    while len(rest) > 1:
        target = rest.pop()
        pairs.insert(0, (list(rest), target))
    return pairs


def _pairs_that_share_a_list(ids):
    context, pairs = [], []
    for token, target in pairwise(ids):
        context.append(token)
        pairs.append((context, target))
    return pairs


def _pairs_by_taking_off_the_callers(ids):
    pairs = [(ids[:t], ids[t]) for t in range(1, len(ids))]
    if isinstance(ids, list):
        ids.pop()
    else:
        ids[-1] = 0
    return pairs


def _pairs_with_grown_contexts(ids):
    pairs, context = [], []
    for token, target in pairwise(ids):
        context = [*context, token]
        pairs.append((tuple(context), target))
    return pairs


NEXT_TOKEN_PAIRS = Exercise(
    name="next_token_pairs",
    lesson=LESSON,
    visible=(
        Case("robot must obey orders", ([1, 2, 3, 5],)),
        Case("two tokens", ([4, 0],)),
        Case("one token: nothing to predict", ([3],)),
        Case("a token that comes twice", ([0, 1, 2, 0, 4, 5, 0],)),
    ),
    hidden=(
        Case("a longer text", ([14, 3, 9, 27, 5, 31, 8, 2, 6],)),
        Case("three tokens", ([7, 11, 2],)),
        Case("an array of ids", (np.array([21, 4, 17, 30, 8]),)),
        Case("the same token again and again", ([6, 6, 6, 6, 6],)),
        late("a long text", (np.random.default_rng(190).integers(0, 50257, LONG).tolist(),)),
        late("token 0 again and again", ([0, 0, 1, 0, 0],)),
        late("an array of one id", (np.array([0]),)),
        late("ids at the end of GPT-2's vocabulary", ([50256, 50256, 0, 50255],)),
    ),
    promises=(),
    mistakes=(
        Mistake(
            "target_is_last_seen",
            "Your target is the last token of the context: the model would have to predict what "
            "it has just read. The target is the token after the context.",
            *_with_lists(lambda ids: [(ids[:t], ids[t - 1]) for t in range(1, len(ids))]),
            *_with_lists(lambda ids: [(ids[: t + 1], ids[t]) for t in range(len(ids) - 1)]),
        ),
        Mistake(
            "target_in_context",
            "Your contexts hold their own target as last token. The answer must not be among "
            "what the model may read: where should the slice end?",
            *_with_lists(lambda ids: [(ids[: t + 1], ids[t]) for t in range(1, len(ids))]),
        ),
        Mistake(
            "one_token_skipped",
            "A token is left out between context and target. The target is the very next token "
            "after the context.",
            *_with_lists(lambda ids: [(ids[:t], ids[t + 1]) for t in range(1, len(ids) - 1)]),
        ),
        Mistake(
            "empty_context",
            "You begin with an empty context. Without a token there is nothing to predict from: "
            "the first context has length 1.",
            *_with_lists(lambda ids: [(ids[:t], ids[t]) for t in range(len(ids))]),
        ),
        Mistake(
            "first_pair_missing",
            "The first pair is missing: one token alone is a context already.",
            *_with_lists(lambda ids: [(ids[:t], ids[t]) for t in range(2, len(ids))]),
        ),
        Mistake(
            "last_pair_missing",
            "The last pair is missing. T tokens give T - 1 pairs; `range(a, b)` stops before b.",
            *_with_lists(lambda ids: [(ids[:t], ids[t]) for t in range(1, len(ids) - 1)]),
        ),
        Mistake(
            "index_too_far",
            "Your last context is the whole text, and no token comes after it: Python stops with "
            "an IndexError. T tokens give T - 1 pairs.",
            *_with_lists(lambda ids: [(ids[:t], ids[t]) for t in range(1, len(ids) + 1)]),
        ),
        Mistake(
            "target_of_the_whole_text",
            "You add a pair for the whole text, whose target you have to make up. What comes "
            "after it is not known here: T tokens give T - 1 pairs.",
            *_with_lists(
                lambda ids: [
                    (ids[:t], ids[t] if t < len(ids) else None) for t in range(1, len(ids) + 1)
                ]
            ),
            *_with_lists(
                lambda ids: [
                    (ids[:t], ids[t] if t < len(ids) else 0) for t in range(1, len(ids) + 1)
                ]
            ),
            *_with_lists(
                lambda ids: [
                    (ids[:t], ids[t] if t < len(ids) else -1) for t in range(1, len(ids) + 1)
                ]
            ),
        ),
        Mistake(
            "one_token_contexts",
            "Your contexts are single tokens. GPT-2 may read everything from the beginning: the "
            "contexts grow from 1 to T - 1 tokens.",
            *_with_lists(lambda ids: [([ids[t]], ids[t + 1]) for t in range(len(ids) - 1)]),
        ),
        Mistake(
            "pairs_of_neighbours",
            "You return neighbouring tokens. The first part of a pair is the whole context, a "
            "list from the beginning of the text, even if it holds one token.",
            *_with_lists(lambda ids: list(pairwise(ids))),
        ),
        Mistake(
            "context_slides",
            "Your contexts start later and later. A context always starts with the first token "
            "of the text and grows at its end.",
            *_with_lists(lambda ids: [(ids[t:-1], ids[-1]) for t in range(len(ids) - 1)]),
        ),
        Mistake(
            "whole_text_each_time",
            "Every context is the whole text. Then the answer is already in it. The context of "
            "a target ends just before it.",
            *_with_lists(lambda ids: [(ids, ids[t]) for t in range(1, len(ids))]),
        ),
        Mistake(
            "longest_context_each_time",
            "All your contexts are the longest one. Either the slice does not move with the "
            "target, or all pairs share one list that goes on growing: then make a new one for "
            "each pair.",
            *_with_lists(_pairs_that_share_a_list),
            *_with_lists(lambda ids: [(ids[:-1], ids[t]) for t in range(1, len(ids))]),
        ),
        Mistake(
            "only_the_longest",
            "You return only the last pair. Every token after the first is a target: that is how "
            "one text gives T - 1 lessons.",
            *_with_lists(lambda ids: [(ids[:-1], ids[-1])]),
            *_with_lists(lambda ids: (ids[:-1], ids[-1])),
        ),
        Mistake(
            "shifted_lists",
            "You return two lists, the tokens and the tokens one later. That is how a program "
            "stores them for training. Here each target stands beside its own context.",
            *_with_lists(lambda ids: (ids[:-1], ids[1:])),
            *_with_lists(lambda ids: [ids[:-1], ids[1:]]),
        ),
        Mistake(
            "target_first",
            "Your pairs begin with the target. Put the context first, then the target.",
            *_with_lists(lambda ids: [(ids[t], ids[:t]) for t in range(1, len(ids))]),
        ),
        Mistake(
            "target_in_a_list",
            "Your targets are lists of one token. A target is the token's id itself, a number.",
            *_with_lists(lambda ids: [(ids[:t], ids[t : t + 1]) for t in range(1, len(ids))]),
        ),
        Mistake(
            "two_lists",
            "You return two lists: all contexts, then all targets. Return one list of pairs, each "
            "context beside its own target.",
            *_with_lists(
                lambda ids: (
                    [ids[:t] for t in range(1, len(ids))],
                    [ids[t] for t in range(1, len(ids))],
                )
            ),
        ),
        Mistake(
            "first_pair_only",
            "You return the first pair only. Does the `return` stand inside the loop?",
            *_with_lists(lambda ids: [(ids[:1], ids[1])] if len(ids) > 1 else None),
            *_with_lists(lambda ids: [(ids[:1], ids[1])] if len(ids) > 1 else []),
        ),
        Mistake(
            "longest_first",
            "Your pairs are in the wrong order: the longest context comes first. Begin with the "
            "context of one token.",
            *_with_lists(lambda ids: [(ids[:t], ids[t]) for t in range(len(ids) - 1, 0, -1)]),
        ),
        Mistake(
            "read_backwards",
            "You predict the token before from the tokens after it. GPT-2 reads from the left.",
            *_with_lists(lambda ids: [(ids[t + 1 :], ids[t]) for t in range(len(ids) - 1)]),
            *_with_lists(lambda ids: [(ids[:0:-1][:t], ids[::-1][t]) for t in range(1, len(ids))]),
        ),
        Mistake(
            "padded_contexts",
            "Your contexts all have the same length, filled up with something. Here a context "
            "holds the tokens that were read, and nothing else.",
            *_with_lists(
                lambda ids: [
                    ([*ids[:t], *[0] * (len(ids) - t)], ids[t]) for t in range(1, len(ids))
                ]
            ),
            *_with_lists(
                lambda ids: [
                    ([*ids[:t], *[None] * (len(ids) - t)], ids[t]) for t in range(1, len(ids))
                ]
            ),
            *_with_lists(
                lambda ids: [
                    ([*ids[:t], *[0] * (len(ids) - 1 - t)], ids[t]) for t in range(1, len(ids))
                ]
            ),
        ),
        Mistake(
            "always_four",
            "You make the pairs for four tokens, whatever the length of the text. Read the "
            "length from `token_ids`.",
            *_with_lists(lambda ids: [(ids[:t], ids[t]) for t in range(1, 4)]),
        ),
        Mistake(
            "ids_changed",
            "The pairs are right, but `token_ids` is different after the call. Perhaps you take "
            "tokens off with `pop`. Slices leave the caller's list alone.",
            *_with_lists(_pairs_by_taking_off_the_callers)[:1],
        ),
    ),
    right=(
        Right("slices", lambda ids: [(ids[:t], ids[t]) for t in range(1, len(ids))]),
        Right("enumerate", lambda ids: [(ids[:i], t) for i, t in enumerate(ids) if i]),
        Right("contexts grown one by one, as tuples", _pairs_with_grown_contexts),
        Right("taken off a copy from the end", _pairs_popped),
        Right(
            "contexts as arrays",
            lambda ids: [(np.array(ids[: t + 1]), ids[t + 1]) for t in range(len(ids) - 1)],
        ),
        Right("pairs as lists", lambda ids: [[ids[:t], int(ids[t])] for t in range(1, len(ids))]),
        Right("a tuple of pairs", lambda ids: tuple((ids[:t], ids[t]) for t in range(1, len(ids)))),
    ),
    hints=(
        "How many pairs do four tokens give, and what is the shortest context? Write the pairs of "
        "`[1, 2, 3, 5]` on paper first.",
        "If a context has length t, its tokens have the positions 0 to t - 1. Its target is then "
        "at position t. Which lengths t are there?",
        "Go through t from 1 to T - 1 with `range(1, len(token_ids))`. The context is "
        "`token_ids[:t]` and its target is `token_ids[t]`.",
    ),
)


# --- causal_mask ------------------------------------------------------------------------------


def _mask_loops(n):
    mask = np.zeros((n, n), dtype=bool)
    for i in range(n):
        mask[i, : i + 1] = True
    return mask


def _mask_without_indices(n):
    mask = np.ones((n, n), dtype=bool)
    mask[np.triu_indices(n, 1)] = False
    return mask


CAUSAL_MASK = Exercise(
    name="causal_mask",
    lesson=LESSON,
    visible=(Case("four tokens", (4,)), Case("three tokens", (3,)), Case("one token", (1,))),
    hidden=(
        Case("more tokens", (7,)),
        Case("two tokens", (2,)),
        Case("one token", (1,)),
        Case("many tokens", (40,)),
        late("more tokens than GPT-2 takes", (FAR,)),
    ),
    promises=(),
    mistakes=(
        Mistake(
            "inverted",
            "Your mask says the opposite: it is True where a token may NOT look. In this course "
            "True means 'may look'. What should the diagonal be?",
            lambda n: ~_triangle(n),
            lambda n: (~_triangle(n)).astype(int),
            lambda n: np.triu(np.ones((n, n)), 1),
        ),
        Mistake(
            "upper_triangle",
            "Your first row is all True: the first token would see the whole future. Rows are "
            "the tokens that look, columns those that are looked at. Which triangle is the past?",
            lambda n: np.triu(np.ones((n, n), bool)),
            lambda n: np.triu(np.ones((n, n))),
        ),
        Mistake(
            "diagonal_missing",
            "Your diagonal is False: no token sees itself, and the first one sees nothing at "
            "all. Softmax would give nan there. A token may look at its own key.",
            lambda n: np.tri(n, k=-1, dtype=bool),
            lambda n: np.tri(n, k=-1),
        ),
        Mistake(
            "one_too_many",
            "Each of your tokens sees one token of the future: the next one, just what it should "
            "predict. Move the border back by one.",
            lambda n: np.tri(n, k=1, dtype=bool),
            lambda n: np.tri(n, k=1),
        ),
        Mistake(
            "all_true",
            "Your mask hides nothing. A token may look at itself and back, not forward.",
            lambda n: np.ones((n, n), dtype=bool),
            lambda n: np.ones((n, n)),
        ),
        Mistake(
            "all_false",
            "Your mask hides everything. Where is it set to True?",
            lambda n: np.zeros((n, n), dtype=bool),
            lambda n: np.zeros((n, n)),
        ),
        Mistake(
            "only_the_diagonal",
            "Each of your tokens sees itself alone. It may see all the tokens before it, too.",
            lambda n: np.eye(n, dtype=bool),
            lambda n: np.eye(n),
        ),
        Mistake(
            "only_the_last_two",
            "Each of your tokens sees itself and one token back. The whole past may be seen.",
            lambda n: np.tri(n, dtype=bool) & ~np.tri(n, k=-2, dtype=bool),
        ),
        Mistake(
            "minus_infinity_in_the_mask",
            "You return numbers to add to the scores, 0 and a very negative one. That is another "
            "way to mask. Here return True where a token may look, else False.",
            lambda n: np.where(_triangle(n), 0, -np.inf),
            lambda n: np.where(_triangle(n), 0.0, -1e9),
            lambda n: np.where(_triangle(n), 0.0, -1e10),
        ),
        Mistake(
            "ones_and_minus_infinity",
            "You mark hidden places with minus infinity. A mask answers a yes-or-no question: "
            "may row i look at column j? Return True or False.",
            lambda n: np.where(_triangle(n), 1, -np.inf),
            lambda n: np.where(_triangle(n), 1.0, np.nan),
        ),
        Mistake(
            "shared_out",
            "The rows of your mask sum to 1: these are weights. A mask only says where a token "
            "may look: True or False.",
            lambda n: _triangle(n) / np.arange(1, n + 1)[:, None],
        ),
        Mistake(
            "always_four",
            "Your mask is always 4 by 4. Read the size from `n`.",
            lambda n: _triangle(4),
            lambda n: np.tri(4),
        ),
        Mistake(
            "one_row",
            "You return one row. The mask is a table: a row for each token that looks, a column "
            "for each token that is looked at.",
            lambda n: np.ones(n, dtype=bool),
            lambda n: np.arange(n) <= np.arange(n),
        ),
        Mistake(
            "anti_diagonal",
            "Your triangle leans the wrong way: it has a right angle in the wrong corner. Row 0 "
            "must be True at column 0 only.",
            lambda n: _triangle(n)[::-1],
            lambda n: _triangle(n)[:, ::-1],
        ),
        Mistake(
            "lists_returned",
            "The values are right, but you return lists. Return a NumPy array: "
            "`np.array(...)` makes one of them.",
            lambda n: _triangle(n).tolist(),
            lambda n: _triangle(n).astype(int).tolist(),
        ),
        Mistake(
            "indices_returned",
            "You return the positions of the triangle's cells. Return the table itself, with "
            "True in these cells.",
            lambda n: np.tril_indices(n),
        ),
        Mistake(
            "numbers_of_columns",
            "Your table holds other numbers than 0 and 1. Compare rows with columns: the answer "
            "of a comparison is True or False.",
            lambda n: np.tril(np.arange(n * n).reshape(n, n)),
            lambda n: np.arange(n)[:, None] - np.arange(n),
        ),
    ),
    right=(
        Right("np.tri", _triangle),
        Right("np.tril of ones", lambda n: np.tril(np.ones((n, n), dtype=bool))),
        Right("not np.triu", lambda n: ~np.triu(np.ones((n, n), dtype=bool), 1)),
        Right("not np.triu, equal to 0", lambda n: np.triu(np.ones((n, n)), k=1) == 0),
        Right("a comparison", lambda n: np.arange(n)[:, None] >= np.arange(n)),
        Right("fromfunction", lambda n: np.fromfunction(lambda i, j: j <= i, (n, n))),
        Right(
            "a comprehension", lambda n: np.array([[j <= i for j in range(n)] for i in range(n)])
        ),
        Right("rows filled in a loop", _mask_loops),
        Right("hidden cells by index", _mask_without_indices),
        Right("the corner of a larger triangle", lambda n: _triangle(n + 5)[5:, 5:]),
        Right("0 and 1 as int", lambda n: np.tri(n, dtype=int)),
        Right("0 and 1 as float", lambda n: np.tri(n)),
        Right("cumulative or", lambda n: np.logical_or.accumulate(np.eye(n, dtype=bool))),
    ),
    hints=(
        "Row i is the token at position i, which looks. Column j is the token that is looked at. "
        "For which j is the answer yes?",
        "Row i is True in the columns 0 to i. You can fill the rows in a loop, compare row "
        "numbers with column numbers, or look for a NumPy function that makes triangles.",
        "`np.tri(n)` has ones on and below the diagonal. With `dtype=bool` these are True and the "
        "rest is False.",
    ),
)


# --- masked_softmax ---------------------------------------------------------------------------


def _with_hidden_score(score):
    """Masked softmax that gives hidden keys this score instead of minus infinity."""
    return lambda s, mask: _softmax(np.where(mask, s, score))


def _with_added_score(score):
    return lambda s, mask: _softmax(s + np.where(mask, 0.0, score))


def _times(factor):
    return lambda s, mask: _softmax(s * np.where(mask, 1.0, factor))


def _over_queries(s, mask):
    exp = np.exp(np.where(mask, s - s.max(axis=-2, keepdims=True), -np.inf))
    return exp / exp.sum(axis=-2, keepdims=True)


def _over_everything(s, mask):
    exp = np.where(mask, np.exp(s - s.max()), 0)
    return exp / exp.sum()


def _writes_into_scores(s, mask):
    np.copyto(s, -1e9, where=~mask, casting="unsafe")
    return _softmax(s)


def _at_hidden(value, *, index=lambda mask: ~mask, in_place=False):
    """Masked softmax by assigning to the hidden cells, with the mask as an index."""

    def masked_softmax(s, mask):
        s = s if in_place else s.copy()
        s[index(mask)] = value
        return _softmax(s)

    return masked_softmax


def _last_axes(mask):
    return (..., ~mask)


def _index_in_integers(s, mask):
    s = s.copy()
    s[~np.broadcast_to(mask, s.shape)] = -np.inf
    return _softmax(s)


def _mask_changed(s, mask):
    weights = _masked(s, mask)
    np.logical_not(mask, out=mask)
    return weights


def _exp_times_mask(s, mask):
    top = np.max(np.where(mask, s, -np.inf), axis=-1, keepdims=True)
    exp = np.exp(np.minimum(s - top, 0)) * mask
    return exp / exp.sum(axis=-1, keepdims=True)


def _hidden_after_and_shared_again(s, mask):
    weights = _softmax(s) * mask
    return weights / weights.sum(axis=-1, keepdims=True)


def _exp_times_mask_below_the_largest_of_all(s, mask):
    exp = np.exp(s - s.max()) * mask
    return exp / exp.sum(axis=-1, keepdims=True)


def _rows_of_visible_keys(s, mask):
    mask = np.broadcast_to(mask, s.shape)
    weights = np.zeros(s.shape)
    for index in np.ndindex(s.shape[:-1]):
        weights[index][mask[index]] = _softmax(s[index][mask[index]])
    return weights


def _putmask_on_a_copy(s, mask):
    s = s.astype(float)
    np.putmask(s, ~np.broadcast_to(mask, s.shape), -np.inf)
    return _softmax(s)


def _masked_array(s, mask):
    s = np.ma.array(s, mask=~np.broadcast_to(mask, s.shape))
    exp = np.ma.exp(s - s.max(axis=-1, keepdims=True))
    return exp / exp.sum(axis=-1, keepdims=True)


def _openai(s, mask):
    m = mask.astype(s.dtype)
    return _softmax(s * m - 1e10 * (1 - m))


def _finfo_min(s, mask):
    s = s.astype(float)
    return _softmax(np.where(mask, s, np.finfo(s.dtype).min))


def _quarters(*shape, seed):
    """Multiples of 1/4: float32 holds them exactly even when a large number is added."""
    return np.round(rough(*shape, seed=seed) * 8) / 4


def _from_the_corner(n_queries, n_keys):
    """The newest query sees all keys, the one before it all but one, and so on."""
    return np.tri(n_queries, n_keys, n_keys - n_queries, dtype=bool)


_FIRST_TWO_ONLY = np.array([[True, True, False]] * 3)
_HIGH_SCORES_HIDDEN = np.array([[True, False, True], [True, True, False]])
_EACH_ITS_OWN = np.array(
    [[[1, 0, 0], [1, 1, 0], [1, 1, 1]], [[0, 1, 1], [0, 1, 1], [0, 0, 1]]], dtype=bool
)
_SCATTERED = np.array(
    [[1, 0, 1, 1, 0], [0, 0, 0, 1, 0], [1, 1, 1, 1, 1], [0, 1, 0, 0, 1]], dtype=bool
)

MASKED_SOFTMAX = Exercise(
    name="masked_softmax",
    lesson=LESSON,
    visible=(
        Case("the article's scores", (ARTICLE_SCORES, _triangle(4))),
        Case("two queries, three keys", (tidy(2, 3, seed=200), _from_the_corner(2, 3))),
        Case("a mask that is no triangle", (tidy(3, 3, seed=201), _FIRST_TWO_ONLY)),
        Case("scores near -20000", (_quarters(3, 3, seed=202) - 2e4, _triangle(3))),
        Case("scores near 1000", (_quarters(3, 3, seed=203) + 1e3, _triangle(3))),
        Case("whole numbers", (np.array([[1, 2, 0], [3, 1, 1], [0, 2, 1]]), _triangle(3))),
        Case("a batch with two heads", (tidy(2, 2, 3, 3, seed=204), _triangle(3))),
        Case("a mask for each sentence", (tidy(2, 3, 3, seed=205), _EACH_ITS_OWN)),
        Case(
            "a mask shared by the heads of each sentence",
            (tidy(2, 2, 3, 3, seed=206), _EACH_ITS_OWN[:, None]),
        ),
        late(
            "hidden scores far above the visible ones",
            (np.array([[0.0, 1000.0, 1.0], [-1.0, 1.0, 2000.0]]), _HIGH_SCORES_HIDDEN),
        ),
    ),
    hidden=(
        Case("more keys than queries", (rough(5, 7, seed=210), _from_the_corner(5, 7))),
        Case("four axes", (rough(2, 3, 5, 5, seed=211) * 2, _triangle(5))),
        Case("a mask that is no triangle", (rough(4, 5, seed=212), _SCATTERED)),
        Case("very low scores", (_quarters(5, 5, seed=213) - 3e4, _triangle(5))),
        Case("very high scores", (_quarters(4, 6, seed=214) + 5e4, _from_the_corner(4, 6))),
        Case("one query", (rough(1, 6, seed=215), _from_the_corner(1, 6))),
        Case("one key may be seen", (rough(3, 4, seed=216), np.eye(3, 4, 1, dtype=bool))),
        Case("whole numbers", (np.array([[7, -3, 0], [1, 1, 5]]), _from_the_corner(2, 3))),
        Case(
            "a mask shared by the heads of each sentence",
            (
                rough(2, 3, 4, 5, seed=217),
                np.stack([_SCATTERED, ~_SCATTERED | (np.arange(5) == 2)])[:, None],
            ),
        ),
        late(
            "hidden scores far above the visible ones",
            (
                np.where(_SCATTERED, rough(4, 5, seed=218), 3000 + rough(4, 5, seed=219)),
                _SCATTERED,
            ),
        ),
        late(
            "hidden scores far above very low ones",
            (np.where(_triangle(5), _quarters(5, 5, seed=224) - 2e4, 3e4), _triangle(5)),
        ),
        late("one query in a batch", (rough(3, 1, 6, seed=225), np.arange(6)[None] % 2 == 1)),
        late("many keys", (rough(2, FAR, seed=226), _from_the_corner(2, FAR))),
        late("many queries", (rough(LONG, LONG, seed=227), _triangle(LONG))),
        late("all sizes equal", (rough(4, 4, 4, 4, seed=228), _triangle(4))),
        late(
            "all sizes equal, a mask for each sentence",
            (
                rough(4, 4, 4, 4, seed=229),
                np.stack([np.roll(_triangle(4), i, axis=1) for i in range(4)])[:, None],
            ),
        ),
        late("everything may be seen", (rough(3, 4, seed=230), np.ones((3, 4), bool))),
        late("one key", (rough(2, 3, 1, seed=231), np.ones((3, 1), bool))),
    ),
    promises=(
        Promise(
            "hidden keys get exactly 0",
            "hidden_keys_get_zero",
            (tidy(3, 3, seed=220), _triangle(3)),
            (rough(2, 5, 7, seed=221), _from_the_corner(5, 7)),
        ),
        Promise(
            "hidden scores do not matter",
            "hidden_scores_do_not_matter",
            (tidy(4, 4, seed=222), _triangle(4)),
            (rough(3, 6, 6, seed=223), _triangle(6)),
        ),
    ),
    mistakes=(
        Mistake(
            "score_zero",
            "Hidden keys still get weight: you give them the score 0, and exp(0) is 1. Zero is an "
            "ordinary score. The weight must become 0; which score does that?",
            _with_hidden_score(0.0),
            lambda s, mask: _softmax(s * mask),
            _with_hidden_score(1e-10),
        ),
        Mistake(
            "hidden_after_softmax",
            "Your rows no longer sum to 1. The hidden keys took their share first and you threw "
            "it away afterwards. Hide before softmax, so that the seen keys share everything.",
            lambda s, mask: _softmax(s) * mask,
        ),
        Mistake(
            "hidden_too_late",
            "Right until a hidden score is far above the visible ones: then it takes all the "
            "weight, nothing is left for the others, and 0 divided by 0 is nan. Hide before "
            "softmax: a hidden score must not even take part in the row's largest.",
            _hidden_after_and_shared_again,
            _exp_times_mask_below_the_largest_of_all,
        ),
        Mistake(
            "softmax_again_after_hiding",
            "The zeros come back: after hiding you apply softmax once more, and exp(0) is 1. "
            "Hide before the only softmax.",
            lambda s, mask: _softmax(_softmax(s) * mask),
        ),
        Mistake(
            "softmax_twice",
            "Hidden keys have weight again: you apply softmax to weights. Mask the scores, then "
            "apply softmax once.",
            lambda s, mask: _softmax(_masked(s, mask)),
        ),
        Mistake(
            "plus_infinity",
            "Rows with a hidden key are nan: plus infinity makes a hidden key the best one of "
            "all. What is exp of minus infinity?",
            _with_hidden_score(np.inf),
        ),
        Mistake(
            "zero_times_infinity",
            "All of your results are nan: in NumPy 0 times infinity is nan, so multiplying a "
            "mask with infinity spoils the visible cells. Choose between two values instead: "
            "look at `np.where`.",
            lambda s, mask: _softmax(s + (1 - mask) * -np.inf),
            lambda s, mask: _softmax(s * mask - (1 - mask) * np.inf),
        ),
        Mistake(
            "mask_inverted",
            "You hide what may be seen and show what is hidden. In this course True in the mask "
            "means 'may look'.",
            lambda s, mask: _softmax(np.where(mask, -np.inf, s)),
            lambda s, mask: _softmax(np.where(mask, -1e10, s)),
            lambda s, mask: _softmax(s + np.where(mask, -1e10, 0)),
            lambda s, mask: _softmax(np.where(mask, 0, s)),
        ),
        Mistake(
            "multiplied_by_minus_a_lot",
            "You multiply hidden scores by a very negative number. A negative score then becomes "
            "very large, and takes everything. Set hidden scores, do not multiply them.",
            _times(-1e10),
            _times(-1e9),
            _times(-1e4),
        ),
        Mistake(
            "multiplied_by_infinity",
            "You multiply hidden scores by minus infinity. A negative score becomes plus "
            "infinity, and 0 becomes nan. Set hidden scores, do not multiply them.",
            _times(-np.inf),
        ),
        Mistake(
            "mask_added",
            "You add the mask itself. Adding True adds 1: hidden keys are only a little worse "
            "than before, and have weight.",
            lambda s, mask: _softmax(s + mask),
            lambda s, mask: _softmax(s - ~mask),
        ),
        Mistake(
            "not_low_enough",
            "Your score for hidden keys is not low enough. Where the visible scores are lower "
            "still, near -20000, hidden keys take everything. Earlier Hugging Face code had this "
            "bug with -10000. Which score is below every number?",
            _with_hidden_score(-1e4),
            _with_hidden_score(-50.0),
            _with_hidden_score(-20.0),
            _with_hidden_score(-10.0),
            _with_hidden_score(-1.0),
        ),
        Mistake(
            "lowered_too_little",
            "You lower hidden scores by a fixed amount, and it is too small: some weight is left. "
            "It must become exactly 0, however large the scores are.",
            _with_added_score(-100.0),
            _with_added_score(-10.0),
            _with_added_score(-5.0),
            _with_added_score(-2.0),
        ),
        Mistake(
            "no_mask",
            "Nothing is hidden: your weights are those of plain softmax. "
            "Where does `mask` come in?",
            lambda s, mask: _softmax(s),
        ),
        Mistake(
            "own_triangle",
            "You build a triangle of your own. Right for a square, wrong for the other masks. "
            "Use the mask that you are given.",
            lambda s, mask: _masked(s, np.tri(*s.shape[-2:], dtype=bool)),
            lambda s, mask: _masked(s, _from_the_corner(*s.shape[-2:])),
            lambda s, mask: _masked(s, _triangle(s.shape[-1])),
            lambda s, mask: _masked(s, _triangle(s.shape[-2])),
        ),
        Mistake(
            "mask_transposed",
            "You turn the mask on its side. Rows of the mask are queries, just as in the scores: "
            "no transpose is needed.",
            lambda s, mask: _masked(s, _flip(mask)),
            lambda s, mask: _masked(s, mask.T),
        ),
        Mistake(
            "over_queries",
            "Your columns sum to 1, your rows do not. Softmax runs along each row, over the keys.",
            _over_queries,
        ),
        Mistake(
            "over_everything",
            "All your cells together sum to 1. Normalise each row by itself.",
            _over_everything,
        ),
        Mistake(
            "not_normalised",
            "Hidden keys have 0, but the rows do not sum to 1. Divide each row by its sum.",
            lambda s, mask: np.exp(s) * mask,
            lambda s, mask: np.exp(np.where(mask, s, -np.inf)),
            lambda s, mask: np.exp(s - s.max(axis=-1, keepdims=True)) * mask,
        ),
        Mistake(
            "no_max_subtracted",
            "Right on ordinary scores, nan near 1000 and -20000: your own exp overflows, or a "
            "whole row becomes 0. Your `softmax` of lesson 01 subtracts the largest score.",
            lambda s, mask: _no_shift(np.where(mask, s, -np.inf)),
            lambda s, mask: _no_shift(np.where(mask, s, -1e10)),
            lambda s, mask: np.exp(s) * mask / (np.exp(s) * mask).sum(axis=-1, keepdims=True),
        ),
        Mistake(
            "scores_returned",
            "You return scores with minus infinity in them. Softmax is still to come.",
            lambda s, mask: np.where(mask, s, -np.inf),
            lambda s, mask: np.where(mask, s, -1e10),
            lambda s, mask: np.where(mask, s, -1e9),
        ),
        Mistake(
            "weights_minus_infinity",
            "You set hidden WEIGHTS to minus infinity. A weight is never below 0. It is the "
            "score that goes to minus infinity, before softmax.",
            lambda s, mask: np.where(mask, _softmax(s), -np.inf),
        ),
        Mistake(
            "scaled_here",
            "Your weights are too flat: the scores are divided once more. Take the scores as "
            "they are given; scaling comes before.",
            lambda s, mask: _masked(s / 4, mask),
            lambda s, mask: _masked(s / np.sqrt(s.shape[-1]), mask),
        ),
        Mistake(
            "writes_into_whole_numbers",
            "Right, except for whole numbers: an array of integers cannot hold minus infinity. "
            "Make a new array of floats, for example with `np.where`.",
            _index_in_integers,
        ),
        Mistake(
            "mask_as_index",
            "You use the mask as an index. That needs a mask with just the axes of the scores, "
            "and scores that are floats. `np.where` takes any leading axes by broadcasting.",
            _at_hidden(-np.inf),
            _at_hidden(-np.inf, index=_last_axes),
            _at_hidden(-1e9),
            _at_hidden(-1e9, index=_last_axes),
        ),
        Mistake(
            "scores_changed",
            "`scores` is different after the call: you write into the caller's array. Make a new "
            "one, for example with `np.where`.",
            _writes_into_scores,
            _at_hidden(-np.inf, in_place=True),
            _at_hidden(-np.inf, index=_last_axes, in_place=True),
            _at_hidden(-1e9, in_place=True),
            _at_hidden(-1e9, index=_last_axes, in_place=True),
        ),
        Mistake(
            "mask_changed",
            "The weights are right, but `mask` is different after the call. Make a new array "
            "instead of writing into it.",
            _mask_changed,
        ),
        Mistake(
            "rounded",
            "Your weights are rounded, like those in the article. Round when you print, never in "
            "what you return.",
            lambda s, mask: np.round(_masked(s, mask), 2),
            lambda s, mask: np.round(_masked(s, mask), 3),
        ),
        Mistake(
            "half_precision",
            "The numbers are too coarse: they went through float16. Keep the type of the input.",
            lambda s, mask: _masked(s, mask).astype(np.float16),
        ),
        Mistake(
            "list_returned",
            "The numbers are right, but you return a list. Return the NumPy array.",
            lambda s, mask: _masked(s, mask).tolist(),
        ),
    ),
    right=(
        Right("np.where and minus infinity", _masked),
        Right("minus ten billion", _with_hidden_score(-1e10)),
        Right("minus one billion", _with_hidden_score(-1e9)),
        Right("OpenAI's formula", _openai),
        Right("the lowest float", _finfo_min),
        Right("minus infinity added", _with_added_score(-np.inf)),
        Right("minus a billion added", _with_added_score(-1e9)),
        Right("exp times mask, then shared out", _exp_times_mask),
        Right("softmax of the visible keys, row by row", _rows_of_visible_keys),
        Right("np.putmask on a copy", _putmask_on_a_copy),
        Right("a masked array", _masked_array),
        Right(
            "float32",
            lambda s, mask: _masked(s.astype("f4"), mask).astype("f4"),
        ),
        Right("logarithm of the mask", lambda s, mask: _softmax(s + np.log(mask.astype(float)))),
    ),
    hints=(
        "A hidden key must get the weight 0, and the visible ones must share everything. So hide "
        "before softmax. Which score makes exp exactly 0?",
        "Make new scores: the old score where the mask is True, minus infinity where it is "
        "False. `np.where` chooses between two values, cell by cell. Then your `softmax`.",
        "`np.where(mask, scores, -np.inf)` are the scores to give to `softmax`.",
    ),
)


def _no_shift(scores):
    exp = np.exp(scores)
    return exp / exp.sum(axis=-1, keepdims=True)


# --- causal_attention -------------------------------------------------------------------------


def _causal(q, k, v):
    weights = _masked(_scaled(q, k), _triangle(q.shape[-2]))
    return weights @ v, weights


def _ca_with(weights_of):
    """Causal attention whose weights come from a wrong formula of q and k."""

    def causal_attention(q, k, v):
        weights = weights_of(q, k)
        return weights @ v, weights

    return causal_attention


def _ca_scaled_by(number):
    return _ca_with(lambda q, k: _masked(q @ _flip(k) / number(q), _triangle(q.shape[-2])))


def _ca_masked_by(mask_for):
    return _ca_with(lambda q, k: _masked(_scaled(q, k), mask_for(q.shape[-2])))


def _ca_softmax_over_queries(q, k):
    scores = np.where(_triangle(q.shape[-2]), _scaled(q, k), -np.inf)
    return _flip(_softmax(_flip(scores)))


def _ca_q_changed(q, k, v):
    out, weights = _causal(q, k, v)
    q /= np.sqrt(q.shape[-1])
    return out, weights


def _ca_prefixes(q, k, v):
    out, weights = np.zeros(v.shape), np.zeros((*q.shape[:-1], q.shape[-2]))
    for t in range(q.shape[-2]):
        row = _softmax(_scaled(q[..., t : t + 1, :], k[..., : t + 1, :]))
        out[..., t : t + 1, :] = row @ v[..., : t + 1, :]
        weights[..., t, : t + 1] = row[..., 0, :]
    return out, weights


def _ca_einsum(q, k, v):
    scores = np.einsum("...id,...jd->...ij", q, k) * q.shape[-1] ** -0.5
    weights = _masked(scores, np.arange(q.shape[-2])[:, None] >= np.arange(q.shape[-2]))
    return [np.einsum("...ij,...jd->...id", weights, v), weights]


def _ca_examples_one_by_one(q, k, v):
    if q.ndim == 2:
        return _causal(q, k, v)
    parts = [_ca_examples_one_by_one(*arrays) for arrays in zip(q, k, v, strict=True)]
    return np.stack([p[0] for p in parts]), np.stack([p[1] for p in parts])


_CQ, _CK, _CV = tidy(4, 3, seed=230), tidy(4, 3, seed=231), tidy(4, 2, seed=232)
_HCQ, _HCK, _HCV = rough(5, 6, seed=240), rough(5, 6, seed=241), rough(5, 4, seed=242)

CAUSAL_ATTENTION = Exercise(
    name="causal_attention",
    lesson=LESSON,
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
    ),
    mistakes=(
        Mistake(
            "no_mask",
            "Your tokens see the future: nothing is masked. Which mask belongs between the scores "
            "and softmax?",
            _ca_with(lambda q, k: _softmax(_scaled(q, k))),
        ),
        Mistake(
            "not_scaled",
            "Your weights are too sharp: the scores are not divided by sqrt(d). That is the very "
            "step which the article's table gave away. Use your scaled_scores.",
            _ca_scaled_by(lambda q: 1),
        ),
        Mistake(
            "scaled_twice",
            "Your weights are too flat: the scores are scaled twice (or divided by d). "
            "scaled_scores has done it already.",
            _ca_scaled_by(lambda q: q.shape[-1]),
        ),
        Mistake(
            "divided_by_4",
            "You divide by 4. That fits the article's numbers, where d seems to be 16. Here d is "
            "the size of the queries you are given.",
            _ca_scaled_by(lambda q: 4),
            _ca_scaled_by(lambda q: 4 * np.sqrt(q.shape[-1])),
        ),
        Mistake(
            "scaled_by_8",
            "You divide by 8. That is right for GPT-2, where d is 64. Read d from the queries.",
            _ca_scaled_by(lambda q: 8),
        ),
        Mistake(
            "scaled_by_tokens",
            "You scale by the number of tokens. d is the size of one query: the last axis of `q`.",
            _ca_scaled_by(lambda q: np.sqrt(q.shape[-2])),
        ),
        Mistake(
            "mask_inverted",
            "Your tokens see the future and not the past: the mask is turned round. True must "
            "mean 'may look'.",
            _ca_masked_by(lambda n: ~_triangle(n)),
            _ca_with(lambda q, k: _softmax(np.where(_triangle(q.shape[-2]), -1e10, _scaled(q, k)))),
        ),
        Mistake(
            "mask_transposed",
            "Your first token sees everything and your last one only itself: the mask is the "
            "upper triangle. Rows are the tokens that look.",
            _ca_masked_by(lambda n: _triangle(n).T),
        ),
        Mistake(
            "not_itself",
            "Your tokens do not see themselves, and the first one sees nothing. A token's own key "
            "takes part.",
            _ca_masked_by(lambda n: np.tri(n, k=-1, dtype=bool)),
            _ca_with(
                lambda q, k: _softmax(
                    np.where(np.tri(q.shape[-2], k=-1, dtype=bool), _scaled(q, k), -1e10)
                )
            ),
        ),
        Mistake(
            "one_too_many",
            "Changing token t + 1 changes your result for token t: each token sees one token of "
            "the future.",
            _ca_masked_by(lambda n: np.tri(n, k=1, dtype=bool)),
        ),
        Mistake(
            "mask_of_first_axis",
            "Your mask has the size of the first axis of `q`. In a batch that is the number of "
            "sentences. Count the tokens with `q.shape[-2]`.",
            _ca_with(lambda q, k: _masked(_scaled(q, k), _triangle(len(q)))),
        ),
        Mistake(
            "mask_of_vector_size",
            "Your mask has the size of a query vector. It needs a row and a column for each "
            "token: `q.shape[-2]`.",
            _ca_with(lambda q, k: _masked(_scaled(q, k), _triangle(q.shape[-1]))),
        ),
        Mistake(
            "mask_for_four",
            "Your mask is made for four tokens. Make it for as many as there are.",
            _ca_masked_by(lambda n: _triangle(4)),
        ),
        Mistake(
            "score_zero",
            "The future still gets weight: you give hidden keys the score 0, and exp(0) is 1. "
            "Use your masked_softmax.",
            _ca_with(lambda q, k: _softmax(_scaled(q, k) * _triangle(q.shape[-2]))),
        ),
        Mistake(
            "hidden_after_softmax",
            "Your rows no longer sum to 1: you hide after softmax. Use your masked_softmax.",
            _ca_with(lambda q, k: _softmax(_scaled(q, k)) * _triangle(q.shape[-2])),
        ),
        Mistake(
            "hidden_too_late",
            "Right until a later token's score is far above the others: it takes all the weight "
            "before you hide it, and 0 divided by 0 is nan. Hide before softmax: masked_softmax "
            "does it.",
            _ca_with(
                lambda q, k: _hidden_after_and_shared_again(_scaled(q, k), _triangle(q.shape[-2]))
            ),
            _ca_with(
                lambda q, k: _exp_times_mask_below_the_largest_of_all(
                    _scaled(q, k), _triangle(q.shape[-2])
                )
            ),
        ),
        Mistake(
            "softmax_over_queries",
            "The columns of your weights sum to 1 instead of the rows. Softmax runs over the "
            "keys: the last axis.",
            _ca_with(_ca_softmax_over_queries),
        ),
        Mistake(
            "softmax_twice",
            "Hidden keys have weight again: softmax is applied twice. masked_softmax has done it "
            "already.",
            _ca_with(lambda q, k: _softmax(_masked(_scaled(q, k), _triangle(q.shape[-2])))),
        ),
        Mistake(
            "softmax_before_the_mask",
            "Your weights are too flat: softmax is applied to the scores, and then again in "
            "masked_softmax. Give masked_softmax the scores themselves.",
            _ca_with(lambda q, k: _masked(_softmax(_scaled(q, k)), _triangle(q.shape[-2]))),
        ),
        Mistake(
            "values_masked_instead",
            "You mask the values, not the scores. Who may see whom is decided between a query "
            "and a key, before softmax.",
            lambda q, k, v: (
                _softmax(_scaled(q, k)) @ v * np.tri(*v.shape[-2:]),
                _softmax(_scaled(q, k)),
            ),
        ),
        Mistake(
            "queries_and_keys_swapped",
            "Queries and keys have changed places. In scaled_scores the queries come first.",
            _ca_with(lambda q, k: _masked(_scaled(k, q), _triangle(q.shape[-2]))),
        ),
        Mistake(
            "weights_transposed_in_sum",
            "The weights are right, but in the sum you use their columns. Row i of the weights "
            "mixes the values for token i.",
            lambda q, k, v: (_flip(_causal(q, k, v)[1]) @ v, _causal(q, k, v)[1]),
        ),
        Mistake(
            "keys_blended",
            "You blend the keys. Keys are for matching; the values carry the content.",
            lambda q, k, v: (_causal(q, k, k)[0], _causal(q, k, v)[1]),
        ),
        Mistake(
            "other_weights_returned",
            "The result is right, but the weights you return are those without the mask. Return "
            "the ones that you used.",
            lambda q, k, v: (_causal(q, k, v)[0], _softmax(_scaled(q, k))),
        ),
        Mistake(
            "leaks_into_the_result",
            "The weights are right, but the result is blended with weights without the mask.",
            lambda q, k, v: (_softmax(_scaled(q, k)) @ v, _causal(q, k, v)[1]),
        ),
        Mistake(
            "scores_returned",
            "Your second value holds scores. Return the weights: what softmax makes of them.",
            lambda q, k, v: (_causal(q, k, v)[0], _scaled(q, k)),
            lambda q, k, v: (
                _causal(q, k, v)[0],
                np.where(_triangle(q.shape[-2]), _scaled(q, k), -np.inf),
            ),
        ),
        Mistake(
            "returned_in_wrong_order",
            "You return the weights first. Return the result first, then the weights.",
            lambda q, k, v: _causal(q, k, v)[::-1],
        ),
        Mistake(
            "weights_not_returned",
            "You return only the result. Return the weights as well: `return out, weights`.",
            lambda q, k, v: _causal(q, k, v)[0],
        ),
        Mistake(
            "result_not_returned",
            "You return only the weights. The result is the weighted sum of the values.",
            lambda q, k, v: _causal(q, k, v)[1],
        ),
        Mistake(
            "q_changed",
            "The results are right, but `q` is different after the call: `/=` writes into the "
            "caller's array.",
            _ca_q_changed,
        ),
    ),
    right=(
        Right("the steps of the lesson", _causal),
        Right("token by token on what came before", _ca_prefixes),
        Right("einsum, a list of two", _ca_einsum),
        Right("one example after the other", _ca_examples_one_by_one),
        Right("float32", lambda *qkv: _causal(*(a.astype("f4") for a in qkv))),
        Right(
            "minus ten billion",
            _ca_with(lambda q, k: _softmax(np.where(_triangle(q.shape[-2]), _scaled(q, k), -1e10))),
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


# --- recover_divisor --------------------------------------------------------------------------


def _tables(scores, divisors):
    """The causal weights for each divisor: [number of divisors, n, n]."""
    return _masked(scores / np.asarray(divisors)[:, None, None], _triangle(len(scores)))


def _fitting(scores, table, divisors):
    rounded = np.round(_tables(scores, divisors), 2)
    return divisors[np.isclose(rounded, table, rtol=0, atol=1e-9).all(axis=(1, 2))]


def fitting_interval(scores, table):
    """Return the smallest and the largest divisor that gives this table, and a hair more.

    A search on a grid may stop just before the true end: the grid's neighbours are returned.
    """
    grid = np.geomspace(0.5, 40, 20_001)
    fitting = _fitting(scores, table, grid)
    step = grid[1] / grid[0]
    return float(fitting[0] / step), float(fitting[-1] * step)


def _divided(title, scores, divisor):
    """A case made from a known divisor: any that gives the same table is right."""
    table = np.round(_tables(scores, [divisor])[0], 2)
    return Case(title, (scores, table), within=fitting_interval(scores, table))


def _wide(n, seed, size):
    """Scores that are not scaled yet: the more numbers in a query, the larger they are."""
    return np.round(np.random.default_rng(seed).uniform(-2, 2, (n, n)) * size, 1)


_STEPS = np.arange(1, 20, 0.01)


def _middle(scores, table):
    return float(_fitting(scores, table, _STEPS).mean())


def _then(change):
    """The mistake of one who finds the right divisor and then returns something else."""
    return lambda scores, table: change(_middle(scores, table))


def _first_of(divisors):
    """Return the first of these divisors that fits, None if there is none."""

    def recover_divisor(scores, table):
        fitting = _fitting(scores, table, np.asarray(divisors, dtype=float))
        return float(fitting[0]) if len(fitting) else None

    return recover_divisor


def _nearest_of(divisors, error=lambda e: e.max(axis=(1, 2)), tables=_tables):
    """Return the one of these divisors whose table is nearest by this error."""

    def recover_divisor(scores, table):
        divisors_ = np.asarray(divisors, dtype=float)
        return float(divisors_[error(np.abs(tables(scores, divisors_) - table)).argmin()])

    return recover_divisor


def _rounded_tables(scores, divisors):
    return np.round(_tables(scores, divisors), 2)


def _mean_error(errors):
    return errors.mean(axis=(1, 2))


def _squared_error(errors):
    return (errors**2).sum(axis=(1, 2))


def _tables_without_mask(scores, divisors):
    return _softmax(scores / np.asarray(divisors)[:, None, None])


def _within_a_hundredth(scores, table):
    errors = np.abs(_tables(scores, _STEPS) - table).max(axis=(1, 2))
    return float(_STEPS[errors <= 0.01][0])


def _from_one_cell(scores, table):
    return (scores[1, 1] - scores[1, 0]) / np.log(table[1, 1] / table[1, 0])


def _by_halving(scores, table):
    low, high = 1.0, 20.0
    for _ in range(60):
        thirds = np.array([low + (high - low) / 3, high - (high - low) / 3])
        near, far = np.abs(_tables(scores, thirds) - table).max(axis=(1, 2))
        low, high = (low, thirds[1]) if near < far else (thirds[0], high)
    return low


RECOVER_DIVISOR = Exercise(
    name="recover_divisor",
    lesson=LESSON,
    visible=(
        Case(
            "the article's scores and table",
            (ARTICLE_SCORES, ARTICLE_TABLE),
            within=fitting_interval(ARTICLE_SCORES, ARTICLE_TABLE),
        ),
        _divided("three tokens", _wide(3, 351, 1.5), 6**0.5),
        _divided("large scores", _wide(5, 340, 6), 128**0.5),
        _divided("scores that were not divided at all", _wide(4, 379, 1), 1.0),
    ),
    hidden=(
        _divided("queries of 64 numbers", _wide(5, 306, 4), 8.0),
        _divided("queries of 3 numbers", _wide(6, 314, 1), 3**0.5),
        _divided("three tokens", _wide(3, 312, 2), 12**0.5),
        _divided("very large scores", _wide(4, 300, 8), 16.0),
        replace(_divided("the root of no whole number", _wide(3, 306, 1), 2.55), late=True),
        replace(_divided("a divisor near 20", _wide(5, 418, 8), 19.5), late=True),
    ),
    promises=(),
    mistakes=(
        Mistake(
            "always_4",
            "You always return 4. It fits the article's numbers, but other scores and tables have "
            "other divisors: search for one.",
            lambda scores, table: 4.0,
        ),
        Mistake(
            "always_8",
            "You always return 8, the divisor of GPT-2. These tables were made with others: "
            "search for one that fits.",
            lambda scores, table: 8.0,
        ),
        Mistake(
            "a_factor",
            "You return a factor, such as 1/4: right to multiply with. Asked is the number to "
            "divide the scores by.",
            _then(lambda divisor: 1 / divisor),
        ),
        Mistake(
            "d_returned",
            "You return d, the square of the divisor. Asked is what the scores are divided by: "
            "the root of d.",
            _then(lambda divisor: divisor**2),
        ),
        Mistake(
            "root_returned",
            "You return the root of the divisor. The number that was searched for is the divisor "
            "itself: take no root of it.",
            _then(lambda divisor: divisor**0.5),
        ),
        Mistake(
            "number_of_tokens",
            "You return the number of tokens, or its root. For the article's 4 tokens that "
            "happens to fit. The divisor belongs to the size of a query, which is not shown here: "
            "search for it.",
            lambda scores, table: float(len(scores)),
            lambda scores, table: float(len(scores)) ** 0.5,
        ),
        Mistake(
            "nothing_found",
            "Your search finds nothing and returns None. Does it divide the scores, hide the "
            "future, round to 2 decimals, and only then compare with the table?",
            lambda scores, table: None,
        ),
        Mistake(
            "first_candidate",
            "You return the first number that you try, whatever the table. Does your comparison "
            "look at all cells? `np.array_equal` does.",
            lambda scores, table: 1.0,
            lambda scores, table: 0.5,
            lambda scores, table: 0.1,
            lambda scores, table: 0.01,
        ),
        Mistake(
            "not_masked",
            "You compare with weights that are not masked. In the table the future has the "
            "weight 0, so no divisor can fit. Use your masked_softmax.",
            _nearest_of(_STEPS, tables=_tables_without_mask),
        ),
        Mistake(
            "too_lax",
            "Your divisor nearly fits, but some cells differ by 0.01. Round the weights to 2 "
            "decimals, as in the table; then all cells must be equal.",
            _within_a_hundredth,
        ),
        Mistake(
            "steps_too_coarse",
            "You try only a few numbers, such as whole ones, or the roots of usual sizes. Other "
            "sizes are possible: take everything from 1 to 20 in steps of 0.01.",
            _first_of(range(1, 21)),
            _nearest_of(range(1, 21)),
            _first_of(np.arange(1, 20, 0.5)),
            _nearest_of(np.arange(1, 20, 0.5)),
            _first_of(np.sqrt([1, 2, 4, 8, 16, 32, 64, 256])),
            _nearest_of(np.sqrt([1, 2, 4, 8, 16, 32, 64, 256])),
        ),
        Mistake(
            "search_stops_early",
            "Your search stops before it reaches the divisor. Look from 1 to 20.",
            _first_of(np.arange(1, 10, 0.01)),
            _nearest_of(np.arange(1, 10, 0.01)),
            _nearest_of(np.arange(1, 5, 0.01)),
            _nearest_of(np.arange(1, 8, 0.01)),
            _first_of(np.arange(1, 5, 0.01)),
        ),
        Mistake(
            "search_starts_late",
            "Your search starts above 1. Scores that were not divided at all have the divisor 1.",
            _first_of(np.arange(2, 20, 0.01)),
            _nearest_of(np.arange(2, 20, 0.01)),
            _first_of(np.arange(1.1, 20, 0.01)),
        ),
        Mistake(
            "from_one_cell",
            "You compute the divisor from one pair of weights. These are rounded, so the result "
            "is only near. All cells of the table together tell it better.",
            _from_one_cell,
        ),
        Mistake(
            "all_that_fit",
            "You return all divisors that fit. One of them is enough.",
            lambda scores, table: _fitting(scores, table, _STEPS),
            lambda scores, table: list(map(float, _fitting(scores, table, _STEPS))),
            lambda scores, table: tuple(map(float, _fitting(scores, table, _STEPS)[[0, -1]])),
        ),
        Mistake(
            "weights_returned",
            "You return a table of weights. Return the divisor that gives it, one number.",
            lambda scores, table: _tables(scores, [_middle(scores, table)])[0],
            lambda scores, table: table.copy(),
            lambda scores, table: _tables(scores, [1.0])[0],
        ),
    ),
    right=(
        Right("the middle of all that fit", _middle),
        Right("the first that fits", _first_of(_STEPS)),
        Right("the last that fits", _first_of(_STEPS[::-1])),
        Right("finer steps from 0.5 on", _first_of(np.arange(0.5, 25, 0.001))),
        Right("smallest largest error", _nearest_of(_STEPS)),
        Right("smallest mean error", _nearest_of(_STEPS, _mean_error, _rounded_tables)),
        Right("least squares", _nearest_of(_STEPS, _squared_error, _rounded_tables)),
        Right("search by thirds", _by_halving),
        Right("NumPy's float", lambda scores, table: np.float32(_middle(scores, table))),
    ),
    hints=(
        "You can test whether a divisor is right: divide, mask, softmax, round, compare. So try "
        "many.",
        "Go through the numbers from 1 to 20 in steps of 0.01 (`np.arange`). For each, "
        "`np.round(masked_softmax(...), 2)` must equal the table in every cell "
        "(`np.array_equal`). The mask is your causal_mask.",
        "In the loop: `weights = masked_softmax(scores / divisor, causal_mask(len(scores)))`; if "
        "`np.array_equal(np.round(weights, 2), table)`, return `float(divisor)`.",
    ),
)


# --- find_leak --------------------------------------------------------------------------------


def _try_tokens(
    attention,
    n,
    d,
    *,
    changed="qkv",
    tokens=None,
    rows=lambda out, t: out[..., :t, :],
    what=0,
    add=3.0,
    same=np.allclose,
    lead=(),
    base=None,
):
    """The ordinary test, in parts that a mistake can replace."""
    rng = np.random.default_rng(7)
    plain = {name: rng.standard_normal((*lead, n, d)) for name in "qkv"}
    if base is not None:
        plain = {name: np.full((*lead, n, d), base) for name in "qkv"}
    before = attention(**plain)[what]
    for t in range(1, n) if tokens is None else tokens(n):
        other = {name: array.copy() for name, array in plain.items()}
        for name in changed:
            other[name][..., t, :] += add
        after = attention(**other)[what]
        if not same(rows(after, t), rows(before, t)):
            return True
    return False


def _test(**parts):
    return lambda attention, n, d: _try_tokens(attention, n, d, **parts)


def _rest_at_once(attention, n, d, add=3.0, same=np.allclose):
    """Change everything from token t on, for every t."""
    rng = np.random.default_rng(3)
    q, k, v = rng.standard_normal((3, n, d))
    before = attention(q, k, v)[0]
    for t in range(1, n):
        q2, k2, v2 = q.copy(), k.copy(), v.copy()
        for array in (q2, k2, v2):
            array[t:] = add * rng.standard_normal((n - t, d))
        if not same(attention(q2, k2, v2)[0][:t], before[:t]):
            return True
    return False


def _prefixes(attention, n, d):
    q, k, v = np.random.default_rng(4).standard_normal((3, n, d))
    whole = attention(q, k, v)[0]
    return not all(np.allclose(attention(q[:t], k[:t], v[:t])[0], whole[:t]) for t in range(1, n))


def _slopes(attention, n, d):
    """Does any output have a slope against a later input? One number at a time."""
    q, k, v = np.random.default_rng(5).standard_normal((3, n, d))
    before = attention(q, k, v)[0]
    for array in (q, k, v):
        for t in range(1, n):
            array[t, 0] += 0.5
            if np.abs(attention(q, k, v)[0] - before)[:t].max() > 1e-9:
                return True
            array[t, 0] -= 0.5
    return False


def _one_x_for_all(attention, n, d):
    x = np.random.default_rng(6).standard_normal((n, d))
    before, weights = attention(x, x, x)
    for t in range(n - 1):
        x2 = np.concatenate([x[: t + 1], x[t + 1 :][::-1] * -2 - 1])
        after, weights2 = attention(x2, x2, x2)
        if not np.allclose(before[: t + 1], after[: t + 1]):
            return np.True_
        if not np.allclose(weights[: t + 1], weights2[: t + 1]):
            return np.True_
    return np.False_


def _future_weights(attention, n, d):
    q, k, v = np.random.default_rng(8).standard_normal((3, n, d))
    return bool(np.triu(attention(q, k, v)[1], 1).any())


def _future_shuffled(attention, n, d):
    q, k, v = np.random.default_rng(9).standard_normal((3, n, d))
    before = attention(q, k, v)[0]
    for t in range(1, n):
        order = [*range(t), *range(n - 1, t - 1, -1)]
        if not np.allclose(attention(q[order], k[order], v[order])[0][:t], before[:t]):
            return True
    return False


def _poisoned_with_nan(attention, n, d):
    q, k, v = np.random.default_rng(10).standard_normal((3, n, d))
    for t in range(1, n):
        q2, k2, v2 = q.copy(), k.copy(), v.copy()
        for array in (q2, k2, v2):
            array[t:] = np.nan
        if np.isnan(attention(q2, k2, v2)[0][:t]).any():
            return True
    return False


def _against_own(attention, n, d):
    q, k, v = np.random.default_rng(11).standard_normal((3, n, d))
    return not np.allclose(attention(q, k, v)[0], _causal(q, k, v)[0])


def _second_half(attention, n, d):
    q, k, v = np.random.default_rng(12).standard_normal((3, n, d))
    before, half = attention(q, k, v)[0], n // 2
    q2, k2, v2 = q.copy(), k.copy(), v.copy()
    for array in (q2, k2, v2):
        array[half:] += 3
    return not np.allclose(attention(q2, k2, v2)[0][:half], before[:half])


def _tuple_compared(attention, n, d):
    q, k, v = np.random.default_rng(13).standard_normal((3, n, d))
    return bool(np.abs(attention(q, k, v) - attention(q + 1, k, v)).max() > 0)


def _asserts(attention, n, d):
    assert not _try_tokens(attention, n, d)


_A = attentions

FIND_LEAK = Exercise(
    name="find_leak",
    lesson=LESSON,
    visible=(
        Case("no mask at all", (_A.everything, 4, 3)),
        Case("only back, with exact zeros for the future", (_A.past_times_zero, 5, 2)),
        Case("only back", (_A.past_by_closeness, 4, 3)),
        Case("only itself", (_A.only_itself, 3, 2)),
        Case("only the last three", (_A.last_three, 6, 2)),
        Case("one token too many", (_A.one_ahead, 4, 3)),
        Case("pairs of tokens see each other", (_A.pairs, 5, 2)),
        Case("all see the last token", (_A.last_for_all, 5, 3)),
        Case("the first sees the last", (_A.first_sees_last, 5, 2)),
        Case("one in the middle sees the next", (_A.middle_sees_next, 6, 3)),
        Case("a mask for four tokens, four tokens", (_A.mask_for_four, 4, 2)),
        Case("a mask for four tokens, seven tokens", (_A.mask_for_four, 7, 2)),
        Case("the future has a little weight", (_A.weakly_hidden, 4, 3)),
        Case("hidden after sharing out", (_A.hidden_too_late, 4, 3)),
        Case("equal parts of everything", (_A.everything_in_equal_parts, 4, 2)),
        Case("a mean over all values", (_A.mean_removed, 4, 2)),
        Case("a mean over all queries", (_A.queries_centred, 4, 3)),
        Case("the first half sees itself", (_A.first_half_together, 5, 2)),
        Case("clean weights, another result", (_A.clean_weights, 4, 3)),
    ),
    hidden=(
        Case("only back, in equal parts", (_A.past_in_equal_parts, 5, 3)),
        Case("only back, in float32", (_A.past_in_float32, 5, 4)),
        Case("the first token and itself", (_A.first_and_itself, 6, 2)),
        Case("only the tokens before", (_A.strictly_past, 4, 3)),
        Case("only back, one number in a vector", (_A.past_by_closeness, 4, 1)),
        Case("only the future", (_A.future_only, 5, 3)),
        Case("the first half sees itself", (_A.first_half_together, 6, 3)),
        Case("a leak at one place only", (_A.middle_sees_next, 8, 2)),
        Case("a leak between two tokens far apart", (_A.first_sees_last, 8, 3)),
        Case("a leak that needs a long text", (_A.mask_for_four, 6, 3)),
        Case("a short text for that one", (_A.mask_for_four, 3, 2)),
        Case("a leak past the weights", (_A.clean_weights, 5, 2)),
        Case("a leak through the queries", (_A.queries_centred, 7, 2)),
        Case("a leak through the values", (_A.mean_removed, 6, 3)),
        Case("a weak leak", (_A.weakly_hidden, 7, 2)),
        Case("a leak through the keys", (_A.hidden_too_late, 6, 2)),
        late("a leak in the middle of a long text", (_A.middle_sees_next, 40, 2)),
        late("the first of many sees the last", (_A.first_sees_last, 40, 2)),
        late("only back in a long text", (_A.past_by_closeness, 40, 2)),
        late("two tokens that see only back", (_A.past_by_closeness, 2, 3)),
        late("two tokens that see each other", (_A.everything, 2, 3)),
    ),
    promises=(),
    mistakes=(
        Mistake(
            "always_false",
            "Your test never finds a leak. Do you change a copy of the arrays before the second "
            "call, and by enough to be seen?",
            lambda attention, n, d: False,
        ),
        Mistake(
            "always_true",
            "Your test reports a leak everywhere. Perhaps it compares the changed token's own "
            "row as well, or compares with your causal_attention. A right attention may compute "
            "its weights in another way: compare it with itself.",
            lambda attention, n, d: True,
            _test(rows=lambda out, t: out),
            _against_own,
        ),
        Mistake(
            "turned_round",
            "Your answers are the wrong way round: True must mean that there IS a leak.",
            lambda attention, n, d: not _try_tokens(attention, n, d),
        ),
        Mistake(
            "later_rows_compared",
            "You look at rows AFTER the changed token. These may change: they may look back. A "
            "leak shows in the rows before.",
            _test(tokens=lambda n: range(n - 1), rows=lambda out, t: out[..., t + 1 :, :]),
            _test(tokens=lambda n: [0], rows=lambda out, t: out[..., 1:, :]),
        ),
        Mistake(
            "only_the_last_token",
            "You change the last token only. Two tokens in the middle can leak to each other all "
            "the same: change every token in turn.",
            _test(tokens=lambda n: [n - 1]),
        ),
        Mistake(
            "only_the_second_token",
            "You change token 1 only and look at row 0. A leak can be anywhere: change every "
            "token in turn, and look at all rows before it.",
            _test(tokens=lambda n: [1]),
        ),
        Mistake(
            "only_the_first_row",
            "You look at row 0 only. A leak can be in any row before the changed token.",
            _test(rows=lambda out, t: out[..., :1, :]),
            _test(tokens=lambda n: [n - 1], rows=lambda out, t: out[..., :1, :]),
        ),
        Mistake(
            "only_the_row_before",
            "You look at one row only, the one just before the changed token. Rows further up "
            "can leak as well.",
            _test(rows=lambda out, t: out[..., t - 1, :]),
        ),
        Mistake(
            "only_the_second_half",
            "You change one half of the text and look at the other. A leak within a half stays "
            "unseen: change every token in turn.",
            _second_half,
        ),
        Mistake(
            "weights_only",
            "You look at the returned weights. They can be clean while the result is not: look at "
            "`out`, which is what goes on to the next layer.",
            _future_weights,
            _test(what=1),
        ),
        Mistake(
            "values_only",
            "You change values only (or start from zeros, so that queries and keys say nothing). "
            "A leak can go through the queries and keys: through the weights.",
            _test(changed="v"),
            _test(base=0.0),
        ),
        Mistake(
            "keys_only",
            "You change keys only. A leak can go through the values or queries as well.",
            _test(changed="k"),
        ),
        Mistake(
            "queries_only",
            "You change queries only. A future token is seen by its key and its value.",
            _test(changed="q"),
        ),
        Mistake(
            "queries_not_changed",
            "You change keys and values, not queries (or all your tokens are alike). One of the "
            "attentions leaks through the queries of later tokens.",
            _test(changed="kv"),
            _test(base=1.0),
        ),
        Mistake(
            "values_not_changed",
            "You change queries and keys, not values. A leak can go through the values alone.",
            _test(changed="qk"),
        ),
        Mistake(
            "poisoned_with_nan",
            "You change the future to nan (or infinity). A right attention may multiply it by the "
            "weight 0, and 0 times nan is nan. Change it to another ordinary number.",
            _poisoned_with_nan,
        ),
        Mistake(
            "future_shuffled",
            "You put the future tokens into another order. Their sum stays the same, so many "
            "leaks cannot be seen. Change their numbers.",
            _future_shuffled,
        ),
        Mistake(
            "tolerance_too_wide",
            "Your comparison overlooks small leaks: it rounds, or allows differences as large as "
            "0.1. `np.allclose` is fine as it is.",
            _test(same=lambda a, b: np.allclose(a, b, atol=0.1)),
            _test(same=lambda a, b: np.abs(a - b).max() < 0.1),
            _test(same=lambda a, b: np.array_equal(np.round(a), np.round(b))),
        ),
        Mistake(
            "n_ignored",
            "You always test with the same number of tokens. Some leaks need more tokens, some "
            "attentions are right for few. Use `n`.",
            lambda attention, n, d: _try_tokens(attention, 4, d),
            lambda attention, n, d: _try_tokens(attention, 5, d),
            lambda attention, n, d: _try_tokens(attention, 8, d),
        ),
        Mistake(
            "n_and_d_swapped",
            "You make arrays of the shape (d, n). Tokens are rows: (n, d).",
            lambda attention, n, d: _try_tokens(attention, d, n),
        ),
        Mistake(
            "tuple_compared",
            "An attention returns two things, `(out, weights)`. Take the first before you compare.",
            _tuple_compared,
        ),
        Mistake(
            "asserts",
            "Your test stops with an error when it finds a leak, and says nothing when it finds "
            "none. Here it should return True or False.",
            _asserts,
        ),
        Mistake(
            "returns_nothing",
            "Your test returns None. Printing does not count: return True or False.",
            lambda attention, n, d: None,
        ),
        Mistake(
            "returns_words",
            "Your test returns a text. Return True or False.",
            lambda attention, n, d: "leak" if _try_tokens(attention, n, d) else "no leak",
        ),
    ),
    right=(
        Right("change every token in turn", _test()),
        Right("compared exactly", _test(same=np.array_equal)),
        Right("a small change", _test(add=1e-2)),
        Right("a huge change", _test(add=1e6)),
        Right("a batch with heads", _test(lead=(2, 3))),
        Right("everything after, in turn", _rest_at_once),
        Right("everything after set to zero", lambda a, n, d: _rest_at_once(a, n, d, add=0.0)),
        Right("the beginning of the text alone", _prefixes),
        Right("slopes, one number at a time", _slopes),
        Right("one x for all, weights too, NumPy's True", _one_x_for_all),
        Right("1 and 0", lambda attention, n, d: int(_try_tokens(attention, n, d))),
    ),
    hints=(
        "Two calls: one with some tokens, one with a later token changed. If nobody sees the "
        "future, which rows of `out` must be the same in both?",
        "Make random q, k and v of the shape (n, d). For each t from 1 to n - 1: copy all three, "
        "change row t in each copy, call `attention` again. Rows 0 to t - 1 of `out` must not "
        "move.",
        "For each t, `after, _ = attention(q2, k2, v2)`; if not `np.allclose(after[:t], "
        "before[:t])`, return True. After the loop, return False.",
    ),
)


EXERCISES = (
    NEXT_TOKEN_PAIRS,
    CAUSAL_MASK,
    MASKED_SOFTMAX,
    CAUSAL_ATTENTION,
    RECOVER_DIVISOR,
    FIND_LEAK,
)

QUESTIONS = (
    Question(
        id="02-softmax",
        right=0.42,
        replies={
            "right": "1.21 of 2.86 is 0.42. Now look at row 1 of the article's table.",
            "wrong": "Divide exp(0.19), which is 1.21, by the sum, 2.86. Two decimals.",
        },
    ),
    Question(
        id="02-pairs",
        right=8,
        replies={
            "right": "Every token but the first is a target once. A text of 1,024 tokens, the most "
            "that GPT-2 takes, gives 1,023 pairs.",
            "wrong": "Every token but the first is a target once. How many tokens is that?",
        },
    ),
    Question(
        id="02-why-itself",
        right="d",
        replies={
            "a": "It can be the largest of all: the first token gives itself 100 %.",
            "b": "It is used, with the token's own weight, like all the others it sees.",
            "c": "It does keep the first row from being empty. But is it harmless in the others, "
            "too? What does each row have to predict?",
            "d": "A row has read its own token. What it must not see is its target, the token "
            "after it.",
        },
    ),
    Question(
        id="02-zero",
        right="c",
        replies={
            "a": "That is what was intended. But exp(0) is not 0. Run the next cell.",
            "b": "About a quarter is what EACH of them gets. Run the next cell and add up.",
            "c": "exp(0) is 1, nearly as much as exp of 0.0275. Four nearly equal shares; three of "
            "them leak.",
        },
    ),
    Question(
        id="02-billion",
        right="a",
        replies={
            "a": "-10,000 is larger than -20,000, so the hidden tokens win. The other three are "
            "far below, and exp gives exactly 0. So 1e9 or 1e10 makes no difference in the "
            "result; it is only not what the code says.",
            "b": "-1e9 is minus one billion, far below -20,000. Run the next cell.",
            "c": "A score need not be infinitely low: far enough below the others is enough. Run "
            "the next cell.",
            "d": "Compare -10,000 with -20,000: which one is larger? Run the next cell.",
        },
    ),
    Question(
        id="02-why-four",
        right="b",
        replies={
            "a": "It fits, but where would 3.62 come from? Its square is 13.1, an unusual size "
            "for a query.",
            "b": "Lesson 01 divides by the root of d. Any d from 13.1 to 20.3 fits, and sizes are "
            "mostly powers of two: 16.",
            "c": "The number is right, the reason is not: the scale does not depend on the number "
            "of tokens, but on the size of a query.",
            "d": "The middle is a fine answer for a computer. But where does the divisor in "
            "attention come from?",
        },
    ),
    Question(
        id="02-first",
        right=1,
        replies={
            "right": "It sees only itself, so it gets everything, whatever the score.",
            "wrong": "How many tokens may row 0 see? Its weights still sum to 1.",
        },
    ),
    Question(
        id="02-moves",
        right="d",
        replies={
            "a": "So it is without a mask. Whose future is 'obey'? Run the next cell.",
            "b": "'obey' moves, but who else sees it? Run the next cell.",
            "c": "For these two 'obey' is the future: they must not see it. Run the next cell.",
            "d": "A token's result depends on itself and on what came before, on nothing else. So "
            "only 'obey' and the tokens after it can move.",
        },
    ),
    Question(
        id="02-why-mask",
        right="a",
        replies={
            "a": "A model that can see the next token learns to copy it, and then has nothing to "
            "copy from when it writes.",
            "b": "It only hides some of them. What keeps softmax from saturating is the scale.",
            "c": "Softmax makes every row sum to 1, with a mask and without.",
        },
    ),
    Question(
        id="02-recall-scale",
        right=8,
        replies={
            "right": "The root of 64. OpenAI's code does it before the mask, as you do.",
            "wrong": "By the square root of d. What is the root of 64?",
        },
    ),
    Question(
        id="02-recall-batch",
        right="c",
        replies={
            "a": "That is one sentence. The leading axis, 2 sentences, stays.",
            "b": "The 6 meets the 6 of `w` and disappears.",
            "c": "Leading axes stay; the last axis becomes that of `w`.",
        },
    ),
)
