"""What the site takes from npm: packages by their pinned hash, fetched once into `build/cache`."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import NamedTuple

BUILD = Path(__file__).resolve().parent.parent / "build"


class Package(NamedTuple):
    """A package on npm: its name there, its version, the hash of its archive, and what the site needs it for."""

    name: str
    version: str
    sha512: str
    purpose: str


MATHJAX = Package(
    "mathjax",
    "3.2.2",
    "06df9249553c7811b6ef30a155ec0e89c62ced7b1db78d2a9b8f94a47c97ee4d"
    "3f3bd36588f73ec7bee4d7f144b0fb2328f64626fb5164cd6f3be81e5b43a11b",
    "The site shows its formulas with MathJax",
)
_MATHJAX_PARTS = (  # the one file with everything has a menu, too, and weighs half as much again
    "startup.js", "core.js", "input/tex.js", "output/chtml.js", "output/chtml/fonts/tex.js", "a11y/assistive-mml.js",
)  # fmt: skip


def content(package: Package) -> dict[str, bytes]:
    """The files of a package by their names in it.

    Raises
    ------
    SystemExit
        If npm cannot bring the package, or if what lies in ``build/cache`` is not what was published.
    """
    archive = _archive(package)
    if hashlib.sha512(archive.read_bytes()).hexdigest() != package.sha512:
        sys.exit(f"{archive} is not {package.name} {package.version} as published: delete it and try again")
    with tarfile.open(archive) as files:
        opened = {member.name: files.extractfile(member) for member in files.getmembers() if member.isfile()}
        return {name.removeprefix("package/"): file.read() for name, file in opened.items() if file is not None}


def _archive(package: Package) -> Path:
    named = f"{package.name}@{package.version}"
    archive = BUILD / "cache" / f"{package.name}-{package.version}.tgz"
    if archive.is_file():
        return archive
    archive.parent.mkdir(parents=True, exist_ok=True)
    npm = shutil.which("npm")
    done = npm and subprocess.run(
        [npm, "pack", named, "--silent", "--pack-destination", str(archive.parent)],
        stdout=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    if not done or done.returncode or not archive.is_file():
        sys.exit(
            f"{package.purpose} {package.version}, and npm could not bring it.\n"
            "Install Node.js with npm, and try again. Where npm is not reached, run\n"
            f"    npm pack {named}\n"
            f"on a computer that reaches it, and lay the file into {archive.parent.relative_to(BUILD.parent)}."
        )
    return archive


def lay_out_mathjax(target: Path) -> None:
    """Six scripts and their fonts, 1.2 MB, in a folder that Sphinx copies to `_static`."""
    if (target / "startup.js").is_file():
        return
    files = content(MATHJAX)
    wanted = {part: files[f"es5/{part}"] for part in _MATHJAX_PARTS} | {"LICENSE": files["LICENSE"]}
    fonts = "es5/output/chtml/fonts/woff-v2/"
    wanted |= {name.removeprefix("es5/"): file for name, file in files.items() if name.startswith(fonts)}
    shutil.rmtree(target, ignore_errors=True)
    for name, file in wanted.items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_bytes(file)
