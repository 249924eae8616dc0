"""The fourteen small tables of the neural tree's paper (Ojha and Nicosia, 2022), from the UCI and KEEL repositories.

They are taken byte for byte from the authors' repository, so results can be compared with the published ones.
"""

from __future__ import annotations

import csv
import io
from typing import NamedTuple

import numpy as np

from coursepkg.datasets.core import DataCorrupt, Dataset
from coursepkg.datasets.files import check_sum, locate, refuse_web_page

SOURCE = "https://raw.githubusercontent.com/vojha-code/BNeuralT/f93d43f3970b1cef9d5abfe97ea54a963fd2de25/data/"


class Table(NamedTuple):
    """What a file must hold: rows, input columns, classes (0 for regression), and its SHA-256."""

    rows: int
    columns: int
    classes: int
    sha256: str


TABLES = {
    "australian": Table(690, 14, 2, "ebfd58e19ca36aa1437bcde65e98f474ac83eb4e76eb2beca7cdcedfaae1dc95"),
    "glass": Table(214, 9, 6, "b5298f477e91d1b30d38afaceb7ab95df881daf6d1f035a3afcce0f8f44b178c"),
    "heart": Table(270, 13, 2, "47ca143043d7dacfe6423a74affcb0611788f3ce8fd903efb35a9e4204484436"),
    "ionosphere": Table(351, 33, 2, "984b0a50ac3ce4341f34bf75c84a9b95b2a9fe8ea256e556e5a822b512d9c63e"),
    "iris": Table(150, 4, 3, "41a2e4e8c2c889a5ec590568e7532305fc57b58a3684986d7645cf42d8365335"),
    "pima": Table(768, 8, 2, "f6714163e5c8887b36fff98293eb7bfe48bce468d96a285d966f6420968f749e"),
    "vehicle": Table(846, 18, 4, "aed28dde8fd80991d9fa6aa5dfbd7abe32397d1a3549984963b47388dd941a24"),
    "wdbc": Table(569, 30, 2, "584f24c64615c19e222a7ad0130249c12d9dbb8b15c52ba7881ddd6ff8619f71"),
    "wine": Table(178, 13, 3, "ae68fcf282ec59c9f8f5eb4ff0865413c2acead31972bb4cdc7f71bc05dc0d46"),
    "baseball": Table(337, 16, 0, "5928b0c9e70a4765d8b7419302e4c3af01685735cbb0376845082f6f0f03cf6f"),
    "dee": Table(365, 6, 0, "67aefcb33e39e2faa97a362b72c10a50696174261e011ae6b74c87c76d04c459"),
    "diabetes": Table(442, 10, 0, "048771b8b37bfd66c50ebf20e099f29033214b42c3c204f88fb9ea4106aca2d7"),
    "friedman": Table(1200, 5, 0, "860f575f50f5853e348d8c9d32ea6d49ded9b9088d35b246f43fbe701e0e8222"),
    "mpg6": Table(392, 5, 0, "9bbbf207d14d1c933f844b2e26956f44bf47f14bcb9fa32d6052409464039af7"),
}
# The authors' spelling where it differs from the usual one.
FILES = {name: f"{name}.csv" for name in TABLES} | {"diabetes": "diabetese.csv"}


def uci(name: str) -> Dataset:
    """One table of the neural tree's paper.

    Parameters
    ----------
    name : str
        Classification: ``"australian"``, ``"glass"``, ``"heart"``, ``"ionosphere"``, ``"iris"``, ``"pima"``,
        ``"vehicle"``, ``"wdbc"``, ``"wine"``. Regression: ``"baseball"``, ``"dee"``, ``"diabetes"``, ``"friedman"``,
        ``"mpg6"``.

    Returns
    -------
    Dataset
        ``X`` float64; ``y`` int64 class numbers in the sorted order of the labels, or float64 for regression.

    Raises
    ------
    DataNotFound
        If the file is neither in ``COURSEPKG_DATA`` nor in the cache.
    DataCorrupt
        If the file is not the published one.
    """
    if name not in TABLES:
        raise ValueError(f"there is no table {name!r}; choose one of {', '.join(TABLES)}")
    table = TABLES[name]
    path = locate(f"uci/{FILES[name]}", offer=offer(name))
    content = path.read_bytes()
    refuse_web_page(path, content)
    check_sum(path, content, table.sha256)
    return parse(name, content.decode("utf-8"))


def parse(name: str, text: str) -> Dataset:
    """Turn the text of a table into arrays and check their shape.

    Raises
    ------
    DataCorrupt
        If rows, columns or classes are not as many as published.
    """
    table = TABLES[name]
    lines = [row for row in csv.reader(io.StringIO(text)) if any(cell.strip() for cell in row)]
    header, rows = (lines[0], lines[1:]) if lines else ([], [])
    target = header.index("target") if "target" in header else -1
    if (len(rows), target) != (table.rows, table.columns) or any(len(row) <= target for row in rows):
        raise DataCorrupt(
            f"{FILES[name]} has {len(rows)} rows and {max(target, 0)} columns before 'target', "
            f"expected {table.rows} and {table.columns}. Delete it and fetch again."
        )
    X = np.array([[float(cell) for cell in row[:target]] for row in rows])
    labels = [row[target].strip() for row in rows]
    names = tuple(sorted(set(labels))) if table.classes else ()
    if len(names) != table.classes:
        raise DataCorrupt(f"{FILES[name]} has {len(names)} classes, expected {table.classes}.")
    y = np.array([names.index(label) for label in labels]) if names else np.array([float(label) for label in labels])
    features = tuple(column.strip() for column in header[:target])
    return Dataset(f"uci/{name}", X, y, features, names, source="UCI and KEEL, as prepared by Ojha and Nicosia, 2022")


def offer(name: str) -> str:
    """What a learner can do when a table is missing."""
    bundled = {"iris": "iris", "wine": "wine", "wdbc": "breast_cancer", "diabetes": "diabetes"}
    instead = (
        f"datasets.{bundled[name]}() is scikit-learn's copy" if name in bundled else "datasets.wine() is a real table"
    )
    return (
        f"Run `python -m coursepkg data fetch uci` once (about 0.6 MB), or set COURSEPKG_DATA to a folder that holds "
        f"uci/{FILES[name]}. Offline, {instead}."
    )
