"""Every entry of the table against PyTorch, value and gradient, in double precision and at the kinks."""

from functools import partial

import numpy as np
import pytest
import scipy.linalg

from coursepkg.autodiff import catalogue as ours
from coursepkg.autodiff.entry_checks import prepare
from coursepkg.autodiff.gate import parameters_of, public_name
from coursepkg.autodiff.reverse_mode import vjp
from coursepkg.autodiff.table import COMPOSITES, PRIMITIVES
from coursepkg.autodiff.tensor import Tensor
from coursepkg.autodiff.trees import leaves_of, rebuild

torch = pytest.importorskip(
    "torch", reason="PyTorch is not installed, so the table has no peer as a witness; `make peers` adds it"
)
F = torch.nn.functional


def dims(axis):
    """NumPy's axis as PyTorch's dim: a tuple, or None for all."""
    return axis if axis is None or isinstance(axis, tuple) else (axis,)


def chosen(name, x, there, axes, keepdims, initial):
    """A reduction of the entries that are there: what changes nothing stands in place of the others."""
    if name in ("amax", "amin"):
        best = getattr(torch, name)(torch.where(there, x, -torch.inf if name == "amax" else torch.inf), axes, keepdims)
        return (torch.maximum if name == "amax" else torch.minimum)(best, torch.tensor(initial, dtype=x.dtype))
    total = torch.where(there, x, 0.0).sum(axes, keepdims)
    if name == "sum":
        return total + (initial or 0.0)
    count = there.sum(axes, keepdims)
    if name == "mean":
        return total / count
    mean = torch.where(there, x, 0.0).sum(axes, keepdim=True) / there.sum(axes, keepdim=True)
    variance = torch.where(there, (x - mean) ** 2, 0.0).sum(axes, keepdims) / count
    return variance if name == "var" else torch.sqrt(variance)


def reduced(name):
    def function(x, axis=None, keepdims=False, **kw):
        axes = tuple(range(x.ndim)) if axis is None else dims(axis)
        if "where" in kw or "initial" in kw:
            there = torch.as_tensor(np.broadcast_to(kw.get("where", True), x.shape).copy())
            return chosen(name, x, there, axes, keepdims, kw.get("initial"))
        kw = {"correction": kw.get("ddof", 0)} if name in ("var", "std") else {}
        return getattr(torch, name)(x, dim=axes, keepdim=keepdims, **kw)

    return function


def prod(x, axis=None, keepdims=False, initial=1.0, where=True):
    x = torch.where(torch.as_tensor(where), x, 1.0)
    axes = sorted((a % x.ndim for a in (range(x.ndim) if axis is None else dims(axis))), reverse=True)
    for a in axes:
        x = torch.prod(x, dim=a, keepdim=keepdims)
    return x * initial


def pairs(pad_width, ndim):
    """NumPy's pad_width in PyTorch's order: last axis first."""
    return [int(v) for pair in np.broadcast_to(np.asarray(pad_width), (ndim, 2))[::-1] for v in pair]


def numpy_pad(x, pad_width, mode="constant", constant_values=0.0):
    if mode == "constant":
        return F.pad(x, pairs(pad_width, x.ndim), value=constant_values)
    mode = {"edge": "replicate", "reflect": "reflect"}[mode]
    return F.pad(x[None, None] if x.ndim == 2 else x[None], pairs(pad_width, x.ndim), mode=mode).reshape(
        [n + a + b for n, (a, b) in zip(x.shape, np.broadcast_to(np.asarray(pad_width), (x.ndim, 2)), strict=True)]
    )


def index(x, index):
    i = index

    def convert(part):
        if isinstance(part, slice) and part.step is not None and part.step < 0:
            return part
        return torch.as_tensor(part) if isinstance(part, (np.ndarray, list)) else part

    parts = i if isinstance(i, tuple) else (i,)
    for axis, part in enumerate(parts):  # PyTorch has no negative steps: flip, then step
        if isinstance(part, slice) and part.step is not None and part.step < 0:
            x = torch.flip(x, (axis,))
            parts = (*parts[:axis], slice(None, None, -part.step), *parts[axis + 1 :])
    return x[tuple(convert(part) for part in parts)]


