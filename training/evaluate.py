"""What a trained pocket model can do, and which heads do it; in NumPy, without torch.

Models are compared on stories told from the seed `VALIDATION`. The shipped model is then measured
on stories told from `TEST`, a seed that was fixed before any of the compared models was measured
and is used for nothing else.
"""

import random
from collections import Counter
from dataclasses import dataclass

import numpy as np

from autograder.exercises.reference_gpt2 import attend, forward, softmax
from training.grammar import NOTES, THINGS, tell

VALIDATION, TEST = "validation of the choice", "the shipped model, measured once"
STORIES, STORIES_FOR_ZEROING = 1000, 200
SENTENCE = "A robot must obey the orders given it"
KINDS = ("it", "gave it", "its", "they", "their", "she", "he")
NAMED_FROM = 0.5  # a head is named after what gets at least this mean weight
FORCING = "A {a} must obey the orders given it by humans. Then a {b} came. It"


@dataclass
class Case:
    """One pronoun of one story; places are token positions."""

    kind: str
    story: int  # row in the batch
    at: int
    noun_at: int
    expected: list  # ids of the words that may follow
    rival: bool  # whether another noun of the story competes


def stories(seed, n, test=True):
    """n stories that open with a pair of nouns that no training story holds."""
    rng = random.Random(seed)
    return [tell(rng, test) for _ in range(n)]


def batches(model, told, size=40):
    """Stories as arrays of ids [stories, tokens], padded on the right, with their cases."""
    encoded = [model.encode(story.text)[1:] for story in told]
    order = sorted(range(len(told)), key=lambda i: len(encoded[i]))
    word_id = {}

    def id_of(word):
        if word not in word_id:
            (word_id[word],) = model.encode(" " + word)[1:]
        return word_id[word]

    for start in range(0, len(order), size):
        chosen = order[start : start + size]
        length = 1 + max(len(encoded[i]) for i in chosen)
        ids = np.zeros((len(chosen), length), dtype=np.int64)
        lengths, cases = [], []
        for row, i in enumerate(chosen):
            ids[row, 1 : 1 + len(encoded[i])] = encoded[i]
            lengths.append(1 + len(encoded[i]))
            # Where each token ends in the text; the stories are ASCII, a byte is a character.
            ends = np.cumsum([len(model.decode([token])) for token in encoded[i]])

            def token(character, ends=ends):
                return 1 + int(np.searchsorted(ends, character, side="right"))

            for pronoun in told[i].pronouns:
                expected = [id_of(word) for word in pronoun.expected]
                cases.append(
                    Case(
                        pronoun.kind,
                        row,
                        token(pronoun.at),
                        token(pronoun.noun_at),
                        expected,
                        bool(pronoun.rivals),
                    )
                )
        yield ids, lengths, cases


def zeroing(layer, head):
    """An `attend` in which one head's output is zero."""

    def attend_without(i, q, k, v):
        z, weights = attend(i, q, k, v)
        if i == layer:
            z[:, head] = 0
        return z, weights

    return attend_without


def forcing(layer, head, row, column):
    """An `attend` in which one head's query `row` looks at `column` only."""

    def attend_forced(i, q, k, v):
        z, weights = attend(i, q, k, v)
        if i == layer:
            weights[:, head, row] = 0
            weights[:, head, row, column] = 1
            z[:, head, row] = v[:, head, column]
        return z, weights

    return attend_forced


def right_answers(model, prepared, attend=attend):
    """For each case (kind, rival, whether the likeliest of all next tokens fits)."""
    for ids, _, cases in prepared:
        logits = forward(ids, model.params, model.config, attend=attend)
        for case in cases:
            likeliest = int(logits[case.story, case.at].argmax())
            yield case.kind, case.rival, likeliest in case.expected


def shares(answers):
    """Of each kind: how many cases, and the share that was right."""
    right, total = Counter[str](), Counter[str]()
    for kind, rival, good in answers:
        for name in (kind, kind + ", with a rival") if rival else (kind,):
            right[name] += good
            total[name] += 1
    return {name: {"n": total[name], "right": right[name] / total[name]} for name in total}


