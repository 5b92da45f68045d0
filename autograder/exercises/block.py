"""`block`, lesson 06. Attention and MLP, each added to what came in."""

import numpy as np

from autograder.exercises.gpt2_attention import GPT2_ATTENTION
from autograder.exercises.kit import (
    FAR,
    LONG,
    Case,
    Exercise,
    Promise,
    late,
    rough,
    tidy,
)
from autograder.exercises.layer_norm import LAYER_NORM
from autograder.exercises.mlp import MLP
from autograder.exercises.pieces import (
    attend_as_gpt2,
    block_with,
    in_float32,
    mlp_of,
    normalise,
    part_of,
    right_block,
)
from autograder.exercises.small_models import calmer, layer_params, past_of_the_heads
from autograder.exercises.steps import Steps, Wrong
from autograder.exercises.ways import ACTIVATIONS, KEPT, MASKS, MLP_BIASES, OUTPUTS, SCALES, same
from illustrated_attention.language import later as _

_BLOCK_X, _BLOCK_PARAMS = tidy(3, 4, seed=661), layer_params(4, seed=662, decimals=1)

_HIDDEN_BLOCK, _HIDDEN_SMALL_BLOCK = layer_params(18, seed=663), layer_params(4, seed=660)

_PAST = past_of_the_heads(2, 4, 2, seed=664)


