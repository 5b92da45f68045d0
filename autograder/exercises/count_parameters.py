"""`count_parameters`, lesson 07. How many numbers GPT-2 has learned."""

import math

import numpy as np

from autograder.exercises.kit import (
    Case,
    Exercise,
    Promise,
    late,
)
from autograder.exercises.steps import Steps, Wrong
from illustrated_attention.language import later as _

COUNT_PARAMETERS = Exercise(
    name="count_parameters",
    lesson="07_gpt2",
    can="You can now say how large any GPT-2 is.",
    visible=(
        Case("one layer, width 2, 5 words, 3 positions", (1, 2, 5, 3)),
        Case("three layers, width 4, 10 words, 7 positions", (3, 4, 10, 7)),
        Case("GPT-2 small", (12, 768, 50257, 1024)),
    ),
    hidden=(
        Case("other sizes", (2, 6, 13, 11)),
        Case("no layer", (0, 5, 7, 3)),
        Case("more layers", (7, 3, 4, 9)),
        Case("GPT-2 medium", (24, 1024, 50257, 1024)),
        Case("GPT-2 XL", (48, 1600, 50257, 1024)),
        late("GPT-3", (96, 12288, 50257, 2048)),
        late("twelve layers of another width", (12, 5, 7, 11)),
        late("GPT-2 small's sizes with one changed", (12, 768, 50257, 2048)),
        late("GPT-2 small's sizes with another changed", (12, 768, 50304, 1024)),
        late("one of everything", (1, 1, 1, 1)),
        late("a large odd width", (3, 1031, 11, 7)),
    ),
    promises=(
        Promise(
            "one more layer, word or position adds the same every time",
            "one_more_adds_the_same",
            ((3, 4, 10, 7), (0, 2, 3)),
            ((5, 6, 13, 11), (0, 2, 3)),
        ),
    ),
    hints=(
        "Go through the names once: `wte`, `wpe`, then one layer with two layer norms, attention "
        "and MLP, then `ln_f`. Which of them comes n_layer times?",
        "A layer norm has 2D numbers. A product with bias, from `a` features to `b`, has "
        "a * b + b: in a layer there are four of them. The output matrix is `wte`: count it once.",
        "One layer: 2D for each of the two layer norms; `D * 3D + 3D` and `D * D + D` in "
        "attention; `D * 4D + 4D` and `4D * D + D` in the MLP. Times n_layer, plus "
        "`(n_vocab + n_positions) * D`, plus 2D for `ln_f`.",
    ),
)


# --- known mistakes ------------------------------------------------------------------------------


def _count(
    n_layer,
    d_model,
    n_vocab,
    n_positions,
    *,
    attention=lambda d: d * 3 * d + 3 * d + d * d + d,
    mlp=lambda d: d * 4 * d + 4 * d + 4 * d * d + d,
    norms=lambda d: 4 * d,
    end=lambda d: 2 * d,
):
    block = attention(d_model) + mlp(d_model) + norms(d_model)
    return (n_vocab + n_positions) * d_model + n_layer * block + end(d_model)


def _counting(**parts):
    return lambda *sizes: _count(*sizes, **parts)


COUNT_PARAMETERS.mistake(
    "the_articles_table",
    "You follow the article's table. It has two slips: `c_fc.bias` has 4D numbers, not D; "
    "and the last layer norm, `ln_f`, is missing.",
    _counting(mlp=lambda d: 8 * d * d + 2 * d, end=lambda d: 0),
)

COUNT_PARAMETERS.mistake(
    "d_missing_in_each_layer",
    "D numbers are missing in each layer: the bias of a projection back to D features, "
    "`c_proj.bias`. There are two of that name, in attention and in the MLP.",
    _counting(attention=lambda d: 4 * d * d + 3 * d),
    _counting(mlp=lambda d: 8 * d * d + 4 * d),
)

COUNT_PARAMETERS.mistake(
    "2d_missing_in_each_layer",
    "2D numbers are missing in each layer. Did you count both layer norms, each with gain "
    "and bias, and 3D numbers for `c_attn.bias`?",
    _counting(norms=lambda d: 2 * d),
    _counting(attention=lambda d: 4 * d * d + 2 * d),
)

