"""Wrong ways to do a step, and right ones, that several exercises share."""

import numpy as np

from autograder.exercises.pieces import flip
from autograder.exercises.steps import Wrong
from illustrated_attention.language import later as _


def softmax_over(axis, shift=True):
    def softmax(a):
        if shift:
            with np.errstate(all="ignore"):
                top = a.max(axis=axis, keepdims=True) if a.size else 0
                a = a - np.where(np.isfinite(top), top, 0)
        e = np.exp(a)
        return e / e.sum(axis=axis, keepdims=True)

    return softmax


def same(*values):
    return values[0] if len(values) == 1 else values


SCALES = (
    Wrong("not_scaled", _("The scores are not divided by the root of d."), lambda d, **n: 1.0),
    Wrong("divided_by_d", _("The scores are divided by d, not by its root."), lambda d, **n: d),
    Wrong("multiplied", _("The scores are multiplied by the root of d."), lambda d, **n: d**-0.5),
    Wrong("scaled_by_width", _("The scores are divided by the root of the model's width D, not of one head's d."), lambda d, width, **n: width**0.5),
    Wrong("scaled_by_values", _("The scores are divided by the root of a value's width, not of a key's."), lambda d, dv, **n: dv**0.5),
    Wrong("scaled_by_tokens", _("The scores are divided by the root of the number of tokens."), lambda d, keys, **n: keys**0.5),
    Wrong("root_of_d_minus_one", _("The scores are divided by the root of d - 1."), lambda d, **n: max(d - 1, 1) ** 0.5),
    Wrong("log_of_d", _("The scores are divided by the logarithm of d."), lambda d, **n: max(np.log(d), 1e-9)),
    Wrong("scaled_twice_over", _("The scores are divided by the root of d and by 2 more."), lambda d, **n: 2 * d**0.5),
)  # fmt: skip


RIGHT_SCALE = lambda d, **n: d**0.5


SCORES = (
    Wrong("keys_times_queries", _("Rows and columns of the scores are exchanged: keys times queries."), lambda q, k: k @ flip(q)),
    Wrong("queries_with_themselves", _("The queries are multiplied with themselves; the keys are not used."), lambda q, k: q @ flip(q)),
    Wrong("keys_with_themselves", _("The keys are multiplied with themselves; the queries are not used."), lambda q, k: k @ flip(k)),
    Wrong("cosine", _("Queries and keys are brought to length 1 first."), lambda q, k: (q / np.linalg.norm(q, axis=-1, keepdims=True)) @ flip(k / np.linalg.norm(k, axis=-1, keepdims=True))),
)  # fmt: skip


RIGHT_SCORES = lambda q, k: q @ flip(k)


SHARES = (
    Wrong("softmax_over_queries", _("Softmax runs over the queries, down the columns."), softmax_over(-2)),
    Wrong("softmax_over_axis_1", _("Softmax runs over axis 1, whatever that is."), softmax_over(1)),
    Wrong("softmax_over_axis_0", _("Softmax runs over axis 0, whatever that is."), softmax_over(0)),
    Wrong("softmax_over_all", _("Softmax runs over all scores together."), softmax_over(None)),
    Wrong("no_max_subtracted", _("The row's maximum is not subtracted, so exp overflows."), softmax_over(-1, shift=False)),
    Wrong("softmax_missing", _("Softmax is missing."), lambda a: a),
    Wrong("softmax_twice", _("Softmax is applied twice."), lambda a: softmax_over(-1)(softmax_over(-1)(a))),
    Wrong("not_normalised", _("The exponentials are not divided by their sum."), lambda a: np.exp(a - a.max(-1, keepdims=True))),
    Wrong("sigmoid", _("Sigmoid is used in place of softmax: weights do not compete."), lambda a: 1 / (1 + np.exp(-a))),
)  # fmt: skip


RIGHT_SHARES = softmax_over(-1)


BLENDS = (
    Wrong("weights_transposed", _("The weights are transposed before they are used."), lambda w, v: flip(w) @ v),
    Wrong("mean_of_values", _("The values are averaged; the weights are not used."), lambda w, v: np.broadcast_to(v.mean(-2, keepdims=True), (*w.shape[:-1], v.shape[-1]))),
    Wrong("divided_by_tokens", _("The weighted sum is divided by the number of keys."), lambda w, v: w @ v / v.shape[-2]),
    Wrong("divided_by_queries", _("The weighted sum is divided by the number of queries."), lambda w, v: w @ v / w.shape[-2]),
    Wrong("weights_renormalised", _("The weights are divided by their sum again."), lambda w, v: (w / w.sum(-1, keepdims=True)) @ v),
    Wrong("largest_weight_only", _("Only the value with the largest weight is taken."), lambda w, v: np.take_along_axis(v, w.argmax(-1)[..., None], -2)),
)  # fmt: skip


