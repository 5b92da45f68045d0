"""The explorer shows what the learner's functions compute, for any query, and tells it in words."""

import base64
import html
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from classroom import solution_sources

from illustrated_attention.figures.needs import NotDrawn
from illustrated_attention.figures.words import number, percent
from illustrated_attention.gpt2_files import load_pocket
from illustrated_attention.widgets.attention_steps import Switches
from illustrated_attention.widgets.explorer import SENTENCES, explore, explore_recorded

WORDS = ["robot", "must", "obey", "orders"]
RANDOM = np.random.default_rng(5)
Q, K, V = (RANDOM.normal(size=(4, 3)) for _part in "qkv")
SCORES = np.array(
    [
        [0.11, 0.00, 0.81, 0.79],
        [0.19, 0.5, 0.3, 0.48],
        [0.53, 0.98, 0.95, 0.14],
        [0.81, 0.86, 0.38, 0.9],
    ]
)
TABLE = np.array(
    [[1, 0, 0, 0], [0.48, 0.52, 0, 0], [0.31, 0.35, 0.34, 0], [0.25, 0.26, 0.23, 0.26]]
)
WHOLE = (
    "embed layer_norm qkv_projection split_heads scaled_scores causal_mask masked_softmax "
    "weighted_sum merge_heads project mlp"
)


@pytest.fixture(scope="module")
def mine():
    """All functions of the lessons, as a learner writes them."""
    names = {"np": np}
    for lesson in (
        *("00_orientation", "01_self_attention", "02_masked_attention", "03_kv_cache"),
        *("04_multi_head", "05_projection", "06_block", "07_gpt2"),
    ):
        for source in solution_sources(lesson).values():
            exec(source, names)
    return names


def toy(mine, *names, **more):
    given = {"tokens": WORDS, "q": Q, "k": K, "v": V, **more}
    return explore(*(mine[name] for name in names), **given)


def whole(mine, **more):
    return explore(*(mine[name] for name in WHOLE.split()), model=load_pocket(), **more)


def words(explorer):
    return html.unescape(re.sub("<[^>]*>", "", explorer.said.value))


def texts(explorer):
    root = ElementTree.fromstring(explorer.picture.value)
    return [text.text for text in root.iter("text")]


def test_every_query_shows_its_scores_weights_and_result(mine):
    explorer = toy(mine, "scaled_scores", "softmax", "weighted_sum")
    out, weights = mine["weighted_sum"], mine["softmax"](mine["scaled_scores"](Q, K))
    for query in range(4):
        explorer.query.index = query
        shown = texts(explorer)
        for key in range(4):
            assert number(Q[query] @ K[key]) in shown
            assert percent(weights[query, key]) in shown
        assert all(number(value) in shown for value in out(weights, V)[query])


def test_the_pair_that_is_chosen_is_lit_in_chain_and_map_and_told(mine):
    explorer = toy(mine, "scaled_scores", "softmax")
    explorer.query.index, explorer.key.index = 1, 3
    lit = re.findall(
        r'class="here lit" (?:data-query="(\d)" )?data-key="(\d)"', explorer.picture.value
    )
    assert lit == [("", "3"), ("1", "3")]
    # A row of the chain, a row of the map, and a column of it.
    assert [texts(explorer).count(word) for word in WORDS] == [3, 3, 3, 3]
    assert words(explorer).startswith("Query 'must', key 'orders': score ")


def test_first_the_key_is_lit_from_which_the_query_takes_most(mine):
    explorer = whole(mine)
    assert words(explorer).startswith("Query 'It', key 'robot':")
    explorer.sentence.value = SENTENCES[1]
    assert words(explorer).startswith("Query 'It', key 'dog':")


def test_without_weighted_sum_the_chain_ends_at_the_weights_and_how_they_move(mine):
    ends_at_weights = texts(toy(mine, "scaled_scores", "softmax"))
    assert "gradient" in ends_at_weights and "result" not in ends_at_weights
    goes_on = texts(toy(mine, "scaled_scores", "softmax", "weighted_sum"))
    assert "result" in goes_on and "gradient" not in goes_on


def test_the_picture_keeps_its_width_from_query_to_query(mine):
    explorer = toy(mine, "scaled_scores", "masked_softmax", "causal_mask", "weighted_sum")
    widths = set()
    for query in range(4):
        explorer.query.index = query
        widths.add(re.search(r'<svg[^>]* width="([\d.]+)"', explorer.picture.value)[1])
    assert len(widths) == 1


def test_the_divisor_changes_the_weights_and_their_gradients(mine):
    explorer = toy(mine, "scaled_scores", "softmax", query=2)
    for label, divisor in explorer.divisor.options[::50]:
        explorer.divisor.value = divisor
        weights = mine["softmax"](Q[2] @ K.T / divisor)
        shown = texts(explorer)
        assert label
        assert all(percent(weight) in shown for weight in weights)
        assert all(number(weight * (1 - weight)) in shown for weight in weights)


