"""Every figure and widget refuses what it cannot show truly, in one sentence.

Each is drawn once with right arguments, and then with each of its arguments spoiled in each way:
it is drawn all the same, or `NotDrawn` says what is wrong. Nothing else may be raised.
"""

import contextlib
import inspect
import pkgutil
import re
import warnings

import numpy as np
import pytest
from drawn import lies_on_its_page
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from autograder.sandbox import outputs
from illustrated_attention import figures, widgets
from illustrated_attention.figures import (
    gpt2,
    heads,
    key,
    kv_cache,
    masked_attention,
    multi_head,
    orientation,
    projection,
    self_attention,
    themed,
)
from illustrated_attention.figures.needs import (
    NotDrawn,
    need_array,
    need_position,
    need_tokens,
    query_row,
)
from illustrated_attention.widgets import kv_cache as kv_cache_widget
from illustrated_attention.widgets.explorer import explore

WORDS = ["robot", "must", "obey", "orders"]
T = len(WORDS)
RANDOM = np.random.default_rng(4)
X = RANDOM.normal(size=(T, 6))
W_Q, W_K, W_V = RANDOM.normal(size=(3, 6, 2))
W_V = RANDOM.normal(size=(6, 3))
Q, K, V = X @ W_Q, X @ W_K, X @ W_V
MASK = np.tril(np.ones((T, T), dtype=bool))
SCORES = Q @ K.T


def softmax(scores):
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def masked_softmax(scores, mask):
    return softmax(np.where(mask, scores, -np.inf))


def append_kv(cache, k, v):
    if cache is None:
        return k, v
    return np.concatenate([cache[0], k]), np.concatenate([cache[1], v])


def scaled_scores(q, k):
    return q @ k.T / np.sqrt(q.shape[-1])


def explore_softmax(softmax, tokens, scores, table):
    return explore(softmax, tokens=tokens, scores=scores, table=table)


def explore_heads(scaled_scores, masked_softmax, tokens, q, k, v):
    return explore(scaled_scores, masked_softmax, tokens=tokens, q=q, k=k, v=v)


ATTENDED = softmax(scaled_scores(Q, K))
WEIGHTS, HIDDEN = softmax(SCORES), masked_softmax(SCORES, MASK)
HEADS = np.stack([WEIGHTS, HIDDEN])
Z = RANDOM.normal(size=(2, T, 3))
MERGED = np.concatenate(list(Z), axis=-1)
W, B = RANDOM.normal(size=(6, 6)), RANDOM.normal(size=6)
WRITTEN = RANDOM.normal(size=(2, T, 6))
LAYERS = [(Q, K, V), (Q + 1, K + 1, V + 1)]
BLOCK = {
    "attn.c_attn.weight": np.zeros((6, 18)),
    "attn.c_proj.weight": np.zeros((6, 6)),
    "mlp.c_fc.weight": np.zeros((6, 24)),
    "mlp.c_proj.weight": np.zeros((24, 6)),
}
SHAPES = {"wte.weight": (9, 6), "wpe.weight": (5, 6), "h.0.attn.c_attn.weight": (6, 18)}

# Every function that draws, with right arguments.
DRAWN = [
    (key.colour_key, [["numbers", "query"]]),
    (orientation.token_positions, [WORDS]),
    (orientation.embedding_sum, [WORDS, X, X + 1, 2 * X + 1]),
    (orientation.axes_of, [X, ["tokens", "features"]]),
    (self_attention.attention_row, [WORDS, WEIGHTS, 2]),
    (self_attention.projections, [X, W_Q, W_K, W_V, Q, K, V, WORDS]),
    (self_attention.scores_and_weights, [WORDS, SCORES, WEIGHTS, 2]),
    (self_attention.weighted_values, [WORDS, WEIGHTS, V, 2]),
    (self_attention.pipeline, [X, Q, K, V, ATTENDED, ATTENDED @ V, WORDS]),
    (self_attention.saturation, [[2, 8], [0.4, 0.9], [0.3, 0.3]]),
    (masked_attention.next_token_table, [WORDS, MASK, WORDS]),
    (masked_attention.scores_of_all, [Q, K, SCORES, WORDS]),
    (masked_attention.mask_and_softmax, [WORDS, SCORES, MASK, HIDDEN]),
    (masked_attention.compare_tables, [WORDS, HIDDEN, HIDDEN + 0.1]),
    (masked_attention.changed_rows, [WORDS, V, V + MASK[:, 2:3], 2]),
    (kv_cache.cache_step, [WORDS, LAYERS, 1, [(k[:2], v[:2]) for _q, k, v in LAYERS]]),
    (kv_cache.cached_mask, [WORDS, MASK[2:], 2]),
    (kv_cache.projection_curve, [[1, 2, 3], [1, 3, 6], [1, 2, 3]]),
    (kv_cache.cache_memory, [WORDS, [1, 20, 300, 4000]]),
    (heads.attention_maps, [WORDS, HEADS]),
    (multi_head.shape_flow, [[("", {"x": X}), ("@ w", {"q": Q})]]),
    (multi_head.qkv_slices, [W[0], "it"]),
    (multi_head.index_map, [WORDS, np.arange(16.0).reshape(4, 4), {"a": np.zeros((2, 4, 2))}]),
    (multi_head.head_rows, [WORDS, HEADS, 2]),
    (multi_head.head_results, [WORDS, Z, 2]),
    (multi_head.concatenation, [WORDS, Z, MERGED, 2]),
    (projection.mixing, ["it", X[0], W, B, X[0] @ W + B, 2]),
    (projection.head_writing, [WORDS, WRITTEN, B, WRITTEN.sum(axis=0) + B, 2]),
    (gpt2.normalised, [X, X, WORDS]),
    (gpt2.activation, [np.linspace(-4, 3, 15), np.linspace(-4, 3, 15)]),
    (gpt2.block_flow, [BLOCK, 4, 2]),
    (gpt2.next_words, [WORDS, {"all heads": WEIGHTS[0]}]),
    (gpt2.every_head_off, [WEIGHTS, 0.5]),
    (gpt2.parameter_counter, [SHAPES, 192]),
    (kv_cache_widget.cache_stepper, [WORDS, LAYERS, append_kv]),
    (explore_softmax, [softmax, WORDS, SCORES, HIDDEN]),
    (explore_heads, [scaled_scores, masked_softmax, WORDS, Q, K, V]),
]
NAMES = [f"{function.__module__.split('.')[-1]}.{function.__name__}" for function, _args in DRAWN]


