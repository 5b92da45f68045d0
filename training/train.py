"""Train a pocket GPT-2 on robot stories: `python -m training.train --seed 1 --out runs/seed1`.

One thread on a CPU, so that a seed gives the same weights on the same machine and versions. It
writes model.safetensors (float16, Hugging Face's names), config.json, tokenizer.json and
training.json (settings, versions, losses).
"""

import argparse
import hashlib
import json
import math
import os
import platform
import random
import time
from pathlib import Path

os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1", RAYON_NUM_THREADS="1")

import numpy as np
import safetensors
import tokenizers
import torch
from safetensors.torch import save_file
from torch.nn import functional

from training.grammar import tell
from training.model import GPT2
from training.tokenizer import train_tokenizer

SHAPE = {"n_layer": 4, "n_head": 4, "n_embd": 128, "n_positions": 256}
VOCAB_SIZE = 1152  # more than the stories need: every word becomes one token
STORIES, VALIDATION_STORIES = 110_000, 1_500
STEPS, BATCH = 4_800, 4
LEARNING_RATE, WARM_UP, LAST_RATE = 2e-3, 0.05, 0.02
WEIGHT_DECAY, BETAS, CLIP = 0.1, (0.9, 0.98), 1.0


def rows_of(stories, length):
    """Stories end to end, an end-of-text token (id 0) before each, cut into rows of length.

    Every row starts with an end-of-text token and a new story; what is left of a row's last story
    is dropped.
    """
    rows, row = [], []
    for ids in stories:
        row += [0, *ids]
        if len(row) >= length:
            rows.append(row[:length])
            row = []
    return np.array(rows, dtype=np.int64)


def learning_rate(step, steps):
    """A short warm-up, then a cosine down to LAST_RATE of the peak."""
    done = step / steps
    cosine = LAST_RATE + (1 - LAST_RATE) * 0.5 * (1 + math.cos(math.pi * done))
    return LEARNING_RATE * cosine * min(1, (step + 1) / (WARM_UP * steps))


def mean_loss(net, rows):
    """Nats a token."""
    with torch.no_grad():
        return sum(
            functional.cross_entropy(net(b[:, :-1]).flatten(0, 1), b[:, 1:].flatten()).item()
            * len(b)
            for b in rows.split(25)
        ) / len(rows)


def train(seed, steps=STEPS):
    """Train one model; returns (network, tokenizer, record)."""
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(seed)
    rng = random.Random(f"training {seed}")
    texts = [tell(rng).text for _ in range(STORIES)]
    rng = random.Random("validation")
    validation = [tell(rng) for _ in range(VALIDATION_STORIES)]
    rng = random.Random("tokenizer")  # the same tokenizer for every seed
    tokenizer = train_tokenizer([tell(rng).text for _ in range(20_000)], VOCAB_SIZE)

    def encode(stories):
        return [encoding.ids for encoding in tokenizer.encode_batch(stories)]

    length = SHAPE["n_positions"] + 1
    rows = rows_of(encode(texts), length)
    validation_ids = encode([story.text for story in validation])
    validation_rows = torch.from_numpy(rows_of(validation_ids, length)[:150])
    n_tokens = sum(len(ids) + 1 for ids in validation_ids)
    entropy = -sum(story.log_probability for story in validation) / n_tokens

    net = GPT2(vocab_size=tokenizer.get_vocab_size(), **SHAPE)
    parameters = list(net.parameters())
    print(sum(p.numel() for p in parameters), "parameters,", rows.shape, "rows", flush=True)
    optimizer = torch.optim.AdamW(
        [
            {"params": [p for p in parameters if p.dim() > 1], "weight_decay": WEIGHT_DECAY},
            {"params": [p for p in parameters if p.dim() == 1], "weight_decay": 0.0},
        ],
        betas=BETAS,
        fused=True,
    )
    shuffle = np.random.default_rng(seed)
    order: list[int] = []
    losses, start = [], time.time()
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, steps)
        if len(order) < BATCH:
            order = list(shuffle.permutation(len(rows)))
        batch = torch.from_numpy(rows[[order.pop() for _ in range(BATCH)]])
        loss = functional.cross_entropy(net(batch[:, :-1]).flatten(0, 1), batch[:, 1:].flatten())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, CLIP)
        optimizer.step()
        if step % 400 == 0 or step == steps - 1:
            losses.append([step, round(loss.item(), 4), round(mean_loss(net, validation_rows), 4)])
            print(*losses[-1], f"{time.time() - start:.0f} s", flush=True)
    record = {
        "seed": seed,
        "steps": steps,
        "parameters": sum(p.numel() for p in parameters),
        "training_tokens": steps * BATCH * SHAPE["n_positions"],
        "loss_after_step_training_validation": losses,
        "entropy_of_the_language_at_most": round(entropy, 4),
        "minutes": round((time.time() - start) / 60, 1),
        "settings": {
            "stories": STORIES,
            "batch": BATCH,
            "learning_rate": LEARNING_RATE,
            "warm_up": WARM_UP,
            "last_rate": LAST_RATE,
            "weight_decay": WEIGHT_DECAY,
            "betas": BETAS,
            "clip": CLIP,
        },
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
            "safetensors": safetensors.__version__,
            "tokenizers": tokenizers.__version__,
            "machine": platform.machine(),
        },
    }
    return net, tokenizer, record


def save(net, tokenizer, record, folder):
    """Write the model as Hugging Face does, with float16 weights."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: t.detach().half().contiguous() for name, t in net.state_dict().items()}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {
        "model_type": "gpt2",
        "architectures": ["GPT2LMHeadModel"],
        "vocab_size": tokenizer.get_vocab_size(),
        **SHAPE,
        "activation_function": "gelu_new",
        "layer_norm_epsilon": 1e-5,
        "bos_token_id": 0,
        "eos_token_id": 0,
        "tie_word_embeddings": True,
    }
    record["sha256"] = {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
        for name in ("model.safetensors", "tokenizer.json")
    }
    for name, value in (("config.json", config), ("training.json", record)):
        (folder / name).write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=STEPS)
    arguments = parser.parse_args()
    net, tokenizer, record = train(arguments.seed, arguments.steps)
    save(net, tokenizer, record, arguments.out)
