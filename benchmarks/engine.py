"""The tensor engine beside NumPy written by hand and beside its peers, as ratios.

    python benchmarks/engine.py                      # every workload, every peer that is installed
    python benchmarks/engine.py --only W2 W5 --seconds 20
    python benchmarks/engine.py --write benchmarks/results/engine.md

One thread, one process. The cases of a workload run interleaved, in a new random order each round, and the clock is
CPU time, so that other work on the machine disturbs little. Large blocks of memory stay with the process, for every
case alike (see ``keep_memory``). Where arrays happen to lie decides up to 3 % of a step: two cases with the same code
differ by that much for as long as they live. So every case is built anew eight times, at other addresses. A ratio is
the median of the ratios within rounds. Every case's gradient is compared with the hand-written one first, and a wrong
one is not timed. Start-up and compilation are excluded. Only NumPy is needed; a peer that is not installed is left out
and named.

  W2 a training step of an MLP 784-256-128-10     W6 one Jacobian-vector product of that network
  W4 sin, exp, multiply, add, sum on 1e6 entries  W8 3x3 convolution: output and three gradients
  W5 1,000 operations on 4 entries                memory, import

Beside PyTorch eager instead of NumPy by hand, in float32:

  W9 a training step of a transformer's block, attention and all      W10 a training step of a small CNN
"""

from __future__ import annotations

import os

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import argparse  # noqa: E402
import gc  # noqa: E402
import itertools  # noqa: E402
import platform  # noqa: E402
import random  # noqa: E402
import statistics  # noqa: E402
import subprocess  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402
import tracemalloc  # noqa: E402
from collections.abc import Callable  # noqa: E402
from pathlib import Path  # noqa: E402
from types import SimpleNamespace  # noqa: E402
from typing import Any  # noqa: E402

import numpy as np  # noqa: E402

sys.path.insert(0, str(Path(__file__).parent.parent))

from coursepkg import nn  # noqa: E402
from coursepkg.autodiff.catalogue import affine, conv2d, gelu, relu, softmax_cross_entropy  # noqa: E402
from coursepkg.autodiff.tensor import Tensor, no_grad  # noqa: E402
from coursepkg.gradients import jvp  # noqa: E402

HAND, OURS, EAGER = "NumPy by hand", "coursepkg", "PyTorch eager"
# Time over that of the first case, which is NumPy by hand, and PyTorch eager for W9 and W10.
BARS = {
    "W2 64": 1.10, "W2 512": 1.03, "W4 float64": 1.12, "W4 float32": 1.35, "W5": 4.0, "W6": 1.08, "W8": 1.06,
    "W9": 1.05, "W10": 1.30,
}  # fmt: skip
Case = tuple[Callable[[], Any], Callable[[Any], list[Any]]]
CASES: dict[str, dict[str, Callable[[Any], Case]]] = {}
PROBLEMS: dict[str, tuple[Callable[..., Any], list[dict[str, Any]]]] = {}
DTYPES = [{"dtype": "float64"}, {"dtype": "float32"}]
LAYOUTS = 8  # how often the cases are built anew, at other addresses


def problem(workload: str, variants: list[dict[str, Any]]) -> Callable:
    """Register what a workload computes on: a maker of arrays and its variants."""

    def register(make: Callable) -> Callable:
        PROBLEMS[workload] = make, variants
        return make

    return register


def case(workload: str, name: str) -> Callable:
    """Register one way to compute a workload: a builder of (run, read)."""

    def register(build: Callable) -> Callable:
        CASES.setdefault(workload, {})[name] = build
        return build

    return register


def arrays(results: Any) -> list[np.ndarray]:
    """Read results that are arrays already."""
    return [np.asarray(result) for result in results]


def torch_leaves(values: list[np.ndarray]) -> tuple[Any, list[Any]]:
    """Import PyTorch, on one thread, and wrap arrays."""
    import torch

    torch.set_num_threads(1)
    return torch, [torch.tensor(value, requires_grad=True) for value in values]


def jax_double() -> Any:
    """Import JAX with double precision switched on."""
    import jax

    jax.config.update("jax_enable_x64", True)
    return jax