def scatter(x, index, shape):
    i = index
    return torch.zeros(shape, dtype=x.dtype).index_put(
        tuple(
            torch.arange(shape[0])[p] if isinstance(p, slice) else torch.as_tensor(p)
            for p in (i if isinstance(i, tuple) else (i,))
        ),
        x,
        accumulate=True,
    )


def norm(x, ord=None, axis=None, keepdims=False):
    if ord is not None and ord != "fro" and (isinstance(axis, tuple) or (axis is None and x.ndim == 2)):
        return torch.linalg.matrix_norm(x, ord, dim=axis or (-2, -1), keepdim=keepdims)
    if ord == "fro" or (ord is None and axis is None):
        ord = 2
    return torch.linalg.vector_norm(x, 2 if ord is None else ord, dim=axis, keepdim=keepdims)


def solve(a, b):
    return torch.linalg.solve(a, b)


def dense(a):
    return a if isinstance(a, torch.Tensor) else torch.as_tensor(a)


def put_into_windows(g, which, shape, size, stride=None):
    chosen = torch.as_tensor(which).flatten(0, 1).flatten(1)[:, None] == torch.arange(size * size)[:, None]
    columns = g.flatten(0, 1).flatten(1)[:, None] * chosen
    return F.fold(columns, shape, size, stride=stride or size).reshape(*g.shape[:2], *shape)


# --- SciPy's linear algebra, from torch.linalg


def mirrored(a, lower):
    """The symmetric matrix of which SciPy reads one triangle."""
    return torch.tril(a) + torch.tril(a, -1).mT if lower else torch.triu(a) + torch.triu(a, 1).mT


def facing(v, theirs):
    """The signs of columns that nothing determines, as SciPy gives them."""
    return torch.sign((v.detach() * torch.as_tensor(theirs)).sum(0))


def as_columns(b):
    return b[:, None] if b.ndim == 1 else b


def solve_triangular(a, b, trans=0, lower=False, unit_diagonal=False):
    if trans:
        a, lower = a.mT, not lower
    found = torch.linalg.solve_triangular(a, as_columns(b), upper=not lower, unitriangular=unit_diagonal)
    return found.reshape(b.shape) if b.ndim == 1 else found


def scipy_solve(a, b, lower=False, assume_a=None, transposed=False):
    a = a if assume_a is None else mirrored(a, lower)
    return torch.linalg.solve(a.mT if transposed else a, b)


def scipy_cholesky(a, lower=False):
    factor = torch.linalg.cholesky(mirrored(a, lower))
    return factor if lower else factor.mT


def cho_solve(factor, b):
    return torch.cholesky_solve(as_columns(b), torch.as_tensor(factor[0]), upper=not factor[1]).reshape(b.shape)


def scipy_lu(a, permute_l=False):
    p, lower, upper = torch.linalg.lu(a)
    return (p @ lower, upper) if permute_l else (p, lower, upper)


def lu_factor(a):
    packed, pivots = torch.linalg.lu_factor(a)
    return packed, pivots - 1  # PyTorch counts from one


def lu_solve(factors, b, trans=0):
    packed, pivots = (torch.as_tensor(part) for part in factors)
    found = torch.linalg.lu_solve(packed, (pivots + 1).int(), as_columns(b), adjoint=bool(trans))
    return found.reshape(b.shape)


def sylvester(a, b, q):
    """Solve the equation as one large system for the entries."""
    n, m = q.shape
    one = partial(torch.eye, dtype=q.dtype)
    return torch.linalg.solve(torch.kron(a, one(m)) + torch.kron(one(n), b.mT.contiguous()), q.reshape(-1)).reshape(
        n, m
    )


def square_root(a):
    w, v = torch.linalg.eig(a)
    return torch.linalg.solve(v, v * torch.sqrt(w), left=False).real


def scipy_eigh(a, b=None, lower=True):
    given = a.detach().numpy(), None if b is None else b.detach().numpy()
    theirs = scipy.linalg.eigh(*given, lower=lower)[1]
    a = mirrored(a, lower)
    if b is None:
        w, v = torch.linalg.eigh(a)
    else:
        root = torch.linalg.cholesky(mirrored(b, lower))
        half = torch.linalg.solve(root, a)
        w, v = torch.linalg.eigh(torch.linalg.solve(root, half.mT))
        v = torch.linalg.solve(root.mT, v)
    return w, v * facing(v, theirs)


