"""MNIST: 28x28 grey images of handwritten digits (LeCun, Cortes and Burges, 1998), in the original IDX files.

An IDX file is a four-byte magic number, one big-endian length per dimension, and the bytes. Whether the files were
put there by hand or fetched from OpenML, they pass the same checks, checksums of the originals included.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import NamedTuple

import numpy as np

from coursepkg.datasets.core import DataCorrupt, Dataset
from coursepkg.datasets.files import check_sum, locate, unzip

OFFER = (
    "Run `python -m coursepkg data fetch mnist` once (about 15 MB), or set COURSEPKG_DATA to a folder that holds the "
    "four original files under mnist/. Offline, datasets.digits() has 1797 real digits of 8x8 pixels."
)
# The MD5 sums are the published ones, of the uncompressed files, so that it does not matter who compressed them.
CHECKSUMS = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}


class Part(NamedTuple):
    """One of the two official parts."""

    prefix: str
    size: int


PARTS = {"train": Part("train", 60_000), "test": Part("t10k", 10_000)}


def mnist(part: str = "test") -> Dataset:
    """The 10,000 official test images of MNIST, or the 60,000 training images.

    Parameters
    ----------
    part : {"test", "train"}
        Which official part.

    Returns
    -------
    Dataset
        ``X`` of shape (n, 28, 28), uint8, 0 background to 255 ink; ``y`` of shape (n,), int64, the digits.

    Raises
    ------
    DataNotFound
        If the files are neither in ``COURSEPKG_DATA`` nor in the cache; nothing is fetched without being asked.
    DataCorrupt
        If a file is truncated, altered, or not MNIST.
    """
    if part not in PARTS:
        raise ValueError(f"part must be 'test' or 'train', got {part!r}")
    prefix, size = PARTS[part]
    images = read_idx(f"{prefix}-images-idx3-ubyte", (size, 28, 28))
    labels = read_idx(f"{prefix}-labels-idx1-ubyte", (size,))
    return Dataset(
        name=f"mnist ({part})",
        X=images,
        y=labels.astype(np.int64),
        target_names=tuple("0123456789"),
        source="LeCun, Cortes and Burges, The MNIST database of handwritten digits, 1998",
    )


def read_idx(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Read one of the four files, refusing everything but the original content.

    Parameters
    ----------
    name : str
        File name without ``.gz``.
    shape : tuple of int
        Shape that the header must state.

    Returns
    -------
    ndarray of uint8
        A writable array of the given shape.
    """
    path = locate(f"mnist/{name}.gz", offer=OFFER)
    header = idx_header(shape)
    content = unzip(path, len(header) + int(np.prod(shape)))
    if content[: len(header)] != header:
        _explain_header(path, content, header)
    check_sum(path, content, CHECKSUMS[name])
    return np.frombuffer(content, np.uint8, offset=len(header)).reshape(shape).copy()


def idx_header(shape: tuple[int, ...]) -> bytes:
    """The bytes before the data: 0, 0, 8 for unsigned bytes, the number of dimensions, then each of them."""
    return struct.pack(f">4B{len(shape)}I", 0, 0, 8, len(shape), *shape)


def _explain_header(path: Path, content: bytes, expected: bytes) -> None:
    if content[:4] != expected[:4]:
        raise DataCorrupt(
            f"{path} begins with {content[:4].hex(' ')}; an IDX file of this kind begins with {expected[:4].hex(' ')}. "
            "Is it the right file?"
        )
    dimensions = len(expected) // 4 - 1
    stated, wanted = (struct.unpack(f">{dimensions}I", header[4 : len(expected)]) for header in (content, expected))
    raise DataCorrupt(f"{path} says that it holds {stated}, expected {wanted}. Is it the right file?")
