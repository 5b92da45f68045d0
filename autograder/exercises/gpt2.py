"""`gpt2`, lesson 07. The whole model, from token ids to scores."""

import numpy as np

from autograder.exercises.kit import (
    FAR,
    LONG,
    Case,
    Exercise,
    Promise,
    late,
)
from autograder.exercises.pieces import (
    embedded,
    gpt2_with,
    in_float32,
    join,
    last_norm,
    layers_of,
    normalise,
    part_of,
    past_length,
    positions_from,
    right_block,
    right_gpt2,
    softmax,
)
from autograder.exercises.small_models import (
    LONG_MODEL,
    calmer,
    long_ids,
    past_of_the_heads,
    random_model,
)
from autograder.exercises.steps import Steps, Wrong
from illustrated_attention.language import later as _


def _past_after(token_ids, params, n_head):
    """The cache that the right model has after these tokens."""
    return right_gpt2(token_ids, params, n_head)[1]


_ONE_LAYER = random_model(1, 4, 7, 6, seed=681, decimals=1)

_TWO_LAYERS = random_model(2, 4, 7, 9, seed=691, decimals=1)

_SAME_SIZE = random_model(2, 4, 7, 9, seed=695, decimals=1)

_THREE_LAYERS = random_model(3, 6, 11, 13, seed=683)

_IDS = np.array([3, 6, 1])

_HIDDEN_IDS = np.array([8, 0, 3, 10, 5])

_HIDDEN_BATCH = np.array([[4, 4, 9], [7, 2, 0]])

GPT2 = Exercise(
    name="gpt2",
    lesson="07_gpt2",
    can="You can now run a whole GPT-2.",
    visible=(
        Case("three tokens, one layer", (_IDS, _ONE_LAYER, 2)),
        Case("three tokens, two layers", (_IDS, _TWO_LAYERS, 2)),
        Case(
            "two tokens after six others",
            (_IDS[:2], _TWO_LAYERS, 4, _past_after(np.array([5, 2, 4, 0, 1, 6]), _TWO_LAYERS, 4)),
        ),
        Case("two sentences at once", (np.array([[3, 0], [6, 2]]), _ONE_LAYER, 2)),
        late("eleven layers", (_IDS, random_model(11, 3, 7, 6, seed=694, decimals=1), 3)),
        late(
            "another model of the same size, two sentences after others",
            (
                np.array([[2, 6], [0, 1]]),
                _SAME_SIZE,
                2,
                _past_after(np.array([[5, 2, 4], [1, 1, 3]]), _SAME_SIZE, 2),
            ),
        ),
    ),
    hidden=(
        Case("three layers", (_HIDDEN_IDS, _THREE_LAYERS, 3)),
        Case("one token", (_HIDDEN_IDS[:1], _THREE_LAYERS, 3)),
        Case(
            "tokens after a past of three layers",
            (
                _HIDDEN_IDS[:3],
                _THREE_LAYERS,
                3,
                _past_after(np.array([1, 9, 6, 6, 2]), _THREE_LAYERS, 3),
            ),
        ),
        Case(
            "one token after a past, other heads",
            (_HIDDEN_IDS[:1], _THREE_LAYERS, 2, _past_after(np.array([7, 3]), _THREE_LAYERS, 2)),
        ),
        Case("a batch of other sizes", (_HIDDEN_BATCH, _THREE_LAYERS, 3)),
        Case(
            "a batch after a past",
            (
                _HIDDEN_BATCH,
                _THREE_LAYERS,
                3,
                _past_after(np.array([[1, 5, 5, 0], [10, 8, 2, 3]]), _THREE_LAYERS, 3),
            ),
        ),
        Case("twelve layers", (_HIDDEN_IDS, random_model(12, 6, 11, 9, seed=686), 2)),
        late(
            "the first and the last id, several times",
            (np.array([0, 10, 10, 0, 0]), _THREE_LAYERS, 2),
        ),
        *(
            late(
                "the same tokens, another number of heads",
                (_HIDDEN_IDS, _THREE_LAYERS, n, _past_after(np.array([1, 0, 9]), _THREE_LAYERS, n)),
            )
            for n in (1, 3, 6)
        ),
        late("a long text", (long_ids(LONG), LONG_MODEL, 2)),
        late(
            "new tokens after a long text",
            (np.array([4, 0, 6]), LONG_MODEL, 2, [past_of_the_heads(FAR, 4, 2, seed=692)]),
        ),
        late("many features", (_HIDDEN_IDS, calmer(random_model(1, 130, 11, 6, seed=693)), 13)),
        late(
            "all sizes equal", (np.array([[0, 1, 2, 3]] * 4), random_model(4, 4, 4, 4, seed=694), 4)
        ),
        late(
            "another model with the same sizes",
            (_HIDDEN_IDS, random_model(3, 6, 11, 13, seed=695), 3),
        ),
        late("ids in a small type", (_HIDDEN_IDS.astype(np.uint8), _THREE_LAYERS, 3)),
        late(
            "more layers than GPT-2 XL has",
            (np.array([2, 0]), random_model(49, 4, 5, 4, seed=698), 2),
        ),
    ),
    promises=(
        Promise(
            "cut in any way, with the past passed on, a text gives the results of one pass",
            "every_cut_is_one_pass",
            (-1, _IDS, (_TWO_LAYERS, 2), [1, 1, 1], [2, 1]),
            (-1, _HIDDEN_BATCH, (_THREE_LAYERS, 3), [1, 1, 1], [2, 1]),
        ),
        Promise(
            "every sentence of a batch gives what it gives alone",
            "every_example_alone",
            (1, np.array([[3, 0], [6, 2]]), _ONE_LAYER, 2),
            (1, _HIDDEN_BATCH, _THREE_LAYERS, 3),
        ),
    ),
    hints=(
        "Four steps: embed, all blocks in a row, the last layer norm, and the product with the "
        "token vectors. With a past, at which position do the new tokens start?",
        "The number of old tokens is the length of axis -2 of the first layer's keys, and 0 if "
        "`past` is None. In the loop, a block gets `past[layer]`, or None. `x` goes from block to "
        "block, the caches go into a list.",
        "Loop with `for layer, own in enumerate(layers(params))`. Inside: `x, present = block(x, "
        "own, n_head, None if past is None else past[layer])`. At the end: layer_norm with `ln_f`, "
        'then `@ params["wte.weight"].T`.',
    ),
    of_one_kind=True,
)


