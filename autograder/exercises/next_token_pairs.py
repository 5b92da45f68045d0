"""`next_token_pairs`, lesson 02. What a text teaches: contexts and the token after each."""

from itertools import pairwise

import numpy as np

from autograder.exercises.kit import (
    LONG,
    Case,
    Exercise,
    Promise,
    late,
)
from autograder.exercises.steps import Steps, Wrong
from illustrated_attention.language import later as _

NEXT_TOKEN_PAIRS = Exercise(
    name="next_token_pairs",
    lesson="02_masked_attention",
    can="You can now make the pairs from which a language model learns.",
    visible=(
        Case("robot must obey orders", ([1, 2, 3, 5],)),
        Case("two tokens", ([4, 0],)),
        Case("one token: nothing to predict", ([3],)),
        Case("tokens that come twice", ([2, 0, 2, 0],)),
        Case("an array of ids", (np.array([4, 1, 6]),)),
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
    promises=(
        Promise(
            "a context is the one before and its target",
            "every_context_goes_on",
            ([2, 0, 2, 0], list(range(LONG))),
            ([5, 5, 0, 5], list(range(LONG + 6, 0, -1))),
        ),
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


# --- known mistakes ------------------------------------------------------------------------------


def _with_lists(pairs):
    """The same mistake made by one who turns the ids into a list first."""
    return pairs, lambda ids: pairs([int(i) for i in ids])


NEXT_TOKEN_PAIRS.mistake(
    "target_is_last_seen",
    "Your target is the last token of the context: the model would have to predict what "
    "it has just read. The target is the token after the context.",
    *_with_lists(lambda ids: [(ids[:t], ids[t - 1]) for t in range(1, len(ids))]),
    *_with_lists(lambda ids: [(ids[: t + 1], ids[t]) for t in range(len(ids) - 1)]),
)

NEXT_TOKEN_PAIRS.mistake(
    "target_in_context",
    "Your contexts hold their own target as last token. The answer must not be among "
    "what the model may read: where should the slice end?",
    *_with_lists(lambda ids: [(ids[: t + 1], ids[t]) for t in range(1, len(ids))]),
)

NEXT_TOKEN_PAIRS.mistake(
    "no_pairs",
    "Your list holds flat lists: the context and its target side by side. Each entry is a pair: "
    "a list, and then a number.",
    lambda ids: [[*ids[:t], ids[t]] for t in range(1, len(ids))],
    lambda ids: [list(ids[: t + 1]) for t in range(1, len(ids))],
    lambda ids: [(*ids[:t], ids[t]) for t in range(1, len(ids))],
)

NEXT_TOKEN_PAIRS.mistake(
    "rest_as_target",
    "Your targets hold all that follows. A target is one token: the very next one.",
    *_with_lists(lambda ids: [(ids[:t], ids[t:]) for t in range(1, len(ids))]),
)

NEXT_TOKEN_PAIRS.mistake(
    "first_token_left_out",
    "The first token is missing in your contexts. Every context begins with the first token of "
    "the text.",
    *_with_lists(lambda ids: [(ids[1:t], ids[t]) for t in range(1, len(ids))]),
    *_with_lists(lambda ids: [(ids[1 : t + 1], ids[t]) for t in range(1, len(ids))]),
    *_with_lists(lambda ids: [(ids[1:t], ids[t]) for t in range(2, len(ids))]),
)

NEXT_TOKEN_PAIRS.mistake(
    "one_token_skipped",
    "A token is left out between context and target. The target is the very next token "
    "after the context.",
    *_with_lists(lambda ids: [(ids[:t], ids[t + 1]) for t in range(1, len(ids) - 1)]),
)

NEXT_TOKEN_PAIRS.mistake(
    "empty_context",
    "You begin with an empty context. Without a token there is nothing to predict from: "
    "the first context has length 1.",
    *_with_lists(lambda ids: [(ids[:t], ids[t]) for t in range(len(ids))]),
)

NEXT_TOKEN_PAIRS.mistake(
    "first_pair_missing",
    "The first pair is missing: one token alone is a context already.",
    *_with_lists(lambda ids: [(ids[:t], ids[t]) for t in range(2, len(ids))]),
)

NEXT_TOKEN_PAIRS.mistake(
    "last_pair_missing",
    "The last pair is missing. T tokens give T - 1 pairs; `range(a, b)` stops before b.",
    *_with_lists(lambda ids: [(ids[:t], ids[t]) for t in range(1, len(ids) - 1)]),
)

NEXT_TOKEN_PAIRS.mistake(
    "index_too_far",
    "Your last context is the whole text, and no token comes after it: Python stops with "
    "an IndexError. T tokens give T - 1 pairs.",
    *_with_lists(lambda ids: [(ids[:t], ids[t]) for t in range(1, len(ids) + 1)]),
)

NEXT_TOKEN_PAIRS.mistake(
    "target_of_the_whole_text",
    "You add a pair for the whole text, whose target you have to make up. What comes "
    "after it is not known here: T tokens give T - 1 pairs.",
    *_with_lists(
        lambda ids: [(ids[:t], ids[t] if t < len(ids) else None) for t in range(1, len(ids) + 1)]
    ),
    *_with_lists(
        lambda ids: [(ids[:t], ids[t] if t < len(ids) else 0) for t in range(1, len(ids) + 1)]
    ),
    *_with_lists(
        lambda ids: [(ids[:t], ids[t] if t < len(ids) else -1) for t in range(1, len(ids) + 1)]
    ),
)

NEXT_TOKEN_PAIRS.mistake(
    "one_token_contexts",
    "Your contexts are single tokens. GPT-2 may read everything from the beginning: the "
    "contexts grow from 1 to T - 1 tokens.",
    *_with_lists(lambda ids: [([ids[t]], ids[t + 1]) for t in range(len(ids) - 1)]),
)

NEXT_TOKEN_PAIRS.mistake(
    "pairs_of_neighbours",
    "You return neighbouring tokens. The first part of a pair is the whole context, a "
    "list from the beginning of the text, even if it holds one token.",
    *_with_lists(lambda ids: list(pairwise(ids))),
)

NEXT_TOKEN_PAIRS.mistake(
    "context_slides",
    "Your contexts start later and later. A context always starts with the first token "
    "of the text and grows at its end.",
    *_with_lists(lambda ids: [(ids[t:-1], ids[-1]) for t in range(len(ids) - 1)]),
)

NEXT_TOKEN_PAIRS.mistake(
    "whole_text_each_time",
    "Every context is the whole text. Then the answer is already in it. The context of "
    "a target ends just before it.",
    *_with_lists(lambda ids: [(ids, ids[t]) for t in range(1, len(ids))]),
)


def _pairs_that_share_a_list(ids):
    context, pairs = [], []
    for token, target in pairwise(ids):
        context.append(token)
        pairs.append((context, target))
    return pairs


NEXT_TOKEN_PAIRS.mistake(
    "longest_context_each_time",
    "All your contexts are the longest one. Either the slice does not move with the "
    "target, or all pairs share one list that goes on growing: then make a new one for "
    "each pair.",
    *_with_lists(_pairs_that_share_a_list),
    *_with_lists(lambda ids: [(ids[:-1], ids[t]) for t in range(1, len(ids))]),
)

NEXT_TOKEN_PAIRS.mistake(
    "only_the_longest",
    "You return only the last pair. Every token after the first is a target: that is how "
    "one text gives T - 1 lessons.",
    *_with_lists(lambda ids: [(ids[:-1], ids[-1])]),
    *_with_lists(lambda ids: (ids[:-1], ids[-1])),
)

NEXT_TOKEN_PAIRS.mistake(
    "shifted_lists",
    "You return two lists, the tokens and the tokens one later. That is how a program "
    "stores them for training. Here each target stands beside its own context.",
    *_with_lists(lambda ids: (ids[:-1], ids[1:])),
    *_with_lists(lambda ids: [ids[:-1], ids[1:]]),
)

NEXT_TOKEN_PAIRS.mistake(
    "target_first",
    "Your pairs begin with the target. Put the context first, then the target.",
    *_with_lists(lambda ids: [(ids[t], ids[:t]) for t in range(1, len(ids))]),
)

NEXT_TOKEN_PAIRS.mistake(
    "target_in_a_list",
    "Your targets are lists of one token. A target is the token's id itself, a number.",
    *_with_lists(lambda ids: [(ids[:t], ids[t : t + 1]) for t in range(1, len(ids))]),
)

NEXT_TOKEN_PAIRS.mistake(
    "two_lists",
    "You return two lists: all contexts, then all targets. Return one list of pairs, each "
    "context beside its own target.",
    *_with_lists(
        lambda ids: (
            [ids[:t] for t in range(1, len(ids))],
            [ids[t] for t in range(1, len(ids))],
        )
    ),
)

NEXT_TOKEN_PAIRS.mistake(
    "first_pair_only",
    "You return the first pair only. Does the `return` stand inside the loop?",
    *_with_lists(lambda ids: [(ids[:1], ids[1])] if len(ids) > 1 else None),
    *_with_lists(lambda ids: [(ids[:1], ids[1])] if len(ids) > 1 else []),
)

NEXT_TOKEN_PAIRS.mistake(
    "longest_first",
    "Your pairs are in the wrong order: the longest context comes first. Begin with the "
    "context of one token.",
    *_with_lists(lambda ids: [(ids[:t], ids[t]) for t in range(len(ids) - 1, 0, -1)]),
)

NEXT_TOKEN_PAIRS.mistake(
    "read_backwards",
    "You predict the token before from the tokens after it. GPT-2 reads from the left.",
    *_with_lists(lambda ids: [(ids[t + 1 :], ids[t]) for t in range(len(ids) - 1)]),
    *_with_lists(lambda ids: [(ids[:0:-1][:t], ids[::-1][t]) for t in range(1, len(ids))]),
)

NEXT_TOKEN_PAIRS.mistake(
    "padded_contexts",
    "Your contexts all have the same length, filled up with something. Here a context "
    "holds the tokens that were read, and nothing else.",
    *_with_lists(
        lambda ids: [([*ids[:t], *[0] * (len(ids) - t)], ids[t]) for t in range(1, len(ids))]
    ),
    *_with_lists(
        lambda ids: [([*ids[:t], *[None] * (len(ids) - t)], ids[t]) for t in range(1, len(ids))]
    ),
    *_with_lists(
        lambda ids: [([*ids[:t], *[0] * (len(ids) - 1 - t)], ids[t]) for t in range(1, len(ids))]
    ),
)

NEXT_TOKEN_PAIRS.mistake(
    "always_four",
    "You make the pairs for four tokens, whatever the length of the text. Read the "
    "length from `token_ids`.",
    *_with_lists(lambda ids: [(ids[:t], ids[t]) for t in range(1, 4)]),
)


def _pairs_by_taking_off_the_callers(ids):
    pairs = [(ids[:t], ids[t]) for t in range(1, len(ids))]
    if isinstance(ids, list):
        ids.pop()
    else:
        ids[-1] = 0
    return pairs


NEXT_TOKEN_PAIRS.mistake(
    "ids_changed",
    "The pairs are right, but `token_ids` is different after the call. Perhaps you take "
    "tokens off with `pop`. Slices leave the caller's list alone.",
    *_with_lists(_pairs_by_taking_off_the_callers)[:1],
)

# --- unusual, and right --------------------------------------------------------------------------

NEXT_TOKEN_PAIRS.also_right("slices", lambda ids: [(ids[:t], ids[t]) for t in range(1, len(ids))])

NEXT_TOKEN_PAIRS.also_right("enumerate", lambda ids: [(ids[:i], t) for i, t in enumerate(ids) if i])


@NEXT_TOKEN_PAIRS.also_right("contexts grown one by one, as tuples")
def _pairs_with_grown_contexts(ids):
    pairs: list[tuple] = []
    context: list[int] = []
    for token, target in pairwise(ids):
        context = [*context, token]
        pairs.append((tuple(context), target))
    return pairs


@NEXT_TOKEN_PAIRS.also_right("taken off a copy from the end")
def _pairs_popped(ids):
    rest = list(ids)
    pairs: list[tuple] = []
    while len(rest) > 1:
        target = rest.pop()
        pairs.insert(0, (list(rest), target))
    return pairs


NEXT_TOKEN_PAIRS.also_right(
    "contexts as arrays",
    lambda ids: [(np.array(ids[: t + 1]), ids[t + 1]) for t in range(len(ids) - 1)],
)

NEXT_TOKEN_PAIRS.also_right(
    "pairs as lists", lambda ids: [[ids[:t], int(ids[t])] for t in range(1, len(ids))]
)

NEXT_TOKEN_PAIRS.also_right(
    "a tuple of pairs", lambda ids: tuple((ids[:t], ids[t]) for t in range(1, len(ids)))
)

# --- its steps, and how each of them goes wrong --------------------------------------------------


def _build(first, last, context, target):
    def next_token_pairs(token_ids):
        ids = list(token_ids)
        return [
            (context(ids, t), target(ids, t))
            for t in range(first, len(ids) + last)
            if 0 <= t < len(ids)
        ]

    return next_token_pairs


NEXT_TOKEN_PAIRS.steps = Steps(
    _build,
    {"first": 1, "last": 0, "context": lambda ids, t: ids[:t], "target": lambda ids, t: ids[t]},
    {
        "first": (Wrong("first_pair_missing", _("The first pair is missing."), 2), Wrong("empty_context", _("There is a pair with an empty context."), 0)),
        "last": (Wrong("last_pair_missing", _("The last pair is missing."), -1),),
        "context": (
            Wrong("context_of_one", _("Each context is the token before only."), lambda ids, t: ids[t - 1 : t]),
            Wrong("context_of_two", _("A context holds no more than the two tokens before."), lambda ids, t: ids[max(t - 2, 0) : t]),
            Wrong("target_in_context", _("The context holds its target, too."), lambda ids, t: ids[: t + 1]),
            Wrong("context_backwards", _("The contexts stand in reverse order."), lambda ids, t: ids[:t][::-1]),
            Wrong("whole_text", _("Each context is the whole text."), lambda ids, t: ids),
            Wrong("rest_as_context", _("Each context is what comes after, not what came before."), lambda ids, t: ids[t + 1 :]),
            Wrong("last_seen_missing", _("The last token before the target is missing in each context."), lambda ids, t: ids[: t - 1]),
            Wrong("first_token_missing", _("The first token is missing in each context."), lambda ids, t: ids[1:t]),
            Wrong("every_second_token", _("The context holds every second token only."), lambda ids, t: ids[:t:2]),
        ),
        "target": (
            Wrong("target_is_last_seen", _("The target is the last token of the context."), lambda ids, t: ids[t - 1]),
            Wrong("target_in_a_list", _("The target is a list of one token; one token is asked for."), lambda ids, t: ids[t : t + 1]),
            Wrong("rest_as_target", _("The target is all that follows; one token is asked for."), lambda ids, t: ids[t:]),
            Wrong("targets_shifted", _("The target is a list of the tokens one further on; one token is asked for."), lambda ids, t: ids[1 : t + 1]),
            Wrong("last_token_as_target", _("The target is always the text's last token."), lambda ids, t: ids[-1]),
            Wrong("position_as_target", _("The target is a position, not a token."), lambda ids, t: t),
        ),
    },
)  # fmt: skip
