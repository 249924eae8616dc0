"""The published neural trees: what is fetched is the published content, known by git's names, or nothing is kept.

The archive here is made up, in the form of the published one, and nothing touches the network.
"""

import gzip
import io
import json
import tarfile
from urllib.error import URLError

import numpy as np
import pytest

from coursepkg import datasets
from coursepkg.datasets import DataCorrupt, DataNotFound, bneuralt
from coursepkg.datasets.files import cache_folder
from coursepkg.neural_tree import published

NODE = '{"name":"f:2; e:%s; b:%s; p:[0.5, 0.7, sigmoid]","children":[%s]}'
LEAF = '{"name":" i:%s; e:%s" }'
TREE = NODE % (-1.0, 1.0, ",".join(NODE % (0.5, bias, LEAF % (0, -2.5e-3)) for bias in (0.25, -4.0)))
LOG = json.dumps(
    {
        "n_data_target_names": "[ant, bee]",
        "n_data_rand_secquence": "[1, 0, 2]",
        "n_train_error": "0.5",
        "n_test_error": "0.0",
    }
)
DIGIT_TREE = NODE % (-1.0, 1.0, ",".join(NODE % (0.5, 0.0, LEAF % (pixel, 1.0)) for pixel in range(10)))
SCORES = b"File,Data,ETst\n"


def run_files(name):
    trees = {f"{name}_best_test_optPRM_{optimizer}_model.json": TREE.encode() for optimizer in ("adam", "gd")}
    return {f"experiment_{name}_rmsprop.txt": LOG.encode(), **trees}


RUNS = {name: run_files(name) for name in ("ants_10_2020", "ants_0_2020")}


@pytest.fixture
def small_world(folder, monkeypatch):
    """A world in which two runs of one table, one digit tree, and a line of scores were published."""
    monkeypatch.setattr(bneuralt, "RUNS", {"ants": bneuralt.git_name(RUNS)})
    digit = bneuralt.DigitTree("digits.json", bneuralt.git_name(DIGIT_TREE.encode()), 0.5)
    monkeypatch.setattr(bneuralt, "DIGITS", {"mnist_1k": digit})
    monkeypatch.setattr(bneuralt, "SCORES", ("scores.csv", bneuralt.git_name(SCORES)))
    names = {name: f"{name}.json.gz" for name in ("ants", "mnist_1k")}
    monkeypatch.setattr(bneuralt, "FILES", names | {"scores": "scores.csv"})
    monkeypatch.setattr(bneuralt, "_FILES_OF_A_TABLE", 6)


def contents(**changed):
    """Paths in the repository with what they hold."""
    start = "trained_models/pre_trained_class_reg_models/ants_trn"
    files = {f"{start}/{run}/{file}": text for run, inner in RUNS.items() for file, text in inner.items()}
    files["README.md"] = b"no tree"
    files["trained_models/scores.csv"] = SCORES
    files["trained_models/pre_trained_models_MNIST/digits.json"] = DIGIT_TREE.encode()
    return files | changed


def archive(files):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as packed:
        for path, content in files.items():
            entry = tarfile.TarInfo(f"BNeuralT-f93d43f/{path}")
            entry.size = len(content)
            packed.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


def fetch(files):
    return datasets.fetch("bneuralt", progress=False, download=lambda url: archive(files))


def test_gits_names_are_gits():
    assert bneuralt.git_name(b"") == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
    assert bneuralt.git_name({}) == "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
    assert (
        bneuralt.git_name({"a": {"x": b"one\n"}, "a.txt": b"two\n", "b": b""})
        == "81358a355def65fdc990eef640a8d49658ab9055"
    )


def test_trees_are_fetched_once_from_the_pinned_origin_and_can_be_read(small_world):
    calls = []

    def download(url):
        calls.append(url)
        return archive(contents())

    paths = datasets.fetch("bneuralt", progress=False, download=download)
    assert datasets.fetch("bneuralt", progress=False, download=download) == paths
    assert calls == [bneuralt.SOURCE]
    assert calls[0].startswith("https://")
    assert calls[0].endswith("f93d43f3970b1cef9d5abfe97ea54a963fd2de25")
    runs = published.load("ants").runs
    assert [run.name for run in runs] == ["ants_0_2020", "ants_10_2020"]
    assert runs[0].classes == ("ant", "bee")
    assert runs[0].row_order.tolist() == [1, 0, 2]
    assert runs[0].logged == {"rmsprop": (0.5, 0.0)}
    assert list(runs[0].trees) == ["adam", "gd"]
    assert runs[0].trees["gd"].parameters().tolist() == [0.25, -4.0, -0.0025, -0.0025]
    assert published.load_digits("mnist_1k").published_error == 0.5
    assert bneuralt.find("scores").read_bytes() == SCORES