# --- known mistakes ------------------------------------------------------------------------------

GPT2.mistake(
    "positions_start_over",
    "Without a past you are right. With one, your new tokens get the positions 0, 1, 2 ... "
    "again. They stand after the tokens of the past: how many are those?",
    gpt2_with(positions=lambda n, past: positions_from(0, n)),
)

GPT2.mistake(
    "number_of_layers_as_start",
    "`len(past)` is the number of layers, and `len(past[0])` is 2, a pair. How many tokens "
    "the past holds is the length of its keys: axis -2.",
    gpt2_with(positions=lambda n, past: positions_from(len(past) if past else 0, n)),
    gpt2_with(positions=lambda n, past: positions_from(len(past[0]) if past else 0, n)),
)

GPT2.mistake(
    "wrong_axis_as_start",
    "You read the length of the past from the wrong axis. Keys are [..., H, T, d]: the "
    "tokens are on axis -2, the heads on -3, the features on -1.",
    gpt2_with(positions=lambda n, past: positions_from(past[0][0].shape[-1] if past else 0, n)),
    gpt2_with(positions=lambda n, past: positions_from(past[0][0].shape[-3] if past else 0, n)),
    gpt2_with(positions=lambda n, past: positions_from(past[0][0].shape[1] if past else 0, n)),
    gpt2_with(positions=lambda n, past: positions_from(len(past[0][0]) if past else 0, n)),
)

GPT2.mistake(
    "last_position_for_all",
    "All your new tokens get the same position. Each one gets the next: past, past + 1, and so on.",
    gpt2_with(positions=lambda n, past: np.full(n, past_length(past) + n - 1)),
    gpt2_with(positions=lambda n, past: np.full(n, past_length(past))),
)

