"""Tokens a second against context length: `python -m benchmarks.pocket_model [--threads 1]`.

Measures how long one more token takes after a context of n tokens, for the pocket model and for
a model of GPT-2's own size (124M parameters, random weights): recomputing everything, with the
cache, and, where they are installed, torch with a cache and transformers' generate.

With a cache, a token must read every weight and the cached keys and values once, so the memory's
read bandwidth sets a limit; the table shows how near each comes. The bandwidth is the best that
three ways to read an array much larger than the processor's caches reach, measured before every
row. All times are the fastest of several: on a busy machine, run it again.
"""

import argparse
import os
import time

POCKET_CONTEXTS, GPT2_CONTEXTS = (16, 64, 128, 240), (16, 128, 512, 1000)
GPT2_SMALL = {"n_layer": 12, "n_head": 12, "n_embd": 768, "n_positions": 1024, "vocab_size": 50257}
NEW_TOKENS = 12


def random_params(np, config):
    """Weights of the right shapes; the time does not depend on their values."""
    from illustrated_attention.gpt2_files import parameter_shapes

    rng = np.random.default_rng(0)
    return {
        name: 0.02 * rng.standard_normal(shape, dtype=np.float32)
        for name, shape in parameter_shapes(config).items()
    }


def read_bandwidth(np):
    """Bytes a second that this process reads from memory, at best."""
    matrix = np.ones((131072, 1024), np.float32)  # 512 MiB
    vector, flat = np.ones(1024, np.float32), matrix.reshape(-1)
    times = []
    for read in (lambda: matrix @ vector, lambda: np.dot(flat, flat), lambda: flat.max()):
        for _ in range(4):
            start = time.perf_counter()
            read()
            times.append(time.perf_counter() - start)
    return matrix.nbytes / min(times)


def bytes_a_token(config, params, context):
    """What one token with a cache must read: the weights (but for embeddings), keys, values."""
    weights = sum(array.nbytes for name, array in params.items() if name != "wpe.weight")
    return weights + 2 * 4 * config["n_layer"] * config["n_embd"] * context


def best_time(step, n=NEW_TOKENS):
    """Seconds of the fastest of n calls of step: what other programs cost is left out."""
    step()
    times = []
    for _ in range(n):
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    return min(times)


def numpy_recompute(np, params, config, ids):
    from autograder.exercises.reference_gpt2 import last_states

    def step():
        (params["wte.weight"] @ last_states(ids, params, config)[-1]).argmax()

    return best_time(step, 5 if len(ids) < 200 or config["n_embd"] < 200 else 1)


def numpy_cache(np, params, config, ids):
    from autograder.exercises.reference_gpt2 import Cache, last_states

    cache = Cache(config)
    last_states(ids[:-1], params, config, cache)

    def step():
        (params["wte.weight"] @ last_states(ids[-1:], params, config, cache)[-1]).argmax()

    return best_time(step)


