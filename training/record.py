"""Record what lessons and model card show of the shipped model: `python -m training.record`.

Run it after `training.choose`. It needs NumPy only and writes, from data/pocket_gpt2's weights:

* data/pocket_gpt2/measured.json, heads.json and the table in README.md (the model card);
* data/activations/robot_sentence.npz and .json: what the model computes for the sentence;
* data/activations/explored.npz: what it computes for the sentences that the explorer offers;
* data/activations/held_out_story.json: a story that the model never saw, and its perplexity.
"""

import json

import numpy as np

from autograder.exercises.reference_gpt2 import forward, softmax
from illustrated_attention.data import data_path
from illustrated_attention.gpt2_files import load_pocket
from illustrated_attention.widgets.explored import SENTENCES
from illustrated_attention.widgets.explorer_controls import WORDS
from training.evaluate import KINDS, SENTENCE, TEST, measure, own_and_others, stories

STORY_SEED = "the story of lesson 06"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
HEAD_NAMES = {
    "pronoun": "from “it” to its noun",
    "they": "from “they” to its noun",
    "she": "from “she” to the woman's name",
    "he": "from “he” to the man's name",
    "previous_token": "to the token before (mean over all tokens)",
    "first_token": "to the first token (mean over all tokens)",
    "previous_note": "in a repeated tune, to the note before",
    "copy": "in a repeated tune, to what followed the same note before",
}


def robot_sentence(model, heads):
    """Arrays and description of what the model computes for the sentence."""
    layer, head = heads["pronoun"]["layer"], heads["pronoun"]["head"]
    ids = model.encode(SENTENCE)
    trace: list = []
    forward(ids, model.params, model.config, trace=trace)
    own = trace[layer]
    arrays = {
        "x": model.params["wte.weight"][ids] + model.params["wpe.weight"][: len(ids)],
        "normed": own.normed[0],
        "q": own.q[0, head],
        "k": own.k[0, head],
        "v": own.v[0, head],
        "weights": own.weights[0, head],
        "all_weights": np.concatenate([one.weights for one in trace]),
    }
    description = {
        "text": SENTENCE,
        "ids": ids,
        "tokens": model.tokens(ids),
        "layer": layer,
        "head": head,
        "mask": "The model's attention is causal. The last row is the same with and without the "
        "mask, since no token comes after it; the rows above it are not.",
    }
    return arrays, description


def explored(model):
    """Queries, keys, values and next words for each sentence that the explorer offers.

    Of the vocabulary only those words are kept that are among the likeliest after some token.
    """
    arrays = {"sentences": np.array(SENTENCES)}
    for number, text in enumerate(SENTENCES):
        ids = model.encode(text)
        trace: list = []
        chances = softmax(forward(ids, model.params, model.config, trace=trace))
        kept = np.unique(np.argsort(-chances)[:, :WORDS])
        arrays |= {
            f"tokens{number}": np.array(model.tokens(ids)),
            f"words{number}": np.array(model.tokens(kept)),
            f"probabilities{number}": chances[:, kept].astype(np.float32),
        }
        for name in ("q", "k", "v"):
            arrays[f"{name}{number}"] = np.stack([getattr(one, name)[0] for one in trace])
    return arrays


def held_out_story(model):
    """A story of a noun pair that training never showed, and how well the model predicts it."""
    (story,) = stories(STORY_SEED, 1)
    ids = model.encode(story.text)
    likelihood = softmax(forward(ids, model.params, model.config).astype(np.float64))
    loss = -np.log(likelihood[np.arange(len(ids) - 1), ids[1:]]).mean()
    return {
        "text": story.text,
        "ids": ids,
        "predictions": len(ids) - 1,
        "loss_nats_a_token": round(float(loss), 5),
        "perplexity": round(float(np.exp(loss)), 4),
    }


