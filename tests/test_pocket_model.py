"""What the course promises of the pocket model, measured on stories it never saw."""

import hashlib
import json
import random
import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from autograder.exercises.reference_gpt2 import Cache, forward, generate
from illustrated_attention.data import data_path
from illustrated_attention.gpt2_files import (
    load_pocket,
    pocket_heads,
    robot_sentence,
)
from training import evaluate, record
from training.grammar import PLURALS, THINGS, held_out, tell

RECORDED = np.load(Path(__file__).parent / "data" / "transformers_pocket.npz")
model = cache(load_pocket)


def stored(*parts):
    return json.loads(data_path(*parts).read_text(encoding="utf-8"))


@cache
def measured():
    return evaluate.measure(model(), evaluate.TEST)


def zeroed(kind):
    pronoun = pocket_heads()["pronoun"]
    return evaluate.own_and_others(measured()["zeroed"][kind], pronoun["layer"], pronoun["head"])


# --- what it can do


@pytest.mark.parametrize("kind", ["it", "they"])
def test_it_and_they_are_resolved_in_98_of_100_fresh_stories(kind):
    assert measured()["right"][kind]["n"] > 1000
    assert measured()["right"][kind]["right"] >= 0.98


@pytest.mark.parametrize("kind", ["it", "they"])
def test_the_noun_mentioned_last_wins_over_a_rival(kind):
    right = measured()["right"][kind + ", with a rival"]
    assert right["n"] > 100
    assert right["right"] >= 0.95


def test_one_head_puts_most_of_its_weight_from_it_on_its_noun():
    assert measured()["heads"]["pronoun"]["weight"] >= 0.8


@pytest.mark.parametrize("kind", ["it", "they"])
def test_without_that_head_the_accuracy_collapses(kind):
    assert zeroed(kind)[0] <= 0.3


@pytest.mark.parametrize("kind", ["it", "they"])
def test_without_any_other_head_it_does_not(kind):
    assert zeroed(kind)[1].min() >= 0.9


def test_in_the_robot_sentence_that_head_looks_at_robot():
    sentence = robot_sentence()
    last = sentence.weights[-1]
    assert sentence.tokens[-1] == "it"
    assert sentence.tokens[int(last.argmax())] == "robot"
    assert last.max() >= 0.8


def test_making_that_head_look_at_another_thing_changes_the_next_word():
    forced = measured()["forced"]
    assert forced["free"] >= 0.95
    assert forced["followed"] >= 0.9


# --- the evidence is what it says it is


def test_test_stories_open_with_pairs_of_nouns_that_no_training_story_holds():
    rng = random.Random(5)
    for _ in range(2000):
        words = set(re.findall(r"\w+", tell(rng).text))
        pairs = [(t, p) for t in words & set(THINGS) for p in words & set(PLURALS)]
        assert not any(held_out(*pair) for pair in pairs)
    for story in evaluate.stories(5, 300):
        opening = story.text.split(".")[0]
        words = set(re.findall(r"\w+", opening))
        assert any(held_out(t, p) for t in words & set(THINGS) for p in words & set(PLURALS))


def test_pronouns_stand_where_the_grammar_says():
    told = evaluate.stories(6, 50)
    for story in told:
        for pronoun in story.pronouns:
            assert story.text[pronoun.at :].lower().startswith(pronoun.kind.split()[-1])
            assert story.text[pronoun.noun_at :].startswith(pronoun.noun)
    for ids, lengths, cases in evaluate.batches(model(), told):
        assert (ids[:, 0] == 0).all()
        for case in cases:
            at, noun = model().tokens(ids[case.story, [case.at, case.noun_at]])
            assert at.lower() == case.kind.split()[-1]
            assert noun in THINGS or noun in PLURALS or noun[0].isupper()
            assert case.at < lengths[case.story]


def test_padding_a_batch_changes_nothing():
    ids, lengths, _ = next(evaluate.batches(model(), evaluate.stories(7, 5)))
    together = forward(ids, model().params, model().config)
    alone = forward(ids[0, : lengths[0]], model().params, model().config)
    np.testing.assert_allclose(together[0, : lengths[0]], alone, atol=1e-4)


# --- what is recorded is what the model does


def close(found, expected, path=""):
    """Equal, but for what another processor may round differently."""
    if isinstance(expected, dict):
        assert list(found) == list(expected), path
        for key in expected:
            close(found[key], expected[key], f"{path}/{key}")
    elif isinstance(expected, list):
        assert len(found) == len(expected), path
        for i, (f, e) in enumerate(zip(found, expected, strict=True)):
            close(f, e, f"{path}/{i}")
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, abs=0.006), path
    else:
        assert found == expected, path


def test_the_measurements_are_fresh():
    close(measured(), stored("pocket_gpt2", "measured.json"))


def test_the_heads_file_is_fresh():
    close(measured()["heads"], pocket_heads())