# --- W2: a training step


@problem("W2", [{"batch": batch, **dtype} for batch in (64, 512) for dtype in DTYPES])
def training_step(batch: int, dtype: str) -> SimpleNamespace:
    """An MLP 784-256-128-10 with its batch and one tangent per parameter."""
    rng = np.random.default_rng(0)
    sizes = (784, 256, 128, 10)
    parameters = []
    for n, m in itertools.pairwise(sizes):
        parameters += [(rng.normal(size=(n, m)) * np.sqrt(2 / n)).astype(dtype), np.zeros(m, dtype)]
    return SimpleNamespace(
        x=rng.random((batch, 784)).astype(dtype),
        labels=rng.integers(0, 10, batch),
        rows=np.arange(batch),
        parameters=parameters,
        tangents=[rng.normal(size=p.shape).astype(dtype) for p in parameters],
        rate=1e-3,
        dtype=dtype,
    )


def hand_loss(z: np.ndarray, p: SimpleNamespace) -> tuple[Any, np.ndarray]:
    """Mean cross-entropy and its gradient with respect to the logits."""
    z = z - z.max(axis=1, keepdims=True)
    e = np.exp(z)
    total = e.sum(axis=1, keepdims=True)
    loss = (np.log(total[:, 0]) - z[p.rows, p.labels]).mean()
    e /= total
    e[p.rows, p.labels] -= 1
    e /= len(p.labels)
    return loss, e


def steps_taken(p: SimpleNamespace, current: Callable[[], list[Any]]) -> Callable[[Any], list[Any]]:
    """Read the gradient off the first update."""
    return lambda _: [(a - np.asarray(b)) / p.rate for a, b in zip(p.parameters, current(), strict=True)]


@case("W2", HAND)
def _(p):
    w1, b1, w2, b2, w3, b3 = parameters = [a.copy() for a in p.parameters]

    def run():
        h1 = np.maximum(p.x @ w1 + b1, 0)
        h2 = np.maximum(h1 @ w2 + b2, 0)
        loss, d3 = hand_loss(h2 @ w3 + b3, p)
        d2 = d3 @ w3.T
        d2 *= h2 > 0
        d1 = d2 @ w2.T
        d1 *= h1 > 0
        gradients = p.x.T @ d1, d1.sum(0), h1.T @ d2, d2.sum(0), h2.T @ d3, d3.sum(0)
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter -= p.rate * gradient
        return loss

    return run, steps_taken(p, lambda: parameters)


def network(p: SimpleNamespace, parameters: Any, x: Any) -> Any:
    """The network in the functions of the engine: on arrays, on tensors and on duals."""
    w1, b1, w2, b2, w3, b3 = parameters
    h = relu(affine(x, w1, b1))
    h = relu(affine(h, w2, b2))
    return softmax_cross_entropy(affine(h, w3, b3), p.labels)


@case("W2", OURS)
def _(p):
    parameters = [Tensor(a, requires_grad=True) for a in p.parameters]
    x = Tensor(p.x)  # wrapped once, as for PyTorch; the tape would copy a plain array, which its owner may change

    def run():
        loss = network(p, parameters, x)
        loss.backward()
        with no_grad():
            for parameter in parameters:
                parameter -= p.rate * parameter.grad
                parameter.grad = None
        return loss

    return run, steps_taken(p, lambda: [parameter.numpy() for parameter in parameters])


@case("W2", "PyTorch eager")
def _(p):
    torch, parameters = torch_leaves(p.parameters)
    x, labels = torch.tensor(p.x), torch.tensor(p.labels)

    def run():
        w1, b1, w2, b2, w3, b3 = parameters
        h = torch.relu(torch.relu(x @ w1 + b1) @ w2 + b2)
        loss = torch.nn.functional.cross_entropy(h @ w3 + b3, labels)
        loss.backward()
        with torch.no_grad():
            for parameter in parameters:
                parameter.add_(parameter.grad, alpha=-p.rate)
                parameter.grad = None
        return loss

    return run, steps_taken(p, lambda: [parameter.detach() for parameter in parameters])


