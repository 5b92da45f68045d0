"""`gpt2_attention`, lesson 05. The whole attention of GPT-2, with its cache."""

import numpy as np

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
from autograder.exercises.pieces import (
    contributions,
    flip,
    join,
    mask_with_past,
    merge,
    softmax,
    split,
)
from autograder.exercises.steps import Steps, Wrong
from autograder.exercises.ways import (
    BIASES,
    HIDES,
    KEPT,
    MASKS,
    MERGES,
    OPERANDS,
    RIGHT_BIAS,
    RIGHT_BLEND,
    RIGHT_HIDE,
    RIGHT_MASK,
    RIGHT_SCALE,
    RIGHT_SCORES,
    RIGHT_SHARES,
    SCALES,
    SHARES,
    SPLITS,
    attention,
    cut_into_heads,
    join_heads,
)
from illustrated_attention.language import later as _


def _small(*shape, seed):
    """Readable numbers between -1 and 1: scores made with them leave softmax room."""
    return np.round(np.random.default_rng(seed).uniform(-1, 1, shape), 1)


def _params(width, seed, make=_small):
    return {
        "c_attn.weight": make(width, 3 * width, seed=seed),
        "c_attn.bias": make(3 * width, seed=seed + 1),
        "c_proj.weight": make(width, width, seed=seed + 2),
        "c_proj.bias": make(width, seed=seed + 3),
    }


def _calm(*shape, seed):
    """Weights that keep scores and results near 1, as those of a trained model do."""
    return rough(*shape, seed=seed) / (np.sqrt(shape[0]) if len(shape) > 1 else 2)


def _past(n_head, n_past, d, *leading, seed, make=tidy):
    return (
        make(*leading, n_head, n_past, d, seed=seed),
        make(*leading, n_head, n_past, d, seed=seed + 1),
    )


def _far_below_zero(n_head, seed):
    """Parameters of whole numbers with scores near -20,000: a weak mask leaks there.

    Heads of 4 numbers; two of them are 100 in every query and -200 in every key. The division by
    2 is exact, so float32 gives the same weights.
    """
    random = np.random.default_rng(seed)
    width = 4 * n_head
    c_attn = random.integers(-1, 2, size=(width, 3 * width)).astype(float)
    bias = np.zeros(3 * width)
    loud = np.arange(width) % 4 < 2
    c_attn[:, : 2 * width][:, np.tile(loud, 2)] = 0
    bias[:width][loud], bias[width : 2 * width][loud] = 100, -200
    return {
        "c_attn.weight": c_attn,
        "c_attn.bias": bias,
        "c_proj.weight": tidy(width, width, seed=seed + 1),
        "c_proj.bias": tidy(width, seed=seed + 2),
    }


def _far_ahead(width, seed):
    """Tokens and parameters: the last key's score is above 1,000 for every query.

    All queries are the same. The key of a token is its first number, 1,000 times, and the last
    token alone has one.
    """
    params = _params(width, seed=seed, make=_calm)
    weight, bias = params["c_attn.weight"], params["c_attn.bias"]
    weight[:, : 2 * width], bias[: 2 * width] = 0, 0
    bias[:width], weight[0, width : 2 * width] = 2, 1000
    x = rough(2, 5, width, seed=seed + 4)
    x[..., 0] = [0, 0, 0, 0, 1]
    return x, params


def _small_whole_numbers(*shape, seed):
    return np.random.default_rng(seed).integers(-1, 2, size=shape).astype(float)


_P4, _P6 = _params(4, seed=800), _params(6, seed=810)

_HP = _params(18, seed=820, make=_calm)