def torch_cache(params, config, ids):
    """The same steps in torch, with its fused attention and a cache of fixed room."""
    import torch
    from torch.nn.functional import gelu, layer_norm, scaled_dot_product_attention

    p = {name: torch.from_numpy(array) for name, array in params.items()}
    n_head, width, length = config["n_head"], config["n_embd"], 0
    room = (config["n_layer"], 2, n_head, config["n_positions"], width // n_head)
    stored = torch.empty(room)

    def forward(new):
        nonlocal length
        end = length + len(new)
        x = p["wte.weight"][new] + p["wpe.weight"][length:end]
        for i in range(config["n_layer"]):
            h = f"h.{i}."
            normed = layer_norm(x, (width,), p[h + "ln_1.weight"], p[h + "ln_1.bias"])
            qkv = torch.addmm(p[h + "attn.c_attn.bias"], normed, p[h + "attn.c_attn.weight"])
            q, k, v = (
                y.view(-1, n_head, width // n_head).transpose(0, 1) for y in qkv.chunk(3, -1)
            )
            stored[i, 0, :, length:end], stored[i, 1, :, length:end] = k, v
            z = scaled_dot_product_attention(
                q[None],
                stored[i, 0, None, :, :end],
                stored[i, 1, None, :, :end],
                is_causal=len(new) > 1,
            )[0]
            z = z.transpose(0, 1).reshape(-1, width)
            x = x + torch.addmm(p[h + "attn.c_proj.bias"], z, p[h + "attn.c_proj.weight"])
            normed = layer_norm(x, (width,), p[h + "ln_2.weight"], p[h + "ln_2.bias"])
            hidden = torch.addmm(p[h + "mlp.c_fc.bias"], normed, p[h + "mlp.c_fc.weight"])
            x = x + torch.addmm(
                p[h + "mlp.c_proj.bias"],
                gelu(hidden, approximate="tanh"),
                p[h + "mlp.c_proj.weight"],
            )
        length = end
        x = layer_norm(x[-1], (width,), p["ln_f.weight"], p["ln_f.bias"])
        return int((p["wte.weight"] @ x).argmax())

    with torch.inference_mode():
        forward(torch.tensor(ids[:-1]))
        last = torch.tensor(ids[-1:])
        return best_time(lambda: forward(last))


def transformers_generate(params, config, ids):
    """generate() with its cache: the time of many new tokens less that of one, a token."""
    import torch
    import transformers

    settings = transformers.GPT2Config(
        vocab_size=config["vocab_size"],
        n_positions=config["n_positions"],
        n_embd=config["n_embd"],
        n_layer=config["n_layer"],
        n_head=config["n_head"],
        bos_token_id=0,
        eos_token_id=0,
    )
    model = transformers.GPT2LMHeadModel(settings).eval()
    missing = model.transformer.load_state_dict(
        {name: torch.from_numpy(array) for name, array in params.items()}, strict=False
    ).missing_keys
    assert not [name for name in missing if not name.endswith("attn.bias")], missing
    prompt = torch.tensor([ids])

    def seconds(n):
        def step():
            model.generate(
                prompt,
                attention_mask=torch.ones_like(prompt),
                do_sample=False,
                min_new_tokens=n,
                max_new_tokens=n,
                pad_token_id=0,
            )

        return best_time(step, 3)

    return (seconds(1 + NEW_TOKENS) - seconds(1)) / NEW_TOKENS


def installed(*names):
    from importlib.util import find_spec

    return all(find_spec(name) for name in names)


def table(np, title, params, config, contexts, limited):
    """Print tokens a second; if limited also the bandwidth's limit, and the share of it reached."""
    ways = {
        "recompute": lambda ids: numpy_recompute(np, params, config, ids),
        "cache": lambda ids: numpy_cache(np, params, config, ids),
    }
    if installed("torch"):
        ways["torch"] = lambda ids: torch_cache(params, config, ids)
    if installed("torch", "transformers"):
        ways["transformers"] = lambda ids: transformers_generate(params, config, ids)
    rng = np.random.default_rng(1)
    rates, bandwidth = {}, 0
    for context in contexts:
        if limited:
            bandwidth = max(bandwidth, read_bandwidth(np))
        ids = rng.integers(1, config["vocab_size"], context).tolist()
        rates[context] = [1 / way(ids) for way in ways.values()]
    print(f"\n{title}: tokens a second")
    if limited:
        print(f"memory read at {bandwidth / 1e9:.1f} GB/s; in brackets the share of its limit")
    print("context" + "".join(f"{name:>16}" for name in ways) + "           limit" * limited)
    for context, row in rates.items():
        cells = [f"{rate:,.0f}" for rate in row]
        if limited:
            limit = bandwidth / bytes_a_token(config, params, context)
            cells = [f"{rate:,.1f} ({rate / limit:.0%})" for rate in row] + [f"{limit:,.1f}"]
        print(f"{context:>7}" + "".join(f"{cell:>16}" for cell in cells))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    threads = parser.parse_args().threads
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(threads)  # before NumPy is imported: OpenBLAS reads it only then
    import numpy as np

    from illustrated_attention.gpt2_files import load_pocket

    print(f"{threads} thread(s), float32, NumPy {np.__version__}")
    if installed("torch"):
        import torch

        torch.set_num_threads(threads)
        print("torch", torch.__version__)
    pocket = load_pocket()
    title = "Pocket model (its 4 MB fit into the processor's caches: memory sets no limit)"
    table(np, title, pocket.params, pocket.config, POCKET_CONTEXTS, limited=False)
    gpt2 = random_params(np, GPT2_SMALL)
    title = f"GPT-2 small's shape, {sum(a.size for a in gpt2.values()):,} random parameters"
    table(np, title, gpt2, GPT2_SMALL, GPT2_CONTEXTS, limited=True)


if __name__ == "__main__":
    main()
