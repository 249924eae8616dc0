"""Other simulators of photonic meshes, each brought to one task and checked before it is timed.

The task: a batch of fields, shape (n, batch), through a rectangular mesh of n waveguides, and the gradient of half the
squared distance to a target for all n**2 phases. Peers whose convention is ours get our phases, and every number is
compared; the others keep phases of their own: our mesh is made from their matrix, outputs are compared, and their
gradient with a central difference of their own loss.

Where they come from: ``pip install torch jax neuroptica interferometer numba tensorflow-cpu``; ``meshes``
(QPG-MIT/meshes) and ``neurophox`` (solgaardlab/neurophox) are git checkouts on ``PYTHONPATH``, the C back end of
``meshes`` built with ``g++ dot.cpp -o dot.so -O3 -march=native -fPIC -shared -fopenmp``. Photontorch and simphox are
tried, and the table says why not.
"""

from __future__ import annotations

import contextlib
import importlib
import io
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np

from coursepkg.photonics import AdjointPass, BatchFreePass, Bench, InSituPass, Mesh
from coursepkg.photonics.routes import send

Job = Callable[[], Any]


class Task(NamedTuple):
    """A mesh with its input and its target."""

    mesh: Mesh
    x: np.ndarray
    target: np.ndarray


class Contender(NamedTuple):
    """One way to do the task; ``gradient`` includes the forward pass, ``None`` if it cannot."""

    forward: Job | None
    gradient: Job | None


def task(n: int, batch: int, seed: int = 0) -> Task:
    """Draw a mesh from the Haar measure, and normal fields."""
    rng = np.random.default_rng(seed)

    def fields() -> np.ndarray:
        return rng.normal(size=(n, batch)) + 1j * rng.normal(size=(n, batch))

    return Task(Mesh.random(n, rng=rng), fields(), fields())


# --- ours


def ours(t: Task) -> dict[str, Contender]:
    """The ways that the course's package has."""

    def by(layer: Any) -> Job:
        def gradient() -> Any:
            y = layer.forward(t.x)
            return layer.backward((y - t.target).conj())[0]

        return gradient

    return {
        "ours": Contender(lambda: t.mesh.forward(t.x), by(AdjointPass(t.mesh))),
        "ours, batch-free": Contender(None, by(BatchFreePass(t.mesh))),
        "ours, three passes of light": Contender(None, by(InSituPass(Bench(t.mesh)))),
    }


def ours_by_tensor_engine(t: Task) -> Contender:
    """The course's own reverse mode, operation by operation."""
    from coursepkg.autodiff.reverse_mode import reverse

    def loss(phases: Any) -> Any:
        difference = send(t.mesh, phases, t.x) - t.target
        return np.sum(np.abs(difference) ** 2) / 2

    return Contender(lambda: send(t.mesh, t.mesh.phases, t.x), lambda: reverse(loss)(t.mesh.phases))


# --- with our convention


def torch_loop(t: Task) -> Contender:
    """What a careful person writes in PyTorch: a loop over columns."""
    import torch

    torch.set_num_threads(1)
    phases = torch.tensor(t.mesh.phases, requires_grad=True)
    x, target = torch.tensor(t.x), torch.tensor(t.target)
    count = t.mesh.n * (t.mesh.n - 1)

    def run() -> Any:
        theta, phi = phases[:count:2], phases[1:count:2]
        front, turn = 1j * torch.exp(0.5j * theta), torch.exp(1j * phi)
        s, c = front * torch.sin(theta / 2), front * torch.cos(theta / 2)
        a, b, d = (turn * s)[:, None], (turn * c)[:, None], -s[:, None]
        c = c[:, None]
        y, first = x, 0
        for column in t.mesh.columns:
            last = first + len(column)
            start, stop = column.start, column[-1] + 2
            u, v = y[start:stop:2], y[start + 1 : stop : 2]
            up = a[first:last] * u + c[first:last] * v
            down = b[first:last] * u + d[first:last] * v
            pairs = torch.stack([up, down], 1).reshape(stop - start, -1)
            y = pairs if len(pairs) == len(y) else torch.cat([y[:start], pairs, y[stop:]])
            first = last
        return y * torch.exp(1j * phases[count:, None])

    def forward() -> Any:
        with torch.no_grad():
            return run().numpy()

    def gradient() -> Any:
        loss = torch.sum(torch.abs(run() - target) ** 2) / 2
        return torch.autograd.grad(loss, phases)[0].numpy()

    return Contender(forward, gradient)


