#!/usr/bin/env python3
"""The peer of bench_caption: Pillow, ONNX Runtime for the encoder, PyTorch for the decoder.

    peer_captioner.py MODEL.safetensors [BEAM] < NAMES

Captions the image files named one a line with a limn model's weights (f32, f16 or int8,
computed in f32), the same beam search, key/value cache and all beams as one batch, on one thread. Prints each
stage's milliseconds and captions a second, and with -v before BEAM each caption.
Needs python3 with numpy, onnx, onnxruntime, pillow, safetensors and torch; the product does not.
"""
import io
import sys
import time

import numpy as np
import torch

import peer_onnx
from peer_weights import Weights

START, END, BANNED = 1, 2, [0, 1, 3]
F = torch.nn.functional


class Decoder:
    """The transformer of models/MODEL.md, one token at a time."""

    def __init__(self, weights):
        config = weights.metadata("config")["decoder"]
        self.w = {k: torch.from_numpy(v) for k, v in weights.all_of("decoder.").items()}
        self.n_layers, self.dim, self.n_heads = config["layers"], config["dim"], config["heads"]

    def linear(self, x, name):
        return F.linear(x, self.w[name + ".weight"], self.w[name + ".bias"])

    def norm(self, x, name):
        return F.layer_norm(x, (self.dim,), self.w[name + ".weight"], self.w[name + ".bias"], 1e-5)

    def heads(self, x):
        """[rows, positions, dim] to [rows, heads, positions, dim / heads]."""
        return x.view(x.shape[0], x.shape[1], self.n_heads, -1).transpose(1, 2)

    def begin(self, features):
        memory = self.linear(features, "memory.project") + self.w["memory.position_embedding"]
        memory = self.norm(memory, "memory.norm")[None]
        self.cross = [[self.heads(self.linear(memory, f"layers.{i}.cross_attention.{part}"))
                       for part in ("key", "value")] for i in range(self.n_layers)]
        self.cache = [None] * self.n_layers
        self.position = 0

    def attend(self, x, layer, kind, q, k, v):
        y = F.scaled_dot_product_attention(self.heads(q), k, v)
        return x + self.linear(y.transpose(1, 2).reshape(x.shape), f"layers.{layer}.{kind}.output")

    def self_attention(self, x, i, parents):
        name = f"layers.{i}.self_attention"
        h = self.norm(x, name + "_norm")
        k, v = (self.heads(self.linear(h, f"{name}.{part}")) for part in ("key", "value"))
        if self.cache[i] is not None:
            k, v = (torch.cat([old[parents], new], 2) for old, new in zip(self.cache[i], (k, v)))
        self.cache[i] = (k, v)
        return self.attend(x, i, "self_attention", self.linear(h, name + ".query"), k, v)

    def step(self, parents, tokens):
        x = self.w["token_embedding.weight"][tokens] * self.dim ** 0.5
        x = (x + self.w["position_embedding"][self.position])[:, None]
        self.position += 1
        for i in range(self.n_layers):
            x = self.self_attention(x, i, parents)
            name = f"layers.{i}.cross_attention"
            k, v = (t.expand(len(tokens), -1, -1, -1) for t in self.cross[i])
            q = self.linear(self.norm(x, name + "_norm"), name + ".query")
            x = self.attend(x, i, "cross_attention", q, k, v)
            name = f"layers.{i}.feed_forward"
            h = F.gelu(self.linear(self.norm(x, name + "_norm"), name + ".up"))
            x = x + self.linear(h, name + ".down")
        logits = self.norm(x[:, 0], "norm") @ self.w["token_embedding.weight"].T
        logits[:, BANNED] = -torch.inf
        return torch.log_softmax(logits, -1)


def search(decoder, size, max_steps, penalty):
    """Beam search as the reference captioner has it: the best (score, tokens)."""
    parents, tokens = torch.tensor([0]), torch.tensor([START])
    sums, paths, finished = torch.zeros(1), [[]], []
    for n in range(1, max_steps + 1):
        total = sums[:, None] + decoder.step(parents, tokens)
        best, at = total.view(-1).topk(2 * size)
        rows, words = (at // total.shape[1]).tolist(), (at % total.shape[1]).tolist()
        keep = []
        for j, (row, word) in enumerate(zip(rows, words)):
            if len(keep) == size:
                break
            if word == END:
                finished.append((best[j].item() / n ** penalty, paths[row]))
            else:
                keep.append(j)
        finished = sorted(finished, key=lambda f: -f[0])[:size]
        paths = [paths[rows[j]] + [words[j]] for j in keep]
        parents = torch.tensor([rows[j] for j in keep])
        tokens = torch.tensor([words[j] for j in keep])
        sums = best[keep]
        if len(finished) == size and sums[0].item() / max_steps ** penalty <= finished[-1][0]:
            return finished[0]
    if len(finished) < size:
        finished += [(s.item() / max_steps ** penalty, p) for s, p in zip(sums, paths)]
    return max(finished, key=lambda f: f[0])


def main():
    arguments = [a for a in sys.argv[1:] if a != "-v"]
    if not 1 <= len(arguments) <= 2:
        sys.exit(__doc__)
    size = int(arguments[1]) if len(arguments) > 1 else 3
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    weights = Weights(arguments[0])
    config, vocabulary = weights.metadata("config"), weights.metadata("vocabulary")
    session = peer_onnx.open_session(peer_onnx.build(arguments[0])[0], 1)
    decoder = Decoder(weights)
    names = sys.stdin.read().split("\n")[:-1]
    images = [open(name, "rb").read() for name in names]
    spent = np.zeros(3)
    for i, data in enumerate(images[:1] + images):  # the first one twice: it warms up
        times = [time.perf_counter()]
        x = peer_onnx.prepare(io.BytesIO(data), config["encoder"])
        times.append(time.perf_counter())
        features = session.run(None, {"input": x})[0]
        times.append(time.perf_counter())
        decoder.begin(torch.from_numpy(features[0].reshape(features.shape[1], -1).T.copy()))
        score, tokens = search(decoder, size, config["search"]["max_steps"],
                               config["search"]["length_penalty"])
        times.append(time.perf_counter())
        if i > 0:
            spent += np.diff(times)
        if i > 0 and "-v" in sys.argv:
            print(names[i - 1], " ".join(vocabulary[t] for t in tokens), f"{score:.5f}", sep="\t")
    load_ms, encoder_ms, decoder_ms = spent * 1e3 / len(names)
    print(f"{len(names)} images, each: loading {load_ms:.2f} ms, encoder {encoder_ms:.2f} ms, "
          f"decoder {decoder_ms:.2f} ms")
    print(f"{len(names) / spent.sum():.1f} captions/s")


if __name__ == "__main__":
    main()