GPT2_ATTENTION = Exercise(
    name="gpt2_attention",
    lesson="05_projection",
    can="You can now run the whole attention of GPT-2, with its cache.",
    visible=(
        Case("two tokens, two heads", (tidy(2, 4, seed=830), _P4, 2)),
        Case("three tokens, three heads, no past", (tidy(3, 6, seed=831), _P6, 3, None)),
        Case(
            "one new token after three",
            (tidy(1, 4, seed=832), _P4, 2, _past(2, 3, 2, seed=833)),
        ),
        Case(
            "two new tokens after two, three heads",
            (tidy(2, 6, seed=835), _P6, 3, _past(3, 2, 2, seed=836)),
        ),
        Case("one head", (tidy(3, 4, seed=838), _P4, 1, _past(1, 2, 4, seed=839))),
        Case(
            "two sentences at once",
            (tidy(2, 4, 6, seed=841), _P6, 3, _past(3, 5, 2, 2, seed=842)),
        ),
        Case(
            "scores near -20,000",
            (_small_whole_numbers(3, 8, seed=844), _far_below_zero(2, seed=845), 2),
        ),
        late("whole numbers", (np.array([[1, 0, 2, -1], [0, 1, 1, 1]]), _P4, 2)),
    ),
    hidden=(
        Case("other sizes", (rough(5, 18, seed=850), _HP, 3)),
        Case(
            "a long past",
            (rough(5, 18, seed=851), _HP, 3, _past(3, 7, 6, seed=852, make=rough)),
        ),
        Case(
            "one token after a past",
            (rough(1, 18, seed=854), _HP, 6, _past(6, 4, 3, seed=855, make=rough)),
        ),
        Case(
            "two sentences with a past",
            (rough(2, 5, 18, seed=858), _HP, 3, _past(3, 7, 6, 2, seed=859, make=rough)),
        ),
        Case(
            "a grid of sentences",
            (rough(2, 4, 3, 18, seed=861), _HP, 3, _past(3, 2, 6, 2, 4, seed=862, make=rough)),
        ),
        Case("one head", (rough(5, 18, seed=864), _HP, 1)),
        Case(
            "as many heads as tokens",
            (rough(3, 18, seed=865), _HP, 3, _past(3, 3, 6, seed=866, make=rough)),
        ),
        Case(
            "scores far below zero",
            (_small_whole_numbers(5, 12, seed=868), _far_below_zero(3, seed=869), 3),
        ),
        Case("whole numbers", (np.arange(12).reshape(3, 4) % 5 - 2, _params(4, seed=805), 2)),
        late("a later token with a far higher score", (*_far_ahead(6, seed=890), 2)),
        *(
            late(
                "the same tokens, another number of heads",
                (rough(3, 18, seed=896), _HP, n, _past(n, 4, 18 // n, seed=897, make=rough)),
            )
            for n in (1, 2, 9, 18)
        ),
        late(
            "a very long past",
            (
                rough(2, 4, seed=900),
                _params(4, seed=901),
                2,
                _past(2, FAR, 2, seed=905, make=rough),
            ),
        ),
        late("a long text", (rough(LONG, 4, seed=907), _params(4, seed=908), 2)),
        late(
            "a long text after a past",
            (
                rough(LONG, 4, seed=912),
                _params(4, seed=913),
                1,
                _past(1, 2, 4, seed=917, make=rough),
            ),
        ),
        late(
            "many features",
            (
                rough(3, 130, seed=919),
                _params(130, seed=920, make=_calm),
                13,
                _past(13, 2, 10, seed=924, make=rough),
            ),
        ),
        late(
            "all sizes equal",
            (
                rough(4, 4, 4, seed=926),
                _params(4, seed=927),
                4,
                _past(4, 4, 1, 4, seed=931, make=rough),
            ),
        ),
        late(
            "as many heads as features in each",
            (rough(3, 4, seed=933), _params(4, seed=934), 2, _past(2, 2, 2, seed=938, make=rough)),
        ),
        late(
            "one token after one",
            (
                rough(1, 1, 2, seed=940),
                _params(2, seed=941),
                1,
                _past(1, 1, 2, 1, seed=945, make=rough),
            ),
        ),
    ),
    promises=(
        Promise(
            "every way to cut a text into pieces gives what one pass gives",
            "every_cut_is_one_pass",
            (-2, tidy(4, 4, seed=870), (_P4, 2), [3, 1], [1, 1, 2], [1, 1, 1, 1]),
            (-2, rough(2, 9, 18, seed=871), (_HP, 3), [4, 1, 3, 1], [1] * 9, [2, 7]),
        ),
        Promise(
            "other keys or values in the past give another result: nothing old is computed again",
            "cache_is_used",
            (tidy(2, 4, seed=872), _P4, 2, _past(2, 3, 2, seed=873)),
            (rough(2, 5, 18, seed=875), _HP, 3, _past(3, 7, 6, 2, seed=876, make=rough)),
        ),
        Promise(
            "changing a token leaves the results before it as they are",
            "the_future_changes_nothing",
            (tidy(4, 4, seed=878), _P4, 2),
            (rough(2, 5, 18, seed=879), _HP, 3, _past(3, 2, 6, 2, seed=880, make=rough)),
        ),
        Promise(
            "every sentence of a batch gives what it gives alone",
            "every_example_alone",
            (1, tidy(3, 2, 4, seed=882), _P4, 2),
            (1, rough(3, 5, 18, seed=883), _HP, 3),
        ),
    ),
    hints=(
        "Five steps, and you have a function for each: project, split, attend with the cache, "
        "merge, project. Which of them uses `c_attn`, and which uses `c_proj`?",
        "`past` is the cache of all heads: [..., H, T, d]. So split first; your "
        "`attend_with_cache` takes any leading axes, appends, and gives back the new cache. That "
        "is `present`.",
        'Take `q, k, v` from `qkv_projection(x, params["c_attn.weight"], params["c_attn.bias"])`, '
        "split each, and call `z, present = attend_with_cache(q, k, v, past)`. Then `project` what "
        "`merge_heads(z)` gives, with the two parts of `c_proj`.",
    ),
)


# --- known mistakes ------------------------------------------------------------------------------


def _thirds(together):
    return np.split(together, 3, axis=-1)


def _append(past, k, v):
    if past is None:
        return k, v
    return join(past[0], k), join(past[1], v)


def _c_attn(x, params):
    return tuple(_thirds(x @ params["c_attn.weight"] + params["c_attn.bias"]))


def _c_proj(merged, params):
    return merged @ params["c_proj.weight"] + params["c_proj.bias"]


def _under(mask, hidden=-np.inf):
    """The weights under a mask, which is made from the numbers of new and old tokens."""

    def weights(q, k):
        n_new, n_all = q.shape[-2], k.shape[-2]
        scores = q @ flip(k) / np.sqrt(q.shape[-1])
        return softmax(np.where(mask(n_new, n_all - n_new), scores, hidden))

    return weights


_weights = _under(mask_with_past)


def _whole(
    qkv=_c_attn,
    split=split,
    seen=_append,
    weights=_weights,
    merge=merge,
    out=_c_proj,
    kept=_append,
):
    """GPT-2's attention, right where nothing else is said."""

    def gpt2_attention(x, params, n_head, past=None):
        q, k, v = (split(part, n_head) for part in qkv(x, params))
        all_k, all_v = seen(past, k, v)
        merged = merge(weights(q, all_k) @ all_v)
        return out(merged, params), kept(past, k, v)

    return gpt2_attention


@GPT2_ATTENTION.mistake(
    "split_before_the_cut",
    "You share out all columns among the heads first, and cut each head's share into three. The "
    "columns are all queries, then all keys, then all values: cut first, then split.",
)
def _split_before_the_cut(x, params, n_head, past=None):
    columns = split(x @ params["c_attn.weight"] + params["c_attn.bias"], n_head)
    attend = _whole(qkv=lambda x, params: _thirds(columns), split=lambda part, n_head: part)
    return attend(x, params, n_head, past)


# the projection at the end
GPT2_ATTENTION.mistake(
    "not_projected",
    "Your result is the merged row: the heads lie side by side and are not mixed. The last "
    "step is your `project`, with `c_proj`.",
    _whole(out=lambda merged, params: merged),
)

GPT2_ATTENTION.mistake(
    "no_proj_bias",
    "The bias of `c_proj` is missing in your result. Use your `project`.",
    _whole(out=lambda merged, params: merged @ params["c_proj.weight"]),
)

GPT2_ATTENTION.mistake(
    "proj_transposed",
    "You project with the transposed weights. `c_proj.weight` is [in, out]: your `project` "
    "takes it as it is.",
    _whole(out=lambda merged, params: merged @ params["c_proj.weight"].T + params["c_proj.bias"]),
)

GPT2_ATTENTION.mistake(
    "proj_bias_first",
    "You add the bias of `c_proj` before the product. It belongs to the result.",
    _whole(out=lambda merged, params: (merged + params["c_proj.bias"]) @ params["c_proj.weight"]),
)


def _by_heads_of(project):
    """Projections head by head: `project(z_h, h, H, params)`, added up."""

    def gpt2_attention(x, params, n_head, past=None):
        q, k, v = (split(part, n_head) for part in _c_attn(x, params))
        k, v = _append(past, k, v)
        z = _weights(q, k) @ v
        parts = [project(z[..., h, :, :], h, n_head, params) for h in range(n_head)]
        return np.sum(parts, axis=0), (k, v)

    return gpt2_attention


def _rows_of(w, h, d):
    return w[h * d : (h + 1) * d]


GPT2_ATTENTION.mistake(
    "proj_bias_for_every_head",
    "Your result holds the bias of `c_proj` once for every head. The contributions of the "
    "heads have none: it is added once, to their sum.",
    _by_heads_of(
        lambda z, h, n_head, params: (
            z @ _rows_of(params["c_proj.weight"], h, z.shape[-1]) + params["c_proj.bias"]
        )
    ),
)

GPT2_ATTENTION.mistake(
    "first_rows_for_all_heads",
    "All your heads go through the first d rows of `c_proj.weight`. Each head has rows of "
    "its own. Merging first and projecting then does that by itself.",
    _by_heads_of(
        lambda z, h, n_head, params: (
            z @ params["c_proj.weight"][: z.shape[-1]] + params["c_proj.bias"] / n_head
        )
    ),
)


def _column_blocks(z, n_head, params):
    """Each head through its own columns only, then side by side."""
    d, w = z.shape[-1], params["c_proj.weight"]
    parts = [z[..., h, :, :] @ w[h * d : (h + 1) * d, h * d : (h + 1) * d] for h in range(n_head)]
    return np.concatenate(parts, axis=-1) + params["c_proj.bias"]


@GPT2_ATTENTION.mistake(
    "every_head_by_itself",
    "Each head writes into its own d columns only, so heads are never mixed. Merge first, "
    "then project with the whole of `c_proj.weight`.",
)
def _own_columns(x, params, n_head, past=None):
    q, k, v = (split(part, n_head) for part in _c_attn(x, params))
    k, v = _append(past, k, v)
    return _column_blocks(_weights(q, k) @ v, n_head, params), (k, v)


def _contributed(finish):
    """What `finish` makes of the heads' contributions and the bias."""

    def gpt2_attention(x, params, n_head, past=None):
        q, k, v = (split(part, n_head) for part in _c_attn(x, params))
        k, v = _append(past, k, v)
        parts = contributions(_weights(q, k) @ v, params["c_proj.weight"])
        return finish(parts, params["c_proj.bias"]), (k, v)

    return gpt2_attention


GPT2_ATTENTION.mistake(
    "contributions_not_summed",
    "You return the contributions of the heads, side by side or on an axis of their own. "
    "They are added up, and the bias is added once. Your `project` does both.",
    _contributed(lambda parts, bias: merge(parts)),
    _contributed(lambda parts, bias: merge(parts + bias)),
    _contributed(lambda parts, bias: parts),
    _contributed(lambda parts, bias: parts + bias),
)

GPT2_ATTENTION.mistake(
    "contributions_summed_over_axis_0",
    "With one sentence the result is right. In a batch axis 0 holds sentences, and you add "
    "those up. The heads are on axis -3.",
    _contributed(lambda parts, bias: parts.sum(axis=0) + bias),
)

GPT2_ATTENTION.mistake(
    "projected_with_c_attn",
    "You project with a part of `c_attn`. The projection at the end has weights of its "
    "own: `c_proj`.",
    _whole(
        out=lambda merged, params: (
            merged @ params["c_attn.weight"][:, : merged.shape[-1]]
            + params["c_attn.bias"][: merged.shape[-1]]
        )
    ),
)

_attention = _whole()


@GPT2_ATTENTION.mistake(
    "residual_added",
    "You add `x` to the result. In GPT-2 that sum comes after attention, and it adds what "
    "the layer got, before it was normalised. It is not part of this function.",
)
def _residual(x, params, n_head, past=None):
    out, present = _attention(x, params, n_head, past)
    return out + x, present


@GPT2_ATTENTION.mistake(
    "normalised_inside",
    "You normalise `x` first. In GPT-2 that step, ln_1, comes before attention and is not "
    "part of this function: take `x` as it is.",
)
def _normalised_first(x, params, n_head, past=None):
    centred = x - x.mean(axis=-1, keepdims=True)
    x = centred / np.sqrt(x.var(axis=-1, keepdims=True) + 1e-5)
    return _attention(x, params, n_head, past)


def _biased(rule):
    """The right products, but other biases: `rule` makes them of (b_q, b_k, b_v)."""

    def qkv(x, params):
        biases = rule(*_thirds(params["c_attn.bias"]))
        products = _thirds(x @ params["c_attn.weight"])
        return tuple(part + bias for part, bias in zip(products, biases, strict=True))

    return _whole(qkv=qkv)


# the projection at the beginning
GPT2_ATTENTION.mistake(
    "no_qkv_bias",
    "The bias of `c_attn` is missing in your queries, keys and values. Use your "
    "`qkv_projection`: it adds `b` before it cuts.",
    _biased(lambda b_q, b_k, b_v: (0, 0, 0)),
)

GPT2_ATTENTION.mistake(
    "no_query_bias",
    "The queries have no bias. `c_attn.bias` holds a third for each of the three.",
    _biased(lambda b_q, b_k, b_v: (0, b_k, b_v)),
)

GPT2_ATTENTION.mistake(
    "no_key_bias",
    "Your keys have no bias. In one pass that never shows in the result, but it does "
    "in `present`, and in every result that uses a past.",
    _biased(lambda b_q, b_k, b_v: (b_q, 0, b_v)),
)

GPT2_ATTENTION.mistake(
    "no_value_bias",
    "The values have no bias. `c_attn.bias` holds a third for each of the three.",
    _biased(lambda b_q, b_k, b_v: (b_q, b_k, 0)),
)


def _in_order(*order):
    return _whole(qkv=lambda x, params: tuple(_c_attn(x, params)[i] for i in order))


GPT2_ATTENTION.mistake(
    "qkv_order",
    "Queries, keys and values are mixed up. The columns of `c_attn` are queries, then keys, then "
    "values, and your `qkv_projection` returns them so; attention takes them in this order, too.",
    _in_order(1, 0, 2),
    _in_order(2, 1, 0),
    _in_order(0, 2, 1),
    _in_order(1, 2, 0),
    _in_order(2, 0, 1),
)

GPT2_ATTENTION.mistake(
    "every_third_column",
    "You take every third column of `c_attn` for the queries, and so on. They lie in three "
    "blocks. Use your `qkv_projection`.",
    _whole(
        qkv=lambda x, params: tuple(
            (x @ params["c_attn.weight"] + params["c_attn.bias"])[..., i::3] for i in range(3)
        )
    ),
)

GPT2_ATTENTION.mistake(
    "x_not_projected",
    "You use `x` itself as queries, keys and values. They come from `c_attn`.",
    _whole(qkv=lambda x, params: (x, x, x)),
)


def _one_wide_head(x, params, n_head, past=None):
    q, k, v = _c_attn(x, params)
    k, v = _append(past, k, v)
    return _c_proj(_weights(q, k) @ v, params), (k, v)


# heads
GPT2_ATTENTION.mistake(
    "one_wide_head",
    "You attend with one head of full width. The shape of the result does not show it. "
    "Split queries, keys and values into `n_head` heads first.",
    _one_wide_head,
    _whole(split=lambda x, n_head: split(x, 1)),
)

GPT2_ATTENTION.mistake(
    "n_head_is_12",
    "You always split into 12 heads. That is the number in GPT-2 small. Use `n_head`.",
    _whole(split=lambda x, n_head: split(x, 12)),
)


def _reshaped(x, n_head):
    return x.reshape(*x.shape[:-2], n_head, x.shape[-2], x.shape[-1] // n_head)


GPT2_ATTENTION.mistake(
    "split_reshaped_only",
    "You cut heads with a reshape alone, so heads hold numbers of several tokens. Use your "
    "`split_heads`.",
    _whole(split=_reshaped),
)


def _reshaped_back(z):
    return z.reshape(*z.shape[:-3], z.shape[-2], -1)


GPT2_ATTENTION.mistake(
    "merge_reshaped_only",
    "You merge with a reshape alone, so a row holds numbers of several tokens. Use your "
    "`merge_heads`.",
    _whole(merge=_reshaped_back),
)

GPT2_ATTENTION.mistake(
    "both_reshaped_only",
    "You split and merge with a reshape alone. The two undo each other, but attention in "
    "between works on mixed tokens. Use your `split_heads` and `merge_heads`.",
    _whole(split=_reshaped, merge=_reshaped_back),
)


def _interleaved(x, n_head):
    return np.moveaxis(x.reshape(*x.shape[:-1], -1, n_head), -1, -3)


def _interleaved_back(z):
    return np.moveaxis(z, -3, -1).reshape(*z.shape[:-3], z.shape[-2], -1)


GPT2_ATTENTION.mistake(
    "split_interleaved",
    "Your heads take every H-th feature. Head h has d features that follow each other. Use "
    "your `split_heads`.",
    _whole(split=_interleaved),
    _whole(split=_interleaved, merge=_interleaved_back),
)

GPT2_ATTENTION.mistake(
    "merge_interleaved",
    "You merge number by number: the first of every head, then the second. So the rows of "
    "`c_proj.weight` meet the wrong numbers. Use your `merge_heads`.",
    _whole(merge=_interleaved_back),
)

GPT2_ATTENTION.mistake(
    "merge_reversed",
    "You merge the heads in reverse order, so they meet the wrong rows of `c_proj.weight`. "
    "Head 0 comes first.",
    _whole(merge=lambda z: merge(z[..., ::-1, :, :])),
)


def _first_axis_as_heads(x, params, n_head, past=None):
    q, k, v = (split(part, n_head) for part in _c_attn(x, params))
    pasts = [None] * n_head if past is None else [(past[0][h], past[1][h]) for h in range(n_head)]
    kept = [_append(pasts[h], k[h], v[h]) for h in range(n_head)]
    z = np.stack([_weights(q[h], kept[h][0]) @ kept[h][1] for h in range(n_head)])
    keys, values = zip(*kept, strict=True)
    return _c_proj(merge(z), params), (np.stack(keys), np.stack(values))


GPT2_ATTENTION.mistake(
    "first_axis_taken_for_heads",
    "With one sentence the result is right. In a batch the first axis holds sentences, and "
    "you take those for heads. The heads are always on axis -3.",
    _first_axis_as_heads,
)

GPT2_ATTENTION.mistake(
    "not_merged",
    "You project the heads before they are merged: a head has d numbers, but "
    "`c_proj.weight` takes in all D. Use your `merge_heads` first.",
    _whole(merge=lambda z: z),
)

GPT2_ATTENTION.mistake(
    "heads_summed",
    "You add up the heads, or take their mean. They are put side by side: H times d "
    "numbers, as many as `c_proj` takes in.",
    _whole(merge=lambda z: z.sum(axis=-3)),
    _whole(merge=lambda z: z.mean(axis=-3)),
)


def _scaled_by(scale):
    def weights(q, k):
        n_new, n_all = q.shape[-2], k.shape[-2]
        scores = q @ flip(k) * scale(q, k)
        return softmax(np.where(mask_with_past(n_new, n_all - n_new), scores, -np.inf))

    return _whole(weights=weights)


# weights
GPT2_ATTENTION.mistake(
    "not_scaled",
    "Your weights are too sharp: the scores are not scaled. Use your `attend_with_cache`.",
    _scaled_by(lambda q, k: 1.0),
)

GPT2_ATTENTION.mistake(
    "scaled_twice",
    "Your weights are too flat: the scores are scaled twice (or divided by d).",
    _scaled_by(lambda q, k: 1 / q.shape[-1]),
)

GPT2_ATTENTION.mistake(
    "scaled_by_model_width",
    "You scale by the square root of D, the width of the whole model. The scale is the "
    "square root of d, the size of one head.",
    _scaled_by(lambda q, k: (q.shape[-1] * q.shape[-3]) ** -0.5),
)

GPT2_ATTENTION.mistake(
    "scaled_by_heads",
    "You scale by the square root of the number of heads. The scale is the square root of "
    "d, the size of one head.",
    _scaled_by(lambda q, k: q.shape[-3] ** -0.5),
)

GPT2_ATTENTION.mistake(
    "scale_is_8",
    "You divide by 8. That is right only for heads of 64 numbers, as in GPT-2.",
    _scaled_by(lambda q, k: 1 / 8),
)

GPT2_ATTENTION.mistake(
    "scaled_by_tokens",
    "You scale by the square root of a number of tokens. The scale is the square root of "
    "d, the size of one head.",
    _scaled_by(lambda q, k: k.shape[-2] ** -0.5),
    _scaled_by(lambda q, k: q.shape[-2] ** -0.5),
)


def _masked_by(mask, hidden=-np.inf):
    return _whole(weights=_under(mask, hidden))


GPT2_ATTENTION.mistake(
    "nothing_hidden",
    "Your tokens see tokens that come after them. Is there a mask, with and without a past?",
    _masked_by(lambda n, p: True),
    _masked_by(lambda n, p: True if p else mask_with_past(n, p)),
)

GPT2_ATTENTION.mistake(
    "mask_top_left",
    "With a past your mask starts in the upper left corner: of several new tokens the first sees "
    "only the oldest one. How many columns come before the new tokens?",
    _masked_by(lambda n, p: np.tri(n, p + n, dtype=bool)),
    _masked_by(lambda n, p: np.tri(n, p + n, dtype=bool) if n > 1 else True),
)


@GPT2_ATTENTION.mistake(
    "mask_without_past",
    "Your mask has columns for the new tokens only; with a past the scores have more. Use "
    "your `cached_causal_mask`.",
)
def _past_forgotten_in_the_mask(x, params, n_head, past=None):
    q, k, v = (split(part, n_head) for part in _c_attn(x, params))
    k, v = _append(past, k, v)
    scores = q @ flip(k) / np.sqrt(q.shape[-1])
    z = softmax(np.where(mask_with_past(q.shape[-2], 0), scores, -np.inf)) @ v
    return _c_proj(merge(z), params), (k, v)


GPT2_ATTENTION.mistake(
    "mask_inverted",
    "Your tokens see only what they should not see. In the mask True means: may look.",
    _masked_by(lambda n, p: ~mask_with_past(n, p)),
)

GPT2_ATTENTION.mistake(
    "not_itself",
    "Your tokens do not see themselves. The very first token then sees nothing at all: its row "
    "becomes nan, or the mean of all values.",
    _masked_by(lambda n, p: np.tri(n, p + n, p - 1, dtype=bool)),
    _masked_by(lambda n, p: np.tri(n, p + n, p - 1, dtype=bool), hidden=-1e9),
)

GPT2_ATTENTION.mistake(
    "one_too_many",
    "Each of your tokens sees its successor as well. Its last visible column is its own.",
    _masked_by(lambda n, p: np.tri(n, p + n, p + 1, dtype=bool)),
)


def _weighing(formula):
    """Another formula for the weights, from scaled scores and the right mask."""

    def weights(q, k):
        n_new, n_all = q.shape[-2], k.shape[-2]
        return formula(q @ flip(k) / np.sqrt(q.shape[-1]), mask_with_past(n_new, n_all - n_new))

    return _whole(weights=weights)


GPT2_ATTENTION.mistake(
    "hidden_scores_zero",
    "Hidden tokens still get weight: a score of 0 is an ordinary score. Use your `masked_softmax`.",
    _weighing(lambda scores, mask: softmax(scores * mask)),
)

GPT2_ATTENTION.mistake(
    "weak_mask",
    "Your mask puts a number such as -10,000 in place of a score. Here true scores are "
    "lower than that, and the future leaks in. Use minus infinity.",
    _weighing(lambda scores, mask: softmax(np.where(mask, scores, -1e4))),
    _weighing(lambda scores, mask: softmax(np.where(mask, scores, -1e3))),
)

GPT2_ATTENTION.mistake(
    "masked_after_softmax",
    "You hide tokens after softmax, so rows of weights no longer sum to 1. Hide their "
    "scores before softmax.",
    _weighing(lambda scores, mask: softmax(scores) * mask),
)


def _over_heads(scores, mask):
    scores = np.moveaxis(np.where(mask, scores, -1e10), -3, -1)
    return np.moveaxis(softmax(scores), -1, -3) * mask


GPT2_ATTENTION.mistake(
    "softmax_over_heads",
    "Your weights sum to 1 over the heads. Each head has rows of its own, and each row "
    "sums to 1 over its keys: the last axis.",
    _weighing(_over_heads),
)

GPT2_ATTENTION.mistake(
    "no_softmax",
    "You blend the values with the scores themselves. Softmax comes first: it turns scores "
    "into weights.",
    _weighing(lambda scores, mask: scores * mask),
)

GPT2_ATTENTION.mistake(
    "keys_as_values",
    "You blend the keys. Keys are for matching; the values carry the content.",
    _whole(seen=lambda past, k, v: (_append(past, k, v)[0],) * 2),
)

# the past
GPT2_ATTENTION.mistake(
    "past_not_used",
    "Your new tokens see only each other: whatever `past` holds, the result is the same. "
    "Append their keys and values to the past, then attend.",
    _whole(seen=lambda past, k, v: (k, v)),
    lambda x, params, n_head, past=None: _attention(x, params, n_head),
)


@GPT2_ATTENTION.mistake(
    "new_not_seen", "Your new tokens see the past, but not themselves. Append first, then attend."
)
def _past_not_itself(x, params, n_head, past=None):
    q, k, v = (split(part, n_head) for part in _c_attn(x, params))
    if past is None:
        return _attention(x, params, n_head)
    old_k, old_v = past
    weights = softmax(q @ flip(old_k) / np.sqrt(q.shape[-1]))
    return _c_proj(merge(weights @ old_v), params), _append(past, k, v)


def _appending(append):
    """Another way to append, both for what is seen and for what is returned."""
    return _whole(seen=append, kept=append)


def _new_first(past, k, v):
    if past is None:
        return k, v
    return join(k, past[0]), join(v, past[1])


GPT2_ATTENTION.mistake(
    "new_first",
    "Your new keys and values stand in front of the past. For one new token the result is "
    "the same, for two it is not. Append at the end.",
    _appending(_new_first),
    _whole(seen=_new_first),
    _whole(kept=_new_first),
)


def _past_reversed(past, k, v):
    if past is None:
        return k, v
    return join(past[0][..., ::-1, :], k), join(past[1][..., ::-1, :], v)


GPT2_ATTENTION.mistake(
    "past_reordered",
    "Your results are right, but in `present` the old tokens have changed their order. No "
    "output shows that. Keep the order of the sentence.",
    _whole(kept=_past_reversed),
    _appending(_past_reversed),
)

GPT2_ATTENTION.mistake(
    "present_of_new_tokens",
    "Your `present` holds the new tokens only. OpenAI's code returns that and joins "
    "elsewhere; here `present` holds the past and the new tokens.",
    _whole(kept=lambda past, k, v: (k, v)),
)


def _past_only(past, k, v):
    return (k, v) if past is None else past


GPT2_ATTENTION.mistake(
    "past_returned",
    "You return the past as it came. The next call needs it with the new keys and values.",
    _whole(kept=_past_only),
    _whole(kept=lambda past, k, v: past),
)

GPT2_ATTENTION.mistake(
    "appended_twice",
    "The new tokens are in your `present` twice. Append once, and use the result for both: "
    "to attend and to return.",
    _whole(kept=lambda past, k, v: _append(_append(past, k, v), k, v)),
)

GPT2_ATTENTION.mistake(
    "appended_twice_and_seen",
    "The new tokens, or the old ones, are in your cache twice, and are seen twice. "
    "`attend_with_cache` appends by itself: hand it the new keys and values alone.",
    _appending(lambda past, k, v: _append(_append(past, k, v), k, v)),
    _appending(lambda past, k, v: _append(past, *_append(past, k, v))),
)


@GPT2_ATTENTION.mistake(
    "appended_before_the_split",
    "You append whole rows of D numbers to a past that is split into heads. Split the new "
    "queries, keys and values first.",
)
def _appended_before_the_split(x, params, n_head, past=None):
    q, k, v = _c_attn(x, params)
    q, k, v = (split(part, n_head) for part in (q, *_append(past, k, v)))
    return _c_proj(merge(_weights(q, k) @ v), params), (k, v)


GPT2_ATTENTION.mistake(
    "newest_lost",
    "The newest token is missing in your `present`. Later tokens must see it, too.",
    _whole(kept=lambda past, k, v: tuple(a[..., :-1, :] for a in _append(past, k, v))),
)


@GPT2_ATTENTION.mistake(
    "cached_before_the_bias",
    "Your `present` holds keys and values without their bias. This pass is right; the next "
    "one would use old tokens without bias. Keep them as attention uses them.",
)
def _cached_before_bias(x, params, n_head, past=None):
    """The cache gets keys and values without their bias, and nobody adds it later."""
    out, _present = _attention(x, params, n_head, past)
    bare = (split(part, n_head) for part in _thirds(x @ params["c_attn.weight"]))
    _q, k, v = bare
    return out, _append(past, k, v)


def _not_split_cache(x, params, n_head, past=None):
    """A cache of whole rows [..., T, D], taken apart after appending."""
    q, k, v = _c_attn(x, params)
    k, v = _append(past, k, v)
    z = _weights(split(q, n_head), split(k, n_head)) @ split(v, n_head)
    return _c_proj(merge(z), params), (k, v)


def _returning(change):
    """The right result and present, and something else is made of them on the way out."""
    return lambda x, params, n_head, past=None: change(*_attention(x, params, n_head, past))


GPT2_ATTENTION.mistake(
    "cached_without_heads",
    "Your results are right, but `present` holds whole rows of D numbers. Keep keys and "
    "values as the heads use them: [..., H, T, d].",
    _not_split_cache,
    _returning(lambda out, present: (out, tuple(merge(part) for part in present))),
)


def _scaled_keys_kept(past, k, v):
    k, v = _append(past, k, v)
    return k / np.sqrt(k.shape[-1]), v


GPT2_ATTENTION.mistake(
    "scaled_keys_kept",
    "Your `present` holds keys divided by sqrt(d). At the next step they would be divided "
    "again. Keep the keys as they come.",
    _whole(kept=_scaled_keys_kept),
)

_KEYS_THEN_VALUES = "The cache is a pair `(k, v)`: keys first, then values."

GPT2_ATTENTION.mistake(
    "present_exchanged",
    "Keys and values have changed places in your `present`. " + _KEYS_THEN_VALUES,
    _returning(lambda out, present: (out, present[::-1])),
)

GPT2_ATTENTION.mistake(
    "keys_twice",
    "Your `present` holds the keys twice. " + _KEYS_THEN_VALUES,
    _returning(lambda out, present: (out, (present[0], present[0]))),
)


@GPT2_ATTENTION.mistake(
    "queries_cached",
    "Your `present` holds three arrays, the queries too. An old query is never used again. "
    + _KEYS_THEN_VALUES,
)
def _with_queries(x, params, n_head, past=None):
    out, (k, v) = _attention(x, params, n_head, past)
    return out, (split(_c_attn(x, params)[0], n_head), k, v)


@GPT2_ATTENTION.mistake(
    "results_cached",
    "Your `present` holds results of the heads in place of values. Later tokens blend the "
    "values anew, with weights of their own.",
)
def _results_cached(x, params, n_head, past=None):
    q, k, v = (split(part, n_head) for part in _c_attn(x, params))
    k, v = _append(past, k, v)
    z = _weights(q, k) @ v
    return _c_proj(merge(z), params), (k, z if past is None else join(past[1], z))


def _axis(axis):
    def append(past, k, v):
        if past is None:
            return k, v
        return tuple(np.concatenate(pair, axis=axis) for pair in zip(past, (k, v), strict=True))

    return append


GPT2_ATTENTION.mistake(
    "axis_0",
    "You join past and new tokens along axis 0: those are heads, or sentences. Tokens are "
    "on axis -2.",
    _appending(_axis(0)),
)


def _counted_on(axis):
    """The past's length read from an axis that holds the tokens only with or without a batch."""

    def gpt2_attention(x, params, n_head, past=None):
        q, k, v = (split(part, n_head) for part in _c_attn(x, params))
        n_past = 0 if past is None else past[0].shape[axis]
        k, v = _append(past, k, v)
        scores = q @ flip(k) / np.sqrt(q.shape[-1])
        mask = mask_with_past(q.shape[-2], n_past)
        z = softmax(np.where(mask, scores, -np.inf)) @ v
        return _c_proj(merge(z), params), (k, v)

    return gpt2_attention


GPT2_ATTENTION.mistake(
    "axes_counted_from_the_front",
    "Your function works for one sentence or for a batch, but not for both: an axis is "
    "counted from the front. In the past the tokens are on axis -2, whatever comes before.",
    _appending(_axis(1)),
    _appending(_axis(2)),
    _counted_on(0),
    _counted_on(1),
    _counted_on(2),
)


def _added(past, k, v):
    return (k, v) if past is None else (past[0] + k, past[1] + v)


GPT2_ATTENTION.mistake(
    "past_added",
    "You add the new keys to the old ones. Put them behind the old ones: a row for each token.",
    _appending(_added),
)


def _none_not_handled(x, params, n_head, past=None):
    q, k, v = (split(part, n_head) for part in _c_attn(x, params))
    old_k, old_v = past
    k, v = join(old_k, k), join(old_v, v)
    return _c_proj(merge(_weights(q, k) @ v), params), (k, v)


def _none_indexed(x, params, n_head, past=None):
    q, k, v = (split(part, n_head) for part in _c_attn(x, params))
    k, v = join(past[0], k), join(past[1], v)
    return _c_proj(merge(_weights(q, k) @ v), params), (k, v)


GPT2_ATTENTION.mistake(
    "none_not_handled",
    "The first call has no past: then `past` is None and cannot be taken apart. Let "
    "`append_kv` or `attend_with_cache` deal with that.",
    _none_not_handled,
    _none_indexed,
)


@GPT2_ATTENTION.mistake(
    "past_is_required",
    "Your function cannot be called without `past`. Keep `past=None` in its first line.",
)
def _past_required(x, params, n_head, past):
    return _attention(x, params, n_head, past)


@GPT2_ATTENTION.mistake(
    "past_not_accepted", "Your function does not take a `past`. Keep `past=None` in its first line."
)
def _no_past_accepted(x, params, n_head):
    return _attention(x, params, n_head)


class _Remembering:
    """Keeps a cache of its own from call to call and does not look at the one it is given."""

    def __init__(self):
        self.past = None

    def __call__(self, x, params, n_head, past=None):
        if past is None:
            self.past = None
        out, self.past = _attention(x, params, n_head, self.past)
        return out, self.past


GPT2_ATTENTION.mistake(
    "remembers_by_itself",
    "Your function keeps a cache of its own from call to call. Two texts would then mix. "
    "Everything it needs comes in as an argument.",
    _Remembering(),
)

# what is returned, names, and arguments that change
GPT2_ATTENTION.mistake(
    "returned_in_wrong_order",
    "You return `present` first. Return the result first and the keys and values second: "
    "`return out, present`.",
    _returning(lambda out, present: (present, out)),
)

GPT2_ATTENTION.mistake(
    "present_not_returned",
    "You return only the result. Return the keys and values as well: `return out, present`.",
    _returning(lambda out, present: out),
)


@GPT2_ATTENTION.mistake(
    "weights_returned",
    "Your second value holds the weights. Return `present`, the keys and values: weights "
    "are not needed again.",
)
def _weights_returned(x, params, n_head, past=None):
    out, (k, _v) = _attention(x, params, n_head, past)
    return out, _weights(split(_c_attn(x, params)[0], n_head), k)


def _weights_as_third(x, params, n_head, past=None):
    out, present = _attention(x, params, n_head, past)
    weights = _weights(split(_c_attn(x, params)[0], n_head), present[0])
    return out, present, weights


GPT2_ATTENTION.mistake(
    "three_returned",
    "You return three values. Return two: the result, and the pair of keys and values.",
    _weights_as_third,
    _returning(lambda out, present: (out, *present)),
)

GPT2_ATTENTION.mistake(
    "last_row_only",
    "You return the result of the last token only. Every new token has a row.",
    _returning(lambda out, present: (out[..., -1:, :], present)),
    _returning(lambda out, present: (out[..., -1, :], present)),
)


@GPT2_ATTENTION.mistake(
    "result_not_taken_apart",
    "You hand on several values as if they were one array. `qkv_projection` returns three and "
    "`attend_with_cache` two, the result and the cache: give each of them a name of its own.",
)
def _pair_merged(x, params, n_head, past=None):
    q, k, v = (split(part, n_head) for part in _c_attn(x, params))
    k, v = _append(past, k, v)
    return _c_proj(merge((_weights(q, k) @ v, (k, v))), params)


GPT2_ATTENTION.mistake(
    "weight_does_not_fit",
    "A product does not fit. On its right belongs the weight as it is, [in, out]: not "
    "transposed, and not the bias, which comes after it.",
    _whole(out=lambda merged, params: merged @ params["c_proj.bias"] + params["c_proj.weight"]),
    _whole(qkv=lambda x, params: _thirds(x @ params["c_attn.bias"] + params["c_attn.weight"])),
    _whole(qkv=lambda x, params: _thirds(x @ params["c_attn.weight"].T + params["c_attn.bias"])),
)


def _named(**renamed):
    """Asks for parameters under other names."""

    def gpt2_attention(x, params, n_head, past=None):
        known = {
            name: params[renamed.get(name.replace(".", "_"), name)]
            for name in ("c_attn.weight", "c_attn.bias", "c_proj.weight", "c_proj.bias")
        }
        return _attention(x, known, n_head, past)

    return gpt2_attention


def _with_prefix(prefix):
    def gpt2_attention(x, params, n_head, past=None):
        names = ("c_attn.weight", "c_attn.bias", "c_proj.weight", "c_proj.bias")
        return _attention(x, {name: params[prefix + name] for name in names}, n_head, past)

    return gpt2_attention


GPT2_ATTENTION.mistake(
    "other_names",
    "You look for a parameter under another name. The dictionary has `c_attn.weight`, "
    "`c_attn.bias`, `c_proj.weight` and `c_proj.bias`, without anything in front.",
    _with_prefix("attn."),
    _with_prefix("h.0.attn."),
    _named(c_attn_weight="c_attn"),
    _named(c_attn_weight="c_attn.w"),
    _named(c_attn_weight="c_attn_weight"),
    _named(c_attn_weight="weight"),
)


@GPT2_ATTENTION.mistake(
    "x_changed",
    "`x` is different after the call: `+=` writes into the caller's array. (And the sum "
    "with `x` is not part of this function.)",
)
def _residual_in_place(x, params, n_head, past=None):
    out, present = _attention(x, params, n_head, past)
    x += out.astype(x.dtype)
    return x, present


def _takes_params_apart(x, params, n_head, past=None):
    out, present = _attention(x, params, n_head, past)
    params.pop("c_proj.bias")
    return out, present


def _adds_bias_into_params(x, params, n_head, past=None):
    out, present = _attention(x, params, n_head, past)
    params["c_proj.bias"] += 1
    return out, present


GPT2_ATTENTION.mistake(
    "params_changed",
    "`params` is different after the call: you take an entry out, or write into one. The "
    "caller needs it again for the next token.",
    _takes_params_apart,
    _adds_bias_into_params,
)


@GPT2_ATTENTION.mistake(
    "past_changed",
    "The results are right, but the past that you were given is different after the call. "
    "Its owner may still need it. Build a new one.",
)
def _writes_into_past(x, params, n_head, past=None):
    out, present = _attention(x, params, n_head, past)
    if past is not None:
        past[0][..., -1, :] = present[0][..., -1, :]
    return out, present


def _half(past, k, v):
    return tuple(part.astype("f2") for part in _append(past, k, v))


GPT2_ATTENTION.mistake(
    "half_precision",
    "The numbers are too coarse: they went through float16. Keep the type of the input.",
    _whole(kept=_half),
    _appending(_half),
    _returning(lambda out, present: (out.astype("f2"), present)),
)

# --- unusual, and right --------------------------------------------------------------------------


@GPT2_ATTENTION.also_right("token by token")
def _token_by_token(x, params, n_head, past=None):
    rows = []
    for t in range(x.shape[-2]):
        out, past = _attention(x[..., t : t + 1, :], params, n_head, past)
        rows.append(out)
    return np.concatenate(rows, axis=-2), past


@GPT2_ATTENTION.also_right("head by head, contributions added up")
def _head_by_head(x, params, n_head, past=None):
    d = x.shape[-1] // n_head
    w, b = params["c_attn.weight"], params["c_attn.bias"]
    out, keys, values = params["c_proj.bias"], [], []
    for h in range(n_head):
        q, k, v = (
            x @ w[:, c : c + d] + b[c : c + d] for c in range(h * d, 3 * n_head * d, n_head * d)
        )
        old = None if past is None else tuple(part[..., h, :, :] for part in past)
        k, v = _append(old, k, v)
        out = out + _weights(q, k) @ v @ _rows_of(params["c_proj.weight"], h, d)
        keys.append(k)
        values.append(v)
    return out, [np.stack(keys, axis=-3), np.stack(values, axis=-3)]


@GPT2_ATTENTION.also_right("einsum without split or merge")
def _by_einsum(x, params, n_head, past=None):
    width = x.shape[-1]
    w = params["c_attn.weight"].reshape(width, 3, n_head, -1)
    b = params["c_attn.bias"].reshape(3, n_head, 1, -1)
    q, k, v = np.moveaxis(np.einsum("...ti,ipho->...phto", x, w) + b, -4, 0)
    k, v = _append(past, k, v)
    w = params["c_proj.weight"].reshape(n_head, -1, width)
    return np.einsum("...hts,...hsd,hdo->...to", _weights(q, k), v, w) + params["c_proj.bias"], (
        k,
        v,
    )


GPT2_ATTENTION.also_right("lists", _returning(lambda out, present: [out, list(present)]))

GPT2_ATTENTION.also_right(
    "a stacked present", _returning(lambda out, present: (out, np.stack(present)))
)


@GPT2_ATTENTION.also_right("an empty past at first")
def _from_an_empty_past(x, params, n_head, past=None):
    if past is None:
        empty = np.zeros((*x.shape[:-2], n_head, 0, x.shape[-1] // n_head))
        past = (empty, empty)
    return _attention(x, params, n_head, past)


@GPT2_ATTENTION.also_right("float32")
def _single(x, params, n_head, past=None):
    params = {name: array.astype("f4") for name, array in params.items()}
    past = past and tuple(part.astype("f4") for part in past)
    return _attention(x.astype("f4"), params, n_head, past)


GPT2_ATTENTION.also_right("mask of -1e10", _weighing(lambda s, m: softmax(np.where(m, s, -1e10))))

GPT2_ATTENTION.also_right(
    "an added mask", _weighing(lambda s, m: softmax(s + np.where(m, 0.0, -np.inf)))
)


def _scaled_queries(x, params, n_head, past):
    q, k, v = (split(part, n_head) for part in _c_attn(x, params))
    k, v = _append(past, k, v)
    n_new, n_all = q.shape[-2], k.shape[-2]
    scores = q / np.sqrt(q.shape[-1]) @ flip(k)
    weights = softmax(np.where(mask_with_past(n_new, n_all - n_new), scores, -np.inf))
    return _c_proj(merge(weights @ v), params), (k, v)


GPT2_ATTENTION.also_right(
    "queries scaled first",
    lambda x, params, n_head, past=None: _scaled_queries(x, params, n_head, past),
)

GPT2_ATTENTION.also_right(
    "a bias for every head, shared out",
    _by_heads_of(
        lambda z, h, n_head, params: (
            z @ _rows_of(params["c_proj.weight"], h, z.shape[-1]) + params["c_proj.bias"] / n_head
        )
    ),
)

# --- its steps, and how each of them goes wrong --------------------------------------------------


def _build(qkv, operands, split, scale, mask, hide, shares, merge, bias, kept, out):
    def gpt2_attention(x, params, n_head, past=None):
        y = qkv(x @ params["c_attn.weight"], params["c_attn.bias"])
        q, k, v = operands(*(split(a, n_head) for a in np.split(y, 3, -1)))
        if past is not None:
            k, v = (np.concatenate(p, axis=-2) for p in zip(past, (k, v), strict=True))
        z, _w = attention(
            q, k, v, scale, RIGHT_SCORES, mask, hide, shares, RIGHT_BLEND, x.shape[-1]
        )
        y = bias(merge(z) @ params["c_proj.weight"], params["c_proj.bias"])
        return out(y, x), kept(k, v, q.shape[-2])

    return gpt2_attention


_QKV_BIAS = tuple(
    Wrong(f"qkv_{w.id}", f"Queries, keys and values: {w.sentence}", w.way) for w in BIASES[:3]
)


_PROJ_BIAS = tuple(Wrong(f"proj_{w.id}", f"Projection: {w.sentence}", w.way) for w in BIASES[:3])


_RESIDUAL = (
    Wrong(
        "residual_added",
        _("The input is added to the result: that belongs to the block."),
        lambda y, x: y + x,
    ),
)


GPT2_ATTENTION.steps = Steps(
    _build,
    {"qkv": RIGHT_BIAS, "operands": lambda *a: a, "split": cut_into_heads, "scale": RIGHT_SCALE, "mask": RIGHT_MASK, "hide": RIGHT_HIDE, "shares": RIGHT_SHARES, "merge": join_heads, "bias": RIGHT_BIAS, "kept": lambda k, v, n: (k, v), "out": lambda y, x: y},
    {"qkv": _QKV_BIAS, "operands": OPERANDS, "split": SPLITS, "scale": SCALES, "mask": MASKS, "hide": HIDES, "shares": SHARES, "merge": MERGES, "bias": _PROJ_BIAS, "kept": KEPT, "out": _RESIDUAL},
)  # fmt: skip