def _far_ahead(width, seed):
    """Tokens and parameters of a block: the last key's score is above 1,000 for every query.

    All queries are the same. The key of a token is its first number after ln_1, 1,000 times; the
    last token alone has one.
    """
    params = layer_params(width, seed=seed)
    weight, bias = params["attn.c_attn.weight"], params["attn.c_attn.bias"]
    weight[:, : 2 * width], bias[: 2 * width] = 0, 0
    bias[:width], weight[0, width : 2 * width] = 2, 1000
    params["ln_1.weight"][0], params["ln_1.bias"][0] = 1, 0
    some = np.round(8 * rough(5, width // 2 - 1, seed=seed + 1)) / 8  # exact in float32, too
    x = np.concatenate([np.zeros((5, 2)), some, -some], axis=-1)
    x[-1] = [width - 1] + [-1] * (width - 1)
    return x, params


_HIDDEN_PAST = past_of_the_heads(7, 18, 3, seed=666)

BLOCK = Exercise(
    name="block",
    lesson="06_block",
    can="You can now run a block; GPT-2 small is twelve of these.",
    visible=(
        Case("three tokens", (_BLOCK_X, _BLOCK_PARAMS, 2)),
        Case("one token", (_BLOCK_X[1:2], _BLOCK_PARAMS, 2)),
        Case("two tokens after two others", (_BLOCK_X[:2], _BLOCK_PARAMS, 2, _PAST)),
        Case("two sentences at once", (tidy(2, 2, 4, seed=668), _BLOCK_PARAMS, 2)),
        late(
            "features that hardly differ",
            (tidy(3, 6, seed=678) / 500, layer_params(6, seed=679, decimals=1), 3),
        ),
    ),
    hidden=(
        Case("other sizes", (rough(5, 18, seed=669), _HIDDEN_BLOCK, 3)),
        Case("other tokens after a past", (rough(3, 18, seed=670), _HIDDEN_BLOCK, 3, _HIDDEN_PAST)),
        Case("one token after a past", (rough(1, 18, seed=671), _HIDDEN_BLOCK, 3, _HIDDEN_PAST)),
        Case("a batch of other sizes", (rough(2, 5, 18, seed=672), _HIDDEN_BLOCK, 3)),
        Case(
            "a batch after a past",
            (
                rough(2, 3, 18, seed=673),
                _HIDDEN_BLOCK,
                6,
                past_of_the_heads(4, 18, 6, seed=674, lead=(2,)),
            ),
        ),
        Case("one head", (rough(4, 4, seed=676), _HIDDEN_SMALL_BLOCK, 1)),
        Case("whole numbers", (np.arange(12).reshape(3, 4) % 5 - 2, _HIDDEN_SMALL_BLOCK, 2)),
        late("a later token with a far higher score", (*_far_ahead(6, seed=671), 2)),
        *(
            late(
                "the same tokens, another number of heads",
                (rough(3, 18, seed=672), _HIDDEN_BLOCK, n, past_of_the_heads(4, 18, n, seed=673)),
            )
            for n in (1, 2, 9, 18)
        ),
        late(
            "a very long past",
            (
                rough(2, 4, seed=674),
                _HIDDEN_SMALL_BLOCK,
                2,
                past_of_the_heads(FAR, 4, 2, seed=675),
            ),
        ),
        late("a long text", (rough(LONG, 4, seed=676), _HIDDEN_SMALL_BLOCK, 2)),
        late(
            "many features",
            (
                rough(3, 130, seed=677),
                calmer(layer_params(130, seed=678)),
                13,
                past_of_the_heads(2, 130, 13, seed=679),
            ),
        ),
        late("large numbers", (rough(3, 18, seed=680) * 1e3, _HIDDEN_BLOCK, 3)),
        late(
            "all sizes equal",
            (
                rough(4, 4, 4, seed=681),
                _HIDDEN_SMALL_BLOCK,
                4,
                past_of_the_heads(4, 4, 4, seed=682, lead=(4,)),
            ),
        ),
        late("as many heads as features in each", (rough(3, 4, seed=683), _HIDDEN_SMALL_BLOCK, 2)),
    ),
    promises=(
        Promise(
            "cut in any way, with the past passed on, tokens give the results of one pass",
            "every_cut_is_one_pass",
            (-2, _BLOCK_X, (_BLOCK_PARAMS, 2), [1, 1, 1], [1, 2]),
            (-2, rough(2, 5, 18, seed=677), (_HIDDEN_BLOCK, 3), [2, 1, 2], [1, 4]),
        ),
        Promise(
            "the first token counts to the end of a long text",
            "the_first_token_counts",
            (LONG, (_BLOCK_X,), (_BLOCK_PARAMS, 2)),
            (LONG, (rough(2, 3, 18, seed=684),), (_HIDDEN_BLOCK, 3)),
        ),
        Promise(
            "every sentence of a batch gives what it gives alone",
            "every_example_alone",
            (1, tidy(2, 2, 4, seed=668), _BLOCK_PARAMS, 2),
            (1, rough(3, 4, 18, seed=685), _HIDDEN_BLOCK, 3),
        ),
    ),
    hints=(
        "Two halves. Each normalises `x`, works on that, and adds the result to `x` itself. Which "
        "comes first, attention or the MLP, and which layer norm belongs to which?",
        'First `layer_norm(x, params["ln_1.weight"], params["ln_1.bias"])` goes into '
        "gpt2_attention, together with `n_head` and `past`. It returns two things. Add the first "
        "to `x`, keep the second for the end.",
        'For the first half: `out, present = gpt2_attention(normed, part(params, "attn."), n_head, '
        "past)`, then `x = x + out`. The second half has `ln_2`, mlp and no cache. Return "
        "`x, present`.",
    ),
)


# --- known mistakes ------------------------------------------------------------------------------

BLOCK.mistake(
    "normalised_after_the_sum",
    "You normalise after each sum. The first Transformer did; GPT-2 normalises before: "
    "what goes into attention and into the MLP is normalised, and the sums stay as they "
    "are.",
    block_with(lambda x, ln_1, attn, ln_2, mlp: ln_2((x := ln_1(x + attn(x))) + mlp(x))),
)

BLOCK.mistake(
    "normalised_after_the_parts",
    "You normalise what comes out of attention and MLP. GPT-2 normalises what goes in, "
    "and adds "
    "what comes out as it is.",
    block_with(lambda x, ln_1, attn, ln_2, mlp: (x := x + ln_1(attn(x))) + ln_2(mlp(x))),
)

BLOCK.mistake(
    "ln_1_missing",
    "Attention gets `x` as it is. First it goes through layer norm, with `ln_1.weight` and "
    "`ln_1.bias`.",
    block_with(lambda x, ln_1, attn, ln_2, mlp: (x := x + attn(x)) + mlp(ln_2(x))),
)

BLOCK.mistake(
    "ln_2_missing",
    "The MLP gets `x` as it is. First it goes through layer norm, with `ln_2.weight` and "
    "`ln_2.bias`.",
    block_with(lambda x, ln_1, attn, ln_2, mlp: (x := x + attn(ln_1(x))) + mlp(x)),
)

BLOCK.mistake(
    "no_layer_norm",
    "Nothing is normalised. What goes into attention goes through `ln_1` first, what goes "
    "into the MLP through `ln_2`.",
    block_with(lambda x, ln_1, attn, ln_2, mlp: (x := x + attn(x)) + mlp(x)),
)

BLOCK.mistake(
    "ln_1_used_twice",
    "You use `ln_1` for both. The MLP has a layer norm of its own: `ln_2`.",
    block_with(lambda x, ln_1, attn, ln_2, mlp: (x := x + attn(ln_1(x))) + mlp(ln_1(x))),
)

BLOCK.mistake(
    "ln_2_used_twice",
    "You use `ln_2` for both. Attention has a layer norm of its own: `ln_1`.",
    block_with(lambda x, ln_1, attn, ln_2, mlp: (x := x + attn(ln_2(x))) + mlp(ln_2(x))),
)

BLOCK.mistake(
    "norms_swapped",
    "`ln_1` and `ln_2` have changed places: `ln_1` belongs to attention, `ln_2` to the MLP.",
    block_with(lambda x, ln_1, attn, ln_2, mlp: (x := x + attn(ln_2(x))) + mlp(ln_1(x))),
)


@BLOCK.mistake(
    "gain_and_bias_swapped",
    "You give layer_norm the bias first. Its gain `g` comes first, and is called `weight` "
    "here; then the bias.",
)
def _block_gains_swapped(x, params, n_head, past=None):
    swapped = {"weight": "bias", "bias": "weight"}
    norms = {
        f"{name}.{kind}": params[f"{name}.{swapped[kind]}"]
        for name in ("ln_1", "ln_2")
        for kind in swapped
    }
    return right_block(x, {**params, **norms}, n_head, past)


BLOCK.mistake(
    "first_residual_missing",
    "What attention gives replaces `x`. It is added to `x`, so that nothing of what came "
    "in is lost.",
    block_with(lambda x, ln_1, attn, ln_2, mlp: (x := attn(ln_1(x))) + mlp(ln_2(x))),
)

BLOCK.mistake(
    "second_residual_missing",
    "What the MLP gives replaces `x`. It is added to `x`, so that nothing of the sum "
    "before it is lost.",
    block_with(lambda x, ln_1, attn, ln_2, mlp: mlp(ln_2(x + attn(ln_1(x))))),
)

BLOCK.mistake(
    "no_residuals",
    "Attention and MLP each replace `x`. What they give is added to `x`: follow the line "
    "above the boxes in the figure.",
    block_with(lambda x, ln_1, attn, ln_2, mlp: mlp(ln_2(attn(ln_1(x))))),
)

BLOCK.mistake(
    "normalised_x_added",
    "You add to the normalised `x`. Keep `x` itself: only what goes into attention and "
    "into the MLP is normalised. Does one name stand for both?",
    block_with(lambda x, ln_1, attn, ln_2, mlp: (x := ln_2((n := ln_1(x)) + attn(n))) + mlp(x)),
    block_with(lambda x, ln_1, attn, ln_2, mlp: (x := (n := ln_1(x)) + attn(n)) + mlp(ln_2(x))),
    block_with(lambda x, ln_1, attn, ln_2, mlp: (n := ln_2(x + attn(ln_1(x)))) + mlp(n)),
)

BLOCK.mistake(
    "side_by_side",
    "Attention and MLP both start from the `x` that came in. (Some newer models do that.) "
    "In GPT-2 the MLP works on the sum after attention.",
    block_with(lambda x, ln_1, attn, ln_2, mlp: x + attn(ln_1(x)) + mlp(ln_2(x))),
    block_with(lambda x, ln_1, attn, ln_2, mlp: x + attn(ln_1(x)) + mlp(ln_1(x))),
)

BLOCK.mistake(
    "attention_left_out_of_the_sum",
    "The last sum starts from the `x` that came in, so what attention gave is lost. Add "
    "the MLP's result to the sum after attention.",
    block_with(lambda x, ln_1, attn, ln_2, mlp: x + mlp(ln_2(x + attn(ln_1(x))))),
)

BLOCK.mistake(
    "first_sum_not_normalised_on",
    "The MLP gets what attention gave, without `x`. It works on their sum, normalised by `ln_2`.",
    block_with(lambda x, ln_1, attn, ln_2, mlp: x + (a := attn(ln_1(x))) + mlp(ln_2(a))),
    block_with(lambda x, ln_1, attn, ln_2, mlp: x + mlp(ln_2(attn(ln_1(x))))),
)

BLOCK.mistake(
    "mlp_first",
    "The MLP comes first in your block. In GPT-2 attention comes first, with `ln_1`; then "
    "the MLP, with `ln_2`.",
    block_with(lambda x, ln_1, attn, ln_2, mlp: (x := x + mlp(ln_2(x))) + attn(ln_1(x))),
    block_with(lambda x, ln_1, attn, ln_2, mlp: (x := x + mlp(ln_1(x))) + attn(ln_2(x))),
)

BLOCK.mistake(
    "mlp_left_out",
    "The MLP is missing: your block ends after attention. A second half follows, with "
    "`ln_2` and mlp, and a sum of its own.",
    block_with(lambda x, ln_1, attn, ln_2, mlp: x + attn(ln_1(x))),
)

BLOCK.mistake(
    "x_added_twice",
    "`x` is in your result twice. Does your gpt2_attention or your mlp add it as well? "
    "Only the block does.",
    block_with(lambda x, ln_1, attn, ln_2, mlp: (x := x + x + attn(ln_1(x))) + mlp(ln_2(x))),
    block_with(lambda x, ln_1, attn, ln_2, mlp: x + (h := x + attn(ln_1(x))) + mlp(ln_2(h))),
)

BLOCK.mistake(
    "normalised_at_the_end",
    "Your result is normalised once more. The last layer norm, `ln_f`, comes once in the "
    "whole model, after all blocks.",
    block_with(lambda x, ln_1, attn, ln_2, mlp: ln_2((x := x + attn(ln_1(x))) + mlp(ln_2(x)))),
)

BLOCK.mistake(
    "past_not_passed_on",
    "Your block does not use `past`: new tokens do not see the ones before. Pass it on to "
    "gpt2_attention.",
    lambda x, params, n_head, past=None: right_block(x, params, n_head),
)


def _heads_shuffled(x, params, n_head, past=None):
    return right_block(x, params, 1 if past is None else n_head, past)


BLOCK.mistake(
    "n_head_not_passed_on",
    "The number of heads in your block is fixed, such as 1, 4 or 12. Pass `n_head` on to "
    "gpt2_attention.",
    lambda x, params, n_head, past=None: right_block(x, params, 1, past),
    lambda x, params, n_head, past=None: right_block(x, params, 4, past),
    _heads_shuffled,
)

BLOCK.mistake(
    "present_not_returned",
    "You return only `x`. Return the cache that gpt2_attention gave as well: `return x, present`.",
    lambda *args: right_block(*args)[0],
)

BLOCK.mistake(
    "present_first",
    "You return the cache first. Return `x` first, then the cache, as gpt2_attention does: "
    "`return x, present`.",
    lambda *args: right_block(*args)[::-1],
)


def _block_present(change):
    """A right result beside another second value."""

    def block(x, params, n_head, past=None):
        out, present = right_block(x, params, n_head, past)
        return out, change(present, past)

    return block


BLOCK.mistake(
    "past_returned",
    "Your second value is the cache that came in. Return the one that gpt2_attention gave: "
    "it holds the new tokens as well.",
    _block_present(lambda present, past: past),
)


def _new_rows_only(present, past):
    n_past = 0 if past is None else past[0].shape[-2]
    return tuple(part[..., n_past:, :] for part in present)


BLOCK.mistake(
    "new_rows_only",
    "Your cache holds the new tokens only. Return past and new ones together, as "
    "gpt2_attention gives them.",
    _block_present(_new_rows_only),
)

BLOCK.mistake(
    "keys_and_values_swapped",
    "Keys and values have changed places in your cache. Return it as gpt2_attention gave it.",
    _block_present(lambda present, past: present[::-1]),
)

BLOCK.mistake(
    "pair_not_unpacked",
    "gpt2_attention returns two things, a result and a cache, but you use them as one "
    "array. Unpack them: `out, present = ...`.",
    lambda x, params, n_head, past=None: (
        x
        + attend_as_gpt2(
            normalise(x, params["ln_1.weight"], params["ln_1.bias"]),
            part_of(params, "attn."),
            n_head,
            past,
        )
    ),
)

BLOCK.mistake(
    "whole_params_passed_on",
    "gpt2_attention knows its weights as `c_attn.weight`, mlp as `c_fc.weight`. In the "
    "block's `params` they have `attn.` or `mlp.` in front. Pass on only that part, with "
    "`part`.",
    lambda x, params, n_head, past=None: params["c_attn.weight"],
    lambda x, params, n_head, past=None: params["c_fc.weight"],
    lambda x, params, n_head, past=None: params["c_proj.weight"],
    lambda x, params, n_head, past=None: part_of(params, "attn")["c_attn.weight"],
    lambda x, params, n_head, past=None: part_of(params, "mlp")["c_fc.weight"],
)

BLOCK.mistake(
    "name_mistyped",
    "Python finds no entry of that name. The layer norms' are `ln_1.weight`, `ln_1.bias`, "
    "`ln_2.weight` and `ln_2.bias`.",
    lambda x, params, n_head, past=None: params["ln_1.g"],
    lambda x, params, n_head, past=None: params["ln_1"],
    lambda x, params, n_head, past=None: params["ln1.weight"],
    lambda x, params, n_head, past=None: params["ln_1_weight"],
    lambda x, params, n_head, past=None: params["h.0.ln_1.weight"],
)

BLOCK.mistake(
    "rounded",
    "Your numbers are rounded, or went through float16. Round when you print, not when you return.",
    lambda *args: (right_block(*args)[0].round(2), right_block(*args)[1]),
    lambda *args: (right_block(*args)[0].astype(np.float16), right_block(*args)[1]),
)


def _block_changes_x(x, params, n_head, past=None):
    attended, present = attend_as_gpt2(
        normalise(x, params["ln_1.weight"], params["ln_1.bias"]),
        part_of(params, "attn."),
        n_head,
        past,
    )
    x += attended.astype(x.dtype)
    hidden = normalise(x, params["ln_2.weight"], params["ln_2.bias"])
    return x + mlp_of(hidden, part_of(params, "mlp.")), present


def _block_in_place(x, params, n_head, past=None):
    normed = normalise(x, params["ln_1.weight"], params["ln_1.bias"])
    attended, present = attend_as_gpt2(normed, part_of(params, "attn."), n_head, past)
    x += attended
    hidden = normalise(x, params["ln_2.weight"], params["ln_2.bias"])
    return x + mlp_of(hidden, part_of(params, "mlp.")), present


def _block_all_in_place(x, params, n_head, past=None):
    out, present = right_block(x, params, n_head, past)
    x += out - x
    return x, present


def _block_changes_x_twice(x, params, n_head, past=None):
    out, present = right_block(x, params, n_head, past)
    x += (out - x).astype(x.dtype)
    return x, present


BLOCK.mistake(
    "x_changed",
    "`x` is different after the call: `x += ...` writes into the caller's array. Write "
    "`x = x + ...`, which makes a new one.",
    _block_changes_x,
    _block_changes_x_twice,
    _block_in_place,
    _block_all_in_place,
)


def _with_eps(eps):
    def block(x, params, n_head, past=None):
        def norm(h, name):
            return normalise(h, params[f"{name}.weight"], params[f"{name}.bias"], eps)

        out, present = attend_as_gpt2(norm(x, "ln_1"), part_of(params, "attn."), n_head, past)
        x = x + out
        return x + mlp_of(norm(x, "ln_2"), part_of(params, "mlp.")), present

    return block


BLOCK.mistake(
    "another_eps",
    "Your layer norms use another eps than 1e-5. On ordinary features that hardly shows; on "
    "features that hardly differ it does. Call your layer_norm and give it no eps.",
    *map(_with_eps, (1e-12, 1e-8, 1e-6, 1e-3)),
)

# --- unusual, and right --------------------------------------------------------------------------

BLOCK.also_right("float32", in_float32(right_block))

BLOCK.also_right(
    "sums kept apart",
    block_with(lambda x, ln_1, attn, ln_2, mlp: x + ((a := attn(ln_1(x))) + mlp(ln_2(x + a)))),
)

BLOCK.also_right(
    "a list and a stacked cache",
    lambda *args: [right_block(*args)[0], np.array(right_block(*args)[1])],
)


def _token_by_token(x, params, n_head, past):
    rows = []
    for t in range(x.shape[-2]):
        row, past = right_block(x[..., t : t + 1, :], params, n_head, past)
        rows.append(row)
    return np.concatenate(rows, axis=-2), past


BLOCK.also_right(
    "token by token with the cache",
    lambda x, params, n_head, past=None: _token_by_token(x, params, n_head, past),
)

# --- its steps, and how each of them goes wrong --------------------------------------------------


def _part(params, name):
    return {
        key[len(name) + 1 :]: value for key, value in params.items() if key.startswith(name + ".")
    }


_ATTENTION = GPT2_ATTENTION.built()


_NORM = LAYER_NORM.built()


_MLP_RIGHT = MLP.built()


def _attention_with(**ways):
    return GPT2_ATTENTION.built(**ways)


def _build(first, attend, add_one, second, mlp, add_two, out, kept):
    def block(x, params, n_head, past=None):
        g1, b1, g2, b2 = (
            params[key] for key in ("ln_1.weight", "ln_1.bias", "ln_2.weight", "ln_2.bias")
        )
        y, present = attend(first(x, g1, b1), _part(params, "attn"), n_head, past)
        a = add_one(x, y)
        return out(add_two(a, mlp(second(a, g2, b2), _part(params, "mlp")), x)), kept(
            *present, x.shape[-2]
        )

    return block


_NORMS = (
    Wrong("missing", "the layer norm is missing.", lambda x, g, b: x),
    Wrong("without_gain_and_bias", "the layer norm has neither gain nor bias.", lambda x, g, b: _NORM(x, np.ones_like(g), np.zeros_like(b))),
    Wrong("gain_and_bias_exchanged", "gain and bias are exchanged.", lambda x, g, b: _NORM(x, b, g)),
    Wrong("not_centred", "the layer norm does not take the mean away.", lambda x, g, b: x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-5) * g + b),
    Wrong("sample_variance", "the layer norm uses the variance of a sample.", lambda x, g, b: (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, ddof=1, keepdims=True) + 1e-5) * g + b),
    Wrong("over_tokens", "the layer norm runs over the tokens.", lambda x, g, b: (x - x.mean(-2, keepdims=True)) / np.sqrt(x.var(-2, keepdims=True) + 1e-5) * g + b),
)  # fmt: skip


