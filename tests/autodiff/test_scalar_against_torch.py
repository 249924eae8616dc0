"""The scalar engine against PyTorch in float64: a thousand random expressions of depth up to 8, to twelve digits."""

import random

import pytest

from coursepkg.autodiff import scalar
from coursepkg.autodiff.scalar import Scalar

torch = pytest.importorskip(
    "torch", reason="PyTorch is not installed: the peer comparison of the scalar engine is SKIPPED"
)

TOLERANCE = 1e-12
UNARY = ("neg", "exp", "log", "sin", "cos", "tanh", "sigmoid", "relu", "abs", "sqrt", "square", "cube", "inverse")
BINARY = ("+", "-", "*", "/", "**", "maximum", "minimum")


def apply(op, functions, *operands):
    """One operation, on whatever numbers the functions are made for."""
    match op:
        case "neg":
            return -operands[0]
        case "abs":
            return abs(operands[0])
        case "square":
            return operands[0] ** 2
        case "cube":
            return operands[0] ** 3
        case "inverse":
            return 2 / operands[0]
        case "+":
            return operands[0] + operands[1]
        case "-":
            return operands[0] - operands[1]
        case "*":
            return operands[0] * operands[1]
        case "/":
            return operands[0] / operands[1]
        case "**":
            return operands[0] ** operands[1]
    return getattr(functions, op)(*operands)


def is_sane(op, *numbers):
    """Is the operation far from its kinks and poles here, and neither saturated nor huge?"""
    x, y = numbers[0], numbers[-1]
    if op in ("log", "sqrt", "**") and x < 0.2:
        return False
    if op in ("inverse", "/") and abs(y) < 0.2:
        return False
    if op in ("tanh", "sigmoid", "exp") and abs(x) > 3:
        return False
    if op in ("relu", "abs") and abs(x) < 0.01:
        return False
    if op in ("maximum", "minimum") and abs(x - y) < 0.01:
        return False
    return not (op == "**" and abs(y) > 3) and abs(apply(op, scalar, *numbers)) < 20


def random_expression(rng, depth, leaves):
    """A nested tuple (op, operand, ...) over the indices of the leaves, with its value."""
    if depth == 0 or rng.random() < 0.05:
        index = rng.randrange(len(leaves))
        return index, leaves[index]
    while True:
        if rng.random() < 0.35:
            operands = [random_expression(rng, depth - 1, leaves)]
            ops = [op for op in UNARY if is_sane(op, operands[0][1])]
        else:
            operands = [random_expression(rng, depth - 1, leaves) for _ in range(2)]
            ops = [op for op in BINARY if is_sane(op, operands[0][1], operands[1][1])]
        if ops:
            op = rng.choice(ops)
            return (op, *(tree for tree, _ in operands)), apply(op, scalar, *(value for _, value in operands))


def evaluate(tree, functions, leaves):
    if isinstance(tree, int):
        return leaves[tree]
    op, *operands = tree
    return apply(op, functions, *(evaluate(operand, functions, leaves) for operand in operands))


def depth_of(tree):
    return 0 if isinstance(tree, int) else 1 + max(depth_of(operand) for operand in tree[1:])


def size_of_all_paths(result):
    """What each leaf's gradient would be if no two paths cancelled: the scale on which rounding errors live."""
    mass = {result: 1.0}
    for node in reversed(result._operations()):
        for parent, local in zip(node.parents, node.local_grads, strict=True):
            mass[parent] = mass.get(parent, 0.0) + mass[node] * abs(local)
    return mass


def test_a_thousand_random_expressions_agree_with_pytorch():
    rng = random.Random(20_260_101)
    expressions = entries = evidence = 0
    depths, seen = set(), set()
    while expressions < 1000:
        numbers = [rng.choice([-1, 1]) * rng.uniform(0.3, 2.5) for _ in range(rng.randint(2, 4))]
        tree, _ = random_expression(rng, rng.randint(1, 8), numbers)
        if isinstance(tree, int):
            continue
        ours = [Scalar(number) for number in numbers]
        theirs = [torch.tensor(number, dtype=torch.float64, requires_grad=True) for number in numbers]
        result, expected = evaluate(tree, scalar, ours), evaluate(tree, torch, theirs)
        result.backward()
        expected.backward()
        mass = size_of_all_paths(result)
        strong = []
        for leaf, tensor in zip(ours, theirs, strict=True):
            if tensor.grad is None:
                assert leaf.grad == 0.0
                continue
            # No more than rounding may explain, even where paths cancel ...
            assert abs(leaf.grad - tensor.grad.item()) <= TOLERANCE * mass[leaf], tree
            if abs(leaf.grad) > 0.05 * mass.get(leaf, 0.0) and abs(leaf.grad) > 1e-3:
                strong.append((leaf.grad, tensor.grad.item()))
        if not strong:
            continue  # ... and two gradients near zero are no evidence: another expression
        assert result.data == pytest.approx(expected.item(), rel=TOLERANCE, abs=TOLERANCE)
        for mine, other in strong:
            assert mine == pytest.approx(other, rel=TOLERANCE, abs=0.0), tree
        expressions += 1
        entries += len(numbers)
        evidence += len(strong)
        depths.add(depth_of(tree))
        seen |= operations_in(tree)
    assert depths == set(range(1, 9))
    assert seen == {*UNARY, *BINARY}
    assert evidence > 0.6 * entries, (evidence, entries)


def operations_in(tree):
    return set() if isinstance(tree, int) else {tree[0]}.union(*map(operations_in, tree[1:]))


KINKS = {
    "relu": (lambda f, x: f.relu(x), 0.0),
    "abs": (lambda f, x: abs(x), 0.0),
    "sqrt": (lambda f, x: f.sqrt(x), 0.0),
    "zeroth power": (lambda f, x: x**0, 0.0),
    "square": (lambda f, x: x**2, 0.0),
    "root": (lambda f, x: x**0.5, 0.0),
    "tie": (lambda f, x: f.maximum(x, 2 * x - 1), 1.0),
    "tie of minima": (lambda f, x: f.minimum(3 * x, 2 * x), 0.0),
}


@pytest.mark.parametrize("name", KINKS)
def test_slopes_at_kinks_are_pytorchs(name):
    f, point = KINKS[name]
    ours, theirs = Scalar(point), torch.tensor(point, dtype=torch.float64, requires_grad=True)
    result, expected = f(scalar, ours), f(torch, theirs)
    (3 * result).backward()
    (3 * expected).backward()
    assert (result.data, ours.grad) == (expected.item(), theirs.grad.item())


@pytest.mark.parametrize(("base", "exponent"), [(0.0, 2.0), (0.0, 0.0), (1.7, -2.5), (1e-3, 3.0)])
def test_slopes_of_a_power_in_both_operands_are_pytorchs(base, exponent):
    ours = [Scalar(base), Scalar(exponent)]
    theirs = [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (base, exponent)]
    (3 * ours[0] ** ours[1]).backward()
    (3 * theirs[0] ** theirs[1]).backward()
    assert [x.grad for x in ours] == pytest.approx([x.grad.item() for x in theirs], rel=1e-14, abs=0.0)


def test_a_second_backward_doubles_as_with_retain_graph():
    def f(x):
        return (x * 1.5) ** 3

    ours, theirs = Scalar(2.0), torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
    result, expected = f(ours), f(theirs)
    for _ in range(2):
        result.backward()
        expected.backward(retain_graph=True)
    assert ours.grad == theirs.grad.item() == 81.0