def attention(model, prepared):
    """Mean weight [layer, head] of each kind of look, and the loss in nats a token."""
    shape = (model.config["n_layer"], model.config["n_head"])
    sums, counts = dict[str, np.ndarray](), Counter[str]()
    loss = n_tokens = 0
    for ids, lengths, cases in prepared:
        trace: list = []
        logits = forward(ids, model.params, model.config, trace=trace)
        weights = np.stack([layer.weights for layer in trace])  # [layer, story, head, T, T]

        def look(name, mean, n, sums=sums):
            sums[name] = sums.get(name, np.zeros(shape)) + n * mean
            counts[name] += n

        for case in cases:
            row = weights[:, case.story, :, case.at]
            look(case.kind, row[..., case.noun_at], 1)
        for story, length in enumerate(lengths):
            at = np.arange(2, length)  # from the second word on, or both looks are the same
            one = weights[:, story]
            look("previous token", one[:, :, at, at - 1].mean(-1), len(at))
            look("first token", one[:, :, at, 0].mean(-1), len(at))
            likelihood = softmax(logits[story, : length - 1].astype(np.float64))
            loss -= np.log(likelihood[np.arange(length - 1), ids[story, 1:length]]).sum()
            n_tokens += length - 1
    return {name: sums[name] / counts[name] for name in sums}, loss / n_tokens


def copying(model, n=60):
    """Sing random tunes of 6 notes twice, and see how the second singing is copied.

    Returns
    -------
    copy, previous : array [layer, head]
        Mean weight, in the second singing, from a note to what followed the same note in the
        first, and from a note to the note just before it.
    right : float
        Share of the notes that were right.
    """
    rng = random.Random("tunes")
    tunes = [rng.sample(NOTES, 6) for _ in range(n)]
    text = "A dog met some bees by the lake. A song: {0}. Again: {0}"
    ids = np.array([model.encode(text.format(" ".join(tune))) for tune in tunes])
    second = np.arange(ids.shape[1] - 6, ids.shape[1] - 1)
    first = second - 6 - len(model.encode(". Again:")[1:])
    trace: list = []
    logits = forward(ids, model.params, model.config, trace=trace)
    weights = np.stack([layer.weights for layer in trace])
    copy = weights[..., second, first + 1].mean((1, 3))
    previous = weights[..., second[1:], second[1:] - 1].mean((1, 3))
    right = logits[:, second].argmax(-1) == ids[:, second + 1]
    return copy, previous, float(right.mean())


def forced(model, layer, head):
    """Make the pronoun head look at the first of two things: does the next word follow?

    Returns
    -------
    free, followed : float
        Share of the pairs of things for which the next word is a verb of the second thing when
        the head is left alone, and of the first thing when it is forced.
    """
    pairs = [(a, b) for a in THINGS for b in THINGS if a != b]
    ids = np.array([model.encode(FORCING.format(a=a, b=b)) for a, b in pairs])
    column = model.tokens(ids[0]).index(pairs[0][0])

    def share(which, attend):
        likeliest = forward(ids, model.params, model.config, attend=attend)[:, -1].argmax(-1)
        words = model.tokens(likeliest)
        return float(np.mean([w in THINGS[p[which]][0] for w, p in zip(words, pairs, strict=True)]))

    return share(1, attend), share(0, forcing(layer, head, -1, column))


def sentence_weights(model, text=SENTENCE):
    """Tokens of a text and every head's weights [layer, head, T, T]."""
    ids = model.encode(text)
    trace: list = []
    forward(ids, model.params, model.config, trace=trace)
    return model.tokens(ids), np.concatenate([layer.weights for layer in trace])


def largest(table):
    """The head with the largest entry of a table [layer, head], as (layer, head, entry)."""
    layer, head = np.unravel_index(table.argmax(), table.shape)
    return {"layer": int(layer), "head": int(head), "weight": round(float(table.max()), 3)}


