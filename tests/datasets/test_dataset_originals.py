"""The chip's published pickles are read for their arrays; no program in a pickle ever runs.

The pickles here are made on the spot, in the layout of the published ones and with evil in them.
"""

import hashlib
import io
import pickle
import sys
import types
from collections import namedtuple

import numpy as np
import pytest

from coursepkg import datasets
from coursepkg.datasets import DataCorrupt, chip, originals
from coursepkg.datasets.files import cache_folder

RAN = []


def run(*arguments):
    RAN.append(arguments)
    return "ran"


class Evil:
    """Asks, while it is being read, for a function to be called."""

    def __init__(self, function=run, arguments=("evil",)):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


@pytest.fixture(autouse=True)
def nothing_runs():
    RAN.clear()
    yield
    assert RAN == []


def read(content):
    return originals.ArrayUnpickler(io.BytesIO(content)).load()


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6.0).reshape(2, 3),
        np.asfortranarray(np.arange(6, dtype=np.int16).reshape(2, 3)),
        np.array([1 + 2j], dtype=np.complex64),
        np.zeros((0, 3)),
        np.array(2.5),
    ],
)
def test_arrays_come_back_as_they_were(array):
    back = read(pickle.dumps({"a": [array, (array, "text", 3)]}))["a"]
    np.testing.assert_array_equal(back[0], array)
    assert back[0].dtype == back[1][0].dtype == array.dtype
    assert back[1][1:] == ("text", 3)


@pytest.mark.parametrize(
    "evil",
    [
        Evil(),
        Evil(eval, ("run()",)),
        Evil(getattr, (RAN, "append")),
        Evil(exec, ("run()",)),
        run,
        [Evil(), {"k": Evil()}],
    ],
    ids=["function", "eval", "getattr", "exec", "reference", "nested"],
)
def test_a_program_in_a_pickle_becomes_an_inert_object(evil):
    assert "ran" not in repr(read(pickle.dumps(evil)))


def test_names_reached_through_dills_helpers_are_inert_too():
    # The text protocol: call dill._dill._get_attr(dill._dill._import_module("os"), "system") on an argument.
    program = b"cdill._dill\n_get_attr\n(cdill._dill\n_import_module\n(Vos\ntRVsystem\ntR(Vtrue\ntR."
    found = read(program)
    assert isinstance(found, originals.Inert)
    assert found.arguments == ("true",)