def eigvalsh(a, b=None, lower=True, subset_by_index=(0, None)):
    first, last = subset_by_index
    return scipy_eigh(a, b, lower)[0][first : None if last is None else last + 1]


def scipy_eig(a):
    w, v = torch.linalg.eig(a)
    return w, v.real * facing(v.real, scipy.linalg.eig(a.detach().numpy())[1])


def scipy_svd(a, full_matrices=False):
    assert not full_matrices
    u, s, vh = torch.linalg.svd(a, full_matrices=False)
    signs = facing(u, scipy.linalg.svd(a.detach().numpy(), full_matrices=False)[0])
    return u * signs, s, signs[:, None] * vh


def scipy_qr(a, mode="economic", pivoting=False):
    theirs = scipy.linalg.qr(a.detach().numpy(), mode="economic", pivoting=pivoting)
    q, r = torch.linalg.qr(a[:, torch.as_tensor(theirs[2]).long()] if pivoting else a)
    signs = facing(q, theirs[0])
    q, r = q * signs, signs[:, None] * r
    if mode == "r":
        return F.pad(r, (0, 0, 0, len(a) - len(r))), *map(torch.as_tensor, theirs[2:])
    return q, r


def scipy_lstsq(a, b):
    found = torch.linalg.lstsq(a, as_columns(b)).solution
    rest = ((as_columns(b) - a @ found) ** 2).sum(0)
    rank = torch.linalg.matrix_rank(a.detach())
    single = b.ndim == 1
    return found[:, 0] if single else found, rest[0] if single else rest, rank, torch.linalg.svdvals(a)


def by_places(rows, columns, entry):
    """A matrix that is put together entry by entry."""
    return torch.stack([torch.stack([entry(i, j) for j in range(columns)]) for i in range(rows)])


def toeplitz(c, r=None):
    r = c if r is None else r
    return by_places(len(c), len(r), lambda i, j: c[i - j] if i >= j else r[j - i])


def hankel(c, r=None):
    n, r = len(c), torch.zeros_like(c) if r is None else r
    return by_places(n, len(r), lambda i, j: c[i + j] if i + j < n else r[i + j - n + 1])


SCIPYS = {
    "solve_triangular": solve_triangular, "solve": scipy_solve, "inv": torch.linalg.inv, "det": torch.linalg.det,
    "cholesky": scipy_cholesky, "cho_solve": cho_solve, "lu": scipy_lu, "lu_factor": lu_factor, "lu_solve": lu_solve,
    "cho_factor": lambda a, lower=False: scipy_cholesky(a, lower) + (torch.triu(a, 1) if lower else torch.tril(a, -1)),
    "solve_sylvester": sylvester, "solve_continuous_lyapunov": lambda a, q: sylvester(a, a.mT, q),
    "sqrtm": square_root, "expm": torch.linalg.matrix_exp,
    "eigh": scipy_eigh, "eigvalsh": eigvalsh, "eig": scipy_eig, "eigvals": torch.linalg.eigvals, "svd": scipy_svd,
    "svdvals": torch.linalg.svdvals, "qr": scipy_qr,
    "norm": norm, "pinv": torch.linalg.pinv, "lstsq": scipy_lstsq,
    "toeplitz": toeplitz, "hankel": hankel, "block_diag": torch.block_diag,
    "circulant": lambda c: torch.stack([torch.roll(c, j) for j in range(len(c))], 1),
    "khatri_rao": lambda a, b: torch.stack([torch.kron(u, v) for u, v in zip(a.mT, b.mT, strict=True)], 1),
}  # fmt: skip

