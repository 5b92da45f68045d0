"""What the explorer looks into: arrays of a lesson, a whole GPT-2 and any sentence, or a record."""

import numpy as np

from illustrated_attention.data import data_path
from illustrated_attention.figures.needs import NotDrawn, axes, need_array, need_tokens
from illustrated_attention.language import _, listed
from illustrated_attention.widgets.attention_steps import (
    attend,
    attend_cached,
    from_scores,
    recorded_steps,
)

LONGEST = 16  # tokens: more rows would no longer be seen at once
SENTENCES = (
    "A robot must obey the orders given it by humans. It",
    "A dog must obey the orders given it by humans. It",
    "Tom found a bell. Ada liked it. She",
)


class Arrays:
    """Queries, keys and values of a lesson, or its scores alone.

    Parameters
    ----------
    functions : dict of str to callable
    tokens : list of str, length T
    layers : list of (q, k, v), or None
        Each [T, d], or [H, T, d] with heads.
    scores : ndarray, [T, T], or None
        Instead of queries and keys.
    """

    def __init__(self, functions, tokens, layers, scores):
        self.functions, self.tokens = functions, need_tokens(tokens)
        n = len(self.tokens)
        if n > LONGEST:
            raise NotDrawn(_too_long(n))
        self.cached = "append_kv" in functions
        if layers is None:
            self.scores, self.layers, self.n_layer, self.n_head = (
                need_array(scores, "scores", (n, n)),
                None,
                1,
                1,
            )
            return
        self.scores, self.layers = None, []
        for parts in layers:
            heads = axes(parts[0]) == 3
            names = zip("qkv", parts, strict=True)
            shape = ("H", n, "d") if heads else (n, "d")
            arrays = [need_array(part, name, shape) for name, part in names]
            if arrays[0].shape != arrays[1].shape:
                text = _("q and k must have the same shape, but yours have {q} and {k}.")
                raise NotDrawn(text.format(q=arrays[0].shape, k=arrays[1].shape))
            self.layers.append([a.copy() if heads else a[None].copy() for a in arrays])
        self.n_layer, self.n_head = len(self.layers), len(self.layers[0][0])

    def steps(self, layer, head, switches, query):
        """Return the steps of one head."""
        if self.layers is None:
            divisor = switches.divisor or 1.0
            scaled = self.scores / divisor
            return from_scores(self.functions, self.scores, scaled, divisor, None, switches)
        q, k, v = (part[head] for part in self.layers[layer])
        if self.cached:
            return attend_cached(self.functions, q, k, v, switches, query)
        return attend(self.functions, q, k, v, switches)

    def next_words(self, query, switches):
        """Return None: arrays say no next word."""


