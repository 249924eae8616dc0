"""Models in files: one ``.npz`` with an array per name, which any NumPy can read and which cannot run code."""

from __future__ import annotations

import zipfile
from os import PathLike
from pathlib import Path

import numpy as np

from coursepkg.nn.module import Module


def save(model: Module, path: str | PathLike[str]) -> Path:
    """Save all parameters and buffers of a model.

    Parameters
    ----------
    model : Module
        The model.
    path : path_like
        Where to; the name must end in ``.npz``.

    Returns
    -------
    pathlib.Path
        The file.
    """
    path = _checked(path)
    partial = path.with_name(path.name + ".partial")
    with partial.open("wb") as file, zipfile.ZipFile(file, "w") as archive:
        for name, array in model.state_dict().items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)
    partial.replace(path)
    return path


def load(model: Module, path: str | PathLike[str]) -> Module:
    """Load parameters and buffers into a model of the same structure.

    Parameters
    ----------
    model : Module
        The model; left as it is if the file does not fit.
    path : path_like
        A file from :func:`save`.

    Returns
    -------
    Module
        The model.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    KeyError, ValueError
        If the file is damaged or belongs to another model.
    """
    path = _checked(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}; save the model first: nn.save(model, {str(path)!r})")
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            state = dict(archive)
    except (ValueError, TypeError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is not a model saved by nn.save, or it is damaged ({error})") from None
    model.load_state_dict(state)
    return model


def _checked(path: str | PathLike[str]) -> Path:
    path = Path(path)
    if path.suffix != ".npz":
        raise ValueError(f"models are saved as .npz files, got {path.name!r}; try {path.with_suffix('.npz').name!r}")
    return path