def jax_compiled(t: Task, *, unrolled: bool = False) -> Contender:
    """JAX, compiled, in double precision: a scan over pairs of columns, or the whole loop unrolled."""
    if unrolled and t.mesh.n > 16:
        raise ValueError(
            "left out above 16 ports: at 64 it takes 82 s to compile. Measured apart, on a quieter machine: forward "
            "0.6 of our time, ahead of us, and the gradient 1.8 of it"
        )
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    n, count = t.mesh.n, t.mesh.n * (t.mesh.n - 1)
    if n % 2:
        raise ValueError("written for an even number of waveguides")
    x, target, phases = jnp.asarray(t.x), jnp.asarray(t.target), jnp.asarray(t.mesh.phases)
    half = n // 2

    def mixed(theta: Any, phi: Any, y: Any) -> Any:
        front = 1j * jnp.exp(0.5j * theta)
        s, c, turn = front * jnp.sin(theta / 2), front * jnp.cos(theta / 2), jnp.exp(1j * phi)
        pairs = y.reshape(-1, 2, y.shape[1])
        u, v = pairs[:, 0] * turn[:, None], pairs[:, 1]
        return jnp.stack([s[:, None] * u + c[:, None] * v, c[:, None] * u - s[:, None] * v], 1).reshape(y.shape)

    def two(y: Any, settings: Any) -> Any:
        y = mixed(settings[:half, 0], settings[:half, 1], y)
        middle = mixed(settings[half:, 0], settings[half:, 1], y[1:-1])
        return jnp.concatenate([y[:1], middle, y[-1:]]), None

    def run(phases: Any) -> Any:
        inner = phases[:count].reshape(half, n - 1, 2)  # a full column and the shorter one behind it
        if not unrolled:
            y, _ = jax.lax.scan(two, x, inner)
        else:
            y = x
            for settings in inner:
                y, _ = two(y, settings)
        return y * jnp.exp(1j * phases[count:, None])

    forward = jax.jit(run)
    gradient = jax.jit(jax.grad(lambda p: jnp.sum(jnp.abs(run(p) - target) ** 2) / 2))
    return Contender(lambda: np.asarray(forward(phases)), lambda: np.asarray(gradient(phases)))


def hamerly(back_end: str) -> Callable[[Task], Contender]:
    """The package ``meshes``, with its Numba or its C back end."""

    def make(t: Task) -> Contender:
        with contextlib.redirect_stdout(io.StringIO()):
            module = importlib.import_module("meshes.mesh")
            clements = importlib.import_module("meshes.clements").ClementsNetwork
        if back_end == "c" and not module.HAS_C_CODE:
            raise ImportError("its C code is not compiled")
        module.OMP_THREADS = 1
        count = t.mesh.n * (t.mesh.n - 1)
        mesh = clements(
            N=t.mesh.n, p_crossing=t.mesh.phases[:count].reshape(-1, 2), phi_out=t.mesh.gamma, phi_pos="out"
        )

        def forward() -> Any:
            module.BACKEND = back_end
            return mesh.dot(t.x)

        def gradient() -> Any:
            y = forward()
            return mesh.dot_vjp(y, y - t.target)[0]

        return Contender(forward, gradient)

    return make


# --- with a convention of their own


def neuroptica(t: Task) -> Contender:
    """Hughes et al.'s own simulator, in its fastest mode."""
    from neuroptica.component_layers import PhaseShifterLayer
    from neuroptica.layers import ClementsLayer

    np.random.seed(0)  # noqa: NPY002  (it draws its phases from the global generator)
    layer = ClementsLayer(t.mesh.n)
    fast = {"cache_fields": True, "use_partial_vectors": True}

    def flat(gradients: dict[Any, Any]) -> np.ndarray:
        return np.concatenate([np.sum(gradients[part], axis=-1) for part in layer.mesh.all_tunable_components()])

    def gradient() -> Any:
        y = layer.forward_pass(t.x, **fast)
        y_adj = (y - t.target).conj()
        layer.backward_pass(y_adj, **fast)
        return flat(layer.mesh.compute_gradients(t.x, y_adj, **fast))

    def move(direction: np.ndarray) -> None:
        k = 0
        for column in layer.mesh.layers:
            for part in column:
                if isinstance(column, PhaseShifterLayer):
                    part.phi += direction[k]
                    k += 1
                else:
                    part.theta += direction[k]
                    part.phi += direction[k + 1]
                    k += 2

    def forward() -> Any:
        return layer.forward_pass(t.x)

    _check_by_difference("neuroptica", t, layer.mesh.get_transfer_matrix(), forward, gradient, move, 1e-9, 1e-5)
    return Contender(forward, gradient)