def broken(*args):
    raise IndexError("index 4 is out of bounds.")


def spoiled(value):
    """An argument in all ways in which a learner's can be wrong."""
    yield "None", None
    yield "a text", "softmax"
    yield "a function", abs
    if callable(value):
        yield "without return", lambda *args: None
        yield "with an error", broken
        yield "a number", lambda *args: 1.0
        yield "of other shape", lambda *args: np.zeros((2, 2, 2))
        yield "a pair of Nones", lambda *args: (None, None)
    elif isinstance(value, dict):
        yield "empty", {}
        yield "of Nones", dict.fromkeys(value)
    elif isinstance(value, np.ndarray) or isinstance(value[0] if _many(value) else value, float):
        array = np.array(value, dtype=float)
        yield "lists", array.tolist()
        yield "transposed", array.T
        yield "an axis more", array[None]
        yield "an axis less", array[0] if array.ndim else array
        yield "empty", array[:0] if array.ndim else array
        yield "nan", np.full_like(array, np.nan)
        yield "infinite", np.full_like(array, np.inf)
        yield "of Nones", np.full(array.shape, None).tolist()
        yield "ragged", [array[:1].tolist(), array.tolist()] if array.ndim else []
        yield "words", np.full(array.shape, "one")
        yield "in other order", array[::-1] if array.ndim else array
        yield "a pair", (array, array)
    elif _many(value):
        yield "empty", []
        yield "shorter", value[:-1]
        yield "of Nones", [None] * len(value)
        yield "in other order", value[::-1]
    else:
        yield "too large", 10**6
        yield "below 0", -1
        yield "a fraction", 1.5
        yield "nan", float("nan")


def _many(value):
    return isinstance(value, (list, tuple)) and len(value) > 0


# What they draw with: it is tried through them.
SHARED = {"page", "palette", "words", "cells", "equations", "needs", "live", "picture_slider"}
SHARED |= {"renderer", "themed"}
SHARED |= {"drawing", "attention_steps", "explored", "explorer_picture"}


def test_every_drawing_function_of_the_package_is_tried():
    every = set()
    for package in (figures, widgets):
        for path in sorted(package.__path__):
            for found in pkgutil.iter_modules([path]):
                module = __import__(f"{package.__name__}.{found.name}", fromlist=["*"])
                every |= {
                    f"{found.name}.{name}"
                    for name, thing in vars(module).items()
                    if inspect.isfunction(thing)
                    and thing.__module__ == module.__name__
                    and found.name not in SHARED
                    and not name.startswith(("_", "need_"))
                }
    named = {name for name in NAMES if not name.startswith("test_figures_needs.explore_")}
    apart = {"explorer.explore"}  # tried with its arguments' names, twice
    apart |= {"explorer.explore_recorded"}  # nothing is given to it
    assert every == named | apart