GPT2.mistake(
    "positions_shifted",
    "Your positions are too large or too small by one. The first token of a text has "
    "position 0; after a past of 2 tokens the next one has position 2.",
    gpt2_with(positions=lambda n, past: positions_from(past_length(past) + 1, n)),
    gpt2_with(positions=lambda n, past: positions_from(max(past_length(past) - 1, 0), n)),
    gpt2_with(positions=lambda n, past: positions_from(past_length(past) + (1 if past else 0), n)),
)


def _without_positions(token_ids, params, positions):
    return params["wte.weight"][token_ids]


GPT2.mistake(
    "no_positions",
    "There are no positions in your input. Your embed adds them: it needs `wpe.weight` as well.",
    gpt2_with(embed=_without_positions),
)

GPT2.mistake(
    "embedding_scaled",
    "You multiply the embedding by the square root of D. The first Transformer did that; "
    "GPT-2 does not.",
    gpt2_with(
        embed=lambda ids, p, positions: (
            p["wte.weight"][ids] * p["wte.weight"].shape[1] ** 0.5 + p["wpe.weight"][positions]
        )
    ),
)

GPT2.mistake(
    "ln_f_missing",
    "The last layer norm is missing. After all blocks `x` goes through `ln_f.weight` and "
    "`ln_f.bias`. (The article's table of parameters forgets it, too.)",
    gpt2_with(end=lambda x, params: x),
)

GPT2.mistake(
    "ln_f_before_the_blocks",
    "`ln_f` stands before the blocks. It comes after the last one, before the product with "
    "`wte.weight`.",
    gpt2_with(embed=lambda ids, p, at: last_norm(embedded(ids, p, at), p), end=lambda x, p: x),
)

GPT2.mistake(
    "ln_f_after_the_logits",
    "You normalise the logits: they have V numbers, but `ln_f` has D. It works on `x`, "
    "after the last block and before the product.",
    gpt2_with(end=lambda x, p: x, out=lambda x, p: last_norm(x @ p["wte.weight"].T, p)),
)


@GPT2.mistake(
    "ln_f_in_every_layer",
    "You use `ln_f` after every block. It comes once, after the last: is that line inside "
    "your loop?",
)
def _ln_f_everywhere(token_ids, params, n_head, past=None):
    x = embedded(token_ids, params, positions_from(past_length(past), token_ids.shape[-1]))
    presents = []
    for layer, own in enumerate(layers_of(params)):
        x, present = right_block(x, own, n_head, None if past is None else past[layer])
        x = last_norm(x, params)
        presents.append(present)
    return x @ params["wte.weight"].T, presents


GPT2.mistake(
    "other_norm_at_the_end",
    "At the end you use a layer norm of a block, or none of its learned numbers. The last "
    "one is `ln_f`.",
    gpt2_with(end=lambda x, p: normalise(x, p["h.0.ln_1.weight"], p["h.0.ln_1.bias"])),
    gpt2_with(end=lambda x, p: normalise(x, p["h.0.ln_2.weight"], p["h.0.ln_2.bias"])),
    gpt2_with(end=lambda x, p: normalise(x, 1.0, 0.0)),
)

GPT2.mistake(
    "softmax_at_the_end",
    "You return probabilities, or their logarithms. Return logits: the plain product with "
    "`wte.weight`, without a softmax.",
    gpt2_with(out=lambda x, p: softmax(x @ p["wte.weight"].T)),
    gpt2_with(out=lambda x, p: np.log(softmax(x @ p["wte.weight"].T))),
)

GPT2.mistake(
    "logits_scaled",
    "You divide the logits by a square root. That scale belongs to attention scores. "
    "Logits are the plain product.",
    gpt2_with(out=lambda x, p: x @ p["wte.weight"].T / x.shape[-1] ** 0.5),
)

GPT2.mistake(
    "output_not_transposed",
    "You multiply by `wte.weight` as it is: [T, D] @ [V, D] does not fit. Each row of it "
    "is one token's vector, and each must meet each row of `x`: transpose it.",
    gpt2_with(out=lambda x, p: x @ p["wte.weight"]),
)

