"""The same network in PyTorch, driven over standard input.

Each line read is {"what": "train"|"sample", "threads": n, "steps": n}; the answer is a
line with seconds per training step, or per lane and solver step. The configuration
is the first argument, as JSON.
"""

import ctypes
import json
import math
import sys
import time

import torch
from torch import nn
from torch.nn.functional import silu


class Net(nn.Module):
    def __init__(self, c):
        super().__init__()
        emb = c["Emb"]
        self.hidden, self.fourier = c["Hidden"], c["Fourier"]
        self.inp = nn.Linear(c["Dx"], self.hidden)
        self.blocks = nn.ModuleList(nn.Linear(self.hidden, self.hidden) for _ in range(c["Blocks"]))
        self.out = nn.Linear(self.hidden, c["Dout"])
        self.time = nn.Sequential(nn.Linear(1 + 2 * self.fourier, emb), nn.SiLU(), nn.Linear(emb, emb), nn.SiLU())
        self.cond = nn.Sequential(nn.Linear(c["Dc"], emb), nn.SiLU(), nn.Linear(emb, emb), nn.SiLU())
        # One product for the FiLM of all layers: the fastest form here.
        self.film = nn.Linear(2 * emb, 2 * self.hidden * (c["Blocks"] + 1), bias=False)
        self.register_buffer("k", math.pi * torch.arange(1, self.fourier + 1))

    def features(self, t):
        a = t[:, None] * self.k
        return torch.cat([2 * t[:, None] - 1, torch.sin(a), torch.cos(a)], 1)

    def trunk(self, x, film):
        h = self.hidden
        y = silu(torch.addcmul(film[..., h : 2 * h], 1 + film[..., :h], self.inp(x)))
        for l, block in enumerate(self.blocks):
            f = film[..., 2 * h * (l + 1) : 2 * h * (l + 2)]
            y = y + silu(torch.addcmul(f[..., h:], 1 + f[..., :h], block(y)))
        return self.out(y)

    def forward(self, x, t, c):
        return self.trunk(x, self.film(torch.cat([self.time(self.features(t)), self.cond(c)], 1)))


def train(w, steps):
    c, n = w["config"], w["batch"]
    torch.manual_seed(1)
    net = Net(c)
    opt = torch.optim.AdamW(net.parameters(), lr=1e-3, betas=(0.9, 0.99), foreach=True)
    average = [p.detach().clone() for p in net.parameters()]
    x, t, cond, y = torch.randn(n, c["Dx"]), torch.rand(n), torch.randn(n, c["Dc"]), torch.randn(n, c["Dout"])
    weight = torch.ones(n, c["Dout"])

    def step():
        opt.zero_grad(set_to_none=True)
        p = net(x, t, cond)
        loss = (weight * (0.5 * p * p - p * y)).mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        opt.step()
        with torch.no_grad():
            torch._foreach_mul_(average, 0.999)
            torch._foreach_add_(average, list(net.parameters()), alpha=0.001)

    for _ in range(20):
        step()
    start = time.perf_counter()
    for _ in range(steps):
        step()
    return (time.perf_counter() - start) / steps


def sample(w, steps):
    c, cases, members = w["config"], w["cases"], w["members"]
    net = Net(c).eval()
    emb = c["Emb"]
    with torch.inference_mode():
        x = torch.randn(cases, members, c["Dx"])
        cond = torch.randn(cases, c["Dc"])
        at, ac = net.film.weight[:, :emb], net.film.weight[:, emb:]
        times = torch.linspace(0, 1, steps)

        def tile():
            case = net.cond(cond) @ ac.T  # once a case
            step = net.time(net.features(times)) @ at.T  # once a step
            for s in range(steps):
                net.trunk(x, (case + step[s])[:, None, :])

        tile()
        start = time.perf_counter()
        tile()
        return (time.perf_counter() - start) / (steps * cases * members)


def set_threads(n):
    torch.set_num_threads(n)
    # Debian's PyTorch multiplies with the system's BLAS, which counts its own threads.
    try:
        ctypes.CDLL("libopenblas.so.0").openblas_set_num_threads(n)
    except (OSError, AttributeError):
        pass


def main():
    w = json.loads(sys.argv[1])
    print(json.dumps({"version": torch.__version__}), flush=True)
    for line in sys.stdin:
        q = json.loads(line)
        set_threads(q["threads"])
        f = {"train": train, "sample": sample}[q["what"]]
        print(json.dumps({"seconds": f(w, q["steps"])}), flush=True)


main()