WEIGHTS_ALONE = Wrong("weights_alone", _("The weights stand where the weighted sum of the values belongs."), lambda w, v: w)  # fmt: skip

RIGHT_BLEND = lambda w, v: w @ v


INPUTS = (
    Wrong("input_centred", _("From the input its mean is taken away first."), lambda x: x - x.mean(-1, keepdims=True)),
    Wrong("input_normalised", _("The input is normalised first."), lambda x: (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)),
    Wrong("input_cut", _("Numbers below 0 in the input become 0."), lambda x: np.maximum(x, 0)),
    Wrong("batch_averaged", _("The sentences of a batch are averaged first."), lambda x: np.broadcast_to(x.mean(0, keepdims=True), x.shape) if x.ndim > 2 else x),
    Wrong("first_sentence_only", _("The first sentence of a batch is used for all."), lambda x: np.broadcast_to(x[:1], x.shape) if x.ndim > 2 else x),
)  # fmt: skip


OUTPUTS = (
    Wrong("output_cut", _("Numbers below 0 in the result become 0."), lambda y: np.maximum(y, 0)),
    Wrong("output_softmaxed", _("Softmax is applied to the result."), softmax_over(-1)),
    Wrong("output_halved", _("The result is divided by 2."), lambda y: y / 2),
    Wrong("output_doubled", _("The result is doubled."), lambda y: y * 2),
    Wrong("output_negated", _("The result has the wrong sign."), lambda y: -y),
    Wrong("output_plus_one", _("1 is added to the result."), lambda y: y + 1),
    Wrong("output_normalised", _("The result is normalised at the end."), lambda y: (y - y.mean(-1, keepdims=True)) / np.sqrt(y.var(-1, keepdims=True) + 1e-5)),
    Wrong("output_centred", _("From the result its mean is taken away."), lambda y: y - y.mean(-1, keepdims=True)),
    Wrong("output_backwards", _("The rows of the result stand in reverse order."), lambda y: y[..., ::-1, :] if y.ndim > 1 else y[::-1]),
)  # fmt: skip


MASKS = (
    Wrong("no_mask", _("Nothing is masked: tokens see the future."), lambda n, past=0: np.ones((n, past + n), bool)),
    Wrong("mask_inverted", _("The mask is inverted."), lambda n, past=0: ~np.tri(n, past + n, past, dtype=bool)),
    Wrong("not_itself", _("A token does not see itself."), lambda n, past=0: np.tri(n, past + n, past - 1, dtype=bool)),
    Wrong("one_too_many", _("A token sees one token of the future."), lambda n, past=0: np.tri(n, past + n, past + 1, dtype=bool)),
    Wrong("mask_top_left", _("With a past the triangle stands at the left, not at the right."), lambda n, past=0: np.tri(n, past + n, 0, dtype=bool)),
    Wrong("mask_transposed", _("The mask is transposed."), lambda n, past=0: np.tri(past + n, n, dtype=bool).T),
    Wrong("not_itself_but_the_first", _("A token does not see itself, except the first."), lambda n, past=0: np.tri(n, past + n, past - 1, dtype=bool) | ((np.arange(n) == 0)[:, None] & (np.arange(past + n) == 0))),
)  # fmt: skip


RIGHT_MASK = lambda n, past=0: np.tri(n, past + n, past, dtype=bool)


HIDES = (
    Wrong("hidden_scores_zero", _("Hidden scores become 0, which is no hiding: exp(0) is 1."), lambda s, m: np.where(m, s, 0.0)),
    Wrong("masked_after_softmax", _("The mask is applied after softmax, so rows do not sum to 1."), "after"),
    Wrong("weak_mask", _("Hidden scores are made only somewhat smaller: some weight leaks."), lambda s, m: np.where(m, s, -10.0)),
    Wrong("mask_added", _("The mask is added to the scores as 0 and 1."), lambda s, m: s + m),
    Wrong("rows_lowest_minus_one", _("Hidden scores become a little less than their row's lowest: some weight leaks."), lambda s, m: np.where(m, s, s.min(-1, keepdims=True) - 1)),
    Wrong("lowest_minus_one", _("Hidden scores become a little less than the lowest: some weight leaks."), lambda s, m: np.where(m, s, s.min() - 1)),
)  # fmt: skip