def card_tables(measured, seeds):
    """The model card's tables, in Markdown."""
    right, heads, zeroed = measured["right"], measured["heads"], measured["zeroed"]
    layer, head = heads["pronoun"]["layer"], heads["pronoun"]["head"]
    sentence, forced = measured["sentence"], measured["forced"]
    here = f"layer {layer}, head {head}"
    lines = [
        f"Resolved, on {measured['stories']} test stories (the likeliest of all tokens fits):",
        "",
        "| after | cases | resolved | cases with a rival | resolved |",
        "|---|---|---|---|---|",
    ]
    for kind in KINDS:
        hard = right[kind + ", with a rival"]
        lines.append(
            f"| {kind} | {right[kind]['n']} | {right[kind]['right']:.1%} "
            f"| {hard['n']} | {hard['right']:.1%} |"
        )
    lines += [
        "",
        f"Loss {measured['loss_nats_a_token']:.3f} nats a token "
        f"(perplexity {measured['perplexity']:.2f}).",
        "",
        "| head | looks | mean weight |",
        "|---|---|---|",
    ]
    for name, found in heads.items():
        if found:
            lines.append(
                f"| layer {found['layer']}, head {found['head']} | {HEAD_NAMES[name]} "
                f"| {found['weight']:.2f} |"
            )
    missing = [HEAD_NAMES[name] for name, found in heads.items() if not found]
    if missing:
        lines += ["", "No head gives a mean weight of 0.5 or more: " + "; ".join(missing) + "."]
    lines += [
        "",
        f"“{sentence['text']}”: from “it”, {here} puts {sentence['weight']:.2f} of its weight "
        f"on “{sentence['looks_at']}”.",
        "",
        f"With one head's output set to zero, on {measured['stories_for_zeroing']} test stories:",
        "",
        f"| after | no head zeroed | {here} zeroed | worst of the other heads |",
        "|---|---|---|---|",
    ]
    for kind in KINDS:
        own, others = own_and_others(zeroed[kind], layer, head)
        worst = others.min()
        which = "layer {}, head {}".format(*np.argwhere(np.array(zeroed[kind]) == worst)[-1])
        lines.append(
            f"| {kind} | {right[kind]['right']:.1%} | {own:.1%} "
            f"| {worst:.1%}{f' ({which})' if worst < 0.9 else ''} |"
        )
    lines += [
        "",
        f"Prompt “{forced['prompt']}” for all pairs of things a and b: left alone, the next word "
        f"is a verb of b in {forced['free']:.1%}; with {here} made to look at a, it is a verb "
        f"of a in {forced['followed']:.1%}.",
        "",
        "All training runs, on the validation stories:",
        "",
        "| seed | it | they | she | he | from “it” to its noun | it, that head zeroed "
        "| it, worst other zeroed | loss | keeps all promises |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for seed, run in seeds["runs"].items():
        m = run["measured"]
        best = m["heads"]["pronoun"]
        own, others = own_and_others(m["zeroed"]["it"], best["layer"], best["head"])
        shares = " | ".join(f"{m['right'][k]['right']:.1%}" for k in ("it", "they", "she", "he"))
        lines.append(
            f"| {seed}{' (shipped)' if seed == seeds['chosen'] else ''} | {shares} "
            f"| {best['weight']:.2f} (layer {best['layer']}, head {best['head']}) "
            f"| {own:.1%} | {others.min():.1%} "
            f"| {m['loss_nats_a_token']:.3f} | {'yes' if all(run['criteria'].values()) else 'no'} |"
        )
    return "\n".join(lines)


def with_tables(card, tables):
    """The model card with its measured part replaced."""
    before, rest = card.split(BEGIN)
    return f"{before}{BEGIN}\n{tables}\n{END}{rest.split(END)[1]}"


def read(*parts):
    return json.loads(data_path(*parts).read_text(encoding="utf-8"))


def write(value, *parts):
    data_path(*parts).write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")


def main():
    model = load_pocket()
    measured = measure(model, TEST)
    write(measured, "pocket_gpt2", "measured.json")
    write(measured["heads"], "pocket_gpt2", "heads.json")
    card = data_path("pocket_gpt2", "README.md")
    tables = card_tables(measured, read("pocket_gpt2", "seeds.json"))
    card.write_text(with_tables(card.read_text(encoding="utf-8"), tables), encoding="utf-8")
    data_path("activations").mkdir(exist_ok=True)
    arrays, description = robot_sentence(model, measured["heads"])
    np.savez(data_path("activations", "robot_sentence.npz"), **arrays)
    write(description, "activations", "robot_sentence.json")
    np.savez(data_path("activations", "explored.npz"), **explored(model))
    write(held_out_story(model), "activations", "held_out_story.json")


if __name__ == "__main__":
    main()
