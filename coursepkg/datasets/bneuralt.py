"""The trees that the neural tree's authors published (Ojha and Nicosia, 2022): where they are, and how they are kept.

For each of the fourteen tables thirty runs, each with the order of its rows and a tree per optimizer, and four trees
for handwritten digits. No licence stands beside them, so they are no part of the package: whoever wants them fetches
them. The one idea: what arrives is compared with git's own names, which are checksums. The name of a file is a hash of
its content, the name of a folder one of all names in it, so a single name stands for the 210 files of a table.
:mod:`coursepkg.neural_tree.published` reads and scores what is kept here.
"""

from __future__ import annotations

import hashlib
import json
import re
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, NamedTuple

from coursepkg.datasets.core import DataCorrupt
from coursepkg.datasets.files import locate, read_gzip

COMMIT = "f93d43f3970b1cef9d5abfe97ea54a963fd2de25"
SOURCE = f"https://codeload.github.com/vojha-code/BNeuralT/tar.gz/{COMMIT}"
OFFER = (
    "Run `python -m coursepkg data fetch bneuralt` once (a stream of some 30 MB, of which 6 MB are kept), or set "
    "COURSEPKG_DATA to a folder that holds the files under bneuralt/. Offline, benchmarks/results/ has their scores."
)
# What git calls the folder trained_models/pre_trained_class_reg_models/<table>_trn of that commit.
RUNS = {
    "australian": "5884e5c132543b1dbced227e6a0968c321472284",
    "baseball": "51d13f5facad50eb313c6ab38de6ce8a289b4aa3",
    "dee": "de788cf7d520dec8296c552094285e783e5d3d33",
    "diabetese": "560e0987c351828749ab519415b290b98a03987e",
    "friedman": "01052fca430a7799bb1c627e6297cd188af95cfa",
    "glass": "3dc4c0d7ef403ff6e1da4cd65a075e862ef11ec5",
    "heart": "7d84e0442633fbc4355cbcb49344219f13ee4a1e",
    "ionosphere": "1804abb4f66c208b3caad18ff3a87e43c5da7c90",
    "iris": "347e68ef131a777de664c509a8ba4666c71ca2a6",
    "mpg6": "57472c77c486d99fdf9575f7749802f27ebd5375",
    "pima": "82dab95c20ab37e9f68d4a1726e3a9ae75f42588",
    "vehicle": "af004368db7c2bddc3759d1837fdb06de49ce38f",
    "wdbc": "61c22615e47f4f0063f5d96f9aa96637123afe93",
    "wine": "e55f197e179ed32f41e7a7013408dfb9eefdc0d2",
}


class DigitTree(NamedTuple):
    """A published tree for handwritten digits: its file, what git calls it, and the error that the file's name says."""

    file: str
    git_name: str
    published_error: float


DIGITS = {
    "mnist_10k": DigitTree("mnist_10k_Best_7p7_Sig_model.json", "594c09f88479e25a37a23ef17a3fa348f448b09d", 0.077),
    "mnist_18k": DigitTree("mnist_18K_best_6p5_sig_model.json", "1c1fdc95b3582ac7844ba27cf706f16a8804ba7d", 0.065),
    "mnist_20k": DigitTree("mnist_20k_Best_6p0_Sig_model.json", "b311bafef5770d1603018b2b06018c03e1a23b24", 0.060),
    "mnist_200k": DigitTree("mnist_200k_best_5p2_Sig_model.json", "1da872cfc4c11bdad64a79c7f28ede340944698d", 0.052),
}
# The one log that covers every optimizer: the score on the test part of all trees in the means of the paper's tables.
SCORES = ("BNeuralT_pre_trained_class_reg_models_coll.csv", "889356fb4e9682cd71402ae7f40f2e2bf38b38a5")

FILES = {name: f"{name}.json.gz" for name in (*RUNS, *DIGITS)} | {"scores": "scores.csv"}
LARGEST_TEXT = 40_000_000  # bytes; the largest file at hand has 1.1 million
LARGEST_MEMBER = 40_000_000  # bytes of one published file; the largest that was seen has 1.1 million
LARGEST_STREAM = 1_000_000_000  # bytes; the whole repository, which nobody needs, has 534 million

