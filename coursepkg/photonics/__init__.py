"""Backpropagation in light: interferometers, meshes of them, and gradients measured by interference.

Fields are columns, shape ``(n,)`` or ``(n, batch)``, complex amplitudes with power ``|field|**2``; examples of a network
are rows, shape ``(batch, n)``. Phases are radians. An *adjoint* is the conjugate of the gradient that the tensor
engine and PyTorch leave in ``.grad``: with ``dL = Re(sum(adjoint * d field))``, light carries it back by ``U.T``.

One interferometer (:mod:`~coursepkg.photonics.mzi`)
    :func:`coupler`, :func:`mzi`, :func:`bar_power`, :func:`null_bottom`, :func:`null_top`, :func:`symbolic_mzi`
A mesh (:mod:`~coursepkg.photonics.mesh`)
    ``Mesh.from_unitary(U, layout="rectangular" | "triangular")``, ``Mesh.random(n, layout, rng=rng)``;
    ``.forward(x)`` is ``U @ x``, ``.backward(y)`` is ``U.T @ y``, ``.matrix()``; ``.phases`` (n*n numbers: theta, phi of
    each interferometer in turn, then gamma) with views ``.theta``, ``.phi``, ``.gamma``; ``.forward_taps(x)`` and
    ``.backward_taps(y)`` give ``(fields out, fields behind every heater in the order of phases)``; ``.trace(x)`` and
    ``.backward_trace(y)`` the fields on all waveguides between columns, shape ``(depth + 2, n, ...)``;
    ``.columns`` (a range of top waveguides per column), ``.positions`` (column and top waveguide of each interferometer)
Phases of a matrix (:mod:`~coursepkg.photonics.decomposition`)
    :func:`decompose`, :func:`haar_unitary`
"""

from coursepkg.photonics.decomposition import decompose, haar_unitary
from coursepkg.photonics.mesh import Mesh
from coursepkg.photonics.mzi import bar_power, coupler, mzi, null_bottom, null_top, symbolic_mzi

__all__ = [
    "Mesh",
    "bar_power",
    "coupler",
    "decompose",
    "haar_unitary",
    "mzi",
    "null_bottom",
    "null_top",
    "symbolic_mzi",
]
