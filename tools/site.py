"""Build the website in build/site: `make site`, or `python tools/site.py`.

With nothing but Python's own library this file makes an environment of its own, `.venv-site`, from the hashed lock, and
starts itself there again. MathJax comes from npm once, by a pinned hash, into build/cache; nothing else is fetched.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / ".venv-site"
LOCK = ROOT / "requirements-site.lock"
BUILD = ROOT / "build"
SOURCE, CREATED, DOCTREES, SITE = (BUILD / f"site{part}" for part in ("-source", "-static", "-doctrees", ""))
MATHJAX = "3.2.2"
MATHJAX_PARTS = (  # the one file with everything has a menu, too, and weighs half as much again
    "startup.js", "core.js", "input/tex.js", "output/chtml.js", "output/chtml/fonts/tex.js", "a11y/assistive-mml.js",
)  # fmt: skip
MATHJAX_SHA512 = (
    "06df9249553c7811b6ef30a155ec0e89c62ced7b1db78d2a9b8f94a47c97ee4d"
    "3f3bd36588f73ec7bee4d7f144b0fb2328f64626fb5164cd6f3be81e5b43a11b"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help="build only the pages whose name contains this, to look at something quickly")
    options = parser.parse_args()
    enter_environment()
    sys.path.insert(0, str(ROOT))
    vendor_mathjax()
    build(options.only)


# --- the environment --------------------------------------------------------------------------------------------------


def enter_environment() -> None:
    """Go on in `.venv-site`, which is made if it is not there or if its recipe has changed."""
    python = ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    recipe = hashlib.sha256(LOCK.read_bytes() + str(ROOT).encode()).hexdigest()
    made = ENVIRONMENT / "recipe"
    if not made.is_file() or made.read_text() != recipe:
        print("Building the environment of the site in .venv-site (a minute or two, only the first time) ...")
        make_environment(python)
        made.write_text(recipe)
    if Path(sys.prefix).resolve() != ENVIRONMENT.resolve():
        sys.exit(subprocess.run([str(python), *sys.argv], check=False).returncode)


def make_environment(python: Path) -> None:
    shutil.rmtree(ENVIRONMENT, ignore_errors=True)
    uv = shutil.which("uv")
    if uv:
        subprocess.run([uv, "venv", "--quiet", str(ENVIRONMENT)], check=True)
        install = [uv, "pip", "install", "--quiet", "--python", str(python)]
    else:
        subprocess.run([sys.executable, "-m", "venv", str(ENVIRONMENT)], check=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, "--require-hashes", "-r", str(LOCK)], check=True)
    subprocess.run([*install, "--no-deps", "--no-build-isolation", "--editable", str(ROOT)], check=True)


# --- MathJax ----------------------------------------------------------------------------------------------------------


def vendor_mathjax() -> None:
    """Six scripts and their fonts, 1.2 MB, into the folder that Sphinx copies to `_static`."""
    target = CREATED / "vendor" / "mathjax"
    if (target / "startup.js").is_file():
        return
    archive = mathjax_archive()
    if hashlib.sha512(archive.read_bytes()).hexdigest() != MATHJAX_SHA512:
        sys.exit(f"{archive} is not MathJax {MATHJAX} as published: delete it and try again")
    shutil.rmtree(target, ignore_errors=True)
    wanted = {f"package/es5/{part}": part for part in MATHJAX_PARTS} | {"package/LICENSE": "LICENSE"}
    fonts = "package/es5/output/chtml/fonts/woff-v2/"
    with tarfile.open(archive) as files:
        for member in files.getmembers():
            name = wanted.get(member.name) or (
                member.name.removeprefix("package/es5/") if member.name.startswith(fonts) else ""
            )
            content = files.extractfile(member) if name and member.isfile() else None
            if content is not None:
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                (target / name).write_bytes(content.read())


def mathjax_archive() -> Path:
    archive = BUILD / "cache" / f"mathjax-{MATHJAX}.tgz"
    if archive.is_file():
        return archive
    archive.parent.mkdir(parents=True, exist_ok=True)
    npm = shutil.which("npm")
    done = npm and subprocess.run(
        [npm, "pack", f"mathjax@{MATHJAX}", "--silent", "--pack-destination", str(archive.parent)], check=False
    )
    if not done or done.returncode or not archive.is_file():
        sys.exit(
            f"The site shows its formulas with MathJax {MATHJAX}, and npm could not bring it.\n"
            "Install Node.js with npm, and try again. Where npm is not reached, run\n"
            f"    npm pack mathjax@{MATHJAX}\n"
            f"on a computer that reaches it, and lay the file into {archive.parent.relative_to(BUILD.parent)}."
        )
    return archive


# --- the pages --------------------------------------------------------------------------------------------------------


def forget_what_older_hooks_read() -> None:
    """Sphinx reads a page again when the page changes; when what reads it changes, it has to be told."""
    hooks = [ROOT / "docs" / "conf.py", ROOT / "tools" / "site_reading.py"]
    now = hashlib.sha256(b"".join(path.read_bytes() for path in hooks)).hexdigest()
    then = DOCTREES / "hooks"
    if not then.is_file() or then.read_text() != now:
        shutil.rmtree(DOCTREES, ignore_errors=True)
        DOCTREES.mkdir(parents=True)
        then.write_text(now)


def build(only: str | None = None) -> None:
    from sphinx.cmd.build import build_main

    from tools import site_pages

    forget_what_older_hooks_read()
    site_pages.lay_out(SOURCE)
    site_pages.lay_out_assets(CREATED)
    wanted = [str(path) for path in SOURCE.rglob("*") if only and only in str(path)] if only else []
    where = ["-c", str(ROOT / "docs"), "-d", str(DOCTREES), str(SOURCE), str(SITE)]
    code = build_main(["-W", "--keep-going", "-q", "-j", "2", "-b", "html", *where, *wanted])
    if code:
        sys.exit(code)
    (SITE / ".nojekyll").touch()  # GitHub would leave out folders that begin with an underscore
    print(f"The site is in {SITE.relative_to(ROOT)}; to look at it: python -m http.server -d {SITE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
