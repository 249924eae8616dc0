"""Where larger data files live, and how a file earns trust.

Looked up in two places: the folder named by the environment variable ``COURSEPKG_DATA``, then the cache that
:func:`coursepkg.datasets.fetch` fills. Looking never touches the network. A file counts only if its content is the
published one to the last bit; the most likely accidents get a message of their own.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import zlib
from pathlib import Path

from coursepkg.datasets.core import DataCorrupt, DataNotFound

VARIABLE = "COURSEPKG_DATA"


def cache_folder() -> Path:
    """The folder for fetched files, inside scikit-learn's data folder (``SCIKIT_LEARN_DATA``, else the home folder)."""
    return Path(os.environ.get("SCIKIT_LEARN_DATA", "~/scikit_learn_data")).expanduser() / "coursepkg"


def search_path() -> list[Path]:
    """Folders that are searched, in order.

    Raises
    ------
    DataNotFound
        If ``COURSEPKG_DATA`` names something that is not a folder.
    """
    named = os.environ.get(VARIABLE)
    if not named:
        return [cache_folder()]
    folder = Path(named).expanduser()
    if not folder.is_dir():
        raise DataNotFound(f"{VARIABLE} is set to {named!r}, which is not a folder. Correct it or unset it.")
    return [folder, cache_folder()]


def locate(relative: str, *, offer: str) -> Path:
    """Find a file, for example ``"uci/iris.csv"``.

    Parameters
    ----------
    relative : str
        Path inside the data folder, with forward slashes.
    offer : str
        What to do if it is not there: one or two sentences for the learner.

    Raises
    ------
    DataNotFound
        If no folder on the search path holds it.
    """
    folders = search_path()
    for folder in folders:
        if (folder / relative).is_file():
            return folder / relative
    looked = " and ".join(str(folder) for folder in folders)
    raise DataNotFound(f"{relative} is not on this computer (looked in {looked}). {offer}")


def refuse_web_page(path: Path, content: bytes) -> None:
    """Refuse an error page that was saved under the name of a data file, the most common broken download.

    Raises
    ------
    DataCorrupt
        If ``content`` begins like HTML or XML.
    """
    if content[:512].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        raise DataCorrupt(f"{path} is a web page, not data: a download met an error page. Delete it and fetch again.")


def read_gzip(path: Path, limit: int) -> bytes:
    """Read a gzip file, never more than one byte beyond ``limit`` bytes.

    Raises
    ------
    DataCorrupt
        If it is a web page, not gzip, cut short, damaged, or holds more.
    """
    with path.open("rb") as file:
        head = file.read(512)
    refuse_web_page(path, head)
    if not head.startswith(b"\x1f\x8b"):
        raise DataCorrupt(f"{path} is not a gzip file. Delete it and fetch again.")
    try:
        with gzip.open(path) as file:
            content = file.read(limit + 1)
    except EOFError:
        raise DataCorrupt(f"{path} is cut short: the compressed data end early. Delete it and fetch again.") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise DataCorrupt(f"{path} is damaged ({error}). Delete it and fetch again.") from None
    if len(content) > limit:
        raise DataCorrupt(
            f"{path} holds more than {limit} bytes of data, which cannot be right. Delete it and fetch again."
        )
    return content


def unzip(path: Path, size: int) -> bytes:
    """Read a gzip file that must hold exactly ``size`` bytes.

    Raises
    ------
    DataCorrupt
        As :func:`read_gzip`, or if it holds less.
    """
    content = read_gzip(path, size)
    if len(content) != size:
        raise DataCorrupt(f"{path} holds {len(content)} bytes of data, expected {size}. Delete it and fetch again.")
    return content


def check_sum(path: Path, content: bytes, expected: str) -> None:
    """Compare a checksum; its length says whether it is MD5 (accidents only) or SHA-256.

    Raises
    ------
    DataCorrupt
        If the content differs from the published file.
    """
    digest = hashlib.md5(content, usedforsecurity=False) if len(expected) == 32 else hashlib.sha256(content)
    if digest.hexdigest() != expected:
        raise DataCorrupt(
            f"{path} differs from the published file (checksum {digest.hexdigest()[:12]}..., expected "
            f"{expected[:12]}...). Delete it and fetch again."
        )
