#!/bin/sh
# Builds .venv from a lock file (first argument), with uv if it is there and with venv and pip if not.
# Does nothing when .venv already holds what the lock asks for.
set -eu
lock=$1
python=.venv/bin/python

# What an environment was built from; it is built again when any of this changes.
recipe() {
    pwd
    cat "$1" pyproject.toml tools/environment.sh
}

built_from() {
    [ -f .venv/recipe ] && recipe "$1" | cmp -s - .venv/recipe && "$python" -c '' 2>/dev/null
}

# The testers' environment holds everything that a learner needs.
if built_from "$lock" || built_from requirements-test.lock; then
    exit 0
fi

find_python() {
    for candidate in ${PYTHON:-} python3 python python3.14 python3.13 python3.12 python3.11; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            "$candidate" -c 'import sys; print(sys.executable)'
            return
        fi
    done
}

interpreter=$(find_python)
if [ -z "$interpreter" ] && ! command -v uv >/dev/null 2>&1; then
    found=$(python3 --version 2>/dev/null || python --version 2>/dev/null || echo "none")
    echo "This course needs Python 3.11 or newer; found: $found." >&2
    echo "Install one from python.org or your system's packages, or name it: make lab PYTHON=/path/to/python3.12" >&2
    exit 1
fi

echo "Building the environment in .venv (half a minute to two, only the first time) ..."
rm -rf .venv
if command -v uv >/dev/null 2>&1; then
    uv venv --quiet --python "${interpreter:->=3.11}" .venv
    uv pip install --quiet --python "$python" --require-hashes --compile-bytecode -r "$lock"
    uv pip install --quiet --python "$python" --no-deps --no-build-isolation --editable .
else
    if ! "$interpreter" -m venv .venv; then
        rm -rf .venv
        echo "Python could not make a virtual environment. On Debian and Ubuntu: apt install python3-venv" >&2
        exit 1
    fi
    "$python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock"
    "$python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
fi

# JupyterLab asks each new user about its news feed; a lesson should not start with that question.
settings=.venv/share/jupyter/lab/settings
mkdir -p "$settings"
cat >"$settings/overrides.json" <<'JSON'
{
  "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": false, "doNotDisturbMode": true}
}
JSON

# Written last: an interrupted build is started again.
recipe "$lock" >.venv/recipe
echo "The environment is ready."