RIGHT_HIDE = lambda s, m: np.where(m, s, -np.inf)


def weights_of(scores, mask, hide, shares):
    if hide == "after":
        return shares(scores) * mask
    return shares(hide(scores, mask) if mask is not None else scores)


def sizes(q, k, v, width=None):
    return {
        "d": q.shape[-1],
        "dv": v.shape[-1],
        "keys": k.shape[-2],
        "width": width or q.shape[-1],
    }


def attention(q, k, v, scale, scores, mask, hide, shares, blend, width=None):
    """One head, step by step. Returns the result and the weights."""
    n, past = q.shape[-2], k.shape[-2] - q.shape[-2]
    s = scores(q, k) / scale(**sizes(q, k, v, width))
    w = weights_of(s, mask(n, past) if mask else None, hide, shares)
    return blend(w, v), w


ORDERS = tuple(
    Wrong(f"order_{names}", f"The returned values stand in the order {', '.join(names)}.", order)
    for names, order in (("qvk", (0, 2, 1)), ("kqv", (1, 0, 2)), ("vkq", (2, 1, 0)), ("kvq", (1, 2, 0)), ("vqk", (2, 0, 1)), ("qqq", (0, 0, 0)), ("qkk", (0, 1, 1)), ("qqv", (0, 0, 2)))
)  # fmt: skip


TURNS = (
    Wrong("weights_transposed", _("The weight matrices are transposed."), lambda w: w.T),
    Wrong("weights_softmaxed", _("Softmax is applied to the weight matrices."), softmax_over(-1)),
)


_RETURNED = (
    Wrong("returned_in_wrong_order", _("The weights are returned first, the result second."), lambda z, w, v: (w, z)),
    Wrong("values_returned", _("The values are returned in place of the weights."), lambda z, w, v: (z, v)),
    Wrong("weights_averaged", _("The returned weights are averaged over the queries."), lambda z, w, v: (z, w.mean(-2, keepdims=True))),
    Wrong("weights_returned_transposed", _("The returned weights are transposed."), lambda z, w, v: (z, flip(w))),
)  # fmt: skip


BIASES = (
    Wrong("no_bias", _("The bias is not added."), lambda y, b: y + 0 * b),
    Wrong("bias_subtracted", _("The bias is subtracted."), lambda y, b: y - b),
    Wrong("bias_twice", _("The bias is added twice."), lambda y, b: y + 2 * b),
    Wrong("bias_multiplied", _("The result is multiplied by the bias."), lambda y, b: y * b),
)


RIGHT_BIAS = lambda y, b: y + b


