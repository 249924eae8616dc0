"""Fifty steps side by side with PyTorch, to the last digits."""

import numpy as np
import pytest

from coursepkg import optimizers as opt

torch = pytest.importorskip("torch", reason="PyTorch is the witness here and is not installed; `make peers` adds it")

PAIRS = {
    "GD": (lambda p: opt.GD(p, lr=0.02), lambda p: torch.optim.SGD(p, lr=0.02)),
    "GD with weight decay": (
        lambda p: opt.GD(p, lr=0.02, weight_decay=0.3),
        lambda p: torch.optim.SGD(p, lr=0.02, weight_decay=0.3),
    ),
    "Momentum": (
        lambda p: opt.Momentum(p, lr=0.01, momentum=0.8),
        lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.8),
    ),
    "Nesterov": (
        lambda p: opt.Nesterov(p, lr=0.01, weight_decay=0.1),
        lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9, nesterov=True, weight_decay=0.1),
    ),
    "SGD, defaults": (lambda p: opt.SGD(p), lambda p: torch.optim.SGD(p)),
    "SGD, positional": (lambda p: opt.SGD(p, 0.02, 0.7), lambda p: torch.optim.SGD(p, 0.02, 0.7)),
    "SGD, everything": (
        lambda p: opt.SGD(p, lr=0.01, momentum=0.8, weight_decay=0.2, nesterov=True),
        lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.8, weight_decay=0.2, nesterov=True),
    ),
    "Adagrad": (lambda p: opt.Adagrad(p, lr=0.1), lambda p: torch.optim.Adagrad(p, lr=0.1)),
    "Adagrad, defaults": (lambda p: opt.Adagrad(p), lambda p: torch.optim.Adagrad(p)),
    "RMSprop": (
        lambda p: opt.RMSprop(p, lr=0.05, alpha=0.9, weight_decay=0.2),
        lambda p: torch.optim.RMSprop(p, lr=0.05, alpha=0.9, weight_decay=0.2),
    ),
    "RMSprop, defaults": (lambda p: opt.RMSprop(p), lambda p: torch.optim.RMSprop(p)),
    "Adam": (
        lambda p: opt.Adam(p, lr=0.05, betas=(0.8, 0.95), eps=1e-3),
        lambda p: torch.optim.Adam(p, lr=0.05, betas=(0.8, 0.95), eps=1e-3),
    ),
    "Adam with weight decay": (
        lambda p: opt.Adam(p, weight_decay=0.3),
        lambda p: torch.optim.Adam(p, weight_decay=0.3),
    ),
    "AdamW": (
        lambda p: opt.AdamW(p, lr=0.05, betas=(0.8, 0.95), eps=1e-3, weight_decay=0.7),
        lambda p: torch.optim.AdamW(p, lr=0.05, betas=(0.8, 0.95), eps=1e-3, weight_decay=0.7),
    ),
    "AdamW, defaults": (lambda p: opt.AdamW(p), lambda p: torch.optim.AdamW(p)),
    "iRPROP-": (lambda p: opt.IRPROPMinus(p, lr=0.01), lambda p: torch.optim.Rprop(p, lr=0.01)),
}


def problem():
    """A bent valley in six dimensions, in parameters of two shapes."""
    rng = np.random.default_rng(8)
    A = rng.normal(size=(6, 6))
    A = A @ A.T / 6.0 + 0.5 * np.eye(6)
    return A, [rng.normal(size=(2, 2)), rng.normal(size=2)]


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
def test_fifty_steps_agree_with_pytorch(pair):
    """Both get the same gradients, so that what is compared is the optimizer and not how errors grow in a valley."""
    A, start = problem()
    ours = [p.copy() for p in start]
    theirs = [torch.tensor(p, requires_grad=True) for p in start]
    mine, their = pair[0](ours), pair[1](theirs)
    for _ in range(50):
        flat = np.concatenate([p.ravel() for p in ours])
        gradient = A @ flat + np.cos(flat)
        parts = [gradient[:4].reshape(2, 2), gradient[4:]]
        for q, part in zip(theirs, parts, strict=True):
            q.grad = torch.tensor(part)
        mine.step(parts)
        their.step()
        for p, q in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(p, q.detach().numpy(), rtol=1e-12, atol=1e-12 * np.abs(p).max())
    assert not np.allclose(ours[0], start[0], rtol=1e-3, atol=0)


SCHEDULES = {
    "constant": (opt.constant(0.3), lambda o: torch.optim.lr_scheduler.LambdaLR(o, lambda k: 1.0)),
    "step": (
        opt.step_decay(0.3, every=7, factor=0.4),
        lambda o: torch.optim.lr_scheduler.StepLR(o, step_size=7, gamma=0.4),
    ),
    "cosine": (
        opt.cosine(0.3, steps=30, minimum=0.01),
        lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, T_max=30, eta_min=0.01),
    ),
    "linear": (
        opt.linear_decay(0.3, steps=20, minimum=0.06),
        lambda o: torch.optim.lr_scheduler.LinearLR(o, start_factor=1.0, end_factor=0.2, total_iters=20),
    ),
    "warm-up": (
        opt.warm_up(opt.constant(0.3), steps=10),
        lambda o: torch.optim.lr_scheduler.LinearLR(o, start_factor=0.1, total_iters=9),
    ),
}


@pytest.mark.parametrize("pair", SCHEDULES.values(), ids=SCHEDULES)
def test_schedules_agree_with_pytorch(pair):
    ours, make = pair
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.3)
    scheduler = make(optimizer)
    for step in range(30):
        assert ours(step) == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-12)
        optimizer.step()
        scheduler.step()


@pytest.mark.parametrize("bound", [0.5, 100.0])
def test_clipping_agrees_with_pytorch(bound):
    rng = np.random.default_rng(4)
    gradients = [rng.normal(size=(3, 2)), rng.normal(size=4)]
    parameters = []
    for g in gradients:
        parameters.append(torch.zeros(g.shape, dtype=torch.float64, requires_grad=True))
        parameters[-1].grad = torch.tensor(g)
    norm = torch.nn.utils.clip_grad_norm_(parameters, bound)
    assert opt.global_norm(gradients) == pytest.approx(norm.item(), rel=1e-12)
    for ours, theirs in zip(opt.clip_by_norm(gradients, bound), parameters, strict=True):
        # PyTorch divides by the norm plus 1e-6.
        np.testing.assert_allclose(ours, theirs.grad.numpy(), rtol=1e-6)
    for parameter, g in zip(parameters, gradients, strict=True):
        parameter.grad = torch.tensor(g)
    torch.nn.utils.clip_grad_value_(parameters, bound)
    for ours, theirs in zip(opt.clip_by_value(gradients, bound), parameters, strict=True):
        np.testing.assert_array_equal(ours, theirs.grad.numpy())


def test_lbfgs_reaches_the_point_that_pytorch_reaches():
    A, start = problem()
    ours = np.concatenate([p.ravel() for p in start])
    theirs = torch.tensor(ours.copy(), requires_grad=True)
    opt.LBFGS(ours, max_iter=200, tolerance_grad=1e-10).step(
        lambda: (0.5 * ours @ A @ ours + np.sin(ours).sum(), A @ ours + np.cos(ours))
    )
    optimizer = torch.optim.LBFGS([theirs], max_iter=200, tolerance_change=1e-15, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = 0.5 * theirs @ torch.tensor(A) @ theirs + torch.sin(theirs).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=1e-6)