COUNT_PARAMETERS.mistake(
    "3d_missing_in_each_layer",
    "3D numbers are missing in each layer. A bias has one number for each column: 4D in "
    "`c_fc.bias` (the article's table says D), and 3D in `c_attn.bias`.",
    _counting(mlp=lambda d: 8 * d * d + 2 * d),
    _counting(attention=lambda d: 4 * d * d + d),
)

COUNT_PARAMETERS.mistake(
    "4d_missing_in_each_layer",
    "4D numbers are missing in each layer: `c_fc.bias`, or both biases of attention, or "
    "both layer norms.",
    _counting(mlp=lambda d: 8 * d * d + d),
    _counting(attention=lambda d: 4 * d * d),
    _counting(norms=lambda d: 0),
)

COUNT_PARAMETERS.mistake(
    "5d_missing_in_each_layer",
    "5D numbers are missing in each layer. The biases of the MLP are 4D in `c_fc.bias` and D in "
    "`c_proj.bias`, those of attention 3D and D, and each of the two layer norms has 2D.",
    _counting(mlp=lambda d: 8 * d * d),
    _counting(attention=lambda d: 4 * d * d + d, norms=lambda d: 2 * d),
)

COUNT_PARAMETERS.mistake(
    "no_biases",
    "You count matrices only. Each of the four products in a layer has a bias as well: 3D, "
    "D, 4D and D numbers.",
    _counting(attention=lambda d: 4 * d * d, mlp=lambda d: 8 * d * d),
    _counting(
        attention=lambda d: 4 * d * d,
        mlp=lambda d: 8 * d * d,
        norms=lambda d: 0,
        end=lambda d: 0,
    ),
)

COUNT_PARAMETERS.mistake(
    "second_mlp_bias_too_long",
    "You count 4D numbers for the second bias of the MLP. A bias has one number for each "
    "column of its product, and `c_proj` has D columns.",
    _counting(mlp=lambda d: 8 * d * d + 8 * d),
)

COUNT_PARAMETERS.mistake(
    "ln_f_missing",
    "The last layer norm is missing: `ln_f` has a gain and a bias, once in the whole model.",
    _counting(end=lambda d: 0),
)

COUNT_PARAMETERS.mistake(
    "ln_f_in_every_layer",
    "You count three layer norms in each layer. There are two; `ln_f` comes once, after "
    "all layers.",
    _counting(norms=lambda d: 6 * d, end=lambda d: 0),
    _counting(norms=lambda d: 6 * d),
)

COUNT_PARAMETERS.mistake(
    "norms_missing",
    "No layer norm is counted. Each has a gain and a bias of D numbers: two in every "
    "layer, and `ln_f` at the end.",
    _counting(norms=lambda d: 0, end=lambda d: 0),
)

COUNT_PARAMETERS.mistake(
    "norms_without_bias",
    "You count D numbers for a layer norm. It has 2D: a gain and a bias for each feature.",
    _counting(norms=lambda d: 2 * d, end=lambda d: d),
    _counting(end=lambda d: d),
)

COUNT_PARAMETERS.mistake(
    "attention_projection_missing",
    "In attention, the projection back is missing: `c_proj`, a matrix D x D and a bias of "
    "D numbers.",
    _counting(attention=lambda d: 3 * d * d + 3 * d),
)

COUNT_PARAMETERS.mistake(
    "qkv_counted_once",
    "You count D x D numbers for `c_attn`. It has 3D columns: queries, keys and values.",
    _counting(attention=lambda d: 2 * d * d + 2 * d),
    _counting(attention=lambda d: 2 * d * d + 4 * d),
)

COUNT_PARAMETERS.mistake(
    "half_an_mlp",
    "You count one matrix of the MLP. There are two: D x 4D, and 4D x D.",
    _counting(mlp=lambda d: 4 * d * d + 4 * d),
    _counting(mlp=lambda d: 4 * d * d + 5 * d),
)

COUNT_PARAMETERS.mistake(
    "mlp_not_wider",
    "You count an MLP of width D inside. GPT-2's is four times as wide: D x 4D, and 4D x D.",
    _counting(mlp=lambda d: 2 * d * d + 2 * d),
)

COUNT_PARAMETERS.mistake(
    "attention_missing",
    "Attention is missing in your layers: `c_attn`, D x 3D, and `c_proj`, D x D, each with a bias.",
    _counting(attention=lambda d: 0),
)

