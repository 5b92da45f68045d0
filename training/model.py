"""GPT-2 in PyTorch, its parameters named and laid out as Hugging Face's GPT2Model has them."""

import torch
from torch import nn
from torch.nn import functional


class Linear(nn.Module):
    """x @ weight + bias with weight [in, out], the layout of GPT-2's own files."""

    def __init__(self, n_in, n_out, std=0.02):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(n_in, n_out) * std)
        self.bias = nn.Parameter(torch.zeros(n_out))

    def forward(self, x):
        return x @ self.weight + self.bias


class Attention(nn.Module):
    def __init__(self, n_embd, n_head, std):
        super().__init__()
        self.n_head = n_head
        self.c_attn = Linear(n_embd, 3 * n_embd)
        self.c_proj = Linear(n_embd, n_embd, std)

    def forward(self, x):
        batch, length, width = x.shape
        q, k, v = (
            part.view(batch, length, self.n_head, -1).transpose(1, 2)
            for part in self.c_attn(x).chunk(3, -1)
        )
        z = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.c_proj(z.transpose(1, 2).reshape(batch, length, width))


class MLP(nn.Module):
    def __init__(self, n_embd, std):
        super().__init__()
        self.c_fc = Linear(n_embd, 4 * n_embd)
        self.c_proj = Linear(4 * n_embd, n_embd, std)

    def forward(self, x):
        return self.c_proj(functional.gelu(self.c_fc(x), approximate="tanh"))


class Block(nn.Module):
    def __init__(self, n_embd, n_head, std):
        super().__init__()
        self.ln_1, self.attn = nn.LayerNorm(n_embd), Attention(n_embd, n_head, std)
        self.ln_2, self.mlp = nn.LayerNorm(n_embd), MLP(n_embd, std)

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class GPT2(nn.Module):
    """ids [batch, length] to logits [batch, length, vocab_size]."""

    def __init__(self, vocab_size, n_positions, n_embd, n_head, n_layer):
        super().__init__()
        std = 0.02 / (2 * n_layer) ** 0.5  # what enters the residual stream, as in GPT-2
        self.wte = nn.Embedding(vocab_size, n_embd)
        self.wpe = nn.Embedding(n_positions, n_embd)
        self.h = nn.ModuleList(Block(n_embd, n_head, std) for _ in range(n_layer))
        self.ln_f = nn.LayerNorm(n_embd)
        nn.init.normal_(self.wte.weight, std=0.02)
        with torch.no_grad():
            self.wpe.weight.copy_(sinusoids(n_positions, n_embd))

    def forward(self, ids):
        x = self.wte(ids) + self.wpe.weight[: ids.shape[1]]
        for block in self.h:
            x = block(x)
        return self.ln_f(x) @ self.wte.weight.T


def sinusoids(n_positions, n_embd):
    """Where the position embeddings start; they are then learned, as in GPT-2.

    Looking one token back is then one linear map for all positions from the first step on. From
    random positions a model this small does not learn it in the time that we give it.
    """
    half = n_embd // 2
    frequencies = (2 * n_positions) ** (-torch.arange(half) / half)
    angles = torch.arange(n_positions)[:, None] * frequencies
    return 0.02 * 2**0.5 * torch.cat([angles.sin(), angles.cos()], 1)