def test_the_model_cards_tables_are_fresh():
    card = data_path("pocket_gpt2", "README.md").read_text(encoding="utf-8")
    tables = record.card_tables(
        stored("pocket_gpt2", "measured.json"), stored("pocket_gpt2", "seeds.json")
    )
    assert record.with_tables(card, tables) == card


def test_the_robot_sentence_is_fresh():
    arrays, description = record.robot_sentence(model(), pocket_heads())
    saved = np.load(data_path("activations", "robot_sentence.npz"))
    assert set(saved) == set(arrays)
    for name, array in arrays.items():
        np.testing.assert_allclose(saved[name], array, rtol=1e-4, atol=1e-4)
    assert stored("activations", "robot_sentence.json") == description


def test_what_the_explorer_shows_before_anything_is_written_is_fresh():
    arrays = record.explored(model())
    with np.load(data_path("activations", "explored.npz")) as saved:
        assert set(saved) == set(arrays)
        for name, array in arrays.items():
            if array.dtype.kind == "U":
                assert saved[name].tolist() == array.tolist()
            else:
                np.testing.assert_allclose(saved[name], array, rtol=1e-4, atol=1e-4)


def test_the_held_out_story_is_fresh():
    story = stored("activations", "held_out_story.json")
    close(record.held_out_story(model()), story)
    words = set(re.findall(r"\w+", story["text"]))
    assert any(held_out(t, p) for t in words & set(THINGS) for p in words & set(PLURALS))


def test_the_files_are_those_of_the_chosen_training_run():
    training = stored("pocket_gpt2", "training.json")
    for name, expected in training["sha256"].items():
        found = hashlib.sha256(data_path("pocket_gpt2", name).read_bytes()).hexdigest()
        assert found == expected, name
    seeds = stored("pocket_gpt2", "seeds.json")
    assert len(seeds["runs"]) >= 3
    assert seeds["chosen"] == str(training["seed"])
    assert seeds["runs"][seeds["chosen"]]["sha256"] == training["sha256"]["model.safetensors"]
    runs = {seed: run["measured"] for seed, run in seeds["runs"].items()}
    assert evaluate.choose(runs) == seeds["chosen"]


# --- what the lessons rely on


def test_the_last_row_of_the_sentence_needs_no_mask():
    sentence = robot_sentence()
    scores = sentence.q @ sentence.k.T / np.sqrt(sentence.q.shape[-1])
    weights = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    np.testing.assert_allclose(weights[-1], sentence.weights[-1], atol=1e-5)
    assert not np.allclose(weights[1], sentence.weights[1], atol=1e-3)


def test_the_sentence_starts_from_the_sum_of_two_embeddings():
    sentence, params = robot_sentence(), model().params
    n = len(sentence.ids)
    x = params["wte.weight"][sentence.ids] + params["wpe.weight"][:n]
    np.testing.assert_allclose(sentence.x, x, atol=1e-6)


def test_the_recorded_weights_are_those_of_the_pronoun_head():
    sentence, head = robot_sentence(), pocket_heads()["pronoun"]
    np.testing.assert_array_equal(
        sentence.weights, sentence.all_weights[head["layer"], head["head"]]
    )


# --- the reference


def test_the_reference_equals_transformers_on_the_pocket_weights():
    for ids, expected in zip(RECORDED["prompts"], RECORDED["last_logits"], strict=True):
        ids = ids[ids >= 0]
        logits = forward(ids, model().params, model().config)[-1]
        np.testing.assert_allclose(logits, expected, atol=1e-4)
    trace = []
    logits = forward(RECORDED["sentence"], model().params, model().config, trace=trace)
    np.testing.assert_allclose(logits, RECORDED["sentence_logits"], atol=1e-4)
    weights = np.concatenate([layer.weights for layer in trace])
    np.testing.assert_allclose(weights, RECORDED["sentence_weights"], atol=1e-4)


@pytest.mark.parametrize("chunks", [[9], [1] * 9, [4, 1, 3, 1]])
def test_the_reference_gives_the_same_logits_with_the_cache(chunks):
    ids = RECORDED["sentence"]
    stored_keys = Cache(model().config)
    parts = [
        forward(part, model().params, model().config, stored_keys)
        for part in np.split(ids, np.cumsum(chunks)[:-1])
    ]
    expected = forward(ids, model().params, model().config)
    np.testing.assert_allclose(np.concatenate(parts), expected, atol=1e-4)


def test_generating_with_and_without_the_cache_gives_the_same_tokens():
    ids = model().encode("A robot must obey the orders given it")
    with_cache, without = (
        generate(ids, model().params, model().config, 12, cached) for cached in (True, False)
    )
    assert with_cache == without
    assert with_cache[: len(ids)] == ids


def test_the_reference_refuses_more_tokens_than_there_are_positions():
    with pytest.raises(ValueError, match="257 tokens do not fit: the model has 256 positions"):
        forward([0] * 257, model().params, model().config)
