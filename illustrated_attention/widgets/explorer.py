"""The explorer: any token as the query, any layer and head, and what attention does with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from illustrated_attention.figures.needs import axes, need_array, need_position
from illustrated_attention.gpt2_files import pocket_heads
from illustrated_attention.widgets.attention_steps import named
from illustrated_attention.widgets.explored import SENTENCES, Arrays, Model, Recorded

if TYPE_CHECKING:
    from illustrated_attention.widgets.explorer_controls import Explorer, Undrawn


def explore(
    *functions,
    tokens=None,
    q=None,
    k=None,
    v=None,
    layers=None,
    scores=None,
    table=None,
    model=None,
    text=SENTENCES[0],
    layer=0,
    head=0,
    query=None,
):
    """Return the explorer on what your own functions compute.

    Parameters
    ----------
    *functions : callable
        Your functions, in any order; they are known by their names. With `causal_mask` there is a
        mask, with `append_kv` a cache that fills token by token, with `weighted_sum` a result.
    tokens : list of str, length T
    q, k, v : ndarray, [T, d], or [H, T, d] with heads
        v may be missing.
    layers : list of (q, k, v)
        Instead of q, k and v, where there are several layers.
    scores, table : ndarray, [T, T]
        Scores instead of q and k; a printed table of weights to compare with.
    model : GPT2Files
        Instead of arrays: a whole model, and any sentence.
    text : str
        The sentence to begin with.
    layer, head, query : int
        Where to begin; the last token where `query` is None.

    Returns
    -------
    Explorer

    Raises
    ------
    ValueError
        If something is missing or does not fit, in one sentence that names your function.
    """
    found = named(functions)
    if model is not None:
        seen: Model | Arrays = Model(found, model, text)
    else:
        if layers is None and scores is None:
            parts = [need_array(a, n, ("...",) * axes(a)) for n, a in (("q", q), ("k", k))]
            v = parts[1] if v is None else need_array(v, "v", ("...",) * axes(v))
            layers = [(*parts, v)]
        seen = Arrays(found, tokens, layers, scores)
    n = len(seen.tokens)
    if table is not None:
        table = need_array(table, "table", (n, n))
    layer = need_position(layer, "layer", seen.n_layer)
    head = need_position(head, "head", seen.n_head)
    query = need_position(n - 1 if query is None else query, "query", n)
    return _with_controls(seen, table, (layer, head, query))


def explore_recorded():
    """Return the explorer on what the pocket model computed for some sentences: no code is needed.

    Returns
    -------
    Explorer
    """
    found = pocket_heads()["pronoun"]
    seen = Recorded()
    return _with_controls(seen, None, (found["layer"], found["head"], len(seen.tokens) - 1))


def _with_controls(seen, table, first) -> Explorer | Undrawn:
    # ipywidgets is a tenth of what a lesson's first cell would cost, so it waits for the widget.
    from illustrated_attention.figures import page
    from illustrated_attention.widgets.explorer_controls import Explorer, Undrawn

    return Explorer(seen, table, first) if page.drawing else Undrawn(seen, first)
