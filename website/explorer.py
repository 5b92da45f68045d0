"""What the explorer on the website's first page shows: computed beforehand, by the pocket model."""

import numpy as np

from autograder.exercises.reference import reference
from illustrated_attention.figures.words import token_label
from illustrated_attention.gpt2_files import load_pocket
from illustrated_attention.language import _, together
from illustrated_attention.widgets.attention_steps import Switches
from illustrated_attention.widgets.explored import Model

SENTENCES = (
    "A robot must obey the orders given it by humans. It",
    "A dog must obey the orders given it by humans. It",
    "A kettle must obey the rules given it by children. It",
    "Tom found a bell. Ada liked it. She",
    "Tom found a bell. Ada liked it. He",
    "Mia loved a kite and some bees. She",
    "Mia loved a kite and some bees. They",
    "A robot heard some bees behind the hill. It",
    "Once there were some stars and a cat. They",
    "Once there were some stars and a cat. It",
    "Some laws came. Then a cat came. It",
    "A song: pa so lo. Again: pa so",
)
WORDS = 5


def explored() -> dict:
    """Return all that the page needs, as plain data.

    Returns
    -------
    dict
        ``heads`` and ``layers``: how many. ``sentences``: for each its ``text``, its ``tokens``,
        ``weights`` as whole per mille, [layer][head][query][key] for the keys up to the query, and
        ``next``: for "all heads on" and for each single head off (its number is
        ``1 + layer * heads + head``), for each query the likeliest words with their per mille.
    """
    model = load_pocket()
    functions = {name: reference(name) for name in Model.NEEDED}
    sentences = []
    for text in SENTENCES:
        seen = Model(functions, model, text)
        count = len(seen.tokens)
        weights = [
            [
                [
                    [round(1000 * float(weight)) for weight in steps.weights[query][: query + 1]]
                    for query in range(count)
                ]
                for steps in (seen.steps(layer, head, Switches(), 0) for head in range(seen.n_head))
            ]
            for layer in range(seen.n_layer)
        ]
        off = [frozenset[tuple[int, int]]()] + [
            frozenset({(layer, head)})
            for layer in range(seen.n_layer)
            for head in range(seen.n_head)
        ]
        following = [
            [_likeliest(seen, seen.next_words(query, Switches(off=one))) for query in range(count)]
            for one in off
        ]
        tokens = [token_label(token) for token in seen.tokens]
        sentences.append({"text": text, "tokens": tokens, "weights": weights, "next": following})
    return {"layers": seen.n_layer, "heads": seen.n_head, "sentences": sentences}


def words() -> dict[str, str]:
    """Return what the page's explorer says, in the language that is spoken now."""
    attention = _(
        "In layer {layer}, head {head}, “{token}” gives {share} of its attention to “{key}”."
    )
    expects = _("The model expects “{next}” ({chance}).")
    instead = _(
        "With this head off, the model expects “{next}” ({chance}); "
        "with it, “{before}” ({chance_before})."
    )
    return {
        "percent": _("{number} %"),
        "sentence": _("Sentence"),
        "token": _("Token"),
        "layer": _("Layer"),
        "head": _("Head"),
        "off": _("Switch this head off"),
        "looks": _("What “{token}” looks at"),
        "next": _("After “{token}”, the model expects"),
        "said": together(attention, expects),
        "said_off": together(attention, instead),
    }


def _likeliest(seen, chances):
    best = np.argsort(-chances)[:WORDS]
    return [
        [word, round(1000 * float(chances[i]))]
        for word, i in zip(seen.words(best), best, strict=True)
    ]