def test_without_the_scale_scores_are_taken_as_they_are(mine):
    explorer = toy(mine, "scaled_scores", "softmax", query=2)
    explorer.scale.value = False
    assert all(percent(w) in texts(explorer) for w in mine["softmax"](Q[2] @ K.T))


def test_the_mask_hides_what_comes_later_until_it_is_switched_off(mine):
    explorer = toy(mine, "scaled_scores", "masked_softmax", "causal_mask", "weighted_sum", query=1)
    explorer.key.index = 3
    assert "hidden by the mask, weight 0" in words(explorer)
    explorer.mask.value = False
    assert "hidden" not in words(explorer)
    assert percent(mine["softmax"](mine["scaled_scores"](Q, K))[1, 3]) in words(explorer)


def test_typed_numbers_change_the_query_and_the_key(mine):
    explorer = toy(mine, "scaled_scores", "softmax", query=0)
    explorer.numbers[0].value = "1, 0, 2"
    explorer.key.index = 2
    explorer.numbers[1].value = "3 1 0.5"
    assert "score 4.00" in words(explorer)
    explorer.numbers[0].value = "1, two"
    assert words(explorer) == "Type 3 numbers, such as 1, 0.5, -0.5."


def test_no_stop_of_the_divisor_is_the_answer_of_the_table(mine):
    explorer = explore(
        mine["masked_softmax"], mine["causal_mask"], tokens=WORDS, scores=SCORES, table=TABLE
    )
    fitting = set()
    for _label, divisor in explorer.divisor.options:
        explorer.divisor.value = divisor
        if "as printed: 10 of 10." in words(explorer):
            fitting.add(divisor)
    assert (f"{min(fitting):.3g}", f"{max(fitting):.3g}") == ("3.63", "4.47")  # the lesson says so
    assert len(explorer.divisor.options) > 200


def test_the_cache_fills_token_by_token(mine):
    names = ["append_kv", "cached_causal_mask", "scaled_scores", "masked_softmax", "weighted_sum"]
    explorer = toy(mine, *names, query=0)
    for query in range(4):
        explorer.query.index = query
        assert texts(explorer).count("not read yet") == 3 - query
        out, _weights = mine["causal_attention"](Q, K, V)
        assert all(number(value) in texts(explorer) for value in out[query])
        assert f"Projected so far: {query + 1}" in words(explorer)


def test_heads_and_layers_are_chosen(mine):
    q = RANDOM.normal(size=(2, 4, 3))
    explorer = toy(mine, "scaled_scores", "softmax", layers=[(q, q + 1, q), (q + 2, q, q)])
    explorer.layer.index, explorer.head.index = 1, 1
    assert percent(mine["softmax"]((q[1] + 2) @ q[1].T / 3**0.5)[3, 0]) in texts(explorer)


def test_what_there_is_one_of_is_no_choice(mine):
    def offers(explorer, control):
        rows = [(row, *getattr(row, "children", ())) for row in explorer.children]
        return any(control is shown for row in rows for shown in row)

    one = toy(mine, "scaled_scores", "softmax")
    q = RANDOM.normal(size=(2, 4, 3))
    several = toy(mine, "scaled_scores", "softmax", layers=[(q, q, q), (q, q, q)])
    for name in ("layer", "head"):
        assert not offers(one, getattr(one, name)) and offers(several, getattr(several, name))


def test_the_whole_model_says_what_the_learners_gpt2_says(mine):
    explorer = whole(mine)
    model = explorer.seen.model
    logits, _presents = mine["gpt2"](np.array(model.encode(explorer.seen.text)), model.params, 4)
    expected = mine["softmax"](logits)
    for query in (2, len(expected) - 1):
        assert np.allclose(explorer.seen.next_words(query, Switches()), expected[query], atol=1e-5)
    assert "Next words: beeped 50%, hummed 49%" in words(explorer)


def test_a_head_that_is_off_changes_the_next_words_and_stays_off_elsewhere(mine):
    explorer = whole(mine)
    explorer.head_on.value = False
    assert "beeped 50%" not in words(explorer)
    assert "Off: layer 0 head 0." in words(explorer)
    assert "off: adds nothing" in texts(explorer) and "result" not in texts(explorer)
    explorer.head.index = 2
    assert "result" in texts(explorer)
    assert explorer.head_on.value
    explorer.head.index = 0
    assert not explorer.head_on.value
    explorer.head_on.value = True
    assert "Next words: beeped 50%" in words(explorer)


def test_any_sentence_can_be_typed_and_a_long_one_is_refused_in_a_sentence(mine):
    explorer = whole(mine)
    explorer.sentence.value = "A dog must obey"
    assert explorer.query.options[-1] == "obey"
    explorer.sentence.value = "a " * 40
    assert words(explorer) == "The explorer shows up to 16 tokens; this text has 42."


