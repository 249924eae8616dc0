"""The cells of a notebook file: what was handed in is only a file, and is read with care.

Its size is capped, it is parsed as JSON, and nothing in it is rendered or run here. Outputs are never read: they are
stepped over while the file is still text (``outputs``), so only what the learner wrote has to fit.
"""

from __future__ import annotations

import codecs
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from coursepkg.grading.submissions.outputs import Bounds, TooLarge, TooMuchWork, without_outputs

MAX_BYTES = 20_000_000
WHOLE = 1_000_000  # up to this size a file is kept as it is
_CHUNK = 1 << 18
_SPACE = b" \t\r\n\0"
_CONFLICT = re.compile(r"^(?:<{7}|>{7})", re.MULTILINE)
_VERSION = re.compile(r"([0-9]{1,3})\.([0-9]{1,3})\b")
_KINDS = {  # what a file is by its first bytes, and what to do about it
    b"%PDF": "a PDF; hand in the notebook itself, the file that ends in .ipynb",
    b"PK\x03\x04": "a zip file with another name; unpack it, or let its name end in .zip",
    b"\x1f\x8b": "a compressed file with another name; unpack it, and hand in the notebook inside",
    b"<": "a web page or XML; hand in the notebook itself, not an export of it",
}


class UnreadableNotebook(ValueError):
    """The file is no notebook that can be judged; the message says why."""


class Notebook(bytes):
    """The text of a notebook in UTF-8, of a large one without its outputs.

    Attributes
    ----------
    sha256 : str
        Hash of the file itself.
    trouble : str
        Why it was not read; then it is empty.
    """

    sha256 = ""
    trouble = ""


def unread(trouble: str) -> Notebook:
    """What stands for a notebook that was not read."""
    notebook = Notebook()
    notebook.trouble = trouble
    return notebook


@dataclass(frozen=True)
class Cells:
    """The cells of a notebook.

    Attributes
    ----------
    code : list of str
        What is run, in order.
    prose : list of str
        Markdown, raw and any other cells, which are not run.
    python : (int, int)
        The version of Python that ran it last, as Jupyter notes it in the file; (0, 0) if it is not known.
    """

    code: list[str]
    prose: list[str]
    python: tuple[int, int] = (0, 0)


# --- from a file to its text -----------------------------------------------------------------------------------------


def read_notebook(chunks: Iterable[bytes], name: str, bounds: Bounds | None = None) -> Notebook:
    """The text of a notebook, however large its outputs are.

    Parameters
    ----------
    chunks : iterable of bytes
        The file, piece by piece; it is not read further than it has to be.
    name : str
        What to call it.
    bounds : Bounds, optional
        What it may take, where others of the same learner are read, too.

    Raises
    ------
    UnreadableNotebook
        If what is left without outputs is too large, or takes too much work to read.
    """
    bounds = bounds or Bounds()
    digest = hashlib.sha256()
    pieces = _hashed(chunks, digest)
    start = b""
    try:
        bounds.step()  # where nothing is left, the file is not even unpacked
        for piece in pieces:
            start += piece
            if len(start) > WHOLE:
                start = _long(start, pieces, bounds)
                break
        notebook = Notebook(_in_utf8(start))
        bounds.count(notebook)
    except TooMuchWork:
        raise UnreadableNotebook(
            f"{name} brings what is read to more entries in lists and objects than notebooks have; keep data in a file"
            " of its own, and hand in the notebook without them"
        ) from None
    except TooLarge:
        raise UnreadableNotebook(f"{name} has more than {MAX_BYTES // 1_000_000} MB") from None
    notebook.sha256 = digest.hexdigest()
    return notebook


def sha256_of(data: bytes) -> str:
    """The hash of the file that a notebook came from."""
    return data.sha256 if isinstance(data, Notebook) and data.sha256 else _hash(data)


@lru_cache(maxsize=1)  # one notebook's is asked for by each of its exercises in turn
def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _hashed(chunks: Iterable[bytes], digest: Any) -> Iterator[bytes]:
    for chunk in chunks:
        digest.update(chunk)
        yield chunk


def _long(start: bytes, rest: Iterator[bytes], bounds: Bounds) -> bytes:
    """A long file without the outputs in it; one that is no JSON is taken as it is."""
    text = _as_bytes_of_utf8(start, rest)
    first = next(text, b"")
    if first.lstrip(_SPACE).removeprefix(codecs.BOM_UTF8).startswith(b"{"):
        return without_outputs(_joined(first, text), MAX_BYTES, bounds)
    kept = bytearray()
    for piece in _joined(first, text):
        kept += piece
        if len(kept) > MAX_BYTES:
            raise TooLarge
    return bytes(kept)