_RUN_FOLDER = "trained_models/pre_trained_class_reg_models/"
_DIGIT_FOLDER = "trained_models/pre_trained_models_MNIST/"
_FILES_OF_A_TABLE = 30 * 7
_FUNCTION = re.compile(r"\s*f:\d+; e:(\S+); b:(\S+); p:\[.*, sigmoid\]\s*")
_LEAF = re.compile(r"\s*i:(\d+); e:(\S+)\s*")
Files = dict[str, Any]  # a folder: names of files with their content, names of folders with theirs


def find(name: str) -> Path:
    """The file of a table's runs, of a digit tree, or of the scores.

    Parameters
    ----------
    name : str
        A table as :func:`coursepkg.datasets.uci` or the authors call it, ``"mnist_10k"`` and so on, or ``"scores"``.

    Raises
    ------
    ValueError
        If nothing has that name.
    DataNotFound
        If it is not on this computer.
    """
    if spelled(name) not in FILES:
        raise ValueError(f"the authors published no trees for {name!r}; choose one of {', '.join(FILES)}")
    return locate(f"bneuralt/{FILES[spelled(name)]}", offer=OFFER)


def spelled(name: str) -> str:
    """The name of a table as its authors spell it."""
    return {"diabetes": "diabetese"}.get(name, name)


def read(path: Path) -> dict[str, Any]:
    """What a file of trees says: a list under ``"runs"``, or one ``"tree"``. Nothing below that is looked at.

    Raises
    ------
    DataCorrupt
        If it is not JSON of that kind, gzipped unless its name ends in ``.json``, or is larger than 40 MB.
    """

    def no_constants(name: str) -> Any:
        raise ValueError(f"{name} is not a finite number")

    content = _plain_json(path) if path.suffix == ".json" else read_gzip(path, LARGEST_TEXT)
    try:
        found = json.loads(content.decode("utf-8"), parse_constant=no_constants)
    except RecursionError:
        raise DataCorrupt(f"{path} holds no trees: its JSON is nested too deeply.") from None
    except ValueError as error:
        raise DataCorrupt(f"{path} holds no trees: it is not JSON ({error}).") from None
    if not isinstance(found, dict) or not (isinstance(found.get("runs"), list) or "tree" in found):
        keys = f"an object with {sorted(found)[:5]}" if isinstance(found, dict) else f"a {type(found).__name__}"
        raise DataCorrupt(f'{path} holds no trees: expected an object with a list of "runs" or a "tree", found {keys}.')
    return found


def _plain_json(path: Path) -> bytes:
    with path.open("rb") as file:
        content = file.read(LARGEST_TEXT + 1)
    if len(content) > LARGEST_TEXT:
        raise DataCorrupt(f"{path} holds more than {LARGEST_TEXT} bytes, which cannot be right.")
    return content


# --- from what the authors published to what is kept


def originals(stream: Any, names: list[str]) -> dict[str, bytes]:
    """Take what is wanted out of the packed repository, as it streams by, and stop reading when all is there.

    Parameters
    ----------
    stream : file
        The repository as ``.tar.gz``; anything with ``read``.
    names : list of str
        Keys of ``FILES``.

    Returns
    -------
    dict of str to bytes
        The content of the file to keep, by name.

    Raises
    ------
    DataCorrupt
        If the archive is damaged or lacks something, or its content is not the published one.
    """
    wanted = _wanted(names)
    found: dict[str, Files] = {name: {} for name in names}
    missing = {name: _FILES_OF_A_TABLE if name in RUNS else 1 for name in names}
    try:
        with tarfile.open(fileobj=stream, mode="r|gz") as archive:
            while any(missing.values()) and (member := archive.next()) is not None:
                path = member.name.partition("/")[2]  # after the name of the packed folder
                name = next((name for start, name in wanted.items() if path.startswith(start)), None)
                if name is None or not member.isfile():
                    continue
                if member.size > LARGEST_MEMBER:
                    raise DataCorrupt(f"{path} has {member.size:,} bytes, which cannot be right.")
                content = archive.extractfile(member)
                _place(found[name], path, content.read() if content else b"")
                missing[name] -= 1
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise DataCorrupt(f"the archive of the trees is damaged ({error}); nothing was kept.") from None
    return {name: _checked(name, folder) for name, folder in found.items()}