def test_only_what_is_missing_is_fetched(small_world):
    fetch(contents())
    bneuralt.find("mnist_1k").unlink()
    [only] = [path for path in contents() if path.endswith("digits.json")]
    assert fetch({only: contents()[only]})[1].is_file()


def test_the_stream_is_not_read_beyond_what_is_wanted(small_world):
    noise = np.random.default_rng(0).bytes(1_000_000)
    seen = []
    stream = bneuralt.Counted(io.BytesIO(archive(contents() | {"trained_models/zzz.npy": noise})), seen.append)
    bneuralt.originals(stream, list(bneuralt.FILES))
    assert 0 < sum(seen) < 100_000


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda path, text: text.replace(b"0.25", b"0.26"), "'ants' differ from the published ones"),
        (lambda path, text: text if "ants_10" not in path else None, "'ants' differ"),
        (lambda path, text: text if "digits" not in path else None, "'mnist_1k' differ"),
        (lambda path, text: text if "scores" not in path else b"", "'scores' differ"),
    ],
    ids=["a weight changed", "a run missing", "the digit tree missing", "scores empty"],
)
def test_other_content_is_never_kept(small_world, spoil, message):
    files = {path: spoil(path, text) for path, text in contents().items()}
    with pytest.raises(DataCorrupt, match=message):
        fetch({path: text for path, text in files.items() if text is not None})
    assert not (cache_folder() / "bneuralt").exists()


@pytest.mark.parametrize("cut", [slice(0, 300), slice(0, 0)], ids=["cut short", "empty"])
def test_a_damaged_archive_is_never_kept(small_world, cut):
    with pytest.raises(DataCorrupt, match=r"damaged|differ"):
        datasets.fetch("bneuralt", progress=False, download=lambda url: archive(contents())[cut])
    assert not (cache_folder() / "bneuralt").exists()


def test_a_web_page_in_place_of_the_archive_is_never_kept(small_world):
    with pytest.raises((DataCorrupt, DataNotFound)):
        datasets.fetch("bneuralt", progress=False, download=lambda url: b"<html>404</html>")
    assert not (cache_folder() / "bneuralt").exists()


def test_large_files_and_endless_answers_are_cut_off(small_world, monkeypatch):
    monkeypatch.setattr(bneuralt, "LARGEST_MEMBER", 100)
    with pytest.raises(DataCorrupt, match="which cannot be right"):
        fetch(contents())
    monkeypatch.undo()
    monkeypatch.setattr(bneuralt, "LARGEST_STREAM", 100)
    with pytest.raises(DataCorrupt, match="more than 100 bytes"):
        bneuralt.Counted(io.BytesIO(bytes(101)), lambda size: None).read()


def test_a_node_that_is_no_sigmoid_is_refused(small_world, monkeypatch):
    relu = DIGIT_TREE.replace("sigmoid", "ReLU").encode()
    monkeypatch.setitem(bneuralt.DIGITS, "mnist_1k", bneuralt.DigitTree("digits.json", bneuralt.git_name(relu), 0.5))
    with pytest.raises(DataCorrupt, match="neither an input nor a sigmoid"):
        fetch(contents() | {"trained_models/pre_trained_models_MNIST/digits.json": relu})


def test_no_connection_says_what_to_do(small_world):
    def offline(url):
        raise URLError("no route to host")

    with pytest.raises(DataNotFound, match=r"online\?.*data fetch bneuralt"):
        datasets.fetch("bneuralt", progress=False, download=offline)


def test_the_command_lists_and_checks_published_trees(folder, capsys):
    (folder / "bneuralt").mkdir()
    good = gzip.compress(json.dumps({"set": "iris", "runs": [1, 2]}).encode())
    (folder / "bneuralt" / "iris.json.gz").write_bytes(good)
    assert datasets.main(["check"]) == 0
    assert "bneuralt/iris                2 runs" in capsys.readouterr().out
    (folder / "bneuralt" / "wine.json.gz").write_bytes(good[:-9])
    assert datasets.main(["check"]) == 1
    assert "DAMAGED" in capsys.readouterr().out
