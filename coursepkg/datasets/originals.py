"""The photonic chip's files as its authors published them, read without running anything that is in them.

Two of the three are pickles, and a pickle is a program. Each is compared with its published checksum first; then the
reader hands out NumPy's array reconstruction and, for every other name the pickle asks for, an inert stand-in that
remembers what it was given and does nothing.
"""

from __future__ import annotations

import hashlib
import io
import pickle
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from coursepkg.datasets.core import DataCorrupt

SOURCE = "https://raw.githubusercontent.com/solgaardlab/photonicbackprop/6558ca0287fb006777190e5fc6c9a011be9d352a/"


class Inert:
    """Stands in for an object of a library that is not needed: keeps its arguments and its state."""

    def __init__(self, *arguments: Any) -> None:
        self.arguments = arguments
        self.state: Any = None

    def __new__(cls, *arguments: Any) -> Inert:
        stand_in = super().__new__(cls)
        stand_in.arguments = arguments
        return stand_in

    def __setstate__(self, state: Any) -> None:
        self.state = state


class ArrayUnpickler(pickle.Unpickler):
    """Rebuilds arrays, dictionaries, lists and tuples; everything else becomes :class:`Inert`."""

    def find_class(self, module: str, name: str) -> Any:
        """Answer a pickle that asks for a name: from the allow-list, or with a stand-in."""
        if (module, name) in (("numpy", "ndarray"), ("numpy", "dtype")):
            return getattr(np, name)
        if name == "_reconstruct" and module.startswith("numpy."):
            return _empty_array
        # dill writes "attribute of module" and "named tuple class" as calls; the answers are stand-ins again.
        return {
            ("dill._dill", "_import_module"): lambda wanted, *rest: wanted,
            ("dill._dill", "_get_attr"): lambda wanted, attribute: self.find_class(str(wanted), attribute),
            ("dill._dill", "_create_namedtuple"): lambda *wanted: Inert,
        }.get((module, name), Inert)


def _empty_array(kind: type, shape: tuple[int, ...], code: bytes) -> np.ndarray:
    """What NumPy's ``_reconstruct`` does for plain arrays: an empty one, whose state follows."""
    if kind is not np.ndarray:
        raise pickle.UnpicklingError("only plain arrays are read")
    return np.ndarray.__new__(np.ndarray, shape, np.int8)


def moons_arrays(content: bytes) -> dict[str, np.ndarray]:
    """The moons experiment: unitaries, inputs, classes, simulated and measured probabilities."""
    network = ArrayUnpickler(io.BytesIO(content)).load()["onn"].state
    arrays = {f"unitary_{layer}": matrix for layer, matrix in enumerate(network["unitaries"], start=1)}
    for part, suffix in (("train", ""), ("test", "_test")):
        inputs, classes = network[f"dataset{suffix}"].arguments[:2]
        arrays |= {
            f"x_{part}": inputs,
            f"y_{part}": np.real(classes).astype(np.int8),
            f"p_{part}_simulated": network[f"y_sim{suffix}"],
            f"p_{part}_measured": network[f"y_onn{suffix}"],
        }
    return arrays


def batch_gradient_arrays(content: bytes) -> dict[str, np.ndarray]:
    """Batch gradients by layer: first row expected, second row measured."""
    layers = ArrayUnpickler(io.BytesIO(content)).load()
    return {f"layer_key_{key}": table.state[1]["_variable"].state[1]["_data"] for key, table in layers.items()}


def phase_sweep_arrays(content: bytes) -> dict[str, np.ndarray]:
    """One phase over a period: output power and measured gradient, from a netCDF 3 file."""
    from scipy.io import netcdf_file

    with netcdf_file(io.BytesIO(content), mmap=False) as file:
        power, gradient = file.variables["__xarray_dataarray_variable__"].data.copy()
    return {"power": power, "measured_gradient": gradient}


class Original(NamedTuple):
    """A published file, its SHA-256, its size in bytes, and how its arrays are found."""

    file: str
    sha256: str
    size: int
    arrays: Callable[[bytes], dict[str, np.ndarray]]


ORIGINALS = {
    "moons": Original(
        "moons_onn_device.p",
        "88d15f17d275b134b87d24d441d9297f4d9311b5b526294d1895f54f96a65e86",
        756_658,
        moons_arrays,
    ),
    "batch_gradient": Original(
        "batch_grad.p",
        "24cd567b2ac51acc8e51fbbe0e83bda845c8fe756ea6028a6ebdd5b0fec195eb",
        12_541,
        batch_gradient_arrays,
    ),
    "phase_sweep": Original(
        "sweep_grad.nc",
        "98e049a156119484636ce33b29aad55947016290b75098da99b9609c5c37b900",
        1_084,
        phase_sweep_arrays,
    ),
}


def read_original(name: str, content: bytes) -> dict[str, np.ndarray]:
    """Check a published file and take its arrays out.

    Parameters
    ----------
    name : {"moons", "batch_gradient", "phase_sweep"}
        Which measurement.
    content : bytes
        The file.

    Returns
    -------
    dict of str to ndarray

    Raises
    ------
    DataCorrupt
        If size or checksum are not the published ones; nothing is read then.
    """
    original = ORIGINALS[name]
    if len(content) != original.size or hashlib.sha256(content).hexdigest() != original.sha256:
        raise DataCorrupt(f"{original.file} ({len(content)} bytes) is not the published file; it was not opened.")
    return original.arrays(content)