COUNT_PARAMETERS.mistake(
    "mlp_missing",
    "The MLP is missing in your layers: `c_fc`, D x 4D, and `c_proj`, 4D x D, each with a bias.",
    _counting(mlp=lambda d: 0),
)


def _counted_with(change):
    """The right count and something more or less, from (n_layer, d_model, n_vocab, ...)."""
    return lambda *sizes: _count(*sizes) + change(*sizes)


COUNT_PARAMETERS.mistake(
    "output_counted",
    "You count the output matrix. GPT-2 uses `wte.weight` for it: the same numbers, so "
    "they count once.",
    _counted_with(lambda n_layer, d, n_vocab, n_positions: n_vocab * d),
)

COUNT_PARAMETERS.mistake(
    "positions_missing",
    "`wpe.weight` is missing: it holds D learned numbers for every position, and they are "
    "parameters like all others.",
    _counted_with(lambda n_layer, d, n_vocab, n_positions: -n_positions * d),
)

COUNT_PARAMETERS.mistake(
    "words_missing",
    "`wte.weight` is missing: it holds D learned numbers for every word of the "
    "vocabulary, a "
    "large part of the model.",
    _counted_with(lambda n_layer, d, n_vocab, n_positions: -n_vocab * d),
)

COUNT_PARAMETERS.mistake(
    "embeddings_missing",
    "Both tables of the embedding are missing: `wte.weight`, with D numbers for every "
    "word, and `wpe.weight`, with D for every position.",
    _counted_with(lambda n_layer, d, n_vocab, n_positions: -(n_vocab + n_positions) * d),
)

COUNT_PARAMETERS.mistake(
    "one_layer_counted",
    "You count one layer only. Every layer has weights of its own: count one, times `n_layer`.",
    lambda n_layer, *sizes: _count(1, *sizes),
)

COUNT_PARAMETERS.mistake(
    "embeddings_in_every_layer",
    "You count the embedding in every layer, or `ln_f`, too. The embedding comes once, "
    "before "
    "the first layer; `ln_f` once, after the last.",
    _counted_with(
        lambda n_layer, d, n_vocab, n_positions: (n_layer - 1) * (n_vocab + n_positions) * d
    ),
    lambda n_layer, *sizes: n_layer * _count(1, *sizes),
)

COUNT_PARAMETERS.mistake(
    "the_known_number",
    "You return one fixed number. Compute it from the four sizes: the model can have any.",
    lambda *sizes: 124_439_808,
    lambda *sizes: 124_410_624,
)

COUNT_PARAMETERS.mistake(
    "millions",
    "You return millions, or a text. Return the number itself, as an integer, without "
    "rounding "
    "or commas.",
    lambda *sizes: _count(*sizes) / 1e6,
    lambda *sizes: _count(*sizes) // 10**6,
    lambda *sizes: f"{_count(*sizes):,}",
    lambda *sizes: str(_count(*sizes)),
)

# --- unusual, and right --------------------------------------------------------------------------


@COUNT_PARAMETERS.also_right("sum over all shapes")
def _sum_of_shapes(n_layer, d_model, n_vocab, n_positions):
    d = d_model
    once = [(n_vocab, d), (n_positions, d), (d,), (d,)]
    each = [(d, 3 * d), (3 * d,), (d, d), (d,), (d, 4 * d), (4 * d,), (4 * d, d), (d,)] + [(d,)] * 4
    return sum(math.prod(shape) for shape in once + n_layer * each)


COUNT_PARAMETERS.also_right(
    "12 D squared", lambda n, d, v, p: n * (12 * d * d + 13 * d) + (v + p + 2) * d
)

COUNT_PARAMETERS.also_right("a float", lambda *sizes: float(_count(*sizes)))

COUNT_PARAMETERS.also_right("a NumPy integer", lambda *sizes: np.int64(_count(*sizes)))

# --- its steps, and how each of them goes wrong --------------------------------------------------


def _build(words, positions, norm, qkv, proj, fc, back, last, extra):
    def count_parameters(n_layer, d_model, n_vocab, n_positions):
        d, n = d_model, n_layer
        layer = 2 * norm(d) + qkv(d) + proj(d) + fc(d) + back(d)
        return int(
            words(n_vocab, d)
            + positions(n_positions, d)
            + n * layer
            + last(d)
            + extra(n, d, n_vocab, n_positions)
        )

    return count_parameters


