"""Fetching larger data once, on request, into the cache: the only place in the package that may use the network.

Everything that arrives is checked against the published checksum before it gets its final name, so the cache never
holds half a file.
"""

from __future__ import annotations

import gzip
import io
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np

from coursepkg.datasets import bneuralt, chip, idx, originals, tables
from coursepkg.datasets.core import DataCorrupt, DataNotFound
from coursepkg.datasets.files import cache_folder, check_sum, refuse_web_page

Download = Callable[[str], bytes]


def fetch(
    name: str,
    *,
    progress: bool = True,
    openml: Callable[..., Any] | None = None,
    download: Download | None = None,
) -> list[Path]:
    """Fetch a data set into the cache, unless it is there already.

    Parameters
    ----------
    name : {"mnist", "uci", "photonic-chip", "bneuralt"}
        MNIST comes from OpenML through scikit-learn's client, the tables, the measurements and the published neural
        trees from their authors' repositories.
    progress : bool
        Show a progress bar.
    openml : callable, optional
        Used in place of ``sklearn.datasets.fetch_openml``.
    download : callable, optional
        Used in place of a plain HTTPS download: ``url -> bytes``.

    Returns
    -------
    list of pathlib.Path
        The files, all present in the cache.

    Raises
    ------
    DataNotFound
        If there is no connection; the message offers the offline alternative.
    DataCorrupt
        If what arrived is not the published content; nothing is kept.
    """
    if name == "mnist":
        return _fetch_mnist(openml or _scikit_learn_openml, progress)
    if name == "uci":
        return _fetch_tables(download or _https, progress)
    if name == "photonic-chip":
        return _fetch_chip(download or _https, progress)
    if name == "bneuralt":
        return _fetch_trees(download, progress)
    raise ValueError(
        f"there is nothing to fetch under the name {name!r}; choose 'mnist', 'uci', 'photonic-chip' or 'bneuralt'"
    )


def _fetch_tables(download: Download, progress: bool) -> list[Path]:
    from tqdm import tqdm

    folder = cache_folder() / "uci"
    paths = {name: folder / file for name, file in tables.FILES.items()}
    missing = [name for name, path in paths.items() if not path.is_file()]
    for name in tqdm(missing, desc="tables", unit="file", disable=not progress):
        with _offline_message(tables.offer(name)):
            content = download(tables.SOURCE + tables.FILES[name])
        refuse_web_page(paths[name], content)
        check_sum(paths[name], content, tables.TABLES[name].sha256)
        _write(paths[name], content)
    return list(paths.values())


def _fetch_chip(download: Download, progress: bool) -> list[Path]:
    from tqdm import tqdm

    folder = cache_folder() / "photonic_chip"
    paths = {name: folder / file for name, (file, _) in chip.FILES.items()}
    missing = [name for name, path in paths.items() if not path.is_file()]
    for name in tqdm(missing, desc="measurements", unit="file", disable=not progress):
        with _offline_message(chip.OFFER):
            content = download(originals.SOURCE + originals.ORIGINALS[name].file)
        refuse_web_page(paths[name], content)
        arrays = originals.read_original(name, content)
        check_sum(paths[name], chip.canonical_bytes(arrays), chip.FILES[name][1])
        archive = io.BytesIO()
        np.savez(archive, allow_pickle=False, **arrays)
        _write(paths[name], archive.getvalue())
    return list(paths.values())


def _fetch_trees(download: Download | None, progress: bool) -> list[Path]:
    from tqdm import tqdm

    folder = cache_folder() / "bneuralt"
    paths = {name: folder / file for name, file in bneuralt.FILES.items()}
    missing = [name for name, path in paths.items() if not path.is_file()]
    if missing:
        with (
            tqdm(desc="trees", unit="B", unit_scale=True, disable=not progress) as bar,
            _offline_message(bneuralt.OFFER),
            _stream(bneuralt.SOURCE, download) as stream,
        ):
            # Three thousand small files: one stream of the repository is kinder to everybody than as many requests.
            arrived = bneuralt.originals(bneuralt.Counted(stream, bar.update), missing)
        for name, content in arrived.items():
            _write(paths[name], content if name == "scores" else gzip.compress(content, mtime=0))
    return list(paths.values())


