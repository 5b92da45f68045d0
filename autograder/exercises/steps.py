"""The steps of each exercise, and how each of them goes wrong: all pairs are made from them.

A learner often makes two mistakes at once. They are not listed but put together here: `build` makes
an implementation from one choice for each step, the right one or a wrong one. `make build` runs all
implementations with one or two wrong steps and keeps a fingerprint of what they return, so that
`check` can tell both. A way that hangs on a number's last digit (rounding, the largest of equal
ones) is left out where it would come out differently on another processor.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np

from illustrated_attention.language import _


@dataclass(frozen=True)
class Wrong:
    """One way to do a step wrongly: its id, what to tell, and what is done."""

    id: str
    sentence: str
    way: object


@dataclass(frozen=True)
class Steps:
    """`build(**ways)` makes an implementation. `right` and `wrong` have one entry a step."""

    build: Callable[..., Callable]
    right: dict[str, object]
    wrong: dict[str, tuple[Wrong, ...]]

    def variants(self) -> Iterator[tuple[tuple[Wrong, ...], Callable]]:
        """Every implementation with one or two wrong steps."""
        for names in (*combinations(self.wrong, 1), *combinations(self.wrong, 2)):
            for wrong in product(*(self.wrong[name] for name in names)):
                ways = {name: w.way for name, w in zip(names, wrong, strict=True)}
                yield wrong, self.build(**{**self.right, **ways})


def flip(a):
    return np.swapaxes(a, -1, -2)


def softmax_over(axis, shift=True):
    def softmax(a):
        if shift:
            with np.errstate(all="ignore"):
                top = a.max(axis=axis, keepdims=True) if a.size else 0
                a = a - np.where(np.isfinite(top), top, 0)
        e = np.exp(a)
        return e / e.sum(axis=axis, keepdims=True)

    return softmax


def _same(*values):
    return values[0] if len(values) == 1 else values


# --- wrong ways that several exercises share ------------------------------------------------------

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


def _weights(scores, mask, hide, shares):
    if hide == "after":
        return shares(scores) * mask
    return shares(hide(scores, mask) if mask is not None else scores)


def _sizes(q, k, v, width=None):
    return {
        "d": q.shape[-1],
        "dv": v.shape[-1],
        "keys": k.shape[-2],
        "width": width or q.shape[-1],
    }


def attention(q, k, v, scale, scores, mask, hide, shares, blend, width=None):
    """One head, step by step. Returns the result and the weights."""
    n, past = q.shape[-2], k.shape[-2] - q.shape[-2]
    s = scores(q, k) / scale(**_sizes(q, k, v, width))
    w = _weights(s, mask(n, past) if mask else None, hide, shares)
    return blend(w, v), w


# --- lessons 00 to 02 -----------------------------------------------------------------------------


def _embed(words, positions, start, out):
    def embed(token_ids, wte, wpe, start_at=0, **kw):
        ids = np.asarray(token_ids)
        n, first = ids.shape[-1], kw.get("start", start_at)
        if first + n > len(wpe):
            raise ValueError
        at = start(first, n, len(wpe))
        rows = np.clip(at, 0, len(wpe) - 1)
        return out(words(wte[ids], ids) + positions(wpe[rows], ids))

    return embed


EMBED = Steps(
    _embed,
    {"words": lambda w, ids: w, "positions": lambda p, ids: p, "start": lambda s, n, m: np.arange(s, s + n), "out": _same},
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
            Wrong("start_ignored", _("`start` is not used: positions begin at 0."), lambda s, n, m: np.arange(n)),
            Wrong("start_zero_is_one", _("Where `start` is 0, positions begin at 1."), lambda s, n, m: np.arange(s or 1, (s or 1) + n)),
            Wrong("one_position", _("All tokens get the first position."), lambda s, n, m: np.full(n, s)),
            Wrong("positions_backwards", _("Positions run backwards."), lambda s, n, m: np.arange(s, s + n)[::-1]),
            Wrong("last_positions", _("The last rows of wpe are taken."), lambda s, n, m: np.arange(m - n, m)),
        ),
        "out": OUTPUTS,
    },
)  # fmt: skip


def _make_qkv(x_is, turn, order, out):
    def make_qkv(x, w_q, w_k, w_v):
        parts = [out(x_is(x) @ turn(w)) for w in (w_q, w_k, w_v)]
        return tuple(parts[i] for i in order)

    return make_qkv


ORDERS = tuple(
    Wrong(f"order_{names}", _("The returned values stand in the order {order}.").format(order=", ".join(names)), order)
    for names, order in (("qvk", (0, 2, 1)), ("kqv", (1, 0, 2)), ("vkq", (2, 1, 0)), ("kvq", (1, 2, 0)), ("vqk", (2, 0, 1)), ("qqq", (0, 0, 0)), ("qkk", (0, 1, 1)), ("qqv", (0, 0, 2)))
)  # fmt: skip
TURNS = (
    Wrong("weights_transposed", _("The weight matrices are transposed."), lambda w: w.T),
    Wrong("weights_softmaxed", _("Softmax is applied to the weight matrices."), softmax_over(-1)),
)

MAKE_QKV = Steps(
    _make_qkv,
    {"x_is": _same, "turn": _same, "order": (0, 1, 2), "out": _same},
    {"x_is": INPUTS, "turn": TURNS, "order": ORDERS, "out": OUTPUTS},
)


def _scaled_scores(scores, scale, out):
    return lambda q, k: out(scores(q, k) / scale(**_sizes(q, k, k)))


SCALED_SCORES = Steps(
    _scaled_scores,
    {"scores": RIGHT_SCORES, "scale": RIGHT_SCALE, "out": _same},
    {
        "scores": (
            *SCORES,
            Wrong("distance", _("Distances are taken in place of dot products."), lambda q, k: -np.linalg.norm(q[..., :, None, :] - k[..., None, :, :], axis=-1)),
            Wrong("not_turned", _("The keys are reshaped, not transposed."), lambda q, k: q @ k.reshape(*k.shape[:-2], k.shape[-1], k.shape[-2])),
            Wrong("root_of_products", _("The root is taken of the products, too."), lambda q, k: np.sqrt(q @ flip(k))),
            Wrong("first_batch_keys", _("The first sentence's keys are used for all."), lambda q, k: q @ flip(np.broadcast_to(k[:1], k.shape) if k.ndim > 2 else k)),
        ),
        "scale": SCALES,
        "out": (
            *OUTPUTS,
            Wrong("root_of_scores", _("The root is taken of the scores, not of d."), lambda s: np.sqrt(s)),
            Wrong("absolute", _("The signs of the scores are lost."), np.abs),
            Wrong("squared", _("The scores are squared."), np.square),
        ),
    },
)  # fmt: skip


def _softmax(shift, power, total, out):
    def softmax(scores):
        with np.errstate(all="ignore"):
            e = power(shift(scores))
            return out(e / total(e))

    return softmax


_SHIFTS = (
    Wrong("no_max_subtracted", _("The row's maximum is not subtracted: exp overflows for large scores."), _same),
    Wrong("min_subtracted", _("The minimum is subtracted, not the maximum."), lambda a: a - a.min(-1, keepdims=True)),
    Wrong("mean_subtracted", _("The mean is subtracted, not the maximum."), lambda a: a - a.mean(-1, keepdims=True)),
    Wrong("overall_max", _("The maximum of all scores is subtracted, not each row's."), lambda a: a - a.max()),
    Wrong("max_of_columns", _("The columns' maximum is subtracted, not the rows'."), lambda a: a - a.max(-2 if a.ndim > 1 else -1, keepdims=True)),
    Wrong("divided_by_max", _("The scores are divided by their maximum."), lambda a: a / a.max(-1, keepdims=True)),
    Wrong("temperature", _("The scores are divided by 2 (a temperature) before exp."), lambda a: (a - a.max(-1, keepdims=True)) / 2),
    Wrong("max_added", _("The maximum is added, not subtracted."), lambda a: a + a.max(-1, keepdims=True)),
    Wrong("clipped", _("Scores are cut off before exp."), lambda a: np.clip(a, -50, 50)),
)  # fmt: skip
_POWERS = (
    Wrong("base_two", _("2 is raised to the scores, not e."), lambda a: 2.0**a),
    Wrong("base_ten", _("10 is raised to the scores, not e."), lambda a: 10.0**a),
    Wrong("softmin", _("exp gets the negative of the scores: the smallest wins."), lambda a: np.exp(-a)),
    Wrong("no_exp", _("exp is missing."), _same),
    Wrong("squares", _("Scores are squared in place of exp."), np.square),
    Wrong("expm1", _("exp(x) - 1 is used in place of exp(x)."), np.expm1),
    Wrong("series", _("exp is replaced by the first terms of its series."), lambda a: 1 + a + a**2 / 2 + a**3 / 6),
    Wrong("max_after_exp", _("The maximum is subtracted after exp."), lambda a: np.exp(a) - np.exp(a).max(-1, keepdims=True)),
    Wrong("softplus", _("log(1 + exp(x)) is used in place of exp(x)."), lambda a: np.log1p(np.exp(a))),
)  # fmt: skip
_TOTALS = (
    Wrong("sum_of_columns", _("Each column is divided by its sum, not each row."), lambda e: e.sum(-2 if e.ndim > 1 else -1, keepdims=True)),
    Wrong("sum_of_axis_0", _("The sum runs over axis 0, whatever that is."), lambda e: e.sum(0, keepdims=True)),
    Wrong("sum_of_axis_1", _("The sum runs over axis 1, whatever that is."), lambda e: e.sum(1, keepdims=True)),
    Wrong("sum_of_all", _("All is divided by one sum over everything."), lambda e: e.sum()),
    Wrong("divided_by_max_of_exp", _("The exponentials are divided by their maximum, not by their sum."), lambda e: e.max(-1, keepdims=True)),
    Wrong("divided_by_mean", _("The exponentials are divided by their mean, not by their sum."), lambda e: e.mean(-1, keepdims=True)),
    Wrong("divided_by_length", _("The exponentials are divided by how many they are, not by their sum."), lambda e: e.shape[-1]),
    Wrong("not_divided", _("The exponentials are not divided by their sum."), lambda e: 1.0),
    Wrong("root_of_squares", _("The exponentials are divided by the root of the sum of their squares."), lambda e: np.sqrt((e * e).sum(-1, keepdims=True))),
    Wrong("one_added_to_sum", _("1 is added to the sum."), lambda e: 1 + e.sum(-1, keepdims=True)),
)  # fmt: skip

SOFTMAX = Steps(
    _softmax,
    {"shift": lambda a: a - a.max(-1, keepdims=True), "power": np.exp, "total": lambda e: e.sum(-1, keepdims=True), "out": _same},
    {
        "shift": _SHIFTS,
        "power": _POWERS,
        "total": _TOTALS,
        "out": (
            Wrong("rounded", _("The result is rounded."), lambda w: np.round(w, 2)),
            Wrong("log", _("The logarithm of the weights is returned."), np.log),
            Wrong("one_minus", _("1 minus the weights is returned."), lambda w: 1 - w),
            Wrong("in_percent", _("The weights are returned in percent."), lambda w: 100 * w),
        ),
    },
)  # fmt: skip


def _weighted_sum(weights_are, values_are, blend, out):
    return lambda weights, v: out(blend(weights_are(weights), values_are(v)), weights)


WEIGHTED_SUM = Steps(
    _weighted_sum,
    {"weights_are": _same, "values_are": _same, "blend": RIGHT_BLEND, "out": lambda y, w: y},
    {
        "weights_are": (
            Wrong("weights_transposed", _("The weights are transposed before they are used."), flip),
            Wrong("weights_softmaxed", _("Softmax is applied to the weights first."), softmax_over(-1)),
            Wrong("weights_renormalised", _("The weights are divided by their sum first; they are to be used as given."), lambda w: w / w.sum(-1, keepdims=True)),
            Wrong("weights_masked", _("The weights are masked; they are to be used as given."), lambda w: w * np.tri(*w.shape[-2:])),
            Wrong("small_weights_dropped", _("Small weights are dropped."), lambda w: np.where(w < 0.05, 0, w)),
            Wrong("two_largest_only", _("Only the two largest weights of each row are used."), lambda w: np.where(w >= np.sort(w, -1)[..., -2:-1], w, 0)),
            Wrong("weights_rounded", _("The weights are rounded first."), lambda w: np.round(w, 1)),
        ),
        "values_are": (*INPUTS, Wrong("values_backwards", _("The values stand in reverse order."), lambda v: v[..., ::-1, :])),
        "blend": (BLENDS[1], BLENDS[5]),
        "out": (
            Wrong("divided_by_tokens", _("The weighted sum is divided by the number of keys."), lambda y, w: y / w.shape[-1]),
            Wrong("divided_by_queries", _("The weighted sum is divided by the number of queries."), lambda y, w: y / w.shape[-2]),
            *(Wrong(w.id, w.sentence, lambda y, _w, f=w.way: f(y)) for w in OUTPUTS),
        ),
    },
)  # fmt: skip


def _self_attention(x_is, order, scale, scores, shares, blend, out, returned):
    def self_attention(x, w_q, w_k, w_v):
        x = x_is(x)
        parts = [x @ w for w in (w_q, w_k, w_v)]
        q, k, v = (parts[i] for i in order)
        z, w = attention(q, k, v, scale, scores, None, None, shares, blend, x.shape[-1])
        return returned(out(z), w, v)

    return self_attention


_RETURNED = (
    Wrong("returned_in_wrong_order", _("The weights are returned first, the result second."), lambda z, w, v: (w, z)),
    Wrong("values_returned", _("The values are returned in place of the weights."), lambda z, w, v: (z, v)),
    Wrong("weights_averaged", _("The returned weights are averaged over the queries."), lambda z, w, v: (z, w.mean(-2, keepdims=True))),
    Wrong("weights_returned_transposed", _("The returned weights are transposed."), lambda z, w, v: (z, flip(w))),
)  # fmt: skip
SELF_ATTENTION = Steps(
    _self_attention,
    {"x_is": _same, "order": (0, 1, 2), "scale": RIGHT_SCALE, "scores": RIGHT_SCORES, "shares": RIGHT_SHARES, "blend": RIGHT_BLEND, "out": _same, "returned": lambda z, w, v: (z, w)},
    {"x_is": INPUTS, "order": ORDERS, "scale": SCALES, "scores": SCORES, "shares": SHARES, "blend": BLENDS, "out": OUTPUTS, "returned": _RETURNED},
)  # fmt: skip


def _causal_mask(mask, out):
    return lambda n: out(mask(n))


CAUSAL_MASK = Steps(
    _causal_mask,
    {"mask": lambda n: RIGHT_MASK(n), "out": _same},
    {
        "mask": (
            *MASKS,
            Wrong("two_too_many", _("A token sees two tokens of the future."), lambda n: np.tri(n, n, 2, dtype=bool)),
            Wrong("only_itself", _("A token sees only itself."), lambda n: np.eye(n, dtype=bool)),
            Wrong("window_of_two", _("A token sees only itself and the one before."), lambda n: np.tri(n, dtype=bool) & ~np.tri(n, n, -2, dtype=bool)),
            Wrong("first_always", _("The first token is always seen, also where it should not be."), lambda n: np.tri(n, dtype=bool) | (np.arange(n) == 0)),
            Wrong("last_row_only", _("Only the last token sees all others."), lambda n: np.eye(n, dtype=bool) | (np.arange(n) == n - 1)[:, None]),
        ),
        "out": (
            Wrong("one_size_too_large", _("One row and one column too many: the size is n + 1."), lambda m: np.tri(len(m) + 1, dtype=bool)),
            Wrong("one_size_too_small", _("One row and one column are missing: the size is n - 1."), lambda m: m[:-1, :-1]),
            Wrong("minus_infinity", _("The mask holds 0 and minus infinity, to be added; True and False are asked for."), lambda m: np.where(m, 0.0, -np.inf)),
            Wrong("turned_round", _("The mask is turned round along the keys."), lambda m: m[:, ::-1]),
        ),
    },
)  # fmt: skip


def _masked_softmax(mask_is, hide, shares, out):
    return lambda scores, mask: out(
        _weights(scores, mask_is(np.asarray(mask, bool), scores), hide, shares)
    )


MASKED_SOFTMAX = Steps(
    _masked_softmax,
    {"mask_is": lambda m, s: m, "hide": RIGHT_HIDE, "shares": RIGHT_SHARES, "out": _same},
    {
        "mask_is": (
            Wrong("mask_inverted", _("The mask is used the other way round."), lambda m, s: ~m),
            Wrong("own_mask", _("An own triangle is used, not the mask that is given."), lambda m, s: np.tri(*s.shape[-2:], dtype=bool)),
            Wrong("first_mask_for_all", _("The first sentence's mask is used for all."), lambda m, s: m[:1] if m.ndim > 2 else m),
            Wrong("mask_transposed", _("The mask is transposed."), lambda m, s: flip(m)),
            Wrong("mask_ignored", _("The mask is not used."), lambda m, s: np.ones_like(m)),
            Wrong("first_row_for_all", _("The mask's first row is used for all queries."), lambda m, s: m[..., :1, :]),
            Wrong("last_row_for_all", _("The mask's last row is used for all queries."), lambda m, s: m[..., -1:, :]),
        ),
        "hide": HIDES,
        "shares": SHARES,
        "out": (
            Wrong("rounded", _("The weights are rounded."), lambda w: np.round(w, 2)),
            Wrong("small_share_for_all", _("Every key gets a small share, hidden ones too."), lambda w: (w + 1e-3) / (w + 1e-3).sum(-1, keepdims=True)),
            Wrong("log", _("The logarithm of the weights is returned."), lambda w: np.log(w)),
            Wrong("in_percent", _("The weights are returned in percent."), lambda w: 100 * w),
        ),
    },
)  # fmt: skip


def _causal_attention(scale, scores, mask, hide, shares, blend, out, returned):
    def causal_attention(q, k, v):
        z, w = attention(q, k, v, scale, scores, mask, hide, shares, blend)
        return returned(out(z), w, v)

    return causal_attention


CAUSAL_ATTENTION = Steps(
    _causal_attention,
    {"scale": RIGHT_SCALE, "scores": RIGHT_SCORES, "mask": RIGHT_MASK, "hide": RIGHT_HIDE, "shares": RIGHT_SHARES, "blend": RIGHT_BLEND, "out": _same, "returned": lambda z, w, v: (z, w)},
    {"scale": SCALES, "scores": SCORES, "mask": MASKS, "hide": HIDES, "shares": SHARES, "blend": BLENDS, "out": OUTPUTS, "returned": _RETURNED},
)  # fmt: skip


# --- lesson 03 ------------------------------------------------------------------------------------


def _cached_causal_mask(mask, out):
    return lambda n_new, n_past: out(mask(n_new, n_past))


CACHED_CAUSAL_MASK = Steps(
    _cached_causal_mask,
    {"mask": RIGHT_MASK, "out": _same},
    {
        "mask": (
            *MASKS,
            Wrong("past_not_seen", _("The past is hidden."), lambda n, past=0: np.hstack([np.zeros((n, past), bool), np.tri(n, dtype=bool)])),
            Wrong("new_not_seen", _("The new tokens are hidden."), lambda n, past=0: np.hstack([np.ones((n, past), bool), np.zeros((n, n), bool)])),
            Wrong("new_first", _("The new tokens' columns stand before those of the past."), lambda n, past=0: np.hstack([np.tri(n, dtype=bool), np.ones((n, past), bool)])),
            Wrong("all_without_past", _("Without a past nothing is hidden."), lambda n, past=0: RIGHT_MASK(n, past) if past else np.ones((n, n), bool)),
            Wrong("numbers_exchanged", _("The two numbers are exchanged."), lambda n, past=0: np.tri(past, past + n, n, dtype=bool)),
            Wrong("square", _("The mask has as many rows as columns: it holds rows for the past, too."), lambda n, past=0: np.tri(past + n, dtype=bool)),
            Wrong("without_past", _("The columns of the past are missing."), lambda n, past=0: np.tri(n, dtype=bool)),
        ),
        "out": (
            Wrong("minus_infinity", _("The mask holds 0 and minus infinity, to be added; True and False are asked for."), lambda m: np.where(m, 0.0, -np.inf)),
            Wrong("transposed", _("Rows and columns are exchanged."), lambda m: m.T),
            Wrong("turned_round", _("The mask is turned round along the keys."), lambda m: m[:, ::-1]),
        ),
    },
)  # fmt: skip


def _append_kv(order, axis, keys, values, out):
    def append_kv(cache, k_new, v_new):
        if cache is None:
            return out(k_new, v_new)
        k, v = cache
        pair = [keys(k, k_new), values(v, v_new)]
        joined = [np.concatenate(p if order == 1 else p[::-1], axis=axis) for p in pair]
        return out(*joined)

    return append_kv


_PARTS = (
    Wrong("old_twice", _("The old ones are joined with themselves."), lambda a, b: (a, a)),
    Wrong("new_twice", _("The new ones are joined with themselves."), lambda a, b: (b, b)),
    Wrong(
        "old_backwards",
        _("The old ones stand in reverse order."),
        lambda a, b: (a[..., ::-1, :], b),
    ),
    Wrong("oldest_dropped", _("The oldest is dropped."), lambda a, b: (a[..., 1:, :], b)),
    Wrong(
        "only_last_new",
        _("Only the last of the new ones is kept."),
        lambda a, b: (a, b[..., -1:, :]),
    ),
    Wrong(
        "only_first_new",
        _("Only the first of the new ones is kept."),
        lambda a, b: (a, b[..., :1, :]),
    ),
)
APPEND_KV = Steps(
    _append_kv,
    {"order": 1, "axis": -2, "keys": lambda a, b: (a, b), "values": lambda a, b: (a, b), "out": lambda k, v: (k, v)},
    {
        "order": (Wrong("new_first", _("The new ones stand before the old ones."), -1),),
        "axis": (
            Wrong("joined_along_features", _("They are joined along the last axis, not along the tokens."), -1),
            Wrong("joined_along_axis_0", _("They are joined along axis 0, whatever that is."), 0),
        ),
        "keys": tuple(Wrong(f"keys_{w.id}", _("Keys: {what}").format(what=w.sentence), w.way) for w in _PARTS),
        "values": tuple(Wrong(f"values_{w.id}", _("Values: {what}").format(what=w.sentence), w.way) for w in _PARTS),
        "out": (
            Wrong("parts_exchanged", _("Values are returned first, keys second."), lambda k, v: (v, k)),
            Wrong("keys_twice", _("The keys are returned twice."), lambda k, v: (k, k)),
            Wrong("values_twice", _("The values are returned twice."), lambda k, v: (v, v)),
        ),
    },
)  # fmt: skip


def _attend_with_cache(order, scale, scores, mask, hide, shares, blend, out, kept):
    def attend_with_cache(q_new, k_new, v_new, cache):
        k, v = k_new, v_new
        if cache is not None:
            pairs = [(cache[0], k_new), (cache[1], v_new)]
            k, v = (np.concatenate(p[::order], axis=-2) for p in pairs)
        z, _w = attention(q_new, k, v, scale, scores, mask, hide, shares, blend)
        return out(z), kept(k, v, k_new, v_new, cache)

    return attend_with_cache


ATTEND_WITH_CACHE = Steps(
    _attend_with_cache,
    {"order": 1, "scale": RIGHT_SCALE, "scores": RIGHT_SCORES, "mask": RIGHT_MASK, "hide": RIGHT_HIDE, "shares": RIGHT_SHARES, "blend": RIGHT_BLEND, "out": _same, "kept": lambda k, v, *r: (k, v)},
    {
        "order": (Wrong("new_first", _("The new keys and values stand before those of the cache."), -1),),
        "scale": SCALES, "scores": SCORES[1:], "mask": MASKS, "hide": HIDES, "shares": SHARES, "blend": BLENDS[:5], "out": OUTPUTS,
        "kept": (
            Wrong("only_new_kept", _("The returned cache holds the new keys and values only."), lambda k, v, kn, vn, c: (kn, vn)),
            Wrong("not_updated", _("The returned cache is the old one."), lambda k, v, kn, vn, c: c if c is not None else (kn, vn)),
            Wrong("parts_exchanged", _("In the returned cache values stand first, keys second."), lambda k, v, *r: (v, k)),
            Wrong("keys_twice", _("The returned cache holds the keys twice."), lambda k, v, *r: (k, k)),
            Wrong("oldest_dropped", _("In the returned cache the oldest token is missing."), lambda k, v, *r: (k[..., 1:, :], v[..., 1:, :])),
        ),
    },
)  # fmt: skip


def _decode(order, scale, mask, hide, shares, blend, out, keys, chunk):
    def decode(q, k, v, chunk_sizes):
        if sum(chunk_sizes) != q.shape[-2]:
            raise ValueError
        start, rows = 0, []
        for i, size in enumerate(chunk_sizes):
            end = start + size
            a, b = keys(start, end, q.shape[-2])
            z, _w = attention(
                q[..., start:end, :],
                k[..., a:b, :],
                v[..., a:b, :],
                scale,
                RIGHT_SCORES,
                mask,
                hide,
                shares,
                blend,
            )
            rows.append(z)
            start = chunk(start, end, i, chunk_sizes)
        return out(np.concatenate(rows[::order], axis=-2))

    return decode


DECODE = Steps(
    _decode,
    {"order": 1, "scale": RIGHT_SCALE, "mask": RIGHT_MASK, "hide": RIGHT_HIDE, "shares": RIGHT_SHARES, "blend": RIGHT_BLEND, "out": _same, "keys": lambda a, b, n: (0, b), "chunk": lambda a, b, i, s: b},
    {
        "order": (Wrong("chunks_backwards", _("The chunks are joined in reverse order."), -1),),
        "scale": SCALES, "mask": MASKS, "hide": HIDES, "shares": SHARES, "blend": BLENDS, "out": OUTPUTS,
        "keys": (
            Wrong("chunk_alone", _("A chunk sees only its own keys and values: the cache is not passed on."), lambda a, b, n: (a, b)),
            Wrong("everything_seen", _("A chunk sees the keys and values of all tokens, also later ones."), lambda a, b, n: (0, n)),
        ),
        "chunk": (Wrong("start_stands_still", _("Every chunk begins at token 0."), lambda a, b, i, s: 0),),
    },
)  # fmt: skip


# --- lessons 04 and 05 ----------------------------------------------------------------------------

_BIASES = (
    Wrong("no_bias", _("The bias is not added."), lambda y, b: y + 0 * b),
    Wrong("bias_subtracted", _("The bias is subtracted."), lambda y, b: y - b),
    Wrong("bias_twice", _("The bias is added twice."), lambda y, b: y + 2 * b),
    Wrong("bias_multiplied", _("The result is multiplied by the bias."), lambda y, b: y * b),
)
RIGHT_BIAS = lambda y, b: y + b


def _qkv_projection(x_is, turn, bias, cut, order, out):
    def qkv_projection(x, w, b):
        y = bias(x_is(x) @ turn(w), b)
        parts = [out(part) for part in cut(y)]
        return tuple(parts[i] for i in order)

    return qkv_projection


QKV_PROJECTION = Steps(
    _qkv_projection,
    {"x_is": _same, "turn": _same, "bias": RIGHT_BIAS, "cut": lambda y: np.split(y, 3, -1), "order": (0, 1, 2), "out": _same},
    {
        "x_is": INPUTS,
        "turn": (Wrong("weights_softmaxed", _("Softmax is applied to the weight matrix."), softmax_over(-1)),),
        "bias": _BIASES,
        "cut": (
            Wrong("every_third_column", _("Every third column is taken, not three blocks of columns."), lambda y: [y[..., i::3] for i in range(3)]),
            Wrong("first_block_thrice", _("The first block of columns is taken three times."), lambda y: [np.split(y, 3, -1)[0]] * 3),
        ),
        "order": ORDERS,
        "out": OUTPUTS,
    },
)  # fmt: skip


def _split(x, n_head):
    return np.swapaxes(x.reshape(*x.shape[:-1], n_head, x.shape[-1] // n_head), -2, -3)


def _merge(z):
    z = np.swapaxes(z, -2, -3)
    return z.reshape(*z.shape[:-2], -1)


_SPLITS = (
    Wrong("split_reshaped_only", _("Heads are split by reshape alone; the axes are not exchanged."), lambda x, h: x.reshape(*x.shape[:-2], h, x.shape[-2], -1)),
    Wrong("features_interleaved", _("Every head gets every n-th feature, not a block of them."), lambda x, h: np.moveaxis(x.reshape(*x.shape[:-1], x.shape[-1] // h, h), -1, -3)),
    Wrong("heads_reversed", _("The heads stand in reverse order."), lambda x, h: _split(x, h)[..., ::-1, :, :]),
    Wrong("first_head_for_all", _("All heads get the first head's features."), lambda x, h: np.broadcast_to(_split(x, h)[..., :1, :, :], _split(x, h).shape)),
)  # fmt: skip
_MERGES = (
    Wrong("merge_reshaped_only", _("Heads are merged by reshape alone; the axes are not exchanged."), lambda z: z.reshape(*z.shape[:-3], z.shape[-2], -1)),
    Wrong("merge_interleaved", _("The heads' features are interleaved, not put side by side."), lambda z: np.moveaxis(z, -3, -1).reshape(*z.shape[:-3], z.shape[-2], -1)),
    Wrong("heads_merged_backwards", _("The heads are merged in reverse order."), lambda z: _merge(z[..., ::-1, :, :])),
    Wrong("first_head_repeated", _("The first head's features are repeated for all."), lambda z: _merge(np.broadcast_to(z[..., :1, :, :], z.shape))),
)  # fmt: skip


def _split_heads(split, out):
    def split_heads(x, n_head):
        if x.shape[-1] % n_head:
            raise ValueError
        return out(split(x, n_head))

    return split_heads


_HEAD_AXES = (
    Wrong("heads_and_tokens_exchanged", _("The axes of heads and tokens are exchanged."), lambda z: np.swapaxes(z, -2, -3)),
    Wrong("tokens_and_features_exchanged", _("The axes of tokens and features are exchanged."), lambda z: np.swapaxes(z, -1, -2)),
    Wrong("heads_first", _("The heads' axis stands before the batch."), lambda z: np.moveaxis(z, -3, 0)),
    Wrong("tokens_backwards", _("The tokens stand in reverse order."), lambda z: z[..., ::-1, :]),
)  # fmt: skip
SPLIT_HEADS = Steps(
    _split_heads,
    {"split": _split, "out": _same},
    {"split": _SPLITS, "out": (*_HEAD_AXES, *OUTPUTS[:5])},
)
MERGE_HEADS = Steps(
    lambda x_is, merge, out: lambda x: out(merge(x_is(x))),
    {"x_is": _same, "merge": _merge, "out": _same},
    {"x_is": _HEAD_AXES[1:], "merge": _MERGES, "out": (*OUTPUTS, Wrong("tokens_averaged", _("The tokens are averaged."), lambda y: y.mean(-2)))},
)  # fmt: skip


def _multi_head_attention(
    split, scale, scores, mask, hide, shares, blend, merge, out, operands, returned
):
    def multi_head_attention(q, k, v, n_head):
        q, k, v = operands(*(split(a, n_head) for a in (q, k, v)))
        z, w = attention(q, k, v, scale, scores, mask, hide, shares, blend, q.shape[-1] * n_head)
        return returned(out(merge(z)), w)

    return multi_head_attention


_OPERANDS = (
    Wrong("queries_and_keys_exchanged", _("Queries and keys are exchanged."), lambda q, k, v: (k, q, v)),
    Wrong("keys_as_values", _("The keys are blended, not the values."), lambda q, k, v: (q, k, k)),
    Wrong("queries_as_values", _("The queries are blended, not the values."), lambda q, k, v: (q, k, q)),
    Wrong("values_as_keys", _("The values are compared with the queries, not the keys."), lambda q, k, v: (q, v, v)),
    Wrong("shared_keys_and_values", _("All heads use the first head's keys and values."), lambda q, k, v: (q, np.broadcast_to(k[..., :1, :, :], k.shape), np.broadcast_to(v[..., :1, :, :], v.shape))),
    Wrong("shared_keys", _("All heads use the first head's keys."), lambda q, k, v: (q, np.broadcast_to(k[..., :1, :, :], k.shape), v)),
    Wrong("shared_queries", _("All heads use the first head's queries."), lambda q, k, v: (np.broadcast_to(q[..., :1, :, :], q.shape), k, v)),
)  # fmt: skip
_WEIGHTS_OUT = (
    Wrong(
        "weights_averaged",
        _("The returned weights are averaged over the heads."),
        lambda z, w: (z, w.mean(-3)),
    ),
    Wrong(
        "first_heads_weights",
        _("Only the first head's weights are returned."),
        lambda z, w: (z, w[..., 0, :, :]),
    ),
    Wrong(
        "weights_transposed_out",
        _("The returned weights are transposed."),
        lambda z, w: (z, flip(w)),
    ),
)
MULTI_HEAD_ATTENTION = Steps(
    _multi_head_attention,
    {"split": _split, "scale": RIGHT_SCALE, "scores": RIGHT_SCORES, "mask": RIGHT_MASK, "hide": RIGHT_HIDE, "shares": (lambda s: softmax_over(-1)(s)), "blend": RIGHT_BLEND, "merge": _merge, "out": _same, "operands": lambda *a: a, "returned": lambda z, w: (z, w)},
    {
        "split": _SPLITS, "scale": SCALES, "mask": MASKS, "hide": HIDES, "merge": _MERGES, "out": OUTPUTS, "operands": _OPERANDS, "returned": _WEIGHTS_OUT,
        "shares": (*SHARES, Wrong("softmax_over_heads", _("Softmax runs over the heads."), softmax_over(-3))),
        "blend": BLENDS[:4],
    },
)  # fmt: skip

PROJECT = Steps(
    lambda x_is, turn, bias, out: lambda merged, w, b: out(bias(x_is(merged) @ turn(w), b), merged),
    {"x_is": _same, "turn": _same, "bias": RIGHT_BIAS, "out": lambda y, x: y},
    {
        "x_is": INPUTS,
        "turn": TURNS,
        "bias": _BIASES,
        "out": (
            Wrong("input_added", _("The input is added to the result."), lambda y, x: y + x),
            Wrong("mean_of_axis_0_taken_away", _("The mean along axis 0 is taken away."), lambda y, x: y - y.mean(0, keepdims=True)),
            Wrong("batch_mean_taken_away", _("The mean over the batch is taken away."), lambda y, x: y - y.mean(0, keepdims=True) if y.ndim > 2 else y),
            *(Wrong(w.id, w.sentence, lambda y, x, f=w.way: f(y)) for w in OUTPUTS),
        ),
    },
)  # fmt: skip


def _head_contributions(turn, rows, heads, out):
    def head_contributions(z, w):
        n_head, d = z.shape[-3], z.shape[-1]
        blocks = heads([rows(turn(w), h, d, n_head) for h in range(n_head)])
        return out(np.stack([z[..., h, :, :] @ blocks[h] for h in range(n_head)], axis=-3))

    return head_contributions


HEAD_CONTRIBUTIONS = Steps(
    _head_contributions,
    {"turn": _same, "rows": lambda w, h, d, n: w[h * d : (h + 1) * d], "heads": _same, "out": _same},
    {
        "turn": TURNS[:1],
        "rows": (
            Wrong("first_rows_for_all", _("All heads use the first rows of w."), lambda w, h, d, n: w[:d]),
            Wrong("last_rows_for_all", _("All heads use the last rows of w."), lambda w, h, d, n: w[-d:]),
            Wrong("rows_interleaved", _("A head uses every n-th row of w, not a block of rows."), lambda w, h, d, n: w[h::n]),
            Wrong("rows_backwards", _("The rows inside a head's block stand in reverse order."), lambda w, h, d, n: w[h * d : (h + 1) * d][::-1]),
            Wrong("overlapping_rows", _("The blocks of rows overlap: they begin at row h, not at h * d."), lambda w, h, d, n: w[h : h + d]),
            Wrong("own_columns_only", _("A head writes only into its own columns: the rows of w are right, its other columns are lost."), lambda w, h, d, n: w[h * d : (h + 1) * d] * ((np.arange(w.shape[1]) // d) == h)),
            Wrong("columns_for_rows", _("Columns of w are taken, not rows."), lambda w, h, d, n: w[:, h * d : (h + 1) * d].T),
        ),
        "heads": (
            Wrong("heads_reversed", _("The heads' blocks stand in reverse order."), lambda b: b[::-1]),
            Wrong("heads_shifted", _("Each head uses the next head's block."), lambda b: [*b[1:], b[0]]),
        ),
        "out": (
            Wrong("added_up", _("Head h holds the sum of all heads up to h."), lambda y: np.cumsum(y, -3)),
            Wrong("divided_by_heads", _("Every contribution is divided by the number of heads."), lambda y: y / y.shape[-3]),
            Wrong("tokens_added_up", _("The tokens are summed."), lambda y: np.broadcast_to(y.sum(-2, keepdims=True), y.shape)),
            Wrong("lengths", _("The lengths of the contributions are returned, not the contributions."), lambda y: np.linalg.norm(y, axis=-1)),
            *OUTPUTS[:6],
        ),
    },
)  # fmt: skip


# --- lesson 06 ------------------------------------------------------------------------------------


def _layer_norm(centre, spread, join, gain, out):
    def layer_norm(x, g, b, eps=1e-5):
        centred = centre(x)
        return out(gain(join(centred, spread(x, centred), eps), g, b))

    return layer_norm


_CENTRES = (
    Wrong("not_centred", _("The mean is not taken away."), _same),
    Wrong("centred_at_median", _("The median is taken away, not the mean."), lambda x: x - np.median(x, -1, keepdims=True)),
    Wrong("mean_over_tokens", _("The mean runs over the tokens, not over the features."), lambda x: x - x.mean(-2 if x.ndim > 1 else -1, keepdims=True)),
    Wrong("mean_over_everything", _("The mean runs over everything, not over each token's features."), lambda x: x - x.mean()),
)  # fmt: skip
_SPREADS = (
    Wrong("sample_variance", _("The variance is that of a sample: divided by D - 1 (ddof=1)."), lambda x, c: x.var(-1, keepdims=True, ddof=1) if x.shape[-1] > 1 else x.var(-1, keepdims=True)),
    Wrong("squares_over_one_less", _("The squares of x are summed and divided by D - 1; the variance is asked for."), lambda x, c: (x * x).sum(-1, keepdims=True) / max(x.shape[-1] - 1, 1)),
    Wrong("mean_of_squares", _("The mean of the squares of x is taken, not the variance."), lambda x, c: (x * x).mean(-1, keepdims=True)),
    Wrong("sum_of_squares", _("The squares are summed, not averaged."), lambda x, c: ((x - x.mean(-1, keepdims=True)) ** 2).sum(-1, keepdims=True)),
    Wrong("variance_over_tokens", _("The variance runs over the tokens."), lambda x, c: x.var(-2 if x.ndim > 1 else -1, keepdims=True)),
    Wrong("variance_over_everything", _("The variance runs over everything."), lambda x, c: x.var()),
    Wrong("mean_deviation", _("The mean absolute deviation is taken, not the variance."), lambda x, c: np.abs(x - x.mean(-1, keepdims=True)).mean(-1, keepdims=True) ** 2),
)  # fmt: skip
_JOINS = (
    Wrong("eps_outside_the_root", _("eps is added outside of the root."), lambda c, v, e: c / (np.sqrt(v) + e)),
    Wrong("eps_missing", _("eps is not added."), lambda c, v, e: c / np.sqrt(v)),
    Wrong("eps_fixed", _("eps is fixed; the argument is not used."), lambda c, v, e: c / np.sqrt(v + 1e-5)),
    Wrong("eps_squared", _("eps is squared."), lambda c, v, e: c / np.sqrt(v + e * e)),
    Wrong("eps_as_floor", _("eps is used as the least value of the variance, not added to it."), lambda c, v, e: c / np.sqrt(np.maximum(v, e))),
    Wrong("divided_by_variance", _("It is divided by the variance, not by its root."), lambda c, v, e: c / (v + e)),
    Wrong("multiplied_by_root", _("It is multiplied by the root, not divided."), lambda c, v, e: c * np.sqrt(v + e)),
    Wrong("not_divided", _("It is not divided by the root of the variance."), lambda c, v, e: c),
)  # fmt: skip
_GAINS = (
    Wrong("gain_missing", _("The gain g is not used."), lambda n, g, b: n + b),
    Wrong("bias_missing", _("The bias b is not added."), lambda n, g, b: n * g),
    Wrong("gain_and_bias_missing", _("Gain and bias are not used."), lambda n, g, b: n),
    Wrong(
        "bias_before_gain",
        _("The bias is added before the gain is multiplied."),
        lambda n, g, b: (n + b) * g,
    ),
    Wrong("gain_and_bias_exchanged", _("Gain and bias are exchanged."), lambda n, g, b: n * b + g),
    Wrong("gain_plus_one", _("1 is added to the gain."), lambda n, g, b: n * (1 + g) + b),
    Wrong("bias_subtracted", _("The bias is subtracted."), lambda n, g, b: n * g - b),
)
LAYER_NORM = Steps(
    _layer_norm,
    {"centre": lambda x: x - x.mean(-1, keepdims=True), "spread": lambda x, c: x.var(-1, keepdims=True), "join": lambda c, v, e: c / np.sqrt(v + e), "gain": lambda n, g, b: n * g + b, "out": _same},
    {"centre": _CENTRES, "spread": _SPREADS, "join": _JOINS, "gain": _GAINS, "out": OUTPUTS[:5]},
)  # fmt: skip

_C = np.sqrt(2 / np.pi)


def gelu_of(
    factor=_C, cubic=0.044715, power=lambda x: x**3, half=0.5, one=1.0, outer=_same, squash=np.tanh
):
    def gelu(x):
        x = np.asarray(x, dtype=np.result_type(x, 0.0))
        with np.errstate(all="ignore"):
            return half * outer(x) * (one + squash(factor * (x + cubic * power(x))))

    return gelu


GELU = Steps(
    gelu_of,
    {"factor": _C, "cubic": 0.044715, "power": lambda x: x**3, "half": 0.5, "one": 1.0, "outer": _same, "squash": np.tanh},
    {
        "factor": (
            Wrong("factor_rounded", _("The root of 2 / pi is rounded to 0.8."), 0.8),
            Wrong("factor_without_root", _("The root of 2 / pi is missing: 2 / pi is used."), 2 / np.pi),
            Wrong("factor_turned", _("pi / 2 stands under the root, not 2 / pi."), np.sqrt(np.pi / 2)),
            Wrong("factor_one", _("The factor sqrt(2 / pi) is missing."), 1.0),
            Wrong("factor_root_2", _("The root of 2 is used, without pi."), 2**0.5),
            Wrong("factor_root_2_over_pi", _("The root is taken of 2 only: sqrt(2) / pi."), 2**0.5 / np.pi),
        ),
        "cubic": (
            Wrong("cubic_zero", _("The cubic term is missing."), 0.0),
            Wrong("cubic_one", _("The factor 0.044715 is missing."), 1.0),
            Wrong("cubic_mistyped", _("The factor of the cubic term is mistyped: 0.44715."), 0.44715),
            Wrong("cubic_mistyped_small", _("The factor of the cubic term is mistyped: 0.0044715."), 0.0044715),
            Wrong("cubic_rounded", _("The factor of the cubic term is rounded to 0.04."), 0.04),
            Wrong("cubic_negative", _("The cubic term has the wrong sign."), -0.044715),
        ),
        "power": (
            Wrong("square", _("x is squared where it should be cubed."), np.square),
            Wrong("fourth", _("x is raised to 4 where it should be cubed."), lambda x: x**4),
            Wrong("three_times", _("x is multiplied by 3 where it should be cubed."), lambda x: 3 * x),
            Wrong("cube_of_size", _("The cube has lost its sign."), lambda x: np.abs(x) ** 3),
            Wrong("cube_root", _("The cube root is taken, not the cube."), np.cbrt),
        ),
        "half": (
            Wrong("half_missing", _("The factor 0.5 is missing."), 1.0),
            Wrong("half_zero", _("The factor is 0: with // one half is 0."), 0.0),
            Wrong("half_doubled", _("The factor is 2, not 0.5."), 2.0),
        ),
        "one": (Wrong("one_missing", _("1 is not added to tanh."), 0.0), Wrong("one_subtracted", _("1 is subtracted from tanh."), -1.0)),
        "outer": (Wrong("x_missing", _("The factor x is missing."), np.ones_like), Wrong("size_of_x", _("The factor x has lost its sign."), np.abs)),
        "squash": (
            Wrong("sigmoid_for_tanh", _("Sigmoid is used in place of tanh."), lambda x: 1 / (1 + np.exp(-x))),
            Wrong("tan_for_tanh", _("tan is used in place of tanh."), np.tan),
            Wrong("sin_for_tanh", _("sin is used in place of tanh."), np.sin),
            Wrong("clipped_for_tanh", _("A straight line, cut off at -1 and 1, is used in place of tanh."), lambda x: np.clip(x, -1, 1)),
        ),
    },
)  # fmt: skip

_ACTIVATIONS = (
    Wrong("no_activation", _("GELU is missing."), _same),
    Wrong("relu", _("ReLU is used in place of GELU."), lambda x: np.maximum(x, 0)),
    Wrong("tanh", _("tanh is used in place of GELU."), np.tanh),
    Wrong("sigmoid", _("Sigmoid is used in place of GELU."), lambda x: 1 / (1 + np.exp(-x))),
    Wrong("silu", _("x * sigmoid(x) is used in place of GELU."), lambda x: x / (1 + np.exp(-x))),
    Wrong("softmax", _("Softmax is used in place of GELU."), softmax_over(-1)),
    Wrong("gelu_twice", _("GELU is applied twice."), lambda x: gelu_of()(gelu_of()(x))),
    Wrong("first_neurons_only", _("Only the first D of the 4D neurons are used."), lambda x: x * (np.arange(x.shape[-1]) < x.shape[-1] // 4)),
)  # fmt: skip
_MLP_OUT = (
    Wrong(
        "input_added",
        _("The input is added to the result: that belongs to the block."),
        lambda y, x: y + x,
    ),
    Wrong("gelu_last", _("GELU is applied to the result, too."), lambda y, x: gelu_of()(y)),
    Wrong(
        "divided_by_root_2", _("The result is divided by the root of 2."), lambda y, x: y / 2**0.5
    ),
    *(Wrong(w.id, w.sentence, lambda y, x, f=w.way: f(y)) for w in OUTPUTS),
)


def _mlp(x_is, biases, act, out):
    first, second = biases

    def mlp(x, params):
        h = act(first(x_is(x) @ params["c_fc.weight"], params["c_fc.bias"]))
        return out(second(h @ params["c_proj.weight"], params["c_proj.bias"]), x)

    return mlp


_MLP_BIASES = (
    *(Wrong(f"first_{w.id}", _("In the first product: {what}").format(what=w.sentence), (w.way, RIGHT_BIAS)) for w in _BIASES),
    *(Wrong(f"second_{w.id}", _("In the second product: {what}").format(what=w.sentence), (RIGHT_BIAS, w.way)) for w in _BIASES),
    Wrong("no_biases", _("Neither bias is added."), (_BIASES[0].way, _BIASES[0].way)),
)  # fmt: skip
MLP = Steps(
    _mlp,
    {"x_is": _same, "biases": (RIGHT_BIAS, RIGHT_BIAS), "act": gelu_of(), "out": lambda y, x: y},
    {"x_is": INPUTS, "biases": _MLP_BIASES, "act": _ACTIVATIONS, "out": _MLP_OUT},
)  # fmt: skip


def _count_parameters(words, positions, norm, qkv, proj, fc, back, last, extra):
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


COUNT_PARAMETERS = Steps(
    _count_parameters,
    {"words": lambda v, d: v * d, "positions": lambda p, d: p * d, "norm": lambda d: 2 * d, "qkv": lambda d: 3 * d * d + 3 * d, "proj": lambda d: d * d + d, "fc": lambda d: 4 * d * d + 4 * d, "back": lambda d: 4 * d * d + d, "last": lambda d: 2 * d, "extra": lambda n, d, v, p: 0},
    {
        "words": (
            Wrong("words_missing", _("The words' table is not counted."), lambda v, d: 0),
            Wrong("words_padded", _("The vocabulary is rounded up to a multiple of 64."), lambda v, d: -(-v // 64) * 64 * d),
            Wrong("words_padded_128", _("The vocabulary is rounded up to a multiple of 128."), lambda v, d: -(-v // 128) * 128 * d),
            Wrong("words_twice", _("The words' table is counted twice; the output shares it."), lambda v, d: 2 * v * d),
            Wrong("one_word_more", _("One word too many is counted."), lambda v, d: (v + 1) * d),
        ),
        "positions": (
            Wrong("positions_missing", _("The positions' table is not counted."), lambda p, d: 0),
            Wrong("one_position_more", _("One position too many is counted."), lambda p, d: (p + 1) * d),
            Wrong("two_positions_more", _("Two positions too many are counted."), lambda p, d: (p + 2) * d),
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
            Wrong("one_layer_less", _("One layer too few is counted."), lambda n, d, v, p: -(12 * d * d + 13 * d)),
            Wrong("one_layer_more", _("One layer too many is counted."), lambda n, d, v, p: 12 * d * d + 13 * d),
        ),
    },
)  # fmt: skip


def _kv_cache_bytes(pair, layer, head, size, tokens, batch, item, extra):
    def kv_cache_bytes(n_layer, n_head, d_head, n_tokens, batch_size=1, item_size=4, **kw):
        b, i = kw.get("batch", batch_size), kw.get("itemsize", item_size)
        count = (
            pair
            * layer(n_layer)
            * head(n_head)
            * size(d_head, n_head)
            * tokens(n_tokens)
            * batch(b)
        )
        return int((count + extra(n_layer, n_head, d_head, n_tokens, b)) * item(i))

    return kv_cache_bytes


KV_CACHE_BYTES = Steps(
    _kv_cache_bytes,
    {"pair": 2, "layer": _same, "head": _same, "size": lambda d, h: d, "tokens": _same, "batch": _same, "item": _same, "extra": lambda *a: 0},
    {
        "pair": (
            Wrong("one_array", _("Only one of keys and values is counted."), 1),
            Wrong("queries_too", _("Queries are counted, too."), 3),
        ),
        "layer": (Wrong("layers_missing", _("The layers are not counted."), lambda n: 1), Wrong("one_layer_more", _("One layer too many is counted."), lambda n: n + 1), Wrong("layers_squared", _("The number of layers is squared."), lambda n: n * n)),
        "head": (Wrong("heads_missing", _("The heads are not counted."), lambda n: 1), Wrong("heads_squared", _("The number of heads is squared."), lambda n: n * n)),
        "size": (
            Wrong("size_missing", _("The size of a head is not counted."), lambda d, h: 1),
            Wrong("size_over_heads", _("The size of a head is divided by the number of heads: it is one head's already."), lambda d, h: d / h),
            Wrong("size_squared", _("The size of a head is squared."), lambda d, h: d * d),
        ),
        "tokens": (Wrong("tokens_missing", _("The tokens are not counted."), lambda n: 1), Wrong("one_token_less", _("One token too few is counted."), lambda n: n - 1), Wrong("one_token_more", _("One token too many is counted."), lambda n: n + 1), Wrong("tokens_squared", _("The number of tokens is squared."), lambda n: n * n)),
        "batch": (Wrong("batch_ignored", _("`batch` is not used."), lambda b: 1), Wrong("batch_squared", _("`batch` is squared."), lambda b: b * b)),
        "item": (Wrong("itemsize_ignored", _("`itemsize` is not used: numbers are counted, not bytes."), lambda i: 1), Wrong("itemsize_fixed", _("`itemsize` is fixed at 4."), lambda i: 4), Wrong("bits", _("Bits are counted, not bytes."), lambda i: 8 * i), Wrong("itemsize_over_8", _("The bytes are divided by 8 once more."), lambda i: i / 8), Wrong("itemsize_squared", _("`itemsize` is squared."), lambda i: i * i)),
        "extra": (Wrong("weights_too", _("The attention weights are counted, too; they are not kept."), lambda n, h, d, t, b: n * h * t * t * b),),
    },
)  # fmt: skip


# --- functions that use others --------------------------------------------------------------------


def _gpt2_attention(qkv, operands, split, scale, mask, hide, shares, merge, bias, kept, out):
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


_KEPT = (
    Wrong("present_of_new_tokens", _("The returned cache holds the new tokens only."), lambda k, v, n: (k[..., -n:, :], v[..., -n:, :])),
    Wrong("present_exchanged", _("In the returned cache values stand first, keys second."), lambda k, v, n: (v, k)),
    Wrong("keys_twice", _("The returned cache holds the keys twice."), lambda k, v, n: (k, k)),
    Wrong("oldest_dropped", _("In the returned cache the oldest token is missing."), lambda k, v, n: (k[..., 1:, :], v[..., 1:, :])),
)  # fmt: skip
_QKV_BIAS = tuple(
    Wrong(f"qkv_{w.id}", _("Queries, keys and values: {what}").format(what=w.sentence), w.way)
    for w in _BIASES[:3]
)
_PROJ_BIAS = tuple(
    Wrong(f"proj_{w.id}", _("Projection: {what}").format(what=w.sentence), w.way)
    for w in _BIASES[:3]
)
_RESIDUAL = (
    Wrong(
        "residual_added",
        _("The input is added to the result: that belongs to the block."),
        lambda y, x: y + x,
    ),
)
_EXTRA_SCALE = (
    *SCALES,
    Wrong(
        "scaled_by_half_more",
        _("The scores are divided by the root of d and by one more number."),
        lambda d, **n: 4 * d**0.5,
    ),
)

GPT2_ATTENTION = Steps(
    _gpt2_attention,
    {"qkv": RIGHT_BIAS, "operands": lambda *a: a, "split": _split, "scale": RIGHT_SCALE, "mask": RIGHT_MASK, "hide": RIGHT_HIDE, "shares": RIGHT_SHARES, "merge": _merge, "bias": RIGHT_BIAS, "kept": lambda k, v, n: (k, v), "out": lambda y, x: y},
    {"qkv": _QKV_BIAS, "operands": _OPERANDS, "split": _SPLITS, "scale": SCALES, "mask": MASKS, "hide": HIDES, "shares": SHARES, "merge": _MERGES, "bias": _PROJ_BIAS, "kept": _KEPT, "out": _RESIDUAL},
)  # fmt: skip


def _part(params, name):
    return {
        key[len(name) + 1 :]: value for key, value in params.items() if key.startswith(name + ".")
    }


_ATTENTION = GPT2_ATTENTION.build(**GPT2_ATTENTION.right)
_NORM = LAYER_NORM.build(**LAYER_NORM.right)
_MLP_RIGHT = MLP.build(**MLP.right)


def _attention_with(**ways):
    return GPT2_ATTENTION.build(**{**GPT2_ATTENTION.right, **ways})


def _block(first, attend, add_one, second, mlp, add_two, out, kept):
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
    Wrong("missing", _("the layer norm is missing."), lambda x, g, b: x),
    Wrong("without_gain_and_bias", _("the layer norm has neither gain nor bias."), lambda x, g, b: _NORM(x, np.ones_like(g), np.zeros_like(b))),
    Wrong("gain_and_bias_exchanged", _("gain and bias are exchanged."), lambda x, g, b: _NORM(x, b, g)),
    Wrong("not_centred", _("the layer norm does not take the mean away."), lambda x, g, b: x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-5) * g + b),
    Wrong("sample_variance", _("the layer norm uses the variance of a sample."), lambda x, g, b: (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, ddof=1, keepdims=True) + 1e-5) * g + b),
    Wrong("over_tokens", _("the layer norm runs over the tokens."), lambda x, g, b: (x - x.mean(-2, keepdims=True)) / np.sqrt(x.var(-2, keepdims=True) + 1e-5) * g + b),
)  # fmt: skip


def _norms(prefix, where):
    return tuple(Wrong(f"{prefix}_{w.id}", f"{where} {w.sentence}", w.way) for w in _NORMS)


BLOCK = Steps(
    _block,
    {"first": _NORM, "attend": _ATTENTION, "add_one": lambda x, y: x + y, "second": _NORM, "mlp": _MLP_RIGHT, "add_two": lambda a, m, x: a + m, "out": _same, "kept": lambda k, v, n: (k, v)},
    {
        "first": _norms("ln_1", _("Before attention:")),
        "second": _norms("ln_2", _("Before the MLP:")),
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
            Wrong("mlp_relu", _("ReLU is used in place of GELU."), MLP.build(**{**MLP.right, "act": _ACTIVATIONS[1].way})),
            Wrong("mlp_no_activation", _("The MLP has no GELU."), MLP.build(**{**MLP.right, "act": _ACTIVATIONS[0].way})),
            Wrong("mlp_no_biases", _("The MLP adds no biases."), MLP.build(**{**MLP.right, "biases": _MLP_BIASES[-1].way})),
            Wrong("mlp_missing", _("The MLP is left out."), lambda x, p: 0 * x),
        ),
        "add_two": (
            Wrong("second_residual_missing", _("The second residual is missing: the first sum is not added to the MLP's result."), lambda a, m, x: m),
            Wrong("second_residual_from_x", _("The block's input is added to the MLP's result, not the first sum."), lambda a, m, x: x + m),
            Wrong("second_sum_halved", _("The second sum is halved: a mean in place of a sum."), lambda a, m, x: (a + m) / 2),
            Wrong("input_added_again", _("The block's input is added once more at the end."), lambda a, m, x: a + m + x),
        ),
        "out": OUTPUTS[1:9],
        "kept": _KEPT,
    },
)  # fmt: skip


def _next_token_pairs(first, last, context, target):
    def next_token_pairs(token_ids):
        ids = list(token_ids)
        return [
            (context(ids, t), target(ids, t))
            for t in range(first, len(ids) + last)
            if 0 <= t < len(ids)
        ]

    return next_token_pairs


NEXT_TOKEN_PAIRS = Steps(
    _next_token_pairs,
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


def _projection_counts(without, with_cache, order):
    return lambda n_tokens: (without(n_tokens), with_cache(n_tokens))[::order]


PROJECTION_COUNTS = Steps(
    _projection_counts,
    {"without": lambda n: n * (n + 1) // 2, "with_cache": _same, "order": 1},
    {
        "without": (
            Wrong("without_square", _("Without a cache: each step counts n tokens, but early steps have fewer."), lambda n: n * n),
            Wrong("without_one_short", _("Without a cache: the sum ends one step early, or starts at 0."), lambda n: n * (n - 1) // 2),
            Wrong("without_one_more", _("Without a cache: the sum goes one step too far."), lambda n: (n + 1) * (n + 2) // 2),
            Wrong("without_first_missing", _("Without a cache: the first token is not counted."), lambda n: n * (n + 1) // 2 - 1),
            Wrong("without_one_added", _("Without a cache: one is counted too much."), lambda n: n * (n + 1) // 2 + 1),
            Wrong("without_doubled", _("Without a cache: the sum is not halved."), lambda n: n * (n + 1)),
            Wrong("without_half_square", _("Without a cache: half of the square is taken, without the diagonal."), lambda n: n * n // 2),
            Wrong("without_tripled", _("Without a cache: queries, keys and values are counted each."), lambda n: 3 * n * (n + 1) // 2),
            Wrong("without_last_step", _("Without a cache: only the last step is counted."), _same),
            Wrong("without_cubed", _("Without a cache: squares are added up."), lambda n: n * (n + 1) * (2 * n + 1) // 6),
        ),
        "with_cache": (
            Wrong("with_one_short", _("With the cache: one token too few is counted."), lambda n: n - 1),
            Wrong("with_one_more", _("With the cache: one token too many is counted."), lambda n: n + 1),
            Wrong("with_one", _("With the cache: only the last step is counted; all steps are asked for."), lambda n: 1),
            Wrong("with_tripled", _("With the cache: queries, keys and values are counted each."), lambda n: 3 * n),
            Wrong("with_doubled", _("With the cache: keys and values are counted each."), lambda n: 2 * n),
            Wrong("with_sum", _("With the cache: old tokens are counted again."), lambda n: n * (n + 1) // 2),
        ),
        "order": (Wrong("exchanged", _("The two numbers are exchanged."), -1),),
    },
)  # fmt: skip


STEPS: dict[str, Steps] = {
    "next_token_pairs": NEXT_TOKEN_PAIRS,
    "projection_counts": PROJECTION_COUNTS,
    "gpt2_attention": GPT2_ATTENTION,
    "block": BLOCK,
    "embed": EMBED,
    "make_qkv": MAKE_QKV,
    "scaled_scores": SCALED_SCORES,
    "softmax": SOFTMAX,
    "weighted_sum": WEIGHTED_SUM,
    "self_attention": SELF_ATTENTION,
    "causal_mask": CAUSAL_MASK,
    "masked_softmax": MASKED_SOFTMAX,
    "causal_attention": CAUSAL_ATTENTION,
    "cached_causal_mask": CACHED_CAUSAL_MASK,
    "append_kv": APPEND_KV,
    "attend_with_cache": ATTEND_WITH_CACHE,
    "decode": DECODE,
    "kv_cache_bytes": KV_CACHE_BYTES,
    "qkv_projection": QKV_PROJECTION,
    "split_heads": SPLIT_HEADS,
    "merge_heads": MERGE_HEADS,
    "multi_head_attention": MULTI_HEAD_ATTENTION,
    "project": PROJECT,
    "head_contributions": HEAD_CONTRIBUTIONS,
    "layer_norm": LAYER_NORM,
    "gelu": GELU,
    "mlp": MLP,
    "count_parameters": COUNT_PARAMETERS,
}