GPT2.mistake(
    "positions_as_output",
    "You multiply with `wpe.weight` at the end. Next words are compared with the token "
    "vectors, `wte.weight`.",
    gpt2_with(out=lambda x, p: x @ p["wpe.weight"].T),
)

GPT2.mistake(
    "no_output_product",
    "You return the rows of `x`, D numbers each. To make V logits, multiply by the token "
    "vectors: `wte.weight`, transposed.",
    gpt2_with(out=lambda x, p: x),
)

GPT2.mistake(
    "lm_head_looked_for",
    "There is no `lm_head.weight`, or no name with `transformer.` in front. GPT-2 uses "
    "`wte.weight` twice: for input and output.",
    gpt2_with(out=lambda x, p: x @ p["lm_head.weight"].T),
    gpt2_with(embed=lambda ids, p, positions: p["transformer.wte.weight"]),
)

GPT2.mistake(
    "last_token_only",
    "You return the logits of the last token only. Return a row for every token; "
    "generate will take the last.",
    gpt2_with(out=lambda x, p: (x @ p["wte.weight"].T)[..., -1, :]),
    gpt2_with(out=lambda x, p: (x @ p["wte.weight"].T)[..., -1:, :]),
)

GPT2.mistake(
    "ids_returned",
    "You return token ids. Return the logits; which token is the likeliest is decided in generate.",
    gpt2_with(out=lambda x, p: (x @ p["wte.weight"].T).argmax(axis=-1)),
)

GPT2.mistake(
    "same_weights_in_all_layers",
    "All your layers use the weights of one of them. Each has its own: `h.0.`, `h.1.` and so on.",
    gpt2_with(layers=lambda p: layers_of(p)[:1] * len(layers_of(p))),
    gpt2_with(layers=lambda p: layers_of(p)[-1:] * len(layers_of(p))),
)


def _handed_on(first):
    """Each layer gets what the one before it returned; the first what `first` makes of the past."""

    def gpt2(token_ids, params, n_head, past=None):
        x = embedded(token_ids, params, positions_from(past_length(past), token_ids.shape[-1]))
        presents, present = [], first(past)
        for own in layers_of(params):
            x, present = right_block(x, own, n_head, present)
            presents.append(present)
        return last_norm(x, params) @ params["wte.weight"].T, presents

    return gpt2


GPT2.mistake(
    "present_handed_to_the_next_layer",
    "A layer gets as its past what the layer before it returned: does one name stand for both? "
    "Each layer has a cache of its own: `past[layer]`, or None.",
    _handed_on(lambda past: past),
    _handed_on(lambda past: past[0] if past else None),
    _handed_on(lambda past: None),
)

GPT2.mistake(
    "one_layer_only",
    "Only one layer is used: with one layer you are right, with two you are not. The "
    "result of each block goes into the next.",
    gpt2_with(layers=lambda p: layers_of(p)[:1]),
)

GPT2.mistake(
    "last_layer_left_out",
    "One layer is left out: the last or the first one. `range(n)` already ends before n.",
    gpt2_with(layers=lambda p: layers_of(p)[:-1]),
    gpt2_with(layers=lambda p: layers_of(p)[1:]),
)

GPT2.mistake(
    "layers_reversed",
    "Your layers run from the last to the first. Begin with `h.0.`, and give each block's "
    "result to the next.",
    gpt2_with(layers=lambda p: layers_of(p)[::-1]),
)

GPT2.mistake(
    "number_of_layers_fixed",
    "Your number of layers is fixed, such as 4 or 12, and here there are fewer. Count "
    "them: `layers(params)` gives one dictionary for each.",
    gpt2_with(layers=lambda p: [part_of(p, f"h.{i}.") for i in range(2)]),
    gpt2_with(layers=lambda p: [part_of(p, f"h.{i}.") for i in range(4)]),
)

GPT2.mistake(
    "layers_left_out",
    "With few layers you are right, with five you are not: some of them take no part. Is a number "
    "of layers fixed, or a list such as `[None] * 4`? `zip` ends with the shorter one.",
    gpt2_with(layers=lambda p: layers_of(p)[:4]),
)