def measure(model, seed):
    """Everything that the model card reports, on fresh test stories told from seed.

    Returns
    -------
    dict
        ``right``: of each kind of pronoun, how many and the share resolved (the likeliest of all
        next tokens is a word that fits); ``heads``: which head does what; ``zeroed``: the share
        of "it" and "they" resolved with one head's output set to zero, [layer][head]; and more.
    """
    told = stories(seed, STORIES)
    prepared = list(batches(model, told))
    looks, loss = attention(model, prepared)
    copy, previous_note, copied = copying(model)
    pronoun = largest(looks["it"])
    layer, head = pronoun["layer"], pronoun["head"]
    heads = {"pronoun": pronoun}
    for name, table in (
        ("they", looks["they"]),
        ("she", looks["she"]),
        ("he", looks["he"]),
        ("previous_token", looks["previous token"]),
        ("first_token", looks["first token"]),
        ("previous_note", previous_note),
        ("copy", copy),
    ):
        heads[name] = largest(table) if table.max() >= NAMED_FROM else None

    few = list(batches(model, told[:STORIES_FOR_ZEROING]))
    zeroed: dict[str, list] = {kind: [] for kind in KINDS}
    for i in range(model.config["n_layer"]):
        rows = [
            shares(right_answers(model, few, zeroing(i, j))) for j in range(model.config["n_head"])
        ]
        for kind in KINDS:
            zeroed[kind].append([round(row[kind]["right"], 3) for row in rows])

    tokens, weights = sentence_weights(model)
    last = weights[layer, head, -1]
    free, followed = forced(model, layer, head)
    right = shares(right_answers(model, prepared))
    return {
        "stories": STORIES,
        "right": {
            name: {"n": right[name]["n"], "right": round(right[name]["right"], 4)}
            for name in sorted(right)
        },
        "loss_nats_a_token": round(float(loss), 4),
        "perplexity": round(float(np.exp(loss)), 3),
        "heads": heads,
        "largest_weight": {name: largest(table) for name, table in sorted(looks.items())}
        | {"previous note": largest(previous_note), "copy": largest(copy)},
        "notes_copied": round(copied, 3),
        "stories_for_zeroing": STORIES_FOR_ZEROING,
        "zeroed": zeroed,
        "sentence": {
            "text": SENTENCE,
            "looks_at": tokens[int(last.argmax())],
            "weight": round(float(last.max()), 3),
        },
        "forced": {"prompt": FORCING, "free": round(free, 3), "followed": round(followed, 3)},
    }


def own_and_others(table, layer, head):
    """One head's entry of a table [layer][head], and the entries of all other heads."""
    table = np.array(table)
    others = np.ones(table.shape, bool)
    others[layer, head] = False
    return float(table[layer, head]), table[others]


def criteria(measured):
    """The promises a model must keep to be shipped, each True or False."""
    right, pronoun = measured["right"], measured["heads"]["pronoun"]
    own, others = own_and_others(measured["zeroed"]["it"], pronoun["layer"], pronoun["head"])
    return {
        "98 % of it and they": min(right["it"]["right"], right["they"]["right"]) >= 0.98,
        "0.8 on the noun": pronoun["weight"] >= 0.8,
        "zeroing it collapses": own <= 0.3,
        "zeroing another does not": bool(others.min() >= 0.9),
        "the sentence looks at robot": measured["sentence"]["looks_at"] == "robot",
    }


def choose(measured):
    """The name of the model to ship, out of {name: measured}.

    The rule, fixed before any of them was measured: of those that keep all promises on the
    validation stories, the one that resolves the largest share of "she" and "he" (the lower of
    the two, in whole percent); if several do, the one with the lowest loss.
    """
    fit = [name for name in measured if all(criteria(measured[name]).values())]
    if not fit:
        raise ValueError("no model keeps all promises")

    def rank(name):
        right = measured[name]["right"]
        people = round(100 * min(right["she"]["right"], right["he"]["right"]))
        return people, -measured[name]["loss_nats_a_token"]

    return max(fit, key=rank)
