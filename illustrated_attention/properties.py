"""Properties that a right function has, whatever its inputs: stated once, tried on any exercise.

A property takes `call` (the student's function, guarded: it gets copies, and raises if the
function raised) and the arguments that the exercise declares for it, and returns True when it
holds. It never compares with a reference: that is what the cases do.
"""

from collections.abc import Callable

import numpy as np

from illustrated_attention.comparing import ATOL, alike, all_near


def rows_sum_to_one(call: Callable, *args) -> bool:
    """The weights of every query are not negative and sum to 1."""
    weights = _last(call(*args))
    return bool((weights >= 0).all()) and close(weights.sum(axis=-1), 1.0)


def same_after_adding(call: Callable, scores, constant) -> bool:
    """Adding one number to all scores changes nothing."""
    return close(call(scores + constant), call(scores))


def tokens_in_any_order(call: Callable, x, order, *rest) -> bool:
    """Without a mask and positions, shuffling the tokens shuffles the result in the same way."""
    plain, shuffled = call(x, *rest), call(x[..., order, :], *rest)
    return close(_first(shuffled), _first(plain)[..., order, :])


def every_example_alone(call: Callable, carriers: int, *args) -> bool:
    """A batch gives the same as its examples one by one: leading axes do not mix.

    An example alone is given without the batch's axis, and as a batch of one, which keeps it. The
    first `carriers` arguments carry the batch on their first axis; the rest is shared.
    """
    together = _first(call(*args))
    for b in range(len(args[0])):
        for alone in (b, slice(b, b + 1)):
            result = _first(call(*(a[alone] for a in args[:carriers]), *args[carriers:]))
            if result.shape != together[alone].shape or not close(result, together[alone]):
                return False
    return True


def linear_in_last(call: Callable, *args) -> bool:
    """Doubling the last argument doubles the result, and a sum of two gives the sum."""
    *others, last = args
    other = np.flip(last, axis=-2)
    together = call(*others, last + 2 * other)
    return close(together, call(*others, last) + 2 * np.asarray(call(*others, other)))


def hidden_keys_get_zero(call: Callable, scores, mask) -> bool:
    """Where the mask is False the weight is exactly 0, not merely small."""
    weights = np.ma.filled(call(scores, mask), 0)
    return not weights[~np.broadcast_to(mask, weights.shape)].any()


def hidden_scores_do_not_matter(call: Callable, scores, mask) -> bool:
    """Other scores where the mask is False give the same weights."""
    other = np.where(mask, scores, scores[..., ::-1, :] + 3)
    return close(np.ma.filled(call(other, mask), 0), np.ma.filled(call(scores, mask), 0))


def the_future_does_not_matter(call: Callable, *arrays) -> bool:
    """Changing a token (axis -2 of all arrays) leaves the results of earlier tokens as they are."""
    plain = _first(call(*arrays))
    for token in range(1, arrays[0].shape[-2]):
        changed = [array.copy() for array in arrays]
        for array in changed:
            array[..., token, :] += 1
        if not close(_first(call(*changed))[..., :token, :], plain[..., :token, :]):
            return False
    return True


def same_after_another_call(call: Callable, args: tuple, other: tuple) -> bool:
    """A call gives the same result before and after another call: nothing is remembered."""
    before = call(*args)
    call(*other)
    return alike(call(*args), before)


def every_chunking_is_one_pass(call: Callable, q, k, v, *chunkings) -> bool:
    """Chunk after chunk, each with the cache that the one before returned, gives one pass."""
    whole, _cache = call(q, k, v, None)
    for chunk_sizes in chunkings:
        cache, outs, end = None, [], 0
        for size in chunk_sizes:
            start, end = end, end + size
            chunk = (array[..., start:end, :] for array in (q, k, v))
            out, cache = call(*chunk, cache)
            outs.append(out)
        if not close(np.concatenate(outs, axis=-2), whole):
            return False
    return True


def every_cut_is_one_pass(call: Callable, axis: int, tokens, rest: tuple, *chunkings) -> bool:
    """Piece after piece of a text, each with the past that the one before returned, is one pass.

    The tokens lie on this axis of `tokens`: -1 for ids, -2 for rows of features.
    """
    whole, _past = call(tokens, *rest)
    for chunk_sizes in chunkings:
        pieces = np.split(tokens, np.cumsum(chunk_sizes)[:-1], axis=axis)
        past, outs = None, []
        for piece in pieces:
            out, past = call(piece, *rest, past)
            outs.append(out)
        if not close(np.concatenate(outs, axis=-2), whole):
            return False
    return True


def cache_is_used(call: Callable, q_new, k_new, v_new, cache) -> bool:
    """Noise in the cached keys, or in the values, changes every row of the result."""
    out = _first(call(q_new, k_new, v_new, cache))
    for part in (0, 1):
        poisoned = list(cache)
        poisoned[part] = cache[part] + np.random.default_rng(part).normal(size=cache[part].shape)
        other = _first(call(q_new, k_new, v_new, tuple(poisoned)))
        if not (np.abs(other - out) > ATOL).any(axis=-1).all():
            return False
    return True