def _gpt2_adds_x_again(token_ids, params, n_head, past=None):
    x = embedded(token_ids, params, positions_from(past_length(past), token_ids.shape[-1]))
    presents = []
    for layer, own in enumerate(layers_of(params)):
        new, present = right_block(x, own, n_head, None if past is None else past[layer])
        x = x + new
        presents.append(present)
    return last_norm(x, params) @ params["wte.weight"].T, presents


GPT2.mistake(
    "x_added_again",
    "You add what a block returns to `x`. A block has both sums inside: what it returns is the "
    "new `x`.",
    _gpt2_adds_x_again,
)


def _gpt2_keeps_first_input(end):
    """Every block gets the embedding x; of it and of the last block's result y, `end` goes on."""

    def gpt2(token_ids, params, n_head, past=None):
        x = embedded(token_ids, params, positions_from(past_length(past), token_ids.shape[-1]))
        presents = []
        for layer, own in enumerate(layers_of(params)):
            y, present = right_block(x, own, n_head, None if past is None else past[layer])
            presents.append(present)
        return last_norm(end(x, y), params) @ params["wte.weight"].T, presents

    return gpt2


GPT2.mistake(
    "input_not_passed_on",
    "Every block gets the embedding, so only the last one counts. The result of each block "
    "is the input of the next.",
    _gpt2_keeps_first_input(lambda x, y: y),
)


def _gpt2_ends_with_input(token_ids, params, n_head, past=None):
    x = embedded(token_ids, params, positions_from(past_length(past), token_ids.shape[-1]))
    _logits, presents = right_gpt2(token_ids, params, n_head, past)
    return last_norm(x, params) @ params["wte.weight"].T, presents


GPT2.mistake(
    "blocks_lost",
    "Your logits come from the embedding: what the blocks return is lost on the way. The "
    "result of the last block goes through `ln_f` and meets the token vectors.",
    _gpt2_keeps_first_input(lambda x, y: x),
    _gpt2_ends_with_input,
)


def _gpt2_keeps_pairs(mean):
    """`x` becomes what a block returns; the next layer norm takes the mean of that pair."""

    def gpt2(token_ids, params, n_head, past=None):
        x = embedded(token_ids, params, positions_from(past_length(past), token_ids.shape[-1]))
        own = layers_of(params)[0]
        return mean(right_block(x, own, n_head, None if past is None else past[0]))

    return gpt2


GPT2.mistake(
    "pair_not_unpacked",
    "block returns two things, the new `x` and a cache, but you use them as one array. "
    "Unpack them: `x, present = ...`.",
    _gpt2_keeps_pairs(lambda pair: pair.mean(axis=-1, keepdims=True)),
    _gpt2_keeps_pairs(lambda pair: np.mean(pair, axis=-1, keepdims=True)),
    _gpt2_keeps_pairs(lambda pair: pair.shape),
)

GPT2.mistake(
    "past_ignored",
    "Your blocks do not get the past, so new tokens do not see the ones before. Each layer "
    "needs its own part: `past[layer]`.",
    gpt2_with(past_of=lambda past, layer: None),
    lambda ids, params, n_head, past=None: right_gpt2(ids, params, n_head),
)

GPT2.mistake(
    "one_cache_for_all_layers",
    "All your layers get the past of one layer. Each has its own keys and values: `past[layer]`.",
    gpt2_with(past_of=lambda past, layer: past[0]),
    gpt2_with(past_of=lambda past, layer: past[-1]),
)


@GPT2.mistake(
    "past_joined_again",
    "The old tokens are twice in your caches. What a block returns holds the past already.",
)
def _gpt2_joins_again(token_ids, params, n_head, past=None):
    logits, presents = right_gpt2(token_ids, params, n_head, past)
    if past is None:
        return logits, presents
    pairs = zip(past, presents, strict=True)
    return logits, [tuple(map(join, old, present)) for old, present in pairs]


def _layers_sorted_as_text(params):
    names = sorted({name.split(".")[1] for name in params if name.startswith("h.")})
    return [part_of(params, f"h.{name}.") for name in names]


def _layers_by_beginning(params):
    return [
        {
            name.split(".", 2)[2]: array
            for name, array in params.items()
            if name.startswith(f"h.{i}")
        }
        for i in range(len(layers_of(params)))
    ]