def git_name(content: bytes | Files) -> str:
    """What git calls a file or a folder: a SHA-1 of its kind, its size and what is in it."""
    if isinstance(content, bytes):
        kind, body = "blob", content
    else:
        kind = "tree"
        # Git sorts a folder as if its name ended in a slash.
        entries = sorted(content.items(), key=lambda entry: entry[0] + "/" * isinstance(entry[1], dict))
        body = b"".join(
            f"{'40000' if isinstance(inner, dict) else '100644'} {name}\0".encode() + bytes.fromhex(git_name(inner))
            for name, inner in entries
        )
    return hashlib.sha1(f"{kind} {len(body)}\0".encode() + body, usedforsecurity=False).hexdigest()


def _wanted(names: list[str]) -> dict[str, str]:
    """The beginning of the paths of each name in the repository."""
    starts = {}
    for name in names:
        if name in RUNS:
            starts[f"{_RUN_FOLDER}{name}_trn/"] = name
        else:
            starts[_DIGIT_FOLDER + DIGITS[name].file if name in DIGITS else f"trained_models/{SCORES[0]}"] = name
    return starts


def _place(folder: Files, path: str, content: bytes) -> None:
    *parents, file = path.split("/")
    for parent in parents[3:]:  # below the folder of a table, that of a run
        folder = folder.setdefault(parent, {})
    folder[file] = content


def _checked(name: str, folder: Files) -> bytes:
    """The content to keep, once git's name for what arrived is the published one."""
    single = next(iter(folder.values()), b"") if name not in RUNS else b""
    expected = RUNS.get(name) or (DIGITS[name].git_name if name in DIGITS else SCORES[1])
    found = git_name(folder if name in RUNS else single)
    if found != expected:
        raise DataCorrupt(
            f"the trees {name!r} differ from the published ones (git calls them {found[:12]}..., expected "
            f"{expected[:12]}...); nothing was kept."
        )
    if name == "scores":
        return single
    kept = _runs(name, folder) if name in RUNS else _digits(name, single)
    return json.dumps(kept, separators=(",", ":")).encode()


def _digits(name: str, content: bytes) -> dict[str, Any]:
    return {"set": "mnist", "published_error": DIGITS[name].published_error, "tree": _tree(json.loads(content))}


def _runs(name: str, folder: Files) -> dict[str, Any]:
    return {"set": name, "runs": [_run(run, files) for run, files in sorted(folder.items())]}


def _run(name: str, files: dict[str, bytes]) -> dict[str, Any]:
    log = json.loads(files[f"experiment_{name}_rmsprop.txt"])
    start, end = f"{name}_best_test_optPRM_", "_model.json"
    return {
        "run": name,
        "row_order": json.loads(log["n_data_rand_secquence"]),
        "targets": log["n_data_target_names"].strip("[]").split(", "),
        "logged_rmsprop": {"train_error": log["n_train_error"], "test_error": log["n_test_error"]},
        "trees": {
            file.removeprefix(start).removesuffix(end): _tree(json.loads(content))
            for file, content in sorted(files.items())
            if file.endswith(end)
        },
    }


def _tree(node: dict[str, Any]) -> list[Any]:
    """A node as published, ``{"name": "f:3; e:-1.0; b:1.0; p:[...]", "children": [...]}``, as numbers in lists."""
    if leaf := _LEAF.fullmatch(node["name"]):
        return [int(leaf[1]), float(leaf[2])]
    function = _FUNCTION.fullmatch(node["name"])
    if not function:
        raise DataCorrupt(f"a published node is neither an input nor a sigmoid: {node['name'][:80]!r}")
    return [float(function[1]), float(function[2]), [_tree(child) for child in node["children"]]]


class Counted:
    """A stream that counts its bytes and refuses to go on without end.

    Parameters
    ----------
    stream : file
        Where the bytes come from.
    seen : callable
        Called with the number of bytes, each time that some arrive.
    """

    def __init__(self, stream: IO[bytes], seen: Callable[[int], Any]) -> None:
        self.stream, self.seen, self.total = stream, seen, 0

    def read(self, size: int = -1) -> bytes:
        """Read as a file does."""
        content = self.stream.read(size)
        self.total += len(content)
        if self.total > LARGEST_STREAM:
            raise DataCorrupt(f"the archive has more than {LARGEST_STREAM:,} bytes, which cannot be right.")
        self.seen(len(content))
        return content
