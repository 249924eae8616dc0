"""Measurements on a real photonic neural network (Pai et al., Science 380:398, 2023): light that did backpropagation.

Three small files of arrays, extracted from the authors' MIT-licensed data repository. They are the reality check of
the chapter on photonic backpropagation.
"""

from __future__ import annotations

import io
import zipfile

import numpy as np

from coursepkg.datasets.core import DataCorrupt
from coursepkg.datasets.files import check_sum, locate, refuse_web_page

OFFER = (
    "Run `python -m coursepkg data fetch photonic-chip` once (about 0.8 MB), or set COURSEPKG_DATA to a folder that "
    "holds the files under photonic_chip/. Offline, the chapter on photonic backpropagation simulates the chip."
)
# SHA-256 of the arrays themselves (see `canonical_bytes`), because the same arrays can be zipped in many ways.
FILES = {
    "moons": ("moons_device.npz", "ffa03d8e9f1ae712aa06b1b6378bed29e47f7832f0c89af78ecaa04b5017f6ea"),
    "batch_gradient": (
        "batch_gradient_expected_vs_measured.npz",
        "bb954d840c084991763c317fe303a45343c588198d36389fb7a8c5e011c17fe3",
    ),
    "phase_sweep": ("phase_sweep_gradient.npz", "09099e4425683e4697288aa9d7d5c8701ae81cea91544398ba348e868a1c3b30"),
}


def photonic_chip(name: str) -> dict[str, np.ndarray]:
    """Arrays measured on the chip, or simulated for it by the authors.

    Parameters
    ----------
    name : {"moons", "batch_gradient", "phase_sweep"}
        - ``"moons"``: ``unitary_1`` to ``unitary_3``, each (4, 4) complex; for ``train`` (n = 200) and ``test``
          (n = 50) the input amplitudes ``x_*`` (n, 4) complex with total power 9, one-hot classes ``y_*`` (n, 2), and
          class probabilities ``p_*_simulated`` and ``p_*_measured`` (n, 2).
        - ``"batch_gradient"``: ``layer_key_1``, ``layer_key_2``, ``layer_key_4``, each of two rows, the expected and
          the measured gradient, each row with a scale of its own.
        - ``"phase_sweep"``: ``power`` and ``measured_gradient`` at 50 settings of one phase over a period.

    Returns
    -------
    dict of str to ndarray

    Raises
    ------
    DataNotFound
        If the files are not on this computer.
    DataCorrupt
        If a file is damaged or its arrays are not the published ones.
    """
    if name not in FILES:
        raise ValueError(f"there is no measurement {name!r}; choose one of {', '.join(FILES)}")
    file, digest = FILES[name]
    path = locate(f"photonic_chip/{file}", offer=OFFER)
    content = path.read_bytes()
    refuse_web_page(path, content)
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            arrays = dict(archive)
    except (ValueError, TypeError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise DataCorrupt(f"{path} is not a readable .npz file ({error}). Delete it and fetch again.") from None
    check_sum(path, canonical_bytes(arrays), digest)
    return {name: array.astype(array.dtype.newbyteorder("=")) for name, array in arrays.items()}


def canonical_bytes(arrays: dict[str, np.ndarray]) -> bytes:
    """Names, types, shapes and values of arrays as bytes, the same however the file was packed."""
    pieces = []
    for name in sorted(arrays):
        array = arrays[name]
        pieces += [f"{name} {array.dtype.str} {array.shape}".encode(), array.tobytes()]
    return b"\n".join(pieces)
