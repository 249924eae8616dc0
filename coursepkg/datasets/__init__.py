"""Small real data sets that work offline, toy problems in the plane, and larger sets fetched once on request.

Generated: :func:`moons`, :func:`rings`, :func:`spirals`. Inside scikit-learn: :func:`iris`, :func:`wine`,
:func:`breast_cancer`, :func:`digits`, :func:`diabetes`. From a folder or the cache: :func:`mnist`, :func:`uci`,
:func:`photonic_chip`, sentences (:func:`text`), a pretrained encoder (:func:`minilm`), and what
:mod:`coursepkg.neural_tree.published` reads; :func:`fetch` fills the cache, and nothing
else here uses the network. Then :func:`split`, :class:`Scaler`, :func:`one_hot` and :func:`batches` make them ready for
training.
"""

from coursepkg.datasets.bundled import breast_cancer, diabetes, digits, iris, wine
from coursepkg.datasets.catalogue import NAMES, available, load
from coursepkg.datasets.chip import photonic_chip
from coursepkg.datasets.command import main
from coursepkg.datasets.core import DataCorrupt, DataNotFound, Dataset
from coursepkg.datasets.download import fetch
from coursepkg.datasets.generated import moons, rings, spirals
from coursepkg.datasets.idx import mnist
from coursepkg.datasets.minilm import minilm
from coursepkg.datasets.prepare import Scaler, Split, batches, one_hot, split
from coursepkg.datasets.tables import uci
from coursepkg.datasets.texts import text

__all__ = [
    "NAMES",
    "DataCorrupt",
    "DataNotFound",
    "Dataset",
    "Scaler",
    "Split",
    "available",
    "batches",
    "breast_cancer",
    "diabetes",
    "digits",
    "fetch",
    "iris",
    "load",
    "main",
    "minilm",
    "mnist",
    "moons",
    "one_hot",
    "photonic_chip",
    "rings",
    "spirals",
    "split",
    "text",
    "uci",
    "wine",
]
