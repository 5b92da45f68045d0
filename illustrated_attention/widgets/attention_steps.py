"""The numbers behind the explorer: one attention, step by step, from the learner's functions."""

from dataclasses import dataclass

import numpy as np

from illustrated_attention.figures.needs import (
    NotDrawn,
    learned,
    need_array,
    need_equal,
    need_mask,
    need_pair,
)
from illustrated_attention.language import _, listed

KNOWN = (
    *("embed", "layer_norm", "qkv_projection", "split_heads", "scaled_scores", "causal_mask"),
    *("cached_causal_mask", "softmax", "masked_softmax", "weighted_sum", "append_kv"),
    *("merge_heads", "project", "mlp"),
)


@dataclass(frozen=True)
class Switches:
    """What is set: the divisor (None: the root of d), the mask, and heads (layer, head) off."""

    divisor: float | None = None
    masked: bool = True
    off: frozenset = frozenset()


@dataclass(frozen=True)
class Steps:
    """One head's attention: arrays [T, T], rows are queries; what a lesson has not yet is None."""

    scores: np.ndarray
    scaled: np.ndarray
    mask: np.ndarray
    weights: np.ndarray
    v: np.ndarray | None
    out: np.ndarray | None
    divisor: float


def named(functions) -> dict:
    """Return the learner's functions by name, each guarded, or say which one does not belong.

    Raises
    ------
    NotDrawn
    """
    found = {}
    for function in functions:
        guarded = learned(function)
        name = getattr(function, "__name__", "")
        if name not in KNOWN:
            text = _("explore has no use for {name}. It takes: {known}.")
            raise NotDrawn(text.format(name=name or _("this"), known=listed(KNOWN)))
        found[name] = guarded
    if "softmax" not in found and "masked_softmax" not in found:
        raise NotDrawn(_("explore needs your softmax or your masked_softmax."))
    return found


def attend(functions, q, k, v, switches) -> Steps:
    """Return the steps of one head, [T, d] each, by the learner's functions.

    Parameters
    ----------
    functions : dict of str to callable
    q, k : ndarray, [T, d]
    v : ndarray, [T, dv], or None
    switches : Switches

    Raises
    ------
    NotDrawn
        If a function stops, returns no array of the right shape, or other numbers than the
        picture says.
    """
    n, d = q.shape
    if "scaled_scores" not in functions:
        raise NotDrawn(_("explore needs your scaled_scores."))
    scaled = functions["scaled_scores"](q.copy(), k.copy())
    scaled = need_array(scaled, _("what scaled_scores returns"), (n, n), "scaled_scores")
    scores = q @ k.T
    need_equal(scaled, scores / np.sqrt(d), "scaled_scores = q @ k.T / root of d", "scaled_scores")
    divisor = np.sqrt(d) if switches.divisor is None else switches.divisor
    # In another scale the learner's scores are theirs times a factor.
    scaled = scaled if switches.divisor is None else scaled * (np.sqrt(d) / divisor)
    return from_scores(functions, scores, scaled, divisor, v, switches)


def from_scores(functions, scores, scaled, divisor, v, switches) -> Steps:
    """Return the steps from scaled scores [T, T] on.

    Raises
    ------
    NotDrawn
    """
    n = len(scores)
    mask = np.ones((n, n), dtype=bool)
    if switches.masked and "causal_mask" in functions:
        mask = need_mask(functions["causal_mask"](n), (n, n), "causal_mask")
    weights = weigh(functions, scaled, mask)
    out = None if v is None or "weighted_sum" not in functions else blend(functions, weights, v)
    return Steps(scores, scaled, mask, weights, v if out is not None else None, out, divisor)


def weigh(functions, scaled, mask) -> np.ndarray:
    """Return the learner's weights, if they are what the picture says: exp divided by its sum.

    Raises
    ------
    NotDrawn
    """
    name = "masked_softmax" if "masked_softmax" in functions else "softmax"
    given = (scaled.copy(), mask.copy()) if name == "masked_softmax" else (scaled.copy(),)
    weights = need_array(
        functions[name](*given), _("what {name} returns").format(name=name), scaled.shape, name
    )
    need_equal(weights, _shares(scaled, mask), "weights = exp / sum", name)
    return weights


def _shares(scaled, mask) -> np.ndarray:
    masked = np.where(mask, scaled, -np.inf)
    exp = np.exp(masked - masked.max(axis=-1, keepdims=True))
    return exp / exp.sum(axis=-1, keepdims=True)


def recorded_steps(q, k, v) -> Steps:
    """Return the steps of one causal head from recorded numbers, [T, d] each."""
    divisor = np.sqrt(q.shape[-1])
    scores, mask = q @ k.T, np.tri(len(q), dtype=bool)
    weights = _shares(scores / divisor, mask)
    return Steps(scores, scores / divisor, mask, weights, v, weights @ v, divisor)


def blend(functions, weights, v) -> np.ndarray:
    """Return the learner's weighted sums of the values.

    Raises
    ------
    NotDrawn
    """
    out = functions["weighted_sum"](weights.copy(), v.copy())
    shape = (len(weights), v.shape[-1])
    out = need_array(out, _("what weighted_sum returns"), shape, "weighted_sum")
    need_equal(out, weights @ v, "result = weights @ v", "weighted_sum")
    return out


def attend_cached(functions, q, k, v, switches, query) -> Steps:
    """Return the steps of one new token: old keys and values come from the learner's cache.

    Raises
    ------
    NotDrawn
    """
    n = len(q)
    cache = None
    for step in range(query + 1):
        new = slice(step, step + 1)
        cache = functions["append_kv"](cache, k[new].copy(), v[new].copy())
        old_k, old_v = need_pair(cache, "append_kv")
        rows = step + 1
        old_k = need_array(old_k, _("the keys in the cache"), (rows, k.shape[-1]), "append_kv")
        old_v = need_array(old_v, _("the values in the cache"), (rows, v.shape[-1]), "append_kv")
        need_equal(old_k, k[:rows], _("cache = all keys so far, in order"), "append_kv")
        need_equal(old_v, v[:rows], _("cache = all values so far, in order"), "append_kv")
    alone = functions["scaled_scores"](q[query : query + 1].copy(), old_k.copy())
    alone = need_array(alone, _("what scaled_scores returns"), (1, query + 1), "scaled_scores")
    root = np.sqrt(q.shape[-1])
    need_equal(
        alone, q[query] @ old_k.T / root, "scaled_scores = q @ k.T / root of d", "scaled_scores"
    )
    divisor = root if switches.divisor is None else switches.divisor
    alone = alone * (root / divisor)
    seen = np.ones((1, query + 1), dtype=bool)
    if "cached_causal_mask" in functions:
        seen = functions["cached_causal_mask"](1, query)
        seen = need_mask(seen, (1, query + 1), "cached_causal_mask")
    weights = weigh(functions, alone, seen)

    def row(array, empty):
        full = np.full((n, n), empty, dtype=array.dtype)
        full[query, : query + 1] = array[0]
        return full

    out = np.zeros((n, v.shape[-1]))
    out[query] = blend(functions, weights, old_v)[0]
    return Steps(
        row(q[query] @ old_k.T[None], 0.0),
        row(alone, 0.0),
        row(seen, False),
        row(weights, 0.0),
        v,
        out,
        divisor,
    )
