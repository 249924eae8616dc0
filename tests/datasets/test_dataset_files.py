"""A data file is accepted only if it is the published one; every accident gets its own message.

Small stand-ins with their own checksums take the place of the real files; the real ones are read too where present.
"""

import gzip
import hashlib
import io
import os

import numpy as np
import pytest

from coursepkg import datasets
from coursepkg.datasets import DataCorrupt, DataNotFound, chip, idx, tables
from coursepkg.datasets.files import search_path

REAL = os.environ.get("COURSEPKG_DATA", "")
HTML = b"\n<!DOCTYPE html><html><body>404: Not Found</body></html>"


def small_mnist(count=7):
    """Seven images of the right kind, and their two files."""
    rng = np.random.default_rng(9)
    images = rng.integers(0, 256, (count, 28, 28), dtype=np.uint8)
    labels = rng.integers(0, 10, count, dtype=np.uint8)
    return images, labels


def pack(array):
    return idx.idx_header(array.shape) + array.tobytes()


@pytest.fixture
def mnist_folder(folder, monkeypatch):
    """A data folder whose official test part has seven images."""
    images, labels = small_mnist()
    contents = {"t10k-images-idx3-ubyte": pack(images), "t10k-labels-idx1-ubyte": pack(labels)}
    sums = {name: hashlib.md5(content, usedforsecurity=False).hexdigest() for name, content in contents.items()}
    monkeypatch.setattr(idx, "CHECKSUMS", idx.CHECKSUMS | sums)
    monkeypatch.setitem(idx.PARTS, "test", idx.Part("t10k", len(images)))
    (folder / "mnist").mkdir()
    for name, content in contents.items():
        (folder / "mnist" / f"{name}.gz").write_bytes(gzip.compress(content))
    return folder / "mnist"


def test_good_idx_files_are_read_as_they_are(mnist_folder):
    images, labels = small_mnist()
    data = datasets.mnist()
    np.testing.assert_array_equal(data.X, images)
    np.testing.assert_array_equal(data.y, labels)
    assert data.X.flags.writeable
    assert data.y.dtype == np.int64
    assert datasets.available("mnist/test")