BY_HAND = {
    np.sum: reduced("sum"), np.mean: reduced("mean"), np.var: reduced("var"), np.std: reduced("std"),
    np.max: reduced("amax"), np.min: reduced("amin"), np.prod: prod,
    np.cumsum: lambda x, axis=None: torch.cumsum(x.reshape(-1), 0) if axis is None else torch.cumsum(x, axis),
    np.absolute: torch.abs, np.conjugate: lambda x: torch.conj(x).resolve_conj(), np.cbrt: lambda x: x ** (1 / 3),
    np.real: lambda x: torch.real(x) if x.is_complex() else x, np.power: torch.pow,
    np.divide: torch.divide, np.reciprocal: torch.reciprocal,
    np.where: lambda c, x, y: torch.where(dense(c).bool(), x, y),
    np.einsum: torch.einsum, np.ravel: lambda x, order="C": (x if order == "C" else x.T).reshape(-1),
    np.reshape: lambda x, shape, order="C": torch.reshape(x, (shape,) if isinstance(shape, int) else shape)
    if order == "C" else torch.reshape(x, shape[::-1]).T,
    np.transpose: lambda x, axes=None: torch.permute(x, axes or tuple(range(x.ndim))[::-1]),
    np.concatenate: lambda xs, axis=0: torch.cat([x.reshape(-1) for x in xs] if axis is None else list(xs), axis or 0),
    np.stack: lambda xs, axis=0: torch.stack(list(xs), axis),
    np.vstack: lambda xs: torch.vstack(list(xs)), np.hstack: lambda xs: torch.hstack(list(xs)),
    np.column_stack: lambda xs: torch.column_stack(list(xs)),
    np.expand_dims: lambda x, a: x.unsqueeze(a) if isinstance(a, int) else x[None, ..., None],
    np.squeeze: lambda x, axis=None: torch.squeeze(x) if axis is None else torch.squeeze(x, axis),
    np.split: lambda x, n, axis=0: torch.tensor_split(x, n, dim=axis),
    np.array_split: lambda x, n, axis=0: torch.tensor_split(x, n, dim=axis),
    np.flip: lambda x, axis=None: torch.flip(x, tuple(range(x.ndim)) if axis is None else dims(axis)),
    np.roll: lambda x, shift, axis=None: torch.roll(x, shift, axis),
    np.repeat: lambda x, n, axis=None: torch.repeat_interleave(x, torch.as_tensor(n), dim=axis),
    np.tile: lambda x, n: torch.tile(x, (n,) if isinstance(n, int) else n),
    np.diff: lambda x, n=1, axis=-1: torch.diff(x, n=n, dim=axis), np.pad: numpy_pad,
    np.copy: torch.clone, np.broadcast_arrays: torch.broadcast_tensors,
    np.take_along_axis: lambda x, i, axis: torch.take_along_dim(x, torch.as_tensor(i), axis),
    np.take: lambda x, i, axis=None: x.reshape(-1)[torch.as_tensor(i)] if axis is None else x[:, torch.as_tensor(i)],
    np.sort: lambda x, axis=-1: torch.sort(x.reshape(-1) if axis is None else x, 0 if axis is None else axis).values,
    np.tensordot: lambda a, b, axes=2: torch.tensordot(a, b, dims=axes),
    np.dot: lambda a, b: a * b if a.ndim == 0 else torch.tensordot(a, b, dims=([-1], [max(b.ndim - 2, 0)])),
    np.vdot: lambda a, b: torch.vdot(a.reshape(-1), b.reshape(-1)),
    np.outer: lambda a, b: torch.outer(a.reshape(-1), b.reshape(-1)),
    np.diagonal: lambda a, offset=0, axis1=0, axis2=1: torch.diagonal(a, offset, axis1, axis2),
    np.trace: lambda a, offset=0, axis1=0, axis2=1: torch.diagonal(a, offset, axis1, axis2).sum(-1),
    np.diag: lambda v, k=0: torch.diag(v, k),
    np.tril: lambda x, k=0: torch.tril(x, k), np.triu: lambda x, k=0: torch.triu(x, k),
    np.clip: lambda x, low, high: torch.clip(x, low, high), np.linalg.norm: norm, np.linalg.solve: solve,
    np.linalg.slogdet: lambda a: tuple(torch.linalg.slogdet(a)), np.logaddexp: torch.logaddexp,
    ours.affine: lambda x, w, b: x @ w + b,
    ours.linear: torch.nn.functional.linear,
    ours.layer_norm: lambda x, w, b, eps=1e-5: F.layer_norm(x, w.shape, w, b, eps),
    ours.relu: torch.relu, ours.sigmoid: torch.sigmoid, ours.softplus: lambda x: F.softplus(x, threshold=1000),
    ours.leaky_relu: lambda x, slope=0.01: F.leaky_relu(x, slope), ours.silu: F.silu,
    ours.gelu: lambda x, approximate="tanh": F.gelu(x, approximate=approximate),
    ours.softmax: lambda x, axis=-1: torch.softmax(x, axis),
    ours.log_softmax: lambda x, axis=-1: torch.log_softmax(x, axis),
    ours.logsumexp: lambda x, axis=None, keepdims=False: torch.logsumexp(
        x, tuple(range(x.ndim)) if axis is None else axis, keepdim=keepdims),
    ours.softmax_cross_entropy: lambda z, labels: F.cross_entropy(z, torch.as_tensor(labels)),
    ours.conv2d: lambda x, w, b=None, **kw: F.conv2d(x, w, b, **kw),
    ours.max_pool2d: lambda x, size, stride=None: F.max_pool2d(x, size, stride),
    ours.mean_pool2d: lambda x, size, stride=None: F.avg_pool2d(x, size, stride),
    ours.unfold: lambda x, kernel, **kw: F.unfold(x, kernel, **kw),
    ours.fold: lambda x, shape, kernel, **kw: F.fold(x, shape[2:], kernel, **kw),
}  # fmt: skip
BY_NAME = {  # entries that users reach through something else
    "normal_cdf": torch.special.ndtr,
    "conv2d to images": lambda g, w, size, **kw: torch.nn.grad.conv2d_input((len(g), w.shape[1], *size), w, g, **kw),
    "conv2d to kernels": lambda g, x, kernel, **kw: torch.nn.grad.conv2d_weight(
        x, (g.shape[1], x.shape[1], *kernel), g, **kw),
    "take from windows": lambda x, which, size, stride=None: torch.gather(
        F.unfold(x.flatten(0, 1)[:, None], size, stride=stride or size), 1,
        torch.as_tensor(which).flatten(0, 1).flatten(1)[:, None]).reshape(which.shape),
    "put into windows": put_into_windows,
    "getitem": index, "scatter": scatter, "logabsdet": lambda a: torch.linalg.slogdet(a)[1],
    "sign of complex det": lambda a: torch.linalg.slogdet(a)[0],
    "concatenate": lambda *xs, axis=0: torch.cat(xs, axis),
    "clip to limits": lambda x, low, high: torch.clip(x, low, high),
    "pad with zeros": lambda x, widths: F.pad(x, pairs(widths, x.ndim)),
    "astype": lambda x, dtype: x.to(torch.float64), "full_like": lambda x, value: value.expand(x.shape),
    "einsum": lambda *xs, subscripts, optimize=False: torch.einsum(subscripts, *xs),
    "substitution": lambda a, b, lower=False, unit=False: solve_triangular(a, b, 0, lower, unit),
    "determinant": torch.linalg.det, "exponential of a matrix": torch.linalg.matrix_exp,
    "lower and upper factor in one matrix": lambda a, rows: torch.linalg.lu_factor(a)[0],
    "sylvester": sylvester, "square root of a matrix": square_root, "pseudoinverse": torch.linalg.pinv,
    "singular values": torch.linalg.svdvals,
    **{f"scipy.linalg.{name}": function for name, function in SCIPYS.items()},
}  # fmt: skip