@case("W2", "HIPS autograd")
def _(p):
    import autograd.numpy as anp
    from autograd import value_and_grad

    parameters = [a.copy() for a in p.parameters]

    def loss(parameters):
        w1, b1, w2, b2, w3, b3 = parameters
        h = anp.maximum(anp.dot(p.x, w1) + b1, 0)
        z = anp.dot(anp.maximum(anp.dot(h, w2) + b2, 0), w3) + b3
        z = z - anp.max(z, axis=1, keepdims=True)
        return anp.mean(anp.log(anp.sum(anp.exp(z), axis=1)) - z[p.rows, p.labels])

    both = value_and_grad(loss)

    def run():
        value, gradients = both(parameters)
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter -= p.rate * gradient
        return value

    return run, steps_taken(p, lambda: parameters)


@case("W2", "MyGrad")
def _(p):
    import mygrad as mg
    from mygrad.nnet.losses import softmax_crossentropy

    mg.turn_memory_guarding_off()  # its documented fast setting
    state = [[mg.tensor(a) for a in p.parameters]]

    def run():
        w1, b1, w2, b2, w3, b3 = parameters = state[0]
        h = mg.maximum(mg.matmul(p.x, w1) + b1, 0)
        h = mg.maximum(mg.matmul(h, w2) + b2, 0)
        loss = softmax_crossentropy(mg.matmul(h, w3) + b3, p.labels)
        loss.backward()
        state[0] = [mg.tensor(a.data - p.rate * a.grad, copy=False) for a in parameters]
        return loss

    return run, steps_taken(p, lambda: [a.data for a in state[0]])


def jax_network(jax: Any, p: SimpleNamespace) -> Callable[[Any], Any]:
    """The network in JAX."""

    def loss(parameters):
        w1, b1, w2, b2, w3, b3 = parameters
        h = jax.nn.relu(jax.nn.relu(p.x @ w1 + b1) @ w2 + b2)
        logs = jax.nn.log_softmax(h @ w3 + b3)
        return -jax.numpy.mean(jax.numpy.take_along_axis(logs, p.labels[:, None], 1))

    return loss


@case("W2", "jax.jit")
def _(p):
    jax = jax_double()
    both = jax.value_and_grad(jax_network(jax, p))

    @jax.jit
    def update(parameters):
        value, gradients = both(parameters)
        return value, [a - p.rate * g for a, g in zip(parameters, gradients, strict=True)]

    state = [[jax.numpy.asarray(a) for a in p.parameters]]

    def run():
        value, state[0] = jax.block_until_ready(update(state[0]))
        return value

    return run, steps_taken(p, lambda: state[0])


# --- W4: large arrays, entry by entry


@problem("W4", DTYPES)
def large_arrays(dtype: str) -> SimpleNamespace:
    """A million numbers."""
    return SimpleNamespace(x=np.random.default_rng(0).normal(size=1_000_000).astype(dtype), dtype=dtype)


@case("W4", HAND)
def _(p):
    def run():
        e = np.exp(np.sin(p.x))
        value = (e * p.x + p.x).sum()
        g = e + 1
        g += e * p.x * np.cos(p.x)
        return value, g

    return run, arrays


@case("W4", OURS)
def _(p):
    def run():
        x = Tensor.leaf(p.x, 1)
        value = np.sum(np.exp(np.sin(x)) * x + x)
        value.backward()
        return value.numpy(), x.grad

    return run, arrays


@case("W4", "PyTorch eager")
def _(p):
    torch, (x,) = torch_leaves([p.x])

    def run():
        x.grad = None
        value = (torch.exp(torch.sin(x)) * x + x).sum()
        value.backward()
        return value.detach(), x.grad

    return run, arrays


@case("W4", "HIPS autograd")
def _(p):
    import autograd.numpy as anp
    from autograd import value_and_grad

    both = value_and_grad(lambda x: anp.sum(anp.exp(anp.sin(x)) * x + x))
    return (lambda: both(p.x)), arrays