GPT2.mistake(
    "numbers_of_layers_as_text",
    "With up to ten layers you are right. With more, the names' numbers are mixed up: as text, 10 "
    "comes before 2, and `h.10.` begins with `h.1`. Count with numbers, and mind the last dot.",
    gpt2_with(layers=_layers_sorted_as_text),
    gpt2_with(layers=_layers_by_beginning),
)

GPT2.mistake(
    "caches_reversed",
    "The pasts of your layers are in reverse order. Layer 0 gets `past[0]`, layer 1 gets "
    "`past[1]`, and so on.",
    gpt2_with(past_of=lambda past, layer: past[-1 - layer]),
)


@GPT2.mistake(
    "whole_past_passed_on",
    "You pass the whole `past` to a block. It holds a pair for each layer; a block needs "
    "its own pair only: `past[layer]`.",
)
def _gpt2_whole_past(token_ids, params, n_head, past=None):
    x = embedded(token_ids, params, positions_from(past_length(past), token_ids.shape[-1]))
    presents = []
    for own in layers_of(params):
        x, present = right_block(x, own, n_head, past)
        presents.append(present)
    return last_norm(x, params) @ params["wte.weight"].T, presents


def _gpt2_needs_past(use):
    """Right with a past; without one it stops where `use` takes something from it."""

    def gpt2(token_ids, params, n_head, past=None):
        use(past)
        return right_gpt2(token_ids, params, n_head, past)

    return gpt2


GPT2.mistake(
    "past_not_checked_for_none",
    "At the beginning there is no past: `past` is None, and None has no entries. What does "
    "a block get then?",
    _gpt2_needs_past(lambda past: past[0]),
    _gpt2_needs_past(len),
    _gpt2_needs_past(list),
)

GPT2.mistake(
    "presents_not_returned",
    "You return only the logits. Return the caches of all layers as well: "
    "`return logits, presents`.",
    lambda *args: right_gpt2(*args)[0],
)

GPT2.mistake(
    "presents_first",
    "You return the caches first. Return the logits first, then the caches: "
    "`return logits, presents`.",
    lambda *args: right_gpt2(*args)[::-1],
)

GPT2.mistake(
    "last_cache_only",
    "You return the cache of one layer. Collect all of them in a list: one pair for each layer.",
    gpt2_with(returned=lambda presents: presents[-1]),
    gpt2_with(returned=lambda presents: presents[-1:]),
    gpt2_with(returned=lambda presents: presents[:1]),
)

GPT2.mistake(
    "presents_reversed",
    "Your list of caches is in reverse order: the pair of layer 0 comes first.",
    gpt2_with(returned=lambda presents: presents[::-1]),
)

GPT2.mistake(
    "presents_in_one_row",
    "Keys and values of all layers are in one flat list. Put one pair for each layer into "
    "it: use `append`, not `extend` or `+=`.",
    gpt2_with(returned=lambda presents: [part for pair in presents for part in pair]),
)

GPT2.mistake(
    "keys_only",
    "Your caches hold keys only, or values only. Each layer needs the pair that its block "
    "returned.",
    gpt2_with(returned=lambda presents: [k for k, v in presents]),
    gpt2_with(returned=lambda presents: [v for k, v in presents]),
)

GPT2.mistake(
    "past_returned",
    "You return the past that came in. Return what the blocks gave: it holds the new "
    "tokens as well.",
    lambda ids, params, n_head, past=None: (right_gpt2(ids, params, n_head, past)[0], past),
)


def _gpt2_extends_past(token_ids, params, n_head, past=None):
    logits, presents = right_gpt2(token_ids, params, n_head, past)
    past = [] if past is None else past
    past.extend(presents)
    return logits, past


def _gpt2_replaces_past(token_ids, params, n_head, past=None):
    logits, presents = right_gpt2(token_ids, params, n_head, past)
    if past is None:
        return logits, presents
    past[:] = presents
    return logits, past


def _gpt2_changes_wte(token_ids, params, n_head, past=None):
    logits, presents = right_gpt2(token_ids, params, n_head, past)
    params["wte.weight"] += 1.0
    return logits, presents