def transform(function):
    """A Fourier transform of PyTorch, with NumPy's names; its conjugates are written out."""

    def named(x, *args, **options):
        names = {"axis": "dim", "axes": "dim"}
        return function(x, *args, **{names.get(k, k): v for k, v in options.items()}).resolve_conj()

    return named


ROOMS = {"": torch, "linalg": torch.linalg, "fft": torch.fft, "special": torch.special}


OTHERWISE = {  # what has the name and not the meaning, or another spelling; other tests have other witnesses
    "cross": "takes the first axis of length three", "cumprod": "needs an axis", "gradient": "takes edges otherwise",
    "heaviside": "has no gradient", "ldexp": "takes powers as tensors", "linspace": "takes numbers only",
    "median": "takes the lower of two middle entries", "nanmedian": "takes the lower of two middle entries",
    "quantile": "puts several quantiles elsewhere", "nanquantile": "puts several quantiles elsewhere",
    "meshgrid": "has another default order",
    "select": "picks one index", "sign": "is sgn for complex numbers", "unique": "has no gradient",
    "vander": "counts powers upward",
    **dict.fromkeys(
        ("linalg.cholesky", "linalg.eigh", "linalg.eigvalsh"), "sends the gradient to both triangles"
    ),
    **dict.fromkeys(
        ("linalg.cond", "linalg.eig", "linalg.eigvals", "linalg.lstsq", "linalg.qr", "linalg.svd"),
        "returns something else; differences are its witness",
    ),
}  # fmt: skip


