"""Parameters of random numbers, in the form that GPT-2 has."""

import numpy as np

from autograder.exercises.kit import (
    FAR,
    tidy,
)


def numbered(*shape):
    """0, 1, 2 and so on: each number tells where it came from."""
    return np.arange(float(np.prod(shape))).reshape(shape)


def layer_params(width, seed, decimals=None):
    """The weights of one block, of a size that makes every part of it matter."""
    random = np.random.default_rng(seed)

    def make(*shape, about=0.0):
        array = about + random.normal(size=shape) * (0.5 if len(shape) == 2 else 0.3)
        return array if decimals is None else array.round(decimals)

    return {
        "ln_1.weight": make(width, about=1),
        "ln_1.bias": make(width),
        "attn.c_attn.weight": make(width, 3 * width),
        "attn.c_attn.bias": make(3 * width),
        "attn.c_proj.weight": make(width, width),
        "attn.c_proj.bias": make(width),
        "ln_2.weight": make(width, about=1),
        "ln_2.bias": make(width),
        "mlp.c_fc.weight": make(width, 4 * width),
        "mlp.c_fc.bias": make(4 * width),
        "mlp.c_proj.weight": make(4 * width, width),
        "mlp.c_proj.bias": make(width),
    }


def past_of_the_heads(n_past, width, n_head, seed, lead=()):
    shape = (*lead, n_head, n_past, width // n_head)
    return tuple(tidy(*shape, seed=seed + i) for i in (0, 1))


def calmer(params):
    """The same parameters with matrices that keep wide tokens near 1."""
    return {name: a / 6 if a.ndim == 2 else a for name, a in params.items()}


def random_model(n_layer, width, n_vocab, n_positions, seed, decimals=None):
    """A whole GPT-2 of random numbers, under Hugging Face's names."""
    random = np.random.default_rng(seed)

    def make(*shape, about=0.0, size=0.7):
        array = about + random.normal(size=shape) * size
        return array if decimals is None else array.round(decimals)

    params = {"wte.weight": make(n_vocab, width), "wpe.weight": make(n_positions, width)}
    for layer in range(n_layer):
        own = layer_params(width, seed=1000 * seed + layer, decimals=decimals)
        params |= {f"h.{layer}.{name}": array for name, array in own.items()}
    params |= {"ln_f.weight": make(width, about=1, size=0.3), "ln_f.bias": make(width, size=0.3)}
    return params


def long_ids(n_tokens):
    return np.random.default_rng(697).integers(0, 7, n_tokens)


LONG_MODEL = random_model(1, 4, 7, FAR + 9, seed=715)
