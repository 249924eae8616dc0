"""Check everything: lint, format, types, generated files in step, then every test and every notebook.

Runs every step even if an earlier one fails, prints one line per step, and exits with 1 if any failed.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHON = sys.executable

# A file, and a notebook, stays on one worker. On Windows kernels talk over ports, which two at once may both take.
PARALLEL = ["-n", "2", "--dist", "loadfile", "-p", "tools.longest_first"] if os.name == "posix" else []
# Those of the exercises are run by the proof, which also reads what they say.
NOTEBOOKS = ["--nbval", "tests", "notebooks", "solutions"]

STEPS = [
    ("lint", [PYTHON, "-m", "ruff", "check", "."]),
    ("format", [PYTHON, "-m", "ruff", "format", "--check", "."]),
    ("types", [PYTHON, "-m", "mypy"]),
    ("exercises in step", [PYTHON, "-m", "coursepkg", "grade", "build", "--check"]),
    ("tests and notebooks", [PYTHON, "-m", "pytest", *PARALLEL, *NOTEBOOKS, *sys.argv[1:]]),
]


def main() -> int:
    # One BLAS thread: tests run side by side, and results do not depend on the number of cores.
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    # Kept, so that a worker reads what the other one, or an earlier run, has compiled; the tests alone take 13 seconds.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    failed = []
    for name, command in STEPS:
        start = time.perf_counter()
        print(f"== {name}", flush=True)
        code = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
        print(f"== {name}: {'ok' if code == 0 else 'FAILED'} ({time.perf_counter() - start:.0f} s)", flush=True)
        if code != 0:
            failed.append(name)
    if failed:
        print(f"FAILED: {', '.join(failed)}")
        return 1
    print("All steps passed.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