class Model:
    """A GPT-2 and a sentence, run by the learner's functions.

    Parameters
    ----------
    functions : dict of str to callable
        All of `NEEDED`.
    model : GPT2Files
    text : str
    """

    NEEDED = (
        *("embed", "layer_norm", "qkv_projection", "split_heads", "scaled_scores"),
        *("causal_mask", "masked_softmax", "weighted_sum", "merge_heads", "project", "mlp"),
    )
    cached = False

    def __init__(self, functions, model, text):
        missing = [name for name in self.NEEDED if name not in functions]
        if missing:
            text = _("To run a whole model, explore also needs your {names}.")
            raise NotDrawn(text.format(names=listed(missing)))
        self.functions, self.model = functions, model
        self.n_layer, self.n_head = model.config["n_layer"], model.config["n_head"]
        self.read(text)

    def read(self, text):
        """Take another sentence."""
        ids = self.model.encode(text)
        if len(ids) < 2:
            raise NotDrawn(_("Write a word or more."))
        if len(ids) > LONGEST:
            raise NotDrawn(_too_long(len(ids)))
        self.ids, self.tokens, self.text = np.array(ids), self.model.tokens(ids), text
        self._done = {}

    def steps(self, layer, head, switches, _query):
        """Return the steps of one head."""
        return self._run(switches)[0][layer][head]

    def next_words(self, query, switches):
        """Return the probabilities of all words after the query's token."""
        return self._run(switches)[1][query]

    def words(self, ids):
        """Return the words of some ids."""
        return self.model.tokens(ids)

    def _run(self, switches):
        if switches not in self._done:
            self._done = {**self._done, switches: self._forward(switches)}
        return self._done[switches]

    def _forward(self, switches):
        """Return the steps of every head, and the probabilities after every token."""
        f, params, n = self.functions, self.model.params, len(self.ids)
        width = params["wte.weight"].shape[1]

        def whole(name, *args):
            return need_array(
                f[name](*args), _("what {name} returns").format(name=name), (n, width), name
            )

        x = whole("embed", self.ids, params["wte.weight"], params["wpe.weight"])
        every = []
        for layer in range(self.n_layer):
            own = {
                name.removeprefix(f"h.{layer}."): array
                for name, array in params.items()
                if name.startswith(f"h.{layer}.")
            }
            normed = whole("layer_norm", x, own["ln_1.weight"], own["ln_1.bias"])
            steps = self._heads(normed, own, switches)
            z = np.stack(
                [
                    0 * one.out if (layer, head) in switches.off else one.out
                    for head, one in enumerate(steps)
                ]
            )
            merged = whole("merge_heads", z)
            x = x + whole("project", merged, own["attn.c_proj.weight"], own["attn.c_proj.bias"])
            normed = whole("layer_norm", x, own["ln_2.weight"], own["ln_2.bias"])
            inside = {
                name.removeprefix("mlp."): array
                for name, array in own.items()
                if name.startswith("mlp.")
            }
            x = x + whole("mlp", normed, inside)
            every.append(steps)
        x = whole("layer_norm", x, params["ln_f.weight"], params["ln_f.bias"])
        logits = x @ params["wte.weight"].T
        exp = np.exp(logits - logits.max(axis=-1, keepdims=True))
        return every, exp / exp.sum(axis=-1, keepdims=True)

    def _heads(self, normed, own, switches):
        """Return the steps of all heads of one layer."""
        f, n = self.functions, len(self.ids)
        parts = f["qkv_projection"](normed, own["attn.c_attn.weight"], own["attn.c_attn.bias"])
        if not isinstance(parts, (tuple, list)) or len(parts) != 3:
            text = _("Your {name} must return q, k and v.")
            raise NotDrawn(text.format(name="qkv_projection"))
        shape = (self.n_head, n, normed.shape[-1] // self.n_head)
        said = _("what split_heads returns")
        q, k, v = (
            need_array(f["split_heads"](part, self.n_head), said, shape, "split_heads")
            for part in parts
        )
        return [attend(f, *head, switches) for head in zip(q, k, v, strict=True)]


class Recorded:
    """What the pocket model computed for some sentences: to look at before anything is written.

    The file holds, for each sentence: ``tokens``, the words of the vocabulary that are ever among
    the likeliest, queries, keys and values [layer, head, T, d], and probabilities [T, word].
    """

    cached = False

    def __init__(self):
        self.functions: dict = {}  # none are needed: all is recorded
        path = data_path("activations", "explored.npz")
        with np.load(path) as arrays:
            self._arrays = dict(arrays)
        self.sentences = [str(text) for text in self._arrays["sentences"]]
        self.read(self.sentences[0])

    def read(self, text):
        """Take another of the recorded sentences."""
        number = self.sentences.index(text)
        names = ("tokens", "words", "q", "k", "v", "probabilities")
        tokens, words, *parts, self._chances = (self._arrays[f"{n}{number}"] for n in names)
        self.tokens, self._words, self._parts = tokens.tolist(), words.tolist(), parts
        self.text, (self.n_layer, self.n_head) = text, parts[0].shape[:2]

    @property
    def root(self):
        """The root of d."""
        return self._parts[0].shape[-1] ** 0.5

    def steps(self, layer, head, _switches, _query):
        """Return the steps of one head."""
        return recorded_steps(*(part[layer, head] for part in self._parts))

    def next_words(self, query, _switches):
        """Return the probabilities of the recorded words after the query's token."""
        return self._chances[query]

    def words(self, ids):
        """Return the words of some places in `next_words`."""
        return [self._words[i] for i in ids]


def _too_long(n):
    text = _("The explorer shows up to {most} tokens; this text has {n}.")
    return text.format(most=LONGEST, n=n)