GPT2.mistake(
    "argument_changed",
    "`past` or `params` is different after the call. Collect the caches in a new list, and "
    "write into no argument.",
    _gpt2_extends_past,
    _gpt2_replaces_past,
    _gpt2_changes_wte,
)

GPT2.mistake(
    "rounded",
    "Your logits are rounded, or went through float16. Round when you print, not when you return.",
    gpt2_with(out=lambda x, p: (x @ p["wte.weight"].T).round(2)),
    gpt2_with(out=lambda x, p: (x @ p["wte.weight"].T).astype(np.float16)),
)

# --- unusual, and right --------------------------------------------------------------------------

GPT2.also_right("float32", in_float32(right_gpt2))


@GPT2.also_right("token by token with the cache")
def _gpt2_ids_one_by_one(token_ids, params, n_head, past=None):
    rows = []
    for t in range(token_ids.shape[-1]):
        logits, past = right_gpt2(token_ids[..., t : t + 1], params, n_head, past)
        rows.append(logits)
    return np.concatenate(rows, axis=-2), past


GPT2.also_right("a tuple of caches", gpt2_with(returned=tuple))

GPT2.also_right("caches as lists", gpt2_with(returned=lambda presents: [list(p) for p in presents]))

GPT2.also_right("one stacked cache", gpt2_with(returned=np.array))

GPT2.also_right(
    "einsum at the end",
    gpt2_with(out=lambda x, p: np.einsum("...d,vd->...v", x, p["wte.weight"])),
)

GPT2.also_right(
    "one-hot tokens",
    gpt2_with(
        embed=lambda ids, p, positions: (
            np.eye(len(p["wte.weight"]))[ids] @ p["wte.weight"] + p["wpe.weight"][positions]
        )
    ),
)


# --- the steps: what goes wrong in each ------------------------------------------------------------


def _words_scaled(token_ids, params, positions):
    words = params["wte.weight"][token_ids]
    return embedded(token_ids, params, positions) + (words.shape[-1] ** 0.5 - 1) * words


GPT2.steps = Steps(
    gpt2_with,
    {},
    {
        "positions": (
            Wrong("positions_from_0", _("With a past, positions begin at 0 again."), lambda n, past: positions_from(0, n)),
            Wrong("positions_from_one", _("Positions are counted from 1."), lambda n, past: positions_from(past_length(past) + 1, n)),
        ),
        "embed": (
            Wrong("positions_missing", _("The positions' vectors are not added."), lambda ids, p, positions: p["wte.weight"][ids]),
            Wrong("words_scaled", _("The words' vectors are multiplied by the root of D."), _words_scaled),
        ),
        "layers": (
            Wrong("layers_backwards", _("The layers run from the last to the first."), lambda p: layers_of(p)[::-1]),
            Wrong("first_layer_only", _("Only the first layer is used."), lambda p: layers_of(p)[:1]),
            Wrong("last_layer_missing", _("The last layer is left out."), lambda p: layers_of(p)[:-1]),
            Wrong("first_layer_for_all", _("All layers use the first one's numbers."), lambda p: layers_of(p)[:1] * len(layers_of(p))),
        ),
        "past_of": (
            Wrong("past_unused", _("The layers do not get the past."), lambda past, layer: None),
            Wrong("first_past_for_all", _("All layers get the first one's past."), lambda past, layer: past[0]),
        ),
        "end": (
            Wrong("last_norm_missing", _("The last layer norm is missing."), lambda x, p: x),
            Wrong("last_norm_plain", _("The last layer norm has no gain and no bias."), lambda x, p: normalise(x, 1, 0)),
        ),
        "out": (
            Wrong("probabilities", _("Softmax is applied to the logits."), lambda x, p: softmax(x @ p["wte.weight"].T)),
            Wrong("log_probabilities", _("Log-softmax is applied to the logits."), lambda x, p: np.log(softmax(x @ p["wte.weight"].T))),
            Wrong("logits_over_root", _("The logits are divided by the root of D."), lambda x, p: x @ p["wte.weight"].T / x.shape[-1] ** 0.5),
        ),
    },
)  # fmt: skip