def counterpart(entry):
    """PyTorch's function for an entry: given above, or of the same name."""
    if entry.name in BY_NAME:
        return BY_NAME[entry.name]
    if entry.function in BY_HAND:
        return BY_HAND[entry.function]
    if entry.name in ("psi", "polygamma"):
        pytest.skip("PyTorch's trigamma has nine right digits; sympy is the witness here")
    if entry.name in OTHERWISE:
        pytest.skip(f"PyTorch's {entry.name} {OTHERWISE[entry.name]}")
    place, _, name = entry.name.rpartition(".")
    if public_name(entry.function).startswith("scipy."):
        place = "special"
    found = getattr(ROOMS[place], name, None)
    if place == "fft":
        return transform(found)
    return found or pytest.skip(f"PyTorch has no function called {entry.name}")


def by_position(function, args, options):
    """Give options by position as far as NumPy's signature allows, because the names differ between the libraries."""
    if (getattr(function, "__module__", None) or "").startswith("coursepkg"):
        return args, options
    options = dict(options)
    for name in parameters_of(function).positional[len(args) :]:
        if name not in options:
            break
        args = [*args, options.pop(name)]
    return args, options


CASES = [
    pytest.param(entry, call, id=f"{entry.name}-{i}")
    for entry in [*PRIMITIVES.values(), *COMPOSITES.values()]
    if not (getattr(entry.function, "__module__", None) or "").startswith("coursepkg.nn")  # tested in tests/nn
    for i, call in enumerate(entry.examples)
]


@pytest.mark.parametrize(("entry", "call"), CASES)
def test_value_and_gradient_agree_with_torch(entry, call):
    for seed in range(2):
        f, x = prepare(entry, call, np.random.default_rng(seed))
        theirs = counterpart(entry)
        args = list(call.draw(np.random.default_rng(seed)))
        moves = [torch.tensor(leaf.copy(), requires_grad=True) for leaf in leaves_of(x)]  # it takes no flipped views
        supply = iter(moves)
        for i, (a, given) in enumerate(zip(args, call.args, strict=True)):
            if isinstance(given, (tuple, list)) and all(np.asarray(v).dtype.kind in "fc" for v in leaves_of(a)):
                args[i] = rebuild(a, [next(supply) for _ in leaves_of(a)])
        args, options = by_position(entry.function, args, call.kwargs)
        expected = theirs(*args, **options)
        expected = list(expected) if isinstance(expected, (tuple, list)) else [expected]
        value, pull = vjp(f, x)
        rng = np.random.default_rng(seed + 50)
        c = [rng.normal(size=v.shape) + (1j * rng.normal(size=v.shape) if v.is_complex() else 0.0) for v in expected]
        for a, b in zip(value, expected, strict=True):
            np.testing.assert_allclose(a, b.detach().numpy(), rtol=1e-12, atol=1e-13)
        if sum(v.numel() for v in expected) and not getattr(entry, "flat", False):
            live = [(v, torch.tensor(w, dtype=v.dtype)) for v, w in zip(expected, c, strict=True) if v.requires_grad]
            torch.autograd.backward([v for v, _ in live], [w for _, w in live])
        for ours_, leaf in zip(leaves_of(pull(c)), moves, strict=True):
            right = np.zeros(leaf.shape) if leaf.grad is None else leaf.grad.resolve_conj().numpy()
            scale = np.max(np.abs(right), initial=0.0)
            np.testing.assert_allclose(ours_, right, rtol=1e-11, atol=1e-12 * scale)