@pytest.mark.parametrize(("function", "args"), DRAWN, ids=NAMES)
def test_what_cannot_be_shown_is_refused_in_one_sentence(function, args, monkeypatch):
    # Figures check everything before they draw, so most of the work need not be done here.
    monkeypatch.setattr("illustrated_attention.figures.page.drawing", False)
    function(*args)  # the right arguments are taken
    for place, value in enumerate(args):
        for how, wrong in spoiled(value):
            given = [*args[:place], wrong, *args[place + 1 :]]
            try:
                with warnings.catch_warnings(), np.errstate(all="ignore"):
                    warnings.simplefilter("error")
                    function(*given)
            except NotDrawn as error:
                assert str(error).strip().endswith((".", "?", "`")), (how, str(error))
                assert "\n" not in str(error)
            except Exception as error:
                pytest.fail(f"argument {place} {how}: {type(error).__name__}: {error}")


FIGURES = [(f, args) for f, args in DRAWN if ".figures." in f.__module__]


@pytest.mark.parametrize(("function", "args"), FIGURES, ids=NAMES[: len(FIGURES)])
def test_a_figure_can_be_read_shown_by_the_grader_and_heard(function, args):
    figure = function(*args)
    assert figure.in_svg().smallest_text >= themed.SMALLEST
    (narrowest,) = re.findall(r"min-width:(\d+)px", figure._repr_html_())
    assert int(narrowest) <= 585  # what an output has in a window of 800 pixels: nothing to scroll
    assert len(outputs.pictures(figure._repr_html_())) == 1
    assert figure.alt_text
    assert lies_on_its_page(figure)


@pytest.mark.parametrize(("function", "args"), FIGURES, ids=NAMES[: len(FIGURES)])
def test_nan_and_infinity_are_drawn_or_refused(function, args):
    for place, value in enumerate(args):
        if not isinstance(value, np.ndarray) or value.dtype == bool:
            continue
        wrong = value.astype(float)
        wrong.flat[0], wrong.flat[-1] = np.nan, np.inf
        with np.errstate(all="ignore"), contextlib.suppress(NotDrawn):
            figure = function(*args[:place], wrong, *args[place + 1 :])
            assert not re.search(r"[ML HV]-?(nan|inf)", figure.in_svg().body)


@pytest.fixture
def shell(monkeypatch):
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    shell = InteractiveShell(config=config)
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)
    return shell


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        ("lambda cache, k, v: None", "Your append_kv returned None. Does it end with `return`?"),
        ("lambda cache, k, v: (v, k)", "the keys in the cache must have shape (n, 2)"),
        ("lambda cache, k, v: (k, v)", "your append_kv left 1."),
        ("lambda cache, k, v: k[9]", "stopped with IndexError: index 9 is out of bounds"),
    ],
)
def test_a_notebook_shows_the_learners_line_and_one_sentence(shell, capsys, function, sentence):
    shell.user_ns.update(WORDS=WORDS, LAYERS=LAYERS, np=np)
    shell.run_cell("from illustrated_attention.widgets.kv_cache import cache_stepper")
    shell.run_cell(f"append_kv = {function}\ncache_stepper(WORDS, LAYERS, append_kv)")
    shown = capsys.readouterr().out
    assert sentence in shown
    assert "----> 2 cache_stepper(WORDS, LAYERS, append_kv)" in shown
    assert "illustrated_attention/" not in shown


def test_a_wrong_shape_is_told_with_both_shapes():
    with pytest.raises(ValueError, match=r"q must have shape \(4, d\), but yours .* \(3, 4, 1\)"):
        need_array(np.zeros((3, 4, 1)), "q", (4, "d"))
    with pytest.raises(ValueError, match=r"q must have shape \(4, 3\), but yours .* \(3, 4\)"):
        need_array(np.zeros((3, 4)), "q", (4, 3))


def test_a_function_without_return_is_recognised():
    with pytest.raises(ValueError, match=r"q is None.*return"):
        need_array(None, "q", (4, 3))


def test_what_is_not_numbers_is_refused():
    with pytest.raises(ValueError, match="array of numbers"):
        need_array(["a"], "q", (1,))
    with pytest.raises(ValueError, match="empty"):
        need_array(np.zeros((0, 3)), "q", ("n", 3))


@pytest.mark.parametrize("tokens", ["robot must", [], [1, 2]])
def test_tokens_must_be_a_list_of_words(tokens):
    with pytest.raises(ValueError, match="list of words"):
        need_tokens(tokens)


@pytest.mark.parametrize("query", [-1, 4, 1.5, "it", None])
def test_a_query_is_a_position_in_the_sentence(query):
    with pytest.raises(ValueError, match="from 0 to 3"):
        need_position(query, "query", len(WORDS))


def test_the_querys_row_is_taken_from_all_rows_or_given_alone():
    weights = np.arange(16.0).reshape(4, 4)
    assert query_row(weights, "weights", WORDS, 2).tolist() == [8, 9, 10, 11]
    assert query_row(weights[2], "weights", WORDS, 2).tolist() == [8, 9, 10, 11]
    with pytest.raises(ValueError, match="weights must have shape"):
        query_row(weights[:, :3], "weights", WORDS, 2)
