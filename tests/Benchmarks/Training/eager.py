"""The decoder of `sft` in PyTorch, eagerly: the steps of a run of ours again, with random tokens in batches of the same shapes.

Usage: eager.py RUN THREADS fp32|bf16   where RUN is the folder of an sft run (recipe.json, log.jsonl). Prints tokens per second, the median over steps.
B sequences, T tokens, C hidden size, K key/value heads of G query heads each, D head size, V vocabulary.
"""
import json
import statistics
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

run, threads, precision = sys.argv[1], int(sys.argv[2]), sys.argv[3]
torch.set_num_threads(threads)
compute = torch.bfloat16 if precision == "bf16" else torch.float32
recipe = json.load(open(f"{run}/recipe.json"))
model, options = recipe["model"], recipe["training"]
C, K = model["hidden_size"], model["key_value_heads"]
G, D, V = model["heads"] // K, C // model["heads"], 8192


class Linear(nn.Linear):
    """Weights in fp32, the product in `compute`."""

    def __init__(self, inputs, outputs):
        super().__init__(inputs, outputs, bias=False)

    def forward(self, x):
        return F.linear(x, self.weight.to(x.dtype))


class RmsNorm(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(C))

    def forward(self, x):
        return x * torch.rsqrt((x * x).mean(-1, keepdim=True) + 1e-5) * self.weight


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.q, self.k, self.v, self.o = Linear(C, C), Linear(C, K * D), Linear(C, K * D), Linear(C, C)
        self.gate, self.up, self.down = Linear(C, model["intermediate_size"]), Linear(C, model["intermediate_size"]), Linear(model["intermediate_size"], C)
        self.before, self.after = RmsNorm(), RmsNorm()

    def forward(self, x, cos, sin, mask):
        b, t, _ = x.shape
        h = self.before(x).to(compute)
        q = rotate(self.q(h).view(b, t, K, G, D).permute(0, 2, 3, 1, 4), cos, sin)
        k = rotate(self.k(h).view(b, t, K, D).transpose(1, 2), cos, sin)
        v = self.v(h).view(b, t, K, D).transpose(1, 2)
        scores = (q * D**-0.5).reshape(b, K, G * t, D).matmul(k.transpose(-1, -2))
        shares = (scores.view(b, K, G, t, t) + mask).softmax(-1).view(b, K, G * t, t)
        x = x + self.o(shares.matmul(v).view(b, K * G, t, D).transpose(1, 2).reshape(b, t, C))
        h = self.after(x).to(compute)
        return x + self.down(F.silu(self.gate(h)) * self.up(h))


def rotate(x, cos, sin):
    first, second = x.chunk(2, -1)
    return x * cos + torch.cat([-second, first], -1) * sin


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens = nn.Embedding(V, C)
        self.ngrams = nn.Embedding(model["ngrams"]["buckets"], model["ngrams"]["size"], padding_idx=0)
        self.project = Linear(model["ngrams"]["size"], C)
        self.layers = nn.ModuleList(Layer() for _ in range(model["layers"]))
        self.norm = RmsNorm()
        self.pooled = nn.Linear(C, 1)

    def forward(self, tokens, ngrams, keep):
        embeddings = self.tokens(tokens) + self.project(self.ngrams(ngrams * keep).sum(2))
        x = F.dropout(embeddings, options["embedding_dropout"])
        t = tokens.shape[1]
        angles = torch.outer(torch.arange(t), 10000 ** (-torch.arange(0, D, 2) / D)).repeat(1, 2)
        cos, sin = angles.cos().to(compute), angles.sin().to(compute)
        mask = torch.full((t, t), float("-inf"), dtype=compute).triu(1)
        for layer in self.layers:
            x = layer(x, cos, sin, mask)
        return embeddings, self.norm(x)


torch.manual_seed(1)
decoder = Decoder()
optimizer = torch.optim.AdamW(decoder.parameters(), lr=options["learning_rate"], betas=(0.9, 0.98), weight_decay=options["weight_decay"])
choices = torch.arange(64)
speeds = []
for line in open(f"{run}/log.jsonl"):
    step = json.loads(line)
    if step["event"] != "step":
        continue
    b, t, asked, texts = step["shape"]
    start = time.perf_counter()
    tokens, ngrams = torch.randint(V, (b, t)), torch.randint(model["ngrams"]["buckets"], (b, t, model["ngrams"]["orders"]))
    embeddings, hidden = decoder(tokens, ngrams, torch.rand(ngrams.shape) >= options["ngram_dropout"])
    hidden = hidden.flatten(0, 1)
    chosen = F.linear(hidden[torch.randint(b * t, (asked,))], decoder.tokens.weight[choices]).log_softmax(-1)[:, 0]
    # The large product in whole precision, as ours.
    text = F.cross_entropy(F.linear(hidden[torch.randint(b * t, (texts,))], decoder.tokens.weight), torch.randint(V, (texts,)))
    pooled = F.binary_cross_entropy_with_logits(decoder.pooled(embeddings.mean(1)).squeeze(1), torch.ones(b))
    loss = text - chosen.mean() + pooled
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(decoder.parameters(), options["max_gradient_norm"])
    loss.item()
    optimizer.step()
    speeds.append(step["tokens"] / (time.perf_counter() - start))
print(f"{statistics.median(speeds):.0f}")