def both(ours_f, torch_f, *arrays):
    """Gradients of the product with one random array, ours and PyTorch's."""
    rng = np.random.default_rng(0)
    value, pull = vjp(lambda *xs: ours_f(*xs), *arrays)
    c = rng.normal(size=np.shape(value))
    mine = pull(c)
    leaves = [torch.tensor(a, requires_grad=True) for a in arrays]
    torch_f(*leaves).backward(torch.tensor(c))
    return leaves_of(mine), [np.zeros(v.shape) if v.grad is None else v.grad.numpy() for v in leaves]


KINKS = {
    "abs at 0": (np.abs, torch.abs, np.array([0.0, -1.0, 2.0])),
    "relu at 0": (ours.relu, torch.relu, np.array([0.0, -1.0, 2.0])),
    "leaky relu at 0": (ours.leaky_relu, F.leaky_relu, np.array([0.0, -1.0, 2.0])),
    "maximum of equals": (np.maximum, torch.maximum, np.array([1.0, 2.0]), np.array([1.0, 0.0])),
    "minimum of equals": (np.minimum, torch.minimum, np.array([1.0, 2.0]), np.array([1.0, 0.0])),
    "max with ties": (lambda x: np.max(x, axis=1), lambda x: torch.amax(x, 1),
        np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]])),
    "min with ties": (np.min, torch.amin, np.array([[1.0, 3.0, 1.0], [2.0, 1.0, 2.0]])),
    "clip on a limit": (lambda x: np.clip(x, -1, 1), lambda x: torch.clip(x, -1, 1), np.array([-1.0, 1.0, 0.5, 3.0])),
    "norm of zero": (np.linalg.norm, torch.linalg.vector_norm, np.zeros(3)),
    "sign": (lambda x: np.sign(x) * x, lambda x: torch.sign(x) * x, np.array([0.0, -1.5, 2.0])),
    "x to the 0 at 0": (lambda x: x**0, lambda x: x**0, np.array([0.0, 2.0])),
    "x squared at 0": (lambda x: x**2, lambda x: x**2, np.array([0.0, -2.0])),
    "power of zero base": (np.power, torch.pow, np.array([0.0, 2.0]), np.array([2.0, 3.0])),
    "product with two zeros": (np.prod, torch.prod, np.array([0.0, 2.0, 0.0, 3.0])),
    "product with one zero": (np.prod, torch.prod, np.array([0.0, 2.0, 5.0, 3.0])),
    "max pooling with ties": (
        lambda x: ours.max_pool2d(x, 2), lambda x: F.max_pool2d(x, 2), np.zeros((1, 1, 4, 4)) + np.eye(4).round()),
    "logsumexp of equals": (ours.logsumexp, lambda x: torch.logsumexp(x, 0), np.array([1.0, 1.0, 1.0])),
}  # fmt: skip


@pytest.mark.parametrize("kink", KINKS)
def test_conventions_at_kinks_are_those_of_torch(kink):
    mine, theirs = both(*KINKS[kink])
    for a, b in zip(mine, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13, atol=0)


def test_complex_gradient_is_that_of_torch():
    rng = np.random.default_rng(2)
    z = rng.normal(size=(2, 3)) + 1j * rng.normal(size=(2, 3))
    a = rng.normal(size=(4, 2))
    leaf, real = Tensor(z, requires_grad=True), Tensor(a, requires_grad=True)
    np.sum(np.abs(np.exp(1j * (real @ leaf))) ** 2 + np.angle(real @ leaf)).backward()
    tz, ta = torch.tensor(z, requires_grad=True), torch.tensor(a, requires_grad=True)
    product = ta.to(torch.complex128) @ tz
    (torch.exp(1j * product).abs() ** 2 + product.angle()).sum().backward()
    np.testing.assert_allclose(leaf.grad, tz.grad.numpy(), rtol=1e-12)
    np.testing.assert_allclose(real.grad, ta.grad.numpy(), rtol=1e-12)