def neurophox_numpy(t: Task) -> Contender:
    """Neurophox on NumPy: forward only."""
    layer = importlib.import_module("neurophox.numpy").RMNumpy(t.mesh.n)
    rows = np.ascontiguousarray(t.x.T)

    def forward() -> Any:
        return layer.transform(rows).T

    _check_outputs("neurophox", t, layer.matrix.T, forward(), 1e-9)
    return Contender(forward, None)


def neurophox_torch(t: Task) -> Contender:
    """Neurophox on PyTorch, in single precision as it comes."""
    import torch

    layer = importlib.import_module("neurophox.torch").RMTorch(t.mesh.n)
    x, target = (torch.tensor(np.ascontiguousarray(a.T), dtype=torch.cfloat) for a in (t.x, t.target))
    parameters = list(layer.parameters())

    def forward() -> Any:
        with torch.no_grad():
            return layer(x).numpy().T

    def gradient() -> Any:
        loss = torch.sum(torch.abs(layer(x) - target) ** 2) / 2
        return np.concatenate([g.numpy().ravel() for g in torch.autograd.grad(loss, parameters)])

    def move(direction: np.ndarray) -> None:
        k = 0
        with torch.no_grad():
            for parameter in parameters:
                part = direction[k : k + parameter.numel()].reshape(parameter.shape)
                parameter += torch.tensor(part, dtype=parameter.dtype)
                k += parameter.numel()

    _check_by_difference("neurophox torch", t, layer.matrix().T, forward, gradient, move, 1e-4, 2e-2, step=1e-2)
    return Contender(forward, gradient)


def neurophox_tensorflow(t: Task) -> Contender:
    """Neurophox on TensorFlow, as a graph, in single precision; tracing takes half a minute at 256 ports."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    if t.mesh.n > 64:
        raise ValueError("left out above 64 ports: tracing the graph takes longer than everything else")
    layer = importlib.import_module("neurophox.tensorflow").RM(t.mesh.n)
    x, target = (tf.constant(np.ascontiguousarray(a.T), tf.complex64) for a in (t.x, t.target))
    layer(x)
    variables = [layer.theta, layer.phi, layer.gamma]

    @tf.function
    def run() -> Any:
        return layer(x)

    @tf.function
    def slope() -> Any:
        with tf.GradientTape() as tape:
            tape.watch(variables)
            loss = tf.reduce_sum(tf.abs(layer(x) - target) ** 2) / 2
        return tape.gradient(loss, variables)

    def forward() -> Any:
        return run().numpy().T

    def gradient() -> Any:
        return np.concatenate([g.numpy().ravel() for g in slope()])

    def move(direction: np.ndarray) -> None:
        k = 0
        for variable in variables:
            size = int(np.prod(variable.shape))
            variable.assign_add(tf.constant(direction[k : k + size].reshape(variable.shape), variable.dtype))
            k += size

    matrix = layer(tf.eye(t.mesh.n, dtype=tf.complex64)).numpy().T
    _check_by_difference("neurophox TF", t, matrix, forward, gradient, move, 1e-4, 2e-2, step=1e-2)
    return Contender(forward, gradient)


def photontorch(t: Task) -> Contender:
    """Photontorch's rectangular mesh."""
    module = importlib.import_module("photontorch")
    with module.Environment(wl=1.55e-6, freqdomain=True, grad=True):
        network = module.ClementsNxN(N=t.mesh.n)
        network(source=1)
    raise ValueError("it ran, but nobody has written the comparison yet")


def simphox(t: Task) -> Contender:
    """The simulator of the paper itself."""
    importlib.import_module("simphox.circuit")
    raise ValueError("it imports, but nobody has written the comparison yet")


PEERS: dict[str, tuple[str, Callable[[Task], Contender]]] = {
    "ours, tensor engine": ("coursepkg", ours_by_tensor_engine),
    "torch, loop over columns": ("torch", torch_loop),
    "JAX, compiled scan": ("jax", jax_compiled),
    "JAX, compiled and unrolled": ("jax", partial(jax_compiled, unrolled=True)),
    "meshes, Numba": ("meshes", hamerly("numba")),
    "meshes, C": ("meshes", hamerly("c")),
    "neuroptica": ("neuroptica", neuroptica),
    "neurophox, NumPy": ("neurophox", neurophox_numpy),
    "neurophox, torch (single precision)": ("neurophox", neurophox_torch),
    "neurophox, TF graph (single precision)": ("neurophox", neurophox_tensorflow),
    "photontorch": ("photontorch", photontorch),
    "simphox": ("simphox", simphox),
}
SAME_CONVENTION = ("ours", "torch, loop", "JAX", "meshes")