@case("W4", "MyGrad")
def _(p):
    import mygrad as mg

    def run():
        x = mg.tensor(p.x, copy=False)
        value = (mg.exp(mg.sin(x)) * x + x).sum()
        value.backward()
        return value.data, x.grad

    return run, arrays


@case("W4", "jax.jit")
def _(p):
    jax = jax_double()
    both = jax.jit(jax.value_and_grad(lambda x: (jax.numpy.exp(jax.numpy.sin(x)) * x + x).sum()))
    x = jax.numpy.asarray(p.x)
    return (lambda: jax.block_until_ready(both(x))), arrays


# --- W5: small operations


@problem("W5", DTYPES)
def small_operations(dtype: str) -> SimpleNamespace:
    """Four arrays of four entries, and how often to go through four operations."""
    rng = np.random.default_rng(0)
    x, a, b, c = (rng.normal(size=4).astype(dtype) for _ in range(4))
    return SimpleNamespace(leaves=[x, a, b, c * 0.1], repeats=250, dtype=dtype)


def small(p: SimpleNamespace, tanh: Callable, leaves: Any) -> Any:
    """Go through the operations."""
    x, a, b, c = leaves
    for _ in range(p.repeats):
        x = tanh(x * a + b) - c
    return x.sum()


@case("W5", HAND)
def _(p):
    def run():
        x, a, b, c = p.leaves
        inputs, results = [], []
        for _ in range(p.repeats):
            inputs.append(x)
            t = np.tanh(x * a + b)
            results.append(t)
            x = t - c
        value, g = x.sum(), np.ones_like(x)
        ga, gb, gc_ = np.zeros_like(a), np.zeros_like(b), np.zeros_like(c)
        for x, t in zip(reversed(inputs), reversed(results), strict=True):
            gc_ -= g
            d = g * (1 - t * t)
            gb += d
            ga += d * x
            g = d * a
        return value, g, ga, gb, gc_

    return run, arrays


@case("W5", OURS)
def _(p):
    def run():
        leaves = [Tensor.leaf(a, 1) for a in p.leaves]
        value = small(p, np.tanh, leaves)
        value.backward()
        return value.numpy(), *[leaf.grad for leaf in leaves]

    return run, arrays


@case("W5", "PyTorch eager")
def _(p):
    torch, leaves = torch_leaves(p.leaves)

    def run():
        for leaf in leaves:
            leaf.grad = None
        value = small(p, torch.tanh, leaves)
        value.backward()
        return value.detach(), *[leaf.grad for leaf in leaves]

    return run, arrays


@case("W5", "HIPS autograd")
def _(p):
    import autograd.numpy as anp
    from autograd import value_and_grad

    both = value_and_grad(lambda leaves: anp.sum(small(p, anp.tanh, leaves)))

    def run():
        value, gradients = both(p.leaves)
        return value, *gradients

    return run, arrays


@case("W5", "MyGrad")
def _(p):
    import mygrad as mg

    def run():
        leaves = [mg.tensor(a, copy=False) for a in p.leaves]
        value = small(p, mg.tanh, leaves)
        value.backward()
        return value.data, *[leaf.grad for leaf in leaves]

    return run, arrays


# --- W6: a Jacobian-vector product


PROBLEMS["W6"] = PROBLEMS["W2"]


@case("W6", HAND)
def _(p):
    def run():
        h, t = p.x, None
        last = len(p.parameters) - 2
        for k in range(0, last + 2, 2):
            (w, b), (v, c) = p.parameters[k : k + 2], p.tangents[k : k + 2]
            h, t = h @ w + b, h @ v + c if t is None else t @ w + h @ v + c
            if k < last:
                t *= h > 0
                h = np.maximum(h, 0)
        loss, g = hand_loss(h, p)
        return loss, (g * t).sum()

    return run, arrays


@case("W6", OURS)
def _(p):
    parameters, tangents = tuple(p.parameters), tuple(p.tangents)
    return (lambda: jvp(lambda q: network(p, q, p.x), parameters, tangents)), arrays


