"""The browser edition: JupyterLite with the course in it, a part of the website that asks no other host to start.

Python itself is Pyodide, from npm. Libraries written in Python come from PyPI, by the hashes in
`requirements-browser.lock`, and the course as the wheel that `pip install` would take. What is compiled (NumPy, SciPy,
Matplotlib, scikit-learn) is for Pyodide's public distribution to bring, when a cell imports it. Where those wheels are
laid into `build/cache/pyodide`, they become part of the site, too.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from coursepkg import start
from tools import site_npm
from tools.notebook_file import ROOT

PLACE = "lite"  # in the site
BUILD = ROOT / "build"
WORK = BUILD / "browser"
LOCK = ROOT / "requirements-browser.lock"
COMPILED = BUILD / "cache" / "pyodide"
PYTHON = "3.14"  # that of Pyodide
PYODIDE = site_npm.Package(
    "pyodide",
    "314.0.6",  # the one that the kernel in requirements-site.in is made for
    "04a0d327222a1710b8044c4ba9e452ddfe71bd76488ceb7c0b7cc62cdfc273bb"
    "45c52c2f29585591c8504360062ceb51e18ad53881716d5f29a320ce3a65b0c5",
    "The browser edition runs Python by Pyodide",
)
_RUNTIME = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip")
FROM_PYODIDE = ("numpy", "matplotlib", "scipy", "scikit-learn")
# What Pyodide's own list does not have: for each the names under which it is imported, and what it needs.
_BESIDES = {
    "comm": (["comm"], ["traitlets"]),
    "ipywidgets": (["ipywidgets"], ["comm", "ipython", "traitlets", "jupyterlab-widgets", "widgetsnbextension"]),
    "jupyterlab-widgets": (["jupyterlab_widgets"], []),
    "widgetsnbextension": (["widgetsnbextension"], []),
    "coursepkg": (["coursepkg"], ["sympy", "ipywidgets", "tqdm"]),
}


def build(target: Path) -> None:
    """Build the edition in a folder of the site."""
    shutil.rmtree(WORK, ignore_errors=True)
    lay_out_python(WORK / "static" / "pyodide")
    lay_out_course(WORK / "files")
    (WORK / "jupyter-lite.json").write_text(json.dumps(_SETTINGS), encoding="utf-8")
    shutil.rmtree(target, ignore_errors=True)
    command = [
        *(sys.executable, "-m", "jupyter", "lite", "build", "--contents", "files", "--apps", "lab", "--no-sourcemaps"),
        *("--ContentsManager.allow_hidden=True", "--output-dir", str(target.resolve()), "--log-level", "ERROR"),
    ]
    done = subprocess.run(command, cwd=WORK, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"JupyterLite could not be built:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")


_SETTINGS = {
    "jupyter-lite-schema-version": 0,
    "jupyter-config-data": {
        "appName": "Backpropagation course",
        "litePluginSettings": {
            "@jupyterlite/pyodide-kernel-extension:kernel": {
                "pyodideUrl": "./static/pyodide/pyodide.mjs",
                "disablePyPIFallback": True,
            }
        },
    },
}


# --- Python and its libraries -----------------------------------------------------------------------------------------


def lay_out_python(target: Path) -> None:
    """Pyodide, the wheels, and the list in which Pyodide looks up what a cell imports."""
    from jupyterlite_pyodide_kernel.constants import PYODIDE_CDN_URL, PYODIDE_VERSION

    if PYODIDE.version != PYODIDE_VERSION:
        sys.exit(f"The kernel is made for Pyodide {PYODIDE_VERSION}, and this is {PYODIDE.version}: change PYODIDE")
    target.mkdir(parents=True)
    files = site_npm.content(PYODIDE)
    for name in _RUNTIME:
        (target / name).write_bytes(files[name])
    wheels = [*_wheels(), _wheel_of_the_course()]
    for wheel in wheels:
        shutil.copy(wheel, target)
    listed = json.loads(files["pyodide-lock.json"])
    listed["packages"] = packages(listed["packages"], wheels, PYODIDE_CDN_URL, COMPILED)
    for entry in listed["packages"].values():
        if "/" not in entry["file_name"] and not (target / entry["file_name"]).is_file():
            shutil.copy(COMPILED / entry["file_name"], target)
    (target / "pyodide-lock.json").write_text(json.dumps(listed), encoding="utf-8")


def packages(
    listed: Mapping[str, Mapping[str, Any]], wheels: Iterable[Path], distribution: str, compiled: Path
) -> dict[str, dict[str, Any]]:
    """The list of packages for the site: what is here by its file, what is not by its address in the distribution.

    Parameters
    ----------
    listed : mapping
        Pyodide's own list: name, version, file, hash, names to import and dependencies of everything it has.
    wheels : iterable of Path
        What the site brings.
    distribution : str
        Address of the folder in which Pyodide's wheels are to be had.
    compiled : Path
        A folder with some of those wheels, or none. Only files with the hash that Pyodide's list names are taken.

    Raises
    ------
    ValueError
        If a wheel has another version than Pyodide's list, or if one that is needed is missing.
    """
    theirs = {_normal(name): dict(entry) for name, entry in listed.items()}
    ours: dict[str, dict[str, Any]] = {}
    for wheel in wheels:
        name, version = _normal(wheel.name.split("-")[0]), wheel.name.split("-")[1]
        if name in _BESIDES:
            imports, depends = _BESIDES[name]
            entry = {"name": name, "version": version, "install_dir": "site", "package_type": "package",
                     "imports": imports, "depends": depends, "unvendored_tests": False}  # fmt: skip
        else:
            entry = theirs[name]
            if entry["version"] != version:
                raise ValueError(
                    f"Pyodide's list has {name} {entry['version']}, and requirements-browser.lock {version}"
                )
        ours[name] = entry | {"file_name": wheel.name, "sha256": _sha256(wheel)}
    missing = {need for entry in ours.values() for need in map(_normal, entry["depends"])} - ours.keys()
    if missing:
        raise ValueError(f"requirements-browser.in lacks {', '.join(sorted(missing))}")
    for name in with_dependencies(theirs, FROM_PYODIDE):
        if name not in ours:
            here = compiled / theirs[name]["file_name"]
            known = here.is_file() and _sha256(here) == theirs[name]["sha256"]
            ours[name] = theirs[name] | ({} if known else {"file_name": f"{distribution}/{here.name}"})
    return dict(sorted(ours.items()))


def with_dependencies(listed: Mapping[str, Mapping[str, Any]], wanted: Iterable[str]) -> set[str]:
    """The names of packages and of all that they need."""
    found: set[str] = set()
    to_do = list(wanted)
    while to_do:
        name = _normal(to_do.pop())
        if name not in found:
            found.add(name)
            to_do += listed[name]["depends"]
    return found


def _wheels() -> list[Path]:
    """The libraries written in Python, downloaded once for each content of the lock."""
    folder = BUILD / "cache" / f"wheels-{_sha256(LOCK)[:12]}"
    if not folder.is_dir():
        part = folder.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        command = [
            *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--require-hashes"),
            *("--no-deps", "--only-binary=:all:", "--python-version", PYTHON, "--dest", str(part), "-r", str(LOCK)),
        ]
        subprocess.run(command, check=True)
        part.rename(folder)
    return sorted(folder.glob("*.whl"))


def _wheel_of_the_course() -> Path:
    folder = WORK / "wheel"
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return next(folder.glob("coursepkg-*.whl"))


def _normal(name: str) -> str:
    """A package's name as PyPI normalises it: Pyodide finds a package under no other."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


# --- the course -------------------------------------------------------------------------------------------------------


def lay_out_course(target: Path) -> None:
    """The learner's copy, as `coursepkg start` lays it out."""
    start.lay_out(target)