def _norms(prefix, where):
    return tuple(Wrong(f"{prefix}_{w.id}", f"{where} {w.sentence}", w.way) for w in _NORMS)


BLOCK.steps = Steps(
    _build,
    {"first": _NORM, "attend": _ATTENTION, "add_one": lambda x, y: x + y, "second": _NORM, "mlp": _MLP_RIGHT, "add_two": lambda a, m, x: a + m, "out": same, "kept": lambda k, v, n: (k, v)},
    {
        "first": _norms("ln_1", "Before attention:"),
        "second": _norms("ln_2", "Before the MLP:"),
        "attend": (
            Wrong("attention_unmasked", _("Attention is not masked."), _attention_with(mask=MASKS[0].way)),
            Wrong("attention_not_scaled", _("Attention does not scale its scores."), _attention_with(scale=SCALES[0].way)),
            Wrong("attention_without_past", _("The past is not given to attention."), lambda x, p, h, past: _ATTENTION(x, p, h)),
            Wrong("one_head", _("Attention works with one head."), lambda x, p, h, past: _ATTENTION(x, p, 1)),
            Wrong("attention_missing", _("Attention is left out."), lambda x, p, h, past: (0 * x, _ATTENTION(x, p, h, past)[1])),
        ),
        "add_one": (
            Wrong("first_residual_missing", _("The first residual is missing: x is not added to the attention's result."), lambda x, y: y),
            Wrong("first_sum_halved", _("The first sum is halved: a mean in place of a sum."), lambda x, y: (x + y) / 2),
            Wrong("first_difference", _("The attention's result is subtracted, not added."), lambda x, y: x - y),
            Wrong("x_twice", _("x is added twice."), lambda x, y: 2 * x + y),
        ),
        "mlp": (
            Wrong("mlp_relu", _("ReLU is used in place of GELU."), MLP.built(act=ACTIVATIONS[1].way)),
            Wrong("mlp_no_activation", _("The MLP has no GELU."), MLP.built(act=ACTIVATIONS[0].way)),
            Wrong("mlp_no_biases", _("The MLP adds no biases."), MLP.built(biases=MLP_BIASES[-1].way)),
            Wrong("mlp_missing", _("The MLP is left out."), lambda x, p: 0 * x),
        ),
        "add_two": (
            Wrong("second_residual_missing", _("The second residual is missing: the first sum is not added to the MLP's result."), lambda a, m, x: m),
            Wrong("second_residual_from_x", _("The block's input is added to the MLP's result, not the first sum."), lambda a, m, x: x + m),
            Wrong("second_sum_halved", _("The second sum is halved: a mean in place of a sum."), lambda a, m, x: (a + m) / 2),
            Wrong("input_added_again", _("The block's input is added once more at the end."), lambda a, m, x: a + m + x),
        ),
        "out": OUTPUTS[1:9],
        "kept": KEPT,
    },
)  # fmt: skip