@case("W6", "torch.func.jvp")
def _(p):
    torch, _ = torch_leaves([])
    x, labels = torch.tensor(p.x), torch.tensor(p.labels)
    parameters, tangents = tuple(map(torch.tensor, p.parameters)), tuple(map(torch.tensor, p.tangents))

    def loss(w1, b1, w2, b2, w3, b3):
        h = torch.relu(torch.relu(x @ w1 + b1) @ w2 + b2)
        return torch.nn.functional.cross_entropy(h @ w3 + b3, labels)

    return (lambda: torch.func.jvp(loss, parameters, tangents)), arrays


@case("W6", "jax.jvp, jit")
def _(p):
    jax = jax_double()
    loss = jax_network(jax, p)
    run = jax.jit(lambda a, b: jax.jvp(loss, (a,), (b,)))
    parameters, tangents = [[jax.numpy.asarray(a) for a in side] for side in (p.parameters, p.tangents)]
    return (lambda: jax.block_until_ready(run(parameters, tangents))), arrays


# --- W8: convolution


@problem("W8", DTYPES)
def convolution(dtype: str) -> SimpleNamespace:
    """64 grey images, 8 kernels of 3x3, and the gradient at the output."""
    rng = np.random.default_rng(0)
    x, w, b, g = (
        rng.normal(size=shape).astype(dtype) for shape in ((64, 1, 28, 28), (8, 1, 3, 3), (8,), (64, 8, 26, 26))
    )
    return SimpleNamespace(x=x, w=w, b=b, g=g, dtype=dtype)


@case("W8", HAND)
def _(p):
    n, k, c, r = 64, 3, 8, 26

    def run():
        windows = np.lib.stride_tricks.sliding_window_view(p.x[:, 0], (k, k), axis=(1, 2))
        columns = windows.transpose(0, 3, 4, 1, 2).reshape(n, k * k, r * r)
        kernels = p.w.reshape(c, k * k)
        y = (kernels @ columns).reshape(n, c, r, r) + p.b[:, None, None]
        g = p.g.reshape(n, c, r * r)
        dw = (g @ columns.transpose(0, 2, 1)).sum(0).reshape(p.w.shape)
        blocks = (kernels.T @ g).reshape(n, k, k, r, r)
        dx = np.zeros_like(p.x)
        for i in range(k):
            for j in range(k):
                dx[:, 0, i : i + r, j : j + r] += blocks[:, i, j]
        return y, dw, g.sum((0, 2)), dx

    return run, arrays


@case("W8", OURS)
def _(p):
    def run():
        x, w, b = (Tensor.leaf(a, 1) for a in (p.x, p.w, p.b))
        y = conv2d(x, w, b)
        y.backward(p.g)
        return y.numpy(), w.grad, b.grad, x.grad

    return run, arrays


@case("W8", "PyTorch conv2d")
def _(p):
    torch, (x, w, b) = torch_leaves([p.x, p.w, p.b])
    g = torch.tensor(p.g)

    def run():
        y = torch.nn.functional.conv2d(x, w, b)
        dw, db, dx = torch.autograd.grad(y, (w, b, x), g)
        return y.detach(), dw, db, dx

    return run, arrays


@case("W8", "MyGrad")
def _(p):
    import mygrad as mg
    from mygrad.nnet.layers import conv_nd

    def run():
        x, w, b = (mg.tensor(a, copy=False) for a in (p.x, p.w, p.b.reshape(1, -1, 1, 1)))
        y = conv_nd(x, w, stride=1) + b
        y.backward(p.g)
        return y.data, w.grad, b.grad.ravel(), x.grad

    return run, arrays


# --- W9: a training step of a transformer's block


class Block(nn.Module):
    """The encoder block of the first transformers and of BERT, which normalizes after each part."""

    def __init__(self, width: int, heads: int, hidden: int, *, rng: np.random.Generator, dtype: Any) -> None:
        self.self_attn = nn.MultiheadSelfAttention(width, heads, rng=rng, dtype=dtype)
        self.linear1 = nn.Linear(width, hidden, rng=rng, dtype=dtype)
        self.linear2 = nn.Linear(hidden, width, rng=rng, dtype=dtype)
        self.norm1, self.norm2 = nn.LayerNorm(width, dtype=dtype), nn.LayerNorm(width, dtype=dtype)

    def forward(self, x: Any) -> Any:
        x = self.norm1(x + self.self_attn(x))
        return self.norm2(x + self.linear2(gelu(self.linear1(x), approximate="none")))