def test_only_plain_arrays_are_rebuilt():
    with pytest.raises(pickle.UnpicklingError, match="plain arrays"):
        read(b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nmatrix\n(I0\ntVb\ntR.")


@pytest.fixture
def published(monkeypatch):
    """The authors' libraries, as far as pickling needs them: an object with a state, and a named tuple."""
    for name in ("phox", "phox.apps", "phox.apps.onn"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    module = sys.modules["phox.apps.onn"]
    module.ONN2D = type("ONN2D", (), {"__module__": "phox.apps.onn"})
    module.Dataset = namedtuple("Dataset", ["X", "y"], module="phox.apps.onn")
    module.DataArray = type(
        "DataArray",
        (),
        {
            "__module__": "phox.apps.onn",
            "__getstate__": lambda self: (None, self.slots),
            "__setstate__": lambda self, state: None,
        },
    )
    return module


def moons_pickle(module):
    rng = np.random.default_rng(6)
    network = module.ONN2D()
    network.unitaries = [rng.normal(size=(4, 4)).astype(np.complex64) for _ in range(3)]
    for suffix, n in (("", 5), ("_test", 2)):
        classes = np.eye(2, dtype=np.complex64)[rng.integers(0, 2, n)]
        setattr(network, f"dataset{suffix}", module.Dataset(rng.normal(size=(n, 4)).astype(np.complex64), classes))
        setattr(network, f"y_sim{suffix}", rng.random((n, 2), dtype=np.float32))
        setattr(network, f"y_onn{suffix}", rng.random((n, 2)))
    return network, pickle.dumps({"onn": network, "model": Evil()})


def gradient_pickle(module):
    layers = {}
    for key, size in ((4, 3), (1, 6)):
        variable, table = module.DataArray(), module.DataArray()
        variable.slots = {"_data": np.arange(2.0 * size).reshape(2, size)}
        table.slots = {"_variable": variable, "_close": Evil()}
        layers[key] = table
    return pickle.dumps(layers)


def sweep_file():
    from scipy.io import netcdf_file

    stream = io.BytesIO()
    file = netcdf_file(stream, "w")
    file.createDimension("type", 2)
    file.createDimension("index", 4)
    file.createVariable("__xarray_dataarray_variable__", "d", ("type", "index"))[:] = np.arange(8.0).reshape(2, 4)
    file.flush()
    content = stream.getvalue()
    file.close()
    return content


def test_the_arrays_of_the_moons_experiment_are_found(published):
    network, content = moons_pickle(published)
    arrays = originals.moons_arrays(content)
    np.testing.assert_array_equal(arrays["unitary_3"], network.unitaries[2])
    np.testing.assert_array_equal(arrays["x_train"], network.dataset.X)
    np.testing.assert_array_equal(arrays["y_test"], network.dataset_test.y.real)
    assert arrays["y_train"].dtype == np.int8
    np.testing.assert_array_equal(arrays["p_train_simulated"], network.y_sim)
    np.testing.assert_array_equal(arrays["p_test_measured"], network.y_onn_test)


def test_the_other_measurements_are_found(published):
    arrays = originals.batch_gradient_arrays(gradient_pickle(published))
    assert {name: array.shape for name, array in arrays.items()} == {"layer_key_4": (2, 3), "layer_key_1": (2, 6)}
    sweep = originals.phase_sweep_arrays(sweep_file())
    np.testing.assert_array_equal(sweep["measured_gradient"], [4.0, 5.0, 6.0, 7.0])


def test_a_file_that_is_not_the_published_one_is_not_even_opened():
    for content in (pickle.dumps(Evil()), b"", bytes(originals.ORIGINALS["moons"].size)):
        with pytest.raises(DataCorrupt, match="was not opened"):
            originals.read_original("moons", content)


def test_the_measurements_are_fetched_once_as_plain_arrays(published, folder, monkeypatch):
    contents = {
        "moons_onn_device.p": moons_pickle(published)[1],
        "batch_grad.p": gradient_pickle(published),
        "sweep_grad.nc": sweep_file(),
    }
    for name, original in originals.ORIGINALS.items():
        content = contents[original.file]
        small = original._replace(sha256=hashlib.sha256(content).hexdigest(), size=len(content))
        monkeypatch.setitem(originals.ORIGINALS, name, small)
        digest = hashlib.sha256(chip.canonical_bytes(original.arrays(content))).hexdigest()
        monkeypatch.setitem(chip.FILES, name, (chip.FILES[name][0], digest))
    calls = []

    def download(url):
        calls.append(url)
        return contents[url.rpartition("/")[2]]

    paths = datasets.fetch("photonic-chip", progress=False, download=download)
    assert len(calls) == 3
    assert all(path.suffix == ".npz" for path in paths)
    assert datasets.available("photonic_chip/moons")
    assert datasets.main(["check"]) == 0
    assert datasets.photonic_chip("moons")["x_test"].shape == (2, 4)
    assert datasets.photonic_chip("phase_sweep")["power"].dtype == np.float64
    assert datasets.fetch("photonic-chip", progress=False, download=download) == paths
    assert len(calls) == 3


def test_a_wrong_answer_for_a_measurement_is_never_kept(folder):
    for answer in (b"<html>404</html>", pickle.dumps(Evil())):
        with pytest.raises(DataCorrupt):
            datasets.fetch("photonic-chip", progress=False, download=lambda url, answer=answer: answer)
    assert not (cache_folder() / "photonic_chip").exists()
