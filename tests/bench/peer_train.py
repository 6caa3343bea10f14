#!/usr/bin/env python3
"""The peer of bench_train: the same training step in PyTorch, and the ratio of both in one run.

    python3 tests/bench/peer_train.py build/tests/bench/bench_train [THREADS [STEPS [IMAGES]]]

The reference's configuration, made-up features and captions of the same lengths, dropout, label smoothing,
clipping, AdamW. Captions are grouped by length so that no padding is computed, as in ours; memory, keys and
values are computed once an image. Needs torch and numpy. Run it on an otherwise idle machine.
"""
import math
import re
import subprocess
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

LAYERS, DIM, HEADS, FF, POSITIONS, TOKENS, MEMORY, MEMORY_DIM = 3, 384, 8, 1536, 64, 3027, 49, 1280
DROPOUT, SMOOTHING, CAPTIONS = 0.2, 0.1, 5


def heads(x):
    return x.view(x.shape[0], x.shape[1], HEADS, DIM // HEADS).transpose(1, 2)


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.query, self.key, self.value, self.output = (nn.Linear(DIM, DIM) for _ in range(4))

    def forward(self, h, k, v, is_causal):
        y = F.scaled_dot_product_attention(heads(self.query(h)), k, v, is_causal=is_causal)
        return self.output(y.transpose(1, 2).reshape(h.shape))


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.self_attention, self.cross_attention = Attention(), Attention()
        self.norms = nn.ModuleList(nn.LayerNorm(DIM) for _ in range(3))
        self.up, self.down = nn.Linear(DIM, FF), nn.Linear(FF, DIM)
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, x, keys, values):
        h, a = self.norms[0](x), self.self_attention
        x = x + self.dropout(a(h, heads(a.key(h)), heads(a.value(h)), True))
        x = x + self.dropout(self.cross_attention(self.norms[1](x), keys, values, False))
        hidden = self.dropout(F.gelu(self.up(self.norms[2](x))))
        return x + self.dropout(self.down(hidden))


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.project, self.memory_norm = nn.Linear(MEMORY_DIM, DIM), nn.LayerNorm(DIM)
        self.memory_position = nn.Parameter(torch.randn(MEMORY, DIM) * 0.02)
        self.tokens, self.positions = nn.Embedding(TOKENS, DIM), nn.Embedding(POSITIONS, DIM)
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.norm, self.dropout = nn.LayerNorm(DIM), nn.Dropout(DROPOUT)
        nn.init.normal_(self.tokens.weight, std=DIM ** -0.5)

    def forward(self, features, groups):
        """groups: [(images [n], tokens [n, length])], one a length. The sum of losses."""
        memory = self.memory_norm(self.project(features) + self.memory_position)
        bridge = [(heads(layer.cross_attention.key(memory)), heads(layer.cross_attention.value(memory)))
                  for layer in self.layers]
        loss = 0
        for images, tokens in groups:
            x = self.tokens(tokens) * math.sqrt(DIM) + self.positions.weight[:tokens.shape[1]]
            x = self.dropout(x)
            for layer, (keys, values) in zip(self.layers, bridge):
                x = layer(x, keys[images], values[images])
            logits = self.norm(x) @ self.tokens.weight.T
            loss = loss + F.cross_entropy(logits.flatten(0, 1), tokens.flatten(), reduction="sum",
                                          label_smoothing=SMOOTHING)
        return loss


def make_batch(n_images):
    torch.manual_seed(1)
    features = torch.rand(n_images, MEMORY, MEMORY_DIM) * 6
    lengths = torch.randint(8, 17, (n_images * CAPTIONS,))
    groups = []
    for length in lengths.unique():
        captions = (lengths == length).nonzero()[:, 0]
        groups.append((captions // CAPTIONS, torch.randint(4, TOKENS, (len(captions), int(length)))))
    return features, groups, int(lengths.sum())


def peer_rate(n_threads, n_steps, n_images):
    torch.set_num_threads(n_threads)
    model = Decoder()
    adamw = torch.optim.AdamW(model.parameters(), lr=3e-4, weight_decay=0.01)
    features, groups, n_tokens = make_batch(n_images)
    best = math.inf
    for _ in range(n_steps):
        start = time.perf_counter()
        adamw.zero_grad()
        (model(features, groups) / n_tokens).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        adamw.step()
        best = min(best, time.perf_counter() - start)
    return n_tokens / best


def our_rate(program, arguments):
    out = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, check=True).stdout
    print(out, end="")
    return float(re.search(r"([\d.]+) tokens/s", out).group(1))


def main():
    arguments = [int(a) for a in sys.argv[2:]] + [2, 5, 64][len(sys.argv) - 2:]
    ours, peer = our_rate(sys.argv[1], arguments), peer_rate(*arguments)
    print(f"PyTorch {torch.__version__}: {peer:.0f} tokens/s\nratio: {ours / peer:.2f}")


main()