def continuations_stay_apart(call: Callable, beginning, first, second) -> bool:
    """After a first continuation of a cache, a second one is as if it were the only one."""
    _out, cache = call(*beginning, None)
    call(*first, cache)
    out, _cache = call(*second, cache)
    pairs = zip(beginning, second, strict=True)
    alone, _cache = call(*(np.concatenate(pair, axis=-2) for pair in pairs), None)
    return close(out, alone[..., -second[0].shape[-2] :, :])


def only_moves_numbers(call: Callable, *args) -> bool:
    """Every number of the first argument comes out exactly once: none is lost, none is new."""
    return close(np.sort(_first(call(*args)), axis=None), np.sort(args[0], axis=None))


def every_head_alone(call: Callable, q, k, v, n_head) -> bool:
    """Each head gives what its own features give alone, as the only head."""
    together, d = _first(call(q, k, v, n_head)), q.shape[-1] // n_head
    heads = [slice(h * d, (h + 1) * d) for h in range(n_head)]
    return all(
        close(_first(call(q[..., head], k[..., head], v[..., head], 1)), together[..., head])
        for head in heads
    )


def every_head_writes_by_itself(call: Callable, z, *rest) -> bool:
    """A head whose z is 0 writes 0, and the others write what they wrote (heads on axis -3)."""
    plain = np.asarray(call(z, *rest))
    for head in range(z.shape[-3]):
        off = np.arange(z.shape[-3])[:, None, None] == head
        if not close(call(np.where(off, 0, z), *rest), np.where(off, 0, plain)):
            return False
    return True


def the_first_token_counts(call: Callable, n_tokens, arrays: tuple, rest: tuple) -> bool:
    """In a text of many tokens, changing the first changes the results of all.

    The text has random numbers in the shapes of `arrays`, with tokens on axis -2.
    """
    random = np.random.default_rng(n_tokens)
    text = [random.normal(size=(*a.shape[:-2], n_tokens, a.shape[-1])) for a in arrays]
    plain = _first(call(*text, *rest))
    for array in text:
        array[..., 0, :] *= -2  # what is added to all features a layer norm would take away
    changed = np.abs(_first(call(*text, *rest)) - plain) > ATOL
    return changed.shape[-2] == n_tokens and bool(changed.any(axis=-1).all())


def every_token_is_kept(call: Callable, n_tokens, cache) -> bool:
    """Token after token, many of them: the cache holds them all in the end, in their order."""
    width = cache[0].shape[-1]
    k = np.arange(float(n_tokens * width)).reshape(n_tokens, width)
    grown = cache
    for row in range(n_tokens):
        grown = call(grown, k[row : row + 1], -k[row : row + 1])
    held = [np.concatenate(parts) for parts in zip(cache, (k, -k), strict=True)]
    return all(
        np.shape(part) == all_of_it.shape and close(part, all_of_it)
        for part, all_of_it in zip(grown, held, strict=True)
    )


def one_more_adds_the_same(call: Callable, args: tuple, places: tuple) -> bool:
    """Of each of these arguments, one more adds as much as the one before did."""
    for place in places:
        counts = [
            call(*(arg + more * (i == place) for i, arg in enumerate(args))) for more in range(3)
        ]
        if counts[2] - counts[1] != counts[1] - counts[0]:
            return False
    return True


def the_last_of_many_sees_all(call: Callable, *n_tokens) -> bool:
    """Of many tokens the last one sees all, the first one only itself: a mask of n rows."""
    for n in n_tokens:
        mask = np.asarray(call(n), dtype=bool)
        if mask.shape != (n, n) or not mask[-1].all() or mask[0].sum() != 1:
            return False
    return True


def one_more_old_token_is_seen_by_all(call: Callable, n_new, *pasts) -> bool:
    """One more token in the cache is one more column of True on the left."""
    for n_past in pasts:
        fewer, more = (np.asarray(call(n_new, n), dtype=bool) for n in (n_past, n_past + 1))
        if not more[:, 0].all() or not np.array_equal(more[:, 1:], fewer):
            return False
    return True


def every_context_goes_on(call: Callable, *texts) -> bool:
    """The first context is the first token; each other one is that before and its target."""
    for ids in texts:
        pairs = call(ids)
        ends = [[*list(context), target] for context, target in pairs]
        starts = [list(context) for context, _target in pairs]
        if starts != [list(ids[:1]), *ends[:-1]] or ends[-1] != list(ids):
            return False
    return True


def a_shorter_text_is_the_beginning(call: Callable, token_ids, params, n_head, n_new) -> bool:
    """With fewer new tokens the text ends earlier, and is the same as far as it goes."""
    whole = list(call(token_ids, params, n_head, n_new))
    return all(
        list(call(token_ids, params, n_head, n)) == whole[: len(token_ids) + n]
        for n in range(1, n_new)
    )


def the_future_changes_nothing(call: Callable, x, *rest) -> bool:
    """Changing a token of `x` alone leaves the results of earlier tokens as they are."""
    return the_future_does_not_matter(lambda changed: call(changed, *rest), x)


@np.errstate(all="ignore")
def close(a, b) -> bool:
    """The course's one tolerance, for arrays that need not be expected beforehand."""
    return all_near(np.asarray(a, dtype=float), np.asarray(b, dtype=float))


def _first(result):
    return np.asarray(result[0] if isinstance(result, (tuple, list)) else result)


def _last(result):
    return np.asarray(result[-1] if isinstance(result, (tuple, list)) else result)