COUNT_PARAMETERS.steps = Steps(
    _build,
    {"words": lambda v, d: v * d, "positions": lambda p, d: p * d, "norm": lambda d: 2 * d, "qkv": lambda d: 3 * d * d + 3 * d, "proj": lambda d: d * d + d, "fc": lambda d: 4 * d * d + 4 * d, "back": lambda d: 4 * d * d + d, "last": lambda d: 2 * d, "extra": lambda n, d, v, p: 0},
    {
        "words": (
            Wrong("words_missing", _("The words' table is not counted."), lambda v, d: 0),
            Wrong("words_padded", _("The vocabulary is rounded up to a multiple of 64."), lambda v, d: -(-v // 64) * 64 * d),
            Wrong("words_padded_128", _("The vocabulary is rounded up to a multiple of 128."), lambda v, d: -(-v // 128) * 128 * d),
            Wrong("words_twice", _("The words' table is counted twice; the output shares it."), lambda v, d: 2 * v * d),
            Wrong("one_row_more", _("D numbers too many are counted, once in the whole model: as many as one word or one position has."), lambda v, d: (v + 1) * d),
            Wrong("two_rows_more", _("2D numbers too many are counted, once in the whole model: as many as a layer norm or two positions have."), lambda v, d: (v + 2) * d),
        ),
        "positions": (
            Wrong("positions_missing", _("The positions' table is not counted."), lambda p, d: 0),
        ),
        "norm": (
            Wrong("norms_without_bias", _("A layer norm in a block is counted without its bias."), lambda d: d),
            Wrong("norms_missing", _("The layer norms in the blocks are not counted."), lambda d: 0),
        ),
        "qkv": (
            Wrong("qkv_without_bias", _("The bias of the queries, keys and values is not counted."), lambda d: 3 * d * d),
            Wrong("qkv_counted_once", _("Queries, keys and values are counted as one."), lambda d: d * d + d),
            Wrong("qkv_one_bias", _("The bias of the queries, keys and values is counted as long as one of them."), lambda d: 3 * d * d + d),
        ),
        "proj": (
            Wrong("projection_missing", _("The attention's projection is not counted."), lambda d: 0),
            Wrong("projection_without_bias", _("The bias of the attention's projection is not counted."), lambda d: d * d),
        ),
        "fc": (
            Wrong("fc_without_bias", _("The bias of the MLP's first product is not counted."), lambda d: 4 * d * d),
            Wrong("fc_short_bias", _("The bias of the MLP's first product is counted as D long; it is 4D long."), lambda d: 4 * d * d + d),
        ),
        "back": (
            Wrong("back_without_bias", _("The bias of the MLP's second product is not counted."), lambda d: 4 * d * d),
            Wrong("back_long_bias", _("The bias of the MLP's second product is counted as 4D long; it is D long."), lambda d: 4 * d * d + 4 * d),
            Wrong("back_missing", _("The MLP's second product is not counted."), lambda d: 0),
        ),
        "last": (
            Wrong("ln_f_missing", _("The last layer norm is not counted."), lambda d: 0),
            Wrong("ln_f_without_bias", _("The last layer norm is counted without its bias."), lambda d: d),
        ),
        "extra": (
            Wrong("mask_counted", _("Each layer's mask is counted; it is no parameter."), lambda n, d, v, p: n * p * p),
            Wrong("mask_and_scalar_counted", _("Each layer's mask and its fill value are counted; they are no parameters."), lambda n, d, v, p: n * (p * p + 1)),
            Wrong("output_bias_counted", _("A bias of the output is counted; there is none."), lambda n, d, v, p: v),
            Wrong("mlp_half_as_wide", _("The MLP is counted as 2D wide inside; it is 4D wide."), lambda n, d, v, p: -n * (4 * d * d + 2 * d)),
            Wrong("mlp_as_wide_as_the_model", _("The MLP is counted as D wide inside; it is 4D wide."), lambda n, d, v, p: -n * (6 * d * d + 3 * d)),
            Wrong("one_layer_less", _("One layer too few is counted."), lambda n, d, v, p: -(12 * d * d + 13 * d)),
            Wrong("one_layer_more", _("One layer too many is counted."), lambda n, d, v, p: 12 * d * d + 13 * d),
        ),
    },
)  # fmt: skip