def cut_into_heads(x, n_head):
    return np.swapaxes(x.reshape(*x.shape[:-1], n_head, x.shape[-1] // n_head), -2, -3)


def join_heads(z):
    z = np.swapaxes(z, -2, -3)
    return z.reshape(*z.shape[:-2], -1)


SPLITS = (
    Wrong("split_reshaped_only", _("Heads are split by reshape alone; the axes are not exchanged."), lambda x, h: x.reshape(*x.shape[:-2], h, x.shape[-2], -1)),
    Wrong("features_interleaved", _("Every head gets every n-th feature, not a block of them."), lambda x, h: np.moveaxis(x.reshape(*x.shape[:-1], x.shape[-1] // h, h), -1, -3)),
    Wrong("heads_reversed", _("The heads stand in reverse order."), lambda x, h: cut_into_heads(x, h)[..., ::-1, :, :]),
    Wrong("first_head_for_all", _("All heads get the first head's features."), lambda x, h: np.broadcast_to(cut_into_heads(x, h)[..., :1, :, :], cut_into_heads(x, h).shape)),
)  # fmt: skip


MERGES = (
    Wrong("merge_reshaped_only", _("Heads are merged by reshape alone; the axes are not exchanged."), lambda z: z.reshape(*z.shape[:-3], z.shape[-2], -1)),
    Wrong("merge_interleaved", _("The heads' features are interleaved, not put side by side."), lambda z: np.moveaxis(z, -3, -1).reshape(*z.shape[:-3], z.shape[-2], -1)),
    Wrong("heads_merged_backwards", _("The heads are merged in reverse order."), lambda z: join_heads(z[..., ::-1, :, :])),
    Wrong("first_head_repeated", _("The first head's features are repeated for all."), lambda z: join_heads(np.broadcast_to(z[..., :1, :, :], z.shape))),
)  # fmt: skip


_HEAD_AXES = (
    Wrong("heads_and_tokens_exchanged", _("The axes of heads and tokens are exchanged."), lambda z: np.swapaxes(z, -2, -3)),
    Wrong("tokens_and_features_exchanged", _("The axes of tokens and features are exchanged."), lambda z: np.swapaxes(z, -1, -2)),
    Wrong("heads_first", _("The heads' axis stands before the batch."), lambda z: np.moveaxis(z, -3, 0)),
    Wrong("tokens_backwards", _("The tokens stand in reverse order."), lambda z: z[..., ::-1, :]),
)  # fmt: skip


OPERANDS = (
    Wrong("queries_and_keys_exchanged", _("Queries and keys are exchanged."), lambda q, k, v: (k, q, v)),
    Wrong("keys_as_values", _("The keys are blended, not the values."), lambda q, k, v: (q, k, k)),
    Wrong("queries_as_values", _("The queries are blended, not the values."), lambda q, k, v: (q, k, q)),
    Wrong("values_as_keys", _("The values are compared with the queries, not the keys."), lambda q, k, v: (q, v, v)),
    Wrong("shared_keys_and_values", _("All heads use the first head's keys and values."), lambda q, k, v: (q, np.broadcast_to(k[..., :1, :, :], k.shape), np.broadcast_to(v[..., :1, :, :], v.shape))),
    Wrong("shared_keys", _("All heads use the first head's keys."), lambda q, k, v: (q, np.broadcast_to(k[..., :1, :, :], k.shape), v)),
    Wrong("shared_queries", _("All heads use the first head's queries."), lambda q, k, v: (np.broadcast_to(q[..., :1, :, :], q.shape), k, v)),
)  # fmt: skip


_C = np.sqrt(2 / np.pi)


def gelu_of(
    factor=_C, cubic=0.044715, power=lambda x: x**3, half=0.5, one=1.0, outer=same, squash=np.tanh
):
    def gelu(x):
        x = np.asarray(x, dtype=np.result_type(x, 0.0))
        with np.errstate(all="ignore"):
            return half * outer(x) * (one + squash(factor * (x + cubic * power(x))))

    return gelu


ACTIVATIONS = (
    Wrong("no_activation", _("GELU is missing."), same),
    Wrong("relu", _("ReLU is used in place of GELU."), lambda x: np.maximum(x, 0)),
    Wrong("tanh", _("tanh is used in place of GELU."), np.tanh),
    Wrong("sigmoid", _("Sigmoid is used in place of GELU."), lambda x: 1 / (1 + np.exp(-x))),
    Wrong("silu", _("x * sigmoid(x) is used in place of GELU."), lambda x: x / (1 + np.exp(-x))),
    Wrong("softmax", _("Softmax is used in place of GELU."), softmax_over(-1)),
    Wrong("gelu_twice", _("GELU is applied twice."), lambda x: gelu_of()(gelu_of()(x))),
    Wrong("first_neurons_only", _("Only the first D of the 4D neurons are used."), lambda x: x * (np.arange(x.shape[-1]) < x.shape[-1] // 4)),
)  # fmt: skip


MLP_BIASES = (
    *(Wrong(f"first_{w.id}", f"In the first product: {w.sentence}", (w.way, RIGHT_BIAS)) for w in BIASES),
    *(Wrong(f"second_{w.id}", f"In the second product: {w.sentence}", (RIGHT_BIAS, w.way)) for w in BIASES),
    Wrong("no_biases", _("Neither bias is added."), (BIASES[0].way, BIASES[0].way)),
)  # fmt: skip


KEPT = (
    Wrong("present_of_new_tokens", _("The returned cache holds the new tokens only."), lambda k, v, n: (k[..., -n:, :], v[..., -n:, :])),
    Wrong("present_exchanged", _("In the returned cache values stand first, keys second."), lambda k, v, n: (v, k)),
    Wrong("keys_twice", _("The returned cache holds the keys twice."), lambda k, v, n: (k, k)),
    Wrong("oldest_dropped", _("In the returned cache the oldest token is missing."), lambda k, v, n: (k[..., 1:, :], v[..., 1:, :])),
)  # fmt: skip