def _joined(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _as_bytes_of_utf8(start: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    """A text of two or four bytes a letter in UTF-8, piece by piece; any other as it is."""
    encoding = _wide(start)
    if not encoding:
        yield from _joined(start, rest)
        return
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    for piece in _joined(start, rest):
        yield decoder.decode(piece).encode("utf-8", "surrogatepass")


def _wide(start: bytes) -> str:
    """The name of an encoding with more than one byte for each letter, or ""."""
    if start[:2] == b"\0\0" and start[2:4] != codecs.BOM_UTF16_BE:
        return ""  # zeros, not text
    encoding = json.detect_encoding(start[:4])
    return encoding if encoding.startswith(("utf-16", "utf-32")) else ""


def _in_utf8(text: bytes) -> bytes:
    """A JSON text in UTF-8, without a mark at its start; anything else as it is."""
    if not (text.startswith(codecs.BOM_UTF8) or _wide(text)):
        if not text.lstrip(_SPACE).startswith(b"{"):
            return text
        try:
            text.decode("utf-8")
            return text
        except UnicodeDecodeError:
            pass
    return _decoded(text).encode("utf-8", "surrogatepass")


def _decoded(text: bytes) -> str:
    """The text of a file in any of the encodings that editors write."""
    if encoding := _wide(text):
        return text.decode(encoding, "replace").removeprefix("\ufeff")
    try:
        return text.decode("utf-8-sig", "surrogatepass")
    except UnicodeDecodeError:
        return text.decode("cp1252", "replace")


# --- from the text to cells ------------------------------------------------------------------------------------------


def read_cells(path: Path) -> list[str]:
    """The code cells of a notebook, as they are: only the worker tries to understand them.

    Raises
    ------
    UnreadableNotebook
        If the file is missing, too large, no JSON, or no notebook.
    """
    try:
        with path.open("rb") as file:
            text = read_notebook(iter(lambda: file.read(_CHUNK), b""), path.name)
    except OSError as error:
        raise UnreadableNotebook(f"{path} cannot be opened: {error.strerror}") from None
    return cells_of(text, path.name).code


def cells_of(text: bytes, name: str) -> Cells:
    """The cells of a notebook that has been read already, of format 4 or 3; raises as ``read_cells`` does."""
    if isinstance(text, Notebook) and text.trouble:
        raise UnreadableNotebook(text.trouble)
    if len(text) > MAX_BYTES:
        raise UnreadableNotebook(f"{name} has more than {MAX_BYTES // 1_000_000} MB, which is no notebook's size")
    bare = text.strip(_SPACE)
    if not bare:
        raise UnreadableNotebook(f"{name} is empty; save the notebook, and hand it in again")
    for start, words in _KINDS.items():
        if bare.startswith(start) and not bare.startswith(b"<<<<<<<"):
            raise UnreadableNotebook(f"{name} is no notebook: it is {words}")
    notebook = _json(_decoded(text).strip(" \t\r\n\0"), name)
    made: dict[bool, list[str]] = {True: [], False: []}
    for cell in _listed(notebook, name):
        if isinstance(cell, dict):
            made[cell.get("cell_type") == "code"].append(_source(cell))
    return Cells(made[True], made[False], _python_of(notebook))


def _json(text: str, name: str) -> Any:
    try:
        return json.loads(text, strict=False)
    except RecursionError:
        raise UnreadableNotebook(f"{name} is no notebook: it is nested without end") from None
    except ValueError as error:
        if _CONFLICT.search(text):
            words = "it holds marks of a merge (<<<<<<<) that was not finished; finish it, and save the notebook"
        elif not text.startswith(("{", "[")):
            words = "it is no JSON; open it in JupyterLab, save it as a notebook, and hand in that file"
        else:
            where = f" at line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
            words = f"it is no JSON{where}, perhaps since it was cut off; save it again, and hand in that file"
        raise UnreadableNotebook(f"{name} is no notebook: {words}") from None


def _listed(notebook: Any, name: str) -> list[Any]:
    """The cells of a notebook: a list of its own in format 4, one for each worksheet in format 3."""
    form = notebook.get("nbformat", 4) if isinstance(notebook, dict) else None
    if isinstance(form, int | float) and form not in (3, 4):
        shown = f"{form:.9g}" if abs(form) < 1e9 else "unknown"
        raise UnreadableNotebook(
            f"{name} is a notebook of format {shown}, and formats 3 and 4 are read; save it as format 4"
            " (`jupyter nbconvert --to notebook` does that)"
        )
    if isinstance(notebook, dict) and isinstance(cells := notebook.get("cells"), list):
        return cells
    sheets = notebook.get("worksheets") if isinstance(notebook, dict) else None
    if not isinstance(sheets, list):
        raise UnreadableNotebook(f"{name} is no notebook of format 4: it has no list of cells")
    lists = [sheet.get("cells") for sheet in sheets if isinstance(sheet, dict)]
    return [cell for cells in lists if isinstance(cells, list) for cell in cells]


def _python_of(notebook: Any) -> tuple[int, int]:
    found: Any = notebook
    for key in ("metadata", "language_info", "version"):
        found = found.get(key) if isinstance(found, dict) else None
    version = _VERSION.match(found) if isinstance(found, str) else None
    return (int(version[1]), int(version[2])) if version else (0, 0)


def _source(cell: Mapping[str, Any]) -> str:
    """The text of a cell with line ends as Python writes them; format 3 calls that of a code cell its input."""
    source = cell.get("source", cell.get("input", ""))
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    return source.replace("\r\n", "\n").replace("\r", "\n") if isinstance(source, str) else ""