def damaged(name, images, labels):
    """The ways in which a file arrives that is not the file."""
    whole = gzip.compress(pack(images))
    return {
        "truncated gzip": whole[: len(whole) // 2],
        "empty": b"",
        "web page": HTML,
        "not gzip": pack(images),
        "gzip of a web page": gzip.compress(HTML),
        "flipped byte": whole[:200] + bytes([whole[200] ^ 1]) + whole[201:],
        "labels instead": gzip.compress(pack(labels)),
        "wrong magic": gzip.compress(b"\0\0\x0d\x03" + pack(images)[4:]),
        "too few images": gzip.compress(pack(images[:-1])),
        "too many images": gzip.compress(pack(np.concatenate([images, images]))),
        "wrong count in the header": gzip.compress(idx.idx_header((6, 28, 28)) + images.tobytes()),
        "wrong size in the header": gzip.compress(idx.idx_header((7, 14, 56)) + images.tobytes()),
        "one pixel changed": gzip.compress(pack(images ^ (np.arange(7 * 784).reshape(7, 28, 28) == 3))),
    }[name]


@pytest.mark.parametrize(
    ("accident", "message"),
    [
        ("truncated gzip", "cut short"),
        ("empty", "not a gzip file"),
        ("web page", "web page"),
        ("not gzip", "not a gzip file"),
        ("gzip of a web page", "expected 5504"),
        ("flipped byte", "damaged"),
        ("labels instead", "holds 15 bytes of data, expected 5504"),
        ("wrong magic", "begins with 00 00 0d 03"),
        ("too few images", "expected 5504"),
        ("too many images", "more than 5504 bytes"),
        ("wrong count in the header", r"\(6, 28, 28\), expected \(7, 28, 28\)"),
        ("wrong size in the header", r"\(7, 14, 56\), expected \(7, 28, 28\)"),
        ("one pixel changed", "differs from the published file"),
    ],
)
def test_a_damaged_file_is_refused_with_its_reason(mnist_folder, accident, message):
    (mnist_folder / "t10k-images-idx3-ubyte.gz").write_bytes(damaged(accident, *small_mnist()))
    with pytest.raises(DataCorrupt, match=message):
        datasets.mnist()


def test_a_file_far_too_large_is_not_unpacked_whole(mnist_folder):
    bomb = gzip.compress(bytes(50_000_000))
    (mnist_folder / "t10k-images-idx3-ubyte.gz").write_bytes(bomb)
    with pytest.raises(DataCorrupt, match="more than 5504 bytes"):
        datasets.mnist()


def test_missing_data_say_how_to_get_them_and_what_to_use_instead(folder):
    with pytest.raises(DataNotFound, match=r"data fetch mnist.*Offline, datasets\.digits\(\)"):
        datasets.mnist()
    with pytest.raises(DataNotFound, match=r"data fetch uci.*Offline, datasets\.iris\(\)"):
        datasets.uci("iris")
    with pytest.raises(DataNotFound, match="COURSEPKG_DATA"):
        datasets.photonic_chip("moons")
    assert not datasets.available("mnist/test")
    assert not datasets.available("uci/iris")
    assert not datasets.available("photonic_chip/moons")


def test_a_mistyped_data_folder_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSEPKG_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(DataNotFound, match="nowhere"):
        datasets.mnist()


def test_the_folder_comes_before_the_cache(folder):
    first, second = search_path()
    assert first == folder
    assert second.parent.name == "cache"


def test_unknown_names_are_answered_with_the_known_ones(folder):
    with pytest.raises(ValueError, match="'test' or 'train'"):
        datasets.mnist("validation")
    with pytest.raises(ValueError, match="pima"):
        datasets.uci("prima")
    with pytest.raises(ValueError, match="phase_sweep"):
        datasets.photonic_chip("sweep")
    with pytest.raises(ValueError, match="uci/wine"):
        datasets.load("titanic")
    with pytest.raises(ValueError, match="uci/wine"):
        datasets.available("titanic")


def uci_text(rows=150, labels=("setosa", "versicolor", "virginica")):
    lines = ["a, b,c,d,target"]
    lines += [f"{i},0.5,-1e-3,{i % 7},{labels[i % len(labels)]} " for i in range(rows)]
    return "\r\n".join(lines) + "\r\n\r\n"


def test_a_table_becomes_numbers_and_sorted_classes():
    data = tables.parse("iris", uci_text(labels=("virginica", "setosa", "versicolor")))
    assert data.X.shape == (150, 4)
    assert data.feature_names == ("a", "b", "c", "d")
    assert data.target_names == ("setosa", "versicolor", "virginica")
    assert data.y[:4].tolist() == [2, 0, 1, 2]
    np.testing.assert_allclose(data.X[5], [5.0, 0.5, -1e-3, 5.0], rtol=1e-15)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (uci_text(rows=149), "149 rows"),
        (uci_text().replace("target", "label"), "0 columns before 'target'"),
        (uci_text(labels=("a", "b")), "2 classes, expected 3"),
        (uci_text().replace("a, b,c,d,", "a,b,c,"), "3 columns"),
        ("", "0 rows"),
    ],
)
def test_a_table_of_another_shape_is_refused(text, message):
    with pytest.raises(DataCorrupt, match=message):
        tables.parse("iris", text)


@pytest.mark.parametrize(("content", "message"), [(HTML, "web page"), (uci_text().encode(), "differs from")])
def test_a_table_that_is_not_the_published_one_is_refused(folder, content, message):
    (folder / "uci").mkdir()
    (folder / "uci" / "iris.csv").write_bytes(content)
    with pytest.raises(DataCorrupt, match=message):
        datasets.uci("iris")