def test_the_last_picture_is_kept_and_says_how_to_bring_it_to_life(mine):
    explorer = toy(mine, "scaled_scores", "softmax", query=2)
    explorer.query.index = 1
    stored = explorer._repr_mimebundle_()
    assert "To bring it to life, run this cell." in stored["text/html"]
    assert stored["text/plain"].startswith("Query 'must'")
    (data,) = re.findall(r"data:image/svg\+xml;base64,([^\"]+)", stored["text/html"])
    picture = base64.b64decode(data).decode()
    assert "query: must" in picture
    assert "prefers-color-scheme:dark" in picture
    assert min(map(float, re.findall(r'font-size="([\d.]+)"', picture))) >= 10
    assert explorer._repr_mimebundle_()["text/html"].count("<img alt=") == 1


def test_tokens_are_escaped(mine):
    explorer = toy(mine, "scaled_scores", "softmax", tokens=["<b>", "&", '"', "d"])
    assert "<b>" not in explorer.picture.value + explorer.said.value


def named(name, function):
    function.__name__ = name
    return function


@pytest.mark.parametrize(
    ("name", "function", "sentence"),
    [
        ("softmax", lambda s: None, r"what softmax returns is None\. Does your softmax end with"),
        ("softmax", lambda s: s[0], r"what softmax returns must have shape \(4, 4\)"),
        ("softmax", lambda s: np.exp(s), r"Run check\(softmax\)"),
        ("softmax", lambda s: s[9], r"Your softmax stopped with IndexError"),
        ("scaled_scores", lambda q, k: None, "what scaled_scores returns is None"),
        ("scaled_scores", lambda q, k: q @ k.T, r"Run check\(scaled_scores\)"),
        ("weighted_sum", lambda w, v: w, r"what weighted_sum returns must have shape \(4, 3\)"),
        ("causal_mask", lambda n: np.ones(n), r"mask must have shape \(4, 4\)"),
        ("append_kv", lambda cache, k, v: (k, v), r"must have shape \(2, 3\)"),
        ("nonsense", lambda x: x, "explore has no use for nonsense"),
    ],
)
def test_what_is_wrong_is_told_in_one_sentence_that_names_the_function(
    mine, name, function, sentence
):
    functions = {n: mine[n] for n in ("scaled_scores", "softmax", "weighted_sum")}
    functions[name] = named(name, function)
    with pytest.raises(NotDrawn, match=sentence):
        explore(*functions.values(), tokens=WORDS, q=Q, k=K, v=V)


@pytest.mark.parametrize(
    ("names", "given", "sentence"),
    [
        ("scaled_scores", {"q": Q, "k": K}, "needs your softmax or your masked_softmax"),
        ("softmax", {"q": Q, "k": K}, "needs your scaled_scores"),
        ("scaled_scores softmax", {"q": Q, "k": K[:, :2]}, "q and k must have the same shape"),
        ("scaled_scores softmax", {"model": load_pocket()}, "also needs your embed, layer_norm"),
    ],
)
def test_what_is_missing_or_does_not_fit_is_told(mine, names, given, sentence):
    tokens = {} if "model" in given else {"tokens": WORDS}
    with pytest.raises(NotDrawn, match=sentence):
        explore(*(mine[name] for name in names.split()), **tokens, **given)


@pytest.mark.parametrize("given", [lambda x, w, b: (x, x), lambda x, w, b: x @ w + b])
def test_a_projection_that_gives_no_three_parts_is_told_by_its_name(mine, given):
    with pytest.raises(NotDrawn, match="Your qkv_projection must return q, k and v"):
        whole({**mine, "qkv_projection": named("qkv_projection", given)})


def test_a_function_that_fails_later_is_told_in_the_explorer(mine):
    def softmax(scores):
        return None if abs(scores).max() > 20 else mine["softmax"](scores)

    explorer = explore(mine["scaled_scores"], softmax, tokens=WORDS, q=Q, k=K)
    explorer.divisor.value = explorer.divisor.options[0][1]
    assert words(explorer).startswith("what softmax returns is None.")


def test_the_first_explorer_says_what_the_learners_own_functions_will_say(mine):
    first, later = explore_recorded(), whole(mine)
    for text in SENTENCES:
        first.sentence.value = later.sentence.value = text
        for layer, head in ((0, 0), (2, 2)):
            for explorer in (first, later):
                explorer.layer.index, explorer.head.index = layer, head
            assert words(first) == words(later)


@pytest.mark.parametrize("sentence", SENTENCES)
def test_the_model_knows_every_word_of_the_sentences_that_are_offered(sentence):
    """A word that it never read is cut into pieces, and the next words are a guess."""
    model = load_pocket()
    words = sentence.replace(".", " .").split()
    assert model.tokens(model.encode(sentence))[1:] == words