def contenders(t: Task) -> tuple[dict[str, Contender], dict[str, str]]:
    """Everybody who can do the task and does it right, and the reasons of those who cannot."""
    found, absent = ours(t), {}
    for name, (package, make) in PEERS.items():
        if find_spec(package) is None:
            absent[name] = "not installed"
            continue
        try:
            found[name] = make(t)
        except (ImportError, AttributeError, NameError, TypeError, ValueError, RuntimeError, OSError) as error:
            absent[name] = f"{type(error).__name__}: {str(error).splitlines()[0][:200] if str(error) else ''}"
    outputs, gradient = found["ours"].forward(), found["ours"].gradient()
    for name, contender in found.items():
        if name.startswith(SAME_CONVENTION):
            if contender.forward is not None:
                _close(name, contender.forward(), outputs, 1e-9)
            _close(name, contender.gradient(), gradient, 1e-9)
    return found, absent


# --- decompositions


def decompositions(unitary: np.ndarray) -> tuple[dict[str, Job], dict[str, str]]:
    """Ways to find the phases of a matrix; each is checked once where it gives its matrix back."""
    n = len(unitary)
    found: dict[str, Job] = {
        "ours, rectangle": lambda: Mesh.from_unitary(unitary, "rectangular"),
        "ours, triangle": lambda: Mesh.from_unitary(unitary, "triangular"),
    }
    absent = {}
    for name, job in found.items():
        _close(name, job().matrix(), unitary, 1e-12)
    if find_spec("interferometer") and n <= 64:
        package = importlib.import_module("interferometer")
        found["interferometer"] = lambda: package.square_decomposition(unitary)
        made = found["interferometer"]().calculate_transformation()
        _close("interferometer", made, unitary, 1e-9)
    else:
        absent["interferometer"] = "not installed" if n <= 64 else "left out above 64 ports"
    if find_spec("neurophox") and n <= 128:
        module = importlib.import_module("neurophox.decompositions")
        found["neurophox"] = lambda: module.clements_decomposition(unitary)
        _close("neurophox", found["neurophox"]().matrix.T, unitary.T, 1e-6)
    else:
        absent["neurophox"] = "not installed" if n <= 128 else "left out above 128 ports"
    return found, absent


# --- checks


def _close(name: str, found: Any, expected: np.ndarray, tolerance: float) -> None:
    off = float(np.linalg.norm(np.asarray(found) - expected) / np.linalg.norm(expected))
    if not off <= tolerance:
        raise SystemExit(f"{name} differs from ours by {off:.1e}, so nothing is timed")


def _check_outputs(name: str, t: Task, matrix: np.ndarray, outputs: np.ndarray, tolerance: float) -> None:
    """Our mesh, made from their matrix, must do what theirs does."""
    u, _, v = np.linalg.svd(np.asarray(matrix, dtype=complex))  # single precision is not quite unitary
    _close(name, outputs, Mesh.from_unitary(u @ v).forward(t.x), tolerance)


def _check_by_difference(
    name: str,
    t: Task,
    matrix: np.ndarray,
    forward: Job,
    gradient: Job,
    move: Callable[[np.ndarray], None],
    tolerance: float,
    slope_tolerance: float,
    step: float = 1e-5,
) -> None:
    """Outputs against ours, and the gradient against a central difference along it."""
    _check_outputs(name, t, matrix, forward(), tolerance)
    slopes = np.asarray(gradient(), dtype=float)
    direction = slopes / np.linalg.norm(slopes)

    def loss(amount: float) -> float:
        move(amount * direction)
        value = float(np.sum(np.abs(np.asarray(forward(), dtype=complex) - t.target) ** 2) / 2)
        move(-amount * direction)
        return value

    found = (loss(step) - loss(-step)) / (2 * step)
    expected = float(np.linalg.norm(slopes))
    if not abs(found - expected) <= slope_tolerance * expected:
        raise SystemExit(f"{name}: its gradient says {expected:.4g}, its own loss {found:.4g}; nothing is timed")
