"""Three tasks of sentences for fine-tuning, each a file or two of lines.

- ``trec``: what a question asks for, six classes (Li and Roth 2002), as Harvard NLP's sent-conv-torch has it.
- ``cola``: whether a sentence is grammatical, two classes (Warstadt, Singh and Bowman 2019), a task of GLUE.
- ``movie``: whether a sentence of a review praises the film, two classes: mean ratings by people (Hutto and Gilbert
  2014), as vaderSentiment's source distribution has them. It has no official parts: every fifth line is for testing.

The sentences belong to those who wrote them, so none is part of the package.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from coursepkg.datasets.core import DataCorrupt, Dataset
from coursepkg.datasets.files import check_sum, locate, read_gzip

LARGEST = 20_000_000  # bytes; the largest file has 1.3 million


class File(NamedTuple):
    """A packed file under ``text/``, and the SHA-256 of what is packed in it."""

    name: str
    sha256: str


class Task(NamedTuple):
    """The files of each part, how a line is read, the names of the classes, and where it all comes from."""

    parts: dict[str, tuple[File, ...]]
    read: Callable[[str], tuple[str, int]]
    classes: tuple[str, ...]
    source: str


def _trec_line(line: str) -> tuple[str, int]:
    number, text = line.split(" ", 1)
    return text, int(number)


def _cola_line(line: str) -> tuple[str, int]:
    _, number, _, text = line.split("\t")
    return text, int(number)


def _movie_line(line: str) -> tuple[str, int]:
    _, rating, text = line.split("\t")
    return text, int(float(rating) > 0)


MOVIE = File("movie_snippets.txt.gz", "c8293b0d942e90e223ea2c0955d969040d1a1be514a978b9af0698940bd13350")
TASKS = {
    "trec": Task(
        {
            "train": (File("trec_train.txt.gz", "c8183fd8c2a5cc4a9a1c56548d7c6410a8b71ed7843df9ef1f0a05cd7cf2fb3e"),),
            "test": (File("trec_test.txt.gz", "92a6a3cede5678b447ef5f1d7ec474134fcda211e6590e6fa627b4a2c68e4566"),),
        },
        _trec_line,
        ("description", "entity", "abbreviation", "human", "location", "number"),
        "Li and Roth, Learning question classifiers, 2002; GitHub harvardnlp/sent-conv-torch, data/TREC.*.all",
    ),
    "cola": Task(
        {
            "train": (
                File("cola_in_domain_train.tsv.gz", "f320a10f92d3bce6b29152fde322a362eac39238e50d8de0c8815457fdf4fc12"),
            ),
            "test": (
                File("cola_in_domain_dev.tsv.gz", "77176f6a03faa5a1c4f23c69971fc1bff565931112fb65af47b2d6e24b7f42f7"),
                File(
                    "cola_out_of_domain_dev.tsv.gz", "201b9c57b2a20f1282242eec0ed8995729e3be19c29a46c047b3727338836c05"
                ),
            ),
        },
        _cola_line,
        ("unacceptable", "acceptable"),
        "Warstadt, Singh and Bowman, Neural network acceptability judgments, 2019; GitHub nyu-mll/CoLA-baselines, "
        "acceptability_corpus/cola_public/raw",
    ),
    "movie": Task(
        {"train": (MOVIE,), "test": (MOVIE,)},
        _movie_line,
        ("negative", "positive"),
        "Hutto and Gilbert, VADER, 2014; PyPI, source of vaderSentiment 3.3.2, "
        "additional_resources/hutto_ICWSM_2014.tar.gz, movieReviewSnippets_GroundTruth.txt",
    ),
}


def text(name: str, part: str = "train") -> Dataset:
    """Sentences and their classes.

    Parameters
    ----------
    name : {"trec", "cola", "movie"}
        Which task.
    part : {"train", "test"}
        For CoLA, "test" is both of its public development files, because the answers of its test are kept secret.

    Returns
    -------
    Dataset
        ``X`` of shape (n,), strings; ``y`` of shape (n,), int64, the classes.

    Raises
    ------
    DataNotFound
        If a file is neither in ``COURSEPKG_DATA`` nor in the cache.
    DataCorrupt
        If a file is not the published one.
    """
    if name not in TASKS:
        raise ValueError(f"there is no task {name!r}; choose one of {', '.join(TASKS)}")
    task = TASKS[name]
    if part not in task.parts:
        raise ValueError(f"part must be 'train' or 'test', got {part!r}")
    found = [task.read(line) for file in task.parts[part] for line in _lines(file)]
    if name == "movie":
        found = [pair for number, pair in enumerate(found) if (number % 5 == 4) == (part == "test")]
    return Dataset(
        name=f"text/{name} ({part})",
        X=np.array([sentence for sentence, _ in found]),
        y=np.array([number for _, number in found], np.int64),
        target_names=task.classes,
        source=task.source,
    )


def _lines(file: File) -> Iterator[str]:
    path = find(file.name)
    content = read_gzip(path, LARGEST)
    check_sum(path, content, file.sha256)
    try:
        return (line.strip() for line in decoded(content).split("\n") if line.strip())
    except UnicodeDecodeError as error:
        raise DataCorrupt(f"{path} is not text ({error}).") from None


def decoded(content: bytes) -> str:
    """The text of a file: UTF-8, and where it is not, the older Western code of the question files."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def find(file: str) -> Path:
    """The path of a file of sentences.

    Raises
    ------
    DataNotFound
        If it is not on this computer.
    """
    offer = (
        f"Set COURSEPKG_DATA to a folder that holds it under text/; the sources are named in {__name__}. Offline, "
        "coursepkg.docstrings makes a task of sentences from the texts of NumPy's own functions."
    )
    return locate(f"text/{file}", offer=offer)