@problem("W9", [{"dtype": "float32"}])
def encoder_step(dtype: str) -> SimpleNamespace:
    """32 sentences of 32 tokens for a block of width 384, and the gradient at its output.

    The steps are so short that the block stays what it is: with none of it learned, softmax would saturate after some
    hundred of them, and numbers close to zero ("denormal") make OpenBLAS ten times slower.
    """
    rng = np.random.default_rng(0)
    block = Block(384, 12, 1536, rng=rng, dtype=dtype)
    x, g = (rng.normal(size=(32, 32, 384)).astype(dtype) for _ in range(2))
    parameters = [parameter.numpy().copy() for parameter in block.parameters()]
    return SimpleNamespace(x=x, g=g, block=block, parameters=parameters, rate=1e-6, dtype=dtype)


def torch_step(p: SimpleNamespace, parameters: list[Any], back: Callable[[], Any]) -> Case:
    """One step of gradient descent in PyTorch; ``back`` leaves the gradients."""
    import torch

    def run():
        back()
        with torch.no_grad():
            for parameter in parameters:
                parameter.add_(parameter.grad, alpha=-p.rate)
                parameter.grad = None

    return run, steps_taken(p, lambda: [parameter.detach() for parameter in parameters])


def our_step(p: SimpleNamespace, parameters: list[Any], back: Callable[[], Any]) -> Case:
    """The same in coursepkg, from the parameters as they were at the start."""
    for parameter, start in zip(parameters, p.parameters, strict=True):
        parameter.data = start

    def run():
        back()
        with no_grad():
            for parameter in parameters:
                parameter -= p.rate * parameter.grad
                parameter.grad = None

    return run, steps_taken(p, lambda: [parameter.numpy() for parameter in parameters])