def _fetch_mnist(openml: Callable[..., Any], progress: bool) -> list[Path]:
    folder = cache_folder() / "mnist"
    paths = {name: folder / f"{name}.gz" for name in idx.CHECKSUMS}
    if all(path.is_file() for path in paths.values()):
        return list(paths.values())
    home = cache_folder().parent
    with _offline_message(idx.OFFER), _growth_bar(home / "openml", progress):
        bunch = openml("mnist_784", version=1, as_frame=False, parser="liac-arff", data_home=str(home))
    total = sum(part.size for part in idx.PARTS.values())
    pixels, labels = _as_bytes(bunch.data, (total, 784)), _as_bytes(bunch.target, (total,))
    start = 0
    contents = {}
    for prefix, size in idx.PARTS.values():
        rows = slice(start, start + size)
        start += size
        header = idx.idx_header((size, 28, 28))
        contents[f"{prefix}-images-idx3-ubyte"] = header + pixels[rows].tobytes()
        contents[f"{prefix}-labels-idx1-ubyte"] = idx.idx_header((size,)) + labels[rows].tobytes()
    for name, content in contents.items():
        check_sum(paths[name], content, idx.CHECKSUMS[name])
    for name, content in contents.items():
        _write(paths[name], gzip.compress(content, mtime=0))
    return list(paths.values())


def _as_bytes(values: Any, shape: tuple[int, ...]) -> np.ndarray:
    """OpenML's floats and strings as the bytes of the original files."""
    try:
        numbers = np.asarray(values, dtype=np.float64)
    except ValueError as error:
        raise DataCorrupt(f"OpenML sent something that is not MNIST ({error}).") from None
    whole = numbers.shape == shape and np.all((numbers >= 0) & (numbers <= 255) & (numbers == np.floor(numbers)))
    if not whole:
        raise DataCorrupt(f"OpenML sent something that is not MNIST: expected bytes of shape {shape}.")
    return numbers.astype(np.uint8)


def _scikit_learn_openml(*args: Any, **kwargs: Any) -> Any:
    from sklearn.datasets import fetch_openml

    return fetch_openml(*args, **kwargs)


def _https(url: str) -> bytes:
    from urllib.request import urlopen

    limit = 10_000_000
    with urlopen(url, timeout=60) as response:
        content = response.read(limit + 1)
    if len(content) > limit:
        raise DataCorrupt(f"{url} sends more than {limit} bytes, which cannot be right.")
    return content


def _stream(url: str, download: Download | None) -> IO[bytes]:
    """An answer that is read bit by bit, for what is too large to hold."""
    from urllib.request import urlopen

    return io.BytesIO(download(url)) if download else urlopen(url, timeout=60)


@contextmanager
def _offline_message(offer: str) -> Iterator[None]:
    try:
        yield
    except DataCorrupt:
        raise
    except (OSError, ValueError) as error:  # scikit-learn reports a damaged or refused answer as a ValueError
        raise DataNotFound(f"could not fetch it ({error}). Is this computer online? {offer}") from error


@contextmanager
def _growth_bar(folder: Path, progress: bool) -> Iterator[None]:
    """A progress bar for a client that has none: it watches the client's folder grow."""
    from tqdm import tqdm

    finished = threading.Event()
    with tqdm(desc="mnist", unit="B", unit_scale=True, disable=not progress) as bar:

        def watch() -> None:
            before = _folder_size(folder)
            while not finished.wait(0.2):
                bar.n = max(bar.n, _folder_size(folder) - before)
                bar.refresh()

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            finished.set()
            watcher.join()


def _folder_size(folder: Path) -> int:
    total = 0
    for parent, _, files in os.walk(folder):
        for file in files:
            try:
                total += os.stat(os.path.join(parent, file)).st_size
            except FileNotFoundError:  # the client has just renamed or removed it
                continue
    return total


def _write(path: Path, content: bytes) -> None:
    """Write under a passing name first: a file with its final name is always whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(content)
    partial.replace(path)
