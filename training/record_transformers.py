"""Record what Hugging Face's transformers computes on the pocket model, for a test without torch.

`python -m training.record_transformers` (needs torch and transformers) writes
tests/data/transformers_pocket.npz: token ids, the logits of the last token of each prompt, and
for the robot sentence the logits of all tokens and the attention weights of all heads.
"""

import random
from pathlib import Path

import numpy as np
import torch
import transformers

from illustrated_attention.data import data_path
from illustrated_attention.gpt2_files import load_pocket
from training.evaluate import SENTENCE
from training.grammar import tell

HOME = Path(__file__).parent.parent / "tests" / "data" / "transformers_pocket.npz"


def main():
    model = load_pocket()
    network = transformers.GPT2LMHeadModel.from_pretrained(
        data_path("pocket_gpt2"), dtype=torch.float32, attn_implementation="eager"
    ).eval()
    rng = random.Random("transformers")
    prompts = [model.encode(tell(rng).text) for _ in range(4)]
    prompts.append(random.Random(0).choices(range(model.config["vocab_size"]), k=256))
    with torch.no_grad():
        last = [network(torch.tensor([ids])).logits[0, -1].numpy() for ids in prompts]
        sentence = model.encode(SENTENCE)
        out = network(torch.tensor([sentence]), output_attentions=True)
    np.savez_compressed(
        HOME,
        prompts=np.array([ids + [-1] * (256 - len(ids)) for ids in prompts], dtype=np.int16),
        last_logits=np.array(last),
        sentence=np.array(sentence, dtype=np.int16),
        sentence_logits=out.logits[0].numpy(),
        sentence_weights=np.stack([w[0].numpy() for w in out.attentions]),
        versions=np.array([torch.__version__, transformers.__version__]),
    )


if __name__ == "__main__":
    main()