@case("W9", EAGER)
def _(p):
    torch, parameters = torch_leaves(p.parameters)
    F = torch.nn.functional
    x, g = torch.tensor(p.x), torch.tensor(p.g)
    n, steps, width = x.shape

    def forward():
        w, b, out_w, out_b, w1, b1, w2, b2, scale1, shift1, scale2, shift2 = parameters
        query, key, value = F.linear(x, w, b).view(n, steps, 3, 12, width // 12).permute(2, 0, 3, 1, 4)
        heard = torch.softmax((query * (width // 12) ** -0.5) @ key.transpose(2, 3), -1) @ value
        y = x + F.linear(heard.transpose(1, 2).reshape(x.shape), out_w, out_b)
        y = F.layer_norm(y, (width,), scale1, shift1)
        return F.layer_norm(y + F.linear(F.gelu(F.linear(y, w1, b1)), w2, b2), (width,), scale2, shift2)

    return torch_step(p, parameters, lambda: forward().backward(g))


@case("W9", "torch.nn's layer")
def _(p):
    torch, _ = torch_leaves([])
    block = torch.nn.TransformerEncoderLayer(384, 12, 1536, dropout=0.0, activation="gelu", batch_first=True)
    parameters, x, g = list(block.parameters()), torch.tensor(p.x), torch.tensor(p.g)
    with torch.no_grad():
        for parameter, start in zip(parameters, p.parameters, strict=True):
            parameter.copy_(torch.tensor(start))
    return torch_step(p, parameters, lambda: block(x).backward(g))


@case("W9", OURS)
def _(p):
    x = Tensor(p.x)
    return our_step(p, p.block.parameters(), lambda: p.block(x).backward(p.g))


# --- W10: a training step of a small CNN


@problem("W10", [{"dtype": "float32"}])
def cnn_step(dtype: str) -> SimpleNamespace:
    """64 images of 28 x 28 for two convolutions with pooling, and a linear layer."""
    rng = np.random.default_rng(0)
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1, rng=rng, dtype=dtype), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1, rng=rng, dtype=dtype), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(16 * 7 * 7, 10, rng=rng, dtype=dtype),
    )  # fmt: skip
    x, labels = rng.random((64, 1, 28, 28)).astype(dtype), rng.integers(0, 10, 64)
    parameters = [parameter.numpy().copy() for parameter in model.parameters()]
    return SimpleNamespace(x=x, labels=labels, model=model, parameters=parameters, rate=1e-3, dtype=dtype)


@case("W10", EAGER)
def _(p):
    torch, parameters = torch_leaves(p.parameters)
    F = torch.nn.functional
    x, labels = torch.tensor(p.x), torch.tensor(p.labels)

    def loss():
        w1, b1, w2, b2, w3, b3 = parameters
        h = F.max_pool2d(torch.relu(F.conv2d(x, w1, b1, padding=1)), 2)
        h = F.max_pool2d(torch.relu(F.conv2d(h, w2, b2, padding=1)), 2)
        return F.cross_entropy(F.linear(h.flatten(1), w3, b3), labels)

    return torch_step(p, parameters, lambda: loss().backward())


@case("W10", OURS)
def _(p):
    x = Tensor(p.x)
    return our_step(p, p.model.parameters(), lambda: softmax_cross_entropy(p.model(x), p.labels).backward())


# --- running


def wrong(expected: list[np.ndarray], found: list[np.ndarray], dtype: str) -> str | None:
    """Say how far results are from the hand-written ones, if they are."""
    for a, b in zip(expected, found, strict=True):
        off = float(np.max(np.abs(a - np.asarray(b, float))) / (np.max(np.abs(a)) + 1e-12))
        if not off < (2e-2 if dtype == "float32" else 1e-6):
            return f"WRONG by {off:.1e}"
    return None


def keep_memory() -> None:
    """Have glibc keep freed blocks of up to 31 MB instead of handing them back and faulting them in again.

    By default that depends on the layout of the heap. A step of W2 in float64, batch 64, took 816 page faults by hand
    and 752 in the engine; after this, none. Freeing one large block raises the limit for the rest of the process.
    """
    np.empty(31_000_000, np.uint8)


def timed(run: Callable[[], Any], repeats: int) -> float:
    """CPU seconds of one call."""
    start = time.process_time()
    for _ in range(repeats):
        run()
    return (time.process_time() - start) / repeats


def measure(workload: str, variant: dict[str, Any], seconds: float) -> list[list[str]]:
    """Time all cases of one variant and return the rows of the report."""
    make, _ = PROBLEMS[workload]
    p = make(**variant)
    runs: dict[str, tuple[int, list[float]]] = {}  # of each case: calls in a row, seconds of one in each round
    notes: dict[str, str] = {}
    expected: list[np.ndarray] = []
    first = ""  # what the others are compared with
    for name, build in CASES[workload].items():
        try:
            run, read = build(p)
        except ImportError:
            notes[name] = "not installed"
            continue
        first = first or name
        found = [np.array(a, float) for a in read(run())]
        expected = expected or found
        if off := wrong(expected, found, variant["dtype"]):
            notes[name] = off
            continue
        for _ in range(3):
            run()
        runs[name] = max(1, int(0.004 / min(timed(run, 1) for _ in range(3)))), []
    order = random.Random(0)
    for _ in range(LAYOUTS):
        moved, built = [], {}
        for name in order.sample(list(runs), len(runs)):
            moved.append(np.empty(order.randrange(1_000, 200_000), np.uint8))
            built[name] = CASES[workload][name](p)[0]
            for _ in range(3):
                built[name]()
        gc.collect()
        gc.freeze()
        start, rounds = time.perf_counter(), 0
        while time.perf_counter() - start < seconds / LAYOUTS or rounds < 2:
            rounds += 1
            for name in order.sample(list(runs), len(runs)):
                gc.collect()
                repeats, times = runs[name]
                times.append(timed(built[name], repeats))
        gc.unfreeze()
    label = " ".join([workload, *(str(v) for v in variant.values())])
    bar = BARS[workload] if workload in BARS else BARS[f"{workload} {next(iter(variant.values()))}"]
    rows = []
    for name, (_, times) in runs.items():
        ratio = statistics.median(a / b for a, b in zip(times, runs[first][1], strict=True))
        rows.append([label, name, f"{1e3 * statistics.median(times):.3f} ms", f"{ratio:.2f}"])
        rows[-1].append(f"≤ {bar:.2f}: {'met' if ratio <= bar else 'missed'}" if name == OURS != first else "")
    return rows + [[label, name, note, "", ""] for name, note in notes.items()]


def memory() -> list[list[str]]:
    """Peak memory of a chain of 20 sines on a million numbers, beside an engine that frees nothing."""

    def peak(frees: bool) -> float:
        x = Tensor(np.linspace(0.1, 1.0, 1_000_000), requires_grad=True)
        tracemalloc.start()
        y, everything = x, []
        for _ in range(20):
            y = np.sin(y)
            if not frees:  # what an engine holds that lets go of nothing: every value and every gradient
                y.retain_grad()
                everything.append(y)
        np.sum(y).backward(retain_graph=not frees)
        found = tracemalloc.get_traced_memory()[1] / 2**20
        tracemalloc.stop()
        return found

    ours, nothing = peak(True), peak(False)
    verdict = "met" if ours <= 0.6 * nothing else "missed"
    return [
        ["memory", "frees nothing", f"{nothing:.0f} MiB", "1.00", ""],
        ["memory", OURS, f"{ours:.0f} MiB", f"{ours / nothing:.2f}", f"≤ 0.60: {verdict}"],
    ]


def imports(rounds: int = 9) -> list[list[str]]:
    """CPU time of importing the engine on top of NumPy; the bar is a quarter of NumPy's own.

    Both are loaded from byte code, as an installed package is: a first run, not counted, compiles them.
    """
    code = (
        "import time; a = time.process_time(); import numpy; b = time.process_time(); import coursepkg.gradients; "
        "print(b - a, time.process_time() - b)"
    )
    root = Path(__file__).parent.parent
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryDirectory() as compiled:
        command = [sys.executable, "-X", f"pycache_prefix={compiled}", "-c", code]
        outputs = [subprocess.check_output(command, cwd=root, env=environment, text=True) for _ in range(1 + rounds)]
    found = [[float(v) for v in output.split()] for output in outputs[1:]]
    base, ours = (statistics.median(column) for column in zip(*found, strict=True))
    verdict = "met" if ours <= 0.25 * base else "missed"
    return [
        ["import", "NumPy", f"{1e3 * base:.0f} ms", "1.00", ""],
        ["import", f"{OURS}, on top", f"{1e3 * ours:.0f} ms", f"{ours / base:.2f}", f"≤ 0.25: {verdict}"],
    ]


def table(rows: list[list[str]]) -> str:
    """Return the report in Markdown."""
    header = ["workload", "case", "CPU time", "ratio to the first", "bar"]
    lines = [header, ["---", "---", "--:", "--:", "---"], *rows]
    about = f"Python {platform.python_version()}, NumPy {np.__version__}, {platform.machine()}, one thread, "
    kernels = os.environ.get("OPENBLAS_CORETYPE", "native")
    return about + f"BLAS kernels: {kernels}.\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def main() -> None:
    """Run the benchmark and print, or write, the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", default=[*PROBLEMS, "memory", "import"], help="workloads to run")
    parser.add_argument("--seconds", type=float, default=15, help="for each variant of a workload (default 15)")
    parser.add_argument("--write", type=Path, metavar="FILE", help="also write the table to a file")
    arguments = parser.parse_args()
    rows = []
    keep_memory()
    for workload, (_, variants) in sorted(PROBLEMS.items(), key=lambda item: int(item[0][1:])):
        if workload in arguments.only:
            for variant in variants:
                rows += measure(workload, variant, arguments.seconds)
                print(f"{workload} {variant} done", file=sys.stderr)
    if "memory" in arguments.only:
        rows += memory()
    if "import" in arguments.only:
        rows += imports()
    print(table(rows))
    if arguments.write:
        arguments.write.parent.mkdir(parents=True, exist_ok=True)
        arguments.write.write_text(table(rows))


if __name__ == "__main__":
    main()
