"""Fetching: once, on request, checked before it is kept. The clients here are fakes; the network is never touched."""

import hashlib
import inspect
import io
import types
from urllib.error import URLError

import numpy as np
import pytest

from coursepkg import datasets
from coursepkg.datasets import DataCorrupt, DataNotFound, idx, tables
from coursepkg.datasets.files import cache_folder

TEXTS = {"glass": b"a,target\n1,x\n2,y\n", "wine": b"b,target\n3,x\n4,x\n"}


@pytest.fixture
def two_tables(folder, monkeypatch):
    """A world in which the paper has two tables of two rows."""
    small = {
        name: tables.Table(2, 1, 2 if name == "glass" else 1, hashlib.sha256(text).hexdigest())
        for name, text in TEXTS.items()
    }
    monkeypatch.setattr(tables, "TABLES", small)
    monkeypatch.setattr(tables, "FILES", {name: f"{name}.csv" for name in small})


def serve(calls, contents=TEXTS):
    def download(url):
        calls.append(url)
        return contents[url.rpartition("/")[2].removesuffix(".csv")]

    return download


def test_tables_are_fetched_once_and_then_read_from_the_cache(two_tables):
    calls = []
    paths = datasets.fetch("uci", progress=False, download=serve(calls))
    assert len(calls) == 2
    assert all(url.startswith("https://") and "f93d43f3970b" in url for url in calls)
    assert datasets.uci("glass").y.tolist() == [0, 1]
    assert datasets.fetch("uci", progress=False, download=serve(calls)) == paths
    assert len(calls) == 2


@pytest.mark.parametrize("answer", [b"<html>404</html>", TEXTS["glass"][:-3], b""])
def test_a_wrong_answer_is_never_kept(two_tables, answer):
    with pytest.raises(DataCorrupt):
        datasets.fetch("uci", progress=False, download=serve([], TEXTS | {"glass": answer}))
    assert not (cache_folder() / "uci" / "glass.csv").exists()


@pytest.mark.parametrize("error", [URLError("no route to host"), TimeoutError("slow"), ConnectionResetError()])
def test_no_connection_offers_the_offline_alternative(two_tables, error):
    def offline(*args, **kwargs):
        raise error

    with pytest.raises(DataNotFound, match=r"online\?.*Offline, datasets\."):
        datasets.fetch("uci", progress=False, download=offline)
    with pytest.raises(DataNotFound, match=r"online\?.*digits"):
        datasets.fetch("mnist", progress=False, openml=offline)


def test_scikit_learns_complaints_are_passed_on_with_the_alternative(folder):
    def damaged(*args, **kwargs):
        raise ValueError("md5 checksum of local file does not match description")

    with pytest.raises(DataNotFound, match=r"md5 checksum.*digits"):
        datasets.fetch("mnist", progress=False, openml=damaged)


def test_scikit_learns_client_still_takes_these_arguments(folder, monkeypatch):
    from sklearn.datasets import fetch_openml

    signature = inspect.signature(fetch_openml)
    bound = []

    def client(*args, **kwargs):
        bound.append(signature.bind(*args, **kwargs).arguments)
        raise ConnectionResetError

    monkeypatch.setattr("sklearn.datasets.fetch_openml", client)
    with pytest.raises(DataNotFound):
        datasets.fetch("mnist", progress=False)
    assert bound[0]["name"] == "mnist_784"
    assert bound[0]["data_home"] == str(cache_folder().parent)


def test_an_answer_without_end_is_cut_off(two_tables, monkeypatch):
    monkeypatch.setattr("urllib.request.urlopen", lambda url, timeout: io.BytesIO(bytes(10_000_002)))
    with pytest.raises(DataCorrupt, match="more than 10000000 bytes"):
        datasets.fetch("uci", progress=False)


def test_a_plain_download_reads_the_answer(two_tables, monkeypatch):
    monkeypatch.setattr("urllib.request.urlopen", lambda url, timeout: io.BytesIO(serve([])(url)))
    assert len(datasets.fetch("uci", progress=False)) == 2


