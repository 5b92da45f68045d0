"""What lesson 07 promises beside its exercises: the learner's functions run the pocket model."""

import numpy as np
import pytest

from autograder.exercises.judging import judge
from autograder.exercises.reference import reference
from autograder.exercises.reference_gpt2 import forward
from autograder.exercises.reference_gpt2 import generate as generate_by_reference
from illustrated_attention.gpt2_files import (
    held_out_story,
    load_pocket,
    parameter_shapes,
    pocket_heads,
)

PROMPT = "A robot must obey the orders given it by humans. It"


@pytest.fixture(scope="module")
def model():
    return load_pocket()


def next_word(model, params):
    logits, _presents = reference("gpt2")(
        np.array(model.encode(PROMPT)), params, model.config["n_head"]
    )
    return reference("softmax")(logits[-1])


def without_head(model, layer, head):
    name = f"h.{layer}.attn.c_proj.weight"
    weight = model.params[name].copy()
    d = len(weight) // model.config["n_head"]
    weight[head * d : (head + 1) * d] = 0
    return {**model.params, name: weight}


def test_the_lessons_model_equals_an_independent_one(model):
    ids = np.array(held_out_story()["ids"])
    logits, _presents = reference("gpt2")(ids, model.params, model.config["n_head"])
    np.testing.assert_allclose(
        logits, forward(ids, model.params, model.config), rtol=1e-3, atol=1e-3
    )


def test_the_learners_perplexity_is_the_recorded_one(model):
    story = held_out_story()
    ids = np.array(story["ids"])
    logits, _presents = reference("gpt2")(ids, model.params, model.config["n_head"])
    chances = reference("softmax")(logits[:-1])[np.arange(len(ids) - 1), ids[1:]]
    assert np.exp(-np.log(chances).mean()) == pytest.approx(story["perplexity"], rel=1e-3)


def test_in_the_learners_own_run_it_looks_at_the_robot(model):
    found, n_head = pocket_heads()["pronoun"], model.config["n_head"]
    ids = np.array(model.encode("A robot must obey the orders given it"))
    x = reference("embed")(ids, model.params["wte.weight"], model.params["wpe.weight"])
    own, *later = reference("layers")(model.params)[: found["layer"] + 1][::-1]
    for params in reversed(later):
        x, _present = reference("block")(x, params, n_head)
    normed = reference("layer_norm")(x, own["ln_1.weight"], own["ln_1.bias"])
    q, k, _v = reference("qkv_projection")(
        normed, own["attn.c_attn.weight"], own["attn.c_attn.bias"]
    )
    q, k = (reference("split_heads")(part, n_head)[found["head"]] for part in (q, k))
    weights = reference("softmax")(reference("scaled_scores")(q, k)[-1])
    assert model.tokens(ids)[weights.argmax()] == "robot"
    assert weights.max() > 0.5


def test_the_model_goes_on_with_what_robots_do(model):
    likeliest = np.argsort(-next_word(model, model.params))[:2]
    assert set(model.tokens(likeliest)) == {"beeped", "hummed"}


def test_only_the_pronoun_head_is_needed_for_that(model):
    found = pocket_heads()["pronoun"]
    on = next_word(model, model.params)
    verbs = np.argsort(-on)[:2]
    assert on[verbs].sum() > 0.9
    for layer in range(model.config["n_layer"]):
        for head in range(model.config["n_head"]):
            chance = next_word(model, without_head(model, layer, head))[verbs].sum()
            if (layer, head) == (found["layer"], found["head"]):
                assert chance < 0.3
            else:
                assert chance > 0.8, (layer, head)


def test_greedy_text_with_the_cache_is_the_independent_models(model):
    prompt = model.encode("A robot must obey the orders given it by humans.")
    ids = reference("generate")(prompt, model.params, model.config["n_head"], 40)
    assert ids == generate_by_reference(prompt, model.params, model.config, 40)


def test_sampled_text_is_told_to_differ_each_time():
    rng = np.random.default_rng()

    def generate(token_ids, params, n_head, n_new):
        if len(token_ids) + n_new > len(params["wpe.weight"]):
            raise ValueError("too long")
        ids, past, new = list(token_ids), None, list(token_ids)
        for _ in range(n_new):
            logits, past = reference("gpt2")(np.array(new), params, n_head, past)
            chances = reference("softmax")(logits[-1])
            new = [int(rng.choice(len(chances), p=chances))]
            ids = ids + new
        return ids

    verdict = judge(generate)
    assert not verdict.passed
    assert verdict.mistake or "something else each time" in verdict.message


def test_a_text_may_fill_all_positions_and_not_one_more(model):
    generate, n_positions = reference("generate"), len(model.params["wpe.weight"])
    prompt = model.encode("A robot") * 3
    room = n_positions - len(prompt)
    n_head = model.config["n_head"]
    assert len(generate(prompt, model.params, n_head, room)) == n_positions
    with pytest.raises(ValueError, match=f"do not fit in {n_positions} positions"):
        generate(prompt, model.params, n_head, room + 1)


def test_greedy_text_repeats_itself(model):
    prompt = model.encode("A robot must obey the orders given it by humans.")
    text = model.decode(reference("generate")(prompt, model.params, model.config["n_head"], 60))
    sentences = [sentence.strip() for sentence in text.split(".")]
    assert len(set(sentences)) < len(sentences)


@pytest.mark.parametrize(
    "sizes, total",
    [
        ((12, 768, 50257, 1024), 124_439_808),
        ((24, 1024, 50257, 1024), 354_823_168),
        ((36, 1280, 50257, 1024), 774_030_080),
        ((48, 1600, 50257, 1024), 1_557_611_200),
    ],
)
def test_the_four_sizes_of_gpt2_are_counted_right(sizes, total):
    assert reference("count_parameters")(*sizes) == total


def test_the_count_is_the_sum_of_all_arrays(model):
    config = model.config
    counted = reference("count_parameters")(
        config["n_layer"], config["n_embd"], config["vocab_size"], config["n_positions"]
    )
    assert counted == sum(array.size for array in model.params.values())
    assert counted == sum(np.prod(shape) for shape in parameter_shapes(config).values())