def npy_file():
    buffer = io.BytesIO()
    np.save(buffer, np.arange(50.0))
    return buffer.getvalue()


@pytest.mark.parametrize("content", [b"PK\x03\x04 cut short", b"", HTML, b"\x93NUMPY", npy_file()])
def test_a_damaged_chip_file_is_refused(folder, content):
    (folder / "photonic_chip").mkdir()
    (folder / "photonic_chip" / "phase_sweep_gradient.npz").write_bytes(content)
    with pytest.raises(DataCorrupt, match=r"not a readable \.npz|web page"):
        datasets.photonic_chip("phase_sweep")


def test_chip_arrays_that_are_not_the_published_ones_are_refused(folder):
    (folder / "photonic_chip").mkdir()
    np.savez(folder / "photonic_chip" / "phase_sweep_gradient.npz", power=np.arange(50.0))
    with pytest.raises(DataCorrupt, match="differs from the published"):
        datasets.photonic_chip("phase_sweep")


def test_a_pickle_inside_a_chip_file_is_never_opened(folder):
    (folder / "photonic_chip").mkdir()
    np.savez(folder / "photonic_chip" / "phase_sweep_gradient.npz", power=np.array([{"a": 1}], dtype=object))
    with pytest.raises(DataCorrupt, match="allow_pickle"):
        datasets.photonic_chip("phase_sweep")


def test_the_same_arrays_have_the_same_fingerprint_however_they_are_packed(tmp_path):
    arrays = {"b": np.arange(6.0).reshape(2, 3), "a": np.ones(2, dtype=np.complex64)}
    np.savez_compressed(tmp_path / "small.npz", **arrays)
    with np.load(tmp_path / "small.npz", allow_pickle=False) as archive:
        assert chip.canonical_bytes(dict(archive)) == chip.canonical_bytes(arrays)
    transposed = arrays | {"b": arrays["b"].T.copy()}
    assert chip.canonical_bytes(transposed) != chip.canonical_bytes(arrays)


def real(*parts):
    path = os.path.join(REAL, *parts)
    reason = f"COURSEPKG_DATA names no folder that holds {'/'.join(parts)}"
    return pytest.mark.skipif(not (REAL and os.path.exists(path)), reason=reason)


@real("mnist", "t10k-images-idx3-ubyte.gz")
def test_the_real_mnist_test_part():
    X, y = datasets.mnist()
    assert X.shape == (10_000, 28, 28)
    assert np.bincount(y).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert y[:5].tolist() == [7, 2, 1, 0, 4]


@pytest.mark.parametrize("name", [pytest.param(name, marks=real("uci", tables.FILES[name])) for name in tables.TABLES])
def test_the_real_tables_have_their_published_shape(name):
    data = datasets.uci(name)
    table = tables.TABLES[name]
    assert data.X.shape == (table.rows, table.columns)
    assert np.isfinite(data.X).all()
    assert len(data.target_names) == table.classes


@real("uci", "iris.csv")
def test_the_iris_table_has_the_three_known_slips_of_the_uci_copy():
    """Flowers 35 and 38 of UCI's file differ from Fisher's paper; scikit-learn has the corrected values."""
    ours, corrected = datasets.uci("iris").X, datasets.iris().X
    differing = [(int(row), int(column)) for row, column in np.argwhere(ours != corrected)]
    assert differing == [(34, 3), (37, 1), (37, 2)]


@real("photonic_chip", "moons_device.npz")
def test_the_real_chip_obeys_its_own_model():
    chip_data = datasets.photonic_chip("moons")
    field = chip_data["x_test"].T
    for layer in (1, 2):
        field = abs(chip_data[f"unitary_{layer}"] @ field)
    power = abs(chip_data["unitary_3"] @ field) ** 2
    logits = np.stack([power[:2].sum(axis=0), power[2:].sum(axis=0)], axis=1)
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(probabilities, chip_data["p_test_simulated"], atol=1e-5, rtol=1e-5)