@pytest.fixture
def answer(folder, monkeypatch):
    """What OpenML sends, floats and strings, in a world where MNIST has 6 + 3 images."""
    rng = np.random.default_rng(5)
    images = rng.integers(0, 256, (9, 28, 28), dtype=np.uint8)
    labels = rng.integers(0, 10, 9, dtype=np.uint8)
    monkeypatch.setattr(idx, "PARTS", {"train": idx.Part("train", 6), "test": idx.Part("t10k", 3)})
    sums = {}
    for prefix, rows in (("train", slice(0, 6)), ("t10k", slice(6, 9))):
        for kind, array in (("images-idx3", images[rows]), ("labels-idx1", labels[rows])):
            content = idx.idx_header(array.shape) + array.tobytes()
            sums[f"{prefix}-{kind}-ubyte"] = hashlib.md5(content, usedforsecurity=False).hexdigest()
    monkeypatch.setattr(idx, "CHECKSUMS", sums)
    return types.SimpleNamespace(data=images.reshape(9, 784).astype(float), target=labels.astype(str).astype(object))


def test_mnist_from_openml_becomes_the_original_files(answer, capsys):
    calls = []

    def openml(*args, **kwargs):
        calls.append((args, kwargs))
        return answer

    paths = datasets.fetch("mnist", openml=openml)
    assert "mnist" in capsys.readouterr().err
    assert [path.name for path in paths] == [f"{name}.gz" for name in idx.CHECKSUMS]
    X, y = datasets.mnist("test")
    np.testing.assert_array_equal(X.reshape(3, 784), answer.data[6:])
    np.testing.assert_array_equal(y, answer.target[6:].astype(int))
    assert datasets.mnist("train").X.shape == (6, 28, 28)
    datasets.fetch("mnist", openml=openml)
    assert len(calls) == 1
    assert calls[0][0] == ("mnist_784",)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda b: setattr(b, "data", b.data[:-1]), "not MNIST"),
        (lambda b: setattr(b, "data", b.data.reshape(-1, 392)), "not MNIST"),
        (lambda b: setattr(b, "target", np.array(["cat"] * 9)), "not MNIST"),
        (lambda b: b.data.__setitem__((3, 4), 255.0 - b.data[3, 4]), "differs from the published"),
        (lambda b: b.data.__setitem__((3, 4), 0.5), "not MNIST"),
        (lambda b: setattr(b, "data", b.data[::-1]), "differs from the published"),
    ],
    ids=["a row missing", "half images", "other labels", "one pixel changed", "grey level 0.5", "another order"],
)
def test_an_openml_answer_that_is_not_mnist_is_never_kept(answer, spoil, message):
    spoil(answer)
    with pytest.raises(DataCorrupt, match=message):
        datasets.fetch("mnist", progress=False, openml=lambda *args, **kwargs: answer)
    assert not (cache_folder() / "mnist").exists()


def test_unknown_names_cannot_be_fetched(folder):
    with pytest.raises(ValueError, match="'mnist', 'uci', 'photonic-chip' or 'bneuralt'"):
        datasets.fetch("imagenet")


def test_the_command_lists_what_is_here(folder, capsys):
    assert datasets.main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.split() == ["iris", "here"] for line in lines)
    assert any(line.startswith("mnist/test") and "not on this computer" in line for line in lines)


def test_the_command_finds_damaged_files(folder, capsys):
    (folder / "uci").mkdir()
    (folder / "uci" / "pima.csv").write_text("a,target\n")
    assert datasets.main(["check"]) == 1
    assert "DAMAGED" in capsys.readouterr().out


def test_the_command_explains_a_failed_fetch(folder, capsys, monkeypatch):
    def fail(name):
        raise DataNotFound("Is this computer online?")

    monkeypatch.setattr("coursepkg.datasets.command.fetch", fail)
    assert datasets.main(["fetch", "mnist"]) == 1
    assert "online" in capsys.readouterr().err


def test_the_command_explains_a_mistyped_folder(monkeypatch, capsys):
    monkeypatch.setenv("COURSEPKG_DATA", "/nowhere/at/all")
    assert datasets.main(["list"]) == 1
    assert "/nowhere/at/all" in capsys.readouterr().err
