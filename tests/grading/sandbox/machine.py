"""What this machine lets the tests of the sandbox do: which tiers hold, and how to become an ordinary user."""

import os
import shutil
import subprocess
import sys
from functools import cache

import pytest

from coursepkg.grading.sandbox.doctor import examine
from coursepkg.grading.sandbox.launch import BUBBLEWRAP, NONE, SECOND

ORDINARY = 12345
# Seconds until a test gives up to wait for what happens at once where nothing else runs.
PATIENCE = 120
TO_END = 30  # the same of what was ended; far less than what never ends may run before its own limits end it
# The interpreter may lie in root's home, which is closed to others: show it, and nothing else of it, in a private
# mount namespace.
_OPEN_INTERPRETER = """
set -e
case "$PREFIX" in
"$ROOTS_HOME"/*)
    mkdir -p /mnt
    mount --bind "$PREFIX" /mnt
    mount -t tmpfs -o mode=755 none "$ROOTS_HOME"
    mkdir -p "$PREFIX"
    mount --bind /mnt "$PREFIX"
    umount /mnt
    ;;
esac
if [ "$WHO" = 0 ]; then exec "$@"; fi
exec setpriv --reuid "$WHO" --regid "$WHO" --clear-groups "$@"
"""


@cache
def leaks(tier):
    """What leaks in a tier here: attempt to words."""
    return {finding.name: finding.leak for finding in examine(tier) if finding.leak}


def require(tier):
    """Skip, loudly, where a tier cannot start; a tier that starts and leaks is a failure."""
    found = leaks(tier)
    if set(found) == {"starts"}:
        pytest.skip(f"THE SANDBOX IS NOT TESTED HERE ({tier}): {found['starts']}")
    assert not found


def best_tier():
    """A tier that can start here."""
    tiers = [tier for tier in (BUBBLEWRAP, SECOND) if set(leaks(tier)) != {"starts"}]
    if not tiers:
        pytest.skip(f"NO SANDBOX IS TESTED HERE: {leaks(BUBBLEWRAP)} {leaks(SECOND)}")
    return tiers[0]


def run_with_open_interpreter(arguments, user, **options):
    """Run Python as some user, with an interpreter that every user can read; needs root."""
    if os.geteuid() != 0 or not (shutil.which("unshare") and shutil.which("setpriv")):
        pytest.skip("NOT TESTED AS ANOTHER USER: that needs root, unshare and setpriv")
    tried = subprocess.run(["unshare", "-m", "true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        pytest.skip(f"NOT TESTED AS ANOTHER USER: {tried.stderr.strip()}")
    roots_home = os.path.expanduser("~root")
    environment = {**os.environ, "PREFIX": sys.base_prefix, "ROOTS_HOME": roots_home, "WHO": str(user), "HOME": "/tmp"}
    python = ["unshare", "-m", "sh", "-c", _OPEN_INTERPRETER, "sh", sys.executable, "-B"]
    options |= {"capture_output": True, "text": True, "check": False, "env": environment}
    if subprocess.run([*python, "-c", "import coursepkg"], **options).returncode:
        pytest.skip(f"NOT TESTED AS USER {user}: that user cannot read the folder in which this course lies")
    return subprocess.run([*python, *arguments], **options)


__all__ = [
    "BUBBLEWRAP",
    "NONE",
    "ORDINARY",
    "PATIENCE",
    "SECOND",
    "TO_END",
    "best_tier",
    "leaks",
    "require",
    "run_with_open_interpreter",
]
