"""Graphs to draw, and a reader for the drawings: what stands where in an SVG."""

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from itertools import combinations
from random import Random

from coursepkg.autodiff.scalar import Scalar, exp, tanh
from coursepkg.visualize.paper.text import text_width

SVG = "{http://www.w3.org/2000/svg}"


@dataclass
class Text:
    content: str
    role: str
    left: float
    right: float
    top: float
    bottom: float

    def overlaps(self, other, slack=0.5):
        return (
            min(self.right, other.right) - max(self.left, other.left) > slack
            and min(self.bottom, other.bottom) - max(self.top, other.top) > slack
        )


def texts(svg):
    """Every text of a drawing with the rectangle its letters fill (digits reach about 0.75 em above the baseline)."""
    found = []
    _collect(ET.fromstring(svg), 0.0, 0.0, found)
    return found


def _collect(element, dx, dy, found):
    shift = re.match(r"translate\((\S+) (\S+)\)", element.get("transform", ""))
    if shift:
        dx, dy = dx + float(shift[1]), dy + float(shift[2])
    if element.tag == SVG + "text" and element.get("font-size"):  # Matplotlib sets its texts otherwise, and apart
        size = float(element.get("font-size"))
        width = float(element.get("textLength") or text_width(element.text, size))
        x, y = float(element.get("x")) + dx, float(element.get("y")) + dy
        left = x - width * {"start": 0, "middle": 0.5, "end": 1}[element.get("text-anchor", "start")]
        found.append(Text(element.text, element.get("class", ""), left, left + width, y - 0.75 * size, y + 0.02 * size))
    for child in element:
        _collect(child, dx, dy, found)


def by_role(svg, role):
    """{role with its numbers: content} for texts whose first class is `role`."""
    return {text.role: text.content for text in texts(svg) if text.role.split(" ")[0] == role}


def shapes(svg, role):
    """Attributes of the elements whose first class is `role`."""
    return [e.attrib for e in ET.fromstring(svg).iter() if e.get("class", "").split(" ")[0] == role]


def size(svg):
    root = ET.fromstring(svg)
    return float(root.get("width")), float(root.get("height"))


def misplaced(svg):
    """Texts that overlap another one or leave the paper; empty for a drawing that can be read."""
    found = texts(svg)
    width, height = size(svg)
    outside = [t.content for t in found if t.left < 0 or t.top < 0 or t.right > width or t.bottom > height]
    return outside + [(a.content, b.content) for a, b in combinations(found, 2) if a.overlaps(b)]


def product():
    x, y = Scalar(3.0, label="x"), Scalar(2.0, label="y")
    return x * y


def sum_times():
    x, y, z = Scalar(-2.0, label="x"), Scalar(5.0, label="y"), Scalar(-4.0, label="z")
    q = x + y
    q.label = "q"
    f = q * z
    f.label = "f"
    return f


def neuron():
    w1, x1, w2, x2 = (Scalar(v, label=n) for v, n in ((-3.0, "w₁"), (2.0, "x₁"), (1.0, "w₂"), (0.5, "x₂")))
    z = w1 * x1 + w2 * x2 + Scalar(6.881373587, label="b")
    z.label = "z"
    y = tanh(z)
    y.label = "y"
    return y


def fork():
    x, y = Scalar(3.0, label="x"), Scalar(-1.5, label="y")
    a, b = x * x, x * y
    a.label, b.label = "a", "b"
    return (a + b) * a - x / b


def network(hidden=3, layers=1, seed=1):
    random = Random(seed)
    h = [Scalar(0.5, label="x₁"), Scalar(-0.8, label="x₂")]
    for layer in range(layers):
        previous, h = h, []
        for j in range(hidden):
            z = Scalar(round(random.uniform(-1, 1), 3), label=f"b{layer}{j}")
            for i, value in enumerate(previous):
                z = z + Scalar(round(random.uniform(-1, 1), 3), label=f"w{layer}{j}{i}") * value
            h.append(tanh(z))
    y = Scalar(0.1, label="c")
    for j, value in enumerate(h):
        y = y + Scalar(round(random.uniform(-1, 1), 3), label=f"u{j}") * value
    loss = (y - Scalar(1.0, label="t")) ** 2
    loss.label = "L"
    return loss


def long_labels():
    x = Scalar(3.0, label="price of one kilogram of flour in euro")
    y = Scalar(2.0, label="the amount of butter")
    z = x * y
    z.label = "an intermediate result with a long name"
    total = z + x
    total.label = "total"
    return total


def huge_and_tiny():
    x, y = Scalar(3.0e17, label="x"), Scalar(-2.123456e-13, label="y")
    return exp(x * y * y) / Scalar(123456.7) + Scalar(99999.0, label="m") * Scalar(-1234.5678, label="k") * 1e-30


def constants():
    x = Scalar(2.0, label="x")
    return (1 - 2 * x) / 3 + (x - 0.1) * 2.5 + 1 / x + x**3 + 2**x


def chain(length=100):
    value = Scalar(0.5, label="x")
    for k in range(length):
        value = value * Scalar(1.01, label=f"w{k}")
    return value


def skip():
    """A long computation in which an early value is used again at the very end."""
    x = Scalar(0.9, label="x")
    value = x
    for _ in range(60):
        value = tanh(value * 1.1)
    return value * x


def random_expression(seed, operations=8):
    """A random graph of + − × ÷ tanh exp over three inputs, with shared sub-expressions."""
    random = Random(seed)
    pool = [Scalar(round(random.uniform(-2, 2), 2) or 0.5, label=name) for name in "abc"]
    for _ in range(operations):
        first, second = random.choice(pool), random.choice(pool)
        kind = random.choice(["+", "-", "*", "/", "tanh", "exp"])
        if (kind == "/" and abs(second.data) < 0.1) or (kind == "exp" and first.data > 5):
            kind = "+"
        result = {
            "+": lambda a, b: a + b,
            "-": lambda a, b: a - b,
            "*": lambda a, b: a * b,
            "/": lambda a, b: a / b,
            "tanh": lambda a, b: tanh(a),
            "exp": lambda a, b: exp(a),
        }[kind](first, second)
        pool.append(result)
    return pool[-1]


def run(root):
    root.backward()
    return root


CORPUS = {
    "product": product, "sum_times": sum_times, "neuron": neuron, "fork": fork, "network": network,
    "wide": lambda: network(5), "deep": lambda: network(5, 3), "long_labels": long_labels,
    "huge_and_tiny": huge_and_tiny, "constants": constants, "chain": chain, "skip": skip,
    **{f"random {seed}": (lambda seed=seed: random_expression(seed)) for seed in range(8)},
    **{f"large random {seed}": (lambda seed=seed: random_expression(seed, 22)) for seed in range(4)},
}  # fmt: skip
