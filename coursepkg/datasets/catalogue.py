"""Every data set by name, for exercises and command lines that are given a name rather than a function."""

from __future__ import annotations

from collections.abc import Callable

from coursepkg.datasets import bneuralt, bundled, chip, files, idx, tables, texts
from coursepkg.datasets.core import DataNotFound, Dataset
from coursepkg.datasets.minilm import CHECKSUMS, find_model

_BUNDLED: dict[str, Callable[[], Dataset]] = {
    "iris": bundled.iris,
    "wine": bundled.wine,
    "breast_cancer": bundled.breast_cancer,
    "digits": bundled.digits,
    "diabetes": bundled.diabetes,
}
NAMES = (*_BUNDLED, "mnist/test", "mnist/train", *(f"uci/{name}" for name in tables.TABLES))
MEASUREMENTS = tuple(f"photonic_chip/{name}" for name in chip.FILES)
TREES = tuple(f"bneuralt/{name}" for name in bneuralt.FILES)
TEXTS = tuple(f"text/{name}" for name in texts.TASKS)
MODELS = ("minilm",)


def load(name: str) -> Dataset:
    """Load a data set by name.

    Parameters
    ----------
    name : str
        ``"iris"``, ``"wine"``, ``"breast_cancer"``, ``"digits"``, ``"diabetes"``, ``"mnist/test"``, ``"mnist/train"``,
        or ``"uci/..."`` with a name that :func:`coursepkg.datasets.uci` knows.

    Examples
    --------
    >>> from coursepkg import datasets
    >>> datasets.load("wine")
    Dataset('wine', X (178, 13) float64, y (178,) int64, 3 classes)
    """
    if name in _BUNDLED:
        return _BUNDLED[name]()
    _known(name, NAMES)
    folder, _, rest = name.partition("/")
    return idx.mnist(rest) if folder == "mnist" else tables.uci(rest)


def available(name: str) -> bool:
    """Whether a data set is on this computer, so that loading it needs no network.

    Parameters
    ----------
    name : str
        As for :func:`load`, ``"photonic_chip/..."`` with a name of :func:`coursepkg.datasets.photonic_chip`, or
        ``"bneuralt/..."`` with that of a table, a digit tree such as ``"mnist_10k"``, or ``"scores"``;
        ``"text/..."`` with a name of :func:`coursepkg.datasets.text`, or ``"minilm"``.
    """
    if name in _BUNDLED:
        return True
    _known(name, NAMES + MEASUREMENTS + TREES + TEXTS + MODELS)
    folder, _, rest = name.partition("/")
    if name in MODELS:
        return _model_is_here()
    if folder == "text":
        needed = [f"text/{file.name}" for part in texts.TASKS[rest].parts.values() for file in part]
    elif folder == "mnist":
        prefix = idx.PARTS[rest].prefix
        needed = [f"mnist/{file}.gz" for file in idx.CHECKSUMS if file.startswith(prefix)]
    else:
        place = {"uci": tables.FILES, "bneuralt": bneuralt.FILES}.get(folder)
        needed = [f"{folder}/{place[rest] if place else chip.FILES[rest][0]}"]
    return all(any((found / file).is_file() for found in files.search_path()) for file in needed)


def _model_is_here() -> bool:
    try:
        return all(find_model(name) for name in CHECKSUMS)
    except DataNotFound:
        return False


def _known(name: str, names: tuple[str, ...]) -> None:
    if name not in names:
        raise ValueError(f"there is no data set {name!r}; choose one of {', '.join(names)}")
